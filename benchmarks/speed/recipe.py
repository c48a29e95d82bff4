"""What tutorials do: the same network over packed sequences, in batches of random lengths."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pad_packed_sequence,
    pad_sequence,
)

from benchmarks.speed.detector import BATCH_SIZE, LEARNING_RATE
from benchmarks.speed.row import Run
from benchmarks.speed.timing import clock
from skl_lstmae.modules import LSTMAutoencoder, LSTMLayer


class PackedAutoencoder(nn.Module):
    """The network of an :class:`LSTMAutoencoder`, weights included, as torch's own layers."""

    def __init__(self, module: LSTMAutoencoder):
        super().__init__()
        self.encoder = nn.ModuleList(map(torch_lstm, module.encoder.layers))
        self.to_latent = torch_linear(module.bottleneck.linear)
        self.decoder = nn.ModuleList(map(torch_lstm, module.decoder.stack.layers))
        self.head = torch_linear(module.decoder.head)
        self.latent_is_sequence = module.bottleneck.kind == "sequence"

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


def time_packed_epoch(
    module: LSTMAutoencoder, sequences: Sequence[np.ndarray], n_epochs: int, seed: int
) -> Run:
    """Train a copy of `module` and time an epoch after the first, which warms up."""
    generator = torch.Generator().manual_seed(seed)
    network = PackedAutoencoder(module)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    tensors = [torch.from_numpy(sequence) for sequence in sequences]
    ends = []
    for _ in range(n_epochs):
        order = torch.randperm(len(tensors), generator=generator)
        loss = _train_epoch(network, optimizer, [tensors[i] for i in order])
        ends.append(clock())
    return Run(float(np.median(np.diff(ends))), loss)


def packed_errors(
    network: PackedAutoencoder, sequences: Sequence[np.ndarray], batch_size: int
) -> np.ndarray:
    """Return each sequence's mean squared error, (n_sequences,)."""
    tensors = [torch.from_numpy(sequence) for sequence in sequences]
    with torch.inference_mode():
        return torch.cat(
            [
                _masked_square(network, x, lengths).mean(dim=2).sum(dim=1) / lengths
                for x, lengths in _batches(tensors, batch_size)
            ]
        ).numpy()


def torch_lstm(layer: LSTMLayer) -> nn.LSTM:
    """Return torch's layer with the weights of a layer of the package."""
    onward, reverse = layer.onward, layer.reverse
    lstm = nn.LSTM(
        onward.input_size, onward.hidden_size, batch_first=True, bidirectional=reverse is not None
    )
    weights = dict(onward.state_dict())
    if reverse is not None:
        weights |= {f"{name}_reverse": weight for name, weight in reverse.state_dict().items()}
    lstm.load_state_dict(weights)
    return lstm


def torch_linear(linear: nn.Linear) -> nn.Linear:
    """Return torch's layer with the weights of a layer of the package."""
    copy = nn.Linear(linear.in_features, linear.out_features)
    copy.load_state_dict(linear.state_dict())
    return copy


def _train_epoch(
    network: PackedAutoencoder, optimizer: torch.optim.Optimizer, sequences: list[Tensor]
) -> float:
    total_loss, n_cells = 0.0, 0
    for x, lengths in _batches(sequences, BATCH_SIZE):
        n_batch_cells = int(lengths.sum()) * x.shape[2]
        optimizer.zero_grad()
        loss = _masked_square(network, x, lengths).sum() / n_batch_cells
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * n_batch_cells
        n_cells += n_batch_cells
    return total_loss / n_cells


def _batches(sequences: list[Tensor], batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(sequences), batch_size):
        batch = sequences[start : start + batch_size]
        lengths = torch.tensor([len(sequence) for sequence in batch])
        yield pad_sequence(batch, batch_first=True), lengths


def _masked_square(network: PackedAutoencoder, x: Tensor, lengths: Tensor) -> Tensor:
    mask = torch.arange(x.shape[1]) < lengths.unsqueeze(1)
    return (network(x, lengths) - x).square() * mask.unsqueeze(2)


def _pack(x: Tensor, lengths: Tensor) -> PackedSequence:
    return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)


def _unpack(packed: PackedSequence) -> Tensor:
    return pad_packed_sequence(packed, batch_first=True)[0]
