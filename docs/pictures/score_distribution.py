"""Scores of speakers that a detector knows and of one that it does not."""

from skl_lstmae import LSTMAutoencoderDetector, ScoreDistributionDisplay
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(
    validation_fraction=0.3, false_alarm_rate=0.1, random_state=0
).fit(vowels.X_train)
known, stranger = vowels.X_test[:339], vowels.X_test[339:]
ScoreDistributionDisplay.from_estimator(detector, known, stranger)
