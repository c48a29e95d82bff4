"""Mean ranks of methods over cases, by the record of the benchmark of detection."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

record = Path("..", "..", "benchmarks", "detection", "detection_record.md")
text = record.read_text("utf-8")
panels = {
    "Sequences": r"^Mean ranks over 11 cases: (.+?)\. Friedman",
    "Keogh, UCR, NAB, ASD": r"mean ranks over 40 cases: (.+?)\. Friedman",
}

figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained", sharex=True)
for ax, (title, sentence) in zip(axes, panels.items(), strict=True):
    ranked = re.search(sentence, text, re.MULTILINE)[1].split(", ")
    names, ranks = zip(*(method.rsplit(" ", 1) for method in ranked), strict=True)
    bars = ax.barh(names, [float(rank) for rank in ranks], color="#56B4E9")
    bars[names.index("default")].set_color("#0072B2")
    ax.bar_label(bars, fmt="%.1f", padding=3)
    ax.set(title=title, xlabel="Mean rank, 1 is best")
    ax.margins(x=0.15)
    ax.invert_yaxis()
