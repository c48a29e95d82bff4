"""The columns of frames: read as numbers, or refused by name."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.containers import column_names, is_frame

REMEDY_OF_TEXT = "leave text out, or encode it as numbers"
REMEDY_OF_COLUMN = (
    "if it holds times, make it the index by pd.to_datetime, else leave it out or encode it as "
    "numbers"
)
REMEDY_OF_TIMES = (
    "if it holds times, leave it out or pass a DataFrame of pandas with it as the index, else "
    "encode it as numbers"
)

DECIMAL_COMMA = re.compile(r"'\s*[-+]?\d+,\d+\s*'")
"""What an error quotes of a number with a comma."""


def refuse_columns(frame: Any, place: str) -> None:
    """Refuse a frame, of any package, in which two columns have one name, or one is sparse."""
    names = column_names(frame)
    if len(set(names)) < len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"{place} has {names.count(name)} columns {name!r}; expected one of each name: rename "
            "them, or leave all but one out."
        )
    for name, dtype in zip(names, frame.dtypes, strict=True) if is_frame(frame) else ():
        if hasattr(dtype, "fill_value"):
            raise TypeError(
                f"column {name!r} of {place} is sparse, but dense data is required; convert it "
                "with .astype(float)."
            )


def join_columns(frame: Any, place: str) -> NDArray[Any]:
    """Return the columns of a frame that has no index side by side."""
    columns = []
    for name in column_names(frame):
        column, where = np.asarray(frame[name]), f"column {name!r} of {place}"
        _refuse_cells(frame, name, column, place)
        refuse_dtype(column.dtype, where, REMEDY_OF_TIMES)
        try:
            columns.append(_widened(column))
        except (ValueError, TypeError) as error:
            raise unreadable(where, error, REMEDY_OF_TIMES) from error
        refuse_numbers_as_text(column, where)
    return np.column_stack(columns)


def refuse_unreadable_columns(frame: Any, place: str) -> None:
    """Refuse the first column of a frame of pandas that does not hold numbers, if there is one."""
    for name, column in frame.items():
        try:
            column.astype(float)
        except (ValueError, TypeError) as error:
            _refuse_cells(frame, name, np.asarray(column), place)
            raise unreadable(f"column {name!r} of {place}", error, REMEDY_OF_COLUMN) from error


def refuse_dtype(dtype: Any, place: str, remedy: str) -> None:
    """Refuse what holds no real numbers, or may hold anything but them."""
    if dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: {place} has dtype {dtype}; expected real numbers."
        )
    if getattr(dtype, "names", None):
        raise ValueError(
            f"{place} is a structured array of fields {', '.join(map(repr, dtype.names))}; expected"
            " a plain one: make it a DataFrame by pd.DataFrame, or call "
            "numpy.lib.recfunctions.structured_to_unstructured."
        )
    if dtype.kind not in "fiubO":
        raise ValueError(f"{place} has dtype {dtype}; expected real numbers: {remedy}.")


def refuse_numbers_as_text(X: Any, place: str) -> None:
    """Refuse cells of text in an array, Series or frame, which numpy reads if it spells a number.

    An array of text is refused by its dtype; as a column of objects it means no more.
    """
    if is_frame(X):
        for j in np.flatnonzero([dtype.kind == "O" for dtype in X.dtypes]):
            refuse_numbers_as_text(X.iloc[:, j], f"column {X.columns[j]!r} of {place}")
    elif X.dtype.kind == "O":
        cells = np.asarray(X, dtype=object).ravel().tolist()
        text = next((cell for cell in cells if isinstance(cell, (str, bytes))), None)
        if text is not None:
            raise ValueError(
                f"{place} holds text, {text!r}; expected real numbers: convert it first."
            )


def unreadable(place: str, error: Exception, remedy: str = REMEDY_OF_TEXT) -> Exception:
    """Return the refusal of what cannot be read as numbers, for the reason that numpy tells."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    is_column = remedy != REMEDY_OF_TEXT
    is_value = "to float" in str(error) or (is_column and "float()" in str(error))
    reason, hint = str(error).removesuffix("."), remedy if is_value else "expected numbers"
    if is_value and DECIMAL_COMMA.search(reason):
        hint = "if the comma is a decimal one, read the data with decimal=',', or replace it"
    return kind(f"{place} cannot be read as numbers: {reason}; {hint}.")


def _refuse_cells(frame: Any, name: Any, column: NDArray[Any], place: str) -> None:
    """Refuse a column that holds more than a number in each cell."""
    where = f"column {name!r} of {place}"
    kind = str(getattr(frame[name], "dtype", getattr(frame[name], "type", ""))).lower()
    cells = column.tolist() if column.dtype.kind == "O" else []
    first = next((cell for cell in cells if hasattr(cell, "__len__")), None)
    if kind.startswith("struct") or isinstance(first, dict):
        calls = {"unnest": f", by unnest({name!r})", "flatten": ", by flatten()"}
        how = next((call for method, call in calls.items() if hasattr(frame, method)), "")
        raise ValueError(
            f"{where} holds several fields in each cell; expected a number: make a column of each "
            f"field{how}."
        )
    if column.ndim == 1 and (first is None or isinstance(first, (str, bytes))):
        return
    rows = "X.to_numpy()" if is_frame(frame) else "X.to_pandas().to_numpy()"
    rows = "X.rows()" if hasattr(frame, "rows") else rows
    remedy = f"if each row is one sequence, pass [np.column_stack(list(x)) for x in {rows}], else "
    raise ValueError(
        f"{where} holds a sequence in each cell; expected a number: "
        f"{remedy if place == 'X' else ''}make a column of each number."
    )


def _widened(column: NDArray[Any]) -> NDArray[Any]:
    return column if column.dtype in (np.float32, np.float64) else column.astype(np.float64)
