"""The volume under the surface of precision and recall, by TSB-AD's own code.

J. Paparrizos, P. Boniol, T. Palpanas, R. Tsay, A. Elmore, M. Franklin, "Volume under the surface: a
new accuracy evaluation measure for time-series anomaly detection", PVLDB 15(11), 2022, 2774-2787,
https://doi.org/10.14778/3551793.3551830.
"""

import numpy as np


def vus_pr(is_anomaly: np.ndarray, scores: np.ndarray, window: int) -> float:
    """Return the mean area under the curve of precision and recall over buffers of 0 to `window`.

    Scores are higher for anomalies, of which there is one at least.
    """
    from TSB_AD.evaluation.basic_metrics import generate_curve

    return float(generate_curve(is_anomaly.astype(int), scores, window)[-1])


def vus_window(channel: np.ndarray) -> int:
    """Return the window that TSB-AD takes, by the autocorrelation of the series' first feature."""
    from TSB_AD.utils.slidingWindows import find_length_rank

    return int(find_length_rank(channel[:, np.newaxis], rank=1))
