"""Scaling learned from the training sequences."""

import numpy as np
import pytest
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

import skl_lstmae._sequences
from skl_lstmae._scaling import LARGEST, fit_scaling, learns_in_parts
from skl_lstmae._sequences import Sequences, read_sequences

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal([5, -100], [2, 0.1], size=(n, 2)) for n in (7, 3, 20)]


def sequences_of(X):
    return read_sequences(X)[0]


@pytest.mark.parametrize(
    ("scaler", "expected"),
    [
        ("standard", StandardScaler()),
        ("minmax", MinMaxScaler()),
        ("robust", RobustScaler()),
        (MaxAbsScaler(), MaxAbsScaler()),
    ],
)
def test_statistics_are_those_of_all_real_steps(scaler, expected):
    rows = np.concatenate(RAGGED)
    scaling = fit_scaling(scaler, sequences_of(RAGGED))
    np.testing.assert_allclose(
        scaling.transform(rows), expected.fit_transform(rows), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(scaling.mean, expected.transform(rows).mean(0), atol=1e-9)
    np.testing.assert_allclose(scaling.low, expected.transform(rows).min(0))
    np.testing.assert_allclose(scaling.high, expected.transform(rows).max(0))


def test_no_scaler_leaves_the_units_alone():
    scaling = fit_scaling(None, sequences_of(RAGGED))
    rows = RAGGED[0].astype(np.float32)
    np.testing.assert_array_equal(scaling.transform(rows), rows)


@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust", None])
def test_scaling_back_is_the_inverse(scaler):
    scaling = fit_scaling(scaler, sequences_of(RAGGED))
    restored = scaling.inverse_transform(scaling.transform(RAGGED[2]))
    np.testing.assert_allclose(restored, RAGGED[2], rtol=1e-6)


def test_missing_values_and_padding_do_not_enter_the_statistics():
    padded = np.full((3, 20, 2), np.nan)
    for row, sequence in zip(padded, RAGGED, strict=True):
        row[: len(sequence)] = sequence
    padded[2, 5, 0] = np.nan
    rows = np.concatenate(RAGGED)
    rows[7 + 3 + 5, 0] = np.nan
    scaling = fit_scaling("standard", sequences_of(padded))
    np.testing.assert_allclose(scaling.transformer.mean_, np.nanmean(rows, axis=0))
    np.testing.assert_allclose(scaling.transformer.scale_, np.nanstd(rows, axis=0))
    assert np.isnan(scaling.transform(rows)[15, 0])


def test_overlapping_sequences_count_a_row_once():
    values = RNG.normal(size=(50, 1))
    windows = Sequences(values, np.arange(41), np.full(41, 10))
    assert fit_scaling("standard", windows).transformer.mean_ == pytest.approx(values.mean())


def test_a_large_offset_is_removed_in_the_precision_of_the_input():
    timestamps = 1.7e9 + np.arange(100.0)[:, np.newaxis]
    scaling = fit_scaling("standard", sequences_of([timestamps, timestamps]))
    scaled = scaling.transform(timestamps)[:, 0]
    np.testing.assert_allclose(np.diff(scaled), np.diff(scaled).mean(), rtol=1e-4)


def test_a_constant_feature_becomes_zero():
    scaling = fit_scaling("standard", sequences_of([np.full((5, 1), 3.0), np.full((4, 1), 3.0)]))
    assert scaling.transform(np.full((2, 1), 3.0)).tolist() == [[0.0], [0.0]]


def test_huge_values_stay_finite_in_float32():
    scaling = fit_scaling("standard", sequences_of(RAGGED))
    scaled = scaling.transform(np.array([[1e300, -1e300]]))
    assert scaled.tolist() == [[pytest.approx(LARGEST), pytest.approx(-LARGEST)]]


def test_the_scaler_given_is_left_unfitted():
    scaler = StandardScaler()
    fit_scaling(scaler, sequences_of(RAGGED))
    assert not hasattr(scaler, "mean_")


# --------------------------------------------------------------------------------------- in parts


def with_gaps(sequences):
    """Miss some cells everywhere, and the second feature in all of the second sequence."""
    gappy = [sequence.copy() for sequence in sequences]
    for sequence in gappy:
        sequence[1, 0] = np.nan
    gappy[1][:, 1] = np.nan
    return gappy


def assert_same_statistics(actual, expected):
    statistics = {name for name in vars(expected) if name.endswith("_")}
    assert statistics == {name for name in vars(actual) if name.endswith("_")}
    for name in statistics:
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol=1e-12)


IN_PARTS = [StandardScaler(), MinMaxScaler((-1, 1)), MaxAbsScaler()]


@pytest.mark.parametrize("scaler", IN_PARTS, ids=str)
@pytest.mark.parametrize("sequences", [RAGGED, with_gaps(RAGGED)], ids=["whole", "with gaps"])
def test_statistics_learned_in_parts_are_those_of_all_rows(scaler, sequences):
    scaling = fit_scaling(scaler, sequences_of(sequences[:1]))
    for sequence in sequences[1:]:
        scaling = scaling.updated(sequences_of([sequence]))
    assert_same_statistics(scaling.transformer, scaler.fit(np.concatenate(sequences)))


@pytest.mark.parametrize("scaler", IN_PARTS, ids=str)
@pytest.mark.parametrize("missing", [slice(0, 12), slice(8, 20)], ids=["early", "late"])
def test_a_feature_may_be_missing_for_long(scaler, missing, monkeypatch):
    """Long data are read in blocks, and one that misses a feature must not spoil the others."""
    rows = RNG.normal(3, 2, size=(20, 2))
    rows[missing, 1] = np.nan
    sequences = sequences_of([rows[:9], rows[9:]])
    in_one = fit_scaling(scaler, sequences)
    monkeypatch.setattr(skl_lstmae._sequences, "_BLOCK_ROWS", 4)
    assert len(list(sequences.blocks())) >= 5
    in_blocks = fit_scaling(scaler, sequences)
    assert_same_statistics(in_blocks.transformer, in_one.transformer)
    assert_same_statistics(in_blocks.moments, in_one.moments)
    assert_same_statistics(in_blocks.extremes, in_one.extremes)
    assert_same_statistics(in_one.transformer, scaler.fit(rows))


def test_updating_leaves_the_former_scaling_alone():
    before = fit_scaling("standard", sequences_of(RAGGED[:2]))
    scaled = before.transform(RAGGED[2])
    before.updated(sequences_of(RAGGED[2:]))
    np.testing.assert_array_equal(before.transform(RAGGED[2]), scaled)


def test_mean_and_range_go_on_in_parts():
    scaling = fit_scaling(None, sequences_of(RAGGED[:2])).updated(sequences_of(RAGGED[2:]))
    rows = np.concatenate(RAGGED)
    np.testing.assert_allclose(scaling.mean, rows.mean(axis=0))
    np.testing.assert_array_equal(scaling.low, rows.min(axis=0))
    np.testing.assert_array_equal(scaling.high, rows.max(axis=0))


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
