"""Mean ranks of methods over cases, and what they tell.

J. Demšar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine
Learning Research 7, 2006, 1-30, https://www.jmlr.org/papers/v7/demsar06a.html.
"""

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range

LEVEL = 0.05


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


def told_apart(ranks: pd.Series, method: str, n_cases: int) -> list[str]:
    """Return the methods whose mean ranks are farther from this one's than chance explains."""
    is_apart = (ranks - ranks[method]).abs() >= critical_difference(len(ranks), n_cases)
    return list(ranks.index[is_apart])
