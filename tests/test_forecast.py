"""The forecasting detector as a user meets it; what it shares is tested with the autoencoder's."""

import inspect
import re

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import explained_variance_score

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMForecastDetector,
    SlidingWindowDetector,
    _batches,
)
from skl_lstmae._forecast import STEPS_IN_TRAINING
from skl_lstmae._scoring import SCORERS
from skl_lstmae._sequences import read_sequences
from skl_lstmae.modules import LSTMForecaster

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {
    "hidden_size": 8,
    "learning_rate": 0.01,
    "batch_size": 8,
    "max_epochs": 3,
    "device": "cpu",
    "random_state": 0,
}


def make_sequences(n_sequences=40, n_features=2, seed=0, lengths=(8, 20), heavy_tails=False):
    """Sines of random phase around 50, with noise: ragged, and far from scaled units."""
    rng = np.random.default_rng(seed)
    sequences = []
    for n_timesteps in rng.integers(*lengths, size=n_sequences):
        steps = np.arange(n_timesteps)[:, np.newaxis]
        phases = rng.uniform(0, 2 * np.pi, size=n_features)
        shape = (n_timesteps, n_features)
        noise = rng.standard_t(3, size=shape) if heavy_tails else rng.normal(size=shape)
        sequences.append(50 + 10 * np.sin(steps / 3 + phases) + 0.3 * noise)
    return sequences


def make_series(n_timesteps, n_features=2, seed=0, heavy_tails=False):
    return make_sequences(1, n_features, seed, (n_timesteps, n_timesteps + 1), heavy_tails)[0]


def with_missing_cells(sequences):
    """Copies in which values are missing at the start, at the end and in between."""
    sequences = [x.copy() for x in sequences]
    sequences[0][:3, 0] = np.nan
    sequences[1][-2:] = np.nan
    sequences[2][2] = np.nan
    return sequences


@pytest.fixture(scope="module")
def X():
    return with_missing_cells(make_sequences())


@pytest.fixture(scope="module")
def detector(X):
    return LSTMForecastDetector(**QUICK).fit(X)


@pytest.fixture(scope="module")
def trained():
    parameters = QUICK | {"hidden_size": 32, "max_epochs": 80}
    return LSTMForecastDetector(**parameters).fit(make_sequences(200, lengths=(30, 40)))


# --------------------------------------------------------------------------------------- forecasts


def test_sines_are_forecast(trained):
    X = make_sequences(50, seed=1, lengths=(40, 41))
    forecasts = np.stack(trained.forecast([x[:30] for x in X], n_steps=10))
    actual = np.stack([x[30:] for x in X])
    assert np.corrcoef(forecasts.ravel(), actual.ravel())[0, 1] > 0.9
    assert abs((forecasts - actual).mean()) < 1


def test_a_forecast_reads_its_own_predictions(trained):
    X = make_sequences(5, seed=1)
    forecasts = trained.forecast(X, n_steps=4)
    continued = [np.vstack([x, steps]) for x, steps in zip(X, forecasts, strict=True)]
    for steps, predicted in zip(forecasts, trained.predict_steps(continued), strict=True):
        np.testing.assert_allclose(predicted[-4:], steps, rtol=1e-5)


