"""What the detector with default parameters is to reach."""

from collections.abc import Iterator

import pandas as pd

from benchmarks.detection.methods import BASELINES
from benchmarks.detection.ranks import mean_ranks
from benchmarks.detection.summary import by_case, by_dataset, pooled_f1

SEQUENCES = ("vowels", "epilepsy", "plaid", "cmapss", "hdfs", "ecg5000")
LONG_SERIES = ("keogh", "ucr", "nab", "asd")

PUBLISHED_SKAB = {"Conv-AE": 0.782, "MSET": 0.757, "T²+Q": 0.732, "LSTM-AE": 0.723}
"""Pooled F1 of methods of SKAB's leaderboard on the 17 files that are here."""

Target = tuple[str, float, float, bool]
"""What the number is, the number, the bound that it is to pass, and whether it does."""


def targets(results: pd.DataFrame, published: pd.DataFrame) -> Iterator[Target]:
    """Yield what can be judged by the results that are there."""
    yield from _rank_target(results, "roc_auc", SEQUENCES, "Sequences")
    means = by_dataset(results, "roc_auc", SEQUENCES)
    if _can_be_judged(means):
        reached = means["default"].mean()
        yield f"Mean ROC-AUC of {len(means)} data sets of 6", reached, 0.94, reached > 0.94
        shortfall = (_baselines(means).max(axis=1) - means["default"]).max()
        yield "ROC-AUC short of a data set's best baseline", shortfall, 0.02, shortfall < 0.02
    yield from _published_targets(results, published)
    for title, measure in (("VUS-PR", "vus_pr"), ("VUS-PR after training", "vus_pr_after")):
        means = by_case(results, measure, ("tsb",))
        if _can_be_judged(means):
            reached, best = means["default"].mean(), _baselines(means).mean().max()
            yield f"TSB-AD-M: {title}, above the best baseline", reached, best, reached > best
    yield from _rank_target(results, "vus_pr", LONG_SERIES, "Keogh, UCR, NAB, ASD")


def _published_targets(results: pd.DataFrame, published: pd.DataFrame) -> Iterator[Target]:
    cases = by_case(results, "vus_pr", ("tsb",))
    if _can_be_judged(cases):
        reached = cases["default"].mean()
        yield f"TSB-AD-M: VUS-PR on {len(cases)} cases of 21", reached, 0.45, reached > 0.45
        names = cases.index.get_level_values("case").intersection(published.index)
        if len(names) == len(cases):
            best = published.loc[names].mean().max()
            yield "TSB-AD-M: VUS-PR, above the best published", reached, best, reached > best
    f1 = pooled_f1(results)
    if "default" in f1:
        n_cases = len(by_case(results, "roc_auc", ("skab",)))
        reached, best = f1["default"], max(PUBLISHED_SKAB.values())
        yield f"SKAB: pooled F1 on {n_cases} cases of 17", reached, best, reached > best


def _rank_target(
    results: pd.DataFrame, measure: str, datasets: tuple[str, ...], title: str
) -> Iterator[Target]:
    values = by_case(results, measure, datasets)
    if _can_be_judged(values):
        ranks = mean_ranks(values)
        reached, best = ranks["default"], ranks[ranks.index.isin(BASELINES)].min()
        yield f"{title}: mean rank, below every baseline's", reached, best, reached < best


def _can_be_judged(values: pd.DataFrame) -> bool:
    return "default" in values and len(values) > 0


def _baselines(values: pd.DataFrame) -> pd.DataFrame:
    return values[[method for method in values if method in BASELINES]]
