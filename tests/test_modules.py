"""The LSTMs, against packed and unpadded references."""

import re
from copy import deepcopy
from functools import partial
from itertools import product

import pytest
import torch
from conftest import exactly
from sklearn.model_selection import ParameterGrid
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from skl_lstmae.modules import (
    LSTMAutoencoder,
    LSTMForecaster,
    LSTMPredictor,
    LSTMStack,
    RowActivation,
    RowLinear,
)
from skl_lstmae.modules.layers import add_noise, dropout

LENGTHS = torch.tensor([9, 3, 7, 3, 1, 9])
REAL = torch.arange(9) < LENGTHS.unsqueeze(1)
X = torch.randn(6, 9, 3, generator=torch.Generator().manual_seed(0))
PADDED = torch.where(REAL.unsqueeze(-1), X, 1e6)

WIDTHS = [4, (8, 5)]  # with 4, the decoder's input is as wide as its state, a case of its own
every_width = pytest.mark.parametrize("hidden_size", WIDTHS, ids=str)
COMMON = {
    "bottleneck": ["last", "mean", "max", "sequence"],
    "skip_connection": [False, True],
    "hidden_size": WIDTHS,
    "latent_size": [4],
}
FREE_OR_FORCED = {"decoder": ["autoregressive"], "teacher_forcing": [0.0, 1.0]}
ARCHITECTURES = ParameterGrid(
    [
        {**COMMON, "bidirectional": [False, "encoder", "both"]},
        {**COMMON, "bidirectional": [False, "encoder"], **FREE_OR_FORCED},
    ]
)
every_network = pytest.mark.parametrize(
    "make",
    [*(partial(LSTMAutoencoder, 3, **options) for options in ARCHITECTURES)]
    + [partial(LSTMForecaster, 3, hidden_size=width) for width in WIDTHS],
    ids=lambda make: "-".join(map(str, make.keywords.values())),
)


class PackedStack(nn.Module):
    """What every recipe does: torch's LSTM on packed sequences, with an `LSTMStack`'s weights."""

    def __init__(self, stack):
        super().__init__()
        self.n_directions = stack.n_directions
        self.layers = nn.ModuleList(self._merge(layer) for layer in stack.layers)

    @staticmethod
    def _merge(layer):
        sizes = layer.onward.input_size, layer.onward.hidden_size
        merged = nn.LSTM(*sizes, batch_first=True, bidirectional=layer.reverse is not None)
        for suffix, lstm in (("", layer.onward), ("_reverse", layer.reverse)):
            for name, weight in lstm.named_parameters() if lstm else ():
                setattr(merged, name + suffix, weight)
        return merged

    def forward(self, x, lengths, states=None, *, final_states=False, generator=None):
        ends = []
        for depth, lstm in enumerate(self.layers):
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            output, end = lstm(packed, states[depth] if states else None)
            x, _ = pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])
            ends.append(end)
        return x, ends if final_states else None


def with_packed_stacks(module):
    for name, child in module.named_children():
        if isinstance(child, LSTMStack):
            setattr(module, name, PackedStack(child))
        elif isinstance(child, nn.Identity):
            setattr(module, name, nn.Sequential())  # does nothing, but is not known to be linear
        else:
            with_packed_stacks(child)
    return module


def real_parts(output):
    latent = output.latent[REAL] if output.latent.dim() == 3 else output.latent
    return output.prediction[REAL], latent, output.states[REAL]


@every_network
def test_values_and_gradients_equal_those_of_packed_sequences(make):
    torch.manual_seed(0)
    module = make(noise=0.0).train()
    weights, theirs = dict(module.named_parameters()), deepcopy(module)
    their_weights = dict(theirs.named_parameters())
    actual = real_parts(module(PADDED, LENGTHS))
    expected = real_parts(with_packed_stacks(theirs)(X * REAL.unsqueeze(-1), LENGTHS))
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)
    for prediction, *_ in (actual, expected):
        (prediction - X[REAL]).square().mean().backward()
    gradients = {name: weight.grad for name, weight in weights.items()}
    expected_gradients = {name: weight.grad for name, weight in their_weights.items()}
    torch.testing.assert_close(gradients, expected_gradients, rtol=1e-5, atol=1e-5)
    assert [name for name, gradient in gradients.items() if not gradient.any()] == []


@every_network
@torch.inference_mode()
def test_a_sequence_gives_the_same_bits_alone_and_padded_in_a_batch(make):
    torch.manual_seed(0)
    module = make().eval()
    together = module(PADDED, LENGTHS)
    for i, length in enumerate(LENGTHS):
        alone = module(X[i : i + 1, :length])
        assert torch.equal(alone.prediction[0], together.prediction[i, :length])
        in_batch = together.latent[i]
        assert torch.equal(alone.latent[0], in_batch[:length] if in_batch.dim() > 1 else in_batch)
        assert torch.equal(module.encode(X[i : i + 1, :length]), alone.latent)


