"""What is learned: losses, and of what a training takes their total."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Generator, Tensor
from torch.nn import functional

from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.training.batches import Batch

Loss = Callable[[Tensor, Tensor], Tensor]
"""Element-wise loss of (prediction, target), in scaled units: never negative, 0 at the target."""


def squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Square of the difference."""
    return (prediction - target).square()


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Absolute difference."""
    return (prediction - target).abs()


def huber(prediction: Tensor, target: Tensor) -> Tensor:
    """Half the square of differences up to 1, linear beyond."""
    return functional.huber_loss(prediction, target, reduction="none")


def binary_cross_entropy(prediction: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of probabilities, less the target's own entropy.

    A target outside [0, 1], which new data may hold, adds the square of its distance from there.
    """
    probability = target.clamp(0, 1)
    entropy = functional.binary_cross_entropy(probability, probability, reduction="none")
    cross_entropy = functional.binary_cross_entropy(prediction, probability, reduction="none")
    return (cross_entropy - entropy).clamp(min=0) + (target - probability).square()


LOSSES: dict[str, Loss] = {
    loss.__name__: loss for loss in (squared_error, absolute_error, huber, binary_cross_entropy)
}


def find_loss(loss: str | Loss) -> Loss:
    """Return the loss of a name, or a callable as it is."""
    return LOSSES[loss] if isinstance(loss, str) else loss


class Objective(Protocol):
    """What a training minimises: a total over batches, divided by a count.

    A trainer knows neither target nor mask nor loss: an objective takes them from the batch.
    """

    def count(self, batch: Batch) -> int:
        """Return by how many terms the total of a batch is divided."""
        ...

    def total(self, network: SequenceNetwork, batch: Batch, generator: Generator | None) -> Tensor:
        """Run the network on a batch and return the sum of its terms, a scalar to minimise."""
        ...


@dataclass(frozen=True, eq=False)
class StepPrediction:
    """The loss of a network's prediction of the steps themselves, over the observed cells.

    Parameters
    ----------
    loss : callable
        Element-wise loss of (prediction, target).
    """

    loss: Loss

    def count(self, batch: Batch) -> int:
        """Return the number of observed cells."""
        return int(batch.observed.sum())

    def total(self, network: SequenceNetwork, batch: Batch, generator: Generator | None) -> Tensor:
        """Return the sum of the losses of the observed cells."""
        prediction = network(batch.x, batch.lengths, generator).prediction
        return (self.loss(prediction, batch.x) * batch.observed).sum()
