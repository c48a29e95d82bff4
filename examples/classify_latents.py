"""
===================================
Latents as features of a classifier
===================================

The autoencoder describes a sequence of any length by one vector, its latent. In a pipeline these
vectors feed any classifier of scikit-learn: here, one that tells nine speakers apart.
"""

from itertools import compress

import matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstmae import LatentDisplay, LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels()
X_train = list(compress(vowels.data, vowels.is_train))
X_test = list(compress(vowels.data, ~vowels.is_train))
y_train, y_test = vowels.target[vowels.is_train], vowels.target[~vowels.is_train]

# %%
# The pipeline
# ------------
# The first step learns only from the sequences, the last one also from the speakers.

pipeline = make_pipeline(
    LSTMAutoencoderDetector(random_state=0),
    StandardScaler(),
    LogisticRegression(),
)
pipeline.fit(X_train, y_train)
print(f"{len(X_test)} new recordings, {pipeline.score(X_test, y_test):.1%} with the right speaker")
print(f"by chance: {1 / len(pipeline.classes_):.1%}")

# %%
# An autoencoder is not made to tell classes apart, and a network that learns from the labels
# themselves may do better. But an autoencoder can learn from many sequences of which only a few
# have a label. Here each speaker has two.

few = [i for speaker in range(1, 10) for i in (y_train == speaker).nonzero()[0][:2]]
detector, classifier = pipeline[0], pipeline[1:]
classifier.fit(detector.transform([X_train[i] for i in few]), y_train[few])
accuracy = classifier.score(detector.transform(X_test), y_test)
print(f"with labels for {len(few)} recordings: {accuracy:.1%}")

# %%
# The latents
# -----------
# The two directions in which the latents vary most already separate several of the speakers.

LatentDisplay.from_estimator(detector, X_test, y=[f"speaker {k}" for k in y_test])
plt.show()
