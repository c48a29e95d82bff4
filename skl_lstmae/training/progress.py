"""How far a training is: what is on record of its epochs, and what decides when it ends."""

import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

CHANGING = ("n_epochs", "best_loss", "kept_weights", "n_epochs_without_progress", "is_over")
"""What an epoch changes of a `Progress`, beside its history."""


@dataclass(eq=False)
class History:
    """What is on record of each epoch.

    Parameters
    ----------
    loss_curve : list of float
        Mean loss of an observed cell in training.
    validation_loss_curve : list of float
        The same of the held-out sequences after the epoch; NaN if it was not measured.
    seconds : list of float
        Wall-clock time of the epoch, its validation included.
    was_interrupted : bool
        Whether the latest training was ended by an interrupt from the keyboard.
    is_whole : bool
        Whether it is that of a `fit`, rather than of single epochs alone.
    """

    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    was_interrupted: bool = False
    is_whole: bool = False

    @property
    def n_epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.loss_curve)

    def record(self, loss: float, validation_loss: float | None, seconds: float) -> None:
        """Note the end of an epoch."""
        self.validation_loss_curve.append(math.nan if validation_loss is None else validation_loss)
        self.seconds.append(seconds)
        self.loss_curve.append(loss)  # last, as it is counted

    def raise_interrupt(self) -> None:
        """End what the training was a part of, a search perhaps, if it was to end."""
        if self.was_interrupted:
            raise KeyboardInterrupt(
                f"training was interrupted after {self.n_epochs} epochs; what was being fitted has "
                "the weights of the last of them, or with early stopping of the best."
            )

    def copy(self) -> "History":
        """Return one that may go on without this one, by another training."""
        curves = self.loss_curve[:], self.validation_loss_curve[:], self.seconds[:]
        return History(*curves, is_whole=self.is_whole)


@dataclass(eq=False)
class Progress:
    """How far a training is, and the weights to keep.

    Where there is a validation loss, it judges the epochs, and the best one's weights are kept;
    else the last one's.

    Parameters
    ----------
    history : History
        Of this training and of those it goes on from.
    tol : float
        Least improvement that counts.
    """

    history: History
    tol: float
    n_epochs: int = 0
    best_loss: float = math.inf
    kept_weights: dict[str, Tensor] = field(default_factory=dict)
    n_epochs_without_progress: int = 0
    is_over: bool = False

    def judge(self, network: nn.Module, validation_loss: float | None) -> None:
        """Note the end of an epoch; the weights are copied, since training goes on in place."""
        if validation_loss is None or validation_loss < self.best_loss:
            self.kept_weights = {
                name: weight.detach().clone() for name, weight in network.state_dict().items()
            }
        if validation_loss is not None:
            is_better = validation_loss < self.best_loss - self.tol
            self.n_epochs_without_progress = 0 if is_better else self.n_epochs_without_progress + 1
            self.best_loss = min(self.best_loss, validation_loss)
        self.n_epochs += 1

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes from epoch to epoch, as numbers and tensors."""
        history = self.history
        return {
            "curves": [history.loss_curve, history.validation_loss_curve, history.seconds],
            **{name: getattr(self, name) for name in CHANGING},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on, with the same history, from what another one has returned."""
        history = self.history
        curves = history.loss_curve, history.validation_loss_curve, history.seconds
        for curve, saved in zip(curves, state["curves"], strict=True):
            curve[:] = saved
        for name in CHANGING:
            setattr(self, name, state[name])
