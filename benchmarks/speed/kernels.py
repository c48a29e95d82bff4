"""The limit: torch's LSTM kernels for one encoder and one decoder layer, and nothing around them.

No padding, no data to gather, no bottleneck, head, loss or optimizer: every step is a real one, in
batches of one length, in the layout that the kernels take. The number of rows is left to be tried.

Run as a module, this prints how many steps a second they take by rows and steps of a call, which is
why the package bounds its calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from benchmarks.speed.row import Run, Side
from benchmarks.speed.timing import clock

N_ROWS = (16, 32, 48, 64, 96, 128, 256)
"""Batch sizes to try."""


@dataclass(frozen=True)
class Kernels:
    """Sizes of the layers and amount of work.

    Parameters
    ----------
    input_size, hidden_size, latent_size : int
        The encoder reads `input_size` features, the decoder `latent_size`.
    n_timesteps : int
        Length of a sequence.
    n_steps : int
        Time steps in total.
    """

    input_size: int
    hidden_size: int
    latent_size: int
    n_timesteps: int
    n_steps: int

    @classmethod
    def over(cls, sequences: Sequence[np.ndarray], network: dict[str, Any]) -> Self:
        """Return the work that a network has with sequences, each taken to be of mean length."""
        lengths = [len(sequence) for sequence in sequences]
        return cls(
            input_size=sequences[0].shape[1],
            hidden_size=network["hidden_size"],
            latent_size=network["latent_size"],
            n_timesteps=round(np.mean(lengths)),
            n_steps=sum(lengths),
        )

    def training_sides(self, prefix: str = "") -> dict[str, Side]:
        """Return sides that run forward and backward, by number of rows."""
        return {f"{prefix}kernels, {rows} rows": self.side(rows, True) for rows in N_ROWS}

    def inference_sides(self) -> dict[str, Side]:
        """Return sides that run forward, by number of rows."""
        return {f"kernels, {rows} rows": self.side(rows, False) for rows in N_ROWS}

    def side(self, n_rows: int, trains: bool) -> Side:
        """Return the side that has so many rows in a call."""
        encoder = nn.LSTM(self.input_size, self.hidden_size).train(trains)
        decoder = nn.LSTM(self.latent_size, self.hidden_size).train(trains)
        x = torch.randn(self.n_timesteps, n_rows, self.input_size)
        latent = torch.randn(self.n_timesteps, n_rows, self.latent_size)
        gradient = torch.randn(self.n_timesteps, n_rows, self.hidden_size)

        def forward() -> None:
            encoder(x)
            decoder(latent)

        def forward_and_backward() -> None:
            encoder.zero_grad()
            decoder.zero_grad()
            encoder(x)[0].backward(gradient)
            decoder(latent.requires_grad_())[0].backward(gradient)
            latent.grad = None

        call = forward_and_backward if trains else torch.inference_mode()(forward)
        return lambda seed: self._time(call, n_rows)

    def _time(self, call: Callable[[], None], n_rows: int) -> Run:
        """Time as many calls as `n_steps` take, the last of which may count in part."""
        n_calls = self.n_steps / (n_rows * self.n_timesteps)
        n_whole_calls = max(1, round(n_calls))
        start = clock()
        for _ in range(n_whole_calls):
            call()
        return Run((clock() - start) * n_calls / n_whole_calls)


def sweep(trains: bool) -> None:
    """Print thousands of steps a second, with the sizes of B1."""
    rows, lengths = (1, 2, 4, 8, 16, 32, 64, 128), (25, 50, 100, 200, 400, 800, 3200)
    print("forward and backward" if trains else "forward, inference")
    print("steps \\ rows", *(f"{n_rows:5}" for n_rows in rows))
    for n_timesteps in lengths:
        rates = []
        for n_rows in rows:
            n_steps = max(30_000, n_rows * n_timesteps)
            side = Kernels(8, 64, 16, n_timesteps, n_steps).side(n_rows, trains)
            rates.append(n_steps / min(side(seed).seconds for seed in range(3)) / 1000)
        print(f"{n_timesteps:12}", *(f"{rate:5.0f}" for rate in rates), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for trains in (True, False):
        sweep(trains)
