"""Detectors of rows of a table, as those of scikit-learn, that judge windows laid flat."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import are_apart, blocks, spread
from skl_lstmae.detectors.gap_trial import GapTrial
from skl_lstmae.detectors.window_judge import LearnedWindows
from skl_lstmae.detectors.window_plan import WindowPlan
from skl_lstmae.scoring.conformal import as_fresh, find_odd

N_TABLE_FOLDS = 5
"""Parts of the rows that take turns in being judged by a detector fitted to the others."""

CLEAR_AGREEMENT = 0.5
"""Correlation from which on two scores mean the same, and its opposite, the opposite."""


@dataclass(frozen=True, eq=False)
class TableJudge:
    """Lets an outlier detector of scikit-learn judge windows.

    Parameters
    ----------
    detector : estimator
        Has a method that `score_method` finds.
    size : int
        Time steps of a window.
    is_turned : bool, default=False
        Whether its scores are higher for anomalies, as those of PyOD's detectors are.
    """

    detector: Any
    size: int
    is_turned: bool = False
    usual: ClassVar[None] = None
    rounds_by_block: ClassVar[bool] = True

    def score(self, windows: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores of windows, which are never all rows of one table.

        Products of matrices, as in LocalOutlierFactor or a PCA, may round by the number of rows.
        """
        score = score_method(self.detector)
        max_windows = 1 if one_by_one else None
        scores = [score(flatten(block, self.size)) for block in blocks(windows, max_windows)]
        joined = np.concatenate([np.zeros(0), *scores])
        return -joined if self.is_turned else joined

    def errors(self, windows: Sequences) -> NDArray[np.float64]:
        """Refuse: such a detector knows no errors."""
        raise NotImplementedError

    def explained_variance(self, windows: Sequences) -> float:
        """Refuse: such a detector reconstructs nothing."""
        raise NotImplementedError


def fit_to_tables(detector: Any, plan: WindowPlan) -> LearnedWindows:
    """Fit a detector of tables, in place, to the windows of one epoch, a row each.

    The windows of a fold are judged by clones that were fitted to others. Those of a window that
    overlaps them are left out, if more than half of all remain.
    """
    training, windows = plan.split.training, plan.judged
    table = spread(training, plan.split.n_per_epoch or len(training))
    n_empty = plan.gaps.count(windows)
    scores, trial = np.empty(len(windows)), GapTrial(windows, n_empty)
    for fold in np.array_split(np.arange(len(windows)), N_TABLE_FOLDS):
        if len(fold):
            apart = table.take(are_apart(table, windows.take(fold)))
            others = apart if len(apart) > len(table) // 2 else table
            judge = _fit_to_table(clone(detector), others, plan.size)
            scores[fold] = judge.score(windows.take(fold))
            trial.try_some(judge, fold, scores)
    allowance = trial.allowance(by_factors=bool(scores.max() <= 0))
    judge = _fit_to_table(detector, table, plan.size)
    scores = as_fresh(scores, plan.was_held_out, by_an_error_more=False)
    if allowance is not None:
        scores = allowance.raised(scores, n_empty)
    return LearnedWindows(judge, scores, find_odd(-judge.score(plan.references)), allowance)


def flatten(windows: Sequences, size: int) -> NDArray[Any]:
    """Make a row of each window, (n_windows, size * n_features); short ones repeat their first."""
    steps = np.maximum(np.arange(size) - (size - windows.lengths[:, np.newaxis]), 0)
    rows = windows.starts[:, np.newaxis] + steps
    return windows.values[rows].reshape(len(windows), size * windows.n_features)


def score_method(detector: Any) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Return the method of a detector that scores new data."""
    for name in "score_samples", "decision_function":
        if hasattr(detector, name):
            return getattr(detector, name)
    raise ValueError(
        f"detector is a {type(detector).__name__} without score_samples or decision_function for "
        "new data; choose one that has either, as LocalOutlierFactor with novelty=True."
    )


def scores_are_turned(detector: Any, rows: NDArray[Any]) -> bool:
    """Tell whether a detector scores anomalies highest, as PyOD's do, once it is fitted to rows.

    PyOD's detectors keep the scores of these rows as ``decision_scores_``. A pipeline, or a search,
    hands on the scores of the detector at its end; any other detector that holds one of PyOD's has
    to have scores of its own that clearly go with those, or against them.
    """
    last = _last(detector)
    if hasattr(last, "decision_scores_"):
        return True
    inner = _detector_of_pyod(last)
    if inner is None:
        return False
    own, known = np.ravel(score_method(detector)(rows)), np.ravel(inner.decision_scores_)
    with np.errstate(invalid="ignore", divide="ignore"):
        agreement = np.corrcoef(own, known)[0, 1] if len(own) == len(known) else np.nan
    if not abs(agreement) > CLEAR_AGREEMENT:
        name = type(inner).__name__
        raise ValueError(
            f"detector is a {type(detector).__name__} around a {name}, which scores anomalies "
            f"highest, and its own scores do not tell whether it turns them; pass the {name}."
        )
    return bool(agreement > 0)


def _fit_to_table(detector: Any, windows: Sequences, size: int) -> TableJudge:
    rows = flatten(windows, size)
    detector.fit(rows)
    return TableJudge(detector, size, scores_are_turned(detector, rows))


def _last(detector: Any) -> Any:
    """Return the detector at the end of a pipeline, or in a search, or of several in each other."""
    if hasattr(detector, "steps"):
        return _last(detector[-1])
    best = getattr(detector, "best_estimator_", None)
    return detector if best is None else _last(best)


def _detector_of_pyod(holder: Any) -> Any:
    """Return the first fitted detector of PyOD that another holds, at any depth, or None."""
    for attribute in vars(holder).values():
        for part in attribute if isinstance(attribute, (list, tuple)) else [attribute]:
            held = _last(part[-1] if isinstance(part, tuple) and part else part)  # a named step
            if hasattr(held, "decision_scores_"):
                return held
            inner = _detector_of_pyod(held) if isinstance(held, BaseEstimator) else None
            if inner is not None:
                return inner
    return None
