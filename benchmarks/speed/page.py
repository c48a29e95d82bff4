"""Tables of what was measured, in Markdown."""

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.speed.report import Report
from benchmarks.speed.row import Measured, Target

HEAD = """# Benchmarks

What the package takes, beside what its users might run instead. `make bench` measures all of this
and writes this page.

One torch thread; the sides of a row run in turns, and the median is compared. In a shared process
the first run of each side does not count; competitors run in processes of their own, whose only fit
counts, whatever their framework does at its first use included. In B1, B2 (skorch) and B7 both
sides train the same network, drawn alike, by Adam at the same rate, for the same epochs, on the
same data and in batches of the same size; where else sides differ, the row says how. Of the
competitors in B2, Keras trains an autoencoder as near as it has one, sequitur one sequence at a
time, DeepOD an encoder alone; dtaianomaly, PyOD and TSB-AD forecast the next step of windows. A
side that takes more than 30 s is run once. Peak memory is that of a process which prepares all
sides and runs one; a competitor's covers all that its script does.
"""


def page(reports: Sequence[Report]) -> str:
    """Return the whole page."""
    setups = list(dict.fromkeys(report.setup for report in reports))
    parts = [HEAD, "## Targets\n", targets_table(reports), "## Measured with\n"]
    parts += [f"{number}. {setup}" for number, setup in enumerate(setups, start=1)]
    for report in reports:
        parts += [
            f"\n## {report.name}\n",
            f"{report.work[0].upper()}{report.work[1:]}.\n",
            sides_table(report),
            f"Measured on {report.date} with setup {setups.index(report.setup) + 1}, in "
            f"{'processor' if report.is_cpu_time else 'wall-clock'} time; load average at the end "
            f"{report.load:.1f}, of which the row itself makes about 1.",
        ]
    return "\n".join(parts) + "\n"


def targets_table(reports: Iterable[Report]) -> str:
    """Return what was to be reached and what was, row by row."""
    head = ["row", "quantity", "must reach", "reached", ""]
    return _table(
        head,
        [
            [report.name, target.quantity, _bound(target), _reached(target), target.verdict]
            for report in reports
            for target in report.targets
        ],
    )


def sides_table(report: Report) -> str:
    """Return the figures of each side."""
    head = ["side", "median", "fastest", "99 of 100", "runs", "loss", "peak memory"]
    return _table(head, [[name, *_figures(side)] for name, side in report.sides.items()])


def _figures(side: Measured) -> list[str]:
    if side.failure:
        reason = " ".join(side.failure.split()).replace("|", "/")
        return [f"not measured: {reason}", "", "", "", "", ""]
    times = side.median, side.seconds.min(), np.percentile(side.seconds, 99, method="higher")
    peaks = [side.peak_rss, *(run.peak_rss for run in side.runs)]
    peak = max((peak for peak in peaks if peak), default=None)
    return [
        *map(_duration, times),
        str(len(side.runs)),
        "" if side.loss is None else f"{side.loss:.4f}",
        "" if peak is None else f"{peak / 2**20:.0f} MiB",
    ]


def _bound(target: Target) -> str:
    return f"{'≥' if target.at_least else '≤'} {target.bound:g}{target.unit}"


def _reached(target: Target) -> str:
    return "" if np.isnan(target.reached) else f"{target.reached:.2f}{target.unit}"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *lines))
