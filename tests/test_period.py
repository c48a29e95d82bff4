"""The length of a window from the period of the training series."""

import numpy as np
import pytest
from scipy.signal import find_peaks

from skl_lstmae._period import (
    MAX_ROWS,
    N_LAGS,
    _autocorrelation,
    estimate_period,
    estimate_window_size,
)
from skl_lstmae._sequences import Sequences
from skl_lstmae.datasets import load_nyc_taxi

UNBOUNDED = 10**6


def series_of(*tables):
    lengths = np.array([len(table) for table in tables])
    values = np.concatenate([np.reshape(table, (len(table), -1)) for table in tables])
    return Sequences(values, np.cumsum(lengths) - lengths, lengths)


def estimate(*tables, longest=UNBOUNDED):
    return estimate_period(series_of(*tables), longest)


def window(*tables, longest=UNBOUNDED):
    return estimate_window_size(series_of(*tables), longest)


def wave(period, n=3000, noise=0.5, seed=0):
    steps = np.arange(n)
    sines = np.sin(2 * np.pi * steps / period) + 0.5 * np.sin(4 * np.pi * steps / period + 1)
    return sines + noise * np.random.default_rng(seed).normal(size=n)


@pytest.mark.parametrize("period", [17, 24, 48, 100, 137, 288, 400])
def test_period_of_a_noisy_wave_is_found(period):
    assert estimate(wave(period)) == pytest.approx(period, rel=0.02)


def test_shorter_period_becomes_its_first_multiple_of_16_rows_or_more():
    assert estimate(wave(7, noise=0.1)) == 21


def test_period_longer_than_any_window_is_none():
    assert estimate(np.sin(2 * np.pi * np.arange(20_000) / 1500)) == 0


