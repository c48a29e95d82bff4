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
    """Return a number that another state is unlikely to share."""
    total = 0
    for piece in _pieces(state):
        total = zlib.crc32(piece, total)
    return total


def _pieces(state: Any) -> Iterator[bytes]:
    if isinstance(state, np.ndarray | np.generic):
        if not state.dtype.hasobject:  # such an array holds addresses, which loading changes
            yield f"{state.dtype}{state.shape}".encode() + state.tobytes()
    elif isinstance(state, str | int | float | None):
        yield repr(state).encode()
    elif isinstance(state, list | tuple):
        for part in state:
            yield from _pieces(part)
    elif isinstance(state, dict):
        for name, part in state.items():
            yield repr(name).encode()
            yield from _pieces(part)
    elif type(state).__module__.startswith("skl_lstmae."):
        yield from _pieces(state.__getstate__())
    elif type(state).__module__.startswith("sklearn.preprocessing."):
        # Objects of other classes may save something else than they hold.
        yield from _pieces(vars(state))


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
