"""How often a speaker has spoken who is given a probability."""

from itertools import compress

import numpy as np
from sklearn.calibration import CalibrationDisplay

from skl_lstmae import LSTMClassifier
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels()
X_test = list(compress(vowels.data, ~vowels.is_train))
y_test = vowels.target[~vowels.is_train]
# So few recordings to learn from that it errs at times.
X_train = list(compress(vowels.data, vowels.is_train))[::15]
classifier = LSTMClassifier(random_state=0).fit(X_train, vowels.target[vowels.is_train][::15])
probabilities = classifier.predict_proba(X_test)
is_speaker = y_test[:, np.newaxis] == classifier.classes_
display = CalibrationDisplay.from_predictions(
    is_speaker.ravel(), probabilities.ravel(), n_bins=5, name="LSTMClassifier"
)
