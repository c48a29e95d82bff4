"""What a row of the benchmark is made of: sides to run, and targets to judge them by."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


class UnavailableError(Exception):
    """A side cannot run here; the message says why."""


@dataclass(frozen=True)
class Run:
    """What one run of a side took.

    Parameters
    ----------
    seconds : float
        The time that counts, which may be a part of the run's.
    loss : float, optional
        Loss at the end, where the side trains.
    peak_rss : int, optional
        Peak resident memory in bytes, where the run had a process of its own.
    """

    seconds: float
    loss: float | None = None
    peak_rss: int | None = None


Side = Callable[[int], Run]
"""Runs once with the given seed."""


@dataclass
class Measured:
    """All runs of a side, and why there are no more if one failed."""

    runs: list[Run] = field(default_factory=list)
    peak_rss: int | None = None
    failure: str | None = None

    @property
    def seconds(self) -> np.ndarray:
        """Times of the runs, (n_runs,)."""
        return np.array([run.seconds for run in self.runs])

    @property
    def median(self) -> float:
        """Median time to judge by; NaN if there are no runs, or if one failed."""
        return float(np.median(self.seconds)) if self.runs and not self.failure else np.nan

    @property
    def loss(self) -> float | None:
        """Median loss, where the side trains."""
        losses = [run.loss for run in self.runs if run.loss is not None]
        return float(np.median(losses)) if losses else None


@dataclass(frozen=True)
class Target:
    """A number and the bound that it is to keep.

    Parameters
    ----------
    quantity : str
        What the number is.
    reached : float
        The number; NaN if a side it needs could not be run.
    bound : float
        The least or the most it may be.
    at_least : bool
        Which of the two `bound` is.
    unit : str
        Stands behind the numbers.
    aside : str
        What else there is to say of the number.
    """

    quantity: str
    reached: float
    bound: float
    at_least: bool
    unit: str = "×"
    aside: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether the number is known and keeps the bound."""
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound

    @property
    def verdict(self) -> str:
        """Whether the bound is kept, in words."""
        if np.isnan(self.reached):
            return "not measured"
        return "met" if self.is_kept else "**missed**"


@dataclass(frozen=True)
class Row:
    """One row.

    Parameters
    ----------
    name : str
        B1, B2, ...
    work : str
        What the sides do.
    sides : callable
        Returns the sides by name, given whether to make do with a small problem. What they share,
        such as the data, is made here, outside of any measured time.
    judge : callable
        Returns the targets, given each side's :class:`Measured` by name; :meth:`targets` calls it.
    in_peers_environment : bool
        Whether the row needs the environment in which the competitors are installed.
    repeats : int
        Factor on the number of runs, for what is over in no time; with 0, sides run once, which
        needs processes of their own.
    measures_memory : bool
        Whether each side is run once more, in a process of its own, for its peak memory.
    where_the_time_goes : str
        What to say of a target that is missed.
    """

    name: str
    work: str
    sides: Callable[[bool], dict[str, Side]]
    judge: Callable[[dict[str, Measured]], list[Target]]
    in_peers_environment: bool = False
    repeats: int = 1
    measures_memory: bool = True
    where_the_time_goes: str = ""

    def targets(self, measured: dict[str, Measured]) -> list[Target]:
        """Judge what was measured; a side that was not is one without runs."""
        return self.judge(defaultdict(Measured, measured))


def times_faster(
    measured: dict[str, Measured], side: str, other: str, bound: float, work: str = ""
) -> Target:
    """Ask that `side` be `bound` times faster than `other` at `work`, which their names begin."""
    ratio = measured[work + other].median / measured[work + side].median
    return Target(f"{work}{side}: times faster than {other}", ratio, bound, at_least=True)


def times_the_kernels(
    measured: dict[str, Measured], side: str, bound: float, work: str = ""
) -> Target:
    """Ask that `side` take no more than `bound` times what the kernels take at their best."""
    kernels = [
        other.median for name, other in measured.items() if name.startswith(f"{work}kernels")
    ]
    ratio = measured[work + side].median / np.min(kernels, initial=np.inf)
    return Target(f"{work}{side}: time over the best kernels'", ratio, bound, at_least=False)
