"""The gradient of a batch, which several processes may compute together."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.modules.randomness import RowsGenerator, global_draws_from
from skl_lstmae.training.batches import Batch
from skl_lstmae.training.distributed import ALONE, Ranks
from skl_lstmae.training.objectives import Objective

MOST_ROWS = 32
"""Sequences of a part, where ranks on GPUs cut what is else one micro-batch."""


@dataclass(frozen=True, eq=False)
class Share:
    """What a rank has to do of a batch.

    Parameters
    ----------
    batches : list of Batch
        Parts of it; one that is another rank's too where there are fewer parts than ranks.
    generators : list of Generator
        What each draws from.
    n_parts : int
        Of the whole batch.
    count : int
        Of the terms of its loss, 1 at least.
    """

    batches: list[Batch]
    generators: list[Generator]
    n_parts: int
    count: int


@dataclass(frozen=True, eq=False)
class BatchGradient:
    """Adds up the gradients of the parts of a batch, whose number depends on the batch alone.

    Micro-batches are shared out as they are, and make the sum that they make in one process, bit
    for bit. Where the batch is a single one of many sequences, as on GPUs, ranks cut it further, if
    only one rank is there: the sum is then the same but for rounding, and the same bits for any
    number of ranks. What is drawn for a sequence does not depend on any of that.

    Parameters
    ----------
    objective : Objective
        What is minimised.
    generator : torch.Generator
        Drives the network's random parts; on the network's device.
    ranks : Ranks, default=ALONE
        Who shares the work.
    """

    objective: Objective
    generator: Generator
    ranks: Ranks = ALONE

    def accumulate(
        self, network: SequenceNetwork, micro_batches: Sequence[Batch]
    ) -> tuple[float, int]:
        """Leave a batch's gradient in a network; return its mean loss, and the number of terms."""
        network.zero_grad()
        share = self._divide(micro_batches)
        total_loss, rows = torch.zeros((), dtype=torch.float32, device=self.generator.device), []
        for batch, generator in zip(share.batches, share.generators, strict=True):
            with _random_numbers(network, generator):
                loss = self.objective.total(network, batch, generator) / share.count
            loss.backward()
            total_loss += loss.detach()  # in float32, as ranks add theirs up
            if self.ranks.share_work:
                rows.append(_taken_gradient(network, loss))
        if isinstance(generator, RowsGenerator):
            self.generator.set_state(generator.get_state())
        if self.ranks.share_work:
            total_loss = _put_gradient(network, self.ranks.gathered_sum(rows, share.n_parts))
        return total_loss.item(), share.count

    def _divide(self, micro_batches: Sequence[Batch]) -> Share:
        """Return this rank's share of a batch."""
        n = len(micro_batches)
        if n == 1:
            return self._cut(micro_batches[0])
        # Each draws from a generator of its own, so that nobody has to know what others drew.
        device = self.generator.device
        seeds = torch.randint(2**62, (n,), generator=self.generator, device=device).tolist()
        mine = self.ranks.mine(n)
        batches = {i: micro_batches[i] for i in mine or [self.ranks.rank % n]}
        counts = self.ranks.gathered_numbers([self.objective.count(batches[i]) for i in mine], n)
        generators = [Generator(device).manual_seed(seeds[i]) for i in batches]
        return Share(list(batches.values()), generators, n, max(1, sum(counts)))

    def _cut(self, whole: Batch) -> Share:
        """Return this rank's share of a batch that is one micro-batch."""
        # At least 1: windows of a long series may all fall into its gaps.
        count = max(1, self.objective.count(whole))
        n_rows = len(whole.indices)
        n = -(-n_rows // MOST_ROWS)
        if n == 1 or not self.ranks.share_work:
            return Share([whole], [self.generator], 1, count)
        edges = np.linspace(0, n_rows, n + 1).astype(int).tolist()
        mine = self.ranks.mine(n) or [self.ranks.rank % n]
        parts = [slice(edges[i], edges[i + 1]) for i in mine]
        generators: list[Generator] = [
            RowsGenerator.of(self.generator, rows, n_rows) for rows in parts
        ]
        return Share([whole.take(rows) for rows in parts], generators, n, count)


def _random_numbers(network: SequenceNetwork, generator: Generator) -> AbstractContextManager[None]:
    return nullcontext() if network.takes_generator else global_draws_from(generator)


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [weight for weight in network.parameters() if weight.requires_grad]


def _taken_gradient(network: nn.Module, loss: Tensor) -> Tensor:
    """Take the gradient out of a network, with which weights have one, and a loss, as one row."""
    weights = _trained(network)
    gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
    has_one = loss.new_tensor([weight.grad is not None for weight in weights])
    network.zero_grad()
    return torch.cat([*(g.flatten() for g in gradients), has_one, loss.detach().reshape(1)])


def _put_gradient(network: nn.Module, row: Tensor) -> Tensor:
    """Put such a row back, or a sum of some; return its loss."""
    weights = _trained(network)
    *gradients, has_one, loss = row.split([*(w.numel() for w in weights), len(weights), 1])
    for weight, gradient, is_there in zip(weights, gradients, has_one.tolist(), strict=True):
        weight.grad = gradient.view_as(weight) if is_there else None
    return loss.sum()
