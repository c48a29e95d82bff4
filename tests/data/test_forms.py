"""The forms of `X`: each is read into one ragged table, and results go back into it."""

import tracemalloc
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pytest
import torch
from conftest import exactly
from sklearn.utils import Bunch

from skl_lstmae.data.reading import read, read_rows, read_series

nan, inf = np.nan, np.inf

ONCE = "expected it once: keep one row of each, as by X[~X.index.duplicated()]."

HOURS = pd.date_range("2024-01-01", periods=4, freq="h")
MONTHS = pd.period_range("2024-01", periods=2, freq="M")


def steps(n_timesteps, n_features=3):
    return np.arange(float(n_timesteps * n_features)).reshape(n_timesteps, -1)


def panel(*index, **columns):
    names = ["sequence", "time"]
    columns = columns or {"x": steps(len(index), 1).ravel()}
    return pd.DataFrame(columns, index=pd.MultiIndex.from_tuples(index, names=names))


def objects(members):
    X = np.empty(len(members), dtype=object)
    X[:] = members
    return X


def plain(X):
    """Turn frames and arrays, one or a list, into what compares by type, names and NaN."""
    if isinstance(X, list):
        return [plain(x) for x in X]
    return type(X), pd.DataFrame(X).to_dict("split") if hasattr(X, "iloc") else X


def assert_same(actual, expected):
    np.testing.assert_equal(plain(actual), plain(expected))


def contents(sequences):
    return [sequence.tolist() for sequence in sequences]


# ---------------------------------------------------------------------------------------- sequences

SQUARE = np.array([[1.0, 2.0, nan], [nan, nan, 5.0]])
TABLE = pd.DataFrame(SQUARE, index=["a", "b"], columns=["t0", "t1", "t2"])
CUBE = np.array([[[1.0, 2], [3, nan], [nan, nan]], [[nan, nan], [nan, nan], [4, 5]]])
FRAMES = [
    pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, nan]}, index=[10, 20]),
    pd.DataFrame({"a": [nan], "b": [6.0]}, index=["late"]),
]
PANEL = panel(("b", 1), ("b", 3), ("a", 2), x=[1.0, nan, 3.0], y=[4.0, nan, 6.0])
LOADS = [pd.Series([1.0, 2.0], index=[7, 8], name="load"), pd.Series([nan, 3.0])]
NUMBERED = np.array([[0, 1, nan], [2, 3, 4]])

SEQUENCES = {
    "2-D array": (SQUARE, [[[1], [2]], [[nan], [nan], [5]]], NUMBERED),
    "2-D frame": (
        TABLE,
        [[[1], [2]], [[nan], [nan], [5]]],
        pd.DataFrame(NUMBERED, TABLE.index, TABLE.columns),
    ),
    "3-D array": (CUBE, [CUBE[0, :2].tolist(), CUBE[1].tolist()], NUMBERED),
    "3-D array of one feature": (CUBE[..., :1], [[[1], [3]], [[nan], [nan], [4]]], NUMBERED),
    "4-D array": (
        np.stack([CUBE, -CUBE], axis=2),
        [[[1, 2, -1, -2], [3, nan, -3, nan]], np.concatenate([CUBE[1], -CUBE[1]], 1).tolist()],
        NUMBERED,
    ),
    "panel, in order of appearance": (
        PANEL,
        [[[1, 4], [nan, nan]], [[3, 6]]],
        pd.Series(range(3), index=PANEL.index),
    ),
    "list of frames": (
        FRAMES,
        [[[1, 3], [2, nan]], [[nan, 6]]],
        [pd.Series([0, 1], index=[10, 20]), pd.Series([2], index=["late"])],
    ),
    "list of Series": (
        LOADS,
        [[[1], [2]], [[nan], [3]]],
        [pd.Series([0, 1], index=[7, 8], name="load"), pd.Series([2, 3])],
    ),
    "list of one column and of one dimension": (
        [steps(3, 1), np.array([1.0, nan])],
        [[[0], [1], [2]], [[1], [nan]]],
        [np.arange(3), np.arange(3, 5)],
    ),
}


