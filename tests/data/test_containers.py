"""What other packages hold data in."""

from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import polars
import pytest
import torch
from conftest import QUICK, exactly
from sklearn.neighbors import LocalOutlierFactor

from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.data.names import known_names
from skl_lstmae.data.reading import read, read_series

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(200, 2))
TIMES = pd.date_range("2024-01-01", periods=200, freq="h")


def table_of(package, columns):
    """Make a frame of a package from columns."""
    if package.startswith("pyarrow"):
        table = pytest.importorskip("pyarrow").table(columns)
        return table if package == "pyarrow" else table.to_batches()[0]
    return (pd if package == "pandas" else polars).DataFrame(columns)


def select(frame, *names):
    return frame[list(names)] if hasattr(frame, "iloc") else frame.select(list(names))


PACKAGES = ["pandas", "polars", "pyarrow", "pyarrow's batch"]
every_package = pytest.mark.parametrize("package", PACKAGES)


@pytest.fixture
def series(package):
    return table_of(package, {"cpu": VALUES[:, 0], "ram": VALUES[:, 1]})


@every_package
def test_names_and_their_order_hold_in_all_that_reads_a_series(series):
    detector = SlidingWindowDetector(LocalOutlierFactor(novelty=True), window_size=5)
    scores = detector.fit(series).score_samples(series)
    assert detector.feature_names_in_.tolist() == ["cpu", "ram"]
    np.testing.assert_allclose(scores, detector.fit(VALUES).score_samples(VALUES))
    detector.fit([series, series])
    assert detector.feature_names_in_.tolist() == ["cpu", "ram"]
    swapped = select(series, "ram", "cpu")
    calls = [detector.predict, detector.find_events, detector.recalibrate, detector.stream().push]
    for call in calls:
        with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
            call(swapped)
    with pytest.raises(ValueError, match=r"^series #1 has columns \['ram', 'cpu'\], expected"):
        detector.fit([series, swapped])


@every_package
def test_names_and_their_order_hold_in_all_that_reads_sequences(series):
    X = [series[i : i + 20] for i in range(0, 200, 20)]
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    assert detector.feature_names_in_.tolist() == ["cpu", "ram"]
    arrays = list(VALUES.reshape(10, 20, 2))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        np.testing.assert_array_equal(detector.score_samples(arrays), detector.score_samples(X))
    swapped = [select(x, "ram", "cpu") for x in X]
    for call in (detector.predict, detector.transform, detector.reconstruct, detector.partial_fit):
        with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
            call(swapped)


@every_package
@pytest.mark.parametrize(
    "values",
    [
        [datetime(2024, 1, 1), datetime(2024, 1, 2)],
        [date(2024, 1, 1), date(2024, 1, 2)],
        [timedelta(hours=1), timedelta(hours=2)],
        [time(1), time(2)],
        ["2024-01-01", "2024-01-02"],
    ],
    ids=["datetime", "date", "duration", "time", "text"],
)
@pytest.mark.parametrize(
    ("read", "wrap", "place"),
    [
        (read_series, lambda frame: frame, "X"),
        (read_series, lambda frame: [frame], "series #0"),
        (read, lambda frame: [frame], "sequence #0"),
        (read, lambda frame: frame, "X"),
    ],
)
def test_columns_that_hold_no_numbers_are_refused_by_name(package, values, read, wrap, place):
    frame = table_of(package, {"cpu": [1.0, 2.0], "when": values})
    sentence = rf"^column 'when' of {place} (has dtype|cannot be read as numbers)"
    with pytest.raises((ValueError, TypeError), match=sentence):
        read(wrap(frame))


def test_columns_of_polars_are_read_as_numbers_whatever_their_types():
    frame = polars.DataFrame(
        {"n": [1, None, 3], "x": [1.5, 2.5, None], "is_on": [True, False, True]}
    )
    values = read_series(frame)[0].values
    np.testing.assert_equal(values, [[1, 1.5, 1], [np.nan, 2.5, 0], [3, np.nan, 1]])
    singles = frame.select(polars.col("x").cast(polars.Float32))
    assert read_series(singles)[0].values.dtype == np.float32


@pytest.mark.parametrize("package", ["pandas", "polars"])
@pytest.mark.parametrize("read", [read, read_series])
def test_long_format_is_refused_with_the_index_that_it_wants(package, read):
    frame = "X" if package == "pandas" else "X.to_pandas()"
    hint = ", or rename them if they are features."
    columns = {"id": [1, 1, 2], "time": [0, 1, 0], "a": [1.0, 2.0, 3.0]}
    sentence = (
        "X is in long format, with columns 'id' and 'time', which would be read as features; "
        f"expected them in the index: pass {frame}."
    )
    with pytest.raises(ValueError, match=exactly(f"{sentence}set_index(['id', 'time']){hint}")):
        read(table_of(package, columns))
    flat = {**columns, "kind": ["a"] * 3, "value": [1.0, 2.0, 3.0]}
    pivot = "pivot(index=['id', 'time'], columns='kind', values='value')"
    with pytest.raises(ValueError, match=exactly(sentence + pivot + hint)):
        read(table_of(package, flat))


