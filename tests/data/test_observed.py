"""What is observed of sequences: how far they reach, whatever blocks they are looked at in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skl_lstmae import StoredSequences
from skl_lstmae.data import sequences as sequences_module
from skl_lstmae.data.names import Names
from skl_lstmae.data.observed import observed_lengths
from skl_lstmae.data.reading import read
from skl_lstmae.data.sequences import Sequences


@given(
    is_observed=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30),
    borders=st.lists(st.tuples(st.integers(0, 29), st.integers(1, 30)), min_size=1, max_size=6),
    block_rows=st.integers(1, 9),
)
def test_lengths_reach_to_the_last_observed_step_even_where_sequences_overlap(
    is_observed, borders, block_rows
):
    values = np.where(is_observed, 1.0, np.nan)
    of_start = {start: n for start, n in sorted(borders) if start < len(values)}
    if not of_start:
        return
    starts = np.array(list(of_start))
    lengths = np.minimum(list(of_start.values()), len(values) - starts)
    expected = [
        1 + max(np.flatnonzero(np.isfinite(values[start : start + n]).any(axis=1)), default=-1)
        for start, n in zip(starts, lengths, strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences_module, "_BLOCK_ROWS", block_rows)
        sequences = Sequences(values, starts, lengths)
        if all(expected):
            assert observed_lengths(sequences, Names()).tolist() == expected
        else:
            i = expected.index(0)
            with pytest.raises(ValueError, match=f"sequence #{i} has no observed value"):
                observed_lengths(sequences, Names())


def test_stored_sequences_that_overlap_are_read():
    values = np.arange(40.0).reshape(20, 2)
    sequences, _ = read(StoredSequences(values, [8, 15, 3], starts=np.array([0, 5, 9])))
    assert sequences.lengths.tolist() == [8, 15, 3]
    assert sequences[2].tolist() == values[9:12].tolist()
