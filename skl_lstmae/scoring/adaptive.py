"""An offset that follows scores that drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

MEMORY = 7
"""Spans over which the mean and the deviation of errors are weighted. A span is the number of
scores that one short event lowers."""

RECENT = 3
"""Spans over which the mean is weighted that errors deviate from: a change that stays widens the
deviation for a short time alone."""

TAKEN = 1.1
"""By what factor variances are made up for what a mean that follows takes of them."""

CLIPPED = 3.0
"""Errors further from the mean, in deviations, move it no more and widen the deviation no more: a
long anomaly is learned late."""

REMEMBERED = 20
"""Spans for which mean and deviation before an alarm are remembered: they are restored if errors
are as low again."""

FREQUENT = 0.2
"""Share of scores in events from which nothing is restored: what comes and goes for ever is to be
learned."""

LONG = 100
"""Spans over which the share of scores in events is weighted."""

FIRST_SHARE = 0.75
"""Of the normal law's quantile, for the first limit: a mean that follows takes part of each rise
with it, so that less is left above."""

BELOW, ABOVE = 1.0, 3.0
"""How far below and above the first limit others may be."""

STEP = 0.05
"""By how much an alarm raises the limit, which all scores lower by the rate's share of it."""

MOST = 1.0
"""By how much one event raises the limit, at most. What its alarms would add besides keeps it up
for the longer."""

JUMP = 5.0
"""By how much a whole span of alarms raises the limit besides, for a short time, as alarms come in
runs. One alarm raises it by no more than a step."""

FADING = 3
"""Spans over which what is raised for a short time fades."""

SMALLEST_SHARE = 0.5
"""Of the first deviation, which later ones are taken for at least: after a calm stretch, or a dead
sensor, not every trifle is an alarm."""

CONFIDENCE = 0.9
"""That the deviation of normal scores is not above its upper bound."""

FEWEST_INDEPENDENT = 3
"""Scores by which a deviation is bounded, at least: by fewer it could be anything."""

TINY = 1e-6
"""Errors below it are alike."""

ROUNDING = 1e-9
"""And so are those that differ by a smaller share of the largest."""


