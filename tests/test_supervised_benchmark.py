"""What stands beside the classifier in its benchmark does what it is named for."""

import numpy as np
import pytest

from benchmarks.supervised import regression
from benchmarks.supervised.augmented import AUGMENTED, cropped, warped
from benchmarks.supervised.data import Case, folds
from benchmarks.supervised.dtw import distances
from benchmarks.supervised.methods import METHODS, OURS, find_method
from benchmarks.supervised.report import mean_ranks, means, report


def slow_distance(x, reference):
    """Return the distance by the recurrence of the textbook."""
    total = np.full((len(x) + 1, len(reference) + 1), np.inf)
    total[0, 0] = 0
    for i, step in enumerate(x):
        for j, other in enumerate(reference):
            least = min(total[i, j], total[i + 1, j], total[i, j + 1])
            total[i + 1, j + 1] = ((step - other) ** 2).sum() + least
    return total[-1, -1]


def ragged(n_sequences, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rng.integers(1, 9), 2)) for _ in range(n_sequences)]


def test_distances_by_dtw_are_those_of_the_recurrence():
    X, references = ragged(5, seed=0), ragged(6, seed=1)
    expected = [[slow_distance(x, reference) for reference in references] for x in X]
    np.testing.assert_allclose(distances(X, references), expected, rtol=1e-4)


def test_a_stretched_sequence_is_at_no_distance():
    x = np.random.default_rng(0).normal(size=(7, 3))
    assert distances([np.repeat(x, 3, axis=0)], [x])[0, 0] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("name", [n for n in METHODS if n not in (OURS, "MiniRocket on zeros")])
def test_methods_find_classes_that_are_far_apart(name):
    rng = np.random.default_rng(0)
    y = np.repeat(["low", "high"], 20)
    X = [
        (rng.normal(size=(rng.integers(5, 8), 2)) + 6 * (label == "high")).astype(np.float32)
        for label in y
    ]
    assert np.mean(find_method(name)(X, y, X, 0) == y) > 0.9


def test_our_classifier_may_have_other_parameters():
    X, y = ragged(12, seed=0), np.repeat([0, 1], 6)
    method = find_method("max_epochs=1 hidden_size=2")
    assert set(method(X, y, X, 0)) <= {0, 1}
    with pytest.raises(KeyError):
        find_method("boosting")


def test_folds_leave_the_test_data_alone():
    X, y = ragged(12, seed=0), np.repeat([0, 1], 6)
    parts = list(folds(Case(X, y, [], np.array([])), seed=0))
    assert [len(part.X_test) for part in parts] == [4, 4, 4]
    assert all(np.bincount(part.y_test).tolist() == [2, 2] for part in parts)


def test_ranks_are_means_over_the_sets_and_ties_share_them():
    accuracy = np.array([[0.9, 0.8, 0.7], [0.5, 0.5, 0.9]])
    np.testing.assert_array_equal(mean_ranks(accuracy), [1.75, 2.25, 2.0])


def test_the_report_has_a_row_a_method_and_ranks_those_that_were_run_on_all_sets():
    lines = [
        {"task": [name, method, seed], "accuracy": 0.5 + 0.1 * seed, "seconds": 2.0}
        for name, method, seed in [
            ("vowels", OURS, 0),
            ("vowels", OURS, 1),
            ("leaves", OURS, 0),
            ("vowels", "noise=1", 0),
        ]
    ]
    assert means(lines, ["vowels"], [OURS], "accuracy")[0, 0] == pytest.approx(0.55)
    rows = [line for line in report(lines).splitlines() if line.startswith("|")]
    assert rows[2:4] == ["| LSTMClassifier | 0.550 | 0.500 | 1.00 |", "| noise=1 | 0.500 |  |  |"]


@pytest.mark.parametrize("name", regression.SIMPLE)
def test_simple_methods_predict_numbers(name):
    rng = np.random.default_rng(0)
    y = rng.uniform(size=60)
    X = [rng.normal(target, 0.01, size=(rng.integers(5, 8), 2)) for target in y]
    error, _ = regression.run(name, [Case(X[:40], y[:40], X[40:], y[40:])], seed=0)
    assert (error < 0.1) == (name != "mean")


def test_our_regressor_may_have_other_parameters():
    rng = np.random.default_rng(0)
    case = Case(ragged(6, seed=0), rng.normal(size=6), ragged(2, seed=1), rng.normal(size=2))
    plain, wide = (
        regression.predict(f"max_epochs=1 hidden_size={width}", case, seed=0) for width in (2, 4)
    )
    assert plain.shape == wide.shape == (2,)
    assert (plain != wide).all()


def test_folds_of_days_predict_from_those_before_them():
    y = np.arange(12.0)
    case = Case(ragged(12, seed=0), y, [], np.array([]))
    for part in regression.folds("taxis, next day", case, seed=0):
        assert part.y_train.max() < part.y_test.min()
    parts = list(regression.folds("vowels, steps left", case, seed=0))
    assert sorted(np.concatenate([part.y_test for part in parts])) == y.tolist()


def test_what_is_left_of_recordings_is_the_steps_that_are_not_read(monkeypatch):
    X = [np.arange(n)[:, np.newaxis] for n in (5, 9, 20)]
    monkeypatch.setattr(regression, "load", lambda name, data: Case(X, y, X[1:], y[1:]))
    y = np.zeros(3)
    case = regression.cut("any", len, None)
    for x, left, whole in zip(case.X_train, case.y_train, X, strict=True):
        assert len(x) >= regression.SHORTEST
        assert len(x) + left == len(whole)
        assert left > 0
    assert len(case.X_test) == len(case.y_test) == 2
    case = regression.cut("any", regression.first_mean, None)
    for x, rest, whole in zip(case.X_train, case.y_train, X, strict=True):
        assert rest == whole[len(x) :].mean()


@pytest.mark.parametrize("name", AUGMENTED)
def test_altered_copies_are_learned_from_beside_the_sequences(name):
    rng, y = np.random.default_rng(0), np.repeat(["low", "high"], 20)
    X = [rng.normal(6 * (label == "high"), size=(rng.integers(5, 8), 2)) for label in y]
    assert np.mean(find_method(name)(X, y, X, 0) == y) > 0.9


def test_a_crop_is_a_stretch_and_a_warp_keeps_length_ends_and_order():
    x, rng = np.arange(40.0)[:, np.newaxis], np.random.default_rng(0)
    for _ in range(20):
        stretch, bent = cropped(x, rng)[:, 0], warped(x, rng)[:, 0]
        assert 32 <= len(stretch) <= 40
        assert (np.diff(stretch) == 1).all()
        assert bent.shape == (40,)
        assert bent[[0, -1]] == pytest.approx([0, 39])
        assert (np.diff(bent) > 0).all()
