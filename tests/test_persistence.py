"""A detector scores alike wherever it is saved, copied or sent to; damaged files are refused."""

import copy
import lzma
import pickle
import pickletools
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io as sio
import torch
from conftest import QUICK, exactly, fitted, make_ragged, make_series
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PowerTransformer

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
    __version__,
)
from skl_lstmae._files import EARLIER_MODULES
from skl_lstmae.modules import LSTMAutoencoder
from skl_lstmae.scoring import DistanceFromNearest, JointScorer, Scorer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DAMAGED = (
    "The numbers of this LSTMAutoencoderDetector are not those that were saved: the file is "
    "damaged; save the detector again."
)
X, X_MORE, X_TEST = (make_ragged(n, 3, 7, 3, seed=n) for n in (40, 12, 20))
for sequences in (X, X_MORE, X_TEST):
    sequences[0][1, 2] = np.nan


def largest_latent(errors, latents):
    return -np.abs(latents).max(axis=1)


class LargestErrorScorer(Scorer):
    def score(self, summaries):
        return -np.nanmax(summaries, axis=1)


CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "random state": {"random_state": np.random.RandomState(0), "hidden_size": np.int64(4)},
    "mahalanobis": {
        "scorer": "mahalanobis",
        "scaler": "minmax",
        "output_activation": "sigmoid",
        "loss": "binary_cross_entropy",
    },
    "neighbors": {"scorer": "neighbors", "hidden_size": [4, 3], "dropout": 0.1},
    "error": {"scorer": "error", "scaler": None, "loss": "huber", "bidirectional": "encoder"},
    "error_max": {"scorer": "error_max", "scaler": "robust", "bottleneck": "sequence"},
    "contamination": {"contamination": 0.1, "early_stopping": False, "skip_connection": True},
    "one distance": {
        "scorer": JointScorer((DistanceFromNearest(("latent", "bias"), is_whitened=True),)),
        "bidirectional": "both",
        "bottleneck": "max",
    },
    "own function": {
        "scorer": largest_latent,
        "scaler": FunctionTransformer(np.arcsinh, np.sinh, check_inverse=False),
        "decoder": "autoregressive",
    },
    "own scorer": {
        "scorer": LargestErrorScorer(),
        "scaler": make_pipeline(MinMaxScaler(), PowerTransformer()),
        "learning_rate": np.float64(0.01),
    },
    "own network": {
        "network": partial(LSTMAutoencoder, hidden_size=4, bottleneck="last"),
        "hidden_size": 64,
        "latent_size": 32,
    },
}
OF_THE_PACKAGE = [name for name in CONFIGURATIONS if not name.startswith("own")]


def make_detector(configuration="default", **parameters):
    parameters = {**QUICK, "max_epochs": 2, "latent_size": 2, **parameters}
    return LSTMAutoencoderDetector(**{**parameters, **CONFIGURATIONS[configuration]})


@cache
def shared(configuration="default"):
    """Return a fitted detector, which tests leave as it is."""
    return fitted(copy.deepcopy(make_detector(configuration)), X)


class Format(NamedTuple):
    save: Callable[..., Any]
    load: Callable[..., Any]
    errors: tuple[type[Exception], ...]
    """What a damaged file may end in, apart from the detector's own refusal."""


def save_by(module, **options):
    return lambda detector, file: file.write_bytes(module.dumps(detector, **options))


def load_pickle(file):
    return pickle.loads(file.read_bytes())


def load_skops(file):
    return sio.load(file, trusted=sio.get_untrusted_types(file=file))


PICKLE = (EOFError, pickle.UnpicklingError)
JOBLIB = (*PICKLE, IndexError, ValueError, lzma.LZMAError, struct.error, zlib.error)
ZIP = (zipfile.BadZipFile, zlib.error)
FORMATS = {
    **{
        f"pickle {protocol}": Format(save_by(pickle, protocol=protocol), load_pickle, PICKLE)
        for protocol in range(2, 6)
    },
    "cloudpickle": Format(save_by(cloudpickle), load_pickle, PICKLE),
    "joblib": Format(joblib.dump, joblib.load, JOBLIB),
    "joblib mapped": Format(joblib.dump, partial(joblib.load, mmap_mode="r"), JOBLIB),
    "joblib zlib": Format(partial(joblib.dump, compress=3), joblib.load, JOBLIB),
    "joblib xz": Format(partial(joblib.dump, compress=("xz", 3)), joblib.load, JOBLIB),
    "skops": Format(save_by(sio), load_skops, ZIP),
    "skops deflated": Format(save_by(sio, compression=zipfile.ZIP_DEFLATED), load_skops, ZIP),
}
COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy}


