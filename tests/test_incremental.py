"""Learning goes on: warm starts, and partial_fit call by call."""

import copy
import pickle
import re
import warnings

import numpy as np
import pytest
from conftest import QUICK, exactly, fitted, make_ragged, make_waves
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, StandardScaler

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector
from skl_lstmae.scoring.calibration import ReferenceScores

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = [LSTMAutoencoderDetector, LSTMForecastDetector]
X = make_ragged(40, seed=9)
MORE = make_ragged(3, seed=1)
DIVERGING = {"learning_rate": 1e30, "clip_norm": None, "max_epochs": 50}


def make_stream():
    """Five calls' sequences, with gaps: many, one, one without its second feature, a few, many."""
    stream = [make_ragged(n, seed=seed) for seed, n in enumerate([20, 1, 1, 3, 20])]
    stream[0][0][3, 0] = stream[2][0][:, 1] = stream[3][1][2:5] = np.nan
    return stream


def make(kind=LSTMAutoencoderDetector, **parameters):
    return kind(**QUICK | {"learning_rate": 0.01, "max_epochs": 2} | parameters)


@pytest.fixture(params=KINDS, ids=["autoencoder", "forecaster"])
def kind(request):
    return request.param


@pytest.fixture
def detector(kind):
    return make(kind)


first_call = pytest.mark.parametrize("first", ["fit", "partial_fit"])


def assert_same_detector(one, other):
    assert one.loss_curve_ == other.loss_curve_
    assert_array_equal(one.score_samples(X), other.score_samples(X))
    assert one.offset_ == other.offset_


# --------------------------------------------------------------------------------------- warm_start


def test_a_warm_start_goes_on_with_the_weights(detector):
    detector.set_params(warm_start=True, early_stopping=True).fit(X)
    curves = detector.loss_curve_, detector.validation_loss_curve_
    mean = detector.scaler_.mean_
    detector.fit(X)
    assert detector.n_epochs_ == len(detector.validation_loss_curve_) == 4
    assert (detector.loss_curve_[:2], detector.validation_loss_curve_[:2]) == curves
    assert [len(curve) for curve in curves] == [2, 2]
    assert detector.loss_curve_[2] < detector.loss_curve_[0]
    assert_array_equal(detector.scaler_.mean_, mean)  # the same sequences are held out


def test_a_warm_start_learns_scaling_and_threshold_anew(kind):
    moved = [x + 100 for x in make_ragged(30, seed=1)]
    warm, cold = make(kind, warm_start=True).fit(X).fit(moved), make(kind).fit(moved)
    assert_array_equal(warm.scaler_.mean_, cold.scaler_.mean_)
    assert (warm.predict(moved) == 1).mean() > 0.9
    assert (warm.predict(X) == -1).all()


def test_curves_stay_parallel_whatever_epochs_are_validated(detector):
    detector.set_params(warm_start=True, early_stopping=True).partial_fit(X)
    assert detector.validation_loss_curve_ == []
    detector.fit(X).partial_fit(X)
    assert detector.n_epochs_ == 4
    assert detector.loss_curve_[2] < detector.loss_curve_[0]
    assert np.isnan(detector.validation_loss_curve_).tolist() == [True, False, False, True]
    detector.set_params(early_stopping=False).fit(X)
    assert np.isnan(detector.validation_loss_curve_).tolist() == [True, False, False] + [True] * 3


@first_call
def test_without_a_warm_start_and_in_its_first_fit_nothing_is_gone_on_from(kind, first):
    again, expected = make(kind), make(kind).fit(X)
    getattr(again, first)(make_ragged(20, n_features=5, seed=1))
    assert_same_detector(again.fit(X), expected)
    assert_same_detector(make(kind, warm_start=True).fit(X), expected)


WIDE = make_ragged(40, n_features=3)
OTHER_NETWORKS = {
    "latent_size=3, but latent_size=5": ({"latent_size": 5}, X),
    "hidden_size=[4], but hidden_size=[8, 8]": ({"hidden_size": [8, 8]}, X),
    "bottleneck='mean', but bottleneck='max'": ({"bottleneck": "max"}, X),
    "input_size=2, but input_size=3": ({}, WIDE),
}


