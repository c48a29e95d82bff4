"""B12: an autoregressive decoder that feeds on its own past, beside a loop over nn.LSTMCell."""

import torch
from torch import Tensor, nn

from benchmarks.speed.ratios import times_faster
from benchmarks.speed.recipe import copy_weights
from benchmarks.speed.row import Row, timed
from skl_lstmae.modules import LSTMDecoder

N_SEQUENCES, N_TIMESTEPS, N_FEATURES = 64, 100, 8
HIDDEN_SIZE, LATENT_SIZE = 64, 16


class CellDecoder(nn.Module):
    """A one-layer autoregressive decoder as recipes write it."""

    def __init__(self, output_size: int, hidden_size: int, latent_size: int):
        super().__init__()
        self.cell = nn.LSTMCell(latent_size + output_size, hidden_size)
        self.head = nn.Linear(hidden_size, output_size)

    def forward(self, latent: Tensor, n_timesteps: int) -> Tensor:
        """Decode latents, (batch, latent_size), step by step."""
        hidden = cell = latent.new_zeros(len(latent), self.cell.hidden_size)
        prediction = latent.new_zeros(len(latent), self.head.out_features)
        predictions = []
        for _ in range(n_timesteps):
            hidden, cell = self.cell(torch.cat([latent, prediction], dim=1), (hidden, cell))
            prediction = self.head(hidden)
            predictions.append(prediction)
        return torch.stack(predictions, dim=1)


def sides(quick):
    torch.manual_seed(0)
    decoder = LSTMDecoder(
        N_FEATURES, (HIDDEN_SIZE,), LATENT_SIZE, autoregressive=True, teacher_forcing=0.0
    )
    recipe = CellDecoder(N_FEATURES, HIDDEN_SIZE, LATENT_SIZE)
    copy_weights(decoder, recipe)
    latent = torch.randn(N_SEQUENCES, LATENT_SIZE)
    target = torch.zeros(N_SEQUENCES, N_TIMESTEPS, N_FEATURES)
    decoders = {
        "skl_lstmae": (decoder, torch.full((N_SEQUENCES,), N_TIMESTEPS), target),
        "nn.LSTMCell loop": (recipe, N_TIMESTEPS),
    }

    @torch.inference_mode()
    def infer(network, *arguments):
        network.eval()(latent, *arguments)

    def train(network, *arguments):
        network.zero_grad()
        network.train()(latent, *arguments).square().mean().backward()

    return {
        f"{task}: {name}": timed(call, *arguments)
        for task, call in {"forward": infer, "forward and backward": train}.items()
        for name, arguments in decoders.items()
    }


B12 = Row(
    "B12",
    sides,
    lambda runs: [
        times_faster(runs, "skl_lstmae", "nn.LSTMCell loop", 2, work)
        for work in ("forward: ", "forward and backward: ")
    ],
    repeats=5,
)
