"""Slips that are met at once, with a sentence that names the remedy."""

import pickle
import re
import warnings
from copy import copy
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, exactly, fitted, make_series, make_waves
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
)
from skl_lstmae.scoring import NeighborsScorer

TIMES = pd.date_range("2026-01-01", periods=300, freq="min")


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK, latent_size=2)


@pytest.mark.parametrize("n_channels", [1, 4])
def test_an_array_of_channels_first_is_warned_of(detector, n_channels):
    channels_first = make_waves(20, 60, n_channels).transpose(0, 2, 1)
    with pytest.warns(UserWarning, match=re.escape("pass X.transpose(0, 2, 1)")):
        fitted(detector, channels_first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(detector, channels_first.transpose(0, 2, 1))
        fitted(detector, list(channels_first))


def test_a_panel_of_time_and_id_is_told_to_swap_its_levels(detector):
    index = pd.MultiIndex.from_product([TIMES[:20], [f"pump {i}" for i in range(8)]])
    panel = pd.DataFrame(np.random.default_rng(0).normal(size=(160, 2)), index=index)
    with pytest.raises(ValueError, match=re.escape("call X.swaplevel().sort_index() first")):
        detector.fit(panel)
    swapped = panel.swaplevel().sort_index()
    assert len(fitted(detector, swapped).score_samples(swapped)) == 8


class Opaque:
    """Indexing it gives another one, without end."""

    def __init__(self):
        self.n_calls = 0

    def __len__(self):
        return 9

    def __getitem__(self, key):
        self.n_calls += 1
        return self


@pytest.mark.parametrize("kind", [LSTMForecastDetector, SlidingWindowDetector])
def test_objects_that_hold_no_numbers_are_refused_by_their_type(kind):
    members = [Opaque(), Opaque()]
    with pytest.raises(TypeError, match="#0 is of type Opaque; expected an array"):
        kind().fit(members)
    assert members[0].n_calls == 0


@pytest.fixture(scope="module")
def rows():
    return pd.DataFrame(make_series(300), index=TIMES)


@pytest.fixture(scope="module")
def windows(rows):
    return SlidingWindowDetector(LocalOutlierFactor(novelty=True), window_size=10).fit(rows)


@pytest.mark.parametrize(
    ("first", "then", "error", "message"),
    [
        (lambda x: x.tz_localize("UTC"), lambda x: x, TypeError, "push times of one kind"),
        (lambda x: x, lambda x: x.tz_localize("UTC"), TypeError, "push times of one kind"),
        (lambda x: x.to_period("min"), lambda x: x, TypeError, "push times of one kind"),
        (
            lambda x: x,
            lambda x: x.set_axis(pd.DatetimeIndex([*x.index[:-1], pd.NaT])),
            ValueError,
            "NaT",
        ),
    ],
    ids=["zone, then none", "none, then zone", "periods, then times", "no time"],
)
def test_a_stream_refuses_times_that_cannot_follow_and_goes_on(
    windows, rows, first, then, error, message
):
    stream = windows.stream()
    stream.push(first(rows[:20]))
    with pytest.raises(error, match=message):
        stream.push(then(rows[20:30]))
    assert len(stream.push(first(rows[20:30]))) == 10


class DistanceLikePyOD(OutlierMixin, BaseEstimator):
    """Higher scores are more anomalous, and once fitted it has decision_scores_, as PyOD's have."""

    def fit(self, X, y=None):
        self.centre_ = X.mean(axis=0)
        self.decision_scores_ = self.decision_function(X)
        return self

    def decision_function(self, X):
        return np.abs(X - self.centre_).max(axis=1)


class Held(OutlierMixin, BaseEstimator):
    """A meta-estimator, whose scores are those of what it holds, times a factor."""

    def __init__(self, estimator, factor=1.0):
        self.estimator = estimator
        self.factor = factor

    def fit(self, X, y=None):
        self.estimator_ = clone(self.estimator).fit(X)
        return self

    def decision_function(self, X):
        return self.factor * self.estimator_.decision_function(X)


def scaled(detector):
    return make_pipeline(StandardScaler(), detector)


def searched(detector):
    return GridSearchCV(detector, {}, scoring=lambda *_: 0.0, cv=2)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda x: x,
        scaled,
        lambda x: scaled(scaled(x)),
        searched,
        lambda x: scaled(searched(scaled(x))),
        Held,
        lambda x: Held(scaled(x), 2.0),
        lambda x: scaled(Held(Held(x))),
        lambda x: Held(x, -1.0),  # which turns the scores itself
        lambda x: scaled(Held(scaled(x), -1.0)),
        lambda x: Held(Held(x, -1.0), -1.0),
    ],
)
def test_detectors_of_pyod_are_turned_the_right_way(wrap):
    X, X_new = make_series(400, seed=1), make_series(200, seed=2)
    X_new[120:130] = 9.0
    detector = SlidingWindowDetector(wrap(DistanceLikePyOD()), window_size=10).fit(X)
    assert (detector.predict(X_new)[120:130] == -1).all()
    scores = detector.score_samples(X_new)
    assert scores[120:130].max() < np.median(scores)
    assert 119 <= detector.stream().push(X_new).argmin() <= 140


