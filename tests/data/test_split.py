"""Which sequences are held out, and by which a threshold is set."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import MAX_CALIBRATING, Split

MANY = 3 * MAX_CALIBRATING


@pytest.mark.parametrize(("n_training", "n_held_out"), [(50, 10), (MANY, 10), (50, MANY)])
def test_a_threshold_rests_on_so_many_sequences_as_fit_into_memory(n_training, n_held_out):
    n = n_training + n_held_out
    sequences = Sequences(np.zeros((n, 1)), np.arange(n), np.ones(n, dtype=np.intp))
    split = Split(
        sequences.take(np.arange(n_training)),
        sequences.take(np.arange(n_training, n)),
        numbers=np.arange(n)[::-1],
    )
    chosen, is_held_out, numbers = split.calibrating()
    counts = [min(count, MAX_CALIBRATING) for count in (n_training, n_held_out)]
    assert [(~is_held_out).sum(), is_held_out.sum()] == counts
    assert_array_equal(chosen.starts >= n_training, is_held_out)
    assert_array_equal(numbers, n - 1 - chosen.starts)
    assert {0, n_training - 1, n_training, n - 1} <= set(chosen.starts)
