"""What gaps cost normal windows, and how scores are raised by it."""

import numpy as np
import pytest
from conftest import make_series
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstmae.data.gaps import Gaps, without_steps
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import slide
from skl_lstmae.detectors.gap_trial import GapTrial
from skl_lstmae.scoring.gap_allowance import QUANTILE, GapAllowance


def make_windows(n_rows=60, size=20):
    series = Sequences(make_series(n_rows), np.array([0]), np.array([n_rows]))
    return slide(series, size)


class EmptySteps:
    """Scores a window by its steps without data, and by its first value."""

    def score(self, windows, *, one_by_one=False):
        return -1.0 - Gaps.of(windows.values).count(windows)


@pytest.mark.parametrize(
    ("whole", "without", "by_factors", "expected"),
    [
        # Errors are 4 times, and 8 times, as large: logarithms are in between.
        ([-1.0], {2: [-4.0], 4: [-8.0]}, True, [-8.0, -4.0, -2.0, -8 / 32**0.5, -1.0, -1.0]),
        # Scores that may be positive are shifted.
        ([1.0], {2: [-3.0], 4: [-7.0]}, False, [-8.0, -6.0, -4.0, -2.0, 0.0, 0.0]),
        # What costs nothing is allowed nothing for, and more steps no less.
        ([-1.0], {2: [-0.5], 4: [-0.5]}, True, [-8.0] * 6),
        ([-1.0], {2: [-4.0], 4: [-2.0]}, True, [-8.0, -4.0, -2.0, -2.0, -2.0, -2.0]),
    ],
)
def test_scores_are_raised_by_what_as_many_steps_cost(whole, without, by_factors, expected):
    without = {n: np.array(scores) for n, scores in without.items()}
    allowance = GapAllowance.of(np.array(whole), without, by_factors)
    raised = allowance.raised(np.full(6, -8.0), np.array([0, 1, 2, 3, 4, 9]))
    assert_allclose(raised, expected)
    assert raised[0] == -8.0  # to the last bit
    positive = np.array([5.0])
    assert (allowance.raised(positive, np.array([2])) >= positive).all()


def test_allowance_is_for_most_of_the_windows():
    losses = np.arange(101.0)
    allowance = GapAllowance.of(np.full(101, 1.0), {1: 1.0 - losses}, by_factors=False)
    assert allowance.losses.tolist() == [0.0, 100 * QUANTILE]


def test_windows_of_tiny_errors_need_no_allowance():
    whole = np.array([*[-1e-5] * 70, *[-1.0] * 30])
    without = {1: np.where(whole == -1.0, whole, 1000 * whole), 2: np.full(100, -0.1)}
    assert GapAllowance.of(whole, without).losses.tolist() == [0.0, 0.0, 0.0]
    allowance = GapAllowance.of(whole, {1: 2 * np.minimum(whole, -1.0)})
    assert_allclose(allowance.losses, [0.0, np.log(2)])


@pytest.mark.parametrize("n_steps", [1, 7, 20])
def test_steps_are_left_out_of_copies_at_places_all_over_the_window(n_steps):
    windows = make_windows()
    before = windows.values.copy()
    n = len(windows)
    left = without_steps(windows, [2, n_steps]).take(np.arange(n, 2 * n)).gathered()
    assert_array_equal(windows.values, before)
    is_missing = np.isnan(left.values).all(axis=1).reshape(n, 20)
    assert (is_missing.sum(axis=1) == n_steps).all()
    firsts = is_missing.argmax(axis=1)
    assert (firsts[0], firsts[-1]) == (0, 20 - n_steps)
    assert (np.diff(np.flatnonzero(is_missing[5])) == 1).all()
    whole = windows.values[windows.rows()]
    is_kept = ~np.isnan(left.values)
    assert_array_equal(left.values[is_kept], whole[is_kept])


def tried(judge, windows, *parts):
    n_empty = Gaps.of(windows.values).count(windows)
    trial, scores = GapTrial(windows, n_empty), judge.score(windows)
    for part in parts:
        trial.try_some(judge, np.array(part, dtype=int), scores)
    return trial.allowance(by_factors=True)


def test_a_trial_learns_what_steps_left_out_cost():
    allowance = tried(EmptySteps(), make_windows(), range(41))
    assert allowance.n_empty.tolist() == [0, 1, 2, 4, 7, 10]
    assert_allclose(allowance.losses, np.log(1.0 + allowance.n_empty))


def test_a_single_part_that_has_whole_windows_is_enough():
    windows = make_windows()
    windows.values[:20] = np.nan  # of which the first 20 windows have some
    holed, whole = range(20), range(20, 41)
    assert tried(EmptySteps(), windows, [], holed, whole, holed) is not None
    assert tried(EmptySteps(), windows, [], holed) is None
    assert tried(EmptySteps(), make_windows(size=1), range(60)) is None


class NoMissing(EmptySteps):
    """Refuses missing values, as a scorer or detector of the user's own may."""

    def score(self, windows, *, one_by_one=False):
        if np.isnan(windows.values).any():
            raise KeyError("nan")
        return super().score(windows)


class Spreading(EmptySteps):
    """Scores what holds a missing value as missing."""

    def score(self, windows, *, one_by_one=False):
        return np.where(np.isnan(windows.values).any(), np.nan, super().score(windows))


@pytest.mark.parametrize("judge", [NoMissing(), Spreading()])
def test_where_a_judge_knows_no_missing_values_there_is_no_allowance(judge):
    assert tried(judge, make_windows(), *[range(41)] * 9) is None
