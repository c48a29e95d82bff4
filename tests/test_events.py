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
from skl_lstmae.data.reading import read_series
from skl_lstmae.data.windows import slide
from skl_lstmae.detectors.events import Event, blame, find_intervals_within, go_on, main_features
from skl_lstmae.scoring.usual_errors import UsualErrors

# After few epochs some stretches of plain waves are unlike the rest.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Set aside as unlike the others"),
    pytest.mark.filterwarnings("ignore:.* of the samples of X score lower"),  # many are marked
]

COLUMNS = ["series", "start", "end", "n_rows", "peak", "peak_score", "rank", "observed"]
COLUMNS += ["features"]
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
    detector = SlidingWindowDetector(
        MinusValue(), window_size=1, threshold="fixed", relative_to_recent=0
    )
    detector.fit(np.zeros((50, 1)))
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
    columns = [name for name in COLUMNS if name != "rank"]
    assert rows_of(long_ones, columns) == rows_of(events[events["n_rows"] >= min_length], columns)


@pytest.mark.parametrize(
    ("lengths", "max_gap", "budget", "expected"),
    [
        ([12], 12, None, (2, 8)),  # for no more rows than it has
        ([12], 2, None, (2, 7)),
        ([12], 0, None, (2, 5)),
        ([6, 6], 12, None, (2, 6)),
        ([12], 12, 4, (2, 6)),
        ([12], 12, 3, (2, 5)),
    ],
)
def test_an_event_goes_on_while_scores_are_below_the_threshold_that_it_broke(
    lengths, max_gap, budget, expected
):
    scores = -np.array([0.0, 0, 3, 3, 4, 3, 3, 2, 2, 2, 0, 0])
    offsets = -np.array([1.0, 1, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4])
    found = go_on(np.array([[2, 5]]), scores, offsets, np.array(lengths), max_gap, budget)
    assert found.tolist() == [list(expected)]


@pytest.mark.parametrize(("max_gap", "end"), [(12, 9), (4, 7)])
def test_an_event_that_has_begun_before_its_cause_goes_on_to_the_lowest_score(max_gap, end):
    scores = -np.array([0.0, 0, 3, 4, 5, 6, 6.5, 6.8, 7, 6, 5, 4, 0])
    offsets = -np.array([1.0, 2, 2, 5, 6, 7, 8, 8, 8, 8, 8, 8, 8])
    found = go_on(np.array([[2, 3]]), scores, offsets, np.array([13]), max_gap, None)
    assert found.tolist() == [[2, end]]


errors = st.lists(st.integers(0, 4), min_size=1, max_size=40)


