"""What moves weights by their gradients: Muon and AdamW."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.adamw import adamw

COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of the polynomial that drives singular values towards 1; from [1]_ of `Muon`."""

N_ITERATIONS = 5


class Optimizer(ABC):
    """Moves some weights of a network, step by step.

    `torch.optim.Optimizer` imports torch's compiler when one is made. That takes seconds, and if an
    interrupt from the keyboard falls into them, no later one can be made in the process.

    Parameters
    ----------
    weights : iterable of Parameter
        Those without a gradient stay where they are.
    weight_decay : float, default=0.0
        Decoupled [1]_: the share of itself that a weight loses in a step of rate 1.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    kept: ClassVar[tuple[str, ...]]
    """Attributes that are lists of a tensor a weight, which steps change."""

    def __init__(self, weights: Iterable[Tensor], weight_decay: float = 0.0) -> None:
        self.weights = list(weights)
        self.weight_decay = weight_decay

    @abstractmethod
    def step(self, rate: float) -> None:
        """Move all weights at a learning rate."""

    def state_dict(self) -> dict[str, list[Tensor]]:
        """Return what steps have changed, but for the weights."""
        return {name: getattr(self, name) for name in self.kept}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        """Go on from what another optimizer of the same weights has returned."""
        for name in self.kept:
            for own, saved in zip(getattr(self, name), state[name], strict=True):
                own.copy_(saved)

    def _with_gradient(self) -> list[int]:
        return [i for i, weight in enumerate(self.weights) if weight.grad is not None]


class Muon(Optimizer):
    """Moves each matrix by its averaged gradient, whose singular values are all made about 1 [1]_.

    The rule is that of `torch.optim.Muon`, which rounds to bfloat16, in float32. The rate is the
    spectral norm of a step, about; that of a matrix of more rows than columns is larger.

    Parameters
    ----------
    weights : iterable of Parameter
        Matrices, or filters, each of which counts as a row.
    weight_decay : float, default=0.0
        As in `Optimizer`.
    momentum : float, default=0.8
        Of the average of gradients, which is Nesterov's. It spans a few steps, as a fit makes less
        than a hundred; [1]_ has 0.95 for thousands.

    References
    ----------
    .. [1] K. Jordan, Y. Jin, V. Boza, J. You, F. Cesista, L. Newhouse, J. Bernstein, "Muon: an
       optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon/.
    """

    kept = ("averages",)

    def __init__(
        self, weights: Iterable[Tensor], weight_decay: float = 0.0, momentum: float = 0.8
    ) -> None:
        super().__init__(weights, weight_decay)
        self.momentum = momentum
        self.averages = [torch.zeros_like(weight) for weight in self.weights]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move all matrices at a learning rate."""
        for i in self._with_gradient():
            weight, average = self.weights[i], self.averages[i]
            gradient: Any = weight.grad
            average.lerp_(gradient, 1 - self.momentum)
            rows = gradient.lerp(average, self.momentum).flatten(1)
            n_rows, n_columns = rows.shape
            weight.mul_(1 - rate * self.weight_decay)
            weight.add_(
                orthogonalized(rows).reshape(weight.shape),
                alpha=-rate * max(1.0, n_rows / n_columns) ** 0.5,
            )


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


class AdamW(Optimizer):
    """Moves each weight by its averaged gradient over the root of its averaged square.

    It is `torch.optim.AdamW` with its defaults, fused: an update of all weights is one call instead
    of a dozen for each.

    Parameters
    ----------
    weights : iterable of Parameter
    weight_decay : float, default=0.0
        As in `Optimizer`.
    """

    kept = ("averages", "squares", "n_steps")

    def __init__(self, weights: Iterable[Tensor], weight_decay: float = 0.0) -> None:
        super().__init__(weights, weight_decay)
        self.averages = [torch.zeros_like(weight) for weight in self.weights]
        self.squares = [torch.zeros_like(weight) for weight in self.weights]
        self.n_steps = [
            torch.zeros((), dtype=torch.float32, device=weight.device) for weight in self.weights
        ]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move all weights at a learning rate."""
        moving = self._with_gradient()
        weights, averages, squares, n_steps = (
            [kept[i] for i in moving]
            for kept in (self.weights, self.averages, self.squares, self.n_steps)
        )
        gradients: Any = [weight.grad for weight in weights]
        adamw(
            weights,
            gradients,
            averages,
            squares,
            [],
            n_steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )
