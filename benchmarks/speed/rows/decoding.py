"""B12: an autoregressive decoder that feeds on its own past, beside a loop over nn.LSTMCell."""

import torch
from torch import Tensor, nn

from benchmarks.speed.recipe import torch_linear
from benchmarks.speed.row import Measured, Row, Run, Side, Target, times_faster
from benchmarks.speed.timing import clock
from skl_lstmae.modules import LSTMDecoder

N_SEQUENCES = 64
N_TIMESTEPS = 100
N_FEATURES = 8
HIDDEN_SIZE = 64
LATENT_SIZE = 16


class CellDecoder(nn.Module):
    """A one-layer autoregressive decoder, weights included, as recipes write it."""

    def __init__(self, decoder: LSTMDecoder):
        super().__init__()
        lstm = decoder.stack.layers[0].onward
        self.cell = nn.LSTMCell(lstm.input_size, lstm.hidden_size)
        self.cell.load_state_dict(
            {name.removesuffix("_l0"): weight for name, weight in lstm.state_dict().items()}
        )
        self.head = torch_linear(decoder.head)

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


def sides(quick: bool) -> dict[str, Side]:
    torch.manual_seed(0)
    decoder = LSTMDecoder(
        N_FEATURES, (HIDDEN_SIZE,), LATENT_SIZE, autoregressive=True, teacher_forcing=0.0
    )
    recipe = CellDecoder(decoder)
    lengths = torch.full((N_SEQUENCES,), N_TIMESTEPS)
    latent = torch.randn(N_SEQUENCES, LATENT_SIZE)
    target = torch.zeros(N_SEQUENCES, N_TIMESTEPS, N_FEATURES)

    def infer(network, *arguments):
        network.eval()
        start = clock()
        with torch.inference_mode():
            network(latent, *arguments)
        return Run(clock() - start)

    def train(network, *arguments):
        network.train()
        network.zero_grad()
        start = clock()
        network(latent, *arguments).square().mean().backward()
        return Run(clock() - start)

    return {
        "forward: skl_lstmae": lambda seed: infer(decoder, lengths, target),
        "forward: nn.LSTMCell loop": lambda seed: infer(recipe, N_TIMESTEPS),
        "forward and backward: skl_lstmae": lambda seed: train(decoder, lengths, target),
        "forward and backward: nn.LSTMCell loop": lambda seed: train(recipe, N_TIMESTEPS),
    }


def judge(measured: dict[str, Measured]) -> list[Target]:
    return [
        times_faster(measured, "skl_lstmae", "nn.LSTMCell loop", 2, f"{task}: ")
        for task in ("forward", "forward and backward")
    ]


B12 = Row(
    name="B12",
    work="the autoregressive decoder on its own past: 100 steps, batch 64, 8 features, hidden 64, "
    "latent 16",
    sides=sides,
    judge=judge,
    where_the_time_goes="into the LSTM kernel, whose steps wait for one another, since each needs "
    "the one before.",
    repeats=5,
    measures_memory=False,
)
