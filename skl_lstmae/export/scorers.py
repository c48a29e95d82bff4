"""The scorers of :mod:`skl_lstmae.scoring`, as they were fitted."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.export import operators as op
from skl_lstmae.export.operators import Value
from skl_lstmae.export.outcome import Outcome
from skl_lstmae.scoring.joint import (
    SMALLEST_DISTANCE,
    DistanceFromMean,
    DistanceFromNearest,
    JointScorer,
    count_fine_segments,
)
from skl_lstmae.scoring.mahalanobis import MahalanobisScorer
from skl_lstmae.scoring.neighbors import ITSELF, NeighborsScorer
from skl_lstmae.scoring.references import ReferenceScorer
from skl_lstmae.scoring.scorer import SMALLEST_ERROR, ErrorScorer, MaxErrorScorer


def error(scorer: ErrorScorer, outcome: Outcome) -> Value:
    """Return minus the mean error."""
    return op.neg(outcome.mean_error())


def error_max(scorer: MaxErrorScorer, outcome: Outcome) -> Value:
    """Return minus the worst step's error."""
    return op.neg(outcome.worst_step_error())


def mahalanobis(scorer: MahalanobisScorer, outcome: Outcome) -> Value:
    """Return minus the distance of latent and log errors from their mean."""
    latent, log_error = op.as_float64(outcome.latents), _log(outcome.feature_errors())
    return op.neg(_from_mean(scorer, op.concat([latent, log_error], axis=1)))


def neighbors(scorer: NeighborsScorer, outcome: Outcome) -> Value:
    """Return minus the mean distance from the nearest references."""
    fields = [outcome.latents, _log(outcome.feature_errors()), outcome.peaks]
    rows = op.concat([op.as_float64(field) for field in fields], axis=1)
    references = np.nan_to_num((scorer.references_ - scorer.mean_) / scorer.scale_)
    n = min(scorer.n_neighbors, len(references) - 1) + 1
    distances, nearest = _nearest(_standardized(rows, scorer), references, n)
    share = _share_of_itself(distances)
    scores = op.neg(_mean_of_others(distances, share))
    return _judged_as_fresh(scorer, scores, share, nearest)


def joint(scorer: JointScorer, outcome: Outcome) -> Value:
    """Return minus the weighted geometric mean of the distances."""
    fields = _fields(scorer, outcome)
    logs, shares, nearest = [], [], []
    for distance, weight in zip(scorer.distances_, scorer.weights_, strict=True):
        if isinstance(distance, DistanceFromMean):
            rows = fields[distance.field]
            measured, n_dimensions = _from_mean(distance.scorer_, rows), len(distance.scorer_.mean_)
        else:
            rows = op.concat([fields[field] for field in distance.fields], axis=1)
            measured, share, number = _from_nearest(distance, rows)
            n_dimensions = len(distance.mean_)
            shares.append(share)
            nearest.append(number)
        measured = op.div(measured, op.constant(np.sqrt(n_dimensions)))
        log = op.log(op.add(measured, op.constant(SMALLEST_DISTANCE)))
        logs.append(op.mul(log, op.constant(weight)))
    scores = op.neg(op.exp(op.sum(logs)))
    return _judged_as_fresh(scorer, scores, op.min(shares), nearest[0]) if nearest else scores


WRITERS: dict[type, Callable[[Any, Outcome], Value]] = {
    ErrorScorer: error,
    MaxErrorScorer: error_max,
    MahalanobisScorer: mahalanobis,
    NeighborsScorer: neighbors,
    JointScorer: joint,
}


def can_write(scorer: Any) -> bool:
    """Whether a scorer is of this package, and so are the distances that it is made of."""
    known = {DistanceFromMean, DistanceFromNearest}
    return type(scorer) in WRITERS and {*map(type, getattr(scorer, "distances_", ()))} <= known


def score(scorer: Any, outcome: Outcome) -> Value:
    """Return the scores, (batch,), float64."""
    return WRITERS[type(scorer)](scorer, outcome)


