"""torch as this package expects it, whatever has been set around a call."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from types import SimpleNamespace
from typing import Any

import torch

from skl_lstmae.training.threads import few_threads

DEVICE_TYPES = ("cpu", "cuda", "mps")


@contextmanager
def settled(is_large: bool = True) -> Iterator[None]:
    """Train and run networks with gradients, in float32, in this thread.

    Those that are not large have one thread.

    A notebook may run under no_grad or inference_mode, a training script under autocast; a user of
    scikit-learn's interface need not know. What was set is set again afterwards.
    """
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        for device_type in DEVICE_TYPES:
            if torch.is_autocast_enabled(device_type):
                stack.enter_context(torch.autocast(device_type, enabled=False))
        stack.enter_context(few_threads(is_large))
        yield


_rounding = SimpleNamespace(lock=Lock(), n_users=0)
"""Who has cuDNN compute in float32."""


@contextmanager
def without_rounding(device: torch.device) -> Iterator[None]:
    """Have cuDNN compute in float32, which it rounds to tf32 by default, at the same speed.

    With tf32 scores differ from those of a CPU by some 4e-4 of themselves, without it by 4e-6. What
    was set is set again once no thread needs this any more. Whoever has set it for LSTMs alone has
    it so.
    """
    cudnn: Any = torch.backends.cudnn
    with _rounding.lock:
        rounds = cudnn.rnn.fp32_precision == cudnn.conv.fp32_precision == "tf32"
        is_user = device.type == "cuda" and (rounds or _rounding.n_users > 0)
        if is_user:
            _rounding.n_users += 1
            cudnn.allow_tf32 = False
    try:
        yield
    finally:
        if is_user:
            with _rounding.lock:
                _rounding.n_users -= 1
                cudnn.allow_tf32 = _rounding.n_users == 0
