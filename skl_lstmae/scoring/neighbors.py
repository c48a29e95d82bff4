"""The distance of a sequence from the training sequences nearest to it."""

from collections import Counter
from hashlib import blake2b
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skl_lstmae._sklearn import Interval
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.scoring.references import ReferenceScorer
from skl_lstmae.scoring.scorer import latents_and_log_errors, mean_and_scale

ROUNDING = 1e-10
"""Bound of the relative error of a squared distance that is worked out by a product of matrices."""

ITSELF = 0.1
"""The nearest reference may be the row itself if it is nearer than this share of the next one's
distance."""

SMALL = 1e-6
"""Squared distances below this share of the sum of both squares are measured pair by pair."""

MAX_SMALL = 8
"""A row has so many of them, on average, or else all distances are measured pair by pair."""

MAX_ROWS, MAX_VALUES = 1024, 2**22
"""Rows whose nearest references are looked for, and numbers in the differences, at a time."""


def share_of_itself(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return to what part the nearest reference is the row itself, (n_rows,).

    At distance 0 it is so wholly. From a tenth of the next reference's distance on it is not at
    all. In between its share falls linearly: no millionth of rounding, or noise, makes a jump.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n + 1)
        From the nearest references, lowest first.
    """
    nearest, second = distances[:, 0], distances[:, 1]
    apart = np.divide(nearest, second, out=np.zeros(len(distances)), where=second > 0)
    return np.clip(1 - apart / ITSELF, 0, 1)


def mean_distance_of_others(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean distance from the nearest references other than the row itself, (n_rows,).

    A training sequence is itself one of the references, and is left out: in part, as far as the
    nearest reference is the row itself by :func:`share_of_itself`.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n + 1)
        From the n + 1 nearest references, lowest first.
    """
    share = share_of_itself(distances)
    return (1 - share) * distances[:, :-1].mean(axis=1) + share * distances[:, 1:].mean(axis=1)


def distances_between(
    rows: NDArray[np.float64], references: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distances of rows from references, (n_rows, n_references), several times as fast.

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


def first_two_of_each(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the numbers of all points but exact copies of two before them, in their order."""
    found: Counter[bytes] = Counter()
    is_kept = np.ones(len(points), dtype=bool)
    _, number, count = np.unique(points.sum(axis=1), return_inverse=True, return_counts=True)
    for i in np.flatnonzero(count[number] > 2):  # copies have the same sum
        key = blake2b(points[i] + 0.0).digest()  # 0.0 makes 0 of -0, which equals it
        is_kept[i] = found[key] < 2
        found[key] += 1
    return np.flatnonzero(is_kept)


class NearestTwo:
    """Finds the distances from the nearest two references, several times as fast.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_dimensions)
        Points, two at least.
    """

    def __init__(self, references: NDArray[np.float64]):
        # Among flat data most are copies, each of which would be a candidate of every row.
        self.numbers = first_two_of_each(references)
        if len(self.numbers) < len(references):  # else they are not copied, as they may be wide
            references = references[self.numbers]
        self.references = references
        self.squares = np.square(references).sum(axis=1)

    def find(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the distances of rows, (n_rows, 2), lowest first, and which is nearest, (n_rows,).

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
        nearest_two = order[first[:, np.newaxis] + [0, 1]]
        return distances[nearest_two], self.numbers[reference[nearest_two[:, 0]]]

    def _candidates(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return pairs of a row and a reference that may be one of its nearest two."""
        # Without the row's own square, which changes no order. How a product of matrices rounds
        # depends on the number of its rows: what it might make the second is measured anew.
        squared = (-2 * rows) @ self.references.T
        squared += self.squares
        error = ROUNDING * (np.square(rows).sum(axis=1) + self.squares.max())
        every, nearest = np.arange(len(rows)), squared.argmin(axis=1)
        lowest = squared[every, nearest]
        squared[every, nearest] = np.inf
        bound = squared.min(axis=1) + error
        squared[every, nearest] = lowest
        # Of one dimension, as numpy finds what is true there several times as fast.
        pairs = np.flatnonzero(squared <= bound[:, np.newaxis])
        return np.divmod(pairs, squared.shape[1])


class NeighborsScorer(ReferenceScorer):
    """Minus the mean distance from the nearest other training sequences.

    Sequences are compared by (latent, log error of each feature, peak of each encoder output), each
    component standardised. A feature that is not observed in a sequence counts as average. Unlike a
    mean and covariance, neighbours can describe training sequences that fall into groups [1]_.
    Unlike a mean over the steps, a peak also shows what is brief.

    Parameters
    ----------
    n_neighbors : int, default=3
        Number of nearest sequences to average over.

    References
    ----------
    .. [1] F. Angiulli, C. Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD 2002,
       :doi:`10.1007/3-540-45681-3_2`.

    Examples
    --------
    >>> from skl_lstmae import LSTMForecastDetector
    >>> from skl_lstmae.scoring import NeighborsScorer
    >>> detector = LSTMForecastDetector(scorer=NeighborsScorer())
    >>> detector.set_params(scorer__n_neighbors=5)
    LSTMForecastDetector(scorer=NeighborsScorer(n_neighbors=5))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_neighbors: int = 3):
        self.n_neighbors = n_neighbors

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Return latent, log errors and peaks, (n_sequences, n_summaries)."""
        return np.hstack([latents_and_log_errors(outcome), outcome.peaks])

    def learn_metric(self) -> None:
        """Learn the units of distances."""
        self.mean_, self.scale_ = mean_and_scale(self.references_)

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores, at most 0."""
        every = self.distances_from_references(summaries)
        n = min(self.n_neighbors, len(self.references_) - 1)
        distances = np.sort(np.partition(every, n)[:, : n + 1])
        scores = -mean_distance_of_others(distances)
        return self.judged_as_fresh(scores, share_of_itself(distances), every.argmin(axis=1))

    def distances_from_references(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distances, (n_sequences, n_references)."""
        # Unlike scikit-learn's, scipy's distances are measured pair by pair. A product of matrices
        # has last bits that depend on the number of its rows.
        return cdist(self._standardize(summaries), self._standardize(self.references_))

    def _standardize(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return np.nan_to_num((summaries - self.mean_) / self.scale_)
