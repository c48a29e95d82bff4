"""Measures one row, and keeps all runs of its sides in a table, beside what they were run with."""

import os
import platform
import sys
import traceback
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.checkout import checked_out
from benchmarks.speed.processes import own_process, peak_rss
from benchmarks.speed.row import Row, Run, Side
from benchmarks.speed.rows import ROWS

SLOW = 30.0
"""Seconds; a side that takes longer is run only once."""

PACKAGES = (
    *("torch", "numpy", "scikit-learn", "skl_lstmae"),
    *("skorch", "keras", "deepod", "dtaianomaly", "sequitur", "pyod", "tsb-ad"),
)


def keep(name: str, file: str, quick: bool, n_repeats: int) -> None:
    """Measure a row in this process and environment, and write the table."""
    conditions = {"commit": checked_out(), "date": date.today().isoformat(), "repeats": n_repeats}
    runs = measure(ROWS[name], quick, n_repeats)
    runs = runs.assign(**conditions, load=os.getloadavg()[0], setup=_setup())
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    runs.to_csv(file, index=False)


def measure(row: Row, quick: bool, n_repeats: int) -> pd.DataFrame:
    """Run the sides of a row in turns; return a row for each run.

    The first run of a side, which warms it up, is left out unless it is the only one. One that
    fails is the side's last; it has no figures, but a reason.
    """
    sides = _apart(row, quick) if row.apart else row.sides(quick)
    runs = {name: [] for name in sides}
    for turn in range(n_repeats * row.repeats + 1):
        for name, side in sides.items():
            if runs[name] and not _is_to_be_repeated(runs[name][-1]):
                continue
            if row.repeats <= 1:
                print(f"{row.name}, turn {turn}: {name}", file=sys.stderr)
            runs[name].append({"side": name, "turn": turn, **_run(side, turn)})
    return pd.DataFrame([run for of_side in runs.values() for run in of_side[1:] or of_side])


def _apart(row: Row, quick: bool) -> dict[str, Side]:
    """Return the sides, all but the bare kernels to be run in a process each."""

    def apart(name: str) -> Side:
        process = own_process()
        return lambda seed: process.submit(_run_here, row.name, quick, name, seed).result()

    sides = row.sides(quick)
    return {name: side if "kernels" in name else apart(name) for name, side in sides.items()}


def _run_here(row: str, quick: bool, name: str, seed: int) -> Run:
    run = _sides_here(row, quick)[name](seed)
    return replace(run, peak_rss=peak_rss()) if np.isnan(run.peak_rss) else run


@cache
def _sides_here(row: str, quick: bool) -> dict[str, Side]:
    return ROWS[row].sides(quick)


def _run(side: Side, seed: int) -> dict[str, float | str]:
    """Run a side, and tell in one line what went wrong; the user sees the rest."""
    try:
        return asdict(side(seed)) | {"failure": ""}
    except Exception as error:
        traceback.print_exception(error)
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return asdict(Run(np.nan)) | {"failure": reason}


def _is_to_be_repeated(run: dict[str, float | str]) -> bool:
    return not run["failure"] and (run["seconds"] <= SLOW or run["seconds"] == np.inf)


def _setup() -> str:
    """Return machine and versions in words; torch's memory is the C library's."""
    versions = [f"Python {platform.python_version()}", " ".join(platform.libc_ver())]
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions.append(f"{package} {version(package)}")
    cpus = Path("/proc/cpuinfo")  # where Linux keeps the name that Python does not know
    lines = cpus.read_text("utf-8").splitlines() if cpus.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{[*names, platform.processor()][0]}, {os.cpu_count()} cores; {', '.join(versions)}"
