"""Many fits at once, and many threads that share one detector."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from copy import copy, deepcopy
from functools import partial
from threading import Barrier
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import QUICK, make_ragged
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_array
from threadpoolctl import threadpool_info, threadpool_limits
from torch.nn.modules.module import register_module_forward_pre_hook

from skl_lstmae import (
    AnomalyScoreDisplay,
    AttributionDisplay,
    LatentDisplay,
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    ReconstructionDisplay,
    ScoreDistributionDisplay,
    SlidingWindowDetector,
)
from skl_lstmae.data import checks
from skl_lstmae.scoring import ErrorScorer
from skl_lstmae.scoring.calibration import Calibration

X = make_ragged(40, shortest=6, longest=10)
LABELS = np.where(np.arange(40) % 5 == 0, -1, 1)


def make(kind=LSTMAutoencoderDetector, **parameters):
    # No epoch improves by so much: every fit ends after three of them, and none warns.
    return kind(**QUICK, tol=10.0, n_iter_no_change=2, **parameters)


# ------------------------------------------------------------------------------------------ threads


@pytest.fixture
def two_threads():
    """Let torch have two threads, of which the suite leaves it one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def numbers_of_threads(detector, n_threads=None):
    """Use a detector; return on how many threads its layers ran, and how many there are then."""
    if n_threads:
        torch.set_num_threads(n_threads)
    few, seen = X[:8], set()
    hook = register_module_forward_pre_hook(lambda *_: seen.add(torch.get_num_threads()))
    try:
        detector.fit(few).partial_fit(few).predict(few)
        detector.score(few)
        detector.reconstruct(few)
        detector.reconstruction_error(few, per="timestep")
        detector.inverse_transform(detector.transform(few), 5)
    finally:
        hook.remove()
    return seen, torch.get_num_threads()


@pytest.mark.parametrize(("backend", "n_threads"), [("threading", None), ("loky", 2)])
def test_in_a_worker_a_large_network_keeps_to_one_thread(two_threads, backend, n_threads):
    use = delayed(numbers_of_threads)
    with parallel_config(backend=backend):
        seen = Parallel(n_jobs=2)(
            use(make().set_params(hidden_size=256), n_threads) for _ in range(4)
        )
    assert [on for on, _ in seen] == [{1}] * 4
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("hidden_size", "n_threads"), [(32, 1), (256, 2)])
def test_a_small_network_has_one_thread_and_a_large_one_those_of_torch(
    two_threads, hidden_size, n_threads
):
    seen = numbers_of_threads(make().set_params(hidden_size=hidden_size))
    assert seen == ({n_threads}, 2)


class ScorerThatCountsThreads(ErrorScorer):
    seen: ClassVar[set[int]] = set()

    def fit(self, summaries):
        self.seen.update(threads_of_blas())
        return super().fit(summaries)

    def score(self, summaries):
        self.seen.update(threads_of_blas())
        return super().score(summaries)


def threads_of_blas():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize(("hidden_size", "n_threads"), [(32, 1), (256, 2)])
def test_the_scorer_of_a_small_network_has_one_thread_of_blas(
    two_threads, hidden_size, n_threads, monkeypatch
):
    monkeypatch.setattr(ScorerThatCountsThreads, "seen", set())
    detector = make().set_params(hidden_size=hidden_size, scorer=ScorerThatCountsThreads())
    with threadpool_limits(2, user_api="blas"):
        detector.fit(X).score_samples(X)
        assert threads_of_blas() == {2}
    assert ScorerThatCountsThreads.seen == {n_threads}


def scores_and_fits(detector, series, answers):
    answers.put([detector.score_samples(X), series.stream().push(X[0]), detector.fit(X).offset_])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# What warns of threads is what this is about.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
def test_a_process_forked_after_threads_goes_on_alone(two_threads):
    detector = make().set_params(hidden_size=32).fit(X)
    series = SlidingWindowDetector(make(LSTMForecastDetector), window_size=8).fit(np.concatenate(X))
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    child = fork.Process(target=scores_and_fits, args=(detector, series, answers), daemon=True)
    child.start()
    try:
        scores, pushed, offset = answers.get(timeout=20)
    finally:
        child.kill()
        child.join()
    np.testing.assert_allclose(scores, detector.score_samples(X), rtol=1e-6)
    np.testing.assert_allclose(pushed, series.stream().push(X[0]), rtol=1e-6)
    assert offset == pytest.approx(detector.offset_, rel=1e-3)


