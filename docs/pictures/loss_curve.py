"""The losses of a detector, epoch by epoch."""

from skl_lstmae import LossCurveDisplay, LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(early_stopping=True, random_state=0).fit(vowels.X_train)
LossCurveDisplay.from_estimator(detector)
