"""From outcomes to scores."""

import pickle
import tracemalloc
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from conftest import exactly
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.preprocessing import StandardScaler

from skl_lstmae.scoring import (
    DistanceFromMean,
    DistanceFromNearest,
    JointScorer,
    MahalanobisScorer,
    NeighborsScorer,
    Outcome,
    joint,
    scorer,
)
from skl_lstmae.scoring.covariance import covariance_of, shrinkage_of, shrunk
from skl_lstmae.scoring.joint import default_distances
from skl_lstmae.scoring.neighbors import mean_distance_of_others
from skl_lstmae.scoring.scorer import fit_clone, mean_and_scale
from skl_lstmae.scoring.scorers import SCORERS, make_scorer


def make_outcome(lengths=(4, 1, 6), seed=0, n_features=3):
    rng, lengths = np.random.default_rng(seed), np.array(lengths)
    errors = rng.exponential(size=(lengths.sum(), n_features))
    latents, peaks = rng.normal(size=(2, len(lengths), 2))
    predictions = rng.normal(size=errors.shape)
    targets = predictions + rng.choice([-1, 1], size=errors.shape) * np.sqrt(errors)
    return Outcome(errors, lengths, latents, peaks, targets, predictions)


def summaries_of(n_sequences, kind=NeighborsScorer, n_timesteps=3):
    return kind().summarize(make_outcome([n_timesteps] * n_sequences))


def in_units_of(references, *rows):
    standardizer = StandardScaler().fit(references)
    return [standardizer.transform(part) for part in (*rows, references)]


@pytest.mark.parametrize(
    ("scorer", "of_one"),
    [
        ("error", lambda errors: -errors.mean()),
        ("error_max", lambda errors: -errors.mean(axis=1).max()),
        (lambda errors, latents: [-e.max() + 0 * len(latents) for e in errors], lambda e: -e.max()),
    ],
)
def test_errors_and_functions_of_them_are_scores_and_learn_nothing(scorer, of_one):
    outcome, scorer = make_outcome(), make_scorer(scorer)
    summaries = scorer.summarize(outcome)
    expected = [of_one(errors) for errors in outcome.split()]
    assert_allclose(scorer.fit(summaries).score(summaries), expected, rtol=1e-12)
    assert_allclose(scorer.partial_fit(summaries + 1).score(summaries), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("returned", "found"),
    [(0.0, "array(0.)"), ([1.0, np.nan, 2.0], "array([ 1., nan,  2.])")],
)
def test_a_function_that_returns_something_else_is_refused(returned, found):
    sentence = (
        "The scorer must return 3 finite scores for 3 sequences, an array of shape (3,); "
        f"it returned {found}."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        make_scorer(lambda errors, latents: returned).summarize(make_outcome())


@pytest.mark.parametrize("name", SCORERS)
def test_a_score_does_not_depend_on_its_company(name):
    outcome, scorer = make_outcome(range(1, 60)), make_scorer(name)
    summaries = scorer.summarize(outcome)
    scores = scorer.fit(summaries).score(summaries)
    ends = np.cumsum(outcome.lengths)
    for i in (0, 7, 58):
        rows, one = slice(ends[i] - outcome.lengths[i], ends[i]), slice(i, i + 1)
        of_rows = {name: getattr(outcome, name)[rows] for name in ("errors", "targets")}
        of_one = {name: getattr(outcome, name)[one] for name in ("lengths", "latents", "peaks")}
        alone = Outcome(**of_rows, **of_one, predictions=outcome.predictions[rows])
        assert scorer.score(scorer.summarize(alone)).tolist() == [scores[i]]


@pytest.mark.parametrize("kind", [MahalanobisScorer, NeighborsScorer])
def test_an_unobserved_feature_counts_as_average_and_spoils_no_part(kind):
    summaries = summaries_of(100)
    scorer = kind().fit(summaries[:90])
    unobserved, average = summaries[:1].copy(), summaries[:1].copy()
    unobserved[0, 3], average[0, 3] = np.nan, summaries[:90, 3].mean()
    assert_allclose(scorer.score(unobserved), scorer.score(average))
    part = summaries[90:].copy()
    part[:, 3] = np.nan
    scores = scorer.partial_fit(part).score(summaries)
    assert np.isfinite(scores).all()
    assert np.corrcoef(scores, kind().fit(summaries).score(summaries))[0, 1] > 0.9


# ------------------------------------------------------------------------------------- mahalanobis


def test_mahalanobis_joins_latents_and_log_errors_in_standard_units():
    outcome, scorer = make_outcome([3] * 5000), MahalanobisScorer()
    summaries = np.hstack([outcome.latents, np.log(outcome.feature_errors() + 1e-6)])
    assert_array_equal(scorer.summarize(outcome), summaries)
    with_peaks = np.hstack([summaries, outcome.peaks])
    assert_array_equal(NeighborsScorer().summarize(outcome), with_peaks)
    precision = np.linalg.inv(np.cov(summaries, rowvar=False))
    distances = cdist(summaries, [summaries.mean(axis=0)], "mahalanobis", VI=precision)[:, 0]
    assert_allclose(scorer.fit(summaries).score(summaries), -distances, rtol=0.02)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e9])
