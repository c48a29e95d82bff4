"""From scores to decisions: what all detectors have in common, whatever their samples are."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import Interval, StrOptions, check_parameters
from skl_lstmae._warn import warn
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.detectors.trained import FrozenState, all_or_nothing
from skl_lstmae.scoring.calibration import Calibration

DRIFT_P_VALUE = 0.05

FAR_BELOW = 5.0
"""Times the threshold of the fit, beyond which one from other samples is a warning: scores are
distances from what was learned."""


def check_offset(offset: Any) -> float:
    """Refuse a threshold that is no finite number."""
    if not isinstance(offset, Real) or not isfinite(offset):
        raise ValueError(
            f"offset_ must be a finite number, below which scores are anomalous; got {offset!r}."
        )
    return float(offset)


class ThresholdJudge(Protocol):
    """Scores samples, and tells by a threshold which are anomalous; is never changed."""

    @property
    def offset(self) -> float | None:
        """The threshold of samples that do not drift, if there is one."""
        ...

    @property
    def calibration(self) -> Calibration | None:
        """The scores that it rests on."""
        ...

    def may_tell_drift(self, sequences: Sequences) -> bool:
        """Return whether these are so many that most are hardly anomalies."""
        ...

    def with_offset(self, offset: float) -> Self:
        """Return the judge with another threshold."""
        ...


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of samples, all by one state of a detector, whatever other threads do meanwhile.

    Parameters
    ----------
    judge : ThresholdJudge
        That state.
    sequences : Sequences
        Which are the samples, or whose rows are.
    scores : ndarray of shape (n_samples,)
    put_back : callable
        Takes an array of shape (n_samples,) back into the form of `X`.
    offsets : callable
        Returns the threshold of each sample, or that of all, if there is one.
    telling : ndarray of shape (n_samples,), dtype bool, default=None
        From which samples drift may be told; None means all.
    remedy : str, default=""
        What to do if most samples are anomalies.
    is_silent : ndarray of shape (n_samples,), dtype bool, default=None
        Which samples cannot be judged, so that they count as normal; None means none.
    warn_of_silent : callable
        Warns of those; by default of none.
    """

    judge: ThresholdJudge
    sequences: Sequences
    scores: NDArray[np.float64]
    put_back: Callable[[NDArray[Any]], Any]
    offsets: Callable[[], float | NDArray[np.float64] | None]
    telling: NDArray[np.bool_] | None = None
    remedy: str = ""
    is_silent: NDArray[np.bool_] | None = None
    warn_of_silent: Callable[[], None] = lambda: None

    def warn_user(self) -> None:
        """Warn of samples that cannot be judged, and if all are unlike those of the threshold."""
        self.warn_of_silent()
        calibration = self.judge.calibration
        may_tell = self.judge.may_tell_drift(self.sequences)
        if calibration is None or calibration.fresh is None or not may_tell:
            return
        scores = self.scores if self.telling is None else self.scores[self.telling]
        is_low = calibration.p_values(scores) < DRIFT_P_VALUE
        if 2 * is_low.sum() > len(is_low):
            share = is_low.mean()
            warn(
                f"{share:.0%} of the samples of X score lower than all but {DRIFT_P_VALUE:.0%} of "
                "those that the threshold rests on: what is normal has drifted, or X holds mostly "
                "anomalies. If they are normal, call recalibrate with recent normal samples, or "
                f"fit again.{self.remedy}"
            )


