"""Simple rules to decide by, on the scores of rows that this package's rules decide by."""

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


SIMPLE_RULES = {"contamination quantile": contamination, "rolling quantile": rolling}
