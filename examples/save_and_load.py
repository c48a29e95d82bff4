"""
=============
Save and load
=============

joblib writes a fitted detector to a file; so does skops, if those who load it should not have to
trust the file. The loaded detector gives the same scores, bit for bit.
"""

import tempfile
from itertools import compress
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
import skops.io

from skl_lstmae import LSTMAutoencoderDetector, ScoreDistributionDisplay
from skl_lstmae.datasets import load_japanese_vowels

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(random_state=0)
detector.fit(vowels.X_train)
scores = detector.score_samples(vowels.X_test)

folder = tempfile.TemporaryDirectory()
joblib_file = Path(folder.name) / "detector.joblib"
skops_file = Path(folder.name) / "detector.skops"

# %%
# joblib
# ------
# This is scikit-learn's usual way, and the shortest. Loading such a file runs whatever code is in
# it: load only what you trust.

joblib.dump(detector, joblib_file, compress=3)
from_joblib = joblib.load(joblib_file)
print(f"joblib: {joblib_file.stat().st_size // 1000} kB")
print("equal scores:", np.array_equal(from_joblib.score_samples(vowels.X_test), scores))

# %%
# skops
# -----
# skops only makes objects of types that it knows or that you name. Check the names before you pass
# them on: those of other packages are a scaler or scorer of whoever wrote the file.

skops.io.dump(detector, skops_file)
types = skops.io.get_untrusted_types(file=skops_file)
print("\n".join(types))
strangers = [name for name in types if not name.startswith("skl_lstmae.")]
if strangers:
    raise ValueError(f"the file holds types of other packages: {strangers}")

from_skops = skops.io.load(skops_file, trusted=types)
print("equal scores:", np.array_equal(from_skops.score_samples(vowels.X_test), scores))

# %%
# As good as new
# --------------
# A loaded detector has everything: you can move its threshold, train it further, and draw it.

from_skops.recalibrate(false_alarm_rate=0.05)

known = list(compress(vowels.X_test, vowels.y_test == 1))
stranger = list(compress(vowels.X_test, vowels.y_test == -1))
ScoreDistributionDisplay.from_estimator(from_skops, known, stranger)
folder.cleanup()
plt.show()
