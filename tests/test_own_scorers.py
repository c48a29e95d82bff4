"""Scorers of one's own, which all three here judge sequences by their mean errors."""

import re

import numpy as np
import pytest
from conftest import QUICK, exactly, fitted, make_ragged, make_series
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import L1Loss

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    SlidingWindowDetector,
)
from skl_lstmae.scoring import NeighborsScorer, Scorer

X, X_MORE = make_ragged(), make_ragged(seed=1)


class OwnScorer(Scorer):
    def summarize(self, outcome):
        return outcome.mean_error()[:, np.newaxis]

    def fit(self, summaries):
        self.n_seen_ = len(summaries)
        return self

    def partial_fit(self, summaries):
        self.n_seen_ += len(summaries)
        return self

    def score(self, summaries):
        assert self.n_seen_ > 0
        return -summaries[:, 0]


class Foreign(BaseEstimator):
    """Gets latents of a width of 2 and logarithms of the features' errors."""

    def fit(self, summaries):
        self.n_seen_ = len(summaries)

    def partial_fit(self, summaries):
        self.n_seen_ += len(summaries)

    def score(self, summaries):
        assert self.n_seen_ > 0
        return -np.exp(summaries[:, 2:]).mean(axis=1)


def mean_error(errors, latents):
    return [-of_one.mean() for of_one in errors]


@pytest.mark.parametrize("scorer", [OwnScorer(), Foreign(), mean_error])
def test_a_scorer_of_ones_own_judges_what_the_network_makes_of_sequences(scorer):
    parameters = {**QUICK, "latent_size": 2}
    detector = fitted(LSTMAutoencoderDetector(**parameters, scorer=scorer), X)
    by_errors = fitted(LSTMAutoencoderDetector(**parameters, scorer="error"), X)
    for _ in range(2):
        assert_allclose(detector.score_samples(X), by_errors.score_samples(X), atol=2e-6)
        assert detector.offset_ == pytest.approx(by_errors.offset_, abs=2e-6)
        assert_array_equal(detector.predict(X_MORE), by_errors.predict(X_MORE))
        detector.partial_fit(X_MORE)
        by_errors.partial_fit(X_MORE)
    assert not hasattr(scorer, "n_seen_")  # a clone is fitted


class OneForAll(Foreign):
    def score(self, summaries):
        return 0.0


class NaNOfAll(OwnScorer):
    def score(self, summaries):
        return np.full(len(summaries), np.nan)


@pytest.mark.parametrize(
    ("scorer", "returned"),
    [
        (OneForAll(), "array(0.)"),
        (NaNOfAll(), "array([nan, "),
    ],
)
def test_scores_that_are_not_a_finite_number_a_sequence_are_refused(scorer, returned):
    sentence = (
        f"The scorer must return {len(X)} finite scores for {len(X)} sequences, an array of shape "
        f"({len(X)},); it returned {returned}"
    )
    with pytest.raises(ValueError, match=re.escape(sentence)):
        fitted(LSTMAutoencoderDetector(**QUICK, scorer=scorer), X)


class NaNOfLarge(OwnScorer):
    """Learns and calibrates without complaint; has no score for large errors."""

    def score(self, summaries):
        return np.where(summaries[:, 0] > 1e3, np.nan, super().score(summaries))


def test_scores_of_new_sequences_are_finite_or_refused():
    detector = fitted(LSTMAutoencoderDetector(**QUICK, scorer=NaNOfLarge()), X)
    offset, odd = detector.offset_, [1e3 * X[0]]
    sentence = (
        "The scorer must return 1 finite scores for 1 sequences, an array of shape (1,); it "
        "returned array([nan])."
    )
    for call in (detector.score_samples, detector.predict, detector.partial_fit):
        with pytest.raises(ValueError, match=exactly(sentence)):
            call(odd)
    assert detector.offset_ == offset


class FitsOnly(Scorer):
    """Would keep what it learned first."""

    def fit(self, summaries):
        self.mean_ = summaries.mean(axis=0)
        return self

    def score(self, summaries):
        return -np.abs(summaries - self.mean_).sum(axis=1)


class ForeignFitsOnly(BaseEstimator):
    fit, score = FitsOnly.fit, FitsOnly.score


@pytest.mark.parametrize("scorer", [FitsOnly(), ForeignFitsOnly()])
def test_a_scorer_that_cannot_learn_more_is_refused_by_partial_fit(scorer):
    detector = LSTMAutoencoderDetector(**QUICK, scorer=scorer)
    for one in (detector, fitted(LSTMAutoencoderDetector(**QUICK, scorer=scorer), X)):
        assert not hasattr(one, "partial_fit")
    with pytest.raises(AttributeError) as refusal:
        detector.partial_fit(X)
    assert str(refusal.value.__cause__) == (
        f"partial_fit needs a scorer that learns in parts, but {scorer!r} only has fit; give it a "
        "method partial_fit."
    )


class NeighborsOfOwn(NeighborsScorer):
    def fit(self, summaries):
        return super().fit(np.sqrt(np.abs(summaries)))


def test_a_subclass_whose_base_learns_in_parts_may_learn_more():
    assert hasattr(LSTMAutoencoderDetector(scorer=NeighborsOfOwn()), "partial_fit")


