"""Padded batches."""

import numpy as np
import pytest
import torch

from skl_lstmae import _batches
from skl_lstmae._batches import (
    MAX_FLOATS,
    MAX_ROWS,
    MAX_SCORING_FLOATS,
    BatchBuilder,
    fill_missing,
    first_observed,
)
from skl_lstmae._scaling import fit_scaling
from skl_lstmae._sequences import Sequences, read_sequences


def make_sequences(lengths, n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    return read_sequences([rng.normal(size=(n, n_features)) for n in lengths])[0]


def make_builder(sequences, width=8):
    return BatchBuilder(fit_scaling(None, sequences), width, torch.device("cpu"))


def test_a_batch_holds_scaled_values_and_says_which_are_real():
    sequences = make_sequences([3, 5, 1])
    scaling = fit_scaling("standard", sequences)
    batch = BatchBuilder(scaling, 8, torch.device("cpu")).build(sequences, np.array([2, 1]))
    assert batch.x.shape == batch.observed.shape == (2, 8, 2)
    assert batch.x.dtype == torch.float32
    assert batch.lengths.tolist() == [1, 5]
    np.testing.assert_array_equal(batch.x[1, :5], scaling.transform(sequences[1]))
    np.testing.assert_array_equal(batch.x[0, :1], scaling.transform(sequences[2]))
    assert batch.observed[:, :, 0].tolist() == [[True] + [False] * 7, [True] * 5 + [False] * 3]


def test_time_comes_first_in_memory():
    sequences = make_sequences([3, 5, 1])
    builder = make_builder(sequences)
    sequences.values[4] = np.nan
    batch = builder.build(sequences, np.array([2, 1]))
    assert batch.x.transpose(0, 1).is_contiguous()
    assert batch.observed.transpose(0, 1).is_contiguous()


def test_shapes_of_batches_are_few():
    sequences = make_sequences(range(1, 131))
    batches = make_builder(sequences).scoring_batches(sequences)
    assert [batch.x.shape[1] for batch in batches] == [64, 128, 132]
    of_one_length = make_sequences([5] * 10)
    [batch] = make_builder(of_one_length).scoring_batches(of_one_length)
    assert batch.x.shape[1] == 5


def test_overlapping_sequences_are_gathered_from_one_table():
    values = np.arange(10, dtype=np.float32)[:, np.newaxis]
    windows = Sequences(values, np.arange(8), np.full(8, 3))
    batch = make_builder(windows).build(windows, np.array([0, 7]))
    assert batch.x[:, :, 0].tolist() == [[0, 1, 2], [7, 8, 9]]


def test_a_missing_value_repeats_the_last_observed_one_or_what_stood_before():
    nan = np.nan
    x = np.array([[[nan, nan], [2, nan], [nan, nan], [4, nan]]], dtype=np.float32)
    filled = fill_missing(x, ~np.isnan(x), np.array([7.0, 9.0]))
    assert filled[0, :, 0].tolist() == [7, 2, 2, 4]
    assert filled[0, :, 1].tolist() == [9, 9, 9, 9]
    two = fill_missing(np.repeat(x, 2, axis=0), ~np.isnan(np.repeat(x, 2, axis=0)), np.eye(2))
    assert two[:, 0].tolist() == [[1, 0], [0, 1]]
    assert first_observed(x, ~np.isnan(x), np.array([7.0, 9.0])).tolist() == [[2, 9]]


@pytest.mark.parametrize(("is_causal", "expected"), [(False, 2.0), (True, 3.0)])
def test_a_causal_network_is_not_shown_what_is_first_observed_before_it_is(is_causal, expected):
    sequences = read_sequences([[np.nan, 2.0, 3.0, 4.0]])[0]  # of mean 3
    builder = make_builder(sequences)
    builder = BatchBuilder(builder.scaling, 8, torch.device("cpu"), is_causal)
    batch = builder.build(sequences, np.array([0]))
    assert batch.x[0, :, 0].tolist() == [expected, 2.0, 3.0, 4.0]
    assert batch.observed[0, :, 0].tolist() == [False, True, True, True]


def test_parts_of_a_long_sequence_are_the_sequence(monkeypatch):
    values = np.random.default_rng(0).normal(size=(50, 2))
    values[:3, 0] = values[10:31] = values[45:] = np.nan
    sequences = Sequences(values, np.array([0, 2]), np.array([5, 48]))
    builder = BatchBuilder(make_builder(sequences).scaling, 8, torch.device("cpu"), is_causal=True)
    [whole] = builder.chunks(sequences, np.array([1]))
    monkeypatch.setattr(_batches, "MAX_SCORING_FLOATS", 8 * 10)
    groups = [group.tolist() for group in builder.scoring_groups(sequences)]
    assert groups == [[0], [1]]
    assert [builder.is_long(sequences, group) for group in groups] == [False, True]
    chunks = list(builder.chunks(sequences, np.array([1])))
    assert [chunk.lengths.tolist() for chunk in chunks] == [[10], [10], [10], [10], [8]]
    assert torch.equal(torch.cat([chunk.x for chunk in chunks], dim=1), whole.x)
    assert torch.equal(torch.cat([chunk.observed for chunk in chunks], dim=1), whole.observed)


@pytest.mark.parametrize("lengths", [[5] * 23, list(range(1, 24)), [1], [3] * 10 + [50] * 13])
def test_every_sequence_is_in_one_training_and_one_scoring_batch(lengths):
    sequences = make_sequences(lengths)
    builder = make_builder(sequences)
    rng = np.random.RandomState(0)
    batches = list(builder.training_batches(sequences, 4, rng))
    trained = np.concatenate([piece.indices for pieces in batches for piece in pieces])
    scored = np.concatenate([batch.indices for batch in builder.scoring_batches(sequences)])
    assert sorted(trained) == sorted(scored) == list(range(len(lengths)))
    assert all(sum(len(piece.indices) for piece in pieces) <= 4 for pieces in batches)


def test_training_batches_hold_like_lengths_in_an_order_that_changes():
    sequences = make_sequences(np.random.default_rng(0).integers(1, 100, size=64))
    builder = make_builder(sequences)
    rng = np.random.RandomState(0)
    epochs = [
        [pieces[0].lengths for pieces in builder.training_batches(sequences, 8, rng)]
        for _ in range(2)
    ]
    n_padded = sum(int((lengths.max() - lengths).sum()) for lengths in epochs[0])
    assert n_padded < 0.15 * sequences.lengths.sum()
    members = [{frozenset(lengths.tolist()) for lengths in epoch} for epoch in epochs]
    assert members[0] != members[1]


def test_training_batches_are_of_like_size():
    sequences = make_sequences([4] * 65)
    batches = make_builder(sequences).training_batches(sequences, 64, np.random.RandomState(0))
    assert sorted(len(pieces[0].indices) for pieces in batches) == [32, 33]


def test_equal_lengths_are_batched_at_random():
    sequences = make_sequences([4] * 64)
    builder = make_builder(sequences)
    rng = np.random.RandomState(0)
    first, second = (
        {frozenset(pieces[0].indices) for pieces in builder.training_batches(sequences, 8, rng)}
        for _ in range(2)
    )
    assert not first & second


def test_kernel_calls_are_bounded_by_rows_steps_and_width():
    width = 100
    sequences = make_sequences([200] * 100 + [9000, 9000])
    builder = make_builder(sequences, width)
    batches = builder.training_batches(sequences, 90, np.random.RandomState(0))
    pieces = [piece for batch in batches for piece in batch]
    scored = list(builder.scoring_batches(sequences))
    for part, bound in (pieces, MAX_FLOATS), (scored, MAX_SCORING_FLOATS):
        for piece in part:
            n_rows, n_steps, _ = piece.x.shape
            assert n_rows == 1 or n_rows * n_steps * width <= bound
    assert max(len(batch.indices) for batch in scored) <= MAX_ROWS
