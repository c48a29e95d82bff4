"""Processes of their own, and their peak memory.

Run as a module, this runs a script and prints its peak at the end.
"""

import resource
import runpy
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

PREFIX = "PEAK_RSS "


def own_process() -> ProcessPoolExecutor:
    """Return a pool of one other process, which goes on from run to run."""
    return ProcessPoolExecutor(1, get_context("spawn"))


def peak_rss() -> int:
    """Return the peak resident memory of this process in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux lets a new process inherit the peak of its parent in getrusage, but not here.
        lines = status.read_text("utf-8").splitlines()
        kibibytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
        return int(kibibytes) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    script = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(script.parent))
    runpy.run_path(str(script), run_name="__main__")
    print(f"{PREFIX}{peak_rss()}")
