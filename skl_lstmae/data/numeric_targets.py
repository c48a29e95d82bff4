"""Numbers to predict of sequences, or of their steps, read, checked, scaled and unscaled."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.array_like import is_object_vector, to_floats
from skl_lstmae.data.forms import ArrayForm, Form, ListForm
from skl_lstmae.data.reading import read
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.targets import check_target, refuse_another_length

ROUNDING = 4
"""How many of float64's spacings targets may lie from their middle that are taken for equal."""

FORMS = "numbers of shape (n_sequences,) or (n_sequences, n_outputs), or those of each step"


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers to predict, scaled to zero mean and unit variance.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        Of the targets that were learned from.
    is_single : bool
        Whether `y` had no axis of outputs.
    per_step : bool
        Whether there is a target a step, rather than one a sequence.
    is_constant : ndarray of bool of shape (n_outputs,)
        Whether all targets so far are equal, so that nothing else is predicted.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    is_single: bool
    per_step: bool
    is_constant: NDArray[np.bool_]

    @classmethod
    def of(cls, chosen: Sequences, target: NumericTarget) -> Numbers:
        """Learn mean and scale from some of the targets; the scale of a constant is its size."""
        values = chosen.values[:]
        refuse_unobserved(values)
        # Around the middle, lest the spread be lost in a large offset.
        middle = np.nanmin(values, axis=0) / 2 + np.nanmax(values, axis=0) / 2
        reach = np.nanmax(np.abs(values - middle), axis=0)
        unit = np.where(reach > 0, reach, 1.0)  # squares might be none of float64's numbers
        mean, deviation = (
            unit * moment((values - middle) / unit, axis=0, dtype=np.float64)
            for moment in (np.nanmean, np.nanstd)
        )
        size = np.where(middle != 0, np.abs(middle), 1.0)
        is_constant = _are_equal(values, middle)
        scale = np.where(is_constant, size, deviation)
        return cls(middle + mean, scale, target.is_single, target.per_step, is_constant)

    def having_seen(self, chosen: Sequences) -> Numbers:
        """Return the same once further targets are learned from, which may differ from a constant.

        Mean and scale stay, as a network has learned by them.
        """
        return replace(self, is_constant=self.is_constant & _are_equal(chosen.values[:], self.mean))

    @property
    def units(self) -> NDArray[np.float64]:
        """What a unit of the network's outputs stands for, (n_outputs,); 0 for a constant."""
        return np.where(self.is_constant, 0.0, self.scale)

    @property
    def n_outputs(self) -> int:
        """How many numbers are predicted of each sequence, or step."""
        return len(self.mean)

    def refuse_others(self, target: NumericTarget) -> None:
        """Refuse targets of another kind than those that were learned from."""
        known = self.n_outputs, self.per_step
        found = target.sequences.n_features, target.per_step
        if found != known:
            told, expected = (
                f"{n} output(s) a {'step' if per_step else 'sequence'}"
                for n, per_step in (found, known)
            )
            raise ValueError(
                f"y has {told}; expected {expected}, as in the first fit: fit anew to change that."
            )

    def scaled(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return targets as a network is to predict them, (n_rows, n_outputs)."""
        return (rows - self.mean) / self.scale

    def unscaled(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return predictions in the user's units, (n_rows, n_outputs) or (n_rows,)."""
        rows = rows.astype(np.float64) * self.units + self.mean
        return rows[:, 0] if self.is_single else rows


def _are_equal(values: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether all observed values of an output are as expected, up to rounding, (n_outputs,)."""
    distance = np.nanmax(np.abs(values - expected), axis=0, initial=0.0)
    return distance <= ROUNDING * np.spacing(np.abs(expected))


@dataclass(frozen=True, eq=False)
class NumericTarget:
    """Numbers of sequences, or of their steps, in the user's units.

    Parameters
    ----------
    sequences : Sequences
        As many as there are of `X`, of one step each or of as many; NaN is missing.
    is_single, per_step : bool
        See `Numbers`.
    """

    sequences: Sequences
    is_single: bool
    per_step: bool


def read_numbers(y: Any, X: Sequences, form: Form, name: str) -> NumericTarget:
    """Read numbers, one or several a sequence or a step, for an estimator of this name."""
    check_target(y, form, name)
    per_step = _has_steps(y)
    if not per_step:
        refuse_text(np.asarray(y))
        table = to_floats(y, "y", FORMS).astype(np.float64)
        if table.ndim not in (1, 2) or 0 in table.shape[1:]:
            raise ValueError(f"y has shape {table.shape}; expected {FORMS}.")
        refuse_another_length(len(table), len(X))
        rows = np.arange(len(X), dtype=np.intp)
        ones = np.ones_like(rows)
        is_single = table.ndim == 1
        target = Sequences(table.reshape(len(table), -1), rows, ones)
    else:
        target, is_single = _read_steps(y, X)
    _refuse_unusable(target, is_complete=target.n_features == 1 and not per_step)
    return NumericTarget(target, is_single, per_step)


def _has_steps(y: Any) -> bool:
    """Whether this holds a target a step: a 3-D array, a panel, or a list of arrays or of lists."""
    if getattr(getattr(y, "index", None), "nlevels", 1) > 1 or getattr(y, "ndim", 0) == 3:
        return True
    if not (isinstance(y, (list, tuple)) or is_object_vector(y)):
        return False
    are_lists = all(isinstance(member, (list, tuple)) for member in y)
    return any(getattr(member, "shape", ()) for member in y) or (
        are_lists and len(set(map(len, y))) > 1
    )


def _read_steps(y: Any, X: Sequences) -> tuple[Sequences, bool]:
    """Return targets of as many steps as the sequences have, and whether they have no outputs."""
    is_series = hasattr(y, "to_frame") and hasattr(y, "iloc")
    try:
        target, form = read(y.to_frame() if is_series else y)
    except (ValueError, TypeError) as error:
        raise type(error)(f"in y, {error}") from error
    refuse_another_length(len(target), len(X))
    is_single = is_series or getattr(form, "step_shapes", [None])[0] == ()
    lengths = target.lengths
    if isinstance(form, ArrayForm):  # whose last targets may be missing
        lengths = np.minimum(X.lengths, form.shape[1])
    if (lengths != X.lengths).any():
        i = int((lengths != X.lengths).argmax())
        may_be_outputs = isinstance(form, ListForm) and len(set(lengths)) == 1
        hint = ", or np.stack(y) if these are outputs" if may_be_outputs else ""
        raise ValueError(
            f"y of sequence {i} has {lengths[i]} step(s), but the sequence has {X.lengths[i]}; "
            f"expected a target a step{hint}."
        )
    return Sequences(target.values[:].astype(np.float64), target.starts, lengths), is_single


NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
"""Text that spells a number."""


def refuse_text(y: NDArray[Any]) -> None:
    """Refuse labels where numbers are expected."""
    first = next((part for part in y.ravel().tolist()[:1] if isinstance(part, str)), None)
    if first is not None:
        remedy = "use LSTMClassifier for labels"
        if NUMBER.fullmatch(first):
            remedy = "convert it, as by pd.to_numeric"
        raise ValueError(f"y holds text, {first!r}; expected {FORMS}: {remedy}.")


def _refuse_unusable(target: Sequences, *, is_complete: bool) -> None:
    """Refuse infinite targets, and missing ones where there is but one each."""
    table = target.values[target.rows()]
    is_odd = ~np.isfinite(table) if is_complete else np.isinf(table)
    if is_odd.any():
        row, output = np.argwhere(is_odd)[0].tolist()
        owner = np.repeat(np.arange(len(target)), target.lengths)[row]
        raise ValueError(
            f"y holds {table[row, output]} for sequence {owner}; expected finite numbers: "
            "leave the sequence out."
        )


def refuse_unobserved(table: NDArray[np.float64]) -> None:
    """Refuse outputs of which no target is observed."""
    is_unobserved = np.isnan(table).all(axis=0)
    if is_unobserved.any():
        raise ValueError(
            f"y has no observed value of output {is_unobserved.argmax()} for any sequence that "
            "counts; expected one at least: leave the output out."
        )
