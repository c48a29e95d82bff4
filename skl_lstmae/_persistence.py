"""What a saved detector is made of: plain arrays, which any machine and safe format can read."""

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from skl_lstmae._version import __version__

Weights = dict[str, NDArray[Any]]


def export_weights(module: nn.Module) -> Weights:
    """Return a module's weights as arrays in the main memory, wherever the module is."""
    return {name: weight.cpu().numpy().copy() for name, weight in module.state_dict().items()}


def import_weights(module: nn.Module, weights: Weights) -> None:
    """Put exported weights into a module of the same architecture."""
    # Memory-mapped arrays cannot be written to, which torch wants of memory that it shares.
    module.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})


def checksum(state: Any) -> int:
    """Return a number that other weights, statistics or references are unlikely to share."""
    total = 0
    for array in _arrays(state):
        total = zlib.crc32(f"{array.dtype}{array.shape}".encode() + array.tobytes(), total)
    return total


def _arrays(state: Any) -> Iterator[NDArray[Any]]:
    if isinstance(state, np.ndarray | np.generic | float):
        array = np.asarray(state)
        if not array.dtype.hasobject:  # such an array holds addresses, which loading changes
            yield array
    elif isinstance(state, dict):
        for part in state.values():
            yield from _arrays(part)
    elif type(state).__module__.startswith(("skl_lstmae.", "sklearn.preprocessing.")):
        # Objects of other classes may save something else than they hold.
        yield from _arrays(vars(state))


def refuse_newer_major_version(version: Any, name: str) -> None:
    """Raise an error if what was saved is of a later major version than this package."""
    major = str(version).partition(".")[0]
    if not major.isdecimal():
        raise ValueError(
            f"This {name} should name the version of skl_lstmae that saved it, but names "
            f"{version!r}: the file is damaged; save the detector again."
        )
    if int(major) > int(__version__.partition(".")[0]):
        raise ValueError(
            f"This {name} was saved by skl_lstmae {version}, but version {__version__} is running; "
            "run pip install --upgrade skl_lstmae to load it."
        )


def usable_device(device: str) -> torch.device:
    """Return the device that a detector ran on, or the CPU where there is no such device."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        return torch.device("cpu")
    return torch.device(device)
