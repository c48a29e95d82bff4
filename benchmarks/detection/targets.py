"""What the detectors with default parameters are to reach."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.detection.methods import BASELINES
from benchmarks.detection.ranks import Ranks
from benchmarks.detection.summary import by_case, by_dataset, pooled_f1

SEQUENCES = ("vowels", "epilepsy", "plaid", "cmapss", "hdfs", "ecg5000")
LONG_SERIES = ("keogh", "ucr", "nab", "asd")

PUBLISHED_SKAB = {"Conv-AE": 0.782, "MSET": 0.757, "T²+Q": 0.732, "LSTM-AE": 0.723}
"""Pooled F1 of methods of SKAB's leaderboard on the 17 files that are here."""


@dataclass(frozen=True)
class Target:
    """A number and the bound that it is to pass.

    Parameters
    ----------
    what : str
        What the number is.
    reached : float
        The number.
    bound : float
        What it is to be above or below.
    is_above : bool
        Which of the two.
    """

    what: str
    reached: float
    bound: float
    is_above: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the number lies on the right side of the bound."""
        return self.reached > self.bound if self.is_above else self.reached < self.bound


def targets(results: pd.DataFrame, ours: str, published: pd.DataFrame) -> Iterator[Target]:
    """Yield what can be judged of the method `ours` by the results that are there."""
    yield from _sequence_targets(results, ours)
    yield from _published_targets(results, ours, published)
    for title, measure in (("VUS-PR", "vus_pr"), ("VUS-PR after training", "vus_pr_after")):
        means = by_case(results, measure, ("tsb",)).mean()
        if ours in means:
            best = _baselines(means).max()
            yield Target(f"TSB-AD-M: {title}, above the best baseline", means[ours], best)
    yield from _rank_target(results, ours, "vus_pr", LONG_SERIES, "Keogh, UCR, NAB, ASD")


def is_of(method: str, names: Container[str]) -> bool:
    """Tell whether a method is one of those of these names, be it with fewer epochs."""
    return method.partition(", ")[0] in names


def _sequence_targets(results: pd.DataFrame, ours: str) -> Iterator[Target]:
    yield from _rank_target(results, ours, "roc_auc", SEQUENCES, "Sequences")
    means = by_dataset(results, "roc_auc", SEQUENCES)
    if ours in means and len(means):
        shortfall = (_baselines(means.T).max() - means[ours]).max()
        yield Target(f"Mean ROC-AUC of {len(means)} data sets of 6", means[ours].mean(), 0.94)
        yield Target("ROC-AUC short of a data set's best baseline", shortfall, 0.02, False)


def _published_targets(
    results: pd.DataFrame, ours: str, published: pd.DataFrame
) -> Iterator[Target]:
    cases = by_case(results, "vus_pr", ("tsb",))
    if ours in cases and len(cases):
        reached = cases[ours].mean()
        yield Target(f"TSB-AD-M: VUS-PR on {len(cases)} cases of 21", reached, 0.45)
        names = cases.index.get_level_values("case").intersection(published.index)
        if len(names) == len(cases):
            best = published.loc[names].mean().max()
            yield Target("TSB-AD-M: VUS-PR, above the best published", reached, best)
    f1 = pooled_f1(results)
    if ours in f1:
        n_cases = len(by_case(results, "roc_auc", ("skab",)))
        best = max(PUBLISHED_SKAB.values())
        yield Target(f"SKAB: pooled F1 on {n_cases} cases of 17", f1[ours], best)


def _rank_target(
    results: pd.DataFrame, ours: str, measure: str, datasets: tuple[str, ...], title: str
) -> Iterator[Target]:
    values = by_case(results, measure, datasets)
    if ours in values and len(values):
        ranks = Ranks.of(values).means
        best = _baselines(ranks).min()
        yield Target(f"{title}: mean rank, below every baseline's", ranks[ours], best, False)


def _baselines(values: Any) -> Any:
    """Keep the baselines' rows."""
    return values[[is_of(method, BASELINES) for method in values.index]]
