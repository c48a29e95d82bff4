"""The methods compared: their ranks, and what the default is to reach.

J. Demšar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine
Learning Research 7, 2006, 1-30, https://www.jmlr.org/papers/v7/demsar06a.html.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range

from benchmarks.detection.data import LONG_SERIES, SETS_OF_SEQUENCES
from benchmarks.detection.methods import BASELINES
from benchmarks.detection.summary import by_case, by_dataset, pooled_f1

LEVEL = 0.05

PUBLISHED_SKAB = {"Conv-AE": 0.782, "MSET": 0.757, "T²+Q": 0.732, "LSTM-AE": 0.723}
"""Pooled F1 of methods of SKAB's leaderboard on the 17 files that are here."""


def mean_ranks(values: pd.DataFrame) -> pd.Series:
    """Rank the methods, columns, in each case, a row; return the means, the best, 1, first."""
    return values.rank(axis=1, ascending=False).mean().sort_values(kind="stable")


def p_value(values: pd.DataFrame) -> float:
    """Test by Friedman that all methods are alike; NaN for fewer than three methods."""
    n_cases, n_methods = values.shape
    if n_methods < 3 or n_cases < 2:
        return np.nan
    return friedmanchisquare(*values.T.to_numpy()).pvalue


def critical_difference(n_methods: int, n_cases: int) -> float:
    """Return Nemenyi's: methods whose mean ranks differ by less are not told apart at the level."""
    quantile = studentized_range.ppf(1 - LEVEL, n_methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(n_methods * (n_methods + 1) / (6 * n_cases)))


def targets(results: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return what can be judged by the results that are there: a row a target."""
    found = [
        (what, reached, bound, "met" if (reached > bound) == is_more else "**missed**")
        for what, reached, bound, is_more in _candidates(results, published)
        if not np.isnan([reached, bound]).any()
    ]
    return pd.DataFrame(found, columns=["", "reached", "bound", "verdict"]).set_index("")


def _candidates(
    results: pd.DataFrame, published: pd.DataFrame
) -> Iterator[tuple[str, float, float, bool]]:
    """Yield a target, what is reached, the bound, NaN if missing, and if more of it is better."""
    sequences = by_case(results, "roc_auc", SETS_OF_SEQUENCES)
    yield "Sequences: mean rank, below every baseline's", *_ranks(sequences), False
    means = by_dataset(results, "roc_auc", SETS_OF_SEQUENCES)
    of_default, of_baselines = _split(means)
    yield f"Mean ROC-AUC of {len(means)} data sets of 6", of_default.mean(), 0.94, True
    shortfall = (of_baselines.max(axis=1) - of_default).max()
    yield "ROC-AUC short of a data set's best baseline", shortfall, 0.02, False
    cases = by_case(results, "vus_pr", ("tsb",)).droplevel("dataset")
    reached = _split(cases)[0].mean()
    theirs = published.reindex(cases.index).mean(skipna=False).max()
    yield f"TSB-AD-M: VUS-PR on {len(cases)} cases of 21", reached, 0.45, True
    yield "TSB-AD-M: VUS-PR, above the best published", reached, theirs, True
    f1, n_cases = pooled_f1(results), len(by_case(results, "roc_auc", ("skab",)))
    best = max(PUBLISHED_SKAB.values())
    yield f"SKAB: pooled F1 on {n_cases} cases of 17", f1.get("default", np.nan), best, True
    for title, measure in {"VUS-PR": "vus_pr", "VUS-PR after training": "vus_pr_after"}.items():
        of_default, of_baselines = _split(by_case(results, measure, ("tsb",)))
        what = f"TSB-AD-M: {title}, above the best baseline"
        yield what, of_default.mean(), of_baselines.mean().max(), True
    series = by_case(results, "vus_pr", LONG_SERIES)
    yield "Keogh, UCR, NAB, ASD: mean rank, below every baseline's", *_ranks(series), False


def _split(values: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Return the default's values and the baselines', NaN where there are none."""
    return values.reindex(columns=["default"])["default"], values.reindex(columns=[*BASELINES])


def _ranks(values: pd.DataFrame) -> tuple[float, float]:
    ranks = mean_ranks(values)
    return ranks.get("default", np.nan), ranks.reindex([*BASELINES]).min()
