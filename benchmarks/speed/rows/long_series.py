"""B8: the memory that a sliding window over a long series takes."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.speed.memory import peak_rss
from benchmarks.speed.row import Measured, Row, Run, Side, Target
from benchmarks.speed.timing import clock

N_FEATURES = 8
WINDOW = 100
N_EPOCHS = 3
MEBIBYTE = 2**20

LOADING, FITTING, SCORING = "load the series", "load, fit", "load, fit, score"
SIDES = [LOADING, FITTING, SCORING]


def sides(quick: bool) -> dict[str, Side]:
    n_rows = 20_000 if quick else 1_000_000
    return {name: lambda seed, name=name: _run_apart(name, n_rows) for name in SIDES}


def judge(measured: dict[str, Measured]) -> list[Target]:
    peaks = {name: side.runs[0].peak_rss for name, side in measured.items() if side.runs}
    size = 1_000_000 * N_FEATURES * 4
    # Loading has the data in memory once.
    before = peaks.get(LOADING, np.nan) - size
    bound = (2 * size + 300 * MEBIBYTE) / MEBIBYTE
    return [
        Target(
            f"{name}: peak beyond the imports",
            (peaks.get(name, np.nan) - before) / MEBIBYTE,
            bound,
            at_least=False,
            unit=" MiB",
        )
        for name in (FITTING, SCORING)
    ]


def _run_apart(name: str, n_rows: int) -> Run:
    """Run in a process of its own, whose peak memory is that of this side alone."""
    command = [sys.executable, "-m", __name__, name, str(n_rows)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Run(**json.loads(printed.splitlines()[-1]))


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
    "B8",
    f"sliding windows of {WINDOW}: fit, and scores with stride 1, of 1,000,000 × {N_FEATURES} rows",
    sides,
    judge,
    measures_memory=False,
)

if __name__ == "__main__":
    main()
