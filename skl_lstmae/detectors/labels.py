"""Labels, which nothing is learned from, but which scikit-learn's scorers read."""

from typing import Any

import numpy as np

from skl_lstmae._warn import warn


def warn_of_nested_labels(y: Any) -> None:
    """Warn of labels that are given series by series, which no scorer of scikit-learn's takes."""
    is_list = isinstance(y, (list, tuple)) or getattr(getattr(y, "dtype", None), "kind", "") == "O"
    if is_list and any(isinstance(part, (list, tuple)) or getattr(part, "ndim", 0) for part in y):
        warn(
            "y holds the labels series by series, which scikit-learn's scorers do not take, so "
            "that a search by roc_auc, say, finds nothing but NaN; for a search make X a panel, a "
            "DataFrame indexed by (series id, time), with one label a row in y, and pass groups, "
            "the series ids, and cv=GroupKFold(...)."
        )


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
