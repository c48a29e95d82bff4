"""The detector of rows: any detector of sequences, or of table rows, slides over long series."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, exactly, fitted, make_series
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import explained_variance_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import get_tags

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector
from skl_lstmae.data import windows as windows_module
from skl_lstmae.data.forms import read_series
from skl_lstmae.data.windows import slide
from skl_lstmae.detectors.sliding import MAX_LENDING_WINDOWS, WINDOWS_PER_EPOCH
from skl_lstmae.detectors.trained import TrainedNetwork
from skl_lstmae.scoring.scorers import SCORERS

# Searches and clones fit by themselves, and are cut short too.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WINDOW = 8
SMALL = QUICK | {"max_epochs": 2, "batch_size": 64}
ERROR = LSTMAutoencoderDetector(**SMALL, scorer="error")  # learns nothing from held-out rows
FOREST = IsolationForest(n_estimators=5)

OURS = {
    **{scorer: LSTMAutoencoderDetector(**SMALL, scorer=scorer) for scorer in SCORERS},
    "forecaster": LSTMForecastDetector(**SMALL),
}
OF_SCIKIT_LEARN = {
    type(detector).__name__: detector
    for detector in [
        IsolationForest(n_estimators=10),
        LocalOutlierFactor(novelty=True),
        OneClassSVM(),
        EllipticEnvelope(support_fraction=0.9),
        make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
    ]
}


def make(inner=ERROR, **parameters):
    return SlidingWindowDetector(inner, **{"window_size": WINDOW, "random_state": 0, **parameters})


def fit(inner=ERROR, X=None, **parameters):
    return fitted(make(inner, **parameters), make_series(300) if X is None else X)


class Recorder(LSTMAutoencoderDetector):
    """Keeps the windows that it is trained on."""

    def _fit_to_windows(self, split):
        self.split_ = split
        return super()._fit_to_windows(split)


class TableRecorder(OutlierMixin, BaseEstimator):
    """Scores a row of a table by its first number, and keeps the tables."""

    def fit(self, X, y=None):
        self.X_ = X
        self.n_rows_ = []
        return self

    def decision_function(self, X):
        self.n_rows_.append(len(X))
        return -np.abs(X[:, 0])


def split_of(X, early_stopping=True, **parameters):
    """Return the windows that a detector of sequences is trained on, and those held out."""
    recorder = Recorder(**SMALL | {"max_epochs": 1}, early_stopping=early_stopping)
    return fit(recorder, X, **parameters).detector_.split_


def ends(windows):
    return windows.starts + windows.lengths


# ----------------------------------------------------------------------------------- scores of rows


@pytest.mark.parametrize("method", ["score_samples", "decision_function", "predict"])
def test_results_take_the_form_of_the_series(method):
    judge = getattr(fit(), method)
    X = [make_series(n, seed=n) for n in (40, 3, WINDOW, 25)]
    alone = [judge(series) for series in X]
    assert [result.shape for result in alone] == [(40,), (3,), (WINDOW,), (25,)]
    assert [result.tolist() for result in judge(X)] == [result.tolist() for result in alone]
    panel = pd.concat({name: pd.DataFrame(series) for name, series in zip("dbca", X, strict=True)})
    assert_array_equal(judge(panel), np.concatenate(alone))


def flat(windows):
    return np.reshape(windows, (len(windows), -1))


@pytest.mark.parametrize(
    ("inner", "given"),
    [(ERROR, list), *((inner, flat) for inner in OF_SCIKIT_LEARN.values())],
    ids=["ours", *OF_SCIKIT_LEARN],
)
@pytest.mark.parametrize("aggregation", ["mean", "min", "max", "mean_min"])
@pytest.mark.parametrize("stride", [1, 3, WINDOW])
def test_the_score_of_a_row_aggregates_those_of_its_windows(inner, given, aggregation, stride):
    X = make_series(50)
    detector = fit(inner, aggregation=aggregation, stride=stride)
    starts = np.array([*range(0, 50 - WINDOW, stride), 50 - WINDOW])
    windows = [X[start : start + WINDOW] for start in starts]
    scores = detector.detector_.score_samples(given(windows))
    of_rows = [scores[(starts <= row) & (row < starts + WINDOW)] for row in range(50)]
    mean, low, high = ([f(of_row) for of_row in of_rows] for f in (np.mean, np.min, np.max))
    between = np.mean([mean, low], axis=0)
    expected = {"mean": mean, "min": low, "max": high, "mean_min": between}[aggregation]
    assert_allclose(detector.score_samples(X), expected, rtol=1e-9)
    assert not hasattr(inner, "n_features_in_")


@pytest.mark.parametrize("aggregation", ["mean", "mean_min"])
@pytest.mark.parametrize(
    ("inner", "rtol"),
    [
        *((inner, 0) for inner in OURS.values()),
        *((inner, 1e-9) for inner in OF_SCIKIT_LEARN.values()),
    ],
    ids=[*OURS, *OF_SCIKIT_LEARN],
)
def test_the_score_of_a_row_depends_on_the_rows_within_a_window_alone(inner, rtol, aggregation):
    detector = fit(inner, aggregation=aggregation)
    X = make_series(1300, seed=1)
    scores = detector.score_samples(X)
    changed = X.copy()
    changed[:60] += 3
    changed[140:] = 5.0
    of_changed = detector.score_samples(changed)
    assert_allclose(of_changed[67:133], scores[67:133], rtol=rtol)
    assert (of_changed[:60] != scores[:60]).any()
    for start, end in ((0, 150), (50, 150), (59, 1300)):
        near = slice(67 - start, 133 - start)
        assert_allclose(detector.score_samples(X[start:end])[near], scores[67:133], rtol=rtol)


def test_a_series_shorter_than_a_window_is_a_single_short_window():
    detector = fit(OURS["joint"])
    for n in range(1, WINDOW):
        X = make_series(n)
        expected = detector.detector_.score_samples([X])
        assert_array_equal(detector.score_samples(X), np.repeat(expected, n))
    of_tables = fit(TableRecorder(), [*[[[1.0], [2.0]]] * 9, np.ones((4, 1))], window_size=3)
    assert of_tables.detector_.X_[0].tolist() == [1.0, 1.0, 2.0]


@pytest.mark.parametrize(("stride", "n_rows"), [(1, [20, 20, 20, 20, 16]), (5, [20])])
def test_tables_hold_few_windows_and_fewer_with_a_larger_stride(stride, n_rows, monkeypatch):
    monkeypatch.setattr(windows_module, "MAX_VALUES", 20 * 2 * WINDOW)
    detector = fit(TableRecorder(), make_series(5000), stride=stride)
    assert len(detector.detector_.X_) <= WINDOWS_PER_EPOCH
    detector.detector_.n_rows_.clear()
    assert detector.score_samples(make_series(103)).shape == (103,)
    assert detector.detector_.n_rows_ == n_rows


def test_fit_and_score_hold_no_table_of_all_windows():
    X = make_series(6000, 8)
    detector = make(window_size=64, training_stride=64)
    tracemalloc.start()
    fitted(detector, X).score_samples(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * X.nbytes / 4


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_gap_longer_than_batches_and_windows_leaves_all_finite(scorer):
    X = make_series(100)
    X[:60] = np.nan
    X[70:90, 0] = np.nan
    inner = LSTMAutoencoderDetector(**SMALL | {"batch_size": 1}, scorer=scorer)
    detector = fit(inner, X)
    assert np.isfinite(detector.detector_.loss_curve_).all()
    assert np.isfinite([detector.offset_, *detector.score_samples(X)]).all()


def test_the_explained_variance_is_that_of_windows_side_by_side():
    detector, X = fit(), make_series(43, seed=1)
    windows = [X[start : start + WINDOW] for start in [*range(0, 35, WINDOW), 35]]
    reconstructed = np.concatenate(detector.detector_.reconstruct(windows))
    expected = explained_variance_score(np.concatenate(windows), reconstructed)
    assert detector.score(X) == pytest.approx(expected)
    assert not hasattr(make(FOREST), "score")


# ------------------------------------------------------------------------- trained on, and held out


def test_training_windows_are_views_that_do_not_cross_from_one_series_into_another(tmp_path):
    X = np.memmap(tmp_path / "series", mode="w+", shape=(300, 2), dtype=np.float32)
    X[:] = make_series(300)
    split = split_of(X)
    assert np.shares_memory(split.training.values, X)
    split = split_of([make_series(n, seed=n) for n in (60, 45, 80)])
    owners = np.repeat([0, 1, 2], [60, 45, 80])
    for windows in split.training, split.held_out:
        assert_array_equal(owners[windows.starts], owners[ends(windows) - 1])
        assert set(owners[windows.starts]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("n_rows", "training_stride", "expected"), [(2500, "auto", 3), (300, 10, 10)]
)
def test_every_epoch_draws_afresh_one_window_of_each_stretch(n_rows, training_stride, expected):
    split = split_of(make_series(n_rows), training_stride=training_stride)
    n_windows = len(split.training)
    assert n_windows == n_rows - n_rows // 10 - WINDOW - (WINDOW - 1)
    random_state = np.random.RandomState(0)
    first, second = split.draw(random_state), split.draw(random_state)
    assert len(first) == len(second) == -(-n_windows // expected) <= WINDOWS_PER_EPOCH
    assert (first.starts != second.starts).any()
    assert np.abs(np.diff(first.starts) - expected).max() <= expected


@pytest.mark.parametrize(
    ("contamination", "early_stopping", "last_row", "held_out"),
    [("auto", False, 262, (270, 300)), (0.1, True, 262, (270, 300)), (0.1, False, 300, None)],
)
def test_the_end_is_held_out_behind_a_gap_if_anything_is_judged_by_it(
    contamination, early_stopping, last_row, held_out
):
    split = split_of(make_series(300), early_stopping, contamination=contamination)
    assert ends(split.training).max() == last_row
    windows = split.held_out
    found = (windows.starts.min(), ends(windows).max()) if len(windows) else None
    assert found == held_out


def test_scaling_is_learned_from_the_training_rows_alone():
    X = make_series(300)
    X[262:] += 1000
    assert_allclose(fit(X=X).detector_.scaler_.mean_, X[:262].mean(axis=0))


def test_held_out_rows_are_learned_from_once_the_threshold_is_known():
    X = make_series(300)
    judge = fit(OURS["neighbors"], X).detector_._judge
    expected = judge.summarize(slide(read_series(X)[0], WINDOW))
    assert_array_equal(judge.scorer.references_, expected)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.sin(2 * np.pi * np.arange(600) / 24)[:, np.newaxis], 96),
        ([make_series(n, 1) for n in (50, 70, 20)], 11),
    ],
    ids=["periods", "a sixth of the longest series"],
)
def test_window_size_auto_suits_the_series(X, expected):
    detector = fit(FOREST, X, window_size="auto")
    assert detector.window_size_ == detector.detector_.n_features_in_ == expected


# ---------------------------------------------------------------------------------------- threshold


def test_the_threshold_decides_and_may_be_set():
    detector, X = fit(), make_series(300, seed=1)
    X[100:105] += 4
    assert (detector.predict(X)[100:105] == -1).all()
    for offset in (detector.offset_, -2.0):
        detector.offset_ = offset
        scores = detector.score_samples(X)
        assert_array_equal(detector.decision_function(X), scores - offset)
        assert_array_equal(detector.predict(X), np.where(scores < offset, -1, 1))


def test_the_threshold_is_calibrated_on_the_held_out_rows():
    X = make_series(300)
    detector = fit(X=X, false_alarm_rate=0.3)
    held_out_scores = np.sort(detector.score_samples(X[270:]))
    assert detector.offset_ == held_out_scores[int(0.3 * (30 + 1)) - 1]


def test_contamination_is_the_share_of_flagged_training_rows():
    X = make_series(400)
    detector = make(IsolationForest(n_estimators=20), contamination=0.1)
    labels = detector.fit_predict(X)
    assert (labels == -1).sum() == 40
    assert_array_equal(labels, detector.predict(X))


@pytest.mark.parametrize(
    ("n_training", "rate", "highest"),
    [(100, 0.01, 0.02), (900, 0.05, 0.2)],
    ids=["few held-out windows do not decide alone", "many do not vouch for one another"],
)
def test_false_alarms_come_at_about_the_rate_asked_for(n_training, rate, highest):
    rates, found = [], []
    for seed in range(6):
        X = make_series(2400, seed=seed)
        detector = fit(OURS["joint"], X[:n_training], false_alarm_rate=rate, random_state=seed)
        rates.append((detector.predict(X[n_training:]) == -1).mean())
        X[1600:1620] = 0
        found.append((detector.predict(X)[1600:1620] == -1).mean())
    assert np.mean(rates) < highest
    assert np.mean(found) > 0.9


def test_several_series_to_calibrate_on_count_as_a_window_each_at_least():
    X = [make_series(60, seed=seed) for seed in range(7)]
    detector = fit(X=[*X, make_series(240, seed=7)], stride=2)
    for expected in (7 + 24 / WINDOW, 1 + 20 / WINDOW):
        judge = detector._judge
        assert judge.rows.fresh.n_independent == judge.singles.fresh.n_independent == expected
        detector.recalibrate([make_series(3), make_series(20)])


@pytest.mark.parametrize("stride", [1, WINDOW])
@pytest.mark.parametrize("aggregation", ["mean", "min"])
def test_training_windows_lend_the_scores_of_their_rows(aggregation, stride):
    X = make_series(300)
    detector = fit(X=X, aggregation=aggregation, stride=stride)
    training = X[:262]
    rows, singles = (
        part.learned.scores for part in (detector._judge.rows, detector._judge.singles)
    )
    assert_allclose(rows, np.sort(detector.score_samples(training)))
    starts = {*range(0, len(training) - WINDOW, stride), len(training) - WINDOW}
    windows = [training[start : start + WINDOW] for start in starts]
    assert_allclose(singles, np.sort(detector.detector_.score_samples(windows)))
    assert detector.recalibrate(X[262:280]).offset_ <= detector.score_samples(X[262:280]).min()


def test_of_a_long_series_stretches_lend_the_scores_of_their_rows():
    X = make_series(6000)
    detector = fit(OURS["joint"], X)
    lent = detector._judge.rows.learned
    assert 0.9 * MAX_LENDING_WINDOWS < lent.n_scores <= MAX_LENDING_WINDOWS
    assert lent.n_independent == lent.n_scores / WINDOW
    # Most are told of by as many windows as any row, so that their scores are spread as all are.
    rows = detector.score_samples(X[:5000])
    assert lent.mean == pytest.approx(rows.mean(), rel=0.05)
    assert lent.standard_deviation == pytest.approx(rows.std(), rel=0.1)


# ------------------------------------------------------------------------------------ recalibration


def test_recalibration_moves_the_offset_as_a_fit_with_its_rule_would():
    X = make_series(400)
    detector = fit(LocalOutlierFactor(novelty=True), X)
    for rate in (0.2, 0.03):
        expected = clone(detector).set_params(false_alarm_rate=rate).fit(X)
        assert detector.recalibrate(false_alarm_rate=rate).offset_ == expected.offset_
        assert detector.stream().offset_ == expected.stream().offset_
        assert detector.false_alarm_rate == rate


def test_rows_that_drifted_may_be_calibrated_on():
    X = make_series(1500)
    X[500:] += np.random.default_rng(1).normal(scale=0.3, size=(1000, 2))
    detector = fit(X=X[:500], false_alarm_rate=0.05)
    scores = detector.score_samples(X[1000:])
    flagged = (scores < detector.offset_).mean()
    detector.recalibrate(X[500:1000])
    assert (scores < detector.offset_).mean() < 0.15 < flagged
    assert_array_equal(detector.score_samples(X[1000:]), scores)
    detector.recalibrate(X[500:1000], contamination=0.3)
    assert (detector.predict(X[500:1000]) == -1).mean() == pytest.approx(0.3, abs=0.002)


SHORT = make_series(WINDOW - 1)
TOO_LITTLE = {
    "the longest series of X has 7 row(s) to calibrate on, expected at least one window of 8: pass "
    "more rows.": ([SHORT, SHORT], {"false_alarm_rate": 0.2}),
    "contamination=0.1 is a rule for other samples than those whose scores this "
    "SlidingWindowDetector has; pass samples to calibrate on as X of recalibrate, or fit it "
    "again.": (None, {"contamination": 0.1}),
}


@pytest.mark.parametrize("sentence", TOO_LITTLE)
def test_what_says_too_little_for_a_threshold_leaves_the_detector_as_it_was(sentence):
    X, rule = TOO_LITTLE[sentence]
    detector = fit()
    parameters, offset = detector.get_params(deep=False), detector.offset_
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.recalibrate(X, **rule)
    assert (detector.get_params(deep=False), detector.offset_) == (parameters, offset)
    assert detector.recalibrate([SHORT, make_series(WINDOW)], **rule).offset_ != offset


@pytest.mark.parametrize(
    "changed", [{"aggregation": "max"}, {"stride": WINDOW}, {"stride": 99}, {"window_size": 3}]
)
@pytest.mark.parametrize("inner", [ERROR, FOREST], ids=["ours", "scikit-learn's"])
def test_parameters_set_after_the_fit_have_no_effect_before_the_next(inner, changed):
    X, recent = make_series(300), make_series(100, seed=1)
    expected, detector = fit(inner, X), fit(inner, X)
    detector.set_params(**changed)
    assert_array_equal(detector.decision_function(recent), expected.decision_function(recent))
    expected.recalibrate(recent, false_alarm_rate=0.1)
    detector.recalibrate(recent, false_alarm_rate=0.1)
    assert_array_equal(detector.decision_function(recent), expected.decision_function(recent))
    if changed != {"stride": 99}:
        refitted = fitted(detector, X).score_samples(recent)
        assert (refitted != expected.score_samples(recent)).any()


# -------------------------------------------------------------------------- the detector of windows


@pytest.mark.parametrize("parameters", [{}, {"hidden_size": 3, "max_epochs": 1}, {"tol": 10.0}])
def test_none_is_an_autoencoder_with_defaults_whose_parameters_can_be_searched(parameters):
    grid = {f"detector__{name}": [value] for name, value in parameters.items()}
    detector = SlidingWindowDetector(window_size=4, training_stride=10)
    cv = TimeSeriesSplit(2)
    search = GridSearchCV(detector, grid, cv=cv, error_score="raise").fit(make_series(200))
    inner = search.best_estimator_.detector_
    assert type(inner) is LSTMAutoencoderDetector
    assert inner.get_params() == LSTMAutoencoderDetector(**parameters).get_params()
    assert detector.detector is None


def test_the_detector_of_windows_has_scores_and_no_threshold():
    inner, X = fit().detector_, [make_series(WINDOW)]
    assert inner.score_samples(X).shape == (1,)
    sentence = (
        "This LSTMAutoencoderDetector judges windows for another detector, which holds the "
        "threshold; call that one, or fit this one by itself."
    )
    for call in (
        lambda: inner.predict(X),
        lambda: inner.decision_function(X),
        lambda: inner.offset_,
    ):
        with pytest.raises(AttributeError, match=exactly(sentence)):
            call()


def test_random_state_makes_fits_repeatable_and_reaches_nested_detectors():
    first, again, other = (
        fit(random_state=seed).score_samples(make_series(50)) for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert (first != other).any()

    pipeline = make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=7))
    for seed, is_kept in ((0, False), (None, True)):
        nested = fit(pipeline, random_state=seed).detector_.get_params()
        assert (nested["isolationforest__random_state"] == 7) is is_kept


LABELLING = {"contamination": 0.4, "validation_fraction": 0.6, "warm_start": True}


@pytest.mark.parametrize(
    ("inner", "without_effect"),
    [
        (LSTMAutoencoderDetector(**SMALL), {**LABELLING, "false_alarm_rate": 0.3}),
        (LSTMForecastDetector(**SMALL), LABELLING),
        (FOREST, {"contamination": 0.4, "warm_start": True}),
        (LocalOutlierFactor(novelty=True), {"contamination": 0.4}),
        (EllipticEnvelope(support_fraction=0.9), {"contamination": 0.4}),
    ],
    ids=lambda value: None if isinstance(value, dict) else type(value).__name__,
)
def test_what_the_detector_of_windows_makes_of_labels_has_no_effect(inner, without_effect):
    X = make_series(300)
    expected = fit(inner).decision_function(X)
    changed = clone(inner).set_params(**without_effect)
    detector = fit(changed)
    assert_array_equal(detector.decision_function(X), expected)
    assert_array_equal(fitted(detector, X).decision_function(X), expected)
    of_fitted = fit(fitted(clone(changed), make_series(40, 4)))
    assert_array_equal(of_fitted.decision_function(X), expected)


def test_missing_values_are_allowed_where_the_detector_of_windows_allows_them():
    for inner, allows in ((None, True), (ERROR, True), (FOREST, True), (OneClassSVM(), False)):
        assert get_tags(SlidingWindowDetector(inner)).input_tags.allow_nan == allows
    X = make_series(300)
    X[7, 1] = np.nan
    assert np.isfinite(fit(FOREST, X).offset_)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        fit(OneClassSVM(), X)


CANNOT_SCORE = (
    "detector is a {} without score_samples or decision_function for new data; choose one that has "
    "either, as LocalOutlierFactor with novelty=True."
)
HOLDS_OURS = (
    "detector is a Pipeline, which gets windows as rows of a table; pass the "
    "LSTMAutoencoderDetector inside of it, which scales by its parameter scaler."
)
JUDGES_ROWS = (
    "detector is or holds a SlidingWindowDetector, which judges rows rather than windows; choose "
    "the detector inside of it."
)
NEEDS_LABELS = "detector is a LogisticRegression, which needs labels; choose one that does not."


@pytest.mark.parametrize(
    ("inner", "sentence"),
    [
        (LocalOutlierFactor(), CANNOT_SCORE.format("LocalOutlierFactor")),
        (make_pipeline(LocalOutlierFactor()), CANNOT_SCORE.format("Pipeline")),
        (StandardScaler(), CANNOT_SCORE.format("StandardScaler")),
        (make(FOREST), JUDGES_ROWS),
        (make_pipeline(StandardScaler(), make(FOREST)), JUDGES_ROWS),
        (make_pipeline(StandardScaler(), ERROR), HOLDS_OURS),
        (LogisticRegression(), NEEDS_LABELS),
    ],
)
def test_a_detector_that_does_not_judge_windows_is_refused_before_any_work(inner, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        make(inner).fit("X is not read")


def test_a_grid_search_compares_detectors_on_the_same_footing():
    X = make_series(600)
    y = np.ones(600, dtype=int)
    for start in range(60, 600, 60):
        X[start : start + 5] += 4
        y[start : start + 5] = -1
    inner = [ERROR, LocalOutlierFactor(novelty=True), IsolationForest(n_estimators=20)]
    search = GridSearchCV(
        make(contamination=0.1, window_size=4),
        [{"detector": inner}, {"detector__hidden_size": [3, 5]}],
        scoring="roc_auc",
        cv=TimeSeriesSplit(n_splits=3),
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 5
    assert search.cv_results_["mean_test_score"].min() > 0.7
    assert roc_auc_score(y, search.decision_function(X)) > 0.8


# ------------------------------------------------------------------------ conventions and refusals


@pytest.mark.parametrize("method", ["score_samples", "decision_function", "predict", "score"])
def test_an_unfitted_detector_says_so(method):
    with pytest.raises(NotFittedError):
        getattr(make(), method)(make_series(300))


def test_labels_that_scorers_read_the_wrong_way_round_are_met_with_a_warning():
    with pytest.warns(UserWarning, match="y holds labels 0 and 1") as record:
        make(FOREST).fit(make_series(100), np.arange(100) % 2)
    assert record[0].filename == __file__


MISSING_END = np.where(np.arange(300)[:, np.newaxis] < 265, make_series(300), np.nan)
MISFITS = {
    "window_size=50 is longer than every training series, the longest of which has n_samples=49 "
    "rows; choose a shorter one.": ({"window_size": 50}, [make_series(20), make_series(49)]),
    "stride=9 is larger than the window of 8 rows and would leave rows uncovered; choose a smaller "
    "stride.": ({"stride": 9}, make_series(300)),
    "n_samples=10 rows to train on make 3 window(s) of 8 rows, expected at least 5: pass more rows"
    ", or choose a smaller window_size.": ({}, make_series(10)),
    "training_stride=200 draws 2 of 255 training windows an epoch, expected at least 5; choose a "
    "smaller one.": ({"training_stride": 200}, make_series(300)),
    "the last 30 rows of X, which are held out of training, have no observed value; expected some: "
    "leave these rows out.": ({}, MISSING_END),
}


@pytest.mark.parametrize("sentence", MISFITS)
def test_series_and_parameters_that_do_not_fit_leave_the_detector_as_it_was(sentence):
    parameters, X = MISFITS[sentence]
    detector = fit(FOREST).set_params(**parameters)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.fit(X)
    assert vars(detector) == before


@pytest.mark.parametrize("method", ["predict", "score_samples", "find_events", "recalibrate"])
def test_series_of_other_features_are_refused_wherever_they_are_judged(method):
    sentence = "X has 3 features, but SlidingWindowDetector is expecting 2 features as input."
    with pytest.raises(ValueError, match=exactly(sentence)):
        getattr(fit(FOREST), method)(make_series(20, n_features=3))


@pytest.mark.parametrize(
    "inner",
    [
        LSTMAutoencoderDetector(**QUICK),
        LSTMForecastDetector(**QUICK),
        LocalOutlierFactor(novelty=True),
    ],
    ids=lambda inner: type(inner).__name__,
)
@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_verbose_tells_of_epochs_and_windows_and_changes_nothing(
    inner, contamination, capsys, monkeypatch
):
    monkeypatch.setattr("skl_lstmae.detectors.window_judge.WINDOWS_PER_LINE", 300)
    X = np.random.default_rng(0).normal(size=(700, 1))
    parameters = {"window_size": 20, "contamination": contamination, "random_state": 0}
    silent = SlidingWindowDetector(inner, **parameters).fit(X)
    assert capsys.readouterr().out == ""
    detector = SlidingWindowDetector(inner, **parameters, verbose=1).fit(X)
    told = capsys.readouterr().out
    assert ("Epoch 1, loss = " in told) == isinstance(inner, TrainedNetwork)
    assert "windows to calibrate the threshold\n" in told
    assert_array_equal(detector.score_samples(X), silent.score_samples(X))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Scored 681 of 681 windows of X"
    assert len(lines) == (3 if isinstance(inner, TrainedNetwork) else 1)
    assert detector.offset_ == silent.offset_
    assert detector.recalibrate(X[:300]).offset_ == silent.recalibrate(X[:300]).offset_
    detector.find_events(X)
    assert capsys.readouterr().out.count("Scored 681 of 681") == 1
    detector.stream().push(X[:30])
    assert capsys.readouterr().out == ""
