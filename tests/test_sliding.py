"""The detector of rows: any detector of sequences, or of table rows, slides over long series."""

import pickle
import re
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import explained_variance_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import get_tags

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMForecastDetector,
    SlidingWindowDetector,
    _windows,
)
from skl_lstmae._scoring import SCORERS
from skl_lstmae._sequences import Sequences, check_series
from skl_lstmae._sliding import MAX_LENDING_WINDOWS, WINDOWS_PER_EPOCH
from skl_lstmae._windows import merge, split

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {"hidden_size": 4, "latent_size": 2, "max_epochs": 2, "device": "cpu"}
WINDOW = 8


def make_series(n_timesteps=300, n_features=2, seed=0):
    """Noisy sines around 50, far from scaled units."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, size=n_features)
    sines = np.sin(np.arange(n_timesteps)[:, np.newaxis] / 3 + phases)
    return 50 + 10 * sines + rng.normal(size=(n_timesteps, n_features))


def make_detector(inner=None, **parameters):
    parameters = {"window_size": WINDOW, "random_state": 0, **parameters}
    inner = LSTMAutoencoderDetector(**QUICK) if inner is None else inner
    return SlidingWindowDetector(inner, **parameters)


def exactly(sentence):
    return "^" + re.escape(sentence) + "$"


@pytest.fixture(scope="module")
def detector():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_detector().fit(make_series())


class Recorder(LSTMAutoencoderDetector):
    """Keeps the windows that it is trained on."""

    def _fit_windows(self, parts):
        self.parts_ = parts
        return super()._fit_windows(parts)


OF_SCIKIT_LEARN = [
    IsolationForest(n_estimators=10),
    LocalOutlierFactor(novelty=True),
    OneClassSVM(),
    EllipticEnvelope(support_fraction=0.9),
    make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
    make_pipeline(StandardScaler(), OneClassSVM()),
]


class TableRecorder(OutlierMixin, BaseEstimator):
    """Scores a row of a table by its first number, and keeps the tables' shapes."""

    def fit(self, X, y=None):
        self.shapes_ = [X.shape]
        self.X_ = X
        return self

    def decision_function(self, X):
        self.shapes_.append(X.shape)
        return -np.abs(X[:, 0])


# ------------------------------------------------------------------------------- the forms of X


def test_every_row_has_a_score_in_every_form_of_a_series(detector, tmp_path):
    X = make_series(40, seed=1)
    expected = detector.score_samples(X)
    assert expected.shape == (40,)
    assert np.isfinite(expected).all()

    memory_map = np.memmap(tmp_path / "series", mode="w+", shape=X.shape, dtype=X.dtype)
    memory_map[:] = X
    frame = pd.DataFrame(X)
    timed = frame.set_axis(pd.date_range("2024", periods=40, freq="30min"))
    for form in (memory_map, X.tolist(), np.asfortranarray(X), frame, timed):
        assert_array_equal(detector.score_samples(form), expected)


def test_series_of_a_list_have_results_of_their_own(detector):
    X = [make_series(n, seed=n) for n in (40, 3, WINDOW, 25)]
    for method in "score_samples", "decision_function", "predict":
        together = getattr(detector, method)(X)
        assert [len(part) for part in together] == [40, 3, 8, 25]
        for part, series in zip(together, X, strict=True):
            assert_array_equal(part, getattr(detector, method)(series))


def test_series_of_a_panel_are_scored_apart(detector):
    X = [make_series(40, seed=1), make_series(20, seed=2)]
    panel = pd.concat({"b": pd.DataFrame(X[0]), "a": pd.DataFrame(X[1])})
    assert_array_equal(detector.score_samples(panel), np.concatenate(detector.score_samples(X)))


def test_no_training_window_crosses_from_one_series_into_another():
    X = [make_series(n, seed=n) for n in (60, 45, 80)]
    parts = make_detector(Recorder(**QUICK)).fit(X).detector_.parts_
    owners = np.repeat([0, 1, 2], [60, 45, 80])
    for windows in parts.training, parts.held_out:
        last_rows = windows.starts + windows.lengths - 1
        assert_array_equal(owners[windows.starts], owners[last_rows])
        assert set(owners[windows.starts]) == {0, 1, 2}


