"""Reading `X`: every accepted form, every refusal, and results put back into the user's form."""

import re
import tracemalloc
import warnings
from datetime import date, datetime

import numpy as np
import pandas as pd
import polars
import pytest
import scipy.sparse
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae._sequences import (
    Sequences,
    check_rows,
    check_sequences,
    check_series,
    label_rows,
    read_sequences,
)

nan, inf = np.nan, np.inf


def contents(sequences):
    return [sequence.tolist() for sequence in sequences]


def row_numbers(sequences):
    """Results that tell which row each of them belongs to."""
    return np.arange(sequences.lengths.sum(), dtype=float)


def assert_restores_itself(X):
    """What was read, put back, is `X`, its type, index and columns included."""
    sequences, restore = read_sequences(X)
    restored = restore(np.concatenate(list(sequences)))
    assert type(restored) is type(X)
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(restored, X)
    else:
        np.testing.assert_array_equal(restored, X)


def steps(n_timesteps, n_features=3):
    return np.arange(float(n_timesteps * n_features)).reshape(n_timesteps, -1)


def panel(index, **columns):
    names = ["sequence", "time"]
    return pd.DataFrame(columns, index=pd.MultiIndex.from_tuples(index, names=names))


# --------------------------------------------------------------------------------- the ragged table


@pytest.fixture
def overlapping():
    """Rows 0-3, 2-5 overlap; 6-7 touches them; 8-9 is used by no sequence; 10-11 stands apart."""
    return Sequences(steps(12, 1), np.array([10, 2, 0, 6]), np.array([2, 4, 4, 2]))


def test_sequences_are_views_of_one_table(overlapping):
    assert (len(overlapping), overlapping.n_features) == (4, 1)
    assert overlapping[1].tolist() == [[2.0], [3.0], [4.0], [5.0]]
    assert np.shares_memory(overlapping[1], overlapping.values)
    assert [len(sequence) for sequence in overlapping] == [2, 4, 4, 2]


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ([3, 0], [[[6.0], [7.0]], [[10.0], [11.0]]]),
        (np.array([False, False, False, True]), [[[6.0], [7.0]]]),
        ([], []),
    ],
)
def test_take_selects_sequences_on_the_same_values(overlapping, indices, expected):
    taken = overlapping.take(indices)
    assert taken.values is overlapping.values
    assert expected == contents(taken)


@pytest.mark.parametrize("max_rows", [1, 3, 8, 100])
def test_blocks_hold_each_used_row_once_at_most_max_rows_each(overlapping, max_rows):
    blocks = list(overlapping.blocks(max_rows=max_rows))
    assert np.concatenate(blocks).ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 10, 11]
    assert max(map(len, blocks)) <= max_rows


def test_rows_that_follow_one_another_are_viewed_and_scattered_ones_gathered(overlapping):
    touching, apart = overlapping.blocks(max_rows=8)
    assert (len(touching), len(apart)) == (8, 2)
    assert np.shares_memory(touching, overlapping.values)
    assert np.shares_memory(apart, overlapping.values)
    assert [len(block) for block in overlapping.blocks()] == [10]


def test_rows_and_positions_number_the_time_steps_sequence_after_sequence(overlapping):
    rows = overlapping.rows()
    expected = np.concatenate(contents(overlapping))
    assert np.array_equal(overlapping.values[rows], expected)
    chosen = np.array([3, 1])
    assert np.array_equal(rows[overlapping.positions(chosen)], overlapping.take(chosen).rows())


def test_a_long_sequence_covers_the_short_ones_inside_it():
    nested = Sequences(steps(9, 1), np.array([0, 1, 5]), np.array([8, 2, 1]))
    assert [len(block) for block in nested.blocks()] == [8]


def test_no_sequences_have_no_blocks(overlapping):
    assert list(overlapping.take([]).blocks()) == []


# ------------------------------------------------------------------------------------------- lists


@pytest.mark.parametrize("container", [list, tuple], ids=["list", "tuple"])
@pytest.mark.parametrize(
    "to_member",
    [
        np.array,
        torch.tensor,
        lambda rows: torch.tensor(rows, requires_grad=True),
        pd.DataFrame,
        list,
        np.asfortranarray,
    ],
    ids=["array", "tensor", "tensor with gradient", "frame", "lists", "fortran array"],
)
def test_members_of_a_list_are_sequences(container, to_member):
    rows = [[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [[6.0, 7.0]]]
    sequences, _ = read_sequences(container(to_member(member) for member in rows))
    assert rows == contents(sequences)
    assert (sequences.starts.tolist(), sequences.lengths.tolist()) == ([0, 3], [3, 1])
    assert (np.intp, np.intp) == (sequences.starts.dtype, sequences.lengths.dtype)


def test_an_object_array_is_a_list_of_sequences():
    X = np.empty(2, dtype=object)
    X[:] = [steps(2), steps(4)]
    sequences, restore = read_sequences(X)
    assert sequences.lengths.tolist() == [2, 4]
    restored = restore(sequences.values)
    assert list is type(restored)
    assert [part.shape for part in restored] == [(2, 3), (4, 3)]


@pytest.mark.parametrize(
    "to_member",
    [np.array, torch.tensor, pd.Series, list],
    ids=["array", "tensor", "series", "list"],
)
def test_one_dimensional_members_are_one_channel(to_member):
    X = [to_member([1.0, 2.0, 3.0]), to_member([4.0])]
    sequences, restore = read_sequences(X)
    assert contents(sequences) == [[[1.0], [2.0], [3.0]], [[4.0]]]
    for rows in (sequences.values, sequences.values[:, 0]):
        assert [part.tolist() for part in restore(rows)] == [[1.0, 2.0, 3.0], [4.0]]


def test_lists_of_equal_length_are_ragged_lists_too():
    sequences, restore = read_sequences([[1.0, 2.0], [3.0, 4.0]])
    assert (len(sequences), sequences.n_features) == (2, 1)
    assert [part.shape for part in restore(sequences.values)] == [(2,), (2,)]


def test_one_column_and_one_dimensional_members_come_back_each_in_its_shape():
    sequences, restore = read_sequences([steps(3, 1), steps(2, 1).ravel()])
    assert [part.shape for part in restore(sequences.values)] == [(3, 1), (2,)]
    assert [part.shape for part in restore(row_numbers(sequences))] == [(3,), (2,)]


def test_trailing_nan_steps_of_a_list_are_missing_values():
    sequences, _ = read_sequences([[1.0, nan, nan], [2.0]])
    assert sequences.lengths.tolist() == [3, 1]


def test_tensors_come_back_as_arrays():
    sequences, restore = read_sequences([torch.ones(2, 3), torch.ones(1, 3)])
    assert [np.ndarray, np.ndarray] == [type(part) for part in restore(sequences.values)]


def test_frames_in_a_list_keep_index_and_columns():
    X = [
        pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, nan]}, index=[10, 20]),
        pd.DataFrame({"a": [5.0], "b": [6.0]}, index=["late"]),
    ]
    sequences, restore = read_sequences(X)
    for expected, actual in zip(X, restore(sequences.values), strict=True):
        pd.testing.assert_frame_equal(expected, actual)
    per_step = restore(row_numbers(sequences))
    pd.testing.assert_series_equal(pd.Series([0.0, 1.0], index=[10, 20]), per_step[0])
    pd.testing.assert_series_equal(pd.Series([2.0], index=["late"]), per_step[1])


