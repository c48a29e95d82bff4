"""What depends on scikit-learn's version: its private names, and the mixin of its callbacks."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

import sklearn  # whose modules are imported when they are first used
from sklearn.base import _fit_context
from sklearn.utils._missing import is_pandas_na
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
)
from sklearn.utils._param_validation import validate_params as _validate_params
from sklearn.utils._set_output import _wrap_data_with_container as wrap_data_with_container

__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "callback_context",
    "callbacks_of",
    "check_parameters",
    "fit_context",
    "is_pandas_na",
    "validate_params",
    "wrap_data_with_container",
]


Method = TypeVar("Method", bound=Callable[..., Any])


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]:
    """Decorate a fit: scikit-learn validates the parameters, and tears callbacks down.

    scikit-learn's own has no types, so that a fit would return anything.
    """
    return _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)


def validate_params(
    constraints: dict[str, list[Any]], *, prefer_skip_nested_validation: bool
) -> Callable[[Method], Method]:
    """Decorate a method: scikit-learn validates its parameters, and its types are kept."""
    return _validate_params(
        constraints, prefer_skip_nested_validation=prefer_skip_nested_validation
    )


def check_parameters(estimator: Any) -> None:
    """Refuse values of parameters that the declared constraints exclude."""
    estimator._validate_params()


if find_spec("sklearn.callback"):

    class CallbackSupportMixin:
        """scikit-learn's, imported when it is used: with it comes the drawing of progress bars."""

        def set_callbacks(self, *callbacks: Any) -> Any:
            """Set the callbacks of scikit-learn that take part in every fit from now on.

            Parameters
            ----------
            *callbacks : callbacks
                Such as those of :mod:`sklearn.callback`; they replace any there are.

            Returns
            -------
            self : estimator
                The detector itself.

            Examples
            --------
            >>> import numpy as np
            >>> from sklearn.callback import ScoringMonitor
            >>> from skl_lstmae import LSTMAutoencoderDetector
            >>> X = np.sin(np.arange(20) + np.arange(12).reshape(-1, 1))
            >>> detector = LSTMAutoencoderDetector(max_epochs=3, random_state=0)
            >>> monitor = ScoringMonitor(scoring="roc_auc")
            >>> detector = detector.set_callbacks(monitor).fit(X, [-1, 1] * 6)
            >>> len(monitor.get_logs().data) == 1 + detector.n_epochs_
            True
            """
            return sklearn.callback.CallbackSupportMixin.set_callbacks(self, *callbacks)

        def _init_callback_context(self, **parameters: Any) -> Any:
            return sklearn.callback.CallbackSupportMixin._init_callback_context(self, **parameters)

else:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn's has its place in the order of bases."""


def callback_context(estimator: Any) -> Any:
    """Return where the callbacks of a fit are told of it; None if there can be none."""
    if not hasattr(estimator, "_init_callback_context"):
        return None
    return estimator._init_callback_context(max_subtasks=None)


def callbacks_of(estimator: Any) -> list[Any]:
    """Return the callbacks that are set on an estimator."""
    return getattr(estimator, "_skl_callbacks", [])
