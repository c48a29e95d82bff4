"""Scaling learned from the training sequences."""

import re

import numpy as np
import pytest
from conftest import exactly
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from skl_lstmae.data.reading import read
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.training.scaling import LARGEST, fit_scaling, learns_in_parts

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal([5, -100], [2, 0.1], size=(n, 2)) for n in (7, 3, 20)]


def with_gaps(sequences):
    """Miss some cells everywhere, and the second feature in all of the second sequence."""
    gappy = [sequence.copy() for sequence in sequences]
    for sequence in gappy:
        sequence[1, 0] = np.nan
    gappy[1][:, 1] = np.nan
    return gappy


whole_and_with_gaps = pytest.mark.parametrize(
    "X", [RAGGED, with_gaps(RAGGED)], ids=["whole", "with gaps"]
)


def scaling_of(scaler, X):
    return fit_scaling(scaler, read(X)[0])


def assert_same_statistics(actual, expected):
    statistics = {name for name in vars(expected) if name.endswith("_")}
    assert {name for name in vars(actual) if name.endswith("_")} == statistics
    for name in statistics:
        assert_allclose(getattr(actual, name), getattr(expected, name), rtol=1e-12)


@whole_and_with_gaps
@pytest.mark.parametrize(
    ("scaler", "expected"),
    [
        ("standard", StandardScaler()),
        ("minmax", MinMaxScaler()),
        ("robust", RobustScaler()),
        (None, FunctionTransformer()),
        (MaxAbsScaler(), MaxAbsScaler()),
    ],
    ids=str,
)
def test_statistics_are_those_of_all_observed_steps(scaler, expected, X):
    rows = np.concatenate(X)
    padded = np.full((3, 20, 2), np.nan)
    for row, sequence in zip(padded, X, strict=True):
        row[: len(sequence)] = sequence
    scaling, scaled = scaling_of(scaler, padded), expected.fit_transform(rows)
    assert_allclose(scaling.transform(rows), scaled, rtol=1e-5, atol=1e-6)
    assert_allclose(scaling.inverse_transform(scaling.transform(rows)), rows, rtol=1e-6)
    assert_allclose(scaling.mean, np.nanmean(scaled, axis=0), atol=1e-9)
    assert_allclose(scaling.low, np.nanmin(scaled, axis=0))
    assert_allclose(scaling.high, np.nanmax(scaled, axis=0))
    assert not hasattr(scaler, "scale_")  # what is given stays as it is


def test_overlapping_sequences_count_a_row_once():
    values = RNG.normal(size=(50, 1))
    windows = Sequences(values, np.arange(41), np.full(41, 10))
    assert fit_scaling("standard", windows).transformer.mean_ == pytest.approx(values.mean())


def test_a_large_offset_is_removed_in_the_precision_of_the_input():
    timestamps = 1.7e9 + np.arange(100.0)[:, np.newaxis]
    scaled = scaling_of("standard", [timestamps]).transform(timestamps)
    assert_allclose(np.diff(scaled[:, 0]), 1 / np.arange(100).std(), rtol=1e-4)


@pytest.mark.parametrize("offset", [0.0, 1e9, -3e12, 1.7e15])
@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust", StandardScaler()], ids=str)
def test_what_is_scaled_does_not_depend_on_an_offset(scaler, offset):
    """What float64 holds of a small variation around a large number is kept."""
    step = max(np.spacing(abs(offset)), 2**-10)
    waves = step * RNG.integers(-500, 500, size=(4000, 1))
    scaled = scaling_of(scaler, [offset + waves]).transform(offset + waves)
    expected = scaling_of(scaler, [waves]).transform(waves)
    assert_allclose(scaled, expected, atol=5e-3)


@pytest.mark.parametrize("value", [1.7e18, -3e-300, 0.1, 1e300])
@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust"])
def test_a_constant_is_scaled_to_the_same_number_everywhere(scaler, value):
    X = np.full((70_000, 1), value)
    scaled = scaling_of(scaler, [X]).transform(X[:2])
    assert scaled.tolist() == [[0.0], [0.0]]


def test_an_offset_is_removed_in_parts():
    rows = 1e9 + 1e-3 * RNG.normal(size=(300, 2))
    scaling = scaling_of("standard", [rows[:100]]).updated(read([rows[100:]])[0])
    scaled = scaling.transform(rows)
    assert_allclose(scaled.mean(axis=0), 0, atol=1e-3)
    assert_allclose(scaled.std(axis=0), 1, rtol=1e-3)


@pytest.mark.parametrize(
    ("scaler", "column"),
    [
        ("minmax", 1e-30 * RNG.normal(size=50)),
        ("robust", 1e-20 * RNG.normal(size=50)),
        ("standard", 1e-200 * RNG.normal(size=50)),
        (None, 1e9 + 1e-3 * RNG.normal(size=50)),
        (None, 1e30 * RNG.normal(size=50)),  # which is clipped
        ("standard", 1e160 * RNG.normal(size=50)),  # whose variance overflows
    ],
)
def test_what_a_scaler_leaves_too_small_or_too_far_off_is_warned_of_by_name(scaler, column):
    sequences = read([np.column_stack([RNG.normal(size=50), column])])[0]
    with pytest.warns(UserWarning, match="^Values of feature 'vib' of X are hardly told apart"):
        scaling = fit_scaling(scaler, sequences, names=("temp", "vib"))
    assert np.isfinite(scaling.transform(sequences.values)).all()