def test_series_keep_index_and_name():
    X = [pd.Series([1.0, 2.0], index=[7, 8], name="load")]
    sequences, restore = read_sequences(X)
    pd.testing.assert_series_equal(X[0], restore(sequences.values)[0])


# ------------------------------------------------------------------------------------------ arrays


def test_3d_array_holds_one_sequence_per_entry():
    X = steps(8).reshape(2, 4, 3)
    sequences, restore = read_sequences(X)
    assert X.tolist() == contents(sequences)
    assert_restores_itself(X)
    assert restore(row_numbers(sequences)).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("n_features", [1, 3])
def test_trailing_nan_steps_are_padding(n_features):
    X = steps(12, n_features).reshape(3, 4, n_features)
    X[0, 2:] = nan
    X[2, 3:] = nan
    sequences, restore = read_sequences(X)
    assert sequences.lengths.tolist() == [2, 4, 3]
    assert [X[0, :2].tolist(), X[1].tolist(), X[2, :3].tolist()] == contents(sequences)
    assert_restores_itself(X)
    expected = [[0, 1, nan, nan], [2, 3, 4, 5], [6, 7, 8, nan]]
    np.testing.assert_array_equal(expected, restore(row_numbers(sequences)))
    np.testing.assert_array_equal(expected, restore(np.arange(9)))


def test_nan_inside_a_sequence_is_a_missing_value():
    X = steps(12).reshape(3, 4, 3)
    X[0, 1] = nan  # a whole step
    X[1, 3, :2] = nan  # the last step in part
    X[2, 0] = nan  # the first step
    sequences, _ = read_sequences(X)
    assert sequences.lengths.tolist() == [4, 4, 4]
    np.testing.assert_array_equal(X.reshape(12, 3), np.concatenate(list(sequences)))


def test_2d_array_holds_a_one_channel_sequence_per_row():
    X = np.array([[1.0, 2.0, nan], [3.0, nan, 5.0]])
    sequences, restore = read_sequences(X)
    assert sequences.lengths.tolist() == [2, 3]
    assert sequences.n_features == 1
    assert_restores_itself(X)
    np.testing.assert_array_equal([[0, 1, nan], [2, 3, 4]], restore(row_numbers(sequences)))


def test_2d_frame_holds_a_one_channel_sequence_per_row():
    X = pd.DataFrame(
        [[1.0, 2.0, nan], [3.0, nan, 5.0]], index=["a", "b"], columns=["t0", "t1", "t2"]
    )
    sequences, restore = read_sequences(X)
    assert sequences.lengths.tolist() == [2, 3]
    assert_restores_itself(X)
    expected = pd.DataFrame([[0, 1, nan], [2, 3, 4.0]], X.index, X.columns, dtype=float)
    pd.testing.assert_frame_equal(expected, restore(row_numbers(sequences)))


def test_channels_of_4d_array_are_variables_times_features():
    X = steps(12, 6).reshape(3, 4, 2, 3)
    X[1, 2:] = nan
    sequences, restore = read_sequences(X)
    assert (sequences.n_features, sequences.lengths.tolist()) == (6, [4, 2, 4])
    assert X[0].reshape(4, 6).tolist() == sequences[0].tolist()
    assert_restores_itself(X)
    expected = [[0, 1, 2, 3], [4, 5, nan, nan], [6, 7, 8, 9]]
    np.testing.assert_array_equal(expected, restore(row_numbers(sequences)))


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 2), (2, 3, 2, 1)])
def test_tensor_is_read_as_the_array_and_comes_back_as_one(shape):
    X = torch.arange(12.0, requires_grad=True).reshape(shape)
    sequences, restore = read_sequences(X)
    np.testing.assert_array_equal(X.detach().numpy(), restore(sequences.values))
    assert np.ndarray is type(restore(sequences.values))
    assert np.shares_memory(X.detach().numpy(), sequences.values)


def test_anything_with_an_array_interface_is_an_array():
    class ArrayLike:
        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, 2.0]], dtype=dtype)

    assert contents(read_sequences(ArrayLike())[0]) == [[[1.0], [2.0]]]


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 2)])
def test_object_arrays_of_numbers_are_converted(shape):
    X = np.arange(12).reshape(shape)
    sequences, _ = read_sequences(X.astype(object))
    assert contents(read_sequences(X)[0]) == contents(sequences)
    assert np.float64 == sequences.values.dtype


def test_masked_entries_are_missing_values():
    X = np.ma.MaskedArray([[1, 2, 3], [4, 5, 6]], mask=[[0, 1, 0], [0, 0, 1]])
    sequences, _ = read_sequences(X)
    np.testing.assert_array_equal([[1, nan, 3], [4, 5, nan]], sequences.values.reshape(2, 3))
    assert sequences.lengths.tolist() == [3, 2]
    member = np.ma.MaskedArray(np.float32([1, 2, 3]), mask=[0, 0, 1])
    sequences, _ = read_sequences([member])
    np.testing.assert_array_equal(np.float32([1, 2, nan]), sequences.values[:, 0], strict=True)


# ----------------------------------------------------------------------------------- panels, frames


def test_panel_is_read_in_order_of_first_appearance():
    X = panel([("b", 1), ("b", 3), ("a", 2)], x=[1.0, 2.0, 3.0], y=[4.0, nan, 6.0])
    sequences, restore = read_sequences(X)
    assert sequences.lengths.tolist() == [2, 1]
    np.testing.assert_array_equal([[1, 4], [2, nan]], sequences[0])
    assert sequences[1].tolist() == [[3.0, 6.0]]
    assert_restores_itself(X)
    pd.testing.assert_series_equal(pd.Series([0.0, 1, 2], index=X.index), restore(np.arange(3.0)))


def test_trailing_nan_rows_of_a_panel_are_missing_values():
    X = panel([(0, 0), (0, 1), (1, 0)], x=[1.0, nan, 3.0])
    sequences, _ = read_sequences(X)
    assert sequences.lengths.tolist() == [2, 1]
    assert_restores_itself(X)


@pytest.mark.parametrize(
    "times",
    [pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True), pd.period_range("2024", periods=2)],
    ids=["zoned timestamps", "periods"],
)
def test_panel_times_may_be_dates(times):
    index = pd.MultiIndex.from_product([["b", "a"], times])
    sequences, _ = read_sequences(pd.DataFrame({"x": steps(4, 1).ravel()}, index=index))
    assert sequences.lengths.tolist() == [2, 2]
    with pytest.raises(ValueError, match=re.escape("call X.sort_index() first.")):
        read_sequences(pd.DataFrame({"x": steps(4, 1).ravel()}, index=index[::-1]))


def test_nullable_columns_are_read_with_missing_values():
    X = pd.DataFrame({"t0": pd.array([1, 2], dtype="Int64"), "t1": pd.array([None, 4], "Float64")})
    sequences, _ = read_sequences(X)
    np.testing.assert_array_equal([[1.0], [nan], [2.0], [4.0]], sequences.values)
    assert sequences.lengths.tolist() == [1, 2]
    member = pd.Series(pd.array([1, None, 0], dtype="boolean"))
    np.testing.assert_array_equal([[1.0], [nan], [0.0]], read_sequences([member])[0].values)


