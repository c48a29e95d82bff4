"""
====================
A scorer of your own
====================

A function can turn the errors of a sequence into its score. If you know what does *not* matter in
your data, it can leave that out: here, a click of the microphone.
"""

from itertools import compress

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

from skl_lstmae import LSTMAutoencoderDetector, ScoreDistributionDisplay
from skl_lstmae.datasets import load_japanese_vowels

# %%
# Recordings with a click
# -----------------------
# A click disturbs one step of each test recording, both those of speakers that the detector knows
# and those of the stranger.

vowels = load_japanese_vowels(anomalous_speaker=6)
rng = np.random.default_rng(0)
X_test = [x.copy() for x in vowels.X_test]
for x in X_test:
    x[rng.integers(len(x))] += rng.normal(0, 1.5, size=x.shape[1])

# %%
# The scorer
# ----------
# A scorer gets the errors of each sequence, an array of steps and features, and the latents, one
# row for each sequence. It returns one number for each sequence, higher for normal ones. This one
# takes the median over the steps, which a single step cannot move far.


def typical_step(errors, latents):
    """Return minus the error of each sequence's median step."""
    return [-np.median(steps.mean(axis=1)) for steps in errors]


# %%
# Pass the function in place of the name of a scorer. The threshold is calibrated on its scores.

detectors = {}
for scorer in ("error", typical_step):
    name = getattr(scorer, "__name__", scorer)
    detector = LSTMAutoencoderDetector(scorer=scorer, random_state=0)
    detectors[name] = detector.fit(vowels.X_train)
    clean = roc_auc_score(vowels.y_test, detector.score_samples(vowels.X_test))
    clicks = roc_auc_score(vowels.y_test, detector.score_samples(X_test))
    print(f"{name:<13} ROC-AUC {clean:.2f} without clicks, {clicks:.2f} with them")

# %%
# With the mean error, a click looks like a stranger; the median step hardly notices it.

fig, axes = plt.subplots(2, layout="constrained")
known = list(compress(X_test, vowels.y_test == 1))
stranger = list(compress(X_test, vowels.y_test == -1))
for ax, (name, detector) in zip(axes, detectors.items(), strict=True):
    ScoreDistributionDisplay.from_estimator(detector, known, stranger, ax=ax)
    ax.set_title(name)
plt.show()
