"""Scores of rows relative to those of the rows before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # whose modules are imported when they are first used
from numpy.typing import NDArray

from skl_lstmae.scoring.adaptive import errors_of


@dataclass(frozen=True)
class RecentLevel:
    """The level of recent scores, an exponentially weighted moving average [1]_.

    Where all scores have been low for long, as those of a series that drifts, one more low score
    says little. High ones make no score lower: after a calm night a usual morning is no anomaly.
    Scores are taken by the logarithm of the error that they stand for, if they spread by factors.

    Parameters
    ----------
    start : float
        The level of the reference scores, where a series begins.
    weight : float
        To what part scores are relative to the level: 0 leaves them as they are, 1 takes all of it
        from them.
    n_scores : float
        Scores over which the average forgets: one so many scores ago counts as 1 / e of the latest.
    spreads_by_factors : bool
        Whether minus a score is a distance, or an error, whose logarithm has a steady spread.

    References
    ----------
    .. [1] S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1,
       1959, :doi:`10.1080/00401706.1959.10489860`.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.scoring.recent import RecentLevel
    >>> level = RecentLevel(start=0.0, weight=0.5, n_scores=10, spreads_by_factors=True)
    >>> level.relative(np.full(100, -9.0))[[0, 99]].round(1)
    array([-9., -3.])
    """

    start: float
    weight: float
    n_scores: float
    spreads_by_factors: bool

    @classmethod
    def of(cls, scores: NDArray[np.float64], weight: float, n_scores: float) -> RecentLevel:
        """Return that of series which begin at the level of reference scores."""
        by_factors = bool(scores.max() <= 0)
        start = float(np.mean(errors_of(scores, by_factors)))
        return cls(start, weight, n_scores, by_factors)

    def relative(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores of a series, each relative to the level before it, (n_scores,)."""
        if self.weight == 0 or len(scores) == 0:
            return scores
        share = min(1.0, 1 / self.n_scores)
        errors = errors_of(scores, self.spreads_by_factors)
        after, _ = scipy.signal.lfilter(
            [share], [1, share - 1], errors, zi=[(1 - share) * self.start]
        )
        before = np.append(self.start, after[:-1])
        excess = self.weight * np.maximum(before - self.start, 0.0)
        return scores * np.exp(-excess) if self.spreads_by_factors else scores + excess
