"""Names that go in and come out, containers of the latents, and how the detector shows itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from skl_lstmae import LSTMAutoencoderDetector

# All fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {
    "hidden_size": 4,
    "latent_size": 2,
    "max_epochs": 2,
    "device": "cpu",
    "random_state": 0,
}

LATENT_NAMES = ["lstmautoencoderdetector0", "lstmautoencoderdetector1"]
HOURS = [f"hour_{i}" for i in range(10)]


def make_cube(n_features):
    return np.random.default_rng(0).normal(size=(12, 10, n_features))


def make_ragged():
    return [steps[: 5 + i % 6] for i, steps in enumerate(make_cube(2))]


def make_frame():
    return pd.DataFrame(make_cube(1)[:, :, 0], index=list("abcdefghijkl"), columns=HOURS)


def make_panel():
    """Sequences in long format, whose ids are not in sorted order."""
    ragged = make_ragged()
    frames = [pd.DataFrame(steps, columns=["flow", "heat"]) for steps in ragged]
    return pd.concat(dict(zip("lkjihgfedcba", frames, strict=True)), names=["pump", "minute"])


def make_frames():
    return [frame.droplevel("pump") for _, frame in make_panel().groupby(level="pump", sort=False)]


FORMS = {
    "ragged list": make_ragged,
    "3-D array": lambda: make_cube(2),
    "2-D frame": make_frame,
    "panel": make_panel,
    "list of frames": make_frames,
}
ROW_NAMES = {form: list(range(12)) for form in FORMS} | {
    "2-D frame": list("abcdefghijkl"),
    "panel": list("lkjihgfedcba"),
}


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK)


# ----------------------------------------------------------------------------------- names of input


@pytest.mark.parametrize(
    ("form", "n_features", "names"),
    [
        ("ragged list", 2, None),
        ("3-D array", 2, None),
        ("2-D frame", 10, HOURS),
        ("panel", 2, ["flow", "heat"]),
        ("list of frames", 2, ["flow", "heat"]),
    ],
)
def test_features_are_counted_and_named_as_in_the_data(detector, form, n_features, names):
    X = FORMS[form]()
    for estimator in (detector, make_pipeline(detector)):
        estimator.fit(X)
        assert estimator.n_features_in_ == n_features
        assert hasattr(estimator, "feature_names_in_") == (names is not None)
        if names:
            assert list(estimator.feature_names_in_) == names


def test_names_of_a_former_fit_are_forgotten(detector):
    detector.fit(make_frames()).fit(make_ragged())
    assert not hasattr(detector, "feature_names_in_")


@pytest.mark.parametrize("form", ["2-D frame", "panel", "list of frames"])
def test_other_names_than_in_fit_are_refused(detector, form):
    X = FORMS[form]()
    detector.fit(X)
    renamed = {"hour_3": "hour_33", "heat": "hate"}
    other = (
        [frame.rename(columns=renamed) for frame in X]
        if isinstance(X, list)
        else X.rename(columns=renamed)
    )
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        detector.transform(other)


def test_missing_names_are_warned_of_as_in_scikit_learn(detector):
    message = r"X does not have valid feature names, but LSTMAutoencoderDetector was fitted with"
    for named, unnamed in ((make_frame(), make_frame().to_numpy()), (make_panel(), make_ragged())):
        detector.fit(named)
        with pytest.warns(UserWarning, match=message):
            detector.predict(unnamed)


def test_columns_of_a_polars_frame_are_names_wherever_scikit_learn_reads_them(detector):
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(make_frame().to_dict("list"))
    members = [polars.DataFrame(frame.to_dict("list")) for frame in make_frames()]
    for X, frame in ((table, table), (members, members[0])):
        expected = getattr(StandardScaler().fit(frame), "feature_names_in_", None)
        assert_array_equal(getattr(detector.fit(X), "feature_names_in_", None), expected)
        assert detector.predict(X).shape == (12,)


# ------------------------------------------------------------------ names and containers of latents


def test_latents_are_named_after_the_class(detector):
    with pytest.raises(NotFittedError):
        detector.get_feature_names_out()
    detector.fit(make_panel())
    assert list(detector.get_feature_names_out()) == LATENT_NAMES
    assert detector.get_feature_names_out().dtype == object
    pipeline = make_pipeline(StandardScaler(), clone(detector)).fit(make_frame())
    assert list(pipeline.get_feature_names_out()) == LATENT_NAMES


@pytest.mark.parametrize("form", FORMS)
def test_pandas_output_has_a_named_row_for_each_sequence(detector, form):
    X = FORMS[form]()
    latents = clone(detector).fit_transform(X)
    assert type(latents) is np.ndarray
    index = pd.Index(ROW_NAMES[form], name="pump" if form == "panel" else None)
    expected = pd.DataFrame(latents, index=index, columns=LATENT_NAMES)

    detector.set_output(transform="pandas")
    assert_frame_equal(detector.fit_transform(X), expected)
    assert_frame_equal(detector.transform(X), expected)
    assert type(detector.score_samples(X)) is np.ndarray
    with config_context(transform_output="pandas"):
        assert_frame_equal(LSTMAutoencoderDetector(**QUICK).fit_transform(X), expected)
    assert_array_equal(detector.set_output(transform="default").transform(X), latents)


@pytest.mark.parametrize("form", FORMS)
def test_polars_output_has_a_row_for_each_sequence(detector, form):
    polars = pytest.importorskip("polars")
    X = FORMS[form]()
    latents = clone(detector).fit_transform(X)
    detector.set_output(transform="polars")
    with config_context(transform_output="polars"):
        outputs = [
            detector.fit_transform(X),
            detector.transform(X),
            LSTMAutoencoderDetector(**QUICK).fit_transform(X),
        ]
    for output in outputs:
        assert type(output) is polars.DataFrame
        assert output.columns == LATENT_NAMES
        assert_array_equal(output.to_numpy(), latents)


def test_the_output_of_one_detector_outranks_the_configuration(detector):
    detector.set_output(transform="default")
    with config_context(transform_output="pandas"):
        assert type(detector.fit_transform(make_panel())) is np.ndarray


def test_set_output_of_a_pipeline_names_what_the_detector_gets_and_gives(detector):
    pipeline = make_pipeline(StandardScaler(), detector, RobustScaler())
    output = pipeline.set_output(transform="pandas").fit_transform(make_frame())
    assert list(output.columns) == LATENT_NAMES
    assert list(output.index) == ROW_NAMES["2-D frame"]
    assert list(pipeline[1].feature_names_in_) == HOURS


@pytest.mark.parametrize("form", FORMS)
def test_a_union_puts_frames_of_latents_side_by_side(detector, form):
    X = FORMS[form]()
    union = FeatureUnion([("left", detector), ("right", clone(detector))])
    output = union.set_output(transform="pandas").fit_transform(X)
    latents = clone(detector).fit_transform(X)
    assert list(output.columns) == [
        f"{s}__{name}" for s in ("left", "right") for name in LATENT_NAMES
    ]
    assert list(output.index) == ROW_NAMES[form]
    assert_array_equal(output, np.hstack([latents, latents]))


def test_a_column_transformer_puts_frames_of_latents_side_by_side(detector):
    X = make_frame()
    parts = [("am", detector, HOURS[:5]), ("pm", clone(detector), HOURS[5:])]
    output = ColumnTransformer(parts).set_output(transform="pandas").fit_transform(X)
    for side, _, columns in parts:
        latents = output[[f"{side}__{name}" for name in LATENT_NAMES]]
        assert_array_equal(latents, clone(detector).fit_transform(X[columns]))
    assert list(output.index) == list(X.index)


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize(
    "scaler",
    ["standard", None, make_pipeline(RobustScaler(), StandardScaler())],
    ids=["name", "none", "pipeline"],
)
def test_the_scaler_works_on_arrays_whatever_the_configuration(detector, scaler, container):
    pytest.importorskip(container)
    X = make_ragged()
    detector.set_params(scaler=scaler)
    expected = clone(detector).fit(X).score_samples(X)
    with config_context(transform_output=container):
        assert_array_equal(clone(detector).fit(X).score_samples(X), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_a_scaler_may_give_frames(detector, container):
    pytest.importorskip(container)
    X = make_ragged()
    expected = clone(detector).fit(X).score_samples(X)
    detector.set_params(scaler=StandardScaler().set_output(transform=container))
    assert_array_equal(detector.fit(X).score_samples(X), expected)


# ------------------------------------------------------------------------------------------ display


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "LSTMAutoencoderDetector()"),
        ({"hidden_size": 64}, "LSTMAutoencoderDetector()"),
        ({"hidden_size": [64, 32]}, "LSTMAutoencoderDetector(hidden_size=[64, 32])"),
        ({"scaler": RobustScaler()}, "LSTMAutoencoderDetector(scaler=RobustScaler())"),
        ({"scaler": None}, "LSTMAutoencoderDetector(scaler=None)"),
        (
            {"device": torch.device("cpu")},
            "LSTMAutoencoderDetector(device=device(type='cpu'))",
        ),
    ],
)
def test_repr_shows_changed_parameters_alone(parameters, expected):
    assert repr(LSTMAutoencoderDetector(**parameters)) == expected


def test_repr_shows_all_parameters_on_demand(detector):
    with config_context(print_changed_only=False):
        text = detector.__repr__(N_CHAR_MAX=10_000)
    assert all(f"{name}=" in text for name in detector.get_params())


@pytest.mark.parametrize("is_fitted", [False, True])
def test_html_shows_the_detector_in_its_pipeline(detector, is_fitted):
    pipeline = make_pipeline(StandardScaler(), detector)
    if is_fitted:
        pipeline.fit(make_frame())
    html = pipeline._repr_mimebundle_()["text/html"]
    assert "LSTMAutoencoderDetector" in html
    assert "latent_size" in html
    assert ("<span>Fitted</span>" in html) == is_fitted
    assert ("<span>Not fitted</span>" in html) != is_fitted
