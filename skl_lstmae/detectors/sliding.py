"""Anomalies in long series: a detector of sequences slides over them and judges every row."""

from copy import copy
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Literal, NoReturn, Self

from numpy.random import RandomState
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    validate_params,
)
from skl_lstmae.data.checks import check_series
from skl_lstmae.data.forms import Form
from skl_lstmae.data.gaps import Gaps, rows_of_blackout
from skl_lstmae.data.names import feature_names, known_names
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.targets import refuse_another_order
from skl_lstmae.data.times import cut_at_jumps, usual_step, warn_of_another_step
from skl_lstmae.data.weights import are_new, check_weights, leave_out
from skl_lstmae.data.windows import AGGREGATIONS
from skl_lstmae.detectors.autoencoder import LSTMAutoencoderDetector
from skl_lstmae.detectors.base import SequenceDetector, fit_to_windows
from skl_lstmae.detectors.callbacks import FitCallbacks
from skl_lstmae.detectors.events import tabulate
from skl_lstmae.detectors.inner import prepare, refuse_unsuited, says_where_inner_parameters_go
from skl_lstmae.detectors.labels import (
    warn_of_labels_of_series,
    warn_of_misread_labels,
    warn_of_nested_labels,
)
from skl_lstmae.detectors.options import Aggregation
from skl_lstmae.detectors.resuming import delete_checkpoint
from skl_lstmae.detectors.row_calibration import judge_rows, odd_rows
from skl_lstmae.detectors.row_judge import RowJudge
from skl_lstmae.detectors.scored_rows import ScoredRows
from skl_lstmae.detectors.set_aside import (
    refuse_empty,
    warn_of_rows,
    warn_of_scattered,
    warn_of_short,
    warn_of_shorter_windows,
)
from skl_lstmae.detectors.stream import Stream
from skl_lstmae.detectors.table_judge import fit_to_tables
from skl_lstmae.detectors.thresholded import Scored, ThresholdMixin
from skl_lstmae.detectors.trained import all_or_nothing
from skl_lstmae.detectors.window_judge import LearnedWindows, ReportingJudge
from skl_lstmae.detectors.window_plan import (
    WindowPlan,
    are_whole,
    choose_stride,
    choose_window_size,
    cut_to_data,
    describe_window_size,
    plan_windows,
)
from skl_lstmae.training.distributed import joined

EVENT_CONSTRAINTS: dict[str, list[Any]] = {
    "max_gap": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    "min_length": [Interval(Integral, 1, None, closed="left")],
    "budget": [Interval(Real, 0, 1, closed="right"), None],
}

OF_FREQUENT_FAULTS = " If they are anomalies, set threshold='fixed', as \"adaptive\" follows them."


def _default_detector() -> LSTMAutoencoderDetector:
    """Return what None stands for as the detector of windows."""
    return LSTMAutoencoderDetector()


