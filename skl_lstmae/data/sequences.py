"""Ragged data: sequences of any lengths as slices of one array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstmae.data.mapped import MappedRows, Rows, join

_BLOCK_ROWS = 65536
_BLOCK_VALUES = 2**20


@dataclass(frozen=True, eq=False)
class Sequences:
    """Ragged table: sequences are slices of rows, which may overlap, of one array.

    Parameters
    ----------
    values : ndarray of shape (total_timesteps, n_features), or MappedRows
        float32 or float64; NaN is a missing value. Often a read-only view of the user's data, which
        may lie in files.
    starts : ndarray of shape (n_sequences,), dtype intp
        First row of each sequence.
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of time steps of each sequence, at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.data.sequences import Sequences
    >>> values = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> sequences = Sequences(values, starts=np.array([0, 3]), lengths=np.array([3, 2]))
    >>> sequences[1]
    array([[4.],
           [5.]])
    """

    values: Rows
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @property
    def n_features(self) -> int:
        """Number of channels."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> NDArray[Any]:
        """Return sequence `i`, a view of shape (n_timesteps, n_features)."""
        start = self.starts[i]
        return self.values[start : start + self.lengths[i]]

    def take(self, indices: ArrayLike) -> Sequences:
        """Return the sequences at `indices` (integers or a boolean mask), on the same `values`."""
        chosen = np.asarray(indices) if np.size(indices) else np.zeros(0, dtype=np.intp)
        return Sequences(self.values, self.starts[chosen], self.lengths[chosen])

    def alone(self, i: int) -> Sequences:
        """Return sequence `i` as the only one, on its own values."""
        return Sequences(self[i], np.zeros(1, dtype=np.intp), self.lengths[[i]])

    def gathered(self) -> Sequences:
        """Return the sequences side by side in their order: copies, unless they lie in files."""
        if isinstance(self.values, MappedRows):
            values: Rows = self.values.pieces(self.starts, self.lengths)
        else:
            values = self.values[self.rows()]
        return Sequences(values, np.cumsum(self.lengths) - self.lengths, self.lengths)

    def rows(self) -> NDArray[np.intp]:
        """Return the row of `values` that each time step is, sequence after sequence."""
        return _ranges(self.starts, self.lengths)

    def positions(self, indices: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where the time steps of the sequences at `indices` stand among those of all.

        ``sequences.rows()[sequences.positions(i)]`` equals ``sequences.take(i).rows()``.
        """
        return _ranges((np.cumsum(self.lengths) - self.lengths)[indices], self.lengths[indices])

    def blocks(self, max_rows: int | None = None) -> Iterator[NDArray[Any]]:
        """Yield each row of `values` that some sequence uses exactly once, in bounded memory.

        Parameters
        ----------
        max_rows : int, default=None
            The most rows of one block; None means 65536, or fewer if there are many features.

        Yields
        ------
        block : ndarray of shape (n_rows, n_features)
            A view where the rows follow one another, else a copy that gathers scattered ones.
        """
        max_rows = max_rows or self._block_rows
        runs: list[NDArray[Any]] = []
        n_rows = 0
        for rows in self.row_slices(max_rows):
            run = self.values[rows]
            if n_rows + len(run) > max_rows:
                yield join(runs)
                runs, n_rows = [], 0
            runs.append(run)
            n_rows += len(run)
        if runs:
            yield join(runs)

    @property
    def _block_rows(self) -> int:
        return min(_BLOCK_ROWS, max(1, _BLOCK_VALUES // self.n_features))

    def row_slices(self, max_rows: int | None = None) -> Iterator[slice]:
        """Yield each row of `values` that some sequence uses exactly once, as slices of rows."""
        max_rows = max_rows or self._block_rows
        order = np.argsort(self.starts, kind="stable")
        starts = self.starts[order]
        ends = np.maximum.accumulate(starts + self.lengths[order])
        is_first = np.ones(len(self), dtype=bool)
        is_first[1:] = starts[1:] > ends[:-1]
        is_last = np.roll(is_first, -1)
        for start, end in zip(starts[is_first].tolist(), ends[is_last].tolist(), strict=True):
            for row in range(start, end, max_rows):
                yield slice(row, min(row + max_rows, end))


def _ranges(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """Join the ranges that begin at `starts` and hold `lengths` numbers."""
    offsets = np.cumsum(lengths) - lengths
    return np.repeat(starts - offsets, lengths) + np.arange(lengths.sum())