def passed_through(way, detector, folder):
    """Return what becomes of a detector in a file format or a copy."""
    if way in COPIES:
        return COPIES[way](detector)
    FORMATS[way].save(detector, folder / "detector")
    return FORMATS[way].load(folder / "detector")


KINDS_OF_WAYS = ["pickle 5", "joblib mapped", "skops"]
every_way = pytest.mark.parametrize("way", [*FORMATS, *COPIES])
every_kind_of_way = pytest.mark.parametrize("way", KINDS_OF_WAYS)


def assert_same_results(actual, expected):
    assert_array_equal(actual.score_samples(X_TEST), expected.score_samples(X_TEST))
    assert_array_equal(actual.transform(X_TEST), expected.transform(X_TEST))
    assert actual.offset_ == expected.offset_
    assert actual.loss_curve_ == expected.loss_curve_


# What survives


@pytest.mark.parametrize(
    ("way", "configuration"),
    [*product([*FORMATS, *COPIES], ["default"]), *product(KINDS_OF_WAYS, CONFIGURATIONS)],
)
def test_results_are_the_same_bit_for_bit_also_when_fitted_anew(way, configuration, tmp_path):
    expected = shared(configuration)
    before = torch.get_rng_state().tolist(), np.random.get_state()  # noqa: NPY002
    loaded = passed_through(way, expected, tmp_path)
    after = torch.get_rng_state().tolist(), np.random.get_state()  # noqa: NPY002
    np.testing.assert_equal(after, before)
    assert_same_results(loaded, expected)
    assert vars(loaded).keys() == vars(expected).keys()
    assert not loaded.module_.training
    again = clone(copy.deepcopy(expected)).fit(X)
    assert_same_results(clone(loaded).fit(X), again)


@every_way
def test_an_unfitted_detector_survives(way, tmp_path):
    loaded = passed_through(way, make_detector(), tmp_path)
    assert repr(loaded) == repr(make_detector())
    with pytest.raises(NotFittedError):
        loaded.score_samples(X_TEST)
    assert_same_results(loaded.fit(X), shared())


@every_way
def test_names_and_output_container_survive(way, tmp_path):
    frames = [pd.DataFrame(sequence, columns=["flow", "heat", "load"]) for sequence in X]
    detector = make_detector().set_output(transform="pandas").fit(frames)
    loaded = passed_through(way, detector, tmp_path)
    assert loaded.feature_names_in_.tolist() == ["flow", "heat", "load"]
    pd.testing.assert_frame_equal(loaded.transform(frames), detector.transform(frames))


GOING_ON = {
    "fit": lambda detector: detector.fit(X_MORE),
    "warm start": lambda detector: detector.set_params(warm_start=True).fit(X_MORE),
    "partial_fit": lambda detector: detector.partial_fit(X_MORE).partial_fit(X),
    "recalibrate": lambda detector: detector.recalibrate(false_alarm_rate=0.2),
}


@cache
def never_saved(step, configuration):
    return GOING_ON[step](copy.deepcopy(make_detector(configuration)).fit(X))


@every_kind_of_way
@pytest.mark.parametrize("step", GOING_ON)
@pytest.mark.parametrize(
    "configuration", ["default", "random state", "mahalanobis", "neighbors", "error"]
)
def test_a_loaded_detector_goes_on_as_the_saved_one_would_have(way, step, configuration, tmp_path):
    """Also from a mapped file's memory, which can only be read."""
    loaded = passed_through(way, shared(configuration), tmp_path)
    assert_same_results(GOING_ON[step](loaded), never_saved(step, configuration))
    loaded = passed_through("pickle 5", loaded, tmp_path)
    assert_same_results(loaded, never_saved(step, configuration))


