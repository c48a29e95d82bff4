"""scikit-learn's own checks of an estimator; run as a script, counts how many pass."""

import sys
import warnings
from collections import Counter

import numpy as np
import pytest
import sklearn
from conftest import QUICK
from sklearn.ensemble import IsolationForest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_estimator,
    check_outlier_contamination,
    check_outliers_fit_predict,
    check_outliers_train,
    parametrize_with_checks,
)

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
)


class WorstCell:
    """A scorer of the user's own, whose repr is the same in every process, as tests' names are."""

    def __call__(self, errors, latents):
        return [-np.nanmax(sequence) for sequence in errors]

    def __repr__(self):
        return "WorstCell()"


# A rate that flags some of the checks' 300 training points even after two epochs.
FAST = QUICK | {"max_epochs": 2, "batch_size": 32, "false_alarm_rate": 0.1, "random_state": None}
NARROW = FAST | {"latent_size": 2}
TABLES = {"window_size": 3, "aggregation": "min", "false_alarm_rate": 0.4, "threshold": "fixed"}

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
    LSTMAutoencoderDetector(**NARROW, scorer=WorstCell(), bottleneck="last"),
    LSTMForecastDetector(**FAST),
    LSTMForecastDetector(**FAST, scorer="mahalanobis", scaler="robust", contamination=0.1),
    SlidingWindowDetector(LSTMAutoencoderDetector(**NARROW), **TABLES),
    SlidingWindowDetector(LSTMForecastDetector(**FAST), **TABLES),
    SlidingWindowDetector(
        IsolationForest(n_estimators=10), false_alarm_rate=0.2, threshold="fixed"
    ),
]


# What they learn is checked, too, for which a few epochs are too few.
PREDICTORS = [
    LSTMClassifier(hidden_size=8, learning_rate=0.05, max_epochs=12, batch_size=100, device="cpu"),
    LSTMRegressor(hidden_size=16, learning_rate=0.05, max_epochs=40, batch_size=100, device="cpu"),
]


def expected_failures(detector):
    """Return why a detector cannot pass checks that take the rows of X for independent."""
    if not isinstance(detector, SlidingWindowDetector):
        return {}
    neighbours = "a row is judged by its neighbours in time"
    return {
        "check_methods_sample_order_invariance": neighbours,
        "check_methods_subset_invariance": neighbours,
        "check_sample_weight_equivalence_on_dense_data": (
            "a row's weight does not repeat it: rows are a series"
        ),
    }


# The checks' X is noise, after two epochs some of which is unlike the rest.
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:y holds labels 0 and 1")  # the checks' y, for all estimators
@pytest.mark.filterwarnings("ignore:Each row of X is read as")  # neither is X of sequences
@parametrize_with_checks([*DETECTORS, *PREDICTORS], expected_failed_checks=expected_failures)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Each row of X is read as")
@pytest.mark.filterwarnings(
    "ignore:Set aside as unlike the others"
)  # the outliers, which there are
@pytest.mark.parametrize(
    "check", [check_outliers_train, check_outliers_fit_predict, check_outlier_contamination]
)
@pytest.mark.parametrize(
    "detector_type", [LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector]
)
def test_checks_of_outlier_detectors_pass_with_default_parameters(detector_type, check):
    check(detector_type.__name__, detector_type())


@pytest.mark.parametrize("detector", [LSTMAutoencoderDetector(), LSTMForecastDetector()])
def test_tags_say_what_input_may_be(detector):
    tags = get_tags(detector)
    assert tags.estimator_type == "outlier_detector"
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert tags.input_tags.allow_nan
    assert not tags.input_tags.sparse
    if hasattr(detector, "transform"):
        assert tags.transformer_tags.preserves_dtype == []


def print_counts():
    """Print a row a detector: how many checks passed, failed, were skipped or expected to fail.

    Return how many failed.
    """
    n_failed = 0
    print(f"scikit-learn {sklearn.__version__}")
    print("   run  passed  failed  skipped  xfail  estimator")
    for detector in [*DETECTORS, LSTMClassifier(), LSTMRegressor()]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = check_estimator(
                detector,
                on_skip=None,
                on_fail=None,
                expected_failed_checks=expected_failures(detector),
            )
        counts = Counter(result["status"] for result in results)
        n_failed += counts["failed"]
        columns = [f"{counts[status]:>6}" for status in ("passed", "failed", "skipped", "xfail")]
        print(f"{len(results):>6}  {'  '.join(columns)}  {' '.join(repr(detector).split())}")
    return n_failed


if __name__ == "__main__":
    sys.exit(print_counts())
