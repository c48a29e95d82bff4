"""The competitors: their environment, and the scripts that run them.

The scripts are no part of this project. Each fits one competitor on what ``waves(1000, 50, 3)``
returns, with the threads that ``THREADS`` names, and prints ``RESULT`` and a JSON object that holds
``fit_s`` and perhaps ``loss``.

Run as a module, this installs the competitors where it runs, and goes on if one cannot be had.
"""

import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.checkout import ROOT
from benchmarks.speed.memory import PREFIX
from benchmarks.speed.row import Run, Side, UnavailableError
from benchmarks.speed.timing import CPU_TIME

FOLDER = "SKL_LSTMAE_PEERS"
"""The environment variable that names the folder of the scripts."""

SCRIPTS = {
    "Keras": "bench_keras.py",
    "DeepOD": "bench_deepod.py",
    "dtaianomaly": "bench_dtaianomaly.py",
    "sequitur": "bench_sequitur.py",
    "PyOD": "bench_pyod.py",
    "TSB-AD": "bench_tsbad.py",
}

DOES = {
    "skorch": "the same module",
    "Keras": "LSTM autoencoder, torch backend",
    "DeepOD": "LSTM encoder alone, then scores of 49,951 windows",
    "dtaianomaly": "LSTM that forecasts 1 step of each sequence",
    "sequitur": "LSTM autoencoder of twice the layers, batches of 1",
    "PyOD": "LSTM that forecasts, 49,951 windows",
    "TSB-AD": "LSTM that forecasts, some 45,000 windows, early stopping",
}
"""What each of them trains."""

PACKAGES = {
    "skorch": ["skorch"],
    "Keras": ["keras"],
    "dtaianomaly": ["dtaianomaly"],
    "sequitur": ["sequitur"],
    "PyOD": ["pyod"],
    "needs of the next two": ["numba", "statsmodels", "torchinfo", "tqdm"],
    # DeepOD would bring an old torch, and TSB-AD much that its LSTM does without.
    "DeepOD": ["--no-deps", "deepod"],
    "TSB-AD": ["--no-deps", "tsb-ad"],
}

SHARED_NEEDS = ["numpy<2"]  # TSB-AD uses names that numpy 2 has not

NOT_INSTALLED = Path(sys.prefix, "not-installed.json")
"""Why some packages could not be installed, by name."""


def script_sides() -> dict[str, Side]:
    """Return the sides that scripts run."""
    return {peer: partial(_run_script, peer, script) for peer, script in SCRIPTS.items()}


def install() -> None:
    """Install the competitors into the environment that runs this."""
    failures = {}
    for name, arguments in PACKAGES.items():
        command = [sys.executable, "-m", "pip", "install", "--quiet"]
        command += ["--constraint", str(ROOT / "constraints.txt")]
        done = subprocess.run(
            [*command, *SHARED_NEEDS, *arguments], stderr=subprocess.PIPE, text=True
        )
        if done.returncode:
            failures[name] = _last_line(done.stderr)
            print(f"{name} could not be installed: {failures[name]}")
    NOT_INSTALLED.write_text(json.dumps(failures), encoding="utf-8")


def _run_script(peer: str, script: str, seed: int) -> Run:
    """Run a script, which has a seed of its own, in a process of its own."""
    if CPU_TIME in os.environ:
        raise UnavailableError("the scripts tell the time that passed, not the processor's")
    failures = json.loads(NOT_INSTALLED.read_text("utf-8")) if NOT_INSTALLED.exists() else {}
    if peer in failures:
        raise UnavailableError(f"not installed: {failures[peer]}")
    path = Path(os.environ[FOLDER], script).resolve()
    if not path.exists():
        raise UnavailableError(
            f"{script} is no part of this repository; name its folder in {FOLDER} or by --peers"
        )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-B", "-m", "benchmarks.speed.memory", str(path)],
            cwd=folder,
            env=os.environ | {"THREADS": "1", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    result = _find(done.stdout, "RESULT ")
    if done.returncode or result is None:
        raise UnavailableError(f"{script} failed: {_last_line(done.stdout)}")
    return Run(result["fit_s"], result.get("loss"), _find(done.stdout, PREFIX))


def _find(output: str, prefix: str) -> Any:
    """Return the JSON that stands behind `prefix`, or None."""
    found = [line.removeprefix(prefix) for line in output.splitlines() if line.startswith(prefix)]
    return json.loads(found[0]) if found else None


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else "no reason was given"


if __name__ == "__main__":
    install()
