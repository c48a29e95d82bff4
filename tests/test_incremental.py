"""Learning goes on: warm starts, and partial_fit call by call."""

import copy
import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, StandardScaler

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae._thresholds import ReferenceScores

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {
    "hidden_size": 8,
    "latent_size": 3,
    "learning_rate": 0.01,
    "batch_size": 8,
    "max_epochs": 2,
    "device": "cpu",
    "random_state": 0,
}


def make_sequences(n_sequences, seed, n_features=2):
    """Sines of random phase around 50, with noise: ragged, and far from scaled units."""
    rng = np.random.default_rng(seed)
    sequences = []
    for n_timesteps in rng.integers(8, 16, size=n_sequences):
        steps = np.arange(n_timesteps)[:, np.newaxis]
        phases = rng.uniform(0, 2 * np.pi, size=n_features)
        noise = rng.normal(size=(n_timesteps, n_features))
        sequences.append(50 + 10 * np.sin(steps / 2 + phases) + 0.5 * noise)
    return sequences


def make_stream():
    """Five calls' sequences, with gaps: many, one, one without its second feature, a few, many."""
    stream = [make_sequences(n, seed) for seed, n in enumerate([20, 1, 1, 3, 20])]
    stream[0][0][3, 0] = np.nan
    stream[2][0][:, 1] = np.nan
    stream[3][1][2:5] = np.nan
    return stream


X = make_sequences(40, seed=9)


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK)


# --------------------------------------------------------------------------------------- warm_start


def test_a_warm_start_goes_on_with_the_weights(detector):
    detector.set_params(warm_start=True).fit(X)
    first = detector.loss_curve_, detector.validation_loss_curve_
    held_in = detector.scaler_.mean_
    detector.fit(X)
    assert detector.n_epochs_ == len(detector.loss_curve_) == 4
    assert (detector.loss_curve_[:2], detector.validation_loss_curve_[:2]) == first
    assert detector.loss_curve_[2] < detector.loss_curve_[0]
    assert len(detector.validation_loss_curve_) == 4
    assert_array_equal(detector.scaler_.mean_, held_in)  # the same sequences are held out


def test_a_warm_start_learns_scaling_and_threshold_anew(detector):
    X_moved = [x + 1000 for x in make_sequences(30, seed=1)]
    detector.set_params(warm_start=True).fit(X).fit(X_moved)
    cold = LSTMAutoencoderDetector(**QUICK).fit(X_moved)
    assert_array_equal(detector.scaler_.mean_, cold.scaler_.mean_)
    assert (detector.predict(X_moved) == 1).mean() > 0.9
    assert (detector.predict(X) == -1).all()


def test_a_warm_start_goes_on_where_partial_fit_ended(detector):
    detector.set_params(warm_start=True).partial_fit(X).fit(X)
    assert detector.n_epochs_ == len(detector.loss_curve_) == 3
    assert detector.loss_curve_[1] < detector.loss_curve_[0]


def test_curves_stay_parallel_whatever_epochs_are_validated(detector):
    detector.set_params(warm_start=True).partial_fit(X)
    assert detector.validation_loss_curve_ == []
    detector.fit(X).partial_fit(X)
    assert len(detector.loss_curve_) == 4
    assert np.isnan(detector.validation_loss_curve_).tolist() == [True, False, False, True]
    detector.set_params(early_stopping=False).fit(X)
    assert np.isnan(detector.validation_loss_curve_).tolist() == [True, False, False] + [True] * 3


@pytest.mark.parametrize("earlier", ["fit", "partial_fit"])
def test_without_a_warm_start_nothing_is_left_of_what_was_learned(detector, earlier):
    expected = LSTMAutoencoderDetector(**QUICK).fit(X)
    getattr(detector, earlier)(make_sequences(20, seed=1, n_features=5))
    detector.fit(X)
    assert detector.loss_curve_ == expected.loss_curve_
    assert_array_equal(detector.score_samples(X), expected.score_samples(X))
    assert detector.offset_ == expected.offset_


def test_the_first_warm_start_is_a_cold_one(detector):
    warm = LSTMAutoencoderDetector(**QUICK, warm_start=True).fit(X)
    assert_array_equal(warm.score_samples(X), detector.fit(X).score_samples(X))


