"""Padding enters nothing that is taken from the real steps of a batch."""

import pytest
import torch

from skl_lstmae._padding import last_step, max_step, mean_step, real_steps, reverse_padded

LENGTHS = torch.tensor([9, 3, 7, 3, 1, 9])
X = torch.randn(6, 9, 4, generator=torch.Generator().manual_seed(0))


def test_real_steps_are_those_before_the_lengths():
    assert real_steps(X, LENGTHS).sum(dim=1).tolist() == LENGTHS.tolist()
    assert real_steps(X, LENGTHS)[1].tolist() == [True] * 3 + [False] * 6


def test_reversing_padded_sequences_twice_changes_nothing():
    reversed_x = reverse_padded(X, LENGTHS)
    assert torch.equal(reversed_x[1, :3], X[1, :3].flip(0))
    assert torch.equal(reversed_x[1, 3:], X[1, 3:])
    assert torch.equal(reverse_padded(reversed_x, LENGTHS), X)


@pytest.mark.parametrize(
    ("summarize", "of_one"),
    [
        (last_step, lambda steps: steps[-1]),
        (mean_step, lambda steps: steps.mean(dim=0)),
        (max_step, lambda steps: steps.amax(dim=0)),
    ],
)
def test_summaries_are_those_of_each_sequence_alone(summarize, of_one):
    expected = torch.stack([of_one(x[:n]) for x, n in zip(X, LENGTHS, strict=True)])
    torch.testing.assert_close(summarize(X, LENGTHS), expected)
