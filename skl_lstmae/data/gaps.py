"""Rows without data: gaps of series, and windows that hold some."""

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.mapped import Rows
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import MAX_VALUES, fewest_empty


def observed(windows: Sequences) -> Sequences:
    """Leave out the windows in which every value is missing."""
    return windows.take(count_empty(windows) < windows.lengths)


def count_empty(windows: Sequences) -> NDArray[np.intp]:
    """Return how many steps of each window have no observed value, (n_windows,)."""
    empty = _empty_rows(windows.values)
    ends = windows.starts + windows.lengths
    return np.searchsorted(empty, ends) - np.searchsorted(empty, windows.starts)


def have_data(windows: Sequences) -> NDArray[np.bool_]:
    """Return which windows have data in half of their steps or more; others are not judged."""
    return 2 * count_empty(windows) <= windows.lengths


def are_empty(series: Sequences) -> NDArray[np.bool_]:
    """Return which rows have no observed value, (total_timesteps,)."""
    is_empty = np.zeros(len(series.values), dtype=bool)
    is_empty[_empty_rows(series.values)] = True
    return is_empty[series.rows()]


def stretches(is_empty: NDArray[np.bool_], series: Sequences) -> NDArray[np.intp]:
    """Return the number of the stretch, with data or without, that each row of series is in."""
    is_first = np.isin(series.rows(), series.starts)
    is_first[1:] |= is_empty[1:] != is_empty[:-1]
    return np.cumsum(is_first) - 1


def are_blacked_out(series: Sequences, n_rows: int) -> NDArray[np.bool_]:
    """Return which rows are in a stretch of at least `n_rows` without data, (total_timesteps,)."""
    is_empty = are_empty(series)
    stretch = stretches(is_empty, series)
    return is_empty & (np.bincount(stretch)[stretch] >= n_rows)


def have_own_scores(
    n_empty: NDArray[np.intp], windows: Sequences, series: Sequences
) -> NDArray[np.bool_]:
    """Return which rows are to be judged by their own windows, (total_timesteps,).

    Rows without data are not, nor those beside them that no window without a gap reaches, though
    one reaches others of their stretch: windows are a stride apart.
    """
    is_empty, fewest = are_empty(series), fewest_empty(n_empty, windows, series)
    stretch = stretches(is_empty, series)
    fewest_of_all = np.full(stretch[-1] + 1, fewest.max())
    np.minimum.at(fewest_of_all, stretch, fewest)
    return ~is_empty & ((fewest == 0) | (fewest_of_all[stretch] > 0))


def lower_beside(
    values: NDArray[np.float64], is_known: NDArray[np.bool_], lengths: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return for rows of unknown values the lower of the nearest known on both sides.

    Parameters
    ----------
    values : ndarray of shape (total_timesteps,)
        Row after row, series after series.
    is_known : ndarray of shape (total_timesteps,), dtype bool
        Other rows of series in which some value is known get one; at an end it is the nearest.
    lengths : ndarray of shape (n_series,)
        How many of the rows each series has.
    """
    found = values.copy()
    ends = np.cumsum(lengths)
    for start, end in zip(ends - lengths, ends, strict=True):
        known, unknown = (
            start + np.flatnonzero(which[start:end]) for which in (is_known, ~is_known)
        )
        if len(known):
            after = np.searchsorted(known, unknown)
            sides = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
            found[unknown] = np.minimum(*values[np.stack(sides)])
    return found


def _empty_rows(values: Rows) -> NDArray[np.intp]:
    """Return the numbers of the rows without any observed value, in bounded memory."""
    n_rows = max(1, MAX_VALUES // values.shape[1])
    return np.concatenate(
        [
            start + np.flatnonzero(np.isnan(values[start : start + n_rows]).all(axis=1))
            for start in range(0, max(len(values), 1), n_rows)
        ]
    )
