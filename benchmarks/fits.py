"""CPU seconds of default fits, by this code and by that of another folder, on labelled real data.

Of each data set of the benchmark of detection the first case is fitted to, in turns, each time in a
new process of one thread. What a first fit imports counts, unless a small one goes before.
"""

import argparse
import os
import subprocess
import sys
import warnings
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from benchmarks.checkout import ROOT
from benchmarks.detection.data import DATASETS, SERIES
from benchmarks.markdown import table
from benchmarks.names import names_among

ONE_FIT = """
import sys
sys.path.insert(0, {package!r})
import skl_lstmae
sys.path[0] = {root!r}
from benchmarks.fits import print_time
print_time({dataset!r}, {data!r}, {is_first!r})
"""


def print_time(dataset, data, is_first):
    """Print the CPU seconds of a default fit, which is the first in the process or not."""
    from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

    warnings.simplefilter("ignore")
    _, file = next(iter(DATASETS[dataset].files(Path(data)).items()))
    case = DATASETS[dataset].load(file)
    detector = LSTMAutoencoderDetector(random_state=0)
    if case.kind == SERIES:
        detector = SlidingWindowDetector(detector, random_state=0)
    if not is_first:
        LSTMAutoencoderDetector(max_epochs=1).fit(np.zeros((10, 8, 1)))
    start = process_time()
    detector.fit(case.X_train)
    print(process_time() - start)


def time_fit(dataset, data, package, is_first):
    """Return the CPU seconds of a default fit by the package in a folder."""
    code = ONE_FIT.format(
        package=str(package), root=str(ROOT), dataset=dataset, data=str(data), is_first=is_first
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])


def main():
    """Print a row a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SKL_LSTMAE_DATA"))
    parser.add_argument("--other", type=Path, help="folder of a checkout of another commit")
    parser.add_argument("--datasets", type=names_among(DATASETS), default=list(DATASETS))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--warm", action="store_true", help="leave out what a first fit imports")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("the folder of the data is wanted: --data or SKL_LSTMAE_DATA")
    packages = [ROOT] if asked.other is None else [ROOT, asked.other.resolve()]
    lines, ratios = [], []
    for dataset in asked.datasets:
        turns = [
            [time_fit(dataset, asked.data, package, not asked.warm) for package in packages]
            for _ in range(asked.repeats)
        ]
        times = [median(column) for column in zip(*turns, strict=True)]
        ratios += [times[0] / other for other in times[1:]]
        lines.append(
            [dataset, *(f"{time:.2f}" for time in times), *(f"{r:.3f}" for r in ratios[-1:])]
        )
    print(table(["data set", "this", "other", "ratio"][: len(lines[0])], lines))
    if ratios:
        print(f"\nRatios: median {median(ratios):.3f}, largest {max(ratios):.3f}")


if __name__ == "__main__":
    main()
