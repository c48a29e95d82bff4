"""scikit-learn's own checks of an estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skl_lstmae import LSTMAutoencoderDetector

# A rate that flags some of the checks' 300 training points even after two epochs.
QUICK = {
    "hidden_size": 4,
    "latent_size": 2,
    "max_epochs": 2,
    "false_alarm_rate": 0.1,
    "device": "cpu",
}

DETECTORS = [
    LSTMAutoencoderDetector(**QUICK),
    LSTMAutoencoderDetector(**QUICK, scorer="mahalanobis", bottleneck="sequence"),
    LSTMAutoencoderDetector(**QUICK, scorer="error", early_stopping=False),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(DETECTORS)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)