def test_mean_and_scale_are_those_of_scikit_learns_scaler(size):
    rows = size * (7 + np.random.default_rng(0).normal(size=(50, 5)))
    rows[3:9, 0] = rows[:, 1] = np.nan
    rows[:, 2] = 0.1 * size
    rows[:, 3] = np.where(np.arange(50) == 4, 0.3 * size, np.nan)
    with np.errstate(invalid="ignore"):
        scaler = StandardScaler().fit(rows)
    mean, scale = mean_and_scale(rows)
    assert_allclose(mean, scaler.mean_, rtol=1e-14)
    assert_allclose(scale, scaler.scale_, rtol=1e-14)


@pytest.mark.parametrize("shape", [(5, 1), (2, 3), (3, 40), (1000, 30), (20, 2)])
def test_covariances_are_shrunk_as_scikit_learn_shrinks_them(shape):
    rows = 3 * np.random.default_rng(0).normal(size=shape) @ np.diag(np.arange(1, shape[1] + 1))
    covariance = covariance_of(rows)
    expected = LedoitWolf(assume_centered=True).fit(rows)
    assert shrinkage_of(rows, covariance) == pytest.approx(expected.shrinkage_, rel=1e-9)
    assert_allclose(shrunk(covariance, expected.shrinkage_), expected.covariance_, rtol=1e-12)


def test_rounding_takes_no_shrinkage_below_0_or_above_1():
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        kinds = rng.integers(2, size=(rng.integers(4, 60), 1))
        rows = (kinds - kinds.mean()) * rng.normal(size=3)
        assert 0 <= shrinkage_of(rows, covariance_of(rows)) <= 1
    assert shrinkage_of(np.zeros((9, 3)), np.zeros((3, 3))) == 0


