"""A strictly typed program of a user's, as mypy sees it."""

import subprocess
import sys

import pytest

pytest.importorskip("mypy", reason="checks types; the oldest versions do without")

PROGRAM = """
from typing import assert_type

import numpy as np

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector, Stream

X = [np.zeros((20, 2)) for _ in range(9)]
detector = LSTMAutoencoderDetector(hidden_size=8)
assert_type(detector.fit(X), LSTMAutoencoderDetector)
assert_type(detector.fit(X).recalibrate(false_alarm_rate=0.05), LSTMAutoencoderDetector)
assert_type(LSTMForecastDetector().fit(X), LSTMForecastDetector)
assert_type(SlidingWindowDetector().fit(X[0]), SlidingWindowDetector)
assert_type(SlidingWindowDetector().fit(X[0]).stream(), Stream)
assert_type(detector.offset_, float)
assert_type(detector.n_epochs_, int)
"""


def test_a_typed_program_is_accepted_and_a_wrong_option_is_not(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text(PROGRAM + 'LSTMAutoencoderDetector(contamination="often")\n')
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    errors = [line for line in found if ": error: " in line and not line.startswith("..")]
    assert len(errors) == 1
    assert errors[0].startswith('wrong.py:17: error: Argument "contamination" to')
