"""What the forecaster's detector alone can do: forecast, and learn from a few long series."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import QUICK, exactly, make_ragged, make_waves
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skl_lstmae import LSTMForecastDetector
from skl_lstmae.detectors.pieces import STEPS_IN_TRAINING
from skl_lstmae.modules import LSTMForecaster
from skl_lstmae.scoring import Scorer
from skl_lstmae.scoring.scorers import SCORERS
from skl_lstmae.training import calls as kernel_calls

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = QUICK | {"learning_rate": 0.01}


def make_series(n_timesteps, seed=0, heavy_tails=False):
    """Return two noisy sines around 50, (n_timesteps, 2)."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, size=2)
    shape = (n_timesteps, 2)
    noise = rng.standard_t(3, size=shape) if heavy_tails else rng.normal(size=shape)
    return 50 + 10 * np.sin(np.arange(n_timesteps)[:, np.newaxis] / 3 + phases) + 0.3 * noise


def fit(X, **parameters):
    return LSTMForecastDetector(**FAST | parameters).fit(X)


@pytest.fixture(scope="module")
def detector():
    """Return a detector fitted on sequences, which tests leave as it is."""
    return fit(make_ragged(40))


@pytest.fixture(scope="module")
def trained():
    return fit(make_waves(200, n_timesteps=35), hidden_size=32, max_epochs=60)


# ---------------------------------------------------------------------------------------- forecasts


def test_sines_are_forecast_from_their_own_predictions(trained):
    waves = make_waves(50, n_timesteps=40, seed=1)
    forecasts = trained.forecast(waves[:, :30], n_steps=10)
    assert np.corrcoef(forecasts.ravel(), waves[:, 30:].ravel())[0, 1] > 0.9
    assert abs((forecasts - waves[:, 30:]).mean()) < 0.1
    assert trained.score(waves) > 0.5
    continued = np.concatenate([waves[:, :30], forecasts], axis=1)
    assert_allclose(trained.predict_steps(continued)[:, 30:], forecasts, rtol=1e-3, atol=1e-5)


def test_no_bit_of_a_forecast_depends_on_company_or_padding(detector):
    ragged = make_ragged(70, shortest=1, longest=40)
    padded = np.full((70, 50, 2), np.nan)
    for row, x in zip(padded, ragged, strict=True):
        row[: len(x)] = x
    assert_array_equal(detector.forecast(padded, 3), detector.forecast(ragged, 3))
    ragged[0][-1, 0] = ragged[1][0] = np.nan
    forecasts = detector.forecast(ragged, n_steps=3)
    for i in (0, 1, 2, 50):
        assert_array_equal(detector.forecast([ragged[i]], n_steps=3)[0], forecasts[i])


def test_a_forecast_starts_from_the_last_observed_values(detector):
    x = make_waves(1)[0]
    gappy, repeated = x.copy(), x.copy()
    gappy[-2:, 0] = np.nan
    repeated[-2:, 0] = x[-3, 0]
    assert_array_equal(detector.forecast([gappy], 3), detector.forecast([repeated], 3))


WAVES = make_waves(n_timesteps=8)
STEPS = [1, 2, 3]
INDEX = pd.MultiIndex.from_product([range(10, 34), range(8)], names=["engine", "time"])
NAMED = {
    "panel": pd.DataFrame(WAVES.reshape(-1, 2), index=INDEX, columns=["a", "b"]),
    "frames": [pd.DataFrame(x, columns=["a", "b"]) for x in WAVES],
}
FORMS = {
    "list": list(WAVES),
    "tensors": [torch.tensor(x) for x in WAVES],
    "3-D": WAVES,
    "4-D": WAVES.reshape(24, 8, 2, 1),
    **NAMED,
}


