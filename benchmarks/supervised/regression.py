"""Measure how well numbers are predicted with default parameters, beside simple methods.

Run as ``python -m benchmarks.supervised.regression --data DIR``; it takes minutes. Recordings are
cut at random steps. What is asked is how many steps are left, as of a machine its remaining useful
life, or the mean of the first feature over them.
"""

import argparse
import ast
import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.markdown import table
from benchmarks.supervised.__main__ import DATA
from benchmarks.supervised.data import N_FOLDS, Case, load
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


def cut(name: str, target: Callable[[np.ndarray], float], data: Path) -> Case | None:
    """Return the beginnings of a set's recordings, and a target that the steps left tell."""
    case, rng = load(name, data), np.random.default_rng(0)
    if case is None:
        return None
    parts = []
    for X in (case.X_train, case.X_test):
        read = [int(rng.integers(SHORTEST, len(x))) for x in X]
        parts.append([x[:n] for x, n in zip(X, read, strict=True)])
        parts.append(np.array([target(x[n:]) for x, n in zip(X, read, strict=True)], dtype=float))
    return Case(*parts)


def first_mean(left: np.ndarray) -> float:
    return left[:, 0].mean()


SETS: dict[str, Callable[[Path], Case | None]] = {
    "taxis, next day": next_day,
    "vowels, steps left": partial(cut, "vowels", len),
    "gestures, steps left": partial(cut, "gestures", len),
    "vowels, rest": partial(cut, "vowels", first_mean),
    "gestures, rest": partial(cut, "gestures", first_mean),
    "gun point, rest": partial(cut, "gun point", first_mean),
    "power demand, rest": partial(cut, "power demand", first_mean),
}


def folds(name: str, case: Case, seed: int) -> Iterator[Case]:
    """Divide the training sequences alone; days are predicted from those before them."""
    are_days = SETS[name] is next_day
    shuffled = KFold(N_FOLDS, shuffle=True, random_state=seed)
    splitter = TimeSeriesSplit(N_FOLDS) if are_days else shuffled
    for train, test in splitter.split(case.y_train):
        X_train, X_test = ([case.X_train[i] for i in part] for part in (train, test))
        yield Case(X_train, case.y_train[train], X_test, case.y_train[test])


def of_summaries(regressor):
    """Return a method that fits a regressor of tables to summaries of sequences."""
    return lambda case: (
        regressor(case).fit(summaries(case.X_train), case.y_train).predict(summaries(case.X_test))
    )


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


def predict(method: str, case: Case, seed: int) -> np.ndarray:
    """Predict by a method of these names, or by ours with other parameters, "dropout=0.1"."""
    if method in SIMPLE:
        return SIMPLE[method](case)
    pairs = (pair.partition("=") for pair in method.split(" ") if "=" in pair)
    parameters: dict[str, Any] = {key: ast.literal_eval(value) for key, _, value in pairs}
    regressor = LSTMRegressor(random_state=seed, **parameters)
    return regressor.fit(case.X_train, case.y_train).predict(case.X_test)


def run(method: str, cases: list[Case], seed: int) -> tuple[float, float]:
    """Return the mean absolute error on the test sequences of all cases, and CPU seconds."""
    begin = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [np.abs(predict(method, case, seed) - case.y_test) for case in cases]
    return float(np.concatenate(wrong).mean()), process_time() - begin


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    cases = {name: case for name, read in SETS.items() if (case := read(options.data))}
    rows, times, of_mean = [], [], None
    for method in (*SIMPLE, *options.methods):
        is_fixed = method in SIMPLE and not options.folds
        runs = np.array(
            [
                [
                    run(method, list(folds(name, case, seed)) if options.folds else [case], seed)
                    for seed in range(1 if is_fixed else options.seeds)
                ]
                for name, case in cases.items()
            ]
        )
        errors, seconds = runs.transpose(2, 0, 1)  # (set, seed) each
        of_mean = errors if of_mean is None else of_mean
        shares = errors / of_mean
        rows.append([method, *map(_cell, shares), f"{shares.mean():.3f}"])
        times.append([method, *(f"{second:.1f}" for second in seconds.mean(axis=1))])
    print(f"Mean absolute error over that of the mean, random states 0 to {options.seeds - 1}.\n")
    print(table(["", *cases, "mean"], rows))
    print("\nCPU seconds, fit and prediction together.\n")
    print(table(["", *cases], times))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder, add = os.environ.get(DATA), parser.add_argument
    add("--data", type=Path, default=folder and Path(folder))
    add("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    add("--folds", action="store_true", help="divide the training data, and leave the test data")
    others = "parameters of ours, such as dropout=0.1, or several such, divided by commas"
    add("--methods", type=lambda text: text.split(","), default=[OURS], help=others)
    return parser.parse_args()


def _cell(shares: np.ndarray) -> str:
    """Return the mean over random states, and from where to where they go."""
    spread = f" ({shares.min():.3f} to {shares.max():.3f})" if len(shares) > 1 else ""
    return f"{shares.mean():.3f}{spread}"


if __name__ == "__main__":
    main()
