"""Which values of sequences made a network's outputs what they are."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.training.batches import Batch
from skl_lstmae.training.model import Model


def integrated_gradients(
    model: Model, sequences: Sequences, weights: NDArray[Any], step: int | None, n_steps: int
) -> NDArray[np.float64]:
    """Return the integrated gradients [1]_ of weighted sums of the outputs.

    Where there are outputs at each step, the sums are those of one step, or their mean.

    They add up to the difference between the sum for the sequence and that for one of which every
    step is the mean of the training data, but for the rounding of an integral by midpoints.

    Parameters
    ----------
    model : Model
        Of a network that predicts a target of each sequence, or of each step.
    sequences : Sequences
        To be explained.
    weights : ndarray of shape (n_sequences, n_outputs)
        Of the outputs of each.
    step : int or None
        Whose outputs count, from the end if negative; None means all steps alike.
    n_steps : int
        Midpoints on the way from the mean to the sequence.

    Returns
    -------
    attributions : ndarray of shape (total_timesteps, n_features)
        NaN where a value is missing: what it would add counts for the value that stands in for it.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", ICML 2017,
       :doi:`10.48550/arXiv.1703.01365`.
    """
    attributions = np.empty((sequences.lengths.sum(), sequences.n_features))
    mean = torch.from_numpy(model.scaling.mean.astype(np.float32)).to(model.device)
    # Its kernels only go backward in training mode.
    with torch.backends.cudnn.flags(enabled=False):
        for batch in model.batches.scoring_batches(sequences):
            weight = torch.from_numpy(weights[batch.indices].astype(np.float32)).to(model.device)
            gradient = torch.zeros_like(batch.x)
            for share in (np.arange(n_steps) + 0.5) / n_steps:
                x = (mean + share * (batch.x - mean)).requires_grad_()
                output = _of_sequences(model.network(x, batch.lengths).prediction, batch, step)
                gradient += torch.autograd.grad((output * weight).sum(), x)[0] / n_steps
            cells = (gradient * (batch.x - mean)).cpu().numpy().astype(np.float64)
            rows = _credited(cells, batch)
            attributions[sequences.positions(batch.indices)] = rows
    return attributions


def _of_sequences(outputs: Tensor, batch: Batch, step: int | None) -> Tensor:
    """Return the outputs of sequences, (batch, n_outputs): of one step of each, or their mean."""
    if outputs.dim() == 2:
        return outputs
    lengths = batch.lengths[:, None]
    steps = torch.arange(outputs.shape[1], device=outputs.device)
    if step is None:
        shares = (steps < lengths) / lengths
    else:
        shares = (steps == (step if step >= 0 else lengths + step)).to(outputs.dtype)
    return (outputs * shares[..., None]).sum(dim=1)


def _credited(cells: NDArray[np.float64], batch: Batch) -> NDArray[np.float64]:
    """Return the real steps' attributions, those of missing values credited to what they repeat."""
    observed, lengths = batch.observed.cpu().numpy(), batch.lengths.cpu().numpy()
    steps = np.arange(cells.shape[1])[:, np.newaxis]
    source = np.maximum.accumulate(np.where(observed, steps, -1), axis=1)
    source = np.where(source < 0, observed.argmax(axis=1)[:, np.newaxis], source)
    is_real = np.broadcast_to((steps < lengths).T[..., np.newaxis], cells.shape)
    sequence, _, feature = np.nonzero(is_real)
    total = np.zeros_like(cells)
    np.add.at(total, (sequence, source[is_real], feature), cells[is_real])
    total[~observed] = np.nan
    return total[is_real[..., 0]]
