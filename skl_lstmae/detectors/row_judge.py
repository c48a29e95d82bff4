"""What judges the rows of long series: windows, and how their scores become those of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._warn import warn
from skl_lstmae.data.gaps import Gaps, have_scores, judged_by, rows_of_blackout
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.times import cut_at_jumps
from skl_lstmae.data.weights import digest
from skl_lstmae.data.windows import blocks, merge, slide
from skl_lstmae.detectors.events import (
    FoundEvents,
    blame,
    find_intervals,
    find_intervals_within,
    go_on,
)
from skl_lstmae.detectors.scored_rows import ScoredRows
from skl_lstmae.detectors.window_judge import WindowJudge
from skl_lstmae.scoring.adaptive import AdaptiveOffset, spread_of, upper_bound
from skl_lstmae.scoring.calibration import Calibration, ReferenceScores
from skl_lstmae.scoring.gap_allowance import GapAllowance
from skl_lstmae.scoring.recent import RecentLevel

FEW = 50
"""A window with one empty row among so many is like others, even if the fit had none."""

MIN_WINDOWS_FOR_DRIFT = 10
"""Windows side by side from which drift may be told."""


@dataclass(frozen=True, eq=False)
class Threshold:
    """What rows, or single windows, are told from normal ones by.

    Parameters
    ----------
    calibration : Calibration
        The scores that it rests on.
    deviation : float
        Standard deviation of those of fresh rows, or of their logarithms.
    spreads_by_factors : bool
        Whether it is that of logarithms.
    offset : float, default=nan
        The threshold of the first row, or of all.
    rate : float, default=None
        The false-alarm rate at which the threshold follows scores that drift; None means that it
        does not.
    """

    calibration: Calibration
    deviation: float
    spreads_by_factors: bool
    offset: float = np.nan
    rate: float | None = None

    @classmethod
    def by(cls, scores: NDArray[np.float64], n_independent: float) -> Threshold:
        """Rest a threshold on scores of normal rows."""
        fresh = ReferenceScores.of(scores, n_independent)
        return cls(Calibration(fresh=fresh, learned=fresh), *spread_of(scores))

    def resting_on(
        self, scores: NDArray[np.float64], n_independent: float, *roles: str
    ) -> Threshold:
        """Let it rest on other rows, as :class:`Calibration` says."""
        references = ReferenceScores.of(scores, n_independent)
        told = replace(self, calibration=self.calibration.resting_on(references, *roles))
        if roles and "fresh" not in roles:
            return told
        deviation, spreads_by_factors = spread_of(scores)
        return replace(told, deviation=deviation, spreads_by_factors=spreads_by_factors)

    def by_hand(self, offset: float) -> Threshold:
        """Return a threshold that somebody has chosen, and that does not follow."""
        return replace(self, offset=offset, rate=None)

    def adaptive(self, span: int) -> AdaptiveOffset | None:
        """Return an offset for one series, that follows its scores, if it does.

        One short event lowers `span` of them.
        """
        references = self.calibration.fresh
        if self.rate is None or references is None:
            return None
        deviation = upper_bound(self.deviation, references.n_independent)
        return AdaptiveOffset(self.offset, deviation, self.rate, span, self.spreads_by_factors)


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
    recent : RecentLevel
        What the scores of rows are relative to.
    rows, singles : Threshold
        Of rows, and of single windows, with which streams compare.
    worst : float
        The score of rows without data, lower than that of any row of the training series.
    shortest : int
        Rows of the shortest window that has been learned from.
    most_empty : int
        Empty rows of the window that had most, of those that have been learned from.
    allowance : GapAllowance, default=None
        Of windows with steps without data; None makes none.
    usual_step : float, default=None
        Seconds from one training row to the next, if times are known.
    max_steps : float, default=inf
        Series are cut where the next time is more than so many usual steps away.
    own_scores : dict of str to ndarray
        For the digest of a training series the scores of its windows as fresh ones, NaN for those
        more than half of which is empty.
    """

    windows: WindowJudge
    size: int
    stride: int
    aggregation: str
    recent: RecentLevel
    rows: Threshold
    singles: Threshold
    worst: float
    shortest: int
    most_empty: int
    allowance: GapAllowance | None = None
    usual_step: float | None = None
    max_steps: float = np.inf
    own_scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def offset(self) -> float:
        """The threshold of rows that do not drift."""
        return self.rows.offset

    @property
    def calibration(self) -> Calibration:
        """The scores that it rests on."""
        return self.rows.calibration

    @property
    def span(self) -> int:
        """Rows that a short event lowers the scores of: those of all windows that cover one."""
        return 2 * self.size

    def with_offset(self, offset: float) -> RowJudge:
        """Return the judge with another threshold of rows."""
        return replace(self, rows=self.rows.by_hand(offset))

    def may_tell_drift(self, series: Sequences) -> bool:
        """Return whether these are so many that most are hardly anomalies."""
        return independent_windows(series, self.size) >= MIN_WINDOWS_FOR_DRIFT

    def score(self, series: Sequences, times: Sequence[Any]) -> ScoredRows:
        """Score the rows of series with such times.

        A training series is judged as if it were a fresh one. Within a longer series the same rows
        are known: windows that overlap them are references. No window reaches across a jump in
        time or a blackout, as the level of recent scores does.
        """
        gaps = Gaps.of(series.values)
        pieces = self._cut(series, times, gaps)
        windows = self._slide(pieces, gaps)
        singles, is_training = self._score_windows(pieces, windows, gaps)
        rows = merge_scores(singles, windows, pieces, gaps, self.aggregation, self.worst)
        owner = np.searchsorted(pieces.starts, windows.starts, side="right") - 1
        tells = (windows.lengths >= self.shortest) | is_training[owner]
        tells &= gaps.have_data(windows)
        may_alarm = are_covered(windows, pieces, tells)
        telling = np.where(may_alarm, rows, np.nan)
        related = relate(self.recent, telling, series.lengths, self.worst)
        scores = np.where(may_alarm, related, rows)
        judges = judged_by(scores, self.worst, pieces.lengths)
        return ScoredRows(
            series,
            pieces,
            windows,
            scores=np.nan_to_num(scores[judges], nan=self.worst),
            singles=np.where(tells, singles, np.nan),
            may_alarm=may_alarm,
            is_training=np.repeat(is_training, pieces.lengths),
            judges=judges,
        )

    def score_windows(
        self, windows: Sequences, n_empty: NDArray[np.intp], *, one_by_one: bool = False
    ) -> NDArray[np.float64]:
        """Return the scores of windows, (n_windows,), with allowance for steps without data."""
        scores = self.windows.score(windows, one_by_one=one_by_one)
        if self.allowance is None:
            return scores
        return self.allowance.raised(scores, n_empty)

    def are_like_known(self, n_empty: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which numbers of steps without data windows may have that raise alarms."""
        if self.allowance is not None:
            return 2 * n_empty <= self.size
        return n_empty <= max(self.most_empty, self.size // FEW)

    def offsets(self, rows: ScoredRows) -> float | NDArray[np.float64]:
        """Return the offset of each row, (total_timesteps,), or that of all.

        At the start of a series nothing is known of it. Rows of a training series have the fixed
        offset, which rests on them, as blackouts do. That of rows that are silent is no higher
        than their score.
        """
        adaptive = self.rows.adaptive(self.span)
        is_silent = rows.are_silent(self.worst)
        if adaptive is None and not is_silent.any():
            return self.rows.offset
        offsets = np.full(len(rows.scores), self.rows.offset)
        if adaptive is not None:
            parts = np.split(rows.telling_scores, np.cumsum(rows.series.lengths)[:-1])
            followed = np.concatenate([follow(copy(adaptive), part, self.worst) for part in parts])
            offsets = np.where(rows.is_training, offsets, followed[rows.judges])
        return np.where(is_silent, np.minimum(offsets, rows.scores), offsets)

    def tell_drift(self, rows: ScoredRows) -> NDArray[np.bool_]:
        """Return the rows from which drift may be told: those with data that may be alarms.

        There are none if these are few.
        """
        tells = ~np.isnan(rows.telling_scores)
        return tells & (tells.sum() >= MIN_WINDOWS_FOR_DRIFT * self.size)

    def resting_on(self, rows: ScoredRows, *roles: str) -> RowJudge:
        """Return the judge whose thresholds rest on these rows, as :class:`Calibration` says.

        They rest on rows with data that may be alarms.
        """
        tells = ~np.isnan(rows.telling_scores)
        if not tells.any():
            judged = rows.pieces_with(have_scores(rows.own_scores, self.worst))
            raise ValueError(
                "the longest piece of X with data, between jumps in time or blackouts, has "
                f"{judged.lengths.max(initial=0)} row(s); expected at least {self.shortest}, and "
                "data in half of them, to calibrate on: pass more rows."
            )
        scores, singles = rows.telling_scores[tells], rows.singles[~np.isnan(rows.singles)]
        n = independent_windows(rows.pieces_with(tells), self.size)
        return replace(
            self,
            rows=self.rows.resting_on(scores, n, *roles),
            singles=self.singles.resting_on(singles, n, *roles),
            worst=min(self.worst, worst_score(singles)),
        )

    def knowing(
        self, series: Sequences, gaps: Gaps, windows: Sequences, scores: NDArray[np.float64]
    ) -> RowJudge:
        """Return the judge that knows training series, by the scores of windows as fresh ones.

        It knows those series all of whose windows are there, in the order of their rows.
        """
        known: dict[str, NDArray[np.float64]] = {}
        every = self._slide(series, gaps)
        for i, own in enumerate(_stretches(every, series)):
            starts = every.starts[own]
            if np.isin(starts, windows.starts).all():
                known[digest(series[i])] = scores[np.searchsorted(windows.starts, starts)]
        return replace(self, own_scores=known)

    def find_events(
        self,
        rows: ScoredRows,
        max_gap: int | str = "auto",
        min_length: int = 1,
        budget: float | None = None,
    ) -> FoundEvents:
        """Join the anomalous rows to events; those without data are events of their own."""
        pieces, scores = rows.pieces, rows.scores
        offsets = np.broadcast_to(self.offsets(rows), scores.shape)
        if max_gap == "auto":
            max_gap = 0 if self.rows.rate is None else self.size
        is_dark = scores == self.worst
        edges = np.append(np.cumsum(pieces.lengths), 1 + np.flatnonzero(np.diff(is_dark)))
        lengths = np.diff(np.append(0, np.unique(edges))).astype(np.intp)
        limit = None if budget is None else int(budget * (~is_dark).sum() + 1e-9)
        decisions = np.where(is_dark, np.inf, scores - offsets)
        alarms = find_intervals_within(decisions, lengths, int(max_gap), min_length, limit)
        alarms = go_on(alarms, scores, offsets, lengths, int(max_gap), limit)
        blackouts = find_intervals(is_dark, lengths, 0, min_length)
        intervals = np.concatenate([alarms, blackouts])
        intervals = intervals[np.argsort(intervals[:, 0])]
        return FoundEvents(scores, offsets, intervals, *self._blame(intervals, rows))

    def _blame(
        self, intervals: NDArray[np.intp], rows: ScoredRows
    ) -> tuple[NDArray[np.intp], NDArray[np.float64] | None]:
        """Return the peak of each interval and, if errors tell, the shares of the features."""
        series, own = rows.pieces, np.nan_to_num(rows.own_scores, nan=np.inf)
        peaks = np.array([lo + own[lo:hi].argmin() for lo, hi in intervals], dtype=np.intp)
        usual = self.windows.usual
        if usual is None:
            return peaks, None
        # Series stand side by side, though not from the first row on.
        offset = int(series.starts[0])
        windows, shares = rows.windows, np.zeros((len(intervals), series.n_features))
        ends = windows.starts + windows.lengths
        for i, lowest in enumerate(peaks + offset):
            there = np.arange(
                np.searchsorted(ends, lowest, side="right"),
                np.searchsorted(windows.starts, lowest, side="right"),
            )
            shares[i], peak = blame(
                intervals[i] + offset, lowest, windows.take(there), self.windows.errors, usual
            )
            peaks[i] = peak - offset
        return peaks, shares

    def cell_errors(self, series: Sequences, times: Sequence[Any]) -> NDArray[np.float64]:
        """Return the mean loss of each cell over the windows that cover it."""
        gaps = Gaps.of(series.values)
        pieces = self._cut(series, times, gaps)
        windows = self._slide(pieces, gaps)
        errors = np.concatenate([self.windows.errors(block) for block in blocks(windows)])
        return merge(errors, windows, pieces)

    def explained_variance(self, series: Sequences, times: Sequence[Any]) -> float:
        """Return the share of the variance of windows side by side that a network explains."""
        gaps = Gaps.of(series.values)
        windows = gaps.observed(slide(self._cut(series, times, gaps), self.size, self.size))
        if len(windows) == 0:
            raise ValueError("X has no observed value; expected some to explain the variance of.")
        return self.windows.explained_variance(windows)

    def _cut(self, series: Sequences, times: Sequence[Any], gaps: Gaps) -> Sequences:
        """Cut series where their times jump, and at both ends of blackouts."""
        pieces = cut_at_jumps(series, times, self.usual_step, self.max_steps)
        return gaps.cut_at_blackouts(pieces, rows_of_blackout(self.size))

    def _slide(self, series: Sequences, gaps: Gaps) -> Sequences:
        return gaps.slide_beside(series, self.size, self.stride)

    def _score_windows(
        self, series: Sequences, windows: Sequences, gaps: Gaps
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the scores of the windows of series, and which series are those of the fit.

        Those of windows more than half of which is empty are NaN, but for windows that are shorter
        than any of the fit: those raise no alarm, but blackouts do.
        """
        scores, n_empty = np.full(len(windows), np.nan), gaps.count(windows)
        is_short = windows.lengths < self.shortest
        is_new = gaps.have_data(windows) | is_short & (n_empty < windows.lengths)
        is_training = np.zeros(len(series), dtype=bool)
        for i, own, stretch in self._recognise(series, windows):
            scores[stretch], is_new[stretch], is_training[i] = own, False, True
        scores[is_new] = self.score_windows(windows.take(is_new), n_empty[is_new])
        return scores, is_training

    def _recognise(
        self, series: Sequences, windows: Sequences
    ) -> Iterator[tuple[int, NDArray[np.float64], slice]]:
        """Yield the number of each series of the fit, its scores, and where its windows stand."""
        lengths = {len(own) for own in self.own_scores.values()}
        for i, stretch in enumerate(_stretches(windows, series)):
            if stretch.stop - stretch.start in lengths:  # others may be larger than memory
                own = self.own_scores.get(digest(series[i]))
                if own is not None:
                    yield i, own, stretch


def _stretches(windows: Sequences, series: Sequences) -> list[slice]:
    """Return where the windows of each series stand among those of all, in the order of rows."""
    edges = np.append(np.searchsorted(windows.starts, series.starts), len(windows)).tolist()
    return [slice(*pair) for pair in pairwise(edges)]


def merge_scores(
    scores: NDArray[np.float64],
    windows: Sequences,
    series: Sequences,
    gaps: Gaps,
    aggregation: str,
    worst: float,
) -> NDArray[np.float64]:
    """Return the scores of rows by those of the windows that cover them, (total_timesteps,).

    Windows more than half of which is empty do not count beside others. Rows that only windows
    without a score cover, as those of a blackout, have the worst score, to the last bit. Other rows
    without data say nothing of themselves: theirs is NaN.
    """
    n_empty = np.where(gaps.have_data(windows), gaps.count(windows), windows.lengths)
    is_scored = ~np.isnan(scores)
    rows = merge(np.where(is_scored, scores, worst), windows, series, aggregation, n_empty)
    rows[gaps.are_empty(series)] = np.nan
    rows[~are_covered(windows, series, is_scored)] = worst
    return rows


def are_covered(
    windows: Sequences, series: Sequences, which: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which rows of series some of these windows cover, (total_timesteps,)."""
    if which.all():
        return np.ones(series.lengths.sum(), dtype=bool)
    return merge(which.astype(float), windows, series, "max") > 0


def follow(
    adaptive: AdaptiveOffset, scores: NDArray[np.float64], worst: float
) -> NDArray[np.float64]:
    """Return the offsets of the rows of a series, which learn nothing from rows without data.

    A warning says if alarms are taken for normal from now on.
    """
    offsets = np.full(len(scores), adaptive.fixed)
    has_data = have_scores(scores, worst)
    n_learned = adaptive.n_learned
    offsets[has_data] = adaptive.follow(scores[has_data])
    if adaptive.n_learned > n_learned:
        warn(
            "Alarms are so frequent that the threshold follows them as if they were normal, and "
            "later anomalies may pass. If they are faults, set threshold='fixed' and call "
            "recalibrate()."
        )
    return offsets


def relate(
    recent: RecentLevel, scores: NDArray[np.float64], lengths: NDArray[np.intp], worst: float
) -> NDArray[np.float64]:
    """Return the scores of rows relative to the recent ones of their series, (total_timesteps,).

    Parameters
    ----------
    recent : RecentLevel
    scores : ndarray of shape (total_timesteps,)
    lengths : ndarray of shape (n_series,)
        How many of the rows each series has.
    worst : float
        The score of rows without data, which have no part in this.
    """
    related = scores.copy()
    for part in np.split(related, np.cumsum(lengths)[:-1]):
        has_data = have_scores(part, worst)
        part[has_data] = recent.relative(part[has_data])
    return related


def independent_windows(series: Sequences, size: int) -> float:
    """Return how many windows fit side by side into series."""
    return float(np.maximum(series.lengths / size, 1).sum())


def worst_score(scores: NDArray[np.float64]) -> float:
    """Return a score that is far below all of these, for what holds no data at all."""
    lowest, spread = float(scores.min()), float(np.ptp(scores))
    return lowest - 10 * max(spread, abs(lowest), 1e-6)
