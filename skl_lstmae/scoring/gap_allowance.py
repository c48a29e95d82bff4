"""What a window's score is allowed for its steps without data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.scoring.adaptive import errors_of

QUANTILE = 0.9
"""Of normal windows' losses by a gap, for which allowance is made."""

MOST = 0.75
"""Quantile of the errors of whole windows below which differences do not count."""


@dataclass(frozen=True, eq=False)
class GapAllowance:
    """Raises scores of windows by what a gap of as many steps costs normal windows.

    A network has learned from few windows with gaps, or none, so that it makes less of them, and
    the more so the more steps are missing, whatever is in the others.

    Parameters
    ----------
    n_empty : ndarray of shape (n,)
        Numbers of steps without data, ascending from 0.
    losses : ndarray of shape (n,)
        What normal windows lose by a gap of as many: by how much their errors are larger, or the
        logarithms of these. At least 0, ascending.
    by_factors : bool
        Whether those of the logarithms.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.scoring.gap_allowance import GapAllowance
    >>> allowance = GapAllowance.of(np.array([-1.0, -1.0]), {10: np.array([-2.0, -2.0])})
    >>> allowance.raised(np.array([-2.0, -2.0, -3.0]), np.array([0, 10, 10]))
    array([-2. , -1. , -1.5])
    """

    n_empty: NDArray[np.intp]
    losses: NDArray[np.float64]
    by_factors: bool

    @classmethod
    def of(
        cls,
        whole: NDArray[np.float64],
        without: dict[int, NDArray[np.float64]],
        by_factors: bool = True,
    ) -> GapAllowance:
        """Learn from the scores of normal windows, and from those without so many steps.

        Errors below most of those of whole windows count as if they were as large: of a machine
        that is off, say, any gap would multiply the error, though not to what is an alarm.
        """
        usual = errors_of(whole, by_factors)
        floor = np.quantile(usual, MOST)
        losses = [
            float(
                np.quantile(
                    np.maximum(errors_of(scores, by_factors), floor) - np.maximum(usual, floor),
                    QUANTILE,
                )
            )
            for scores in without.values()
        ]
        n_empty = np.array([0, *without], dtype=np.intp)
        return cls(n_empty, np.maximum.accumulate([0.0, *losses]), by_factors)

    def raised(self, scores: NDArray[np.float64], n_empty: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the scores of windows with so many steps without data; others stay as they are."""
        lost = np.interp(n_empty, self.n_empty, self.losses)
        errors = errors_of(scores, self.by_factors) - lost
        raised = -np.exp(errors) if self.by_factors else -errors
        return np.where(lost > 0, np.maximum(raised, scores), scores)
