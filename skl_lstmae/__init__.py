"""Anomaly detection in sequences: LSTM autoencoders and forecasters for scikit-learn."""

from skl_lstmae._files import name_by_package, refuse_earlier_files
from skl_lstmae._version import __version__
from skl_lstmae.data.arrow import iterate_arrow
from skl_lstmae.data.stored import StoredSequences, open_sequences
from skl_lstmae.data.storing import write_sequences
from skl_lstmae.detectors.autoencoder import LSTMAutoencoderDetector
from skl_lstmae.detectors.classifier import LSTMClassifier
from skl_lstmae.detectors.forecaster import LSTMForecastDetector
from skl_lstmae.detectors.regressor import LSTMRegressor
from skl_lstmae.detectors.sliding import SlidingWindowDetector
from skl_lstmae.detectors.stream import Stream
from skl_lstmae.displays import (
    AnomalyScoreDisplay,
    AttributionDisplay,
    LatentDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
    ScoreDistributionDisplay,
)

__all__ = [
    "AnomalyScoreDisplay",
    "AttributionDisplay",
    "LSTMAutoencoderDetector",
    "LSTMClassifier",
    "LSTMForecastDetector",
    "LSTMRegressor",
    "LatentDisplay",
    "LossCurveDisplay",
    "ReconstructionDisplay",
    "ScoreDistributionDisplay",
    "SlidingWindowDetector",
    "StoredSequences",
    "Stream",
    "__version__",
    "iterate_arrow",
    "open_sequences",
    "write_sequences",
]

refuse_earlier_files()
name_by_package(__name__, LSTMAutoencoderDetector, LSTMForecastDetector)
name_by_package(__name__, LSTMClassifier, LSTMRegressor)
name_by_package(__name__, SlidingWindowDetector, StoredSequences, Stream)
name_by_package(__name__, AnomalyScoreDisplay, AttributionDisplay, LatentDisplay)
name_by_package(__name__, LossCurveDisplay, ReconstructionDisplay, ScoreDistributionDisplay)
