"""From reference scores to the offset below which a score is called anomalous."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import boxcox
from scipy.stats import genpareto

MAX_STORED = 2048
MAX_LATEST = 1024
TAIL_SHARE = 0.2
MIN_EXCESSES = 3

EXPONENTIAL_RATIO = 0.5
"""Ratio of the second L-moment of an exponential law to its mean."""

EXPONENTIAL_EXCESSES = 10
"""How many excesses of that law the shape of a tail is estimated with besides those observed."""


@dataclass(frozen=True, eq=False)
class ReferenceScores:
    """Reference scores, sorted: all of them up to 2048, else the 1024 lowest and some above.

    Parameters
    ----------
    scores : ndarray of float64
        The stored scores, lowest first.
    n_scores : int
        How many there were.
    latest : ndarray of float64
        The latest 1024, in the order they came.
    mean, standard_deviation : float
        Of all of them.
    n_independent : float
        How many independent scores tell about as much: neighbouring rows of a series share windows,
        and neighbouring windows share rows.
    """

    scores: np.ndarray
    n_scores: int
    latest: np.ndarray
    mean: float
    standard_deviation: float
    n_independent: float

    @classmethod
    def of(cls, scores: np.ndarray, n_independent: float | None = None) -> ReferenceScores:
        """Keep what later thresholds need of ``scores``, of shape (n_scores,).

        Unless told otherwise, all are independent.
        """
        n_scores = len(scores)
        return cls(
            scores=np.sort(scores)[_stored_ranks(n_scores)],
            n_scores=n_scores,
            latest=scores[-MAX_LATEST:].copy(),
            mean=float(np.mean(scores)),
            standard_deviation=float(np.std(scores)),
            n_independent=n_scores if n_independent is None else n_independent,
        )

    def updated(self, scores: np.ndarray) -> ReferenceScores:
        """Take in new scores; of all only the latest 1024 stay.

        What came before them was scored by a network that has changed since: on a stream, an offset
        that forgets it too slowly flags next to nothing.
        """
        return ReferenceScores.of(np.concatenate([self.latest, scores])[-MAX_LATEST:])

    @property
    def ranks(self) -> np.ndarray:
        """Ranks of the stored scores among all of them; 0 is the lowest."""
        return _stored_ranks(self.n_scores)

    def at_rank(self, rank: float) -> float:
        """Return the score at a rank, linear between stored ones."""
        return float(np.interp(rank, self.ranks, self.scores))

    def contamination_offset(self, contamination: float) -> float:
        """Return the percentile that a share ``contamination`` of these scores lies below."""
        return self.at_rank(contamination * (self.n_scores - 1))

    def false_alarm_offset(self, rate: float, learned: ReferenceScores | None = None) -> float:
        """Return the offset that a fresh score of the same kind falls below at a given rate.

        With at least ``1 / rate - 1`` independent scores this is split conformal prediction [1]_:
        the offset is the score of rank ``rate * (n + 1)``, valid in finite samples whatever the
        scores' distribution if each is independent, else about so.

        With fewer, `learned`, if more of them are independent, lend the shape of their
        distribution: the scores of sequences, or of windows or rows, that were learned from, made
        as low as these. The offset is not above the score of these scores that has that rank, or
        the lowest. That the two distributions differ by a factor alone is an approximation.

        Without `learned`, or for a rate that is too low for them as well, the lowest fifth of the
        scores (three or more) is extrapolated by a Pareto tail over their threshold, as in [2]_.
        There, on long streams, the tail is fitted by maximum likelihood. Here the excesses are
        taken as exponential with a scale that is known only from their mean; the prediction of the
        next one is then a generalised Pareto law with the number of excesses as its tail index
        [3]_, and exact for exponential scores however few, but where the lowest score is lower.

        References
        ----------
        .. [1] H. Papadopoulos, K. Proedrou, V. Vovk, A. Gammerman, "Inductive confidence machines
           for regression", ECML 2002, :doi:`10.1007/3-540-36755-1_29`.
        .. [2] A. Siffer, P.-A. Fouque, A. Termier, C. Largouet, "Anomaly detection in streams with
           extreme value theory", KDD 2017, :doi:`10.1145/3097983.3098144`.
        .. [3] J. F. Lawless, "Prediction intervals for the two parameter exponential distribution",
           Technometrics 19, 1977, :doi:`10.1080/00401706.1977.10489578`.
        """
        rank = int(rate * (self.n_scores + 1) + 1e-9)
        are_few = rate * (self.n_independent + 1) < 1 - 1e-9
        if are_few and learned is not None and self._borrows_from(learned):
            lent = learned.lowered(learned.false_alarm_offset(rate), self)
            return min(lent, self.at_rank(max(rank - 1, 0)))
        if rank >= 1:
            return self.at_rank(rank - 1)
        lowest, tail = float(self.scores[0]), self._tail()
        return lowest if tail is None else min(lowest, tail.threshold - float(tail.isf(rate)))

    def p_values(self, scores: np.ndarray, learned: ReferenceScores | None = None) -> np.ndarray:
        """Return how likely a fresh score of the same kind is to be as low as each, (n_scores,).

        The share of these scores, and itself, that are as low. Below what ranks tell, it is what
        :meth:`false_alarm_offset` extrapolates by, the tail or `learned`, so that both say the
        same.
        """
        n_stored_below = np.searchsorted(self.scores, scores, side="right")
        n_below = np.append(self.ranks, self.n_scores)[n_stored_below]
        # Between stored scores ranks are linear, as in `at_rank`.
        between = np.floor(np.interp(scores, self.scores, self.ranks)).astype(n_below.dtype) + 1
        n_below = np.where(n_stored_below > 0, np.minimum(between, n_below), 0)
        p_values = (n_below + 1) / (self.n_scores + 1)
        is_lowest, tail = n_below == 0, self._tail()
        if learned is not None and self._borrows_from(learned):
            smallest = 1 / (self.n_independent + 1)
            is_few = is_lowest | (p_values < smallest)
            p_values[is_lowest] = 0
            lent = learned.p_values(learned.raised(scores[is_few], self))
            p_values[is_few] = np.minimum(np.maximum(lent, p_values[is_few]), smallest)
        elif tail is not None:
            extrapolated = tail.sf(tail.threshold - scores[is_lowest])
            p_values[is_lowest] = np.minimum(extrapolated, p_values[is_lowest])
        return p_values

    def _borrows_from(self, learned: ReferenceScores) -> bool:
        return learned.n_independent > self.n_independent

    def _tail(self) -> Tail | None:
        """Return the tail of the lowest fifth; None if these scores have no spread there."""
        n_excesses = max(int(np.ceil(TAIL_SHARE * self.n_scores)), MIN_EXCESSES)
        n_excesses = min(n_excesses, self.n_scores - 1)
        if n_excesses < 1:
            return None
        threshold = self.at_rank(n_excesses)
        below = np.interp(np.arange(n_excesses), self.ranks, self.scores)
        mean = float(np.mean(threshold - below))
        # A fresh score falls below the order statistic that is the threshold with this probability.
        share_below = (n_excesses + 1) / (self.n_scores + 1)
        return Tail(threshold, share_below, n_excesses, mean) if mean > 0 else None

    def lowered(self, score: float, fresh: ReferenceScores) -> float:
        """Return one of these scores as low as among those of `fresh`, and a standard error lower.

        Scores of which none is positive, as minus a distance is not, are multiplied until their
        mean is that of `fresh`, others are shifted; not so that they rise, since what has been
        learned from is not less normal than what has not. The standard error is that of a mean of
        so many scores like those, once multiplied.
        """
        factor, shift = self._lowering(fresh)
        return score * factor + shift

    def raised(self, scores: np.ndarray, fresh: ReferenceScores) -> np.ndarray:
        """Return the scores that :meth:`lowered` makes these of."""
        factor, shift = self._lowering(fresh)
        return (scores - shift) / factor

    def _lowering(self, fresh: ReferenceScores) -> tuple[float, float]:
        """Return what scores are multiplied by, and what is then added."""
        error = self.standard_deviation / np.sqrt(fresh.n_independent)
        if max(self.scores[-1], fresh.scores[-1]) <= 0 and self.mean < 0:
            return max(1.0, fresh.mean / self.mean) * (1 - error / self.mean), 0.0
        return 1.0, min(0.0, fresh.mean - self.mean) - error

    def alone(self, worst: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Return the scores that are as rare alone as ``worst`` are as the lowest of ``n`` each.

        Below their lowest fifth the scores are taken to have a generalised Pareto tail, with a
        shape and scale that match its L-moments [1]_. The shape is drawn towards 0, that of an
        exponential tail, as by ten more scores, and is never below: to take a tail for bounded that
        is not would make anomalies of normal scores.

        References
        ----------
        .. [1] J. R. M. Hosking, J. R. Wallis, "Parameter and quantile estimation for the
           generalized Pareto distribution", Technometrics 29, 1987,
           :doi:`10.1080/00401706.1987.10488243`.
        """
        n_excesses = min(int(np.ceil(TAIL_SHARE * self.n_scores)), self.n_scores - 1)
        threshold = self.at_rank(n_excesses)
        ranks = np.arange(n_excesses)[::-1]  # from the smallest excess to the largest
        excesses = threshold - np.interp(ranks, self.ranks, self.scores)
        if not excesses.any():
            return worst
        mean = excesses.mean()
        ratio = np.linspace(-1, 1, n_excesses) @ excesses / excesses.sum()
        ratios = [max(ratio, EXPONENTIAL_RATIO), EXPONENTIAL_RATIO]
        shape = 2 - 1 / np.average(ratios, weights=[n_excesses, EXPONENTIAL_EXCESSES])
        scale = (1 - shape) * mean
        # Of such scores, n times as many lie below what is returned as lie below the worst one.
        return worst + boxcox(n, -shape) * (scale + shape * np.maximum(threshold - worst, 0))


