"""How large the errors of features are as a rule, and how far others are from that."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.scoring.scorer import SMALLEST_ERROR, mean_and_scale

SMALLEST_SCALE = 0.1
"""Standard deviation at the least: errors of a constant sensor hardly differ, and mean nothing."""


class UsualErrors(NamedTuple):
    """The logarithm of the mean error of each feature, in normal windows.

    A loud sensor always has large errors, and a stuck one has smaller ones than usual.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        Mean and standard deviation over windows.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, log_errors: NDArray[np.float64]) -> UsualErrors:
        """Learn them from those of windows, (n_windows, n_features)."""
        mean, scale = mean_and_scale(log_errors)
        return cls(mean, np.maximum(scale, SMALLEST_SCALE))

    def deviations(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how many standard deviations features are off, (n_windows, n_features).

        NaN if a feature is not observed.

        Parameters
        ----------
        errors : ndarray of shape (n_windows, n_timesteps, n_features)
            Of the cells of windows, NaN if missing.
        """
        n_observed = (~np.isnan(errors)).sum(axis=1)
        with np.errstate(invalid="ignore"):
            means = np.nansum(errors, axis=1) / n_observed
        return (np.log(means + SMALLEST_ERROR) - self.mean) / self.scale
