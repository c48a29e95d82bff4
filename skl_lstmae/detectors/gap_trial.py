"""How much worse windows score for steps without data: tried on windows of the fit."""

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.gaps import count_empty, without_steps
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.detectors.window_judge import WindowJudge
from skl_lstmae.scoring.gap_allowance import GapAllowance

SHARES = 0.01, 0.1, 0.2, 0.35, 0.5
"""Of a window's steps, that are left out."""

ONE_PART_OF, N_WINDOWS = 4, 8
"""In how many parts of the series windows are tried, and how many."""


class GapTrial:
    """Leaves steps out of some windows that have all, and scores what is left.

    Parameters
    ----------
    size : int
        Steps of a whole window.
    """

    def __init__(self, size: int):
        self.size = size
        numbers = {max(1, round(share * size)) for share in SHARES}
        self.numbers = sorted(n for n in numbers if 2 * n <= size)  # no more are judged
        self.n_parts = 0
        self.whole: list[NDArray[np.float64]] = []
        self.without: list[NDArray[np.float64]] = []

    def try_some(self, judge: WindowJudge, windows: Sequences, scores: NDArray[np.float64]) -> None:
        """Try some windows of a part, whose scores are known, with the judge of that part."""
        self.n_parts += 1
        whole = np.flatnonzero((count_empty(windows) == 0) & (windows.lengths == self.size))
        if (self.n_parts - 1) % ONE_PART_OF or len(whole) == 0 or not self.numbers:
            return
        some = whole[np.unique(np.linspace(0, len(whole) - 1, N_WINDOWS).astype(np.intp))]
        left = judge.score(without_steps(windows.take(some), self.numbers))
        self.whole.append(scores[some])
        self.without.append(left.reshape(len(self.numbers), len(some)))

    def allowance(self) -> GapAllowance | None:
        """Return what has been learned; None if no window was whole, or windows have one step."""
        if not self.whole:
            return None
        scores = np.concatenate(self.without, axis=1)
        without = dict(zip(self.numbers, scores, strict=True))
        return GapAllowance.of(np.concatenate(self.whole), without)
