"""The detector of rows: any detector of sequences, or of table rows, slides over long series."""

import pickle
import re
import tracemalloc
from contextlib import nullcontext
from copy import copy
from dataclasses import replace

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
from skl_lstmae.data.gaps import Gaps
from skl_lstmae.data.reading import read_series
from skl_lstmae.data.windows import slide
from skl_lstmae.detectors import row_judge
from skl_lstmae.detectors.trained import TrainedNetwork
from skl_lstmae.detectors.window_plan import MAX_LENDING_WINDOWS, WINDOWS_PER_EPOCH
from skl_lstmae.scoring.scorers import SCORERS
from skl_lstmae.training.model import Model

# Searches and clones fit by themselves, and are cut short too.
# After two epochs some stretches of plain waves are unlike the rest.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Set aside as unlike the others"),
]

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

    def _fit_to_windows(self, plan):
        self.split_ = plan.split
        return super()._fit_to_windows(plan)


class TableRecorder(OutlierMixin, BaseEstimator):
    """Scores a row of a table by its first number, and keeps the tables."""

    def fit(self, X, y=None):
        self.X_ = X
        self.n_rows_ = []
        return self

    def decision_function(self, X):
        self.n_rows_.append(len(X))
        return -np.abs(X[:, 0])


class Nearest(OutlierMixin, BaseEstimator):
    """Scores a row of a table by the distance of the nearest one that it was fitted to."""

    def fit(self, X, y=None):
        self.X_ = X
        return self

    def score_samples(self, X):
        return -np.abs(X[:, np.newaxis] - self.X_).sum(axis=2).min(axis=1)


def split_of(X, early_stopping=True, **parameters):
    """Return the windows that a detector of sequences is trained on, and those held out."""
    recorder = Recorder(**SMALL | {"max_epochs": 1}, early_stopping=early_stopping)
    return fit(recorder, X, **parameters).detector_.split_


def ends(windows):
    return windows.starts + windows.lengths


# ----------------------------------------------------------------------------------- scores of rows


@pytest.mark.filterwarnings("ignore:Too short to find anomalies")
@pytest.mark.parametrize("method", ["score_samples", "decision_function", "predict"])
def test_results_take_the_form_of_the_series(method):
    judge = getattr(fit(), method)
    X = np.split(make_series(76), np.cumsum([40, 3, WINDOW]))
    X[0][20:25] += 4
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
    detector = fit(inner, aggregation=aggregation, stride=stride, relative_to_recent=0)
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
    detector = fit(inner, aggregation=aggregation, relative_to_recent=0)
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
    detector = fit(OURS["joint"], relative_to_recent=0)
    for n in range(1, WINDOW):
        X = make_series(n)
        expected = detector.detector_.score_samples([X])
        assert_array_equal(detector.score_samples(X), np.repeat(expected, n))
    of_two = [[[1.0], [2.0 + i]] for i in range(9)]
    of_tables = fit(TableRecorder(), [*of_two, np.ones((4, 1))], window_size=3)
    assert of_tables.detector_.X_[0].tolist() == [1.0, 1.0, 2.0]


@pytest.mark.parametrize(("window_size", "expected"), [(24, 1), (49, 1), (50, 2), (100, 4)])
def test_a_stride_by_itself_has_a_row_judged_by_25_windows(window_size, expected):
    X = make_series(600)
    detector = fit(X=X, window_size=window_size, stride="auto")
    assert detector.stride_ == expected
    same = fit(X=X, window_size=window_size, stride=expected)
    assert_array_equal(detector.score_samples(X), same.score_samples(X))


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
    assert np.shares_memory(split.training.values[:], X)
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


@pytest.mark.filterwarnings("ignore:.*what is normal has drifted")
def test_the_threshold_decides_and_may_be_set():
    detector, X = fit(threshold="fixed"), make_series(300, seed=1)
    X[100:105] += 4
    assert (detector.predict(X)[100:105] == -1).all()
    for offset in (detector.offset_, -2.0):
        detector.offset_ = offset
        scores = detector.score_samples(X)
        assert_array_equal(detector.decision_function(X), scores - offset)
        assert_array_equal(detector.predict(X), np.where(scores < offset, -1, 1))


@pytest.mark.parametrize("stride", [1, WINDOW])
@pytest.mark.parametrize("aggregation", ["mean", "min"])
def test_the_threshold_rests_on_the_scores_of_all_training_rows(aggregation, stride):
    X = make_series(300)
    detector = fit(X=X, aggregation=aggregation, stride=stride, relative_to_recent=0)
    parts = X[:262], X[270:]
    of_windows = []
    for part in parts:
        starts = [*range(0, len(part) - WINDOW, stride), len(part) - WINDOW]
        windows = [part[start : start + WINDOW] for start in starts]
        of_windows.append(detector.detector_.score_samples(windows))
    learned, held_out = (np.median(np.log(-scores)) for scores in of_windows)
    # What was learned from is lowered by half of what lies between the two.
    factors = [np.exp(max(held_out - learned, 0) / 2), 1.0]
    expected = [f * detector.score_samples(part) for f, part in zip(factors, parts, strict=True)]
    found = detector._judge.rows.calibration.fresh.scores
    assert_allclose(found, np.sort(np.concatenate(expected)))
    expected = [f * scores for f, scores in zip(factors, of_windows, strict=True)]
    found = detector._judge.singles.calibration.fresh.scores
    assert_allclose(found, np.sort(np.concatenate(expected)))


def test_a_series_of_the_fit_is_judged_as_fresh_and_its_rows_in_a_longer_one_as_known():
    X, more = make_series(300), make_series(100, seed=1)
    detector = fit(OURS["joint"], X)
    alone = detector.score_samples(X)
    fresh = detector._judge.rows.calibration.fresh.scores
    assert np.isin(alone[: 262 - WINDOW], fresh).all()  # which no window of held-out rows covers
    within = detector.score_samples(np.concatenate([X, more]))[: 262 - WINDOW]
    assert np.median(within) > np.median(alone)
    for again in detector, pickle.loads(pickle.dumps(detector)):
        assert_array_equal(again.score_samples([more, X])[1], alone)
        assert_array_equal(again.score_samples([more, X])[0], detector.score_samples(more))


def test_a_blackout_in_a_series_of_the_fit_stays_one_when_the_threshold_moves():
    X = make_series(300)
    X[100:160] = np.nan
    detector = fit(X=X)
    far = 50 * make_series(300, seed=1)  # lowers the score of what has no data
    for _ in "fit", "recalibration":
        assert_array_equal(detector.score_samples(X)[100:160], detector._judge.worst)
        with pytest.warns(UserWarning, match="offset_ falls to"):
            detector.recalibrate(far)


def test_series_that_cannot_be_those_of_the_fit_are_not_read_at_once(monkeypatch):
    detector = fit(X=make_series(300))
    read = []
    monkeypatch.setattr(row_judge, "digest", lambda series: read.append(len(series)))
    detector.score_samples([make_series(200), make_series(300, seed=1), make_series(5000)])
    assert read == [300]


