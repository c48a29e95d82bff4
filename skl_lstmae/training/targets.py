"""Targets of sequences, which ride beside them in batches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.training.batches import Batch
from skl_lstmae.training.devices import send


@dataclass(frozen=True, eq=False)
class Targets:
    """What is to be predicted of sequences, and how much each counts.

    Parameters
    ----------
    values : Sequences
        As many, of one step each or of as many steps, (total, n_outputs); NaN is missing.
    weights : ndarray of shape (n_sequences,)
        Of their losses.
    """

    values: Sequences
    weights: NDArray[np.float64]

    def take(self, numbers: NDArray[np.intp]) -> Targets:
        """Return those of some sequences."""
        return Targets(self.values.take(numbers), self.weights[numbers])

    def beside(self, batch: Batch) -> Batch:
        """Return a batch of the sequences with their targets and weights."""
        starts, lengths = self.values.starts[batch.indices], self.values.lengths[batch.indices]
        steps = np.arange(1 if lengths.max() == 1 else batch.x.shape[1])
        rows = starts[:, np.newaxis] + np.minimum(steps, lengths[:, np.newaxis] - 1)
        target = self.values.values[rows].astype(np.float32)
        target[steps >= lengths[:, np.newaxis]] = np.nan
        weight = self.weights[batch.indices].astype(np.float32)
        device = batch.x.device
        return replace(batch, target=send(target, device), weight=send(weight, device))
