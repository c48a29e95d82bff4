"""How long a training is, and how its learning rate goes."""

from collections.abc import Callable
from math import cos, pi

import torch

BATCH_SIZE = 16
"""Sequences of a batch, unless there is a reason for others."""

SMALLEST_BATCH, LARGEST_BATCH = 8, 1024

FEWEST_BATCHES = 8
"""Of an epoch, rather than larger ones of few sequences: steps matter more than what each sees."""

Schedule = Callable[[float], float]
"""From the share of a training that is done to the share of the learning rate to go on with."""

WARM_UP = 0.25
"""Share of a training in which the rate rises."""

FIRST = 0.04
"""Share of the rate to begin with."""

N_UPDATES = 64
"""Steps of the optimizer that a training on many sequences makes, about; the record of detection
tells how well detectors do after so many."""

USUAL_WIDTH = 64
"""Units of the widest layer of a network that learns enough in so many steps; the fewer there are,
the more steps it takes."""

LONGEST = 4
"""Times as many steps, at most."""

MOST_EPOCHS = 15
"""Passes over the data at most, even if they make fewer steps. For narrow networks they grow as the
steps do."""

SLOWEST_AFTER = 30
"""Epochs after which the rate of one more no longer falls."""


def count_epochs(n_sequences: int, batch_size: int, width: int) -> int:
    """Return how many passes over so many sequences make one cycle of a network of some width.

    Smaller batches than usual make more steps, not fewer passes.
    """
    longer = min(LONGEST, max(1.0, USUAL_WIDTH / width))
    n_passes = round(longer * N_UPDATES * max(batch_size, BATCH_SIZE) / n_sequences)
    return int(min(longer * MOST_EPOCHS, max(1, n_passes)))


def batch_size_on(device: torch.device, n_sequences: int) -> int:
    """Return how many sequences make a batch in one cycle, of so many in an epoch.

    On a GPU, which takes hardly longer over more at a time, they are as many as leave about as many
    steps as a CPU makes of up to a thousand sequences.
    """
    batch_size = min(BATCH_SIZE, max(SMALLEST_BATCH, -(-n_sequences // FEWEST_BATCHES)))
    if device.type == "cpu":
        return batch_size
    return min(LARGEST_BATCH, max(batch_size, n_sequences * MOST_EPOCHS // N_UPDATES))


def one_cycle(done: float) -> float:
    """Rise and fall along half waves of a cosine, to nothing in the end [1]_.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", 2018, :doi:`10.48550/arXiv.1708.07120`.
    """
    if done < WARM_UP:
        return FIRST + (1 - FIRST) * (1 - cos(pi * done / WARM_UP)) / 2
    return (1 + cos(pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


def one_more(n_epochs: int) -> Schedule:
    """Return the schedule of one epoch more, after so many.

    It is constant, and falls from epoch to epoch [1]_ until it can still follow what changes.

    References
    ----------
    .. [1] H. Robbins, S. Monro, "A stochastic approximation method", Annals of Mathematical
       Statistics 22, 1951, :doi:`10.1214/aoms/1177729586`.
    """
    share = (1 + min(n_epochs, SLOWEST_AFTER)) ** -0.5
    return lambda done: share


def gentle(done: float) -> float:
    """Stay where a cycle begins: more would move what the references of a fit look like."""
    return FIRST


def constant(done: float) -> float:
    """Stay as it is."""
    return 1.0
