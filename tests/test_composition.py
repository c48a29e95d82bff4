"""The detector inside scikit-learn's compositions, and inside those of other packages."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_curve
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils import _safe_indexing

from skl_lstmae import LSTMAutoencoderDetector

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {
    "hidden_size": 4,
    "latent_size": 2,
    "max_epochs": 2,
    "device": "cpu",
    "random_state": 0,
}

LABELS = np.where(np.arange(40) % 5 == 0, -1, 1)
RAGGED_LENGTHS = 8 + np.arange(40) % 7


def make_sequences(lengths, n_features):
    """Sines of random phase; loud noise where `LABELS` is -1."""
    rng = np.random.default_rng(0)
    sequences = []
    for label, n_timesteps in zip(LABELS, np.broadcast_to(lengths, len(LABELS)), strict=True):
        phases = rng.uniform(0, 2 * np.pi, size=n_features)
        noise = rng.normal(size=(n_timesteps, n_features))
        sine = np.sin(np.arange(n_timesteps)[:, np.newaxis] / 2 + phases)
        sequences.append(sine + 0.1 * noise if label == 1 else 2 * noise)
    return sequences


def make_frame():
    return pd.DataFrame(np.hstack(make_sequences(12, 1)).T).add_prefix("hour_")


FORMS = {
    "ragged list": lambda: make_sequences(RAGGED_LENGTHS, 2),
    "3-D array": lambda: np.stack(make_sequences(12, 2)),
    "2-D frame": make_frame,
}


@pytest.fixture(params=FORMS)
def X(request):
    return FORMS[request.param]()


@pytest.fixture(params=[make_frame, lambda: np.array(make_frame())], ids=["frame", "array"])
def table(request):
    return request.param()


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK)


@pytest.fixture
def panel():
    """Sequences in long format, whose ids are not in sorted order."""
    return pd.concat(
        {
            f"pump {99 - i}": pd.DataFrame(x, columns=["flow", "heat"])
            for i, x in enumerate(make_sequences(RAGGED_LENGTHS, 2))
        },
        names=["pump", "minute"],
    )


def fold_by_fold(estimator, X, evaluate):
    """Do by hand what ``cv=2`` does: fit on one half, and evaluate on the other."""
    return [
        evaluate(clone(estimator).fit(_safe_indexing(X, train)), _safe_indexing(X, test), test)
        for train, test in KFold(2).split(np.arange(len(X)))
    ]


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
        actual = getattr(pipeline, method)(table)
        assert_array_equal(actual, getattr(alone, method)(prepared))
    assert pipeline.score(table) == alone.score(prepared)
    assert_array_equal(pipeline.fit_predict(table), alone.predict(prepared))
    assert pipeline.n_features_in_ == 12


def test_sequences_may_be_changed_one_by_one_before(detector, X):
    def differences(X):
        rows = X.to_numpy() if isinstance(X, pd.DataFrame) else X
        return [np.diff(sequence, axis=0) for sequence in rows]

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


def test_a_union_joins_the_latents_of_several_detectors(detector, X):
    parts = [("small", detector), ("large", clone(detector).set_params(latent_size=3))]
    union = FeatureUnion(parts)
    expected = np.hstack([clone(part).fit_transform(X) for _, part in parts])
    assert_array_equal(union.fit_transform(X), expected)
    assert list(union.get_feature_names_out()) == [
        "small__lstmautoencoderdetector0",
        "small__lstmautoencoderdetector1",
        "large__lstmautoencoderdetector0",
        "large__lstmautoencoderdetector1",
        "large__lstmautoencoderdetector2",
    ]


def test_a_column_transformer_gives_each_detector_its_columns(detector, table):
    morning, evening = slice(0, 6), slice(6, 12)
    transformer = ColumnTransformer([("am", detector, morning), ("pm", detector, evening)])
    latents = transformer.fit_transform(table)
    parts = [_safe_indexing(table, columns, axis=1) for columns in (morning, evening)]
    assert_array_equal(latents, np.hstack([clone(detector).fit_transform(part) for part in parts]))
    assert_array_equal(transformer.transform(table), latents)


# --------------------------------------------------------------------------------- cross-validation


def test_cross_val_score_takes_score_of_each_fold(detector, X):
    actual = cross_val_score(detector, X, cv=2, error_score="raise")
    assert_array_equal(actual, fold_by_fold(detector, X, lambda fitted, X, _: fitted.score(X)))


@pytest.mark.parametrize("method", ["predict", "decision_function"])
def test_cross_val_predict_judges_each_sequence_by_a_fit_without_it(detector, X, method):
    actual = cross_val_predict(detector, X, cv=2, method=method)
    expected = fold_by_fold(detector, X, lambda fitted, X, _: getattr(fitted, method)(X))
    assert_array_equal(actual, np.concatenate(expected))


def test_learning_curve_grows_to_the_whole(detector, X):
    sizes, on_training, on_test = learning_curve(
        detector, X, None, cv=2, train_sizes=[0.5, 1.0], error_score="raise"
    )
    assert list(sizes) == [10, 20]
    assert np.isfinite(on_training).all()
    assert_array_equal(on_test[-1], cross_val_score(detector, X, cv=2))


@pytest.mark.parametrize("container", [pd.DataFrame, np.asarray])
def test_permutation_importance_finds_the_column_that_tells(detector, container):
    rows = np.array(make_frame())[LABELS == 1]
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
    grid = {"skip_connection": [False, True]}
    search = GridSearchCV(detector, grid, cv=2, error_score="raise").fit(X)
    scores = {
        skip: cross_val_score(clone(detector).set_params(skip_connection=skip), X, cv=2).mean()
        for skip in grid["skip_connection"]
    }
    assert list(search.cv_results_["mean_test_score"]) == list(scores.values())
    assert abs(scores[True] - scores[False]) > 0.01
    assert search.best_params_ == {"skip_connection": max(scores, key=scores.get)}
    assert search.best_estimator_.skip_connection is search.best_params_["skip_connection"]
    for method in ("predict", "score_samples", "decision_function", "transform"):
        actual = getattr(search, method)(X)
        assert_array_equal(actual, getattr(search.best_estimator_, method)(X))


def test_with_labels_anomalies_are_the_low_scores(detector, X):
    scorers = {"scorer": ["neighbors", "error"]}
    search = GridSearchCV(detector, scorers, scoring="roc_auc", cv=2, error_score="raise")
    search.fit(X, LABELS)
    assert (search.cv_results_["mean_test_score"] > 0.9).all()
    assert search.score(X, LABELS) > 0.9
    mirrored = cross_val_score(detector, X, -LABELS, scoring="roc_auc", cv=2)
    assert (mirrored < 0.1).all()


def test_a_randomized_search_draws_from_distributions(detector, X):
    search = RandomizedSearchCV(
        detector,
        {"learning_rate": loguniform(1e-3, 1e-1), "hidden_size": randint(2, 5)},
        n_iter=2,
        scoring="roc_auc",
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(X, LABELS)
    assert len(set(search.cv_results_["param_learning_rate"])) == 2
    assert search.best_estimator_.hidden_size == search.best_params_["hidden_size"]
    assert search.best_score_ > 0.9


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
    assert search.n_candidates_ == [4, 2]
    first, last = (
        search.cv_results_["mean_test_score"][search.cv_results_["iter"] == i] for i in (0, 1)
    )
    survivors = search.cv_results_["param_latent_size"][search.cv_results_["iter"] == 1]
    assert set(survivors) == set(1 + np.argsort(first)[-2:])
    assert search.best_score_ == last.max()


def test_nested_names_reach_every_parameter(detector):
    pipeline = Pipeline([("imputer", SimpleImputer()), ("detector", detector)])
    search = GridSearchCV(pipeline, {"detector__latent_size": [1]})
    for name in detector.get_params(deep=False):
        value = object()
        search.set_params(**{f"estimator__detector__{name}": value})
        assert search.get_params()[f"estimator__detector__{name}"] is value
        assert getattr(search.estimator["detector"], name) is value


def test_a_search_reaches_through_a_pipeline(detector, table):
    pipeline = Pipeline([("imputer", SimpleImputer()), ("detector", detector)])
    grid = {
        "imputer__strategy": ["median"],
        "detector__hidden_size": [3, (4, 3)],
        "detector__bottleneck": ["last"],
    }
    search = GridSearchCV(pipeline, grid, scoring="roc_auc", cv=2, error_score="raise")
    search.fit(table, LABELS)
    assert list(search.cv_results_["param_detector__hidden_size"]) == [3, (4, 3)]
    best = search.best_estimator_["detector"]
    assert best.hidden_size == search.best_params_["detector__hidden_size"]
    assert best.module_.bottleneck.kind == "last"


def test_a_search_may_try_scalers(detector, X):
    scalers = [StandardScaler(), RobustScaler(), None]
    search = GridSearchCV(detector, {"scaler": scalers}, cv=2, error_score="raise").fit(X)
    for scaler, score in zip(scalers, search.cv_results_["mean_test_score"], strict=True):
        alone = clone(detector).set_params(scaler=scaler)
        assert score == cross_val_score(alone, X, cv=2).mean()
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    assert not any(hasattr(scaler, "scale_") for scaler in scalers)


def test_a_search_may_try_the_parameters_of_a_scaler(detector, X):
    detector.set_params(scaler=StandardScaler())
    grid = {"scaler__with_mean": [True, False], "scaler__with_std": [False]}
    search = GridSearchCV(detector, grid, cv=2, error_score="raise").fit(X)
    assert len(set(search.cv_results_["mean_test_score"])) == 2
    assert search.best_estimator_.scaler_.with_mean is search.best_params_["scaler__with_mean"]
    assert search.best_estimator_.scaler_.scale_ is None
    assert detector.scaler.with_std


# --------------------------------------------------------------------------------------- thresholds


def test_a_threshold_of_ones_own_on_decision_function_tells_the_labels(detector, X):
    detector.fit(_safe_indexing(X, np.flatnonzero(LABELS == 1)))
    decisions = detector.decision_function(X)
    assert_array_equal(detector.predict(X), np.where(decisions >= 0, 1, -1))

    false_alarms, hits, thresholds = roc_curve(LABELS, decisions)
    threshold = thresholds[(hits - false_alarms).argmax()]
    assert_array_equal(np.where(decisions >= threshold, 1, -1), LABELS)


def test_a_classifier_of_latents_takes_a_fixed_threshold(detector, X):
    classifier = make_pipeline(detector, LogisticRegression())
    fixed = FixedThresholdClassifier(
        classifier, threshold=1.5, response_method="decision_function"
    ).fit(X, LABELS)
    decisions = clone(classifier).fit(X, LABELS).decision_function(X)
    assert decisions.min() < 1.5 < decisions.max()
    assert_array_equal(fixed.predict(X), np.where(decisions >= 1.5, 1, -1))


def test_alone_it_is_no_classifier_as_is_no_outlier_detector(detector, table):
    def refusal(estimator):
        fixed = FixedThresholdClassifier(
            estimator, threshold=0.0, response_method="decision_function"
        ).fit(table, LABELS)
        with pytest.raises(ValueError, match="binary classifier") as raised:
            fixed.predict(table)
        return str(raised.value).replace(type(estimator).__name__, "")

    assert refusal(detector) == refusal(IsolationForest(n_estimators=2))


# ------------------------------------------------------------------------------------------- panels


def test_scikit_learn_splits_a_panel_by_row_and_cuts_a_sequence(panel):
    ids = panel.index.get_level_values("pump")
    cut = [set(ids[train]) & set(ids[test]) for train, test in KFold(2).split(panel)]
    whole = [
        set(ids[train]) & set(ids[test]) for train, test in GroupKFold(2).split(panel, groups=ids)
    ]
    assert [len(pumps) for pumps in cut] == [1, 1]
    assert whole == [set(), set()]


def test_groups_keep_the_sequences_of_a_panel_whole(detector, panel):
    ids = panel.index.get_level_values("pump")
    search = GridSearchCV(detector, {"latent_size": [2]}, cv=GroupKFold(2), error_score="raise")
    search.fit(panel, groups=ids)

    frames = [frame for _, frame in panel.groupby(level="pump", sort=False)]
    names = list(ids.unique())
    for i, (train, test) in enumerate(GroupKFold(2).split(panel, groups=ids)):
        fitted = clone(detector).fit([frames[names.index(name)] for name in ids[train].unique()])
        expected = fitted.score([frames[names.index(name)] for name in ids[test].unique()])
        assert search.cv_results_[f"split{i}_test_score"] == [expected]


def test_labels_of_rows_do_not_fit_the_scores_of_a_panels_sequences(detector, panel):
    ids = panel.index.get_level_values("pump")
    y = np.repeat(LABELS, RAGGED_LENGTHS)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cross_val_score(
            detector,
            panel,
            y,
            groups=ids,
            cv=GroupKFold(2),
            scoring="roc_auc",
            error_score="raise",
        )


def test_a_panel_as_a_list_of_frames_goes_with_labels(detector, panel):
    frames = [frame for _, frame in panel.groupby(level="pump", sort=False)]
    panel_scores = clone(detector).fit(panel).score_samples(panel)
    assert_array_equal(clone(detector).fit(frames).score_samples(frames), panel_scores)

    search = GridSearchCV(
        detector, {"latent_size": [1, 2]}, scoring="roc_auc", cv=2, error_score="raise"
    ).fit(frames, LABELS)
    assert search.best_score_ > 0.9
    assert list(search.best_estimator_.feature_names_in_) == ["flow", "heat"]


def test_a_column_transformer_gives_each_detector_its_features_of_a_panel(detector, panel):
    transformer = ColumnTransformer([("f", detector, ["flow"]), ("h", detector, ["heat"])])
    parts = [clone(detector).fit_transform(panel[[name]]) for name in ("flow", "heat")]
    assert_array_equal(transformer.fit_transform(panel), np.hstack(parts))


# ----------------------------------------------------------------------------------- other packages


# Some releases know no tags, of which scikit-learn 1.6 warns.
without_tags = pytest.mark.filterwarnings("ignore:.*__sklearn_tags__:FutureWarning")


@without_tags
@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental")
@pytest.mark.filterwarnings("ignore:.optuna.terminator. module has been deprecated:FutureWarning")
@pytest.mark.parametrize("scoring", [None, "roc_auc"])
def test_optuna_searches(detector, X, scoring):
    distributions = pytest.importorskip("optuna").distributions
    search_class = pytest.importorskip("optuna_integration").OptunaSearchCV
    y = None if scoring is None else LABELS
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
    expected = clone(detector).fit(_safe_indexing(X, np.flatnonzero(LABELS == 1)))
    assert_array_equal(pipeline.score_samples(X), expected.score_samples(X))
    scores = cross_val_score(pipeline, X, LABELS, scoring="roc_auc", cv=2, error_score="raise")
    assert (scores > 0.9).all()
