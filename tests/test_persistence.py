"""A detector scores alike wherever it is saved, copied or sent to; damaged files are refused."""

import copy
import lzma
import pickle
import pickletools
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PowerTransformer

from skl_lstmae import LSTMAutoencoderDetector, __version__
from skl_lstmae._persistence import checksum
from skl_lstmae._scoring import MAX_REFERENCES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {"hidden_size": 4, "latent_size": 2, "max_epochs": 2, "device": "cpu", "random_state": 0}
DAMAGED = (
    "The numbers of this LSTMAutoencoderDetector are not those that were saved: the file is "
    "damaged; save the detector again."
)


def make_sequences(n_sequences: int, seed: int) -> list[np.ndarray]:
    """Return walks of three features and 3 to 7 steps, the first of which misses a value."""
    rng = np.random.RandomState(seed)
    lengths = rng.randint(3, 8, n_sequences)
    sequences = [rng.standard_normal((length, 3)).cumsum(axis=0) for length in lengths]
    sequences[0][1, 2] = np.nan
    return sequences


X = make_sequences(40, seed=0)
X_MORE = make_sequences(12, seed=1)
X_TEST = make_sequences(20, seed=2)


def largest_latent(errors, latents):
    return -np.abs(latents).max(axis=1)


CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "mahalanobis": {"scorer": "mahalanobis"},
    "error": {"scorer": "error"},
    "error_max": {"scorer": "error_max"},
    "own scorer": {"scorer": largest_latent},
    "minmax": {
        "scaler": "minmax",
        "output_activation": "sigmoid",
        "loss": "binary_cross_entropy",
    },
    "robust": {"scaler": "robust"},
    "unscaled": {"scaler": None, "loss": "huber"},
    "own scaler": {"scaler": PowerTransformer()},
    "own scaler of functions": {
        "scaler": FunctionTransformer(np.arcsinh, np.sinh, check_inverse=False)
    },
    "own pipeline of scalers": {"scaler": make_pipeline(MinMaxScaler(), PowerTransformer())},
    "stacked": {"hidden_size": [4, 3], "dropout": 0.1},
    "bidirectional encoder": {"bidirectional": "encoder", "bottleneck": "last"},
    "bidirectional": {"bidirectional": "both", "bottleneck": "max"},
    "sequence": {"bottleneck": "sequence"},
    "autoregressive": {"decoder": "autoregressive"},
    "skip connection": {"skip_connection": True},
    "contamination": {"contamination": 0.1, "early_stopping": False},
    "numbers of numpy": {"hidden_size": np.int64(4), "learning_rate": np.float64(0.01)},
}


@cache
def fitted(configuration: str = "default") -> LSTMAutoencoderDetector:
    """Return a detector that tests share, so that they leave it as it is."""
    parameters = {**QUICK, **CONFIGURATIONS[configuration]}
    return LSTMAutoencoderDetector(**parameters).fit(X)


def save_pickle(detector: LSTMAutoencoderDetector, file: Path, protocol: int = 5) -> None:
    file.write_bytes(pickle.dumps(detector, protocol))


def load_pickle(file: Path) -> LSTMAutoencoderDetector:
    return pickle.loads(file.read_bytes())


def save_cloudpickle(detector: LSTMAutoencoderDetector, file: Path) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    file.write_bytes(cloudpickle.dumps(detector))


def save_skops(
    detector: LSTMAutoencoderDetector, file: Path, compression: int = zipfile.ZIP_STORED
) -> None:
    pytest.importorskip("skops.io").dump(detector, file, compression=compression)


def load_skops(file: Path) -> LSTMAutoencoderDetector:
    sio = pytest.importorskip("skops.io")
    return sio.load(file, trusted=sio.get_untrusted_types(file=file))


class Format(NamedTuple):
    save: Callable[[LSTMAutoencoderDetector, Path], Any]
    load: Callable[[Path], LSTMAutoencoderDetector]
    errors: tuple[type[Exception], ...]
    """What a damaged file may end in, apart from the detector's own `ValueError`."""


PICKLE_ERRORS = (EOFError, pickle.UnpicklingError)
JOBLIB_ERRORS = (
    *PICKLE_ERRORS,
    IndexError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
)
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error)

