"""Offsets that follow scores that drift."""

import pickle
from copy import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import lfilter
from scipy.stats import norm

from skl_lstmae.scoring.adaptive import CONFIDENCE, AdaptiveOffset, spread_of, upper_bound
from skl_lstmae.scoring.alarm_limit import ABOVE, BELOW, FIRST_SHARE, MOST, STEP

RATE = 0.02


def make_offset(scores, rate=RATE, span=10):
    """Return an offset that a share `rate` of scores like these is below."""
    deviation, by_factors = spread_of(scores)
    return AdaptiveOffset(np.quantile(scores, rate), deviation, rate, span, by_factors)


def make_scores(n=20_000, by_factors=True, seed=0):
    """Return scores, minus a distance or of both signs, that do not drift."""
    noise = np.random.default_rng(seed).normal(size=n)
    return -np.exp(0.3 * noise) if by_factors else 0.3 * noise


@pytest.fixture(params=[True, False], ids=["factors", "differences"])
def by_factors(request):
    return request.param


@pytest.fixture
def drifting(by_factors):
    """Scores that sink until what was rare is the rule."""
    scores, sinking = make_scores(by_factors=by_factors, seed=1), np.linspace(0, 3, 20_000)
    return scores * np.exp(sinking) if by_factors else scores - sinking


@pytest.fixture
def offset(by_factors):
    return make_offset(make_scores(by_factors=by_factors))


numbers = st.floats(-1e6, 1e6)


@given(st.lists(numbers, max_size=60), st.floats(-10, 10), st.floats(0, 10), st.booleans())
@settings(deadline=None)
def test_whatever_the_scores_offsets_are_numbers_and_the_first_is_the_fixed_one(
    scores, fixed, deviation, by_factors
):
    fixed = -abs(fixed) - 1e-3 if by_factors else fixed
    offsets = AdaptiveOffset(fixed, deviation, 0.01, 3, by_factors).follow(scores)
    assert offsets.shape == (len(scores),)
    assert np.isfinite(offsets).all()
    assert_allclose(offsets[:1], [fixed] * len(offsets[:1]), rtol=1e-9, atol=1e-9)


LAWS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy tails": lambda rng, n: rng.standard_t(3, size=n),
    "skewed": lambda rng, n: rng.exponential(size=n),
    "each like the last": lambda rng, n: lfilter([0.3], [1, -0.95], rng.normal(size=n)),
    "a season": lambda rng, n: np.sin(np.arange(n) / 9) + 0.2 * rng.normal(size=n),
}


@pytest.mark.parametrize("rate", [0.01, 0.1])
@pytest.mark.parametrize("law", LAWS)
def test_where_scores_do_not_drift_alarms_come_at_about_the_rate(law, rate, by_factors):
    errors = LAWS[law](np.random.default_rng(0), 30_000)
    scores = -np.exp(0.5 * errors) if by_factors else -errors
    reference, fresh = np.split(scores, [1000])
    offset = make_offset(reference, rate, span=20)
    assert rate / 2 < (fresh < offset.follow(fresh)).mean() < 2 * rate


def test_where_scores_drift_alarms_come_at_about_the_rate(offset, drifting):
    assert (drifting < offset.fixed).mean() > 0.5
    is_low = drifting < offset.follow(drifting)
    assert RATE / 2 < is_low[10_000:].mean() < 2 * RATE


@pytest.mark.parametrize("rate", [1e-4, 0.01, 0.3, 0.5])
def test_the_limit_stays_within_reach_however_many_alarms_there_are(rate):
    offset = make_offset(make_scores(by_factors=False), rate)
    offset.follow(-np.exp2(np.arange(200)))
    first = FIRST_SHARE * norm.isf(rate)
    assert (
        first + ABOVE / 2
        < offset.state.limit.value + offset.state.limit.raised
        < first + ABOVE + 1e-9
    )
    offset.follow(np.full(100_000, 9.0))
    assert first - BELOW <= offset.state.limit.value + offset.state.limit.raised < first + ABOVE


def test_each_offset_is_learned_from_the_scores_before_it(offset, drifting):
    changed = drifting.copy()
    changed[5000:] *= 2
    expected, offsets = copy(offset).follow(drifting), copy(offset).follow(changed)
    assert_array_equal(offsets[:5001], expected[:5001])
    assert (offsets[5001:] != expected[5001:]).any()


def test_blocks_and_a_pickle_between_them_change_no_bit(offset, drifting):
    drifting[[*range(2980, 3020), *range(12_000, 12_010)]] -= 100  # events, within which blocks end
    expected = copy(offset).follow(drifting)
    found = []
    for block in np.split(drifting, [0, 1, 7, 3000, 3001, 12_005]):
        found.append(offset.follow(block))
        offset = pickle.loads(pickle.dumps(offset))
    assert_array_equal(np.concatenate(found), expected)


