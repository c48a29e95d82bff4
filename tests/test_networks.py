"""Networks of one's own: the contract, and what detectors do with those that keep it."""

import copy
import pickle
from functools import partial

import cloudpickle
import numpy as np
import pytest
import torch
from conftest import QUICK, exactly, fitted, make_ragged
from numpy.testing import assert_array_equal
from sklearn.base import clone
from torch import nn
from torch.nn.functional import pad
from torch.nn.utils import parameters_to_vector

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector
from skl_lstmae.modules import (
    LSTMAutoencoder,
    LSTMForecaster,
    LSTMPredictor,
    Output,
    SequenceNetwork,
    check_lengths,
    keeps_config,
    mean_step,
    real_steps,
)

OWN = {name: value for name, value in QUICK.items() if name != "hidden_size"}
"""Such parameters beside a network of one's own."""

X, X_MORE = make_ragged(), make_ragged(seed=1)


class Mixed(SequenceNetwork):
    """An autoencoder of layers of many kinds, and torch's own dropout."""

    def __init__(self, input_size, latent_size=4):
        super().__init__()
        self.input_size, self.latent_size = input_size, latent_size
        self.conv = nn.Conv1d(input_size, 8, 3, padding=1)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.bottleneck = nn.Linear(8, latent_size)
        self.decoder = nn.GRU(latent_size, 8, batch_first=True)
        self.head = nn.Linear(8, input_size)

    def forward(self, x, lengths=None, generator=None):
        lengths = check_lengths(x, lengths)
        real = real_steps(x, lengths)
        states = self.conv((x * real.unsqueeze(2)).transpose(1, 2)).transpose(1, 2)
        states = self.norm(states)
        states, _ = self.attention(states, states, states, key_padding_mask=~real)
        latent = self.bottleneck(mean_step(self.dropout(states), lengths))
        repeated = latent.unsqueeze(1).expand(-1, x.shape[1], -1)
        return Output(self.head(self.decoder(repeated)[0]), latent, states)


class Causal(SequenceNetwork):
    """A forecaster that keeps no state between calls."""

    is_causal = True

    def __init__(self, input_size):
        super().__init__()
        self.input_size, self.latent_size = input_size, 8
        self.gru = nn.GRU(input_size, 8, batch_first=True)
        self.head = nn.Linear(8, input_size)

    def forward(self, x, lengths=None, generator=None):
        states, _ = self.gru(pad(x[:, :-1], (0, 0, 1, 0)))
        return Output(self.head(states), states, states)


EVERY_LAYER = partial(LSTMAutoencoder, bottleneck="sequence", bidirectional="encoder")
EVERY_OUTPUT = partial(LSTMPredictor, output_size=2)


@pytest.mark.parametrize("make", [Mixed, Causal, EVERY_LAYER, LSTMForecaster, EVERY_OUTPUT])
def test_a_generator_alone_determines_the_first_weights(make):
    network, state = make(3), torch.get_rng_state()

    def drawn(seed):
        network.reset_parameters(torch.Generator().manual_seed(seed))
        return parameters_to_vector(network.parameters())

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))
    assert torch.equal(torch.get_rng_state(), state)


every_detector = pytest.mark.parametrize(
    ("kind", "make"), [(LSTMAutoencoderDetector, Mixed), (LSTMForecastDetector, Causal)]
)


@every_detector
def test_a_random_state_determines_networks_whatever_torchs_global_generator(kind, make):
    detectors = []
    for seed in range(2):
        state = torch.manual_seed(seed).get_state()
        detectors.append(fitted(kind(**OWN, network=make), X).partial_fit(X_MORE))
        assert torch.equal(torch.get_rng_state(), state)
    one, other = (parameters_to_vector(detector.module_.parameters()) for detector in detectors)
    assert torch.equal(one, other)
    other = fitted(kind(**OWN | {"random_state": 1}, network=make), X).partial_fit(X_MORE)
    assert not torch.equal(one, parameters_to_vector(other.module_.parameters()))


