"""What judges the windows of long series: a detector of sequences, or one of rows of a table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split
from skl_lstmae.data.windows import are_apart, blocks, spread
from skl_lstmae.scoring.conformal import as_fresh, find_odd

N_TABLE_FOLDS = 5
"""Parts of the rows that take turns in being judged by a detector fitted to the others."""

WINDOWS_PER_LINE = 2**14
"""Windows that are scored before a line tells of it."""


class WindowJudge(Protocol):
    """Judges windows of long series, of which it may be given any number in any order."""

    @property
    def has_errors(self) -> bool:
        """Whether there is an error of each cell."""
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


@dataclass(frozen=True, eq=False)
class TableJudge:
    """Lets an outlier detector of scikit-learn judge windows.

    Parameters
    ----------
    detector : estimator
        Has a method that `score_method` finds.
    size : int
        Time steps of a window.
    """

    detector: Any
    size: int
    has_errors: ClassVar[bool] = False

    def score(self, windows: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores of windows, which are never all rows of one table.

        Products of matrices, as in LocalOutlierFactor or a PCA, may round by the number of rows.
        """
        score = score_method(self.detector)
        max_windows = 1 if one_by_one else None
        scores = [score(flatten(block, self.size)) for block in blocks(windows, max_windows)]
        return np.concatenate([np.zeros(0), *scores])

    def errors(self, windows: Sequences) -> NDArray[np.float64]:
        """Refuse: such a detector knows no errors."""
        raise NotImplementedError

    def explained_variance(self, windows: Sequences) -> float:
        """Refuse: such a detector reconstructs nothing."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class ToldJudge:
    """Prints how many windows are scored, while another judge scores them.

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
    def has_errors(self) -> bool:
        """As of the other judge."""
        return self.judge.has_errors

    def score(self, windows: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores of the other judge."""
        is_table = isinstance(self.judge, TableJudge)
        scores: list[NDArray[np.float64]] = [np.zeros(0)]
        n_scored = 0
        for block in blocks(windows, None if is_table else WINDOWS_PER_LINE):
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


@singledispatch
def fit_to_windows(
    detector: Any,
    split: Split,
    references: Sequences,
    windows: Sequences,
    was_held_out: NDArray[np.bool_],
    size: int,
) -> tuple[WindowJudge, NDArray[np.float64], NDArray[np.bool_]]:
    """Fit a detector, in place, to windows of long series.

    What is here is for detectors of tables, which learn from the windows of one epoch.

    Parameters
    ----------
    detector : estimator
        Unfitted.
    split : Split
        Windows to train on, and held-out ones.
    references : Sequences
        Windows of all rows, which say what is normal.
    windows : Sequences
        Windows to score, in the order of their rows.
    was_held_out : ndarray of shape (n_windows,), dtype bool
        Which of them are not trained on.
    size : int
        Time steps of a window.

    Returns
    -------
    judge : WindowJudge
    scores : ndarray of shape (n_windows,)
        Of the windows, by such as do not overlap with them, as fresh ones would have them.
    is_odd : ndarray of shape (n_references,), dtype bool
        Which references are so unlike the others that a threshold is not to rest on them.
    """
    n_windows = split.n_per_epoch or len(split.training)
    table = spread(split.training, n_windows)
    scores = np.empty(len(windows))
    for fold in np.array_split(np.arange(len(windows)), N_TABLE_FOLDS):
        if len(fold):
            apart = table.take(are_apart(table, windows.take(fold)))
            others = apart if len(apart) > len(table) // 2 else table
            judge = TableJudge(clone(detector).fit(flatten(others, size)), size)
            scores[fold] = judge.score(windows.take(fold))
    judge = TableJudge(detector.fit(flatten(table, size)), size)
    scores = as_fresh(scores, was_held_out, by_an_error_more=False)
    return judge, scores, find_odd(-judge.score(references))


def flatten(windows: Sequences, size: int) -> NDArray[Any]:
    """Make a row of each window, (n_windows, size * n_features); short ones repeat their first."""
    steps = np.maximum(np.arange(size) - (size - windows.lengths[:, np.newaxis]), 0)
    rows = windows.starts[:, np.newaxis] + steps
    return windows.values[rows].reshape(len(windows), size * windows.n_features)


def score_method(detector: Any) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Return a function that scores new data, higher for normal rows.

    PyOD's detectors, which once fitted have ``decision_scores_``, score the other way round.
    """
    last = detector[-1] if hasattr(detector, "steps") else detector  # of a pipeline
    if hasattr(last, "decision_scores_"):
        return lambda rows: -np.asarray(detector.decision_function(rows), dtype=np.float64)
    for name in "score_samples", "decision_function":
        if hasattr(detector, name):
            return getattr(detector, name)
    raise ValueError(
        f"detector is a {type(detector).__name__} without score_samples or decision_function for "
        "new data; choose one that has either, as LocalOutlierFactor with novelty=True."
    )
