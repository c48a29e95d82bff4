"""What judges sequences: a model, a scorer, and the threshold on its scores."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split
from skl_lstmae.scoring.calibration import Calibration, ReferenceScores
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.scoring.scorer import MAX_REFERENCES, Scorer, check_scores
from skl_lstmae.training.model import Model

MAX_SUMMARIES = 4096
"""Sequences whose summaries are held at a time in scoring, however many there are."""


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
    """

    model: Model
    scorer: Scorer
    calibration: Calibration | None = None
    offset: float | None = None
    lends_scores: ClassVar[bool] = True
    has_errors: ClassVar[bool] = True

    def score(self, sequences: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores of sequences, (n_sequences,); no bit depends on those beside it."""
        scores = np.empty(len(sequences))
        for start in range(0, len(sequences), MAX_SUMMARIES):
            block = np.arange(start, min(start + MAX_SUMMARIES, len(sequences)))
            scores[block] = self._judged(self.summarize(sequences.take(block)))
        return scores

    def latents_and_scores(
        self, sequences: Sequences
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the latents of sequences and the scores of each, by one pass of the network."""

        def examine(outcome: Outcome) -> NDArray[np.float64]:
            scores = self._judged(self.scorer.summarize(outcome))
            return np.column_stack([outcome.latents, scores])

        rows = self.model.summaries(sequences, examine)
        return rows[:, :-1].astype(np.float32), rows[:, -1]

    def errors(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return the loss of each cell, (total_timesteps, n_features)."""
        return self.model.errors(sequences)

    def explained_variance(self, sequences: Sequences) -> float:
        """Return the share of the variance that the model explains, a mean over the features."""
        return self.model.explained_variance(sequences)

    def summarize(self, sequences: Sequences) -> NDArray[Any]:
        """Return what the scorer needs of sequences, one row each."""
        return self.model.summaries(sequences, self.scorer.summarize)

    @property
    def sample_name(self) -> str:
        """What `samples` are."""
        return "sequence(s)"

    def samples(self, sequences: Sequences) -> Sequences:
        """Return what is learned from when sequences come later on: they themselves."""
        return sequences

    def learned(self, sequences: Sequences) -> Self:
        """Return the judge whose scorer has learned what is normal from sequences."""
        judge = replace(self, scorer=clone(self.scorer))
        judge.scorer.fit(judge.summarize(sequences))
        return judge

    def calibrated(self, split: Split, *, needs_fresh: bool) -> Self:
        """Return the judge with a scorer and a calibration learned from a split.

        If none are held out but fresh scores are needed, those of the training sequences stand for
        them.
        """
        judge = replace(self, scorer=clone(self.scorer))
        summaries = judge.summarize(split.sample(MAX_REFERENCES))
        scorer = judge.scorer
        scorer.fit(summaries)
        held_out = np.empty(0)
        if len(split.held_out):
            calibrated = scorer.calibrate(judge.summarize(split.held_out))
            held_out = check_scores(calibrated, len(split.held_out))
        learned = judge._judged(summaries)
        population = ReferenceScores.of(np.concatenate([learned, held_out]))
        fresh = population if needs_fresh else None
        if len(held_out):
            fresh = ReferenceScores.of(held_out)
        calibration = Calibration(population, fresh, learned=ReferenceScores.of(learned))
        return replace(judge, calibration=calibration)

    def resting_on(self, sequences: Sequences) -> Self:
        """Return the judge whose threshold rests on these sequences."""
        scores = ReferenceScores.of(self.score(sequences))
        return replace(self, calibration=(self.calibration or Calibration()).resting_on(scores))

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

    def _judged(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores of summaries, of which a threshold expects finite ones."""
        return check_scores(self.scorer.score(summaries), len(summaries))