@pytest.mark.parametrize("found", OTHER_NETWORKS)
def test_a_warm_start_with_another_network_changes_nothing(found):
    changes, sequences = OTHER_NETWORKS[found]
    detector = make(warm_start=True, latent_size=3).fit(X).set_params(**changes)
    state = dict(vars(detector))
    sentence = (
        f"Learning would go on with a network of {found} is asked for; fit with warm_start=False "
        "to start with a new one."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.fit(sequences)
    assert vars(detector) == state


def test_a_warm_start_may_change_what_shapes_no_weight():
    detector = make(warm_start=True).fit(X)
    detector.set_params(noise=0.1, dropout=0.2, teacher_forcing=0.9).fit(X)
    assert (detector.module_.noise, detector.n_epochs_) == (0.1, 4)


# ----------------------------------------------------------------------------- partial_fit: scaling


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()], ids=str)
@first_call
def test_running_statistics_of_the_scaler_are_those_of_all_rows(kind, scaler, first):
    stream = make_stream()
    # Then nothing is held out of fit.
    detector = make(kind, scaler=scaler, early_stopping=False, contamination=0.1)
    getattr(detector, first)(stream[0])
    for sequences in stream[1:]:
        detector.partial_fit(sequences)
    expected = scaler.fit(np.concatenate([x for sequences in stream for x in sequences]))
    for name in (name for name in vars(expected) if name.endswith("_")):
        assert_allclose(getattr(detector.scaler_, name), getattr(expected, name), rtol=1e-12)


@pytest.mark.parametrize("scaler", ["robust", PowerTransformer()], ids=str)
def test_a_scaler_that_cannot_learn_in_parts_leaves_no_partial_fit(kind, scaler):
    detector = make(kind, scaler=scaler).fit(X)
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as refusal:
        detector.partial_fit(X)
    assert str(refusal.value.__cause__) == (
        f"partial_fit needs a scaler that learns in parts, but {detector.scaler_!r} does not; use "
        "scaler='standard', 'minmax' or None."
    )
    # What counts is the fitted scaler.
    assert not hasattr(detector.set_params(scaler="standard"), "partial_fit")
    assert hasattr(detector.fit(X).set_params(scaler=scaler), "partial_fit")


# ------------------------------------------------------------------------------- partial_fit: state


def assert_usable(detector):
    """Use all that a fitted detector offers."""
    scores = detector.score_samples(X)
    assert np.isfinite([*scores, detector.offset_, detector.score(X)]).all()
    assert_array_equal(detector.predict(X), np.where(scores < detector.offset_, -1, 1))
    assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(X), scores)
    offsets = [
        copy.deepcopy(detector).recalibrate(contamination="auto", false_alarm_rate=rate).offset_
        for rate in (0.4, 0.1, 0.001)
    ]
    assert np.isfinite(offsets).all()
    assert offsets == sorted(offsets, reverse=True)


def worst_step(errors, latents):
    return np.array([-np.nanmax(sequence) for sequence in errors])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"scorer": "mahalanobis", "scaler": "minmax", "noise": 0.1},
        {"scorer": "error", "contamination": 0.1},
        {"scorer": "error_max", "scaler": None},
        {"scorer": worst_step, "hidden_size": (8, 4), "dropout": 0.2},
    ],
    ids=["defaults", "mahalanobis", "error", "error_max", "worst_step"],
)
@first_call
def test_after_every_call_the_detector_is_ready_for_use(kind, parameters, first):
    detector = make(kind, **parameters)
    for n_calls, sequences in enumerate(make_stream()):
        getattr(detector, "partial_fit" if n_calls else first)(sequences)
        assert_usable(detector)
        assert detector.n_epochs_ == n_calls + (2 if first == "fit" else 1)
        assert np.isfinite(detector.loss_curve_).all()
    assert detector.n_features_in_ == 2


def test_the_first_call_needs_five_sequences_and_the_others_one(detector):
    state = dict(vars(detector))
    message = "Found n_samples=4 sequence(s) in X while a minimum of 5 is required"
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.partial_fit(X[:4])
    assert vars(detector) == state
    assert detector.partial_fit(X[:5]).partial_fit(X[5:6]).n_epochs_ == 2


def worst_step_unless_far_off(errors, latents):
    scores = worst_step(errors, latents)
    return np.where(scores < -1000, np.nan, scores)


