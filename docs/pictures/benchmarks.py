"""How many times faster the package does what others do as well, by the page of benchmarks."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

page = Path("..", "benchmarks.md")  # scripts run in their folder
line = r"^\| (B\d+) \| (.*)times faster than (.+?)(?: \(.*\))? \| ([\d.]+)× \|$"
found = re.findall(line, page.read_text("utf-8"), re.MULTILINE)
names = [f"{row}  {work}{other}" for row, work, other, _ in found]
ratios = [float(ratio) for *_, ratio in found]

figure, ax = plt.subplots(figsize=(8, 5.5), layout="constrained")
bars = ax.barh(names, ratios, color="#0072B2")
ax.bar_label(bars, fmt="%.1f", padding=3)
ax.axvline(1, color="black", linewidth=1)
ax.set(xlabel="Times faster than", xscale="log")
ax.set_xticks([1, 2, 5, 10, 20], labels=["1", "2", "5", "10", "20"])
ax.minorticks_off()
ax.margins(x=0.15, y=0.01)
ax.invert_yaxis()
