"""How training went."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skl_lstmae.displays.drawing import (
    BLACK,
    BLUE,
    VERMILLION,
    check_can,
    import_pyplot,
    legend_in_headroom,
    make_ax,
)

NAME = "LossCurveDisplay"
WIDE_RANGE = 10
"""From this ratio of the largest to the smallest loss on, the scale is logarithmic."""


class LossCurveDisplay:
    """Losses of training and validation, epoch by epoch, with the best epoch marked.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    loss_curve : sequence of float
        Training loss of each epoch.

    validation_loss_curve : sequence of float, default=()
        Loss of the held-out samples after each epoch: NaN for an epoch without any. A list may end
        early.

    Attributes
    ----------
    best_epoch : int or None
        Number of the epoch with the lowest validation loss, counted from 1. `fit` keeps its
        weights. None if there are no validation losses.

    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure.

    line_, validation_line_ : Line2D or None
        The two curves.

    best_point_ : Line2D or None
        The mark of the best epoch.

    Examples
    --------
    >>> from skl_lstmae import LossCurveDisplay
    >>> display = LossCurveDisplay(
    ...     loss_curve=[0.9, 0.5, 0.4, 0.3], validation_loss_curve=[0.8, 0.5, 0.4, 0.5]
    ... )
    >>> display.plot().best_epoch
    3
    """

    def __init__(
        self, *, loss_curve: Sequence[float], validation_loss_curve: Sequence[float] = ()
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve

    @property
    def best_epoch(self) -> int | None:
        """Number of the epoch with the lowest validation loss."""
        if np.isnan(self.validation_loss_curve).all():
            return None
        return 1 + int(np.nanargmin(self.validation_loss_curve))

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the losses of a fitted detector.

        Parameters
        ----------
        estimator : LSTMAutoencoderDetector, LSTMForecastDetector or SlidingWindowDetector
            A fitted detector. For the last, the losses are those of its detector of windows.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            With copies of ``loss_curve_`` and ``validation_loss_curve_``.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LossCurveDisplay, LSTMAutoencoderDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMAutoencoderDetector(hidden_size=8, early_stopping=True, tol=0.1).fit(X)
        >>> display = LossCurveDisplay.from_estimator(detector)
        >>> display.best_epoch <= detector.n_epochs_
        True
        """
        caller = f"{NAME}.from_estimator"
        import_pyplot(caller)
        trained = getattr(estimator, "detector_", estimator)
        check_can(trained, ["loss_curve_"], caller, "LSTMAutoencoderDetector")
        display = cls(
            loss_curve=list(trained.loss_curve_),
            validation_loss_curve=list(getattr(trained, "validation_loss_curve_", ())),
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            Itself, with the attributes that end in an underscore. They hold what was drawn, to be
            styled: ``display.line_.set(linewidth=3)``.
        """
        if not len(self.loss_curve):
            raise ValueError(
                f"{NAME}.plot found no losses, as loss_curve is empty; expected those of one epoch "
                "at least."
            )
        self.ax_ = ax = make_ax(ax, f"{NAME}.plot")
        self.figure_ = ax.figure
        (self.line_,) = ax.plot(
            _epochs(self.loss_curve), self.loss_curve, ".-", color=BLUE, label="training"
        )
        self.validation_line_ = self.best_point_ = None
        if self.best_epoch is not None:
            self._draw_validation(self.best_epoch)
        losses = np.r_[self.loss_curve, self.validation_loss_curve]
        if np.nanmin(losses) > 0 and np.nanmax(losses) / np.nanmin(losses) > WIDE_RANGE:
            ax.set_yscale("log")
        ax.set(xlabel="Epoch", ylabel="Loss")
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        legend_in_headroom(ax)
        return self

    def _draw_validation(self, best_epoch: int) -> None:
        curve = self.validation_loss_curve
        (self.validation_line_,) = self.ax_.plot(
            _epochs(curve), curve, color=VERMILLION, linestyle="--", label="validation"
        )
        lowest = curve[best_epoch - 1]
        (self.best_point_,) = self.ax_.plot(
            [best_epoch],
            [lowest],
            marker="o",
            markersize=8,
            markerfacecolor="white",
            markeredgecolor=BLACK,
            markeredgewidth=1.5,
            linestyle="none",
            label=f"best epoch: {best_epoch}, {lowest:.4g}",
        )


def _epochs(curve: Sequence[float]) -> range:
    return range(1, 1 + len(curve))
