"""B8: the memory that a sliding window over a long series takes."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from benchmarks.speed.detector import silent
from benchmarks.speed.memory import peak_rss
from benchmarks.speed.row import Measured, Row, Run, Side, Target, UnavailableError
from benchmarks.speed.timing import clock

N_FEATURES = 8
WINDOW = 100
N_EPOCHS = 3
N_ROWS = 1_000_000
SIZE = N_ROWS * N_FEATURES * 4  # bytes
MEGABYTE = 10**6

LOADING, FITTING, SCORING = "load the series", "load, fit", "load, fit, score"
SIDES = [LOADING, FITTING, SCORING]


def sides(quick: bool) -> dict[str, Side]:
    n_rows = 20_000 if quick else N_ROWS
    return {name: lambda seed, name=name: _run_apart(name, n_rows) for name in SIDES}


def judge(measured: dict[str, Measured]) -> list[Target]:
    # Loading has the data in memory once.
    imports = _peak(measured[LOADING]) - SIZE
    return [
        Target(
            f"{name}: {quantity}",
            (_peak(measured[name]) - left_out) / MEGABYTE,
            2 * SIZE / MEGABYTE + 300,
            at_least=False,
            unit=" MB",
        )
        for name in (FITTING, SCORING)
        for quantity, left_out in {"peak beyond the imports": imports, "whole peak": 0}.items()
    ]


def _peak(side: Measured) -> float:
    """Return the highest peak of all runs in bytes; NaN if there are no runs, or if one failed."""
    if side.failure or not side.runs:
        return np.nan
    return max(run.peak_rss for run in side.runs)


def _run_apart(name: str, n_rows: int) -> Run:
    """Run in a process of its own, whose peak memory is that of this side alone."""
    code = f"from {__name__} import main; main()"
    command = [sys.executable, "-c", code, name, str(n_rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        printed = _wait(process, name)
    if process.returncode:
        raise UnavailableError(f"its process ended with code {process.returncode}")
    return Run(**json.loads(printed.splitlines()[-1]))


def _wait(process: subprocess.Popen[str], name: str) -> str:
    """Return what the process prints; show meanwhile that it goes on, for that takes minutes."""
    start = perf_counter()
    while True:
        try:
            return process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            minutes = (perf_counter() - start) / 60
            print(f"{name}: {minutes:.0f} minutes; scores take about ten", file=sys.stderr)


def main() -> None:
    """Load, fit or score a series, and print the time and the peak memory."""
    from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

    torch.set_num_threads(1)
    name, n_rows = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        file = _write(Path(folder) / "series.npy", n_rows)
        start = clock()
        X = np.load(file)
        if name != LOADING:
            inner = LSTMAutoencoderDetector(
                max_epochs=N_EPOCHS, early_stopping=False, device="cpu", random_state=0
            )
            with silent():
                detector = SlidingWindowDetector(inner, window_size=WINDOW).fit(X)
        if name == SCORING:
            detector.score_samples(X)
        seconds = clock() - start
    print(json.dumps({"seconds": seconds, "peak_rss": peak_rss()}))


def _write(file: Path, n_rows: int) -> Path:
    """Write waves and noise piece by piece, so that no peak of memory is of their making."""
    rng = np.random.default_rng(0)
    table = np.lib.format.open_memmap(file, "w+", np.float32, (n_rows, N_FEATURES))
    for start in range(0, n_rows, 10_000):
        steps = np.arange(start, min(start + 10_000, n_rows))[:, np.newaxis]
        waves = np.sin(steps / (5 + np.arange(N_FEATURES)))
        table[start : start + len(steps)] = waves + rng.normal(scale=0.1, size=waves.shape)
    table.flush()
    return file


B8 = Row(
    name="B8",
    work=f"sliding windows of {WINDOW}: fit, and scores with stride 1, of {N_ROWS:,} × "
    f"{N_FEATURES} float32 rows, {SIZE // MEGABYTE} MB; the targets allow twice that and 300 MB, "
    "which we take to be beyond the imports; the whole peak is held against the same bound",
    sides=sides,
    judge=judge,
    where_the_time_goes="into scores, which run the network on a window for every row. The memory "
    "is that of the imports, as loading the series shows, of the series, of results, and of "
    "bounded batches.",
    runs_once=True,
    measures_memory=False,
)
