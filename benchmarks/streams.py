"""Time one row of a stream, with windows of 100 x 8, by each kind of detector of windows.

The streams take turns on one thread; the table shows medians of their calls, in milliseconds of
the CPU, which other programs on the machine lengthen less than the time that passes.
"""

import argparse
from time import thread_time

import torch
from sklearn.neighbors import LocalOutlierFactor

from benchmarks.latency import medians
from benchmarks.markdown import table
from benchmarks.speed.data import waves
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

DETECTORS = {
    'LSTM autoencoder, `scorer="joint"`': LSTMAutoencoderDetector(max_epochs=1),
    'LSTM autoencoder, `scorer="error"`': LSTMAutoencoderDetector(max_epochs=1, scorer="error"),
    "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
}
N_CALLS, N_TRAINING_ROWS, WINDOW_SIZE = 500, 4000, 100


def pusher(detector, series):
    """Return a function that pushes the next row to a stream which has seen a whole window."""
    sliding = SlidingWindowDetector(
        detector, window_size=WINDOW_SIZE, training_stride=10, stride=10, random_state=0
    )
    stream = sliding.fit(series[:N_TRAINING_ROWS]).stream()
    stream.push(series[N_TRAINING_ROWS : N_TRAINING_ROWS + WINDOW_SIZE])
    rows = iter(series[N_TRAINING_ROWS + WINDOW_SIZE :])
    return lambda: stream.push(next(rows))


def main():
    """Print a row a detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=N_CALLS)
    n_calls = parser.parse_args().calls
    torch.set_num_threads(1)
    (series,) = waves(1, N_TRAINING_ROWS + WINDOW_SIZE + n_calls, 8)
    times = medians([pusher(one, series) for one in DETECTORS.values()], n_calls, thread_time)
    lines = [(name, f"{taken:.2f}") for name, taken in zip(DETECTORS, times, strict=True)]
    print(table(("detector of windows", "median"), lines))


if __name__ == "__main__":
    main()
