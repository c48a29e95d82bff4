"""Anomalies in long series: a detector of sequences slides over them and judges every row."""

from copy import copy
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    OutlierMixin,
    _fit_context,
    clone,
    is_classifier,
)
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._base import MIN_SEQUENCES, SequenceDetector, all_or_nothing
from skl_lstmae._callbacks import CallbackSupportMixin, FitCallbacks
from skl_lstmae._detector import LSTMAutoencoderDetector
from skl_lstmae._events import feature_shares, find_intervals, main_features, tabulate
from skl_lstmae._labels import warn_of_misread_labels
from skl_lstmae._parts import Parts, hold_out_ends, spread
from skl_lstmae._period import estimate_window_size
from skl_lstmae._sequences import Restore, Sequences, check_series, label_rows
from skl_lstmae._stream import Stream
from skl_lstmae._tables import TableDetector, score_method
from skl_lstmae._thresholds import ReferenceScores
from skl_lstmae._windows import AGGREGATIONS, cut, merge, observed, split

WINDOWS_PER_EPOCH = 1024
"""Windows that an epoch trains on, at most, unless the user says otherwise."""

LARGEST_SHARE = 6
"""An estimated window is at most this part of the longest series."""

MAX_LENDING_WINDOWS = 4096
"""Windows of the training rows, about, that are scored for thresholds."""

WINDOWS_PER_STRETCH = 8
"""Lengths of a window that rows come in to be scored: at the ends fewer windows cover them."""


def _explains_variance(detector: "SlidingWindowDetector") -> bool:
    return isinstance(detector._inner(), SequenceDetector)


