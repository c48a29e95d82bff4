"""What a network leaves unexplained, in numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skl_lstmae.scoring import Outcome

NAN = np.nan
LENGTHS = np.array([4, 1, 6])


def make_outcome():
    """Return three sequences of three features, with missing cells, steps and features."""
    rng = np.random.default_rng(0)
    targets, predictions = rng.normal(size=(2, 11, 3))
    targets[[2, 6, 9], [0, 1, 2]] = targets[:4, 1] = targets[7] = NAN
    latents = peaks = np.zeros((3, 2))
    return Outcome(np.square(targets - predictions), LENGTHS, latents, peaks, targets, predictions)


def mean(cells, axis):
    return np.ma.masked_invalid(cells).mean(axis=axis).filled(NAN)


@pytest.mark.parametrize(
    ("method", "of_one"),
    [
        (Outcome.mean_error, lambda errors, _: np.nanmean(errors)),
        (Outcome.worst_step_error, lambda errors, _: np.nanmax(mean(errors, 1))),
        (Outcome.step_errors, lambda errors, _: np.nan_to_num(mean(errors, 1))),
        (Outcome.feature_errors, lambda errors, _: mean(errors, 0)),
        (Outcome.biases, lambda _, biases: mean(biases, 0)),
        (Outcome.feature_shares, lambda e, _: np.nansum(e, 0) / np.isfinite(e).sum()),
        (Outcome.timestep_shares, lambda e, _: np.nansum(e, 1) / np.isfinite(e).sum()),
    ],
)
def test_numbers_are_means_over_the_observed_cells_of_each_sequence_by_itself(method, of_one):
    outcome = make_outcome()
    biases = np.split(outcome.targets - outcome.predictions, np.cumsum(LENGTHS)[:-1])
    expected = [of_one(*one) for one in zip(outcome.split(), biases, strict=True)]
    if method in (Outcome.step_errors, Outcome.timestep_shares):
        expected = np.concatenate(expected)
    assert_allclose(method(outcome), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("cells", "lengths", "n_segments", "expected"),
    [
        ([1, 3, 5, NAN, 2, 6, 7], [4, 3], 2, [[2.0, 5.0], [2.0, 6.5]]),
        ([4, 9], [2], 4, [[4.0, 4.0, 9.0, 9.0]]),  # with fewer steps than segments, steps repeat
    ],
)
def test_outlines_are_means_over_segments_of_time(cells, lengths, n_segments, expected):
    cells, nothing = np.array(cells, dtype=float)[:, np.newaxis], np.zeros((len(lengths), 1))
    outcome = Outcome(cells, np.array(lengths), nothing, nothing, cells, cells)
    assert outcome.outlines(cells, n_segments).tolist() == expected
