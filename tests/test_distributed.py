"""Several processes fit one estimator: not one bit tells how many they are."""

import os
import re
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from socket import socket

import numpy as np
import pytest
import torch
from conftest import make_ragged, make_series
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.utils import check_random_state
from torch import distributed, nn

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
)
from skl_lstmae.modules import LSTMAutoencoder
from skl_lstmae.modules.layers import add_noise, dropout
from skl_lstmae.modules.randomness import RowsGenerator
from skl_lstmae.training import calls
from skl_lstmae.training import distributed as sharing
from skl_lstmae.training.checkpoint import Checkpoint, Training
from skl_lstmae.training.distributed import joined, ranks_here
from skl_lstmae.training.optimizers import Muon

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Processes of it begin at once, as it has imported all that takes time.
FORKSERVER = get_context("forkserver")
FORKSERVER.set_forkserver_preload(["skl_lstmae", "pytest"])

X = make_ragged(70, shortest=6, longest=12)
X[0][2, 1] = np.nan
CLASSES = np.arange(70) % 3
NUMBERS = np.linspace(0, 1, 70)
COMMON = {"hidden_size": [6, 5], "latent_size": 4, "dropout": 0.3, "noise": 0.5}
COMMON |= {"max_epochs": 3, "batch_size": 40, "device": "cpu", "random_state": 0}


class Normalizes(LSTMAutoencoder):
    """Keeps statistics of the sequences that it sees, and draws from torch's global generator."""

    takes_generator = False

    def __init__(self, input_size):
        super().__init__(input_size, hidden_size=4, latent_size=3)
        self.norm, self.drop = nn.BatchNorm1d(input_size), nn.Dropout(0.4)

    def forward(self, x, lengths=None, generator=None):
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        return super().forward(self.drop(x), lengths, generator)


AUTOENCODER = LSTMAutoencoderDetector(
    **{**COMMON, "batch_size": 70}, decoder="autoregressive", scorer="mahalanobis"
)
ESTIMATORS = {
    "autoencoder": (AUTOENCODER, (X,)),
    "forecaster": (
        LSTMForecastDetector(
            **{name: value for name, value in COMMON.items() if name != "latent_size"},
            early_stopping=True,
        ),
        (X,),
    ),
    "classifier": (LSTMClassifier(**COMMON), (X, CLASSES)),
    "regressor": (LSTMRegressor(**COMMON, early_stopping=True), (X, NUMBERS)),
    "sliding": (
        SlidingWindowDetector(clone(AUTOENCODER), window_size=20, random_state=0),
        (make_series(400),),
    ),
}


def free_port():
    with socket() as chosen:
        chosen.bind(("localhost", 0))
        return chosen.getsockname()[1]


def launch(task, n, *arguments, killed=()):
    """Run a task in as many processes as a launcher would; return their results, or errors."""
    port = free_port()
    pools = [ProcessPoolExecutor(1, FORKSERVER) for _ in range(n)]
    futures = [
        pool.submit(as_rank, task, rank, n, port, *arguments) for rank, pool in enumerate(pools)
    ]
    results = [future.exception(60) or future.result() for future in futures]
    for pool in pools:
        pool.shutdown()
    for rank, result in enumerate(results):
        assert isinstance(result, BrokenProcessPool) == (rank in killed)
    return results


def as_rank(task, rank, n, port, *arguments):
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(n), "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    try:
        return task(*arguments)
    except Exception as error:  # without its cause, which may not pickle
        return type(error)(str(error))


def fit(name, **changes):
    """Return an estimator of this name, fitted."""
    estimator, data = ESTIMATORS[name]
    return clone(estimator).set_params(**changes).fit(*data)


@cache
def fits(name, n):
    """Return the estimators of this name that so many processes end with."""
    return launch(fit, n, name)


def results_of(estimator, name):
    _, data = ESTIMATORS[name]
    inner = getattr(estimator, "detector_", estimator)
    predict = getattr(estimator, "score_samples", getattr(estimator, "predict", None))
    return {
        "weights": torch.cat([w.detach().flatten() for w in inner.module_.parameters()]).numpy(),
        "losses": inner.loss_curve_,
        "validation": inner.validation_loss_curve_,
        "scores": predict(data[0]),
        "state": inner._random_state.get_state()[1],
    }


def assert_equal_fits(estimators, name):
    first, *others = (results_of(estimator, name) for estimator in estimators)
    for other in others:
        for key, value in first.items():
            assert_array_equal(other[key], value, err_msg=key)


# ------------------------------------------------------------------------------------ the same bits


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_bit_depends_on_how_many_processes_there_are(name):
    numbers = (1, 2, 3, 4) if name == "autoencoder" else (1, 2)
    assert_equal_fits([fitted for n in numbers for fitted in fits(name, n)], name)


