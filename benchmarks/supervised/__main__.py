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
from benchmarks.supervised.data import SETS, load
from benchmarks.supervised.methods import METHODS, WITHOUT_CHANCE
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
                joblib.delayed(run)(task, options.data) for task in tasks
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


def run(task: Task, data: Path) -> dict[str, Any]:
    """Return the share of the test sequences whose class is found, and the time it took."""
    torch.set_num_threads(1)
    name, method, seed = task
    case = load(name, data)
    assert case is not None
    begin = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = METHODS[method](case.X_train, case.y_train, case.X_test, seed)
    seconds = process_time() - begin
    return {"task": task, "accuracy": float(np.mean(found == case.y_test)), "seconds": seconds}


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
    methods = names_among(METHODS)
    add("--methods", type=methods, default=list(METHODS), help="names of rows")
    add("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    add("--jobs", type=int, default=2, help="number of processes, one thread each")
    add("--report", action="store_true", help="print what the results say, and run nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
