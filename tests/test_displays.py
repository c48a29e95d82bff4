"""Displays draw what the estimators' public methods return, and refuse what they cannot draw."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num, num2date
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

import skl_lstmae
from skl_lstmae import (
    AnomalyScoreDisplay,
    LatentDisplay,
    LossCurveDisplay,
    LSTMAutoencoderDetector,
    LSTMForecastDetector,
    ReconstructionDisplay,
    ScoreDistributionDisplay,
    SlidingWindowDetector,
)

QUICK = {"hidden_size": 8, "tol": 0.05, "n_iter_no_change": 2, "random_state": 0}

DISPLAYS = sorted(name for name in skl_lstmae.__all__ if name.endswith("Display"))


def waves(n_sequences, n_timesteps, n_features, seed=0):
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 6, size=(n_sequences, 1, n_features))
    steps = np.arange(n_timesteps)[:, np.newaxis] / 3
    return np.sin(phases + steps) + rng.normal(0, 0.05, (n_sequences, n_timesteps, n_features))


X = waves(40, 20, 3)
SERIES = waves(1, 900, 2)[0]
NEW_SERIES = waves(1, 300, 2, seed=0)[0]
NEW_SERIES[100:110] = 3.0
LABELS = np.where(NEW_SERIES[:, 0] == 3.0, -1, 1)
TIMES = pd.date_range("2024-03-01", periods=300, freq="h", name="time")


@pytest.fixture(scope="module")
def autoencoder():
    return LSTMAutoencoderDetector(latent_size=4, **QUICK).fit(X)


@pytest.fixture(scope="module")
def sliding():
    inner = LSTMAutoencoderDetector(latent_size=4, **QUICK)
    return SlidingWindowDetector(inner, window_size=20, training_stride=5).fit(SERIES)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def is_blank(path: Path) -> bool:
    """Tell whether the PNG at `path` is of one colour."""
    return plt.imread(path)[..., :3].std() < 0.01


def spans(bars):
    """Return first and last position of the bars of a collection."""
    corners = [path.vertices[:, 0] for path in bars.get_paths()]
    return np.array([[x.min(), x.max()] for x in corners]).reshape(-1, 2)


def render_each(autoencoder, sliding):
    return {
        "ReconstructionDisplay": ReconstructionDisplay.from_estimator(autoencoder, X, index=3),
        "AnomalyScoreDisplay": AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES, LABELS),
        "ScoreDistributionDisplay": ScoreDistributionDisplay.from_estimator(autoencoder, X, X + 1),
        "LossCurveDisplay": LossCurveDisplay.from_estimator(autoencoder),
        "LatentDisplay": LatentDisplay.from_estimator(autoencoder, X),
    }


# ------------------------------------------------------------------------------ all of the displays


def test_each_display_is_rendered(autoencoder, sliding, tmp_path):
    displays = render_each(autoencoder, sliding)
    assert sorted(displays) == DISPLAYS
    for name, display in displays.items():
        display.figure_.savefig(tmp_path / f"{name}.png")
        assert not is_blank(tmp_path / f"{name}.png"), name


def test_each_display_is_drawn_on_the_axes_of_the_user(autoencoder, sliding, tmp_path):
    for name, display in render_each(autoencoder, sliding).items():
        figure, axes = plt.subplots(ncols=2, figsize=(14, 8), layout="constrained")
        assert display.plot(axes[1]) is display
        assert display.ax_ is axes[1], name
        assert display.figure_ is figure, name
        figure.savefig(tmp_path / "picture.png")
        drawn_on = getattr(display, "axes_", [axes[1]])
        assert min(ax.get_position().x0 for ax in drawn_on) > axes[0].get_position().x1, name


def test_panels_are_kept_apart_without_a_layout_engine(autoencoder, sliding):
    figure, ax = plt.subplots(figsize=(7, 8))
    display = ReconstructionDisplay.from_estimator(autoencoder, X, ax=ax)
    figure.draw_without_rendering()
    boxes = [panel.get_tightbbox() for panel in display.axes_]
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))


NO_MATPLOTLIB = """
import sys
from types import SimpleNamespace

import skl_lstmae

