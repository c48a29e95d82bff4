"""Displays draw what the estimators' public methods return, and refuse what they cannot draw."""

import itertools
import re
import subprocess
import sys
from copy import copy
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, fitted, make_series, make_waves
from matplotlib.dates import date2num, num2date
from matplotlib.transforms import Bbox
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

import skl_lstmae
from skl_lstmae import (
    AnomalyScoreDisplay,
    AttributionDisplay,
    LatentDisplay,
    LossCurveDisplay,
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    ReconstructionDisplay,
    ScoreDistributionDisplay,
    SlidingWindowDetector,
)
from skl_lstmae.detectors.events import Event

# After few epochs some stretches of plain waves are unlike the rest.
pytestmark = pytest.mark.filterwarnings("ignore:Set aside as unlike the others")

X = make_waves(40, 20, 3)
SERIES = make_series(900)
NEW_SERIES = make_series(300)
NEW_SERIES[100:110] = 3.0
LABELS = np.where(NEW_SERIES[:, 0] == 3.0, -1, 1)
TIMES = pd.date_range("2024-03-01", periods=300, freq="h", name="time")
TIMED = pd.DataFrame(NEW_SERIES, index=TIMES)
LATENTS = np.random.default_rng(0).normal(size=(5, 3))
BROKEN = LATENTS.copy()
BROKEN[[2, 4], [0, 1]] = np.nan, np.inf
FOREST_OF_WINDOWS = SlidingWindowDetector(IsolationForest(n_estimators=10), window_size=20)

DISPLAYS = [getattr(skl_lstmae, name) for name in skl_lstmae.__all__ if name.endswith("Display")]
of_each_display = pytest.mark.parametrize("display", DISPLAYS, ids=lambda cls: cls.__name__)

draw_reconstruction = ReconstructionDisplay.from_predictions
draw_scores = partial(AnomalyScoreDisplay.from_predictions, offset=-1.0)
draw_distribution = partial(ScoreDistributionDisplay.from_predictions, offset=0.0)
draw_latents = LatentDisplay.from_predictions


def make_autoencoder(**parameters):
    return LSTMAutoencoderDetector(latent_size=4, **QUICK, **parameters)


@pytest.fixture(scope="module")
def autoencoder():
    return fitted(make_autoencoder(), X)


@pytest.fixture(scope="module")
def sliding():
    return fitted(SlidingWindowDetector(make_autoencoder(), window_size=20), SERIES)


@pytest.fixture(scope="module")
def classifier():
    return LSTMClassifier(**QUICK).fit(X, np.arange(40) % 3)


@pytest.fixture
def draw(display, autoencoder, sliding, classifier):
    """Return what draws a display, of the class that the test is parametrized by."""
    arguments = {
        AnomalyScoreDisplay: (sliding, NEW_SERIES, LABELS),
        AttributionDisplay: (classifier, X),
        LatentDisplay: (autoencoder, X),
        LossCurveDisplay: (autoencoder,),
        ReconstructionDisplay: (autoencoder, X),
        ScoreDistributionDisplay: (autoencoder, X, X + 1),
    }
    return partial(display.from_estimator, *arguments[display])


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def refuses(error, sentence):
    return pytest.raises(error, match=f"^{re.escape(sentence)}$")


def is_blank(figure, path):
    """Tell whether a figure is of one colour."""
    figure.savefig(path)
    return plt.imread(path)[..., :3].std() < 0.01


def are_apart(artists):
    """Tell whether what is drawn from top to bottom does not overlap."""
    boxes = [artist.get_tightbbox() for artist in artists]
    return all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))


def spans(bars):
    """Return first and last position of the bars of a collection."""
    corners = [path.vertices[:, 0] for path in bars.get_paths()]
    return np.array([[x.min(), x.max()] for x in corners]).reshape(-1, 2)


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


# ------------------------------------------------------------------------------ all of the displays


ODD = ["a$b%c$d", "Ba$$in"]
"""Names that matplotlib cannot read as mathematics."""


def draw_attributions_of_odd_classes(*, from_estimator):
    if not from_estimator:
        x = X[0][:, :2]
        display = AttributionDisplay(
            sequence=x, attributions=x, feature_names=ODD, prediction=ODD[0]
        )
        return display.plot()
    frames = [pd.DataFrame(x[:, :2], columns=ODD) for x in X]
    return AttributionDisplay.from_estimator(LSTMClassifier(**QUICK).fit(frames, ODD * 20), frames)


WITH_ODD_NAMES = {
    "attributions of an estimator": partial(draw_attributions_of_odd_classes, from_estimator=True),
    "attributions": partial(draw_attributions_of_odd_classes, from_estimator=False),
    "reconstruction": lambda: draw_reconstruction(X[0][:, :2], X[0][:, :2], feature_names=ODD),
    "scores": lambda: draw_scores(
        pd.DataFrame(NEW_SERIES, pd.RangeIndex(300, name=ODD[0]), ODD), np.zeros(300)
    ),
    "latents": lambda: draw_latents(LATENTS, y=[*ODD, *ODD, ODD[0]]),
}


@pytest.mark.parametrize("draw_odd", WITH_ODD_NAMES.values(), ids=WITH_ODD_NAMES)
def test_names_with_dollars_are_drawn_as_they_are(draw_odd):
    figure = draw_odd().figure_
    figure.canvas.draw()
    texts = [text.get_text() for text in figure.findobj(plt.Text)]
    for name in ODD:
        assert any(name.replace("$", r"\$") in text for text in texts)


