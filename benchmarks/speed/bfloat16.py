"""Time epochs in bfloat16 beside float32, in turns, and beside the bare kernels in float32.

The sequences are those of B1. "auto" takes bfloat16 where this was faster.
"""

import argparse

import numpy as np
import torch

from benchmarks.markdown import table
from benchmarks.speed.data import ragged_waves
from benchmarks.speed.detector import plain_detector, silent
from benchmarks.speed.kernels import kernel_side
from benchmarks.speed.rows.epochs import LENGTHS, N_FEATURES, N_SEQUENCES, NETWORK
from skl_lstmae.training.precision import has_bfloat16

WIDTHS = 16, 32, 64, 128
N_ROWS = 16, 32, 64
"""Rows of a call of the bare kernels, of which the fastest counts."""


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    if not has_bfloat16("cpu"):
        print("torch does not train LSTMs in bfloat16 on this processor.")
        return
    X = ragged_waves(options.sequences, LENGTHS, N_FEATURES)
    head = "hidden", "float32, s", "bfloat16, s", "faster", "over float32 kernels"
    print(table(head, (line(X, width, options.repeats) for width in WIDTHS)))


def line(X, width: int, n_repeats: int) -> tuple[str, ...]:
    """Return medians of an epoch's seconds, and of ratios of neighbours in time."""
    n_steps = sum(map(len, X))
    sizes = N_FEATURES, width, NETWORK["latent_size"]
    work = n_steps // len(X), n_steps
    turns = []
    for seed in range(n_repeats):
        exact, rounded = (epoch(X, width, each, seed) for each in ("float32", "bfloat16"))
        bare = min(kernel_side(sizes, rows, *work, trains=True)(seed).seconds for rows in N_ROWS)
        turns.append((exact, rounded, exact / rounded, rounded / bare))
    exact, rounded, faster, over = np.median(turns, axis=0)
    return str(width), f"{exact:.2f}", f"{rounded:.2f}", f"{faster:.2f}", f"{over:.2f}"


def epoch(X, width: int, precision: str, seed: int) -> float:
    """Return the median seconds of an epoch after the first."""
    network = NETWORK | {"hidden_size": width}
    detector = plain_detector(4, precision=precision, random_state=seed, **network)
    with silent():
        detector.fit(X)
    return float(np.median(detector.history_.seconds[1:]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=N_SEQUENCES)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