FAILURES = {
    "X has 3 features, but": ({}, WIDE),
    "sequence #0 holds infinity at step 0, feature 0": ({}, [np.full((5, 2), np.inf)]),
    "lower learning_rate, set clip_norm, or choose a scaler": (DIVERGING, [*X, *MORE]),
    "The scorer must return 1 finite scores for 1 sequences": ({}, [np.full((5, 2), 1e4)]),
    "The 'contamination' parameter": ({"contamination": 5.0}, X),
    "The 'false_alarm_rate' parameter": ({"false_alarm_rate": 7}, X),
    "The 'batch_size' parameter": ({"batch_size": 0}, X),
    "Learning would go on with a network of hidden_size=[4], but": ({"hidden_size": 5}, X),
    "Learning would go on with a network of output_activation=None, but": (
        {"output_activation": "sigmoid"},
        X,
    ),
}


@pytest.mark.parametrize("message", FAILURES)
@first_call
def test_a_call_that_fails_changes_nothing_and_leaves_no_trace(kind, first, message):
    changes, unfit = FAILURES[message]
    detector, expected = (make(kind, scorer=worst_step_unless_far_off) for _ in range(2))
    parameters = detector.get_params()
    for one in (detector, expected):
        getattr(one, first)(X)
    detector.set_params(**changes)
    state = dict(vars(detector))
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.partial_fit(unfit)
    assert vars(detector) == state
    detector.set_params(**parameters)
    assert_same_detector(detector.partial_fit(MORE), expected.partial_fit(MORE))


@pytest.mark.parametrize("scorer", ["joint", "neighbors", "mahalanobis"])
def test_a_call_that_fails_at_its_very_end_changes_nothing(kind, scorer, monkeypatch):
    detector = make(kind, scorer=scorer).partial_fit(X)
    scores, offset = detector.score_samples(X), detector.offset_
    monkeypatch.setattr(ReferenceScores, "false_alarm_offset", None)
    with pytest.raises(TypeError):
        detector.partial_fit(MORE)
    assert_array_equal(detector.score_samples(X), scores)
    assert (detector.offset_, detector.n_epochs_) == (offset, 1)


def test_decoding_knows_the_length_as_long_as_all_sequences_have_it():
    aligned = list(make_waves(n_timesteps=8))
    detector = make(latent_size=3).partial_fit(aligned).partial_fit(aligned[:1])
    assert [x.shape for x in detector.inverse_transform(np.zeros((2, 3)))] == [(8, 2)] * 2
    detector.partial_fit([x[:7] for x in aligned]).partial_fit(aligned)
    with pytest.raises(ValueError, match="must be told the lengths to decode"):
        detector.inverse_transform(np.zeros((2, 3)))


# -------------------------------------------------------------------------- partial_fit: thresholds


def test_the_threshold_rests_on_the_scores_sequences_had_before_they_were_learned_from(kind):
    first, *others = make_stream()
    detector = make(kind, false_alarm_rate=0.1).partial_fit(first)
    scores = detector.score_samples(first)  # for want of earlier ones
    assert detector.offset_ == ReferenceScores.of(scores).false_alarm_offset(0.1)
    for sequences in others:
        scores = np.concatenate([scores, detector.score_samples(sequences)])
        detector.partial_fit(sequences)
        assert detector.offset_ == ReferenceScores.of(scores).false_alarm_offset(0.1)


def test_contamination_rests_on_the_scores_sequences_have_after_they_were_learned_from(kind):
    detector = make(kind, contamination=0.2)
    scores = np.empty(0)
    for sequences in make_stream():
        detector.partial_fit(sequences)
        scores = np.concatenate([scores, detector.score_samples(sequences)])
        assert detector.offset_ == pytest.approx(np.percentile(scores, 20), rel=1e-12)


def test_the_threshold_goes_on_from_that_of_fit(detector):
    held_out = detector.fit(X)._judge.calibration.fresh.latest
    fresh = detector.score_samples(MORE)
    detector.partial_fit(MORE)
    expected = ReferenceScores.of(np.concatenate([held_out, fresh]))
    learned = detector._judge.calibration.learned
    assert detector.offset_ == expected.false_alarm_offset(0.01, learned)


def test_in_want_of_held_out_sequences_the_threshold_begins_with_the_training_scores(kind):
    detector = make(kind, early_stopping=False, contamination=0.1).fit(X)
    detector.set_params(contamination="auto", false_alarm_rate=0.1)
    known = detector._judge.calibration.fresh
    expected = known.updated(detector.score_samples(MORE)).false_alarm_offset(0.1)
    assert detector.partial_fit(MORE).offset_ == expected


