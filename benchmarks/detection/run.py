"""Runs: one method with one seed on one case, a row of the table of results each."""

import time
import traceback
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import torch
from scipy.ndimage import maximum_filter1d
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from benchmarks.checkout import checked_out
from benchmarks.detection.data import DATASETS, SERIES, Case
from benchmarks.detection.methods import METHODS, VARIANTS
from benchmarks.detection.vus import vus_pr, vus_window


class Run(NamedTuple):
    dataset: str
    case: str
    method: str
    seed: int


FALSE_ALARM_RATES = (0.05, 0.01, 0.001)
"""Rates to ask for of detectors whose threshold can be set by one."""

FALSE_ALARM_RATE = 0.01
"""The default, of which more is told than of the others."""

COLUMNS = (
    *Run._fields,
    *("n_train", "n_test", "n_anomalies"),
    *("roc_auc", "average_precision", "vus_pr"),
    *("roc_auc_after", "average_precision_after", "vus_pr_after"),
    *("true_positives", "false_positives", "false_negatives", "true_negatives"),
    *("n_fresh", *(f"false_alarms_{rate}" for rate in FALSE_ALARM_RATES)),
    *("n_apart", "false_alarms_apart"),
    *("vus_window", "window_size", "n_epochs", "fit_seconds", "score_seconds", "commit"),
)


def run_all(runs: Iterable[Run], data: Path, out: Path, n_jobs: int) -> list[str]:
    """Run what the table has not, each on one thread, and return what went wrong."""
    missing = missing_runs(runs, out)
    files = {name: DATASETS[name].files(data) for name in {run.dataset for run in missing}}
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(columns=COLUMNS).to_csv(out, index=False)
    with joblib.parallel_config("loky", n_jobs=n_jobs, inner_max_num_threads=1):
        failures = joblib.Parallel(verbose=5 if n_jobs > 1 else 0)(
            joblib.delayed(_run_into)(run, files[run.dataset][run.case], out) for run in missing
        )
    return [failure for failure in failures if failure]


def missing_runs(runs: Iterable[Run], out: Path) -> list[Run]:
    """Leave out what the table has already."""
    if not out.exists():
        return list(runs)
    table = pd.read_csv(out, dtype={"case": str})
    if tuple(table.columns) != COLUMNS:
        raise ValueError(f"{out} has other columns than this benchmark; choose another --out.")
    done = set(table[list(Run._fields)].itertuples(index=False, name=None))
    return [run for run in runs if run not in done]


def _run_into(run: Run, file: Path, out: Path) -> str | None:
    """Append the row as soon as it is there, from whichever process; or tell what went wrong."""
    try:
        row = run_one(run, DATASETS[run.dataset].load(file))
    except Exception:
        return f"{' '.join(map(str, run))}:\n{traceback.format_exc()}"
    pd.DataFrame([row], columns=COLUMNS).to_csv(out, mode="a", header=False, index=False)
    return None


def run_one(run: Run, case: Case) -> dict[str, Any]:
    """Fit, score and judge."""
    torch.set_num_threads(1)
    detector = (METHODS | VARIANTS)[run.method](case)
    seeds = [name for name in detector.get_params() if name.endswith("random_state")]
    detector.set_params(**dict.fromkeys(seeds, run.seed))
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        detector.fit(case.X_train)
    fitted = time.perf_counter()
    decisions = detector.decision_function(case.X_test)
    # An offset that follows the scores of a series would have a say in their order.
    scores = getattr(detector, "score_samples", detector.decision_function)(case.X_test)
    scored = time.perf_counter()
    inner = getattr(detector, "detector_", detector)
    return run._asdict() | {
        "n_train": len(case.X_train),
        "n_test": len(case.X_test),
        "n_anomalies": case.is_anomaly.sum(),
        **judge(case, scores, decisions),
        **count_false_alarms(detector, case, decisions),
        "window_size": getattr(detector, "window_size_", None),
        "n_epochs": getattr(inner, "n_epochs_", None),
        "fit_seconds": round(fitted - start, 3),
        "score_seconds": round(scored - fitted, 3),
        "commit": checked_out(),
    }


def judge(case: Case, scores: np.ndarray, decisions: np.ndarray) -> dict[str, Any]:
    """Compute the measures, over all test samples and over those after the training part."""
    counts = confusion_matrix(case.is_anomaly, decisions < 0, labels=[False, True])
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    measures = dict(zip(names, counts.ravel().tolist(), strict=True))
    window = vus_window(case.X_test[:, 0]) if case.kind == SERIES else None
    parts = {"": slice(None)} | ({"_after": slice(case.n_seen, None)} if case.n_seen else {})
    for suffix, part in parts.items():
        labels, oddness = case.is_anomaly[part], -scores[part]
        measures[f"roc_auc{suffix}"] = roc_auc_score(labels, oddness)
        measures[f"average_precision{suffix}"] = average_precision_score(labels, oddness)
        if window is not None:
            measures[f"vus_pr{suffix}"] = vus_pr(labels, oddness, window)
    return measures | {"vus_window": window}


def count_false_alarms(detector: Any, case: Case, decisions: np.ndarray) -> dict[str, int]:
    """Count the fresh normal samples that are flagged at each rate asked for.

    Normal rows beside an anomaly have windows that hold part of it. Those apart have none.
    """
    if not hasattr(detector, "recalibrate"):
        return {}
    is_fresh = ~case.is_anomaly & (np.arange(len(decisions)) >= case.n_seen)
    reach = 2 * getattr(detector, "window_size_", 1) - 1
    is_apart = is_fresh & ~maximum_filter1d(case.is_anomaly, reach, mode="constant")
    counts = {"n_fresh": int(is_fresh.sum()), "n_apart": int(is_apart.sum())}
    for rate in FALSE_ALARM_RATES:
        is_flagged = detector.recalibrate(false_alarm_rate=rate).predict(case.X_test) == -1
        counts[f"false_alarms_{rate}"] = int(is_flagged[is_fresh].sum())
        if rate == FALSE_ALARM_RATE:
            counts["false_alarms_apart"] = int(is_flagged[is_apart].sum())
    return counts
