"""From errors and latents to one score a sequence: higher is more normal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True, eq=False)
class Residuals:
    """What a network leaves unexplained of some sequences.

    Parameters
    ----------
    errors : ndarray of shape (total_timesteps, n_features)
        Loss of each cell in scaled units, float64, sequence after sequence; NaN where the input is
        missing.
    lengths : ndarray of shape (n_sequences,)
        Number of time steps of each sequence.
    latents : ndarray of shape (n_sequences, latent_size)
        Latent vector of each sequence.
    peaks : ndarray of shape (n_sequences, n_states)
        Maximum of each encoder output over a sequence's steps.
    """

    errors: NDArray[np.float64]
    lengths: NDArray[np.intp]
    latents: NDArray[np.float32]
    peaks: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.lengths)

    def split(self) -> list[NDArray[np.float64]]:
        """Return each sequence's errors, (n_timesteps, n_features)."""
        return np.split(self.errors, self._starts[1:])

    def mean_error(self) -> NDArray[np.float64]:
        """Return the mean over each sequence's observed cells, (n_sequences,)."""
        return self.feature_shares().sum(axis=1)

    def feature_shares(self) -> NDArray[np.float64]:
        """Split the mean error over the features, (n_sequences, n_features)."""
        return self._total(self.errors) / self._n_observed()[:, np.newaxis]

    def timestep_shares(self) -> NDArray[np.float64]:
        """Split the mean error over the time steps, (total_timesteps,)."""
        return np.nansum(self.errors, axis=1) / np.repeat(self._n_observed(), self.lengths)

    def feature_errors(self) -> NDArray[np.float64]:
        """Return the mean over each feature's observed steps or NaN, (n_sequences, n_features)."""
        n_observed = self._total(~np.isnan(self.errors))
        with np.errstate(invalid="ignore"):
            return self._total(self.errors) / n_observed

    def worst_step_error(self) -> NDArray[np.float64]:
        """Return the mean over the observed features of the worst step, (n_sequences,)."""
        n_observed = (~np.isnan(self.errors)).sum(axis=1)
        step_errors = np.nansum(self.errors, axis=1) / np.maximum(n_observed, 1)
        return np.maximum.reduceat(step_errors, self._starts)

    @property
    def _starts(self) -> NDArray[np.intp]:
        return np.cumsum(self.lengths) - self.lengths

    def _n_observed(self) -> NDArray[np.float64]:
        return self._total(~np.isnan(self.errors)).sum(axis=1)

    def _total(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        # reduceat adds up each sequence by itself; a padded sum's order depends on the padding.
        return np.add.reduceat(np.nan_to_num(cells), self._starts, axis=0, dtype=np.float64)


class ErrorScorer:
    """Minus the mean error of a sequence.

    Every scorer works in three steps: `summarize` makes a row of numbers of a sequence, batch by
    batch; `fit` learns from the training sequences' rows; `score` judges rows. In between,
    `calibrate` scores the held-out sequences, from which it may learn too.
    """

    def summarize(self, residuals: Residuals) -> NDArray[np.float64]:
        """Return what a score needs of each sequence, (n_sequences, n_summaries)."""
        return residuals.mean_error()[:, np.newaxis]

    def fit(self, summaries: NDArray[np.float64]) -> Self:
        """Learn what is normal from the training sequences' summaries."""
        return self

    def calibrate(self, summaries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores of held-out normal sequences as fresh ones would have them."""
        return self.score(summaries)

    def score(self, summaries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores, (n_sequences,)."""
        return -summaries[:, 0]


class MaxErrorScorer(ErrorScorer):
    """Minus the error of a sequence's worst step."""

    def summarize(self, residuals: Residuals) -> NDArray[np.float64]:
        """Return the worst step's error."""
        return residuals.worst_step_error()[:, np.newaxis]


class MahalanobisScorer(ErrorScorer):
    """Minus the Mahalanobis distance of (latent, log error of each feature) from the training mean.

    A sequence is anomalous if its latent is, if it is reconstructed unusually badly, or unusually
    *well*. Each component is standardised and the covariance shrunk [1]_; a feature that a sequence
    never observes counts as average.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88, 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.
    """

    # In scaled units: errors below a thousandth of a standard deviation are alike.
    SMALLEST_ERROR = 1e-6

    def summarize(self, residuals: Residuals) -> NDArray[np.float64]:
        """Return latent and log errors, (n_sequences, latent_size + n_features)."""
        log_errors = np.log(residuals.feature_errors() + self.SMALLEST_ERROR)
        return np.hstack([residuals.latents, log_errors])

    def fit(self, summaries: NDArray[np.float64]) -> Self:
        """Learn mean and covariance."""
        self.standardizer_ = StandardScaler().fit(summaries)
        self.covariance_ = LedoitWolf().fit(self._standardize(summaries))
        return self

    def score(self, summaries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores, at most 0."""
        return -np.sqrt(self.covariance_.mahalanobis(self._standardize(summaries)))

    def _standardize(self, summaries: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.nan_to_num(self.standardizer_.transform(summaries))


class NeighborsScorer(MahalanobisScorer):
    """Minus the mean distance from the three nearest other training sequences [1]_.

    Distances are between (latent, log error of each feature, peak of each encoder output), each
    component standardised. Unlike a mean and covariance, neighbours describe training sequences
    that fall into groups; unlike an average over the steps, a peak keeps what is brief.

    One reference at distance 0 is taken for the sequence itself and left out, so that a training
    sequence is judged by the others.

    References
    ----------
    .. [1] F. Angiulli, C. Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD 2002,
       :doi:`10.1007/3-540-45681-3_2`.
    """

    N_NEIGHBORS = 3
    MAX_REFERENCES = 1024

    def summarize(self, residuals: Residuals) -> NDArray[np.float64]:
        """Return latent, log errors and peaks, (n_sequences, n_summaries)."""
        return np.hstack([super().summarize(residuals), residuals.peaks])

    def fit(self, summaries: NDArray[np.float64]) -> Self:
        """Keep at most 1024 sequences as references."""
        self.standardizer_ = StandardScaler().fit(summaries)
        self.references_ = self._standardize(summaries[: self.MAX_REFERENCES])
        return self

    def calibrate(self, summaries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Make references of the held-out sequences too, if all fit, and score each by the others.

        This keeps split conformal prediction valid. Had the fresh sequence also been a reference of
        the held-out ones, all would be exchangeable; that it is not can only lower their scores,
        and with them the offset.
        """
        references = np.vstack([self.references_, self._standardize(summaries)])
        if len(references) <= self.MAX_REFERENCES:
            self.references_ = references
        return self.score(summaries)

    def score(self, summaries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores, at most 0."""
        # This metric, with all variances 1, measures each pair by itself. The plain Euclidean one
        # multiplies matrices, and the last bits of a product depend on the number of its rows.
        nearest = NearestNeighbors(
            n_neighbors=min(self.N_NEIGHBORS + 1, len(self.references_)),
            algorithm="brute",
            metric="seuclidean",
            metric_params={"V": np.ones(self.references_.shape[1])},
        ).fit(self.references_)
        distances, _ = nearest.kneighbors(self._standardize(summaries))
        is_reference = distances[:, :1] == 0
        others = np.where(is_reference, distances[:, 1:], distances[:, :-1])
        return -others.mean(axis=1)


class CallableScorer(ErrorScorer):
    """Scores of a function ``(errors, latents) -> scores`` of the user's own."""

    def __init__(self, function: Callable[[list[NDArray[np.float64]], NDArray[np.float32]], Any]):
        self.function = function

    def summarize(self, residuals: Residuals) -> NDArray[np.float64]:
        """Call the function on a batch of sequences."""
        scores = np.asarray(self.function(residuals.split(), residuals.latents), dtype=np.float64)
        if scores.shape != (len(residuals),) or not np.isfinite(scores).all():
            n = len(residuals)
            raise ValueError(
                f"The scorer must return {n} finite scores for {n} sequences, an array of shape "
                f"({n},); it returned {scores!r}."
            )
        return -scores[:, np.newaxis]


SCORERS: dict[str, type[ErrorScorer]] = {
    "error": ErrorScorer,
    "error_max": MaxErrorScorer,
    "mahalanobis": MahalanobisScorer,
    "neighbors": NeighborsScorer,
}


def make_scorer(scorer: str | Callable[..., Any]) -> ErrorScorer:
    """Return the unfitted scorer of a name or of a function of the user's own."""
    return SCORERS[scorer]() if isinstance(scorer, str) else CallableScorer(scorer)
