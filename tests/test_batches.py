"""Padded batches."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from skl_lstmae.data.reading import read
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.training.batches import BatchBuilder
from skl_lstmae.training.calls import MAX_CELLS, MAX_FLOATS, MAX_SCORING_FLOATS
from skl_lstmae.training.scaling import fit_scaling

NAN = np.nan


def make_sequences(lengths, n_features=2):
    rng = np.random.default_rng(0)
    return read([rng.normal(size=(n, n_features)) for n in lengths])[0]


def make_builder(sequences, width=8, scaler=None, **parameters):
    scaling = fit_scaling(scaler, sequences)
    return BatchBuilder(scaling, width, torch.device("cpu"), **parameters)


def test_a_batch_holds_scaled_values_and_says_which_are_real():
    sequences = make_sequences([3, 5, 1])
    builder = make_builder(sequences, scaler="standard")
    batch = builder.build(sequences, np.array([2, 1]))
    assert batch.x.shape == batch.observed.shape == (2, 8, 2)
    assert batch.x.dtype == torch.float32
    assert batch.lengths.tolist() == [1, 5]
    assert_array_equal(batch.x[1, :5], builder.scaling.transform(sequences[1]))
    assert_array_equal(batch.x[0, :1], builder.scaling.transform(sequences[2]))
    assert batch.observed[:, :, 0].tolist() == [[True] + [False] * 7, [True] * 5 + [False] * 3]


@pytest.mark.parametrize(
    ("lengths", "expected"), [(range(1, 131), [64, 128, 132]), ([5] * 10, [5])]
)
def test_shapes_of_batches_are_few(lengths, expected):
    sequences = make_sequences(lengths)
    batches = make_builder(sequences).scoring_batches(sequences)
    assert [batch.x.shape[1] for batch in batches] == expected


@pytest.mark.parametrize(
    ("is_causal", "before", "expected"),
    [
        (False, None, [[2, 2, 2, 6], [4, 4, 4, 4]]),  # the first observed, or else the mean
        (True, None, [[4, 2, 2, 6], [4, 4, 4, 4]]),  # the mean, as the first is yet to come
        (True, torch.tensor([[7.0], [9.0]]), [[7, 2, 2, 6], [9, 9, 9, 9]]),
    ],
)
def test_a_missing_value_repeats_what_was_observed_before_it(is_causal, before, expected):
    sequences = read([[NAN, 2.0, NAN, 6.0], [NAN] * 3 + [4.0]])[0]  # of mean 4
    builder = make_builder(sequences, is_causal=is_causal)
    sequences.values[-1] = NAN
    batch = builder.build(sequences, np.array([0, 1]), before)
    assert batch.x[:, :, 0].tolist() == expected
    assert batch.observed[:, :, 0].tolist() == [[False, True, False, True], [False] * 4]
    for part in (batch.x, batch.observed):  # time comes first in memory
        assert part.transpose(0, 1).is_contiguous()


def test_parts_of_a_long_sequence_are_the_sequence(monkeypatch):
    values = np.random.default_rng(0).normal(size=(50, 2))
    values[:3, 0] = values[10:31] = values[45:] = NAN
    sequences = Sequences(values, np.array([0, 2]), np.array([5, 48]))
    builder = make_builder(sequences, is_causal=True)
    [whole] = builder.chunks(sequences, np.array([1]))
    monkeypatch.setattr("skl_lstmae.training.calls.MAX_SCORING_FLOATS", 8 * 10)
    groups = [group.tolist() for group in builder.scoring_groups(sequences)]
    assert groups == [[0], [1]]
    assert [builder.is_long(sequences, group) for group in groups] == [False, True]
    chunks = list(builder.chunks(sequences, np.array([1])))
    assert [chunk.lengths.tolist() for chunk in chunks] == [[10], [10], [10], [10], [8]]
    assert torch.equal(torch.cat([chunk.x for chunk in chunks], dim=1), whole.x)
    assert torch.equal(torch.cat([chunk.observed for chunk in chunks], dim=1), whole.observed)


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([5] * 23, [3, 4, 4, 4, 4, 4]),
        (list(range(1, 24)), [3, 4, 4, 4, 4, 4]),
        ([3] * 10 + [50] * 13, [3, 4, 4, 4, 4, 4]),
        ([1] * 9, [3, 3, 3]),
        ([1], [1]),
    ],
)
def test_every_sequence_is_in_one_batch_and_batches_are_of_like_size(lengths, sizes):
    sequences = make_sequences(lengths)
    builder = make_builder(sequences)
    batches = [
        np.concatenate([piece.indices for piece in pieces])
        for pieces in builder.training_batches(sequences, 4, np.random.RandomState(0))
    ]
    scored = np.concatenate([batch.indices for batch in builder.scoring_batches(sequences)])
    assert sorted(len(batch) for batch in batches) == sizes
    assert sorted(np.concatenate(batches)) == sorted(scored) == list(range(len(lengths)))


@pytest.mark.parametrize("longest", [4, 100])
def test_training_batches_hold_like_lengths_in_an_order_that_changes(longest):
    sequences = make_sequences(np.random.default_rng(0).integers(4, longest, 64, endpoint=True))
    builder, rng = make_builder(sequences), np.random.RandomState(0)
    first, second = (
        {frozenset(pieces[0].indices) for pieces in builder.training_batches(sequences, 8, rng)}
        for _ in range(2)
    )
    lengths = [sequences.lengths[list(batch)] for batch in first]
    n_padded = sum((batch.max() - batch).sum() for batch in lengths)
    assert n_padded < 0.15 * sequences.lengths.sum()  # of random batches, 0.7 of it
    assert len(first & second) < 4


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


def test_a_batch_of_many_features_is_cut_so_that_it_fits_into_memory():
    n_features = 2**12
    values = np.zeros((64 * 100, n_features), dtype=np.float32)
    sequences = Sequences(values, 100 * np.arange(64), np.full(64, 100))
    builder = make_builder(sequences)
    groups = list(builder.scoring_groups(sequences))
    assert sorted(np.concatenate(groups)) == list(range(64))
    assert max(map(len, groups)) == 5 == MAX_CELLS // (100 * n_features)
