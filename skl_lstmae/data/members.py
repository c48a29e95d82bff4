"""Sequences, or series, that come one by one: each member is read, and all must agree."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.adoption import adopt
from skl_lstmae.data.array_like import (
    is_time_index,
    refuse_order,
    refuse_times,
    to_numbers,
    warn_of_times_as_text,
)
from skl_lstmae.data.containers import column_names, has_columns, refuse_containers
from skl_lstmae.data.forms import ListForm
from skl_lstmae.data.long_format import refuse_column_of_times, refuse_long_format
from skl_lstmae.data.mapped import side_by_side
from skl_lstmae.data.names import Names, names_of
from skl_lstmae.data.observed import observed_lengths
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.shapes import MEMBER_FORMS


def read_list(X: Any, kind: str) -> tuple[Sequences, ListForm]:
    """Read a list of sequences or series, whichever their `kind`."""
    if len(X) == 0:
        plural = "series" if kind == "series" else "sequences"
        raise ValueError(f"X holds no {plural}; expected at least 1.")
    names = [f"{kind} #{i}" for i in range(len(X))]
    places = [f"{name} of X" for name in names]
    originals = [adopt_member(member, place) for member, place in zip(X, places, strict=True)]
    refuse = refuse_order if kind == "series" else refuse_times
    for original, place in zip(originals, places, strict=True):
        refuse(original, place)
    warn_of_times_as_text([getattr(member, "index", None) for member in originals], places, kind)
    members = [
        read_member(member, name, kind) for member, name in zip(originals, names, strict=True)
    ]
    frames = {i: original for i, original in enumerate(originals) if has_columns(original)}
    _refuse_differing_features(frames, members, kind)
    step_shapes = [member.shape[1:] for member in members]
    lengths = np.array([len(member) for member in members], dtype=np.intp)
    values = side_by_side([member.reshape(len(member), -1) for member in members])
    sequences = Sequences(values, np.cumsum(lengths) - lengths, lengths)
    observed_lengths(sequences, names_of_list(originals, kind), may_be_empty=kind == "series")
    columns = next(iter(frames.values()), values[:0])
    if _is_table_in_lists(originals, step_shapes, lengths):
        columns = np.empty((0, lengths[0]))
    return sequences, ListForm(X, columns, False, originals, step_shapes, lengths)


def adopt_member(member: Any, place: str) -> Any:
    """Return a member of X as what is read of it, or refuse it by its kind."""
    if isinstance(member, (np.ndarray, list, tuple)):
        return member  # for most of many sequences, this spares all that follows
    refuse_containers(member, place)
    adopted = adopt(member, place)
    refuse_long_format(adopted, place)
    refuse_column_of_times(adopted, place)
    return adopted


def read_member(member: Any, place: str, kind: str) -> NDArray[Any]:
    """Read a member of X as an array of one dimension or two, with at least one step."""
    array = to_numbers(member, place, MEMBER_FORMS)
    if array.ndim == 0:
        raise ValueError(
            f"{place} is a single number; expected {MEMBER_FORMS}: pass a single {kind} as [X]."
        )
    if array.ndim > 2:
        raise ValueError(f"{place} has shape {array.shape}; expected {MEMBER_FORMS}.")
    if array.shape[0] == 0:
        raise ValueError(f"{place} has 0 time steps; expected at least 1: leave it out.")
    if array.ndim == 2 and array.shape[1] == 0:
        raise ValueError(f"{place} has 0 features; expected at least 1.")
    return array


def names_of_list(frames: list[Any], kind: str) -> Names:
    """Return what the user calls the parts of a list."""

    def times(i: int) -> Any:
        index = getattr(frames[i], "index", None)
        return index if is_time_index(index) else None

    return Names(kind, names_of(frames), index=times)


def _is_table_in_lists(
    originals: list[Any], step_shapes: list[tuple[int, ...]], lengths: NDArray[np.intp]
) -> bool:
    """Whether plain lists hold what scikit-learn takes for a 2-D table, as ``X.tolist()`` does."""
    return (
        all(isinstance(original, (list, tuple)) for original in originals)
        and all(step_shape == () for step_shape in step_shapes)
        and bool((lengths == lengths[0]).all())
    )


def _refuse_differing_features(
    frames: dict[int, Any], members: list[NDArray[Any]], kind: str
) -> None:
    """Refuse members whose numbers of features differ, or names, of those that are frames."""
    if len({member.shape[1:] for member in members}) > 1:
        _refuse_differing_numbers(members, kind)
    names = {i: column_names(frame) for i, frame in frames.items()}
    first = min(names, default=0)
    for i, found_names in names.items():
        if found_names != names[first]:
            raise ValueError(
                f"{kind} #{i} has columns {found_names}, expected {names[first]} "
                f"as in {kind} #{first}."
            )


def _refuse_differing_numbers(members: list[NDArray[Any]], kind: str) -> None:
    expected = math.prod(members[0].shape[1:])
    for i, member in enumerate(members):
        found = math.prod(member.shape[1:])
        if found != expected:
            is_transposed = len({member.shape[:-1] for member in members}) == 1 < len(members[0])
            hint = "; the rows of each are time steps: pass x.T if they are features"
            raise ValueError(
                f"{kind} #{i} has {found} features, expected {expected} as in {kind} #0"
                f"{hint if is_transposed else ''}."
            )
