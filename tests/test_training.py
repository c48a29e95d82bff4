"""The training loop, on modules that have nothing of an LSTM."""

import numpy as np
import pytest
import torch
from scipy.special import comb
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from skl_lstmae._batches import Batch
from skl_lstmae._losses import squared_error
from skl_lstmae._training import Trainer


class Constant(nn.Module):
    """Predicts one number for everything, and can be told to misbehave in a given call."""

    def __init__(self, value=0.0):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))
        self.n_calls = 0
        self.at_call = {}

    def forward(self, x, lengths, generator=None):
        self.n_calls += 1
        self.at_call.get(self.n_calls, lambda: None)()
        return self.value.expand_as(x), x


def make_batch(values, observed=True):
    x = torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1)
    mask = torch.as_tensor(observed).reshape(-1).expand(x.numel()).reshape(x.shape)
    return Batch(np.array([0]), x, mask, torch.tensor([x.shape[1]]))


def make_trainer(**parameters):
    defaults = {
        "loss": squared_error,
        "learning_rate": 0.1,
        "weight_decay": 0.0,
        "clip_norm": None,
        "max_epochs": 500,
        "n_iter_no_change": 5,
        "tol": 1e-6,
        "verbose": 0,
        "generator": torch.Generator(),
    }
    return Trainer(**defaults | parameters)


def interrupt():
    raise KeyboardInterrupt


def average(weights):
    """Average the weights after each step as Shamir and Zhang do, from the first on."""
    steps = np.arange(1, len(weights) + 1)
    return np.average(weights, weights=comb(steps + 7, 8))


def test_training_ends_when_the_loss_stops_falling():
    module = Constant()
    trainer = make_trainer(learning_rate=0.01, max_epochs=2000, n_iter_no_change=200)
    history = trainer.train(module, lambda: [[make_batch([1.0, 3.0])]], None)
    assert module.value.item() == pytest.approx(2.0, abs=0.01)
    assert history.loss_curve[0] == pytest.approx(5.0)
    assert min(history.loss_curve) == pytest.approx(1.0, abs=1e-3)
    assert history.n_epochs == len(history.loss_curve) < 2000
    assert history.validation_loss_curve == []
    assert not module.training


def test_cells_that_are_not_observed_do_not_count():
    module = Constant()
    batch = make_batch([1.0, 50.0], observed=[True, False])
    trainer = make_trainer(n_iter_no_change=50)
    history = trainer.train(module, lambda: [[batch]], lambda: [batch])
    assert module.value.item() == pytest.approx(1.0, abs=0.01)
    assert history.loss_curve[0] == 1.0


def test_the_pieces_of_a_batch_make_one_step_of_its_mean_gradient():
    values = [1.0, 2.0, 3.0, 10.0]
    whole, pieces = Constant(), Constant()
    with pytest.warns(ConvergenceWarning):
        make_trainer(max_epochs=3).train(whole, lambda: [[make_batch(values)]], None)
    with pytest.warns(ConvergenceWarning):
        history = make_trainer(max_epochs=3).train(
            pieces, lambda: [[make_batch(values[:3]), make_batch(values[3:])]], None
        )
    assert pieces.value.item() == pytest.approx(whole.value.item(), rel=1e-6)
    assert history.loss_curve[0] == pytest.approx(np.mean(np.square(values)))


def test_the_weights_of_the_best_validation_epoch_are_kept():
    module = Constant()
    history = make_trainer(n_iter_no_change=20).train(
        module, lambda: [[make_batch([4.0])]], lambda: [make_batch([2.0])]
    )
    best = int(np.argmin(history.validation_loss_curve))
    assert history.n_epochs == best + 1 + 20
    assert (module.value.item() - 2.0) ** 2 == pytest.approx(history.validation_loss_curve[best])
    assert history.best_loss == history.validation_loss_curve[best]


