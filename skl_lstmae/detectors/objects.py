"""Parameters that take objects, for which classes, or names, are often passed."""

from collections.abc import Callable, Collection
from typing import Any


def refuse_class(name: str, value: Any) -> None:
    """Refuse a class as the value of a parameter, which has methods, but nothing to call them."""
    if isinstance(value, type):
        kind = value.__name__
        raise ValueError(f"{name}={kind} is a class; pass an object of it, as {name}={kind}().")


def refuse_parameters_of_no_object(
    estimator: Any,
    params: dict[str, Any],
    named: dict[str, tuple[Callable[[Any], Any], Collection[Any]]],
) -> None:
    """Refuse parameters to set, as ``scaler__with_std``, of a value that can have none, as a name.

    Parameters
    ----------
    estimator : estimator
        Whose parameters are to be set.
    params : dict
        Their names and values.
    named : dict
        For a parameter whose values may be names: what makes an object of one, and all names.
    """
    own = estimator.get_params(deep=False)
    for nested in params:
        name, separator, inner = nested.partition("__")
        value = params.get(name, own.get(name))
        if not separator or name not in own:
            continue
        refuse_class(name, value)
        if not hasattr(value, "set_params"):
            raise ValueError(
                f"{name}={value!r} is no object whose parameter {inner} could be set; set {name} "
                f"to one that has it{_example(name, value, inner, named)} first."
            )


def _example(name: str, value: Any, inner: str, named: dict[str, Any]) -> str:
    """Name an object that has a parameter, if possible the one that the value stands for."""
    make, names = named.get(name, (None, ()))
    for known in sorted(names, key=lambda known: known != value):
        made = make(known)
        if inner in made.get_params():
            return f", such as {name}={type(made).__name__}(),"
    return ""
