"""Vary the latent and the noise on the training part of the Japanese vowels alone.

Each of the nine speakers in turn is the stranger. A detector is trained on 20 recordings of each
other speaker and judged by the ROC-AUC with which it tells their remaining 10 from the stranger's
30: the recordings that the demo tests on take no part. The last column is the mean over the eight
speakers that remain when the one is left out for whom this mean is least in favour of the defaults:
were it below that of another setting, that speaker's own recordings would have chosen the default.
`benchmarks/detection` varies all defaults, on more data.
"""

import argparse
import warnings
from itertools import product

import joblib
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from benchmarks.markdown import table
from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

SETTINGS = {
    "default": {},
    "latent_size=16": {"latent_size": 16},
    "latent_size=64": {"latent_size": 64},
    "noise=0": {"noise": 0.0},
    "noise=0.5": {"noise": 0.5},
    "noise=1.2": {"noise": 1.2},
    "latent_size=64, noise=0.5": {"latent_size": 64, "noise": 0.5},
    "latent_size=64, noise=1.2": {"latent_size": 64, "noise": 1.2},
}
SPEAKERS = range(1, 10)


def roc_auc(parameters, stranger, seed):
    """Train once and judge."""
    torch.set_num_threads(1)
    vowels = load_japanese_vowels()
    train, test, is_known = [], [], []
    for speaker in SPEAKERS:
        own = [vowels.data[i] for i in np.flatnonzero(vowels.is_train & (vowels.target == speaker))]
        n_train = 0 if speaker == stranger else 20
        train += own[:n_train]
        test += own[n_train:]
        is_known += [speaker != stranger] * len(own[n_train:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        detector = LSTMAutoencoderDetector(random_state=seed, **parameters).fit(train)
    return roc_auc_score(is_known, detector.score_samples(test))


def main():
    """Print a row a setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    n_seeds = parser.parse_args().seeds
    jobs = product(SETTINGS.values(), SPEAKERS, range(n_seeds))
    aucs = joblib.Parallel(n_jobs=-1)(joblib.delayed(roc_auc)(*job) for job in jobs)
    by_speaker = np.reshape(aucs, (len(SETTINGS), 9, n_seeds)).mean(axis=2)
    without_one = (by_speaker.sum(axis=1, keepdims=True) - by_speaker) / 8
    lines = []
    for name, own, reduced in zip(SETTINGS, by_speaker, without_one, strict=True):
        left_out = (without_one[0] - reduced).argmin()
        means = own.mean(), reduced[left_out], without_one[0, left_out]
        lines.append([f"`{name}`", *(f"{mean:.3f}" for mean in means)])
    head = ["setting", f"mean ROC-AUC, {n_seeds} seeds", "less one speaker", "default then"]
    print(table(head, lines))


if __name__ == "__main__":
    main()
