"""All that a training goes on from, and the file that keeps it between epochs."""

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState
from torch import Generator

from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.training.averages import AveragedNetwork
from skl_lstmae.training.distributed import ALONE, Ranks
from skl_lstmae.training.optimizers import Optimizer
from skl_lstmae.training.progress import Progress

KIND = b"skl_lstmae checkpoint 2\n"
"""What such a file begins with; the SHA-256 of the rest follows, since torch checks no sums."""

N_BYTES_BEFORE = len(KIND) + sha256().digest_size


@dataclass(frozen=True, eq=False)
class Training:
    """A training between two epochs, but for what draws its batches.

    Parameters
    ----------
    network : SequenceNetwork
        In training.
    averaged : AveragedNetwork
        Of its weights.
    optimizers : tuple of Optimizer
        Of its weights.
    generator : torch.Generator
        Drives the network's random parts.
    progress : Progress
        Up to here.
    """

    network: SequenceNetwork
    averaged: AveragedNetwork
    optimizers: tuple[Optimizer, ...]
    generator: Generator
    progress: Progress

    def state_dict(self) -> dict[str, Any]:
        """Return everything that an epoch changes, as tensors, numbers and texts."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "generator": self.generator.get_state(),
            "progress": self.progress.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on, in place, from what another training has returned."""
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        for optimizer, own in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(own)
        self.generator.set_state(state["generator"])
        self.progress.load_state_dict(state["progress"])

    def level(self, ranks: Ranks) -> None:
        """Have all ranks go on from where the first one is.

        They are there already, to the last bit, if their processors are alike, and if layers keep
        no statistics of the sequences that they saw.
        """
        if ranks.number > 1:
            state = ranks.agreed(_packed(self.state_dict()) if ranks.is_first else b"")
            if not ranks.is_first:
                self.load_state_dict(_unpacked(state))


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A file that holds a training after its latest epoch.

    At any moment it is the old file or the new one, whatever ends the process.

    Parameters
    ----------
    path : Path
        Of the file; another of that name with ``.tmp`` at its end becomes the next one.
    fingerprint : str
        Tells this training from those with other data or parameters.
    random_state : RandomState
        Draws the batches.
    ranks : Ranks, default=ALONE
        Who trains; the first one reads and writes.
    """

    path: Path
    fingerprint: str
    random_state: RandomState
    ranks: Ranks = ALONE

    def restore(self, training: Training) -> bool:
        """Set a training, and the random state, to what the file holds; return if there is one."""
        content = self.ranks.agreed(self._read() if self.ranks.is_first else b"")
        if content is None:
            return False
        before, state = content[:N_BYTES_BEFORE], content[N_BYTES_BEFORE:]
        if before != KIND + sha256(state).digest():
            raise ValueError(
                f"{str(self.path)!r} is damaged, or no checkpoint; delete it, or choose another "
                "path as checkpoint."
            )
        saved = _unpacked(state)
        if saved["fingerprint"] != self.fingerprint:
            raise ValueError(
                f"{str(self.path)!r} is the checkpoint of a fit with other data, parameters or "
                "versions; delete it, or choose another path as checkpoint."
            )
        training.load_state_dict(saved["training"])
        self.random_state.set_state(json.loads(saved["random_state"]))
        return True

    def write(self, training: Training) -> None:
        """Replace the file; an error leaves the old one."""
        if not self.ranks.is_first:
            return
        saved = {
            "fingerprint": self.fingerprint,
            "training": training.state_dict(),
            "random_state": json.dumps(
                self.random_state.get_state(legacy=False), default=np.ndarray.tolist
            ),
        }
        state = _packed(saved)
        write_then_replace(self.path, KIND + sha256(state).digest() + state)

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None


def _packed(saved: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    torch.save(saved, buffer)
    return buffer.getvalue()


def _unpacked(state: bytes) -> dict[str, Any]:
    return torch.load(BytesIO(state), map_location="cpu", weights_only=True)


def write_then_replace(path: Path, content: bytes) -> None:
    """Write a file beside another, and put it in its place once the disk has it."""
    beside = path.with_name(f"{path.name}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
