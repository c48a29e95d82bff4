"""The decoder of :class:`skl_lstmae.modules.LSTMAutoencoder`, which may feed on its own past."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from skl_lstmae.export import operators as op
from skl_lstmae.export.batch import steps_of
from skl_lstmae.export.layers import (
    State,
    activation,
    linear,
    lstm_stack,
    numbers,
    previous_steps,
    run_lstm,
    weights_of,
)
from skl_lstmae.export.operators import Value
from skl_lstmae.modules import LSTMDecoder, LSTMLayer


def lstm_decoder(
    decoder: LSTMDecoder,
    latent: Value,
    lengths: Value,
    target: Value,
    states: Sequence[State] | None = None,
) -> Value:
    """Decode a latent a step, (batch, time, latent_size), to predictions of the target's shape."""
    feedback_is_linear = decoder.skip is None and isinstance(decoder.activation, nn.Identity)
    if decoder.autoregressive and feedback_is_linear and len(decoder.stack.layers) == 1:
        return _run_folded(decoder, latent, lengths, target, states)
    if decoder.autoregressive:
        return _run_freely(decoder, latent, states)
    hidden, _ = lstm_stack(decoder.stack, latent, lengths, states)
    return _predict(decoder, hidden, previous_steps(target))


def _predict(decoder: LSTMDecoder, hidden: Value, previous: Value) -> Value:
    prediction = linear(decoder.head, hidden)
    if decoder.skip is not None:
        prediction = op.add(prediction, linear(decoder.skip, previous))
    return activation(decoder.activation, prediction)


def _run_folded(
    decoder: LSTMDecoder,
    latent: Value,
    lengths: Value,
    target: Value,
    states: Sequence[State] | None,
) -> Value:
    """Make the feedback a part of the recurrence, as :class:`LSTMDecoder` does.

    That holds from the second step on. What precedes the first are zeros, not what the head makes
    of the first state, which is subtracted there: it is read where the feedback was.
    """
    head, (layer,) = decoder.head, decoder.stack.layers
    assert isinstance(layer, LSTMLayer)
    ((of_input, of_state, bias, other_bias),) = weights_of(layer)
    feedback = of_input[:, -decoder.output_size :]
    weights = (
        of_input,
        of_state + feedback @ numbers(head.weight),
        bias,
        other_bias + feedback @ numbers(head.bias),
    )
    before = op.constant(numbers(head.bias))
    if states is not None:
        before = op.unsqueeze(linear(head, op.squeeze(states[0][0], op.axes(0))), op.axes(1))
    is_first = op.unsqueeze(op.equal(steps_of(latent), op.constant(0, np.int64)), op.axes(1))
    correction = op.where(is_first, op.neg(before), op.constant(0, np.float32))
    correction = op.expand(correction, op.shape(target))
    read = op.concat([latent, correction], axis=2)
    hidden, _ = run_lstm([weights], read, lengths, states[0] if states else None)
    return linear(head, hidden)


def _run_freely(decoder: LSTMDecoder, latent: Value, states: Sequence[State] | None) -> Value:
    """Decode step by step, each from the prediction of the one before it."""
    rows = op.size(latent, 0)
    first = _zeros(rows, op.axes(decoder.output_size))
    if states is None:
        layers: Any = decoder.stack.layers
        widths = [layer.onward.hidden_size for layer in layers]
        zeros = [_zeros(op.axes(1), rows, op.axes(width)) for width in widths]
        states = [(zero, zero) for zero in zeros]
    parts = [part for state in states for part in state]

    def decode_one(i: Value, goes_on: Value, prediction: Value, *parts: Value) -> list[Value]:
        step = op.gather(latent, op.squeeze(i), axis=1)
        read = op.unsqueeze(op.concat([step, prediction], axis=1), op.axes(1))
        state = list(zip(parts[::2], parts[1::2], strict=True))
        hidden, ends = lstm_stack(decoder.stack, read, None, state)
        prediction = _predict(decoder, op.squeeze(hidden, op.axes(1)), prediction)
        return [goes_on, prediction, *(part for end in ends for part in end), prediction]

    with warnings.catch_warnings():
        # Of what a loop carries, spox knows the shapes only inside.
        warnings.filterwarnings("ignore", "Output type for variable")
        *_, predictions = op.loop(op.size(latent, 1), v_initial=[first, *parts], body=decode_one)
    return op.transpose(predictions, perm=[1, 0, 2])


def _zeros(*sizes: Value) -> Value:
    return op.expand(op.constant(0, np.float32), op.concat(sizes, axis=0))
