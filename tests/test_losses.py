"""The element-wise losses."""

from math import log

import pytest
import torch

from skl_lstmae.training.objectives import LOSSES


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "expected"),
    [
        ("squared_error", [1.0, -2.5, 3.5], [1.0, -2.0, 0.5], [0.0, 0.25, 9.0]),
        ("absolute_error", [1.0, -2.5, 3.5], [1.0, -2.0, 0.5], [0.0, 0.5, 3.0]),
        ("huber", [1.0, -2.5, 3.5], [1.0, -2.0, 0.5], [0.0, 0.125, 2.5]),
        # Of what is certain: minus the logarithm of its probability.
        ("binary_cross_entropy", [0.25, 0.25], [1.0, 0.0], [-log(0.25), -log(0.75)]),
        # Of what is not: the divergence of Kullback and Leibler, which is zero at the target.
        ("binary_cross_entropy", [0.2, 0.5], [0.2, 0.2], [0.0, 0.2 * log(0.4) + 0.8 * log(1.6)]),
        # Beyond probabilities: the squared distance from there as well.
        ("binary_cross_entropy", [0.5, 0.5], [1.5, -2.0], [log(2) + 0.25, log(2) + 4.0]),
    ],
)
def test_losses_have_the_values_of_their_formulas(loss, prediction, target, expected):
    actual = LOSSES[loss](torch.tensor(prediction), torch.tensor(target))
    torch.testing.assert_close(actual, torch.tensor(expected), rtol=1e-5, atol=0)
