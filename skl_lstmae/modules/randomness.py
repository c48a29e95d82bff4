"""Layers made alike whatever has been set in torch, with weights from a generator of one's own."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import RLock
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.overrides import TorchFunctionMode

RANDOM_FUNCTIONS = {
    *(
        getattr(Tensor, name)
        for name in (
            *("bernoulli_", "cauchy_", "exponential_", "geometric_"),
            *("log_normal_", "normal_", "random_", "uniform_"),
        )
    ),
    *(torch.bernoulli, torch.multinomial, torch.normal),
    *(torch.rand, torch.randint, torch.randn, torch.randperm),
    *(
        function
        for _, function in inspect.getmembers(nn.init, inspect.isfunction)
        if "generator" in inspect.signature(function).parameters
    ),
}
"""Functions that draw, and take a generator."""

_GLOBAL_GENERATORS = RLock()

if hasattr(os, "register_at_fork"):  # in a fork, no thread is there that might hold it
    os.register_at_fork(after_in_child=lambda: globals().update(_GLOBAL_GENERATORS=RLock()))


TENSORS = {torch.empty, torch.ones, torch.rand, torch.randn, torch.zeros}
"""Functions whose tensors are of torch's default dtype, on its default device."""


class DrawsFrom(TorchFunctionMode):
    """In its context layers are made on the CPU, in float32, with weights drawn from a generator.

    That is whatever torch's default device and dtype are, and although layers ask for no generator.
    To set these, or to seed the global generator, would disturb other threads; this touches its own
    alone.

    Parameters
    ----------
    generator : torch.Generator
        On the CPU, as are layers when they are made.
    """

    def __init__(self, generator: Generator):
        super().__init__()
        self.generator = generator

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, with the generator if it draws and has none."""
        kwargs = kwargs or {}
        if func in RANDOM_FUNCTIONS and kwargs.get("generator") is None:
            kwargs = {**kwargs, "generator": self.generator}
        if func in TENSORS:
            given = {name: value for name, value in kwargs.items() if value is not None}
            kwargs = {"dtype": torch.float32, "device": "cpu", **given}
        return func(*args, **kwargs)


class RowsGenerator(Generator):
    """A generator for some rows of a batch, which draws what it would draw for all of them.

    So the numbers of a row, and what is drawn next, do not depend on how a batch is divided. A
    layer asks for numbers by :func:`drawn_like`.

    Attributes
    ----------
    rows : slice
        Which rows are at hand.
    n_rows : int
        Of the whole batch.
    """

    rows: slice
    n_rows: int

    @classmethod
    def of(cls, generator: Generator, rows: slice, n_rows: int) -> "RowsGenerator":
        """Return one that draws as another is about to, which stays as it is."""
        ours = cls(generator.device)
        ours.set_state(generator.get_state())
        ours.rows, ours.n_rows = rows, n_rows
        return ours


def drawn_like(x: Tensor, fill: Callable[[Tensor], Tensor], generator: Generator | None) -> Tensor:
    """Return numbers of the shape of x, ``(batch, *)``, that ``fill`` draws from a generator."""
    if not isinstance(generator, RowsGenerator):
        return fill(torch.empty_like(x))
    # In the order in which x lies in memory, as that is the order of the draws.
    strides = x.stride()
    order = sorted(range(x.dim()), key=lambda axis: -strides[axis])
    shape = (generator.n_rows, *x.shape[1:])
    whole = torch.empty_permuted(shape, order, dtype=x.dtype, device=x.device)
    return fill(whole)[generator.rows]


def on_host(generator: Generator) -> Generator:
    """Return a generator on the CPU, whose numbers need no waiting for a GPU.

    It is the generator itself, if it is there; else one that begins by where the other is, and
    moves that on.
    """
    if generator.device.type == "cpu":
        return generator
    seed = sha256(bytes(generator.get_state().tolist())).digest()[:7]
    torch.empty(1, device=generator.device).uniform_(generator=generator)
    return Generator().manual_seed(int.from_bytes(seed))


@contextmanager
def global_draws_from(generator: Generator) -> Iterator[None]:
    """Seed torch's global generator from another, and leave it as it was.

    For what draws inside a kernel, as dropout does, which takes no generator at all. Only one
    thread at a time does so.
    """
    device = generator.device
    devices = [device] if device.type == "cuda" else []
    seed = int(torch.randint(2**62, (), generator=on_host(generator), device="cpu"))
    if isinstance(generator, RowsGenerator):  # what is drawn in a kernel cannot be divided
        seed += generator.rows.start
    with _GLOBAL_GENERATORS, torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed(seed)
        yield
