"""The forms that `X` may have, into which results go back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.array_like import names_rows
from skl_lstmae.data.containers import is_frame
from skl_lstmae.data.stored import StoredSequences


@dataclass(frozen=True, eq=False)
class Form:
    """What `X` came in, into which results go back.

    Parameters
    ----------
    original : object
        `X` itself.
    columns : array or frame of two dimensions
        Whose columns scikit-learn, in fitting, counts and names as features.
    is_table : bool
        Whether each row of `X` is a sequence of one channel, so that `columns` are time steps.
    """

    original: Any
    columns: Any
    is_table: bool

    def restore(self, rows: NDArray[Any]) -> Any:
        """Return results of rows, (total,) or (total, n_features), in the form of `X`.

        They are in the order of the joined sequences; where `X` has padding they get NaN.
        """
        raise NotImplementedError

    def following(self, steps: NDArray[Any]) -> Any:
        """Return the steps after each sequence, (n_sequences, n_steps, n_features), in this form.

        An index of pandas numbers them from 1 on.
        """
        raise NotImplementedError

    def per_row(self, rows: NDArray[Any]) -> Any:
        """Return results of rows as an array, or for a list of series as a list of arrays."""
        return rows

    def row_labels(self) -> tuple[list[Any], list[Any]]:
        """Return what the user calls the series, and the rows of each: times, or numbers."""
        raise NotImplementedError

    def one_row_each(self) -> Any:
        """Return `X` with one row a sequence, from which pandas output takes its index."""
        return self.original

    def called(self, numbers: NDArray[np.intp]) -> list[Any]:
        """Return what the user calls sequences of these numbers."""
        return numbers.tolist()


@dataclass(frozen=True, eq=False)
class ListForm(Form):
    """Sequences, or series, one by one.

    Parameters
    ----------
    members : list or StoredSequences
        As the user has them.
    step_shapes : list of tuple
        The shape of one time step of each.
    lengths : ndarray of shape (n_sequences,)
        The number of time steps of each.
    """

    members: list[Any] | StoredSequences
    step_shapes: list[tuple[int, ...]]
    lengths: NDArray[np.intp]

    def restore(self, rows: NDArray[Any]) -> list[Any]:
        """Return a list, with a frame for each frame."""
        return self._dress(self.per_row(rows))

    def following(self, steps: NDArray[Any]) -> list[Any]:
        """Return a list, with a frame for each frame."""
        return self._dress(list(steps), range(1, 1 + steps.shape[1]))

    def per_row(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        """Return a list of arrays."""
        return np.split(rows, np.cumsum(self.lengths)[:-1])

    def row_labels(self) -> tuple[list[Any], list[Any]]:
        """Return numbers of the members, and of each the index that names its rows, or numbers."""
        indices = [getattr(member, "index", None) for member in self.members]
        return list(range(len(self.members))), [
            index if names_rows(index) else np.arange(length)
            for index, length in zip(indices, self.lengths, strict=True)
        ]

    def _dress(self, results: Sequence[NDArray[Any]], index: Any = None) -> list[Any]:
        return [
            dress_like(member, unflatten(result, step_shape), index)
            for member, result, step_shape in zip(
                self.members, results, self.step_shapes, strict=True
            )
        ]


@dataclass(frozen=True, eq=False)
class SeriesForm(ListForm):
    """One long series by itself, whose rows are the samples."""

    def per_row(self, rows: NDArray[Any]) -> Any:
        """Return an array."""
        return rows


@dataclass(frozen=True, eq=False)
class ArrayForm(Form):
    """An array, tensor or frame of sequences, the shorter of which are padded.

    Parameters
    ----------
    shape : tuple
        Of the array: sequences, time steps, and what a time step holds.
    lengths : ndarray of shape (n_sequences,)
        The number of time steps of each sequence without its padding.
    """

    shape: tuple[int, ...]
    lengths: NDArray[np.intp]

    def restore(self, rows: NDArray[Any]) -> Any:
        """Return an array, or a frame for a frame."""
        n_sequences, n_timesteps, *step_shape = self.shape
        steps = unflatten(rows, tuple(step_shape))
        shape = (n_sequences, n_timesteps, *steps.shape[1:])
        padded = np.full(shape, np.nan, dtype=np.result_type(steps, np.float32))
        padded[np.arange(n_timesteps) < self.lengths[:, np.newaxis]] = steps
        return dress_like(self.original, padded)

    def following(self, steps: NDArray[Any]) -> Any:
        """Return an array, or a frame for a frame."""
        further = steps.reshape(*steps.shape[:2], *self.shape[2:])
        return dress_like(self.original, further, columns=range(1, 1 + steps.shape[1]))


@dataclass(frozen=True, eq=False)
class PanelForm(Form):
    """A frame indexed by (sequence id, time).

    Parameters
    ----------
    starts : ndarray of shape (n_sequences,)
        The first row of each sequence.
    """

    starts: NDArray[np.intp]

    def restore(self, rows: NDArray[Any]) -> Any:
        """Return a frame, or a Series of one result a row."""
        return dress_like(self.original, rows)

    def following(self, steps: NDArray[Any]) -> Any:
        """Return a frame."""
        index = self.original.index
        ids = index.get_level_values(0)[self.starts]
        further = range(1, 1 + steps.shape[1])
        index = type(index).from_product([ids, further], names=index.names)
        return dress_like(self.original, steps.reshape(len(index), -1), index)

    def row_labels(self) -> tuple[list[Any], list[Any]]:
        """Return the ids, and the times of each."""
        ids, times = (self.original.index.get_level_values(level) for level in range(2))
        ends = np.append(self.starts[1:], len(times))
        return list(ids[self.starts]), [
            times[start:end] for start, end in zip(self.starts, ends, strict=True)
        ]

    def one_row_each(self) -> Any:
        """Return the first row of each sequence, indexed by its id."""
        return self.original.iloc[self.starts].droplevel(1)

    def called(self, numbers: NDArray[np.intp]) -> list[Any]:
        """Return the ids of sequences of these numbers."""
        return self.original.index.get_level_values(0)[self.starts[numbers]].tolist()


def unflatten(rows: NDArray[Any], step_shape: tuple[int, ...]) -> NDArray[Any]:
    """Give each row the shape of the user's time step; one number a row stays as it is."""
    if rows.ndim == 2 and rows.shape[1] == math.prod(step_shape):
        return rows.reshape(len(rows), *step_shape)
    return rows


def dress_like(original: Any, rows: NDArray[Any], index: Any = None, columns: Any = None) -> Any:
    """Turn `rows` into a DataFrame or Series, if `original` is one, with its or another index."""
    if not hasattr(original, "iloc"):
        return rows
    index = original.index if index is None else index
    if not is_frame(original):
        return type(original)(rows, index=index, name=original.name)
    if rows.ndim == 2:
        if columns is None and rows.shape[1] == original.shape[1]:
            columns = original.columns
        return type(original)(rows, index=index, columns=columns)
    return type(original)(rows, index=index).iloc[:, 0].rename(None)
