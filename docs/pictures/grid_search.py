"""Candidates of a search, by a measure that needs no labels and by one that does."""

from itertools import compress

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels


def explained_variance(detector, X, y):
    """Score the reconstruction of the normal sequences."""
    return detector.score(list(compress(X, y == 1)))


labelled = load_japanese_vowels()
X = list(compress(labelled.data, labelled.is_train))
speakers = labelled.target[labelled.is_train]
y = np.where(speakers == 1, -1, 1)

stratified = StratifiedKFold(n_splits=2).split(X, speakers)
folds = [(train[y[train] == 1], test) for train, test in stratified]
grid = {"bottleneck": ["mean", "last", "sequence"], "scorer": ["joint", "error"]}
detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0)
scoring = {"explained_variance": explained_variance, "roc_auc": "roc_auc"}
search = GridSearchCV(detector, grid, scoring=scoring, cv=folds, refit=False).fit(X, y)

results = search.cv_results_
explained, aucs = results["mean_test_explained_variance"], results["mean_test_roc_auc"]
figure, ax = plt.subplots(layout="constrained")
for scorer, shift, style in (
    ("joint", -0.002, {"fmt": "o", "color": "#0072B2"}),
    ("error", 0.002, {"fmt": "s", "color": "#D55E00", "markerfacecolor": "white"}),
):
    chosen = results["param_scorer"] == scorer
    ax.errorbar(
        explained[chosen] + shift,  # side by side, as scorers tie
        aucs[chosen],
        results["std_test_roc_auc"][chosen],
        capsize=3,
        label=f'scorer="{scorer}"',
        **style,
    )
for i in np.flatnonzero(results["param_scorer"] == "joint"):
    name = f'"{results["param_bottleneck"][i]}"'
    ax.text(explained[i], 1.01, name, transform=ax.get_xaxis_transform(), ha="center")
ax.set_title("bottleneck", fontsize="medium", pad=18)
ax.set(xlabel="Explained variance, needs no labels", ylabel="ROC-AUC, mean and spread over folds")
ax.margins(x=0.15, y=0.15)
ax.legend()
