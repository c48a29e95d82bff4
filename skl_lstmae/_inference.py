"""A trained network over sequences: latents, predictions and residuals, in the sequences' order."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skl_lstmae._batches import MAX_ROWS, Batch, BatchBuilder
from skl_lstmae._losses import Loss
from skl_lstmae._padding import max_step, mean_step, real_steps
from skl_lstmae._scoring import Residuals
from skl_lstmae._sequences import Sequences
from skl_lstmae._threads import one_thread_in_workers


@dataclass(frozen=True, eq=False)
class Inference:
    """Runs a module batch by batch; nothing it returns depends on the batches.

    Parameters
    ----------
    module : LSTMAutoencoder or LSTMForecaster
        In evaluation mode.
    builder : BatchBuilder
        Makes the batches, on the module's device.
    loss : callable
        Element-wise loss of (prediction, target).
    """

    module: Any
    builder: BatchBuilder
    loss: Loss

    @one_thread_in_workers()
    def latents(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return one latent vector a sequence, (n_sequences, latent_size)."""
        latents = np.empty((len(sequences), self.module.latent_size), dtype=np.float32)
        for batch in self.builder.scoring_batches(sequences):
            with torch.inference_mode():
                latent = self.module.encode(batch.x, batch.lengths)
                latents[batch.indices] = _one_vector(latent, batch.lengths).cpu().numpy()
        return latents

    @one_thread_in_workers()
    def predictions(self, sequences: Sequences) -> NDArray[Any]:
        """Return the predictions in the input's units, (total_timesteps, n_features)."""
        shape = sequences.lengths.sum(), sequences.n_features
        predictions = np.empty(shape, dtype=sequences.values.dtype)
        for indices, prediction, _ in self._run(sequences):
            rows = self.builder.scaling.inverse_transform(prediction)
            predictions[sequences.positions(indices)] = rows
        return predictions

    @one_thread_in_workers()
    def forecasts(self, sequences: Sequences, n_steps: int) -> NDArray[Any]:
        """Return what follows sequences, in the input's units, (n_sequences, n_steps, n_features).

        The network must be causal.
        """
        shape = len(sequences), n_steps, sequences.n_features
        forecasts = np.empty(shape, dtype=sequences.values.dtype)
        for indices in self.builder.scoring_groups(sequences):
            past = None
            with torch.inference_mode():
                for batch in self.builder.chunks(sequences, indices):
                    *_, past = self.module.resume(batch.x, batch.lengths, past)
                steps = self.module.forecast(past, n_steps).cpu().numpy()
            rows = self.builder.scaling.inverse_transform(steps.reshape(-1, shape[-1]))
            forecasts[indices] = rows.reshape(steps.shape)
        return forecasts

    @one_thread_in_workers()
    def timestep_shares(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return each time step's share of its sequence's error, (total_timesteps,)."""
        shares = np.empty(sequences.lengths.sum())
        for indices, _, residuals in self._run(sequences):
            shares[sequences.positions(indices)] = residuals.timestep_shares()
        return shares

    @one_thread_in_workers()
    def errors(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return the loss of each cell, NaN if it is missing, (total_timesteps, n_features)."""
        errors = np.empty((sequences.lengths.sum(), sequences.n_features))
        for indices, _, residuals in self._run(sequences):
            errors[sequences.positions(indices)] = residuals.errors
        return errors

    @one_thread_in_workers()
    def summaries(
        self, sequences: Sequences, summarize: Callable[[Residuals], NDArray[Any]]
    ) -> NDArray[Any]:
        """Return what `summarize` makes of the residuals, one row a sequence."""
        parts = [(indices, summarize(residuals)) for indices, _, residuals in self._run(sequences)]
        indices, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
        return rows[indices.argsort()]

    @one_thread_in_workers()
    def decode(
        self, latents: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> list[NDArray[np.float64]]:
        """Return the sequences that latent vectors stand for, in the input's units."""
        device = self.builder.device
        sequences = []
        for start in range(0, len(latents), MAX_ROWS):
            chunk = slice(start, start + MAX_ROWS)
            with torch.inference_mode():
                decoded = self.module.decode(
                    torch.from_numpy(latents[chunk]).to(device),
                    torch.from_numpy(lengths[chunk]).to(device),
                )
            sequences += [
                self.builder.scaling.inverse_transform(rows[:length].cpu().numpy())
                for rows, length in zip(decoded, lengths[chunk], strict=True)
            ]
        return sequences

    def _run(
        self, sequences: Sequences
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32], Residuals]]:
        """Yield which sequences, their real steps' predictions, in scaled units, and residuals."""
        builder = self.builder
        for indices in builder.scoring_groups(sequences):
            with torch.inference_mode():
                if self.module.is_causal and builder.is_long(sequences, indices):
                    results = self._run_in_chunks(builder.chunks(sequences, indices))
                else:
                    results = self._run_at_once(builder.build(sequences, indices))
            prediction, target, errors, latents, peaks = (
                result.cpu().numpy() for result in results
            )
            lengths = sequences.lengths[indices]
            residuals = Residuals(errors, lengths, latents, peaks, target, prediction)
            yield indices, prediction, residuals

    def _run_at_once(self, batch: Batch) -> tuple[Tensor, ...]:
        """Return the real steps' predictions, targets and errors, and the latents and peaks."""
        prediction, latent, states = self.module.forward_with_states(batch.x, batch.lengths)
        return (
            *self._judge(prediction, batch),
            _one_vector(latent, batch.lengths),
            max_step(states, batch.lengths),
        )

    def _run_in_chunks(self, chunks: Iterable[Batch]) -> tuple[Tensor, ...]:
        """Return the same of a long sequence, which a causal network reads part by part."""
        width = self.module.latent_size
        total, peak = torch.zeros(1, 1, width).double(), torch.full((1, width), -torch.inf)
        past, steps = None, []
        for chunk in chunks:
            prediction, latent, past = self.module.resume(chunk.x, past=past)
            steps.append(self._judge(prediction, chunk))
            latent = latent.cpu()
            # As within a batch, where torch adds up one step after the other, in float64.
            total = torch.cat([total, latent.double()], dim=1).cumsum(dim=1)[:, -1:]
            peak = torch.maximum(peak, latent.amax(dim=1))
        prediction, target, errors = (torch.cat(parts) for parts in zip(*steps, strict=True))
        return prediction, target, errors, total[:, 0].float() / torch.tensor(len(errors)), peak

    def _judge(self, prediction: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the real steps' predictions, and targets and errors, NaN if not observed."""
        sequence, step = real_steps(batch.x, batch.lengths).nonzero(as_tuple=True)
        row = step * len(batch.x) + sequence  # time comes first in memory
        prediction, target, observed = (
            part.transpose(0, 1).flatten(0, 1)[row].cpu()
            for part in (prediction, batch.x, batch.observed)
        )
        errors = self.loss(prediction.double(), target.double())
        target[~observed] = errors[~observed] = torch.nan
        return prediction, target, errors


def _one_vector(latent: Tensor, lengths: Tensor) -> Tensor:
    """Average a latent that is a sequence."""
    return latent if latent.dim() == 2 else mean_step(latent, lengths)
