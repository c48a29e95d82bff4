"""B11: what importing the package adds to importing torch and scikit-learn."""

import os
import subprocess
import sys
from functools import partial

from benchmarks.speed.row import Measured, Row, Run, Side, Target
from benchmarks.speed.timing import clock

DO_NOT_COMPILE = "PYTHONDONTWRITEBYTECODE"

SIDES = {
    "skl_lstmae, after torch and sklearn": ("import torch, sklearn", "import skl_lstmae"),
    "torch": ("", "import torch"),
    "sklearn, after torch": ("import torch", "import sklearn"),
}


def sides(quick: bool) -> dict[str, Side]:
    return {name: partial(_run, *statements) for name, statements in SIDES.items()}


def judge(measured: dict[str, Measured]) -> list[Target]:
    milliseconds = measured["skl_lstmae, after torch and sklearn"].median * 1e3
    return [Target("time of the import", milliseconds, 50, at_least=False, unit=" ms")]


def _run(before: str, timed: str, seed: int) -> Run:
    """Time a statement in a new interpreter, which may keep what it compiles, as pip does."""
    lines = [
        f"from time import {clock.__name__} as clock",
        before,
        "start = clock()",
        timed,
        "print(clock() - start)",
    ]
    command = [sys.executable, "-c", "\n".join(lines)]
    environment = {key: os.environ[key] for key in os.environ if key != DO_NOT_COMPILE}
    process = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return Run(float(process.stdout))


B11 = Row(
    name="B11",
    work="`import skl_lstmae` in a new interpreter, after `import torch, sklearn`, all compiled",
    sides=sides,
    judge=judge,
    where_the_time_goes="into modules that neither torch nor scikit-learn has loaded yet, which "
    "`python -X importtime -c 'import torch, sklearn, skl_lstmae'` lists.",
    measures_memory=False,
)