@pytest.mark.parametrize("bottleneck", ["last", "mean", "max"])
@pytest.mark.parametrize("decoder", ["repeat", "autoregressive"])
@torch.inference_mode()
def test_decoding_the_latent_gives_the_prediction_of_a_decoder_without_skip_connection(
    bottleneck, decoder
):
    module = LSTMAutoencoder(3, 6, 4, bottleneck=bottleneck, decoder=decoder).eval()
    output = module(PADDED, LENGTHS)
    assert torch.equal(module.decode(output.latent, LENGTHS)[REAL], output.prediction[REAL])


@torch.inference_mode()
def test_a_skip_connection_reads_the_true_step_before_or_else_the_decoded_one():
    module = LSTMAutoencoder(1, 6, 4, skip_connection=True).eval()
    nn.init.zeros_(module.decoder.head.weight)
    nn.init.ones_(module.decoder.head.bias)
    nn.init.ones_(module.decoder.skip.weight)
    output = module(torch.tensor([5.0, 7.0, 2.0, 9.0]).reshape(1, 4, 1))
    assert output.prediction.flatten().tolist() == [1.0, 6.0, 8.0, 3.0]
    decoded = module.decode(output.latent, torch.tensor([4]))
    assert decoded.flatten().tolist() == [1.0, 2.0, 3.0, 4.0]


def test_weights_start_xavier_orthogonal_and_with_a_forget_bias_of_one():
    for layer in LSTMAutoencoder(20, (30, 10), 4).encoder.layers:
        lstm, width = layer.onward, layer.onward.hidden_size
        for gate in lstm.weight_hh_l0.chunk(4):
            torch.testing.assert_close(gate @ gate.T, torch.eye(width), rtol=0, atol=1e-5)
        bound = (6 / (lstm.input_size + width)) ** 0.5
        assert 0.9 * bound < lstm.weight_ih_l0.abs().max() <= bound
        bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).reshape(4, width)
        assert bias.tolist() == [[0.0] * width, [1.0] * width, [0.0] * width, [0.0] * width]


@pytest.mark.parametrize("kind", [LSTMAutoencoder, LSTMForecaster])
@pytest.mark.parametrize(("noise", "p", "depth"), [(0.5, 0.0, 1), (0.0, 0.5, 2), (0.0, 0.5, 1)])
def test_noise_and_dropout_between_layers_follow_the_generator_in_training(kind, noise, p, depth):
    module = kind(3, (50,) * depth, noise=noise, dropout=p)

    def predict(seed):
        return module(X, generator=torch.Generator().manual_seed(seed)).prediction

    is_random = noise > 0 or depth > 1
    state = torch.get_rng_state()
    assert torch.equal(predict(0), predict(0))
    assert (not torch.equal(predict(0), predict(1))) == is_random
    module.eval()
    assert torch.equal(predict(0), predict(1))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_forecasters_noise_is_on_the_past():
    module = LSTMForecaster(3, 8, noise=0.5)
    differs = module(X).prediction != module(X).prediction
    assert not differs[:, 0].any()  # which nothing precedes
    assert differs[:, 1:].all()


def test_noise_and_dropout_have_their_moments():
    generator, ones = torch.Generator().manual_seed(0), torch.ones(100_000)
    dropped, noisy = dropout(ones, 0.2, generator), add_noise(ones, 0.5, generator)
    assert set(dropped.tolist()) == {0.0, 1.25}
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    assert noisy.mean().item() == pytest.approx(1.0, abs=0.01)
    assert noisy.std().item() == pytest.approx(0.5, abs=0.01)


def test_teacher_forcing_is_a_coin_thrown_for_each_training_batch():
    module = LSTMAutoencoder(3, 4, 2, decoder="autoregressive", noise=0.0)
    generator = torch.Generator().manual_seed(0)

    def predict(probability):
        module.decoder.teacher_forcing = probability
        return module(X, generator=generator).prediction

    forced, free = predict(1.0), predict(0.0)
    outcomes = [predict(0.3) for _ in range(200)]
    n_forced = sum(torch.equal(outcome, forced) for outcome in outcomes)
    assert 40 <= n_forced <= 80
    assert sum(torch.equal(outcome, free) for outcome in outcomes) == 200 - n_forced
    module.eval()
    torch.testing.assert_close(predict(1.0), free)


@pytest.mark.parametrize(
    ("kind", "name", "value", "options"),
    [
        (LSTMAutoencoder, "bottleneck", "men", ["last", "mean", "max", "sequence"]),
        (LSTMAutoencoder, "decoder", "attention", ["repeat", "autoregressive"]),
        (LSTMAutoencoder, "bidirectional", True, [False, "encoder", "both"]),
        (LSTMAutoencoder, "output_activation", "softmax", [None, "sigmoid", "tanh", "relu"]),
        (LSTMForecaster, "output_activation", "softmax", [None, "sigmoid", "tanh", "relu"]),
        (
            partial(LSTMPredictor, output_size=2),
            "bottleneck",
            "attention",
            ["mean_max", "mean", "max", "last", "sequence"],
        ),
    ],
)
def test_unknown_options_are_refused(kind, name, value, options):
    sentence = f"{name} must be one of {options}, got {value!r}."
    with pytest.raises(ValueError, match=exactly(sentence)):
        kind(3, **{name: value})


