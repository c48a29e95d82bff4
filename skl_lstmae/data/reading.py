"""What `X` is: recognised here alone, and read into one ragged table.

Every estimator thus accepts the same forms, and refuses the same mistakes in the same words.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.adoption import TABLE, adopt, cube_features
from skl_lstmae.data.array_like import (
    is_object_vector,
    is_panel,
    is_time_index,
    refuse_order,
    to_floats,
    to_numbers,
    warn_of_times_as_text,
)
from skl_lstmae.data.containers import (
    column_names,
    empty_frame,
    has_columns,
    is_frame,
    refuse_containers,
)
from skl_lstmae.data.forms import ArrayForm, Form, ListForm, SeriesForm
from skl_lstmae.data.long_format import refuse_column_of_times, refuse_long_format
from skl_lstmae.data.mapped import side_by_side
from skl_lstmae.data.members import names_of_list, read_list
from skl_lstmae.data.names import Names
from skl_lstmae.data.observed import observed_lengths
from skl_lstmae.data.panels import read_panel
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.shapes import FORMS, ROW_FORMS, SERIES_FORMS, refuse_series_shape, refuse_shape
from skl_lstmae.data.stored import StoredSequences, refuse_unfit


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
    >>> from skl_lstmae.data.reading import read
    >>> sequences, form = read([[1.0, 2.0, 3.0], [4.0, 5.0]])
    >>> sequences.starts, sequences.lengths
    (array([0, 3]), array([3, 2]))
    >>> form.restore(np.arange(5))
    [array([0, 1, 2]), array([3, 4])]
    """
    if isinstance(X, StoredSequences):
        return read_stored(X, "sequence")
    refuse_containers(X)
    features = cube_features(X)
    X = adopt(X, axes=TABLE)
    if isinstance(X, (list, tuple)) or is_object_vector(X):
        return read_list(X, "sequence")
    if is_panel(X):
        return read_panel(X, "sequence")
    return read_array(X, features)


def read_series(X: Any) -> tuple[Sequences, Form]:
    """Read `X` as long series, whose rows are the samples; nothing is padded.

    A series may be without any observed value, as if all sensors were silent.

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
    refuse_long_format(X)
    refuse_order(X, "X")
    warn_of_times_as_text([getattr(X, "index", None)], ["X"], "series")
    columns = X if has_columns(X) else to_numbers(X, "X", SERIES_FORMS)
    refuse_series_shape(
        columns.shape, remedy="X.to_frame()" if hasattr(X, "to_frame") else "X.reshape(-1, 1)"
    )
    _refuse_times_as_features(X)
    refuse_column_of_times(X, "X")
    values = to_numbers(columns, "X", SERIES_FORMS)
    lengths = np.array([len(values)], dtype=np.intp)
    series = Sequences(side_by_side([values]), np.zeros(1, dtype=np.intp), lengths)
    observed_lengths(series, names_of_list([X], "series"), may_be_empty=True)
    return series, SeriesForm(X, columns, False, [X], [values.shape[1:]], lengths)


def read_array(X: Any, features: tuple[Any, ...] = ()) -> tuple[Sequences, ArrayForm]:
    """Read an array, tensor or frame of sequences, of features that may have names."""
    refuse_long_format(X)
    if is_frame(X) and is_time_index(X.index):
        raise ValueError(
            "X is a DataFrame indexed by time, whose rows would be read as sequences; use "
            "SlidingWindowDetector to judge the rows of one series, pass [X] if X is a single "
            "sequence, or X.reset_index(drop=True) if its rows are sequences."
        )
    array = to_numbers(X, "X", FORMS)
    refuse_shape(array.shape)
    n_sequences, n_timesteps = array.shape[:2]
    values = side_by_side([array.reshape(n_sequences * n_timesteps, -1)])
    starts = np.arange(n_sequences, dtype=np.intp) * n_timesteps
    padded_lengths = np.full(n_sequences, n_timesteps, dtype=np.intp)
    is_table = array.ndim == 2
    steps = column_names(X)
    names = Names(features=features, index=lambda i: steps or None, step_word="step")
    lengths = observed_lengths(Sequences(values, starts, padded_lengths), names)
    beside = empty_frame(features, values.shape[1]) if features else values[:0]
    columns = X if has_columns(X) else array if is_table else beside
    form = ArrayForm(X, columns, is_table, array.shape, lengths)
    return Sequences(values, starts, lengths), form


def read_stored(X: StoredSequences, kind: str) -> tuple[Sequences, ListForm]:
    """Read sequences or series, whichever their `kind`, that lie side by side in an array."""
    refuse_unfit(X)
    values = side_by_side([to_numbers(X.values, "the array of X", FORMS)])
    lengths = np.asarray(X.lengths, dtype=np.intp)
    sequences = Sequences(values, X.first_rows, lengths)
    if (np.diff(sequences.starts) <= 0).any():  # chosen in another order, or more than once
        sequences = sequences.gathered()
    observed_lengths(sequences, Names(kind, X.feature_names), may_be_empty=kind == "series")
    columns = empty_frame(X.feature_names, sequences.n_features)
    step_shapes: list[tuple[int, ...]] = [(sequences.n_features,)] * len(X)
    return sequences, ListForm(X, columns, False, X, step_shapes, lengths)


class SomeRows(NamedTuple):
    """Rows of a series that goes on.

    Attributes
    ----------
    values : ndarray of shape (n_timesteps, n_features), dtype float64
    columns : array or frame
        In which they stand as the rows.
    is_one : bool
        Whether `X` is a single row, rather than a table of rows.
    """

    values: NDArray[np.float64]
    columns: Any
    is_one: bool


def read_rows(X: Any) -> SomeRows:
    """Read `X` as rows of a series that goes on, or as a single one.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_timesteps, n_features), or (n_features,)
        Any number of rows. One may be all NaN, as it is a part of a series.
    """
    refuse_containers(X)
    X = adopt(X)
    is_row_of_frame = hasattr(X, "iloc") and not is_frame(X)
    columns = X.to_frame().T if is_row_of_frame else X
    rows = to_floats(columns, "X", ROW_FORMS).astype(np.float64, copy=False)
    if rows.ndim not in (1, 2):
        raise ValueError(f"X has shape {rows.shape}; expected {ROW_FORMS}.")
    return SomeRows(np.atleast_2d(rows), columns, is_row_of_frame or rows.ndim == 1)


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


def _refuse_times_as_features(series: Any) -> None:
    if is_frame(series) and is_time_index(series.columns):
        raise ValueError(
            "the columns of X are called by times, but the rows of a series are its time steps; "
            "pass X.T."
        )
