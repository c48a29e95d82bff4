"""Where batches get their scaled rows from: the user's data, or copies that wait on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.training.devices import send
from skl_lstmae.training.scaling import Scaling

MAX_CELLS = 2**18
"""Values that are scaled at a time, which takes several copies of them, some in float64."""


class Rows(Protocol):
    """Scaled rows of sequences, as tensors on a device."""

    def gather(
        self, sequences: Sequences, indices: NDArray[np.intp], n_steps: int
    ) -> tuple[Tensor, bool]:
        """Return some sequences, time first, and whether a value may be missing.

        They are of shape (n_steps, batch, feature), float32. Beyond its length a sequence repeats
        its last step; missing values are NaN.
        """
        ...


@dataclass(frozen=True, eq=False)
class RowsAtHand:
    """The rows of the data themselves, scaled and sent to the device when a batch asks for them.

    Parameters
    ----------
    scaling : Scaling
        Of the rows.
    device : torch.device
        Where they go.
    """

    scaling: Scaling
    device: torch.device

    def gather(
        self, sequences: Sequences, indices: NDArray[np.intp], n_steps: int
    ) -> tuple[Tensor, bool]:
        """Return some sequences, time first, and whether a value is missing."""
        shape = n_steps, len(indices), sequences.n_features
        gathered, may_miss = np.empty(shape, dtype=np.float32), False
        size = max(1, MAX_CELLS // (n_steps * sequences.n_features))
        steps, lasts = np.arange(n_steps), sequences.lengths[indices, np.newaxis] - 1
        for start in range(0, len(indices), size):
            some = slice(start, start + size)
            rows = sequences.starts[indices[some], np.newaxis] + np.minimum(steps, lasts[some])
            scaled = self.scaling.transform(sequences.values[rows.ravel()])
            may_miss |= bool(np.isnan(scaled).any())
            gathered[:, some] = scaled.reshape(*rows.shape, -1).swapaxes(0, 1)
        return send(gathered, self.device), may_miss


@dataclass(frozen=True, eq=False)
class HeldRows:
    """Rows that were scaled once, and wait on the device.

    Parameters
    ----------
    values : Tensor of shape (n_rows, n_features), float32
        NaN is missing.
    has_missing : bool
        Whether there is a NaN.
    firsts : ndarray of shape (n_slices,)
        First rows of the slices of the data that these are, in order.
    places : ndarray of shape (n_slices,)
        Where in `values` they are.
    """

    values: Tensor
    has_missing: bool
    firsts: NDArray[np.intp]
    places: NDArray[np.intp]

    @classmethod
    def of(
        cls, scaling: Scaling, sequences: Sequences, slices: list[slice], device: torch.device
    ) -> HeldRows:
        """Scale slices of the data that sequences are of, and hold them on a device."""
        lengths = np.array([rows.stop - rows.start for rows in slices], dtype=np.intp)
        places = np.cumsum(lengths) - lengths
        shape = int(lengths.sum()), sequences.n_features
        values = torch.empty(shape, dtype=torch.float32, device=device)
        has_missing = False
        for rows, place, length in zip(slices, places.tolist(), lengths.tolist(), strict=True):
            scaled = scaling.transform(sequences.values[rows])
            has_missing |= bool(np.isnan(scaled).any())
            values[place : place + length] = send(scaled, device)
        firsts = np.array([rows.start for rows in slices], dtype=np.intp)
        return cls(values, has_missing, firsts, places)

    def gather(
        self, sequences: Sequences, indices: NDArray[np.intp], n_steps: int
    ) -> tuple[Tensor, bool]:
        """Return some sequences, time first, and whether a value may be missing."""
        starts = sequences.starts[indices]
        which = np.searchsorted(self.firsts, starts, side="right") - 1
        starts = starts - self.firsts[which] + self.places[which]
        device: Any = self.values.device
        first, last = send(np.stack([starts, starts + sequences.lengths[indices] - 1]), device)
        steps = torch.arange(n_steps, device=device).unsqueeze(1)
        rows = torch.minimum(first + steps, last)
        gathered = self.values.index_select(0, rows.flatten())
        return gathered.view(*rows.shape, sequences.n_features), self.has_missing
