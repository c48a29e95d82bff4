"""The forms that `X` may have: each is read into one ragged table, and results go back into it.

`X` is recognised here alone, so that every estimator accepts the same forms and refuses the same
mistakes in the same words.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.adoption import TABLE, adopt
from skl_lstmae.data.array_like import (
    ONCE,
    is_object_vector,
    is_panel,
    is_time_index,
    refuse_order,
    refuse_times,
    to_floats,
    warn_of_times_as_text,
)
from skl_lstmae.data.containers import (
    column_names,
    empty_frame,
    has_columns,
    is_frame,
    refuse_containers,
)
from skl_lstmae.data.long_format import (
    refuse_column_of_times,
    refuse_long_format,
    refuse_swapped_levels,
)
from skl_lstmae.data.mapped import is_mapped, side_by_side
from skl_lstmae.data.names import Names, names_of
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.stored import StoredSequences, refuse_unfit

FORMS = "a list of (n_timesteps, n_features) arrays, or one array or DataFrame of 2 to 4 dimensions"
SERIES_FORMS = "one series, an array or DataFrame (n_timesteps, n_features), or a list of series"
MEMBER_FORMS = "an array of shape (n_timesteps,) or (n_timesteps, n_features)"
AXES = {
    2: ("sample", "feature"),
    3: ("sample", "time step", "feature"),
    4: ("sample", "time step", "variable", "feature"),
}


@dataclass(frozen=True, eq=False)
class Form:
    """What `X` came in, into which results go back.

    Parameters
    ----------
    original : object
        `X` itself.
    columns : array or frame of two dimensions
        Whose columns scikit-learn, in fitting, counts and names as features.
    is_table : bool
        Whether each row of `X` is a sequence of one channel, so that `columns` are time steps.
    """

    original: Any
    columns: Any
    is_table: bool

    def restore(self, rows: NDArray[Any]) -> Any:
        """Return results of rows, (total,) or (total, n_features), in the form of `X`.

        They are in the order of the joined sequences; where `X` has padding they get NaN.
        """
        raise NotImplementedError

    def following(self, steps: NDArray[Any]) -> Any:
        """Return the steps after each sequence, (n_sequences, n_steps, n_features), in this form.

        An index of pandas numbers them from 1 on.
        """
        raise NotImplementedError

    def per_row(self, rows: NDArray[Any]) -> Any:
        """Return results of rows as an array, or for a list of series as a list of arrays."""
        return rows

    def row_labels(self) -> tuple[list[Any], list[Any]]:
        """Return what the user calls the series, and the rows of each: times, or numbers."""
        raise NotImplementedError

    def one_row_each(self) -> Any:
        """Return `X` with one row a sequence, from which pandas output takes its index."""
        return self.original


@dataclass(frozen=True, eq=False)
class ListForm(Form):
    """Sequences, or series, one by one.

    Parameters
    ----------
    members : list or StoredSequences
        As the user has them.
    step_shapes : list of tuple
        The shape of one time step of each.
    lengths : ndarray of shape (n_sequences,)
        The number of time steps of each.
    """

    members: list[Any] | StoredSequences
    step_shapes: list[tuple[int, ...]]
    lengths: NDArray[np.intp]

    def restore(self, rows: NDArray[Any]) -> list[Any]:
        """Return a list, with a frame for each frame."""
        return self._dress(self.per_row(rows))

    def following(self, steps: NDArray[Any]) -> list[Any]:
        """Return a list, with a frame for each frame."""
        return self._dress(list(steps), range(1, 1 + steps.shape[1]))

    def per_row(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        """Return a list of arrays."""
        return np.split(rows, np.cumsum(self.lengths)[:-1])

    def row_labels(self) -> tuple[list[Any], list[Any]]:
        """Return numbers of the members, and their times if they have any."""
        indices = [getattr(member, "index", None) for member in self.members]
        return list(range(len(self.members))), [
            index if is_time_index(index) else np.arange(length)
            for index, length in zip(indices, self.lengths, strict=True)
        ]

    def _dress(self, results: Sequence[NDArray[Any]], index: Any = None) -> list[Any]:
        return [
            dress_like(member, unflatten(result, step_shape), index)
            for member, result, step_shape in zip(
                self.members, results, self.step_shapes, strict=True
            )
        ]


@dataclass(frozen=True, eq=False)
class SeriesForm(ListForm):
    """One long series by itself, whose rows are the samples."""

    def per_row(self, rows: NDArray[Any]) -> Any:
        """Return an array."""
        return rows


@dataclass(frozen=True, eq=False)
class ArrayForm(Form):
    """An array, tensor or frame of sequences, the shorter of which are padded.

    Parameters
    ----------
    shape : tuple
        Of the array: sequences, time steps, and what a time step holds.
    lengths : ndarray of shape (n_sequences,)
        The number of time steps of each sequence without its padding.
    """

    shape: tuple[int, ...]
    lengths: NDArray[np.intp]

    def restore(self, rows: NDArray[Any]) -> Any:
        """Return an array, or a frame for a frame."""
        n_sequences, n_timesteps, *step_shape = self.shape
        steps = unflatten(rows, tuple(step_shape))
        shape = (n_sequences, n_timesteps, *steps.shape[1:])
        padded = np.full(shape, np.nan, dtype=np.result_type(steps, np.float32))
        padded[np.arange(n_timesteps) < self.lengths[:, np.newaxis]] = steps
        return dress_like(self.original, padded)

    def following(self, steps: NDArray[Any]) -> Any:
        """Return an array, or a frame for a frame."""
        further = steps.reshape(*steps.shape[:2], *self.shape[2:])
        return dress_like(self.original, further, columns=range(1, 1 + steps.shape[1]))


@dataclass(frozen=True, eq=False)
class PanelForm(Form):
    """A frame indexed by (sequence id, time).

    Parameters
    ----------
    starts : ndarray of shape (n_sequences,)
        The first row of each sequence.
    """

    starts: NDArray[np.intp]

    def restore(self, rows: NDArray[Any]) -> Any:
        """Return a frame, or a Series of one result a row."""
        return dress_like(self.original, rows)

    def following(self, steps: NDArray[Any]) -> Any:
        """Return a frame."""
        index = self.original.index
        ids = index.get_level_values(0)[self.starts]
        further = range(1, 1 + steps.shape[1])
        index = type(index).from_product([ids, further], names=index.names)
        return dress_like(self.original, steps.reshape(len(index), -1), index)

    def row_labels(self) -> tuple[list[Any], list[Any]]:
        """Return the ids, and the times of each."""
        ids, times = (self.original.index.get_level_values(level) for level in range(2))
        ends = np.append(self.starts[1:], len(times))
        return list(ids[self.starts]), [
            times[start:end] for start, end in zip(self.starts, ends, strict=True)
        ]

    def one_row_each(self) -> Any:
        """Return the first row of each sequence, indexed by its id."""
        return self.original.iloc[self.starts].droplevel(1)


def read(X: Any) -> tuple[Sequences, Form]:
    """Read `X` as sequences.

    Parameters
    ----------
    X : list, tuple, array, tensor or DataFrame
        - list, tuple or object array of ``(n_timesteps, n_features)`` or ``(n_timesteps,)``
          arrays, tensors, DataFrames, Series or nested lists: one sequence each;
        - ``(n_sequences, n_timesteps, n_features)``: trailing all-NaN steps are padding;
        - ``(n_sequences, n_timesteps)``, array or DataFrame: each row a one-channel sequence,
          trailing NaN is padding;
        - ``(n_sequences, n_timesteps, n_variables, n_features)``: channels are variables x
          features;
        - DataFrame indexed by (sequence id, time): long format, sequences in order of appearance;
        - :class:`skl_lstmae.StoredSequences`: values and lengths, which may lie in files.

        Any other NaN, or masked entry, is a missing value. float32 stays float32, all other
        numbers become float64. A C-contiguous float array is viewed, not copied; memory maps are
        read when they are needed.

    Returns
    -------
    sequences : Sequences
    form : Form

    Raises
    ------
    ValueError, TypeError
        One sentence that names the place, what was expected and what was found.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.data.forms import read
    >>> sequences, form = read([[1.0, 2.0, 3.0], [4.0, 5.0]])
    >>> sequences.starts, sequences.lengths
    (array([0, 3]), array([3, 2]))
    >>> form.restore(np.arange(5))
    [array([0, 1, 2]), array([3, 4])]
    """
    if isinstance(X, StoredSequences):
        return read_stored(X, "sequence")
    refuse_containers(X)
    X = adopt(X, axes=TABLE)
    if isinstance(X, (list, tuple)) or is_object_vector(X):
        return read_list(X, "sequence")
    if is_panel(X):
        return read_panel(X, "sequence")
    return read_array(X)


def read_series(X: Any) -> tuple[Sequences, Form]:
    """Read `X` as long series, whose rows are the samples; nothing is padded.

    Parameters
    ----------
    X : array-like, DataFrame or list
        ``(n_timesteps, n_features)`` is one series, as are nested lists of that shape; a list or
        tuple of such arrays or DataFrames, or of 1-D ones, which have a single feature, and a
        DataFrame indexed by (series id, time) are several.

    Returns
    -------
    series : Sequences
        One sequence a series, on the values of `X`.
    form : Form
    """
    if isinstance(X, StoredSequences):
        return read_stored(X, "series")
    refuse_containers(X)
    X = adopt(X)
    if is_panel(X):
        return read_panel(X, "series")
    if holds_series(X):
        return read_list(X, "series")
    refuse_order(X, "X")
    warn_of_times_as_text([getattr(X, "index", None)], ["X"])
    columns = X if has_columns(X) else to_numbers(X, "X", SERIES_FORMS)
    refuse_series_shape(
        columns.shape, remedy="X.to_frame()" if hasattr(X, "to_frame") else "X.reshape(-1, 1)"
    )
    _refuse_times_as_features(X)
    refuse_long_format(X)
    refuse_column_of_times(X, "X")
    values = to_numbers(columns, "X", SERIES_FORMS)
    lengths = np.array([len(values)], dtype=np.intp)
    series = Sequences(side_by_side([values]), np.zeros(1, dtype=np.intp), lengths)
    observed_lengths(series, _names_of_list([X], "series"))
    return series, SeriesForm(X, columns, False, [X], [values.shape[1:]], lengths)


def read_list(X: Any, kind: str) -> tuple[Sequences, ListForm]:
    """Read a list of sequences or series, whichever their `kind`."""
    if len(X) == 0:
        plural = "series" if kind == "series" else "sequences"
        raise ValueError(f"X holds no {plural}; expected at least 1.")
    originals = [adopt_member(member, f"{kind} #{i} of X") for i, member in enumerate(X)]
    refuse = refuse_order if kind == "series" else refuse_times
    places = [f"{kind} #{i} of X" for i in range(len(X))]
    for original, place in zip(originals, places, strict=True):
        refuse(original, place)
    warn_of_times_as_text([getattr(member, "index", None) for member in originals], places)
    members = [read_member(member, f"{kind} #{i}", kind) for i, member in enumerate(originals)]
    _refuse_differing_features(originals, members, kind)
    step_shapes = [member.shape[1:] for member in members]
    lengths = np.array([len(member) for member in members], dtype=np.intp)
    values = side_by_side([member.reshape(len(member), -1) for member in members])
    sequences = Sequences(values, np.cumsum(lengths) - lengths, lengths)
    observed_lengths(sequences, _names_of_list(originals, kind))
    columns = next((original for original in originals if has_columns(original)), values[:0])
    if _is_table_in_lists(originals, step_shapes, lengths):
        columns = np.empty((0, lengths[0]))
    return sequences, ListForm(X, columns, False, originals, step_shapes, lengths)


def read_stored(X: StoredSequences, kind: str) -> tuple[Sequences, ListForm]:
    """Read sequences or series, whichever their `kind`, that lie side by side in an array."""
    refuse_unfit(X)
    values = side_by_side([to_numbers(X.values, "the array of X", FORMS)])
    lengths = np.asarray(X.lengths, dtype=np.intp)
    sequences = Sequences(values, X.first_rows, lengths)
    if (np.diff(sequences.starts) <= 0).any():  # chosen in another order, or more than once
        sequences = sequences.gathered()
    observed_lengths(sequences, Names(kind, X.feature_names))
    columns = empty_frame(X.feature_names, sequences.n_features)
    step_shapes: list[tuple[int, ...]] = [(sequences.n_features,)] * len(X)
    return sequences, ListForm(X, columns, False, X, step_shapes, lengths)


def read_array(X: Any) -> tuple[Sequences, ArrayForm]:
    """Read an array, tensor or frame of sequences."""
    if is_frame(X) and is_time_index(X.index):
        raise ValueError(
            "X is a DataFrame indexed by time, whose rows would be read as sequences; use "
            "SlidingWindowDetector to judge the rows of one series, pass [X] if X is a single "
            "sequence, or X.reset_index(drop=True) if its rows are sequences."
        )
    refuse_long_format(X)
    array = to_numbers(X, "X", FORMS)
    refuse_shape(array.shape)
    n_sequences, n_timesteps = array.shape[:2]
    values = side_by_side([array.reshape(n_sequences * n_timesteps, -1)])
    starts = np.arange(n_sequences, dtype=np.intp) * n_timesteps
    padded_lengths = np.full(n_sequences, n_timesteps, dtype=np.intp)
    is_table = array.ndim == 2
    steps = column_names(X)
    names = Names(index=lambda i: steps or None, step_word="step")
    lengths = observed_lengths(Sequences(values, starts, padded_lengths), names)
    columns = X if has_columns(X) else array if is_table else values[:0]
    form = ArrayForm(X, columns, is_table, array.shape, lengths)
    return Sequences(values, starts, lengths), form


def read_panel(X: Any, kind: str) -> tuple[Sequences, PanelForm]:
    """Read a frame in long format, of sequences or series, whichever their `kind`."""
    if X.index.nlevels != 2:
        raise ValueError(
            f"the index of X has {X.index.nlevels} levels; expected 2: {kind} id and time."
        )
    values = to_floats(X, "X", FORMS)
    refuse_shape(values.shape)
    _refuse_times_as_ids(X.index, kind)
    warn_of_times_as_text([X.index.levels[1]], ["X"])
    starts = _panel_starts(X.index, kind)
    sequences = Sequences(values, starts, np.diff(starts, append=len(values)))
    form = PanelForm(X, columns=X, is_table=False, starts=starts)
    observed_lengths(sequences, _names_of_panel(form, kind))
    return sequences, form


def unflatten(rows: NDArray[Any], step_shape: tuple[int, ...]) -> NDArray[Any]:
    """Give each row the shape of the user's time step; one number a row stays as it is."""
    if rows.ndim == 2 and rows.shape[1] == math.prod(step_shape):
        return rows.reshape(len(rows), *step_shape)
    return rows


