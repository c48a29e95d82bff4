"""B10: a grid search on one process and on two."""

import os
from time import perf_counter

from sklearn.model_selection import GridSearchCV

from benchmarks.speed.data import waves
from benchmarks.speed.detector import plain_detector, silent
from benchmarks.speed.row import Measured, Row, Run, Side, Target, UnavailableError, times_faster
from benchmarks.speed.timing import CPU_TIME

GRID = {"hidden_size": [32, 64], "latent_size": [8, 16], "learning_rate": [1e-3, 3e-3]}
N_EPOCHS = 5


def sides(quick: bool) -> dict[str, Side]:
    X = waves(60 if quick else 600, 50, 3)

    def search(n_jobs):
        if CPU_TIME in os.environ:
            raise UnavailableError("the processor's time of this process leaves out the others'")
        detector = plain_detector(N_EPOCHS, random_state=0)
        grid = GridSearchCV(detector, GRID, cv=2, n_jobs=n_jobs, refit=False)
        start = perf_counter()
        with silent():
            grid.fit(X)
        return Run(perf_counter() - start)

    return {
        "n_jobs=1": lambda seed: search(1),
        "n_jobs=2": lambda seed: search(2),
    }


def judge(measured: dict[str, Measured]) -> list[Target]:
    return [times_faster(measured, "n_jobs=2", "n_jobs=1", 1.6)]


B10 = Row(
    name="B10",
    work="a grid search of 8 candidates, two folds each, 600 × 50 × 3, 5 epochs; joblib's workers "
    "are started by the warm-up",
    sides=sides,
    judge=judge,
    where_the_time_goes="into the fits. Two processes can at best halve it, and only where nothing "
    "else needs the two cores; neither has work at the end if the other's last fit takes longer.",
    measures_memory=False,
)
