"""What both detectors of sequences promise; test_incremental.py has how learning goes on."""

import inspect
import pickle
import re
import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import QUICK, exactly, make_ragged, make_waves
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import explained_variance_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector
from skl_lstmae.modules import LSTMAutoencoder, LSTMForecaster
from skl_lstmae.scoring.scorers import SCORERS
from skl_lstmae.training.model import Model
from skl_lstmae.training.progress import Progress

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PREDICT = {LSTMAutoencoderDetector: "reconstruct", LSTMForecastDetector: "predict_steps"}
ERROR = {LSTMAutoencoderDetector: "reconstruction_error", LSTMForecastDetector: "prediction_error"}


def make(kind, **parameters):
    return kind(**QUICK | parameters)


def predictions(detector, X):
    return getattr(detector, PREDICT[type(detector)])(X)


def errors(detector, X, **view):
    return getattr(detector, ERROR[type(detector)])(X, **view)


def far_from_scaled_units(X):
    return [50 + 10 * x for x in X]


def with_gaps(X):
    """Copy sequences, of which some cells, and all cells of a step, are then missing."""
    X = [x.copy() for x in X]
    X[0][-1, 0] = np.nan
    long = next(x for x in X if len(x) > 5)
    long[:2, 1] = long[3] = np.nan
    return X


def padded(X, n_steps):
    array = np.full((len(X), n_steps, X[0].shape[1]), np.nan)
    for row, x in zip(array, X, strict=True):
        row[: len(x)] = x
    return array


WHOLE = far_from_scaled_units(make_ragged(40))
X = with_gaps(WHOLE)


@pytest.fixture(params=PREDICT, ids=["autoencoder", "forecaster"])
def kind(request):
    return request.param


@pytest.fixture(scope="module", params=PREDICT, ids=["autoencoder", "forecaster"])
def detector(request):
    """Return a fitted detector, which tests leave as it is."""
    return make(request.param, max_epochs=15, learning_rate=0.01).fit(X)


# -------------------------------------------------------------------------------- the architectures

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


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")  # one by one of the networks
@pytest.mark.parametrize(("system", "parameters"), ARCHITECTURES.items(), ids=ARCHITECTURES)
def test_every_architecture_learns_ragged_data_with_a_missing_cell(system, parameters):
    sequences = with_gaps(far_from_scaled_units(make_ragged(40, n_features=4)))
    given = sequences
    if "S11" in system:
        given = padded(sequences, 20).reshape(40, 20, 2, 2)
    training = {"hidden_size": 24, "max_epochs": 60, "learning_rate": 0.01}
    detector = make(LSTMAutoencoderDetector, **training | parameters).fit(given)

    assert detector.score(given) > 0.15  # the mean of each feature would have 0
    reconstructed = detector.reconstruct(given)
    if "S11" in system:
        assert reconstructed.shape == given.shape
        rows = reconstructed.reshape(40, 20, 4)
        reconstructed = [row[: len(x)] for row, x in zip(rows, sequences, strict=True)]
    assert [x.shape for x in reconstructed] == [x.shape for x in sequences]
    assert np.isfinite(np.concatenate(reconstructed)).all()
    bias = np.nanmean(np.concatenate(sequences) - np.concatenate(reconstructed))
    assert abs(bias) < 2
    assert detector.transform(given).shape == (40, detector.latent_size)
    assert detector.n_features_in_ == 4


# --------------------------------------------------------------------------------- what is returned


def test_scores_decisions_and_labels_agree(detector):
    scores = detector.score_samples(X)
    assert (scores.shape, scores.dtype) == ((40,), np.float64)
    assert_array_equal(detector.decision_function(X), scores - detector.offset_)
    labels = detector.predict(X)
    assert (labels.shape, labels.dtype) == ((40,), np.int64)
    assert_array_equal(labels, np.where(scores < detector.offset_, -1, 1))
    assert detector.n_epochs_ == len(detector.loss_curve_)
    assert_array_equal(make(type(detector)).fit_predict(X), make(type(detector)).fit(X).predict(X))


