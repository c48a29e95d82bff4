"""The LSTM forecaster as a scikit-learn outlier detector of sequences."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from os import PathLike
from typing import Any, Literal

import numpy as np
import torch
from numpy.random import RandomState

from skl_lstmae._sklearn import Interval, validate_params
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import MIN_SEQUENCES, Split
from skl_lstmae.data.windows import hold_out_ends
from skl_lstmae.detectors.base import VIEWS_OF_ERRORS, SequenceDetector
from skl_lstmae.detectors.judge import Judge
from skl_lstmae.detectors.options import (
    Activation,
    EmptyFeatures,
    LossName,
    Precision,
    ScorerName,
    View,
)
from skl_lstmae.detectors.pieces import PieceJudge, cut_for_training, draw_pieces, piece_size
from skl_lstmae.modules import LSTMForecaster, SequenceNetwork
from skl_lstmae.scoring import Scorer
from skl_lstmae.scoring.scorers import make_scorer
from skl_lstmae.training.blueprint import Blueprint
from skl_lstmae.training.model import Model
from skl_lstmae.training.objectives import Loss
from skl_lstmae.training.recipe import Recipe

MIN_STEPS_OF_SERIES = 100
"""Steps of the shortest series that can be trained on without others beside it."""

FEW_SEQUENCES = 30
"""So many sequences or more are held out whole, as enough are then held out."""

STEPS_OF_LONG_SEQUENCE = 500
"""Steps of the shortest of few sequences whose ends, rather than some of them, are held out."""

MIN_PIECES_HELD_OUT = 3
"""Pieces of a series that are held out at least."""


class LSTMForecastDetector(SequenceDetector):
    """Find anomalous sequences with an LSTM that forecasts them.

    The network learns to predict each step of the training sequences from the steps before it. A
    new sequence is anomalous if its prediction errors, or the states of the network, are unlike
    those of the training sequences.

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
    the network reads the last observed value of the feature, or the mean where there is none yet.

    Sequences may be long: the network reads them chunk by chunk, in bounded memory. On a CPU the
    results are the same, bit for bit, however they are divided. For training, sequences of more
    than 200 steps are cut into pieces of 200, at different places in each epoch.

    A single long sequence, or a few, are too few to learn scores and a threshold from. They are
    judged by pieces:

    - *When*: `fit` gets fewer than five sequences, one of which has at least 100 steps, or fewer
      than thirty that all have at least 500.
    - *Held out*: the end of each sequence that is long enough, after a gap.
    - *Scored*: pieces of a thirtieth of the longest training sequence, at least 5 and at most 50
      steps, that overlap by half. The network reads each from a fresh start, while `predict_steps`,
      `prediction_error` and `forecast` remember all that came before.
    - *The score of a sequence*: that of its worst piece, corrected for their number by a Pareto
      tail of the lowest fifth of the training scores.

    So normal sequences of all lengths are flagged at about the same rate, with two exceptions:
    sequences shorter than a piece, which are unlike any piece; and, if a few errors are far larger
    than all others, sequences much longer than the training sequences. To find *when* a long series
    went wrong, use `prediction_error`, or :class:`~skl_lstmae.SlidingWindowDetector`.

    Parameters
    ----------
    hidden_size : int or sequence of int, default=64
        Width of each LSTM layer, first to last.

    dropout : float, default=0.0
        Probability that an output between stacked layers is set to zero during training.

    noise : float, default=0.0
        Standard deviation, in scaled units, of the Gaussian noise that is added to the past during
        training. The step to predict stays as it is. A forecaster cannot copy what it has to
        predict, so it needs no noise by default.

    output_activation : {"sigmoid", "tanh", "relu"}, default=None
        Function that bounds the prediction, in scaled units. None leaves it unbounded.

    network : SequenceNetwork, or function that makes one, default=None
        A causal network of your own in place of the LSTMs: a function that takes the number of
        features and returns a new network, or a trained network. A copy of a trained network is
        trained further, or kept as it is with `max_epochs=0`. The parameters above then have no
        effect, and a warning names those set. See :class:`skl_lstmae.modules.SequenceNetwork`.

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
        Number of sequences, or pieces of them, in a batch. "auto" is 16. With `max_epochs="auto"`
        and without `early_stopping`, few sequences make eight batches, of at least 8, and on a GPU
        batches are as large as leaves about 64 update steps, at most 1024.

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
        or `contamination="auto"`. If scores are learned from pieces, it is the share of each
        sequence, at least three pieces. A single sequence too short for that is trained on whole.

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

    scorer : {"neighbors", "joint", "mahalanobis", "error", "error_max"}, Scorer or callable, \
            default="neighbors"
        How errors and latents become a score. "neighbors" uses the distance from the nearest three
        training sequences, "joint" five distances from them, "mahalanobis" the distance from their
        mean, "error" the mean error, and "error_max" the error of the worst step. A function, or a
        :class:`~skl_lstmae.scoring.Scorer`, is a score of your own: see the Notes.

    contamination : "auto" or float, default="auto"
        How the threshold ``offset_`` is set. "auto" assumes that the training data are normal, and
        aims at `false_alarm_rate` on fresh normal sequences. A float in (0, 0.5] is the share of
        anomalies in the training data, or among its pieces if scores are learned from pieces.

    false_alarm_rate : float, default=0.01
        Share of fresh normal sequences to flag, if `contamination="auto"`, as in
        :class:`LSTMAutoencoderDetector`. It is only roughly kept if scores are learned from pieces
        of one series, which depend on each other.

    device : str or torch.device, default="auto"
        Where the network runs. "auto" is CUDA if it is available, else MPS, else the CPU.

    random_state : int, RandomState instance or None, default=None
        Seeds the choice of held-out sequences, the initial weights, where long sequences are cut,
        the order of batches, noise and dropout. With an int, two fits on a CPU with the same number
        of threads give the same weights, bit for bit. The global random states of numpy and torch
        are left alone.

    verbose : int, default=0
        Whether to print the loss of each epoch.

    Attributes
    ----------
    module_ : skl_lstmae.modules.SequenceNetwork
        The trained network, an LSTMForecaster unless `network` is another.

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
    skl_lstmae.modules.LSTMForecaster : The network alone.
    LSTMAutoencoderDetector : Judges a sequence as a whole, with an autoencoder.

    Notes
    -----
    :doc:`/scores` has the formula of each `scorer`. A function is called with `errors`, a list of
    `(n_timesteps, n_features)` arrays that hold the loss of each value (NaN where X is missing),
    and `latents`, `(n_sequences, hidden_size)`, and returns `(n_sequences,)` scores. It is called
    batch by batch, so it must judge each sequence by itself.

    References
    ----------
    .. [1] P. Malhotra, L. Vig, G. Shroff, P. Agarwal, "Long short term memory networks for anomaly
       detection in time series", ESANN 2015.
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
    >>> import numpy as np
    >>> from skl_lstmae import LSTMForecastDetector
    >>> series = np.sin(np.arange(2000) / 5).reshape(-1, 1)
    >>> detector = LSTMForecastDetector(hidden_size=16, random_state=0).fit([series])
    >>> new = series[:100].copy()
    >>> new[60] = 1.5
    >>> int(detector.prediction_error([new], per="timestep")[0].argmax())
    60
    >>> detector.forecast([series[:100]], n_steps=3)[0].shape
    (3, 1)
    """

    _min_sequences = 1

    _parameter_constraints: dict[str, list[Any]] = {**SequenceDetector._parameter_constraints}

    def __init__(
        self,
        hidden_size: int | list[int] | tuple[int, ...] = 64,
        *,
        dropout: float = 0.0,
        noise: float = 0.0,
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
        scorer: ScorerName | Scorer | Callable[..., Any] = "neighbors",
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

    @validate_params(
        {"n_steps": [Interval(Integral, 1, None, closed="left")]},
        prefer_skip_nested_validation=True,
    )
    def forecast(self, X: Any, n_steps: int = 1) -> Any:
        """Continue sequences beyond their ends, step by step, each from those before it.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        n_steps : int, default=1
            Number of steps to forecast. From the second on, the network reads its own predictions.

        Returns
        -------
        X_next : same form as X
            The steps after the last real one of each sequence, in the units of X: for a list, a
            list of arrays (n_steps, n_features); for an array, one with `n_steps` time steps. In
            pandas objects the time steps of the forecast are numbered from 1 to `n_steps`.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMForecastDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMForecastDetector(hidden_size=16, random_state=0).fit(X)
        >>> X_next = detector.forecast(X, n_steps=5)
        >>> X_next.shape
        (40, 5)
        >>> later = np.sin(phases + np.arange(30, 35) / 3)
        >>> bool(np.abs(X_next - later).mean() < 0.2)
        True
        """
        judge, sequences, form = self._read(X)
        return form.following(judge.model.forecasts(sequences, n_steps))

    def predict_steps(self, X: Any) -> Any:
        """Predict each step of sequences from the steps before it.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        X_predicted : same form as X
            The predictions, in the units of X: a list for a list, an array with NaN for padding for
            an array, a DataFrame with the same index for a DataFrame. Missing values are predicted
            too, and so are first steps, which nothing precedes.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMForecastDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMForecastDetector(hidden_size=16, random_state=0).fit(X)
        >>> expected = detector.predict_steps(X)
        >>> expected.shape
        (40, 30)
        >>> bool(np.abs(expected - X)[:, 5:].mean() < 0.1)
        True
        """
        return self._predicted_steps(X)

    @validate_params(VIEWS_OF_ERRORS, prefer_skip_nested_validation=True)
    def prediction_error(self, X: Any, per: View = "sequence") -> Any:
        """Return how badly sequences are predicted: as a whole, by time step, or by feature.

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
        >>> from skl_lstmae import LSTMForecastDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMForecastDetector(hidden_size=16, random_state=0).fit(X)
        >>> X_new = X[:3].copy()
        >>> X_new[1, 12] = 4.0
        >>> errors = detector.prediction_error(X_new)
        >>> by_step = detector.prediction_error(X_new, per="timestep")
        >>> int(errors.argmax()), int(by_step[1].argmax())
        (1, 12)
        """
        return self._view_errors(X, per)

    def _blueprint(self, n_features: int) -> Blueprint:
        arguments = {
            "input_size": n_features,
            "hidden_size": [int(width) for width in np.atleast_1d(self.hidden_size)],
            "dropout": self.dropout,
            "noise": self.noise,
            "output_activation": self.output_activation,
        }
        return Blueprint(
            LSTMForecaster,
            arguments,
            self.network,
            n_features,
            n_networks=self.n_networks,
            is_causal=True,
        )

    def _recipe(self) -> Recipe:
        return replace(super()._recipe(), cut=cut_for_training)

    def _split(self, sequences: Sequences, random_state: RandomState) -> Split:
        """Hold out whole sequences or, of very few or of a few that are long, their ends."""
        shortest, longest = int(sequences.lengths.min()), int(sequences.lengths.max())
        are_few_and_long = len(sequences) < FEW_SEQUENCES and shortest >= STEPS_OF_LONG_SEQUENCE
        if len(sequences) >= MIN_SEQUENCES and not are_few_and_long:
            return super()._split(sequences, random_state)
        if longest < MIN_STEPS_OF_SERIES:
            raise ValueError(
                f"Found n_samples={len(sequences)} sequence(s) in X, the longest of {longest} time "
                f"steps; {type(self).__name__} needs at least {MIN_SEQUENCES}, or one of at least "
                f"{MIN_STEPS_OF_SERIES} time steps."
            )
        size = piece_size(longest)
        training, held_out = sequences, sequences.take([])
        if self._holds_out:
            training, held_out = hold_out_ends(
                sequences, MIN_PIECES_HELD_OUT * size, self.validation_fraction
            )
        references = draw_pieces(training, size, random_state)
        if len(references) < 2:
            raise ValueError(
                f"Almost all values of X are missing: of its pieces of {size} time steps to train "
                f"on, {len(references)} holds an observed one; expected at least 2."
            )
        order = random_state.permutation(len(references))
        return Split(
            training,
            draw_pieces(held_out, size, random_state),
            references=references.take(order),
            piece_size=size,
        )

    def _make_judge(self, model: Model, split: Split) -> Judge:
        if split.piece_size is None:
            return super()._make_judge(model, split)
        return PieceJudge(model, make_scorer(self.scorer), piece_size=split.piece_size)
