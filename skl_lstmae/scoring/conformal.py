"""Scores that training sequences would have as fresh ones, and which of them are odd or copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm, trim_mean

from skl_lstmae._freed_memory import return_freed_memory
from skl_lstmae.scoring.references import ReferenceScorer
from skl_lstmae.scoring.scorer import (
    MAX_REFERENCES,
    SMALLEST_ERROR,
    Scorer,
    check_scores,
    fit_clone,
)

WIDE = 2**22
"""Bytes of the summaries of 1024 sequences of which many copies are made and freed."""

N_FOLDS = 20
"""Parts that take turns in being judged by the others."""

COPY, LIKELY_COPY = 0.1, 0.5
"""A reference is a copy of another if it is nearer than this share of the distance of the next; or
than the second share, if most references are."""

MOST = 2 / 3
"""As many neighbours of sequences that form a line are not so near."""

FEW_COPIES = 8
"""Copies of one sequence that are told from its neighbours whatever the others are; if there are
more, and most references are no copies, it is a kind of normal that comes often."""

EXACT_COPY = 0.01
"""As near are hardly any but exact copies, to which some scorers give a small distance."""

KIND, LIKELY_KIND = 1 / 10, 1 / 30
"""More references than this share, if alike, are a kind of normal in any case; the second share
holds for those that are not exact copies, as a cluster's are not."""

MORE_THAN_CHANCE = 0.05
"""Of sequences that form a line fewer have so many neighbours before a gap."""

FEWEST_GROUPS = 5
"""Where there are fewer sequences that differ, copies are judged by one another."""

ODD_SHARE = 0.1
"""As many sequences may be odd, and like one another; more of them are another kind of normal."""

ODD_SCORE = 5.0
"""Robust standard deviations beyond which a sequence is odd. Iglewicz and Hoaglin propose 3.5,
which would set aside several in a hundred normal sequences where distances have a long tail."""

SMALLEST_SPREAD = 0.02
"""Distances that differ by less, as logarithms, are alike however steady most are."""

TRIMMED = 0.2
"""Share of the scores at either end that does not count for a mean."""


@dataclass(frozen=True, eq=False)
class Conformed:
    """What is learned of training sequences once each has been judged by others.

    Parameters
    ----------
    scorer : Scorer
        Fitted to those that are not odd.
    fresh : ndarray of shape (n_calibrating,)
        Scores of those that are neither odd nor copies, as fresh sequences would have them.
    is_odd : ndarray of shape (n_sequences,), dtype bool
        Which were set aside.
    """

    scorer: Scorer
    fresh: NDArray[np.float64]
    is_odd: NDArray[np.bool_]


def conform(scorer: Scorer, summaries: NDArray[Any], is_held_out: NDArray[np.bool_]) -> Conformed:
    """Fit a scorer, and score each training sequence by others, as a fresh one would be.

    This is cross-conformal prediction [1]_: a twentieth of the references at a time is judged by
    the others, and sequences that are no references by all. The network is not trained so often: by
    how much it makes more of sequences that it has learned from is told by the held-out ones.

    References
    ----------
    .. [1] V. Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence
       74, 2015, :doi:`10.1007/s10472-013-9368-4`.
    """
    is_odd = find_odd(oddness(fit_clone(scorer, summaries), summaries))
    normal = np.flatnonzero(~is_odd)
    first, others = np.split(normal, [MAX_REFERENCES])
    references = summaries[first]
    # Summaries may be wide: what learns from the first is not given a copy of them all.
    learns_from_first = isinstance(scorer, ReferenceScorer)
    scorer = fit_clone(scorer, references if learns_from_first else summaries[normal])
    groups = find_copies(scorer, references)
    # Then most of the others are copies, too, not all of them near to a reference: none counts.
    most_are_copied = _most_are_copied(np.bincount(groups)[groups] - 1)
    scores = [cross_scores(scorer, references, groups % N_FOLDS)]
    is_new = [np.isin(np.arange(len(first)), np.unique(groups, return_index=True)[1])]
    for start in range(0, len(others), MAX_REFERENCES):
        block = summaries[others[start : start + MAX_REFERENCES]]
        scores.append(check_scores(scorer.score(block), len(block)))
        is_new.append(~(are_copies(scorer, block) | most_are_copied))
        _return_what_was_wide(block)
    fresh = as_fresh(np.concatenate(scores), is_held_out[normal], by_an_error_more=True)
    if isinstance(scorer, ReferenceScorer):
        scorer.remember(fresh[: len(first)])
    return Conformed(scorer, fresh[np.concatenate(is_new)], is_odd)


