"""The package's side: the detector as a plain autoencoder, for work that others do as well."""

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from benchmarks.speed.row import Run
from benchmarks.speed.timing import clock
from skl_lstmae import LSTMAutoencoderDetector

LEARNING_RATE = 1e-3
BATCH_SIZE = 64


def plain_detector(n_epochs: int, **parameters: Any) -> LSTMAutoencoderDetector:
    """Return a detector that trains as the recipes do: Adam for a fixed time, on all sequences.

    No noise, weight decay or clipping; the bottleneck is the last state, the score the mean error.
    """
    return LSTMAutoencoderDetector(
        **{
            "bottleneck": "last",
            "noise": 0.0,
            "scaler": None,
            "learning_rate": LEARNING_RATE,
            "weight_decay": 0.0,
            "clip_norm": None,
            "batch_size": BATCH_SIZE,
            "max_epochs": n_epochs,
            "n_iter_no_change": n_epochs,
            "early_stopping": False,
            "contamination": 0.1,
            "scorer": "error",
            "device": "cpu",
            **parameters,
        }
    )


def time_fit(detector: LSTMAutoencoderDetector, X: Sequence[np.ndarray]) -> Run:
    """Time a whole fit, scores and threshold included."""
    start = clock()
    with silent():
        detector.fit(X)
    return Run(clock() - start, detector.loss_curve_[-1])


def time_epoch(detector: LSTMAutoencoderDetector, X: Sequence[np.ndarray]) -> Run:
    """Time an epoch of a fit after the first, which warms up."""
    with silent(), epoch_clock() as watch:
        detector.set_params(verbose=1).fit(X)
    return Run(float(np.median(np.diff(watch.ends))), detector.loss_curve_[-1])


class EpochClock(io.StringIO):
    """Stands in for the standard output of a verbose fit, and notes when each epoch ends."""

    def __init__(self):
        super().__init__()
        self.start = clock()
        self.ends: list[float] = []

    def write(self, text: str) -> int:
        """Take notice of what is printed."""
        if text.startswith("Epoch "):
            self.ends.append(clock() - self.start)
        return len(text)


@contextlib.contextmanager
def epoch_clock() -> Iterator[EpochClock]:
    """Clock the epochs of a fit with ``verbose=1``, from the start of the block."""
    watch = EpochClock()
    with contextlib.redirect_stdout(watch):
        yield watch


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Let a fit end at ``max_epochs`` without a warning: here that is meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
