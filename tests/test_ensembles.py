"""Several networks beside each other in one detector."""

import pickle

import numpy as np
import pytest
import torch
from conftest import QUICK, exactly, make_ragged, make_series
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    SlidingWindowDetector,
)
from skl_lstmae.modules import LSTMAutoencoder, LSTMForecaster, LSTMPredictor, NetworkEnsemble

THREE = QUICK | {"n_networks": 3}
OWN = {name: value for name, value in QUICK.items() if name != "hidden_size"}
"""What a network of the user's goes with."""


@pytest.fixture(scope="module")
def X():
    return make_ragged()


@pytest.fixture(scope="module", params=[LSTMAutoencoderDetector, LSTMForecastDetector])
def detector(request, X):
    return request.param(**THREE).fit(X)


def batch(n_features=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 9, n_features, generator=generator), torch.tensor([9, 9, 7, 4, 1])


@pytest.mark.parametrize("kind", [LSTMAutoencoder, LSTMForecaster])
def test_predictions_are_averaged_and_latents_stand_side_by_side(kind):
    ensemble = NetworkEnsemble(kind, 3, input_size=2, hidden_size=4).eval()
    whole = ensemble(*batch())
    parts = [network(*batch()) for network in ensemble.networks]
    mean = torch.stack([part.prediction for part in parts]).mean(dim=0)
    torch.testing.assert_close(whole.prediction, mean, rtol=0, atol=0)
    for field in ("latent", "states"):
        joined = torch.cat([getattr(part, field) for part in parts], dim=-1)
        torch.testing.assert_close(getattr(whole, field), joined, rtol=0, atol=0)
    assert len({tuple(part.latent.flatten().tolist()) for part in parts}) == 3


def test_each_network_learns_by_a_loss_of_its_own():
    ensemble = NetworkEnsemble(LSTMAutoencoder, 2, input_size=2, hidden_size=4, noise=0.0)
    x, lengths = batch()
    prediction = ensemble.train()(x, lengths).prediction
    assert prediction.shape == (2, *x.shape)
    (prediction - x).square().mean(dim=0).sum().backward()
    one = ensemble.networks[0]
    found = [weight.grad.clone() for weight in one.parameters()]
    one.zero_grad()
    (one(x, lengths).prediction - x).square().sum().backward()
    for half, weight in zip(found, one.parameters(), strict=True):
        torch.testing.assert_close(2 * half, weight.grad)


def test_a_detector_of_several_networks_does_all_that_one_does(detector, X):
    assert isinstance(detector.module_, NetworkEnsemble)
    if hasattr(detector, "transform"):
        width = detector.module_.networks[0].latent_size
        assert detector.transform(X).shape == (len(X), 3 * width)
        assert len(detector.get_feature_names_out()) == 3 * width
    scores = detector.score_samples(X)
    assert_array_equal(
        np.concatenate([detector.score_samples(X[i : i + 5]) for i in (0, 5)]), scores[:10]
    )
    assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(X), scores)
    again = type(detector)(**THREE).fit(X)
    assert_array_equal(again.score_samples(X), scores)
    more = again.partial_fit(X)
    assert len(more.loss_curve_) == QUICK["max_epochs"] + 1
    assert not np.array_equal(more.score_samples(X), scores)


def test_forecasts_are_those_of_the_networks_averaged(X):
    detector = LSTMForecastDetector(**THREE).fit(X)
    found = detector.forecast(X[:1], n_steps=3)
    alone = []
    for network in detector.module_.networks:
        one = LSTMForecastDetector(**OWN | {"max_epochs": 0}, network=network)
        alone.append(one.fit(X).forecast(X[:1], n_steps=3))
    assert_allclose(found, np.mean(alone, axis=0), rtol=1e-5, atol=1e-7)  # of numbers near 0.2


def test_latents_are_decoded_by_their_own_networks(X):
    detector = LSTMAutoencoderDetector(**THREE).fit(X)
    lengths = [len(one) for one in X]
    decoded = detector.inverse_transform(detector.transform(X), lengths=lengths)
    for found, expected in zip(decoded, detector.reconstruct(X), strict=True):
        assert_allclose(found, expected, atol=1e-5)


def test_a_long_sequence_is_read_in_chunks_as_by_one_network(monkeypatch):
    X = make_series(400)
    detector = LSTMForecastDetector(**THREE).fit(X[np.newaxis])
    at_once = detector.score_samples(X[np.newaxis])
    monkeypatch.setattr("skl_lstmae.training.calls.MAX_SCORING_FLOATS", 4 * 150)
    assert_array_equal(detector.score_samples(X[np.newaxis]), at_once)


def test_scores_depend_less_on_the_random_state(X):
    def spread(n_networks):
        parameters = QUICK | {"n_networks": n_networks, "contamination": 0.1}  # holds nothing out
        scores = [
            LSTMAutoencoderDetector(**parameters | {"random_state": state}).fit(X).score_samples(X)
            for state in range(5)
        ]
        logs = np.log(-np.array(scores))
        logs -= logs.mean(axis=1, keepdims=True)  # a common factor changes no order
        return logs.std(axis=0).mean()

    assert spread(5) < 0.7 * spread(1)


