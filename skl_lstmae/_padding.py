"""Operations on the real steps of right-padded batches ``(batch, time, feature)``."""

import torch
from torch import Tensor


def real_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the mask ``(batch, time)`` of the steps that are not padding."""
    return torch.arange(x.shape[1], device=x.device) < lengths.unsqueeze(1)


def reverse_padded(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each sequence within its own length; the padding stays behind it. Its own inverse."""
    steps = torch.arange(x.shape[1], device=x.device)
    mirrored = lengths.unsqueeze(1) - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return x.gather(1, index.unsqueeze(-1).expand_as(x))


def last_step(x: Tensor, lengths: Tensor) -> Tensor:
    """Return each sequence's last real step, ``(batch, feature)``."""
    # As an LSTM's outputs lie in memory, time first, so that their gradient does too.
    return x.transpose(0, 1)[lengths - 1, torch.arange(len(x), device=x.device)]


def mean_step(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean of each sequence's real steps, ``(batch, feature)``.

    The running sum adds up in one order whatever the padding, which a sum over the padded axis does
    not.
    """
    return last_step(x.cumsum(dim=1), lengths) / lengths.unsqueeze(1)


def max_step(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the maximum of each sequence's real steps, ``(batch, feature)``."""
    n_shared = int(lengths.min())
    highest = x[:, :n_shared].amax(dim=1)
    if n_shared == x.shape[1]:
        return highest
    padding = ~real_steps(x, lengths)[:, n_shared:]
    rest = x[:, n_shared:].masked_fill(padding.unsqueeze(-1), -torch.inf)
    return torch.maximum(highest, rest.amax(dim=1))
