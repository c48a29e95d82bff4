"""The LSTM regressor of sequences."""

from collections.abc import Callable
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from skl_lstmae._sklearn import Interval, StrOptions, fit_context, validate_params
from skl_lstmae.data.forms import Form
from skl_lstmae.data.numeric_targets import (
    Numbers,
    NumericTarget,
    read_numbers,
    refuse_unobserved,
)
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.targets import refuse_another_order
from skl_lstmae.data.weights import check_weights
from skl_lstmae.detectors.options import EmptyFeatures, Pooling, Precision, TargetLoss
from skl_lstmae.detectors.predictor import EXPLAINED, SequencePredictor, attribute
from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.training.objectives import Loss, Pinball, check_loss, find_loss


class LSTMRegressor(RegressorMixin, SequencePredictor):
    """Predict numbers from sequences with an LSTM.

    The network turns a sequence of any length into one latent vector, and that vector into the
    numbers. If `y` has a target for each step, it predicts one for each step. It learns nothing
    from padding.

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

    Any other NaN is a missing value. In its place the network reads the last observed value of the
    feature.

    `y` may be

    - an array `(n_sequences,)`, or `(n_sequences, n_outputs)` for several numbers each;
    - a target for each step: a list of arrays `(n_timesteps,)` or `(n_timesteps, n_outputs)`, an
      array `(n_sequences, n_timesteps, n_outputs)`, or a Series or DataFrame indexed as a panel.
      The network then predicts each step from the whole sequence or, with `bidirectional=False`,
      from the steps up to it.

    If there are several outputs or steps, NaN is a missing target, which is not learned from.

    Parameters
    ----------
    hidden_size : int or sequence of int, default=64
        Width of each LSTM layer and direction, first to last.

    latent_size : int, default=32
        Number of features of the latent, which a linear layer turns into the outputs.

    bottleneck : {"mean_max", "mean", "max", "last"}, default="mean_max"
        How the LSTM's outputs become the latent: by their mean over time, their maximum, both, or
        as the last output of each direction. It has no effect with a target for each step.

    bidirectional : bool, default=True
        Whether the LSTM reads the sequence in both directions.

    differences : bool, default=True
        Whether the LSTM also reads the difference of each step from the one before it.

    dropout : float, default=0.3
        Probability that an output between stacked layers, or a feature of the latent, is set to
        zero during training.

    noise : float, default=0.0
        Standard deviation, in scaled units, of the Gaussian noise that is added to the training
        sequences.

    network : SequenceNetwork, or function that makes one, default=None
        A network of your own in place of the LSTM: a function that takes the numbers of features
        and outputs and returns a new network, or a trained one, of which a copy is trained further,
        or kept with `max_epochs=0`. Its ``prediction`` must be the scaled targets, ``(batch,
        n_outputs)`` or ``(batch, time, n_outputs)``. The parameters above then have no effect. See
        :class:`skl_lstmae.modules.SequenceNetwork`.

    init : fitted estimator, default=None
        A fitted :class:`LSTMAutoencoderDetector`, classifier or regressor. Training starts from its
        encoder and scaling, which may have learned from many more sequences, without labels. Its
        `hidden_size`, `bidirectional` and `scaler` replace those set here. In a search, which
        clones estimators, wrap it in :class:`sklearn.frozen.FrozenEstimator`.

    scaler : {"standard", "minmax", "robust"}, transformer or None, default="standard"
        How the features are scaled, by statistics of the training sequences: to zero mean and unit
        variance ("standard"), to [0, 1] ("minmax"), or to zero median and unit interquartile range
        ("robust"). An unfitted scikit-learn transformer must treat each row by itself, keep the
        number of features and have an inverse. None leaves X as it is.

    empty_features : {"leave_out", "refuse"}, default="leave_out"
        What to do with features that have no observed value in training. "leave_out" ignores them,
        then and later on, and a warning names them. "refuse" raises an error.

    loss : {"squared_error", "absolute_error", "huber", "pinball"} or callable, \
            default="squared_error"
        Loss of each target, which is scaled to zero mean and unit variance. "huber" is linear
        beyond 1. "pinball" predicts a `quantile`. A callable takes predictions and targets, two
        tensors of the same shape, and returns the loss of each number, which must not be negative.

    quantile : float, default=0.5
        The quantile that ``loss="pinball"`` predicts.

    learning_rate : float, default=0.005
        Peak step size of the optimizer, AdamW. The step size rises during the first quarter of the
        training, then falls to zero [1]_. With `early_stopping` it is constant.

    weight_decay : float, default=0.01
        Weight decay, decoupled from the gradient.

    batch_size : int or "auto", default="auto"
        Number of sequences in a batch. "auto" is 16. With `max_epochs="auto"` and without
        `early_stopping`, few sequences make eight batches, of at least 8, and on a GPU batches are
        as large as leaves about 64 update steps, at most 1024.

    max_epochs : int or "auto", default=40
        Number of passes over the training sequences. "auto" makes as many as show the
        network about 1000 sequences, in about 64 update steps of 16, at most 15; of 700 sequences
        or more it is one. If the widest layer has 32 units, sequences and the most passes are
        doubled; with 16 or fewer they are fourfold. With `early_stopping` it means at most 200. 0
        keeps a trained `network` as it is.

    early_stopping : bool, default=False
        Whether to end training once the loss of held-out sequences stops falling, and to keep the
        weights of the best epoch. If False, the network learns from all sequences, training ends
        after `max_epochs`, and the last weights are kept. Either way the weights are averages over
        the latest steps.

    validation_fraction : float, default=0.1
        Share of the sequences that is held out with `early_stopping`, from low and high targets
        alike.

    n_iter_no_change : int, default=10
        Number of epochs in a row without an improvement of `tol` after which training ends, with
        `early_stopping`.

    tol : float, default=0.0001
        Smallest decrease of the held-out loss that counts as an improvement, with `early_stopping`.

    clip_norm : float or None, default=1.0
        Upper bound on the norm of the gradient. None sets no bound.

    warm_start : bool, default=False
        Whether `fit` starts from the weights of the previous fit, and appends to its loss curves.
        The scaling of the targets stays what it was.

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
        started with this one. Each calls it with the same X, and ends with the same regressor. See
        :doc:`/many_processes`.

    device : str or torch.device, default="auto"
        Where the network runs. "auto" is CUDA if it is available, else MPS, else the CPU.

    random_state : int, RandomState instance or None, default=None
        Seeds the choice of held-out sequences, the initial weights, the order of batches, noise and
        dropout. With an int, two fits on a CPU with the same number of threads give the same
        weights, bit for bit. The global random states of numpy and torch are left alone.

    verbose : int, default=0
        Whether to print the loss of each epoch.

    Attributes
    ----------
    module_ : skl_lstmae.modules.SequenceNetwork
        The trained network, an LSTMPredictor unless `network` is another.

    scaler_ : transformer
        The fitted scaler of the features.

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
        epoch with the lowest loss are kept. Empty without it.

    device_ : torch.device
        Where the network runs.

    See Also
    --------
    skl_lstmae.modules.LSTMPredictor : The network alone.
    LSTMClassifier : Predicts classes in place of numbers.
    LSTMForecastDetector : Predicts the next steps of the sequences themselves.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", 2018, :doi:`10.48550/arXiv.1708.07120`.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMRegressor
    >>> rng = np.random.default_rng(0)
    >>> y = rng.uniform(1, 3, size=60)
    >>> X = [np.sin(rate * np.arange(rng.integers(20, 40)) / 5) for rate in y]
    >>> regressor = LSTMRegressor(hidden_size=16, random_state=0).fit(X, y)
    >>> regressor.score(X, y) > 0.9
    True

    With a target for each step, here a running mean:

    >>> means = [np.cumsum(x) / np.arange(1, 1 + len(x)) for x in X]
    >>> regressor = LSTMRegressor(hidden_size=16, random_state=0).fit(X, means)
    >>> [len(mean) for mean in regressor.predict(X[:2])] == [len(x) for x in X[:2]]
    True
    """

    _meaning: Numbers

    _parameter_constraints: dict[str, list[Any]] = {
        **SequencePredictor._parameter_constraints,
        "loss": [StrOptions({"squared_error", "absolute_error", "huber", "pinball"}), callable],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(
        self,
        hidden_size: int | list[int] | tuple[int, ...] = 64,
        latent_size: int = 32,
        *,
        bottleneck: Pooling = "mean_max",
        bidirectional: bool = True,
        differences: bool = True,
        dropout: float = 0.3,
        noise: float = 0.0,
        network: SequenceNetwork | Callable[[int, int], SequenceNetwork] | None = None,
        init: Any = None,
        scaler: Any = "standard",
        empty_features: EmptyFeatures = "leave_out",
        loss: TargetLoss | Loss = "squared_error",
        quantile: float = 0.5,
        learning_rate: float = 5e-3,
        weight_decay: float = 1e-2,
        batch_size: int | Literal["auto"] = "auto",
        max_epochs: int | Literal["auto"] = 40,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        clip_norm: float | None = 1.0,
        warm_start: bool = False,
        checkpoint: str | PathLike[str] | None = None,
        precision: Precision = "float32",
        distributed: Literal["auto", False] = "auto",
        device: str | torch.device = "auto",
        random_state: int | RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            hidden_size=hidden_size,
            dropout=dropout,
            noise=noise,
            network=network,
            scaler=scaler,
            empty_features=empty_features,
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
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.latent_size = latent_size
        self.bottleneck = bottleneck
        self.bidirectional = bidirectional
        self.differences = differences
        self.init = init
        self.loss = loss
        self.quantile = quantile

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn to predict numbers from sequences.

        The order of the sequences makes no difference.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs), or one for each step
            In one of the forms above.

        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts. An epoch shows a sequence of weight 3 three times, one of
            2.5 twice with 1.25 times the loss, and one of 0.5 once with half the loss; 0 leaves it
            out. If any weight is above 10, each sequence is shown once, and its loss is weighted.

        Returns
        -------
        self : estimator
            The fitted regressor. A fit that fails leaves it as it was.
        """
        return self._fit_or_stay(X, y, sample_weight)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any) -> Self:
        """Learn from more sequences, in one epoch over them.

        The scaler of the features adds the sequences to its statistics, and the network is trained
        once on each. The scaling of the targets stays as it was in the first call.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs), or one for each step
            As in `fit`.

        Returns
        -------
        self : estimator
            The regressor, ready for use. A call that fails leaves it as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(40, 12)).cumsum(axis=1)
        >>> y, regressor = X.mean(axis=1), LSTMRegressor(hidden_size=16, random_state=0)
        >>> for start in 20 * list(range(0, 40, 10)):
        ...     part = slice(start, start + 10)
        ...     regressor = regressor.partial_fit(X[part], y[part])
        >>> regressor.score(X, y) > 0.8
        True
        """
        known = self._meaning if self.__sklearn_is_fitted__() else None
        return self._learn_more_or_stay(X, y, known)

    def predict(self, X: Any) -> Any:
        """Predict the numbers of each sequence.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        y : ndarray of shape (n_sequences,) or (n_sequences, n_outputs), float64
            In the units of the training targets. With a target for each step, the same form as X: a
            list for a list, an array with NaN for padding for an array, a Series or DataFrame for a
            panel. On a CPU a sequence gets the same prediction, bit for bit, whatever sequences it
            comes with and however they are padded.
        """
        meaning, outputs, form = self._outputs(X)
        predictions = meaning.unscaled(outputs)
        return form.restore(predictions) if meaning.per_step else predictions

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination, R².

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs), or one for each step
            As in `fit`.

        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.

        Returns
        -------
        score : float
            Mean over the outputs: 1 is perfect, 0 no better than predicting the mean. Missing
            targets are left out.
        """
        from sklearn.metrics import r2_score  # takes half as long as the whole package to import

        predictor, sequences, form = self._read(X)
        numeric = self._read_target(y, sequences, form)
        refuse_another_order(sample_weight, form, "sample_weight")
        meaning = predictor.meaning
        meaning.refuse_others(numeric)
        target = numeric.sequences
        rows = target.values[target.rows()]
        refuse_unobserved(rows)
        predictions = meaning.unscaled(predictor.model.targets(sequences)).reshape(rows.shape)
        # R² is the same in any units, but squares might be none of float64's numbers.
        rows, predictions = meaning.scaled(rows), meaning.scaled(predictions)
        if sample_weight is None:
            sample_weight = np.ones(len(target))
        weights = np.repeat(check_weights(sample_weight, len(target), "sequence"), target.lengths)
        seen = ~np.isnan(rows)
        scores = [
            r2_score(actual[is_seen], predicted[is_seen], sample_weight=weights[is_seen])
            for actual, predicted, is_seen in zip(rows.T, predictions.T, seen.T, strict=True)
        ]
        return float(np.mean(scores))

    @validate_params(EXPLAINED, prefer_skip_nested_validation=True)
    def attributions(
        self, X: Any, target: int | None = None, *, step: int | None = None, n_steps: int = 32
    ) -> Any:
        """Return how much each value contributed to a prediction, by integrated gradients [1]_.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        target : int, default=None
            The number of the output to explain; None means the first.

        step : int, default=None
            With a target for each step, the step whose prediction to explain, -1 for the last of
            each sequence; None means the mean of the predictions of all its steps.

        n_steps : int, default=32
            Number of points on the way to the sequence at which the gradient is taken. With more,
            the attributions add up more exactly.

        Returns
        -------
        attributions : same form as X
            In the units of the target, positive where a value raises the prediction. Those of a
            sequence add up to its prediction, or that of the step, less the same for a sequence as
            long of mean steps. NaN where a value is missing; its part goes to the value that stands
            in for it.

        References
        ----------
        .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks",
           ICML 2017, :doi:`10.48550/arXiv.1703.01365`.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(60, 12, 3))
        >>> y = X[..., 2].mean(axis=1)
        >>> regressor = LSTMRegressor(hidden_size=16, random_state=0).fit(X, y)
        >>> int(np.abs(regressor.attributions(X)).mean(axis=(0, 1)).argmax())
        2

        What a step is predicted from, here the step before:

        >>> y = np.roll(X[..., 0], 1, axis=1)
        >>> regressor = LSTMRegressor(hidden_size=16, random_state=0).fit(X, y[..., np.newaxis])
        >>> shares = np.abs(regressor.attributions(X, step=7)).mean(axis=(0, 2))
        >>> int(shares.argmax())
        6
        """
        predictor, sequences, form = self._read(X)
        return form.restore(attribute(self, predictor, sequences, target, step, n_steps)[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if callable(self.loss):
            check_loss(self.loss)

    def _read_target(self, y: Any, X: Sequences, form: Form) -> NumericTarget:
        return read_numbers(y, X, form, type(self).__name__)

    def _encode(
        self, target: NumericTarget, numbers: NDArray[np.intp], meaning: Numbers | None
    ) -> tuple[Numbers, Sequences, NDArray[np.float64]]:
        chosen = target.sequences.take(numbers).gathered()
        if meaning is None:
            meaning = Numbers.of(chosen, target)
        else:
            meaning.refuse_others(target)
            meaning = meaning.having_seen(chosen)
        scaled = meaning.scaled(chosen.values[:])
        is_seen = ~np.isnan(scaled)
        n_seen = np.add.reduceat(is_seen.sum(axis=1), chosen.starts)
        totals = np.add.reduceat(np.where(is_seen, scaled, 0).sum(axis=1), chosen.starts)
        means = np.divide(totals, n_seen, out=np.full(len(chosen), np.nan), where=n_seen > 0)
        return meaning, Sequences(scaled, chosen.starts, chosen.lengths), means

    def _target_loss(self) -> Loss:
        return Pinball(self.quantile) if self.loss == "pinball" else find_loss(self.loss)

    def _explained(
        self, meaning: Numbers, outputs: NDArray[np.float32], target: Any
    ) -> tuple[NDArray[Any], list[str]]:
        output = 0 if target is None else target
        if not isinstance(output, Integral) or output not in range(meaning.n_outputs):
            raise ValueError(
                f"target={target!r}, but outputs are numbered from 0 to {meaning.n_outputs - 1}; "
                "pass one of these numbers."
            )
        weights = np.eye(meaning.n_outputs)[[int(output)]] * meaning.units
        name = "the prediction" if meaning.is_single else f"output {output}"
        return weights, [name]