def cross_scores(
    scorer: Scorer, summaries: NDArray[Any], folds: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the scores of sequences by those of the other folds, (n_sequences,)."""
    scores = np.empty(len(summaries))
    for fold in np.unique(folds):
        is_judged = folds == fold
        judge = fit_clone(scorer, summaries[~is_judged])
        scores[is_judged] = check_scores(judge.score(summaries[is_judged]), is_judged.sum())
        del judge  # before there is another one
        _return_what_was_wide(summaries)
    return scores


def _return_what_was_wide(summaries: NDArray[Any]) -> None:
    """Return memory that was freed, which takes time, if there may be much of it."""
    if summaries.nbytes > WIDE:
        return_freed_memory()


def pairwise(scorer: Scorer, summaries: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the distances of sequences from the references of a scorer; None if it has none."""
    if not isinstance(scorer, ReferenceScorer):
        return None
    return scorer.distances_from_references(summaries)


def oddness(scorer: Scorer, summaries: NDArray[Any]) -> NDArray[np.float64]:
    """Return how far sequences are from most others, (n_sequences,).

    The distance from so near a reference counts that a tenth of them is nearer: odd sequences may
    be alike. Without references it is minus the score.
    """
    far = np.empty(len(summaries))
    for start in range(0, len(summaries), MAX_REFERENCES):
        block = slice(start, start + MAX_REFERENCES)
        distances = pairwise(scorer, summaries[block])
        if distances is None:
            return -check_scores(scorer.score(summaries), len(summaries))
        rank = int(np.ceil(ODD_SHARE * distances.shape[1]))
        far[block] = np.partition(distances, rank, axis=1)[:, rank]
    return far


def find_odd(oddness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which sequences lie apart from the others, (n_sequences,); no more than a tenth may.

    Of modified z-scores [1]_ those count that are above 5: deviations from the median in units of
    the median deviation, or of the upper quartile's if that is larger. The tail of normal ones may
    be long: only those count that are as far apart by the upper twentieth of what remains. What is
    never negative, as a distance or an error, is compared by its logarithm.

    References
    ----------
    .. [1] B. Iglewicz, D. C. Hoaglin, "How to detect and handle outliers", ASQC 1993.
    """
    if oddness.min() >= 0:
        oddness = np.log(oddness + SMALLEST_ERROR)
    deviations = oddness - np.median(oddness)
    quartile = max(np.median(np.abs(deviations)), np.quantile(deviations, 0.75))
    spread = max(quartile / norm.ppf(0.75), SMALLEST_SPREAD)
    rest = deviations[deviations <= ODD_SCORE * spread]
    is_odd = deviations > ODD_SCORE * max(spread, np.quantile(rest, 0.95) / norm.ppf(0.95))
    return is_odd if is_odd.mean() <= ODD_SHARE else np.zeros(len(oddness), dtype=bool)


def find_copies(scorer: Scorer, references: NDArray[Any]) -> NDArray[np.intp]:
    """Return a number for each reference, the same for copies of one another, however slight."""
    distances = pairwise(scorer, references)
    if distances is None:
        return np.arange(len(references))
    np.fill_diagonal(distances, -1)  # so that each comes first among those nearest to it
    nearest = _nearest(distances, _most_copies(KIND, len(distances)) + 2)
    n_copies = _count_copies(nearest[:, 1:])
    reach = nearest[np.arange(len(nearest)), n_copies]
    links = distances <= reach[:, np.newaxis]
    # Only what is mutual: where sequences form a line, each is near to the next.
    _, groups = connected_components(csr_array(links & links.T), directed=False)
    sizes = np.bincount(groups)
    # Those of one group are judged by the other groups, of which there must be some.
    if len(sizes) < FEWEST_GROUPS or 2 * sizes.max() > len(groups):
        return np.arange(len(references))
    return groups.astype(np.intp)


def are_copies(scorer: Scorer, summaries: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which sequences, none of them a reference, are copies of one, (n_sequences,)."""
    distances = pairwise(scorer, summaries)
    if distances is None:
        return np.zeros(len(summaries), dtype=bool)
    return _before_a_gap(_nearest(distances, FEW_COPIES + 2), COPY) > 0


def _nearest(distances: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the distances from the nearest n references, if there are so many, in their order."""
    n = min(n, distances.shape[1])
    return np.sort(np.partition(distances, n - 1, axis=1)[:, :n])


def _most_copies(share: float, n_references: int) -> int:
    return max(FEW_COPIES, int(share * n_references))


def _count_copies(nearest: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return how many references are copies of each, given distances in ascending order."""
    few = nearest[:, : FEW_COPIES + 1]
    n_copies = _before_a_gap(few, LIKELY_COPY)
    if np.mean(n_copies > 0) < MOST:
        n_copies = _before_a_gap(few, COPY)
    for share, kind in [(EXACT_COPY, KIND), (LIKELY_COPY, LIKELY_KIND)]:
        most = _most_copies(kind, len(nearest))
        n_many = _before_a_gap(nearest[:, : most + 1], share)
        if _most_are_copied(n_many):
            n_copies = np.maximum(n_copies, n_many)
    return n_copies


def _most_are_copied(n_copies: NDArray[np.intp]) -> bool:
    """Return whether most have copies, and not by chance more than a few."""
    are_many = np.mean(n_copies > FEW_COPIES) >= MORE_THAN_CHANCE
    return bool(are_many and np.mean(n_copies > 0) >= MOST)


def _before_a_gap(distances: NDArray[np.float64], share: float) -> NDArray[np.intp]:
    """Return how many references come before the last gap, given distances in ascending order."""
    nearer, farther = distances[:, :-1], distances[:, 1:]
    ratios = np.divide(nearer, farther, out=np.ones_like(farther), where=farther > 0)
    ranks = np.arange(1, distances.shape[1])
    return np.max(np.where(ratios < share, ranks, 0), axis=1, initial=0)


def as_fresh(
    scores: NDArray[np.float64], was_held_out: NDArray[np.bool_], *, by_an_error_more: bool
) -> NDArray[np.float64]:
    """Lower the scores of sequences that were learned from to the level of held-out ones.

    The difference is that of trimmed means, none at least, and maybe a standard error more, as few
    held-out ones do not tell it well. Scores of which none is positive, as minus a distance is not,
    are multiplied, others are shifted.
    """
    if was_held_out.all() or not was_held_out.any():
        return scores
    by_factors = scores.max() < 0
    errors = np.log(-scores) if by_factors else -scores
    learned, held_out = errors[~was_held_out], errors[was_held_out]
    gap = max(0.0, trim_mean(held_out, TRIMMED) - trim_mean(learned, TRIMMED))
    if by_an_error_more:
        gap += np.std(learned) / np.sqrt(len(held_out))
    errors = np.where(was_held_out, errors, errors + gap)
    return np.where(was_held_out, scores, -np.exp(errors) if by_factors else -errors)
