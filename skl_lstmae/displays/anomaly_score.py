"""A long series with its scores, the threshold, what was found and what is true."""

from collections.abc import Sequence
from copy import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstmae._sklearn import Interval, StrOptions, validate_params
from skl_lstmae.data.reading import read
from skl_lstmae.detectors.sliding import SlidingWindowDetector
from skl_lstmae.detectors.trained import read_with
from skl_lstmae.displays.drawing import (
    BLACK,
    BLUE,
    MAX_FEATURES,
    VERMILLION,
    check_can,
    check_index,
    check_length,
    draw_bar,
    draw_line,
    draw_strip,
    edges_between,
    import_pyplot,
    label_panel,
    legend_above,
    literal,
    make_ax,
    name_features,
    stack_panels,
    strip_height,
)
from skl_lstmae.displays.event_forms import (
    features_of,
    intervals_of_events,
    intervals_of_labels,
    labels_of_one,
    runs,
    total_shares,
)

NAME = "AnomalyScoreDisplay"


class AnomalyScoreDisplay:
    """A long series, the scores of its rows, the threshold, and events: detected and true ones.

    The features most to blame for the events have panels of their own. A strip of colours, features
    by time, shows all features: their values, or their errors, which are the reasons for the
    events. It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    series : ndarray of shape (n_timesteps, n_features)
        NaN is a missing value, and drawn as a gap.

    times : array-like of shape (n_timesteps,)
        Increasing numbers or timestamps.

    scores : ndarray of shape (n_timesteps,)
        Higher is more normal.

    offset : float, or ndarray of shape (n_timesteps,)
        The threshold, or that of each row: rows with lower scores are anomalous.

    events : ndarray of shape (n_events, 2)
        Detected events: the first row of each, and the row after its last.

    true_events : ndarray of shape (n_true_events, 2) or None
        The same for the true events; None if they are unknown.

    feature_names : list of str
        Names of the features.

    feature_shares : ndarray of shape (n_features,)
        How much each feature is to blame for the detected events. The panels are chosen by it.

    cell_errors : ndarray of shape (n_timesteps, n_features), default=None
        The error of each value, which the strip shows; None shows the values themselves.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        From top to bottom: a panel for each feature in `features_`; the strip of all features, if
        there is one; the scores; the events.

    ax_ : matplotlib Axes
        The axes whose place the panels share; invisible.

    figure_ : matplotlib Figure
        The figure.

    features_ : ndarray of int
        Numbers of the features that have a panel, the one most to blame first.

    lines_ : list of Line2D
        The lines of these features. With more than 2400 rows, a line shows the median of each
        column of the picture, in front of the range of its values.

    strip_ : QuadMesh or None
        The errors of all features; or their values, each from its minimum to its maximum. None if
        all features have panels and there are no errors to show.

    score_line_, threshold_line_ : Line2D
        The scores and the threshold.

    event_bars_, true_event_bars_ : PolyCollection or None
        The detected events and, if they are known, the true ones.

    See Also
    --------
    SlidingWindowDetector.find_events : The detected events, as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skl_lstmae import AnomalyScoreDisplay, SlidingWindowDetector
    >>> X = np.sin(np.arange(2000) / 5).reshape(-1, 1)
    >>> inner = LocalOutlierFactor(novelty=True)
    >>> detector = SlidingWindowDetector(inner, window_size=30).fit(X[:1500])
    >>> X_new = X[1500:].copy()
    >>> X_new[200:220] = 3.0
    >>> y_new = np.where(X_new[:, 0] == 3.0, -1, 1)
    >>> display = AnomalyScoreDisplay.from_estimator(detector, X_new, y_new, max_gap=10)
    >>> display.true_events
    array([[200, 220]])
    >>> len(display.events)
    1
    """

    def __init__(
        self,
        *,
        series: NDArray[Any],
        times: Any,
        scores: NDArray[np.float64],
        offset: float | NDArray[np.float64],
        events: NDArray[np.intp],
        true_events: NDArray[np.intp] | None,
        feature_names: Sequence[str],
        feature_shares: NDArray[np.float64],
        cell_errors: NDArray[np.float64] | None = None,
    ) -> None:
        self.series = series
        self.times = times
        self.scores = scores
        self.offset = offset
        self.events = events
        self.true_events = true_events
        self.feature_names = feature_names
        self.feature_shares = feature_shares
        self.cell_errors = cell_errors

    @classmethod
    @validate_params(
        {
            "max_gap": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
            "min_length": [Interval(Integral, 1, None, closed="left")],
            "strip": [StrOptions({"values", "errors"})],
            **MAX_FEATURES,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        index: int = 0,
        max_gap: int | str = "auto",
        min_length: int = 1,
        strip: str = "values",
        feature_names: Sequence[str] | None = None,
        max_features: int = 4,
        ax: Any = None,
    ) -> Self:
        """Draw what a fitted detector finds in a long series.

        Parameters
        ----------
        estimator : SlidingWindowDetector
            A fitted detector of rows.

        X : series
            In any of the forms that the estimator takes. Timestamps of an index become the x-axis.

        y : array-like of shape (n_timesteps,), or list of them for a list of series, default=None
            True labels of the rows of X: -1 for anomalous and +1 for normal rows, as the estimator
            predicts them; or 1 (True) and 0 (False), as in many data sets. If all are 1, they mean
            normal rows, unless they are bool.

        index : int, default=0
            Which series to draw, if X holds several.

        max_gap, min_length : int, default="auto" and 1
            As for ``find_events``.

        strip : {"values", "errors"}, default="values"
            What the strip of all features shows: their values, if there are more features than
            panels; or the error of each value, which is why an event was found. For the errors the
            network runs once more.

        feature_names : list of str, default=None
            Names of the features; None means those the estimator was fitted with, if any.

        max_features : int, default=4
            The most features that have a panel of their own.

        ax : matplotlib Axes, default=None
            A subplot, whose place the panels share; None makes a new figure.

        Returns
        -------
        display : AnomalyScoreDisplay
            With the scores and events that the estimator's methods ``score_samples`` and
            ``find_events`` return.

        Examples
        --------
        >>> from sklearn.ensemble import IsolationForest
        >>> from skl_lstmae import AnomalyScoreDisplay, SlidingWindowDetector
        >>> from skl_lstmae.datasets import load_nyc_taxi
        >>> X, y = load_nyc_taxi(return_X_y=True, as_frame=True)
        >>> inner = IsolationForest(random_state=0)
        >>> detector = SlidingWindowDetector(inner, stride=8, contamination=0.05).fit(X)
        >>> display = AnomalyScoreDisplay.from_estimator(detector, X, y, max_gap=24)
        >>> len(display.true_events)
        5
        """
        caller = f"{NAME}.from_estimator"
        import_pyplot(caller)
        if not isinstance(estimator, SlidingWindowDetector):
            raise TypeError(
                f"{caller} needs a SlidingWindowDetector; got {type(estimator).__name__}."
            )
        if strip == "errors":
            check_can(estimator, ["cell_errors"], caller, "a SlidingWindowDetector of autoencoders")
        estimator = copy(estimator)  # one state, although another thread may fit meanwhile
        judge, all_series, form = read_with(estimator, X)
        check_index(index, len(all_series), "series")
        series = all_series.alone(index)
        values = series[0]
        times = form.row_labels()[1][index]
        rows = judge.score(series, [times])
        found = judge.find_events(rows, max_gap, min_length)
        labels = None if y is None else labels_of_one(y, all_series.lengths, index)
        display = cls(
            series=values,
            times=_axis_values(times),
            scores=found.scores,
            offset=found.offsets if judge.rows.rate else float(judge.rows.offset),
            events=found.intervals,
            true_events=intervals_of_labels(labels),
            feature_names=name_features(feature_names, estimator, values.shape[1]),
            feature_shares=_total(found.feature_shares, found.intervals, values.shape[1]),
            cell_errors=judge.cell_errors(series, [times]) if strip == "errors" else None,
        )
        return display.plot(ax, max_features=max_features)

    @classmethod
    @validate_params(MAX_FEATURES, prefer_skip_nested_validation=True)
    def from_predictions(
        cls,
        X: Any,
        scores: ArrayLike,
        *,
        offset: float | NDArray[np.float64],
        events: Any = None,
        y: ArrayLike | None = None,
        cell_errors: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        max_features: int = 4,
        ax: Any = None,
    ) -> Self:
        """Draw a long series and the scores of its rows, whatever computed them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_timesteps, n_features)
            One series. Timestamps of an index become the x-axis.

        scores : array-like of shape (n_timesteps,)
            Higher is more normal.

        offset : float, or array-like of shape (n_timesteps,)
            The threshold, or that of each row: rows with lower scores are anomalous.

        events : DataFrame, list of named tuples or int array of shape (n_events, 2), default=None
            Events of X, as `SlidingWindowDetector.find_events` returns them, or some of these; or
            the first row of each event and the row after its last (add ``[0, 1]`` to an array of
            first and last rows). None means the runs of rows whose scores are lower than `offset`.

        y : array-like of shape (n_timesteps,), default=None
            True labels of the rows: -1 for anomalous and +1 for normal rows, as scikit-learn's
            detectors predict them; or 1 (True) and 0 (False), as in many data sets. If all are 1,
            they mean normal rows, unless they are bool.

        cell_errors : array-like of shape (n_timesteps, n_features), default=None
            The error of each value, as `SlidingWindowDetector.cell_errors` returns them, which the
            strip then shows. None shows the values of the features.

        feature_names : list of str, default=None
            Names of the features; None means the columns of X, if it is a DataFrame.

        max_features : int, default=4
            The most features that have a panel of their own.

        ax : matplotlib Axes, default=None
            A subplot, whose place the panels share; None makes a new figure.

        Returns
        -------
        display : AnomalyScoreDisplay
            The picture and what it shows.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import AnomalyScoreDisplay
        >>> X = np.sin(np.arange(200) / 5).reshape(-1, 1)
        >>> X[80:90] = 2.0
        >>> display = AnomalyScoreDisplay.from_predictions(X, -np.abs(X[:, 0]), offset=-1.5)
        >>> display.events
        array([[80, 90]])
        """
        import_pyplot(f"{NAME}.from_predictions")
        series, form = read([X])
        values = series[0]
        (times,) = form.row_labels()[1]
        columns = getattr(X, "columns", None)
        scores = check_length(scores, len(values), "scores", "row")
        if events is None:
            blamed, intervals = [], runs(scores < offset)
        else:
            blamed, intervals = features_of(events), intervals_of_events(events, times)
        display = cls(
            series=values,
            times=_axis_values(times),
            scores=scores,
            offset=offset,
            events=intervals,
            true_events=intervals_of_labels(
                None if y is None else check_length(y, len(values), "y", "row")
            ),
            feature_names=name_features(
                columns if feature_names is None else feature_names, None, values.shape[1]
            ),
            feature_shares=total_shares(
                blamed,
                np.diff(intervals)[: len(blamed), 0],
                () if columns is None else columns,
                values.shape[1],
            ),
            cell_errors=None if cell_errors is None else _check_cells(cell_errors, values.shape),
        )
        return display.plot(ax, max_features=max_features)

    @validate_params(MAX_FEATURES, prefer_skip_nested_validation=True)
    def plot(self, ax: Any = None, *, max_features: int = 4) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A subplot, whose place the panels share; None makes a new figure.

        max_features : int, default=4
            The most features that have a panel of their own.

        Returns
        -------
        display : AnomalyScoreDisplay
            Itself, with the attributes that end in an underscore. They hold what was drawn, to be
            styled: ``display.threshold_line_.set(color="red")``.
        """
        self.features_ = np.argsort(-self.feature_shares, kind="stable")[:max_features]
        n_lines, n_features = len(self.features_), len(self.feature_names)
        has_strip = n_features > n_lines or self.cell_errors is not None
        strips = [strip_height(n_features)] if has_strip else []
        heights = [1.6 if n_lines == 1 else 1.0] * n_lines + strips + [1.6, 0.45]
        ax = make_ax(ax, f"{NAME}.plot", figsize=(8, 1 + 0.95 * sum(heights)))
        self.ax_, self.figure_ = ax, ax.figure
        i_strip = n_lines if strips else None
        self.axes_, bar = stack_panels(ax, heights, i_strip, f"{NAME}.plot")
        x = _positions(self.times)
        edges = edges_between(x)
        self._draw_features(x)
        self.strip_ = None
        if strips:
            self._draw_strip(edges, bar)
        self._draw_scores(x)
        self._draw_events(edges)
        self._finish_time_axis(edges)
        return self

    def _draw_features(self, x: NDArray[Any]) -> None:
        self.lines_ = []
        for panel, j in zip(self.axes_, self.features_, strict=False):
            line = draw_line(panel, x, self.series[:, j], color=BLACK, linewidth=0.7)
            self.lines_.append(line)
            label_panel(panel, self.feature_names[j])

    def _draw_strip(self, edges: NDArray[Any], bar: Any) -> None:
        panel = self.axes_[len(self.features_)]
        if self.cell_errors is not None:
            from matplotlib.colors import PowerNorm

            # Of roots, as one large error would leave the others white.
            style = {"cmap": "magma_r", "norm": PowerNorm(0.5, vmin=0)}
            self.strip_ = draw_strip(panel, edges, self.cell_errors, self.feature_names, **style)
            label_panel(panel, "why: the error of each feature, scaled")
            draw_bar(bar, self.strip_)
            return
        low = np.ma.masked_invalid(self.series).min(axis=0).filled(0.0)
        high = np.ma.masked_invalid(self.series).max(axis=0).filled(0.0)
        shares = (self.series - low) / np.where(high > low, high - low, 1.0)
        self.strip_ = draw_strip(panel, edges, shares, self.feature_names, cmap="cividis")
        label_panel(panel, "all features, each from its minimum to its maximum")
        draw_bar(bar, self.strip_)
        bar.set_yticks([0, 1], labels=["min", "max"])

    def _draw_scores(self, x: NDArray[Any]) -> None:
        panel = self.axes_[-2]
        self.score_line_ = draw_line(panel, x, self.scores, color=BLUE, linewidth=0.8)
        style = {"color": BLACK, "linestyle": "--", "linewidth": 1}
        if np.ptp(self.offset) == 0:
            label = f"threshold, {np.max(self.offset):.4g}"
            self.threshold_line_ = panel.axhline(np.max(self.offset), label=label, **style)
        else:
            (self.threshold_line_,) = panel.plot(x, self.offset, label="threshold", **style)
        legend_above(panel)
        label_panel(panel, "score, higher is more normal")
        is_empty = np.isnan(self.series).all(axis=1)
        if is_empty.any() and not is_empty.all():
            self._show_scores_of(panel, ~is_empty)

    def _show_scores_of(self, panel: Any, has_data: NDArray[np.bool_]) -> None:
        """Let scores of a blackout leave the panel rather than squeeze all others."""
        offsets = np.broadcast_to(self.offset, self.scores.shape)
        shown = np.r_[self.scores[has_data], offsets[has_data]]
        low, high = np.nanmin(shown), np.nanmax(shown)
        if np.nanmin(self.scores) < low:
            room = 0.05 * (high - low) or 1.0
            panel.set_ylim(low - room, high + room)
            label_panel(panel, "score, higher is more normal; without data, below the panel")

    def _draw_events(self, edges: NDArray[Any]) -> None:
        from matplotlib.colors import to_rgba

        *panels, lanes = self.axes_
        for panel in panels:
            _draw_bars(
                panel,
                edges,
                self.events,
                (0, 1),
                facecolor=to_rgba(VERMILLION, 0.25),
                edgecolor=to_rgba(VERMILLION, 0.6),  # keeps an event of a row or two in sight
                linewidth=1,
                zorder=0.5,
                transform=panel.get_xaxis_transform(),
            )
        self.event_bars_ = _draw_bars(lanes, edges, self.events, (0.1, 0.8), color=VERMILLION)
        self.true_event_bars_ = None
        names = ["detected"]
        if self.true_events is not None:
            self.true_event_bars_ = _draw_bars(
                lanes, edges, self.true_events, (1.1, 0.8), color=BLACK
            )
            names.append("true")
        lanes.set(ylim=(0, len(names)), yticks=np.arange(len(names)) + 0.5, yticklabels=names)
        lanes.tick_params(axis="y", length=0, labelsize="small")

    def _finish_time_axis(self, edges: NDArray[Any]) -> None:
        lowest = self.axes_[-1]
        lowest.set_xlim(edges[0], edges[-1])
        if _are_numbers(self.times):
            lowest.set_xlabel(literal(getattr(self.times, "name", None) or "Row"))
            are_counted = np.asarray(self.times).dtype.kind in "iu"
            lowest.xaxis.get_major_locator().set_params(integer=are_counted)
            return
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        for panel in self.axes_:
            panel.xaxis_date(self.times.tz)  # lets users add to it at timestamps
        locator = AutoDateLocator(tz=self.times.tz)
        lowest.xaxis.set_major_locator(locator)
        lowest.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=self.times.tz))


def _draw_bars(
    ax: Any,
    edges: NDArray[Any],
    intervals: NDArray[np.intp],
    place: tuple[float, float],
    **style: Any,
) -> Any:
    """Draw intervals of rows as bars, the shortest of which are still seen for their edges."""
    starts, ends = edges[intervals].T
    return ax.broken_barh(np.column_stack([starts, ends - starts]), place, **style)


def _check_cells(cell_errors: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = np.asarray(cell_errors, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(
            f"cell_errors has shape {array.shape}; expected {shape}, one error a value of X."
        )
    return array


def _total(
    shares: NDArray[np.float64] | None, events: NDArray[np.intp], n_features: int
) -> NDArray[np.float64]:
    """Add up how much features are to blame for events, weighted by the events' lengths."""
    if shares is None:
        return np.zeros(n_features)
    return np.diff(events)[:, 0] @ shares


def _axis_values(times: Any) -> Any:
    """Return numbers or timestamps, which matplotlib can put on an axis."""
    if hasattr(times, "to_timestamp"):
        return times.to_timestamp()  # when each period begins
    if hasattr(times, "total_seconds"):
        return times.total_seconds().rename("Seconds")
    return times if _are_numbers(times) or hasattr(times, "tz") else np.arange(len(times))


def _are_numbers(times: Any) -> bool:
    return times.dtype.kind in "iuf"


def _positions(times: Any) -> NDArray[np.float64]:
    """Return times as matplotlib's numbers."""
    if _are_numbers(times):
        return np.asarray(times, dtype=np.float64)
    from matplotlib.dates import date2num

    return date2num(times)
