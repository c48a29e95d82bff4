"""Anomaly detection in sequences: LSTM autoencoders and forecasters for scikit-learn."""

from skl_lstmae._detector import LSTMAutoencoderDetector
from skl_lstmae._displays import (
    AnomalyScoreDisplay,
    LatentDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
    ScoreDistributionDisplay,
)
from skl_lstmae._forecast import LSTMForecastDetector
from skl_lstmae._sliding import SlidingWindowDetector
from skl_lstmae._stream import Stream
from skl_lstmae._version import __version__

__all__ = [
    "AnomalyScoreDisplay",
    "LSTMAutoencoderDetector",
    "LSTMForecastDetector",
    "LatentDisplay",
    "LossCurveDisplay",
    "ReconstructionDisplay",
    "ScoreDistributionDisplay",
    "SlidingWindowDetector",
    "Stream",
    "__version__",
]
