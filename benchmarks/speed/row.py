"""What a row of the benchmark is made of: sides to run, and targets to judge them by."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Run:
    """What one run of a side took; what a side does not have is NaN."""

    seconds: float  # those that count, which may be a part of the run's
    loss: float = np.nan  # at the end, where the side trains
    epochs: float = np.nan  # until then, where sides may need unlike many
    peak_rss: float = np.nan  # bytes, where the side has a process of its own


NO_RUNS = pd.DataFrame([{"side": "", "turn": 0, **asdict(Run(np.nan))}])[:0]
"""The table of runs of a row that was not measured."""

Side = Callable[[int], Run]
"""Runs once with the given seed."""


def time_call(call: Callable[..., Any], *arguments: Any) -> float:
    start = perf_counter()
    call(*arguments)
    return perf_counter() - start


def timed(call: Callable[..., Any], *arguments: Any) -> Side:
    """Return the side that makes a call, whatever the seed."""
    return lambda seed: Run(time_call(call, *arguments))


@dataclass(frozen=True)
class Target:
    """A number, NaN if a side it needs could not be run, and the bound that it is to keep."""

    quantity: str
    reached: float
    bound: float
    at_least: bool
    unit: str = "×"
    aside: str = ""

    @property
    def verdict(self) -> str:
        if np.isnan(self.reached):
            return "not measured"
        is_kept = self.reached >= self.bound if self.at_least else self.reached <= self.bound
        return "met" if is_kept else "**missed**"


@dataclass(frozen=True)
class Row:
    """One row, B1 or B2 or ..., and how it is to be measured."""

    name: str
    # Given whether to make do with a small problem. What sides share, such as the data, is made
    # here, outside of any measured time.
    sides: Callable[[bool], dict[str, Side]]
    # Given the table of runs that `measure` returns.
    judge: Callable[[pd.DataFrame], list[Target]]
    in_peers_environment: bool = False
    # A process for each side but the bare kernels: it tells the side's peak memory, and what a fit
    # does to the memory of its process is no gain of another side.
    apart: bool = False
    repeats: int = 1  # factor on the number of runs: many if over in no time, 0 for a single run
