"""Detectors to beat: simple ones, and those of PyOD."""

from importlib import import_module

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

from benchmarks.detection.tables import Standardize

MAX_TRAINING_WINDOWS = 1500
MAX_VALUES = 2**22
"""Numbers in the windows that are judged at once."""


class PCAError(BaseEstimator):
    """Judges rows of a table by their squared distance from the main axes.

    These are as many as explain nine tenths of the variance.
    """

    def fit(self, X, y=None):
        self.pca_ = PCA(n_components=0.9).fit(X)
        return self

    def score_samples(self, X):
        return self.score_cells(X).mean(axis=1)

    def score_cells(self, X):
        return -np.square(X - self.pca_.inverse_transform(self.pca_.transform(X)))


class NeighborDistance(BaseEstimator):
    """Judges rows of a table by their distance from the nearest training row."""

    def fit(self, X, y=None):
        self.neighbors_ = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(X)
        return self

    def score_samples(self, X):
        distances, _ = self.neighbors_.kneighbors(X)
        return -distances[:, 0]


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


class OnWindows(BaseEstimator):
    """Judges the rows of a series by a detector of the flattened windows that cover them.

    The windows' scores are averaged, or those of their rows if the detector scores cells. Training
    takes 1500 windows at random.
    """

    def __init__(self, detector, window, random_state=None):
        self.detector = detector
        self.window = window
        self.random_state = random_state

    def fit(self, X, y=None):
        self.scaler_ = Standardize().fit([X])
        windows = self._windows(X)
        order = check_random_state(self.random_state).permutation(len(windows))
        some = windows[order[:MAX_TRAINING_WINDOWS]]
        self.detector_ = clone(self.detector).fit(some.reshape(len(some), -1))
        return self

    def score_samples(self, X):
        windows = self._windows(X)
        total, n_windows = np.zeros(len(X)), np.zeros(len(X))
        n_at_once = max(1, MAX_VALUES // windows[0].size)
        for start in range(0, len(windows), n_at_once):
            scores = self._score_rows(windows[start : start + n_at_once])
            for step in range(self.window):
                rows = slice(start + step, start + step + len(scores))
                total[rows] += scores[:, step]
                n_windows[rows] += 1
        return total / n_windows

    def _windows(self, X):
        """View a scaled series as its windows, (n_windows, window, n_features)."""
        (scaled,) = self.scaler_.transform([X])
        views = np.lib.stride_tricks.sliding_window_view(scaled, self.window, axis=0)
        return views.transpose(0, 2, 1)

    def _score_rows(self, windows):
        """Return the scores of the rows of windows, (n_windows, window)."""
        flat = windows.reshape(len(windows), -1)
        if hasattr(self.detector_, "score_cells"):
            return self.detector_.score_cells(flat).reshape(windows.shape).mean(axis=2)
        return np.repeat(self.detector_.score_samples(flat)[:, np.newaxis], self.window, axis=1)


class HeldOutThreshold(BaseEstimator):
    """Gives a detector the threshold that a hundredth of held-out training samples fall short of.

    They are the last third, judged by the detector fitted on the rest; then it is fitted on all.
    """

    def __init__(self, detector):
        self.detector = detector

    def fit(self, X, y=None):
        n_kept = len(X) * 2 // 3
        held_out_scores = clone(self.detector).fit(X[:n_kept]).score_samples(X[n_kept:])
        self.offset_ = np.quantile(held_out_scores, 0.01)
        self.detector_ = clone(self.detector).fit(X)
        return self

    def decision_function(self, X):
        return self.detector_.score_samples(X) - self.offset_
