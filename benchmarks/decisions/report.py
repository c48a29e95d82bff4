"""The tables of what was measured."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.decisions.gaps import APART
from benchmarks.decisions.nab import corpus_score
from benchmarks.decisions.processes import RATE
from benchmarks.detection.data import SETS_OF_SEQUENCES, read_start
from benchmarks.markdown import table

SERIES = ("nab", "skab", "tsb", "keogh", "asd")

Lines = list[dict[str, Any]]


def report(lines: Lines, data: Path) -> str:
    """Return what the results say, in Markdown."""
    seeds = sorted({line["task"][2] for line in lines})
    parts = [f"Seeds {seeds}; false_alarm_rate=0.01."]
    rules = _by_rule(lines)
    for rule in (
        "adaptive",
        "stream",
        "fixed",
        "contamination quantile",
        "rolling quantile",
        "DSPOT",
    ):
        if rule in rules:
            parts += [f"### {rule}", _series_table(rules[rule])]
    if any(line["task"][0] == "nab" for line in lines):
        parts += ["### NAB's score", _nab_table(rules, data)]
    parts += ["### Sequences", _sequences_table(lines)]
    parts += ["### Odd beats in training", _odd_table(lines)]
    parts += ["### Stationary processes", _process_table(lines)]
    parts += ["### Gaps", _gaps_table(lines)]
    return "\n\n".join(parts)


def _by_rule(lines: Lines) -> dict[str, Lines]:
    rules: dict[str, Lines] = defaultdict(list)
    for line in lines:
        for result in line["results"]:
            if "rule" in result:
                rules[result["rule"]].append({"task": line["task"], **result})
    return rules


def _series_table(results: Lines) -> str:
    head = ["set", "normal rows flagged", "series within twice the rate", "anomalous rows flagged"]
    head += ["their ratio", "events found", "over chance", "F1"]
    rows = []
    for name in SERIES:
        chosen = [result for result in results if result["task"][0] == name]
        if chosen:
            rows.append([name, *_series_cells(chosen)])
    rows.append(["all", "", _within(results), *[""] * 5])
    return table(head, rows)


def _series_cells(results: Lines) -> list[str]:
    total = {
        key: sum(r[key] for r in results)
        for key in results[0]
        if key.startswith(("n_", "f", "t", "by")) and isinstance(results[0][key], (int, float))
    }
    false, true = total["false"] / total["n_normal"], total["true"] / max(total["n_anomalous"], 1)
    f1 = 2 * total["true"] / (total["true"] + total["n_anomalous"] + total["false_beside"])
    return [
        f"{false:.2%}",
        _within(results),
        f"{true:.1%}",
        f"{true / max(false, 1e-9):.1f}",
        f"{total['found']} of {total['n_events']}",
        f"{total['found'] / max(total['by_chance'], 1e-9):.1f}",
        f"{f1:.3f} at {total['false_beside'] / total['n_beside']:.1%}",
    ]


def _within(results: Lines) -> str:
    return f"{np.mean([r['false'] <= 2 * RATE * r['n_normal'] for r in results]):.0%}"


def _nab_table(rules: dict[str, Lines], data: Path) -> str:
    labels = {}
    for file in [*(data / "nab").glob("*.npz"), *(data / "nab_normal").glob("*.npz")]:
        case = read_start("n_probation")(file.stem, np.load(file))
        edges = np.flatnonzero(np.diff(np.r_[0, case.is_anomaly.astype(int), 0])).reshape(-1, 2)
        labels[file.stem] = [(int(first), int(end) - 1) for first, end in edges], len(case.X_test)
    scores = {}
    for rule, results in rules.items():
        chosen = [r for r in results if r["task"][0] in ("nab", "nab_normal")]
        if rule.startswith("stream") and chosen:
            scores[rule] = corpus_score([(r["onsets"], *labels[r["task"][1]]) for r in chosen])
    best = max(scores, key=lambda rule: scores[rule])
    return table(
        ["streams", "score"],
        [
            ["default", f"{scores['stream']:.1f}"],
            [f"one rate tuned over the corpus ({best})", f"{scores[best]:.1f}"],
        ],
    )


def _sequences_table(lines: Lines) -> str:
    rows = []
    for name in SETS_OF_SEQUENCES:
        results = [r for line in lines if line["task"][0] == name for r in line["results"]]
        for rate in sorted({r["rate"] for r in results}, reverse=True):
            chosen = [r for r in results if r["rate"] == rate]
            false, n = sum(r["false"] for r in chosen), sum(r["n_normal"] for r in chosen)
            found = sum(r["true"] for r in chosen) / max(sum(r["n_anomalous"] for r in chosen), 1)
            inside = binomtest(false, n, rate).pvalue >= 0.05
            rows.append(
                [
                    name,
                    f"{rate}",
                    f"{false} of {n}, {false / n:.3f}",
                    "yes" if inside else "no",
                    f"{found:.1%}",
                ]
            )
    return table(["set", "asked", "normal ones flagged", "inside 95 %", "anomalies flagged"], rows)


def _odd_table(lines: Lines) -> str:
    results = [r for line in lines if line["task"][0] == "odd" for r in line["results"]]
    rows = [
        [
            str(i),
            f"{r['odd_found'] / r['n_odd']:.1%}",
            f"{r['true'] / r['n_anomalous']:.1%}",
            f"{r['false'] / r['n_normal']:.2%}",
        ]
        for i, r in enumerate(results)
    ]
    return table(["seed", "odd ones of training found", "fresh ones", "normal ones flagged"], rows)


def _process_table(lines: Lines) -> str:
    results = [r for line in lines if line["task"][0] == "process" for r in line["results"]]
    rows = []
    for rule in ("adaptive", "fixed"):
        ratios = np.array([r[rule] for r in results]) / RATE
        within = np.mean((ratios >= 0.5) & (ratios <= 2)) if len(ratios) else np.nan
        quantiles = np.quantile(ratios, [0, 0.25, 0.5, 0.75, 1]) if len(ratios) else []
        rows.append([rule, f"{within:.0%}", " ".join(f"{q:.2f}" for q in quantiles)])
    return table(["rule", "within 0.5 to 2", "realised over asked: quartiles"], rows)


def _gaps_table(lines: Lines) -> str:
    results = [r for line in lines if line["task"][0] == "gaps" for r in line["results"]]
    head = [
        "rule",
        "rows from gap to gap",
        "normal rows flagged",
        "the most of a series",
        "faults found",
    ]
    rows = []
    for judge in dict.fromkeys(r["judge"] for r in results):
        for apart in APART:
            chosen = [r for r in results if (r["judge"], r["apart"]) == (judge, apart)]
            shares = [r["false"] / r["n_normal"] for r in chosen]
            found, n_faults = (sum(r[key] for r in chosen) for key in ("found", "n_events"))
            cells = [f"{np.mean(shares):.2%}", f"{max(shares):.2%}", f"{found} of {n_faults}"]
            rows.append([judge, "no gaps" if apart is None else str(apart), *cells])
    return table(head, rows)