assert "matplotlib" not in sys.modules
"""


def test_importing_the_package_leaves_matplotlib_alone():
    completed = subprocess.run(
        [sys.executable, "-c", NO_MATPLOTLIB], capture_output=True, text=True, check=False
    )
    assert (completed.returncode, completed.stderr) == (0, "")


@pytest.mark.parametrize("name", DISPLAYS)
def test_without_matplotlib_one_sentence_says_how_to_install_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    sentence = (
        f"{name}.from_estimator draws with matplotlib, which is not installed; run pip install "
        "matplotlib."
    )
    arguments = [None] if name == "LossCurveDisplay" else [None, X]
    with pytest.raises(ImportError, match=f"^{re.escape(sentence)}$"):
        getattr(skl_lstmae, name).from_estimator(*arguments)


@pytest.mark.parametrize("make", [plt.figure, lambda: plt.subplots(2)[1]], ids=["figure", "array"])
def test_axes_that_are_none_are_refused(autoencoder, sliding, make):
    ax = make()
    for name, display in render_each(autoencoder, sliding).items():
        sentence = (
            f"{name}.plot draws on one matplotlib Axes, but ax is of type {type(ax).__name__}; "
            "pass one that plt.subplots() returns, or None."
        )
        with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
            display.plot(ax)


@pytest.mark.parametrize("name", DISPLAYS)
def test_an_unfitted_estimator_is_refused(name):
    is_of_rows = name == "AnomalyScoreDisplay"
    estimator = SlidingWindowDetector() if is_of_rows else LSTMAutoencoderDetector()
    arguments = [estimator] if name == "LossCurveDisplay" else [estimator, X]
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(skl_lstmae, name).from_estimator(*arguments)


@pytest.mark.parametrize(
    ("name", "estimator", "methods", "example"),
    [
        (
            "ReconstructionDisplay",
            PCA(),
            "reconstruct or predict_steps",
            "LSTMAutoencoderDetector or LSTMForecastDetector",
        ),
        (
            "ScoreDistributionDisplay",
            LocalOutlierFactor(),
            "score_samples",
            "LSTMAutoencoderDetector",
        ),
        ("ScoreDistributionDisplay", PCA(), "offset_", "LSTMAutoencoderDetector"),
        ("LossCurveDisplay", PCA(), "loss_curve_", "LSTMAutoencoderDetector"),
        ("LatentDisplay", LocalOutlierFactor(), "transform", "LSTMAutoencoderDetector"),
        ("LatentDisplay", StandardScaler(), "score_samples", "LSTMAutoencoderDetector"),
    ],
)
def test_an_estimator_of_another_kind_is_refused(name, estimator, methods, example):
    table = X[:, :, 0]
    estimator.fit(table)
    sentence = (
        f"{name}.from_estimator needs an estimator with {methods}, such as {example}; got "
        f"{type(estimator).__name__}."
    )
    arguments = [estimator] if name == "LossCurveDisplay" else [estimator, table]
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        getattr(skl_lstmae, name).from_estimator(*arguments)


def test_only_a_detector_of_rows_has_events_to_draw(autoencoder):
    class Other(PCA):
        def find_events(self, X):
            return []

    for estimator in autoencoder, Other(n_components=2).fit(SERIES):
        sentence = (
            "AnomalyScoreDisplay.from_estimator needs a SlidingWindowDetector; got "
            f"{type(estimator).__name__}."
        )
        with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
            AnomalyScoreDisplay.from_estimator(estimator, SERIES)


@pytest.mark.parametrize(
    ("display", "needed"),
    [
        (
            ReconstructionDisplay,
            "reconstruct or predict_steps, such as LSTMAutoencoderDetector or LSTMForecastDetector",
        ),
        (LatentDisplay, "transform, such as LSTMAutoencoderDetector"),
    ],
)
def test_for_a_detector_of_rows_its_detector_of_windows_is_named(sliding, display, needed):
    sentence = (
        f"{display.__name__}.from_estimator needs an estimator with {needed}; got "
        "SlidingWindowDetector; pass its detector_ and windows of the series as arrays, such as "
        "[X[:100], X[100:200]]."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        display.from_estimator(sliding, SERIES)
    display.from_estimator(sliding.detector_, [SERIES[:100], SERIES[100:200]])


def test_a_detector_of_windows_that_cannot_be_drawn_either_is_not_named():
    forest = IsolationForest(n_estimators=10, random_state=0)
    detector = SlidingWindowDetector(forest, window_size=20).fit(SERIES)
    sentence = (
        "LatentDisplay.from_estimator needs an estimator with transform, such as "
        "LSTMAutoencoderDetector; got SlidingWindowDetector."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        LatentDisplay.from_estimator(detector, SERIES)


# --------------------------------------------------------------------------------- reconstructions


def assert_shows(display, sequence, reconstruction, step_errors, feature_errors):
    assert_array_equal(display.features_, np.argsort(-feature_errors, kind="stable")[:4])
    for (observed, expected), j in zip(display.lines_, display.features_, strict=True):
        assert_array_equal(observed.get_ydata(), sequence[:, j])
        assert_array_equal(expected.get_ydata(), reconstruction[:, j])
    assert_array_equal(display.steps_.get_data().values, step_errors)


def test_reconstruction_is_that_of_the_estimator(autoencoder):
    display = ReconstructionDisplay.from_estimator(autoencoder, list(X), index=7)
    one = [X[7]]
    assert_shows(
        display,
        X[7],
        autoencoder.reconstruct(one)[0],
        autoencoder.reconstruction_error(one, per="timestep")[0],
        autoencoder.reconstruction_error(one, per="feature")[0],
    )
    assert display.lines_[0][1].get_label() == "reconstruction"
    # Colours alone would not do on a grey print.
    assert [line.get_linestyle() for line in display.lines_[0]] == ["-", "--"]


def test_cell_errors_square_to_the_errors_of_steps_and_features(autoencoder):
    # The loss is the squared error, and an error of a sequence the mean of its cells'.
    display = ReconstructionDisplay.from_estimator(autoencoder, X, index=7)
    squares = display.cell_errors**2 / X[7].size
    assert_allclose(squares.sum(axis=1), display.step_errors, rtol=1e-4)
    assert_allclose(squares.sum(axis=0), display.feature_errors, rtol=1e-4)
    assert_array_equal(display.strip_.get_array(), display.cell_errors.T)


def test_predictions_of_a_forecaster_are_drawn():
    detector = LSTMForecastDetector(**QUICK).fit(X)
    display = ReconstructionDisplay.from_estimator(detector, X, index=1)
    assert_shows(
        display,
        X[1],
        detector.predict_steps(X[1:2])[0],
        detector.prediction_error(X[1:2], per="timestep")[0],
        detector.prediction_error(X[1:2], per="feature")[0],
    )
    assert display.lines_[0][1].get_label() == "prediction"


def panel(sequences):
    n_sequences, n_timesteps, _ = np.shape(sequences)
    index = pd.MultiIndex.from_product([range(n_sequences), range(n_timesteps)])
    return pd.DataFrame(np.concatenate(sequences), index=index, columns=list("abc"))


@pytest.mark.parametrize(
    "form",
    [
        tuple,
        np.array,
        panel,
        lambda X: [pd.DataFrame(x, columns=list("abc")) for x in X],
        lambda X: np.concatenate([X, np.full((40, 5, 3), np.nan)], axis=1),
        lambda X: X[:, :, np.newaxis],
    ],
    ids=["tuple", "array", "panel", "frames", "padded", "4-D"],
)
def test_every_form_of_sequences_shows_the_same(form):
    X_formed = form(X)
    detector = LSTMAutoencoderDetector(latent_size=4, **QUICK).fit(X_formed)
    display = ReconstructionDisplay.from_estimator(detector, X_formed, index=7)
    expected = detector.reconstruct(X_formed)
    assert_array_equal(display.sequence, X[7])
    assert display.step_errors.shape == (20,)
    names = getattr(detector, "feature_names_in_", ["feature 0", "feature 1", "feature 2"])
    assert display.feature_names == list(names)
    rows = expected.loc[7] if form is panel else expected[7]
    assert_array_equal(display.reconstruction, np.reshape(rows, (-1, 3))[:20])


def test_a_table_of_sequences_has_a_single_feature():
    table = pd.DataFrame(X[:, :, 0]).rename(columns=str)
    detector = LSTMAutoencoderDetector(latent_size=4, **QUICK).fit(table)
    display = ReconstructionDisplay.from_estimator(detector, table, index=2)
    assert_array_equal(display.sequence[:, 0], X[2, :, 0])
    assert display.feature_names == ["feature 0"]


def test_missing_values_are_gaps_in_line_and_strip(autoencoder):
    gappy = X[:1].copy()
    gappy[0, 5:8] = np.nan
    gappy[0, 9, 1] = np.nan
    display = ReconstructionDisplay.from_estimator(autoencoder, gappy)
    is_missing = np.isnan(gappy[0])
    for (observed, expected), j in zip(display.lines_, display.features_, strict=True):
        assert_array_equal(np.isnan(observed.get_ydata()), is_missing[:, j])
        assert not np.isnan(expected.get_ydata()).any()
    assert_array_equal(np.ma.getmaskarray(display.strip_.get_array()), is_missing.T)


def test_a_value_between_two_gaps_has_a_dot():
    x = np.array([0.0, 1.0, np.nan, 2.0, np.nan, 3.0, 1.0])
    display = ReconstructionDisplay.from_predictions(x, np.ones(7))
    observed, _ = display.lines_[0]
    assert (observed.get_marker(), observed.get_markevery()) == (".", [3])


def test_of_many_features_those_that_err_most_have_panels_and_all_are_in_the_strip(tmp_path):
    x = waves(1, 50, 38)[0]
    x_reconstructed = x.copy()
    x_reconstructed[20:30, [31, 7, 12, 3]] += np.array([4.0, 3.0, 2.0, 1.0])
    display = ReconstructionDisplay.from_predictions(x, x_reconstructed)
    assert display.features_.tolist() == [31, 7, 12, 3]
    assert len(display.axes_) == 6
    assert display.strip_.get_array().shape == (38, 50)

    # Names beside the strip do not overlap.
    display.figure_.savefig(tmp_path / "picture.png")
    boxes = [label.get_window_extent() for label in display.axes_[-1].get_yticklabels()]
    assert len(boxes) > 10
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))


def test_a_long_strip_keeps_the_outstanding_step_of_each_column():
    x = np.zeros((6000, 1))
    x[4321] = 5.0
    display = ReconstructionDisplay.from_predictions(x, np.zeros((6000, 1)))
    columns = display.strip_.get_array()
    assert columns.shape == (1, 600)
    assert columns.argmax() == 432
    assert columns.max() == display.cell_errors.max()


def test_errors_of_predictions_are_shares_of_the_mean_square_in_standard_deviations():
    x = np.array([[0.0, 10.0], [2.0, np.nan], [4.0, 30.0]])
    display = ReconstructionDisplay.from_predictions(x, x + np.array([1.0, 10.0]))
    spread = np.array([np.std([0, 2, 4]), np.std([10, 30])])
    assert_allclose(display.cell_errors, np.where(np.isnan(x), np.nan, [1.0, 10.0] / spread))
    assert_allclose(display.step_errors.sum(), np.nanmean(display.cell_errors**2))
    assert_allclose(display.feature_errors.sum(), display.step_errors.sum())


def test_a_sequence_of_one_step_is_seen():
    display = ReconstructionDisplay.from_predictions([[1.0]], [[2.0]])
    assert [line.get_marker() for line in display.lines_[0]] == [".", "."]


def test_steps_and_rows_are_counted_in_whole_numbers():
    x = waves(1, 19, 1)[0]
    for display in (
        ReconstructionDisplay.from_predictions(x, x),
        AnomalyScoreDisplay.from_predictions(x, x[:, 0], offset=-2.0),
    ):
        display.figure_.draw_without_rendering()
        ticks = display.axes_[-1].get_xticks()
        assert len(ticks) > 3
        assert_array_equal(ticks, np.round(ticks))


@pytest.mark.parametrize("index", [-1, 40])
def test_a_sequence_that_is_not_there_is_refused(autoencoder, index):
    sentence = (
        f"index={index}, but the sequences of X are numbered from 0 to 39; pass one of these "
        "numbers."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ReconstructionDisplay.from_estimator(autoencoder, X, index=index)


def test_a_reconstruction_of_another_shape_is_refused():
    sentence = (
        "reconstruction has shape (5, 3) as (n_timesteps, n_features); expected (6, 3), that of "
        "sequence."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ReconstructionDisplay.from_predictions(np.ones((6, 3)), np.ones((5, 3)))


def test_names_too_few_are_refused(autoencoder):
    sentence = "feature_names holds 2 names; expected 3, one a feature."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ReconstructionDisplay.from_estimator(autoencoder, X, feature_names=["a", "b"])


def test_axes_that_no_grid_holds_are_refused(autoencoder):
    ax = plt.figure().add_axes((0, 0, 1, 1))
    sentence = (
        "ReconstructionDisplay.plot divides the place of ax in a grid of subplots, but this ax has "
        "none; make it by plt.subplots or add_subplot."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ReconstructionDisplay.from_estimator(autoencoder, X, ax=ax)


@pytest.mark.parametrize("max_features", [-1, 2.5, "all"])
def test_numbers_of_panels_that_are_none_are_refused(autoencoder, sliding, max_features):
    draws = [
        lambda **options: ReconstructionDisplay.from_estimator(autoencoder, X, **options),
        lambda **options: ReconstructionDisplay.from_predictions(X[0], X[0], **options),
        ReconstructionDisplay.from_predictions(X[0], X[0]).plot,
        lambda **options: AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES, **options),
        lambda **options: AnomalyScoreDisplay.from_predictions(
            NEW_SERIES, np.zeros(300), offset=-1.0, **options
        ),
        AnomalyScoreDisplay.from_predictions(NEW_SERIES, np.zeros(300), offset=-1.0).plot,
    ]
    for draw in draws:
        with pytest.raises(ValueError, match=r"'max_features' parameter of .* must be an int in"):
            draw(max_features=max_features)


def test_no_feature_may_have_a_panel():
    reconstruction = ReconstructionDisplay.from_predictions(X[0], X[0], max_features=0)
    scores = AnomalyScoreDisplay.from_predictions(
        NEW_SERIES, np.zeros(300), offset=-1.0, max_features=0
    )
    assert (len(reconstruction.axes_), len(scores.axes_)) == (2, 3)


def test_columns_that_are_numbers_are_called_features():
    frame = pd.DataFrame(X[0])
    reconstruction = ReconstructionDisplay.from_predictions(frame, frame)
    scores = AnomalyScoreDisplay.from_predictions(frame, np.zeros(20), offset=-1.0)
    for display in reconstruction, scores:
        assert display.axes_[0].get_title(loc="left") == "feature 0"


def test_colours_of_errors_are_explained(autoencoder):
    display = ReconstructionDisplay.from_estimator(autoencoder, X)
    assert display.strip_.colorbar.ax.get_ylabel() == "Error, scaled"


# ----------------------------------------------------------------------------------- long series


def test_scores_and_events_are_those_of_the_estimator(sliding):
    display = AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES, LABELS, max_gap=5)
    events = sliding.find_events(NEW_SERIES, max_gap=5)
    assert len(events) > 0
    assert_array_equal(display.score_line_.get_ydata(), sliding.score_samples(NEW_SERIES))
    assert_array_equal(display.threshold_line_.get_ydata(), [sliding.offset_] * 2)
    assert display.threshold_line_.get_label() == f"threshold, {sliding.offset_:.4g}"
    assert_array_equal(display.events, events[["start", "end"]] + [0, 1])
    # A bar reaches half a row beyond the first and the last row.
    assert_allclose(spans(display.event_bars_), events[["start", "end"]] + [-0.5, 0.5])
    assert_allclose(spans(display.true_event_bars_), [[99.5, 109.5]])
    for line, j in zip(display.lines_, display.features_, strict=True):
        assert_array_equal(line.get_ydata(), NEW_SERIES[:, j])


def test_a_series_is_scored_once(sliding, monkeypatch):
    n_calls = []
    score = SlidingWindowDetector._score_samples
    monkeypatch.setattr(
        SlidingWindowDetector,
        "_score_samples",
        lambda self, series: n_calls.append(1) or score(self, series),
    )
    AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES)
    assert len(n_calls) == 1


@pytest.mark.parametrize("option", [{"max_gap": -1}, {"min_length": 0}])
def test_options_of_events_are_checked(sliding, option):
    (name,) = option
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES, **option)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_timestamps_are_on_the_axis(sliding, zone):
    index = TIMES.tz_localize(zone)
    display = AnomalyScoreDisplay.from_estimator(
        sliding, pd.DataFrame(NEW_SERIES, index=index), LABELS
    )
    assert_array_equal(display.score_line_.get_xdata(), date2num(index))
    borders = index[[100, 110]] - pd.Timedelta("30min")
    assert_allclose(spans(display.true_event_bars_), [date2num(borders)], rtol=0, atol=1e-6)

    display.figure_.draw_without_rendering()
    ticks = num2date(display.axes_[-1].get_xticks(), index.tz)
    assert len(ticks) > 2
    assert {tick.hour for tick in ticks} == {0}  # midnights of the index's own time zone


def test_periods_durations_and_times_of_panels_are_on_the_axis(sliding):
    by_period = pd.DataFrame(NEW_SERIES, index=TIMES.to_period("h"))
    by_duration = pd.DataFrame(NEW_SERIES, index=TIMES - TIMES[0])
    by_id = pd.concat({"a": pd.DataFrame(NEW_SERIES, index=TIMES)})
    hours = 3600.0 * np.arange(300)
    for frame, x in (by_period, date2num(TIMES)), (by_duration, hours), (by_id, date2num(TIMES)):
        display = AnomalyScoreDisplay.from_estimator(sliding, frame, LABELS)
        events = sliding.find_events(frame)
        assert_allclose(display.score_line_.get_xdata(), x, rtol=0, atol=1e-6)
        assert [
            frame.index[first][-1] if frame is by_id else frame.index[first]
            for first, _ in display.events
        ] == list(events["start"])


def test_users_can_add_to_panels_at_timestamps(sliding):
    frame = pd.DataFrame(NEW_SERIES, index=TIMES)
    display = AnomalyScoreDisplay.from_estimator(sliding, frame)
    line = display.axes_[0].axvline(np.datetime64("2024-03-02"))
    assert line.get_xdata(orig=False)[0] == date2num(np.datetime64("2024-03-02"))


def test_one_of_several_series_is_drawn(sliding):
    several = [SERIES[:200], NEW_SERIES]
    display = AnomalyScoreDisplay.from_estimator(sliding, several, [np.ones(200), LABELS], index=1)
    assert_array_equal(display.score_line_.get_ydata(), sliding.score_samples(several)[1])
    assert display.true_events.tolist() == [[100, 110]]

    long_format = pd.concat({i: pd.DataFrame(x) for i, x in enumerate(several)})
    display_of_panel = AnomalyScoreDisplay.from_estimator(
        sliding, long_format, np.r_[np.ones(200), LABELS], index=1
    )
    assert_array_equal(display_of_panel.scores, display.scores)
    assert_array_equal(display_of_panel.events, display.events)
    assert_array_equal(display_of_panel.true_events, display.true_events)


def test_a_series_that_is_not_there_is_refused(sliding):
    sentence = "index=1, but the series of X are numbered from 0 to 0; pass one of these numbers."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES, index=1)


@pytest.mark.parametrize(
    "y",
    [
        np.array([1, 1, -1, -1, 1, -1]),
        np.array([0, 0, 1, 1, 0, 1]),
        [False, False, True, True, False, True],
        pd.Series([0.0, 0.0, 1.0, 1.0, 0.0, 1.0]),
    ],
    ids=["-1 and +1", "0 and 1", "bool", "float"],
)
def test_labels_of_either_convention_make_the_true_events(y):
    display = AnomalyScoreDisplay.from_predictions(np.ones(6), np.zeros(6), offset=-1.0, y=y)
    assert display.true_events.tolist() == [[2, 4], [5, 6]]


def test_ones_alone_are_normal_unless_they_are_bool():
    draw = AnomalyScoreDisplay.from_predictions
    ones = np.ones(4)
    assert draw(ones, ones, offset=0.0, y=ones).true_events.tolist() == []
    assert draw(ones, ones, offset=0.0, y=ones == 1).true_events.tolist() == [[0, 4]]


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (
            [0, 1, 2],
            "y holds the labels [0, 1, 2]; expected -1 (anomalous) and +1 (normal), or 1 "
            "(anomalous) and 0 (normal).",
        ),
        ([0, 1], "y has shape (2,); expected (3,), one value a row."),
    ],
)
def test_labels_of_no_convention_or_another_number_are_refused(y, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        AnomalyScoreDisplay.from_predictions(np.ones(3), np.ones(3), offset=0.0, y=y)


def test_chosen_events_are_drawn_in_place_of_all(sliding):
    frame = pd.DataFrame(NEW_SERIES, index=TIMES)
    events = sliding.find_events(frame)
    chosen = events.nsmallest(1, "peak_score")
    scores = sliding.score_samples(frame)
    display = AnomalyScoreDisplay.from_predictions(
        frame, scores, offset=sliding.offset_, events=chosen
    )
    first = frame.index.get_loc(chosen["start"].iloc[0])
    assert display.events.tolist() == [[first, first + chosen["n_rows"].iloc[0]]]

    # Without pandas, find_events returns named tuples.
    display_of_tuples = AnomalyScoreDisplay.from_predictions(
        frame, scores, offset=sliding.offset_, events=list(chosen.itertuples(index=False))
    )
    assert_array_equal(display_of_tuples.events, display.events)

    display_of_all = AnomalyScoreDisplay.from_predictions(frame, scores, offset=sliding.offset_)
    assert len(display_of_all.events) == len(events)


def test_events_may_be_rows_as_the_display_keeps_them():
    draw = AnomalyScoreDisplay.from_predictions
    frame = pd.DataFrame(NEW_SERIES, index=TIMES)
    events = np.array([[3, 5], [299, 300]])
    for form in events, events.tolist(), pd.DataFrame(events):
        display = draw(frame, np.zeros(300), offset=-1.0, events=form)
        assert_array_equal(display.events, events)
        assert len(display.event_bars_.get_paths()) == 2
        again = draw(frame, np.zeros(300), offset=-1.0, events=display.events)
        assert_array_equal(again.events, events)


def test_no_events_are_drawn_if_none_are_chosen(sliding):
    none_found = sliding.find_events(NEW_SERIES).iloc[:0]
    for form in none_found, [], np.empty((0, 2), dtype=int):
        display = AnomalyScoreDisplay.from_predictions(
            NEW_SERIES, np.full(300, -2.0), offset=-1.0, events=form
        )
        assert display.events.shape == (0, 2)


@pytest.mark.parametrize(
    "events",
    [
        [[3, 3]],
        [[-1, 3]],
        [[3, 301]],
        [3, 5],
        [[3.0, 5.0]],
        [["3", "5"]],
        [[3, 5], [7]],
        5,
        "all",
        pd.DataFrame({"start": [3], "end": [5]}).assign(peak=4),
    ],
    ids=str,
)
def test_events_of_another_form_are_refused(events):
    sentence = (
        "events is none that can be drawn; expected what find_events returns, or integers of shape "
        "(n_events, 2), the first row of each event and the row after its last, which is at most "
        "300."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        AnomalyScoreDisplay.from_predictions(NEW_SERIES, np.zeros(300), offset=-1.0, events=events)


def test_an_event_of_one_row_is_seen_in_the_panel_of_the_scores(tmp_path):
    series = np.zeros((20_000, 1))
    looks = []
    for events in np.array([[9000, 9001]]), []:
        display = AnomalyScoreDisplay.from_predictions(
            series, np.zeros(20_000), offset=-1.0, events=events
        )
        display.figure_.savefig(tmp_path / "picture.png")
        picture = plt.imread(tmp_path / "picture.png")[..., :3]
        panel = display.axes_[-2].get_window_extent()
        x = int(display.axes_[-2].transData.transform((9000.5, 0))[0])
        middle = len(picture) - int(panel.y0 + 0.3 * panel.height)
        looks.append(picture[middle, x - 2 : x + 3].min(axis=(0, 1)))
    assert looks[1] - looks[0] > 0.3


def test_of_many_features_those_to_blame_have_panels_and_all_are_in_the_strip():
    series = waves(1, 1300, 9)[0]
    inner = LSTMAutoencoderDetector(latent_size=4, **QUICK)
    detector = SlidingWindowDetector(inner, window_size=20, training_stride=5).fit(series[:1000])
    series[1100:1120, 6] += 9.0
    display = AnomalyScoreDisplay.from_estimator(detector, series[1000:])
    totals = np.zeros(9)
    for event in detector.find_events(series[1000:]).itertuples():
        for feature, share in event.features.items():
            totals[feature] += share * event.n_rows
    assert display.features_[0] == 6
    assert_array_equal(display.features_, np.argsort(-totals, kind="stable")[:4])
    assert len(display.axes_) == 4 + 1 + 2
    columns = display.strip_.get_array()
    assert columns.shape == (9, 300)
    assert_array_equal(columns.min(axis=1), np.zeros(9))
    assert_array_equal(columns.max(axis=1), np.ones(9))


def test_detectors_without_errors_show_the_first_features():
    series = waves(1, 600, 6)[0]
    forest = IsolationForest(n_estimators=10, random_state=0)
    detector = SlidingWindowDetector(forest, window_size=20).fit(series)
    display = AnomalyScoreDisplay.from_estimator(detector, series)
    assert display.features_.tolist() == [0, 1, 2, 3]


def test_missing_rows_are_gaps(sliding):
    gappy = NEW_SERIES.copy()
    gappy[200:220] = np.nan
    display = AnomalyScoreDisplay.from_estimator(sliding, gappy)
    assert_array_equal(np.isnan(display.lines_[0].get_ydata()), np.isnan(gappy[:, 0]))


# --------------------------------------------------------------------------------------- scores


def test_distributions_are_of_the_scores_and_rates_of_the_predictions(autoencoder):
    X_new = X + 0.7
    display = ScoreDistributionDisplay.from_estimator(autoencoder, X, X_new, bins=12)
    for bars, X_drawn in (display.reference_bars_, X), (display.new_bars_, X_new):
        shares, edges, _ = bars.get_data()
        counts, _ = np.histogram(autoencoder.score_samples(X_drawn), edges)
        assert_allclose(shares * len(X_drawn), counts)
        assert autoencoder.offset_ in edges
        assert_allclose(np.diff(edges), edges[1] - edges[0])
        assert len(shares) in (12, 13)  # one more for the shift of the edges to the threshold
    assert display.end_labels_ == []
    assert_array_equal(display.threshold_line_.get_xdata(), [autoencoder.offset_] * 2)
    assert display.false_alarm_rate == np.mean(autoencoder.predict(X) == -1)
    assert display.alarm_rate == np.mean(autoencoder.predict(X_new) == -1)
    assert display.alarm_rate > 0
    assert {text.get_text() for text in display.ax_.get_legend().get_texts()} == {
        f"40 normal: {display.false_alarm_rate:.1%} false alarms",
        f"40 new: {display.alarm_rate:.1%} below the threshold",
        f"threshold, {autoencoder.offset_:.4g}",
    }


@pytest.mark.parametrize("bins", [30, "auto"])
def test_a_far_score_does_not_squeeze_the_others(bins, tmp_path):
    rng = np.random.default_rng(0)
    reference, new = rng.normal(size=(2, 200))
    reference[7], new[[3, 50]] = 40.0, [-1000.0, -800.0]
    display = ScoreDistributionDisplay.from_predictions(reference, new, offset=-2.5, bins=bins)
    for bars, scores in (display.reference_bars_, reference), (display.new_bars_, new):
        shares, edges, _ = bars.get_data()
        assert edges[-1] - edges[0] < 10
        assert -2.5 in edges
        assert_allclose(shares.sum(), 1)
        assert_allclose(shares[[0, -1]], [np.mean(scores < -100), np.mean(scores > 10)])
        below = shares[edges[:-1] < -2.5].sum()
        assert_allclose(below, np.mean(scores < -2.5))
    texts = [label.get_text() for label in display.end_labels_]
    assert texts == ["2 lower, down to -1000", "1 higher, up to 40"]
    assert (display.false_alarm_rate, display.alarm_rate) == (
        np.mean(reference < -2.5),
        np.mean(new < -2.5),
    )
    display.figure_.savefig(tmp_path / "picture.png")
    assert not is_blank(tmp_path / "picture.png")


def test_equal_scores_have_a_bin_beside_the_threshold():
    display = ScoreDistributionDisplay.from_predictions(np.ones(5), offset=1.0)
    shares, edges, _ = display.reference_bars_.get_data()
    assert shares[edges[:-1] == 1.0].tolist() == [1.0]


def test_reference_scores_may_stand_alone(autoencoder):
    display = ScoreDistributionDisplay.from_estimator(autoencoder, X)
    assert (display.new_scores, display.alarm_rate, display.new_bars_) == (None, None, None)


def test_rows_of_several_series_are_samples(sliding):
    display = ScoreDistributionDisplay.from_estimator(sliding, [SERIES, NEW_SERIES], NEW_SERIES)
    assert_array_equal(
        display.reference_scores, np.concatenate(sliding.score_samples([SERIES, NEW_SERIES]))
    )
    assert_array_equal(display.new_scores, sliding.score_samples(NEW_SERIES))


def test_scores_that_are_none_are_refused():
    sentence = (
        "new_scores has shape (2,) and 1 values that are not finite; expected (n_samples,) finite "
        "scores, one at least."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ScoreDistributionDisplay.from_predictions([1.0], [np.nan, 1.0], offset=0.0)


# --------------------------------------------------------------------------------------- losses


def test_losses_are_those_of_the_estimator_and_the_lowest_is_marked(autoencoder):
    display = LossCurveDisplay.from_estimator(autoencoder)
    epochs = np.arange(1, 1 + autoencoder.n_epochs_)
    validation = autoencoder.validation_loss_curve_
    assert_array_equal(display.line_.get_xydata(), np.c_[epochs, autoencoder.loss_curve_])
    assert_array_equal(display.validation_line_.get_xydata(), np.c_[epochs, validation])
    best = validation.index(min(validation))
    assert display.best_epoch == 1 + best
    assert display.line_.get_linestyle() != display.validation_line_.get_linestyle()
    assert_array_equal(display.best_point_.get_xydata(), [[1 + best, validation[best]]])


def test_losses_without_validation_have_no_best_epoch():
    detector = LSTMAutoencoderDetector(latent_size=4, early_stopping=False, **QUICK).fit(X)
    display = LossCurveDisplay.from_estimator(detector)
    assert display.line_.get_ydata().tolist() == detector.loss_curve_
    assert (display.best_epoch, display.validation_line_, display.best_point_) == (None,) * 3


def test_epochs_without_validation_are_gaps_beside_the_others():
    detector = LSTMAutoencoderDetector(latent_size=4, warm_start=True, **QUICK)
    detector.partial_fit(X).fit(X).partial_fit(X)
    display = LossCurveDisplay.from_estimator(detector)
    drawn = display.validation_line_.get_xydata()
    assert_array_equal(drawn[:, 0], 1 + np.arange(detector.n_epochs_))
    assert np.isnan(drawn[[0, -1], 1]).all()
    assert display.best_epoch == 1 + np.nanargmin(drawn[:, 1])
    assert_array_equal(display.best_point_.get_xydata(), drawn[[display.best_epoch - 1]])

    unvalidated = LossCurveDisplay(loss_curve=[2.0, 1.0], validation_loss_curve=[np.nan, np.nan])
    assert (unvalidated.best_epoch, unvalidated.plot().validation_line_) == (None, None)


def test_losses_of_a_sliding_window_are_those_of_its_detector(sliding):
    display = LossCurveDisplay.from_estimator(sliding)
    assert display.loss_curve == sliding.detector_.loss_curve_


def test_a_curve_without_losses_is_refused():
    sentence = (
        "LossCurveDisplay.plot found no losses, as loss_curve is empty; expected those of one "
        "epoch at least."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        LossCurveDisplay(loss_curve=[]).plot()


@pytest.mark.parametrize(
    ("losses", "scale"), [([1.0, 0.05], "log"), ([1.0, 0.5], "linear"), ([1.0, 0.0], "linear")]
)
def test_losses_of_a_wide_range_are_on_a_logarithmic_scale(losses, scale):
    assert LossCurveDisplay(loss_curve=losses).plot().ax_.get_yscale() == scale


# --------------------------------------------------------------------------------------- latents


def test_latents_are_projected_and_coloured_by_score(autoencoder):
    X_new = np.concatenate([X, X[:5] + 2.0])
    display = LatentDisplay.from_estimator(autoencoder, X_new)
    pca = PCA(2, svd_solver="full")
    points = pca.fit_transform(autoencoder.transform(X_new).astype(np.float64))
    scores, labels = autoencoder.score_samples(X_new), autoencoder.predict(X_new)
    assert set(labels) == {-1, 1}
    for name, label in ("normal", 1), ("anomalous", -1):
        drawn = display.points_[name]
        assert_allclose(drawn.get_offsets(), points[labels == label])
        assert_array_equal(drawn.get_array(), scores[labels == label])
        assert drawn.get_clim() == (scores.min(), scores.max())
    assert_allclose(display.explained_variance_ratio, pca.explained_variance_ratio_)


def test_latents_are_told_apart_by_label_in_colour_and_shape(autoencoder):
    y = np.array(["left", "middle", "right", "right"] * 10)
    display = LatentDisplay.from_estimator(autoencoder, X, y)
    assert set(display.points_) == {"left", "middle", "right"}
    for label, drawn in display.points_.items():
        assert_array_equal(drawn.get_offsets(), display.points[y == label])
    looks = [(d.get_facecolor()[0], d.get_paths()[0].vertices) for d in display.points_.values()]
    colours, shapes = ({values.tobytes() for values in look} for look in zip(*looks, strict=True))
    assert (len(colours), len(shapes)) == (3, 3)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["left", "middle", "right"]


@pytest.mark.parametrize("n_labels", [9, 20, 33])
def test_a_legend_of_many_labels_fits_and_names_no_more_than_twenty(n_labels):
    y = np.concatenate([np.arange(n_labels), np.arange(5), np.arange(n_labels - 3, n_labels)])
    latents = np.random.default_rng(0).normal(size=(len(y), 4))
    display = LatentDisplay.from_predictions(latents, y=y)
    legend = display.ax_.get_legend()
    display.figure_.draw_without_rendering()

    named = [int(text.get_text()) for text in legend.get_texts()]
    assert named == sorted(named)
    assert len(named) == min(n_labels, 20)
    assert set(named) >= {*range(5), *range(n_labels - 3, n_labels)}  # the frequent ones
    title = legend.get_title().get_text()
    assert title == ("13 rarer not named" if n_labels == 33 else "")

    assert len(display.points_) == n_labels
    looks = {
        (d.get_facecolor()[0].tobytes(), d.get_paths()[0].vertices.tobytes())
        for d in display.points_.values()
    }
    assert len(looks) == n_labels

    page, box = display.figure_.bbox, legend.get_window_extent()
    assert (box.y0 >= page.y0, box.y1 <= page.y1, box.x1 <= page.x1) == (True, True, True)
    heights = [text.get_window_extent() for text in legend.get_texts()]
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(heights))


def test_latents_may_have_neither_score_nor_label():
    latents = np.random.default_rng(0).normal(size=(9, 3))
    display = LatentDisplay.from_predictions(latents)
    assert_array_equal(display.points_["normal"].get_offsets(), display.points)


def test_latents_of_one_dimension_are_refused():
    detector = LSTMAutoencoderDetector(latent_size=1, **QUICK).fit(X)
    sentence = (
        "the latents have shape (40, 1); expected (n_sequences, latent_size), two at least of each."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        LatentDisplay.from_estimator(detector, X)


LATENTS = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize(
    ("y", "places", "names"),
    [
        ([1, None, "a", 1, "a"], {None: [1], 1: [0, 3], "a": [2, 4]}, ["1", "a", "no label"]),
        (["a", np.nan, "b", None, "b"], {None: [1, 3], "a": [0], "b": [2, 4]}, ["a", "b", None]),
        (
            [2.0, np.nan, 10.0, 2.0, 2.0],
            {None: [1], 2.0: [0, 3, 4], 10.0: [2]},
            ["2.0", "10.0", None],
        ),
        (pd.array([2, None, 10, 2, 2]), {None: [1], 2: [0, 3, 4], 10: [2]}, ["2", "10", None]),
        ([None] * 5, {None: [0, 1, 2, 3, 4]}, [None]),
    ],
    ids=["mixed", "text", "float", "pandas", "none"],
)
def test_labels_may_be_missing_or_of_several_kinds(y, places, names):
    display = LatentDisplay.from_predictions(LATENTS, y=y)
    assert set(display.points_) == set(places)
    for label, rows in places.items():
        assert_array_equal(display.points_[label].get_offsets(), display.points[rows])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [name or "no label" for name in names]


def test_labels_of_another_number_are_refused():
    sentence = "y has shape (4,); expected (5,), one value a sequence."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        LatentDisplay.from_predictions(LATENTS, y=[1, None, "a", 1])


def test_constant_latents_have_no_variance_to_explain():
    display = LatentDisplay.from_predictions(np.ones((5, 3)))
    assert display.explained_variance_ratio.tolist() == [0.0, 0.0]
    assert display.ax_.get_xlabel() == "Component 1 (0% of the variance)"


def test_latents_that_are_not_finite_are_refused():
    latents = LATENTS.copy()
    latents[[2, 4], [0, 1]] = np.nan, np.inf
    sentence = (
        "the latents of 2 sequences, the first of them #2, hold values that are not finite; leave "
        "these sequences out."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        LatentDisplay.from_predictions(latents)
