"""What must hold of any data, parameters and slips: hypothesis draws them.

The suite tries the same few each time; ``make fuzz`` tries as many others as FUZZ_EXAMPLES says.
"""

import os
import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector
from skl_lstmae.scoring.scorers import SCORERS

N_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 0))


def fuzz(in_the_suite):
    """Return the settings of a test that tries so many examples in the suite."""
    return settings(
        max_examples=N_EXAMPLES or in_the_suite,
        derandomize=not N_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


# What is warned of on purpose; all other warnings, those of numpy among them, are errors.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{beginning}")
    for beginning in (
        "Training ended at max_epochs",
        "Set aside as unlike the others",
        "Too short to find anomalies in",
        "Left out",
        r"\d+% of the samples of X score lower",
        "X has no observed value of feature",
        "Values of feature",
        "Each row of X is read as a sequence",
        "X is read as sequences of",
        "offset_ falls to",
    )
]

COMMON = {
    "hidden_size": st.sampled_from([1, 4, (3, 2)]),
    "dropout": st.sampled_from([0.0, 0.3]),
    "scaler": st.sampled_from(["standard", "minmax", "robust", None]),
    "loss": st.sampled_from(["squared_error", "absolute_error", "huber"]),
    "batch_size": st.integers(1, 8),
    "max_epochs": st.integers(1, 2),
    "early_stopping": st.booleans(),
    "scorer": st.sampled_from(sorted(SCORERS)),
    "contamination": st.sampled_from(["auto", 0.1, 0.5]),
    "false_alarm_rate": st.sampled_from([0.001, 0.01, 0.3]),
    "random_state": st.integers(0, 5),
    "device": st.just("cpu"),
}
OF_AUTOENCODERS = {
    "latent_size": st.integers(1, 3),
    "bottleneck": st.sampled_from(["mean", "max", "last", "sequence"]),
    "decoder": st.sampled_from(["repeat", "autoregressive"]),
    "bidirectional": st.sampled_from([False, "encoder"]),
    "skip_connection": st.booleans(),
}
DETECTORS = st.one_of(
    st.builds(LSTMAutoencoderDetector, **COMMON, **OF_AUTOENCODERS),
    st.builds(LSTMForecastDetector, **COMMON),
)


@st.composite
def tables(draw, n_rows):
    """Draw rows of features of all sizes, some of them constant, dead or gappy."""
    n_features = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    rows = rng.normal(size=(n_rows, n_features)).cumsum(axis=0)
    for j in range(n_features):
        rows[:, j] *= 10.0 ** draw(st.integers(-40, 20))
        rows[:, j] += draw(st.sampled_from([0.0, 0.0, 1.0, -1e9, 1.7e18]))
        kind = draw(st.sampled_from(["whole", "whole", "constant", "gappy", "dead"]))
        if kind == "constant":
            rows[:, j] = rows[0, j]
        elif kind == "gappy":
            rows[rng.random(n_rows) < 0.3, j] = np.nan
        elif kind == "dead" and j:
            rows[:, j] = np.nan
    return rows.astype(draw(st.sampled_from([np.float32, np.float64])))


