"""Padding enters nothing that is taken from the real steps of a batch."""

import pytest
import torch
from conftest import exactly

from skl_lstmae.modules import check_lengths, last_step, max_step, mean_step

LENGTHS = torch.tensor([9, 3, 7, 3, 1, 9])
X = torch.randn(6, 9, 4, generator=torch.Generator().manual_seed(0))


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


RANGE = "expected numbers of steps from 1 to 9, the steps of x."
INTEGERS = "expected 6 integers, one a sequence of the batch."


@pytest.mark.parametrize(
    ("lengths", "sentence"),
    [
        ([9, 3, 7, 3, 0, 9], f"lengths are from 0 to 9; {RANGE}"),
        ([10, 3, 7, 3, 1, 9], f"lengths are from 1 to 10; {RANGE}"),
        ([9, 3], f"lengths has shape (2,) and dtype torch.int64; {INTEGERS}"),
        (LENGTHS.float(), f"lengths has shape (6,) and dtype torch.float32; {INTEGERS}"),
    ],
)
def test_lengths_that_are_no_numbers_of_steps_are_refused(lengths, sentence):
    with pytest.raises(ValueError, match=exactly(sentence)):
        check_lengths(X, lengths)