def test_memory_map_is_read_where_it_lies(detector, tmp_path):
    X = np.memmap(tmp_path / "series", mode="w+", shape=(50, 2), dtype=np.float32)
    X[:] = make_series(50)
    fitted = make_detector(Recorder(**QUICK)).fit(X)
    assert np.shares_memory(fitted.detector_.parts_.training.values, X)


# ----------------------------------------------------------------------------- scores of rows


OF_A_ROW = {
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "mean_min": lambda scores: (np.mean(scores) + np.min(scores)) / 2,
}


@pytest.mark.parametrize("aggregation", OF_A_ROW)
@pytest.mark.parametrize("stride", [1, 3, WINDOW])
def test_score_of_a_row_aggregates_those_of_its_windows(aggregation, stride):
    X = make_series(50)
    fitted = make_detector(aggregation=aggregation, stride=stride).fit(make_series())
    starts = [*range(0, 50 - WINDOW, stride), 50 - WINDOW]
    scores = fitted.detector_.score_samples([X[start : start + WINDOW] for start in starts])
    expected = [
        OF_A_ROW[aggregation](
            [score for s, score in zip(starts, scores, strict=True) if s <= row < s + WINDOW]
        )
        for row in range(50)
    ]
    assert_allclose(fitted.score_samples(X), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "inner",
    [
        *(LSTMAutoencoderDetector(**QUICK, scorer=scorer) for scorer in SCORERS),
        LSTMForecastDetector(hidden_size=4, max_epochs=2, device="cpu"),
    ],
    ids=[*SCORERS, "forecaster"],
)
@pytest.mark.parametrize("aggregation", ["mean", "mean_min"])
def test_score_of_a_row_depends_on_the_rows_within_a_window_alone(inner, aggregation):
    fitted = make_detector(inner, aggregation=aggregation).fit(make_series())
    X = make_series(200, seed=1)
    scores = fitted.score_samples(X)

    changed = X.copy()
    changed[:60] += 30
    changed[140:] = np.nan
    near = slice(60 + WINDOW - 1, 140 - WINDOW + 1)
    assert_array_equal(fitted.score_samples(changed)[near], scores[near])
    assert (fitted.score_samples(changed)[59 + WINDOW - 1] != scores[59 + WINDOW - 1]).all()


@pytest.mark.parametrize("n_before", [0, 1, 67])
@pytest.mark.parametrize("n_after", [0, 1, 1000])
def test_score_of_a_row_does_not_depend_on_the_length_of_its_series(detector, n_before, n_after):
    X = make_series(n_before + 100 + n_after, seed=1)
    inner = X[n_before : n_before + 100]
    away_from_the_ends = slice(WINDOW - 1, 100 - WINDOW + 1)
    assert_array_equal(
        detector.score_samples(X)[n_before : n_before + 100][away_from_the_ends],
        detector.score_samples(inner)[away_from_the_ends],
    )


@pytest.mark.parametrize("aggregation", ["mean", "mean_min"])
@pytest.mark.parametrize("inner", OF_SCIKIT_LEARN, ids=lambda inner: type(inner).__name__)
def test_tables_too_hold_nothing_but_the_windows_of_a_row(inner, aggregation):
    fitted = make_detector(inner, aggregation=aggregation).fit(make_series())
    X = make_series(1300, seed=1)
    scores = fitted.score_samples(X)

    changed = X.copy()
    changed[:60] += 30
    changed[140:] -= 30
    near = slice(60 + WINDOW - 1, 140 - WINDOW + 1)
    assert_allclose(fitted.score_samples(changed)[near], scores[near], rtol=1e-9)
    assert (fitted.score_samples(changed)[:60] != scores[:60]).any()

    # Nor do they depend on how long the series is.
    assert_allclose(fitted.score_samples(X[50:150])[17:83], scores[67:133], rtol=1e-9)


def test_series_shorter_than_a_window_is_a_single_short_window(detector):
    for n in range(1, WINDOW):
        X = make_series(n)
        expected = detector.detector_.score_samples([X])
        assert_array_equal(detector.score_samples(X), np.repeat(expected, n))


