"""What the estimators share that predict a target of sequences: a class, or numbers."""

from abc import abstractmethod
from copy import copy
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import Interval, StrOptions, fit_context
from skl_lstmae.data.checks import check_sequences
from skl_lstmae.data.classes import Classes
from skl_lstmae.data.forms import Form
from skl_lstmae.data.names import known_names
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import Split, hold_out_like
from skl_lstmae.data.targets import refuse_another_order
from skl_lstmae.data.weights import check_weights, counted, of_mean_one, order_by_content
from skl_lstmae.detectors.callbacks import FitCallbacks
from skl_lstmae.detectors.exported import ExportedPredictorMixin
from skl_lstmae.detectors.latents import LatentTransformerMixin
from skl_lstmae.detectors.learner import SequenceLearner
from skl_lstmae.detectors.pretrained import pretrained_network, pretrained_scaling
from skl_lstmae.modules import LSTMPredictor
from skl_lstmae.training.attributions import integrated_gradients
from skl_lstmae.training.blueprint import Blueprint, may_be_large
from skl_lstmae.training.model import Model
from skl_lstmae.training.objectives import Loss, TargetPrediction
from skl_lstmae.training.random_states import shared_random_state, spawn_random_state
from skl_lstmae.training.recipe import Recipe
from skl_lstmae.training.scaling import Scaling
from skl_lstmae.training.targets import Targets
from skl_lstmae.training.threads import is_large
from skl_lstmae.training.torch_state import settled

EXPLAINED: dict[str, list[Any]] = {
    "step": [Integral, None],
    "n_steps": [Interval(Integral, 1, None, closed="left")],
}
"""What `validate_params` is to check of which step is explained, and at how many points."""

MOST_TIMES_SHOWN = 10
"""How often an epoch shows a sequence at most because of its weight."""


@dataclass(frozen=True, eq=False)
class Predictor:
    """A trained model, and what its outputs mean.

    Parameters
    ----------
    model : Model
        Trained.
    meaning : Classes or Numbers
        Of the outputs.
    """

    model: Model
    meaning: Any


