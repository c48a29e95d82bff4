"""Fits a detector in this process, which torchrun may have started, and keeps what came of it."""

import os
import sys
import time
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.distributed.results import Result
from benchmarks.speed.detector import silent
from benchmarks.speed.processes import peak_rss
from benchmarks.speed.rows import epochs
from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels
from skl_lstmae.training import trainer

DATA = {
    "vowels": lambda: load_japanese_vowels(anomalous_speaker=1).X_train,
    "B1": lambda: epochs.ragged(quick=False),
}


def run(data: str, batch_size: int, n_epochs: int, clock: str) -> Result:
    """Fit, with the seconds of its epochs by this clock of the module ``time``."""
    X = DATA[data]()
    before = peak_rss()
    detector = LSTMAutoencoderDetector(
        batch_size=batch_size, max_epochs=n_epochs, random_state=0, device="cpu"
    )
    with silent(), patch.object(trainer, "perf_counter", getattr(time, clock)):
        detector.fit(X)
    weights = torch.cat([weight.detach().flatten() for weight in detector.module_.parameters()])
    seconds = detector.history_.seconds
    memory = peak_rss() - before
    scores = detector.score_samples(X)
    return Result(
        weights.numpy(), np.array(detector.loss_curve_), scores, float(np.median(seconds)), memory
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    data, batch_size, n_epochs, clock, file = sys.argv[1:]
    result = run(data, int(batch_size), int(n_epochs), clock)
    if os.environ.get("RANK", "0") == "0":
        result.save(file)
