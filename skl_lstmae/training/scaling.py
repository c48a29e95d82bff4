"""Per-channel scaling, learned from the real, observed steps of the training sequences."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import get_tags

from skl_lstmae.data.sequences import Sequences

SCALERS = {
    "standard": "StandardScaler",
    "minmax": "MinMaxScaler",
    "robust": "RobustScaler",
    None: "FunctionTransformer",
}
"""Names of classes in `sklearn.preprocessing`, which is imported when it is first used."""

arrays_out = config_context(transform_output="default")
"""Decorator: transformers return arrays, whatever frames the user has scikit-learn return."""

LARGEST = 1e18
"""Bound of a scaled value, whose square still is a finite float32."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """A fitted transformer of channels, with what it makes of the training data.

    Parameters
    ----------
    transformer : scikit-learn transformer
        Maps ``(n_rows, n_features)`` to the same shape, each row by itself, and back.
    moments : StandardScaler
        Holds the mean of the scaled training data.
    extremes : MinMaxScaler
        Holds the range of the scaled training data.
    """

    transformer: Any
    moments: Any
    extremes: Any

    @property
    def mean(self) -> np.ndarray:
        """Mean of each feature in scaled units, (n_features,)."""
        return self.moments.mean_

    @property
    def low(self) -> np.ndarray:
        """Smallest scaled value of each feature, (n_features,)."""
        return self.extremes.data_min_

    @property
    def high(self) -> np.ndarray:
        """Largest scaled value of each feature, (n_features,)."""
        return self.extremes.data_max_

    @arrays_out
    def transform(self, rows: np.ndarray) -> np.ndarray:
        """Scale rows to float32; missing values stay NaN."""
        scaled = np.asarray(self.transformer.transform(rows))
        if np.isnan(scaled).sum() > np.isnan(rows).sum():
            raise ValueError(
                f"The scaler {self.transformer} makes NaN of finite values; use one that is "
                "defined for all values that X may hold."
            )
        return np.clip(scaled, -LARGEST, LARGEST, dtype=np.float64).astype(np.float32)

    def inverse_transform(self, rows: np.ndarray) -> np.ndarray:
        """Return rows to the units of the input, in float64."""
        return self.transformer.inverse_transform(rows.astype(np.float64))

    @arrays_out
    def updated(self, sequences: Sequences) -> "Scaling":
        """Return the scaling of all data so far and these sequences, if it learns in parts."""
        scaling = deepcopy(self)
        if hasattr(scaling.transformer, "partial_fit"):
            for rows in _blocks(sequences):
                _take_in(scaling.transformer, rows)
        scaling._observe(sequences)
        return scaling

    def _observe(self, sequences: Sequences) -> None:
        for rows in _blocks(sequences):
            scaled = np.asarray(self.transformer.transform(rows))
            _take_in(self.moments, scaled)
            _take_in(self.extremes, scaled)


def make_transformer(scaler: Any) -> Any:
    """Return the unfitted transformer of a name in `SCALERS`, or a clone of one."""
    if scaler is None or isinstance(scaler, str):
        return getattr(sklearn.preprocessing, SCALERS[scaler])()
    return clone(scaler)


def learns_in_parts(scaler: Any) -> bool:
    """Tell whether a scaler can take in data in parts, or has nothing to learn."""
    try:
        transformer = make_transformer(scaler)
    except (KeyError, TypeError):
        return False  # no scaler at all, which the validation of parameters refuses
    return hasattr(transformer, "partial_fit") or not get_tags(transformer).requires_fit


@arrays_out
def fit_scaling(scaler: Any, sequences: Sequences) -> Scaling:
    """Learn the scaling of `sequences` by a name in `SCALERS` or a transformer, which is cloned."""
    transformer = make_transformer(scaler)
    _refuse_unobserved_features(sequences)
    if hasattr(transformer, "partial_fit"):
        for rows in _blocks(sequences):
            transformer.partial_fit(rows)
    else:
        transformer.fit(np.concatenate(list(sequences.blocks())))
    n_scaled = transformer.transform(sequences[0]).shape[1]
    if n_scaled != sequences.n_features:
        raise ValueError(
            f"The scaler {transformer} makes {n_scaled} features of {sequences.n_features}; "
            "it must keep their number."
        )
    moments, extremes = make_transformer("standard"), make_transformer("minmax")
    scaling = Scaling(transformer, moments, extremes)
    scaling._observe(sequences)
    return scaling


def _blocks(sequences: Sequences) -> Iterable[np.ndarray]:
    """Return each row once, in blocks that observe all features, or else in a single one.

    Of a feature that a block does not observe, scikit-learn's scalers would make NaN.
    """
    if all(_observed_features(rows).all() for rows in sequences.blocks()):
        return sequences.blocks()
    return [np.concatenate(list(sequences.blocks()))]


def _take_in(scaler: Any, rows: np.ndarray) -> None:
    """Call partial_fit; what is known of a feature that no row observes stays as it was."""
    observed = _observed_features(rows)
    before = vars(scaler).copy()
    counts_observed = isinstance(scaler, sklearn.preprocessing.StandardScaler)
    if not counts_observed:
        rows = np.where(observed, rows, 0.0)
    with np.errstate(invalid="ignore"):
        scaler.partial_fit(rows)
    for name, statistic in vars(scaler).items():
        if name in before and np.shape(statistic) == observed.shape:
            setattr(scaler, name, np.where(observed, statistic, before[name]))


def _observed_features(rows: np.ndarray) -> np.ndarray:
    return ~np.isnan(rows).all(axis=0)


def _refuse_unobserved_features(sequences: Sequences) -> None:
    is_observed = np.zeros(sequences.n_features, dtype=bool)
    for rows in sequences.blocks():
        is_observed |= _observed_features(rows)
    if not is_observed.all():
        raise ValueError(
            f"Feature {is_observed.argmin()} of X has no observed value in any of the "
            f"{len(sequences)} sequences to train on; leave it out."
        )
