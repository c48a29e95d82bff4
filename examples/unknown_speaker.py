"""
================
An unknown voice
================

Eight men say the vowels /ae/, thirty times each. A detector learns what their recordings have in
common, and then finds those of a ninth man, whom it has never heard.
"""

from itertools import compress

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

from skl_lstmae import (
    LSTMAutoencoderDetector,
    ReconstructionDisplay,
    ScoreDistributionDisplay,
)
from skl_lstmae.datasets import load_japanese_vowels

# %%
# The recordings
# --------------
# A recording is an array of 7 to 29 time steps with 12 features. Sequences of different lengths are
# simply a list; there is nothing to pad.

vowels = load_japanese_vowels(anomalous_speaker=1)
print(f"{len(vowels.X_train)} recordings to learn from, the first {vowels.X_train[0].shape}")
print(f"{len(vowels.X_test)} recordings to judge, {np.sum(vowels.y_test == -1)} of the stranger")

# %%
# Learn, score, decide
# --------------------
# As with any outlier detector of scikit-learn, a higher score is more normal, and ``predict``
# returns +1 for normal and -1 for anomalous. Training needs no labels. As there are so few
# recordings, three tenths rather than one are held out of training, to set the threshold.

detector = LSTMAutoencoderDetector(validation_fraction=0.3, random_state=0).fit(vowels.X_train)

scores = detector.score_samples(vowels.X_test)
print(f"ROC-AUC {roc_auc_score(vowels.y_test, scores):.3f}")

# %%
# The threshold aims to flag one normal recording in a hundred by mistake. If you would rather miss
# fewer strangers, ask for another rate; the network is not trained again.

known = list(compress(vowels.X_test, vowels.y_test == 1))
stranger = list(compress(vowels.X_test, vowels.y_test == -1))
for rate in (0.01, 0.05):
    detector.recalibrate(false_alarm_rate=rate)
    n_found = np.sum(detector.predict(stranger) == -1)
    n_false = np.sum(detector.predict(known) == -1)
    print(
        f"false_alarm_rate={rate}: found {n_found} of {len(stranger)}, "
        f"false alarms {n_false} of {len(known)}"
    )

ScoreDistributionDisplay.from_estimator(detector, known, stranger)

# %%
# Where does a recording differ?
# ------------------------------
# The autoencoder tries to reconstruct what it reads, and has learned to do so only for the eight
# men. Here is the most anomalous recording, with the features and steps where it fails.

ReconstructionDisplay.from_estimator(
    detector, vowels.X_test, index=scores.argmin(), feature_names=vowels.feature_names
)
plt.show()
