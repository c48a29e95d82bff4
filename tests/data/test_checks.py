"""`X` made to agree with an estimator: its number of samples, its features, and their names."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import QUICK, exactly, fitted, make_waves
from sklearn.base import BaseEstimator

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.data.checks import check_rows, check_sequences, check_series

nan, inf = np.nan, np.inf

FRAME = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "b"])
PANEL = pd.concat({"x": FRAME, "y": FRAME[:1]})
HOURS = pd.date_range("2024-01-01", periods=2, freq="h")
RAGGED = [[1.0, 2.0], [3.0]]


class OfSequences(BaseEstimator):
    """As much of an estimator as `check_sequences` sees."""

    def fit(self, X, min_sequences=1):
        sequences, _ = check_sequences(self, X, min_sequences=min_sequences)
        self.n_channels_ = sequences.n_features
        return self

    def predict(self, X):
        return check_sequences(self, X, n_channels=self.n_channels_)


class OfSeries(BaseEstimator):
    """As much of an estimator as `check_series` and `check_rows` see."""

    def fit(self, X):
        check_series(self, X, reset=True)
        return self

    def predict(self, X):
        return check_series(self, X, reset=False)

    def push(self, X, latest=None):
        return check_rows(self, X, latest)


# ------------------------------------------------------------------------------- features and names


@pytest.mark.parametrize(
    ("kind", "X", "n_features", "names"),
    [
        (OfSequences, [np.ones((4, 3)), np.ones((2, 3))], 3, None),
        (OfSequences, RAGGED, 1, None),
        (OfSequences, [np.ones(2), np.ones(2)], 1, None),
        (OfSequences, [[[1.0], [2.0]], [[3.0], [4.0]]], 1, None),
        (OfSequences, np.ones((2, 5)).tolist(), 5, None),
        (OfSequences, torch.ones(2, 5), 5, None),
        (OfSequences, np.ones((2, 5, 3)), 3, None),
        (OfSequences, np.ones((2, 5, 3, 4)), 12, None),
        *((OfSequences, X, 2, ["a", "b"]) for X in (FRAME, PANEL, [FRAME, FRAME[:1]])),
        (OfSeries, np.ones((4, 3)), 3, None),
        *((OfSeries, X, 2, ["a", "b"]) for X in (FRAME, PANEL, [FRAME, FRAME[:1]])),
    ],
)
def test_fit_counts_and_names_channels_or_columns_of_a_table(kind, X, n_features, names):
    estimator = kind().fit(PANEL).fit(X)
    assert estimator.n_features_in_ == n_features
    assert list(getattr(estimator, "feature_names_in_", [])) == (names or [])


@pytest.mark.parametrize("kind", [OfSequences, OfSeries])
@pytest.mark.parametrize("X", [FRAME, PANEL, [FRAME]], ids=["frame", "panel", "list"])
def test_names_that_were_not_there_in_fit_are_refused_or_warned_of(kind, X):
    def changed(X, change):
        return [change(X[0])] if isinstance(X, list) else change(X)

    estimator = kind().fit(X)
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were"):
        estimator.predict(changed(X, lambda frame: frame[["b", "a"]]))
    with pytest.raises(ValueError, match=re.escape("Feature names unseen at fit time:\n- c")):
        estimator.predict(changed(X, lambda frame: frame.set_axis(["a", "c"], axis=1)))
    unnamed = FRAME.to_numpy() if X is FRAME else [FRAME.to_numpy()]
    with pytest.warns(UserWarning, match="X does not have valid feature names, but Of"):
        estimator.predict(unnamed)
    with pytest.warns(UserWarning, match="X has feature names, but Of"):
        kind().fit(unnamed).predict(X)


def test_names_of_time_steps_and_of_channels_are_not_compared():
    one_channel = [pd.DataFrame({"load": [1.0, 2.0]})]
    assert len(OfSequences().fit(FRAME).predict(one_channel)[0]) == 1
    assert len(OfSequences().fit(one_channel).predict(FRAME)[0]) == 2


A_TABLE = "; a 2-D X is read as one-channel rows, pass a single sequence as [X]"


@pytest.mark.parametrize(
    ("kind", "fitted_on", "X", "found", "hint"),
    [
        (OfSequences, [np.ones((4, 5))], [np.ones((4, 3))], 3, ""),
        (OfSequences, [np.ones((4, 5))], np.ones((4, 5)), 1, A_TABLE),
        (OfSequences, np.ones((3, 5)), np.ones((3, 1)), 1, ""),
        (OfSequences, np.ones((3, 5)).tolist(), np.ones((3, 6)), 6, ""),
        (OfSeries, np.ones((4, 5)), np.ones((4, 3)), 3, ""),
        (OfSeries, np.ones((4, 5)), [np.ones((4, 3))], 3, ""),
    ],
)
def test_other_features_than_in_fit_are_refused(kind, fitted_on, X, found, hint):
    sentence = (
        f"X has {found} features, but {kind.__name__} is expecting 5 features as input{hint}."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        kind().fit(fitted_on).predict(X)


@pytest.mark.parametrize("X", [RAGGED, [[1.0, 2.0, 3.0]], np.ones((3, 4)), np.ones((5, 4, 1))])
def test_an_estimator_fitted_on_a_table_takes_sequences_of_one_channel(X):
    sequences, form = OfSequences().fit(np.ones((3, 4))).predict(X)
    assert len(sequences) == len(X)
    assert np.shape(form.restore(sequences.values)[0]) == np.shape(X[0])


TOO_FEW = (
    "Found n_samples=1 sequence(s) in X while a minimum of 2 is required by OfSequences; for one "
    "long series, or a few, use SlidingWindowDetector."
)


@pytest.mark.parametrize(
    ("X", "min_sequences", "error", "message"),
    [
        ([[1.0, inf]], 1, ValueError, "sequence #0 holds infinity"),
        ([PANEL.to_numpy()], 2, ValueError, exactly(TOO_FEW)),
        (FRAME.set_axis(["a", 1], axis=1), 1, TypeError, "Feature names are only supported if all"),
    ],
    ids=["infinity", "too few", "names of mixed types"],
)
def test_a_refusal_leaves_the_estimator_as_it_was(X, min_sequences, error, message):
    estimator = OfSequences().fit(PANEL)
    before = dict(vars(estimator))
    with pytest.raises(error, match=message):
        estimator.fit(X, min_sequences)
    assert vars(estimator) == before


# ------------------------------------------------------------------- tables that may be rows of one


def frame_of(names, n_rows=20):
    return pd.DataFrame(np.ones((n_rows, len(names))), columns=names)


WARNING = "Each row of X is read as a sequence of {} of one feature. If {}; if this is meant, pass "
OF_FIT = (
    "the rows are time steps of one series, use SlidingWindowDetector, or pass [X] to "
    "LSTMForecastDetector"
)
COLUMN = np.ones((200, 1))


@pytest.mark.parametrize(
    ("fitted_on", "X", "n_steps", "advice"),
    [
        *((None, np.ones((rows, n)), f"{n} steps", OF_FIT) for rows, n in [(50, 3), (500, 38)]),
        (None, np.ones((2, 1)), "1 step", OF_FIT),
        (None, frame_of(range(3), 50), "3 steps", OF_FIT),
        (None, frame_of(["cpu0", "cpu1", "t0"]), "3 steps", OF_FIT),
        (None, frame_of(["t0", "temperature"], 4), "2 steps", OF_FIT),
        (RAGGED, COLUMN, "1 step", "X is one sequence, pass [X]"),
        (RAGGED, frame_of(["load"]), "1 step", "X is one sequence, pass [X]"),
    ],
)
def test_what_may_be_rows_of_features_is_warned_of_once_unless_listed(
    fitted_on, X, n_steps, advice
):
    call = OfSequences().fit(fitted_on).predict if fitted_on else OfSequences().fit
    remedy = "list(X.to_numpy())" if isinstance(X, pd.DataFrame) else "list(X)"
    sentence = f"{WARNING.format(n_steps, advice)}{remedy} to silence this."
    with pytest.warns(UserWarning, match=exactly(sentence)) as caught:
        call(X)
    assert len(caught) == 1
    call(eval(remedy, {"X": X}))
    call([np.asarray(X)])


def test_long_format_without_an_index_is_warned_of_where_one_feature_was_fitted():
    X = frame_of(["beat", "tick", "millivolt"])
    advice = "the rows are time steps, index X by (sequence id, time)"
    sentence = f"{WARNING.format('3 steps', advice)}list(X.to_numpy()) to silence this."
    with pytest.warns(UserWarning, match=exactly(sentence)):
        OfSequences().fit(RAGGED).predict(X)


@pytest.mark.parametrize(
    "X",
    [
        *(np.ones(shape) for shape in [(49, 3), (1, 1), (100, 13), (5000, 140), (100, 3, 1)]),
        *map(frame_of, [[0, 1], [0.5, 1.0], ["0", "1"], ["t0", "t1"], ["step 0", "Hour_1"]]),
        *map(frame_of, [["a", "b"], list(HOURS), ["2024-01-01T00:00", "2024-01-02T00:00"]]),
    ],
)
def test_what_is_meant_as_sequences_is_not_warned_of(X):
    assert OfSequences().fit(X).n_channels_ == 1


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (500, 12), (200, 1, 1)])
def test_an_estimator_of_one_channel_takes_tables_of_any_length_without_a_word(shape):
    estimator, X = OfSequences().fit(RAGGED), np.ones(shape)
    assert [len(estimator.predict(given)[0]) for given in (X, X.tolist())] == [shape[0]] * 2


METHODS = ["fit", "fit_predict", "fit_transform", "partial_fit", "recalibrate", "score_samples"]
METHODS += ["decision_function", "predict", "score", "transform", "reconstruct"]


def test_the_warning_points_at_the_line_of_the_user_whatever_the_method():
    detector = fitted(
        LSTMAutoencoderDetector(**QUICK, tol=10.0, n_iter_no_change=2), make_waves(n_features=1)
    )
    files = {}
    for method in METHODS:
        with pytest.warns(UserWarning, match="Each row of X is read as") as caught:
            getattr(detector, method)(make_waves(60, 1, 1)[:, :, 0])
        files[method] = {warning.filename for warning in caught if "Each row" in str(warning)}
    assert files == {method: {__file__} for method in METHODS}


# --------------------------------------------------------------------------- rows of a live series


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (FRAME.to_numpy(), [[1, 2], [3, 4]]),
        ([1, 2], [[1, 2]]),
        (torch.tensor([[1.0, 2.0]]), [[1, 2]]),
        (np.float32([1, 2]), [[1, 2]]),
        ([[nan, nan]], [[nan, nan]]),
        (np.ones((0, 2)), np.ones((0, 2))),
    ],
    ids=["rows", "list", "tensor", "float32", "missing", "none"],
)
def test_rows_are_read_as_float64(X, expected):
    rows, times, latest = OfSeries().fit(np.ones((4, 2))).push(X)
    assert len(times) == len(rows)
    np.testing.assert_array_equal(rows, np.array(expected, dtype=float), strict=True)
    assert latest is None


def test_rows_of_a_frame_keep_their_names_and_times():
    estimator = OfSeries().fit(FRAME)
    timed = FRAME.set_axis(HOURS)
    for X, expected, latest in (
        (FRAME, [[1, 2], [3, 4]], None),
        (timed.iloc[1], [[3, 4]], HOURS[1]),
    ):
        rows, times, found = estimator.push(X)
        assert (rows.tolist(), found) == (expected, latest)
        assert latest is None or times[-1] == latest
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        estimator.push(FRAME.iloc[1][["b", "a"]])


ROWS = "rows of a series, an array or DataFrame (n_timesteps, n_features) or (n_features,)"
WIDTH = "X has 3 features, but OfSeries is expecting 2 features as input"
WRONG_ROWS = {
    f"{WIDTH}.": np.ones((2, 3)),
    f"{WIDTH}; a 1-D X is one row, for rows of one feature reshape it to (-1, 1).": np.ones(3),
    f"X has shape (1, 2, 2); expected {ROWS}.": np.ones((1, 2, 2)),
    f"X has shape (); expected {ROWS}.": 1.0,
    "row 1 of X holds infinity in feature 1; expected finite numbers, or NaN for a missing "
    "value.": [[1.0, 2.0], [1.0, inf]],
    "the times of X do not increase: 2024-01-01 00:00:00 follows 2024-01-01 01:00:00; call "
    "sort_index() first.": pd.DataFrame(np.ones((2, 2)), index=HOURS[::-1]),
}


@pytest.mark.parametrize(("sentence", "X"), WRONG_ROWS.items())
def test_wrong_rows_are_refused(sentence, X):
    with pytest.raises(ValueError, match=exactly(sentence)):
        OfSeries().fit(np.ones((4, 2))).push(X)


NAMED = pd.concat({f"run {i}": frame_of(["a", "b", "c"]) for i in range(6)})
IN_ORDER = r"frame\[detector\.feature_names_in_\], where that is the fitted estimator\.$"


@pytest.mark.parametrize("form", [lambda X: X, lambda X: [X.loc["run 1"]]], ids=["panel", "list"])
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["a", "c"], r"yet now missing:\n- b\n$"),
        (["a", "c", "x"], r"unseen at fit time:\n- x\nFeature names .* yet now missing:\n- b\n$"),
        (["a", "b", "c", "x"], rf"unseen at fit time:\n- x\nPass the columns of fit .*{IN_ORDER}"),
        (["a", "c", "b"], rf"must be in the same order.*\nPass the columns of fit .*{IN_ORDER}"),
    ],
)
def test_columns_that_lack_or_are_too_many_are_named(form, columns, said):
    estimator = OfSequences().fit(NAMED)
    other = NAMED.assign(x=0.0)[columns]
    with pytest.raises(ValueError, match=said):
        estimator.predict(form(other))
    if "b" in columns:
        estimator.predict(form(other[estimator.feature_names_in_]))
