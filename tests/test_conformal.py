"""Training sequences calibrate as fresh ones would: each is judged by others, copies and odd ones.

Also p-values, which rest on the same scores, and the warning of drift.
"""

import numpy as np
import pytest
from conftest import QUICK, exactly, fitted, make_ragged, make_waves
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.stats import trim_mean

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector
from skl_lstmae.scoring import JointScorer, MahalanobisScorer, NeighborsScorer
from skl_lstmae.scoring.calibration import ReferenceScores
from skl_lstmae.scoring.conformal import (
    N_FOLDS,
    are_copies,
    as_fresh,
    conform,
    cross_scores,
    find_copies,
    find_odd,
    oddness,
)

RNG = np.random.default_rng
RATE = 0.05
CONFTEST = fitted.__code__.co_filename

NORMAL = make_waves(60, seed=1)
FRESH = make_waves(600, seed=5)
FAULTS = FRESH[:100].copy()
FAULTS[:, 8:12] += 3


@pytest.fixture(params=[LSTMAutoencoderDetector, LSTMForecastDetector], ids=["autoenc", "forecast"])
def detector(request):
    small = {"hidden_size": 8, "max_epochs": 8}
    return request.param(**QUICK | small | {"false_alarm_rate": RATE})


def of_name(law):
    return law.dist.name


def share_of_flagged(detector, X):
    return np.mean(detector.decision_function(X) < 0)


def points(n, seed=0):
    """Return summaries for a scorer of neighbours, (n, 6)."""
    return RNG(seed).normal(size=(n, 6))


# ------------------------------------------------------------------------------- judged by others


@pytest.mark.parametrize("scorer", [NeighborsScorer(), MahalanobisScorer()], ids=str)
def test_a_fold_is_judged_by_the_others_alone(scorer):
    rows = points(50)
    folds = np.arange(50) % N_FOLDS
    scores = cross_scores(scorer, rows, folds)
    for fold in (0, 9):
        others = type(scorer)().fit(rows[folds != fold])
        assert_array_equal(scores[folds == fold], others.score(rows[folds == fold]))


@pytest.mark.parametrize("scorer", [NeighborsScorer(), MahalanobisScorer()], ids=str)
@pytest.mark.parametrize("n", [30, 300, 1500])
def test_conformed_scores_are_like_those_of_fresh_rows(scorer, n):
    rates = []
    for seed in range(20):
        rows, fresh = np.split(points(n + 1000, seed), [n])
        conformed = conform(scorer, rows, np.zeros(n, dtype=bool))
        assert len(conformed.fresh) > 0.95 * n
        offset = ReferenceScores.of(conformed.fresh).false_alarm_offset(RATE)
        rates.append(np.mean(conformed.scorer.score(fresh) < offset))
    # Judged by a tenth less, a sequence scores lower than a fresh one, by little.
    assert 0.015 < np.mean(rates) < 0.06


def test_the_gap_to_held_out_scores_is_added_to_those_learned_from():
    scores = -RNG(0).gamma(4, size=200)
    was_held_out = np.arange(200) % 10 == 0
    scores[was_held_out] *= 2
    for sign in (1, 0):  # multiplied where none is positive, else shifted
        errors = np.log(-scores) if sign else -(scores + 10)
        learned, held_out = errors[~was_held_out], errors[was_held_out]
        gap = trim_mean(held_out, 0.2) - trim_mean(learned, 0.2) + np.std(learned) / np.sqrt(20)
        fresh = as_fresh(scores if sign else scores + 10, was_held_out, by_an_error_more=True)
        assert_allclose((np.log(-fresh) if sign else -fresh)[~was_held_out], learned + gap)
        assert_allclose((np.log(-fresh) if sign else -fresh)[was_held_out], held_out)


@pytest.mark.parametrize("is_held_out", [True, False])
def test_without_sequences_of_both_kinds_there_is_no_gap(is_held_out):
    scores = -RNG(0).gamma(4, size=20)
    assert_array_equal(as_fresh(scores, np.full(20, is_held_out), by_an_error_more=True), scores)


def test_held_out_scores_that_are_higher_raise_none():
    scores = -RNG(0).gamma(4, size=200)
    was_held_out = np.arange(200) < 100
    scores[was_held_out] /= 5
    fresh = as_fresh(scores, was_held_out, by_an_error_more=True)
    assert (fresh <= scores).all()
    assert_allclose(fresh[100:] / scores[100:], np.exp(np.std(np.log(-scores[100:])) / 10))


