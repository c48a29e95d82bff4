"""The length of a window that suits a series: its period, by autocorrelation."""

import numpy as np
import scipy  # whose modules are imported when they are first used
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from skl_lstmae.data.sequences import Sequences

MAX_ROWS = 20_000
"""Rows of a series that are looked at: its last ones."""

SHORTEST, LONGEST = 16, 400
"""Rows of the shortest and the longest period that is looked for."""

TYPICAL_WINDOW = 100
"""Rows that a window is to have about."""

LONGEST_IN_WINDOW = 133
"""Rows of the longest period of which a window is a multiple: more would make it long."""

MIN_PROMINENCE = 0.1
MIN_SHARE_OF_HIGHEST = 0.8
N_LAGS = 600
"""Lags that are computed, so that the longest period has a far side to stand out from."""


def estimate_window_size(series: Sequences, longest: int) -> int:
    """Return the whole number of periods nearest to 100 rows, at most `longest` rows.

    Of series without a period, or with one longer than 133 rows, it is 100 rows.
    """
    period = estimate_period(series, longest)
    if period == 0 or period > LONGEST_IN_WINDOW:
        return min(TYPICAL_WINDOW, longest)
    return period * min(round(TYPICAL_WINDOW / period), longest // period)


def estimate_period(series: Sequences, longest: int = LONGEST) -> int:
    """Return the period of series, `longest` rows at most, or 0 if they have none.

    A linear trend is taken out of each feature of each series. The autocorrelations of what is left
    are averaged, weighted by the number of rows. A peak is above 0 and stands out by 0.1 at least,
    at a lag from 16 to 400 rows and at most `longest`. The period is the shortest lag whose peak is
    at least 0.8 times as high as the highest, since the multiples of a period have peaks as well.
    """
    total = np.zeros(N_LAGS)
    for i in range(len(series)):
        rows = series[i][-MAX_ROWS:]
        total += len(rows) * _autocorrelation(rows)
    autocorrelation = total / max(total[0], np.finfo(float).tiny)
    peaks, _ = scipy.signal.find_peaks(autocorrelation, height=0, prominence=MIN_PROMINENCE)
    periods = peaks[(peaks >= SHORTEST) & (peaks <= min(LONGEST, longest))]
    if len(periods) == 0:
        return 0
    heights = autocorrelation[periods]
    return int(periods[heights >= MIN_SHARE_OF_HIGHEST * heights.max()][0])


def _autocorrelation(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean over the features at lags from 0 on; a constant or a line counts as 0."""
    residuals = _without_trend(rows)
    n_padded = next_fast_len(len(rows) + N_LAGS, real=True)
    power = np.abs(rfft(residuals, n_padded, axis=0)) ** 2
    products = irfft(power, n_padded, axis=0)[:N_LAGS]
    # What is left of a line is the rounding of its values, and of their sums in float64.
    rounding = max(4 * np.finfo(rows.dtype).eps, len(rows) * np.finfo(np.float64).eps)
    is_varying = np.abs(residuals).max(axis=0) > rounding * np.fmax.reduce(np.abs(rows))
    return (products / np.where(is_varying, products[0], np.inf)).mean(axis=1)


def _without_trend(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Subtract from each feature the line that fits its observed values best; 0 where missing."""
    observed = np.isfinite(rows)
    steps = np.where(observed, np.arange(len(rows))[:, np.newaxis], np.nan)
    steps, values = (_centered(table, observed) for table in (steps, rows))
    spread = np.maximum((steps**2).sum(axis=0), 1)
    return values - steps * ((steps * values).sum(axis=0) / spread)


def _centered(table: NDArray[np.floating], observed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Subtract each column's mean; 0 where missing."""
    means = np.nansum(table, axis=0, dtype=np.float64) / np.maximum(observed.sum(axis=0), 1)
    return np.nan_to_num(table - means)