@pytest.mark.parametrize(("X", "expected", "numbered"), SEQUENCES.values(), ids=SEQUENCES)
def test_sequences_are_read_and_results_put_back(X, expected, numbered):
    sequences, form = read(X)
    np.testing.assert_equal(contents(sequences), expected)
    assert_same(form.restore(np.concatenate(list(sequences))), X)
    assert_same(form.restore(np.arange(sequences.lengths.sum())), numbered)


@pytest.mark.parametrize("container", [list, tuple, objects])
@pytest.mark.parametrize(
    "to_member", [np.asarray, np.asfortranarray, torch.tensor, np.ndarray.tolist, pd.DataFrame]
)
@pytest.mark.parametrize("members", [[steps(3, 2), steps(1, 2)], [np.ones(2), np.zeros(2)]])
def test_members_of_a_list_are_sequences(container, to_member, members):
    sequences, form = read(container([to_member(member) for member in members]))
    assert contents(sequences) == [member.reshape(len(member), -1).tolist() for member in members]
    is_frame = to_member is pd.DataFrame
    restored = [pd.DataFrame(member) if is_frame else member for member in members]
    assert_same(form.restore(sequences.values), restored)


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 2), (2, 3, 2, 1)])
def test_a_tensor_is_read_where_it_lies_and_comes_back_as_an_array(shape):
    X = torch.arange(12.0, requires_grad=True).reshape(shape)
    sequences, form = read(X)
    assert np.shares_memory(sequences.values, X.detach().numpy())
    assert_same(form.restore(sequences.values), X.detach().numpy())


def test_a_list_of_float32_and_float64_is_read_as_float64():
    assert read([np.float32([1, 2]), np.float64([3])])[0].values.dtype == np.float64


def test_times_may_have_a_zone_and_a_panel_periods():
    zoned = pd.date_range("2024-01-01", periods=2, tz="Europe/Paris")
    for times in (zoned, MONTHS):
        X = panel(*[(name, time) for name in "ba" for time in times])
        assert contents(read(X)[0]) == [[[0], [1]], [[2], [3]]]


def test_row_numbers_of_a_sequence_may_be_in_any_order():
    assert len(read([pd.DataFrame(steps(3), index=[2, 2, 1])])[0]) == 1


# ------------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("read", "wrap", "shape"),
    [
        *((read, np.asarray, shape) for shape in [(4, 6), (4, 3, 2), (2, 3, 2, 2)]),
        *((read, lambda recording: [recording], shape) for shape in [(50, 3), (50,)]),
        (read_series, np.asarray, (50, 3)),
        (read_series, lambda series: [series], (50, 3)),
        (read_series, lambda series: pd.DataFrame(series, copy=False), (50, 3)),
    ],
)
def test_what_lies_in_one_piece_is_not_copied(read, wrap, shape, dtype, tmp_path):
    X = np.memmap(tmp_path / "X", mode="w+", shape=shape, dtype=dtype)
    X[:] = 1
    values = read(wrap(X))[0].values[:]
    assert (values.dtype, values.size, np.shares_memory(values, X)) == (dtype, X.size, True)


@pytest.mark.parametrize(
    ("read", "shape"),
    [
        *((read, shape) for shape in [(16_000, 1000), (2000, 500, 16), (10, 100, 16_000)]),
        (read, (1, 1_000_000, 4, 4)),
        (read_series, (1_000_000, 16)),
    ],
)
def test_reading_64_megabytes_takes_less_than_5(read, shape):
    X = np.ones(shape, dtype=np.float32)
    X[0, -1] = nan
    tracemalloc.start()
    try:
        read(X)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5e6 < X.nbytes / 12


def test_infinity_and_padding_are_found_past_the_first_block():
    X = np.ones((3, 100_000), dtype=np.float32)
    X[1, 70_000:] = nan
    assert read(X)[0].lengths.tolist() == [100_000, 70_000, 100_000]
    X[2, 99_999] = -inf
    with pytest.raises(ValueError, match=r"^sequence #2 holds infinity at step 99999, feature 0;"):
        read(X)


