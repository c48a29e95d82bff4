"""The training loop, on networks that have nothing of an LSTM."""

import copy
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import exactly, make_waves
from numpy.testing import assert_allclose
from scipy.special import comb
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split
from skl_lstmae.modules import Output, SequenceNetwork
from skl_lstmae.training.batches import Batch, count_batches
from skl_lstmae.training.objectives import StepPrediction, squared_error
from skl_lstmae.training.optimizers import AdamW, Muon, orthogonalized
from skl_lstmae.training.progress import History
from skl_lstmae.training.recipe import Recipe
from skl_lstmae.training.schedule import FIRST, batch_size_on, count_epochs
from skl_lstmae.training.trainer import Trainer


class Constant(SequenceNetwork):
    """Predicts one number for everything, and can be told to misbehave in a given call."""

    def __init__(self, value=0.0, at_call=None):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))
        self.at_call = at_call or {}
        self.n_calls = 0

    def forward(self, x, lengths=None, generator=None):
        self.n_calls += 1
        self.at_call.get(self.n_calls, lambda network: None)(self)
        return Output(self.value.expand_as(x), x, x)


def make_batch(*values, observed=True):
    x = torch.tensor(values).reshape(1, -1, 1)
    mask = torch.as_tensor(observed).reshape(-1).expand(x.numel()).reshape(x.shape)
    return Batch(np.array([0]), x, mask, torch.tensor([x.shape[1]]), may_miss=not mask.all())


def train(network, *pieces, validation=None, ends_after=None, **parameters):
    """Train on one batch, of pieces, for so many epochs or until the trainer ends it."""
    defaults = {
        "objective": StepPrediction(squared_error),
        "learning_rate": 0.1,
        "weight_decay": 0.0,
        "clip_norm": None,
        "n_epochs": 500,
        "n_iter_no_change": 5,
        "tol": 1e-6,
        "verbose": 0,
        "generator": torch.Generator(),
    }
    history = History()
    watcher = SimpleNamespace(
        begin_epoch=lambda: None, end_epoch=lambda progress: progress.n_epochs == ends_after
    )
    Trainer(**defaults | parameters).train(
        network,
        lambda: [list(pieces)],
        None if validation is None else lambda: [validation],
        history,
        watcher,
    )
    return history


def average(weights):
    """Average the weights after each step as Shamir and Zhang do, from the first on."""
    steps = np.arange(1, len(weights) + 1)
    return np.average(weights, weights=comb(steps + 7, 8))


def test_training_ends_when_the_validation_loss_stops_falling():
    network, batch = Constant(), make_batch(1.0, 3.0)
    history = train(network, batch, validation=batch, n_iter_no_change=100)
    assert network.value.item() == pytest.approx(2.0, abs=0.01)
    assert history.loss_curve[0] == pytest.approx(5.0)
    assert min(history.loss_curve) == pytest.approx(1.0, abs=1e-3)
    assert history.n_epochs == len(history.loss_curve) == len(history.seconds) < 500
    assert min(history.seconds) > 0
    assert not np.isnan(history.validation_loss_curve).any()
    assert not network.training


def test_without_validation_the_rate_goes_through_one_cycle():
    """Adam's steps along a slope are each as long as the rate."""
    network = Constant()
    history = train(network, make_batch(1e6), learning_rate=1.0, n_epochs=8, averaging_power=1e12)
    shares = [FIRST, (1 + FIRST) / 2, *((1 + np.cos(np.pi * np.arange(6) / 6)) / 2)]
    assert network.value.item() == pytest.approx(sum(shares), rel=1e-4)
    assert np.isnan(history.validation_loss_curve).all()
    assert history.n_epochs == 8


@pytest.mark.parametrize(
    ("n_sequences", "batch_size", "width", "expected"),
    [
        (9, 8, 64, 15),
        (137, 16, 64, 7),
        (448, 1, 64, 2),
        (448, 16, 64, 2),
        (448, 64, 64, 9),
        (2000, 512, 64, 15),
        (700, 16, 64, 1),
        (10**6, 32, 64, 1),
        (10**6, 1024, 64, 1),
        (448, 32, 256, 5),
        (448, 32, 16, 18),
        (448, 32, 1, 18),
        (9, 8, 32, 30),
        (10**6, 32, 16, 1),
    ],
)
def test_a_training_is_as_long_as_its_steps_are_many(n_sequences, batch_size, width, expected):
    assert count_epochs(n_sequences, batch_size, width) == expected


@pytest.mark.parametrize("hidden_size", [16, 32, 64])
def test_narrow_networks_learn_as_much_by_default_as_wide_ones(hidden_size):
    X = make_waves(200, noise=0.0)
    detector = LSTMAutoencoderDetector(hidden_size=hidden_size, random_state=0).fit(X)
    assert np.mean((detector.reconstruct(X) - X) ** 2) < 0.08 * X.var()


