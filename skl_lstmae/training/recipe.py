"""How a network learns from a split: what an epoch shows it, how often, and who trains it so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split, join_sequences
from skl_lstmae.modules.network import check_trainable
from skl_lstmae.training.batches import Batch, BatchBuilder, Epoch
from skl_lstmae.training.checkpoint import Checkpoint
from skl_lstmae.training.devices import resolve_device
from skl_lstmae.training.distributed import ranks_here
from skl_lstmae.training.model import Model
from skl_lstmae.training.objectives import Objective
from skl_lstmae.training.precision import computes_in_bfloat16
from skl_lstmae.training.progress import History
from skl_lstmae.training.random_states import make_generator
from skl_lstmae.training.schedule import BATCH_SIZE, batch_size_on, count_epochs
from skl_lstmae.training.threads import is_large
from skl_lstmae.training.torch_state import settled
from skl_lstmae.training.trainer import EpochWatcher, Trainer

MOST_EPOCHS_VALIDATED = 200
"""Epochs of a training that ends once a validation loss has stopped falling."""

OF_TRAINER = ("learning_rate", "weight_decay", "clip_norm", "n_iter_no_change", "tol", "verbose")
"""Parameters that are the trainer's own."""


def as_they_are(sequences: Sequences, random_state: RandomState | None = None) -> Sequences:
    """Return sequences whole."""
    return sequences


@dataclass(frozen=True, eq=False)
class Recipe:
    """Trains models, in place, by the parameters of an estimator.

    Parameters
    ----------
    objective : Objective
        What is minimised.
    batch_size, max_epochs, early_stopping, precision, device, learning_rate, weight_decay, \
            clip_norm, n_iter_no_change, tol, verbose
        As in :class:`skl_lstmae.LSTMAutoencoderDetector`.
    uses_muon : bool, default=True
        Whether matrices are trained by Muon.
    cut : callable
        Returns what of sequences a network is trained on in one go. It is called with them and, for
        an epoch, a random state by which it may vary; by default they are whole.
    """

    objective: Objective
    batch_size: int | Literal["auto"]
    max_epochs: int | Literal["auto"]
    early_stopping: bool
    precision: str
    device: str | torch.device
    learning_rate: float
    weight_decay: float
    clip_norm: float | None
    n_iter_no_change: int
    tol: float
    verbose: int
    uses_muon: bool = True
    cut: Callable[[Sequences, RandomState | None], Sequences] = as_they_are

    @classmethod
    def of(cls, estimator: Any, objective: Objective, **others: Any) -> Self:
        """Return the recipe by the parameters of an estimator."""
        names = "batch_size", "max_epochs", "early_stopping", "precision", "device", *OF_TRAINER
        return cls(objective, **{name: getattr(estimator, name) for name in names}, **others)

    def n_epochs(self, split: Split, width: int) -> int:
        """Return the most passes over the training sequences of a network of some width."""
        if self.max_epochs != "auto":
            return self.max_epochs
        if self._is_validated(split):
            return MOST_EPOCHS_VALIDATED
        return count_epochs(self._n_drawn(split), self._batch_size(split), width)

    def train(
        self,
        model: Model,
        split: Split,
        random_state: RandomState,
        history: History,
        watcher: EpochWatcher | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Train the network of a model, as :meth:`Trainer.train` says."""
        trainer = self._trainer(model, self.n_epochs(split, model.network.width), random_state)
        batches, batch_size = _holding(model, split), self._batch_size(split)
        with settled(is_large(model.network)):
            trainer.train(
                model.network,
                lambda: self._epoch(batches, split, random_state, batch_size),
                (lambda: self._validation(batches, split)) if self._is_validated(split) else None,
                history,
                watcher,
                checkpoint,
            )

    def train_once(
        self, model: Model, split: Split, random_state: RandomState, history: History
    ) -> None:
        """Train the network of a model for one epoch more."""
        batch_size = BATCH_SIZE if self.batch_size == "auto" else self.batch_size
        epoch = self._epoch(_holding(model, split), split, random_state, batch_size)
        trainer = self._trainer(model, 1, random_state)
        with settled(is_large(model.network)):
            trainer.train_once(model.network, epoch, history)

    def _trainer(self, model: Model, n_epochs: int, random_state: RandomState) -> Trainer:
        check_trainable(model.network)
        return Trainer(
            self.objective,
            n_epochs,
            **{name: getattr(self, name) for name in OF_TRAINER},
            generator=make_generator(random_state, model.device),
            uses_muon=self.uses_muon,
            ranks=ranks_here(),
            bfloat16=computes_in_bfloat16(self.precision, model.network, model.device),
        )

    def _n_drawn(self, split: Split) -> int:
        """Return how many sequences make an epoch."""
        return split.n_per_epoch or len(self.cut(split.training, None))

    def _batch_size(self, split: Split) -> int:
        """Return how many sequences make a batch of a fit."""
        if self.batch_size != "auto":
            return self.batch_size
        if self.max_epochs != "auto" or self._is_validated(split):
            return BATCH_SIZE  # or there would be fewer steps
        return batch_size_on(resolve_device(self.device), self._n_drawn(split))

    def _is_validated(self, split: Split) -> bool:
        """Whether held-out sequences tell when training ends."""
        return bool(self.early_stopping and len(split.held_out))

    def _epoch(
        self, batches: BatchBuilder, split: Split, random_state: RandomState, batch_size: int
    ) -> Epoch:
        """Return the batches of an epoch, each as a list of micro-batches."""
        sequences = self.cut(split.draw(random_state), random_state)
        epoch = batches.training_batches(sequences, batch_size, random_state)
        return epoch if split.targets is None else replace(epoch, complete=split.targets.beside)

    def _validation(self, batches: BatchBuilder, split: Split) -> Iterator[Batch]:
        """Yield the batches of what is held out."""
        held_out = batches.scoring_batches(self.cut(split.held_out, None))
        if split.targets is None:
            return held_out
        n_training = len(split.training)
        numbers = np.arange(n_training, n_training + len(split.held_out))
        return map(split.targets.take(numbers).beside, held_out)


def _holding(model: Model, split: Split) -> BatchBuilder:
    """Return what makes batches, with the data where the network runs if that pays."""
    sequences = join_sequences(split.training, split.held_out)
    return model.batches.holding(sequences, every_epoch=True)
