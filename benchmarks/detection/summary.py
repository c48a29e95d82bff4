"""The table of results, averaged."""

from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from benchmarks.detection.data import DATASETS, SETS_OF_SEQUENCES
from benchmarks.detection.methods import METHODS, VARIANTS
from benchmarks.detection.run import FALSE_ALARM_RATE, FALSE_ALARM_RATES

PUBLISHED_TSB = "tsb_ad_m_published_vus_pr.csv"


def read_results(file: Path) -> pd.DataFrame:
    """Read the table, the methods in their order."""
    order = {name: place for place, name in enumerate(METHODS | VARIANTS)}
    return pd.read_csv(file, dtype={"case": str}).sort_values(
        "method", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )


def read_published(data: Path | None) -> pd.DataFrame:
    """Read the VUS-PR that TSB-AD-M's authors published: a row a case, a column a method."""
    if data is None or not (data / PUBLISHED_TSB).exists():
        return pd.DataFrame()
    table = pd.read_csv(data / PUBLISHED_TSB)
    table["case"] = table["case"].str.split("/").str[-1]
    return table.set_index("case").drop(columns=["tsb_file", "n_train"])


def by_case(results: pd.DataFrame, measure: str, datasets=tuple(DATASETS)) -> pd.DataFrame:
    """Average over seeds: a row a case that all methods have, a column a method."""
    chosen = results[results["dataset"].isin(datasets)].dropna(subset=measure)
    means = chosen.groupby(["dataset", "case", "method"])[measure].mean().unstack()
    return means.reindex(columns=chosen["method"].unique()).dropna()


def by_dataset(results: pd.DataFrame, measure: str, datasets=tuple(DATASETS)) -> pd.DataFrame:
    """Average over seeds and cases: a row a data set, a column a method."""
    return in_order(by_case(results, measure, datasets).groupby("dataset").mean())


def in_order(by_dataset: pd.DataFrame) -> pd.DataFrame:
    return by_dataset.reindex([name for name in DATASETS if name in by_dataset.index])


def pooled_f1(results: pd.DataFrame) -> pd.Series:
    """Return each method's F1 of all rows of SKAB as one, averaged over seeds."""
    chosen = results[results["dataset"] == "skab"]
    sums = chosen.groupby(["method", "seed"]).sum(numeric_only=True)
    hits = 2 * sums["true_positives"]
    f1 = hits / (hits + sums["false_positives"] + sums["false_negatives"])
    return f1.groupby("method").mean().reindex(chosen["method"].unique())


def f1_of_all(results: pd.DataFrame) -> float:
    """Return the F1 that flagging every row of SKAB would have."""
    cases = results[results["dataset"] == "skab"].drop_duplicates("case")
    n_anomalies = cases["n_anomalies"].sum()
    return float(2 * n_anomalies / (n_anomalies + cases["n_test"].sum()))


def false_alarms(results: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of flagged fresh normal samples: a row a data set, a column a rate asked.

    Counts are averaged over seeds, which share their samples, and added up over cases. Then, at
    0.01, the share of rows none of whose windows holds an anomaly, the share in the median case,
    and of all anomalous samples the share that is flagged.
    """
    counted = results.dropna(subset="n_fresh")
    of_cases = counted.groupby(["dataset", "case"]).mean(numeric_only=True)
    totals = in_order(of_cases.groupby("dataset").sum().round())
    table = totals[["n_fresh"]].astype(int).set_axis(["samples"], axis=1)
    for rate in FALSE_ALARM_RATES:
        pairs = zip(totals[f"false_alarms_{rate}"], totals["n_fresh"], strict=True)
        table[f"{rate} asked for"] = [_share(int(k), int(n)) for k, n in pairs]
    apart = totals["false_alarms_apart"] / totals["n_apart"]
    per_case = of_cases[f"false_alarms_{FALSE_ALARM_RATE}"] / of_cases["n_fresh"]
    found = counted.groupby("dataset")[["true_positives", "false_negatives"]].sum()
    table[f"{FALSE_ALARM_RATE}, apart from anomalies"] = apart
    table[f"{FALSE_ALARM_RATE}, median case"] = per_case.groupby("dataset").median()
    table[f"anomalies found at {FALSE_ALARM_RATE}"] = found["true_positives"] / found.sum(axis=1)
    return table


def _share(k: int, n: int) -> str:
    """Write a share with its exact interval."""
    low, high = binomtest(k, n).proportion_ci()
    return f"{k / n:.4f} [{low:.4f}, {high:.4f}]"


def study(results: pd.DataFrame) -> pd.DataFrame:
    """Compare every other method with the default on the cases and seeds that both have.

    Returns a row a method, after those of the default's other seeds beside its first; a column a
    data set: the mean gain in ROC-AUC on sequences, in VUS-PR on series. Then the mean over data
    sets, and the lowest and highest such mean that is left when one data set is left out.
    """
    is_default = results["method"] == "default"
    if not is_default.any():
        return pd.DataFrame()
    first = results["seed"].min()
    others = results[is_default & (results["seed"] != first)]
    chance = others.assign(method="random_state=" + others["seed"].astype(str), seed=first)
    results = pd.concat([chance, results])
    is_sequences = results["dataset"].isin(SETS_OF_SEQUENCES)
    results = results.assign(value=results["roc_auc"].where(is_sequences, results["vus_pr"]))
    values = results.pivot_table("value", ["dataset", "case", "seed"], "method")
    of_default = values.pop("default")
    gains = values.sub(of_default, axis="index")
    gains = gains[[name for name in results["method"].unique() if name in gains]]
    gains = gains.groupby(["dataset", "case"]).mean().groupby("dataset").mean()
    gains = in_order(gains).T
    n_datasets, total = gains.notna().sum(axis=1), gains.sum(axis=1)
    without_one = gains.rsub(total, axis="index").div(n_datasets - 1, axis="index")
    return gains.assign(
        mean=total / n_datasets, lowest=without_one.min(axis=1), highest=without_one.max(axis=1)
    )
