"""One array-like object: what it is, and its numbers as floats."""

import numbers
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from skl_lstmae._warn import warn
from skl_lstmae.data.columns import (
    join_columns,
    refuse_columns,
    refuse_dtype,
    refuse_numbers_as_text,
    refuse_unreadable_columns,
    unreadable,
)
from skl_lstmae.data.containers import is_arrow_frame, is_frame
from skl_lstmae.data.mapped import is_mapped

LIKE_A_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(\D|$)|\d{1,2}:\d{2}|\d{4}-\d{2}$")

TIMES = {"datetime64", "datetime", "date", "timedelta64", "timedelta", "period"}
"""What pandas infers of an index that holds times, periods or durations."""

ONCE = "expected it once: keep one row of each, as by X[~X.index.duplicated()]."
"""What is said of a time that an index holds twice."""


def to_floats(X: Any, place: str, expected: str) -> NDArray[Any]:
    """Read one array-like as float32 or float64; float32 and float64 arrays are not copied."""
    if type(X) is np.ndarray and X.dtype in (np.float32, np.float64):
        return X  # for most of many sequences, this spares all that follows
    if is_sparse(X):
        raise TypeError(
            f"{place} is sparse ({type(X).__name__}), but dense data is required; "
            "convert it with .toarray() or .to_dense()."
        )
    if not isinstance(X, (list, tuple, numbers.Number)) and not hasattr(X, "__array__"):
        raise TypeError(f"{place} is of type {type(X).__name__}; expected {expected}.")
    refuse_columns(X, place)
    if is_arrow_frame(X):
        return join_columns(X, place)
    try:
        array = _to_numpy(X)
    except (ValueError, TypeError) as error:
        raise unreadable(place, error) from error
    _refuse_dtypes(array, place)
    if isinstance(array, np.ma.MaskedArray):
        can_hold_nan = array.dtype.kind in "fO"
        array = np.ma.filled(array if can_hold_nan else array.astype(np.float64), np.nan)
    try:
        floats: NDArray[Any] = check_array(
            array,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=0,
            ensure_min_features=0,
        )
    except (ValueError, TypeError) as error:
        if is_frame(array):
            refuse_unreadable_columns(array, place)
        raise unreadable(place, error) from error
    refuse_numbers_as_text(array, place)
    return floats


def to_numbers(X: Any, place: str, expected: str) -> NDArray[Any]:
    """Read one array-like as floats; numbers in a file become floats once they are read from it."""
    return np.asarray(X) if is_mapped(X) else to_floats(X, place, expected)


def is_panel(X: Any) -> bool:
    """Tell whether this is a DataFrame in long format, indexed by id and time."""
    return is_frame(X) and X.index.nlevels > 1


def is_object_vector(X: Any) -> bool:
    """Tell whether this is an array of objects, which holds sequences as a list does."""
    dtype = getattr(X, "dtype", None)
    return getattr(X, "ndim", None) == 1 and getattr(dtype, "kind", None) == "O"


def is_time_index(index: Any) -> bool:
    """Tell whether a frame's index holds times, periods or durations, as objects of Python too."""
    return getattr(index, "inferred_type", None) in TIMES


def names_rows(index: Any) -> bool:
    """Tell whether a frame's index holds times, or numbers that increase, which rows go by."""
    is_numeric = getattr(index, "inferred_type", None) in ("integer", "floating")
    increases = is_numeric and index.is_monotonic_increasing and index.is_unique
    return increases or is_time_index(index)


def warn_of_times_as_text(indices: Iterable[Any], places: Iterable[str], kind: str) -> None:
    """Warn of the first index that holds times as text, which tell neither order nor jumps."""
    purpose = "jumps in time count and events have times"
    if kind == "sequence":
        purpose = "their order is checked"
    for index, place in zip(indices, places, strict=False):
        is_text = getattr(index, "inferred_type", None) == "string"
        if is_text and all(LIKE_A_TIME.match(index[row]) for row in (0, -1)):
            warn(
                f"the index of {place} holds times as text, such as {index[0]!r}, which are not "
                f"read as times; convert them with pd.to_datetime, so that {purpose}."
            )
            return


def is_sparse(X: Any) -> bool:
    """Tell whether this is sparse, of scipy or torch."""
    if _is_tensor(X):
        return "sparse" in str(X.layout)
    return hasattr(X, "tocsr")


def refuse_order(frame: Any, place: str) -> None:
    """Refuse a frame of one series whose index says that its rows are not in the order of time."""
    refuse_times(frame, place)
    if hasattr(frame, "iloc") and frame.index.dtype.kind in "iuf":
        if frame.index.hasnans:
            raise ValueError(
                f"{place} has a row without a number (NaN) in its index; expected one for each: "
                "leave the row out, or call reset_index(drop=True)."
            )
        remedy = "sort the rows by time, or call reset_index(drop=True) if they are"
        _refuse_decrease(frame.index, f"the row numbers of {place}", remedy)


def refuse_times(frame: Any, place: str) -> None:
    """Refuse a frame whose index holds times that do not increase."""
    index: Any = getattr(frame, "index", None)
    if is_time_index(index):
        if index.hasnans:
            raise ValueError(
                f"{place} has a row without a time (NaT); expected a time for each: leave it out."
            )
        if index.has_duplicates:
            raise ValueError(f"{place} has time {index[index.duplicated()][0]} twice; {ONCE}")
        _refuse_decrease(index, f"the times of {place}", "call sort_index() first")


def _refuse_decrease(index: Any, name: str, remedy: str) -> None:
    """Refuse an index, of times or numbers, that does not increase throughout."""
    increases = np.asarray(index[1:] > index[:-1], dtype=bool)
    if not increases.all():
        row = 1 + int(increases.argmin())
        raise ValueError(
            f"{name} do not increase: {index[row]} follows {index[row - 1]}; {remedy}."
        )


def _is_tensor(X: Any) -> bool:
    return all(hasattr(X, name) for name in ("detach", "cpu", "numpy"))


def _to_numpy(X: Any) -> Any:
    """Return a numpy array of any dtype; frames and series wait for `check_array`."""
    if _is_tensor(X):
        tensor = X.detach().cpu()
        # numpy has no bfloat16, so half precision is widened by torch.
        is_half = tensor.is_floating_point() and tensor.element_size() < 4
        return (tensor.double() if is_half else tensor).numpy()
    return X if hasattr(X, "iloc") else np.asanyarray(X)


def _refuse_dtypes(array: Any, place: str) -> None:
    if not is_frame(array):
        refuse_dtype(array.dtype, place, "convert it first")
        return
    for name, dtype in zip(array.columns, array.dtypes, strict=True):
        remedy = "make it the index first" if dtype.kind == "M" else "convert it first"
        refuse_dtype(dtype, f"column {name!r} of {place}", remedy)
