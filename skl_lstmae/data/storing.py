"""Sequences written into files, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from json import dumps
from os import SEEK_END, PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from skl_lstmae.data.containers import column_names
from skl_lstmae.data.members import adopt_member, read_member
from skl_lstmae.data.stored import LENGTHS, NAMES, VALUES, StoredSequences, open_sequences


def write_sequences(
    folder: str | PathLike[str], sequences: Iterable[Any], *, dtype: DTypeLike | None = None
) -> StoredSequences:
    """Write sequences into files, with one at a time in memory.

    Parameters
    ----------
    folder : path
        Where to write; made if it does not exist. It must not hold sequences yet.

    sequences : iterable
        Yields sequences in the forms that a list of them may hold: arrays (n_timesteps, n_features)
        or (n_timesteps,), tensors or DataFrames. A generator will do.

    dtype : float16, float32 or float64, default=None
        Type of the numbers in the file. None means that of the first sequence, float32 or float64.
        float16 takes half the space of float32, and is read as float64.

    Returns
    -------
    X : StoredSequences
        The sequences in the files, as :func:`open_sequences` opens them.

    Raises
    ------
    ValueError, TypeError, FileExistsError
        If the sequences cannot be written. Then no files are left, and none if it is interrupted.

    Notes
    -----
    ``values.npy`` holds all rows, one sequence after the other, in numpy's format [1]_, and
    ``lengths.npy`` how many rows each sequence has; if the sequences are DataFrames, ``names.json``
    lists the names of their columns.

    References
    ----------
    .. [1] https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector, write_sequences
    >>> rng = np.random.default_rng(0)
    >>> recordings = (rng.normal(size=(rng.integers(10, 30), 2)) for _ in range(40))
    >>> detector = LSTMAutoencoderDetector(hidden_size=8, max_epochs=3, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X = write_sequences(folder, recordings, dtype=np.float32)
    ...     detector.fit(X).score_samples(X).shape
    (40,)
    """
    if dtype is not None and np.dtype(dtype).name not in ("float16", "float32", "float64"):
        raise ValueError(f"dtype is {dtype!r}; expected float16, float32 or float64.")
    files = [Path(folder, name) for name in (VALUES, LENGTHS, NAMES)]
    for file in files:
        if file.exists():
            raise FileExistsError(f"{str(file)!r} exists; choose another folder, or delete it.")
    files[0].parent.mkdir(parents=True, exist_ok=True)
    try:
        with files[0].open("wb") as values:
            lengths, names = _write(values, sequences, dtype)
        np.save(files[1], lengths)
        if names:
            files[2].write_text(dumps(names), "utf-8")
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        raise
    return open_sequences(folder)


def _write(
    file: BinaryIO, sequences: Iterable[Any], dtype: DTypeLike | None
) -> tuple[NDArray[np.int64], list[str]]:
    """Write the rows of sequences; return how many each has, and the names of the features."""
    lengths: list[int] = []
    first: Any = None
    names: list[Any] = []
    for i, sequence in enumerate(sequences):
        place = f"sequence #{i}"
        member = adopt_member(sequence, place)
        rows = read_member(member, place, "sequence")
        rows = rows.reshape(len(rows), -1)
        if first is None:
            first, names = rows[:0].astype(dtype or rows.dtype), column_names(member)
            _write_header(file, first)
        _refuse_another(rows, column_names(member), first, names, place)
        if dtype is None and rows.dtype.itemsize > first.dtype.itemsize:
            raise ValueError(
                f"{place} is of {rows.dtype}, but sequence #0 of {first.dtype}, in which it would "
                "be less precise; pass dtype."
            )
        file.write(_cast(rows, first.dtype, place).tobytes())
        lengths.append(len(rows))
    if first is None:
        raise ValueError("sequences holds none; expected at least 1.")
    _write_header(file, first, sum(lengths))
    return np.array(lengths, dtype=np.int64), [str(name) for name in names]


def _write_header(file: BinaryIO, first: NDArray[Any], n_rows: int = 0) -> None:
    """Write what numpy's files begin with, as long for any number of rows, and go to the end."""
    shape = n_rows, first.shape[1]
    descr = npy.dtype_to_descr(first.dtype)
    file.seek(0)
    npy.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    file.seek(0, SEEK_END)


def _refuse_another(
    rows: NDArray[Any], found: list[Any], first: NDArray[Any], names: list[Any], place: str
) -> None:
    """Refuse a sequence of other features than the first."""
    if rows.shape[1] != first.shape[1]:
        raise ValueError(
            f"{place} has {rows.shape[1]} features, expected {first.shape[1]} as in sequence #0."
        )
    if found != names:
        raise ValueError(f"{place} has columns {found}, expected {names} as in sequence #0.")


def _cast(rows: NDArray[Any], dtype: np.dtype[Any], place: str) -> NDArray[Any]:
    """Return rows of a dtype, in C order; refuse what no estimator takes."""
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(rows, dtype=dtype)
    if np.isinf(rows).any():
        raise ValueError(
            f"{place} holds infinity, or a number too large for {dtype}; expected finite numbers, "
            "or NaN for a missing value."
        )
    if np.isnan(rows).all():
        raise ValueError(f"{place} has no observed value; expected at least one: leave it out.")
    return rows
