"""ONNX's operators as functions, such as ``add(x, y)``, of values that are yet to be computed.

spox, which makes graphs of them, is imported when the first one is asked for.
"""

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Value = Any
"""A tensor that a graph computes: spox.Var."""


def import_spox() -> tuple[ModuleType, ModuleType]:
    """Return spox and its operators, or say how to install it."""
    try:
        import spox

        # Runtimes have had all of version 18 since 2023.
        from spox.opset.ai.onnx import v18
    except ImportError as error:
        raise ImportError(
            "export_onnx writes graphs by spox, which is not installed; run pip install spox."
        ) from error
    return spox, v18


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(import_spox()[1], name)


@cache
def axes(*numbers: int) -> Value:
    """Return the numbers of axes, or of shapes, as operators take them."""
    return constant(numbers, np.int64)


def constant(value: ArrayLike, dtype: Any = None) -> Value:
    """Return a tensor that is known, with the dtype of numpy unless told otherwise."""
    return import_spox()[1].constant(value=np.asarray(value, dtype))


def as_float64(x: Value) -> Value:
    """Return it in float64."""
    return import_spox()[1].cast(x, to=np.float64)


def as_float32(x: Value) -> Value:
    """Return it in float32."""
    return import_spox()[1].cast(x, to=np.float32)


def size(x: Value, axis: int) -> Value:
    """Return the number of entries along an axis, of shape (1,)."""
    return import_spox()[1].shape(x, start=axis, end=axis + 1)


def part(x: Value, axis: int, start: int, end: int = 2**31) -> Value:
    """Return the entries from `start` to before `end` along an axis, which may be negative."""
    return import_spox()[1].slice(x, axes(start), axes(end), axes(axis))


def where_nan(x: Value, other: Value) -> Value:
    """Return it with something else in the place of NaN."""
    op = import_spox()[1]
    return op.where(op.isnan(x), other, x)
