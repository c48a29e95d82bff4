"""Simple detectors to beat."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
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

    def fit(self, X: NDArray[np.floating], y: None = None) -> Self:
        self.pca_ = PCA(n_components=0.9).fit(X)
        return self

    def score_samples(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        return self.score_cells(X).mean(axis=1)

    def score_cells(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        return -np.square(X - self.pca_.inverse_transform(self.pca_.transform(X)))


class NeighborDistance(BaseEstimator):
    """Judges rows of a table by their distance from the nearest training row."""

    def fit(self, X: NDArray[np.floating], y: None = None) -> Self:
        self.neighbors_ = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(X)
        return self

    def score_samples(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        distances, _ = self.neighbors_.kneighbors(X)
        return -distances[:, 0]


class OnWindows(BaseEstimator):
    """Judges the rows of a series by a detector of the flattened windows that cover them.

    The windows' scores are averaged, or those of their rows if the detector scores cells. Training
    takes 1500 windows at random.
    """

    def __init__(
        self,
        detector: Any,
        window: int,
        limit: float = 20.0,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.detector = detector
        self.window = window
        self.limit = limit
        self.random_state = random_state

    def fit(self, X: NDArray[np.floating], y: None = None) -> Self:
        self.scaler_ = Standardize(self.limit).fit([X])
        windows = self._windows(X)
        order = check_random_state(self.random_state).permutation(len(windows))
        some = windows[order[:MAX_TRAINING_WINDOWS]]
        self.detector_ = clone(self.detector).fit(some.reshape(len(some), -1))
        return self

    def score_samples(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        total, n_windows, start = np.zeros(len(X)), np.zeros(len(X)), 0
        for scores in self._score_blocks(X):
            for step in range(self.window):
                rows = slice(start + step, start + step + len(scores))
                total[rows] += scores[:, step]
                n_windows[rows] += 1
            start += len(scores)
        return total / n_windows

    def _windows(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """View a scaled series as its windows, (n_windows, window, n_features)."""
        (scaled,) = self.scaler_.transform([X])
        views = np.lib.stride_tricks.sliding_window_view(scaled, self.window, axis=0)
        return views.transpose(0, 2, 1)

    def _score_blocks(self, X: NDArray[np.floating]) -> Iterator[NDArray[np.float64]]:
        """Yield the scores of the rows of windows, (some windows, window)."""
        windows = self._windows(X)
        shape = windows.shape[1:]
        n_at_once = max(1, MAX_VALUES // int(np.prod(shape)))
        for start in range(0, len(windows), n_at_once):
            block = windows[start : start + n_at_once]
            flat = block.reshape(len(block), -1)
            if hasattr(self.detector_, "score_cells"):
                yield self.detector_.score_cells(flat).reshape(-1, *shape).mean(axis=2)
            else:
                scores = self.detector_.score_samples(flat)
                yield np.repeat(scores[:, np.newaxis], self.window, axis=1)


class HeldOutThreshold(BaseEstimator):
    """Gives a detector the threshold that a hundredth of held-out training samples fall short of.

    They are the last third, judged by the detector fitted on the rest; then it is fitted on all.
    """

    def __init__(self, detector: Any) -> None:
        self.detector = detector

    def fit(self, X: Any, y: None = None) -> Self:
        n_kept = len(X) * 2 // 3
        held_out_scores = clone(self.detector).fit(X[:n_kept]).score_samples(X[n_kept:])
        self.offset_ = np.quantile(held_out_scores, 0.01)
        self.detector_ = clone(self.detector).fit(X)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        return self.detector_.score_samples(X) - self.offset_
