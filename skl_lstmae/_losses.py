"""Element-wise losses of a prediction, in scaled units: never negative, 0 at the target."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor], Tensor]


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
