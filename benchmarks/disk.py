"""Train and score on sequences in a file that is many times larger than the memory they take.

The file is sparse: only the first rows of each sequence are waves and noise, and what is written;
the rest are zeros, which the system makes up when they are read. So 20 GB are written in no time,
but are read like any others, several times over. A process of its own fits and scores, and tells
its peak of resident memory, in which the pages of the file count that it has mapped; another one
imports the package alone.
"""

import argparse
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from benchmarks.markdown import table
from benchmarks.speed.processes import own_process, peak_rss
from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMForecastDetector,
    open_sequences,
)

DETECTORS = {
    detector.__name__: detector for detector in (LSTMAutoencoderDetector, LSTMForecastDetector)
}
WRITTEN = 4
"""Rows of each sequence that are no zeros."""

PARTS_SCORED = 10
"""One of so many sequences is scored."""


def write_sparse(folder, n_bytes, n_features, seed=0):
    """Write sequences of 300 to 700 steps, most of which are a hole in the file."""
    rng = np.random.default_rng(seed)
    n_sequences = int(n_bytes / (500 * n_features * 4))
    lengths = rng.integers(300, 700, n_sequences, endpoint=True)
    shape = int(lengths.sum()), n_features
    values = np.lib.format.open_memmap(folder / "values.npy", "w+", np.float32, shape)
    for start in np.cumsum(lengths) - lengths:
        waves = np.sin(rng.uniform(0, 6, n_features) + np.arange(WRITTEN)[:, np.newaxis])
        values[start : start + WRITTEN] = waves + rng.normal(0, 0.1, waves.shape)
    values.flush()
    np.save(folder / "lengths.npy", lengths)


def read(folder, form):
    """Return the sequences, or as many memory maps."""
    X = open_sequences(folder)
    return X if form == "file" else list(X)


def run(folder, name, form, parameters):
    """Fit and score, if a detector is named; return seconds of both, and the peak in bytes."""
    torch.set_num_threads(1)
    seconds = []
    if name is not None:
        detector, X = DETECTORS[name](random_state=0, **parameters), read(folder, form)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for call in detector.fit, detector.score_samples:
                begin = perf_counter()
                call(X if call == detector.fit else X[: len(X) // PARTS_SCORED])
                seconds.append(perf_counter() - begin)
    return seconds or [0.0, 0.0], peak_rss()


def main():
    """Print a row a form and detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--features", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hidden-size", type=int, default=16)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--scorer", default="joint")
    parser.add_argument("--detectors", default="LSTMAutoencoderDetector")
    parser.add_argument("--forms", default="file", help="file, maps, or both, by a comma")
    options = parser.parse_args()
    parameters = {
        "max_epochs": options.epochs,
        "hidden_size": options.hidden_size,
        "noise": options.noise,
        "scorer": options.scorer,
    }
    with tempfile.TemporaryDirectory() as folder:
        write_sparse(Path(folder), options.gigabytes * 1e9, options.features)
        size = Path(folder, "values.npy").stat().st_size
        X = open_sequences(folder)
        print(f"{X!r}, {size / 1e9:.1f} GB\n", flush=True)
        jobs = [(None, "imports alone")]
        jobs += [(d, f) for d in options.detectors.split(",") for f in options.forms.split(",")]
        lines = []
        for name, form in jobs:
            with own_process() as process:
                seconds, peak = process.submit(run, folder, name, form, parameters).result()
            lines.append([name or "–", form, *(f"{s:.0f} s" for s in seconds), f"{peak / 1e9:.2f}"])
    print(
        table(["detector", "X", "fit", f"score 1 in {PARTS_SCORED}", "peak of memory, GB"], lines)
    )


if __name__ == "__main__":
    main()