@pytest.mark.parametrize("form", FORMS)
def test_forecasts_take_the_form_of_the_input(form):
    expected = fit(WAVES).forecast(WAVES, n_steps=3)
    assert expected.shape == (24, 3, 2)
    forecasts = fit(FORMS[form]).forecast(FORMS[form], n_steps=3)
    if form == "panel":
        assert list(forecasts) == ["a", "b"]
        assert forecasts.index.names == ["engine", "time"]
        assert forecasts.index.tolist() == [(i, k) for i in range(10, 34) for k in STEPS]
        forecasts = forecasts.to_numpy()
    elif form == "frames":
        assert [list(frame) for frame in forecasts] == [["a", "b"]] * 24
        assert [frame.index.tolist() for frame in forecasts] == [STEPS] * 24
    else:
        assert type(forecasts) is (list if form in ("list", "tensors") else np.ndarray)
        assert np.shape(forecasts) == ((24, 3, 2, 1) if form == "4-D" else (24, 3, 2))
    # A frame's columns lie apart, which the last bit of the scaler's sums may depend on.
    assert_allclose(np.reshape(forecasts, (24, 3, 2)), expected, rtol=1e-4, atol=1e-6)


def test_forecasts_of_one_feature_are_numbers_where_the_steps_are():
    table = WAVES[:, :, 0]
    detector = fit(table)
    forecasts = detector.forecast(table, n_steps=3)
    assert forecasts.shape == (24, 3)
    assert_array_equal(np.stack(detector.forecast(list(table), n_steps=3)), forecasts)
    assert_array_equal(detector.forecast(table[:, :, np.newaxis], 3)[:, :, 0], forecasts)
    frame = detector.forecast(pd.DataFrame(table, index=range(100, 124)), n_steps=3)
    assert (frame.columns.tolist(), frame.index[0]) == (STEPS, 100)
    assert_array_equal(frame, forecasts)
    [series] = detector.forecast([pd.Series(table[0], name="load")], n_steps=3)
    assert (series.name, series.index.tolist()) == ("load", STEPS)
    assert_array_equal(series, forecasts[0])


@pytest.mark.parametrize("n_steps", [0, 1.5, "2"])
def test_a_number_of_steps_that_is_none_is_refused(detector, n_steps):
    message = "The 'n_steps' parameter of LSTMForecastDetector.forecast must be an int in the range"
    with pytest.raises(ValueError, match=message):
        detector.forecast(WAVES, n_steps=n_steps)


@pytest.mark.parametrize("first_changed", [0, 1, 5, 11])
@pytest.mark.parametrize("n_missing", [0, 7])
def test_the_future_changes_nothing_in_the_predictions_of_the_past(
    detector, first_changed, n_missing
):
    waves = make_waves(30, n_timesteps=15)
    waves[:, :n_missing] = np.nan  # what is first observed must not fill the gap before it
    changed = waves.copy()
    changed[:, first_changed:] = 20 * np.arange(1, 16 - first_changed)[:, np.newaxis]
    before, after = (detector.predict_steps(list(X)) for X in (waves, changed))
    for one, other in zip(before, after, strict=True):
        # No step sees itself either.
        assert_array_equal(one[: first_changed + 1], other[: first_changed + 1])
        assert (one[first_changed + 1 :] != other[first_changed + 1 :]).any()


# ---------------------------------------------------------------------------- memory of long series


@pytest.fixture(scope="module")
def gappy_series():
    series = make_series(400)
    series[:5, 0] = series[95:131] = series[200:320, 1] = np.nan
    return series


RESULTS = {
    "score_samples": lambda detector, X: detector.score_samples(X),
    "predict_steps": lambda detector, X: detector.predict_steps(X)[0],
    "error per timestep": lambda detector, X: detector.prediction_error(X, per="timestep")[0],
    "error per feature": lambda detector, X: detector.prediction_error(X, per="feature"),
    "forecast": lambda detector, X: detector.forecast(X, n_steps=3)[0],
}


@pytest.mark.parametrize("hidden_size", [8, (5, 7)], ids=str)
def test_chunks_change_no_bit_of_a_long_series(gappy_series, hidden_size, monkeypatch):
    detector = fit([gappy_series], hidden_size=hidden_size)
    whole = {name: result(detector, [gappy_series]) for name, result in RESULTS.items()}
    for n_steps in (1, 7, 64, 131, 399):
        monkeypatch.setattr(kernel_calls, "MAX_SCORING_FLOATS", n_steps * detector.module_.width)
        for name, result in RESULTS.items():
            assert_array_equal(result(detector, [gappy_series]), whole[name])


