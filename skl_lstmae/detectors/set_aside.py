"""Warnings of data that are set aside: by a fit, or where anomalies are looked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._warn import warn
from skl_lstmae.data.forms import Form
from skl_lstmae.data.names import some_of
from skl_lstmae.data.sequences import Sequences

OF_FIT, OF_UPDATE = "leave them out by sample_weight=0", "leave them out"
"""What to do with faults among training sequences, and among those of an update."""


def warn_of_sequences(
    numbers: NDArray[np.intp], form: Form, *, are_pieces: bool, remedy: str = OF_FIT
) -> None:
    """Name the training sequences that were set aside; of pieces, say how many they are."""
    numbers = np.unique(numbers)
    n = len(numbers)
    if n == 0:
        return
    if are_pieces:
        which = "1 piece" if n == 1 else f"{n} pieces"
    else:
        which = f"sequence{'s' * (n > 1)} {some_of(form.called(numbers))}"
    _warn(which, "more", "neither the threshold nor what is normal rests on them", remedy)


def warn_of_rows(rows: NDArray[np.intp], series: Sequences, form: Form) -> None:
    """Name the stretches of the training rows that were set aside."""
    if len(rows) == 0:
        return
    owner = np.searchsorted(series.starts, rows, side="right") - 1
    edges = 1 + np.flatnonzero((np.diff(rows) > 1) | (np.diff(owner) > 0))
    firsts, lasts = rows[np.append(0, edges)], rows[np.append(edges, len(rows)) - 1]
    stretches = _named(firsts, lasts, series, form.row_labels())
    _warn(f"rows {some_of(stretches)}", "more rows", "the threshold does not rest on them")


def warn_of_scattered(pieces: Sequences, series: Sequences, ids: Sequence[Any], size: int) -> None:
    """Name the series that were cut so often that no piece holds a window."""
    owner = np.searchsorted(series.starts, pieces.starts, side="right") - 1
    longest = np.zeros(len(series), dtype=np.intp)
    np.maximum.at(longest, owner, pieces.lengths)
    lost = np.flatnonzero((longest < size) & (series.lengths >= size)).tolist()
    if lost:
        warn(
            f"Left out: series {some_of([ids[i] for i in lost])}, whose times jump, or whose data "
            f"fail, so often that no piece holds a window of {size} rows: bring all series to one "
            "step, set a larger max_time_steps, or choose a smaller window_size."
        )


def warn_of_shorter_windows(pieces: Sequences, size: int, uncut: int) -> None:
    """Warn if windows of a size chosen by pieces of series are shorter than by the series."""
    if size < uncut:
        warn(
            f"Windows have {size} rows rather than {uncut}, as X is cut to {len(pieces)} piece(s), "
            f"the longest of {pieces.lengths.max()} rows, at jumps in time, blackouts or rows of "
            "weight 0. Fill in missing rows, as by asfreq, set a larger max_time_steps, or choose "
            "window_size yourself."
        )


def warn_of_short(
    series: Sequences,
    pieces: Sequences,
    row_labels: tuple[list[Any], list[Any]],
    shortest: int,
) -> None:
    """Name the series to judge, and pieces of others, that are too short to be judged.

    Pieces are those that are, between jumps in time or blackouts.
    """
    owner = np.searchsorted(series.starts, pieces.starts, side="right") - 1
    is_short = np.isin(np.arange(len(series)), owner) & (series.lengths < shortest)
    why = (
        f"fewer than {shortest} rows, the fewest of a window of the fit; they have scores, but no "
        "rows are anomalous except those of a blackout"
    )
    if is_short.any():
        warn(
            f"Too short to find anomalies in: {_called(row_labels[0], is_short)}, with {why}. "
            "Pass longer series, or fit with a smaller window_size."
        )
    cut = pieces.take(~is_short[owner])
    if len(cut):
        stretches = _named(cut.starts, cut.starts + cut.lengths - 1, series, row_labels)
        warn(
            f"Too short to find anomalies in: rows {some_of(stretches)}, between jumps in time or "
            f"blackouts, with {why}. Judge the last ones again with the rows that follow, fit with "
            "a smaller window_size or, where times jump, set a larger max_time_steps."
        )


def refuse_empty(is_empty: NDArray[np.bool_], ids: Sequence[Any]) -> None:
    """Refuse training series without any observed value."""
    if is_empty.any():
        raise ValueError(
            f"{_called(ids, is_empty)} has no observed value; expected at least one that is not "
            "NaN in each series to learn from: leave it out."
        )


def _called(ids: Sequence[Any], which: NDArray[np.bool_]) -> str:
    if len(ids) == 1:
        return "X"
    return f"series {some_of([ids[i] for i in np.flatnonzero(which).tolist()])} of X"


def _named(
    firsts: NDArray[np.intp],
    lasts: NDArray[np.intp],
    series: Sequences,
    row_labels: tuple[list[Any], list[Any]],
) -> list[str]:
    """Return what the user calls stretches of rows, by the first and the last row of each."""
    ids, labels = row_labels
    owner = np.searchsorted(series.starts, firsts, side="right") - 1
    found = []
    for i, *ends in zip(owner.tolist(), firsts.tolist(), lasts.tolist(), strict=True):
        first, last = (labels[i][row - series.starts[i]] for row in ends)
        where = "" if len(ids) == 1 else f" of series {ids[i]}"
        found.append(f"{first} to {last}{where}")
    return found


def _warn(which: str, others: str, consequence: str, remedy: str = OF_FIT) -> None:
    warn(
        f"Set aside as unlike the others: {which}; {consequence}. If they are faults, {remedy}; "
        f"if they are normal, pass {others} like them."
    )
