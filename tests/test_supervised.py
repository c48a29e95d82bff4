"""A class or numbers from sequences: what is learned, what comes back, and what is refused."""

import copy
import pickle
import re

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io as sio
import torch
from conftest import exactly, make_ragged
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstmae import LSTMAutoencoderDetector, LSTMClassifier, LSTMRegressor
from skl_lstmae.modules import LSTMPredictor, Output, SequenceNetwork, keeps_config, mean_step

SMALL = {"hidden_size": 6, "latent_size": 4, "batch_size": 8, "device": "cpu", "random_state": 0}
QUICK = SMALL | {"max_epochs": 2}
ENOUGH = SMALL | {"max_epochs": 40}


ALIKE = SMALL | {"batch_size": 40, "max_epochs": 100, "dropout": 0, "learning_rate": 0.03}
"""For sequences that are alike, so that what is predicted of all is one number."""


def make_rates(n_sequences=36, seed=0):
    """Return noisy sines of several rates, ragged, and the rates."""
    rng = np.random.default_rng(seed)
    rates = np.tile([0.2, 0.5, 1.1], n_sequences // 3)
    X = [
        np.sin(rng.uniform(0, 6) + rate * np.arange(rng.integers(15, 30)))[:, np.newaxis]
        + rng.normal(0, 0.1, size=(1, 2))
        for rate in rates
    ]
    return X, rates


X, RATES = make_rates()
LABELS = np.array(["slow", "medium", "fast"])[[0, 1, 2] * 12]
BOTH = [LSTMClassifier, LSTMRegressor]


def target_of(kind):
    return LABELS if kind is LSTMClassifier else RATES


@pytest.fixture(scope="module")
def classifier():
    return LSTMClassifier(**ENOUGH).fit(X, LABELS)


@pytest.fixture(scope="module")
def regressor():
    return LSTMRegressor(**ENOUGH).fit(X, np.column_stack([RATES, 100 - 50 * RATES]))


def test_classes_are_learned_whatever_the_lengths(classifier):
    X_new, _ = make_rates(seed=1)
    assert classifier.classes_.tolist() == ["fast", "medium", "slow"]
    assert classifier.score(X_new, LABELS) > 0.9
    assert set(classifier.predict(X_new)) == set(LABELS)


def test_probabilities_decisions_and_labels_agree(classifier):
    probabilities = classifier.predict_proba(X)
    assert probabilities.shape == (36, 3)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_allclose(np.exp(classifier.predict_log_proba(X)), probabilities)
    best = probabilities.argmax(axis=1)
    assert_array_equal(classifier.classes_[best], classifier.predict(X))
    assert_array_equal(classifier.decision_function(X).argmax(axis=1), best)


def test_of_two_classes_the_decision_is_one_number_for_the_second():
    y = LABELS == "fast"
    classifier = LSTMClassifier(**QUICK).fit(X, y)
    decisions = classifier.decision_function(X)
    assert decisions.shape == (36,)
    assert_array_equal(decisions > 0, classifier.predict(X))
    assert_allclose(classifier.predict_proba(X)[:, 1], 1 / (1 + np.exp(-decisions)))


@pytest.mark.parametrize(
    "labels",
    [
        [3, -1, 7],
        [0.5, 1.5, 2.0][:0] or [1.0, 2.0, 4.0],
        ["b", "a", "c"],
        np.array(["one", "two", "three"], dtype=object),
        [np.bool_(True), np.bool_(False), np.bool_(True)],
        pd.Categorical(["x", "y", "z"]),
    ],
    ids=["int", "float", "str", "object", "bool", "categorical"],
)
def test_labels_may_be_of_any_type(labels):
    y = np.asarray(labels)[[0, 1, 2] * 12]
    classifier = LSTMClassifier(**QUICK).fit(X, pd.Series(y) if len(set(y)) > 2 else y)
    assert_array_equal(classifier.classes_, np.unique(y))
    assert set(classifier.predict(X)) <= set(y)


@pytest.mark.parametrize("kind", BOTH)
def test_what_is_predicted_depends_on_neither_company_nor_order_nor_padding(kind):
    predictor = kind(**QUICK).fit(X, target_of(kind))
    results = predictor.predict_proba if kind is LSTMClassifier else predictor.predict
    together = results(X)
    assert_array_equal(results(X[::-1])[::-1], together)
    assert_array_equal(np.concatenate([results([x]) for x in X]), together)
    padded = np.full((36, 40, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    assert_array_equal(results(padded), together)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", BOTH)
def test_a_fit_depends_on_neither_the_order_of_sequences_nor_chance(kind):
    order = np.random.default_rng(0).permutation(36)
    y = target_of(kind)
    one = kind(**QUICK, early_stopping=True).fit(X, y)
    other = clone(one).fit([X[i] for i in order], y[order])
    assert_array_equal(one.transform(X), other.transform(X))
    assert_array_equal(one.predict(X), other.predict(X))


def test_torchs_random_state_is_left_alone():
    before = torch.random.get_rng_state()
    LSTMClassifier(**QUICK).fit(X, LABELS)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_numbers_are_predicted_in_their_own_units(regressor):
    X_new, rates = make_rates(seed=1)
    predictions = regressor.predict(X_new)
    assert predictions.shape == (36, 2)
    assert_allclose(predictions[:, 0].mean(), rates.mean(), rtol=0.2)
    assert regressor.score(X_new, np.column_stack([rates, 100 - 50 * rates])) > 0.8


def test_a_single_output_has_no_axis_of_its_own():
    assert LSTMRegressor(**QUICK).fit(X, RATES).predict(X).shape == (36,)
    assert LSTMRegressor(**QUICK).fit(X, RATES[:, np.newaxis]).predict(X).shape == (36, 1)


def test_what_is_learned_does_not_depend_on_the_unit_of_the_target():
    one = LSTMRegressor(**QUICK).fit(X, RATES).predict(X)
    other = LSTMRegressor(**QUICK).fit(X, 2.0**20 * RATES + 2.0**20).predict(X)
    assert_allclose(other, 2.0**20 * one + 2.0**20, rtol=1e-5)
    for unit in (2.0**1000, 2.0**-1000):  # whose squares are no numbers of float64
        assert_allclose(
            LSTMRegressor(**QUICK).fit(X, unit * RATES).predict(X) / unit, one, rtol=1e-5
        )
    assert_array_equal(
        LSTMRegressor(**QUICK | {"learning_rate": 1e-9}).fit(X, 0 * RATES).predict(X).shape, 36
    )


def test_the_losses_aim_at_mean_median_and_quantile():
    X_same = [np.zeros((5, 1))] * 40  # which say nothing of the target
    y = np.r_[np.zeros(30), np.full(10, 8.0)]
    found = {
        loss: LSTMRegressor(**ALIKE, loss=loss, quantile=0.9).fit(X_same, y).predict(X_same)[0]
        for loss in ("squared_error", "absolute_error", "pinball")
    }
    assert found["squared_error"] == pytest.approx(2, abs=0.2)
    assert found["absolute_error"] == pytest.approx(0, abs=0.2)
    assert found["pinball"] == pytest.approx(8, abs=0.2)


def test_a_loss_of_ones_own_is_minimised():
    mine = LSTMRegressor(**QUICK, loss=lambda prediction, target: (prediction - target) ** 2)
    theirs = LSTMRegressor(**QUICK)
    assert_array_equal(mine.fit(X, RATES).predict(X), theirs.fit(X, RATES).predict(X))


MEANS = [np.cumsum(x, axis=0) / np.arange(1, 1 + len(x))[:, np.newaxis] for x in X]


def test_a_target_a_step_is_learned_and_comes_back_in_the_form_of_x():
    regressor = LSTMRegressor(**ENOUGH).fit(X, [mean[:, 0] for mean in MEANS])
    predictions = regressor.predict(X)
    assert [p.shape for p in predictions] == [(len(x),) for x in X]
    assert regressor.score(X, [mean[:, 0] for mean in MEANS]) > 0.7
    assert regressor.transform(X).shape == (36, 4)


def test_several_targets_a_step_are_predicted_in_every_form():
    y = [np.column_stack([mean, mean[:, :1]]) for mean in MEANS]
    regressor = LSTMRegressor(**QUICK).fit(X, y)
    lists = regressor.predict(X)
    assert [p.shape for p in lists] == [(len(x), 3) for x in X]

    padded, y_padded = np.full((36, 30, 2), np.nan), np.full((36, 30, 3), np.nan)
    for i, (x, target) in enumerate(zip(X, y, strict=True)):
        padded[i, : len(x)], y_padded[i, : len(x)] = x, target
    array = clone(regressor).fit(padded, y_padded).predict(padded)
    assert array.shape == (36, 30, 3)
    assert_array_equal(np.concatenate(lists), array[~np.isnan(array).any(axis=2)])

    index = pd.MultiIndex.from_tuples([(i, t) for i, x in enumerate(X) for t in range(len(x))])
    panel = pd.DataFrame(np.concatenate(X), index=index, columns=["a", "b"])
    y_panel = pd.DataFrame(np.concatenate(y), index=index)
    frame = clone(regressor).fit(panel, y_panel).predict(panel)
    assert frame.index.equals(index)
    assert_array_equal(frame.to_numpy(), np.concatenate(lists))
    series = clone(regressor).fit(panel, y_panel[0]).predict(panel)
    assert series.shape == (len(panel),)
    assert series.index.equals(index)


def test_missing_targets_are_not_learned_from():
    y = np.column_stack([RATES, 100 - 50 * RATES])
    y[::2, 1] = np.nan
    gappy = LSTMRegressor(**ENOUGH).fit(X, y)
    assert gappy.score(X, np.column_stack([RATES, 100 - 50 * RATES])) > 0.8
    assert gappy.score(X, y) > 0.8
    y[0, 0] = 1e9  # in a row that is left out
    weight = np.ones(36)
    weight[0] = 0
    assert_array_equal(
        LSTMRegressor(**QUICK).fit(X, y, sample_weight=weight).predict(X[1:]),
        LSTMRegressor(**QUICK).fit(X[1:], y[1:]).predict(X[1:]),
    )


@pytest.mark.parametrize("kind", BOTH)
def test_missing_values_look_like_the_last_observed(kind):
    gappy = [x.copy() for x in X]
    for x in gappy:
        x[4:7, 0] = np.nan
    filled = [pd.DataFrame(x).ffill().to_numpy() for x in gappy]
    predictor = kind(**QUICK).fit(X, target_of(kind))
    assert_array_equal(predictor.transform(gappy), predictor.transform(filled))


@pytest.mark.parametrize("kind", BOTH)
def test_a_weight_is_how_often_a_sequence_counts(kind):
    y, counts = target_of(kind), np.arange(36) // 3 % 3
    numbers = np.repeat(np.arange(36), counts)
    weighted = kind(**QUICK).fit(X, y, sample_weight=counts)
    repeated = kind(**QUICK).fit([X[i] for i in numbers], y[numbers])
    assert_array_equal(weighted.transform(X), repeated.transform(X))
    thousands = kind(**QUICK).fit(X, y, sample_weight=np.full(36, 1e6))
    assert_array_equal(thousands.transform(X), kind(**QUICK).fit(X, y).transform(X))
    halves = kind(**QUICK).fit(X, y, sample_weight=np.full(36, 0.5))
    assert_array_equal(halves.transform(X), kind(**QUICK).fit(X, y).transform(X))


def test_class_weight_counts_in_the_loss():
    X_same = [np.zeros((5, 1))] * 40
    y = np.r_[np.zeros(30), np.ones(10)]

    def share(class_weight):
        classifier = LSTMClassifier(**ALIKE, class_weight=class_weight).fit(X_same, y)
        return classifier.predict_proba(X_same[:1])[0, 1]

    assert share(None) == pytest.approx(1 / 4, abs=0.03)
    assert share("balanced") == pytest.approx(1 / 2, abs=0.03)
    assert share({0: 1, 1: 9}) == pytest.approx(3 / 4, abs=0.03)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_whole_sequences_of_every_class_are_held_out():
    y = np.repeat(["a", "b", "c"], [4, 8, 24])
    classifier = LSTMClassifier(**QUICK, early_stopping=True, validation_fraction=0.25)
    seen = []

    class Spy(LSTMClassifier):
        def _train(self, split, random_state, callbacks):
            seen.append(split)
            return super()._train(split, random_state, callbacks)

    spy = Spy(**classifier.get_params()).fit(X, y)
    (split,) = seen
    assert (len(split.training), len(split.held_out)) == (27, 9)
    held_out = split.targets.values.values[split.targets.values.rows()][27:, 0]
    assert np.bincount(held_out.astype(int)).tolist() == [1, 2, 6]
    assert len(spy.validation_loss_curve_) == spy.n_epochs_ == 2
    assert classifier.fit(X, y).validation_loss_curve_ == spy.validation_loss_curve_


def test_early_stopping_ends_a_training_that_gains_nothing():
    settings = SMALL | {"max_epochs": 50, "early_stopping": True, "n_iter_no_change": 2, "tol": 10}
    assert LSTMClassifier(**settings).fit(X, LABELS).n_epochs_ == 2 + 1
    assert (
        LSTMClassifier(**SMALL, max_epochs=5, tol=10, n_iter_no_change=1).fit(X, LABELS).n_epochs_
        == 5
    )


def test_classes_may_come_in_parts():
    classifier = LSTMClassifier(**QUICK)
    for part in (slice(0, 2), slice(2, 20), slice(20, 36)):
        classifier.partial_fit(X[part], LABELS[part], classes=["fast", "medium", "slow"])
    assert classifier.n_epochs_ == 3
    assert classifier.predict_proba(X).shape == (36, 3)
    regressor = LSTMRegressor(**QUICK).partial_fit(X[:20], RATES[:20])
    before = regressor.predict(X)
    assert not np.array_equal(regressor.partial_fit(X[20:], RATES[20:]).predict(X), before)


@pytest.mark.parametrize("kind", BOTH)
def test_a_warm_start_goes_on_with_the_weights(kind):
    predictor = kind(**QUICK, warm_start=True).fit(X, target_of(kind))
    loss = predictor.loss_curve_[-1]
    predictor.fit(X, target_of(kind))
    assert predictor.n_epochs_ == 4
    assert predictor.loss_curve_[2] < predictor.loss_curve_[0]
    assert predictor.loss_curve_[1] == loss


def test_a_fit_goes_on_from_its_checkpoint_and_only_with_the_same_target(tmp_path):
    class StopAfter:
        def __init__(self, n_epochs):
            self.n_epochs = n_epochs

        def setup(self, estimator, context):
            pass

        teardown = setup

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            if context.task_name == "epoch":
                self.n_epochs -= 1
                if self.n_epochs == 0:
                    raise RuntimeError("killed")

    pytest.importorskip("sklearn.callback")
    path = tmp_path / "fit"
    settings = SMALL | {"max_epochs": 4, "checkpoint": path}
    killed = LSTMClassifier(**settings)
    killed.set_callbacks(StopAfter(3))
    with pytest.raises(RuntimeError, match="killed"):
        killed.fit(X, LABELS)
    assert not hasattr(killed, "classes_")
    with pytest.raises(ValueError, match="is the checkpoint of a fit with other data"):
        LSTMClassifier(**settings).fit(X, LABELS[::-1])
    resumed = LSTMClassifier(**settings).fit(X, LABELS)
    whole = LSTMClassifier(**SMALL, max_epochs=4).fit(X, LABELS)
    assert_array_equal(resumed.transform(X), whole.transform(X))
    assert not path.exists()


def test_callbacks_see_a_fitted_classifier_after_each_epoch():
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    classifier = LSTMClassifier(**QUICK)
    classifier.set_callbacks(monitor)
    classifier.fit(X, LABELS)
    logs = monitor.get_logs().data
    assert len(logs) == 1 + classifier.n_epochs_


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("way", ["pickle", "copy", "joblib", "skops"])
def test_a_saved_predictor_predicts_the_same(kind, way, tmp_path):
    predictor = kind(**QUICK).fit(X, target_of(kind))
    if way == "pickle":
        loaded = pickle.loads(pickle.dumps(predictor))
    elif way == "copy":
        loaded = copy.deepcopy(predictor)
    elif way == "joblib":
        joblib.dump(predictor, tmp_path / "file")
        loaded = joblib.load(tmp_path / "file")
    else:
        sio.dump(predictor, tmp_path / "file")
        trusted = sio.get_untrusted_types(file=tmp_path / "file")
        assert all(name.startswith("skl_lstmae.") for name in trusted)
        loaded = sio.load(tmp_path / "file", trusted=trusted)
    assert_array_equal(loaded.predict(X), predictor.predict(X))
    assert_array_equal(loaded.transform(X), predictor.transform(X))


def test_latents_are_named_and_come_out_as_asked(classifier):
    assert classifier.get_feature_names_out()[0] == "lstmclassifier0"
    frame = clone(classifier).set_output(transform="pandas").fit(X, LABELS).transform(X)
    assert frame.shape == (36, 4)


class MeanNetwork(SequenceNetwork):
    """A network of the user's: the mean step, and a linear layer."""

    @keeps_config
    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.input_size = self.latent_size = n_features
        self.head = torch.nn.Linear(n_features, n_outputs)

    def forward(self, x, lengths=None, generator=None):
        latent = mean_step(x, lengths)
        return Output(self.head(latent), latent, x)


class StepNetwork(MeanNetwork):
    def forward(self, x, lengths=None, generator=None):
        return Output(self.head(x), x, x)


def test_a_network_of_ones_own_is_trained():
    settings = {"max_epochs": 3, "device": "cpu", "random_state": 0}
    classifier = LSTMClassifier(**settings, network=MeanNetwork).fit(X, LABELS)
    assert isinstance(classifier.module_, MeanNetwork)
    assert classifier.predict_proba(X).shape == (36, 3)
    regressor = LSTMRegressor(**settings, network=StepNetwork).fit(X, MEANS)
    assert regressor.predict(X)[0].shape == MEANS[0].shape
    trained = LSTMClassifier(max_epochs=0, device="cpu", network=classifier.module_).fit(X, LABELS)
    assert_array_equal(trained.predict_proba(X), classifier.predict_proba(X))


def test_a_network_of_another_shape_is_refused():
    sentence = (
        "MeanNetwork makes a prediction of shape (2, 3) and a latent of shape (2, 2) of x of shape "
        "(2, 4, 2); expected (2, 4, 2) and (2, 2)."
    )
    with pytest.raises(ValueError, match=exactly(sentence.replace("(2, 3)", "(2, 2)"))):
        LSTMRegressor(network=MeanNetwork).fit(X, MEANS)
    with pytest.raises(
        ValueError, match="network, called with 2 and 3, the numbers of features and of outputs,"
    ):
        LSTMClassifier(network=lambda n_features: None).fit(X, LABELS)


@pytest.fixture(scope="module")
def detector():
    settings = SMALL | {"max_epochs": 3, "tol": 10, "n_iter_no_change": 1}
    return LSTMAutoencoderDetector(**settings, bidirectional="encoder").fit(X)


def test_training_starts_from_the_encoder_of_a_detector(detector):
    begun = LSTMClassifier(**QUICK | {"learning_rate": 1e-12}, init=detector).fit(X, LABELS)
    again = LSTMRegressor(**QUICK | {"learning_rate": 1e-12}, init=begun).fit(X, RATES)
    plain = LSTMClassifier(**QUICK | {"learning_rate": 1e-12}, init=again, differences=False)
    known = detector.module_.encoder.state_dict()
    for predictor in (begun, again, plain.fit(X, LABELS)):
        for name, weight in predictor.module_.encoder.state_dict().items():
            width = known[name].shape[-1]
            assert torch.allclose(weight[..., :width], known[name], atol=1e-6)
            assert not weight[..., width:].abs().gt(1e-6).any()
        assert predictor.scaler_ is detector.scaler_


def test_a_search_takes_a_frozen_start(detector):
    classifier = LSTMClassifier(**QUICK, init=FrozenEstimator(detector))
    assert len(cross_val_score(classifier, X, LABELS, cv=2)) == 2
    sentence = (
        "init is a LSTMAutoencoderDetector that is not fitted; expected a fitted one of an "
        "LSTMAutoencoder or LSTMPredictor: pass FrozenEstimator(init) if something clones this "
        "estimator, and so unfits it, as searches do."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMClassifier(init=clone(detector)).fit(X, LABELS)
    sentence = "X has 1 features, but init was fitted on 2; expected as many."
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMClassifier(init=detector).fit([x[:, :1] for x in X], LABELS)


@pytest.mark.parametrize("kind", BOTH)
def test_attributions_add_up_to_what_they_explain(kind):
    # So little trained, and without a maximum, that the gradient changes slowly on the way.
    predictor = kind(**QUICK, bottleneck="mean").fit(X, target_of(kind))
    gappy = [x.copy() for x in X]
    for x in gappy:
        x[4:7, 0] = np.nan
        x[0, 1] = np.nan
    means = [np.tile(predictor.scaler_.mean_, (len(x), 1)) for x in X]
    if kind is LSTMClassifier:
        label = "slow"
        logits = [predictor.decision_function(Z) for Z in (gappy, means)]
        codes = np.full(36, 2)
        values = [z[np.arange(36), codes] - z.mean(axis=1) for z in logits]
        found = predictor.attributions(gappy, label, n_steps=200)
    else:
        values = [predictor.predict(Z) for Z in (gappy, means)]
        found = predictor.attributions(gappy, n_steps=200)
    assert [a.shape for a in found] == [x.shape for x in X]
    assert all(np.isnan(a[4:7, 0]).all() and np.isnan(a[0, 1]) for a in found)
    assert_allclose([np.nansum(a) for a in found], values[0] - values[1], atol=1e-3)


def test_attributions_are_in_the_form_of_x_and_of_the_class_that_is_predicted(classifier):
    index = pd.MultiIndex.from_tuples([(i, t) for i, x in enumerate(X) for t in range(len(x))])
    panel = pd.DataFrame(np.concatenate(X), index=index)
    of_panel = classifier.attributions(panel)
    assert of_panel.index.equals(index)
    predicted = classifier.predict(X)
    one = classifier.attributions(X[:1], target=predicted[0])[0]
    assert_allclose(one, of_panel.loc[0].to_numpy(), atol=1e-5)


def test_attributions_of_what_is_not_there_are_refused(classifier, regressor):
    sentence = (
        "target='none' is none of the classes, ['fast', 'medium', 'slow']; pass one of these."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        classifier.attributions(X, target="none")
    with pytest.raises(ValueError, match=r"^target=array.* is none of the classes"):
        classifier.attributions(X, target=np.array(["slow", "fast"]))
    with pytest.raises(ValueError, match="The 'n_steps' parameter of"):
        classifier.attributions(X, n_steps=0)
    sentence = "target=2, but outputs are numbered from 0 to 1; pass one of these numbers."
    with pytest.raises(ValueError, match=exactly(sentence)):
        regressor.attributions(X, target=2)
    sentence = (
        "step=0, but what is predicted is a target a sequence, not one a step; leave step out."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        regressor.attributions(X, step=0)


@pytest.fixture(scope="module")
def by_step():
    return LSTMRegressor(**QUICK, bidirectional=False).fit(X, MEANS)


@pytest.mark.parametrize("step", [None, 3, -1])
def test_attributions_of_a_target_a_step_add_up_to_that_of_a_step_or_the_mean(by_step, step):
    means = [np.tile(by_step.scaler_.mean_, (len(x), 1)) for x in X]
    of_x, of_means = (
        [(y.mean(axis=0) if step is None else y[step])[1] for y in by_step.predict(Z)]
        for Z in (X, means)
    )
    found = by_step.attributions(X, 1, step=step, n_steps=100)
    assert [a.shape for a in found] == [x.shape for x in X]
    assert_allclose([a.sum() for a in found], np.subtract(of_x, of_means), atol=1e-4)
    if step == 3:  # read forward only, it is predicted from the steps up to it
        assert all((a[4:] == 0).all() and (a[:4] != 0).any() for a in found)


def test_attributions_of_a_step_that_a_sequence_has_not_are_refused(by_step):
    shortest = min(map(len, X))
    i = [len(x) for x in X].index(shortest)
    for step in (shortest, -shortest - 1):
        sentence = (
            f"step={step}, but sequence {i} has {shortest} step(s), numbered from 0; pass a step "
            "that all have, -1 for the last of each, or None for the mean of all."
        )
        with pytest.raises(ValueError, match=exactly(sentence)):
            by_step.attributions(X, step=step)
    with pytest.raises(ValueError, match="The 'step' parameter of"):
        by_step.attributions(X, step=0.5)


def test_a_classifier_takes_part_in_searches_pipelines_and_stacks(detector):
    search = GridSearchCV(LSTMClassifier(**QUICK), {"hidden_size": [2, 4]}, cv=2).fit(X, LABELS)
    assert search.best_params_["hidden_size"] in (2, 4)
    table = np.array([x[:12, 0] for x in X])
    pipeline = make_pipeline(StandardScaler(), LSTMClassifier(**QUICK)).fit(table, LABELS)
    assert pipeline.predict(table).shape == (36,)
    chained = make_pipeline(LSTMClassifier(**QUICK), LogisticRegression()).fit(X, LABELS)
    assert chained.predict(X).shape == (36,)
    latents = make_pipeline(FrozenEstimator(detector), LogisticRegression())
    stack = StackingClassifier([("lstm", LSTMClassifier(**QUICK)), ("latents", latents)], cv=2)
    assert stack.fit(X, LABELS).transform(X).shape == (36, 6)


def test_probabilities_can_be_calibrated():
    calibrated = CalibratedClassifierCV(LSTMClassifier(**QUICK), cv=2).fit(X, LABELS)
    assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)


def test_a_regressor_takes_part_in_searches_pipelines_and_stacks(detector):
    assert len(cross_val_score(LSTMRegressor(**QUICK), X, RATES, cv=2)) == 2
    search = GridSearchCV(LSTMRegressor(**QUICK), {"loss": ["huber", "pinball"]}, cv=2)
    assert search.fit(X, RATES).best_params_["loss"] in ("huber", "pinball")
    table = np.array([x[:12, 0] for x in X])
    pipeline = make_pipeline(StandardScaler(), LSTMRegressor(**QUICK)).fit(table, RATES)
    assert pipeline.predict(table).shape == (36,)
    latents = make_pipeline(FrozenEstimator(detector), Ridge())
    stack = StackingRegressor([("lstm", LSTMRegressor(**QUICK)), ("latents", latents)], cv=2)
    assert stack.fit(X, RATES).transform(X).shape == (36, 2)


REFUSED = {
    "another length": (
        LSTMClassifier,
        LABELS[:7],
        "y is of length 7, but X holds 36 sequence(s); expected a target for each.",
    ),
    "no target": (
        LSTMClassifier,
        None,
        "LSTMClassifier requires y to be passed, but the target y is None.",
    ),
    "one class": (
        LSTMClassifier,
        ["a"] * 36,
        "y holds one class alone, ['a']; expected two or more.",
    ),
    "missing class": (
        LSTMClassifier,
        [1.0, 2.0, np.nan] * 12,
        "y holds no class for sequence 2, but nan; expected a label each: leave the sequence out.",
    ),
    "not available": (
        LSTMClassifier,
        pd.Series([pd.NA, *LABELS[1:]], dtype="string"),
        "y holds no class for sequence 0, but <NA>; expected a label each: leave the sequence out.",
    ),
    "masked class": (
        LSTMClassifier,
        np.ma.array([0, 1] * 18, mask=[True] + [False] * 35),
        "y holds no class for sequence 0, but None; expected a label each: leave the sequence out.",
    ),
    "steps of several widths": (
        LSTMRegressor,
        [MEANS[0], *(mean[:, 0] for mean in MEANS[1:])],
        "in y, sequence #1 has 1 features, expected 2 as in sequence #0.",
    ),
    "no class": (
        LSTMClassifier,
        np.array(["a", None, "b"] * 12, dtype=object),
        "y holds no class for sequence 1, but None; expected a label each: leave the sequence out.",
    ),
    "mixed": (
        LSTMClassifier,
        np.array([1, "a", "b"] * 12, dtype=object),
        "y mixes labels of type int and str; expected those of one type.",
    ),
    "several labels": (
        LSTMClassifier,
        np.ones((36, 2)),
        "y has shape (36, 2) and dtype float64; expected (n_sequences,) labels, as text, whole "
        "numbers or booleans: pass y.argmax(axis=1) if it marks one class a row.",
    ),
    "frame of labels": (
        LSTMClassifier,
        pd.get_dummies(LABELS),
        "y has shape (36, 3) and dtype bool; expected (n_sequences,) labels, as text, whole "
        "numbers or booleans: pass y.idxmax(axis=1) if it marks one class a row.",
    ),
    "complex labels": (
        LSTMClassifier,
        [1j, 2j] * 18,
        "y has shape (36,) and dtype complex128; expected (n_sequences,) labels, as text, whole "
        "numbers or booleans.",
    ),
    "bytes": (
        LSTMClassifier,
        [b"a", b"b"] * 18,
        "y has shape (36,) and dtype |S1; expected (n_sequences,) labels, as text, whole numbers "
        "or booleans.",
    ),
    "one label": (
        LSTMClassifier,
        "slow",
        "y has shape () and dtype <U4; expected (n_sequences,) labels, as text, whole numbers or "
        "booleans.",
    ),
    "mixed in a list": (
        LSTMClassifier,
        [1, "a", "b"] * 12,
        "y mixes labels of type int and str; expected those of one type.",
    ),
    "text": (
        LSTMRegressor,
        LABELS,
        "y holds text, 'slow'; expected numbers of shape (n_sequences,) or (n_sequences, "
        "n_outputs), or those of each step: use LSTMClassifier for labels.",
    ),
    "numbers as text": (
        LSTMRegressor,
        ["-446.6", "1e3", "7"] * 12,
        "y holds text, '-446.6'; expected numbers of shape (n_sequences,) or (n_sequences, "
        "n_outputs), or those of each step: convert it, as by pd.to_numeric.",
    ),
    "missing number": (
        LSTMRegressor,
        [1.0, 2.0, np.nan] * 12,
        "y holds nan for sequence 2; expected finite numbers: leave the sequence out.",
    ),
    "infinite": (
        LSTMRegressor,
        np.where(np.arange(72).reshape(36, 2) == 9, np.inf, 1.0),
        "y holds inf for sequence 4; expected finite numbers: leave the sequence out.",
    ),
    "no observed output": (
        LSTMRegressor,
        np.where([[True, False]] * 36, 1.0, np.nan),
        "y has no observed value of output 1 for any sequence that counts; expected one at least: "
        "leave the output out.",
    ),
    "numbers of another length": (
        LSTMRegressor,
        RATES[:7],
        "y is of length 7, but X holds 36 sequence(s); expected a target for each.",
    ),
    "steps of another length": (
        LSTMRegressor,
        [*MEANS[:3], MEANS[3][1:], *MEANS[4:]],
        f"y of sequence 3 has {len(X[3]) - 1} step(s), but the sequence has {len(X[3])}; expected "
        "a target a step.",
    ),
    "too few steps": (
        LSTMRegressor,
        np.ones((36, 9, 1)),
        f"y of sequence 0 has 9 step(s), but the sequence has {len(X[0])}; expected a target a "
        "step.",
    ),
    "outputs in a list": (
        LSTMRegressor,
        list(np.ones((36, 2))),
        f"y of sequence 0 has 2 step(s), but the sequence has {len(X[0])}; expected a target a "
        "step, or np.stack(y) if these are outputs.",
    ),
    "no outputs": (
        LSTMRegressor,
        np.ones((36, 0)),
        "y has shape (36, 0); expected numbers of shape (n_sequences,) or (n_sequences, "
        "n_outputs), or those of each step.",
    ),
    "missing number in a column": (
        LSTMRegressor,
        np.array([[1.0], [2.0], [np.nan]] * 12),
        "y holds nan for sequence 2; expected finite numbers: leave the sequence out.",
    ),
    "numbers for classes": (
        LSTMClassifier,
        RATES + 0.01,
        f"Unknown label type: y holds numbers that are no classes, as {RATES[0] + 0.01}; use "
        "LSTMRegressor for numbers.",
    ),
    "a label a step": (
        LSTMClassifier,
        [["slow"] * len(x) for x in X],
        "y holds a list or an array in place of a label; expected one label for each sequence.",
    ),
    "four dimensions": (
        LSTMRegressor,
        np.ones((36, 2, 2, 2)),
        "y has shape (36, 2, 2, 2); expected numbers of shape (n_sequences,) or (n_sequences, "
        "n_outputs), or those of each step.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_target_that_cannot_be_learned_is_refused_before_training(name):
    kind, y, sentence = REFUSED[name]
    predictor = kind(**QUICK)
    with pytest.raises(ValueError, match=exactly(sentence)):
        predictor.fit(X, y)
    assert vars(predictor) == vars(kind(**QUICK))
    with pytest.raises(NotFittedError):
        predictor.predict(X)


def test_a_class_that_comes_later_is_refused(classifier):
    fitted = copy.deepcopy(classifier)
    sentence = (
        "y holds 'new', which is none of the classes that are learned, ['fast', 'medium', 'slow']; "
        "name all in the first call of partial_fit by classes=, or fit anew."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        fitted.partial_fit(X[:2], ["new", "slow"])
    with pytest.raises(ValueError, match=exactly(sentence)):
        fitted.set_params(warm_start=True).fit(X[:2], ["new", "slow"])
    assert_array_equal(fitted.predict_proba(X), classifier.predict_proba(X))


def test_a_first_part_needs_two_classes_or_their_names():
    for classes, name in ((None, "y"), (["slow"], "classes")):
        sentence = f"{name} holds one class alone, ['slow']; expected two or more."
        with pytest.raises(ValueError, match=exactly(sentence)):
            LSTMClassifier(**QUICK).partial_fit(X[:2], ["slow", "slow"], classes=classes)


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ([0, np.nan], "classes holds no class at one place, but nan; expected a label each: leave"),
        ([[0, 1], [2, 3]], "classes holds a list or an array in place of a label; expected one"),
        (["slow", "fast"], "classes are ['fast', 'slow'], but ['fast', 'medium', 'slow'] are lea"),
    ],
    ids=["missing", "nested", "others than before"],
)
def test_classes_that_are_none_are_refused(classifier, classes, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        copy.deepcopy(classifier).partial_fit(X, LABELS, classes=classes)


def test_a_part_may_lack_a_class_that_has_a_weight_and_balances_nothing():
    weighted = LSTMClassifier(**QUICK, class_weight={"fast": 5.0})
    is_slow = LABELS == "slow"
    for _ in range(2):
        weighted.partial_fit(X[:2], ["slow", "medium"], classes=["slow", "medium", "fast"])
    assert weighted.n_epochs_ == 2
    LSTMClassifier(**QUICK, class_weight={"fast": 5.0}).fit(X, LABELS, sample_weight=~is_slow)
    with pytest.raises(ValueError, match=r"^class_weight='balanced' would weigh the classes of ea"):
        LSTMClassifier(**QUICK, class_weight="balanced").partial_fit(X, LABELS)


def panel_of(sequences, ids):
    frames = {
        name: pd.DataFrame(x, columns=["a", "b"]) for name, x in zip(ids, sequences, strict=True)
    }
    return pd.concat(frames, names=["id", "time"])


@pytest.mark.parametrize("kind", BOTH)
def test_a_target_indexed_otherwise_than_the_panel_is_refused(kind):
    ids = np.array([f"run {i:02}" for i in range(36)])
    panel = panel_of(X, ids)
    y = pd.Series(target_of(kind), index=ids)
    expected = kind(**QUICK).fit(panel, y)
    sentence = (
        "y is indexed otherwise than X: at place 0 stands run 35, in X run 00; expected the same "
        "order: pass y.loc[X.index.unique(level=0)]."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        kind(**QUICK).fit(panel, y[::-1])
    mended = kind(**QUICK).fit(panel, y[::-1].loc[panel.index.unique(level=0)])
    assert_array_equal(mended.predict(panel), expected.predict(panel))
    by_number = kind(**QUICK).fit(panel, y.reset_index(drop=True))
    assert_array_equal(by_number.predict(panel), expected.predict(panel))


def test_steps_of_a_panel_in_another_order_are_refused():
    ids = [f"run {i:02}" for i in range(36)]
    panel = panel_of(X, ids)
    steps = panel["a"]
    again = pd.concat([steps.loc[[name]] for name in ids[::-1]])
    with pytest.raises(ValueError, match=r"expected the same order: pass y\.loc\[X\.index\]\.$"):
        LSTMRegressor(**QUICK).fit(panel, again)
    LSTMRegressor(**QUICK).fit(panel, again.loc[panel.index])


@pytest.mark.parametrize("value", [5e-6, -3.0, 0.0, 0.1, 1e9, 1.7e18, 1e300, 5e-324])
def test_of_a_constant_target_that_very_constant_is_predicted(value):
    regressor = LSTMRegressor(**QUICK).fit(X, np.full(36, value))
    assert_array_equal(regressor.predict(X), np.full(36, value))
    assert_array_equal(np.abs(regressor.attributions(X)[0]), 0)
    assert regressor.score(X, np.full(36, value)) == 1


def test_targets_that_differ_by_rounding_are_a_constant():
    y = np.array([0.3, 0.1 + 0.2] * 18)
    assert_allclose(LSTMRegressor(**QUICK).fit(X, y).predict(X), 0.3, rtol=1e-15)


@pytest.mark.parametrize(
    ("offset", "unit"),
    [(0, 1e300), (0, 1e-300), (-5, 1e-9), (1e9, 1e-3), (1_700_000_000_000_000_000, 1_000_000)],
)
def test_what_is_learned_of_targets_depends_on_neither_their_size_nor_their_offset(
    regressor, offset, unit
):
    y = np.column_stack([RATES, 100 - 50 * RATES])
    moved = offset + np.rint(y * unit).astype(np.int64) if unit == 1_000_000 else offset + y * unit
    again = LSTMRegressor(**ENOUGH).fit(X, moved)
    assert again.score(X, moved) == pytest.approx(regressor.score(X, y), abs=0.01)
    distance = (again.predict(X) - offset) / unit - regressor.predict(X)
    assert_allclose(distance / y.std(axis=0), 0, atol=0.1)


def test_an_output_that_is_constant_or_far_from_zero_spoils_no_other(regressor):
    y = np.column_stack([RATES, np.full(36, 7.0), 1e9 + RATES / 1000])
    again = LSTMRegressor(**ENOUGH).fit(X, y)
    assert again.score(X, y) > 0.9
    assert_array_equal(again.predict(X)[:, 1], 7)


def test_a_target_that_began_as_a_constant_may_vary_later():
    regressor = LSTMRegressor(**SMALL).partial_fit(X, np.ones(36))
    assert_array_equal(regressor.predict(X), 1)
    assert_array_equal(regressor.partial_fit(X[:2], np.ones(2)).predict(X), 1)
    for _ in range(20):
        regressor = regressor.partial_fit(X, RATES)
    assert regressor.score(X, RATES) > 0.5


def test_an_output_that_weights_leave_without_a_target_is_refused():
    y = np.column_stack([RATES, np.where(np.arange(36) == 3, 1.0, np.nan)])
    with pytest.raises(ValueError, match=r"^y has no observed value of output 1 for any sequence"):
        LSTMRegressor(**QUICK).fit(X, y, sample_weight=(np.arange(36) != 3).astype(float))


def test_the_score_counts_sequences_by_weights_that_are_checked(regressor):
    y = np.column_stack([RATES, -RATES])
    weights = np.repeat([1.0, 0.0], 18)
    assert regressor.score(X, y, weights) == pytest.approx(regressor.score(X[:18], y[:18]))
    for wrong in (-weights, weights[:5]):
        with pytest.raises(ValueError, match=r"^sample_weight h"):
            regressor.score(X, y, wrong)


cut_short = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def recorded_split(kind, y, **parameters):
    """Fit, and return what was trained on, what was held out, and their targets."""

    class Recorder(kind):
        def _train(self, split, random_state, callbacks):
            self.split_ = split
            return super()._train(split, random_state, callbacks)

    weights = parameters.pop("sample_weight", None)
    recorder = Recorder(**QUICK | {"early_stopping": True} | parameters).fit(X, y, weights)
    split = recorder.split_
    training, held_out = (
        [part[i].tobytes() for i in range(len(part))] for part in (split.training, split.held_out)
    )
    return training, held_out, split.targets.values.gathered().values[:, 0]


@cut_short
@pytest.mark.parametrize("kind", BOTH)
def test_what_counts_several_times_is_learned_from_or_held_out_as_a_whole(kind):
    weights = np.tile([4.0, 1.0, 2.0], 12)
    training, held_out, _ = recorded_split(
        kind, target_of(kind), sample_weight=weights, validation_fraction=0.3
    )
    assert set(training).isdisjoint(held_out)
    assert len(set(held_out)) == 11
    assert len(training) + len(held_out) == weights.sum()


@cut_short
def test_sequences_without_a_target_are_not_held_out():
    y = np.where(np.arange(36) % 4 == 0, RATES, np.nan)
    _, held_out, targets = recorded_split(
        LSTMRegressor, np.column_stack([y, -y]), validation_fraction=0.3
    )
    assert len(held_out) == 3
    assert not np.isnan(targets[-3:]).any()


@cut_short
def test_each_class_keeps_a_sequence_to_learn_from():
    labels = LABELS.copy()
    labels[5] = "rare"
    for seed in range(6):
        training, held_out, targets = recorded_split(
            LSTMClassifier, labels, validation_fraction=0.9, random_state=seed
        )
        assert len(held_out) == 32
        assert set(targets[: len(training)]) == {0, 1, 2, 3}
    with pytest.raises(ValueError, match=r"^early_stopping holds out sequences with a target, but"):
        LSTMClassifier(**QUICK, early_stopping=True).fit(X[:3], ["a", "b", "c"])


def test_a_start_that_does_not_fit_is_refused(detector):
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    named = copy.deepcopy(detector).set_params(max_epochs=1).fit(frames)
    swapped = [frame[["b", "a"]] for frame in frames]
    sentence = (
        "X has the features ['b', 'a'], but init was fitted on ['a', 'b']; expected the same in "
        "the same order."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMClassifier(**QUICK, init=named).fit(swapped, LABELS)
    LSTMClassifier(**QUICK, init=named).fit(frames, LABELS)
    sentence = (
        "init starts the network that LSTMClassifier makes by itself, but network is given, too; "
        "leave one of them out."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMClassifier(**QUICK, init=named, network=lambda n, m: None).fit(frames, LABELS)


def test_a_target_of_another_kind_is_refused_later(regressor):
    fitted = copy.deepcopy(regressor)
    sentence = (
        "y has 1 output(s) a sequence; expected 2 output(s) a sequence, as in the first fit: fit "
        "anew to change that."
    )
    for method in (fitted.partial_fit, fitted.score):
        with pytest.raises(ValueError, match=exactly(sentence)):
            method(X, RATES)


@pytest.mark.parametrize(
    ("class_weight", "left_out", "left"),
    [
        ({"slow": 0, "medium": 0, "fast": 0}, [], []),
        ({"slow": 0, "fast": 0}, [], ["medium"]),
        (None, ["slow", "fast"], ["medium"]),
        ({"slow": 0}, ["fast"], ["medium"]),
    ],
)
def test_weights_must_leave_two_classes(class_weight, left_out, left):
    classifier = LSTMClassifier(**QUICK, class_weight=class_weight)
    sentence = (
        f"weights leave {left} of the classes in y, ['fast', 'medium', 'slow']; expected two or "
        "more classes above 0: see sample_weight and class_weight."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        classifier.fit(X, LABELS, sample_weight=~np.isin(LABELS, left_out))
    assert vars(classifier) == vars(LSTMClassifier(**QUICK, class_weight=class_weight))


def test_a_part_may_hold_only_classes_of_weight_0_if_others_count():
    classifier = LSTMClassifier(**QUICK, class_weight={"slow": 0})
    classifier.partial_fit(X[:2], ["slow", "fast"], classes=["slow", "medium", "fast"])
    with pytest.raises(ValueError, match="class_weight is zero for every class in y"):
        classifier.partial_fit(X[:2], ["slow", "slow"])
    assert classifier.n_epochs_ == 1


def test_weights_of_classes_that_are_none_are_refused():
    sentence = (
        "class_weight names 'quick', which is none of the classes, ['fast', 'medium', 'slow']; "
        "name classes as y does."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMClassifier(**QUICK, class_weight={"slow": 2, "quick": 1}).fit(X, LABELS)


def test_the_size_of_weights_does_not_matter():
    weights = np.where(np.arange(36) < 18, 8.0, 4.0)
    small, large = (
        LSTMClassifier(**QUICK, class_weight=dict.fromkeys(LABELS, size))
        .fit(X, LABELS, sample_weight=weights * size / 4)
        .predict_proba(X)
        for size in (2.0**100, 2.0**1020)
    )
    assert_array_equal(small, large)


def test_weights_of_nothing_are_refused():
    for weight in (-1, np.nan, "much"):
        with pytest.raises(ValueError, match=f"class_weight holds {weight!r} for class 'slow'; ex"):
            LSTMClassifier(**QUICK, class_weight={"slow": weight}).fit(X, LABELS)
    with pytest.raises(ValueError, match="sample_weight is zero for every sequence"):
        LSTMRegressor(**QUICK).fit(X, RATES, sample_weight=np.zeros(36))
    with pytest.raises(ValueError, match="max_epochs=0 leaves the network untrained"):
        LSTMRegressor(**QUICK | {"max_epochs": 0}).fit(X, RATES)


@pytest.mark.parametrize("bottleneck", ["mean_max", "mean", "max", "last", "sequence"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_module_alone_reads_no_padding(bottleneck, bidirectional):
    module = LSTMPredictor(
        2, 3, (5, 4), latent_size=3, bottleneck=bottleneck, bidirectional=bidirectional
    ).eval()
    x = torch.randn(2, 7, 2, generator=torch.Generator().manual_seed(0))
    together, alone = module(x, torch.tensor([7, 4])), module(x[1:, :4])
    for part, other in zip(together, alone, strict=True):
        real = part[1:, :4] if part.dim() == 3 else part[1:]
        assert torch.equal(real, other)


def test_dropout_and_noise_follow_the_generator_in_training():
    module = LSTMPredictor(2, 3, 8, noise=0.5, dropout=0.5)
    x, state = torch.ones(4, 7, 2), torch.get_rng_state()

    def predict(seed):
        return module(x, generator=torch.Generator().manual_seed(seed)).prediction

    assert torch.equal(predict(0), predict(0))
    assert not torch.equal(predict(0), predict(1))
    module.eval()
    assert torch.equal(predict(0), predict(1))
    assert torch.equal(torch.get_rng_state(), state)


def test_sequences_of_one_step_have_targets_too():
    y = [np.full(1, float(i)) for i in range(12)]
    regressor = LSTMRegressor(**QUICK).fit(make_ragged(12, 1, 1), y)
    assert [p.shape for p in regressor.predict(make_ragged(12, 1, 1))] == [(1,)] * 12
