"""Windows as rows of a table, for the outlier detectors of scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._sequences import Sequences
from skl_lstmae._windows import blocks


def flatten(windows: Sequences, size: int) -> NDArray[Any]:
    """Make a row of each window, (n_windows, size * n_features); short ones repeat their first."""
    steps = np.maximum(np.arange(size) - (size - windows.lengths[:, np.newaxis]), 0)
    rows = windows.starts[:, np.newaxis] + steps
    return windows.values[rows].reshape(len(windows), size * windows.n_features)


def score_rows(detector: Any, windows: Sequences, size: int) -> NDArray[np.float64]:
    """Return the scores of windows, which are never all rows of one table."""
    score = score_method(detector)
    scores = [score(flatten(block, size)) for block in blocks(windows)]
    return np.concatenate([np.zeros(0), *scores])


def score_method(detector: Any) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Return the method of a detector that scores new data, higher for normal rows."""
    for name in "score_samples", "decision_function":
        if hasattr(detector, name):
            return getattr(detector, name)
    raise ValueError(
        f"detector is a {type(detector).__name__} without score_samples or decision_function for "
        "new data; choose one that has either, as LocalOutlierFactor with novelty=True."
    )