def legends(figure):
    return [ax.get_legend() for ax in figure.axes if ax.get_legend()]


@of_each_display
def test_no_legend_covers_data_and_no_label_leaves_the_picture(draw):
    figure = draw().figure_
    figure.draw_without_rendering()
    for legend in legends(figure):
        box, ax = legend.get_window_extent().padded(-1), legend.axes
        for artist in [*ax.lines, *ax.patches]:
            seen = Bbox.intersection(artist.get_window_extent(), ax.get_window_extent())
            assert seen is None or Bbox.intersection(seen, box) is None
        for points in ax.collections:
            for point in ax.transData.transform(points.get_offsets()):
                assert not box.contains(*point)
    inches = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert inches.x0 >= -0.01
    assert inches.y0 >= -0.01
    assert inches.x1 <= width + 0.01
    assert inches.y1 <= height + 0.01


@pytest.mark.parametrize("layout", [None, "constrained"])
@of_each_display
def test_each_display_is_drawn_anew_or_on_the_axes_of_the_user(draw, layout, tmp_path):
    drawn = draw()
    assert not is_blank(drawn.figure_, tmp_path / "picture.png")

    figure, axes = plt.subplots(ncols=2, figsize=(14, 8), layout=layout)
    assert drawn.plot(axes[1]) is drawn
    assert drawn.ax_ is axes[1]
    assert drawn.figure_ is figure
    figure.draw_without_rendering()
    drawn_on = getattr(drawn, "axes_", [axes[1]])
    assert min(ax.get_position().x0 for ax in drawn_on) > axes[0].get_position().x1
    assert are_apart(drawn_on)


def test_importing_the_package_leaves_matplotlib_alone():
    code = "import sys, skl_lstmae; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@of_each_display
