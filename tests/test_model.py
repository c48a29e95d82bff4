"""A network over sequences, with all that it takes to run it."""

import numpy as np
import pytest
import torch
from conftest import make_ragged
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstmae.data.reading import read
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.modules import LSTMAutoencoder
from skl_lstmae.scoring import Outcome
from skl_lstmae.training import calls, rows
from skl_lstmae.training.model import Model
from skl_lstmae.training.scaling import fit_scaling


def make_model(sequences, **architecture):
    network = LSTMAutoencoder(sequences.n_features, 8, 4, **architecture).eval()
    scaling = fit_scaling("standard", sequences)
    return Model(network, scaling, "squared_error", torch.device("cpu"))


@pytest.mark.parametrize("architecture", [{"bidirectional": "encoder"}, {"bottleneck": "sequence"}])
def test_results_are_those_of_each_sequence_alone_in_their_order(architecture):
    sequences = read(make_ragged(150, 1, 30))[0]
    model = make_model(sequences, **architecture)
    predictions, latents = model.predictions(sequences), model.latents(sequences)
    (peaks,) = model.summaries(sequences, lambda outcome: outcome.peaks)
    for i in (0, 7, 149):
        x = torch.from_numpy(model.scaling.transform(sequences[i])).unsqueeze(0)
        with torch.inference_mode():
            output = model.network(x)
        expected = model.scaling.inverse_transform(output.prediction[0].numpy())
        assert_array_equal(predictions[sequences.positions(np.array([i]))], expected)
        latent = output.latent.reshape(-1, 4).mean(dim=0)  # one, or the mean of one a step
        assert_allclose(latents[i], latent, rtol=1e-5, atol=1e-7)
        assert_array_equal(peaks[i], output.states[0].amax(dim=0))


def test_outcomes_of_wide_sequences_are_cut_into_small_ones_of_the_same_bits(monkeypatch):
    X = make_ragged(70, 1, 30)
    X[3][5, 0] = np.nan
    sequences = read(X)[0]
    model = make_model(sequences)
    expected = model.errors(sequences), *model.summaries(sequences, lambda o: o.latents)
    monkeypatch.setattr(calls, "MAX_OUTCOME_CELLS", 100)
    monkeypatch.setattr(rows, "MAX_CELLS", 100)
    assert_array_equal(model.errors(sequences), expected[0])
    assert_array_equal(*model.summaries(sequences, lambda o: o.latents), expected[1])
    sizes = [len(outcome) for _, outcome in model.outcomes(sequences)]
    assert 1 in sizes
    assert max(sizes) * 2 < 64


def test_overlapping_sequences_have_results_of_their_own():
    values = np.random.default_rng(0).normal(size=(40, 1))
    windows = Sequences(values, np.arange(31), np.full(31, 10))
    model = make_model(windows)
    rows = model.predictions(windows).reshape(31, 10)
    alone, _ = read([values[5:15]])
    assert_array_equal(model.predictions(alone)[:, 0], rows[5])


def test_errors_are_the_loss_of_observed_cells():
    X = make_ragged()
    X[0][3, 1] = np.nan
    sequences = read(X)[0]
    model = make_model(sequences)
    scaled, predicted = map(
        model.scaling.transform, (np.concatenate(X), model.predictions(sequences))
    )
    errors = model.errors(sequences)
    assert_allclose(errors, np.square(scaled - predicted), rtol=1e-4, atol=1e-9)
    shares = np.split(model.timestep_shares(sequences), np.cumsum(sequences.lengths)[:-1])
    of_sequences = np.split(errors, np.cumsum(sequences.lengths)[:-1])
    expected = [np.nanmean(of_one) for of_one in of_sequences]
    assert_allclose([share.sum() for share in shares], expected)
    means, lengths = model.summaries(sequences, Outcome.mean_error, lambda o: o.lengths)
    assert_allclose(means, expected)
    assert_array_equal(lengths, sequences.lengths)
