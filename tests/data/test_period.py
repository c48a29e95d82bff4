"""The length of a window from the period of the training series."""

import numpy as np
import pytest

from skl_lstmae.data.period import (
    MAX_ROWS,
    N_LAGS,
    _autocorrelation,
    estimate_period,
    estimate_window_size,
)
from skl_lstmae.data.reading import read_series
from skl_lstmae.datasets import load_nyc_taxi

STEPS = np.arange(3000)
NOISE = np.random.default_rng(0).normal(size=(2, 3000))
IS_MISSING = np.random.default_rng(0).random(3000) < 0.2


def estimate(*series, longest=10**6):
    return estimate_period(read_series(list(series))[0], longest)


def window(series, longest=10**6):
    return estimate_window_size(read_series([series])[0], longest)


def wave(period=60, n=3000, noise=0.5, seed=0):
    angles = 2 * np.pi * np.arange(n) / period
    sines = np.sin(angles) + 0.5 * np.sin(2 * angles + 1)
    return sines + noise * np.random.default_rng(seed).normal(size=n)


def drift(seed):
    """Return a random walk that is much larger than a wave."""
    walk = 0.1 * np.random.default_rng(seed).normal(size=3000).cumsum()
    assert np.ptp(walk) > 1.4 * np.ptp(wave(noise=0))
    return walk


@pytest.mark.parametrize("period", [17, 24, 48, 100, 137, 288, 400])
def test_period_of_a_noisy_wave_is_found(period):
    assert estimate(wave(period)) == pytest.approx(period, rel=0.02)


def test_half_hours_of_taxis_repeat_by_the_day():
    taxi = load_nyc_taxi()
    assert estimate(taxi.data[: taxi.n_train], longest=taxi.n_train // 10) == 48


@pytest.mark.parametrize(
    "series",
    [NOISE[0], STEPS.astype(float), np.full(3000, 7.0), np.r_[7.0, np.full(2999, np.nan)], [[1.0]]],
    ids=["noise", "trend", "constant", "hardly observed", "short"],
)
def test_without_a_period_a_window_has_100_rows(series):
    assert estimate(series) == 0
    assert window(series) == 100
    assert window(series, longest=30) == 30


@pytest.mark.parametrize(
    ("period", "longest", "expected"),
    [
        (24, 1000, 96),
        (60, 1000, 120),
        (130, 1000, 130),
        (150, 1000, 100),
        (24, 80, 72),
        (60, 70, 60),
        (60, 50, 50),
    ],
)
def test_a_window_is_a_whole_number_of_periods_near_100_rows(period, longest, expected):
    assert window(np.sin(2 * np.pi * STEPS / period), longest) == expected


@pytest.mark.parametrize(
    "series",
    [
        *([wave() + slope * STEPS] for slope in (0.001, -0.01, 10.0)),
        [np.column_stack([wave() + 0.1 * STEPS, wave(seed=1) - 7 * STEPS])],
        [wave() + 0.1 * STEPS, wave(seed=1) - 7 * STEPS],
        [np.where(IS_MISSING | (STEPS // 400 == 3), np.nan, wave() + 0.05 * STEPS)],
        [np.where(IS_MISSING, np.nan, wave())],
        *([wave(seed=seed) + drift(seed)] for seed in range(4)),
        [np.column_stack([1e6 + 1e-3 * wave(), 40 * wave(), np.full(3000, 3.0)])],
        [np.column_stack([wave(), NOISE[0]])],
        [wave(), NOISE[0], wave(seed=1)],
        [wave(n=150, seed=seed) for seed in range(30)],
    ],
    ids=[
        *["slow trend", "falling trend", "steep trend", "trends of features", "trends of series"],
        *["trend with gaps", "gaps", *(f"drift {seed}" for seed in range(4)), "units"],
        *["feature of noise", "series of noise", "short series"],
    ],
)
def test_a_period_of_60_rows_is_found_in_spite_of(series):
    assert estimate(*series) == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("longest", "expected"), [(400, 200), (120, pytest.approx(50, abs=1)), (40, 0)]
)
def test_the_period_is_sought_among_the_lags_that_are_allowed(longest, expected):
    assert estimate(wave(50, noise=0) + wave(200, noise=0), longest=longest) == expected


def test_a_peak_of_a_negative_autocorrelation_is_no_period():
    # A hump makes it negative at lags of about half its length, where the wave has a peak.
    hump = 25 * np.sin(np.pi * np.arange(120) / 120)
    assert estimate(hump + 5 * np.cos(2 * np.pi * np.arange(120) / 25), longest=70) == 0


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (wave(7, noise=0.1), 21),
        (np.sin(2 * np.pi * np.arange(20_000) / 1500), 0),
        # The second multiple has the higher peak, as every other wave is a little different.
        (wave(50, n=20_000, noise=0) + 0.2 * np.sin(2 * np.pi * np.arange(20_000) / 100), 50),
        (np.concatenate([wave(30), wave(90, n=MAX_ROWS)]), estimate(wave(90, n=MAX_ROWS))),
    ],
    ids=["multiple of a short one", "longer than any window", "no multiple", "of the last rows"],
)
def test_of_several_lags_the_period_is(series, expected):
    assert estimate(series) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_a_line_is_no_period(dtype):
    lines = np.add(np.outer(STEPS, [0.1, 1 / 3, 1e-5, 0]), [1e6, -7.3, 0, 0.1])
    gappy = np.where(STEPS[:, np.newaxis] % 50 < 25, np.nan, lines)
    tables = [table.astype(dtype) for table in (lines, gappy)]
    assert [estimate(*columns) for table in tables for columns in (table.T, [table])] == [0] * 4


def test_autocorrelation_is_that_of_the_definition():
    rows = np.random.default_rng(0).normal(size=(50, 2)).cumsum(axis=0)
    lines = [np.polyval(np.polyfit(range(50), column, 1), range(50)) for column in rows.T]
    centered = rows - np.column_stack(lines)
    expected = np.zeros(N_LAGS)
    for lag in range(len(rows)):
        products = (centered[lag:] * centered[: len(rows) - lag]).sum(axis=0)
        expected[lag] = (products / (centered**2).sum(axis=0)).mean()
    np.testing.assert_allclose(_autocorrelation(rows), expected, atol=1e-12)