def test_mapped_files_are_read_only(tmp_path):
    scaler = passed_through("joblib mapped", shared(), tmp_path).scaler_
    assert isinstance(scaler.mean_, np.memmap)
    assert not scaler.mean_.flags.writeable


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("configuration", ["default", "mahalanobis"])
@pytest.mark.parametrize("learner", [0, 1])
def test_what_a_copy_learns_its_original_does_not_nor_the_reverse(way, configuration, learner):
    original = make_detector(configuration).fit(X)
    both = [original, COPIES[way](original)]
    both[learner].partial_fit(X_MORE).recalibrate(contamination=0.3)
    with torch.no_grad():
        both[learner].module_.decoder.head.bias.add_(1)
    assert_same_results(both[1 - learner], shared(configuration))


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


@pytest.mark.parametrize("scorer", ["joint", lambda errors, latents: latents[:, 0]])
def test_another_process_needs_neither_optional_packages_nor_what_cloudpickle_brings(scorer):
    detector = make_detector(scorer=scorer).fit(X)
    process = subprocess.run(
        [sys.executable, "-c", SCORE_WITHOUT_OPTIONAL_PACKAGES],
        input=cloudpickle.dumps((detector, X_TEST)),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert process.stdout == detector.score_samples(X_TEST).tobytes()


# What a file holds


def names_torch(pickled):
    """Tell whether among a pickle's texts are modules of torch, to which it would refer."""
    texts = [text for _, text, _ in pickletools.genops(pickled) if isinstance(text, str)]
    return any(text.startswith("torch") for text in texts)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_pickle_refers_to_nothing_of_torch(protocol):
    for configuration in set(CONFIGURATIONS) - {"own network"}:
        assert not names_torch(pickle.dumps(shared(configuration), protocol))
    of_torch = clone(shared()).set_params(device=torch.device("cpu"))
    assert names_torch(pickle.dumps(of_torch, protocol))


SIZES = {
    "joint": 1024 * 4 * (2 + 3 + 3 + 64 + 8 * 3 + 8 * 3 + 32 * 3 + 1),
    "neighbors": 1024 * 8 * (2 + 3 + 64),
    "mahalanobis": 2 * 8 * (2 + 3) ** 2,
    "error": 0,
}
"""Bytes of what a scorer keeps: fields of 1024 references, by 2 latents, 3 features, 64 states."""


@cache
def fitted_to_many(scorer):
    detector = make_detector(scorer=scorer, hidden_size=64, max_epochs=1, validation_fraction=0.45)
    return detector.fit(make_ragged(2500, 3, 7, 3))


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")  # one of 2,500
@pytest.mark.parametrize("scorer", SIZES)
@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("pickle 2", "skops")])
def test_a_file_holds_the_weights_what_the_scorer_knows_and_little_else(name, scorer, tmp_path):
    # Left out are pickle's protocol 2, which saves binary data as text, and skops' description of
    # the detector, which is lengthy unless compressed.
    detector = fitted_to_many(scorer)
    FORMATS[name].save(detector, tmp_path / "detector")
    weights = sum(weight.nbytes for weight in detector.module_.parameters())
    scores = 3 * 8 * (2048 + 1024)  # of all, held-out and learned sequences
    assert weights > 2**16  # or the moments of an optimizer would pass unnoticed
    assert (tmp_path / "detector").stat().st_size <= weights + SIZES[scorer] + scores + 2**14


@pytest.mark.parametrize("configuration", OF_THE_PACKAGE)
def test_skops_asks_for_trust_in_nothing_but_this_package(configuration):
    data = sio.dumps(shared(configuration))
    types = sio.get_untrusted_types(data=data)
    assert [name for name in types if not name.startswith("skl_lstmae.")] == []
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException):
        sio.loads(data, trusted=types[1:])


class Unkept(LSTMAutoencoder):
    """Has arguments of its own, which nothing keeps."""

    def __init__(self, n_features):
        super().__init__(n_features, hidden_size=4)


@pytest.mark.parametrize("network", [Unkept, LSTMAutoencoder(3, hidden_size=4)])
def test_skops_refuses_a_network_that_it_cannot_keep_by_a_sentence(network):
    name = "Unkept" if network is Unkept else "LSTMAutoencoder"
    sentence = (
        f"skops keeps no torch modules, such as this {name}; save the detector by joblib, or give "
        "it a function or class as network, whose networks have a config."
    )
    detector = make_detector("own network").set_params(network=network).fit(X)
    with pytest.raises(TypeError, match=exactly(sentence)):
        sio.dumps(detector)
    for protocol in range(2, 6):
        assert_same_results(pickle.loads(pickle.dumps(detector, protocol)), detector)


