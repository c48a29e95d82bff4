"""The methods: by name, a function that makes an unfitted detector for a case."""

from collections.abc import Callable
from typing import Any

from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks.detection import baselines
from benchmarks.detection.data import EVENTS, SERIES, Case
from benchmarks.detection.paano import PaAno
from benchmarks.detection.tables import Resample, Standardize, count, summarize
from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector

Method = Callable[[Case], Any]
"""What it makes has ``fit`` and ``decision_function``, which is negative for anomalies."""


def ours(
    sliding: dict[str, Any] | None = None,
    detector: type = LSTMAutoencoderDetector,
    **parameters: Any,
) -> Method:
    """Vary the defaults: those of the sliding window, and those of the detector of sequences."""

    def make(case: Case) -> Any:
        of_sequences = detector(**parameters)
        if case.kind != SERIES:
            return of_sequences
        return SlidingWindowDetector(of_sequences, **sliding or {})

    return make


def plain(case: Case) -> Any:
    """Make the LSTM autoencoder of most tutorials."""
    make = ours(
        {"window_size": case.window},
        hidden_size=64,
        latent_size=16,
        bottleneck="last",
        noise=0.0,
        max_epochs=30,
        early_stopping=False,
        scorer="error",
    )
    return make(case)


def isolation_forest(case: Case) -> Any:
    forest = IsolationForest(n_estimators=200)
    if case.kind == SERIES:
        return forest
    if case.kind == EVENTS:
        return make_pipeline(FunctionTransformer(count), forest)
    return make_pipeline(Standardize(), FunctionTransformer(summarize), forest)


def on_tables(detector: Any) -> Method:
    """Judge windows of a series, counts of events, or sequences resampled to one length."""

    def make(case: Case) -> Any:
        if case.kind == SERIES:
            whole = baselines.OnWindows(detector, case.window)
        elif case.kind == EVENTS:
            whole = make_pipeline(FunctionTransformer(count), detector)
        else:
            whole = make_pipeline(Standardize(), Resample(), detector)
        return baselines.HeldOutThreshold(whole)

    return make


BASELINES: dict[str, Method] = {
    "iforest": isolation_forest,
    "pca": on_tables(baselines.PCAError()),
    "knn": on_tables(baselines.NeighborDistance()),
    "plain": plain,
}

PEERS: dict[str, Method] = {
    # With its default of 32 it fails on the 20 sequences of epilepsy.
    "PyOD AutoEncoder": on_tables(
        baselines.PyODDetector("auto_encoder.AutoEncoder", {"batch_size": 16})
    ),
    "PyOD LUNAR": on_tables(baselines.PyODDetector("lunar.LUNAR")),
}

METHODS: dict[str, Method] = {
    "default": ours(),
    "forecast": ours(detector=LSTMForecastDetector),
    **BASELINES,
    **PEERS,
}

VARIED = {
    "decoder": ["autoregressive"],
    "bidirectional": ["encoder"],
    "bottleneck": ["last", "max"],
    "latent_size": [16, 64],
    "hidden_size": [32, 128],
    "n_networks": [3],
    "noise": [0],
    "skip_connection": [True],
    "max_epochs": [20],
    "learning_rate": [0.001],
    "batch_size": [64],
    "precision": ["bfloat16", "float32"],
    "scaler": ["robust", "minmax"],
    "loss": ["absolute_error"],
    "scorer": ["neighbors", "mahalanobis", "error"],
}
"""Other values of the parameters of the detector of sequences, one at a time."""

VARIED_WINDOWS = {"window_size": [50, 200], "aggregation": ["mean", "min"], "stride": [1]}
"""The same of the sliding window."""

PASSES_OF_FORECASTERS = 2, 4, 8
"""Epochs of the forecaster, which makes one where windows are many."""

VARIANTS: dict[str, Method] = {
    **{f"{name}={value}": ours(**{name: value}) for name in VARIED for value in VARIED[name]},
    **{
        f"{name}={value}": ours({name: value})
        for name, values in VARIED_WINDOWS.items()
        for value in values
    },
    **{
        f"forecast max_epochs={n}": ours(detector=LSTMForecastDetector, max_epochs=n)
        for n in PASSES_OF_FORECASTERS
    },
    "PaAno": lambda case: PaAno(),
}
"""Run when asked for by name."""
