"""Rows without data: gaps of series, and windows that hold some or end beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.mapped import Rows
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import join_sequences
from skl_lstmae.data.windows import MAX_VALUES, in_order, slide


@dataclass(frozen=True, eq=False)
class Gaps:
    """Rows without any observed value, looked for once; series and windows are slices of all rows.

    Parameters
    ----------
    rows : ndarray of shape (n_empty,), dtype intp
        Their numbers, ascending.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.data.gaps import Gaps
    >>> from skl_lstmae.data.sequences import Sequences
    >>> values = np.array([[1.0], [np.nan], [3.0], [4.0]])
    >>> series = Sequences(values, starts=np.array([0]), lengths=np.array([4]))
    >>> Gaps.of(values).count(series)
    array([1])
    """

    rows: NDArray[np.intp]

    @classmethod
    def of(cls, values: Rows) -> Gaps:
        """Look for them, in bounded memory."""
        n_rows = max(1, MAX_VALUES // values.shape[1])
        rows = [
            start + np.flatnonzero(np.isnan(values[start : start + n_rows]).all(axis=1))
            for start in range(0, max(len(values), 1), n_rows)
        ]
        return cls(np.concatenate(rows))

    def count(self, windows: Sequences) -> NDArray[np.intp]:
        """Return how many steps of each window have no observed value, (n_windows,)."""
        ends = windows.starts + windows.lengths
        return np.searchsorted(self.rows, ends) - np.searchsorted(self.rows, windows.starts)

    def have_data(self, windows: Sequences) -> NDArray[np.bool_]:
        """Return which windows have data in half of their steps or more; others are not judged."""
        return 2 * self.count(windows) <= windows.lengths

    def observed(self, windows: Sequences) -> Sequences:
        """Leave out the windows in which every value is missing."""
        return windows.take(self.count(windows) < windows.lengths)

    def are_empty(self, series: Sequences) -> NDArray[np.bool_]:
        """Return which rows of series have no observed value, (total_timesteps,)."""
        is_empty = np.zeros(len(series.values), dtype=bool)
        is_empty[self.rows] = True
        return is_empty[series.rows()]

    def cut_at_blackouts(self, series: Sequences, n_rows: int) -> Sequences:
        """Cut series at both ends of each stretch of at least `n_rows` without data."""
        if len(self.rows) < n_rows:
            return series
        is_empty, firsts, lengths = self._stretches(series)
        is_blackout = is_empty[firsts] & (lengths >= n_rows)
        begin, ends = firsts[is_blackout], (firsts + lengths)[is_blackout]
        series_begin = np.cumsum(series.lengths) - series.lengths
        edges = np.unique(np.concatenate([series_begin, begin, ends[ends < len(is_empty)]]))
        pieces = np.diff(edges, append=len(is_empty))
        return Sequences(series.values, series.rows()[edges], pieces)

    def slide_beside(self, series: Sequences, size: int, stride: int) -> Sequences:
        """Cut series into windows as `slide` does, and into those that touch a gap.

        A stretch of `size` rows with data, or more, has a window that starts with it, and one that
        ends with it. So each of its rows is in a window without a gap, though windows are a stride
        apart.
        """
        windows = slide(series, size, stride)
        if stride == 1 or len(self.rows) == 0:
            return windows
        is_empty, firsts, lengths = self._stretches(series)
        is_long = ~is_empty[firsts] & (lengths >= size)
        starts = series.rows()[firsts[is_long]]
        starts = np.concatenate([starts, starts + lengths[is_long] - size])
        touching = Sequences(series.values, starts, np.full(len(starts), size))
        return in_order(join_sequences(windows, touching))

    def _stretches(
        self, series: Sequences
    ) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
        """Return which rows are empty; first rows and lengths of the stretches of either kind."""
        is_empty = self.are_empty(series)
        is_first = np.isin(series.rows(), series.starts)
        is_first[1:] |= is_empty[1:] != is_empty[:-1]
        firsts = np.flatnonzero(is_first)
        return is_empty, firsts, np.diff(firsts, append=len(is_empty))


def rows_of_blackout(size: int) -> int:
    """Return how many rows without data, one after the other, are a blackout: half a window."""
    return -(-size // 2)


def without_steps(windows: Sequences, numbers: list[int]) -> Sequences:
    """Return copies of windows of one length that have a gap, for each of some numbers of steps.

    The places of the gaps are spread over the windows.
    """
    n_windows, size = len(windows), int(windows.lengths[0])
    rows = windows.gathered().values[:].reshape(n_windows, size, -1)
    copies = np.tile(rows, (len(numbers), 1, 1, 1))
    for copy, n_steps in zip(copies, numbers, strict=True):
        firsts = np.linspace(0, size - n_steps, n_windows).astype(np.intp)
        steps = np.arange(size) - firsts[:, np.newaxis]
        copy[(steps >= 0) & (steps < n_steps)] = np.nan
    lengths = np.tile(windows.lengths, len(numbers))
    return Sequences(copies.reshape(lengths.sum(), -1), np.cumsum(lengths) - lengths, lengths)


def have_scores(scores: NDArray[np.float64], worst: float) -> NDArray[np.bool_]:
    """Return which rows, or windows, are judged by data of their own."""
    return ~np.isnan(scores) & (scores != worst)


def judged_by(
    scores: NDArray[np.float64], worst: float, lengths: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return by the score of which row each row is judged, (total_timesteps,).

    It is its own or, if that is NaN, the lower of the nearest on both sides that have one. If there
    is none in its series, it is its own all the same.

    Parameters
    ----------
    scores : ndarray of shape (total_timesteps,)
        Row after row, series after series.
    worst : float
        The score of rows that judge no other.
    lengths : ndarray of shape (n_series,)
        How many of the rows each series has.
    """
    judges, owner = np.arange(len(scores)), np.repeat(np.arange(len(lengths)), lengths)
    unknown = np.flatnonzero(np.isnan(scores))
    known = np.flatnonzero(have_scores(scores, worst))
    if len(unknown) and len(known):
        after = np.searchsorted(known, unknown)
        sides = known[np.clip([after - 1, after], 0, len(known) - 1)]
        beside = np.where(owner[sides] == owner[unknown], scores[sides], np.inf)
        lower = np.take_along_axis(sides, beside.argmin(axis=0)[np.newaxis], axis=0)[0]
        judges[unknown] = np.where(np.isinf(beside.min(axis=0)), unknown, lower)
    return judges