@pytest.mark.parametrize("scorer", SCORERS)
def test_chunks_change_no_score_beside_other_sequences(gappy_series, scorer, monkeypatch):
    X = make_ragged(40)
    detector = fit(X, scorer=scorer)
    mixed = [X[0], gappy_series, X[1], gappy_series[:150]]
    scores = detector.score_samples(mixed)
    monkeypatch.setattr(kernel_calls, "MAX_SCORING_FLOATS", 800)
    assert_array_equal(detector.score_samples(mixed), scores)


@pytest.fixture
def calls(monkeypatch):
    """What the network is called with: its mode, the number of rows and the lengths of each."""
    seen = []
    for name in ("forward", "resume"):
        method = getattr(LSTMForecaster, name)

        def spy(module, x, lengths=None, *args, method=method, **kwargs):
            n_steps = [x.shape[1]] * len(x) if lengths is None else lengths.tolist()
            seen.append((module.training, x.shape[0] * x.shape[1], n_steps))
            return method(module, x, lengths, *args, **kwargs)

        monkeypatch.setattr(LSTMForecaster, name, spy)
    return seen


def test_the_network_never_reads_a_long_series_at_once(calls, monkeypatch):
    series = make_series(3000)
    for bound in ("MAX_FLOATS", "MAX_SCORING_FLOATS"):
        monkeypatch.setattr(kernel_calls, bound, 8 * 300)
    detector = fit([series], hidden_size=8)
    assert STEPS_IN_TRAINING <= max(n_steps for _, n_steps, _ in calls) <= 300
    for name, result in RESULTS.items():
        calls.clear()
        result(detector, [series])
        n_steps = [n for _, n, _ in calls]
        n_read = 119 * 50 if name == "score_samples" else 3000  # pieces overlap by half
        assert (sum(n_steps), max(n_steps)) == (n_read, 300)


def test_long_sequences_are_trained_on_in_pieces_that_change_and_scored_whole(calls):
    detector = fit(make_waves(20, n_timesteps=410), max_epochs=8)
    lengths = [n for is_training, _, n_steps in calls if is_training for n in n_steps]
    assert sum(lengths) == 8 * 17 * 410  # three are held out
    assert max(lengths) == STEPS_IN_TRAINING
    assert len(set(lengths)) > 3  # a first, 200 and a last, if the cuts were always the same
    assert detector._judge.calibration.fresh.n_scores == 20


# ------------------------------------------------------------------- what is learned of long series


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")
def test_the_end_of_a_series_is_held_out():
    series = make_series(3000)
    changed = series.copy()
    changed[-300:] = np.random.default_rng(0).permutation(series[-300:])
    parameters = {"early_stopping": True, "max_epochs": 8, "scorer": "error"}
    before, after = (fit([x], **parameters) for x in (series, changed))
    assert before.scaler_.mean_.tolist() == after.scaler_.mean_.tolist()
    assert before.scaler_.n_samples_seen_ == 3000 - 300 - 150  # a gap of three pieces
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
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")  # of 20 steps
def test_fewer_than_five_sequences_will_do_if_one_is_long(lengths, parameters):
    X = [make_series(n, seed=n) for n in lengths]
    detector = fit(X, **parameters)
    assert np.isfinite([detector.offset_, *detector.score_samples(X)]).all()
    assert detector.predict(X).shape == (len(X),)


TOO_LITTLE = {
    "Found n_samples=2 sequence(s) in X, the longest of 99 time steps; LSTMForecastDetector needs "
    "at least 5, or one of at least 100 time steps.": [make_series(99), make_series(10)],
    "Almost all values of X are missing: of its pieces of 10 time steps to train on, 1 holds an "
    "observed one; expected at least 2.": [
        np.where(np.arange(300)[:, np.newaxis] < 5, make_series(300), np.nan)
    ],
}


