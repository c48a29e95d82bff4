"""The element-wise losses."""

import math

import pytest
import torch

from skl_lstmae._losses import LOSSES, binary_cross_entropy


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("squared_error", [0.0, 0.25, 9.0]),
        ("absolute_error", [0.0, 0.5, 3.0]),
        ("huber", [0.0, 0.125, 2.5]),
    ],
)
def test_losses_of_known_differences(name, expected):
    target = torch.tensor([1.0, -2.0, 0.5])
    prediction = target + torch.tensor([0.0, -0.5, 3.0])
    assert LOSSES[name](prediction, target).tolist() == expected


def test_cross_entropy_of_a_certain_target_is_minus_the_log_probability():
    loss = binary_cross_entropy(torch.tensor([0.25, 0.25]), torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(loss, torch.tensor([-math.log(0.25), -math.log(0.75)]))


def test_cross_entropy_is_least_and_zero_at_the_target():
    target = torch.tensor([0.0, 0.2, 0.5, 1.0])
    assert binary_cross_entropy(target, target).tolist() == [0.0] * 4
    for shift in (-0.1, 0.1):
        assert (binary_cross_entropy((target + shift).clamp(0.01, 0.99), target) > 0).all()


def test_cross_entropy_grows_as_a_target_leaves_the_unit_interval():
    targets = torch.tensor([1.0, 1.5, 2.0, 3.0])
    losses = binary_cross_entropy(torch.full((4,), 0.9), targets)
    torch.testing.assert_close(losses - losses[0], (targets - 1).square())
