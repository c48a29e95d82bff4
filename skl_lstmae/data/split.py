"""Which sequences are trained on, and which are held out."""

from dataclasses import dataclass

from numpy.random import RandomState

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import spread


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
    """

    training: Sequences
    held_out: Sequences
    n_per_epoch: int | None = None
    references: Sequences | None = None
    piece_size: int | None = None
    names: tuple[str, ...] = ()

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
