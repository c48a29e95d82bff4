"""
================================
Which network, and which scorer?
================================

A grid search with scikit-learn's own tools picks the bottleneck of the network and the scorer of
its results, once as one can without any known anomaly, and once by the known ones.

Eight men say the vowels /ae/ and a ninth is a stranger. The training part of the data, with 30
recordings of each of them, is there to choose by; the test part, to judge the choice.
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
# A detector learns from normal sequences, so only the part of a fold that judges may hold the
# stranger. scikit-learn takes such folds as pairs of positions.

stratified = StratifiedKFold(n_splits=3).split(X_train, vowels.target[is_train])
folds = [(train[y_train[train] == 1], test) for train, test in stratified]

# %%
# Two measures
# ------------
# The detector's own ``score`` is the share of the variance of normal recordings that their
# reconstruction explains. It knows no labels: who has no known anomalies gets it from
# ``GridSearchCV(detector, grid).fit(X)``. Here the folds do hold anomalies, and it has to be told
# to leave them out: a good detector may well reconstruct them badly.
#
# "roc_auc" is the probability that a normal recording gets a higher score than one of the stranger.


def explained_variance(detector, X, y):
    """Score the reconstruction of the normal sequences."""
    return detector.score(list(compress(X, y == 1)))


scoring = {"explained_variance": explained_variance, "roc_auc": "roc_auc"}

# %%
# The search
# ----------
# For the sake of time the network is small and its training short. The scorer only comes after it:
# candidates with the same bottleneck train the same network again.
#
# A search ends by fitting its winner to all it was given, which here holds the stranger: hence
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
# Nor does it say how well a network tells strangers. It favours whatever lets more through, most of
# all ``bottleneck="sequence"``, which keeps a latent at every step and may learn to copy strangers
# as well. It is good for what makes the same kind of network learn better, such as the learning
# rate or the number of epochs, and it shows a network that learned little.
#
# ROC-AUC measures what is wanted, and ranks all. But it needs labels, speaks only for anomalies
# such as those labelled, and with ten of them a fold it is noisy: a lead that is small beside the
# spread over the folds, the bars below, is no reason to choose.

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
# winners are fitted again, to all normal training recordings, and judged on the test part. Of
# candidates that tie, the first is taken; the grid names the detector's default scorer first.

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
