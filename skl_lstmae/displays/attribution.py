"""A sequence, and which of its values speak for or against what is predicted of it."""

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skl_lstmae._sklearn import validate_params
from skl_lstmae.detectors.predictor import EXPLAINED, attribute
from skl_lstmae.detectors.trained import read_with
from skl_lstmae.displays.drawing import (
    BLACK,
    MAX_FEATURES,
    check_can,
    check_index,
    import_pyplot,
    name_features,
)
from skl_lstmae.displays.sequence_panels import SequencePanels

NAME = "AttributionDisplay"


class AttributionDisplay(SequencePanels):
    """A sequence, what each step adds to a prediction, and what each value adds.

    The features that add most have panels of their own. A strip of colours, features by time, shows
    all features. It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    sequence : ndarray of shape (n_timesteps, n_features)
        NaN is a missing value, and drawn as a gap.

    attributions : ndarray of shape (n_timesteps, n_features)
        What each value adds; NaN for missing ones.

    feature_names : list of str
        Names of the features.

    prediction : str, default="the prediction"
        What the attributions are of.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The panels, top to bottom.

    ax_ : matplotlib Axes
        The axes whose place the panels share.

    figure_ : matplotlib Figure
        The figure.

    features_ : ndarray of int
        Numbers of the features that have a panel, that of the largest attributions first.

    lines_ : list of Line2D
        The sequence in each of these panels.

    steps_ : StepPatch
        What the steps add.

    strip_ : QuadMesh
        What the values add.

    See Also
    --------
    ReconstructionDisplay : Where in a sequence a detector finds an anomaly.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import AttributionDisplay, LSTMClassifier
    >>> X, y = np.random.default_rng(0).normal(size=(60, 12)), np.arange(60) % 2
    >>> X[y == 1, 5] += 5
    >>> classifier = LSTMClassifier(hidden_size=8, random_state=0).fit(X, y)
    >>> display = AttributionDisplay.from_estimator(classifier, X, index=1)
    >>> int(display.attributions[:, 0].argmax()), display.prediction
    (5, 'class 1')
    """

    def __init__(
        self,
        *,
        sequence: NDArray[Any],
        attributions: NDArray[Any],
        feature_names: Sequence[str],
        prediction: str = "the prediction",
    ) -> None:
        self.sequence = sequence
        self.attributions = attributions
        self.feature_names = feature_names
        self.prediction = prediction

    @classmethod
    @validate_params(
        {**MAX_FEATURES, "step": EXPLAINED["step"]}, prefer_skip_nested_validation=True
    )
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        index: int = 0,
        target: Any = None,
        step: int | None = None,
        feature_names: Sequence[str] | None = None,
        max_features: int = 4,
        ax: Any = None,
    ) -> Self:
        """Draw which values of a sequence speak for a class, or raise a number.

        Parameters
        ----------
        estimator : LSTMClassifier or LSTMRegressor
            A fitted classifier or regressor.

        X : sequences
            In any of the forms that the estimator takes.

        index : int, default=0
            Which sequence of X to draw.

        target : object, default=None
            The class, or the number of the output, to explain. None means the class that is
            predicted, or the first output.

        step : int, default=None
            With a target for each step, the step whose prediction is drawn, -1 for the last; None
            means the mean of all.

        feature_names : list of str, default=None
            Names of the features; None means those the estimator was fitted with, if any.

        max_features : int, default=4
            The most features that have a panel of their own.

        ax : matplotlib Axes, default=None
            A subplot, whose place the panels share; None makes a new figure.

        Returns
        -------
        display : AttributionDisplay
            With what the method ``attributions`` of the estimator returns.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import AttributionDisplay, LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(60, 12))
        >>> regressor = LSTMRegressor(hidden_size=8, max_epochs=5, random_state=0)
        >>> regressor = regressor.fit(X, X[:, 7])
        >>> display = AttributionDisplay.from_estimator(regressor, X, index=3)
        >>> display.attributions.shape, display.prediction
        ((12, 1), 'the prediction')
        """
        caller = f"{NAME}.from_estimator"
        import_pyplot(caller)
        check_can(estimator, ["attributions"], caller, "LSTMClassifier or LSTMRegressor")
        estimator = copy(estimator)  # one state, although another thread may fit meanwhile
        predictor, sequences, _ = read_with(estimator, X)
        check_index(index, len(sequences), "sequences")
        cells, (name,) = attribute(estimator, predictor, sequences.alone(index), target, step)
        display = cls(
            sequence=sequences[index],
            attributions=cells,
            feature_names=name_features(feature_names, estimator, cells.shape[1]),
            prediction=name,
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
        display : AttributionDisplay
            Itself, with the attributes that end in an underscore. They hold what was drawn, to be
            styled: ``display.strip_.set(cmap="PuOr")``.
        """
        cells = np.nan_to_num(self.attributions)
        most = float(np.abs(cells).max()) or 1.0
        labels = (
            f"what each step adds to {self.prediction}, {cells.sum():.3g} in all",
            "what each feature adds at each step: red is for, blue against",
        )
        values = cells.sum(axis=1), self.attributions
        style = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
        looks = [(self.sequence, {"color": BLACK})]
        self._draw(ax, np.abs(cells).sum(axis=0), max_features, looks, values, labels, **style)
        self.lines_ = [line for (line,) in self.lines_]
        return self
