"""B5 and B6: scores of many sequences and of one, beside the packed recipe and bare layers."""

import torch
from torch import nn

from benchmarks.speed.data import ragged_waves, waves
from benchmarks.speed.dense import DenseAutoencoder, dense_errors
from benchmarks.speed.detector import plain_detector, silent
from benchmarks.speed.kernels import kernel_sides
from benchmarks.speed.ratios import DENSE, median_seconds, times_faster, times_the_kernels
from benchmarks.speed.recipe import PackedAutoencoder, copy_weights, packed_errors
from benchmarks.speed.row import Row, Target, timed
from benchmarks.speed.rows.epochs import LENGTHS, N_FEATURES, NETWORK

N_SEQUENCES = 20_000
N_TRAINING_SEQUENCES = 1100  # more than the references, of which there are 1024
N_TIMESTEPS = 100  # of the one sequence

CALL_ROWS = 64
"""Sequences of a batch of the dense loop, as of ours."""

OURS = {scorer: f"skl_lstmae, scorer={scorer!r}" for scorer in ("error", "joint")}


def our_sides(training, X):
    """Return a side for each scorer, whose detector was trained for one epoch, and a network."""
    found = {}
    for scorer, name in OURS.items():
        detector = plain_detector(1, scorer=scorer, random_state=0, **NETWORK)
        with silent():
            detector.fit(training)
        found[name] = timed(detector.score_samples, X)
    return found, detector.module_


def sides_of_many(quick):
    X = ragged_waves(N_SEQUENCES // 20 if quick else N_SEQUENCES, LENGTHS, N_FEATURES)
    ours, network = our_sides(X[:N_TRAINING_SEQUENCES], X)
    packed = PackedAutoencoder(N_FEATURES, **NETWORK)
    copy_weights(network, packed)
    recipe = {"packed recipe": timed(packed_errors, packed, X)}
    plain = DenseAutoencoder(N_FEATURES, NETWORK["hidden_size"], NETWORK["latent_size"])
    copy_weights(network, plain)
    dense = {DENSE: timed(dense_errors, plain, X, CALL_ROWS)}
    return ours | recipe | dense | kernel_sides(X, NETWORK, trains=False)


def judge_many(runs):
    return [
        target
        for ours in OURS.values()
        for target in (
            times_the_kernels(runs, ours, 1.25),
            times_faster(runs, ours, "packed recipe", 4),
        )
    ]


def sides_of_one(quick):
    training = waves(100 if quick else N_TRAINING_SEQUENCES, N_TIMESTEPS, N_FEATURES)
    x = waves(1, N_TIMESTEPS, N_FEATURES, seed=1)
    ours, _ = our_sides(training, list(x))
    return ours | {"bare forward": timed(bare_forward(), torch.from_numpy(x))}


def bare_forward():
    """Return a pass through layers of the same sizes, without packing or padding."""
    hidden_size, latent_size = NETWORK["hidden_size"], NETWORK["latent_size"]
    encoder = nn.LSTM(N_FEATURES, hidden_size, batch_first=True)
    to_latent = nn.Linear(hidden_size, latent_size)
    decoder = nn.LSTM(latent_size, hidden_size, batch_first=True)
    head = nn.Linear(hidden_size, N_FEATURES)

    @torch.inference_mode()
    def forward(x):
        _, (hidden, _) = encoder(x)
        latent = to_latent(hidden[-1]).unsqueeze(1).expand(-1, x.shape[1], -1)
        return head(decoder(latent)[0])

    return forward


def judge_one(runs):
    forward = median_seconds(runs, "bare forward")
    reached = {ours: median_seconds(runs, ours) / forward for ours in OURS.values()}
    return [
        Target(f"{ours}: median time relative to the forward pass", ratio, 2.5, at_least=False)
        for ours, ratio in reached.items()
    ]


B5 = Row("B5", sides_of_many, judge_many, apart=True)

B6 = Row("B6", sides_of_one, judge_one, repeats=200)