FORMATS = {
    "pickle 2": Format(partial(save_pickle, protocol=2), load_pickle, PICKLE_ERRORS),
    "pickle 3": Format(partial(save_pickle, protocol=3), load_pickle, PICKLE_ERRORS),
    "pickle 4": Format(partial(save_pickle, protocol=4), load_pickle, PICKLE_ERRORS),
    "pickle 5": Format(save_pickle, load_pickle, PICKLE_ERRORS),
    "cloudpickle": Format(save_cloudpickle, load_pickle, PICKLE_ERRORS),
    "joblib": Format(joblib.dump, joblib.load, JOBLIB_ERRORS),
    "joblib mapped": Format(joblib.dump, partial(joblib.load, mmap_mode="r"), JOBLIB_ERRORS),
    "joblib zlib": Format(partial(joblib.dump, compress=3), joblib.load, JOBLIB_ERRORS),
    "joblib xz": Format(partial(joblib.dump, compress=("xz", 3)), joblib.load, JOBLIB_ERRORS),
    "skops": Format(save_skops, load_skops, ZIP_ERRORS),
    "skops deflated": Format(
        partial(save_skops, compression=zipfile.ZIP_DEFLATED), load_skops, ZIP_ERRORS
    ),
}
COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy}


def passed_through(way: str, detector: LSTMAutoencoderDetector, folder: Path) -> Any:
    """Return what becomes of a detector in a file format or a copy."""
    if way in COPIES:
        return COPIES[way](detector)
    file = folder / "detector"
    FORMATS[way].save(detector, file)
    return FORMATS[way].load(file)


every_way = pytest.mark.parametrize("way", [*FORMATS, *COPIES])
every_kind_of_way = pytest.mark.parametrize("way", ["pickle 5", "joblib mapped", "skops"])
every_format = pytest.mark.parametrize("name", FORMATS)


def assert_same_results(actual: LSTMAutoencoderDetector, expected: LSTMAutoencoderDetector):
    assert_array_equal(actual.score_samples(X_TEST), expected.score_samples(X_TEST))
    assert_array_equal(actual.transform(X_TEST), expected.transform(X_TEST))
    assert actual.offset_ == expected.offset_
    assert actual.loss_curve_ == expected.loss_curve_


# What survives


@every_way
def test_results_are_the_same_bit_for_bit(way, tmp_path):
    loaded = passed_through(way, fitted(), tmp_path)
    assert_same_results(loaded, fitted())
    assert repr(loaded) == repr(fitted())
    assert vars(loaded).keys() == vars(fitted()).keys()
    assert not loaded.module_.training


@every_kind_of_way
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_every_configuration_survives(way, configuration, tmp_path):
    detector = fitted(configuration)
    loaded = passed_through(way, detector, tmp_path)
    assert_same_results(loaded, detector)
    assert repr(loaded) == repr(detector)


@every_kind_of_way
def test_a_random_state_goes_on(way, tmp_path):
    random_state = np.random.RandomState(0)
    detector = LSTMAutoencoderDetector(**{**QUICK, "random_state": random_state}).fit(X)
    loaded = passed_through(way, detector, tmp_path)
    assert_same_results(loaded, detector)
    assert_same_results(loaded.fit(X), detector.fit(X))


@every_way
def test_an_unfitted_detector_survives(way, tmp_path):
    detector = LSTMAutoencoderDetector(**QUICK, scaler="minmax")
    loaded = passed_through(way, detector, tmp_path)
    with pytest.raises(NotFittedError):
        loaded.score_samples(X_TEST)
    assert loaded.get_params() == detector.get_params()
    assert_same_results(loaded.fit(X), clone(detector).fit(X))


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_clone_is_unfitted_and_becomes_the_same(configuration, tmp_path):
    loaded = passed_through("pickle 5", fitted(configuration), tmp_path)
    cloned = clone(loaded)
    with pytest.raises(NotFittedError):
        cloned.score_samples(X_TEST)
    assert repr(cloned) == repr(loaded)
    assert_same_results(cloned.fit(X), loaded.fit(X))


