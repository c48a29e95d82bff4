import hashlib
import sys
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from skl_lstmae.datasets import load_nyc_taxi

# realKnownCause/nyc_taxi.csv in NAB's labels/combined_windows.json, both ends inclusive.
WINDOWS = [
    ("2014-10-30 15:30:00", "2014-11-03 22:30:00"),
    ("2014-11-25 12:00:00", "2014-11-29 19:00:00"),
    ("2014-12-23 11:30:00", "2014-12-27 18:30:00"),
    ("2014-12-29 21:30:00", "2015-01-03 04:30:00"),
    ("2015-01-24 20:30:00", "2015-01-29 03:30:00"),
]
# The same in NAB's labels/combined_labels.json.
MOMENTS = [
    "2014-11-01 19:00:00",
    "2014-11-27 15:30:00",
    "2014-12-25 15:00:00",
    "2015-01-01 01:00:00",
    "2015-01-27 00:00:00",
]


def test_values_and_timestamps_are_the_published_ones():
    taxi = load_nyc_taxi()
    lines = [
        f"{str(time).replace('T', ' ')},{passengers:.0f}\n"
        for time, passengers in zip(taxi.timestamps, taxi.data[:, 0], strict=True)
    ]
    # The text of darts' taxi_new_york_passengers.csv, a copy of the series, and the MD5 that its
    # TaxiNewYorkDataset checks it by.
    text = "".join(["time,#Passengers\n", *lines])
    published = "0a81adf1b74354a8ec18c30e9e8fe5f0"
    assert hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() == published


def test_series_is_one_column_of_whole_float64_numbers():
    data = load_nyc_taxi().data
    assert (data.shape, data.dtype) == ((10320, 1), np.dtype(np.float64))
    assert data.flags.c_contiguous
    assert (data == np.round(data)).all()
    # The first and the last lines of NAB's file.
    assert data[:4, 0].tolist() == [10844, 8127, 6210, 4656]
    assert data[-3:, 0].tolist() == [27309, 26591, 26288]


def test_timestamps_are_half_hours_without_a_gap():
    timestamps = load_nyc_taxi().timestamps
    assert (timestamps.shape, timestamps.dtype) == ((10320,), np.dtype("datetime64[s]"))
    assert np.unique(np.diff(timestamps)).tolist() == [np.timedelta64(1800, "s")]
    assert str(timestamps[0]) == "2014-07-01T00:00:00"
    assert str(timestamps[-1]) == "2015-01-31T23:30:00"


def test_rows_inside_the_published_windows_are_the_anomalies():
    taxi = load_nyc_taxi()
    inside = np.zeros(len(taxi.data), dtype=bool)
    for first, last in WINDOWS:
        at_or_after = taxi.timestamps >= np.datetime64(first)
        inside |= at_or_after & (taxi.timestamps <= np.datetime64(last))
    assert taxi.target.dtype == np.int64
    assert taxi.target.tolist() == np.where(inside, -1, 1).tolist()


def test_windows_are_a_tenth_of_the_series_around_the_labelled_moments():
    taxi = load_nyc_taxi()
    # As NAB's labeler lays them: 10 % of the rows, shared among the events, half on either side.
    half = len(taxi.data) // 10 // len(MOMENTS) // 2
    rows = np.searchsorted(taxi.timestamps, np.array(MOMENTS, dtype="datetime64[s]"))
    assert [event.start for event in taxi.events] == (rows - half).tolist()
    assert [event.end for event in taxi.events] == (rows + half).tolist()


def test_events_are_named_and_dated():
    events = load_nyc_taxi().events
    assert [(event.name, str(event.date)) for event in events] == [
        ("New York City marathon", "2014-11-02"),
        ("Thanksgiving", "2014-11-27"),
        ("Christmas", "2014-12-25"),
        ("New Year", "2015-01-01"),
        ("snow storm", "2015-01-27"),
    ]


def test_rows_and_timestamps_of_an_event_agree():
    taxi = load_nyc_taxi()
    windows = [(str(event.first), str(event.last)) for event in taxi.events]
    assert windows == [tuple(end.replace(" ", "T") for end in window) for window in WINDOWS]
    for event in taxi.events:
        assert taxi.timestamps[event.start] == event.first
        assert taxi.timestamps[event.end] == event.last
        assert event.first <= event.date <= event.last


