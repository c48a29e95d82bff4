"""Scaling learned from the training sequences."""

import numpy as np
import pytest
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skl_lstmae._scaling import LARGEST, fit_scaling
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