@every_detector
def test_a_detector_with_a_network_of_ones_own_is_saved_and_goes_on(kind, make):
    detector = fitted(kind(**OWN, network=make), X)
    loaded = pickle.loads(pickle.dumps(detector))
    assert_array_equal(loaded.score_samples(X), detector.score_samples(X))
    for one in (detector, loaded):
        one.partial_fit(X_MORE)
    assert detector.n_epochs_ == 5
    assert_array_equal(loaded.score_samples(X), detector.score_samples(X))


@every_detector
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
def test_a_trained_network_keeps_its_weights_if_there_is_no_epoch(kind, make):
    network = fitted(kind(**OWN, network=make), X).module_
    detector = kind(**OWN | {"max_epochs": 0}, network=network).fit(X)
    expected = parameters_to_vector(network.parameters())
    assert torch.equal(parameters_to_vector(detector.module_.parameters()), expected)
    assert detector.module_ is not network
    assert np.isfinite(detector.score_samples(X)).all()


class KeptAutoencoder(Mixed):
    """Its arguments are kept, so that a file holds them rather than the module."""

    __init__ = keeps_config(Mixed.__init__)


def test_what_a_factory_keeps_is_not_changed_by_a_fit():
    trained = Mixed(X[0].shape[1])
    expected = parameters_to_vector(trained.parameters()).clone()
    fitted(LSTMAutoencoderDetector(**OWN, network=lambda n_features: trained), X)
    assert torch.equal(parameters_to_vector(trained.parameters()), expected)


class Subclass(LSTMAutoencoder):
    """Has other arguments than the class whose arguments are kept."""

    def __init__(self, n_features):
        super().__init__(n_features, hidden_size=4, latent_size=2)


class Positioned(Subclass):
    """Draws a parameter of its own without the generator."""

    def __init__(self, n_features):
        super().__init__(n_features)
        self.position = nn.Parameter(torch.zeros(3))

    def reset_parameters(self, generator=None):
        super().reset_parameters(generator)
        if hasattr(self, "position"):
            nn.init.normal_(self.position)


def test_a_subclass_with_arguments_of_its_own_is_saved_and_drawn_from_the_generator():
    one, other = (fitted(LSTMAutoencoderDetector(**OWN, network=Positioned), X) for _ in "ab")
    assert torch.equal(one.module_.position, other.module_.position)
    assert one.module_.position.any()
    loaded = pickle.loads(pickle.dumps(one))
    assert_array_equal(loaded.score_samples(X), one.score_samples(X))


def test_a_network_that_cannot_decode_has_no_inverse_transform():
    for network in (Mixed, KeptAutoencoder):
        detector = fitted(LSTMAutoencoderDetector(**OWN, network=network), X)
        assert not hasattr(detector, "inverse_transform")
        assert_array_equal(pickle.loads(pickle.dumps(detector)).transform(X), detector.transform(X))


@torch.inference_mode()
def test_a_network_without_a_state_reads_all_of_the_past_anew():
    network, lengths = Causal(3).eval(), torch.tensor([9, 4, 7])
    x = torch.randn(3, 9, 3)
    first, past = network.resume(x[:, :3])
    second, past = network.resume(x[:, 3:], lengths - 3, past)
    forecast = network.forecast(past, n_steps=2)
    for i, length in enumerate(lengths):
        whole = network(torch.cat([x[i, :length], forecast[i]]).unsqueeze(0))
        for part, early, late in zip(whole, first, second, strict=True):
            in_pieces = torch.cat([early[i], late[i, : length - 3]])
            torch.testing.assert_close(in_pieces, part[0, :length])
        torch.testing.assert_close(forecast[i], whole.prediction[0, length:])


def having(name, value):
    """Return a maker of networks with another attribute."""

    def make(n_features):
        network = Mixed(n_features)
        setattr(network, name, value)
        return network

    return make


def odd(base, **methods):
    return type("Odd", (base,), methods)


