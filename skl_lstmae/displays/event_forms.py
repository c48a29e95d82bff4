"""Events and labels in the forms that users have them in, read as intervals of rows."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.detectors.events import find_intervals
from skl_lstmae.displays.drawing import check_length


def runs(is_anomalous: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the intervals of anomalous rows that follow one another."""
    return find_intervals(is_anomalous, np.array([len(is_anomalous)]), max_gap=0, min_length=1)


def intervals_of_labels(y: NDArray[Any] | None) -> NDArray[np.intp] | None:
    """Return the intervals of anomalous rows by labels -1 and +1, or 1 and 0."""
    if y is None:
        return None
    classes = set(np.unique(y).tolist())
    if classes <= {-1, 1} and y.dtype != bool:
        return runs(y == -1)
    if classes <= {0, 1}:
        return runs(y == 1)
    raise ValueError(
        f"y holds the labels {sorted(classes)}; expected -1 (anomalous) and +1 (normal), or 1 "
        "(anomalous) and 0 (normal)."
    )


def labels_of_one(y: Any, lengths: NDArray[np.intp], index: int) -> NDArray[Any]:
    """Return the labels of one series, by those of all in the form of predictions."""
    labels = check_length(_joined(y), int(lengths.sum()), "y", "row of X")
    return np.split(labels, np.cumsum(lengths)[:-1])[index]


def _joined(results: Any) -> NDArray[Any]:
    """Join results of rows, which for a list of series are a list of arrays."""
    is_list = isinstance(results, list) and np.ndim(results[0])
    return np.concatenate(results) if is_list else np.asarray(results)


def _each(events: Any) -> Iterable[Any]:
    return events.itertuples() if hasattr(events, "itertuples") else events


def _are_found(events: Any) -> bool:
    """Tell whether events are what find_events returns, none of them included."""
    fields = ("start", "n_rows", "features")
    if hasattr(events, "itertuples"):
        return all(field in events.columns for field in fields)
    is_list = isinstance(events, (list, tuple))
    return is_list and all(hasattr(event, field) for event in events for field in fields)


def features_of(events: Any) -> list[dict[Any, float] | None]:
    """Return the features to blame for each event, as far as they are told."""
    return [event.features for event in _each(events)] if _are_found(events) else []


def _rows_of(event: Any, times: Any) -> tuple[int, int]:
    """Return the first row of an event, and the one after the last."""
    start = int(times.searchsorted(event.start))
    if start + event.n_rows > len(times) or times[start] != event.start:
        raise ValueError(
            f"events cannot be drawn: one of {event.n_rows} row(s) begins at {event.start}, which "
            "X does not have; expected X as find_events got it: pass it with the same index."
        )
    return start, start + event.n_rows


def intervals_of_events(events: Any, times: Any) -> NDArray[np.intp]:
    """Return events as intervals of rows: the first, and the one after the last."""
    if _are_found(events):
        return np.array([_rows_of(event, times) for event in _each(events)], np.intp).reshape(-1, 2)
    is_readable = hasattr(events, "__array__") or isinstance(events, (list, tuple))
    rows = np.asarray(events if is_readable else (), dtype=object)
    if rows.ndim == 2 and rows.shape[1] == 2 and all(isinstance(i, Integral) for i in rows.flat):
        starts, ends = rows.T
        if ((starts >= 0) & (starts < ends) & (ends <= len(times))).all():
            return rows.astype(np.intp)
    raise ValueError(
        "events cannot be drawn; expected what find_events returns, or integers of shape "
        "(n_events, 2), the first row of each event and the row after its last, which is at most "
        f"{len(times)}."
    )


def total_shares(
    blamed: Iterable[dict[Any, float] | None],
    n_rows: Iterable[int],
    names: Iterable[Any],
    n_features: int,
) -> NDArray[np.float64]:
    """Add up how much features are to blame for events, weighted by the events' lengths."""
    positions = {name: j for j, name in enumerate(names) if isinstance(name, str)}
    totals = np.zeros(n_features)
    for shares, length in zip(blamed, n_rows, strict=True):
        for name, share in (shares or {}).items():
            totals[positions.get(name, name)] += share * length
    return totals
