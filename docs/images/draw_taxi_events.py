"""Draw the picture of the README: `python docs/images/draw_taxi_events.py`.

The events are what a detector finds in the shipped series, told that a window is a day and that one
row in twenty is odd; only their names are written here. The tones stand out from a white page and a
dark one.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.dates import DateFormatter

from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.datasets import load_nyc_taxi

GREY, BLUE, RED = "#7d8590", "#3b8ed6", "#e5533d"

NAMES = {
    "2014-11-02": "marathon",
    "2014-12-25": "Christmas",
    "2015-01-01": "New Year",
    "2015-01-27": "snow storm",
}

plt.rcParams |= {
    "axes.edgecolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 12,
    "path.simplify_threshold": 1.0,  # keeps the file small
    "svg.hashsalt": "taxi",
    "text.color": GREY,
    "xtick.color": GREY,
}


def main():
    """Find the events and draw them."""
    torch.set_num_threads(1)  # on which the last bits of weights depend, and with them the picture
    counts = load_nyc_taxi(as_frame=True).data
    autoencoder = LSTMAutoencoderDetector(random_state=0)
    detector = SlidingWindowDetector(autoencoder, window_size=48, contamination=0.05)  # of a day
    detector.fit(counts)
    scores = pd.Series(detector.score_samples(counts), counts.index)
    events = detector.find_events(counts, max_gap=24).nsmallest(10, "peak_score")

    path = Path(__file__).with_name("taxi_events.svg")
    draw(counts["passengers"], scores, detector.offset_, events).savefig(
        path, transparent=True, metadata={"Date": None}
    )
    print(f"Saved {path} with {len(events)} events")


def draw(passengers, scores, offset, events):
    """Return a figure of the series above its scores, with the events marked in both."""
    figure, (upper, lower) = plt.subplots(
        2, sharex=True, layout="constrained", figsize=(10, 4), height_ratios=(3, 2)
    )
    upper.plot(passengers, color=GREY, linewidth=0.5)
    lower.plot(scores, color=BLUE, linewidth=1)
    lower.axhline(offset, color=GREY, linestyle="--", linewidth=1)
    lower.text(passengers.index[0], offset, "threshold", va="top")
    for event in events.itertuples():
        found = slice(event.start, event.end)
        upper.plot(passengers[found], color=RED, linewidth=1.2)
        lower.plot(scores[found], color=RED, linewidth=2)
        for day, name in NAMES.items():
            if event.start.normalize() <= pd.Timestamp(day) <= event.end:
                upper.annotate(
                    name,
                    (pd.Timestamp(day), 0.96),
                    xycoords=("data", "axes fraction"),
                    rotation=35,
                    color=RED,
                )
    for ax, text in (
        (upper, "taxi passengers in New York, every half-hour"),
        (lower, "how normal the detector finds them"),
    ):
        ax.margins(x=0.005, y=0.2)
        ax.text(0.005, 0.02, text, transform=ax.transAxes)
        ax.set_yticks([])
    lower.xaxis.set_major_formatter(DateFormatter("%b %Y"))
    return figure


if __name__ == "__main__":
    main()
