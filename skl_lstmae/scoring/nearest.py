"""Distances from references by products of matrices, several times as fast as pair by pair."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor

ROUNDING = 1e-10
"""Bound of the relative error of a squared distance that is worked out by a product of matrices."""

SMALL = 1e-6
"""Squared distances below this share of the sum of both squares are measured pair by pair."""

MAX_SMALL = 8
"""A row has so many of them, on average, or else all distances are measured pair by pair."""

MAX_ROWS, MAX_VALUES = 1024, 2**22
"""Rows whose nearest references are looked for, and numbers in the differences, at a time."""

MAX_GROUP = 32
"""References in a group, at most; the nearest of each group bound how far the n-th may be."""

MIN_GROUPS = 4
"""Groups for each of the nearest that are sought, if there are so many references."""

MIN_ROWS_ON_GPU = 64
"""Of fewer numpy finds the nearest sooner than a GPU answers."""

_device: ContextVar[torch.device | None] = ContextVar("device_of_search", default=None)


@contextmanager
def searching_on(device: torch.device | None) -> Iterator[None]:
    """Have torch look for nearest references on a GPU, which must have float64.

    None stands for numpy, as on a CPU, where its calls cost less. No bit of a distance depends on
    the device.
    """
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

    A product of matrices, on the device of :func:`searching_on`, tells which may be the nearest.
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
        self._sent: dict[torch.device | None, tuple[Any, Any]] = {}
        self._refusing: set[torch.device] = set()

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
        # Of one dimension, as numpy finds what is true there several times as fast.
        may_be = np.flatnonzero(self._look_for_candidates(rows))
        row, reference = np.divmod(may_be, len(self.references))
        return row, reference

    def _look_for_candidates(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        device = _device.get()
        if device is not None and device not in self._refusing and len(rows) >= MIN_ROWS_ON_GPU:
            try:
                return self._may_be_nearest(rows, device)
            except RuntimeError:  # Its memory is full, say.
                self._refusing.add(device)
        return self._may_be_nearest(rows, None)

    def _may_be_nearest(
        self, rows: NDArray[np.float64], device: torch.device | None
    ) -> NDArray[np.bool_]:
        references, squares = self._on(device)
        points = _send(rows, device)
        # Without the row's own square, which changes no order. How a product of matrices rounds
        # depends on the number of its rows, and on the device: what it might let come among the
        # nearest is measured anew.
        squared = (-2 * points) @ references.T
        squared += squares
        error = ROUNDING * ((points * points).sum(1) + squares.max())
        bound = self._bound(squared) + _receive(error)
        # What is not a number is a candidate, too, so that its distance shows.
        return _receive(~(squared > _send(bound[:, np.newaxis], device)))

    def _bound(self, squared: Any) -> NDArray[np.float64]:
        """Return what the n lowest numbers of each row do not exceed, (n_rows,).

        Each group's lowest is known at a glance, and of these few the n-th is soon found.
        """
        n_rows, n_references = squared.shape
        size = min(MAX_GROUP, max(1, n_references // (MIN_GROUPS * self.n)))
        n_groups = n_references // size
        xp = torch if isinstance(squared, Tensor) else np
        groups = squared[:, : n_groups * size].reshape(n_rows, size, n_groups)
        lowest = xp.hstack([xp.amin(groups, 1), squared[:, n_groups * size :]])
        return np.partition(_receive(lowest), self.n - 1, axis=1)[:, self.n - 1]

    def _on(self, device: torch.device | None) -> tuple[Any, Any]:
        """Return the references and their squares there, where they are from the first call on."""
        if device not in self._sent:
            squares = (self.references * self.references).sum(axis=1)
            self._sent[device] = _send(self.references, device), _send(squares, device)
        return self._sent[device]


def _send(array: NDArray[Any], device: torch.device | None) -> Any:
    """Return an array as a tensor on a device; for numpy as it is."""
    return array if device is None else torch.from_numpy(array).to(device)


def _receive(array: Any) -> NDArray[Any]:
    """Return what torch or numpy has computed as an array."""
    return array.cpu().numpy() if isinstance(array, Tensor) else array
