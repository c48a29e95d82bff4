"""Print where the time of B1 and of B12 goes, by torch.profiler."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.speed.rows import decoding, ragged_fit
from skl_lstmae._batches import BatchBuilder
from skl_lstmae._training import Trainer

# What the profiler calls the parts; none of them holds another.
PARTS = {
    "LSTM kernels": ("aten::mkldnn_rnn_layer", "aten::mkldnn_rnn_layer_backward"),
    "gathering of batches": ("gathering",),
    "bottleneck and head": ("aten::addmm", "aten::mm", "aten::bmm"),
    "optimizer": ("Optimizer.step#AdamW.step", "Optimizer.zero_grad#AdamW.zero_grad"),
}


def epoch_shares(quick: bool = False) -> dict[str, float]:
    """Return what the parts take of the last epoch of the package's fit in B1."""
    train_epoch, shares = Trainer._train_epoch, {}

    def profiled(*arguments):
        with shares_into(shares):
            return train_epoch(*arguments)

    build = record_function("gathering")(BatchBuilder.build)
    patch = mock.patch.object
    with patch(BatchBuilder, "build", build), patch(Trainer, "_train_epoch", profiled):
        ragged_fit.plain_sides(quick)["skl_lstmae"](0)
    return shares


def decoding_shares() -> dict[str, float]:
    """Return what the parts take of the package's forward passes in B12."""
    forward, shares = decoding.sides(quick=False)["forward: skl_lstmae"], {}
    forward(0)
    with shares_into(shares):
        for seed in range(20):
            forward(seed)
    return shares


@contextmanager
def shares_into(shares: dict[str, float]) -> Iterator[None]:
    """Note what the parts take of the block's time; the shares add up to 1."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler, record_function("whole"):
        yield
    times = {event.key: event.cpu_time_total for event in profiler.key_averages()}
    for part, names in PARTS.items():
        shares[part] = sum(times.get(name, 0.0) for name in names) / times["whole"]
    shares["the rest"] = 1 - sum(shares[part] for part in PARTS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for work, shares in {"B1, epoch": epoch_shares(), "B12, forward": decoding_shares()}.items():
        print(work, *(f"{share:6.1%}  {part}" for part, share in shares.items()), sep="\n")
