"""What a fit came to, and how far two fits are apart."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Result:
    """What was learned, and what that took."""

    weights: np.ndarray
    losses: np.ndarray  # (epoch,)
    scores: np.ndarray  # of the training sequences
    seconds: float  # the median of the epochs
    memory: int  # bytes that the peak rose by

    def save(self, file: str) -> None:
        np.savez(file, **vars(self))

    @classmethod
    def load(cls, file: str) -> Self:
        with np.load(file) as saved:
            return cls(
                *(saved[name] for name in ("weights", "losses", "scores")),
                float(saved["seconds"]),
                int(saved["memory"]),
            )

    def apart_from(self, other: Self) -> str:
        weights = np.abs(self.weights - other.weights).max()
        losses = np.abs(self.losses / other.losses - 1).max()
        are_equal = np.array_equal(self.scores, other.scores)
        scores = "equal" if are_equal else f"{np.abs(self.scores / other.scores - 1).max():.1e}"
        return f"weights {weights:.1e}, losses {losses:.1e} relative, scores {scores}"
