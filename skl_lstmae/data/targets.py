"""What is to be predicted of sequences: `y`, read, checked, and turned into numbers and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skl_lstmae._sklearn import is_pandas_na
from skl_lstmae.data.array_like import is_object_vector, to_floats
from skl_lstmae.data.forms import ArrayForm, read
from skl_lstmae.data.sequences import Sequences

INF = float("inf")

SMALLEST_SPREAD = 1e-12
"""Part of the largest target by which others must differ, lest they be taken for equal."""

FORMS = "numbers of shape (n_sequences,) or (n_sequences, n_outputs), or those of each step"


@dataclass(frozen=True, eq=False)
class Classes:
    """Labels that are told apart.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
        In their order.
    """

    labels: NDArray[Any]

    per_step = False

    @classmethod
    def among(cls, labels: NDArray[Any], name: str = "y") -> Classes:
        """Return the classes of labels, which have a name, and of which there must be two."""
        distinct = np.unique(labels)
        if len(distinct) < 2:
            raise ValueError(
                f"{name} holds one class alone, {distinct.tolist()}; expected two or more."
            )
        return cls(distinct)

    @property
    def n_outputs(self) -> int:
        """Number of classes."""
        return len(self.labels)

    def codes(self, labels: NDArray[Any]) -> NDArray[np.intp]:
        """Return the numbers of labels, (n_sequences,), or refuse those that are none of these."""
        unknown = np.setdiff1d(labels, self.labels)
        if len(unknown):
            raise ValueError(
                f"y holds {unknown.tolist()[0]!r}, which is none of the classes that are learned, "
                f"{self.labels.tolist()}; name all in the first call of partial_fit by classes=, "
                "or fit anew."
            )
        return np.searchsorted(self.labels, labels)


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
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    is_single: bool
    per_step: bool

    @classmethod
    def of(cls, chosen: Sequences, target: NumericTarget) -> Numbers:
        """Learn mean and scale from some of the targets."""
        largest = np.nanmax(np.abs(chosen.values), axis=0)
        largest = np.where(largest > 0, largest, 1.0)  # squares might be none of float64's numbers
        table = chosen.values / largest
        mean, scale = (
            largest * moment(table, axis=0, dtype=np.float64) for moment in (np.nanmean, np.nanstd)
        )
        varies = scale > SMALLEST_SPREAD * largest
        return cls(mean, np.where(varies, scale, 1.0), target.is_single, target.per_step)

    @property
    def n_outputs(self) -> int:
        """Number of numbers."""
        return len(self.mean)

    def refuse_others(self, target: NumericTarget) -> None:
        """Refuse targets of another kind than those that were learned from."""
        known = self.n_outputs, self.per_step
        found = target.sequences.n_features, target.per_step
        if found != known:
            told = [
                f"{n} output(s) a {'step' if per_step else 'sequence'}"
                for n, per_step in (found, known)
            ]
            raise ValueError(
                f"y has {told[0]}; expected {told[1]}, as in the first fit: fit anew to change "
                "that."
            )

    def scaled(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return targets as a network is to predict them, (n_rows, n_outputs)."""
        return (rows - self.mean) / self.scale

    def unscaled(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return predictions in the user's units, (n_rows, n_outputs) or (n_rows,)."""
        rows = rows.astype(np.float64) * self.scale + self.mean
        return rows[:, 0] if self.is_single else rows


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


def read_labels(y: Any, n_sequences: int, name: str) -> NDArray[Any]:
    """Read class labels, one a sequence, for an estimator of this name."""
    refuse_none(y, name)
    labels = column_or_1d(y, warn=True)
    refuse_another_length(len(labels), n_sequences)
    is_missing = np.array([_is_missing(label) for label in labels.tolist()])
    if is_missing.any():
        raise ValueError(
            f"y holds no class for sequence {is_missing.argmax()}, but {labels[is_missing][0]}; "
            "expected a label each: leave the sequence out."
        )
    kinds = sorted({type(label).__name__ for label in labels.tolist()})
    if len(kinds) > 1:
        raise ValueError(
            f"y mixes labels of type {' and '.join(kinds)}; expected those of one type."
        )
    labels = np.array(labels.tolist()) if labels.dtype.kind == "O" else labels
    check_classification_targets(labels)
    return labels


def _is_missing(label: Any) -> bool:
    return bool(label is None or is_pandas_na(label) or label != label or label in (-INF, INF))


def read_numbers(y: Any, X: Sequences, name: str) -> NumericTarget:
    """Read numbers, one or several a sequence or a step, for an estimator of this name."""
    refuse_none(y, name)
    per_step = _has_steps(y)
    if not per_step:
        refuse_text(np.asarray(y))
        table = to_floats(y, "y", FORMS).astype(np.float64)
        if table.ndim not in (1, 2):
            raise ValueError(f"y has shape {table.shape}; expected {FORMS}.")
        refuse_another_length(len(table), len(X))
        rows = np.arange(len(X), dtype=np.intp)
        ones = np.ones_like(rows)
        is_single = table.ndim == 1
        target = Sequences(table.reshape(len(table), -1), rows, ones)
    else:
        target, is_single = _read_steps(y, X)
    _refuse_unusable(target, is_single and not per_step)
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
        raise ValueError(
            f"y of sequence {i} has {lengths[i]} step(s), but the sequence has {X.lengths[i]}; "
            "expected a target a step."
        )
    return Sequences(target.values.astype(np.float64), target.starts, lengths), is_single


def refuse_none(y: Any, name: str) -> None:
    """Refuse to learn without a target."""
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")


def refuse_another_length(n_found: int, n_sequences: int) -> None:
    """Refuse a target that is not one a sequence."""
    if n_found != n_sequences:
        raise ValueError(
            f"y is of length {n_found}, but X holds {n_sequences} sequence(s); expected a target "
            "for each."
        )


def refuse_text(y: NDArray[Any]) -> None:
    """Refuse labels where numbers are expected."""
    first = next((part for part in y.ravel().tolist()[:1] if isinstance(part, str)), None)
    if first is not None:
        raise ValueError(
            f"y holds text, {first!r}; expected {FORMS}: use LSTMClassifier for labels."
        )


def _refuse_unusable(target: Sequences, is_complete: bool) -> None:
    """Refuse infinite targets, missing ones where there is but one each, and outputs of none."""
    table = target.values[target.rows()]
    owner = np.repeat(np.arange(len(target)), target.lengths)
    is_odd = np.isnan(table) if is_complete else np.isinf(table)
    is_odd |= np.isinf(table)
    if is_odd.any():
        row, output = np.argwhere(is_odd)[0].tolist()
        raise ValueError(
            f"y holds {table[row, output]} for sequence {owner[row]}; expected finite numbers: "
            "leave the sequence out."
        )
    if np.isnan(table).all(axis=0).any():
        output = int(np.isnan(table).all(axis=0).argmax())
        raise ValueError(
            f"y has no observed value of output {output}; expected one at least: leave it out."
        )
