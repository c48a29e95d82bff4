"""From anomalous rows to events."""

import builtins

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae._events import Event, feature_shares, find_intervals, main_features
from skl_lstmae._sequences import Sequences
from skl_lstmae._windows import split

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {"hidden_size": 4, "latent_size": 2, "max_epochs": 2, "device": "cpu"}
COLUMNS = ["series", "start", "end", "n_rows", "peak", "peak_score", "features"]


def intervals_of(marks, lengths=None, max_gap=0, min_length=1):
    """Return the intervals of a string that has # for each anomalous row."""
    is_anomalous = np.array([mark == "#" for mark in marks])
    lengths = np.array(lengths or [len(marks)])
    return find_intervals(is_anomalous, lengths, max_gap, min_length).tolist()


# -------------------------------------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("", []),
        ("......", []),
        ("######", [[0, 6]]),
        ("#....#", [[0, 1], [5, 6]]),
        (".##.#.", [[1, 3], [4, 5]]),
    ],
)
def test_anomalous_rows_in_a_row_are_an_interval(marks, expected):
    assert intervals_of(marks, lengths=[max(len(marks), 1)]) == expected


@pytest.mark.parametrize(
    ("max_gap", "expected"),
    [
        (0, [[1, 3], [4, 5], [7, 8], [11, 12]]),
        (1, [[1, 5], [7, 8], [11, 12]]),
        (2, [[1, 8], [11, 12]]),
        (3, [[1, 12]]),
    ],
)
def test_gaps_are_closed_up_to_their_limit(max_gap, expected):
    assert intervals_of(".##.#..#...#.", max_gap=max_gap) == expected


@pytest.mark.parametrize(
    ("min_length", "expected"),
    [(1, [[0, 1], [3, 6], [8, 10]]), (2, [[3, 6], [8, 10]]), (3, [[3, 6]]), (4, [])],
)
def test_short_intervals_are_dropped(min_length, expected):
    assert intervals_of("#..###..##", min_length=min_length) == expected


def test_gaps_are_closed_before_short_intervals_are_dropped():
    assert intervals_of("#.#.......#", max_gap=1, min_length=3) == [[0, 3]]


def test_intervals_end_with_their_series():
    assert intervals_of("..####..#", lengths=[4, 4, 1]) == [[2, 4], [4, 6], [8, 9]]
    assert intervals_of("..#.#.#..", lengths=[4, 4, 1], max_gap=5) == [[2, 3], [4, 7]]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 4), st.integers(1, 5))
@settings(deadline=None)
def test_intervals_hold_the_anomalous_rows_and_short_gaps(marks, max_gap, min_length):
    is_anomalous = np.array(marks)
    lengths = np.array([len(marks)])
    everything = find_intervals(is_anomalous, lengths, max_gap, 1)
    covered = np.zeros(len(marks), dtype=bool)
    for start, end in everything:
        assert is_anomalous[start]
        assert is_anomalous[end - 1]
        covered[start:end] = True
    assert covered[is_anomalous].all()
    assert (everything[1:, 0] - everything[:-1, 1] > max_gap).all()
    long_ones = find_intervals(is_anomalous, lengths, max_gap, min_length)
    assert long_ones.tolist() == [
        [start, end] for start, end in everything.tolist() if end - start >= min_length
    ]


# --------------------------------------------------------------------------------------- features


def test_shares_are_those_of_the_errors_within_an_interval():
    series = Sequences(np.arange(20.0).reshape(10, 2), np.array([0]), np.array([10]))
    windows = split(series, 3)
    errors = np.column_stack([np.arange(10.0), np.full(10, 2.0)])
    errors[8] = np.nan
    shares = feature_shares(np.array([[3, 5], [8, 10]]), windows, lambda part: errors[part.rows()])
    # Rows 3 and 4 are in three windows each: 3 + 4 to 2 + 2. Of rows 8 and 9 only 9 has errors.
    np.testing.assert_allclose(shares, [[7 / 11, 4 / 11], [9 / 11, 2 / 11]])


def test_only_windows_that_touch_an_interval_are_judged():
    series = Sequences(np.zeros((100, 1)), np.array([0]), np.array([100]))
    judged = []

    def errors_of(part):
        judged.extend(part.starts.tolist())
        return np.ones((part.lengths.sum(), 1))

    feature_shares(np.array([[20, 22], [60, 61]]), split(series, 4), errors_of)
    assert judged == [*range(17, 22), *range(57, 61)]
    judged.clear()
    assert feature_shares(np.zeros((0, 2), dtype=int), split(series, 4), errors_of).shape == (0, 1)
    assert judged == []


def test_without_any_error_no_feature_is_named():
    series = Sequences(np.zeros((10, 2)), np.array([0]), np.array([10]))
    shares = feature_shares(
        np.array([[2, 4]]), split(series, 3), lambda part: np.full((part.lengths.sum(), 2), np.nan)
    )
    assert main_features(shares[0], ["a", "b"]) == {}


def test_three_largest_shares_are_named_the_largest_first():
    named = main_features(np.array([0.1, 0.4, 0.2, 0.3]), ["a", "b", "c", "d"])
    assert list(named.items()) == [("b", 0.4), ("d", 0.3), ("c", 0.2)]


# ------------------------------------------------------------------------------------- the detector


class Threshold(IsolationForest):
    """A row is as normal as minus the largest number in it."""

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -X.max(axis=1)


