"""B1, B4 and B7: an epoch of a fit, beside the packed recipe and beside the bare kernels."""

from functools import partial

import torch

from benchmarks.speed.data import ragged_waves, waves
from benchmarks.speed.dense import DenseAutoencoder, dense_batches, time_dense_epoch
from benchmarks.speed.detector import BATCH_SIZE, plain_detector, time_epoch
from benchmarks.speed.kernels import kernel_sides
from benchmarks.speed.ratios import DENSE, times_faster, times_the_kernels
from benchmarks.speed.recipe import PackedAutoencoder, copy_weights, time_packed_epoch
from benchmarks.speed.row import Row, Run
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


def equal(quick):
    return waves(*equal_fit.SHAPE)[:: 10 if quick else 1]


def ours(X, network):
    detector = partial(plain_detector, N_EPOCHS, **network)
    return {"skl_lstmae": lambda seed: time_epoch(detector(random_state=seed), X)}


def packed(X, network):
    """Return the side of the packed recipe, which starts from weights drawn alike."""

    def run(seed):
        torch.manual_seed(seed)
        recipe = PackedAutoencoder(N_FEATURES, **network)
        copy_weights(LSTMAutoencoder(N_FEATURES, **network), recipe)
        return time_packed_epoch(recipe, X, N_EPOCHS, seed)

    return {"packed recipe": run}


def dense(X, network):
    """Return the side whose batches are padded before the clock starts."""

    def run(seed):
        torch.manual_seed(seed)
        plain = DenseAutoencoder(X[0].shape[1], network["hidden_size"], network["latent_size"])
        batches = dense_batches(X, BATCH_SIZE, torch.device("cpu"))
        return Run(time_dense_epoch(plain, batches, N_EPOCHS))

    return {DENSE: run}


kernels = partial(kernel_sides, trains=True)


def sides(works, kinds, quick):
    """Return sides of each kind at each work, data and a network; its name begins theirs."""
    return {
        f"{work}{name}": side
        for work, (data, network) in works.items()
        for kind in kinds
        for name, side in kind(data(quick), network).items()
    }


PLAIN = {"": (ragged, NETWORK)}
FITS = {"B1: ": (ragged, NETWORK), "B2: ": (equal, equal_fit.NETWORK)}
OTHERS = {f"{name}: ": (ragged, NETWORK | changes) for name, changes in OTHER_NETWORKS.items()}

B1 = Row(
    "B1",
    partial(sides, PLAIN, (ours, packed, kernels)),
    lambda runs: [times_faster(runs, "skl_lstmae", "packed recipe", 8)],
    apart=True,
)

B4 = Row(
    "B4",
    partial(sides, FITS, (ours, dense, kernels)),
    lambda runs: [times_the_kernels(runs, "skl_lstmae", 1.15, work) for work in FITS],
)

B7 = Row(
    "B7",
    partial(sides, OTHERS, (ours, packed)),
    lambda runs: [times_faster(runs, "skl_lstmae", "packed recipe", 4, work) for work in OTHERS],
    apart=True,
)
