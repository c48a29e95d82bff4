"""Where a network runs."""

import torch


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the torch device that ``device`` names; "auto" is CUDA, else MPS, else the CPU."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        # Some of torch's messages go on for pages; their first sentence says what matters.
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(
            f"device={str(device)!r} cannot be used here: {reason}; use device='auto', which takes "
            "a GPU only where there is one."
        ) from error
    if device.type == "meta":
        raise ValueError(
            f"device={str(device)!r} keeps no numbers, so that nothing can be learned; use "
            "device='auto', or another one."
        )
    return device


def usable_device(device: str) -> torch.device:
    """Return the device that a saved detector ran on, or the CPU if there is none such here."""
    try:
        return resolve_device(device)
    except ValueError:
        return torch.device("cpu")