def dress_like(original: Any, rows: NDArray[Any], index: Any = None, columns: Any = None) -> Any:
    """Turn `rows` into a DataFrame or Series, if `original` is one, with its or another index."""
    if not hasattr(original, "iloc"):
        return rows
    index = original.index if index is None else index
    if not is_frame(original):
        return type(original)(rows, index=index, name=original.name)
    if rows.ndim == 2:
        if columns is None and rows.shape[1] == original.shape[1]:
            columns = original.columns
        return type(original)(rows, index=index, columns=columns)
    return type(original)(rows, index=index).iloc[:, 0].rename(None)


def to_numbers(X: Any, place: str, expected: str) -> NDArray[Any]:
    """Read one array-like as floats; numbers in a file become floats once they are read from it."""
    return np.asarray(X) if is_mapped(X) else to_floats(X, place, expected)


def holds_series(X: Any) -> bool:
    """Whether `X` is several series, or none, rather than one as a list of rows.

    Lists of numbers are rows if they are of one length, as those of ``X.tolist()``.
    """
    if not (isinstance(X, (list, tuple)) or is_object_vector(X)):
        return False
    row_lengths = set()
    for member in X:
        is_list = isinstance(member, (list, tuple))
        is_array = hasattr(member, "__array__") and not isinstance(member, Mapping)
        if not (is_list or isinstance(member, numbers.Number) or is_array):
            return True  # of whatever it is: numpy might look for numbers in it without end
        if has_columns(member):
            return True
        n_dimensions = 1 + np.ndim(member[0]) if is_list and member else np.ndim(member)
        if hasattr(member, "iloc") or n_dimensions == 2 or (n_dimensions == 1 and not is_list):
            return True
        row_lengths.add(len(member) if is_list else None)
    return len(row_lengths) != 1


