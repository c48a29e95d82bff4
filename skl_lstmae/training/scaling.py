"""Per-channel scaling, learned from the real, observed steps of the training sequences."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sklearn
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import get_tags

from skl_lstmae._warn import warn
from skl_lstmae.data.names import call_features
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

in_silence = np.errstate(all="ignore")
"""Decorator: what numpy would warn of ends in a refusal, or a warning, that names the feature."""

LARGEST = 1e18
"""Bound of a scaled value, whose square still is a finite float32."""

SMALLEST_RANGE = 1e-6
"""Scaled values that differ by less, or by less than this part of themselves, are hardly told apart
in float32."""

FAR_FROM_ZERO = 100
"""How many of its own units a mean is away from zero where scaling in float32 loses digits."""

LARGE_OFFSET = 1e5
"""How many times its own range an offset may be before it is taken away for StandardScaler, which
takes for constant what varies by less than it may have lost to rounding."""


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
    names : tuple of str, default=()
        Of the features, if they have any.
    left_out : ndarray of shape (n_features,), dtype bool, default=None
        Features that were not observed in training, and count as missing from then on; None if all
        were.
    """

    transformer: Any
    moments: Any
    extremes: Any
    names: tuple[str, ...] = ()
    left_out: np.ndarray | None = None

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
    @in_silence
    def transform(self, rows: np.ndarray) -> np.ndarray:
        """Scale rows to float32; missing values, and features that are left out, are NaN."""
        rows = self._filled(rows)
        if self._is_far_from_zero:
            rows = rows.astype(np.float64)
        scaled = np.asarray(self.transformer.transform(rows))
        self._refuse_lost(np.isnan(scaled) & ~np.isnan(rows), "NaN")
        scaled = np.clip(scaled, -LARGEST, LARGEST, dtype=np.float64).astype(np.float32)
        if self.left_out is not None:
            scaled[:, self.left_out] = np.nan
        return scaled

    @cached_property
    def _is_far_from_zero(self) -> bool:
        """Whether scaling in float32 would lose digits, which it does not beside float64 data."""
        means = self.moments.mean_[np.newaxis]
        usual = self.transformer.inverse_transform(means)
        units = np.abs(self.transformer.inverse_transform(means + 1) - usual)
        return bool((np.abs(usual) > FAR_FROM_ZERO * units).any())

    def inverse_transform(self, rows: np.ndarray) -> np.ndarray:
        """Return rows to the units of the input, in float64; NaN for features that are left out."""
        rows = self.transformer.inverse_transform(rows.astype(np.float64))
        if self.left_out is not None:
            rows[:, self.left_out] = np.nan
        return rows

    @arrays_out
    @in_silence
    def updated(self, sequences: Sequences) -> "Scaling":
        """Return the scaling of all data so far and these sequences, if it learns in parts."""
        scaling = self
        if hasattr(self.transformer, "partial_fit"):
            scaling = self.learned(sequences)
        return scaling.observed(sequences)

    def learned(self, sequences: Sequences) -> "Scaling":
        """Return a scaling by these sequences, too, or by them alone if it learns all at once."""
        transformer = deepcopy(self.transformer)
        if hasattr(transformer, "partial_fit"):
            for rows in self._blocks(sequences):
                take_in(transformer, rows)
        else:
            transformer.fit(np.concatenate(list(self._blocks(sequences))))
        return replace(self, transformer=transformer)

    def observed(self, sequences: Sequences) -> "Scaling":
        """Return the scaling that knows these sequences scaled, too; refuse it if some are lost."""
        moments, extremes = deepcopy(self.moments), deepcopy(self.extremes)
        for rows in self._blocks(sequences):
            scaled = np.asarray(self.transformer.transform(rows))
            self._refuse_lost(np.isnan(scaled) & ~np.isnan(rows), "NaN")
            self._refuse_lost(np.isinf(scaled), "infinity")
            take_in(moments, scaled)
            take_in(extremes, scaled)
        return replace(self, moments=moments, extremes=extremes)

    def refuse_other_width(self, sequences: Sequences) -> None:
        """Refuse a transformer that makes more features, or fewer, of these."""
        n_scaled = self.transformer.transform(self._filled(sequences[0])).shape[1]
        if n_scaled != sequences.n_features:
            raise ValueError(
                f"The scaler {self.transformer} makes {n_scaled} features of "
                f"{sequences.n_features}; it must keep their number."
            )

    def _refuse_lost(self, is_lost: np.ndarray, kind: str) -> None:
        if is_lost.any():
            lost = call_features(self.names, np.flatnonzero(is_lost.any(axis=0)))
            raise ValueError(
                f"The scaler {self.transformer} makes {kind} of finite values of {lost}; use one "
                "that is defined for all values that X may hold, or divide values that are too "
                "large for it."
            )

    def _filled(self, rows: np.ndarray) -> np.ndarray:
        """Return rows with zeros for features that are left out."""
        return rows if self.left_out is None else np.where(self.left_out, 0.0, rows)

    def _blocks(self, sequences: Sequences) -> Iterable[np.ndarray]:
        """Return each row once."""
        return map(self._filled, sequences.blocks())

    def warn_of_lost_features(self, sequences: Sequences) -> None:
        """Warn of features that vary, but whose scaled values float32 can hardly tell apart.

        Nor can it tell apart what is clipped.
        """
        magnitude = np.maximum(np.abs(self.low), np.abs(self.high))
        is_narrow = self.high - self.low < SMALLEST_RANGE * np.maximum(1, magnitude)
        is_alike = is_narrow | (magnitude > LARGEST)
        if not is_alike.any():
            return
        varies = np.zeros_like(is_alike)
        first = np.full(len(varies), np.nan)
        for rows in self._blocks(sequences):
            first = np.where(np.isnan(first), _first_observed(rows), first)
            varies |= (~np.isnan(rows) & (rows != first)).any(axis=0)
        lost = np.flatnonzero(is_alike & varies)
        if len(lost):
            warn(
                f"Values of {call_features(self.names, lost)} of X are hardly told apart once "
                f"{self.transformer} has scaled them; subtract their offset first, or multiply "
                "them so that they vary by about 1."
            )


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
@in_silence
def fit_scaling(
    scaler: Any,
    sequences: Sequences,
    names: tuple[str, ...] = (),
    *,
    refuses_empty: bool = False,
) -> Scaling:
    """Learn the scaling of `sequences` by a name in `SCALERS` or a transformer, which is cloned.

    Features that are not observed are left out, with a warning, or refused; `names` are those of
    the features.
    """
    transformer = make_transformer(scaler)
    moments, extremes = make_transformer("standard"), make_transformer("minmax")
    left_out = _unobserved_features(sequences, names, is_refused=refuses_empty)
    scaling = Scaling(transformer, moments, extremes, names, left_out).learned(sequences)
    scaling.refuse_other_width(sequences)
    scaling = scaling.observed(sequences)
    scaling.warn_of_lost_features(sequences)
    return scaling


