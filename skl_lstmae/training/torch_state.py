"""torch as this package expects it, whatever has been set around a call."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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