def observed_lengths(sequences: Sequences, names: Names) -> NDArray[np.intp]:
    """Return each sequence's number of steps up to its last observed one, in bounded memory.

    Refuses infinity and sequences without any observed value. Expects ascending `starts`.
    """
    values, starts = sequences.values, sequences.starts
    lengths = np.zeros(len(sequences), dtype=np.intp)
    for block_rows in sequences.row_slices():
        block = values[block_rows]
        is_finite = np.isfinite(block)
        if not is_finite.all() and np.isinf(block).any():
            row, feature = np.argwhere(np.isinf(block))[0]
            _refuse_infinity(starts, block_rows.start + row, feature, names)
        rows = block_rows.start + np.flatnonzero(is_finite.any(axis=1))
        owners = np.searchsorted(starts, rows, side="right") - 1
        # Rows ascend and numpy keeps the last of several assignments to one place.
        lengths[owners] = rows - starts[owners] + 1
    if not lengths.all():
        raise ValueError(
            f"{names.part(int(lengths.argmin()))} has no observed value; expected at least one "
            "that is not NaN: leave it out."
        )
    return lengths


def _refuse_times_as_ids(index: Any, kind: str) -> None:
    """Refuse a panel whose levels are the other way round."""
    first, second = (is_time_index(level) for level in index.levels)
    if first and not second:
        raise ValueError(
            "the first level of the index of X holds times, and the second none; expected "
            f"{kind} id and time: call X.swaplevel().sort_index() first."
        )
    refuse_swapped_levels(index, kind)


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
        again = np.setdiff1d(np.arange(len(starts)), firsts)[0]
        name = index[starts[again]][0]
        raise ValueError(
            f"the rows of {kind} {name} in X are not contiguous; call X.sort_index() first."
        )
    increases = np.asarray(times[1:] > times[:-1], dtype=bool) | is_first[1:]
    if not increases.all():
        _refuse_time(index, 1 + int(increases.argmin()), kind)
    return starts


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


