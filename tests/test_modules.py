"""The torch modules, against packed and unpadded references."""

import itertools
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from skl_lstmae._padding import real_steps
from skl_lstmae.modules import (
    LSTMAutoencoder,
    LSTMDecoder,
    LSTMForecaster,
    LSTMStack,
    RowLinear,
    _add_noise,
    _dropout,
)

LENGTHS = torch.tensor([9, 3, 7, 3, 1, 9])
N_FEATURES = 3

ARCHITECTURES = [
    {
        "bottleneck": bottleneck,
        "decoder": decoder,
        "teacher_forcing": teacher_forcing,
        "bidirectional": bidirectional,
        "skip_connection": skip_connection,
        "hidden_size": hidden_size,
    }
    for bottleneck, (decoder, teacher_forcing), bidirectional, skip_connection, hidden_size in (
        itertools.product(
            ["last", "mean", "max", "sequence"],
            [("repeat", 0.5), ("autoregressive", 0.0), ("autoregressive", 1.0)],
            [False, "encoder", "both"],
            [False, True],
            [4, (8, 5)],  # with 4, the decoder's input is as wide as its state, a case of its own
        )
    )
    if not (decoder == "autoregressive" and bidirectional == "both")
]


def architecture_id(architecture):
    return "-".join(str(value) for value in architecture.values())


every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES, ids=architecture_id)


class PackedStack(nn.Module):
    """What every recipe does: torch's LSTM on packed sequences, with an `LSTMStack`'s weights."""

    def __init__(self, stack):
        super().__init__()
        self.n_directions = stack.n_directions
        self.layers = nn.ModuleList(self._merge(layer) for layer in stack.layers)

    @staticmethod
    def _merge(layer):
        merged = nn.LSTM(
            layer.onward.input_size,
            layer.onward.hidden_size,
            batch_first=True,
            bidirectional=layer.reverse is not None,
        )
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


def make_batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(len(LENGTHS), int(LENGTHS.max()), N_FEATURES, generator=generator)
    real = real_steps(x, LENGTHS)
    return torch.where(real.unsqueeze(-1), x, 1e6), real


def masked_loss(prediction, x, real):
    return (prediction - x)[real].square().mean()


@every_architecture
def test_values_and_gradients_equal_those_of_packed_sequences(architecture):
    torch.manual_seed(0)
    module = LSTMAutoencoder(N_FEATURES, latent_size=4, **architecture).train()
    reference = deepcopy(module)
    weights = dict(reference.named_parameters())
    reference.encoder = PackedStack(reference.encoder)
    reference.decoder.stack = PackedStack(reference.decoder.stack)
    reference.decoder.activation = nn.Sequential()  # does nothing, but is not known to be linear
    x, real = make_batch()

    prediction, latent = module(x, LENGTHS)
    expected_prediction, expected_latent = reference(
        torch.where(real.unsqueeze(-1), x, 0.0), LENGTHS
    )

    torch.testing.assert_close(prediction[real], expected_prediction[real], rtol=1e-5, atol=1e-5)
    if latent.dim() == 3:
        latent, expected_latent = latent[real], expected_latent[real]
    torch.testing.assert_close(latent, expected_latent, rtol=1e-5, atol=1e-5)
    masked_loss(prediction, x, real).backward()
    masked_loss(expected_prediction, x, real).backward()
    for name, weight in module.named_parameters():
        torch.testing.assert_close(weight.grad, weights[name].grad, rtol=1e-5, atol=1e-5)


@every_architecture
def test_a_sequence_gives_the_same_bits_alone_and_padded_in_a_batch(architecture):
    torch.manual_seed(0)
    module = LSTMAutoencoder(N_FEATURES, latent_size=4, **architecture).eval()
    x, _ = make_batch()
    with torch.inference_mode():
        prediction, latent = module(x, LENGTHS)
        for i, length in enumerate(LENGTHS):
            alone, latent_alone = module(x[i : i + 1, :length])
            assert torch.equal(alone[0], prediction[i, :length])
            in_batch = latent[i, :length] if latent.dim() == 3 else latent[i]
            assert torch.equal(latent_alone[0], in_batch)


@every_architecture
def test_training_reaches_every_weight(architecture):
    torch.manual_seed(0)
    module = LSTMAutoencoder(N_FEATURES, latent_size=4, **architecture).train()
    x, real = make_batch()
    masked_loss(module(x, LENGTHS)[0], x, real).backward()
    untouched = [name for name, weight in module.named_parameters() if not weight.grad.any()]
    assert untouched == []


