"""Detectors of other packages."""

from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state


class PyODDetector(BaseEstimator):
    """Judges rows of a table by a detector of PyOD.

    Parameters
    ----------
    name : str
        Module and class, such as ``lunar.LUNAR``.
    parameters : dict, default=None
        Those that are not to be the detector's defaults.
    random_state : int, RandomState or None, default=None
        Makes the number that the detector is seeded with.
    """

    def __init__(
        self,
        name: str,
        parameters: dict[str, Any] | None = None,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.random_state = random_state

    def fit(self, X: NDArray[np.floating], y: None = None) -> Self:
        module, _, name = self.name.rpartition(".")
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        detector_class: Any = getattr(import_module(f"pyod.models.{module}"), name)
        self.detector_ = detector_class(random_state=seed, verbose=0, **self.parameters or {}).fit(
            X
        )
        return self

    def score_samples(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        return -self.detector_.decision_function(X)  # PyOD's are high for anomalies