@pytest.mark.parametrize("sentence", TOO_LITTLE)
def test_what_is_too_little_to_train_on_is_refused(sentence):
    detector = LSTMForecastDetector(**FAST)
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.fit(TOO_LITTLE[sentence])
    assert vars(detector) == vars(LSTMForecastDetector(**FAST))


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_long_gap_in_a_series_is_left_out(scorer):
    series = make_series(2000)
    series[500:1100] = series[1750:1950] = np.nan
    detector = fit([series], scorer=scorer)
    assert np.isfinite([detector.offset_, *detector.loss_curve_]).all()
    assert np.isfinite(detector.score_samples([series])).all()


def test_a_change_in_a_series_is_where_the_errors_are():
    series = make_series(3000)
    detector = fit([series[:2000]], hidden_size=8, max_epochs=30)
    series[2600] += 30
    assert detector.prediction_error([series[2000:]], per="timestep")[0].argmax() == 600


def test_scores_learned_anew_from_whole_sequences_are_of_whole_sequences():
    X = make_ragged(40, shortest=70, longest=90)
    again = fit([make_series(1000)]).fit(X)
    assert_array_equal(again.score_samples(X), fit(X).score_samples(X))


# ------------------------------------------------------------------------------- pieces of a series


class Spy(Scorer):
    """Keeps of the pieces that it learns from the value they begin with, and their length."""

    def summarize(self, outcome):
        first = np.cumsum(outcome.lengths) - outcome.lengths
        return np.column_stack([outcome.targets[first, 0], outcome.lengths])

    def fit(self, summaries):
        self.references_ = summaries
        return self

    def score(self, summaries):
        return -summaries[:, 0]


def fit_spy(*series):
    return fit(series, scorer=Spy(), scaler=None, max_epochs=1)._judge.scorer


@pytest.mark.parametrize(
    ("n_timesteps", "size"), [(100, 5), (150, 5), (600, 20), (1500, 50), (9000, 50)]
)
def test_pieces_are_a_thirtieth_of_the_longest_series_within_bounds(n_timesteps, size):
    spy = fit_spy(make_series(n_timesteps), make_series(60))
    assert {*spy.references_[:, 1]} == {size}


def test_pieces_of_a_series_show_all_its_phases():
    # Side by side, pieces of 50 steps would show two phases of a series that repeats every 100.
    spy = fit_spy(np.arange(6000.0) / 6000)
    pieces = np.rint(6000 * spy.references_[:, 0])
    references, held_out = pieces[pieces < 5400], pieces[pieces >= 5400]
    assert (len(references), len(held_out)) == (105, 12)
    assert len(set(references % 100)) > 50
    assert len(set(held_out % 100)) > 5
    assert references.max() + 50 <= 5400 - 150


