"""What gaps cost normal windows, and how scores are raised by it."""

import numpy as np
import pytest
from conftest import make_series
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstmae.data.gaps import count_empty, without_steps
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
        return -1.0 - count_empty(windows)


@pytest.mark.parametrize(
    ("whole", "without", "expected"),
    [
        # Errors are 4 times, and 8 times, as large: logarithms are in between.
        ([-1.0], {2: [-4.0], 4: [-8.0]}, [-8.0, -4.0, -2.0, -8 / 32**0.5, -1.0, -1.0]),
        # Scores that may be positive are shifted.
        ([1.0], {2: [-3.0], 4: [-7.0]}, [-8.0, -6.0, -4.0, -2.0, 0.0, 0.0]),
        # What costs nothing is allowed nothing for, and more steps no less.
        ([-1.0], {2: [-0.5], 4: [-0.5]}, [-8.0] * 6),
        ([-1.0], {2: [-4.0], 4: [-2.0]}, [-8.0, -4.0, -2.0, -2.0, -2.0, -2.0]),
    ],
)
def test_scores_are_raised_by_what_as_many_steps_cost(whole, without, expected):
    without = {n: np.array(scores) for n, scores in without.items()}
    allowance = GapAllowance.of(np.array(whole), without)
    raised = allowance.raised(np.full(6, -8.0), np.array([0, 1, 2, 3, 4, 9]))
    assert_allclose(raised, expected)
    assert raised[0] == -8.0  # to the last bit


def test_allowance_is_for_most_of_the_windows():
    losses = np.arange(101.0)
    allowance = GapAllowance.of(np.full(101, 1.0), {1: 1.0 - losses})
    assert allowance.losses.tolist() == [0.0, 100 * QUANTILE]


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


def test_a_trial_takes_whole_windows_alone():
    trial = GapTrial(20)
    windows = make_windows()
    windows.values[25] = np.nan
    is_whole = count_empty(windows) == 0
    assert 0 < is_whole.sum() < len(windows)
    judge = EmptySteps()
    trial.try_some(judge, windows, judge.score(windows))
    allowance = trial.allowance()
    assert allowance.n_empty.tolist() == [0, 1, 2, 4, 7, 10]
    assert_allclose(allowance.losses, np.log(1.0 + allowance.n_empty))


def test_without_a_whole_window_there_is_no_allowance():
    trial, judge = GapTrial(20), EmptySteps()
    windows = make_windows()
    windows.values[::10] = np.nan
    trial.try_some(judge, windows, judge.score(windows))
    assert trial.allowance() is None
    trial = GapTrial(1)
    trial.try_some(judge, make_windows(size=1), np.full(60, -1.0))
    assert trial.allowance() is None
