"""What the table of results says, in Markdown."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks.detection.methods import VARIANTS
from benchmarks.detection.ranks import critical_difference, mean_ranks, p_value, told_apart
from benchmarks.detection.study import study
from benchmarks.detection.summary import by_case, by_dataset, f1_of_all, false_alarms, pooled_f1
from benchmarks.detection.targets import LONG_SERIES, PUBLISHED_SKAB, SEQUENCES, targets
from benchmarks.markdown import table

MEASURES = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "vus_pr": "VUS-PR",
    "roc_auc_after": "ROC-AUC after the training part",
    "average_precision_after": "average precision after the training part",
    "vus_pr_after": "VUS-PR after the training part",
}
SECONDS = {"fit_seconds": "seconds to fit", "score_seconds": "seconds to score"}
RANKED = {
    "sequences": (SEQUENCES, "roc_auc"),
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
    return "\n\n".join(
        [
            _coverage(compared),
            *_means(compared),
            *_ranks(compared),
            *_beside_published(compared, published),
            *_false_alarms(compared),
            *_targets(compared, published),
            *_by_seed(compared),
            *_study(results[is_variant | (results["method"] == "default")]),
        ]
    )


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
    for measure, title in (MEASURES | SECONDS).items():
        means = by_dataset(results, measure)
        if len(means):
            n_cases = by_case(results, measure).groupby("dataset").size()
            means.insert(0, "cases", n_cases)
            yield f"## Mean {title}\n\n{_table(means, '.2f' if measure in SECONDS else '.3f')}"


def _ranks(results: pd.DataFrame) -> Iterator[str]:
    for title, (datasets, measure) in RANKED.items():
        values = by_case(results, measure, datasets)
        if len(values):
            yield f"## Mean ranks, {title}: {MEASURES[measure]}\n\n{_describe_ranks(values)}"


def _describe_ranks(values: pd.DataFrame) -> str:
    n_cases, ranks = len(values), mean_ranks(values)
    best = ranks.index[0]
    in_order = ", ".join(f"{method} {rank:.2f}" for method, rank in ranks.items())
    return (
        f"{n_cases} cases: {in_order}. Friedman's test: p = {p_value(values):.2g}. Nemenyi's "
        f"critical difference at the 5 % level is {critical_difference(len(ranks), n_cases):.2f}, "
        f"so that {best} is told apart from "
        f"{', '.join(told_apart(ranks, best, n_cases)) or 'no other'}."
    )


def _beside_published(results: pd.DataFrame, published: pd.DataFrame) -> Iterator[str]:
    f1 = pooled_f1(results)
    if len(f1):
        f1["every row flagged"] = f1_of_all(results)
        theirs = pd.Series(PUBLISHED_SKAB).rename("{} (published)".format)
        yield f"## SKAB, pooled F1\n\n{_ordered(pd.DataFrame({'F1': pd.concat([f1, theirs])}))}"
    cases = by_case(results, "vus_pr", ("tsb",)).droplevel("dataset")
    names = cases.index.intersection(published.index)
    if len(names):
        theirs = published.loc[names].mean().rename("{} (published)".format)
        after = by_case(results, "vus_pr_after", ("tsb",)).mean()
        columns = {"VUS-PR": pd.concat([cases.loc[names].mean(), theirs]), "after": after}
        title = f"## TSB-AD-M, mean VUS-PR of {len(names)} cases"
        yield f"{title}\n\n{_ordered(pd.DataFrame(columns))}"


def _false_alarms(results: pd.DataFrame) -> Iterator[str]:
    for method in ("default", "forecast"):
        alarms = false_alarms(results[results["method"] == method])
        if len(alarms):
            title = f"## False alarms of the method {method}"
            yield f"{title}\n\n{FALSE_ALARMS_NOTE}\n\n{_table(alarms, '.3f')}"


def _targets(results: pd.DataFrame, published: pd.DataFrame) -> Iterator[str]:
    rows = {
        what: [reached, bound, "met" if is_met else "**missed**"]
        for what, reached, bound, is_met in targets(results, published)
    }
    if rows:
        columns = ["reached", "bound", "verdict"]
        found = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        yield f"## Targets of the method default\n\n{_table(found, '.4f')}"


def _by_seed(results: pd.DataFrame) -> Iterator[str]:
    n_seeds = results.groupby("method")["seed"].nunique()
    several = results[results["method"].map(n_seeds) > 1]
    rows = {}
    for seed, runs in several.groupby("seed"):
        measures = {
            "sequences, ROC-AUC": by_dataset(runs, "roc_auc", SEQUENCES).mean(),
            "TSB-AD-M, VUS-PR": by_dataset(runs, "vus_pr", ("tsb",)).mean(),
            "SKAB, F1": pooled_f1(runs),
        }
        for method, row in pd.DataFrame(measures).iterrows():
            rows[f"{method}, {seed}"] = row
    if rows:
        found = pd.DataFrame.from_dict(rows, orient="index")
        yield f"## Random state by random state\n\n{_table(found, '.4f')}"


def _study(results: pd.DataFrame) -> Iterator[str]:
    gains = study(results)
    if len(gains):
        title = "## The defaults, varied one at a time"
        yield f"{title}\n\n{STUDY_NOTE}\n\n{_table(gains, '+.3f')}"
        f1 = pooled_f1(results[results["seed"] == results["seed"].min()]).to_frame("F1")
        if len(f1):
            yield f"## The same, SKAB, pooled F1 with the first seed\n\n{_ordered(f1)}"


def _ordered(values: pd.DataFrame) -> str:
    return _table(values.sort_values(values.columns[0], ascending=False), ".3f")


def _table(values: pd.DataFrame, form: str) -> str:
    """Write a table of floats, which are given that form, and of others; NaN is left blank."""
    lines = [
        [str(name), *(_cell(cell, form) for cell in row)]
        for name, *row in values.itertuples(name=None)
    ]
    return table(["", *values.columns], lines)


def _cell(value: Any, form: str) -> str:
    if not isinstance(value, float):
        return str(value)
    return "" if math.isnan(value) else format(value, form)