def answering(base, change):
    """Return a network whose output is changed."""

    def forward(self, x, lengths=None, generator=None):
        return change(base.forward(self, x, lengths), x)

    return odd(base, forward=forward)


def failing(n_features):
    raise KeyError("no such size")


def without_generator(self, x, lengths=None):
    return Mixed.forward(self, x, lengths)


ODD_AUTOENCODERS = [
    (
        failing,
        "network, called with 2, the number of features, raised KeyError: 'no such size'; "
        "expected it to return a skl_lstmae.modules.SequenceNetwork.",
    ),
    (
        lambda n_features: (n for n in range(n_features)),
        "network is, or makes, a generator; expected a subclass of "
        "skl_lstmae.modules.SequenceNetwork, whose forward(x, lengths, generator) returns an "
        'Output: see "A network of your own" on the page of architectures.',
    ),
    (
        odd(Mixed, forward=without_generator),
        "forward of Odd takes (x, lengths=None); expected (x, lengths=None, generator=None).",
    ),
    (
        lambda n_features: Mixed(n_features).requires_grad_(False),
        "Mixed has no parameter to train, of which requires_grad is True; expected one at least: "
        "set it, or fit with max_epochs=0 to leave the network as it is.",
    ),
    *(
        (
            network,
            "Mixed has a parameter conv.weight of torch.float64; expected torch.float32: call the "
            "network's method float().",
        )
        for network in (lambda n_features: Mixed(n_features).double(), Mixed(2).double())
    ),
    *(
        (
            network,
            "Mixed has its parameter conv.weight on the device 'meta', which keeps no numbers; "
            "make the network on the CPU.",
        )
        for network in (lambda n_features: Mixed(n_features).to("meta"), Mixed(2).to("meta"))
    ),
    (
        odd(Mixed, reset_parameters=lambda self, generator=None: None),
        "reset_parameters of Odd does not draw its parameter conv.weight; draw all of it from "
        "the generator.",
    ),
    (
        having("scale", nn.Parameter(torch.ones(2))),
        "Mixed has a parameter scale of its own, which nothing draws; extend reset_parameters "
        "to draw it from the generator.",
    ),
    (
        having("scales", nn.ParameterList([torch.ones(2)])),
        "The layer scales of Mixed, a ParameterList, has parameters, but no method "
        "reset_parameters by which they could be drawn; give it one.",
    ),
    (
        lambda n_features: nn.Linear(n_features, n_features),
        "network is, or makes, a Linear; expected a subclass of "
        "skl_lstmae.modules.SequenceNetwork, whose forward(x, lengths, generator) returns an "
        'Output: see "A network of your own" on the page of architectures.',
    ),
    (
        answering(Mixed, lambda output, x: tuple(output)),
        "forward of Odd returns a tuple; expected "
        "skl_lstmae.modules.Output(prediction, latent, states).",
    ),
    (
        answering(Mixed, lambda output, x: output._replace(prediction=x[:, 1:])),
        "Odd makes a prediction of shape (2, 3, 2) and a latent of shape (2, 4) of x of shape "
        "(2, 4, 2); expected (2, 4, 2) and (2, 4).",
    ),
    (
        answering(Mixed, lambda output, x: output._replace(prediction=x - x.mean(1, True))),
        "In Odd padding reaches real steps, their latent or their states; mask what stands beyond "
        "lengths.",
    ),
    (
        answering(Mixed, lambda output, x: output._replace(latent=x.mean(1).repeat(1, 2))),
        "In Odd padding reaches real steps, their latent or their states; mask what stands beyond "
        "lengths.",
    ),
    (
        answering(Mixed, lambda output, x: output._replace(prediction=0 * x + x.shape[1])),
        "In Odd padding reaches real steps, their latent or their states; mask what stands beyond "
        "lengths.",
    ),
    (
        answering(Mixed, lambda output, x: output._replace(states=output.latent)),
        "Odd makes states of shape (2, 4) of x of shape (2, 4, 2); expected some numbers a step, "
        "(2, 4) and a third axis.",
    ),
    (
        answering(Mixed, lambda output, x: output._replace(latent=output.latent / 0)),
        "Odd makes NaN or infinity of finite steps; look at its weights, and at what it divides "
        "by.",
    ),
    (
        having("input_size", 5),
        "Mixed has input_size=5; expected 2: set self.input_size in its __init__.",
    ),
    (
        having("latent_size", None),
        "Mixed has latent_size=None; expected a positive int: "
        "set self.latent_size in its __init__.",
    ),
    *(
        (
            having("width", width),
            f"Mixed has width={width!r}; expected a positive int: set self.width in its __init__.",
        )
        for width in (0, -3, 0.5, None)
    ),
]
ODD_FORECASTERS = [
    (
        Mixed,
        "Mixed is not causal, but a forecaster must predict each step from those before it "
        "alone; set is_causal = True if it does.",
    ),
    (
        answering(Causal, lambda output, x: output._replace(prediction=x)),
        "Odd says that it is causal, but its prediction of a step depends on this step; have it "
        "read the steps delayed by one, so that it predicts each from those before it.",
    ),
]