def _is_table_in_lists(
    originals: list[Any], step_shapes: list[tuple[int, ...]], lengths: NDArray[np.intp]
) -> bool:
    """Whether plain lists hold what scikit-learn takes for a 2-D table, as ``X.tolist()`` does."""
    return (
        all(isinstance(original, (list, tuple)) for original in originals)
        and all(step_shape == () for step_shape in step_shapes)
        and bool((lengths == lengths[0]).all())
    )


def refuse_shape(shape: tuple[int, ...]) -> None:
    """Refuse an array that is none of sequences."""
    if len(shape) == 0:
        raise ValueError(f"Expected 2D array, got scalar array instead: X should be {FORMS}.")
    if len(shape) == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead: X has shape {shape}; pass a single sequence "
            "as [X], and one long series as a single column to SlidingWindowDetector. Reshape your "
            "data with X.reshape(1, -1) if it is one row of a table."
        )
    if len(shape) > 4:
        raise ValueError(f"X has {len(shape)} dimensions, shape {shape}; expected {FORMS}.")
    for size, axis in zip(shape, AXES[len(shape)], strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {axis}(s) (shape={shape}) while a minimum of 1 is required."
            )


def refuse_series_shape(shape: tuple[int, ...], remedy: str) -> None:
    """Refuse an array that is no series."""
    if len(shape) < 2:
        raise ValueError(
            f"Expected 2D array, got {len(shape)}D array instead: X has shape {shape}; expected "
            f"{SERIES_FORMS}. Reshape your data with {remedy} if it has a single feature."
        )
    if len(shape) > 2:
        raise ValueError(
            f"X has {len(shape)} dimensions, shape {shape}; expected {SERIES_FORMS}: pass list(X) "
            "for several series."
        )
    for size, axis in zip(shape, AXES[2], strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {axis}(s) (shape={shape}) while a minimum of 1 is required."
            )


