"""How much a kernel call takes, and which data wait where the network runs, by the device."""

from dataclasses import dataclass

import torch

MAX_FLOATS = 420_000
"""Rows x steps x hidden units of a kernel call in training on a CPU; a larger workspace is mapped
anew at every call."""

MAX_SCORING_FLOATS = 1_000_000
"""The same in scoring, where the kernels keep no workspace for a way back."""

MAX_CELLS = 2**21
"""Values of a batch in memory at a time, which is some twenty times as many bytes."""

MAX_OUTCOME_CELLS = 2**18
"""Values of an outcome on a CPU, of all that is made of which there are several copies in
float64."""

MAX_ROWS = 64
"""Rows of one kernel call in scoring on a CPU: up to here a row's bits were the same at every batch
size."""

MAX_TRAINED = 32
"""Sequences of one in training on a CPU: larger calls gain nothing, and those of as many can be
shared out among processes."""

MAX_HELD = 2**25
"""Bytes of scaled data that wait in the memory of a CPU."""


@dataclass(frozen=True)
class Calls:
    """The kernel calls that suit a device.

    Parameters
    ----------
    max_floats : int
        Rows x steps x hidden units of one in training.
    max_scoring_floats : int
        The same in scoring.
    max_cells : int
        Values of a batch.
    max_outcome_cells : int
        Values of an outcome.
    max_rows : int
        Sequences of a batch in scoring.
    max_trained : int
        Sequences of a call in training.
    """

    max_floats: int
    max_scoring_floats: int
    max_cells: int
    max_outcome_cells: int
    max_rows: int
    max_trained: int


ON_GPU = Calls(
    max_floats=2**25,
    max_scoring_floats=2**26,
    max_cells=2**23,
    max_outcome_cells=2**23,
    max_rows=4096,
    max_trained=2**25,
)


def calls_on(device: torch.device) -> Calls:
    """Return what suits a device.

    A GPU is idle between calls, so that the fewer there are the better: their size is bounded by
    its memory alone.
    """
    if device.type == "cpu":
        return Calls(
            MAX_FLOATS, MAX_SCORING_FLOATS, MAX_CELLS, MAX_OUTCOME_CELLS, MAX_ROWS, MAX_TRAINED
        )
    return ON_GPU


def may_hold(device: torch.device, n_bytes: int) -> bool:
    """Tell whether data of that size may wait on a device, of a GPU in half of what is free."""
    return n_bytes <= (MAX_HELD if device.type == "cpu" else free_memory(device) // 2)


def free_memory(device: torch.device) -> int:
    """Return the bytes of a GPU that nobody has taken, or that torch keeps ready."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    return 2 * MAX_HELD
