"""What the table of results says, in Markdown."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks.detection import comparison, summary
from benchmarks.detection.data import LONG_SERIES, SETS_OF_SEQUENCES
from benchmarks.detection.methods import VARIANTS
from benchmarks.detection.summary import by_case, by_dataset, pooled_f1
from benchmarks.markdown import table

MEASURES = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "vus_pr": "VUS-PR",
    "roc_auc_after": "ROC-AUC after the training part",
    "average_precision_after": "average precision after the training part",
    "vus_pr_after": "VUS-PR after the training part",
    "fit_seconds": "seconds to fit",
    "score_seconds": "seconds to score",
}
RANKED = {
    "sequences": (SETS_OF_SEQUENCES, "roc_auc"),
    "TSB-AD-M": (("tsb",), "vus_pr"),
    "TSB-AD-M, rows after the training part": (("tsb",), "vus_pr_after"),
    "SKAB": (("skab",), "vus_pr"),
    "Keogh, UCR, NAB, ASD": (LONG_SERIES, "vus_pr"),
}
FALSE_ALARMS_NOTE = (
    "Shares of fresh normal samples that are flagged; in brackets the exact 95 % interval of a "
    "binomial share. Rows of a series depend on their neighbours, which makes theirs far too "
    "narrow."
)
STUDY_NOTE = (
    "Gain over the defaults, on the cases and seeds that both have: in ROC-AUC on sequences, in "
    "VUS-PR on series; blank where it has not run. First the defaults with other seeds, which tell "
    "what chance alone does. Last the mean over data sets, and the lowest and highest mean when "
    "any one of them is left out."
)


def report(results: pd.DataFrame, published: pd.DataFrame) -> str:
    """Put together what there is to say of results and of what TSB-AD-M's authors published.

    Both are as `summary` reads them.
    """
    is_variant = results["method"].isin(VARIANTS)
    compared = results[~is_variant]
    varied = results[is_variant | (results["method"] == "default")]
    f1_varied = pooled_f1(varied[varied["seed"] == varied["seed"].min()]).to_frame("F1")
    sections = [
        _coverage(compared),
        *_means(compared),
        *_ranks(compared),
        _section("SKAB, pooled F1", _ordered(_beside_published_f1(compared))),
        _section("TSB-AD-M, mean VUS-PR", _ordered(_beside_published_vus(compared, published))),
        *_false_alarms(compared),
        _section("Targets of the method default", comparison.targets(compared, published), ".4f"),
        _section("Random state by random state", _by_seed(compared), ".4f"),
        _section("The defaults, varied one at a time", summary.study(varied), "+.3f", STUDY_NOTE),
        _section("The same, SKAB, pooled F1 with the first seed", _ordered(f1_varied)),
    ]
    return "\n\n".join(filter(None, sections))


def _section(title: str, values: pd.DataFrame, form: str = ".3f", *notes: str) -> str:
    """Write a table of floats, which are given that form, and of others; NaN is left blank."""
    if values.empty:
        return ""
    lines = [
        [str(name), *(_cell(cell, form) for cell in row)]
        for name, *row in values.itertuples(name=None)
    ]
    return "\n\n".join([f"## {title}", *notes, table(["", *values.columns], lines)])


def _cell(value: Any, form: str) -> str:
    if not isinstance(value, float):
        return str(value)
    return "" if math.isnan(value) else format(value, form)


def _ordered(values: pd.DataFrame) -> pd.DataFrame:
    return values.sort_values(values.columns[0], ascending=False)


def _coverage(results: pd.DataFrame) -> str:
    n_cases = len(results[["dataset", "case"]].drop_duplicates())
    runs = results.groupby("method", sort=False).size().items()
    commits = ", ".join(results["commit"].astype(object).fillna("an earlier one").unique())
    return (
        f"{n_cases} cases, {results['seed'].nunique()} seeds; runs: "
        + ", ".join(f"{method} {n}" for method, n in runs)
        + f"; of commit {commits}. A table counts the cases that all its methods have; means are "
        "over seeds, then cases."
    )


def _means(results: pd.DataFrame) -> Iterator[str]:
    for measure, title in MEASURES.items():
        means = by_dataset(results, measure)
        means.insert(0, "cases", by_case(results, measure).groupby("dataset").size())
        yield _section(f"Mean {title}", means, ".2f" if "seconds" in measure else ".3f")


def _ranks(results: pd.DataFrame) -> Iterator[str]:
    for title, (datasets, measure) in RANKED.items():
        values = by_case(results, measure, datasets)
        if len(values):
            yield f"## Mean ranks, {title}: {MEASURES[measure]}\n\n{_describe_ranks(values)}"


def _describe_ranks(values: pd.DataFrame) -> str:
    n_cases, n_methods = values.shape
    ranks = comparison.mean_ranks(values)
    difference = comparison.critical_difference(n_methods, n_cases)
    in_order = ", ".join(f"{method} {rank:.2f}" for method, rank in ranks.items())
    told_apart = ranks.index[ranks - ranks.iloc[0] >= difference]
    return (
        f"{n_cases} cases: {in_order}. Friedman's test: p = {comparison.p_value(values):.2g}. "
        f"Nemenyi's critical difference at the 5 % level is {difference:.2f}, so that "
        f"{ranks.index[0]} is told apart from {', '.join(told_apart) or 'no other'}."
    )


def _beside_published_f1(results: pd.DataFrame) -> pd.DataFrame:
    f1 = pooled_f1(results)
    if len(f1):
        f1["every row flagged"] = summary.f1_of_all(results)
        f1 = pd.concat([f1, pd.Series(comparison.PUBLISHED_SKAB).rename("{} (published)".format)])
    return f1.to_frame("F1")


def _beside_published_vus(results: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    cases = by_case(results, "vus_pr", ("tsb",)).droplevel("dataset")
    names = cases.index.intersection(published.index)
    theirs = published.loc[names].mean().rename("{} (published)".format)
    after = by_case(results, "vus_pr_after", ("tsb",)).mean()
    columns = {"VUS-PR": pd.concat([cases.loc[names].mean(), theirs]), "after": after}
    return pd.DataFrame(columns).dropna(subset="VUS-PR").assign(cases=len(names))


def _false_alarms(results: pd.DataFrame) -> Iterator[str]:
    for method in ("default", "forecast"):
        alarms = summary.false_alarms(results[results["method"] == method])
        title = f"False alarms of the method {method}"
        yield _section(title, alarms, ".3f", FALSE_ALARMS_NOTE)


def _by_seed(results: pd.DataFrame) -> pd.DataFrame:
    n_seeds = results.groupby("method")["seed"].nunique()
    several = results[results["method"].map(n_seeds) > 1]
    rows = {}
    for seed, runs in several.groupby("seed"):
        measures = {
            "sequences, ROC-AUC": by_dataset(runs, "roc_auc", SETS_OF_SEQUENCES).mean(),
            "TSB-AD-M, VUS-PR": by_dataset(runs, "vus_pr", ("tsb",)).mean(),
            "SKAB, F1": pooled_f1(runs),
        }
        rows |= {f"{name}, {seed}": row for name, row in pd.DataFrame(measures).iterrows()}
    return pd.DataFrame.from_dict(rows, orient="index")
