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
    epochs : int, optional
        Epochs until then, where sides may need unlike many.
    """

    seconds: float
    loss: float | None = None
    peak_rss: int | None = None
    epochs: int | None = None


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
    def losses(self) -> np.ndarray:
        """Losses of the runs, where the side trains; else empty."""
        return np.array([run.loss for run in self.runs if run.loss is not None])

    @property
    def epochs(self) -> np.ndarray:
        """Epochs of the runs, where they are told; else empty."""
        return np.array([run.epochs for run in self.runs if run.epochs is not None])


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
    where_the_time_goes : str
        What limits the row, whatever its figures are.
    in_peers_environment : bool
        Whether the row needs the environment in which the competitors are installed.
    apart : bool
        Whether each side has an :class:`~benchmarks.speed.apart.OwnProcess`.
    repeats : int
        Factor on the number of runs, for what is over in no time.
    runs_once : bool
        Whether each side runs once, whatever number is asked for; in processes of their own.
    measures_memory : bool
        Whether each side but the bare kernels is run once more, in a process of its own, for its
        peak memory.
    """

    name: str
    work: str
    sides: Callable[[bool], dict[str, Side]]
    judge: Callable[[dict[str, Measured]], list[Target]]
    where_the_time_goes: str
    in_peers_environment: bool = False
    apart: bool = False
    repeats: int = 1
    runs_once: bool = False
    measures_memory: bool = True

    def targets(self, measured: dict[str, Measured]) -> list[Target]:
        """Judge what was measured; a side that was not is one without runs."""
        return self.judge(defaultdict(Measured, measured))


def ratios(over: Measured, under: Measured) -> np.ndarray:
    """Return how many times as long one side takes as another, run by run.

    What slows the machine down for a while slows neighbouring runs alike, so that their ratio
    scatters less than they do. Where one side ran more often than the other, they did not run in
    turns, and the ratio of the medians is the only one.
    """
    if len(over.runs) == len(under.runs) and not (over.failure or under.failure):
        return over.seconds / under.seconds
    return np.array([over.median / under.median])


def times_faster(
    measured: dict[str, Measured], side: str, other: str, bound: float, work: str = ""
) -> Target:
    """Ask that `side` be `bound` times faster than `other` at `work`, which their names begin."""
    ours, theirs = measured[work + side], measured[work + other]
    asides = []
    if ours.losses.size and theirs.losses.size:
        asides.append(f"at {np.median(ours.losses) / np.median(theirs.losses):.2f}× its loss")
    if (kernels := best_kernels(measured, work)).runs:
        asides.append(f"the bare kernels: {np.median(ratios(theirs, kernels)):.2f}×")
    quantity = f"{work}{side}: times faster than {other}"
    return _target(quantity, ratios(theirs, ours), bound, at_least=True, asides=asides)


def times_the_kernels(
    measured: dict[str, Measured], side: str, bound: float, work: str = ""
) -> Target:
    """Ask that `side` take no more than `bound` times what the kernels take at their best."""
    found = ratios(measured[work + side], best_kernels(measured, work))
    quantity = f"{work}{side}: time over the best kernels'"
    return _target(quantity, found, bound, at_least=False, asides=[])


def best_kernels(measured: dict[str, Measured], work: str) -> Measured:
    """Return the bare kernels of the size whose median is least; without any, one without runs."""
    kernels = [
        side
        for name, side in measured.items()
        if name.startswith(f"{work}kernels") and not np.isnan(side.median)
    ]
    return min(kernels, key=lambda side: side.median, default=Measured())


def _target(
    quantity: str, found: np.ndarray, bound: float, at_least: bool, asides: list[str]
) -> Target:
    """Judge by the median of the ratios, and tell the others."""
    reached = float(np.median(found)) if found.size else np.nan
    if found.size > 1:
        asides = [f"{found.min():.2f} to {found.max():.2f}", *asides]
    return Target(quantity, reached, bound, at_least, aside="; ".join(asides))
