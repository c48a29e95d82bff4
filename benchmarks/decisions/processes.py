"""Simulated stationary processes: the rate realised on fresh rows beside the one asked for."""

import warnings
from typing import Any

import numpy as np

from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

LENGTHS = (1000, 3000, 10_000)
N_FRESH = 10_000
RATE = 0.01


def autoregressive(n: int, rng: np.random.Generator, phi: float, noise: np.ndarray) -> np.ndarray:
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = phi * values[t - 1] + noise[t]
    return values


def simulate(kind: str, n: int, seed: int) -> np.ndarray:
    """Return rows, (n, n_features), of one of the kinds."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    heavy = rng.standard_t(4, size=n)
    gauss = rng.normal(size=n)
    values = {
        "white": gauss,
        "ar": autoregressive(n, rng, 0.7, gauss),
        "slow ar": autoregressive(n, rng, 0.95, gauss),
        "heavy": heavy,
        "heavy ar": autoregressive(n, rng, 0.7, heavy),
        "seasonal": np.sin(t / 8) + 0.2 * gauss,
        "two seasons": np.sin(t / 8) + 0.5 * np.sin(t / 50) + 0.2 * gauss,
    }[kind]
    return values.reshape(-1, 1)


KINDS = ("white", "ar", "slow ar", "heavy", "heavy ar", "seasonal", "two seasons")
PROCESSES = [(kind, n) for n in LENGTHS for kind in KINDS][:20]


def realised(kind: str, n: int, seed: int, **parameters: Any) -> dict[str, Any]:
    """Return the share of fresh rows flagged, of a process that goes on as it was."""
    X = simulate(kind, n + N_FRESH, seed)
    detector = SlidingWindowDetector(LSTMAutoencoderDetector(**parameters), random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.fit(X[:n])
        scores = detector.score_samples(X[n:])
        return {
            "kind": kind,
            "n": n,
            "adaptive": float((detector.decision_function(X[n:]) < 0).mean()),
            "fixed": float((scores < detector.offset_).mean()),
        }
