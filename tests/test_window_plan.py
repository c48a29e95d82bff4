"""How the rows of long series are divided; test_sliding.py has what a detector makes of it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstmae.data.gaps import Gaps
from skl_lstmae.data.reading import read_series
from skl_lstmae.detectors.row_calibration import odd_rows
from skl_lstmae.detectors.window_judge import LearnedWindows
from skl_lstmae.detectors.window_plan import plan_windows

SERIES, _ = read_series(np.arange(100.0).reshape(-1, 1))


def plan(held_out_share, X=SERIES, stride=5):
    rule = {"size": 10, "stride": stride, "training_stride": 2, "names": ()}
    return plan_windows(X, Gaps.of(X.values), held_out_share=held_out_share, **rule)


def test_rows_are_learned_from_left_as_a_gap_or_held_out():
    parts = plan(0.2)
    assert_array_equal(parts.training.rows(), np.arange(70))
    assert_array_equal(parts.held_out.rows(), np.arange(80, 100))  # behind a gap of one window
    split = parts.split
    assert (len(split.training), split.n_per_epoch, len(split.held_out)) == (61, 31, 6)
    assert_array_equal(parts.calibrating.rows(), np.delete(np.arange(100), np.arange(70, 80)))
    assert_array_equal(parts.judged.starts, np.arange(0, 91, 5))
    assert_array_equal(parts.judged.starts[parts.was_held_out], [80, 85, 90])
    assert_array_equal(parts.references.starts, np.arange(91))


def test_without_a_share_all_rows_are_learned_from():
    parts = plan(0.0)
    assert_array_equal(parts.training.rows(), np.arange(100))
    assert (len(parts.held_out), len(parts.split.held_out), parts.was_held_out.any()) == (0, 0, 0)


def test_windows_without_data_neither_refer_nor_are_judged():
    gappy = SERIES.values[:].copy()
    gappy[20:40] = np.nan
    parts = plan(0.0, read_series(gappy)[0])
    assert_array_equal(parts.windows.starts, np.arange(0, 91, 5))
    assert_array_equal(parts.judged.starts, [*range(0, 20, 5), *range(35, 91, 5)])
    assert not set(parts.references.starts) & set(range(16, 35))


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ([], []),
        ([30], range(30, 40)),
        ([30, 31], range(30, 41)),
        (range(0, 900, 15), []),  # fewer than a tenth of the windows, but two rows in three
        (range(0, 900, 5), []),
    ],
)
def test_rows_of_windows_of_odd_scores_are_odd_unless_they_are_all_over_the_series(odd, expected):
    parts = plan(0.0, read_series(np.zeros((950, 1)))[0], stride=1)
    scores = -np.random.default_rng(0).uniform(1, 2, size=len(parts.judged))
    scores[list(odd)] *= 1000
    of_references = np.zeros(len(parts.references), dtype=bool)
    learned = LearnedWindows(None, scores, of_references)
    assert_array_equal(odd_rows(parts, learned), list(expected))
    of_references[:3] = True
    assert_array_equal(odd_rows(parts, learned), sorted({*range(12), *expected}))
