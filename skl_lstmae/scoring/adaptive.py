"""An offset that follows scores that drift."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

STEPS = (0.02, 0.2, 2.0)
"""By how many standard deviations of the reference scores an alarm moves each tracker, about."""

TARGET = 2
"""How often, in false-alarm rates, scores are to lie below a tracker: those that do not drift then
stay below the fixed offset, which is the one that counts."""

TINY = 1e-6
"""Errors below it are alike."""

PATIENCE = 0.1
"""Alarms that a series may have at the fixed offset, in windows' lengths, before it gives way."""


@dataclass
class AdaptiveOffset:
    """The offset of each score, learned from those before it alone.

    Three trackers follow the same low quantile of the scores, one by small steps and slowly, one by
    large steps and at once, as in adaptive conformal inference [1]_, [2]_: a score below a tracker
    moves it down by a step, any other moves it up by so small a share of it that the two balance at
    the quantile. The offset is the median of the three, so that neither the slowest nor the
    hastiest decides, but never above the fixed offset. A long anomaly is followed too: an alarm
    marks its beginning.

    Parameters
    ----------
    fixed : float
        The offset of scores that do not drift.
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
    .. [1] I. Gibbs, E. Candes, "Adaptive conformal inference under distribution shift", NeurIPS
       2021.
    .. [2] A. N. Angelopoulos, E. J. Candes, R. J. Tibshirani, "Conformal PID control for time
       series prediction", NeurIPS 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.scoring.adaptive import AdaptiveOffset
    >>> offset = AdaptiveOffset(-2.0, deviation=0.5, rate=0.01, size=10)
    >>> drifted = np.full(200, -5.0)
    >>> int((drifted < offset.follow(drifted)).sum()) < 20
    True
    """

    fixed: float
    deviation: float
    rate: float
    size: int
    spreads_by_factors: bool = True
    n_alarms: int = 0
    trackers: list[float] = field(default_factory=list)

    def follow(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the offsets of scores, (n_scores,), and learn from them."""
        start = float(self._errors(np.array([self.fixed]))[0])
        trackers = self.trackers or [start] * len(STEPS)
        steps = [step * self.deviation for step in STEPS]
        target = min(TARGET * self.rate, 0.5)
        patience = PATIENCE * self.size
        errors = self._errors(np.asarray(scores, dtype=np.float64))
        levels = np.full(len(errors), start)
        for i, error in enumerate(errors.tolist()):
            if self.n_alarms >= patience:
                levels[i] = max(start, sorted(trackers)[len(trackers) // 2])
            self.n_alarms += error > levels[i]
            trackers = [
                max(start, tracker + step * ((error > tracker) - target))
                for tracker, step in zip(trackers, steps, strict=True)
            ]
        self.trackers = trackers
        offsets = -np.exp(levels) if self.spreads_by_factors else -levels
        return np.where(levels > start, offsets, self.fixed)

    def _errors(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log(np.maximum(-scores, TINY)) if self.spreads_by_factors else -scores


def spread_of(scores: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the `deviation` of reference scores, and whether they spread by factors."""
    by_factors = bool(scores.max() <= 0)
    errors = np.log(np.maximum(-scores, TINY)) if by_factors else scores
    return float(np.std(errors)), by_factors