ARRAYS = list(make_waves(n_timesteps=8))
CUBE = np.stack(ARRAYS)
INDEX = pd.MultiIndex.from_product([range(24), range(8)], names=["sequence", "time"])
FORMS = {
    "tensors": [torch.tensor(x) for x in ARRAYS],
    "3-D": CUBE,
    "4-D": CUBE.reshape(24, 8, 2, 1),
    "panel": pd.DataFrame(CUBE.reshape(-1, 2), index=INDEX, columns=["a", "b"]),
    "frames": [pd.DataFrame(x, columns=["a", "b"]) for x in ARRAYS],
}


@pytest.mark.parametrize("form", FORMS)
def test_results_take_the_form_of_the_input(kind, form):
    of_arrays, of_form = make(kind).fit(ARRAYS), make(kind).fit(FORMS[form])
    predicted = predictions(of_form, FORMS[form])
    steps = errors(of_form, FORMS[form], per="timestep")
    if form == "panel":
        pd.testing.assert_index_equal(predicted.index, INDEX)
        pd.testing.assert_index_equal(steps.index, INDEX)
        predicted, steps = predicted.to_numpy(), steps.to_numpy()
    else:
        assert np.shape(predicted) == np.shape(FORMS[form])
        assert np.shape(steps) == (24, 8)
    # A frame's columns lie apart, which the last bit of the scaler's sums may depend on.
    expected = predictions(of_arrays, ARRAYS)
    assert_allclose(np.reshape(predicted, CUBE.shape), expected, rtol=1e-4, atol=1e-6)
    expected = errors(of_arrays, ARRAYS, per="timestep")
    assert_allclose(np.reshape(steps, (24, 8)), expected, rtol=1e-4)


def test_a_table_has_a_sequence_of_one_feature_in_each_row(kind):
    table = CUBE[:, :, 0]
    detector = make(kind).fit(table)
    assert detector.n_features_in_ == 8
    assert predictions(detector, table).shape == table.shape
    scores = detector.score_samples(table)
    assert_array_equal(detector.score_samples(list(table)), scores)
    assert_array_equal(detector.score_samples(table[:, :, np.newaxis]), scores)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, bool])
def test_number_types_are_accepted(kind, dtype):
    numbers = [(x > 0 if dtype is bool else 50 * x).astype(dtype) for x in ARRAYS]
    detector = make(kind).fit(numbers)
    assert np.isfinite(detector.score_samples(numbers)).all()
    expected = np.float32 if dtype == np.float32 else np.float64
    assert {x.dtype for x in predictions(detector, numbers)} == {np.dtype(expected)}


def test_the_error_is_the_mean_loss_of_observed_cells_and_its_views_add_up(
    detector,
):
    differences = [x - y for x, y in zip(X, predictions(detector, X), strict=True)]
    expected = [np.nanmean(np.square(cells / detector.scaler_.scale_)) for cells in differences]
    total = errors(detector, X)
    assert_allclose(total, expected, rtol=1e-4)
    by_step = errors(detector, X, per="timestep")
    assert_allclose([steps.sum() for steps in by_step], total, rtol=1e-13)
    by_feature = errors(detector, X, per="feature")
    assert_allclose(by_feature.sum(axis=1), total, rtol=1e-13)
    gap = next(i for i, x in enumerate(X) if np.isnan(x).all(axis=1).any())
    assert by_step[gap][3] == 0
    with pytest.raises(ValueError, match=r"The 'per' parameter of .* must be a str among"):
        errors(detector, X, per="channel")


def test_score_is_the_explained_variance_of_observed_cells_in_input_units(detector):
    actual, predicted = np.concatenate(X), np.concatenate(predictions(detector, X))
    seen = ~np.isnan(actual)
    by_feature = [
        explained_variance_score(actual[seen[:, j], j], predicted[seen[:, j], j]) for j in (0, 1)
    ]
    assert detector.score(X) == pytest.approx(np.mean(by_feature))


def test_huge_values_score_low_and_finite(detector):
    huge = [np.full((5, 2), 1e300)]
    assert detector.score_samples(X).min() > detector.score_samples(huge)[0] > -np.inf
    assert detector.predict(huge).tolist() == [-1]


def test_anomalies_score_lower_than_normal_sequences(kind):
    detector = make(kind, hidden_size=16, max_epochs=60, learning_rate=0.01)
    detector.fit(make_ragged(200))
    rng = np.random.default_rng(0)
    strange = detector.score_samples([rng.permutation(x) for x in make_ragged(50, seed=5)])
    normal = detector.score_samples(make_ragged(50, seed=6))
    assert np.mean(strange[:, np.newaxis] < normal) > 0.9