@every_way
def test_names_and_output_container_survive(way, tmp_path):
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(sequence, columns=["flow", "heat", "load"]) for sequence in X]
    detector = LSTMAutoencoderDetector(**QUICK).set_output(transform="pandas").fit(frames)
    loaded = passed_through(way, detector, tmp_path)
    assert loaded.feature_names_in_.tolist() == ["flow", "heat", "load"]
    pd.testing.assert_frame_equal(loaded.transform(frames), detector.transform(frames))
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict([frame[["heat", "flow", "load"]] for frame in frames])


GOING_ON = {
    "fit": lambda detector: detector.fit(X_MORE),
    "warm start": lambda detector: detector.set_params(warm_start=True).fit(X_MORE),
    "partial_fit": lambda detector: detector.partial_fit(X_MORE).partial_fit(X),
    "recalibrate": lambda detector: detector.recalibrate(false_alarm_rate=0.2),
}


@cache
def gone_on(step: str) -> LSTMAutoencoderDetector:
    """Return a detector that went on and was never saved, which tests leave as it is."""
    return GOING_ON[step](LSTMAutoencoderDetector(**QUICK).fit(X))


@every_kind_of_way
@pytest.mark.parametrize("step", GOING_ON)
def test_a_loaded_detector_goes_on_as_the_saved_one_would_have(way, step, tmp_path):
    loaded = passed_through(way, fitted(), tmp_path)
    assert_same_results(GOING_ON[step](loaded), gone_on(step))


@pytest.mark.parametrize(
    "configuration", ["default", "mahalanobis", "error", "own scorer", "minmax", "unscaled"]
)
def test_partial_fit_goes_on_from_read_only_memory(configuration, tmp_path):
    loaded = passed_through("joblib mapped", fitted(configuration), tmp_path)
    assert isinstance(loaded._scaling.moments.mean_, np.memmap)
    assert not loaded._scaling.moments.mean_.flags.writeable
    never_saved = LSTMAutoencoderDetector(**{**QUICK, **CONFIGURATIONS[configuration]}).fit(X)
    assert_same_results(loaded.partial_fit(X_MORE), never_saved.partial_fit(X_MORE))
    assert_same_results(passed_through("pickle 5", loaded, tmp_path), never_saved)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("configuration", ["default", "mahalanobis"])
def test_what_a_copy_learns_its_original_does_not(way, configuration):
    original = clone(fitted(configuration)).fit(X)
    copied = COPIES[way](original).partial_fit(X_MORE).recalibrate(contamination=0.3)
    with torch.no_grad():
        copied.module_.decoder.head.bias.add_(1)
    assert_same_results(original, fitted(configuration))

    copied = COPIES[way](original)
    original.partial_fit(X_MORE)
    with torch.no_grad():
        original.module_.decoder.head.bias.add_(1)
    assert_same_results(copied, fitted(configuration))


@every_way
def test_loading_leaves_the_global_random_states_alone(way, tmp_path):
    detector = fitted("stacked")
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    passed_through(way, detector, tmp_path)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], numpy_state[1])  # noqa: NPY002
    assert np.random.get_state()[2:] == numpy_state[2:]  # noqa: NPY002


# Another process


def fit_and_save(folder: Path) -> tuple[np.ndarray, float]:
    detector = LSTMAutoencoderDetector(**QUICK).fit(X)
    for name in FORMATS:
        FORMATS[name].save(detector, folder / name)
    return detector.score_samples(X_TEST), detector.offset_


def load_and_score(file: Path) -> np.ndarray:
    return load_pickle(file).score_samples(X_TEST)


@pytest.fixture(scope="module")
def another_process():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        yield process


def test_scores_of_another_process_are_the_same_bit_for_bit(another_process, tmp_path):
    pytest.importorskip("cloudpickle")
    pytest.importorskip("skops")
    scores, offset = another_process.submit(fit_and_save, tmp_path).result()
    for name, file_format in FORMATS.items():
        loaded = file_format.load(tmp_path / name)
        assert_array_equal(loaded.score_samples(X_TEST), scores)
        assert loaded.offset_ == offset


def test_cloudpickle_sends_a_scorer_that_no_other_process_could_import(another_process, tmp_path):
    detector = LSTMAutoencoderDetector(**QUICK, scorer=lambda errors, latents: latents[:, 0])
    save_cloudpickle(detector.fit(X), tmp_path / "detector")
    scores = another_process.submit(load_and_score, tmp_path / "detector").result()
    assert_array_equal(scores, detector.score_samples(X_TEST))


