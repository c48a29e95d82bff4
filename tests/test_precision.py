"""Training in bfloat16."""

import numpy as np
import pytest
import torch
from conftest import QUICK, exactly, make_ragged
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
)
from skl_lstmae.modules import LSTMAutoencoder, LSTMForecaster
from skl_lstmae.training import precision
from skl_lstmae.training.precision import computes_in_bfloat16, has_bfloat16, in_bfloat16

CPU = torch.device("cpu")
X = make_ragged(24)
ESTIMATORS = {
    "autoencoder": (LSTMAutoencoderDetector(**QUICK), None, "score_samples"),
    "forecaster": (LSTMForecastDetector(**QUICK), None, "score_samples"),
    "classifier": (LSTMClassifier(**QUICK), np.arange(24) % 3, "predict_proba"),
    "regressor": (LSTMRegressor(**QUICK), np.arange(24.0), "predict"),
}
needs_bfloat16 = pytest.mark.skipif(not has_bfloat16("cpu"), reason="torch refuses it on this CPU")


@needs_bfloat16
@pytest.mark.parametrize("name", ESTIMATORS)
def test_steps_are_rounded_but_weights_and_scores_are_not(name):
    estimator, y, score = ESTIMATORS[name]
    exact, rounded = (
        estimator.set_params(precision=each).fit(X, y).module_.state_dict()
        for each in ("float32", "bfloat16")
    )
    for weight, other in zip(exact.values(), rounded.values(), strict=True):
        assert other.dtype == torch.float32
        assert_allclose(other, weight, atol=0.05)
    assert any(not torch.equal(exact[key], rounded[key]) for key in exact)
    # Of more than the 8 bits of bfloat16.
    assert any(not torch.equal(w, w.bfloat16().float()) for w in rounded.values())
    scores = getattr(estimator, score)(X)
    assert_array_equal(getattr(estimator, score)(X[:5]), scores[:5])


OTHERS = {
    "sequence": LSTMAutoencoder(2, (8, 4), bottleneck="sequence", bidirectional="encoder"),
    "autoregressive": LSTMAutoencoder(2, 8, decoder="autoregressive"),
    "its own past": LSTMAutoencoder(2, 8, decoder="autoregressive", teacher_forcing=0.0),
    "stepwise": LSTMAutoencoder(2, 8, decoder="autoregressive", skip_connection=True),
    "both directions": LSTMAutoencoder(2, (8, 4), bidirectional="both", dropout=0.2),
    "max": LSTMAutoencoder(2, 8, bottleneck="max", output_activation="tanh"),
    "forecaster": LSTMForecaster(2, (8, 4)),
}


@needs_bfloat16
@pytest.mark.parametrize("name", OTHERS)
def test_any_network_of_ours_has_a_gradient_near_that_of_float32(name):
    network = OTHERS[name].train()
    generator = torch.Generator().manual_seed(0)
    network.reset_parameters(generator)
    x = torch.randn(4, 9, 2, generator=generator).clamp(-1, 1)
    lengths = torch.tensor([9, 7, 2, 1])
    gradients = []
    for forward in (network, in_bfloat16(network)):
        network.zero_grad()
        output = forward(x, lengths, torch.Generator().manual_seed(0))
        assert output.prediction.dtype == torch.float32
        (output.prediction - x).square().sum().backward()
        gradients.append(torch.cat([w.grad.flatten() for w in network.parameters()]))
    exact, rounded = gradients
    assert (rounded - exact).norm() < 0.05 * exact.norm()
    assert not torch.equal(rounded, exact)


@needs_bfloat16
def test_a_loss_of_probabilities_is_in_float32():
    detector = LSTMAutoencoderDetector(
        **QUICK,
        precision="bfloat16",
        scaler="minmax",
        loss="binary_cross_entropy",
        output_activation="sigmoid",
    )
    assert np.isfinite(detector.fit(X).score_samples(X)).all()


@needs_bfloat16
def test_the_trial_does_not_mind_what_is_set_around_it():
    has_bfloat16.cache_clear()
    with torch.inference_mode(), torch.device("meta"):
        assert has_bfloat16("cpu")


@pytest.fixture
def without(monkeypatch):
    """Have torch refuse to train LSTMs in bfloat16."""

    def refuse(*arguments, **options):
        raise RuntimeError("mkldnn_rnn: bf16 path needs the cpu support avx512bw")

    precision.has_bfloat16.cache_clear()
    monkeypatch.setattr(precision.torch, "autocast", refuse)
    yield
    precision.has_bfloat16.cache_clear()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_where_it_is_missing_it_is_refused_before_any_work(name, without):
    estimator, y, _ = ESTIMATORS[name]
    sentence = (
        "precision='bfloat16' cannot be used here: torch does not train LSTMs in bfloat16 on this "
        "'cpu' device; use precision='auto', which takes it only where it pays."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        estimator.set_params(precision="bfloat16").fit("no sequences", y)


@pytest.mark.parametrize(
    ("width", "multiplies", "device", "expected"),
    [
        (32, True, "cpu", True),
        (31, True, "cpu", False),
        (32, False, "cpu", False),
        (32, True, "cuda", False),
    ],
)
def test_auto_takes_it_where_it_is_known_to_pay(width, multiplies, device, expected, monkeypatch):
    monkeypatch.setattr(precision, "_multiplies_bfloat16", lambda: multiplies)
    monkeypatch.setattr(precision, "has_bfloat16", lambda device_type: True)
    network, device = LSTMAutoencoder(2, width), torch.device(device)
    assert computes_in_bfloat16("auto", network, device) is expected
    assert not computes_in_bfloat16("float32", network, device)
    assert computes_in_bfloat16("bfloat16", network, device)


def test_auto_is_float32_where_torch_refuses(without, monkeypatch):
    monkeypatch.setattr(precision, "_multiplies_bfloat16", lambda: True)
    assert not computes_in_bfloat16("auto", LSTMAutoencoder(2, 64), CPU)