@pytest.mark.parametrize("bottleneck", ["last", "mean", "max"])
@pytest.mark.parametrize("decoder", ["repeat", "autoregressive"])
def test_decoding_the_latent_gives_the_prediction_of_a_decoder_without_skip_connection(
    bottleneck, decoder
):
    module = LSTMAutoencoder(N_FEATURES, 6, 4, bottleneck=bottleneck, decoder=decoder).eval()
    x, real = make_batch()
    with torch.inference_mode():
        prediction, latent = module(x, LENGTHS)
        decoded = module.decode(latent, LENGTHS)
    assert torch.equal(decoded[real], prediction[real])


def test_decoding_past_a_skip_connection_feeds_on_the_decoded_past():
    decoder = LSTMDecoder(N_FEATURES, (6,), 4, skip_connection=True).eval()
    with torch.inference_mode():
        nn.init.zeros_(decoder.head.weight)
        nn.init.ones_(decoder.head.bias)
        nn.init.eye_(decoder.skip.weight)
        nn.init.zeros_(decoder.skip.bias)
        decoded = decoder(torch.zeros(1, 4), torch.tensor([4]))
    assert decoded[0, :, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_the_skip_connection_never_sees_the_step_it_predicts():
    torch.manual_seed(0)
    module = LSTMAutoencoder(1, 4, 2, skip_connection=True).eval()
    latent = torch.zeros(1, 2)
    target = torch.zeros(1, 5, 1)
    changed = target.clone()
    changed[0, 3] = 1.0
    with torch.inference_mode():
        lengths = torch.tensor([5])
        before = module.decoder(latent, lengths, target)
        after = module.decoder(latent, lengths, changed)
        assert (before != after)[0, :, 0].tolist() == [False, False, False, False, True]
        x = torch.randn(1, 5, 1)
        prediction, latent = module(x)
        assert torch.equal(prediction, module.decoder(latent, lengths, x))


def test_weights_start_xavier_orthogonal_and_with_a_forget_bias_of_one():
    stack = LSTMAutoencoder(20, (30, 10), 4).encoder
    for input_size, layer in zip((20, 30), stack.layers, strict=True):
        lstm = layer.onward
        width = lstm.hidden_size
        for gate in lstm.weight_hh_l0.chunk(4):
            torch.testing.assert_close(gate @ gate.T, torch.eye(width), rtol=0, atol=1e-5)
        bound = (6 / (input_size + width)) ** 0.5
        largest = lstm.weight_ih_l0.abs().max()
        assert 0.9 * bound < largest <= bound
        bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).reshape(4, width)
        assert bias.tolist() == [[0.0] * width, [1.0] * width, [0.0] * width, [0.0] * width]


def test_a_generator_determines_the_first_weights():
    module = LSTMAutoencoder(3, (8, 4), 2, bottleneck="sequence", bidirectional="encoder")

    def drawn(seed):
        module.reset_parameters(torch.Generator().manual_seed(seed))
        return torch.cat([weight.flatten() for weight in module.parameters()]).clone()

    state = torch.get_rng_state()
    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))
    assert torch.equal(torch.get_rng_state(), state)


def test_dropout_acts_between_layers_in_training_only_and_follows_the_generator():
    torch.manual_seed(0)
    x = torch.randn(4, 6, N_FEATURES)
    lengths = torch.full((4,), 6)

    def run(stack, seed=0):
        return stack(x, lengths, generator=torch.Generator().manual_seed(seed))[0]

    stack = LSTMStack(N_FEATURES, (50, 50), dropout=0.5).train()
    assert torch.equal(run(stack), run(stack))
    assert not torch.equal(run(stack), run(stack, seed=1))
    assert torch.equal(run(stack.eval()), run(stack, seed=1))
    single = LSTMStack(N_FEATURES, (50,), dropout=0.5).train()
    assert torch.equal(run(single), run(single, seed=1))


def test_dropout_keeps_the_expected_value():
    dropped = _dropout(torch.ones(100_000), 0.2, torch.Generator().manual_seed(0))
    assert set(dropped.tolist()) == {0.0, 1.25}
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)


