"""How much worse windows score for steps without data: tried on windows of the fit."""

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.gaps import without_steps
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
        numbers = {max(1, round(share * size)) for share in SHARES}
        self.numbers = sorted(n for n in numbers if 2 * n <= size)  # no more are judged
        self.n_parts = 0
        self.whole: list[NDArray[np.float64]] = []
        self.without: list[NDArray[np.float64]] = []

    def try_some(self, judge: WindowJudge, windows: Sequences, scores: NDArray[np.float64]) -> None:
        """Try some whole windows of a part, whose scores are known, with the judge of that part."""
        if len(windows) == 0 or not self.numbers:
            return
        self.n_parts += 1
        if (self.n_parts - 1) % ONE_PART_OF:
            return
        some = np.unique(np.linspace(0, len(windows) - 1, N_WINDOWS).astype(np.intp))
        try:
            left = judge.score(without_steps(windows.take(some), self.numbers))
        except Exception:  # of a scorer of the user's own, which need not know missing values
            self.numbers = []
            return
        self.whole.append(scores[some])
        self.without.append(left.reshape(len(self.numbers), len(some)))

    def allowance(self, by_factors: bool) -> GapAllowance | None:
        """Return what has been learned, of logarithms of errors if scores spread by factors.

        It is None if no window was whole, if windows have one step, or if the scorer knows no
        missing values.
        """
        if not self.numbers or not self.whole:
            return None
        scores = np.concatenate(self.without, axis=1)
        without = dict(zip(self.numbers, scores, strict=True))
        return GapAllowance.of(np.concatenate(self.whole), without, by_factors)
