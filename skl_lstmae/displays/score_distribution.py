"""How the scores of reference and new samples lie around the threshold."""

from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstmae.displays.drawing import (
    BLACK,
    SKY_BLUE,
    VERMILLION,
    check_can,
    import_pyplot,
    legend_in_headroom,
    make_ax,
)

NAME = "ScoreDistributionDisplay"
TAILS, REACH = (0.05, 0.95), 1.0
"""Scores further beyond these quantiles than so many times their distance are far from the bulk."""


class ScoreDistributionDisplay:
    """Distributions of the scores of reference and new samples, with the threshold.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    reference_scores : ndarray of shape (n_reference_samples,)
        Scores of samples that are known to be normal; higher is more normal.

    new_scores : ndarray of shape (n_new_samples,) or None
        Scores of the samples to judge.

    offset : float
        The threshold: samples with lower scores are anomalous.

    Attributes
    ----------
    false_alarm_rate : float
        Share of the reference scores that are lower than `offset`.

    alarm_rate : float or None
        Share of the new scores that are lower than `offset`.

    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure.

    reference_bars_, new_bars_ : StepPatch or None
        The share of samples in each bin. Both use the same bins, and the threshold is an edge of
        one.

    end_labels_ : list of Text
        How far the scores in the first or last bin reach. These bins collect scores so far out that
        they would squeeze all others.

    threshold_line_ : Line2D
        The threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skl_lstmae import ScoreDistributionDisplay
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> forest = IsolationForest(contamination=0.05, random_state=0).fit(X[:200])
    >>> display = ScoreDistributionDisplay.from_estimator(forest, X[:200], X[200:] + 3)
    >>> display.false_alarm_rate, display.alarm_rate > 0.9
    (0.05, True)
    """

    def __init__(
        self,
        *,
        reference_scores: NDArray[np.float64],
        new_scores: NDArray[np.float64] | None,
        offset: float,
    ) -> None:
        self.reference_scores = reference_scores
        self.new_scores = new_scores
        self.offset = offset

    @property
    def false_alarm_rate(self) -> float:
        """Share of the reference scores that are lower than the threshold."""
        return float(np.mean(self.reference_scores < self.offset))

    @property
    def alarm_rate(self) -> float | None:
        """Share of the new scores that are lower than the threshold."""
        return None if self.new_scores is None else float(np.mean(self.new_scores < self.offset))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_reference: Any,
        X_new: Any = None,
        *,
        bins: int | str = 30,
        ax: Any = None,
    ) -> Self:
        """Draw how a fitted detector scores reference and new samples.

        Parameters
        ----------
        estimator : outlier detector
            Any fitted detector with ``score_samples`` and ``offset_``, of this package or of
            scikit-learn.

        X_reference : samples
            Normal samples. The false-alarm rate only holds for other samples if the detector was
            not trained on these.

        X_new : samples, default=None
            Samples to judge.

        bins : int or str, default=30
            As in :func:`numpy.histogram_bin_edges`, of the scores in the bulk; the bins are then
            shifted so that the threshold is the edge of one.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ScoreDistributionDisplay
            The picture and what it shows. In series, each row is a sample.

        Examples
        --------
        >>> from itertools import compress
        >>> from skl_lstmae import LSTMAutoencoderDetector, ScoreDistributionDisplay
        >>> from skl_lstmae.datasets import load_japanese_vowels
        >>> vowels = load_japanese_vowels(anomalous_speaker=1)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0)
        >>> detector.fit(vowels.X_train)
        LSTMAutoencoderDetector(...)
        >>> known = list(compress(vowels.X_test, vowels.y_test == 1))
        >>> stranger = list(compress(vowels.X_test, vowels.y_test == -1))
        >>> display = ScoreDistributionDisplay.from_estimator(detector, known, stranger)
        >>> display.false_alarm_rate < display.alarm_rate
        True
        """
        caller = f"{NAME}.from_estimator"
        import_pyplot(caller)
        for method in ("score_samples", "offset_"):
            check_can(estimator, [method], caller, "LSTMAutoencoderDetector")
        estimator = copy(estimator)  # one state, although another thread may fit meanwhile
        return cls.from_predictions(
            _join(estimator.score_samples(X_reference)),
            None if X_new is None else _join(estimator.score_samples(X_new)),
            offset=float(estimator.offset_),
            bins=bins,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        reference_scores: ArrayLike,
        new_scores: ArrayLike | None = None,
        *,
        offset: float,
        bins: int | str = 30,
        ax: Any = None,
    ) -> Self:
        """Draw scores, whatever computed them.

        Parameters
        ----------
        reference_scores : array-like of shape (n_reference_samples,)
            Scores of samples that are known to be normal; higher is more normal.

        new_scores : array-like of shape (n_new_samples,), default=None
            Scores of the samples to judge.

        offset : float
            The threshold: samples with lower scores are anomalous.

        bins : int or str, default=30
            As in :func:`numpy.histogram_bin_edges`, of the scores in the bulk; the bins are then
            shifted so that the threshold is the edge of one.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ScoreDistributionDisplay
            The picture and what it shows.

        Examples
        --------
        >>> from skl_lstmae import ScoreDistributionDisplay
        >>> display = ScoreDistributionDisplay.from_predictions(
        ...     [-1.0, -1.2, -1.1, -1.9], [-3.0, -1.0], offset=-1.5
        ... )
        >>> display.false_alarm_rate, display.alarm_rate
        (0.25, 0.5)
        """
        import_pyplot(f"{NAME}.from_predictions")
        display = cls(
            reference_scores=_check_scores(reference_scores, "reference_scores"),
            new_scores=None if new_scores is None else _check_scores(new_scores, "new_scores"),
            offset=offset,
        )
        return display.plot(ax, bins=bins)

    def plot(self, ax: Any = None, *, bins: int | str = 30) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        bins : int or str, default=30
            As in :func:`numpy.histogram_bin_edges`, of the scores in the bulk; the bins are then
            shifted so that the threshold is the edge of one.

        Returns
        -------
        display : ScoreDistributionDisplay
            Itself, with the attributes that end in an underscore. They hold what was drawn, to be
            styled: ``display.new_bars_.set(hatch="...")``.
        """
        self.ax_ = ax = make_ax(ax, f"{NAME}.plot")
        self.figure_ = ax.figure
        groups = [self.reference_scores] + ([] if self.new_scores is None else [self.new_scores])
        low, high = _bulk(groups, self.offset)
        scores = np.concatenate(groups)
        edges = _edges(scores[(scores >= low) & (scores <= high)], self.offset, bins)
        width = edges[1] - edges[0]
        # Less a millionth of a bin, as edges are rounded.
        lower = scores[scores < edges[0] - 1e-6 * width]
        higher = scores[scores > edges[-1] + 1e-6 * width]
        if len(lower):
            edges = np.r_[edges[0] - width, edges]
        if len(higher):
            edges = np.r_[edges, edges[-1] + width]
        self.reference_bars_ = ax.stairs(
            _shares(self.reference_scores, edges),
            edges,
            fill=True,
            color=SKY_BLUE,
            label=f"{len(self.reference_scores)} normal: {self.false_alarm_rate:.1%} false alarms",
        )
        self.new_bars_ = None
        if self.new_scores is not None:
            self.new_bars_ = ax.stairs(
                _shares(self.new_scores, edges),
                edges,
                facecolor="none",
                edgecolor=VERMILLION,
                linewidth=1.4,
                hatch="////",
                label=f"{len(self.new_scores)} new: {self.alarm_rate:.1%} below the threshold",
            )
        self.threshold_line_ = ax.axvline(
            self.offset, color=BLACK, linestyle="--", label=f"threshold, {self.offset:.4g}"
        )
        ax.set(xlabel="Score, higher is more normal", ylabel="Share of samples", ylim=(0, None))
        share = legend_in_headroom(ax)
        self.threshold_line_.set_ydata([0, 1 - share])
        self._label_ends(edges, lower, higher, 1 - share)
        return self

    def _label_ends(
        self, edges: NDArray[np.float64], lower: NDArray[Any], higher: NDArray[Any], top: float
    ) -> None:
        ends = [
            (lower, edges[:2], "{} lower, down to {:.4g}", np.min),
            (higher, edges[-2:], "{} higher, up to {:.4g}", np.max),
        ]
        self.end_labels_ = []
        for scores, (left, right), text, extreme in ends:
            if len(scores):
                self.ax_.axvspan(left, right, ymax=top, color="0.9", zorder=0)
                label = self.ax_.text(
                    (left + right) / 2,
                    0.5,
                    text.format(len(scores), extreme(scores)),
                    transform=self.ax_.get_xaxis_transform(),
                    rotation=90,
                    ha="center",
                    va="center",
                    fontsize="small",
                )
                self.end_labels_.append(label)


def _join(scores: Any) -> NDArray[np.float64]:
    """Join the scores of rows of several series."""
    return np.concatenate(scores) if isinstance(scores, list) else scores


def _check_scores(scores: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(
            f"{name} has shape {array.shape} and {np.sum(~np.isfinite(array))} values that are not "
            "finite; expected (n_samples,) finite scores, one at least."
        )
    return array


def _bulk(groups: list[NDArray[np.float64]], offset: float) -> tuple[float, float]:
    """Return the range of all scores but those that are far from most of their group."""
    lows, highs = [offset], [offset]
    for scores in groups:
        low, high = np.quantile(scores, TAILS)
        reach = REACH * (high - low)
        is_near = (scores >= low - reach) & (scores <= high + reach)
        lows.append(scores[is_near].min())
        highs.append(scores[is_near].max())
    return min(lows), max(highs)


def _edges(scores: NDArray[np.float64], offset: float, bins: int | str) -> NDArray[np.float64]:
    """Return the edges of bins of one width that hold all scores; the offset is one of them."""
    edges = np.histogram_bin_edges(np.r_[scores, offset], bins)
    width = edges[1] - edges[0]
    # Less a billionth of a bin, as an edge that is one of the scores needs no further bin.
    first = np.floor((edges[0] - offset) / width + 1e-9)
    last = np.ceil((edges[-1] - offset) / width - 1e-9)
    return offset + width * np.arange(first, last + 1)


def _shares(scores: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0] / len(scores)
