import re

import pytest
import torch

from skl_lstmae._devices import resolve_device, usable_device


@pytest.mark.parametrize(
    "words",
    [
        "Torch not compiled with CUDA enabled",
        "Torch not compiled with CUDA enabled\nCPU: registered at RegisterCPU.cpp:2401",
        "Torch not compiled with CUDA enabled. This could be for a hundred reasons",
    ],
)
def test_a_device_that_is_not_there_is_refused_in_one_sentence(words, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError(words)

    monkeypatch.setattr(torch, "empty", fail)
    sentence = (
        "device='cuda' cannot be used here: Torch not compiled with CUDA enabled; use "
        "device='auto', which takes a GPU only where there is one."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        resolve_device("cuda")
    assert usable_device("cuda") == torch.device("cpu")
