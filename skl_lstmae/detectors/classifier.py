"""The LSTM classifier of sequences."""

from collections.abc import Callable
from numbers import Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import StrOptions, fit_context, validate_params
from skl_lstmae.data.classes import Classes, check_labels, read_labels
from skl_lstmae.data.forms import Form
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.detectors.options import EmptyFeatures, Pooling, Precision
from skl_lstmae.detectors.predictor import EXPLAINED, SequencePredictor, attribute
from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.training.objectives import Loss, cross_entropy


class LSTMClassifier(ClassifierMixin, SequencePredictor):
    """Classify sequences with an LSTM.

    The network turns a sequence of any length into one latent vector, and that vector into the
    probability of each class. It learns nothing from padding.

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

    Parameters
    ----------
    hidden_size : int or sequence of int, default=64
        Width of each LSTM layer and direction, first to last.

    latent_size : int, default=32
        Number of features of the latent, which a linear layer turns into the outputs.

    bottleneck : {"mean_max", "mean", "max", "last"}, default="mean_max"
        How the LSTM's outputs become the latent: by their mean over time, their maximum, both, or
        as the last output of each direction.

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
        and classes and returns a new network, or a trained network. A copy of a trained network is
        trained further, or kept as it is with `max_epochs=0`. Its ``prediction`` must be the
        logits, ``(batch, n_classes)``. The parameters above then have no effect. See
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

    class_weight : dict or "balanced", default=None
        Weight of each class in the loss, as a dict from label to weight. "balanced" weights each
        class in inverse proportion to its frequency. None weights all alike.

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
        Share of the sequences of each class that is held out with `early_stopping`.

    n_iter_no_change : int, default=10
        Number of epochs in a row without an improvement of `tol` after which training ends, with
        `early_stopping`.

    tol : float, default=0.0001
        Smallest decrease of the held-out loss that counts as an improvement, with `early_stopping`.

    clip_norm : float or None, default=1.0
        Upper bound on the norm of the gradient. None sets no bound.

    warm_start : bool, default=False
        Whether `fit` starts from the weights of the previous fit, and appends to its loss curves.
        The classes stay what they were.

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
        started with this one. Each calls it with the same X, and ends with the same classifier. See
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
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of the columns of `predict_proba`.

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
    LSTMRegressor : Predicts numbers in place of classes.
    LSTMAutoencoderDetector : Anomalies among sequences without labels.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", 2018, :doi:`10.48550/arXiv.1708.07120`.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["slow", "fast"], 20)
    >>> periods = np.where(y == "slow", 6, 3)
    >>> X = [np.sin(rng.uniform(0, 6) + np.arange(rng.integers(20, 40)) / p) for p in periods]
    >>> classifier = LSTMClassifier(hidden_size=16, max_epochs=30, random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.9
    True
    >>> classifier.predict_proba(X).shape
    (40, 2)
    """

    _meaning: Classes
    loss = "cross_entropy"

    _parameter_constraints: dict[str, list[Any]] = {
        **SequencePredictor._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
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
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
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
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn to tell classes of sequences apart.

        The order of the sequences makes no difference.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        y : array-like of shape (n_sequences,)
            The class of each sequence: text, numbers or booleans; at least two classes.

        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts. An epoch shows a sequence of weight 3 three times, one of
            2.5 twice with 1.25 times the loss, and one of 0.5 once with half the loss; 0 leaves it
            out. If any weight is above 10, each sequence is shown once, and its loss is weighted.

        Returns
        -------
        self : estimator
            The fitted classifier. A fit that fails leaves it as it was.
        """
        return self._fit_or_stay(X, y, sample_weight)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Learn from more sequences, in one epoch over them.

        The scaler adds the sequences to its statistics, and the network is trained once on each.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        y : array-like of shape (n_sequences,)
            The class of each sequence.

        classes : array-like of shape (n_classes,), default=None
            All classes that any call will bring; needed in the first call, unless its `y` holds
            them all.

        Returns
        -------
        self : estimator
            The classifier, ready for use. A call that fails leaves it as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMClassifier
        >>> rng = np.random.default_rng(0)
        >>> X, y = rng.normal(size=(40, 12)), np.arange(40) % 2
        >>> X[y == 1] += 2
        >>> classifier = LSTMClassifier(hidden_size=8, random_state=0)
        >>> for start in 10 * list(range(0, 40, 10)):
        ...     part = slice(start, start + 10)
        ...     classifier = classifier.partial_fit(X[part], y[part], classes=[0, 1])
        >>> classifier.score(X, y)
        1.0
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' would weigh the classes of each part by itself; pass a "
                "dict of weights to learn in parts."
            )
        known = self._meaning if self.__sklearn_is_fitted__() else None
        if classes is not None:
            named = Classes.among(check_labels(classes, "classes"), "classes")
            known = named if known is None else known.refuse_others(named)
        return self._learn_more_or_stay(X, y, known)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the logits of the classes.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        decisions : ndarray of shape (n_sequences,) or (n_sequences, n_classes), float64
            With two classes, the logit of ``classes_[1]`` less that of ``classes_[0]``: positive
            where ``classes_[1]`` is predicted.
        """
        _, logits, _ = self._outputs(X)
        decisions = logits.astype(np.float64)
        return decisions[:, 1] - decisions[:, 0] if decisions.shape[1] == 2 else decisions

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        probabilities : ndarray of shape (n_sequences, n_classes), float64
            Rows add up to 1. On a CPU a sequence gets the same probabilities, bit for bit, whatever
            sequences it comes with and however they are padded.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMClassifier
        >>> X, y = np.random.default_rng(0).normal(size=(40, 12)), np.arange(40) % 2
        >>> X[y == 1] += 2
        >>> classifier = LSTMClassifier(hidden_size=8, random_state=0).fit(X, y)
        >>> bool((classifier.predict_proba(X)[y == 1, 1] > 0.5).all())
        True
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        log_probabilities : ndarray of shape (n_sequences, n_classes), float64

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMClassifier
        >>> X, y = np.random.default_rng(0).normal(size=(40, 12)), np.arange(40) % 2
        >>> classifier = LSTMClassifier(hidden_size=8, max_epochs=2).fit(X, y)
        >>> np.allclose(np.exp(classifier.predict_log_proba(X)), classifier.predict_proba(X))
        True
        """
        _, logits, _ = self._outputs(X)
        log_probabilities: NDArray[np.float64] = log_softmax(logits.astype(np.float64), axis=1)
        return log_probabilities

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each sequence.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        labels : ndarray of shape (n_sequences,)
        """
        meaning, logits, _ = self._outputs(X)
        return meaning.labels[logits.argmax(axis=1)]

    @validate_params({"n_steps": EXPLAINED["n_steps"]}, prefer_skip_nested_validation=True)
    def attributions(self, X: Any, target: Any = None, *, n_steps: int = 32) -> Any:
        """Return which values speak for a class, by integrated gradients [1]_.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        target : object, default=None
            The class to explain; None means the one that is predicted for each sequence.

        n_steps : int, default=32
            Number of points on the way to the sequence at which the gradient is taken. With more,
            the attributions add up more exactly.

        Returns
        -------
        attributions : same form as X
            Positive where a value speaks for the class. Take the logit of the class less the mean
            of all logits: those of a sequence add up to this difference, less the difference for
            the mean step at all times. NaN where a value is missing; its part goes to the value
            that stands in for it.

        References
        ----------
        .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks",
           ICML 2017, :doi:`10.48550/arXiv.1703.01365`.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMClassifier
        >>> X, y = np.random.default_rng(0).normal(size=(60, 12)), np.arange(60) % 2
        >>> X[y == 1, 4:6] += 4
        >>> classifier = LSTMClassifier(hidden_size=8, random_state=0).fit(X, y)
        >>> shares = np.abs(classifier.attributions(X[y == 1])).mean(axis=0)
        >>> np.sort(shares.argsort()[-2:])
        array([4, 5])
        """
        predictor, sequences, form = self._read(X)
        return form.restore(attribute(self, predictor, sequences, target, n_steps=n_steps)[0])

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, in the order of the columns of `predict_proba`."""
        check_is_fitted(self)
        return self._predictor.meaning.labels

    @property
    def _named_weights(self) -> dict[Any, float]:
        return self.class_weight if isinstance(self.class_weight, dict) else {}

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for label, weight in self._named_weights.items():
            if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
                raise ValueError(
                    f"class_weight holds {weight!r} for class {label!r}; expected finite numbers "
                    "that are not negative."
                )

    def _read_target(self, y: Any, X: Sequences, form: Form) -> NDArray[Any]:
        return read_labels(y, X, form, type(self).__name__)

    def _encode(
        self, target: NDArray[Any], numbers: NDArray[np.intp], meaning: Classes | None
    ) -> tuple[Classes, Sequences, NDArray[np.float64]]:
        is_known, meaning = meaning is not None, meaning or Classes.among(target)
        codes = meaning.codes(target)[numbers].astype(np.float64)
        weights = meaning.weights(self._named_weights)
        present = np.arange(len(weights)) if is_known else np.unique(codes).astype(np.intp)
        meaning.refuse_too_few(present[weights[present] > 0])
        rows = np.arange(len(codes), dtype=np.intp)
        return meaning, Sequences(codes[:, np.newaxis], rows, np.ones_like(rows)), codes

    def _weights(self, keys: NDArray[np.float64]) -> NDArray[np.float64]:
        codes = keys.astype(np.intp)
        if self.class_weight == "balanced":
            return 1 / np.bincount(codes)[codes]
        return self._meaning.weights(self._named_weights)[codes]

    def _target_loss(self) -> Loss:
        return cross_entropy

    def _explained(
        self, meaning: Classes, outputs: NDArray[np.float32], target: Any
    ) -> tuple[NDArray[Any], list[str]]:
        codes = outputs.argmax(axis=1)
        if target is not None:
            if np.ndim(target) or target not in meaning.labels.tolist():
                raise ValueError(
                    f"target={target!r} is none of the classes, {meaning.labels.tolist()}; pass "
                    "one of these."
                )
            codes = np.full(len(outputs), meaning.labels.tolist().index(target))
        weights = np.eye(meaning.n_outputs)[codes] - 1 / meaning.n_outputs
        return weights, [f"class {label}" for label in meaning.labels[codes]]
