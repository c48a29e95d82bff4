"""Rows of series and their scores, from which offsets, events and thresholds follow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows that a :class:`RowJudge` has scored, and what it has found out about them.

    Parameters
    ----------
    series : Sequences
        Whose rows they are.
    pieces : Sequences
        The series, cut at jumps in time and at blackouts.
    windows : Sequences
        That the pieces were judged by.
    scores : ndarray of shape (total_timesteps,)
        By which the rows are judged.
    singles : ndarray of shape (n_windows,)
        Scores of the windows; NaN for those that raise no alarms, as they are shorter than any of
        the fit, or more than half of them is empty.
    may_alarm : ndarray of shape (total_timesteps,), dtype bool
        Which rows others cover. Blackouts raise alarms all the same.
    is_training : ndarray of shape (total_timesteps,), dtype bool
        Which rows belong to a piece that was recognised as one of the fit.
    judges : ndarray of shape (total_timesteps,)
        The rows whose scores these are: each its own, but for those of short gaps.
    """

    series: Sequences
    pieces: Sequences
    windows: Sequences
    scores: NDArray[np.float64]
    singles: NDArray[np.float64]
    may_alarm: NDArray[np.bool_]
    is_training: NDArray[np.bool_]
    judges: NDArray[np.intp]

    @property
    def own_scores(self) -> NDArray[np.float64]:
        """Scores of the rows that are judged by their own, NaN for others."""
        return np.where(self.judges == np.arange(len(self.scores)), self.scores, np.nan)

    @property
    def telling_scores(self) -> NDArray[np.float64]:
        """Scores from which something is learned: own ones of rows that may be alarms; else NaN."""
        return np.where(self.may_alarm, self.own_scores, np.nan)

    def are_silent(self, worst: float) -> NDArray[np.bool_]:
        """Return which rows cannot be judged, and hence raise no alarm: no blackouts."""
        return ~self.may_alarm & (self.scores != worst)

    def pieces_with(self, which: NDArray[np.bool_]) -> Sequences:
        """Return the pieces that hold some of these rows, a mask of shape (total_timesteps,)."""
        firsts = np.cumsum(self.pieces.lengths) - self.pieces.lengths
        return self.pieces.take(np.logical_or.reduceat(which, firsts))
