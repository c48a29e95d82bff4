"""
==============================
Which of nine men has spoken?
==============================

Nine men say the vowels /ae/. A classifier learns their voices from thirty recordings of each, of
7 to 29 time steps, and names the speakers of new ones. Then it learns from only two of each.
"""

from itertools import compress

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import log_loss

from skl_lstmae import AttributionDisplay, LSTMAutoencoderDetector, LSTMClassifier
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels()
X_train = list(compress(vowels.data, vowels.is_train))
X_test = list(compress(vowels.data, ~vowels.is_train))
y_train, y_test = vowels.target[vowels.is_train], vowels.target[~vowels.is_train]

# %%
# Learn and predict
# -----------------
# The recordings stay as long as they are: nothing is padded or cut.

classifier = LSTMClassifier(random_state=0).fit(X_train, y_train)
accuracy = classifier.score(X_test, y_test)
print(f"{len(X_test)} new recordings, {accuracy:.1%} with the right speaker")

# %%
# How sure is it?
# ---------------
# If the points lie on the diagonal, the probabilities are right: of the recordings with a
# probability of 0.8 for a speaker, about four in five are his. Each of the nine probabilities of a
# recording counts as one prediction.

probabilities = classifier.predict_proba(X_test)
print(f"log loss {log_loss(y_test, probabilities):.3f}, by chance {np.log(9):.3f}")
is_speaker = y_test[:, np.newaxis] == classifier.classes_
CalibrationDisplay.from_predictions(is_speaker.ravel(), probabilities.ravel(), n_bins=5)

# %%
# What gave him away?
# -------------------
# Integrated gradients divide the decision among the values of a recording: red ones speak for the
# predicted speaker, blue ones against him.

AttributionDisplay.from_estimator(
    classifier, X_test, index=0, feature_names=vowels.feature_names, max_features=2
)

# %%
# Few labels
# ----------
# An autoencoder learns from recordings that nobody has labelled, and with ``init`` a classifier
# starts from its encoder. Here two recordings of each speaker have a label; they are drawn twice.

detector = LSTMAutoencoderDetector(bidirectional="encoder", learning_rate=0.01, random_state=0)
detector.fit(X_train)
for name, init in [("anew", None), ("from the autoencoder", detector)]:
    starting = LSTMClassifier(init=init, learning_rate=2e-3, random_state=0)
    accuracies = []
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(X_train))
        few = [i for k in range(1, 10) for i in order[y_train[order] == k][:2]]
        starting.fit([X_train[i] for i in few], y_train[few])
        accuracies.append(starting.score(X_test, y_test))
    print(f"labels for 18 recordings, starting {name}: {np.mean(accuracies):.1%}")

# %%
# This start helps a little here, although an LSTM that starts anew tells most voices apart after
# learning from 18 recordings.

plt.show()
