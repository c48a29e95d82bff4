"""Which code it is that is measured."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def checked_out() -> str:
    """Return the commit that is checked out, and "dirty" if the code to measure is not its own."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changes = _git("status", "--porcelain", "--", "skl_lstmae", "benchmarks")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}, dirty" if changes else commit


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
