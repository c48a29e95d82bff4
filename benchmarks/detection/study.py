"""The defaults varied one at a time: what each variation gains or loses, data set by data set."""

import pandas as pd

from benchmarks.detection.data import DATASETS
from benchmarks.detection.targets import SEQUENCES

KEYS = ["dataset", "case", "seed"]


def study(results: pd.DataFrame) -> pd.DataFrame:
    """Compare every other method with the default on the cases and seeds that both have.

    Returns
    -------
    gains : DataFrame
        A row a method, after those of the default's other seeds beside its first, which tell what
        chance alone does; a column a data set: mean gain in ROC-AUC on data sets of sequences, in
        VUS-PR on series. Then the mean over data sets, and the lowest and the highest such mean
        that is left when one data set is left out: a choice that they agree on would have been
        made without any one of the data sets.
    """
    if "default" not in set(results["method"]):
        return pd.DataFrame()
    first = results["seed"].min()
    others = results[(results["method"] == "default") & (results["seed"] != first)]
    chance = others.assign(method="random_state=" + others["seed"].astype(str), seed=first)
    results = pd.concat([chance, results])
    measured = results["roc_auc"].where(results["dataset"].isin(SEQUENCES), results["vus_pr"])
    values = results.assign(value=measured).pivot_table("value", KEYS, "method")
    order = [method for method in results["method"].unique() if method != "default"]
    gains = values[order].sub(values["default"], axis="index")
    gains = gains.groupby(["dataset", "case"]).mean().groupby("dataset").mean()
    gains = gains.reindex([name for name in DATASETS if name in gains.index]).T
    n_datasets, total = gains.notna().sum(axis=1), gains.sum(axis=1)
    without_one = gains.rsub(total, axis="index").div(n_datasets - 1, axis="index")
    return gains.assign(
        mean=total / n_datasets,
        lowest=without_one.min(axis=1),
        highest=without_one.max(axis=1),
    )
