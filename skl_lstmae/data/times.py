"""Times of rows: how far apart they usually are, and series cut where there is a jump."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._warn import warn
from skl_lstmae.data.array_like import is_time_index
from skl_lstmae.data.names import some_of
from skl_lstmae.data.sequences import Sequences

OTHER_STEP = 1.5
"""Factor between two usual steps from which on they are told apart."""


def elapsed(times: Any) -> NDArray[np.float64]:
    """Return the seconds from each time to the next, (n_timesteps - 1,); of no times, none."""
    if not is_time_index(times):
        return np.empty(0)
    if hasattr(times, "to_timestamp"):  # periods
        times = times.to_timestamp()
    values = np.asarray(times)
    if values.dtype == object:  # of Python's, as dates are, or times of a zone
        has_zone = getattr(values[0], "tzinfo", None) is not None  # whose clock may be changed
        return np.diff(
            [
                time.timestamp() if has_zone else (time - values[0]).total_seconds()
                for time in values
            ]
        )
    return np.diff(values) / np.timedelta64(1, "s")


def usual_step(times: Sequence[Any]) -> float | None:
    """Return the median step of time of series, in seconds; None if there are no times."""
    steps = np.concatenate([elapsed(index) for index in times] or [np.empty(0)])
    return float(np.median(steps)) if len(steps) else None


def warn_of_another_step(row_labels: tuple[list[Any], list[Any]], expected: float | None) -> None:
    """Name series whose rows are clearly closer, or further apart, than those of the fit."""
    steps = {i: usual_step([times]) for i, times in zip(*row_labels, strict=True)}
    others = {
        i: step
        for i, step in steps.items()
        if step and expected and not 1 / OTHER_STEP < step / expected < OTHER_STEP
    }
    if others:
        where = "" if len(steps) == 1 else f"series {some_of(list(others))} of "
        warn(
            f"Rows of {where}X are {next(iter(others.values())):g} s apart, those of the fit "
            f"{expected:g} s, so that windows are unlike those of the fit: bring X to the step of "
            "the fit, as by resample."
        )


def jumps_of(times: Any, latest: Any, step: float | None, max_steps: float) -> NDArray[np.bool_]:
    """Return which rows come later than so many usual steps after the row before, (n_timesteps,).

    Parameters
    ----------
    times : index or None
        Of the rows.
    latest : timestamp or None
        Time of the row before the first.
    step : float or None
        The usual step of time in seconds; None means that there are no jumps.
    max_steps : float
        How many steps are no jump.
    """
    if step is None or not is_time_index(times):
        return np.zeros(0 if times is None else len(times), dtype=bool)
    first = times[:1] if latest is None else times[:0].insert(0, latest)
    return elapsed(first.append(times)) > max_steps * step


def cut_at_jumps(
    series: Sequences, times: Sequence[Any], step: float | None, max_steps: float
) -> Sequences:
    """Cut series where the next time is more than so many usual steps away.

    Parameters
    ----------
    series : Sequences
    times : sequence of length n_series
        The times of the rows of each, or anything else where there are none.
    step : float or None
        The usual step of time in seconds; None means that of these very series.
    max_steps : float
        Jumps that are larger are cut at.
    """
    step = usual_step(times) if step is None else step
    if step is None:
        return series
    starts, lengths = [], []
    for start, length, index in zip(series.starts, series.lengths, times, strict=True):
        cuts = 1 + np.flatnonzero(elapsed(index) > max_steps * step)
        edges = np.concatenate([[0], cuts[cuts < length], [length]])
        starts.append(start + edges[:-1])
        lengths.append(np.diff(edges))
    return Sequences(
        series.values,
        np.concatenate(starts).astype(np.intp),
        np.concatenate(lengths).astype(np.intp),
    )
