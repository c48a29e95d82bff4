"""The training loop, on networks that have nothing of an LSTM."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import exactly
from scipy.special import comb
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from skl_lstmae.modules import Output, SequenceNetwork
from skl_lstmae.training.batches import Batch
from skl_lstmae.training.objectives import StepPrediction, squared_error
from skl_lstmae.training.progress import History
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
    return Batch(np.array([0]), x, mask, torch.tensor([x.shape[1]]))


def train(network, *pieces, validation=None, n_epochs=0, **parameters):
    """Train on one batch, of pieces, for so many epochs or until the trainer ends it."""
    defaults = {
        "objective": StepPrediction(squared_error),
        "learning_rate": 0.1,
        "weight_decay": 0.0,
        "clip_norm": None,
        "max_epochs": 500,
        "n_iter_no_change": 5,
        "tol": 1e-6,
        "verbose": 0,
        "generator": torch.Generator(),
    }
    history = History()
    watcher = SimpleNamespace(
        begin_epoch=lambda: None, end_epoch=lambda progress: progress.n_epochs == n_epochs
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


def test_training_ends_when_the_loss_stops_falling():
    network = Constant()
    history = train(network, make_batch(1.0, 3.0), n_iter_no_change=100)
    assert network.value.item() == pytest.approx(2.0, abs=0.01)
    assert history.loss_curve[0] == pytest.approx(5.0)
    assert min(history.loss_curve) == pytest.approx(1.0, abs=1e-3)
    assert history.n_epochs == len(history.loss_curve) == len(history.seconds) < 500
    assert min(history.seconds) > 0
    assert np.isnan(history.validation_loss_curve).all()
    assert not network.training


def test_cells_that_are_not_observed_do_not_count():
    network, batch = Constant(), make_batch(1.0, 50.0, observed=[True, False])
    history = train(network, batch, validation=batch, n_iter_no_change=50)
    assert network.value.item() == pytest.approx(1.0, abs=0.01)
    assert history.loss_curve[0] == 1.0


def test_the_pieces_of_a_batch_make_one_step_of_its_mean_gradient():
    whole, pieces = Constant(), Constant()
    train(whole, make_batch(1.0, 2.0, 3.0, 10.0), n_epochs=3)
    history = train(pieces, make_batch(1.0, 2.0, 3.0), make_batch(10.0), n_epochs=3)
    assert pieces.value.item() == pytest.approx(whole.value.item(), rel=1e-6)
    assert history.loss_curve[0] == pytest.approx(np.mean([1, 4, 9, 100]))


def test_the_weights_of_the_best_validation_epoch_are_kept():
    network = Constant()
    history = train(network, make_batch(4.0), validation=make_batch(2.0), n_iter_no_change=20)
    best = int(np.argmin(history.validation_loss_curve))
    assert history.n_epochs == best + 1 + 20
    assert (network.value.item() - 2) ** 2 == pytest.approx(history.validation_loss_curve[best])


@pytest.mark.parametrize("validation", [None, make_batch(4.0)])
@pytest.mark.parametrize(("power", "expected"), [(8, average([0.1, 0.2, 0.3, 0.4])), (1e12, 0.4)])
def test_weights_averaged_over_the_steps_are_judged_and_kept(validation, power, expected):
    """Adam's first steps are each as long as the learning rate."""
    network = Constant()
    train(network, make_batch(4.0), n_epochs=4, validation=validation, averaging_power=power)
    assert network.value.item() == pytest.approx(expected, abs=1e-3)


def test_improvements_below_tol_do_not_postpone_the_end():
    parameters = {"learning_rate": 1e-4, "tol": 1.0, "n_iter_no_change": 7}
    assert train(Constant(), make_batch(4.0), **parameters).n_epochs == 8


def test_running_out_of_epochs_warns():
    sentence = (
        "Training ended at max_epochs=2, before the loss had failed to improve for "
        "n_iter_no_change=5 epochs; raise max_epochs or learning_rate."
    )
    with pytest.warns(ConvergenceWarning, match=exactly(sentence)):
        assert train(Constant(), make_batch(9.0), max_epochs=2).n_epochs == 2


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
    calls = {call: lambda network: weights.append(network.value.item()) for call in range(2, 6)}
    network = Constant(at_call={**calls, 6: interrupt})
    history = train(network, make_batch(9.0))
    assert (history.n_epochs, history.was_interrupted) == (5, True)
    assert not history.copy().was_interrupted
    assert network.value.item() == pytest.approx(average([*weights, 0.5]), abs=1e-3)
    assert not network.training


def test_an_interrupt_before_the_first_epoch_is_over_goes_on_up():
    with pytest.raises(KeyboardInterrupt):
        train(Constant(at_call={1: interrupt}), make_batch(9.0))


@pytest.mark.parametrize(("clip_norm", "expected"), [(None, -2e3), (0.5, -0.5)])
def test_clipping_bounds_the_gradient(clip_norm, expected):
    network = Constant()
    train(network, make_batch(1e3), n_epochs=1, clip_norm=clip_norm)
    assert network.value.grad.item() == pytest.approx(expected)


def test_weight_decay_is_decoupled_from_the_gradient():
    network = Constant(1.0)
    train(network, make_batch(1.0), n_epochs=1, weight_decay=0.5)
    assert network.value.item() == pytest.approx(1 - 0.1 * 0.5)


def test_verbose_prints_a_line_an_epoch(capsys):
    parameters = {"validation": make_batch(3.0), "verbose": 1, "learning_rate": 1e-9}
    train(Constant(), make_batch(2.0), n_epochs=2, **parameters)
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1, loss = 4.00000000, validation loss = 9.00000000",
        "Epoch 2, loss = 4.00000000, validation loss = 9.00000000",
    ]


class LastStepIsTheSum:
    """An objective of one's own: of each sequence, the last prediction is to be the steps' sum."""

    def count(self, batch):
        return len(batch.x)

    def total(self, network, batch, generator):
        prediction = network(batch.x, batch.lengths, generator).prediction
        return (prediction[:, -1] - batch.x.sum(dim=1)).square().sum()


def test_an_objective_of_ones_own_is_minimised():
    network, batch = Constant(), make_batch(1.0, 2.0, 0.5)
    history = train(network, batch, objective=LastStepIsTheSum(), n_iter_no_change=50)
    assert network.value.item() == pytest.approx(3.5, abs=0.01)
    assert history.loss_curve[0] == 3.5**2
