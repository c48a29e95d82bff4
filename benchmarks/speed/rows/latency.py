"""B6: the score of one short sequence, beside a bare forward pass."""

import torch

from benchmarks.speed.data import waves
from benchmarks.speed.recipe import PackedAutoencoder
from benchmarks.speed.row import Measured, Row, Run, Side, Target
from benchmarks.speed.rows.ragged_fit import N_FEATURES
from benchmarks.speed.rows.ragged_scores import N_TRAINING_SEQUENCES, SCORERS, fitted_detectors
from benchmarks.speed.timing import clock

N_TIMESTEPS = 100


def sides(quick: bool) -> dict[str, Side]:
    n_training = 100 if quick else N_TRAINING_SEQUENCES
    detectors = fitted_detectors(waves(n_training, N_TIMESTEPS, N_FEATURES))
    network = PackedAutoencoder(detectors["error"].module_).eval()
    sequence = waves(1, N_TIMESTEPS, N_FEATURES, seed=1)
    x = torch.from_numpy(sequence)

    def score(scorer):
        start = clock()
        detectors[scorer].score_samples([sequence[0]])
        return Run(clock() - start)

    def forward(seed):
        start = clock()
        with torch.inference_mode():
            _forward(network, x)
        return Run(clock() - start)

    return {
        **{_side(scorer): lambda seed, s=scorer: score(s) for scorer in SCORERS},
        "bare forward": forward,
    }


def judge(measured: dict[str, Measured]) -> list[Target]:
    forward = measured["bare forward"].median
    return [
        Target(
            f"{side}: p50 over that of the forward",
            measured[side].median / forward,
            2.5,
            at_least=False,
        )
        for side in map(_side, SCORERS)
    ]


def _side(scorer: str) -> str:
    return f"skl_lstmae, scorer={scorer!r}"


def _forward(network: PackedAutoencoder, x: torch.Tensor) -> torch.Tensor:
    """Run the same layers without packing or padding."""
    _, (hidden, _) = network.encoder[0](x)
    latent = network.to_latent(hidden[-1]).unsqueeze(1).expand(-1, x.shape[1], -1)
    return network.head(network.decoder[0](latent)[0])


B6 = Row(
    name="B6",
    work="latency of `score_samples` of one sequence of 100 steps × 8 features, hidden 64, latent "
    "16, beside `nn.LSTM`, `nn.Linear`, `nn.LSTM`, `nn.Linear`",
    sides=sides,
    judge=judge,
    where_the_time_goes="into the forward pass, and beyond it into reading and checking the input, "
    "the batch and the error; `scorer='joint'` adds summaries of the sequence and its distances to "
    "1,024 training sequences in each of four views.",
    repeats=200,
    measures_memory=False,
)