def test_mahalanobis_in_parts_has_the_mean_and_covariance_of_all_and_shrinks_as_one_over_n():
    summaries = summaries_of(1024)
    scorer = MahalanobisScorer().fit(summaries[:20])
    shrinkage = scorer.shrinkage_
    assert 0 < shrinkage <= 1
    for start, stop in [(20, 21), (21, 200), (200, 1024)]:
        scorer.partial_fit(summaries[start:stop])
        assert scorer.shrinkage_ == pytest.approx(shrinkage * 20 / stop, rel=1e-12)
    assert_allclose(scorer.mean_, summaries.mean(axis=0), rtol=1e-12)
    covariance = np.cov(summaries, rowvar=False, ddof=0)
    assert_allclose(scorer.covariance_, covariance, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("n_early", [1024, 5000])
def test_mahalanobis_in_parts_lets_earlier_sequences_fade(n_early):
    early, late = np.split(summaries_of(n_early + 1024, n_timesteps=1), [n_early])
    scorer = MahalanobisScorer().fit(early).partial_fit(late + 7)
    expected = (early.mean(axis=0) + (late + 7).mean(axis=0)) / 2
    assert_allclose(scorer.mean_, expected, rtol=1e-12)
    scorer.partial_fit(late[:256] + 7)
    expected = 0.8 * expected + 0.2 * (late[:256] + 7).mean(axis=0)
    assert_allclose(scorer.mean_, expected, rtol=1e-12)


# --------------------------------------------------------------------------------------- neighbors


def test_neighbors_average_the_distances_from_the_nearest_others_in_standard_units():
    summaries = summaries_of(200)
    references, fresh = np.split(summaries, [150])
    fresh, references = in_units_of(references, fresh)
    for n in (3, 5):
        scorer = NeighborsScorer(n_neighbors=n).fit(summaries[:150])
        expected = -np.sort(cdist(fresh, references))[:, :n].mean(axis=1)
        assert_allclose(scorer.score(summaries[150:]), expected, rtol=1e-12)
        # The nearest of a reference is the reference itself.
        expected = -np.sort(cdist(references, references))[:, 1 : n + 1].mean(axis=1)
        assert_allclose(scorer.score(summaries[:150]), expected, rtol=1e-12)


def test_copies_of_a_scorer_that_has_scored_judge_as_it_does_by_as_many_neighbors():
    references, fresh = np.split(summaries_of(200), [150])
    scorer = NeighborsScorer().fit(references)
    scorer.score(fresh)
    scorer.set_params(n_neighbors=7)
    expected = NeighborsScorer(n_neighbors=7).fit(references).score(fresh)
    for copy in (scorer, deepcopy(scorer), pickle.loads(pickle.dumps(scorer))):
        assert_array_equal(copy.score(fresh), expected)
    assert len(pickle.dumps(scorer)) < 1.1 * len(pickle.dumps(NeighborsScorer().fit(references)))


@pytest.mark.parametrize("kind", [NeighborsScorer, JointScorer])
def test_references_are_the_latest_1024(kind):
    summaries = summaries_of(2500, kind, n_timesteps=1)
    scorer = kind().fit(summaries)
    assert_array_equal(scorer.references_, summaries[:1024])
    scorer = kind().fit(summaries[:10])
    for start, stop in [(10, 11), (11, 700), (700, 2500)]:
        scorer.score(summaries[:9])
        scorer.partial_fit(summaries[start:stop])
    expected = kind().fit(summaries[-1024:]).score(summaries[:9])
    assert_array_equal(scorer.score(summaries[:9]), expected)


@pytest.mark.parametrize("further", [[], [2.0, 3.0]])
@pytest.mark.parametrize(
    ("ratio", "share_of_itself"), [(0, 1), (0.025, 0.75), (0.05, 0.5), (0.1, 0), (1, 0)]
)
def test_the_nearest_reference_is_the_row_itself_the_more_the_nearer_it_is(
    ratio, share_of_itself, further
):
    distances = [ratio, 1.0, *further]
    expected = np.average(
        [np.mean(distances[1:]), np.mean(distances[:-1])],
        weights=[share_of_itself, 1 - share_of_itself],
    )
    assert mean_distance_of_others(np.array([distances])) == pytest.approx(expected)
    # Noise changes it by little more than itself, whatever the ratio.
    noisy = mean_distance_of_others(np.array([[ratio + 1e-6, *distances[1:]]]))
    assert noisy == pytest.approx(expected, abs=2e-5)
    assert mean_distance_of_others(np.zeros((1, len(distances)))).tolist() == [0.0]


def test_moments_of_many_columns_are_those_of_few_to_the_last_bit(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(300, 41)).astype(np.float32)
    rows[::7, 5] = np.nan
    rows[:, 6] = 0.1
    expected = mean_and_scale(rows), mean_and_scale(rows[:, :3]), mean_and_scale(rows[:, :1])
    monkeypatch.setattr(scorer, "MAX_VALUES", 100)
    for n_columns, moments in zip((41, 3, 1), expected, strict=True):
        assert_array_equal(mean_and_scale(rows[:, :n_columns]), moments)


def test_distances_of_wide_summaries_take_little_memory_and_scores_keep_their_bits(monkeypatch):
    summaries = JointScorer().summarize(make_outcome([8] * 300))
    wide = np.zeros(300, [(name, np.float32, (1500,)) for name in summaries.dtype.names])
    for name in summaries.dtype.names:
        wide[name] = np.resize(summaries[name], (300, 1500))
    nearest = JointScorer((DistanceFromNearest(("outline",)), DistanceFromNearest(("peak",))))
    expected = nearest.fit(wide).score(wide), nearest.distances_from_references(wide)
    monkeypatch.setattr(joint, "MAX_BYTES", wide.itemsize)
    tracemalloc.start()
    actual = nearest.score(wide), nearest.distances_from_references(wide)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < wide["outline"].nbytes  # half of that field in float64
    assert_array_equal(actual[0], expected[0])
    assert_allclose(actual[1], expected[1], rtol=1e-12)


# ------------------------------------------------------------------------------------------- joint


def test_joint_summaries_are_what_the_outcome_says():
    outcome = make_outcome([64] * 3)
    by_segment = outcome.errors.reshape(3, 8, 8, 3).mean(axis=2).reshape(3, -1)
    expected = {
        "latent": outcome.latents,
        "log_error": np.log(outcome.feature_errors() + 1e-6),
        "bias": outcome.biases(),
        "peak": outcome.peaks,
        "error_outline": np.log(by_segment + 1e-6),
        "outline": outcome.targets.reshape(3, 8, 8, 3).mean(axis=2).reshape(3, -1),
        "fine_outline": outcome.targets.reshape(3, 32, 2, 3).mean(axis=2).reshape(3, -1),
        "n_timesteps": np.full((3, 1), 64),
    }
    summaries = JointScorer().summarize(outcome)
    assert summaries.dtype.names == tuple(expected)
    for name, values in expected.items():
        assert_allclose(summaries[name], values, rtol=1e-4)


def distance_from_nearest(fields, summaries, is_whitened):
    """Return the distances of fresh sequences and those of references from each other."""
    rows = np.hstack([summaries[field] for field in fields]).astype(float)
    fresh, references = in_units_of(rows[:150], rows[150:])
    precision = np.eye(rows.shape[1])
    if is_whitened:
        precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(references).covariance_)
    distances = cdist(np.vstack([fresh, references]), references, "mahalanobis", VI=precision)
    np.fill_diagonal(distances[len(fresh) :], np.inf)
    return np.split(distances.min(axis=1) / np.sqrt(rows.shape[1]), [len(fresh)])


