"""Scorers by their names."""

from typing import Any

from sklearn.base import clone

from skl_lstmae._sklearn import HasMethods
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


class ScorerMethods(HasMethods):
    """Constraint on a parameter: an object that learns what is normal, and scores each sequence.

    An estimator of scikit-learn does not: it has no `score`, or one that sums all rows up.
    """

    def __init__(self) -> None:
        super().__init__(["fit", "score"])

    def is_satisfied_by(self, val: Any) -> bool:
        """Whether a value has the methods, and `score` is not as scikit-learn wrote it."""
        score = getattr(type(val), "score", None)
        is_of_sklearn = getattr(score, "__module__", "").startswith("sklearn.")
        return super().is_satisfied_by(val) and not is_of_sklearn

    def __str__(self) -> str:
        return (
            "an object whose fit learns from rows of numbers, one a sequence, and whose score "
            "returns a number for each (of an estimator of scikit-learn, make a subclass whose "
            "score returns self.score_samples(rows))"
        )


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
