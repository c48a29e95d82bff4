"""NAB's score of alarms on a corpus, standard profile [1].

[1] A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly
benchmark", ICMLA 2015. An alarm inside a labelled window earns up to 1, the more the earlier, once
a window; a window without one costs 1; an alarm outside costs up to 0.11, less just after a window.
"""

import numpy as np

FALSE_POSITIVE = 0.11


def corpus_score(files: list[tuple[list[int], list[tuple[int, int]], int]]) -> float:
    """Score alarms: 100 is a detector that hits each window at its first row and nothing else.

    Each file is its alarms' rows, its windows' first and last rows, and its number of rows.
    """
    totals = [file_score(*file) for file in files]
    n_windows = sum(len(windows) for _, windows, _ in files)
    return 100 * (sum(totals) + n_windows) / (2 * n_windows)


def file_score(alarms: list[int], windows: list[tuple[int, int]], n_rows: int) -> float:
    """Score the alarms on one file: 0 for the best silence, where there is no window."""
    total = 0.0
    for first, last in windows:
        hits = [row for row in alarms if first <= row <= last]
        width = last - first + 1
        worths = [_sigmoid(-(last - row + 1) / width) / _sigmoid(-1.0) for row in hits]
        total += max(-1.0, max(worths)) if worths else -1.0
    for row in alarms:
        before = [window for window in windows if window[1] < row]
        if any(first <= row <= last for first, last in windows):
            continue
        worth = -1.0
        if before:
            first, last = before[-1]
            worth = _sigmoid((row - last) / max(last - first, 1))
        total += FALSE_POSITIVE * worth
    return total


def _sigmoid(position: float) -> float:
    if position > 3:
        return -1.0
    return float(2 / (1 + np.exp(min(5 * position, 700))) - 1)
