"""From errors and latents to one score a sequence: higher is more normal."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import sklearn  # whose modules are imported when they are first used
from numpy.typing import NDArray
from scipy.linalg import eigh, pinvh
from scipy.spatial.distance import cdist


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
    targets : ndarray of shape (total_timesteps, n_features)
        What was to be predicted, in scaled units; NaN where the input is missing.
    predictions : ndarray of shape (total_timesteps, n_features)
        What was predicted.
    """

    errors: NDArray[np.float64]
    lengths: NDArray[np.intp]
    latents: NDArray[np.float32]
    peaks: NDArray[np.float32]
    targets: NDArray[np.float32]
    predictions: NDArray[np.float32]

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
        return self._total(self.errors, self._starts) / self._n_observed()[:, np.newaxis]

    def timestep_shares(self) -> NDArray[np.float64]:
        """Split the mean error over the time steps, (total_timesteps,)."""
        return np.nansum(self.errors, axis=1) / np.repeat(self._n_observed(), self.lengths)

    def feature_errors(self) -> NDArray[np.float64]:
        """Return the mean over each feature's observed steps or NaN, (n_sequences, n_features)."""
        return self._mean(self.errors, self._starts)

    def biases(self) -> NDArray[np.float64]:
        """Return by how much each feature's prediction is too low, (n_sequences, n_features)."""
        return self._mean(self.targets - self.predictions, self._starts)

    def outlines(self, cells: NDArray[Any], n_parts: int) -> NDArray[np.float64]:
        """Return means of cells over so many parts of time, (n_sequences, parts x features).

        Of a sequence with fewer steps than parts, some steps are several.
        """
        edges = self.lengths[:, np.newaxis] * np.arange(n_parts) // n_parts
        means = self._mean(cells, (self._starts[:, np.newaxis] + edges).ravel())
        return means.reshape(len(self), -1)

    def worst_step_error(self) -> NDArray[np.float64]:
        """Return the mean over the observed features of the worst step, (n_sequences,)."""
        n_observed = self._observed.sum(axis=1)
        step_errors = np.nansum(self.errors, axis=1) / np.maximum(n_observed, 1)
        return np.maximum.reduceat(step_errors, self._starts)

    @cached_property
    def _starts(self) -> NDArray[np.intp]:
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def _observed(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.errors)

    def _n_observed(self) -> NDArray[np.float64]:
        # A window that falls into a gap of its series has no error rather than an undefined one.
        return np.maximum(_add_up(self._observed, self._starts).sum(axis=1), 1)

    def _mean(self, cells: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            return self._total(cells, starts) / _add_up(self._observed, starts)

    def _total(self, cells: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
        return _add_up(np.where(self._observed, cells, 0), starts)


def _add_up(cells: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    # reduceat adds up each sequence by itself; a padded sum's order depends on the padding.
    return np.add.reduceat(cells, starts, axis=0, dtype=np.float64)


class ErrorScorer:
    """Minus the mean error of a sequence.

    Every scorer works in three steps: `summarize` makes a row of numbers of a sequence, batch by
    batch; `fit` learns from the training sequences' rows, `partial_fit` from more of them; `score`
    judges rows. In between, `calibrate` scores the held-out sequences, from which it may learn too.
    """

    def summarize(self, residuals: Residuals) -> NDArray[Any]:
        """Return what a score needs of each sequence, (n_sequences, n_summaries)."""
        return residuals.mean_error()[:, np.newaxis]

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Learn what is normal from the training sequences' summaries."""
        return self

    def partial_fit(self, summaries: NDArray[Any]) -> Self:
        """Learn from the summaries of more sequences; earlier ones fade."""
        return self

    def calibrate(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores of held-out normal sequences as fresh ones would have them."""
        return self.score(summaries)

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores, (n_sequences,)."""
        return -summaries[:, 0]


class MaxErrorScorer(ErrorScorer):
    """Minus the error of a sequence's worst step."""

    def summarize(self, residuals: Residuals) -> NDArray[Any]:
        """Return the worst step's error."""
        return residuals.worst_step_error()[:, np.newaxis]


# In scaled units: errors below a thousandth of a standard deviation are alike.
SMALLEST_ERROR = 1e-6

# In standard deviations: distances that are smaller are alike.
SMALLEST_DISTANCE = 1e-3

SMALLEST_VARIANCE = 1e-12

MAX_REFERENCES = 1024
"""Sequences that a scorer remembers: later ones replace the first."""


def latents_and_log_errors(residuals: Residuals) -> NDArray[np.float64]:
    """Join latent and log error of each feature, (n_sequences, latent_size + n_features).

    A feature that a sequence never observes has NaN.
    """
    return np.hstack([residuals.latents, np.log(residuals.feature_errors() + SMALLEST_ERROR)])


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
    .. [2] T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for
       computing sample variances", COMPSTAT 1982.
    """

    def summarize(self, residuals: Residuals) -> NDArray[Any]:
        """Return latent and log errors, (n_sequences, latent_size + n_features)."""
        return latents_and_log_errors(residuals)

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Learn mean and covariance."""
        standardizer = sklearn.preprocessing.StandardScaler().fit(summaries)
        self.mean_ = standardizer.mean_
        self.covariance_ = sklearn.covariance.empirical_covariance(
            self._center(summaries), assume_centered=True
        )
        self.shrinkage_ = sklearn.covariance.ledoit_wolf_shrinkage(self._standardize(summaries))
        self.n_sequences_ = min(len(summaries), MAX_REFERENCES)
        self.precision_ = self._invert()
        return self

    def partial_fit(self, summaries: NDArray[Any]) -> Self:
        """Take in more sequences [2]_; earlier ones weigh as much as at most 1024."""
        n, n_new = self.n_sequences_, len(summaries)
        deviations = self._center(summaries)
        shift = deviations.mean(axis=0)
        scatter = (deviations - shift).T @ (deviations - shift)
        self.covariance_ = (n * self.covariance_ + scatter) / (n + n_new) + (
            n * n_new / (n + n_new) ** 2
        ) * np.outer(shift, shift)
        self.mean_ = self.mean_ + shift * n_new / (n + n_new)
        self.n_sequences_ = min(n + n_new, MAX_REFERENCES)
        self.shrinkage_ *= min(1.0, n / self.n_sequences_)  # Ledoit and Wolf's falls as 1 / n
        self.precision_ = self._invert()
        return self

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores, at most 0."""
        rows = self._standardize(summaries)[:, np.newaxis]
        # One product a row, so that no bit depends on the number of rows.
        return -np.sqrt(rows @ self.precision_ @ rows.swapaxes(1, 2))[:, 0, 0]

    def _invert(self) -> NDArray[np.float64]:
        scale = self._scale()
        correlation = self.covariance_ / np.outer(scale, scale)
        return pinvh(
            sklearn.covariance.shrunk_covariance(correlation, self.shrinkage_), check_finite=False
        )

    def _scale(self) -> NDArray[np.float64]:
        deviations = np.sqrt(np.diag(self.covariance_))
        return np.where(deviations > 0, deviations, 1.0)

    def _center(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return np.nan_to_num(summaries - self.mean_)

    def _standardize(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return self._center(summaries) / self._scale()


# In standard deviations: on another machine the same sequence differs in its last bits.
SAME = 1e-4


def distances_to_others(
    rows: NDArray[np.float64], references: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """Return the distances to the nearest `n` references, (n_rows, n), lowest first.

    One reference at next to no distance is taken for the row itself and left out.
    """
    # Unlike scikit-learn's, scipy's distances are measured pair by pair. A product of matrices has
    # last bits that depend on the number of its rows.
    distances = cdist(rows, references)
    nearest = distances.argmin(axis=1)
    is_itself = distances[np.arange(len(rows)), nearest] < SAME
    distances[is_itself, nearest[is_itself]] = np.inf
    n_others = min(n, len(references) - 1)
    return np.sort(np.partition(distances, n_others - 1)[:, :n_others])


ROUNDING = 1e-10
"""Bound of the relative error of a squared distance that is worked out by a product of matrices."""


class NearestOther:
    """Finds the nearest reference, as `distances_to_others` does, but several times as fast.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_dimensions)
        Points.
    """

    def __init__(self, references: NDArray[np.float64]):
        self.references = references
        self.squares = np.square(references).sum(axis=1)
        self.factors = -2 * references.T

    def distances(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distances of rows, (n_rows,); a reference that is the row is left out."""
        # Without the row's own square, which changes no order. How a product of matrices rounds
        # depends on the number of its rows: what it might make the nearest is measured anew.
        squared = rows @ self.factors
        squared += self.squares
        error = ROUNDING * (np.square(rows).sum(axis=1) + self.squares.max())
        row, reference = np.nonzero(squared <= (squared.min(axis=1) + error)[:, np.newaxis])
        distances = np.linalg.norm(rows[row] - self.references[reference], axis=1)
        nearest = np.minimum.reduceat(distances, np.searchsorted(row, np.arange(len(rows))))
        is_itself = nearest < SAME
        nearest[is_itself] = distances_to_others(rows[is_itself], self.references, 1)[:, 0]
        return nearest


class NeighborsScorer(ErrorScorer):
    """Minus the mean distance from the three nearest other training sequences [1]_.

    Distances are between (latent, log error of each feature, peak of each encoder output), each
    component standardised; a feature that a sequence never observes counts as average. Unlike a
    mean and covariance, neighbours describe training sequences that fall into groups; unlike an
    average over the steps, a peak keeps what is brief.

    One reference at next to no distance is taken for the sequence itself and left out, so that a
    training sequence is judged by the others.

    References
    ----------
    .. [1] F. Angiulli, C. Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD 2002,
       :doi:`10.1007/3-540-45681-3_2`.
    """

    N_NEIGHBORS = 3

    def summarize(self, residuals: Residuals) -> NDArray[Any]:
        """Return latent, log errors and peaks, (n_sequences, n_summaries)."""
        return np.hstack([latents_and_log_errors(residuals), residuals.peaks])

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Keep at most 1024 sequences as references."""
        standardizer = sklearn.preprocessing.StandardScaler().fit(summaries)
        self.mean_, self.scale_ = standardizer.mean_, standardizer.scale_
        self.references_ = summaries[:MAX_REFERENCES].copy()
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
        return self.score(summaries)

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores, at most 0."""
        rows, references = self._standardize(summaries), self._standardize(self.references_)
        return -distances_to_others(rows, references, self.N_NEIGHBORS).mean(axis=1)

    def _standardize(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return np.nan_to_num((summaries - self.mean_) / self.scale_)


class View:
    """The distance to the nearest reference in some parts of the summaries.

    Parameters
    ----------
    parts : tuple of str
        Names of the parts.
    is_whitened : bool, default=False
        Whether distances are Mahalanobis's, by the references' covariance, shrunk as in
        :class:`MahalanobisScorer`, rather than in standard deviations.
    """

    def __init__(self, *parts: str, is_whitened: bool = False):
        self.parts = parts
        self.is_whitened = is_whitened

    def fit(self, references: NDArray[Any]) -> Self:
        """Learn the metric."""
        rows = self._join(references)
        standardizer = sklearn.preprocessing.StandardScaler().fit(rows)
        self.mean_, self.scale_ = standardizer.mean_, standardizer.scale_
        self.axes_ = None
        if self.is_whitened:
            covariance, _ = sklearn.covariance.ledoit_wolf(
                self._transform(rows), assume_centered=True
            )
            variances, axes = eigh(covariance)
            self.axes_ = axes / np.sqrt(np.maximum(variances, SMALLEST_VARIANCE))
        return self

    def transform(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return points between which the metric is Euclidean, (n_sequences, n_dimensions)."""
        return self._transform(self._join(summaries))

    def _transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = (rows - self.mean_) / self.scale_
        rows = np.where(np.isnan(rows), 0.0, rows)
        if self.axes_ is None:
            return rows
        # One product a row, so that no bit depends on the number of rows.
        return np.matmul(rows[:, np.newaxis], self.axes_)[:, 0]

    def _join(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return np.hstack([summaries[part] for part in self.parts]).astype(np.float64)


class JointScorer(NeighborsScorer):
    """Minus the geometric mean of five distances from the training sequences.

    They are

    - the Mahalanobis distance of the logarithms of each feature's mean error;
    - the distance to the nearest other training sequence in (latent, log error, bias), where the
      bias is the mean of a feature's signed error, by the Mahalanobis metric;
    - the same in (latent, log error, peak of each encoder output), each component standardised;
    - the same in the outline of the sequence itself: each feature's mean over eight parts of time;
    - the same in the outline of its errors, by the logarithm.

    What is unusual in one of them is an anomaly of another kind: of the noise, the level, the form,
    the values, or the noise of a part of time. A product joins distances whatever their units [1]_.

    References
    ----------
    .. [1] G. E. Hinton, "Training products of experts by minimizing contrastive divergence",
       Neural Computation 14, 2002, :doi:`10.1162/089976602760128018`.
    """

    N_PARTS = 8

    VIEWS = (
        View("latent", "log_error", "bias", is_whitened=True),
        View("latent", "log_error", "peak"),
        View("outline"),
        View("error_outline"),
    )

    def summarize(self, residuals: Residuals) -> NDArray[Any]:
        """Return a record of float32 parts for each sequence, (n_sequences,)."""
        error_outlines = residuals.outlines(residuals.errors, self.N_PARTS)
        parts = {
            "latent": residuals.latents,
            "log_error": np.log(residuals.feature_errors() + SMALLEST_ERROR),
            "bias": residuals.biases(),
            "peak": residuals.peaks,
            "outline": residuals.outlines(residuals.targets, self.N_PARTS),
            "error_outline": np.log(error_outlines + SMALLEST_ERROR),
        }
        layout = [(name, np.float32, part.shape[1:]) for name, part in parts.items()]
        summaries = np.empty(len(residuals), dtype=layout)
        for name, part in parts.items():
            summaries[name] = part
        return summaries

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Keep at most 1024 sequences as references, and learn metrics from them."""
        self.references_ = summaries[:MAX_REFERENCES].copy()
        self.errors_ = MahalanobisScorer().fit(self.references_["log_error"].astype(np.float64))
        self.views_ = [deepcopy(view).fit(self.references_) for view in self.VIEWS]
        return self

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores."""
        log_errors = summaries["log_error"].astype(np.float64)
        distances = [-self.errors_.score(log_errors) / np.sqrt(log_errors.shape[1])]
        for view, others in zip(self.views_, self._transformed_references(), strict=True):
            points = view.transform(summaries)
            distances.append(others.distances(points) / np.sqrt(points.shape[1]))
        return -np.exp(np.mean(np.log(np.add(distances, SMALLEST_DISTANCE)), axis=0))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be computed anew."""
        return {name: value for name, value in vars(self).items() if name != "_transformed"}

    def _transformed_references(self) -> list[NearestOther]:
        """Return the references as each view sees them, computed once for a stream of calls."""
        references, transformed = getattr(self, "_transformed", (None, []))
        if references is not self.references_:
            transformed = [NearestOther(view.transform(self.references_)) for view in self.views_]
            self._transformed = self.references_, transformed
        return transformed


class CallableScorer(ErrorScorer):
    """Scores of a function ``(errors, latents) -> scores`` of the user's own."""

    def __init__(self, function: Callable[[list[NDArray[np.float64]], NDArray[np.float32]], Any]):
        self.function = function

    def summarize(self, residuals: Residuals) -> NDArray[Any]:
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
    "joint": JointScorer,
}


def make_scorer(scorer: str | Callable[..., Any]) -> ErrorScorer:
    """Return the unfitted scorer of a name or of a function of the user's own."""
    return SCORERS[scorer]() if isinstance(scorer, str) else CallableScorer(scorer)
