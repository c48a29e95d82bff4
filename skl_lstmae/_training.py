"""The training loop: it knows batches and losses, nothing of what it trains or what for."""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Generator, Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel

from skl_lstmae._batches import Batch
from skl_lstmae._losses import Loss


@dataclass(eq=False)
class History:
    """Mean loss of an observed cell, epoch by epoch, and the weights to keep.

    Where there is a validation loss, it judges the epochs, and the best one's weights are kept. A
    training loss is that of weights on their way through the epoch, not of averaged ones: it tells
    when to stop, but the weights kept are the last.

    Parameters
    ----------
    tol : float
        Least improvement that counts.
    """

    tol: float
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    kept_weights: dict[str, Tensor] = field(default_factory=dict)
    n_epochs_without_progress: int = 0

    @property
    def n_epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.loss_curve)

    def record(self, module: nn.Module, loss: float, validation_loss: float | None) -> None:
        """Note the end of an epoch; the weights are copied, since training goes on in place."""
        judged = loss if validation_loss is None else validation_loss
        if validation_loss is None or judged < self.best_loss:
            self.kept_weights = {
                name: weight.detach().clone() for name, weight in module.state_dict().items()
            }
        progress = judged < self.best_loss - self.tol
        self.n_epochs_without_progress = 0 if progress else self.n_epochs_without_progress + 1
        self.best_loss = min(self.best_loss, judged)
        if validation_loss is not None:
            self.validation_loss_curve.append(validation_loss)
        self.loss_curve.append(loss)


class EpochWatcher:
    """Is told of every epoch and may end the training; this one does neither more nor less."""

    def begin_epoch(self) -> None:
        """Take notice that an epoch begins."""

    def end_epoch(self, history: History) -> bool:
        """Take notice that an epoch is over; return whether training is to stop."""
        return False


NOBODY = EpochWatcher()