# ------------------------------------------------------------------------------------ dtype, memory


@pytest.mark.parametrize("wrap", [lambda X: X, lambda X: list(X)], ids=["array", "list"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float64),
        (np.int8, np.float64),
        (np.int64, np.float64),
        (np.uint8, np.float64),
        (bool, np.float64),
    ],
)
def test_float32_and_float64_stay_and_other_numbers_become_float64(given, expected, wrap):
    X = np.array([[[1, 0], [0, 1]], [[1, 1], [0, 0]]], dtype=given)
    sequences, _ = read_sequences(wrap(X))
    assert expected == sequences.values.dtype
    assert X.tolist() == contents(sequences)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.bool, torch.int32])
def test_other_tensors_become_float64(dtype):
    sequences, _ = read_sequences(torch.tensor([[1, 0]], dtype=dtype))
    np.testing.assert_array_equal([[1.0], [0.0]], sequences.values, strict=True)


def test_mixed_list_becomes_float64():
    sequences, _ = read_sequences([np.float32([1, 2]), np.float64([3])])
    assert np.float64 == sequences.values.dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(4, 6), (4, 3, 2), (2, 3, 2, 2)])
def test_contiguous_array_is_not_copied(shape, dtype):
    X = np.arange(24, dtype=dtype).reshape(shape)
    X.flat[-1] = nan
    sequences, _ = read_sequences(X)
    assert X.ctypes.data == sequences.values.ctypes.data
    assert X.size == sequences.values.size
    assert np.shares_memory(X, sequences.values)


def test_memory_map_is_not_copied(tmp_path):
    np.save(tmp_path / "X.npy", np.ones((5, 4, 3), dtype=np.float32))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    sequences, _ = read_sequences(X)
    assert np.shares_memory(X, sequences.values)


@pytest.mark.parametrize("shape", [(50, 3), (50,)])
def test_a_single_long_recording_is_not_copied(shape):
    recording = np.ones(shape, dtype=np.float32)
    sequences, _ = read_sequences([recording])
    assert np.shares_memory(recording, sequences.values)


@pytest.mark.parametrize(
    "shape",
    [(16_000, 1000), (2000, 500, 16), (10, 100, 16_000), (1, 1_000_000, 4, 4)],
)
def test_reading_64_megabytes_takes_less_than_5(shape):
    X = np.ones(shape, dtype=np.float32)
    X[0, -1] = nan
    tracemalloc.start()
    try:
        read_sequences(X)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5e6 < X.nbytes / 12


def test_infinity_and_padding_are_found_past_the_first_block():
    X = np.ones((3, 100_000), dtype=np.float32)
    X[1, 70_000:] = nan
    assert read_sequences(X)[0].lengths.tolist() == [100_000, 70_000, 100_000]
    X[2, 99_999] = -inf
    with pytest.raises(ValueError, match=r"sequence #2 holds infinity at step 99999, feature 0;"):
        read_sequences(X)


# ---------------------------------------------------------------------------------------- refusals

FORMS = "a list of (n_timesteps, n_features) arrays, or one array or DataFrame of 2 to 4 dimensions"
MEMBER_FORMS = "an array of shape (n_timesteps,) or (n_timesteps, n_features)"


def exactly(sentence):
    return f"^{re.escape(sentence)}$"


def object_table(entry):
    X = np.ones((2, 2), dtype=object)
    X[0, 0] = entry
    return X


def with_value(value, *place):
    X = np.ones((4, 6, 2))
    X[place] = value
    return X


INFINITY = (
    "sequence #3 holds infinity at step 5, feature 0; expected finite numbers, or NaN for a "
    "missing value."
)
UNOBSERVED = (
    "sequence #3 has no observed value; expected at least one that is not NaN: leave it out."
)
INDEX = [("a", 1), ("a", 2), ("b", 1)]

