"""What tutorials do: the same network over packed sequences, in batches of random lengths."""

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

from benchmarks.speed.detector import BATCH_SIZE
from benchmarks.speed.row import Run

LEARNING_RATE = 1e-3
"""Of Adam, as in most recipes."""


class PackedAutoencoder(nn.Module):
    """The network of the package's LSTMAutoencoder, as torch's own layers."""

    def __init__(
        self, input_size, hidden_size, latent_size, bottleneck="last", bidirectional=False
    ):
        super().__init__()
        widths = np.atleast_1d(hidden_size).tolist()
        n_directions = 1 + bool(bidirectional)
        self.latent_is_sequence = bottleneck == "sequence"
        self.encoder = _lstms(input_size, widths, n_directions)
        self.to_latent = nn.Linear(n_directions * widths[-1], latent_size)
        self.decoder = _lstms(latent_size, widths[::-1], n_directions)
        self.head = nn.Linear(n_directions * widths[0], input_size)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Reconstruct a padded batch, (batch, time, feature); lengths are on the CPU."""
        packed, states = _pack(x, lengths), []
        for lstm in self.encoder:
            packed, state = lstm(packed)
            states.append(state)
        if self.latent_is_sequence:
            latent = self.to_latent(_unpack(packed))
        else:
            last, _ = states[-1]
            latent = self.to_latent(last.transpose(0, 1).flatten(1))
            latent = latent.unsqueeze(1).expand(-1, x.shape[1], -1)
            states = [None] * len(states)
        packed = _pack(latent, lengths)
        for lstm, state in zip(self.decoder, reversed(states), strict=True):
            packed, _ = lstm(packed, state)
        return self.head(_unpack(packed))

    def squared_errors(self, sequences: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the sum of each sequence's squared errors, and the number of its cells."""
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        device = self.head.weight.device
        x = pad_sequence(sequences, batch_first=True).to(device)
        is_real = (torch.arange(x.shape[1]) < lengths.unsqueeze(1)).to(device)
        squares = (self(x, lengths) - x).square() * is_real.unsqueeze(2)
        return squares.sum(dim=(1, 2)), lengths * x.shape[2]


@torch.no_grad()
def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy the weights of a network of the package, whose layers come in the order of their use."""
    for theirs, own in zip(source.parameters(), target.parameters(), strict=True):
        own.copy_(theirs)


def time_packed_epoch(
    network: PackedAutoencoder,
    sequences: Sequence[np.ndarray],
    n_epochs: int,
    seed: int,
    batch_size: int = BATCH_SIZE,
) -> Run:
    """Train, and time an epoch after the first, which warms up."""
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    generator = torch.Generator().manual_seed(seed)
    batches = _batches(sequences, batch_size, shuffle=True, generator=generator)
    ends = []
    for _ in range(n_epochs):
        total_loss, n_cells = 0.0, 0
        for batch in batches:
            optimizer.zero_grad()
            errors, cells = network.squared_errors(batch)
            (errors.sum() / cells.sum()).backward()
            optimizer.step()
            total_loss += errors.sum().item()
            n_cells += int(cells.sum())
        ends.append(perf_counter())
    return Run((ends[-1] - ends[0]) / (n_epochs - 1), total_loss / n_cells)


@torch.inference_mode()
def packed_errors(network: PackedAutoencoder, sequences: Sequence[np.ndarray]) -> Tensor:
    """Return each sequence's mean squared error, (n_sequences,)."""
    found = [network.squared_errors(batch) for batch in _batches(sequences)]
    return torch.cat([errors / cells for errors, cells in found])


def _batches(
    sequences: Sequence[np.ndarray], batch_size: int = BATCH_SIZE, **options
) -> DataLoader:
    tensors = [torch.from_numpy(sequence) for sequence in sequences]
    return DataLoader(tensors, batch_size, collate_fn=list, **options)


def _lstms(input_size: int, widths: list[int], n_directions: int) -> nn.ModuleList:
    sizes = [input_size, *(n_directions * width for width in widths[:-1])]
    return nn.ModuleList(
        nn.LSTM(size, width, batch_first=True, bidirectional=n_directions == 2)
        for size, width in zip(sizes, widths, strict=True)
    )


def _pack(x: Tensor, lengths: Tensor) -> nn.utils.rnn.PackedSequence:
    return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)


def _unpack(packed: nn.utils.rnn.PackedSequence) -> Tensor:
    return pad_packed_sequence(packed, batch_first=True)[0]
