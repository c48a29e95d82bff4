"""Labels are not learned from, but those that would be read the wrong way round are pointed out."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import QUICK, exactly
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold

from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector

IS_ANOMALY = np.arange(20) % 5 == 0
X = [
    np.random.default_rng(i).normal(scale=5 if anomaly else 1, size=(6 + i % 3, 1))
    for i, anomaly in enumerate(IS_ANOMALY)
]

OF_NUMBERS = (
    "y holds labels 0 and 1, and scikit-learn's scorers take 1 for normal; if 1 marks the "
    "anomalies, pass np.where(y == 1, -1, 1)."
)
OF_TEXT = (
    "y holds labels 'ok' and 'outlier', and scikit-learn's scorers take the last by the alphabet, "
    "'outlier', for normal, or refuse text; pass np.where(np.array(y) == 'ok', -1, 1) if 'ok' "
    "marks the anomalies, else the same with 'outlier'."
)

NUMBERS = IS_ANOMALY.astype(int)
TEXT = np.where(IS_ANOMALY, "outlier", "ok")

MISLEADING = {
    "array": (NUMBERS, OF_NUMBERS),
    "floats": (NUMBERS.astype(float), OF_NUMBERS),
    "booleans": (IS_ANOMALY, OF_NUMBERS),
    "list": (NUMBERS.tolist(), OF_NUMBERS),
    "column": (NUMBERS.reshape(-1, 1), OF_NUMBERS),
    "series": (pd.Series(NUMBERS), OF_NUMBERS),
    "nullable series": (pd.Series(IS_ANOMALY, dtype="boolean"), OF_NUMBERS),
    "tensor": (torch.tensor(NUMBERS), OF_NUMBERS),
    "all normal": (np.zeros(20), OF_NUMBERS),
    "array of text": (TEXT, OF_TEXT),
    "list of text": (TEXT.tolist(), OF_TEXT),
    "series of text": (pd.Series(TEXT), OF_TEXT),
    "categories": (pd.Series(TEXT, dtype="category"), OF_TEXT),
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
    # No epoch improves by so much: every fit ends after three of them, and none warns.
    return LSTMAutoencoderDetector(**QUICK, tol=10.0, n_iter_no_change=2)


@pytest.mark.parametrize("kind", MISLEADING)
def test_misleading_labels_are_met_with_one_warning_at_the_users_line(detector, kind):
    y, sentence = MISLEADING[kind]
    with pytest.warns(UserWarning, match="scikit-learn's scorers") as caught:
        detector.fit(X, y)
    assert [str(warning.message) for warning in caught] == [sentence]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("kind", PLAIN)
def test_other_labels_are_met_with_none_and_change_nothing(detector, kind):
    scores = detector.fit(X).score_samples(X)
    np.testing.assert_array_equal(detector.fit(X, PLAIN[kind]).score_samples(X), scores)


def test_what_ignores_labels_does_not_warn_of_them(detector):
    detector.partial_fit(X, IS_ANOMALY)
    detector.score(X, IS_ANOMALY)
    detector.fit_predict(X, IS_ANOMALY)


@pytest.mark.parametrize("y", [NUMBERS, TEXT], ids=["numbers", "text"])
def test_the_warning_tells_the_truth_and_how_to_mend_it(detector, y):
    scores = detector.fit(X).score_samples(X)
    assert roc_auc_score(y, scores) < 0.1
    assert roc_auc_score(np.where(y == y[0], -1, 1), scores) > 0.9
    if y is TEXT:
        with pytest.raises(ValueError, match="pos_label"):
            average_precision_score(y, scores)


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
def test_a_search_warns_at_each_fit(detector):
    search = GridSearchCV(
        detector, {"latent_size": [1, 2]}, scoring="roc_auc", cv=2, error_score="raise"
    )
    with pytest.warns(UserWarning, match="labels 0 and 1") as caught:
        search.fit(X, NUMBERS)
    told = [str(warning.message) for warning in caught]
    assert told.count(OF_NUMBERS) == 2 * 2 + 1
    search.fit(X, np.where(IS_ANOMALY, -1, 1))
    assert search.best_score_ > 0.8


NESTED = (
    "y holds the labels series by series, which scikit-learn's scorers do not take, so that a "
    "search by roc_auc, say, finds nothing but NaN; for a search make X a panel, a DataFrame "
    "indexed by (series id, time), with one label a row in y, and pass groups, the series ids, and "
    "cv=GroupKFold(...)."
)


def labelled_series(lengths):
    series, labels = [], []
    for i, n in enumerate(lengths):
        series.append(np.random.default_rng(i).normal(size=(n, 1)))
        labels.append(np.ones(n, dtype=int))
        series[-1][60:70] += 9
        labels[-1][60:70] = -1
    return series, labels


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
@pytest.mark.parametrize("lengths", [[100] * 4, [100, 110, 120, 130]])
@pytest.mark.parametrize("to_labels", [np.asarray, np.ndarray.tolist, pd.Series, torch.tensor])
def test_labels_series_by_series_are_warned_of(lengths, to_labels):
    series, labels = labelled_series(lengths)
    detector = SlidingWindowDetector(IsolationForest(n_estimators=5), window_size=5)
    with pytest.warns(UserWarning, match=exactly(NESTED)):
        detector.fit(series, [to_labels(y) for y in labels])


OF_SERIES = (
    "y holds one label for each series, but a sample is a row, so that scikit-learn's scorers need "
    "a label for each row; for a search make X a panel, a DataFrame indexed by (series id, time), "
    "with one label a row in y, and pass groups, the series ids, and cv=GroupKFold(...)."
)


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
@pytest.mark.parametrize("lengths", [[100] * 4, [100, 110, 120, 130], [200]])
@pytest.mark.parametrize("to_labels", [np.asarray, np.ndarray.tolist, pd.Series, torch.tensor])
def test_labels_of_whole_series_are_warned_of(lengths, to_labels):
    series, _ = labelled_series(lengths)
    labels = np.array([1, -1, 1, -1])[: len(series)]
    detector = SlidingWindowDetector(IsolationForest(n_estimators=5), window_size=5)
    with pytest.warns(UserWarning, match=exactly(OF_SERIES)):
        detector.fit(series, to_labels(labels))


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
@pytest.mark.parametrize(
    "y", [None, "none", dict.fromkeys("abcd"), 1, np.int64(1), np.ones(400)], ids=type
)
def test_what_is_no_label_for_each_series_is_not_warned_of(y):
    series, _ = labelled_series([100] * 4)
    SlidingWindowDetector(IsolationForest(n_estimators=5), window_size=5).fit(series, y)


def test_a_panel_of_labelled_series_is_searched_as_that_warning_says():
    series, labels = labelled_series([100, 110, 120, 130])
    panel = pd.concat(dict(enumerate(map(pd.DataFrame, series))))
    detector = SlidingWindowDetector(IsolationForest(random_state=0), window_size=5)
    grid = {"aggregation": ["mean", "min"]}
    search = GridSearchCV(detector, grid, scoring="roc_auc", cv=GroupKFold(2))
    search.fit(panel, np.concatenate(labels), groups=panel.index.get_level_values(0))
    assert search.best_score_ > 0.9