# ------------------------------------------------------------------------------------------- series

TIMED = [pd.DataFrame(steps(4), index=HOURS), pd.DataFrame(steps(2), index=MONTHS)]
RAGGED = [steps(4), steps(2)]
PANEL_OF_ONE = pd.concat({"pump": TIMED[0]})


@pytest.mark.parametrize(
    "X", [steps(4), steps(4).tolist(), torch.tensor(steps(4)), TIMED[0], PANEL_OF_ONE]
)
def test_a_single_series_and_a_panel_are_answered_row_by_row(X):
    series, form = read_series(X)
    assert contents(series) == [steps(4).tolist()]
    assert_same(form.per_row(np.arange(4)), np.arange(4))


@pytest.mark.parametrize("wrap", [list, tuple, objects])
@pytest.mark.parametrize(
    "members",
    [RAGGED, list(map(torch.tensor, RAGGED)), [rows.tolist() for rows in RAGGED], TIMED],
    ids=["arrays", "tensors", "lists", "frames"],
)
def test_several_series_have_answers_of_their_own(wrap, members):
    series, form = read_series(wrap(members))
    assert contents(series) == [rows.tolist() for rows in RAGGED]
    assert_same(form.per_row(np.arange(6)), [np.arange(4), np.arange(4, 6)])


@pytest.mark.parametrize(
    "X",
    [
        [np.arange(2.0), np.arange(1.0)],
        [[0.0, 1.0], [0.0]],
        (torch.arange(2), torch.arange(1)),
        [pd.Series([0.0, 1.0], index=HOURS[:2]), pd.Series([0.0])],
        [steps(2, 1), np.arange(1.0)],
    ],
    ids=["arrays", "lists", "tensors", "pandas", "one column"],
)
def test_one_dimensional_members_are_series_of_one_feature(X):
    assert contents(read_series(X)[0]) == [[[0.0], [1.0]], [[0.0]]]


def test_arrays_of_one_length_are_series_and_lists_are_rows():
    assert read_series([np.arange(3.0), np.arange(3.0)])[0].lengths.tolist() == [3, 3]
    assert read_series([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])[0].lengths.tolist() == [2]


def test_missing_values_at_the_end_of_a_series_are_no_padding():
    assert [read_series(X)[0].lengths.tolist() for X in (CUBE[0], [CUBE[0]])] == [[3], [3]]


@pytest.mark.parametrize(
    ("X", "ids", "rows"),
    [
        (steps(3), [0], [[0, 1, 2]]),
        (RAGGED, [0, 1], [[0, 1, 2, 3], [0, 1]]),
        (pd.DataFrame(steps(2), index=[5, 7]), [0], [[5, 7]]),
        (pd.DataFrame(steps(2), index=["b", "a"]), [0], [[0, 1]]),
        (TIMED[0], [0], [list(HOURS)]),
        ([*TIMED, pd.DataFrame(steps(1))], [0, 1, 2], [list(HOURS), list(MONTHS), [0]]),
        (PANEL, ["b", "a"], [[1, 3], [2]]),
    ],
    ids=["array", "list", "numbered", "no order", "times", "list of frames", "panel"],
)
def test_rows_are_called_by_their_times_or_numbers(X, ids, rows):
    names, labels = read_series(X)[1].row_labels()
    assert (names, list(map(list, labels))) == (ids, rows)


@pytest.mark.parametrize(
    "index",
    [range(7, 11), range(0, 8, 2), [3, 5, 6, 9], [0.1, 0.2, 0.3, 4.0], list("dbca")],
    ids=["slice", "every other row", "some rows", "seconds", "text"],
)
def test_rows_of_series_may_be_numbered_upward_or_called_anything(index):
    frame = pd.DataFrame(steps(4), index=index)
    for X in (frame, [frame], [frame[0]]):
        assert read_series(X)[0].lengths.tolist() == [4]


# ----------------------------------------------------------------------------------------- refusals

