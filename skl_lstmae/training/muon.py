"""An optimizer that moves a matrix of weights in all directions alike."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of the polynomial that drives singular values towards 1; from [1]_."""

N_ITERATIONS = 5


class Muon(Optimizer):
    """Moves each matrix by its averaged gradient, whose singular values are all made about 1 [1]_.

    The rule is that of `torch.optim.Muon`, which rounds to bfloat16, in float32.

    Parameters
    ----------
    params : iterable of Parameter
        Matrices, or filters, each of which counts as a row.
    lr : float
        Spectral norm of a step, about; that of a matrix of more rows than columns is larger.
    weight_decay : float, default=0.0
        Decoupled, as in AdamW.
    momentum : float, default=0.95
        Of the average of gradients, which is Nesterov's.

    References
    ----------
    .. [1] K. Jordan, Y. Jin, V. Boza, J. You, F. Cesista, L. Newhouse, J. Bernstein, "Muon: an
       optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon/.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move all matrices that have a gradient; `closure` may compute the loss anew before."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            momentum, rate = group["momentum"], group["lr"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                average = self.state[weight].setdefault("average", torch.zeros_like(weight))
                average.lerp_(weight.grad, 1 - momentum)
                gradient = weight.grad.lerp(average, momentum).flatten(1)
                n_rows, n_columns = gradient.shape
                step = orthogonalized(gradient).reshape(weight.shape)
                weight.mul_(1 - rate * group["weight_decay"])
                weight.add_(step, alpha=-rate * max(1.0, n_rows / n_columns) ** 0.5)
        return loss


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return a matrix of the same singular vectors, but singular values of about 1."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / x.norm().clamp(min=1e-7)
    linear, cubic, quintic = COEFFICIENTS
    for _ in range(N_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=cubic, alpha=quintic), x, beta=linear)
    return x.T if is_tall else x