def test_a_forecast_is_the_same_alone_and_in_any_batch(detector):
    X = with_missing_cells(make_sequences(70, lengths=(1, 40)))
    forecasts = detector.forecast(X, n_steps=3)
    for i in (0, 1, 2, 50):
        np.testing.assert_array_equal(detector.forecast([X[i]], n_steps=3)[0], forecasts[i])
    padded = np.full((70, 50, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = np.nan_to_num(x, nan=50.0)
    filled = [np.nan_to_num(x, nan=50.0) for x in X]
    np.testing.assert_array_equal(detector.forecast(padded, 3), detector.forecast(filled, 3))


def test_a_forecast_starts_from_the_last_observed_values(detector):
    [x] = make_sequences(1)
    gappy, repeated = x.copy(), x.copy()
    gappy[-2:, 0] = np.nan
    repeated[-2:, 0] = x[-3, 0]
    np.testing.assert_array_equal(
        detector.forecast([gappy], n_steps=3)[0], detector.forecast([repeated], n_steps=3)[0]
    )


@pytest.mark.parametrize("form", ["list", "tensors", "3-D", "4-D", "panel", "frames"])
def test_forecasts_take_the_form_of_the_input(form):
    arrays = [x[:8] for x in make_sequences()]
    n, stacked = len(arrays), np.stack(arrays)
    index = pd.MultiIndex.from_product([range(10, 10 + n), range(8)], names=["engine", "time"])
    X = {
        "list": arrays,
        "tensors": [torch.tensor(x) for x in arrays],
        "3-D": stacked,
        "4-D": stacked.reshape(n, 8, 2, 1),
        "panel": pd.DataFrame(stacked.reshape(-1, 2), index=index, columns=["a", "b"]),
        "frames": [pd.DataFrame(x, columns=["a", "b"]) for x in arrays],
    }[form]
    expected = np.stack(LSTMForecastDetector(**QUICK).fit(arrays).forecast(arrays, n_steps=3))
    assert expected.shape == (n, 3, 2)
    forecasts = LSTMForecastDetector(**QUICK).fit(X).forecast(X, n_steps=3)
    if form == "panel":
        assert list(forecasts) == ["a", "b"]
        assert forecasts.index.names == ["engine", "time"]
        assert forecasts.index.tolist() == [(10 + i, k) for i in range(n) for k in (1, 2, 3)]
        forecasts = forecasts.to_numpy().reshape(n, 3, 2)
    elif form == "frames":
        assert [list(frame) for frame in forecasts] == [["a", "b"]] * n
        assert [frame.index.tolist() for frame in forecasts] == [[1, 2, 3]] * n
    else:
        assert type(forecasts) is (list if form in ("list", "tensors") else np.ndarray)
        assert np.shape(forecasts) == ((n, 3, 2, 1) if form == "4-D" else (n, 3, 2))
    # A frame's columns lie apart, which the last bit of the scaler's sums may depend on.
    np.testing.assert_allclose(np.reshape(forecasts, (n, 3, 2)), expected, rtol=1e-12)


def test_forecasts_of_one_feature_are_numbers_where_the_steps_are():
    X = np.stack([x[:8, 0] for x in make_sequences()])
    detector = LSTMForecastDetector(**QUICK).fit(X)
    forecasts = detector.forecast(X, n_steps=3)
    assert forecasts.shape == (len(X), 3)
    np.testing.assert_array_equal(np.stack(detector.forecast(list(X), n_steps=3)), forecasts)
    of_column = detector.forecast(X[:, :, np.newaxis], n_steps=3)
    np.testing.assert_array_equal(of_column[:, :, 0], forecasts)
    frame = detector.forecast(pd.DataFrame(X, index=range(100, 100 + len(X))), n_steps=3)
    assert frame.columns.tolist() == [1, 2, 3]
    assert frame.index[0] == 100
    np.testing.assert_array_equal(frame, forecasts)
    series = detector.forecast([pd.Series(X[0], name="load")], n_steps=3)[0]
    assert (series.name, series.index.tolist()) == ("load", [1, 2, 3])
    np.testing.assert_array_equal(series, forecasts[0])


@pytest.mark.parametrize("n_steps", [0, 1.5, "2"])
def test_a_number_of_steps_that_is_none_is_refused(detector, X, n_steps):
    message = "The 'n_steps' parameter of LSTMForecastDetector.forecast must be an int in the range"
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.forecast(X, n_steps=n_steps)


# ------------------------------------------------------------------------- predictions and errors


@pytest.mark.parametrize("first_changed", [0, 1, 5, 11])
@pytest.mark.parametrize("n_missing", [0, 7])
def test_the_future_changes_nothing_in_the_predictions_of_the_past(
    detector, first_changed, n_missing
):
    X = make_sequences(30, lengths=(13, 20))
    for x in X:
        x[:n_missing] = np.nan  # what is first observed must not fill the gap before it
    changed = [x.copy() for x in X]
    for x in changed:
        x[first_changed:] = 1e3 * np.arange(1, 1 + len(x) - first_changed)[:, np.newaxis]
    before, after = detector.predict_steps(X), detector.predict_steps(changed)
    for one, other in zip(before, after, strict=True):
        # No step sees itself either.
        np.testing.assert_array_equal(one[: first_changed + 1], other[: first_changed + 1])
        assert (one[first_changed + 1 :] != other[first_changed + 1 :]).any()


def test_predictions_and_errors_take_the_form_of_the_input_and_add_up(detector, X):
    predicted = detector.predict_steps(X)
    assert [x.shape for x in predicted] == [x.shape for x in X]
    assert np.isfinite(np.concatenate(predicted)).all()
    scale = detector.scaler_.scale_
    expected = [np.nanmean(np.square((x - y) / scale)) for x, y in zip(X, predicted, strict=True)]
    errors = detector.prediction_error(X)
    np.testing.assert_allclose(errors, expected, rtol=1e-4)
    by_step = detector.prediction_error(X, per="timestep")
    by_feature = detector.prediction_error(X, per="feature")
    np.testing.assert_allclose([steps.sum() for steps in by_step], errors, rtol=1e-13)
    np.testing.assert_allclose(by_feature.sum(axis=1), errors, rtol=1e-13)
    with pytest.raises(ValueError, match=r"The 'per' parameter of .* must be a str among"):
        detector.prediction_error(X, per="channel")


def test_score_is_the_explained_variance_of_the_predictions(trained):
    X = make_sequences(seed=1)
    expected = explained_variance_score(np.concatenate(X), np.concatenate(trained.predict_steps(X)))
    assert trained.score(X) == pytest.approx(expected)
    assert trained.score(X) > 0.5


def test_variables_by_features_in_four_dimensions():
    X = make_sequences(n_features=6, lengths=(8, 20))
    padded = np.full((len(X), 20, 3, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x.reshape(-1, 3, 2)
    detector = LSTMForecastDetector(**QUICK | {"max_epochs": 30}).fit(padded)
    predicted = detector.predict_steps(padded)
    assert predicted.shape == padded.shape
    np.testing.assert_array_equal(np.isnan(predicted), np.isnan(padded))
    assert detector.score(padded) > 0.3
    assert detector.prediction_error(padded, per="feature").shape == (len(X), 6)
    forecasts = detector.forecast(padded, n_steps=5)
    assert forecasts.shape == (len(X), 5, 3, 2)
    np.testing.assert_array_equal(forecasts[0].reshape(5, 6), detector.forecast([X[0]], 5)[0])


def test_anomalies_score_lower_than_normal_sequences(trained):
    rng = np.random.default_rng(0)
    strange = [rng.permutation(x) for x in make_sequences(50, seed=5, lengths=(30, 40))]
    normal = trained.score_samples(make_sequences(50, seed=6, lengths=(30, 40)))
    assert np.mean(trained.score_samples(strange)[:, np.newaxis] < normal) > 0.9


# ------------------------------------------------------------------------------------- long series


@pytest.fixture(scope="module")
def series():
    series = make_series(400)
    series[:5, 0] = np.nan
    series[95:131] = np.nan
    series[200:320, 1] = np.nan
    return series


RESULTS = {
    "score_samples": lambda detector, X: detector.score_samples(X),
    "predict_steps": lambda detector, X: detector.predict_steps(X)[0],
    "error per timestep": lambda detector, X: detector.prediction_error(X, per="timestep")[0],
    "error per feature": lambda detector, X: detector.prediction_error(X, per="feature"),
    "forecast": lambda detector, X: detector.forecast(X, n_steps=3)[0],
}


@pytest.mark.parametrize("hidden_size", [8, (5, 7)], ids=str)
def test_chunks_change_no_bit_of_a_long_series(series, hidden_size, monkeypatch):
    detector = LSTMForecastDetector(**QUICK | {"hidden_size": hidden_size}).fit([series])
    whole = {name: result(detector, [series]) for name, result in RESULTS.items()}
    width = detector.module_.width
    for n_steps in (1, 7, 64, 131, 399):
        monkeypatch.setattr(_batches, "MAX_SCORING_FLOATS", n_steps * width)
        for name, result in RESULTS.items():
            np.testing.assert_array_equal(result(detector, [series]), whole[name])


@pytest.mark.parametrize("scorer", ["neighbors", "joint", "mahalanobis", "error", "error_max"])
def test_chunks_change_no_score_beside_other_sequences(series, X, scorer, monkeypatch):
    detector = LSTMForecastDetector(**QUICK, scorer=scorer).fit(X)
    mixed = [X[0], series, X[1], series[:150]]
    scores = detector.score_samples(mixed)
    monkeypatch.setattr(_batches, "MAX_SCORING_FLOATS", 800)
    np.testing.assert_array_equal(detector.score_samples(mixed), scores)


def test_the_network_never_reads_a_long_series_at_once(monkeypatch):
    n_steps = []
    for name in ("forward_with_states", "resume"):
        method = getattr(LSTMForecaster, name)

        def spy(module, x, *args, method=method, **kwargs):
            n_steps.append(x.shape[0] * x.shape[1])
            return method(module, x, *args, **kwargs)

        monkeypatch.setattr(LSTMForecaster, name, spy)
    for bound in "MAX_FLOATS", "MAX_SCORING_FLOATS":
        monkeypatch.setattr(_batches, bound, 8 * 300)
    series = make_series(3000)
    detector = LSTMForecastDetector(**QUICK).fit([series])
    assert STEPS_IN_TRAINING <= max(n_steps) <= 300
    for name, result in RESULTS.items():
        n_steps.clear()
        result(detector, [series])
        n_read = 119 * 50 if name == "score_samples" else 3000  # pieces overlap by half
        assert (sum(n_steps), max(n_steps)) == (n_read, 300)


def test_long_sequences_are_trained_on_in_pieces_that_change_and_scored_whole(monkeypatch):
    lengths = []
    forward = LSTMForecaster.forward_with_states

    def spy(module, x, n_steps, generator=None):
        if module.training:
            lengths.extend(n_steps.tolist())
        return forward(module, x, n_steps, generator)

    monkeypatch.setattr(LSTMForecaster, "forward_with_states", spy)
    detector = LSTMForecastDetector(**QUICK).fit(make_sequences(20, lengths=(410, 411)))
    assert sum(lengths) == 3 * 17 * 410
    assert max(lengths) == STEPS_IN_TRAINING
    assert len(set(lengths)) > 3  # a first, 200 and a last, if the cuts were always the same
    assert len(detector._held_out_scores.scores) == 3


def test_the_end_of_a_series_is_held_out():
    series = make_series(3000)
    changed = series.copy()
    changed[-300:] = np.random.default_rng(0).permutation(series[-300:])
    before, after = (
        LSTMForecastDetector(**QUICK | {"max_epochs": 8}, scorer="error").fit([x])
        for x in (series, changed)
    )
    assert before.scaler_.mean_.tolist() == after.scaler_.mean_.tolist()
    assert before.scaler_.n_samples_seen_.tolist() == 3000 - 300 - 150  # a gap of three pieces
    assert before.loss_curve_ == after.loss_curve_
    assert before.validation_loss_curve_[-1] < after.validation_loss_curve_[-1] / 2
    assert before.offset_ > after.offset_


@pytest.mark.parametrize("lengths", [[100], [1000], [300, 40], [250, 250, 250, 20]], ids=str)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"scorer": "error", "validation_fraction": 0.9},
        {"scorer": "mahalanobis", "early_stopping": False, "contamination": 0.1},
    ],
    ids=str,
)
def test_fewer_than_five_sequences_will_do_if_one_is_long(lengths, parameters):
    X = [make_series(n, seed=n) for n in lengths]
    detector = LSTMForecastDetector(**QUICK | parameters).fit(X)
    assert np.isfinite(detector.offset_)
    assert np.isfinite(detector.score_samples(X)).all()
    assert detector.predict(X).shape == (len(X),)


N_LEARNED = 6000


def learn_starts(heavy_tails=False):
    """Detectors that have each learned from the start of a single long series, and its rest."""
    parameters = QUICK | {"hidden_size": 16, "max_epochs": 15, "batch_size": 64}
    detector = LSTMForecastDetector(**parameters, false_alarm_rate=0.05)
    series = [make_series(N_LEARNED + 50_000, 2, seed, heavy_tails) for seed in range(4)]
    return [(clone(detector).fit([x[:N_LEARNED]]), x[N_LEARNED:]) for x in series]


@pytest.fixture(scope="module")
def of_one_series():
    return learn_starts()


@pytest.fixture(scope="module")
def of_one_heavy_series():
    return learn_starts(heavy_tails=True)


def share_of_flagged(of_one_series, n_timesteps, n_series):
    """Return how many of the series that are cut from the rest of the learned ones are flagged."""
    cuts = [
        (detector, np.split(rest[: n_series * n_timesteps], n_series))
        for detector, rest in of_one_series
    ]
    return np.mean([detector.predict(X) == -1 for detector, X in cuts])


@pytest.mark.parametrize(
    ("n_timesteps", "n_series"), [(50, 100), (99, 80), (300, 60), (1000, 40), (5000, 10)]
)
def test_normal_series_of_any_length_are_flagged_at_about_the_rate(
    of_one_series, n_timesteps, n_series
):
    assert share_of_flagged(of_one_series, n_timesteps, n_series) < 0.12


@pytest.mark.parametrize(
    ("n_timesteps", "n_series", "bound"),
    [(50, 100, 0.12), (300, 60, 0.12), (1000, 40, 0.16), (5000, 10, 0.35)],
)
def test_heavy_tails_of_the_noise_raise_the_rate_for_long_series(
    of_one_heavy_series, n_timesteps, n_series, bound
):
    # The tail of so few scores as that of a learned series cannot be known that far out.
    assert share_of_flagged(of_one_heavy_series, n_timesteps, n_series) < bound


def test_normal_series_are_flagged_now_and_then(of_one_series):
    assert share_of_flagged(of_one_series, 200, 250) > 0.01


@pytest.mark.parametrize("n_timesteps", [50, 99, 300, 1000, 5000])
def test_a_clear_anomaly_is_found_however_long_the_series(of_one_series, n_timesteps):
    for detector, rest in of_one_series:
        x = rest[:n_timesteps].copy()
        x[n_timesteps // 2 : n_timesteps // 2 + 20] += 30
        assert detector.predict([x]) == [-1]


@pytest.mark.parametrize("at", range(200, 250, 5))
def test_a_break_is_found_wherever_it_lies_in_a_piece(of_one_series, at):
    # Half a period is left out, which shows in what the row before the break lets expect alone.
    for detector, rest in of_one_series:
        assert detector.predict([np.delete(rest[:500], np.s_[at : at + 9], axis=0)]) == [-1]


def test_a_long_series_is_judged_by_its_worst_piece_and_their_number(of_one_series):
    detector, _ = of_one_series[0]
    X = [make_series(n, seed=n) for n in (500, 20, 130)]
    X[0][100:150] = np.nan  # leaves nothing to judge of one of its 19 pieces
    pieces = [
        [X[0][start : start + 50] for start in range(0, 475, 25) if start != 100],
        [X[1]],
        [X[2][start : start + 50] for start in (0, 25, 50, 75, 80)],
    ]
    worst = np.array([detector.score_samples(of_one).min() for of_one in pieces])
    scores = detector.score_samples(X)
    expected = detector._learned_scores.alone(worst, np.array([18, 1, 5]))
    np.testing.assert_array_equal(scores, expected)
    assert (scores > worst).tolist() == [True, False, True]


def test_number_of_pieces_is_put_right_by_what_partial_fit_has_learned():
    detector = LSTMForecastDetector(**QUICK).fit([make_series(1000)])
    series = make_series(330)

    def correction(detector):
        pieces = [series[start : start + 33] for start in [*range(0, 297, 16), 297]]
        return detector.score_samples([series])[0] - detector.score_samples(pieces).min()

    before = correction(detector)
    for seed in range(3):
        X = make_series(400, seed=seed)
        detector.partial_fit([X + np.random.default_rng(seed).standard_t(2, X.shape)])
    assert correction(detector) > 2 * before


@pytest.mark.parametrize(
    ("n_timesteps", "size"), [(100, 5), (150, 5), (600, 20), (1500, 50), (9000, 50)]
)
def test_pieces_are_a_thirtieth_of_the_longest_series_within_bounds(n_timesteps, size):
    sequences, _ = read_sequences([make_series(n_timesteps), make_series(60)])
    parts = LSTMForecastDetector(**QUICK)._split(sequences, np.random.RandomState(0))
    assert parts.piece_size == size
    assert set(parts.references.lengths) == {size}
    assert len(parts.held_out) >= 3


@pytest.mark.parametrize("n_series", [4, 5, 8, 15])
def test_a_clear_anomaly_is_found_however_few_the_series_learned_from(n_series):
    rng = np.random.default_rng(n_series)
    starts = rng.integers(1000, size=n_series + 20)
    steps = (starts[:, np.newaxis] + np.arange(1000))[:, :, np.newaxis]
    X = list(np.sin(steps / 3) + 0.03 * rng.normal(size=steps.shape))
    parameters = QUICK | {"hidden_size": 16, "max_epochs": 15, "batch_size": 64}
    detector = LSTMForecastDetector(**parameters).fit(X[:n_series])
    fresh = X[n_series:]
    assert np.mean(detector.predict(fresh) == -1) < 0.2
    for x in fresh:
        x[500:520] += 0.3
    assert np.mean(detector.predict(fresh) == -1) > 0.9


def test_pieces_of_a_series_show_all_its_phases():
    # Side by side, pieces of 50 steps would show two phases of a series that repeats every 100.
    sequences, _ = read_sequences([make_series(6000)])
    parts = LSTMForecastDetector(**QUICK)._split(sequences, np.random.RandomState(0))
    assert (len(parts.references), len(parts.held_out)) == (105, 12)
    assert len(set(parts.references.starts % 100)) > 50
    assert len(set(parts.held_out.starts % 100)) > 5
    assert parts.held_out.starts.min() >= 5400
    assert (parts.references.starts + 50).max() <= 5400 - 150


def test_a_long_series_may_be_calibrated_on():
    detector = LSTMForecastDetector(**QUICK, false_alarm_rate=0.05).fit([make_series(1000)])
    drifted = [1.5 * make_series(1000, seed=seed) for seed in range(1, 30)]
    flagged = (detector.predict(drifted[9:]) == -1).mean()
    scores = detector.score_samples(drifted[9:])
    detector.recalibrate(drifted[:9])
    assert (detector.predict(drifted[9:]) == -1).mean() < 0.3 < flagged
    np.testing.assert_array_equal(detector.score_samples(drifted[9:]), scores)


def test_what_was_calibrated_on_has_no_say_in_what_is_learned_later():
    more, drifted = [make_series(400, seed=1)], [3 * make_series(1000, seed=2)]
    detector = LSTMForecastDetector(**QUICK).fit([make_series(1000)])
    expected = LSTMForecastDetector(**QUICK).fit([make_series(1000)]).partial_fit(more)
    actual = detector.recalibrate(drifted).partial_fit(more)
    X = [make_series(330)]
    np.testing.assert_array_equal(actual.score_samples(X), expected.score_samples(X))


def test_pieces_to_calibrate_on_are_three_at_least():
    detector = LSTMForecastDetector(**QUICK).fit([make_series(1500)])
    offset = detector.offset_
    sentence = (
        "X makes 2 piece(s) of 50 time steps to calibrate on; expected at least 3: pass more time "
        "steps."
    )
    with pytest.raises(ValueError, match=re.escape(sentence)):
        detector.recalibrate([make_series(60)])
    assert detector.offset_ == offset


def test_partial_fit_goes_on_after_a_long_series():
    detector = LSTMForecastDetector(**QUICK).fit([make_series(1000)])
    detector.partial_fit([make_series(400, seed=1)])
    assert len(detector._held_out_scores.scores) == 4 + 13  # pieces of 33 steps
    before = detector.score_samples([make_series(400)])
    detector.partial_fit(make_sequences())
    assert detector.score_samples([make_series(400)]) != before


def test_scores_learned_anew_from_whole_sequences_are_of_whole_sequences():
    X = make_sequences(lengths=(70, 90))
    detector = LSTMForecastDetector(**QUICK).fit([make_series(1000)])
    expected = LSTMForecastDetector(**QUICK).fit(X).score_samples(X)
    np.testing.assert_array_equal(detector.fit(X).score_samples(X), expected)


def test_a_long_gap_in_a_series_is_left_out():
    series = make_series(2000)
    series[500:1100] = np.nan
    series[1750:1950] = np.nan
    for scorer in SCORERS:
        detector = LSTMForecastDetector(**QUICK, scorer=scorer).fit([series])
        assert np.isfinite(detector.offset_)
        assert np.isfinite(detector.loss_curve_).all()
        assert np.isfinite(detector.score_samples([series])).all()


def test_a_change_in_a_series_is_where_the_errors_are():
    series = make_series(3000)
    detector = LSTMForecastDetector(**QUICK | {"max_epochs": 30}).fit([series[:2000]])
    new = series[2000:].copy()
    new[600] += 30
    assert detector.prediction_error([new], per="timestep")[0].argmax() == 600


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            [make_series(99), make_series(10)],
            "Found n_samples=2 sequence(s) in X, the longest of 99 time steps; "
            "LSTMForecastDetector needs at least 5, or one of at least 100 time steps.",
        ),
        (
            [np.where(np.arange(300)[:, np.newaxis] < 5, make_series(300), np.nan)],
            "Almost all values of X are missing: of its pieces of 10 time steps to train on, 1 "
            "holds an observed one; expected at least 2.",
        ),
    ],
    ids=["short", "missing"],
)
def test_what_is_too_little_to_train_on_is_refused(X, message):
    detector = LSTMForecastDetector(**QUICK)
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.fit(X)
    assert vars(detector) == vars(LSTMForecastDetector(**QUICK))


