"""The LSTM autoencoder as a scikit-learn outlier detector and transformer of sequences."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.metrics import explained_variance_score
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._batches import BatchBuilder
from skl_lstmae._inference import Inference
from skl_lstmae._losses import LOSSES
from skl_lstmae._scaling import SCALERS, Scaling, fit_scaling
from skl_lstmae._scoring import SCORERS, Residuals, make_scorer
from skl_lstmae._sequences import Restore, Sequences, check_sequences
from skl_lstmae._thresholds import ReferenceScores
from skl_lstmae._training import History, Trainer
from skl_lstmae.modules import LSTMAutoencoder

MIN_SEQUENCES = 5  # two to learn a covariance from, three to calibrate on

ACTIVATION_RANGES: dict[str | None, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, np.inf),
}


class LSTMAutoencoderDetector(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, OutlierMixin, BaseEstimator
):
    """Find anomalous sequences by what an LSTM autoencoder makes of them.

    The network learns to pass the training sequences through a narrow latent; a new sequence is
    anomalous if its latent or the errors of its reconstruction are unlike theirs.

    Everywhere `X` may be

    - a list, tuple or object array of sequences `(n_timesteps, n_features)` of any lengths (arrays,
      tensors, DataFrames; 1-D ones have a single feature);
    - an array, memory map or tensor `(n_sequences, n_timesteps, n_features)`, where trailing steps
      that are all NaN are padding; `(n_sequences, n_timesteps)`, array or DataFrame, where each row
      is a sequence of one feature; or `(n_sequences, n_timesteps, n_variables, n_features)`, which
      is flattened to `n_variables * n_features` features;
    - a DataFrame indexed by (sequence id, time), in long format.

    Any other NaN is a missing value: hidden from the loss and from every score. To the network it
    looks like the last observed value of its feature.

    Parameters
    ----------
    hidden_size : int or sequence of int, default=64
        Width of the encoder's LSTM layers, first to last; the decoder mirrors them.

    latent_size : int, default=32
        Number of features of the latent.

    bottleneck : {"mean", "max", "last", "sequence"}, default="mean"
        What of the encoder's outputs becomes the latent: the mean or maximum over all steps, the
        last step, or every step. "sequence" also hands the encoder's final state to the decoder.

    decoder : {"repeat", "autoregressive"}, default="repeat"
        "repeat" reads the latent at every step; "autoregressive" the previous step as well.

    teacher_forcing : float, default=0.5
        Probability that an autoregressive decoder is fed the true previous steps of a training
        batch rather than its own predictions. In scoring it is always fed its own.

    bidirectional : {False, "encoder", "both"}, default=False
        Which LSTMs read the sequence in both directions of time. "both" needs `decoder="repeat"`.

    skip_connection : bool, default=False
        Whether a linear map of the previous step is added to each prediction, past the bottleneck.

    dropout : float, default=0.0
        Probability of zeroing an output between stacked layers, in training.

    noise : float, default=0.8
        Standard deviation, in scaled units, of Gaussian noise that is added to the sequences in
        training, while the network has to return them without it. Lower it for scaled data of less
        than unit variance, as with `scaler="minmax"` or None.

    output_activation : {"sigmoid", "tanh", "relu"}, default=None
        Function that bounds the reconstruction, in scaled units; None is the identity.

    scaler : {"standard", "minmax", "robust"}, transformer or None, default="standard"
        Scaling of the features, learned from the sequences the network is trained on: zero mean and
        unit variance, [0, 1], zero median and unit interquartile range, or an unfitted scikit-learn
        transformer that treats rows one by one, keeps their number of features and can invert
        itself. None leaves X as it is.

    loss : {"squared_error", "absolute_error", "huber", "binary_cross_entropy"}, \
            default="squared_error"
        Loss of an observed cell in scaled units. "huber" bends at 1. "binary_cross_entropy" needs
        `output_activation="sigmoid"` and is counted from the target's entropy, so that 0 is
        perfect.

    learning_rate : float, default=0.003
        Step size of the optimizer, AdamW.

    weight_decay : float, default=0.0001
        Decoupled weight decay.

    batch_size : int, default=64
        Number of sequences in a training step.

    max_epochs : int, default=200
        The most passes over the training sequences.

    early_stopping : bool, default=True
        Whether part of the sequences is held out to tell when to stop and which epoch's weights to
        keep. If False, the training loss tells when to stop, and the last weights are kept.

    validation_fraction : float, default=0.1
        Share of the sequences, three at least, that are held out if `early_stopping` or
        `contamination="auto"`.

    n_iter_no_change : int, default=10
        Training stops after so many epochs in which the loss did not improve by `tol`.

    tol : float, default=0.0001
        Least improvement of the loss that counts.

    clip_norm : float or None, default=1.0
        Bound on the norm of the gradient.

    scorer : {"neighbors", "mahalanobis", "error", "error_max"} or callable, default="neighbors"
        How errors and latents become the score of a sequence:

        - "neighbors": minus the mean distance, in standard deviations, from the three nearest of at
          most 1024 training sequences; between sequences lies what differs in their latents, in the
          maxima of their encoder outputs and in the logarithms of each feature's mean error;
        - "mahalanobis": minus the Mahalanobis distance of its latent and the logarithms of each
          feature's mean error from those of the training sequences, taken as one group;
        - "error": minus its mean error;
        - "error_max": minus the mean error of its worst step;
        - a callable gets `errors`, a list of `(n_timesteps, n_features)` arrays of the loss of each
          cell (NaN where X is missing), and `latents` of shape `(n_sequences, latent_size)`, and
          returns `(n_sequences,)` scores, higher for normal sequences. It is called batch by batch,
          so it must judge each sequence by itself.

    contamination : "auto" or float, default="auto"
        The rule behind `offset_`. A float in (0, 0.5] is the share of anomalies in the training
        data, as in :class:`~sklearn.ensemble.IsolationForest`. "auto" takes the training data as
        normal, and flags fresh normal sequences at `false_alarm_rate`.

    false_alarm_rate : float, default=0.01
        Share of fresh normal sequences to flag if `contamination="auto"`. The offset is calibrated
        on the held-out sequences: by split conformal prediction if there are at least
        `1 / false_alarm_rate - 1` of them, which then bounds the rate for exchangeable sequences
        whatever their distribution, on average over the sequences that happened to be held out; if
        there are fewer, by extrapolating a Pareto tail, which is an approximation. With
        `early_stopping` the same sequences chose the epoch, which makes the bound a little
        optimistic.

    device : str or torch.device, default="auto"
        Where the network runs; "auto" is CUDA if there is one, else MPS, else the CPU.

    random_state : int, RandomState instance or None, default=None
        Determines the held-out sequences, the first weights, the order of batches, dropout and
        teacher forcing. With an int, two fits on a CPU give the same weights, bit for bit. The
        global random states of numpy and torch are not used.

    verbose : int, default=0
        Whether to print the losses of each epoch.

    Attributes
    ----------
    module_ : skl_lstmae.modules.LSTMAutoencoder
        The trained network.

    scaler_ : transformer
        The fitted scaler.

    offset_ : float
        `decision_function` is `score_samples` minus this.

    n_features_in_ : int
        Number of features of X; for a 2-D X its number of columns, which are time steps.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was of DataFrames with string column names.

    n_epochs_ : int
        Number of epochs run.

    loss_curve_ : list of float
        Training loss of each epoch.

    validation_loss_curve_ : list of float
        Loss of the held-out sequences after each epoch; empty without `early_stopping`.

    device_ : torch.device
        Where the network runs.

    See Also
    --------
    skl_lstmae.modules.LSTMAutoencoder : The network alone.
    sklearn.ensemble.IsolationForest : Anomalies among rows of features.

    References
    ----------
    .. [1] P. Malhotra, A. Ramakrishnan, G. Anand, L. Vig, P. Agarwal, G. Shroff, "LSTM-based
       encoder-decoder for multi-sensor anomaly detection", ICML 2016 Anomaly Detection Workshop,
       :doi:`10.48550/arXiv.1607.00148`.

    Examples
    --------
    >>> from skl_lstmae import LSTMAutoencoderDetector
    >>> from skl_lstmae.datasets import load_japanese_vowels
    >>> vowels = load_japanese_vowels(anomalous_speaker=6)
    >>> detector = LSTMAutoencoderDetector(random_state=0).fit(vowels.X_train)
    >>> detector.predict(vowels.X_test[:3]), detector.predict(vowels.X_test[-3:])
    (array([1, 1, 1]), array([-1, -1, -1]))
    >>> detector.transform(vowels.X_test).shape
    (400, 32)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left"), list, tuple],
        "latent_size": [Interval(Integral, 1, None, closed="left")],
        "bottleneck": [StrOptions({"last", "mean", "max", "sequence"})],
        "decoder": [StrOptions({"repeat", "autoregressive"})],
        "teacher_forcing": [Interval(Real, 0, 1, closed="both")],
        "bidirectional": [StrOptions({"encoder", "both"}), Options(bool, {False})],
        "skip_connection": ["boolean"],
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
        "scorer": [StrOptions(set(SCORERS)), callable],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "false_alarm_rate": [Interval(Real, 0, 0.5, closed="right")],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        hidden_size: int | list[int] | tuple[int, ...] = 64,
        latent_size: int = 32,
        *,
        bottleneck: str = "mean",
        decoder: str = "repeat",
        teacher_forcing: float = 0.5,
        bidirectional: str | bool = False,
        skip_connection: bool = False,
        dropout: float = 0.0,
        noise: float = 0.8,
        output_activation: str | None = None,
        scaler: Any = "standard",
        loss: str = "squared_error",
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-4,
        batch_size: int = 64,
        max_epochs: int = 200,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        clip_norm: float | None = 1.0,
        scorer: str | Callable[..., Any] = "neighbors",
        contamination: str | float = "auto",
        false_alarm_rate: float = 0.01,
        device: str | torch.device = "auto",
        random_state: int | RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_size = hidden_size
        self.latent_size = latent_size
        self.bottleneck = bottleneck
        self.decoder = decoder
        self.teacher_forcing = teacher_forcing
        self.bidirectional = bidirectional
        self.skip_connection = skip_connection
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
        self.scorer = scorer
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "LSTMAutoencoderDetector":
        """Learn what normal sequences look like.

        Parameters
        ----------
        X : sequences
            At least five sequences, in any of the forms above.

        y : Ignored
            Present for API consistency by convention.

        Returns
        -------
        self : LSTMAutoencoderDetector
            The fitted detector. A fit that fails leaves it as it was.
        """
        self._check_parameters()
        with all_or_nothing(self):
            sequences, _ = check_sequences(self, X, min_sequences=MIN_SEQUENCES)
            return self._fit(sequences)

    def recalibrate(
        self,
        *,
        contamination: str | float | None = None,
        false_alarm_rate: float | None = None,
    ) -> "LSTMAutoencoderDetector":
        """Change the rule behind ``offset_`` without running the network again.

        Parameters
        ----------
        contamination : "auto" or float, default=None
            The parameter's new value; None leaves it.

        false_alarm_rate : float, default=None
            The parameter's new value; None leaves it.

        Returns
        -------
        self : LSTMAutoencoderDetector
            The detector with the new parameters and ``offset_``.
        """
        check_is_fitted(self)
        changed = {"contamination": contamination, "false_alarm_rate": false_alarm_rate}
        changed = {name: value for name, value in changed.items() if value is not None}
        with all_or_nothing(self):
            self.set_params(**changed)._validate_params()
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

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Encode each sequence as one latent vector.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        Z : ndarray of shape (n_sequences, latent_size), float32
            The latents; with ``bottleneck="sequence"`` their mean over each sequence's steps.
        """
        sequences, _ = self._read(X)
        return self._inference.latents(sequences)

    def inverse_transform(self, Z: Any, lengths: Any) -> list[NDArray[np.float64]]:
        """Decode latent vectors into sequences.

        An autoregressive decoder, and a skip connection, feed on the decoded past.

        Parameters
        ----------
        Z : array-like of shape (n_sequences, latent_size)
            Latents as ``transform`` returns them.

        lengths : int or array-like of shape (n_sequences,)
            Numbers of time steps to decode.

        Returns
        -------
        X : list of ndarray of shape (n_timesteps, n_features), float64
            The sequences in the units of the training data.
        """
        check_is_fitted(self)
        if self.module_.bottleneck.kind == "sequence":
            raise ValueError(
                "inverse_transform needs one latent vector a sequence, but bottleneck='sequence' "
                "keeps one a time step, of which transform returns the mean; use reconstruct, or "
                "another bottleneck."
            )
        Z = check_array(Z, dtype=np.float32, input_name="Z")
        if Z.shape[1] != self.module_.latent_size:
            raise ValueError(
                f"Z has {Z.shape[1]} features, but the latents of this {type(self).__name__} have "
                f"{self.module_.latent_size}."
            )
        counts = np.asarray(lengths)
        if counts.dtype.kind not in "iu" or counts.shape not in ((), (len(Z),)) or counts.min() < 1:
            raise ValueError(
                f"lengths must be one positive int, or {len(Z)} of them, one a row of Z; "
                f"got {lengths!r}."
            )
        return self._inference.decode(Z, np.broadcast_to(counts, len(Z)).astype(np.int64))

    def reconstruct(self, X: Any) -> Any:
        """Pass sequences through the network.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        X_reconstructed : same form as X
            What the network makes of X, in the units of X: a list for a list, an array with NaN for
            padding for an array, a DataFrame with the same index for a DataFrame. Missing values
            are reconstructed too.
        """
        sequences, restore = self._read(X)
        return restore(self._inference.predictions(sequences))

    @validate_params(
        {"per": [StrOptions({"sequence", "timestep", "feature"})]},
        prefer_skip_nested_validation=True,
    )
    def reconstruction_error(self, X: Any, per: str = "sequence") -> Any:
        """Return how badly sequences are reconstructed, as a whole or by time step or feature.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        per : {"sequence", "timestep", "feature"}, default="sequence"
            The error of a sequence is the mean of ``loss`` over its observed cells, in scaled
            units. "timestep" and "feature" split that number into shares that add up to it; missing
            values have none.

        Returns
        -------
        errors : ndarray of float64, or the form of X
            Never negative. "sequence": shape (n_sequences,). "feature": shape (n_sequences,
            n_features). "timestep": a list of arrays of shape (n_timesteps,) for a list, an array
            (n_sequences, n_timesteps) with NaN for padding for an array, a Series for a panel.
        """
        sequences, restore = self._read(X)
        if per == "timestep":
            return restore(self._inference.timestep_shares(sequences))
        view = Residuals.mean_error if per == "sequence" else Residuals.feature_shares
        return self._inference.summaries(sequences, view)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the explained variance of the reconstruction.

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
            reconstruction explains: 1 is perfect, 0 as good as the mean. Missing values are left
            out.
        """
        sequences, _ = self._read(X)
        actual = sequences.values[sequences.rows()]
        reconstructed = self._inference.predictions(sequences)
        observed = ~np.isnan(actual)
        return float(
            np.mean(
                [
                    explained_variance_score(actual[seen, j], reconstructed[seen, j])
                    for j, seen in enumerate(observed.T)
                    if seen.any()
                ]
            )
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []  # the network computes in float32
        return tags

    @property
    def scaler_(self) -> Any:
        """The fitted scaler."""
        return self._scaling.transformer

    @property
    def _n_features_out(self) -> int:
        return self.module_.latent_size

    def _check_parameters(self) -> None:
        """Refuse what the declared constraints, which see one parameter at a time, let through."""
        widths = np.atleast_1d(np.array(self.hidden_size, dtype=object))
        if not len(widths) or not all(isinstance(n, int | np.integer) and n >= 1 for n in widths):
            raise ValueError(
                f"The 'hidden_size' parameter of {type(self).__name__} must be a positive int or a "
                f"non-empty list of them. Got {self.hidden_size!r} instead."
            )
        if self.decoder == "autoregressive" and self.bidirectional == "both":
            raise ValueError(
                "decoder='autoregressive' only runs forward in time; use "
                "bidirectional='encoder', or decoder='repeat'."
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

    def _fit(self, sequences: Sequences) -> "LSTMAutoencoderDetector":
        random_state = check_random_state(self.random_state)
        self.device_ = resolve_device(self.device)
        self._loss = self.loss
        training, held_out = self._split(len(sequences), random_state)
        self._scaling = fit_scaling(self.scaler, sequences.take(training))
        self._check_output_range(self._scaling)
        self.module_ = self._build_module(sequences.n_features, random_state).to(self.device_)
        history = self._train(sequences.take(training), sequences.take(held_out), random_state)
        self.n_epochs_ = history.n_epochs
        self.loss_curve_ = history.loss_curve
        self.validation_loss_curve_ = history.validation_loss_curve
        self._learn_scores(sequences, training, held_out)
        return self

    def _split(
        self, n_sequences: int, random_state: RandomState
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Hold out whole sequences if anything is to be judged by them."""
        n_held_out = 0
        if self.early_stopping or self.contamination == "auto":
            n_wanted = max(3, round(self.validation_fraction * n_sequences))
            n_held_out = min(n_wanted, n_sequences - 2)
        held_out, training = np.split(random_state.permutation(n_sequences), [n_held_out])
        return training, held_out

    def _build_module(self, n_features: int, random_state: RandomState) -> LSTMAutoencoder:
        # A module made on the meta device draws no weights from torch's global generator.
        with torch.device("meta"):
            module = LSTMAutoencoder(
                n_features,
                [int(width) for width in np.atleast_1d(self.hidden_size)],
                int(self.latent_size),
                bottleneck=self.bottleneck,
                decoder=self.decoder,
                teacher_forcing=self.teacher_forcing,
                bidirectional=self.bidirectional,
                skip_connection=self.skip_connection,
                dropout=self.dropout,
                noise=self.noise,
                output_activation=self.output_activation,
            )
        module.to_empty(device="cpu").reset_parameters(make_generator(random_state, "cpu"))
        return module

    def _train(
        self, training: Sequences, held_out: Sequences, random_state: RandomState
    ) -> History:
        trainer = Trainer(
            loss=LOSSES[self.loss],
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            max_epochs=self.max_epochs,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            verbose=self.verbose,
            generator=make_generator(random_state, self.device_),
        )
        builder = self._batch_builder
        return trainer.train(
            self.module_,
            lambda: builder.training_batches(training, self.batch_size, random_state),
            (lambda: builder.scoring_batches(held_out)) if self.early_stopping else None,
        )

    def _learn_scores(
        self, sequences: Sequences, training: NDArray[np.intp], held_out: NDArray[np.intp]
    ) -> None:
        self._scorer = make_scorer(self.scorer)
        summaries = self._summarize(sequences)
        self._scorer.fit(summaries[training])
        self._held_out_scores = None
        if len(held_out):
            held_out_scores = self._scorer.calibrate(summaries[held_out])
            self._held_out_scores = ReferenceScores.of(held_out_scores)
        self._training_scores = ReferenceScores.of(self._scorer.score(summaries))
        self.offset_ = self._offset()

    def _offset(self) -> float:
        if not isinstance(self.contamination, str):
            return self._training_scores.contamination_offset(self.contamination)
        if self._held_out_scores is None:
            raise ValueError(
                "contamination='auto' needs sequences held out of training, but this detector was "
                "fitted without; fit it again with contamination='auto'."
            )
        return self._held_out_scores.false_alarm_offset(self.false_alarm_rate)

    @property
    def _inference(self) -> Inference:
        return Inference(self.module_, self._batch_builder, LOSSES[self._loss])

    @property
    def _batch_builder(self) -> BatchBuilder:
        return BatchBuilder(self._scaling, self.module_.width, self.device_)

    def _score_samples(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._scorer.score(self._summarize(sequences))

    def _summarize(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._inference.summaries(sequences, self._scorer.summarize)


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


def make_generator(random_state: RandomState, device: str | torch.device) -> torch.Generator:
    """Return a torch generator seeded from a numpy one."""
    return torch.Generator(device).manual_seed(int(random_state.randint(2**31 - 1)))


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the torch device that ``device`` names; "auto" is CUDA, else MPS, else the CPU."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device={str(device)!r} cannot be used here: {error}") from error
    return device
