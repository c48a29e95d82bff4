"""What of sequences is observed: finite numbers, up to the last step that has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.names import Names
from skl_lstmae.data.sequences import Sequences


def observed_lengths(
    sequences: Sequences, names: Names, *, may_be_empty: bool = False
) -> NDArray[np.intp]:
    """Return each sequence's number of steps up to its last observed one, in bounded memory.

    Refuses infinity, and sequences without any observed value unless they `may_be_empty`. Expects
    ascending `starts`; sequences may overlap.
    """
    values, starts = sequences.values, sequences.starts
    ends = starts + sequences.lengths
    furthest = np.maximum.accumulate(ends)
    lengths = np.zeros(len(sequences), dtype=np.intp)
    for block_rows in sequences.row_slices():
        block = values[block_rows]
        is_finite = np.isfinite(block)
        some = slice(
            np.searchsorted(furthest, block_rows.start, side="right"),
            np.searchsorted(starts, block_rows.stop),
        )
        if is_finite.all():  # which spares most data a look at each row
            last = np.minimum(ends[some], block_rows.stop) - 1
        else:
            if np.isinf(block).any():
                row, feature = np.argwhere(np.isinf(block))[0]
                _refuse_infinity(starts, block_rows.start + row, feature, names)
            rows = np.append(-1, block_rows.start + np.flatnonzero(is_finite.any(axis=1)))
            last = rows[np.searchsorted(rows, ends[some]) - 1]
        is_there = last >= np.maximum(starts[some], block_rows.start)
        lengths[some][is_there] = (last - starts[some] + 1)[is_there]
    if not (may_be_empty or lengths.all()):
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
