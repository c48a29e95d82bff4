"""How much faster one side of a row is than another, by the table of runs that `measure` makes."""

import numpy as np
import pandas as pd

from benchmarks.speed.row import Target

DENSE = "dense loop by hand"
"""The side that does what is needed, and no more."""


def seconds(runs: pd.DataFrame, side: str) -> pd.Series:
    """Return the times of a side by turn, NaN where it failed; empty if it was not run."""
    return runs[runs["side"] == side].set_index("turn")["seconds"]


def median_seconds(runs: pd.DataFrame, side: str) -> float:
    """Return the median to judge by; NaN without runs, or if one failed."""
    return seconds(runs, side).median(skipna=False)


def ratios(runs: pd.DataFrame, over: str, under: str) -> pd.Series:
    """Return how many times as long one side takes as another, turn by turn.

    What slows the machine down for a while slows neighbouring runs alike, so that their ratio
    scatters less than they do. Where one side ran more often than the other, they did not run in
    turns, and the ratio of the medians is the only one.
    """
    slower, faster = seconds(runs, over), seconds(runs, under)
    if slower.index.equals(faster.index):
        return slower / faster
    return pd.Series([slower.median(skipna=False) / faster.median(skipna=False)])


def times_faster(runs: pd.DataFrame, side: str, other: str, bound: float, work: str = "") -> Target:
    """Ask that `side` be `bound` times faster than `other` at `work`, which their names begin."""
    losses = runs.groupby("side")["loss"].median().reindex([work + side, work + other])
    asides = []
    if losses.notna().all():
        asides.append(f"at {losses.iloc[0] / losses.iloc[1]:.2f}× its loss")
    if kernels := best_kernels(runs, work):
        asides.append(f"the bare kernels: {ratios(runs, work + other, kernels).median():.2f}×")
    quantity = f"{work}{side}: times faster than {other}"
    return _target(quantity, ratios(runs, work + other, work + side), bound, True, asides)


def times_the_kernels(runs: pd.DataFrame, side: str, bound: float, work: str = "") -> Target:
    """Ask that `side` take no more than `bound` times what the kernels take at their best."""
    kernels = best_kernels(runs, work) or "kernels"
    found = ratios(runs, work + side, kernels)
    by_hand = ratios(runs, work + DENSE, kernels).dropna()
    asides = [f"{DENSE}: {by_hand.median():.2f}×"] if len(by_hand) else []
    quantity = f"{work}{side}: time relative to the best kernels'"
    return _target(quantity, found, bound, False, asides)


def best_kernels(runs: pd.DataFrame, work: str = "") -> str | None:
    """Return the bare kernels whose median is least at `work`, if there are any."""
    kernels = runs[runs["side"].str.startswith(f"{work}kernels")].dropna(subset="seconds")
    return None if kernels.empty else kernels.groupby("side")["seconds"].median().idxmin()


def _target(quantity: str, found: pd.Series, bound: float, at_least: bool, asides=()) -> Target:
    """Judge by the median of the ratios, and tell the others."""
    reached = found.median(skipna=False) if len(found) else np.nan
    if len(found) > 1 and not np.isnan(reached):
        asides = [f"{found.min():.2f} to {found.max():.2f}", *asides]
    return Target(quantity, reached, bound, at_least, aside="; ".join(asides))
