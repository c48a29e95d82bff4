"""The detector as a user meets it."""

import re
from importlib.util import find_spec

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.metrics import explained_variance_score
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

import skl_lstmae._training
from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae._inference import Inference
from skl_lstmae._losses import LOSSES
from skl_lstmae._scoring import SCORERS, Residuals
from skl_lstmae._sequences import read_sequences

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {
    "hidden_size": 16,
    "latent_size": 6,
    "learning_rate": 0.01,
    "batch_size": 8,
    "max_epochs": 3,
    "device": "cpu",
    "random_state": 0,
}


def make_sequences(n_sequences=40, n_features=2, seed=0, lengths=(8, 20)):
    """Sines of random phase around 50, with noise: ragged, and far from scaled units."""
    rng = np.random.default_rng(seed)
    sequences = []
    for n_timesteps in rng.integers(*lengths, size=n_sequences):
        steps = np.arange(n_timesteps)[:, np.newaxis]
        phases = rng.uniform(0, 2 * np.pi, size=n_features)
        noise = rng.normal(size=(n_timesteps, n_features))
        sequences.append(50 + 10 * np.sin(steps / 3 + phases) + 0.5 * noise)
    return sequences


def with_missing_cell(sequences):
    sequences[0][3, 0] = np.nan
    sequences[1][2] = np.nan
    return sequences


@pytest.fixture(scope="module")
def X():
    return with_missing_cell(make_sequences())


@pytest.fixture(scope="module")
def detector(X):
    return LSTMAutoencoderDetector(**QUICK | {"max_epochs": 20}).fit(X)


# ------------------------------------------------------------------------------- the architectures

BOUNDED = {"output_activation": "sigmoid", "scaler": "minmax"}

ARCHITECTURES = {
    "S1 vector bottleneck": {"bottleneck": "last"},
    "S2 sequence to sequence": {"bottleneck": "sequence"},
    "S3 bidirectional encoder": {"bidirectional": "encoder"},
    "S4 stacked with dropout": {"hidden_size": (24, 24), "dropout": 0.2},
    "S5 bidirectional both": {"bidirectional": "both"},
    "S6 repeated latent": {"decoder": "repeat"},
    "S7 masked padding": {"batch_size": 16},
    "S8 narrowing stack": {"hidden_size": (24, 12), "bottleneck": "sequence"},
    "S9 mean": {"bottleneck": "mean"},
    "S9 max": {"bottleneck": "max"},
    "S10 sigmoid, cross-entropy": BOUNDED | {"loss": "binary_cross_entropy"},
    "S10 tanh, absolute error": {
        "output_activation": "tanh",
        "scaler": MinMaxScaler((-0.9, 0.9)),
        "loss": "absolute_error",
    },
    "S10 sigmoid, squared error": BOUNDED,
    "S11 variables x features": {},
    "S13 teacher forcing": {"decoder": "autoregressive", "teacher_forcing": 0.7},
    "S14 skip connection": {"skip_connection": True},
    "S15 reduction": {"latent_size": 3},
}


@pytest.mark.parametrize(("system", "parameters"), ARCHITECTURES.items(), ids=ARCHITECTURES)
def test_every_architecture_learns_ragged_data_with_a_missing_cell(system, parameters):
    X = with_missing_cell(make_sequences(n_features=4 if "S11" in system else 2))
    ragged, n_channels = X, X[0].shape[1]
    if "S11" in system:
        X = as_four_dimensional(X)
    detector = LSTMAutoencoderDetector(
        **QUICK | {"max_epochs": 100, "hidden_size": 32} | parameters
    )
    detector.fit(X)

    errors = detector.reconstruction_error(X)
    n_observed = np.array([np.isfinite(x).sum() for x in ragged])
    mean_loss = np.average(errors, weights=n_observed)
    assert mean_loss < 0.9 * loss_of_predicting_the_mean(detector, ragged)

    reconstructed = detector.reconstruct(X)
    if "S11" in system:
        assert reconstructed.shape == X.shape
        reconstructed = [
            row[: len(x)].reshape(len(x), -1) for row, x in zip(reconstructed, ragged, strict=True)
        ]
    assert [x.shape for x in reconstructed] == [x.shape for x in ragged]
    assert np.isfinite(np.concatenate(reconstructed)).all()
    actual, predicted = np.concatenate(ragged), np.concatenate(reconstructed)
    observed = np.isfinite(actual)
    assert np.corrcoef(actual[observed], predicted[observed])[0, 1] > 0.3
    assert abs((actual - predicted)[observed].mean()) < 3

    assert detector.transform(X).shape == (len(X), detector.latent_size)
    by_step = detector.reconstruction_error(ragged if "S11" not in system else X, per="timestep")
    assert by_step[1][2] == 0
    assert detector.n_features_in_ == n_channels


