"""What all that train a network on sequences share: how it is made, learns and goes on."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from copy import copy, deepcopy
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skl_lstmae._sklearn import (
    CallbackSupportMixin,
    FitCallbacks,
    HasMethods,
    Interval,
    Options,
    StrOptions,
)
from skl_lstmae._warn import warn
from skl_lstmae.data.names import feature_names
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split
from skl_lstmae.detectors.options import EmptyFeatures
from skl_lstmae.detectors.resuming import check_agreement, delete_checkpoint, open_checkpoint
from skl_lstmae.detectors.trained import TrainedNetwork
from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.modules.network import (
    call_factory,
    check_kind,
    check_network,
    check_trainable,
    make_network,
)
from skl_lstmae.training.batches import Batch, Epoch, count_batches
from skl_lstmae.training.devices import resolve_device
from skl_lstmae.training.distributed import joined, own_device, ranks_here
from skl_lstmae.training.model import Model, copy_network
from skl_lstmae.training.objectives import Objective
from skl_lstmae.training.progress import History, Progress
from skl_lstmae.training.scaling import SCALERS, Scaling, fit_scaling
from skl_lstmae.training.schedule import count_epochs
from skl_lstmae.training.threads import LARGE_NETWORK, few_threads, is_large
from skl_lstmae.training.trainer import Trainer

GATES = 4
"""Of an LSTM layer, each with a square matrix of weights from the states to itself."""

MAX_GATHERED = 2**20
"""Numbers that are copied to make what is learned the same, bit for bit, in any order of X."""

MOST_EPOCHS_VALIDATED = 200
"""Epochs of a training that ends once a validation loss has stopped falling."""


class SequenceLearner(CallbackSupportMixin, TrainedNetwork):
    """Trains a network on sequences.

    A subclass names the class of its network and says with which arguments it is made. All that is
    learned is frozen, and replaced as a whole: a call that fails leaves no trace, and other threads
    see one state or the other.
    """

    _network_class: ClassVar[Callable[..., SequenceNetwork]]
    _is_causal: ClassVar[bool] = False
    _uses_muon: ClassVar[bool] = True

    history_: History
    loss: Any
    _network_fitted_with: Any
    _random_state: RandomState
    _n_timesteps: int | None

    _parameter_constraints: dict[str, list[Any]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left"), list, tuple],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "network": [torch.nn.Module, callable, None],
        "scaler": [
            StrOptions({name for name in SCALERS if name}),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "empty_features": [StrOptions({"leave_out", "refuse"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "warm_start": ["boolean"],
        "checkpoint": [str, PathLike, None],
        "distributed": [StrOptions({"auto"}), Options(bool, {False})],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        hidden_size: int | list[int] | tuple[int, ...],
        dropout: float,
        noise: float,
        network: SequenceNetwork | Callable[..., SequenceNetwork] | None,
        scaler: Any,
        empty_features: EmptyFeatures,
        learning_rate: float,
        weight_decay: float,
        batch_size: int,
        max_epochs: int | Literal["auto"],
        early_stopping: bool,
        validation_fraction: float,
        n_iter_no_change: int,
        tol: float,
        clip_norm: float | None,
        warm_start: bool,
        checkpoint: str | PathLike[str] | None,
        distributed: Literal["auto", False],
        device: str | torch.device,
        random_state: int | RandomState | None,
        verbose: int,
    ) -> None:
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.noise = noise
        self.network = network
        self.scaler = scaler
        self.empty_features = empty_features
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.clip_norm = clip_norm
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.distributed = distributed
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit in place; callbacks see this very object from their setup to their teardown."""

    def _fit_or_stay(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """Fit a copy, and take its state once nothing can fail any more."""
        learner = copy(self)
        with joined(self.distributed, self.device):
            learner._fit(X, y, sample_weight)
            self.__dict__ = learner.__dict__
            delete_checkpoint(self)
        self.history_.raise_interrupt()
        return self

    def _check_before_fit(self) -> None:
        """Refuse parameters that exclude one another, or what has been fitted."""
        self._check_parameters()
        self._refuse_to_leave_untrained()
        if self.warm_start:
            self._refuse_another_network("warm_start")

    def _learn(self, split: Split, random_state: RandomState, callbacks: FitCallbacks) -> None:
        """Train a model on the split, and keep what it makes of it."""
        n_epochs = self._count_epochs(split)
        callbacks.begin_fit(n_epochs)
        model = self._begin(split, random_state, go_on=self.warm_start)
        callbacks.attributes_after = lambda progress: self._attributes_after(
            progress, model, split, deepcopy(random_state)
        )
        if n_epochs:
            self._train(model, split, n_epochs, random_state, callbacks)
        self._conclude(model, split, random_state)

    @abstractmethod
    def _conclude(self, model: Model, split: Split, random_state: RandomState) -> None:
        """Keep a trained model, and what else is learned from the split."""

    def _attributes_after(
        self, progress: Progress, model: Model, split: Split, random_state: RandomState
    ) -> dict[str, Any]:
        """Return the attributes that the estimator would have, had its training stopped now."""
        network = deepcopy(model.network).eval()  # training goes on in the other
        network.load_state_dict(progress.kept_weights)
        learner = copy(self)
        learner.history_ = self.history_.copy()
        learner._conclude(replace(model, network=network), split, random_state)
        return dict(vars(learner))

    def _begin(self, split: Split, random_state: RandomState, *, go_on: bool) -> Model:
        """Learn the scaling, and make a network or go on with a copy of the one there is."""
        device, training = resolve_device(self.device), split.training
        if ranks_here().share_work:
            device = own_device(device)
        names = split.names or feature_names(self, training.n_features)
        scaling = self._fit_scaling(training, names)
        if go_on and self.__sklearn_is_fitted__():
            before, n_features = self._model.network, training.n_features
            network = copy_network(before, n_features, self._config(n_features))
            self.history_ = self.history_.copy()
        else:
            network = self._make_network(training.n_features, random_state)
            self._network_fitted_with = self.network
            self.history_ = History()
        self._n_timesteps = _common_length(training.lengths)
        return Model(network.to(device).eval(), scaling, self.loss, device)

    def _make_network(self, n_features: int, random_state: RandomState) -> SequenceNetwork:
        config = self._config(n_features)
        factory: Any = self.network
        if isinstance(factory, torch.nn.Module):
            network: Any = deepcopy(factory)
        else:
            network = make_network(
                lambda: (
                    self._network_class(**config)
                    if config
                    else call_factory(factory, *self._sizes(n_features))
                ),
                make_generator(random_state, "cpu"),
            )
        if config is None:
            self._check_network(network, n_features)
            self._warn_of_parameters_without_effect(n_features)
        return network

    def _warn_of_parameters_without_effect(self, n_features: int) -> None:
        """Name what has been set to shape our own network, although it is the user's."""
        kind: Any = type(self)
        default = kind()
        names = [
            name
            for name in self._network_config(n_features)
            if not _are_alike(getattr(self, name, None), getattr(default, name, None))
        ]
        if names:
            warn(
                f"network is given, so that setting {', '.join(names)} has no effect: that is for "
                f"the network that {type(self).__name__} makes by itself; leave it out, or make "
                "your network so."
            )

    def _may_be_large(self) -> bool:
        """Whether the network may gain from several threads, before there is one."""
        if isinstance(self.network, torch.nn.Module):
            return is_large(self.network)
        widest = int(np.max(self.hidden_size))
        return self.network is not None or GATES * widest**2 >= LARGE_NETWORK // 2

    def _config(self, n_features: int) -> dict[str, Any] | None:
        """Return the arguments of the network for so many features; None if it is the user's."""
        return self._network_config(n_features) if self.network is None else None

    def _network_config(self, n_features: int) -> dict[str, Any]:
        """Return the arguments of our network for so many features."""
        raise NotImplementedError

    def _train(
        self,
        model: Model,
        split: Split,
        n_epochs: int,
        random_state: RandomState,
        callbacks: FitCallbacks,
    ) -> None:
        trainer = self._make_trainer(model, n_epochs, random_state)
        check_agreement(self, split)
        with few_threads(is_large(model.network)):
            trainer.train(
                model.network,
                lambda: self._epoch(model, split, random_state),
                (lambda: self._validation(model, split)) if self._is_validated(split) else None,
                self.history_,
                callbacks,
                open_checkpoint(self, model, split, random_state),
            )

    def _is_validated(self, split: Split) -> bool:
        """Whether held-out sequences tell when training ends."""
        return bool(self.early_stopping and len(split.held_out))

    def _count_epochs(self, split: Split) -> int:
        """Return the most passes over the training sequences."""
        if self.max_epochs != "auto":
            return self.max_epochs
        if self._is_validated(split):
            return MOST_EPOCHS_VALIDATED
        n_drawn = split.n_per_epoch or len(self._cut(split.training))
        return count_epochs(count_batches(n_drawn, self.batch_size))

    def _epoch(self, model: Model, split: Split, random_state: RandomState) -> Epoch:
        """Return the batches of an epoch, each as a list of micro-batches."""
        return self._training_batches(model, split.draw(random_state), random_state)

    def _validation(self, model: Model, split: Split) -> Iterator[Batch]:
        """Yield the batches of what is held out."""
        return model.batches.scoring_batches(self._cut(split.held_out))

    def _objective(self, model: Model) -> Objective:
        """Return what is minimised."""
        return model.objective

    def _train_once(self, model: Model, split: Split, random_state: RandomState) -> None:
        batches = self._epoch(model, split, random_state)
        trainer = self._make_trainer(model, 1, random_state)
        with few_threads(is_large(model.network)):
            trainer.train_once(model.network, batches, self.history_)

    def _training_batches(
        self, model: Model, sequences: Sequences, random_state: RandomState
    ) -> Epoch:
        return model.batches.training_batches(
            self._cut(sequences, random_state), self.batch_size, random_state
        )

    def _make_trainer(self, model: Model, n_epochs: int, random_state: RandomState) -> Trainer:
        check_trainable(model.network)
        return Trainer(
            objective=self._objective(model),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            n_epochs=n_epochs,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            verbose=self.verbose,
            generator=make_generator(random_state, model.device),
            uses_muon=self._uses_muon,
            ranks=ranks_here(),
        )

    def _gone_on(self, split: Split, random_state: RandomState) -> Model:
        """Return the model after an epoch more, over the sequences to train on."""
        before, sequences = self._model, split.training
        network = copy_network(
            before.network, sequences.n_features, self._config(sequences.n_features)
        )
        scaling = self._updated(before.scaling, sequences)
        model = replace(before, network=network.to(before.device), scaling=scaling)
        self.history_ = self.history_.copy()
        self._train_once(model, split, random_state)
        self._n_timesteps = _common_length([*sequences.lengths, self._n_timesteps or 0])
        return model

    def _fit_scaling(self, training: Sequences, names: tuple[str, ...]) -> Scaling:
        """Learn the scaling of the features."""
        refuses_empty = self.empty_features == "refuse"
        return fit_scaling(self.scaler, training, names, refuses_empty=refuses_empty)

    def _updated(self, scaling: Scaling, sequences: Sequences) -> Scaling:
        """Return the scaling of these sequences, too."""
        return scaling.updated(sequences)

    def _sizes(self, n_features: int) -> tuple[int, ...]:
        """Return what a function that makes a network is called with."""
        return (n_features,)

    def _check_network(self, network: SequenceNetwork, n_features: int) -> None:
        """Refuse a network of the user's that does not keep the contract."""
        check_network(network, n_features, is_causal=self._is_causal)

    def _cut(self, sequences: Sequences, random_state: RandomState | None = None) -> Sequences:
        """Return what the network is trained on in one go; in training it may vary at random."""
        return sequences

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def _check_parameters(self) -> None:
        """Refuse what the declared constraints, which see one parameter at a time, let through."""
        widths = np.atleast_1d(np.array(self.hidden_size, dtype=object))
        if not len(widths) or not all(isinstance(n, int | np.integer) and n >= 1 for n in widths):
            raise ValueError(
                f"The 'hidden_size' parameter of {type(self).__name__} must be a positive int or a "
                f"non-empty list of them. Got {self.hidden_size!r} instead."
            )
        if isinstance(self.network, torch.nn.Module):
            check_kind(self.network)

    def _refuse_another_network(self, way: str) -> None:
        """Refuse to go on with the network there is if the parameter asks for another."""
        if self.__sklearn_is_fitted__() and self.network != self._network_fitted_with:
            raise ValueError(
                f"network has changed since this {type(self).__name__} was fitted, but {way} goes "
                "on with the network of that fit; set network back, or fit with warm_start=False "
                "to start with a new one."
            )

    def _refuse_to_leave_untrained(self) -> None:
        goes_on = self.warm_start and self.__sklearn_is_fitted__()
        if self.max_epochs == 0 and not (isinstance(self.network, torch.nn.Module) or goes_on):
            raise ValueError(
                "max_epochs=0 leaves the network untrained; pass one that has been trained as "
                "network, or train for 1 epoch at least."
            )


def counted(sequences: Sequences, numbers: NDArray[np.intp], *, is_weighted: bool) -> Sequences:
    """Return sequences as often as they count, in the order of their numbers.

    They are copied, unless they are many and each counts once, so that sums over rows round alike
    in any order, and rows that count twice are two.
    """
    chosen = sequences.take(numbers)
    is_small = chosen.lengths.sum() * chosen.n_features <= MAX_GATHERED
    return chosen.gathered() if is_small or is_weighted else chosen


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two values of a parameter make the same network, as 8 and [8] do."""
    return np.array_equal(np.atleast_1d(one), np.atleast_1d(other))


def _common_length(lengths: Iterable[int]) -> int | None:
    """Return the number that all lengths are, or None."""
    distinct = {int(length) for length in lengths}
    return distinct.pop() if len(distinct) == 1 else None


def shared_random_state(random_state: int | RandomState | None) -> RandomState:
    """Return what a fit draws from; for ranks that fit together, what the first one has."""
    own, ranks = check_random_state(random_state), ranks_here()
    if ranks.number > 1:
        state = ranks.agreed(own.get_state(legacy=False))
        if not ranks.is_first:
            own = RandomState()
            own.set_state(state)
    return own


def spawn_random_state(random_state: RandomState) -> RandomState:
    """Return a random state of its own, seeded from another."""
    return RandomState(random_state.randint(2**31 - 1))


def make_generator(random_state: RandomState, device: str | torch.device) -> torch.Generator:
    """Return a torch generator seeded from a numpy one."""
    return torch.Generator(device).manual_seed(int(random_state.randint(2**31 - 1)))
