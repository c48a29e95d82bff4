"""A sequence, what the network makes of it, and where the two differ."""

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._sklearn import validate_params
from skl_lstmae.data.reading import read
from skl_lstmae.detectors.trained import read_with
from skl_lstmae.displays.drawing import (
    BLACK,
    MAX_FEATURES,
    VERMILLION,
    check_can,
    check_index,
    import_pyplot,
    legend_above,
    name_features,
)
from skl_lstmae.displays.sequence_panels import SequencePanels

NAME = "ReconstructionDisplay"

METHODS = ["reconstruct", "predict_steps"]


class ReconstructionDisplay(SequencePanels):
    """A sequence, its reconstruction, the error of each step, and the error of each value.

    The features with the largest errors have panels of their own. A strip of colours, features by
    time, shows the errors of all. It is recommended to use :meth:`from_estimator` or
    :meth:`from_predictions`.

    Parameters
    ----------
    sequence : ndarray of shape (n_timesteps, n_features)
        NaN is a missing value, and drawn as a gap.

    reconstruction : ndarray of shape (n_timesteps, n_features)
        The network's reconstruction, in the same units.

    cell_errors : ndarray of shape (n_timesteps, n_features)
        Absolute differences, in units that compare between features; NaN for missing values.

    step_errors : ndarray of shape (n_timesteps,)
        Error of each step.

    feature_errors : ndarray of shape (n_features,)
        Error of each feature. The panels are chosen by it.

    feature_names : list of str
        Names of the features.

    name : str, default="reconstruction"
        What to call the reconstruction, such as "prediction" for a forecaster.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        From top to bottom: a panel for each feature in `features_`, the errors of the steps, the
        errors of the values.

    ax_ : matplotlib Axes
        The axes whose place the panels share; invisible.

    figure_ : matplotlib Figure
        The figure.

    features_ : ndarray of int
        Numbers of the features that have a panel, that of the largest error first.

    lines_ : list of (Line2D, Line2D)
        Sequence and reconstruction in each of these panels.

    steps_ : StepPatch
        The errors of the steps.

    strip_ : QuadMesh
        The errors of the values.

    See Also
    --------
    AnomalyScoreDisplay : A long series and its scores.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LSTMAutoencoderDetector, ReconstructionDisplay
    >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
    >>> X = np.sin(phases + np.arange(30) / 3)
    >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0).fit(X)
    >>> X[7, 12] = 2.0
    >>> display = ReconstructionDisplay.from_estimator(detector, X, index=7)
    >>> int(display.step_errors.argmax())
    12
    """

    def __init__(
        self,
        *,
        sequence: NDArray[Any],
        reconstruction: NDArray[Any],
        cell_errors: NDArray[Any],
        step_errors: NDArray[Any],
        feature_errors: NDArray[Any],
        feature_names: Sequence[str],
        name: str = "reconstruction",
    ) -> None:
        self.sequence = sequence
        self.reconstruction = reconstruction
        self.cell_errors = cell_errors
        self.step_errors = step_errors
        self.feature_errors = feature_errors
        self.feature_names = feature_names
        self.name = name

    @classmethod
    @validate_params(MAX_FEATURES, prefer_skip_nested_validation=True)
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        index: int = 0,
        feature_names: Sequence[str] | None = None,
        max_features: int = 4,
        ax: Any = None,
    ) -> Self:
        """Draw a sequence and what a fitted detector reconstructs or predicts.

        Parameters
        ----------
        estimator : LSTMAutoencoderDetector or LSTMForecastDetector
            A fitted detector. A forecaster's reconstruction is its prediction of each step from the
            steps before it.

        X : sequences
            In any of the forms that the estimator takes.

        index : int, default=0
            Which sequence of X to draw.

        feature_names : list of str, default=None
            Names of the features; None means those the estimator was fitted with, if any.

        max_features : int, default=4
            The most features that have a panel of their own.

        ax : matplotlib Axes, default=None
            A subplot, whose place the panels share; None makes a new figure.

        Returns
        -------
        display : ReconstructionDisplay
            The errors of steps and features are those of the estimator's method
            ``reconstruction_error`` or ``prediction_error``. The errors of values are absolute
            differences in scaled units.

        Examples
        --------
        >>> from skl_lstmae import LSTMAutoencoderDetector, ReconstructionDisplay
        >>> from skl_lstmae.datasets import load_japanese_vowels
        >>> vowels = load_japanese_vowels(anomalous_speaker=1)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0)
        >>> detector.fit(vowels.X_train)
        LSTMAutoencoderDetector(...)
        >>> worst = detector.score_samples(vowels.X_test).argmin()
        >>> display = ReconstructionDisplay.from_estimator(
        ...     detector, vowels.X_test, index=worst, feature_names=vowels.feature_names
        ... )
        >>> display.cell_errors.shape == vowels.X_test[worst].shape
        True
        """
        caller = f"{NAME}.from_estimator"
        import_pyplot(caller)
        example = "LSTMAutoencoderDetector or LSTMForecastDetector"
        method = check_can(estimator, METHODS, caller, example)
        estimator = copy(estimator)  # one state, although another thread may fit meanwhile
        judge, sequences, _ = read_with(estimator, X)
        check_index(index, len(sequences), "sequences")
        sequence = sequences[index]
        outcome = judge.model.outcome(sequences.alone(index))
        display = cls(
            sequence=sequence,
            reconstruction=judge.model.scaling.inverse_transform(outcome.predictions),
            cell_errors=np.abs(outcome.targets - outcome.predictions),
            step_errors=outcome.timestep_shares(),
            feature_errors=outcome.feature_shares()[0],
            feature_names=name_features(feature_names, estimator, sequence.shape[1]),
            name="reconstruction" if method == "reconstruct" else "prediction",
        )
        return display.plot(ax, max_features=max_features)

    @classmethod
    @validate_params(MAX_FEATURES, prefer_skip_nested_validation=True)
    def from_predictions(
        cls,
        sequence: Any,
        reconstruction: Any,
        *,
        feature_names: Sequence[str] | None = None,
        max_features: int = 4,
        ax: Any = None,
    ) -> Self:
        """Draw a sequence and its reconstruction, whatever computed it.

        Parameters
        ----------
        sequence : array-like of shape (n_timesteps, n_features) or (n_timesteps,)
            NaN is a missing value.

        reconstruction : array-like of the same shape
            In the same units.

        feature_names : list of str, default=None
            Names of the features.

        max_features : int, default=4
            The most features that have a panel of their own.

        ax : matplotlib Axes, default=None
            A subplot, whose place the panels share; None makes a new figure.

        Returns
        -------
        display : ReconstructionDisplay
            The errors of values are absolute differences in standard deviations of each feature in
            this sequence. Those of steps and features are shares of their mean square.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import ReconstructionDisplay
        >>> x = np.sin(np.arange(50) / 5)
        >>> display = ReconstructionDisplay.from_predictions(x, 0.9 * x, feature_names=["sine"])
        >>> display.axes_[0].get_title(loc="left")
        'sine'
        """
        import_pyplot(f"{NAME}.from_predictions")
        x, x_reconstructed = (read([x])[0][0] for x in (sequence, reconstruction))
        if x.shape != x_reconstructed.shape:
            raise ValueError(
                f"reconstruction has shape {x_reconstructed.shape} as (n_timesteps, "
                f"n_features); expected {x.shape}, that of sequence."
            )
        names = getattr(sequence, "columns", None) if feature_names is None else feature_names
        spread = np.ma.masked_invalid(x).std(axis=0).filled(0.0)
        differences = np.abs(x - x_reconstructed)
        cell_errors = differences / np.where(spread > 0, spread, 1.0)
        shares = np.nan_to_num(cell_errors) ** 2 / np.count_nonzero(~np.isnan(x))
        display = cls(
            sequence=x,
            reconstruction=x_reconstructed,
            cell_errors=cell_errors,
            step_errors=shares.sum(axis=1),
            feature_errors=shares.sum(axis=0),
            feature_names=name_features(names, None, x.shape[1]),
        )
        return display.plot(ax, max_features=max_features)

    @validate_params(MAX_FEATURES, prefer_skip_nested_validation=True)
    def plot(self, ax: Any = None, *, max_features: int = 4) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A subplot, whose place the panels share; None makes a new figure.

        max_features : int, default=4
            The most features that have a panel of their own.

        Returns
        -------
        display : ReconstructionDisplay
            Itself, with the attributes that end in an underscore. They hold what was drawn, to be
            styled: ``display.strip_.set(cmap="cividis")``.
        """
        looks = [
            (self.sequence, {"color": BLACK, "label": "sequence"}),
            (self.reconstruction, {"color": VERMILLION, "label": self.name, "linestyle": "--"}),
        ]
        labels = (
            f"error of each step, {self.step_errors.sum():.3g} in all",
            "error of each feature at each step, scaled",
        )
        values = self.step_errors, self.cell_errors
        self._draw(
            ax, self.feature_errors, max_features, looks, values, labels, cmap="magma_r", vmin=0
        )
        if self.lines_:
            legend_above(self.axes_[0])
        return self