@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_no_training_row_is_judged_by_windows_that_hold_it(contamination):
    X = make_series(300)
    detector = fit(Nearest(), X, contamination=contamination)
    assert detector.score_samples(X[:262]).max() == 0
    assert detector.score_samples(X).max() < 0
    for threshold in detector._judge.rows, detector._judge.singles:
        for scores in threshold.calibration.fresh, threshold.calibration.population:
            assert scores is None or scores.scores.max() < 0


@pytest.mark.parametrize("rate", [0.002, 0.05, 0.3])
@pytest.mark.parametrize("inner", [ERROR, FOREST], ids=["ours", "scikit-learn's"])
def test_p_values_say_the_same_as_the_threshold(inner, rate):
    X = make_series(400)
    detector = fit(inner, X[:300], false_alarm_rate=rate)
    X[340:345] += np.arange(5)[:, np.newaxis]
    p_values, is_low = detector.p_values(X), detector.score_samples(X) < detector.offset_
    assert_array_equal(p_values <= rate, is_low)
    assert 0 < is_low.sum() < 400
    assert 0 < p_values.min() < p_values.max() <= 1


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
    for seed in range(8):
        X = make_series(2400, seed=seed)
        detector = fit(OURS["joint"], X[:n_training], false_alarm_rate=rate, random_state=seed)
        rates.append((detector.predict(X[n_training:]) == -1).mean())
        X[1600:1620] = 0
        found.append((detector.predict(X)[1600:1620] == -1).mean())
    assert np.mean(rates) < highest
    assert min(found) > 0.4  # the threshold follows a fault, so that its later rows may pass
    assert np.mean(found) > 0.85


