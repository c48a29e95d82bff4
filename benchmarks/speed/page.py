"""Tables of what was measured, in Markdown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from benchmarks.speed.peers import DOES
from benchmarks.speed.profile import in_words
from benchmarks.speed.report import Report
from benchmarks.speed.row import Measured, Row, Target, ratios

HEAD = """# Benchmarks

What the package takes, beside what its users might run instead. `make bench` measures all of this
and writes this page.

A row, B1 to B12, is a task, and its sides are what does it: the package, and others. On one torch
thread they run in turns, each as often as `--repeats` says or a multiple of it, competitors in
processes of their own once more, and a side that takes more than 30 s once. Where sides ran equally
often, the ratio of their times is taken turn by turn: the tables give the median of these ratios
and, in parentheses, the least and the greatest; else it is the ratio of the medians. "× first" is
this ratio to the first side of the same work.

In B1, B2, B3 and B7 each side has a process of its own for all its runs, elsewhere they share one.
The first run of each side does not count; but of a competitor's process, which is another for each
run, the only fit counts, whatever their framework does at its first use included. In B1, B2
(skorch) and B7 both sides train the same network, drawn alike, by Adam at the same rate, for the
same epochs, on the same data and in as many batches; the package also averages weights, in the time
that it is judged by. The ratio of the losses reached stands beside that of the times. The package's
batches hold sequences of like lengths, the others' random ones, which may change the loss. Where
else sides differ, the row says how. Of the competitors in B2, only skorch and Keras do the work
that the package does: the table says in parentheses what each of them trains, and windows that
overlap are some fifty times the work.

Peak memory is that of a process which prepares all sides and runs one; a competitor's covers all
that its script does. 1 MB is 10⁶ bytes. Shares of the time are torch.profiler's, which itself takes
time in the small parts.
"""

MANY_RUNS = 100
"""From so many runs on there is a 99th percentile; of fewer, the slowest is shown."""


def page(rows: Mapping[str, Row], reports: Mapping[str, Report]) -> str:
    """Return the whole page: all rows, also those that were not measured or that failed."""
    setups = list(dict.fromkeys(report.setup for report in reports.values()))
    parts = [HEAD, "## Targets\n", f"{_tally(rows, reports)}\n", targets_table(rows, reports)]
    parts += _failures(reports)
    parts += ["## Measured with\n"]
    parts += [f"{number}. {setup}" for number, setup in enumerate(setups, start=1)]
    for name, row in rows.items():
        report = reports.get(name)
        work = report.work if report else row.work
        parts += [f"\n## {name}\n", f"{work[0].upper()}{work[1:]}.\n"]
        parts += _measured(row, report, setups) if report else ["Not measured."]
    return "\n".join(parts) + "\n"


def results(row: Row, report: Report) -> str:
    """Return the tables of one row."""
    parts = [sides_table(report), targets_table({row.name: row}, {row.name: report})]
    return "\n".join([*parts, *_shares(report), *_failures({row.name: report})])


def targets_table(rows: Mapping[str, Row], reports: Mapping[str, Report]) -> str:
    """Return what was to be reached and what was, row by row."""
    head = ["row", "quantity", "must reach", "reached", ""]
    return _table(
        head,
        [
            [name, target.quantity, _bound(target), _reached(target), target.verdict]
            for name, target in _targets(rows, reports)
        ],
    )


def _targets(
    rows: Mapping[str, Row], reports: Mapping[str, Report]
) -> Iterable[tuple[str, Target]]:
    for name, row in rows.items():
        for target in row.targets(reports[name].sides if name in reports else {}):
            yield name, target


def _tally(rows: Mapping[str, Row], reports: Mapping[str, Report]) -> str:
    """Return how many targets came to what."""
    counts = Counter(target.verdict for _, target in _targets(rows, reports))
    told = ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
    return f"Of {counts.total()} targets: {told}."


def sides_table(report: Report) -> str:
    """Return the figures of each side, in the columns where one of them has any."""
    if not report.sides:
        return ""
    has_many_runs = any(len(side.runs) >= MANY_RUNS for side in report.sides.values())
    times = ["p50", "fastest", "p99"] if has_many_runs else ["median", "fastest", "slowest"]
    head = ["side", *times, "× first", "runs", "epochs", "loss", "peak memory"]
    firsts: dict[str, Measured] = {}
    lines = []
    for name, side in report.sides.items():
        work, _, _ = name.rpartition(": ")
        first = firsts.setdefault(work, side)
        lines.append([_described(name), *_figures(side, first, has_many_runs)])
    columns = zip(head, *lines, strict=True)
    head, *lines = zip(*(column for column in columns if any(column[1:])), strict=True)
    return _table(head, lines)


def _measured(row: Row, report: Report, setups: Sequence[str]) -> list[str]:
    clock = "processor" if report.is_cpu_time else "wall-clock"
    parts = [
        sides_table(report),
        f"Measured on {report.date}, commit {report.commit}, with `--repeats {report.repeats}` and "
        f"setup {setups.index(report.setup) + 1}, in {clock} time; load average at the end "
        f"{report.load:.1f}, of which the row itself makes about 1.",
        f"\nWhere the time goes: {row.where_the_time_goes}",
    ]
    return parts + _shares(report)


def _shares(report: Report) -> list[str]:
    """Return a list of what the parts take of the package's time, if they were profiled."""
    shares = [f"- {work}: {in_words(parts)}" for work, parts in report.shares.items()]
    return ["", *shares] if shares else []


