"""The distance of a sequence from the training sequences nearest to it."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skl_lstmae._sklearn import Interval
from skl_lstmae.scoring.nearest import Nearest
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.scoring.references import ReferenceScorer
from skl_lstmae.scoring.scorer import latents_and_log_errors, mean_and_scale

ITSELF = 0.1
"""The nearest reference may be the row itself if it is nearer than this share of the next one's
distance."""


def share_of_itself(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return to what part the nearest reference is the row itself, (n_rows,).

    At distance 0 it is so wholly. From a tenth of the next reference's distance on it is not at
    all. In between its share falls linearly: no millionth of rounding, or noise, makes a jump.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n + 1)
        From the nearest references, lowest first.
    """
    nearest, second = distances[:, 0], distances[:, 1]
    apart = np.divide(nearest, second, out=np.zeros(len(distances)), where=second > 0)
    return np.clip(1 - apart / ITSELF, 0, 1)


def mean_distance_of_others(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean distance from the nearest references other than the row itself, (n_rows,).

    A training sequence is itself one of the references, and is left out: in part, as far as the
    nearest reference is the row itself by :func:`share_of_itself`.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n + 1)
        From the n + 1 nearest references, lowest first.
    """
    share = share_of_itself(distances)
    return (1 - share) * distances[:, :-1].mean(axis=1) + share * distances[:, 1:].mean(axis=1)


class NeighborsScorer(ReferenceScorer):
    """Minus the mean distance from the nearest other training sequences.

    Sequences are compared by (latent, log error of each feature, peak of each encoder output), each
    component standardised. A feature that is not observed in a sequence counts as average. Unlike a
    mean and covariance, neighbours can describe training sequences that fall into groups [1]_.
    Unlike a mean over the steps, a peak also shows what is brief.

    Parameters
    ----------
    n_neighbors : int, default=3
        Number of nearest sequences to average over.

    References
    ----------
    .. [1] F. Angiulli, C. Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD 2002,
       :doi:`10.1007/3-540-45681-3_2`.

    Examples
    --------
    >>> from skl_lstmae import LSTMForecastDetector
    >>> from skl_lstmae.scoring import NeighborsScorer
    >>> detector = LSTMForecastDetector(scorer=NeighborsScorer())
    >>> detector.set_params(scorer__n_neighbors=5)
    LSTMForecastDetector(scorer=NeighborsScorer(n_neighbors=5))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    _nearest: Nearest | None = None

    def __init__(self, n_neighbors: int = 3):
        self.n_neighbors = n_neighbors

    def summarize(self, outcome: Outcome) -> NDArray[Any]:
        """Return latent, log errors and peaks, (n_sequences, n_summaries)."""
        return np.hstack([latents_and_log_errors(outcome), outcome.peaks])

    def learn_metric(self) -> None:
        """Learn the units of distances."""
        self.mean_, self.scale_ = mean_and_scale(self.references_)

    def prepare(self) -> None:
        """Forget what was made of earlier references."""
        self._nearest = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what the first score makes of the references."""
        state = dict(super().__getstate__())
        state.pop("_nearest", None)
        return state

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores, at most 0."""
        distances, nearest = self._prepared().find(self._standardize(summaries))
        scores = -mean_distance_of_others(distances)
        return self.judged_as_fresh(scores, share_of_itself(distances), nearest)

    def distances_from_references(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distances, (n_sequences, n_references)."""
        # Unlike scikit-learn's, scipy's distances are measured pair by pair. A product of matrices
        # has last bits that depend on the number of its rows.
        return cdist(self._standardize(summaries), self._standardize(self.references_))

    def _prepared(self) -> Nearest:
        n = min(self.n_neighbors + 1, len(self.references_))  # as one may be the row itself
        if self._nearest is None or self._nearest.n != n:
            self._nearest = Nearest(self._standardize(self.references_), n)
        return self._nearest

    def _standardize(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return np.nan_to_num((summaries - self.mean_) / self.scale_)
