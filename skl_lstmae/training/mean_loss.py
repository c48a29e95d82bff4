"""The mean loss of an epoch."""

import math

import torch
from torch import Tensor

from skl_lstmae.training.distributed import ALONE, Ranks


class MeanLoss:
    """Adds up the losses of batches, which stay on their device until somebody wants the mean.

    To ask a GPU for a number is to wait for all that it has yet to do.
    """

    def __init__(self) -> None:
        self._totals: list[Tensor] = []
        self._counts: list[Tensor] = []

    def add(self, total: Tensor, count: Tensor) -> None:
        """Take in the total of a batch, and the number of its terms."""
        self._totals.append(total)
        self._counts.append(count)

    def read(self, ranks: Ranks = ALONE) -> float:
        """Return the mean over the terms of all batches, which ranks may have shared.

        Raises
        ------
        ValueError
            If the total of a batch is not finite.
        """
        losses = zip(_numbers(self._totals), _numbers(self._counts), strict=True)
        sum_of_totals, n_terms = 0.0, 0
        for total, count in ranks.gathered(list(losses)):
            if not math.isfinite(total):
                raise ValueError(
                    f"The training loss became {total}; lower learning_rate, set clip_norm, or "
                    "choose a scaler."
                )
            sum_of_totals += total
            n_terms += count
        return sum_of_totals / max(1, n_terms)


def _numbers(scalars: list[Tensor]) -> list[float]:
    return torch.stack(scalars).tolist() if scalars else []
