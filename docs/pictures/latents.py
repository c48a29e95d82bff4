"""Latents of recordings by their speakers, one of whom the detector has not heard."""

from skl_lstmae import LatentDisplay, LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(random_state=0).fit(vowels.X_train)
STRANGER = "speaker 1 (stranger)"
names = [STRANGER if k == 1 else f"speaker {k}" for k in vowels.speaker_test]
display = LatentDisplay.from_estimator(detector, vowels.X_test, names)

# Nine speakers share seven colours: the stranger is to stand out, as in the legend, where he is
# first.
for points in display.points_[STRANGER], display.ax_.get_legend().legend_handles[0]:
    points.set(facecolor="yellow", edgecolor="black", linewidth=0.8, sizes=[50], zorder=3)
