"""The package's side: the detector as a plain autoencoder, for work that others do as well."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from benchmarks.speed.row import Run, time_call
from skl_lstmae import LSTMAutoencoderDetector

BATCH_SIZE = 64


def plain_detector(n_epochs: int, **parameters: Any) -> LSTMAutoencoderDetector:
    """Return a detector that trains as the recipes do: for a fixed time, on all sequences.

    No noise, weight decay or clipping; the bottleneck is the last state, the score the mean error.
    The optimizer and its rate are the package's own.
    """
    return LSTMAutoencoderDetector(
        **{
            "bottleneck": "last",
            "noise": 0.0,
            "scaler": None,
            "weight_decay": 0.0,
            "clip_norm": None,
            "batch_size": BATCH_SIZE,
            "max_epochs": n_epochs,
            "contamination": 0.1,
            "scorer": "error",
            "device": "cpu",
            **parameters,
        }
    )


def time_fit(detector: LSTMAutoencoderDetector, X: Sequence[np.ndarray]) -> Run:
    """Time a whole fit, scores and threshold included."""
    with silent():
        seconds = time_call(detector.fit, X)
    return Run(seconds, detector.loss_curve_[-1])


def time_epoch(detector: LSTMAutoencoderDetector, X: Sequence[np.ndarray]) -> Run:
    """Time an epoch by what a fit takes beyond one that ends after the first."""
    first = time_fit(clone(detector).set_params(max_epochs=1), X)
    whole = time_fit(detector, X)
    return Run((whole.seconds - first.seconds) / (detector.n_epochs_ - 1), whole.loss)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Let a fit end at ``max_epochs`` without a warning: here that is meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