def test_larger_stride_judges_fewer_windows():
    fitted = make_detector(TableRecorder(), stride=5).fit(make_series())
    fitted.detector_.shapes_.clear()
    assert fitted.score_samples(make_series(103)).shape == (103,)
    assert fitted.detector_.shapes_ == [(20, 2 * WINDOW)]


def test_stride_may_be_changed_after_the_fit(detector):
    X = make_series(50)
    changed = clone(detector).fit(make_series()).set_params(stride=WINDOW)
    assert len(set(changed.score_samples(X[:48]))) == 6
    with pytest.raises(ValueError, match="stride=9 is larger than the window of 8 rows"):
        changed.set_params(stride=WINDOW + 1).score_samples(X)


def test_threshold_decides(detector):
    X = make_series(300, seed=1)
    X[100:105] += 40
    scores = detector.score_samples(X)
    assert_array_equal(detector.decision_function(X), scores - detector.offset_)
    assert_array_equal(detector.predict(X), np.where(scores < detector.offset_, -1, 1))
    assert (detector.predict(X)[100:105] == -1).all()


@pytest.mark.parametrize("scorer", SCORERS)
def test_gaps_longer_than_a_window_have_finite_scores(scorer):
    X = make_series(200)
    X[50:90] = np.nan
    X[100:130, 0] = np.nan
    inner = LSTMAutoencoderDetector(**QUICK, scorer=scorer, batch_size=4)
    fitted = make_detector(inner).fit(X)
    assert np.isfinite(fitted.score_samples(X)).all()
    assert np.isfinite(fitted.offset_)


def test_batches_within_a_gap_do_not_spoil_the_training():
    X = make_series(150)
    X[:100] = np.nan
    inner = LSTMAutoencoderDetector(**QUICK, batch_size=1)
    assert np.isfinite(make_detector(inner).fit(X).detector_.loss_curve_).all()


def test_explained_variance_is_that_of_windows_side_by_side(detector):
    X = make_series(43, seed=1)
    windows = [X[start : start + WINDOW] for start in [*range(0, 35, WINDOW), 35]]
    actual, reconstructed = (
        np.concatenate(part) for part in (windows, detector.detector_.reconstruct(windows))
    )
    assert detector.score(X) == pytest.approx(explained_variance_score(actual, reconstructed))
    assert not hasattr(make_detector(IsolationForest()), "score")


# --------------------------------------------------------------------------------------- training


def test_every_epoch_draws_windows_afresh_and_no_more_than_a_thousand():
    X = make_series(2500)
    fitted = make_detector(Recorder(**QUICK)).fit(X)
    parts = fitted.detector_.parts_
    assert fitted.training_stride_ == 3
    assert len(parts.training) == 2500 - 250 - WINDOW - (WINDOW - 1)
    random_state = np.random.RandomState(0)
    first, second = parts.draw(random_state), parts.draw(random_state)
    assert WINDOWS_PER_EPOCH // 2 < len(first) == len(second) <= WINDOWS_PER_EPOCH
    assert (first.starts != second.starts).any()
    assert np.abs(np.diff(first.starts) - 3).max() <= 3


