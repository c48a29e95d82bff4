"""What of sequences is observed: finite numbers, up to the last step that has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.names import Names
from skl_lstmae.data.sequences import Sequences


def observed_lengths(sequences: Sequences, names: Names) -> NDArray[np.intp]:
    """Return each sequence's number of steps up to its last observed one, in bounded memory.

    Refuses infinity and sequences without any observed value. Expects ascending `starts`.
    """
    values, starts = sequences.values, sequences.starts
    ends = starts + sequences.lengths
    lengths = np.zeros(len(sequences), dtype=np.intp)
    for block_rows in sequences.row_slices():
        block = values[block_rows]
        is_finite = np.isfinite(block)
        if is_finite.all():  # then the last rows in the block tell
            first, last = np.searchsorted(ends, [block_rows.start + 1, block_rows.stop])
            rows = np.append(ends[first:last], block_rows.stop) - 1
        else:
            if np.isinf(block).any():
                row, feature = np.argwhere(np.isinf(block))[0]
                _refuse_infinity(starts, block_rows.start + row, feature, names)
            rows = block_rows.start + np.flatnonzero(is_finite.any(axis=1))
        owners = np.searchsorted(starts, rows, side="right") - 1
        # Rows ascend and numpy keeps the last of several assignments to one place.
        lengths[owners] = rows - starts[owners] + 1
    if not lengths.all():
        raise ValueError(
            f"{names.part(int(lengths.argmin()))} has no observed value; expected at least one "
            "that is not NaN: leave it out."
        )
    return lengths


def _refuse_infinity(starts: NDArray[np.intp], row: int, feature: int, names: Names) -> None:
    i = int(np.searchsorted(starts, row, side="right")) - 1
    raise ValueError(
        f"{names.part(i)} holds infinity at {names.step(i, int(row - starts[i]))}, "
        f"{names.feature(int(feature))}; expected finite numbers, or NaN for a missing value."
    )
