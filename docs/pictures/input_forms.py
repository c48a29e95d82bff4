"""The same three sequences of two features as a list, as a padded array and as a panel."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

TONES = ("#fde9b8", "#b9dcf2", "#d5d5d5")

sequences = [
    np.array([[1.0, 2], [3, 4], [5, np.nan], [7, 8], [9, 10]]),
    np.array([[11.0, 12], [13, 14], [15, 16]]),
    np.array([[21.0, 22], [23, 24], [25, 26], [27, 28]]),
]
padded = np.full((3, 5, 2), np.nan)
for rows, sequence in zip(padded, sequences, strict=True):
    rows[: len(sequence)] = sequence
frames = {i: pd.DataFrame(x, columns=["a", "b"]) for i, x in enumerate(sequences)}
panel = pd.concat(frames, names=["id", "time"])


def write(ax, x, y, text, **style):
    """Write into the middle of the cell whose upper left corner is at (x, y)."""
    ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=8, **style)


def draw(ax, values, left, top, tone, n_real):
    """Draw a table of values, time downwards, of which the first `n_real` rows are no padding."""
    for (i, j), value in np.ndenumerate(values):
        style = {"facecolor": tone} if i < n_real else {"facecolor": "white", "hatch": "////"}
        ax.add_patch(Rectangle((left + j, top + i), 1, 1, edgecolor="0.55", **style))
        text = "NaN" if np.isnan(value) else f"{value:g}"
        box = None if i < n_real else {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        write(ax, left + j, top + i, text, bbox=box)


figure, (of_list, of_array, of_panel) = plt.subplots(
    1, 3, figsize=(9, 4.2), layout="constrained", sharey=True
)
for i, (sequence, rows, tone) in enumerate(zip(sequences, padded, TONES, strict=True)):
    n_real = len(sequence)
    draw(of_list, sequence, 3 * i, 0, tone, n_real)
    write(of_list, 3 * i + 0.5, -1, f"{sequence.shape}")
    draw(of_array, rows, 3 * i, 0, tone, n_real)
    write(of_array, 3 * i + 0.5, -1, f"X[{i}]")
    draw(of_panel, panel.loc[i].to_numpy(), 4, sum(map(len, sequences[:i])), tone, n_real)
for j, name in enumerate([*panel.index.names, *panel.columns]):
    write(of_panel, j + (1.5, 1.7, 2, 2)[j], -1, name, weight="bold")
for i, (number, step) in enumerate(panel.index):
    write(of_panel, 1.5, i, number)
    write(of_panel, 2.7, i, step)
titles = "list of arrays", f"array {padded.shape}, padded", "panel: DataFrame indexed by (id, time)"
for ax, title in zip(figure.axes, titles, strict=True):
    ax.set_title(title, fontsize=10)
    ax.set(xlim=(-0.2, 8.2), ylim=(12.2, -1.4), aspect="equal")
    ax.set_axis_off()
