"""The competitors, which scripts run that are no part of this project.

Each script, such as ``bench_tsbad.py``, fits one competitor on what ``waves(1000, 50, 3)`` returns,
with the threads that ``THREADS`` names, and prints ``RESULT`` and a JSON object that holds
``fit_s`` and perhaps ``loss``.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.checkout import ROOT
from benchmarks.speed.processes import PREFIX
from benchmarks.speed.row import Run, Side

FOLDER = "SKL_LSTMAE_PEERS"
"""The environment variable that names the folder of the scripts."""

DOES = {
    "skorch": "the same module",
    "Keras": "LSTM autoencoder, torch backend",
    "DeepOD": "LSTM encoder alone, then scores of 49,951 windows",
    "dtaianomaly": "LSTM that forecasts 1 step of each sequence",
    "sequitur": "LSTM autoencoder of twice the layers, batches of 1",
    "PyOD": "LSTM that forecasts, 49,951 windows",
    "TSB-AD": "LSTM that forecasts, some 45,000 windows, early stopping",
}
"""What each of them trains; all but skorch have a script."""


def script_sides() -> dict[str, Side]:
    return {
        peer: partial(run_script, f"bench_{peer.lower().replace('-', '')}.py")
        for peer in DOES
        if peer != "skorch"
    }


def run_script(script: str, seed: int) -> Run:
    """Run a script, which has a seed of its own, in a process of its own."""
    path = Path(os.environ.get(FOLDER, ""), script).resolve()
    if not path.exists():
        sentence = f"{script} is no part of this repository; name its folder in {FOLDER}"
        raise FileNotFoundError(sentence)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-B", "-m", "benchmarks.speed.processes", str(path)],
            cwd=folder,
            env=os.environ | {"THREADS": "1", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    lines = done.stdout.splitlines() or ["it printed nothing"]
    found = [line.removeprefix("RESULT ") for line in lines if line.startswith("RESULT ")]
    if done.returncode or not found:
        raise RuntimeError(f"{script} failed: {lines[-1]}")
    result = json.loads(found[0])
    peak_rss = int(lines[-1].removeprefix(PREFIX))
    return Run(result["fit_s"], result.get("loss", math.nan), peak_rss=peak_rss)
