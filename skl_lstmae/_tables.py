"""Windows as rows of a table, for the outlier detectors of scikit-learn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._parts import Parts, spread
from skl_lstmae._sequences import Sequences
from skl_lstmae._windows import blocks


@dataclass(frozen=True, eq=False)
class TableDetector:
    """Lets an outlier detector of scikit-learn judge windows as a `SequenceDetector` does.

    It has neither errors nor a variance to explain.

    Parameters
    ----------
    detector : estimator
        Has a method that `score_method` finds.
    size : int
        Time steps of a window.
    one_by_one : bool, default=False
        Whether windows are scored one by one, so that no bit of a score depends on the others:
        products of matrices, as in LocalOutlierFactor or a PCA, may round by their sizes.
    """

    detector: Any
    size: int
    one_by_one: bool = False

    def _fit_windows(self, parts: Parts) -> None:
        """Fit the detector to the windows of one epoch."""
        n_windows = parts.n_per_epoch or len(parts.training)
        self.detector.fit(flatten(spread(parts.training, n_windows), self.size))

    def _learn_normal(self, windows: Sequences) -> None:
        """Learn nothing more: such a detector knows nothing that can be learned apart."""

    def _score_samples(self, windows: Sequences) -> NDArray[np.float64]:
        """Return the scores of windows, which are never all rows of one table."""
        score = score_method(self.detector)
        max_windows = 1 if self.one_by_one else None
        scores = [score(flatten(block, self.size)) for block in blocks(windows, max_windows)]
        return np.concatenate([np.zeros(0), *scores])


def flatten(windows: Sequences, size: int) -> NDArray[Any]:
    """Make a row of each window, (n_windows, size * n_features); short ones repeat their first."""
    steps = np.maximum(np.arange(size) - (size - windows.lengths[:, np.newaxis]), 0)
    rows = windows.starts[:, np.newaxis] + steps
    return windows.values[rows].reshape(len(windows), size * windows.n_features)


def score_method(detector: Any) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Return the method of a detector that scores new data, higher for normal rows."""
    for name in "score_samples", "decision_function":
        if hasattr(detector, name):
            return getattr(detector, name)
    raise ValueError(
        f"detector is a {type(detector).__name__} without score_samples or decision_function for "
        "new data; choose one that has either, as LocalOutlierFactor with novelty=True."
    )
