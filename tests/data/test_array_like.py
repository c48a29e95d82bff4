"""One array-like: which numbers it is read as, and what is no numbers."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars
import pytest
import scipy.sparse
import torch
from conftest import exactly

from skl_lstmae.data.array_like import to_floats

nan = np.nan


TENSOR_TYPES = [torch.float16, torch.bfloat16, torch.bool, torch.int32]


class WithArrayInterface:
    def __array__(self, dtype=None, copy=None):
        return np.array([1, 0], dtype=dtype)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        *((np.array([1, 0], dtype=dtype), np.dtype(dtype)) for dtype in "fd"),
        *((np.array([1, 0], dtype=dtype), float) for dtype in ["f2", "i1", "i8", "u1", bool, "O"]),
        (torch.tensor([1.0, 0.0], requires_grad=True), np.float32),
        *((torch.tensor([1, 0], dtype=dtype), float) for dtype in TENSOR_TYPES),
        ([1, 0], float),
        (WithArrayInterface(), float),
        (pd.Series([1, 0], dtype="boolean"), float),
    ],
)
def test_float32_and_float64_stay_and_other_numbers_become_float64(X, expected):
    floats = to_floats(X, "X", "an array")
    np.testing.assert_array_equal(floats, np.array([1, 0], dtype=expected), strict=True)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.ma.MaskedArray([1, 2, 3], mask=[0, 1, 0]), [1.0, nan, 3.0]),
        (np.ma.MaskedArray(np.float32([1, 2]), mask=[0, 1]), np.float32([1, nan])),
        (pd.Series([1, None, 0], dtype="boolean"), [1.0, nan, 0.0]),
        (pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [2.0, 3.0]}), [[1, 2.0], [nan, 3]]),
    ],
    ids=["masked integers", "masked floats", "nullable series", "nullable column"],
)
def test_masked_and_missing_entries_are_nan(X, expected):
    floats = to_floats(X, "X", "an array")
    np.testing.assert_array_equal(floats, np.array(expected), strict=True)


def entry(value):
    """Return an array of objects, of which one is no number."""
    X = np.ones((2, 2), dtype=object)
    X[0, 0] = value
    return X


DAY = np.array(["2024-01-01"], dtype="M8[s]")

NO_NUMBERS = {
    "X has dtype <U1; expected real numbers: convert it first.": ["1", "2"],
    "X has dtype datetime64[s]; expected real numbers: convert it first.": DAY,
    "X is a structured array of fields 'a', 'b'; expected a plain one: make it a DataFrame by "
    "pd.DataFrame, or call numpy.lib.recfunctions.structured_to_unstructured.": (
        np.zeros(3, dtype=[("a", float), ("b", float)])
    ),
    "column 'b' of X has dtype timedelta64[s]; expected real numbers: convert it first.": (
        pd.DataFrame({"a": [1.0], "b": DAY - DAY})
    ),
    "column 'b' of X has dtype datetime64[s]; expected real numbers: make it the index first.": (
        pd.DataFrame({"a": [1.0], "b": DAY})
    ),
    "Complex data not supported: X has dtype complex64; expected real numbers.": (
        torch.ones(2, dtype=torch.complex64)
    ),
    "X cannot be read as numbers: could not convert string to float: 'a'; leave text out, or "
    "encode it as numbers.": entry("a"),
    "column 'b' of X cannot be read as numbers: could not convert string to float: 'c'; if it "
    "holds times, make it the index by pd.to_datetime, else leave it out or encode it as "
    "numbers.": pd.DataFrame({"a": [1.0], "b": ["c"]}),
    "column 'b' of X cannot be read as numbers: could not convert string to float: '-59,86'; if "
    "the comma is a decimal one, read the data with decimal=',', or replace it.": pd.DataFrame(
        {"a": [1.0], "b": ["-59,86"]}
    ),
}


@pytest.mark.parametrize(("sentence", "X"), NO_NUMBERS.items())
def test_values_that_are_no_real_numbers_are_refused(sentence, X):
    with pytest.raises(ValueError, match=exactly(sentence)):
        to_floats(X, "X", "an array")


TEXT = np.array([["1.5", "2"], ["3", "4"]])
FRAME = pd.DataFrame(TEXT, columns=["a", "b"])


@pytest.mark.parametrize(
    ("X", "place"),
    [
        (TEXT.astype(object), "X"),
        (entry(b"1.5"), "X"),
        (np.ma.MaskedArray(TEXT.astype(object), mask=[[0, 1], [0, 0]]), "X"),
        *((FRAME["a"].astype(dtype), "X") for dtype in (object, "string", "category")),
        *(
            (FRAME.astype({"a": dtype, "b": float}), "column 'a' of X")
            for dtype in (object, "string", "category")
        ),
        (pd.DataFrame({"a": [2, "1.5"]}), "column 'a' of X"),
        (polars.DataFrame({"a": ["1.5"]}, {"a": polars.Categorical}), "column 'a' of X"),
    ],
)
def test_text_that_spells_numbers_is_refused_wherever_it_stands(X, place):
    sentence = f"^{place} holds text, b?'1.5'; expected real numbers: convert it first\\.$"
    with pytest.raises(ValueError, match=sentence):
        to_floats(X, "X", "an array")


@pytest.mark.parametrize("number", [Decimal("1.5"), Fraction(3, 2), 1.5, np.float32(1.5)], ids=type)
def test_columns_of_objects_may_hold_numbers_of_any_type(number):
    X = np.array([[number, None], [nan, 2]], dtype=object)
    for container in (np.array, pd.DataFrame):
        floats = to_floats(container(X), "X", "an array")
        np.testing.assert_array_equal(floats, [[1.5, nan], [nan, 2]])


@pytest.mark.parametrize("X", ["abc", None, {1.0}, {"a": 1}, (x for x in [1.0])], ids=type)
def test_what_is_no_array_is_refused(X):
    sentence = f"X is of type {type(X).__name__}; expected an array."
    with pytest.raises(TypeError, match=exactly(sentence)):
        to_floats(X, "X", "an array")


@pytest.mark.parametrize(
    "X",
    [scipy.sparse.csr_matrix([[1]]), scipy.sparse.coo_array([[1]]), torch.ones(2, 3).to_sparse()],
    ids=type,
)
def test_sparse_data_are_refused(X):
    sentence = (
        f"X is sparse ({type(X).__name__}), but dense data is required; convert it with "
        ".toarray() or .to_dense()."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        to_floats(X, "X", "an array")


@pytest.mark.parametrize(
    ("X", "error", "words"),
    [
        ([[1, 2], [3]], ValueError, "setting an array element with a sequence"),
        (np.asmatrix([[1.0]]), TypeError, "np.matrix is not supported"),
        (entry({"a": 1}), TypeError, "float() argument must be a string or a real number"),
    ],
    ids=["rows of unequal length", "matrix", "dict"],
)
def test_the_words_of_numpy_and_scikit_learn_follow_the_place(X, error, words):
    with pytest.raises(error, match="^" + re.escape(f"X cannot be read as numbers: {words}")):
        to_floats(X, "X", "an array")