@pytest.mark.parametrize("scorer", ["joint", "neighbors", "mahalanobis", "error"])
def test_after_a_stream_false_alarms_come_at_the_rate_asked_for(kind, scorer):
    detector = make(kind, scorer=scorer, false_alarm_rate=0.05, max_epochs=20, hidden_size=8)
    detector.fit(make_ragged(100, seed=1)).set_params(learning_rate=0.001)
    for seed in range(2, 32):
        detector.partial_fit(make_ragged(100, seed=seed))
    n_flagged = (detector.predict(make_ragged(1000, seed=99)) == -1).sum()
    # Beta-binomial: 1000 fresh sequences, the threshold at rank 51 of the latest 1024 scores.
    standard_deviation = np.sqrt(1000 * 0.05 * 0.95 * (1 + 1000 / 1026))
    assert abs(n_flagged - 50) < 3 * standard_deviation


# ----------------------------------------------------------------------------- partial_fit: results


def test_after_a_default_fit_more_of_the_same_does_no_damage(kind):
    waves, new = make_waves(150), make_waves(50, seed=1)
    detector = kind(hidden_size=16, random_state=0).fit(waves)
    unexplained = 1 - detector.score(new)
    for _ in range(3):
        assert 1 - detector.partial_fit(waves).score(new) < 1.2 * unexplained


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", [LSTMAutoencoderDetector, LSTMForecastDetector])
def test_one_sequence_more_leaves_the_rate_of_false_alarms_what_it_is(kind, seed):
    detector = kind(random_state=seed, false_alarm_rate=0.1).fit(make_waves(200, seed=seed))
    for more in range(3):
        detector.partial_fit(make_waves(1, seed=50 + more))
    assert np.mean(detector.predict(make_waves(300, seed=9)) == -1) < 0.2


def test_detection_improves_over_the_calls(kind):
    rng = np.random.default_rng(0)
    normal = make_ragged(100, seed=98)
    strange = [rng.permutation(x) for x in make_ragged(100, seed=97)]
    labels = np.repeat([1, -1], 100)
    detector, aucs = make(kind, scorer="error", hidden_size=8, learning_rate=0.02), []
    for seed in range(1, 40):
        detector.partial_fit(make_ragged(50, seed=seed))
        aucs.append(roc_auc_score(labels, detector.score_samples([*normal, *strange])))
    assert 1 - aucs[-1] < (1 - aucs[0]) / 2


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [(kind, {"hidden_size": (4, 4), "dropout": 0.3}) for kind in KINDS]
    + [(LSTMAutoencoderDetector, {"decoder": "autoregressive"})],
)
@first_call
def test_the_same_random_state_gives_the_same_detector_pickled_in_between_or_not(
    kind, parameters, first
):
    def learn(random_state, is_pickled=False):
        detector = make(kind, **parameters).set_params(random_state=random_state)
        for n_calls, sequences in enumerate(make_stream()):
            getattr(detector, "partial_fit" if n_calls else first)(sequences)
            detector = pickle.loads(pickle.dumps(detector)) if is_pickled else detector
        return detector

    assert_same_detector(learn(0), learn(0, is_pickled=True))
    assert_same_detector(*(learn(np.random.RandomState(3)) for _ in range(2)))
    assert (learn(0).score_samples(X) != learn(1).score_samples(X)).all()


# ------------------------------------------------------------------------------------ odd sequences

NORMAL, RECENT = make_waves(120, noise=0.05), list(make_waves(20, noise=0.05, seed=1))
FAULTS = {
    "level": make_waves(2, seed=2) + 5,
    "noise": 3 * np.random.default_rng(3).normal(size=(2, 20, 2)),
}


