"""Measure how far decisions with default parameters can be trusted, and print the tables.

What the file of results has already is not run again.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import torch

from benchmarks.decisions.gaps import judge_gaps
from benchmarks.decisions.processes import KINDS, PROCESSES, realised
from benchmarks.decisions.report import report
from benchmarks.decisions.sequences import odd_in_training, realised_rates
from benchmarks.decisions.series import judge_series
from benchmarks.detection.data import DATASETS, SETS_OF_SEQUENCES, Dataset, read_start
from benchmarks.names import names_among

DATA = "SKL_LSTMAE_DATA"
"""The environment variable that names the folder of the data."""

NAB_NORMAL = Dataset(["nab_normal"], read_start("n_probation"), "n_probation")
"""NAB's files without anomalies, on which every alarm is a false one."""

SERIES = {
    "nab": DATASETS["nab"],
    "nab_normal": NAB_NORMAL,
    **{name: DATASETS[name] for name in ("skab", "keogh", "asd", "tsb")},
}
SETS = (*SERIES, *SETS_OF_SEQUENCES, "odd", "process", "gaps")

Task = tuple[str, str, int]
"""What is measured, of which file or process, with which seed."""


def main() -> None:
    options = _options()
    if not options.report:
        if options.data is None or not options.data.is_dir():
            sys.exit(f"The folder of the data is wanted: --data or {DATA}; found {options.data}.")
        done = {tuple(line["task"]) for line in _read(options.out)}
        tasks = [
            task for task in _tasks(options.data, options.sets, options.seeds) if task not in done
        ]
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with joblib.parallel_config("loky", n_jobs=options.jobs, inner_max_num_threads=1):
            lines = joblib.Parallel(return_as="generator_unordered")(
                joblib.delayed(_run)(task, options.data, options.epochs) for task in tasks
            )
            for task, results in lines:
                with options.out.open("a") as file:
                    file.write(json.dumps({"task": task, "results": results}) + "\n")
    lines = _read(options.out)
    if options.state is not None:
        lines = [line for line in lines if line["task"][2] == options.state]
    print(report(lines, options.data))


def _tasks(data: Path, sets: list[str], n_seeds: int) -> Iterator[Task]:
    """Yield the tasks, those of one seed before those of the next."""
    datasets = DATASETS | SERIES | {"odd": DATASETS["ecg5000"]}
    for seed, name in product(range(n_seeds), sets):
        if name == "process":
            cases = [str(i) for i in range(len(PROCESSES))]
        else:
            cases = list(KINDS if name == "gaps" else datasets[name].files(data))
        yield from ((name, case, seed) for case in cases)


def _run(task: Task, data: Path, epochs: int | None) -> tuple[Task, list[dict[str, Any]]]:
    torch.set_num_threads(1)
    kind, name, seed = task
    parameters = {} if epochs is None else {"max_epochs": epochs}
    measure: Callable[..., Any]
    if kind == "process":
        return task, [realised(*PROCESSES[int(name)], seed, **parameters)]
    if kind == "gaps":
        return task, list(judge_gaps(name, seed, **parameters))
    if kind == "odd":
        case = DATASETS["ecg5000"].load(DATASETS["ecg5000"].files(data)[name])
        return task, [odd_in_training(case, seed, **parameters)]
    dataset = (DATASETS | SERIES)[kind]
    measure = judge_series if kind in SERIES else realised_rates
    return task, measure(dataset.load(dataset.files(data)[name]), seed, **parameters)


def _read(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decisions", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    folder = os.environ.get(DATA)
    add("--data", type=Path, default=folder and Path(folder), help=f"by default what {DATA} names")
    out = Path("build/decisions.jsonl")
    add("--out", type=Path, default=out, help="results, one a line; by default %(default)s")
    sets = names_among(SETS)
    add("--sets", type=sets, default=list(SETS), help=f"of {', '.join(SETS)}")
    add("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    add("--jobs", type=int, default=2, help="number of processes, one thread each")
    add("--epochs", type=int, help="fewer epochs than the default, for a quick look")
    add("--report", action="store_true", help="print what the results say, and run nothing")
    add("--state", type=int, help="report on this random state alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