# ------------------------------------------------------------------------- nothing but the sequence

OF_BOTH = [
    {},
    *({"scorer": scorer} for scorer in SCORERS),
    {"hidden_size": (7, 5), "dropout": 0.2},
    BOUNDED,
    {"output_activation": "tanh", "scaler": MinMaxScaler((-1, 1))},
    {"output_activation": "relu", "scaler": "minmax"},
]
OF_AUTOENCODER = [
    {"hidden_size": 16, "latent_size": 16},
    {"hidden_size": (8, 8), "bottleneck": "sequence", "bidirectional": "encoder"},
    {"hidden_size": (7, 5), "bidirectional": "both"},
    {"bottleneck": "max", "scaler": "robust", "latent_size": 5},
    {"decoder": "autoregressive", "skip_connection": True, **BOUNDED},
]


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [(kind, parameters) for kind in PREDICT for parameters in OF_BOTH]
    + [(LSTMAutoencoderDetector, parameters) for parameters in OF_AUTOENCODER],
)
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")  # which are, by chance
def test_no_bit_of_a_score_depends_on_company_order_or_padding(kind, parameters):
    sequences = with_gaps(make_ragged(150, shortest=1, longest=60, n_features=3))
    detector = make(kind, **parameters, max_epochs=2).fit(sequences)
    scores = detector.score_samples(sequences)
    some = slice(0, 150, 3)
    alone = np.concatenate([detector.score_samples([x]) for x in sequences[some]])
    assert_array_equal(alone, scores[some])
    order = np.random.default_rng(0).permutation(150)
    assert_array_equal(detector.score_samples([sequences[i] for i in order]), scores[order])
    assert_array_equal(detector.score_samples(padded(sequences, 100)), scores)


@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust", None])
@pytest.mark.parametrize("offset", [1e4, -1e6])
def test_far_from_zero_a_score_does_not_depend_on_the_digits_of_others(kind, scaler, offset):
    short = [(x + offset).astype(np.float32) for x in make_ragged(40)]
    long = [x.astype(np.float64) for x in short]
    detector = make(kind, scaler=scaler).fit(short)
    scores = detector.score_samples(short)
    assert_array_equal(detector.score_samples(long), scores)
    assert_array_equal(detector.score_samples([*short[:9], long[9]])[:9], scores[:9])


def test_no_bit_of_errors_and_predictions_depends_on_the_company(detector):
    by_feature, predicted = errors(detector, X, per="feature"), predictions(detector, X)
    for i in (0, 1, 17):
        assert_array_equal(errors(detector, [X[i]], per="feature")[0], by_feature[i])
        assert_array_equal(predictions(detector, [X[i]])[0], predicted[i])


def test_the_value_behind_a_gap_enters_neither_the_fit_nor_a_score(kind):
    behind = [np.where(np.isnan(x), 1e9, x) for x in X]
    masked = [np.ma.masked_array(x, np.isnan(y)) for x, y in zip(behind, X, strict=True)]
    one, other = make(kind).fit(X), make(kind).fit(masked)
    assert_array_equal(one.score_samples(X), other.score_samples(masked))


def test_a_gap_moves_a_score_less_than_a_wrong_value(detector):
    fresh = far_from_scaled_units(make_ragged(40, seed=2))
    gaps, zeros = [x.copy() for x in fresh], [x.copy() for x in fresh]
    for gap, zero in zip(gaps, zeros, strict=True):
        gap[4, 0], zero[4, 0] = np.nan, 0.0
    scores = detector.score_samples(fresh)
    by_gap = np.abs(detector.score_samples(gaps) - scores)
    by_zero = np.abs(detector.score_samples(zeros) - scores)
    assert np.median(by_gap) < 0.1 * np.median(by_zero)


@pytest.mark.parametrize("scorer", ["joint", "neighbors"])
def test_rounding_changes_scores_of_training_sequences_by_little(kind, scorer):
    """Which of the references is the sequence itself does not hang on its last bits."""
    waves = make_waves(60)
    detector = make(kind, scorer=scorer).fit(waves)
    scores = detector.score_samples(waves)
    noise = np.random.default_rng(1).normal(size=waves.shape)
    assert_allclose(detector.score_samples(waves + 1e-5 * noise), scores, rtol=0.01)
    with torch.no_grad():
        for weight in detector.module_.parameters():
            weight *= 1 + 1e-5 * torch.randn(weight.shape, generator=torch.Generator())
    assert_allclose(detector.score_samples(waves), scores, rtol=0.01)


