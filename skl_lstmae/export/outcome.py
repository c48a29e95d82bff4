"""What a network leaves unexplained: :class:`skl_lstmae.scoring.Outcome`, of values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skl_lstmae.export import operators as op
from skl_lstmae.export.batch import Batch, steps_of
from skl_lstmae.export.operators import Value

NEGLIGIBLE = -100.0
"""The lowest logarithm of a probability that torch's cross-entropy knows."""


def squared_error(prediction: Value, target: Value) -> Value:
    """Square of the difference."""
    difference = op.sub(prediction, target)
    return op.mul(difference, difference)


def absolute_error(prediction: Value, target: Value) -> Value:
    """Absolute difference."""
    return op.abs(op.sub(prediction, target))


def huber(prediction: Value, target: Value) -> Value:
    """Half the square of differences up to 1, linear beyond."""
    size = absolute_error(prediction, target)
    half = op.constant(0.5)
    small = op.mul(half, op.mul(size, size))
    return op.where(op.less(size, op.constant(1.0)), small, op.sub(size, half))


def binary_cross_entropy(prediction: Value, target: Value) -> Value:
    """Cross-entropy of probabilities, less the target's own entropy."""
    probability = op.clip(target, op.constant(0.0), op.constant(1.0))
    excess = op.sub(
        _cross_entropy(prediction, probability), _cross_entropy(probability, probability)
    )
    return op.add(op.max([excess, op.constant(0.0)]), squared_error(target, probability))


def _cross_entropy(prediction: Value, probability: Value) -> Value:
    one = op.constant(1.0)
    terms = [
        op.mul(share, op.max([op.log(expected), op.constant(NEGLIGIBLE)]))
        for share, expected in (
            (probability, prediction),
            (op.sub(one, probability), op.sub(one, prediction)),
        )
    ]
    return op.neg(op.add(*terms))


LOSSES: dict[str, Callable[[Value, Value], Value]] = {
    loss.__name__: loss for loss in (squared_error, absolute_error, huber, binary_cross_entropy)
}


def find_loss(loss: Any) -> Callable[[Value, Value], Value]:
    """Return the loss of a name, or refuse a function of the user's own."""
    if not isinstance(loss, str):
        raise ValueError(
            f"loss is {loss!r}, a function of torch's tensors, which export_onnx does not write; "
            f"expected one of {', '.join(map(repr, LOSSES))}."
        )
    return LOSSES[loss]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a network makes of a batch; each method is that of its name in the other class.

    Parameters
    ----------
    errors : Value of shape (batch, time, feature), float64
        Loss of each cell in scaled units, 0 where it is not observed.
    batch : Batch
        With the targets.
    predictions : Value of shape (batch, time, feature), float32
    latents : Value of shape (batch, latent_size), float32
    peaks : Value of shape (batch, n_states), float32
    """

    errors: Value
    batch: Batch
    predictions: Value
    latents: Value
    peaks: Value

    @classmethod
    def of(
        cls, loss: Any, batch: Batch, prediction: Value, latent: Value, peaks: Value
    ) -> "Outcome":
        """Compare predictions with the batch."""
        errors = find_loss(loss)(op.as_float64(prediction), op.as_float64(batch.x))
        errors = op.where(batch.observed, errors, op.constant(0.0))
        return cls(errors, batch, prediction, latent, peaks)

    def mean_error(self) -> Value:
        """Return the mean over each sequence's observed cells or NaN, (batch,)."""
        return op.div(_total(self.errors, 1, 2), _total(self.observed, 1, 2))

    def feature_errors(self) -> Value:
        """Return the mean over each feature's observed steps or NaN, (batch, feature)."""
        return op.div(_total(self.errors, 1), _total(self.observed, 1))

    def biases(self) -> Value:
        """Return by how much each feature's prediction is too low, (batch, feature)."""
        missed = op.as_float64(op.sub(self.batch.x, self.predictions))
        missed = op.where(self.batch.observed, missed, op.constant(0.0))
        return op.div(_total(missed, 1), _total(self.observed, 1))

    def worst_step_error(self) -> Value:
        """Return the largest mean over a step's observed features, (batch,)."""
        count = op.max([_total(self.observed, 2), op.constant(1.0)])
        return op.reduce_max(op.div(_total(self.errors, 2), count), op.axes(1), keepdims=0)

    def outlines(self, cells: Value, n_segments: int) -> Value:
        """Return means of cells over segments of time, (batch, segments x features)."""
        cells = op.where(self.batch.observed, op.as_float64(cells), op.constant(0.0))
        is_within = self._segments(n_segments)
        means = op.div(op.matmul(is_within, cells), op.matmul(is_within, self.observed))
        return op.reshape(means, op.axes(0, -1))

    def _segments(self, n_segments: int) -> Value:
        """Return which steps a segment holds, one at least, (batch, segments, time)."""
        lengths = op.unsqueeze(self.batch.lengths, op.axes(1))
        edges = op.mul(lengths, op.constant(np.arange(n_segments + 1)))
        edges = op.div(edges, op.constant(n_segments, np.int64))  # rounds down
        start, end = op.part(edges, 1, 0, -1), op.part(edges, 1, 1)
        end = op.max([end, op.add(start, op.constant(1, np.int64))])
        steps = steps_of(self.batch.x)
        is_after = op.greater_or_equal(steps, op.unsqueeze(start, op.axes(2)))
        is_before = op.less(steps, op.unsqueeze(end, op.axes(2)))
        return op.as_float64(op.and_(is_after, is_before))

    @property
    def observed(self) -> Value:
        """1 for each observed cell, 0 for others, (batch, time, feature), float64."""
        return op.as_float64(self.batch.observed)


def _total(cells: Value, *axes: int) -> Value:
    return op.reduce_sum(cells, op.axes(*axes), keepdims=0)
