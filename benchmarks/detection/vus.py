"""The volume under the surface of precision and recall, as TSB-AD computes it.

J. Paparrizos, P. Boniol, T. Palpanas, R. Tsay, A. Elmore, M. Franklin, "Volume under the surface: a
new accuracy evaluation measure for time-series anomaly detection", PVLDB 15(11), 2022, 2774-2787,
https://doi.org/10.14778/3551793.3551830.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft, next_fast_len
from scipy.signal import argrelextrema

N_THRESHOLDS = 250
MAX_ROWS, MAX_LAG = 20_000, 400
SHORTEST, LONGEST, WITHOUT_PERIOD = 6, 303, 125


def vus_pr(is_anomaly: NDArray[np.bool_], scores: NDArray[np.floating], window: int) -> float:
    """Return the mean area under the curve of precision and recall over buffers of 0 to `window`.

    Rows within half a buffer of an anomaly count as anomalous in part, the less the farther; and
    the recall is multiplied with the share of anomalies, buffers included, that are hit at all.

    Parameters
    ----------
    is_anomaly : ndarray of shape (n_timesteps,), dtype bool
        Labels, of which one at least is True.
    scores : ndarray of shape (n_timesteps,)
        Higher for anomalies.
    window : int
        Width of the largest buffer.
    """
    ranks = np.linspace(0, len(scores) - 1, N_THRESHOLDS).astype(int)
    thresholds = np.sort(scores)[::-1][ranks]
    reached = np.searchsorted(-thresholds, -scores)
    n_flagged = _count(reached)
    n_hits = _count(reached[is_anomaly])
    segments = _segments(is_anomaly)
    areas = []
    for width in range(window + 1):
        weights = _buffered(is_anomaly, segments, width)
        weighted_hits = _count(reached, weights)
        n_anomalous = is_anomaly.sum() + (weighted_hits - n_hits) / 2
        zones = _zones(segments, width // 2, len(scores))
        n_found = _count(np.array([reached[first : last + 1].min() for first, last in zones]))
        recall = np.minimum(weighted_hits / n_anomalous, 1) * n_found / len(zones)
        areas.append(np.diff(recall, prepend=0) @ (weighted_hits / n_flagged))
    return float(np.mean(areas))


def vus_window(channel: NDArray[np.floating]) -> int:
    """Return the window that TSB-AD takes: the highest peak of the autocorrelation.

    Parameters
    ----------
    channel : ndarray of shape (n_timesteps,)
        The series' first feature.
    """
    rows = channel[:MAX_ROWS].astype(np.float64)
    centered = rows - rows.mean()
    spectrum = fft(centered, next_fast_len(2 * len(rows) + 1, real=True))
    products = ifft(spectrum * spectrum.conj()).real[: min(len(rows), MAX_LAG + 1)]
    first_lag = 3
    correlations = products[first_lag:] / (products[0] or np.nan)
    (peaks,) = argrelextrema(correlations, np.greater)
    if len(peaks) == 0:
        return WITHOUT_PERIOD
    period = int(peaks[np.argsort(correlations[peaks])[-1]]) + first_lag
    return period if SHORTEST <= period <= LONGEST else WITHOUT_PERIOD


def _count(
    reached: NDArray[np.intp], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Add up what each threshold, from the highest to the lowest, is reached by."""
    return np.cumsum(np.bincount(reached, weights, minlength=N_THRESHOLDS)).astype(np.float64)


def _segments(is_anomaly: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the first and last row of each anomaly, (n_segments, 2)."""
    steps = np.diff(is_anomaly.astype(np.int8), prepend=0, append=0)
    return np.column_stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1])


def _buffered(
    is_anomaly: NDArray[np.bool_], segments: NDArray[np.intp], width: int
) -> NDArray[np.float64]:
    """Weigh each row by how anomalous it counts as, 0 to 1."""
    weights = is_anomaly.astype(np.float64)
    half = width // 2
    slope = np.sqrt(1 - np.arange(1, half + 1) / max(width, 1))
    for first, last in segments:
        after = weights[last + 1 : last + 1 + half]
        after += slope[: len(after)]
        before = weights[max(first - half, 0) : first]
        before += slope[: len(before)][::-1]
    return np.minimum(weights, 1)


def _zones(segments: NDArray[np.intp], half: int, n_rows: int) -> NDArray[np.intp]:
    """Return first and last rows of the anomalies with their buffers; those that meet are one."""
    firsts, lasts = segments[:, 0] - half, segments[:, 1] + half
    is_apart = lasts[:-1] < firsts[1:]
    zones = [firsts[np.r_[True, is_apart]], lasts[np.r_[is_apart, True]]]
    return np.clip(np.column_stack(zones), 0, n_rows - 1)
