"""What a file gets, scaled and filled as a detector does it: :mod:`skl_lstmae.training.batches`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from skl_lstmae.export import operators as op
from skl_lstmae.export.operators import Value
from skl_lstmae.training.scaling import LARGEST, Scaling


class Batch(NamedTuple):
    """Right-padded sequences.

    Attributes
    ----------
    x : Value of shape (batch, time, feature), float32
        Scaled values; a missing one, and padding, repeats the last observed.
    observed : Value of shape (batch, time, feature), bool
        Neither missing nor padding.
    is_real : Value of shape (batch, time, 1), bool
        Whether a step is no padding.
    lengths : Value of shape (batch,), int64
        Numbers of real steps.
    """

    x: Value
    observed: Value
    is_real: Value
    lengths: Value


def read(x: Value, lengths: Value, scaling: Scaling, *, is_causal: bool) -> Batch:
    """Return the batch of what a file gets.

    Parameters
    ----------
    x : Value of shape (batch, time, feature), float64
        In the user's units, NaN where a value is missing.
    lengths : Value of shape (batch,), int64
    scaling : Scaling
    is_causal : bool
        As of a :class:`~skl_lstmae.training.batches.BatchBuilder`.
    """
    if scaling.left_out is not None:
        x = op.where(op.constant(scaling.left_out), op.constant(np.nan), x)
    center, divisor = map(op.constant, affine(scaling.transformer))
    scaled = op.div(op.sub(x, center), divisor)
    scaled = op.as_float32(op.clip(scaled, op.constant(-LARGEST), op.constant(LARGEST)))
    is_real = op.unsqueeze(real_steps(x, lengths), op.axes(2))
    observed = op.and_(op.not_(op.isnan(scaled)), is_real)
    mean = op.constant(scaling.mean, np.float32)
    return Batch(_filled(scaled, observed, mean, is_causal), observed, is_real, lengths)


def real_steps(x: Value, lengths: Value) -> Value:
    """Return the mask of the steps that are not padding, (batch, time)."""
    return op.less(steps_of(x), op.unsqueeze(lengths, op.axes(1)))


def steps_of(x: Value) -> Value:
    """Return the numbers of the time steps, (time,)."""
    n_timesteps = op.squeeze(op.size(x, 1))
    return op.range(op.constant(0, np.int64), n_timesteps, op.constant(1, np.int64))


def unscaled(rows: Value, scaling: Scaling) -> Value:
    """Return scaled values in the user's units, float64; NaN for features that are left out."""
    center, divisor = affine(scaling.transformer)
    if scaling.left_out is not None:
        center = np.where(scaling.left_out, np.nan, center)
    return op.add(op.mul(op.as_float64(rows), op.constant(divisor)), op.constant(center))


def _filled(x: Value, observed: Value, mean: Value, is_causal: bool) -> Value:
    """Repeat each feature's last observed value; before the first one it looks like that, or mean.

    No loop runs over time. All observed values stand in a row, feature by feature, and how many
    came before tells the place of each step's.
    """
    by_feature = op.transpose(op.cast(observed, to=np.int64), perm=[0, 2, 1])
    values = op.reshape(op.transpose(x, perm=[0, 2, 1]), op.axes(-1))
    is_observed = op.cast(op.reshape(by_feature, op.axes(-1)), to=bool)
    # The zero is for batches without any.
    values = op.concat([op.compress(values, is_observed), op.constant([0], np.float32)], axis=0)
    so_far = op.cumsum(by_feature, op.constant(2, np.int64))
    counts = op.reduce_sum(by_feature, op.axes(2))
    flat = op.cumsum(op.reshape(counts, op.axes(-1)), op.constant(0, np.int64), exclusive=1)
    first = op.reshape(flat, op.shape(counts))
    nothing = op.constant(0, np.int64)
    place = op.add(first, op.max([op.sub(so_far, op.constant(1, np.int64)), nothing]))
    repeated = op.transpose(op.gather(values, place), perm=[0, 2, 1])
    known = so_far if is_causal else counts
    is_known = op.transpose(op.greater(known, nothing), perm=[0, 2, 1])
    return op.where(is_known, repeated, mean)


Affine = tuple[NDArray[np.float64] | float, NDArray[np.float64] | float]
"""What is subtracted from each feature, and what it is then divided by."""


def _standard(scaler: StandardScaler) -> Affine:
    return scaler.mean_ if scaler.with_mean else 0.0, scaler.scale_ if scaler.with_std else 1.0


def _min_max(scaler: MinMaxScaler) -> Affine | None:
    return None if scaler.clip else (-scaler.min_ / scaler.scale_, 1 / scaler.scale_)


def _robust(scaler: RobustScaler) -> Affine:
    center = scaler.center_ if scaler.with_centering else 0.0
    return center, scaler.scale_ if scaler.with_scaling else 1.0


def _max_abs(scaler: MaxAbsScaler) -> Affine | None:
    return None if getattr(scaler, "clip", False) else (0.0, scaler.scale_)


def _identity(transformer: FunctionTransformer) -> Affine | None:
    return (0.0, 1.0) if transformer.func is None else None


AFFINE: dict[type, Callable[[Any], Affine | None]] = {
    StandardScaler: _standard,
    MinMaxScaler: _min_max,
    RobustScaler: _robust,
    MaxAbsScaler: _max_abs,
    FunctionTransformer: _identity,
}


def affine(transformer: Any) -> Affine:
    """Return what a scaler subtracts and divides by, or refuse one that does something else."""
    found = AFFINE.get(type(transformer), lambda _: None)(transformer)
    if found is None:
        raise ValueError(
            f"scaler is {transformer}, which export_onnx does not write; expected one that shifts "
            'and multiplies each feature: "standard", "minmax", "robust", MaxAbsScaler() or None. '
            "Or scale the data before the detector, and fit it with scaler=None."
        )
    return found
