"""How a fit finds the checkpoint that it goes on from, and knows it for its own."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState

from skl_lstmae._version import __version__
from skl_lstmae.data.split import Split
from skl_lstmae.detectors.persistence import bytes_of
from skl_lstmae.training.checkpoint import Checkpoint
from skl_lstmae.training.model import Model

SEEN_OTHERWISE = {"device", "network", "random_state", "scaler", "validation_fraction"}
"""Parameters whose effect on training is seen in what it begins with."""

WITHOUT_EFFECT = {
    *("checkpoint", "verbose", "warm_start"),
    *("scorer", "contamination", "false_alarm_rate"),
}
"""Parameters that training does not depend on, but for what is held out."""


def open_checkpoint(
    detector: Any, model: Model, split: Split, random_state: RandomState
) -> Checkpoint | None:
    """Return the checkpoint of a training that is about to begin, if the user wants one."""
    if detector.checkpoint is None:
        return None
    if detector.random_state is None:
        raise ValueError(
            "checkpoint is for fits that draw the same numbers when they are started again; set "
            "random_state to an int, or leave checkpoint out."
        )
    path = Path(detector.checkpoint)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(
            f"checkpoint is {str(path)!r}; expected the path of a file, in a folder that exists."
        )
    return Checkpoint(path, fingerprint(detector, model, split, random_state), random_state)


def delete_checkpoint(detector: Any) -> None:
    """Delete the file of a fit that has ended, but not of one that was interrupted."""
    was_trained = detector.max_epochs != 0
    if detector.checkpoint is not None and was_trained and not detector.history_.was_interrupted:
        Path(detector.checkpoint).unlink(missing_ok=True)


def fingerprint(detector: Any, model: Model, split: Split, random_state: RandomState) -> str:
    """Return what tells a training that is about to begin from others, in any process."""
    digest = sha256()
    for part in _all_it_depends_on(detector, model, split, random_state):
        for content in bytes_of(part):
            digest.update(content)
    return digest.hexdigest()


def _all_it_depends_on(
    detector: Any, model: Model, split: Split, random_state: RandomState
) -> Iterator[Any]:
    """Yield the parts one after the other, as the data may be larger than memory."""
    network = model.network
    parameters = {
        name: getattr(value, "__qualname__", value)
        for name, value in detector.get_params(deep=False).items()
        if name not in SEEN_OTHERWISE | WITHOUT_EFFECT
    }
    yield type(detector).__name__, parameters, __version__, torch.__version__, model.device.type
    yield type(network).__name__, network.config or repr(network), network
    yield random_state.get_state(legacy=False), split.n_per_epoch
    yield split.targets
    for sequences in split.training, split.held_out:
        yield np.asarray(sequences.starts), np.asarray(sequences.lengths)
        for rows in sequences.blocks():
            yield model.scaling.transform(rows)
