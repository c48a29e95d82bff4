"""Measure speed and memory beside what others take, and write ``docs/benchmarks.md``.

Each row is measured in a process of its own and kept in ``build/benchmarks``. The page, and the
record in ``benchmarks/speed/speed_record.md``, are made of all rows that are there.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.checkout import ROOT
from benchmarks.names import names_among
from benchmarks.speed.page import page, record, sides_table, targets_table
from benchmarks.speed.rows import ROWS

PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
KEPT = ROOT / "build" / "benchmarks"
PAGE = ROOT / "docs" / "benchmarks.md"
RECORD = ROOT / "benchmarks" / "speed" / "speed_record.md"


def main() -> None:
    options = _options()
    failures = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if options.quick else KEPT
        for name in options.rows:
            if code := measure_apart(name, folder, options):
                failures.append(f"{name} failed: its process ended with code {code}.")
                continue
            kept = read_kept(folder)
            print(sides_table(kept[name]), targets_table({name: ROWS[name]}, kept), sep="\n\n")
    if not options.quick:
        kept = read_kept(KEPT)
        PAGE.write_text(page(ROWS, kept), encoding="utf-8")
        RECORD.write_text(record(ROWS, kept), encoding="utf-8")
    if failures:
        sys.exit("\n".join(failures))


def measure_apart(name: str, folder: Path, options: argparse.Namespace) -> int:
    """Measure a row in the environment that it needs; return the exit code."""
    python = PEERS_PYTHON if ROWS[name].in_peers_environment else sys.executable
    arguments = name, str(folder / f"{name}.csv"), options.quick, options.repeats
    code = f"from benchmarks.speed.measure import keep; keep(*{arguments})"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([python, "-c", code], cwd=ROOT, env=environment).returncode


def read_kept(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the runs that are kept of each row."""
    files = {name: folder / f"{name}.csv" for name in ROWS}
    return {
        name: pd.read_csv(file, dtype={"failure": str, "commit": str}).fillna({"failure": ""})
        for name, file in files.items()
        if file.exists()
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rows", type=names_among(ROWS), default=list(ROWS), help="such as B1,B4; all by default")
    written = "measure nothing, and write page and record of what is kept"
    add("--page-only", action="store_const", dest="rows", const=[], help=written)
    add("--repeats", type=int, default=3, help="runs of each side")
    add("--quick", action="store_true", help="try small problems, and keep nothing of it")
    options = parser.parse_args()
    needs_peers = any(ROWS[name].in_peers_environment for name in options.rows)
    if needs_peers and not PEERS_PYTHON.exists():
        parser.error("some rows need .venv-peers: run make bench, or name others with --rows")
    return options


if __name__ == "__main__":
    main()
