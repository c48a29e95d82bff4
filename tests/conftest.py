"""What the tests share: makers of data, detectors fitted in no time, and the environment."""

import os
import re
import warnings

import numpy as np
import pytest
import torch

# Without it, scikit-learn skips its check of array API input; scipy reads it when imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Tests draw into files, never on a screen.
os.environ.setdefault("MPLBACKEND", "Agg")

# The suite runs in several processes, and small networks lose to threads that crowd each other.
torch.set_num_threads(1)

QUICK = {"hidden_size": 4, "max_epochs": 4, "batch_size": 8, "device": "cpu", "random_state": 0}
"""Parameters of either detector of sequences that is fitted in no time."""


def make_waves(n_sequences=24, n_timesteps=20, n_features=2, noise=0.1, seed=0):
    """Return noisy sines of random phases, (n_sequences, n_timesteps, n_features)."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 6, size=(n_sequences, 1, n_features))
    waves = np.sin(phases + np.arange(n_timesteps)[:, np.newaxis] / 3)
    return waves + noise * rng.normal(size=waves.shape)


def make_ragged(n_sequences=24, shortest=6, longest=20, n_features=2, seed=0):
    """Return a list of such waves of random lengths."""
    lengths = np.random.default_rng(seed).integers(shortest, longest, n_sequences, endpoint=True)
    waves = make_waves(n_sequences, longest, n_features, seed=seed)
    return [wave[:length] for wave, length in zip(waves, lengths, strict=True)]


def make_series(n_rows=600, n_features=2, seed=0):
    """Return one long noisy sine a feature, (n_rows, n_features)."""
    return make_waves(1, n_rows, n_features, seed=seed)[0]


def fitted(detector, X, *args):
    """Fit a detector whose training is cut short on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training ended at max_epochs")
        warnings.filterwarnings("ignore", "Set aside as unlike the others")  # by such networks
        return detector.fit(X, *args)


def exactly(sentence):
    """Return the pattern of which a message is nothing but this sentence."""
    return f"^{re.escape(sentence)}$"


@pytest.fixture(scope="session")
def vowels():
    """Recordings of nine speakers, of whom one is the anomaly."""
    from skl_lstmae.datasets import load_japanese_vowels

    return load_japanese_vowels(anomalous_speaker=6)
