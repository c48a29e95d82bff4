"""Many fits at once, and many threads that ask one fitted detector."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch.nn.modules.module import register_module_forward_pre_hook

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae._threads import one_thread_in_workers

# No epoch improves by so much: every fit ends after three of them, and none warns.
QUICK = {
    "hidden_size": 4,
    "latent_size": 2,
    "batch_size": 8,
    "tol": 10.0,
    "n_iter_no_change": 2,
    "device": "cpu",
    "random_state": 0,
}

X = [
    np.random.default_rng(i).normal(size=(6 + i % 5, 2)) + np.sin(np.arange(6 + i % 5))[:, None]
    for i in range(40)
]
LABELS = np.where(np.arange(40) % 5 == 0, -1, 1)


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK)


# ------------------------------------------------------------------------------------------ threads


@pytest.fixture
def two_threads():
    """Let torch have two threads, of which the suite leaves it one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def numbers_of_threads(detector):
    """Use a detector; return on how many threads its layers ran, and how many there are then."""
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


def numbers_of_threads_of_two(detector):
    torch.set_num_threads(2)
    return numbers_of_threads(detector)


def test_outside_of_workers_torch_keeps_its_threads(two_threads):
    with one_thread_in_workers():
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("backend", "use"),
    [("threading", numbers_of_threads), ("loky", numbers_of_threads_of_two)],
    ids=["threading", "loky"],
)
def test_in_a_worker_a_detector_keeps_to_one_thread(detector, two_threads, backend, use):
    with parallel_config(backend=backend):
        seen = Parallel(n_jobs=2)(delayed(use)(clone(detector)) for _ in range(4))
    assert seen == [({1}, 2)] * 4
    assert torch.get_num_threads() == 2


# ----------------------------------------------------------------------------------------- searches


@pytest.mark.parametrize(
    ("backend", "scoring"), [("threading", None), ("threading", "roc_auc"), ("loky", "roc_auc")]
)
def test_a_search_finds_the_same_with_any_number_of_jobs(detector, backend, scoring):
    grid = {"latent_size": [1, 3], "scorer": ["neighbors", "error"]}
    expected, search = (
        GridSearchCV(detector, grid, scoring=scoring, cv=2, n_jobs=n_jobs, error_score="raise")
        for n_jobs in (1, 2)
    )
    expected.fit(X, LABELS)
    with parallel_config(backend=backend):
        search.fit(X, LABELS)
    assert search.best_params_ == expected.best_params_
    results = [name for name in expected.cv_results_ if not name.endswith("_time")]
    for name in results:
        assert_array_equal(search.cv_results_[name], expected.cv_results_[name])
    assert_array_equal(search.score_samples(X), expected.score_samples(X))


def test_a_search_within_workers_finds_the_same(detector):
    def scores(n_jobs):
        search = GridSearchCV(detector, {"latent_size": [1, 3]}, cv=2, n_jobs=n_jobs)
        return cross_val_score(search, X, cv=2, n_jobs=n_jobs, error_score="raise")

    with parallel_config(backend="threading"):
        assert_array_equal(scores(n_jobs=2), scores(n_jobs=1))


def test_latents_in_workers_feed_the_next_step_the_same(detector):
    pipeline = make_pipeline(detector, FunctionTransformer()).fit(X)
    latents = Parallel(n_jobs=2, backend="threading")(
        delayed(clone(pipeline).fit_transform)(X) for _ in range(3)
    )
    assert_array_equal(latents, [pipeline.transform(X)] * 3)


def test_fits_at_once_give_the_weights_of_one(detector):
    detector.set_params(hidden_size=(8, 4), dropout=0.2)
    fitted = Parallel(n_jobs=4, backend="threading")(
        delayed(clone(detector).fit)(X) for _ in range(4)
    )
    expected = detector.fit(X).score_samples(X)
    for other in fitted:
        assert_array_equal(other.score_samples(X), expected)


# ------------------------------------------------------------------------------ one fitted detector

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
def test_many_threads_may_ask_one_detector_at_once(detector, network):
    """Each thread asks for other things of other sequences, again and again."""
    detector.set_params(**network).fit(X)
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
