"""
=================
Watching a stream
=================

New York's taxis, half-hour by half-hour: a detector that learned from summer and autumn watches
January. It judges each count as it comes, only by the counts before it.
"""

import matplotlib.pyplot as plt
import numpy as np

from skl_lstmae import AnomalyScoreDisplay, SlidingWindowDetector
from skl_lstmae.datasets import load_nyc_taxi

# %%
# Learn the past
# --------------
# July to October hold no labelled event. A small network is enough for a single feature.

taxi = load_nyc_taxi(as_frame=True)
past = taxi.data[:"2014-10-29"]
january = taxi.data["2015-01-05":]

detector = SlidingWindowDetector(false_alarm_rate=0.005, random_state=0).fit(past)
print(f"windows of {detector.window_size_} half-hours")

# %%
# Row by row
# ----------
# ``stream`` returns an object that takes rows and returns their scores. Its scores are not reliable
# until it has seen a whole window, so it first gets the two days before. It has a threshold of its
# own: a stream judges a row by one window, ``score_samples`` by all that cover it. And this
# threshold moves: if there are too many alarms, it follows the scores.

stream = detector.stream()
two_days_before = taxi.data["2015-01-03":"2015-01-04"]
stream.push(two_days_before)

scores, offsets, quiet_since = [], [], january.index[0]
for time, row in january.iterrows():
    (score,) = stream.push(row)
    if score < stream.offset_:
        if time >= quiet_since:
            print(f"{time:%a %d %b %H:%M} alarm at {row['passengers']:.0f} passengers")
        quiet_since = time + detector.window_size_ * january.index.freq
    scores.append(score)
    offsets.append(stream.offset_)

# %%
# If the same rows are pushed all at once, they get the same scores, to the last bit.

at_once = detector.stream()
at_once.push(two_days_before)
print("at once the same:", np.array_equal(at_once.push(january), scores))

# %%
# What was that?
# --------------
# The black bar is the window that the Numenta Anomaly Benchmark labels for the snow storm, which
# came on the evening of 26 January. 19 January was Martin Luther King Day, a holiday that is not
# labelled.

AnomalyScoreDisplay.from_predictions(january, scores, offset=offsets, y=taxi.target[january.index])
plt.show()
