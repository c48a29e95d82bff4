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
    windows : Sequences
        Windows that are scored part by part.
    n_empty : ndarray of shape (n_windows,)
        How many steps of each have no data.
    """

    def __init__(self, windows: Sequences, n_empty: NDArray[np.intp]):
        size = int(windows.lengths.max())
        self.windows = windows
        self.is_whole = (n_empty == 0) & (windows.lengths == size)
        numbers = {max(1, round(share * size)) for share in SHARES}
        self.numbers = sorted(n for n in numbers if 2 * n <= size)  # no more are judged
        self.n_parts = 0
        self.whole: list[NDArray[np.float64]] = []
        self.without: list[NDArray[np.float64]] = []

    def try_some(
        self, judge: WindowJudge, part: NDArray[np.intp], scores: NDArray[np.float64]
    ) -> None:
        """Try some whole windows of a part, whose scores are known, with the judge of that part.

        Parameters
        ----------
        judge : WindowJudge
        part : ndarray of shape (n_part,)
            Which windows.
        scores : ndarray of shape (n_windows,)
            Of all windows, those of the part by this judge.
        """
        whole = part[self.is_whole[part]]
        if len(whole) == 0 or not self.numbers:
            return
        self.n_parts += 1
        if (self.n_parts - 1) % ONE_PART_OF:
            return
        some = whole[np.unique(np.linspace(0, len(whole) - 1, N_WINDOWS).astype(np.intp))]
        left = _scores(judge, without_steps(self.windows.take(some), self.numbers))
        if not np.isfinite(left).all():
            self.numbers = []
            return
        self.whole.append(scores[some])
        self.without.append(left.reshape(len(self.numbers), len(some)))

    def allowance(self, by_factors: bool) -> GapAllowance | None:
        """Return what has been learned, of logarithms of errors if scores spread by factors.

        It is None if no window was whole, if windows have one step, or if the judge knows no
        missing values.
        """
        if not self.numbers or not self.whole:
            return None
        scores = np.concatenate(self.without, axis=1)
        without = dict(zip(self.numbers, scores, strict=True))
        return GapAllowance.of(np.concatenate(self.whole), without, by_factors)


def _scores(judge: WindowJudge, windows: Sequences) -> NDArray[np.float64]:
    """Return the scores of windows with missing values, NaN if the judge knows none."""
    try:
        return judge.score(windows)
    except Exception:  # of somebody else's detector or scorer: of which kind, nobody knows
        return np.full(len(windows), np.nan)
