"""Long series: how many normal rows are flagged, and what of the anomalies is found."""

import warnings
from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter1d

from benchmarks.decisions.rules import SIMPLE_RULES
from benchmarks.detection.data import Case
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.detectors.row_judge import follow

N_SHIFTS = 50

STREAM_RATES = (0.002, 0.005, 0.02, 0.03, 0.05, 0.1, 0.2)
"""Rates of streams, of which the best for all of NAB's files is the one tuned over the corpus."""


def judge_series(case: Case, seed: int, **parameters: Any) -> list[dict[str, Any]]:
    """Fit with defaults, and count for each rule the alarms on the rows after the training part."""
    inner = LSTMAutoencoderDetector(**parameters)
    detector = SlidingWindowDetector(inner, random_state=seed)
    X_test, is_anomaly = case.X_test[case.n_seen :], case.is_anomaly[case.n_seen :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.fit(case.X_train)
        size = detector.window_size_
        trained, scores = detector.score_samples(case.X_train), detector.score_samples(X_test)
        # A monitor that has been on since the training.
        streamed = detector.stream().push(np.concatenate([case.X_train[-size:], X_test]))
        alarms = {
            "adaptive": detector.predict(X_test) == -1,
            "fixed": scores < detector.offset_,
            **{name: rule(trained, scores, size) for name, rule in SIMPLE_RULES.items()},
            "stream": stream_alarms(detector, streamed),
        }
        for rate in STREAM_RATES:
            detector.recalibrate(false_alarm_rate=rate)
            alarms[f"stream at {rate}"] = stream_alarms(detector, streamed)
    return [
        {"rule": name, **count(flags, is_anomaly, size), "onsets": onsets(flags, size)}
        for name, flags in alarms.items()
    ]


def stream_alarms(detector: SlidingWindowDetector, scores: np.ndarray) -> np.ndarray:
    """Return what `predict` of a stream with these scores tells of its rows after one window.

    At any of the detector's rates the scores are the same, and most of the time goes into them.
    """
    judge = detector._judge
    scores = scores[judge.size - 1 :]
    offsets = follow(judge.singles.adaptive(judge.size), scores, judge.worst)
    return (scores < offsets)[1:]


def onsets(flags: np.ndarray, size: int) -> list[int]:
    """Return the first rows of alarms, none within a window of the one before."""
    kept: list[int] = []
    for row in np.flatnonzero(flags & ~np.append(False, flags[:-1])):
        if not kept or row - kept[-1] > size:
            kept.append(int(row))
    return kept


def count(flags: np.ndarray, is_anomaly: np.ndarray, size: int) -> dict[str, Any]:
    """Count rows apart from anomalies, anomalous rows and events; these also by shifted alarms."""
    is_apart = ~maximum_filter1d(is_anomaly, 2 * size + 1, mode="constant")
    if is_apart.sum() < size:
        is_apart = ~is_anomaly
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_anomaly.astype(int), [0]])))
    events = edges.reshape(-1, 2)
    shifts = np.random.default_rng(0).integers(len(flags), size=N_SHIFTS)
    by_chance = np.mean([_found(np.roll(flags, shift), events) for shift in shifts])
    return {
        "n_normal": int(is_apart.sum()),
        "false": int(flags[is_apart].sum()),
        "n_beside": int((~is_anomaly).sum()),
        "false_beside": int(flags[~is_anomaly].sum()),
        "n_anomalous": int(is_anomaly.sum()),
        "true": int(flags[is_anomaly].sum()),
        "n_events": len(events),
        "found": _found(flags, events),
        "by_chance": float(by_chance),
        "n_rows": len(flags),
    }


def _found(flags: np.ndarray, events: np.ndarray) -> int:
    before = np.concatenate([[0], np.cumsum(flags)])
    return int((before[events[:, 1]] > before[events[:, 0]]).sum())
