"""The detector of windows inside another: which it may be, where its parameters go, its seeds."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar, cast

from numpy.random import RandomState
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import check_random_state

from skl_lstmae.detectors.base import SequenceDetector
from skl_lstmae.detectors.objects import refuse_class
from skl_lstmae.detectors.table_judge import score_method
from skl_lstmae.detectors.thresholded import ThresholdMixin

Init = TypeVar("Init", bound=Callable[..., None])


def says_where_inner_parameters_go(default: Callable[[], BaseEstimator]) -> Callable[[Init], Init]:
    """Decorate the constructor of an estimator whose first parameter is a `detector`.

    Python says of an unexpected argument no more than that it is one. ``default()`` is the detector
    that None stands for.
    """

    def decorate(init: Init) -> Init:
        own = signature(init).parameters

        @wraps(init)
        def init_or_say(self: Any, *args: Any, **kwargs: Any) -> None:
            if not kwargs.keys() <= own.keys():
                inner = kwargs.get("detector", args[0] if args else None)
                inner = inner if isinstance(inner, BaseEstimator) else default()
                known = inner.get_params(deep=False).keys() - own.keys()
                misplaced = {name: kwargs[name] for name in kwargs if name in known}
                if misplaced:
                    _refuse(type(self).__name__, type(inner).__name__, misplaced)
            init(self, *args, **kwargs)

        return cast(Init, init_or_say)

    return decorate


def _refuse(outer: str, inner: str, misplaced: dict[str, Any]) -> None:
    call = ", ".join(f"{name}={value!r}" for name, value in misplaced.items())
    name, value = next(iter(misplaced.items()))
    raise TypeError(
        f"{outer} has no parameter {name}, but the detector inside has; pass "
        f"detector={inner}({call}), or call set_params(detector__{name}={value!r})."
    )


def refuse_unsuited(detector: Any) -> None:
    """Refuse, before any work, what cannot judge windows or would not take them for such."""
    refuse_class("detector", detector)
    detector = clone(detector)
    score_method(detector)
    if isinstance(detector, SequenceDetector):
        return
    name = type(detector).__name__
    if is_classifier(detector):
        raise ValueError(f"detector is a {name}, which needs labels; choose one that does not.")
    for part in [detector, *detector.get_params().values()]:
        if isinstance(part, SequenceDetector):
            raise ValueError(
                f"detector is a {name}, which gets windows as rows of a table; pass the "
                f"{type(part).__name__} inside of it, which scales by its parameter scaler."
            )
        if isinstance(part, ThresholdMixin):
            raise ValueError(
                f"detector is or holds a {type(part).__name__}, which judges rows rather than "
                "windows; choose the detector inside of it."
            )


def prepare(detector: Any, random_state: int | RandomState | None, verbose: int) -> Any:
    """Return a clone to fit, which is seeded and tells of its epochs as the outer one is to."""
    detector = clone(detector)
    if verbose and isinstance(detector, SequenceDetector):
        detector.set_params(verbose=verbose)
    if random_state is None:
        return detector
    drawn_from = check_random_state(random_state)
    seeds = {
        name: int(drawn_from.randint(2**31 - 1))
        for name in sorted(detector.get_params())
        if name.split("__")[-1] == "random_state"
    }
    return detector.set_params(**seeds)