VALUE_ERRORS = {
    "inf in array": (with_value(inf, 3, 5, 0), INFINITY),
    "inf in list": (list(with_value(-inf, 3, 5, 0)), INFINITY),
    "inf in table": (
        [1.0, 2.0] * np.array([[1.0], [inf]]),
        INFINITY.replace("#3", "#1").replace("step 5", "step 0"),
    ),
    "all NaN in array": (with_value(nan, 3), UNOBSERVED),
    "all NaN in list": (list(with_value(nan, 3)), UNOBSERVED),
    "all NaN in table": (np.array([[1.0, 2.0], [nan, nan]]), UNOBSERVED.replace("#3", "#1")),
    "all NaN in panel": (panel(INDEX, x=[1, 2, nan]), UNOBSERVED.replace("#3", "#1")),
    "empty list": ([], "X holds no sequences; expected at least 1."),
    "empty object array": (
        np.array([], dtype=object),
        "X holds no sequences; expected at least 1.",
    ),
    "zero-length member": (
        [steps(2), np.ones((0, 3))],
        "sequence #1 has 0 time steps; expected at least 1: leave it out.",
    ),
    "member without features": (
        [np.ones((3, 0))],
        "sequence #0 has 0 features; expected at least 1.",
    ),
    "differing feature count": (
        [steps(2, 6), steps(3, 6), steps(2, 6), steps(2, 4)],
        "sequence #3 has 4 features, expected 6 as in sequence #0.",
    ),
    "features as rows": (
        [steps(6, 2), steps(6, 3)],
        "sequence #1 has 3 features, expected 2 as in sequence #0; the rows of each are time "
        "steps: pass x.T if they are features.",
    ),
    "one channel among several": (
        [steps(2, 6), [1.0, 2.0]],
        "sequence #1 has 1 features, expected 6 as in sequence #0.",
    ),
    "differing columns": (
        [steps(1, 2), pd.DataFrame([[1, 2]], columns=["a", "b"]), pd.DataFrame([[1, 2]])],
        "sequence #2 has columns [0, 1], expected ['a', 'b'] as in sequence #1.",
    ),
    "3-D member": (
        [steps(2), np.ones((2, 3, 1))],
        f"sequence #1 has shape (2, 3, 1); expected {MEMBER_FORMS}.",
    ),
    "list of numbers": (
        [1.0, 2.0, 3.0],
        f"sequence #0 is a single number; expected {MEMBER_FORMS}: pass a single sequence as [X].",
    ),
    "5-D": (
        np.ones((2, 1, 1, 1, 3)),
        f"X has 5 dimensions, shape (2, 1, 1, 1, 3); expected {FORMS}.",
    ),
    "0-D": (
        np.array(1.0),
        f"Expected 2D array, got scalar array instead: X should be {FORMS}.",
    ),
    "no samples": (
        np.ones((0, 3)),
        "Found array with 0 sample(s) (shape=(0, 3)) while a minimum of 1 is required.",
    ),
    "no columns": (
        np.ones((15, 0)),
        "Found array with 0 feature(s) (shape=(15, 0)) while a minimum of 1 is required.",
    ),
    "no time steps": (
        np.ones((2, 0, 3)),
        "Found array with 0 time step(s) (shape=(2, 0, 3)) while a minimum of 1 is required.",
    ),
    "no variables": (
        np.ones((2, 3, 0, 1)),
        "Found array with 0 variable(s) (shape=(2, 3, 0, 1)) while a minimum of 1 is required.",
    ),
    "empty panel": (
        panel(INDEX, x=[1, 2, 3]).iloc[:0],
        "Found array with 0 sample(s) (shape=(0, 1)) while a minimum of 1 is required.",
    ),
    "complex": (
        np.ones((2, 3), dtype=complex),
        "Complex data not supported: X has dtype complex128; expected real numbers.",
    ),
    "complex member": (
        [torch.ones(2, 3, dtype=torch.complex64)],
        "Complex data not supported: sequence #0 has dtype complex64; expected real numbers.",
    ),
    "text array": (
        np.array([["1", "2"]]),
        "X has dtype <U1; expected real numbers: convert it first.",
    ),
    "text in a member": (
        [steps(1), ["1.0", "b"]],
        "sequence #1 has dtype <U3; expected real numbers: convert it first.",
    ),
    "dates": (
        np.array([["2024-01-01"]], dtype="M8[D]"),
        "X has dtype datetime64[D]; expected real numbers: convert it first.",
    ),
    "column of durations": (
        [pd.DataFrame({"a": [1.0], "b": np.array([1], dtype="m8[s]")})],
        "column 'b' of sequence #0 has dtype timedelta64[s]; expected real numbers: "
        "convert it first.",
    ),
    "column of dates": (
        [pd.DataFrame({"time": np.array(["2024-01-01"], dtype="M8[s]"), "a": [1.0]})],
        "column 'time' of sequence #0 has dtype datetime64[s]; expected real numbers: make it the "
        "index first.",
    ),
    "text in an object array": (
        object_table("a"),
        "X cannot be read as numbers: could not convert string to float: 'a'; leave text out, or "
        "encode it as numbers.",
    ),
    "column of text": (
        pd.DataFrame({"a": [1.0], "b": ["c"]}),
        "column 'b' of X cannot be read as numbers: could not convert string to float: 'c'; if it "
        "holds times, make it the index by pd.to_datetime, else leave it out or encode it as "
        "numbers.",
    ),
    "three-level index": (
        panel([("a", 1), ("a", 2)], x=[1, 2]).set_index("x", append=True),
        "the index of X has 3 levels; expected 2: sequence id and time.",
    ),
    "missing sequence id": (
        panel([("a", 1), (None, 1)], x=[1, 2]),
        "the sequence id of row 1 of X is missing; expected one.",
    ),
    "panel out of order": (
        panel([("b", 1), ("a", 3), ("a", 2)], x=[1, 2, 3]),
        "the times of sequence a in X do not increase: 2 follows 3; call X.sort_index() first.",
    ),
    "frame of a list out of order": (
        [steps(2, 1), pd.Series([1.0, 2.0], index=pd.to_timedelta([5, 4], unit="s"))],
        "the times of sequence #1 of X do not increase: 0 days 00:00:04 follows 0 days 00:00:05; "
        "call sort_index() first.",
    ),
    "frame of a list with a time twice": (
        [pd.DataFrame(steps(2), index=pd.period_range("2024", periods=1, freq="Y").repeat(2))],
        "sequence #0 of X has time 2024 twice; expected it once.",
    ),
    "panel with scattered sequence": (
        panel([("a", 1), (7, 1), ("a", 2), (7, 2)], x=[1, 2, 3, 4]),
        "the rows of sequence a in X are not contiguous; call X.sort_index() first.",
    ),
    "panel with duplicate times": (
        panel([("a", 1), (7, 4), (7, 4)], x=[1, 2, 3]),
        "sequence 7 in X has time 4 twice; expected it once.",
    ),
}

TYPE_ERRORS = {
    "text": ("abc", f"X is of type str; expected {FORMS}."),
    "None": (None, f"X is of type NoneType; expected {FORMS}."),
    "set": ({1.0}, f"X is of type set; expected {FORMS}."),
    "text member": (
        [steps(2), "abc"],
        f"sequence #1 is of type str; expected {MEMBER_FORMS}.",
    ),
    "missing member": (
        [None],
        f"sequence #0 is of type NoneType; expected {MEMBER_FORMS}.",
    ),
    "dict member": (
        [{"a": 1}],
        f"sequence #0 is of type dict; expected {MEMBER_FORMS}.",
    ),
    "generator member": (
        [(x for x in [1.0])],
        f"sequence #0 is of type generator; expected {MEMBER_FORMS}.",
    ),
    "generator": (
        (x for x in [steps(2)]),
        "X is of type generator, which can be read only once; pass list(X).",
    ),
    "iterator": (
        iter([steps(2)]),
        "X is of type list_iterator, which can be read only once; pass list(X).",
    ),
    "sparse matrix": (
        scipy.sparse.csr_matrix(steps(2)),
        "X is sparse (csr_matrix), but dense data is required; convert it with .toarray() or "
        ".to_dense().",
    ),
    "sparse member": (
        [steps(2), scipy.sparse.coo_array(steps(2))],
        "sequence #1 is sparse (coo_array), but dense data is required; convert it with "
        ".toarray() or .to_dense().",
    ),
    "sparse tensor": (
        torch.ones(2, 3).to_sparse(),
        "X is sparse (Tensor), but dense data is required; convert it with .toarray() or "
        ".to_dense().",
    ),
    "dict": ({"a": steps(2)}, "X is of type dict; pass the sequences in it, list(X.values())."),
    "a whole data set": (
        Bunch(data=[steps(2)]),
        "X is of type Bunch; pass the sequences in it, X.data.",
    ),
    "packed sequences": (
        torch.nn.utils.rnn.pack_sequence([torch.ones(2, 3)]),
        "X is of type PackedSequence; pass torch.nn.utils.rnn.unpack_sequence(X).",
    ),
    "dict in an object array": (
        object_table({"foo": "bar"}),
        "X cannot be read as numbers: float() argument must be a string or a real number, "
        "not 'dict'",
    ),
}


@pytest.mark.parametrize(("X", "sentence"), VALUE_ERRORS.values(), ids=VALUE_ERRORS)
def test_wrong_values_are_refused(X, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        read_sequences(X)


@pytest.mark.parametrize(("X", "sentence"), TYPE_ERRORS.values(), ids=TYPE_ERRORS)
def test_wrong_types_are_refused(X, sentence):
    with pytest.raises(TypeError, match=exactly(sentence)):
        read_sequences(X)


@pytest.mark.parametrize(
    ("X", "beginning"),
    [
        ([[[1, 2], [3]]], "sequence #0 cannot be read as numbers: setting an array element with"),
        ([np.asmatrix(steps(2))], "sequence #0 cannot be read as numbers: np.matrix is not"),
    ],
    ids=["rows of unequal length", "matrix"],
)
def test_the_words_of_numpy_and_scikit_learn_follow_the_place(X, beginning):
    with pytest.raises((ValueError, TypeError), match="^" + re.escape(beginning)):
        read_sequences(X)


@pytest.mark.parametrize("to_1d", [np.asarray, torch.tensor, pd.Series])
def test_one_dimensional_numbers_are_refused(to_1d):
    sentence = (
        "Expected 2D array, got 1D array instead: X has shape (3,); pass a single sequence as [X], "
        "and one long series as a single column to SlidingWindowDetector. Reshape your data with "
        "X.reshape(1, -1) if it is one row of a table."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read_sequences(to_1d([1.0, 2.0, 3.0]))


# ---------------------------------------------------------------------- agreeing with the estimator


class Detector(BaseEstimator):
    """As much of an estimator as `check_sequences` sees."""

    def fit(self, X, min_sequences=1):
        sequences, _ = check_sequences(self, X, min_sequences=min_sequences)
        self.n_channels_ = sequences.n_features
        return self

    def predict(self, X):
        return check_sequences(self, X, n_channels=self.n_channels_)


FRAME = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "b"])
PANEL = panel(INDEX, a=[1.0, 2.0, 3.0], b=[4.0, 5.0, 6.0])


