"""Distances from references by products of matrices, several times as fast as pair by pair."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor

CPU = torch.device("cpu")

ROUNDING = 1e-10
"""Bound of the relative error of a squared distance that is worked out by a product of matrices."""

SMALL = 1e-6
"""Squared distances below this share of the sum of both squares are measured pair by pair."""

MAX_SMALL = 8
"""A row has so many of them, on average, or else all distances are measured pair by pair."""

MAX_ROWS, MAX_VALUES = 1024, 2**22
"""Rows whose nearest references are looked for, and numbers in the differences, at a time."""

MAX_GROUP, MIN_GROUPS = 32, 4
"""References of which the nearest one is looked for first; of such groups there are so many times
as nearest ones at least."""

_device: ContextVar[torch.device] = ContextVar("device", default=CPU)


@contextmanager
def measuring_on(device: torch.device) -> Iterator[None]:
    """Look for nearest references on a device, which must have float64; no bit depends on it."""
    token = _device.set(device)
    try:
        yield
    finally:
        _device.reset(token)


def distances_between(
    rows: NDArray[np.float64], references: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distances of rows from references, (n_rows, n_references).

    They are worked out by a product of matrices, so that the last bits depend on the number of
    rows. Of small distances rounding would leave nothing: these are as exact as `cdist`'s.
    """
    squares = [np.einsum("ij,ij->i", points, points) for points in (rows, references)]
    sums = squares[0][:, np.newaxis] + squares[1]
    squared = sums + (-2 * rows) @ references.T
    row, reference = np.nonzero(squared <= SMALL * sums)
    if len(row) > MAX_SMALL * len(rows):
        return cdist(rows, references)
    distances = np.sqrt(np.maximum(squared, 0))
    distances[row, reference] = np.linalg.norm(rows[row] - references[reference], axis=1)
    return distances


def first_of_each(points: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Return the numbers of all points but exact copies of n before them, in their order."""
    found: Counter[bytes] = Counter()
    is_kept = np.ones(len(points), dtype=bool)
    _, number, count = np.unique(points.sum(axis=1), return_inverse=True, return_counts=True)
    for i in np.flatnonzero(count[number] > n):  # copies have the same sum
        key = blake2b(points[i] + 0.0).digest()  # 0.0 makes 0 of -0, which equals it
        is_kept[i] = found[key] < n
        found[key] += 1
    return np.flatnonzero(is_kept)


class Nearest:
    """Finds the nearest references of rows.

    A product of matrices, on the device of :func:`measuring_on`, tells which may be the nearest.
    The distances from these are measured pair by pair, so that no bit depends on the device or on
    other rows.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_dimensions)
        Points, n at least.
    n : int
        How many to find.
    """

    def __init__(self, references: NDArray[np.float64], n: int):
        self.n = n
        # Among flat data most are copies, each of which would be a candidate of every row.
        self.numbers = first_of_each(references, n)
        if len(self.numbers) < len(references):  # else they are not copied, as they may be wide
            references = references[self.numbers]
        self.references = references
        self._sent: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def find(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the distances of rows, (n_rows, n), lowest first, and which is nearest, (n_rows,).

        Of references at the same distance the first counts as the nearest.
        """
        starts = range(0, max(len(rows), 1), MAX_ROWS)
        distances, nearest = zip(*(self._find(rows[i : i + MAX_ROWS]) for i in starts), strict=True)
        return np.concatenate(distances), np.concatenate(nearest)

    def _find(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        row, reference = self._candidates(rows)
        distances = np.empty(len(row))
        # Where many references are nearly alike, all of them are candidates of a row.
        size = max(1, MAX_VALUES // rows.shape[1])
        for start in range(0, len(row), size):
            pairs = slice(start, start + size)
            differences = rows[row[pairs]] - self.references[reference[pairs]]
            distances[pairs] = np.linalg.norm(differences, axis=1)
        order = np.lexsort((distances, row))
        first = np.searchsorted(row, np.arange(len(rows)))
        nearest = order[first[:, np.newaxis] + np.arange(self.n)]
        return distances[nearest], self.numbers[reference[nearest[:, 0]]]

    def _candidates(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return pairs of a row and a reference that may be one of its nearest."""
        try:
            may_be = self._may_be_nearest(rows, _device.get())
        except torch.OutOfMemoryError:
            may_be = self._may_be_nearest(rows, CPU)
        # Of one dimension, as numpy finds what is true there several times as fast.
        row, reference = np.divmod(np.flatnonzero(may_be), len(self.references))
        return row, reference

    def _may_be_nearest(self, rows: NDArray[np.float64], device: torch.device) -> NDArray[np.bool_]:
        references, squares = self._on(device)
        points = torch.from_numpy(rows).to(device)
        # Without the row's own square, which changes no order. How a product of matrices rounds
        # depends on the number of its rows, and on the device: what it might let come among the
        # nearest is measured anew.
        squared = torch.addmm(squares, points, references.T, alpha=-2)
        error = ROUNDING * (points.square().sum(dim=1) + squares.max())
        bound = self._bound(squared) + error
        return (squared <= bound[:, np.newaxis]).cpu().numpy()

    def _bound(self, squared: Tensor) -> Tensor:
        """Return what the n lowest numbers of each row do not exceed, (n_rows,).

        Of n groups the lowest numbers are known at a glance, which is faster than to sort a row.
        """
        size = min(MAX_GROUP, max(1, squared.shape[1] // (MIN_GROUPS * self.n)))
        n_grouped = squared.shape[1] // size * size
        groups = squared[:, :n_grouped].unflatten(1, (size, -1)).amin(dim=1)
        lowest = torch.cat([groups, squared[:, n_grouped:]], dim=1)
        return lowest.topk(self.n, dim=1, largest=False).values[:, -1]

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the references and their squares there, where they are from the first call on."""
        if device not in self._sent:
            references = torch.from_numpy(self.references).to(device)
            self._sent[device] = references, references.square().sum(dim=1)
        return self._sent[device]