SCORE_WITHOUT_OPTIONAL_PACKAGES = """
import pickle, sys
from types import SimpleNamespace

def refuse(name, *_):
    if name in {"matplotlib", "pandas", "polars", "rich", "skops"}:
        raise ModuleNotFoundError(name)

sys.meta_path.insert(0, SimpleNamespace(find_spec=refuse))
detector, X = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(detector.score_samples(X).tobytes())
"""


def test_loading_needs_no_optional_package():
    process = subprocess.run(
        [sys.executable, "-c", SCORE_WITHOUT_OPTIONAL_PACKAGES],
        input=pickle.dumps((fitted(), X_TEST)),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert process.stdout == fitted().score_samples(X_TEST).tobytes()


# What a file holds


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_weights_are_saved_as_plain_arrays(configuration):
    weights = fitted(configuration).__getstate__()["module_"]
    assert {(type(weight), weight.dtype) for weight in weights.values()} == {
        (np.ndarray, np.dtype(np.float32))
    }


def texts_in(pickled: bytes) -> set[str]:
    """Return the texts of a pickle, among which are the modules of all that it refers to."""
    return {text for _, text, _ in pickletools.genops(pickled) if isinstance(text, str)}


def names_torch(pickled: bytes) -> bool:
    return any(text.startswith("torch") for text in texts_in(pickled))


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_pickle_refers_to_nothing_of_torch(protocol):
    # device="auto" would run on a GPU where there is one, and is nothing of torch itself.
    detector = LSTMAutoencoderDetector(**QUICK).fit(X).set_params(device="auto")
    assert not names_torch(pickle.dumps(detector, protocol))
    assert names_torch(pickle.dumps(detector.set_params(device=torch.device("cpu")), protocol))


@pytest.fixture(scope="module", params=["neighbors", "mahalanobis", "error"])
def detector_of_many_sequences(request):
    parameters = {**QUICK, "hidden_size": 64, "max_epochs": 1, "scorer": request.param}
    sequences = make_sequences(2500, seed=0)
    detector = LSTMAutoencoderDetector(**parameters, validation_fraction=0.45).fit(sequences)
    # Training data or the moments of an optimizer would not pass unnoticed.
    assert sum(sequence.nbytes for sequence in sequences) > 2**16
    assert weights_size(detector) > 2**16
    return detector


def weights_size(detector: LSTMAutoencoderDetector) -> int:
    return sum(weight.nbytes for weight in detector.module_.parameters())


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("pickle 2", "skops")])
def test_a_file_holds_the_weights_and_little_else(name, detector_of_many_sequences, tmp_path):
    # Left out are pickle's protocol 2, which saves binary data as text, and skops' description of
    # the detector, which is lengthy unless compressed.
    detector = detector_of_many_sequences
    FORMATS[name].save(detector, tmp_path / "detector")
    kept = [
        getattr(detector._scorer, name, np.empty(0))
        for name in ("references_", "covariance_", "precision_")
    ]
    for scores in (detector._training_scores, detector._held_out_scores, detector._learned_scores):
        kept += [scores.scores, scores.latest]
    expected = weights_size(detector) + sum(array.nbytes for array in kept) + 16 * 1024
    assert (tmp_path / "detector").stat().st_size <= expected


@pytest.mark.parametrize("detector_of_many_sequences", ["neighbors"], indirect=True)
def test_references_are_bounded(detector_of_many_sequences, tmp_path):
    detector = passed_through("pickle 5", detector_of_many_sequences, tmp_path)
    n_summaries = 2 + 3 + 64  # latents, errors of the features, peaks of the encoder's outputs
    assert detector._scorer.references_.shape == (MAX_REFERENCES, n_summaries) == (1024, 69)
    assert detector_of_many_sequences._scorer.references_.base is None  # of all, no more is kept
    detector.partial_fit(X_MORE)
    assert detector._scorer.references_.shape == (1024, 69)