@pytest.mark.parametrize(
    ("changes", "X_changed", "found"),
    [
        ({"latent_size": 5}, X, "latent_size=3, but latent_size=5"),
        ({"hidden_size": [8, 8]}, X, "hidden_size=[8], but hidden_size=[8, 8]"),
        ({"bottleneck": "max"}, X, "bottleneck='mean', but bottleneck='max'"),
        ({}, make_sequences(40, seed=9, n_features=3), "input_size=2, but input_size=3"),
    ],
    ids=["latent_size", "hidden_size", "bottleneck", "number of features"],
)
def test_a_warm_start_with_another_network_is_refused(detector, changes, X_changed, found):
    detector.set_params(warm_start=True).fit(X)
    scores = detector.score_samples(X)
    detector.set_params(**changes)
    state = dict(vars(detector))
    message = (
        f"This LSTMAutoencoderDetector would go on with a network of {found} is asked for; fit it "
        "with warm_start=False to start with a new one."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        detector.fit(X_changed)
    assert vars(detector) == state
    assert_array_equal(detector.score_samples(X), scores)


def test_a_warm_start_may_change_what_shapes_no_weight(detector):
    detector.set_params(warm_start=True).fit(X)
    n_epochs = detector.n_epochs_
    detector.set_params(noise=0.1, dropout=0.2, teacher_forcing=0.9).fit(X)
    assert detector.module_.noise == 0.1
    assert detector.n_epochs_ == len(detector.loss_curve_) > n_epochs


@pytest.mark.parametrize(
    "changes",
    [
        {"contamination": 5.0},
        {"contamination": "foo"},
        {"false_alarm_rate": 7},
        {"batch_size": 0},
        {"learning_rate": -1},
        {"latent_size": 5},
        {"output_activation": "sigmoid"},
    ],
    ids=repr,
)
def test_partial_fit_refuses_parameters_that_a_fit_would_refuse(detector, changes):
    detector.fit(X).set_params(**changes)
    state = dict(vars(detector))
    with pytest.raises(ValueError, match=f"{next(iter(changes))}"):
        detector.partial_fit(X)
    assert vars(detector) == state


def test_partial_fit_learns_in_parts_if_the_fitted_scaler_does(detector):
    detector.set_params(scaler="robust").fit(X).set_params(scaler="standard")
    assert not hasattr(detector, "partial_fit")
    detector.set_params(scaler="standard").fit(X).set_params(scaler="robust")
    assert hasattr(detector, "partial_fit")


def test_a_warm_start_that_fails_changes_nothing(detector):
    detector.set_params(warm_start=True).fit(X)
    scores = detector.score_samples(X)
    detector.set_params(learning_rate=1e30, clip_norm=None, max_epochs=50)
    with pytest.raises(ValueError, match="lower learning_rate"):
        detector.fit(X)
    assert_array_equal(detector.score_samples(X), scores)


# ----------------------------------------------------------------------------- partial_fit: scaling


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()], ids=str)
def test_running_statistics_of_the_scaler_are_those_of_all_rows(detector, scaler):
    detector.set_params(scaler=scaler)
    for sequences in make_stream():
        detector.partial_fit(sequences)
    expected = scaler.fit(np.concatenate([x for sequences in make_stream() for x in sequences]))
    for name in (name for name in vars(expected) if name.endswith("_")):
        assert_allclose(getattr(detector.scaler_, name), getattr(expected, name), rtol=1e-12)


def test_running_statistics_go_on_from_those_of_fit(detector):
    detector.set_params(early_stopping=False, contamination=0.1)  # nothing is held out
    detector.fit(X).partial_fit(make_sequences(3, seed=1))
    expected = StandardScaler().fit(np.concatenate([*X, *make_sequences(3, seed=1)]))
    assert_allclose(detector.scaler_.mean_, expected.mean_, rtol=1e-12)
    assert_allclose(detector.scaler_.scale_, expected.scale_, rtol=1e-12)