# Other machines and versions


@pytest.mark.skipif(torch.accelerator.is_available(), reason="needs a machine without accelerator")
@pytest.mark.parametrize("device", ["cuda:0", "cuda:99", "mps", "xpu:0"])
@every_kind_of_way
def test_what_was_fitted_on_a_gpu_runs_on_a_cpu(way, device, tmp_path):
    from_gpu = copy.copy(shared())
    model = replace(from_gpu._judge.model, device=torch.device(device))
    from_gpu._judge = replace(from_gpu._judge, model=model)
    loaded = passed_through(way, from_gpu, tmp_path)
    assert loaded.device_ == torch.device("cpu")
    assert_same_results(loaded, shared())


@pytest.mark.parametrize("version", ["0.0.1", "0.999.0", "0.2.0rc1", "0", __version__])
def test_versions_of_this_major_one_or_before_are_loaded_also_twice(version):
    state = shared().__getstate__()
    assert state["_skl_lstmae_version"] == __version__
    state["_skl_lstmae_version"] = version
    for _ in range(2):
        loaded = LSTMAutoencoderDetector()
        loaded.__setstate__(state)
        assert_same_results(loaded, shared())


NAMELESS = (
    "This LSTMAutoencoderDetector should name the version of skl_lstmae that saved it, but names "
    "{!r}: the file is damaged; save the detector again."
)
NEWER = (
    f"This LSTMAutoencoderDetector was saved by skl_lstmae 1000.2.3, but version {__version__} is "
    "running; run pip install --upgrade skl_lstmae to load it."
)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        *(("_skl_lstmae_version", value, NAMELESS.format(value)) for value in (None, "x.1", "")),
        ("_skl_lstmae_version", "1000.2.3", NEWER),
        ("_checksum", None, DAMAGED),
    ],
)
def test_a_file_of_a_newer_major_version_or_of_none_is_refused(name, value, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        LSTMAutoencoderDetector().__setstate__({**shared().__getstate__(), name: value})


def test_a_file_of_before_version_0_1_is_refused():
    sentence = (
        "This file was written before version 0.1 of skl_lstmae, when its LSTMAutoencoderDetector "
        "was another one; fit the detector again and save it anew."
    )
    with pytest.raises(ImportError, match=exactly(sentence)):
        pickle.loads(b"cskl_lstmae._detector\nLSTMAutoencoderDetector\n.")
    # Whoever looks through all modules, as pickle does for an object without one, is not disturbed.
    assert not any(hasattr(sys.modules[f"skl_lstmae.{name}"], "time") for name in EARLIER_MODULES)


# Damage


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_is_refused(name, tmp_path):
    file = tmp_path / "detector"
    FORMATS[name].save(shared(), file)
    data = file.read_bytes()
    # The last few bytes of a zlib stream are its checksum, without which the rest is whole.
    for size in np.linspace(0, len(data) - 16, 40, dtype=int):
        file.write_bytes(data[:size])
        with pytest.raises(FORMATS[name].errors):
            FORMATS[name].load(file)


def flipped(data, position, mask):
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


def arrays_in(state):
    """Return the arrays in what a detector saves of its judge."""
    if isinstance(state, np.ndarray):
        return [state]
    if not isinstance(state, dict | list | tuple):
        is_ours = type(state).__module__.startswith(("skl_lstmae.", "sklearn.preprocessing."))
        state = state.__getstate__() if is_ours else ()
    parts = state.values() if isinstance(state, dict) else state
    return [array for part in parts for array in arrays_in(part)]


@pytest.mark.parametrize("name", ["pickle 3", "pickle 5", "joblib", "joblib mapped"])
@pytest.mark.parametrize("configuration", ["default", "mahalanobis"])
def test_a_flipped_bit_of_any_number_is_noticed(name, configuration, tmp_path):
    file, detector = tmp_path / "detector", shared(configuration)
    FORMATS[name].save(detector, file)
    data = file.read_bytes()
    numbers = [array.tobytes("A") for array in arrays_in(detector._judge)]
    numbers = [number for number in numbers if data.count(number) == 1]
    assert len(numbers) > 20  # weights, references, statistics of scaler and scorer, scores
    for number in numbers:
        start, size = data.index(number), len(number)
        bits = [(size // 2, 1 << bit) for bit in range(8)]
        for position, mask in [(0, 0xFF), (size - 1, 0xFF), *bits]:
            file.write_bytes(flipped(data, start + position, mask))
            with pytest.raises(ValueError, match=exactly(DAMAGED)):
                FORMATS[name].load(file)


@pytest.mark.parametrize("name", ["joblib zlib", "joblib xz", "skops", "skops deflated"])
def test_a_flipped_bit_of_a_file_with_a_checksum_of_its_own_is_noticed(name, tmp_path):
    file = tmp_path / "detector"
    FORMATS[name].save(shared(), file)
    data = file.read_bytes()
    unnoticed = []
    for number, position in enumerate(np.linspace(0, len(data) - 1, 100, dtype=int)):
        file.write_bytes(flipped(data, position, 1 << number % 8))
        with suppress(Exception):
            unnoticed.append(FORMATS[name].load(file))
    # Bits of the dates of a zip file's members, for instance, change nothing.
    assert len(unnoticed) < 20
    for loaded in unnoticed:
        assert_same_results(loaded, shared())


WEIGHT = "decoder.stack.layers.0.onward.weight_ih_l0"
BIAS, OTHER_BIAS = (WEIGHT.replace("weight_ih", name) for name in ("bias_ih", "bias_hh"))


OTHERS = "weights in this file are not those of its LSTMAutoencoder"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda w: {WEIGHT: w[WEIGHT]}, OTHERS),
        (lambda w: {**w, WEIGHT: w[WEIGHT].T}, OTHERS),
        (lambda w: {**w, WEIGHT: w[WEIGHT].view(torch.int32)}, DAMAGED),
        (lambda w: {**w, BIAS: w[OTHER_BIAS], OTHER_BIAS: w[BIAS]}, DAMAGED),
    ],
    ids=["missing", "transposed", "read as integers", "swapped"],
)
def test_other_weights_than_those_that_were_saved_are_refused(damage, message):
    state, network = shared().__getstate__(), copy.deepcopy(shared().module_)
    weights = network.state_dict()
    network.state_dict = lambda: damage(weights)
    model = replace(state["_judge"].model, network=network)
    state["_judge"] = replace(state["_judge"], model=model)
    with pytest.raises(ValueError, match=message):
        LSTMAutoencoderDetector().__setstate__(pickle.loads(pickle.dumps(state)))