def test_without_matplotlib_one_sentence_says_how_to_install_it(display, draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    sentence = (
        f"{display.__name__}.from_estimator draws with matplotlib, which is not installed; run pip "
        "install matplotlib."
    )
    with refuses(ImportError, sentence):
        draw()


@pytest.mark.parametrize("make", [plt.figure, lambda: plt.subplots(2)[1]], ids=["figure", "array"])
@of_each_display
def test_axes_that_are_none_are_refused(display, draw, make):
    ax = make()
    sentence = (
        f"{display.__name__}.plot draws on one matplotlib Axes, but ax is of type "
        f"{type(ax).__name__}; pass one that plt.subplots() returns, or None."
    )
    with refuses(TypeError, sentence):
        draw(ax=ax)


@of_each_display
def test_an_unfitted_estimator_is_refused(display, draw):
    estimator, *others = draw.args
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        display.from_estimator(type(estimator)(), *others)


class FindsEvents(PCA):
    def find_events(self, X):
        return []


LIKE_EITHER = ", such as LSTMAutoencoderDetector or LSTMForecastDetector"
LIKE_A_PREDICTOR = ", such as LSTMClassifier or LSTMRegressor"
LIKE_THE_FIRST = ", such as LSTMAutoencoderDetector"
HINT = "; pass its detector_ and windows of the series as arrays, such as [X[:100], X[100:200]]"


@pytest.mark.parametrize(
    ("display", "estimator", "needed"),
    [
        (AttributionDisplay, PCA(2), f"with attributions{LIKE_A_PREDICTOR}"),
        (ReconstructionDisplay, PCA(2), f"with reconstruct or predict_steps{LIKE_EITHER}"),
        (ScoreDistributionDisplay, LocalOutlierFactor(), f"with score_samples{LIKE_THE_FIRST}"),
        (ScoreDistributionDisplay, PCA(2), f"with offset_{LIKE_THE_FIRST}"),
        (LossCurveDisplay, PCA(2), f"with loss_curve_{LIKE_THE_FIRST}"),
        (LatentDisplay, LocalOutlierFactor(), f"with transform{LIKE_THE_FIRST}"),
        (LatentDisplay, StandardScaler(), f"with score_samples{LIKE_THE_FIRST}"),
        (LatentDisplay, FOREST_OF_WINDOWS, f"with transform{LIKE_THE_FIRST}"),
    ],
)
def test_an_estimator_of_another_kind_is_refused(display, estimator, needed):
    estimator.fit(SERIES)
    caller, name = f"{display.__name__}.from_estimator", type(estimator).__name__
    with refuses(TypeError, f"{caller} needs an estimator {needed}; got {name}."):
        display.from_estimator(estimator, *() if display is LossCurveDisplay else [SERIES])


def test_only_a_detector_of_rows_has_events_to_draw(autoencoder):
    for estimator in autoencoder, FindsEvents(2).fit(SERIES):
        sentence = "AnomalyScoreDisplay.from_estimator needs a SlidingWindowDetector; got "
        with refuses(TypeError, f"{sentence}{type(estimator).__name__}."):
            AnomalyScoreDisplay.from_estimator(estimator, SERIES)


@pytest.mark.parametrize(
    ("display", "needed"),
    [
        (ReconstructionDisplay, f"reconstruct or predict_steps{LIKE_EITHER}"),
        (LatentDisplay, f"transform{LIKE_THE_FIRST}"),
    ],
)
def test_for_a_detector_of_rows_its_detector_of_windows_is_named(display, needed, sliding):
    sentence = f"{display.__name__}.from_estimator needs an estimator with {needed}; got "
    with refuses(TypeError, f"{sentence}SlidingWindowDetector{HINT}."):
        display.from_estimator(sliding, SERIES)
    display.from_estimator(sliding.detector_, [SERIES[:100], SERIES[100:200]])


@pytest.mark.parametrize(
    ("draw_it", "sentence"),
    [
        (
            partial(draw_reconstruction, X[0], X[0, :9]),
            "reconstruction has shape (9, 3) as (n_timesteps, n_features); expected (20, 3), that "
            "of sequence.",
        ),
        (
            partial(draw_reconstruction, X[0], X[0], feature_names=["a", "b"]),
            "feature_names holds 2 names; expected 3, one a feature.",
        ),
        (
            lambda: draw_reconstruction(X[0], X[0], ax=plt.figure().add_axes((0, 0, 1, 1))),
            "ReconstructionDisplay.plot divides the place of ax in a grid of subplots, but this ax "
            "has none; make it by plt.subplots or add_subplot.",
        ),
        (
            partial(draw_scores, np.ones(3), np.ones(3), y=[0, 1, 2]),
            "y holds the labels [0, 1, 2]; expected -1 (anomalous) and +1 (normal), or 1 "
            "(anomalous) and 0 (normal).",
        ),
        (
            partial(draw_scores, np.ones(3), np.ones(3), y=[0, 1]),
            "y has shape (2,); expected (3,), one value a row.",
        ),
        (
            partial(draw_distribution, [1.0], [np.nan, 1.0]),
            "new_scores has shape (2,) and 1 values that are not finite; expected (n_samples,) "
            "finite scores, one at least.",
        ),
        (
            LossCurveDisplay(loss_curve=[]).plot,
            "LossCurveDisplay.plot found no losses, as loss_curve is empty; expected those of one "
            "epoch at least.",
        ),
        (
            partial(draw_latents, LATENTS[:, :1]),
            "the latents have shape (5, 1); expected (n_sequences, latent_size), two at least of "
            "each.",
        ),
        (
            partial(draw_latents, BROKEN),
            "the latents of 2 sequences, the first of them #2, hold values that are not finite; "
            "leave these sequences out.",
        ),
        (
            partial(draw_latents, LATENTS, y=[1, None, "a", 1]),
            "y has shape (4,); expected (5,), one value a sequence.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw_it, sentence):
    with refuses(ValueError, sentence):
        draw_it()


@pytest.mark.parametrize("first", [250, 1000])
def test_events_of_rows_that_are_called_otherwise_are_refused(first):
    series = pd.DataFrame(make_series(300), index=range(first, first + 300))
    event = Event(0, first + 90, first + 99, 10, first + 95, -3.0, 1, 1.0, None)
    scores = np.zeros(300)
    display = draw_scores(series, scores, events=[event])
    assert display.events.tolist() == [[90, 100]]
    sentence = (
        f"events cannot be drawn: one of 10 row(s) begins at {first + 90}, which X does not have; "
        "expected X as find_events got it: pass it with the same index."
    )
    with refuses(ValueError, sentence):
        draw_scores(series.to_numpy(), scores, events=[event])


@pytest.mark.parametrize(
    "events",
    [[[3, 3]], [[-1, 3]], [[3, 301]], [3, 5], [[3, 5, 4]], [[3.0, 5.0]], [["3", "5"]], "all"],
    ids=str,
)
def test_events_of_another_form_are_refused(events):
    sentence = (
        "events cannot be drawn; expected what find_events returns, or integers of shape "
        "(n_events, 2), the first row of each event and the row after its last, which is at most "
        "300."
    )
    with refuses(ValueError, sentence):
        draw_scores(NEW_SERIES, np.zeros(300), events=events)


@pytest.mark.parametrize(
    ("display", "index", "unit", "last"),
    [
        (ReconstructionDisplay, -1, "sequences", 39),
        (ReconstructionDisplay, 40, "sequences", 39),
        (AttributionDisplay, 40, "sequences", 39),
        (AnomalyScoreDisplay, 1, "series", 0),
    ],
)
def test_a_sequence_or_series_that_is_not_there_is_refused(draw, index, unit, last):
    sentence = f"index={index}, but the {unit} of X are numbered from 0 to {last}; pass one of"
    with refuses(ValueError, f"{sentence} these numbers."):
        draw(index=index)


@pytest.mark.parametrize("display", [ReconstructionDisplay, AnomalyScoreDisplay])
@pytest.mark.parametrize("max_features", [-1, 2.5, "all"])
def test_numbers_of_panels_that_are_none_are_refused(display, draw, max_features):
    from_predictions = {
        ReconstructionDisplay: partial(draw_reconstruction, X[0], X[0]),
        AnomalyScoreDisplay: partial(draw_scores, X[0], X[0, :, 0]),
    }
    for draw_it in draw, draw().plot, from_predictions[display]:
        with pytest.raises(ValueError, match=r"'max_features' parameter of .* must be an int in"):
            draw_it(max_features=max_features)


@pytest.mark.parametrize("display", [AnomalyScoreDisplay])
@pytest.mark.parametrize(("name", "value"), [("max_gap", -1), ("min_length", 0)])
def test_options_of_events_are_checked(draw, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        draw(**{name: value})


@pytest.mark.parametrize(
    ("display", "options", "n_expected"),
    [
        (ReconstructionDisplay, {"index": 7}, 1),
        (ScoreDistributionDisplay, {}, 80),
        (AnomalyScoreDisplay, {"min_length": 300}, 281),  # no event, whose windows run again
    ],
)
def test_the_network_reads_a_sequence_once(draw, options, n_expected):
    detector = getattr(draw.args[0], "detector_", draw.args[0])
    n_read = []
    with detector.module_.register_forward_hook(lambda _, read, __: n_read.append(len(read[0]))):
        draw(**options)
    assert sum(n_read) == n_expected


@pytest.mark.parametrize(
    ("draw_it", "n_panels"),
    [
        (lambda x, **options: draw_reconstruction(x, x, **options), 2),
        (lambda x, **options: draw_scores(x, np.zeros(len(x)), **options), 3),
    ],
    ids=["reconstruction", "scores"],
)
def test_features_have_names_and_panels_and_steps_are_counted_in_whole_numbers(draw_it, n_panels):
    assert len(draw_it(X[0], max_features=0).axes_) == n_panels
    display = draw_it(pd.DataFrame(X[0, :19]))
    assert display.axes_[0].get_title(loc="left") == "feature 0"
    display.figure_.draw_without_rendering()
    ticks = display.axes_[-1].get_xticks()
    assert len(ticks) > 3
    assert_array_equal(ticks, np.round(ticks))


# ------------------------------------------------------------------------------------ attributions


def test_attributions_are_those_of_the_estimator(classifier):
    display = AttributionDisplay.from_estimator(classifier, list(X), index=7, max_features=2)
    assert_allclose(display.attributions, classifier.attributions(X[7:8])[0], atol=1e-6)
    assert_array_equal(display.sequence, X[7])
    total = np.abs(display.attributions).sum(axis=0)
    assert_array_equal(display.features_, np.argsort(-total)[:2])
    assert_allclose(display.steps_.get_data().values, display.attributions.sum(axis=1))
    predicted = classifier.predict(X[7:8])[0]
    assert display.prediction == f"class {predicted}"
    assert f"what each step adds to class {predicted}, " in display.axes_[2].get_title(loc="left")
    of_another = AttributionDisplay.from_estimator(classifier, X, index=7, target=1)
    assert of_another.prediction == "class 1"


def test_attributions_of_a_target_a_step_name_the_step():
    regressor = LSTMRegressor(**QUICK).fit(X, X[..., :1])
    display = AttributionDisplay.from_estimator(regressor, X, index=7, step=2)
    assert display.prediction == "output 0 at step 2"
    assert_allclose(display.attributions, regressor.attributions(X[7:8], step=2)[0], atol=1e-6)
    of_all = AttributionDisplay.from_estimator(regressor, X)
    assert of_all.prediction == "output 0 on average over all steps"


def test_attributions_of_nothing_but_missing_values_are_drawn(tmp_path):
    regressor = LSTMRegressor(**QUICK).fit(X, X[:, :2, 0])
    x = X[0].copy()
    x[:, 1] = np.nan
    display = AttributionDisplay.from_estimator(regressor, [x], target=1)
    assert display.prediction == "output 1"
    assert not is_blank(display.figure_, tmp_path / "picture.png")
    zero = AttributionDisplay(
        sequence=x, attributions=np.zeros_like(x), feature_names=["a", "b", "c"]
    ).plot()
    assert zero.steps_.get_data().values.tolist() == [0.0] * 20


# --------------------------------------------------------------------------------- reconstructions


@pytest.mark.parametrize(
    ("make", "method", "error", "label"),
    [
        (make_autoencoder, "reconstruct", "reconstruction_error", "reconstruction"),
        (partial(LSTMForecastDetector, **QUICK), "predict_steps", "prediction_error", "prediction"),
    ],
)
def test_reconstruction_and_its_errors_are_those_of_the_estimator(make, method, error, label):
    detector, one = fitted(make(), X), X[7:8]
    display = ReconstructionDisplay.from_estimator(detector, list(X), index=7)
    reconstruction = getattr(detector, method)(one)[0]
    step_errors, feature_errors = (
        getattr(detector, error)(one, per=per)[0] for per in ("timestep", "feature")
    )
    assert_array_equal(display.features_, np.argsort(-feature_errors, kind="stable"))
    for (observed, expected), j in zip(display.lines_, display.features_, strict=True):
        assert_array_equal(observed.get_ydata(), X[7, :, j])
        assert_array_equal(expected.get_ydata(), reconstruction[:, j])
        # Colours alone would not do on a grey print.
        assert (observed.get_linestyle(), expected.get_linestyle()) == ("-", "--")
    assert display.lines_[0][1].get_label() == label
    assert_array_equal(display.steps_.get_data().values, step_errors)

    # The loss is the squared error, and an error of a sequence the mean of its cells'.
    squares = display.cell_errors**2 / X[7].size
    assert_allclose(squares.sum(axis=1), step_errors, rtol=1e-4)
    assert_allclose(squares.sum(axis=0), feature_errors, rtol=1e-4)
    assert_array_equal(display.strip_.get_array(), display.cell_errors.T)
    assert display.axes_[-1].get_title(loc="left") == "error of each feature at each step, scaled"


def panel(sequences):
    index = pd.MultiIndex.from_product([range(40), range(20)])
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
        lambda X: pd.DataFrame(X[:, :, 0]).rename(columns=str),
    ],
    ids=["tuple", "array", "panel", "frames", "padded", "4-D", "table"],
)
def test_every_form_of_sequences_shows_the_same(form):
    X_formed = form(X)
    detector = fitted(make_autoencoder(), X_formed)
    display = ReconstructionDisplay.from_estimator(detector, X_formed, index=7)
    n_features = display.sequence.shape[1]
    assert n_features == (1 if np.shape(X_formed) == (40, 20) else 3)
    assert_array_equal(display.sequence, X[7, :, :n_features])
    assert display.step_errors.shape == (20,)
    has_names = n_features == 3 and hasattr(detector, "feature_names_in_")
    names = "abc" if has_names else [f"feature {j}" for j in range(n_features)]
    assert display.feature_names == list(names)
    expected = np.asarray(detector.reconstruct(X_formed)).reshape(40, -1, n_features)
    assert_array_equal(display.reconstruction, expected[7, :20])


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


@pytest.mark.parametrize(
    ("x", "marked"), [([0.0, 1.0, np.nan, 2.0, np.nan, 3.0, 1.0], [3]), ([1.0], [0])]
)
def test_a_value_that_stands_alone_has_a_dot(x, marked):
    for line in draw_reconstruction(np.array(x), np.array(x)).lines_[0]:
        assert (line.get_marker(), line.get_markevery()) == (".", marked)


def test_of_many_features_those_that_err_most_have_panels_and_all_are_in_the_strip():
    x = make_series(50, n_features=38)
    x_reconstructed = x.copy()
    x_reconstructed[20:30, [31, 7, 12, 3]] += np.array([4.0, 3.0, 2.0, 1.0])
    display = draw_reconstruction(x, x_reconstructed)
    assert display.features_.tolist() == [31, 7, 12, 3]
    assert len(display.axes_) == 6
    assert display.strip_.get_array().shape == (38, 50)

    display.figure_.draw_without_rendering()
    names_beside_the_strip = display.axes_[-1].get_yticklabels()
    assert len(names_beside_the_strip) > 10
    assert are_apart(names_beside_the_strip)


def test_a_long_strip_keeps_the_outstanding_step_of_each_column():
    x = np.zeros((6000, 1))
    x[4321] = 5.0
    display = draw_reconstruction(x, np.zeros((6000, 1)))
    columns = display.strip_.get_array()
    assert columns.shape == (1, 600)
    assert columns.argmax() == 432
    assert columns.max() == display.cell_errors.max()


def test_errors_of_predictions_are_shares_of_the_mean_square_in_standard_deviations():
    x = np.array([[0.0, 10.0], [2.0, np.nan], [4.0, 30.0]])
    display = draw_reconstruction(x, x + np.array([1.0, 10.0]))
    spread = np.array([np.std([0, 2, 4]), np.std([10, 30])])
    assert_allclose(display.cell_errors, np.where(np.isnan(x), np.nan, [1.0, 10.0] / spread))
    assert_allclose(display.step_errors.sum(), np.nanmean(display.cell_errors**2))
    assert_allclose(display.feature_errors.sum(), display.step_errors.sum())


def test_a_long_line_is_the_range_and_the_median_of_each_column():
    x = np.tile([0.0, 1.0, 2.0, 1.0], 1500).reshape(-1, 1)
    x[4321] = 9.0
    x[1000:1100] = np.nan
    display = draw_reconstruction(x, np.ones((6000, 1)))
    line, _ = display.lines_[0]
    missing = slice(100, 110)
    assert line.get_ydata().shape == (600,)
    assert np.isnan(line.get_ydata()[missing]).all()
    assert np.nanmin(line.get_ydata()) == np.nanmax(line.get_ydata()) == 1
    high, edges, low = display.axes_[0].patches[0].get_data()
    assert (edges[0], edges[-1]) == (-0.5, 5999.5)
    assert (np.nanmax(high), high[432], np.nanmin(low)) == (9.0, 9.0, 0.0)
    assert np.isnan(high[missing]).all()


# ----------------------------------------------------------------------------------- long series


@pytest.mark.parametrize("threshold", ["adaptive", "fixed"])
def test_scores_and_events_are_those_of_the_estimator(sliding, threshold):
    sliding = copy(sliding).set_params(threshold=threshold).recalibrate()
    series = NEW_SERIES.copy()
    series[200:220] = np.nan  # a gap in the lines
    display = AnomalyScoreDisplay.from_estimator(sliding, series, LABELS, max_gap=5)
    events = sliding.find_events(series, max_gap=5)
    assert len(events) > 0
    scores, decisions = sliding.score_samples(series), sliding.decision_function(series)
    assert_array_equal(display.score_line_.get_ydata(), scores)
    levels, label = display.threshold_line_.get_ydata(), display.threshold_line_.get_label()
    if threshold == "adaptive":
        assert_allclose(levels, scores - decisions)
        assert levels.min() < levels.max()
        assert levels[0] == pytest.approx(sliding.offset_)
        assert label == "threshold"
    else:
        assert_array_equal(levels, [sliding.offset_] * 2)
        assert label == f"threshold, {sliding.offset_:.4g}"
    assert_array_equal(display.events, events[["start", "end"]] + [0, 1])
    # A bar reaches half a row beyond the first and the last row.
    assert_allclose(spans(display.event_bars_), events[["start", "end"]] + [-0.5, 0.5])
    assert_allclose(spans(display.true_event_bars_), [[99.5, 109.5]])
    for line, j in zip(display.lines_, display.features_, strict=True):
        assert_array_equal(line.get_ydata(), series[:, j])


@pytest.mark.parametrize(
    ("frame", "x"),
    [
        (TIMED, date2num(TIMES)),
        (TIMED.to_period("h"), date2num(TIMES)),
        (TIMED.set_index(TIMES - TIMES[0]), 3600.0 * np.arange(300)),
        (pd.concat({"a": TIMED}), date2num(TIMES)),
    ],
    ids=["timestamps", "periods", "durations", "panel"],
)
def test_times_are_on_the_axis(sliding, frame, x):
    display = AnomalyScoreDisplay.from_estimator(sliding, frame, LABELS)
    assert_allclose(display.score_line_.get_xdata(), x, rtol=0, atol=1e-6)
    borders = (x[[99, 109]] + x[[100, 110]]) / 2
    assert_allclose(spans(display.true_event_bars_), [borders], rtol=0, atol=1e-6)
    times = frame.index.get_level_values(-1)
    starts = sliding.find_events(frame)["start"]
    assert [times[first] for first, _ in display.events] == list(starts)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_ticks_are_midnights_of_the_index_s_zone_and_users_can_draw_at_timestamps(zone):
    display = draw_scores(TIMED.tz_localize(zone), np.zeros(300))
    display.figure_.draw_without_rendering()
    ticks = num2date(display.axes_[-1].get_xticks(), display.times.tz)
    assert len(ticks) > 2
    assert {tick.hour for tick in ticks} == {0}
    line = display.axes_[0].axvline(np.datetime64("2024-03-02"))
    assert line.get_xdata(orig=False)[0] == date2num(np.datetime64("2024-03-02"))


@pytest.mark.parametrize("is_panel", [False, True])
def test_one_of_several_series_is_drawn(sliding, is_panel):
    several, y = [SERIES[:200], NEW_SERIES], [np.ones(200), LABELS]
    scores = sliding.score_samples(several)[1]
    if is_panel:
        several, y = pd.concat({i: pd.DataFrame(x) for i, x in enumerate(several)}), np.hstack(y)
    display = AnomalyScoreDisplay.from_estimator(sliding, several, y, index=1)
    assert_array_equal(display.score_line_.get_ydata(), scores)
    alone = AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES)
    assert_array_equal(display.events, alone.events)
    assert display.true_events.tolist() == [[100, 110]]


@pytest.mark.parametrize(
    ("y", "true_events"),
    [
        (np.array([1, 1, -1, -1, 1, -1]), [[2, 4], [5, 6]]),
        (np.array([0, 0, 1, 1, 0, 1]), [[2, 4], [5, 6]]),
        ([False, False, True, True, False, True], [[2, 4], [5, 6]]),
        (pd.Series([0.0, 0.0, 1.0, 1.0, 0.0, 1.0]), [[2, 4], [5, 6]]),
        (np.ones(6), []),
        (np.ones(6, dtype=bool), [[0, 6]]),
    ],
    ids=["-1 and +1", "0 and 1", "bool", "float", "ones", "all true"],
)
def test_labels_of_either_convention_make_the_true_events(y, true_events):
    assert draw_scores(np.ones(6), np.zeros(6), y=y).true_events.tolist() == true_events


@pytest.mark.parametrize(
    "form", [lambda events: events, lambda events: list(events.itertuples(index=False))]
)
@pytest.mark.parametrize("n_chosen", [1, 0])
def test_chosen_events_are_drawn_in_place_of_all(sliding, n_chosen, form):
    scores = sliding.score_samples(TIMED)
    draw = partial(draw_scores, TIMED, scores, offset=scores - sliding.decision_function(TIMED))
    events = sliding.find_events(TIMED, max_gap=0)
    everything = draw()
    assert len(everything.events) == len(events)
    # Without pandas, find_events returns named tuples.
    display = draw(events=form(events[:n_chosen]))
    assert_array_equal(display.events, everything.events[:n_chosen])
    assert_allclose(display.feature_shares.sum(), events["n_rows"][:n_chosen].sum())


@pytest.mark.parametrize(
    "events",
    [
        [[3, 5], [299, 300]],
        np.array([[3, 5], [299, 300]]),
        pd.DataFrame([[3, 5], [299, 300]]),
        [],
        np.empty((0, 2), dtype=int),
    ],
)
def test_events_may_be_rows_as_the_display_keeps_them(events):
    display = draw_scores(TIMED, np.full(300, -2.0), events=events)
    assert_array_equal(display.events, np.reshape(events, (-1, 2)))
    assert len(display.event_bars_.get_paths()) == len(events)


def test_an_event_of_one_row_is_seen_in_the_panel_of_the_scores(tmp_path):
    looks = []
    for events in np.array([[9000, 9001]]), []:
        display = draw_scores(np.zeros((20_000, 1)), np.zeros(20_000), events=events)
        display.figure_.savefig(tmp_path / "picture.png")
        picture = plt.imread(tmp_path / "picture.png")[..., :3]
        panel = display.axes_[-2].get_window_extent()
        x = int(display.axes_[-2].transData.transform((9000.5, 0))[0])
        middle = len(picture) - int(panel.y0 + 0.3 * panel.height)
        looks.append(picture[middle, x - 2 : x + 3].min(axis=(0, 1)))
    assert looks[1] - looks[0] > 0.3


def test_scores_without_data_do_not_squeeze_the_others():
    series = np.zeros((100, 2))
    series[60:90] = np.nan
    scores = np.where(np.arange(100) // 30 == 2, -90.0, np.linspace(-1.5, -0.5, 100))
    panel = draw_scores(series, scores).axes_[-2]
    assert panel.get_ylim() == pytest.approx((-1.55, -0.45))
    assert panel.get_title(loc="left").endswith("without data, below the panel")
    plain = draw_scores(np.zeros((100, 2)), scores).axes_[-2]
    assert plain.get_ylim()[0] < -90
    assert plain.get_title(loc="left").endswith("more normal")


def test_points_that_cover_much_are_small_and_transparent():
    latents = np.random.default_rng(0).normal(size=(3000, 2))
    few, many = (
        draw_latents(latents[:n], scores=np.arange(n), offset=n / 2).points_["anomalous"]
        for n in (120, 3000)
    )
    assert few.get_alpha() == 1
    assert many.get_alpha() < 0.75
    assert many.get_sizes()[0] < 0.75 * few.get_sizes()[0]


def test_of_many_features_those_to_blame_have_panels_and_all_are_in_the_strip():
    series = make_series(1300, n_features=9)
    detector = SlidingWindowDetector(make_autoencoder(), window_size=20, training_stride=5)
    fitted(detector, series[:1000])
    series[1100:1120, 6] += 9.0
    display = AnomalyScoreDisplay.from_estimator(detector, series[1000:])
    events = detector.find_events(series[1000:])
    assert_allclose(display.feature_shares.sum(), events["n_rows"].sum())
    of_the_largest = np.zeros(9)
    for event in events.itertuples():
        for feature, share in event.features.items():
            of_the_largest[feature] += share * event.n_rows
    assert (display.feature_shares >= of_the_largest - 1e-9).all()
    assert display.features_[0] == 6
    assert_array_equal(display.features_, np.argsort(-display.feature_shares, kind="stable")[:4])
    assert len(display.axes_) == 4 + 1 + 2
    columns = display.strip_.get_array()
    assert columns.shape == (9, 300)
    assert_array_equal(columns.min(axis=1), np.zeros(9))
    assert_array_equal(columns.max(axis=1), np.ones(9))


def test_reasons_of_events_are_the_errors_of_the_cells(sliding):
    display = AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES, strip="errors")
    errors = sliding.cell_errors(NEW_SERIES)
    assert_array_equal(display.cell_errors, errors)
    assert_array_equal(display.strip_.get_array(), errors.T)
    of_predictions = AnomalyScoreDisplay.from_predictions(
        NEW_SERIES, display.scores, offset=-1.0, cell_errors=errors
    )
    assert_array_equal(of_predictions.strip_.get_array(), errors.T)
    assert AnomalyScoreDisplay.from_estimator(sliding, NEW_SERIES).strip_ is None


def test_reasons_that_are_not_to_be_had_are_refused():
    series = make_series(n_features=2)
    with pytest.raises(TypeError, match="needs an estimator with cell_errors, such as a Sliding"):
        AnomalyScoreDisplay.from_estimator(FOREST_OF_WINDOWS.fit(series), series, strip="errors")
    sentence = "cell_errors has shape (3, 1); expected (3, 2), one error a value of X."
    with refuses(ValueError, sentence):
        AnomalyScoreDisplay.from_predictions(
            np.ones((3, 2)), np.ones(3), offset=0.0, cell_errors=np.ones((3, 1))
        )


def test_detectors_without_errors_show_the_first_features():
    series = make_series(n_features=6)
    display = AnomalyScoreDisplay.from_estimator(FOREST_OF_WINDOWS.fit(series), series)
    assert display.features_.tolist() == [0, 1, 2, 3]


# --------------------------------------------------------------------------------------- scores


@pytest.mark.filterwarnings("ignore:.* of the samples of X score lower")  # they are shifted
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
    assert set(legend_of(display)) == {
        f"40 normal: {display.false_alarm_rate:.1%} false alarms",
        f"40 new: {display.alarm_rate:.1%} below the threshold",
        f"threshold, {autoencoder.offset_:.4g}",
    }


@pytest.mark.parametrize("bins", [30, "auto"])
def test_a_far_score_does_not_squeeze_the_others(bins, tmp_path):
    rng = np.random.default_rng(0)
    reference, new = rng.normal(size=(2, 200))
    reference[7], new[[3, 50]] = 40.0, [-1000.0, -800.0]
    display = draw_distribution(reference, new, offset=-2.5, bins=bins)
    for bars, scores in (display.reference_bars_, reference), (display.new_bars_, new):
        shares, edges, _ = bars.get_data()
        assert edges[-1] - edges[0] < 10
        assert -2.5 in edges
        assert_allclose(shares.sum(), 1)
        assert_allclose(shares[[0, -1]], [np.mean(scores < -100), np.mean(scores > 10)])
        assert_allclose(shares[edges[:-1] < -2.5].sum(), np.mean(scores < -2.5))
    texts = [label.get_text() for label in display.end_labels_]
    assert texts == ["2 lower, down to -1000", "1 higher, up to 40"]
    assert not is_blank(display.figure_, tmp_path / "picture.png")


def test_equal_scores_have_a_bin_beside_the_threshold():
    display = draw_distribution(np.ones(5), offset=1.0)
    shares, edges, _ = display.reference_bars_.get_data()
    assert shares[edges[:-1] == 1.0].tolist() == [1.0]
    assert (display.new_scores, display.alarm_rate, display.new_bars_) == (None, None, None)


def test_rows_of_several_series_are_samples(sliding):
    several = [SERIES, NEW_SERIES]
    display = ScoreDistributionDisplay.from_estimator(sliding, several, NEW_SERIES)
    assert_array_equal(display.reference_scores, np.concatenate(sliding.score_samples(several)))
    assert_array_equal(display.new_scores, sliding.score_samples(NEW_SERIES))


# --------------------------------------------------------------------------------------- losses


def test_losses_without_validation_have_no_best_epoch():
    detector = fitted(make_autoencoder(early_stopping=False), X)
    unvalidated = LossCurveDisplay(loss_curve=[2.0, 1.0], validation_loss_curve=[np.nan, np.nan])
    for display in LossCurveDisplay.from_estimator(detector), unvalidated.plot():
        assert (display.best_epoch, display.validation_line_, display.best_point_) == (None,) * 3
        assert display.line_.get_ydata().tolist() == display.loss_curve


def test_losses_are_those_of_the_estimator_with_gaps_and_the_lowest_is_marked():
    detector = make_autoencoder(warm_start=True, early_stopping=True)
    detector.partial_fit(X)  # an epoch without validation
    fitted(detector, X).partial_fit(X)
    display = LossCurveDisplay.from_estimator(detector)
    epochs = np.arange(1, 1 + detector.n_epochs_)
    validation = detector.validation_loss_curve_
    assert_array_equal(np.isnan(validation), epochs % epochs[-1] <= 1)
    assert_array_equal(display.line_.get_xydata(), np.c_[epochs, detector.loss_curve_])
    assert_array_equal(display.validation_line_.get_xydata(), np.c_[epochs, validation])
    assert display.line_.get_linestyle() != display.validation_line_.get_linestyle()
    assert display.best_epoch == 1 + np.nanargmin(validation)
    assert_array_equal(
        display.best_point_.get_xydata(), [[display.best_epoch, np.nanmin(validation)]]
    )


def test_the_loss_of_a_single_epoch_is_seen_at_epoch_1():
    display = LossCurveDisplay(loss_curve=[0.5]).plot()
    lowest, highest = display.ax_.get_xlim()
    ticks = [tick for tick in display.ax_.get_xticks() if lowest <= tick <= highest]
    assert ticks == [1]
    assert display.line_.get_marker() not in ("None", "")


def test_losses_of_a_sliding_window_are_those_of_its_detector(sliding):
    display = LossCurveDisplay.from_estimator(sliding)
    assert display.loss_curve == sliding.detector_.loss_curve_


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


@pytest.mark.parametrize("n_labels", [3, 9, 20, 33])
def test_labels_look_apart_and_a_legend_of_many_fits_and_names_no_more_than_twenty(n_labels):
    y = np.concatenate([np.arange(n_labels), np.arange(5), np.arange(n_labels - 3, n_labels)])
    y = y[y < n_labels]
    latents = np.random.default_rng(0).normal(size=(len(y), 4))
    display = draw_latents(latents, y=y)
    legend = display.ax_.get_legend()
    display.figure_.draw_without_rendering()

    named = list(map(int, legend_of(display)))
    assert named == sorted(named)
    assert len(named) == min(n_labels, 20)
    frequent = set(range(5)) | set(range(n_labels - 3, n_labels))
    assert set(named) >= frequent & set(y)
    assert legend.get_title().get_text() == ("13 rarer not named" if n_labels == 33 else "")

    assert set(display.points_) == set(range(n_labels))
    looks = [
        (drawn.get_facecolor()[0].tobytes(), drawn.get_paths()[0].vertices.tobytes())
        for drawn in display.points_.values()
    ]
    assert len(set(looks)) == n_labels
    if n_labels == 3:  # few differ in colour and in shape
        assert [len(set(look)) for look in zip(*looks, strict=True)] == [3, 3]

    page, box = display.figure_.bbox, legend.get_window_extent()
    assert (box.y0 >= page.y0, box.y1 <= page.y1, box.x1 <= page.x1) == (True, True, True)
    assert are_apart(legend.get_texts())


@pytest.mark.parametrize(
    ("y", "places", "names"),
    [
        (None, {"normal": range(5)}, None),
        (list("abbca"), {"a": [0, 4], "b": [1, 2], "c": [3]}, ["a", "b", "c"]),
        ([1, None, "a", 1, "a"], {None: [1], 1: [0, 3], "a": [2, 4]}, ["1", "a", "no label"]),
        (
            ["a", np.nan, "b", None, "b"],
            {None: [1, 3], "a": [0], "b": [2, 4]},
            ["a", "b", "no label"],
        ),
        (
            [2.0, np.nan, 10.0, 2.0, 2.0],
            {None: [1], 2.0: [0, 3, 4], 10.0: [2]},
            ["2.0", "10.0", "no label"],
        ),
        (
            pd.array([2, None, 10, 2, 2]),
            {None: [1], 2: [0, 3, 4], 10: [2]},
            ["2", "10", "no label"],
        ),
        ([None] * 5, {None: range(5)}, ["no label"]),
    ],
    ids=["no labels", "text", "mixed", "text and none", "float", "pandas", "none"],
)
def test_labels_may_be_missing_or_of_several_kinds(y, places, names):
    display = draw_latents(LATENTS, y=y)
    assert set(display.points_) == set(places)
    for label, rows in places.items():
        assert_array_equal(display.points_[label].get_offsets(), display.points[list(rows)])
    if names is not None:
        assert legend_of(display) == names


def test_constant_latents_have_no_variance_to_explain():
    display = draw_latents(np.ones((5, 3)))
    assert display.explained_variance_ratio.tolist() == [0.0, 0.0]
    assert display.ax_.get_xlabel() == "Component 1 (0% of the variance)"
