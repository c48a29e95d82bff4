"""Values and lengths in files are read as the same sequences in memory are."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, exactly, fitted, make_ragged
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import cross_val_score
from sklearn.utils import Bunch

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
    StoredSequences,
    iterate_arrow,
    open_sequences,
    write_sequences,
)
from skl_lstmae.data.reading import read

X = [x.astype(np.float32) for x in make_ragged(40)]
GAPPY = [x.copy() for x in X]
for i, x in enumerate(GAPPY):
    x[i % len(x), i % 2] = np.nan


@pytest.fixture
def stored(tmp_path):
    return write_sequences(tmp_path / "X", iter(GAPPY))


# ------------------------------------------------------------------------------------------- files


def test_the_files_hold_all_rows_and_how_many_each_sequence_has(stored, tmp_path):
    folder = tmp_path / "X"
    assert sorted(file.name for file in folder.iterdir()) == ["lengths.npy", "values.npy"]
    assert_array_equal(np.load(folder / "values.npy"), np.concatenate(GAPPY), strict=True)
    assert np.load(folder / "lengths.npy").tolist() == list(map(len, GAPPY))
    assert isinstance(stored.values, np.memmap)
    assert repr(stored) == "StoredSequences(40 sequences of 2 features)"


def test_frames_keep_the_names_of_their_columns(tmp_path):
    frames = [pd.DataFrame(x, columns=["level", "flow"]) for x in X]
    stored = write_sequences(tmp_path, frames)
    assert json.loads((tmp_path / "names.json").read_text("utf-8")) == ["level", "flow"]
    detector = fitted(LSTMAutoencoderDetector(**QUICK), stored)
    assert detector.feature_names_in_.tolist() == ["level", "flow"]
    detector.predict(frames)
    with pytest.raises(ValueError, match="feature names should match"):
        detector.predict([frame[["flow", "level"]] for frame in frames])


@pytest.mark.parametrize(
    ("dtype", "expected"), [(None, np.float32), ("float64", np.float64), (np.float16, np.float16)]
)
def test_the_dtype_is_that_of_the_first_sequence_or_chosen(dtype, expected, tmp_path):
    stored = write_sequences(tmp_path, X, dtype=dtype)
    assert stored.values.dtype == expected
    rounded = [x.astype(expected).astype(np.float64) for x in X]
    assert_array_equal(read(stored)[0].values[:], np.concatenate(rounded))


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "sequences holds none; expected at least 1."),
        ([X[0], X[1][:, :1]], "sequence #1 has 1 features, expected 2 as in sequence #0."),
        (
            [X[0], X[1].astype(float)],
            "sequence #1 is of float64, but sequence #0 of float32, in which it would be less "
            "precise; pass dtype.",
        ),
        (
            [X[0], np.full((3, 2), np.inf, np.float32)],
            "sequence #1 holds infinity, or a number too large for float32; expected finite "
            "numbers, or NaN for a missing value.",
        ),
        (
            [X[0], np.full((3, 2), np.nan, np.float32)],
            "sequence #1 has no observed value; expected at least one: leave it out.",
        ),
        (
            [pd.DataFrame({"a": [1.0], "b": [2.0]}), pd.DataFrame({"b": [1.0], "a": [2.0]})],
            "sequence #1 has columns ['b', 'a'], expected ['a', 'b'] as in sequence #0.",
        ),
    ],
)
def test_what_cannot_be_written_leaves_no_files(sequences, message, tmp_path):
    with pytest.raises(ValueError, match=exactly(message)):
        write_sequences(tmp_path, sequences)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_and_half_a_file_is_not_opened(stored, tmp_path):
    folder = tmp_path / "X"
    with pytest.raises(FileExistsError, match=r"values.npy' exists; choose another folder"):
        write_sequences(folder, X)
    (folder / "lengths.npy").unlink()
    message = f"{str(folder)!r} holds no lengths.npy; expected a folder that write_sequences wrote "
    with pytest.raises(FileNotFoundError, match=exactly(f"{message}to its end.")):
        open_sequences(folder)


@pytest.mark.parametrize(
    ("values", "lengths", "names", "message"),
    [
        (X[0], [4, 3], (), f"the lengths of X add up to 7, but its values have {len(X[0])} rows; "),
        (X[0], [0, len(X[0])], (), "the lengths of X are array"),
        (X[0], [len(X[0]) + 0.0], (), "the lengths of X are array"),
        (X[0][:, 0], [len(X[0])], (), "the values of X have shape"),
        (X[0], [len(X[0])], ("a",), "X has 2 features, but 1 names of features; "),
    ],
)
def test_values_and_lengths_that_do_not_belong_together_are_refused(
    values, lengths, names, message
):
    with pytest.raises(ValueError, match=f"^{message}"):
        read(StoredSequences(values, lengths, names))


def test_infinity_in_a_file_is_refused_by_its_place(tmp_path):
    stored = write_sequences(tmp_path, X)
    values = np.load(tmp_path / "values.npy", mmap_mode="r+")
    values[len(X[0]) + 2, 1] = np.inf
    message = "sequence #1 holds infinity at step 2, feature 1; expected finite numbers, or NaN "
    with pytest.raises(ValueError, match=exactly(f"{message}for a missing value.")):
        read(stored)


# ------------------------------------------------------------------------------------ a few of them


def test_sequences_are_chosen_without_reading_them(stored):
    for chosen in slice(5, 9), [9, 3, 3], np.arange(40) % 7 == 0:
        part = stored[chosen]
        assert part.values is stored.values
        expected = [GAPPY[i] for i in np.arange(40)[chosen]]
        for one, other in zip(part, expected, strict=True):
            assert_array_equal(one, other)
        sequences, _ = read(part)
        for i, other in enumerate(expected):
            assert_array_equal(sequences[i], other)
    assert_array_equal(stored[-1], GAPPY[-1])
    with pytest.raises(IndexError):
        stored[40]


def test_a_pickle_holds_the_path_of_the_file_in_place_of_what_is_in_it(tmp_path):
    stored = write_sequences(tmp_path, [np.ones((50_000, 2))] * 2)
    pickled = pickle.dumps(stored[1:])
    assert len(pickled) < 2000
    (again,) = pickle.loads(pickled)
    assert isinstance(again, np.memmap)
    assert_array_equal(again, stored[1])
    in_memory = StoredSequences(np.ones((5, 2)), [2, 3])
    assert_array_equal(pickle.loads(pickle.dumps(in_memory))[1], np.ones((3, 2)))


# -------------------------------------------------------------------------------------- estimators


def in_forms(folder, sequences):
    """Return sequences in the forms that lie in files."""
    stored = write_sequences(folder, sequences)
    for i, x in enumerate(sequences):
        np.save(folder / f"{i}.npy", x)
    maps = [np.load(folder / f"{i}.npy", mmap_mode="r") for i in range(len(sequences))]
    return {"stored": stored, "maps": maps}


def learned(detector):
    weights = detector.module_.state_dict().values()
    return [*(w.numpy() for w in weights), *(vars(detector.scaler_).values())]


@pytest.mark.parametrize(
    ("kind", "is_large"), [(LSTMAutoencoderDetector, True), (LSTMForecastDetector, False)]
)
def test_a_detector_learns_and_returns_the_same_bit_for_bit(kind, is_large, tmp_path, monkeypatch):
    if is_large:  # more than is copied before a fit
        monkeypatch.setattr("skl_lstmae.data.weights.MAX_GATHERED", 0)
    detector = kind(**QUICK, early_stopping=True)
    expected = fitted(detector, GAPPY).score_samples(GAPPY)
    known = Bunch(offset=detector.offset_, learned=learned(detector), score=detector.score(GAPPY))
    errors = detector._view_errors(GAPPY, "timestep")
    for name, form in in_forms(tmp_path, GAPPY).items():
        fitted(detector, form)
        assert_array_equal(detector.score_samples(form), expected, err_msg=name)
        assert (detector.offset_, detector.score(form)) == (known.offset, known.score)
        for one, other in zip(learned(detector), known.learned, strict=True):
            assert_array_equal(one, other)
        for one, other in zip(detector._view_errors(form, "timestep"), errors, strict=True):
            assert_array_equal(one, other)
        assert_array_equal(detector.predict(form), np.where(expected < known.offset, -1, 1))


def test_weights_and_going_on_in_parts_are_the_same(tmp_path):
    weights = 1.0 + np.arange(40) % 2
    detector = LSTMAutoencoderDetector(**QUICK)
    fitted(detector, GAPPY, None, weights).partial_fit(GAPPY[:20])
    expected = detector.score_samples(GAPPY)
    for form in in_forms(tmp_path, GAPPY).values():
        fitted(detector, form, None, weights).partial_fit(form[:20])
        assert_array_equal(detector.score_samples(form), expected)


def test_predictors_learn_the_same(stored):
    labels = np.arange(40) % 2
    for predictor in LSTMClassifier(**QUICK), LSTMRegressor(**QUICK):
        expected = predictor.fit(GAPPY, labels).predict(GAPPY)
        assert_array_equal(predictor.fit(stored, labels).predict(stored), expected)


@pytest.mark.parametrize("inner", [LSTMAutoencoderDetector(**QUICK), IsolationForest()])
def test_long_series_in_files_are_judged_the_same(inner, tmp_path):
    series = make_ragged(3, 100, 150)
    if isinstance(inner, IsolationForest):
        inner.random_state = 0
    detector = SlidingWindowDetector(inner, window_size=20)
    expected = fitted(detector, series).score_samples(series)
    for form in in_forms(tmp_path, series).values():
        found = fitted(detector, form).score_samples(form)
        for one, other in zip(found, expected, strict=True):
            assert_array_equal(one, other)
        assert len(detector.find_events(form)) == len(detector.find_events(series))


def test_cross_validation_takes_parts_of_a_file(stored):
    detector = LSTMAutoencoderDetector(**QUICK)
    scores = cross_val_score(detector, stored, cv=2)
    assert_array_equal(scores, cross_val_score(detector, GAPPY, cv=2))


# ------------------------------------------------------------------------------- Parquet and Arrow


def table_of(sequences, pa):
    """Return sequences in long format."""
    names = np.repeat([f"pump {i}" for i in range(len(sequences))], list(map(len, sequences)))
    values = np.concatenate(sequences)
    times = np.concatenate([np.arange(len(x)) for x in sequences])
    return pa.table({"pump": names, "time": times, "flow": values[:, 0], "level": values[:, 1]})


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_long_format_is_read_from_files_a_few_rows_at_a_time(suffix, tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file, table = tmp_path / f"pumps{suffix}", table_of(X, pa)
    if suffix == ".parquet":
        parquet.write_table(table, file, row_group_size=50)
    else:
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=50)
    for source in file, str(file), [file], table:
        tables = list(iterate_arrow(source, sequence_id="pump", time="time"))
        assert [t.column_names for t in tables] == [["flow", "level"]] * 40
        for one, other in zip(tables, X, strict=True):
            assert_array_equal(np.column_stack([one["flow"], one["level"]]), other)
    stored = write_sequences(tmp_path / "X", iterate_arrow(file, sequence_id="pump", time="time"))
    assert stored.feature_names == ("flow", "level")
    assert_array_equal(stored.values, np.concatenate(X), strict=True)


def test_rows_of_lists_are_sequences():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"flow": [[1.0, 2.0], [3.0]], "level": [[4, None], [6]], "note": ["", ""]})
    first, second = iterate_arrow(table, columns=["flow", "level"])
    assert (first.to_pydict(), second.to_pydict()) == (
        {"flow": [1.0, 2.0], "level": [4, None]},
        {"flow": [3.0], "level": [6]},
    )
    with pytest.raises(ValueError, match=r"^row 0 has no list in column 'note'; expected the"):
        next(iterate_arrow(table))
    table = pa.table({"flow": [[1.0, 2.0]], "level": [[4]]})
    with pytest.raises(ValueError, match=r"^row 0 has 1 steps in column 'level', but 2 in 'flow';"):
        next(iterate_arrow(table))


@pytest.mark.parametrize(
    ("names", "times", "message"),
    [
        (["a", "b", "a"], [0, 1, 2], "the rows of sequence 'a' are not contiguous; sort them by"),
        (["a", None, "b"], [0, 1, 2], "column 'pump' has a row without a value; expected one"),
        (["a", "a", "b"], [1, 1, 0], "the times of sequence 'a' do not increase: 1 follows 1; "),
    ],
)
def test_rows_out_of_order_are_refused(names, times, message):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"pump": names, "time": times, "flow": [0.5, 1.5, 2.5]})
    with pytest.raises(ValueError, match=f"^{message}"):
        list(iterate_arrow(table, sequence_id="pump", time="time"))


def test_without_pyarrow_one_sentence_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.dataset", None)
    message = "iterate_arrow needs pyarrow; pip install pyarrow."
    with pytest.raises(ImportError, match=exactly(message)):
        next(iterate_arrow("pumps.parquet"))