def test_training_rows_are_the_probationary_ones_of_nab():
    taxi = load_nyc_taxi()
    # getProbationPeriod(0.15, 10320) in NAB's nab/util.py.
    assert taxi.n_train == min(0.15 * 10320 // 1, 0.15 * 5000)
    assert isinstance(taxi.n_train, int)
    assert set(taxi.target[: taxi.n_train].tolist()) == {1}


def test_hour_that_the_clocks_repeated_holds_the_two_largest_values():
    taxi = load_nyc_taxi()
    largest = np.argsort(taxi.data[:, 0])[:-3:-1]
    assert [str(time) for time in taxi.timestamps[largest]] == [
        "2014-11-02T01:00:00",
        "2014-11-02T01:30:00",
    ]


def test_return_X_y_gives_the_same_arrays_as_the_bunch():
    taxi = load_nyc_taxi()
    X, y = load_nyc_taxi(return_X_y=True)
    np.testing.assert_array_equal(X, taxi.data)
    np.testing.assert_array_equal(y, taxi.target)


def test_frame_holds_the_same_values_by_timestamp():
    arrays = load_nyc_taxi()
    taxi = load_nyc_taxi(as_frame=True)
    index = pd.DatetimeIndex(arrays.timestamps, freq="30min", name="timestamp")
    expected = pd.DataFrame({"passengers": arrays.data[:, 0], "target": arrays.target}, index)
    pd.testing.assert_frame_equal(taxi.frame, expected)
    pd.testing.assert_frame_equal(taxi.data, expected[["passengers"]])
    pd.testing.assert_series_equal(taxi.target, expected["target"])
    assert taxi.feature_names == list(taxi.data.columns)
    assert taxi.data.loc["2014-11-02 01:00", "passengers"] == 39197
    assert "frame" not in arrays


def test_return_X_y_gives_the_frames_of_the_bunch():
    taxi = load_nyc_taxi(as_frame=True)
    X, y = load_nyc_taxi(return_X_y=True, as_frame=True)
    pd.testing.assert_frame_equal(X, taxi.data)
    pd.testing.assert_series_equal(y, taxi.target)


def test_missing_pandas_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError) as refused:
        load_nyc_taxi(as_frame=True)
    assert str(refused.value) == (
        "load_nyc_taxi with as_frame=True needs pandas, which is not installed; "
        "run pip install pandas, or leave as_frame out."
    )


def test_arrays_load_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert len(load_nyc_taxi().data) == 10320


@pytest.mark.parametrize("as_frame", [False, True])
def test_changing_what_was_loaded_does_not_change_the_next_load(as_frame):
    taxi = load_nyc_taxi(as_frame=as_frame)
    taxi.data[:] = 0.0
    taxi.target[:] = 0
    taxi.timestamps[:] = np.datetime64("2000-01-01")
    taxi.events.clear()
    again = load_nyc_taxi()
    assert again.data.min() == 8.0
    assert again.target.min() == -1
    assert str(again.timestamps.min()) == "2014-07-01T00:00:00"
    assert len(again.events) == 5


@pytest.mark.parametrize("name", ["return_X_y", "as_frame"])
def test_options_must_be_booleans(name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of load_nyc_taxi"):
        load_nyc_taxi(**{name: "yes"})


def test_attribution_ships_beside_the_data():
    description = " ".join(load_nyc_taxi().DESCR.split())
    for needed in (
        "https://github.com/numenta/NAB",
        "Taxi and Limousine Commission",
        "Copyright 2014-2024 Numenta Inc.",
        "Permission is hereby granted, free of charge",
        "**Changes.**",
    ):
        assert needed in description


def test_data_stay_small_on_disk():
    folder = files("skl_lstmae.datasets") / "data"
    sizes = [len((folder / f"nyc_taxi.{end}").read_bytes()) for end in ("npz", "rst")]
    assert sum(sizes) < 30_000
