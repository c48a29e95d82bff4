"""
===================================
What happened to New York's taxis?
===================================

Seven months of taxi passengers, counted every half-hour, hold five labelled events. A detector
slides over the series and lists the times that are unlike the rest, next to an isolation forest and
to nearest neighbours on the very same windows.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from skl_lstmae import AnomalyScoreDisplay, LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.datasets import load_nyc_taxi

HALF_DAY = 24
N_INTERVALS = 10


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


def top_intervals(detector, frame):
    """Return the most anomalous intervals, those less than half a day apart joined."""
    found = detector.find_events(frame, max_gap=HALF_DAY)
    return found.sort_values("peak_score").head(N_INTERVALS)


def touched_events(intervals, events):
    """Return the labelled events whose window an interval touches."""
    return [
        event
        for event in events
        if ((intervals["start"] <= event.last) & (intervals["end"] >= event.first)).any()
    ]


def draw(taxi, scores, offset, intervals, path):
    """Save a picture of the series, the scores, what was found and what is labelled."""
    display = AnomalyScoreDisplay.from_predictions(
        taxi.data, scores, offset=offset, events=intervals, y=taxi.target
    )
    for event in taxi.events:
        display.axes_[-2].annotate(  # below the scores
            event.name,
            (event.first, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize="x-small",
        )
    display.figure_.savefig(path, dpi=120)
    plt.close(display.figure_)


def main():
    """Fit three detectors, print what they find, and draw what the first does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[4])
    parser.add_argument("--output", type=Path, default=Path("demo-output"))
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)

    taxi = load_nyc_taxi(as_frame=True)
    # All seven months are both what is learned from and what is searched: one row in twenty is
    # taken for odd, and of the intervals that these make the oddest are listed, ten at most.
    inner = {
        "LSTM autoencoder": LSTMAutoencoderDetector(random_state=0),
        "isolation forest": IsolationForest(random_state=0),
        "nearest neighbour": NearestNeighbor(),
    }
    detectors = {
        name: SlidingWindowDetector(detector, contamination=0.05).fit(taxi.data)
        for name, detector in inner.items()
    }
    intervals = {name: top_intervals(found, taxi.data) for name, found in detectors.items()}

    ours = detectors["LSTM autoencoder"]
    n_found = len(intervals["LSTM autoencoder"])
    print(f"Windows of {ours.window_size_} half-hours. The {n_found} most anomalous intervals:")
    for interval in intervals["LSTM autoencoder"].itertuples():
        touched = touched_events(intervals["LSTM autoencoder"].loc[[interval.Index]], taxi.events)
        names = ", ".join(event.name for event in touched)
        print(f"  {interval.start:%Y-%m-%d %H:%M} to {interval.end:%Y-%m-%d %H:%M}  {names}")
    print("Labelled events touched:")
    for name, found in intervals.items():
        n_touched = len(touched_events(found, taxi.events))
        print(f"  {name:<17}  {n_touched} of {len(taxi.events)}, by {len(found)} intervals")

    picture = output / "taxi_events.png"
    scores = ours.score_samples(taxi.data)
    draw(taxi, scores, ours.offset_, intervals["LSTM autoencoder"], picture)
    print(f"Saved {picture}")


if __name__ == "__main__":
    main()
