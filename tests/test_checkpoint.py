"""A fit whose process is killed goes on from its checkpoint, and ends as if it had not been."""

import os
import pickle
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import exactly, make_ragged, make_series
from numpy.testing import assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector
from skl_lstmae.modules import LSTMAutoencoder
from skl_lstmae.training import checkpoint
from skl_lstmae.training.checkpoint import KIND, Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = make_ragged(30, shortest=6, longest=12)
X[0][2, 1] = np.nan
SERIES = make_series(400)
QUICK = {"hidden_size": 4, "max_epochs": 5, "batch_size": 8, "device": "cpu", "random_state": 0}
NOISY = {**QUICK, "hidden_size": [5, 4], "dropout": 0.4, "noise": 0.5}


class DropsOut(LSTMAutoencoder):
    """Draws from torch's global generator, which dropout layers do."""

    takes_generator = False

    def __init__(self, input_size):
        super().__init__(input_size, hidden_size=4, latent_size=3)
        self.drop = nn.Dropout(0.4)

    def forward(self, x, lengths=None, generator=None):
        return super().forward(self.drop(x), lengths, generator)


DETECTORS = {
    "autoencoder": LSTMAutoencoderDetector(**NOISY, decoder="autoregressive"),
    "forecaster": LSTMForecastDetector(**NOISY),
    "sliding": SlidingWindowDetector(LSTMAutoencoderDetector(**NOISY), window_size=20),
    "one series": LSTMForecastDetector(**NOISY),
    "last weights": LSTMAutoencoderDetector(**NOISY, warm_start=True),
    "stops early": LSTMAutoencoderDetector(**NOISY).set_params(
        early_stopping=True, tol=10.0, n_iter_no_change=3
    ),
    "own network": LSTMAutoencoderDetector(
        **{**QUICK, "hidden_size": 64, "random_state": np.random.RandomState(1)},
        network=DropsOut,
        loss=lambda prediction, target: (prediction - target).square() / 2,
    ),
}
DATA = {"sliding": SERIES, "one series": [SERIES]}


def make(name, path):
    """Return an unfitted detector that writes checkpoints, and what it is to be fitted to."""
    detector = clone(DETECTORS[name])
    inner = "detector__" if name == "sliding" else ""
    return detector.set_params(**{f"{inner}checkpoint": path}), DATA.get(name, X)


def fit_until(name, path, n_epochs, end):
    """Fit, but have something happen after so many epochs."""
    epochs = []

    def write(self, training, write=Checkpoint.write):
        write(self, training)
        epochs.append(training.progress.n_epochs)
        if len(epochs) == n_epochs:
            end()

    Checkpoint.write = write
    detector, data = make(name, path)
    detector.fit(data)


def kill_this_process():
    os.kill(os.getpid(), signal.SIGKILL)


def stop():
    raise RuntimeError("stopped")


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """Return a function that leaves the checkpoint of a fit that ended after two epochs."""

    def stopped(name="autoencoder", n_epochs=2):
        path = tmp_path / "fit.checkpoint"
        with monkeypatch.context() as patches:
            patches.setattr(Checkpoint, "write", Checkpoint.write)  # for it to be set back
            with pytest.raises(RuntimeError, match="stopped"):
                fit_until(name, path, n_epochs, stop)
        return path

    return stopped


def n_epochs_trained(detector, data, monkeypatch):
    """Fit a detector; return how many epochs that took."""
    written = []
    with monkeypatch.context() as patches:
        patches.setattr(checkpoint, "write_then_replace", lambda *_: written.append(1))
        detector.fit(data)
    return len(written)


def assert_fitted_alike(detector, other, data):
    """Compare all that training leaves, bit for bit."""
    one, two = (getattr(d, "detector_", d) for d in (detector, other))
    assert one.loss_curve_ == two.loss_curve_
    assert one.validation_loss_curve_ == two.validation_loss_curve_
    assert one.n_epochs_ == two.n_epochs_ == len(two.history_.seconds)
    weights, others = one.module_.state_dict(), two.module_.state_dict()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert_array_equal(detector.score_samples(data), other.score_samples(data))
    assert detector.offset_ == other.offset_
    states = (of._random_state.get_state(legacy=False) for of in (one, two))
    assert_equal(*states)


