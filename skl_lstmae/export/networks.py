"""The networks of :mod:`skl_lstmae.modules`: a batch in, an :class:`Output` of values out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from skl_lstmae.export import operators as op
from skl_lstmae.export.batch import Batch
from skl_lstmae.export.decoder import lstm_decoder
from skl_lstmae.export.layers import (
    activation,
    bottleneck,
    linear,
    lstm_stack,
    mean_step,
    previous_steps,
    state_bridge,
)
from skl_lstmae.export.operators import Value
from skl_lstmae.modules import (
    LSTMAutoencoder,
    LSTMForecaster,
    LSTMPredictor,
    NetworkEnsemble,
    Output,
    SequenceNetwork,
)
from skl_lstmae.modules.predictor import SCALE_OF_CHANGES


def autoencoder(network: LSTMAutoencoder, batch: Batch) -> Output:
    """Encode and reconstruct."""
    x, lengths = batch.x, batch.lengths
    outputs, ends = lstm_stack(network.encoder, x, lengths)
    latent = bottleneck(network.bottleneck, outputs, lengths)
    states, read = None, latent
    if network.bridge is not None:
        states = state_bridge(network.bridge, ends)
    if network.bottleneck.kind != "sequence":
        sizes = [op.size(x, 0), op.size(x, 1), op.axes(network.latent_size)]
        read = op.expand(op.unsqueeze(latent, op.axes(1)), op.concat(sizes, axis=0))
    return Output(lstm_decoder(network.decoder, read, lengths, x, states), latent, outputs)


def forecaster(network: LSTMForecaster, batch: Batch) -> Output:
    """Predict each step from those before it."""
    outputs, _ = lstm_stack(network.stack, previous_steps(batch.x), batch.lengths)
    prediction = activation(network.activation, linear(network.head, outputs))
    return Output(prediction, outputs, outputs)


def predictor(network: LSTMPredictor, batch: Batch) -> Output:
    """Predict a target."""
    x = batch.x
    if network.differences:
        # The first step is compared with itself.
        before = op.concat([op.part(x, 1, 0, 1), op.part(x, 1, 0, -1)], axis=1)
        changes = op.mul(op.sub(x, before), op.constant(SCALE_OF_CHANGES, np.float32))
        x = op.concat([x, changes], axis=2)
    states, _ = lstm_stack(network.encoder, x, batch.lengths)
    latent = bottleneck(network.bottleneck, states, batch.lengths)
    return Output(linear(network.head, latent), latent, states)


def ensemble(network: NetworkEnsemble, batch: Batch) -> Output:
    """Average the predictions of networks."""
    outputs = [run(each, batch) for each in network.networks]
    predictions, latents, states = zip(*outputs, strict=True)
    total = op.sum(predictions)
    mean = op.div(total, op.constant(len(predictions), np.float32))
    return Output(mean, op.concat(latents, axis=-1), op.concat(states, axis=-1))


WRITERS: dict[type, Callable[[Any, Batch], Output]] = {
    LSTMAutoencoder: autoencoder,
    LSTMForecaster: forecaster,
    LSTMPredictor: predictor,
    NetworkEnsemble: ensemble,
}


def run(network: SequenceNetwork, batch: Batch) -> Output:
    """Return what a network makes of a batch, or refuse a network of the user's own."""
    kind = type(network)
    if kind not in WRITERS:
        raise ValueError(
            f"network is a {kind.__name__}, whose operations export_onnx does not know; expected "
            "one of skl_lstmae.modules: export module_ by torch.onnx.export, which gets and gives "
            "scaled values."
        )
    return WRITERS[kind](network, batch)


def one_vector(latent: Value, batch: Batch) -> Value:
    """Average a latent that is a sequence."""
    is_sequence = len(latent.unwrap_tensor().shape) == 3
    return mean_step(latent, batch.lengths) if is_sequence else latent
