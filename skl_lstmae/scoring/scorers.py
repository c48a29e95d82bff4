"""Scorers by their names."""

from typing import Any

from sklearn.base import clone

from skl_lstmae.scoring.joint import JointScorer
from skl_lstmae.scoring.mahalanobis import MahalanobisScorer
from skl_lstmae.scoring.neighbors import NeighborsScorer
from skl_lstmae.scoring.scorer import (
    AdaptedScorer,
    ErrorScorer,
    FunctionScorer,
    MaxErrorScorer,
    Scorer,
)

SCORERS: dict[str, type[Scorer]] = {
    "error": ErrorScorer,
    "error_max": MaxErrorScorer,
    "mahalanobis": MahalanobisScorer,
    "neighbors": NeighborsScorer,
    "joint": JointScorer,
}


def can_take_more(scorer: Any) -> bool:
    """Whether a scorer, as a parameter or as it was fitted, can learn from more sequences."""
    if isinstance(scorer, AdaptedScorer):
        scorer = scorer.scorer
    if isinstance(scorer, Scorer):
        kind = type(scorer)
        return kind.fit is Scorer.fit or kind.partial_fit is not Scorer.partial_fit
    return not hasattr(scorer, "fit") or hasattr(scorer, "partial_fit")


def make_scorer(scorer: Any) -> Scorer:
    """Return an unfitted scorer: of a name, a clone of the user's, or one that calls a function."""
    if isinstance(scorer, str):
        return SCORERS[scorer]()
    if isinstance(scorer, Scorer):
        return clone(scorer)
    if hasattr(scorer, "fit") and hasattr(scorer, "score"):
        return AdaptedScorer(clone(scorer, safe=False))
    return FunctionScorer(scorer)
