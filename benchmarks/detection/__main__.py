"""Run detectors on labelled real data, and report how well they detect.

What the table of results has already is not run again.
"""

import argparse
import os
import sys
from importlib.util import find_spec
from itertools import product
from pathlib import Path

from benchmarks.detection.data import DATASETS, SETS_OF_SEQUENCES
from benchmarks.detection.methods import METHODS, PEERS, VARIANTS
from benchmarks.detection.paano import REPOSITORY
from benchmarks.detection.report import report
from benchmarks.detection.run import Run, run_all
from benchmarks.detection.summary import read_published, read_results
from benchmarks.names import names_among

DATA = "SKL_LSTMAE_DATA"
"""The environment variable that names the folder of the data."""


def main() -> None:
    options = _options()
    if options.report:
        results = read_results(options.out)
        is_chosen = results["dataset"].isin(options.datasets)
        is_chosen &= results["method"].isin(options.methods or METHODS | VARIANTS)
        print(report(results[is_chosen], read_published(options.data)))
        return
    if options.data is None or not options.data.is_dir():
        sys.exit(f"The folder of the data is wanted: --data or {DATA}; found {options.data}.")
    methods = options.methods or METHODS
    users = {
        "pyod": PEERS.keys() & methods,
        "TSB_AD": set(options.datasets) - set(SETS_OF_SEQUENCES),  # whose series have a VUS-PR
    }
    for package, needed_for in users.items():
        if needed_for and not find_spec(package):
            sys.exit(f"{package} is not installed here: `make bench-detection` sees to it.")
    if "PaAno" in methods and not find_spec("train"):
        sys.exit(f"The authors' code of PaAno is not on Python's path: {REPOSITORY}.")
    cases = [
        (name, case) for name in options.datasets for case in DATASETS[name].files(options.data)
    ]
    order = product(cases, range(options.seeds), methods)
    runs = [Run(dataset, case, method, seed) for (dataset, case), seed, method in order]
    failures = run_all(runs, options.data, options.out, options.jobs)
    if failures:
        sys.exit("\n".join([*failures, f"{len(failures)} of {len(runs)} runs failed."]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    folder = os.environ.get(DATA)
    out = Path("build/detection.csv")
    add("--data", type=Path, default=folder and Path(folder), help=f"by default what {DATA} names")
    add("--out", type=Path, default=out, help="table of results; by default %(default)s")
    datasets, methods = names_among(DATASETS), names_among(METHODS | VARIANTS)
    add("--datasets", type=datasets, default=list(DATASETS), help=f"of {', '.join(DATASETS)}")
    add("--methods", type=methods, help=f"of {', '.join(METHODS | VARIANTS)}")
    add("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    add("--jobs", type=int, default=2, help="number of processes, one thread each")
    add("--report", action="store_true", help="print what the table says, and run nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
