"""Sequences in files that are larger than the memory a fit takes."""

import subprocess
import sys
from pathlib import Path

import pytest

N_SEQUENCES, N_TIMESTEPS, N_FEATURES = 1000, 100, 512
SIZE = N_SEQUENCES * N_TIMESTEPS * N_FEATURES * 4

PROGRAM = f"""
import sys
import warnings
from pathlib import Path
import numpy as np
from skl_lstmae import LSTMAutoencoderDetector, StoredSequences

def peak():
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))

warnings.simplefilter("ignore")
shape = {N_SEQUENCES} * {N_TIMESTEPS}, {N_FEATURES}
values = np.memmap(sys.argv[1], np.float32, "w+", shape=shape)  # a hole, read as zeros
values[:: {N_TIMESTEPS}] = np.random.default_rng(0).normal(size=({N_SEQUENCES}, 1))
del values
values = np.memmap(sys.argv[1], np.float32, "r", shape=shape)
stored = StoredSequences(values, np.full({N_SEQUENCES}, {N_TIMESTEPS}))
detector = LSTMAutoencoderDetector(4, 4, noise=0, scorer="error", max_epochs=1, random_state=0)
detector.fit(stored[:64]).score(stored[:64])
before = peak()
detector.fit(stored)
detector.score_samples(list(stored))
detector.score(stored)
print(peak() - before)
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_fit_and_scores_take_little_of_what_is_in_the_file(tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "values")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert int(printed) < SIZE / 2
