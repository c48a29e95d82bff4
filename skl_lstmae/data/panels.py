"""Frames in long format, indexed by (id, time), which hold sequences one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.array_like import is_time_index, to_floats, warn_of_times_as_text
from skl_lstmae.data.forms import PanelForm
from skl_lstmae.data.long_format import refuse_swapped_levels
from skl_lstmae.data.names import Names, names_of
from skl_lstmae.data.observed import observed_lengths
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.shapes import FORMS, refuse_shape


def read_panel(X: Any, kind: str) -> tuple[Sequences, PanelForm]:
    """Read a frame in long format, of sequences or series, whichever their `kind`."""
    if X.index.nlevels != 2:
        raise ValueError(
            f"the index of X has {X.index.nlevels} levels; expected 2, {kind} id and time: leave "
            "out by X.droplevel what is neither, or join what makes up the id to one level."
        )
    values = to_floats(X, "X", FORMS)
    refuse_shape(values.shape)
    _refuse_times_as_ids(X.index, kind)
    warn_of_times_as_text([X.index.levels[1]], ["X"], kind)
    starts = _panel_starts(X.index, kind)
    sequences = Sequences(values, starts, np.diff(starts, append=len(values)))
    form = PanelForm(X, columns=X, is_table=False, starts=starts)
    observed_lengths(sequences, _names_of_panel(form, kind), may_be_empty=kind == "series")
    return sequences, form


def _panel_starts(index: Any, kind: str) -> NDArray[np.intp]:
    ids, times = index.codes[0], index.get_level_values(1)
    if ids.min() < 0:
        raise ValueError(f"the {kind} id of row {ids.argmin()} of X is missing; expected one.")
    if times.hasnans:
        row = int(times.isna().argmax())
        raise ValueError(f"the time of row {row} of X is missing; expected one: leave it out.")
    is_first = np.ones(len(index), dtype=bool)
    is_first[1:] = ids[1:] != ids[:-1]
    starts = np.flatnonzero(is_first)
    _, firsts = np.unique(ids[starts], return_index=True)
    if len(firsts) < len(starts):
        row = starts[np.setdiff1d(np.arange(len(starts)), firsts)[0]]
        raise ValueError(
            f"the rows of {kind} {index[row][0]} in X are not contiguous, as it comes back at row "
            f"{row}; expected one stretch of rows for each id: if it is another {kind}, give it an "
            "id of its own; if rows were drawn at random, draw ids instead; if they are mixed up, "
            "call X.sort_index() first."
        )
    increases = np.asarray(times[1:] > times[:-1], dtype=bool) | is_first[1:]
    if not increases.all():
        _refuse_time(index, 1 + int(increases.argmin()), kind)
    _refuse_order_of_text(index, is_first, kind)
    return starts


def _names_of_panel(form: PanelForm, kind: str) -> Names:
    def call(i: int) -> str:
        return str(form.row_labels()[0][i])

    return Names(kind, names_of([form.original]), call, lambda i: form.row_labels()[1][i])


def _refuse_times_as_ids(index: Any, kind: str) -> None:
    """Refuse a panel whose levels are the other way round."""
    first, second = (is_time_index(level) for level in index.levels)
    if first and not second:
        raise ValueError(
            "the first level of the index of X holds times, and the second none; expected "
            f"{kind} id and time: call X.swaplevel().sort_index() first."
        )
    refuse_swapped_levels(index, kind)


def _refuse_time(index: Any, row: int, kind: str) -> None:
    (name, time), (_, before) = index[row], index[row - 1]
    if time == before:
        raise ValueError(
            f"{kind} {name} in X has time {time} twice; expected it once: if the id is that "
            "of two, give each its own, else keep one row of each time, as by "
            "X[~X.index.duplicated()]."
        )
    if isinstance(time, str):
        raise _unordered_text(name, kind, before, time)
    raise ValueError(
        f"the times of {kind} {name} in X do not increase: {time} follows {before}; "
        "call X.sort_index() first."
    )


def _refuse_order_of_text(index: Any, is_first: NDArray[np.bool_], kind: str) -> None:
    """Refuse numbers as text that are sorted as text, so that 10 comes before 9."""
    times = index.levels[1]
    if getattr(times, "inferred_type", None) != "string":
        return
    try:
        numbers = np.asarray(times.astype(float))[index.codes[1]]
    except ValueError:  # It is no number.
        return
    falls = (numbers[1:] <= numbers[:-1]) & ~is_first[1:]
    if falls.any():
        row = 1 + int(falls.argmax())
        (name, time), (_, before) = index[row], index[row - 1]
        raise _unordered_text(name, kind, before, time)


def _unordered_text(name: Any, kind: str, before: str, time: str) -> ValueError:
    return ValueError(
        f"the times of {kind} {name} in X are text, and do not increase: {time!r} follows "
        f"{before!r}; expected numbers or times in their order: convert them by pd.to_numeric or "
        "pd.to_datetime, then call X.sort_index()."
    )
