"""
A network of your own
=====================

Both detectors of sequences take any network that keeps a small contract:
:class:`skl_lstmae.modules.SequenceNetwork`. All else stays as it is: scaling, batches, masks,
training, scores, thresholds, files.

Here a temporal convolutional network and a GRU take the place of the LSTMs. Recordings of eight
speakers are normal, and the task is to find those of a ninth.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels
from skl_lstmae.modules import Output, SequenceNetwork, check_lengths, mean_step

# %%
# A convolution reads neighbours in time, some of which may be padding. Real steps must not depend
# on padding. Causal convolutions only look back, so they need no mask.


class TCN(SequenceNetwork):
    """Dilated causal convolutions, whose mean is the latent; others turn it into the steps."""

    def __init__(self, input_size, width=32, latent_size=16, n_layers=3):
        super().__init__()
        self.input_size, self.latent_size, self.width = input_size, latent_size, width
        self.encoder = self.stack(input_size, width, n_layers)
        self.bottleneck = nn.Linear(width, latent_size)
        self.decoder = self.stack(latent_size + 1, width, n_layers)
        self.head = nn.Linear(width, input_size)

    @staticmethod
    def stack(size, width, n_layers):
        layers = []
        for depth in range(n_layers):
            step = 2**depth
            layers += [nn.ConstantPad1d((2 * step, 0), 0.0)]
            layers += [nn.Conv1d(width if depth else size, width, 3, dilation=step), nn.ReLU()]
        return nn.Sequential(*layers)

    def forward(self, x, lengths=None, generator=None):
        lengths = check_lengths(x, lengths)
        states = self.encoder(x.transpose(1, 2)).transpose(1, 2)
        latent = self.bottleneck(mean_step(states, lengths))
        clock = torch.arange(x.shape[1], device=x.device) / lengths.unsqueeze(1)
        read = torch.cat([latent.unsqueeze(1).expand(-1, x.shape[1], -1), clock.unsqueeze(2)], 2)
        prediction = self.head(self.decoder(read.transpose(1, 2)).transpose(1, 2))
        return Output(prediction, latent, states)


# %%
# A GRU, too, only reads the past. The decoder reads the latent at every step.


class GRUAutoencoder(SequenceNetwork):
    """A GRU, whose mean is the latent; another turns it into the steps."""

    def __init__(self, input_size, width=32, latent_size=16):
        super().__init__()
        self.input_size, self.latent_size, self.width = input_size, latent_size, width
        self.encoder = nn.GRU(input_size, width, batch_first=True)
        self.bottleneck = nn.Linear(width, latent_size)
        self.decoder = nn.GRU(latent_size, width, batch_first=True)
        self.head = nn.Linear(width, input_size)

    def forward(self, x, lengths=None, generator=None):
        lengths = check_lengths(x, lengths)
        states, _ = self.encoder(x)
        latent = self.bottleneck(mean_step(states, lengths))
        hidden, _ = self.decoder(latent.unsqueeze(1).expand(-1, x.shape[1], -1))
        return Output(self.head(hidden), latent, states)


# %%
# A class is a function that takes the number of features and returns a network. ``random_state``
# draws the weights, so a fit can be repeated.

vowels = load_japanese_vowels(anomalous_speaker=6)
networks = {"LSTM": None, "GRU": GRUAutoencoder, "TCN": TCN}
scores = {}
for name, network in networks.items():
    detector = LSTMAutoencoderDetector(network=network, random_state=0)
    scores[name] = detector.fit(vowels.X_train).score_samples(vowels.X_test)
    auc = roc_auc_score(vowels.y_test, scores[name])
    n_weights = sum(weight.numel() for weight in detector.module_.parameters())
    print(f"{name:<5}ROC-AUC {auc:.3f}   {n_weights:6} weights   {detector.n_epochs_} epochs")

# %%
# With each network, the stranger's scores are lower.

fig, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
for ax, (name, found) in zip(axes, scores.items(), strict=True):
    for label, color, who in ((1, "#0072B2", "the eight speakers"), (-1, "#D55E00", "a ninth")):
        ax.hist(found[vowels.y_test == label], bins=30, density=True, alpha=0.7, color=color)
        ax.plot([], [], color=color, linewidth=6, alpha=0.7, label=who)
    ax.set(title=name, xlabel="Score, higher is more normal")
axes[0].legend(frameon=False)
plt.show()

# %%
# You may also pass a network that was trained elsewhere. With ``max_epochs=0`` its weights are
# kept, and scaling, scores and threshold are learned around it.

trained = detector.module_
detector = LSTMAutoencoderDetector(network=trained, max_epochs=0, random_state=0)
detector.fit(vowels.X_train)
print("kept:", all(map(torch.equal, trained.parameters(), detector.module_.parameters())))
