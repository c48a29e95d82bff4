"""Where a network runs."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the torch device that ``device`` names; "auto" is CUDA, else MPS, else the CPU."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        # Some of torch's messages go on for pages; their first sentence says what matters.
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(
            f"device={str(device)!r} cannot be used here: {reason}; use device='auto', which takes "
            "a GPU only where there is one."
        ) from error
    if device.type == "meta":
        raise ValueError(
            f"device={str(device)!r} keeps no numbers, so that nothing can be learned; use "
            "device='auto', or another one."
        )
    return device


def usable_device(device: str) -> torch.device:
    """Return the device that a saved detector ran on, or the CPU if there is none such here."""
    try:
        return resolve_device(device)
    except ValueError:
        return torch.device("cpu")


def send(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return an array as a tensor on a device, without waiting for what a GPU has yet to do."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":  # which copies by itself only from memory that stays in its place
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def exact(device: torch.device) -> torch.dtype:
    """Return the type of the most exact numbers that a device has."""
    return torch.float32 if device.type == "mps" else torch.float64
