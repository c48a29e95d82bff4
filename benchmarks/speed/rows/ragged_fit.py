"""B1 and B7: an epoch of a fit on ragged sequences, beside the packed recipe."""

from typing import Any

import numpy as np
import torch

from benchmarks.speed.data import ragged_waves
from benchmarks.speed.detector import plain_detector, time_epoch
from benchmarks.speed.kernels import Kernels
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
    kernels = Kernels.over(_sequences(quick), NETWORK)
    return both_sides(quick, NETWORK) | kernels.training_sides()


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
    sequences = _sequences(quick)

    def ours(seed):
        return time_epoch(plain_detector(N_EPOCHS, random_state=seed, **network), sequences)

    def packed(seed):
        torch.manual_seed(seed)
        module = LSTMAutoencoder(N_FEATURES, **network)
        return time_packed_epoch(module, sequences, N_EPOCHS, seed)

    return {"skl_lstmae": ours, "packed recipe": packed}


def _sequences(quick: bool) -> list[np.ndarray]:
    return ragged_waves(N_SEQUENCES // 10 if quick else N_SEQUENCES, LENGTHS, N_FEATURES)


B1 = Row(
    name="B1",
    work="one epoch of a fit: 2,000 sequences of 20–200 steps × 8 features, hidden 64, latent 16, "
    "batch 64; loss after 3 epochs",
    sides=plain_sides,
    judge=judge_plain,
    where_the_time_goes="into the LSTM kernels, of which padding is part. No more can be had over "
    "the packed recipe than the bare kernels have.",
    apart=True,
)

B7 = Row(
    name="B7",
    work="the same with other networks, each beside the packed recipe of the same network",
    sides=other_sides,
    judge=judge_others,
    where_the_time_goes="into the LSTM kernels, as in B1.",
    apart=True,
)