FORMS = "a list of (n_timesteps, n_features) arrays, or one array or DataFrame of 2 to 4 dimensions"
SERIES_FORMS = "one series, an array or DataFrame (n_timesteps, n_features), or a list of series"
MEMBER_FORMS = "an array of shape (n_timesteps,) or (n_timesteps, n_features)"
NAMED, UNNAMED = pd.DataFrame([[1, 2]], columns=["a", "b"]), pd.DataFrame([[1, 2]])
PACKED = torch.nn.utils.rnn.pack_sequence([torch.ones(2, 3)])


def as_panel(cube):
    return pd.concat({i: pd.DataFrame(sequence) for i, sequence in enumerate(cube)})


@pytest.mark.parametrize(
    ("read", "wrap", "place", "step"),
    [
        *((read, wrap, "sequence #2", "step 0, feature 1") for wrap in (np.asarray, list)),
        (read, as_panel, "sequence 2", "time 0, feature 1"),
        (read_series, list, "series #2", "step 0, feature 1"),
        (read_series, as_panel, "series 2", "time 0, feature 1"),
        (read_series, lambda cube: cube[2], "series #0", "step 0, feature 1"),
    ],
)
def test_infinity_and_nothing_but_missing_values_are_refused(read, wrap, place, step):
    reasons = {
        inf: f"holds infinity at {step}; expected finite numbers, or NaN for a missing value.",
        nan: "has no observed value; expected at least one that is not NaN: leave it out.",
    }
    cube = np.ones((3, 4, 2))
    for value, reason in reasons.items():
        cube[2] = [nan, value]
        if read is read_series and np.isnan(value):  # all sensors of a series may be silent
            assert np.isnan(read(wrap(cube))[0].values).any()
            continue
        with pytest.raises(ValueError, match=exactly(f"{place} {reason}")):
            read(wrap(cube))


def pump(column="b", row=1):
    frame = pd.DataFrame({"a": np.ones(4), "b": np.ones(4)}, index=HOURS)
    frame.iloc[row, frame.columns.get_loc(column)] = inf
    return frame


INFINITE = {
    "series": (read_series, pump(), "series #0 holds infinity at time 2024-01-01 01:00:00"),
    "list": (read, [pump(row=3)], "sequence #0 holds infinity at time 2024-01-01 03:00:00"),
    "panel": (
        read_series,
        pd.concat({"pump": pump()}),
        "series pump holds infinity at time 2024-01-01 01:00:00",
    ),
    "polars": (
        read_series,
        polars.DataFrame(pump().to_dict("list")),
        "series #0 holds infinity at step 1",
    ),
    "numbered rows": (
        read,
        [pump().reset_index(drop=True)],
        "sequence #0 holds infinity at step 1",
    ),
}


@pytest.mark.parametrize(("read", "X", "place"), INFINITE.values(), ids=INFINITE)
def test_infinity_is_found_by_names_and_times(read, X, place):
    end = ", feature 'b'; expected finite numbers, or NaN for a missing value."
    with pytest.raises(ValueError, match=exactly(place + end)):
        read(X)


def test_infinity_in_a_table_is_found_by_the_name_of_its_step():
    X = pd.DataFrame([[1.0, 2.0], [inf, 3.0]], columns=["t0", "t1"])
    with pytest.raises(ValueError, match=r"^sequence #1 holds infinity at step t0, feature 0;"):
        read(X)


@pytest.mark.parametrize(
    "times",
    [
        HOURS,
        MONTHS,
        pd.to_timedelta([4, 5], unit="s"),
        pd.Index([datetime(2024, 1, 1), datetime(2024, 1, 2)], dtype=object),
        pd.Index([date(2024, 1, 1), date(2024, 1, 2)], dtype=object),
    ],
    ids=["timestamps", "periods", "durations", "times of Python", "dates of Python"],
)
@pytest.mark.parametrize(
    ("read", "wrap", "place"),
    [
        (read, lambda frame: [steps(2), frame], "sequence #1 of X"),
        (read_series, lambda frame: [steps(2), frame], "series #1 of X"),
        (read_series, lambda frame: frame, "X"),
    ],
    ids=["list of sequences", "list of series", "series"],
)
def test_times_that_do_not_increase_are_refused(read, wrap, place, times):
    falling = f"the times of {place} do not increase: {times[0]} follows {times[1]}; call "
    with pytest.raises(ValueError, match=exactly(f"{falling}sort_index() first.")):
        read(wrap(pd.DataFrame(steps(2), index=times[[1, 0]])))
    with pytest.raises(ValueError, match=exactly(f"{place} has time {times[0]} twice; {ONCE}")):
        read(wrap(pd.DataFrame(steps(2), index=times[[0, 0]])))