@pytest.mark.parametrize(
    ("lengths", "of_values"),
    [
        ([40] * 200, {"fields": ["fine_outline"], "is_whitened": True}),
        ([40] * 150 + [41] * 50, {"fields": ["fine_outline"], "is_whitened": True}),
        ([41] + [40] * 199, {"fields": ["fine_outline"], "is_whitened": True}),
        ([41] * 16 + [40] * 184, {"fields": ["outline"], "is_whitened": False}),
    ],
    ids=["one length", "fresh ones of another", "one of another", "unlike lengths"],
)
def test_joint_score_is_minus_the_geometric_mean_of_its_distances(lengths, of_values):
    summaries = JointScorer().summarize(make_outcome(lengths))
    train, test = np.split(summaries, [150])
    of_errors = MahalanobisScorer().fit(train["log_error"].astype(float))
    pairs = [
        [-of_errors.score(part["log_error"].astype(float)) / np.sqrt(3) for part in (test, train)],
        distance_from_nearest(["latent", "log_error", "bias"], summaries, is_whitened=True),
        distance_from_nearest(["latent", "log_error", "peak"], summaries, is_whitened=False),
        distance_from_nearest(["error_outline"], summaries, is_whitened=False),
        distance_from_nearest(summaries=summaries, **of_values),
    ]
    distances, own = (np.array(part) for part in zip(*pairs, strict=True))
    spreads = np.log(own + 1e-3).std(axis=1).clip(0.05) if of_values["is_whitened"] else np.ones(5)
    weights = 1 / spreads / (1 / spreads).sum()
    expected = -np.exp(weights @ np.log(distances + 1e-3))
    assert_allclose(JointScorer().fit(train).score(test), expected, rtol=1e-6)
    alone = JointScorer((DistanceFromNearest(("error_outline",)),)).fit(train)
    assert_allclose(alone.score(test), -(distances[3] + 1e-3), rtol=1e-6)


