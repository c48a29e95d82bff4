"""Columns of frames that are not read, each named with its remedy."""

import re
from datetime import time

import numpy as np
import pandas as pd
import polars
import pytest
from conftest import exactly

from skl_lstmae.data.reading import read, read_series

ROWS = [[1.0, 2.0], [3.0, 4.0]]


def test_columns_of_one_name_are_refused():
    pyarrow = pytest.importorskip("pyarrow")
    frame = pyarrow.table([pyarrow.array(row) for row in ROWS], names=["a", "a"])
    with pytest.raises(ValueError, match=re.escape("X has 2 columns 'a'; expected one")):
        read_series(frame)


@pytest.mark.parametrize("name", ["a", 0, ("p", "x")])
@pytest.mark.parametrize(
    ("read", "wrap", "place"),
    [
        (read, lambda frame: frame, "X"),
        (read_series, lambda frame: frame, "X"),
        (read, lambda frame: [frame], "sequence #0"),
        (read, lambda frame: pd.concat({1: frame}), "X"),
    ],
)
def test_columns_of_one_name_are_refused_in_frames_of_pandas(read, wrap, place, name):
    frame = pd.DataFrame(ROWS)
    frame.columns = pd.Index([name, name], tupleize_cols=False)
    sentence = (
        f"{place} has 2 columns {name!r}; expected one of each name: rename them, or leave all but "
        "one out."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(wrap(frame))


@pytest.mark.parametrize("fill_value", [np.nan, 0.0])
def test_sparse_columns_are_refused_and_read_as_the_remedy_says(fill_value):
    frame = pd.DataFrame(ROWS, columns=["a", "b"])
    frame["b"] = pd.arrays.SparseArray(frame["b"], fill_value=fill_value)
    sentence = (
        "column 'b' of X is sparse, but dense data is required; convert it with .astype(float)."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        read_series(frame)
    np.testing.assert_array_equal(read_series(frame.astype(float))[0].values, ROWS)


def frame_of(package, column):
    if package == "pyarrow":
        return pytest.importorskip("pyarrow").table({"a": [1.0, 2.0], "b": column})
    return {"pandas": pd, "polars": polars}[package].DataFrame({"a": [1.0, 2.0], "b": column})


FIELDS = [{"x": 1.0, "y": 2.0}, {"x": 3.0, "y": 4.0}]
HOW = {"pandas": "", "polars": ", by unnest('b')", "pyarrow": ", by flatten()"}


@pytest.mark.parametrize("package", HOW)
@pytest.mark.parametrize(
    ("read", "wrap", "place"),
    [(read_series, lambda frame: frame, "X"), (read, lambda frame: [frame], "sequence #0")],
)
def test_cells_of_several_fields_are_refused_with_the_call_that_parts_them(
    package, read, wrap, place
):
    sentence = (
        f"column 'b' of {place} holds several fields in each cell; expected a number: make a "
        f"column of each field{HOW[package]}."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(wrap(frame_of(package, FIELDS)))


NESTED = {
    "lists": lambda package: frame_of(package, [[1.0, 2.0, 3.0], [4.0, 5.0]]),
    "arrays of polars": lambda package: polars.DataFrame(
        {"a": ROWS, "b": ROWS}, schema=dict.fromkeys("ab", polars.Array(polars.Float64, 2))
    ),
    "series of sktime": lambda package: pd.DataFrame({"b": [pd.Series(row) for row in ROWS]}),
}


@pytest.mark.parametrize(
    ("cells", "package"),
    [
        *(("lists", package) for package in HOW),
        ("arrays of polars", "polars"),
        ("series of sktime", "pandas"),
    ],
)
def test_cells_that_hold_sequences_are_refused_with_the_call_that_makes_a_list(cells, package):
    frame = NESTED[cells](package)
    rows = {"pandas": "X.to_numpy()", "polars": "X.rows()"}.get(package, "X.to_pandas().to_numpy()")
    name = "a" if cells == "arrays of polars" else "b"
    sentence = (
        f"column '{name}' of X holds a sequence in each cell; expected a number: if each row is "
        f"one sequence, pass [np.column_stack(list(x)) for x in {rows}], else make a column of "
        "each number."
    )
    for read_it in (read, read_series):
        with pytest.raises(ValueError, match=exactly(sentence)):
            read_it(frame)
    if cells != "lists":  # there, b alone is one
        rows = frame.rows() if package == "polars" else frame.to_numpy()
        assert read([np.column_stack(list(x)) for x in rows])[0].lengths.tolist() == [2, 2]


@pytest.mark.parametrize("package", HOW)
def test_times_of_the_day_are_met_with_a_remedy(package):
    with pytest.raises(TypeError, match=r"^column 'b' of X cannot .*; if it holds times, .*\.$"):
        read_series(frame_of(package, [time(1), time(2)]))
