"""What all detectors of sequences share: training, thresholds, scores, persistence."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import sklearn
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._batches import Batch, BatchBuilder
from skl_lstmae._callbacks import CallbackSupportMixin, FitCallbacks
from skl_lstmae._devices import resolve_device, usable_device
from skl_lstmae._inference import Inference
from skl_lstmae._labels import warn_of_misread_labels
from skl_lstmae._losses import LOSSES
from skl_lstmae._parts import Parts, spread
from skl_lstmae._persistence import (
    checksum,
    export_weights,
    import_weights,
    refuse_newer_major_version,
)
from skl_lstmae._scaling import SCALERS, Scaling, fit_scaling, learns_in_parts
from skl_lstmae._scoring import MAX_REFERENCES, SCORERS, ErrorScorer, Residuals, make_scorer
from skl_lstmae._sequences import Restore, Sequences, check_sequences
from skl_lstmae._threads import one_thread_in_workers
from skl_lstmae._thresholds import ReferenceScores
from skl_lstmae._training import EpochWatcher, History, Trainer
from skl_lstmae._version import __version__

MIN_REFERENCES = 3
"""Sequences to calibrate a threshold on, at the least."""

MIN_SEQUENCES = 2 + MIN_REFERENCES
"""Sequences to fit to, at the least: a covariance is learned from two."""

WEIGHTLESS = {"dropout", "noise", "teacher_forcing"}
"""Arguments of a network that no weight depends on."""

MAX_SUMMARIES = 4096
"""Sequences whose summaries are held at a time in scoring, however many there are."""

VIEWS_OF_ERRORS: dict[str, list[Any]] = {
    "per": [StrOptions({"sequence", "timestep", "feature"})],
}

ACTIVATION_RANGES: dict[str | None, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, np.inf),
}


def _can_learn_in_parts(detector: "SequenceDetector") -> bool:
    is_fitted = hasattr(detector, "module_")
    scaler = detector.scaler_ if is_fitted else detector.scaler
    if not learns_in_parts(scaler):
        raise AttributeError(
            f"partial_fit needs a scaler that learns in parts, but {scaler!r} does not; "
            "use scaler='standard', 'minmax' or None."
        )
    return True


class SequenceDetector(CallbackSupportMixin, OutlierMixin, BaseEstimator):
    """Trains a network on sequences and judges others by what it makes of them.

    A subclass names the class of its network, which maps a padded batch to a prediction of that
    batch and latents, and says with which arguments it is made.
    """

    _module_class: ClassVar[Callable[..., Any]]
    _min_sequences: ClassVar[int] = MIN_SEQUENCES

    module_: Any
    device_: torch.device
    offset_: float
    n_epochs_: int
    loss_curve_: list[float]
    validation_loss_curve_: list[float]
    _architecture: dict[str, Any]
    _loss: str
    _scaling: Scaling
    _scorer: ErrorScorer
    _training_scores: ReferenceScores
    _held_out_scores: ReferenceScores | None
    _learned_scores: ReferenceScores
    _random_state: RandomState
    _n_timesteps: int | None

    _parameter_constraints: dict[str, list[Any]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left"), list, tuple],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "output_activation": [StrOptions(set(ACTIVATION_RANGES)), None],
        "scaler": [
            StrOptions({name for name in SCALERS if name}),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "loss": [StrOptions(set(LOSSES))],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "warm_start": ["boolean"],
        "scorer": [StrOptions(set(SCORERS)), callable],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "false_alarm_rate": [Interval(Real, 0, 0.5, closed="right")],
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
        output_activation: str | None,
        scaler: Any,
        loss: str,
        learning_rate: float,
        weight_decay: float,
        batch_size: int,
        max_epochs: int,
        early_stopping: bool,
        validation_fraction: float,
        n_iter_no_change: int,
        tol: float,
        clip_norm: float | None,
        warm_start: bool,
        scorer: str | Callable[..., Any],
        contamination: str | float,
        false_alarm_rate: float,
        device: str | torch.device,
        random_state: int | RandomState | None,
        verbose: int,
    ) -> None:
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.noise = noise
        self.output_activation = output_activation
        self.scaler = scaler
        self.loss = loss
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
        self.scorer = scorer
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what normal sequences look like.

        Parameters
        ----------
        X : sequences
            In any of the forms above; at least five, unless those say otherwise.

        y : array-like, default=None
            Not learned from. Callbacks that score get it, and labels 0 and 1, or two of text, which
            scikit-learn's scorers may read the wrong way round, are met with a warning.

        Returns
        -------
        self : estimator
            The fitted detector. A fit that fails leaves it as it was.
        """
        self._check_parameters()
        warn_of_misread_labels(y)
        callbacks = FitCallbacks(self, X, y, self.max_epochs)
        with all_or_nothing(self), one_thread_in_workers():
            sequences, _ = check_sequences(self, X, min_sequences=self._min_sequences)
            self._fit(sequences, callbacks)
            callbacks.end_fit()
        return self

    @available_if(_can_learn_in_parts)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from more sequences, in one epoch over them.

        The scaler takes the sequences into its statistics, the network is trained once on each, and
        the scorer takes what the network now makes of them into what it holds for normal; there,
        earlier sequences fade as if the latest 1024 were kept. The threshold of
        ``contamination="auto"`` is calibrated on the scores that the latest 1024 sequences had when
        they came, before they were learned from; those of the first call, for want of such, on the
        scores they had afterwards.

        Each call is to bring new sequences: a second pass over the same ones would make the
        threshold optimistic. For that use `fit`, or `fit` with ``warm_start=True``.

        Parameters
        ----------
        X : sequences
            In any of the forms above; at least five sequences in the first call.

        y : Ignored
            Present for API consistency by convention.

        Returns
        -------
        self : estimator
            The detector, ready for use. A call that fails leaves it as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(120, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0)
        >>> for start in range(0, 120, 20):
        ...     detector = detector.partial_fit(X[start : start + 20])
        >>> detector.predict(X).shape
        (120,)
        """
        self._validate_params()  # scikit-learn leaves it out once an estimator is fitted
        self._check_parameters()
        is_first = not hasattr(self, "module_")
        with all_or_nothing(self), one_thread_in_workers():
            if is_first:
                sequences, _ = check_sequences(self, X, min_sequences=MIN_SEQUENCES)
                self._begin_partial_fit(sequences)
            else:
                sequences, _ = self._read(X)
                self._continue_partial_fit(sequences)
            self.offset_ = self._offset()
        return self

    def recalibrate(
        self,
        X: Any = None,
        *,
        contamination: str | float | None = None,
        false_alarm_rate: float | None = None,
    ) -> Self:
        """Change ``offset_``: the rule behind it, or the sequences that it rests on.

        Parameters
        ----------
        X : sequences, default=None
            Sequences like those to come, three at least, by whose scores ``offset_`` is set from
            now on; they are not learned from. Where normal sequences drift, recent ones keep false
            alarms at their rate; fewer than ``1 / false_alarm_rate - 1`` are helped out by the
            scores of the training sequences. None leaves the offset to the sequences of the fit,
            and does not run the network.

        contamination : "auto" or float, default=None
            The parameter's new value; None leaves it.

        false_alarm_rate : float, default=None
            The parameter's new value; None leaves it.

        Returns
        -------
        self : estimator
            The detector with the new parameters and ``offset_``.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(120, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, tol=1e-2, random_state=0).fit(X)
        >>> offset = detector.offset_
        >>> bool(detector.recalibrate(false_alarm_rate=0.2).offset_ > offset)
        True
        >>> noisy = X + np.random.default_rng(1).normal(0, 0.3, X.shape)
        >>> flagged = (detector.predict(noisy[60:]) == -1).mean()
        >>> detector = detector.recalibrate(noisy[:60])  # normal sequences are noisier now
        >>> bool((detector.predict(noisy[60:]) == -1).mean() < flagged)
        True
        """
        check_is_fitted(self)
        changed = {"contamination": contamination, "false_alarm_rate": false_alarm_rate}
        changed = {name: value for name, value in changed.items() if value is not None}
        with all_or_nothing(self):
            self.set_params(**changed)._validate_params()
            if X is not None:
                self._refer_to(self._read(X)[0])
            if self.contamination == "auto" and self._held_out_scores is None:
                raise ValueError(
                    "contamination='auto' needs sequences held out of training, but this detector "
                    "was fitted without; fit it again with contamination='auto'."
                )
            self.offset_ = self._offset()
        return self

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score sequences by how normal they are.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        scores : ndarray of shape (n_sequences,), float64
            Higher is more normal; see the parameter ``scorer``. A sequence's score is the same, bit
            for bit, whatever sequences it comes with and however they are padded, on a CPU.
        """
        sequences, _ = self._read(X)
        return self._score_samples(sequences)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Score sequences relative to ``offset_``.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        decisions : ndarray of shape (n_sequences,), float64
            ``score_samples(X) - offset_``: negative for anomalies.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Tell anomalous sequences from normal ones.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        labels : ndarray of shape (n_sequences,), int64
            -1 for anomalies, +1 for normal sequences.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the explained variance of what the network makes of X.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        y : Ignored
            Present for API consistency by convention.

        Returns
        -------
        score : float
            Mean over the features of the share of their variance, in the units of X, that the
            network's prediction explains: 1 is perfect, 0 as good as the mean. Missing values are
            left out.
        """
        sequences, _ = self._read(X)
        return self._explained_variance(sequences)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Return weights as arrays, so that any machine can load them and none needs their code."""
        state = dict(super().__getstate__())
        if "module_" in state:
            state["module_"] = export_weights(state["module_"])
            state["device_"] = str(state["device_"])
        return {**state, "_skl_lstmae_version": __version__, "_checksum": checksum(state)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        name = type(self).__name__
        state = dict(state)
        refuse_newer_major_version(state.pop("_skl_lstmae_version", None), name)
        if state.pop("_checksum", None) != checksum(state):
            raise ValueError(
                f"The numbers of this {name} are not those that were saved: the file is damaged; "
                "save the detector again."
            )
        if "module_" in state:
            state["device_"] = usable_device(state["device_"])
            module = self._empty_module(state["_architecture"])
            import_weights(module, state["module_"])
            state["module_"] = module.to(state["device_"]).eval()
        super().__setstate__(state)

    @property
    def scaler_(self) -> Any:
        """The fitted scaler."""
        check_is_fitted(self, "_scaling")
        return self._scaling.transformer

    def _make_architecture(self, n_features: int) -> dict[str, Any]:
        """Return the arguments of the network for so many features."""
        raise NotImplementedError

    def _check_parameters(self) -> None:
        """Refuse what the declared constraints, which see one parameter at a time, let through."""
        widths = np.atleast_1d(np.array(self.hidden_size, dtype=object))
        if not len(widths) or not all(isinstance(n, int | np.integer) and n >= 1 for n in widths):
            raise ValueError(
                f"The 'hidden_size' parameter of {type(self).__name__} must be a positive int or a "
                f"non-empty list of them. Got {self.hidden_size!r} instead."
            )
        if self.loss == "binary_cross_entropy" and self.output_activation != "sigmoid":
            raise ValueError(
                "loss='binary_cross_entropy' compares probabilities; use "
                f"output_activation='sigmoid', not {self.output_activation!r}."
            )

    def _check_output_range(self, scaling: Scaling) -> None:
        low, high = ACTIVATION_RANGES.get(self.output_activation, (-np.inf, np.inf))
        outside = (scaling.low < low - 1e-6) | (scaling.high > high + 1e-6)
        if outside.any():
            feature = int(outside.argmax())
            raise ValueError(
                f"output_activation={self.output_activation!r} only reaches values in "
                f"[{low:g}, {high:g}], but feature {feature} of the scaled training data spans "
                f"[{scaling.low[feature]:g}, {scaling.high[feature]:g}]; use scaler='minmax', or "
                "another output_activation."
            )

    def _read(self, X: Any) -> tuple[Sequences, Restore]:
        check_is_fitted(self)
        return check_sequences(self, X, n_channels=self.module_.input_size)

    def _fit(self, sequences: Sequences, callbacks: FitCallbacks) -> None:
        random_state = check_random_state(self.random_state)
        self._fit_parts(self._split(sequences, random_state), random_state, callbacks)

    def _fit_parts(self, parts: Parts, random_state: RandomState, callbacks: FitCallbacks) -> None:
        self._prepare(parts.training, random_state, go_on=self.warm_start)
        callbacks.fitted_attributes = lambda history: self._attributes_after(
            history, parts, deepcopy(random_state)
        )
        history = self._train(parts, random_state, callbacks)
        self._conclude(history, parts, random_state)

    def _conclude(self, history: History, parts: Parts, random_state: RandomState) -> None:
        """Set what depends on the trained network."""
        self._continue_curves(history.loss_curve, history.validation_loss_curve)
        self._learn_scores(parts)
        self.offset_ = self._offset()
        self._random_state = spawn_random_state(random_state)

    @_fit_context(prefer_skip_nested_validation=True)
    def _fit_windows(self, parts: Parts) -> None:
        """Fit to windows of long series, which another estimator has divided."""
        self._check_parameters()
        callbacks = FitCallbacks(self, None, None, self.max_epochs)
        with all_or_nothing(self), one_thread_in_workers():
            self.n_features_in_ = parts.training.n_features
            self._fit_parts(parts, check_random_state(self.random_state), callbacks)
            callbacks.end_fit()

    def _begin_partial_fit(self, sequences: Sequences) -> None:
        self._random_state = spawn_random_state(check_random_state(self.random_state))
        self._prepare(sequences, self._random_state, go_on=False)
        self._train_once(sequences)
        self._learn_scores(Parts(sequences, sequences.take([])))
        self._held_out_scores = self._training_scores

    def _continue_partial_fit(self, sequences: Sequences) -> None:
        self._random_state = deepcopy(self._random_state)
        reference = self._held_out_scores or self._training_scores
        self._held_out_scores = reference.updated(self._score_samples(sequences))
        self._n_timesteps = _common_length([*sequences.lengths, self._n_timesteps or 0])
        self._go_on_with_network(self._make_architecture(sequences.n_features), self.device_)
        self._scaling = self._scaling.updated(sequences)
        self._check_output_range(self._scaling)
        self._train_once(sequences)
        summaries = self._summarize(sequences)
        self._scorer = deepcopy(self._scorer).partial_fit(summaries)
        learned = self._scorer.score(summaries)
        self._training_scores = self._training_scores.updated(learned)
        self._learned_scores = self._learned_scores.updated(learned)

    def _prepare(self, training: Sequences, random_state: RandomState, *, go_on: bool) -> None:
        """Learn the scaling, and make a network or go on with the one there is."""
        device = resolve_device(self.device)
        self._loss = self.loss
        self._scaling = fit_scaling(self.scaler, training)
        self._check_output_range(self._scaling)
        architecture = self._make_architecture(training.n_features)
        if go_on and hasattr(self, "module_"):
            self._go_on_with_network(architecture, device)
        else:
            self._architecture = architecture
            module = self._empty_module(architecture)
            module.reset_parameters(make_generator(random_state, "cpu"))
            self.module_ = module.to(device)
            self.loss_curve_ = []
            self.validation_loss_curve_ = []
        self.device_ = device
        self._n_timesteps = _common_length(training.lengths)

    def _go_on_with_network(self, architecture: dict[str, Any], device: torch.device) -> None:
        """Put the weights into a copy of the network, in which what shapes none may be new."""
        for name, before in self._architecture.items():
            if architecture[name] != before and name not in WEIGHTLESS:
                raise ValueError(
                    f"This {type(self).__name__} would go on with a network of {name}={before!r}, "
                    f"but {name}={architecture[name]!r} is asked for; fit it with warm_start=False "
                    "to start with a new one."
                )
        module = self._empty_module(architecture)
        module.load_state_dict(self.module_.state_dict())
        self.module_ = module.to(device)
        self._architecture = architecture

    @classmethod
    def _empty_module(cls, architecture: dict[str, Any]) -> Any:
        # A module made on the meta device draws no weights from torch's global generator.
        with torch.device("meta"):
            module = cls._module_class(**architecture)
        return module.to_empty(device="cpu")

    @property
    def _holds_out(self) -> bool:
        return bool(self.early_stopping or self.contamination == "auto")

    def _cut(self, sequences: Sequences, random_state: RandomState | None = None) -> Sequences:
        """Return what the network is trained on in one go; in training it may vary at random."""
        return sequences

    def _split(self, sequences: Sequences, random_state: RandomState) -> Parts:
        """Hold out whole sequences if anything is to be judged by them."""
        n_held_out = 0
        if self._holds_out:
            n_wanted = max(3, round(self.validation_fraction * len(sequences)))
            n_held_out = min(n_wanted, len(sequences) - 2)
        order = random_state.permutation(len(sequences))
        held_out, training = np.split(order, [n_held_out])
        return Parts(sequences.take(training), sequences.take(held_out))

    def _train(self, parts: Parts, random_state: RandomState, watcher: EpochWatcher) -> History:
        builder = self._batch_builder
        is_validated = self.early_stopping and len(parts.held_out)
        return self._make_trainer(random_state).train(
            self.module_,
            lambda: self._training_batches(parts.draw(random_state), random_state),
            (lambda: builder.scoring_batches(self._cut(parts.held_out))) if is_validated else None,
            watcher,
        )

    def _train_once(self, sequences: Sequences) -> None:
        batches = self._training_batches(sequences, self._random_state)
        loss = self._make_trainer(self._random_state).train_once(self.module_, batches)
        self._continue_curves([loss], [])

    def _continue_curves(self, losses: list[float], validation_losses: list[float]) -> None:
        """Append the losses of epochs, with NaN for what was not validated if anything was."""
        earlier = self.validation_loss_curve_
        if earlier or validation_losses:
            self.validation_loss_curve_ = [
                *(earlier or [np.nan] * len(self.loss_curve_)),
                *(validation_losses or [np.nan] * len(losses)),
            ]
        self.loss_curve_ = [*self.loss_curve_, *losses]
        self.n_epochs_ = len(self.loss_curve_)

    def _training_batches(
        self, sequences: Sequences, random_state: RandomState
    ) -> Iterator[list[Batch]]:
        return self._batch_builder.training_batches(
            self._cut(sequences, random_state), self.batch_size, random_state
        )

    def _make_trainer(self, random_state: RandomState) -> Trainer:
        return Trainer(
            loss=LOSSES[self._loss],
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            max_epochs=self.max_epochs,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            verbose=self.verbose,
            generator=make_generator(random_state, self.device_),
        )

    def _make_scorer(self) -> ErrorScorer:
        return make_scorer(self.scorer)

    def _learn_scores(self, parts: Parts) -> None:
        scorer = self._scorer = self._make_scorer()
        summaries = self._summarize(parts.sample())
        scorer.fit(summaries)
        # Held-out sequences become references too, but not held-out windows: those overlap, so that
        # each would have others almost the same as itself to be near to.
        are_apart = parts.n_per_epoch is None
        held_out = np.empty(0)
        if len(parts.held_out):
            judge = scorer.calibrate if are_apart else scorer.score
            held_out = judge(self._summarize(parts.held_out))
        learned = scorer.score(summaries)
        self._training_scores = ReferenceScores.of(np.concatenate([learned, held_out]))
        self._held_out_scores = ReferenceScores.of(held_out) if len(held_out) else None
        self._learned_scores = ReferenceScores.of(learned)

    def _learn_normal(self, windows: Sequences) -> None:
        """Learn anew, from windows of all rows, what the scorer holds for normal."""
        windows = spread(windows, min(len(windows), MAX_REFERENCES))
        self._scorer = self._make_scorer().fit(self._summarize(windows))

    def _attributes_after(
        self, history: History, parts: Parts, random_state: RandomState
    ) -> dict[str, Any]:
        """Return the attributes of this detector, had its training stopped where `history` does."""
        stopped = copy(self)
        stopped.module_ = deepcopy(self.module_).eval()  # training goes on in the other
        stopped.module_.load_state_dict(history.kept_weights)
        stopped._conclude(history, parts, random_state)
        return dict(vars(stopped))

    def _refer_to(self, sequences: Sequences) -> None:
        """Let thresholds rest on the scores of these sequences."""
        if len(sequences) < MIN_REFERENCES:
            raise ValueError(
                f"X holds {len(sequences)} sequence(s) to calibrate on; expected at least "
                f"{MIN_REFERENCES}."
            )
        self._training_scores = ReferenceScores.of(self._score_samples(sequences))
        self._held_out_scores = self._training_scores

    def _offset(self) -> float:
        if not isinstance(self.contamination, str):
            return self._training_scores.contamination_offset(self.contamination)
        reference = self._held_out_scores or self._training_scores
        return reference.false_alarm_offset(self.false_alarm_rate, self._learned_scores)

    def _predicted_steps(self, X: Any) -> Any:
        sequences, restore = self._read(X)
        return restore(self._inference.predictions(sequences))

    def _view_errors(self, X: Any, per: str) -> Any:
        sequences, restore = self._read(X)
        if per == "timestep":
            return restore(self._inference.timestep_shares(sequences))
        view = Residuals.mean_error if per == "sequence" else Residuals.feature_shares
        return self._inference.summaries(sequences, view)

    @property
    def _inference(self) -> Inference:
        return Inference(self.module_, self._batch_builder, LOSSES[self._loss])

    @property
    def _batch_builder(self) -> BatchBuilder:
        module = self.module_
        return BatchBuilder(self._scaling, module.width, self.device_, module.is_causal)

    def _score_samples(self, sequences: Sequences) -> NDArray[np.float64]:
        scores = np.empty(len(sequences))
        for start in range(0, len(sequences), MAX_SUMMARIES):
            block = np.arange(start, min(start + MAX_SUMMARIES, len(sequences)))
            scores[block] = self._scorer.score(self._summarize(sequences.take(block)))
        return scores

    def _explained_variance(self, sequences: Sequences) -> float:
        actual = sequences.values[sequences.rows()]
        reconstructed = self._inference.predictions(sequences)
        explained_variance = sklearn.metrics.explained_variance_score
        shares = [
            explained_variance(actual[seen, j], reconstructed[seen, j])
            for j, seen in enumerate(~np.isnan(actual).T)
            if seen.any()
        ]
        return float(np.mean(shares))

    def _errors(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return the loss of each cell, (total_timesteps, n_features)."""
        return self._inference.errors(sequences)

    def _summarize(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._inference.summaries(sequences, self._scorer.summarize)


def _common_length(lengths: Iterable[int]) -> int | None:
    """Return the number that all lengths are, or None."""
    distinct = {int(length) for length in lengths}
    return distinct.pop() if len(distinct) == 1 else None


@contextmanager
def all_or_nothing(estimator: BaseEstimator) -> Iterator[None]:
    """Give an estimator back its former state if what is done to it fails."""
    state = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(state)
        raise


def spawn_random_state(random_state: RandomState) -> RandomState:
    """Return a random state of its own, seeded from another."""
    return RandomState(random_state.randint(2**31 - 1))


def make_generator(random_state: RandomState, device: str | torch.device) -> torch.Generator:
    """Return a torch generator seeded from a numpy one."""
    return torch.Generator(device).manual_seed(int(random_state.randint(2**31 - 1)))
