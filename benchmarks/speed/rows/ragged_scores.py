"""B5: scores of many ragged sequences, beside the bare kernels and the packed recipe."""

from collections.abc import Sequence

import numpy as np

from benchmarks.speed.data import ragged_waves
from benchmarks.speed.detector import BATCH_SIZE, plain_detector, silent
from benchmarks.speed.kernels import Kernels
from benchmarks.speed.recipe import PackedAutoencoder, packed_errors
from benchmarks.speed.row import Measured, Row, Run, Side, Target, times_faster, times_the_kernels
from benchmarks.speed.rows.ragged_fit import LENGTHS, N_FEATURES, NETWORK
from benchmarks.speed.timing import clock
from skl_lstmae import LSTMAutoencoderDetector

N_SEQUENCES = 20_000
N_TRAINING_SEQUENCES = 1100  # more than the references, of which there are 1024

SCORERS = "error", "joint"


def sides(quick: bool) -> dict[str, Side]:
    sequences = ragged_waves(N_SEQUENCES // 20 if quick else N_SEQUENCES, LENGTHS, N_FEATURES)
    detectors = fitted_detectors(sequences[:N_TRAINING_SEQUENCES])
    network = PackedAutoencoder(detectors["error"].module_).eval()

    def score(scorer):
        start = clock()
        detectors[scorer].score_samples(sequences)
        return Run(clock() - start)

    def packed(seed):
        start = clock()
        packed_errors(network, sequences, BATCH_SIZE)
        return Run(clock() - start)

    return {
        **{f"skl_lstmae, scorer={scorer!r}": lambda seed, s=scorer: score(s) for scorer in SCORERS},
        "packed recipe": packed,
        **Kernels.over(sequences, NETWORK).inference_sides(),
    }


def fitted_detectors(training: Sequence[np.ndarray]) -> dict[str, LSTMAutoencoderDetector]:
    """Return a detector for each scorer, trained for one epoch."""
    with silent():
        return {
            scorer: plain_detector(1, scorer=scorer, random_state=0, **NETWORK).fit(training)
            for scorer in SCORERS
        }


def judge(measured: dict[str, Measured]) -> list[Target]:
    return [
        target
        for scorer in SCORERS
        for target in (
            times_the_kernels(measured, f"skl_lstmae, scorer={scorer!r}", 1.25),
            times_faster(measured, f"skl_lstmae, scorer={scorer!r}", "packed recipe", 4),
        )
    ]


B5 = Row(
    name="B5",
    work="`score_samples` of 20,000 sequences of 20–200 steps × 8 features, hidden 64, latent 16; "
    "the packed recipe's score is the mean error, the detector's default several distances",
    sides=sides,
    judge=judge,
    where_the_time_goes="into the kernels, and beyond them `scorer='error'` pads, gathers and "
    "measures errors in float64, and `scorer='joint'` distances to 1,024 training sequences in "
    "each of four views. No more can be had over the packed recipe than the bare kernels have.",
)
