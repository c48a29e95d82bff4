"""
================================
Which network, and which scorer?
================================

A grid search of scikit-learn chooses the bottleneck of the network and the scorer: once without any
known anomaly, and once with known ones.

Eight men say the vowels /ae/ and a ninth is a stranger. The training part of the data, with 30
recordings of each of them, serves to choose, and the test part to judge the choice.
"""

from itertools import compress

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

STRANGER = 1

vowels = load_japanese_vowels()
is_train = vowels.is_train
y = np.where(vowels.target == STRANGER, -1, 1)

X_train, y_train = list(compress(vowels.data, is_train)), y[is_train]
X_test, y_test = list(compress(vowels.data, ~is_train)), y[~is_train]

# %%
# Folds
# -----
# A detector learns from normal sequences, so only the test part of a fold may hold the stranger.
# scikit-learn takes such folds as pairs of positions.

stratified = StratifiedKFold(n_splits=3).split(X_train, vowels.target[is_train])
folds = [(train[y_train[train] == 1], test) for train, test in stratified]

# %%
# Two measures
# ------------
# The detector's own ``score`` is the share of the variance that the reconstruction explains. It
# needs no labels: if you have no known anomalies, ``GridSearchCV(detector, grid).fit(X)`` uses it.
# Here the folds do hold anomalies. They must be left out, as a good detector may well reconstruct
# them badly.
#
# "roc_auc" is the probability that a normal recording gets a higher score than one of the stranger.


def explained_variance(detector, X, y):
    """Score the reconstruction of the normal sequences."""
    return detector.score(list(compress(X, y == 1)))


scoring = {"explained_variance": explained_variance, "roc_auc": "roc_auc"}

# %%
# The search
# ----------
# To save time, the network is small and its training is short. The scorer only comes after the
# training: candidates with the same bottleneck train the same network again.
#
# At its end a search fits the winner to all the data, which here hold the stranger: hence
# ``refit=False``.

detector = LSTMAutoencoderDetector(hidden_size=32, max_epochs=10, random_state=0)
grid = {
    "bottleneck": ["mean", "last", "sequence"],
    "scorer": ["joint", "mahalanobis", "error"],
}
search = GridSearchCV(detector, grid, scoring=scoring, cv=folds, refit=False, n_jobs=2)

# So small a network loses time to a second thread; the workers of a search keep to one anyway.
torch.set_num_threads(1)
search.fit(X_train, y_train)

# %%
# Two rankings
# ------------


def print_ranking(results, measure):
    """Print a row a candidate, the best first."""
    print(f"Ranking by {measure}")
    print("rank  bottleneck  scorer        mean  std over folds")
    ranks, means, stds = (results[f"{key}_test_{measure}"] for key in ("rank", "mean", "std"))
    for i in ranks.argsort(kind="stable"):
        bottleneck, scorer = results["params"][i].values()
        print(f"{ranks[i]:>4}  {bottleneck:<10}  {scorer:<11}  {means[i]:>5.3f}  {stds[i]:>14.3f}")
    print()


for measure in scoring:
    print_ranking(search.cv_results_, measure)

# %%
# The explained variance cannot rank scorers: they do not change the reconstruction, hence the ties.
# Nor does it tell how well a network finds strangers. It favours whatever lets more through, above
# all ``bottleneck="sequence"``, which keeps a latent at every step and may learn to copy strangers
# as well. It helps to choose what makes the same kind of network learn better, such as the learning
# rate or the number of epochs, and it shows when a network learned little.
#
# ROC-AUC measures what you want, and ranks all candidates. But it needs labels, and only speaks for
# anomalies like the labelled ones. With ten of them in a fold it is noisy: a lead that is small
# compared with the spread over the folds, the bars below, is no reason to choose.

results = search.cv_results_
fig, ax = plt.subplots(layout="constrained")
for scorer, marker, shift in zip(grid["scorer"], "osD", (-0.004, 0, 0.004), strict=True):
    chosen = results["param_scorer"] == scorer
    ax.errorbar(
        results["mean_test_explained_variance"][chosen] + shift,  # side by side, as scorers tie
        results["mean_test_roc_auc"][chosen],
        results["std_test_roc_auc"][chosen],
        fmt=marker,
        capsize=3,
        label=scorer,
    )
for i in np.flatnonzero(results["param_scorer"] == grid["scorer"][0]):
    ax.text(
        results["mean_test_explained_variance"][i],
        1.01,
        results["param_bottleneck"][i],
        transform=ax.get_xaxis_transform(),
        ha="center",
    )
ax.set(xlabel="Explained variance, needs no labels", ylabel="ROC-AUC, mean and spread over folds")
ax.margins(x=0.1, y=0.15)
ax.legend(title="scorer")

# %%
# Judging the winners
# -------------------
# The best of many candidates looks better than it is on the recordings that chose it. So both
# winners are fitted again, to all normal training recordings, and judged on the test part. If
# candidates tie, the first one wins; the grid names the detector's default scorer first.

print(f"Winners on {np.sum(y_test == 1)} normal and {np.sum(y_test == -1)} other test recordings")
print("picked by           bottleneck  scorer       explained variance  ROC-AUC")
for measure in scoring:
    winner = search.cv_results_["params"][search.cv_results_[f"rank_test_{measure}"].argmin()]
    chosen = clone(detector).set_params(**winner).fit(list(compress(X_train, y_train == 1)))
    explained = explained_variance(chosen, X_test, y_test)
    auc = roc_auc_score(y_test, chosen.score_samples(X_test))
    bottleneck, scorer = winner.values()
    print(f"{measure:<18}  {bottleneck:<10}  {scorer:<11}  {explained:>18.3f}  {auc:>7.3f}")
plt.show()