OF_SERIES = "jumps in time count and events have times"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("2024-01-01 00:00:00", "2024-01-01 01:00:00"),
        ("2024-01-01T00:00Z", "2024-01-01T01:00Z"),
        ("01/31/2024", "02/01/2024"),
        ("31.1.24", "1.2.24"),
        ("00:15", "00:30"),
        ("2024-01", "2024-02"),
    ],
)
@pytest.mark.parametrize(
    ("read", "wrap", "place", "purpose"),
    [
        (read, lambda frame: [frame], "sequence #0 of X", "their order is checked"),
        (read_series, lambda frame: [frame], "series #0 of X", OF_SERIES),
        (read_series, lambda frame: frame, "X", OF_SERIES),
        (read, lambda frame: pd.concat({1: frame}), "X", "their order is checked"),
    ],
)
def test_times_as_text_are_warned_of(read, wrap, place, purpose, first, then):
    frame = pd.DataFrame(steps(2), index=sorted([first, then]))
    sentence = (
        f"the index of {place} holds times as text, such as {frame.index[0]!r}, which are not read "
        f"as times; convert them with pd.to_datetime, so that {purpose}."
    )
    with pytest.warns(UserWarning, match=exactly(sentence)) as caught:
        read(wrap(frame) * 3 if isinstance(wrap(frame), list) else wrap(frame))
    assert len(caught) == 1


@pytest.mark.parametrize(
    "index", [["a", "b"], ["7", "8"], ["3.1", "3.2"], ["2024-x", "pump 1-1-1"]]
)
def test_other_text_as_index_is_read_in_silence(index):
    assert len(read_series(pd.DataFrame(steps(2), index=index))[0].values) == 2


