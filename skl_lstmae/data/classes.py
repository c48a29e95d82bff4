"""Class labels of sequences, read, checked, and turned into numbers and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from skl_lstmae._sklearn import is_pandas_na
from skl_lstmae.data.array_like import is_object_vector
from skl_lstmae.data.containers import is_frame
from skl_lstmae.data.forms import Form
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.targets import check_target, refuse_another_length

INF = float("inf")


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

    def weights(self, named: dict[Any, float]) -> NDArray[np.float64]:
        """Return the weight of each class, 1 for those without; or refuse other names for them."""
        known = self.labels.tolist()
        unknown = [label for label in named if label not in known]
        if unknown and not set(known) <= set(named):
            raise ValueError(
                f"class_weight names {unknown[0]!r}, which is none of the classes, {known}; name "
                "classes as y does."
            )
        return np.array([named.get(label, 1.0) for label in known], dtype=np.float64)

    def refuse_others(self, named: Classes) -> Classes:
        """Return these classes, or refuse others that have been named."""
        if not np.array_equal(self.labels, named.labels):
            raise ValueError(
                f"classes are {named.labels.tolist()}, but {self.labels.tolist()} are learned; "
                "leave classes out after the first call, or fit anew."
            )
        return self

    def refuse_too_few(self, counting: NDArray[np.intp]) -> None:
        """Refuse to learn if only one class, or none, is among those that count."""
        if len(counting) < 2:
            raise ValueError(
                f"weights leave {self.labels[counting].tolist()} of the classes in y, "
                f"{self.labels.tolist()}; expected two or more classes above 0: see sample_weight "
                "and class_weight."
            )

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


def read_labels(y: Any, X: Sequences, form: Form, name: str) -> NDArray[Any]:
    """Read class labels, one a sequence, for an estimator of this name."""
    check_target(y, form, name)
    labels = check_labels(y, "y")
    refuse_another_length(len(labels), len(X))
    return labels


def check_labels(labels: Any, name: str) -> NDArray[Any]:
    """Return labels, which have a name, as an array of one type, none of which is missing."""
    if _is_nested(labels):
        raise ValueError(
            f"{name} holds a list or an array in place of a label; expected one label for each "
            "sequence."
        )
    array = _column(labels, name)
    found = array.tolist()
    is_missing = np.array([_is_missing(label) for label in found], dtype=bool)
    if is_missing.any():
        whose = f"for sequence {is_missing.argmax()}" if name == "y" else "at one place"
        what = "the sequence" if name == "y" else "it"
        raise ValueError(
            f"{name} holds no class {whose}, but {array[is_missing][0]}; expected a label each: "
            f"leave {what} out."
        )
    kinds = sorted({"str" if isinstance(x, str) else type(x).__name__ for x in found})
    if len(kinds) > 1:
        raise ValueError(
            f"{name} mixes labels of type {' and '.join(kinds)}; expected those of one type."
        )
    array = np.array(found) if array.dtype.kind == "O" else array
    if type_of_target(array).startswith("continuous"):
        raise ValueError(
            f"Unknown label type: {name} holds numbers that are no classes, as {array[0]}; use "
            "LSTMRegressor for numbers."
        )
    return array


def _column(labels: Any, name: str) -> NDArray[Any]:
    """Return labels side by side, none of which has become text because others are."""
    labels = labels.tolist() if np.ma.is_masked(labels) else labels
    array = np.asarray(labels)
    shape, kind = array.shape, array.dtype.kind
    if len(shape) not in (1, 2) or shape[1:] > (1,) or kind in "cSV":
        which = "idxmax" if is_frame(labels) else "argmax"
        hint = f": pass y.{which}(axis=1) if it marks one class a row" if len(shape) == 2 else ""
        raise ValueError(
            f"{name} has shape {shape} and dtype {array.dtype}; expected (n_sequences,) labels, as "
            f"text, whole numbers or booleans{hint}."
        )
    is_mixed = isinstance(labels, (list, tuple)) and kind == "U"
    return column_or_1d(np.array(labels, dtype=object) if is_mixed else array, warn=True)


def _is_nested(y: Any) -> bool:
    """Whether this is a list with an array, or a list, for a sequence."""
    if not (isinstance(y, (list, tuple)) or is_object_vector(y)):
        return False
    return any(isinstance(member, (list, tuple)) or np.ndim(member) for member in y)


def _is_missing(label: Any) -> bool:
    return bool(label is None or is_pandas_na(label) or label != label or label in (-INF, INF))