class SequencePredictor(ExportedPredictorMixin, LatentTransformerMixin, SequenceLearner):
    """Trains a network on sequences with targets.

    A subclass reads the targets, and says what the network's outputs mean. All that is learned is
    in a :class:`Predictor`, which is replaced as a whole.
    """

    latent_size: int
    bottleneck: str
    bidirectional: bool
    differences: bool
    init: Any

    _meaning: Any  # from the beginning of a fit on
    _predictor: Predictor

    _parameter_constraints: dict[str, list[Any]] = {
        **SequenceLearner._parameter_constraints,
        "latent_size": [Interval(Integral, 1, None, closed="left")],
        "bottleneck": [StrOptions({"mean_max", "mean", "max", "last"})],
        "bidirectional": ["boolean"],
        "differences": ["boolean"],
        "init": [object],
    }

    @abstractmethod
    def _read_target(self, y: Any, X: Sequences, form: Form) -> Any:
        """Return the target as it is checked, before it is known which sequences count."""

    @abstractmethod
    def _encode(
        self, target: Any, numbers: NDArray[np.intp], meaning: Any
    ) -> tuple[Any, Sequences, NDArray[np.float64]]:
        """Return the meaning, targets as the loss compares them, and a number a sequence.

        Those are of the sequences that `numbers` names, in their order. By the last, NaN where no
        target is observed, the sequences held out are like the others.
        """

    @abstractmethod
    def _target_loss(self) -> Loss:
        """Return the loss of (prediction, target)."""

    def _weights(self, keys: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how much each sequence counts, (n,), by what its target is."""
        return np.ones(len(keys))

    @fit_context(prefer_skip_nested_validation=True)
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        self._check_before_fit()
        callbacks = FitCallbacks(self, X, y)
        with settled(may_be_large(self.network, self.hidden_size)):
            known = self._meaning if self.warm_start and self.__sklearn_is_fitted__() else None
            sequences, form = check_sequences(self, X)
            split, keys = self._label(sequences, form, y, sample_weight, known)
            random_state = shared_random_state(self.random_state)
            if self.early_stopping:
                are_classes = isinstance(self._meaning, Classes)
                split = hold_out_like(
                    split, keys, self.validation_fraction, random_state, keeps_each=are_classes
                )
            model = self._train(split, random_state, callbacks)
            self._conclude(model, split, random_state)
        callbacks.end_fit()

    def _label(
        self, sequences: Sequences, form: Form, y: Any, sample_weight: Any, known: Any
    ) -> tuple[Split, NDArray[np.float64]]:
        """Return sequences to train on with their targets, and a number that tells of each."""
        target = self._read_target(y, sequences, form)
        refuse_another_order(sample_weight, form, "sample_weight")
        numbers, weights = _repeat(sequences, sample_weight)
        self._meaning, values, keys = self._encode(target, numbers, known)
        weights = of_mean_one(weights) * self._weights(keys)
        if not weights.any():
            raise ValueError("class_weight is zero for every class in y; expected one that is not.")
        chosen = counted(sequences, numbers, is_weighted=sample_weight is not None)
        targets = Targets(values, of_mean_one(weights))
        return Split(chosen, chosen.take([]), numbers=numbers, targets=targets), keys

    def _conclude(self, model: Model, split: Split, random_state: RandomState) -> None:
        self._predictor = Predictor(model, self._meaning)
        self._random_state = spawn_random_state(random_state)

    def _learn_more(self, X: Any, y: Any, meaning: Any) -> None:
        n_channels = self._model.n_features if self.__sklearn_is_fitted__() else None
        sequences, form = check_sequences(self, X, n_channels=n_channels)
        split, _ = self._label(sequences, form, y, None, meaning)
        self._predictor = Predictor(self._learn_once(split), self._meaning)

    def _read(self, X: Any) -> tuple[Predictor, Sequences, Form]:
        fitted = copy(self)  # one state, although another thread may fit meanwhile
        check_is_fitted(fitted)
        predictor = fitted._predictor
        return predictor, *check_sequences(fitted, X, n_channels=predictor.model.n_features)

    def _outputs(self, X: Any) -> tuple[Any, NDArray[np.float32], Form]:
        """Return what outputs mean, and the outputs, all by one state of the estimator."""
        predictor, sequences, form = self._read(X)
        return predictor.meaning, predictor.model.targets(sequences), form

    @abstractmethod
    def _explained(
        self, meaning: Any, outputs: NDArray[np.float32], target: Any
    ) -> tuple[NDArray[Any], list[str]]:
        """Return the weights of the outputs whose sum is explained, and what that is.

        There is one for each sequence, or one for all.
        """

    @property
    def _model(self) -> Model:
        check_is_fitted(self)
        return self._predictor.model

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_predictor")

    def _recipe(self) -> Recipe:
        # By cross-validation on the vowels' training part, classifiers trained by Muon were no
        # better.
        return Recipe.of(self, TargetPrediction(self._target_loss()), uses_muon=False)

    def _blueprint(self, n_features: int) -> Blueprint:
        meaning = self._meaning
        source = None if self.init is None else pretrained_network(self.init)
        known: Any = vars(self) if source is None else source.config
        arguments = {
            "input_size": n_features,
            "output_size": meaning.n_outputs,
            "hidden_size": [int(width) for width in np.atleast_1d(known["hidden_size"])],
            "latent_size": int(self.latent_size),
            "bottleneck": "sequence" if meaning.per_step else self.bottleneck,
            "bidirectional": bool(known["bidirectional"]),
            "differences": bool(self.differences),
            "dropout": self.dropout,
            "noise": self.noise,
        }
        return Blueprint(
            LSTMPredictor,
            arguments,
            self.network,
            n_features,
            target=(*(-1,) * meaning.per_step, meaning.n_outputs),
            encoder=None if source is None else source.encoder,
        )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.init is not None and self.network is not None:
            raise ValueError(
                f"init starts the network that {type(self).__name__} makes by itself, but network "
                "is given, too; leave one of them out."
            )

    def _fit_scaling(self, training: Sequences, names: tuple[str, ...]) -> Scaling:
        """Learn the scaling, or take that of the encoder's weights."""
        if self.init is None:
            return super()._fit_scaling(training, names)
        return pretrained_scaling(self.init, known_names(self), training.n_features)


def attribute(
    estimator: SequencePredictor,
    predictor: Predictor,
    sequences: Sequences,
    target: Any,
    step: int | None = None,
    n_steps: int = 32,
) -> tuple[NDArray[np.float64], list[str]]:
    """Return attributions, (total_timesteps, n_features), and what they are of, for each."""
    model, meaning = predictor.model, predictor.meaning
    _check_step(step, sequences, per_step=meaning.per_step)
    weights, names = estimator._explained(meaning, model.targets(sequences), target)
    if meaning.per_step:
        place = "on average over all steps" if step is None else f"at step {step}"
        names = [f"{name} {place}" for name in names]
    weights = np.broadcast_to(weights, (len(sequences), meaning.n_outputs))
    with settled(is_large(model.network)):
        return integrated_gradients(model, sequences, weights, step, n_steps), names


def _check_step(step: int | None, sequences: Sequences, *, per_step: bool) -> None:
    """Refuse to explain what is predicted of a step that some sequence has not."""
    if step is None:
        return
    if not per_step:
        raise ValueError(
            f"step={step}, but what is predicted is a target a sequence, not one a step; leave "
            "step out."
        )
    lacks = ~((-sequences.lengths <= step) & (step < sequences.lengths))
    if lacks.any():
        i = int(lacks.argmax())
        raise ValueError(
            f"step={step}, but sequence {i} has {sequences.lengths[i]} step(s), numbered from 0; "
            "pass a step that all have, -1 for the last of each, or None for the mean of all."
        )


def _repeat(
    sequences: Sequences, sample_weight: Any
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return which sequences are shown, in an order of their own, and what each then counts.

    One of weight 3 is shown three times, one of 2.5 twice with 1.25 each, one of 0.5 once; where
    weights are large, each is shown once.
    """
    order = order_by_content(sequences)
    if sample_weight is None:
        return order, np.ones(len(order))
    weights = check_weights(sample_weight, len(sequences), "sequence")[order]
    are_few = weights.max() <= MOST_TIMES_SHOWN
    counts = np.maximum(np.floor(weights) * are_few, weights > 0).astype(np.intp)
    return np.repeat(order, counts), np.repeat(weights / np.maximum(counts, 1), counts)
