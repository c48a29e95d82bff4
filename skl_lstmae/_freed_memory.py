"""Memory that was freed, but that glibc keeps between blocks that are still in use."""

import ctypes
from functools import cache
from typing import Any


def return_freed_memory() -> None:
    """Have the C library return freed memory to the system, if it is glibc."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Any:
    """Return glibc's function of this name; None in another C library."""
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # as on Windows, where a program has no symbols of its own
        return None
