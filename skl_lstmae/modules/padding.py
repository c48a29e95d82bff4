"""Operations on the real steps of right-padded batches ``(batch, time, feature)``."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

WHOLE = {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}
"""Types of numbers of steps."""


def real_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the mask of the steps that are not padding.

    Parameters
    ----------
    x : Tensor of shape (batch, time, feature)
        Right-padded.

    lengths : Tensor of shape (batch,)
        Numbers of real steps, on the device of x.

    Returns
    -------
    mask : Tensor of shape (batch, time), bool

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import real_steps
    >>> real_steps(torch.zeros(2, 3, 1), torch.tensor([3, 1]))
    tensor([[ True,  True,  True],
            [ True, False, False]])
    """
    return torch.arange(x.shape[1], device=x.device) < lengths.unsqueeze(1)


def reverse_padded(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each sequence within its own length; the padding stays behind it. Its own inverse."""
    steps = torch.arange(x.shape[1], device=x.device)
    mirrored = lengths.unsqueeze(1) - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return x.gather(1, index.unsqueeze(-1).expand_as(x))


def last_step(x: Tensor, lengths: Tensor) -> Tensor:
    """Return each sequence's last real step.

    Parameters
    ----------
    x : Tensor of shape (batch, time, feature)
        Right-padded.

    lengths : Tensor of shape (batch,)
        Numbers of real steps.

    Returns
    -------
    step : Tensor of shape (batch, feature)

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import last_step
    >>> x = torch.tensor([[[1.0], [2.0], [6.0]], [[4.0], [2.0], [0.0]]])
    >>> last_step(x, torch.tensor([3, 2]))
    tensor([[6.],
            [2.]])
    """
    return _last_step(x, check_lengths(x, lengths))


def _last_step(x: Tensor, lengths: Tensor) -> Tensor:
    # As an LSTM's outputs lie in memory, time first, so that their gradient does too.
    return x.transpose(0, 1)[lengths - 1, torch.arange(x.shape[0], device=x.device)]


def mean_step(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean of each sequence's real steps.

    It adds up in float64, where the device has it. The order changes with the padding, but what it
    changes is lost in rounding back.

    Parameters
    ----------
    x : Tensor of shape (batch, time, feature)
        Right-padded.

    lengths : Tensor of shape (batch,)
        Numbers of real steps.

    Returns
    -------
    mean : Tensor of shape (batch, feature)

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import mean_step
    >>> x = torch.tensor([[[1.0], [2.0], [6.0]], [[4.0], [2.0], [0.0]]])
    >>> mean_step(x, torch.tensor([3, 2]))
    tensor([[3.],
            [3.]])
    """
    lengths = check_lengths(x, lengths)
    exact = x.dtype if x.device.type == "mps" else torch.float64  # Apple's GPUs have no float64
    total = _over_real_steps(partial(torch.sum, dim=1, dtype=exact), 0.0, torch.add, x, lengths)
    return (total / lengths.unsqueeze(1)).to(x.dtype)


def max_step(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the maximum of each sequence's real steps.

    Parameters
    ----------
    x : Tensor of shape (batch, time, feature)
        Right-padded.

    lengths : Tensor of shape (batch,)
        Numbers of real steps.

    Returns
    -------
    maximum : Tensor of shape (batch, feature)

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import max_step
    >>> x = torch.tensor([[[1.0], [2.0], [6.0]], [[-4.0], [-2.0], [0.0]]])
    >>> max_step(x, torch.tensor([3, 2]))
    tensor([[ 6.],
            [-2.]])
    """
    lengths = check_lengths(x, lengths)
    return _over_real_steps(partial(torch.amax, dim=1), -torch.inf, torch.maximum, x, lengths)


def _over_real_steps(
    reduce: Callable[[Tensor], Tensor],
    neutral: float,
    join: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    lengths: Tensor,
) -> Tensor:
    """Reduce each sequence's real steps; only steps that not all sequences have need a mask."""
    # A network that is compiled or traced does not know the lengths yet.
    is_known = not (torch.compiler.is_compiling() or torch.jit._trace.is_tracing())
    n_shared = min(numbers_of(lengths), default=0) if is_known else 0
    if n_shared == x.shape[1]:
        return reduce(x)
    padding = ~real_steps(x, lengths)[:, n_shared:]
    rest = reduce(x[:, n_shared:].masked_fill(padding.unsqueeze(-1), neutral))
    return join(reduce(x[:, :n_shared]), rest) if n_shared else rest


def known_lengths(lengths: Tensor, numbers: Sequence[int]) -> Tensor:
    """Return lengths with a note of their numbers, so that nobody waits for a GPU to tell them.

    They are those of a batch whose values are known to be finite.
    """
    lengths.numbers = numbers  # type: ignore[attr-defined]
    return lengths


def are_known(lengths: Tensor | Sequence[int] | None) -> bool:
    """Tell whether there is a note of the numbers."""
    return hasattr(lengths, "numbers")


def numbers_of(lengths: Tensor) -> Sequence[int]:
    """Return lengths as numbers."""
    return getattr(lengths, "numbers", None) or lengths.tolist()


def full_lengths(x: Tensor) -> Tensor:
    """Return lengths that say that nothing is padded, ``(batch,)``."""
    return torch.full((x.shape[0],), x.shape[1], device=x.device)


def check_lengths(x: Tensor, lengths: Tensor | Sequence[int] | None) -> Tensor:
    """Return the lengths of a batch as a tensor on its device, or refuse them.

    Parameters
    ----------
    x : Tensor of shape (batch, time, feature)
        Right-padded.

    lengths : Tensor or sequence of int of shape (batch,)
        Numbers of real steps, on any device; None means that nothing is padded.

    Returns
    -------
    lengths : Tensor of shape (batch,)
        On the device of x.

    Raises
    ------
    ValueError
        If they are not one number of steps for each sequence of x.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import check_lengths
    >>> x = torch.zeros(2, 7, 3)
    >>> check_lengths(x, [7, 4]), check_lengths(x, None)
    (tensor([7, 4]), tensor([7, 7]))
    """
    if lengths is None:
        return full_lengths(x)
    lengths = as_lengths(lengths, x.shape[0], x.device)
    if torch.compiler.is_compiling():  # when nobody knows the lengths yet
        return lengths
    numbers = numbers_of(lengths)
    if len(x) and not 1 <= min(numbers) <= max(numbers) <= x.shape[1]:
        raise ValueError(
            f"lengths are from {min(numbers)} to {max(numbers)}; expected numbers of steps from 1 "
            f"to {x.shape[1]}, the steps of x."
        )
    return lengths


def as_lengths(lengths: Tensor | Sequence[int], n_sequences: int, device: torch.device) -> Tensor:
    """Return integers, one a sequence of a batch, as a tensor, or refuse what is none."""
    if not isinstance(lengths, Tensor):
        try:
            lengths = torch.as_tensor(lengths)
        except (TypeError, ValueError, RuntimeError):
            raise ValueError(
                f"lengths is {lengths!r}; expected {n_sequences} integers, one a sequence of the "
                "batch."
            ) from None
    if torch.compiler.is_compiling():  # when nobody knows the size of the batch
        return lengths.to(device)
    if lengths.shape != (n_sequences,) or lengths.dtype not in WHOLE:
        raise ValueError(
            f"lengths has shape {tuple(lengths.shape)} and dtype {lengths.dtype}; expected "
            f"{n_sequences} integers, one a sequence of the batch."
        )
    return lengths.to(device)


def check_batch(x: Tensor, lengths: Tensor | Sequence[int] | None, n_features: int) -> Tensor:
    """Return the lengths of a batch as `check_lengths` does, or refuse them or the batch."""
    if not isinstance(x, Tensor):
        raise TypeError(f"x is of type {type(x).__name__}; expected a tensor: torch.as_tensor(x).")
    if x.dim() != 3 or x.shape[2] != n_features or not x.is_floating_point() or x.shape[1] == 0:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and dtype {x.dtype}; expected floating-point numbers of "
            f"shape (batch, time, {n_features}), with 1 step at least."
        )
    is_checked = torch.compiler.is_compiling() or are_known(lengths)
    if not is_checked and not x.isfinite().all():
        sequence, step, feature = (~x.isfinite()).nonzero()[0].tolist()
        raise ValueError(
            f"x holds {x[sequence, step, feature].item()} in sequence {sequence}, step {step}, "
            f"feature {feature}; expected finite numbers, in padding too: fill in what is missing, "
            "as a detector does by itself."
        )
    return check_lengths(x, lengths)


def previous_steps(x: Tensor, before: Tensor | None = None) -> Tensor:
    """Delay x by one step; zeros, or what stood before it, come first.

    Parameters
    ----------
    x : Tensor of shape (batch, time, feature)
        Right-padded.
    before : Tensor of shape (batch, 1, feature), default=None
        The step before the first; None means zeros.

    Returns
    -------
    previous : Tensor of shape (batch, time, feature)
        The step before each step.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import previous_steps
    >>> previous_steps(torch.tensor([[[1.0], [2.0], [3.0]]])).flatten()
    tensor([0., 1., 2.])
    """
    if before is None:
        return functional.pad(x[:, :-1], (0, 0, 1, 0))
    return torch.cat([before, x[:, :-1]], dim=1)
