"""Measures one row, or the memory of one of its sides, in a process of its own."""

import argparse
import sys
import traceback
from functools import cache, partial
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from benchmarks.checkout import checked_out
from benchmarks.speed.apart import OwnProcess
from benchmarks.speed.memory import peak_rss
from benchmarks.speed.profile import shares
from benchmarks.speed.report import Report
from benchmarks.speed.row import Measured, Row, Run, Side
from benchmarks.speed.rows import ROWS

SLOW = 30.0
"""Seconds; a side that takes longer is run only once."""


def measure(row: Row, quick: bool, n_repeats: int) -> dict[str, Measured]:
    """Run the sides of a row in turns."""
    sides = _apart(row, quick) if row.apart else row.sides(quick)
    measured = {name: Measured() for name in sides}
    n_runs = 1 if row.runs_once else n_repeats * row.repeats + 1
    start = perf_counter()
    for seed in range(n_runs):
        for name, side in sides.items():
            _run(side, seed, measured[name])
            if row.repeats == 1:
                passed = perf_counter() - start
                print(f"{passed:5.0f} s  run {seed + 1} of {n_runs}: {name}", file=sys.stderr)
    return measured


def _apart(row: Row, quick: bool) -> dict[str, Side]:
    """Return the sides, each to be run in a process of its own."""
    return {
        name: partial(OwnProcess().run, _run_here, row.name, quick, name)
        for name in row.sides(quick)
    }


def _run_here(row: str, quick: bool, name: str, seed: int) -> Run:
    return _sides_here(row, quick)[name](seed)


@cache
def _sides_here(row: str, quick: bool) -> dict[str, Side]:
    return ROWS[row].sides(quick)


def _run(side: Side, seed: int, measured: Measured) -> None:
    """Run a side once; the first run in a process only warms it up."""
    if measured.failure or SLOW < measured.median < np.inf:
        return
    try:
        run = side(seed)
    except Exception as error:
        measured.failure = _reason(error)
    else:
        if seed > 0 or run.peak_rss is not None:
            measured.runs.append(run)


def _reason(error: Exception) -> str:
    """Return what went wrong in one line; the rest goes to where the user may see it."""
    traceback.print_exception(error)
    return " ".join(f"{type(error).__name__}: {error}".split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("file", type=Path, help="where the report is, or is to be")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--memory-of", metavar="SIDE", help="add this side's peak memory")
    parser.add_argument("--shares", action="store_true", help="add what the parts take")
    options = parser.parse_args()
    torch.set_num_threads(1)
    row = ROWS[options.row]
    if options.memory_of:
        report = Report.load_from(options.file)
        _add_memory(row.sides(options.quick)[options.memory_of], report.sides[options.memory_of])
    elif options.shares:
        report = Report.load_from(options.file)
        report.shares = shares(row, options.quick)
    else:
        report = _report(row, options.quick, options.repeats)
    report.save(options.file)


def _report(row: Row, quick: bool, n_repeats: int) -> Report:
    commit = checked_out()
    try:
        return Report.of(row, measure(row, quick, n_repeats), commit, n_repeats)
    except Exception as error:
        return Report.of(row, {}, commit, n_repeats, _reason(error))


def _add_memory(side: Side, measured: Measured) -> None:
    try:
        side(0)
    except Exception as error:
        measured.failure = _reason(error)
    else:
        measured.peak_rss = peak_rss()


if __name__ == "__main__":
    main()
