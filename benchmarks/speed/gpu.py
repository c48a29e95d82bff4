"""Time epochs and scores on a GPU, beside the packed recipe and beside batches that wait there.

Each row of the first table is the median of some epochs, of sequences of 20 to 200 steps of 8
features. The packed recipe sends its batches from the host. The dense batches are padded, of like
lengths, and on the device before the clock starts: what a loop of its own reaches at best.
"""

import argparse
from time import perf_counter

import numpy as np
import torch

from benchmarks.markdown import table
from benchmarks.speed.data import ragged_waves, waves
from benchmarks.speed.dense import DenseAutoencoder, dense_batches, time_dense_epoch
from benchmarks.speed.detector import plain_detector, silent
from benchmarks.speed.recipe import PackedAutoencoder, time_packed_epoch
from benchmarks.speed.row import time_call
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.training.devices import resolve_device

LENGTHS, N_FEATURES, LATENT_SIZE, N_EPOCHS = (20, 200), 8, 16, 4

SIZES = [(64, 32), (64, 64), (64, 256), (64, 1024), (256, 64), (256, 256)]
"""Hidden units and sequences of a batch."""


def main() -> None:
    options = _options()
    device = resolve_device(options.device)
    if device.type == "cpu" and options.device == "auto":
        print("There is no GPU here; --device cpu --small tries what would be measured on one.")
        return
    torch.set_num_threads(1)
    share = 100 if options.small else 1
    print(f"{_name(device)}, torch {torch.__version__}\n")
    print(epochs_table(device, 2000 // share, SIZES[:1] if options.small else SIZES), "", sep="\n")
    print(scores_table(device, 20_000 // share), "", sep="\n")
    print(windows_table(device, 60_000 // share, 30 // (10 if options.small else 1)))


def epochs_table(device: torch.device, n_sequences: int, sizes: list[tuple[int, int]]) -> str:
    X, lines = ragged_waves(n_sequences, LENGTHS, N_FEATURES), []
    for hidden_size, batch_size in sizes:
        ours, packed, dense = (
            side(X, hidden_size, batch_size, device) for side in (_ours, _packed, _dense)
        )
        ratios = f"{ours / dense:.2f}", f"{packed / ours:.1f}"
        seconds = (f"{each:.3f}" for each in (ours, packed, dense))
        lines.append((f"{hidden_size}, {batch_size}", *seconds, *ratios))
    head = "hidden, batch", "skl_lstmae, s", "packed recipe, s", "dense batches, s"
    return table((*head, "skl_lstmae / dense", "packed / skl_lstmae"), lines)


def scores_table(device: torch.device, n_sequences: int) -> str:
    X, lines = ragged_waves(n_sequences, LENGTHS, N_FEATURES), []
    for scorer in ("error", "joint"):
        detector = plain_detector(1, scorer=scorer, latent_size=LATENT_SIZE, device=device)
        with silent():
            detector.set_params(random_state=0).fit(X[:1100])
        seconds = min(time_call(detector.score_samples, X) for _ in range(3))
        lines.append((f"{n_sequences} sequences, scorer={scorer!r}", f"{seconds:.2f}"))
    return table(("score_samples of", "s"), lines)


def windows_table(device: torch.device, n_rows: int, n_features: int) -> str:
    X = waves(1, n_rows, n_features)[0]
    inner = LSTMAutoencoderDetector(max_epochs=2, device=device, random_state=0)
    detector = SlidingWindowDetector(inner, window_size=50)
    with silent():
        fit = time_call(detector.fit, X)
    score = time_call(detector.score_samples, X[: n_rows // 3])
    lines = [
        (f"fit on {n_rows} rows, 2 epochs", f"{fit:.2f}"),
        (f"score_samples of {n_rows // 3} rows", f"{score:.2f}"),
    ]
    return table((f"windows of 50 rows of {n_features} features", "s"), lines)


def _ours(X, hidden_size: int, batch_size: int, device: torch.device) -> float:
    detector = plain_detector(
        1 + N_EPOCHS,
        hidden_size=hidden_size,
        latent_size=LATENT_SIZE,
        batch_size=batch_size,
        device=device,
        random_state=0,
    )
    with silent():
        detector.fit(X)
    return float(np.median(detector.history_.seconds[1:]))


def _packed(X, hidden_size: int, batch_size: int, device: torch.device) -> float:
    torch.manual_seed(0)
    network = PackedAutoencoder(N_FEATURES, hidden_size, LATENT_SIZE).to(device)
    return time_packed_epoch(network, X, 1 + N_EPOCHS, seed=0, batch_size=batch_size).seconds


def _dense(X, hidden_size: int, batch_size: int, device: torch.device) -> float:
    torch.manual_seed(0)
    network = DenseAutoencoder(N_FEATURES, hidden_size, LATENT_SIZE).to(device)
    return time_dense_epoch(network, dense_batches(X, batch_size, device), 1 + N_EPOCHS)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", help="such as cuda:1; a GPU by default")
    parser.add_argument("--small", action="store_true", help="a hundredth of the data")
    return parser.parse_args()


if __name__ == "__main__":
    start = perf_counter()
    main()
    print(f"\nin {perf_counter() - start:.0f} s")
