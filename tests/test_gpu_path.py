"""What a GPU is spared: within an epoch nobody asks it for a number.

No GPU is needed. A device that keeps no numbers, torch's "meta", refuses to tell any; and what
suits a GPU can be asked of a CPU.
"""

import ast
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from conftest import QUICK, fitted, make_ragged, make_series
from numpy.testing import assert_allclose, assert_array_equal
from torch.profiler import ProfilerActivity, profile

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    SlidingWindowDetector,
)
from skl_lstmae.data.reading import read
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.modules import LSTMAutoencoder, LSTMForecaster, LSTMPredictor
from skl_lstmae.modules.padding import known_lengths
from skl_lstmae.training.batches import BatchBuilder
from skl_lstmae.training.calls import ON_GPU
from skl_lstmae.training.mean_loss import MeanLoss
from skl_lstmae.training.objectives import (
    StepPrediction,
    TargetPrediction,
    binary_cross_entropy,
    cross_entropy,
    squared_error,
)
from skl_lstmae.training.scaling import fit_scaling
from skl_lstmae.training.targets import Targets
from skl_lstmae.training.torch_state import without_rounding
from skl_lstmae.training.trainer import Trainer

META = torch.device("meta")

KERNELS_THAT_ASK = {"aten::_fused_adamw_", "aten::item"}
"""AdamW's, for CPUs alone, reads the number of steps, as an item, which is a scalar."""

X = make_ragged(12, shortest=3, longest=6)
X[0][3] = X[1][:2] = np.nan

STEPS = StepPrediction(squared_error)
NETWORKS = {
    "default": (LSTMAutoencoder(2, 8, noise=0.8), STEPS),
    "last, both directions": (LSTMAutoencoder(2, 8, bidirectional="both"), STEPS),
    "max, narrowing": (LSTMAutoencoder(2, (8, 4), bottleneck="max", dropout=0.2), STEPS),
    "sequence": (LSTMAutoencoder(2, 8, bottleneck="sequence"), STEPS),
    "autoregressive": (LSTMAutoencoder(2, 8, decoder="autoregressive"), STEPS),
    "probabilities": (
        LSTMAutoencoder(2, 8, output_activation="sigmoid"),
        StepPrediction(binary_cross_entropy),
    ),
    "forecaster": (LSTMForecaster(2, 8, noise=0.1), STEPS),
    "classifier": (LSTMPredictor(2, 3, 8), TargetPrediction(cross_entropy)),
}


class OnMeta(torch.Generator):
    """Draws for a device that has no generators."""

    device = META


def make_trainer(objective, generator):
    return Trainer(
        objective=objective,
        n_epochs=1,
        learning_rate=0.1,
        weight_decay=0.1,
        clip_norm=1.0,
        n_iter_no_change=1,
        tol=0.0,
        verbose=0,
        generator=generator,
    )


def run_epoch(network, objective, generator, builder, sequences, batch_size):
    epoch = builder.training_batches(sequences, batch_size, np.random.RandomState(0))
    classes = Sequences(np.arange(12.0)[:, np.newaxis] % 3, np.arange(12), np.ones(12, dtype=int))
    targets = Targets(classes, np.ones(12))
    epoch = type(epoch)(builder, sequences, epoch.micro_batches, targets.beside)
    trainer = make_trainer(objective, generator)
    optimizers = trainer._make_optimizers(network)
    trainer._train_epoch(network, epoch, optimizers, lambda done: 1.0)
    return len(epoch)


@pytest.mark.parametrize(
    ("name", "is_held"), [*((name, True) for name in NETWORKS), ("default", False)]
)
def test_nobody_reads_a_number_within_an_epoch(name, is_held, monkeypatch):
    (network, objective), (sequences, _) = NETWORKS[name], read(X)
    builder = BatchBuilder(fit_scaling("minmax", sequences), 8, META, network.is_causal)
    monkeypatch.setattr("skl_lstmae.training.batches.may_hold", lambda *size: is_held)
    builder = builder.holding(sequences, every_epoch=True)
    assert (builder.held is not None) == is_held
    network = type(network)(**network.config).to(META)
    with mock.patch.object(MeanLoss, "read"):
        run_epoch(network, objective, OnMeta(), builder, sequences, batch_size=6)


def test_to_read_a_number_there_fails():
    with pytest.raises(RuntimeError, match="meta"):
        torch.zeros((), device=META).item()


