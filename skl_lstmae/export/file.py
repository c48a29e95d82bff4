"""From a trained model to a file: what it reads, what it returns, what it says of itself."""

import json
from collections.abc import Callable
from os import PathLike, fspath
from typing import Any

import numpy as np

from skl_lstmae._version import __version__
from skl_lstmae.data.classes import Classes
from skl_lstmae.data.numeric_targets import Numbers
from skl_lstmae.export import operators as op
from skl_lstmae.export.batch import Batch, read, unscaled
from skl_lstmae.export.layers import max_step
from skl_lstmae.export.networks import one_vector, run
from skl_lstmae.export.operators import Value
from skl_lstmae.export.outcome import Outcome
from skl_lstmae.export.scorers import score
from skl_lstmae.modules import Output
from skl_lstmae.training.model import Model

Outputs = dict[str, Value]
"""What a file returns, by name."""


def write(
    path: str | PathLike[str],
    model: Model,
    outputs_of: Callable[[Model, Batch, Output], Outputs],
    metadata: dict[str, Any],
) -> None:
    """Write a file that reads sequences, and returns what becomes of them.

    Parameters
    ----------
    path : str or path-like
    model : Model
    outputs_of : callable
        Says what to return of a model, a batch, and what its network makes of it.
    metadata : dict
        What the file says of itself: text as it is, anything else in JSON.
    """
    spox, _ = op.import_spox()
    import onnx

    shape = "batch", "time", model.n_features
    x = spox.argument(spox.Tensor(np.float64, shape))
    lengths = spox.argument(spox.Tensor(np.int64, ("batch",)))
    batch = read(x, lengths, model.scaling, is_causal=model.network.is_causal)
    outputs = outputs_of(model, batch, run(model.network, batch))
    file = spox.build({"x": x, "lengths": lengths}, outputs)
    file.producer_name, file.producer_version = "skl_lstmae", __version__
    names = list(model.scaling.names)
    told = {"skl_lstmae_version": __version__, "feature_names": names, **metadata}
    onnx.helper.set_model_props(
        file, {key: v if isinstance(v, str) else json.dumps(v) for key, v in told.items()}
    )
    onnx.save(file, fspath(path))


def judged(scorer: Any, offset: float | None) -> Callable[[Model, Batch, Output], Outputs]:
    """Return what a file of a detector returns: predictions, latent, error, score and label.

    Without a scorer it has no score, and without an offset no label.
    """

    def outputs_of(model: Model, batch: Batch, output: Output) -> Outputs:
        latent = one_vector(output.latent, batch)
        peaks = max_step(output.states, batch.lengths)
        outcome = Outcome.of(model.loss, batch, output.prediction, latent, peaks)
        name = "prediction" if model.network.is_causal else "reconstruction"
        steps = op.where(
            batch.is_real, unscaled(output.prediction, model.scaling), op.constant(np.nan)
        )
        error = outcome.mean_error()
        outputs = {name: steps, "latent": latent, "error": error}
        if scorer is not None:
            # A sequence without any data, which a detector refuses, is not more normal than others.
            scores = op.where(op.isnan(error), error, score(scorer, outcome))
            outputs["score"] = scores
            if offset is not None:
                is_normal = op.greater_or_equal(scores, op.constant(offset))
                labels = op.constant(1, np.int64), op.constant(-1, np.int64)
                outputs["label"] = op.where(is_normal, *labels)
        return outputs

    return outputs_of


def predicted(meaning: Classes | Numbers) -> Callable[[Model, Batch, Output], Outputs]:
    """Return what a file returns that predicts a target: classes, or numbers, and the latent."""

    def outputs_of(model: Model, batch: Batch, output: Output) -> Outputs:
        target = op.as_float64(output.prediction)
        latent = one_vector(output.latent, batch)
        if isinstance(meaning, Classes):
            number = op.arg_max(target, axis=1, keepdims=0)
            probability = op.softmax(target, axis=1)
            label = op.gather(op.constant(meaning.labels), number)
            return {"label": label, "probability": probability, "latent": latent}
        numbers = op.add(op.mul(target, op.constant(meaning.units)), op.constant(meaning.mean))
        if meaning.per_step:
            numbers = op.where(batch.is_real, numbers, op.constant(np.nan))
        if meaning.is_single:
            numbers = op.squeeze(numbers, op.axes(-1))
        return {"prediction": numbers, "latent": latent}

    return outputs_of
