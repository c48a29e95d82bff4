"""The LSTM autoencoder as a scikit-learn outlier detector and transformer of sequences."""

from collections.abc import Callable
from copy import copy
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import (
    Interval,
    Options,
    StrOptions,
    validate_params,
)
from skl_lstmae.detectors.base import VIEWS_OF_ERRORS, SequenceDetector
from skl_lstmae.detectors.latents import LatentTransformerMixin
from skl_lstmae.detectors.options import (
    Activation,
    Bottleneck,
    Decoder,
    Directions,
    EmptyFeatures,
    LossName,
    Precision,
    ScorerName,
    View,
)
from skl_lstmae.modules import LSTMAutoencoder, SequenceNetwork
from skl_lstmae.scoring import Scorer
from skl_lstmae.training.blueprint import Blueprint
from skl_lstmae.training.objectives import Loss


def _decodes(detector: "LSTMAutoencoderDetector") -> bool:
    network = detector.module_ if detector.__sklearn_is_fitted__() else None
    if network is not None and type(network).decode is SequenceNetwork.decode:
        raise AttributeError(
            "inverse_transform needs a network that decodes; define decode of the "
            f"{type(network).__name__}."
        )
    config = getattr(network, "config", None) or {}
    if config.get("bottleneck", detector.bottleneck) == "sequence":
        raise AttributeError(
            "inverse_transform needs one latent vector a sequence, but bottleneck='sequence' "
            "keeps one a time step, of which transform returns the mean; use reconstruct, or "
            "another bottleneck."
        )
    return True


