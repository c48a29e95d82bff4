"""The layers of :mod:`skl_lstmae.modules` as ONNX's operators, of the same weights.

ONNX's LSTM knows the sequences' lengths: it ends each, and turns each round, at its own. So time
may be of any length, and each function does what the layer of its name does in evaluation mode.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skl_lstmae.export import operators as op
from skl_lstmae.export.batch import real_steps
from skl_lstmae.export.operators import Value
from skl_lstmae.modules import (
    Bottleneck,
    LSTMLayer,
    LSTMStack,
    RowActivation,
    StateBridge,
)

State = tuple[Value, Value]
"""Hidden and cell state of one layer, each (n_directions, batch, hidden_size)."""


def numbers(weight: Tensor) -> NDArray[np.float32]:
    """Return a weight as an array."""
    return weight.detach().cpu().numpy()


def linear(layer: nn.Linear, x: Value) -> Value:
    """Map the last axis in float64, as RowLinear does."""
    weight = op.constant(numbers(layer.weight).T, np.float64)
    product = op.matmul(op.as_float64(x), weight)
    return op.as_float32(op.add(product, op.constant(numbers(layer.bias), np.float64)))


def activation(layer: nn.Module, x: Value) -> Value:
    """Apply an output activation."""
    if isinstance(layer, nn.Identity):
        return x
    if isinstance(layer, nn.ReLU):
        return op.relu(x)
    assert isinstance(layer, RowActivation)
    function = op.sigmoid if layer.function is torch.sigmoid else op.tanh
    return op.as_float32(function(op.as_float64(x)))


def lstm_layer(
    layer: LSTMLayer, x: Value, lengths: Value | None, state: State | None = None
) -> tuple[Value, State]:
    """Return the outputs, (batch, time, n_directions * hidden_size), and the state at the ends."""
    return run_lstm(weights_of(layer), x, lengths, state)


Weights = tuple[NDArray[np.float32], ...]
"""Of one direction, in torch's order: of the input, of the state, and the biases of both."""


def weights_of(layer: LSTMLayer) -> list[Weights]:
    """Return the weights of each direction."""
    lstms = [layer.onward] if layer.reverse is None else [layer.onward, layer.reverse]
    names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
    return [tuple(numbers(getattr(lstm, name)) for name in names) for lstm in lstms]


def run_lstm(
    weights: Sequence[Weights],
    x: Value,
    lengths: Value | None,
    state: State | None = None,
) -> tuple[Value, State]:
    """Run ONNX's LSTM, with torch's weights of one direction, or of both.

    Without lengths, nothing is padded.
    """
    of_input, of_state, bias, other_bias = (
        np.stack([_reordered(weight) for weight in direction])
        for direction in zip(*weights, strict=True)
    )
    hidden, cell = state or (None, None)
    outputs, last_hidden, last_cell = op.lstm(
        op.transpose(x, perm=[1, 0, 2]),
        op.constant(of_input),
        op.constant(of_state),
        op.constant(np.hstack([bias, other_bias])),
        None if lengths is None else op.cast(lengths, to=np.int32),
        hidden,
        cell,
        direction="forward" if len(weights) == 1 else "bidirectional",
        hidden_size=of_state.shape[-1],
    )
    outputs = op.transpose(outputs, perm=[2, 0, 1, 3])
    outputs = op.reshape(outputs, op.axes(0, 0, len(weights) * of_state.shape[-1]))
    return outputs, (last_hidden, last_cell)


def _reordered(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """From torch's order of gates, input, forget, cell, output, to ONNX's."""
    of_input, forget, cell, output = np.split(weight, 4)
    return np.concatenate([of_input, output, forget, cell])


def lstm_stack(
    stack: LSTMStack, x: Value, lengths: Value | None, states: Sequence[State] | None = None
) -> tuple[Value, list[State]]:
    """Run all layers; return the outputs of the last, and the states of each at the ends."""
    ends = []
    for depth, layer in enumerate(stack.layers):
        assert isinstance(layer, LSTMLayer)
        x, end = lstm_layer(layer, x, lengths, states[depth] if states else None)
        ends.append(end)
    return x, ends


def mean_step(x: Value, lengths: Value) -> Value:
    """Return the mean of each sequence's real steps, (batch, feature)."""
    is_real = op.unsqueeze(real_steps(x, lengths), op.axes(2))
    real = op.where(is_real, op.as_float64(x), op.constant(0.0))
    total = op.reduce_sum(real, op.axes(1), keepdims=0)
    return op.as_float32(op.div(total, op.as_float64(op.unsqueeze(lengths, op.axes(1)))))


def max_step(x: Value, lengths: Value) -> Value:
    """Return the maximum of each sequence's real steps, (batch, feature)."""
    is_real = op.unsqueeze(real_steps(x, lengths), op.axes(2))
    real = op.where(is_real, x, op.constant(-np.inf, np.float32))
    return op.reduce_max(real, op.axes(1), keepdims=0)


def last_step(x: Value, lengths: Value) -> Value:
    """Return each sequence's last real step, (batch, feature)."""
    place = op.sub(op.unsqueeze(lengths, op.axes(1)), op.constant(1, np.int64))
    return op.gather_nd(x, place, batch_dims=1)


def previous_steps(x: Value) -> Value:
    """Delay x by one step; zeros come first."""
    nothing = op.mul(op.part(x, 1, 0, 1), op.constant(0, np.float32))
    return op.concat([nothing, op.part(x, 1, 0, -1)], axis=1)


def bottleneck(layer: Bottleneck, outputs: Value, lengths: Value) -> Value:
    """Pool the real steps and map them to the latent."""
    if layer.kind == "last":
        # A backward direction ends at the first step.
        onward = op.part(last_step(outputs, lengths), 1, 0, layer.hidden_size)
        backward = op.part(
            op.gather(outputs, op.constant(0, np.int64), axis=1), 1, layer.hidden_size
        )
        pooled = op.concat([onward, backward], axis=1)
    elif layer.kind == "mean_max":
        pooled = op.concat([mean_step(outputs, lengths), max_step(outputs, lengths)], axis=1)
    elif layer.kind == "sequence":
        pooled = outputs
    else:
        pooled = {"mean": mean_step, "max": max_step}[layer.kind](outputs, lengths)
    return linear(layer.linear, pooled)


def state_bridge(bridge: StateBridge, states: Sequence[State]) -> list[State]:
    """Return the decoder's first states."""
    if bridge.merge_hidden:
        layers = zip(bridge.merge_hidden, bridge.merge_cell, strict=True)
        states = [
            tuple(_merged(layer, part) for layer, part in zip(pair, state, strict=True))
            for pair, state in zip(layers, states, strict=True)
        ]
    return list(states[::-1])


def _merged(layer: nn.Module, part: Value) -> Value:
    """Make one direction's state, (1, batch, hidden_size), of two."""
    assert isinstance(layer, nn.Linear)
    joined = op.reshape(op.transpose(part, perm=[1, 0, 2]), op.axes(0, -1))
    return op.unsqueeze(linear(layer, joined), op.axes(0))
