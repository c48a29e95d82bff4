"""Time the score of one sequence of 100 x 8: by the detector, and by its ONNX file.

Both sides take turns on one thread; the table shows medians of their calls, in milliseconds.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from benchmarks.markdown import table
from benchmarks.speed.data import waves
from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector

DETECTORS = {
    "default": LSTMAutoencoderDetector(),
    'scorer="error"': LSTMAutoencoderDetector(scorer="error"),
    'bidirectional="both"': LSTMAutoencoderDetector(bidirectional="both"),
    'decoder="autoregressive"': LSTMAutoencoderDetector(decoder="autoregressive"),
    "forecaster": LSTMForecastDetector(),
}
N_CALLS = 200


def sides(detector, X, folder):
    """Return functions that score the first sequence."""
    import onnxruntime

    detector.set_params(max_epochs=1, random_state=0, device="cpu").fit(X)
    detector.export_onnx(Path(folder) / "detector.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(Path(folder) / "detector.onnx", options)
    given = {"x": X[:1].astype(np.float64), "lengths": np.array([X.shape[1]])}
    return lambda: detector.score_samples(X[:1]), lambda: session.run(["score"], given)[0]


def medians(functions, n_calls, clock=perf_counter):
    """Return the median time of each, in milliseconds, when they are called in turn."""
    times = [[] for _ in functions]
    for _ in range(n_calls):
        for function, taken in zip(functions, times, strict=True):
            start = clock()
            function()
            taken.append(clock() - start)
    return [1e3 * float(np.median(taken)) for taken in times]


def main():
    """Print a row a detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=N_CALLS)
    n_calls = parser.parse_args().calls
    torch.set_num_threads(1)
    X = waves(1000, 100, 8)
    lines = []
    for name, detector in DETECTORS.items():
        with tempfile.TemporaryDirectory() as folder:
            ours, file = medians(sides(detector, X, folder), n_calls)
        lines.append((name, f"{ours:.2f}", f"{file:.2f}", f"{ours / file:.1f}x"))
    print(table(("detector", "score_samples", "onnxruntime", "faster"), lines))


if __name__ == "__main__":
    main()