def _fields(scorer: JointScorer, outcome: Outcome) -> dict[str, Value]:
    """Return the fields of a joint scorer's summaries, which keep float32."""
    error_outlines = outcome.outlines(outcome.errors, scorer.N_SEGMENTS)
    n_fine = count_fine_segments(scorer.references_["log_error"].shape[1])
    fields = {
        "latent": outcome.latents,
        "log_error": _log(outcome.feature_errors()),
        "bias": outcome.biases(),
        "peak": outcome.peaks,
        "error_outline": _log(error_outlines),
        "outline": outcome.outlines(outcome.batch.x, scorer.N_SEGMENTS),
        "fine_outline": outcome.outlines(outcome.batch.x, n_fine),
        "n_timesteps": op.unsqueeze(outcome.batch.lengths, op.axes(1)),
    }
    return {name: op.as_float64(op.as_float32(field)) for name, field in fields.items()}


def _log(errors: Value) -> Value:
    return op.log(op.add(errors, op.constant(SMALLEST_ERROR)))


def _standardized(rows: Value, metric: Any) -> Value:
    """Return rows in standard deviations from a mean, 0 where a feature is never observed."""
    centered = op.div(op.sub(rows, op.constant(metric.mean_)), op.constant(metric.scale_))
    return op.where_nan(centered, op.constant(0.0))


def _from_mean(scorer: MahalanobisScorer, rows: Value) -> Value:
    """Return Mahalanobis distances, (batch,)."""
    deviations = np.sqrt(np.diag(scorer.covariance_))
    deviations = np.where(deviations > 0, deviations, 1.0)
    precision = scorer.precision_ / np.outer(deviations, deviations)
    centered = op.where_nan(op.sub(rows, op.constant(scorer.mean_)), op.constant(0.0))
    products = op.mul(op.matmul(centered, op.constant(precision)), centered)
    return op.sqrt(op.reduce_sum(products, op.axes(1), keepdims=0))


def _from_nearest(distance: DistanceFromNearest, rows: Value) -> tuple[Value, Value, Value]:
    """Return the distances from the nearest other, the shares of itself, and the nearest."""
    points = _standardized(rows, distance)
    if distance.axes_ is not None:
        points = op.matmul(points, op.constant(distance.axes_))
    # Not those of which there are two copies before them.
    numbers = distance.nearest_.numbers
    pair, nearest = _nearest(points, distance.points_[numbers], 2)
    share = _share_of_itself(pair)
    return _mean_of_others(pair, share), share, op.gather(op.constant(numbers), nearest)


def _nearest(rows: Value, references: NDArray[np.float64], n: int) -> tuple[Value, Value]:
    """Return the distances of the n nearest references, lowest first, and the nearest's number.

    A product of matrices tells which they are; these alone are then measured without its rounding.
    """
    squares = op.constant(np.square(references).sum(axis=1))
    squared = op.add(op.matmul(rows, op.constant(-2 * references.T)), squares)
    _, numbers = op.top_k(squared, op.axes(n), axis=1, largest=0)
    differences = op.sub(
        op.gather(op.constant(references), numbers), op.unsqueeze(rows, op.axes(1))
    )
    distances = op.reduce_l2(differences, op.axes(2), keepdims=0)
    distances, order = op.top_k(distances, op.axes(n), axis=1, largest=0)
    nearest = op.gather_elements(numbers, op.part(order, 1, 0, 1), axis=1)
    return distances, op.squeeze(nearest, op.axes(1))


def _share_of_itself(distances: Value) -> Value:
    """Return to what part the nearest reference is the row itself, (batch,)."""
    zero, one = op.constant(0.0), op.constant(1.0)
    nearest, second = (op.squeeze(op.part(distances, 1, i, i + 1), op.axes(1)) for i in (0, 1))
    apart = op.where(op.greater(second, zero), op.div(nearest, second), zero)
    return op.clip(op.sub(one, op.div(apart, op.constant(ITSELF))), zero, one)


def _mean_of_others(distances: Value, share: Value) -> Value:
    """Return the mean distance from the nearest references other than the row itself, (batch,)."""
    others, all_others = (
        op.reduce_mean(part, op.axes(1), keepdims=0)
        for part in (op.part(distances, 1, 0, -1), op.part(distances, 1, 1))
    )
    return _mixed(others, all_others, share)


def _judged_as_fresh(scorer: ReferenceScorer, scores: Value, share: Value, nearest: Value) -> Value:
    """Return the scores of sequences, some of which are references themselves."""
    if scorer.own_scores_ is None:
        return scores
    return _mixed(scores, op.gather(op.constant(scorer.own_scores_), nearest), share)


def _mixed(one: Value, other: Value, share: Value) -> Value:
    return op.add(op.mul(op.sub(op.constant(1.0), share), one), op.mul(share, other))