def test_skops_asks_for_trust_in_six_types():
    sio = pytest.importorskip("skops.io")
    assert sio.get_untrusted_types(data=sio.dumps(fitted())) == [
        "skl_lstmae._detector.LSTMAutoencoderDetector",
        "skl_lstmae._scaling.Scaling",
        "skl_lstmae._scoring.JointScorer",
        "skl_lstmae._scoring.MahalanobisScorer",
        "skl_lstmae._scoring.View",
        "skl_lstmae._thresholds.ReferenceScores",
    ]
    unfitted = sio.dumps(clone(fitted()))
    assert sio.get_untrusted_types(data=unfitted) == [
        "skl_lstmae._detector.LSTMAutoencoderDetector"
    ]


@pytest.mark.parametrize(
    "configuration", [name for name in CONFIGURATIONS if not name.startswith("own")]
)
def test_skops_asks_for_trust_in_nothing_but_this_package(configuration):
    sio = pytest.importorskip("skops.io")
    data = sio.dumps(fitted(configuration))
    types = sio.get_untrusted_types(data=data)
    assert len(types) == (6 if fitted(configuration).scorer == "joint" else 4)
    assert [name for name in types if not name.startswith("skl_lstmae.")] == []
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException):
        sio.loads(data, trusted=types[1:])


# Other machines and versions


@pytest.mark.skipif(torch.accelerator.is_available(), reason="needs a machine without accelerator")
@pytest.mark.parametrize("device", ["cuda:0", "cuda:99", "mps", "xpu:0"])
@every_kind_of_way
def test_what_was_fitted_on_a_gpu_runs_on_a_cpu(way, device, tmp_path):
    from_gpu = copy.copy(fitted())
    from_gpu.device_ = torch.device(device)
    loaded = passed_through(way, from_gpu, tmp_path)
    assert loaded.device_ == torch.device("cpu")
    assert_same_results(loaded, fitted())


def test_the_version_is_saved():
    assert fitted().__getstate__()["_skl_lstmae_version"] == __version__
    assert clone(fitted()).__getstate__()["_skl_lstmae_version"] == __version__