def _explains_variance(detector: "SlidingWindowDetector") -> bool:
    """Whether the detector of windows that was fitted, or is to be, has a network."""
    return isinstance(getattr(detector, "detector_", detector._inner()), SequenceDetector)


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

    Windows are slices of the series, which is never copied as a whole. With ``stride=1`` and
    ``relative_to_recent=0``, the score of a row depends only on the rows within one window's length
    of it; a row in a short gap has that of a row beside the gap. With a larger stride it also
    depends on where the windows start, counted from the first row of the series; and relative to
    recent scores, on the rows before it. This holds to the last bit on a CPU, and up to rounding
    with detectors of scikit-learn, some of which round differently for tables of different sizes.
    The training series are an exception: they are recognised, and judged as if they were fresh.

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
        most a sixth of the longest series, or piece of one between jumps in time, blackouts or rows
        of weight 0.
        :doc:`/long_series` tells how the period is found.

    stride : int or "auto", default="auto"
        Rows from the start of one window to the next, when scoring. A larger stride takes less
        time, but fewer windows judge each row. With "auto" about 25 do; for windows of 100 rows the
        stride is then 4.

    training_stride : int or "auto", default="auto"
        Each epoch draws one of every `training_stride` consecutive windows at random. "auto" makes
        an epoch of at most 1024 windows. A scikit-learn detector learns from the middle one of
        each.

    aggregation : {"mean_min", "mean", "min", "max"}, default="mean_min"
        How the scores of the windows that cover a row become the score of the row. "mean_min" is
        halfway between "mean", which is lowest in the middle of a long anomaly, and "min", which
        also shows a brief anomaly among many normal rows.

    relative_to_recent : float, default=0.5
        How much the score of a row is raised if the scores before it were low, from 0 to 1. Their
        average forgets within about five windows. After a shift of level, another low score tells
        little. 0 compares only with the training rows.

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
        Whether the threshold of a row follows the scores of the rows before it. It begins at
        ``offset_``. Wherever scores drift to, alarms stay about as rare as asked for, and mark
        where something new begins. "fixed" always uses ``offset_``, and so does a `contamination`
        that is a number, or an ``offset_`` that is set by hand.

    max_time_steps : float, default=5
        Longest step in time within a series, as a multiple of the usual step, if the index of X
        holds times. A longer one cuts the series: no window and no event reaches across. With
        ``numpy.inf`` nothing is cut.

    random_state : int, RandomState instance or None, default=None
        Seeds the detector of windows in place of its own `random_state`. None keeps its own.

    verbose : int, default=0
        Whether to print how long windows are and why, how far apart they begin, the losses of each
        epoch, if `detector` is one of this package, and how many windows are scored.

    Attributes
    ----------
    detector_ : estimator
        The fitted detector of windows.

    window_size_ : int
        Rows of a window.

    stride_ : int
        Rows from the start of one window to the next, when scoring.

    training_stride_ : int
        Rows from one training window to the next, on average.

    offset_ : float
        Rows with lower scores are anomalous. An adaptive `threshold` begins there.

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
    >>> from skl_lstmae import SlidingWindowDetector
    >>> X = np.sin(np.arange(2000) / 5).reshape(-1, 1)
    >>> detector = SlidingWindowDetector(random_state=0).fit(X[:1500])
    >>> X_new = X[1500:].copy()
    >>> X_new[200:220] = 1.0
    >>> is_anomalous = detector.predict(X_new) == -1
    >>> bool(is_anomalous[200:220].all()), bool(is_anomalous[:100].any())
    (True, False)
    """

    detector_: Any
    stride_: int
    training_stride_: int
    _judge: RowJudge

    _parameter_constraints: dict[str, list[Any]] = {
        "detector": [HasMethods(["fit"]), None],
        "window_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "stride": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "training_stride": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "aggregation": [StrOptions(set(AGGREGATIONS))],
        "relative_to_recent": [Interval(Real, 0, 1, closed="both")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        **ThresholdMixin._threshold_constraints,
        "threshold": [StrOptions({"adaptive", "fixed"})],
        "max_time_steps": [Interval(Real, 1, None, closed="both")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @says_where_inner_parameters_go(LSTMAutoencoderDetector)
    def __init__(
        self,
        detector: Any = None,
        *,
        window_size: int | Literal["auto"] = "auto",
        stride: int | Literal["auto"] = "auto",
        training_stride: int | Literal["auto"] = "auto",
        aggregation: Aggregation = "mean_min",
        relative_to_recent: float = 0.5,
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
        self.relative_to_recent = relative_to_recent
        self.validation_fraction = validation_fraction
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.threshold = threshold
        self.max_time_steps = max_time_steps
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn what windows of normal series look like.

        If some stretches are unlike all others, a warning names them, and the threshold does not
        rest on them.

        Parameters
        ----------
        X : series
            In any of the forms above.

        y : array-like, default=None
            Not learned from. `fit` warns of labels 0 and 1, and of two labels of text, which
            scikit-learn's scorers may read the wrong way round; of lists of labels, which they
            cannot read; and of one label for each series, as a sample is a row.

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
        inner = self._inner()
        with joined(getattr(inner, "distributed", False), getattr(inner, "device", "cpu")):
            with all_or_nothing(self) as detector:
                detector._fit(X, y, sample_weight)
            if isinstance(self.detector_, SequenceDetector):
                delete_checkpoint(self.detector_)
        if isinstance(self.detector_, SequenceDetector):
            self.detector_.history_.raise_interrupt()
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit in place; callbacks see this very object from their setup to their teardown."""
        refuse_unsuited(self._inner())
        warn_of_nested_labels(y)
        warn_of_misread_labels(y)
        callbacks = FitCallbacks(self, X, y)
        callbacks.begin_fit(max_subtasks=1)
        whole, form = check_series(self, X, reset=True)
        warn_of_labels_of_series(y, len(whole), int(whole.lengths.sum()))
        refuse_another_order(sample_weight, form, "sample_weight", are_of_rows=True)
        ids, times = form.row_labels()
        self.detector_ = prepare(self._inner(), self.random_state, self.verbose)
        plan = self._divide(whole, (ids, times), sample_weight)
        self.stride_ = plan.stride
        self.training_stride_ = plan.training_stride
        with callbacks.passed_on_to(self.detector_):
            learned = self._learn(plan)
        odd = odd_rows(plan, learned)
        judge = judge_rows(plan, learned, odd, self.aggregation, self.relative_to_recent)
        judge = replace(judge, usual_step=usual_step(times), max_steps=self.max_time_steps)
        if self.contamination == "auto":
            warn_of_rows(odd, whole, form)
        else:  # which has odd rows expected, among those that `fit_predict` judges
            told = (whole, times) if sample_weight is None else (plan.series, ())
            judge = judge.resting_on(judge.score(*told), "population")
        self._judge = judge
        self._set_threshold()
        callbacks.end_fit()

    def _divide(
        self, whole: Sequences, row_labels: tuple[list[Any], list[Any]], sample_weight: Any
    ) -> WindowPlan:
        """Return which rows are learned from and judged, in windows of which size."""
        ids, times = row_labels
        gaps = Gaps.of(whole.values)
        refuse_empty(gaps.count(whole) == whole.lengths, ids)
        series = pieces = cut_at_jumps(whole, times, None, self.max_time_steps)
        if sample_weight is not None:
            weights = check_weights(sample_weight, int(series.lengths.sum()), "row", whole.lengths)
            series = leave_out(series, weights)
        with_data, size = cut_to_data(series, gaps, self.window_size)
        stride = choose_stride(self.stride, size)
        if self.verbose:
            print(describe_window_size(with_data, size, self.window_size))
            print(f"In scoring, a window begins every {stride} row(s)")
        pieces = gaps.observed(gaps.cut_at_blackouts(pieces, rows_of_blackout(size)))
        warn_of_scattered(pieces, whole, ids, size)
        if self.window_size == "auto" and not are_whole(with_data, whole).all():
            warn_of_shorter_windows(with_data, size, choose_window_size(whole, "auto"))
        series = with_data.take((with_data.lengths >= size) | are_whole(with_data, whole))
        series = series.take(are_new(series))  # a copy, as a reference, would make the other normal
        stops_early = getattr(self.detector_, "early_stopping", False)
        holds_out = stops_early or self.contamination == "auto"
        return plan_windows(
            series,
            gaps,
            size=size,
            stride=stride,
            training_stride=self.training_stride,
            held_out_share=self.validation_fraction if holds_out else 0.0,
            names=feature_names(self, series.n_features),
        )

    def _learn(self, plan: WindowPlan) -> LearnedWindows:
        """Fit the detector of windows, and score windows to set thresholds by."""
        is_ours = isinstance(self.detector_, SequenceDetector)
        learned = (fit_to_windows if is_ours else fit_to_tables)(self.detector_, plan)
        if self.verbose:
            print(f"Scored {len(learned.scores)} windows to calibrate the threshold")
        return learned

    def set_params(self, **params: Any) -> Self:
        """Set parameters; those of ``detector``, such as ``detector__hidden_size``, too.

        Parameters
        ----------
        **params : dict
            Names and values. If ``detector`` is None, and parameters of it are set, it becomes the
            one that None stands for.

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
        inner = params.get("detector", self.detector)
        if inner is None and any(name.startswith("detector__") for name in params):
            params = {**params, "detector": _default_detector()}
        return super().set_params(**params)

    @available_if(_explains_variance)
    def score(self, X: Any, y: Any = None) -> float:
        """Return the share of the variance of the windows that the network explains.

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
        judge, series, form = self._read(X)
        return judge.explained_variance(series, form.row_labels()[1])

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
        return form.per_row(judge.cell_errors(series, form.row_labels()[1]))

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

        An event begins with an alarm, a row that `predict` labels as anomalous. It ends before more
        than `max_gap` rows without an alarm, before a jump in time, or before a blackout, which is
        an event of its own. A threshold that follows scores follows a long anomaly, too, so that
        alarms pause. After the last one an event goes on while scores are below the threshold that
        its first alarm broke, for `max_gap` rows at most, and no more than it has till then; but at
        least to the lowest of these scores, if it is the lowest of the event. For ``peak`` and
        ``features`` the network runs a second time, on the windows that reach into an event.

        Parameters
        ----------
        X : series
            In any of the forms above.

        max_gap : int or "auto", default="auto"
            The longest run of rows without an alarm that an event bridges, or ends with. "auto" is
            the length of a window with ``threshold="adaptive"``, and else 0.

        min_length : int, default=1
            The fewest rows of an event from its first alarm to its last.

        budget : float, default=None
            The largest share of the rows with data that events may hold. If there are more, the
            least anomalous rows are left out. Blackouts do not count, and are always events.

        Returns
        -------
        events : DataFrame, or list of named tuples if pandas is not installed
            Series by series, in the order of time. The columns, or fields, are

            - ``series``: the id of the series in a DataFrame indexed by (series id, time), else its
              number, which is 0 for a single series;
            - ``start``, ``end``: the first and the last row, both included: labels of the index of
              a DataFrame if it has times, or numbers that increase, as in ``X.loc[start:end]``;
              else numbers from 0 on, as in ``X[start:end + 1]``;
            - ``n_rows``: number of rows from the first to the last;
            - ``peak``: the row with the largest errors, in units of their usual size, near that of
              the lowest score; the latter if there are no errors;
            - ``peak_score``: the lowest score of its rows, which need not be that of ``peak``;
            - ``rank``: 1 for the event that lies furthest below its threshold;
            - ``observed``: share of its values that are not missing; 0 for a blackout;
            - ``features``: a dict of up to three features, the one most to blame first. In each
              window that covers the row of the lowest score, the logarithm of a feature's error is
              compared with that in training windows, in standard deviations. The values are shares
              of the mean squares of these. Empty without data; None for detectors of scikit-learn,
              which have no errors. :meth:`Stream.explain` splits the latest error itself.

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
        fitted = copy(self)
        judge, series, form = fitted._read(X)
        ids, times = form.row_labels()
        rows = self._told(judge, "of X").score(series, times)
        warn_of_another_step((ids, times), judge.usual_step)
        found = judge.find_events(rows, max_gap, min_length, budget)
        self._scored(judge, rows, form).warn_user()
        names = known_names(fitted) or range(series.n_features)
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
        fitted = copy(self)
        check_is_fitted(fitted)
        return Stream(fitted, fitted._judge)

    @property
    def export_onnx(self) -> NoReturn:
        """Missing: ``detector_.export_onnx(path)`` writes the detector of windows.

        Its score of the last `window_size_` rows is that of a stream, if each of them has data.
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
        fitted = copy(self)  # one state, although another thread may fit meanwhile
        check_is_fitted(fitted)
        return fitted._judge, *check_series(fitted, X, reset=False)

    def _score(self, X: Any) -> Scored:
        judge, series, form = self._read(X)
        times = form.row_labels()[1]
        rows = self._told(judge, "of X").score(series, times)
        warn_of_another_step(form.row_labels(), judge.usual_step)
        return self._scored(judge, rows, form)

    def _scored(self, judge: RowJudge, rows: ScoredRows, form: Form) -> Scored:
        return Scored(
            judge,
            rows.series,
            rows.scores,
            form.per_row,
            offsets=lambda: judge.offsets(rows),
            telling=judge.tell_drift(rows),
            remedy="" if judge.rows.rate is None else OF_FREQUENT_FAULTS,
            is_silent=rows.are_silent(judge.worst),
            warn_of_silent=lambda: self._warn_of_short(judge, rows, form),
        )

    def _warn_of_short(self, judge: RowJudge, rows: ScoredRows, form: Form) -> None:
        pieces = rows.pieces_with(rows.are_silent(judge.worst))
        warn_of_short(rows.series, pieces, form.row_labels(), judge.shortest)

    def _calibrate_on(self, X: Any) -> None:
        judge, series, form = self._read(X)
        longest = int(series.lengths.max())
        if longest < judge.size:
            raise ValueError(
                f"the longest series of X has {longest} row(s) to calibrate on, expected at least "
                f"one window of {judge.size}: pass more rows."
            )
        told = self._told(judge, "to calibrate the threshold")
        self._judge = judge.resting_on(told.score(series, form.row_labels()[1]))
        warn_of_another_step(form.row_labels(), judge.usual_step)

    def _set_threshold(self) -> None:
        judge = self._judge
        adapts = self.threshold == "adaptive" and self.contamination == "auto"
        rate = self.false_alarm_rate if adapts else None
        rows, singles = (
            replace(threshold, offset=self._offset_of(threshold.calibration), rate=rate)
            for threshold in (judge.rows, judge.singles)
        )
        self._judge = replace(judge, rows=rows, singles=singles)

    def _told(self, judge: RowJudge, purpose: str) -> RowJudge:
        """Return the judge, which reports what it scores if that is wanted."""
        if not self.verbose:
            return judge
        return replace(judge, windows=ReportingJudge(judge.windows, purpose))

    def _inner(self) -> Any:
        return _default_detector() if self.detector is None else self.detector