def test_noise_is_added_in_training_only_and_follows_the_generator():
    torch.manual_seed(0)
    module = LSTMAutoencoder(N_FEATURES, 8, 2, noise=0.5)
    x = torch.randn(4, 6, N_FEATURES)

    def run(seed):
        return module(x, generator=torch.Generator().manual_seed(seed))[0]

    assert torch.equal(run(0), run(0))
    assert not torch.equal(run(0), run(1))
    module.eval()
    assert torch.equal(run(0), run(1))
    added = _add_noise(torch.zeros(100_000), 0.5, None)
    assert added.mean().item() == pytest.approx(0, abs=0.01)
    assert added.std().item() == pytest.approx(0.5, abs=0.01)


def test_teacher_forcing_is_a_coin_thrown_for_each_training_batch():
    module = LSTMAutoencoder(1, 4, 2, decoder="autoregressive", teacher_forcing=0.3).train()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, 1, generator=generator)

    def predict(probability):
        module.decoder.teacher_forcing = probability
        return module(x, generator=generator)[0]

    forced, free = predict(1.0), predict(0.0)
    outcomes = [predict(0.3) for _ in range(200)]
    n_forced = sum(torch.equal(outcome, forced) for outcome in outcomes)
    n_free = sum(torch.equal(outcome, free) for outcome in outcomes)
    assert n_forced + n_free == 200
    assert 40 <= n_forced <= 80
    module.eval()
    torch.testing.assert_close(predict(1.0), free)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bottleneck", "men"),
        ("decoder", "attention"),
        ("bidirectional", True),
        ("output_activation", "softmax"),
    ],
)
def test_unknown_options_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be one of \[.*\], got {value!r}"):
        LSTMAutoencoder(3, **{name: value})


def test_an_autoregressive_decoder_cannot_run_backward():
    with pytest.raises(ValueError, match="An autoregressive decoder only runs forward in time"):
        LSTMAutoencoder(3, decoder="autoregressive", bidirectional="both")


@pytest.mark.parametrize(
    ("activation", "low", "high"), [("sigmoid", 0, 1), ("tanh", -1, 1), ("relu", 0, 100)]
)
def test_output_activations_bound_the_prediction(activation, low, high):
    module = LSTMAutoencoder(2, 8, 2, skip_connection=True, output_activation=activation)
    prediction, _ = module(10 * torch.randn(20, 7, 2))
    assert prediction.min() >= low
    assert prediction.max() <= high


@pytest.mark.parametrize("in_features", [1, 7, 64])
@pytest.mark.parametrize("out_features", [1, 5, 33])
def test_a_linear_row_does_not_depend_on_its_company(in_features, out_features):
    torch.manual_seed(0)
    linear = RowLinear(in_features, out_features).eval()
    x = torch.randn(1000, in_features)
    together = linear(x)
    for start, stop in [(0, 1), (3, 5), (7, 70), (500, 999)]:
        assert torch.equal(linear(x[start:stop]), together[start:stop])


def test_unpadded_batches_need_no_lengths():
    module = LSTMAutoencoder(3, 8, 2).eval()
    x = torch.randn(4, 6, 3)
    assert torch.equal(module(x)[0], module(x, torch.full((4,), 6))[0])
    assert torch.equal(module.encode(x), module(x)[1])


# -------------------------------------------------------------------------------------- forecaster

every_width = pytest.mark.parametrize("hidden_size", [4, (8, 5)], ids=str)


