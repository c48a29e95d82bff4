"""From anomalous rows to events: intervals, their peak, and the features to blame."""

import builtins

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, fitted, make_series
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.data.forms import read_series
from skl_lstmae.data.windows import slide
from skl_lstmae.detectors.events import Event, feature_shares, main_features

COLUMNS = ["series", "start", "end", "n_rows", "peak", "peak_score", "features"]
VALUES = np.array([[0.0], [1], [3], [0], [2], [0], [0], [0], [1], [1]])


class MinusValue(IsolationForest):
    """A row is as normal as minus the number in it."""

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -X[:, 0]


@pytest.fixture(scope="module")
def detector():
    """Rows of 1 or more are anomalous."""
    detector = SlidingWindowDetector(MinusValue(), window_size=1).fit(np.zeros((50, 1)))
    detector.offset_ = -0.5
    return detector


def rows_of(events, columns=COLUMNS):
    """Return the rows of a frame as tuples."""
    return list(events[columns].itertuples(index=False, name=None))


# --------------------------------------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("marks", "parameters", "expected"),
    [
        ("......", {}, []),
        ("######", {}, [(0, 0, 5)]),
        ("#....#", {}, [(0, 0, 0), (0, 5, 5)]),
        (".##.#..#...#.", {"max_gap": 1}, [(0, 1, 4), (0, 7, 7), (0, 11, 11)]),
        (".##.#..#...#.", {"max_gap": 2}, [(0, 1, 7), (0, 11, 11)]),
        ("#..###..##", {"min_length": 2}, [(0, 3, 5), (0, 8, 9)]),
        ("#..###..##", {"min_length": 3}, [(0, 3, 5)]),
        ("#.#.......#", {"max_gap": 1, "min_length": 3}, [(0, 0, 2)]),
        ("..## ##.. #", {}, [(0, 2, 3), (1, 0, 1), (2, 0, 0)]),
        ("..#. #.#. .", {"max_gap": 5}, [(0, 2, 2), (1, 0, 2)]),
    ],
)
def test_anomalous_rows_become_intervals_within_their_series(detector, marks, parameters, expected):
    X = [np.array([[mark == "#"] for mark in series], dtype=float) for series in marks.split()]
    events = detector.find_events(X, **parameters)
    assert rows_of(events, ["series", "start", "end"]) == expected
    assert list(events.columns) == COLUMNS


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(0, 4), st.integers(1, 5))
@settings(deadline=None, max_examples=50)
def test_events_hold_what_predict_calls_anomalous_and_short_gaps(
    detector, values, max_gap, min_length
):
    X = np.array(values, dtype=float)[:, np.newaxis]
    is_anomalous = detector.predict(X) == -1
    events = detector.find_events(X, max_gap=max_gap)
    starts, ends = events["start"].to_numpy(dtype=int), events["end"].to_numpy(dtype=int)
    covered = np.zeros(len(X), dtype=bool)
    for start, end in zip(starts, ends, strict=True):
        covered[start : end + 1] = True
    assert is_anomalous[[*starts, *ends]].all()
    assert covered[is_anomalous].all()
    assert (starts[1:] - ends[:-1] > max_gap + 1).all()
    long_ones = detector.find_events(X, max_gap=max_gap, min_length=min_length)
    assert rows_of(long_ones) == rows_of(events[events["n_rows"] >= min_length])


