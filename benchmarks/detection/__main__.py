"""Run detectors on labelled real data, and report how well they detect.

What the table of results has already is not run again.
"""

import argparse
import os
import sys
from collections.abc import Callable, Collection
from importlib.util import find_spec
from itertools import product
from pathlib import Path

from benchmarks.detection.data import DATASETS
from benchmarks.detection.methods import METHODS, PEERS, VARIANTS
from benchmarks.detection.report import report
from benchmarks.detection.run import Run, run_all
from benchmarks.detection.summary import read_published, read_results
from benchmarks.detection.targets import is_of

DATA = "SKL_LSTMAE_DATA"
"""The environment variable that names the folder of the data."""


def main() -> None:
    options = _options()
    if options.report:
        results = read_results(options.out)
        chosen = results[
            [
                dataset in options.datasets and is_of(method, options.methods or METHODS | VARIANTS)
                for dataset, method in zip(results["dataset"], results["method"], strict=True)
            ]
        ]
        print(report(chosen, read_published(options.data)))
        return
    if options.data is None or not options.data.is_dir():
        sys.exit(f"The folder of the data is wanted: --data or {DATA}; found {options.data}.")
    methods = options.methods or METHODS
    if PEERS.keys() & methods and not find_spec("pyod"):
        sys.exit(
            "PyOD is not installed here: `make bench-detection` sees to it, or name --methods."
        )
    runs = [
        Run(dataset, case, method, seed, options.max_epochs)
        for dataset in options.datasets
        for case, seed, method in product(
            DATASETS[dataset].files(options.data), range(options.seeds), methods
        )
    ]
    failures = run_all(runs, options.data, options.out, options.jobs)
    if failures:
        sys.exit("\n".join([*failures, f"{len(failures)} of {len(runs)} runs failed."]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection", description=__doc__.splitlines()[0]
    )
    folder = os.environ.get(DATA)
    parser.add_argument(
        "--data",
        type=Path,
        default=folder and Path(folder),
        help=f"folder of the data; by default the variable {DATA} names it",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/detection.csv"),
        help="table of results to add to; by default %(default)s",
    )
    parser.add_argument(
        "--datasets",
        type=_names_among(DATASETS),
        default=list(DATASETS),
        help=f"which of {','.join(DATASETS)}; all by default",
    )
    parser.add_argument(
        "--methods",
        type=_names_among(METHODS | VARIANTS),
        help=f"which of {','.join(METHODS | VARIANTS)}; by default {len(METHODS)} are run "
        "and all that have been are reported",
    )
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    parser.add_argument("--jobs", type=int, default=2, help="number of processes, one thread each")
    parser.add_argument(
        "--max-epochs",
        type=int,
        help="train no longer than this, to try things out; such rows are kept apart",
    )
    parser.add_argument(
        "--report", action="store_true", help="print what the table says, and run nothing"
    )
    return parser.parse_args()


def _names_among(known: Collection[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return chosen

    return names


if __name__ == "__main__":
    main()