def test_a_detector_that_does_not_tell_whether_it_turns_scores_of_pyod_is_refused():
    detector = SlidingWindowDetector(Held(DistanceLikePyOD(), 0.0), window_size=10)
    sentence = (
        "detector is a Held around a DistanceLikePyOD, which scores anomalies highest, and its own "
        "scores do not tell whether it turns them; pass the DistanceLikePyOD."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.fit(make_series(400, seed=1))


@pytest.mark.parametrize("missing", [slice(0, 5), slice(12, 24)], ids=["beginning", "end"])
@pytest.mark.parametrize("kind", [LSTMAutoencoderDetector, LSTMForecastDetector])
def test_a_feature_that_is_never_observed_at_some_time_of_day_is_no_noise(kind, missing):
    X = make_waves(30, 24)
    X[:, missing, 1] = np.nan
    detector = kind(**QUICK, scorer="joint")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        scores = fitted(detector, X).score_samples(X)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("size", [1e-25, 1e-18, 1e18])
def test_explained_variance_does_not_depend_on_units_in_float32(detector, size):
    X = make_waves(30)
    expected = fitted(detector, X).score(X)
    scaled = (size * X).astype(np.float32)
    assert fitted(detector, scaled).score(scaled) == pytest.approx(expected, abs=1e-3)


@pytest.mark.filterwarnings("ignore:Values of feature 1 of X are hardly told apart")
def test_numpys_error_settings_of_the_user_change_nothing_and_raise_nothing(detector):
    X = make_waves(30)
    X[..., 1] *= 1e-300
    expected = fitted(clone(detector), X).score_samples(X)
    with np.errstate(all="raise"):
        found = fitted(clone(detector), X).score_samples(X)
    assert_array_equal(found, expected)


def test_a_warning_from_within_numpys_functions_points_at_the_users_line(detector):
    X = make_waves(30)
    X[..., 1] = np.nan
    with pytest.warns(UserWarning, match="never observed|left out") as record:
        clone(detector).fit(X)
    assert {warning.filename for warning in record} == {__file__}


# ----------------------------------------------------------------------- parameters of the inside


@pytest.mark.parametrize(
    ("detector", "parameters", "call"),
    [
        (None, {"hidden_size": 8}, "LSTMAutoencoderDetector(hidden_size=8)"),
        (None, {"noise": 0.1, "dropout": 0.2}, "LSTMAutoencoderDetector(noise=0.1, dropout=0.2)"),
        (LSTMForecastDetector(), {"scorer": "error"}, "LSTMForecastDetector(scorer='error')"),
        (IsolationForest(), {"n_estimators": 9}, "IsolationForest(n_estimators=9)"),
    ],
)
def test_a_parameter_of_the_detector_inside_is_told_its_place(detector, parameters, call):
    first = call.partition("(")[2].split(",")[0].rstrip(")")
    message = (
        f"SlidingWindowDetector has no parameter {first.partition('=')[0]}, but the detector "
        f"inside has; pass detector={call}, or call set_params(detector__{first})."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        SlidingWindowDetector(detector, **parameters)
    with pytest.raises(TypeError, match=exactly(message)):
        SlidingWindowDetector(detector=detector, window_size=9, **parameters)


ALL = [LSTMAutoencoderDetector, LSTMForecastDetector, LSTMClassifier, LSTMRegressor]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("nested", "parameters", "example"),
    [
        ("scorer__n_neighbors", {}, ", such as scorer=NeighborsScorer(),"),
        ("scorer__n_neighbors", {"scorer": "error"}, ", such as scorer=NeighborsScorer(),"),
        ("scaler__with_std", {}, ", such as scaler=StandardScaler(),"),
        ("scaler__with_std", {"scaler": None}, ", such as scaler=StandardScaler(),"),
        ("scaler__copy", {"scaler": "minmax"}, ", such as scaler=MinMaxScaler(),"),
        ("hidden_size__first", {"hidden_size": 4}, ""),
        ("network__hidden_size", {}, ""),
    ],
)
def test_a_parameter_of_what_is_no_object_is_refused(kind, nested, parameters, example):
    name, _, inner = nested.partition("__")
    estimator = kind()
    before = estimator.get_params()
    if name not in before:
        pytest.skip(f"{kind.__name__} has no {name}")
    sentence = (
        f"{name}={(before | parameters)[name]!r} is no object whose parameter {inner} could be "
        f"set; set {name} to one that has it{example} first."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        estimator.set_params(max_epochs=1, **parameters, **{nested: 5})
    assert estimator.get_params() == before


def test_a_parameter_of_an_object_is_set_together_with_the_object():
    detector = LSTMAutoencoderDetector().set_params(
        scorer__n_neighbors=5, scorer=NeighborsScorer(), scaler=StandardScaler()
    )
    assert detector.set_params(scaler__with_std=False).scorer.n_neighbors == 5
    assert detector.scaler.with_std is False


@pytest.mark.parametrize("before", [None, IsolationForest()])
def test_parameters_of_no_detector_are_those_of_the_default_one(before):
    parameters = {"detector__hidden_size": 4, "detector": None}
    detector = SlidingWindowDetector(before).set_params(**parameters).detector
    assert (type(detector), detector.hidden_size) == (LSTMAutoencoderDetector, 4)


def test_a_search_may_try_the_default_detector_with_parameters():
    grid = {
        "detector": [None, LSTMForecastDetector(**QUICK)],
        "detector__hidden_size": [3, 4],
        "detector__max_epochs": [1],
    }
    search = GridSearchCV(SlidingWindowDetector(window_size=10), grid, cv=TimeSeriesSplit(2))
    fitted(search, make_series(200))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_other_names_are_as_unexpected_as_ever():
    with pytest.raises(TypeError, match="unexpected keyword argument 'windw_size'"):
        SlidingWindowDetector(windw_size=9)
    with pytest.raises(TypeError, match="unexpected keyword argument 'hidden_size'"):
        SlidingWindowDetector(IsolationForest(), hidden_size=9)
    assert "window_size" in signature(SlidingWindowDetector).parameters


class Narrow(SlidingWindowDetector):
    def __init__(self, detector=None, *, hidden_size=8):
        super().__init__(detector)
        self.hidden_size = hidden_size


class TakesAny(SlidingWindowDetector):
    def __init__(self, **parameters):
        super().__init__(LSTMAutoencoderDetector(**parameters))


def test_a_subclass_may_have_a_parameter_of_that_name():
    assert clone(Narrow(hidden_size=9)).hidden_size == 9
    assert TakesAny(hidden_size=9).detector.hidden_size == 9
    assert copy(pickle.loads(pickle.dumps(Narrow(hidden_size=9)))).hidden_size == 9