class Tail(NamedTuple):
    """What is known of scores below a threshold, from few: a generalised Pareto law of excesses.

    Attributes
    ----------
    threshold : float
    share_below : float
        The chance of a score to be lower.
    n_excesses : int
        How many were, whose inverse is the tail index.
    mean : float
        The mean of their excesses.
    """

    threshold: float
    share_below: float
    n_excesses: int
    mean: float

    def isf(self, chance: float) -> np.ndarray:
        """Return the excess that is exceeded with a chance."""
        return genpareto.isf(chance / self.share_below, 1 / self.n_excesses, scale=self.mean)

    def sf(self, excesses: np.ndarray) -> np.ndarray:
        """Return the chance to exceed excesses."""
        return self.share_below * genpareto.sf(excesses, 1 / self.n_excesses, scale=self.mean)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores on which a threshold rests.

    Parameters
    ----------
    population : ReferenceScores, default=None
        Of all samples of which ``contamination`` is a share.
    fresh : ReferenceScores, default=None
        Of normal samples, as fresh ones would have them.
    learned : ReferenceScores, default=None
        The same of the samples of the fit, which lend few others the shape of their distribution.
    """

    population: ReferenceScores | None = None
    fresh: ReferenceScores | None = None
    learned: ReferenceScores | None = None

    def offset(self, contamination: float | str, false_alarm_rate: float) -> float:
        """Return the threshold by the rule that parameters of these names ask for.

        Raises
        ------
        LookupError
            If there are no scores for this rule.
        """
        if contamination == "auto":
            if self.fresh is None:
                raise LookupError
            return self.fresh.false_alarm_offset(false_alarm_rate, self.learned)
        if self.population is None:
            raise LookupError
        return self.population.contamination_offset(float(contamination))

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Return the p-values of scores, (n_scores,).

        Raises
        ------
        LookupError
            If there are no scores of normal samples.
        """
        if self.fresh is None:
            raise LookupError
        return self.fresh.p_values(scores, self.learned)

    def resting_on(self, scores: ReferenceScores, *roles: str) -> Calibration:
        """Return the calibration by other samples' scores, in the roles named, or else in both."""
        return replace(self, **dict.fromkeys(roles or ("population", "fresh"), scores))

    def updated(self, fresh: np.ndarray, learned: np.ndarray) -> Calibration:
        """Take in scores that samples had before, and after, they were learned from."""
        before = self.fresh or self.population
        return Calibration(
            population=self.population and self.population.updated(learned),
            fresh=before and before.updated(fresh),
            learned=self.learned and self.learned.updated(learned),
        )


def _stored_ranks(n_scores: int) -> np.ndarray:
    ranks = np.arange(min(n_scores, MAX_STORED))
    if n_scores > MAX_STORED:
        lowest, rest = np.split(ranks, 2)
        ranks = np.r_[lowest, np.linspace(len(lowest), n_scores - 1, len(rest)).astype(int)]
    return ranks
