"""In which numbers a training computes: float32, or bfloat16."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Generator, Tensor, nn

from skl_lstmae.modules import Output, SequenceNetwork
from skl_lstmae.modules.randomness import DrawsFrom
from skl_lstmae.training.torch_state import settled

SMALLEST_WIDTH = 32
"""Hidden units of the widest layer from which on bfloat16 pays."""


def computes_in_bfloat16(precision: str, network: SequenceNetwork, device: torch.device) -> bool:
    """Tell whether to train a network in bfloat16.

    "auto" does so where it is known to pay: with LSTMs that are wide enough, on a CPU that
    multiplies such numbers itself. It has not been measured on GPUs.
    """
    if precision != "auto":
        return precision == "bfloat16"
    has_lstm = any(isinstance(layer, nn.LSTM) for layer in network.modules())
    pays = has_lstm and network.width >= SMALLEST_WIDTH and device.type == "cpu"
    return pays and _multiplies_bfloat16() and has_bfloat16(device.type)


@cache
def has_bfloat16(device_type: str) -> bool:
    """Try to train an LSTM in bfloat16, once in a process; torch refuses it on many processors."""
    with DrawsFrom(Generator().manual_seed(0)):
        lstm = nn.LSTM(3, 8).to(device_type)
    x = torch.ones(4, 2, 3, dtype=torch.float32, device=device_type)
    try:
        with settled():
            with torch.autocast(device_type, dtype=torch.bfloat16):
                output, _ = lstm(x)
            output.sum().backward()
    except (RuntimeError, TypeError):
        return False
    gradients: Any = [weight.grad for weight in lstm.parameters()]
    return output.dtype == torch.bfloat16 and all(each.isfinite().all() for each in gradients)


def refuse_without_bfloat16(device: torch.device) -> None:
    """Refuse a device on which torch does not train LSTMs in bfloat16."""
    if not has_bfloat16(device.type):
        raise ValueError(
            f"precision='bfloat16' cannot be used here: torch does not train LSTMs in bfloat16 on "
            f"this {device.type!r} device; use precision='auto', which takes it only where it pays."
        )


def in_bfloat16(network: SequenceNetwork) -> Callable[..., Output]:
    """Return the forward of a network whose layers compute in bfloat16, but the weights do not.

    Its outputs are float32 again, so that losses are.
    """

    def forward(x: Tensor, lengths: Tensor, generator: Generator | None) -> Output:
        with torch.autocast(x.device.type, dtype=torch.bfloat16):
            output = network(x, lengths, generator)
        return Output(*(part.float() for part in output))

    return forward


def _multiplies_bfloat16() -> bool:
    """Tell whether the CPU has instructions for products of bfloat16 (avx512_bf16, or AMX)."""
    cpu = torch.cpu
    names = "_is_avx512_bf16_supported", "_is_amx_tile_supported"
    return any(getattr(cpu, name, bool)() for name in names)