@pytest.mark.parametrize(
    ("X", "n_features_in"),
    [
        ([steps(4, 3), steps(2, 3)], 3),
        ([[1.0, 2.0], [3.0]], 1),
        ([np.ones(2), np.ones(2)], 1),
        ([[[1.0], [2.0]], [[3.0], [4.0]]], 1),
        (np.ones((2, 5)).tolist(), 5),
        (np.ones((2, 5, 3)), 3),
        (np.ones((2, 5, 3, 4)), 12),
        (np.ones((2, 5)), 5),
        (torch.ones(2, 5), 5),
        (FRAME, 2),
        (PANEL, 2),
        ([FRAME], 2),
    ],
)
def test_fit_counts_channels_or_columns_of_a_table(X, n_features_in):
    assert n_features_in == Detector().fit(X).n_features_in_


@pytest.mark.parametrize("X", [FRAME, PANEL, [FRAME, FRAME[:1]]], ids=["table", "panel", "list"])
def test_fit_keeps_feature_names(X):
    assert Detector().fit(X).feature_names_in_.tolist() == ["a", "b"]


def test_fit_forgets_stale_feature_names():
    detector = Detector().fit(PANEL).fit(np.ones((2, 5, 3)))
    assert not hasattr(detector, "feature_names_in_")
    assert detector.n_features_in_ == 3


@pytest.mark.parametrize(
    ("X", "min_sequences"),
    [([[1.0, inf]], 1), ([PANEL.to_numpy()], 2), (FRAME.set_axis(["a", 1], axis=1), 1)],
    ids=["infinity", "too few", "names of mixed types"],
)
def test_refusal_leaves_the_estimator_as_it_was(X, min_sequences):
    detector = Detector().fit(PANEL)
    before = dict(vars(detector))
    with pytest.raises((ValueError, TypeError)):
        detector.fit(X, min_sequences=min_sequences)
    assert before == vars(detector)


def test_too_few_sequences_are_refused():
    sentence = (
        "Found n_samples=1 sequence(s) in X while a minimum of 2 is required by Detector; for one "
        "long series, or a few, use SlidingWindowDetector."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        Detector().fit([steps(4)], min_sequences=2)


def frame_of(names, n_rows=20):
    return pd.DataFrame(np.ones((n_rows, len(names))), columns=names)


@pytest.mark.parametrize(
    ("X", "n_steps", "remedy"),
    [
        (np.ones((50, 3)), "3 steps", "list(X)"),
        (np.ones((2, 1)), "1 step", "list(X)"),
        (np.ones((500, 38)), "38 steps", "list(X)"),
        (np.ones((2000, 12)), "12 steps", "list(X)"),
        (pd.DataFrame(np.ones((50, 3))), "3 steps", "list(X.to_numpy())"),
        (frame_of(["cpu0", "cpu1", "t0"]), "3 steps", "list(X.to_numpy())"),
        (frame_of(["t0", "temperature"], n_rows=4), "2 steps", "list(X.to_numpy())"),
    ],
    ids=["short rows", "one column", "38 columns", "12 columns", "frame", "cpu0", "temperature"],
)
def test_fit_on_what_may_be_rows_of_features_warns_unless_the_rows_are_listed(X, n_steps, remedy):
    sentences = (
        f"Each row of X is read as a sequence of {n_steps} of one feature. If the rows are time "
        "steps of one series, use SlidingWindowDetector, or pass [X] to LSTMForecastDetector; if "
        f"this is meant, pass {remedy} to silence this."
    )
    with pytest.warns(UserWarning, match=exactly(sentences)):
        Detector().fit(X)
    assert Detector().fit(eval(remedy, {"X": X})).n_channels_ == 1


@pytest.mark.parametrize(
    "shape",
    [(49, 3), (1, 1), (100, 13), (100, 50), (500, 140), (1000, 140), (5000, 140), (100, 3, 1)],
)
def test_fit_on_what_is_meant_as_sequences_does_not_warn(shape):
    assert Detector().fit(np.ones(shape)).n_channels_ == 1


@pytest.mark.parametrize(
    "names",
    [
        [0, 1],
        [0.5, 1.0],
        ["0", "1"],
        ["t0", "t1"],
        ["step 0", "Hour_1"],
        ["a", "b"],
        list(pd.date_range("2024-01-01", periods=2)),
        ["2024-01-01T00:00", "2024-01-02T00:00"],
    ],
)
def test_fit_on_a_table_whose_columns_are_called_as_times_does_not_warn(names):
    assert Detector().fit(frame_of(names)).n_channels_ == 1


def test_check_returns_what_was_read():
    sequences, restore = Detector().fit(np.ones((2, 5, 2))).predict([[[1.0, 2.0]]])
    assert contents(sequences) == [[[1.0, 2.0]]]
    assert [part.tolist() for part in restore(sequences.values)] == [[[1.0, 2.0]]]


@pytest.mark.parametrize(
    "X", [[steps(4, 3)], steps(8, 3).reshape(2, 4, 3), steps(8, 3).reshape(2, 4, 3, 1)]
)
def test_differing_number_of_channels_is_refused(X):
    sentence = "X has 3 features, but Detector is expecting 5 features as input."
    with pytest.raises(ValueError, match=exactly(sentence)):
        Detector().fit([steps(4, 5)]).predict(X)


def test_differing_number_of_columns_is_refused():
    detector = Detector().fit(np.ones((3, 4)))
    for n_columns in (1, 5):
        sentence = f"X has {n_columns} features, but Detector is expecting 4 features as input."
        with pytest.raises(ValueError, match=exactly(sentence)):
            detector.predict(np.ones((3, n_columns)))


def test_table_for_a_detector_of_several_channels_is_refused_with_a_hint():
    sentence = (
        "X has 1 features, but Detector is expecting 5 features as input; a 2-D X is read as "
        "one-channel rows, pass a single sequence as [X]."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        Detector().fit([steps(4, 5)]).predict(steps(4, 5))


@pytest.mark.parametrize("n_columns", [2, 7])
def test_one_channel_detector_takes_rows_of_any_length(n_columns):
    detector = Detector().fit([[1.0, 2.0], [3.0]])
    for X in (np.ones((3, n_columns)), np.ones((3, n_columns)).tolist()):
        assert len(detector.predict(X)[0]) == 3


@pytest.mark.parametrize(
    ("X", "remedy"),
    [(np.ones((200, 1)), "list(X)"), (frame_of(["load"]), "list(X.to_numpy())")],
    ids=["array", "frame"],
)
def test_one_channel_detector_warns_of_a_column_which_may_be_one_sequence(X, remedy):
    sentences = (
        "Each row of X is read as a sequence of 1 step of one feature. If X is one sequence, pass "
        f"[X]; if this is meant, pass {remedy} to silence this."
    )
    detector = Detector().fit([[1.0, 2.0], [3.0]])
    with pytest.warns(UserWarning, match=exactly(sentences)) as caught:
        detector.predict(X)
    assert len(caught) == 1
    assert len(detector.predict(eval(remedy, {"X": X}))[0]) == len(X)
    if isinstance(X, np.ndarray):
        assert len(detector.predict([X])[0]) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (500, 12), (200, 1, 1)])