def test_a_function_makes_each_network(X):
    def make(n_features, kept=[]):  # noqa: B006 - it returns the same object each time
        kept.append(LSTMAutoencoder(n_features, hidden_size=4))
        return kept[0]

    module = LSTMAutoencoderDetector(**OWN, n_networks=3, network=make).fit(X).module_
    assert (
        len(
            {
                float(network.encoder.layers[0].onward.weight_ih_l0.detach().sum())
                for network in module.networks
            }
        )
        == 3
    )


@pytest.mark.parametrize(
    ("parameters", "error", "sentence"),
    [
        (
            {"network": LSTMAutoencoder(2, hidden_size=4)},
            ValueError,
            "n_networks=3, but network is a LSTMAutoencoder, a single one; pass a function that "
            "makes networks, each with weights of its own.",
        ),
        (
            {"network": lambda n: nn.Linear(n, 2)},
            TypeError,
            "network is, or makes, a Linear; expected a subclass of "
            "skl_lstmae.modules.SequenceNetwork, whose forward(x, lengths, generator) returns an "
            'Output: see "A network of your own" on the page of architectures.',
        ),
    ],
)
def test_what_makes_no_networks_is_refused(parameters, error, sentence, X):
    with pytest.raises(error, match=exactly(sentence)):
        LSTMAutoencoderDetector(**OWN, n_networks=3, **parameters).fit(X)


@pytest.mark.parametrize("network", [None, lambda n: LSTMAutoencoder(n, hidden_size=4)])
def test_another_number_of_networks_needs_a_fit_of_its_own(network, X):
    parameters = QUICK if network is None else OWN
    detector = LSTMAutoencoderDetector(**parameters, network=network, warm_start=True).fit(X)
    before = detector.score_samples(X)
    detector.set_params(n_networks=2)
    sentence = (
        "Learning would go on with a network of n_networks=1, but n_networks=2 is asked for; fit "
        "with warm_start=False to start with a new one."
    )
    for method in (detector.fit, detector.partial_fit):
        with pytest.raises(ValueError, match=exactly(sentence)):
            method(X)
    assert_array_equal(detector.score_samples(X), before)


def test_a_classifier_begins_with_the_first_of_them(X):
    detector = LSTMAutoencoderDetector(**THREE).fit(X)
    classifier = LSTMClassifier(
        **QUICK | {"max_epochs": 1, "learning_rate": 1e-9, "init": detector}
    ).fit(X, np.arange(len(X)) % 2)
    found = classifier.module_.encoder.layers[0].onward.weight_hh_l0
    first = detector.module_.networks[0].encoder.layers[0].onward.weight_hh_l0
    torch.testing.assert_close(found, first, atol=1e-6, rtol=0)


def test_a_file_of_onnx_gives_the_same(detector, X, tmp_path):
    pytest.importorskip("spox")
    runtime = pytest.importorskip("onnxruntime")
    detector.export_onnx(tmp_path / "detector.onnx")
    session = runtime.InferenceSession(tmp_path / "detector.onnx")
    x = np.stack([np.pad(one, ((0, 20 - len(one)), (0, 0))) for one in X])
    lengths = np.array([len(one) for one in X])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"x": x, "lengths": lengths}), strict=True))
    error = "reconstruction_error" if hasattr(detector, "transform") else "prediction_error"
    assert_allclose(found["error"], getattr(detector, error)(X), rtol=1e-4)
    if hasattr(detector, "transform"):
        assert_allclose(found["latent"], detector.transform(X), atol=1e-5)
        assert_allclose(found["score"], detector.score_samples(X), rtol=1e-4)


def test_windows_are_judged_by_several_networks():
    X = make_series(200)
    inner = LSTMAutoencoderDetector(**THREE)
    detector = SlidingWindowDetector(inner, window_size=10).fit(X)
    assert len(detector.detector_.module_.networks) == 3
    assert detector.score_samples(X).shape == (200,)


def test_a_function_may_make_an_ensemble_which_goes_on(X):
    def make(n_features):
        return NetworkEnsemble(LSTMAutoencoder, 2, input_size=n_features, hidden_size=4)

    one = LSTMAutoencoderDetector(**OWN, network=make).fit(X)
    assert one.partial_fit(X).module_.n_networks == 2
    several = LSTMAutoencoderDetector(**OWN, network=make, n_networks=2).fit(X)
    assert_allclose(several.loss_curve_[0], one.loss_curve_[0], rtol=0.3)  # a mean, not a sum


def test_a_classifier_refuses_networks_whose_predictions_are_averaged(X):
    def make(n_features, n_outputs):
        return NetworkEnsemble(
            LSTMPredictor, 3, input_size=n_features, output_size=n_outputs, hidden_size=4
        )

    with pytest.raises(ValueError, match="pass a function that makes a single network"):
        LSTMClassifier(**OWN, network=make).fit(X, np.arange(len(X)) % 2)
