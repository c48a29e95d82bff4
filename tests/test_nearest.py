"""Distances from references: which are the nearest, wherever they are looked for."""

import tracemalloc
from unittest import mock

import numpy as np
import pytest
import torch
from conftest import QUICK, fitted, make_ragged, make_series
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

import skl_lstmae.scoring.nearest as nearest_module
from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector
from skl_lstmae.detectors.judge import place_of_search
from skl_lstmae.scoring.nearest import Nearest, distances_between, searching_on

CPU = torch.device("cpu")


@pytest.fixture(params=[None, CPU], ids=["numpy", "torch"])
def device(request, monkeypatch):
    monkeypatch.setattr("skl_lstmae.scoring.nearest.MIN_ROWS_ON_GPU", 1)
    with searching_on(request.param):
        yield request.param


@pytest.mark.parametrize("n", [1, 2, 5, 90, 300])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e18])
def test_the_nearest_are_found_to_the_last_bit(scale, n, device):
    rng = np.random.default_rng(0)
    references = rng.normal(size=(300, 20))
    references[100:200] = references[:100] + 1e-7 * rng.normal(size=(100, 20))  # hard to tell apart
    rows = np.concatenate([scale * rng.normal(size=(70, 20)), references[:50], references[250:]])
    nearest = Nearest(references, n)
    actual, which = nearest.find(rows)
    every = cdist(rows, references)
    assert_allclose(actual, np.sort(every)[:, :n], rtol=1e-12)
    assert_allclose(every[np.arange(len(rows)), which], actual[:, 0], rtol=1e-12)
    in_parts = [nearest.find(part)[0] for part in np.split(rows, [1, 2, 9])]
    assert_array_equal(np.concatenate(in_parts), actual)


def test_references_that_are_nearly_alike_take_bounded_memory():
    alike = 1 + 1e-14 * np.random.default_rng(0).normal(size=(4000, 120))
    tracemalloc.start()
    distances = Nearest(alike[:1024], 2).find(alike)[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300e6
    assert_array_equal(distances[:1024, 0], np.zeros(1024))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e18])