@pytest.mark.parametrize(
    ("scaler", "column", "made"),
    [
        ("standard", 1e300 * RNG.normal(size=50), "NaN"),
        ("robust", np.full(50, 1.7e308), "infinity"),
    ],
)
def test_what_a_scaler_cannot_take_is_refused_by_name_and_not_warned_of(scaler, column, made):
    sequences = read([np.column_stack([RNG.normal(size=50), column])])[0]
    sentence = f"Scaler() makes {made} of finite values of feature 'vib'; use one that is defined"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        fit_scaling(scaler, sequences, names=("temp", "vib"))


LEFT_OUT = "X has no observed value of {} to train on: left out, and later values count as missing."


@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust", None, MaxAbsScaler()], ids=str)
def test_a_feature_that_is_never_observed_is_left_out(scaler):
    dead = [np.insert(x, 1, np.nan, axis=1) for x in RAGGED]
    with pytest.warns(UserWarning, match=exactly(LEFT_OUT.format("feature 'b'"))):
        scaling = fit_scaling(scaler, read(dead)[0], names=("a", "b", "c"))
    alive = np.insert(RAGGED[0], 1, 7.0, axis=1)
    expected = scaling_of(scaler, RAGGED)
    for after, before in [
        (scaling, expected),
        (scaling.updated(read([alive])[0]), expected.updated(read(RAGGED[:1])[0])),
    ]:
        scaled = np.insert(before.transform(RAGGED[0]), 1, np.nan, axis=1)
        assert_allclose(after.transform(alive), scaled)
        assert_allclose(
            after.inverse_transform(np.nan_to_num(scaled))[:, 0], alive[:, 0], rtol=1e-5
        )


def test_several_features_that_are_left_out_are_all_called():
    dead = [np.insert(x, [0] * 12, np.nan, axis=1) for x in RAGGED]
    told = LEFT_OUT.format("features 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more")
    with pytest.warns(UserWarning, match=exactly(told)):
        fit_scaling("standard", read(dead)[0])


@pytest.mark.parametrize(
    ("X", "rows", "expected"),
    [
        ([np.full((5, 2), 3.0)], np.full((1, 2), 3.0), [[0.0, 0.0]]),
        (RAGGED, np.array([[1e300, -1e300]]), np.float32([[LARGEST, -LARGEST]]).tolist()),
    ],
    ids=["a constant", "huge values"],
)
def test_what_has_no_scale_or_is_off_it_stays_finite(X, rows, expected):
    assert scaling_of("standard", X).transform(rows).tolist() == expected


every_scaler_in_parts = pytest.mark.parametrize(
    "scaler", [StandardScaler(), MinMaxScaler((-1, 1)), MaxAbsScaler()], ids=str
)


@every_scaler_in_parts
@whole_and_with_gaps
def test_statistics_learned_in_parts_are_those_of_all_rows(scaler, X):
    rows = np.concatenate(X)
    scaling = first = scaling_of(scaler, X[:1])
    before = first.transform(rows)
    for sequence in X[1:]:
        scaling = scaling.updated(read([sequence])[0])
    assert_same_statistics(scaling.transformer, scaler.fit(rows))
    assert_array_equal(first.transform(rows), before)


def test_mean_and_range_go_on_in_parts():
    rows = np.concatenate(RAGGED)
    scaling = scaling_of(None, RAGGED[:2]).updated(read(RAGGED[2:])[0])
    assert_allclose(scaling.mean, rows.mean(axis=0))
    assert_array_equal([scaling.low, scaling.high], [rows.min(axis=0), rows.max(axis=0)])


@every_scaler_in_parts
@pytest.mark.parametrize("missing", [slice(0, 12), slice(8, 20)], ids=["early", "late"])
def test_a_feature_may_be_missing_for_long(scaler, missing, monkeypatch):
    """Long data are read in blocks, and one that misses a feature must not spoil the others."""
    rows = RNG.normal(3, 2, size=(20, 2))
    rows[missing, 1] = np.nan
    monkeypatch.setattr("skl_lstmae.data.sequences._BLOCK_ROWS", 4)
    scaling = scaling_of(scaler, [rows[:9], rows[9:]])
    scaled = scaler.fit_transform(rows)
    assert_same_statistics(scaling.transformer, scaler)
    assert_allclose(scaling.mean, np.nanmean(scaled, axis=0), atol=1e-12)
    assert_allclose(scaling.low, np.nanmin(scaled, axis=0))


def test_no_more_than_a_block_is_in_memory_however_long_a_feature_is_missing(monkeypatch):
    sizes = []

    class Watched(MaxAbsScaler):
        def partial_fit(self, X, y=None):
            sizes.append(len(X))
            return super().partial_fit(X)

    rows = RNG.normal(size=(20, 2))
    rows[:19, 1] = np.nan
    monkeypatch.setattr("skl_lstmae.data.sequences._BLOCK_ROWS", 4)
    scaling = scaling_of(Watched(), [rows])
    assert max(sizes) == 4
    assert_array_equal(scaling.transformer.scale_, np.nanmax(np.abs(rows), axis=0))


@pytest.mark.parametrize(
    ("scaler", "expected"),
    [
        ("standard", True),
        ("minmax", True),
        ("robust", False),
        (None, True),
        (FunctionTransformer(np.log1p, np.expm1), True),
        (PowerTransformer(), False),
    ],
    ids=str,
)
def test_which_scalers_learn_in_parts(scaler, expected):
    assert learns_in_parts(scaler) is expected
