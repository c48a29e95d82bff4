"""Nearest neighbours by dynamic time warping, without a window, over sequences of any lengths."""

from collections.abc import Sequence

import numpy as np

MAX_CELLS = 2**23
"""Cells of the cost matrices that are held at a time."""


def distances(X: Sequence[np.ndarray], references: Sequence[np.ndarray]) -> np.ndarray:
    """Return the squared distances along the best paths, (len(X), len(references))."""
    lengths = np.array([len(reference) for reference in references])
    longest, n_features = lengths.max(), references[0].shape[1]
    padded = np.zeros((len(references), longest, n_features), dtype=np.float32)
    for row, reference in zip(padded, references, strict=True):
        row[: len(reference)] = reference
    found = np.empty((len(X), len(references)))
    for i, x in enumerate(X):
        n = max(1, MAX_CELLS // (len(x) * longest))
        for start in range(0, len(references), n):
            block = slice(start, start + n)
            found[i, block] = _to_all(x.astype(np.float32), padded[block], lengths[block])
    return found


def _to_all(x: np.ndarray, padded: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Go through all cost matrices at once, one diagonal after the other."""
    product = np.einsum("tf,nsf->nts", x, padded)
    cost = (x**2).sum(axis=1)[:, np.newaxis] + (padded**2).sum(axis=2)[:, np.newaxis] - 2 * product
    cost = np.maximum(cost, 0)
    n, n_x, n_padded = cost.shape
    steps = np.arange(n_x)
    before = before_that = np.full((n, n_x + 1), np.inf, dtype=np.float32)
    before_that[:, 0] = 0
    before_that, before = before_that.copy(), np.full_like(before, np.inf)
    found = np.empty(n)
    for diagonal in range(n_x + n_padded - 1):
        columns = diagonal - steps
        inside = (columns >= 0) & (columns < n_padded)
        here = cost[:, steps, np.where(inside, columns, 0)]
        least = np.minimum(np.minimum(before[:, 1:], before[:, :-1]), before_that[:, :-1])
        now = np.full_like(before, np.inf)
        now[:, 1:] = np.where(inside, here + least, np.inf)
        ends = lengths - 1 + n_x - 1 == diagonal
        found[ends] = now[ends, n_x]
        before_that, before = before, now
    return found
