"""From what was learned of windows to the judge of rows: the thresholds of a fit."""

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.gaps import have_scores
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.detectors.row_judge import (
    RowJudge,
    Threshold,
    independent_windows,
    merge_scores,
    relate,
    worst_score,
)
from skl_lstmae.detectors.window_judge import LearnedWindows
from skl_lstmae.detectors.window_plan import WindowPlan
from skl_lstmae.scoring.conformal import find_odd
from skl_lstmae.scoring.recent import RecentLevel

MOST_ODD_ROWS = 0.2
"""Share of the rows that windows of odd scores may hold: twice that of the windows themselves, as a
short fault is in all that reach it from either side."""

RECENT_WINDOWS = 5
"""Windows, one after the other, over which the level of recent scores is forgotten."""


def judge_rows(
    plan: WindowPlan,
    learned: LearnedWindows,
    odd: NDArray[np.intp],
    aggregation: str,
    relative_to_recent: float,
) -> RowJudge:
    """Return the judge whose thresholds rest on the rows of a plan but the odd ones.

    It knows the series of the plan, which it judges as if they were fresh.
    """
    gaps, worst = plan.gaps, worst_score(learned.scores)
    scores = np.full(len(plan.windows), np.nan)
    scores[gaps.have_data(plan.windows)] = learned.scores
    rows = plan.calibrating
    windows = gaps.slide_beside(rows, plan.size, plan.stride)
    own_scores = scores[np.searchsorted(plan.windows.starts, windows.starts)]
    merged = merge_scores(own_scores, windows, rows, gaps, aggregation, worst)
    is_odd = np.zeros(len(rows.values), dtype=bool)
    is_odd[odd] = True
    is_normal_row = ~is_odd[rows.rows()] & have_scores(merged, worst)
    is_normal_window = ~_are_all(is_odd, windows) & gaps.have_data(windows)
    lengths = plan.training.lengths[~_are_all(is_odd, plan.training)]

    recent = RecentLevel.of(merged[is_normal_row], relative_to_recent, RECENT_WINDOWS * plan.size)
    related = relate(recent, merged, rows.lengths, worst)
    n = independent_windows(rows, plan.size)
    judge = RowJudge(
        learned.judge,
        plan.size,
        plan.stride,
        aggregation,
        recent,
        rows=Threshold.by(related[is_normal_row], n),
        singles=Threshold.by(own_scores[is_normal_window], n),
        worst=worst_score(own_scores[is_normal_window]),
        shortest=int(lengths.min(initial=plan.size)),
        most_empty=int(gaps.count(plan.references).max()),
        allowance=learned.allowance,
    )
    return judge.knowing(plan.series, gaps, plan.windows, scores)


def odd_rows(plan: WindowPlan, learned: LearnedWindows) -> NDArray[np.intp]:
    """Return the numbers of the rows that are unlike all others, in their order.

    They are those of the references that are odd, and of the windows whose scores are. A spike,
    say, makes no window far from most others, but far from any that does not hold it. Where such
    windows are all over the series, they are no exception, and do not count.
    """
    rows = np.unique(plan.references.take(learned.is_odd).rows())
    lowest = np.unique(plan.judged.take(find_odd(-learned.scores)).rows())
    if len(lowest) > MOST_ODD_ROWS * plan.calibrating.lengths.sum():
        return rows
    return np.union1d(rows, lowest)


def _are_all(is_odd: NDArray[np.bool_], windows: Sequences) -> NDArray[np.bool_]:
    """Return which windows have nothing but odd rows, (n_windows,)."""
    n_before = np.concatenate([[0], np.cumsum(is_odd)])
    return n_before[windows.starts + windows.lengths] - n_before[windows.starts] == windows.lengths
