"""The detector inside scikit-learn's compositions, and inside those of other packages."""

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, make_waves
from numpy.testing import assert_array_equal
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_curve
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils import _safe_indexing
from sklearn.utils.discovery import all_estimators

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector

# Most fits here are cut short.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Some hold anomalies, and are told so.
    pytest.mark.filterwarnings("ignore:Set aside as unlike the others"),
]

LABELS = np.where(np.arange(40) % 5 == 0, -1, 1)
IS_NORMAL = np.flatnonzero(LABELS == 1)
LENGTHS = 8 + np.arange(40) % 7

WAVES = make_waves(40, n_timesteps=14)
WAVES[LABELS == -1] = 2 * np.random.default_rng(0).normal(size=(8, 14, 2))  # loud noise
RAGGED = [wave[:n] for wave, n in zip(WAVES, LENGTHS, strict=True)]
TABLE = pd.DataFrame(WAVES[:, :12, 0]).add_prefix("hour_")
FRAMES = [pd.DataFrame(x, columns=["flow", "heat"]) for x in RAGGED]
# In long format; ids are not in sorted order.
PUMPS = [f"pump {99 - i}" for i in range(40)]
PANEL = pd.concat(dict(zip(PUMPS, FRAMES, strict=True)), names=["pump", "minute"])
IDS = PANEL.index.get_level_values("pump")

FORMS = {"ragged list": RAGGED, "3-D array": WAVES, "2-D frame": TABLE}


@pytest.fixture(params=FORMS)
def X(request):
    return FORMS[request.param]


@pytest.fixture(params=[TABLE, TABLE.to_numpy()], ids=["frame", "array"])
def table(request):
    return request.param.copy()


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK | {"max_epochs": 2}, latent_size=2)


def search_over(detector, grid, **parameters):
    return GridSearchCV(detector, grid, cv=2, error_score="raise", **parameters)


# ---------------------------------------------------------------------------------------- pipelines


@pytest.mark.parametrize(
    "steps", [(SimpleImputer(), StandardScaler()), (KNNImputer(), MinMaxScaler())], ids=str
)
def test_a_table_may_be_imputed_and_scaled_before(detector, table, steps):
    table[np.eye(*table.shape, dtype=bool)] = np.nan
    pipeline = make_pipeline(*steps, detector).fit(table)
    prepared = make_pipeline(*steps).fit_transform(table)
    alone = clone(detector).fit(prepared)
    for method in ("score_samples", "decision_function", "predict", "transform"):
        assert_array_equal(getattr(pipeline, method)(table), getattr(alone, method)(prepared))
    assert pipeline.score(table) == alone.score(prepared)
    assert_array_equal(pipeline.fit_predict(table), alone.predict(prepared))
    assert pipeline.n_features_in_ == 12


def test_sequences_may_be_changed_one_by_one_before(detector, X):
    def differences(X):
        return [np.diff(sequence, axis=0) for sequence in (X.to_numpy() if X is TABLE else X)]

    pipeline = make_pipeline(FunctionTransformer(differences), detector).fit(X)
    expected = clone(detector).fit(differences(X)).score_samples(differences(X))
    assert_array_equal(pipeline.score_samples(X), expected)


@pytest.mark.parametrize("classes", [(0, 1), ("ill", "well")], ids=str)
def test_latents_feed_a_classifier(detector, X, classes):
    y = np.where(LABELS < 0, *classes)
    pipeline = make_pipeline(detector, StandardScaler(), LogisticRegression()).fit(X, y)
    latents = clone(detector).fit_transform(X)
    classifier = make_pipeline(StandardScaler(), LogisticRegression()).fit(latents, y)
    assert_array_equal(pipeline.predict(X), classifier.predict(latents))
    assert pipeline.score(X, y) == accuracy_score(y, classifier.predict(latents))