def test_pieces_to_calibrate_on_are_three_at_least():
    detector = fit([make_series(1500)])
    offset = detector.offset_
    sentence = (
        "X holds 2 piece(s) of 50 time steps to calibrate on; expected at least 3: pass more."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.recalibrate([make_series(60)])
    assert detector.offset_ == offset


# --------------------------------------------------------------------------- the scores of a series

N_LEARNED = 6000


def learn_starts(heavy_tails=False):
    """Detectors that have each learned from the start of a single long series, and its rest."""
    parameters = {"hidden_size": 16, "max_epochs": 15, "batch_size": 64, "false_alarm_rate": 0.05}
    detector = LSTMForecastDetector(**FAST | parameters)
    series = [make_series(N_LEARNED + 50_000, seed, heavy_tails) for seed in range(4)]
    return [(clone(detector).fit([x[:N_LEARNED]]), x[N_LEARNED:]) for x in series]


@pytest.fixture(scope="module")
def of_one_series():
    return learn_starts()


@pytest.fixture(scope="module")
def of_one_heavy_series():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Set aside as unlike the others")  # the tails
        return learn_starts(heavy_tails=True)


def share_of_flagged(of_one_series, n_timesteps, n_series):
    """Return how many of the series that are cut from the rest of the learned ones are flagged."""
    cuts = [
        (detector, np.split(rest[: n_series * n_timesteps], n_series))
        for detector, rest in of_one_series
    ]
    return np.mean([detector.predict(X) == -1 for detector, X in cuts])


@pytest.mark.parametrize(
    ("n_timesteps", "n_series"), [(50, 100), (99, 80), (200, 250), (1000, 40), (5000, 10)]
)
def test_normal_series_of_any_length_are_flagged_at_about_the_rate(
    of_one_series, n_timesteps, n_series
):
    share = share_of_flagged(of_one_series, n_timesteps, n_series)
    assert (0.005 if n_timesteps == 200 else 0) <= share < 0.12


@pytest.mark.parametrize(
    ("n_timesteps", "n_series", "bound"),
    [(50, 100, 0.12), (300, 60, 0.12), (1000, 40, 0.16), (5000, 10, 0.35)],
)
def test_heavy_tails_of_the_noise_raise_the_rate_for_long_series(
    of_one_heavy_series, n_timesteps, n_series, bound
):
    # The tail of so few scores as that of a learned series cannot be known that far out.
    assert share_of_flagged(of_one_heavy_series, n_timesteps, n_series) < bound


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


@pytest.mark.parametrize("n_series", [4, 5, 8, 15])
def test_a_clear_anomaly_is_found_however_few_the_series_learned_from(n_series):
    rng = np.random.default_rng(n_series)
    steps = rng.integers(1000, size=(n_series + 20, 1, 1)) + np.arange(1000)[:, np.newaxis]
    X = list(np.sin(steps / 3) + 0.03 * rng.normal(size=steps.shape))
    detector = fit(X[:n_series], hidden_size=16, max_epochs=15, batch_size=64)
    fresh = X[n_series:]
    assert np.mean(detector.predict(fresh) == -1) < 0.2
    for x in fresh:
        x[500:520] += 0.3
    assert np.mean(detector.predict(fresh) == -1) > 0.9


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
    # How much rarer the worst of several is: test_thresholds.py.
    learned = detector._judge.calibration.learned
    assert_array_equal(scores, learned.alone(worst, np.array([18, 1, 5])))
    assert (scores > worst).tolist() == [True, False, True]


@pytest.mark.filterwarnings("ignore:offset_ falls to")
def test_the_number_of_pieces_is_put_right_by_what_partial_fit_has_learned():
    detector = fit([make_series(1000)])
    series = make_series(330)

    def correction():
        pieces = [series[start : start + 33] for start in [*range(0, 297, 16), 297]]
        return detector.score_samples([series])[0] - detector.score_samples(pieces).min()

    before = correction()
    for seed in range(3):
        X = make_series(400, seed=seed)
        detector.partial_fit([X + 10 * np.random.default_rng(seed).standard_t(2, X.shape)])
    assert correction() > 2 * before
    scores = detector.score_samples([series])
    assert detector.partial_fit(make_ragged()).score_samples([series]) != scores


def test_a_long_series_may_be_calibrated_on_and_has_no_say_in_what_is_learned_later():
    detector = fit([make_series(1000)], false_alarm_rate=0.05)
    drifted = [1.5 * make_series(1000, seed=seed) for seed in range(1, 30)]
    scores = detector.score_samples(drifted[9:])
    flagged = (scores < detector.offset_).mean()
    with pytest.warns(UserWarning, match="offset_ falls to"):
        detector.recalibrate(drifted[:9])
    assert (scores < detector.offset_).mean() < 0.3 < flagged
    assert_array_equal(detector.score_samples(drifted[9:]), scores)

    more = [make_series(400, seed=1)]
    untouched = fit([make_series(1000)], false_alarm_rate=0.05)
    with pytest.warns(UserWarning, match="offset_ falls to"):
        untouched.partial_fit(more)
    assert untouched._judge.calibration.fresh.n_scores == 29 + 13  # pieces of 33 steps
    detector.partial_fit(more)
    assert_array_equal(detector.score_samples(more), untouched.score_samples(more))