# -------------------------------------------------------------------------------------- determinism


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [(kind, {"hidden_size": (8, 8), "dropout": 0.3, "noise": 0.1}) for kind in PREDICT]
    + [(LSTMAutoencoderDetector, {"decoder": "autoregressive"})],
)
def test_the_same_random_state_gives_the_same_weights_and_leaves_the_global_ones_alone(
    kind, parameters
):
    def weights(random_state):
        module = make(kind, **parameters).set_params(random_state=random_state).fit(X).module_
        return torch.cat([weight.flatten() for weight in module.state_dict().values()])

    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))
    states = [np.random.RandomState(5) for _ in range(2)]
    assert torch.equal(weights(states[0]), weights(states[1]))
    assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


# --------------------------------------------------------------------------------------- thresholds


@pytest.mark.parametrize("scorer", SCORERS)
def test_contamination_is_the_flagged_share_of_the_training_data_and_about_that_of_fresh(
    kind, scorer
):
    sequences = make_ragged(600, n_features=1)
    detector = make(kind, scorer=scorer, contamination=0.1).fit(sequences[:300])
    assert (detector.predict(sequences[:300]) == -1).sum() == 30
    # A training sequence is judged by the others alone, a fresh one by all, and so is nearer.
    assert 0.01 < (detector.predict(sequences[300:]) == -1).mean() < 0.2


def test_an_anomaly_in_the_training_data_is_found_there(kind):
    shifts = [(8, 0), (0, 8), (-8, 0), (0, -8), (8, -8)]
    strange = [x + shift for x, shift in zip(make_ragged(5, seed=5), shifts, strict=True)]
    labels = make(kind, contamination=0.1).fit_predict([*make_ragged(95), *strange])
    assert labels[95:].tolist() == [-1] * 5


def test_false_alarms_come_at_the_rate_asked_for(kind):
    sequences = make_ragged(1300, n_features=1)
    rule = {"validation_fraction": 0.9, "false_alarm_rate": 0.05, "early_stopping": False}
    detector = make(kind, **rule).fit(sequences[:400])
    n_flagged = (detector.predict(sequences[400:]) == -1).sum()
    # Beta-binomial: 900 fresh sequences, the threshold at rank 18 of 360 calibration scores.
    standard_deviation = np.sqrt(900 * 0.05 * 0.95 * (1 + 900 / 362))
    assert abs(n_flagged - 0.05 * 900) < 3 * standard_deviation


def test_the_rule_can_be_changed_without_running_the_network(kind, monkeypatch):
    rules = [{"false_alarm_rate": 0.1}, {"false_alarm_rate": 1e-3}, {"contamination": 0.2}]
    # Which holds sequences out whatever the rule.
    expected = [make(kind, early_stopping=True, **rule).fit(X).offset_ for rule in rules]
    detector = make(kind, early_stopping=True).fit(X)
    monkeypatch.setattr(Model, "outcomes", None)
    with pytest.raises(TypeError):
        detector.score_samples(X)
    assert [detector.recalibrate(**rule).offset_ for rule in rules] == expected
    assert (detector.contamination, detector.false_alarm_rate) == (0.2, 1e-3)


def test_sequences_that_drifted_may_be_calibrated_on(kind):
    sequences = make_ragged(900, n_features=1)
    recent, fresh = ([1.5 * x for x in part] for part in (sequences[300:600], sequences[600:]))
    detector = make(kind, false_alarm_rate=0.05).fit(sequences[:300])
    with pytest.warns(UserWarning, match="what is normal has drifted"):
        scores, n_flagged = detector.score_samples(fresh), (detector.predict(fresh) == -1).sum()
    detector.recalibrate(recent)
    assert (detector.predict(fresh) == -1).sum() < 0.1 * 300 < n_flagged
    assert_array_equal(detector.score_samples(fresh), scores)
    # The 15th lowest of 300 scores: split conformal prediction at 0.05.
    assert detector.offset_ == np.sort(detector.score_samples(recent))[14]
    detector.recalibrate(contamination=0.5)
    assert detector.offset_ == np.median(detector.score_samples(recent))


