"""B11: what importing the package adds to importing torch and scikit-learn."""

import os
import subprocess
import sys
from functools import partial

from benchmarks.speed.ratios import median_seconds
from benchmarks.speed.row import Row, Run, Target

OURS = "skl_lstmae, after torch and sklearn"
SIDES = {
    OURS: ("import torch, sklearn", "import skl_lstmae"),
    "torch": ("", "import torch"),
    "sklearn, after torch": ("import torch", "import sklearn"),
}


def time_import(before, statement, seed):
    """Time a statement in a new interpreter, which may keep what it compiles, as pip does."""
    code = f"from timeit import timeit\n{before}\nprint(timeit({statement!r}, number=1))"
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    return Run(float(subprocess.check_output([sys.executable, "-c", code], env=environment)))


def judge(runs):
    milliseconds = median_seconds(runs, OURS) * 1e3
    return [Target("time of the import", milliseconds, 50, at_least=False, unit=" ms")]


B11 = Row(
    "B11",
    lambda quick: {name: partial(time_import, *code) for name, code in SIDES.items()},
    judge,
)
