"""A network over sequences."""

import numpy as np
import pytest
import torch

from skl_lstmae._batches import BatchBuilder
from skl_lstmae._inference import Inference
from skl_lstmae._losses import squared_error
from skl_lstmae._scaling import fit_scaling
from skl_lstmae._scoring import Residuals
from skl_lstmae._sequences import Sequences, read_sequences
from skl_lstmae.modules import LSTMAutoencoder


def make_inference(sequences, **architecture):
    torch.manual_seed(0)
    module = LSTMAutoencoder(sequences.n_features, 8, 4, **architecture).eval()
    scaling = fit_scaling("standard", sequences)
    builder = BatchBuilder(scaling, module.width, torch.device("cpu"))
    return Inference(module, builder, squared_error)


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return read_sequences([rng.normal(5, 2, size=(n, 2)) for n in rng.integers(1, 30, 150)])[0]


def test_results_come_in_the_order_of_the_sequences(sequences):
    inference = make_inference(sequences)
    scaling = inference.builder.scaling
    rows = inference.predictions(sequences)
    latents = inference.latents(sequences)
    for i in (0, 7, 149):
        x = torch.from_numpy(scaling.transform(sequences[i])).unsqueeze(0)
        with torch.inference_mode():
            prediction, latent = inference.module(x)
        own_rows = rows[sequences.positions(np.array([i]))]
        np.testing.assert_array_equal(own_rows, scaling.inverse_transform(prediction[0].numpy()))
        np.testing.assert_array_equal(latents[i], latent[0].numpy())


def test_overlapping_sequences_have_results_of_their_own():
    values = np.random.default_rng(0).normal(size=(40, 1))
    windows = Sequences(values, np.arange(31), np.full(31, 10))
    inference = make_inference(windows)
    rows = inference.predictions(windows).reshape(31, 10)
    alone, _ = read_sequences([values[5:15]])
    np.testing.assert_array_equal(inference.predictions(alone)[:, 0], rows[5])


def test_the_latent_of_a_sequence_of_latents_is_their_mean(sequences):
    inference = make_inference(sequences, bottleneck="sequence")
    x = torch.from_numpy(inference.builder.scaling.transform(sequences[3])).unsqueeze(0)
    with torch.inference_mode():
        expected = inference.module.encode(x)[0].mean(dim=0)
    np.testing.assert_allclose(inference.latents(sequences)[3], expected, rtol=1e-5, atol=1e-7)


def test_residuals_hold_the_loss_of_observed_cells(sequences):
    sequences.values[3, 1] = np.nan
    inference = make_inference(sequences)
    errors = inference.summaries(sequences, Residuals.feature_shares).sum(axis=1)
    scaled = inference.builder.scaling.transform(sequences[0])
    predicted = inference.builder.scaling.transform(inference.predictions(sequences))
    own = predicted[sequences.positions(np.array([0]))]
    np.testing.assert_allclose(errors[0], np.nanmean(np.square(scaled - own)), rtol=1e-4)
    shares = inference.timestep_shares(sequences)
    np.testing.assert_allclose(
        np.add.reduceat(shares, np.cumsum(sequences.lengths) - sequences.lengths), errors
    )


def test_peaks_are_the_maxima_of_the_encoder_outputs(sequences):
    inference = make_inference(sequences, bidirectional="encoder")
    peaks = inference.summaries(sequences, lambda residuals: residuals.peaks)
    x = torch.from_numpy(inference.builder.scaling.transform(sequences[9])).unsqueeze(0)
    with torch.inference_mode():
        *_, states = inference.module.forward_with_states(x)
    np.testing.assert_array_equal(peaks[9], states[0].amax(dim=0))
