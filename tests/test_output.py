"""Names that go in and come out, containers of the latents, and how the detector shows itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import QUICK, make_waves
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from skl_lstmae import LSTMAutoencoderDetector

# All fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LATENT_NAMES = ["lstmautoencoderdetector0", "lstmautoencoderdetector1"]
HOURS = [f"hour_{i}" for i in range(10)]
CUBE = make_waves(12, n_timesteps=10)
RAGGED = [steps[: 5 + i % 6] for i, steps in enumerate(CUBE)]
FRAMES = [pd.DataFrame(steps, columns=["flow", "heat"]) for steps in RAGGED]

FORMS = {
    "ragged list": RAGGED,
    "3-D array": CUBE,
    "2-D frame": pd.DataFrame(CUBE[:, :, 0], index=list("abcdefghijkl"), columns=HOURS),
    # Its ids are not in sorted order.
    "panel": pd.concat(dict(zip("lkjihgfedcba", FRAMES, strict=True)), names=["pump", "minute"]),
    "list of frames": FRAMES,
}
TABLE, PANEL = FORMS["2-D frame"], FORMS["panel"]
NAMES = {"2-D frame": HOURS, "panel": ["flow", "heat"], "list of frames": ["flow", "heat"]}
ROW_NAMES = {form: pd.RangeIndex(12) for form in FORMS} | {
    "2-D frame": pd.Index(list("abcdefghijkl")),
    "panel": pd.Index(list("lkjihgfedcba"), name="pump"),
}

every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK, latent_size=2)


# ----------------------------------------------------------------------------------- names of input


@every_form
def test_features_are_counted_and_named_as_in_the_data(detector, form):
    detector.fit(FRAMES)  # names of a former fit are forgotten
    for estimator in (detector, make_pipeline(detector)):
        estimator.fit(FORMS[form])
        assert estimator.n_features_in_ == (10 if form == "2-D frame" else 2)
        assert_array_equal(getattr(estimator, "feature_names_in_", None), NAMES.get(form))


def test_columns_of_a_polars_frame_are_names_wherever_scikit_learn_reads_them(detector):
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(TABLE.to_dict("list"))
    members = [polars.DataFrame(frame.to_dict("list")) for frame in FRAMES]
    for X, frame in ((table, table), (members, members[0])):
        expected = getattr(StandardScaler().fit(frame), "feature_names_in_", None)
        assert_array_equal(getattr(detector.fit(X), "feature_names_in_", None), expected)
        assert detector.predict(X).shape == (12,)


# ------------------------------------------------------------------ names and containers of latents


def test_latents_are_named_after_the_class(detector):
    with pytest.raises(NotFittedError):
        detector.get_feature_names_out()
    detector.fit(PANEL)
    assert list(detector.get_feature_names_out()) == LATENT_NAMES
    assert detector.get_feature_names_out().dtype == object


@every_form
@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_output_has_a_named_row_for_each_sequence(detector, form, container):
    frames, X = pytest.importorskip(container), FORMS[form]
    latents = detector.fit_transform(X)
    assert type(latents) is np.ndarray
    by_setting = clone(detector).set_output(transform=container)
    outputs = [by_setting.fit_transform(X), by_setting.transform(X)]
    with config_context(transform_output=container):
        outputs.append(detector.fit_transform(X))
        of_default = detector.set_output(transform="default").transform(X)  # outranks the context
    for output in outputs:
        assert type(output) is frames.DataFrame
        if container == "pandas":
            expected = pd.DataFrame(latents, ROW_NAMES[form], LATENT_NAMES)
            assert_frame_equal(output, expected, check_index_type=False)
        assert list(output.columns) == LATENT_NAMES
        assert_array_equal(output.to_numpy(), latents)
    assert type(by_setting.score_samples(X)) is type(of_default) is np.ndarray
    assert_array_equal(of_default, latents)


def test_set_output_of_a_pipeline_names_what_the_detector_gets_and_gives(detector):
    pipeline = make_pipeline(StandardScaler(), detector, RobustScaler())
    output = pipeline.set_output(transform="pandas").fit_transform(TABLE)
    assert list(output.columns) == LATENT_NAMES
    assert list(output.index) == list(TABLE.index)
    assert list(pipeline[1].feature_names_in_) == HOURS


@every_form
def test_a_union_puts_frames_of_latents_side_by_side(detector, form):
    X = FORMS[form]
    union = FeatureUnion([("left", detector), ("right", clone(detector))])
    output = union.set_output(transform="pandas").fit_transform(X)
    latents = detector.fit_transform(X)
    names = [f"{side}__{name}" for side in ("left", "right") for name in LATENT_NAMES]
    assert list(output.columns) == names
    assert list(output.index) == list(ROW_NAMES[form])
    assert_array_equal(output, np.hstack([latents, latents]))


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize(
    "scaler",
    ["standard", None, make_pipeline(RobustScaler(), StandardScaler()), StandardScaler()],
    ids=["name", "none", "pipeline", "object"],
)
def test_the_scaler_works_on_arrays_whatever_the_configuration(detector, scaler, container):
    pytest.importorskip(container)
    detector.set_params(scaler=scaler)
    expected = clone(detector).fit(RAGGED).score_samples(RAGGED)
    with config_context(transform_output=container):
        assert_array_equal(clone(detector).fit(RAGGED).score_samples(RAGGED), expected)
    if hasattr(scaler, "set_output"):
        detector.set_params(scaler=clone(scaler).set_output(transform=container))
        assert_array_equal(detector.fit(RAGGED).score_samples(RAGGED), expected)


# ------------------------------------------------------------------------------------------ display


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"hidden_size": 64}, ""),
        ({"hidden_size": [64, 32]}, "hidden_size=[64, 32]"),
        ({"scaler": RobustScaler()}, "scaler=RobustScaler()"),
        ({"scaler": None}, "scaler=None"),
        ({"device": torch.device("cpu")}, "device=device(type='cpu')"),
    ],
)
def test_repr_shows_changed_parameters_alone_and_all_on_demand(parameters, shown):
    detector = LSTMAutoencoderDetector(**parameters)
    assert repr(detector) == f"LSTMAutoencoderDetector({shown})"
    with config_context(print_changed_only=False):
        text = detector.__repr__(N_CHAR_MAX=10_000)
    # scikit-learn shows thirty of them at most, and dots for others.
    assert all(f"{name}=" in text for name in list(detector.get_params(deep=False))[:30])
