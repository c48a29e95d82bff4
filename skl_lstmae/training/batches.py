"""Right-padded batches of sequences of like lengths, of sizes at which torch's kernels are fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import cut
from skl_lstmae.modules.padding import known_lengths, numbers_of
from skl_lstmae.training.calls import Calls, calls_on, may_hold
from skl_lstmae.training.devices import send
from skl_lstmae.training.rows import HeldRows, Rows, RowsAtHand
from skl_lstmae.training.scaling import Scaling

STEPS_MULTIPLE = 4
"""Sequences of unlike lengths are padded to a multiple of so many steps, since torch keeps a kernel
and its scratch memory for each shape that it meets."""


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
    may_miss : bool
        Whether a value of a real step may be missing.
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
    may_miss: bool
    target: Tensor | None = None
    weight: Tensor | None = None

    def take(self, rows: slice) -> Batch:
        """Return some of the sequences, padded as they are."""
        target, weight = (None if own is None else own[rows] for own in (self.target, self.weight))
        x, observed = self.x[rows], self.observed[rows]
        lengths = known_lengths(self.lengths[rows], numbers_of(self.lengths)[rows])
        return Batch(self.indices[rows], x, observed, lengths, self.may_miss, target, weight)

    def slices(self, max_cells: int) -> Iterator[slice]:
        """Yield slices of the sequences, each of so many values at most, if it is not a single."""
        size = max(1, max_cells // self.x[0].numel())
        return (slice(start, start + size) for start in range(0, len(self.x), size))


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
    held : Rows, default=None
        Rows that wait on the device; None has each batch fetch its own.
    """

    scaling: Scaling
    width: int
    device: torch.device
    is_causal: bool = False
    held: Rows | None = None

    def holding(self, sequences: Sequences, *, every_epoch: bool = False) -> BatchBuilder:
        """Return a builder for these sequences whose rows wait on the device, if that pays.

        It does on a GPU, and where rows are needed again and again: in every epoch, or by windows
        that overlap.
        """
        slices = list(sequences.row_slices())
        n_rows = sum(rows.stop - rows.start for rows in slices)
        n_bytes = n_rows * sequences.n_features * np.dtype(np.float32).itemsize
        is_needed_again = every_epoch or sequences.lengths.sum() >= 2 * n_rows
        pays = is_needed_again or self.device.type != "cpu"
        if not pays or not may_hold(self.device, n_bytes):
            return self
        return replace(self, held=HeldRows.of(self.scaling, sequences, slices, self.device))

    def training_batches(
        self, sequences: Sequences, batch_size: int, rng: np.random.RandomState
    ) -> Epoch:
        """Return each sequence once, in random batches of like lengths cut into micro-batches."""
        # Lengths that differ by a few per cent may change places, so that batches vary.
        order = np.argsort(sequences.lengths * rng.uniform(1.0, 1.05, size=len(sequences)))
        batches = np.array_split(order, count_batches(len(sequences), batch_size))
        most = min(batch_size, self.calls.max_trained)
        micro_batches = []
        for batch in rng.permutation(len(batches)):
            # By true length, so that its micro-batches need little padding.
            indices = batches[batch]
            by_length = indices[np.argsort(sequences.lengths[indices], kind="stable")]
            micro_batches.append(self._cut(sequences, by_length, most, self.calls.max_floats))
        return Epoch(self, sequences, micro_batches)

    def scoring_batches(self, sequences: Sequences) -> Iterator[Batch]:
        """Yield each sequence once, those of like lengths together."""
        for indices in self.scoring_groups(sequences):
            yield self.build(sequences, indices)

    def scoring_groups(self, sequences: Sequences) -> Iterator[np.ndarray]:
        """Yield which sequences make a batch; one too long for a kernel call is alone."""
        order = np.argsort(sequences.lengths, kind="stable")
        calls = self.calls
        for start in range(0, len(order), calls.max_rows):
            group = order[start : start + calls.max_rows]
            yield from self._cut(sequences, group, calls.max_rows, calls.max_scoring_floats)

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
            before = batch.x[:, -1]
            yield batch

    def build(
        self, sequences: Sequences, indices: np.ndarray, before: Tensor | None = None
    ) -> Batch:
        """Return the batch of the sequences that ``indices`` names.

        Until a feature is observed, ``before``, of shape (batch, feature), is what it looks like.
        """
        numbers = sequences.lengths[indices]
        n_steps = _padded_length(numbers)
        # Time comes first in memory, as the kernels want it.
        rows = self._at_hand if self.held is None else self.held
        x, may_miss = rows.gather(sequences, indices, n_steps)
        lengths = send(numbers, self.device)
        is_real = torch.arange(n_steps, device=self.device).unsqueeze(1) < lengths
        observed = is_real.unsqueeze(2).expand_as(x)
        if may_miss:
            is_known = ~x.isnan()
            if before is None:
                before = self._mean if self.is_causal else first_observed(x, is_known, self._mean)
            x = fill_missing(x, is_known, before)
            observed = observed & is_known
        return Batch(
            indices,
            x.transpose(0, 1),
            observed.transpose(0, 1),
            known_lengths(lengths, numbers.tolist()),
            may_miss,
        )

    @property
    def calls(self) -> Calls:
        """What kernel calls suit the device."""
        return calls_on(self.device)

    @cached_property
    def _at_hand(self) -> Rows:
        return RowsAtHand(self.scaling, self.device)

    @cached_property
    def _mean(self) -> Tensor:
        """Mean of each feature, (feature,)."""
        return send(self.scaling.mean.astype(np.float32), self.device)

    @property
    def _steps_per_call(self) -> int:
        return max(1, self.calls.max_scoring_floats // self.width)

    def _cut(
        self, sequences: Sequences, indices: np.ndarray, max_rows: int, max_floats: int
    ) -> list[np.ndarray]:
        """Cut a batch so that each kernel call stays small."""
        n_steps = _padded_length(sequences.lengths[indices])
        n_cells = min(max_floats // self.width, self.calls.max_cells // sequences.n_features)
        n_rows = min(max_rows, max(1, n_cells // n_steps))
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


def fill_missing(x: Tensor, observed: Tensor, before: Tensor) -> Tensor:
    """Repeat each feature's last observed value; as long as there is none, what stood before.

    Shapes: `x` and `observed` are (time, batch, feature), `before` is (batch, feature) or
    (feature,).
    """
    steps = torch.arange(len(x), device=x.device).view(-1, 1, 1)
    source = torch.where(observed, steps, -1).cummax(dim=0).values
    return torch.where(source < 0, before, x.gather(0, source.clamp(min=0)))


def first_observed(x: Tensor, observed: Tensor, mean: Tensor) -> Tensor:
    """Return each feature's first observed value, or in want of any the mean, (batch, feature)."""
    first = observed.byte().argmax(dim=0, keepdim=True)
    return torch.where(observed.any(dim=0), x.gather(0, first)[0], mean)