def networks_of_the_examples():
    """Return the networks that the example of one's own defines, without running the rest."""
    file = Path(__file__).parents[1] / "examples" / "own_network.py"
    tree, names = ast.parse(file.read_text()), {"torch": torch}
    tree.body = [node for node in tree.body if isinstance(node, ast.ImportFrom | ast.ClassDef)]
    exec(compile(tree, str(file), "exec"), names)
    return [names[node.name] for node in tree.body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("network", networks_of_the_examples())
def test_networks_of_the_examples_make_their_tensors_where_their_input_is(network):
    lengths = known_lengths(torch.zeros(2, dtype=torch.int64, device=META), [7, 4])
    output = network(3).to(META)(torch.zeros(2, 7, 3, device=META), lengths)
    assert {part.device for part in (output.prediction, output.latent)} == {META}


def test_a_batch_is_one_kernel_call_of_each_layer_and_nothing_is_asked_for(monkeypatch):
    sequences, _ = read(np.zeros((64, 200, 2), dtype=np.float32))
    network = LSTMAutoencoder(2, 64)
    builder = BatchBuilder(fit_scaling(None, sequences), 64, torch.device("cpu"))
    builder = builder.holding(sequences, every_epoch=True)
    counts = {}
    for name in ("cpu", "gpu"):
        if name == "gpu":
            monkeypatch.setattr("skl_lstmae.training.batches.calls_on", lambda device: ON_GPU)
        epoch = builder.training_batches(sequences, 64, np.random.RandomState(0))
        trainer = make_trainer(STEPS, torch.Generator())
        with profile(activities=[ProfilerActivity.CPU]) as record:
            trainer._train_epoch(network, epoch, trainer._make_optimizers(network), lambda _: 1.0)
        counts[name] = Counter(
            event.name
            for event in record.events()
            if getattr(event.cpu_parent, "name", None) not in KERNELS_THAT_ASK
        )
    kernel = "aten::mkldnn_rnn_layer"
    if kernel not in counts["gpu"]:
        pytest.skip("torch has no such kernel here")
    assert counts["gpu"][kernel] == 2 * len(epoch) == 2  # of the encoder and of the decoder
    assert counts["cpu"][kernel] == 2 * 2
    waits = {"aten::item", "aten::_local_scalar_dense", "aten::nonzero", "aten::is_nonzero"}
    assert not waits & counts["gpu"].keys()


@contextmanager
def as_on_a_gpu():
    """Have a CPU work by what suits a GPU."""
    with (
        mock.patch("skl_lstmae.training.batches.calls_on", return_value=ON_GPU),
        mock.patch("skl_lstmae.training.batches.may_hold", return_value=True),
    ):
        yield


# What is odd to networks that have hardly learned is up to chance.
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (LSTMAutoencoderDetector(**QUICK, latent_size=2), (X,)),
        (LSTMForecastDetector(**QUICK), (X,)),
        (LSTMClassifier(**QUICK, latent_size=2), (X, np.arange(12) % 3)),
        (
            SlidingWindowDetector(LSTMAutoencoderDetector(**QUICK, latent_size=2), window_size=20),
            (make_series(300),),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_estimator_learns_and_scores_the_same_that_way(estimator, data):
    score = "predict_proba" if isinstance(estimator, LSTMClassifier) else "score_samples"
    expected = getattr(estimator.fit(*data), score)(data[0])
    with as_on_a_gpu():
        found = getattr(estimator.fit(*data), score)(data[0])
    assert_allclose(found, expected, rtol=1e-5)


def gappy():
    """Return sequences of unlike lengths that overlap, in no order, with rows that none has."""
    values = np.random.default_rng(0).normal(size=(200_000, 2))
    values[5000:5003, 0] = values[40:90] = np.nan
    starts, lengths = np.array([199_000, 30, 4990, 35, 120]), np.array([900, 70, 50, 40, 10])
    return Sequences(values, starts, lengths)


@pytest.mark.parametrize("is_causal", [False, True])
def test_rows_that_wait_on_the_device_make_the_same_batches(is_causal):
    sequences = gappy()
    builder = BatchBuilder(
        fit_scaling("standard", sequences), 8, torch.device("cpu"), is_causal=is_causal
    )
    held = builder.holding(sequences, every_epoch=True)
    assert held.held.values.shape == (900 + 70 + 50 + 10, 2)
    some = sequences.take([4, 2, 0, 1, 3])
    for indices in ([0], [1, 3], [4, 2, 0], [3, 4]):
        one, other = (each.build(some, np.array(indices)) for each in (builder, held))
        for name in ("indices", "x", "observed", "lengths"):
            assert_array_equal(getattr(one, name), getattr(other, name))
        assert one.x.isfinite().all()


def test_a_cpu_holds_what_is_needed_again_and_not_too_large(monkeypatch):
    apart = read(make_ragged(8))[0]
    overlapping = Sequences(apart.values, np.arange(20), np.full(20, 10))
    builder = BatchBuilder(fit_scaling(None, apart), 8, torch.device("cpu"))
    assert builder.holding(apart).held is None
    assert builder.holding(overlapping).held is not None
    assert builder.holding(apart, every_epoch=True).held is not None
    monkeypatch.setattr("skl_lstmae.training.calls.MAX_HELD", apart.values.size * 4 - 1)
    assert builder.holding(apart, every_epoch=True).held is None


def test_tf32_is_off_until_the_last_thread_is_done():
    cudnn, cuda = torch.backends.cudnn, torch.device("cuda")
    assert cudnn.allow_tf32
    with without_rounding(cuda):
        with without_rounding(cuda):
            assert not cudnn.allow_tf32
        assert not cudnn.allow_tf32
    assert cudnn.allow_tf32
    with without_rounding(torch.device("cpu")):
        assert cudnn.allow_tf32


@pytest.mark.parametrize("method", ["score_samples", "transform", "reconstruct"])
def test_whatever_a_detector_computes_is_without_rounding(method, monkeypatch):
    devices = []

    @contextmanager
    def recorded(device):
        devices.append(device.type)
        yield

    X = list(make_series(60).reshape(6, 10, 2))
    detector = fitted(LSTMAutoencoderDetector(**QUICK), X)
    monkeypatch.setattr("skl_lstmae.training.model.without_rounding", recorded)
    getattr(detector, method)(X)
    assert set(devices) == {"cpu"}


def test_tf32_that_was_off_stays_off():
    cudnn = torch.backends.cudnn
    cudnn.allow_tf32 = False
    try:
        with without_rounding(torch.device("cuda")):
            assert not cudnn.allow_tf32
        assert not cudnn.allow_tf32
    finally:
        cudnn.allow_tf32 = True
