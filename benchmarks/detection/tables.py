"""Sequences of any lengths as the rows of a table, for detectors that need one."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

LONGEST = 140


class Standardize(TransformerMixin, BaseEstimator):
    """Give every feature zero mean and unit variance over all steps of the training sequences.

    What then lies farther from 0 than `limit` is moved there.
    """

    def __init__(self, limit: float = 20.0) -> None:
        self.limit = limit

    def fit(self, X: Sequence[NDArray[np.floating]], y: None = None) -> Self:
        steps = np.concatenate(X, dtype=np.float64)
        deviations = steps.std(axis=0)
        self.mean_ = steps.mean(axis=0)
        self.scale_ = np.where(deviations < 1e-6, 1.0, deviations)
        return self

    def transform(self, X: Sequence[NDArray[np.floating]]) -> list[NDArray[np.float64]]:
        scaled = [(sequence - self.mean_) / self.scale_ for sequence in X]
        return [sequence.clip(-self.limit, self.limit) for sequence in scaled]


class Resample(TransformerMixin, BaseEstimator):
    """Interpolate each sequence at as many steps as the median training sequence has, 140 at most.

    The table has a column a step and feature.
    """

    def fit(self, X: Sequence[NDArray[np.floating]], y: None = None) -> Self:
        self.length_ = min(int(np.median([len(sequence) for sequence in X])), LONGEST)
        return self

    def transform(self, X: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
        return np.stack([self._resample(sequence) for sequence in X])

    def _resample(self, sequence: NDArray[np.floating]) -> NDArray[np.float64]:
        old = np.arange(len(sequence))
        new = np.linspace(0, len(sequence) - 1, self.length_)
        return np.column_stack([np.interp(new, old, feature) for feature in sequence.T]).ravel()


def summarize(X: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Describe each sequence by five numbers a feature."""
    return np.stack(
        [
            np.concatenate(
                [
                    sequence.mean(axis=0),
                    sequence.std(axis=0),
                    sequence.min(axis=0),
                    sequence.max(axis=0),
                    np.abs(np.diff(sequence, axis=0)).mean(axis=0),
                ]
            )
            for sequence in X
        ]
    )


def count(X: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Count how often each event occurs in each sequence."""
    return np.stack([sequence.sum(axis=0, dtype=np.float64) for sequence in X])
