"""Scorers that compare with sequences that are held for normal."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.scoring.scorer import MAX_REFERENCES, Scorer


class ReferenceScorer(Scorer):
    """Judges sequences by references: at most 1024 sequences that are assumed to be normal.

    A scorer of your own inherits from this class, and defines :meth:`learn_metric` and ``score``.
    ``references_`` holds the summaries of the references.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector
    >>> from skl_lstmae.scoring import ReferenceScorer
    >>> class NearestErrorScorer(ReferenceScorer):
    ...     def summarize(self, outcome):
    ...         return outcome.mean_error()[:, np.newaxis]
    ...
    ...     def learn_metric(self):
    ...         self.scale_ = self.references_.std()
    ...
    ...     def score(self, summaries):
    ...         distances = np.abs(summaries - self.references_.T) / self.scale_
    ...         return -np.sort(distances, axis=1)[:, 1]  # a reference is the nearest to itself
    >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
    >>> X = np.sin(phases + np.arange(30) / 3)
    >>> detector = LSTMAutoencoderDetector(
    ...     hidden_size=16, scorer=NearestErrorScorer(), max_epochs=9, random_state=0
    ... ).fit(X)
    >>> detector.partial_fit(X + 0.1).score_samples(X).shape
    (40,)
    """

    @abstractmethod
    def learn_metric(self) -> None:
        """Learn from ``references_`` how to measure a distance."""

    def prepare(self) -> None:
        """Get ready to measure distances from ``references_``, which may have grown."""

    own_scores_: NDArray[np.float64] | None = None

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Keep at most 1024 sequences as references, and learn from them how to measure."""
        self.references_ = summaries[:MAX_REFERENCES].copy()
        self.own_scores_ = None
        self.learn_metric()
        self.prepare()
        return self

    def partial_fit(self, summaries: NDArray[Any]) -> Self:
        """Add more sequences to the references, and keep the latest 1024."""
        references = np.concatenate([self.references_, summaries])
        return self.fit(references[-MAX_REFERENCES:])

    def remember(self, scores: NDArray[np.float64]) -> None:
        """Keep the scores that the references would have as fresh sequences, (n_references,)."""
        self.own_scores_ = scores

    def judged_as_fresh(
        self, scores: NDArray[np.float64], share: NDArray[np.float64], nearest: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the scores of sequences, some of which are references themselves.

        Parameters
        ----------
        scores : ndarray of shape (n_sequences,)
        share : ndarray of shape (n_sequences,)
            To what part each is a reference itself.
        nearest : ndarray of shape (n_sequences,)
            Which.
        """
        if self.own_scores_ is None:
            return scores
        return (1 - share) * scores + share * self.own_scores_[nearest]

    def distances_from_references(self, summaries: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return the distances, (n_sequences, n_references), in any unit; None if unknown.

        They show which training sequences are copies of others, and which are odd.
        """
        return None