@pytest.mark.parametrize("scaler", ["robust", PowerTransformer()], ids=str)
def test_a_scaler_that_cannot_learn_in_parts_leaves_no_partial_fit(detector, scaler):
    detector.set_params(scaler=scaler).fit(X)
    assert not hasattr(detector, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as refusal:
        detector.partial_fit(X)
    assert str(refusal.value.__cause__) == (
        f"partial_fit needs a scaler that learns in parts, but {detector.scaler_!r} does not; use "
        "scaler='standard', 'minmax' or None."
    )


# ------------------------------------------------------------------------------- partial_fit: state


def assert_usable(detector, X):
    """Use all that a fitted detector offers."""
    scores = detector.score_samples(X)
    assert np.isfinite([*scores, detector.offset_, detector.score(X)]).all()
    assert_array_equal(detector.predict(X), np.where(scores < detector.offset_, -1, 1))
    assert detector.transform(X).shape == (len(X), 3)
    assert np.isfinite(np.concatenate(detector.reconstruct(X))).all()
    assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(X), scores)

    recalibrated = copy.deepcopy(detector).recalibrate(contamination=0.5)
    assert recalibrated.offset_ == pytest.approx(np.median(recalibrated._training_scores.scores))
    offsets = [
        recalibrated.recalibrate(contamination="auto", false_alarm_rate=rate).offset_
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
        {"scorer": "error_max", "scaler": None, "decoder": "autoregressive"},
        {"scorer": worst_step, "hidden_size": (8, 4), "bidirectional": "both", "dropout": 0.2},
    ],
    ids=lambda parameters: str(parameters.get("scorer", "defaults")).split()[-3:][0],
)
@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_after_every_call_the_detector_is_ready_for_use(detector, parameters, first):
    detector.set_params(**parameters)
    for n_calls, sequences in enumerate(make_stream()):
        getattr(detector, "partial_fit" if n_calls else first)(sequences)
        assert_usable(detector, X)
        n_epochs = n_calls + (2 if first == "fit" else 1)
        assert detector.n_epochs_ == len(detector.loss_curve_) == n_epochs
        assert np.isfinite(detector.loss_curve_).all()
    assert detector.n_features_in_ == 2


def test_the_first_call_needs_five_sequences_and_the_others_one(detector):
    message = "Found n_samples=4 sequence(s) in X while a minimum of 5 is required"
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.partial_fit(X[:4])
    assert vars(detector) == vars(LSTMAutoencoderDetector(**QUICK))
    detector.partial_fit(X[:5]).partial_fit(X[5:6])
    assert detector.n_epochs_ == 2


FAILURES = {
    "other features": (
        {},
        make_sequences(3, seed=1, n_features=3),
        "X has 3 features, but LSTMAutoencoderDetector is expecting 2 features as input.",
    ),
    "infinity": ({}, [np.full((5, 2), np.inf)], "sequence #0 holds infinity at step 0, feature 0"),
    "divergence": (
        {"learning_rate": 1e30, "clip_norm": None},
        make_sequences(30, seed=1),
        "lower learning_rate, set clip_norm, or choose a scaler",
    ),
    "a scorer that fails": (
        {},
        [np.full((5, 2), 1e4)],
        "The scorer must return 1 finite scores for 1 sequences",
    ),
}


def worst_step_unless_far_off(errors, latents):
    scores = worst_step(errors, latents)
    return np.where(scores < -1000, np.nan, scores)


