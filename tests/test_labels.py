"""Labels are not learned from, but those that would be read the wrong way round are pointed out."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV

from skl_lstmae import LSTMAutoencoderDetector

# No epoch improves by so much: every fit ends after three of them, and none warns.
QUICK = {
    "hidden_size": 4,
    "latent_size": 2,
    "tol": 10.0,
    "n_iter_no_change": 2,
    "device": "cpu",
    "random_state": 0,
}

IS_ANOMALY = np.arange(20) % 5 == 0
X = [
    np.random.default_rng(i).normal(scale=5 if anomaly else 1, size=(6 + i % 3, 1))
    for i, anomaly in enumerate(IS_ANOMALY)
]

WARNING = (
    "y holds labels 0 and 1, and scikit-learn's scorers take 1 for normal; if 1 marks the "
    "anomalies, pass np.where(y == 1, -1, 1)."
)

WARNING_OF_TEXT = (
    "y holds labels 'ok' and 'outlier', and scikit-learn's scorers take the last by the alphabet, "
    "'outlier', for normal, or refuse text; pass np.where(np.array(y) == 'ok', -1, 1) if 'ok' "
    "marks the anomalies, else the same with 'outlier'."
)

MISLEADING = {
    "array": IS_ANOMALY.astype(int),
    "floats": IS_ANOMALY.astype(float),
    "booleans": IS_ANOMALY,
    "list": IS_ANOMALY.astype(int).tolist(),
    "column": IS_ANOMALY.astype(int).reshape(-1, 1),
    "series": pd.Series(IS_ANOMALY.astype(int)),
    "nullable series": pd.Series(IS_ANOMALY, dtype="boolean"),
    "tensor": torch.tensor(IS_ANOMALY.astype(int)),
    "all normal": np.zeros(20),
}

TEXT = {
    "array": np.where(IS_ANOMALY, "outlier", "ok"),
    "list": np.where(IS_ANOMALY, "outlier", "ok").tolist(),
    "series": pd.Series(np.where(IS_ANOMALY, "outlier", "ok")),
    "categories": pd.Series(np.where(IS_ANOMALY, "outlier", "ok"), dtype="category"),
}

PLAIN = {
    "none": None,
    "-1 and 1": np.where(IS_ANOMALY, -1, 1),
    "all 1": np.ones(20),
    "0, 1 and 2": np.arange(20) % 3,
    "numbers": np.linspace(0, 1, 20),
    "one text": ["well"] * 20,
    "three texts": np.resize(["a", "b", "c"], 20),
    "ragged": [[0], [0, 1], [1]],
    "mappings": [{"label": 0}, {"label": 1}],
    "an object": object(),
}


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK)


@pytest.mark.parametrize("y", MISLEADING.values(), ids=MISLEADING)
def test_labels_0_and_1_are_met_with_one_warning_at_the_users_line(detector, y):
    with pytest.warns(UserWarning, match="labels 0 and 1") as caught:
        detector.fit(X, y)
    assert [str(warning.message) for warning in caught] == [WARNING]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("y", TEXT.values(), ids=TEXT)
def test_two_texts_as_labels_are_met_with_one_warning_at_the_users_line(detector, y):
    with pytest.warns(UserWarning, match="by the alphabet") as caught:
        detector.fit(X, y)
    assert [str(warning.message) for warning in caught] == [WARNING_OF_TEXT]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("y", PLAIN.values(), ids=PLAIN)
def test_other_labels_are_met_with_none(detector, y):
    unlabelled = LSTMAutoencoderDetector(**QUICK).fit(X)
    detector.fit(X, y)
    np.testing.assert_array_equal(detector.score_samples(X), unlabelled.score_samples(X))


def test_what_ignores_labels_does_not_warn_of_them(detector):
    detector.partial_fit(X, IS_ANOMALY)
    detector.score(X, IS_ANOMALY)
    detector.fit_predict(X, IS_ANOMALY)


def test_the_warning_tells_the_truth_and_how_to_mend_it(detector):
    y = IS_ANOMALY.astype(int)
    scores = detector.fit(X).score_samples(X)
    assert roc_auc_score(y, scores) < 0.1
    assert roc_auc_score(np.where(y == 1, -1, 1), scores) > 0.9


def test_the_warning_of_text_tells_the_truth_and_how_to_mend_it(detector):
    y = ["outlier" if anomaly else "ok" for anomaly in IS_ANOMALY]
    detector.fit(X)
    scores = detector.score_samples(X)
    assert roc_auc_score(y, scores) < 0.1
    with pytest.raises(ValueError, match="pos_label"):
        average_precision_score(y, scores)
    assert roc_auc_score(np.where(np.array(y) == "outlier", -1, 1), scores) > 0.9


def test_a_search_warns_at_each_fit(detector):
    search = GridSearchCV(
        detector, {"latent_size": [1, 2]}, scoring="roc_auc", cv=2, error_score="raise"
    )
    with pytest.warns(UserWarning, match="labels 0 and 1") as caught:
        search.fit(X, IS_ANOMALY.astype(int))
    assert [str(warning.message) for warning in caught] == [WARNING] * (2 * 2 + 1)
    search.fit(X, np.where(IS_ANOMALY, -1, 1))
    assert search.best_score_ > 0.8
