"""Files that run where there is neither Python nor torch."""

from os import PathLike
from typing import Any

from sklearn.utils.validation import check_is_fitted

from skl_lstmae._warn import warn
from skl_lstmae.detectors.judge import Judge


class ExportedDetectorMixin:
    """Writes a detector of sequences as an ONNX file."""

    _judge: Judge

    def export_onnx(self, path: str | PathLike[str]) -> None:
        """Write the fitted detector as an ONNX file, which scores without Python and torch.

        The file takes batches of any size and any number of time steps:

        - ``x``, float64 ``(batch, time, feature)``: sequences in the units of the training data,
          NaN where a value is missing; what stands beyond a sequence's length is not read.
          Sequences of several variables with features each are flattened.
        - ``lengths``, int64 ``(batch,)``: numbers of real steps, 1 at least.

        It returns

        - ``reconstruction``, of a forecaster ``prediction``, float64 ``(batch, time, feature)``: in
          the units of ``x``, NaN beyond a sequence's length;
        - ``latent``, float32 ``(batch, latent_size)``: as `transform` does;
        - ``error``, float64 ``(batch,)``: the mean loss of a sequence's observed cells;
        - ``score``, float64 ``(batch,)``: as `score_samples`, if the scorer is one of this package;
        - ``label``, int64 ``(batch,)``: as `predict`; not for a detector of windows, whose
          threshold is that of rows.

        These values differ from those of torch by rounding. A sequence without any observed value,
        which a detector refuses, gets NaN as its error and score, and the label -1. The metadata
        name the version of this package, the class of the detector, the features and the
        ``threshold``, which is the offset of the label.

        Parameters
        ----------
        path : str or path-like
            The file to write. Writing needs spox; any runtime of ONNX runs the file.

        Raises
        ------
        ValueError
            If `network`, `scaler` or `loss` is one of your own: ONNX has no operators for it.

        Warns
        -----
        UserWarning
            If the file has no score, because the scorer is one of your own, or because a forecaster
            judges sequences by their worst pieces.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMForecastDetector
        >>> phases = np.random.default_rng(0).uniform(0, 6, size=(40, 1))
        >>> X = np.sin(phases + np.arange(30) / 3)
        >>> detector = LSTMForecastDetector(hidden_size=16, random_state=0).fit(X)
        >>> detector.export_onnx("detector.onnx")  # doctest: +SKIP
        """
        # With what draws graphs, which others do without.
        from skl_lstmae.export.file import judged, write
        from skl_lstmae.export.scorers import can_write

        check_is_fitted(self)
        judge, scorer = self._judge, None
        if type(judge) is not Judge:
            warn(
                f"{path} has no score and no label: this detector was fitted to long sequences, "
                "and judges others by their worst pieces, which a file does not cut."
            )
        elif not can_write(judge.scorer):
            warn(
                f"{path} has no score and no label: the scorer {judge.scorer!r} is not one of this "
                "package, which export_onnx writes; compute them from the other outputs."
            )
        else:
            scorer = judge.scorer
        told = {"detector": type(self).__name__, "threshold": judge.offset}
        write(path, judge.model, judged(scorer, judge.offset), told)


class ExportedPredictorMixin:
    """Writes what predicts a target as an ONNX file."""

    _predictor: Any

    def export_onnx(self, path: str | PathLike[str]) -> None:
        """Write the fitted estimator as an ONNX file, which predicts without Python and torch.

        The file takes batches of any size and any number of time steps:

        - ``x``, float64 ``(batch, time, feature)``: sequences in the units of the training data,
          NaN where a value is missing; what stands beyond a sequence's length is not read.
        - ``lengths``, int64 ``(batch,)``: numbers of real steps, 1 at least.

        It returns

        - of a classifier, ``label``, of the type of the classes, ``(batch,)``, and ``probability``,
          float64 ``(batch, n_classes)``;
        - of a regressor, ``prediction``, float64 ``(batch,)`` or ``(batch, n_outputs)``, or that of
          each step, ``(batch, time)`` or ``(batch, time, n_outputs)``, NaN beyond a sequence's
          length;
        - ``latent``, float32 ``(batch, latent_size)``: as `transform` does.

        These values differ from those of torch by rounding. The metadata name the version of this
        package, the class of the estimator and the features.

        Parameters
        ----------
        path : str or path-like
            The file to write. Writing needs spox; any runtime of ONNX runs the file.

        Raises
        ------
        ValueError
            If `network` or `scaler` is one of your own: ONNX has no operators for it.

        Examples
        --------
        >>> import numpy as np
        >>> from skl_lstmae import LSTMClassifier
        >>> X, y = np.random.default_rng(0).normal(size=(40, 12)), np.arange(40) % 2
        >>> X[y == 1] += 2
        >>> classifier = LSTMClassifier(hidden_size=8, random_state=0).fit(X, y)
        >>> classifier.export_onnx("classifier.onnx")  # doctest: +SKIP
        """
        from skl_lstmae.export.file import predicted, write

        check_is_fitted(self)
        predictor = self._predictor
        told = {"detector": type(self).__name__}
        write(path, predictor.model, predicted(predictor.meaning), told)
