"""What is learned: losses, and of what a training takes their total."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor
from torch.nn import functional

from skl_lstmae.modules import Output
from skl_lstmae.training.batches import Batch

Loss = Callable[[Tensor, Tensor], Tensor]
"""Element-wise loss of (prediction, target), in scaled units: never negative, 0 at the target."""


Forward = Callable[[Tensor, Tensor, Generator | None], Output]
"""A network, or what runs it on (x, lengths, generator)."""


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
    # A NaN, which stays one, would end the process of a GPU for good.
    known = prediction.nan_to_num(0.5)
    cross_entropy = functional.binary_cross_entropy(known, probability, reduction="none")
    cross_entropy = cross_entropy + (prediction - known).detach()
    return (cross_entropy - entropy).clamp(min=0) + (target - probability).square()


def cross_entropy(prediction: Tensor, target: Tensor) -> Tensor:
    """Minus the log-probability of classes, (batch, steps, 1), by logits (batch, steps, class)."""
    losses = functional.cross_entropy(
        prediction.flatten(0, 1), target.flatten().long(), reduction="none"
    )
    return losses.reshape(target.shape)


@dataclass(frozen=True)
class Pinball:
    """Loss that a quantile minimises.

    Parameters
    ----------
    quantile : float
        Share of the targets that are to be lower than their predictions.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46, 1978.
    """

    quantile: float

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each cell."""
        difference = target - prediction
        return torch.maximum(self.quantile * difference, (self.quantile - 1) * difference)


LOSSES: dict[str, Loss] = {
    loss.__name__: loss for loss in (squared_error, absolute_error, huber, binary_cross_entropy)
}


def find_loss(loss: str | Loss) -> Loss:
    """Return the loss of a name, or a callable as it is."""
    return LOSSES[loss] if isinstance(loss, str) else loss


def check_loss(loss: Loss) -> None:
    """Refuse a function that is not an element-wise loss, by what it makes of four cells."""
    prediction = torch.tensor([[0.25, 0.75], [0.75, 0.25]], device="cpu", dtype=torch.float32)
    found = loss(prediction, prediction.flip(1))
    if not isinstance(found, Tensor) or found.shape != prediction.shape:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ValueError(
            f"loss returns {shape} for predictions of shape {tuple(prediction.shape)}; expected "
            "the loss of each cell, a tensor of that shape: do not reduce it."
        )
    if (found < 0).any():
        raise ValueError(
            f"loss is negative, {found.min():.3g}, for a prediction and a target that differ; "
            "expected 0 where they are equal and more elsewhere, by loss(prediction, target)."
        )


class Objective(Protocol):
    """What a training minimises: a total over batches, divided by a count.

    A trainer knows neither target nor mask nor loss: an objective takes them from the batch.
    """

    def count(self, batch: Batch) -> Tensor:
        """Return by how many terms the total of a batch is divided, a scalar on its device."""
        ...

    def total(self, network: Forward, batch: Batch, generator: Generator | None) -> Tensor:
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

    def count(self, batch: Batch) -> Tensor:
        """Return the number of observed cells."""
        return batch.observed.sum()

    def total(self, network: Forward, batch: Batch, generator: Generator | None) -> Tensor:
        """Return the sum of the losses of the observed cells; of several networks the mean sum."""
        prediction = network(batch.x, batch.lengths, generator).prediction
        losses = self.loss(prediction, batch.x.expand_as(prediction)) * batch.observed
        return losses.sum() / prediction.shape[:-3].numel()


@dataclass(frozen=True, eq=False)
class TargetPrediction:
    """The loss of a network's prediction of a target, over the targets that are observed.

    Parameters
    ----------
    loss : callable
        Loss of (prediction, target), of shape (batch, steps, output) each, in the shape of the
        target.
    """

    loss: Loss

    def count(self, batch: Batch) -> Tensor:
        """Return the number of observed targets."""
        target, _ = _target_and_weight(batch)
        return (~target.isnan()).sum()

    def total(self, network: Forward, batch: Batch, generator: Generator | None) -> Tensor:
        """Return the weighted sum of the losses of the observed targets."""
        target, weight = _target_and_weight(batch)
        prediction = network(batch.x, batch.lengths, generator).prediction
        prediction = prediction.reshape(*target.shape[:2], -1)
        losses = self.loss(prediction, target.nan_to_num())
        return (losses * ~target.isnan() * weight[:, None, None]).sum()


def _target_and_weight(batch: Batch) -> tuple[Tensor, Tensor]:
    assert batch.target is not None
    assert batch.weight is not None
    return batch.target, batch.weight
