"""Scores relative to those of the rows before."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_series
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import average_precision_score
from sklearn.neighbors import LocalOutlierFactor

from skl_lstmae import SlidingWindowDetector
from skl_lstmae.detectors.row_judge import relate
from skl_lstmae.scoring.recent import RecentLevel

rng = np.random.default_rng(0)
FACTORS = -np.exp(0.3 * rng.normal(size=2000))
DIFFERENCES = rng.normal(size=2000)


@pytest.fixture(params=[FACTORS, DIFFERENCES], ids=["factors", "differences"])
def scores(request):
    return request.param


@pytest.fixture
def level(scores):
    return RecentLevel.of(scores, weight=0.5, n_scores=50)


def fit(inner=None, **parameters):
    inner = inner or LocalOutlierFactor(novelty=True)
    detector = SlidingWindowDetector(inner, window_size=20, threshold="fixed", **parameters)
    return detector.fit(make_series(1500))


def test_the_level_is_an_exponentially_weighted_mean_of_the_rows_before(scores, level):
    errors = np.log(-scores) if scores is FACTORS else -scores
    before = np.append(level.start, errors[:-1])
    mean = pd.Series(before).ewm(alpha=1 / 50, adjust=False).mean()
    expected = errors - 0.5 * np.maximum(mean - level.start, 0)
    found = level.relative(scores)
    assert_allclose(np.log(-found) if scores is FACTORS else -found, expected)


def test_a_shift_of_all_scores_is_taken_from_them_by_the_weight(scores):
    low = scores * 20 if scores is FACTORS else scores - 20
    for weight, left in ((0, 1), (0.5, 0.5), (1, 0)):
        level = RecentLevel.of(scores, weight, n_scores=50)
        relative = level.relative(np.tile(low, 2))[-1000:]
        if scores is FACTORS:
            assert_allclose(np.median(-relative), 20**left, rtol=0.2)
        else:
            assert_allclose(np.median(-relative), 20 * left, atol=0.2)


def test_a_calm_stretch_makes_no_score_lower(scores, level):
    calm = scores / 20 if scores is FACTORS else scores + 20
    relative = level.relative(np.concatenate([calm, scores]))
    assert_array_equal(relative[: len(calm) + 5], np.concatenate([calm, scores[:5]]))
    assert (relative[len(calm) :] >= scores).all()


def test_in_a_series_that_drifts_an_anomaly_stands_out():
    X = make_series(900) * np.linspace(1, 3, 900)[:, np.newaxis]
    X[400:410] *= 1.5
    is_anomaly = np.zeros(900, dtype=bool)
    is_anomaly[395:415] = True
    related, alone = (
        average_precision_score(is_anomaly, -fit(relative_to_recent=weight).score_samples(X))
        for weight in (0.5, 0)
    )
    assert related > 0.9
    assert alone < 0.1


def test_without_it_a_row_depends_on_the_rows_of_its_windows_alone():
    X = make_series(400)
    changed = X.copy()
    changed[:100] += 5
    for weight, is_apart in ((0.5, False), (0, True)):
        detector = fit(relative_to_recent=weight)
        one, other = detector.score_samples(X)[150:], detector.score_samples(changed)[150:]
        assert np.array_equal(one, other) == is_apart


def test_series_beside_it_have_no_part_in_a_score():
    detector, X = fit(), make_series(400)
    alone = detector.score_samples(X)
    _, beside = detector.score_samples([X + 5, X])
    assert_array_equal(beside, alone)


def test_a_blackout_leaves_the_level_as_it_is(scores, level):
    worst = -1e9
    holed = np.insert(scores, 100, [worst] * 30)
    related = relate(level, holed, [len(holed)], worst)
    assert (related[100:130] == worst).all()
    expected = relate(level, scores, [len(scores)], worst)
    assert_array_equal(np.delete(related, np.s_[100:130]), expected)


def test_a_jump_of_time_leaves_the_level_as_it_is():
    detector = fit()
    X = pd.DataFrame(make_series(400) * 2, index=pd.date_range("2024", periods=400, freq="h"))
    jumped = X.drop(X.index[200:260])
    _, anew = detector.score_samples([X[:200].to_numpy(), X[260:].to_numpy()])
    gone_on = detector.score_samples(jumped)[200:]
    assert (gone_on > anew).mean() > 0.95


def test_a_stream_scores_single_windows_alone():
    X = make_series(400) * np.linspace(1, 3, 400)[:, np.newaxis]
    one, other = (fit(relative_to_recent=weight).stream().push(X) for weight in (0, 1))
    assert_array_equal(one, other)


@pytest.mark.parametrize("weight", [-0.1, 1.1, "all"])
def test_a_weight_that_is_no_share_is_refused(weight):
    with pytest.raises(ValueError, match="'relative_to_recent' parameter"):
        fit(relative_to_recent=weight)
