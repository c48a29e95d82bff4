"""Scores of speakers that a detector knows and of one that it does not."""

from itertools import compress

from skl_lstmae import LSTMAutoencoderDetector, ScoreDistributionDisplay
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(false_alarm_rate=0.05, random_state=0).fit(vowels.X_train)
known = list(compress(vowels.X_test, vowels.y_test == 1))
stranger = list(compress(vowels.X_test, vowels.y_test == -1))
display = ScoreDistributionDisplay.from_estimator(detector, known, stranger)
