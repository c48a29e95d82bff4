"""What other packages hold data in: known by its kind, and read, or refused by a remedy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np


def is_frame(X: Any) -> bool:
    """Tell whether this is a DataFrame of pandas, or behaves like one."""
    return hasattr(X, "iloc") and hasattr(X, "columns")


def is_arrow_frame(X: Any) -> bool:
    """Tell whether this is a frame of polars, pyarrow or another package that speaks Arrow."""
    return hasattr(X, "__arrow_c_stream__") and not hasattr(X, "iloc") and bool(_arrow_names(X))


def has_columns(X: Any) -> bool:
    """Tell whether this is a frame of any package."""
    return type(X) is not np.ndarray and (is_frame(X) or is_arrow_frame(X))


def column_names(X: Any) -> list[Any]:
    """Return the names of a frame's columns; none if it is no frame."""
    if type(X) is np.ndarray:
        return []  # for most of many sequences, this spares all that follows
    if is_frame(X):
        return list(X.columns)
    return _arrow_names(X) if is_arrow_frame(X) else []


def empty_frame(names: Sequence[str], n_features: int) -> Any:
    """Return a table without rows, a frame if the features have names and pandas is installed."""
    table = np.empty((0, n_features))
    if not names:
        return table
    try:
        import pandas as pd
    except ImportError:
        return table
    return pd.DataFrame(table, columns=list(names))


def _is_record(X: Any) -> bool:
    """Tell whether these are the values of a row, by the names of their features."""
    if not isinstance(X, Mapping) or hasattr(X, "tocsr") or not len(X):
        return False
    return all(np.ndim(value) == 0 for value in X.values())


def _remedy_of_mapping(X: Mapping[Any, Any]) -> str:
    """Return what to pass in place of it."""
    if _is_record(X):
        return "pd.Series(X) for a row of a stream, or pd.DataFrame of a list of such rows"
    if hasattr(X, "data"):
        return "the sequences in it, X.data"
    columns = all(isinstance(value, (list, tuple)) or np.ndim(value) == 1 for value in X.values())
    of_columns = ", or pd.DataFrame(X) if it holds columns" if columns and X else ""
    return f"the sequences in it, list(X.values()){of_columns}"


def refuse_containers(X: Any, place: str = "X") -> None:
    """Refuse what holds sequences in a way that they cannot be read from.

    What stands at another place than ``"X"`` is a member of X.
    """
    kind = type(X).__name__
    remedy = _remedy(X)
    if isinstance(X, Iterator) and remedy is None:
        raise TypeError(
            f"{place} is of type {kind}, which can be read only once; pass list(X), or what "
            "write_sequences writes of it if that is larger than memory."
        )
    if isinstance(X, (str, PathLike)):
        name = repr(str(X))
        raise TypeError(
            f"{place} is of type {kind}, {name}; a file is not opened by itself: pass "
            f"open_sequences({name}) for what write_sequences wrote, np.load({name}, "
            "mmap_mode='r') for an array, or what pandas reads of it."
        )
    if isinstance(X, (list, tuple)) and len(X) and _is_record(X[0]):
        raise TypeError(f"{place} holds rows of type {type(X[0]).__name__}; pass pd.DataFrame(X).")
    if isinstance(X, Mapping) and remedy is None and not hasattr(X, "tocsr"):
        raise TypeError(f"{place} is of type {kind}; pass {_remedy_of_mapping(X)}.")
    if remedy is not None:
        if place != "X":
            remedy = f"[{remedy.replace('X', 'x')} for x in X]"
        raise TypeError(f"{place} is of type {kind}; pass {remedy}.")


def _remedy(X: Any) -> str | None:
    """Return what makes something that can be read of what cannot, if it is known."""
    if type(X).__name__ == "PackedSequence":
        return "torch.nn.utils.rnn.unpack_sequence(X)"
    if getattr(X, "is_nested", False) is True:
        return "X.unbind()"
    if hasattr(X, "__dask_graph__") and hasattr(X, "iloc"):
        return "X.compute()"
    if "GroupBy" in type(X).__name__ and isinstance(X, Iterable):
        columns = {"exclusions": "columns=", "by": ""}  # of pandas, and polars
        for attribute, argument in columns.items():
            keys = [key for key in getattr(X, attribute, ()) if isinstance(key, str)]
            if keys:
                return f"[x.drop({argument}{sorted(keys)}) for _, x in X]"
        return "[x for _, x in X]"
    for method in "toPandas", "collect", "to_dataframe", "pd_dataframe":
        is_read = hasattr(X, "__array__") and not isinstance(X, Mapping)
        if callable(getattr(X, method, None)) and not is_read:
            return f"X.{method}()"
    return None


def _arrow_names(X: Any) -> list[str]:
    """Return the names that pyarrow calls column_names, and others columns."""
    names = getattr(X, "column_names", None) or getattr(X, "columns", None)
    are_names = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return list(names or []) if are_names else []
