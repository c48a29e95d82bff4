"""What a frame's columns, levels and dimensions are called, where they tell of ids and times.

The words are those of tsfresh (id, time), Nixtla (unique_id, ds), GluonTS (item_id, timestamp),
sktime (instances, timepoints), pytorch-forecasting (time_idx), C-MAPSS (unit, cycle) and darts
(time).
"""

from typing import Any

import numpy as np

from skl_lstmae.data.containers import column_names, is_frame

# fmt: off
IDS = {
    "id", "unique_id", "series_id", "sequence_id", "sample_id", "item_id", "group_id", "case",
    "case_id", "instance", "instances", "instance_id", "unit", "unit_id", "unit_nr",
    "unit_number", "engine", "engine_id", "machine", "machine_id", "device", "device_id",
}
PLAIN_TIMES = {
    "time", "timestamp", "timestamps", "datetime", "ds", "t", "time_idx", "time_step",
    "timestep", "timepoint", "timepoints",
}
# fmt: on
TIMES = PLAIN_TIMES | {"date", "cycle", "cycles", "time_cycles", "time_in_cycles", "step"}
"""The others may as well be what samples are called by, as days are."""

MANY_ROWS = 10
"""So many values hardly increase throughout unless they are times."""


def means_time(name: Any) -> bool:
    """Tell whether what is called so holds times, and nothing else."""
    return _plain(name) in PLAIN_TIMES


def refuse_long_format(X: Any, place: str = "X") -> None:
    """Refuse a frame whose columns, rather than its index, tell of sequences and times.

    What stands at another place than ``"X"`` is a member of X.
    """
    names = {_plain(name): name for name in column_names(X)}
    ids = [name for plain, name in names.items() if plain in IDS]
    times = [name for plain, name in names.items() if plain in TIMES]
    if not (ids and times):
        return
    index = [ids[0], times[0]]
    frame = "X" if is_frame(X) else "X.to_pandas()"
    remedy = f"{frame}.set_index({index})"
    if {"kind", "value"} <= set(names):
        remedy = (
            f"{frame}.pivot(index={index}, columns={names['kind']!r}, values={names['value']!r})"
        )
    if place != "X":
        remedy = f"[{frame.lower()}.drop(columns={index[0]!r}).set_index({index[1]!r}) for x in X]"
    raise ValueError(
        f"{place} is in long format, with columns {index[0]!r} and {index[1]!r}, which would be "
        f"read as features; expected them in the index: pass {remedy}, or rename them if they are "
        "features."
    )


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


def _plain(name: Any) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")
