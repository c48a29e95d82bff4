"""The measures that the benchmark of decisions takes, on alarms whose worth is known."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.neighbors import LocalOutlierFactor

from benchmarks.decisions.gaps import LONGEST, faulty, holed
from benchmarks.decisions.nab import corpus_score
from benchmarks.decisions.processes import KINDS, simulate
from benchmarks.decisions.rules import contamination, dspot, rolling
from benchmarks.decisions.series import count, onsets, stream_alarms
from skl_lstmae import SlidingWindowDetector


def flags_at(n_rows, *rows):
    flags = np.zeros(n_rows, dtype=bool)
    flags[list(rows)] = True
    return flags


def test_the_best_alarms_have_100_and_none_have_0_by_nab():
    windows = [(50, 99), (200, 249)]
    assert corpus_score([([50, 200], windows, 400)]) == pytest.approx(100)
    assert corpus_score([([], windows, 400)]) == pytest.approx(0)
    late, none = corpus_score([([99, 200], windows, 400)]), corpus_score([([200], windows, 400)])
    assert none < late < 100


def test_alarms_outside_of_windows_cost_the_less_the_nearer_they_follow_one():
    windows = [(50, 99)]
    best, soon, far, before = (
        corpus_score([(alarms, windows, 1000)]) for alarms in ([50], [50, 101], [50, 700], [10, 50])
    )
    assert best > soon > far == before
    assert far == pytest.approx(100 - 100 * 0.11 / 2)
    assert corpus_score([([50], windows, 1000), ([5], [], 100)]) == pytest.approx(far)


def test_an_alarm_holds_for_a_window():
    assert onsets(flags_at(100, 3, 4, 10, 13, 14, 40), size=10) == [3, 40]


def test_rows_beside_an_anomaly_do_not_count_as_normal_ones():
    is_anomaly = flags_at(200, *range(100, 110))
    counts = count(flags_at(200, 5, 95, 104), is_anomaly, size=10)
    assert (counts["false"], counts["n_normal"]) == (1, 170)
    assert (counts["true"], counts["n_anomalous"]) == (1, 10)
    assert (counts["found"], counts["n_events"]) == (1, 1)
    assert counts["by_chance"] < 0.5


def test_simple_rules_look_at_what_came_before():
    trained, scores = np.linspace(-1, 0, 101), np.array([-2.0, -0.5, -2.0, -3.0])
    assert_array_equal(contamination(trained, scores, 5), scores < -0.99)
    later = np.array([-2.0, -0.5, 7.0, 7.0])
    assert_array_equal(rolling(trained, scores, 5)[:2], rolling(trained, later, 5)[:2])
    assert rolling(trained, scores, 5)[[0, 1, 3]].tolist() == [True, False, True]


def test_dspot_keeps_the_rate_on_noise_and_follows_its_mean():
    noise = np.random.default_rng(0).normal(size=22_000)
    scores = noise - np.linspace(0, 20, len(noise))
    flags = dspot(scores[:2000], scores[2000:], size=10)
    assert 0.005 < flags.mean() < 0.03  # what it flags never becomes a part of the tail
    scores[12_000:12_010] -= 8
    assert dspot(scores[:2000], scores[2000:], size=10)[10_000:10_010].all()


def test_alarms_of_streams_are_those_of_their_labels():
    X = np.random.default_rng(0).normal(size=(700, 2))
    X[600:605] += 4
    inner = LocalOutlierFactor(novelty=True)
    detector = SlidingWindowDetector(inner, window_size=5).fit(X[:500])
    stream, scores = detector.stream(), detector.stream().push(X[495:])
    stream.push(X[495:500])
    expected = stream.predict(X[500:]) == -1
    assert expected.any()
    assert_array_equal(stream_alarms(detector, scores), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_processes_are_stationary(kind):
    halves = np.split(simulate(kind, 20_000, seed=0)[:, 0], 2)
    means, deviations = zip(*((half.mean(), half.std()) for half in halves), strict=True)
    assert np.abs(np.diff(means)) < 0.2 * max(deviations)
    assert deviations[0] == pytest.approx(deviations[1], rel=0.1)


@pytest.mark.parametrize("apart", [30, 300])
def test_gaps_are_as_long_and_as_far_apart_as_told(apart):
    X = simulate("ar", 20_000, seed=0)
    holes = np.isnan(holed(X, apart, seed=0)[:, 0]).astype(int)
    starts, ends = (np.flatnonzero(np.diff(holes) == step) for step in (1, -1))
    lengths, distances = ends[: len(starts) - 1] - starts[:-1], starts[1:] - ends[: len(starts) - 1]
    assert (lengths.min(), lengths.max()) == (1, LONGEST)
    assert apart // 2 <= distances.min() < apart < distances.max() <= 1.5 * apart
    assert_array_equal(holed(X, None, seed=0), X)


def test_a_fault_shifts_the_level_by_three_deviations():
    X = simulate("heavy", 3000, seed=0)
    shifted, is_fault = faulty(X)
    assert is_fault.sum() == 150
    assert_array_equal(shifted[~is_fault], X[~is_fault])
    np.testing.assert_allclose((shifted - X)[is_fault], 3 * X.std())
