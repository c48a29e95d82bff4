"""What other packages hold arrays in, as what is read in their place."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from skl_lstmae.data.containers import column_names
from skl_lstmae.data.long_format import means_time

ONE_SERIES = ("time step", "feature")
TABLE = ("sample", "time step")
CUBE = ("sample", "time step", "feature")

REMEDIES = {
    ONE_SERIES: "pass its transpose, .T",
    TABLE: "pass [X] if X is a single sequence, or use SlidingWindowDetector to judge its rows",
    CUBE: "call X.transpose first",
}


def adopt(X: Any, place: str = "X", axes: tuple[str, ...] = ONE_SERIES) -> Any:
    """Return an array of xarray's as what is read: of one or two dimensions as pandas', by names.

    A batch of pyarrow's is returned as a table, and all else as it is. `axes` says what the
    dimensions are, if there are two.
    """
    if hasattr(X, "__arrow_c_array__") and column_names(X) and "pyarrow" in sys.modules:
        return sys.modules["pyarrow"].table(X)
    if not (hasattr(X, "dims") and hasattr(X, "to_pandas")) or isinstance(X, Mapping):
        return X
    axes = CUBE if len(X.dims) > 2 else axes
    times = [axis for axis, dim in enumerate(X.dims) if _holds_times(X, dim)]
    if len(X.dims) > 1 and times and axes.index("time step") not in times:
        raise ValueError(
            f"{place} has dimensions {X.dims}, of which {X.dims[times[0]]!r} holds the times; "
            f"expected ({', '.join(axes)}): {REMEDIES[axes]}."
        )
    return X.to_pandas() if len(X.dims) <= 2 else X.to_numpy()


def cube_features(X: Any) -> tuple[Any, ...]:
    """Return the names of the features of an array of xarray's of three dimensions, if it has any.

    Of fewer dimensions, they are those of the frame that is adopted.
    """
    dims: tuple[Any, ...] = getattr(X, "dims", ())
    if not hasattr(X, "to_pandas") or len(dims) != len(CUBE) or dims[-1] not in X.coords:
        return ()
    return tuple(np.asarray(X.coords[dims[-1]]).tolist())


def _holds_times(X: Any, dim: Any) -> bool:
    dtype = getattr(X.coords.get(dim), "dtype", None)
    return getattr(dtype, "kind", None) in ("M", "m") or means_time(dim)