# ------------------------------------------------------------------------ what the base class gives


def test_parameters_shared_with_the_autoencoder_have_its_names_and_defaults():
    own = dict(inspect.signature(LSTMForecastDetector).parameters)
    its = dict(inspect.signature(LSTMAutoencoderDetector).parameters)
    assert own.keys() < its.keys()
    assert {name: p.default for name, p in own.items() if p.default != its[name].default} == {
        "noise": 0.0,
        "scorer": "neighbors",
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"scorer": "joint"},
        {"scorer": "mahalanobis", "hidden_size": (7, 5), "dropout": 0.2},
        {"scorer": "error"},
    ],
    ids=str,
)
def test_a_score_is_the_same_alone_in_any_batch_order_and_after_joblib(parameters, tmp_path):
    X = with_missing_cells(make_sequences(150, n_features=3, lengths=(3, 60)))
    detector = LSTMForecastDetector(**QUICK | parameters).fit(X)
    scores = detector.score_samples(X)
    alone = np.concatenate([detector.score_samples([x]) for x in X])
    np.testing.assert_array_equal(alone, scores)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(detector.score_samples([X[i] for i in order]), scores[order])
    joblib.dump(detector, tmp_path / "detector.joblib")
    reloaded = joblib.load(tmp_path / "detector.joblib")
    np.testing.assert_array_equal(reloaded.score_samples(X), scores)
    np.testing.assert_array_equal(reloaded.forecast(X[:1]), detector.forecast(X[:1]))


