"""Which sequences are trained on, and which are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import spread

MIN_HELD_OUT = 3
"""Sequences to calibrate a threshold on, at the least."""

MIN_SEQUENCES = 2 + MIN_HELD_OUT
"""Sequences to fit to, at the least: a covariance is learned from two."""

MAX_CALIBRATING = 8192
"""Sequences that were learned from whose scores a threshold rests on, at most, and held-out."""


@dataclass(frozen=True, eq=False)
class Split:
    """Sequences to train on and sequences held out.

    Parameters
    ----------
    training, held_out : Sequences
        No row of which is in both.
    n_per_epoch : int, default=None
        How many training sequences an epoch draws, one of each of so many stretches of them, if
        they are windows that overlap; None means all.
    references : Sequences, default=None
        Pieces of the training sequences, to learn scores from if those are too few.
    piece_size : int, default=None
        Steps of those pieces, and of the held-out ones.
    names : tuple of str, default=()
        Of the features, if it is another estimator that knows them.
    numbers : ndarray of shape (n_training + n_held_out,), default=None
        What the user counts the training sequences as, and then those held out.
    targets : object, default=None
        What is to be predicted of the training sequences, and then of those held out; None stands
        for their own steps.
    """

    training: Sequences
    held_out: Sequences
    n_per_epoch: int | None = None
    references: Sequences | None = None
    piece_size: int | None = None
    names: tuple[str, ...] = ()
    numbers: NDArray[np.intp] | None = None
    targets: Any = None

    @property
    def overlaps(self) -> bool:
        """Whether the sequences are windows that share rows."""
        return self.n_per_epoch is not None

    def draw(self, random_state: RandomState) -> Sequences:
        """Return the training sequences of an epoch."""
        n = self.n_per_epoch
        return self.training if n is None else spread(self.training, n, random_state)

    def sample(self, max_windows: int) -> Sequences:
        """Return the training sequences to learn scores from, always the same."""
        if self.overlaps:
            return spread(self.training, min(len(self.training), max_windows))
        return self.training if self.references is None else self.references

    def calibrating(self) -> Calibrating:
        """Return the sequences by which a threshold is set, those to train on first."""
        learned = self.sample(MAX_CALIBRATING)
        chosen, held_out = _some_of(learned), _some_of(self.held_out)
        numbers = self.numbers
        if numbers is not None:
            numbers = numbers[np.r_[chosen, len(learned) + held_out]]
        return Calibrating(
            join_sequences(learned.take(chosen), self.held_out.take(held_out)),
            np.arange(len(chosen) + len(held_out)) >= len(chosen),
            numbers,
        )


class Calibrating(NamedTuple):
    """Sequences by which a threshold is set.

    Attributes
    ----------
    sequences : Sequences
    is_held_out : ndarray of shape (n_sequences,), dtype bool
    numbers : ndarray of shape (n_sequences,) or None
        What the user counts them as.
    """

    sequences: Sequences
    is_held_out: NDArray[np.bool_]
    numbers: NDArray[np.intp] | None


def hold_out_some(sequences: Sequences, n_held_out: int, random_state: RandomState) -> Split:
    """Hold out so many sequences, any of them."""
    order = random_state.permutation(len(sequences))
    held_out, training = np.split(order, [n_held_out])
    numbers = np.concatenate([training, held_out])
    return Split(sequences.take(training), sequences.take(held_out), numbers=numbers)


def hold_out_like(
    split: Split,
    keys: NDArray[np.float64],
    fraction: float,
    random_state: RandomState,
    *,
    keeps_each: bool,
) -> Split:
    """Hold out sequences whose keys, low and high, are like those of the others.

    One that counts several times is held out as often.

    Parameters
    ----------
    split : Split
        All sequences to train on, with their numbers and targets.
    keys : ndarray of shape (n_sequences,)
        Of each, NaN where no target is observed.
    fraction : float
        The share to hold out.
    random_state : RandomState
    keeps_each : bool
        Whether each key there is, as that of a class, keeps a sequence to train on.
    """
    assert split.numbers is not None
    _, firsts = np.unique(split.numbers, return_index=True)
    order = random_state.permutation(np.sort(firsts))
    order = order[~np.isnan(keys[order])]
    n_wanted = max(1, round(fraction * len(order)))
    order = order[np.argsort(keys[order], kind="stable")]
    if keeps_each:
        order = np.delete(order, np.unique(keys[order], return_index=True)[1])
    n_held_out = min(n_wanted, len(order), len(firsts) - 1)
    if n_held_out == 0:
        raise ValueError(
            "early_stopping holds out sequences with a target, but y leaves none: it needs two "
            "with one, or two of a class; set early_stopping=False."
        )
    # One from each of as many stretches of the sequences in the order of their keys.
    edges = np.linspace(0, len(order), n_held_out + 1)
    steps = random_state.uniform(size=n_held_out) * np.diff(edges)
    chosen = order[(edges[:-1] + steps).astype(np.intp)]
    is_held_out = np.isin(split.numbers, split.numbers[chosen])
    parts = np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
    training, held_out = (split.training.take(part) for part in parts)
    return Split(training, held_out, targets=split.targets.take(np.concatenate(parts)))


def _some_of(sequences: Sequences) -> NDArray[np.intp]:
    """Return the numbers of so many sequences as count, spread evenly over all."""
    n = len(sequences)
    if n <= MAX_CALIBRATING:
        return np.arange(n)
    return np.linspace(0, n - 1, MAX_CALIBRATING).astype(np.intp)


def join_sequences(first: Sequences, second: Sequences) -> Sequences:
    """Return the sequences of both, which are slices of the same values."""
    return Sequences(
        first.values,
        np.concatenate([first.starts, second.starts]),
        np.concatenate([first.lengths, second.lengths]),
    )