def test_the_offset_may_be_set_by_hand(kind):
    detector = make(kind)
    with pytest.raises(NotFittedError):
        detector.offset_ = -1.0
    by_rule, scores = detector.fit(X).offset_, detector.score_samples(X)
    detector.offset_ = np.median(scores)
    assert_array_equal(detector.decision_function(X), scores - np.median(scores))
    assert (detector.predict(X) == -1).sum() == 20
    assert detector.recalibrate().offset_ == by_rule
    for no_number in (np.nan, np.inf, None, [1.0]):
        with pytest.raises(ValueError, match="offset_ must be a finite number"):
            detector.offset_ = no_number


RULES = {
    r"X holds 2 sequence\(s\) to calibrate on; expected at least 3: pass more\.": (
        {},
        {"X": X[:2], "false_alarm_rate": 0.2},
    ),
    r"The 'contamination' parameter of \w+ must be .* Got 0\.7 instead\.": (
        {},
        {"contamination": 0.7},
    ),
}


@pytest.mark.parametrize("sentence", RULES)
def test_a_rule_that_cannot_be_followed_leaves_the_detector_as_it_was(kind, sentence):
    parameters, rule = RULES[sentence]
    detector = make(kind, **parameters).fit(X)
    state = dict(vars(detector))
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        detector.recalibrate(**rule)
    assert vars(detector) == state


# ----------------------------------------------------------------------------------------- training


def test_held_out_sequences_are_not_trained_on(kind):
    detector = make(kind, validation_fraction=0.5).fit(make_waves(20, n_timesteps=10))
    assert detector.scaler_.n_samples_seen_ == 10 * 10


def test_early_stopping_keeps_the_weights_of_the_best_epoch(kind):
    parameters = {"early_stopping": True, "learning_rate": 0.1, "n_iter_no_change": 5}
    detector = make(kind, max_epochs=100, **parameters).fit(X)
    best = int(np.argmin(detector.validation_loss_curve_))
    assert best < detector.n_epochs_ - 1
    short = make(kind, max_epochs=best + 1, **parameters).fit(X)
    assert_array_equal(short.score_samples(X), detector.score_samples(X))


def test_without_early_stopping_training_goes_on_to_the_end(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = make(kind, max_epochs=40, tol=10.0, n_iter_no_change=3).fit(X)
    assert detector.validation_loss_curve_ == []
    assert detector.n_epochs_ == 40


@pytest.mark.parametrize(
    ("parameters", "n_epochs"),
    [({}, 60), ({"batch_size": 1}, 60), ({"early_stopping": True, "tol": 0.0}, 200)],
)
def test_the_number_of_epochs_is_chosen_by_the_number_of_steps(kind, parameters, n_epochs):
    parameters = {"n_iter_no_change": 200, "hidden_size": 1, "contamination": 0.1, **parameters}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert make(kind, max_epochs="auto", **parameters).fit(X).n_epochs_ == n_epochs


@pytest.fixture
def interrupted(monkeypatch):
    """Interrupt each training after its third epoch."""
    judge = Progress.judge

    def judge_and_interrupt(progress, *args):
        judge(progress, *args)
        if progress.n_epochs == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "judge", judge_and_interrupt)


INTERRUPTED = exactly(
    "training was interrupted after 3 epochs; what was being fitted has the weights of the last of "
    "them, or with early stopping of the best."
)


@pytest.mark.usefixtures("interrupted")
def test_an_interrupt_leaves_the_last_weights_and_goes_on_up(kind):
    detector = make(kind, max_epochs=100)
    series = SlidingWindowDetector(clone(detector), window_size=5)
    with pytest.raises(KeyboardInterrupt, match=INTERRUPTED):
        detector.fit(X)
    with pytest.raises(KeyboardInterrupt, match=INTERRUPTED):
        series.fit(X[0])
    assert (detector.n_epochs_, series.detector_.n_epochs_) == (3, 3)
    assert set(detector.predict(X)) | set(series.predict(X[0])) <= {-1, 1}
    again = pickle.loads(pickle.dumps(detector.set_params(warm_start=True, max_epochs=1)))
    assert again.fit(X).n_epochs_ == 4


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize(
    "wrap", [lambda detector: detector, lambda detector: make_pipeline("passthrough", detector)]
)
def test_an_interrupt_ends_a_search(kind, wrap):
    detector = wrap(make(kind, max_epochs=100))
    search = GridSearchCV(detector, {}, cv=2)
    with pytest.raises(KeyboardInterrupt, match=INTERRUPTED):
        search.fit(X)
    with pytest.raises(KeyboardInterrupt, match=INTERRUPTED):
        cross_val_score(detector, X, cv=2)