@pytest.mark.parametrize("wrap", [lambda frame: frame, lambda frame: [frame]])
def test_missing_times_and_row_numbers_of_series_are_refused(wrap):
    place = "X" if wrap(0) == 0 else "series #0 of X"
    frame = pd.DataFrame(steps(2), index=[pd.NaT, HOURS[1]])
    sentence = f"{place} has a row without a time (NaT); expected a time for each: leave it out."
    for index in (frame.index, frame.index.astype(object)):
        with pytest.raises(ValueError, match=exactly(sentence)):
            read_series(wrap(frame.set_axis(index)))
    sentence = (
        f"{place} has a row without a number (NaN) in its index; expected one for each: leave the "
        "row out, or call reset_index(drop=True)."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read_series(wrap(frame.set_axis([1.0, nan])))


@pytest.mark.parametrize(
    ("X", "found"),
    [
        (pd.DataFrame(steps(3), index=[4, 7, 6]), "X do not increase: 6 follows 7"),
        (pd.concat([pd.DataFrame(steps(2))] * 2), "X do not increase: 0 follows 1"),
        (
            [steps(2, 1), pd.Series([1.0, 2.0], index=[0.5, 0.25])],
            "series #1 of X do not increase: 0.25 follows 0.5",
        ),
    ],
    ids=["decreasing", "twice, as if two series were one", "decreasing seconds"],
)
def test_row_numbers_of_series_that_do_not_increase_are_refused(X, found):
    remedy = "sort the rows by time, or call reset_index(drop=True) if they are."
    with pytest.raises(ValueError, match=exactly(f"the row numbers of {found}; {remedy}")):
        read_series(X)


NO_TEXT = (
    "expected numbers or times in their order: convert them by pd.to_numeric or pd.to_datetime, "
    "then call X.sort_index()."
)

MISREAD = {
    "{0} #1 has 0 time steps; expected at least 1: leave it out.": [steps(2), np.ones((0, 3))],
    "{0} #0 has 0 features; expected at least 1.": [np.ones((3, 0))],
    "{0} #1 has 1 features, expected 6 as in {0} #0.": [steps(2, 6), [1.0, 2.0]],
    "{0} #1 has 3 features, expected 2 as in {0} #0"
    "; the rows of each are time steps: pass x.T if they are features.": [steps(6, 2), steps(6, 3)],
    "{0} #2 has columns [0, 1], expected ['a', 'b'] as in {0} #1.": [steps(1, 2), NAMED, UNNAMED],
    f"{{0}} #1 has shape (2, 3, 1); expected {MEMBER_FORMS}.": [steps(2), np.ones((2, 3, 1))],
    f"{{0}} #1 is a single number; expected {MEMBER_FORMS}: pass a single {{0}} as [X].": [
        steps(2),
        1.0,
    ],
    "the index of X has 3 levels; expected 2, {0} id and time: leave out by X.droplevel what is "
    "neither, or join what makes up the id to one level.": pd.concat({1: PANEL}),
    "the {0} id of row 1 of X is missing; expected one.": panel(("a", 1), (None, 1)),
    "the time of row 1 of X is missing; expected one: leave it out.": panel(("a", 1), ("a", None)),
    "the times of {0} a in X do not increase: 2 follows 3; call X.sort_index() first.": panel(
        ("b", 1), ("a", 3), ("a", 2)
    ),
    "the rows of {0} a in X are not contiguous, as it comes back at row 2; expected one stretch of "
    "rows for each id: if it is another {0}, give it an id of its own; if rows were drawn at "
    "random, draw ids instead; if they are mixed up, call X.sort_index() first.": panel(
        ("a", 1), (7, 1), ("a", 2)
    ),
    "{0} 7 in X has time 4 twice; expected it once: if the id is that of two, give each its own, "
    "else keep one row of each time, as by X[~X.index.duplicated()].": panel(
        ("a", 1), (7, 4), (7, 4)
    ),
    "the times of {0} a in X are text, and do not increase: '10' follows '9'; " + NO_TEXT: panel(
        *(("a", str(i)) for i in range(11))
    ),
    "the times of {0} b in X are text, and do not increase: '2' follows '10'; " + NO_TEXT: panel(
        ("a", "1"), ("b", "1"), ("b", "10"), ("b", "2")
    ),
}


@pytest.mark.parametrize(("sentence", "X"), MISREAD.items())
@pytest.mark.parametrize(("read", "kind"), [(read, "sequence"), (read_series, "series")])
def test_what_a_list_or_a_panel_may_not_hold_is_refused(read, kind, X, sentence):
    with pytest.raises(ValueError, match=exactly(sentence.format(kind))):
        read(X)


@pytest.mark.parametrize("X", [[], (), objects([])], ids=type)
@pytest.mark.parametrize(("read", "plural"), [(read, "sequences"), (read_series, "series")])
def test_an_empty_list_is_refused(read, plural, X):
    with pytest.raises(ValueError, match=exactly(f"X holds no {plural}; expected at least 1.")):
        read(X)


@pytest.mark.parametrize(
    ("read", "X", "axis"),
    [
        (read, np.ones((0, 3)), "sample"),
        (read, np.ones((15, 0)), "feature"),
        (read, np.ones((2, 0, 3)), "time step"),
        (read, np.ones((2, 3, 0, 1)), "variable"),
        (read, panel(("a", 1)).iloc[:0], "sample"),
        (read_series, np.ones((0, 2)), "sample"),
        (read_series, pd.DataFrame(index=range(2)), "feature"),
    ],
)
def test_arrays_without_anything_along_an_axis_are_refused(read, X, axis):
    sentence = f"Found array with 0 {axis}(s) (shape={X.shape}) while a minimum of 1 is required."
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(X)


@pytest.mark.parametrize("to_1d", [np.asarray, torch.tensor, pd.Series, polars.Series])
def test_numbers_in_a_row_are_refused_with_a_remedy(to_1d):
    X = to_1d([1.0, 2.0])
    call = "X.to_frame()" if hasattr(X, "to_frame") else "X.reshape(-1, 1)"
    of_sequences = (
        "pass a single sequence as [X], and one long series as a single column to "
        "SlidingWindowDetector. Reshape your data with X.reshape(1, -1) if it is one row of a "
        "table."
    )
    of_series = (
        f"expected {SERIES_FORMS}. Reshape your data with {call} if it has a single feature."
    )
    for read_it, remedy in ((read, of_sequences), (read_series, of_series)):
        sentence = f"Expected 2D array, got 1D array instead: X has shape (2,); {remedy}"
        with pytest.raises(ValueError, match=exactly(sentence)):
            read_it(X)


def test_other_numbers_of_dimensions_are_refused():
    of_series = f"{SERIES_FORMS}: pass list(X) for several series"
    for read_it, n, expected in ((read, 5, FORMS), (read_series, 3, of_series)):
        sentence = f"X has {n} dimensions, shape {(1,) * n}; expected {expected}."
        with pytest.raises(ValueError, match=exactly(sentence)):
            read_it(np.ones((1,) * n))
    sentence = f"Expected 2D array, got scalar array instead: X should be {FORMS}."
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(np.array(1.0))


FILE = (
    ", '{0}'; a file is not opened by itself: pass open_sequences('{0}') for what write_sequences "
    "wrote, np.load('{0}', mmap_mode='r') for an array, or what pandas reads of it."
)


@pytest.mark.parametrize(
    ("read", "X", "place", "remedy"),
    [
        (read, None, "X", f"; expected {FORMS}."),
        (read_series, None, "X", f"; expected {SERIES_FORMS}."),
        (read, [steps(2), None], "sequence #1", f"; expected {MEMBER_FORMS}."),
        (read_series, [steps(2), None], "series #1", f"; expected {MEMBER_FORMS}."),
        (read, "folder", "X", FILE.format("folder")),
        (read_series, Path("a/b.npy"), "X", FILE.format("a/b.npy")),
        (read, [steps(2), "x.csv"], "sequence #1 of X", FILE.format("x.csv")),
        (
            read,
            (x for x in []),
            "X",
            ", which can be read only once; pass list(X), or what write_sequences writes of it if "
            "that is larger than memory.",
        ),
        (read, {"a": steps(2)}, "X", "; pass the sequences in it, list(X.values())."),
        (
            read_series,
            {"a": [1.0, 2.0]},
            "X",
            "; pass the sequences in it, list(X.values()), or pd.DataFrame(X) if it holds columns.",
        ),
        (
            read_rows,
            {"a": 1.0, "b": 2},
            "X",
            "; pass pd.Series(X) for a row of a stream, or pd.DataFrame of a list of such rows.",
        ),
        (read, Bunch(data=[]), "X", "; pass the sequences in it, X.data."),
        (read, PACKED, "X", "; pass torch.nn.utils.rnn.unpack_sequence(X)."),
    ],
)
def test_what_holds_no_sequences_is_refused(read, X, place, remedy):
    name = type(X if place == "X" else X[1]).__name__
    with pytest.raises(TypeError, match=exactly(f"{place} is of type {name}{remedy}")):
        read(X)


@pytest.mark.parametrize("read", [read, read_series, read_rows])
def test_rows_that_are_dicts_are_refused(read):
    with pytest.raises(
        TypeError, match=exactly("X holds rows of type dict; pass pd.DataFrame(X).")
    ):
        read([{"a": 1.0}, {"a": 2.0}])


def test_a_frame_indexed_by_time_is_not_taken_for_a_table_of_sequences():
    frame = pd.DataFrame(steps(4), index=HOURS)
    sentence = (
        "X is a DataFrame indexed by time, whose rows would be read as sequences; use "
        "SlidingWindowDetector to judge the rows of one series, pass [X] if X is a single sequence"
        ", or X.reset_index(drop=True) if its rows are sequences."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(frame)
    assert [len(read(X)[0]) for X in ([frame], frame.reset_index(drop=True))] == [1, 4]
