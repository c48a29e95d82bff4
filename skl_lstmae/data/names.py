"""What messages call features, steps and sequences: as the user does, or by numbers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from skl_lstmae.data.containers import column_names

MAX_NAMED = 10
"""Features, sequences or stretches of rows that one message names."""


@dataclass(frozen=True, eq=False)
class Names:
    """What the user calls the parts of `X`.

    Parameters
    ----------
    kind : {"sequence", "series"}
        What the parts are.
    features : list
        Names of the features; empty if there are none.
    call : callable, default=None
        From the number of a part to what it is called; None means by its number.
    index : callable, default=None
        From the number of a part to what its steps are called, or None.
    step_word : str, default="time"
        What a step is, if it is called anything.
    """

    kind: str = "sequence"
    features: tuple[Any, ...] = ()
    call: Callable[[int], str] | None = None
    index: Callable[[int], Any] | None = None
    step_word: str = "time"

    def part(self, i: int) -> str:
        """Return what a sequence or series is called."""
        return f"{self.kind} {self.call(i)}" if self.call else f"{self.kind} #{i}"

    def step(self, i: int, step: int) -> str:
        """Return what a step of it is called."""
        index = self.index(i) if self.index else None
        return f"step {step}" if index is None else f"{self.step_word} {index[step]}"

    def feature(self, j: int) -> str:
        """Return what a feature is called."""
        return call_features(self.features, [j])


def call_features(features: Sequence[Any], numbers: Iterable[int]) -> str:
    """Return what one or several features are called, of which there may be names."""
    names = [repr(features[j]) if features else str(j) for j in numbers]
    if len(names) == 1:
        return f"feature {names[0]}"
    if len(names) > MAX_NAMED:
        names[MAX_NAMED:] = [f"{len(names) - MAX_NAMED} more"]
    return f"features {', '.join(names[:-1])} and {names[-1]}"


def some_of(names: Sequence[Any]) -> str:
    """Return the first of some names or numbers, and how many more there are."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(map(str, names[:MAX_NAMED])) + more


def names_of(frames: list[Any]) -> tuple[Any, ...]:
    """Return the names of the features of frames, of which the first tells."""
    return tuple(next((names for frame in frames if (names := column_names(frame))), ()))


def feature_names(estimator: Any, n_features: int) -> tuple[Any, ...]:
    """Return the names that an estimator knows of so many features, if it does."""
    names = known_names(estimator)
    return names if len(names) == n_features else ()


def known_names(estimator: Any) -> tuple[Any, ...]:
    """Return the names of the columns that an estimator was fitted to; none if they had none."""
    names = getattr(estimator, "feature_names_in_", None)
    return getattr(estimator, "_column_names", ()) if names is None else tuple(names.tolist())


def names_beside(columns: Any) -> tuple[Any, ...]:
    """Return the names of columns that scikit-learn leaves out, as they are no text, if they tell.

    Numbers from 0 on are those of a frame without names.
    """
    names = column_names(columns)
    if all(isinstance(name, str) for name in names) or names == list(range(len(names))):
        return ()
    return tuple(name if isinstance(name, (int, float)) else str(name) for name in names)