# On a busy machine joblib may warn that it was slow.
@pytest.mark.filterwarnings("ignore:Persisting input arguments took:UserWarning")
def test_memory_saves_the_second_fit(detector, X, tmp_path):
    # Without a random state two fits differ, so equal latents are the first fit's.
    detector.set_params(random_state=None)
    pipeline = make_pipeline(detector, StandardScaler(), memory=str(tmp_path))
    first, again = (clone(pipeline).fit(X).transform(X) for _ in range(2))
    assert_array_equal(first, again)
    without_memory = clone(pipeline).set_params(memory=None).fit(X).transform(X)
    assert (first != without_memory).all()


@pytest.mark.parametrize(
    ("X", "columns"),
    [
        (TABLE, (slice(0, 6), slice(6, 12))),
        (TABLE.to_numpy(), (slice(0, 6), slice(6, 12))),
        (PANEL, (["flow"], ["heat"])),
    ],
    ids=["frame", "array", "panel"],
)
def test_a_column_transformer_gives_each_detector_its_columns(detector, X, columns):
    transformer = ColumnTransformer([("a", detector, columns[0]), ("b", detector, columns[1])])
    latents = transformer.fit_transform(X)
    parts = [_safe_indexing(X, part, axis=1) for part in columns]
    assert_array_equal(latents, np.hstack([clone(detector).fit_transform(part) for part in parts]))
    assert_array_equal(transformer.transform(X), latents)


# --------------------------------------------------------------------------------- cross-validation


def test_each_sequence_is_judged_by_a_fit_without_it(detector, X):
    splits = list(KFold(2).split(LABELS))
    halves = [_safe_indexing(X, test) for _, test in splits]
    fits = [clone(detector).fit(_safe_indexing(X, train)) for train, _ in splits]
    pairs = list(zip(fits, halves, strict=True))
    scores = cross_val_score(detector, X, cv=2, error_score="raise")
    assert_array_equal(scores, [fitted.score(half) for fitted, half in pairs])
    for method in ("predict", "decision_function"):
        expected = np.concatenate([getattr(fitted, method)(half) for fitted, half in pairs])
        assert_array_equal(cross_val_predict(detector, X, cv=2, method=method), expected)


@pytest.mark.parametrize("container", [pd.DataFrame, np.asarray])
def test_permutation_importance_finds_the_column_that_tells(detector, container):
    rows = TABLE.to_numpy()[IS_NORMAL]
    labels = np.where(np.arange(len(rows)) % 4 == 0, -1, 1)
    rows[labels == -1, 3] += 8
    detector.fit(container(rows[labels == 1]))
    importances = permutation_importance(
        detector, container(rows), labels, scoring="roc_auc", n_repeats=2, random_state=0
    ).importances_mean
    assert importances.argmax() == 3
    assert importances[3] > 0.3


# ----------------------------------------------------------------------------------------- searches


def test_without_labels_a_search_keeps_what_reconstructs_best(detector, X):
    search = search_over(detector, {"skip_connection": [False, True]}).fit(X)
    scores = {
        skip: cross_val_score(clone(detector).set_params(skip_connection=skip), X, cv=2).mean()
        for skip in (False, True)
    }
    assert list(search.cv_results_["mean_test_score"]) == list(scores.values())
    assert abs(scores[True] - scores[False]) > 0.01
    assert search.best_params_ == {"skip_connection": max(scores, key=scores.get)}
    for method in ("predict", "score_samples", "decision_function", "transform"):
        actual = getattr(search, method)(X)
        assert_array_equal(actual, getattr(search.best_estimator_, method)(X))