# ------------------------------------------------------------------------------------ fits at once


@pytest.mark.parametrize(
    ("backend", "scoring"), [("threading", None), ("threading", "roc_auc"), ("loky", "roc_auc")]
)
def test_a_search_finds_the_same_with_any_number_of_jobs(backend, scoring):
    grid = {"latent_size": [1, 3], "scorer": ["neighbors", "error"]}
    expected, search = (
        GridSearchCV(make(), grid, scoring=scoring, cv=2, n_jobs=n_jobs, error_score="raise")
        for n_jobs in (1, 2)
    )
    expected.fit(X, LABELS)
    with parallel_config(backend=backend):
        search.fit(X, LABELS)
    assert search.best_params_ == expected.best_params_
    for name in expected.cv_results_:
        if not name.endswith("_time"):
            assert_array_equal(search.cv_results_[name], expected.cv_results_[name])
    assert_array_equal(search.score_samples(X), expected.score_samples(X))


def test_a_search_within_workers_finds_the_same():
    def scores(n_jobs):
        search = GridSearchCV(make(), {"latent_size": [1, 3]}, cv=2, n_jobs=n_jobs)
        return cross_val_score(search, X, cv=2, n_jobs=n_jobs, error_score="raise")

    with parallel_config(backend="threading"):
        assert_array_equal(scores(n_jobs=2), scores(n_jobs=1))


def test_parts_that_processes_score_have_the_bits_of_one():
    series = np.array_split(np.concatenate(X), 4)
    detectors = [
        (make(), X),
        (make(LSTMForecastDetector, scorer="neighbors"), X),
        (SlidingWindowDetector(make(), window_size=8), series),
    ]
    for detector, parts in detectors:
        detector.fit(parts)
        expected = detector.score_samples(parts)
        with parallel_config(backend="loky", n_jobs=2):
            scores = Parallel()(delayed(detector.score_samples)(parts[i::4]) for i in range(4))
        for i, found in enumerate(scores):
            for one, other in zip(found, expected[i::4], strict=True):
                assert_array_equal(one, other)


def test_pipelines_fitted_at_once_give_the_latents_of_one():
    pipeline = make_pipeline(make(dropout=0.2), FunctionTransformer())
    pipeline.set_params(lstmautoencoderdetector__hidden_size=(8, 4))
    latents = Parallel(n_jobs=4, backend="threading")(
        delayed(clone(pipeline).fit_transform)(X) for _ in range(4)
    )
    assert_array_equal(latents, [pipeline.fit_transform(X)] * 4)


# ------------------------------------------------------------------------- one detector for threads

METHODS = {
    "score_samples": lambda detector, X: detector.score_samples(X),
    "predict": lambda detector, X: detector.predict(X),
    "transform": lambda detector, X: detector.transform(X),
    "reconstruct": lambda detector, X: np.concatenate(detector.reconstruct(X)),
    "errors": lambda detector, X: detector.reconstruction_error(X, per="feature"),
    "decode": lambda detector, X: detector.inverse_transform(detector.transform(X), 4),
}


@pytest.mark.parametrize(
    "network",
    [{"bottleneck": "mean"}, {"bottleneck": "max"}, {"decoder": "autoregressive"}],
    ids=str,
)
def test_many_threads_may_ask_one_detector_at_once(network):
    """Each thread asks for other things of other sequences, again and again."""
    detector = make(**network).fit(X)
    tasks = [(method, X[i:]) for i in range(3) for method in METHODS.values()]
    expected = [method(detector, sequences) for method, sequences in tasks]
    barrier = Barrier(len(tasks))

    def ask(method, sequences):
        barrier.wait(timeout=60)
        return [method(detector, sequences) for _ in range(5)]

    with ThreadPoolExecutor(len(tasks)) as pool:
        answers = list(pool.map(ask, *zip(*tasks, strict=True)))
    for answer, right in zip(answers, expected, strict=True):
        assert_array_equal(answer, [right] * 5)


LEARN = {
    "fit": lambda detector, i: detector.fit([(2 + i) * x for x in X]),
    "partial_fit": lambda detector, i: detector.partial_fit([2 * x + i for x in X]),
    "recalibrate": lambda detector, i: detector.recalibrate([(1 + i / 5) * x for x in X[:9]]),
}


