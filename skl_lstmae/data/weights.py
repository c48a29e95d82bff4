"""How often each sequence, or row of a series, counts; and an order that rests on contents."""

from collections.abc import Iterator
from hashlib import blake2b
from math import fsum
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skl_lstmae.data.array_like import to_floats
from skl_lstmae.data.sequences import Sequences

DIGEST_SIZE = 16
"""Bytes of what a sequence is told by."""

MAX_GATHERED = 2**20
"""Numbers that are copied to make what is learned the same, bit for bit, in any order of X."""

MAX_ROWS = 4096
"""Rows that are widened at a time, as a sequence may be larger than memory."""


def check_weights(
    sample_weight: Any, n_samples: int, kind: str, lengths: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Read weights, one a sample; a list may hold those of each series.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), or list of such
        Not negative, and not all 0.
    n_samples : int
        How many there must be.
    kind : str
        What a sample is called.
    lengths : ndarray of shape (n_series,), default=None
        How many samples each series has, if `sample_weight` may be a list of its weights.
    """
    name, expected = "sample_weight", f"({n_samples},), a weight a {kind}"
    if isinstance(sample_weight, (list, tuple)) and any(np.ndim(part) for part in sample_weight):
        parts = [np.atleast_1d(to_floats(part, name, expected)) for part in sample_weight]
        found = [len(part) for part in parts]
        if lengths is not None and len(parts) == len(lengths) and found != lengths.tolist():
            i = int((np.array(found) != lengths).argmax())
            raise ValueError(
                f"sample_weight has {found[i]} weights for series {i}, which has "
                f"{lengths[i]} rows; expected a weight a {kind}."
            )
        sample_weight = np.concatenate([part.ravel() for part in parts])
    weights = to_floats(sample_weight, name, expected).astype(np.float64)
    if weights.shape != (n_samples,):
        raise ValueError(f"sample_weight has shape {weights.shape}; expected {expected}.")
    is_refused = ~np.isfinite(weights) | (weights < 0)
    if is_refused.any():
        worst = int(is_refused.argmax())
        raise ValueError(
            f"sample_weight holds {weights[worst]} for {kind} {worst}; expected finite numbers "
            f"that are not negative: 0 leaves a {kind} out."
        )
    if not weights.any():
        raise ValueError(
            f"sample_weight is zero for every {kind}; expected at least one weight that is not."
        )
    return weights


def of_mean_one(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights over their mean, which is not 0; their sum may be too large for a float."""
    shares = weights / weights.max()
    return shares / shares.mean()


def draw_counts(weights: NDArray[np.float64], random_state: RandomState) -> NDArray[np.intp]:
    """Turn weights into whole numbers; of others the fraction is the chance of one more."""
    counts = np.floor(weights)
    fractions = weights - counts
    if fractions.any():
        counts += random_state.random_sample(len(weights)) < fractions
    return counts.astype(np.intp)


def order_by_content(sequences: Sequences) -> NDArray[np.intp]:
    """Return an order of sequences that depends on nothing but each of them.

    It is that of their means, to so many digits that adding 1e12 to all values does not change it,
    and of a digest where these are equal.
    """
    means = np.array([_mean(sequences[i]) for i in range(len(sequences))]).reshape(-1, 2)
    order = np.lexsort(means.T[::-1])
    is_again = np.append((means[order[1:]] == means[order[:-1]]).all(axis=1), False)
    has_equal = is_again | np.roll(is_again, 1)
    digests = np.zeros(len(means), dtype=f"U{2 * DIGEST_SIZE}")
    for i in order[has_equal]:
        digests[i] = digest(sequences[i])
    return np.lexsort([digests, *means.T[::-1]])


def are_new(sequences: Sequences) -> NDArray[np.bool_]:
    """Return which sequences are no copies, number by number, of one before, (n_sequences,)."""
    _, number, counts = np.unique(sequences.lengths, return_inverse=True, return_counts=True)
    is_new = np.ones(len(sequences), dtype=bool)
    seen = set()
    for i in np.flatnonzero(counts[number] > 1).tolist():  # others are not read
        found = digest(sequences[i])
        is_new[i] = found not in seen
        seen.add(found)
    return is_new


def counted(sequences: Sequences, numbers: NDArray[np.intp], *, is_weighted: bool) -> Sequences:
    """Return sequences as often as they count, in the order of their numbers.

    They are copied, unless they are many and each counts once, so that sums over rows round alike
    in any order, and rows that count twice are two.
    """
    chosen = sequences.take(numbers)
    is_small = chosen.lengths.sum() * chosen.n_features <= MAX_GATHERED
    return chosen.gathered() if is_small or is_weighted else chosen


@np.errstate(under="ignore")
def _mean(sequence: NDArray[Any]) -> tuple[float, float]:
    """Return a sequence's mean, over a power of two, and what rounding takes from that.

    The first observed values and the mean deviations from them are added up, so that small
    deviations from large values keep their digits. All are divided before they are added, so that
    numbers near the largest there is do not overflow.
    """
    n_timesteps, n_features = sequence.shape
    firsts, quarters = np.full(n_features, np.nan), np.zeros(n_features)
    n_observed = np.zeros(n_features)
    for block in _blocks(sequence):
        rows = block.astype(np.float64)
        is_observed = ~np.isnan(rows)
        first = rows[is_observed.argmax(axis=0), np.arange(n_features)]
        firsts = np.where(np.isnan(firsts), first, firsts)
        deviations = (rows / 4 - firsts / 4) / n_timesteps
        quarters += deviations.sum(axis=0, where=is_observed)
        n_observed += is_observed.sum(axis=0)
    quarters *= n_timesteps / np.maximum(n_observed, 1)
    exponent = 2 + n_features.bit_length()
    parts = np.append(
        np.ldexp(np.nan_to_num(firsts), -exponent), np.ldexp(quarters, 2 - exponent)
    ).tolist()
    mean = fsum(parts)
    return mean, fsum([*parts, -mean])


def digest(sequence: NDArray[Any]) -> str:
    """Return what no other sequence shares; integers and -0.0 are as floats and 0.0."""
    found = blake2b(repr(sequence.shape).encode(), digest_size=DIGEST_SIZE)
    for block in _blocks(sequence):
        found.update((block.astype(np.float64) + 0.0).tobytes())
    return found.hexdigest()


def _blocks(sequence: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield rows in turn, so few that they may be widened."""
    return (sequence[start : start + MAX_ROWS] for start in range(0, len(sequence), MAX_ROWS))


def leave_out(series: Sequences, weights: NDArray[np.float64]) -> Sequences:
    """Cut series where rows have weight 0, into pieces that hold all others.

    Parameters
    ----------
    series : Sequences
        Side by side in their order.
    weights : ndarray of shape (total_timesteps,)
    """
    owner = np.repeat(np.arange(len(series)), series.lengths)
    rows, is_kept = series.rows(), weights > 0
    goes_on = np.zeros(len(rows), dtype=bool)
    goes_on[1:] = is_kept[:-1] & (owner[1:] == owner[:-1])
    starts = np.flatnonzero(is_kept & ~goes_on)
    ends = np.flatnonzero(np.append(~is_kept[1:] | (owner[1:] != owner[:-1]), True) & is_kept) + 1
    return Sequences(series.values, rows[starts], ends - starts)
