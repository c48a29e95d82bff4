"""The methods: by name, a function that makes an unfitted detector for a case."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks.detection.ablations import (
    Composite,
    MaskedSteps,
    NetworkAlone,
    OutlineAlone,
    OwnScale,
    TorchInitialisation,
    WholeErrors,
    WithoutAveraging,
    recent_error,
)
from benchmarks.detection.baselines import (
    HeldOutThreshold,
    NeighborDistance,
    OnWindows,
    PCAError,
)
from benchmarks.detection.data import EVENTS, SERIES, Case
from benchmarks.detection.peers import PyODDetector
from benchmarks.detection.tables import Resample, Standardize, count, summarize
from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector
from skl_lstmae._base import SequenceDetector

Method = Callable[..., Any]
"""Gets a case, and `max_epochs` if training is to be cut short, which what is not trained ignores.

What it makes has ``fit`` and ``decision_function``, which is negative for anomalies.
"""

PLAIN = {
    "hidden_size": 64,
    "latent_size": 16,
    "bottleneck": "last",
    "noise": 0.0,
    "max_epochs": 30,
    "early_stopping": False,
    "scorer": "error",
}


def ours(
    sliding: dict[str, Any] | None = None,
    detector: type[SequenceDetector] = LSTMAutoencoderDetector,
    **parameters: Any,
) -> Method:
    """Vary the defaults: those of the sliding window, and those of the detector of sequences."""

    def make(case: Case, **training: Any) -> Any:
        of_sequences = detector(**parameters | training)
        if case.kind != SERIES:
            return of_sequences
        return SlidingWindowDetector(of_sequences, **sliding or {})

    return make


def plain(case: Case, **training: Any) -> Any:
    """Make the LSTM autoencoder of most tutorials."""
    return ours({"window_size": case.window}, **PLAIN)(case, **training)


def isolation_forest(case: Case, **training: Any) -> Any:
    forest = IsolationForest(n_estimators=200)
    if case.kind == SERIES:
        return forest
    if case.kind == EVENTS:
        return make_pipeline(FunctionTransformer(count), forest)
    return make_pipeline(Standardize(), FunctionTransformer(summarize), forest)


def on_tables(detector: Any, limit: float = 20.0) -> Method:
    """Judge windows of a series, counts of events, or sequences resampled to one length.

    Standardized values of sequences and series are cut off at plus and minus `limit`.
    """

    def make(case: Case, **training: Any) -> Any:
        if case.kind == SERIES:
            whole = OnWindows(detector, case.window, limit)
        elif case.kind == EVENTS:
            whole = make_pipeline(FunctionTransformer(count), detector)
        else:
            whole = make_pipeline(Standardize(limit), Resample(), detector)
        return HeldOutThreshold(whole)

    return make


BASELINES: dict[str, Method] = {
    "iforest": isolation_forest,
    "pca": on_tables(PCAError()),
    "knn": on_tables(NeighborDistance()),
    "plain": plain,
}

PEERS: dict[str, Method] = {
    # With its default of 32 it fails on the 20 sequences of epilepsy.
    "PyOD AutoEncoder": on_tables(PyODDetector("auto_encoder.AutoEncoder", {"batch_size": 16})),
    "PyOD LUNAR": on_tables(PyODDetector("lunar.LUNAR")),
}

METHODS: dict[str, Method] = {
    "default": ours(),
    "forecast": ours(detector=LSTMForecastDetector),
    **BASELINES,
    **PEERS,
}

VARIANTS: dict[str, Method] = {
    "initialisation=torch": ours(detector=TorchInitialisation),
    "decoder=autoregressive": ours(decoder="autoregressive"),
    "bidirectional=encoder": ours(bidirectional="encoder"),
    "bottleneck=last": ours(bottleneck="last"),
    "bottleneck=max": ours(bottleneck="max"),
    "latent_size=16": ours(latent_size=16),
    "latent_size=64": ours(latent_size=64),
    "hidden_size=32": ours(hidden_size=32),
    "hidden_size=128": ours(hidden_size=128),
    "noise=0": ours(noise=0.0),
    "masked steps": ours(detector=MaskedSteps, noise=0.0),
    "forecasting too": ours(detector=Composite),
    "skip_connection=True": ours(skip_connection=True),
    "max_epochs=20": ours(max_epochs=20),
    "learning_rate=0.001": ours(learning_rate=0.001),
    "batch_size=64": ours(batch_size=64),
    "averaging=none": ours(detector=WithoutAveraging),
    "scaler=robust": ours(scaler="robust"),
    "scaler=minmax": ours(scaler="minmax"),
    "own scale": ours(detector=OwnScale),
    "loss=absolute_error": ours(loss="absolute_error"),
    "scorer=neighbors": ours(scorer="neighbors"),
    "scorer=mahalanobis": ours(scorer="mahalanobis"),
    "scorer=error": ours(scorer="error"),
    "scorer=recent_error": ours(scorer=recent_error),
    "whole errors": ours(detector=WholeErrors),
    "network alone": ours(detector=NetworkAlone),
    "outline alone": ours(detector=OutlineAlone, max_epochs=1),
    "window_size=50": ours({"window_size": 50}),
    "window_size=200": ours({"window_size": 200}),
    "aggregation=mean": ours({"aggregation": "mean"}),
    "aggregation=min": ours({"aggregation": "min"}),
    "pca_unlimited": on_tables(PCAError(), np.inf),
    "knn_unlimited": on_tables(NeighborDistance(), np.inf),
}
"""Run when asked for by name."""
