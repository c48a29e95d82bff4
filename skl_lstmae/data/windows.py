"""Long series cut into overlapping windows, and results of windows put back together."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences

AGGREGATIONS = {
    "mean": ["mean"],
    "min": ["min"],
    "max": ["max"],
    "mean_min": ["mean", "min"],
}
"""Of which statistics of a row's windows each aggregation is the mean."""

ACCUMULATORS = {
    "mean": (np.add, 0.0),
    "min": (np.minimum, np.inf),
    "max": (np.maximum, -np.inf),
}

TOLERATED = 5
"""A window counts for a row if it lacks at most a fifth more steps than the one with the fewest."""

MAX_VALUES = 2**22
"""Numbers in the windows of a block, which are copied when they are gathered."""


def slide(series: Sequences, size: int, stride: int = 1) -> Sequences:
    """Cut each series into windows, slices of the same values.

    A window starts every `stride` rows; the last one ends with its series, so that every row is
    covered if `stride` is at most `size`. A series shorter than `size` is a single window.
    """
    spare = np.maximum(series.lengths - size, 0)
    owner, rank = _number(1 + -(-spare // stride))
    starts = series.starts[owner] + np.minimum(rank * stride, spare[owner])
    return Sequences(series.values, starts, np.minimum(series.lengths, size)[owner])


def cut(series: Sequences, size: int, phase: int = 0) -> Sequences:
    """Cut each series longer than `size` into pieces, which hold each row once.

    Pieces have `size` rows, but for the last and, if `phase` is not 0, the first, which has `phase`
    rows; a shorter series is a single piece.
    """
    lead = np.where(series.lengths > size, -phase % size, 0)
    owner, rank = _number(-(-(series.lengths + lead) // size))
    starts = np.maximum(rank * size - lead[owner], 0)
    ends = np.minimum((rank + 1) * size - lead[owner], series.lengths[owner])
    return Sequences(series.values, series.starts[owner] + starts, ends - starts)


def in_order(windows: Sequences) -> Sequences:
    """Return windows of one size in the order of their rows, each once."""
    _, firsts = np.unique(windows.starts, return_index=True)
    return windows.take(firsts)


def hold_out_ends(series: Sequences, size: int, fraction: float) -> tuple[Sequences, Sequences]:
    """Cut each series into rows to train on, a gap of one window, and its end, held out.

    The end is a `fraction` of the series, one window at least. Series in which less than three
    windows' rows would be left are not cut; if none is, the last ones are held out as a whole.
    """
    n_held_out = np.maximum(size, np.rint(fraction * series.lengths)).astype(np.intp)
    n_training = series.lengths - n_held_out - size
    is_cut = n_training >= 3 * size
    if not is_cut.any():
        n_whole = min(max(1, round(fraction * len(series))), len(series) - 1)
        is_held_out = np.arange(len(series)) >= len(series) - n_whole
        return series.take(~is_held_out), series.take(is_held_out)
    training = Sequences(series.values, series.starts, np.where(is_cut, n_training, series.lengths))
    ends = Sequences(series.values, series.starts + n_training + size, n_held_out)
    return training, ends.take(is_cut)


def spread(windows: Sequences, n: int, random_state: RandomState | None = None) -> Sequences:
    """Take one of each of `n` stretches of windows, a random one or else the middle one."""
    edges = np.linspace(0, len(windows), n + 1).astype(np.intp)
    if random_state is None:
        return windows.take((edges[:-1] + edges[1:]) // 2)
    return windows.take(random_state.randint(edges[:-1], edges[1:]))


def trailing(
    values: NDArray[Any], size: int, first: int = 0, is_new: NDArray[np.bool_] | None = None
) -> Sequences:
    """Cut the window that ends with each row of one series, from row `first` on.

    Until `size` rows are there, a window is as many as there are. None reaches back beyond a row
    that `is_new`, at which the series starts anew.
    """
    ends = np.arange(first, len(values)) + 1
    starts = np.maximum(ends - size, 0)
    if is_new is not None:
        beginnings = np.maximum.accumulate(np.where(is_new, np.arange(len(values)), 0))
        starts = np.maximum(starts, beginnings[first:])
    return Sequences(values, starts, ends - starts)


def are_apart(windows: Sequences, stretch: Sequences) -> NDArray[np.bool_]:
    """Return which windows share no row with a stretch: that from others' first row to their last.

    All are slices of the same values.
    """
    first, end = stretch.starts.min(), (stretch.starts + stretch.lengths).max()
    return (windows.starts + windows.lengths <= first) | (windows.starts >= end)


def blocks(windows: Sequences, max_windows: int | None = None) -> Iterator[Sequences]:
    """Yield the windows in turn, so few at a time that they may be copied, or even fewer."""
    values_per_window = int(windows.lengths.max(initial=1)) * windows.n_features
    n_windows = max_windows or max(1, MAX_VALUES // values_per_window)
    for start in range(0, len(windows), n_windows):
        yield windows.take(np.arange(start, min(start + n_windows, len(windows))))


def merge(
    values: NDArray[Any],
    windows: Sequences,
    series: Sequences,
    aggregation: str = "mean",
    n_empty: NDArray[np.intp] | None = None,
) -> NDArray[np.float64]:
    """Aggregate what windows say of the rows they cover.

    Parameters
    ----------
    values : ndarray of shape (n_windows,) or (total_window_timesteps, ...)
        A value for each window, which is that of all its rows; or one for each of its rows, window
        after window.
    windows : Sequences
        Windows that `slide` cut from `series`.
    series : Sequences
        The series, whose starts ascend.
    aggregation : {"mean", "min", "max", "mean_min"}, default="mean"
        How the values of a row's windows become one; "mean_min" is halfway between two.
    n_empty : ndarray of shape (n_windows,), default=None
        Steps of each window that have no data. Of a row's windows those do not count that have over
        a fifth more of them than the one with the fewest.

    Returns
    -------
    merged : ndarray of shape (total_timesteps, ...)
        Row after row, series after series. The windows of a row are added up in their order, so
        that its value depends on them alone, to the last bit.
    """
    first_rows = np.cumsum(series.lengths) - series.lengths
    owner = np.searchsorted(series.starts, windows.starts, side="right") - 1
    positions = first_rows[owner] + windows.starts - series.starts[owner]
    first_values = np.cumsum(windows.lengths) - windows.lengths
    is_per_window = values.shape == (len(windows),)

    shape = (series.lengths.sum(), *values.shape[1:])
    merged = {name: np.full(shape, ACCUMULATORS[name][1]) for name in AGGREGATIONS[aggregation]}
    n_windows = np.zeros(shape[0], dtype=np.intp)
    most_empty = _most_empty(n_empty, windows, positions, shape[0])
    # The later a row stands in a window, the earlier the window started.
    for step in reversed(range(windows.lengths.max())):
        reaching = np.flatnonzero(windows.lengths > step)
        if n_empty is not None and most_empty is not None:
            reaching = reaching[n_empty[reaching] <= most_empty[positions[reaching] + step]]
        rows = positions[reaching] + step
        news = values[reaching] if is_per_window else values[first_values[reaching] + step]
        for name, so_far in merged.items():
            combine, _ = ACCUMULATORS[name]
            so_far[rows] = combine(so_far[rows], news)
        n_windows[rows] += 1
    if "mean" in merged:
        merged["mean"] = (merged["mean"].T / n_windows).T
    return np.mean(list(merged.values()), axis=0)


def _most_empty(
    n_empty: NDArray[np.intp] | None,
    windows: Sequences,
    positions: NDArray[np.intp],
    n_rows: int,
) -> NDArray[np.intp] | None:
    """Return how many steps without data a window may have to count for each row, (n_rows,)."""
    if n_empty is None or not n_empty.any():
        return None
    size = int(windows.lengths.max())
    fewest = np.full(n_rows, size)
    for step in range(size):
        reaching = np.flatnonzero(windows.lengths > step)
        rows = positions[reaching] + step
        fewest[rows] = np.minimum(fewest[rows], n_empty[reaching])
    return fewest + fewest // TOLERATED


def _number(counts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each of so many windows a series whose it is, and its number among those."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
