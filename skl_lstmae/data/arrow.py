"""Sequences in files of Parquet or Arrow, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def iterate_arrow(
    source: Any,
    *,
    sequence_id: str | None = None,
    time: str | None = None,
    columns: Sequence[str] | None = None,
) -> Iterator[Any]:
    """Read the sequences in Parquet or Arrow files, a few batches of rows at a time.

    Such files can only be read from beginning to end, but training reads the sequences in any order
    and many times. So pass this to :func:`write_sequences` once.

    Parameters
    ----------
    source : path, list of paths, or object of pyarrow
        Parquet files; Arrow (Feather) files, whose suffix is not ``.parquet``; a folder of Parquet
        files; or a Table, RecordBatchReader or Dataset.

    sequence_id : str, default=None
        In long format, the column that tells which sequence a row belongs to. The rows of each
        sequence must follow one another. None means that each row is a sequence, and each column a
        feature whose values are lists.

    time : str, default=None
        In long format, the column of times, which must increase in each sequence. It is no feature.

    columns : sequence of str, default=None
        The features; None means all other columns.

    Yields
    ------
    sequence : pyarrow.Table
        One sequence, with a row for each time step and a column for each feature.

    Examples
    --------
    >>> from skl_lstmae import iterate_arrow, write_sequences
    >>> recordings = iterate_arrow("pumps.parquet", sequence_id="pump", time="time")
    >>> X = write_sequences("pumps", recordings)  # doctest: +SKIP
    """
    dataset = _open(source)
    keys = [name for name in (sequence_id, time) if name is not None]
    features = columns or [name for name in dataset.schema.names if name not in keys]
    batches = dataset.to_batches(
        columns=[*keys, *features], batch_readahead=1, fragment_readahead=1
    )
    if sequence_id is None:
        yield from _rows(batches, features)
        return
    for name, table in _runs(batches, sequence_id):
        if time is not None:
            _refuse_order(table[time].to_numpy(), name)
        yield table.select(features)


def _open(source: Any) -> Any:
    try:
        import pyarrow.dataset as pyarrow_dataset
    except ImportError as error:
        raise ImportError("iterate_arrow needs pyarrow; pip install pyarrow.") from error
    if isinstance(source, pyarrow_dataset.Dataset):
        return source
    paths = source if isinstance(source, list) else [source]
    if not all(isinstance(path, str | PathLike) for path in paths):
        return pyarrow_dataset.dataset(source)
    is_parquet = all(Path(path).suffix in ("", ".parquet", ".pq") for path in paths)
    return pyarrow_dataset.dataset(source, format="parquet" if is_parquet else "ipc")


def _rows(batches: Iterator[Any], features: Sequence[str]) -> Iterator[Any]:
    """Yield a table for each row, whose cells are lists of one length."""
    import pyarrow as pa

    rows = (batch.slice(i, 1) for batch in batches for i in range(len(batch)))
    for i, row in enumerate(rows):
        steps = {name: getattr(row[name][0], "values", None) for name in features}
        lengths = {name: -1 if values is None else len(values) for name, values in steps.items()}
        for name, length in lengths.items():
            if length < 0:
                raise ValueError(
                    f"row {i} has no list in column {name!r}; expected the values of a feature, "
                    "step by step: name the columns of features by columns, or that which tells "
                    "the sequence of a row by sequence_id."
                )
            if length != lengths[features[0]]:
                raise ValueError(
                    f"row {i} has {length} steps in column {name!r}, but {lengths[features[0]]} in "
                    f"{features[0]!r}; expected as many."
                )
        yield pa.table(steps)


def _runs(batches: Iterator[Any], sequence_id: str) -> Iterator[tuple[Any, Any]]:
    """Yield the name of each sequence, and its rows as a table."""
    import pyarrow as pa

    name, parts = None, list[Any]()
    known = set[Any]()
    for batch in filter(len, batches):
        names = batch[sequence_id].to_numpy(zero_copy_only=False)
        edges = np.flatnonzero(np.append(names[1:] != names[:-1], True)) + 1
        for start, end in zip(np.append(0, edges[:-1]), edges, strict=True):
            found = batch[sequence_id][start].as_py()
            if parts and found != name:
                yield name, pa.Table.from_batches(parts)
                parts = []
            if not parts:
                _refuse_name(found, known, sequence_id)
                known.add(found)
                name = found
            parts.append(batch.slice(start, end - start))
    if parts:
        yield name, pa.Table.from_batches(parts)


def _refuse_name(name: Any, known: set[Any], sequence_id: str) -> None:
    if name is None:
        raise ValueError(f"column {sequence_id!r} has a row without a value; expected one in each.")
    if name in known:
        raise ValueError(
            f"the rows of sequence {name!r} are not contiguous; sort them by {sequence_id!r} first."
        )


def _refuse_order(times: NDArray[Any], name: Any) -> None:
    increases = times[1:] > times[:-1]
    if not increases.all():
        row = 1 + int(increases.argmin())
        raise ValueError(
            f"the times of sequence {name!r} do not increase: {times[row]} follows "
            f"{times[row - 1]}; sort its rows by time first."
        )
