"""Our classifier on sequences of which it also sees altered copies, for as many steps as else."""

from collections.abc import Callable

import numpy as np

from skl_lstmae import LSTMClassifier

Sequences = list[np.ndarray]
Alter = Callable[[np.ndarray, np.random.Generator], np.ndarray]

N_COPIES = 4
"""Of each sequence: itself, and those that are altered."""

SHORTEST = 0.8
"""Part of a sequence that a crop leaves at least."""

SPREAD, N_KNOTS = 0.2, 5
"""Of the logarithms of speeds, and at how many places they are drawn."""


def cropped(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a stretch of a sequence."""
    n = int(rng.integers(np.ceil(SHORTEST * len(x)), len(x), endpoint=True))
    start = rng.integers(len(x) - n, endpoint=True)
    return x[start : start + n]


def warped(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a sequence whose time runs faster here and slower there [1]_.

    References
    ----------
    .. [1] T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's disease
       monitoring using convolutional neural networks", ICMI 2017,
       :doi:`10.1145/3136755.3136817`.
    """
    speeds = rng.lognormal(0, SPREAD, N_KNOTS)
    between = np.interp(np.linspace(0, N_KNOTS - 1, len(x) - 1), np.arange(N_KNOTS), speeds)
    place = np.r_[0, np.cumsum(between)]
    place *= (len(x) - 1) / max(place[-1], 1e-9)
    features = [np.interp(place, np.arange(len(x)), feature) for feature in x.T]
    return np.array(features, dtype=x.dtype).T


def on_copies(alter: Alter) -> Callable[..., np.ndarray]:
    """Return a method that learns from altered copies, too."""

    def run(X: Sequences, y: np.ndarray, X_test: Sequences, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        copies = [alter(x, rng) for _ in range(N_COPIES - 1) for x in X]
        n_epochs = LSTMClassifier().max_epochs // N_COPIES
        classifier = LSTMClassifier(max_epochs=n_epochs, random_state=seed)
        return classifier.fit(X + copies, np.tile(y, N_COPIES)).predict(X_test)

    return run


AUGMENTED = {"on crops": on_copies(cropped), "on warps": on_copies(warped)}