def _failures(reports: Mapping[str, Report]) -> list[str]:
    """Return a list of all that failed, and why."""
    failures = [
        f"- {name}: {failure}"
        for name, report in reports.items()
        for failure in _failures_of(report)
    ]
    return ["## Failed\n", *failures, ""] if failures else []


def _failures_of(report: Report) -> list[str]:
    whole_row = [f"the whole row: {report.failure}"] if report.failure else []
    return whole_row + [
        f"{_described(name)}, after {len(side.runs)} runs: {side.failure}"
        for name, side in report.sides.items()
        if side.failure
    ]


def _described(side: str) -> str:
    return f"{side} ({DOES[side]})" if side in DOES else side


def _figures(side: Measured, first: Measured, has_many_runs: bool) -> list[str]:
    if not side.runs:
        return ["failed" if side.failure else "not measured", *[""] * 7]
    slowest = np.percentile(side.seconds, 99 if has_many_runs else 100, method="higher")
    times = np.median(side.seconds), side.seconds.min(), slowest
    relative = ratios(side, first)
    peaks = [side.peak_rss, *(run.peak_rss for run in side.runs)]
    peak = max((peak for peak in peaks if peak), default=None)
    return [
        *map(_duration, times),
        f"{np.median(relative):,.2f}" if has_many_runs else _with_range(relative, ",.2f"),
        f"{len(side.runs)}, then failed" if side.failure else str(len(side.runs)),
        _with_range(side.epochs, "g"),
        _with_range(side.losses, ".4f"),
        "" if peak is None else f"{peak / 1e6:.0f} MB",
    ]


def _with_range(values: np.ndarray, form: str) -> str:
    """Return the median and, if they differ, the least and the greatest."""
    if not values.size or np.isnan(values).any():
        return ""
    median, least, greatest = (
        format(value, form) for value in (np.median(values), values.min(), values.max())
    )
    return median if least == greatest else f"{median} ({least} to {greatest})"


def _bound(target: Target) -> str:
    return f"{'≥' if target.at_least else '≤'} {target.bound:g}{target.unit}"


def _reached(target: Target) -> str:
    if np.isnan(target.reached):
        return ""
    return f"{target.reached:.2f}{target.unit}{target.aside and f' ({target.aside})'}"


def _duration(seconds: float) -> str:
    if seconds == np.inf:
        return "never"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *lines))
