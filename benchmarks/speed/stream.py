"""Print how long a live stream takes to score a row, at windows of 100 rows, on one thread.

Each row is pushed by itself, as it would come from a sensor. All of `push` is timed: reading the
row, and the network and the scorer on the window that ends with it.
"""

import numpy as np
import torch
from sklearn.neighbors import LocalOutlierFactor
from threadpoolctl import threadpool_limits

from benchmarks.speed.data import waves
from benchmarks.speed.detector import silent
from benchmarks.speed.row import time_call
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

WINDOW_SIZE, N_FEATURES = 100, 8
N_TRAINING, N_WARM_UP, N_ROWS = 5000, 2 * WINDOW_SIZE, 2000

# How long a network was trained does not change how long it takes to score.
INNER = {
    "LSTM autoencoder, joint": LSTMAutoencoderDetector(max_epochs=1, device="cpu"),
    "LSTM autoencoder, error": LSTMAutoencoderDetector(max_epochs=1, device="cpu", scorer="error"),
    "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
}


def milliseconds(inner):
    """Return what each row took."""
    X = waves(1, N_TRAINING + N_WARM_UP + N_ROWS, N_FEATURES)[0]
    detector = SlidingWindowDetector(inner, window_size=WINDOW_SIZE, random_state=0)
    with silent():
        stream = detector.fit(X[:N_TRAINING]).stream()
    stream.push(X[N_TRAINING:-N_ROWS])
    return [1000 * time_call(stream.push, row) for row in X[-N_ROWS:]]


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("p50 ms   p99 ms   detector of windows")
    for name, inner in INNER.items():
        with threadpool_limits(1):
            p50, p99 = np.percentile(milliseconds(inner), [50, 99])
        print(f"{p50:>6.2f}   {p99:>6.2f}   {name}")
