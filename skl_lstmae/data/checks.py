"""`X` made to agree with an estimator: its number of samples, its features, and their names."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from skl_lstmae._warn import warn
from skl_lstmae.data.array_like import is_time_index, refuse_order
from skl_lstmae.data.containers import (
    column_names,
    has_columns,
    is_frame,
)
from skl_lstmae.data.forms import ArrayForm, Form
from skl_lstmae.data.long_format import refuse_column_of_ids
from skl_lstmae.data.names import Names, names_beside
from skl_lstmae.data.reading import read, read_rows, read_series
from skl_lstmae.data.sequences import Sequences

MANY_ROWS, ROWS_PER_COLUMN, MANY_COLUMNS = 50, 8, 100
"""A table of so many rows, and so many a column, is hardly meant as one sequence a row, unless it
has so many columns."""

MANY_FEATURES_PER_STEP = 3
"""An array of so many times more features than steps is rather of shape (case, channel, time)."""

WORD = re.compile(r"[^\W\d_]{2}")
WORDS_OF_TIME = re.compile(
    "time|date|step|lag|second|minute|hour|day|week|month|quarter|year", re.IGNORECASE
)


def check_sequences(
    estimator: Any, X: Any, *, n_channels: int | None = None, min_sequences: int = 1
) -> tuple[Sequences, Form]:
    """Read `X` and make it agree with `estimator`, which a refusal leaves as it was.

    Parameters
    ----------
    estimator : estimator instance
        Its `n_features_in_` and `feature_names_in_` are set, or compared with `X`.
    X : list, tuple, array, tensor or DataFrame
        See `read`.
    n_channels : int, default=None
        Number of channels the estimator was fitted on; None while it is being fitted.
    min_sequences : int, default=1
        The fewest sequences accepted.

    Returns
    -------
    sequences : Sequences
    form : Form

    Notes
    -----
    `n_features_in_` is the number of channels, but for a 2-D table, array or ``array.tolist()``,
    it is the number of columns (time steps), as scikit-learn's common checks demand.
    """
    sequences, form = read(X)
    if len(sequences) < min_sequences:
        raise ValueError(
            f"Found n_samples={len(sequences)} sequence(s) in X while a minimum of {min_sequences} "
            f"is required by {type(estimator).__name__}; for one long series, or a few, use "
            "SlidingWindowDetector."
        )
    if n_channels is None:
        _refuse_ids(form, "sequence")
        _warn_of_rows_of_features(form, len(sequences))
        _warn_of_channels_first(form)
        _agree(estimator, form.columns, reset=True, is_table=form.is_table)
    else:
        _check_agreement(estimator, sequences, form, n_channels)
    return sequences, form


def check_series(estimator: Any, X: Any, *, reset: bool) -> tuple[Sequences, Form]:
    """Read `X` as long series and make it agree with `estimator`.

    Parameters
    ----------
    estimator : estimator instance
        Its `n_features_in_` and `feature_names_in_` are set if `reset`, else compared with `X`.
    X : array-like, DataFrame or list
        See `read_series`.
    reset : bool
        Whether the estimator is being fitted.

    Returns
    -------
    series : Sequences
    form : Form
    """
    series, form = read_series(X)
    if reset:
        _refuse_ids(form, "series")
    _agree(estimator, form.columns, reset=reset)
    return series, form


def check_rows(estimator: Any, X: Any, latest: Any = None) -> tuple[NDArray[np.float64], Any, Any]:
    """Read `X` as rows of a series that goes on, and make it agree with `estimator`.

    Parameters
    ----------
    estimator : estimator instance
        Its `n_features_in_` and `feature_names_in_` are compared with `X`.
    X : array-like or DataFrame
        See `read_rows`.
    latest : timestamp, default=None
        Time of the row before, if times are known.

    Returns
    -------
    rows : ndarray of shape (n_timesteps, n_features), dtype float64
    times : index of length n_timesteps
        Of the rows, if `X` has times; anything else has numbers.
    latest : timestamp or None
        Time of the last row; that of before if `X` has none.
    """
    rows, columns, is_row = read_rows(X)
    if rows.shape[1] != estimator.n_features_in_:
        hint = "; a 1-D X is one row, for rows of one feature reshape it to (-1, 1)"
        raise ValueError(
            f"X has {rows.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input{hint if is_row else ''}."
        )
    if np.isinf(rows).any():
        row, feature = np.argwhere(np.isinf(rows))[0].tolist()
        names = Names(features=tuple(column_names(columns)))
        row = f"row {columns.index[row]}" if is_frame(columns) else f"row {row}"
        raise ValueError(
            f"{row} of X holds infinity in {names.feature(feature)}; expected finite numbers, or "
            "NaN for a missing value."
        )
    refuse_order(columns, "X")
    times: Any = getattr(columns, "index", None)
    if is_time_index(times) and len(times):
        _refuse_other_times(times, latest)
        latest = times[-1]
    _agree(estimator, columns if has_columns(columns) else rows, reset=False)
    return rows, times if is_time_index(times) else np.arange(len(rows)), latest


def _refuse_other_times(times: Any, latest: Any) -> None:
    """Refuse times that do not follow the latest one before, or cannot be compared with it."""
    if latest is None:
        return
    try:
        follows = times[0] > latest
    except TypeError as error:
        raise TypeError(
            f"the times of X are of another kind than those that were pushed before: {times[0]!r} "
            f"cannot follow {latest!r}; push times of one kind and time zone."
        ) from error
    if not follows:
        raise ValueError(
            f"the times of X do not increase: {times[0]} follows {latest}, which was pushed "
            "before; push later rows alone."
        )


def _agree(
    estimator: Any, columns: Any, *, reset: bool, is_table: bool = False, ensure_2d: bool = True
) -> None:
    """Set, or compare, the number of columns and their names, which scikit-learn knows of text.

    Of names of other kinds, as numbers, this package itself takes care. Without `ensure_2d`, names
    alone are compared.
    """
    try:
        validate_data(estimator, columns, reset=reset, skip_check_array=True, ensure_2d=ensure_2d)
    except ValueError as error:
        expected = getattr(estimator, "feature_names_in_", None)
        if expected is None or not set(expected) <= set(column_names(columns)):
            raise
        raise ValueError(
            f"{str(error).rstrip()}\nPass the columns of fit in their order, as by "
            "frame[detector.feature_names_in_], where that is the fitted estimator."
        ) from error
    found = () if is_table else names_beside(columns)
    if reset:
        estimator._column_names = found
        return
    expected = getattr(estimator, "_column_names", ())
    if found and expected and found != expected:
        raise ValueError(
            f"X has columns {list(found)}, but {type(estimator).__name__} was fitted on "
            f"{list(expected)}; expected the same in the same order."
        )


def _check_agreement(estimator: Any, sequences: Sequences, form: Form, n_channels: int) -> None:
    found = sequences.n_features
    if found != n_channels:
        if not form.is_table and estimator.n_features_in_ == n_channels:
            _agree(estimator, form.columns, reset=False)  # which names the columns, if it can
        hint = "; a 2-D X is read as one-channel rows, pass a single sequence as [X]"
        raise ValueError(
            f"X has {found} features, but {type(estimator).__name__} is expecting {n_channels} "
            f"features as input{hint if form.is_table else ''}."
        )
    # Columns of a table are time steps and those of all else channels: the two do not compare.
    fitted_on_table = estimator.n_features_in_ != n_channels
    if form.is_table == fitted_on_table:
        _agree(
            estimator, form.columns, reset=False, is_table=form.is_table, ensure_2d=form.is_table
        )
    elif form.is_table and _is_one_column(form, len(sequences)):
        _warn_of_rows(form, "If X is one sequence, pass [X]")
    elif form.is_table and _has_words_as_columns(form.columns):
        _warn_of_rows(form, "If the rows are time steps, index X by (sequence id, time)")


def _refuse_ids(form: Form, kind: str) -> None:
    members = getattr(form, "members", None)
    if isinstance(members, list) and all(map(has_columns, members)):
        refuse_column_of_ids(members, kind)


def _warn_of_rows_of_features(form: Form, n_rows: int) -> None:
    """Warn of a table that is rather one series, or rows of features, than many sequences."""
    n_columns = form.columns.shape[1]
    is_tall = n_rows >= max(MANY_ROWS, ROWS_PER_COLUMN * n_columns) and n_columns < MANY_COLUMNS
    looks_odd = is_tall or _is_one_column(form, n_rows) or _has_words_as_columns(form.columns)
    if form.is_table and looks_odd:
        _warn_of_rows(
            form,
            "If the rows are time steps of one series, use SlidingWindowDetector, or pass [X] to "
            "LSTMForecastDetector",
        )


def _warn_of_channels_first(form: Form) -> None:
    """Warn of an array whose last axis rather is that of time, as aeon, sktime and UCR have it."""
    if isinstance(form, ArrayForm) and len(form.shape) == 3:
        _, n_steps, n_features = form.shape
        if n_features > MANY_FEATURES_PER_STEP * n_steps:
            steps = "1 time step" if n_steps == 1 else f"{n_steps} time steps"
            warn(
                f"X is read as sequences of {steps} of {n_features} features. If it is of shape "
                "(case, channel, time), pass X.transpose(0, 2, 1); if this is meant, pass list(X) "
                "to silence this."
            )


def _is_one_column(form: Form, n_rows: int) -> bool:
    """Whether a table is a column of several rows, so that each would be a sequence of one step."""
    return form.columns.shape[1] == 1 < n_rows


def _warn_of_rows(form: Form, advice: str) -> None:
    n_steps = form.columns.shape[1]
    steps = "1 step" if n_steps == 1 else f"{n_steps} steps"
    rows = "list(X.to_numpy())" if has_columns(form.columns) else "list(X)"
    warn(
        f"Each row of X is read as a sequence of {steps} of one feature. {advice}; if this is "
        f"meant, pass {rows} to silence this."
    )


def _has_words_as_columns(columns: Any) -> bool:
    """Whether columns are called as features are, "cpu0", rather than as times, "hour 0" or 0.5."""
    return any(
        isinstance(name, str) and WORD.search(WORDS_OF_TIME.sub("", name)) is not None
        for name in column_names(columns)
    )