def test_one_channel_detector_takes_tables_of_sequences_without_a_word(shape):
    detector = Detector().fit([[1.0, 2.0], [3.0]])
    assert len(detector.predict(np.ones(shape))[0]) == shape[0]


@pytest.mark.parametrize(
    "method",
    [
        "fit",
        "fit_predict",
        "fit_transform",
        "partial_fit",
        "recalibrate",
        "score_samples",
        "decision_function",
        "predict",
        "score",
        "transform",
        "reconstruct",
    ],
)
def test_warnings_of_what_rows_are_read_as_point_at_the_line_of_the_user(method):
    rng = np.random.default_rng(0)
    detector = LSTMAutoencoderDetector(hidden_size=4, tol=10.0, n_iter_no_change=2, random_state=0)
    detector.fit(rng.normal(size=(20, 8, 1)))
    with pytest.warns(UserWarning, match="Each row of X is read as") as caught:
        getattr(detector, method)(rng.normal(size=(60, 1)))
    assert {warning.filename for warning in caught} == {__file__}


def test_detector_fitted_on_a_table_takes_one_channel_sequences():
    detector = Detector().fit(np.ones((3, 4)))
    assert detector.predict([[1.0, 2.0], [3.0]])[0].lengths.tolist() == [2, 1]
    assert detector.predict([[1.0, 2.0, 3.0]])[0].lengths.tolist() == [3]


def test_detector_fitted_on_a_table_in_lists_refuses_one_of_other_columns():
    detector = Detector().fit(np.ones((3, 4)).tolist())
    assert len(detector.predict(np.ones((5, 4)))[0]) == 5
    sentence = "X has 3 features, but Detector is expecting 4 features as input."
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.predict(np.ones((4, 3)))


@pytest.mark.parametrize("X", [FRAME, PANEL, [FRAME]], ids=["table", "panel", "list"])
@pytest.mark.parametrize(
    ("rename", "reason"),
    [
        (lambda frame: frame[["b", "a"]], "Feature names must be in the same order as they were"),
        (
            lambda frame: frame.set_axis(["a", "c"], axis=1),
            "Feature names unseen at fit time:\n- c",
        ),
    ],
    ids=["reordered", "renamed"],
)
def test_other_feature_names_are_refused(X, rename, reason):
    other = [rename(X[0])] if isinstance(X, list) else rename(X)
    with pytest.raises(ValueError, match=re.escape(reason)):
        Detector().fit(X).predict(other)


@pytest.mark.parametrize(
    ("X", "unnamed"),
    [(FRAME, FRAME.to_numpy()), (PANEL, [PANEL.to_numpy()]), ([FRAME], [FRAME.to_numpy()])],
    ids=["table", "panel", "list"],
)
def test_missing_feature_names_warn(X, unnamed):
    with pytest.warns(UserWarning, match="X does not have valid feature names, but Detector was"):
        Detector().fit(X).predict(unnamed)
    with pytest.warns(UserWarning, match="X has feature names, but Detector was fitted without"):
        Detector().fit(unnamed).predict(X)


def test_names_of_time_steps_and_of_channels_are_not_compared():
    one_channel = [pd.DataFrame({"load": [1.0, 2.0]})]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Detector().fit(FRAME).predict(one_channel)
        Detector().fit(one_channel).predict(FRAME)


# -------------------------------------------------------------------------------------- long series


HOURS = pd.date_range("2024-01-01", periods=4, freq="h")


class SeriesDetector(BaseEstimator):
    """As much of an estimator as `check_series` and `check_rows` see."""

    def fit(self, X):
        self.series_, self.restore_ = check_series(self, X, reset=True)
        return self

    def predict(self, X):
        return check_series(self, X, reset=False)

    def push(self, X):
        return check_rows(self, X)[0]


def labels_of(X):
    ids, rows = label_rows(X, SeriesDetector().fit(X).series_)
    return ids, [list(labels) for labels in rows]


@pytest.mark.parametrize(
    "X",
    [
        steps(4),
        steps(4).tolist(),
        torch.tensor(steps(4)),
        pd.DataFrame(steps(4), columns=["a", "b", "c"]),
        pd.DataFrame(steps(4), columns=["a", "b", "c"], index=HOURS),
    ],
    ids=["array", "list of rows", "tensor", "frame", "frame with times"],
)
def test_rows_are_the_samples_of_a_single_series(X):
    detector = SeriesDetector().fit(X)
    assert contents(detector.series_) == [steps(4).tolist()]
    assert detector.n_features_in_ == 3
    assert detector.restore_(np.arange(4)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "as_member",
    [np.asarray, torch.tensor, pd.DataFrame, np.ndarray.tolist],
    ids=["arrays", "tensors", "frames", "lists"],
)
@pytest.mark.parametrize("as_list", [list, tuple], ids=["list", "tuple"])
def test_several_series_have_results_of_their_own(as_member, as_list):
    X = as_list([as_member(steps(4)), as_member(steps(2))])
    detector = SeriesDetector().fit(X)
    assert contents(detector.series_) == [steps(4).tolist(), steps(2).tolist()]
    restored = detector.restore_(np.arange(6))
    assert [part.tolist() for part in restored] == [[0, 1, 2, 3], [4, 5]]


def test_object_array_and_pandas_series_hold_series():
    X = np.empty(2, dtype=object)
    X[:] = [steps(4), steps(2)]
    assert contents(SeriesDetector().fit(X).series_) == [steps(4).tolist(), steps(2).tolist()]
    X = [pd.Series([1.0, 2.0], index=HOURS[:2]), pd.Series([3.0])]
    assert contents(SeriesDetector().fit(X).series_) == [[[1.0], [2.0]], [[3.0]]]


@pytest.mark.parametrize(
    "X",
    [
        [np.arange(3.0), np.arange(2.0)],
        [[0.0, 1.0, 2.0], [0.0, 1.0]],
        (torch.arange(3), torch.arange(2)),
        [np.arange(3.0), steps(2, 1)],
    ],
    ids=["arrays", "lists", "tensors", "one column"],
)
def test_one_dimensional_members_are_series_of_one_feature(X):
    expected = [[[0.0], [1.0], [2.0]], [[0.0], [1.0]]]
    assert contents(SeriesDetector().fit(X).series_) == expected