class SlidingWindowDetector(CallbackSupportMixin, MetaEstimatorMixin, OutlierMixin, BaseEstimator):
    """Find the anomalous rows of long series by sliding a detector of sequences over them.

    A sample is a row, that is, a time step. Everywhere `X` may be

    - one series `(n_timesteps, n_features)`: an array, a memory map or a DataFrame, whose index may
      be times, and must increase if it is times or numbers;
    - several series of any lengths: a list of those or of 1-D ones, which have a single feature, or
      a DataFrame indexed by (series id, time). No window reaches from one series into another.

    Windows are slices of the series, which are never copied as a whole. With ``stride=1``, what is
    computed of a row depends on the rows within a window's length of it alone; with a larger one
    also on where the windows start, counted from the first row of the series. That holds to the
    last bit on a CPU, but up to rounding with the detectors of scikit-learn, some of which round by
    the size of a table.

    Parameters
    ----------
    detector : estimator, default=None
        Judges windows: :class:`~skl_lstmae.LSTMAutoencoderDetector` (None means one with its
        default parameters) or :class:`~skl_lstmae.LSTMForecastDetector`, itself rather than in a
        Pipeline; or an outlier detector of scikit-learn, or a Pipeline that ends with one, which
        has a method ``score_samples`` or ``decision_function`` for new data. The latter get windows
        as rows of a table, one column a time step and feature, and those of a short series repeat
        its first row. The ``contamination``, ``false_alarm_rate`` and ``validation_fraction`` of
        `detector` are ignored: those of this class count. Its ``warm_start`` has no effect, since a
        clone of it is fitted.

    window_size : int or "auto", default="auto"
        Rows of a window. "auto" is the whole number of periods of the training series nearest to
        100 rows; or 100 rows, if the period is longer than 133 or there is none; but no more than a
        sixth of the longest series. The period is the shortest lag, from 16 to 400 rows, at which
        the autocorrelation (mean over features and series, of what a linear trend leaves of each)
        has a peak at least 0.8 times as high as its highest.

    stride : int, default=1
        In scoring a window starts every `stride` rows, so that a larger stride takes less time, but
        a row is judged by fewer windows.

    training_stride : int or "auto", default="auto"
        Of every `training_stride` windows that follow one another, each epoch trains on one, drawn
        at random. "auto" chooses it so that an epoch has at most 1024 windows. A scikit-learn
        detector learns from the middle one of each.

    aggregation : {"mean_min", "mean", "min", "max"}, default="mean_min"
        How the scores of the windows that cover a row become its score. "mean_min" is halfway
        between "mean", which is lowest in the middle of what is long, and "min", which the many
        calm rows around what is brief do not weaken.

    validation_fraction : float, default=0.1
        Share of each series, its end and one window at least, that is kept from training if
        ``contamination="auto"``, to calibrate the threshold, or if `detector` has early stopping,
        to tell it when to stop. The same rows serve both, so that with early stopping the threshold
        is a little optimistic. Once it is set, a `detector` of this package takes these rows, too,
        for what is normal. A gap of one window keeps them apart from the training rows. Series
        of less than five windows are not cut; if all are so short, the last series are held out,
        and of a single one nothing is: the threshold is then that of training rows, which is
        optimistic.

    contamination : "auto" or float, default="auto"
        The rule behind ``offset_``. A float in (0, 0.5] is the share of anomalous rows in the
        training data; "auto" takes these for normal, and flags rows like them at
        `false_alarm_rate`.

    false_alarm_rate : float, default=0.01
        Share of normal rows to flag if ``contamination="auto"``, as estimated on the held-out rows;
        with less than ``1 / false_alarm_rate - 1`` windows of them side by side, a `detector` of
        this package also goes by the scores of training windows. Since rows depend on their
        neighbours, false alarms come in runs.

    random_state : int, RandomState instance or None, default=None
        Seeds the detector of windows, as far as it has random states, and overrides those set in
        it; None leaves it its own.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector of windows.

    window_size_ : int
        Rows of a window.

    training_stride_ : int
        Rows from one training window to the next, on average.

    offset_ : float
        `decision_function` is `score_samples` minus this.

    n_features_in_ : int
        Number of features of X.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was of DataFrames with string column names.

    See Also
    --------
    LSTMAutoencoderDetector, LSTMForecastDetector : Anomalies among sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
    >>> X = np.sin(np.arange(2000) / 5).reshape(-1, 1)
    >>> inner = LSTMAutoencoderDetector(hidden_size=16, latent_size=4, tol=0.01, random_state=0)
    >>> detector = SlidingWindowDetector(inner, training_stride=10).fit(X[:1500])
    >>> X_new = X[1500:].copy()
    >>> X_new[200:220] = 1.0
    >>> bool(200 <= detector.score_samples(X_new).argmin() < 220)
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "detector": [HasMethods(["fit"]), None],
        "window_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "training_stride": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "aggregation": [StrOptions(set(AGGREGATIONS))],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "false_alarm_rate": [Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        window_size: int | Literal["auto"] = "auto",
        stride: int = 1,
        training_stride: int | Literal["auto"] = "auto",
        aggregation: str = "mean_min",
        validation_fraction: float = 0.1,
        contamination: float | Literal["auto"] = "auto",
        false_alarm_rate: float = 0.01,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.detector = detector
        self.window_size = window_size
        self.stride = stride
        self.training_stride = training_stride
        self.aggregation = aggregation
        self.validation_fraction = validation_fraction
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what windows of normal series look like.

        Parameters
        ----------
        X : series
            In any of the forms above.

        y : array-like, default=None
            Not learned from; labels 0 and 1, or two of text, which scikit-learn's scorers may read
            the wrong way round, are met with a warning.

        Returns
        -------
        self : SlidingWindowDetector
            The fitted detector. A fit that fails leaves it as it was.
        """
        self._refuse_unsuited_detector()
        warn_of_misread_labels(y)
        callbacks = FitCallbacks(self, X, y, max_subtasks=1)
        with all_or_nothing(self):
            series, _ = check_series(self, X, reset=True)
            self._fit(series, callbacks)
            callbacks.end_fit()
        return self

    def recalibrate(
        self,
        X: Any = None,
        *,
        contamination: float | Literal["auto"] | None = None,
        false_alarm_rate: float | None = None,
    ) -> Self:
        """Change ``offset_``: the rule behind it, or the rows that it rests on.

        Parameters
        ----------
        X : series, default=None
            Rows like those to come, one window at least, by whose scores ``offset_`` is set from
            now on; they are not learned from. Where normal rows drift, recent ones keep false
            alarms nearer to their rate; fewer than make ``1 / false_alarm_rate - 1`` windows side
            by side are helped out by the scores of training windows. None leaves the offset to the
            rows of the fit, and does not run the detector of windows.

        contamination : "auto" or float, default=None
            The parameter's new value; None leaves it. If it was "auto" and no longer is, or the
            other way round, it needs X, since the rows of the fit were chosen by it.

        false_alarm_rate : float, default=None
            The parameter's new value; None leaves it.

        Returns
        -------
        self : estimator
            The detector with the new parameters and ``offset_``. Streams made before keep theirs.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.neighbors import LocalOutlierFactor
        >>> from skl_lstmae import SlidingWindowDetector
        >>> X = np.random.default_rng(0).normal(size=(4000, 1))
        >>> X[2000:] *= 2.0  # from here on, normal rows are noisier
        >>> inner = LocalOutlierFactor(novelty=True)
        >>> detector = SlidingWindowDetector(inner, window_size=20).fit(X[:2000])
        >>> flagged = (detector.predict(X[3000:]) == -1).mean()
        >>> detector.recalibrate(X[2000:3000])
        SlidingWindowDetector(detector=LocalOutlierFactor(novelty=True), window_size=20)
        >>> bool((detector.predict(X[3000:]) == -1).mean() < 0.2 < flagged)
        True
        """
        check_is_fitted(self)
        changed = {"contamination": contamination, "false_alarm_rate": false_alarm_rate}
        changed = {name: value for name, value in changed.items() if value is not None}
        with all_or_nothing(self):
            self.set_params(**changed)._validate_params()
            if X is not None:
                self._calibrate(self._read_a_window(X))
            elif self._refers_to_normal_rows != (self.contamination == "auto"):
                raise ValueError(
                    f"contamination={self.contamination!r} is a rule for other rows than those "
                    "that this SlidingWindowDetector was fitted with; pass rows to calibrate on "
                    "as X."
                )
            self._set_offsets()
        return self

    def score_samples(self, X: Any) -> Any:
        """Score rows by how normal the windows around them are.

        Parameters
        ----------
        X : series
            In any of the forms above. A series shorter than a window is one short window.

        Returns
        -------
        scores : ndarray of shape (n_timesteps,), float64, or list of them for a list of series
            Higher is more normal; every row has one.
        """
        series, restore = self._read(X)
        return restore(self._score_samples(series))

    def decision_function(self, X: Any) -> Any:
        """Score rows relative to ``offset_``.

        Parameters
        ----------
        X : series
            In any of the forms above.

        Returns
        -------
        decisions : ndarray of shape (n_timesteps,), float64, or list of them for a list of series
            ``score_samples(X) - offset_``: negative for anomalies.
        """
        series, restore = self._read(X)
        return restore(self._score_samples(series) - self.offset_)

    def predict(self, X: Any) -> Any:
        """Tell anomalous rows from normal ones.

        Parameters
        ----------
        X : series
            In any of the forms above.

        Returns
        -------
        labels : ndarray of shape (n_timesteps,), int64, or list of them for a list of series
            -1 for anomalies, +1 for normal rows.
        """
        series, restore = self._read(X)
        return restore(np.where(self._score_samples(series) < self.offset_, -1, 1))

    @available_if(_explains_variance)
    def score(self, X: Any, y: Any = None) -> float:
        """Return the explained variance of what the network makes of the windows.

        Parameters
        ----------
        X : series
            In any of the forms above.

        y : Ignored
            Present for API consistency by convention.

        Returns
        -------
        score : float
            As the method ``score`` of the detector of windows, over windows that do not overlap:
            1 is perfect, 0 as good as the mean.
        """
        series, _ = self._read(X)
        return self.detector_._explained_variance(
            split(series, self.window_size_, self.window_size_)
        )

    @validate_params(
        {
            "max_gap": [Interval(Integral, 0, None, closed="left")],
            "min_length": [Interval(Integral, 1, None, closed="left")],
        },
        prefer_skip_nested_validation=True,
    )
    def find_events(self, X: Any, *, max_gap: int = 0, min_length: int = 1) -> Any:
        """Find the intervals of anomalous rows.

        For ``features`` the network runs a second time, on the windows that reach into an event.

        Parameters
        ----------
        X : series
            In any of the forms above.

        max_gap : int, default=0
            The most normal rows between two anomalous ones that an event bridges.

        min_length : int, default=1
            The fewest rows of an event, bridged ones included.

        Returns
        -------
        events : DataFrame, or list of named tuples if pandas is not installed
            Series after series, in the order of time; the columns, or fields, are

            - ``series``: its id in a DataFrame indexed by (series id, time), else its number, 0 if
              it is a single one;
            - ``start``, ``end``: the first and the last row, timestamps if the index has them, as
              in ``X.loc[start:end]``, else numbers from 0 on, as in ``X[start:end + 1]``;
            - ``n_rows``: number of rows from the first to the last;
            - ``peak``, ``peak_score``: the row of the lowest score, and this score;
            - ``features``: a dict from feature to its share of the reconstruction error of these
              rows in all windows that cover them, scaled as in training: the three largest shares,
              the largest first. None for the detectors of scikit-learn, which have no such error.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.neighbors import LocalOutlierFactor
        >>> from skl_lstmae import SlidingWindowDetector
        >>> X = np.sin(np.arange(2000) / 5).reshape(-1, 1)
        >>> inner = LocalOutlierFactor(novelty=True)
        >>> detector = SlidingWindowDetector(inner, window_size=30).fit(X[:1500])
        >>> X_new = X[1500:].copy()
        >>> X_new[200:220] = 3.0
        >>> events = detector.find_events(X_new, max_gap=10)
        >>> len(events), bool(events.start[0] <= 200 <= 219 <= events.end[0])
        (1, True)
        """
        series, _ = self._read(X)
        scores, intervals, features = self._find_events(series, max_gap, min_length)
        return tabulate(intervals, scores, series, label_rows(X, series), features)

    def stream(self) -> Stream:
        """Return an object that scores the rows of a series as they come in.

        Returns
        -------
        stream : Stream
            Its method ``push`` scores rows by the window that ends with each, and ``offset_`` tells
            anomalous scores from normal ones.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.neighbors import LocalOutlierFactor
        >>> from skl_lstmae import SlidingWindowDetector
        >>> X = np.sin(np.arange(2000) / 5).reshape(-1, 1)
        >>> inner = LocalOutlierFactor(novelty=True)
        >>> detector = SlidingWindowDetector(inner, window_size=30).fit(X[:1500])
        >>> stream = detector.stream()
        >>> warm_up = stream.push(X[1500:1600])
        >>> stream.push(X[1600]) < stream.offset_
        array([False])
        >>> stream.push([3.0]) < stream.offset_
        array([ True])
        """
        check_is_fitted(self)
        return Stream(copy(self), self._stream_offset)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self._inner()).input_tags.allow_nan
        return tags

    def _inner(self) -> Any:
        return LSTMAutoencoderDetector() if self.detector is None else self.detector

    def _refuse_unsuited_detector(self) -> None:
        """Refuse, before any work, what cannot judge windows or would not take them for such."""
        detector = clone(self._inner())
        score_method(detector)
        if isinstance(detector, SequenceDetector):
            return
        name = type(detector).__name__
        if is_classifier(detector):
            raise ValueError(f"detector is a {name}, which needs labels; choose one that does not.")
        for part in [detector, *detector.get_params().values()]:
            if isinstance(part, SlidingWindowDetector):
                raise ValueError(
                    f"detector is or holds a {type(part).__name__}, which judges rows rather than "
                    "windows; choose the detector inside of it."
                )
            if isinstance(part, SequenceDetector):
                raise ValueError(
                    f"detector is a {name}, which gets windows as rows of a table; pass the "
                    f"{type(part).__name__} inside of it, which scales by its parameter scaler."
                )

    def _read(self, X: Any) -> tuple[Sequences, Restore]:
        check_is_fitted(self)
        self._refuse_uncovered_rows()  # the stride may be changed after the fit
        return check_series(self, X, reset=False)

    def _read_a_window(self, X: Any) -> Sequences:
        series, _ = self._read(X)
        longest = int(series.lengths.max())
        if longest < self.window_size_:
            raise ValueError(
                f"the longest series of X has {longest} row(s) to calibrate on, expected at least "
                f"one window of {self.window_size_}: pass more rows."
            )
        return series

    def _fit(self, series: Sequences, callbacks: FitCallbacks) -> None:
        self.window_size_ = self._choose_window_size(series)
        self._refuse_uncovered_rows()
        self.detector_ = self._make_detector()
        training, held_out = self._divide(series)
        self.training_stride_ = self._choose_training_stride(training)
        parts = self._make_parts(training, held_out)
        with callbacks.passed_on_to(self.detector_):
            self._judge()._fit_windows(parts)
        self._lend_scores(training)
        if self.contamination == "auto":
            self._calibrate(held_out if len(held_out) else training)
        # The threshold is known: from here on the held-out rows say too what is normal.
        self._judge()._learn_normal(split(series, self.window_size_))
        if self.contamination != "auto":
            self._calibrate(series)
        self._set_offsets()

    def _choose_window_size(self, series: Sequences) -> int:
        longest = int(series.lengths.max())
        if self.window_size == "auto":
            return estimate_window_size(series, max(1, longest // LARGEST_SHARE))
        if self.window_size > longest:
            raise ValueError(
                f"window_size={self.window_size} is longer than every training series, the longest "
                f"of which has n_samples={longest} rows; choose a shorter one."
            )
        return int(self.window_size)

    def _refuse_uncovered_rows(self) -> None:
        if self.stride > self.window_size_:
            raise ValueError(
                f"stride={self.stride} is larger than the window of {self.window_size_} rows and "
                "would leave rows uncovered; choose a smaller stride."
            )

    def _choose_training_stride(self, training: Sequences) -> int:
        n_windows = len(split(training, self.window_size_))
        if n_windows < MIN_SEQUENCES:
            raise ValueError(
                f"n_samples={training.lengths.sum()} rows to train on make {n_windows} window(s) "
                f"of {self.window_size_} rows, expected at least {MIN_SEQUENCES}: pass more rows, "
                "or choose a smaller window_size."
            )
        if self.training_stride == "auto":
            return -(-n_windows // WINDOWS_PER_EPOCH)
        n_per_epoch = -(-n_windows // self.training_stride)
        if n_per_epoch < MIN_SEQUENCES:
            raise ValueError(
                f"training_stride={self.training_stride} draws {n_per_epoch} of {n_windows} "
                f"training windows an epoch, expected at least {MIN_SEQUENCES}; choose a smaller "
                "one."
            )
        return int(self.training_stride)

    def _make_detector(self) -> Any:
        detector = clone(self._inner())
        if self.random_state is None:
            return detector
        random_state = check_random_state(self.random_state)
        seeds = {
            name: int(random_state.randint(2**31 - 1))
            for name in sorted(detector.get_params())
            if name.split("__")[-1] == "random_state"
        }
        return detector.set_params(**seeds)

    def _divide(self, series: Sequences) -> tuple[Sequences, Sequences]:
        """Return the rows to train on, and the ends of the series if anything is judged by them."""
        if self.contamination != "auto" and not getattr(self.detector_, "early_stopping", False):
            return series, series.take([])
        training, held_out = hold_out_ends(series, self.window_size_, self.validation_fraction)
        if len(held_out) and not len(observed(held_out)):
            raise ValueError(
                f"the last {held_out.lengths.max()} rows of X, which are held out of training, "
                "have no observed value; expected some: leave these rows out."
            )
        return training, held_out

    def _make_parts(self, training: Sequences, held_out: Sequences) -> Parts:
        """Return the windows of the rows to train on and, thinned out, those of the held-out rows.

        Held-out windows stand no further apart than training windows, nor than a window is long.
        """
        windows = split(training, self.window_size_)
        judging = split(held_out, self.window_size_)
        n_judging = -(-len(judging) // min(self.training_stride_, self.window_size_))
        return Parts(
            windows,
            spread(judging, min(n_judging, WINDOWS_PER_EPOCH)),
            n_per_epoch=-(-len(windows) // self.training_stride_),
        )

    def _lend_scores(self, training: Sequences) -> None:
        """Keep scores of windows that were learned from, and of their rows, for thresholds.

        Each has others that overlap with it among the references, which a fresh window has not:
        what they lend is the shape of their distribution, and not its level.
        """
        self._learned_window_scores = self._learned_row_scores = None
        if isinstance(self.detector_, SequenceDetector):
            stretches = self._some_stretches(training)
            self._learned_window_scores, self._learned_row_scores = self._reference(stretches)

    def _some_stretches(self, series: Sequences) -> Sequences:
        """Return the series or, if that would make many windows, parts of them."""
        n_rows = MAX_LENDING_WINDOWS * self.stride
        if series.lengths.sum() <= n_rows:
            return series
        size = WINDOWS_PER_STRETCH * self.window_size_
        stretches = cut(series, size)
        stretches = stretches.take(stretches.lengths >= self.window_size_)
        return spread(stretches, min(len(stretches), max(1, n_rows // size)))

    def _calibrate(self, series: Sequences) -> None:
        """Keep the scores that the thresholds rest on."""
        self._refers_to_normal_rows = self.contamination == "auto"
        self._window_scores, self._row_scores = self._reference(series)

    def _reference(self, series: Sequences) -> tuple[ReferenceScores, ReferenceScores]:
        """Return the scores of single windows, which streams compare with, and of rows."""
        windows = split(series, self.window_size_, self.stride)
        scores = self._score_windows(windows)
        rows = merge(scores, windows, series, self.aggregation)
        n_side_by_side = np.maximum(series.lengths / self.window_size_, 1).sum()
        return (
            ReferenceScores.of(scores, n_side_by_side),
            ReferenceScores.of(rows, n_side_by_side),
        )

    def _set_offsets(self) -> None:
        self._stream_offset = self._offset_of(self._window_scores, self._learned_window_scores)
        self.offset_ = self._offset_of(self._row_scores, self._learned_row_scores)

    def _offset_of(self, reference: ReferenceScores, learned: ReferenceScores | None) -> float:
        if self.contamination == "auto":
            return reference.false_alarm_offset(self.false_alarm_rate, learned)
        return reference.contamination_offset(self.contamination)

    def _score_samples(self, series: Sequences) -> NDArray[np.float64]:
        windows = split(series, self.window_size_, self.stride)
        return merge(self._score_windows(windows), windows, series, self.aggregation)

    def _score_windows(self, windows: Sequences) -> NDArray[np.float64]:
        return self._judge()._score_samples(windows)

    def _score_one_by_one(self, windows: Sequences) -> NDArray[np.float64]:
        """Score windows so that no bit of a score depends on the windows beside it."""
        return self._judge(one_by_one=True)._score_samples(windows)

    def _judge(self, *, one_by_one: bool = False) -> Any:
        """Return the detector of windows or, if it is one of tables, what makes it one."""
        if isinstance(self.detector_, SequenceDetector):
            return self.detector_
        return TableDetector(self.detector_, self.window_size_, one_by_one)

    def _find_events(
        self, series: Sequences, max_gap: int, min_length: int
    ) -> tuple[NDArray[np.float64], NDArray[np.intp], list[Any]]:
        """Return the rows' scores, the intervals of anomalous ones and whose error each is.

        That is the features with the largest shares, or None from a detector without errors.
        """
        scores = self._score_samples(series)
        intervals = find_intervals(scores < self.offset_, series.lengths, max_gap, min_length)
        judge = self._judge()
        if isinstance(judge, TableDetector):
            return scores, intervals, [None] * len(intervals)
        windows = split(series, self.window_size_, self.stride)
        names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_)).tolist()
        shares = feature_shares(intervals, windows, judge._errors)
        return scores, intervals, [main_features(of_interval, names) for of_interval in shares]