# ------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("name", ["autoencoder", "forecaster", "sliding"])
def test_a_fit_that_is_killed_ends_as_if_it_had_not_been(name, tmp_path, monkeypatch):
    path = tmp_path / "fit.checkpoint"
    program = (
        "import test_checkpoint as t, torch; torch.set_num_threads(1); "
        f"t.fit_until({name!r}, {str(path)!r}, 2, t.kill_this_process)"
    )
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    killed = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    saved = path.read_bytes()
    detector, data = make(name, path)
    assert n_epochs_trained(detector, data, monkeypatch) == 3
    assert not path.exists()
    uninterrupted, _ = make(name, None)
    assert_fitted_alike(detector, uninterrupted.fit(data), data)

    path.write_bytes(saved)  # as if it had been killed while it wrote the next one
    (tmp_path / "fit.checkpoint.tmp").write_bytes(saved[:1000])
    again, _ = make(name, path)
    assert_fitted_alike(again.fit(data), detector, data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["one series", "last weights", "stops early", "own network"])
def test_any_fit_goes_on(name, stopped, monkeypatch):
    path = stopped(name)
    detector, data = make(name, path)
    uninterrupted, _ = make(name, None)
    uninterrupted.fit(data)
    n_left = uninterrupted.n_epochs_ - 2
    assert n_epochs_trained(detector, data, monkeypatch) == n_left
    assert_fitted_alike(detector, uninterrupted, data)


@pytest.mark.parametrize(("name", "n_epochs"), [("autoencoder", 5), ("stops early", 4)])
def test_a_training_that_was_over_is_not_repeated(name, n_epochs, stopped, monkeypatch):
    path = stopped(name, n_epochs)
    detector, data = make(name, path)
    assert n_epochs_trained(detector, data, monkeypatch) == 0
    uninterrupted, _ = make(name, None)
    assert_fitted_alike(detector, uninterrupted.fit(data), data)


@pytest.mark.parametrize("name", ["autoencoder", "sliding"])
def test_a_fit_that_ends_after_training_keeps_the_checkpoint(name, tmp_path, monkeypatch):
    path = tmp_path / "fit.checkpoint"
    detector, data = make(name, path)
    with monkeypatch.context() as patches:
        patches.setattr(type(detector), "_set_threshold", lambda detector: stop())
        with pytest.raises(RuntimeError, match="stopped"):
            detector.fit(data)
    assert path.exists()
    assert n_epochs_trained(detector, data, monkeypatch) == 0
    assert not path.exists()


def test_what_training_does_not_depend_on_may_change(stopped, capsys):
    path = stopped()
    detector, _ = make("autoencoder", path)
    changed = {"scorer": "error", "false_alarm_rate": 0.1, "verbose": 1}
    detector.set_params(**changed).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Going on after epoch 2, from {path}"
    assert [line.partition(",")[0] for line in lines[1:]] == ["Epoch 3", "Epoch 4", "Epoch 5"]
    uninterrupted, _ = make("autoencoder", None)
    assert_fitted_alike(detector, uninterrupted.set_params(**changed).fit(X), X)


