"""Latents of recordings by their speakers, one of whom the detector has not heard."""

from skl_lstmae import LatentDisplay, LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(random_state=0).fit(vowels.X_train)
names = [f"speaker {k}{' (stranger)' if k == 1 else ''}" for k in vowels.speaker_test]
LatentDisplay.from_estimator(detector, vowels.X_test, names)
