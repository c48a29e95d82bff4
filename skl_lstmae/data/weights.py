"""How often each sequence, or row of a series, counts; and an order that rests on contents."""

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skl_lstmae.data.sequences import Sequences


def check_weights(sample_weight: Any, n_samples: int, kind: str) -> NDArray[np.float64]:
    """Read weights, one a sample; a list may hold those of each series.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), or list of such
        Not negative, and not all 0.
    n_samples : int
        How many there must be.
    kind : str
        What a sample is called.
    """
    if isinstance(sample_weight, (list, tuple)) and any(np.ndim(part) for part in sample_weight):
        sample_weight = np.concatenate([np.asarray(part) for part in sample_weight])
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}; expected ({n_samples},), a weight a {kind}."
        )
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


def draw_counts(weights: NDArray[np.float64], random_state: RandomState) -> NDArray[np.intp]:
    """Turn weights into whole numbers; of others the fraction is the chance of one more."""
    counts = np.floor(weights)
    fractions = weights - counts
    if fractions.any():
        counts += random_state.random_sample(len(weights)) < fractions
    return counts.astype(np.intp)


def order_by_content(sequences: Sequences) -> NDArray[np.intp]:
    """Return an order of sequences that does not depend on theirs.

    They are in the order of their means, which no offset changes, and of a digest where these are
    equal.
    """
    keys = [_key(sequences[i]) for i in range(len(sequences))]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)


@np.errstate(under="ignore")
def _key(sequence: NDArray[Any]) -> tuple[float, str]:
    is_observed = ~np.isnan(sequence)
    # Divided before they are added, numbers near the largest there is do not overflow.
    n_added = np.maximum(is_observed.sum(axis=0), 1) * sequence.shape[1]
    shares = np.divide(
        sequence, n_added, dtype=np.float64, where=is_observed, out=np.zeros(sequence.shape)
    )
    return float(shares.sum()), digest(sequence)


def digest(sequence: NDArray[Any]) -> str:
    """Return what no other sequence shares; integers and -0.0 are as floats and 0.0."""
    content = (sequence.astype(np.float64) + 0.0).tobytes()
    return blake2b(repr(sequence.shape).encode() + content, digest_size=16).hexdigest()


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
