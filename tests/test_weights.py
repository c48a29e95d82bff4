"""How often sequences count, and that their order does not."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, exactly, make_ragged, make_series, make_waves
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
)
from skl_lstmae.data.reading import read
from skl_lstmae.data.weights import draw_counts, order_by_content

# Fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = make_ragged(40)
FRESH = make_ragged(30, seed=7)
KINDS = [LSTMAutoencoderDetector, LSTMForecastDetector]


@pytest.fixture(params=KINDS, ids=["autoencoder", "forecaster"])
def kind(request):
    return request.param


def fit(kind, X, sample_weight=None, **parameters):
    return kind(**QUICK | parameters).fit(X, sample_weight=sample_weight)


def taken(X, numbers):
    return [X[i] for i in numbers]


def assert_same_detector(one, other):
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_loss_curve_ == other.validation_loss_curve_
    for sequences in (X, FRESH):
        assert_array_equal(one.score_samples(sequences), other.score_samples(sequences))
    assert one.offset_ == other.offset_


# --------------------------------------------------------------------------------------- the order


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"scorer": "mahalanobis", "scaler": "minmax"},
        {"contamination": 0.1, "early_stopping": False},
        {"dropout": 0.2, "noise": 0.1, "scaler": "robust"},
    ],
    ids=str,
)
def test_the_order_of_sequences_changes_no_bit(kind, parameters):
    expected = fit(kind, X, **parameters)
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(X))
        assert_same_detector(fit(kind, taken(X, order), **parameters), expected)


def test_the_order_of_long_series_changes_no_bit():
    series = [make_series(1000, seed=seed) for seed in range(8)]
    one, other = (fit(LSTMForecastDetector, part) for part in (series, series[::-1]))
    assert_same_detector(one, other)


def test_weights_go_with_their_sequences_whatever_the_order(kind):
    weights = np.random.default_rng(0).uniform(0, 2, size=40)
    order = np.random.default_rng(1).permutation(40)
    expected = fit(kind, X, weights)
    assert_same_detector(fit(kind, taken(X, order), weights[order]), expected)


@pytest.mark.parametrize("scale", [1.0, 1e-60, 1e60, 1e299])
def test_sequences_that_differ_have_one_order_of_any_size_and_offset(scale):
    waves = scale * (1e9 + make_waves(20))  # alike as float32
    sequences, _ = read(waves)
    expected = waves[order_by_content(sequences)]
    order = np.random.default_rng(0).permutation(20)
    shuffled, _ = read(waves[order])
    assert_array_equal(waves[order][order_by_content(shuffled)], expected)
    assert (expected != waves).any()


@pytest.mark.parametrize("offset", [1e12, -1e12, np.array([1e12, 0.0])])
@pytest.mark.parametrize("missing", [np.s_[:0], np.s_[::2, [0, 3]], np.s_[:, 0], np.s_[:, 0, 1]])
def test_no_offset_changes_the_order(offset, missing):
    waves = offset + make_waves(200)  # of which few digits are left
    waves[missing] = np.nan
    expected = order_by_content(read(waves - offset)[0])
    assert_array_equal(order_by_content(read(waves)[0]), expected)


def test_no_other_sequence_changes_the_order():
    waves = make_waves(60)
    waves = (waves - waves.mean(axis=1, keepdims=True)) / waves.std(axis=1, keepdims=True)
    waves[:5] = np.arange(5).reshape(-1, 1, 1)  # do not deviate, as single steps do not
    order = order_by_content(read(waves)[0])
    for seed in range(10):
        some = np.random.default_rng(seed).permutation(60)[:40]
        with_copies = waves[np.repeat(some, 1 + some % 3)]
        of_some = waves[some][order_by_content(read(waves[some])[0])]
        assert_array_equal(of_some, waves[order[np.isin(order, some)]])
        again = with_copies[order_by_content(read(with_copies)[0])]
        assert_array_equal(again, waves[np.repeat(order, np.isin(order, some) * (1 + order % 3))])


def test_the_largest_floats_have_an_order_without_a_warning():
    waves = np.sign(make_waves(20)) * np.finfo(float).max
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        order = order_by_content(read(waves)[0])
    assert_array_equal(waves[order], waves[::-1][order_by_content(read(waves[::-1])[0])])


def test_the_order_of_what_is_in_files_takes_little_memory(tmp_path):
    shape = 50_000, 2
    paths = [tmp_path / f"{i}.npy" for i in range(20)]
    sequences, _ = read([np.lib.format.open_memmap(path, "w+", np.int16, shape) for path in paths])
    tracemalloc.start()
    order_by_content(sequences)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * np.prod(shape) * 8


def test_the_order_is_that_of_the_same_numbers_in_single_precision_or_with_another_zero():
    waves = make_waves(20)
    waves[waves < 0] = 0.0
    sequences, of_float32, of_other_zero = (
        read(X)[0] for X in (waves, waves.astype(np.float32), np.where(waves == 0, -0.0, waves))
    )
    expected = order_by_content(sequences)
    assert_array_equal(order_by_content(of_float32), expected)
    assert_array_equal(order_by_content(of_other_zero), expected)


# ----------------------------------------------------------------------------------------- weights


def test_whole_weights_are_repetition(kind):
    weights = np.arange(40) % 3 + 1
    repeated = taken(X, np.repeat(np.arange(40), weights))
    assert_same_detector(fit(kind, X, weights), fit(kind, repeated))


@pytest.mark.parametrize("left_out", [make_waves(3, noise=5) + 20, np.full((3, 9, 2), np.nan)])
def test_weights_of_zero_leave_out(kind, left_out):
    left_out[:, 0] = 99.0  # not wholly missing
    weights = np.r_[np.zeros(3), np.ones(40)]
    assert_same_detector(fit(kind, [*left_out, *X], weights), fit(kind, X))


def test_weights_of_one_are_none(kind):
    assert_same_detector(fit(kind, X, np.ones(40, dtype=bool)), fit(kind, X))
    assert_same_detector(fit(kind, X, [1] * 40), fit(kind, X))


def test_a_fraction_is_the_chance_of_counting_once_more(kind):
    weights = np.full(40, 1.5)
    assert_same_detector(fit(kind, X, weights), fit(kind, X, weights))
    one, other = (fit(kind, X, weights, random_state=seed) for seed in (0, 1))
    assert one.offset_ != other.offset_


def test_counts_have_the_weights_as_their_means():
    weights = np.array([0.0, 0.25, 1.0, 2.5])
    counts = [draw_counts(weights, np.random.RandomState(seed)) for seed in range(2000)]
    assert {tuple(np.unique(column)) for column in np.transpose(counts)} == {
        (0,),
        (0, 1),
        (1,),
        (2, 3),
    }
    assert np.mean(counts, axis=0) == pytest.approx(weights, abs=0.05)


def test_whole_weights_draw_no_random_number():
    random_state = np.random.RandomState(0)
    draw_counts(np.array([2.0, 0.0]), random_state)
    assert random_state.randint(10**6) == np.random.RandomState(0).randint(10**6)


@pytest.mark.parametrize(("n_odd", "named"), [(1, "sequence 1;"), (2, "sequences 1, 2;")])
def test_sequences_set_aside_keep_the_numbers_of_the_user(n_odd, named):
    odd = make_waves(n_odd, noise=0.01, seed=3) + 8
    weights = np.r_[0, np.ones(n_odd), np.full(40, 2)]
    detector = LSTMAutoencoderDetector(random_state=0)
    with pytest.warns(UserWarning, match=f"Set aside as unlike the others: {named}"):
        detector.fit([X[0], *odd, *X], sample_weight=weights)


BAD_WEIGHTS = {
    "sample_weight is zero for every sequence; expected at least one weight that is not.": (
        np.zeros(40)
    ),
    "sample_weight holds -1.0 for sequence 3; expected finite numbers that are not negative: 0 "
    "leaves a sequence out.": np.where(np.arange(40) == 3, -1, 1),
    "sample_weight holds nan for sequence 0; expected finite numbers that are not negative: 0 "
    "leaves a sequence out.": np.full(40, np.nan),
    "sample_weight holds inf for sequence 9; expected finite numbers that are not negative: 0 "
    "leaves a sequence out.": np.where(np.arange(40) == 9, np.inf, 1),
    "sample_weight has shape (39,); expected (40,), a weight a sequence.": np.ones(39),
    "sample_weight has shape (); expected (40,), a weight a sequence.": 1.0,
    "sample_weight has shape (40, 1); expected (40,), a weight a sequence.": np.ones((40, 1)),
    "sample_weight has dtype <U1; expected real numbers: convert it first.": np.full(40, "1"),
    "sample_weight has dtype datetime64[D]; expected real numbers: convert it first.": np.full(
        40, np.datetime64("2020-01-01")
    ),
    "Complex data not supported: sample_weight has dtype complex128; expected real numbers.": (
        np.full(40, 1j)
    ),
}


@pytest.mark.parametrize("sentence", BAD_WEIGHTS)
@pytest.mark.parametrize("is_fitted", [False, True])
def test_bad_weights_are_refused_and_leave_the_detector_as_it_was(kind, sentence, is_fitted):
    detector = kind(**QUICK)
    if is_fitted:
        detector.fit(X)
    state = dict(vars(detector))
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.fit(X, sample_weight=BAD_WEIGHTS[sentence])
    assert vars(detector) == state


def test_weights_that_leave_too_few_are_refused():
    sentence = (
        "sample_weight leaves n_samples=4 sequence(s) of X, while a minimum of 5 is required by "
        "LSTMAutoencoderDetector; leave fewer out."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        fit(LSTMAutoencoderDetector, X, np.arange(40) < 4)


@pytest.mark.parametrize("heavy", [np.r_[1e12, np.ones(39)], np.full(40, 1e6)])
@pytest.mark.parametrize("detector", [LSTMAutoencoderDetector, LSTMForecastDetector])
def test_weights_of_more_sequences_than_can_be_held_are_refused(detector, heavy):
    sentence = (
        f"sample_weight adds up to {heavy.sum():.3g} sequences; expected at most 10,000,000, as a "
        f"weight says how often a sequence counts: divide all of them by {heavy.sum() / 1e7:.3g} "
        "at least, or make the largest smaller."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        fit(detector, X, heavy)


# ----------------------------------------------------------------------------------------- routing


def test_a_pipeline_passes_weights_on(kind):
    table = make_waves(40, n_features=1)[:, :, 0]
    weights = np.arange(40) % 3
    scaled = StandardScaler().fit(table).transform(table)
    expected = fit(kind, scaled, weights).score_samples(scaled)
    with config_context(enable_metadata_routing=True):
        detector = kind(**QUICK).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, detector).fit(table, sample_weight=weights)
        assert_array_equal(pipeline.score_samples(table), expected)
    by_step = make_pipeline(StandardScaler(), kind(**QUICK))
    by_step.fit(table, **{f"{kind.__name__.lower()}__sample_weight": weights})
    assert_array_equal(by_step.score_samples(table), expected)


def test_fit_predict_takes_weights(kind):
    weights = np.arange(40) % 3
    labels = kind(**QUICK).fit_predict(X, sample_weight=weights)
    assert_array_equal(labels, fit(kind, X, weights).predict(X))


def weights_of(index):
    return pd.Series(np.where(np.arange(len(index)) < 4, 0.0, 1.0), index=index)


PANEL = pd.concat({f"run {i:02}": pd.DataFrame(x) for i, x in enumerate(X)})
TABLE = pd.DataFrame(make_waves(40, 10, 1)[:, :, 0], index=[f"run {i:02}" for i in range(40)])
SERIES = pd.DataFrame(make_series(300), index=pd.date_range("2024-01-01", periods=300, freq="h"))


@pytest.mark.parametrize(
    ("estimator", "data", "index", "order"),
    [
        (LSTMAutoencoderDetector(**QUICK), (PANEL,), TABLE.index, r"X\.index\.unique\(level=0\)"),
        (LSTMForecastDetector(**QUICK), (TABLE,), TABLE.index, r"X\.index"),
        (LSTMClassifier(**QUICK), (PANEL, np.arange(40) % 2), TABLE.index, r"X\.index\.unique.*"),
        (LSTMRegressor(**QUICK), (PANEL, np.arange(40.0)), TABLE.index, r"X\.index\.unique.*"),
        (
            SlidingWindowDetector(IsolationForest(), window_size=20),
            (SERIES,),
            SERIES.index,
            "X.index",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_weights_indexed_otherwise_than_x_are_refused(estimator, data, index, order):
    sentence = (
        rf"sample_weight is indexed otherwise than X: at place 0 .*sample_weight\.loc\[{order}"
    )
    with pytest.raises(ValueError, match=sentence):
        estimator.fit(*data, sample_weight=weights_of(index)[::-1])
    with warnings.catch_warnings(action="ignore"):
        for weights in (weights_of(index), weights_of(index).reset_index(drop=True)):
            estimator.fit(*data, sample_weight=weights)


def test_weights_with_the_same_labels_of_another_type_are_in_order():
    table = TABLE.set_axis(np.arange(40)[::-1])
    weights = weights_of(pd.Index(np.arange(40)[::-1], dtype="Int64"))
    LSTMAutoencoderDetector(**QUICK).fit(table, sample_weight=weights)


def test_weights_whose_labels_come_again_are_not_to_be_looked_up():
    table, order = TABLE.set_axis(np.arange(40) // 2), np.arange(40)[::-1] // 2
    with pytest.raises(
        ValueError, match=r"pass sample_weight\.to_numpy\(\), if the order is right"
    ):
        LSTMAutoencoderDetector(**QUICK).fit(table, sample_weight=weights_of(pd.Index(order)))


def test_weights_of_a_table_may_have_labels_of_their_own():
    LSTMAutoencoderDetector(**QUICK).fit(TABLE, sample_weight=weights_of(range(100, 140)))
