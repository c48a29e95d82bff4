"""How much worse windows score for steps without data: tried on windows of the fit."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.gaps import count_empty, without_steps
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.detectors.window_judge import WindowJudge
from skl_lstmae.scoring.gap_allowance import GapAllowance

SHARES = 0.01, 0.03, 0.1, 0.2, 0.35, 0.5
"""Of a window's steps, that are left out."""

WINDOWS_PER_PART = 4
"""Windows of a part of the series that steps are left out of."""


@dataclass(eq=False)
class GapTrial:
    """Leaves steps out of some windows that have all, and scores what is left.

    Parameters
    ----------
    size : int
        Steps of a whole window.
    """

    size: int
    whole: list[NDArray[np.float64]] = field(default_factory=list)
    """Scores of these windows, part by part."""
    without: dict[int, list[NDArray[np.float64]]] = field(default_factory=dict)
    """The same without so many steps, one after the other."""

    def try_some(self, judge: WindowJudge, windows: Sequences, scores: NDArray[np.float64]) -> None:
        """Try some windows of a part, whose scores are known, with the judge of that part."""
        is_whole = (count_empty(windows) == 0) & (windows.lengths == self.size)
        some = np.flatnonzero(is_whole)
        if len(some) == 0:
            return
        some = some[np.unique(np.linspace(0, len(some) - 1, WINDOWS_PER_PART).astype(np.intp))]
        self.whole.append(scores[some])
        for n_steps in self._numbers():
            left = without_steps(windows.take(some), n_steps)
            self.without.setdefault(n_steps, []).append(judge.score(left))

    def allowance(self) -> GapAllowance | None:
        """Return what has been learned; None if no window was whole, or windows have one step."""
        if not self.without:
            return None
        without = {n: np.concatenate(scores) for n, scores in self.without.items()}
        return GapAllowance.of(np.concatenate(self.whole), without)

    def _numbers(self) -> list[int]:
        """Return how many steps to leave out: half of a window at most, as no more are judged."""
        numbers = {max(1, round(share * self.size)) for share in SHARES}
        return sorted(n for n in numbers if 2 * n <= self.size)
