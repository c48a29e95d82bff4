"""The length of a window that suits a series: its period, by autocorrelation."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import find_peaks

from skl_lstmae._sequences import Sequences

MAX_ROWS = 20_000
"""Rows of a series that are looked at: its last ones."""

SHORTEST, LONGEST, WITHOUT_PERIOD = 16, 400, 100
MIN_PROMINENCE = 0.1
MIN_SHARE_OF_HIGHEST = 0.8
N_LAGS = 600
"""Lags that are computed, so that the longest period has a far side to stand out from."""


def estimate_window_size(series: Sequences, longest: int) -> int:
    """Return the period of series, or 100 rows if they have none, but `longest` rows at most.

    The autocorrelations of all features of all series are averaged, weighted by the number of rows.
    A peak is above 0 and stands out by 0.1 at least, at a lag from 16 to 400 rows and at most
    `longest`. The period is the shortest lag whose peak is at least 0.8 times as high as the
    highest, since the multiples of a period have peaks as well.
    """
    total = np.zeros(N_LAGS)
    for i in range(len(series)):
        rows = series[i][-MAX_ROWS:]
        total += len(rows) * _autocorrelation(rows)
    autocorrelation = total / max(total[0], np.finfo(float).tiny)
    peaks, _ = find_peaks(autocorrelation, height=0, prominence=MIN_PROMINENCE)
    periods = peaks[(peaks >= SHORTEST) & (peaks <= min(LONGEST, longest))]
    if len(periods) == 0:
        return min(WITHOUT_PERIOD, longest)
    heights = autocorrelation[periods]
    return int(periods[heights >= MIN_SHARE_OF_HIGHEST * heights.max()][0])


def _autocorrelation(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean over the features at lags from 0 on; a constant feature counts as 0."""
    n_observed = np.maximum(np.isfinite(rows).sum(axis=0), 1)
    centered = np.nan_to_num(rows - np.nansum(rows, axis=0, dtype=np.float64) / n_observed)
    n_padded = next_fast_len(len(rows) + N_LAGS, real=True)
    power = np.abs(rfft(centered, n_padded, axis=0)) ** 2
    products = irfft(power, n_padded, axis=0)[:N_LAGS]
    is_varying = np.fmax.reduce(rows) > np.fmin.reduce(rows)
    return (products / np.where(is_varying, products[0], np.inf)).mean(axis=1)