@every_width
def test_forecasts_and_gradients_equal_those_of_packed_sequences(hidden_size):
    torch.manual_seed(0)
    module = LSTMForecaster(N_FEATURES, hidden_size).train()
    reference = deepcopy(module)
    weights = dict(reference.named_parameters())
    reference.stack = PackedStack(reference.stack)
    x, real = make_batch()

    prediction, latent = module(x, LENGTHS)
    expected_prediction, expected_latent = reference(
        torch.where(real.unsqueeze(-1), x, 0.0), LENGTHS
    )

    torch.testing.assert_close(prediction[real], expected_prediction[real], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(latent[real], expected_latent[real], rtol=1e-5, atol=1e-5)
    masked_loss(prediction, x, real).backward()
    masked_loss(expected_prediction, x, real).backward()
    for name, weight in module.named_parameters():
        assert weight.grad.any(), name
        torch.testing.assert_close(weight.grad, weights[name].grad, rtol=1e-5, atol=1e-5)


@every_width
def test_a_forecast_is_that_of_a_loop_over_the_past(hidden_size):
    """Each prediction is made anew from the steps before it, which are all that it can know."""
    torch.manual_seed(0)
    module = LSTMForecaster(N_FEATURES, hidden_size).eval()
    x, _ = make_batch()
    with torch.inference_mode():
        prediction, latent = module(x, LENGTHS)
        for i, length in enumerate(LENGTHS):
            for step in range(length):
                past = torch.cat([torch.zeros(1, N_FEATURES), x[i, :step]])
                output, _ = module.stack(past.unsqueeze(0), torch.tensor([1 + step]))
                assert torch.equal(latent[i, step], output[0, -1])
                assert torch.equal(prediction[i, step], module.head(output[0, -1]))


@every_width
def test_the_forecaster_sees_neither_the_step_it_predicts_nor_later_ones(hidden_size):
    torch.manual_seed(0)
    module = LSTMForecaster(N_FEATURES, hidden_size).eval()
    x, _ = make_batch()
    with torch.inference_mode():
        before, latent_before = module(x, LENGTHS)
        for step in range(9):
            changed = x.clone()
            changed[:, step:] += torch.randn(len(x), 9 - step, N_FEATURES)
            after, latent_after = module(changed, LENGTHS)
            assert torch.equal(after[:, : step + 1], before[:, : step + 1])
            assert torch.equal(latent_after[:, : step + 1], latent_before[:, : step + 1])
            assert (after[[0, 5], step + 1 :] != before[[0, 5], step + 1 :]).any(dim=-1).all()


@every_width
@pytest.mark.parametrize("cuts", [[1], [4], [1, 2, 3, 5, 8], list(range(1, 9))], ids=str)
def test_a_sequence_gives_the_same_bits_in_pieces(hidden_size, cuts):
    torch.manual_seed(0)
    module = LSTMForecaster(N_FEATURES, hidden_size).eval()
    x, _ = make_batch()
    for rows in (x[:1], x[[0, 5]]):
        pieces, past = [], None
        with torch.inference_mode():
            prediction, latent = module(rows)
            for piece in rows.tensor_split(cuts, dim=1):
                *results, past = module.resume(piece, past=past)
                pieces.append(results)
        assert torch.equal(torch.cat([piece[0] for piece in pieces], dim=1), prediction)
        assert torch.equal(torch.cat([piece[1] for piece in pieces], dim=1), latent)


@every_width
def test_a_forecast_goes_on_from_each_sequences_own_end(hidden_size):
    torch.manual_seed(0)
    module = LSTMForecaster(N_FEATURES, hidden_size).eval()
    x, _ = make_batch()
    with torch.inference_mode():
        *_, past = module.resume(x, LENGTHS)
        forecast = module.forecast(past, n_steps=3)
        assert forecast.shape == (len(x), 3, N_FEATURES)
        for i, length in enumerate(LENGTHS):
            continued = torch.cat([x[i, :length], forecast[i]]).unsqueeze(0)
            assert torch.equal(module(continued)[0][0, length:], forecast[i])


def test_the_forecasters_noise_is_on_the_past_in_training_only_and_follows_the_generator():
    torch.manual_seed(0)
    module = LSTMForecaster(N_FEATURES, (8, 8), noise=0.5)
    x = torch.randn(4, 6, N_FEATURES)

    def run(seed):
        return module(x, generator=torch.Generator().manual_seed(seed))[0]

    assert torch.equal(run(0), run(0))
    assert (run(0) != run(1))[:, 1:].all()
    assert torch.equal(run(0)[:, 0], run(1)[:, 0])  # nothing precedes the first step
    module.eval()
    assert torch.equal(run(0), run(1))


def test_the_forecasters_dropout_follows_the_generator():
    module = LSTMForecaster(N_FEATURES, (8, 8), dropout=0.5).train()
    x = torch.randn(4, 6, N_FEATURES)

    def run(seed):
        return module(x, generator=torch.Generator().manual_seed(seed))[0]

    assert torch.equal(run(0), run(0))
    assert not torch.equal(run(0), run(1))


def test_the_forecasters_output_activation_bounds_the_prediction():
    module = LSTMForecaster(2, 8, output_activation="sigmoid")
    prediction, _ = module(10 * torch.randn(20, 7, 2))
    assert prediction.min() >= 0
    assert prediction.max() <= 1
    with pytest.raises(ValueError, match=r"output_activation must be one of \[.*\], got 'softmax'"):
        LSTMForecaster(2, 8, output_activation="softmax")
