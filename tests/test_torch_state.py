"""What has been set in torch, by a user or a library, changes no detector, nor is it changed."""

import copy
import io
import pickle
from contextlib import contextmanager

import joblib
import numpy as np
import pytest
import skops.io
import torch
from conftest import QUICK, fitted, make_ragged, make_series
from numpy.testing import assert_array_equal

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
)
from skl_lstmae.modules import LSTMAutoencoder

X = make_ragged()
DETECTORS = {
    "autoencoder": LSTMAutoencoderDetector(**QUICK, latent_size=2, decoder="autoregressive"),
    "forecaster": LSTMForecastDetector(**QUICK | {"hidden_size": (4, 4)}, dropout=0.2),
}


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SETTINGS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: default_dtype(torch.float64),
    "meta": lambda: torch.device("meta"),
}


def state():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", DETECTORS)
def test_fit_load_and_score_give_the_same_under_any_setting_and_leave_it(name, setting):
    detector = fitted(DETECTORS[name], X)
    expected, saved = detector.score_samples(X), pickle.dumps(detector)
    further = pickle.loads(saved).partial_fit(X).score_samples(X)
    with SETTINGS[setting]():
        before = state()
        again = fitted(DETECTORS[name], X)
        scores = again.score_samples(X), pickle.loads(saved).score_samples(X)
        assert state() == before
    assert_array_equal(scores, [expected, expected])
    # What was fitted under the setting can be used, and learn further, without it.
    assert_array_equal(again.score_samples(X), expected)
    assert_array_equal(again.partial_fit(X).score_samples(X), further)


def by_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def by_skops(estimator):
    saved = skops.io.dumps(estimator)
    return skops.io.loads(saved, trusted=skops.io.get_untrusted_types(data=saved))


WAYS = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "joblib": by_joblib,
    "skops": by_skops,
    "deepcopy": copy.deepcopy,
}
Y = np.arange(len(X)) % 2


class Unnamed(LSTMAutoencoder):
    """A network that is saved as it is, as no config can make it anew."""

    def __init__(self):
        super().__init__(2, hidden_size=4, latent_size=2)
        self.config = None


OWN = {name: value for name, value in QUICK.items() if name != "hidden_size"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("estimator", "X", "y"),
    [
        pytest.param(DETECTORS["autoencoder"], X, None, id="autoencoder"),
        pytest.param(DETECTORS["forecaster"], X, None, id="forecaster"),
        pytest.param(LSTMClassifier(**QUICK), X, Y, id="classifier"),
        pytest.param(LSTMRegressor(**QUICK), X, Y, id="regressor"),
        pytest.param(LSTMAutoencoderDetector(**OWN, network=Unnamed()), X, None, id="module"),
        pytest.param(
            SlidingWindowDetector(DETECTORS["autoencoder"], window_size=20),
            make_series(200),
            None,
            id="sliding",
        ),
    ],
)
def test_a_network_that_is_loaded_or_copied_under_inference_mode_has_gradients(
    way, estimator, X, y
):
    if way == "skops" and getattr(estimator, "network", None) is not None:
        pytest.skip("skops keeps no modules")
    estimator = fitted(estimator, X, y)
    with torch.inference_mode():
        again = WAYS[way](estimator)
    network = getattr(again, "detector_", again).module_
    network(torch.zeros(2, 20, 2)).prediction.sum().backward()
    assert any(weight.grad is not None for weight in network.parameters())
    assert not any(weight.is_inference() for weight in network.state_dict().values())