@pytest.mark.parametrize("warm_start", [False, True])
def test_a_diverging_fit_says_what_to_change_and_changes_nothing(kind, warm_start):
    detector = make(kind, warm_start=warm_start).fit(X)
    scores = detector.score_samples(X)
    detector.set_params(learning_rate=1e30, clip_norm=None, max_epochs=50)
    state = dict(vars(detector))
    sentence = r"The training loss became \w+; lower learning_rate, set clip_norm, or choose a"
    with pytest.raises(ValueError, match=sentence):
        detector.fit(X[:20])
    assert vars(detector) == state
    assert_array_equal(detector.score_samples(X), scores)


def test_verbose_prints_the_epochs(kind, capsys):
    make(kind, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == [f"Epoch {i}" for i in (1, 2, 3, 4)]


# --------------------------------------------------------------------- losses, scorers and networks


def test_a_loss_may_be_a_function(kind):
    def square(prediction, target):
        return (prediction - target).square()

    named, own = make(kind).fit(X), make(kind, loss=square).fit(X)
    assert_array_equal(own.score_samples(X), named.score_samples(X))

    mean = "loss returns () for predictions of shape (2, 2); expected the loss of each cell"
    with pytest.raises(ValueError, match=re.escape(mean)):
        make(kind, loss=lambda prediction, target: square(prediction, target).mean()).fit(X)
    with pytest.raises(ValueError, match=r"loss is negative, -0\.5, for"):
        make(kind, loss=lambda prediction, target: prediction - target).fit(X)

    quartic = make(kind, loss=lambda prediction, target: square(prediction, target).square())
    differences = [x - y for x, y in zip(X, predictions(quartic.fit(X), X), strict=True)]
    expected = [np.nanmean((cells / quartic.scaler_.scale_) ** 4) for cells in differences]
    assert_allclose(errors(quartic, X), expected, rtol=1e-4)


def test_changing_the_loss_of_a_fitted_detector_changes_no_score(kind):
    detector = make(kind).fit(X)
    scores = detector.score_samples(X)
    assert_array_equal(detector.set_params(loss="huber").score_samples(X), scores)


def test_the_named_scorers_of_errors_are_what_they_say(kind):
    mean, worst = (make(kind, scorer=scorer).fit(WHOLE) for scorer in ("error", "error_max"))
    assert_array_equal(mean.score_samples(WHOLE), -errors(mean, WHOLE))
    by_step = errors(worst, WHOLE, per="timestep")
    expected = [-len(steps) * steps.max() for steps in by_step]  # a step's share is of the mean
    assert_allclose(worst.score_samples(WHOLE), expected)


def last_step(errors, latents):
    return np.array([-np.nanmean(sequence[-1]) for sequence in errors])


class DistanceFromMedian:
    """An own scorer that is no `Scorer`."""

    def fit(self, summaries):
        self.median_ = np.nanmedian(summaries, axis=0)

    def score(self, summaries):
        return -np.nanmax(np.abs(summaries - self.median_), axis=1)


def test_a_scorer_may_be_a_function_or_an_object_of_ones_own(kind):
    of_function = make(kind, scorer=last_step).fit(X)
    by_step = errors(of_function, X, per="timestep")
    expected = [
        -steps[-1] * np.isfinite(x).sum() / np.isfinite(x[-1]).sum()
        for x, steps in zip(X, by_step, strict=True)
    ]
    assert_allclose(of_function.score_samples(X), expected)
    scorer = DistanceFromMedian()
    of_object = make(kind, scorer=scorer).fit(X)
    assert of_object.score_samples([*X[:3], 9 * X[3]]).argmin() == 3
    assert not hasattr(scorer, "median_")  # the detector has a copy


NETWORKS = {
    LSTMAutoencoderDetector: lambda n: LSTMAutoencoder(n, hidden_size=[4], latent_size=2),
    LSTMForecastDetector: lambda n: LSTMForecaster(n, hidden_size=[4], noise=0.0),
}


def test_a_network_may_be_made_by_a_function_or_have_been_trained(kind):
    def make(kind, **parameters):
        quick = {name: QUICK[name] for name in QUICK.keys() - {"hidden_size", "latent_size"}}
        return kind(**quick | parameters)

    made = make(kind, network=NETWORKS[kind]).fit(X)
    assert made.n_epochs_ == 4
    trained = make(kind, network=made.module_, max_epochs=0).fit(X)
    assert trained.loss_curve_ == []
    assert trained.module_ is not made.module_
    assert_array_equal(trained.score_samples(X), made.score_samples(X))
    more = make(kind, network=made.module_).fit(X)
    assert more.loss_curve_[0] < made.loss_curve_[0]
    assert_array_equal(trained.score_samples(X), made.score_samples(X))


# ------------------------------------------------------------------------- parameters and bad input


def test_parameters_of_both_have_the_same_defaults():
    its = dict(inspect.signature(LSTMAutoencoderDetector).parameters)
    own = dict(inspect.signature(LSTMForecastDetector).parameters)
    assert own.keys() < its.keys()
    assert {name: p.default for name, p in own.items() if p.default != its[name].default} == {
        "noise": 0.0,
        "scorer": "neighbors",
    }


@pytest.mark.parametrize("hidden_size", [np.int64(8), [np.int64(8), 4], [8]], ids=str)
def test_sizes_may_be_numpy_integers(kind, hidden_size):
    assert make(kind, hidden_size=hidden_size).fit(X).predict(X).shape == (40,)


def test_callbacks_can_be_set_where_scikit_learn_has_them(kind):
    has_callbacks = find_spec("sklearn.callback") is not None  # since version 1.9
    assert hasattr(kind(), "set_callbacks") is has_callbacks


UNFIT = {
    "infinity": ([*X, np.full((5, 2), np.inf)], "sequence #40 holds infinity at step 0, feature 0"),
    "too few": (X[:4], r"Found n_samples=4 sequence\(s\) in X"),
}


@pytest.mark.parametrize("unfit", UNFIT)
def test_bad_input_is_refused_before_any_training(kind, unfit):
    given, message = UNFIT[unfit]
    detector = make(kind, network=lambda n_features: pytest.fail("a network was made"))
    state = dict(vars(detector))
    with pytest.raises(ValueError, match=message):
        detector.fit(given)
    assert vars(detector) == state


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
    "network": ["lstm"],
    "scaler": ["max", object()],
    "loss": ["mse"],
    "learning_rate": [0.0],
    "weight_decay": [-1.0],
    "batch_size": [0],
    "max_epochs": [-1],
    "early_stopping": ["yes"],
    "validation_fraction": [0.0, 1.0],
    "n_iter_no_change": [0],
    "tol": [-1e-3],
    "clip_norm": [0.0],
    "warm_start": ["yes"],
    "scorer": ["knn"],
    "contamination": [0.0, 0.6, "legacy"],
    "false_alarm_rate": [0.0, 0.6],
    "random_state": ["seed"],
    "verbose": [-1],
}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind in PREDICT
        for name, values in BAD_PARAMETERS.items()
        for value in values
        if name in inspect.signature(kind).parameters
    ],
)
def test_parameters_out_of_range_are_refused_in_scikit_learns_words(kind, name, value):
    message = f"The {name!r} parameter of {kind.__name__} must be .* Got .* instead."
    with pytest.raises(ValueError, match=message):
        make(kind, **{name: value}).fit(X)


