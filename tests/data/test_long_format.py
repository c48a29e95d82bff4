"""Ids and times that stand among the features, or the other way round, are met by their names."""

import numpy as np
import pandas as pd
import polars
import pytest
from conftest import exactly
from sklearn.base import BaseEstimator

from skl_lstmae import write_sequences
from skl_lstmae.data.checks import check_sequences, check_series
from skl_lstmae.data.reading import read, read_series

N_IDS, N_TIMES = 3, 12
VALUES = np.random.default_rng(0).normal(size=N_IDS * N_TIMES)


def long_format(name_of_id, name_of_time):
    ids, times = np.divmod(np.arange(N_IDS * N_TIMES), N_TIMES)
    return pd.DataFrame({name_of_id: ids, name_of_time: times + 1_700_000_000, "load": VALUES})


@pytest.mark.parametrize("read", [read, read_series])
@pytest.mark.parametrize(
    "names",
    [
        ("unique_id", "ds"),
        ("unit", "cycle"),
        ("unit number", "time in cycles"),
        ("machine", "t"),
        ("case_id", "timestamp"),
        ("item_id", "timestamp"),
        ("instances", "timepoints"),
        ("Unit-ID", "Time_Idx"),
        ("cycle_id", "time"),
        ("cycle", "step"),
        ("machine", "sec"),
        ("batch_no", "elapsed"),
        ("run_id", "elapsed_s"),
    ],
)
def test_long_format_is_known_by_the_words_of_the_field(read, names):
    frame = long_format(*names)
    sentence = (
        "X is in long format, with columns {0!r} and {1!r}, which would be read as features; "
        "expected them in the index: pass X.set_index([{0!r}, {1!r}]), or rename them if they are "
        "features."
    )
    with pytest.raises(ValueError, match=exactly(sentence.format(*names))):
        read(frame)
    assert len(read(frame.set_index(list(names)))[0]) == N_IDS


@pytest.mark.parametrize(("read", "kind"), [(read, "sequence"), (read_series, "series")])
def test_groups_that_keep_their_ids_and_times_are_refused(read, kind):
    frame = long_format("unit", "cycle")
    groups = [group for _, group in frame.groupby("unit")]
    sentence = (
        f"{kind} #0 of X is in long format, with columns 'unit' and 'cycle', which would be read "
        "as features; expected them in the index: pass [{}.drop(columns='unit').set_index('cycle') "
        "for x in X], or rename them if they are features."
    )
    with pytest.raises(ValueError, match=exactly(sentence.format("x"))):
        read(groups)
    with pytest.raises(ValueError, match=exactly(sentence.format("x.to_pandas()"))):
        read(polars.DataFrame(long_format("unit", "cycle").to_dict("list")).partition_by("unit"))
    assert len(read([x.drop(columns="unit").set_index("cycle") for x in groups])[0]) == N_IDS


@pytest.mark.parametrize("names", [("queue_no", "response_time"), ("mach_number", "hour")])
@pytest.mark.parametrize("read", [read, read_series])
def test_features_that_are_called_a_little_like_ids_and_times_are_read(read, names):
    assert read([long_format(*names)])[0].n_features == 3


CHECKS = [
    ("sequence", lambda X: check_sequences(BaseEstimator(), X)),
    ("series", lambda X: check_series(BaseEstimator(), X, reset=True)),
]


