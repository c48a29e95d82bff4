"""Which sequences are trained on, and which are held out."""

from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState

from skl_lstmae._scoring import MAX_REFERENCES
from skl_lstmae._sequences import Sequences


@dataclass(frozen=True, eq=False)
class Parts:
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
    """

    training: Sequences
    held_out: Sequences
    n_per_epoch: int | None = None
    references: Sequences | None = None
    piece_size: int | None = None

    def draw(self, random_state: RandomState) -> Sequences:
        """Return the training sequences of an epoch."""
        n = self.n_per_epoch
        return self.training if n is None else spread(self.training, n, random_state)

    def sample(self) -> Sequences:
        """Return the training sequences to learn scores from, always the same."""
        if self.n_per_epoch is None:
            return self.training if self.references is None else self.references
        return spread(self.training, min(len(self.training), MAX_REFERENCES))


def hold_out_ends(series: Sequences, size: int, fraction: float) -> tuple[Sequences, Sequences]:
    """Cut each series into rows to train on, a gap of one window, and its end, held out.

    The end is a `fraction` of the series, one window at least. Series in which less than three
    windows' rows would be left are not cut; if none is, the last ones are held out as a whole.
    """
    n_held_out = np.maximum(size, np.rint(fraction * series.lengths)).astype(np.intp)
    n_training = series.lengths - n_held_out - size
    is_cut = n_training >= 3 * size
    if not is_cut.any():
        n_whole = min(max(1, round(fraction * len(series))), len(series) - 1)
        is_held_out = np.arange(len(series)) >= len(series) - n_whole
        return series.take(~is_held_out), series.take(is_held_out)
    training = Sequences(series.values, series.starts, np.where(is_cut, n_training, series.lengths))
    ends = Sequences(series.values, series.starts + n_training + size, n_held_out)
    return training, ends.take(is_cut)


def spread(windows: Sequences, n: int, random_state: RandomState | None = None) -> Sequences:
    """Take one of each of `n` stretches of windows, a random one or else the middle one."""
    edges = np.linspace(0, len(windows), n + 1).astype(np.intp)
    if random_state is None:
        return windows.take((edges[:-1] + edges[1:]) // 2)
    return windows.take(random_state.randint(edges[:-1], edges[1:]))
