"""scikit-learn's callbacks around a fit and its parts; before scikit-learn 1.9 there are none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from skl_lstmae._training import EpochWatcher, History

__all__ = ["CallbackSupportMixin", "FitCallbacks"]

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn's has its place in the order of bases."""


class FitCallbacks(EpochWatcher):
    """The callbacks of one fit: the fit is a task, each epoch or fit inside it a subtask.

    Parameters
    ----------
    estimator : estimator
        Being fitted; its callbacks are set up.
    X, y : object
        As the user passed them: callbacks that compute scores get them.
    max_subtasks : int
        The most epochs, or fits of detectors inside.

    Attributes
    ----------
    fitted_attributes : callable
        Returns, for a history, the attributes that `estimator` would have, had training stopped
        there. Is called only for callbacks that ask for a fitted estimator.
    """

    fitted_attributes: Callable[[History], dict[str, Any]]

    def __init__(self, estimator: Any, X: Any, y: Any, max_subtasks: int):
        self.estimator = estimator
        self.data = {"X": X, "y": y}
        self._fit_task: Any = None
        self._epoch_task: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self._fit_task = estimator._init_callback_context(max_subtasks=max_subtasks)
            self._fit_task.call_on_fit_task_begin(estimator=estimator, **self.data)

    def begin_epoch(self) -> None:
        """Tell the callbacks that an epoch begins."""
        if self._fit_task is not None:
            self._epoch_task = self._fit_task.subcontext(task_name="epoch")
            self._epoch_task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self, history: History) -> bool:
        """Tell the callbacks that an epoch is over; return whether one of them wants to stop."""
        if self._epoch_task is None:
            return False
        return self._epoch_task.call_on_fit_task_end(
            estimator=self.estimator,
            **self.data,
            reconstruction_attributes=lambda: self.fitted_attributes(history),
        )

    @contextmanager
    def passed_on_to(self, detector: Any) -> Iterator[None]:
        """Make the fit of a detector inside the estimator a subtask, if it takes callbacks."""
        if self._fit_task is None or not hasattr(detector, "set_callbacks"):
            yield
            return
        task = self._fit_task.subcontext(task_name="fit detector")
        with task.propagate_callback_context(detector):
            task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
            yield
            task.call_on_fit_task_end(estimator=self.estimator, **self.data)

    def end_fit(self) -> None:
        """Tell the callbacks that the estimator is fitted."""
        if self._fit_task is not None:
            self._fit_task.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes={}
            )
