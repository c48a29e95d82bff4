"""From anomalous rows to events: intervals, their worst row, and the features to blame."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import blocks

N_FEATURES = 3
"""The most features that an event names."""


class Event(NamedTuple):
    """An interval of anomalous rows.

    Attributes
    ----------
    series : object
        Which series it is in: its id in a DataFrame indexed by (series id, time), else its number.
    start, end : int or timestamp
        First and last row: timestamps if the index has them, else numbers from 0 on.
    n_rows : int
        Number of rows from `start` to `end`, both included.
    peak : int or timestamp
        The row of the lowest score.
    peak_score : float
        The lowest score.
    features : dict or None
        The features with the largest shares of the error of these rows, three at most, the largest
        first: name, or number, to share. None if the detector of windows has no errors.
    """

    series: Any
    start: Any
    end: Any
    n_rows: int
    peak: Any
    peak_score: float
    features: dict[Any, float] | None


def find_intervals(
    is_anomalous: NDArray[np.bool_], lengths: NDArray[np.intp], max_gap: int, min_length: int
) -> NDArray[np.intp]:
    """Join anomalous rows to intervals.

    Parameters
    ----------
    is_anomalous : ndarray of shape (total_timesteps,), dtype bool
        Decisions on rows, series after series.
    lengths : ndarray of shape (n_series,)
        Number of rows of each series; no interval reaches from one into another.
    max_gap : int
        The most normal rows in a row that an interval bridges.
    min_length : int
        The fewest rows of an interval, bridged ones included.

    Returns
    -------
    intervals : ndarray of shape (n_intervals, 2)
        First row, and the row after the last.
    """
    rows = np.flatnonzero(is_anomalous)
    owner = np.searchsorted(np.cumsum(lengths), rows, side="right")
    is_apart = (np.diff(rows) > max_gap + 1) | (np.diff(owner) > 0)
    is_first = np.r_[np.ones(len(rows[:1]), dtype=bool), is_apart]
    is_last = np.roll(is_first, -1)
    intervals = np.column_stack([rows[is_first], rows[is_last] + 1])
    return intervals[np.diff(intervals, axis=1)[:, 0] >= min_length]


def feature_shares(
    intervals: NDArray[np.intp],
    windows: Sequences,
    errors_of: Callable[[Sequences], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Split the error of each interval's rows, in all windows that cover them, over the features.

    Parameters
    ----------
    intervals : ndarray of shape (n_intervals, 2)
        In rows of ``windows.values``, as `find_intervals` returns them.
    windows : Sequences
        Windows of the series.
    errors_of : callable
        Returns the errors of the cells of windows, (total_window_timesteps, n_features).

    Returns
    -------
    shares : ndarray of shape (n_intervals, n_features)
        Add up to 1; all 0 if there is no error.
    """
    starts, ends = intervals.T
    totals = np.zeros((len(intervals), windows.n_features))
    next_interval = np.searchsorted(ends, windows.starts, side="right")
    next_start = np.append(starts, np.iinfo(np.intp).max)[next_interval]
    for block in blocks(windows.take(next_start < windows.starts + windows.lengths)):
        rows = block.rows()
        interval = np.searchsorted(starts, rows, side="right") - 1
        is_inside = (interval >= 0) & (rows < ends[interval])
        np.add.at(totals, interval[is_inside], np.nan_to_num(errors_of(block)[is_inside]))
    return totals / np.maximum(totals.sum(axis=1, keepdims=True), np.finfo(float).tiny)


def main_features(shares: NDArray[np.float64], names: Sequence[Any]) -> dict[Any, float]:
    """Name the features with the largest shares, the largest first."""
    largest = np.argsort(-shares, kind="stable")[:N_FEATURES]
    return {names[j]: float(shares[j]) for j in largest if shares[j] > 0}


def tabulate(
    intervals: NDArray[np.intp],
    scores: NDArray[np.float64],
    series: Sequences,
    labels: tuple[list[Any], list[Any]],
    features: Sequence[dict[Any, float] | None],
) -> Any:
    """Return a DataFrame with a row an event, or a list of events if pandas is not installed.

    Parameters
    ----------
    intervals : ndarray of shape (n_intervals, 2)
        As `find_intervals` returns them.
    scores : ndarray of shape (total_timesteps,)
        Scores of the rows.
    series : Sequences
        The series, which follow one another.
    labels : tuple
        What the user calls series and rows, as `Form.row_labels` returns it.
    features : sequence of length n_intervals
        What becomes the field ``features`` of each event.
    """
    owners = np.searchsorted(series.starts, intervals[:, 0], side="right") - 1
    ids, rows = labels
    events = [
        Event(_plain(ids[i]), *_locate(interval, series.starts[i], scores, rows[i]), blame)
        for i, interval, blame in zip(owners, intervals, features, strict=True)
    ]
    try:
        import pandas as pd
    except ImportError:
        return events
    return pd.DataFrame(events, columns=list(Event._fields))


def _locate(
    interval: NDArray[np.intp], first_row: int, scores: NDArray[np.float64], rows: Any
) -> tuple[Any, Any, int, Any, float]:
    """Return an event's start, end, number of rows, peak and the peak's score."""
    start, end = interval
    peak = start + scores[start:end].argmin()
    first, last, worst = (_plain(rows[row - first_row]) for row in (start, end - 1, peak))
    return first, last, int(end - start), worst, float(scores[peak])


def _plain(label: Any) -> Any:
    """Turn a number of numpy's into one of Python's."""
    return label.item() if isinstance(label, np.generic) else label