MISFITS = {
    "loss='binary_cross_entropy' compares probabilities; use output_activation='sigmoid', not "
    "None.": {"loss": "binary_cross_entropy"},
    "device='abacus' cannot be used here: ": {"device": "abacus"},
    "device='cuda:99' cannot be used here: ": {"device": "cuda:99"},
    "output_activation='tanh' only reaches values in [-1, 1], but feature 0 of the scaled training "
    "data spans [": {"output_activation": "tanh"},
    "max_epochs=0 leaves the network untrained; pass one that has been trained as network, or "
    "train for 1 epoch at least.": {"max_epochs": 0},
    "The scaler PCA(n_components=1) makes 1 features of 2; it must keep their number.": {
        "scaler": PCA(n_components=1)
    },
}


@pytest.mark.parametrize("sentence", MISFITS)
def test_parameters_that_do_not_go_together_leave_the_detector_as_it_was(kind, sentence):
    detector = make(kind, **MISFITS[sentence])
    state = dict(vars(detector))
    end = "$" if sentence.endswith(".") else ""  # else it goes on with what torch or X says
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}{end}"):
        detector.fit(WHOLE)
    assert vars(detector) == state


def test_no_epochs_will_do_for_a_warm_start_that_has_something_to_go_on_from(kind):
    detector = make(kind, warm_start=True, max_epochs=0)
    with pytest.raises(ValueError, match="max_epochs=0 leaves the network untrained"):
        detector.fit(X)
    scores = detector.set_params(max_epochs=4).fit(X).score_samples(X)
    again = detector.set_params(max_epochs=0).fit(X)
    assert again.n_epochs_ == 4
    assert_array_equal(again.score_samples(X), scores)