def test_the_same_random_state_gives_the_same_weights_of_a_clone(series):
    def weights(detector):
        module = detector.fit([series]).module_
        return torch.cat([weight.flatten() for weight in module.state_dict().values()])

    detector = LSTMForecastDetector(**QUICK | {"hidden_size": (8, 8)}, dropout=0.3, noise=0.1)
    first = weights(detector)
    assert torch.equal(first, weights(clone(detector)))
    assert not torch.equal(first, weights(clone(detector).set_params(random_state=1)))


def test_partial_fit_goes_on(X):
    detector = LSTMForecastDetector(**QUICK).partial_fit(X)
    error = detector.prediction_error(X).mean()
    for _ in range(10):
        detector.partial_fit(X)
    assert detector.n_epochs_ == 11
    assert detector.prediction_error(X).mean() < error


def test_warm_start_goes_on(X):
    detector = LSTMForecastDetector(**QUICK, warm_start=True).fit(X)
    first = detector.loss_curve_
    detector.fit(X)
    assert detector.n_epochs_ == 6
    assert detector.loss_curve_[:3] == first
    assert detector.loss_curve_[3] < first[-1]
    with pytest.raises(ValueError, match=re.escape("hidden_size=[4] is asked for")):
        detector.set_params(hidden_size=4).fit(X)


def test_callbacks_see_the_epochs(X):
    callback = pytest.importorskip("sklearn.callback", reason="there are none before 1.9")
    monitor = callback.ScoringMonitor(scoring={"variance": lambda fitted, X, y: fitted.score(X)})
    detector = LSTMForecastDetector(**QUICK).set_callbacks(monitor).fit(X, np.ones(len(X)))
    fit, *epochs = monitor.get_logs().data
    assert len(epochs) == 3
    assert fit["variance"] == epochs[-1]["variance"] == detector.score(X)


def test_it_slides_over_long_series():
    series = make_series(600)
    detector = SlidingWindowDetector(LSTMForecastDetector(**QUICK), window_size=20, random_state=0)
    scores = detector.fit(series[:500]).score_samples(series)
    assert scores.shape == (600,)
    assert np.isfinite(scores).all()


def test_an_unfitted_detector_says_so(X):
    for method in ("forecast", "predict_steps", "prediction_error", "score_samples"):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            getattr(LSTMForecastDetector(), method)(X)
