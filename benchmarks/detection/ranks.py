"""Mean ranks of methods over cases, and what they tell.

J. Demšar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine
Learning Research 7, 2006, 1-30, https://www.jmlr.org/papers/v7/demsar06a.html.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, studentized_range

LEVEL = 0.05


@dataclass(frozen=True)
class Ranks:
    """Ranks of methods over cases.

    Parameters
    ----------
    means : Series
        Mean rank of each method, the best first; 1 is the best rank.
    n_cases : int
        Number of cases.
    p_value : float
        Of the Friedman test that all methods are alike; NaN for fewer than three methods.
    critical_difference : float
        Nemenyi's: methods whose mean ranks differ by less are not told apart at the 5 % level.
    """

    means: pd.Series
    n_cases: int
    p_value: float
    critical_difference: float

    @classmethod
    def of(cls, values: pd.DataFrame) -> "Ranks":
        """Rank the columns, methods, in each row, a case with a value of each; higher is better."""
        n_cases, n_methods = values.shape
        ranks = rankdata(-values, axis=1)
        is_testable = n_methods > 2 and n_cases > 1
        return cls(
            pd.Series(ranks.mean(axis=0), values.columns).sort_values(kind="stable"),
            n_cases,
            friedmanchisquare(*values.T.to_numpy()).pvalue if is_testable else np.nan,
            critical_difference(n_methods, n_cases),
        )

    def told_apart(self, method: str) -> list[str]:
        """Return the methods whose mean ranks are farther from this one's than chance explains."""
        distances = (self.means - self.means[method]).abs()
        return list(distances.index[distances >= self.critical_difference])


def critical_difference(n_methods: int, n_cases: int) -> float:
    """Return the difference of mean ranks that is significant by the test of Nemenyi."""
    quantile = studentized_range.ppf(1 - LEVEL, n_methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(n_methods * (n_methods + 1) / (6 * n_cases)))
