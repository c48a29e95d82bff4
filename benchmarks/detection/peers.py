"""Detectors of other packages."""

from importlib import import_module

from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state


class PyODDetector(BaseEstimator):
    """Judges rows of a table by a detector of PyOD, such as ``lunar.LUNAR``, its module and class.

    `parameters` are those that are not to be the detector's defaults.
    """

    def __init__(self, name, parameters=None, random_state=None):
        self.name = name
        self.parameters = parameters
        self.random_state = random_state

    def fit(self, X, y=None):
        module, _, name = self.name.rpartition(".")
        detector_class = getattr(import_module(f"pyod.models.{module}"), name)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        self.detector_ = detector_class(random_state=seed, verbose=0, **self.parameters or {})
        self.detector_.fit(X)
        return self

    def score_samples(self, X):
        return -self.detector_.decision_function(X)  # PyOD's are high for anomalies
