"""Long series: cut into windows, pieces and ends, and results of windows put back together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skl_lstmae.data import windows as windows_module
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import (
    AGGREGATIONS,
    blocks,
    cut,
    hold_out_ends,
    merge,
    observed,
    slide,
    spread,
    trailing,
)


def make_table(*lengths, n_features=2):
    """Return series that follow one another, whose values are all different whole numbers."""
    lengths = np.array(lengths)
    values = np.arange(float(lengths.sum() * n_features)).reshape(-1, n_features)
    return Sequences(values, np.cumsum(lengths) - lengths, lengths)


def ranges(sequences):
    """Return (first row, row after the last) of each sequence."""
    ends = sequences.starts + sequences.lengths
    return list(zip(sequences.starts.tolist(), ends.tolist(), strict=True))


@st.composite
def series_and_windows(draw):
    lengths = draw(st.lists(st.integers(1, 40), min_size=1, max_size=5))
    size = draw(st.integers(1, 45))
    every = slice(None, None, draw(st.integers(1, 2)))  # there may be other rows between them
    table = make_table(*lengths, n_features=draw(st.integers(1, 3)))
    series = table.take(np.arange(len(table))[every])
    return series, slide(series, size, draw(st.integers(1, size)))


# --------------------------------------------------------------------------- windows and their rows


@pytest.mark.parametrize(
    ("lengths", "size", "stride", "expected"),
    [
        ([5], 3, 1, [(0, 3), (1, 4), (2, 5)]),
        ([5], 5, 1, [(0, 5)]),
        ([5], 3, 2, [(0, 3), (2, 5)]),
        ([6], 3, 2, [(0, 3), (2, 5), (3, 6)]),
        ([2], 3, 1, [(0, 2)]),
        ([4, 1, 3], 3, 3, [(0, 3), (1, 4), (4, 5), (5, 8)]),
    ],
    ids=["every row", "one window", "even", "last ends with the series", "short", "several"],
)
def test_windows_are_slices_at_every_stride_and_the_end(lengths, size, stride, expected):
    series = make_table(*lengths)
    windows = slide(series, size, stride)
    assert ranges(windows) == expected
    assert windows.values is series.values


@given(series_and_windows(), st.sampled_from(sorted(AGGREGATIONS)), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_a_rows_value_aggregates_those_of_the_windows_that_cover_it(example, aggregation, seed):
    series, windows = example
    values = np.random.default_rng(seed).normal(size=len(windows))
    ends = windows.starts + windows.lengths
    of_rows = [values[(windows.starts <= row) & (row < ends)] for row in series.rows()]
    mean, low, high = ([f(of_row) for of_row in of_rows] for f in (np.mean, np.min, np.max))
    between = np.mean([mean, low], axis=0)
    expected = {"mean": mean, "min": low, "max": high, "mean_min": between}[aggregation]
    np.testing.assert_allclose(merge(values, windows, series, aggregation), expected, rtol=1e-12)
    # Whole numbers, so that the mean of a number and itself is that number to the last bit.
    merged = merge(windows.values[windows.rows()], windows, series, aggregation)
    assert merged.tolist() == series.values[series.rows()].tolist()


# -------------------------------------------------------------------------------------- other cuts


@pytest.mark.parametrize(
    ("first", "expected"),
    [(0, [(0, 1), (0, 2), (0, 3), (1, 4), (2, 5)]), (3, [(1, 4), (2, 5)]), (5, [])],
)
def test_trailing_windows_end_with_their_rows_and_grow_to_their_size(first, expected):
    assert ranges(trailing(make_table(5).values, 3, first)) == expected


@pytest.mark.parametrize(
    ("lengths", "size", "phase", "expected"),
    [
        ([7], 3, 0, [(0, 3), (3, 6), (6, 7)]),
        ([7], 3, 2, [(0, 2), (2, 5), (5, 7)]),
        ([6], 3, 0, [(0, 3), (3, 6)]),
        ([2], 1, 0, [(0, 1), (1, 2)]),
        ([3, 4, 1], 3, 2, [(0, 3), (3, 5), (5, 7), (7, 8)]),
    ],
)
def test_pieces_begin_with_the_phase(lengths, size, phase, expected):
    assert ranges(cut(make_table(*lengths), size, phase)) == expected


def test_windows_without_observed_values_are_left_out():
    series = make_table(6)
    series.values[1:4] = np.nan
    assert ranges(observed(slide(series, 3))) == [(0, 3), (2, 5), (3, 6)]
    series.values[2, 1] = 0.0
    assert ranges(observed(slide(series, 1))) == [(0, 1), (2, 3), (4, 5), (5, 6)]


@pytest.mark.parametrize(
    ("max_values", "max_windows", "expected"),
    [(40, None, [4, 4, 4, 4, 3]), (2**22, 10, [10, 9]), (3, None, [1] * 19)],
    ids=["few numbers", "few windows", "windows larger than a block"],
)
def test_blocks_hold_few_numbers_and_all_windows_in_turn(
    max_values, max_windows, expected, monkeypatch
):
    monkeypatch.setattr(windows_module, "MAX_VALUES", max_values)
    windows = slide(make_table(23), 5)
    found = list(blocks(windows, max_windows))
    assert [len(block) for block in found] == expected
    assert np.concatenate([block.starts for block in found]).tolist() == windows.starts.tolist()
    assert list(blocks(windows.take([]), max_windows)) == []


# ----------------------------------------------------------------------------- held out, and drawn


@pytest.mark.parametrize(
    ("lengths", "fraction", "training", "held_out"),
    [
        # 20 rows are too few to be cut: 10 would be held out, 10 are the gap.
        ([100, 20, 200], 0.15, [(0, 75), (100, 120), (120, 280)], [(85, 100), (290, 320)]),
        ([50], 0.01, [(0, 30)], [(40, 50)]),
        ([20] * 5, 0.4, [(0, 20), (20, 40), (40, 60)], [(60, 80), (80, 100)]),
        ([49], 0.01, [(0, 49)], []),
    ],
    ids=["ends behind a gap", "a window at least", "last of short series", "not of a single one"],
)
def test_what_is_held_out_shares_no_window_with_the_rest(lengths, fraction, training, held_out):
    parts = hold_out_ends(make_table(*lengths), 10, fraction)
    assert [ranges(part) for part in parts] == [training, held_out]


@pytest.mark.parametrize(
    ("n", "expected"), [(5, [3, 9, 15, 21, 27]), (30, list(range(30))), (0, [])]
)
def test_spread_windows_are_the_middle_ones_of_stretches(n, expected):
    assert spread(slide(make_table(30), 1), n).starts.tolist() == expected


def test_spread_at_random_they_are_one_of_each_stretch_and_in_time_every_one():
    windows, random_state = slide(make_table(31), 1), np.random.RandomState(0)
    draws = np.array([spread(windows, 4, random_state).starts for _ in range(200)])
    stretches = [range(7), range(7, 15), range(15, 23), range(23, 31)]
    assert [set(drawn) for drawn in draws.T] == [set(stretch) for stretch in stretches]
