"""From anomalous rows to events: intervals, their worst row, and the features to blame."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import blocks
from skl_lstmae.scoring.usual_errors import UsualErrors

N_FEATURES = 3
"""The most features that an event names."""


class Event(NamedTuple):
    """An interval of anomalous rows.

    Attributes
    ----------
    series : object
        Which series it is in: its id in a DataFrame indexed by (series id, time), else its number.
    start, end : int or timestamp
        First and last row: labels of the index if it has times, or numbers that increase; else
        numbers from 0 on.
    n_rows : int
        Number of rows from `start` to `end`, both included.
    peak : int or timestamp
        The row with the largest errors near that of the lowest score; the latter if there are no
        errors.
    peak_score : float
        The lowest score.
    rank : int
        1 for the event that lies furthest below its threshold.
    observed : float
        Share of its values that are not missing; 0 for a blackout.
    features : dict or None
        Up to three features, the one most to blame first: name, or number, to share. None if the
        detector of windows has no errors.
    """

    series: Any
    start: Any
    end: Any
    n_rows: int
    peak: Any
    peak_score: float
    rank: int
    observed: float
    features: dict[Any, float] | None


class FoundEvents(NamedTuple):
    """What is found in series.

    Attributes
    ----------
    scores, offsets : ndarray of shape (total_timesteps,)
        Of the rows.
    intervals : ndarray of shape (n_events, 2)
        First row, and the row after the last.
    peaks : ndarray of shape (n_events,)
        The row of each that tells best where it is.
    feature_shares : ndarray of shape (n_events, n_features), or None
        How much each is to blame, which adds up to 1; None if there is no error.
    """

    scores: NDArray[np.float64]
    offsets: NDArray[np.float64]
    intervals: NDArray[np.intp]
    peaks: NDArray[np.intp]
    feature_shares: NDArray[np.float64] | None


def find_intervals_within(
    decisions: NDArray[np.float64],
    lengths: NDArray[np.intp],
    max_gap: int,
    min_length: int,
    budget: int | None,
) -> NDArray[np.intp]:
    """Join anomalous rows, whose decisions are negative, to intervals.

    If these would hold more rows than the budget, only the most negative rows count, so many that
    the intervals keep within it.
    """
    is_anomalous = decisions < 0
    intervals = find_intervals(is_anomalous, lengths, max_gap, min_length)
    if budget is None or np.diff(intervals, axis=1).sum() <= budget:
        return intervals
    borders = np.zeros(len(decisions) + 1, dtype=np.intp)
    borders[intervals[:, 0]] += 1
    borders[intervals[:, 1]] -= 1
    rows = np.flatnonzero(is_anomalous & (np.cumsum(borders[:-1]) > 0))
    order = rows[np.argsort(decisions[rows], kind="stable")]

    def holding(n_rows: int) -> NDArray[np.intp]:
        chosen = np.zeros(len(decisions), dtype=bool)
        chosen[order[:n_rows]] = True
        return find_intervals(chosen, lengths, max_gap, min_length)

    n_rows = min(len(order), budget)
    while n_rows and np.diff(holding(n_rows), axis=1).sum() > budget:
        n_rows = int(0.9 * n_rows)
    return holding(n_rows)


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


def go_on(
    intervals: NDArray[np.intp],
    scores: NDArray[np.float64],
    offsets: NDArray[np.float64],
    lengths: NDArray[np.intp],
    max_gap: int,
    budget: int | None,
) -> NDArray[np.intp]:
    """Let intervals of alarms go on while scores are below the offset that their first row broke.

    An offset that follows scores follows an anomaly, too, so that alarms may end before it does.
    An interval goes on for so many rows at most, and for no more than it has, lest a single false
    alarm become a long one; but at least to the lowest of these scores if that is lower than its
    own, as before a fault scores sink for a window. Nor does it go on into another series or
    another alarm, or beyond what is left of the budget.

    Parameters
    ----------
    intervals : ndarray of shape (n_intervals, 2)
        First row, and the row after the last, in their order.
    scores, offsets : ndarray of shape (total_timesteps,)
        An alarm is a score below its offset.
    lengths : ndarray of shape (n_series,)
        Number of rows of each series.
    max_gap : int
        The most rows.
    budget : int or None
        The most rows that all intervals hold together.

    Returns
    -------
    intervals : ndarray of shape (n_intervals, 2)
    """
    edges = np.cumsum(lengths)
    last = edges[np.searchsorted(edges, intervals[:, 0], side="right")]
    n_rows = np.diff(intervals, axis=1)[:, 0]
    most = np.minimum(max_gap, last - intervals[:, 1])
    goes_on = np.zeros(len(intervals), dtype=np.intp)
    for i, ((first, end), n) in enumerate(zip(intervals, most, strict=True)):
        rest = slice(end, end + n)
        is_below = (offsets[rest] <= scores[rest]) & (scores[rest] < offsets[first])
        n_below = int(np.argmin(np.append(is_below, False)))
        to_lowest = np.argmin(np.append(scores[first:end].min(), scores[end : end + n_below]))
        goes_on[i] = max(min(n_below, end - first), to_lowest)
    if budget is not None:
        left = budget - n_rows.sum() - (np.cumsum(goes_on) - goes_on)
        goes_on = np.clip(left, 0, goes_on)
    return intervals + np.column_stack([np.zeros_like(goes_on), goes_on])


def blame(
    interval: NDArray[np.intp],
    lowest: int,
    windows: Sequences,
    errors_of: Callable[[Sequences], NDArray[np.float64]],
    usual: UsualErrors,
) -> tuple[NDArray[np.float64], int]:
    """Tell where in an interval the cause is, and which features are to blame.

    An interval reaches as far as the windows that cover a disturbance, and so beyond it. The cause
    is in the windows that cover the row of the lowest score, and the nearer a row is, the more of
    these cover it. To blame are the features whose errors in these windows are unusual for them.

    Parameters
    ----------
    interval : ndarray of shape (2,)
        First row, and the row after the last.
    lowest : int
        The row of the lowest score.
    windows : Sequences
        Those that cover that row.
    errors_of : callable
        Returns the errors of the cells of windows, (total_window_timesteps, n_features).
    usual : UsualErrors
        Those of normal windows.

    Returns
    -------
    shares : ndarray of shape (n_features,)
        Of the squares of deviations, as means over the windows that observe a feature. They add up
        to 1, or all are 0: if no error is known in the interval, or none is unusual.
    peak : int
        The row whose errors, each in units of its feature's usual one, are largest as a sum over
        the windows; the lowest row if none is known.
    """
    first, end = interval
    deviations, errors = [], np.zeros(end - first)
    for block in blocks(windows):
        cells = errors_of(block).reshape(len(block), -1, windows.n_features)
        deviations.append(usual.deviations(cells))
        rows = block.rows() - first
        is_inside = (rows >= 0) & (rows < len(errors))
        of_rows = np.nansum(cells / np.exp(usual.mean), axis=2).ravel()
        np.add.at(errors, rows[is_inside], of_rows[is_inside])
    if not errors.any():
        return np.zeros(windows.n_features), lowest
    squares = np.square(np.concatenate(deviations))
    n_observed = np.maximum((~np.isnan(squares)).sum(axis=0), 1)
    means = np.nansum(squares, axis=0) / n_observed
    return means / (means.sum() or 1.0), first + int(errors.argmax())


def main_features(shares: NDArray[np.float64], names: Sequence[Any]) -> dict[Any, float]:
    """Name the features with the largest shares, the largest first."""
    largest = np.argsort(-shares, kind="stable")[:N_FEATURES]
    return {names[j]: float(shares[j]) for j in largest if shares[j] > 0}


def tabulate(
    found: FoundEvents,
    series: Sequences,
    labels: tuple[list[Any], list[Any]],
    names: Sequence[Any],
) -> Any:
    """Return a DataFrame with a row an event, or a list of events if pandas is not installed.

    Parameters
    ----------
    found : FoundEvents
    series : Sequences
        The series, which follow one another.
    labels : tuple
        What the user calls series and rows, as `Form.row_labels` returns it.
    names : sequence of length n_features
        What the user calls the features.
    """
    depths = [(found.scores - found.offsets)[lo:hi].min() for lo, hi in found.intervals]
    ranks = 1 + np.argsort(np.argsort(depths, kind="stable"), kind="stable")
    events = [
        _describe(i, found, series, labels, names, int(ranks[i]))
        for i in range(len(found.intervals))
    ]
    try:
        import pandas as pd
    except ImportError:
        return events
    return pd.DataFrame(events, columns=list(Event._fields))


def _describe(
    i: int,
    found: FoundEvents,
    series: Sequences,
    labels: tuple[list[Any], list[Any]],
    names: Sequence[Any],
    rank: int,
) -> Event:
    ids, times = labels
    start, end = found.intervals[i]
    first_rows = np.cumsum(series.lengths) - series.lengths
    owner = int(np.searchsorted(first_rows, start, side="right")) - 1
    rows = times[owner]
    first, last, peak = (
        _plain(rows[row - first_rows[owner]]) for row in (start, end - 1, found.peaks[i])
    )
    begin = series.starts[owner] + start - first_rows[owner]
    values = series.values[begin : begin + end - start]
    shares = found.feature_shares
    return Event(
        series=_plain(ids[owner]),
        start=first,
        end=last,
        n_rows=int(end - start),
        peak=peak,
        peak_score=float(found.scores[start:end].min()),
        rank=rank,
        observed=float(np.mean(~np.isnan(values))),
        features=None if shares is None else main_features(shares[i], names),
    )


def _plain(label: Any) -> Any:
    """Turn a number of numpy's into one of Python's."""
    return label.item() if isinstance(label, np.generic) else label