def rows_of(events, columns=COLUMNS):
    """Return the rows of a frame as tuples."""
    return list(events[columns].itertuples(index=False, name=None))


def make_detector(**parameters):
    """Rows of 1 or more are anomalous."""
    calm = np.zeros((50, 1))
    detector = SlidingWindowDetector(Threshold(), window_size=1, **parameters).fit(calm)
    detector.offset_ = -0.5
    return detector


VALUES = np.array([[0.0], [1], [3], [0], [2], [0], [0], [0], [1], [1]])


def test_events_are_those_computed_by_hand():
    events = make_detector().find_events(VALUES)
    assert list(events.columns) == COLUMNS
    assert rows_of(events) == [
        (0, 1, 2, 2, 2, -3.0, None),
        (0, 4, 4, 1, 4, -2.0, None),
        (0, 8, 9, 2, 8, -1.0, None),
    ]
    events = make_detector().find_events(VALUES, max_gap=1, min_length=3)
    assert rows_of(events) == [(0, 1, 4, 4, 2, -3.0, None)]


def test_no_event_is_an_empty_frame():
    events = make_detector().find_events(np.zeros((5, 1)))
    assert events.shape == (0, 7)
    assert list(events.columns) == COLUMNS


def test_events_of_several_series_are_told_apart():
    events = make_detector().find_events([VALUES[:3], VALUES[3:6], VALUES[8:]])
    assert rows_of(events, ["series", "start", "end"]) == [(0, 1, 2), (1, 1, 1), (2, 0, 1)]
    panel = pd.concat({"pump": pd.DataFrame(VALUES[:4]), "fan": pd.DataFrame(VALUES[4:])})
    events = make_detector().find_events(panel)
    assert rows_of(events, ["series", "start", "end", "peak"]) == [
        ("pump", 1, 2, 2),
        ("fan", 0, 0, 0),
        ("fan", 4, 5, 4),
    ]


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=10, freq="30min"),
        pd.date_range("2024-01-01", periods=10, freq="30min", tz="Europe/Paris"),
        pd.timedelta_range(0, periods=10, freq="s"),
        pd.period_range("2024-01-01", periods=10, freq="D"),
    ],
    ids=["times", "times of a zone", "durations", "periods"],
)
def test_start_end_and_peak_are_times_if_the_index_has_them(index):
    frame = pd.DataFrame(VALUES, index=index)
    events = make_detector().find_events(frame)
    assert events["start"].tolist() == [index[1], index[4], index[8]]
    assert events["end"].tolist() == [index[2], index[4], index[9]]
    assert events["peak"].tolist() == [index[2], index[4], index[8]]
    assert len(frame.loc[events["start"][0] : events["end"][0]]) == events["n_rows"][0] == 2
    assert events["start"].dtype == index.dtype


def test_events_agree_with_predict():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    X[200:210] += 8
    detector = SlidingWindowDetector(
        LocalOutlierFactor(novelty=True), window_size=5, false_alarm_rate=0.05
    ).fit(rng.normal(size=(400, 2)))
    events = detector.find_events(X)
    labels = np.ones(400, dtype=int)
    for event in events.itertuples():
        labels[event.start : event.end + 1] = -1
        scores = detector.score_samples(X)[event.start : event.end + 1]
        assert scores.min() == event.peak_score == scores[event.peak - event.start]
    np.testing.assert_array_equal(labels, detector.predict(X))


def test_disturbed_feature_is_named():
    rng = np.random.default_rng(0)
    names = ["load", "heat", "flow"]
    waves = np.sin(np.arange(500)[:, np.newaxis] / 3 + np.arange(3))
    X = pd.DataFrame(waves + 0.1 * rng.normal(size=(500, 3)), columns=names)
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")
    detector = SlidingWindowDetector(inner, window_size=8, random_state=0).fit(X[:300])
    disturbed = X[300:].reset_index(drop=True)
    disturbed.loc[100:110, "heat"] += 20
    events = detector.find_events(disturbed)
    event = next(events.sort_values("peak_score").itertuples())
    assert event.start <= 100 < 110 <= event.end
    first, *others = event.features.items()
    assert first[0] == "heat"
    assert first[1] > 0.9
    assert {first[0], *dict(others)} == set(names)
    assert first[1] + sum(dict(others).values()) == pytest.approx(1)

    detector.fit(X[:300].to_numpy())
    events = detector.find_events(disturbed.to_numpy()).sort_values("peak_score")
    assert next(iter(events["features"].iloc[0])) == 1


def test_without_pandas_events_are_named_tuples(monkeypatch):
    import_module = builtins.__import__

    def import_all_but_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError
        return import_module(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", import_all_but_pandas)
    events = make_detector().find_events(VALUES, max_gap=1)
    assert events == [
        Event(series=0, start=1, end=4, n_rows=4, peak=2, peak_score=-3.0, features=None),
        Event(series=0, start=8, end=9, n_rows=2, peak=8, peak_score=-1.0, features=None),
    ]
    assert Event._fields == tuple(COLUMNS)
    plain = (int, int, int, int, int, float, type(None))
    assert tuple(type(field) for field in events[0]) == plain


@pytest.mark.parametrize("parameters", [{"max_gap": -1}, {"min_length": 0}, {"max_gap": 0.5}])
def test_wrong_parameters_are_refused(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of .*find_events must be an int"):
        make_detector().find_events(VALUES, **parameters)
