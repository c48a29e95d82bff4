"""A series that comes in piece by piece: each row is judged when it comes."""

from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.data.checks import check_rows
from skl_lstmae.data.windows import trailing
from skl_lstmae.detectors.row_judge import RowJudge
from skl_lstmae.detectors.thresholded import check_offset


class Stream:
    """Scores the rows of one series as they come in.

    The score of a row is that of the window which ends with it. It is causal: it neither waits for
    later rows nor changes with them, unlike the scores of
    :meth:`skl_lstmae.SlidingWindowDetector.score_samples`, which judge a row by all windows that
    cover it. Hence the threshold is another one as well.

    Made by :meth:`skl_lstmae.SlidingWindowDetector.stream`; may be pickled at any time and goes on
    from there.

    Several threads may push rows to it: a call then waits for those before it.

    Parameters
    ----------
    detector : SlidingWindowDetector
        Fitted. A later fit of the same object does not change the stream.

    judge : RowJudge
        Its state.

    Attributes
    ----------
    offset_ : float
        Rows whose score is below are anomalous. Calibrated in `fit` like that of the detector, on
        single windows.

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
        self._latest: Any = None
        self._lock = Lock()

    @property
    def offset_(self) -> float:
        """The threshold: rows with lower scores are anomalous. May be set."""
        return self._judge.stream_offset

    @offset_.setter
    def offset_(self, offset: float) -> None:
        self._judge = replace(self._judge, stream_offset=check_offset(offset))

    def push(self, X: Any) -> NDArray[np.float64]:
        """Score more rows of the series.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_timesteps, n_features), or (n_features,)
            The rows that follow those pushed before; 1-D is a single row. Times in its index must
            be later than those pushed before. Numbers need not, as each block may count from 0.

        Returns
        -------
        scores : ndarray of shape (n_timesteps,), float64
            Higher is more normal. They are the same, bit for bit, however the series is divided
            among calls. Until the stream has seen as many rows as a window has, the window is as
            long as the stream, unlike those that the detector was trained on.

        Raises
        ------
        ValueError, TypeError
            If the features are not those of `fit`, or the times do not increase; the stream stays
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
        with self._lock:
            new_rows, latest = check_rows(self._detector, X, self._latest)
            rows = np.concatenate([self._recent, new_rows])
            size = self._judge.size
            windows = trailing(rows, size, first=len(self._recent))
            scores = self._judge.windows.score(windows, one_by_one=True)
            self._recent, self._latest = rows[max(0, len(rows) - size + 1) :].copy(), latest
        return scores

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the lock, which is of this process."""
        with self._lock:
            return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=Lock())
