"""B1, B4 and B7: an epoch of a fit, beside the packed recipe and beside the bare kernels."""

import torch

from benchmarks.speed.data import ragged_waves, waves
from benchmarks.speed.detector import plain_detector, time_epoch
from benchmarks.speed.kernels import kernel_sides
from benchmarks.speed.ratios import times_faster, times_the_kernels
from benchmarks.speed.recipe import PackedAutoencoder, copy_weights, time_packed_epoch
from benchmarks.speed.row import Row
from benchmarks.speed.rows import equal_fit
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


def ragged(quick):
    return ragged_waves(N_SEQUENCES // 10 if quick else N_SEQUENCES, LENGTHS, N_FEATURES)


def our_side(X, network):
    return lambda seed: time_epoch(plain_detector(N_EPOCHS, random_state=seed, **network), X)


def packed_side(X, network):
    """Return the side of the packed recipe, which starts from weights drawn alike."""

    def run(seed):
        torch.manual_seed(seed)
        recipe = PackedAutoencoder(N_FEATURES, **network)
        copy_weights(LSTMAutoencoder(N_FEATURES, **network), recipe)
        return time_packed_epoch(recipe, X, N_EPOCHS, seed)

    return run


def sides(quick):
    X = ragged(quick)
    both = {"skl_lstmae": our_side(X, NETWORK), "packed recipe": packed_side(X, NETWORK)}
    return both | kernel_sides(X, NETWORK, trains=True)


def sides_beside_kernels(quick):
    found = {}
    equal = waves(*equal_fit.SHAPE)[:: 10 if quick else 1]
    for work, X, network in (
        ("B1", ragged(quick), NETWORK),
        ("B2", equal, equal_fit.NETWORK),
    ):
        found[f"{work}: skl_lstmae"] = our_side(X, network)
        for name, side in kernel_sides(X, network, trains=True).items():
            found[f"{work}: {name}"] = side
    return found


def sides_of_other_networks(quick):
    X, found = ragged(quick), {}
    for name, parameters in OTHER_NETWORKS.items():
        found[f"{name}: skl_lstmae"] = our_side(X, NETWORK | parameters)
        found[f"{name}: packed recipe"] = packed_side(X, NETWORK | parameters)
    return found


B1 = Row(
    "B1",
    sides,
    lambda runs: [times_faster(runs, "skl_lstmae", "packed recipe", 8)],
    apart=True,
)

B4 = Row(
    "B4",
    sides_beside_kernels,
    lambda runs: [times_the_kernels(runs, "skl_lstmae", 1.15, work) for work in ("B1: ", "B2: ")],
)

B7 = Row(
    "B7",
    sides_of_other_networks,
    lambda runs: [
        times_faster(runs, "skl_lstmae", "packed recipe", 4, f"{name}: ") for name in OTHER_NETWORKS
    ],
    apart=True,
)
