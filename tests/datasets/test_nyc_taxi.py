import hashlib
import sys

import numpy as np
import pandas as pd
import pytest

from skl_lstmae.datasets import load_nyc_taxi

# Of realKnownCause/nyc_taxi.csv: names and dates, and the windows of NAB's
# labels/combined_windows.json, both ends inclusive.
EVENTS = [
    ("New York City marathon", "2014-11-02", "2014-10-30T15:30:00", "2014-11-03T22:30:00"),
    ("Thanksgiving", "2014-11-27", "2014-11-25T12:00:00", "2014-11-29T19:00:00"),
    ("Christmas", "2014-12-25", "2014-12-23T11:30:00", "2014-12-27T18:30:00"),
    ("New Year", "2015-01-01", "2014-12-29T21:30:00", "2015-01-03T04:30:00"),
    ("snow storm", "2015-01-27", "2015-01-24T20:30:00", "2015-01-29T03:30:00"),
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

    assert (taxi.data.shape, taxi.data.dtype) == ((10320, 1), np.dtype(np.float64))
    assert taxi.data.flags.c_contiguous
    assert (taxi.data == np.round(taxi.data)).all()
    assert taxi.timestamps.dtype == np.dtype("datetime64[s]")


def test_rows_inside_the_published_windows_are_the_anomalies_and_the_events():
    taxi = load_nyc_taxi()
    inside = np.zeros(len(taxi.data), dtype=bool)
    for event, (name, date, first, last) in zip(taxi.events, EVENTS, strict=True):
        found = (event.name, str(event.date), str(event.first), str(event.last))
        assert found == (name, date, first, last)
        assert taxi.timestamps[event.start] == event.first
        assert taxi.timestamps[event.end] == event.last
        inside[event.start : event.end + 1] = True
    assert taxi.target.dtype == np.int64
    assert taxi.target.tolist() == np.where(inside, -1, 1).tolist()


def test_training_rows_are_the_probationary_ones_of_nab():
    taxi = load_nyc_taxi()
    # getProbationPeriod(0.15, 10320) in NAB's nab/util.py.
    assert taxi.n_train == min(0.15 * 10320 // 1, 0.15 * 5000)
    assert isinstance(taxi.n_train, int)
    assert set(taxi.target[: taxi.n_train].tolist()) == {1}


def test_frame_holds_the_same_values_by_timestamp():
    arrays = load_nyc_taxi()
    taxi = load_nyc_taxi(as_frame=True)
    index = pd.DatetimeIndex(arrays.timestamps, freq="30min", name="timestamp")
    expected = pd.DataFrame({"passengers": arrays.data[:, 0], "target": arrays.target}, index)
    pd.testing.assert_frame_equal(taxi.frame, expected)
    pd.testing.assert_frame_equal(taxi.data, expected[["passengers"]])
    pd.testing.assert_series_equal(taxi.target, expected["target"])
    assert taxi.feature_names == list(taxi.data.columns)
    assert "frame" not in arrays


def test_missing_pandas_is_named_where_it_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert len(load_nyc_taxi().data) == 10320
    with pytest.raises(ImportError) as refused:
        load_nyc_taxi(as_frame=True)
    assert str(refused.value) == (
        "load_nyc_taxi with as_frame=True needs pandas, which is not installed; "
        "run pip install pandas, or leave as_frame out."
    )
