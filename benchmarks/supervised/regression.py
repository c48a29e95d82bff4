"""Measure how well numbers are predicted with default parameters, beside simple methods.

Run as ``python -m benchmarks.supervised.regression --data DIR``; it takes minutes. What is asked of
recordings is what is left of them, as of a machine its remaining useful life: each is cut at a
random step, and the number of steps after it is the target.
"""

import argparse
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import torch
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.markdown import table
from benchmarks.supervised.__main__ import DATA
from benchmarks.supervised.data import Case, load
from benchmarks.supervised.methods import n_in_leaf, summaries
from skl_lstmae import LSTMRegressor
from skl_lstmae.datasets import load_nyc_taxi

SHORTEST = 4
"""Steps of a recording that are read at least."""

WEEK, TRAINED = 7, 113
"""Days that are read, and days to learn from."""


def next_day(data: Path) -> Case:
    """Return weeks of the taxis in steps of four hours, and the passengers of the day after."""
    days = load_nyc_taxi().data.reshape(-1, 48)
    steps = days.reshape(len(days), 6, 8).sum(axis=2)
    X = [steps[end - WEEK : end].reshape(-1, 1) for end in range(WEEK, len(days))]
    y = days[WEEK:].sum(axis=1)
    return Case(X[:TRAINED], y[:TRAINED], X[TRAINED:], y[TRAINED:])


def steps_left(name: str, data: Path) -> Case | None:
    """Return the beginnings of a set's recordings, and how many steps of each are left."""
    case, rng = load(name, data), np.random.default_rng(0)
    if case is None:
        return None
    parts = []
    for X in (case.X_train, case.X_test):
        read = [int(rng.integers(SHORTEST, len(x))) for x in X]
        parts.append([x[:n] for x, n in zip(X, read, strict=True)])
        parts.append(np.array([len(x) - n for x, n in zip(X, read, strict=True)], dtype=float))
    return Case(*parts)


SETS: dict[str, Callable[[Path], Case | None]] = {
    "taxis, next day": next_day,
    "vowels, steps left": lambda data: steps_left("vowels", data),
    "gestures, steps left": lambda data: steps_left("gestures", data),
}


def of_summaries(regressor):
    """Return a method that fits a regressor of tables to summaries of sequences."""
    return lambda case: (
        regressor(case).fit(summaries(case.X_train), case.y_train).predict(summaries(case.X_test))
    )


def ours(case: Case, seed: int) -> np.ndarray:
    return LSTMRegressor(random_state=seed).fit(case.X_train, case.y_train).predict(case.X_test)


SIMPLE = {
    "mean": of_summaries(lambda case: DummyRegressor()),
    "summaries + ridge": of_summaries(
        lambda case: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13)))
    ),
    "summaries + boosting": of_summaries(
        lambda case: HistGradientBoostingRegressor(
            min_samples_leaf=n_in_leaf(case.X_train), random_state=0
        )
    ),
}
"""Of which one random state tells all: nothing is drawn."""

OURS = "LSTMRegressor"


def run(name: str, case: Case, seed: int) -> tuple[float, float]:
    """Return the mean absolute error on the test sequences, and CPU seconds."""
    begin = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ours(case, seed) if name == OURS else SIMPLE[name](case)
    return float(np.abs(found - case.y_test).mean()), process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder = os.environ.get(DATA)
    parser.add_argument("--data", type=Path, default=folder and Path(folder))
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cases = {name: case for name, read in SETS.items() if (case := read(options.data))}
    rows, times, of_mean = [], [], None
    for name in (*SIMPLE, OURS):
        seeds = range(options.seeds if name == OURS else 1)
        runs = np.array([[run(name, case, seed) for seed in seeds] for case in cases.values()])
        errors, seconds = runs.transpose(2, 0, 1)  # (set, seed) each
        of_mean = errors[:, :1] if of_mean is None else of_mean
        rows.append([name, *(_cell(shares) for shares in errors / of_mean)])
        times.append([name, *(f"{second:.1f}" for second in seconds.mean(axis=1))])
    print(f"Mean absolute error over that of the mean, random states 0 to {options.seeds - 1}.\n")
    print(table(["", *cases], rows))
    print("\nCPU seconds, fit and prediction together.\n")
    print(table(["", *cases], times))


def _cell(shares: np.ndarray) -> str:
    """Return the mean over random states, and from where to where they go."""
    spread = f" ({shares.min():.3f} to {shares.max():.3f})" if len(shares) > 1 else ""
    return f"{shares.mean():.3f}{spread}"


if __name__ == "__main__":
    main()
