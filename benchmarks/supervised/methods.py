"""Ways to learn classes of sequences, each from its defaults, and the simple ones beside them."""

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

from benchmarks.supervised.augmented import AUGMENTED
from benchmarks.supervised.dtw import distances
from skl_lstmae import LSTMAutoencoderDetector, LSTMClassifier
from skl_lstmae.training.schedule import BATCH_SIZE

OURS = "LSTMClassifier"

Sequences = list[np.ndarray]


def find_method(name: str) -> Callable[..., Any]:
    """Return a method of these names, or our classifier with other parameters, "noise=0.1"."""
    if "=" not in name:
        return (METHODS | AUGMENTED)[name]
    pairs = (pair.partition("=") for pair in name.split(" "))
    return partial(classify, **{key: ast.literal_eval(value) for key, _, value in pairs})


def classify(
    X: Sequences, y: np.ndarray, X_test: Sequences, seed: int, **parameters: Any
) -> np.ndarray:
    return LSTMClassifier(random_state=seed, **parameters).fit(X, y).predict(X_test)


def nearest_by_dtw(X: Sequences, y: np.ndarray, X_test: Sequences, seed: int) -> np.ndarray:
    scaler = StandardScaler().fit(np.concatenate(X))
    scaled, scaled_test = ([scaler.transform(x) for x in part] for part in (X, X_test))
    return y[distances(scaled_test, scaled).argmin(axis=1)]


def boosted_summaries(X: Sequences, y: np.ndarray, X_test: Sequences, seed: int) -> np.ndarray:
    boosting = HistGradientBoostingClassifier(min_samples_leaf=n_in_leaf(X), random_state=seed)
    return boosting.fit(summaries(X), y).predict(summaries(X_test))


def n_in_leaf(X: Sequences) -> int:
    """Return how many a leaf holds at least: the default, 20, leaves few sequences undivided."""
    return max(1, min(20, len(X) // 10))


def latents(X: Sequences, y: np.ndarray, X_test: Sequences, seed: int) -> np.ndarray:
    detector = LSTMAutoencoderDetector(random_state=seed).fit(X)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return regression.fit(detector.transform(X), y).predict(detector.transform(X_test))


def padded_lstm(X: Sequences, y: np.ndarray, X_test: Sequences, seed: int) -> np.ndarray:
    """Train a bidirectional LSTM of the same width, for as many steps, on zeros at the ends.

    It reads the last states, as tutorials have it, and does not know where a sequence ends.
    """
    torch.manual_seed(seed)
    scaler = StandardScaler().fit(np.concatenate(X))
    longest = max(map(len, X + X_test))
    train, test = (_padded([scaler.transform(x) for x in part], longest) for part in (X, X_test))
    classes, codes = np.unique(y, return_inverse=True)
    network = PaddedLSTM(train.shape[2], len(classes))
    settings = LSTMClassifier()
    rate, size = settings.learning_rate, BATCH_SIZE
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=settings.weight_decay)
    n_steps = settings.max_epochs * -(-len(X) // size)
    schedule = OneCycleLR(optimizer, rate, n_steps, cycle_momentum=False)
    target = torch.from_numpy(codes)
    for _ in range(settings.max_epochs):
        for batch in torch.randperm(len(X)).split(size):
            loss = nn.functional.cross_entropy(network(train[batch]), target[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
            optimizer.step()
            schedule.step()
    network.eval()
    with torch.inference_mode():
        return classes[torch.cat([network(part) for part in test.split(64)]).argmax(dim=1)]


class PaddedLSTM(nn.Module):
    def __init__(self, n_features: int, n_classes: int):
        super().__init__()
        settings = LSTMClassifier()
        self.lstm = nn.LSTM(n_features, settings.hidden_size, batch_first=True, bidirectional=True)
        self.latent = nn.Linear(2 * settings.hidden_size, settings.latent_size)
        self.head = nn.Sequential(
            nn.Dropout(settings.dropout), nn.Linear(settings.latent_size, n_classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, (last, _) = self.lstm(x)
        return self.head(self.latent(torch.cat([last[0], last[1]], dim=1)))


def rocket(X: Sequences, y: np.ndarray, X_test: Sequences, seed: int) -> np.ndarray:
    """Run MiniRocket, of aeon if that can be imported, on zeros at the ends."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    longest = max(9, *map(len, X + X_test))
    train, test = (_padded(part, longest).numpy().swapaxes(1, 2) for part in (X, X_test))
    return MiniRocketClassifier(random_state=seed).fit(train, y).predict(test)


def summaries(X: Sequences) -> np.ndarray:
    """Describe each sequence by numbers: values, changes, ends and length."""
    rows = []
    for x in X:
        change = np.diff(x, axis=0)
        values = (x.mean(0), x.std(0), x.min(0), x.max(0), x[0], x[-1])
        rows.append(np.r_[*values, change.mean(0), change.std(0), len(x)])
    return np.array(rows)


def _padded(X: Sequences, longest: int) -> torch.Tensor:
    padded = np.zeros((len(X), longest, X[0].shape[1]), dtype=np.float32)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    return torch.from_numpy(padded)


METHODS: dict[str, Callable[..., Any]] = {
    OURS: classify,
    "1-NN by DTW": nearest_by_dtw,
    "summaries + boosting": boosted_summaries,
    "latents + logistic": latents,
    "LSTM on zeros": padded_lstm,
    "MiniRocket on zeros": rocket,
}
SIMPLE = ("1-NN by DTW", "summaries + boosting", "latents + logistic")
"""Baselines of few lines."""

WITHOUT_CHANCE = {"1-NN by DTW", "summaries + boosting"}
"""Of which one random state tells all: nothing is drawn."""
