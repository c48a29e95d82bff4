"""Read whatever a user calls `X` into one ragged table, and put results back into the user's form.

Every estimator reads its input here, so all of them accept the same forms and refuse the same
mistakes in the same words.
"""

from __future__ import annotations

import inspect
import math
import numbers
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, validate_data

Restore = Callable[[NDArray[Any]], Any]
"""Put per-row results, ``(total,)`` or ``(total, n_features)``, into the form `X` came in; or
``(n_sequences, n_steps, n_features)``, the steps after each sequence, which an index of pandas
numbers from 1 on."""

_FORMS = (
    "a list of (n_timesteps, n_features) arrays, or one array or DataFrame of 2 to 4 dimensions"
)
_SERIES_FORMS = "one series, an array or DataFrame (n_timesteps, n_features), or a list of series"
_ROW_FORMS = "rows of a series, an array or DataFrame (n_timesteps, n_features) or (n_features,)"
_MEMBER_FORMS = "an array of shape (n_timesteps,) or (n_timesteps, n_features)"
_REMEDY_OF_TEXT = "leave text out, or encode it as numbers"
_REMEDY_OF_COLUMN = (
    "if it holds times, make it the index by pd.to_datetime, else leave it out or encode it as "
    "numbers"
)
_AXES = {
    2: ("sample", "feature"),
    3: ("sample", "time step", "feature"),
    4: ("sample", "time step", "variable", "feature"),
}
_TIMES = {"datetime64", "datetime", "date", "timedelta64", "timedelta", "period"}
MANY_ROWS, ROWS_PER_COLUMN, MANY_COLUMNS = 50, 8, 100
"""A table of so many rows, and so many a column, is hardly meant as one sequence a row, unless it
has so many columns."""
_WORD = re.compile(r"[^\W\d_]{2}")
_WORDS_OF_TIME = re.compile(
    "time|date|step|lag|second|minute|hour|day|week|month|quarter|year", re.IGNORECASE
)

_BLOCK_ROWS = 65536
_BLOCK_VALUES = 2**20


