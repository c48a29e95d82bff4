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
        The series, cut where time jumps.
    scores : ndarray of shape (total_timesteps,)
        Of the rows.
    singles : ndarray of shape (n_windows,)
        Scores of single windows of the pieces.
    is_training : ndarray of shape (total_timesteps,), dtype bool
        Which rows belong to a piece that was recognised as one of the fit.
    """

    series: Sequences
    pieces: Sequences
    scores: NDArray[np.float64]
    singles: NDArray[np.float64]
    is_training: NDArray[np.bool_]