@pytest.mark.parametrize(
    ("device", "n_sequences", "expected"),
    [
        ("cpu", 3, 8),
        ("cpu", 100, 13),
        ("cpu", 700, 16),
        ("cpu", 10**6, 16),
        ("cuda", 3, 8),
        ("cuda", 100, 23),
        ("cuda", 2000, 468),
        ("cuda", 60_000, 1024),
        ("cuda", 10**6, 1024),
    ],
)
def test_batches_are_larger_on_a_gpu_but_steps_are_not_many_more_or_fewer(
    device, n_sequences, expected
):
    batch_size = batch_size_on(torch.device(device), n_sequences)
    assert batch_size == expected
    n_steps = count_epochs(n_sequences, batch_size, 64) * count_batches(n_sequences, batch_size)
    fewest = min(43, 15 * count_batches(n_sequences, 16))
    assert fewest <= n_steps <= max(120, count_batches(n_sequences, batch_size))
    if device == "cuda" and 100 <= n_sequences <= 64 * 1024:
        assert 59 <= n_steps <= 75  # where a CPU makes one step for every 16 of many sequences


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 281),
        ({"batch_size": 7}, 7),
        ({"max_epochs": 40}, 16),  # of which larger batches would make fewer steps
        ({"early_stopping": True}, 16),
    ],
)
def test_batches_are_larger_where_the_number_of_steps_is_ours_to_choose(
    parameters, expected, monkeypatch
):
    monkeypatch.setattr("skl_lstmae.training.recipe.resolve_device", torch.device)
    estimator = LSTMAutoencoderDetector(device="cuda", **parameters)
    sequences = Sequences(np.zeros((1200, 1)), np.arange(1200), np.ones(1200, dtype=int))
    recipe = Recipe.of(estimator, StepPrediction(squared_error))
    assert recipe._batch_size(Split(sequences, sequences.take([0]))) == expected


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (5, 5), (1, 4), (4, 1)])
def test_a_step_of_muon_is_as_long_in_every_direction(shape):
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = np.linalg.svd(gradient.numpy(), full_matrices=False)
    values = np.diag(left.T @ orthogonalized(gradient).numpy() @ right.T)
    assert 0.6 < values.min() <= values.max() < 1.3


def test_muon_takes_a_filter_for_a_row():
    filters = torch.linspace(-1, 1, 24).sin().reshape(4, 3, 2)
    whole, rows = nn.Parameter(filters.clone()), nn.Parameter(filters.flatten(1).clone())
    for weight in whole, rows:
        (weight.flatten() * torch.arange(24.0).cos()).sum().backward()
        Muon([weight]).step(0.02)
    assert not torch.equal(whole, filters)
    assert torch.equal(whole.flatten(1), rows)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(Muon, partial(torch.optim.Muon, momentum=0.8)), (AdamW, torch.optim.AdamW)],
)
def test_steps_are_those_of_torchs_own_optimizers_gone_on_from_or_not(ours, theirs, monkeypatch):
    """But for what torch's Muon rounds to bfloat16."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    start = torch.linspace(-1, 1, 24).reshape(8, 3)
    own, other, still = (nn.Parameter(start.clone()) for _ in range(3))
    optimizer, expected = ours([own, still], 0.1), theirs([other], lr=0.02, weight_decay=0.1)
    for i in range(6):
        for weight in own, other:
            weight.grad = None
            (weight.sin() * torch.arange(24.0).reshape(8, 3).add(i).cos()).sum().backward()
        if i == 3:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = ours([own, still], 0.1)
            optimizer.load_state_dict(state)
        optimizer.step(0.02)
        expected.step()
    assert_allclose(own.detach(), other.detach(), atol=1e-5)
    assert torch.equal(still, start)


def test_a_fit_imports_none_of_torchs_compiler():
    """An interrupt while it is imported breaks it for the rest of the process."""
    code = """
