"""Padding enters nothing that is taken from the real steps of a batch."""

import warnings

import pytest
import torch
from conftest import exactly
from torch.nn import functional

from skl_lstmae.modules import (
    Bottleneck,
    LSTMAutoencoder,
    LSTMDecoder,
    LSTMForecaster,
    LSTMStack,
    check_lengths,
    last_step,
    max_step,
    mean_step,
)
from skl_lstmae.modules.padding import known_lengths

LENGTHS = torch.tensor([9, 3, 7, 3, 1, 9])
X = torch.randn(6, 9, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("summarize", "of_one"),
    [
        (last_step, lambda steps: steps[-1]),
        (mean_step, lambda steps: steps.mean(dim=0)),
        (max_step, lambda steps: steps.amax(dim=0)),
    ],
)
def test_summaries_are_those_of_each_sequence_alone(summarize, of_one):
    expected = torch.stack([of_one(x[:n]) for x, n in zip(X, LENGTHS, strict=True)])
    torch.testing.assert_close(summarize(X, LENGTHS), expected)


@pytest.mark.parametrize("n_steps", [3, 40, 900])
@pytest.mark.parametrize("summarize", [last_step, mean_step, max_step])
def test_no_bit_of_a_summary_depends_on_padding_or_company(summarize, n_steps):
    generator = torch.Generator().manual_seed(n_steps)
    x = torch.randn(5, n_steps, 16, generator=generator) * torch.logspace(-6, 6, 16)
    lengths = torch.tensor([n_steps, 1, n_steps - 1, n_steps // 2 + 1, 2])
    together = summarize(x, lengths)
    time_first = x.transpose(0, 1).contiguous().transpose(0, 1)
    padded = functional.pad(time_first, (0, 0, 0, 29), value=torch.nan)
    assert torch.equal(summarize(padded, lengths), together)
    for i, length in enumerate(lengths.tolist()):
        alone = summarize(x[i : i + 1, :length], lengths[i : i + 1])
        assert torch.equal(alone[0], together[i])


@pytest.mark.parametrize("summarize", [mean_step, max_step])
def test_a_traced_summary_is_right_for_other_lengths(summarize):
    class Summary(torch.nn.Module):
        def forward(self, x, lengths):
            return summarize(x, lengths)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of checks, which a trace leaves out
        traced = torch.jit.trace(Summary(), (torch.zeros(2, 20, 4), torch.tensor([20, 15])))
    torch.testing.assert_close(traced(X, LENGTHS), summarize(X, LENGTHS))


RANGE = "expected numbers of steps from 1 to 9, the steps of x."
INTEGERS = "expected 6 integers, one a sequence of the batch."


@pytest.mark.parametrize(
    ("lengths", "sentence"),
    [
        ([9, 3, 7, 3, 0, 9], f"lengths are from 0 to 9; {RANGE}"),
        ([10, 3, 7, 3, 1, 9], f"lengths are from 1 to 10; {RANGE}"),
        (known_lengths(1 + LENGTHS, [10, 4, 8, 4, 2, 10]), f"lengths are from 2 to 10; {RANGE}"),
        ([9, 3], f"lengths has shape (2,) and dtype torch.int64; {INTEGERS}"),
        (LENGTHS > 0, f"lengths has shape (6,) and dtype torch.bool; {INTEGERS}"),
        (LENGTHS.float(), f"lengths has shape (6,) and dtype torch.float32; {INTEGERS}"),
        ("abc", f"lengths is 'abc'; {INTEGERS}"),
        ([9, None], f"lengths is [9, None]; {INTEGERS}"),
        ([[9], [3, 3]], f"lengths is [[9], [3, 3]]; {INTEGERS}"),
    ],
)
def test_lengths_that_are_no_numbers_of_steps_are_refused(lengths, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        check_lengths(X, lengths)


@pytest.mark.parametrize(
    "block",
    [
        *(last_step, mean_step, max_step),
        *(LSTMStack(4, (3, 2)), LSTMStack(4, (3, 2), bidirectional=True)),
        *(Bottleneck(4, 2, kind=kind) for kind in ("last", "mean", "max")),
    ],
)
def test_the_parts_of_networks_refuse_such_lengths_too(block):
    wrong = LENGTHS.clone()
    wrong[4] = 0
    with pytest.raises(ValueError, match=exactly(f"lengths are from 0 to 9; {RANGE}")):
        block(X, wrong)
    with pytest.raises(ValueError, match=f"has shape \\(2,\\) .*{INTEGERS}$"):
        block(X, wrong[:2])


def test_a_decoder_refuses_lengths_that_are_not_those_of_its_target():
    decoder = LSTMDecoder(4, (3,), latent_size=2)
    with pytest.raises(ValueError, match=exactly(f"lengths are from 3 to 11; {RANGE}")):
        decoder(torch.ones(6, 2), LENGTHS + 2, target=X)


def with_value(value):
    x = X.clone()
    x[1, 8, 2] = value  # padding
    return x


NUMBERS = "expected floating-point numbers of shape (batch, time, 4), with 1 step at least."
FINITE = (
    "in sequence 1, step 8, feature 2; expected finite numbers, in padding too: fill in what is "
    "missing, as a detector does by itself."
)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (with_value(torch.nan), f"x holds nan {FINITE}"),
        (with_value(-torch.inf), f"x holds -inf {FINITE}"),
        (X[0], f"x has shape (9, 4) and dtype torch.float32; {NUMBERS}"),
        (X[:, :0], f"x has shape (6, 0, 4) and dtype torch.float32; {NUMBERS}"),
        (X[..., :3], f"x has shape (6, 9, 3) and dtype torch.float32; {NUMBERS}"),
        (X.long(), f"x has shape (6, 9, 4) and dtype torch.int64; {NUMBERS}"),
    ],
)
def test_batches_that_a_network_cannot_read_are_refused(x, sentence):
    network, forecaster = LSTMAutoencoder(4), LSTMForecaster(4)
    for call in (network, network.encode, forecaster, forecaster.resume):
        with pytest.raises(ValueError, match=exactly(sentence)):
            call(x, LENGTHS)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match=exactly(f"x is of type ndarray; expected a tensor: {AS}")):
        LSTMAutoencoder(4)(X.numpy(), LENGTHS)


AS = "torch.as_tensor(x)."


@pytest.mark.parametrize(
    ("lengths", "sentence"),
    [
        (
            [3, 0],
            "lengths are [3, 0]; expected a number of steps, 1 at least, for each of 2 latents.",
        ),
        (
            [3],
            "lengths has shape (1,) and dtype torch.int64; expected 2 integers, one a sequence of "
            "the batch.",
        ),
    ],
)
@pytest.mark.parametrize("of_kind", [list, torch.tensor])
def test_lengths_that_nothing_can_be_decoded_to_are_refused(of_kind, lengths, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMAutoencoder(4, latent_size=2).decode(torch.ones(2, 2), of_kind(lengths))
