"""The recording that is most unlike the speakers that a detector knows."""

from skl_lstmae import LSTMAutoencoderDetector, ReconstructionDisplay
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(
    false_alarm_rate=0.05, validation_fraction=0.3, random_state=0
).fit(vowels.X_train)
worst = detector.score_samples(vowels.X_test).argmin()
display = ReconstructionDisplay.from_estimator(
    detector, [vowels.X_test[worst]], feature_names=vowels.feature_names
)
