"""Rows of a live series, judged as they come."""

import pickle
import re
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, exactly, fitted, make_series
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector

# After two epochs some stretches of plain waves are unlike the rest.
pytestmark = pytest.mark.filterwarnings("ignore:Set aside as unlike the others")

WINDOW = 8
SMALL = QUICK | {"max_epochs": 2, "batch_size": 64}
ERROR = LSTMAutoencoderDetector(**SMALL, scorer="error")  # learns nothing from held-out rows
INNER = {
    "joint": LSTMAutoencoderDetector(**SMALL),
    "mahalanobis": LSTMAutoencoderDetector(**SMALL, scorer="mahalanobis", bottleneck="sequence"),
    "error": LSTMAutoencoderDetector(**SMALL, scorer="error", bidirectional="both"),
    "forecaster": LSTMForecastDetector(**SMALL),
    "local outlier factor": LocalOutlierFactor(novelty=True),
    "isolation forest": IsolationForest(n_estimators=5),
    "principal components": make_pipeline(
        StandardScaler(), PCA(3), LocalOutlierFactor(novelty=True, algorithm="brute")
    ),
}


def fit(inner=ERROR, X=None, **parameters):
    parameters = {"window_size": WINDOW, "random_state": 0, **parameters}
    return fitted(SlidingWindowDetector(inner, **parameters), make_series(300) if X is None else X)


def push(detector, blocks):
    """Return the scores of a series that comes in blocks."""
    stream = detector.stream()
    return np.concatenate([stream.push(block) for block in blocks])


class Difference(IsolationForest):
    """The score of a window is how much its first feature grows within it."""

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return X[:, -2] - X[:, 0]


