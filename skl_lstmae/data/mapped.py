"""Rows of arrays that lie in files: read when they are asked for, never joined in memory."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._freed_memory import return_freed_memory

MAX_RESIDENT = 2**25
"""Bytes of files that come into memory before they are let go of again."""

READ_AROUND = 2**16
"""Bytes that come into memory around each place that is read: Linux's ``fault_around_bytes``."""

SHARED = {"r", "r+", "w+"}
"""Modes of a memory map whose pages, let go of, are those of the file when they are read again."""


@dataclass(frozen=True, eq=False)
class MappedRows:
    """The rows of tables that lie in files, one table after the other.

    They are indexed as an array is, by a slice or by numbers of rows, and are read only then. What
    was read is let go of from time to time: the operating system can read it again, and would
    count all that was ever read as memory of the process.

    Parameters
    ----------
    tables : tuple of ndarray of shape (n_rows, n_features)
        Memory maps of any real numbers, or views of such. None is empty.
    dtype : dtype
        float32 or float64, to which the numbers are cast as they are read.
    """

    tables: tuple[NDArray[Any], ...]
    dtype: np.dtype[Any]
    _touched: list[int] = field(default_factory=lambda: [0], repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows of all tables, and features."""
        return len(self), self.tables[0].shape[1]

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> NDArray[Any]:
        """Return rows that follow one another, a view if it can be, or those of any numbers."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            self._take_note(stop - start, 1)
            return self._between(start, stop)
        numbers = rows.ravel()
        self._take_note(len(numbers), 1 + int((np.abs(np.diff(numbers)) > 1).sum()))
        return self._gather(numbers).reshape(*rows.shape, self.shape[1])

    def pieces(self, starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> MappedRows:
        """Return slices of rows, each of a single table, as tables that follow one another."""
        owners = np.searchsorted(self._ends, starts, side="right")
        firsts = starts - self._starts[owners]
        tables = (
            self.tables[i][first : first + n]
            for i, first, n in zip(owners, firsts, lengths, strict=True)
        )
        return MappedRows(tuple(tables), self.dtype)

    @cached_property
    def _ends(self) -> NDArray[np.intp]:
        return np.cumsum([len(table) for table in self.tables])

    @cached_property
    def _starts(self) -> NDArray[np.intp]:
        return np.append(0, self._ends[:-1])

    @cached_property
    def _maps(self) -> list[mmap.mmap]:
        """The mappings behind the tables whose pages may be let go of, each once."""
        maps: dict[int, mmap.mmap] = {}
        for root in map(_memory_map, self.tables):
            if root is not None and root.mode in SHARED:
                pages: Any = root.base
                maps[id(pages)] = pages
        return list(maps.values()) if hasattr(mmap, "MADV_DONTNEED") else []

    def _between(self, start: int, stop: int) -> NDArray[Any]:
        first, last = np.searchsorted(self._ends, [start, max(stop - 1, start)], side="right")
        firsts = self._starts
        return join(
            [
                self.tables[i][max(start - firsts[i], 0) : stop - firsts[i]].astype(
                    self.dtype, copy=False
                )
                for i in range(first, last + 1)
            ]
        )

    def _gather(self, numbers: NDArray[np.intp]) -> NDArray[Any]:
        gathered = np.empty((len(numbers), self.shape[1]), self.dtype)
        owners = np.searchsorted(self._ends, numbers, side="right")
        for begin, end in pairwise(np.flatnonzero(np.diff(owners, prepend=-1, append=-1))):
            i = owners[begin]
            gathered[begin:end] = self.tables[i][numbers[begin:end] - self._starts[i]]
        return gathered

    def _take_note(self, n_rows: int, n_places: int) -> None:
        """Let go of what was read before, if there is much of it, now that more will be."""
        row = self.tables[0].itemsize * self.shape[1]
        self._touched[0] += n_rows * row + n_places * READ_AROUND
        if self._touched[0] > MAX_RESIDENT:
            self._touched[0] = 0
            for pages in self._maps:
                pages.madvise(mmap.MADV_DONTNEED)
            return_freed_memory()


Rows = NDArray[Any] | MappedRows
"""What sequences are slices of."""


def join(tables: list[NDArray[Any]]) -> NDArray[Any]:
    """Concatenate tables in memory; a single one is not copied."""
    return tables[0] if len(tables) == 1 else np.concatenate(tables)


def side_by_side(tables: Sequence[NDArray[Any]]) -> Rows:
    """Return tables as rows that follow one another: joined in memory unless some lie in files."""
    if not any(map(is_mapped, tables)):
        return join(list(tables))
    is_single = all(table.dtype == np.float32 for table in tables)
    return MappedRows(tuple(tables), np.dtype(np.float32 if is_single else np.float64))


def is_mapped(X: Any) -> bool:
    """Tell whether this is an array of real numbers that lies in a file, a memory map."""
    is_array = type(X) in (np.ndarray, np.memmap) and X.dtype.kind in "biuf"
    return is_array and _memory_map(X) is not None


def _memory_map(array: Any) -> np.memmap[Any, Any] | None:
    """Return the memory map that an array is a view of, if it is of one."""
    root = None
    while isinstance(array, np.ndarray):
        if type(array) is not np.ndarray and isinstance(array, np.memmap):
            root = array
        array = array.base
    return root
