"""
===============================
Every architecture side by side
===============================

Papers and tutorials draw LSTM autoencoders in many ways. Each is a setting of the same detector.
Here they all learn the same recordings, of different lengths, and reconstruct one of them.
"""

from itertools import compress

import matplotlib.pyplot as plt
from sklearn.metrics import roc_auc_score

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector
from skl_lstmae.datasets import load_japanese_vowels

# %%
# The architectures
# -----------------
# All else stays at its default: the mean of the encoder's outputs becomes the latent, which the
# decoder reads at every step.

architectures = {
    "mean of the steps": {},
    "maximum of the steps": {"bottleneck": "max"},
    "last step": {"bottleneck": "last"},
    "sequence to sequence": {"bottleneck": "sequence"},
    "bidirectional encoder": {"bidirectional": "encoder"},
    "bidirectional": {"bidirectional": "both"},
    "stacked, with dropout": {"hidden_size": (32, 32), "dropout": 0.2},
    "narrowing stack": {"hidden_size": (32, 16), "bottleneck": "sequence"},
    "autoregressive decoder": {"decoder": "autoregressive"},
    "skip connection": {"skip_connection": True},
    "values in [0, 1]": {
        "scaler": "minmax",
        "output_activation": "sigmoid",
        "loss": "binary_cross_entropy",
        "noise": 0.1,
        "tol": 0.0005,  # losses of values in [0, 1] are small
    },
}

# %%
# A comparison that is fair to none
# ---------------------------------
# To save time, the networks are small and the training is short. So the figures show that every
# architecture learns, not which is best. A forecaster, which predicts each step only from the steps
# before it, joins the autoencoders.

vowels = load_japanese_vowels(anomalous_speaker=6)
known = list(compress(vowels.X_test, vowels.y_test == 1))
quick = {"hidden_size": 32, "max_epochs": 15, "random_state": 0}

detectors = {
    name: LSTMAutoencoderDetector(**{**quick, "latent_size": 8, **settings})
    for name, settings in architectures.items()
}
detectors["forecaster"] = LSTMForecastDetector(**quick)

print("architecture             weights  epochs  explained variance  ROC-AUC")
for name, detector in detectors.items():
    detector.fit(vowels.X_train)
    n_weights = sum(weights.numel() for weights in detector.module_.parameters())
    explained = detector.score(known)
    auc = roc_auc_score(vowels.y_test, detector.score_samples(vowels.X_test))
    print(f"{name:<23} {n_weights:>8} {detector.n_epochs_:>7} {explained:>19.2f} {auc:>8.2f}")

# %%
# One feature, twelve times
# -------------------------
# A single latent of eight numbers has to tell everything about a recording of hundreds. Networks
# that pass on more, such as a latent at every step or the step before, follow the recording more
# closely, and may follow a stranger's as well.

x = vowels.X_test[0]
fig, axes = plt.subplots(4, 3, sharex=True, sharey=True, layout="constrained", figsize=(8, 7))
for ax, (name, detector) in zip(axes.flat, detectors.items(), strict=True):
    predict = getattr(detector, "reconstruct", None) or detector.predict_steps
    (expected,) = predict([x])
    ax.plot(x[:, 0], "k", linewidth=0.8)
    ax.plot(expected[:, 0], "C1--")
    ax.set_title(name, fontsize="medium")
fig.supxlabel("Time step")
fig.supylabel("cepstrum_1: recording (solid) and what the network makes of it (dashed)")
plt.show()