@dataclass(frozen=True, eq=False)
class Trainer:
    """AdamW [1]_ with gradient clipping, until the loss stops falling.

    What is validated and kept are averages of the weights over the latest steps [2]_: at a constant
    learning rate single weights jump about the optimum, and how well they detect is up to chance.

    Parameters
    ----------
    loss : callable
        Element-wise loss of (prediction, target).

    learning_rate, weight_decay, clip_norm, max_epochs, n_iter_no_change, tol, verbose
        As in :class:`skl_lstmae.LSTMAutoencoderDetector`.

    generator : torch.Generator
        Drives the module's random parts; on the module's device.

    averaging_power : float, default=8
        The weights after the t-th of n steps count in their average about as ``(t / n)`` to this
        power does.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    .. [2] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization:
       convergence results and optimal averaging schemes", ICML 2013,
       :doi:`10.48550/arXiv.1212.1824`.
    """

    loss: Loss
    learning_rate: float
    weight_decay: float
    clip_norm: float | None
    max_epochs: int
    n_iter_no_change: int
    tol: float
    verbose: int
    generator: Generator
    averaging_power: float = 8

    def train(
        self,
        module: nn.Module,
        training_batches: Callable[[], Iterable[list[Batch]]],
        validation_batches: Callable[[], Iterable[Batch]] | None,
        watcher: EpochWatcher = NOBODY,
    ) -> History:
        """Train ``module`` in place; leave it in evaluation mode.

        ``training_batches()`` yields an epoch's batches, each as a list of pieces whose gradients
        are accumulated. Without ``validation_batches`` the training loss decides when to stop,
        unless ``watcher`` does earlier.
        """
        history = History(self.tol)
        try:
            self._run_epochs(module, training_batches, validation_batches, history, watcher)
        except KeyboardInterrupt:
            if history.n_epochs == 0:
                raise
            warnings.warn(
                f"Training was interrupted after {history.n_epochs} epochs; "
                "the best weights so far are kept.",
                stacklevel=2,
            )
        module.load_state_dict(history.kept_weights)
        module.eval()
        return history

    def train_once(self, module: nn.Module, batches: Iterable[list[Batch]]) -> float:
        """Train ``module`` in place for one epoch and return its loss."""
        loss = self._train_epoch(module, batches, self._make_optimizer(module))
        module.eval()
        return loss

    def _make_optimizer(self, module: nn.Module) -> Optimizer:
        # Fused, an update of all weights is one call instead of a dozen for each.
        return AdamW(
            module.parameters(),
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            fused=True,
        )

    def _run_epochs(
        self,
        module: nn.Module,
        training_batches: Callable[[], Iterable[list[Batch]]],
        validation_batches: Callable[[], Iterable[Batch]] | None,
        history: History,
        watcher: EpochWatcher,
    ) -> None:
        optimizer = self._make_optimizer(module)
        averaged = AveragedModel(module, multi_avg_fn=self._average)
        optimizer.register_step_post_hook(lambda *_: averaged.update_parameters(module))
        while history.n_epochs < self.max_epochs:
            watcher.begin_epoch()
            loss = self._train_epoch(module, training_batches(), optimizer)
            validation_loss = validation_batches and self._mean_loss(
                averaged.module, validation_batches()
            )
            history.record(averaged.module, loss, validation_loss)
            self._report(history)
            wants_to_stop = watcher.end_epoch(history)
            if wants_to_stop or history.n_epochs_without_progress >= self.n_iter_no_change:
                return
        warnings.warn(
            f"Training ended at max_epochs={self.max_epochs}, before the loss had failed to "
            f"improve for n_iter_no_change={self.n_iter_no_change} epochs; raise max_epochs or "
            "learning_rate.",
            ConvergenceWarning,
            stacklevel=3,
        )

    def _train_epoch(
        self, module: nn.Module, batches: Iterable[list[Batch]], optimizer: Optimizer
    ) -> float:
        module.train()
        _keep_freed_memory()
        total_loss, total_observed = 0.0, 0
        for pieces in batches:
            # At least 1: windows of a long series may all fall into its gaps.
            n_observed = max(1, sum(int(piece.observed.sum()) for piece in pieces))
            optimizer.zero_grad()
            batch_loss = 0.0
            for piece in pieces:
                loss = self._summed_loss(module, piece) / n_observed
                loss.backward()
                batch_loss += loss.item()
            _check_finite(batch_loss)
            if self.clip_norm is not None:
                clip_grad_norm_(module.parameters(), self.clip_norm)
            optimizer.step()
            total_loss += batch_loss * n_observed
            total_observed += n_observed
        return total_loss / total_observed

    @torch.no_grad()
    def _mean_loss(self, module: nn.Module, batches: Iterable[Batch]) -> float:
        module.eval()
        total_loss, total_observed = 0.0, 0
        for batch in batches:
            total_loss += self._summed_loss(module, batch).item()
            total_observed += int(batch.observed.sum())
        _check_finite(total_loss)
        return total_loss / max(1, total_observed)

    def _summed_loss(self, module: nn.Module, batch: Batch) -> Tensor:
        prediction, _ = module(batch.x, batch.lengths, self.generator)
        return (self.loss(prediction, batch.x) * batch.observed).sum()

    def _average(
        self, averages: Sequence[Tensor], weights: Sequence[Tensor], n_averaged: Tensor | int
    ) -> None:
        """Take one more of each weight into averages of so many."""
        power = self.averaging_power
        share = (power + 1) / (float(n_averaged) + power + 1)
        for average, weight in zip(averages, weights, strict=True):
            average.lerp_(weight, share)

    def _report(self, history: History) -> None:
        if self.verbose:
            line = f"Epoch {history.n_epochs}, loss = {history.loss_curve[-1]:.8f}"
            if history.validation_loss_curve:
                line += f", validation loss = {history.validation_loss_curve[-1]:.8f}"
            print(line)


def _keep_freed_memory() -> None:
    """Have glibc keep memory from batch to batch, which it would return and be given anew, cleared.

    It keeps up to twice the largest block that it ever saw freed, if of at most 32 MiB: see
    ``M_MMAP_THRESHOLD`` in mallopt(3).
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def _check_finite(loss: float) -> None:
    if not math.isfinite(loss):
        raise ValueError(
            f"The training loss became {loss}; "
            "lower learning_rate, set clip_norm, or choose a scaler."
        )