def _refuse_infinity(starts: NDArray[np.intp], row: int, feature: int, names: Names) -> None:
    i = int(np.searchsorted(starts, row, side="right")) - 1
    raise ValueError(
        f"{names.part(i)} holds infinity at {names.step(i, int(row - starts[i]))}, "
        f"{names.feature(int(feature))}; expected finite numbers, or NaN for a missing value."
    )


def _names_of_list(frames: list[Any], kind: str) -> Names:
    def times(i: int) -> Any:
        index = getattr(frames[i], "index", None)
        return index if is_time_index(index) else None

    return Names(kind, names_of(frames), index=times)


def _names_of_panel(form: PanelForm, kind: str) -> Names:
    def call(i: int) -> str:
        return str(form.row_labels()[0][i])

    return Names(kind, names_of([form.original]), call, lambda i: form.row_labels()[1][i])


def adopt_member(member: Any, place: str) -> Any:
    """Return a member of X as what is read of it, or refuse it by its kind."""
    if isinstance(member, (np.ndarray, list, tuple)):
        return member  # for most of many sequences, this spares all that follows
    refuse_containers(member, place)
    adopted = adopt(member, place)
    refuse_long_format(adopted, place)
    refuse_column_of_times(adopted, place)
    return adopted


def _refuse_times_as_features(series: Any) -> None:
    if is_frame(series) and is_time_index(series.columns):
        raise ValueError(
            "the columns of X are called by times, but the rows of a series are its time steps; "
            "pass X.T."
        )


def _refuse_differing_features(
    originals: list[Any], members: list[NDArray[Any]], kind: str
) -> None:
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
    names = {i: column_names(frame) for i, frame in enumerate(originals) if has_columns(frame)}
    first = min(names, default=0)
    for i, found_names in names.items():
        if found_names != names[first]:
            raise ValueError(
                f"{kind} #{i} has columns {found_names}, expected {names[first]} "
                f"as in {kind} #{first}."
            )


def _refuse_time(index: Any, row: int, kind: str) -> None:
    (name, time), (_, before) = index[row], index[row - 1]
    if time == before:
        raise ValueError(f"{kind} {name} in X has time {time} twice; {ONCE}")
    raise ValueError(
        f"the times of {kind} {name} in X do not increase: {time} follows {before}; "
        "call X.sort_index() first."
    )