@pytest.mark.parametrize("is_validated", [False, True])
def test_weights_averaged_over_the_steps_are_judged_and_kept(is_validated):
    module, batches = Constant(), [make_batch([4.0])]
    with pytest.warns(ConvergenceWarning):
        history = make_trainer(max_epochs=4).train(
            module, lambda: [batches], (lambda: batches) if is_validated else None
        )
    kept = average([0.1, 0.2, 0.3, 0.4])  # where Adam's first steps lead, each as long as its rate
    assert module.value.item() == pytest.approx(kept, abs=1e-3)
    if is_validated:
        assert history.validation_loss_curve[-1] == pytest.approx((4.0 - module.value.item()) ** 2)


def test_at_a_high_power_the_last_weights_are_kept():
    module, batches = Constant(), [make_batch([4.0])]
    with pytest.warns(ConvergenceWarning):
        make_trainer(max_epochs=4, averaging_power=1e12).train(module, lambda: [batches], None)
    assert module.value.item() == pytest.approx(0.4, abs=1e-3)


def test_improvements_below_tol_do_not_postpone_the_end():
    module = Constant()
    history = make_trainer(learning_rate=1e-4, tol=1.0, n_iter_no_change=7).train(
        module, lambda: [[make_batch([4.0])]], None
    )
    assert history.n_epochs == 8


def test_running_out_of_epochs_warns():
    with pytest.warns(ConvergenceWarning, match="ended at max_epochs=2, before"):
        history = make_trainer(max_epochs=2).train(Constant(), lambda: [[make_batch([9.0])]], None)
    assert history.n_epochs == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_says_what_to_change(bad):
    module = Constant()
    module.at_call[3] = lambda: module.value.data.fill_(bad)
    with pytest.raises(ValueError, match="lower learning_rate, set clip_norm, or choose a scaler"):
        make_trainer().train(module, lambda: [[make_batch([1.0])]], None)


def test_an_interrupt_keeps_the_best_weights_and_warns():
    module = Constant()
    weights = set()  # of the module that is trained, whichever copy of it is called
    for call in range(2, 6):
        module.at_call[call] = lambda: weights.add(module.value.item())
    module.at_call[6] = interrupt
    with pytest.warns(UserWarning, match="interrupted after 5 epochs; the best weights so far"):
        history = make_trainer().train(
            module, lambda: [[make_batch([9.0])]], lambda: [make_batch([9.0])]
        )
    assert history.n_epochs == 5
    assert module.value.item() == pytest.approx(average(sorted(weights)))
    assert not module.training


def test_an_interrupt_before_the_first_epoch_is_over_goes_on_up():
    module = Constant()
    module.at_call[1] = interrupt
    with pytest.raises(KeyboardInterrupt):
        make_trainer().train(module, lambda: [[make_batch([9.0])]], None)


def test_clipping_bounds_the_gradient():
    def gradient(clip_norm):
        module = Constant()
        with pytest.warns(ConvergenceWarning):
            make_trainer(clip_norm=clip_norm, max_epochs=1).train(
                module, lambda: [[make_batch([1e3])]], None
            )
        return module.value.grad.item()

    assert gradient(None) == -2e3
    assert gradient(0.5) == pytest.approx(-0.5)


def test_weight_decay_is_decoupled_from_the_gradient():
    module = Constant(1.0)
    with pytest.warns(ConvergenceWarning):
        make_trainer(weight_decay=0.5, max_epochs=1).train(
            module, lambda: [[make_batch([1.0])]], None
        )
    assert module.value.item() == pytest.approx(1 - 0.1 * 0.5)


def test_verbose_prints_a_line_an_epoch(capsys):
    trainer = make_trainer(verbose=1, max_epochs=2, learning_rate=1e-9)
    with pytest.warns(ConvergenceWarning):
        trainer.train(Constant(), lambda: [[make_batch([2.0])]], lambda: [make_batch([3.0])])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1, loss = 4.00000000, validation loss = 9.00000000",
        "Epoch 2, loss = 4.00000000, validation loss = 9.00000000",
    ]
