"""Windows of long series: cutting them, and putting results back together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skl_lstmae import _windows
from skl_lstmae._sequences import Sequences
from skl_lstmae._windows import (
    AGGREGATIONS,
    blocks,
    cut,
    merge,
    observed,
    split,
    trailing,
)


def make_series(*lengths, n_features=2, dtype=np.float64):
    """Series that follow one another, whose values are all different whole numbers."""
    lengths = np.array(lengths)
    values = np.arange(float(lengths.sum() * n_features), dtype=dtype).reshape(-1, n_features)
    return Sequences(values, np.cumsum(lengths) - lengths, lengths)


def ranges(sequences):
    """Return (first row, row after the last) of each sequence."""
    return [
        (int(start), int(start + length))
        for start, length in zip(sequences.starts, sequences.lengths, strict=True)
    ]


# ------------------------------------------------------------------------------------ split, merge


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
def test_windows_are_where_they_are_expected(lengths, size, stride, expected):
    assert ranges(split(make_series(*lengths), size, stride)) == expected


def test_windows_are_views_of_the_series():
    series = make_series(10, 20)
    windows = split(series, 5)
    assert windows.values is series.values
    assert np.shares_memory(windows[3], series.values)


@st.composite
def series_and_windows(draw):
    lengths = draw(st.lists(st.integers(1, 40), min_size=1, max_size=5))
    size = draw(st.integers(1, 45))
    stride = draw(st.integers(1, size))
    series = make_series(*lengths, n_features=draw(st.integers(1, 3)))
    return series, split(series, size, stride), size


@given(series_and_windows())
@settings(deadline=None)
def test_every_row_is_covered_by_windows_of_its_own_series(example):
    series, windows, size = example
    owners = np.repeat(np.arange(len(series)), series.lengths)
    covered = windows.rows()
    assert sorted(set(covered.tolist())) == list(range(len(series.values)))
    firsts, lasts = windows.starts, windows.starts + windows.lengths - 1
    assert owners[firsts].tolist() == owners[lasts].tolist()
    assert windows.lengths.tolist() == np.minimum(series.lengths, size)[owners[firsts]].tolist()


@given(series_and_windows(), st.sampled_from(sorted(AGGREGATIONS)))
@settings(deadline=None)
def test_merge_undoes_split(example, aggregation):
    series, windows, _ = example
    # Whole numbers, so that the mean of a number and itself is that number to the last bit.
    merged = merge(windows.values[windows.rows()], windows, series, aggregation)
    assert merged.tolist() == series.values.tolist()


OF_A_ROW = {
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "mean_min": lambda values: (np.mean(values) + np.min(values)) / 2,
}


@given(series_and_windows(), st.sampled_from(sorted(AGGREGATIONS)), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_merge_agrees_with_a_loop_over_rows(example, aggregation, seed):
    series, windows, _ = example
    values = np.random.default_rng(seed).normal(size=len(windows))
    expected = [
        OF_A_ROW[aggregation](
            values[(windows.starts <= row) & (row < windows.starts + windows.lengths)]
        )
        for row in range(len(series.values))
    ]
    np.testing.assert_allclose(merge(values, windows, series, aggregation), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("mean", [1.0, 1.5, 3.0, 5.5, 7.0, 4.0]),
        ("min", [1.0, 1.0, 2.0, 4.0, 7.0, 4.0]),
        ("max", [1.0, 2.0, 4.0, 7.0, 7.0, 4.0]),
        ("mean_min", [1.0, 1.25, 2.5, 4.75, 7.0, 4.0]),
    ],
)
def test_values_of_windows_are_aggregated_row_by_row(aggregation, expected):
    series = make_series(5, 1)
    windows = split(series, 2)
    assert ranges(windows) == [(0, 2), (1, 3), (2, 4), (3, 5), (5, 6)]
    values = np.array([1.0, 2.0, 4.0, 7.0, 4.0])
    assert merge(values, windows, series, aggregation).tolist() == expected


# ------------------------------------------------------------------------------------- other cuts


def test_trailing_windows_end_with_their_rows_and_grow_to_their_size():
    values = make_series(5).values
    assert ranges(trailing(values, 3)) == [(0, 1), (0, 2), (0, 3), (1, 4), (2, 5)]
    assert ranges(trailing(values, 3, first=3)) == [(1, 4), (2, 5)]
    assert ranges(trailing(values, 3, first=5)) == []


@pytest.mark.parametrize(
    ("lengths", "size", "phase", "expected"),
    [
        ([7], 3, 0, [(0, 3), (3, 6), (6, 7)]),
        ([7], 3, 1, [(0, 1), (1, 4), (4, 7)]),
        ([7], 3, 2, [(0, 2), (2, 5), (5, 7)]),
        ([6], 3, 0, [(0, 3), (3, 6)]),
        ([3, 4, 1], 3, 2, [(0, 3), (3, 5), (5, 7), (7, 8)]),
        ([2], 1, 0, [(0, 1), (1, 2)]),
    ],
)
def test_pieces_are_where_they_are_expected(lengths, size, phase, expected):
    assert ranges(cut(make_series(*lengths), size, phase)) == expected


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 45), st.data())
@settings(deadline=None)
def test_pieces_hold_each_row_once(lengths, size, data):
    phase = data.draw(st.integers(0, size - 1))
    pieces = cut(make_series(*lengths), size, phase)
    assert pieces.rows().tolist() == list(range(sum(lengths)))
    assert pieces.lengths.min() >= 1
    assert pieces.lengths.max() <= size


def test_windows_without_observed_values_are_left_out():
    series = make_series(6)
    series.values[1:4] = np.nan
    series.values[2, 1] = 0.0
    assert ranges(observed(split(series, 1))) == [(0, 1), (2, 3), (4, 5), (5, 6)]
    series.values[2] = np.nan
    assert ranges(observed(split(series, 3))) == [(0, 3), (2, 5), (3, 6)]
    assert len(observed(split(series, 3).take([1]))) == 0


def test_blocks_hold_few_numbers_and_all_windows_in_turn(monkeypatch):
    monkeypatch.setattr(_windows, "MAX_VALUES", 40)
    windows = split(make_series(23, n_features=2), 5)
    found = list(blocks(windows))
    assert [len(block) for block in found] == [4, 4, 4, 4, 3]
    assert np.concatenate([block.starts for block in found]).tolist() == windows.starts.tolist()
    assert list(blocks(windows.take([]))) == []


def test_blocks_may_be_told_to_be_smaller():
    windows = split(make_series(23), 5)
    assert [len(block) for block in blocks(windows, 1)] == [1] * 19
    assert [len(block) for block in blocks(windows, 10)] == [10, 9]


def test_blocks_of_windows_larger_than_a_block_are_single_windows(monkeypatch):
    monkeypatch.setattr(_windows, "MAX_VALUES", 3)
    assert [len(block) for block in blocks(split(make_series(7), 5))] == [1, 1, 1]