def loss_of_predicting_the_mean(detector, sequences):
    rows = np.concatenate(sequences)
    scaled = torch.tensor(detector.scaler_.transform(rows))
    observed = ~scaled.isnan()
    mean = scaled.nanmean(dim=0).expand_as(scaled)
    return LOSSES[detector.loss](mean[observed], scaled[observed]).mean().item()


def as_four_dimensional(sequences):
    """Pad sequences of four features to (n, time, 2 variables, 2 features)."""
    padded = np.full((len(sequences), max(map(len, sequences)), 2, 2), np.nan)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence.reshape(-1, 2, 2)
    return padded


# -------------------------------------------------------------------------------- what is returned


def test_public_methods_return_what_they_promise(detector, X):
    n = len(X)
    scores = detector.score_samples(X)
    assert (scores.shape, scores.dtype) == ((n,), np.float64)
    np.testing.assert_array_equal(detector.decision_function(X), scores - detector.offset_)
    labels = detector.predict(X)
    assert (labels.shape, labels.dtype) == ((n,), np.int64)
    np.testing.assert_array_equal(labels, np.where(scores < detector.offset_, -1, 1))
    latents = detector.transform(X)
    assert (latents.shape, latents.dtype) == ((n, 6), np.float32)
    assert detector.get_feature_names_out().tolist() == [
        f"lstmautoencoderdetector{i}" for i in range(6)
    ]
    assert detector.n_epochs_ == len(detector.loss_curve_) == len(detector.validation_loss_curve_)


def test_fit_predict_and_fit_transform_are_fit_and_then_the_other(X):
    detector = LSTMAutoencoderDetector(**QUICK)
    np.testing.assert_array_equal(detector.fit_predict(X), detector.predict(X))
    np.testing.assert_array_equal(clone(detector).fit_transform(X), detector.transform(X))


@pytest.mark.parametrize("form", ["list", "3-D", "4-D", "panel", "frames", "tensors"])
def test_results_take_the_form_of_the_input(detector, X, form):
    arrays = [np.nan_to_num(x[:8], nan=50.0) for x in X]
    stacked = np.stack(arrays)
    index = pd.MultiIndex.from_product([range(len(X)), range(8)], names=["sequence", "time"])
    X = {
        "list": arrays,
        "3-D": stacked,
        "4-D": stacked.reshape(len(X), 8, 2, 1),
        "panel": pd.DataFrame(stacked.reshape(-1, 2), index=index, columns=["a", "b"]),
        "frames": [pd.DataFrame(x, columns=["a", "b"]) for x in arrays],
        "tensors": [torch.tensor(x) for x in arrays],
    }[form]
    if form in ("panel", "frames"):
        detector = LSTMAutoencoderDetector(**QUICK).fit(X)
        assert detector.feature_names_in_.tolist() == ["a", "b"]
    reconstructed = detector.reconstruct(X)
    steps = detector.reconstruction_error(X, per="timestep")
    if form == "panel":
        pd.testing.assert_index_equal(reconstructed.index, X.index)
        pd.testing.assert_index_equal(steps.index, X.index)
        assert list(reconstructed) == ["a", "b"]
    elif form == "frames":
        assert [type(x) for x in reconstructed] == [pd.DataFrame] * len(X)
        assert [len(x) for x in steps] == [8] * len(X)
    elif form in ("3-D", "4-D"):
        assert reconstructed.shape == X.shape
        assert steps.shape == (len(X), 8)
    else:
        assert [x.shape for x in reconstructed] == [(8, 2)] * len(X)
        assert [x.shape for x in steps] == [(8,)] * len(X)


def test_a_table_has_a_one_channel_sequence_in_each_row():
    X = np.stack([x[:8, 0] for x in make_sequences()])
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    assert detector.n_features_in_ == 8
    assert detector.reconstruct(X).shape == X.shape
    scores = detector.score_samples(X)
    np.testing.assert_array_equal(detector.score_samples(list(X)), scores)
    np.testing.assert_array_equal(detector.score_samples(X[:, :, np.newaxis]), scores)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, bool])