def test_arrays_of_equal_length_are_series_and_lists_are_rows():
    X = [np.arange(3.0), np.arange(3.0)]
    assert SeriesDetector().fit(X).series_.lengths.tolist() == [3, 3]
    assert SeriesDetector().fit([x.tolist() for x in X]).series_.lengths.tolist() == [2]


def test_panel_holds_series_and_is_answered_row_by_row():
    detector = SeriesDetector().fit(PANEL)
    assert contents(detector.series_) == contents(read_sequences(PANEL)[0])
    assert detector.restore_(np.arange(3)).tolist() == [0, 1, 2]
    assert detector.feature_names_in_.tolist() == ["a", "b"]


def test_missing_values_at_the_end_of_a_series_are_not_padding():
    X = steps(4)
    X[2:] = nan
    assert SeriesDetector().fit(X).series_.lengths.tolist() == [4]
    assert SeriesDetector().fit([X, X]).series_.lengths.tolist() == [4, 4]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_long_series_are_not_copied(tmp_path, dtype):
    X = np.memmap(tmp_path / "series", dtype=dtype, mode="w+", shape=(400_000, 4))
    X[:] = 1
    tracemalloc.start()
    values = SeriesDetector().fit(X).series_.values
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.shares_memory(values, X)
    assert values.dtype == dtype
    assert peak < X.nbytes
    frame = pd.DataFrame(np.asarray(X), copy=False)
    assert np.shares_memory(SeriesDetector().fit(frame).series_.values, frame.to_numpy())
    assert np.shares_memory(SeriesDetector().fit([X]).series_.values, X)


@pytest.mark.parametrize(
    ("X", "ids", "rows"),
    [
        (steps(3), [0], [[0, 1, 2]]),
        ([steps(2), steps(1)], [0, 1], [[0, 1], [0]]),
        (pd.DataFrame(steps(2), index=[5, 7]), [0], [[0, 1]]),
        (pd.DataFrame(steps(4), index=HOURS), [0], [list(HOURS)]),
        (
            pd.DataFrame(steps(2), index=pd.period_range("2024-01", periods=2, freq="M")),
            [0],
            [[pd.Period("2024-01"), pd.Period("2024-02")]],
        ),
        (
            [pd.DataFrame(steps(4), index=HOURS), pd.DataFrame(steps(1))],
            [0, 1],
            [list(HOURS), [0]],
        ),
        (PANEL, ["x", "y"], None),
    ],
    ids=["array", "list", "numbered frame", "times", "periods", "list of frames", "panel"],
)
def test_rows_are_called_by_their_times_or_numbers(X, ids, rows):
    if X is PANEL:
        ids = PANEL.index.get_level_values(0).unique().tolist()
        rows = [PANEL.loc[name].index.tolist() for name in ids]
    assert labels_of(X) == (ids, rows)


