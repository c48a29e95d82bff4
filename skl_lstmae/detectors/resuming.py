"""How a fit finds the checkpoint that it goes on from, and knows it for its own."""

from collections.abc import Iterable, Iterator
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
from skl_lstmae.training.distributed import ranks_here
from skl_lstmae.training.model import Model

SEEN_OTHERWISE = {"device", "network", "random_state", "scaler", "validation_fraction"}
"""Parameters whose effect on training is seen in what it begins with."""

WITHOUT_EFFECT = {
    *("checkpoint", "distributed", "verbose", "warm_start"),
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
    path, ranks = Path(detector.checkpoint), ranks_here()
    if ranks.is_first and (path.is_dir() or not path.parent.is_dir()):
        raise ValueError(
            f"checkpoint is {str(path)!r}; expected the path of a file, in a folder that exists."
        )
    ours = fingerprint(detector, model, split, random_state)
    return Checkpoint(path, ours, random_state, ranks)


def delete_checkpoint(detector: Any) -> None:
    """Delete the file of a fit that has ended, but not of one that was interrupted."""
    was_trained = detector.max_epochs != 0 and ranks_here().is_first
    if detector.checkpoint is not None and was_trained and not detector.history_.was_interrupted:
        Path(detector.checkpoint).unlink(missing_ok=True)


def fingerprint(detector: Any, model: Model, split: Split, random_state: RandomState) -> str:
    """Return what tells a training that is about to begin from others, in any process."""
    return _digest(_all_it_depends_on(detector, model, split, random_state))


def check_agreement(detector: Any, split: Split) -> None:
    """Refuse to train together with ranks that were given something else."""
    ranks = ranks_here()
    if ranks.number == 1:
        return
    first, *others = ranks.gathered([_digest(_all_ranks_are_given(detector, split))])
    differing = [str(i + 1) for i, other in enumerate(others) if other != first]
    if differing:
        raise ValueError(
            f"Rank {', '.join(differing)} was given other data or parameters than rank 0; expected "
            f"the same of all {ranks.number}: give each the whole X, and the same parameters, or "
            "set distributed=False for each to fit by itself."
        )


def _digest(parts: Iterable[Any]) -> str:
    digest = sha256()
    for part in parts:
        for content in bytes_of(part):
            digest.update(content)
    return digest.hexdigest()


def _all_ranks_are_given(detector: Any, split: Split) -> Iterator[Any]:
    """Yield the parts one after the other; nothing that processors round differently."""
    yield type(detector).__name__, _parameters(detector), __version__, torch.__version__
    yield split.n_per_epoch, split.targets
    for sequences in split.training, split.held_out:
        yield np.asarray(sequences.starts), np.asarray(sequences.lengths)
        yield from sequences.blocks()


def _parameters(detector: Any) -> dict[str, Any]:
    return {
        name: getattr(value, "__qualname__", value)
        for name, value in detector.get_params(deep=False).items()
        if name not in SEEN_OTHERWISE | WITHOUT_EFFECT
    }


def _all_it_depends_on(
    detector: Any, model: Model, split: Split, random_state: RandomState
) -> Iterator[Any]:
    """Yield the parts one after the other, as the data may be larger than memory."""
    network = model.network
    versions = __version__, torch.__version__, model.device.type
    yield type(detector).__name__, _parameters(detector), *versions
    yield type(network).__name__, network.config or repr(network), network
    yield random_state.get_state(legacy=False), split.n_per_epoch
    yield split.targets
    for sequences in split.training, split.held_out:
        yield np.asarray(sequences.starts), np.asarray(sequences.lengths)
        for rows in sequences.blocks():
            yield model.scaling.transform(rows)
