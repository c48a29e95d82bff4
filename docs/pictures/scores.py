"""Errors and scores of recordings of speakers that a detector knows and of one that it does not."""

import matplotlib.pyplot as plt
from sklearn.metrics import roc_auc_score

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=3)
detector = LSTMAutoencoderDetector(
    false_alarm_rate=0.05, validation_fraction=0.3, random_state=0
).fit(vowels.X_train)
errors = detector.reconstruction_error(vowels.X_test)
scores = detector.score_samples(vowels.X_test)
aucs = [roc_auc_score(vowels.y_test, -errors), roc_auc_score(vowels.y_test, scores)]

figure, ax = plt.subplots(layout="constrained", figsize=(8, 4.5))
ax.spines[["top", "right"]].set_visible(False)
for label, name, style in (
    (1, "known speakers", {"marker": "o", "s": 14, "color": "#56B4E9"}),
    (-1, "the stranger", {"marker": "^", "s": 34, "facecolor": "none", "edgecolor": "#D55E00"}),
):
    chosen = vowels.y_test == label
    ax.scatter(errors[chosen], scores[chosen], label=f"{chosen.sum()} of {name}", **style)
ax.axhline(detector.offset_, color="black", linestyle="--", label="threshold of the score")
ax.set(xscale="log", xlabel="Error of the reconstruction", xticks=[0.05, 0.1, 0.2, 0.4, 0.8])
ax.xaxis.set_major_formatter("{x:g}")
ax.minorticks_off()
ax.set(ylabel='Score by scorer="joint", higher is more normal')
ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, fontsize="small")