class LSTMAutoencoderDetector(LatentTransformerMixin, SequenceDetector):
    """Find anomalous sequences with an LSTM autoencoder.

    The network learns to reconstruct the training sequences from a narrow latent. A new sequence is
    anomalous if its latent or its reconstruction errors are unlike those of the training sequences.

    In all methods `X` may be

    - a list, tuple or object array of sequences `(n_timesteps, n_features)` of any length: arrays,
      tensors or DataFrames. A 1-D sequence has a single feature. Times in an index must increase;
    - an array, memory map or tensor `(n_sequences, n_timesteps, n_features)`, where trailing steps
      that are all NaN are padding;
    - an array or DataFrame `(n_sequences, n_timesteps)`, where each row is a sequence of one
      feature;
    - an array `(n_sequences, n_timesteps, n_variables, n_features)`, which is flattened to
      `n_variables * n_features` features;
    - a DataFrame in long format, indexed by (sequence id, time).

    Any other NaN is a missing value, which counts neither in the loss nor in a score. In its place
    the network reads the last observed value of the feature.

    Parameters
    ----------
    hidden_size : int or sequence of int, default=64
        Width of each LSTM layer of the encoder, first to last. The decoder mirrors them.

    latent_size : int, default=32
        Number of features of the latent.

    bottleneck : {"mean", "max", "last", "sequence"}, default="mean"
        How the encoder's outputs become the latent: by their mean, their maximum, or the last of
        them. "sequence" keeps one latent per time step, and passes the encoder's final state to the
        decoder.

    decoder : {"repeat", "autoregressive"}, default="repeat"
        What the decoder reads at each step: the latent ("repeat"), or the latent and the step
        before it ("autoregressive").

    teacher_forcing : float, default=0.5
        Probability that an autoregressive decoder reads the true previous steps of a training batch
        instead of its own predictions. When it scores, it always reads its own.

    bidirectional : {False, "encoder", "both"}, default=False
        Which LSTMs read the sequence in both directions. "both" needs `decoder="repeat"`.

    skip_connection : bool, default=False
        Whether to add to each prediction a linear map of the previous step, which bypasses the
        bottleneck.

    dropout : float, default=0.0
        Probability that an output between stacked layers is set to zero during training.

    noise : float, default=0.8
        Standard deviation, in scaled units, of the Gaussian noise that is added to the training
        sequences. The network has to return them without it. Choose less noise if the scaled data
        have less than unit variance, as with `scaler="minmax"` or None.

    output_activation : {"sigmoid", "tanh", "relu"}, default=None
        Function that bounds the reconstruction, in scaled units. None leaves it unbounded.

    network : SequenceNetwork, or function that makes one, default=None
        A network of your own in place of the LSTMs: a function that takes the number of features
        and returns a new network, or a trained network. A copy of a trained network is trained
        further, or kept as it is with `max_epochs=0`. The parameters above then have no effect, and
        a warning names those that are set. See :class:`skl_lstmae.modules.SequenceNetwork`.

    n_networks : int, default=1
        Number of networks to train side by side, each from initial weights of its own. Their
        predictions are averaged, and scores compare sequences by the latents of all. A fit takes
        about as many times the time. After long fits scores then depend less on the random state.

    scaler : {"standard", "minmax", "robust"}, transformer or None, default="standard"
        How the features are scaled, by statistics of the training sequences: to zero mean and unit
        variance ("standard"), to [0, 1] ("minmax"), or to zero median and unit interquartile range
        ("robust"). An unfitted scikit-learn transformer must treat each row by itself, keep the
        number of features and have an inverse. None leaves X as it is.

    empty_features : {"leave_out", "refuse"}, default="leave_out"
        What to do with features that have no observed value in training. "leave_out" ignores them,
        then and later on, and a warning names them. "refuse" raises an error.

    loss : {"squared_error", "absolute_error", "huber", "binary_cross_entropy"} or callable, \
            default="squared_error"
        Loss of each observed value, in scaled units. "huber" is linear beyond 1.
        "binary_cross_entropy" needs `output_activation="sigmoid"`; the entropy of the target is
        subtracted, so that 0 is perfect. A callable takes predictions and targets, two tensors of
        the same shape, and returns the loss of each value, which must not be negative.

    learning_rate : float, default=0.02
        Peak step size of the optimizer: Muon for matrices [2]_, AdamW for all other weights. The
        step size rises during the first quarter of the training, then falls to zero [3]_. With
        `early_stopping` it is constant.

    weight_decay : float, default=0.0001
        Weight decay, decoupled from the gradient.

    batch_size : int or "auto", default="auto"
        Number of sequences in a batch. "auto" is 16. With `max_epochs="auto"` and without
        `early_stopping`, few sequences make eight batches, of at least 8, and on a GPU batches are
        as large as leaves about 64 update steps, at most 1024.

    max_epochs : int or "auto", default="auto"
        Number of passes over the training sequences. "auto" makes as many as show the
        network about 1000 sequences, in about 64 update steps of 16, at most 15; of 700 sequences
        or more it is one. If the widest layer has 32 units, sequences and the most passes are
        doubled; with 16 or fewer they are fourfold. With `early_stopping` it means at most 200. 0
        keeps a trained `network` as it is.

    early_stopping : bool, default=False
        Whether to end training once the loss of held-out sequences stops falling, and to keep the
        weights of the best epoch. If False, training ends after `max_epochs`, and the last weights
        are kept. Either way the weights are averages over the latest steps [4]_.

    validation_fraction : float, default=0.1
        Share of the sequences, at least three, that is held out of training with `early_stopping`
        or `contamination="auto"`. They show how much better a sequence scores when the network has
        learned from it.

    n_iter_no_change : int, default=10
        Number of epochs in a row without an improvement of `tol` after which training ends, with
        `early_stopping`.

    tol : float, default=0.0001
        Smallest decrease of the held-out loss that counts as an improvement, with `early_stopping`.

    clip_norm : float or None, default=1.0
        Upper bound on the norm of the gradient. None sets no bound.

    warm_start : bool, default=False
        Whether `fit` starts from the weights of the previous fit, and appends to its loss curves.
        Scaling, scores and threshold are learned anew from X. With the same X and an int
        `random_state`, the same sequences are held out as before.

    checkpoint : str, path-like or None, default=None
        File that is written after each epoch. If the process ends early, the same call of `fit`,
        with the same data and parameters and an int `random_state`, resumes from it and ends as if
        it had never stopped. The file is deleted at the end of the fit. Each fit needs a file of
        its own, so leave this out in searches.

    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Number format of the training steps. "bfloat16" is refused if torch cannot train LSTMs
        with it. "auto" uses it where it is faster: on CPUs with instructions for it, with at least
        32 hidden units. Weights and scores are float32 either way. See :doc:`/speed`.

    distributed : "auto" or False, default="auto"
        Whether `fit` shares its work with the other processes that torchrun, or torch.distributed,
        started with this one. Each calls it with the same X, and ends with the same detector. See
        :doc:`/many_processes`.

    scorer : {"joint", "neighbors", "mahalanobis", "error", "error_max"}, Scorer or callable, \
            default="joint"
        How errors and latents become a score. "joint" uses five distances from the training
        sequences, "neighbors" the distance from the nearest three, "mahalanobis" the distance from
        their mean, "error" the mean error, and "error_max" the error of the worst step. A function,
        or a :class:`~skl_lstmae.scoring.Scorer`, is a score of your own: see the Notes.

    contamination : "auto" or float, default="auto"
        How the threshold ``offset_`` is set. "auto" assumes that the training data are normal, and
        aims at `false_alarm_rate` on fresh normal sequences. A float in (0, 0.5] is the share of
        anomalies in the training data, as in :class:`~sklearn.ensemble.IsolationForest`.

    false_alarm_rate : float, default=0.01
        Share of fresh normal sequences to flag, if `contamination="auto"`. The threshold rests on
        the scores of all training sequences, each judged by the others as if it were fresh. It is
        extrapolated if there are fewer than `1 / false_alarm_rate - 1` of them.

    device : str or torch.device, default="auto"
        Where the network runs. "auto" is CUDA if it is available, else MPS, else the CPU.

    random_state : int, RandomState instance or None, default=None
        Seeds the choice of held-out sequences, the initial weights, the order of batches, noise,
        dropout and teacher forcing. With an int, two fits on a CPU with the same number of threads
        give the same weights, bit for bit. The global random states of numpy and torch are left
        alone.

    verbose : int, default=0
        Whether to print the loss of each epoch.

    Attributes
    ----------
    module_ : skl_lstmae.modules.SequenceNetwork
        The trained network, an LSTMAutoencoder unless `network` is another.

    scaler_ : transformer
        The fitted scaler.

    offset_ : float
        The threshold: sequences with lower scores are anomalous.

    n_features_in_ : int
        Number of features of X; for a 2-D X its number of columns, which are time steps.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X came in DataFrames with string column names.

    n_epochs_ : int
        Number of epochs run, including those before a warm start and those of `partial_fit`.

    loss_curve_ : list of float
        Training loss of each epoch.

    validation_loss_curve_ : list of float
        Loss of the held-out sequences after each epoch, with `early_stopping`; the weights of the
        epoch with the lowest loss are kept. NaN for epochs without held-out sequences, such as
        those of `partial_fit`; empty if all epochs are without.

    device_ : torch.device
        Where the network runs.

    See Also
    --------
    skl_lstmae.modules.LSTMAutoencoder : The network alone.
    sklearn.ensemble.IsolationForest : Anomalies among rows of features.

    Notes
    -----
    :doc:`/scores` has the formula of each `scorer`. A function is called with `errors`, a list of
    `(n_timesteps, n_features)` arrays that hold the loss of each value (NaN where X is missing),
    and `latents`, `(n_sequences, latent_size)`, and returns `(n_sequences,)` scores. It is called
    batch by batch, so it must judge each sequence by itself.

    References
    ----------
    .. [1] P. Malhotra, A. Ramakrishnan, G. Anand, L. Vig, P. Agarwal, G. Shroff, "LSTM-based
       encoder-decoder for multi-sensor anomaly detection", ICML 2016 Anomaly Detection Workshop,
       :doi:`10.48550/arXiv.1607.00148`.
    .. [2] K. Jordan, Y. Jin, V. Boza, J. You, F. Cesista, L. Newhouse, J. Bernstein, "Muon: an
       optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon/.
    .. [3] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", 2018, :doi:`10.48550/arXiv.1708.07120`.
    .. [4] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization:
       convergence results and optimal averaging schemes", ICML 2013,
       :doi:`10.48550/arXiv.1212.1824`.

    Examples
    --------
    >>> from skl_lstmae import LSTMAutoencoderDetector
    >>> from skl_lstmae.datasets import load_japanese_vowels
    >>> vowels = load_japanese_vowels(anomalous_speaker=6)
    >>> detector = LSTMAutoencoderDetector(random_state=0).fit(vowels.X_train)
    >>> detector.predict(vowels.X_test[:3])
    array([1, 1, 1])
    >>> most_anomalous = detector.score_samples(vowels.X_test).argsort()[:3]
    >>> vowels.y_test[most_anomalous]
    array([-1, -1, -1])
    >>> detector.transform(vowels.X_test).shape
    (400, 32)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **SequenceDetector._parameter_constraints,
        "latent_size": [Interval(Integral, 1, None, closed="left")],
        "bottleneck": [StrOptions({"last", "mean", "max", "sequence"})],
        "decoder": [StrOptions({"repeat", "autoregressive"})],
        "teacher_forcing": [Interval(Real, 0, 1, closed="both")],
        "bidirectional": [StrOptions({"encoder", "both"}), Options(bool, {False})],
        "skip_connection": ["boolean"],
    }

    def __init__(
        self,
        hidden_size: int | list[int] | tuple[int, ...] = 64,
        latent_size: int = 32,
        *,
        bottleneck: Bottleneck = "mean",
        decoder: Decoder = "repeat",
        teacher_forcing: float = 0.5,
        bidirectional: Directions = False,
        skip_connection: bool = False,
        dropout: float = 0.0,
        noise: float = 0.8,
        output_activation: Activation | None = None,
        network: SequenceNetwork | Callable[[int], SequenceNetwork] | None = None,
        n_networks: int = 1,
        scaler: Any = "standard",
        empty_features: EmptyFeatures = "leave_out",
        loss: LossName | Loss = "squared_error",
        learning_rate: float = 0.02,
        weight_decay: float = 1e-4,
        batch_size: int | Literal["auto"] = "auto",
        max_epochs: int | Literal["auto"] = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        clip_norm: float | None = 1.0,
        warm_start: bool = False,
        checkpoint: str | PathLike[str] | None = None,
        precision: Precision = "float32",
        distributed: Literal["auto", False] = "auto",
        scorer: ScorerName | Scorer | Callable[..., Any] = "joint",
        contamination: float | Literal["auto"] = "auto",
        false_alarm_rate: float = 0.01,
        device: str | torch.device = "auto",
        random_state: int | RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            hidden_size=hidden_size,
            dropout=dropout,
            noise=noise,
            output_activation=output_activation,
            network=network,
            n_networks=n_networks,
            scaler=scaler,
            empty_features=empty_features,
            loss=loss,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            batch_size=batch_size,
            max_epochs=max_epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            clip_norm=clip_norm,
            warm_start=warm_start,
            checkpoint=checkpoint,
            precision=precision,
            distributed=distributed,
            scorer=scorer,
            contamination=contamination,
            false_alarm_rate=false_alarm_rate,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.latent_size = latent_size
        self.bottleneck = bottleneck
        self.decoder = decoder
        self.teacher_forcing = teacher_forcing
        self.bidirectional = bidirectional
        self.skip_connection = skip_connection

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> NDArray[np.float32]:
        """Learn what normal sequences look like, and encode each as one latent vector.

        Parameters
        ----------
        X : sequences
            At least five sequences, in any of the forms above.

        y : Ignored
            Present for API consistency by convention.

        **fit_params : dict
            Passed to ``fit``.

        Returns
        -------
        Z : ndarray of shape (n_sequences, latent_size), float32
            As ``transform`` returns them.
        """
        # Here y is for the next step of a pipeline, a classifier whose classes may be 0 and 1.
        return super().fit_transform(X, **fit_params)

    @available_if(_decodes)
    def inverse_transform(self, X: Any, lengths: Any = None) -> list[NDArray[np.float64]]:
        """Decode latent vectors into sequences.

        An autoregressive decoder, or a skip connection, reads the steps decoded before. With
        ``bottleneck="sequence"`` there is no such method, as the mean of the latents does not tell
        one step from another.

        Parameters
        ----------
        X : array-like of shape (n_sequences, latent_size)
            Latents as ``transform`` returns them.

        lengths : int or array-like of shape (n_sequences,), default=None
            Number of time steps to decode, for all or for each. None means as many as the training
            sequences had, if they were all of one length.

        Returns
        -------
        X : list of ndarray of shape (n_timesteps, n_features), float64
            The sequences in the units of the training data.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0).fit(X)
        >>> Z = detector.transform(X)
        >>> between = (Z[:1] + Z[1:2]) / 2
        >>> [x.shape for x in detector.inverse_transform(between)]
        [(30, 1)]
        >>> [x.shape for x in detector.inverse_transform(Z[:2], lengths=[30, 50])]
        [(30, 1), (50, 1)]
        """
        check_is_fitted(self)
        fitted = copy(self)  # by one state, whatever other threads do meanwhile
        model = fitted._judge.model
        X = check_array(X, dtype=np.float32, input_name="X")
        if X.shape[1] != model.network.latent_size:
            raise ValueError(
                f"X has {X.shape[1]} features, but the latents of this {type(self).__name__} have "
                f"{model.network.latent_size}."
            )
        if lengths is None and fitted._n_timesteps is None:
            raise ValueError(
                "inverse_transform must be told the lengths to decode, since the training "
                "sequences were of several; pass lengths=."
            )
        counts = np.asarray(fitted._n_timesteps if lengths is None else lengths)
        if counts.dtype.kind not in "iu" or counts.shape not in ((), (len(X),)) or counts.min() < 1:
            raise ValueError(
                f"lengths must be one positive int, or {len(X)} of them, one a row of X; "
                f"got {lengths!r}."
            )
        return model.decode(X, np.broadcast_to(counts, len(X)).astype(np.int64))

    def reconstruct(self, X: Any) -> Any:
        """Pass sequences through the network.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        X_reconstructed : same form as X
            The reconstruction, in the units of X: a list for a list, an array with NaN for padding
            for an array, a DataFrame with the same index for a DataFrame. Missing values are
            reconstructed too.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0).fit(X)
        >>> gappy = X[:1].copy()
        >>> gappy[0, 10:13] = np.nan
        >>> reconstruction = detector.reconstruct(gappy)
        >>> reconstruction.shape, bool(np.isfinite(reconstruction).all())
        ((1, 30), True)
        """
        return self._predicted_steps(X)

    @validate_params(VIEWS_OF_ERRORS, prefer_skip_nested_validation=True)
    def reconstruction_error(self, X: Any, per: View = "sequence") -> Any:
        """Return how badly sequences are reconstructed: as a whole, by time step, or by feature.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        per : {"sequence", "timestep", "feature"}, default="sequence"
            What each error is of. That of a sequence is the mean of ``loss`` over its observed
            values, in scaled units. "timestep" and "feature" split it into shares that add up to
            it. Missing values have no share.

        Returns
        -------
        errors : ndarray of float64, or the form of X
            Never negative. "sequence": shape (n_sequences,). "feature": shape (n_sequences,
            n_features). "timestep": a list of arrays of shape (n_timesteps,) for a list, an array
            (n_sequences, n_timesteps) with NaN for padding for an array, a Series for a panel.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0).fit(X)
        >>> X_new = X[:3].copy()
        >>> X_new[1, 12] = 4.0
        >>> errors = detector.reconstruction_error(X_new)
        >>> by_step = detector.reconstruction_error(X_new, per="timestep")
        >>> int(errors.argmax()), int(by_step[1].argmax())
        (1, 12)
        >>> bool(np.allclose(by_step.sum(axis=1), errors))
        True
        """
        return self._view_errors(X, per)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.decoder == "autoregressive" and self.bidirectional == "both":
            raise ValueError(
                "decoder='autoregressive' only runs forward in time; use "
                "bidirectional='encoder', or decoder='repeat'."
            )

    def _blueprint(self, n_features: int) -> Blueprint:
        arguments = {
            "input_size": n_features,
            "hidden_size": [int(width) for width in np.atleast_1d(self.hidden_size)],
            "latent_size": int(self.latent_size),
            "bottleneck": self.bottleneck,
            "decoder": self.decoder,
            "teacher_forcing": self.teacher_forcing,
            "bidirectional": self.bidirectional,
            "skip_connection": self.skip_connection,
            "dropout": self.dropout,
            "noise": self.noise,
            "output_activation": self.output_activation,
        }
        return Blueprint(
            LSTMAutoencoder, arguments, self.network, n_features, n_networks=self.n_networks
        )