@dataclass(frozen=True, eq=False)
class Sequences:
    """Ragged table: sequences are slices of rows, which may overlap, of one array.

    Parameters
    ----------
    values : ndarray of shape (total_timesteps, n_features)
        float32 or float64; NaN is a missing value. Often a read-only view of the user's data.
    starts : ndarray of shape (n_sequences,), dtype intp
        First row of each sequence.
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of time steps of each sequence, at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae._sequences import read_sequences
    >>> sequences, restore = read_sequences([[1.0, 2.0, 3.0], [4.0, 5.0]])
    >>> sequences.starts, sequences.lengths
    (array([0, 3]), array([3, 2]))
    >>> sequences[1]
    array([[4.],
           [5.]])
    >>> restore(np.arange(5))
    [array([0, 1, 2]), array([3, 4])]
    """

    values: NDArray[Any]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @property
    def n_features(self) -> int:
        """Number of channels."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> NDArray[Any]:
        """Return sequence `i`, a view of shape (n_timesteps, n_features)."""
        start = self.starts[i]
        return self.values[start : start + self.lengths[i]]

    def take(self, indices: ArrayLike) -> Sequences:
        """Return the sequences at `indices` (integers or a boolean mask), on the same `values`."""
        chosen = np.asarray(indices) if np.size(indices) else np.zeros(0, dtype=np.intp)
        return Sequences(self.values, self.starts[chosen], self.lengths[chosen])

    def rows(self) -> NDArray[np.intp]:
        """Return the row of `values` that each time step is, sequence after sequence."""
        return _ranges(self.starts, self.lengths)

    def positions(self, indices: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where the time steps of the sequences at `indices` stand among those of all.

        ``sequences.rows()[sequences.positions(i)]`` equals ``sequences.take(i).rows()``.
        """
        return _ranges((np.cumsum(self.lengths) - self.lengths)[indices], self.lengths[indices])

    def blocks(self, max_rows: int | None = None) -> Iterator[NDArray[Any]]:
        """Yield each row of `values` that some sequence uses exactly once, in bounded memory.

        Parameters
        ----------
        max_rows : int, default=None
            The most rows of one block; None means 65536, or fewer if there are many features.

        Yields
        ------
        block : ndarray of shape (n_rows, n_features)
            A view where the rows follow one another, else a copy that gathers scattered ones.
        """
        max_rows = max_rows or self._block_rows
        parts: list[NDArray[Any]] = []
        n_rows = 0
        for rows in self._row_slices(max_rows):
            part = self.values[rows]
            if n_rows + len(part) > max_rows:
                yield _join(parts)
                parts, n_rows = [], 0
            parts.append(part)
            n_rows += len(part)
        if parts:
            yield _join(parts)

    @property
    def _block_rows(self) -> int:
        return min(_BLOCK_ROWS, max(1, _BLOCK_VALUES // self.n_features))

    def _row_slices(self, max_rows: int) -> Iterator[slice]:
        order = np.argsort(self.starts, kind="stable")
        starts = self.starts[order]
        ends = np.maximum.accumulate(starts + self.lengths[order])
        is_first = np.ones(len(self), dtype=bool)
        is_first[1:] = starts[1:] > ends[:-1]
        is_last = np.roll(is_first, -1)
        for start, end in zip(starts[is_first].tolist(), ends[is_last].tolist(), strict=True):
            for row in range(start, end, max_rows):
                yield slice(row, min(row + max_rows, end))


def _join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _ranges(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """Join the ranges that begin at `starts` and hold `lengths` numbers."""
    offsets = np.cumsum(lengths) - lengths
    return np.repeat(starts - offsets, lengths) + np.arange(lengths.sum())


def read_sequences(X: Any) -> tuple[Sequences, Restore]:
    """Read any accepted form of `X`.

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
        - DataFrame indexed by (sequence id, time): long format, sequences in order of appearance.

        Any other NaN, or masked entry, is a missing value. float32 stays float32, all other
        numbers become float64. A C-contiguous float array is viewed, not copied.

    Returns
    -------
    sequences : Sequences
    restore : callable
        Takes per-row results of shape (total,) or (total, n_features), in the order of the
        concatenated sequences, and returns them in the form of `X`, with NaN at padding.

    Raises
    ------
    ValueError, TypeError
        One sentence that names the place, what was expected and what was found.
    """
    reading = _read(X)
    return reading.sequences, reading.restore


def check_sequences(
    estimator: Any, X: Any, *, n_channels: int | None = None, min_sequences: int = 1
) -> tuple[Sequences, Restore]:
    """Read `X` and make it agree with `estimator`, which a refusal leaves as it was.

    Parameters
    ----------
    estimator : estimator instance
        Its `n_features_in_` and `feature_names_in_` are set, or compared with `X`.
    X : list, tuple, array, tensor or DataFrame
        See `read_sequences`.
    n_channels : int, default=None
        Number of channels the estimator was fitted on; None while it is being fitted.
    min_sequences : int, default=1
        The fewest sequences accepted.

    Returns
    -------
    sequences : Sequences
    restore : callable
        As `read_sequences` returns them.

    Notes
    -----
    `n_features_in_` is the number of channels, but for a 2-D table, array or ``array.tolist()``,
    it is the number of columns (time steps), as scikit-learn's common checks demand.
    """
    reading = _read(X)
    n_sequences = len(reading.sequences)
    if n_sequences < min_sequences:
        raise ValueError(
            f"Found n_samples={n_sequences} sequence(s) in X while a minimum of {min_sequences} "
            f"is required by {type(estimator).__name__}; for one long series, or a few, use "
            "SlidingWindowDetector."
        )
    if n_channels is None:
        _warn_of_rows_of_features(reading)
        validate_data(estimator, reading.columns, skip_check_array=True)
    else:
        _check_agreement(estimator, reading, n_channels)
    return reading.sequences, reading.restore


def check_series(estimator: Any, X: Any, *, reset: bool) -> tuple[Sequences, Restore]:
    """Read `X` as long series, whose rows are the samples, and make it agree with `estimator`.

    Parameters
    ----------
    estimator : estimator instance
        Its `n_features_in_` and `feature_names_in_` are set if `reset`, else compared with `X`.
    X : array-like, DataFrame or list
        ``(n_timesteps, n_features)`` is one series, as are nested lists of that shape; a list or
        tuple of such arrays or DataFrames, or of 1-D ones, which have a single feature, and a
        DataFrame indexed by (series id, time) are several.
    reset : bool
        Whether the estimator is being fitted.

    Returns
    -------
    series : Sequences
        One sequence a series, on the values of `X`; never padded.
    restore : callable
        Takes one number a row, of shape (total,), and returns an array of shape (n_timesteps,), or
        for a list of series a list of such arrays.
    """
    holds_series = _holds_series(X)
    for i, frame in enumerate(X if holds_series else [X]):
        _refuse_order(frame, f"series #{i} of X" if holds_series else "X")
    if holds_series or _is_panel(X):
        reading = _read(X, "series")
        columns = reading.columns
    else:
        columns = X if _is_frame(X) else _to_floats(X, "X", _SERIES_FORMS)
        has_frame = hasattr(X, "to_frame")
        _refuse_series_shape(
            columns.shape, remedy="X.to_frame()" if has_frame else "X.reshape(-1, 1)"
        )
        reading = _read_list([_to_floats(columns, "X", _SERIES_FORMS)], "series")
    validate_data(estimator, columns, reset=reset, skip_check_array=True)
    ends = np.cumsum(reading.sequences.lengths)

    def restore(rows: NDArray[Any]) -> Any:
        return np.split(rows, ends[:-1]) if holds_series else rows

    return reading.sequences, restore


def label_rows(X: Any, series: Sequences) -> tuple[list[Any], list[Any]]:
    """Return what the user calls the series and their rows.

    Parameters
    ----------
    X : array-like, DataFrame or list
        As `check_series` read it.
    series : Sequences
        What it read.

    Returns
    -------
    ids : list
        For a DataFrame indexed by (series id, time) the ids, else numbers from 0 on.
    rows : list of array-like
        For each series the times of its index, or numbers from 0 on if it has none.
    """
    if _is_panel(X):
        ids, times = (X.index.get_level_values(level) for level in range(2))
        ends = series.starts + series.lengths
        return list(ids[series.starts]), [
            times[start:end] for start, end in zip(series.starts, ends, strict=True)
        ]
    indices = [getattr(member, "index", None) for member in (X if _holds_series(X) else [X])]
    return list(range(len(series))), [
        index if _is_time_index(index) else np.arange(length)
        for index, length in zip(indices, series.lengths, strict=True)
    ]


def check_rows(estimator: Any, X: Any, latest: Any = None) -> tuple[NDArray[np.float64], Any]:
    """Read `X` as rows of a series that goes on, and make it agree with `estimator`.

    Parameters
    ----------
    estimator : estimator instance
        Its `n_features_in_` and `feature_names_in_` are compared with `X`.
    X : array-like or DataFrame of shape (n_timesteps, n_features), or (n_features,)
        Any number of rows, or a single one. A row may be all NaN, as it is a part of a series.
    latest : timestamp, default=None
        Time of the row before, if times are known.

    Returns
    -------
    rows : ndarray of shape (n_timesteps, n_features), dtype float64
    latest : timestamp or None
        Time of the last row; that of before if `X` has none.
    """
    is_row_of_frame = hasattr(X, "iloc") and not _is_frame(X)
    columns = X.to_frame().T if is_row_of_frame else X
    rows = _to_floats(columns, "X", _ROW_FORMS).astype(np.float64, copy=False)
    is_row = is_row_of_frame or rows.ndim == 1
    if rows.ndim not in (1, 2):
        raise ValueError(f"X has shape {rows.shape}; expected {_ROW_FORMS}.")
    rows = np.atleast_2d(rows)
    if rows.shape[1] != estimator.n_features_in_:
        hint = "; a 1-D X is one row, for rows of one feature reshape it to (-1, 1)"
        raise ValueError(
            f"X has {rows.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input{hint if is_row else ''}."
        )
    if np.isinf(rows).any():
        row, feature = np.argwhere(np.isinf(rows))[0]
        raise ValueError(
            f"row {row} of X holds infinity in feature {feature}; expected finite numbers, or NaN "
            "for a missing value."
        )
    _refuse_order(columns, "X")
    times: Any = getattr(columns, "index", None)
    if _is_time_index(times) and len(times):
        if latest is not None and times[0] <= latest:
            raise ValueError(
                f"the times of X do not increase: {times[0]} follows {latest}, which was pushed "
                "before; push later rows alone."
            )
        latest = times[-1]
    validate_data(
        estimator, columns if _is_frame(columns) else rows, reset=False, skip_check_array=True
    )
    return rows, latest


def one_row_each(X: Any, sequences: Sequences) -> Any:
    """Return `X`, a panel cut to one row a sequence, indexed by sequence id."""
    return X.iloc[sequences.starts].droplevel(1) if _is_panel(X) else X


@dataclass(frozen=True, eq=False)
class _Reading:
    sequences: Sequences
    restore: Restore
    columns: Any
    """A 2-D array or frame whose columns scikit-learn, in fitting, counts and names as features."""
    is_table: bool
    """Whether each row of `X` is a one-channel sequence, so that `columns` are time steps."""


def _check_agreement(estimator: Any, reading: _Reading, n_channels: int) -> None:
    found = reading.sequences.n_features
    if found != n_channels:
        hint = "; a 2-D X is read as one-channel rows, pass a single sequence as [X]"
        raise ValueError(
            f"X has {found} features, but {type(estimator).__name__} is expecting {n_channels} "
            f"features as input{hint if reading.is_table else ''}."
        )
    # Columns of a table are time steps and those of all else channels: the two do not compare.
    fitted_on_table = estimator.n_features_in_ != n_channels
    if reading.is_table == fitted_on_table:
        validate_data(
            estimator,
            reading.columns,
            reset=False,
            skip_check_array=True,
            ensure_2d=reading.is_table,  # without it, names alone are compared
        )
    elif reading.is_table and _is_one_column(reading):
        _warn_of_rows(reading, "If X is one sequence, pass [X]")


def _warn_of_rows_of_features(reading: _Reading) -> None:
    """Warn of a table that is rather one series, or rows of features, than many sequences."""
    n_rows, n_columns = len(reading.sequences), reading.columns.shape[1]
    is_tall = n_rows >= max(MANY_ROWS, ROWS_PER_COLUMN * n_columns) and n_columns < MANY_COLUMNS
    looks_odd = is_tall or _is_one_column(reading) or _has_words_as_columns(reading.columns)
    if reading.is_table and looks_odd:
        _warn_of_rows(
            reading,
            "If the rows are time steps of one series, use SlidingWindowDetector, or pass [X] to "
            "LSTMForecastDetector",
        )


def _is_one_column(reading: _Reading) -> bool:
    """Whether a table is a column of several rows, so that each would be a sequence of one step."""
    return reading.columns.shape[1] == 1 < len(reading.sequences)


def _warn_of_rows(reading: _Reading, advice: str) -> None:
    n_steps = reading.columns.shape[1]
    steps = "1 step" if n_steps == 1 else f"{n_steps} steps"
    rows = "list(X.to_numpy())" if _is_frame(reading.columns) else "list(X)"
    warnings.warn(
        f"Each row of X is read as a sequence of {steps} of one feature. {advice}; if this is "
        f"meant, pass {rows} to silence this.",
        UserWarning,
        stacklevel=_stacklevel_of_the_user(),
    )


def _stacklevel_of_the_user() -> int:
    """Return the `stacklevel` at which a warning of the caller points at the line of the user."""
    frame, level = inspect.currentframe(), 0
    while frame and frame.f_globals["__name__"].partition(".")[0] in ("skl_lstmae", "sklearn"):
        frame, level = frame.f_back, level + 1
    return level


def _has_words_as_columns(columns: Any) -> bool:
    """Whether columns are called as features are, "cpu0", rather than as times, "hour 0" or 0.5."""
    names = columns.columns if _is_frame(columns) else []
    return any(
        isinstance(name, str) and _WORD.search(_WORDS_OF_TIME.sub("", name)) is not None
        for name in names
    )


# ------------------------------------------------------------------------------------- the forms


def _read(X: Any, kind: str = "sequence") -> _Reading:
    """Read `X`, whose parts the user calls by the name of their `kind`."""
    _refuse_containers(X)
    if isinstance(X, (list, tuple)) or _is_object_vector(X):
        return _read_list(X, kind)
    if _is_panel(X):
        return _read_panel(X, kind)
    return _read_array(X)


def _read_list(X: Any, kind: str = "sequence") -> _Reading:
    if len(X) == 0:
        plural = "series" if kind == "series" else "sequences"
        raise ValueError(f"X holds no {plural}; expected at least 1.")
    originals = list(X)
    for i, original in enumerate(originals):
        _refuse_times(original, f"{kind} #{i} of X")
    members = [_read_member(member, f"{kind} #{i}", kind) for i, member in enumerate(originals)]
    _refuse_differing_features(originals, members, kind)
    step_shapes = [member.shape[1:] for member in members]
    lengths = np.array([len(member) for member in members], dtype=np.intp)
    ends = np.cumsum(lengths)
    tables = [member.reshape(len(member), -1) for member in members]
    values = _join(tables)
    sequences = Sequences(values, ends - lengths, lengths)
    _observed_lengths(sequences, kind)

    def restore(rows: NDArray[Any]) -> list[Any]:
        is_further = rows.ndim == 3
        parts = rows if is_further else np.split(rows, ends[:-1])
        index = range(1, 1 + rows.shape[1]) if is_further else None
        return [
            _dress_like(original, _unflatten(part, step_shape), index)
            for original, part, step_shape in zip(originals, parts, step_shapes, strict=True)
        ]

    columns = values
    if hasattr(originals[0], "columns"):
        columns = originals[0]
    elif _is_table_in_lists(originals, step_shapes, lengths):
        columns = values.reshape(len(sequences), -1)
    return _Reading(sequences, restore, columns, is_table=False)


def _read_array(X: Any) -> _Reading:
    if _is_frame(X) and _is_time_index(X.index):
        raise ValueError(
            "X is a DataFrame indexed by time, whose rows would be read as sequences; use "
            "SlidingWindowDetector to judge the rows of one series, pass [X] if X is a single "
            "sequence, or X.reset_index(drop=True) if its rows are sequences."
        )
    array = _to_floats(X, "X", _FORMS)
    _refuse_shape(array.shape)
    n_sequences, n_timesteps, *step_shape = array.shape
    values = array.reshape(n_sequences * n_timesteps, -1)
    starts = np.arange(n_sequences, dtype=np.intp) * n_timesteps
    padded_lengths = np.full(n_sequences, n_timesteps, dtype=np.intp)
    lengths = _observed_lengths(Sequences(values, starts, padded_lengths))

    def restore(rows: NDArray[Any]) -> Any:
        if rows.ndim == 3:
            further = rows.reshape(*rows.shape[:2], *step_shape)
            return _dress_like(X, further, columns=range(1, 1 + rows.shape[1]))
        steps = _unflatten(rows, tuple(step_shape))
        shape = (n_sequences, n_timesteps, *steps.shape[1:])
        padded = np.full(shape, np.nan, dtype=np.result_type(steps, np.float32))
        padded[np.arange(n_timesteps) < lengths[:, np.newaxis]] = steps
        return _dress_like(X, padded)

    is_table = array.ndim == 2
    columns = X if hasattr(X, "columns") else array if is_table else values
    return _Reading(Sequences(values, starts, lengths), restore, columns, is_table)


def _read_panel(X: Any, kind: str) -> _Reading:
    if X.index.nlevels != 2:
        raise ValueError(
            f"the index of X has {X.index.nlevels} levels; expected 2: {kind} id and time."
        )
    values = _to_floats(X, "X", _FORMS)
    _refuse_shape(values.shape)
    starts = _panel_starts(X.index, kind)
    sequences = Sequences(values, starts, np.diff(starts, append=len(values)))
    _observed_lengths(sequences, kind)

    def restore(rows: NDArray[Any]) -> Any:
        if rows.ndim < 3:
            return _dress_like(X, rows)
        ids, further = X.index.get_level_values(0)[starts], range(1, 1 + rows.shape[1])
        index = type(X.index).from_product([ids, further], names=X.index.names)
        return _dress_like(X, rows.reshape(len(index), -1), index)

    return _Reading(sequences, restore, columns=X, is_table=False)


def _panel_starts(index: Any, kind: str) -> NDArray[np.intp]:
    ids, times = index.codes[0], index.get_level_values(1)
    if ids.min() < 0:
        raise ValueError(f"the {kind} id of row {ids.argmin()} of X is missing; expected one.")
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


def _unflatten(rows: NDArray[Any], step_shape: tuple[int, ...]) -> NDArray[Any]:
    """Give each row the shape of the user's time step; one number a row stays as it is."""
    if rows.ndim == 2 and rows.shape[1] == math.prod(step_shape):
        return rows.reshape(len(rows), *step_shape)
    return rows


def _dress_like(original: Any, rows: NDArray[Any], index: Any = None, columns: Any = None) -> Any:
    """Turn `rows` into a DataFrame or Series, if `original` is one, with its or another index."""
    if not hasattr(original, "iloc"):
        return rows
    index = original.index if index is None else index
    if not _is_frame(original):
        return type(original)(rows, index=index, name=original.name)
    if rows.ndim == 2:
        columns = original.columns if columns is None else columns
        return type(original)(rows, index=index, columns=columns)
    return type(original)(rows, index=index).iloc[:, 0].rename(None)


# --------------------------------------------------------------------------- one array-like object


def _to_floats(X: Any, place: str, expected: str) -> NDArray[Any]:
    """Read one array-like as float32 or float64; float32 and float64 arrays are not copied."""
    if type(X) is np.ndarray and X.dtype in (np.float32, np.float64):
        return X  # for most of many sequences, this spares all that follows
    if _is_sparse(X):
        raise TypeError(
            f"{place} is sparse ({type(X).__name__}), but dense data is required; "
            "convert it with .toarray() or .to_dense()."
        )
    if not isinstance(X, (list, tuple, numbers.Number)) and not hasattr(X, "__array__"):
        raise TypeError(f"{place} is of type {type(X).__name__}; expected {expected}.")
    try:
        array = _to_numpy(X)
    except (ValueError, TypeError) as error:
        raise _unreadable(place, error) from error
    _refuse_dtypes(array, place)
    if isinstance(array, np.ma.MaskedArray):
        can_hold_nan = array.dtype.kind in "fO"
        array = np.ma.filled(array if can_hold_nan else array.astype(np.float64), np.nan)
    try:
        return check_array(
            array,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=0,
            ensure_min_features=0,
        )
    except (ValueError, TypeError) as error:
        unreadable = _unreadable_columns(array) if _is_frame(array) else []
        if unreadable:
            column = f"column {unreadable[0]!r} of {place}"
            raise _unreadable(column, error, _REMEDY_OF_COLUMN) from error
        raise _unreadable(place, error) from error


def _unreadable_columns(frame: Any) -> list[Any]:
    """Return the names of the columns that hold something else than numbers."""

    def is_readable(column: Any) -> bool:
        try:
            column.astype(float)
        except (ValueError, TypeError):
            return False
        return True

    return [name for name, column in frame.items() if not is_readable(column)]


def _to_numpy(X: Any) -> Any:
    """Return a numpy array of any dtype; frames and series wait for `check_array`."""
    if _is_tensor(X):
        tensor = X.detach().cpu()
        # numpy has no bfloat16, so half precision is widened by torch.
        is_half = tensor.is_floating_point() and tensor.element_size() < 4
        return (tensor.double() if is_half else tensor).numpy()
    return X if hasattr(X, "iloc") else np.asanyarray(X)


def _read_member(member: Any, place: str, kind: str) -> NDArray[Any]:
    array = _to_floats(member, place, _MEMBER_FORMS)
    if array.ndim == 0:
        raise ValueError(
            f"{place} is a single number; expected {_MEMBER_FORMS}: pass a single {kind} as [X]."
        )
    if array.ndim > 2:
        raise ValueError(f"{place} has shape {array.shape}; expected {_MEMBER_FORMS}.")
    if array.shape[0] == 0:
        raise ValueError(f"{place} has 0 time steps; expected at least 1: leave it out.")
    if array.ndim == 2 and array.shape[1] == 0:
        raise ValueError(f"{place} has 0 features; expected at least 1.")
    return array


def _is_object_vector(X: Any) -> bool:
    dtype = getattr(X, "dtype", None)
    return getattr(X, "ndim", None) == 1 and getattr(dtype, "kind", None) == "O"


def _is_table_in_lists(
    originals: list[Any], step_shapes: list[tuple[int, ...]], lengths: NDArray[np.intp]
) -> bool:
    """Whether plain lists hold what scikit-learn takes for a 2-D table, as ``X.tolist()`` does."""
    return (
        all(isinstance(original, (list, tuple)) for original in originals)
        and all(step_shape == () for step_shape in step_shapes)
        and bool((lengths == lengths[0]).all())
    )


def _is_frame(X: Any) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "columns")


def _is_panel(X: Any) -> bool:
    return _is_frame(X) and X.index.nlevels > 1


def _holds_series(X: Any) -> bool:
    """Whether `X` is several series, or none, rather than one as a list of rows.

    Lists of numbers are rows if they are of one length, as those of ``X.tolist()``.
    """
    if not (isinstance(X, (list, tuple)) or _is_object_vector(X)):
        return False
    row_lengths = set()
    for member in X:
        is_list = isinstance(member, (list, tuple))
        n_dimensions = 1 + np.ndim(member[0]) if is_list and member else np.ndim(member)
        if hasattr(member, "iloc") or n_dimensions == 2 or (n_dimensions == 1 and not is_list):
            return True
        row_lengths.add(len(member) if is_list else None)
    return len(row_lengths) != 1


def _is_time_index(index: Any) -> bool:
    """Whether a frame's index holds times, periods or durations, as objects of Python too."""
    return getattr(index, "inferred_type", None) in _TIMES


def _is_tensor(X: Any) -> bool:
    return all(hasattr(X, name) for name in ("detach", "cpu", "numpy"))


def _is_sparse(X: Any) -> bool:
    if _is_tensor(X):
        return "sparse" in str(X.layout)
    return hasattr(X, "tocsr")


# ----------------------------------------------------------------------------------- the refusals


def _refuse_containers(X: Any) -> None:
    """Refuse what holds sequences in a way that they cannot be read from."""
    name = type(X).__name__
    if isinstance(X, Iterator):
        raise TypeError(f"X is of type {name}, which can be read only once; pass list(X).")
    if isinstance(X, Mapping) and not _is_sparse(X):  # a whole data set of scikit-learn's is one
        remedy = "X.data" if hasattr(X, "data") else "list(X.values())"
        raise TypeError(f"X is of type {name}; pass the sequences in it, {remedy}.")
    if name == "PackedSequence":
        raise TypeError(f"X is of type {name}; pass torch.nn.utils.rnn.unpack_sequence(X).")


def _observed_lengths(sequences: Sequences, kind: str = "sequence") -> NDArray[np.intp]:
    """Return each sequence's number of steps up to its last observed one, in bounded memory.

    Refuses infinity and sequences without any observed value. Expects ascending `starts`.
    """
    values, starts = sequences.values, sequences.starts
    lengths = np.zeros(len(sequences), dtype=np.intp)
    for block_rows in sequences._row_slices(sequences._block_rows):
        block = values[block_rows]
        is_finite = np.isfinite(block)
        if not is_finite.all() and np.isinf(block).any():
            row, feature = np.argwhere(np.isinf(block))[0]
            _refuse_infinity(starts, block_rows.start + row, feature, kind)
        rows = block_rows.start + np.flatnonzero(is_finite.any(axis=1))
        owners = np.searchsorted(starts, rows, side="right") - 1
        # Rows ascend and numpy keeps the last of several assignments to one place.
        lengths[owners] = rows - starts[owners] + 1
    if not lengths.all():
        raise ValueError(
            f"{kind} #{lengths.argmin()} has no observed value; expected at least one that is "
            "not NaN: leave it out."
        )
    return lengths


def _refuse_infinity(starts: NDArray[np.intp], row: int, feature: int, kind: str) -> None:
    i = int(np.searchsorted(starts, row, side="right")) - 1
    raise ValueError(
        f"{kind} #{i} holds infinity at step {row - starts[i]}, feature {feature}; "
        "expected finite numbers, or NaN for a missing value."
    )


def _refuse_shape(shape: tuple[int, ...]) -> None:
    if len(shape) == 0:
        raise ValueError(f"Expected 2D array, got scalar array instead: X should be {_FORMS}.")
    if len(shape) == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead: X has shape {shape}; pass a single sequence "
            "as [X], and one long series as a single column to SlidingWindowDetector. Reshape your "
            "data with X.reshape(1, -1) if it is one row of a table."
        )
    if len(shape) > 4:
        raise ValueError(f"X has {len(shape)} dimensions, shape {shape}; expected {_FORMS}.")
    for size, axis in zip(shape, _AXES[len(shape)], strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {axis}(s) (shape={shape}) while a minimum of 1 is required."
            )


def _refuse_series_shape(shape: tuple[int, ...], remedy: str) -> None:
    if len(shape) < 2:
        raise ValueError(
            f"Expected 2D array, got {len(shape)}D array instead: X has shape {shape}; expected "
            f"{_SERIES_FORMS}. Reshape your data with {remedy} if it has a single feature."
        )
    if len(shape) > 2:
        raise ValueError(
            f"X has {len(shape)} dimensions, shape {shape}; expected {_SERIES_FORMS}: pass list(X) "
            "for several series."
        )
    for size, axis in zip(shape, _AXES[2], strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {axis}(s) (shape={shape}) while a minimum of 1 is required."
            )


def _refuse_order(frame: Any, place: str) -> None:
    """Refuse a frame of one series whose index says that its rows are not in the order of time."""
    _refuse_times(frame, place)
    if hasattr(frame, "iloc") and frame.index.dtype.kind in "iuf":
        remedy = "sort the rows by time, or call reset_index(drop=True) if they are"
        _refuse_decrease(frame.index, f"the row numbers of {place}", remedy)


def _refuse_times(frame: Any, place: str) -> None:
    """Refuse a frame whose index holds times that do not increase."""
    index: Any = getattr(frame, "index", None)
    if _is_time_index(index):
        if index.has_duplicates:
            raise ValueError(
                f"{place} has time {index[index.duplicated()][0]} twice; expected it once."
            )
        _refuse_decrease(index, f"the times of {place}", "call sort_index() first")


def _refuse_decrease(index: Any, name: str, remedy: str) -> None:
    increases = np.asarray(index[1:] > index[:-1], dtype=bool)
    if not increases.all():
        row = 1 + int(increases.argmin())
        raise ValueError(
            f"{name} do not increase: {index[row]} follows {index[row - 1]}; {remedy}."
        )


def _refuse_dtypes(array: Any, place: str) -> None:
    if _is_frame(array):
        names = [f"column {name!r} of {place}" for name in array.columns]
        dtypes = list(array.dtypes)
    else:
        names, dtypes = [place], [array.dtype]
    for name, dtype in zip(names, dtypes, strict=True):
        if dtype.kind == "c":
            raise ValueError(
                f"Complex data not supported: {name} has dtype {dtype}; expected real numbers."
            )
        if dtype.kind not in "fiubO":
            remedy = "make it the index" if dtype.kind == "M" and _is_frame(array) else "convert it"
            raise ValueError(f"{name} has dtype {dtype}; expected real numbers: {remedy} first.")


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
    names = {i: list(frame.columns) for i, frame in enumerate(originals) if _is_frame(frame)}
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
        raise ValueError(f"{kind} {name} in X has time {time} twice; expected it once.")
    raise ValueError(
        f"the times of {kind} {name} in X do not increase: {time} follows {before}; "
        "call X.sort_index() first."
    )


def _unreadable(place: str, error: Exception, remedy: str = _REMEDY_OF_TEXT) -> Exception:
    kind = TypeError if isinstance(error, TypeError) else ValueError
    hint = f"; {remedy}." if "to float" in str(error) else ""
    return kind(f"{place} cannot be read as numbers: {error}{hint}")