@pytest.mark.parametrize(("changes", "unfit", "message"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_a_call_that_fails_changes_nothing(detector, first, changes, unfit, message):
    scorer = worst_step_unless_far_off if "scorer" in message else "neighbors"
    detector.set_params(scorer=scorer, max_epochs=10)
    getattr(detector, first)(X)
    scores = detector.score_samples(X)
    detector.set_params(**changes)
    state = dict(vars(detector))
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.partial_fit(unfit)
    assert vars(detector) == state
    assert_array_equal(detector.score_samples(X), scores)


@pytest.mark.parametrize("scorer", ["joint", "neighbors", "mahalanobis"])
def test_a_call_that_fails_at_its_very_end_changes_nothing(detector, scorer, monkeypatch):
    detector.set_params(scorer=scorer).partial_fit(X)
    scores = detector.score_samples(X)
    monkeypatch.setattr(LSTMAutoencoderDetector, "_offset", None)
    with pytest.raises(TypeError):
        detector.partial_fit(X[:3])
    assert_array_equal(detector.score_samples(X), scores)


def test_calls_that_fail_in_between_leave_no_trace(detector):
    expected = LSTMAutoencoderDetector(**QUICK).partial_fit(X).partial_fit(X[:3])
    detector.partial_fit(X)
    detector.set_params(learning_rate=1e30, clip_norm=None)
    with pytest.raises(ValueError, match="lower learning_rate"):
        detector.partial_fit(X)
    detector.set_params(learning_rate=0.01, clip_norm=1.0).partial_fit(X[:3])
    assert_array_equal(detector.score_samples(X), expected.score_samples(X))
    assert detector.offset_ == expected.offset_


def test_decoding_knows_the_length_as_long_as_all_sequences_have_it(detector):
    aligned = [x[:8] for x in X]
    detector.partial_fit(aligned).partial_fit(aligned[:1])
    assert [x.shape for x in detector.inverse_transform(np.zeros((2, 3)))] == [(8, 2)] * 2
    detector.partial_fit([x[:7] for x in X]).partial_fit(aligned)
    with pytest.raises(ValueError, match="must be told the lengths to decode"):
        detector.inverse_transform(np.zeros((2, 3)))


# -------------------------------------------------------------------------- partial_fit: thresholds


def test_the_threshold_rests_on_the_scores_sequences_had_before_they_were_learned_from(detector):
    first, *others = make_stream()
    detector.set_params(false_alarm_rate=0.1).partial_fit(first)
    scores = detector.score_samples(first)  # for want of earlier ones
    assert detector.offset_ == ReferenceScores.of(scores).false_alarm_offset(0.1)
    for sequences in others:
        scores = np.concatenate([scores, detector.score_samples(sequences)])
        detector.partial_fit(sequences)
        assert detector.offset_ == ReferenceScores.of(scores).false_alarm_offset(0.1)


def test_contamination_rests_on_the_scores_sequences_have_after_they_were_learned_from(detector):
    detector.set_params(contamination=0.2)
    scores = np.empty(0)
    for sequences in make_stream():
        detector.partial_fit(sequences)
        scores = np.concatenate([scores, detector.score_samples(sequences)])
        assert detector.offset_ == pytest.approx(np.percentile(scores, 20), rel=1e-12)


def test_the_threshold_goes_on_from_that_of_fit(detector):
    detector.fit(X)
    held_out = detector._held_out_scores.latest  # not sorted, as another order has another mean
    fresh = detector.score_samples(X[:3])
    detector.partial_fit(X[:3])
    expected = ReferenceScores.of(np.concatenate([held_out, fresh]))
    assert detector.offset_ == expected.false_alarm_offset(0.01, detector._learned_scores)


def test_in_want_of_held_out_sequences_the_threshold_begins_with_the_training_scores(detector):
    detector.set_params(early_stopping=False, contamination=0.1).fit(X)
    detector.set_params(contamination="auto", false_alarm_rate=0.1)
    scores = detector.score_samples([*X, *X[:3]])
    detector.partial_fit(X[:3])
    assert detector.offset_ == ReferenceScores.of(scores).false_alarm_offset(0.1)


@pytest.mark.parametrize("scorer", ["joint", "neighbors", "mahalanobis", "error"])
def test_after_a_stream_false_alarms_come_at_the_rate_asked_for(detector, scorer):
    detector.set_params(scorer=scorer, false_alarm_rate=0.05, max_epochs=20)
    detector.fit(make_sequences(100, seed=1)).set_params(learning_rate=0.001)
    for seed in range(2, 32):
        detector.partial_fit(make_sequences(100, seed))
    n_flagged = (detector.predict(make_sequences(1000, seed=99)) == -1).sum()
    # Beta-binomial: 1000 fresh sequences, the threshold at rank 51 of the latest 1024 scores.
    standard_deviation = np.sqrt(1000 * 0.05 * 0.95 * (1 + 1000 / 1026))
    assert abs(n_flagged - 50) < 3 * standard_deviation


# ----------------------------------------------------------------------------- partial_fit: results


def test_detection_improves_over_the_calls(detector):
    rng = np.random.default_rng(0)
    normal = make_sequences(100, seed=98)
    strange = [rng.permutation(x) for x in make_sequences(100, seed=99)]
    labels = np.repeat([1, -1], 100)

    def auc():
        return roc_auc_score(labels, detector.score_samples([*normal, *strange]))

    detector.set_params(scorer="error").partial_fit(make_sequences(50, seed=1))
    first = auc()
    for seed in range(2, 40):
        detector.partial_fit(make_sequences(50, seed))
    assert first < 0.7
    assert auc() > 0.9


@pytest.mark.parametrize(
    "parameters", [{}, {"hidden_size": (4, 4), "dropout": 0.3}, {"decoder": "autoregressive"}]
)
def test_the_same_random_state_gives_the_same_detector(detector, parameters):
    def scores(random_state):
        detector = LSTMAutoencoderDetector(**QUICK | parameters)
        detector.set_params(random_state=random_state)
        for sequences in make_stream():
            detector.partial_fit(sequences)
        return detector.score_samples(X)

    assert_array_equal(scores(0), scores(0))
    assert_array_equal(scores(np.random.RandomState(3)), scores(np.random.RandomState(3)))
    assert (scores(0) != scores(1)).all()


@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_pickling_between_two_calls_changes_nothing(detector, first):
    pickled = copy.deepcopy(detector)
    for n_calls, sequences in enumerate(make_stream()):
        for one in (detector, pickled):
            getattr(one, "partial_fit" if n_calls else first)(sequences)
        pickled = pickle.loads(pickle.dumps(pickled))
    assert pickled.loss_curve_ == detector.loss_curve_
    assert_array_equal(pickled.score_samples(X), detector.score_samples(X))
    assert pickled.offset_ == detector.offset_
