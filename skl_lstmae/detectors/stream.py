"""A series that comes in piece by piece: each row is judged when it comes."""

from copy import deepcopy
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._warn import warn
from skl_lstmae.data.checks import check_rows
from skl_lstmae.data.gaps import Gaps, rows_of_blackout
from skl_lstmae.data.names import known_names, some_of
from skl_lstmae.data.times import jumps_of
from skl_lstmae.data.windows import trailing
from skl_lstmae.detectors.events import main_features
from skl_lstmae.detectors.row_judge import RowJudge, Threshold, follow
from skl_lstmae.detectors.thresholded import check_offset


class Stream:
    """Scores the rows of one series as they come in.

    The score of a row is that of the window that ends with it. It neither waits for later rows nor
    changes with them. :meth:`skl_lstmae.SlidingWindowDetector.score_samples`, in contrast, judges a
    row by all windows that cover it; so the two have different thresholds.

    :meth:`skl_lstmae.SlidingWindowDetector.stream` makes a stream. A pickled stream goes on where
    it was. Several threads may push rows to one stream: each call waits for those before it.

    Parameters
    ----------
    detector : SlidingWindowDetector
        Fitted. A later fit of the same object does not change the stream.

    judge : RowJudge
        Its state.

    Attributes
    ----------
    offset_ : float
        Threshold of the latest row: a lower score is anomalous. `fit` calibrates it like that of
        the detector, on single windows. Minus infinity as long as a window is not full.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skl_lstmae import SlidingWindowDetector
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> inner = LocalOutlierFactor(novelty=True)
    >>> stream = SlidingWindowDetector(inner, window_size=5).fit(X).stream()
    >>> stream.push(X[:3]).shape, stream.push(X[3]).shape
    ((3,), (1,))
    >>> stream.push([9.0, 9.0]) < stream.offset_
    array([ True])
    """

    def __init__(self, detector: Any, judge: RowJudge) -> None:
        self._detector = detector
        self._judge = judge
        self._recent: NDArray[np.float64] = np.empty((0, detector.n_features_in_))
        self._is_new: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._latest: Any = None
        self._lock = Lock()
        self._begin(judge.singles)

    def _begin(self, threshold: Threshold) -> None:
        self._fixed = self._offset = threshold.offset
        self._adaptive = threshold.adaptive(self._judge.size)

    @property
    def offset_(self) -> float:
        """Threshold of the latest row: a lower score is anomalous. May be set, and then stays.

        It is minus infinity as long as a window is not full.
        """
        return self._offset

    @offset_.setter
    def offset_(self, offset: float) -> None:
        offset = check_offset(offset)
        with self._lock:
            self._begin(self._judge.singles.by_hand(offset))

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Take more rows of the series, as `push` does, and label them as normal or anomalous.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_timesteps, n_features), or (n_features,)
            The rows that follow those pushed before; 1-D is a single row.

        Returns
        -------
        labels : ndarray of shape (n_timesteps,), int64
            -1 for anomalies, +1 for normal rows. Each row has an offset of its own, which follows
            the rows before it if the detector's `threshold` is "adaptive". Until a window is full,
            at first and wherever it starts anew, only a blackout is anomalous. So it is while more
            than half of a window has no value; or more of it than of any window of the fit, and
            than one row in 50, if what such rows cost could not be tried.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.neighbors import LocalOutlierFactor
        >>> from skl_lstmae import SlidingWindowDetector
        >>> X = np.random.default_rng(0).normal(size=(1000, 2))
        >>> inner = LocalOutlierFactor(novelty=True)
        >>> stream = SlidingWindowDetector(inner, window_size=5).fit(X).stream()
        >>> labels = stream.predict(X[:5])
        >>> stream.predict([[0.0, 0.0], [9.0, 9.0]])
        array([ 1, -1])
        """
        scores, offsets = self._take(X)
        return np.where(scores < offsets, -1, 1)

    def explain(self) -> dict[Any, float]:
        """Name the features that most of the latest error is due to.

        Returns
        -------
        features : dict
            From the name or number of a feature to its share of the error in the latest tenth of
            the window: the three largest shares, largest first. Unlike the features of an event,
            a sensor whose errors are always large has a large share. Empty before the first row,
            and if there is no error.

        Raises
        ------
        AttributeError
            If the detector of windows has no errors, like those of scikit-learn.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import SlidingWindowDetector
        >>> t = np.arange(1000)
        >>> X = np.column_stack([np.sin(t / 5), np.cos(t / 5)])
        >>> stream = SlidingWindowDetector(window_size=30, random_state=0).fit(X).stream()
        >>> scores = stream.push(X[:100])
        >>> score = stream.push([0.0, 9.0])
        >>> next(iter(stream.explain()))
        1
        """
        if self._judge.windows.usual is None:
            raise AttributeError(
                f"{type(self._detector.detector_).__name__} has no errors to explain its scores by."
            )
        with self._lock:
            rows, is_new = self._recent, self._is_new
        if len(rows) == 0:
            return {}
        windows = trailing(rows, self._judge.size, len(rows) - 1, is_new)
        latest = np.nan_to_num(self._judge.windows.errors(windows))[-max(1, len(rows) // 10) :]
        shares = latest.sum(axis=0) / max(latest.sum(), np.finfo(float).tiny)
        names = known_names(self._detector) or range(self._detector.n_features_in_)
        return main_features(shares, list(names))

    def push(self, X: Any) -> NDArray[np.float64]:
        """Score more rows of the series.

        The window starts anew where the time jumps, with a warning, and where data come back after
        half a window without any.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_timesteps, n_features), or (n_features,)
            The rows that follow those pushed before; 1-D is a single row. Times in its index must
            be later than those pushed before. Numbers need not be, as each block may count from 0.

        Returns
        -------
        scores : ndarray of shape (n_timesteps,), float64
            Higher is more normal. However the series is divided among calls, they are the same, bit
            for bit. Until the stream has seen as many rows as a window has, its window is shorter
            than those that the detector was trained on.

        Raises
        ------
        ValueError, TypeError
            If the features are not those of `fit`, or the times do not increase. The stream stays
            as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.neighbors import LocalOutlierFactor
        >>> from skl_lstmae import SlidingWindowDetector
        >>> X = np.random.default_rng(0).normal(size=(1000, 2))
        >>> inner = LocalOutlierFactor(novelty=True)
        >>> detector = SlidingWindowDetector(inner, window_size=5).fit(X[:900])
        >>> at_once = detector.stream().push(X[900:])
        >>> stream = detector.stream()
        >>> one_by_one = np.concatenate([stream.push(row) for row in X[900:]])
        >>> bool(np.array_equal(one_by_one, at_once))
        True
        """
        return self._take(X)[0]

    def _take(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the scores of more rows, and the offset of each."""
        with self._lock:
            judge = self._judge
            new_rows, times, latest = check_rows(self._detector, X, self._latest)
            rows = np.concatenate([self._recent, new_rows])
            first = len(self._recent)
            is_empty = np.isnan(rows).all(axis=1)
            n_blackout = rows_of_blackout(judge.size)
            n_empty = _count_trailing(is_empty)
            is_new = np.append(self._is_new, np.zeros(len(new_rows), dtype=bool))
            comes_back = ~is_empty & (np.append(0, n_empty[:-1]) >= n_blackout)
            jumps = jumps_of(times, self._latest, judge.usual_step, judge.max_steps)
            is_new[first:] |= comes_back[first:] | jumps
            windows = trailing(rows, judge.size, first, is_new)
            n_missing = Gaps(np.flatnonzero(is_empty)).count(windows)
            scores = np.full(len(new_rows), judge.worst)
            is_blackout = n_empty[first:] >= n_blackout
            is_judged = ~is_blackout & (n_missing < windows.lengths)
            scores[is_judged] = judge.score_windows(
                windows.take(is_judged), n_missing[is_judged], one_by_one=True
            )
            adaptive = deepcopy(self._adaptive)
            # A window that is not full, or lacks more, is unlike any that has been learned from,
            # and would raise alarms.
            is_full = (windows.lengths == judge.size) & judge.are_like_known(n_missing)
            is_ready = is_blackout | is_full
            offsets = np.where(is_ready, self._fixed, -np.inf)
            if adaptive is not None:
                offsets[is_ready] = follow(adaptive, scores[is_ready], judge.worst)
            # The warning may be an error, and then nothing has changed.
            warn_of_jumps(jumps, times, judge.max_steps)
            kept = slice(max(0, len(rows) - judge.size + 1), None)
            self._recent, self._is_new, self._latest = rows[kept].copy(), is_new[kept], latest
            self._adaptive = adaptive
            self._offset = float(offsets[-1]) if len(offsets) else self._offset
        return scores, offsets

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the lock, which is of this process."""
        with self._lock:
            return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=Lock())


def warn_of_jumps(jumps: NDArray[np.bool_], times: Any, max_steps: float) -> None:
    """Name the rows before which the time jumps."""
    rows = [times[i] for i in np.flatnonzero(jumps).tolist()]
    if rows:
        warn(
            f"The time jumps by more than {max_steps:g} usual steps before row {some_of(rows)} of "
            "X: the stream's window starts anew there."
        )


def _count_trailing(is_empty: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return how many rows in a row, up to each, are empty."""
    position = np.arange(len(is_empty)) + 1
    return position - np.maximum.accumulate(np.where(is_empty, 0, position))