@pytest.mark.parametrize("fault", ["level", "noise"])
@pytest.mark.parametrize("scorer", ["joint", "neighbors", "mahalanobis", "error"])
def test_an_update_learns_nothing_of_odd_sequences_and_names_them(kind, scorer, fault):
    before = fitted(kind(**QUICK, scorer=scorer), NORMAL)
    expected = copy.deepcopy(before).partial_fit(RECENT)
    detector = copy.deepcopy(before)
    named = (
        "Set aside as unlike the others: sequences 20, 21; .* If they are faults, leave them out;"
    )
    with pytest.warns(UserWarning, match=named):
        detector.partial_fit(RECENT + list(FAULTS[fault]))
    for score in ("score_samples", "predict"):
        assert_array_equal(getattr(detector, score)(NORMAL), getattr(expected, score)(NORMAL))
    assert detector.offset_ == expected.offset_
    with pytest.warns(UserWarning, match="Set aside as unlike the others: sequence 0;"):
        detector.partial_fit(FAULTS[fault][:1])
    assert detector.offset_ == expected.offset_
    assert (detector.predict(FAULTS[fault]) == -1).all()


def test_sequences_of_which_many_come_at_once_or_one_by_one_are_another_kind_of_normal(kind):
    moved = list(make_waves(60, noise=0.05, seed=2) + 5)
    detector = fitted(kind(**QUICK), NORMAL)
    one_by_one = copy.deepcopy(detector)
    with pytest.warns(UserWarning, match="offset_ falls to .*, where it was") as caught:
        detector.partial_fit(moved)
    assert not any("Set aside" in str(warning.message) for warning in caught)
    assert (detector.predict(moved) == 1).mean() > 0.9
    n_set_aside = 0
    for x in moved:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            one_by_one.partial_fit([x])
        n_set_aside += any("Set aside" in str(warning.message) for warning in caught)
    assert 0 < n_set_aside <= 0.1 * (len(NORMAL) + len(moved))
    assert (one_by_one.predict(moved) == 1).mean() > 0.9


@pytest.mark.parametrize("size", [2, 10])
@pytest.mark.parametrize("seed", range(3))
def test_a_detector_that_learns_by_updates_alone_goes_on_learning(kind, size, seed):
    detector = kind(hidden_size=16, random_state=seed).partial_fit(make_waves(100, seed=seed))
    with warnings.catch_warnings(action="error", category=UserWarning):
        for i in range(10):
            detector.partial_fit(make_waves(size, seed=100 + i))
    assert detector._judge.scorer.references_.shape[0] == 100 + 10 * size
    assert (detector.score_samples(make_waves(100, seed=99)) >= detector.offset_).mean() > 0.8


@pytest.mark.filterwarnings("error:offset_ falls")
def test_a_rate_that_lowers_the_threshold_is_not_a_change_of_what_is_normal(kind, monkeypatch):
    monkeypatch.setattr("skl_lstmae.detectors.thresholded.FAR_BELOW", 1.5)
    detector = fitted(kind(**QUICK, false_alarm_rate=0.5), NORMAL)
    offset = detector.offset_
    detector.set_params(false_alarm_rate=1e-9).partial_fit(RECENT)
    assert detector.offset_ < 1.5 * offset


@pytest.mark.filterwarnings("error:Set aside")
def test_what_a_recalibration_says_is_normal_is_learned_from(kind):
    drifted = list(make_waves(55, noise=0.05, seed=3) + 1)
    detector = fitted(kind(**QUICK), NORMAL)
    with pytest.warns(UserWarning, match="offset_ falls to"):
        detector.recalibrate(drifted[:40])
    detector.partial_fit(drifted[40:])


@pytest.mark.filterwarnings("error:Set aside")
def test_with_a_contamination_odd_sequences_are_expected(kind):
    detector = fitted(kind(**QUICK, contamination=0.1), NORMAL)
    n_references = len(detector._judge.scorer.references_)
    detector.partial_fit(RECENT + list(FAULTS["level"]))
    assert len(detector._judge.scorer.references_) == n_references + len(RECENT) + 2


def test_sequences_of_a_panel_are_named_by_their_ids(kind):
    pd = pytest.importorskip("pandas")
    ids = [f"run {i}" for i in range(122)]
    index = pd.MultiIndex.from_product([ids, range(20)])
    values = np.concatenate([NORMAL, FAULTS["level"]]).reshape(-1, 2)
    panel = pd.DataFrame(values, index=index)
    with pytest.warns(
        UserWarning, match="Set aside as unlike the others: sequences run 120, run 121"
    ):
        detector = kind(**QUICK).fit(panel)
    with pytest.warns(UserWarning, match="Set aside as unlike the others: sequence run 121"):
        detector.partial_fit(panel.loc[["run 3", "run 121"]])
