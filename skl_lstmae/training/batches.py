"""Right-padded batches of sequences of like lengths, of sizes at which torch's kernels are fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import cut
from skl_lstmae.training.scaling import Scaling

MAX_FLOATS = 420_000
"""Rows x steps x hidden units of a kernel call in training; a larger workspace is mapped anew at
every call."""

MAX_SCORING_FLOATS = 1_000_000
"""The same in scoring, where the kernels keep no workspace for a way back."""

STEPS_MULTIPLE = 4
"""Sequences of unlike lengths are padded to a multiple of so many steps, since torch keeps a kernel
and its scratch memory for each shape that it meets."""

MAX_CELLS = 2**21
"""Values of a batch in memory at a time, which is some twenty times as many bytes: outcomes are in
float64, and have several of each."""

MOST_TRAINED = 32
"""Sequences of a kernel call in training on a CPU. Calls of more gain nothing, and those of as many
can be shared out among processes."""

MAX_ROWS = 64
"""Rows of one kernel call in scoring: up to here a row's bits were the same at every batch size."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some sequences, scaled and padded at their ends.

    Parameters
    ----------
    indices : ndarray of shape (batch,)
        Which sequences these are.
    x : Tensor of shape (batch, time, feature), float32
        Scaled values; a missing one, and padding, repeats the last observed.
    observed : Tensor of shape (batch, time, feature), bool
        Neither missing nor padding.
    lengths : Tensor of shape (batch,), int64
        Number of real steps.
    target : Tensor of shape (batch, time or 1, output), float32, default=None
        What is to be predicted of each step, or of the sequence, NaN where there is nothing; None
        stands for the steps themselves.
    weight : Tensor of shape (batch,), float32, default=None
        Of the loss of each sequence with a target.
    """

    indices: np.ndarray
    x: Tensor
    observed: Tensor
    lengths: Tensor
    target: Tensor | None = None
    weight: Tensor | None = None

    def take(self, rows: slice) -> Batch:
        """Return some of the sequences, padded as they are."""
        target, weight = (None if own is None else own[rows] for own in (self.target, self.weight))
        x, observed, lengths = self.x[rows], self.observed[rows], self.lengths[rows]
        return Batch(self.indices[rows], x, observed, lengths, target, weight)


@dataclass(frozen=True, eq=False)
class BatchBuilder:
    """Gathers, scales and pads sequences; nothing is copied before its batch is built.

    Parameters
    ----------
    scaling : Scaling
        Applied to each batch.
    width : int
        Hidden units of the network's widest layer, which with rows and steps make the size of a
        kernel call.
    device : torch.device
        Where batches go.
    is_causal : bool, default=False
        Whether the network must not see what is still to come: then a value missing before the
        first observed one looks like the mean, else like the first.
    """

    scaling: Scaling
    width: int
    device: torch.device
    is_causal: bool = False

    def training_batches(
        self, sequences: Sequences, batch_size: int, rng: np.random.RandomState
    ) -> Epoch:
        """Return each sequence once, in random batches of like lengths cut into micro-batches."""
        # Lengths that differ by a few per cent may change places, so that batches vary.
        order = np.argsort(sequences.lengths * rng.uniform(1.0, 1.05, size=len(sequences)))
        batches = np.array_split(order, count_batches(len(sequences), batch_size))
        most = min(batch_size, MOST_TRAINED) if self.device.type == "cpu" else batch_size
        micro_batches = []
        for batch in rng.permutation(len(batches)):
            # By true length, so that its micro-batches need little padding.
            indices = batches[batch]
            by_length = indices[np.argsort(sequences.lengths[indices], kind="stable")]
            micro_batches.append(self._micro_batches(sequences, by_length, most, MAX_FLOATS))
        return Epoch(self, sequences, micro_batches)

    def scoring_batches(self, sequences: Sequences) -> Iterator[Batch]:
        """Yield each sequence once, those of like lengths together."""
        for indices in self.scoring_groups(sequences):
            yield self.build(sequences, indices)

    def scoring_groups(self, sequences: Sequences) -> Iterator[np.ndarray]:
        """Yield which sequences make a batch; one too long for a kernel call is alone."""
        order = np.argsort(sequences.lengths, kind="stable")
        for start in range(0, len(order), MAX_ROWS):
            group = order[start : start + MAX_ROWS]
            yield from self._micro_batches(sequences, group, MAX_ROWS, MAX_SCORING_FLOATS)

    def is_long(self, sequences: Sequences, indices: np.ndarray) -> bool:
        """Whether a group is a sequence too long for a kernel call."""
        return bool(sequences.lengths[indices].max() > self._steps_per_call)

    def chunks(self, sequences: Sequences, indices: np.ndarray) -> Iterator[Batch]:
        """Yield the batch of a group, or of a long sequence alone its chunks, one after the other.

        Chunks are for causal networks; each is told what was last observed in those before.
        """
        if not self.is_long(sequences, indices):
            yield self.build(sequences, indices)
            return
        before = None
        chunks = cut(sequences.take(indices), self._steps_per_call)
        for i in range(len(chunks)):
            batch = self.build(chunks, np.array([i]), before)
            before = batch.x[:, -1].cpu().numpy()
            yield batch

    def build(
        self, sequences: Sequences, indices: np.ndarray, before: np.ndarray | None = None
    ) -> Batch:
        """Return the batch of the sequences that ``indices`` names.

        Until a feature is observed, ``before``, of shape (batch, feature), is what it looks like.
        """
        lengths = sequences.lengths[indices]
        # In memory time comes first, as the kernels want it.
        steps = np.arange(_padded_length(lengths))[:, np.newaxis]
        # Padding repeats the last step, so that one gathering does for all.
        rows = sequences.starts[indices] + np.minimum(steps, lengths - 1)
        x = self.scaling.transform(sequences.values[rows.ravel()])
        x = np.ascontiguousarray(x, dtype=np.float32).reshape(*rows.shape, sequences.n_features)
        x = x.swapaxes(0, 1)
        observed = ~np.isnan(x)
        if not observed.all():
            if before is None:
                mean = self.scaling.mean.astype(x.dtype)
                before = mean if self.is_causal else first_observed(x, observed, mean)
            x = fill_missing(x, observed, before)
        observed &= (steps < lengths).T[..., np.newaxis]
        return Batch(
            indices,
            torch.from_numpy(x).to(self.device),
            torch.from_numpy(observed).to(self.device),
            torch.from_numpy(lengths).to(self.device),
        )

    @property
    def _steps_per_call(self) -> int:
        return max(1, MAX_SCORING_FLOATS // self.width)

    def _micro_batches(
        self, sequences: Sequences, indices: np.ndarray, max_rows: int, max_floats: int
    ) -> list[np.ndarray]:
        """Cut a batch so that each kernel call stays small."""
        n_steps = _padded_length(sequences.lengths[indices])
        most = min(max_floats // self.width, MAX_CELLS // sequences.n_features) // n_steps
        n_rows = min(max_rows, max(1, most))
        return np.array_split(indices, -(-len(indices) // n_rows))


@dataclass(frozen=True, eq=False)
class Epoch:
    """The batches of a pass over sequences, each of which is built when its turn comes.

    Parameters
    ----------
    builder : BatchBuilder
        Builds them.
    sequences : Sequences
        To pass over.
    micro_batches : list of list of ndarray
        Of each batch the parts, and of each part which sequences it holds.
    complete : callable
        Returns a batch with what else it is to hold; by default as it is.
    """

    builder: BatchBuilder
    sequences: Sequences
    micro_batches: list[list[np.ndarray]]
    complete: Callable[[Batch], Batch] = lambda batch: batch

    def __len__(self) -> int:
        return len(self.micro_batches)

    def __iter__(self) -> Iterator[MicroBatches]:
        for parts in self.micro_batches:
            yield MicroBatches(self.build, parts)

    def build(self, indices: np.ndarray) -> Batch:
        """Return the micro-batch of the sequences that ``indices`` names."""
        return self.complete(self.builder.build(self.sequences, indices))


@dataclass(frozen=True, eq=False)
class MicroBatches(Sequence[Batch]):
    """The parts of a batch, each of which is built when it is asked for.

    Parameters
    ----------
    build : callable
        Makes a micro-batch of the sequences that an array names.
    indices : list of ndarray
        Which sequences each holds.
    """

    build: Callable[[np.ndarray], Batch]
    indices: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: Any) -> Any:
        """Return micro-batch `i`."""
        return self.build(self.indices[i])


def count_batches(n_sequences: int, batch_size: int) -> int:
    """Return how many batches a pass over sequences has."""
    return -(-n_sequences // batch_size)


def _padded_length(lengths: np.ndarray) -> int:
    longest = int(lengths.max())
    if lengths.min() == longest:
        return longest
    return -(-longest // STEPS_MULTIPLE) * STEPS_MULTIPLE


def fill_missing(x: np.ndarray, observed: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Repeat each feature's last observed value; as long as there is none, what stood before.

    Shapes: `x` and `observed` are (batch, time, feature), `before` is (batch, feature) or
    (feature,).
    """
    steps = np.arange(x.shape[1])[:, np.newaxis]
    source = np.maximum.accumulate(np.where(observed, steps, -1), axis=1)
    last = np.take_along_axis(x, np.maximum(source, 0), axis=1)
    return np.where(source < 0, before[..., np.newaxis, :], last)


def first_observed(x: np.ndarray, observed: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return each feature's first observed value, or in want of any the mean, (batch, feature)."""
    first = np.take_along_axis(x, observed.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
    return np.where(observed.any(axis=1), first, mean)
