"""Where the package's time goes, by torch.profiler; run as a module, this prints it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.speed.row import Row
from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae._batches import BatchBuilder
from skl_lstmae._scoring import ErrorScorer, JointScorer
from skl_lstmae._training import Trainer
from skl_lstmae.modules import LSTMDecoder

PROFILED = {
    "B1": (Trainer, "_train_epoch"),
    "B4": (Trainer, "_train_epoch"),
    "B5": (LSTMAutoencoderDetector, "score_samples"),
    "B6": (LSTMAutoencoderDetector, "score_samples"),
    "B12": (LSTMDecoder, "forward"),
}
"""Whose calls are profiled in the package's sides of a row."""

METHODS = {
    "reading the input": [(LSTMAutoencoderDetector, "_read")],
    "gathering of batches": [(BatchBuilder, "build")],
    "scorer": [
        (scorer, method)
        for scorer in (ErrorScorer, JointScorer)
        for method in ("summarize", "score")
    ],
}

# What the profiler calls the parts; none of them holds another.
PARTS = {
    "LSTM kernels": ("aten::mkldnn_rnn_layer", "aten::mkldnn_rnn_layer_backward"),
    "bottleneck and head": ("aten::addmm", "aten::mm", "aten::bmm"),
    "optimizer": ("Optimizer.step#AdamW.step", "Optimizer.zero_grad#AdamW.zero_grad"),
    **{part: (part,) for part in METHODS},
}


def shares(row: Row, quick: bool) -> dict[str, dict[str, float]]:
    """Return what the parts take of the calls that are profiled, for each of the package's sides.

    The first call only warms up.
    """
    owner, method = PROFILED[row.name]
    found = {}
    for name, side in row.sides(quick).items():
        if "skl_lstmae" in name:
            with _profiled(owner, method) as calls:
                for seed in range(min(20, 2 * row.repeats)):
                    side(seed)
            found[f"`{method}` of {name}"] = _shares(calls[1:])
    return found


@contextmanager
def _profiled(owner: type, method: str) -> Iterator[list[dict[str, float]]]:
    """Note what each call of a method takes, in the block, by what the profiler calls the parts."""
    calls = []

    def profiled(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any) -> Any:
            activities = [ProfilerActivity.CPU]
            with profile(activities=activities) as profiler, record_function("whole"):
                result = function(*arguments)
            calls.append({event.key: event.cpu_time_total for event in profiler.key_averages()})
            return result

        return call

    with ExitStack() as patches:
        for part, methods in METHODS.items():
            for patched in methods:
                patches.enter_context(_patch(*patched, record_function(part)))
        patches.enter_context(_patch(owner, method, profiled))
        yield calls


def _patch(owner: type, method: str, wrap: Callable[..., Any]) -> Any:
    return mock.patch.object(owner, method, wrap(getattr(owner, method)))


def _shares(calls: list[dict[str, float]]) -> dict[str, float]:
    """Return the shares of all calls together, those of parts that took time."""
    whole = sum(call["whole"] for call in calls)
    times = {
        part: sum(call.get(name, 0.0) for call in calls for name in names)
        for part, names in PARTS.items()
    }
    times["the rest"] = whole - sum(times.values())
    return {part: time / whole for part, time in times.items() if time}


def in_words(shares: dict[str, float]) -> str:
    """Return the shares, the largest first."""
    largest_first = sorted(shares.items(), key=lambda part: -part[1])
    return ", ".join(f"{part} {share:.1%}" for part, share in largest_first)


if __name__ == "__main__":
    from benchmarks.speed.rows import ROWS

    torch.set_num_threads(1)
    for row in (ROWS[name] for name in PROFILED):
        for work, parts in shares(row, quick=False).items():
            print(f"{row.name}: {work}: {in_words(parts)}", flush=True)
