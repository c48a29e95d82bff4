"""The tables of what was measured."""

from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmarks.markdown import table
from benchmarks.supervised.data import SETS
from benchmarks.supervised.methods import METHODS

Lines = list[dict[str, Any]]


def report(lines: Lines) -> str:
    """Return what the results say, in Markdown."""
    sets = [name for name in SETS if any(line["task"][0] == name for line in lines)]
    found = dict.fromkeys(line["task"][1] for line in lines)
    methods = sorted(found, key=lambda name: list(METHODS).index(name) if name in METHODS else 99)
    accuracy = means(lines, sets, methods, "accuracy")
    seconds = means(lines, sets, methods, "seconds")
    seeds = sorted({line["task"][2] for line in lines})
    complete = ~np.isnan(accuracy).any(axis=0)
    ranks = mean_ranks(accuracy[:, complete])
    named = dict(zip(np.array(methods)[complete].tolist(), ranks, strict=True))
    rows = [
        [name, *(_cell(value, "{:.3f}") for value in row), _cell(named.get(name), "{:.2f}")]
        for name, row in zip(methods, accuracy.T, strict=True)
    ]
    times = [
        [name, *(_cell(value, "{:.1f}") for value in row)]
        for name, row in zip(methods, seconds.T, strict=True)
    ]
    return "\n\n".join(
        [
            f"Accuracy, mean of random states {seeds}, and the mean rank over the sets.",
            table(["", *sets, "mean rank"], rows),
            "CPU seconds, fit and prediction together.",
            table(["", *sets], times),
        ]
    )


def means(lines: Lines, sets: list[str], methods: list[str], key: str) -> np.ndarray:
    """Return means over the random states, (n_sets, n_methods), NaN where nothing was run."""
    found = np.full((len(sets), len(methods)), np.nan)
    for i, name in enumerate(sets):
        for j, method in enumerate(methods):
            values = [line[key] for line in lines if line["task"][:2] == [name, method]]
            found[i, j] = np.mean(values) if values else np.nan
    return found


def mean_ranks(accuracy: np.ndarray) -> np.ndarray:
    """Return each method's mean rank over the sets, 1 for the most accurate; ties share ranks."""
    return rankdata(-accuracy, axis=1).mean(axis=0)


def _cell(value: float | None, form: str) -> str:
    return "" if value is None or np.isnan(value) else form.format(value)
