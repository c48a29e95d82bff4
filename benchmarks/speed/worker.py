"""Measures one row, or the memory of one of its sides, in a process of its own."""

import argparse
from pathlib import Path

import torch

from benchmarks.speed.memory import peak_rss
from benchmarks.speed.report import Report
from benchmarks.speed.row import Measured, Row, Side
from benchmarks.speed.rows import ROWS

SLOW = 30.0
"""Seconds; a side that takes longer is run only once."""


def measure(row: Row, quick: bool, n_repeats: int) -> dict[str, Measured]:
    """Run the sides of a row in turns."""
    sides = row.sides(quick)
    measured = {name: Measured() for name in sides}
    for seed in range(n_repeats * row.repeats + 1):
        for name, side in sides.items():
            _run(side, seed, measured[name])
    return measured


def _run(side: Side, seed: int, measured: Measured) -> None:
    """Run a side once; the first run in a process only warms it up."""
    if measured.failure or measured.median > SLOW:
        return
    try:
        run = side(seed)
    except Exception as error:
        measured.failure = f"{type(error).__name__}: {error}"
    else:
        if seed > 0 or run.peak_rss is not None:
            measured.runs.append(run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("file", type=Path, help="where the report is, or is to be")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--memory-of", metavar="SIDE", help="add this side's peak memory")
    options = parser.parse_args()
    torch.set_num_threads(1)
    row = ROWS[options.row]
    if options.memory_of:
        row.sides(options.quick)[options.memory_of](0)
        report = Report.load_from(options.file)
        report.sides[options.memory_of].peak_rss = peak_rss()
        report.targets = row.judge(report.sides)
    else:
        report = Report.of(row, measure(row, options.quick, options.repeats))
    report.save(options.file)


if __name__ == "__main__":
    main()