def test_a_network_yet_to_be_made_is_not_left_untrained_but_by_the_epoch_of_partial_fit(kind):
    with pytest.raises(ValueError, match="max_epochs=0 leaves the network untrained"):
        make(kind, network=lambda n_features: None, max_epochs=0).fit(X)
    assert make(kind, max_epochs=0).partial_fit(X).n_epochs_ == 1


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_feature_that_is_never_observed_is_left_out(kind, scorer):
    names = ["temp", "dead", "flow"]
    dead, alive = (
        [pd.DataFrame(np.insert(x, 1, value, axis=1), columns=names) for x in X]
        for value in (np.nan, 5.0)
    )
    sentence = (
        "X has no observed value of feature 'dead' to train on: left out, and later values count "
        "as missing."
    )
    with pytest.warns(UserWarning, match=exactly(sentence)):
        detector = make(kind, scorer=scorer).fit(dead)
    scores = detector.score_samples(dead)
    assert np.isfinite(scores).all()
    assert_array_equal(detector.score_samples(alive), scores)
    assert detector.score(alive) == detector.score(dead)
    shares = errors(detector, alive, per="feature")
    assert (shares[:, 1] == 0).all()
    assert_allclose(shares.sum(axis=1), errors(detector, alive))
    predicted = predictions(detector, alive)[0]
    assert predicted["dead"].isna().all()
    assert predicted[["temp", "flow"]].notna().all(axis=None)
    assert np.isfinite(detector.partial_fit(alive).score_samples(alive)).all()


@pytest.mark.parametrize(
    "place", [lambda one: one, lambda one: SlidingWindowDetector(one, window_size=5)]
)
def test_a_feature_that_is_never_observed_is_refused_if_so_asked(kind, place):
    detector = place(make(kind, empty_features="refuse"))
    names = ["temp", "dead", "flow"]
    frames = [pd.DataFrame(np.insert(x, 1, np.nan, axis=1), columns=names) for x in X]
    sentence = "^X has no observed value of feature 'dead' to train on, "
    with pytest.raises(ValueError, match=sentence + "which empty_features='refuse' refuses; leave"):
        detector.fit(frames)
    assert not hasattr(detector, "offset_")


def test_a_sensor_of_a_series_that_is_never_observed_is_left_out(kind):
    series = pd.DataFrame(np.insert(np.concatenate(X), 1, np.nan, axis=1), columns=list("abc"))
    detector = SlidingWindowDetector(make(kind), window_size=8, random_state=0)
    with pytest.warns(UserWarning, match="^X has no observed value of feature 'b' to train on"):
        detector.fit(series)
    assert np.isfinite(detector.score_samples(series)).all()


def test_a_scaler_that_makes_nan_of_a_value_does_not_hide_it(kind):
    detector = make(kind, scaler=FunctionTransformer(np.log, np.exp)).fit(WHOLE)
    message = "makes NaN of finite values of features 0 and 1; use one that is defined for all"
    with pytest.raises(ValueError, match=message):
        detector.predict([np.full((5, 2), -1.0)])


def test_an_unfitted_detector_says_so(kind):
    methods = ["predict", "score_samples", "score", "recalibrate", PREDICT[kind], ERROR[kind]]
    methods += ["transform"] if kind is LSTMAutoencoderDetector else ["forecast"]
    for method in methods:
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            getattr(kind(), method)(X)
