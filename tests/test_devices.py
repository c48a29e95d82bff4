"""Where a network runs."""

import pytest
import torch
from conftest import exactly

from skl_lstmae.training.devices import resolve_device, usable_device

REASON = "Torch not compiled with CUDA enabled"


@pytest.mark.parametrize("more", ["", "\nCPU: registered at Register.cpp", ". This could be for"])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(more, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError(REASON + more)

    monkeypatch.setattr(torch, "empty", fail)
    sentence = (
        f"device='cuda' cannot be used here: {REASON}; use device='auto', which takes a GPU only "
        "where there is one."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        resolve_device("cuda")
    assert usable_device("cuda") == torch.device("cpu")


def test_a_device_without_numbers_is_refused():
    sentence = (
        "device='meta' keeps no numbers, so that nothing can be learned; use device='auto', or "
        "another one."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        resolve_device(torch.device("meta"))
