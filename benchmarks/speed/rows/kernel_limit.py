"""B4: an epoch of B1 and of B2 beside the bare kernels, which nothing around them can beat."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.speed.data import ragged_waves, waves
from benchmarks.speed.detector import plain_detector, time_epoch
from benchmarks.speed.kernels import Kernels
from benchmarks.speed.row import Measured, Row, Side, Target, times_the_kernels
from benchmarks.speed.rows import equal_fit, ragged_fit

N_EPOCHS = 3


def sides(quick: bool) -> dict[str, Side]:
    part = 10 if quick else 1
    ragged = ragged_waves(ragged_fit.N_SEQUENCES // part, ragged_fit.LENGTHS, ragged_fit.N_FEATURES)
    equal = waves(*equal_fit.SHAPE)[::part]
    return _sides("B1", ragged, ragged_fit.NETWORK) | _sides("B2", equal, equal_fit.NETWORK)


def judge(measured: dict[str, Measured]) -> list[Target]:
    return [times_the_kernels(measured, "skl_lstmae", 1.15, f"{work}: ") for work in ("B1", "B2")]


def _sides(work: str, X: Sequence[np.ndarray], network: dict[str, Any]) -> dict[str, Side]:
    def ours(seed):
        return time_epoch(plain_detector(N_EPOCHS, random_state=seed, **network), X)

    return {
        f"{work}: {name}": side
        for name, side in ({"skl_lstmae": ours} | Kernels.over(X, network).training_sides()).items()
    }


B4 = Row(
    name="B4",
    work="an epoch of B1 and of B2, beside torch's LSTM kernels, forward and backward over just "
    "the valid steps, in batches of one length, time-major, with no estimator around them",
    sides=sides,
    judge=judge,
    where_the_time_goes="an epoch has batches of many lengths in B1, where the kernels have one, "
    "pads and gathers them, and runs bottleneck, head, loss and optimizer.",
    measures_memory=False,
)
