"""
==============
Missing values
==============

Sensors fail and lines drop. A missing value is NaN, in training and in scoring: you need not fill
in anything, and gaps count neither for nor against a sequence.
"""

from itertools import compress

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

from skl_lstmae import LSTMAutoencoderDetector, ReconstructionDisplay
from skl_lstmae.datasets import load_japanese_vowels

# %%
# Recordings with gaps
# --------------------
# The recordings are complete, so we can hide some values and still know what they were.

rng = np.random.default_rng(0)


def hide(sequences, share):
    """Return copies in which a share of the values is missing."""
    return [np.where(rng.random(x.shape) < share, np.nan, x) for x in sequences]


vowels = load_japanese_vowels(anomalous_speaker=1)
X_train = hide(vowels.X_train, 0.2)

detector = LSTMAutoencoderDetector(false_alarm_rate=0.05, random_state=0)
detector.fit(X_train)

# %%
# The fewer the values, the harder the task
# -----------------------------------------
# The detector learned from recordings that lack a fifth of their values. It can judge complete
# ones, and those that lack even more.

for share in (0.0, 0.2, 0.4, 0.6):
    scores = detector.score_samples(hide(vowels.X_test, share))
    print(f"{share:.0%} missing: ROC-AUC {roc_auc_score(vowels.y_test, scores):.3f}")

# %%
# NaN is not zero
# ---------------
# A common habit is to write 0 where nothing was measured. To any detector this is a measurement
# like any other, and an odd one: known voices now raise alarms.

complete = list(compress(vowels.X_test, vowels.y_test == 1))
X_known = hide(complete, 0.4)
with_zeros = [np.nan_to_num(x) for x in X_known]
for name, X in (("NaN", X_known), ("0", with_zeros)):
    share = np.mean(detector.score_samples(X) < detector.offset_)
    print(f"{name} for a missing value: {share:.1%} false alarms")

# %%
# What the gaps may have held
# ---------------------------
# ``reconstruct`` returns a value for every step and feature, also in the gaps. These values are
# good guesses: in units of each feature's standard deviation, they are closer to the hidden values
# than the feature's mean is.

deviations, baselines = [], []
for x, gappy, reconstructed in zip(complete, X_known, detector.reconstruct(X_known), strict=True):
    is_hidden = np.isnan(gappy)
    deviations.append(((x - reconstructed) / detector.scaler_.scale_)[is_hidden])
    baselines.append(((x - detector.scaler_.mean_) / detector.scaler_.scale_)[is_hidden])
for name, parts in (("reconstruction", deviations), ("feature's mean", baselines)):
    print(f"{name}: off by {np.sqrt(np.mean(np.concatenate(parts) ** 2)):.2f}")

ReconstructionDisplay.from_estimator(detector, X_known, feature_names=vowels.feature_names)
plt.show()
