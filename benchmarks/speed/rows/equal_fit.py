"""B2 and B3: a fit on sequences of one length, beside what other packages offer."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from benchmarks.speed.apart import OwnProcess
from benchmarks.speed.data import waves
from benchmarks.speed.detector import (
    BATCH_SIZE,
    LEARNING_RATE,
    epoch_clock,
    plain_detector,
    silent,
    time_fit,
)
from benchmarks.speed.peers import DOES, SCRIPTS, script_sides
from benchmarks.speed.row import (
    Measured,
    Row,
    Run,
    Side,
    Target,
    UnavailableError,
    times_faster,
)
from benchmarks.speed.timing import clock
from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.modules import LSTMAutoencoder

SHAPE = 1000, 50, 3
NETWORK = {"hidden_size": 64, "latent_size": 64, "bottleneck": "last"}
N_EPOCHS = 10
N_EPOCHS_TO_TARGET = 30
VALIDATION_FRACTION = 0.2  # skorch's default


def fit_sides(quick: bool) -> dict[str, Side]:
    X = waves(*SHAPE)
    n_epochs = 2 if quick else N_EPOCHS

    def ours(seed):
        return time_fit(plain_detector(n_epochs, random_state=seed, **NETWORK), X)

    def skorch(seed):
        regressor = skorch_regressor(seed, max_epochs=n_epochs, train_split=None)
        start = clock()
        regressor.fit(X, X)
        return Run(clock() - start, regressor.history[-1, "train_loss"])

    return {"skl_lstmae": ours, "skorch": skorch} | ({} if quick else script_sides())


def judge_fit(measured: dict[str, Measured]) -> list[Target]:
    bounds = {"skorch": 1.15} | dict.fromkeys(SCRIPTS, 1.0) | {"Keras": 2.5}
    targets = [
        (peer, times_faster(measured, "skl_lstmae", peer, bound)) for peer, bound in bounds.items()
    ]
    return [
        replace(target, quantity=f"{target.quantity} ({DOES[peer]})") for peer, target in targets
    ]


def time_to_loss_sides(quick: bool) -> dict[str, Side]:
    X = waves(*SHAPE)
    X /= X.std()
    n_epochs = 3 if quick else N_EPOCHS_TO_TARGET
    losses_to_reach, process = [], OwnProcess()

    def skorch(seed):
        run = process.run(_fit_skorch, X, n_epochs, seed)
        losses_to_reach.append(run.loss)
        return run

    def ours(seed):
        if not losses_to_reach:
            raise UnavailableError("skorch has no loss to reach")
        detector = LSTMAutoencoderDetector(
            **NETWORK,
            noise=0.0,
            scaler=None,
            max_epochs=n_epochs,
            validation_fraction=VALIDATION_FRACTION,
            scorer="error",
            device="cpu",
            random_state=seed,
            verbose=1,
        )
        with silent(), epoch_clock() as watch:
            detector.fit(X)
        losses = np.array(detector.validation_loss_curve_)
        # The same seed's, or if skorch is too slow to be run again, that of its only run.
        is_reached = losses <= losses_to_reach[-1]
        if not is_reached.any():
            return Run(np.inf, losses.min(), epochs=n_epochs)
        epoch = is_reached.argmax()
        return Run(watch.ends[epoch], losses[epoch], epochs=int(epoch) + 1)

    return {"skorch": skorch, "skl_lstmae": ours}


def _fit_skorch(X: np.ndarray, n_epochs: int, seed: int) -> Run:
    """Time skorch's default recipe, which holds a fifth out."""
    regressor = skorch_regressor(seed, max_epochs=n_epochs)
    start = clock()
    regressor.fit(X, X)
    return Run(clock() - start, float(regressor.history[-1, "valid_loss"]), epochs=n_epochs)


def judge_time_to_loss(measured: dict[str, Measured]) -> list[Target]:
    target = times_faster(measured, "skl_lstmae", "skorch", 4)
    ours, theirs = measured["skl_lstmae"], measured["skorch"]
    if not (ours.runs and theirs.runs):
        return [target]
    fewer = np.median(theirs.epochs) / np.median(ours.epochs)
    faster = np.median(theirs.seconds / theirs.epochs) / np.median(ours.seconds / ours.epochs)
    aside = f"{target.aside}; {fewer:.2f} times fewer epochs, {faster:.2f} times faster each"
    return [replace(target, aside=aside)]


def skorch_regressor(seed: int, **parameters: Any) -> Any:
    """Return skorch's estimator around the package's own module."""
    from skorch import NeuralNetRegressor

    class Reconstruction(LSTMAutoencoder):
        """The module with the prediction alone for output."""

        def forward(self, x):
            return super().forward(x)[0]

    torch.manual_seed(seed)
    return NeuralNetRegressor(
        Reconstruction,
        module__input_size=SHAPE[-1],
        **{f"module__{name}": value for name, value in NETWORK.items()},
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        verbose=0,
        **parameters,
    )


B2 = Row(
    name="B2",
    work="a whole fit: 1,000 sequences of 50 steps × 3 features, hidden 64, 10 epochs, batch 64; "
    "skorch trains the same module, the others the nearest they have",
    sides=fit_sides,
    judge=judge_fit,
    where_the_time_goes="into the LSTM kernels, which B4 holds an epoch of this fit beside.",
    in_peers_environment=True,
    apart=True,
)

B3 = Row(
    name="B3",
    work="the same module and data, in standard deviations: time until the loss on a held-out "
    "fifth is what skorch (Adam at 0.001, batch 64) reaches in 30 epochs on its own; the detector "
    "trains by its defaults, without noise",
    sides=time_to_loss_sides,
    judge=judge_time_to_loss,
    where_the_time_goes="into epochs: the ratio is that of their numbers times that of the time of "
    "each. The weights that the package judges are averages over the latest steps, which lag.",
    in_peers_environment=True,
    measures_memory=False,  # neither side means anything alone
)
