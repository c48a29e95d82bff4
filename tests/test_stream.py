"""Rows of a live series, judged as they come."""

import pickle
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, exactly, fitted, make_series
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector

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


def test_the_threshold_is_calibrated_on_windows_rather_than_rows():
    X = make_series(300)
    detector = fit(X=X, false_alarm_rate=0.3, aggregation="min")
    held_out = np.sort(detector.stream().push(X[270:])[WINDOW - 1 :])
    assert detector.stream().offset_ == held_out[int(0.3 * (len(held_out) + 1)) - 1]
    assert detector.stream().offset_ > detector.offset_


def test_contamination_is_the_share_of_flagged_training_windows():
    X = make_series(400 + WINDOW - 1)
    stream = fit(IsolationForest(n_estimators=20), X, contamination=0.1).stream()
    assert (stream.push(X)[WINDOW - 1 :] < stream.offset_).sum() == 40


def test_a_disturbance_is_flagged_when_it_comes():
    X = make_series(700)
    X[670] += 4
    stream = fit(LSTMAutoencoderDetector(**SMALL), X[:600], false_alarm_rate=0.001).stream()
    is_anomalous = stream.push(X[600:]) < stream.offset_
    assert np.flatnonzero(is_anomalous[WINDOW:])[0] == 70 - WINDOW


# ------------------------------------------------------------------------------ state and refusals


def test_streams_are_apart_and_outlive_another_fit():
    X = make_series(40, seed=1)
    detector = fit()
    expected, offset = detector.stream().push(X), detector.stream().offset_
    first, second = detector.stream(), detector.stream()
    before = first.push(X[:20])
    second.push(X[30:])
    fitted(detector.set_params(window_size=3), make_series(300, 3)).offset_ = 7.0
    assert_array_equal([*before, *first.push(X[20:])], expected)
    assert first.offset_ == offset


def test_a_streams_offset_may_be_set_and_is_its_own():
    detector = fit()
    stream, by_rule = detector.stream(), detector.stream().offset_
    stream.offset_ = 0.25
    assert pickle.loads(pickle.dumps(stream)).offset_ == 0.25
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
