"""Several distances of a sequence from the training sequences, joined in one score."""

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.base import BaseEstimator, clone

from skl_lstmae.scoring.covariance import covariance_of, shrinkage_of, shrunk
from skl_lstmae.scoring.mahalanobis import MahalanobisScorer
from skl_lstmae.scoring.nearest import MAX_ROWS, Nearest, distances_between
from skl_lstmae.scoring.neighbors import mean_distance_of_others, share_of_itself
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.scoring.references import ReferenceScorer
from skl_lstmae.scoring.scorer import (
    MAX_REFERENCES,
    SMALLEST_ERROR,
    Scorer,
    log_errors,
    mean_and_scale,
)

# In standard deviations: distances that are smaller are alike.
SMALLEST_DISTANCE = 1e-3

SMALLEST_VARIANCE = 1e-12

MAX_BYTES = 2**22
"""Bytes of summaries whose distances are measured at a time, which takes some ten times as many."""


class Distance(Protocol):
    """A distance of sequences from references, by some fields of their summaries."""

    def fit(self, references: NDArray[Any]) -> Self:
        """Learn how to measure."""
        ...

    def refer_to(self, references: NDArray[Any]) -> None:
        """Measure from these references from now on, in the same way."""
        ...

    def measure(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return a distance a sequence, (n_sequences,), in units of one dimension."""
        ...


class DistanceFromMean(BaseEstimator):
    """The Mahalanobis distance from the mean of the references, in one field.

    Parameters
    ----------
    field : str
        Name of the field.

    Examples
    --------
    >>> from skl_lstmae.scoring import DistanceFromMean, JointScorer
    >>> JointScorer((DistanceFromMean("log_error"),))
    JointScorer(distances=(DistanceFromMean(field='log_error'),))
    """

    def __init__(self, field: str):
        self.field = field

    def fit(self, references: NDArray[Any]) -> Self:
        """Learn mean and covariance."""
        self.scorer_ = MahalanobisScorer().fit(self._rows(references))
        return self

    def refer_to(self, references: NDArray[Any]) -> None:
        """Keep to the mean that was learned."""

    def measure(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distances."""
        rows = self._rows(summaries)
        return -self.scorer_.score(rows) / np.sqrt(rows.shape[1])

    def _rows(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return summaries[self.field].astype(np.float64)


class DistanceFromNearest(BaseEstimator):
    """The distance from the nearest other reference, in some fields.

    Parameters
    ----------
    fields : tuple of str
        Names of the fields.
    is_whitened : bool, default=False
        Whether to measure Mahalanobis distances, by the covariance of the references, shrunk as in
        :class:`MahalanobisScorer`, instead of distances in standard deviations.

    Examples
    --------
    >>> from skl_lstmae.scoring import DistanceFromNearest, JointScorer
    >>> JointScorer((DistanceFromNearest(("latent", "bias"), is_whitened=True),))
    JointScorer(distances=(DistanceFromNearest(fields=('latent', 'bias'),
                                               is_whitened=True),))
    """

    def __init__(self, fields: tuple[str, ...], is_whitened: bool = False):
        self.fields = fields
        self.is_whitened = is_whitened

    def fit(self, references: NDArray[Any]) -> Self:
        """Learn the metric."""
        rows = self._join(references)
        self.mean_, self.scale_ = mean_and_scale(rows)
        self.axes_ = None
        if self.is_whitened:
            rows = self._transform(rows)
            covariance = covariance_of(rows)
            covariance = shrunk(covariance, shrinkage_of(rows, covariance))
            identity = np.eye(len(covariance))
            root = cholesky(covariance + SMALLEST_VARIANCE * identity, lower=True)
            self.axes_ = solve_triangular(root, identity, lower=True).T
        return self

    def refer_to(self, references: NDArray[Any]) -> None:
        """Keep the references as points between which the metric is Euclidean."""
        self.points_ = self._transform(self._join(references))
        self.nearest_ = Nearest(self.points_, 2)

    def measure(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distances."""
        return self.compare(summaries)[0]

    def compare(
        self, summaries: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
        """Return the distances, to what part each is a reference itself, and which it is."""
        points = self._transform(self._join(summaries))
        distances, nearest = self.nearest_.find(points)
        others = mean_distance_of_others(distances) / np.sqrt(points.shape[1])
        return others, share_of_itself(distances), nearest

    def from_each(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distances from each reference, (n_sequences, n_references)."""
        points = self._transform(self._join(summaries))
        return distances_between(points, self.points_) / np.sqrt(points.shape[1])

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the references, which the scorer keeps and tells anew."""
        state = dict(super().__getstate__())
        state.pop("nearest_", None)
        state.pop("points_", None)
        return state

    def _transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        rows -= self.mean_  # in place, as rows may be wide
        rows /= self.scale_
        rows[np.isnan(rows)] = 0.0
        if self.axes_ is None:
            return rows
        # One product a row, so that no bit depends on the number of rows.
        return np.matmul(rows[:, np.newaxis], self.axes_)[:, 0]

    def _join(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return np.concatenate([summaries[f] for f in self.fields], axis=1, dtype=np.float64)


DISTANCES: tuple[Distance, ...] = (
    DistanceFromMean("log_error"),
    DistanceFromNearest(("latent", "log_error", "bias"), is_whitened=True),
    DistanceFromNearest(("latent", "log_error", "peak")),
    DistanceFromNearest(("error_outline",)),
)

OF_UNLIKE_LENGTHS = DistanceFromNearest(("outline",))
"""A segment has no fixed place in time, so that fine ones would be alike by chance alone."""

OF_ONE_LENGTH = DistanceFromNearest(("fine_outline",), is_whitened=True)
"""Of windows, say, each segment has one place in time; where series are smooth, small deviations
tell the most."""

MOST_SEGMENTS = 32
"""Segments of a fine outline, at most; twice as many references are needed to learn how they vary
together."""

ALIKE = 0.9
"""Share of the sequences that must have one length for outlines to be fine."""

MAX_FINE_VALUES = 256
"""Values of a fine outline, at most, unless there are more features: in a fit their covariance is
learned some twenty times."""


def count_fine_segments(n_features: int) -> int:
    """Return the number of segments of a fine outline."""
    return min(MOST_SEGMENTS, max(1, MAX_FINE_VALUES // n_features))


def default_distances(summaries: NDArray[np.void]) -> tuple[Distance, ...]:
    """Return the distances by whether sequences are many, and nearly all have one length."""
    n_timesteps = summaries["n_timesteps"]
    has_usual_length = n_timesteps == np.median(n_timesteps)
    is_fine = has_usual_length.mean() >= ALIKE and len(summaries) >= 2 * MOST_SEGMENTS
    return *DISTANCES, OF_ONE_LENGTH if is_fine else OF_UNLIKE_LENGTHS


MAX_WEIGHING = 256
"""References whose distances tell the weights, at most."""

SMALLEST_SPREAD = 0.05
"""Of a distance's logarithm: what varies less counts as if it varied so much."""


def default_weights(
    distances: tuple[Distance, ...], summaries: NDArray[np.void]
) -> tuple[float, ...]:
    """Return how much each distance counts: of windows the less, the more it varies.

    A deviation that is large beside those of normal windows would else drown in a distance that
    varies by far more.
    """
    counts = np.ones(len(distances))
    if OF_ONE_LENGTH in distances:
        some = np.linspace(0, len(summaries) - 1, min(MAX_WEIGHING, len(summaries))).astype(int)
        spreads = [_spread(each, summaries, summaries[some]) for each in distances]
        counts = 1 / np.maximum(spreads, SMALLEST_SPREAD)
    return tuple((counts / counts.sum()).tolist())


def _spread(distance: Distance, references: NDArray[Any], some: NDArray[Any]) -> float:
    """Return the standard deviation, among some references, of a distance's logarithm."""
    fitted = clone(distance, safe=False).fit(references)
    fitted.refer_to(references)
    return float(np.log(fitted.measure(some) + SMALLEST_DISTANCE).std())


class JointScorer(ReferenceScorer):
    """Minus the weighted geometric mean of five distances from the training sequences.

    The distances are

    - the Mahalanobis distance of the logarithms of each feature's mean error;
    - the distance to the nearest other training sequence in (latent, log error, bias), where the
      bias is the mean of a feature's signed error, by the Mahalanobis metric;
    - the same in (latent, log error, peak of each encoder output), each component standardised;
    - the same in the outline of its errors: the logarithm of each feature's mean error over eight
      segments of time;
    - the same in the outline of the sequence itself, of its values. If there are 64 training
      sequences or more, of which nine in ten have one length, as windows do, the outline is finer,
      of up to 32 segments, and compared by the Mahalanobis metric.

    Each finds another kind of anomaly: in the noise, the level, the form, the noise of a segment of
    time, or the values. A product combines distances whatever their units [1]_.

    If the outline is a fine one, distances count the less, the more they vary among training
    sequences; else all count alike.

    Parameters
    ----------
    distances : tuple, default=None
        Unfitted distances: some of the five, or your own, with methods ``fit(references)``,
        ``refer_to(references)`` and ``measure(summaries)``. They use the fields that
        :meth:`summarize` names. None means the five.

    weights : tuple of float, default=None
        How much each of your distances counts: a share, the power of a distance in the product.
        None has all count alike, unless ``distances`` is None as well.

    Attributes
    ----------
    distances_ : tuple
        The fitted distances.
    weights_ : ndarray of shape (n_distances,), dtype float64
        How much each counts.

    References
    ----------
    .. [1] G. E. Hinton, "Training products of experts by minimizing contrastive divergence",
       Neural Computation 14, 2002, :doi:`10.1162/089976602760128018`.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector
    >>> from skl_lstmae.scoring import DistanceFromNearest, JointScorer
    >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
    >>> X = np.sin(phases + np.arange(30) / 3)
    >>> scorer = JointScorer((DistanceFromNearest(("latent", "peak")),))
    >>> detector = LSTMAutoencoderDetector(hidden_size=16, scorer=scorer, random_state=0)
    >>> detector.fit(X).score_samples(X).shape
    (40,)
    """

    N_SEGMENTS = 8

    def __init__(
        self,
        distances: tuple[Distance, ...] | None = None,
        weights: tuple[float, ...] | None = None,
    ):
        self.distances = distances
        self.weights = weights

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Return a record of float32 fields for each sequence, (n_sequences,)."""
        error_outlines = outcome.outlines(outcome.errors, self.N_SEGMENTS)
        n_fine = count_fine_segments(outcome.targets.shape[1])
        fields: dict[str, NDArray[Any]] = {
            "latent": outcome.latents,
            "log_error": log_errors(outcome),
            "bias": outcome.biases(),
            "peak": outcome.peaks,
            "error_outline": np.log(error_outlines + SMALLEST_ERROR),
            "outline": outcome.outlines(outcome.targets, self.N_SEGMENTS),
            "fine_outline": outcome.outlines(outcome.targets, n_fine),
            "n_timesteps": outcome.lengths[:, np.newaxis],
        }
        layout = [(name, np.float32, values.shape[1:]) for name, values in fields.items()]
        summaries = np.empty(len(outcome), dtype=layout)
        for name, values in fields.items():
            summaries[name] = values
        return summaries

    def suited_to(self, summaries: NDArray[Any]) -> Scorer:
        """Return a scorer whose distances and weights do not change with the references."""
        if self.distances:
            return self
        distances = default_distances(summaries)
        weights = self.weights
        if weights is None:
            weights = default_weights(distances, summaries[:MAX_REFERENCES])
        return clone(self).set_params(distances=distances, weights=weights)

    def learn_metric(self) -> None:
        """Learn how each distance is measured."""
        suited = self.suited_to(self.references_)
        self.distances_ = tuple(
            clone(distance, safe=False).fit(self.references_) for distance in suited.distances
        )
        self.weights_ = _shares(suited.weights, len(self.distances_))

    def prepare(self) -> None:
        """Tell each distance its references."""
        for distance in self.distances_:
            distance.refer_to(self.references_)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "distances_"):
            with np.errstate(all="ignore"):  # of a damaged file, which the detector refuses
                self.prepare()

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores."""
        return np.concatenate([self._score(block) for block in _blocks(summaries)])

    def _score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        distances, share, nearest = [], np.ones(len(summaries)), None
        for distance in self.distances_:
            if not hasattr(distance, "compare"):
                distances.append(distance.measure(summaries))
                continue
            measured, is_itself, which = distance.compare(summaries)
            distances.append(measured)
            share = np.minimum(share, is_itself)
            nearest = which if nearest is None else nearest
        logs = np.log(np.add(distances, SMALLEST_DISTANCE))
        scores = -np.exp(np.sum(self.weights_[:, np.newaxis] * logs, axis=0))
        return scores if nearest is None else self.judged_as_fresh(scores, share, nearest)

    def distances_from_references(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the geometric means, (n_sequences, n_references), of distances from single ones.

        Without any such distance all are alike. Instead of fine outlines, rough ones are compared:
        odd references that are alike would stretch the metric of fine ones, and so hide.
        """
        distances = [
            self._rough() if getattr(each, "fields", None) == OF_ONE_LENGTH.fields else each
            for each in self.distances_
            if hasattr(each, "from_each")
        ]
        if not distances:
            return np.ones((len(summaries), len(self.references_)))
        return np.concatenate([_geometric_mean(distances, block) for block in _blocks(summaries)])

    def _rough(self) -> DistanceFromNearest:
        distance = clone(OF_UNLIKE_LENGTHS).fit(self.references_)
        distance.refer_to(self.references_)
        return distance


def _shares(weights: Any, n_distances: int) -> NDArray[np.float64]:
    """Return weights of so many distances that add up to 1; None stands for equal ones."""
    shares = np.ones(n_distances) if weights is None else np.asarray(weights, dtype=np.float64)
    is_usable = shares.shape == (n_distances,) and np.isfinite(shares).all() and (shares >= 0).all()
    if not is_usable or not shares.any():
        raise ValueError(
            f"weights must be {n_distances} finite numbers, one a distance, none below 0 and not "
            f"all 0; they are {weights!r}."
        )
    return shares / shares.sum()


def _geometric_mean(distances: list[Any], summaries: NDArray[Any]) -> NDArray[np.float64]:
    logs: Any = sum(np.log(each.from_each(summaries) + SMALLEST_DISTANCE) for each in distances)
    return np.exp(logs / len(distances))


def _blocks(summaries: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut summaries, whose distances are measured in float64 copies, so that those stay small."""
    size = max(1, min(MAX_ROWS, MAX_BYTES // summaries.itemsize))
    return [summaries[i : i + size] for i in range(0, max(len(summaries), 1), size)]