# -------------------------------------------------------- training sequences given to score_samples


def test_a_training_sequence_gets_the_score_that_it_would_have_as_a_fresh_one(detector):
    scores = fitted(detector, NORMAL).score_samples(NORMAL)
    calibrating = detector._judge.calibration.fresh
    if calibrating.n_scores == len(NORMAL):  # no two pass for copies
        assert_array_equal(np.sort(scores), calibrating.scores)
    assert np.isin(calibrating.scores, scores).all()
    is_flagged = np.mean(detector.predict(NORMAL) == -1)
    assert abs(is_flagged - RATE) < 0.03


@pytest.mark.parametrize("size", [0, 1e-6])
def test_noise_of_a_millionth_changes_the_score_of_a_training_sequence_by_little(detector, size):
    scores = fitted(detector, NORMAL).score_samples(NORMAL)
    noise = size * RNG(0).normal(size=NORMAL.shape)
    rtol = 100 * size  # it falls from wholly itself to not at all within a tenth of the distance
    assert_allclose(detector.score_samples(NORMAL + noise), scores, rtol=rtol)


# ------------------------------------------------------------------------------------------ copies

COPIES = {
    "twice": np.repeat(NORMAL, 2, axis=0),
    "five times": np.repeat(NORMAL, 5, axis=0),
    "noise of 5 %": np.concatenate(
        [NORMAL, NORMAL + 0.05 * NORMAL.std() * RNG(0).normal(size=NORMAL.shape)]
    ),
    "bootstrap": NORMAL[RNG(0).integers(60, size=120)],
}


@pytest.mark.parametrize("copies", COPIES)
def test_copies_keep_the_rate_and_hide_no_fault(detector, copies):
    fitted(detector, COPIES[copies])
    assert share_of_flagged(detector, FRESH) < 2 * RATE
    assert np.mean(detector.score_samples(FAULTS) < detector.offset_) > 0.95
    assert 35 < detector._judge.calibration.fresh.n_scores <= 65  # each calibrates once


def test_copies_are_numbered_alike_however_slight_and_neighbours_are_not():
    rows = points(40)
    slight = rows[:10] + 1e-3 * points(10, seed=1)
    scorer = NeighborsScorer().fit(np.concatenate([rows, rows[:20], slight]))
    groups = find_copies(scorer, scorer.references_)
    assert_array_equal(groups[40:60], groups[:20])
    assert_array_equal(groups[60:], groups[:10])
    assert len(np.unique(groups)) == 40
    further = np.concatenate([rows[:5], points(5, seed=2)])
    assert are_copies(scorer, further).tolist() == [True] * 5 + [False] * 5


def test_a_scorer_without_distances_tells_no_copies():
    rows = np.repeat(points(20), 2, axis=0)
    scorer = MahalanobisScorer().fit(rows)
    assert_array_equal(find_copies(scorer, rows), np.arange(40))
    assert not are_copies(scorer, rows).any()


def test_copies_of_one_sequence_are_judged_by_none_of_them():
    rows = np.concatenate([points(60), points(60)])
    conformed = conform(NeighborsScorer(), rows, np.zeros(120, dtype=bool))
    assert len(conformed.fresh) == 60
    once = conform(NeighborsScorer(), rows[:60], np.zeros(60, dtype=bool))
    # Of three neighbours now two are alike, which are nearer on average, by less than half.
    assert 0.5 < np.mean(conformed.fresh) / np.mean(once.fresh) < 1


MANY_COPIES = {
    "ten times": np.repeat(NORMAL, 10, axis=0),
    "thirty times": np.repeat(NORMAL, 30, axis=0),  # more than there are references
    "jittered": np.repeat(NORMAL, 10, axis=0)
    + 0.005 * RNG(0).normal(size=(600, *NORMAL.shape[1:])),
    "bootstrap": NORMAL[RNG(0).integers(60, size=600)],
}


