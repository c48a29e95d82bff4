"""What the displays share: matplotlib on use, colours, panels, and one sample out of many."""

from collections.abc import Sequence
from numbers import Integral
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import Interval
from skl_lstmae.data.names import known_names

# Told apart by all common kinds of colour vision: M. Okabe, K. Ito, "Color universal design", 2008.
BLACK, BLUE, SKY_BLUE, GREEN = "#000000", "#0072B2", "#56B4E9", "#009E73"
ORANGE, VERMILLION, PURPLE = "#E69F00", "#D55E00", "#CC79A7"

MAX_COLUMNS = 600
"""The most columns of a heat strip, about one a pixel."""

LONG = 500
"""From so many steps on, lines of a sequence are thin."""

LONG_SERIES = 2400
"""Of a line of more steps, a column holds several, and shows from which value to which they go."""

LARGEST_AREA = 18_000
"""Points that cover more, in square points, are small and transparent: one sees their density."""

MAX_FEATURES = {"max_features": [Interval(Integral, 0, None, closed="left")]}
"""What `validate_params` is to check of the number of panels."""

INCHES_PER_LABEL, INCHES_PER_ROW = 2.7, 0.22
"""The room that a label of a legend takes."""

INCHES_PER_NAME = 0.13
"""The least height of a feature's name beside a heat strip."""


def import_pyplot(caller: str) -> ModuleType:
    """Return matplotlib.pyplot, or say how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} draws with matplotlib, which is not installed; run pip install matplotlib."
        ) from error
    return plt


def check_can(estimator: Any, methods: Sequence[str], caller: str, example: str) -> str:
    """Return the first of the methods, or attributes, that a fitted estimator has."""
    found = [name for name in methods if hasattr(estimator, name)]
    if not found and methods[-1].endswith("_"):
        check_is_fitted(estimator)  # of the right class, it may only lack a fit
    if not found:
        hint = ""
        if any(hasattr(getattr(estimator, "detector_", None), name) for name in methods):
            windows = "[X[:100], X[100:200]]"
            hint = f"; pass its detector_ and windows of the series as arrays, such as {windows}"
        raise TypeError(
            f"{caller} needs an estimator with {' or '.join(methods)}, such as {example}; got "
            f"{type(estimator).__name__}{hint}."
        )
    check_is_fitted(estimator)
    return found[0]


def check_index(index: int, n_found: int, unit: str) -> None:
    """Refuse the number of a sample that is not there."""
    if not 0 <= index < n_found:
        raise ValueError(
            f"index={index}, but the {unit} of X are numbered from 0 to {n_found - 1}; pass one of "
            "these numbers."
        )


def name_features(names: Sequence[Any] | None, estimator: Any, n_features: int) -> list[str]:
    """Return the names given, else those the estimator knows, else numbers.

    A name that is a number, as of the columns of a bare DataFrame, says what it counts.
    """
    if names is None:
        # What was fitted on a table of sequences has names of time steps.
        names = known_names(estimator)
        if len(names) != n_features:
            names = [f"feature {j}" for j in range(n_features)]
    if len(names) != n_features:
        raise ValueError(
            f"feature_names holds {len(names)} names; expected {n_features}, one a feature."
        )
    return [f"feature {name}" if isinstance(name, Integral) else str(name) for name in names]


def literal(name: Any) -> str:
    """Return a text that matplotlib draws as it is, rather than as mathematics between dollars."""
    return str(name).replace("$", r"\$")


def check_length(values: ArrayLike, n_expected: int, name: str, unit: str) -> NDArray[Any]:
    """Return values as an array of one dimension, if there are as many as expected."""
    array = np.asarray(values)
    if array.shape != (n_expected,):
        raise ValueError(
            f"{name} has shape {array.shape}; expected ({n_expected},), one value a {unit}."
        )
    return array


def make_ax(ax: Any, caller: str, **figure_options: Any) -> Any:
    """Return the user's axes or, if there is none, those of a new figure."""
    plt = import_pyplot(caller)
    if ax is None:
        _, ax = plt.subplots(layout="constrained", **{"figsize": (8, 4.5)} | figure_options)
    if not hasattr(ax, "plot"):
        raise TypeError(
            f"{caller} draws on one matplotlib Axes, but ax is of type {type(ax).__name__}; pass "
            "one that plt.subplots() returns, or None."
        )
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def stack_panels(
    ax: Any, heights: Sequence[float], i_strip: int | None, caller: str
) -> tuple[NDArray[Any], Any]:
    """Divide the place of `ax` into panels above one another, which share the x-axis.

    Returns
    -------
    panels : ndarray of matplotlib Axes, top to bottom
    bar : matplotlib Axes
        For the colour bar of panel `i_strip`, beside it; None if there is no such panel.
    """
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            f"{caller} divides the place of ax in a grid of subplots, but this ax has none; make "
            "it by plt.subplots or add_subplot."
        )
    ax.set_axis_off()
    n_columns = 1 if i_strip is None else 2
    widths = (1, 0.02)[:n_columns]
    grid = place.subgridspec(
        len(heights),
        n_columns,
        height_ratios=heights,
        width_ratios=widths,
        # Without an engine that lays out the figure, nothing else keeps titles off the panels.
        hspace=None if ax.figure.get_layout_engine() else 0.7,
        wspace=None if ax.figure.get_layout_engine() else 0.03,
    )
    panels = np.empty(len(heights), dtype=object)
    for i in range(len(panels)):
        panels[i] = ax.figure.add_subplot(grid[i, 0], sharex=panels[0])
        panels[i].tick_params(labelbottom=i == len(panels) - 1)
        panels[i].spines[["top", "right"]].set_visible(False)
    return panels, None if i_strip is None else ax.figure.add_subplot(grid[i_strip, 1])


