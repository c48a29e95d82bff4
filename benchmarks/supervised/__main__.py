"""Measure how well classes of sequences are learned with default parameters; print the tables.

What the file of results has already is not run again.
"""

import argparse
import json
import os
import sys
import warnings
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from time import process_time
from typing import Any

import joblib
import numpy as np
import torch

from benchmarks.names import names_among
from benchmarks.supervised.augmented import AUGMENTED
from benchmarks.supervised.data import SETS, folds, load
from benchmarks.supervised.methods import METHODS, OURS, WITHOUT_CHANCE, find_method
from benchmarks.supervised.report import report

DATA = "SKL_LSTMAE_DATA"
"""The environment variable that names the folder of the data."""

Task = tuple[str, str, int]
"""Which set, by which method, with which seed."""


def main() -> None:
    options = _options()
    if not options.report:
        if options.data is None or not options.data.is_dir():
            sys.exit(f"The folder of the data is wanted: --data or {DATA}; found {options.data}.")
        done = {tuple(line["task"]) for line in _read(options.out)}
        tasks = [task for task in _tasks(options) if task not in done]
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with joblib.parallel_config("loky", n_jobs=options.jobs, inner_max_num_threads=1):
            lines = joblib.Parallel(return_as="generator_unordered")(
                joblib.delayed(run)(task, options.data, options.folds) for task in tasks
            )
            for line in lines:
                with options.out.open("a") as file:
                    file.write(json.dumps(line) + "\n")
    print(report(_read(options.out)))


def _tasks(options: argparse.Namespace) -> list[Task]:
    """Return the tasks, those of one seed before those of the next."""
    sets = [name for name in options.sets if load(name, options.data) is not None]
    can_run_rocket = find_spec("aeon") is not None and find_spec("numba") is not None
    methods = [name for name in options.methods if "Rocket" not in name or can_run_rocket]
    return [
        (name, method, seed)
        for seed, name, method in product(range(options.seeds), sets, methods)
        if seed == 0 or method not in WITHOUT_CHANCE
    ]


def run(task: Task, data: Path, in_folds: bool = False) -> dict[str, Any]:
    """Return the share of the test sequences whose class is found, and the time it took.

    In folds, those are parts of the training sequences; of share and time the means count.
    """
    torch.set_num_threads(1)
    name, method, seed = task
    case = load(name, data)
    assert case is not None
    shares, seconds = [], []
    for part in folds(case, seed) if in_folds else [case]:
        begin = process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = find_method(method)(part.X_train, part.y_train, part.X_test, seed)
        seconds.append(process_time() - begin)
        shares.append(np.mean(found == part.y_test))
    return {"task": task, "accuracy": float(np.mean(shares)), "seconds": float(np.mean(seconds))}


def _read(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.supervised", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    folder = os.environ.get(DATA)
    add("--data", type=Path, default=folder and Path(folder), help=f"by default what {DATA} names")
    out = Path("build/supervised.jsonl")
    add("--out", type=Path, default=out, help="results, one a line; by default %(default)s")
    add("--sets", type=names_among(SETS), default=list(SETS), help=f"of {', '.join(SETS)}")
    names = f"of {', '.join(METHODS | AUGMENTED)}, or parameters of the first, such as noise=0.1"
    add("--methods", type=_methods, default=list(METHODS), help=names)
    add("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    add("--jobs", type=int, default=2, help="number of processes, one thread each")
    add("--folds", action="store_true", help="divide the training data, and leave the test data")
    add("--report", action="store_true", help="print what the results say, and run nothing")
    return parser.parse_args()


def _methods(text: str) -> list[str]:
    """Read names of methods, or parameters of ours."""
    names_among(METHODS | AUGMENTED)(
        ",".join(name for name in text.split(",") if "=" not in name) or OURS
    )
    return text.split(",")


if __name__ == "__main__":
    main()
