"""From reference scores to the offset below which a score is called anomalous."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import genpareto

MAX_STORED = 2048
MAX_LATEST = 1024
TAIL_SHARE = 0.2
MIN_EXCESSES = 3


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
    """

    scores: np.ndarray
    n_scores: int
    latest: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> "ReferenceScores":
        """Keep what later thresholds need of ``scores``, of shape (n_scores,)."""
        n_scores = len(scores)
        return cls(np.sort(scores)[_stored_ranks(n_scores)], n_scores, scores[-MAX_LATEST:].copy())

    def updated(self, scores: np.ndarray) -> "ReferenceScores":
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

    def false_alarm_offset(self, rate: float) -> float:
        """Return the offset that a fresh score of the same kind falls below at a given rate.

        With at least ``1 / rate - 1`` scores this is split conformal prediction [1]_: the offset is
        the score of rank ``rate * (n + 1)``, valid in finite samples whatever the scores'
        distribution.

        With fewer, the lowest fifth of the scores (three or more) is extrapolated by a Pareto tail
        over their threshold, as in [2]_. There, on long streams, the tail is fitted by maximum
        likelihood. Here the excesses are taken as exponential with a scale that is known only from
        their mean; the prediction of the next one is then a generalised Pareto law with the number
        of excesses as its tail index [3]_, and exact for exponential scores however few.

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
        if rank >= 1:
            return self.at_rank(rank - 1)
        n_excesses = min(
            max(int(np.ceil(TAIL_SHARE * self.n_scores)), MIN_EXCESSES), self.n_scores - 1
        )
        threshold = self.scores[n_excesses]
        if n_excesses == 0 or threshold == self.scores[0]:
            return float(threshold)
        mean_excess = np.mean(threshold - self.scores[:n_excesses])
        # A fresh score falls below the order statistic that is the threshold with this probability.
        share_below = (n_excesses + 1) / (self.n_scores + 1)
        return float(
            threshold - genpareto.isf(rate / share_below, 1 / n_excesses, scale=mean_excess)
        )


def _stored_ranks(n_scores: int) -> np.ndarray:
    ranks = np.arange(min(n_scores, MAX_STORED))
    if n_scores > MAX_STORED:
        lowest, rest = np.split(ranks, 2)
        ranks = np.r_[lowest, np.linspace(len(lowest), n_scores - 1, len(rest)).astype(int)]
    return ranks
