"""Sequences: the rates that clean data realise, and what is found where training data are not."""

import warnings
from typing import Any

import numpy as np

from benchmarks.detection.data import Case
from skl_lstmae import LSTMAutoencoderDetector

RATES = (0.05, 0.01)
ODD_SHARE = 0.06


def realised_rates(case: Case, seed: int, **parameters: Any) -> list[dict[str, Any]]:
    """Count the fresh normal sequences that are flagged, and the anomalies found."""
    detector = _fit(case.X_train, seed, parameters)
    return [{"rate": rate} | _count(detector, rate, case.X_test, case.is_anomaly) for rate in RATES]


def odd_in_training(case: Case, seed: int, **parameters: Any) -> dict[str, Any]:
    """Put anomalies among the training sequences, and say nothing of it."""
    rng = np.random.default_rng(seed)
    n_odd = round(ODD_SHARE / (1 - ODD_SHARE) * len(case.X_train))
    odd = rng.choice(np.flatnonzero(case.is_anomaly), n_odd, replace=False)
    X_train = [*case.X_train, *(case.X_test[i] for i in odd)]
    is_fresh = ~np.isin(np.arange(len(case.X_test)), odd)
    X_test = [x for x, fresh in zip(case.X_test, is_fresh, strict=True) if fresh]
    detector = _fit(X_train, seed, parameters)
    flagged = detector.predict(X_train[-n_odd:]) == -1
    counts = _count(detector, 0.01, X_test, case.is_anomaly[is_fresh])
    return counts | {"n_odd": n_odd, "odd_found": int(flagged.sum())}


def _fit(X: Any, seed: int, parameters: dict[str, Any]) -> LSTMAutoencoderDetector:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LSTMAutoencoderDetector(random_state=seed, **parameters).fit(X)


def _count(
    detector: LSTMAutoencoderDetector, rate: float, X: Any, is_anomaly: np.ndarray
) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flagged = detector.recalibrate(false_alarm_rate=rate).predict(X) == -1
    return {
        "n_normal": int((~is_anomaly).sum()),
        "false": int(flagged[~is_anomaly].sum()),
        "n_anomalous": int(is_anomaly.sum()),
        "true": int(flagged[is_anomaly].sum()),
    }
