"""Long series: cut into windows, pieces and ends, and results of windows put back together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skl_lstmae.data import windows as windows_module
from skl_lstmae.data.gaps import Gaps, judged_by
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.times import cut_at_jumps, elapsed, jumps_of, usual_step
from skl_lstmae.data.weights import leave_out
from skl_lstmae.data.windows import (
    AGGREGATIONS,
    are_apart,
    blocks,
    cut,
    hold_out_ends,
    merge,
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


def test_windows_with_holes_do_not_count_for_rows_that_have_fuller_ones():
    series = make_table(9, 4)
    series.values[3:5] = np.nan
    windows = slide(series, 4)
    n_empty = Gaps.of(series.values).count(windows)
    assert n_empty.tolist() == [1, 2, 2, 2, 1, 0, 0]
    values = np.arange(7.0)
    # Each row is in the windows with the fewest steps without data; no fifth of 4 is a step.
    expected = [0, 0, 0, 0, 4, 5, 5, 5, 5, 6, 6, 6, 6]
    assert merge(values, windows, series, n_empty=n_empty).tolist() == expected
    whole = merge(values, windows, series, n_empty=np.zeros(7, dtype=int))
    assert whole.tolist() == merge(values, windows, series).tolist() != expected


def test_of_windows_with_many_holes_those_with_few_more_count_too():
    series = make_table(24)
    series.values[[*range(5), *range(14, 24)]] = np.nan
    windows = slide(series, 10)
    n_empty = Gaps.of(series.values).count(windows)
    assert n_empty.tolist() == [5, 4, 3, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    merged = merge(np.arange(15.0), windows, series, n_empty=n_empty)
    # Row 0 is in one window. Row 23 is in windows 14; row 18 in 9 with 5 and in 10 with 6.
    assert merged[[0, 9, 18, 23]].tolist() == [0, 4.5, 9.5, 14]


# ---------------------------------------------------------------------------- what holds no data


@pytest.mark.parametrize(
    ("lengths", "empty", "n_rows", "expected"),
    [
        ([8], [], 1, [(0, 8)]),
        ([8], [2, 3, 5], 1, [(0, 2), (2, 4), (4, 5), (5, 6), (6, 8)]),
        ([8], [2, 3, 5], 2, [(0, 2), (2, 4), (4, 8)]),
        ([8], [0, 1, 5, 6, 7], 3, [(0, 5), (5, 8)]),
        ([4, 4], [2, 3, 4, 5, 6], 3, [(0, 4), (4, 7), (7, 8)]),
        ([4, 4], [0, 1, 2, 3, 4], 4, [(0, 4), (4, 8)]),
        ([3], [0, 1, 2], 4, [(0, 3)]),
        ([3, 2], [0, 1, 2, 3, 4], 2, [(0, 3), (3, 5)]),
    ],
)
def test_series_are_cut_at_long_stretches_without_data(lengths, empty, n_rows, expected):
    series = make_table(*lengths)
    series.values[empty] = np.nan
    assert ranges(Gaps.of(series.values).cut_at_blackouts(series, n_rows)) == expected


def test_rows_with_any_value_are_in_no_blackout_and_rows_between_series_are_none():
    table = make_table(3, 3, 4)
    table.values[0:10] = np.nan
    table.values[8, 1] = 0.0
    series, gaps = table.take([0, 2]), Gaps.of(table.values)
    assert ranges(gaps.cut_at_blackouts(series, 2)) == [(0, 3), (6, 8), (8, 10)]
    assert gaps.count(series).tolist() == [3, 3]
    assert gaps.have_data(table.take([2, 0])).tolist() == [False, False]
    assert gaps.are_empty(series).tolist() == [True] * 5 + [False, True]


@pytest.mark.parametrize(
    ("lengths", "empty", "stride", "touching"),
    [
        ([14], [], 3, []),
        ([14], [4], 1, []),
        ([14], [4], 3, [(1, 4), (5, 8)]),  # (11, 14) is there already
        ([14], [3, 7], 3, [(4, 7), (8, 11)]),  # (0, 3) is there already
        ([14], [3, 6], 3, [(7, 10)]),  # two rows are no window
        ([7, 7], [5], 3, [(2, 5)]),
        ([4, 4], [0, 1, 2, 3, 4, 5, 6, 7], 3, []),
    ],
)
def test_rows_beside_gaps_are_in_a_window_that_touches_one(lengths, empty, stride, touching):
    series = make_table(*lengths)
    series.values[empty] = np.nan
    windows = Gaps.of(series.values).slide_beside(series, 3, stride)
    assert ranges(windows) == sorted([*ranges(slide(series, 3, stride)), *touching])


def test_rows_without_scores_are_judged_by_the_lower_beside_them_in_their_own_series():
    nan, worst = np.nan, -9.0
    scores = np.array([3.0, nan, nan, 1.0, 5.0, nan, 7.0, nan, worst, nan, 2.0])
    judges = judged_by(scores, worst, np.array([4, 3, 4]))
    assert judges.tolist() == [0, 3, 3, 3, 4, 4, 6, 10, 8, 10, 10]
    judges = judged_by(scores, worst, np.array([2, 4, 5]))
    assert judges.tolist() == [0, 0, 3, 3, 4, 4, 6, 10, 8, 10, 10]
    assert judged_by(scores[:1], worst, np.array([1])).tolist() == [0]
    # No row judges one of another series.
    assert judged_by(np.array([nan, worst, 1.0, nan]), worst, np.array([2, 2])).tolist() == [
        *[0, 1, 2, 2]
    ]
    assert judged_by(np.array([nan, nan]), worst, np.array([1, 1])).tolist() == [0, 1]


# -------------------------------------------------------------------------------------- other cuts


@pytest.mark.parametrize(
    ("first", "expected"),
    [(0, [(0, 1), (0, 2), (0, 3), (1, 4), (2, 5)]), (3, [(1, 4), (2, 5)]), (5, [])],
)
def test_trailing_windows_end_with_their_rows_and_grow_to_their_size(first, expected):
    assert ranges(trailing(make_table(5).values, 3, first)) == expected


def test_trailing_windows_begin_anew_where_a_series_does():
    is_new = np.array([0, 0, 1, 0, 0, 0], dtype=bool)
    expected = [(0, 1), (0, 2), (2, 3), (2, 4), (2, 5), (3, 6)]
    for first in range(7):
        windows = trailing(make_table(6).values, 3, first, is_new)
        assert ranges(windows) == expected[first:]


@pytest.mark.parametrize(
    ("stretch", "expected"), [([3, 4], [0, 7]), ([7], [0, 1, 2, 3, 4]), ([0], [3, 4, 5, 6, 7])]
)
def test_windows_are_apart_from_a_stretch_if_they_share_no_row(stretch, expected):
    windows = slide(make_table(10), 3)
    assert np.flatnonzero(are_apart(windows, windows.take(stretch))).tolist() == expected


@pytest.mark.parametrize(
    ("lengths", "left_out", "expected"),
    [
        ([6], [], [(0, 6)]),
        ([6], [0, 3, 5], [(1, 3), (4, 5)]),
        ([3, 3], [2], [(0, 2), (3, 6)]),
        ([3, 3, 2], [3, 4, 5], [(0, 3), (6, 8)]),
        ([3, 3], [0, 5], [(1, 3), (3, 5)]),
    ],
)
def test_series_are_cut_where_rows_are_left_out(lengths, left_out, expected):
    series = make_table(*lengths)
    weights = np.ones(sum(lengths))
    weights[left_out] = 0
    assert ranges(leave_out(series, weights)) == expected


# --------------------------------------------------------------------------------- jumps in time

HOURS = np.array([0, 1, 2, 3, 9, 10, 15, 21])
TIMES = pd.Timestamp("2024-01-01") + pd.to_timedelta(HOURS, "h")
INDICES = {
    "times": TIMES,
    "times of a zone": TIMES.tz_localize("UTC").tz_convert("Europe/Paris"),
    "seconds": TIMES.as_unit("s"),
    "periods": TIMES.to_period("h"),
    "durations": pd.to_timedelta(HOURS, "h"),
    "datetimes": pd.Index(TIMES.to_pydatetime(), dtype=object),
    "datetimes of a zone": pd.Index(TIMES.tz_localize("Asia/Tokyo").to_pydatetime(), dtype=object),
}
of_each_index = pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)


@of_each_index
def test_seconds_elapse_alike_in_every_kind_of_times(index):
    assert elapsed(index).tolist() == (3600.0 * np.diff(HOURS)).tolist()
    assert usual_step([index, index[:3]]) == 3600


def test_the_hour_that_a_zone_skips_is_no_jump():
    times = pd.date_range("2024-03-30", periods=48, freq="h", tz="Europe/Paris")
    for index in times, pd.Index(times.to_pydatetime(), dtype=object):
        assert set(elapsed(index)) == {3600.0}


@of_each_index
def test_series_are_cut_where_the_next_time_is_more_steps_away(index):
    series, times = make_table(8, 2), [index, np.arange(2)]
    assert ranges(cut_at_jumps(series, times, 3600.0, 5)) == [(0, 4), (4, 7), (7, 8), (8, 10)]
    assert ranges(cut_at_jumps(series, times, None, 5)) == [(0, 4), (4, 7), (7, 8), (8, 10)]
    assert ranges(cut_at_jumps(series, times, 3600.0, 6)) == ranges(series)


@of_each_index
def test_jumps_are_told_from_the_latest_time_on(index):
    whole = jumps_of(index, None, 3600.0, 5)
    assert np.flatnonzero(whole).tolist() == [4, 7]
    for row in range(1, 8):
        found = jumps_of(index[row:], index[row - 1], 3600.0, 5)
        assert found.tolist() == whole[row:].tolist()
    assert jumps_of(index[:0], index[0], 3600.0, 5).tolist() == []
    assert not jumps_of(index, None, None, 5).any()


def test_numbers_never_jump():
    numbers = pd.Index([0, 1, 2, 90])
    assert usual_step([numbers, np.arange(3)]) is None
    assert ranges(cut_at_jumps(make_table(4), [numbers], None, 5)) == [(0, 4)]
    assert jumps_of(numbers, None, 1.0, 5).tolist() == [False] * 4


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
    observed = Gaps.of(series.values).observed
    assert ranges(observed(slide(series, 3))) == [(0, 3), (2, 5), (3, 6)]
    series.values[2, 1] = 0.0
    observed = Gaps.of(series.values).observed
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