@pytest.mark.parametrize(
    ("kind", "parameters", "sentence"),
    [
        (LSTMAutoencoder, {"input_size": 0}, "input_size must be a positive int, got 0."),
        (LSTMAutoencoder, {"latent_size": 0}, "latent_size must be a positive int, got 0."),
        (LSTMAutoencoder, {"hidden_size": []}, "hidden_size must be a positive int or some of"),
        (LSTMForecaster, {"hidden_size": [4, -1]}, "hidden_size must be a positive int, got -1."),
        (LSTMForecaster, {"hidden_size": 2.5}, "hidden_size must be a positive int, got 2.5."),
        (LSTMForecaster, {"noise": -1}, "noise must be at least 0, got -1."),
        (LSTMPredictor, {"dropout": 1.5}, "dropout must be from 0 to 1, got 1.5."),
        (LSTMPredictor, {"output_size": -2}, "output_size must be a positive int, got -2."),
        (LSTMAutoencoder, {"teacher_forcing": 3}, "teacher_forcing must be from 0 to 1, got 3."),
    ],
)
def test_sizes_and_rates_that_are_none_are_refused(kind, parameters, sentence):
    sizes = {"input_size": 2, **({"output_size": 1} if kind is LSTMPredictor else {})}
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        kind(**sizes | parameters)


def test_an_autoregressive_decoder_cannot_run_backward():
    sentence = (
        "An autoregressive decoder only runs forward in time: use bidirectional='encoder' or "
        "decoder='repeat'."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMAutoencoder(3, decoder="autoregressive", bidirectional="both")


@pytest.mark.parametrize("kind", [partial(LSTMAutoencoder, skip_connection=True), LSTMForecaster])
@pytest.mark.parametrize(
    ("activation", "low", "high"), [("sigmoid", 0, 1), ("tanh", -1, 1), ("relu", 0, torch.inf)]
)
def test_output_activations_bound_the_prediction(kind, activation, low, high):
    prediction = kind(3, output_activation=activation)(100 * X).prediction
    assert low <= prediction.min() < prediction.max() <= high
    assert kind(3)(100 * X).prediction.min() < low


@pytest.mark.parametrize(
    "layer",
    [
        *(RowLinear(n_in, n_out) for n_in, n_out in product((1, 7, 64), (1, 5, 33))),
        *(RowActivation(function) for function in (torch.sigmoid, torch.tanh)),
    ],
    ids=str,
)
def test_a_row_does_not_depend_on_its_company(layer):
    x = torch.randn(1000, getattr(layer, "in_features", 7), generator=torch.manual_seed(0))
    together = layer.eval()(x)
    for start, stop in [(0, 1), (3, 5), (7, 70), (500, 999)]:
        assert torch.equal(layer(x[start:stop]), together[start:stop])


@every_width
@torch.inference_mode()
def test_a_prediction_is_that_of_a_loop_over_the_past(hidden_size):
    """Each is made anew from zeros and the steps before it, which are all that it can know."""
    module = LSTMForecaster(3, hidden_size).eval()
    output = module(PADDED, LENGTHS)
    for i, length in enumerate(LENGTHS):
        for step in range(length):
            past = torch.cat([torch.zeros(1, 3), X[i, :step]]).unsqueeze(0)
            states, _ = module.stack(past, torch.tensor([1 + step]))
            assert torch.equal(output.latent[i, step], states[0, -1])
            assert torch.equal(output.prediction[i, step], module.head(states[0, -1]))


@every_width
@pytest.mark.parametrize("cuts", [[1], [4], [1, 2, 3, 5, 8], list(range(1, 9))], ids=str)
@torch.inference_mode()
def test_a_sequence_gives_the_same_bits_in_pieces(hidden_size, cuts):
    module = LSTMForecaster(3, hidden_size).eval()
    for rows in (X[:1], X[[0, 5]]):
        pieces, past = [], None
        for piece in rows.tensor_split(cuts, dim=1):
            output, past = module.resume(piece, past=past)
            pieces.append(output)
        for parts, whole in zip(zip(*pieces, strict=True), module(rows), strict=True):
            assert torch.equal(torch.cat(parts, dim=1), whole)


@every_width
@torch.inference_mode()
def test_a_forecast_goes_on_from_each_sequences_own_end(hidden_size):
    module = LSTMForecaster(3, hidden_size).eval()
    _, past = module.resume(PADDED, LENGTHS)
    forecast = module.forecast(past, n_steps=3)
    assert forecast.shape == (6, 3, 3)
    for i, length in enumerate(LENGTHS):
        continued = torch.cat([X[i, :length], forecast[i]]).unsqueeze(0)
        assert torch.equal(module(continued).prediction[0, length:], forecast[i])
