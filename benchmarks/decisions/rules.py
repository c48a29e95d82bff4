"""Other rules to decide by, on the scores of rows that this package's rules decide by.

[1] A. Siffer, P.-A. Fouque, A. Termier, C. Largouet, "Anomaly detection in streams with extreme
value theory", KDD 2017. [2] J. R. M. Hosking, J. R. Wallis, "Parameter and quantile estimation for
the generalized Pareto distribution", Technometrics 29, 1987.
"""

import numpy as np
import pandas as pd

RATE = 0.01
ROLLING_WINDOWS = 10


def contamination(trained: np.ndarray, scores: np.ndarray, size: int) -> np.ndarray:
    """Take a quantile of the training rows' scores, as ``contamination`` of most detectors does."""
    return scores < np.quantile(trained, RATE)


def rolling(trained: np.ndarray, scores: np.ndarray, size: int) -> np.ndarray:
    """Take a quantile of the scores of the ten windows before a row."""
    before = pd.Series(np.concatenate([trained, scores])).shift()
    quantiles = before.rolling(ROLLING_WINDOWS * size, min_periods=1).quantile(RATE)
    return scores < quantiles.to_numpy()[len(trained) :]


TAIL_SHARE = 0.02
"""Of the first deviations, as in the authors' code: the excesses that the tail begins with."""


def dspot(trained: np.ndarray, scores: np.ndarray, size: int) -> np.ndarray:
    """Take DSPOT's threshold [1]: a Pareto tail of deviations from the mean of ten windows before.

    The tail is fitted by probability-weighted moments [2], not by maximum likelihood.
    """
    errors = np.concatenate([-trained, -scores])
    depth = min(ROLLING_WINDOWS * size, len(trained) // 2)
    first = (
        errors[depth : len(trained)]
        - pd.Series(errors).rolling(depth).mean().to_numpy()[depth - 1 : len(trained) - 1]
    )
    start = np.quantile(first, 1 - TAIL_SHARE)
    excesses, n = list(first[first > start] - start), len(first)
    recent = list(errors[len(trained) - depth : len(trained)])
    limit, flags = start + _tail_quantile(excesses, n), np.zeros(len(scores), dtype=bool)
    for i, error in enumerate(-scores):
        deviation = error - np.mean(recent)
        flags[i] = deviation > limit
        if flags[i]:
            continue
        n += 1
        recent = [*recent[1:], error]
        if deviation > start:
            excesses.append(deviation - start)
            limit = start + _tail_quantile(excesses, n)
    return flags


def _tail_quantile(excesses: list[float], n: int) -> float:
    """Return the excess that one value of n / RATE exceeds."""
    ordered = np.sort(excesses)
    if len(ordered) < 2 or ordered[0] == ordered[-1]:
        return float(ordered[-1]) if len(ordered) else 0.0
    mean = ordered.mean()
    weighted = np.mean(ordered * np.linspace(1, 0, len(ordered)))
    shape = 2 - mean / (mean - 2 * weighted)
    scale = 2 * mean * weighted / (mean - 2 * weighted)
    ratio = RATE * n / len(ordered)
    if abs(shape) < 1e-9:
        return float(-scale * np.log(ratio))
    return float(scale / shape * (ratio**-shape - 1))


SIMPLE_RULES = {
    "contamination quantile": contamination,
    "rolling quantile": rolling,
    "DSPOT": dspot,
}
