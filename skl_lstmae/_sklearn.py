"""What depends on scikit-learn's version: its private names, and its callbacks, new in 1.9."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    "FitCallbacks",
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
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
            >>> detector = LSTMAutoencoderDetector(hidden_size=4, max_epochs=3)
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


class FitCallbacks:
    """The callbacks of one fit: the fit is a task, each epoch or fit inside it a subtask.

    Parameters
    ----------
    estimator : estimator
        Being fitted; its callbacks are set up, and see it.
    X, y : object
        As the user passed them: callbacks that compute scores get them.

    Attributes
    ----------
    attributes_after : callable
        Returns, for the progress of a training, the attributes that the estimator would have, had
        training stopped there. Is called only for callbacks that ask for a fitted estimator.
    """

    attributes_after: Callable[[Any], dict[str, Any]]

    def __init__(self, estimator: Any, X: Any, y: Any):
        self.estimator = estimator
        self.data = {"X": X, "y": y}
        self._fit_task: Any = None
        self._epoch_task: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self._fit_task = estimator._init_callback_context(max_subtasks=None)

    def begin_fit(self, max_subtasks: int) -> None:
        """Tell the callbacks that the fit begins, of so many epochs or fits inside at most."""
        if self._fit_task is not None:
            self._fit_task.max_subtasks = max_subtasks
            self._begin(self._fit_task)

    def begin_epoch(self) -> None:
        """Tell the callbacks that an epoch begins."""
        if self._fit_task is not None:
            self._epoch_task = self._fit_task.subcontext(task_name="epoch")
            self._begin(self._epoch_task)

    def end_epoch(self, progress: Any) -> bool:
        """Tell the callbacks that an epoch is over; return whether one of them wants to stop."""
        if self._epoch_task is None:
            return False
        return self._end(self._epoch_task, lambda: self.attributes_after(progress))

    @contextmanager
    def passed_on_to(self, detector: Any) -> Iterator[None]:
        """Make the fit of a detector inside the estimator a subtask, if it takes callbacks."""
        if self._fit_task is None or not hasattr(detector, "set_callbacks"):
            yield
            return
        task = self._fit_task.subcontext(task_name="fit detector")
        own = getattr(detector, "_skl_callbacks", [])
        # Those that propagate by themselves see more than epochs.
        others = [
            EpochCallback(callback)
            for callback in getattr(self.estimator, "_skl_callbacks", [])
            if not hasattr(callback, "max_propagation_depth")
        ]
        detector.set_callbacks(*own, *others)
        try:
            with task.propagate_callback_context(detector):
                self._begin(task)
                yield
                self._end(task, None)
        finally:
            detector.set_callbacks(*own)

    def end_fit(self) -> None:
        """Tell the callbacks that the estimator is fitted."""
        if self._fit_task is not None:
            self._end(self._fit_task, {})

    def _begin(self, task: Any) -> None:
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def _end(self, task: Any, attributes: Any) -> bool:
        return task.call_on_fit_task_end(
            estimator=self.estimator, **self.data, reconstruction_attributes=attributes
        )


class EpochCallback:
    """Lets a callback that is set on an estimator see the epochs of a detector inside of it.

    The estimator that it is shown then is this detector, which is not fitted yet.

    Parameters
    ----------
    callback : callback
        Set up, and torn down, by the estimator that it is set on.
    """

    def __init__(self, callback: Any):
        self.callback = callback

    def setup(self, estimator: Any, context: Any) -> None:
        """Leave it to the outer estimator."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Leave it to the outer estimator."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Pass on that an epoch begins."""
        self._pass_on(self.callback.on_fit_task_begin, estimator, context)

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """Pass on that an epoch is over; return whether the callback wants to stop."""
        return self._pass_on(self.callback.on_fit_task_end, estimator, context)

    def _pass_on(self, hook: Callable[..., Any], estimator: Any, context: Any) -> bool:
        if context.task_name != "epoch":
            return False
        parameters = inspect.signature(hook).parameters.values()
        wanted = [p.name for p in parameters if p.kind == inspect.Parameter.KEYWORD_ONLY]
        return bool(hook(estimator, context, **dict.fromkeys(wanted)))
