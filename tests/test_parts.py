"""What is trained on and what is held out: ends of series, and windows drawn from stretches."""

import numpy as np

from skl_lstmae._parts import hold_out_ends, spread
from skl_lstmae._sequences import Sequences
from skl_lstmae._windows import split


def make_series(*lengths):
    """Series that follow one another."""
    lengths = np.array(lengths)
    return Sequences(np.zeros((lengths.sum(), 1)), np.cumsum(lengths) - lengths, lengths)


def ranges(sequences):
    """Return (first row, row after the last) of each sequence."""
    return [
        (int(start), int(start + length))
        for start, length in zip(sequences.starts, sequences.lengths, strict=True)
    ]


def test_end_of_each_series_is_held_out_behind_a_gap():
    training, held_out = hold_out_ends(make_series(100, 20, 200), size=10, fraction=0.15)
    # 20 rows are too few to be cut: 10 would be held out, 10 are the gap.
    assert ranges(training) == [(0, 75), (100, 120), (120, 280)]
    assert ranges(held_out) == [(85, 100), (290, 320)]


def test_one_window_at_least_is_held_out():
    training, held_out = hold_out_ends(make_series(50), size=10, fraction=0.01)
    assert ranges(training) == [(0, 30)]
    assert ranges(held_out) == [(40, 50)]


def test_last_series_are_held_out_if_all_are_short():
    series = make_series(*[20] * 10)
    training, held_out = hold_out_ends(series, size=10, fraction=0.2)
    assert ranges(training) == ranges(series)[:8]
    assert ranges(held_out) == ranges(series)[8:]


def test_nothing_of_a_single_short_series_is_held_out():
    training, held_out = hold_out_ends(make_series(49), size=10, fraction=0.5)
    assert ranges(training) == [(0, 49)]
    assert ranges(held_out) == []


def test_spread_takes_the_middle_of_each_stretch():
    windows = split(make_series(30), 1)
    assert spread(windows, 5).starts.tolist() == [3, 9, 15, 21, 27]
    assert spread(windows, 30).starts.tolist() == list(range(30))
    assert spread(windows, 0).starts.tolist() == []


def test_random_spread_takes_one_of_each_stretch_and_in_time_every_window():
    windows = split(make_series(31), 1)
    random_state = np.random.RandomState(0)
    edges = [0, 7, 15, 23, 31]
    draws = np.array([spread(windows, 4, random_state).starts for _ in range(200)])
    assert (draws >= edges[:-1]).all()
    assert (draws < edges[1:]).all()
    assert set(draws.ravel()) == set(range(31))
