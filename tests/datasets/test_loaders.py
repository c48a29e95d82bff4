"""What both loaders share."""

import pickle
from importlib.resources import files

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstmae.datasets import load_japanese_vowels, load_nyc_taxi


def joined(data):
    return np.concatenate(data) if isinstance(data, list) else data


@pytest.mark.parametrize(
    ("load", "options", "names"),
    [
        (load_japanese_vowels, {}, ["data", "target"]),
        (load_japanese_vowels, {"anomalous_speaker": 2}, ["X_train", "X_test", "y_test"]),
        (load_nyc_taxi, {}, ["data", "target"]),
        (load_nyc_taxi, {"as_frame": True}, ["data", "target"]),
    ],
)
def test_return_X_y_gives_the_same_as_the_bunch(load, options, names):
    bunch = load(**options)
    for part, name in zip(load(**options, return_X_y=True), names, strict=True):
        assert type(part) is type(bunch[name])
        assert_array_equal(joined(part), joined(bunch[name]))


@pytest.mark.parametrize(
    ("load", "options"),
    [(load_japanese_vowels, {}), (load_nyc_taxi, {}), (load_nyc_taxi, {"as_frame": True})],
)
def test_changing_what_was_loaded_does_not_change_the_next_load(load, options):
    before = pickle.dumps(load())
    changed = load(**options)
    for values in changed.data if isinstance(changed.data, list) else [changed.data]:
        values[:] = 0.0
    changed.target[:] = 0
    if load is load_nyc_taxi:
        changed.timestamps[:] = np.datetime64("2000-01-01")
        changed.events.clear()
    assert pickle.dumps(load()) == before


@pytest.mark.parametrize(
    ("load", "option"),
    [
        (load_japanese_vowels, "return_X_y"),
        (load_nyc_taxi, "return_X_y"),
        (load_nyc_taxi, "as_frame"),
    ],
)
def test_options_must_be_booleans(load, option):
    with pytest.raises(ValueError, match=f"The '{option}' parameter of {load.__name__} must be"):
        load(**{option: "yes"})


@pytest.mark.parametrize(
    ("load", "needed"),
    [
        (
            load_japanese_vowels,
            ["Kudo", "Toyama", "Shimbo", "10.24432/C5NS47", "CC BY 4.0", "**Changes.**"],
        ),
        (
            load_nyc_taxi,
            [
                "https://github.com/numenta/NAB",
                "Taxi and Limousine Commission",
                "Copyright 2014-2024 Numenta Inc.",
                "Permission is hereby granted, free of charge",
                "**Changes.**",
            ],
        ),
    ],
)
def test_attribution_ships_beside_the_data(load, needed):
    description = " ".join(load().DESCR.split())
    assert [phrase for phrase in needed if phrase not in description] == []


@pytest.mark.parametrize(("name", "limit"), [("japanese_vowels", 300_000), ("nyc_taxi", 30_000)])
def test_data_stay_small_on_disk(name, limit):
    folder = files("skl_lstmae.datasets") / "data"
    assert sum(len((folder / f"{name}.{end}").read_bytes()) for end in ("npz", "rst")) < limit
