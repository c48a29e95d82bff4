"""How far above the mean an alarm is, learned from how often there are alarms."""

from dataclasses import dataclass
from typing import Self

from scipy.stats import norm

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


@dataclass
class AlarmLimit:
    """A limit in deviations above the mean, that alarms raise and other scores lower.

    The two balance at the false-alarm rate, as in adaptive conformal inference [1]_. There the
    level of a quantile moves, without bounds. Here the limit has some, and as alarms come in runs,
    they also raise it for a short time. One event raises it as twenty alarms do, at most. What more
    alarms would add keeps the limit up for the longer; only what would lift it beyond its bound is
    forgiven.

    Parameters
    ----------
    rate : float
        The false-alarm rate.
    span : int
        Scores that one short event lowers.
    lowest, highest : float
        The bounds.
    value : float
        The limit, but for what is added to it for a short time.
    top : float
        What the latest event may raise it to.
    raised : float, default=0.0
        What is added for a short time.
    owed : float, default=0.0
        What events would have raised it by besides. It does not fall until that is paid.

    References
    ----------
    .. [1] I. Gibbs, E. Candes, "Adaptive conformal inference under distribution shift", NeurIPS
       2021.

    Examples
    --------
    >>> from skl_lstmae.scoring.alarm_limit import AlarmLimit
    >>> limit = AlarmLimit.first(rate=0.01, span=10)
    >>> before = limit.value
    >>> limit.begin_event()
    >>> limit.learn(is_alarm=True)
    >>> limit.value > before
    True
    """

    rate: float
    span: int
    lowest: float
    highest: float
    value: float
    top: float
    raised: float = 0.0
    owed: float = 0.0

    @classmethod
    def first(cls, rate: float, span: int) -> Self:
        """Return the limit before any score, from the quantile of the normal law."""
        value = FIRST_SHARE * float(norm.isf(rate))
        return cls(rate, span, value - BELOW, value + ABOVE, value, top=value)

    def begin_event(self) -> None:
        """Let alarms raise the limit anew."""
        self.top = min(self.value + MOST, self.highest)

    def learn(self, is_alarm: bool) -> None:
        """Raise the limit by an alarm, or lower it by any other score."""
        change = STEP * (is_alarm - self.rate)
        paid = min(self.owed, max(-change, 0.0))
        wanted = self.value + (change + paid)
        self.value = min(max(wanted, self.lowest), self.top)
        room = self.highest - self.value
        self.owed = min(self.owed - paid + max(wanted - self.value, 0.0), room)
        jump, fading = min(STEP, JUMP / self.span), 1 / (FADING * self.span)
        self.raised = min(self.raised + jump * is_alarm - fading * self.raised, room)
