"""The limit: torch's LSTM kernels for one encoder and one decoder layer, and nothing around them.

No padding, no data to gather, no bottleneck, head, loss or optimizer: every step is a real one, in
batches of one length, in the layout that the kernels take. The number of rows is left to be tried.

Run as a module, this prints how many thousand steps a second they take by rows and steps of a call,
which is why the package bounds its calls.
"""

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks.speed.row import Run, Side, time_call

N_ROWS = (16, 32, 48, 64, 96, 128, 256)
"""Batch sizes to try."""


def kernel_sides(sequences, network, trains: bool) -> dict[str, Side]:
    """Return sides that take as many steps as the sequences have, by rows of mean length."""
    lengths = [len(sequence) for sequence in sequences]
    sizes = sequences[0].shape[1], network["hidden_size"], network["latent_size"]
    work = round(np.mean(lengths)), sum(lengths)
    return {
        f"kernels, {n_rows} rows": kernel_side(sizes, n_rows, *work, trains) for n_rows in N_ROWS
    }


def kernel_side(
    sizes: tuple[int, int, int], n_rows: int, n_timesteps: int, n_steps: int, trains: bool
) -> Side:
    """Return the side that has so many rows of a length in a call.

    It makes as many calls as `n_steps` take, the last of which may count in part. `sizes` are those
    of the encoder's input, of the layers and of the latent, which the decoder reads.
    """
    input_size, hidden_size, latent_size = sizes
    layers = [
        (nn.LSTM(size, hidden_size), torch.randn(n_timesteps, n_rows, size))
        for size in (input_size, latent_size)
    ]
    _, latent = layers[1]
    latent.requires_grad_(trains)
    gradient = torch.randn(n_timesteps, n_rows, hidden_size)
    n_calls = n_steps / (n_rows * n_timesteps)
    n_whole_calls = max(1, round(n_calls))

    def run() -> None:
        for _ in range(n_whole_calls):
            latent.grad = None
            for lstm, x in layers:
                lstm.zero_grad()
                output, _ = lstm(x)
                if trains:
                    output.backward(gradient)

    call = run if trains else torch.inference_mode()(run)
    return lambda seed: Run(time_call(call) * n_calls / n_whole_calls)


def thousand_steps_a_second(n_rows: int, n_timesteps: int, trains: bool) -> float:
    """Measure by the fastest of three, with the sizes of B1."""
    n_steps = max(30_000, n_rows * n_timesteps)
    side = kernel_side((8, 64, 16), n_rows, n_timesteps, n_steps, trains)
    return n_steps / min(side(seed).seconds for seed in range(3)) / 1000


if __name__ == "__main__":
    torch.set_num_threads(1)
    lengths = (25, 50, 100, 200, 400, 800, 3200)
    for trains in (True, False):
        rates = {
            n_rows: [thousand_steps_a_second(n_rows, length, trains) for length in lengths]
            for n_rows in (1, 2, 4, 8, 16, 32, 64, 128)
        }
        print("forward and backward" if trains else "forward, inference", "by rows and steps:")
        print(pd.DataFrame(rates, index=lengths).round())
