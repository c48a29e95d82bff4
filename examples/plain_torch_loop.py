"""
===============================
The networks in a training loop
===============================

The networks behind the detectors are plain PyTorch modules. Here one is trained in a loop of your
own, in case you want another optimizer, another loss, or to make it part of something larger.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch.nn.utils.rnn import pad_sequence

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels
from skl_lstmae.modules import LSTMAutoencoder

torch.manual_seed(0)

# %%
# A padded batch
# --------------
# The modules take a padded batch ``(batch, time, feature)`` and the lengths of its sequences.
# Scaling is up to you; use only statistics of the training sequences.

vowels = load_japanese_vowels(anomalous_speaker=6)
steps = np.concatenate(vowels.X_train)
mean, deviation = steps.mean(axis=0), steps.std(axis=0)


def pad(sequences):
    """Return scaled sequences as a padded batch, their lengths, and which steps are real."""
    scaled = [torch.tensor((x - mean) / deviation) for x in sequences]
    lengths = torch.tensor([len(x) for x in scaled])
    x = pad_sequence(scaled, batch_first=True)
    is_real = torch.arange(x.shape[1]) < lengths[:, None]
    return x, lengths, is_real


def mean_errors(prediction, x, is_real):
    """Return the mean squared error of each sequence over its real steps."""
    step_errors = (prediction - x).square().mean(dim=2)
    return (step_errors * is_real).sum(dim=1) / is_real.sum(dim=1)


# %%
# The loop
# --------
# Inside the network padding never reaches a real step. But the prediction goes on beyond the end of
# a short sequence, so the loss has to leave these steps out.

network = LSTMAutoencoder(input_size=12, hidden_size=32, latent_size=8)
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
x, lengths, is_real = pad(vowels.X_train)

losses = []
for _ in range(60):
    order = torch.randperm(len(x))
    for rows in order.split(64):
        output = network(x[rows], lengths[rows])
        loss = mean_errors(output.prediction, x[rows], is_real[rows]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    losses.append(loss.item())
print(f"loss {losses[0]:.2f} after the first epoch, {losses[-1]:.2f} after the last")

# %%
# Scores
# ------
# The reconstruction error tells the unknown speaker from the known ones.

network.eval()
with torch.no_grad():
    x, lengths, is_real = pad(vowels.X_test)
    output = network(x, lengths)
    errors = mean_errors(output.prediction, x, is_real).numpy()
print(f"latents {tuple(output.latent.shape)}")
print(f"ROC-AUC {roc_auc_score(vowels.y_test, -errors):.2f}")

fig, (left, right) = plt.subplots(1, 2, layout="constrained", figsize=(8, 3.5))
left.plot(range(1, len(losses) + 1), losses)
left.set(xlabel="Epoch", ylabel="Loss of the last batch", ylim=(0, None))
bins = np.linspace(0, errors.max(), 30)
right.hist(errors[vowels.y_test == 1], bins, label="known speakers")
right.hist(errors[vowels.y_test == -1], bins, label="unknown speaker", histtype="step", linewidth=2)
right.set(xlabel="Error of a recording", ylabel="Recordings")
right.legend()
plt.show()

# %%
# Back into a detector
# --------------------
# A detector adds scores that also use the latent, a threshold, forms of input and files. It takes a
# trained network, and with ``max_epochs=0`` leaves its weights as they are. The loop has scaled the
# recordings, so the detector must not.

detector = LSTMAutoencoderDetector(network=network, max_epochs=0, scaler=None, random_state=0)
detector.fit([(x - mean) / deviation for x in vowels.X_train])
scores = detector.score_samples([(x - mean) / deviation for x in vowels.X_test])
print(f"ROC-AUC as a detector {roc_auc_score(vowels.y_test, scores):.2f}")