def test_number_types_are_accepted(dtype):
    X = [(x > 50 if dtype is bool else x).astype(dtype) for x in make_sequences(20)]
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    expected = np.float32 if dtype == np.float32 else np.float64
    assert {x.dtype for x in detector.reconstruct(X)} == {np.dtype(expected)}


def test_views_of_the_error_add_up(detector, X):
    total = detector.reconstruction_error(X)
    by_step = detector.reconstruction_error(X, per="timestep")
    by_feature = detector.reconstruction_error(X, per="feature")
    assert (total > 0).all()
    np.testing.assert_allclose([steps.sum() for steps in by_step], total, rtol=1e-13)
    np.testing.assert_allclose(by_feature.sum(axis=1), total, rtol=1e-13)


def test_the_error_is_the_mean_loss_of_the_observed_cells_in_scaled_units(detector, X):
    reconstructed = detector.reconstruct(X)
    scale = detector.scaler_.scale_
    expected = [
        np.nanmean(np.square((x - y) / scale)) for x, y in zip(X, reconstructed, strict=True)
    ]
    np.testing.assert_allclose(detector.reconstruction_error(X), expected, rtol=1e-4)


def test_score_is_the_explained_variance_in_input_units(detector):
    X = make_sequences(seed=1)
    expected = explained_variance_score(np.concatenate(X), np.concatenate(detector.reconstruct(X)))
    assert detector.score(X) == pytest.approx(expected)


def test_score_leaves_missing_values_out(detector):
    X = make_sequences(seed=1)
    actual, reconstructed = np.concatenate(X), np.concatenate(detector.reconstruct(X))
    reconstructed_with_gap = detector.reconstruct(with_missing_cell([x.copy() for x in X]))
    gappy = np.concatenate(with_missing_cell([x.copy() for x in X]))
    seen = np.isfinite(gappy)
    expected = [
        explained_variance_score(
            actual[seen[:, j], j], np.concatenate(reconstructed_with_gap)[seen[:, j], j]
        )
        for j in range(2)
    ]
    assert detector.score(with_missing_cell(X)) == pytest.approx(np.mean(expected))
    assert not np.array_equal(reconstructed, np.concatenate(reconstructed_with_gap))