@st.composite
def sequences(draw):
    """Draw sequences of any lengths, each with an observed value."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=5, max_size=14))
    parts = np.split(draw(tables(sum(lengths))), np.cumsum(lengths)[:-1])
    return [part for part in parts if not np.isnan(part).all()]


def generators():
    return [np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]  # noqa: NPY002


def assert_sentence(error):
    """Look at what was refused: by one of our sentences, and no error of what lies below."""
    assert type(error) in (ValueError, TypeError), repr(error)
    assert str(error)[-1] in ".)", str(error)


def padded(X):
    array = np.full((len(X), max(map(len, X)), X[0].shape[1]), np.nan, dtype=X[0].dtype)
    for row, x in zip(array, X, strict=True):
        row[: len(x)] = x
    return array


def ends_observed(x):
    return not np.isnan(x[-1]).all()


def fit_or_refuse(detector, X):
    try:
        return detector.fit(X)
    except (ValueError, TypeError) as error:
        assert_sentence(error)
        return None


@given(detector=DETECTORS, X=sequences())
@fuzz(in_the_suite=60)
def test_what_holds_of_all_sequences(detector, X):
    before, draws = deepcopy(X), generators()
    if fit_or_refuse(detector, X) is None:
        return
    scores, decisions = detector.score_samples(X), detector.decision_function(X)
    assert scores.shape == (len(X),)
    assert np.isfinite(scores).all()
    assert np.isfinite(detector.offset_)
    assert_array_equal(detector.predict(X), np.where(decisions < 0, -1, 1))
    assert_array_equal([detector.score_samples([x])[0] for x in X], scores)
    assert_array_equal(detector.score_samples(X[::-1])[::-1], scores)
    if all(map(ends_observed, X)) and X[0].shape[1] > 1:
        assert_array_equal(detector.score_samples(list(X)), detector.score_samples(padded(X)))
    assert_shares_add_up(detector, X)
    assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(X), scores)
    assert_array_equal(clone(detector).fit(X).score_samples(X), scores)
    assert_array_equal(np.concatenate(X), np.concatenate(before))
    assert generators() == draws


def assert_shares_add_up(detector, X):
    is_forecaster = isinstance(detector, LSTMForecastDetector)
    errors = detector.prediction_error if is_forecaster else detector.reconstruction_error
    totals = errors(X)
    assert np.isfinite(totals).all()
    assert_allclose(errors(X, per="feature").sum(axis=1), totals, rtol=1e-6)
    by_step = errors(X, per="timestep")
    assert [len(steps) for steps in by_step] == [len(x) for x in X]
    assert_allclose([steps.sum() for steps in by_step], totals, rtol=1e-6)


SLIDING = st.builds(
    SlidingWindowDetector,
    st.one_of(DETECTORS, st.just(IsolationForest(n_estimators=5))),
    window_size=st.sampled_from(["auto", 1, 5, 12]),
    stride=st.integers(1, 3),
    training_stride=st.sampled_from(["auto", 2]),
    aggregation=st.sampled_from(["mean_min", "mean", "min", "max"]),
    contamination=st.sampled_from(["auto", 0.1]),
    random_state=st.integers(0, 5),
)


@given(detector=SLIDING, X=st.integers(40, 150).flatmap(tables), at=st.integers(1, 39))
@fuzz(in_the_suite=40)
def test_what_holds_of_all_series(detector, X, at):
    before, draws = X.copy(), generators()
    if fit_or_refuse(detector, X) is None:
        return
    scores, decisions = detector.score_samples(X), detector.decision_function(X)
    assert scores.shape == (len(X),)
    assert np.isfinite(scores).all()
    assert_array_equal(detector.predict(X), np.where(decisions < 0, -1, 1))
    is_exact = not isinstance(detector.detector, IsolationForest)
    pair = [X, X[::-1]] if is_exact else [X]
    assert_array_equal(detector.score_samples(pair)[0], scores)
    at_once, stream = detector.stream().push(X), detector.stream()
    assert_array_equal(np.concatenate([stream.push(X[:at]), stream.push(X[at:])]), at_once)
    assert np.isfinite(at_once).all()
    events = detector.find_events(X, max_gap=2)
    assert (events.end >= events.start).all()
    assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(X), scores)
    assert_array_equal(clone(detector).fit(X).score_samples(X), scores)
    assert_array_equal(X, before)
    assert generators() == draws


SLIPS = st.one_of(
    hnp.arrays(
        st.sampled_from([float, np.float32, int, bool, complex, object, "U3", "M8[s]", "m8[s]"]),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=7),
    ),
    st.recursive(
        st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.booleans()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=7), st.dictionaries(st.text(max_size=2), inner, max_size=3)
        ),
        max_leaves=12,
    ),
    hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7)).map(pd.DataFrame),
    hnp.arrays(float, hnp.array_shapes(min_dims=1, max_dims=3, max_side=7)).map(torch.tensor),
    st.lists(hnp.arrays(float, hnp.array_shapes(max_dims=3, min_side=0, max_side=4)), max_size=7),
)
QUICK = LSTMAutoencoderDetector(2, 2, max_epochs=1, device="cpu", random_state=0)


@pytest.fixture(scope="module")
def fitted_ones():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    series = SlidingWindowDetector(clone(QUICK), window_size=5, random_state=0)
    return clone(QUICK).fit(rows.reshape(10, 6, 2)), series.fit(rows)


@given(X=SLIPS)
@fuzz(in_the_suite=150)
def test_anything_is_read_or_refused_by_a_sentence(fitted_ones, X):
    sequences, series = fitted_ones
    calls = [clone(QUICK).fit, clone(series).fit, sequences.partial_fit]
    calls += [sequences.predict, sequences.reconstruct, series.predict, series.stream().push]
    calls += [sequences.recalibrate, series.find_events]
    for call in calls:
        call = deepcopy(call)  # of what is not to be changed for the other examples
        try:
            call(X)
        except (ValueError, TypeError) as error:
            assert_sentence(error)