@pytest.mark.parametrize("apart", [8 * WINDOW, 12 * WINDOW])
def test_short_faults_that_are_alike_all_raise_alarms(apart):
    X = make_series(600 + 12 * apart, seed=1)
    detector = fit(OURS["joint"], X[:600])
    is_fault = (np.arange(len(X)) >= 600 + apart) & (np.arange(len(X)) % apart < WINDOW // 2)
    X[is_fault] += 4
    is_low = detector.predict(X[600:]) == -1
    assert is_low[is_fault[600:]].reshape(-1, WINDOW // 2).any(axis=1).all()


def test_several_series_to_calibrate_on_count_as_a_window_each_unless_they_are_shorter():
    X = [make_series(60, seed=seed) for seed in range(7)]
    detector = fit(X=[*X, make_series(240, seed=7)], stride=2)
    for expected in (7 * (44 / WINDOW + 1) + 208 / WINDOW + 24 / WINDOW, 1 + 20 / WINDOW):
        for threshold in detector._judge.rows, detector._judge.singles:
            assert threshold.calibration.fresh.n_independent == expected
        detector.recalibrate([make_series(3), make_series(8), make_series(20)])


def test_of_a_long_series_the_threshold_rests_on_stretches_and_the_held_out_end():
    X = make_series(6000)
    detector = fit(OURS["joint"], X)
    fresh = detector._judge.rows.calibration.fresh
    assert 0.9 * MAX_LENDING_WINDOWS < fresh.n_scores - 600 <= MAX_LENDING_WINDOWS
    assert fresh.n_independent == pytest.approx(fresh.n_scores / WINDOW, rel=0.1)
    # Most are told of by as many windows as any row, so that their scores are spread as all are.
    rows = detector.score_samples(X)
    assert fresh.mean == pytest.approx(rows.mean(), rel=0.05)
    assert fresh.standard_deviation == pytest.approx(rows.std(), rel=0.1)


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
    X, recent = np.split(make_series(400), [300])
    expected, detector = fit(inner, X), fit(inner, X)
    detector.set_params(**changed)
    assert_array_equal(detector.decision_function(recent), expected.decision_function(recent))
    expected.recalibrate(recent, false_alarm_rate=0.1)
    detector.recalibrate(recent, false_alarm_rate=0.1)
    assert_array_equal(detector.decision_function(recent), expected.decision_function(recent))
    if changed != {"stride": 99}:
        refitted = fitted(detector, X).score_samples(recent)
        assert (refitted != expected.score_samples(recent)).any()


# --------------------------------------------------------------------------- offsets that follow


def make_drifting(n_rows=3000):
    """Return a series whose noise grows from row 1000 to row 2000, and then stays as it is."""
    series = make_series(n_rows)
    scale = np.interp(np.arange(n_rows), [1000, 2000], [0, 0.7])[:, np.newaxis]
    return series + scale * np.random.default_rng(1).normal(size=series.shape)


def offsets_of(detector, X):
    return detector.score_samples(X) - detector.decision_function(X)


@pytest.fixture(scope="module", params=[ERROR, FOREST], ids=["ours", "scikit-learn's"])
def adaptive(request):
    """A detector of a steady series, of which the drifting one is a continuation."""
    return fit(request.param, make_drifting()[:1000])


of_drift = pytest.mark.filterwarnings("ignore:.* of the samples of X score lower")


@of_drift
def test_an_offset_that_follows_decides_the_same_everywhere(adaptive):
    X = make_drifting()[1000:]
    decisions = adaptive.decision_function(X)
    labels = adaptive.predict(X)
    assert_array_equal(labels, np.where(decisions < 0, -1, 1))
    events = adaptive.find_events(X, max_gap=0)
    found = np.ones(len(X), dtype=int)
    for event in events.itertuples():
        found[event.start : event.end + 1] = -1
    assert_array_equal(found, labels)
    assert set(labels) == {-1, 1}


@of_drift
def test_an_offset_is_learned_from_earlier_rows_alone(adaptive):
    X = make_drifting()[1000:]
    changed = X.copy()
    changed[1500:] += 5
    before, after = offsets_of(adaptive, X), offsets_of(adaptive, changed)
    first = 1500 - WINDOW + 1  # the first row that a changed window covers
    assert_array_equal(after[: first + 1], before[: first + 1])
    assert (after[first + 1 :] != before[first + 1 :]).any()


@of_drift
def test_an_offset_moves_from_the_fixed_one(adaptive):
    for X in make_series(500), make_drifting()[1000:], make_drifting()[::-1]:
        offsets = offsets_of(adaptive, X)
        assert offsets[0] == pytest.approx(adaptive.offset_)
        assert (offsets != adaptive.offset_).any()
    assert offsets.min() < adaptive.offset_ - 1e-9


def test_the_rows_of_the_fit_have_the_offset_that_rests_on_them(adaptive):
    X = make_drifting()[:1000]
    assert_allclose(offsets_of(adaptive, X), adaptive.offset_)
    known, fresh = adaptive.decision_function([X, X[:300]])
    assert_array_equal(known, adaptive.decision_function(X))
    assert_array_equal(fresh, adaptive.decision_function(X[:300]))


@pytest.mark.filterwarnings("ignore:.* of the samples of X score lower")
def test_the_rows_of_the_fit_are_known_although_their_times_jump():
    times = INDICES["times"]
    frame = pd.DataFrame(make_drifting()[:1000], index=times).drop(times[400:420])
    detector = fit(FOREST, frame)
    assert_allclose(offsets_of(detector, frame), detector.offset_)
    # Of a series that shares a piece with the fit, the rows of that piece alone are known.
    other = frame.copy()
    other.iloc[:400] += np.random.default_rng(2).normal(0, 0.1, size=(400, frame.shape[1]))
    offsets = offsets_of(detector, other)
    assert_allclose(offsets[400:], detector.offset_)
    assert (np.abs(offsets[1:400] - detector.offset_) > 1e-9).any()


@of_drift
def test_an_offset_set_by_hand_stays_until_a_rule_sets_another(adaptive):
    X, by_rule = make_drifting()[1000:], copy(adaptive)
    adaptive = copy(adaptive)
    adaptive.offset_ = 1.5 * by_rule.offset_
    assert_array_equal(adaptive.decision_function(X), adaptive.score_samples(X) - adaptive.offset_)
    adaptive.recalibrate()
    assert_array_equal(adaptive.decision_function(X), by_rule.decision_function(X))


@of_drift
def test_where_scores_drift_alarms_stay_rare_unless_the_threshold_is_fixed(adaptive):
    X = make_drifting()[1000:]
    fixed = copy(adaptive).set_params(threshold="fixed").recalibrate()
    assert fixed.offset_ == adaptive.offset_
    share = (adaptive.predict(X)[1000:] == -1).mean()
    assert share < 0.05
    assert (fixed.predict(X)[1000:] == -1).mean() > 4 * share


@of_drift
def test_each_series_has_an_offset_of_its_own(adaptive):
    X = make_drifting()[1000:]
    together = adaptive.decision_function([X, X[:300]])
    assert_array_equal(together[0], adaptive.decision_function(X))
    assert_array_equal(together[1], adaptive.decision_function(X[:300]))


@pytest.mark.parametrize("parameters", [{"threshold": "fixed"}, {"contamination": 0.1}])
def test_an_offset_that_does_not_follow_is_the_fixed_one(parameters):
    detector = fit(FOREST, **parameters)
    X = np.r_[make_series(300), make_series(50) + 3]
    scores = detector.score_samples(X)
    assert_array_equal(detector.decision_function(X), scores - detector.offset_)


@pytest.mark.parametrize("method", ["predict", "decision_function", "find_events"])
def test_rows_that_have_drifted_are_met_with_a_warning(method):
    detector = fit(false_alarm_rate=0.05)
    judge = getattr(detector, method)
    drifted = make_series(10 * WINDOW) + 5
    with pytest.warns(UserWarning, match="^100% of the samples of X score lower") as record:
        judge(drifted)
    assert record[0].filename == __file__
    judge(drifted[1:])  # less than ten windows
    judge(np.r_[make_series(300), drifted])
    detector.score_samples(drifted)


def test_of_frequent_anomalies_an_adaptive_threshold_warns_by_another_remedy():
    X = make_series(1500)
    X[1000::9] += 9.0
    told = "mostly anomalies.*fit again. If they are anomalies, set threshold='fixed', as"
    with pytest.warns(UserWarning, match=told):
        fit(X=X[:900]).predict(X[1000:])
    with pytest.warns(UserWarning, match="or fit again.$"):
        fit(X=X[:900], threshold="fixed").predict(X[1000:])


def test_neither_short_pieces_nor_blackouts_tell_of_drift():
    X = pd.DataFrame(make_series(1200), index=pd.date_range("2024", periods=1200, freq="h"))
    detector = fit(X=X[:500])
    short = X[500:].drop(X.index[[i for i in range(500, 1000) if i % 16 > 5]]) + 0.0
    short[:200] += 9.0
    with pytest.warns(UserWarning, match="Too short") as record:
        detector.predict(short)
    assert len(record) == 1
    dark = X[500:].copy()
    dark[:650] = np.nan
    dark[650:] += 9.0  # too few rows to tell
    detector.predict(dark)  # where a warning is an error


# ------------------------------------------------------------------------------- rows without data


def test_rows_of_a_stretch_without_data_are_anomalous_and_those_beside_it_are_not():
    X = make_series(400)
    detector = fit(X=X[:300], false_alarm_rate=0.001)
    assert (detector.predict(X) == 1).all()
    X[[*range(100, 104), *range(200, 250)]] = np.nan  # half a window, and several
    X[300:303] = X[330:350, 1] = np.nan  # less, and another feature has data
    is_missing = np.zeros(400, dtype=bool)
    is_missing[[*range(100, 104), *range(200, 250)]] = True
    scores = detector.score_samples(X)
    assert_array_equal(detector.predict(X) == -1, is_missing)
    assert len(set(scores[is_missing])) == 1
    assert scores[is_missing].max() < scores[~is_missing].min()


@pytest.mark.parametrize("stride", [1, 3, 5])
@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_a_gap_shorter_than_a_blackout_is_judged_as_a_row_beside_it(stride, threshold):
    detector = fit(X=make_series(900), window_size=20, stride=stride, threshold=threshold)
    X, is_gap = make_series(400, seed=1), np.zeros(400, dtype=bool)
    gaps = {50: 1, 100: 2, 150: 4, 200: 7, 260: 9}
    for start, n_rows in gaps.items():
        is_gap[start : start + n_rows] = True
    faulty = X.copy()
    faulty[90:120] += 6  # around one of the gaps
    for series in X, faulty:
        series[is_gap] = np.nan
        scores, decisions = detector.score_samples(series), detector.decision_function(series)
        for start, n_rows in gaps.items():
            beside = min(start - 1, start + n_rows, key=lambda row: scores[row])
            assert (scores[start : start + n_rows] == scores[beside]).all()
            assert (decisions[start : start + n_rows] == decisions[beside]).all()
    assert_array_equal(detector.predict(faulty)[90:120], -1)


def with_gaps(X, n_rows, apart):
    """Leave no whole window of 20 rows where gaps are less than 20 rows apart."""
    X = X.copy()
    for start in range(40, len(X), n_rows + apart):
        X[start : start + n_rows] = np.nan
    return X


@of_drift
@pytest.mark.filterwarnings("ignore:Alarms are so frequent")
@pytest.mark.parametrize("inner", ["joint", "error", "forecaster"])
@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_allowance_is_made_for_gaps_of_which_the_fit_had_none(inner, threshold):
    series = make_series(2600)
    parameters = {"window_size": 20, "threshold": threshold}
    detector = fit(OURS[inner], series[:1500], **parameters)
    judge = detector._judge
    found = {True: [], False: []}
    for is_allowed, shares in found.items():
        detector._judge = judge if is_allowed else replace(judge, allowance=None)
        for n_rows, apart in ((2, 12), (5, 15), (8, 12)):
            X = with_gaps(series[1500:], n_rows, apart)
            shares.append((detector.predict(X) == -1).mean())
            X[500:520] += 4
            assert (detector.predict(X)[500:520] == -1).mean() > 0.6
    assert max(found[True]) < (0.2 if threshold == "fixed" else 0.04)
    most = 0.7 if threshold == "fixed" else 1.0  # an adaptive one follows what gaps cost
    assert np.mean(found[True]) < most * np.mean(found[False])


@pytest.mark.parametrize("scorer", ["joint", "error"])
def test_gaps_hide_no_fault_of_a_machine_that_is_mostly_off(scorer):
    steps = np.arange(3000)
    X = np.column_stack([np.sin(steps / 5), np.cos(steps / 7)])
    X += np.random.default_rng(0).normal(scale=0.05, size=X.shape)
    X[steps % 600 > 200] = 0.0
    inner = LSTMAutoencoderDetector(hidden_size=8, max_epochs=8, scorer=scorer)
    detector = fit(inner, X[:2400], window_size=20, threshold="fixed")
    X = X[2400:].copy()
    X[20:150] += 4
    X[2:180:12] = X[3:180:12] = np.nan
    assert (detector.predict(X)[20:150] == -1).mean() > 0.7


@pytest.mark.filterwarnings("error:Set aside")
@pytest.mark.parametrize("inner", ["joint", "neighbors"])
def test_gaps_in_normal_training_rows_make_none_of_them_odd(inner):
    steps = np.arange(2000)[:, np.newaxis]
    X = np.sin(2 * np.pi * steps / 20 + [0, 1])
    X += np.random.default_rng(0).normal(scale=0.1, size=X.shape)
    for start in 300, 800, 1200, 1500:
        X[start : start + 8] = np.nan
    fit(OURS[inner], X, window_size=20)


def test_a_function_that_knows_no_missing_values_scores_series_without_gaps():
    def worst(errors, latents):
        return -np.array([error.max() for error in errors])

    inner = LSTMAutoencoderDetector(**SMALL, scorer=worst)
    X = make_series(300)
    assert np.isfinite(fit(inner, X).score_samples(X)).all()


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_rows_that_no_whole_window_reaches_raise_no_alarm(threshold):
    series = make_series(2600)
    detector = fit(OURS["joint"], series[:1500], window_size=20, threshold=threshold)
    for start in range(1500, 2500, 100):
        X = series[start : start + 60].copy()
        X[[*range(6, 12), *range(46, 52)]] = np.nan  # near both ends
        assert (detector.predict(X) == 1).mean() > 0.9


def test_nothing_is_learned_from_a_gap():
    X = make_series(1200)
    detector, holed = fit(X=X[:900], window_size=20, stride=1), X[900:].copy()
    holed[100:108] = np.nan
    rows = detector._judge.score(read_series(holed)[0], [None])
    assert np.flatnonzero(np.isnan(rows.own_scores)).tolist() == list(range(100, 108))
    told = np.delete(rows.own_scores, range(100, 108))
    expected = row_judge.follow(
        detector._judge.rows.adaptive(detector._judge.span), told, detector._judge.worst
    )
    assert_array_equal(np.delete(offsets_of(detector, holed), range(100, 108)), expected)
    expected = detector._judge.resting_on(rows, "population").calibration.population.scores
    assert_array_equal(expected, np.sort(told))


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("n_rows", [1, 3, 6])
def test_faults_beside_a_gap_are_found_wherever_windows_start(side, n_rows):
    detector = fit(X=make_series(900), window_size=20, stride=7)
    for phase in range(7):
        X = make_series(300, seed=1)
        X[150 + phase] = np.nan
        start = 150 + phase - n_rows if side == "before" else 151 + phase
        X[start : start + n_rows] += 20
        assert (detector.predict(X)[start : start + n_rows] == -1).all()
        events = detector.find_events(X)
        assert start in [row for e in events.itertuples() for row in range(e.start, e.end + 1)]
        assert np.isfinite(X[events["peak"]]).all()


@of_drift
def test_rows_without_data_are_anomalous_wherever_offsets_have_gone():
    X = make_drifting()[1000:]
    detector = fit(X=make_drifting()[:1000])
    X[1800:1850] = np.nan
    others = np.delete(detector.score_samples(X), range(1800, 1850))
    judge = detector._judge
    without = row_judge.follow(judge.rows.adaptive(judge.span), others, judge.worst)
    offsets = offsets_of(detector, X)
    assert (detector.predict(X)[1800:1850] == -1).all()
    assert offsets[1799] < detector.offset_ - 1e-9
    # Nothing is learned from them.
    assert offsets[1850] == without[1800]


@pytest.mark.parametrize("rule", [{"contamination": 0.1}, {"false_alarm_rate": 0.1}])
def test_rows_without_data_do_not_move_a_threshold(rule):
    X = make_series(300)
    X[40:100] = np.nan
    detector = fit(X=X, **rule)
    for _ in "fit", "recalibration":
        labels = detector.predict(X)
        assert (labels[40:100] == -1).all()
        assert 0 < (np.delete(labels, range(40, 100)) == -1).mean() < 0.3
        detector.recalibrate(X, **rule)


def test_rows_without_data_are_anomalous_however_far_the_calibration_moved():
    X, detector = make_series(300), fit()
    with pytest.warns(UserWarning, match="offset_ falls to"):
        detector.recalibrate(1e4 * X)
    X[100:120] = np.nan
    assert (detector.predict(1e4 * X)[100:120] == -1).all()


def with_blackouts(*blackouts, n_rows=400):
    X = make_series(300 + n_rows)[300:]
    for start, end in blackouts:
        X[start:end] = np.nan
    return X


@pytest.mark.parametrize("inner", [OURS["joint"], FOREST], ids=["ours", "of scikit-learn"])
@pytest.mark.parametrize("stride", [1, 3])
def test_no_window_reaches_across_a_blackout(inner, stride):
    detector = fit(inner, stride=stride, relative_to_recent=0)
    X = with_blackouts((100, 104), (200, 260))
    pieces = [X[:100], X[104:200], X[260:]]
    scores = detector.score_samples(X)
    alone = detector.score_samples(pieces)
    assert_array_equal(np.delete(scores, [*range(100, 104), *range(200, 260)]), np.hstack(alone))
    if inner is not FOREST:
        is_dark = np.isnan(X[:, 0])
        cells = detector.cell_errors(X)
        assert_array_equal(cells[~is_dark], np.vstack(detector.cell_errors(pieces)))
        assert np.isnan(cells[is_dark]).all()
        assert detector.score(X) == detector.score(pieces)


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
@pytest.mark.parametrize(
    ("blackouts", "pieces"),
    [
        ([(380, 394)], "394 to 399"),
        ([(7, 30)], "0 to 6"),
        ([(100, 120), (125, 140)], "120 to 124"),
        ([(1, 11), (12, 22), (385, 395)], "0 to 0, 11 to 11, 395 to 399"),
    ],
    ids=["before few rows", "after few rows", "around few rows", "all of it"],
)
def test_rows_with_data_beside_a_blackout_are_none_of_it(threshold, blackouts, pieces):
    X = with_blackouts(*blackouts)
    detector = fit(X=make_series(700)[:300], threshold=threshold)
    is_dark = np.isnan(X[:, 0])
    edges = [0, *(edge for blackout in blackouts for edge in blackout), 400]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start < 8:
            X[start:end] += 50.0  # what is too short to be judged raises no alarm, as in a stream
    with pytest.warns(UserWarning, match=f"in: rows {pieces}, between jumps in time or"):
        labels = detector.predict(X)
    assert_array_equal(labels[is_dark], -1)
    is_short = np.abs(np.nan_to_num(X)).max(axis=1) > 25
    assert is_short.any()
    assert_array_equal(labels[is_short], 1)
    assert (labels[~is_dark] == 1).mean() > 0.95
    with pytest.warns(UserWarning, match="Too short"):
        events = detector.find_events(X)
    dark = events[events["observed"] == 0]
    assert list(zip(dark["start"], dark["end"] + 1, strict=True)) == blackouts


@pytest.mark.parametrize("window_size", [WINDOW, "auto"])
def test_a_fit_learns_from_the_pieces_between_blackouts(window_size):
    X = with_blackouts((100, 160), (163, 200), n_rows=600)  # between which three rows stand
    X_new = make_series(100, seed=2)
    expected = fit(X=[X[:100], X[200:]], window_size=window_size)
    told = r"Windows have 57 rows rather than 95, as X is cut to 3 piece\(s\), the longest of 400"
    with pytest.warns(UserWarning, match=told) if window_size == "auto" else nullcontext():
        found = fit(X=X, window_size=window_size)
    assert found.window_size_ == expected.window_size_
    assert_array_equal(found.score_samples(X_new), expected.score_samples(X_new))
    assert found.offset_ == expected.offset_
    assert_array_equal(found.score_samples(X)[:100], expected.score_samples([X[:100]])[0])


def test_a_window_size_is_chosen_anew_if_blackouts_leave_no_piece_for_it():
    X = make_series(3000)
    X[np.arange(3000) % 100 >= 45] = np.nan
    with pytest.warns(UserWarning, match="Windows have 7 rows rather than 94"):
        assert make(FOREST, window_size="auto").fit(X).window_size_ == 7
    weights = [np.ones(3000), np.zeros(60)]
    with pytest.warns(UserWarning, match="Windows have 7 rows rather than 94"):
        make(FOREST, window_size="auto").fit([X, make_series(60)], sample_weight=weights)
    with pytest.raises(ValueError, match="weight 0: the longest has n_samples=45 rows"):
        make(FOREST, window_size=70).fit(X)
    panel = pd.concat({"a": pd.DataFrame(X), "b": pd.DataFrame(make_series(300))})
    for size in 70, 50:  # longer than the blackouts, and shorter
        told = "Left out: series a, whose times jump, or whose data fail"
        with pytest.warns(UserWarning, match=told):
            make(FOREST, window_size=size).fit(panel)
    dark, weights = np.full((300, 2), np.nan), np.ones(300)
    dark[:100], weights[:150] = X[:45].mean(), 0
    with pytest.raises(ValueError, match="no row of X that sample_weight lets count has"):
        make(FOREST, window_size="auto", verbose=1).fit(dark, sample_weight=weights)


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_pieces_shorter_than_those_of_the_fit_change_neither_level_nor_thresholds(threshold):
    X = make_series(700)
    detector = fit(X=X[:300], threshold=threshold)
    X = X[300:]
    X[100:110] = X[116:130] = np.nan
    odd = X.copy()
    odd[110:116] += 50
    is_other = np.delete(np.arange(400), range(110, 116))
    with pytest.warns(UserWarning, match="Too short"):
        expected, found = (detector.decision_function(rows)[is_other] for rows in (X, odd))
    assert_array_equal(found, expected)
    offsets = [detector.recalibrate(rows).offset_ for rows in (X, odd)]
    assert offsets[0] == offsets[1]
    with pytest.raises(ValueError, match="between jumps in time or blackouts, has 6 row"):
        detector.recalibrate(X[104:130])


def test_a_threshold_may_rest_on_a_short_series_of_the_fit_that_was_odd():
    odd = make_series(10, seed=9) + 30
    X = [make_series(600), make_series(400, seed=2), odd]
    with pytest.warns(UserWarning, match="Set aside"):
        detector = make(window_size=16).fit(X)
    short = np.vstack([X[0][:7], np.full((20, 2), np.nan), X[0][:7]])
    with pytest.warns(UserWarning, match="offset_ falls"):
        assert np.isfinite(detector.recalibrate([odd, short]).offset_)


@pytest.mark.parametrize("inner", [OURS["joint"], FOREST], ids=["ours", "of scikit-learn"])
def test_good_rows_between_gaps_of_any_length_are_none_of_a_blackout_if_they_are_few(inner):
    X = make_series(1000)
    detector = fit(inner, X[:600], window_size=40)
    X = X[600:]
    X[100:130] = X[133:150] = X[153:180] = np.nan  # the second is shorter than a blackout
    with pytest.warns(UserWarning, match="Too short"):
        labels = detector.predict(X)
    assert (labels[[*range(130, 133), *range(150, 153)]] == 1).all()
    assert (labels[133:150] == 1).all()
    assert (labels[[*range(100, 130), *range(153, 180)]] == -1).all()


@pytest.mark.parametrize("inner", [FOREST, OURS["joint"], OURS["forecaster"]], ids=repr)
def test_rows_are_looked_through_for_gaps_once(inner, monkeypatch):
    X, looked = with_blackouts((100, 160)), []
    detector = fit(inner, X=make_series(700)[:300], threshold="fixed", false_alarm_rate=0.3)
    monkeypatch.setattr(
        Gaps, "of", lambda values, of=Gaps.of: looked.append(len(values)) or of(values)
    )
    detector.predict(X)
    detector.find_events(X)
    assert looked == [400, 400]
    fitted(detector, X)
    assert looked == [400] * 3


def test_series_that_hold_hardly_any_data_are_none_to_calibrate_on():
    X = np.full((60, 2), np.nan)
    X[::WINDOW] = 0.0
    sentence = (
        "the longest piece of X with data, between jumps in time or blackouts, has 4 row(s); "
        "expected at least 8, and data in half of them, to calibrate on: pass more rows."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        fit().recalibrate(X)


def test_errors_of_cells_are_means_over_the_windows_and_missing_where_x_is():
    X, detector = make_series(60, seed=1), fit()
    X[30, 1] = X[40:42] = np.nan
    starts = np.arange(60 - WINDOW + 1)
    errors = detector.detector_._judge.errors(slide(read_series(X)[0], WINDOW))
    errors = errors.reshape(-1, WINDOW, 2)
    expected = [
        np.mean([errors[s, row - s] for s in starts if s <= row < s + WINDOW], axis=0)
        for row in range(60)
    ]
    assert_allclose(detector.cell_errors(X), expected)
    assert_array_equal(np.isnan(detector.cell_errors(X)), np.isnan(X))
    assert not hasattr(make(FOREST), "cell_errors")


# ----------------------------------------------------------------------- jumps in time, and weights

INDICES = {
    "times": pd.date_range("2024-03-30", periods=1000, freq="h"),
    "times of a zone": pd.date_range("2024-03-30", periods=1000, freq="h", tz="Europe/Paris"),
    "periods": pd.period_range("2024-03-30", periods=1000, freq="h"),
    "durations": pd.timedelta_range(0, periods=1000, freq="min"),
    "dates": pd.Index(pd.date_range("2024-03-30", periods=1000).date),
    "datetimes": pd.Index(
        pd.date_range("2024-03-30", periods=1000, freq="h", tz="UTC").to_pydatetime(), dtype=object
    ),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_where_time_jumps_a_series_is_cut(index):
    frame = pd.DataFrame(make_series(1000), index=index)
    detector = fit(FOREST, frame[:300], relative_to_recent=0)
    gone_on, jumped = (frame.drop(index[700 : 700 + n]) for n in (4, 5))
    pieces = [frame[:700].to_numpy(), frame[705:].to_numpy()]
    expected = np.concatenate(detector.score_samples(pieces))
    assert_array_equal(detector.score_samples(jumped), expected)
    assert_array_equal(detector.predict(jumped) == -1, detector.decision_function(jumped) < 0)
    one = detector.score_samples(gone_on.to_numpy())
    assert_array_equal(detector.score_samples(gone_on), one)
    panel = pd.concat({"a": jumped})
    assert_array_equal(detector.score_samples(panel), expected)


def test_pieces_between_jumps_of_time_that_are_too_short_are_told():
    times = INDICES["times"][:400]
    detector = fit(FOREST, pd.DataFrame(make_series(300), index=times[:300]))
    whole = pd.DataFrame(make_series(400), index=times)
    jumped = whole.drop(times[[*range(200, 210), *range(217, 230)]])  # 7 rows stand alone
    detector.predict(whole.drop(times[200:210]))  # where a warning is an error
    told = f"rows {times[210]} to {times[216]} of series b, between jumps in time or blackouts"
    panel = pd.concat({"a": whole, "b": jumped})
    for judge in detector.predict, detector.find_events:
        with pytest.warns(UserWarning, match=told):
            judge(panel)
    with pytest.warns(
        UserWarning, match=f"{times[216]}, between .* blackouts, with fewer than 8 rows"
    ):
        assert (detector.predict(jumped)[200:207] == 1).all()


def test_no_training_window_reaches_across_a_jump_of_time():
    frame = pd.DataFrame(make_series(600), index=INDICES["times"][:600])
    jumped = frame.drop(frame.index[295:305])
    X = make_series(50, seed=1)
    expected = fit(X=[frame[:295].to_numpy(), frame[305:].to_numpy()])
    assert_array_equal(fit(X=jumped).score_samples(X), expected.score_samples(X))
    bridged = fit(X=jumped, max_time_steps=11)
    expected = fit(X=jumped.to_numpy())
    assert_array_equal(bridged.score_samples(X), expected.score_samples(X))


@pytest.mark.parametrize("inner", [OURS["joint"], FOREST], ids=["ours", "scikit-learn's"])
def test_rows_of_weight_zero_leave_no_trace(inner):
    X = make_series(300)
    pieces = [X[5:100], X[110:280].copy()]
    weights = np.ones(300)
    weights[[*range(5), *range(100, 110), *range(280, 300)]] = 0
    X[weights == 0] = 1e6
    weights[50] = 7  # all other rows count alike
    expected, detector = fit(inner, pieces), make(inner).fit(X, sample_weight=weights)
    assert detector.offset_ == expected.offset_
    assert_array_equal(detector.predict(X[110:280]), expected.predict(X[110:280]))
    assert_array_equal(detector.score_samples(X[110:280]), expected.score_samples(X[110:280]))
    several = make(inner).fit([X[:100], X[100:]], None, [weights[:100], weights[100:]])
    assert several.offset_ == expected.offset_


WRONG_WEIGHTS = {
    "sample_weight is zero for every row; expected at least one weight that is not.": np.zeros(300),
    "sample_weight holds -1.0 for row 7; expected finite numbers that are not negative: 0 leaves a "
    "row out.": np.where(np.arange(300) == 7, -1.0, 1.0),
    "sample_weight has shape (299,); expected (300,), a weight a row.": np.ones(299),
}


@pytest.mark.parametrize("sentence", WRONG_WEIGHTS)
def test_weights_that_are_none_are_refused(sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        make(FOREST).fit(make_series(300), sample_weight=WRONG_WEIGHTS[sentence])


# --------------------------------------------------------------------------------- odd stretches


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # cut short
@pytest.mark.parametrize("index", [None, INDICES["times"]], ids=["rows", "times"])
@pytest.mark.parametrize("inner", [OURS["joint"], FOREST], ids=["ours", "scikit-learn's"])
def test_an_odd_stretch_of_the_training_rows_is_named_and_hides_no_later_fault(inner, index):
    X = make_series(1000)
    fault = np.zeros((1000, 2))
    fault[400:420] = fault[950:970] = 20
    frame = pd.DataFrame(X + fault, index=index)
    with pytest.warns(UserWarning, match="^Set aside as unlike the others: rows .*") as record:
        detector = make(inner).fit(frame[:900])
    (told,) = (warning for warning in record if "Set aside" in str(warning.message))
    assert told.filename == __file__
    named = re.findall(r"(\S+(?: \d\d:\S+)?) to (\S+(?: \d\d:\S+)?)[,;]", str(told.message))
    rows = [[str(label) for label in frame.index].index(label) for pair in named for label in pair]
    assert any(
        400 - WINDOW < first <= 400 and 419 <= last < 420 + WINDOW
        for first, last in zip(rows[::2], rows[1::2], strict=True)
    )
    assert (detector.predict(frame[900:])[52:68] == -1).mean() > 0.3
    expected = fit(inner, X[:900])
    assert detector.offset_ == pytest.approx(expected.offset_, rel=0.5)


@pytest.mark.parametrize("odd", [0, 20], ids=["clean", "odd"])
@pytest.mark.parametrize("n_rows", [300, 1500])
def test_the_network_reads_a_window_that_refers_and_is_judged_once(monkeypatch, n_rows, odd):
    read = []
    summaries = Model.summaries

    def watched(self, sequences, *summarize):
        if not np.isnan(sequences.values).any():  # others are tried without some steps
            read.extend(sequences.starts.tolist())
        return summaries(self, sequences, *summarize)

    monkeypatch.setattr(Model, "summaries", watched)
    X = make_series(n_rows)
    X[200:220] += odd
    fit(OURS["joint"], X, stride=2)
    assert len(read) == len(set(read)) > n_rows // 2


def test_rows_of_a_periodic_series_are_normal_from_whichever_phase_it_begins():
    """References have every phase, though windows start at every sixth row of a period of 24."""
    steps = np.arange(9000)
    X = np.sin(2 * np.pi * steps / 24) + (steps % 24 == 5)
    X = (X + np.random.default_rng(0).normal(scale=0.05, size=9000)).reshape(-1, 1)
    inner = LSTMAutoencoderDetector(hidden_size=16, max_epochs=2, random_state=0)
    detector = fitted(make(inner, window_size=168, threshold="fixed"), X[:8000])
    assert detector.stride_ == 6
    shares = [np.mean(detector.predict(X[8000 + phase :]) == -1) for phase in range(6)]
    assert max(shares) < 0.1


FAULTS_OF_TRAINING = {
    "spike": (slice(1000, 1001), lambda rows: rows + 8),
    "gap in one feature": (slice(1000, 1040), lambda rows: rows * np.nan),
    "frozen sensor": (slice(1000, 1040), lambda rows: rows[:1].repeat(len(rows), 0)),
}


@pytest.mark.parametrize("kind", FAULTS_OF_TRAINING)
def test_a_small_fault_among_the_training_rows_is_set_aside_and_later_ones_are_found_whole(kind):
    steps = np.arange(5000)
    waves = np.column_stack([np.sin(steps / 8), np.cos(steps / 13), np.sin(steps / 8 + 1) / 2])
    X = waves + np.random.default_rng(1).normal(scale=0.1, size=waves.shape)
    faults = [(2700, 2740), (3100, 3220)]
    for start, end in faults:
        X[start:end, 0] = 0.3 * X[start:end, 0] + 0.8
    clean = fitted(SlidingWindowDetector(random_state=1), X[:2500])
    stretch, disturb = FAULTS_OF_TRAINING[kind]
    X[stretch, 1:2] = disturb(X[stretch, 1:2])
    detector = SlidingWindowDetector(random_state=1)
    with pytest.warns(UserWarning, match="Set aside as unlike the others: rows"):
        detector.fit(X[:2500])
    assert detector.offset_ == pytest.approx(clean.offset_, rel=0.2)
    events = detector.find_events(X[2500:])
    for start, end in faults:
        holding = (events.start <= start - 2500) & (events.end >= end - 1 - 2500)
        assert holding.sum() == 1
        peak = 2500 + events[holding].iloc[0].peak
        assert start - 10 < peak < end + 10  # errors may be largest where it ends


FREQUENT = "Alarms are so frequent that the threshold follows them as if they were normal"


@pytest.mark.filterwarnings("ignore:.* of the samples of X score lower")
def test_alarms_so_frequent_that_they_count_as_normal_are_met_with_a_warning():
    detector, X = fit(X=make_series(500)), make_series(4000, seed=1)
    stream = detector.stream()
    detector.predict(X)
    X[1000:1004] += 9
    detector.predict(X)
    for start in range(1000, 4000, 6 * WINDOW):  # a stream finds all that are further apart
        X[start : start + 4] += 9
    for judge in (detector.predict, detector.find_events, stream.predict):
        with pytest.warns(UserWarning, match=FREQUENT):
            judge(X)
    detector.set_params(threshold="fixed").recalibrate().predict(X)


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


@pytest.mark.parametrize(
    ("period", "window_size", "told", "stride"),
    [
        (30, "auto", "Windows of 90 rows, a multiple of the period of 30 rows", 3),
        (
            144,
            "auto",
            "Windows of 100 rows, which hold no whole period of 144 rows: set window_size if they "
            "should",
            4,
        ),
        (None, "auto", "Windows of 100 rows, as no period was found", 4),
        (30, 50, "Windows of 50 rows", 2),
    ],
)
def test_verbose_tells_how_long_windows_are_and_why(period, window_size, told, stride, capsys):
    X = np.random.default_rng(0).normal(size=(5000, 1))
    if period:
        X = 0.01 * X + np.sin(2 * np.pi * np.arange(5000) / period)[:, np.newaxis]
    make(FOREST, window_size=window_size, verbose=1).fit(X)
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == [told, f"In scoring, a window begins every {stride} row(s)"]


MISFITS = {
    "window_size=50 is longer than every training series, or piece of one between jumps in time, "
    "blackouts or rows of weight 0: the longest has n_samples=49 rows; choose a shorter one.": (
        {"window_size": 50},
        [make_series(20), make_series(49)],
    ),
    "stride=9 is larger than the window of 8 rows and would leave rows uncovered; choose a smaller "
    "stride.": ({"stride": 9}, make_series(300)),
    "n_samples=10 rows to train on make 3 window(s) of 8 rows, expected at least 5: pass more rows"
    ", or choose a smaller window_size.": ({}, make_series(10)),
    "training_stride=200 draws 2 of 255 training windows an epoch, expected at least 5; choose a "
    "smaller one.": ({"training_stride": 200}, make_series(300)),
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
    X = X[::-1]  # the series of the fit is known
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


@pytest.mark.parametrize("size", [20, 21, 23, 30])
@pytest.mark.parametrize("aggregation", ["mean", "mean_min"])
def test_rows_that_no_window_with_data_covers_are_anomalous_and_teach_nothing(size, aggregation):
    detector = fit(X=make_series(600), window_size=size, aggregation=aggregation)
    X = make_series(900, seed=1)
    X[np.setdiff1d(np.arange(300, 500), np.arange(300, 500, 3))] = (
        np.nan
    )  # one row in three is left
    scores = detector.score_samples(X)
    offsets = scores - detector.decision_function(X)
    assert len(np.unique(scores[300 + size : 500 - size])) == 1
    assert (detector.predict(X)[300 + size : 500 - size] == -1).all()
    assert offsets[520] > 2 * offsets[280]  # both are negative


@pytest.mark.parametrize("share", [0.2, 0.4, 0.5])
def test_rows_missing_at_random_in_training_leave_the_threshold_where_it_is(share):
    X = make_series(800)
    holed = X.copy()
    holed[np.random.default_rng(0).uniform(size=800) < share] = np.nan
    whole, found = (fit(X=data, window_size=20, threshold="fixed") for data in (X, holed))
    assert found.offset_ > 3 * whole.offset_
    new = make_series(300, seed=1)
    new[150:180] += 6
    assert (found.predict(new)[150:180] == -1).all()


@pytest.mark.parametrize("inner", [OURS["joint"], FOREST], ids=["ours", "of scikit-learn"])
def test_a_batch_without_any_data_is_a_blackout_and_nothing_to_learn_from(inner):
    X = make_series(400)
    detector = fit(inner, X[:300])
    dark = np.full((50, 2), np.nan)
    assert (detector.predict(dark) == -1).all()
    labels = detector.predict([X[300:], dark, dark[:2]])  # where a warning is an error
    assert_array_equal(np.concatenate(labels[1:]), -1)
    assert_array_equal(labels[0], detector.predict(X[300:]))
    events = detector.find_events(pd.DataFrame(dark, index=INDICES["times"][:50]))
    assert events[["n_rows", "observed"]].to_numpy().tolist() == [[50, 0.0]]
    with pytest.raises(ValueError, match=r"has 0 row\(s\); expected at least 8, and data"):
        detector.recalibrate(dark)
    if inner is not FOREST:
        assert np.isnan(detector.cell_errors(dark)).all()
        with pytest.raises(ValueError, match="no observed value; expected some to explain"):
            detector.score(dark)
    for wrap, place in ((lambda rows: rows, "X"), (lambda rows: [X, rows], "series 1 of X")):
        with pytest.raises(ValueError, match=f"^{place} has no observed value"):
            make(inner).fit(wrap(dark))


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_a_blackout_lies_furthest_below_its_threshold(threshold):
    detector = fit(X=make_series(700)[:300], threshold=threshold)
    X = make_series(700)[300:]
    X[100:150] = np.nan
    X[300:306] += 1
    fixed = detector.score_samples(X) - detector.offset_
    assert_array_equal(detector.decision_function(X)[100:150], fixed[100:150])
    events = detector.find_events(X)
    assert events.set_index("start").loc[100, "rank"] == 1 < len(events)
    if threshold == "fixed":
        assert_array_equal(detector.decision_function(X), fixed)


def test_rows_too_few_to_be_judged_have_a_p_value_of_1():
    detector = fit(FOREST)
    with pytest.warns(UserWarning, match="Too short to find anomalies in: series 1 of X"):
        p_values = detector.p_values([make_series(60), 9 + make_series(5)])
    assert_array_equal(p_values[1], np.ones(5))
    assert (p_values[0] < 1).any()


def test_rows_of_another_step_of_time_are_told_of():
    times = INDICES["times"]
    X = pd.DataFrame(make_series(len(times)), index=times)
    detector = fit(FOREST, X[:600])
    X = X[600:]
    told = "Rows of X are 7200 s apart, those of the fit 3600 s"
    for judge in detector.predict, detector.find_events:
        with pytest.warns(UserWarning, match=told):
            judge(X[::2])
        judge(X)
        judge(X.drop(times[700:710]))
        with pytest.warns(UserWarning, match="Rows of series 1 of X are 7200 s apart"):
            judge([X, X[::2]])
    with pytest.warns(UserWarning, match=told):
        detector.recalibrate(X[::2])


def test_rows_of_which_no_window_has_enough_data_are_refused():
    X = make_series(600)
    X[np.arange(600) % 3 != 0] = np.nan
    sentence = (
        f"no window of {WINDOW} rows of X has data in half of its rows; expected some to learn "
        "from: pass other rows, or choose a smaller window_size."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        make(ERROR).fit(X)


# ------------------------------------------------------------------- series that are cut, or short


def test_odd_rows_on_both_sides_of_a_border_are_stretches_of_two_series():
    first, second = make_series(300), make_series(300)
    first[-20:] += 20.0
    second[:20] += 20.0
    inner = LocalOutlierFactor(novelty=True)
    with pytest.warns(UserWarning, match=r"rows \d+ to 299 of series 0, 0 to \d+ of series 1;"):
        make(inner).fit([first, second])


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_series_shorter_than_a_window_raise_no_alarm_but_where_data_lack(threshold):
    detector = fit(window_size=30, threshold=threshold)
    short, dark = make_series(20), make_series(20)
    dark[2:18] = np.nan
    with pytest.warns(UserWarning, match="Too short to find anomalies in: series 0, 1 of X"):
        labels = detector.predict([short, dark, make_series(100)])
    assert (labels[0] == 1).all()
    assert_array_equal(labels[1] == -1, np.isnan(dark[:, 0]))
    panel = pd.concat({"a": pd.DataFrame(short), "b": pd.DataFrame(make_series(100))})
    with pytest.warns(UserWarning, match="Too short to find anomalies in: series a of X"):
        detector.find_events(panel)
    with pytest.warns(UserWarning, match="Too short"):
        assert_array_equal(detector.decision_function([short])[0] < 0, labels[0] == -1)


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_a_short_piece_whose_score_is_lower_than_the_worst_raises_no_alarm(threshold):
    detector = fit(window_size=30, threshold=threshold)
    short = make_series(20) + 1e6
    with pytest.warns(UserWarning, match="Too short"):
        assert (detector.predict([short])[0] == 1).all()
    assert detector.score_samples([short])[0].max() < detector._judge.worst


def test_series_that_were_set_aside_make_none_as_short_long_enough():
    long, short = make_series(400), make_series(20) + 30.0
    inner = LocalOutlierFactor(novelty=True)
    with pytest.warns(UserWarning, match="rows 0 to 19 of series 1"):
        detector = make(inner, window_size=30).fit([long, short])
    assert detector._judge.shortest == 30
    assert fit(X=[long, make_series(20)], window_size=30)._judge.shortest == 20


def test_series_as_short_as_those_of_the_fit_may_raise_alarms():
    detector = fit(X=[make_series(200), make_series(20)], window_size=30, threshold="fixed")
    odd = make_series(20) + 30.0
    assert (detector.predict([odd])[0] == -1).any()


def test_a_series_of_another_step_of_time_is_left_out_with_a_warning():
    X = make_series(200)
    frames = [
        pd.DataFrame(X, index=pd.date_range("2024-01-01", periods=200, freq="min")),
        pd.DataFrame(X[:90], index=pd.date_range("2024-02-01", periods=90, freq="10min")),
    ]
    panel = pd.concat(frames, keys=["a", "b"])
    with pytest.warns(UserWarning, match="Left out: series b, whose times jump, or"):
        make(FOREST).fit(panel)
    make(FOREST, max_time_steps=np.inf).fit(panel)


def test_weights_of_series_must_be_as_long_as_the_series():
    X = [make_series(100), make_series(200)]
    with pytest.raises(ValueError, match="200 weights for series 0, which has 100 rows"):
        make(FOREST).fit(X, sample_weight=[np.ones(200), np.ones(100)])


def test_pieces_between_weights_of_zero_count_if_they_hold_a_window():
    X, weights = [make_series(100), make_series(300)], [np.zeros(100), np.ones(300)]
    weights[1][2] = 0
    cut = fit(LocalOutlierFactor(novelty=True), X[1][3:])
    told = make(LocalOutlierFactor(novelty=True)).fit(X, sample_weight=weights)
    assert told.offset_ == cut.offset_


def test_methods_are_those_of_the_detector_that_was_fitted():
    detector = fit(FOREST).set_params(detector=None)
    assert not hasattr(detector, "cell_errors")
    detector = fit(ERROR).set_params(detector=FOREST)
    assert detector.cell_errors(make_series(50)).shape == make_series(50).shape


def test_recalibrated_thresholds_follow_by_the_spread_of_the_new_rows():
    detector = fit(LocalOutlierFactor(novelty=True), relative_to_recent=0)
    before = detector._judge.rows.deviation
    noise = np.random.default_rng(0).normal(0, 0.5, (600, make_series(1).shape[1]))
    detector.recalibrate(make_series(600) + noise)
    assert detector._judge.rows.deviation != before


def test_thresholds_of_short_series_follow_from_a_larger_deviation():
    judge, deviations = fit(X=make_series(300))._judge, []
    assert 30 < judge.rows.calibration.fresh.n_independent <= 300 / judge.size
    for n_independent in (3, 30, 300):
        threshold = row_judge.Threshold.by(-np.exp(np.arange(8)), n_independent)
        deviations.append(replace(threshold, rate=0.01).adaptive(judge.span).deviation)
        assert threshold.deviation < deviations[-1]
    assert deviations == sorted(deviations, reverse=True)


@pytest.mark.parametrize("inner", [ERROR, LocalOutlierFactor(novelty=True)], ids=["ours", "LOF"])
def test_copies_of_series_count_once(inner):
    X, other = make_series(200), make_series(120)[::-1]
    alone, copied = fit(inner, [X, other]), fit(inner, [X, other, X.copy(), X.copy()])
    assert copied.offset_ == alone.offset_
    assert_array_equal(copied.score_samples(make_series(60)), alone.score_samples(make_series(60)))
    assert_array_equal(copied.predict([X, X])[1], alone.predict(X))


def test_contamination_is_the_share_flagged_where_time_jumps_as_well():
    index = pd.date_range("2024", periods=600, freq="h").delete(slice(250, 350))
    X = make_series(500)
    X[150:300] *= 1.5
    detector = make(LocalOutlierFactor(novelty=True), contamination=0.1)
    flagged = detector.fit_predict(pd.DataFrame(X, index=index)) == -1
    assert flagged.sum() == pytest.approx(50, abs=1)