SEARCHES = {
    "grid": (GridSearchCV, {"scorer": ["neighbors", "error"]}, {}),
    "distributions": (
        RandomizedSearchCV,
        {"learning_rate": loguniform(1e-3, 1e-1), "hidden_size": randint(2, 5)},
        {"n_iter": 2, "random_state": 0},
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_with_labels_anomalies_are_the_low_scores(detector, X, name):
    search_class, candidates, parameters = SEARCHES[name]
    rules = {"scoring": "roc_auc", "cv": 2, "error_score": "raise"}
    search = search_class(detector, candidates, **rules, **parameters).fit(X, LABELS)
    assert (search.cv_results_["mean_test_score"] > 0.8).all()  # by scores of the other sign, < 0.2
    assert search.score(X, LABELS) > 0.8
    best = search.best_estimator_.get_params()
    assert {parameter: best[parameter] for parameter in candidates} == search.best_params_
    mirrored = cross_val_score(detector, X, -LABELS, scoring="roc_auc", cv=2)
    assert (mirrored < 0.1).all()


@pytest.mark.parametrize(
    ("resource", "resources"), [("n_samples", [20, 40]), ("max_epochs", [1, 2])]
)
def test_a_halving_search_spends_more_on_the_better_half(detector, X, resource, resources):
    search = HalvingGridSearchCV(
        detector,
        {"latent_size": [1, 2, 3, 4]},
        resource=resource,
        min_resources=resources[0],
        max_resources=resources[-1],
        factor=2,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(X)
    assert search.n_resources_ == resources
    results = pd.DataFrame(search.cv_results_)
    first, last = (results[results["iter"] == i] for i in (0, 1))
    better = first.nlargest(2, "mean_test_score")
    assert set(last["param_latent_size"]) == set(better["param_latent_size"])
    assert search.best_score_ == last["mean_test_score"].max()


def test_a_search_reaches_through_a_pipeline(detector, table):
    pipeline = Pipeline([("imputer", SimpleImputer()), ("detector", detector)])
    grid = {
        "imputer__strategy": ["median"],
        "detector__hidden_size": [3, (4, 3)],
        "detector__bottleneck": ["last"],
    }
    search = search_over(pipeline, grid, scoring="roc_auc").fit(table, LABELS)
    assert list(search.cv_results_["param_detector__hidden_size"]) == [3, (4, 3)]
    best = search.best_estimator_["detector"]
    assert best.hidden_size == search.best_params_["detector__hidden_size"]
    assert best.module_.config["bottleneck"] == "last"


def test_a_search_may_try_scalers_and_their_parameters(detector, X):
    scalers = [StandardScaler(), RobustScaler(), None, StandardScaler(with_std=False)]
    search = search_over(detector, {"scaler": scalers}).fit(X)
    scores = list(search.cv_results_["mean_test_score"])
    for scaler, score in zip(scalers, scores, strict=True):
        alone = clone(detector).set_params(scaler=scaler)
        assert score == cross_val_score(alone, X, cv=2).mean()
    assert len(set(scores)) == 4
    assert not any(hasattr(scaler, "scale_") for scaler in scalers)

    detector.set_params(scaler=scalers[0])
    nested = search_over(detector, {"scaler__with_std": [True, False]}).fit(X)
    assert list(nested.cv_results_["mean_test_score"]) == [scores[0], scores[3]]
    assert nested.best_estimator_.scaler_.with_std is nested.best_params_["scaler__with_std"]
    assert scalers[0].with_std


# --------------------------------------------------------------------------------------- thresholds


def test_a_threshold_of_ones_own_on_decision_function_tells_the_labels(detector, X):
    detector.fit(_safe_indexing(X, IS_NORMAL))
    decisions = detector.decision_function(X)
    assert_array_equal(detector.predict(X), np.where(decisions >= 0, 1, -1))
    false_alarms, hits, thresholds = roc_curve(LABELS, decisions)
    threshold = thresholds[(hits - false_alarms).argmax()]
    assert_array_equal(np.where(decisions >= threshold, 1, -1), LABELS)


# ------------------------------------------------------------------------------------------- panels


def test_groups_keep_the_sequences_of_a_panel_whole(detector):
    search = GridSearchCV(detector, {"latent_size": [2]}, cv=GroupKFold(2), error_score="raise")
    search.fit(PANEL, groups=IDS)
    by_pump = dict(zip(PUMPS, FRAMES, strict=True))
    for i, (train, test) in enumerate(GroupKFold(2).split(PANEL, groups=IDS)):
        fitted = clone(detector).fit([by_pump[pump] for pump in IDS[train].unique()])
        expected = fitted.score([by_pump[pump] for pump in IDS[test].unique()])
        assert search.cv_results_[f"split{i}_test_score"] == [expected]


def test_a_panel_as_a_list_of_frames_goes_with_labels(detector):
    expected = clone(detector).fit(PANEL).score_samples(PANEL)
    assert_array_equal(clone(detector).fit(FRAMES).score_samples(FRAMES), expected)
    search = search_over(detector, {"latent_size": [1, 2]}, scoring="roc_auc").fit(FRAMES, LABELS)
    assert search.best_score_ > 0.9
    assert list(search.best_estimator_.feature_names_in_) == ["flow", "heat"]


# ----------------------------------------------------------------------------------- other packages


# Some releases know no tags, of which scikit-learn 1.6 warns.
without_tags = pytest.mark.filterwarnings("ignore:.*__sklearn_tags__:FutureWarning")


@without_tags
@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental")
@pytest.mark.filterwarnings("ignore:.optuna.terminator. module has been deprecated:FutureWarning")
@pytest.mark.parametrize(("scoring", "y"), [(None, None), ("roc_auc", LABELS)])
def test_optuna_searches(detector, X, scoring, y):
    distributions = pytest.importorskip("optuna").distributions
    search_class = pytest.importorskip("optuna_integration").OptunaSearchCV
    search = search_class(
        detector,
        {
            "learning_rate": distributions.FloatDistribution(1e-3, 1e-1, log=True),
            "scorer": distributions.CategoricalDistribution(["neighbors", "error"]),
        },
        n_trials=2,
        scoring=scoring,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    best = clone(detector).set_params(**search.best_params_)
    assert search.best_score_ == cross_val_score(best, X, y, scoring=scoring, cv=2).mean()
    assert_array_equal(search.predict(X), best.fit(X).predict(X))


@without_tags
def test_imbalanced_learn_keeps_known_anomalies_out_of_the_training(detector, X):
    imblearn = pytest.importorskip("imblearn")

    def keep_normal(X, y):
        normal = np.flatnonzero(y == 1)
        return _safe_indexing(X, normal), y[normal]

    sampler = imblearn.FunctionSampler(func=keep_normal, validate=False)
    pipeline = imblearn.pipeline.make_pipeline(sampler, detector).fit(X, LABELS)
    expected = clone(detector).fit(_safe_indexing(X, IS_NORMAL))
    assert_array_equal(pipeline.score_samples(X), expected.score_samples(X))
    scores = cross_val_score(pipeline, X, LABELS, scoring="roc_auc", cv=2, error_score="raise")
    assert (scores > 0.9).all()


@pytest.mark.parametrize(
    "detector", [LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector]
)
def test_tools_that_record_every_fit_of_scikit_learn_see_none_inside(detector, monkeypatch):
    """Those of MLflow's autolog, which takes what prepares data for no model, would be logged."""
    recorded = []

    def record(self, *args, **kwargs):
        recorded.append(type(self).__name__)

    X = np.random.default_rng(0).normal(size=(40, 12))
    if detector is SlidingWindowDetector:
        inner = LSTMAutoencoderDetector(hidden_size=4, max_epochs=1)
        detector, X = SlidingWindowDetector(inner, window_size=10), X.reshape(-1, 1)
    else:
        detector = detector(hidden_size=4, max_epochs=1)
    for _, estimator in all_estimators():
        if not estimator.__module__.startswith(("sklearn.preprocessing", "sklearn.impute")):
            monkeypatch.setattr(estimator, "fit", record)
    detector.fit(X)
    assert recorded == []
