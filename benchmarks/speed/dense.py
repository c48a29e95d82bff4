"""What a loop of one's own takes that does no more than is needed, on padded batches.

It knows no missing values and no threshold, and its float32 products round by the batch.
"""

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from benchmarks.speed.recipe import LEARNING_RATE

Batch = tuple[Tensor, Tensor, Tensor]
"""Steps (time, batch, feature), the index of each sequence's last one, and a mask of real ones."""


class DenseAutoencoder(nn.Module):
    """The network of the packed recipe over padded batches, of one layer and one direction."""

    def __init__(self, input_size: int, hidden_size: int, latent_size: int):
        super().__init__()
        self.encoder = nn.LSTM(input_size, hidden_size)
        self.to_latent = nn.Linear(hidden_size, latent_size)
        self.decoder = nn.LSTM(latent_size, hidden_size)
        self.head = nn.Linear(hidden_size, input_size)

    def forward(self, x: Tensor, last: Tensor) -> Tensor:
        """Reconstruct a padded batch, (time, batch, feature)."""
        outputs, _ = self.encoder(x)
        latent = self.to_latent(outputs[last, torch.arange(x.shape[1], device=x.device)])
        return self.head(self.decoder(latent.expand(len(x), -1, -1).contiguous())[0])


def dense_batches(
    sequences: Sequence[np.ndarray], batch_size: int, device: torch.device
) -> list[Batch]:
    """Return batches of sequences of like lengths, on a device."""
    by_length = sorted(map(torch.from_numpy, sequences), key=len)
    batches = []
    for start in range(0, len(by_length), batch_size):
        batch = by_length[start : start + batch_size]
        lengths = torch.tensor([len(sequence) for sequence in batch])
        x = pad_sequence(batch)
        is_real = (torch.arange(len(x)).unsqueeze(1) < lengths).unsqueeze(2)
        batches.append((x.to(device), (lengths - 1).to(device), is_real.to(device)))
    return batches


@torch.inference_mode()
def dense_errors(
    network: DenseAutoencoder, sequences: Sequence[np.ndarray], batch_size: int
) -> np.ndarray:
    """Return the mean squared error of each sequence, by batches that are made on the way."""
    values = np.concatenate(sequences).astype(np.float32)
    lengths = np.array([len(sequence) for sequence in sequences])
    starts, order = np.cumsum(lengths) - lengths, np.argsort(lengths, kind="stable")
    errors = np.empty(len(sequences))
    for some in np.split(order, range(batch_size, len(order), batch_size)):
        steps, last = np.arange(lengths[some].max())[:, np.newaxis], lengths[some] - 1
        x = torch.from_numpy(values[starts[some] + np.minimum(steps, last)])
        squares = (network(x, torch.from_numpy(last)) - x).square_().mean(dim=2)
        squares *= torch.from_numpy(steps <= last)
        errors[some] = squares.sum(dim=0, dtype=torch.float64).numpy() / lengths[some]
    return errors


def time_dense_epoch(network: DenseAutoencoder, batches: list[Batch], n_epochs: int) -> float:
    """Train, and return the median seconds of the epochs after the first, which warms up."""
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    seconds = []
    for _ in range(n_epochs):
        start, total = perf_counter(), torch.zeros((), device=batches[0][0].device)
        for x, last, is_real in batches:
            optimizer.zero_grad()
            loss = ((network(x, last) - x).square() * is_real).sum() / is_real.sum()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()  # which waits for the device
        seconds.append(perf_counter() - start)
    return float(np.median(seconds[1:]))
