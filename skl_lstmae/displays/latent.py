"""Latents in two dimensions."""

from typing import Any, Self

import numpy as np
import sklearn
from numpy.typing import ArrayLike, NDArray

from skl_lstmae._sklearn import is_pandas_na
from skl_lstmae.detectors.base import SequenceDetector
from skl_lstmae.detectors.trained import read_with
from skl_lstmae.displays.drawing import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
    check_can,
    check_length,
    import_pyplot,
    legend_in_headroom,
    literal,
    make_ax,
    point_look,
    show_in_full,
)

NAME = "LatentDisplay"
COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
MARKERS = "o^sDvX<P*>p"  # labels that share a colour, seven apart, are never both triangles

MAX_NAMES = 20
"""The most labels that a legend names, the most frequent ones."""


class LatentDisplay:
    """Latents of sequences, projected on two dimensions and coloured by score or label.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    points : ndarray of shape (n_sequences, 2)
        The first two principal components of the latents.

    explained_variance_ratio : ndarray of shape (2,)
        Their shares of the variance of the latents.

    scores : ndarray of shape (n_sequences,), default=None
        Higher is more normal.

    offset : float, default=None
        The threshold: sequences with lower scores are marked as anomalous.

    y : ndarray of shape (n_sequences,), default=None
        Labels of any kind, None for a sequence without one. With labels, scores are not drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.

    figure_ : matplotlib Figure
        The figure.

    points_ : dict from object to PathCollection
        The points of each label, or of None for sequences without one. Without any labels, the
        points of "normal" and "anomalous" sequences.

    See Also
    --------
    LSTMAutoencoderDetector.transform : The latents.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstmae import LatentDisplay, LSTMAutoencoderDetector
    >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
    >>> X = np.sin(phases + np.arange(30) / 3)
    >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0).fit(X)
    >>> display = LatentDisplay.from_estimator(detector, X)
    >>> display.points.shape
    (40, 2)
    """

    def __init__(
        self,
        *,
        points: NDArray[Any],
        explained_variance_ratio: NDArray[Any],
        scores: NDArray[np.float64] | None = None,
        offset: float | None = None,
        y: NDArray[Any] | None = None,
    ) -> None:
        self.points = points
        self.explained_variance_ratio = explained_variance_ratio
        self.scores = scores
        self.offset = offset
        self.y = y

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike | None = None, *, ax: Any = None
    ) -> Self:
        """Draw the latents of sequences in a fitted detector.

        Parameters
        ----------
        estimator : LSTMAutoencoderDetector
            A fitted detector.

        X : sequences
            In any of the forms that the estimator takes; at least two.

        y : array-like of shape (n_sequences,), default=None
            Labels of any kind to colour the points by; None or NaN means no label. The legend names
            the twenty most frequent ones. Without `y`, scores colour the points, and those below
            the threshold are marked.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LatentDisplay
            The picture and what it shows.

        Examples
        --------
        >>> from skl_lstmae import LatentDisplay, LSTMAutoencoderDetector
        >>> from skl_lstmae.datasets import load_japanese_vowels
        >>> vowels = load_japanese_vowels(anomalous_speaker=1)
        >>> detector = LSTMAutoencoderDetector(hidden_size=16, random_state=0)
        >>> detector.fit(vowels.X_train)
        LSTMAutoencoderDetector(...)
        >>> display = LatentDisplay.from_estimator(detector, vowels.X_test, vowels.speaker_test)
        >>> len(display.points_)
        9
        """
        caller = f"{NAME}.from_estimator"
        import_pyplot(caller)
        check_can(estimator, ["transform"], caller, "LSTMAutoencoderDetector")
        if y is not None:
            return cls.from_predictions(estimator.transform(X), y=y, ax=ax)
        check_can(estimator, ["score_samples"], caller, "LSTMAutoencoderDetector")
        if isinstance(estimator, SequenceDetector):
            judge, sequences, _ = read_with(estimator, X)
            (latents, scores), offset = judge.latents_and_scores(sequences), judge.offset
        else:  # a pipeline that ends with one
            latents, scores = estimator.transform(X), estimator.score_samples(X)
            offset = getattr(estimator, "offset_", None)
        return cls.from_predictions(latents, scores=scores, offset=offset, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        latents: ArrayLike,
        *,
        scores: ArrayLike | None = None,
        offset: float | None = None,
        y: ArrayLike | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw latents, whatever computed them.

        Parameters
        ----------
        latents : array-like of shape (n_sequences, latent_size)
            At least two rows and two columns.

        scores : array-like of shape (n_sequences,), default=None
            Scores to colour the points by; higher is more normal.

        offset : float, default=None
            The threshold: points with lower scores are marked as anomalous.

        y : array-like of shape (n_sequences,), default=None
            Labels of any kind to colour the points by instead; None or NaN means no label.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LatentDisplay
            The picture and what it shows.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LatentDisplay
        >>> latents = np.random.default_rng(0).normal(size=(30, 8))
        >>> display = LatentDisplay.from_predictions(latents, y=["a"] * 20 + ["b"] * 10)
        >>> sorted(display.points_)
        ['a', 'b']
        """
        import_pyplot(f"{NAME}.from_predictions")
        latents = np.asarray(latents, dtype=np.float64)
        if latents.ndim != 2 or min(latents.shape) < 2:
            raise ValueError(
                f"the latents have shape {latents.shape}; expected (n_sequences, latent_size), two "
                "at least of each."
            )
        is_finite = np.isfinite(latents).all(axis=1)
        if not is_finite.all():
            raise ValueError(
                f"the latents of {np.sum(~is_finite)} sequences, the first of them "
                f"#{is_finite.argmin()}, hold values that are not finite; leave these sequences "
                "out."
            )
        pca = sklearn.decomposition.PCA(n_components=2, svd_solver="full")
        # Of latents without any variance, nothing has 0 %.
        with np.errstate(invalid="ignore"):
            points = pca.fit_transform(latents)
        n_points = len(points)
        display = cls(
            points=points,
            explained_variance_ratio=np.nan_to_num(pca.explained_variance_ratio_),
            scores=None if scores is None else check_length(scores, n_points, "scores", "sequence"),
            offset=offset,
            y=None if y is None else _read_labels(y, n_points),
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
        display : LatentDisplay
            Itself, with the attributes that end in an underscore. They hold what was drawn, to be
            styled: ``display.ax_.set_title("latents")``.
        """
        self.ax_ = ax = make_ax(ax, f"{NAME}.plot")
        self.figure_ = ax.figure
        self.points_: dict[Any, Any] = {}
        if self.y is not None:
            self._draw_labels(self.y)
        elif self.scores is not None:
            self._draw_scores(self.scores)
        else:
            self.points_["normal"] = ax.scatter(
                *self.points.T, color=BLUE, **point_look(len(self.points), 20)
            )
        first, second = self.explained_variance_ratio
        ax.set(
            xlabel=f"Component 1 ({first:.0%} of the variance)",
            ylabel=f"Component 2 ({second:.0%} of the variance)",
        )
        return self

    def _draw_labels(self, y: NDArray[Any]) -> None:
        unlabelled = np.array([label is None for label in y])
        if unlabelled.any():
            self.points_[None] = self.ax_.scatter(
                *self.points[unlabelled].T, color="0.6", marker=".", s=16, label="no label"
            )
        labels, members = _group(y)
        n_points = len(self.points)
        by_frequency = sorted(range(len(labels)), key=lambda i: -len(members[i]))
        for rank, i in enumerate(by_frequency):  # the rare ones on top
            marker = MARKERS[rank % len(MARKERS)]
            self.points_[labels[i]] = self.ax_.scatter(
                *self.points[members[i]].T,
                color=COLORS[rank % len(COLORS)],
                marker=marker,
                edgecolor="white",
                label=literal(labels[i]),
                **point_look(n_points, 90 if marker == "*" else 36),  # a star has little area
            )
        named = [labels[i] for i in sorted(by_frequency[:MAX_NAMES])]
        named += [None] if unlabelled.any() else []
        n_more = len(labels) - MAX_NAMES
        legend = self.ax_.legend(
            handles=[self.points_[label] for label in named],
            title=f"{n_more} rarer not named" if n_more > 0 else None,
            loc="upper left",
            bbox_to_anchor=(1, 1),
            frameon=False,
            fontsize="medium" if len(labels) <= 12 else "small",
            title_fontsize="small",
        )
        show_in_full(legend)

    def _draw_scores(self, scores: NDArray[np.float64]) -> None:
        is_anomalous = scores < (-np.inf if self.offset is None else self.offset)
        looks = {
            "normal": (~is_anomalous, 24, {"marker": "o", "edgecolor": "white"}),
            "anomalous": (is_anomalous, 50, {"marker": "X", "edgecolor": BLACK}),
        }
        for name, (chosen, size, look) in looks.items():
            self.points_[name] = self.ax_.scatter(
                *self.points[chosen].T,
                c=scores[chosen],
                cmap="viridis",
                vmin=scores.min(),
                vmax=scores.max(),
                label=f"{name} ({chosen.sum()})",
                **point_look(chosen.sum(), size) | look,
            )
        bar = self.figure_.colorbar(
            self.points_["normal"], ax=self.ax_, label="Score, higher is more normal"
        )
        bar.solids.set(alpha=1)
        if self.offset is not None:
            legend_in_headroom(self.ax_)


def _read_labels(y: Any, n_expected: int) -> NDArray[Any]:
    """Return labels as they are, which one array of numpy would make all text, and None for NaN."""
    labels = check_length(np.array(y, dtype=object), n_expected, "y", "sequence")
    labels[[_is_missing(label) for label in labels]] = None
    return labels


def _is_missing(label: Any) -> bool:
    return label is None or is_pandas_na(label) or bool(label != label)


def _group(y: NDArray[Any]) -> tuple[list[Any], list[list[int]]]:
    """Return the labels in order, by their text if they do not compare, and the places of each."""
    places: dict[Any, list[int]] = {}
    for i, label in enumerate(y):
        if label is not None:
            places.setdefault(label, []).append(i)
    try:
        labels = sorted(places)
    except TypeError:
        labels = sorted(places, key=str)
    return labels, [places[label] for label in labels]