class _State(NamedTuple):
    """What has been learned of errors so far."""

    mean: float
    variance: float
    limit: float
    """In deviations above the mean."""
    raised: float = 0.0
    """What is added to the limit for a short time."""
    often: float = 0.0
    """The share of scores in events."""
    before: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Mean, variance and recent mean before the alarm that is remembered."""
    broken: float = 0.0
    """The level that it broke."""
    left: int = 0
    """Scores for which it is still remembered; 0 if none is."""
    top: float = 0.0
    """What its event may raise the limit to."""
    recent: float = 0.0
    """The mean of the latest errors."""
    n_learned: int = 0
    """Events from which nothing was restored, as they were frequent."""
    owed: float = 0.0
    """What events would have raised the limit by besides. It does not fall until that is paid."""


@dataclass
class AdaptiveOffset:
    """The offset of each score, learned from those before it alone.

    A score is told by how many standard deviations its error, which is minus the score or the
    logarithm of that, lies above the mean of those before. Mean and variance are exponentially
    weighted [1]_, and learn from errors that are clipped, as in robust control charts [2]_. The
    variance is about the mean of the latest errors, so that a step that stays widens it for a short
    time alone.

    Errors above a limit are alarms. An alarm raises the limit by a step, every other score lowers
    it by so small a share of the step that the two balance at the false-alarm rate, as in adaptive
    conformal inference [3]_, whatever the distribution of the scores. There the level of a quantile
    moves, without bounds. Here the limit has some, and as alarms come in runs, they also raise it
    for a short time. Where errors have a far longer tail than the normal law has, alarms come more
    often.

    An anomaly is not to hide the next one. So one event raises the limit as twenty alarms do, at
    most. What more alarms would add keeps the limit up for the longer, so that alarms and other
    scores balance; only what would lift it beyond its bound is forgiven. Once errors are below the
    level that an event broke, mean and deviation are again what they were before it. Unless events
    are frequent: what comes and goes for ever is learned, and widens the variance.

    The first offset is the fixed one. A long anomaly is followed, too: an alarm marks its
    beginning.

    Parameters
    ----------
    fixed : float
        The first offset, and that of all scores if those that it rests on are all alike.
    deviation : float
        Standard deviation of normal scores or, if they spread by factors, of their logarithms.
    rate : float
        The false-alarm rate that is asked for.
    span : int
        Scores that one short event lowers.
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
    >>> offset = AdaptiveOffset(-2.0, deviation=0.5, rate=0.01, span=10)
    >>> drifted = np.full(200, -5.0)
    >>> int((drifted < offset.follow(drifted)).sum()) < 40
    True
    """

    fixed: float
    deviation: float
    rate: float
    span: int
    spreads_by_factors: bool = True
    state: _State | None = None

    def follow(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the offsets of scores, (n_scores,), and learn from them."""
        errors = errors_of(np.asarray(scores, dtype=np.float64), self.spreads_by_factors)
        if self.deviation == 0:
            return np.full(len(errors), self.fixed)
        first = FIRST_SHARE * float(norm.isf(self.rate))
        lowest, highest = first - BELOW, first + ABOVE
        smallest = SMALLEST_SHARE * self.deviation
        share, seldom = 1 / (MEMORY * self.span), 1 / (LONG * self.span)
        fading, jump = 1 / (FADING * self.span), min(STEP, JUMP / self.span)
        lately, remembered = 1 / (RECENT * self.span), REMEMBERED * self.span
        state = self.state or self._begin(first)
        mean, variance, limit, raised, often, before, broken, left, top, recent, n_learned, owed = (
            state
        )
        levels = np.empty(len(errors))
        for i, error in enumerate(errors.tolist()):
            deviation = max(variance**0.5, smallest)
            levels[i] = level = mean + (limit + raised) * deviation
            is_alarm = error > level
            is_in_event = is_alarm or (left > 0 and error > broken)
            often += seldom * (is_in_event - often)
            if left > 0:
                left -= 1
                if error <= broken:
                    left = 0
                    if often < FREQUENT:
                        mean, variance, recent = before
                        deviation = max(variance**0.5, smallest)
                    else:
                        n_learned += 1
            elif is_alarm:
                before, broken, left = (mean, variance, recent), level, remembered
                top = min(limit + MOST, highest)
            change = STEP * (is_alarm - self.rate)
            paid = min(owed, max(-change, 0.0))
            wanted = limit + (change + paid)
            limit = min(max(wanted, lowest), top)
            owed = min(owed - paid + max(wanted - limit, 0.0), highest - limit)
            raised = min(raised + jump * is_alarm - fading * raised, highest - limit)
            highest_excess = CLIPPED * deviation
            excess = min(max(error - mean, -highest_excess), highest_excess)
            mean += share * excess
            recent += lately * (error - recent)
            square = excess**2
            if often < FREQUENT:
                square = TAKEN * min(abs(error - recent), highest_excess) ** 2
            variance += share * (square - variance)
        memory = often, before, broken, left, top, recent, n_learned, owed
        self.state = _State(mean, variance, limit, raised, *memory)
        return -np.exp(levels) if self.spreads_by_factors else -levels

    @property
    def n_learned(self) -> int:
        """How many events count as normal by now, as they are frequent."""
        return 0 if self.state is None else self.state.n_learned

    def _begin(self, limit: float) -> _State:
        """Return a mean and variance of errors with which the first offset is the fixed one."""
        start = float(errors_of(np.array([self.fixed]), self.spreads_by_factors)[0])
        mean = start - limit * self.deviation
        return _State(mean, self.deviation**2, limit, top=limit, recent=mean)


def errors_of(scores: NDArray[np.float64], by_factors: bool) -> NDArray[np.float64]:
    """Return the errors that scores stand for, by their logarithms if they spread by factors."""
    return np.log(np.maximum(-scores, TINY)) if by_factors else -scores


def spread_of(scores: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the standard deviation of reference scores, and whether they spread by factors."""
    by_factors = bool(scores.max() <= 0)
    errors = errors_of(scores, by_factors)
    deviation = float(np.std(errors))
    return deviation if deviation > ROUNDING * np.abs(errors).max() else 0.0, by_factors


def upper_bound(deviation: float, n_independent: float) -> float:
    """Return an upper confidence bound on the deviation of normal scores, by that of references.

    It holds for the normal law, and for overlapping windows that tell as much as `n_independent`
    scores do. Among few windows, scores spread by less than they do later.
    """
    n = max(n_independent, FEWEST_INDEPENDENT)
    return deviation * float(n / chi2.ppf(1 - CONFIDENCE, n - 1)) ** 0.5
