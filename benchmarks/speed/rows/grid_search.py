"""B10: a grid search on one process and on two."""

from sklearn.model_selection import GridSearchCV

from benchmarks.speed.data import waves
from benchmarks.speed.detector import plain_detector, silent
from benchmarks.speed.ratios import times_faster
from benchmarks.speed.row import Row, timed

GRID = {"hidden_size": [32, 64], "latent_size": [8, 16], "learning_rate": [0.01, 0.02]}
N_EPOCHS = 5


def sides(quick):
    X = waves(60 if quick else 600, 50, 3)

    def search(n_jobs):
        detector = plain_detector(N_EPOCHS, random_state=0)
        with silent():
            GridSearchCV(detector, GRID, cv=2, n_jobs=n_jobs, refit=False).fit(X)

    return {f"n_jobs={n_jobs}": timed(search, n_jobs) for n_jobs in (1, 2)}


B10 = Row("B10", sides, lambda runs: [times_faster(runs, "n_jobs=2", "n_jobs=1", 1.6)])
