"""Rows of a live series, judged as they come."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {"hidden_size": 4, "latent_size": 2, "max_epochs": 2, "device": "cpu"}
WINDOW = 8


def make_series(n_timesteps=300, n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, size=n_features)
    sines = np.sin(np.arange(n_timesteps)[:, np.newaxis] / 3 + phases)
    return 50 + 10 * sines + rng.normal(size=(n_timesteps, n_features))


def make_detector(inner=None, **parameters):
    parameters = {"window_size": WINDOW, "random_state": 0, **parameters}
    inner = LSTMAutoencoderDetector(**QUICK) if inner is None else inner
    return SlidingWindowDetector(inner, **parameters)


INNER = {
    "neighbors": LSTMAutoencoderDetector(**QUICK),
    "mahalanobis": LSTMAutoencoderDetector(**QUICK, scorer="mahalanobis", bottleneck="sequence"),
    "error": LSTMAutoencoderDetector(**QUICK, scorer="error", bidirectional="both"),
    "forecaster": LSTMForecastDetector(hidden_size=4, max_epochs=2, device="cpu"),
    "local outlier factor": LocalOutlierFactor(novelty=True),
    "isolation forest": IsolationForest(n_estimators=5),
    "principal components": make_pipeline(
        StandardScaler(), PCA(3), LocalOutlierFactor(novelty=True, algorithm="brute")
    ),
}


@pytest.fixture(scope="module", params=INNER)
def detector(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_detector(INNER[request.param]).fit(make_series())


def exactly(sentence):
    return "^" + re.escape(sentence) + "$"


# ---------------------------------------------------------------------------------------- scores


def test_score_of_a_row_is_that_of_the_window_that_ends_with_it():
    X = make_series(30, seed=1)
    fitted = make_detector().fit(make_series())
    windows = [X[max(0, end - WINDOW) : end] for end in range(1, 31)]
    assert_array_equal(fitted.stream().push(X), fitted.detector_.score_samples(windows))


def test_stream_differs_from_scores_that_look_ahead():
    X = make_series(60, seed=1)
    X[30:] += 30
    fitted = make_detector(aggregation="min").fit(make_series())
    causal, all_round = fitted.stream().push(X), fitted.score_samples(X)
    calm = fitted.stream().push(make_series(60, seed=1))
    assert_array_equal(causal[:30], calm[:30])
    assert (all_round[:30] < fitted.score_samples(make_series(60, seed=1))[:30]).any()


def test_blocks_do_not_change_a_bit_of_the_scores(detector):
    X = make_series(150, seed=1)
    X[40:45, 0] += 30
    whole = detector.stream().push(X)
    stream = detector.stream()
    row_by_row = np.concatenate([stream.push(row) for row in X])
    stream = detector.stream()
    blocks = np.concatenate([stream.push(block) for block in np.split(X, [3, 4, 70, 139])])
    assert whole.shape == (150,)
    assert_array_equal(row_by_row, whole)
    assert_array_equal(blocks, whole)


def test_missing_rows_may_come_alone():
    X = make_series(60, seed=1)
    X[0] = np.nan
    X[20:40] = np.nan
    X[45, 1] = np.nan
    fitted = make_detector(LSTMAutoencoderDetector(**QUICK, scorer="error")).fit(make_series())
    whole = fitted.stream().push(X)
    stream = fitted.stream()
    assert_array_equal(np.concatenate([stream.push(row) for row in X]), whole)
    assert np.isfinite(whole).all()


@given(st.lists(st.integers(0, 25), min_size=1, max_size=8), st.integers(1, 12))
@settings(deadline=None, max_examples=30)
def test_any_division_gives_the_same_scores(sizes, window):
    class FirstMinusLast(IsolationForest):
        def fit(self, X, y=None):
            return self

        def score_samples(self, X):
            return X[:, 0] - X[:, -1]

    fitted = SlidingWindowDetector(FirstMinusLast(), window_size=window).fit(make_series(60))
    X = np.arange(float(sum(sizes)))[:, np.newaxis] * [1.0, 1.0]
    stream = fitted.stream()
    scores = [stream.push(block) for block in np.split(X, np.cumsum(sizes)[:-1])]
    assert [len(part) for part in scores] == sizes
    expected = -np.minimum(np.arange(sum(sizes)), window - 1)
    assert_array_equal(np.concatenate(scores), expected)


# ------------------------------------------------------------------------------------- threshold


def test_threshold_is_calibrated_on_windows_rather_than_rows():
    X = make_series(300)
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")  # learns nothing from held-out rows
    fitted = make_detector(inner, false_alarm_rate=0.3, aggregation="min").fit(X)
    held_out = [X[start : start + WINDOW] for start in range(270, 300 - WINDOW + 1)]
    scores = np.sort(fitted.detector_.score_samples(held_out))
    assert fitted.stream().offset_ == scores[int(0.3 * (len(held_out) + 1)) - 1]
    assert fitted.stream().offset_ > fitted.offset_


def test_contamination_is_the_share_of_flagged_training_windows():
    X = make_series(408 - 1)
    fitted = make_detector(IsolationForest(n_estimators=20), contamination=0.1).fit(X)
    stream = fitted.stream()
    stream.push(X[: WINDOW - 1])
    assert (stream.push(X[WINDOW - 1 :]) < stream.offset_).sum() == 40


def test_disturbance_is_flagged_when_it_comes():
    X = make_series(700)
    X[670] += 40
    stream = make_detector(false_alarm_rate=0.001).fit(X[:600]).stream()
    is_anomalous = stream.push(X[600:]) < stream.offset_
    assert not is_anomalous[WINDOW:70].any()
    assert is_anomalous[70]


# ----------------------------------------------------------------------------- state and refusals


def test_pickled_stream_goes_on_where_it_was(detector):
    X = make_series(80, seed=1)
    stream = detector.stream()
    stream.push(X[:37])
    resumed = pickle.loads(pickle.dumps(stream))
    assert resumed.offset_ == stream.offset_
    assert_array_equal(resumed.push(X[37:]), stream.push(X[37:]))


def test_streams_are_apart_and_outlive_another_fit():
    X = make_series(40, seed=1)
    fitted = make_detector().fit(make_series())
    expected = fitted.stream().push(X)
    first, second = fitted.stream(), fitted.stream()
    before = first.push(X[:20])
    second.push(X[30:])
    fitted.set_params(window_size=3).fit(make_series(seed=5))
    assert_array_equal(np.concatenate([before, first.push(X[20:])]), expected)


def test_stream_keeps_no_more_than_a_window():
    stream = make_detector(IsolationForest(n_estimators=2)).fit(make_series()).stream()
    size = len(pickle.dumps(stream))
    stream.push(make_series(200))
    assert len(pickle.dumps(stream)) < size + 1000


def test_rows_come_in_many_forms():
    X = make_series(20, seed=1)
    names = ["load", "heat"]
    frame = pd.DataFrame(X, columns=names, index=pd.date_range("2024", periods=20, freq="s"))
    fitted = make_detector(IsolationForest(n_estimators=5)).fit(
        pd.DataFrame(make_series(), columns=names)
    )
    expected = fitted.stream().push(frame)
    stream = fitted.stream()
    scores = [stream.push(frame[:5]), stream.push(frame.iloc[5]), stream.push(frame[6:])]
    assert_array_equal(np.concatenate(scores), expected)

    fitted = make_detector(IsolationForest(n_estimators=5)).fit(make_series())
    stream = fitted.stream()
    scores = [stream.push(X[:5].tolist()), stream.push(X[5].tolist()), stream.push(X[6:])]
    assert_array_equal(np.concatenate(scores), fitted.stream().push(X))
    assert stream.push(X[:0]).shape == (0,)


def test_wrong_width_is_refused_and_leaves_the_stream_as_it_was():
    X = make_series(20, seed=1)
    fitted = make_detector(IsolationForest(n_estimators=5)).fit(make_series())
    stream = fitted.stream()
    before = stream.push(X[:10])
    sentence = "X has 3 features, but SlidingWindowDetector is expecting 2 features as input."
    with pytest.raises(ValueError, match=exactly(sentence)):
        stream.push(np.ones((4, 3)))
    with pytest.raises(ValueError, match="a 1-D X is one row"):
        stream.push(np.ones(3))
    assert_array_equal(np.concatenate([before, stream.push(X[10:])]), fitted.stream().push(X))


def test_rows_that_the_detector_cannot_judge_leave_the_stream_as_it_was():
    X = make_series(20, seed=1)
    fitted = make_detector(LocalOutlierFactor(novelty=True)).fit(make_series())
    stream = fitted.stream()
    before = stream.push(X[:10])
    with pytest.raises(ValueError, match="NaN"):
        stream.push([np.nan, 1.0])
    assert_array_equal(np.concatenate([before, stream.push(X[10:])]), fitted.stream().push(X))


def test_unfitted_detector_has_no_stream():
    with pytest.raises(ValueError, match="not fitted"):
        make_detector().stream()


def test_numbered_rows_may_start_anew_with_each_push():
    X = make_series(30)
    fitted = make_detector(IsolationForest(n_estimators=5)).fit(make_series())
    stream = fitted.stream()
    scores = [stream.push(pd.DataFrame(block)) for block in np.split(X, [10, 20])]
    assert_array_equal(np.concatenate(scores), fitted.stream().push(X))
    sentence = (
        "the row numbers of X do not increase: 1 follows 2; sort the rows by time, or call "
        "reset_index(drop=True) if they are."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        stream.push(pd.DataFrame(X[:3])[::-1])


def test_time_does_not_run_backward_from_one_push_to_the_next():
    X = make_series(30)
    frame = pd.DataFrame(X, index=pd.date_range("2020", periods=30, freq="h"))
    stream = make_detector(IsolationForest(n_estimators=5)).fit(make_series()).stream()
    stream.push(frame[:10])
    sentence = (
        "the times of X do not increase: 2020-01-01 09:00:00 follows 2020-01-01 09:00:00, which "
        "was pushed before; push later rows alone."
    )
    for again in (frame[9:12], frame.iloc[9]):
        with pytest.raises(ValueError, match=exactly(sentence)):
            stream.push(again)
    later = [stream.push(frame.iloc[row]) for row in range(10, 30)]
    whole = make_detector(IsolationForest(n_estimators=5)).fit(make_series()).stream().push(frame)
    assert_array_equal(np.concatenate(later), whole[10:])
