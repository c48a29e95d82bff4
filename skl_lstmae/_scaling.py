"""Per-channel scaling, learned from the real, observed steps of the training sequences."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler, StandardScaler

from skl_lstmae._sequences import Sequences

SCALERS = {
    "standard": StandardScaler,
    "minmax": MinMaxScaler,
    "robust": RobustScaler,
    None: FunctionTransformer,
}

LARGEST = 1e18
"""Bound of a scaled value, whose square still is a finite float32."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """A fitted transformer of channels, with what it makes of the training data.

    Parameters
    ----------
    transformer : scikit-learn transformer
        Maps ``(n_rows, n_features)`` to the same shape, each row by itself, and back.
    mean, low, high : ndarray of shape (n_features,)
        Mean and range of the scaled training data.
    """

    transformer: Any
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def transform(self, rows: np.ndarray) -> np.ndarray:
        """Scale rows to float32; missing values stay NaN."""
        scaled = self.transformer.transform(rows)
        if np.isnan(scaled).sum() > np.isnan(rows).sum():
            raise ValueError(
                f"The scaler {self.transformer} makes NaN of finite values; use one that is "
                "defined for all values that X may hold."
            )
        return np.clip(scaled, -LARGEST, LARGEST, dtype=np.float64).astype(np.float32)

    def inverse_transform(self, rows: np.ndarray) -> np.ndarray:
        """Return rows to the units of the input, in float64."""
        return self.transformer.inverse_transform(rows.astype(np.float64))


def fit_scaling(scaler: Any, sequences: Sequences) -> Scaling:
    """Learn the scaling of `sequences` by a name in `SCALERS` or a transformer, which is cloned."""
    transformer = SCALERS[scaler]() if scaler is None or isinstance(scaler, str) else clone(scaler)
    _refuse_unobserved_features(sequences)
    if hasattr(transformer, "partial_fit"):
        for rows in sequences.blocks():
            transformer.partial_fit(rows)
    else:
        transformer.fit(np.concatenate(list(sequences.blocks())))
    n_scaled = transformer.transform(sequences[0]).shape[1]
    if n_scaled != sequences.n_features:
        raise ValueError(
            f"The scaler {transformer} makes {n_scaled} features of {sequences.n_features}; "
            "it must keep their number."
        )
    scaled = StandardScaler(), MinMaxScaler()
    for rows in sequences.blocks():
        for statistics in scaled:
            statistics.partial_fit(transformer.transform(rows))
    moments, extremes = scaled
    return Scaling(transformer, moments.mean_, extremes.data_min_, extremes.data_max_)


def _refuse_unobserved_features(sequences: Sequences) -> None:
    is_observed = np.zeros(sequences.n_features, dtype=bool)
    for rows in sequences.blocks():
        is_observed |= ~np.isnan(rows).all(axis=0)
    if not is_observed.all():
        raise ValueError(
            f"Feature {is_observed.argmin()} of X has no observed value in any of the "
            f"{len(sequences)} sequences to train on; leave it out."
        )
