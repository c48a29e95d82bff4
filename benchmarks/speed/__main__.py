"""Measure speed and memory beside what others take, and write ``docs/benchmarks.md``.

Each row is measured in a process of its own and kept in ``build/benchmarks``; the page is made of
all rows that are there.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.checkout import ROOT, checked_out
from benchmarks.speed.page import page, results
from benchmarks.speed.peers import FOLDER
from benchmarks.speed.profile import PROFILED
from benchmarks.speed.report import Report
from benchmarks.speed.row import Row
from benchmarks.speed.rows import ROWS
from benchmarks.speed.timing import CPU_TIME

PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
KEPT = ROOT / "build" / "benchmarks"
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    options = _options()
    environment = os.environ | {"OMP_NUM_THREADS": "1", FOLDER: str(options.peers.resolve())}
    if options.cpu_time:
        environment[CPU_TIME] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if options.quick else KEPT
        for name in options.rows:
            report = measure_apart(ROWS[name], folder / f"{name}.json", options, environment)
            print(f"{name}: {report.work}\n\n{results(ROWS[name], report)}\n")
    if not options.quick:
        PAGE.write_text(page(ROWS, kept_reports(KEPT)), encoding="utf-8")


def kept_reports(folder: Path) -> dict[str, Report]:
    """Return what is kept of each row, and say of which it cannot be read any more."""
    reports = {}
    for name in ROWS:
        file = folder / f"{name}.json"
        try:
            reports |= {name: Report.load_from(file)} if file.exists() else {}
        except ValueError as error:
            print(f"not on the page: {error}", file=sys.stderr)
    return reports


def measure_apart(
    row: Row, file: Path, options: argparse.Namespace, environment: dict[str, str]
) -> Report:
    """Measure a row, then the memory of each side that could be run, and what its parts take.

    A process that the system ends, as for want of memory, is reported as a failure too.
    """
    python = PEERS_PYTHON if row.in_peers_environment else sys.executable
    command = [str(python), "-m", "benchmarks.speed.worker", row.name, str(file)]
    command += ["--quick"] * options.quick

    def fails(*arguments: str) -> str | None:
        done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment)
        return f"its process ended with code {done.returncode}" if done.returncode else None

    if failure := fails("--repeats", str(options.repeats)):
        Report.of(row, {}, checked_out(), options.repeats, failure).save(file)
    for name, side in Report.load_from(file).sides.items():
        has_own_process = any(run.peak_rss for run in side.runs)
        needs_another = row.measures_memory and side.runs and not has_own_process
        if not needs_another or name.startswith("kernels"):
            continue
        if failure := fails("--memory-of", name):
            report = Report.load_from(file)
            report.sides[name].failure = failure
            report.save(file)
    if row.name in PROFILED and (failure := fails("--shares")):
        print(f"{row.name}: no shares of the time, {failure}", file=sys.stderr)
    return Report.load_from(file)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows",
        type=lambda names: names.split(","),
        default=list(ROWS),
        help="which to measure, such as B1,B4; all by default",
    )
    parser.add_argument(
        "--page-only",
        action="store_const",
        dest="rows",
        const=[],
        help="measure nothing, and write the page of what is kept",
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs of each side")
    parser.add_argument(
        "--quick", action="store_true", help="try small problems, and keep nothing of it"
    )
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count the processor's time, which other work on the machine disturbs less; rows "
        "that need more than one process then count for nothing",
    )
    parser.add_argument(
        "--peers",
        type=Path,
        default=os.environ.get(FOLDER, ""),
        help=f"folder of scripts that run competitors; by default the variable {FOLDER} names it",
    )
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}; choose from {', '.join(ROWS)}")
    needs_peers = any(ROWS[name].in_peers_environment for name in options.rows)
    if needs_peers and not PEERS_PYTHON.exists():
        parser.error("some rows need .venv-peers: run make bench, or name others with --rows")
    return options


if __name__ == "__main__":
    main()