@pytest.mark.parametrize("name", ["unit", "cycle_id", "Run No"])
@pytest.mark.parametrize(("kind", "learn"), CHECKS)
def test_groups_that_keep_their_ids_alone_are_not_learned_from(kind, learn, name):
    frame = long_format(name, "x").drop(columns="x").iloc[::-1].reset_index(drop=True)
    groups = [group.reset_index(drop=True) for _, group in frame.groupby(name, sort=False)]
    sentence = (
        f"column {name!r} of X holds one number in each {kind}, and another in each, as ids do, "
        "but would be read as a feature: leave it out, or rename it if it is one."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        learn(groups)
    learn([x.drop(columns=name) for x in groups])
    learn(groups[:1])
    groups[0][name] = groups[1][name].iloc[0]
    learn(groups)
    groups[0][name] = VALUES[:N_TIMES]
    learn(groups)


def test_what_was_a_feature_in_fit_may_be_constant_later():
    frames = [long_format("unit", "x").drop(columns="x").assign(unit=VALUES) for _ in range(3)]
    estimator = BaseEstimator()
    check_sequences(estimator, frames)
    constant = [x.assign(unit=i) for i, x in enumerate(frames)]
    check_sequences(estimator, constant, n_channels=2)


@pytest.mark.parametrize("name", ["id", "cycle_id"])
@pytest.mark.parametrize("is_text", [True, False])
@pytest.mark.parametrize("read", [read, read_series])
def test_ids_beside_an_index_of_times_are_refused(read, name, is_text):
    frame = long_format(name, "time")
    frame[name] = frame[name].map("run {}".format) if is_text else frame[name]
    frame["time"] = pd.to_datetime(frame["time"], unit="s")
    X = frame.set_index("time")
    sentence = (
        f"X is in long format, with times as its index and ids as column {name!r}, which would be "
        f"read as a feature; expected both in the index: pass X.set_index({name!r}, append=True)"
        ".swaplevel().sort_index(), or rename it if it is a feature."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(X)
    sequences, _ = read(X.set_index(name, append=True).swaplevel().sort_index())
    assert len(sequences) == N_IDS


@pytest.mark.parametrize("name", ["device_id", "part_no"])
def test_a_series_may_have_numbers_of_what_it_works_on(name):
    frame = long_format(name, "time").drop(columns="time")
    frame.index = pd.date_range("2024-01-01", periods=len(frame), freq="min")
    assert read_series(frame)[0].n_features == 2


@pytest.mark.parametrize("read", [read, read_series])
def test_times_beside_an_index_of_ids_are_refused(read):
    X = long_format("unit", "step").set_index("unit")
    sentence = (
        "X is in long format, with ids as its index 'unit' and times as column 'step', which would "
        "be read as a feature; expected both in the index: pass X.set_index('step', append=True), "
        "or rename it if it is a feature."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(X)
    assert len(read(X.set_index("step", append=True))[0]) == N_IDS


def test_a_table_may_hold_several_sequences_of_one_patient():
    index = pd.Index([7, 7, 8], name="patient_id")
    assert len(read(pd.DataFrame(VALUES[:12].reshape(3, 4), index=index))[0]) == 3


@pytest.mark.parametrize("package", [pd, polars])
@pytest.mark.parametrize(
    ("read", "wrap", "place"),
    [
        (read_series, lambda frame: frame, "X"),
        (read_series, lambda frame: [frame], "series #0 of X"),
        (read, lambda frame: [frame], "sequence #0 of X"),
    ],
)
def test_numbers_of_times_among_the_features_of_a_series_are_refused(package, read, wrap, place):
    columns = {"timestamp": np.arange(N_TIMES) + 1_700_000_000, "load": VALUES[:N_TIMES]}
    remedy = "make it the index by set_index('timestamp')" if package is pd else "leave it out"
    sentence = (
        f"column 'timestamp' of {place} increases from row to row, as times do, but would be read "
        f"as a feature: {remedy}, or rename it if it is one."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(wrap(package.DataFrame(columns)))
    columns["timestamp"] = columns["timestamp"][::-1]
    assert read(wrap(package.DataFrame(columns)))[0].n_features == 2


@pytest.mark.parametrize("read", [read, read_series])
@pytest.mark.parametrize(
    "names", [("time", "case"), ("t", "machine"), ("cycle", "unit"), ("time", None), (None, "id")]
)
def test_levels_that_are_called_the_other_way_round_are_refused(read, names):
    kind = "series" if read is read_series else "sequence"
    index = pd.MultiIndex.from_product([range(N_TIMES), range(N_IDS)], names=names)
    panel = pd.DataFrame({"load": VALUES}, index=index)
    sentence = (
        f"the levels of the index of X are called {names[0]!r} and {names[1]!r}; expected {kind} id"
        " and time: call X.swaplevel().sort_index() first, or rename them if they are in this "
        "order."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        read(panel)
    assert len(read(panel.swaplevel().sort_index())[0]) == N_IDS


@pytest.mark.parametrize(
    "names", [(None, None), ("unit", "cycle"), ("day", "hour"), ("cycle", "step"), ("date", "hour")]
)
def test_other_names_of_levels_are_left_in_their_order(names):
    index = pd.MultiIndex.from_product([range(N_TIMES), range(N_IDS)], names=names)
    assert len(read(pd.DataFrame({"load": VALUES}, index=index))[0]) == N_TIMES


def test_written_sequences_that_keep_their_ids_and_times_are_refused(tmp_path):
    groups = [group for _, group in long_format("unit", "cycle").groupby("unit")]
    with pytest.raises(ValueError, match=r"^sequence #0 is in long format, with columns 'unit'"):
        write_sequences(tmp_path, groups)
