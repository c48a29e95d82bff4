"""What a saved detector carries so that damage and newer versions are noticed."""

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import nn

from skl_lstmae._version import __version__


def checksum(state: Any) -> int:
    """Return a number that another state is unlikely to share."""
    total = 0
    for value in bytes_of(state):
        total = zlib.crc32(value, total)
    return total


def bytes_of(state: Any) -> Iterator[bytes]:
    """Yield the bytes of all numbers, texts and names in a state."""
    if isinstance(state, np.ndarray | np.generic):
        if not state.dtype.hasobject:  # such an array holds addresses, which loading changes
            yield f"{state.dtype}{state.shape}".encode() + state.tobytes()
    elif isinstance(state, str | int | float | None):
        yield repr(state).encode()
    elif isinstance(state, list | tuple):
        for part in state:
            yield from bytes_of(part)
    elif isinstance(state, dict):
        for name, part in state.items():
            yield repr(name).encode()
            yield from bytes_of(part)
    elif isinstance(state, nn.Module):
        for name, weight in state.state_dict().items():
            yield repr(name).encode() + weight.cpu().numpy().tobytes()
    elif type(state).__module__.startswith("skl_lstmae."):
        saved = state.__getstate__()
        if isinstance(saved, dict):  # where a network runs is up to the machine that loads it
            saved = {name: part for name, part in saved.items() if name != "device"}
        yield from bytes_of(saved)
    elif type(state).__module__.startswith("sklearn.preprocessing."):
        # Objects of other classes may save something else than they hold.
        yield from bytes_of(vars(state))


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