import sys
import numpy as np
from skl_lstmae import LSTMAutoencoderDetector, LSTMClassifier
X, y = np.random.default_rng(0).normal(size=(12, 6)), np.arange(12) % 2
LSTMAutoencoderDetector(hidden_size=2, max_epochs=1).fit(X).partial_fit(X).predict(X)
LSTMClassifier(hidden_size=2, max_epochs=1).fit(X, y).attributions(X)
print(sorted({"sympy", "torch._dynamo"} & sys.modules.keys()))
"""
    printed = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    assert printed.stdout == b"[]\n", printed.stderr


def test_cells_that_are_not_observed_do_not_count():
    network, batch = Constant(), make_batch(1.0, 50.0, observed=[True, False])
    history = train(network, batch, validation=batch, n_iter_no_change=50)
    assert network.value.item() == pytest.approx(1.0, abs=0.01)
    assert history.loss_curve[0] == 1.0


def test_the_pieces_of_a_batch_make_one_step_of_its_mean_gradient():
    whole, pieces = Constant(), Constant()
    train(whole, make_batch(1.0, 2.0, 3.0, 10.0), ends_after=3)
    history = train(pieces, make_batch(1.0, 2.0, 3.0), make_batch(10.0), ends_after=3)
    assert pieces.value.item() == pytest.approx(whole.value.item(), rel=1e-6)
    assert history.loss_curve[0] == pytest.approx(np.mean([1, 4, 9, 100]))


def test_the_weights_of_the_best_validation_epoch_are_kept():
    network = Constant()
    history = train(network, make_batch(4.0), validation=make_batch(2.0), n_iter_no_change=20)
    best = int(np.argmin(history.validation_loss_curve))
    assert history.n_epochs == best + 1 + 20
    assert (network.value.item() - 2) ** 2 == pytest.approx(history.validation_loss_curve[best])


@pytest.mark.parametrize(("power", "expected"), [(8, average([0.1, 0.2, 0.3, 0.4])), (1e12, 0.4)])
def test_weights_averaged_over_the_steps_are_judged_and_kept(power, expected):
    """Adam's first steps are each as long as the learning rate."""
    network, batch = Constant(), make_batch(4.0)
    train(network, batch, ends_after=4, validation=batch, averaging_power=power)
    assert network.value.item() == pytest.approx(expected, abs=1e-3)


def test_improvements_below_tol_do_not_postpone_the_end():
    parameters = {"learning_rate": 1e-4, "tol": 1.0, "n_iter_no_change": 7}
    batch = make_batch(4.0)
    assert train(Constant(), batch, validation=batch, **parameters).n_epochs == 8


def test_running_out_of_epochs_warns():
    sentence = (
        "Training ended at max_epochs=2, before the loss had failed to improve for "
        "n_iter_no_change=5 epochs; raise max_epochs or learning_rate."
    )
    batch = make_batch(9.0)
    with pytest.warns(ConvergenceWarning, match=exactly(sentence)):
        assert train(Constant(), batch, validation=batch, n_epochs=2).n_epochs == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_says_what_to_change(bad):
    network = Constant(at_call={3: lambda network: network.value.data.fill_(bad)})
    sentence = (
        f"The training loss became {bad}; lower learning_rate, set clip_norm, or choose a scaler."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        train(network, make_batch(1.0))


def interrupt(network):
    raise KeyboardInterrupt


def test_an_interrupt_keeps_the_best_weights_and_is_on_record():
    weights = []

    def note(network):
        weights.append(network.value.item())
        if len(weights) == 5:
            raise KeyboardInterrupt

    network = Constant(at_call=dict.fromkeys(range(2, 7), note))
    history = train(network, make_batch(9.0))
    assert (history.n_epochs, history.was_interrupted) == (5, True)
    assert not history.copy().was_interrupted
    assert network.value.item() == pytest.approx(average(weights), rel=1e-5)
    assert not network.training


def test_an_interrupt_before_the_first_epoch_is_over_goes_on_up():
    with pytest.raises(KeyboardInterrupt):
        train(Constant(at_call={1: interrupt}), make_batch(9.0))


@pytest.mark.parametrize(("clip_norm", "expected"), [(None, -2e3), (0.5, -0.5)])
def test_clipping_bounds_the_gradient(clip_norm, expected):
    network = Constant()
    train(network, make_batch(1e3), ends_after=1, clip_norm=clip_norm)
    assert network.value.grad.item() == pytest.approx(expected)


def test_weight_decay_is_decoupled_from_the_gradient():
    network, batch = Constant(1.0), make_batch(1.0)
    train(network, batch, validation=batch, ends_after=1, weight_decay=0.5)
    assert network.value.item() == pytest.approx(1 - 0.1 * 0.5)


def test_verbose_prints_a_line_an_epoch(capsys):
    parameters = {"validation": make_batch(3.0), "verbose": 1, "learning_rate": 1e-9}
    train(Constant(), make_batch(2.0), ends_after=2, **parameters)
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1, loss = 4.00000000, validation loss = 9.00000000",
        "Epoch 2, loss = 4.00000000, validation loss = 9.00000000",
    ]


class LastStepIsTheSum:
    """An objective of one's own: of each sequence, the last prediction is to be the steps' sum."""

    def count(self, batch):
        return torch.tensor(len(batch.x))

    def total(self, network, batch, generator):
        prediction = network(batch.x, batch.lengths, generator).prediction
        return (prediction[:, -1] - batch.x.sum(dim=1)).square().sum()


def test_an_objective_of_ones_own_is_minimised():
    network, batch = Constant(), make_batch(1.0, 2.0, 0.5)
    history = train(
        network, batch, validation=batch, objective=LastStepIsTheSum(), n_iter_no_change=50
    )
    assert network.value.item() == pytest.approx(3.5, abs=0.01)
    assert history.loss_curve[0] == 3.5**2
