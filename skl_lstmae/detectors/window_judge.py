"""What judges the windows of long series, and what it has learned of them."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import blocks
from skl_lstmae.scoring.gap_allowance import GapAllowance
from skl_lstmae.scoring.usual_errors import UsualErrors

WINDOWS_PER_LINE = 2**14
"""Windows that are scored before a line tells of it."""


class WindowJudge(Protocol):
    """Judges windows of long series, of which it may be given any number in any order."""

    @property
    def usual(self) -> UsualErrors | None:
        """How large the errors of normal windows are; None if there is no error of each cell."""
        ...

    @property
    def rounds_by_block(self) -> bool:
        """Whether bits of a score depend on how many windows are scored at a time."""
        ...

    def score(self, windows: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores of windows, (n_windows,), higher for normal ones.

        One by one, no bit of a score depends on the windows beside it.
        """
        ...

    def errors(self, windows: Sequences) -> NDArray[np.float64]:
        """Return the loss of each cell, (total_timesteps, n_features), if there is one."""
        ...

    def explained_variance(self, windows: Sequences) -> float:
        """Return the share of the variance of windows that a network explains, if there is one."""
        ...


class LearnedWindows(NamedTuple):
    """What has been learned of the windows of a plan.

    Attributes
    ----------
    judge : WindowJudge
        Has learned from the windows to train on.
    scores : ndarray of shape (n_judged,)
        That the windows to judge would have as fresh ones.
    is_odd : ndarray of shape (n_references,), dtype bool
        Which references are so unlike the others that nothing rests on them.
    allowance : GapAllowance or None
        That was made for steps without data; None if nothing was tried.
    """

    judge: WindowJudge
    scores: NDArray[np.float64]
    is_odd: NDArray[np.bool_]
    allowance: GapAllowance | None = None


@dataclass(frozen=True, eq=False)
class ReportingJudge:
    """Reports how many windows are scored, while another judge scores them.

    Parameters
    ----------
    judge : WindowJudge
        Scores the windows, in the same blocks as by itself.
    purpose : str
        What they are scored for.
    """

    judge: WindowJudge
    purpose: str

    @property
    def usual(self) -> UsualErrors | None:
        """As of the other judge."""
        return self.judge.usual

    @property
    def rounds_by_block(self) -> bool:
        """As of the other judge."""
        return self.judge.rounds_by_block

    def score(self, windows: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores of the other judge."""
        scores: list[NDArray[np.float64]] = [np.zeros(0)]
        n_scored = 0
        for block in blocks(windows, None if self.rounds_by_block else WINDOWS_PER_LINE):
            scores.append(self.judge.score(block, one_by_one=one_by_one))
            n_scored += len(block)
            print(f"Scored {n_scored} of {len(windows)} windows {self.purpose}")
        return np.concatenate(scores)

    def errors(self, windows: Sequences) -> NDArray[np.float64]:
        """Return the errors of the other judge."""
        return self.judge.errors(windows)

    def explained_variance(self, windows: Sequences) -> float:
        """Return that of the other judge."""
        return self.judge.explained_variance(windows)
