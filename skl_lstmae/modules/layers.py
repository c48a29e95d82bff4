"""Layers whose result for a row of a batch does not depend on the other rows, and noise.

In float32 the order in which a kernel adds up, or which of its loops a number falls into, changes
with the number of rows, and the last bits with it. In evaluation mode these layers therefore
compute in float64, where such differences are lost in rounding back.
"""

from collections.abc import Callable, Collection
from numbers import Integral

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from skl_lstmae.modules.randomness import drawn_like


class RowLinear(nn.Linear):
    """Linear layer whose result for a row does not depend on the other rows.

    In float32 the order in which a matrix product adds up changes with the number of rows, and the
    last bits with it. So in evaluation mode the product is taken in float64; rounding back to
    float32 removes such differences.

    Shape
    -----
    - x: ``(*, in_features)``; output: ``(*, out_features)``.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import RowLinear
    >>> linear = RowLinear(5, 2).eval()
    >>> x = torch.randn(100, 5)
    >>> torch.equal(linear(x)[:3], linear(x[:3]))
    True
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map the last axis."""
        if self.training or x.device.type == "mps":  # Apple's GPUs have no float64
            return super().forward(x)
        return functional.linear(x.double(), self.weight.double(), self.bias.double()).to(x.dtype)


class RowActivation(nn.Module):
    """Element-wise function whose result for a row does not depend on the other rows.

    Parameters
    ----------
    function : callable
        Takes a tensor and returns one of the same shape.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import RowActivation
    >>> activation, x = RowActivation(torch.sigmoid).eval(), torch.randn(100, 5)
    >>> torch.equal(activation(x)[:3], activation(x[:3]))
    True
    """

    def __init__(self, function: Callable[[Tensor], Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Map each element."""
        if self.training or x.device.type == "mps":  # Apple's GPUs have no float64
            return self.function(x)
        return self.function(x.double()).to(x.dtype)


ACTIVATIONS: dict[str | None, Callable[[], nn.Module]] = {
    None: nn.Identity,
    "sigmoid": lambda: RowActivation(torch.sigmoid),
    "tanh": lambda: RowActivation(torch.tanh),
    "relu": nn.ReLU,
}


def make_activation(name: str | None) -> nn.Module:
    """Return the layer of an output activation."""
    check_option("output_activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()


def check_option(name: str, value: object, options: Collection[object]) -> None:
    """Refuse a value that is none of the options."""
    if value not in options:
        raise ValueError(f"{name} must be one of {list(options)}, got {value!r}.")


def check_sizes(**sizes: object) -> None:
    """Refuse widths that are none."""
    for name, size in sizes.items():
        if not isinstance(size, Integral) or size < 1:
            raise ValueError(f"{name} must be a positive int, got {size!r}.")


def check_rates(noise: float, **shares: float) -> None:
    """Refuse a negative deviation of noise, and probabilities that are none."""
    if not noise >= 0:
        raise ValueError(f"noise must be at least 0, got {noise!r}.")
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be from 0 to 1, got {share!r}.")


def dropout(x: Tensor, p: float, generator: Generator | None) -> Tensor:
    """Inverted dropout from a generator of one's own, which ``nn.Dropout`` does not take."""
    if p == 0:
        return x
    kept = drawn_like(x, lambda whole: whole.bernoulli_(1 - p, generator=generator), generator)
    return x * kept / (1 - p)


def add_noise(x: Tensor, standard_deviation: float, generator: Generator | None) -> Tensor:
    """Add Gaussian noise, from a generator of one's own."""
    if standard_deviation == 0:
        return x
    noise = drawn_like(x, lambda whole: whole.normal_(generator=generator), generator)
    return x + standard_deviation * noise
