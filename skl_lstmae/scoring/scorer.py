"""From outcomes to the scores of sequences: what every scorer does, and the simplest ones."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from skl_lstmae.scoring.outcome import Outcome

# In scaled units: errors below a thousandth of a standard deviation are alike.
SMALLEST_ERROR = 1e-6

MAX_VALUES = 2**18
"""Values whose deviations from their mean are held at a time."""

EPSILON = np.finfo(np.float64).eps

MAX_REFERENCES = 1024
"""Sequences that a scorer remembers: later ones replace the first."""


def log_errors(outcome: Outcome) -> NDArray[np.float64]:
    """Return the logarithm of the mean error of each feature, (n_sequences, n_features).

    A feature that a sequence never observes has NaN.
    """
    return np.log(outcome.feature_errors() + SMALLEST_ERROR)


def latents_and_log_errors(outcome: Outcome) -> NDArray[np.float64]:
    """Join latent and log error of each feature, (n_sequences, latent_size + n_features)."""
    return np.hstack([outcome.latents, log_errors(outcome)])


def mean_and_scale(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each column's mean and standard deviation, 1 if it is constant, NaN if all missing.

    As of `sklearn.preprocessing.StandardScaler`, whose checks of its input take most of the time
    where a fit has hundreds of small ones.
    """
    # Some columns at a time, but never one alone, which numpy would add up in another order.
    n_blocks = min(-(-rows.size // MAX_VALUES), max(1, rows.shape[1] // 2))
    blocks = [_mean_and_scale(block) for block in np.array_split(rows, n_blocks or 1, axis=1)]
    mean, scale = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return mean, scale


def _mean_and_scale(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    is_observed = ~np.isnan(rows)
    n_observed = is_observed.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.where(is_observed, rows, 0.0).sum(axis=0) / n_observed
        deviations = np.where(is_observed, rows - mean, 0.0)
        rounded = deviations.sum(axis=0) ** 2 / n_observed  # of what would add up to 0 exactly
        variance = (np.square(deviations).sum(axis=0) - rounded) / n_observed
        lost = n_observed * EPSILON * variance + (n_observed * mean * EPSILON) ** 2
        scale = np.sqrt(np.where(variance <= lost, 1.0, variance))
    return mean, scale


class Scorer(BaseEstimator):
    """Judges sequences by what a network returns for them, in three steps.

    :meth:`summarize` turns each sequence into a row of numbers, batch by batch, so that memory
    stays bounded; it gets an :class:`Outcome`, whose numbers are NaN for a feature that a sequence
    never observes. :meth:`fit` learns from the rows of the training sequences, and
    :meth:`partial_fit` from more. :meth:`score` judges rows. A scorer of your own inherits from
    this class and overrides what it needs. Pass an object of it as ``scorer`` to a detector.

    A detector fits clones, about twenty of them: one learns from all rows, and each of the others
    from all but a part, which it then judges as if it were fresh.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector
    >>> from skl_lstmae.scoring import Scorer
    >>> class UsualErrorScorer(Scorer):
    ...     def summarize(self, outcome):
    ...         return outcome.feature_errors()
    ...
    ...     def fit(self, summaries):
    ...         self.usual_ = np.nanmedian(summaries, axis=0)
    ...         return self
    ...
    ...     def score(self, summaries):
    ...         return -np.nanmean(summaries / self.usual_, axis=1)
    >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
    >>> X = np.sin(phases + np.arange(30) / 3)
    >>> detector = LSTMAutoencoderDetector(
    ...     hidden_size=16, scorer=UsualErrorScorer(), random_state=0
    ... ).fit(X)
    >>> detector.score_samples(X).shape
    (40,)
    """

    _parameter_constraints: dict[str, list[Any]] = {}

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Return what a score needs of each sequence, one row for each.

        By default the latent and the logarithm of each feature's mean error, of shape
        (n_sequences, latent_size + n_features). The logarithm is NaN for a feature that a sequence
        never observes.
        """
        return latents_and_log_errors(outcome)

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Learn what is normal from the summaries of training sequences.

        These are all, or a sample of at most 16384, but for those that are set aside as odd. Of
        long series there are at most 1024 windows.
        """
        return self

    def suited_to(self, summaries: NDArray[Any]) -> "Scorer":
        """Return an unfitted scorer, to learn from summaries like these: all of them, or any part.

        What depends on how many they are, say, is decided here, so that all clones judge alike. By
        default it is the scorer itself.
        """
        return self

    def partial_fit(self, summaries: NDArray[Any]) -> Self:
        """Learn from the summaries of more sequences; earlier ones fade.

        A scorer that learns by :meth:`fit` needs a ``partial_fit`` of its own.
        """
        return self

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores, (n_sequences,), finite, higher for normal sequences."""
        raise NotImplementedError(f"{type(self).__name__} must define score.")


class ErrorScorer(Scorer):
    """Minus the mean error of a sequence."""

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Return the mean error."""
        return outcome.mean_error()[:, np.newaxis]

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores, at most 0."""
        return -summaries[:, 0]


class MaxErrorScorer(ErrorScorer):
    """Minus the error of a sequence's worst step."""

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Return the worst step's error."""
        return outcome.worst_step_error()[:, np.newaxis]


class FunctionScorer(Scorer):
    """Scores of a function ``(errors, latents) -> scores`` of the user's own.

    Parameters
    ----------
    function : callable
        Gets a list of ``(n_timesteps, n_features)`` arrays and ``(n_sequences, latent_size)``.
    """

    def __init__(self, function: Callable[[list[NDArray[np.float64]], NDArray[np.float32]], Any]):
        self.function = function

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Call the function on a batch of sequences."""
        return check_scores(self.function(outcome.split(), outcome.latents), len(outcome))[
            :, np.newaxis
        ]

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores."""
        return summaries[:, 0]


class AdaptedScorer(Scorer):
    """A scorer of the user's own that is no :class:`Scorer`: it has ``fit`` and ``score``.

    Parameters
    ----------
    scorer : object
        Its ``summarize`` and ``partial_fit`` are used if it has them.
    """

    def __init__(self, scorer: Any):
        self.scorer = scorer

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Return its summaries, or those that are usual."""
        summarize = getattr(self.scorer, "summarize", super().summarize)
        return summarize(outcome)

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Fit it."""
        self.scorer.fit(summaries)
        return self

    def partial_fit(self, summaries: NDArray[Any]) -> Self:
        """Fit it further."""
        self.scorer.partial_fit(summaries)
        return self

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return its scores."""
        return self.scorer.score(summaries)


def fit_clone(scorer: Scorer, summaries: NDArray[Any]) -> Scorer:
    """Return a clone that has learned from summaries, whatever its `fit` returns."""
    fresh = clone(scorer.suited_to(summaries))
    fresh.fit(summaries)
    return fresh


def check_scores(scores: Any, n_sequences: int) -> NDArray[np.float64]:
    """Refuse what is not a finite number a sequence."""
    array = np.asarray(scores, dtype=np.float64)
    if array.shape != (n_sequences,) or not np.isfinite(array).all():
        raise ValueError(
            f"The scorer must return {n_sequences} finite scores for {n_sequences} sequences, an "
            f"array of shape ({n_sequences},); it returned {array!r}."
        )
    return array
