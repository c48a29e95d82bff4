"""Whether a target belongs to sequences: how many there must be, and in which order."""

from typing import Any

from skl_lstmae.data.forms import Form, PanelForm


def check_target(y: Any, form: Form, name: str) -> None:
    """Refuse to learn without a target, or from one whose index is not that of a panel.

    Parameters
    ----------
    y : object
    form : Form
        Of the sequences.
    name : str
        Of the estimator.
    """
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")
    index: Any = getattr(y, "index", None)
    if not isinstance(form, PanelForm) or not hasattr(index, "nlevels"):
        return
    if index.nlevels > 1:
        expected, order = form.original.index, "X.index"
    else:
        expected, order = form.one_row_each().index, "X.index.unique(level=0)"
    is_default = type(index).__name__ == "RangeIndex"
    if is_default or len(index) != len(expected) or index.equals(expected):
        return
    place = next(i for i, (a, b) in enumerate(zip(index, expected, strict=True)) if a != b)
    raise ValueError(
        f"y is indexed otherwise than X: at place {place} stands {index[place]}, in X "
        f"{expected[place]}; expected the same order: pass y.loc[{order}]."
    )


def refuse_another_length(n_found: int, n_sequences: int) -> None:
    """Refuse a target that is not one a sequence."""
    if n_found != n_sequences:
        raise ValueError(
            f"y is of length {n_found}, but X holds {n_sequences} sequence(s); expected a target "
            "for each."
        )
