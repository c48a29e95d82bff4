"""How the rows of long series are divided: into windows to learn from, to refer to and to judge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.gaps import Gaps, rows_of_blackout
from skl_lstmae.data.period import estimate_period, estimate_window_size
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import MIN_SEQUENCES, Split, join_sequences
from skl_lstmae.data.windows import cut, hold_out_ends, in_order, slide, spread
from skl_lstmae.scoring.scorer import MAX_REFERENCES

WINDOWS_PER_EPOCH = 1024
"""Windows that an epoch trains on, at most, unless the user says otherwise."""

LARGEST_SHARE = 6
"""An estimated window is at most this part of the longest series."""

N_JUDGING = 25
"""Windows that judge a row where their number is not up to the user."""

MAX_LENDING_WINDOWS = 4096
"""Windows of the training rows, about, that are scored for thresholds."""

WINDOWS_PER_STRETCH = 8
"""Lengths of a window that rows come in to be scored: at the ends fewer windows cover them."""


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """What becomes of the rows of long series in a fit, whatever judges their windows.

    Parameters
    ----------
    series : Sequences
        All rows.
    gaps : Gaps
        Those without data.
    training, held_out : Sequences
        Those to learn from, and the ends of the series if anything is judged by them.
    size : int
        Rows of a window.
    stride : int
        Rows from one window to the next, in scoring.
    training_stride : int
        The same in training, on average.
    names : tuple of str
        Of the features.
    """

    series: Sequences
    gaps: Gaps
    training: Sequences
    held_out: Sequences
    size: int
    stride: int
    training_stride: int
    names: tuple[Any, ...] = ()

    @cached_property
    def split(self) -> Split:
        """The windows to train on and, thinned out, those of the held-out rows.

        Held-out windows stand no further apart than training windows, nor than a window is long.
        """
        windows, judging = slide(self.training, self.size), slide(self.held_out, self.size)
        n_judging = -(-len(judging) // min(self.training_stride, self.size))
        return Split(
            windows,
            spread(judging, min(n_judging, WINDOWS_PER_EPOCH)),
            n_per_epoch=-(-len(windows) // self.training_stride),
            names=self.names,
        )

    @cached_property
    def references(self) -> Sequences:
        """Windows of all rows, which say what is normal."""
        windows = slide(self.series, self.size)
        windows = windows.take(self.gaps.have_data(windows))
        return spread(windows, min(len(windows), MAX_REFERENCES))

    @cached_property
    def calibrating(self) -> Sequences:
        """The rows whose scores thresholds rest on."""
        rows = join_sequences(self._stretches, self.held_out)
        return rows.take(np.argsort(rows.starts))

    @cached_property
    def windows(self) -> Sequences:
        """The windows of the rows to calibrate on or, if there are few, of all rows."""
        windows = self.gaps.slide_beside(self.calibrating, self.size, self.stride)
        if self._stretches.lengths.sum() == self.training.lengths.sum():
            every = self.gaps.slide_beside(self.series, self.size, self.stride)
            windows = join_sequences(windows, every)
        return in_order(windows)

    @cached_property
    def judged(self) -> Sequences:
        """Those of these windows that hold data, and hence have scores."""
        return self.windows.take(self.gaps.have_data(self.windows))

    @property
    def was_held_out(self) -> NDArray[np.bool_]:
        """Which of the windows that are judged were not learned from, (n_judged,)."""
        return np.isin(self.judged.starts, slide(self.held_out, self.size).starts)

    @cached_property
    def _stretches(self) -> Sequences:
        """The training rows or, if those make many windows, parts of them."""
        n_rows = MAX_LENDING_WINDOWS * self.stride
        if self.training.lengths.sum() <= n_rows:
            return self.training
        length = WINDOWS_PER_STRETCH * self.size
        stretches = cut(self.training, length)
        stretches = stretches.take(stretches.lengths >= self.size)
        return spread(stretches, min(len(stretches), max(1, n_rows // length)))


def plan_windows(
    series: Sequences,
    gaps: Gaps,
    *,
    size: int,
    stride: int,
    training_stride: int | Literal["auto"],
    held_out_share: float,
    names: tuple[Any, ...],
) -> WindowPlan:
    """Divide the rows of series; the last of each are held out if there is to be a share of them.

    Raises
    ------
    ValueError
        If too few windows are left to train on, or none has data enough.
    """
    training, held_out = series, series.take([])
    if held_out_share:
        training, held_out = hold_out_ends(series, size, held_out_share)
    training_stride = choose_training_stride(training, size, training_stride)
    plan = WindowPlan(series, gaps, training, held_out, size, stride, training_stride, names)
    if len(plan.references) == 0 or len(plan.judged) == 0:
        raise ValueError(
            f"no window of {size} rows of X has data in half of its rows; expected some to learn "
            "from: pass other rows, or choose a smaller window_size."
        )
    return plan


def are_whole(pieces: Sequences, series: Sequences) -> NDArray[np.bool_]:
    """Return which pieces are series that nothing has been cut off, (n_pieces,)."""
    owner = np.searchsorted(series.starts, pieces.starts, side="right") - 1
    return (pieces.starts == series.starts[owner]) & (pieces.lengths == series.lengths[owner])


def cut_to_data(
    series: Sequences, gaps: Gaps, window_size: int | Literal["auto"]
) -> tuple[Sequences, int]:
    """Return the pieces of series between blackouts, and how many rows a window has.

    If the pieces ask for shorter windows than the series, shorter stretches are blackouts, too.
    """
    size = choose_window_size(series, window_size)
    pieces = gaps.observed(gaps.cut_at_blackouts(series, rows_of_blackout(size)))
    if len(pieces) == 0:
        raise ValueError(
            "no row of X that sample_weight lets count has an observed value; expected some to "
            "learn from."
        )
    if choose_window_size(pieces, window_size) >= size:
        return pieces, size
    return cut_to_data(pieces, gaps, window_size)


def choose_window_size(series: Sequences, window_size: int | Literal["auto"]) -> int:
    """Return how many rows a window has, or refuse one that is too long."""
    longest = int(series.lengths.max())
    size = window_size
    if size == "auto":
        size = estimate_window_size(series, most_rows(series))
    if size > longest:
        raise ValueError(
            f"window_size={size} is longer than every training series, or piece of one between "
            "jumps in time, blackouts or rows of weight 0: the longest has "
            f"n_samples={longest} rows; choose a shorter one."
        )
    return int(size)


def describe_window_size(series: Sequences, size: int, window_size: int | Literal["auto"]) -> str:
    """Return in words how many rows a window has, and why."""
    if window_size != "auto":
        return f"Windows of {size} rows"
    period = estimate_period(series, most_rows(series))
    if period and size % period == 0:
        return f"Windows of {size} rows, a multiple of the period of {period} rows"
    if period:
        return (
            f"Windows of {size} rows, which hold no whole period of {period} rows: set window_size "
            "if they should"
        )
    if size == most_rows(series):
        return f"Windows of {size} rows, as no period was found, and series are short"
    return f"Windows of {size} rows, as no period was found"


def most_rows(series: Sequences) -> int:
    """Return the most rows that a window has by itself: a sixth of the longest series."""
    return max(1, int(series.lengths.max()) // LARGEST_SHARE)


def choose_stride(stride: int | Literal["auto"], size: int) -> int:
    """Return how many rows lie from one window to the next, or refuse so many that some are left.

    "auto" has each row judged by 25 windows, of those of `size` rows that cover it.
    """
    if stride == "auto":
        return max(1, size // N_JUDGING)
    if stride > size:
        raise ValueError(
            f"stride={stride} is larger than the window of {size} rows and would leave "
            "rows uncovered; choose a smaller stride."
        )
    return int(stride)


def choose_training_stride(
    training: Sequences, size: int, training_stride: int | Literal["auto"]
) -> int:
    """Return of how many consecutive windows an epoch draws one, or refuse too few."""
    n_windows = len(slide(training, size))
    if n_windows < MIN_SEQUENCES:
        raise ValueError(
            f"n_samples={training.lengths.sum()} rows to train on make {n_windows} window(s) "
            f"of {size} rows, expected at least {MIN_SEQUENCES}: pass more rows, "
            "or choose a smaller window_size."
        )
    if training_stride == "auto":
        return -(-n_windows // WINDOWS_PER_EPOCH)
    n_per_epoch = -(-n_windows // training_stride)
    if n_per_epoch < MIN_SEQUENCES:
        raise ValueError(
            f"training_stride={training_stride} draws {n_per_epoch} of {n_windows} "
            f"training windows an epoch, expected at least {MIN_SEQUENCES}; choose a smaller "
            "one."
        )
    return int(training_stride)
