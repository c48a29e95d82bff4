"""What judges sequences: a model, a scorer, and the threshold on its scores."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, ClassVar, Self, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split
from skl_lstmae.data.windows import are_apart
from skl_lstmae.detectors.gap_trial import GapTrial
from skl_lstmae.scoring.calibration import MAX_LATEST, Calibration, ReferenceScores
from skl_lstmae.scoring.conformal import N_FOLDS, as_fresh, conform, find_odd, oddness
from skl_lstmae.scoring.gap_allowance import GapAllowance
from skl_lstmae.scoring.nearest import searching_on
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.scoring.scorer import Scorer, check_scores, fit_clone, log_errors
from skl_lstmae.scoring.usual_errors import UsualErrors
from skl_lstmae.training.devices import exact
from skl_lstmae.training.model import Model
from skl_lstmae.training.threads import few_threads, is_large

MIN_OTHERS = 3
"""References that are needed to judge windows by: a covariance is learned from two."""

MIN_FOR_DRIFT = 100
"""Sequences from which drift may be told: of fewer all may well be anomalies."""

MAX_SUMMARIES = 4096
"""Sequences whose summaries are held at a time in scoring, however many there are."""

Method = TypeVar("Method", bound=Callable[..., Any])


def _searching(method: Method) -> Method:
    """Decorate a method so that nearest references are looked for where the network runs."""

    @wraps(method)
    def run(judge: Judge, *args: Any, **kwargs: Any) -> Any:
        with searching_on(place_of_search(judge.model.device)):
            return method(judge, *args, **kwargs)

    return cast(Method, run)


def place_of_search(device: torch.device) -> torch.device | None:
    """Return where nearest references are looked for: on a GPU with float64, or None for numpy."""
    return device if device.type != "cpu" and exact(device) is torch.float64 else None


@dataclass(frozen=True, eq=False)
class Judge:
    """A trained model and a scorer that knows what it makes of normal sequences; a threshold.

    Nothing of it is ever changed: what learns returns a new one.

    Parameters
    ----------
    model : Model
        Trained.
    scorer : Scorer
        Fitted.
    calibration : Calibration, default=None
        The scores that the threshold rests on; None if another estimator holds the threshold.
    offset : float, default=None
        The threshold.
    set_aside : ndarray of shape (n_odd,)
        Numbers of the training sequences that are so unlike the others that neither what is normal
        nor the threshold rests on them.
    usual : UsualErrors, default=None
        Of normal windows; None if sequences are judged.
    seen : ndarray of shape (n_latest,), default=None
        Scores that the latest 1024 sequences had when they came, odd ones included; None if none
        has come since the threshold was set.
    """

    model: Model
    scorer: Scorer
    calibration: Calibration | None = None
    offset: float | None = None
    set_aside: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    usual: UsualErrors | None = None
    seen: NDArray[np.float64] | None = None
    rounds_by_block: ClassVar[bool] = False

    def score(self, sequences: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores of sequences, (n_sequences,); no bit depends on those beside it."""
        scores = np.empty(len(sequences))
        with few_threads(is_large(self.model.network)):
            for start in range(0, len(sequences), MAX_SUMMARIES):
                block = np.arange(start, min(start + MAX_SUMMARIES, len(sequences)))
                scores[block] = self._judged(self.summarize(sequences.take(block)))
        return scores

    def with_offset(self, offset: float) -> Self:
        """Return the judge with another threshold."""
        return replace(self, offset=offset)

    def may_tell_drift(self, sequences: Sequences) -> bool:
        """Return whether these are so many that most are hardly anomalies."""
        return len(sequences) >= MIN_FOR_DRIFT

    def latents_and_scores(
        self, sequences: Sequences
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the latents of sequences and the scores of each, by one pass of the network."""

        def examine(outcome: Outcome) -> NDArray[np.float64]:
            scores = self._judged(self.scorer.summarize(outcome))
            return np.column_stack([outcome.latents, scores])

        (rows,) = self.model.summaries(sequences, examine)
        return rows[:, :-1].astype(np.float32), rows[:, -1]

    def errors(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return the loss of each cell, (total_timesteps, n_features)."""
        return self.model.errors(sequences)

    def explained_variance(self, sequences: Sequences) -> float:
        """Return the share of the variance that the model explains, a mean over the features."""
        return self.model.explained_variance(sequences)

    def summarize(self, sequences: Sequences) -> NDArray[Any]:
        """Return what the scorer needs of sequences, one row each."""
        (summaries,) = self.model.summaries(sequences, self.scorer.summarize)
        return summaries

    @property
    def sample_name(self) -> str:
        """What `samples` are."""
        return "sequence(s)"

    def samples(self, sequences: Sequences) -> Sequences:
        """Return what is learned from when sequences come later on: they themselves."""
        return sequences

    @_searching
    def learned(self, sequences: Sequences) -> Self:
        """Return the judge whose scorer has learned what is normal from sequences."""
        return replace(self, scorer=fit_clone(self.scorer, self.summarize(sequences)))

    @_searching
    def calibrated(self, split: Split) -> Self:
        """Return the judge with a scorer and a calibration learned from a split."""
        sequences, is_held_out, numbers = split.calibrating()
        summaries = self.summarize(sequences)
        conformed = conform(self.scorer, summaries, is_held_out)
        fresh = ReferenceScores.of(conformed.fresh)
        population = ReferenceScores.of(conformed.scorer.score(summaries))
        odd = np.flatnonzero(conformed.is_odd)
        return replace(
            self,
            scorer=conformed.scorer,
            calibration=Calibration(population, fresh, learned=fresh),
            set_aside=np.sort(odd if numbers is None else numbers[odd]),
        )

    @_searching
    def conformed(
        self,
        references: Sequences,
        windows: Sequences,
        was_held_out: NDArray[np.bool_],
        n_empty: NDArray[np.intp],
    ) -> tuple[Self, NDArray[np.float64], NDArray[np.bool_], GapAllowance | None]:
        """Return the judge that refers to some windows of series, and what others are worth.

        Parameters
        ----------
        references : Sequences
            Windows that say what is normal.
        windows : Sequences
            Windows of the same series.
        was_held_out : ndarray of shape (n_windows,), dtype bool
            Which of them were not learned from.
        n_empty : ndarray of shape (n_windows,)
            How many steps of each have no data.

        Returns
        -------
        judge : Judge
            Refers to those references that are not odd.
        scores : ndarray of shape (n_windows,)
            That the windows would have as fresh ones.
        is_odd : ndarray of shape (n_references,), dtype bool
            Which references were set aside.
        allowance : GapAllowance or None
            Of windows with steps without data.
        """
        summaries, errors = self.model.summaries(references, self.scorer.summarize, log_errors)
        scorer = fit_clone(self.scorer, summaries)
        is_odd = find_odd(oddness(scorer, summaries))
        if is_odd.any():
            scorer = fit_clone(self.scorer, summaries[~is_odd])
        judge = replace(self, scorer=scorer, usual=UsualErrors.of(errors[~is_odd]))
        scores, allowance = judge._cross_scores(windows, n_empty, references, summaries, is_odd)
        # Of a window or two the error is so large that it would silence alarms; an offset that
        # follows the scores makes good what they do not tell.
        fresh = as_fresh(scores, was_held_out, by_an_error_more=False)
        if allowance is not None:
            fresh = allowance.raised(fresh, n_empty)
        return judge, fresh, is_odd, allowance

    def _cross_scores(
        self,
        windows: Sequences,
        n_empty: NDArray[np.intp],
        references: Sequences,
        summaries: NDArray[Any],
        is_odd: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], GapAllowance | None]:
        """Return the scores of windows as fresh ones, and what steps without data cost such.

        They are those by the normal references that none of their part of the series overlaps.
        References are in the order of their rows. What is known of them is not worked out again.
        """
        scores, trial = np.empty(len(windows)), GapTrial(windows, n_empty)
        starts, number = np.unique(windows.starts, return_inverse=True)
        place = np.searchsorted(references.starts, windows.starts).clip(max=len(references) - 1)
        is_known = references.starts[place] == windows.starts
        is_known &= references.lengths[place] == windows.lengths
        for part in range(N_FOLDS):
            is_judged = number * N_FOLDS // len(starts) == part
            if not is_judged.any():
                continue
            others = summaries[are_apart(references, windows.take(is_judged)) & ~is_odd]
            judge = self
            if len(others) >= MIN_OTHERS:
                judge = replace(self, scorer=fit_clone(self.scorer, others))
            known, new = is_judged & is_known, is_judged & ~is_known
            if known.any():
                scores[known] = judge._judged(summaries[place[known]])
            scores[new] = judge.score(windows.take(new))
            trial.try_some(judge, np.flatnonzero(is_judged), scores)
        return scores, trial.allowance(by_factors=bool(scores.max() <= 0))

    def sorted_out(self, sequences: Sequences) -> tuple[Self, NDArray[np.bool_]]:
        """Return the judge that has seen more sequences, and which of them are odd.

        They lie apart from most of the latest, by their scores; where many do, none is odd, as they
        are another kind of normal.
        """
        if self.calibration is None or self.calibration.fresh is None:
            return self, np.zeros(len(sequences), dtype=bool)
        known = self.calibration.fresh.latest if self.seen is None else self.seen
        seen = np.concatenate([known, self.score(sequences)])
        return replace(self, seen=seen[-MAX_LATEST:]), find_odd(-seen)[-len(sequences) :]

    def resting_on(self, sequences: Sequences) -> Self:
        """Return the judge whose threshold rests on these sequences."""
        scores = ReferenceScores.of(self.score(sequences))
        calibration = (self.calibration or Calibration()).resting_on(scores)
        return replace(self, calibration=calibration, seen=None)

    @_searching
    def gone_on(self, model: Model, sequences: Sequences) -> Self:
        """Return the judge by a model that has gone on to learn from sequences, as its scorer does.

        For a threshold they count by the scores that they had before.
        """
        scorer = deepcopy(self.scorer)
        judge = replace(self, model=model, scorer=scorer)
        summaries = judge.summarize(sequences)
        scorer.partial_fit(summaries)
        learned = judge._judged(summaries)
        if self.calibration is None:
            return judge
        return replace(judge, calibration=self.calibration.updated(self.score(sequences), learned))

    @_searching
    def _judged(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores of summaries, of which a threshold expects finite ones."""
        return check_scores(self.scorer.score(summaries), len(summaries))