class ThresholdMixin(FrozenState, OutlierMixin):
    """Decides by scores and a threshold, ``offset_``.

    A sample is a sequence or, for a :class:`SlidingWindowDetector`, a row of a series.
    """

    contamination: float | Literal["auto"]
    false_alarm_rate: float

    _threshold_constraints: dict[str, list[Any]] = {
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "false_alarm_rate": [Interval(Real, 0, 0.5, closed="right")],
    }

    _judge: ThresholdJudge

    @property
    def offset_(self) -> float:
        """The threshold: samples with lower scores are anomalous. May be set."""
        check_is_fitted(self)
        return self._known(self._judge.offset)

    @offset_.setter
    def offset_(self, offset: float) -> None:
        check_is_fitted(self)
        self._judge = self._judge.with_offset(check_offset(offset))

    @abstractmethod
    def _score(self, X: Any) -> Scored:
        """Read and score samples, all by one state of the detector."""

    @abstractmethod
    def _calibrate_on(self, X: Any) -> None:
        """Let thresholds rest on the scores of these samples."""

    @abstractmethod
    def _set_threshold(self) -> None:
        """Set the threshold by the parameters, on the scores that it rests on."""

    def score_samples(self, X: Any) -> Any:
        """Return how normal each sample is.

        Parameters
        ----------
        X : sequences or series
            In any of the forms that `fit` takes.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64, or list of them for a list of series
            Higher is more normal. On a CPU a sequence gets the same score, bit for bit, whatever
            sequences it comes with and however they are padded.
        """
        scored = self._score(X)
        return scored.put_back(scored.scores)

    def decision_function(self, X: Any) -> Any:
        """Return how far each sample scores above the threshold.

        Parameters
        ----------
        X : sequences or series
            In any of the forms that `fit` takes.

        Returns
        -------
        decisions : ndarray of shape (n_samples,), float64, or list of them for a list of series
            ``score_samples(X) - offset_``: negative for anomalies. With ``threshold="adaptive"`` in
            a :class:`SlidingWindowDetector`, each row has an offset of its own, which follows the
            scores before it.
        """
        scored = self._score(X)
        scored.warn_user()
        return scored.put_back(scored.scores - self._known(scored.offsets()))

    def predict(self, X: Any) -> Any:
        """Label samples as normal or anomalous.

        Parameters
        ----------
        X : sequences or series
            In any of the forms that `fit` takes.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int64, or list of them for a list of series
            -1 for anomalies, +1 for normal samples. scikit-learn's precision, recall and F1 score
            are those of the label 1 by default. For those of the anomalies pass ``pos_label=-1``,
            as in ``make_scorer(f1_score, pos_label=-1)``.
        """
        scored = self._score(X)
        scored.warn_user()
        return scored.put_back(np.where(scored.scores < self._known(scored.offsets()), -1, 1))

    def p_values(self, X: Any) -> Any:
        """Return the share of normal samples that score as low as each sample.

        These are conformal p-values [1]_. They are conservative: less than a share p of fresh
        normal samples have a p-value of at most p, since the scores that they are compared with are
        lowered by a margin. So they can control the false discovery rate
        (:func:`scipy.stats.false_discovery_control`), and be combined
        (:func:`scipy.stats.combine_pvalues`). Below ``1 / (n + 1)``, with n training samples, they
        are extrapolated: by a Pareto tail or, after ``recalibrate(X)``, by the scores of the fit.
        The guarantee of conformal prediction does not cover this. Rows of a series that are too few
        to be judged have the p-value 1.

        Parameters
        ----------
        X : sequences or series
            In any of the forms that `fit` takes.

        Returns
        -------
        p_values : ndarray of shape (n_samples,), float64, or list of them for a list of series
            Small for anomalies. With ``contamination="auto"``, a score is below ``offset_`` if and
            only if its p-value is at most `false_alarm_rate`. The p-values of neighbouring rows
            depend on each other.

        References
        ----------
        .. [1] S. Bates, E. Candes, L. Lei, Y. Romano, M. Sesia, "Testing for outliers with
           conformal p-values", Annals of Statistics 51, 2023, :doi:`10.1214/22-AOS2244`.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(120, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0).fit(X)
        >>> odd = X[:3] + [[0.0], [2.0], [5.0]]
        >>> bool((detector.p_values(odd).round(2)[1:] <= 0.01).all())
        True
        """
        check_is_fitted(self)
        scored = self._score(X)
        p_values = self._known(scored.judge.calibration).p_values(scored.scores)
        if scored.is_silent is not None:
            p_values = np.where(scored.is_silent, 1.0, p_values)
        scored.warn_user()
        return scored.put_back(p_values)

    def recalibrate(
        self,
        X: Any = None,
        *,
        contamination: float | Literal["auto"] | None = None,
        false_alarm_rate: float | None = None,
    ) -> Self:
        """Change the threshold: its rule, or the samples that it rests on.

        Parameters
        ----------
        X : sequences or series, default=None
            Recent normal samples: at least three sequences, or a series of at least one window.
            Their scores set ``offset_`` from now on; the network does not learn from them. With
            fewer than ``1 / false_alarm_rate - 1`` sequences, or windows side by side, the shape of
            the distribution is taken from the scores of the fit. None keeps the samples of the fit.

        contamination : "auto" or float, default=None
            New value of the parameter; None keeps the old one. If the fit kept no scores for the
            new rule, X is needed.

        false_alarm_rate : float, default=None
            New value of the parameter; None keeps the old one.

        Returns
        -------
        self : estimator
            The detector with the new parameters and ``offset_``. A call that fails leaves it as it
            was. Streams made before keep their threshold: make new ones, and push the recent rows.

        Warns
        -----
        UserWarning
            If ``offset_`` is more than five times as far below 0 as that of the fit. This tells
            much of scores that are minus a distance, as those by name are.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(120, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0).fit(X)
        >>> offset = detector.offset_
        >>> bool(detector.recalibrate(false_alarm_rate=0.2).offset_ > offset)
        True
        >>> noisy = X + np.random.default_rng(1).normal(0, 0.05, X.shape)
        >>> flagged = (detector.predict(noisy[60:]) == -1).mean()
        >>> detector = detector.recalibrate(noisy[:60])  # normal sequences are noisier now
        >>> bool((detector.predict(noisy[60:]) == -1).mean() < flagged)
        True
        """
        check_is_fitted(self)
        if isinstance(X, Real):
            raise TypeError(
                f"X is a number, {X}; expected samples for the threshold to rest on: to change the "
                "rate, pass it as false_alarm_rate."
            )
        changed = {"contamination": contamination, "false_alarm_rate": false_alarm_rate}
        changed = {name: value for name, value in changed.items() if value is not None}
        with all_or_nothing(self) as detector:
            check_parameters(detector.set_params(**changed))
            if X is not None:
                detector._calibrate_on(X)
            detector._set_threshold()
            if X is not None and detector.contamination == "auto":
                calibration = detector._judge.calibration
                if calibration is not None and calibration.learned is not None:
                    by_fit = calibration.learned.false_alarm_offset(detector.false_alarm_rate)
                    detector._warn_of_fall(by_fit, "the samples of the fit gave")
        return self

    def _warn_of_fall(self, before: float, source: str) -> None:
        """Warn if the threshold lies so far below another that many anomalies may pass."""
        if self.offset_ < FAR_BELOW * before < 0:
            warn(
                f"offset_ falls to {self.offset_:.3g}, where {source} {before:.3g}: "
                "anomalies that score between the two pass from now on. If what is normal has "
                "changed for good, fit again with samples from after the change as well."
            )

    def _known(self, offset: Any) -> Any:
        if offset is None:
            raise AttributeError(
                f"This {type(self).__name__} judges windows for another detector, which holds the "
                "threshold; call that one, or fit this one by itself."
            )
        return offset

    def _offset_of(self, calibration: Calibration) -> float:
        try:
            return calibration.offset(self.contamination, self.false_alarm_rate)
        except LookupError:
            raise ValueError(
                f"contamination={self.contamination!r} is a rule for other samples than those "
                f"whose scores this {type(self).__name__} has; pass samples to calibrate on as X "
                "of recalibrate, or fit it again."
            ) from None
