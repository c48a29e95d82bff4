"""The callbacks of scikit-learn in a fit: what they are told, and when."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from skl_lstmae._sklearn import callback_context, callbacks_of


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
        self._fit_task: Any = callback_context(estimator)
        self._epoch_task: Any = None

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
        own = callbacks_of(detector)
        # Those that propagate by themselves see more than epochs.
        others = [
            EpochCallback(callback)
            for callback in callbacks_of(self.estimator)
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