def test_the_offset_comes_back_when_scores_do(offset, drifting, by_factors):
    calm = make_scores(by_factors=by_factors, seed=2)
    offsets = offset.follow(np.r_[drifting, calm])
    low, high = offsets[len(drifting) - 1], np.median(offsets[-1000:])
    assert low < 3 * offset.fixed
    assert 1.5 * offset.fixed < high < 0.5 * offset.fixed


def test_a_long_anomaly_is_marked_at_its_beginning_and_then_followed(offset, by_factors):
    scores = make_scores(3000, by_factors, seed=2)
    low = scores[1000:2000]
    scores[1000:2000] = 20 * low if by_factors else low - 6
    is_low = scores < offset.follow(scores)
    assert is_low[1000:1010].all()
    assert is_low[1500:2000].mean() < 2 * RATE


def test_after_one_anomaly_the_next_is_found_as_well(offset, by_factors):
    scores = make_scores(3000, by_factors, seed=2)
    starts = 500, 1000, 1500
    for start in starts:
        low = scores[start : start + 15]
        scores[start : start + 15] = 20 * low if by_factors else low - 3
    is_low = scores < offset.follow(scores)
    assert all(is_low[start] for start in starts)


@pytest.mark.parametrize(
    ("height", "length", "apart"),
    [(4, 100, 600), (8, 100, 300), (8, 200, 500), (15, 200, 300)],
)
def test_short_faults_that_are_alike_are_all_found(height, length, apart, by_factors):
    offset = make_offset(make_scores(by_factors=by_factors), rate=0.01, span=100)
    noise = np.random.default_rng(3).normal(size=8 * apart)
    is_fault = np.arange(8 * apart) % apart < length
    is_fault[:apart] = False
    errors = 0.3 * (noise + height * is_fault)
    scores = -np.exp(errors) if by_factors else -errors
    is_low = scores < offset.follow(scores)
    assert is_low.reshape(8, apart)[1:, :length].any(axis=1).all()
    assert is_low[~is_fault].mean() < 0.01


def test_one_long_event_raises_the_limit_by_little_and_keeps_it_up_for_the_longer(by_factors):
    offset = make_offset(make_scores(by_factors=by_factors), rate=0.01, span=50)
    calm = make_scores(500, by_factors, seed=2)
    offset.follow(calm)
    limit = offset.state.limit.value
    event = 20 * calm[:40] if by_factors else calm[:40] - 6
    assert (event < offset.follow(event)).all()
    n_others = (calm < offset.follow(calm)).sum()
    assert limit < offset.state.limit.value <= limit + MOST + STEP * n_others
    assert offset.state.limit.raised < 0.5
    normal, n_scores = np.full(20, -1.0 if by_factors else 0.0), 540
    while offset.state.limit.value > limit and n_scores < 10_000:
        offset.follow(normal)
        n_scores += 20
    assert_allclose((40 + n_others) / n_scores, 0.01, rtol=0.02)


def test_a_far_longer_event_raises_the_limit_by_no_more(by_factors):
    offset = make_offset(make_scores(by_factors=by_factors), rate=0.01, span=50)
    calm = make_scores(500, by_factors, seed=2)
    offset.follow(calm)
    limit = offset.state.limit.value
    event = 20 * calm[:150] if by_factors else calm[:150] - 6
    assert (event < offset.follow(event)).sum() > 40
    assert limit < offset.state.limit.value <= limit + MOST
    n_others = (calm < offset.follow(calm)).sum()
    assert offset.state.limit.value <= limit + MOST + STEP * n_others
    assert offset.state.limit.raised < 0.5


def test_an_event_of_any_length_is_paid_for_in_the_end(by_factors):
    offset = make_offset(make_scores(by_factors=by_factors), rate=0.01, span=50)
    highest = FIRST_SHARE * norm.isf(0.01) + ABOVE
    offset.follow(-np.exp2(np.arange(300)))
    assert offset.state.limit.value + offset.state.limit.owed == pytest.approx(highest)
    offset.follow(np.full(round((ABOVE + BELOW) / STEP / 0.01) + 10, 0.0))
    assert offset.state.limit.value == pytest.approx(highest - ABOVE - BELOW)


