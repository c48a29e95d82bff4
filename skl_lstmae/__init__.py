"""Anomaly detection in sequences: LSTM autoencoders as scikit-learn estimators."""

from skl_lstmae._detector import LSTMAutoencoderDetector

__version__ = "0.1.0.dev0"

__all__ = ["LSTMAutoencoderDetector"]
