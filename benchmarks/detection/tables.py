"""Sequences of any lengths as the rows of a table, for detectors that need one."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class Standardize(TransformerMixin, BaseEstimator):
    """Give every feature zero mean and unit variance over all steps of the training sequences.

    What then lies farther from 0 than 20 is moved there.
    """

    def fit(self, X, y=None):
        steps = np.concatenate(X, dtype=np.float64)
        deviations = steps.std(axis=0)
        self.mean_ = steps.mean(axis=0)
        self.scale_ = np.where(deviations < 1e-6, 1.0, deviations)
        return self

    def transform(self, X):
        scaled = [(sequence - self.mean_) / self.scale_ for sequence in X]
        return [sequence.clip(-20, 20) for sequence in scaled]


class Resample(TransformerMixin, BaseEstimator):
    """Interpolate each sequence at as many steps as the median training sequence has, 140 at most.

    The table has a column a step and feature.
    """

    def fit(self, X, y=None):
        self.length_ = min(int(np.median([len(sequence) for sequence in X])), 140)
        return self

    def transform(self, X):
        return np.stack([self._resample(sequence) for sequence in X])

    def _resample(self, sequence):
        old = np.arange(len(sequence))
        new = np.linspace(0, len(sequence) - 1, self.length_)
        return np.column_stack([np.interp(new, old, feature) for feature in sequence.T]).ravel()


def summarize(X):
    """Describe each sequence by five numbers a feature."""
    return np.stack([np.concatenate(_five_numbers(sequence)) for sequence in X])


def _five_numbers(x):
    changes = np.abs(np.diff(x, axis=0))
    return x.mean(axis=0), x.std(axis=0), x.min(axis=0), x.max(axis=0), changes.mean(axis=0)


def count(X):
    """Count how often each event occurs in each sequence."""
    return np.stack([sequence.sum(axis=0, dtype=np.float64) for sequence in X])
