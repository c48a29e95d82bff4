"""A trained network over sequences: latents, predictions and residuals, in the sequences' order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skl_lstmae._batches import Batch, BatchBuilder
from skl_lstmae._losses import Loss
from skl_lstmae._scoring import Residuals
from skl_lstmae._sequences import Sequences
from skl_lstmae.modules import LSTMAutoencoder, max_step, mean_step, real_steps


@dataclass(frozen=True, eq=False)
class Inference:
    """Runs a module batch by batch; nothing it returns depends on the batches.

    Parameters
    ----------
    module : LSTMAutoencoder
        In evaluation mode.
    builder : BatchBuilder
        Makes the batches, on the module's device.
    loss : callable
        Element-wise loss of (prediction, target).
    """

    module: LSTMAutoencoder
    builder: BatchBuilder
    loss: Loss

    def latents(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return one latent vector a sequence, (n_sequences, latent_size)."""
        latents = np.empty((len(sequences), self.module.latent_size), dtype=np.float32)
        for batch in self.builder.scoring_batches(sequences):
            with torch.inference_mode():
                latent = self.module.encode(batch.x, batch.lengths)
                latents[batch.indices] = _one_vector(latent, batch.lengths).cpu().numpy()
        return latents

    def predictions(self, sequences: Sequences) -> NDArray[Any]:
        """Return the predictions in the input's units, (total_timesteps, n_features)."""
        shape = sequences.lengths.sum(), sequences.n_features
        predictions = np.empty(shape, dtype=sequences.values.dtype)
        for batch, prediction, _ in self._run(sequences):
            rows = self.builder.scaling.inverse_transform(prediction)
            predictions[sequences.positions(batch.indices)] = rows
        return predictions

    def timestep_shares(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return each time step's share of its sequence's error, (total_timesteps,)."""
        shares = np.empty(sequences.lengths.sum())
        for batch, _, residuals in self._run(sequences):
            shares[sequences.positions(batch.indices)] = residuals.timestep_shares()
        return shares

    def summaries(
        self, sequences: Sequences, summarize: Callable[[Residuals], NDArray[Any]]
    ) -> NDArray[Any]:
        """Return what `summarize` makes of the residuals, one row a sequence."""
        parts = [
            (batch.indices, summarize(residuals)) for batch, _, residuals in self._run(sequences)
        ]
        indices, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
        return rows[indices.argsort()]

    def decode(
        self, latents: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> list[NDArray[np.float64]]:
        """Return the sequences that latent vectors stand for, in the input's units."""
        device = self.builder.device
        with torch.inference_mode():
            decoded = self.module.decode(
                torch.from_numpy(latents).to(device), torch.from_numpy(lengths).to(device)
            )
        return [
            self.builder.scaling.inverse_transform(rows[:length].cpu().numpy())
            for rows, length in zip(decoded, lengths, strict=True)
        ]

    def _run(self, sequences: Sequences) -> Iterator[tuple[Batch, NDArray[np.float32], Residuals]]:
        """Yield batches with their real steps' predictions, in scaled units, and residuals."""
        for batch in self.builder.scoring_batches(sequences):
            with torch.inference_mode():
                prediction, latent, states = self.module.forward_with_states(batch.x, batch.lengths)
                real = real_steps(batch.x, batch.lengths)
                prediction, target, observed = (
                    part[real].cpu() for part in (prediction, batch.x, batch.observed)
                )
                errors = self.loss(prediction.double(), target.double())
                errors[~observed] = torch.nan
                per_sequence = (
                    batch.lengths,
                    _one_vector(latent, batch.lengths),
                    max_step(states, batch.lengths),
                )
            residuals = Residuals(errors.numpy(), *(part.cpu().numpy() for part in per_sequence))
            yield batch, prediction.numpy(), residuals


def _one_vector(latent: Tensor, lengths: Tensor) -> Tensor:
    """Average a latent that is a sequence."""
    return latent if latent.dim() == 2 else mean_step(latent, lengths)
