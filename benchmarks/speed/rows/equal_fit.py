"""B2 and B3: a fit on sequences of one length, beside what other packages offer."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.base import clone

from benchmarks.speed.data import waves
from benchmarks.speed.detector import BATCH_SIZE, plain_detector, time_fit
from benchmarks.speed.peers import DOES, script_sides
from benchmarks.speed.processes import own_process
from benchmarks.speed.ratios import times_faster
from benchmarks.speed.recipe import LEARNING_RATE
from benchmarks.speed.row import Row, Run, time_call
from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.modules import LSTMAutoencoder

SHAPE = 1000, 50, 3
NETWORK = {"hidden_size": 64, "latent_size": 64, "bottleneck": "last"}
N_EPOCHS = 10
N_EPOCHS_TO_TARGET = 30

BOUNDS = dict.fromkeys(DOES, 1.0) | {"skorch": 1.15, "Keras": 2.5}


def fit_sides(quick):
    X = waves(*SHAPE)
    n_epochs = 2 if quick else N_EPOCHS
    return {
        "skl_lstmae": lambda seed: time_fit(
            plain_detector(n_epochs, random_state=seed, **NETWORK), X
        ),
        "skorch": lambda seed: time_skorch(X, n_epochs, seed, "train_loss", train_split=None),
        **({} if quick else script_sides()),
    }


def judge_fit(runs):
    targets = [times_faster(runs, "skl_lstmae", peer, bound) for peer, bound in BOUNDS.items()]
    return [
        replace(target, quantity=f"{target.quantity} ({does})")
        for target, does in zip(targets, DOES.values(), strict=True)
    ]


def time_to_loss_sides(quick):
    X = waves(*SHAPE)
    X /= X.std()
    n_epochs = 3 if quick else N_EPOCHS_TO_TARGET
    losses_to_reach, process = [], own_process()

    def skorch(seed):
        run = process.submit(time_skorch, X, n_epochs, seed, "valid_loss").result()
        losses_to_reach.append(run.loss)
        return replace(run, epochs=n_epochs)

    def ours(seed):
        detector = LSTMAutoencoderDetector(
            **NETWORK,
            noise=0.0,
            scaler=None,
            max_epochs=n_epochs,
            scorer="error",
            device="cpu",
            random_state=seed,
        )
        # The same seed's, or if skorch is too slow to be run again, that of its only run.
        return time_to_loss(detector, X, losses_to_reach[-1])

    return {"skorch": skorch, "skl_lstmae": ours}


def time_to_loss(detector: LSTMAutoencoderDetector, X: np.ndarray, loss: float) -> Run:
    """Time the fit of fewest epochs that ends with a loss of the fifth that is held out.

    Of the fits that are tried to find it no other counts.
    """
    held_out, training = np.split(X, [len(X) // 5])  # skorch's default
    for n_epochs in range(1, detector.max_epochs + 1):
        fit = clone(detector).set_params(max_epochs=n_epochs)
        run = time_fit(fit, training)
        run = replace(run, loss=held_out_loss(fit, held_out), epochs=n_epochs)
        if run.loss <= loss:
            return run
    return replace(run, seconds=np.inf)


def held_out_loss(detector: LSTMAutoencoderDetector, X: np.ndarray) -> float:
    """Return the mean squared error of sequences of one length, which are not scaled."""
    return float(np.square(detector.reconstruct(X) - X).mean())


def judge_time_to_loss(runs):
    target = times_faster(runs, "skl_lstmae", "skorch", 4)
    each = runs.assign(each=runs["seconds"] / runs["epochs"])
    medians = each.groupby("side")[["epochs", "each"]].median()
    fewer, faster = medians.reindex(["skl_lstmae", "skorch"]).agg(
        lambda both: both.iloc[1] / both.iloc[0]
    )
    told = f"{fewer:.2f} times fewer epochs, {faster:.2f} times faster each"
    return [replace(target, aside=f"{target.aside}; {told}")]


def time_skorch(X: np.ndarray, n_epochs: int, seed: int, loss: str, **parameters) -> Run:
    """Time skorch's estimator around the package's own module; by default, it holds a fifth out."""
    from skorch import NeuralNetRegressor

    class Reconstruction(LSTMAutoencoder):
        """The module with the prediction alone for output."""

        def forward(self, x):
            return super().forward(x)[0]

    torch.manual_seed(seed)
    regressor = NeuralNetRegressor(
        Reconstruction,
        module__input_size=X.shape[-1],
        **{f"module__{name}": value for name, value in NETWORK.items()},
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        max_epochs=n_epochs,
        iterator_train__shuffle=True,
        verbose=0,
        **parameters,
    )
    seconds = time_call(regressor.fit, X, X)
    return Run(seconds, float(regressor.history[-1, loss]))


B2 = Row("B2", fit_sides, judge_fit, in_peers_environment=True, apart=True)

B3 = Row("B3", time_to_loss_sides, judge_time_to_loss, in_peers_environment=True)
