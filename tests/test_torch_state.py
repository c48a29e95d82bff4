"""What has been set in torch, by a user or a library, changes no detector, nor is it changed."""

import pickle
from contextlib import contextmanager

import pytest
import torch
from conftest import QUICK, fitted, make_ragged
from numpy.testing import assert_array_equal

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector

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
