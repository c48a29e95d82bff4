"""A strictly typed program of a user's, as mypy sees it."""

import subprocess
import sys
from typing import Any, get_args, get_type_hints

import pytest

from skl_lstmae import (
    LSTMAutoencoderDetector,
    LSTMClassifier,
    LSTMForecastDetector,
    LSTMRegressor,
    SlidingWindowDetector,
)
from skl_lstmae._sklearn import StrOptions

pytest.importorskip("mypy", reason="checks types; the oldest versions do without")

PROGRAM = """
from typing import assert_type

import numpy as np

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector, Stream
from skl_lstmae import LSTMClassifier, LSTMRegressor

X = [np.zeros((20, 2)) for _ in range(9)]
detector = LSTMAutoencoderDetector(hidden_size=8)
assert_type(detector.fit(X), LSTMAutoencoderDetector)
assert_type(detector.fit(X).recalibrate(false_alarm_rate=0.05), LSTMAutoencoderDetector)
assert_type(LSTMForecastDetector().fit(X), LSTMForecastDetector)
assert_type(SlidingWindowDetector().fit(X[0]), SlidingWindowDetector)
assert_type(SlidingWindowDetector().fit(X[0]).stream(), Stream)
assert_type(LSTMClassifier().fit(X, [0, 1, 2] * 3), LSTMClassifier)
assert_type(LSTMRegressor().fit(X, range(9)), LSTMRegressor)
assert_type(detector.offset_, float)
assert_type(detector.n_epochs_, int)
"""


WRONG = """
LSTMAutoencoderDetector(contamination="often")
LSTMAutoencoderDetector(bottleneck="min")
LSTMAutoencoderDetector(decoder="free")
LSTMAutoencoderDetector(bidirectional=True)
LSTMForecastDetector(loss="squared")
LSTMForecastDetector(output_activation="softmax")
LSTMForecastDetector(scorer="knn")
SlidingWindowDetector(aggregation="median")
LSTMClassifier(bottleneck="sequence")
LSTMRegressor(loss="squared")
detector.reconstruction_error(X, per="step")
"""


def test_a_typed_program_is_accepted_and_a_wrong_option_is_not(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text(PROGRAM + WRONG)
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    errors = [line for line in found if ": error: " in line and not line.startswith("..")]
    names = [line.partition(': error: Argument "')[2].partition('"')[0] for line in errors]
    assert names == [
        *("contamination", "bottleneck", "decoder", "bidirectional"),
        *("loss", "output_activation", "scorer", "aggregation", "bottleneck", "loss", "per"),
    ]
    assert all(line.startswith("wrong.py:") for line in errors)


@pytest.mark.parametrize(
    "kind",
    [
        LSTMAutoencoderDetector,
        LSTMForecastDetector,
        SlidingWindowDetector,
        LSTMClassifier,
        LSTMRegressor,
    ],
)
def test_types_name_the_words_that_parameters_may_be(kind):
    types = get_type_hints(kind.__init__)
    for name, constraints in kind._parameter_constraints.items():
        words = {word for c in constraints if isinstance(c, StrOptions) for word in c.options}
        parts = [types[name], *get_args(types[name])]
        literals = {word for part in parts for word in get_args(part) if isinstance(word, str)}
        assert types[name] is Any or literals == words, name
