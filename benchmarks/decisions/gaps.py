"""Simulated series with gaps in all features, of which the training rows had none."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.decisions.processes import simulate
from benchmarks.decisions.series import count
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

N_TRAINING, N_FRESH = 3000, 10_000
LONGEST = 20
"""Rows of a gap, at most."""

APART = (None, 300, 75, 30)
"""Rows from one gap to the next; None is without gaps."""

FAULT_EVERY, FAULT_ROWS = 1000, 50
SHIFT = 3.0
"""Of a fault, in standard deviations of the series."""


def faulty(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows with shifts of level, and which these are."""
    is_fault = np.arange(len(X)) % FAULT_EVERY >= FAULT_EVERY - FAULT_ROWS
    return np.where(is_fault[:, np.newaxis], X + SHIFT * X.std(axis=0), X), is_fault


def holed(X: np.ndarray, apart: int | None, seed: int) -> np.ndarray:
    """Return rows with gaps of 1 to 20 rows, half to one and a half of `apart` from one another."""
    X, rng, row = X.copy(), np.random.default_rng(seed), 0
    while apart is not None and row < len(X):
        row += int(rng.integers(apart // 2, apart * 3 // 2, endpoint=True))
        n_missing = int(rng.integers(1, LONGEST, endpoint=True))
        X[row : row + n_missing] = np.nan
        row += n_missing
    return X


def judge_gaps(kind: str, seed: int, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Yield what each rule flags of series with gaps, by how far apart these are."""
    X = simulate(kind, N_TRAINING + N_FRESH, seed)
    fresh, is_fault = faulty(X[N_TRAINING:])
    detector = SlidingWindowDetector(LSTMAutoencoderDetector(**parameters), random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.fit(X[:N_TRAINING])
        size = detector.window_size_
        for apart in APART:
            rows = holed(fresh, apart, seed)
            scores = detector.score_samples(rows)
            before = X[N_TRAINING - size : N_TRAINING]
            streamed = detector.stream()
            streamed.push(before)
            alarms = {
                "adaptive": detector.decision_function(rows) < 0,
                "fixed": scores < detector.offset_,
                "stream": streamed.predict(rows) == -1,
            }
            for rule, flags in alarms.items():
                yield {"judge": rule, "apart": apart, **count(flags, is_fault, size)}
