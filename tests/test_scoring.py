"""From errors and latents to scores."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.preprocessing import StandardScaler

from skl_lstmae._scoring import (
    SCORERS,
    JointScorer,
    MahalanobisScorer,
    NearestOther,
    NeighborsScorer,
    Residuals,
    distances_to_others,
    make_scorer,
)

LENGTHS = np.array([4, 1, 6])


def make_residuals(seed=0, n_missing=0, lengths=LENGTHS):
    rng = np.random.default_rng(seed)
    errors = rng.exponential(size=(lengths.sum(), 3))
    errors.flat[rng.choice(errors.size, n_missing, replace=False)] = np.nan
    latents, peaks = rng.normal(size=(2, len(lengths), 2))
    predictions = rng.normal(size=errors.shape)
    signs = rng.choice([-1, 1], size=errors.shape)
    targets = predictions + signs * np.sqrt(errors)
    return Residuals(errors, lengths, latents, peaks, targets, predictions)


def test_the_mean_error_is_over_observed_cells():
    residuals = make_residuals(n_missing=6)
    expected = [np.nanmean(errors) for errors in residuals.split()]
    np.testing.assert_allclose(residuals.mean_error(), expected, rtol=1e-14)


def test_shares_of_features_and_steps_add_up_to_the_mean_error():
    residuals = make_residuals(n_missing=6)
    total = residuals.mean_error()
    np.testing.assert_allclose(residuals.feature_shares().sum(axis=1), total, rtol=1e-14)
    by_step = np.split(residuals.timestep_shares(), np.cumsum(LENGTHS)[:-1])
    np.testing.assert_allclose([steps.sum() for steps in by_step], total, rtol=1e-14)


def test_a_missing_cell_has_no_share():
    residuals = make_residuals()
    residuals.errors[:4, 1] = np.nan
    residuals.errors[5] = np.nan
    assert residuals.feature_shares()[0, 1] == 0
    assert residuals.timestep_shares()[5] == 0
    assert np.isnan(residuals.feature_errors()[0, 1])
    assert np.isfinite(residuals.worst_step_error()).all()


def test_feature_errors_are_means_over_the_observed_steps():
    residuals = make_residuals(n_missing=6)
    expected = [
        np.ma.masked_invalid(errors).mean(axis=0).filled(np.nan) for errors in residuals.split()
    ]
    np.testing.assert_allclose(residuals.feature_errors(), expected, rtol=1e-14)


def test_the_worst_step_is_judged_by_its_observed_features():
    errors = np.array([[1.0, 1.0], [np.nan, 5.0], [4.0, 4.0], [np.nan, np.nan]])
    nothing = np.zeros((1, 1))
    residuals = Residuals(errors, np.array([4]), nothing, nothing, errors, errors)
    assert residuals.worst_step_error().tolist() == [5.0]


def test_error_scores_are_minus_errors():
    residuals = make_residuals()
    for name, expected in [
        ("error", residuals.mean_error()),
        ("error_max", residuals.worst_step_error()),
    ]:
        scorer = make_scorer(name)
        np.testing.assert_array_equal(
            scorer.fit(None).score(scorer.summarize(residuals)), -expected
        )


def test_mahalanobis_joins_latents_and_log_errors_in_standard_units():
    lengths = np.full(5000, 3)
    residuals = make_residuals(lengths=lengths)
    scorer = MahalanobisScorer()
    summaries = scorer.summarize(residuals)
    expected = np.hstack([residuals.latents, np.log(residuals.feature_errors() + 1e-6)])
    np.testing.assert_array_equal(summaries, expected)
    scores = scorer.fit(summaries).score(summaries)
    centred = summaries - summaries.mean(axis=0)
    precision = np.linalg.inv(np.cov(summaries, rowvar=False))
    distances = np.sqrt(np.einsum("ij,jk,ik->i", centred, precision, centred))
    np.testing.assert_allclose(scores, -distances, rtol=0.02)


def test_neighbors_average_the_distance_to_the_three_nearest_in_standard_units():
    residuals = make_residuals(lengths=np.full(200, 3))
    scorer = NeighborsScorer()
    summaries = scorer.summarize(residuals)
    scorer.fit(summaries[:150])
    standard = (summaries - summaries[:150].mean(axis=0)) / summaries[:150].std(axis=0)
    distances = np.linalg.norm(standard[150:, np.newaxis] - standard[:150], axis=2)
    expected = -np.sort(distances, axis=1)[:, :3].mean(axis=1)
    np.testing.assert_allclose(scorer.score(summaries[150:]), expected, rtol=1e-12)


def test_neighbors_keep_a_bounded_number_of_references():
    residuals = make_residuals(lengths=np.full(3000, 1))
    scorer = NeighborsScorer()
    scorer.fit(scorer.summarize(residuals))
    assert len(scorer.references_) == 1024


def test_a_reference_is_scored_by_the_others():
    scorer = NeighborsScorer()
    summaries = scorer.summarize(make_residuals(lengths=np.full(100, 3)))
    scores = scorer.fit(summaries).score(summaries)
    for i in (0, 37):
        standardize = StandardScaler().fit(summaries).transform
        others = standardize(np.delete(summaries, i, axis=0))
        distances = np.linalg.norm(others - standardize(summaries[i : i + 1]), axis=1)
        assert scores[i] == pytest.approx(-np.sort(distances)[:3].mean(), rel=1e-12)


def test_calibrating_makes_references_of_held_out_sequences():
    scorer = NeighborsScorer()
    summaries = scorer.summarize(make_residuals(lengths=np.full(150, 3)))
    before = scorer.fit(summaries[:100]).score(summaries)
    calibrated = scorer.calibrate(summaries[100:])
    after = scorer.score(summaries)
    assert len(scorer.references_) == 150
    np.testing.assert_array_equal(calibrated, after[100:])
    assert (after >= before).all()
    assert (after > before).any()


def test_held_out_sequences_that_do_not_fit_are_no_references():
    scorer = NeighborsScorer()
    summaries = scorer.summarize(make_residuals(lengths=np.full(1100, 1)))
    scorer.fit(summaries[:1000])
    calibrated = scorer.calibrate(summaries[1000:])
    assert len(scorer.references_) == 1000
    np.testing.assert_array_equal(calibrated, scorer.score(summaries[1000:]))


@pytest.mark.parametrize("name", ["error", "error_max", "mahalanobis"])
def test_other_scorers_learn_nothing_from_held_out_sequences(name):
    residuals = make_residuals(lengths=np.full(150, 3))
    scorer = make_scorer(name)
    summaries = scorer.summarize(residuals)
    scorer.fit(summaries[:100])
    np.testing.assert_array_equal(scorer.calibrate(summaries[100:]), scorer.score(summaries[100:]))


def test_mahalanobis_in_parts_has_the_mean_and_covariance_of_all():
    summaries = NeighborsScorer().summarize(make_residuals(lengths=np.full(1024, 3)))
    scorer = MahalanobisScorer().fit(summaries[:10])
    for part in np.split(summaries[10:], [1, 5, 300]):
        scorer.partial_fit(part)
    np.testing.assert_allclose(scorer.mean_, summaries.mean(axis=0), rtol=1e-12)
    expected = np.cov(summaries, rowvar=False, ddof=0)
    np.testing.assert_allclose(scorer.covariance_, expected, rtol=1e-10, atol=1e-14)
    assert scorer.n_sequences_ == 1024


def test_mahalanobis_in_parts_shrinks_as_one_over_the_number_of_sequences():
    summaries = MahalanobisScorer().summarize(make_residuals(lengths=np.full(3000, 3)))
    scorer = MahalanobisScorer().fit(summaries[:20])
    shrinkage = scorer.shrinkage_
    assert 0 < shrinkage <= 1
    for n, part in [(21, summaries[20:21]), (200, summaries[21:200]), (1024, summaries[200:])]:
        scorer.partial_fit(part)
        assert scorer.n_sequences_ == n
        assert scorer.shrinkage_ == pytest.approx(shrinkage * 20 / n, rel=1e-12)


@pytest.mark.parametrize("n_early", [1024, 5000])
def test_mahalanobis_in_parts_lets_earlier_sequences_fade(n_early):
    summaries = MahalanobisScorer().summarize(make_residuals(lengths=np.full(n_early + 1024, 1)))
    early, late = np.split(summaries, [n_early])
    scorer = MahalanobisScorer().fit(early).partial_fit(late + 7)
    expected = (early.mean(axis=0) + (late + 7).mean(axis=0)) / 2
    np.testing.assert_allclose(scorer.mean_, expected, rtol=1e-12)
    scorer.partial_fit(late[:256] + 7)
    expected = 0.8 * expected + 0.2 * (late[:256] + 7).mean(axis=0)
    np.testing.assert_allclose(scorer.mean_, expected, rtol=1e-12)


def test_neighbors_in_parts_keep_the_latest_as_references():
    summaries = NeighborsScorer().summarize(make_residuals(lengths=np.full(1500, 1)))
    scorer = NeighborsScorer().fit(summaries[:10])
    for start, stop in [(10, 11), (11, 700), (700, 1500)]:
        scorer.partial_fit(summaries[start:stop])
        np.testing.assert_array_equal(scorer.references_, summaries[max(0, stop - 1024) : stop])
    expected = NeighborsScorer().fit(summaries[-1024:]).score(summaries)
    np.testing.assert_array_equal(scorer.score(summaries), expected)


@pytest.mark.parametrize("scorer_class", [MahalanobisScorer, NeighborsScorer])
def test_a_feature_that_a_part_never_observes_spoils_no_score(scorer_class):
    summaries = scorer_class().summarize(make_residuals(lengths=np.full(100, 3)))
    part = summaries[90:].copy()
    part[:, 3] = np.nan
    scorer = scorer_class().fit(summaries[:90]).partial_fit(part)
    scores = scorer.score(summaries)
    assert np.isfinite(scores).all()
    expected = scorer_class().fit(summaries).score(summaries)
    assert np.corrcoef(scores, expected)[0, 1] > 0.9


@pytest.mark.parametrize("name", ["error", "error_max"])
def test_scorers_that_learn_nothing_learn_nothing_in_parts(name):
    scorer = make_scorer(name)
    summaries = scorer.summarize(make_residuals())
    scores = scorer.fit(summaries).score(summaries)
    np.testing.assert_array_equal(scorer.partial_fit(summaries + 1).score(summaries), scores)


@pytest.mark.parametrize("scorer_class", [MahalanobisScorer, NeighborsScorer])
def test_joint_scores_find_errors_that_are_unusually_small(scorer_class):
    scorer = scorer_class()
    usual = make_residuals(lengths=np.full(500, 20))
    scorer.fit(scorer.summarize(usual))
    small = replace(usual, errors=usual.errors / 100)
    scores = scorer.score(scorer.summarize(usual))
    assert scorer.score(scorer.summarize(small)).max() < scores.min()


@pytest.mark.parametrize("scorer_class", [MahalanobisScorer, NeighborsScorer])
def test_joint_scores_count_an_unobserved_feature_as_average(scorer_class):
    scorer = scorer_class()
    usual = make_residuals(lengths=np.full(500, 20))
    summaries = scorer.summarize(usual)
    scorer.fit(summaries)
    unobserved, average = summaries[:1].copy(), summaries[:1].copy()
    unobserved[0, 2] = np.nan
    average[0, 2] = summaries[:, 2].mean()
    np.testing.assert_allclose(scorer.score(unobserved), scorer.score(average))


def test_biases_are_means_of_signed_errors_over_the_observed_steps():
    residuals = make_residuals(n_missing=6)
    expected = [
        np.ma.masked_invalid(rows).mean(axis=0).filled(np.nan)
        for rows in np.split(residuals.targets - residuals.predictions, np.cumsum(LENGTHS)[:-1])
    ]
    np.testing.assert_allclose(residuals.biases(), expected, rtol=1e-12)


def test_outlines_are_means_over_parts_of_time():
    targets = np.array([[1.0], [3.0], [5.0], [np.nan], [2.0], [6.0], [7.0]])
    nothing = np.zeros((2, 1))
    residuals = Residuals(targets, np.array([4, 3]), nothing, nothing, targets, targets)
    np.testing.assert_array_equal(residuals.outlines(targets, 2), [[2.0, 5.0], [2.0, 6.5]])


def test_outlines_of_sequences_with_fewer_steps_than_parts_repeat_steps():
    targets = np.array([[4.0], [9.0]])
    nothing = np.zeros((1, 1))
    residuals = Residuals(targets, np.array([2]), nothing, nothing, targets, targets)
    np.testing.assert_array_equal(residuals.outlines(targets, 4), [[4.0, 4.0, 9.0, 9.0]])


def test_errors_have_outlines_too_which_tell_where_in_time_they_are():
    residuals = make_residuals(lengths=np.full(3, 16))
    summaries = JointScorer().summarize(residuals)
    by_part = residuals.errors.reshape(3, 8, 2, -1).mean(axis=2).reshape(3, -1)
    np.testing.assert_allclose(summaries["error_outline"], np.log(by_part + 1e-6), rtol=1e-6)


@pytest.mark.parametrize(
    "part", ["latent", "log_error", "bias", "peak", "outline", "error_outline"]
)
def test_what_is_far_off_in_any_part_of_the_joint_summary_is_anomalous(part):
    scorer = JointScorer()
    summaries = scorer.summarize(make_residuals(lengths=np.full(300, 20)))
    usual = scorer.fit(summaries[:200]).score(summaries[200:])
    summaries[part][200:] += 1000
    assert scorer.score(summaries[200:]).max() < usual.min()


def test_joint_score_is_minus_the_geometric_mean_of_its_distances():
    scorer = JointScorer()
    summaries = scorer.summarize(make_residuals(lengths=np.full(200, 10)))
    train, test = summaries[:150], summaries[150:]
    expected = 0.0
    for i, parts in enumerate(
        [
            ["latent", "log_error", "bias"],
            ["latent", "log_error", "peak"],
            ["outline"],
            ["error_outline"],
        ]
    ):
        rows, others = (
            np.hstack([part[name] for name in parts]).astype(float) for part in (test, train)
        )
        standardizer = StandardScaler().fit(others)
        rows, others = standardizer.transform(rows), standardizer.transform(others)
        if i == 0:
            precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(others).covariance_)
            distances = cdist(rows, others, "mahalanobis", VI=precision)
        else:
            distances = cdist(rows, others)
        expected = expected - np.log(distances.min(axis=1) / np.sqrt(rows.shape[1]) + 1e-3)
    errors = MahalanobisScorer().fit(train["log_error"].astype(float))
    distances = -errors.score(test["log_error"].astype(float)) / np.sqrt(3)
    expected = expected - np.log(distances + 1e-3)
    np.testing.assert_allclose(scorer.fit(train).score(test), -np.exp(-expected / 5), rtol=1e-6)


@pytest.mark.parametrize("name", SCORERS)
def test_a_score_does_not_depend_on_its_company(name):
    residuals = make_residuals(lengths=np.arange(1, 60))
    scorer = make_scorer(name)
    summaries = scorer.summarize(residuals)
    scores = scorer.fit(summaries).score(summaries)
    for i in (0, 7, 58):
        one = slice(i, i + 1)
        rows = slice(residuals.lengths[:i].sum(), residuals.lengths[: i + 1].sum())
        alone = Residuals(
            residuals.errors[rows],
            residuals.lengths[one],
            residuals.latents[one],
            residuals.peaks[one],
            residuals.targets[rows],
            residuals.predictions[rows],
        )
        assert scorer.score(scorer.summarize(alone)).tolist() == [scores[i]]


def test_a_callable_gets_errors_and_latents():
    def worst_cell(errors, latents):
        assert latents.shape == (len(errors), 2)
        return np.array([-np.nanmax(sequence) for sequence in errors])

    residuals = make_residuals(n_missing=3)
    scorer = make_scorer(worst_cell)
    expected = [-np.nanmax(errors) for errors in residuals.split()]
    assert scorer.fit(None).score(scorer.summarize(residuals)).tolist() == expected


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        (0.0, "array(0.)"),
        ([1.0, np.nan, 2.0], "array([ 1., nan,  2.])"),
    ],
)
def test_a_callable_that_returns_something_else_is_refused(returned, found):
    scorer = make_scorer(lambda errors, latents: returned)
    message = (
        "The scorer must return 3 finite scores for 3 sequences, an array of shape (3,); "
        f"it returned {found}."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        scorer.summarize(make_residuals())


def test_references_seen_anew_change_no_score_and_are_not_saved():
    scorer = JointScorer()
    summaries = scorer.summarize(make_residuals(lengths=np.full(200, 10)))
    scorer.fit(summaries[:100])
    fresh = pickle.dumps(scorer)
    scores = scorer.score(summaries[150:])
    assert pickle.dumps(scorer) == fresh
    np.testing.assert_array_equal(scorer.score(summaries[150:]), scores)
    np.testing.assert_array_equal(pickle.loads(fresh).score(summaries[150:]), scores)
    scorer.calibrate(summaries[100:150])
    assert (scorer.score(summaries[150:]) >= scores).all()
    assert (scorer.score(summaries[150:]) > scores).any()


@pytest.mark.parametrize("n", [1, 3])
def test_of_references_that_are_the_row_itself_one_is_left_out(n):
    references = np.random.default_rng(0).normal(size=(20, 4))
    references[1] = references[0]
    rows = np.concatenate([references[:3] + 1e-9, [np.zeros(4)]])
    in_order = np.sort(cdist(rows, references))
    expected = [*in_order[:3, 1 : n + 1], in_order[3, :n]]
    np.testing.assert_array_equal(distances_to_others(rows, references, n), expected)
    one_by_one = [distances_to_others(row[np.newaxis], references, n)[0] for row in rows]
    np.testing.assert_array_equal(one_by_one, expected)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e18])
def test_the_nearest_other_is_found_to_the_last_bit(scale):
    rng = np.random.default_rng(0)
    references = rng.normal(size=(300, 20))
    references[100:200] = references[:100] + 1e-7 * rng.normal(size=(100, 20))  # hard to tell apart
    rows = np.concatenate([scale * rng.normal(size=(70, 20)), references[:50], references[250:]])
    others = NearestOther(references)
    actual = others.distances(rows)
    expected = distances_to_others(rows, references, 1)[:, 0]
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    in_parts = [others.distances(part) for part in np.split(rows, [1, 2, 9])]
    np.testing.assert_array_equal(np.concatenate(in_parts), actual)