@pytest.mark.parametrize("kind", [LSTMAutoencoderDetector, LSTMForecastDetector])
@pytest.mark.parametrize("learn", LEARN.values(), ids=LEARN)
def test_while_one_thread_learns_another_sees_whole_states_alone(kind, learn, monkeypatch):
    detector = make(kind).fit(X)

    def judged(detector):
        return detector.decision_function(X).tobytes()  # of a model, a scorer and a threshold

    expected, states = deepcopy(detector), {judged(detector)}
    for i in range(6):
        states.add(judged(learn(expected, i)))
    assert len(states) == 7

    seen, offset = [], Calibration.offset

    def look_and_go_on(*args):
        seen.append(judged(detector))  # at the last moment, when all but the threshold is learned
        return offset(*args)

    monkeypatch.setattr(Calibration, "offset", look_and_go_on)
    with ThreadPoolExecutor(1) as pool:
        learning = pool.submit(lambda: [learn(detector, i) for i in range(6)])
        while not learning.done():
            seen.append(judged(detector))
    learning.result()
    assert set(seen) <= states
    assert judged(detector) == judged(expected)


def test_decoding_reads_one_state_although_another_thread_fits_meanwhile(monkeypatch):
    longer = [np.tile(x, (2, 1))[:12] for x in X]
    detector, other = make().fit([x[:6] for x in X]), make(latent_size=2).fit(longer)
    Z = detector.transform(X[:3])
    expected = detector.inverse_transform(Z)

    def check_while_another_thread_fits(*args, **kwargs):
        detector.__dict__ = other.__dict__
        return check_array(*args, **kwargs)

    monkeypatch.setattr(
        "skl_lstmae.detectors.autoencoder.check_array", check_while_another_thread_fits
    )
    assert_array_equal(detector.inverse_transform(Z), expected)


def make_slider():
    return SlidingWindowDetector(IsolationForest(n_estimators=5, random_state=0), window_size=6)


OF_SEQUENCES = {
    "score": lambda detector, X: detector.decision_function(X),
    "transform": lambda detector, X: detector.transform(X),
    "recalibrate": lambda detector, X: copy(detector).recalibrate(X).offset_,
    "latents": lambda detector, X: LatentDisplay.from_estimator(detector, X).offset,
    "pictures": lambda detector, X: ReconstructionDisplay.from_estimator(detector, X).feature_names,
    "distribution": lambda detector, X: ScoreDistributionDisplay.from_estimator(detector, X).offset,
}
OF_SERIES = {
    "score": lambda detector, X: detector.decision_function(X)[0],
    "events": lambda detector, X: str(detector.find_events(X)),
    "picture": lambda detector, X: AnomalyScoreDisplay.from_estimator(detector, X).feature_names,
}
OF_CLASSES = {
    "predict": lambda classifier, X: classifier.predict_proba(X),
    "picture": lambda classifier, X: AttributionDisplay.from_estimator(classifier, X).feature_names,
}


@pytest.mark.filterwarnings("ignore:.* of the samples of X score lower")
@pytest.mark.parametrize(
    ("make", "calls", "X"),
    [
        (make, OF_SEQUENCES, X),
        (make_slider, OF_SERIES, [np.concatenate(X)]),
        (partial(make, LSTMClassifier), OF_CLASSES, X),
    ],
    ids=["sequences", "series", "classes"],
)
def test_each_call_reads_one_state_although_another_thread_fits_meanwhile(
    make, calls, X, monkeypatch
):
    frames = [pd.DataFrame(x[:, :2], columns=["a", "b"]) for x in X]
    others = [3 * frame[["b", "a"]] for frame in frames]
    detector, other = (make().fit(x, LABELS) for x in (frames, others))
    before, check = detector.__dict__, checks.validate_data
    expected = {name: call(detector, frames) for name, call in calls.items()}

    def check_while_another_thread_fits(*args, **kwargs):
        detector.__dict__ = other.__dict__
        return check(*args, **kwargs)

    monkeypatch.setattr(checks, "validate_data", check_while_another_thread_fits)
    for name, call in calls.items():
        detector.__dict__ = before
        assert_array_equal(call(detector, frames), expected[name], name)
