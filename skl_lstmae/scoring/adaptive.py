"""An offset that follows scores that drift."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from skl_lstmae.scoring.alarm_limit import AlarmLimit

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
    recent: float
    """The mean of the latest errors."""
    limit: AlarmLimit
    often: float = 0.0
    """The share of scores in events."""
    before: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Mean, variance and recent mean before the alarm that is remembered."""
    broken: float = 0.0
    """The level that it broke."""
    left: int = 0
    """Scores for which it is still remembered; 0 if none is."""
    n_learned: int = 0
    """Events from which nothing was restored, as they were frequent."""


@dataclass
class AdaptiveOffset:
    """The offset of each score, learned from those before it alone.

    A score is told by how many standard deviations its error, which is minus the score or the
    logarithm of that, lies above the mean of those before. Mean and variance are exponentially
    weighted [1]_, and learn from errors that are clipped, as in robust control charts [2]_. The
    variance is about the mean of the latest errors, so that a step that stays widens it for a short
    time alone.

    Errors above a limit are alarms, whose rate the limit follows, whatever the distribution of the
    scores: see :class:`~skl_lstmae.scoring.alarm_limit.AlarmLimit`. Where errors have a far longer
    tail than the normal law has, alarms come more often.

    An anomaly is not to hide the next one. So once errors are below the level that an event broke,
    mean and deviation are again what they were before it. Unless events are frequent: what comes
    and goes for ever is learned, and widens the variance.

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
        smallest = SMALLEST_SHARE * self.deviation
        share, seldom = 1 / (MEMORY * self.span), 1 / (LONG * self.span)
        lately, remembered = 1 / (RECENT * self.span), REMEMBERED * self.span
        mean, variance, recent, limit, often, before, broken, left, n_learned = self._known()
        levels = np.empty(len(errors))
        for i, error in enumerate(errors.tolist()):
            deviation = max(variance**0.5, smallest)
            levels[i] = level = mean + (limit.value + limit.raised) * deviation
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
                limit.begin_event()
            limit.learn(is_alarm)
            clipped = CLIPPED * deviation
            excess = min(max(error - mean, -clipped), clipped)
            mean += share * excess
            recent += lately * (error - recent)
            square = excess**2
            if often < FREQUENT:
                square = TAKEN * min(abs(error - recent), clipped) ** 2
            variance += share * (square - variance)
        memory = often, before, broken, left, n_learned
        self.state = _State(mean, variance, recent, limit, *memory)
        return -np.exp(levels) if self.spreads_by_factors else -levels

    @property
    def n_learned(self) -> int:
        """How many events count as normal by now, as they are frequent."""
        return 0 if self.state is None else self.state.n_learned

    def _known(self) -> _State:
        """Return what is known: at first a mean with which the first offset is the fixed one."""
        if self.state is not None:
            return self.state._replace(limit=copy(self.state.limit))
        limit = AlarmLimit.first(self.rate, self.span)
        start = float(errors_of(np.array([self.fixed]), self.spreads_by_factors)[0])
        mean = start - limit.value * self.deviation
        return _State(mean, self.deviation**2, mean, limit)


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
