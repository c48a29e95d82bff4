"""Pieces of long sequences, which a forecaster is trained on, and judges sequences by."""

from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skl_lstmae.data.gaps import Gaps
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import cut, slide, spread
from skl_lstmae.detectors.judge import Judge

STEPS_IN_TRAINING = 200
"""Steps through which a gradient runs back; longer sequences are cut."""

PIECES_OF_SERIES = 30
"""A series is scored in pieces, so long that the training series has about as many or more."""

MIN_STEPS_OF_PIECE, MAX_STEPS_OF_PIECE = 5, 50
"""Steps of a piece of a series: twice three of 5 leave enough of 100 to train on."""


@dataclass(frozen=True, eq=False)
class PieceJudge(Judge):
    """Judges sequences by their worst pieces.

    Parameters
    ----------
    piece_size : int
        Time steps of a piece.
    """

    piece_size: int = 0

    @property
    def sample_name(self) -> str:
        """What `samples` are."""
        return f"piece(s) of {self.piece_size} time steps"

    def samples(self, sequences: Sequences) -> Sequences:
        """Return pieces side by side."""
        return _observed(slide(sequences, self.piece_size, self.piece_size))

    def score(self, sequences: Sequences, *, one_by_one: bool = False) -> NDArray[np.float64]:
        """Return the scores that single pieces would have that are as rare as the worst ones."""
        # At the start of a piece the network expects nothing yet; another piece goes on there.
        pieces = _observed(slide(sequences, self.piece_size, max(1, self.piece_size // 2)))
        owner = np.searchsorted(sequences.starts, pieces.starts, side="right") - 1
        first = np.searchsorted(owner, np.arange(len(sequences)))
        worst = np.minimum.reduceat(super().score(pieces), first)
        if self.calibration is None or self.calibration.learned is None:
            return worst
        return self.calibration.learned.alone(worst, np.bincount(owner))


def piece_size(longest: int) -> int:
    """Return the steps of a piece of series, the longest of which has so many steps."""
    return min(max(longest // PIECES_OF_SERIES, MIN_STEPS_OF_PIECE), MAX_STEPS_OF_PIECE)


def cut_for_training(sequences: Sequences, random_state: RandomState | None = None) -> Sequences:
    """Bound the steps of a kernel call in training, and make more batches of long sequences."""
    phase = 0 if random_state is None else random_state.randint(STEPS_IN_TRAINING)
    if sequences.lengths.max(initial=0) <= STEPS_IN_TRAINING:
        return sequences
    return _observed(cut(sequences, STEPS_IN_TRAINING, phase))


def draw_pieces(series: Sequences, size: int, random_state: RandomState) -> Sequences:
    """Take as many pieces as follow one another, but from anywhere.

    Of a series whose period is a multiple of theirs, pieces side by side would show few phases.
    """
    gaps = Gaps.of(series.values)
    n_pieces = len(gaps.observed(slide(series, size, size)))
    return spread(gaps.observed(slide(series, size)), n_pieces, random_state)


def _observed(pieces: Sequences) -> Sequences:
    return Gaps.of(pieces.values).observed(pieces)
