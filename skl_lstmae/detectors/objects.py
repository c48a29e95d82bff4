"""Parameters that take objects, for which classes are often passed."""

from typing import Any


def refuse_class(name: str, value: Any) -> None:
    """Refuse a class as the value of a parameter, which has methods, but nothing to call them."""
    if isinstance(value, type):
        kind = value.__name__
        raise ValueError(f"{name}={kind} is a class; pass an object of it, as {name}={kind}().")
