"""B1 and B7: an epoch of a fit on ragged sequences, beside the packed recipe."""

from typing import Any

import torch

from benchmarks.speed.data import ragged_waves
from benchmarks.speed.detector import plain_detector, time_epoch
from benchmarks.speed.recipe import time_packed_epoch
from benchmarks.speed.row import Measured, Row, Side, Target, times_faster
from skl_lstmae.modules import LSTMAutoencoder

N_SEQUENCES = 2000
LENGTHS = 20, 200
N_FEATURES = 8
NETWORK = {"hidden_size": 64, "latent_size": 16, "bottleneck": "last"}
N_EPOCHS = 3

OTHER_NETWORKS = {
    "bidirectional both": {"bidirectional": "both"},
    "stacked (64, 32)": {"hidden_size": (64, 32)},
    "sequence bottleneck": {"bottleneck": "sequence"},
}


def plain_sides(quick: bool) -> dict[str, Side]:
    return both_sides(quick, NETWORK)


def judge_plain(measured: dict[str, Measured]) -> list[Target]:
    return [times_faster(measured, "skl_lstmae", "packed recipe", 8)]


def other_sides(quick: bool) -> dict[str, Side]:
    return {
        f"{network}: {name}": side
        for network, parameters in OTHER_NETWORKS.items()
        for name, side in both_sides(quick, NETWORK | parameters).items()
    }


def judge_others(measured: dict[str, Measured]) -> list[Target]:
    return [
        times_faster(measured, "skl_lstmae", "packed recipe", 4, f"{network}: ")
        for network in OTHER_NETWORKS
    ]


def both_sides(quick: bool, network: dict[str, Any]) -> dict[str, Side]:
    """Return the sides for one network, both to start from weights drawn alike."""
    sequences = ragged_waves(N_SEQUENCES // 10 if quick else N_SEQUENCES, LENGTHS, N_FEATURES)

    def ours(seed):
        return time_epoch(plain_detector(N_EPOCHS, random_state=seed, **network), sequences)

    def packed(seed):
        torch.manual_seed(seed)
        module = LSTMAutoencoder(N_FEATURES, **network)
        return time_packed_epoch(module, sequences, N_EPOCHS, seed)

    return {"skl_lstmae": ours, "packed recipe": packed}


B1 = Row(
    name="B1",
    work="one epoch of a fit: 2,000 sequences of 20–200 steps × 8 features, hidden 64, latent 16, "
    "batch 64; loss after 3 epochs",
    sides=plain_sides,
    judge=judge_plain,
    where_the_time_goes="into the LSTM kernels, which take about five sixths of an epoch; padding "
    "is part of that. Gathering, bottleneck and head, and optimizer take one to three per cent "
    "each, as `python -m benchmarks.speed.profile` prints. What could be had at the most is the "
    "time of the packed recipe over that of the best kernels in B4.",
)

B7 = Row(
    name="B7",
    work="the same with other networks, each beside the packed recipe of the same network",
    sides=other_sides,
    judge=judge_others,
)
