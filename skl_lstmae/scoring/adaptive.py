"""An offset that follows scores that drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

MEMORY = 7
"""Windows' lengths over which the mean and the deviation of errors are weighted."""

CLIPPED = 3.0
"""Errors further from the mean, in deviations, move it no more: a long anomaly is learned late."""

CLIPPED_SPREAD = 2.25
"""And these widen the deviation no more, so that after one anomaly the next one is found, too."""

FIRST_SHARE = 0.75
"""Of the normal law's quantile, for the first limit: a mean that follows takes part of each rise
with it, so that less is left above."""

BELOW, ABOVE = 1.0, 2.5
"""How far below and above the first limit others may be."""

STEP = 0.05
"""By how much an alarm raises the limit."""

HELD_BACK = 1
"""Alarms one after the other, in windows' lengths, from which mean and deviation learn half as
much: most anomalies do not last longer."""

SMALLEST_SHARE = 0.5
"""Of the reference errors' deviation, which that of others is taken for at least: after a calm
stretch, or a dead sensor, not every trifle is an alarm."""

TINY = 1e-6
"""Errors below it are alike."""

ROUNDING = 1e-9
"""And so are those that differ by a smaller share of the largest."""


@dataclass
class AdaptiveOffset:
    """The offset of each score, learned from those before it alone.

    A score is told by how many standard deviations its error, which is minus the score or the
    logarithm of that, lies above the mean of those before. Mean and variance are exponentially
    weighted [1]_, and learn from errors that are clipped, as in robust control charts [2]_. Errors
    above a limit are alarms. An alarm raises the limit by a step, every other score lowers it by so
    small a share of the step that the two balance at the false-alarm rate, as in adaptive conformal
    inference [3]_, whatever the distribution of the scores. There the level of a quantile moves,
    without bounds. Here the limit has some, and less is learned from the first alarms of a run, so
    that an anomaly does not silence alarms for long. Where errors have a far longer tail than the
    normal law has, alarms come more often.

    The first offset is the fixed one. A long anomaly is followed, too: an alarm marks its
    beginning.

    Parameters
    ----------
    fixed : float
        The first offset, and that of all scores if those that it rests on are all alike.
    deviation : float
        Standard deviation of the reference scores or, if they spread by factors, of their
        logarithms.
    rate : float
        The false-alarm rate that is asked for.
    size : int
        Rows of a window.
    spreads_by_factors : bool
        Whether minus a score is a distance, or an error, whose logarithm has a steady spread.

    References
    ----------
    .. [1] S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1,
       1959, :doi:`10.1080/00401706.1959.10489860`.
    .. [2] P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical
       Statistics 35, 1964, :doi:`10.1214/aoms/1177703732`.
    .. [3] I. Gibbs, E. Candes, "Adaptive conformal inference under distribution shift", NeurIPS
       2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.scoring.adaptive import AdaptiveOffset
    >>> offset = AdaptiveOffset(-2.0, deviation=0.5, rate=0.01, size=10)
    >>> drifted = np.full(200, -5.0)
    >>> int((drifted < offset.follow(drifted)).sum()) < 40
    True
    """

    fixed: float
    deviation: float
    rate: float
    size: int
    spreads_by_factors: bool = True
    state: tuple[float, float, float, int] | None = None

    def follow(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the offsets of scores, (n_scores,), and learn from them."""
        errors = errors_of(np.asarray(scores, dtype=np.float64), self.spreads_by_factors)
        if self.deviation == 0:
            return np.full(len(errors), self.fixed)
        first = FIRST_SHARE * float(norm.isf(self.rate))
        mean, variance, limit, run = self.state or self._begin(first)
        share = 1 / (MEMORY * self.size)
        smallest = SMALLEST_SHARE * self.deviation
        levels = np.empty(len(errors))
        for i, error in enumerate(errors.tolist()):
            deviation = max(variance**0.5, smallest)
            levels[i] = mean + limit * deviation
            is_alarm = error > levels[i]
            run = (run + 1) * is_alarm
            limit += STEP * (is_alarm - self.rate)
            limit = min(max(limit, first - BELOW), first + ABOVE)
            learned = share / 2 if is_alarm and run <= HELD_BACK * self.size else share
            excess = error - mean
            squared = min(abs(excess), CLIPPED_SPREAD * deviation) ** 2
            mean += learned * min(max(excess, -CLIPPED * deviation), CLIPPED * deviation)
            variance += learned * (squared - variance)
        self.state = mean, variance, limit, run
        return -np.exp(levels) if self.spreads_by_factors else -levels

    def _begin(self, limit: float) -> tuple[float, float, float, int]:
        """Return a mean and variance of errors with which the first offset is the fixed one."""
        start = float(errors_of(np.array([self.fixed]), self.spreads_by_factors)[0])
        return start - limit * self.deviation, self.deviation**2, limit, 0


def errors_of(scores: NDArray[np.float64], by_factors: bool) -> NDArray[np.float64]:
    """Return the errors that scores stand for, by their logarithms if they spread by factors."""
    return np.log(np.maximum(-scores, TINY)) if by_factors else -scores


def spread_of(scores: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the `deviation` of reference scores, and whether they spread by factors."""
    by_factors = bool(scores.max() <= 0)
    errors = errors_of(scores, by_factors)
    deviation = float(np.std(errors))
    return deviation if deviation > ROUNDING * np.abs(errors).max() else 0.0, by_factors