def test_parameters_of_a_scorer_are_set_through_the_detector():
    detector = LSTMForecastDetector(**QUICK, scorer=NeighborsScorer())
    fresh = make_ragged(20, seed=9)
    of_three = fitted(detector, X).score_samples(fresh)
    of_one = fitted(detector.set_params(scorer__n_neighbors=1), X).score_samples(fresh)
    expected = LSTMForecastDetector(**QUICK, scorer=NeighborsScorer(1))
    expected = fitted(expected, X).score_samples(fresh)
    assert_array_equal(of_one, expected)
    assert (of_one > of_three).all()


@pytest.mark.parametrize(
    "estimator",
    [
        IsolationForest(),
        KernelDensity(),
        GaussianMixture(),
        PCA(),
        KMeans(),
        make_pipeline(StandardScaler(), KernelDensity()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_estimator_of_scikit_learn_is_refused_as_a_scorer_before_any_work(estimator):
    detector = LSTMAutoencoderDetector(**QUICK, scorer=estimator)
    words = (
        "whose score returns a number for each (of an estimator of scikit-learn, make a subclass"
    )
    with pytest.raises(ValueError, match=re.escape(words)):
        detector.fit("not even looked at")


@pytest.mark.parametrize("kind", [FitsOnly, ForeignFitsOnly, NeighborsScorer])
def test_a_class_is_refused_in_place_of_an_object_before_any_work(kind):
    name = kind.__name__
    sentence = f"scorer={name} is a class; pass an object of it, as scorer={name}()."
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMAutoencoderDetector(**QUICK, scorer=kind).fit("not even looked at")


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LSTMAutoencoderDetector(scaler=StandardScaler), "scaler=StandardScaler"),
        (LSTMForecastDetector(loss=L1Loss), "loss=L1Loss"),
        (LSTMClassifier(init=LSTMAutoencoderDetector), "init=LSTMAutoencoderDetector"),
        (SlidingWindowDetector(IsolationForest), "detector=IsolationForest"),
    ],
    ids=["scaler", "loss", "init", "detector"],
)
def test_so_is_one_in_place_of_any_other_object(estimator, name):
    sentence = f"{name} is a class; pass an object of it, as {name}()."
    with pytest.raises(ValueError, match=exactly(sentence)):
        estimator.fit("not even looked at", "nor this")


@pytest.mark.parametrize("n_neighbors", [0, -1, 1.5, "a", None])
@pytest.mark.parametrize("kind", [LSTMAutoencoderDetector, LSTMForecastDetector])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_parameters_of_a_scorer_are_checked_before_any_work(kind, method, n_neighbors):
    detector = kind(**QUICK, scorer=NeighborsScorer(n_neighbors))
    sentence = (
        "The 'n_neighbors' parameter of NeighborsScorer must be an int in the range [1, inf). Got "
        f"{n_neighbors!r} instead."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        getattr(detector, method)("not even looked at")


def test_parameters_of_a_scorer_are_checked_where_it_is_inside_a_sliding_detector():
    inner = LSTMAutoencoderDetector(**QUICK, scorer=NeighborsScorer(0))
    with pytest.raises(ValueError, match="'n_neighbors' parameter of NeighborsScorer"):
        SlidingWindowDetector(inner, window_size=20).fit(make_series(200))


class ReturnsNothing(FitsOnly):
    def fit(self, summaries):
        super().fit(summaries)


@pytest.mark.parametrize("fit", ["sequences", "series", "pieces"])
def test_what_the_fit_of_a_scorer_returns_makes_no_difference(fit):
    def scores(scorer):
        detector = LSTMForecastDetector(**QUICK, scorer=scorer)
        if fit == "sequences":
            return fitted(detector, X).decision_function(X)
        if fit == "pieces":
            return fitted(detector, [make_series(400)]).decision_function(X)
        slider = SlidingWindowDetector(detector, window_size=8)
        return fitted(slider, make_series(200)).decision_function(make_series(50, seed=1))

    assert_array_equal(scores(ReturnsNothing()), scores(FitsOnly()))


class Counting(OwnScorer):
    n_fits = 0

    def fit(self, summaries):
        Counting.n_fits += 1
        return super().fit(summaries)


@pytest.mark.parametrize("windows", [False, True], ids=["sequences", "windows"])
def test_no_scorer_is_fitted_to_be_thrown_away(windows):
    detector, data = LSTMForecastDetector(**QUICK, scorer=Counting()), make_ragged(40)
    if windows:
        detector, data = SlidingWindowDetector(detector, window_size=8), make_series(300)
    Counting.n_fits = 0
    fitted(detector, data)
    # To find odd ones, of the detector (among windows the same, if none is odd), and of the parts.
    assert Counting.n_fits == (1 if windows else 1 + 1) + 20


class Density(KernelDensity):
    def score(self, rows):
        return self.score_samples(rows)


def test_a_subclass_of_an_estimator_that_scores_each_sequence_is_a_scorer():
    detector = fitted(LSTMAutoencoderDetector(**QUICK, scorer=Density()), X)
    assert detector.score_samples(X).shape == (len(X),)
