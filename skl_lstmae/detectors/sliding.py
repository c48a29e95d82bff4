"""Anomalies in long series: a detector of sequences slides over them and judges every row."""

from copy import copy
from dataclasses import replace
from functools import update_wrapper
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any, Literal, NoReturn, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import (
    CallbackSupportMixin,
    FitCallbacks,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    validate_params,
)
from skl_lstmae._warn import warn
from skl_lstmae.data.checks import check_series
from skl_lstmae.data.forms import Form
from skl_lstmae.data.names import feature_names, known_names
from skl_lstmae.data.period import estimate_window_size
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split, join_sequences
from skl_lstmae.data.times import cut_at_jumps, usual_step
from skl_lstmae.data.weights import check_weights, leave_out
from skl_lstmae.data.windows import (
    AGGREGATIONS,
    are_blacked_out,
    count_empty,
    cut,
    have_data,
    hold_out_ends,
    in_order,
    merge,
    observed,
    slide,
    spread,
)
from skl_lstmae.detectors.autoencoder import LSTMAutoencoderDetector
from skl_lstmae.detectors.base import MAX_NAMED, MIN_SEQUENCES, SequenceDetector
from skl_lstmae.detectors.events import tabulate
from skl_lstmae.detectors.labels import warn_of_misread_labels, warn_of_nested_labels
from skl_lstmae.detectors.options import Aggregation
from skl_lstmae.detectors.resuming import delete_checkpoint
from skl_lstmae.detectors.row_judge import (
    RowJudge,
    Threshold,
    independent_windows,
    rows_of_blackout,
    worst_score,
)
from skl_lstmae.detectors.stream import Stream
from skl_lstmae.detectors.thresholded import Scored, ThresholdMixin, warn_of_drift
from skl_lstmae.detectors.window_judge import (
    ToldJudge,
    WindowJudge,
    fit_to_windows,
    score_method,
)
from skl_lstmae.scoring.scorer import MAX_REFERENCES
from skl_lstmae.training.distributed import joined

MIN_WINDOWS_FOR_DRIFT = 10
"""Windows side by side from which drift may be told."""

WINDOWS_PER_EPOCH = 1024
"""Windows that an epoch trains on, at most, unless the user says otherwise."""

LARGEST_SHARE = 6
"""An estimated window is at most this part of the longest series."""

MAX_LENDING_WINDOWS = 4096
"""Windows of the training rows, about, that are scored for thresholds."""

WINDOWS_PER_STRETCH = 8
"""Lengths of a window that rows come in to be scored: at the ends fewer windows cover them."""


EVENT_CONSTRAINTS: dict[str, list[Any]] = {
    "max_gap": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    "min_length": [Interval(Integral, 1, None, closed="left")],
    "budget": [Interval(Real, 0, 1, closed="right"), None],
}


def _explains_variance(detector: "SlidingWindowDetector") -> bool:
    return isinstance(detector._inner(), SequenceDetector)


