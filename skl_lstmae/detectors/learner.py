"""What all that train a network on sequences share: how it is made, learns and goes on."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from copy import copy, deepcopy
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState
from sklearn.utils import check_random_state

from skl_lstmae._sklearn import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    Options,
    StrOptions,
    check_parameters,
)
from skl_lstmae._warn import warn
from skl_lstmae.data.names import feature_names
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split
from skl_lstmae.detectors.callbacks import FitCallbacks
from skl_lstmae.detectors.objects import refuse_class, refuse_parameters_of_no_object
from skl_lstmae.detectors.options import EmptyFeatures, Precision
from skl_lstmae.detectors.resuming import check_agreement, delete_checkpoint, open_checkpoint
from skl_lstmae.detectors.trained import TrainedNetwork, all_or_nothing
from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.modules.network import check_kind
from skl_lstmae.scoring.scorers import SCORERS, make_scorer
from skl_lstmae.training.blueprint import Blueprint, may_be_large
from skl_lstmae.training.devices import resolve_device
from skl_lstmae.training.distributed import joined, own_device, ranks_here
from skl_lstmae.training.model import Model
from skl_lstmae.training.precision import refuse_without_bfloat16
from skl_lstmae.training.progress import History, Progress
from skl_lstmae.training.random_states import spawn_random_state
from skl_lstmae.training.recipe import Recipe
from skl_lstmae.training.scaling import SCALERS, Scaling, fit_scaling, make_transformer
from skl_lstmae.training.torch_state import settled


class SequenceLearner(CallbackSupportMixin, TrainedNetwork):
    """Trains a network on sequences.

    A subclass says which network that is, by a :class:`Blueprint`, and how it is trained, by a
    :class:`Recipe`. All that is learned is frozen, and replaced as a whole: a call that fails
    leaves no trace, and other threads see one state or the other.
    """

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
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "warm_start": ["boolean"],
        "checkpoint": [str, PathLike, None],
        "precision": [StrOptions({"float32", "bfloat16", "auto"})],
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
        batch_size: int | Literal["auto"],
        max_epochs: int | Literal["auto"],
        early_stopping: bool,
        validation_fraction: float,
        n_iter_no_change: int,
        tol: float,
        clip_norm: float | None,
        warm_start: bool,
        checkpoint: str | PathLike[str] | None,
        precision: Precision,
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
        self.precision = precision
        self.distributed = distributed
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def set_params(self, **params: Any) -> Self:
        """Set parameters; those of an object among them, such as ``scorer__n_neighbors``, too.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : estimator
            The estimator itself.

        Examples
        --------
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> detector = LSTMAutoencoderDetector(scaler=StandardScaler())
        >>> detector.set_params(scaler__with_std=False).scaler
        StandardScaler(with_std=False)
        """
        named: Any = {"scaler": (make_transformer, SCALERS), "scorer": (make_scorer, SCORERS)}
        refuse_parameters_of_no_object(self, params, named)
        return super().set_params(**params)

    @abstractmethod
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit in place; callbacks see this very object from their setup to their teardown."""

    def _fit_or_stay(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """Fit a copy, and take its state once nothing can fail any more."""
        with joined(self.distributed, self.device):
            with all_or_nothing(self) as learner:
                learner._fit(X, y, sample_weight)
            delete_checkpoint(self)
        self.history_.raise_interrupt()
        return self

    def _learn_more_or_stay(self, X: Any, y: Any = None, meaning: Any = None) -> Self:
        """Let a copy learn from more, and take its state once nothing can fail any more."""
        check_parameters(self)  # scikit-learn leaves it out once an estimator is fitted
        self._check_parameters()
        self._refuse_another_network("partial_fit")
        is_large = may_be_large(self.network, self.hidden_size)
        with all_or_nothing(self) as learner, settled(is_large):
            learner._learn_more(X, y, meaning)
        return self

    @abstractmethod
    def _learn_more(self, X: Any, y: Any, meaning: Any) -> None:
        """Learn in place from more sequences, in one epoch, the first or a further one.

        If there are targets, `meaning` is what is known of them.
        """

    def _check_before_fit(self) -> None:
        """Refuse parameters that exclude one another, or what has been fitted."""
        self._check_parameters()
        goes_on = self.warm_start and self.__sklearn_is_fitted__()
        if self.max_epochs == 0 and not (isinstance(self.network, torch.nn.Module) or goes_on):
            raise ValueError(
                "max_epochs=0 leaves the network untrained; pass one that has been trained as "
                "network, or train for 1 epoch at least."
            )
        if self.warm_start:
            self._refuse_another_network("warm_start")

    def _train(self, split: Split, random_state: RandomState, callbacks: FitCallbacks) -> Model:
        """Return a model that is trained on the split."""
        recipe = self._recipe()
        model = self._begin(split, random_state, go_on=self.warm_start)
        self.history_.is_whole = True
        n_epochs = recipe.n_epochs(split, model.network.width)
        callbacks.begin_fit(n_epochs)
        callbacks.attributes_after = lambda progress: self._attributes_after(
            progress, model, split, deepcopy(random_state)
        )
        if n_epochs:
            check_agreement(self, split)
            checkpoint = open_checkpoint(self, model, split, random_state)
            recipe.train(model, split, random_state, self.history_, callbacks, checkpoint)
        return model

    @abstractmethod
    def _recipe(self) -> Recipe:
        """Return how a network is trained."""

    @abstractmethod
    def _blueprint(self, n_features: int) -> Blueprint:
        """Return which network is trained, for so many features."""

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
        self._check_scaling(scaling)
        blueprint = self._blueprint(training.n_features)
        if go_on and self.__sklearn_is_fitted__():
            network = blueprint.copy(self._model.network)
            self.history_ = self.history_.copy()
        else:
            network = blueprint.make(random_state)
            if not blueprint.is_ours:
                warn_of_no_effect(self, blueprint.arguments)
            self._network_fitted_with = self.network
            self.history_ = History()
        self._n_timesteps = _common_length(training.lengths)
        return Model(network.to(device).eval(), scaling, self.loss, device)

    def _learn_once(self, split: Split) -> Model:
        """Train a model for one epoch: a first one, or a copy of the one there is."""
        if self.__sklearn_is_fitted__():
            random_state = deepcopy(self._random_state)
            model = self._go_on(split)
        else:
            random_state = spawn_random_state(check_random_state(self.random_state))
            model = self._begin(split, random_state, go_on=False)
        self._recipe().train_once(model, split, random_state, self.history_)
        self._random_state = random_state
        return model

    def _go_on(self, split: Split) -> Model:
        """Return a copy of the model there is, whose scaling knows the training sequences, too."""
        before, sequences = self._model, split.training
        network = self._blueprint(sequences.n_features).copy(before.network)
        scaling = before.scaling.updated(sequences)
        self._check_scaling(scaling)
        self.history_ = self.history_.copy()
        self._n_timesteps = _common_length([*sequences.lengths, self._n_timesteps or 0])
        return replace(before, network=network.to(before.device), scaling=scaling)

    def _fit_scaling(self, training: Sequences, names: tuple[str, ...]) -> Scaling:
        """Learn the scaling of the features."""
        refuses_empty = self.empty_features == "refuse"
        return fit_scaling(self.scaler, training, names, refuses_empty=refuses_empty)

    def _check_scaling(self, scaling: Scaling) -> None:
        """Refuse scaled data that the network cannot learn."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def _check_parameters(self) -> None:
        """Refuse what the declared constraints, which see one parameter at a time, let through."""
        for name in ("scaler", "loss", "scorer", "init"):
            refuse_class(name, getattr(self, name, None))
        widths = np.atleast_1d(np.array(self.hidden_size, dtype=object))
        if not len(widths) or not all(isinstance(n, int | np.integer) and n >= 1 for n in widths):
            raise ValueError(
                f"The 'hidden_size' parameter of {type(self).__name__} must be a positive int or a "
                f"non-empty list of them. Got {self.hidden_size!r} instead."
            )
        if isinstance(self.network, torch.nn.Module):
            check_kind(self.network)
        if self.precision == "bfloat16":
            refuse_without_bfloat16(resolve_device(self.device))

    def _refuse_another_network(self, way: str) -> None:
        """Refuse to go on with the network there is if the parameter asks for another."""
        if self.__sklearn_is_fitted__() and self.network != self._network_fitted_with:
            raise ValueError(
                f"network has changed since this {type(self).__name__} was fitted, but {way} goes "
                "on with the network of that fit; set network back, or fit with warm_start=False "
                "to start with a new one."
            )


def warn_of_no_effect(estimator: SequenceLearner, arguments: Iterable[str]) -> None:
    """Name the parameters set to shape our own network, although it is the user's."""
    kind: Any = type(estimator)
    default = kind()
    names = [
        name
        for name in arguments
        if not _are_alike(getattr(estimator, name, None), getattr(default, name, None))
    ]
    if names:
        warn(
            f"network is given, so that setting {', '.join(names)} has no effect: that is for "
            f"the network that {kind.__name__} makes by itself; leave it out, or make "
            "your network so."
        )


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two values of a parameter make the same network, as 8 and [8] do."""
    return np.array_equal(np.atleast_1d(one), np.atleast_1d(other))


def _common_length(lengths: Iterable[int]) -> int | None:
    """Return the number that all lengths are, or None."""
    distinct = {int(length) for length in lengths}
    return distinct.pop() if len(distinct) == 1 else None
