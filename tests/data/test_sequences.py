"""The ragged table: sequences as slices of the rows of one array."""

import numpy as np
import pytest

from skl_lstmae.data.sequences import Sequences

VALUES = np.arange(12.0)[:, np.newaxis]


@pytest.fixture
def sequences():
    """Rows 0-3, 2-5 overlap; 6-7 touches them; 8-9 is used by no sequence; 10-11 stands apart."""
    return Sequences(VALUES, np.array([10, 2, 0, 6]), np.array([2, 4, 4, 2]))


def numbers(tables):
    return [table.ravel().tolist() for table in tables]


def test_each_sequence_is_a_view_of_the_table(sequences):
    assert (len(sequences), sequences.n_features) == (4, 1)
    assert numbers(sequences) == [[10, 11], [2, 3, 4, 5], [0, 1, 2, 3], [6, 7]]
    assert all(np.shares_memory(sequence, VALUES) for sequence in sequences)


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ([3, 0], [[6, 7], [10, 11]]),
        (np.array([False, False, False, True]), [[6, 7]]),
        ([], []),
    ],
)
def test_chosen_sequences_are_slices_of_the_same_table(sequences, indices, expected):
    chosen = sequences.take(indices)
    assert chosen.values is VALUES
    assert numbers(chosen) == expected


def test_a_sequence_alone_holds_its_own_rows_and_no_others(sequences):
    alone = sequences.alone(1)
    assert numbers(alone) == numbers([alone.values]) == [[2, 3, 4, 5]]
    assert np.shares_memory(alone.values, VALUES)


def test_time_steps_are_numbered_sequence_after_sequence(sequences):
    rows = sequences.rows()
    assert rows.tolist() == [10, 11, 2, 3, 4, 5, 0, 1, 2, 3, 6, 7]
    assert rows[sequences.positions(np.array([3, 1]))].tolist() == [6, 7, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("max_rows", "expected"),
    [
        (1, [[0], [1], [2], [3], [4], [5], [6], [7], [10], [11]]),
        (3, [[0, 1, 2], [3, 4, 5], [6, 7], [10, 11]]),
        (8, [[0, 1, 2, 3, 4, 5, 6, 7], [10, 11]]),
        (None, [[0, 1, 2, 3, 4, 5, 6, 7, 10, 11]]),
    ],
)
def test_blocks_hold_each_used_row_once(sequences, max_rows, expected):
    blocks = list(sequences.blocks(max_rows))
    assert numbers(blocks) == expected
    follow_one_another = [block[-1] - block[0] == len(block) - 1 for block in blocks]
    assert [np.shares_memory(block, VALUES) for block in blocks] == follow_one_another
    assert list(sequences.take([]).blocks(max_rows)) == []


def test_a_long_sequence_covers_the_short_ones_inside_it():
    nested = Sequences(VALUES, np.array([0, 1, 5]), np.array([8, 2, 1]))
    assert numbers(nested.blocks()) == [[0, 1, 2, 3, 4, 5, 6, 7]]