@pytest.mark.parametrize("parameters", [{"max_gap": -1}, {"min_length": 0}, {"max_gap": 0.5}])
def test_wrong_parameters_are_refused(detector, parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of .*find_events must be an int"):
        detector.find_events(VALUES, **parameters)


# ---------------------------------------------------------------------------------------- the table


def test_events_tell_their_rows_and_their_peak(detector):
    assert rows_of(detector.find_events(VALUES)) == [
        (0, 1, 2, 2, 2, -3.0, None),
        (0, 4, 4, 1, 4, -2.0, None),
        (0, 8, 9, 2, 8, -1.0, None),
    ]


def test_events_of_a_panel_are_called_by_its_ids_and_times(detector):
    panel = pd.concat({"pump": pd.DataFrame(VALUES[:4]), "fan": pd.DataFrame(VALUES[4:])})
    events = detector.find_events(panel)
    assert rows_of(events, ["series", "start", "end", "peak"]) == [
        ("pump", 1, 2, 2),
        ("fan", 0, 0, 0),
        ("fan", 4, 5, 4),
    ]


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=10, freq="30min", tz="Europe/Paris"),
        pd.timedelta_range(0, periods=10, freq="s"),
        pd.period_range("2024-01-01", periods=10, freq="D"),
    ],
    ids=["times", "durations", "periods"],
)
def test_start_end_and_peak_are_times_if_the_index_has_them(detector, index):
    frame = pd.DataFrame(VALUES, index=index)
    events = detector.find_events(frame)
    for column, rows in {"start": [1, 4, 8], "end": [2, 4, 9], "peak": [2, 4, 8]}.items():
        assert events[column].tolist() == index[rows].tolist()
        assert events[column].dtype == index.dtype
    assert len(frame.loc[events["start"][0] : events["end"][0]]) == events["n_rows"][0]


def test_without_pandas_events_are_named_tuples(detector, monkeypatch):
    import_module = builtins.__import__

    def import_all_but_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError
        return import_module(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", import_all_but_pandas)
    events = detector.find_events(VALUES, max_gap=1)
    assert events == [
        Event(series=0, start=1, end=4, n_rows=4, peak=2, peak_score=-3.0, features=None),
        Event(series=0, start=8, end=9, n_rows=2, peak=8, peak_score=-1.0, features=None),
    ]
    assert [type(field) for field in events[0]] == [*[int] * 5, float, type(None)]
    assert Event._fields == tuple(COLUMNS)


# --------------------------------------------------------------------------------------- features


def test_shares_are_those_of_the_errors_of_an_interval_in_all_windows_that_cover_it():
    windows = slide(read_series(np.zeros((40, 2)))[0], 3)
    errors = np.column_stack([np.arange(40.0), np.full(40, 2.0)])
    errors[[8, 20, 21]] = np.nan
    judged = []

    def errors_of(part):
        judged.extend(part.starts.tolist())
        return errors[part.rows()]

    shares = feature_shares(np.array([[3, 5], [8, 10], [20, 22]]), windows, errors_of)
    # Rows 3 and 4 are in three windows each: 3 + 4 to 2 + 2. Of rows 8 and 9 only 9 has errors.
    np.testing.assert_allclose(shares, [[7 / 11, 4 / 11], [9 / 11, 2 / 11], [0, 0]])
    assert judged == [*range(1, 5), *range(6, 10), *range(18, 22)]
    judged.clear()
    assert feature_shares(np.zeros((0, 2), dtype=int), windows, errors_of).shape == (0, 2)
    assert judged == []


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([0.1, 0.4, 0.2, 0.3], [("b", 0.4), ("d", 0.3), ("c", 0.2)]), ([0.0, 0.0, 0.0, 0.0], [])],
)
def test_three_largest_shares_are_named_the_largest_first(shares, expected):
    assert list(main_features(np.array(shares), ["a", "b", "c", "d"]).items()) == expected


@pytest.mark.parametrize("names", [["load", "heat", "flow"], None])
def test_a_disturbed_feature_is_named_or_numbered(names):
    X = make_series(500, 3)
    X[400:411, 1] += 20
    X = pd.DataFrame(X, columns=names) if names else X
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")
    detector = fitted(SlidingWindowDetector(inner, window_size=8), X[:300])
    events = detector.find_events(X[300:] if names is None else X[300:].reset_index(drop=True))
    event = next(events.sort_values("peak_score").itertuples())
    assert event.start <= 100 < 110 <= event.end
    assert next(iter(event.features)) == (names[1] if names else 1)
    assert event.features[names[1] if names else 1] > 0.9
    assert set(event.features) == set(names or range(3))
    assert sum(event.features.values()) == pytest.approx(1)