SERIES_ERRORS = {
    "1-D": (
        np.ones(3),
        "Expected 2D array, got 1D array instead: X has shape (3,); expected one series, an array "
        "or DataFrame (n_timesteps, n_features), or a list of series. Reshape your data with "
        "X.reshape(-1, 1) if it has a single feature.",
    ),
    "a pandas Series": (
        pd.Series([1.0, 2.0]),
        "Expected 2D array, got 1D array instead: X has shape (2,); expected one series, an array "
        "or DataFrame (n_timesteps, n_features), or a list of series. Reshape your data with "
        "X.to_frame() if it has a single feature.",
    ),
    "a polars Series": (
        polars.Series([1.0, 2.0]),
        "Expected 2D array, got 1D array instead: X has shape (2,); expected one series, an array "
        "or DataFrame (n_timesteps, n_features), or a list of series. Reshape your data with "
        "X.to_frame() if it has a single feature.",
    ),
    "3-D": (
        np.ones((2, 3, 4)),
        "X has 3 dimensions, shape (2, 3, 4); expected one series, an array or DataFrame "
        "(n_timesteps, n_features), or a list of series: pass list(X) for several series.",
    ),
    "no rows": (
        np.ones((0, 2)),
        "Found array with 0 sample(s) (shape=(0, 2)) while a minimum of 1 is required.",
    ),
    "no features": (
        np.ones((2, 0)),
        "Found array with 0 feature(s) (shape=(2, 0)) while a minimum of 1 is required.",
    ),
    "decreasing times": (
        pd.DataFrame(steps(4), index=HOURS[[0, 2, 1, 3]]),
        "the times of X do not increase: 2024-01-01 01:00:00 follows 2024-01-01 02:00:00; call "
        "sort_index() first.",
    ),
    "decreasing times of Python": (
        pd.DataFrame(
            steps(2), index=pd.Index([datetime(2024, 1, 2), datetime(2024, 1, 1)], dtype=object)
        ),
        "the times of X do not increase: 2024-01-01 00:00:00 follows 2024-01-02 00:00:00; call "
        "sort_index() first.",
    ),
    "a date twice": (
        pd.DataFrame(steps(2), index=[date(2024, 1, 1)] * 2),
        "X has time 2024-01-01 twice; expected it once.",
    ),
    "decreasing periods": (
        pd.DataFrame(steps(2), index=pd.period_range("2024-01", periods=2, freq="M")[::-1]),
        "the times of X do not increase: 2024-01 follows 2024-02; call sort_index() first.",
    ),
    "a time twice": (
        pd.DataFrame(steps(4), index=HOURS[[0, 1, 1, 3]]),
        "X has time 2024-01-01 01:00:00 twice; expected it once.",
    ),
    "a time of a later series twice": (
        [steps(2), pd.DataFrame(steps(2), index=HOURS[[1, 1]])],
        "series #1 of X has time 2024-01-01 01:00:00 twice; expected it once.",
    ),
    "differing columns": (
        [FRAME, FRAME.set_axis(["a", "c"], axis=1)],
        "series #1 has columns ['a', 'c'], expected ['a', 'b'] as in series #0.",
    ),
    "differing widths": (
        [steps(3, 2), steps(4, 4)],
        "series #1 has 4 features, expected 2 as in series #0.",
    ),
    "infinity": (
        [[1.0], [inf]],
        "series #0 holds infinity at step 1, feature 0; expected finite numbers, or NaN for a "
        "missing value.",
    ),
    "empty list": ([], "X holds no series; expected at least 1."),
    "a number among series": (
        [steps(2, 1), 1.0],
        f"series #1 is a single number; expected {MEMBER_FORMS}: pass a single series as [X].",
    ),
    "a series without rows": (
        [steps(2), np.ones((0, 3))],
        "series #1 has 0 time steps; expected at least 1: leave it out.",
    ),
    "decreasing row numbers": (
        pd.DataFrame(steps(3), index=[4, 7, 6]),
        "the row numbers of X do not increase: 6 follows 7; sort the rows by time, or call "
        "reset_index(drop=True) if they are.",
    ),
    "a row number twice, as if two series were one": (
        pd.concat([pd.DataFrame(steps(2)), pd.DataFrame(steps(3))]),
        "the row numbers of X do not increase: 0 follows 1; sort the rows by time, or call "
        "reset_index(drop=True) if they are.",
    ),
    "decreasing seconds of a later series": (
        [steps(2, 1), pd.Series([1.0, 2.0], index=[0.5, 0.25])],
        "the row numbers of series #1 of X do not increase: 0.25 follows 0.5; sort the rows by "
        "time, or call reset_index(drop=True) if they are.",
    ),
    "panel out of order": (
        panel([("b", 1), ("a", 3), ("a", 2)], x=[1, 2, 3]),
        "the times of series a in X do not increase: 2 follows 3; call X.sort_index() first.",
    ),
    "panel with duplicate times": (
        panel([("a", 1), (7, 4), (7, 4)], x=[1, 2, 3]),
        "series 7 in X has time 4 twice; expected it once.",
    ),
    "panel with scattered series": (
        panel([("a", 1), (7, 1), ("a", 2)], x=[1, 2, 3]),
        "the rows of series a in X are not contiguous; call X.sort_index() first.",
    ),
    "panel without a series id": (
        panel([("a", 1), (None, 1)], x=[1, 2]),
        "the series id of row 1 of X is missing; expected one.",
    ),
    "panel of three levels": (
        panel([("a", 1), ("a", 2)], x=[1, 2]).set_index("x", append=True),
        "the index of X has 3 levels; expected 2: series id and time.",
    ),
    "infinity in a panel": (
        panel(INDEX, x=[1, 2, inf]),
        "series #1 holds infinity at step 0, feature 0; expected finite numbers, or NaN for a "
        "missing value.",
    ),
    "text of a single series": (
        pd.DataFrame({"time": ["2024-01-01"], "load": [1.0]}),
        "column 'time' of X cannot be read as numbers: could not convert string to float: "
        "'2024-01-01'; if it holds times, make it the index by pd.to_datetime, else leave it out "
        "or encode it as numbers.",
    ),
    "text of a later series": (
        [pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": ["b"]})],
        "column 'a' of series #1 cannot be read as numbers: could not convert string to float: 'b'"
        "; if it holds times, make it the index by pd.to_datetime, else leave it out or encode it "
        "as numbers.",
    ),
    "times in a column": (
        pd.DataFrame({"time": HOURS, "load": 1.0}),
        f"column 'time' of X has dtype {HOURS.dtype}; expected real numbers: make it the index "
        "first.",
    ),
    "a frame without columns": (
        pd.DataFrame(index=range(2)),
        "Found array with 0 feature(s) (shape=(2, 0)) while a minimum of 1 is required.",
    ),
    "nothing observed": (
        np.full((3, 2), nan),
        "series #0 has no observed value; expected at least one that is not NaN: leave it out.",
    ),
}


@pytest.mark.parametrize(("X", "sentence"), SERIES_ERRORS.values(), ids=SERIES_ERRORS)
def test_wrong_series_are_refused(X, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        SeriesDetector().fit(X)


@pytest.mark.parametrize(
    "index",
    [range(7, 11), range(0, 8, 2), [3, 5, 6, 9], [0.1, 0.2, 0.3, 4.0], list("dbca"), HOURS],
    ids=["slice", "every other row", "some rows", "seconds", "text", "times"],
)
def test_rows_in_order_or_without_any_are_read(index):
    frame = pd.DataFrame(steps(4), index=index)
    for X in (frame, [frame], [frame.iloc[:, 0]]):
        assert SeriesDetector().fit(X).series_.lengths.tolist() == [4]
    assert SeriesDetector().fit(frame).push(frame).tolist() == steps(4).tolist()


def test_row_numbers_of_sequences_may_be_in_any_order():
    frame = pd.DataFrame(steps(3), index=[2, 2, 1])
    assert contents(read_sequences([frame])[0]) == [steps(3).tolist()]


def test_series_of_other_features_are_refused():
    sentence = "X has 2 features, but SeriesDetector is expecting 3 features as input."
    for X in (steps(4, 2), [steps(4, 2)]):
        with pytest.raises(ValueError, match=exactly(sentence)):
            SeriesDetector().fit(steps(4)).predict(X)


# --------------------------------------------------------------------------- rows of a live series


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (steps(2), steps(2)),
        (steps(1)[0], steps(1)),
        ([0, 1, 2], steps(1)),
        (torch.tensor(steps(2)), steps(2)),
        (steps(2).astype(np.float32), steps(2)),
        (np.full((1, 3), nan), np.full((1, 3), nan)),
        (np.ones((0, 3)), np.ones((0, 3))),
    ],
    ids=["rows", "row", "list", "tensor", "float32", "missing", "none"],
)
def test_rows_are_read_as_float64(X, expected):
    rows = SeriesDetector().fit(steps(4)).push(X)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, expected)


def test_rows_of_a_frame_keep_their_names():
    detector = SeriesDetector().fit(FRAME)
    assert detector.push(FRAME).tolist() == FRAME.to_numpy().tolist()
    assert detector.push(FRAME.iloc[1]).tolist() == [[3.0, 4.0]]
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        detector.push(FRAME.iloc[1][["b", "a"]])


ROW_ERRORS = {
    "wrong width": (
        np.ones((2, 3)),
        "X has 3 features, but SeriesDetector is expecting 2 features as input.",
    ),
    "wrong width of a row": (
        np.ones(3),
        "X has 3 features, but SeriesDetector is expecting 2 features as input; a 1-D X is one "
        "row, for rows of one feature reshape it to (-1, 1).",
    ),
    "3-D": (
        np.ones((1, 2, 2)),
        "X has shape (1, 2, 2); expected rows of a series, an array or DataFrame (n_timesteps, "
        "n_features) or (n_features,).",
    ),
    "scalar": (
        1.0,
        "X has shape (); expected rows of a series, an array or DataFrame (n_timesteps, "
        "n_features) or (n_features,).",
    ),
    "infinity": (
        [[1.0, 2.0], [1.0, inf]],
        "row 1 of X holds infinity in feature 1; expected finite numbers, or NaN for a missing "
        "value.",
    ),
    "decreasing times": (
        pd.DataFrame(np.ones((2, 2)), index=HOURS[[1, 0]]),
        "the times of X do not increase: 2024-01-01 00:00:00 follows 2024-01-01 01:00:00; call "
        "sort_index() first.",
    ),
    "decreasing row numbers": (
        pd.DataFrame(np.ones((2, 2)), index=[1, 0]),
        "the row numbers of X do not increase: 0 follows 1; sort the rows by time, or call "
        "reset_index(drop=True) if they are.",
    ),
}


@pytest.mark.parametrize(("X", "sentence"), ROW_ERRORS.values(), ids=ROW_ERRORS)
def test_wrong_rows_are_refused(X, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        SeriesDetector().fit(np.ones((4, 2))).push(X)


def test_a_frame_indexed_by_time_is_not_taken_for_a_table_of_sequences():
    frame = pd.DataFrame(np.ones((5, 2)), index=pd.date_range("2020", periods=5, freq="h"))
    message = (
        "X is a DataFrame indexed by time, whose rows would be read as sequences; use "
        "SlidingWindowDetector to judge the rows of one series, pass [X] if X is a single sequence"
        ", or X.reset_index(drop=True) if its rows are sequences."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_sequences(frame)
    assert len(read_sequences([frame])[0]) == 1
    assert len(read_sequences(frame.reset_index(drop=True))[0]) == 5
