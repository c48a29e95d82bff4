"""Labelled real data: what of each file a detector is fitted on, and what it is judged by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SEQUENCES, EVENTS, SERIES = "sequences", "events", "series"
"""Kinds of data: sequences of measurements, sequences of one-hot events, or one long series."""

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A detector's task: sequences of shape (n_timesteps, n_features), or one series of them."""

    kind: str
    X_train: Any
    X_test: Any
    is_anomaly: np.ndarray  # labels of the sequences of X_test, or of its rows
    n_seen: int = 0  # number of first rows of X_test that are the training part
    window: int = 100  # rows of a window, for methods that do not choose it


@dataclass(frozen=True)
class Dataset:
    """Where the cases of a data set are, one a file that has the key, and how one is read."""

    folders: list[str]
    read: Callable[[str, Arrays], Case]  # given the name of the file and its arrays
    key: str

    def files(self, data: Path) -> dict[str, Path]:
        """Return the files of the cases by name."""
        files = [file for name in self.folders for file in sorted((data / name).glob("*.npz"))]
        return {file.stem: file for file in files if self._has_key(file)}

    def load(self, file: Path) -> Case:
        with np.load(file) as arrays:
            return self.read(file.stem, arrays)

    def _has_key(self, file: Path) -> bool:
        with np.load(file) as arrays:
            return self.key in arrays


def read_sequences(name: str, arrays: Arrays) -> Case:
    X_train, X_test = (
        np.split(arrays[f"{part}_values"], np.cumsum(arrays[f"{part}_lengths"])[:-1])
        for part in ("train", "test")
    )
    return Case(SEQUENCES, X_train, X_test, arrays["y_test"] == 1)


def read_events(name: str, arrays: Arrays) -> Case:
    """Make one-hot vectors of event numbers, which start at 1."""
    numbered = read_sequences(name, arrays)
    one_hot = np.eye(int(arrays["n_events"]), dtype=np.float32)
    X_train, X_test = (
        [one_hot[events[:, 0].astype(int) - 1] for events in part]
        for part in (numbered.X_train, numbered.X_test)
    )
    return Case(EVENTS, X_train, X_test, numbered.is_anomaly)


def read_parts(kind: str) -> Callable[[str, Arrays], Case]:
    """Read sequences of one length, or a series, of which both parts have an array."""
    return lambda name, arrays: Case(
        kind, arrays["X_train"], arrays["X_test"], arrays["y_test"] == 1
    )


def read_seen_series(name: str, arrays: Arrays) -> Case:
    """Follow TSB-AD: all of a series is judged, the first part that is fitted on included."""
    X, n_seen = arrays["X_test"], int(arrays["tsb_train_idx"])
    return Case(SERIES, X[:n_seen], X, arrays["y_test"] == 1, n_seen)


def read_start(key: str, window: int = 100) -> Callable[[str, Arrays], Case]:
    """Fit on as many first rows as the array `key` says, and judge the rest."""

    def read(name: str, arrays: Arrays) -> Case:
        X, n_train = arrays["X"], int(arrays[key])
        return Case(SERIES, X[:n_train], X[n_train:], arrays["y"][n_train:] == 1, window=window)

    return read


KEOGH_THINNED = {"power_demand": 8, "resp_nprs44": 4}
"""Series of which the mean of so many rows counts as one; EncDec-AD takes 84 of a week's 672."""


def read_slices(name: str, arrays: Arrays) -> Case:
    """Cut training and test rows out; where holidays are labelled apart, they are the anomalies."""
    n_merged = KEOGH_THINNED.get(name, 1)
    labels = arrays.get("y_holiday_all", arrays["y"])

    def blocks(values: np.ndarray, part: str) -> np.ndarray:
        rows = values[slice(*arrays[f"{part}_slice"])]
        n_blocks = len(rows) // n_merged
        return rows[: n_blocks * n_merged].reshape(n_blocks, n_merged, *rows.shape[1:])

    X_train, X_test = (blocks(arrays["X"], part).mean(axis=1) for part in ("train", "test"))
    return Case(SERIES, X_train, X_test, blocks(labels, "test").any(axis=1))


DATASETS = {
    "vowels": Dataset(["japanese_vowels"], read_sequences, "y_test"),
    "epilepsy": Dataset(["epilepsy"], read_sequences, "y_test"),
    "plaid": Dataset(["plaid"], read_sequences, "y_test"),
    "cmapss": Dataset(["cmapss_fd001"], read_sequences, "y_test"),
    "hdfs": Dataset(["hdfs_events"], read_events, "y_test"),
    "ecg5000": Dataset(["ecg5000"], read_parts(SEQUENCES), "y_test"),
    "tsb": Dataset(["smd", "smap_msl"], read_seen_series, "tsb_train_idx"),
    # Windows of 100 would leave few of the 230 to 750 training rows of NAB and the 400 of SKAB.
    "skab": Dataset(["skab"], read_start("n_train", window=30), "n_train"),
    "keogh": Dataset(["keogh"], read_slices, "train_slice"),
    "ucr": Dataset(["ucr_anomaly"], read_start("n_train"), "n_train"),
    "nab": Dataset(["nab"], read_start("n_probation", window=64), "n_probation"),
    "asd": Dataset(["asd"], read_parts(SERIES), "y_test"),
}

SETS_OF_SEQUENCES = ("vowels", "epilepsy", "plaid", "cmapss", "hdfs", "ecg5000")
LONG_SERIES = ("keogh", "ucr", "nab", "asd")
"""Series that the methods are ranked on together."""
