"""Which sequences are trained on, and which are held out."""

from dataclasses import dataclass

from numpy.random import RandomState

from skl_lstmae._scoring import MAX_REFERENCES
from skl_lstmae._sequences import Sequences
from skl_lstmae._windows import spread


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
    """

    training: Sequences
    held_out: Sequences
    n_per_epoch: int | None = None
    references: Sequences | None = None

    def draw(self, random_state: RandomState) -> Sequences:
        """Return the training sequences of an epoch."""
        n = self.n_per_epoch
        return self.training if n is None else spread(self.training, n, random_state)

    def sample(self) -> Sequences:
        """Return the training sequences to learn scores from, always the same."""
        if self.n_per_epoch is None:
            return self.training if self.references is None else self.references
        return spread(self.training, min(len(self.training), MAX_REFERENCES))