@every_format
def test_what_a_newer_major_version_saved_is_refused(name, monkeypatch, tmp_path):
    newer = f"{int(__version__.split('.')[0]) + 1}.2.3"
    monkeypatch.setattr("skl_lstmae._base.__version__", newer)
    FORMATS[name].save(fitted(), tmp_path / "detector")
    message = (
        f"This LSTMAutoencoderDetector was saved by skl_lstmae {newer}, but version {__version__} "
        "is running; run pip install --upgrade skl_lstmae to load it."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        FORMATS[name].load(tmp_path / "detector")


@pytest.mark.parametrize("version", ["0.0.1", "0.999.0", "0.2.0rc1", "0"])
def test_other_versions_of_this_major_one_or_before_are_loaded(version, monkeypatch, tmp_path):
    monkeypatch.setattr("skl_lstmae._base.__version__", version)
    assert_same_results(passed_through("pickle 5", fitted(), tmp_path), fitted())


@pytest.mark.parametrize("version", [None, "x.1", ""])
def test_what_does_not_name_its_version_is_refused(version):
    state = {**fitted().__getstate__(), "_skl_lstmae_version": version}
    if version is None:
        del state["_skl_lstmae_version"]
    message = (
        "This LSTMAutoencoderDetector should name the version of skl_lstmae that saved it, but "
        f"names {version!r}: the file is damaged; save the detector again."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        LSTMAutoencoderDetector().__setstate__(state)


# Damage


@every_format
def test_a_truncated_file_is_refused(name, tmp_path):
    file = tmp_path / "detector"
    FORMATS[name].save(fitted(), file)
    data = file.read_bytes()
    # The last few bytes of a zlib stream are its checksum, without which the rest is whole.
    for size in np.linspace(0, len(data) - 16, 40, dtype=int):
        file.write_bytes(data[:size])
        with pytest.raises(FORMATS[name].errors):
            FORMATS[name].load(file)


def flips_within(size: int) -> list[tuple[int, int]]:
    """Return positions and masks: each bit of a byte amid `size` of them, and the ends' bytes."""
    return [(0, 0xFF), (size - 1, 0xFF), *((size // 2, 1 << bit) for bit in range(8))]


@pytest.mark.parametrize("name", ["pickle 3", "pickle 5", "joblib", "joblib mapped"])
@pytest.mark.parametrize("configuration", ["default", "mahalanobis"])
def test_a_flipped_bit_of_any_number_is_noticed(name, configuration, tmp_path):
    detector = fitted(configuration)
    numbers = [
        *detector.__getstate__()["module_"].values(),
        detector.scaler_.mean_,
        detector.scaler_.scale_,
        detector._training_scores.scores,
        detector._held_out_scores.scores,
        detector._learned_scores.scores,
        *(part for part in vars(detector._scorer).values() if isinstance(part, np.ndarray)),
    ]
    file = tmp_path / "detector"
    FORMATS[name].save(detector, file)
    data = file.read_bytes()
    for array in numbers:
        start = data.index(array.tobytes("A"))
        for position, mask in flips_within(array.nbytes):
            damaged = bytearray(data)
            damaged[start + position] ^= mask
            file.write_bytes(damaged)
            with pytest.raises(ValueError, match=re.escape(DAMAGED)):
                FORMATS[name].load(file)


@pytest.mark.parametrize("name", ["joblib zlib", "joblib xz", "skops", "skops deflated"])
def test_a_flipped_bit_of_a_file_with_a_checksum_of_its_own_is_noticed(name, tmp_path):
    file = tmp_path / "detector"
    FORMATS[name].save(fitted(), file)
    data = file.read_bytes()
    unnoticed = []
    for number, position in enumerate(np.linspace(0, len(data) - 1, 100, dtype=int)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << number % 8
        file.write_bytes(damaged)
        try:
            unnoticed.append(FORMATS[name].load(file))
        except Exception:
            continue
    # Bits of the dates of a zip file's members, for instance, change nothing.
    assert len(unnoticed) < 20
    for loaded in unnoticed:
        assert_same_results(loaded, fitted())


WEIGHT = "decoder.stack.layers.0.onward.weight_ih_l0"


def without_a_weight(weights):
    return {name: weight for name, weight in weights.items() if name != WEIGHT}


def with_a_weight_transposed(weights):
    return {**weights, WEIGHT: weights[WEIGHT].T.copy()}


def with_a_weight_reshaped(weights):
    return {**weights, WEIGHT: weights[WEIGHT].reshape(weights[WEIGHT].T.shape)}


def with_a_weight_read_as_integers(weights):
    return {**weights, WEIGHT: weights[WEIGHT].view(np.int32)}


def with_two_weights_swapped(weights):
    bias = WEIGHT.replace("weight_ih", "bias_ih")
    other = WEIGHT.replace("weight_ih", "bias_hh")
    return {**weights, bias: weights[other], other: weights[bias]}


@pytest.mark.parametrize(
    "damage",
    [
        without_a_weight,
        with_a_weight_transposed,
        with_a_weight_reshaped,
        with_a_weight_read_as_integers,
        with_two_weights_swapped,
    ],
)
def test_other_weights_than_those_that_were_saved_are_refused(damage):
    state = fitted().__getstate__()
    state["module_"] = damage(state["module_"])
    with pytest.raises(ValueError, match=re.escape(DAMAGED)):
        LSTMAutoencoderDetector().__setstate__(state)


def test_a_state_without_checksum_is_refused():
    state = fitted().__getstate__()
    del state["_checksum"]
    with pytest.raises(ValueError, match=re.escape(DAMAGED)):
        LSTMAutoencoderDetector().__setstate__(state)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_a_weight, f'Missing key.*"{WEIGHT}"'),
        (with_a_weight_transposed, f"size mismatch for {WEIGHT}"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(damage, message):
    state = fitted().__getstate__()
    state["module_"] = damage(state["module_"])
    saved = {
        name: part for name, part in state.items() if not name.startswith(("_checksum", "_skl"))
    }
    state["_checksum"] = checksum(saved)
    with pytest.raises(RuntimeError, match=message):
        LSTMAutoencoderDetector().__setstate__(state)


def test_a_state_can_be_restored_twice():
    state = fitted().__getstate__()
    for _ in range(2):
        loaded = LSTMAutoencoderDetector()
        loaded.__setstate__(state)
        assert_same_results(loaded, fitted())