@pytest.mark.parametrize("bottleneck", ["last", "mean", "max"])
def test_inverse_transform_of_transform_is_reconstruct(X, bottleneck):
    detector = LSTMAutoencoderDetector(**QUICK, bottleneck=bottleneck).fit(X)
    decoded = detector.inverse_transform(detector.transform(X), [len(x) for x in X])
    for one, other in zip(decoded, detector.reconstruct(X), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert [x.shape for x in detector.inverse_transform(np.zeros((3, 6)), 5)] == [(5, 2)] * 3


def test_inverse_transform_decodes_as_many_steps_as_all_training_sequences_had(detector, X):
    short = [x[:8] for x in make_sequences()]
    aligned = LSTMAutoencoderDetector(**QUICK).fit(short)
    latents = aligned.transform(X)
    np.testing.assert_array_equal(
        aligned.inverse_transform(latents), aligned.inverse_transform(latents, 8)
    )
    message = (
        "inverse_transform must be told the lengths to decode, since the training sequences were "
        "of several; pass lengths=."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.inverse_transform(latents)


def test_huge_values_score_low_and_finite(detector, X):
    huge = [np.full((5, 2), 1e300)]
    assert detector.score_samples(X).min() > detector.score_samples(huge)[0] > -np.inf
    assert detector.predict(huge).tolist() == [-1]


# ------------------------------------------------------------------------- nothing but the sequence

EVERY_KIND = [
    {"hidden_size": 16, "latent_size": 16},
    {"hidden_size": (8, 8), "latent_size": 8, "bottleneck": "sequence"},
    {"scorer": "error"},
    {"scorer": "error_max"},
    {"scorer": "mahalanobis"},
    {"bottleneck": "sequence", "bidirectional": "encoder"},
    {"bottleneck": "mean", "bidirectional": "both", "hidden_size": (7, 5)},
    {"bottleneck": "max", "scaler": "robust", "latent_size": 5},
    {"decoder": "autoregressive", "skip_connection": True},
]


@pytest.mark.parametrize("parameters", EVERY_KIND, ids=str)
def test_a_score_is_the_same_alone_in_any_batch_order_and_padding_and_after_joblib(
    parameters, tmp_path
):
    X = with_missing_cell(make_sequences(150, n_features=3, lengths=(1, 60)))
    detector = LSTMAutoencoderDetector(**QUICK | parameters).fit(X)
    scores = detector.score_samples(X)

    alone = np.concatenate([detector.score_samples([x]) for x in X])
    np.testing.assert_array_equal(alone, scores)

    order = np.random.default_rng(0).permutation(len(X))
    shuffled = detector.score_samples([X[i] for i in order])
    np.testing.assert_array_equal(shuffled, scores[order])

    padded = np.full((len(X), 100, 3), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    np.testing.assert_array_equal(detector.score_samples(padded), scores)

    joblib.dump(detector, tmp_path / "detector.joblib", compress=3)
    reloaded = joblib.load(tmp_path / "detector.joblib")
    np.testing.assert_array_equal(reloaded.score_samples(X), scores)


def test_latents_and_errors_do_not_depend_on_the_company(detector, X):
    latents = detector.transform(X)
    by_feature = detector.reconstruction_error(X, per="feature")
    for i in (0, 1, 17):
        np.testing.assert_array_equal(detector.transform([X[i]])[0], latents[i])
        alone = detector.reconstruction_error([X[i]], per="feature")
        np.testing.assert_array_equal(alone[0], by_feature[i])


def test_a_missing_cell_hides_the_true_value(X):
    """The value behind a gap enters neither the fit nor a score: only the mask tells of it."""
    behind = [x.copy() for x in X]
    behind[0][3, 0] = 1e9
    masked = [np.ma.masked_array(x, np.isnan(y)) for x, y in zip(behind, X, strict=True)]
    one = LSTMAutoencoderDetector(**QUICK).fit(X)
    other = LSTMAutoencoderDetector(**QUICK).fit(masked)
    np.testing.assert_array_equal(one.score_samples(X), other.score_samples(masked))


def test_a_gap_moves_a_score_less_than_a_wrong_value(detector):
    X = make_sequences(seed=2)
    gaps, zeros = [x.copy() for x in X], [x.copy() for x in X]
    for gap, zero in zip(gaps, zeros, strict=True):
        gap[4, 0], zero[4, 0] = np.nan, 0.0
    scores = detector.score_samples(X)
    by_gap = np.abs(detector.score_samples(gaps) - scores)
    by_zero = np.abs(detector.score_samples(zeros) - scores)
    assert np.median(by_gap) < 0.1 * np.median(by_zero)


# ----------------------------------------------------------------------------------- determinism


@pytest.mark.parametrize(
    "parameters",
    [{}, {"hidden_size": (8, 8), "dropout": 0.3}, {"decoder": "autoregressive"}],
    ids=str,
)
def test_the_same_random_state_gives_the_same_weights(X, parameters):
    def weights(**changed):
        module = LSTMAutoencoderDetector(**QUICK | parameters | changed).fit(X).module_
        return torch.cat([weight.flatten() for weight in module.state_dict().values()])

    assert torch.equal(weights(), weights())
    assert not torch.equal(weights(), weights(random_state=1))
    assert torch.equal(
        weights(random_state=np.random.RandomState(5)),
        weights(random_state=np.random.RandomState(5)),
    )


def test_global_random_states_are_untouched(X):
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    LSTMAutoencoderDetector(
        **QUICK | {"hidden_size": (8, 8)}, dropout=0.2, decoder="autoregressive"
    ).fit(X).predict(X)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


# ------------------------------------------------------------------------------------- thresholds


def test_contamination_flags_its_share_of_the_training_data():
    X = make_sequences(100)
    detector = LSTMAutoencoderDetector(**QUICK, contamination=0.1)
    assert (detector.fit_predict(X) == -1).sum() == 10


def test_the_rule_can_be_changed_without_running_the_network(X, monkeypatch):
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    expected = {
        rate: LSTMAutoencoderDetector(**QUICK, false_alarm_rate=rate).fit(X).offset_
        for rate in (0.1, 0.001)
    }
    shared = LSTMAutoencoderDetector(**QUICK, contamination=0.2, early_stopping=True).fit(X)
    monkeypatch.setattr(Inference, "_run", None)
    with pytest.raises(TypeError):
        detector.score_samples(X)
    for rate, offset in expected.items():
        assert detector.recalibrate(false_alarm_rate=rate).offset_ == offset
        assert detector.false_alarm_rate == rate
    assert detector.recalibrate(contamination=0.2).offset_ == shared.offset_
    assert detector.get_params()["contamination"] == 0.2


@pytest.mark.parametrize("scorer", SCORERS)
def test_contamination_flags_about_its_share_of_fresh_sequences(scorer):
    X = make_sequences(600, n_features=1)
    detector = LSTMAutoencoderDetector(**QUICK, scorer=scorer, contamination=0.1).fit(X[:300])
    assert 0.05 < np.mean(detector.predict(X[300:]) == -1) < 0.2


def test_an_anomaly_in_the_training_data_is_found_there():
    shifts = [(80, 0), (0, 80), (-80, 0), (0, -80), (80, -80)]
    strange = [x + shift for x, shift in zip(make_sequences(5, seed=5), shifts, strict=True)]
    labels = LSTMAutoencoderDetector(**QUICK, contamination=0.1).fit_predict(
        [*make_sequences(95), *strange]
    )
    assert labels[95:].tolist() == [-1] * 5


def test_changing_the_loss_of_a_fitted_detector_changes_no_score(X):
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    scores = detector.score_samples(X)
    detector.set_params(loss="huber")
    np.testing.assert_array_equal(detector.score_samples(X), scores)


def test_a_bad_rule_leaves_the_detector_as_it_was(X):
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    offset = detector.offset_
    with pytest.raises(ValueError, match="The 'contamination' parameter"):
        detector.recalibrate(contamination=0.7)
    assert (detector.contamination, detector.offset_) == ("auto", offset)


def test_the_automatic_rule_needs_held_out_sequences(X):
    detector = LSTMAutoencoderDetector(**QUICK, early_stopping=False, contamination=0.1).fit(X)
    message = (
        "contamination='auto' needs sequences held out of training, but this detector was fitted "
        "without; fit it again with contamination='auto'."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.recalibrate(contamination="auto")
    assert detector.contamination == 0.1


def test_sequences_that_drifted_may_be_calibrated_on():
    X = make_sequences(900, n_features=1)
    drifted = [1.5 * x for x in X[300:]]
    detector = LSTMAutoencoderDetector(**QUICK, false_alarm_rate=0.05).fit(X[:300])
    scores = detector.score_samples(drifted[300:])
    n_flagged = (detector.predict(drifted[300:]) == -1).sum()
    detector.recalibrate(drifted[:300])
    assert (detector.predict(drifted[300:]) == -1).sum() < 0.1 * 300 < n_flagged
    np.testing.assert_array_equal(detector.score_samples(drifted[300:]), scores)
    # The 15th lowest of 300 scores: split conformal prediction at 0.05.
    assert detector.offset_ == np.sort(detector.score_samples(drifted[:300]))[14]
    detector.recalibrate(contamination=0.5)
    assert detector.offset_ == np.median(detector.score_samples(drifted[:300]))


def test_too_few_sequences_to_calibrate_on_are_refused(X):
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    offset = detector.offset_
    message = "X holds 2 sequence(s) to calibrate on; expected at least 3."
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.recalibrate(X[:2], false_alarm_rate=0.2)
    assert (detector.offset_, detector.false_alarm_rate) == (offset, 0.01)


def test_false_alarms_come_at_the_rate_asked_for():
    X = make_sequences(1300, n_features=1)
    detector = LSTMAutoencoderDetector(
        **QUICK, validation_fraction=0.9, false_alarm_rate=0.05, early_stopping=False
    ).fit(X[:400])
    n_flagged = (detector.predict(X[400:]) == -1).sum()
    # Beta-binomial: 900 fresh sequences, the threshold at rank 18 of 360 calibration scores.
    standard_deviation = np.sqrt(900 * 0.05 * 0.95 * (1 + 900 / 362))
    assert abs(n_flagged - 0.05 * 900) < 3 * standard_deviation


# --------------------------------------------------------------------------------------- training


def test_held_out_sequences_are_not_trained_on():
    X = make_sequences(20)
    detector = LSTMAutoencoderDetector(**QUICK, validation_fraction=0.5).fit(X)
    n_seen = detector.scaler_.n_samples_seen_
    sizes = {len(x) for x in X}
    assert n_seen < 0.7 * sum(map(len, X))
    assert n_seen >= min(sizes) * 10


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    X = make_sequences(30)
    detector = LSTMAutoencoderDetector(
        **QUICK | {"max_epochs": 60, "learning_rate": 0.03}, n_iter_no_change=5
    ).fit(X)
    best = int(np.argmin(detector.validation_loss_curve_))
    assert best < detector.n_epochs_ - 1
    short = LSTMAutoencoderDetector(
        **QUICK | {"max_epochs": best + 1, "learning_rate": 0.03}, n_iter_no_change=5
    ).fit(X)
    np.testing.assert_array_equal(short.score_samples(X), detector.score_samples(X))


def test_without_early_stopping_the_training_loss_decides():
    X = make_sequences(30)
    detector = LSTMAutoencoderDetector(
        **QUICK | {"max_epochs": 500}, early_stopping=False, tol=0.05, n_iter_no_change=3
    ).fit(X)
    assert detector.validation_loss_curve_ == []
    assert 3 < detector.n_epochs_ < 500


def test_an_interrupt_keeps_the_best_weights_and_warns(X, monkeypatch):
    record = skl_lstmae._training.History.record
    lengths = []

    def record_and_interrupt(history, *args):
        record(history, *args)
        lengths.append(history.n_epochs)
        if history.n_epochs == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(skl_lstmae._training.History, "record", record_and_interrupt)
    detector = LSTMAutoencoderDetector(**QUICK | {"max_epochs": 100})
    with pytest.warns(UserWarning, match="interrupted after 3 epochs"):
        detector.fit(X)
    assert detector.n_epochs_ == 3
    assert set(detector.predict(X)) <= {-1, 1}


def test_a_diverging_fit_says_what_to_change_and_changes_nothing(X):
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    state = dict(vars(detector))
    changes = {"learning_rate": 1e30, "clip_norm": None, "max_epochs": 50}
    detector.set_params(**changes)
    with pytest.raises(ValueError, match="lower learning_rate, set clip_norm, or choose a scaler"):
        detector.fit(X[:20])
    detector.set_params(**{name: state[name] for name in changes})
    assert vars(detector) == state
    np.testing.assert_array_equal(detector.score_samples(X).shape, (len(X),))


def test_verbose_prints_the_epochs(X, capsys):
    LSTMAutoencoderDetector(**QUICK, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r"Epoch 1, loss = \d+\.\d{8}, validation loss = \d+\.\d{8}", lines[0])


def test_a_scorer_of_the_users_own(X):
    def last_step(errors, latents):
        return np.array([-np.nanmean(sequence[-1]) for sequence in errors])

    detector = LSTMAutoencoderDetector(**QUICK, scorer=last_step).fit(X)
    by_step = detector.reconstruction_error(X, per="timestep")
    n_observed = [np.isfinite(x).sum() for x in X]
    expected = [-steps[-1] * n / 2 for steps, n in zip(by_step, n_observed, strict=True)]
    np.testing.assert_allclose(detector.score_samples(X), expected)


def test_the_named_scorers_are_what_they_say(X):
    detector = LSTMAutoencoderDetector(**QUICK, scorer="error").fit(X)
    np.testing.assert_array_equal(detector.score_samples(X), -detector.reconstruction_error(X))
    worst = LSTMAutoencoderDetector(**QUICK, scorer="error_max").fit(X)
    sequences, _ = read_sequences(X)
    errors = worst._inference.summaries(sequences, Residuals.worst_step_error)
    np.testing.assert_array_equal(worst.score_samples(X), -errors)


def test_anomalies_score_lower_than_normal_sequences():
    X = make_sequences(200)
    detector = LSTMAutoencoderDetector(**QUICK | {"max_epochs": 60}).fit(X)
    strange = [np.random.default_rng(0).permutation(x) for x in make_sequences(50, seed=5)]
    normal = detector.score_samples(make_sequences(50, seed=6))
    assert np.mean(detector.score_samples(strange)[:, None] < normal) > 0.9


# --------------------------------------------------------------------------------------- bad input


def changed(X, i, x):
    return [*X[:i], x, *X[i + 1 :]]


BAD_INPUT = {
    "inf": (
        lambda X: changed(X, 3, np.where(np.arange(20).reshape(10, 2) == 11, np.inf, X[3][:1])),
        ValueError,
        "sequence #3 holds infinity at step 5, feature 1; expected finite numbers, or NaN for a "
        "missing value.",
    ),
    "text": (lambda X: changed(X, 2, "abc"), TypeError, "sequence #2 is of type str; expected"),
    "empty list": (lambda X: [], ValueError, "X holds no sequences; expected at least 1."),
    "zero length": (
        lambda X: changed(X, 1, np.empty((0, 2))),
        ValueError,
        "sequence #1 has 0 time steps; expected at least 1: leave it out.",
    ),
    "all NaN": (
        lambda X: changed(X, 4, np.full((5, 2), np.nan)),
        ValueError,
        "sequence #4 has no observed value; expected at least one that is not NaN: leave it out.",
    ),
    "differing feature count": (
        lambda X: changed(X, 3, np.zeros((5, 4))),
        ValueError,
        "sequence #3 has 4 features, expected 2 as in sequence #0.",
    ),
    "5-D": (lambda X: np.zeros((4, 3, 2, 2, 2)), ValueError, "X has 5 dimensions"),
    "complex": (
        lambda X: np.zeros((4, 3, 2), dtype=complex),
        ValueError,
        "Complex data not supported",
    ),
    "generator": (
        lambda X: (x for x in X),
        TypeError,
        "X is of type generator, which can be read only once; pass list(X).",
    ),
    "too few": (
        lambda X: X[:4],
        ValueError,
        "Found n_samples=4 sequence(s) in X while a minimum of 5 is required",
    ),
}


@pytest.mark.parametrize(("make", "error", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_refused_before_any_training(make, error, message, X, monkeypatch):
    monkeypatch.setattr(LSTMAutoencoderDetector, "_fit", None)
    detector = LSTMAutoencoderDetector(**QUICK)
    with pytest.raises(error, match=re.escape(message)):
        detector.fit(make(X))
    assert vars(detector) == vars(LSTMAutoencoderDetector(**QUICK))


BAD_PARAMETERS = {
    "hidden_size": [0, (), (8, 0), (8, 2.5), "64"],
    "latent_size": [0, 1.5],
    "bottleneck": ["first"],
    "decoder": ["attention"],
    "teacher_forcing": [-0.1, 1.1],
    "bidirectional": [True, "decoder"],
    "dropout": [1.0, -0.1],
    "noise": [-0.1],
    "output_activation": ["softmax"],
    "scaler": ["max", object()],
    "loss": ["mse"],
    "learning_rate": [0.0],
    "weight_decay": [-1.0],
    "batch_size": [0],
    "max_epochs": [0],
    "early_stopping": ["yes"],
    "validation_fraction": [0.0, 1.0],
    "n_iter_no_change": [0],
    "tol": [-1e-3],
    "clip_norm": [0.0],
    "scorer": ["knn"],
    "contamination": [0.0, 0.6, "legacy"],
    "false_alarm_rate": [0.0, 0.6],
    "random_state": ["seed"],
    "verbose": [-1],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_PARAMETERS.items() for value in values],
)
def test_parameters_out_of_range_are_refused_in_scikit_learns_words(name, value, X):
    detector = LSTMAutoencoderDetector(**QUICK | {name: value})
    message = f"The {name!r} parameter of LSTMAutoencoderDetector must be .* Got .* instead."
    with pytest.raises(ValueError, match=message):
        detector.fit(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"decoder": "autoregressive", "bidirectional": "both"},
            "decoder='autoregressive' only runs forward in time; use bidirectional='encoder', or "
            "decoder='repeat'.",
        ),
        (
            {"loss": "binary_cross_entropy"},
            "loss='binary_cross_entropy' compares probabilities; use "
            "output_activation='sigmoid', not None.",
        ),
        ({"device": "abacus"}, "device='abacus' cannot be used here"),
        ({"device": "cuda:99"}, "device='cuda:99' cannot be used here"),
        (
            {"output_activation": "tanh"},
            "output_activation='tanh' only reaches values in [-1, 1], but feature 0 of the scaled "
            "training data spans [",
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(parameters, message, X):
    detector = LSTMAutoencoderDetector(**QUICK | parameters)
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.fit(X)
    assert not hasattr(detector, "module_")
    assert not hasattr(detector, "n_features_in_")


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_size": np.int64(8), "latent_size": np.int64(4)},
        {"hidden_size": [np.int64(8), 4]},
        {"hidden_size": [8]},
    ],
    ids=str,
)
def test_sizes_may_be_numpy_integers(parameters, X):
    detector = LSTMAutoencoderDetector(**QUICK | parameters).fit(X)
    assert detector.transform(X).shape == (len(X), detector.latent_size)


@pytest.mark.parametrize(
    ("spoil", "parameters", "message"),
    [
        (
            lambda x: np.column_stack([x, np.full(len(x), np.nan)]),
            {},
            "Feature 2 of X has no observed value in any of the 36 sequences to train on; leave "
            "it out.",
        ),
        (
            lambda x: x,
            {"scaler": PCA(n_components=1)},
            "The scaler PCA(n_components=1) makes 1 features of 2; it must keep their number.",
        ),
    ],
    ids=["unobserved feature", "scaler that drops features"],
)
def test_data_that_cannot_be_scaled_are_refused(spoil, parameters, message):
    X = [spoil(x) for x in make_sequences()]
    with pytest.raises(ValueError, match=re.escape(message)):
        LSTMAutoencoderDetector(**QUICK | parameters).fit(X)


def test_a_scaler_that_makes_nan_of_a_value_does_not_hide_it():
    scaler = FunctionTransformer(np.log, np.exp)
    detector = LSTMAutoencoderDetector(**QUICK, scaler=scaler).fit(make_sequences())
    message = "makes NaN of finite values; use one that is defined for all values that X may hold."
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=message):
        detector.predict([np.full((5, 2), -1.0)])


def test_an_unfitted_detector_says_so(X):
    detector = LSTMAutoencoderDetector()
    for method in ("predict", "score_samples", "transform", "reconstruct", "score"):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            getattr(detector, method)(X)
    with pytest.raises(NotFittedError):
        detector.inverse_transform(np.zeros((1, 16)), 3)
    with pytest.raises(NotFittedError):
        detector.recalibrate(contamination=0.1)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            [np.zeros((4, 3))],
            "X has 3 features, but LSTMAutoencoderDetector is expecting 2 features as input.",
        ),
        (np.zeros((3, 4)), "a 2-D X is read as one-channel rows, pass a single sequence as [X]."),
    ],
)
def test_a_differing_feature_count_at_predict_is_refused(detector, other, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.predict(other)


@pytest.mark.parametrize(
    ("latents", "lengths", "message"),
    [
        (np.zeros((2, 5)), 3, "X has 5 features, but the latents of this"),
        (np.zeros((2, 6)), 0, "lengths must be one positive int, or 2 of them"),
        (np.zeros((2, 6)), 2.5, "lengths must be one positive int, or 2 of them"),
        (np.zeros((2, 6)), [3, 4, 5], "lengths must be one positive int, or 2 of them"),
        (np.full((2, 6), np.nan), 3, "X contains NaN"),
    ],
)
def test_latents_that_cannot_be_decoded_are_refused(detector, latents, lengths, message):
    with pytest.raises(ValueError, match=message):
        detector.inverse_transform(latents, lengths)


def test_a_latent_sequence_cannot_be_decoded_from_its_mean(X):
    detector = LSTMAutoencoderDetector(**QUICK, bottleneck="sequence").fit(X)
    assert not hasattr(detector, "inverse_transform")
    with pytest.raises(AttributeError, match="has no attribute 'inverse_transform'") as refusal:
        detector.inverse_transform(detector.transform(X), 5)
    assert str(refusal.value.__cause__) == (
        "inverse_transform needs one latent vector a sequence, but bottleneck='sequence' keeps one "
        "a time step, of which transform returns the mean; use reconstruct, or another bottleneck."
    )


def test_callbacks_can_be_set_where_scikit_learn_has_them(detector):
    has_callbacks = find_spec("sklearn.callback") is not None  # since version 1.9
    assert hasattr(detector, "set_callbacks") is has_callbacks


def test_an_unknown_view_of_the_error_is_refused(detector, X):
    with pytest.raises(ValueError, match=r"The 'per' parameter of .* must be a str among"):
        detector.reconstruction_error(X, per="channel")


@pytest.mark.parametrize(("fitted", "changed"), [("sequence", "mean"), ("mean", "sequence")])
def test_the_fitted_network_says_whether_latents_can_be_decoded(X, fitted, changed):
    detector = LSTMAutoencoderDetector(**QUICK, bottleneck=fitted).fit(X)
    detector.set_params(bottleneck=changed)
    assert hasattr(detector, "inverse_transform") == (fitted == "mean")


def test_recalibrating_by_a_changed_parameter_needs_held_out_sequences_too(X):
    detector = LSTMAutoencoderDetector(**QUICK, contamination=0.1, early_stopping=False).fit(X)
    with pytest.raises(ValueError, match="needs sequences held out of training"):
        detector.set_params(contamination="auto").recalibrate(false_alarm_rate=0.2)


def test_only_the_lengths_are_metadata_of_inverse_transform():
    requests = LSTMAutoencoderDetector().get_metadata_routing()
    assert requests.inverse_transform.requests == {"lengths": None}