@pytest.mark.parametrize("copies", MANY_COPIES)
def test_however_many_copies_there_are_the_rate_is_kept(detector, copies):
    X = MANY_COPIES[copies]
    fitted(detector.set_params(max_epochs=1 + 3000 // len(X)), X)
    assert share_of_flagged(detector, FRESH) < 2 * RATE
    assert np.mean(detector.score_samples(FAULTS) < detector.offset_) > 0.95
    assert 55 < detector._judge.calibration.fresh.n_scores <= 65


WEIGHTS = {
    "tens": np.full(60, 10),
    "1 to 19": RNG(0).integers(1, 20, size=60),
    "some 30": np.where(np.arange(60) < 20, 30, 1),
}


@pytest.mark.parametrize("weights", WEIGHTS)
def test_large_weights_keep_the_rate(detector, weights):
    flagged = []
    for random_state in range(3):
        detector.set_params(max_epochs=5, random_state=random_state)
        fitted(detector, NORMAL, None, WEIGHTS[weights])
        flagged.append(share_of_flagged(detector, FRESH))
        assert np.mean(detector.score_samples(FAULTS) < detector.offset_) > 0.95
    assert np.mean(flagged) < 2 * RATE


@pytest.mark.parametrize("jitter", [0, 1e-3, 0.02])
@pytest.mark.parametrize("n_copies", [2, 9, 10, 50, 200])
def test_a_threshold_rests_on_as_many_scores_as_there_are_without_copies(n_copies, jitter):
    rates = []
    for seed in range(5):
        rows, fresh = np.split(points(1060, seed), [60])
        copies = np.repeat(rows, n_copies, axis=0)
        copies = RNG(seed).permutation(copies + jitter * points(len(copies), seed + 9))
        conformed = conform(NeighborsScorer(), copies, np.zeros(len(copies), dtype=bool))
        assert len(conformed.fresh) < 70
        offset = ReferenceScores.of(conformed.fresh).false_alarm_offset(RATE)
        rates.append(np.mean(conformed.scorer.score(fresh) < offset))
    assert np.mean(rates) < 1.5 * RATE


def kinds(n_kinds, n_each, spread):
    return np.repeat(points(n_kinds), n_each, axis=0) + spread * points(n_kinds * n_each, seed=1)


NO_COPIES = {
    "a line": np.linspace(0, 1, 600)[:, np.newaxis] ** np.arange(1, 4),
    "a random line": RNG(0).normal(size=(600, 1)) * np.ones(6),
    "a circle": np.stack([wave(np.linspace(0, 6.2, 600)) for wave in (np.sin, np.cos)], axis=1),
    "few tight kinds": kinds(8, 40, 0.01),
    "more tight kinds": kinds(20, 40, 0.01),
    "many loose kinds": kinds(20, 40, 0.1),
    "one that comes often": np.concatenate([points(570), np.zeros((30, 6))]),
    "one that comes mostly": np.concatenate([points(200), np.zeros((400, 6))]),
}


@pytest.mark.parametrize("name", NO_COPIES)
def test_neither_neighbours_nor_kinds_are_taken_for_many_copies(name):
    rows = RNG(0).permutation(NO_COPIES[name])
    sizes = np.bincount(find_copies(NeighborsScorer().fit(rows), rows))
    assert sizes.max() < 10


def test_sequences_beyond_the_references_are_no_copies_of_their_kind():
    rows = RNG(0).permutation(kinds(8, 150, 0.01))
    conformed = conform(NeighborsScorer(), rows, np.zeros(1200, dtype=bool))
    assert len(conformed.fresh) > 1100


# ------------------------------------------------------------------------------------ odd sequences

ODD = {
    "noise": 3 * RNG(1).normal(size=(4, *NORMAL.shape[1:])),
    "alike": make_waves(5, noise=0.01, seed=2) + 5,
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("odd", ODD)
def test_odd_sequences_are_set_aside_under_the_numbers_of_the_user(detector, odd):
    sequences = np.concatenate([ODD[odd], NORMAL])
    order = RNG(1).permutation(len(sequences))
    numbers = np.flatnonzero(order < len(ODD[odd]))
    named = ", ".join(map(str, numbers))
    with pytest.warns(
        UserWarning, match=rf"Set aside as unlike the others: sequences {named};"
    ) as record:
        detector.fit(sequences[order])
    assert {warning.filename for warning in record} == {__file__}
    scores = detector.score_samples(sequences[order])
    assert (scores[numbers] < detector.offset_).all()
    assert share_of_flagged(detector, FRESH) < 2 * RATE
    assert np.mean(detector.score_samples(FAULTS) < detector.offset_) > 0.95
    assert np.mean(detector.score_samples(ODD[odd] + 0.1) < detector.offset_) > 0.95


def test_what_is_normal_rests_on_the_others_alone():
    rows = np.concatenate([points(60), 20 + points(3, seed=1)])
    conformed = conform(NeighborsScorer(), rows, np.zeros(63, dtype=bool))
    assert_array_equal(np.flatnonzero(conformed.is_odd), [60, 61, 62])
    assert_array_equal(conformed.scorer.references_, rows[:60])
    clean = conform(NeighborsScorer(), rows[:60], np.zeros(60, dtype=bool))
    assert_array_equal(conformed.fresh, clean.fresh)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [make_waves, make_ragged], ids=["waves", "ragged"])
def test_of_clean_sequences_none_is_set_aside(detector, make, seed):
    fitted(detector, make(100, seed=seed))  # a warning would fail the test
    assert detector._judge.set_aside.tolist() == []


def test_distances_from_all_references_are_measured_for_few_sequences_at_a_time(monkeypatch):
    many = np.random.default_rng(0).normal(size=(3000, 3))
    scorer, sizes = NeighborsScorer().fit(many), []
    expected = np.concatenate([oddness(scorer, many[i : i + 1]) for i in range(3000)])
    measure = NeighborsScorer.distances_from_references

    def watched(self, summaries):
        sizes.append(len(summaries))
        return measure(self, summaries)

    monkeypatch.setattr(NeighborsScorer, "distances_from_references", watched)
    assert_array_equal(oddness(scorer, many), expected)
    assert sizes == [1024, 1024, 952]


@pytest.mark.parametrize("scorer", [NeighborsScorer(), MahalanobisScorer()], ids=str)
def test_no_more_than_a_tenth_is_odd(scorer):
    for n_odd, expected in [(0, 0), (9, 9), (40, 0)]:
        rows = np.concatenate([points(100 - n_odd), 20 + points(n_odd, seed=1)])
        if isinstance(scorer, MahalanobisScorer) and n_odd == 9:
            rows[91:] += 20 * RNG(2).normal(size=(9, 6))  # else a covariance takes them in
            expected = None
        is_odd = find_odd(oddness(scorer.fit(rows), rows))
        if expected is None:
            assert is_odd[91:].sum() > 0
            assert not is_odd[:91].any()
        else:
            assert is_odd.sum() == is_odd[100 - n_odd :].sum() == expected


OUTLINES = {"rough": ("outline",), "fine": ("fine_outline",)}


def outline_of(detector):
    return detector._judge.scorer.distances_[-1].fields


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [62, 64, 66, 68])
def test_folds_judge_as_all_do_where_outlines_come_to_be_fine(n, seed):
    phases = RNG(seed).uniform(0, 6, size=(n + 300, 1, 1)) + np.arange(3)
    waves = np.sin(phases + np.arange(40)[:, np.newaxis] / 3)
    waves += 0.1 * RNG(seed + 9).normal(size=waves.shape)
    detector = LSTMAutoencoderDetector(false_alarm_rate=0.1, random_state=seed)
    fitted(detector, waves[:n])
    assert outline_of(detector) == OUTLINES["rough" if n < 64 else "fine"]
    assert share_of_flagged(detector, waves[n:]) < 0.2


def test_one_length_among_many_and_later_sequences_change_no_outline():
    waves = list(make_waves(70, n_timesteps=40))
    few = LSTMAutoencoderDetector(max_epochs=1, random_state=0).fit(waves[:60])
    assert outline_of(few.partial_fit(waves[60:])) == OUTLINES["rough"]
    one_of_another_length = [waves[0][:39], *waves[1:]]
    many = LSTMAutoencoderDetector(max_epochs=1, random_state=0).fit(one_of_another_length)
    assert outline_of(many) == OUTLINES["fine"]
    unlike = [wave[: 40 - i % 5] for i, wave in enumerate(waves)]
    assert outline_of(many.fit(unlike)) == OUTLINES["rough"]


def test_hardly_any_of_a_long_tail_are_odd_but_what_lies_apart_from_it_is():
    tails = [np.exp(RNG(seed).gamma(2, size=600)) for seed in range(40)]
    assert np.mean([find_odd(tail) for tail in tails]) < 1 / 2000
    for tail in tails:
        apart = np.exp(RNG(0).uniform(20, 22, size=40))
        assert find_odd(np.r_[apart, tail])[:40].all()


@pytest.mark.parametrize("values", [np.zeros(20), np.ones(20), -np.ones(20), np.arange(20.0)])
def test_where_nothing_stands_out_nothing_is_odd(values):
    assert not find_odd(values).any()


def test_flat_sequences_set_nothing_aside_that_is_alike(detector):
    fitted(detector, np.ones((30, 12, 2)))
    assert detector._judge.set_aside.tolist() == []
    assert share_of_flagged(detector, np.ones((9, 12, 2))) == 0


def test_joint_distances_from_single_references_are_those_of_its_neighbours():
    fields = [("latent", 2), ("log_error", 2), ("bias", 2), ("peak", 2), ("outline", 16)]
    fields += [("error_outline", 16), ("fine_outline", 64), ("n_timesteps", 1)]
    layout = [(name, np.float32, (width,)) for name, width in fields]
    rows = np.empty(30, dtype=layout)
    for name, width in fields:
        rows[name] = RNG(width).normal(size=(30, width))
    scorer = JointScorer().fit(rows)
    distances = scorer.distances_from_references(rows)
    assert distances.shape == (30, 30)
    assert_array_equal(distances.argmin(axis=1), np.arange(30))
    assert_allclose(np.diag(distances), 1e-3, rtol=1e-3)
    assert_allclose(distances, distances.T, rtol=1e-5)


# ---------------------------------------------------------------------------------------- p-values


@pytest.mark.parametrize("law", [stats.norm(), stats.gamma(4), stats.uniform()], ids=of_name)
@pytest.mark.parametrize("n", [20, 99, 4000])
def test_p_values_of_fresh_normal_samples_are_uniform(law, n):
    rng, n_trials = RNG(0), 400
    levels = np.array([0.01, 0.05, 0.1, 0.3, 0.9])
    below = np.zeros(len(levels))
    for _ in range(n_trials):
        references = ReferenceScores.of(law.rvs(size=n, random_state=rng))
        p_values = references.p_values(law.rvs(size=200, random_state=rng))
        assert (p_values > 0).all()
        assert (p_values <= 1).all()
        below += np.mean(p_values[:, np.newaxis] <= levels, axis=0) / n_trials
    exact = np.floor(levels * (n + 1)) / (n + 1)
    is_exact = levels * (n + 1) >= 1
    error = 4 * np.sqrt(levels * (1 - levels) * (1 / n + 1 / 200) / n_trials)
    assert (np.abs(below - exact) < error)[is_exact].all()
    assert (below <= levels + error).all()


@pytest.mark.parametrize("n", [5, 60, 99, 999, 5000])
@pytest.mark.parametrize("rate", [0.3, 0.1, 0.07, 0.01, 1e-3, 1e-5])
def test_p_values_say_the_same_as_the_offset(n, rate):
    rng = RNG(n)
    scores = -rng.gamma(4, size=n)
    references = ReferenceScores.of(scores)
    offset = references.false_alarm_offset(rate)
    near = offset * (1 + np.array([-1e-9, 1e-9]))
    fresh = np.concatenate([scores, -rng.gamma(4, size=500), np.linspace(-40, 0, 500), near])
    assert_array_equal(references.p_values(fresh) <= rate, fresh < offset)


@pytest.mark.parametrize("n_independent", [4, 18, 60])
@pytest.mark.parametrize("rate", [0.3, 0.1, 0.05, 0.04, 0.01, 1e-3])
@pytest.mark.parametrize("sign", [1, -1], ids=["shifted", "multiplied"])
def test_p_values_say_the_same_as_an_offset_that_learned_scores_lend(n_independent, rate, sign):
    rng = RNG(n_independent)
    learned = ReferenceScores.of(sign * 5 - rng.gamma(4, size=500))
    few = ReferenceScores.of(sign * 5 - 1.3 * rng.gamma(4, size=60), n_independent)
    offset = few.false_alarm_offset(rate, learned)
    near = offset + abs(offset) * np.array([-1e-9, 1e-9])
    fresh = np.concatenate([few.scores, np.linspace(-60, 5, 999), near])
    assert_array_equal(few.p_values(fresh, learned) <= rate, fresh < offset)


def test_p_values_fall_with_the_score_and_go_on_below_all_references():
    references = ReferenceScores.of(-RNG(0).gamma(4, size=50))
    p_values = references.p_values(np.linspace(-60, 0, 400))
    assert (np.diff(p_values) >= 0).all()
    assert p_values[0] < 1e-3 < 1 / 51 < p_values[-1] == 1


def test_p_values_of_a_detector_agree_with_its_labels(detector):
    fitted(detector, NORMAL)
    for rate in (0.2, 0.05, 0.01):  # on both sides of 1 / 61
        detector.recalibrate(false_alarm_rate=rate)
        X = np.concatenate([FRESH, FAULTS[:60]])
        assert_array_equal(detector.p_values(X) <= rate, detector.predict(X) == -1)
    few = FRESH[:8]
    for rate in (0.2, 0.05, 0.01):  # on both sides of 1 / 9
        detector.recalibrate(few, false_alarm_rate=rate)
        assert_array_equal(detector.p_values(X) <= rate, detector.predict(X) == -1)


@pytest.mark.skipif(not hasattr(stats, "false_discovery_control"), reason="since scipy 1.11")
def test_p_values_find_false_discoveries(detector):
    p_values = fitted(detector, NORMAL).p_values(np.concatenate([FRESH, FAULTS[:60]]))
    is_discovered = stats.false_discovery_control(p_values) <= 0.1
    assert is_discovered[600:].mean() > 0.9
    assert is_discovered[:600].sum() < 0.25 * is_discovered.sum()


# ------------------------------------------------------------------------------------------- drift

SENTENCE = (
    r"^\d+% of the samples of X score lower than all but 5% of those that the threshold rests on: "
    "what is normal has drifted, or X holds mostly anomalies. If they are normal, call recalibrate "
    "with recent normal samples, or fit again.$"
)


@pytest.mark.parametrize("method", ["predict", "decision_function", "p_values"])
def test_drifted_samples_are_met_with_a_warning_until_they_are_calibrated_on(detector, method):
    drifted = 1.5 * FRESH[:200]
    judge = getattr(fitted(detector, NORMAL), method)
    with pytest.warns(UserWarning, match=SENTENCE) as record:
        judge(drifted[:100])
    assert record[0].filename == __file__
    detector.recalibrate(drifted[100:])
    getattr(detector, method)(drifted[:100])


def test_a_number_instead_of_samples_is_refused(detector):
    fitted(detector, NORMAL)
    offset = detector.offset_
    sentence = (
        "X is a number, 0.05; expected samples for the threshold to rest on: to change the rate, "
        "pass it as false_alarm_rate."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        detector.recalibrate(0.05)
    assert detector.offset_ == offset


def test_samples_that_lower_the_threshold_far_are_met_with_a_warning(detector):
    fitted(detector, NORMAL)
    offset = detector.offset_
    sentence = (
        r"^offset_ falls to -[\d.]+, where the samples of the fit gave {:.3g}: anomalies that "
        "score between the two pass from now on. If what is normal has changed for good, fit again "
        "with samples from after the change as well.$"
    )
    for _ in "first", "second":  # which is compared with the fit again
        with pytest.warns(UserWarning, match=sentence.format(offset)) as record:
            detector.recalibrate(FRESH[:200] + 5)
        assert record[0].filename == __file__
        assert detector.offset_ < 5 * offset
    detector.recalibrate(contamination=0.1)
    detector.recalibrate(FRESH[:200] + 5)  # which are said to hold anomalies
    with pytest.warns(UserWarning, match=sentence.format(offset)):
        detector.recalibrate(FRESH[:200] + 5, contamination="auto")
    detector.recalibrate(FRESH[:200])
    detector.recalibrate(false_alarm_rate=1e-6)  # which lowers it for no other samples


def test_few_anomalies_or_few_samples_are_no_drift(detector):
    fitted(detector, NORMAL)
    faults = np.repeat(FAULTS[:10], 10, axis=0)
    detector.predict(FRESH[:100])
    detector.predict(np.concatenate([faults[:48], FRESH[100:152]]))
    detector.predict(faults[:99])
    with pytest.warns(UserWarning, match=SENTENCE):
        detector.predict(faults)
    detector.score_samples(FAULTS)
