"""The distance of a sequence from the mean of the training sequences."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import pinvh

from skl_lstmae.scoring.covariance import covariance_of, shrinkage_of, shrunk
from skl_lstmae.scoring.scorer import MAX_REFERENCES, Scorer, mean_and_scale


class MahalanobisScorer(Scorer):
    """Minus the Mahalanobis distance of (latent, log error of each feature) from the training mean.

    A sequence is anomalous if its latent is unusual, or if it is reconstructed unusually badly or
    unusually *well*. Each component is standardised, and the covariance is shrunk [1]_. A feature
    that is not observed in a sequence counts as average. Updates add more sequences to mean and
    covariance [2]_.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88, 2004,
       :doi:`10.1016/S0047-259X(03)00096-4`.
    .. [2] T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for
       computing sample variances", COMPSTAT 1982.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.scoring import MahalanobisScorer
    >>> summaries = np.random.default_rng(0).normal(size=(500, 2))
    >>> scorer = MahalanobisScorer().fit(summaries)
    >>> scorer.score(np.array([[0.0, 0.0], [5.0, 5.0]])).round()
    array([-0., -7.])
    """

    def fit(self, summaries: NDArray[Any]) -> Self:
        """Learn mean and covariance."""
        self.mean_, _ = mean_and_scale(summaries)
        self.covariance_ = covariance_of(self._center(summaries))
        self.shrinkage_ = shrinkage_of(self._standardize(summaries), self._correlation())
        self.n_sequences_ = min(len(summaries), MAX_REFERENCES)
        self.precision_ = self._invert()
        return self

    def partial_fit(self, summaries: NDArray[Any]) -> Self:
        """Take in more sequences; earlier ones weigh as much as at most 1024."""
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
        return pinvh(shrunk(self._correlation(), self.shrinkage_), check_finite=False)

    def _correlation(self) -> NDArray[np.float64]:
        scale = self._scale()
        return self.covariance_ / np.outer(scale, scale)

    def _scale(self) -> NDArray[np.float64]:
        deviations = np.sqrt(np.diag(self.covariance_))
        return np.where(deviations > 0, deviations, 1.0)

    def _center(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return np.nan_to_num(summaries - self.mean_)

    def _standardize(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        return self._center(summaries) / self._scale()