class SlidingWindowDetector(
    CallbackSupportMixin, MetaEstimatorMixin, ThresholdMixin, BaseEstimator
):
    """Find the anomalous rows of long series with a detector of sequences that slides over them.

    A sample is a row, that is, a time step. In all methods `X` may be

    - one series `(n_timesteps, n_features)`: an array, a memory map or a DataFrame. An index of
      times or numbers must increase;
    - several series of any length: a list of such series, or of 1-D ones, which have a single
      feature; or a DataFrame indexed by (series id, time). No window reaches from one series into
      another.

    Windows are slices of the series, which is never copied as a whole. With ``stride=1``, the score
    of a row depends only on the rows within one window's length of it. With a larger stride it also
    depends on where the windows start, counted from the first row of the series. This holds to the
    last bit on a CPU, and up to rounding with detectors of scikit-learn, some of which round
    differently for tables of different sizes. The training series are an exception: they are
    recognised, and judged as if they were fresh.

    Parameters
    ----------
    detector : estimator, default=None
        What judges the windows: a detector of sequences, or an outlier detector of scikit-learn, or
        a Pipeline that ends with one, that can score new data. The latter get each window as a row
        of a table. None is an :class:`~skl_lstmae.LSTMAutoencoderDetector` with its defaults. The
        fitted clone, ``detector_``, has no threshold of its own.

    window_size : int or "auto", default="auto"
        Number of rows of a window. "auto" takes as many whole periods of the training series as
        come nearest to 100 rows, or 100 rows if there is no period or one of more than 133 rows; at
        most a sixth of the longest series. :doc:`/long_series` tells how the period is found.

    stride : int, default=1
        Rows from the start of one window to the next, when scoring. A larger stride takes less
        time, but fewer windows judge each row.

    training_stride : int or "auto", default="auto"
        Each epoch draws one of every `training_stride` consecutive windows at random. "auto" makes
        an epoch of at most 1024 windows. A scikit-learn detector learns from the middle one of
        each.

    aggregation : {"mean_min", "mean", "min", "max"}, default="mean_min"
        How the scores of the windows that cover a row become the score of the row. "mean_min" is
        halfway between "mean", which is lowest in the middle of a long anomaly, and "min", which
        also shows a brief anomaly among many normal rows.

    validation_fraction : float, default=0.1
        Share of each series, at its end and at least one window, that is held out of training, if
        `contamination="auto"` or `detector` has `early_stopping`. It shows how much better rows
        score that were learned from. One window before it is left out, too. Series shorter than
        five windows are not cut; if all are, whole ones are held out.

    contamination : "auto" or float, default="auto"
        How the threshold ``offset_`` is set. "auto" assumes that the training rows are normal, and
        aims at `false_alarm_rate` on rows like them. A float in (0, 0.5] is the share of anomalous
        rows in the training data.

    false_alarm_rate : float, default=0.01
        Share of normal rows to flag, if `contamination="auto"`. The threshold rests on the scores
        of all training rows, each judged by windows that do not overlap its own. False alarms come
        in runs, since neighbouring rows share windows.

    threshold : {"adaptive", "fixed"}, default="adaptive"
        Whether the threshold of a row follows the scores of the rows before it. Without drift it is
        ``offset_``. With drift it falls, never above ``offset_``: alarms stay about as rare as
        asked for, and mark where something new begins. "fixed" always uses ``offset_``, and so does
        a `contamination` that is a number.

    max_time_steps : float, default=5
        Longest step in time within a series, as a multiple of the usual step, if the index of X
        holds times. A longer one cuts the series: no window and no event reaches across.

    random_state : int, RandomState instance or None, default=None
        Seeds the detector of windows in place of its own `random_state`. None keeps its own.

    verbose : int, default=0
        Whether to print the losses of each epoch, if `detector` is one of this package, and how
        many windows are scored.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector of windows.

    window_size_ : int
        Rows of a window.

    training_stride_ : int
        Rows from one training window to the next, on average.

    offset_ : float
        Rows with lower scores are anomalous, as long as scores do not drift.

    n_features_in_ : int
        Number of features of X.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X came in DataFrames with string column names.

    See Also
    --------
    LSTMAutoencoderDetector, LSTMForecastDetector : Anomalies among sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
    >>> X = np.sin(np.arange(2000) / 5).reshape(-1, 1)
    >>> inner = LSTMAutoencoderDetector(hidden_size=16, latent_size=4, random_state=0)
    >>> detector = SlidingWindowDetector(inner, training_stride=10).fit(X[:1500])
    >>> X_new = X[1500:].copy()
    >>> X_new[200:220] = 1.0
    >>> bool(200 <= detector.score_samples(X_new).argmin() < 220)
    True
    """

    detector_: Any
    training_stride_: int
    _judge: RowJudge

    _parameter_constraints: dict[str, list[Any]] = {
        "detector": [HasMethods(["fit"]), None],
        "window_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "training_stride": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "aggregation": [StrOptions(set(AGGREGATIONS))],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        **ThresholdMixin._threshold_constraints,
        "threshold": [StrOptions({"adaptive", "fixed"})],
        "max_time_steps": [Interval(Real, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        window_size: int | Literal["auto"] = "auto",
        stride: int = 1,
        training_stride: int | Literal["auto"] = "auto",
        aggregation: Aggregation = "mean_min",
        validation_fraction: float = 0.1,
        contamination: float | Literal["auto"] = "auto",
        false_alarm_rate: float = 0.01,
        threshold: Literal["adaptive", "fixed"] = "adaptive",
        max_time_steps: float = 5.0,
        random_state: int | RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.detector = detector
        self.window_size = window_size
        self.stride = stride
        self.training_stride = training_stride
        self.aggregation = aggregation
        self.validation_fraction = validation_fraction
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.threshold = threshold
        self.max_time_steps = max_time_steps
        self.random_state = random_state
        self.verbose = verbose

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Say where a parameter goes that only the detector inside has."""
        inner = kwargs.get("detector", args[0] if args else None)
        if not isinstance(inner, BaseEstimator):
            inner = LSTMAutoencoderDetector()
        own = signature(cls).parameters.values()
        takes_any = any(parameter.kind == Parameter.VAR_KEYWORD for parameter in own)
        others = kwargs.keys() - {parameter.name for parameter in own}
        inner_names = inner.get_params(deep=False)
        names = [name for name in kwargs if name in others and name in inner_names]
        if names and not takes_any:
            inside = ", ".join(f"{name}={kwargs[name]!r}" for name in names)
            raise TypeError(
                f"{cls.__name__} has no parameter {names[0]}, but the detector inside has; pass "
                f"detector={type(inner).__name__}({inside}), or call "
                f"set_params(detector__{names[0]}={kwargs[names[0]]!r})."
            )
        return super().__new__(cls)

    update_wrapper(__new__, __init__, assigned=(), updated=())  # the signature is that of __init__

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn what windows of normal series look like.

        If some stretches, at most a tenth of the rows, are unlike all others, a warning names them,
        and neither the references nor the threshold rest on them.

        Parameters
        ----------
        X : series
            In any of the forms above.

        y : array-like, default=None
            Not learned from. `fit` warns of labels 0 and 1, and of two labels of text, which
            scikit-learn's scorers may read the wrong way round; and of lists of labels, which they
            cannot read.

        sample_weight : array-like of shape (n_timesteps,), or list of such, default=None
            Give known faults 0: series are cut there, so that no window holds such a row. All other
            rows count alike.

        Returns
        -------
        self : SlidingWindowDetector
            The fitted detector. A fit that fails leaves it as it was.

        Raises
        ------
        KeyboardInterrupt
            If the training of a network is interrupted from the keyboard; so a search ends, too.
            After the first epoch the detector is fitted all the same, with the weights of the last
            complete epoch or, with early stopping, of the best one. A second interrupt leaves it as
            it was.
        """
        detector, inner = copy(self), self._inner()
        with joined(getattr(inner, "distributed", False), getattr(inner, "device", "cpu")):
            detector._fit(X, y, sample_weight)
            self.__dict__ = detector.__dict__
            if isinstance(self.detector_, SequenceDetector):
                delete_checkpoint(self.detector_)
        if isinstance(self.detector_, SequenceDetector):
            self.detector_.history_.raise_interrupt()
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit in place; callbacks see this very object from their setup to their teardown."""
        self._refuse_unsuited_detector()
        warn_of_nested_labels(y)
        warn_of_misread_labels(y)
        callbacks = FitCallbacks(self, X, y)
        callbacks.begin_fit(max_subtasks=1)
        whole, form = check_series(self, X, reset=True)
        _, times = form.row_labels()
        step = usual_step(times)
        series = cut_at_jumps(whole, times, step, self.max_time_steps)
        if sample_weight is not None:
            weights = check_weights(sample_weight, int(series.lengths.sum()), "row")
            series = leave_out(series, weights)
        size = self._choose_window_size(series)
        if len(series) > len(whole):
            series = series.take(series.lengths >= size)  # cutting leaves bits
        odd_rows = self._learn(series, size, callbacks)
        self._judge = replace(self._judge, usual_step=step, max_steps=self.max_time_steps)
        self._set_threshold()
        if self.contamination == "auto":  # else odd ones are expected
            warn_of_odd_rows(odd_rows, whole, form)
        callbacks.end_fit()

    def _learn(self, series: Sequences, size: int, callbacks: FitCallbacks) -> NDArray[np.intp]:
        """Divide the rows, learn from their windows, and score them; return the odd ones."""
        self.detector_ = self._make_detector()
        training, held_out = self._divide(series, size)
        self.training_stride_ = self._choose_training_stride(training, size)
        split = self._split(training, held_out, size)
        calibrating, windows = self._to_judge(series, training, held_out, size)
        is_judged = have_data(windows)
        references = slide(series, size)
        references = references.take(have_data(references))
        references = spread(references, min(len(references), MAX_REFERENCES))
        was_held_out = np.isin(windows.starts, slide(held_out, size).starts)[is_judged]
        with callbacks.passed_on_to(self.detector_):
            judge, scores, is_odd = fit_to_windows(
                self.detector_,
                split,
                references,
                windows.take(is_judged),
                was_held_out,
                size,
            )
        window_scores = np.full(len(windows), worst_score(scores))
        window_scores[is_judged] = scores
        if self.verbose:
            print(f"Scored {len(scores)} windows to calibrate the threshold")
        odd_rows = np.unique(references.take(is_odd).rows())
        row_judge = self._make_judge(judge, window_scores, windows, calibrating, odd_rows)
        self._judge = row_judge.knowing(series, windows, window_scores)
        if self.contamination != "auto":
            self._judge = self._judge.resting_on(series, "population")
        return odd_rows

    def _to_judge(
        self, series: Sequences, training: Sequences, held_out: Sequences, size: int
    ) -> tuple[Sequences, Sequences]:
        """Return the rows to calibrate on, and windows to judge: theirs, or those of all rows."""
        stride = int(self.stride)
        stretches = self._some_stretches(training, size)
        calibrating = join_sequences(stretches, held_out)
        calibrating = calibrating.take(np.argsort(calibrating.starts))
        windows = slide(calibrating, size, stride)
        if stretches.lengths.sum() == training.lengths.sum():
            windows = join_sequences(windows, slide(series, size, stride))
        return calibrating, in_order(windows)

    def _make_judge(
        self,
        judge: WindowJudge,
        scores: NDArray[np.float64],
        windows: Sequences,
        calibrating: Sequences,
        odd_rows: NDArray[np.intp],
    ) -> RowJudge:
        """Return the judge whose thresholds rest on the rows that are not odd."""
        size = int(windows.lengths.max())
        own = slide(calibrating, size, int(self.stride))
        windows, scores = own, scores[np.searchsorted(windows.starts, own.starts)]
        n_empty = count_empty(windows)
        rows = merge(scores, windows, calibrating, self.aggregation, n_empty)
        is_odd = np.zeros(len(calibrating.values), dtype=bool)
        is_odd[odd_rows] = True
        is_missing = are_blacked_out(calibrating, rows_of_blackout(size))
        n_odd_before = np.concatenate([[0], np.cumsum(is_odd)])
        n_odd = n_odd_before[windows.starts + windows.lengths] - n_odd_before[windows.starts]
        normal_rows = rows[~is_odd[calibrating.rows()] & ~is_missing]
        normal = scores[(n_odd < windows.lengths) & have_data(windows)]
        n = independent_windows(calibrating, size)
        return RowJudge(
            judge,
            size,
            int(self.stride),
            self.aggregation,
            rows=Threshold.by(normal_rows, n),
            singles=Threshold.by(normal, n),
            worst=worst_score(normal),
        )

    def set_params(self, **params: Any) -> Self:
        """Set parameters; those of ``detector``, such as ``detector__hidden_size``, too.

        Parameters
        ----------
        **params : dict
            Names and values. If ``detector`` is None, it becomes the one that it stands for.

        Returns
        -------
        self : SlidingWindowDetector
            The detector itself.

        Examples
        --------
        >>> from skl_lstmae import SlidingWindowDetector
        >>> detector = SlidingWindowDetector().set_params(detector__hidden_size=32)
        >>> detector.detector
        LSTMAutoencoderDetector(hidden_size=32)
        """
        if self.detector is None and any(name.startswith("detector__") for name in params):
            params = {"detector": self._inner(), **params}
        return super().set_params(**params)

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
            1 is perfect, 0 no better than the mean.
        """
        judge, series, _ = self._read(X)
        return judge.windows.explained_variance(slide(series, judge.size, judge.size))

    @available_if(_explains_variance)
    def cell_errors(self, X: Any) -> Any:
        """Return how badly each value is reconstructed or predicted: its loss.

        Parameters
        ----------
        X : series
            In any of the forms above.

        Returns
        -------
        errors : ndarray of shape (n_timesteps, n_features), float64, or list of them
            The loss of each value, in scaled units, as a mean over the windows that cover its row.
            Never negative; NaN where X is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> X = np.sin(np.arange(1000) / 5).reshape(-1, 1)
        >>> inner = LSTMAutoencoderDetector(hidden_size=8, max_epochs=5, random_state=0)
        >>> detector = SlidingWindowDetector(inner, window_size=30).fit(X)
        >>> X[700] = 9.0
        >>> int(detector.cell_errors(X).argmax())
        700
        """
        judge, series, form = self._read(X)
        return form.per_row(judge.cell_errors(judge.cut(series, form.row_labels()[1])))

    @validate_params(EVENT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def find_events(
        self,
        X: Any,
        *,
        max_gap: int | Literal["auto"] = "auto",
        min_length: int = 1,
        budget: float | None = None,
    ) -> Any:
        """Find the intervals of anomalous rows.

        An event begins with an alarm, a row that `predict` labels as anomalous. It ends with the
        last alarm before more than `max_gap` normal rows, or before a jump in time. For ``peak``
        and ``features`` the network runs a second time, on the windows that reach into an event.

        Parameters
        ----------
        X : series
            In any of the forms above.

        max_gap : int or "auto", default="auto"
            The longest run of normal rows that an event bridges. "auto" is the length of a window
            with ``threshold="adaptive"``, where alarms pause within a long anomaly; else 0.

        min_length : int, default=1
            The fewest rows of an event, bridged ones included.

        budget : float, default=None
            The largest share of the rows of X that events may hold. If there are more, the least
            anomalous rows are left out.

        Returns
        -------
        events : DataFrame, or list of named tuples if pandas is not installed
            Series by series, in the order of time. The columns, or fields, are

            - ``series``: the id of the series in a DataFrame indexed by (series id, time), else its
              number, which is 0 for a single series;
            - ``start``, ``end``: the first and the last row, timestamps if the index has them, as
              in ``X.loc[start:end]``, else numbers from 0 on, as in ``X[start:end + 1]``;
            - ``n_rows``: number of rows from the first to the last;
            - ``peak``: the row with the largest error or, if there are no errors, the lowest score;
            - ``peak_score``: the lowest score of its rows, which need not be that of ``peak``;
            - ``rank``: 1 for the event that lies furthest below its threshold;
            - ``observed``: share of its values that are not missing; 0 for a blackout;
            - ``features``: a dict from feature to its share of the scaled reconstruction error of
              these rows, in all windows that cover them. It holds the three largest shares, largest
              first; None for detectors of scikit-learn, which have no such error.

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
        >>> events = detector.find_events(X_new, budget=0.1)
        >>> len(events), bool(abs(events.peak[0] - 210) < 30)
        (1, True)
        """
        judge, series, form = self._read(X)
        ids, times = form.row_labels()
        told = replace(judge, windows=self._told(judge.windows, "of X"))
        found = told.find_events(series, times, max_gap, min_length, budget)
        if independent_windows(series, judge.size) >= MIN_WINDOWS_FOR_DRIFT:
            warn_of_drift(found.scores, judge.rows.calibration)
        names = known_names(self) or range(self.n_features_in_)
        return tabulate(found, series, (ids, times), list(names))

    def stream(self) -> Stream:
        """Return an object that judges the rows of a series as they come in.

        Returns
        -------
        stream : Stream
            Its methods ``push`` and ``predict`` score or label each row by the window that ends
            with it.

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
        >>> stream.predict(X[1600]), stream.predict([3.0])
        (array([1]), array([-1]))
        """
        check_is_fitted(self)
        return Stream(copy(self), self._judge)

    @property
    def export_onnx(self) -> NoReturn:
        """Missing: ``detector_.export_onnx(path)`` writes the detector of windows.

        Its score of the last `window_size_` rows is that of a stream.
        """
        raise AttributeError(
            f"{type(self).__name__} has no export_onnx, as a file has no threshold that follows; "
            "call detector_.export_onnx(path) to write the detector of windows."
        )

    @property
    def window_size_(self) -> int:
        """Rows of a window."""
        check_is_fitted(self)
        return self._judge.size

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_judge")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self._inner()).input_tags.allow_nan
        return tags

    def _read(self, X: Any) -> tuple[RowJudge, Sequences, Form]:
        """Read X, and return the judge of this moment with it."""
        check_is_fitted(self)
        judge = self._judge
        return judge, *check_series(self, X, reset=False)

    def _score(self, X: Any) -> Scored:
        judge, series, form = self._read(X)
        told = replace(judge, windows=self._told(judge.windows, "of X"))
        scores = told.score(judge.cut(series, form.row_labels()[1]))
        return Scored(
            scores,
            judge.offsets(scores, series.lengths),
            judge.rows.calibration,
            independent_windows(series, judge.size) >= MIN_WINDOWS_FOR_DRIFT,
            form.per_row,
        )

    def _calibrate_on(self, X: Any) -> None:
        judge, series, form = self._read(X)
        longest = int(series.lengths.max())
        if longest < judge.size:
            raise ValueError(
                f"the longest series of X has {longest} row(s) to calibrate on, expected at least "
                f"one window of {judge.size}: pass more rows."
            )
        told = replace(judge, windows=self._told(judge.windows, "to calibrate the threshold"))
        rested = told.resting_on(judge.cut(series, form.row_labels()[1]))
        self._judge = replace(rested, windows=judge.windows)

    def _set_threshold(self) -> None:
        judge = self._judge
        rows, singles = (
            replace(threshold, offset=self._offset_of(threshold.calibration))
            for threshold in (judge.rows, judge.singles)
        )
        adapts = self.threshold == "adaptive" and self.contamination == "auto"
        rate = self.false_alarm_rate if adapts else None
        self._judge = replace(judge, rows=rows, singles=singles, rate=rate)

    def _place_offset(self, offset: float) -> None:
        judge = self._judge
        self._judge = replace(judge, rows=replace(judge.rows, offset=offset))

    def _fixed_offset(self) -> float:
        return self._judge.rows.offset

    def _told(self, windows: WindowJudge, purpose: str) -> WindowJudge:
        return ToldJudge(windows, purpose) if self.verbose else windows

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

    def _choose_window_size(self, series: Sequences) -> int:
        longest = int(series.lengths.max())
        size = self.window_size
        if size == "auto":
            size = estimate_window_size(series, max(1, longest // LARGEST_SHARE))
        if size > longest:
            raise ValueError(
                f"window_size={size} is longer than every training series, the longest of which "
                f"has n_samples={longest} rows; choose a shorter one."
            )
        if self.stride > size:
            raise ValueError(
                f"stride={self.stride} is larger than the window of {size} rows and would leave "
                "rows uncovered; choose a smaller stride."
            )
        return int(size)

    def _choose_training_stride(self, training: Sequences, size: int) -> int:
        n_windows = len(slide(training, size))
        if n_windows < MIN_SEQUENCES:
            raise ValueError(
                f"n_samples={training.lengths.sum()} rows to train on make {n_windows} window(s) "
                f"of {size} rows, expected at least {MIN_SEQUENCES}: pass more rows, "
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
        if self.verbose and isinstance(detector, SequenceDetector):
            detector.set_params(verbose=self.verbose)
        if self.random_state is None:
            return detector
        random_state = check_random_state(self.random_state)
        seeds = {
            name: int(random_state.randint(2**31 - 1))
            for name in sorted(detector.get_params())
            if name.split("__")[-1] == "random_state"
        }
        return detector.set_params(**seeds)

    def _divide(self, series: Sequences, size: int) -> tuple[Sequences, Sequences]:
        """Return the rows to train on, and the ends of the series if anything is judged by them."""
        if self.contamination != "auto" and not getattr(self.detector_, "early_stopping", False):
            return series, series.take([])
        training, held_out = hold_out_ends(series, size, self.validation_fraction)
        if len(held_out) and not len(observed(held_out)):
            raise ValueError(
                f"the last {held_out.lengths.max()} rows of X, which are held out of training, "
                "have no observed value; expected some: leave these rows out."
            )
        return training, held_out

    def _split(self, training: Sequences, held_out: Sequences, size: int) -> Split:
        """Return the windows of the rows to train on and, thinned out, those of the held-out rows.

        Held-out windows stand no further apart than training windows, nor than a window is long.
        """
        windows = slide(training, size)
        judging = slide(held_out, size)
        n_judging = -(-len(judging) // min(self.training_stride_, size))
        return Split(
            windows,
            spread(judging, min(n_judging, WINDOWS_PER_EPOCH)),
            n_per_epoch=-(-len(windows) // self.training_stride_),
            names=feature_names(self, windows.n_features),
        )

    def _some_stretches(self, series: Sequences, size: int) -> Sequences:
        """Return the series or, if that would make many windows, parts of them."""
        n_rows = MAX_LENDING_WINDOWS * self.stride
        if series.lengths.sum() <= n_rows:
            return series
        length = WINDOWS_PER_STRETCH * size
        stretches = cut(series, length)
        stretches = stretches.take(stretches.lengths >= size)
        return spread(stretches, min(len(stretches), max(1, n_rows // length)))


def read_rows(detector: SlidingWindowDetector, X: Any) -> tuple[RowJudge, Sequences, Form]:
    """Read series for a picture, and return what judges their rows with them."""
    return detector._read(X)


def warn_of_odd_rows(odd_rows: NDArray[np.intp], series: Sequences, form: Form) -> None:
    """Name the stretches of the training rows that a threshold does not rest on."""
    if len(odd_rows) == 0:
        return
    ids, labels = form.row_labels()
    edges = 1 + np.flatnonzero(np.diff(odd_rows) > 1)
    stretches = []
    for stretch in np.split(odd_rows, edges):
        i = int(np.searchsorted(series.starts, stretch[0], side="right")) - 1
        first, last = (labels[i][row - series.starts[i]] for row in stretch[[0, -1]])
        where = "" if len(ids) == 1 else f" of series {ids[i]}"
        stretches.append(f"{first} to {last}{where}")
    more = f", and {len(stretches) - MAX_NAMED} more" if len(stretches) > MAX_NAMED else ""
    warn(
        f"Set aside as unlike the others: rows {', '.join(stretches[:MAX_NAMED])}{more}; neither "
        "the threshold nor what is normal rests on them. If they are faults, leave them out by "
        "sample_weight=0; if they are normal, pass more rows like them."
    )