@pytest.mark.parametrize(
    ("kind", "network", "sentence"),
    [
        *((LSTMAutoencoderDetector, *odd_one) for odd_one in ODD_AUTOENCODERS),
        *((LSTMForecastDetector, *odd_one) for odd_one in ODD_FORECASTERS),
    ],
)
def test_a_network_that_breaks_the_contract_is_refused(kind, network, sentence):
    with pytest.raises((TypeError, ValueError), match=exactly(sentence)):
        kind(**OWN, network=network).fit(X)


OTHER_NETWORKS = [
    lambda n_features: Mixed(n_features),
    partial(Mixed, latent_size=4),
    Mixed(X[0].shape[1]),
    None,
]


@pytest.mark.parametrize("other", OTHER_NETWORKS)
@pytest.mark.parametrize("way", ["warm_start", "partial_fit"])
def test_learning_does_not_go_on_where_another_network_is_asked_for(way, other):
    detector = fitted(LSTMAutoencoderDetector(**OWN, network=Mixed, warm_start=True), X)
    detector = pickle.loads(pickle.dumps(detector))
    learn = detector.fit if way == "warm_start" else detector.partial_fit
    state = dict(vars(detector.set_params(network=other)))
    sentence = (
        "network has changed since this LSTMAutoencoderDetector was fitted, but "
        f"{way} goes on with the network of that fit; set network back, or fit with "
        "warm_start=False to start with a new one."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        learn(X)
    assert vars(detector) == state


@pytest.mark.parametrize("network", [Mixed, Mixed(2)])
def test_a_warm_start_with_another_number_of_features_is_refused(network):
    detector = fitted(LSTMAutoencoderDetector(**OWN, network=network, warm_start=True), X)
    sentence = (
        "Learning would go on with a network of input_size=2, but input_size=3 is asked for; fit "
        "with warm_start=False to start with a new one."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.fit(make_ragged(n_features=3))


@pytest.mark.parametrize("network", [lambda n_features: Mixed(n_features), Mixed(2)])
def test_what_is_copied_goes_on_with_the_network_it_was_fitted_with(network):
    detector = fitted(LSTMAutoencoderDetector(**OWN, network=network, warm_start=True), X)
    for one in (copy.deepcopy(detector), pickle.loads(cloudpickle.dumps(detector))):
        assert fitted(one, X).partial_fit(X).n_epochs_ == 9


def partly_frozen(network):
    network.encoder.requires_grad_(False)
    return network


FROZEN_WAYS = {
    "clone and fit": lambda detector: fitted(clone(detector), X),
    "pickle": lambda detector: pickle.loads(pickle.dumps(detector)),
    "deepcopy": copy.deepcopy,
    "partial_fit": lambda detector: detector.partial_fit(X_MORE),
    "warm start": lambda detector: fitted(detector.set_params(warm_start=True), X),
}


@pytest.mark.parametrize("way", FROZEN_WAYS)
@pytest.mark.parametrize("kind", [LSTMAutoencoder, Subclass], ids=["config", "no config"])
def test_what_is_frozen_of_a_network_stays_frozen(kind, way):
    network = partly_frozen(kind(2))
    expected = parameters_to_vector(network.encoder.parameters())
    detector = fitted(LSTMAutoencoderDetector(**OWN, network=network), X)
    for one in (detector, FROZEN_WAYS[way](detector)):
        module = one.module_
        assert torch.equal(parameters_to_vector(module.encoder.parameters()), expected)
        assert not any(weight.requires_grad for weight in module.encoder.parameters())
        assert all(weight.requires_grad for weight in module.decoder.parameters())
        assert not torch.equal(module.decoder.head.weight, network.decoder.head.weight)


def test_a_part_of_the_own_network_that_is_frozen_stays_as_it_is_in_a_warm_start():
    detector = fitted(LSTMAutoencoderDetector(**QUICK, warm_start=True), X)
    partly_frozen(detector.module_)
    before = parameters_to_vector(detector.module_.parameters())
    frozen = parameters_to_vector(detector.module_.encoder.parameters())
    after = fitted(pickle.loads(pickle.dumps(detector)), X).module_
    assert torch.equal(parameters_to_vector(after.encoder.parameters()), frozen)
    assert not torch.equal(parameters_to_vector(after.parameters()), before)


def test_a_causal_network_without_a_state_reads_a_long_sequence_at_once(monkeypatch):
    detector = fitted(LSTMForecastDetector(**OWN, network=Causal), X)
    long = [np.concatenate(X)]
    expected = detector.score_samples(long), detector.forecast(long, n_steps=2)[0]
    monkeypatch.setattr("skl_lstmae.training.calls.MAX_SCORING_FLOATS", 20 * 64)
    n_steps_read = []
    detector.module_.register_forward_hook(
        lambda module, args, output: n_steps_read.append(args[0].shape[1])
    )
    assert_array_equal(detector.score_samples(long), expected[0])
    assert n_steps_read == [len(long[0])]
    n_steps_read.clear()
    assert_array_equal(detector.forecast(long, n_steps=2)[0], expected[1])
    assert n_steps_read == [len(long[0]), len(long[0]) + 1, len(long[0]) + 2]


@pytest.mark.parametrize(
    ("kind", "make", "parameters", "names"),
    [
        (LSTMAutoencoderDetector, Mixed, {"hidden_size": [8], "noise": 0.1}, "hidden_size, noise"),
        (LSTMAutoencoderDetector, Mixed(2), {"bottleneck": "last"}, "bottleneck"),
        (LSTMForecastDetector, Causal, {"noise": 0.8}, "noise"),
    ],
)
def test_one_warning_names_the_parameters_that_a_network_of_ones_own_ignores(
    kind, make, parameters, names
):
    sentence = (
        f"network is given, so that setting {names} has no effect: that is for the network that "
        f"{kind.__name__} makes by itself; leave it out, or make your network so."
    )
    with pytest.warns(UserWarning, match=exactly(sentence)) as warnings:
        fitted(kind(**OWN, **parameters, network=make), X)
    assert len([one for one in warnings if one.category is UserWarning]) == 1


def test_defaults_beside_a_network_of_ones_own_are_met_with_no_warning():
    for hidden_size in (64, np.int64(64), [64]):
        fitted(LSTMAutoencoderDetector(**OWN, hidden_size=hidden_size, network=Mixed), X)


class Remembering(KeptAutoencoder):
    """Puts another tensor in the place of a buffer in each step."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("n_steps", torch.zeros(()))

    def forward(self, x, lengths=None, generator=None):
        if self.training:
            self.n_steps = self.n_steps + 1
        return super().forward(x, lengths, generator)


def test_a_buffer_that_a_network_replaces_is_kept():
    detector = LSTMAutoencoderDetector(network=Remembering, max_epochs=2, random_state=0).fit(X)
    assert detector.module_.n_steps > 0