@given(errors, st.randoms(), st.integers(0, 6), st.sampled_from([None, 5, 10]))
@settings(deadline=None, max_examples=200)
def test_events_go_on_below_the_threshold_and_take_no_more_than_is_left(
    errors, random, max_gap, budget
):
    scores = -np.array(errors, dtype=float)
    offsets = -np.array([random.choice([0.5, 1.5, 2.5, 3.5]) for _ in errors])
    n = len(scores)
    lengths = np.array([n // 2, n - n // 2]) if n > 1 else np.array([n])
    of_alarms = find_intervals_within(scores - offsets, lengths, max_gap, 1, budget)
    events = go_on(of_alarms, scores, offsets, lengths, max_gap, budget)
    assert events[:, 0].tolist() == of_alarms[:, 0].tolist()
    is_free = budget is None or np.diff(events, axis=1).sum() < budget
    assert budget is None or np.diff(events, axis=1).sum() <= budget
    edges = np.cumsum(lengths)
    for (first, end), (_, later) in zip(of_alarms, events, strict=True):
        rest = slice(end, later)
        assert (scores[rest] < offsets[first]).all()
        assert (scores[rest] >= offsets[rest]).all()
        # Where scores sink for longer, the event goes on to the lowest, if the budget lets it.
        is_lowest = scores[later - 1] < scores[first : later - 1].min(initial=np.inf)
        assert 0 <= later - end <= max_gap
        assert later - end <= end - first or is_lowest or not is_free
        assert not ((first < edges) & (edges < later)).any()
        may_end = later in edges or later - end in (max_gap, end - first) or is_lowest
        if is_free and not may_end:
            assert scores[later] >= offsets[first] or scores[later] < offsets[later]


@pytest.mark.parametrize("parameters", [{"max_gap": -1}, {"min_length": 0}, {"max_gap": 0.5}])
def test_wrong_parameters_are_refused(detector, parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of .*find_events must be an int"):
        detector.find_events(VALUES, **parameters)


marks = st.lists(st.sampled_from([0.0, 0, 0, 1, 2, 3]), min_size=1, max_size=80)


@given(marks, st.integers(0, 4), st.sampled_from([0.01, 0.05, 0.1, 0.3, 1.0]))
@settings(deadline=None, max_examples=50)
def test_events_keep_within_their_budget_and_hold_the_most_anomalous_rows(
    detector, values, max_gap, budget
):
    X = np.array(values)[:, np.newaxis]
    everything = detector.find_events(X, max_gap=max_gap)
    events = detector.find_events(X, max_gap=max_gap, budget=budget)
    assert events["n_rows"].sum() <= budget * len(X)
    assert sorted(events["rank"]) == [*range(1, len(events) + 1)]
    assert (np.diff(events.sort_values("rank")["peak_score"]) >= 0).all()
    if everything["n_rows"].sum() <= budget * len(X):
        pd.testing.assert_frame_equal(events, everything)
    if len(events):  # the most anomalous row is the last to be left out
        assert events["peak_score"].min() == -max(values)


def test_of_an_exact_budget_nothing_is_left_unused(detector):
    X = np.zeros((20, 1))
    X[3:5], X[8], X[12:16] = 2.0, 3.0, 1.0
    for budget, expected in ((0.05, [8]), (0.15, [3, 8]), (0.35, [3, 8, 12]), (0.04, [])):
        assert detector.find_events(X, budget=budget)["start"].tolist() == expected


@pytest.mark.parametrize("budget", [0, 1.5, -0.1])
def test_a_budget_that_is_no_share_is_refused(detector, budget):
    with pytest.raises(ValueError, match=r"The 'budget' parameter of .*find_events must be"):
        detector.find_events(VALUES, budget=budget)


def test_the_rank_goes_by_the_offset_of_each_row():
    X = np.full((600, 1), 10.0) + np.random.default_rng(0).normal(size=(600, 1))
    parameters = {"window_size": 4, "threshold": "adaptive"}
    detector = SlidingWindowDetector(MinusValue(), **parameters).fit(X)
    new = X[:400] + np.r_[np.zeros(100), np.linspace(0, 40, 300)][:, np.newaxis]
    new[20:24], new[390:394] = 30.0, 60.0
    decisions = detector.decision_function(new)
    events = detector.find_events(new)
    depths = [decisions[e.start : e.end + 1].min() for e in events.itertuples()]
    assert len(events) > 1
    assert events["rank"].tolist() == [*(1 + np.argsort(np.argsort(depths)))]


def test_by_default_gaps_of_a_window_are_bridged_where_offsets_follow():
    X = np.zeros((100, 1))
    adaptive = SlidingWindowDetector(MinusValue(), window_size=5, aggregation="max").fit(X)
    fixed = SlidingWindowDetector(
        MinusValue(), window_size=5, aggregation="max", threshold="fixed"
    ).fit(X)
    X[[*range(20, 26), *range(27, 33), *range(60, 66)]] = 1.0
    for detector, max_gap in ((adaptive, 5), (fixed, 0)):
        events = detector.find_events(X)
        pd.testing.assert_frame_equal(events, detector.find_events(X, max_gap=max_gap))
    assert len(fixed.find_events(X)) > len(fixed.find_events(X, max_gap=5))


# ---------------------------------------------------------------------------------------- the table


def test_events_tell_their_rows_and_their_peak(detector):
    assert rows_of(detector.find_events(VALUES)) == [
        (0, 1, 2, 2, 2, -3.0, 1, 1.0, None),
        (0, 4, 4, 1, 4, -2.0, 2, 1.0, None),
        (0, 8, 9, 2, 8, -1.0, 3, 1.0, None),
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
        pd.RangeIndex(7, 17),
        pd.Index(np.linspace(0.5, 5, 10), name="seconds"),
    ],
    ids=["times", "durations", "periods", "rows", "numbers"],
)
def test_start_end_and_peak_are_labels_of_an_index_that_increases(detector, index):
    frame = pd.DataFrame(VALUES, index=index)
    events = detector.find_events(frame)
    for column, rows in {"start": [1, 4, 8], "end": [2, 4, 9], "peak": [2, 4, 8]}.items():
        assert events[column].tolist() == index[rows].tolist()
        assert events[column].dtype == index.dtype
    assert len(frame.loc[events["start"][0] : events["end"][0]]) == events["n_rows"][0]


def test_start_end_and_peak_are_row_numbers_where_labels_tell_no_order(detector):
    frame = pd.DataFrame(VALUES, index=list("kjihgfedcb"))
    assert detector.find_events(frame)["start"].tolist() == [1, 4, 8]


@pytest.mark.parametrize("max_gap", [0, 50])
def test_no_event_reaches_across_a_jump_of_time(max_gap):
    times = pd.date_range("2024-01-01", periods=200, freq="h", tz="Europe/Paris")
    detector = SlidingWindowDetector(
        MinusValue(), window_size=1, threshold="fixed", relative_to_recent=0
    )
    detector.fit(pd.DataFrame(np.zeros((50, 1)), index=times[:50])).offset_ = -0.5
    frame = pd.DataFrame({0: 0.0}, index=times)
    frame.iloc[98:110] = 1.0
    assert len(detector.find_events(frame, max_gap=max_gap)) == 1
    events = detector.find_events(frame.drop(times[100:105]), max_gap=max_gap)
    assert events["start"].tolist() == times[[98, 105]].tolist()
    assert events["end"].tolist() == times[[99, 109]].tolist()
    assert events["n_rows"].tolist() == [2, 5]


def test_a_blackout_is_an_event_without_observed_values():
    X = make_series(400)
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")
    detector = fitted(SlidingWindowDetector(inner, window_size=8, false_alarm_rate=0.001), X[:300])
    X[320:350] = np.nan
    X[380:384, 0] = 30.0
    X[380:382, 1] = np.nan
    events = detector.find_events(X[300:], max_gap=0)
    blackout = events[events["observed"] == 0]
    assert rows_of(blackout, ["start", "end", "features"]) == [(20, 49, {})]
    fault = next(e for e in events.itertuples() if e.start <= 80 <= e.end)
    assert fault.observed == 1 - 2 / (2 * fault.n_rows)


@pytest.mark.parametrize("row", [0, 1, 3, 50, 96, 98, 99])
def test_the_peak_is_the_very_row_of_a_spike_near_the_ends_too(row):
    X = make_series(400)
    inner = LSTMAutoencoderDetector(**QUICK, scorer="error")
    detector = fitted(SlidingWindowDetector(inner, window_size=8), X[:300])
    new = X[300:].copy()
    new[row] += 20
    events = detector.find_events(new)
    assert events.loc[events["rank"] == 1, "peak"].tolist() == [row]


def test_without_pandas_events_are_named_tuples(detector, monkeypatch):
    import_module = builtins.__import__

    def import_all_but_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError
        return import_module(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", import_all_but_pandas)
    events = detector.find_events(VALUES, max_gap=1)
    assert events == [
        Event(0, 1, 4, n_rows=4, peak=2, peak_score=-3.0, rank=1, observed=1.0, features=None),
        Event(0, 8, 9, n_rows=2, peak=8, peak_score=-1.0, rank=2, observed=1.0, features=None),
    ]
    types = [*[int] * 5, float, int, float, type(None)]
    assert [type(field) for field in events[0]] == types
    assert Event._fields == tuple(COLUMNS)


# --------------------------------------------------------------------------------------- features


USUAL = UsualErrors(mean=np.log([1.0, 4.0]), scale=np.array([0.5, 0.5]))


@pytest.mark.parametrize(
    ("disturbed", "expected"),
    [
        ({0: 5.0}, [1, 0]),
        ({1: 20.0}, [0, 1]),
        ({0: 5.0, 1: 20.0}, [0.5, 0.5]),  # by the same factor, though one always errs more
        ({0: 0.2}, [1, 0]),  # a stuck sensor is easy to reconstruct
        ({0: [*[5.0] * 10, *[0.2] * 10]}, [1, 0]),  # more at its edge, less within
    ],
)
def test_to_blame_are_features_whose_errors_are_unusual_for_them(disturbed, expected):
    series = read_series(np.zeros((60, 2)))[0]
    errors = np.tile([1.0, 4.0], (60, 1))  # as usual
    for feature, error in disturbed.items():
        errors[20:40, feature] = error
    windows = slide(series, 8).take(np.arange(23, 31))  # that cover row 30
    shares, _ = blame(np.array([15, 45]), 30, windows, lambda w: errors[w.rows()], USUAL)
    np.testing.assert_allclose(shares, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("interval", "bumps", "expected"),
    [
        ((0, 60), {31: [9, 4]}, 31),
        ((0, 60), {27: [9, 4]}, 27),
        ((0, 60), {31: [9, 4], 40: [99, 4]}, 31),  # which no window holds that holds row 30
        ((0, 60), {31: [9, 4], 24: [9, 4]}, 31),  # of two alike the nearer
        ((0, 60), {31: [9, 4], 29: [1, 9]}, 31),  # which is twice, not nine times the usual error
        ((30, 60), {29: [9, 4]}, 30),
        ((20, 29), {28: [9, 4]}, 28),
    ],
)
def test_the_peak_is_the_row_of_the_largest_errors_near_the_lowest_score(interval, bumps, expected):
    series = read_series(np.zeros((60, 2)))[0]
    errors = np.tile([1.0, 4.0], (60, 1))
    for row, cells in bumps.items():
        errors[row] = cells
    windows = slide(series, 8).take(np.arange(23, 31))  # that cover row 30
    _, peak = blame(np.array(interval), 30, windows, lambda w: errors[w.rows()], USUAL)
    assert peak == expected


def test_windows_that_do_not_observe_a_feature_do_not_clear_it():
    errors = np.tile([np.e, 4 * np.e], (60, 1))
    errors[:34, 1] = np.nan
    windows = slide(read_series(np.zeros((60, 2)))[0], 8).take(np.arange(23, 31))
    shares, _ = blame(np.array([15, 45]), 30, windows, lambda w: errors[w.rows()], USUAL)
    np.testing.assert_allclose(shares, [0.5, 0.5], atol=1e-5)


def test_a_sensor_that_was_constant_is_not_to_blame_for_a_trifle():
    rng = np.random.default_rng(0)
    usual = UsualErrors.of(np.column_stack([rng.normal(0, 0.3, 500), np.log([1e-6] * 500)]))
    errors = np.tile([1.0, 0.0], (60, 1))
    errors[20:40] = [20.0, 1e-7]
    windows = slide(read_series(np.zeros((60, 2)))[0], 8).take(np.arange(23, 31))
    shares, _ = blame(np.array([15, 45]), 30, windows, lambda w: errors[w.rows()], usual)
    assert shares[0] > 0.9


@pytest.mark.parametrize("error", [0.0, np.nan])
def test_without_an_error_nothing_is_to_blame_and_the_peak_is_the_lowest_row(error):
    windows = slide(read_series(np.zeros((60, 2)))[0], 8).take(np.arange(23, 31))
    errors_of = lambda windows: np.full((windows.lengths.sum(), 2), error)  # noqa: E731
    shares, peak = blame(np.array([20, 40]), 30, windows, errors_of, USUAL)
    assert (shares.tolist(), peak) == ([0, 0], 30)


def test_usual_errors_are_those_of_windows_and_deviations_leave_out_what_is_missing():
    rng = np.random.default_rng(0)
    errors = np.exp(rng.normal([0, 3], [0.5, 2], size=(1000, 20, 2)))
    errors[::2, ::3, 1] = np.nan
    log_errors = np.log(np.nanmean(errors, axis=1))
    usual = UsualErrors.of(log_errors)
    expected = (log_errors - log_errors.mean(axis=0)) / log_errors.std(axis=0)
    np.testing.assert_allclose(usual.deviations(errors), expected, atol=1e-4)
    errors[3, :, 0] = np.nan
    deviations = usual.deviations(errors)
    assert np.argwhere(np.isnan(deviations)).tolist() == [[3, 0]]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([0.1, 0.4, 0.2, 0.3], [("b", 0.4), ("d", 0.3), ("c", 0.2)]), ([0.0, 0.0, 0.0, 0.0], [])],
)
def test_three_largest_shares_are_named_the_largest_first(shares, expected):
    assert list(main_features(np.array(shares), ["a", "b", "c", "d"]).items()) == expected


@pytest.mark.parametrize("names", [["load", "heat", "flow"], None])
def test_a_disturbed_feature_is_named_or_numbered(names):
    X = make_series(500, 3)
    X[400:411, 1] += 100
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


def stand_still(values):
    return np.full_like(values, values[0])


def shift(values):
    return values + 1.2


def rattle(values):
    return values + np.random.default_rng(5).normal(scale=0.5, size=values.shape)


@pytest.fixture(scope="module")
def machine():
    """A detector, and later rows of three quiet sensors and a loud one of heavy tails."""
    rng, days = np.random.default_rng(0), 2 * np.pi * np.arange(8000) / 48
    X = {f"temperature {i}": np.sin(days + i) + rng.normal(0, 0.1, 8000) for i in range(3)}
    X["latency"] = np.exp(0.5 * np.sin(days) + 0.35 * rng.standard_t(3, 8000).clip(-3, 8))
    X = pd.DataFrame(X)
    return fitted(SlidingWindowDetector(random_state=0), X[:6000]), X[6000:]


@pytest.mark.parametrize("disturb", [stand_still, shift, rattle])
@pytest.mark.parametrize("sensor", [0, 1, 2])
def test_a_loud_sensor_is_not_to_blame_for_the_fault_of_a_quiet_one(machine, disturb, sensor):
    detector, X = machine
    new, fault = X.copy(), slice(7000, 7079)
    new.loc[fault, f"temperature {sensor}"] = disturb(
        new.loc[fault, f"temperature {sensor}"].to_numpy()
    )
    events = detector.find_events(new).sort_values("rank")
    event = next(event for event in events.itertuples() if event.start < 7080 and event.end >= 7000)
    assert 7000 <= event.peak < 7080
    assert event.features[f"temperature {sensor}"] > 3 * event.features.get("latency", 0)


# ------------------------------------------------------------------------------ budget, no data


def test_a_budget_is_not_spent_on_rows_that_are_too_few_for_an_event(detector):
    X = np.zeros((1000, 1))
    X[10:410:20] = 10.0  # single rows, further below the threshold
    X[600:615] = 5.0
    unlimited = detector.find_events(X, min_length=5)
    assert unlimited.n_rows.tolist() == [15]
    assert detector.find_events(X, min_length=5, budget=0.02).start.tolist() == [600]


@pytest.mark.parametrize("n_rows", [7, 29, 57])
def test_a_budget_is_not_rounded_below_what_it_says(detector, n_rows):
    X = np.zeros((100, 1))
    X[10 : 10 + n_rows] = 5.0
    assert detector.find_events(X, budget=n_rows / 100).n_rows.tolist() == [n_rows]


def test_a_blackout_is_an_event_of_its_own_that_takes_nothing_of_the_budget():
    X = make_series(700)
    inner = LSTMAutoencoderDetector(**QUICK)
    detector = fitted(SlidingWindowDetector(inner, window_size=20), X[:400])
    X_new = X[400:].copy()
    X_new[100:140] = np.nan
    X_new[160:165] += 10.0
    for budget in None, 0.05:
        events = detector.find_events(X_new, budget=budget)
        dark = events[events.observed == 0]
        assert dark[["start", "end"]].to_numpy().tolist() == [[100, 139]]
        others = events[events.observed == 1]
        assert ((others.start < 165 + 20) & (others.end > 160 - 20)).sum() == 1
        if budget:
            assert others.n_rows.sum() <= 0.05 * 260
