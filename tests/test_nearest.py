"""Distances from references: which are the nearest, wherever they are looked for."""

import tracemalloc
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import torch
from conftest import QUICK, fitted, make_ragged
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector
from skl_lstmae.scoring.nearest import CPU, Nearest, distances_between, measuring_on

META = torch.device("meta")


@pytest.mark.parametrize("n", [1, 2, 5, 90, 300])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e18])
def test_the_nearest_are_found_to_the_last_bit(scale, n):
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
def test_copies_among_references_change_no_bit_and_cost_no_more_than_are_sought(n_copies, n):
    rng = np.random.default_rng(0)
    distinct = rng.normal(size=(30, 40))
    references = rng.permutation(np.repeat(distinct, n_copies, axis=0))
    rows = np.concatenate([rng.normal(size=(70, 40)), distinct])
    nearest, of_all = Nearest(references, n), NearestOfAll(references, n)
    assert_array_equal(nearest.find(rows)[0], of_all.find(rows)[0])
    assert len(nearest.references) == 30 * min(n_copies, n)
    if n_copies <= n:
        assert_array_equal(nearest.references, references)


def test_of_flat_data_each_row_has_two_candidates():
    flat = np.zeros((1024, 40))
    row, _ = Nearest(flat, 2)._candidates(flat)
    assert_array_equal(row, np.repeat(np.arange(1024), 2))


def points(n=70):
    return np.random.default_rng(0).normal(size=(n, 20))


def test_they_are_looked_for_on_the_device_that_is_named_and_nowhere_else():
    nearest = Nearest(points(), 2)
    with measuring_on(META), pytest.raises(NotImplementedError, match="meta"):
        nearest.find(points())
    assert nearest.find(points())[0][:, 0].max() == 0


def test_references_are_sent_to_a_device_once():
    nearest = Nearest(points(), 2)
    with mock.patch("torch.from_numpy", wraps=torch.from_numpy) as read:
        for _ in range(3):
            nearest.find(points(5))
    assert [call.args[0].shape[0] for call in read.call_args_list] == [70, 5, 5, 5]


def test_a_device_without_memory_for_them_leaves_them_to_the_cpu():
    class WithoutMemory(Nearest):
        def _on(self, device):
            if device == META:
                raise torch.OutOfMemoryError
            return super()._on(device)

    expected, found = Nearest(points(), 2), WithoutMemory(points(), 2)
    with measuring_on(META):
        distances, numbers = found.find(points(5) + 0.1)
    assert_array_equal(distances, expected.find(points(5) + 0.1)[0])
    assert_array_equal(numbers, expected.find(points(5) + 0.1)[1])


@pytest.mark.parametrize("Detector", [LSTMAutoencoderDetector, LSTMForecastDetector])
@pytest.mark.parametrize(
    ("dtype", "device"), [(torch.float64, META), (torch.float32, CPU)], ids=["float64", "float32"]
)
def test_a_detector_looks_for_them_where_its_network_runs_if_there_is_float64(
    Detector, dtype, device, monkeypatch
):
    asked, look = set(), Nearest._may_be_nearest

    def recorded(self, rows, device):
        asked.add(device)
        return look(self, rows, CPU)

    monkeypatch.setattr(Nearest, "_may_be_nearest", recorded)
    judge = fitted(Detector(**QUICK), make_ragged(30))._judge
    assert asked == {CPU}
    asked.clear()
    monkeypatch.setattr("skl_lstmae.detectors.judge.exact", lambda device: dtype)
    replace(judge, model=replace(judge.model, device=META))._judged(judge.scorer.references_)
    assert asked == {device}
