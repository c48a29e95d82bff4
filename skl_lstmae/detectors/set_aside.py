"""Warnings of data that are set aside: by a fit, or where anomalies are looked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._warn import warn
from skl_lstmae.data.forms import Form
from skl_lstmae.data.names import some_of
from skl_lstmae.data.sequences import Sequences


def warn_of_sequences(numbers: NDArray[np.intp], *, are_pieces: bool) -> None:
    """Name the training sequences that were set aside; of pieces, say how many they are."""
    numbers = np.unique(numbers)
    n = len(numbers)
    if n == 0:
        return
    if are_pieces:
        which = "1 piece" if n == 1 else f"{n} pieces"
    else:
        which = f"sequence{'s' * (n > 1)} {some_of(numbers.tolist())}"
    _warn(which, "more", "neither the threshold nor what is normal rests on them")


def warn_of_rows(rows: NDArray[np.intp], series: Sequences, form: Form) -> None:
    """Name the stretches of the training rows that were set aside."""
    if len(rows) == 0:
        return
    ids, labels = form.row_labels()
    owner = np.searchsorted(series.starts, rows, side="right") - 1
    edges = 1 + np.flatnonzero((np.diff(rows) > 1) | (np.diff(owner) > 0))
    stretches = []
    for stretch, i in zip(np.split(rows, edges), owner[np.append(0, edges)].tolist(), strict=True):
        first, last = (labels[i][row - series.starts[i]] for row in stretch[[0, -1]])
        where = "" if len(ids) == 1 else f" of series {ids[i]}"
        stretches.append(f"{first} to {last}{where}")
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


def warn_of_short(series: Sequences, pieces: Sequences, ids: Sequence[Any], shortest: int) -> None:
    """Name the series to judge that are too short for alarms, and others with such pieces.

    Pieces are those with data, between jumps in time or blackouts.
    """
    is_short = series.lengths < shortest
    owner = np.searchsorted(series.starts, pieces.starts, side="right") - 1
    n_pieces = np.bincount(owner[pieces.lengths < shortest], minlength=len(series))
    why = (
        f"fewer than {shortest} rows, the fewest of a window of the fit; they have scores, but no "
        "rows are anomalous except those of a blackout"
    )
    if is_short.any():
        warn(
            f"Too short to find anomalies in: {_called(ids, is_short)}, with {why}. "
            "Pass longer series, or fit with a smaller window_size."
        )
    is_cut = (n_pieces > 0) & ~is_short
    if is_cut.any():
        warn(
            f"Too short to find anomalies in: {n_pieces[is_cut].sum()} piece(s), between jumps in "
            f"time or blackouts, of {_called(ids, is_cut)}, with {why}. Fit with a smaller "
            "window_size or, where times jump, set a larger max_time_steps."
        )


def _called(ids: Sequence[Any], which: NDArray[np.bool_]) -> str:
    if len(ids) == 1:
        return "X"
    return f"series {some_of([ids[i] for i in np.flatnonzero(which).tolist()])} of X"


def _warn(which: str, others: str, consequence: str) -> None:
    warn(
        f"Set aside as unlike the others: {which}; {consequence}. If they are faults, leave them "
        f"out by sample_weight=0; if they are normal, pass {others} like them."
    )
