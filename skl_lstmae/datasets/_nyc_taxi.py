"""The New York taxis: one long series of passenger counts with five labelled events."""

from importlib.resources import files
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skl_lstmae._sklearn import validate_params

FOLDER = files("skl_lstmae.datasets") / "data"
FIRST, LAST = np.datetime64("2014-07-01T00:00", "s"), np.datetime64("2015-01-31T23:30", "s")
HALF_HOUR = np.timedelta64(30 * 60, "s")

# 15 % of the rows, but of 5000 rows at most: getProbationPeriod in NAB's nab/util.py.
N_PROBATIONARY = 750

# Event, its day, first and last half-hour of its window in NAB's labels/combined_windows.json.
WINDOWS = [
    ("New York City marathon", "2014-11-02", "2014-10-30T15:30", "2014-11-03T22:30"),
    ("Thanksgiving", "2014-11-27", "2014-11-25T12:00", "2014-11-29T19:00"),
    ("Christmas", "2014-12-25", "2014-12-23T11:30", "2014-12-27T18:30"),
    ("New Year", "2015-01-01", "2014-12-29T21:30", "2015-01-03T04:30"),
    ("snow storm", "2015-01-27", "2015-01-24T20:30", "2015-01-29T03:30"),
]

Passengers = NDArray[np.float64]
Labels = NDArray[np.int64]


class Event(NamedTuple):
    """A labelled event: what happened, and the rows of its window.

    Attributes
    ----------
    name : str
        What happened.
    date : datetime64[D]
        The day of the event.
    start, end : int
        First and last row of the window, as in `data[start : end + 1]`.
    first, last : datetime64[s]
        The timestamps of these two rows.
    """

    name: str
    date: np.datetime64
    start: int
    end: int
    first: np.datetime64
    last: np.datetime64


@overload
def load_nyc_taxi(*, return_X_y: Literal[False] = False, as_frame: bool = False) -> Bunch: ...
@overload
def load_nyc_taxi(
    *, return_X_y: Literal[True], as_frame: Literal[False] = False
) -> tuple[Passengers, Labels]: ...
@overload
def load_nyc_taxi(*, return_X_y: Literal[True], as_frame: Literal[True]) -> tuple[Any, Any]: ...
@validate_params(
    {"return_X_y": ["boolean"], "as_frame": ["boolean"]}, prefer_skip_nested_validation=True
)
def load_nyc_taxi(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load the New York taxis: passengers per half-hour over 215 days, with five labelled events.

    One series of 10320 time steps without a gap, from 2014-07-01 00:00 to 2015-01-31 23:30, from
    the Numenta Anomaly Benchmark (NAB). It repeats itself daily and weekly, until a marathon, three
    holidays and a snow storm disturb it. The data ship with the package; nothing is downloaded.

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return `(data, target)` in place of a :class:`~sklearn.utils.Bunch`.
    as_frame : bool, default=False
        Whether `data` is a :class:`pandas.DataFrame` and `target` a :class:`pandas.Series`, both
        indexed by the timestamps.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        data : float64 array of shape (10320, 1)
            Number of passengers in the half-hour that starts at the timestamp, whole numbers from
            8 to 39197. With `as_frame`, a DataFrame with the column "passengers" and a
            DatetimeIndex named "timestamp", of the frequency "30min".
        target : int64 array of shape (10320,)
            -1 inside the window of an event (1035 rows), +1 elsewhere, as scikit-learn's outlier
            detectors predict them. With `as_frame`, a Series named "target".
        timestamps : datetime64[s] array of shape (10320,)
            Start of each half-hour, as New York's clocks showed it, without a time zone.
        n_train : int
            750, the rows of NAB's probationary period: `data[:n_train]` is there to learn from,
            what follows is judged. No event is before row 5839.
        events : list of 5 named tuples
            The events in the order of time: `name`, `date` (datetime64[D]), the first and
            last row of the window, `start` and `end` (int), and their timestamps, `first` and
            `last`.
        feature_names : list of 1 str
            "passengers".
        frame : :class:`pandas.DataFrame` of shape (10320, 2)
            `data` and `target` side by side, present only with `as_frame`.
        DESCR : str
            Description, source and licence (MIT) of the data.
    (data, target) : tuple, if `return_X_y`
        As above.

    Raises
    ------
    ValueError
        If `return_X_y` or `as_frame` is not a boolean.
    ImportError
        If `as_frame` is asked for and pandas is not installed.

    Notes
    -----
    Every call returns new arrays: changing them changes nothing else.

    A window is 207 half-hours around the moment that NAB labels, so it holds ordinary hours, too.
    NAB counts an event as found if an alarm falls anywhere in its window.

    References
    ----------
    .. [1] S. Ahmad, A. Lavin, S. Purdy and Z. Agha, "Unsupervised real-time anomaly detection for
       streaming data", Neurocomputing 262, 134-147, 2017,
       https://doi.org/10.1016/j.neucom.2017.04.070

    Examples
    --------
    >>> from skl_lstmae.datasets import load_nyc_taxi
    >>> taxi = load_nyc_taxi()
    >>> taxi.data.shape, int((taxi.target == -1).sum())
    ((10320, 1), 1035)
    >>> for event in taxi.events:
    ...     print(event.date, event.name, event.start, event.end)
    2014-11-02 New York City marathon 5839 6045
    2014-11-27 Thanksgiving 7080 7286
    2014-12-25 Christmas 8423 8629
    2015-01-01 New Year 8731 8937
    2015-01-27 snow storm 9977 10183
    >>> train, rest = taxi.data[: taxi.n_train], taxi.data[taxi.n_train :]
    >>> len(train), len(rest)
    (750, 9570)
    """
    with (FOLDER / "nyc_taxi.npz").open("rb") as file, np.load(file) as stored:
        data = stored["passengers"].astype(np.float64)[:, np.newaxis]
    events = [_event(*window) for window in WINDOWS]
    target = np.ones(len(data), dtype=np.int64)
    for event in events:
        target[event.start : event.end + 1] = -1
    bunch = Bunch(
        data=data,
        target=target,
        timestamps=np.arange(FIRST, LAST + HALF_HOUR, HALF_HOUR),
        n_train=N_PROBATIONARY,
        events=events,
        feature_names=["passengers"],
        DESCR=(FOLDER / "nyc_taxi.rst").read_text(encoding="utf-8"),
    )
    if as_frame:
        _turn_into_frames(bunch)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _event(name: str, date: str, first: str, last: str) -> Event:
    first_time, last_time = np.datetime64(first, "s"), np.datetime64(last, "s")
    return Event(
        name=name,
        date=np.datetime64(date),
        start=int((first_time - FIRST) // HALF_HOUR),
        end=int((last_time - FIRST) // HALF_HOUR),
        first=first_time,
        last=last_time,
    )


def _turn_into_frames(bunch: Bunch) -> None:
    """Put `data` and `target` into pandas objects, and both into `frame`."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "load_nyc_taxi with as_frame=True needs pandas, which is not installed; "
            "run pip install pandas, or leave as_frame out."
        ) from error
    index = pd.DatetimeIndex(bunch.timestamps, freq="30min", name="timestamp")
    bunch.data = pd.DataFrame(bunch.data, index=index, columns=bunch.feature_names)
    bunch.target = pd.Series(bunch.target, index=index, name="target")
    bunch.frame = bunch.data.assign(target=bunch.target)