def test_a_series_whose_columns_are_times_is_refused():
    sentence = (
        "the columns of X are called by times, but the rows of a series are its time steps; pass "
        "X.T."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read_series(pd.DataFrame(VALUES, index=TIMES).T)


def class_with(**members):
    """Make an instance of a class that another package might have."""
    return type("Foreign", (), members)()


def nothing(self):
    """Stand for a method."""


REMEDIES = {
    "X.collect()": polars.DataFrame({"a": [1.0]}).lazy(),
    "X.toPandas()": class_with(toPandas=nothing, collect=nothing, columns=["a"]),
    "X.to_dataframe()": class_with(to_dataframe=nothing),  # darts
    "X.pd_dataframe()": class_with(pd_dataframe=nothing),
    "X.compute()": class_with(iloc=None, columns=["a"], __dask_graph__=nothing),
}


@pytest.mark.parametrize(("remedy", "X"), REMEDIES.items(), ids=REMEDIES)
@pytest.mark.parametrize(("read", "kind"), [(read, "sequence"), (read_series, "series")])
def test_what_is_not_read_is_refused_with_its_remedy(read, kind, remedy, X):
    name = type(X).__name__
    with pytest.raises(TypeError, match=exactly(f"X is of type {name}; pass {remedy}.")):
        read(X)
    of_each = f"{kind} #1 of X is of type {name}; pass [{remedy.replace('X', 'x')} for x in X]."
    with pytest.raises(TypeError, match=exactly(of_each)):
        read([VALUES, X])


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
@pytest.mark.parametrize("read", [read, read_series])
def test_nested_tensors_are_refused_with_their_remedy(read, layout):
    X = torch.nested.nested_tensor([torch.ones(3, 2), torch.ones(2, 2)], layout=layout)
    with pytest.raises(
        TypeError, match=exactly(f"X is of type {type(X).__name__}; pass X.unbind().")
    ):
        read(X)
    assert read(X.unbind())[0].lengths.tolist() == [3, 2]


class Dataset(dict):
    """As far as it is looked at, xarray's."""

    def __array__(self):
        raise TypeError

    to_dataframe = dims = to_pandas = nothing


@pytest.mark.parametrize("package", ["look-alike", "xarray"])
def test_a_dataset_of_xarray_is_read_as_the_remedy_says(package):
    X = Dataset()
    if package == "xarray":
        columns = {"cpu": ("time", VALUES[:, 0]), "ram": ("time", VALUES[:, 1])}
        X = pytest.importorskip("xarray").Dataset(columns, {"time": TIMES})
        np.testing.assert_array_equal(read_series(X.to_dataframe())[0].values, VALUES)
    for read_it, kind in ((read, "sequence"), (read_series, "series")):
        sentence = "X is of type Dataset; pass X.to_dataframe()."
        with pytest.raises(TypeError, match=exactly(sentence)):
            read_it(X)
        sentence = f"{kind} #0 of X is of type Dataset; pass [x.to_dataframe() for x in X]."
        with pytest.raises(TypeError, match=exactly(sentence)):
            read_it([X])


@pytest.mark.parametrize("package", [pd, polars])
@pytest.mark.parametrize("read", [read, read_series])
def test_groups_are_read_as_the_remedy_says(package, read):
    frame = package.DataFrame({"id": [1, 1, 2], "a": [1.0, 2.0, 3.0]})
    X = frame.groupby("id") if package is pd else frame.group_by("id")
    keys = "columns=['id']" if package is pd else "['id']"
    name = type(X).__name__
    sentence = f"X is of type {name}; pass [x.drop({keys}) for _, x in X]."
    with pytest.raises(TypeError, match=exactly(sentence)):
        read(X)
    groups = [x.drop(columns=["id"]) if package is pd else x.drop(["id"]) for _, x in X]
    assert read(groups)[0].n_features == 1


class DataArray:
    """As far as it is looked at, xarray's."""

    def __init__(self, values, dims, coords=()):
        self.values, self.dims, self.coords = values, dims, dict(coords)

    def to_numpy(self):
        return self.values

    __array__ = to_numpy

    def to_pandas(self):
        index, *columns = (self.coords.get(dim) for dim in self.dims)
        kind = pd.DataFrame if columns else pd.Series
        return kind(self.values, index, *columns)


@pytest.fixture(params=["look-alike", "xarray"])
def data_array(request):
    return pytest.importorskip("xarray").DataArray if request.param == "xarray" else DataArray


def test_an_array_of_xarray_is_read_with_its_names_and_times(data_array):
    X = data_array(
        VALUES, dims=("time", "sensor"), coords={"time": TIMES, "sensor": ["cpu", "ram"]}
    )
    series, form = read_series(X)
    assert form.columns.columns.tolist() == ["cpu", "ram"]
    assert list(form.row_labels()[1][0]) == list(TIMES)
    np.testing.assert_array_equal(series.values, VALUES)
    np.testing.assert_array_equal(read([X])[0].values, VALUES)


@pytest.mark.parametrize("coords", [{}, {"time": TIMES}])
def test_an_array_of_xarray_is_not_read_the_other_way_round(data_array, coords):
    X = data_array(VALUES.T, dims=("sensor", "time"), coords=coords)
    sentence = (
        "{} has dimensions ('sensor', 'time'), of which 'time' holds the times; expected (time "
        "step, feature): pass its transpose, .T."
    )
    with pytest.raises(ValueError, match=exactly(sentence.format("X"))):
        read_series(X)
    for read_it, kind in ((read, "sequence"), (read_series, "series")):
        with pytest.raises(ValueError, match=exactly(sentence.format(f"{kind} #0 of X"))):
            read_it([X])
    assert read(X)[0].lengths.tolist() == [200, 200]  # each row is a sequence
    sentence = (
        "X has dimensions ('time', 'sensor'), of which 'time' holds the times; expected (sample, "
        "time step): pass [X] if X is a single sequence, or use SlidingWindowDetector to judge its "
        "rows."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(data_array(VALUES, dims=("time", "sensor"), coords=coords))


def test_the_times_of_an_array_of_xarray_have_to_be_where_they_are_looked_for(data_array):
    cube = VALUES.reshape(10, 20, 2)
    assert len(read(data_array(cube, dims=("sample", "time", "sensor")))[0]) == 10
    sentence = (
        "X has dimensions ('time', 'sample', 'sensor'), of which 'time' holds the times; expected "
        "(sample, time step, feature): call X.transpose first."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(data_array(cube, dims=("time", "sample", "sensor")))


@pytest.mark.parametrize("names", [["cpu", "ram"], [10, 20]], ids=["text", "numbers"])
def test_the_features_of_an_array_of_xarray_keep_their_names_in_three_dimensions(data_array, names):
    def cube(values, names):
        return data_array(values, dims=("case", "time", "sensor"), coords={"sensor": names})

    values = VALUES.reshape(10, 20, 2)
    X, swapped = cube(values, names), cube(values[..., ::-1], names[::-1])
    frames = [pd.DataFrame(x, columns=names) for x in values]
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    scores = detector.score_samples(X)
    assert scores.shape == (10,)
    np.testing.assert_array_equal(detector.score_samples(frames), scores)
    like_frames = LSTMAutoencoderDetector(**QUICK).fit(frames)
    assert list(known_names(detector)) == list(known_names(like_frames)) == names
    for fitted in (detector, like_frames):
        with pytest.raises(ValueError, match="order"):
            fitted.score_samples(swapped)
    broken = values.copy()
    broken[3, 4, 1] = np.inf
    with pytest.raises(ValueError, match=f"holds infinity at step 4, feature {names[1]!r}; "):
        detector.score_samples(cube(broken, names))


def test_names_of_later_members_are_compared_where_the_first_has_none():
    frames = [pd.DataFrame(x, columns=["cpu", "ram"]) for x in VALUES.reshape(10, 20, 2)]
    detector = LSTMAutoencoderDetector(**QUICK).fit([VALUES, *frames])
    assert detector.feature_names_in_.tolist() == ["cpu", "ram"]
    with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
        detector.score_samples([VALUES, *(frame[["ram", "cpu"]] for frame in frames)])


@pytest.mark.parametrize(
    ("names", "known"),
    [
        ([3, 7], [3, 7]),
        ([1.5, 0.5], [1.5, 0.5]),
        (pd.MultiIndex.from_tuples([("cpu", 0), ("cpu", 1)]), ["('cpu', 0)", "('cpu', 1)"]),
    ],
    ids=["numbers", "fractions", "levels"],
)
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")  # by some versions' forests
def test_names_that_are_no_text_hold_and_are_told(names, known):
    series = pd.DataFrame(VALUES, columns=names)
    detector = SlidingWindowDetector(LSTMAutoencoderDetector(**QUICK), window_size=5).fit(series)
    series.iloc[90:100] = 9.0
    events = detector.find_events(series)
    assert {name for features in events.features for name in features} <= set(known)
    stream = detector.stream()
    stream.push(series[:100])
    assert set(stream.explain()) <= set(known)
    sentence = (
        f"X has columns {known[::-1]}, but SlidingWindowDetector was fitted on {known}; expected "
        "the same in the same order."
    )
    for call in (detector.predict, detector.find_events, detector.recalibrate, stream.push):
        with pytest.raises(ValueError, match=exactly(sentence)):
            call(series[series.columns[::-1]])
    plain = pd.DataFrame(VALUES[100:])  # numbered, as without names
    np.testing.assert_array_equal(
        detector.predict(plain), detector.predict(pd.DataFrame(VALUES[100:], columns=names))
    )
    assert detector.fit(VALUES).predict(series).shape == (200,)


def test_names_of_sequences_that_are_no_text_hold():
    X = [pd.DataFrame(x, columns=[3, 7]) for x in VALUES.reshape(10, 20, 2)]
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    sentence = (
        "X has columns [7, 3], but LSTMAutoencoderDetector was fitted on [3, 7]; expected the same "
        "in the same order."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.predict([x[[7, 3]] for x in X])
