"""What all detectors of sequences share: learning, thresholds, scores, persistence."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skl_lstmae._sklearn import (
    Interval,
    StrOptions,
    check_parameters,
    fit_context,
)
from skl_lstmae.data.checks import check_sequences
from skl_lstmae.data.forms import Form
from skl_lstmae.data.names import call_features
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.split import MIN_HELD_OUT, MIN_SEQUENCES, Split, hold_out_some
from skl_lstmae.data.targets import refuse_another_order
from skl_lstmae.data.weights import check_weights, counted, draw_counts, order_by_content
from skl_lstmae.detectors.callbacks import FitCallbacks
from skl_lstmae.detectors.exported import ExportedDetectorMixin
from skl_lstmae.detectors.judge import Judge
from skl_lstmae.detectors.labels import warn_of_misread_labels
from skl_lstmae.detectors.learner import SequenceLearner
from skl_lstmae.detectors.options import Activation, LossName, ScorerName, View
from skl_lstmae.detectors.set_aside import OF_UPDATE, warn_of_sequences
from skl_lstmae.detectors.thresholded import Scored, ThresholdMixin
from skl_lstmae.detectors.window_judge import LearnedWindows
from skl_lstmae.detectors.window_plan import WindowPlan
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.scoring.scorer import MAX_REFERENCES, Scorer
from skl_lstmae.scoring.scorers import SCORERS, ScorerMethods, can_take_more, make_scorer
from skl_lstmae.training.blueprint import may_be_large
from skl_lstmae.training.model import Model
from skl_lstmae.training.objectives import LOSSES, Loss, StepPrediction, check_loss, find_loss
from skl_lstmae.training.progress import History
from skl_lstmae.training.random_states import shared_random_state, spawn_random_state
from skl_lstmae.training.recipe import Recipe
from skl_lstmae.training.scaling import Scaling, learns_in_parts
from skl_lstmae.training.torch_state import settled

MAX_COUNTED = 10_000_000
"""The most sequences that weights may add up to."""

VIEWS_OF_ERRORS: dict[str, list[Any]] = {
    "per": [StrOptions({"sequence", "timestep", "feature"})],
}

ACTIVATION_RANGES: dict[str, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, np.inf),
}


def _can_learn_in_parts(detector: "SequenceDetector") -> bool:
    scaler = getattr(detector, "scaler_", detector.scaler)
    if not learns_in_parts(scaler):
        raise AttributeError(
            f"partial_fit needs a scaler that learns in parts, but {scaler!r} does not; "
            "use scaler='standard', 'minmax' or None."
        )
    judge = getattr(detector, "_judge", None)
    scorer = detector.scorer if judge is None else judge.scorer
    if not can_take_more(scorer):
        raise AttributeError(
            f"partial_fit needs a scorer that learns in parts, but {scorer!r} only has fit; "
            "give it a method partial_fit."
        )
    return True


class SequenceDetector(ExportedDetectorMixin, ThresholdMixin, SequenceLearner):
    """Trains a network on sequences and judges others by what it makes of them.

    A subclass says which network that is. All that is learned is in a :class:`Judge`, which is
    replaced as a whole: a call that fails leaves no trace, and other threads see one state or the
    other.
    """

    _min_sequences: ClassVar[int] = MIN_SEQUENCES

    history_: History
    _judge: Judge
    _network_fitted_with: Any
    _random_state: RandomState
    _n_timesteps: int | None

    _parameter_constraints: dict[str, list[Any]] = {
        **SequenceLearner._parameter_constraints,
        "n_networks": [Interval(Integral, 1, None, closed="left")],
        "output_activation": [StrOptions(set(ACTIVATION_RANGES)), None],
        "loss": [StrOptions(set(LOSSES)), callable],
        "scorer": [StrOptions(set(SCORERS)), ScorerMethods(), callable],
        **ThresholdMixin._threshold_constraints,
    }

    def __init__(
        self,
        *,
        n_networks: int,
        output_activation: Activation | None,
        loss: LossName | Loss,
        scorer: ScorerName | Scorer | Callable[..., Any],
        contamination: float | Literal["auto"],
        false_alarm_rate: float,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.n_networks = n_networks
        self.output_activation = output_activation
        self.loss = loss
        self.scorer = scorer
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn what normal sequences look like.

        The order of the sequences makes no difference. If a few of them, at most a tenth, are
        unlike all others, a warning names them, and neither the references nor the threshold rest
        on them.

        Parameters
        ----------
        X : sequences
            In any of the forms above; at least five, unless those say otherwise.

        y : array-like, default=None
            Not learned from, but passed to callbacks that score. `fit` warns of labels 0 and 1, and
            of two labels of text, which scikit-learn's scorers may read the wrong way round.

        sample_weight : array-like of shape (n_sequences,), default=None
            How often each sequence counts. 0 leaves a sequence, as a known fault, out of everything
            that is learned. Of a number that is not whole, the fraction is the chance to count once
            more.

        Returns
        -------
        self : estimator
            The fitted detector. A fit that fails leaves it as it was.

        Raises
        ------
        KeyboardInterrupt
            If training is interrupted from the keyboard; so a search ends, too. After the first
            epoch the detector is fitted all the same, with the weights of the last complete epoch
            or, with early stopping, of the best one.
        """
        return self._fit_or_stay(X, y, sample_weight)

    @available_if(_can_learn_in_parts)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from more sequences, in one epoch over them.

        The scaler adds the sequences to its statistics, the network is trained once on each (after
        a `fit` at a low learning rate, so that earlier references still tell what is normal), and
        the scorer adds them to its references, where older ones fade as if the latest 1024 were
        kept. With ``contamination="auto"``, the threshold rests on the scores that the latest 1024
        sequences had before the network learned from them; those of the first call count with their
        scores afterwards.

        After a `fit`, sequences whose scores lie apart from those of most others are set aside:
        nothing is learned of them. If they are more than a tenth of the latest 1024 that came, they
        count as another kind of normal.

        Pass new sequences in each call: a second pass over the same ones would make the threshold
        optimistic. To train longer on the same sequences, call `fit` with ``warm_start=True``.

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

        Warns
        -----
        UserWarning
            If sequences are set aside, or if ``offset_`` falls to more than five times as far below
            0 as before the call. With `contamination` as a number there is neither.

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
        return self._learn_more_or_stay(X)

    @fit_context(prefer_skip_nested_validation=True)
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit in place; callbacks see this very object from their setup to their teardown."""
        self._check_before_fit()
        warn_of_misread_labels(y)
        callbacks = FitCallbacks(self, X, y)
        with settled(may_be_large(self.network, self.hidden_size)):
            sequences, form = check_sequences(self, X, min_sequences=self._min_sequences)
            refuse_another_order(sample_weight, form, "sample_weight")
            random_state = shared_random_state(self.random_state)
            numbers = self._count(sequences, sample_weight, random_state)
            chosen = counted(sequences, numbers, is_weighted=sample_weight is not None)
            split = self._split(chosen, random_state)
            if split.numbers is not None:
                split = replace(split, numbers=numbers[split.numbers])
            model = self._train(split, random_state, callbacks)
            self._conclude(model, split, random_state)
            if self.contamination == "auto":  # else odd ones are expected
                are_pieces = split.numbers is None
                warn_of_sequences(self._judge.set_aside, form, are_pieces=are_pieces)
        callbacks.end_fit()

    def _count(
        self, sequences: Sequences, sample_weight: Any, random_state: RandomState
    ) -> NDArray[np.intp]:
        """Return the numbers of the sequences to learn from, as often as each counts."""
        order = order_by_content(sequences)
        if sample_weight is None:
            return order
        weights = check_weights(sample_weight, len(sequences), "sequence")
        if weights.sum() > MAX_COUNTED:
            raise ValueError(
                f"sample_weight adds up to {weights.sum():.3g} sequences; expected at most "
                f"{MAX_COUNTED:,}, as a weight says how often a sequence counts: divide all of "
                f"them by {weights.sum() / MAX_COUNTED:.3g} at least, or make the largest smaller."
            )
        numbers = np.repeat(order, draw_counts(weights[order], random_state))
        if len(numbers) < self._min_sequences:
            raise ValueError(
                f"sample_weight leaves n_samples={len(numbers)} sequence(s) of X, while a minimum "
                f"of {self._min_sequences} is required by {type(self).__name__}; leave fewer out."
            )
        return numbers

    def _conclude(self, model: Model, split: Split, random_state: RandomState) -> None:
        judge = self._make_judge(model, split)
        if split.overlaps:  # windows, in the midst of training, for callbacks that use them
            self._judge = judge.learned(split.sample(MAX_REFERENCES))
        else:
            self._judge = judge.calibrated(split)
        self._set_threshold()
        self._random_state = spawn_random_state(random_state)

    @fit_context(prefer_skip_nested_validation=True)
    def _fit_to_windows(self, plan: WindowPlan) -> LearnedWindows:
        """Learn from windows of long series, whose threshold another estimator holds."""
        self._check_before_fit()
        callbacks = FitCallbacks(self, None, None)
        with settled(may_be_large(self.network, self.hidden_size)):
            self.n_features_in_ = plan.split.training.n_features
            random_state = shared_random_state(self.random_state)
            model = self._train(plan.split, random_state, callbacks)
            self._random_state = spawn_random_state(random_state)
            if self.verbose:
                print(f"Scoring {len(plan.judged)} windows to calibrate the threshold")
            n_empty = plan.gaps.count(plan.judged)
            self._judge, scores, is_odd, allowance = self._make_judge(model, plan.split).conformed(
                plan.references, plan.judged, plan.was_held_out, n_empty
            )
        callbacks.end_fit()
        return LearnedWindows(self._judge, scores, is_odd, allowance)

    def _learn_more(self, X: Any, y: Any, meaning: Any) -> None:
        if not self.__sklearn_is_fitted__():
            self._learn_first(X)
            return
        before, sequences, form = self._read(X)
        self._judge, samples = self._without_odd(before, sequences, form)
        if len(samples):
            self._judge = self._judge.gone_on(self._learn_once(_all(samples)), samples)
        self._set_threshold()
        calibration = before.calibration
        if self.contamination == "auto" and calibration is not None and calibration.fresh:
            self._warn_of_fall(self._offset_of(calibration), "it was")

    def _learn_first(self, X: Any) -> None:
        sequences, _ = check_sequences(self, X, min_sequences=MIN_SEQUENCES)
        split = _all(sequences)
        self._judge = self._make_judge(self._learn_once(split), split).calibrated(split)
        self._set_threshold()

    def _without_odd(
        self, judge: Judge, sequences: Sequences, form: Form
    ) -> tuple[Judge, Sequences]:
        """Return the judge that has seen sequences, and what to learn from: not odd ones.

        Of those a warning tells. With `contamination` as a number, they are expected. A network
        that is trained by updates alone changes so much that they cannot be told, and pieces of
        long series are not alike.
        """
        samples = judge.samples(sequences)
        are_pieces = samples is not sequences
        if self.contamination != "auto" or are_pieces or not self.history_.is_whole:
            return judge, samples
        judge, is_odd = judge.sorted_out(sequences)
        warn_of_sequences(np.flatnonzero(is_odd), form, are_pieces=False, remedy=OF_UPDATE)
        return judge, sequences.take(~is_odd) if is_odd.any() else sequences

    def _recipe(self) -> Recipe:
        return Recipe.of(self, StepPrediction(find_loss(self.loss)))

    def _make_judge(self, model: Model, split: Split) -> Judge:
        """Return a judge that has yet to learn from what the model makes of the split."""
        return Judge(model, make_scorer(self.scorer))

    @property
    def _holds_out(self) -> bool:
        return bool(self.early_stopping or self.contamination == "auto")

    def _split(self, sequences: Sequences, random_state: RandomState) -> Split:
        """Hold out whole sequences if anything is to be judged by them."""
        n_held_out = 0
        if self._holds_out:
            n_wanted = max(MIN_HELD_OUT, round(self.validation_fraction * len(sequences)))
            n_held_out = min(n_wanted, len(sequences) - 2)
        return hold_out_some(sequences, n_held_out, random_state)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the share of the variance of X that the network explains.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        y : Ignored
            Present for API consistency by convention.

        Returns
        -------
        score : float
            Share of the variance of each feature, in the units of X, that the reconstruction or
            prediction explains; the mean over the features. 1 is perfect, 0 no better than the
            mean. Missing values are left out.
        """
        judge, sequences, _ = self._read(X)
        return judge.model.explained_variance(sequences)

    def _read(self, X: Any) -> tuple[Judge, Sequences, Form]:
        fitted = copy(self)  # one state, although another thread may fit meanwhile
        check_is_fitted(fitted)
        judge = fitted._judge
        return judge, *check_sequences(fitted, X, n_channels=judge.model.n_features)

    def _score(self, X: Any) -> Scored:
        judge, sequences, _ = self._read(X)
        scores = judge.score(sequences)
        return Scored(judge, sequences, scores, lambda scores: scores, lambda: judge.offset)

    def _calibrate_on(self, X: Any) -> None:
        judge, sequences, _ = self._read(X)
        samples = judge.samples(sequences)
        if len(samples) < MIN_HELD_OUT:
            raise ValueError(
                f"X holds {len(samples)} {judge.sample_name} to calibrate on; expected at least "
                f"{MIN_HELD_OUT}: pass more."
            )
        self._judge = judge.resting_on(samples)

    def _set_threshold(self) -> None:
        calibration = self._judge.calibration
        if calibration is not None:
            self._judge = self._judge.with_offset(self._offset_of(calibration))

    def _predicted_steps(self, X: Any) -> Any:
        judge, sequences, form = self._read(X)
        return form.restore(judge.model.predictions(sequences))

    def _view_errors(self, X: Any, per: View) -> Any:
        judge, sequences, form = self._read(X)
        if per == "timestep":
            return form.restore(judge.model.timestep_shares(sequences))
        view = Outcome.mean_error if per == "sequence" else Outcome.feature_shares
        (rows,) = judge.model.summaries(sequences, view)
        return rows

    @property
    def _model(self) -> Model:
        check_is_fitted(self)
        return self._judge.model

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_judge")

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if isinstance(self.scorer, Scorer):
            check_parameters(self.scorer)
        if self.n_networks > 1 and isinstance(self.network, torch.nn.Module):
            raise ValueError(
                f"n_networks={self.n_networks}, but network is a {type(self.network).__name__}, a "
                "single one; pass a function that makes networks, each with weights of its own."
            )
        if callable(self.loss):
            check_loss(self.loss)
        is_ours = self.network is None
        if is_ours and self.loss == "binary_cross_entropy" and self.output_activation != "sigmoid":
            raise ValueError(
                "loss='binary_cross_entropy' compares probabilities; use "
                f"output_activation='sigmoid', not {self.output_activation!r}."
            )

    def _check_scaling(self, scaling: Scaling) -> None:
        if self.output_activation is None or self.network is not None:
            return
        low, high = ACTIVATION_RANGES[self.output_activation]
        outside = (scaling.low < low - 1e-6) | (scaling.high > high + 1e-6)
        if outside.any():
            feature = int(outside.argmax())
            name = call_features(scaling.names, [feature])
            raise ValueError(
                f"output_activation={self.output_activation!r} only reaches values in "
                f"[{low:g}, {high:g}], but {name} of the scaled training data spans "
                f"[{scaling.low[feature]:g}, {scaling.high[feature]:g}]; use scaler='minmax', or "
                "another output_activation."
            )


def fit_to_windows(detector: SequenceDetector, plan: WindowPlan) -> LearnedWindows:
    """Fit a detector of sequences, in place, to the windows of a plan.

    It then refers to windows of all rows.
    """
    return detector._fit_to_windows(plan)


def _all(sequences: Sequences) -> Split:
    """Return the split that holds nothing out."""
    return Split(sequences, sequences.take([]))
