"""Ragged sequences in files: all their rows in one array, and how many of them each has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from json import loads
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VALUES, LENGTHS, NAMES = "values.npy", "lengths.npy", "names.json"
"""The files of a folder of sequences, the last of which is there if the features have names."""


class StoredSequences:
    """Sequences that lie side by side in one array, which may be larger than memory.

    Pass it as `X` to any estimator, which reads a few sequences at a time. The estimator learns and
    returns the same, bit for bit, as with a list of the sequences in memory. Indexed by a number,
    it gives one sequence; by a slice, a mask or an array of numbers, it gives StoredSequences
    without reading any row.

    :func:`write_sequences` writes the files, and :func:`open_sequences` opens them. To use a memory
    map of your own, pass it with the lengths. Sequences of an opened file are pickled by its path.

    Parameters
    ----------
    values : array of shape (total_timesteps, n_features)
        The rows of all sequences, one sequence after the other; usually a memory map in C order.
        float32 is kept; other real numbers become float64 as they are read. NaN is a missing value.

    lengths : array of shape (n_sequences,), integers
        Number of time steps of each sequence, at least 1.

    feature_names : sequence of str, default=()
        Names of the features. If pandas is installed, an estimator compares them with those of
        other data.

    starts : ndarray of shape (n_sequences,), default=None
        First row of each sequence; None means that they are all rows, side by side.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector, StoredSequences
    >>> rng = np.random.default_rng(0)
    >>> lengths = rng.integers(10, 30, size=40)
    >>> values = rng.normal(size=(lengths.sum(), 2)).astype(np.float32)
    >>> X = StoredSequences(values, lengths)
    >>> len(X), X[3].shape, len(X[:10])
    (40, (15, 2), 10)
    >>> detector = LSTMAutoencoderDetector(hidden_size=8, max_epochs=3, random_state=0).fit(X)
    >>> detector.predict(X[:10]).shape
    (10,)
    """

    def __init__(
        self,
        values: Any,
        lengths: Any,
        feature_names: tuple[str, ...] = (),
        starts: NDArray[np.intp] | None = None,
    ) -> None:
        self.values = values
        self.lengths = lengths
        self.feature_names = feature_names
        self.starts = starts

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, chosen: Any) -> Any:
        starts, lengths = self.first_rows[chosen], np.asarray(self.lengths)[chosen]
        if np.ndim(starts) == 0:
            return self.values[starts : starts + lengths]
        return StoredSequences(self.values, lengths, self.feature_names, starts)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} sequences of {self.values.shape[1]} features)"

    def __reduce__(self) -> Any:
        values, others = self.values, (self.lengths, self.feature_names, self.starts)
        is_whole = type(values) is np.memmap and not isinstance(values.base, np.ndarray)
        if is_whole and values.flags.c_contiguous:
            place = values.filename, values.dtype, values.offset, values.shape
            return _opened_again, (*place, *others)
        return StoredSequences, (values, *others)

    @cached_property
    def first_rows(self) -> NDArray[np.intp]:
        """First row of each sequence."""
        if self.starts is not None:
            return self.starts
        lengths = np.asarray(self.lengths, dtype=np.intp)
        return np.cumsum(lengths) - lengths


def open_sequences(folder: str | PathLike[str]) -> StoredSequences:
    """Open sequences that :func:`write_sequences` wrote, without reading them.

    Parameters
    ----------
    folder : path
        Holds ``values.npy``, an array of shape (total_timesteps, n_features); ``lengths.npy``, one
        of shape (n_sequences,); and maybe ``names.json``, a list of the names of the features. You
        may also write these files yourself.

    Returns
    -------
    X : StoredSequences
        For any estimator of this package.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skl_lstmae import open_sequences, write_sequences
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X = write_sequences(folder, (np.zeros((n, 3)) for n in (5, 2, 4)))
    ...     open_sequences(folder)
    StoredSequences(3 sequences of 3 features)
    """
    for name in VALUES, LENGTHS:
        if not Path(folder, name).is_file():
            raise FileNotFoundError(
                f"{str(folder)!r} holds no {name}; expected a folder that write_sequences wrote to "
                "its end."
            )
    names = Path(folder, NAMES)
    return StoredSequences(
        np.load(Path(folder, VALUES), mmap_mode="r"),
        np.load(Path(folder, LENGTHS)),
        tuple(loads(names.read_text("utf-8"))) if names.is_file() else (),
    )


def refuse_unfit(X: StoredSequences) -> None:
    """Refuse values and lengths that do not belong together."""
    values, lengths = X.values, np.asarray(X.lengths)
    if getattr(values, "ndim", 0) != 2 or values.dtype.kind not in "biuf":
        found = f"shape {np.shape(values)}, dtype {getattr(values, 'dtype', type(values).__name__)}"
        raise ValueError(
            f"the values of X have {found}; expected an array of real numbers of shape "
            "(total_timesteps, n_features)."
        )
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 1).any():
        raise ValueError(
            f"the lengths of X are {lengths!r}; expected an array (n_sequences,) of integers, 1 at "
            "least: leave out sequences without steps."
        )
    if X.starts is None and lengths.sum() != len(values):
        raise ValueError(
            f"the lengths of X add up to {lengths.sum()}, but its values have {len(values)} rows; "
            "expected as many."
        )
    if len(lengths) == 0:
        raise ValueError("X holds no sequences; expected at least 1.")
    if len(X.feature_names) not in (0, values.shape[1]):
        raise ValueError(
            f"X has {values.shape[1]} features, but {len(X.feature_names)} names of features; "
            "expected one for each, or none."
        )


def _opened_again(
    file: Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, int], *others: Any
) -> StoredSequences:
    return StoredSequences(np.memmap(file, dtype, "r", offset, shape), *others)
