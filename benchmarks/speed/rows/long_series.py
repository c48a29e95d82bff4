"""B8: the memory that a sliding window over a long series takes."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.speed.detector import silent
from benchmarks.speed.row import Row, Run, Target, time_call
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

N_ROWS, N_FEATURES, WINDOW = 1_000_000, 8, 100
SIZE = N_ROWS * N_FEATURES * 4 / 1e6  # MB

LOADING, FITTING, SCORING = "load the series", "load, fit", "load, fit, score"


def sides(quick):
    n_rows = 20_000 if quick else N_ROWS
    return {name: partial(run, name, n_rows) for name in (LOADING, FITTING, SCORING)}


def run(name, n_rows, seed):
    with tempfile.TemporaryDirectory() as folder, silent():
        file = Path(folder, "X.npy")
        write_series(file, n_rows)
        return Run(time_call(process_series, name, file))


def process_series(name, file):
    X = np.load(file)
    inner = LSTMAutoencoderDetector(
        max_epochs=3, early_stopping=False, device="cpu", random_state=0
    )
    detector = SlidingWindowDetector(inner, window_size=WINDOW)
    if name != LOADING:
        detector.fit(X)
    if name == SCORING:
        detector.score_samples(X)


def write_series(file, n_rows):
    """Write waves and noise piece by piece, so that no peak of memory is of their making."""
    rng = np.random.default_rng(0)
    table = np.lib.format.open_memmap(file, "w+", np.float32, (n_rows, N_FEATURES))
    for start in range(0, n_rows, 10_000):
        steps = np.arange(start, min(start + 10_000, n_rows))[:, np.newaxis]
        waves = np.sin(steps / (5 + np.arange(N_FEATURES)))
        table[start : start + len(steps)] = waves + rng.normal(scale=0.1, size=waves.shape)
    table.flush()


def judge(runs):
    # The highest peak of all runs in MB; NaN if there are no runs, or if one failed.
    peaks = {
        name: runs.loc[runs["side"] == name, "peak_rss"].max(skipna=False) / 1e6
        for name in (LOADING, FITTING, SCORING)
    }
    imports = peaks[LOADING] - SIZE  # loading has the data in memory once
    return [
        Target(f"{name}: {quantity}", peaks[name] - less, 2 * SIZE + 300, False, unit=" MB")
        for name in (FITTING, SCORING)
        for quantity, less in {"peak beyond the imports": imports, "whole peak": 0}.items()
    ]


B8 = Row("B8", sides, judge, apart=True, repeats=0)