def test_training_stride_is_the_mean_distance_between_training_windows():
    parts = make_detector(Recorder(**QUICK), training_stride=10).fit(make_series()).detector_.parts_
    n_windows = len(parts.training)
    assert len(parts.draw(np.random.RandomState(0))) == -(-n_windows // 10)


def test_end_of_the_series_is_held_out_behind_a_gap():
    parts = make_detector(Recorder(**QUICK)).fit(make_series(300)).detector_.parts_
    assert (parts.training.starts + parts.training.lengths).max() == 300 - 30 - WINDOW
    assert parts.held_out.starts.min() == 270
    assert (parts.held_out.starts + parts.held_out.lengths).max() == 300


def test_scaling_is_learned_from_the_training_rows_alone():
    X = make_series(300)
    X[262:] += 1000
    fitted = make_detector().fit(X)
    assert_allclose(fitted.detector_.scaler_.mean_, X[:262].mean(axis=0))


def test_threshold_is_calibrated_on_the_held_out_rows():
    X = make_series(300)
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")  # learns nothing from held-out rows
    fitted = make_detector(inner, false_alarm_rate=0.3).fit(X)
    held_out_scores = fitted.score_samples(X[270:])
    rank = int(0.3 * (30 + 1))
    assert fitted.offset_ == np.sort(held_out_scores)[rank - 1]


def test_a_single_held_out_window_does_not_decide_alone():
    rates, alone, found = [], [], []
    for seed in range(6):
        X = make_series(1100, seed=seed)
        fitted = make_detector(random_state=seed).fit(X[:100])
        scores = fitted.score_samples(X[100:])
        rates.append((scores < fitted.offset_).mean())
        alone.append((scores < fitted._row_scores.false_alarm_offset(0.01)).mean())
        X[600:620] = 50
        found.append((fitted.predict(X[100:])[500:520] == -1).mean())
    assert np.mean(rates) < 0.02 < 0.2 < np.mean(alone)
    assert np.mean(found) > 0.9


def test_held_out_ends_of_several_series_count_as_a_window_each_at_least():
    X = [make_series(60, seed=seed) for seed in range(7)]
    fitted = make_detector(stride=2).fit([*X, make_series(240, seed=7)])
    assert fitted._row_scores.n_independent == 7 + 24 / WINDOW
    assert fitted._window_scores.n_independent == 7 + 24 / WINDOW


@pytest.mark.parametrize("stride", [1, WINDOW])
@pytest.mark.parametrize("aggregation", ["mean", "min"])
def test_training_windows_lend_the_scores_of_their_rows(aggregation, stride):
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")  # learns nothing from held-out rows
    X = make_series(300)
    fitted = make_detector(inner, aggregation=aggregation, stride=stride).fit(X)
    training = X[:262]
    rows = fitted.score_samples(training)
    np.testing.assert_allclose(fitted._learned_row_scores.scores, np.sort(rows))
    starts = {*range(0, len(training) - WINDOW, stride), len(training) - WINDOW}
    windows = fitted.detector_.score_samples([X[i : i + WINDOW] for i in starts])
    np.testing.assert_allclose(fitted._learned_window_scores.scores, np.sort(windows))
    assert fitted.recalibrate(X[262:280]).offset_ <= fitted.score_samples(X[262:280]).min()


def test_of_a_long_series_stretches_lend_the_scores_of_their_rows():
    X = make_series(6000)
    fitted = make_detector().fit(X)
    lent = fitted._learned_row_scores
    assert 0.9 * MAX_LENDING_WINDOWS < lent.n_scores <= MAX_LENDING_WINDOWS
    assert lent.n_independent == lent.n_scores / WINDOW
    # Most are told of by as many windows as any row, so that their scores are spread as all are.
    rows = fitted.score_samples(X[:5000])
    assert lent.mean == pytest.approx(rows.mean(), rel=0.05)
    assert lent.standard_deviation == pytest.approx(rows.std(), rel=0.1)


def test_recalibration_moves_the_offset_as_a_fit_with_its_rule_would():
    X = make_series(400)
    detector = make_detector(LocalOutlierFactor(novelty=True)).fit(X)
    for rate in (0.2, 0.03):
        expected = clone(detector).set_params(false_alarm_rate=rate).fit(X)
        assert detector.recalibrate(false_alarm_rate=rate).offset_ == expected.offset_
        assert detector.stream().offset_ == expected.stream().offset_
        assert detector.false_alarm_rate == rate


def test_rows_that_drifted_may_be_calibrated_on():
    X = make_series(1500)
    X[500:] += np.random.default_rng(1).normal(scale=3, size=(1000, 2))
    detector = make_detector(false_alarm_rate=0.05).fit(X[:500])
    scores = detector.score_samples(X[1000:])
    flagged = (scores < detector.offset_).mean()
    detector.recalibrate(X[500:1000])
    assert (scores < detector.offset_).mean() < 0.15 < flagged
    assert_array_equal(detector.score_samples(X[1000:]), scores)
    detector.recalibrate(X[500:1000], contamination=0.3)
    assert (detector.predict(X[500:1000]) == -1).mean() == pytest.approx(0.3, abs=0.002)


def test_less_than_a_window_is_nothing_to_calibrate_on():
    detector = make_detector().fit(make_series(300))
    offset, X = detector.offset_, make_series(WINDOW - 1)
    sentence = (
        f"the longest series of X has {WINDOW - 1} row(s) to calibrate on, expected at least one "
        f"window of {WINDOW}: pass more rows."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.recalibrate(X, false_alarm_rate=0.2)
    assert (detector.false_alarm_rate, detector.offset_) == (0.01, offset)
    assert detector.recalibrate([X, make_series(WINDOW)]).offset_ != offset


def test_another_rule_needs_rows_to_calibrate_on():
    detector = make_detector().fit(make_series(300))
    offset = detector.offset_
    sentence = (
        "contamination=0.1 is a rule for other rows than those that this SlidingWindowDetector was "
        "fitted with; pass rows to calibrate on as X."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.recalibrate(contamination=0.1)
    assert (detector.contamination, detector.offset_) == ("auto", offset)
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.set_params(contamination=0.1).recalibrate()
    assert detector.offset_ == offset


def test_held_out_windows_do_not_vouch_for_one_another():
    # They overlap: were they references, the nearest of each would be the next one.
    rates = []
    for seed in range(3):
        X = make_series(2400, seed=seed)
        fitted = make_detector(false_alarm_rate=0.05, random_state=seed).fit(X[:900])
        rates.append((fitted.predict(X[900:]) == -1).mean())
    assert np.mean(rates) < 0.2


def test_contamination_is_the_share_of_flagged_training_rows():
    X = make_series(400)
    labels = make_detector(IsolationForest(n_estimators=20), contamination=0.1).fit_predict(X)
    assert (labels == -1).sum() == 40


def test_nothing_is_held_out_if_nothing_is_judged_by_it():
    X = make_series(300)
    early = Recorder(**QUICK, early_stopping=True)
    late = Recorder(**QUICK, early_stopping=False)
    assert len(make_detector(early, contamination=0.1).fit(X).detector_.parts_.held_out) > 0
    parts = make_detector(late, contamination=0.1).fit(X).detector_.parts_
    assert (parts.training.starts + parts.training.lengths).max() == 300
    assert len(parts.held_out) == 0


def test_window_size_auto_is_a_number_of_periods():
    X = np.sin(2 * np.pi * np.arange(600) / 24)[:, np.newaxis]
    fitted = make_detector(IsolationForest(n_estimators=2), window_size="auto").fit(X)
    assert fitted.window_size_ == 96
    assert fitted.detector_.n_features_in_ == 96


def test_window_size_auto_is_at_most_a_sixth_of_the_longest_series():
    X = [make_series(n) for n in (50, 70, 20)]
    fitted = make_detector(IsolationForest(n_estimators=2), window_size="auto").fit(X)
    assert fitted.window_size_ == 11


def test_held_out_rows_are_learned_from_once_the_threshold_is_known():
    X = make_series(300)
    fitted = make_detector(LSTMAutoencoderDetector(**QUICK, scorer="neighbors")).fit(X)
    windows = split(check_series(fitted, X, reset=False)[0], 8)
    expected = fitted.detector_._summarize(windows)
    np.testing.assert_array_equal(fitted.detector_._scorer.references_, expected)


def test_default_is_an_autoencoder_with_its_defaults():
    fitted = SlidingWindowDetector().set_params(window_size=2, training_stride=20)
    fitted.fit(make_series(120))
    assert type(fitted.detector_) is LSTMAutoencoderDetector
    assert fitted.detector_.get_params() == LSTMAutoencoderDetector().get_params()


def test_random_state_makes_fits_repeatable_and_reaches_nested_detectors():
    X = make_series(200)
    first, again, other = (
        make_detector(random_state=seed).fit(X).score_samples(X) for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert (first != other).any()

    pipeline = make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=7))
    nested = make_detector(pipeline, random_state=0).fit(X).detector_
    assert nested.get_params()["isolationforest__random_state"] != 7
    nested = make_detector(pipeline, random_state=None).fit(X).detector_
    assert nested.get_params()["isolationforest__random_state"] == 7


@pytest.mark.parametrize(
    ("inner", "without_effect"),
    [
        (
            LSTMAutoencoderDetector(**QUICK),
            {
                "contamination": 0.4,
                "false_alarm_rate": 0.3,
                "validation_fraction": 0.6,
                "warm_start": True,
            },
        ),
        (
            LSTMForecastDetector(hidden_size=4, max_epochs=2, device="cpu"),
            {"contamination": 0.4, "validation_fraction": 0.6, "warm_start": True},
        ),
        (IsolationForest(n_estimators=5), {"contamination": 0.4, "warm_start": True}),
        (LocalOutlierFactor(novelty=True), {"contamination": 0.4}),
        (EllipticEnvelope(support_fraction=0.9), {"contamination": 0.4}),
    ],
    ids=lambda value: None if isinstance(value, dict) else type(value).__name__,
)
def test_what_the_detector_of_windows_makes_of_labels_has_no_effect(inner, without_effect):
    X = make_series()
    expected = make_detector(inner).fit(X).decision_function(X)
    changed = clone(inner).set_params(**without_effect)
    fitted = make_detector(changed).fit(X)
    assert_array_equal(fitted.decision_function(X), expected)
    assert_array_equal(fitted.fit(X).decision_function(X), expected)
    of_fitted = make_detector(clone(changed).fit(np.random.default_rng(0).normal(size=(40, 4))))
    assert_array_equal(of_fitted.fit(X).decision_function(X), expected)


def test_failed_fit_leaves_the_detector_as_it_was():
    fitted = make_detector().fit(make_series())
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="window_size=8 is longer"):
        fitted.fit(make_series(5))
    assert vars(fitted) == before


# ------------------------------------------------------------------- scikit-learn's own detectors


@pytest.mark.parametrize("inner", OF_SCIKIT_LEARN, ids=lambda inner: type(inner).__name__)
def test_outlier_detectors_of_scikit_learn_judge_windows_as_rows(inner):
    X = make_series(400)
    fitted = make_detector(inner).fit(X[:300])
    scores = fitted.score_samples(X[300:])
    windows = np.lib.stride_tricks.sliding_window_view(X[300:], WINDOW, axis=0)
    table = windows.transpose(0, 2, 1).reshape(len(windows), -1)
    series = Sequences(X, np.array([300]), np.array([100]))
    expected = merge(
        fitted.detector_.score_samples(table), split(series, WINDOW), series, fitted.aggregation
    )
    assert_allclose(scores, expected, rtol=1e-9)
    assert not hasattr(inner, "n_features_in_")


def test_detector_with_a_decision_function_alone_will_do():
    fitted = make_detector(TableRecorder()).fit(make_series())
    X = make_series(WINDOW)
    assert_array_equal(fitted.score_samples(X), np.full(WINDOW, -abs(X[0, 0])))


def test_short_windows_repeat_their_first_row_in_a_table():
    fitted = make_detector(TableRecorder(), window_size=3).fit(
        [*[[[1.0], [2.0]]] * 9, np.ones((4, 1))]
    )
    assert fitted.detector_.X_[0].tolist() == [1.0, 1.0, 2.0]


def test_tables_of_windows_are_small(monkeypatch):
    monkeypatch.setattr(_windows, "MAX_VALUES", 20 * 2 * WINDOW)
    fitted = make_detector(TableRecorder()).fit(make_series(5000))
    fitted.score_samples(make_series(500))
    training, *scoring = fitted.detector_.shapes_
    assert training[0] <= WINDOWS_PER_EPOCH
    assert max(scoring) == (20, 2 * WINDOW)


@pytest.mark.parametrize(
    "inner",
    [LocalOutlierFactor(), make_pipeline(StandardScaler(), LocalOutlierFactor()), StandardScaler()],
    ids=["LocalOutlierFactor", "pipeline", "no outlier detector"],
)
def test_detector_that_cannot_score_new_data_is_refused_before_any_work(inner, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("X was read")

    monkeypatch.setattr("skl_lstmae._sliding.check_series", refuse)
    sentence = (
        f"detector is a {type(inner).__name__} without score_samples or decision_function for new "
        "data; choose one that has either, as LocalOutlierFactor with novelty=True."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        make_detector(inner).fit(make_series())


@pytest.mark.parametrize(
    ("inner", "sentence"),
    [
        (
            make_pipeline(StandardScaler(), LSTMAutoencoderDetector(**QUICK)),
            "detector is a Pipeline, which gets windows as rows of a table; pass the "
            "LSTMAutoencoderDetector inside of it, which scales by its parameter scaler.",
        ),
        (
            make_detector(IsolationForest()),
            "detector is or holds a SlidingWindowDetector, which judges rows rather than windows; "
            "choose the detector inside of it.",
        ),
        (
            make_pipeline(StandardScaler(), make_detector(IsolationForest())),
            "detector is or holds a SlidingWindowDetector, which judges rows rather than windows; "
            "choose the detector inside of it.",
        ),
        (
            LogisticRegression(),
            "detector is a LogisticRegression, which needs labels; choose one that does not.",
        ),
    ],
    ids=["ours in a pipeline", "nested", "nested in a pipeline", "classifier"],
)
def test_detector_that_does_not_judge_windows_is_refused(inner, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        make_detector(inner).fit(make_series())


def test_grid_search_compares_detectors_on_the_same_footing():
    X = make_series(600)
    y = np.ones(600, dtype=int)
    for start in range(60, 600, 60):
        X[start : start + 5] += 40
        y[start : start + 5] = -1
    inner = [
        LSTMAutoencoderDetector(**QUICK),
        LocalOutlierFactor(novelty=True),
        IsolationForest(n_estimators=20),
    ]
    search = GridSearchCV(
        make_detector(contamination=0.1, window_size=4),
        [{"detector": inner}, {"detector__hidden_size": [3, 5]}],
        scoring="roc_auc",
        cv=TimeSeriesSplit(n_splits=3),
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 5
    assert search.cv_results_["mean_test_score"].min() > 0.7
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert roc_auc_score(y, search.decision_function(X)) > 0.8


def test_splits_in_time_keep_the_rows_of_a_frame_in_order():
    frame = pd.DataFrame(make_series())
    scores = cross_val_score(
        make_detector(IsolationForest(n_estimators=2)),
        frame,
        scoring=lambda fitted, X, y=None: len(fitted.find_events(X, min_length=len(X) + 1)),
        cv=TimeSeriesSplit(n_splits=3),
        error_score="raise",
    )
    assert scores.tolist() == [0, 0, 0]


def test_parameters_of_the_detector_of_windows_can_be_set():
    nested = make_detector().set_params(detector__hidden_size=3, detector__scorer="error")
    assert nested.fit(make_series()).detector_.module_.width == 3


def test_missing_values_are_allowed_where_the_detector_of_windows_allows_them():
    for inner, allows in (
        (None, True),
        (LSTMAutoencoderDetector(), True),
        (IsolationForest(), True),
        (OneClassSVM(), False),
    ):
        assert get_tags(SlidingWindowDetector(inner)).input_tags.allow_nan == allows
    X = make_series()
    X[7, 1] = np.nan
    assert np.isfinite(make_detector(IsolationForest(n_estimators=5)).fit(X).offset_)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        make_detector(OneClassSVM()).fit(X)


# ------------------------------------------------------------------------------------ conventions


def test_fit_predict_is_fit_and_predict():
    X = [make_series(100, seed=1), make_series(60, seed=2)]
    labels = make_detector().fit_predict(X)
    expected = make_detector().fit(X).predict(X)
    for part, expected_part in zip(labels, expected, strict=True):
        assert_array_equal(part, expected_part)
        assert set(part) <= {-1, 1}


@pytest.mark.parametrize(
    "inner",
    [LSTMAutoencoderDetector(**QUICK), IsolationForest(n_estimators=5)],
    ids=lambda inner: type(inner).__name__,
)
def test_pickle_and_clone_judge_alike(inner):
    X = make_series()
    fitted = make_detector(inner).fit(X)
    loaded = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(loaded.decision_function(X), fitted.decision_function(X))
    cloned = clone(fitted)
    assert not hasattr(cloned, "detector_")
    assert_array_equal(cloned.fit(X).decision_function(X), fitted.decision_function(X))


def test_unfitted_detector_says_so():
    for method in "score_samples", "decision_function", "predict", "score":
        with pytest.raises(NotFittedError):
            getattr(make_detector(), method)(make_series())


def test_names_of_features_are_kept_and_compared():
    frame = pd.DataFrame(make_series(), columns=["load", "heat"])
    fitted = make_detector(IsolationForest(n_estimators=2)).fit(frame)
    assert fitted.feature_names_in_.tolist() == ["load", "heat"]
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        fitted.predict(frame[["heat", "load"]])


def test_labels_that_scorers_read_the_wrong_way_round_are_met_with_a_warning():
    X = make_series(100)
    with pytest.warns(UserWarning, match="y holds labels 0 and 1") as record:
        make_detector(IsolationForest(n_estimators=2)).fit(X, np.arange(100) % 2)
    assert record[0].filename == __file__


def test_fit_and_score_hold_no_table_of_all_windows():
    n, n_features, size = 6000, 8, 64
    X = make_series(n, n_features)
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")
    detector = make_detector(inner, window_size=size, training_stride=64)
    tracemalloc.start()
    detector.fit(X).score_samples(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    all_windows = n * size * n_features * X.itemsize
    assert peak < all_windows / 4


# --------------------------------------------------------------------------------------- refusals


HOURS = pd.date_range("2024-01-01", periods=300, freq="h")

REFUSALS = {
    "window too long": (
        {"window_size": 50},
        [make_series(20), make_series(49)],
        "window_size=50 is longer than every training series, the longest of which has "
        "n_samples=49 rows; choose a shorter one.",
    ),
    "stride above the window": (
        {"stride": 9},
        make_series(),
        "stride=9 is larger than the window of 8 rows and would leave rows uncovered; choose a "
        "smaller stride.",
    ),
    "too few rows": (
        {},
        make_series(10),
        "n_samples=10 rows to train on make 3 window(s) of 8 rows, expected at least 5: pass more "
        "rows, or choose a smaller window_size.",
    ),
    "too large a training stride": (
        {"training_stride": 200},
        make_series(),
        "training_stride=200 draws 2 of 255 training windows an epoch, expected at least 5; choose "
        "a smaller one.",
    ),
    "held-out rows missing": (
        {},
        np.where(np.arange(300)[:, np.newaxis] < 265, make_series(), np.nan),
        "the last 30 rows of X, which are held out of training, have no observed value; expected "
        "some: leave these rows out.",
    ),
    "times that do not increase": (
        {},
        pd.DataFrame(make_series(), index=HOURS[::-1]),
        "the times of X do not increase: 2024-01-13 10:00:00 follows 2024-01-13 11:00:00; call "
        "sort_index() first.",
    ),
    "a time twice": (
        {},
        pd.DataFrame(make_series(), index=HOURS[:1].append(HOURS[:-1])),
        "X has time 2024-01-01 00:00:00 twice; expected it once.",
    ),
    "differing columns": (
        {},
        [pd.DataFrame({"a": [1.0], "b": [1.0]}), pd.DataFrame({"a": [1.0], "c": [1.0]})],
        "series #1 has columns ['a', 'c'], expected ['a', 'b'] as in series #0.",
    ),
    "shuffled rows": (
        {},
        pd.DataFrame(make_series()).iloc[[*range(290), 5, 4]],
        "the row numbers of X do not increase: 5 follows 289; sort the rows by time, or call "
        "reset_index(drop=True) if they are.",
    ),
    "shuffled times of Python": (
        {},
        pd.DataFrame(make_series(), index=pd.Index(HOURS[::-1].to_pydatetime(), dtype=object)),
        "the times of X do not increase: 2024-01-13 10:00:00 follows 2024-01-13 11:00:00; call "
        "sort_index() first.",
    ),
    "no series": ({}, [], "X holds no series; expected at least 1."),
}


@pytest.mark.parametrize(("parameters", "X", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_bad_input_is_refused_in_one_sentence(parameters, X, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        make_detector(**parameters).fit(X)


def test_scored_series_of_bad_times_or_features_are_refused(detector):
    X = make_series(300)
    with pytest.raises(ValueError, match=exactly(REFUSALS["times that do not increase"][2])):
        detector.predict(pd.DataFrame(X, index=HOURS[::-1]))
    for method in "predict", "score_samples", "find_events":
        with pytest.raises(ValueError, match=exactly("X holds no series; expected at least 1.")):
            getattr(detector, method)([])
        with pytest.raises(
            ValueError, match="the row numbers of X do not increase: 298 follows 299;"
        ):
            getattr(detector, method)(pd.DataFrame(X)[::-1])
    sentence = "X has 3 features, but SlidingWindowDetector is expecting 2 features as input."
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.predict(make_series(20, n_features=3))
