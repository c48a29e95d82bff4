"""What a frame's columns, levels and dimensions are called, where they tell of ids and times.

The words are those of tsfresh (id, time), Nixtla (unique_id, ds), GluonTS (item_id, timestamp),
sktime (instances, timepoints), pytorch-forecasting (time_idx), C-MAPSS (unit, cycle) and darts
(time).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skl_lstmae.data.array_like import is_time_index
from skl_lstmae.data.containers import column_names, is_frame

# fmt: off
IDS = {
    "id", "unique_id", "series_id", "sequence_id", "sample_id", "item_id", "group_id", "case",
    "case_id", "instance", "instances", "instance_id", "unit", "unit_id", "unit_nr",
    "unit_number", "engine", "engine_id", "machine", "machine_id", "device", "device_id", "batch",
    "batch_no", "batch_nr", "batch_number", "lot", "lot_no", "run_no", "run_nr", "run_number",
}
PLAIN_TIMES = {
    "time", "timestamp", "timestamps", "datetime", "ds", "t", "time_idx", "time_step",
    "timestep", "timepoint", "timepoints",
}
# fmt: on
CYCLES = {"cycle", "cycles"}
SECONDS = {"sec", "secs", "second", "seconds", "elapsed", "elapsed_s", "elapsed_time"}
TIMES = PLAIN_TIMES | CYCLES | SECONDS | {"date", "time_cycles", "time_in_cycles", "step"}
"""The others may as well be what samples are called by, as days are."""

END_OF_ID = "_id"

MANY_ROWS = 10
"""So many values hardly increase throughout unless they are times."""


def means_time(name: Any) -> bool:
    """Tell whether what is called so holds times, and nothing else."""
    return _plain(name) in PLAIN_TIMES


def refuse_long_format(X: Any, place: str = "X") -> None:
    """Refuse a frame whose columns, rather than its index, tell of sequences and times.

    What stands at another place than ``"X"`` is a member of X.
    """
    names = list(column_names(X))
    ids = [name for name in names if _means_id(name)]
    times = [name for name in names if _plain(name) in TIMES]
    if not ids and len(times) > 1:  # as of steps within cycles
        ids = [name for name in times if _plain(name) in CYCLES][:1]
        times = [name for name in times if name not in ids]
    if ids and times:
        _refuse_columns_of_index(X, place, ids[0], times[0])
    if place == "X" and is_frame(X) and X.index.nlevels == 1:
        _refuse_half_an_index(X, ids, times)


def _refuse_columns_of_index(X: Any, place: str, name_of_id: Any, name_of_time: Any) -> None:
    index = [name_of_id, name_of_time]
    frame = "X" if is_frame(X) else "X.to_pandas()"
    remedy = f"{frame}.set_index({index})"
    plain = {_plain(name): name for name in column_names(X)}
    if {"kind", "value"} <= plain.keys():
        remedy = (
            f"{frame}.pivot(index={index}, columns={plain['kind']!r}, values={plain['value']!r})"
        )
    if place != "X":
        remedy = f"[{frame.lower()}.drop(columns={index[0]!r}).set_index({index[1]!r}) for x in X]"
    raise ValueError(
        f"{place} is in long format, with columns {index[0]!r} and {index[1]!r}, which would be "
        f"read as features; expected them in the index: pass {remedy}, or rename them if they are "
        "features."
    )


def _refuse_half_an_index(X: Any, ids: list[Any], times: list[Any]) -> None:
    """Refuse a frame with times as its index and ids as a column, or the other way round."""
    is_series = X.index.is_monotonic_increasing and X.index.is_unique
    if ids and is_time_index(X.index) and not is_series:
        raise ValueError(
            f"X is in long format, with times as its index and ids as column {ids[0]!r}, which "
            "would be read as a feature; expected both in the index: pass "
            f"X.set_index({ids[0]!r}, append=True).swaplevel().sort_index(), or rename it if it is "
            "a feature."
        )
    if times and _means_id(X.index.name) and X.index.has_duplicates:
        raise ValueError(
            f"X is in long format, with ids as its index {X.index.name!r} and times as column "
            f"{times[0]!r}, which would be read as a feature; expected both in the index: pass "
            f"X.set_index({times[0]!r}, append=True), or rename it if it is a feature."
        )


def refuse_column_of_ids(frames: Sequence[Any], kind: str) -> None:
    """Refuse to learn from frames, each a member of X, if a column of numbers holds their ids."""
    if len(frames) == 1:
        return
    for name in filter(_means_id, column_names(frames[0])):
        ids = [_only_value(frame, name) for frame in frames]
        if None not in ids and len(set(ids)) == len(ids):
            raise ValueError(
                f"column {name!r} of X holds one number in each {kind}, and another in each, as "
                "ids do, but would be read as a feature: leave it out, or rename it if it is one."
            )


def _only_value(frame: Any, name: Any) -> Any:
    """Return the number that a column holds throughout, or None if there is no such."""
    values = np.asarray(frame[name])
    is_one = len(values) and values.dtype.kind in "iuf" and bool((values == values[0]).all())
    return values[0].item() if is_one else None


def refuse_column_of_times(series: Any, place: str) -> None:
    """Refuse a frame whose rows are time steps, if a column of numbers holds their times."""
    for name in column_names(series):
        values = np.asarray(series[name]) if _plain(name) in TIMES else np.zeros(0)
        is_long = values.ndim == 1 and len(values) >= MANY_ROWS and values.dtype.kind in "iuf"
        if is_long and (values[1:] > values[:-1]).all():
            remedy = f"make it the index by set_index({name!r})" if is_frame(series) else ""
            raise ValueError(
                f"column {name!r} of {place} increases from row to row, as times do, but would be "
                f"read as a feature: {remedy or 'leave it out'}, or rename it if it is one."
            )


def refuse_swapped_levels(index: Any, kind: str) -> None:
    """Refuse a panel whose levels are called by words that belong the other way round."""
    first, second = map(_plain, index.names)
    is_right = first in IDS or second in TIMES
    if not is_right and (second in IDS or first in PLAIN_TIMES):
        raise ValueError(
            f"the levels of the index of X are called {index.names[0]!r} and {index.names[1]!r}; "
            f"expected {kind} id and time: call X.swaplevel().sort_index() first, or rename them "
            "if they are in this order."
        )


def _means_id(name: Any) -> bool:
    return _plain(name) in IDS or _plain(name).endswith(END_OF_ID)


def _plain(name: Any) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")
