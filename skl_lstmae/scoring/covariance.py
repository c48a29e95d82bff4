"""Covariances of few rows, shrunk towards a multiple of the identity."""

import numpy as np
from numpy.typing import NDArray


def covariance_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance of rows of mean 0, (n_columns, n_columns)."""
    return rows.T @ rows / len(rows)


def shrinkage_of(rows: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """Return by how much to shrink the covariance of rows of mean 0, from 0 to 1 [1]_.

    As `sklearn.covariance.ledoit_wolf_shrinkage`, whose import, of linear models too, and whose
    checks take much of a short fit, which has dozens of covariances.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88, 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.
    """
    square = np.vdot(covariance, covariance)
    distance = square - np.trace(covariance) ** 2 / len(covariance)  # from a multiple of identity
    norms = np.einsum("ij,ij->i", rows, rows)
    error = (np.vdot(norms, norms) / len(rows) - square) / len(rows)
    return float(np.clip(error / distance, 0, 1)) if distance > 0 else 0.0


def shrunk(covariance: NDArray[np.float64], shrinkage: float) -> NDArray[np.float64]:
    """Return a covariance that is so much nearer to its mean variance times the identity."""
    nearer = (1 - shrinkage) * covariance
    nearer[np.diag_indices_from(nearer)] += shrinkage * np.trace(covariance) / len(covariance)
    return nearer