@pytest.mark.parametrize(("n_high", "n_low"), [(9, 1), (50, 50), (50, 120), (100, 400)])
def test_what_comes_and_goes_for_ever_is_learned(n_high, n_low, by_factors):
    offset = make_offset(make_scores(by_factors=by_factors), rate=0.01, span=50)
    errors = np.random.default_rng(3).normal(size=40_000)
    errors[np.arange(40_000) % (n_high + n_low) < n_high] += 8
    scores = -np.exp(0.3 * errors) if by_factors else -0.3 * errors
    is_low = scores < offset.follow(scores)
    assert is_low[:1000].mean() > 0.05
    assert is_low[20_000:].mean() < 0.02
    assert offset.n_learned > 0


@pytest.mark.parametrize("n_spans", [2, 10, 25])
def test_of_a_change_that_lasts_what_was_before_is_remembered_for_a_while(n_spans, by_factors):
    offset = make_offset(make_scores(by_factors=by_factors), rate=0.01, span=50)
    errors, end = np.random.default_rng(3).normal(size=3000), 1000 + n_spans * 50
    errors[1000:end] += 6
    scores = -np.exp(0.3 * errors) if by_factors else -0.3 * errors
    offsets = offset.follow(scores)
    levels = (np.log(-offsets) if by_factors else -offsets) / 0.3
    assert (levels[end + 20] < 6) == (n_spans < 20)
    assert (levels < errors)[1200:end].sum() < 10


@pytest.mark.parametrize("step", [5, 9])
@pytest.mark.parametrize("span", [50, 200])
def test_after_a_step_that_stays_the_threshold_is_near_the_new_level(step, span, by_factors):
    offset = make_offset(make_scores(by_factors=by_factors), rate=0.01, span=span)
    errors = np.random.default_rng(3).normal(size=40 * span)
    errors[5 * span :] += step
    errors[5 * span : 6 * span] += step  # and is larger at first
    offsets = offset.follow(-np.exp(0.3 * errors) if by_factors else -0.3 * errors)
    levels = (np.log(-offsets) if by_factors else -offsets) / 0.3
    assert levels[10 * span :].max() < step + 6.5
    assert levels[25 * span :].max() < step + 5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_gross_fault_hides_none_that_is_as_gross(seed):
    noise = 0.18 * np.random.default_rng(seed).normal(size=2000)
    offset = make_offset(-np.exp(noise), rate=0.01, span=100)
    errors = noise[:1000].copy()
    errors[385:615] += 3.3 * np.sqrt(np.hanning(230))  # as means over windows rise and fall
    limits = np.log(-offset.follow(-np.exp(errors)))
    assert limits[900] - limits[300] < 0.3 * 3.3
    assert offset.n_learned == 0


def test_after_a_calm_stretch_not_every_trifle_is_an_alarm(offset, by_factors):
    offset.follow(np.full(5000, -1.0 if by_factors else 0.0))
    trifle = 0.2 * offset.deviation
    score = -np.exp(trifle) if by_factors else -trifle
    assert score > copy(offset).follow([score])[0]


def test_scores_that_are_all_alike_have_a_steady_offset():
    offset = make_offset(np.full(50, -1.0))
    assert offset.deviation == 0
    assert (offset.follow([-1.0, -2.0, -3.0, 0.0]) == -1.0).all()


@pytest.mark.parametrize(
    ("scores", "deviation", "by_factors"),
    [
        ([-1.0, -np.e, -np.e, -1.0], 0.5, True),
        ([-1.0, 3.0, -1.0, 3.0], 2.0, False),
        ([0.0, -1e-6], 0.0, True),
        ([-1e-3, -1e-3 * (1 + 1e-15)], 0.0, True),
    ],
    ids=["distances", "both signs", "no error at all", "rounding"],
)
def test_scores_none_of_which_is_positive_spread_by_factors(scores, deviation, by_factors):
    found, is_by_factors = spread_of(np.array(scores))
    assert_allclose(found, deviation, atol=1e-12)
    assert is_by_factors is by_factors


@pytest.mark.parametrize("n_independent", [3, 6, 30])
def test_the_deviation_of_normal_scores_is_seldom_above_its_bound(n_independent):
    samples = np.random.default_rng(0).normal(100, 2, size=(20_000, n_independent))
    rows = np.repeat(samples, 2, axis=1)  # as windows overlap
    bounds = [upper_bound(spread_of(row)[0], n_independent) for row in rows]
    assert_allclose(np.mean(np.array(bounds) > 2), CONFIDENCE, atol=0.01)


def test_of_many_or_fewer_than_three_scores_a_deviation_is_bounded_as_well():
    assert_allclose(upper_bound(2.0, 1e6), 2.0, rtol=0.01)
    assert upper_bound(2.0, 0.5) == upper_bound(2.0, 3) < 10
    assert upper_bound(0.0, 3) == 0