def test_an_interrupt_from_the_keyboard_keeps_the_checkpoint(tmp_path, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    path = tmp_path / "fit.checkpoint"
    with monkeypatch.context() as patches:
        patches.setattr(Checkpoint, "write", Checkpoint.write)
        with pytest.raises(KeyboardInterrupt):
            fit_until("autoencoder", path, 2, interrupt)
    detector, _ = make("autoencoder", str(path))
    assert n_epochs_trained(detector, X, monkeypatch) == 3
    assert not detector.history_.was_interrupted
    uninterrupted, _ = make("autoencoder", None)
    assert_fitted_alike(detector, uninterrupted.fit(X), X)


def test_a_fit_with_a_trained_network_deletes_nothing(tmp_path):
    path = tmp_path / "other file"
    path.write_text("of another program")
    trained = LSTMAutoencoder(2, hidden_size=4)
    LSTMAutoencoderDetector(network=trained, max_epochs=0, checkpoint=path, device="cpu").fit(X)
    assert path.read_text() == "of another program"


# -------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "changed",
    [
        *({"noise": 0.6}, {"learning_rate": 0.01}, {"batch_size": 9}, {"random_state": 1}),
        *({"validation_fraction": 0.3}, {"scaler": "minmax"}, {"loss": "huber"}),
        *({"max_epochs": 9}, {"teacher_forcing": 0.4}, {"hidden_size": [5, 5]}),
        {"scaler": FunctionTransformer(np.negative, np.negative, check_inverse=False)},
        {"network": DropsOut, "hidden_size": 64, "decoder": "repeat", "dropout": 0, "noise": 0.8},
        {},
    ],
    ids=str,
)
def test_a_checkpoint_of_another_fit_is_refused(changed, stopped):
    path = stopped()
    saved = path.read_bytes()
    detector, _ = make("autoencoder", path)
    data = X if changed else [X[0] + 1e-3, *X[1:]]
    message = (
        f"{str(path)!r} is the checkpoint of a fit with other data, parameters or versions; "
        "delete it, or choose another path as checkpoint."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        detector.set_params(**changed).fit(data)
    assert path.read_bytes() == saved
    assert not detector.__sklearn_is_fitted__()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"of another program",
        lambda content: content[:-1],
        lambda content: content[:3000] + bytes([content[3000] ^ 1]) + content[3001:],
    ],
)
def test_a_damaged_checkpoint_is_refused(damage, stopped):
    path = stopped()
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    detector, _ = make("autoencoder", path)
    message = (
        f"{str(path)!r} is damaged, or no checkpoint; delete it, or choose another path as "
        "checkpoint."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        detector.fit(X)
    assert path.read_bytes() == damaged


class RunsCode:
    def __reduce__(self):
        return Path.mkdir, (Path("was_run"),)


def test_a_checkpoint_runs_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"fingerprint": RunsCode()}, "code")
    code = Path("code").read_bytes()
    Path("code").write_bytes(KIND + sha256(code).digest() + code)
    detector, _ = make("autoencoder", "code")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        detector.fit(X)
    assert not Path("was_run").exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "fit.checkpoint"
    calls = []

    def fsync(number):
        calls.append(number)
        if len(calls) == 3:
            raise OSError("No space left on device")

    detector, _ = make("autoencoder", path)
    with monkeypatch.context() as patches:
        patches.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="No space left"):
            detector.fit(X)
    assert list(tmp_path.iterdir()) == [path]
    assert n_epochs_trained(detector, X, monkeypatch) == 3
    uninterrupted, _ = make("autoencoder", None)
    assert_fitted_alike(detector, uninterrupted.fit(X), X)


@pytest.mark.parametrize("name", ["", "missing/fit.checkpoint"])
def test_a_path_of_no_file_is_refused_before_training(name, tmp_path):
    path = tmp_path / name
    detector, _ = make("autoencoder", path)
    message = f"checkpoint is {str(path)!r}; expected the path of a file, in a folder that exists."
    with pytest.raises(ValueError, match=exactly(message)):
        detector.fit(X)


def test_a_checkpoint_needs_a_random_state(tmp_path):
    detector, _ = make("autoencoder", tmp_path / "fit.checkpoint")
    message = (
        "checkpoint is for fits that draw the same numbers when they are started again; set "
        "random_state to an int, or leave checkpoint out."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        detector.set_params(random_state=None).fit(X)
    with pytest.raises(ValueError, match=exactly(message)):
        SlidingWindowDetector(detector, window_size=20).fit(SERIES)
    SlidingWindowDetector(detector, window_size=20, random_state=0).fit(SERIES)