def take_in(scaler: Any, rows: np.ndarray) -> None:
    """Call partial_fit; what is known of a feature that no row observes stays as it was.

    It is NaN until a row observes it.
    """
    observed = _observed_features(rows)
    before = vars(scaler).copy()
    unknown = _unknown_features(before, observed.shape)
    _learn_more(scaler, rows, observed)
    afresh = scaler
    if (observed & unknown).any():
        afresh = clone(scaler)
        _learn_more(afresh, rows, observed)
    for name, statistic in vars(scaler).items():
        if isinstance(statistic, np.ndarray) and statistic.shape == observed.shape:
            known = before.get(name, np.nan if statistic.dtype.kind == "f" else 0)
            news = np.where(unknown, getattr(afresh, name), statistic)
            setattr(scaler, name, np.where(observed, news, known))


def _unknown_features(statistics: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return of which features statistics are NaN, as no row has observed them yet."""
    unknown = np.zeros(shape, dtype=bool)
    for statistic in statistics.values():
        if isinstance(statistic, np.ndarray) and statistic.shape == shape:
            unknown |= np.isnan(statistic)
    return unknown


def _learn_more(scaler: Any, rows: np.ndarray, observed: np.ndarray) -> None:
    """Call partial_fit with rows of which some features may not be observed."""
    counts_observed = isinstance(scaler, sklearn.preprocessing.StandardScaler)
    if not counts_observed:
        rows = np.where(observed, rows, 0.0)
    with np.errstate(invalid="ignore"):
        if counts_observed and scaler.with_mean:
            _take_in_without_offset(scaler, rows)
        else:
            scaler.partial_fit(rows)


def _take_in_without_offset(scaler: Any, rows: np.ndarray) -> None:
    """Call partial_fit of a StandardScaler, without what rounding of a large offset would do."""
    first = np.nan_to_num(_first_observed(rows).astype(np.float64))
    span = np.maximum(np.nan_to_num(np.abs(rows - first)), 0).max(axis=0)
    offset = np.where(np.abs(first) > LARGE_OFFSET * span, first, 0.0)
    if not offset.any():
        scaler.partial_fit(rows)
        return
    if hasattr(scaler, "mean_"):
        scaler.mean_ = scaler.mean_ - offset
    scaler.partial_fit(rows - offset)
    scaler.mean_ = scaler.mean_ + offset


def _observed_features(rows: np.ndarray) -> np.ndarray:
    return ~np.isnan(rows).all(axis=0)


def _first_observed(rows: np.ndarray) -> np.ndarray:
    """Return the first observed value of each feature, or NaN if there is none."""
    is_observed = ~np.isnan(rows)
    return rows[is_observed.argmax(axis=0), np.arange(rows.shape[1])]


def _unobserved_features(
    sequences: Sequences, names: tuple[str, ...], *, is_refused: bool
) -> np.ndarray | None:
    """Return which features are not observed, with a warning or a refusal; None if all are."""
    is_observed = np.zeros(sequences.n_features, dtype=bool)
    for rows in sequences.blocks():
        is_observed |= _observed_features(rows)
    if is_observed.all():
        return None
    found = (
        f"X has no observed value of {call_features(names, np.flatnonzero(~is_observed))} to "
        "train on"
    )
    if is_refused:
        raise ValueError(
            f"{found}, which empty_features='refuse' refuses; leave the feature out, or pass "
            "sequences that have it."
        )
    warn(f"{found}: left out, and later values count as missing.")
    return ~is_observed