def slider(inner):
    return SlidingWindowDetector(inner, window_size=8)


SMALL = {**QUICK, "max_epochs": 1}
SERIES = make_series(200)
FITTED = {
    **{name: partial(shared, name) for name in OF_THE_PACKAGE},
    "forecaster": lambda: LSTMForecastDetector(**SMALL).fit(X),
    "pieces": lambda: LSTMForecastDetector(**SMALL).fit([SERIES]),
    "networks": lambda: LSTMAutoencoderDetector(**SMALL, n_networks=2).fit(X),
    "classifier": lambda: LSTMClassifier(**SMALL).fit(X, np.arange(40) % 2),
    "regressor": lambda: LSTMRegressor(**SMALL, loss="pinball").fit(X, np.arange(40.0)),
    "series": lambda: slider(LSTMForecastDetector(**SMALL)).fit(SERIES),
    "tables": lambda: slider(IsolationForest(n_estimators=5)).fit(SERIES),
    "stream": lambda: slider(IsolationForest(n_estimators=5)).fit(SERIES).stream(),
}


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
@pytest.mark.parametrize("fit", FITTED.values(), ids=FITTED)
def test_a_file_names_packages_alone_within_which_modules_may_move(fit):
    pickled = pickletools.genops(pickle.dumps(fit(), protocol=2))
    names = [name.split()[0] for code, name, _ in pickled if code.name == "GLOBAL"]
    ours = {name for name in names if name.startswith("skl_lstmae")}
    packages = {"", ".data", ".detectors", ".modules", ".scoring", ".training"}
    assert ours
    assert ours <= {f"skl_lstmae{package}" for package in packages}
