"""scikit-learn's callbacks around a fit and its epochs; before scikit-learn 1.9 there are none."""

from collections.abc import Callable
from typing import Any

from skl_lstmae._training import EpochWatcher, History

__all__ = ["CallbackSupportMixin", "FitCallbacks"]

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn's has its place in the order of bases."""


class FitCallbacks(EpochWatcher):
    """The callbacks of one fit: the fit is their root task, each epoch a subtask.

    Parameters
    ----------
    estimator : estimator
        Being fitted; its callbacks are set up.
    X, y : object
        As the user passed them: callbacks that compute scores get them.

    Attributes
    ----------
    fitted_attributes : callable
        Returns, for a history, the attributes that `estimator` would have, had training stopped
        there. Is called only for callbacks that ask for a fitted estimator.
    """

    fitted_attributes: Callable[[History], dict[str, Any]]

    def __init__(self, estimator: Any, X: Any, y: Any):
        self.estimator = estimator
        self.data = {"X": X, "y": y}
        self._fit_task: Any = None
        self._epoch_task: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self._fit_task = estimator._init_callback_context(max_subtasks=estimator.max_epochs)
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

    def end_fit(self) -> None:
        """Tell the callbacks that the estimator is fitted."""
        if self._fit_task is not None:
            self._fit_task.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes={}
            )
