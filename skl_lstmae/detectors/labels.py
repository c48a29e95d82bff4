"""Labels, which nothing is learned from, but which scikit-learn's scorers read."""

from typing import Any

import numpy as np

from skl_lstmae._warn import warn

FOR_A_SEARCH = (
    "for a search make X a panel, a DataFrame indexed by (series id, time), with one label a row "
    "in y, and pass groups, the series ids, and cv=GroupKFold(...)."
)


def warn_of_nested_labels(y: Any) -> None:
    """Warn of labels that are given series by series, which no scorer of scikit-learn's takes."""
    if _are_nested(y):
        warn(
            "y holds the labels series by series, which scikit-learn's scorers do not take, so "
            f"that a search by roc_auc, say, finds nothing but NaN; {FOR_A_SEARCH}"
        )


def warn_of_labels_of_series(y: Any, n_series: int, n_rows: int) -> None:
    """Warn of labels of whole series, where those of rows are compared with scores of rows."""
    is_list = isinstance(y, (list, tuple)) or len(getattr(y, "shape", ())) > 0
    if is_list and len(y) == n_series != n_rows and not _are_nested(y):
        warn(
            "y holds one label for each series, but a sample is a row, so that scikit-learn's "
            f"scorers need a label for each row; {FOR_A_SEARCH}"
        )


def _are_nested(y: Any) -> bool:
    """Whether these are labels in lists or arrays, one of them for each series."""
    is_list = isinstance(y, (list, tuple)) or getattr(getattr(y, "dtype", None), "kind", "") == "O"
    return is_list and any(_holds_several(part) for part in y)


def _holds_several(part: Any) -> bool:
    return isinstance(part, (list, tuple)) or getattr(part, "ndim", 0) > 0


def warn_of_misread_labels(y: Any) -> None:
    """Warn of labels that scikit-learn's scorers may take for the opposite of what they mean.

    Those are 0 and 1, and two of text.
    """
    try:
        labels = set(np.ravel(y).tolist())
    except (TypeError, ValueError):
        return  # y is ignored, so that it may be anything
    if 0 in labels and labels <= {0, 1}:
        warn(
            "y holds labels 0 and 1, and scikit-learn's scorers take 1 for normal; if 1 marks the "
            "anomalies, pass np.where(y == 1, -1, 1)."
        )
    elif len(labels) == 2 and all(isinstance(label, str) for label in labels):
        first, last = sorted(labels)
        warn(
            f"y holds labels {first!r} and {last!r}, and scikit-learn's scorers take the last by "
            f"the alphabet, {last!r}, for normal, or refuse text; pass np.where(np.array(y) == "
            f"{first!r}, -1, 1) if {first!r} marks the anomalies, else the same with {last!r}."
        )
