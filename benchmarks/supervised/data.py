"""Sequences with class labels: those that a folder holds, and those that aeon's package ships."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

NAMES = {
    "vowels": "japanese_vowels",
    "gestures": "pickup_gesture",
    "gun point": "gun_point_cropped",
    "power demand": "italy_power_demand_cropped",
}
"""Of the files in the folder ``supervised`` of the data."""

AEON = {"arrow heads": "ArrowHead", "motions": "BasicMotions", "leaves": "OSULeaf"}
"""Of folders that aeon's package ships; these sequences are cut to random lengths."""

SETS = (*NAMES, *AEON)

FOLDER = Path("datasets") / "data"
"""Inside aeon."""

N_FOLDS = 3

SHORTEST = 0.7
"""Part of a sequence that a random cut leaves at least."""


@dataclass(frozen=True, eq=False)
class Case:
    """Sequences (n_timesteps, n_features) and their labels, divided as the archive divides them."""

    X_train: list[np.ndarray]
    y_train: np.ndarray
    X_test: list[np.ndarray]
    y_test: np.ndarray


def folds(case: Case, seed: int) -> Iterator[Case]:
    """Divide the training sequences alone, for what is chosen before anything is tested."""
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    for train, test in splitter.split(case.y_train, case.y_train):
        X_train, X_test = ([case.X_train[i] for i in part] for part in (train, test))
        yield Case(X_train, case.y_train[train], X_test, case.y_train[test])


def load(name: str, data: Path) -> Case | None:
    """Return a set, or None if it is one that aeon would ship, and aeon is not installed."""
    if name in NAMES:
        arrays = np.load(data / "supervised" / f"{NAMES[name]}.npz")
        parts = [arrays[key] for key in ("train_values", "test_values")]
        ends = [np.cumsum(arrays[key])[:-1] for key in ("train_lengths", "test_lengths")]
        X_train, X_test = (np.split(part, end) for part, end in zip(parts, ends, strict=True))
        return Case(X_train, arrays["y_train"], X_test, arrays["y_test"])
    folder = _folder_of_aeon()
    if folder is None or not folder.is_dir():
        return None
    stem = folder / AEON[name] / AEON[name]
    rng = np.random.default_rng(0)
    train, test = (
        [(_cut(x, rng), label) for x, label in _read(Path(f"{stem}_{part}.ts"))]
        for part in ("TRAIN", "TEST")
    )
    (X_train, y_train), (X_test, y_test) = zip(*train, strict=True), zip(*test, strict=True)
    return Case(list(X_train), np.array(y_train), list(X_test), np.array(y_test))


def _folder_of_aeon() -> Path | None:
    found = find_spec("aeon")
    places = None if found is None else found.submodule_search_locations
    return Path(places[0]) / FOLDER if places else None


def _read(file: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Yield the sequences of a file of equal lengths, and their labels."""
    _, _, lines = file.read_text().partition("@data")
    for line in lines.split():
        *features, label = line.split(":")
        yield np.array([feature.split(",") for feature in features], dtype=np.float32).T, label


def _cut(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length = rng.integers(int(SHORTEST * len(x)), len(x), endpoint=True)
    start = rng.integers(len(x) - length, endpoint=True)
    return x[start : start + length]
