"""
==================================
What happened to New York's taxis?
==================================

Seven months of taxi passengers, counted every half-hour, hold five labelled events. A detector
slides over the series and lists the times that are unlike the rest. An isolation forest and a
nearest neighbour judge the very same windows.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from skl_lstmae import AnomalyScoreDisplay, LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.datasets import load_nyc_taxi

taxi = load_nyc_taxi(as_frame=True)
for event in taxi.events:
    print(f"{event.date}  {event.name}")

# %%
# Ten intervals
# -------------
# The detector learns from all seven months, without the labels, and then searches them. It takes
# one row in twenty as odd. Odd rows less than half a day apart form one interval, and the ten
# oddest intervals are kept. A window is a day, after which the traffic repeats. To save time, only
# every fourth window is judged.

HALF_DAY = 24


def oddest_intervals(detector):
    """Let a detector of sequences slide over the series, and return the oddest intervals."""
    sliding = SlidingWindowDetector(detector, window_size=48, stride=4, contamination=0.05)
    sliding.fit(taxi.data)
    intervals = sliding.find_events(taxi.data, max_gap=HALF_DAY)
    return sliding, intervals.nsmallest(10, "peak_score")


def touched_events(intervals):
    """Return the names of the labelled events whose windows the intervals touch."""
    return [
        event.name
        for event in taxi.events
        if ((intervals["start"] <= event.last) & (intervals["end"] >= event.first)).any()
    ]


sliding, intervals = oddest_intervals(LSTMAutoencoderDetector(random_state=0))

print("Windows of a day, the oddest intervals first:")
for i, interval in intervals.iterrows():
    names = ", ".join(touched_events(intervals.loc[[i]]))
    print(f"  {interval.start:%Y-%m-%d %H:%M} to {interval.end:%Y-%m-%d %H:%M}  {names}")

# %%
# The same with other detectors
# -----------------------------
# ``SlidingWindowDetector`` also takes the outlier detectors of scikit-learn, or one that you write
# in a few lines, such as the distance to the nearest window.


class NearestNeighbor(OutlierMixin, BaseEstimator):
    """Minus the distance from the nearest other training row."""

    def fit(self, X, y=None):
        """Keep the training rows."""
        self.neighbors_ = NearestNeighbors(n_neighbors=2).fit(X)
        return self

    def score_samples(self, X):
        """Return minus the distances; a row at distance 0 is taken for the training row itself."""
        distances, _ = self.neighbors_.kneighbors(X)
        return -np.where(distances[:, 0] == 0, distances[:, 1], distances[:, 0])


found = {
    "LSTM autoencoder": intervals,
    "isolation forest": oddest_intervals(IsolationForest(random_state=0))[1],
    "nearest neighbour": oddest_intervals(NearestNeighbor())[1],
}
print("Labelled events touched:")
for name, its_intervals in found.items():
    n_touched = len(touched_events(its_intervals))
    print(f"  {name:<17}  {n_touched} of {len(taxi.events)}, by {len(its_intervals)} intervals")

# %%
# The picture
# -----------
# An interval outside the labels need not be a false alarm: the last two days of August 2014 were
# the weekend of Labor Day, and 19 January 2015 was Martin Luther King Day.

display = AnomalyScoreDisplay.from_predictions(
    taxi.data,
    sliding.score_samples(taxi.data),
    offset=sliding.offset_,
    events=intervals,
    y=taxi.target,
)
scores_ax = display.axes_[-2]
for event in taxi.events:
    scores_ax.text(
        event.first,
        0.03,
        event.name.removeprefix("New York City "),
        transform=scores_ax.get_xaxis_transform(),
        rotation=90,
        ha="right",
        va="bottom",
        fontsize="x-small",
    )
plt.show()
