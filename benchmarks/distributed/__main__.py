"""Trains in one process and in several, and prints what they gain, and how far apart they end.

Run as ``python -m benchmarks.distributed``, when nothing else is running, with as many cores as
processes. ``--data vowels`` takes seconds, ``B1`` minutes. Where other things run, ``--clock
process_time`` tells the CPU seconds of a process in place of what a clock on the wall shows.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.distributed.fit import DATA
from benchmarks.distributed.results import Result

CLOCKS = "perf_counter", "process_time"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone"]


def fit(n_ranks: int, data: str, batch_size: int, n_epochs: int, clock: str) -> Result:
    """Fit on so many processes; on one that knows nothing of others if 0."""
    launcher = [*TORCHRUN, f"--nproc-per-node={n_ranks}"] if n_ranks else [sys.executable]
    with TemporaryDirectory() as folder:
        file = str(Path(folder) / "result.npz")
        task = [
            "-m",
            "benchmarks.distributed.fit",
            data,
            str(batch_size),
            str(n_epochs),
            clock,
            file,
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([*launcher, *task], env=environment, check=True, stderr=subprocess.DEVNULL)
        return Result.load(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=DATA, nargs="+", default=list(DATA))
    parser.add_argument("--batch-size", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clock", choices=CLOCKS, default=CLOCKS[0])
    args = parser.parse_args()
    for data in args.data:
        for batch_size in args.batch_size:
            print(f"{data}, batches of {batch_size}, {args.epochs} epochs")
            sides = [0, *args.ranks]
            turns = [
                {n: fit(n, data, batch_size, args.epochs, args.clock) for n in sides}
                for _ in range(args.repeats)
            ]
            alone = turns[0][0]
            for n in sides:
                gain = np.median([turn[0].seconds / turn[n].seconds for turn in turns])
                seconds = np.median([turn[n].seconds for turn in turns])
                result = turns[0][n]
                name = f"{n} by torchrun" if n else "one process"
                print(
                    f"  {name}: {seconds:.3f} s an epoch, {gain:.2f} times as fast as one process, "
                    f"{result.memory / 2**20:.0f} MB; from one process {result.apart_from(alone)}; "
                    f"from 1 by torchrun {result.apart_from(turns[0][sides[1]])}"
                )


if __name__ == "__main__":
    main()
