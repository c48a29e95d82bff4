"""The gradient of a batch, which several processes may compute together."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.modules.randomness import RowsGenerator, global_draws_from, on_host
from skl_lstmae.training.batches import Batch
from skl_lstmae.training.devices import exact
from skl_lstmae.training.distributed import ALONE, Ranks
from skl_lstmae.training.objectives import Objective
from skl_lstmae.training.precision import in_bfloat16

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
    count : Tensor
        Of the terms of its loss, 1 at least.
    """

    batches: list[Batch]
    generators: list[Generator]
    n_parts: int
    count: Tensor


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
    bfloat16 : bool, default=False
        Whether the network's layers compute in bfloat16.
    """

    objective: Objective
    generator: Generator
    ranks: Ranks = ALONE
    bfloat16: bool = False

    def accumulate(
        self, network: SequenceNetwork, micro_batches: Sequence[Batch]
    ) -> tuple[Tensor, Tensor]:
        """Leave a batch's gradient in a network that has none; return total loss and terms."""
        share = self._divide(micro_batches)
        forward = in_bfloat16(network) if self.bfloat16 else network
        # In float32, as ranks add theirs up.
        mean = torch.zeros((), dtype=torch.float32, device=self.generator.device)
        rows = []
        for batch, generator in zip(share.batches, share.generators, strict=True):
            with _random_numbers(network, generator):
                loss = self.objective.total(forward, batch, generator) / share.count
            loss.backward()
            mean += loss.detach()
            if self.ranks.share_work:
                rows.append(_taken_gradient(network, loss))
        last = share.generators[-1]
        if isinstance(last, RowsGenerator):
            self.generator.set_state(last.get_state())
        if self.ranks.share_work:
            mean = _put_gradient(network, self.ranks.gathered_sum(rows, share.n_parts))
        return mean.to(exact(mean.device)) * share.count, share.count

    def _divide(self, micro_batches: Sequence[Batch]) -> Share:
        """Return this rank's share of a batch."""
        n = len(micro_batches)
        if n == 1:
            return self._cut(micro_batches[0])
        # Each draws from a generator of its own, so that nobody has to know what others drew.
        seeds = torch.randint(2**62, (n,), generator=on_host(self.generator), device="cpu").tolist()
        mine = self.ranks.mine(n)
        batches = {i: micro_batches[i] for i in mine or [self.ranks.rank % n]}
        counts: list[Any] = [self.objective.count(batches[i]) for i in mine]
        device = self.generator.device
        if self.ranks.number > 1:
            numbers = self.ranks.gathered_numbers([int(count) for count in counts], n)
            counts = [torch.tensor(number, device=device) for number in numbers]
        generators = [Generator(device).manual_seed(seeds[i]) for i in batches]
        return Share(list(batches.values()), generators, n, _one_at_least(sum(counts)))

    def _cut(self, whole: Batch) -> Share:
        """Return this rank's share of a batch that is one micro-batch."""
        count = _one_at_least(self.objective.count(whole))
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


def _one_at_least(count: Any) -> Tensor:
    """Return a number of terms to divide by: windows of a series may all fall into its gaps."""
    return count.clamp(min=1)


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
    return loss[0]
