"""Files in ONNX's format return what torch does, of ragged batches with missing values."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import QUICK, exactly, fitted, make_ragged, make_series, make_waves
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PowerTransformer

from benchmarks import latency
from benchmarks.speed.data import waves
from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
    __version__,
)
from skl_lstmae.modules import LSTMAutoencoder
from skl_lstmae.scoring import DistanceFromMean, DistanceFromNearest, JointScorer

REASON = "comes with the extra `tests`"
pytest.importorskip("spox", reason=REASON)
onnxruntime = pytest.importorskip("onnxruntime", reason=REASON)

TOLERANCE = 1e-5


def with_gaps(sequences, seed=0):
    """Return sequences of another unit, some of whose values are missing."""
    rng = np.random.default_rng(seed)
    gappy = [5 * sequence + 100 for sequence in sequences]
    for sequence in gappy:
        sequence[rng.random(sequence.shape) < 0.15] = np.nan
        sequence[-1, 0] = 100.0
    gappy[0][:3, 1] = np.nan  # at the start
    gappy[1][:, 2] = np.nan  # throughout
    gappy[2][-3:] = np.nan  # steps without any, at the end
    gappy[2][-1, 2] = 99.0
    return gappy


X = with_gaps(make_ragged(40, 5, 10, 3))
# Shorter and longer than any of the fit.
X_NEW = with_gaps(make_ragged(30, 4, 14, 3, seed=5), seed=5)
X_NEW += [np.array([[101.0, np.nan, 97.0]])]


def padded(sequences, fill=np.nan):
    """Return x and lengths, as files take them."""
    lengths = np.array([len(sequence) for sequence in sequences])
    x = np.full((len(lengths), lengths.max(), sequences[0].shape[1]), fill)
    for row, sequence in zip(x, sequences, strict=True):
        row[: len(sequence)] = sequence
    return x, lengths


@pytest.fixture
def export(tmp_path):
    """Return a function that exports an estimator, and returns one that runs the file."""

    def load(estimator):
        estimator.export_onnx(tmp_path / "file.onnx")
        session = onnxruntime.InferenceSession(tmp_path / "file.onnx")
        names = [output.name for output in session.get_outputs()]

        def run(sequences, fill=np.nan):
            x, lengths = padded(sequences, fill)
            return dict(zip(names, session.run(None, {"x": x, "lengths": lengths}), strict=True))

        return run

    return load


def assert_same(actual, expected):
    """Compare to 1e-5, of numbers above 1 relative to their size."""
    size = np.maximum(1, np.abs(expected))
    assert_allclose(actual / size, expected / size, rtol=0, atol=TOLERANCE)


def assert_same_steps(actual, expected):
    assert_same(actual, padded(expected)[0])


ARCHITECTURES = {
    "S1": {"bottleneck": "last"},
    "S2": {"bottleneck": "sequence"},
    "S3": {"bidirectional": "encoder"},
    "S4": {"hidden_size": (4, 4), "dropout": 0.2},
    "S5": {"bidirectional": "both"},
    "S1, S5": {"bottleneck": "last", "bidirectional": "both"},
    "S2, S5": {"bottleneck": "sequence", "bidirectional": "both"},
    "S6, S7, S9, S15": {},
    "S8": {"hidden_size": (6, 4), "bottleneck": "sequence"},
    "S8, S3": {"hidden_size": (6, 4), "bottleneck": "sequence", "bidirectional": "encoder"},
    "S9": {"bottleneck": "max"},
    "S10": {
        "scaler": "minmax",
        "output_activation": "sigmoid",
        "loss": "binary_cross_entropy",
    },
    "S10, tanh": {"scaler": MinMaxScaler((-1, 1)), "output_activation": "tanh"},
    "S10, relu": {"scaler": "minmax", "output_activation": "relu"},
    "S13": {"decoder": "autoregressive"},
    "S13, S2": {"decoder": "autoregressive", "bottleneck": "sequence"},
    "S13, S8": {
        "decoder": "autoregressive",
        "hidden_size": (6, 4),
        "bottleneck": "sequence",
        "bidirectional": "encoder",
    },
    # One that diverges, as it would after no more than a few epochs, multiplies rounding.
    "S13, S14": {"decoder": "autoregressive", "skip_connection": True, "max_epochs": 20},
    "S14": {"skip_connection": True},
}


@pytest.mark.parametrize("parameters", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_a_file_of_any_architecture_returns_what_torch_does(parameters, export):
    detector = LSTMAutoencoderDetector(**{**QUICK, "latent_size": 3, "scorer": "error"})
    fitted(detector.set_params(**parameters), X)
    found = export(detector)(X_NEW)
    assert_same_steps(found["reconstruction"], detector.reconstruct(X_NEW))
    assert_same(found["latent"], detector.transform(X_NEW))
    assert_same(found["error"], detector.reconstruction_error(X_NEW))
    assert_same(found["score"], detector.score_samples(X_NEW))
    assert_array_equal(found["label"], detector.predict(X_NEW))


@pytest.mark.parametrize("parameters", [{}, {"hidden_size": (6, 4), "scaler": None}], ids=str)
def test_a_file_of_a_forecaster_does_so_too(parameters, export):  # S12
    detector = LSTMForecastDetector(**{**QUICK, "scorer": "error", **parameters})
    found = export(fitted(detector, X))(X_NEW)
    assert_same_steps(found["prediction"], detector.predict_steps(X_NEW))
    assert_same(found["error"], detector.prediction_error(X_NEW))


def test_variables_with_features_of_their_own_are_flattened(export):  # S11
    X = make_waves(20, 8, 6).reshape(20, 8, 3, 2)
    detector = fitted(LSTMAutoencoderDetector(**QUICK, scorer="error"), X)
    found = export(detector)(X.reshape(20, 8, 6))
    assert_same(found["reconstruction"].reshape(X.shape), detector.reconstruct(X))


SCORERS = {
    **{name: name for name in ("joint", "neighbors", "mahalanobis", "error_max")},
    "own distances": JointScorer(
        (DistanceFromNearest(("latent", "peak")), DistanceFromMean("outline"))
    ),
    "from the mean alone": JointScorer((DistanceFromMean("log_error"),)),
}


@pytest.mark.parametrize(
    ("kind", "scorer"),
    [
        *((LSTMAutoencoderDetector, scorer) for scorer in SCORERS.values()),
        (LSTMForecastDetector, "joint"),
    ],
    ids=[*SCORERS, "joint, forecaster"],
)
def test_scores_and_labels_are_those_of_the_detector(kind, scorer, export):
    detector = fitted(kind(**QUICK, scorer=scorer, false_alarm_rate=0.2), X)
    odd = [*X[:10], *X_NEW, X_NEW[0] * 1.2]  # those of the fit, fresh ones, and an anomaly
    found = export(detector)(odd)
    assert_same(found["score"], detector.score_samples(odd))
    assert_array_equal(found["label"], detector.predict(odd))
    assert set(found["label"]) == {-1, 1}


@pytest.mark.parametrize(
    ("scaler", "loss"),
    [
        ("standard", "huber"),
        ("robust", "absolute_error"),
        (MaxAbsScaler(), "huber"),
        (None, "squared_error"),
    ],
    ids=str,
)
def test_scalers_and_losses_are_those_of_the_detector(scaler, loss, export):
    detector = LSTMAutoencoderDetector(**QUICK, loss=loss, scaler=scaler, scorer="error")
    shifted = [x + np.array([0, 1e6, 0]) for x in X]
    found = export(fitted(detector, shifted))(shifted)
    assert_same_steps(found["reconstruction"], detector.reconstruct(shifted))
    assert_same(found["error"], detector.reconstruction_error(shifted))


@pytest.mark.filterwarnings("ignore:X has no observed value of feature")
def test_a_feature_that_was_never_observed_counts_as_missing(export):
    never = [np.where([True, False, True], x, np.nan) for x in X]
    detector = fitted(LSTMAutoencoderDetector(**QUICK, scorer="mahalanobis"), never)
    found = export(detector)(X_NEW)
    assert_same_steps(found["reconstruction"], detector.reconstruct(X_NEW))
    assert_same(found["score"], detector.score_samples(X_NEW))


def test_what_stands_beyond_a_length_and_beside_a_sequence_has_no_influence(export):
    detector = LSTMAutoencoderDetector(**QUICK, bidirectional="both", scorer="neighbors")
    fitted(detector, X)
    run = export(detector)
    together = run(X_NEW, fill=1e5)
    for i in (0, 1, len(X_NEW) - 1):
        alone = run(X_NEW[i : i + 1])
        assert_same(together["score"][i], alone["score"][0])
        steps = together["reconstruction"][i]
        assert_same(steps[: len(X_NEW[i])], alone["reconstruction"][0])
        assert np.isnan(steps[len(X_NEW[i]) :]).all()


@pytest.mark.parametrize("scorer", ["error", "joint"])
def test_a_sequence_without_data_is_not_normal(scorer, export):
    detector = fitted(LSTMAutoencoderDetector(**QUICK, scorer=scorer), X)
    run = export(detector)
    found = run([X_NEW[0], np.full((4, 3), np.nan), X_NEW[1]])
    assert_array_equal(np.isnan(found["error"]), [False, True, False])
    assert_array_equal(np.isnan(found["score"]), [False, True, False])
    assert found["label"][1] == -1
    assert_same(found["score"][::2], detector.score_samples(X_NEW[:2]))
    (nothing,) = run([np.full((1, 3), np.nan)])["score"]
    assert np.isnan(nothing)


def test_windows_of_series_have_scores_but_no_label(export):
    inner = LSTMForecastDetector(**QUICK, scorer="neighbors")
    detector = fitted(SlidingWindowDetector(inner, window_size=12), make_series(300))
    windows = make_series(60, seed=3).reshape(5, 12, 2)
    found = export(detector.detector_)(windows)
    assert set(found) == {"prediction", "latent", "error", "score"}
    assert_same(found["score"], detector.detector_.score_samples(windows))


def test_a_detector_of_rows_says_what_can_be_written():
    detector = SlidingWindowDetector()
    assert not hasattr(detector, "export_onnx")
    told = (
        "SlidingWindowDetector has no export_onnx, as a file has no threshold that follows; call "
        "detector_.export_onnx(path) to write the detector of windows."
    )
    with pytest.raises(AttributeError, match=exactly(told)):
        detector.export_onnx("file.onnx")


@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"], [False, True]], ids=str)
def test_a_file_of_a_classifier_returns_classes_and_probabilities(labels, export):
    y = np.array(labels)[np.arange(len(X)) % 2]
    classifier = LSTMClassifier(**QUICK).fit(X, y)
    found = export(classifier)(X_NEW)
    assert_same(found["probability"], classifier.predict_proba(X_NEW))
    assert_array_equal(found["label"], classifier.predict(X_NEW))
    assert_same(found["latent"], classifier.transform(X_NEW))


TARGETS = {
    "one": [np.nansum(x) for x in X],
    "two": [[len(x), np.nansum(x)] for x in X],
    "two, one constant": [[7, np.nansum(x)] for x in X],
    "one a step": [np.arange(len(x)) for x in X],
    "two a step": [np.arange(2 * len(x)).reshape(-1, 2) for x in X],
}


@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
def test_a_file_of_a_regressor_returns_numbers(y, export):
    regressor = LSTMRegressor(**QUICK, differences=False).fit(X, y)
    found, expected = export(regressor)(X_NEW)["prediction"], regressor.predict(X_NEW)
    if isinstance(expected, list):
        assert_same(found, padded([np.atleast_2d(x.T).T for x in expected])[0].reshape(found.shape))
    else:
        assert_same(found, expected)


def test_a_file_says_what_it_holds(tmp_path):
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(x, columns=["flow", "heat", "dust"]) for x in X]
    detector = fitted(LSTMAutoencoderDetector(**QUICK, scorer="error"), frames)
    detector.export_onnx(str(tmp_path / "file.onnx"))
    session = onnxruntime.InferenceSession(tmp_path / "file.onnx")
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["feature_names"]) == ["flow", "heat", "dust"]
    assert json.loads(told["threshold"]) == detector.offset_
    assert told["detector"] == "LSTMAutoencoderDetector"
    assert told["skl_lstmae_version"] == __version__
    assert [node.shape for node in session.get_inputs()] == [["batch", "time", 3], ["batch"]]


def first_latent(errors, latents):
    return latents[:, 0]


def test_a_file_has_no_score_of_a_scorer_of_ones_own(export):
    detector = fitted(LSTMAutoencoderDetector(**QUICK, scorer=first_latent), X)
    with pytest.warns(UserWarning, match="has no score and no label: the scorer .* is not one of"):
        found = export(detector)(X_NEW)
    assert set(found) == {"reconstruction", "latent", "error"}


def test_a_file_has_no_score_of_worst_pieces(export):
    detector = LSTMForecastDetector(**QUICK, scorer="error").fit([make_series(400)])
    with pytest.warns(UserWarning, match="has no score and no label: .* by their worst pieces"):
        found = export(detector)(make_waves(3, 12))
    assert set(found) == {"prediction", "latent", "error"}


class OwnNetwork(LSTMAutoencoder):
    pass


def own_loss(prediction, target):
    return (prediction - target).abs()


REFUSED = {
    "network is a OwnNetwork, whose operations": {"network": OwnNetwork},
    "scaler is PowerTransformer": {"scaler": PowerTransformer()},
    "scaler is MinMaxScaler.clip=True": {"scaler": MinMaxScaler(clip=True)},
    "loss is <function own_loss": {"loss": own_loss},
}


@pytest.mark.parametrize("match", REFUSED)
def test_what_onnx_cannot_say_is_refused(match, tmp_path):
    parameters = {"max_epochs": 1, "device": "cpu", **REFUSED[match]}
    detector = fitted(LSTMAutoencoderDetector(**parameters), make_waves(9, 5, 3))
    with pytest.raises(ValueError, match=match):
        detector.export_onnx(tmp_path / "file.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_unfitted_detector_and_a_missing_package_are_told(tmp_path, monkeypatch):
    detector = LSTMAutoencoderDetector(**QUICK)
    with pytest.raises(NotFittedError):
        detector.export_onnx(tmp_path / "file.onnx")
    fitted(detector, X)
    monkeypatch.setitem(sys.modules, "spox", None)
    needs = "export_onnx writes graphs by spox, which is not installed; run pip install spox."
    with pytest.raises(ImportError, match=exactly(needs)):
        detector.export_onnx(tmp_path / "file.onnx")


def test_the_program_on_the_page_runs_without_torch_and_this_package(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "deployment.md").read_text(encoding="utf-8")
    _, program, *_ = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    without = "import sys; sys.modules.update(torch=None, sklearn=None, skl_lstmae=None)\n"
    fitted(LSTMAutoencoderDetector(**QUICK), X).export_onnx(tmp_path / "detector.onnx")
    np.savez(tmp_path / "recordings.npz", *X_NEW)
    run = [sys.executable, "-c", without + program]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{len(X_NEW)} recordings judged\n", "")


def test_both_sides_of_the_benchmark_score_the_same(tmp_path):
    ours, file = latency.sides(LSTMForecastDetector(**QUICK), waves(20, 12, 3), tmp_path)
    assert_same(file(), ours())
    assert min(latency.medians([ours, file], n_calls=1)) > 0
