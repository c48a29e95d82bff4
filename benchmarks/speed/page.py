"""What was measured, in Markdown: a page for users and the whole record, from ``templates``."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.markdown import table
from benchmarks.speed.peers import DOES
from benchmarks.speed.ratios import ratios
from benchmarks.speed.row import NO_RUNS, Row, Target

TEMPLATES = Path(__file__).with_name("templates")

WITH_FITS = "B1", "B2", "B3", "B4", "B7", "B8", "B9", "B10"
"""Rows that time a fit, or a part of one."""

OTHER_OPTIMIZER = "2026-11-28"
"""Before this day all weights were trained by Adam."""


def page(rows: Mapping[str, Row], kept: Mapping[str, pd.DataFrame]) -> str:
    """Return the page for users: what was reached in each row.

    `kept` holds the table of runs of each row that was measured.
    """
    lines = [
        [name, target.quantity.replace("skl_lstmae: ", ""), _value(target) or "not measured"]
        for name, target in _targets(rows, kept)
    ]
    results = table(["row", "quantity", "measured"], lines)
    return _template("page").format(age=_age(kept), results=results)


def record(rows: Mapping[str, Row], kept: Mapping[str, pd.DataFrame]) -> str:
    """Return the record: all rows, also those that were not measured, or of which sides failed."""
    counts = Counter(target.verdict for _, target in _targets(rows, kept))
    told = ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
    return _template("record").format(
        age=_age(kept),
        told=f"Of {counts.total()} targets: {told}.",
        targets=targets_table(rows, kept),
        **{name: _measured(kept[name]) if name in kept else "Not measured." for name in rows},
    )


def targets_table(rows: Mapping[str, Row], kept: Mapping[str, pd.DataFrame]) -> str:
    """Return what was to be reached and what was, row by row."""
    lines = [
        [name, target.quantity, _bound(target), _reached(target), target.verdict]
        for name, target in _targets(rows, kept)
    ]
    return table(["row", "quantity", "must reach", "reached", ""], lines)


def sides_table(runs: pd.DataFrame) -> str:
    """Return the figures of each side, in the columns where one of them has any, and failures."""
    firsts: dict[str, str] = {}
    lines = []
    for side in runs["side"].unique():
        first = firsts.setdefault(side.rpartition(": ")[0], side)
        described = f"{side} ({DOES[side]})" if side in DOES else side
        lines.append({"side": described, **_figures(runs, side, first)})
    filled = pd.DataFrame(lines).fillna("")
    shown = filled.loc[:, filled.ne("").any()]
    failures = [f"\n- {run.side} failed: {run.failure}" for run in runs.itertuples() if run.failure]
    return "\n".join([table(shown.columns, shown.to_numpy()), *failures])


def _template(name: str) -> str:
    return (TEMPLATES / f"{name}.md").read_text("utf-8")


def _age(kept: Mapping[str, pd.DataFrame]) -> str:
    """Return which rows were measured before fits were what they are, if there are any."""
    older = [name for name in WITH_FITS if name in kept and _day(kept[name]) < OTHER_OPTIMIZER]
    if not older:
        return ""
    return (
        f"**Older than the fits: {', '.join(older)}.** They were measured when Adam trained all "
        "weights, over more epochs, so a fit takes another time now."
    )


def _day(runs: pd.DataFrame) -> str:
    return str(runs["date"].iloc[0])


def _targets(rows: Mapping[str, Row], kept: Mapping[str, pd.DataFrame]) -> list[tuple[str, Target]]:
    return [
        (name, target)
        for name, row in rows.items()
        for target in row.judge(kept.get(name, NO_RUNS))
    ]


def _measured(runs: pd.DataFrame) -> str:
    run = runs.iloc[0]
    return (
        f"{sides_table(runs)}\n\n"
        f"Measured on {run['date']}, commit {run['commit']}, with `--repeats {run['repeats']}` on "
        f"{run['setup']}; load average at the end {run['load']:.1f}, of which the row itself makes "
        "about 1."
    )


def _figures(runs: pd.DataFrame, side: str, first: str) -> dict[str, str]:
    of_side = runs[runs["side"] == side]
    done = of_side.dropna(subset="seconds")
    if done.empty:
        return {"p50": "failed"}
    p99 = done["seconds"].quantile(0.99, interpolation="higher")
    peak = done["peak_rss"].max() / 1e6
    return {
        "p50": _duration(done["seconds"].median()),
        "fastest": _duration(done["seconds"].min()),
        "p99": _duration(p99),
        "× first": _with_range(ratios(runs, side, first), ",.2f"),
        "runs": f"{len(done)}, then failed" if len(done) < len(of_side) else str(len(done)),
        "epochs": _with_range(done["epochs"], "g"),
        "loss": _with_range(done["loss"], ".4f"),
        "peak memory": "" if np.isnan(peak) else f"{peak:.0f} MB",
    }


def _with_range(values: pd.Series, form: str) -> str:
    """Return the median and, if they differ, the least and the greatest."""
    if values.isna().any():
        return ""
    median, least, greatest = (f"{x:{form}}" for x in (values.median(), values.min(), values.max()))
    return median if least == greatest else f"{median} ({least} to {greatest})"


def _bound(target: Target) -> str:
    return f"{'≥' if target.at_least else '≤'} {target.bound:g}{target.unit}"


def _reached(target: Target) -> str:
    return _value(target) + (target.aside and f" ({target.aside})")


def _value(target: Target) -> str:
    return "" if np.isnan(target.reached) else f"{target.reached:.2f}{target.unit}"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < np.inf else "never"
    return f"{seconds * 1e6:.3g} µs"
