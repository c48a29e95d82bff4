"""Warnings that point at the user's line."""

import inspect
import warnings

BETWEEN = ("skl_lstmae", "sklearn", "contextlib", "functools", "numpy")
"""Packages between the line of a user that is to be told of and the place that tells."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called this package, or scikit-learn, which called it."""
    frame, level = inspect.currentframe(), 1
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in BETWEEN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
