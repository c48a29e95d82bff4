"""scikit-learn's own checks of an estimator; run as a script, counts how many pass."""

import warnings
from collections import Counter

import pytest
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMForecastDetector,
    SlidingWindowDetector,
)

# A rate that flags some of the checks' 300 training points even after two epochs.
QUICK = {
    "hidden_size": 4,
    "max_epochs": 2,
    "false_alarm_rate": 0.1,
    "device": "cpu",
}
NARROW = QUICK | {"latent_size": 2}

DETECTORS = [
    LSTMAutoencoderDetector(**NARROW),
    LSTMAutoencoderDetector(**NARROW, scorer="mahalanobis", bottleneck="sequence"),
    LSTMAutoencoderDetector(**NARROW, scorer="error", early_stopping=False),
    LSTMAutoencoderDetector(**NARROW, scorer="error_max", bidirectional="both", contamination=0.1),
    LSTMAutoencoderDetector(
        **NARROW,
        decoder="autoregressive",
        bidirectional="encoder",
        skip_connection=True,
        scaler="robust",
    ),
    LSTMForecastDetector(**QUICK),
    LSTMForecastDetector(**QUICK, scorer="mahalanobis", scaler="robust", contamination=0.1),
    SlidingWindowDetector(
        LSTMAutoencoderDetector(**NARROW),
        window_size=3,
        aggregation="min",
        false_alarm_rate=0.4,
    ),
    SlidingWindowDetector(IsolationForest(n_estimators=10)),
]


def expected_failures(detector):
    """Return why a detector cannot pass checks that take the rows of X for independent."""
    if not isinstance(detector, SlidingWindowDetector):
        return {}
    return dict.fromkeys(
        ["check_methods_sample_order_invariance", "check_methods_subset_invariance"],
        "a row is judged by its neighbours in time",
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:y holds labels 0 and 1")  # the checks' y, for all estimators
@parametrize_with_checks(DETECTORS, expected_failed_checks=expected_failures)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def print_counts():
    """Print a row a detector: how many checks passed, failed, were skipped or expected to fail."""
    print(f"scikit-learn {sklearn.__version__}")
    print("   run  passed  failed  skipped  xfail  estimator")
    for detector in DETECTORS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", "y holds labels 0 and 1")
            results = check_estimator(
                detector,
                on_skip=None,
                on_fail=None,
                expected_failed_checks=expected_failures(detector),
            )
        counts = Counter(result["status"] for result in results)
        columns = [f"{counts[status]:>6}" for status in ("passed", "failed", "skipped", "xfail")]
        print(f"{len(results):>6}  {'  '.join(columns)}  {' '.join(repr(detector).split())}")


if __name__ == "__main__":
    print_counts()