@pytest.mark.parametrize("n_alike", [1, 2, 150])
def test_distances_by_a_product_of_matrices_are_exact_where_they_are_small(n_alike, scale):
    rng = np.random.default_rng(0)
    references = scale * np.repeat(rng.normal(size=(300 // n_alike, 20)), n_alike, axis=0)
    references[::3] += 1e-9 * scale * rng.normal(size=(100, 20))
    rows = np.concatenate([references[:200], scale * rng.normal(size=(70, 20))])
    rows[-1] *= 1e9
    expected = cdist(rows, references)
    assert (expected == 0).any()
    assert_allclose(distances_between(rows, references), expected, rtol=1e-9)


def test_distances_by_a_product_of_matrices_are_exact_if_all_rows_are_alike():
    flat = np.full((1024, 40), 0.1)
    assert_array_equal(distances_between(flat, flat), np.zeros((1024, 1024)))


class NearestOfAll(Nearest):
    """Keeps all copies."""

    def __init__(self, references, n):
        super().__init__(references, n)
        self.references, self.numbers = references, np.arange(len(references))


@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("n_copies", [1, 2, 3, 30])
def test_copies_among_references_change_no_bit_and_cost_no_more_than_are_sought(
    n_copies, n, device
):
    rng = np.random.default_rng(0)
    distinct = rng.normal(size=(30, 40))
    references = rng.permutation(np.repeat(distinct, n_copies, axis=0))
    rows = np.concatenate([rng.normal(size=(70, 40)), distinct])
    nearest, of_all = Nearest(references, n), NearestOfAll(references, n)
    for found, expected in zip(nearest.find(rows), of_all.find(rows), strict=True):
        assert_array_equal(found, expected)
    assert len(nearest.references) == 30 * min(n_copies, n)
    if n_copies <= n:
        assert_array_equal(nearest.references, references)


def test_of_flat_data_each_row_has_two_candidates(device):
    flat = np.zeros((1024, 40))
    row, _ = Nearest(flat, 2)._candidates(flat)
    assert_array_equal(row, np.repeat(np.arange(1024), 2))


def points(n=70):
    return np.random.default_rng(0).normal(size=(n, 20))


def test_they_are_looked_for_on_the_device_that_is_named_if_rows_are_many(monkeypatch):
    asked, look = [], Nearest._may_be_nearest

    def recorded(self, rows, device):
        asked.append((len(rows), device))
        return look(self, rows, device)

    monkeypatch.setattr(Nearest, "_may_be_nearest", recorded)
    nearest = Nearest(points(), 2)
    with searching_on(CPU):
        nearest.find(points())
        nearest.find(points(5))
    nearest.find(points())
    assert asked == [(70, CPU), (5, None), (70, None)]


@pytest.mark.parametrize("n_references", [1, 2, 3, 31, 32, 33, 500])
@pytest.mark.parametrize("n_rows", [64, 150])
def test_torch_finds_the_same_as_numpy_to_the_last_bit(n_references, n_rows):
    nearest = Nearest(points(n_references), min(2, n_references))
    rows = points(n_rows) + 0.1
    with searching_on(CPU):
        by_torch = nearest.find(rows)
    for found, expected in zip(by_torch, nearest.find(rows), strict=True):
        assert_array_equal(found, expected)


@np.errstate(all="ignore")
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_what_cannot_be_measured_has_a_distance_that_shows_it(value, device):
    rows = points(4)
    expected = Nearest(points(), 2).find(rows)[0]
    for place in range(4):
        damaged = rows.copy()
        damaged[place, 3] = value
        found = Nearest(points(), 2).find(damaged)[0]
        is_good = np.arange(4) != place
        assert_array_equal(found[is_good], expected[is_good])
        assert not np.isfinite(found[place]).any()
        assert not np.isfinite(Nearest(points(), 2).find(damaged[place : place + 1])[0]).any()


def test_references_are_sent_to_a_device_once():
    nearest = Nearest(points(), 2)
    with (
        mock.patch("torch.from_numpy", wraps=torch.from_numpy) as sent,
        searching_on(CPU),
    ):
        for _ in range(3):
            nearest.find(points(90))
    n_values = [call.args[0].size for call in sent.call_args_list]
    assert n_values.count(70 * 20) == 1
    assert n_values.count(90 * 20) == 3


@pytest.mark.parametrize("failing", ["_send", "_receive"])
def test_a_device_that_fails_leaves_them_to_numpy_from_then_on(failing, monkeypatch):
    expected = Nearest(points(), 2).find(points() + 0.1)
    attempts, works = [], getattr(nearest_module, failing)

    def fails(array, *device):
        if device == (CPU,) or isinstance(array, torch.Tensor):
            attempts.append(failing)
            raise torch.OutOfMemoryError
        return works(array, *device)

    monkeypatch.setattr(nearest_module, failing, fails)
    nearest = Nearest(points(), 2)
    with searching_on(CPU):
        for _ in range(2):
            found = nearest.find(points() + 0.1)
            assert_array_equal(found[0], expected[0])
            assert_array_equal(found[1], expected[1])
    assert len(attempts) == 1


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
@pytest.mark.parametrize(
    ("Detector", "X"),
    [
        (LSTMAutoencoderDetector, make_ragged(100)),
        (LSTMForecastDetector, make_ragged(100)),
        (SlidingWindowDetector, make_series(400)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_detector_looks_for_them_where_its_network_runs(Detector, X, monkeypatch):
    asked, look = set(), Nearest._look_for_candidates

    def recorded(self, rows):
        asked.add(nearest_module._device.get())
        return look(self, rows)

    monkeypatch.setattr(Nearest, "_look_for_candidates", recorded)
    is_sliding = Detector is SlidingWindowDetector
    detector = Detector(LSTMAutoencoderDetector(**QUICK)) if is_sliding else Detector(**QUICK)
    on_cpu = fitted(detector, X).score_samples(X)
    assert asked == {None}
    monkeypatch.setattr("skl_lstmae.detectors.judge.place_of_search", lambda device: CPU)
    asked.clear()
    fitted(detector, X)
    assert asked == {CPU}
    assert_array_equal(detector.score_samples(X), on_cpu)
    if not is_sliding:
        asked.clear()
        detector.partial_fit(X).score_samples(X)
        assert asked == {CPU}


@pytest.mark.parametrize(("device", "expected"), [("cpu", None), ("mps", None), ("cuda", "cuda")])
def test_a_gpu_without_float64_leaves_them_to_numpy(device, expected):
    place = place_of_search(torch.device(device))
    assert place == (None if expected is None else torch.device(expected))
