"""Scorers that compare with sequences that are held for normal."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.scoring.scorer import MAX_REFERENCES, Scorer


class ReferenceScorer(Scorer):
    """Judges sequences by references: at most 1024 of those that are held for normal.

    A scorer of your own inherits from this class, defines :meth:`learn_metric` and ``score``, and
    finds the summaries of the references in ``references_``.

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
    ...     hidden_size=16, tol=1e-2, scorer=NearestErrorScorer(), random_state=0
    ... ).fit(X)
    >>> detector.partial_fit(X + 0.1).score_samples(X).shape
    (40,)
    """

    @abstractmethod
    def learn_metric(self) -> None:
        """Learn from ``references_`` how to measure a distance."""

    def prepare(self) -> None:
        """Get ready to measure distances from ``references_``, which may have become more."""

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Keep at most 1024 sequences as references, and learn from them how to measure."""
        self.references_ = summaries[:MAX_REFERENCES].copy()
        self.learn_metric()
        self.prepare()
        return self

    def partial_fit(self, summaries: NDArray[Any]) -> Self:
        """Make references of more sequences, the latest 1024."""
        references = np.concatenate([self.references_, summaries])
        return self.fit(references[-MAX_REFERENCES:])

    def calibrate(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Make references of the held-out sequences too, if all fit, and score each by the others.

        This keeps split conformal prediction valid, unless sequences are exact copies of others.
        Had the fresh sequence also been a reference of the held-out ones, all would be
        exchangeable; that it is not can only lower their scores, and with them the offset.
        """
        references = np.concatenate([self.references_, summaries])
        if len(references) <= MAX_REFERENCES:
            self.references_ = references
            self.prepare()
        return self.score(summaries)
