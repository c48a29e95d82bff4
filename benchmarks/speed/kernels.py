"""The limit: torch's LSTM kernels for one encoder and one decoder layer, and nothing around them.

No padding, no data to gather, no bottleneck, head, loss or optimizer: every step is a real one, in
batches of one length, in the layout that the kernels take. The number of rows is left to be tried.
"""

from collections.abc import Callable
from dataclasses import dataclass

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

    def training_sides(self, prefix: str = "") -> dict[str, Side]:
        """Return sides that run forward and backward, by number of rows."""
        return {f"{prefix}kernels, {rows} rows": self._side(rows, True) for rows in N_ROWS}

    def inference_sides(self) -> dict[str, Side]:
        """Return sides that run forward, by number of rows."""
        return {f"kernels, {rows} rows": self._side(rows, False) for rows in N_ROWS}

    def _side(self, n_rows: int, trains: bool) -> Side:
        encoder = nn.LSTM(self.input_size, self.hidden_size)
        decoder = nn.LSTM(self.latent_size, self.hidden_size)
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
