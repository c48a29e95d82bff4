"""B9: how the time of a fit and of scores grows with the data."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from benchmarks.speed.data import waves
from benchmarks.speed.detector import plain_detector, silent, time_fit
from benchmarks.speed.row import Measured, Row, Run, Side, Target
from benchmarks.speed.rows.ragged_scores import N_TRAINING_SEQUENCES
from benchmarks.speed.timing import clock
from skl_lstmae import LSTMAutoencoderDetector

N_EPOCHS = 2

# What grows, and the shapes (n_sequences, n_timesteps, n_features) on its way.
SHAPES = {
    "sequences": [(64, 50, 3), (256, 50, 3), (1024, 50, 3), (4096, 50, 3)],
    "steps": [(64, 50, 3), (64, 200, 3), (64, 800, 3), (64, 3200, 3)],
    "features": [(256, 50, 1), (256, 50, 8), (256, 50, 64), (256, 50, 512)],
}
TASKS = "fit", "score"


def sides(quick: bool) -> dict[str, Side]:
    return {
        name: side
        for growing, shapes in SHAPES.items()
        for shape in (shapes[:2] if quick else shapes)
        for name, side in _sides(growing, shape).items()
    }


def judge(measured: dict[str, Measured]) -> list[Target]:
    return [_target(measured, task, growing) for task in TASKS for growing in SHAPES]


def _sides(growing: str, shape: tuple[int, int, int]) -> dict[str, Side]:
    X = waves(*shape)

    def fit(seed):
        return time_fit(plain_detector(N_EPOCHS, scorer="joint", random_state=0), X)

    def score(seed):
        detector = _fitted(n_features=shape[-1])
        start = clock()
        detector.score_samples(X)
        return Run(clock() - start)

    return {_name("fit", growing, shape): fit, _name("score", growing, shape): score}


@cache
def _fitted(n_features: int) -> LSTMAutoencoderDetector:
    """Return a detector with as many references as there can be, whatever it is to score."""
    X = waves(N_TRAINING_SEQUENCES, 50, n_features)
    with silent():
        return plain_detector(1, scorer="joint", random_state=0).fit(X)


def _name(task: str, growing: str, shape: tuple[int, int, int]) -> str:
    return f"{task}, {growing} grow: {' × '.join(map(str, shape))}"


def _target(measured: dict[str, Measured], task: str, growing: str) -> Target:
    """Judge by the line through all sizes, and tell the last step apart: it may be a cliff."""
    names = [_name(task, growing, shape) for shape in SHAPES[growing]]
    seconds = [measured[name].median for name in names]
    sizes = [np.prod(shape) for shape in SHAPES[growing]]
    last = slope(sizes[-2:], seconds[-2:])
    return Target(
        quantity=f"{task}: slope over {growing}",
        reached=slope(sizes, seconds),
        bound=1.1,
        at_least=False,
        unit="",
        aside=f"{last:.2f} from the last size but one to the last",
    )


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the slope of the least-squares line through the logarithms of size and time."""
    log_sizes, log_seconds = np.log(sizes), np.log(seconds)
    centred = log_sizes - log_sizes.mean()
    return float(centred @ log_seconds / (centred @ centred))


B9 = Row(
    name="B9",
    work="cost against size (sequences × steps × features), two epochs and the default scorer: "
    "slope of log time over log size; scores by a detector fitted on 1,100 sequences of 50 steps",
    sides=sides,
    judge=judge,
    where_the_time_goes="into overhead that does not grow, where a slope is well below 1. With the "
    "steps, the rows of a kernel call may change, for calls are bounded: what rows and steps of a "
    "call do to the time of a step, `python -m benchmarks.speed.kernels` prints.",
    measures_memory=False,
)