def draw_line(ax: Any, x: NDArray[Any], values: NDArray[Any], **style: Any) -> Any:
    """Draw a line with a gap where values are missing, and a dot for a value between two gaps.

    A long series is drawn as its range in each column, behind the line of the columns' medians.
    """
    if len(values) > LONG_SERIES:
        x, values = draw_ranges(ax, x, values, style["color"])
    seen = np.r_[False, ~np.isnan(values), False]
    alone = np.flatnonzero(seen[1:-1] & ~seen[:-2] & ~seen[2:])
    if len(alone):
        style |= {"marker": ".", "markersize": 3, "markevery": alone.tolist()}
    (line,) = ax.plot(x, values, **style)
    return line


def line_width(n_steps: int) -> float:
    """Return how wide the line of a sequence of so many steps is."""
    return 1.3 if n_steps < LONG else 0.7


def draw_ranges(
    ax: Any, x: NDArray[Any], values: NDArray[Any], color: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw from where to where the values in each column go; return the columns' medians."""
    width = -(-len(values) // MAX_COLUMNS)
    firsts = np.arange(0, len(values), width)
    low, high = (extreme.reduceat(values, firsts) for extreme in (np.fmin, np.fmax))
    edges = edges_between(x)[np.r_[firsts, len(values)]]
    ax.stairs(high, edges, baseline=low, fill=True, color=color, alpha=0.35, linewidth=0)
    columns = np.full((len(firsts), width), np.nan)
    columns.flat[: len(values)] = values
    medians = np.ma.median(np.ma.masked_invalid(columns), axis=1).filled(np.nan)
    return (edges[1:] + edges[:-1]) / 2, medians


def point_look(n_points: int, size: float) -> dict[str, Any]:
    """Return how points of a size look if there are so many."""
    share = min(1.0, (LARGEST_AREA / (n_points * size)) ** 0.5) if n_points else 1.0
    return {
        "s": max(4.0, size * share),
        "alpha": max(0.15, share),
        "linewidth": 0.4 * share,
        "rasterized": share < 1,
    }


def draw_strip(
    ax: Any, edges: NDArray[Any], values: NDArray[Any], names: Sequence[str], **style: Any
) -> Any:
    """Draw (n_timesteps, n_features) values as a strip of colours, features downwards.

    Missing values are hatched. Of steps that share a column, the one furthest from the feature's
    median shows, so that nothing outstanding is lost.
    """
    n_steps, n_features = values.shape
    firsts = np.arange(0, n_steps, -(-n_steps // MAX_COLUMNS))
    middle = np.ma.median(np.ma.masked_invalid(values), axis=0).filled(0.0)
    high, low = (extreme.reduceat(values, firsts, axis=0) for extreme in (np.fmax, np.fmin))
    columns = np.where(high - middle >= middle - low, high, low)
    ax.patch.set(facecolor="white", edgecolor="0.6", hatch="/////")
    mesh = ax.pcolormesh(
        edges[np.r_[firsts, n_steps]],
        np.arange(n_features + 1) - 0.5,
        np.ma.masked_invalid(columns.T),
        rasterized=True,
        **style,
    )
    inches = ax.get_window_extent().height / ax.figure.dpi
    max_names = max(1, int(inches / INCHES_PER_NAME))
    named = np.arange(0, n_features, -(-n_features // max_names))
    shown = [literal(names[j]) for j in named]
    ax.set(ylim=(n_features - 0.5, -0.5), yticks=named, yticklabels=shown)
    ax.tick_params(axis="y", labelsize="x-small")
    return mesh


def draw_steps_and_cells(
    panels: NDArray[Any],
    bar: Any,
    values: tuple[NDArray[Any], NDArray[Any]],
    names: Sequence[str],
    labels: tuple[str, str],
    **style: Any,
) -> tuple[Any, Any]:
    """Draw values of steps, and those of their cells below, in the last two panels.

    ``labels`` are those of the panels. Returns what was drawn.
    """
    *_, upper, lower = panels
    steps, cells = values
    edges = edges_between(np.arange(len(steps)))
    # The edges keep steps in sight that are narrower than a pixel.
    look = {"facecolor": BLUE, "edgecolor": BLUE, "linewidth": 0.5}
    stairs = upper.stairs(steps, edges, fill=True, **look)
    label_panel(upper, labels[0])
    strip = draw_strip(lower, edges, cells, names, **style)
    label_panel(lower, labels[1])
    lower.set(xlabel="Time step", xlim=(edges[0], edges[-1]))
    lower.xaxis.get_major_locator().set_params(integer=True)
    draw_bar(bar, strip)
    return stairs, strip


def draw_bar(bar: Any, strip: Any) -> None:
    """Draw the colours of a strip beside it, with so few numbers that they fit."""
    strip.figure.colorbar(strip, cax=bar)
    bar.yaxis.get_major_locator().set_params(nbins=3)
    bar.tick_params(labelsize="x-small")


def edges_between(x: NDArray[Any]) -> NDArray[Any]:
    """Return the borders of the steps at positions x, halfway between one and the next."""
    if len(x) == 1:
        return np.array([x[0] - 0.5, x[0] + 0.5])
    between = (x[1:] + x[:-1]) / 2
    return np.r_[2 * x[0] - between[0], between, 2 * x[-1] - between[-1]]


def strip_height(n_features: int) -> float:
    """Return the height of a heat strip where that of a panel is 1."""
    return float(np.clip(n_features / 7, 0.6, 2.5))


def label_panel(ax: Any, text: str) -> None:
    """Write what a panel shows above its upper left corner, where it covers no data."""
    ax.set_title(literal(text), loc="left", fontsize="small", pad=3)


def legend_above(ax: Any) -> None:
    """Put the legend above the upper right corner of a panel, where it covers no data."""
    ax.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=2,
        frameon=False,
        borderaxespad=0,
        fontsize="small",
    )


def legend_in_headroom(ax: Any) -> float:
    """Make room for the legend above the data, as titles are above the axes; return its share."""
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    n_columns = max(1, int(box.width / dpi / INCHES_PER_LABEL))
    n_rows = -(-len(ax.get_legend_handles_labels()[0]) // n_columns)
    share = min(0.5, INCHES_PER_ROW * (n_rows + 0.5) / (box.height / dpi))
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.array(ax.get_ylim()))
    ax.set_ylim(top=scale.inverted().transform(low + (high - low) / (1 - share)))
    legend = ax.legend(loc="upper right", ncols=n_columns, frameon=False, fontsize="small")
    show_in_full(legend)
    return share


def show_in_full(legend: Any) -> None:
    """Make the points of a legend as large and opaque as those of a picture with few of them."""
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set(alpha=1, sizes=[36])