@pytest.mark.parametrize("name", ["autoencoder", "classifier"])
def test_one_process_without_a_launcher_makes_the_same_weights(name):
    assert_equal_fits([fit(name), *fits(name, 2)], name)


def fit_in_large_batches():
    return fit("autoencoder", batch_size=80)


def test_large_batches_are_cut_alike_in_one_process_and_in_several():
    assert_equal_fits([fit_in_large_batches(), *launch(fit_in_large_batches, 2)], "autoencoder")


def fit_by_small_calls(name):
    calls.MAX_FLOATS = 12 * 6 * 10
    return fit(name)


@pytest.mark.parametrize("name", ["autoencoder", "regressor"])
def test_micro_batches_give_the_bits_of_one_process(name, monkeypatch):
    monkeypatch.setattr(calls, "MAX_FLOATS", calls.MAX_FLOATS)  # for it to be set back
    alone, *shared = fit_by_small_calls(name), *launch(fit_by_small_calls, 3, name)
    for fitted in shared:
        assert_array_equal(results_of(fitted, name)["weights"], results_of(alone, name)["weights"])


def fit_twice_by_chance():
    one, other = (fit("autoencoder", random_state=None) for _ in range(2))
    return one, other, check_random_state(None).random_sample()


def test_without_a_random_state_all_draw_as_the_first_does():
    (one, other, first_draw), (same, same_other, second_draw) = launch(fit_twice_by_chance, 2)
    assert_equal_fits([one, same], "autoencoder")
    assert_equal_fits([other, same_other], "autoencoder")
    assert one.loss_curve_ != other.loss_curve_
    assert first_draw != second_draw  # numpy's global random states are as different as they were


def fit_with_drifting_steps():
    def step(self, rate, step=Muon.step):
        step(self, rate)
        for weight in self.weights:
            weight.data += 1e-6 * int(os.environ["RANK"])

    Muon.step = step
    return fit("autoencoder", network=Normalizes, **dict.fromkeys(["noise", "dropout"], 0.0))


def test_all_end_alike_on_unlike_processors_and_with_layers_that_keep_statistics():
    one, other = launch(fit_with_drifting_steps, 2)
    assert_equal_fits([one, other], "autoencoder")
    assert_array_equal(one.module_.norm.running_mean, other.module_.norm.running_mean)


class StopsInOneProcess:
    """Wants to stop after the first epoch, in one process alone."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch" and os.environ["RANK"] == "1"


def fit_with_callback():
    return clone(AUTOENCODER).set_callbacks(StopsInOneProcess()).fit(X)


@pytest.mark.skipif(not find_spec("sklearn.callback"), reason="needs callbacks of scikit-learn")
def test_what_ends_the_training_of_one_process_ends_all():
    assert [fitted.n_epochs_ for fitted in launch(fit_with_callback, 2)] == [1, 1]


# -------------------------------------------------------------------------------- parts of the data


def blocks_for_parts():
    """Return the page's blocks for processes that have a part of the data each."""
    page = (Path(__file__).parents[1] / "docs" / "many_processes.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## If each process has a part.*?(?=^## )", page, re.M | re.S)
    return re.findall(r"^```\n(.*?)^```", section, re.M | re.S)


def fit_parts(folder):
    known = {
        "folder": folder,
        "detector": clone(AUTOENCODER),
        "part": X[int(os.environ["RANK"]) :: 2],
    }
    on_disk, sent = blocks_for_parts()
    exec(on_disk, known)
    again = dict(known)
    exec(sent, again)
    distributed.destroy_process_group()
    return known["detector"], [np.array(x) for x in known["X"]], again["X"]


def test_parts_of_the_data_make_what_all_of_them_make(tmp_path):
    results = launch(fit_parts, 2, tmp_path)
    assert_equal_fits(
        [*fits("autoencoder", 1), *(detector for detector, *_ in results)], "autoencoder"
    )
    for _, *brought_together in results:
        for sequences in brought_together:
            for actual, expected in zip(sequences, [*X[::2], *X[1::2]], strict=True):
                assert_array_equal(actual, expected)


# ---------------------------------------------------------------------------------------- by itself


def fit_in_worker(distributed):
    detector = clone(AUTOENCODER).set_params(distributed=distributed)
    if not distributed:
        return detector.fit(X if os.environ["RANK"] == "0" else X[1:])
    return Parallel(n_jobs=2, backend="threading")(delayed(detector.fit)(X) for _ in range(2))[0]


@pytest.mark.parametrize("distributed", ["auto", False])
def test_workers_of_joblib_and_those_who_do_not_want_company_fit_by_themselves(distributed):
    alone, other = launch(fit_in_worker, 2, distributed)
    assert_equal_fits([fit("autoencoder"), alone], "autoencoder")
    assert np.array_equal(alone.offset_, other.offset_) == bool(distributed)


