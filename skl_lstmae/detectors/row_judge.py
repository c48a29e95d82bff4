"""What judges the rows of long series: windows, and how their scores become those of rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.windows import merge, slide
from skl_lstmae.detectors import events
from skl_lstmae.detectors.window_judge import WindowJudge
from skl_lstmae.scoring.calibration import Calibration, ReferenceScores


@dataclass(frozen=True, eq=False)
class RowJudge:
    """Judges a row by all windows that cover it.

    Nothing of it is ever changed: what learns returns a new one.

    Parameters
    ----------
    windows : WindowJudge
        Judges windows.
    size : int
        Rows of a window.
    stride : int
        Rows from one window to the next.
    aggregation : str
        How the scores of a row's windows become its score.
    rows, singles : Calibration
        The scores that thresholds rest on, of rows and of single windows.
    offset, stream_offset : float, default=nan
        The thresholds of rows and of single windows, with which streams compare.
    """

    windows: WindowJudge
    size: int
    stride: int
    aggregation: str
    rows: Calibration = field(default_factory=Calibration)
    singles: Calibration = field(default_factory=Calibration)
    offset: float = np.nan
    stream_offset: float = np.nan

    def score(self, series: Sequences) -> NDArray[np.float64]:
        """Return the scores of rows, (total_timesteps,)."""
        return self._merge(self.windows.score(self._slide(series)), series)

    def reference_scores(self, series: Sequences) -> tuple[ReferenceScores, ReferenceScores]:
        """Return the scores of rows, and of the single windows."""
        scores = self.windows.score(self._slide(series))
        n_side_by_side = np.maximum(series.lengths / self.size, 1).sum()
        return (
            ReferenceScores.of(self._merge(scores, series), n_side_by_side),
            ReferenceScores.of(scores, n_side_by_side),
        )

    def lent_scores_of(self, series: Sequences) -> RowJudge:
        """Return the judge to whose thresholds series that were learned from lend scores."""
        rows, singles = self.reference_scores(series)
        return replace(self, rows=Calibration(learned=rows), singles=Calibration(learned=singles))

    def resting_on(self, series: Sequences, *roles: str) -> RowJudge:
        """Return the judge whose thresholds rest on these series, as :class:`Calibration` says."""
        rows, singles = self.reference_scores(series)
        return replace(
            self,
            rows=self.rows.resting_on(rows, *roles),
            singles=self.singles.resting_on(singles, *roles),
        )

    def find_intervals(
        self, series: Sequences, max_gap: int, min_length: int
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the scores of rows, and the intervals of anomalous ones, (n_intervals, 2)."""
        scores = self.score(series)
        is_anomalous = scores < self.offset
        return scores, events.find_intervals(is_anomalous, series.lengths, max_gap, min_length)

    def feature_shares(
        self, series: Sequences, intervals: NDArray[np.intp]
    ) -> NDArray[np.float64] | None:
        """Split the error of each interval over the features; None if there is no error."""
        if not self.windows.has_errors:
            return None
        return events.feature_shares(intervals, self._slide(series), self.windows.errors)

    def _slide(self, series: Sequences) -> Sequences:
        return slide(series, self.size, self.stride)

    def _merge(self, scores: NDArray[np.float64], series: Sequences) -> NDArray[np.float64]:
        return merge(scores, self._slide(series), series, self.aggregation)
