"""Time how long a live stream takes to score a row, at windows of 100 rows.

Each row is pushed by itself, as it would come from a sensor. All of `push` is timed: reading the
row, and the network and the scorer on the window that ends with it. On one thread.
"""

import argparse
import platform

import numpy as np
import torch
from sklearn.neighbors import LocalOutlierFactor
from threadpoolctl import threadpool_limits

from benchmarks.speed.data import waves
from benchmarks.speed.detector import silent
from benchmarks.speed.timing import clock
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

WINDOW_SIZE = 100
N_TRAINING, N_WARM_UP = 5000, 2 * WINDOW_SIZE

# How long a network was trained does not change how long it takes to score.
INNER = {
    "LSTM autoencoder, joint": LSTMAutoencoderDetector(max_epochs=1, device="cpu"),
    "LSTM autoencoder, error": LSTMAutoencoderDetector(max_epochs=1, device="cpu", scorer="error"),
    "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
}


def latencies(inner, n_rows, n_features):
    """Return the milliseconds that each row took."""
    X = waves(1, N_TRAINING + N_WARM_UP + n_rows, n_features)[0]
    with silent():
        detector = SlidingWindowDetector(inner, window_size=WINDOW_SIZE, random_state=0)
        stream = detector.fit(X[:N_TRAINING]).stream()
    stream.push(X[N_TRAINING:-n_rows])
    times = []
    for row in X[-n_rows:]:
        start = clock()
        stream.push(row)
        times.append(clock() - start)
    return 1000 * np.array(times)


def main():
    """Print a row a detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--features", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, one thread, torch {torch.__version__}")
    print(f"{options.rows} rows of {options.features} features, windows of {WINDOW_SIZE} rows")
    print("p50 ms   p99 ms   detector of windows")
    for name, inner in INNER.items():
        with threadpool_limits(1):
            times = latencies(inner, options.rows, options.features)
        p50, p99 = np.percentile(times, [50, 99])
        print(f"{p50:>6.2f}   {p99:>6.2f}   {name}")


if __name__ == "__main__":
    main()