# ---------------------------------------------------------------------------------------- refusals


def fit_other_data(name):
    estimator, (data, *target) = ESTIMATORS[name]
    if os.environ["RANK"] != "0":
        data = data + 1e-3 if name == "sliding" else [data[0] + 1e-3, *data[1:]]
    return clone(estimator).fit(data, *target)


@pytest.mark.parametrize("name", ["classifier", "sliding"])
def test_other_data_are_refused_in_all_processes(name):
    expected = (
        "Rank 1, 2 was given other data or parameters than rank 0; expected the same of all 3: "
        "give each the whole X, and the same parameters, or set distributed=False for each to fit "
        "by itself."
    )
    results = launch(fit_other_data, 3, name)
    assert [(type(result), str(result)) for result in results] == [(ValueError, expected)] * 3


LOST = (
    "Rank {} of 2 has lost another rank, which has failed, was killed, or has not answered in "
    "time; its own message says why. Start all ranks again: with checkpoint, the fit goes on after "
    "its last epoch."
)


def after_one_epoch(event, checkpoint):
    """Fit, but have something happen in one process after the first epoch."""

    def level(self, ranks, level=Training.level):
        level(self, ranks)
        if self.progress.n_epochs == 1 and not ranks.is_first:
            event()

    Training.level = level
    return fit("autoencoder", checkpoint=checkpoint)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def fail():
    raise OSError("No space left on device")


def test_a_killed_process_ends_all_and_nothing_is_lost_but_work(tmp_path):
    path = tmp_path / "fit.checkpoint"
    lost, _ = launch(after_one_epoch, 2, die, path, killed=[1])
    assert (type(lost), str(lost)) == (RuntimeError, LOST.format(0))
    assert list(tmp_path.iterdir()) == [path]
    resumed = launch(resume, 3, path)
    assert {n_epochs for _, n_epochs in resumed} == {2}
    assert_equal_fits([*fits("autoencoder", 1), *(fitted for fitted, _ in resumed)], "autoencoder")
    assert list(tmp_path.iterdir()) == []


def resume(path):
    """Fit from a checkpoint; other machines than the first may lack even its folder."""
    path = path if os.environ["RANK"] == "0" else path.parent / "elsewhere" / path.name
    epochs = []

    def write(self, training, write=Checkpoint.write):
        write(self, training)
        epochs.append(training)

    Checkpoint.write = write
    return fit("autoencoder", checkpoint=path), len(epochs)


def fail_within_a_group_of_the_users(event):
    distributed.init_process_group("gloo")
    try:
        after_one_epoch(event, None)
    except (OSError, RuntimeError) as error:
        distributed.barrier()  # this process lives on, and the user's group with it
        return error
    finally:
        distributed.destroy_process_group()


def test_a_failing_process_ends_all_even_if_it_lives_on():
    lost, failed = launch(fail_within_a_group_of_the_users, 2, fail)
    assert (type(failed), str(failed)) == (OSError, "No space left on device")
    assert (type(lost), str(lost)) == (RuntimeError, LOST.format(0))


# ---------------------------------------------------------------------------------------- the parts


@pytest.mark.parametrize("time_first", [True, False])
@pytest.mark.parametrize("shape", [(24, 5, 3), (24, 5, 1), (24, 1, 3), (24, 7)])
def test_rows_get_what_they_would_get_in_the_whole_batch(shape, time_first):
    whole = torch.randn(shape)
    if time_first and len(shape) == 3:
        whole = whole.transpose(0, 1).contiguous().transpose(0, 1)
    generator = torch.Generator().manual_seed(1)
    before = generator.get_state()
    parts = []
    for rows in (slice(0, 10), slice(10, 24)):
        ours = RowsGenerator.of(generator, rows, 24)
        parts.append(add_noise(dropout(whole[rows], 0.4, ours), 1.0, ours))
    assert torch.equal(generator.get_state(), before)
    expected = add_noise(dropout(whole, 0.4, generator), 1.0, generator)
    assert torch.equal(torch.cat(parts), expected)
    assert torch.equal(ours.get_state(), generator.get_state())


def test_a_sum_is_that_of_the_parts_one_after_the_other():
    rows = list(
        torch.rand(5, 3, generator=torch.Generator().manual_seed(0)) * 1e3 ** torch.arange(3)
    )
    expected = rows[0] + rows[1] + rows[2] + rows[3] + rows[4]
    for total in launch(sum_of, 3, rows, 4):
        assert torch.equal(total, expected)


def sum_of(rows, max_gathered):
    sharing.MAX_GATHERED = max_gathered
    with joined("auto", "cpu"):
        ranks = ranks_here()
        return ranks.gathered_sum([rows[i] for i in ranks.mine(5)], 5)
