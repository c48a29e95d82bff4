"""B9: how the time of a fit and of scores grows with the data."""

from functools import cache, partial
from itertools import product

import numpy as np

from benchmarks.speed.data import waves
from benchmarks.speed.detector import plain_detector, silent, time_fit
from benchmarks.speed.ratios import median_seconds
from benchmarks.speed.row import Row, Run, Target, time_call
from benchmarks.speed.rows.scores import N_TRAINING_SEQUENCES

N_EPOCHS = 2

# What grows, and the shapes (n_sequences, n_timesteps, n_features) on its way.
SHAPES = {
    "sequences": [(64, 50, 3), (256, 50, 3), (1024, 50, 3), (4096, 50, 3)],
    "steps": [(64, 50, 3), (64, 200, 3), (64, 800, 3), (64, 3200, 3)],
    "features": [(256, 50, 1), (256, 50, 8), (256, 50, 64), (256, 50, 512)],
}


def fit(shape, seed):
    return time_fit(plain_detector(N_EPOCHS, scorer="joint", random_state=0), waves(*shape))


def score(shape, seed):
    return Run(time_call(fitted(shape[-1]).score_samples, waves(*shape)))


TASKS = {"fit": fit, "score": score}


@cache
def fitted(n_features):
    """Return a detector with as many references as there can be, whatever it is to score."""
    X = waves(N_TRAINING_SEQUENCES, 50, n_features)
    with silent():
        return plain_detector(1, scorer="joint", random_state=0).fit(X)


def sides(quick):
    return {
        side_name(task, growing, shape): partial(TASKS[task], shape)
        for growing, shapes in SHAPES.items()
        for shape, task in product(shapes[:2] if quick else shapes, TASKS)
    }


def side_name(task, growing, shape):
    return f"{task}, {growing} grow: {' × '.join(map(str, shape))}"


def judge(runs):
    return [judge_growth(runs, task, growing) for task, growing in product(TASKS, SHAPES)]


def judge_growth(runs, task, growing):
    """Judge by the line through all sizes, and tell the last step apart: it may be a cliff."""
    shapes = SHAPES[growing]
    sizes = np.log(np.prod(shapes, axis=1))
    seconds = np.log([median_seconds(runs, side_name(task, growing, shape)) for shape in shapes])
    slope, _ = np.polyfit(sizes, seconds, 1)
    last_slope, _ = np.polyfit(sizes[-2:], seconds[-2:], 1)
    aside = f"{last_slope:.2f} from the last size but one to the last"
    return Target(f"{task}: slope over {growing}", slope, 1.1, False, unit="", aside=aside)


B9 = Row("B9", sides, judge)
