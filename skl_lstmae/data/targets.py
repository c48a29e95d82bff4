"""Whether targets, or weights, belong to samples: how many there must be, and in which order."""

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
    refuse_another_order(y, form, "y")


def refuse_another_order(values: Any, form: Form, name: str, *, are_of_rows: bool = False) -> None:
    """Refuse numbers, one a sample, whose index is not that of X.

    A default index is that of no samples. Only a panel always tells by its index which are meant;
    labels of any other frame must be the same, in another order.

    Parameters
    ----------
    values : object
    form : Form
        Of the sequences, or series.
    name : str
        Of the numbers.
    are_of_rows : bool, default=False
        Whether they are those of rows rather than of sequences.
    """
    index: Any = getattr(values, "index", None)
    whole: Any = getattr(form.original, "index", None)
    if not (hasattr(index, "nlevels") and hasattr(whole, "nlevels")):
        return
    is_panel = isinstance(form, PanelForm)
    if not is_panel or are_of_rows or index.nlevels > 1:
        expected, order = whole, "X.index"
    else:
        expected, order = form.one_row_each().index, "X.index.unique(level=0)"
    is_default = type(index).__name__ == "RangeIndex"
    if is_default or len(index) != len(expected) or index.equals(expected):
        return
    has_same_labels = index.nlevels == expected.nlevels and not len(expected.difference(index))
    if not is_panel and not has_same_labels:
        return
    pairs = enumerate(zip(index, expected, strict=True))
    place = next((i for i, (found, meant) in pairs if found != meant), None)
    if place is None:
        return
    remedy = f"{name}.to_numpy(), if the order is right"
    if has_same_labels and index.is_unique:
        remedy = f"{name}.loc[{order}]"
    raise ValueError(
        f"{name} is indexed otherwise than X: at place {place} stands {index[place]}, in X "
        f"{expected[place]}; expected the same order: pass {remedy}."
    )


def refuse_another_length(n_found: int, n_sequences: int) -> None:
    """Refuse a target that is not one a sequence."""
    if n_found != n_sequences:
        raise ValueError(
            f"y is of length {n_found}, but X holds {n_sequences} sequence(s); expected a target "
            "for each."
        )
