"""B13: what defaults take: a wide series, and the README's example on one thread and on two."""

from functools import partial

import torch

from benchmarks.speed.data import waves
from benchmarks.speed.detector import silent
from benchmarks.speed.ratios import median_seconds, ratios
from benchmarks.speed.row import Row, Run, Target, time_call
from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.datasets import load_japanese_vowels

SHAPE = 1, 60_000, 30
FIT, SCORE = "fit to 60,000 × 30 rows", "score_samples of as many"
EXAMPLE = "README's example, threads: "


def sides(quick):
    n_series, n_rows, n_features = SHAPE
    shape = n_series, n_rows // 50 if quick else n_rows, n_features
    (X,), (X_new,) = waves(*shape), waves(*shape, seed=1)
    vowels = load_japanese_vowels(anomalous_speaker=1)
    detector = SlidingWindowDetector(random_state=0)

    def fit(seed):
        return Run(time_call(detector.set_params(random_state=seed).fit, X))

    def score(seed):
        return Run(time_call(detector.score_samples, X_new))

    return {
        FIT: fit,
        SCORE: score,
        **{f"{EXAMPLE}{n}": partial(time_example, vowels, n) for n in (1, 2)},
    }


def time_example(vowels, n_threads, seed):
    n_before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        return Run(time_call(run_example, vowels, seed))
    finally:
        torch.set_num_threads(n_before)


def run_example(vowels, seed):
    detector = LSTMAutoencoderDetector(false_alarm_rate=0.05, random_state=seed)
    with silent():
        detector.fit(vowels.X_train)
    detector.score_samples(vowels.X_test)
    detector.predict(vowels.X_test)


def judge(runs):
    of_series = [
        Target(name, median_seconds(runs, name), bound, at_least=False, unit=" s")
        for name, bound in ((FIT, 16), (SCORE, 5))
    ]
    threads = ratios(runs, f"{EXAMPLE}2", f"{EXAMPLE}1").median(skipna=False)
    return [*of_series, Target("README's example: two threads over one", threads, 1.05, False)]


B13 = Row("B13", sides, judge)
