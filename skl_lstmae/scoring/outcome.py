"""What a network makes of sequences, in numbers from which scores are learned."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a network returns for some sequences, and the errors that remain.

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
        The values to predict, in scaled units; NaN where the input is missing.
    predictions : ndarray of shape (total_timesteps, n_features)
        The predicted values, in scaled units.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae.scoring import Outcome
    >>> targets = np.array([[1.0], [2.0], [3.0]])
    >>> predictions = np.array([[1.0], [1.0], [1.0]])
    >>> outcome = Outcome(
    ...     errors=(targets - predictions) ** 2,
    ...     lengths=np.array([1, 2]),
    ...     latents=np.zeros((2, 1)),
    ...     peaks=np.zeros((2, 1)),
    ...     targets=targets,
    ...     predictions=predictions,
    ... )
    >>> outcome.mean_error()
    array([0. , 2.5])
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

    def outlines(self, cells: NDArray[Any], n_segments: int) -> NDArray[np.float64]:
        """Return means of values over segments of time, (n_sequences, n_segments * n_features).

        In a sequence with fewer steps than segments, some segments share a step.
        """
        edges = self.lengths[:, np.newaxis] * np.arange(n_segments) // n_segments
        means = self._mean(cells, (self._starts[:, np.newaxis] + edges).ravel())
        return means.reshape(len(self), -1)

    def step_errors(self) -> NDArray[np.float64]:
        """Return the mean over each step's observed features, 0 if none, (total_timesteps,)."""
        n_observed = self._observed.sum(axis=1)
        return np.nansum(self.errors, axis=1) / np.maximum(n_observed, 1)

    def worst_step_error(self) -> NDArray[np.float64]:
        """Return the largest of each sequence's `step_errors`, (n_sequences,)."""
        return np.maximum.reduceat(self.step_errors(), self._starts)

    @cached_property
    def _starts(self) -> NDArray[np.intp]:
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def _observed(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.errors)

    @cached_property
    def _is_complete(self) -> bool:
        return bool(self._observed.all())

    def _n_observed(self) -> NDArray[np.float64]:
        if self._is_complete:
            return (self.lengths * self.errors.shape[1]).astype(np.float64)
        # A window that falls into a gap of its series has no error rather than an undefined one.
        return np.maximum(_add_up(self._observed, self._starts).sum(axis=1), 1)

    def _mean(self, cells: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            return self._total(cells, starts) / self._count(starts)

    def _total(self, cells: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
        return _add_up(cells if self._is_complete else np.where(self._observed, cells, 0), starts)

    def _count(self, starts: NDArray[np.intp]) -> NDArray[Any]:
        """Return the numbers of observed cells, (n_segments, n_features), or 1 for all features."""
        if not self._is_complete:
            return _add_up(self._observed, starts)
        n_steps = np.diff(starts, append=len(self.errors))
        return np.maximum(n_steps, 1)[:, np.newaxis]  # a step that is shared is in each segment


def _add_up(cells: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    # reduceat adds up each sequence by itself; a padded sum's order depends on the padding.
    return np.add.reduceat(cells, starts, axis=0, dtype=np.float64)