class Largest(OutlierMixin, BaseEstimator):
    """The score of a window is minus its largest value, whatever is missing."""

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -np.nanmax(np.abs(X), axis=1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


# ----------------------------------------------------------------------------------------- scores


def test_the_score_of_a_row_is_that_of_the_window_that_ends_with_it():
    X = make_series(30, seed=1)
    detector = fit()
    windows = [X[max(0, end - WINDOW) : end] for end in range(1, 31)]
    assert_array_equal(detector.stream().push(X), detector.detector_.score_samples(windows))


def test_later_rows_do_not_change_a_score_unlike_those_that_look_ahead():
    calm = make_series(60, seed=1)
    X = np.where(np.arange(60)[:, np.newaxis] < 30, calm, calm + 3)
    detector = fit(aggregation="min")
    assert_array_equal(detector.stream().push(X)[:30], detector.stream().push(calm)[:30])
    assert (detector.score_samples(X)[:30] < detector.score_samples(calm)[:30]).any()


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
def test_blocks_and_a_pickle_between_them_change_no_bit_of_the_scores(inner):
    X = make_series(150, seed=1)
    X[40:45, 0] += 3
    detector = fit(inner)
    whole = detector.stream().push(X)
    assert_array_equal(push(detector, X), whole)
    assert_array_equal(push(detector, np.split(X, [3, 4, 70, 139])), whole)
    stream = detector.stream()
    stream.push(X[:37])
    resumed = pickle.loads(pickle.dumps(stream))
    assert resumed.offset_ == stream.offset_
    assert_array_equal(resumed.push(X[37:]), whole[37:])


def test_missing_rows_may_come_alone():
    X = make_series(60, seed=1)
    X[0] = X[20:40] = X[45, 1] = np.nan
    detector = fit()
    whole = detector.stream().push(X)
    assert_array_equal(push(detector, X), whole)
    assert np.isfinite(whole).all()


@given(st.lists(st.integers(0, 25), min_size=1, max_size=8), st.integers(1, 12))
@settings(deadline=None, max_examples=30)
def test_any_division_gives_the_scores_of_growing_and_then_full_windows(sizes, window):
    stream = fit(Difference(), make_series(60), window_size=window).stream()
    X = np.repeat(np.arange(float(sum(sizes)))[:, np.newaxis], 2, axis=1)
    scores = [stream.push(block) for block in np.split(X, np.cumsum(sizes)[:-1])]
    assert [len(part) for part in scores] == sizes
    expected = np.minimum(np.arange(sum(sizes)), window - 1)
    assert_array_equal(np.concatenate(scores), expected)


def test_rows_that_threads_push_at_once_are_each_scored_after_all_before():
    class RowsSoFar(Difference):
        def score_samples(self, X):
            time.sleep(1e-4)  # lets other threads go on
            return X[:, ::2].sum(axis=1)

    stream = fit(RowsSoFar(), make_series(1200), window_size=200).stream()
    stream.push([0.0, 0.0])
    with ThreadPoolExecutor(4) as pool:
        scores = [*pool.map(stream.push, np.ones((60, 2, 2)))]
    assert sorted(np.concatenate(scores).tolist()) == list(range(1, 121))
    assert [score - before for before, score in scores] == [1] * 60


# -------------------------------------------------------------------------------------- threshold


def test_the_threshold_rests_on_single_windows_rather_than_rows():
    X = make_series(300)
    detector = fit(IsolationForest(n_estimators=20), X, false_alarm_rate=0.3, threshold="fixed")
    stream = detector.stream()
    stream.push(X[: WINDOW - 1])
    assert (stream.predict(X[WINDOW - 1 :]) == -1).mean() == pytest.approx(0.3, abs=0.1)
    assert stream.offset_ != detector.offset_


def test_contamination_is_about_the_share_of_fresh_windows_that_are_flagged():
    X = make_series(2400)
    stream = fit(IsolationForest(n_estimators=20), X[:1200], contamination=0.1).stream()
    assert 0.05 < (stream.predict(X[1200:])[WINDOW - 1 :] == -1).mean() < 0.15


def test_a_disturbance_is_flagged_when_it_comes():
    X = make_series(700)
    X[670] += 4
    stream = fit(LSTMAutoencoderDetector(**SMALL), X[:600], false_alarm_rate=0.001).stream()
    is_anomalous = stream.predict(X[600:]) == -1
    assert np.flatnonzero(is_anomalous[WINDOW:])[0] == 70 - WINDOW


def make_growing(n_rows=400):
    """Return a series with more and more noise."""
    noise = np.random.default_rng(1).normal(size=(n_rows, 2))
    return make_series(n_rows, seed=1) + noise * np.linspace(0, 2, n_rows)[:, np.newaxis]


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
@pytest.mark.parametrize("inner", [ERROR, INNER["isolation forest"]], ids=["ours", "forest"])
def test_labels_are_the_signs_of_scores_below_the_offset_of_each_row(inner, threshold):
    X = make_growing()
    detector = fit(inner, threshold=threshold)
    stream, scores, offsets = detector.stream(), [], []
    fixed = stream.offset_
    for row in X:
        scores.append(*stream.push(row))
        offsets.append(stream.offset_)
    expected = np.where(np.array(scores) < offsets, -1, 1)
    assert set(expected) == {-1, 1}
    assert offsets[: WINDOW - 1] == [-np.inf] * (WINDOW - 1)
    moved = np.array(offsets[WINDOW - 1 :])
    assert moved[0] == pytest.approx(fixed)
    assert (moved != fixed).any() == (threshold == "adaptive")
    assert_array_equal(detector.stream().predict(X), expected)
    stream, blocks = detector.stream(), np.split(X, [3, 4, 170, 339])
    assert_array_equal(np.concatenate([stream.predict(block) for block in blocks]), expected)
    assert stream.offset_ == offsets[-1]


def test_labels_and_offsets_go_on_from_a_pickle():
    X, detector = make_growing(), fit()
    expected = detector.stream().predict(X)
    stream = detector.stream()
    first = stream.predict(X[:250])
    resumed = pickle.loads(pickle.dumps(stream))
    assert resumed.offset_ == stream.offset_
    assert_array_equal([*first, *resumed.predict(X[250:])], expected)
    assert_array_equal(stream.predict(X[250:]), expected[250:])
    assert resumed.offset_ == stream.offset_


def test_until_a_window_is_there_no_row_is_anomalous():
    labels = fit().stream().predict(make_series(WINDOW + 5, seed=1) + 100)
    assert labels.tolist() == [1] * (WINDOW - 1) + [-1] * 6


def test_a_stream_that_starts_cold_raises_no_false_alarms():
    X = make_series(900)
    detector = fit(X=X[:300])
    starts = [
        detector.stream().predict(X[start : start + 3 * WINDOW]) for start in range(300, 800, 20)
    ]
    assert np.mean(np.array(starts) == -1) < 0.02


@pytest.mark.parametrize("names", [["load", "heat"], None])
def test_the_feature_to_blame_for_the_latest_row_is_named(names):
    X = pd.DataFrame(make_series(340), columns=names)
    detector = fit(X=X[:300])
    stream = detector.stream()
    assert stream.explain() == {}
    for feature in 1, 0:
        stream.push(X[300:310].reset_index(drop=True))
        disturbed = X.iloc[[310]].reset_index(drop=True)
        disturbed.iloc[0, feature] += 20
        stream.push(disturbed)
        blamed = stream.explain()
        assert next(iter(blamed)) == (names[feature] if names else feature)
        assert next(iter(blamed.values())) > 0.8
        assert sum(blamed.values()) == pytest.approx(1)


def test_where_there_are_no_errors_nothing_is_explained():
    stream = fit(INNER["isolation forest"]).stream()
    stream.push(make_series(20))
    with pytest.raises(AttributeError, match="IsolationForest has no errors to explain its scores"):
        stream.explain()


# ------------------------------------------------------------------------------ blackouts and jumps


def test_after_half_a_window_without_data_the_window_starts_anew():
    X = make_series(80, seed=1)
    X[30:50] = np.nan
    detector = fit()
    stream, late = detector.stream(), detector.stream()
    labels, scores = detector.stream().predict(X), stream.push(X)
    n_rows = WINDOW // 2
    assert (labels[29 + n_rows : 50] == -1).all()
    assert scores[29 + n_rows : 50].max() < np.delete(scores, range(30, 50)).min()
    assert_array_equal(scores[50:], late.push(X[50:]))
    assert (labels[50 : 50 + WINDOW - 1] == 1).all()
    assert_array_equal(push(detector, X), scores)
    short = X[:60].copy()
    short[30:50] = make_series(50, seed=1)[30:]
    short[40 : 40 + n_rows - 1] = np.nan
    beginning = detector.stream().push(short[40 + n_rows - 1 :])
    assert (
        detector.stream().push(short)[40 + n_rows - 1 :][: WINDOW - 1] != beginning[: WINDOW - 1]
    ).all()


INDICES = {
    "times": pd.date_range("2024-03-30", periods=360, freq="h"),
    "times of a zone": pd.date_range("2024-03-30", periods=360, freq="h", tz="Europe/Paris"),
    "periods": pd.period_range("2024-03-30", periods=360, freq="h"),
    "durations": pd.timedelta_range(0, periods=360, freq="min"),
    "dates": pd.Index(pd.date_range("2024-03-30", periods=360).date),
}


@pytest.mark.parametrize("cuts", [[], [15], [20], [25]], ids=str)
@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_where_time_jumps_the_window_starts_anew_with_a_warning(index, cuts):
    frame = pd.DataFrame(make_series(360), index=index)
    detector = fit(IsolationForest(n_estimators=5), frame[:300])
    later = frame[300:].drop(index[320:325])
    before, after = later[:20].to_numpy(), later[20:].to_numpy()
    expected = [*detector.stream().push(before), *detector.stream().push(after)]
    stream, scores, n_warnings = detector.stream(), [], 0
    for block in np.split(np.arange(len(later)), cuts):
        if 20 in block:
            sentence = (
                f"The time jumps by more than 5 usual steps before row {later.index[20]} of X: the "
                "stream's window starts anew there."
            )
            with pytest.warns(UserWarning, match=exactly(sentence)) as record:
                scores.append(stream.push(later.iloc[block]))
            n_warnings += len(record)
            assert record[0].filename == __file__
        else:
            scores.append(stream.push(later.iloc[block]))
    assert n_warnings == 1
    assert_array_equal(np.concatenate(scores), expected)


def test_a_pause_of_few_steps_is_no_jump():
    frame = pd.DataFrame(make_series(360), index=INDICES["times"])
    detector = fit(IsolationForest(n_estimators=5), frame[:300])
    later = frame[300:].drop(frame.index[320:324])
    assert_array_equal(detector.stream().push(later), detector.stream().push(later.to_numpy()))


# ------------------------------------------------------------------------------ state and refusals


def test_streams_are_apart_and_outlive_another_fit():
    X = make_series(40, seed=1)
    detector = fit()
    first, second, third = (detector.stream() for _ in range(3))
    expected = third.push(X)
    before = first.push(X[:20])
    second.push(X[30:])
    fitted(detector.set_params(window_size=3), make_series(300, 3)).offset_ = 7.0
    assert_array_equal([*before, *first.push(X[20:])], expected)
    assert first.offset_ == third.offset_


def test_a_streams_offset_may_be_set_and_is_its_own():
    detector = fit()
    stream, by_rule = detector.stream(), detector.stream().offset_
    stream.offset_ = 0.25
    assert pickle.loads(pickle.dumps(stream)).offset_ == 0.25
    stream.push(make_series(40, seed=1))
    assert stream.offset_ == 0.25
    assert detector.stream().offset_ == by_rule
    with pytest.raises(ValueError, match="offset_ must be a finite number"):
        stream.offset_ = None


def test_a_stream_keeps_no_more_than_a_window():
    stream = fit(IsolationForest(n_estimators=2)).stream()
    size = len(pickle.dumps(stream))
    stream.push(make_series(200))
    assert len(pickle.dumps(stream)) < size + 1000


def test_an_unfitted_detector_has_no_stream():
    with pytest.raises(NotFittedError):
        SlidingWindowDetector().stream()


REFUSALS = {
    "X has 3 features, but SlidingWindowDetector is expecting 2 features as input.": np.ones(
        (4, 3)
    ),
    "the row numbers of X do not increase: 1 follows 2; sort the rows by time, or call "
    "reset_index(drop=True) if they are.": pd.DataFrame(np.ones((2, 2)), index=[2, 1]),
    "Input contains NaN.": [[np.nan, 1.0]],
}


@pytest.mark.parametrize(("sentence", "wrong"), REFUSALS.items())
def test_refused_rows_leave_the_stream_as_it_was(sentence, wrong):
    X = make_series(20, seed=1)
    detector = fit(LocalOutlierFactor(novelty=True))
    stream = detector.stream()
    before = stream.push(X[:10])
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        stream.push(wrong)
    assert_array_equal([*before, *stream.push(X[10:])], detector.stream().push(X))


def test_rows_of_named_features_come_as_frames_or_series_numbered_anew_with_each_push():
    frame = pd.DataFrame(make_series(30), columns=["load", "heat"])
    detector = fit(IsolationForest(n_estimators=5), frame)
    blocks = [frame[:10], frame.iloc[10], frame[11:].reset_index(drop=True)]
    assert_array_equal(push(detector, blocks), detector.stream().push(frame))


def test_time_does_not_run_backward_from_one_push_to_the_next():
    frame = pd.DataFrame(make_series(30), index=pd.date_range("2020", periods=30, freq="h"))
    detector = fit(IsolationForest(n_estimators=5))
    stream = detector.stream()
    stream.push(frame[:10])
    sentence = (
        "the times of X do not increase: 2020-01-01 09:00:00 follows 2020-01-01 09:00:00, which "
        "was pushed before; push later rows alone."
    )
    for again in (frame[9:12], frame.iloc[9]):
        with pytest.raises(ValueError, match=exactly(sentence)):
            stream.push(again)
    later = [stream.push(frame.iloc[row]) for row in range(10, 30)]
    assert_array_equal(np.concatenate(later), detector.stream().push(frame)[10:])


def test_all_jumps_are_named_and_a_warning_that_is_an_error_changes_nothing():
    index = pd.date_range("2024", periods=300, freq="h")
    X = pd.DataFrame(make_series(300), index=index)
    stream = fit(X=X).stream()
    jumped = X.set_index(index + pd.Timedelta("30D")).drop(
        [*(index[20:60] + pd.Timedelta("30D")), *(index[100:140] + pd.Timedelta("30D"))]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            UserWarning, match="before row 2024-02-02 12:00:00, 2024-02-05 20:00:00 of X"
        ):
            stream.push(jumped)
    with pytest.warns(
        UserWarning, match="before row 2024-02-02 12:00:00, 2024-02-05 20:00:00 of X"
    ):
        assert len(stream.push(jumped)) == len(jumped)


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
@pytest.mark.parametrize("n_rows", [1, 3, 7])
def test_a_hole_raises_no_alarm_and_hides_none(n_rows, threshold):
    detector = fit(X=make_series(900), window_size=16, threshold=threshold, false_alarm_rate=0.001)
    X = make_series(600, seed=1)
    for start in range(100, 600, 50):
        X[start : start + n_rows] = np.nan
    assert (detector.stream().predict(X) == 1).all()
    X[109:111] += 30.0  # while the window reaches back to the hole
    assert (detector.stream().predict(X)[109:111] == -1).any()


@pytest.mark.parametrize("inner", [Largest(), IsolationForest(random_state=0)], ids=repr)
@pytest.mark.parametrize("apart", [5, 9, 50])
def test_holes_silence_no_detector_of_tables_that_knows_missing_values(inner, apart):
    X = make_series(900)
    detector = fit(inner, X[:600], window_size=12, threshold="fixed", false_alarm_rate=0.001)
    X_new = X[600:].copy()
    X_new[50::apart] = X_new[51::apart] = np.nan
    assert (detector.stream().predict(X_new) == 1).mean() > 0.98
    X_new[204:220] += 30.0
    assert (detector.stream().predict(X_new)[204:220] == -1).mean() > 0.6


def test_where_each_window_of_the_fit_has_a_hole_larger_ones_silence_a_stream():
    X = make_series(400)
    X[::4] = np.nan
    X_new = X.copy()
    X_new[200:203] = np.nan
    X_new[[205, 301]] += 30.0
    labels = fit(Largest(), X).stream().predict(X_new)
    assert (labels[199 : 199 + WINDOW - 1] == 1).all()  # while windows reach back to the hole
    assert labels[301] == -1
