"""Offsets from reference scores, and scores of several samples as those of one."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import stats

from skl_lstmae.scoring.calibration import MAX_LATEST, MAX_STORED, ReferenceScores

RNG = np.random.default_rng

DISTANCES = [stats.norm(10), stats.gamma(4), stats.lognorm(0.5), stats.chi(16)]
of_distances = pytest.mark.parametrize("distances", DISTANCES, ids=lambda law: law.dist.name)


def realised_rate(distances, n_scores, rate, n_trials):
    """Mean probability that minus a fresh distance is flagged, over draws of the references."""
    rng = RNG(0)
    offsets = [
        ReferenceScores.of(-distances.rvs(n_scores, random_state=rng)).false_alarm_offset(rate)
        for _ in range(n_trials)
    ]
    return distances.sf(-np.array(offsets)).mean()


# -------------------------------------------------------------------------- enough reference scores


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.37, 0.5])
def test_contamination_is_the_percentile_that_isolation_forest_uses(contamination):
    scores = RNG(0).normal(size=501)
    offset = ReferenceScores.of(scores).contamination_offset(contamination)
    assert offset == pytest.approx(np.percentile(scores, 100 * contamination), rel=1e-12)


@pytest.mark.parametrize(("n_scores", "rank"), [(99, 0), (100, 0), (198, 0), (199, 1), (999, 9)])
def test_the_conformal_offset_is_an_order_statistic(n_scores, rank):
    scores = RNG(0).permutation(n_scores).astype(float)
    assert ReferenceScores.of(scores).false_alarm_offset(0.01) == rank


@pytest.mark.parametrize("distances", [stats.norm(), stats.cauchy(), stats.uniform()])
def test_the_conformal_rate_is_met_whatever_the_distribution(distances):
    # For continuous scores its expectation is floor(0.05 * 121) / 121 exactly.
    expected = 6 / 121
    standard_error = np.sqrt(expected * (1 - expected) / 122 / 2000)
    realised = realised_rate(distances, 120, 0.05, 2000)
    assert realised == pytest.approx(expected, abs=4 * standard_error)
    assert realised <= 0.05 + 4 * standard_error


def test_of_many_scores_a_bounded_number_is_kept_and_the_low_ones_exactly():
    scores = RNG(0).normal(size=50_000)
    reference = ReferenceScores.of(scores)
    assert len(reference.scores) == len(reference.ranks) == MAX_STORED
    for rate in (0.001, 0.01, 0.02):
        expected = np.sort(scores)[int(rate * 50_001) - 1]
        assert reference.false_alarm_offset(rate) == expected
    for contamination in (0.1, 0.5):
        expected = np.percentile(scores, 100 * contamination)
        assert reference.contamination_offset(contamination) == pytest.approx(expected, abs=1e-3)


# ------------------------------------------------------------------------------ too few to count on


@pytest.mark.parametrize("n_scores", [24, 50, 90])
@of_distances
def test_the_extrapolated_tail_keeps_near_the_rate_asked_for(distances, n_scores):
    assert 0.003 < realised_rate(distances, n_scores, 0.01, 400) < 0.0125


@pytest.mark.parametrize("n_scores", [2, 3, 10, 24])
def test_the_extrapolated_rate_of_exponential_scores_is_exact(n_scores):
    realised = realised_rate(stats.expon(), n_scores, 0.01, 20_000)
    assert realised == pytest.approx(0.01, rel=0.05)


def test_what_is_extrapolated_is_never_above_the_lowest_score():
    realised = realised_rate(stats.expon(), 90, 0.01, 20_000)  # the lowest alone has 1 / 91
    assert 0.007 < realised < 0.01
    scores = ReferenceScores.of(np.r_[-1.01, -np.ones(89), -np.full(10, 0.5)])
    assert scores.false_alarm_offset(0.009) <= -1.01


@pytest.mark.parametrize("n_scores", [4, 9, 18])
@of_distances
def test_scores_learned_from_lend_few_fresh_ones_their_shape(distances, n_scores):
    rng, rates, offsets, alone = RNG(0), [], [], []
    for _ in range(400):
        learned = ReferenceScores.of(-distances.rvs(200, random_state=rng))
        fresh = ReferenceScores.of(-1.3 * distances.rvs(n_scores, random_state=rng))
        offsets.append(fresh.false_alarm_offset(0.01, learned))
        alone.append(fresh.false_alarm_offset(0.01))
        rates.append(distances.sf(-offsets[-1] / 1.3))
    assert 0.003 < np.mean(rates) < 0.0125
    assert np.mean(offsets) > np.mean(alone)  # more anomalies are found


def test_scores_learned_from_are_made_as_low_as_fresh_ones():
    learned = ReferenceScores.of(np.array([-1.0, -2.0, -3.0]))
    fresh = ReferenceScores.of(np.array([-3.0, -5.0]))
    mean, error = -4.0, 2 * np.std([1, 2, 3]) / np.sqrt(2)
    assert learned.lowered(-2.0, fresh) == pytest.approx(mean - error)
    assert learned.lowered(-3.0, fresh) == pytest.approx(1.5 * (mean - error))
    positive = ReferenceScores.of(np.array([1.0, -2.0, 1.0]))  # is shifted
    assert positive.lowered(0.0, fresh) == pytest.approx(mean - np.std([1, -2, 1]) / np.sqrt(2))
    assert positive.lowered(1.0, fresh) - positive.lowered(-2.0, fresh) == 3.0
    perfect = ReferenceScores.of(np.array([0.0, -2.0, -4.0]))  # is multiplied too
    assert perfect.lowered(0.0, fresh) == 0
    drifted = ReferenceScores.of(np.repeat([-50.0, -1.0], 2000))  # the latest are not typical
    alike = ReferenceScores.of(np.full(10**4, -25.5))
    assert drifted.lowered(-50.0, alike) == pytest.approx(-50, rel=0.02)
    better = ReferenceScores.of(np.full(10**6, -0.1))
    assert learned.lowered(-2.0, better) == pytest.approx(-2, rel=1e-3)  # not raised


def test_scores_that_depend_on_their_neighbours_count_as_the_fewer():
    rng = RNG(0)
    learned = ReferenceScores.of(-rng.gamma(4, size=500))
    fresh = -np.repeat(rng.gamma(4, size=5), 40)  # five windows' worth of rows
    alike, independent = ReferenceScores.of(fresh, n_independent=5), ReferenceScores.of(fresh)
    assert (alike.n_independent, independent.n_independent) == (5, 200)
    assert independent.false_alarm_offset(0.01, learned) == fresh.min()
    assert alike.false_alarm_offset(0.01, learned) < fresh.min()
    assert alike.false_alarm_offset(0.3, learned) == independent.false_alarm_offset(0.3)
    assert alike.false_alarm_offset(0.01) == independent.false_alarm_offset(0.01)
    fewer = ReferenceScores.of(np.repeat(-rng.gamma(4, size=4), 100), n_independent=4)
    assert alike.false_alarm_offset(0.01, fewer) == alike.false_alarm_offset(0.01)


def test_what_learned_scores_lend_does_not_jump_once_fresh_ones_suffice():
    rng = RNG(0)
    learned = ReferenceScores.of(-rng.gamma(1, size=5000))
    rows = -np.r_[rng.gamma(1, size=940), 8 + rng.gamma(1, size=60)]  # one window of odd ones
    few, enough = (ReferenceScores.of(rows, n_independent=n) for n in (18.9, 19))
    assert learned.lowered(learned.false_alarm_offset(0.05), few) > np.sort(rows)[49]
    assert few.false_alarm_offset(0.05, learned) == np.sort(rows)[49]
    assert enough.false_alarm_offset(0.05, learned) == np.sort(rows)[49]


@pytest.mark.parametrize("learned", [None, ReferenceScores.of(RNG(1).normal(size=200))])
def test_the_offset_falls_with_the_rate_across_the_rules(learned):
    reference = ReferenceScores.of(RNG(0).normal(size=60))
    rates = (0.2, 0.05, 0.02, 0.01, 1e-3, 1e-5)
    offsets = [reference.false_alarm_offset(rate, learned) for rate in rates]
    assert offsets == sorted(set(offsets), reverse=True)


@pytest.mark.parametrize("n_scores", [1, 2, 50])
def test_scores_without_spread_are_themselves_the_offset_and_put_nothing_right(n_scores):
    reference = ReferenceScores.of(np.full(n_scores, -3.0))
    assert reference.false_alarm_offset(0.01) == -3.0
    assert reference.alone(np.array([-5.0, -3.0]), np.array([1, 9])).tolist() == [-5.0, -3.0]


# ----------------------------------------------------------------------------------------- in parts


@pytest.mark.parametrize("n_first", [5, 50_000])
def test_reference_scores_in_parts_are_the_latest(n_first):
    scores = RNG(0).normal(size=n_first + 2500)
    reference = first = ReferenceScores.of(scores[:n_first])
    for start, stop in [(0, 1), (1, 700), (700, 1020), (1020, 1100), (1100, 2500)]:
        reference = reference.updated(scores[n_first + start : n_first + stop])
        expected = ReferenceScores.of(scores[: n_first + stop][-MAX_LATEST:])
        assert_array_equal(reference.scores, expected.scores)
        assert reference.n_scores == expected.n_scores
    assert_array_equal(first.scores, ReferenceScores.of(scores[:n_first]).scores)  # left alone


# -------------------------------------------------------------------------------- several as one


@pytest.mark.parametrize("shape", [0.0, 0.3])
@pytest.mark.parametrize("n", [1, 3, 100])
def test_the_lowest_of_many_scores_is_as_rare_as_its_like_alone(shape, n):
    scores = stats.genpareto(shape, scale=3)
    reference = ReferenceScores.of(5 - scores.rvs(20_000, random_state=0))
    assert len(reference.scores) < reference.n_scores
    chances = np.array([1e-4, 1e-3])
    actual = 5 - reference.alone(5 - scores.isf(chances), np.full(2, n))
    assert actual == pytest.approx(scores.isf(n * chances), rel=0.1)


def test_tails_lighter_than_an_exponential_one_are_taken_for_that():
    reference = ReferenceScores.of(np.linspace(0, 1, 1001))
    threshold, mean_excess = 0.201, 0.101
    worst = np.array([-50.0, 0.0, threshold + 0.1])
    expected = worst + mean_excess * np.log([10, 2, 1])
    assert reference.alone(worst, np.array([10, 2, 1])) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 1000])
def test_worse_scores_stay_worse_however_many_there_are(n):
    worst = np.linspace(-1e4, 10, 100)
    for seed in range(20):
        reference = ReferenceScores.of(-np.abs(stats.cauchy.rvs(size=30, random_state=seed)))
        alone = reference.alone(worst, np.full(100, n))
        assert (np.diff(alone) > 0).all()
        assert (alone >= worst).all()