@pytest.mark.parametrize("n_features", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_a_small_deviation_of_smooth_windows_drowns_less_in_distances_that_vary_more(
    seed, n_features
):
    rng, (n, n_steps) = np.random.default_rng(seed), (260, 64)
    waves = np.sin(np.arange(n_steps) / 5 + rng.uniform(0, 6, size=(n, 1)))
    waves[-1, 20:30] += 0.5
    targets = waves[:, :, np.newaxis] + rng.normal(0, 0.05, size=(n, n_steps, n_features))
    outcome = make_outcome([n_steps] * n, seed, n_features)
    targets = targets.reshape(outcome.errors.shape)
    outcome = replace(outcome, targets=targets, predictions=targets - np.sqrt(outcome.errors))
    train, test = np.split(JointScorer().summarize(outcome), [200])

    def oddness_of_the_last(scorer):
        *others, last = scorer.fit(train).score(test)
        return last / min(others)

    alike = JointScorer(default_distances(train))
    assert oddness_of_the_last(JointScorer()) > 1.04 * oddness_of_the_last(alike)


def test_distances_of_your_own_count_alike_or_as_you_say():
    train, test = np.split(JointScorer().summarize(make_outcome([40] * 200)), [150])
    distances = DistanceFromMean("log_error"), DistanceFromNearest(("fine_outline",))
    first, second = (-JointScorer((each,)).fit(train).score(test) for each in distances)
    alike = JointScorer(distances).fit(train)
    assert_allclose(alike.score(test), -np.sqrt(first * second))
    unlike = JointScorer(distances, weights=(3, 1)).fit(train)
    assert_allclose(unlike.score(test), -((first**3 * second) ** 0.25))


@pytest.mark.parametrize("weights", [(1,), (1, 2, 3), (1, -1), (0, 0), (1, np.nan), (1, np.inf)])
def test_weights_are_one_a_distance_and_not_negative(weights):
    train = JointScorer().summarize(make_outcome([40] * 80))
    distances = DistanceFromMean("log_error"), DistanceFromNearest(("fine_outline",))
    with pytest.raises(ValueError, match=r"weights must be 2 finite numbers, one a distance"):
        JointScorer(distances, weights).fit(train)


def test_the_weights_of_a_fit_stay_as_more_references_come():
    train, more = np.split(JointScorer().summarize(make_outcome([40] * 200)), [150])
    scorer = fit_clone(JointScorer(), train)
    weights = scorer.weights_
    assert len(set(weights)) == 5
    assert_array_equal(scorer.partial_fit(more).weights_, weights)


@pytest.mark.parametrize(("n_references", "fields"), [(63, ("outline",)), (64, ("fine_outline",))])
def test_few_references_are_compared_by_a_rough_outline(n_references, fields):
    scorer = JointScorer().fit(summaries_of(n_references, JointScorer, 40))
    assert scorer.distances_[-1].fields == fields


@pytest.mark.parametrize(("n_features", "n_segments"), [(1, 32), (8, 32), (9, 28), (300, 1)])
def test_a_fine_outline_has_256_values_at_most_if_features_allow_it(n_features, n_segments):
    summaries = JointScorer().summarize(make_outcome([64] * 3, n_features=n_features))
    assert summaries["fine_outline"].shape == (3, n_segments * n_features)