def test_half_hours_of_taxis_repeat_by_the_day():
    taxi = load_nyc_taxi()
    n_train = taxi.n_train
    assert estimate(taxi.data[:n_train], longest=n_train // 10) == 48


@pytest.mark.parametrize(
    "series",
    [
        np.random.default_rng(0).normal(size=3000),
        np.arange(3000.0),
        np.full(3000, 7.0),
        np.full(3000, np.nan),
        np.ones(5),
    ],
    ids=["noise", "trend", "constant", "missing", "short"],
)
def test_without_a_period_a_window_has_100_rows(series):
    assert estimate(series) == 0
    assert window(series) == 100
    assert window(series, longest=30) == 30


@pytest.mark.parametrize(
    ("period", "longest", "expected"),
    [
        (24, 1000, 96),
        (48, 1000, 96),
        (60, 1000, 120),
        (130, 1000, 130),
        (150, 1000, 100),
        (288, 1000, 100),
        (24, 80, 72),
        (60, 70, 60),
        (60, 50, 50),
    ],
)
def test_a_window_is_a_whole_number_of_periods_near_100_rows(period, longest, expected):
    assert window(np.sin(2 * np.pi * np.arange(3000) / period), longest=longest) == expected


def test_multiples_of_a_period_are_not_taken_for_it():
    # Its second multiple has the higher peak, as every other wave is a little different.
    steps = np.arange(20_000)
    series = np.sin(2 * np.pi * steps / 50) + 0.2 * np.sin(2 * np.pi * steps / 100)
    assert estimate(series) == 50


def test_peak_of_a_negative_autocorrelation_is_no_period():
    # A hump makes it negative at lags of about half its length, where the wave has a peak.
    steps = np.arange(120.0)
    series = 25 * np.sin(np.pi * steps / 120) + 5 * np.cos(2 * np.pi * steps / 25)
    autocorrelation = _autocorrelation(series[:, np.newaxis])
    peaks, _ = find_peaks(autocorrelation, prominence=0.1)
    assert [peak for peak in peaks if 16 <= peak <= 70] == [51]
    assert autocorrelation[51] < -0.1
    assert estimate(series, longest=70) == 0


@pytest.mark.parametrize("slope", [0.001, -0.01, 0.1, 10.0])
def test_trend_does_not_hide_a_period(slope):
    series = wave(60) + slope * np.arange(3000)
    assert estimate(series) == estimate(wave(60)) == pytest.approx(60, abs=1)


def test_each_feature_and_series_has_a_trend_of_its_own():
    steps = np.arange(3000)
    opposite = np.column_stack([wave(60) + 0.1 * steps, wave(60, seed=1) - 7 * steps])
    assert estimate(opposite) == pytest.approx(60, abs=1)
    assert estimate(opposite[:, :1], opposite[:, 1:]) == pytest.approx(60, abs=1)


def test_trend_with_gaps_does_not_hide_a_period():
    series = wave(60) + 0.05 * np.arange(3000)
    series[1000:1400] = np.nan
    series[np.random.default_rng(0).random(3000) < 0.2] = np.nan
    assert estimate(series) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("seed", range(4))
def test_drift_at_random_does_not_hide_a_period(seed):
    drift = 0.1 * np.random.default_rng(seed).normal(size=3000).cumsum()
    assert np.ptp(drift) > 3 * np.sqrt(2)  # the wave's is about 3
    assert estimate(wave(60, seed=seed) + drift) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_a_line_is_no_period(dtype):
    lines = np.add(np.outer(np.arange(3000), [0.1, 1 / 3, 1e-5, 0]), [1e6, -7.3, 0, 0.1])
    gappy = np.where(np.arange(3000)[:, np.newaxis] % 50 < 25, np.nan, lines)
    for table in lines, gappy:
        assert not _autocorrelation(table.astype(dtype)).any()


def test_period_is_sought_among_the_lags_that_are_allowed():
    series = wave(50, noise=0) + wave(200, noise=0)
    assert estimate(series) == 200
    assert estimate(series, longest=120) == pytest.approx(50, abs=1)
    assert estimate(series, longest=40) == 0


def test_units_offsets_and_trailing_constants_do_not_matter():
    series = wave(60)
    changed = np.column_stack([1e6 + 1e-3 * series, 40 * series, np.full(len(series), 3.0)])
    assert estimate(changed) == estimate(series)


def test_missing_values_do_not_hide_a_period():
    series = wave(60)
    series[np.random.default_rng(0).random(len(series)) < 0.2] = np.nan
    assert estimate(series) == pytest.approx(60, abs=1)


def test_features_and_series_vote_together():
    noise = np.random.default_rng(0).normal(size=(2, 3000))
    assert estimate(np.column_stack([wave(60), noise[0]])) == pytest.approx(60, abs=1)
    assert estimate(wave(60), noise[0], wave(60, seed=1)) == pytest.approx(60, abs=1)
    assert estimate(*[wave(60, n=150, seed=i) for i in range(30)]) == pytest.approx(60, abs=1)


def test_long_series_are_judged_by_their_last_rows():
    assert estimate(np.concatenate([wave(30), wave(90, n=MAX_ROWS)])) == estimate(
        wave(90, n=MAX_ROWS)
    )


def test_autocorrelation_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 2)).cumsum(axis=0)
    steps = np.arange(50)
    lines = [np.polyval(np.polyfit(steps, column, 1), steps) for column in rows.T]
    centered = rows - np.column_stack(lines)
    expected = np.zeros(N_LAGS)
    for lag in range(len(rows)):
        products = (centered[lag:] * centered[: len(rows) - lag]).sum(axis=0)
        expected[lag] = (products / (centered**2).sum(axis=0)).mean()
    np.testing.assert_allclose(_autocorrelation(rows), expected, atol=1e-12)


def test_gaps_in_a_constant_are_no_period():
    noise = np.random.default_rng(0).normal(size=3000)
    constant = np.full(3000, 0.1)  # whose rounded mean is another number
    constant[np.arange(3000) % 50 < 25] = np.nan
    assert estimate(np.column_stack([noise, constant])) == estimate(noise) == 0
