"""The training loop: it knows batches and objectives, nothing of what it trains or what for."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any, Protocol

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Generator
from torch.nn.utils import clip_grad_norm_

from skl_lstmae._warn import warn
from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.training.averages import AveragedNetwork
from skl_lstmae.training.batches import Batch, Epoch
from skl_lstmae.training.checkpoint import Checkpoint, Training
from skl_lstmae.training.distributed import ALONE, Ranks
from skl_lstmae.training.gradients import BatchGradient
from skl_lstmae.training.mean_loss import MeanLoss
from skl_lstmae.training.objectives import Objective
from skl_lstmae.training.optimizers import AdamW, Muon, Optimizer
from skl_lstmae.training.progress import History, Progress
from skl_lstmae.training.schedule import Schedule, constant, gentle, one_cycle, one_more


class EpochWatcher(Protocol):
    """Is told of every epoch, and may end the training."""

    def begin_epoch(self) -> None:
        """Take notice that an epoch begins."""
        ...

    def end_epoch(self, progress: Progress) -> bool:
        """Take notice that an epoch is over; return whether training is to stop."""
        ...


@dataclass(frozen=True, eq=False)
class Trainer:
    """Muon for matrices [1]_ and AdamW for other weights [2]_, with gradient clipping.

    The learning rate goes through one cycle. Where there is a validation loss it is constant, and
    training ends once that loss has stopped falling. What is validated and kept are averages of the
    weights over the latest steps: at a constant rate single weights jump about the optimum, and how
    well they detect is up to chance.

    Parameters
    ----------
    objective : Objective
        What is minimised.

    n_epochs : int
        The most passes over the training sequences.

    learning_rate, weight_decay, clip_norm, n_iter_no_change, tol, verbose
        As in :class:`skl_lstmae.LSTMAutoencoderDetector`.

    generator : torch.Generator
        Drives the network's random parts; on the network's device.

    uses_muon : bool, default=True
        Whether matrices are trained by Muon, rather than all weights by AdamW.

    averaging_power : float, default=8
        As in :class:`~skl_lstmae.training.averages.AveragedNetwork`.

    ranks : Ranks, default=ALONE
        The processes that share the work.

    bfloat16 : bool, default=False
        Whether training steps compute in bfloat16; weights and validation are in float32.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon/.
    .. [2] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    objective: Objective
    n_epochs: int
    learning_rate: float
    weight_decay: float
    clip_norm: float | None
    n_iter_no_change: int
    tol: float
    verbose: int
    generator: Generator
    uses_muon: bool = True
    averaging_power: float = 8
    ranks: Ranks = ALONE
    bfloat16: bool = False

    def train(
        self,
        network: SequenceNetwork,
        training_batches: Callable[[], Epoch],
        validation_batches: Callable[[], Iterable[Batch]] | None,
        history: History,
        watcher: EpochWatcher | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Train a network in place, leave it in evaluation mode, and go on with a history.

        ``training_batches()`` returns an epoch's batches, each as a list of micro-batches whose
        gradients are accumulated. The loss of ``validation_batches`` may end the training, as
        ``watcher`` may. After an interrupt from the keyboard the weights of the last whole epoch
        are kept, or those of the best one if there is a validation loss, and the history tells of
        it, unless there are several ranks. What a ``checkpoint`` holds is gone on from, and each
        epoch replaces it.
        """
        progress = Progress(history, self.tol)
        training = self._begin(network, progress)
        try:
            self._run_epochs(training, training_batches, validation_batches, watcher, checkpoint)
        except KeyboardInterrupt:
            if progress.n_epochs == 0 or self.ranks.number > 1:
                raise
            history.was_interrupted = True
        network.load_state_dict(progress.kept_weights)
        network.eval()

    def train_once(self, network: SequenceNetwork, batches: Epoch, history: History) -> None:
        """Train a network in place for one epoch, and go on with a history."""
        start = perf_counter()
        schedule = gentle if history.is_whole else one_more(history.n_epochs)
        loss = self._train_epoch(network, batches, self._make_optimizers(network), schedule)
        history.record(loss, None, perf_counter() - start)
        network.eval()

    def _make_optimizers(self, network: SequenceNetwork) -> tuple[Optimizer, ...]:
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        matrices = [weight for weight in weights if self.uses_muon and weight.dim() > 1]
        others = [weight for weight in weights if not self.uses_muon or weight.dim() <= 1]
        return Muon(matrices, self.weight_decay), AdamW(others, self.weight_decay)

    def _begin(self, network: SequenceNetwork, progress: Progress) -> Training:
        averaged = AveragedNetwork(network, self.averaging_power)
        optimizers = self._make_optimizers(network)
        return Training(network, averaged, optimizers, self.generator, progress)

    def _run_epochs(
        self,
        training: Training,
        training_batches: Callable[[], Epoch],
        validation_batches: Callable[[], Iterable[Batch]] | None,
        watcher: EpochWatcher | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        progress, averaged = training.progress, training.averaged.module
        if checkpoint and checkpoint.restore(training) and self._prints:
            print(f"Going on after epoch {progress.n_epochs}, from {checkpoint.path}")
        training.level(self.ranks)
        while not progress.is_over and progress.n_epochs < self.n_epochs:
            if watcher:
                watcher.begin_epoch()
            start = perf_counter()
            schedule = constant if validation_batches else self._part_of_cycle(progress.n_epochs)
            loss = self._train_epoch(
                training.network,
                training_batches(),
                training.optimizers,
                schedule,
                training.averaged,
            )
            validation_loss = validation_batches and self._mean_loss(averaged, validation_batches())
            progress.history.record(loss, validation_loss, perf_counter() - start)
            progress.judge(averaged, validation_loss)
            self._report(progress)
            wants_to_stop = bool(watcher and watcher.end_epoch(progress))
            has_stalled = progress.n_epochs_without_progress >= self.n_iter_no_change
            progress.is_over = self.ranks.is_any(wants_to_stop) or has_stalled
            training.level(self.ranks)
            if checkpoint:
                checkpoint.write(training)
        if validation_batches and not progress.is_over:
            warn(
                f"Training ended at max_epochs={self.n_epochs}, before the loss had failed to "
                f"improve for n_iter_no_change={self.n_iter_no_change} epochs; raise max_epochs or "
                "learning_rate.",
                ConvergenceWarning,
            )

    def _part_of_cycle(self, epoch: int) -> Schedule:
        """Return how the rate goes within an epoch of one cycle."""
        return lambda done: one_cycle((epoch + done) / self.n_epochs)

    def _train_epoch(
        self,
        network: SequenceNetwork,
        batches: Epoch,
        optimizers: tuple[Optimizer, ...],
        schedule: Schedule,
        averaged: AveragedNetwork | None = None,
    ) -> float:
        network.train()
        _keep_freed_memory()
        weights = list(network.parameters())
        gradient = BatchGradient(self.objective, self.generator, self.ranks, self.bfloat16)
        losses = MeanLoss()
        for i, micro_batches in enumerate(batches):
            for weight in weights:  # as zero_grad does, which looks for them in every batch
                weight.grad = None
            losses.add(*gradient.accumulate(network, micro_batches))
            if self.clip_norm is not None:
                clip_grad_norm_(weights, self.clip_norm)
            for optimizer in optimizers:
                optimizer.step(self.learning_rate * schedule(i / len(batches)))
            if averaged is not None:
                averaged.update()
        return losses.read()

    @torch.no_grad()
    def _mean_loss(self, network: Any, batches: Iterable[Batch]) -> float:
        network.eval()
        losses = MeanLoss()
        for batch in islice(batches, self.ranks.rank, None, self.ranks.number):
            total = self.objective.total(network, batch, self.generator)
            losses.add(total, self.objective.count(batch))
        return losses.read(self.ranks)

    @property
    def _prints(self) -> bool:
        return bool(self.verbose and self.ranks.is_first)

    def _report(self, progress: Progress) -> None:
        if self._prints:
            history = progress.history
            line = f"Epoch {progress.n_epochs}, loss = {history.loss_curve[-1]:.8f}"
            if not math.isnan(history.validation_loss_curve[-1]):
                line += f", validation loss = {history.validation_loss_curve[-1]:.8f}"
            print(line)


def _keep_freed_memory() -> None:
    """Have glibc keep memory from batch to batch, which it would return and be given anew, cleared.

    It keeps up to twice the largest block that it ever saw freed, if of at most 32 MiB: see
    ``M_MMAP_THRESHOLD`` in mallopt(3).
    """
    torch.empty(31 * 2**20, dtype=torch.uint8, device="cpu")
