"""The benchmark's sides do the same work, and its verdicts follow from the times."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import LocalOutlierFactor

from benchmarks.speed.data import ragged_waves
from benchmarks.speed.detector import plain_detector, time_epoch
from benchmarks.speed.page import page, targets_table
from benchmarks.speed.recipe import PackedAutoencoder, packed_errors
from benchmarks.speed.report import Report
from benchmarks.speed.row import Measured, Row, Run, UnavailableError, times_faster
from benchmarks.speed.rows import ROWS
from benchmarks.speed.rows.decoding import CellDecoder
from benchmarks.speed.rows.ragged_fit import NETWORK, OTHER_NETWORKS
from benchmarks.speed.worker import measure
from benchmarks.stream_latency import latencies
from skl_lstmae.modules import LSTMAutoencoder, LSTMDecoder


def timed(*seconds):
    return Measured([Run(second) for second in seconds])


@pytest.mark.parametrize("network", [{}, *OTHER_NETWORKS.values()], ids=["plain", *OTHER_NETWORKS])
def test_packed_recipe_runs_the_same_network(network):
    torch.manual_seed(0)
    module = LSTMAutoencoder(3, **(NETWORK | network)).eval()
    x, lengths = torch.randn(4, 9, 3), torch.tensor([9, 7, 2, 1])
    with torch.no_grad():
        packed = PackedAutoencoder(module)(x, lengths)
        ours, _ = module(x, lengths)
    for i, length in enumerate(lengths):
        torch.testing.assert_close(packed[i, :length], ours[i, :length])


def test_packed_recipe_scores_by_the_same_error():
    sequences = ragged_waves(20, (3, 12), 2)
    detector = plain_detector(1, hidden_size=4, latent_size=2, random_state=0)
    time_epoch(detector.set_params(max_epochs=2, n_iter_no_change=2), sequences)
    network = PackedAutoencoder(detector.module_)
    errors = packed_errors(network, sequences, batch_size=8)
    np.testing.assert_allclose(errors, -detector.score_samples(sequences), rtol=1e-5)


def test_cell_loop_decodes_as_the_decoder_does():
    torch.manual_seed(0)
    decoder = LSTMDecoder(3, (8,), 4, autoregressive=True).eval()
    latent = torch.randn(5, 4)
    with torch.no_grad():
        loop = CellDecoder(decoder)(latent, 7)
        ours = decoder(latent, torch.full((5,), 7))
    torch.testing.assert_close(loop, ours)


def test_a_missed_target_is_called_missed():
    measured = {"ours": timed(1.0, 2.0, 3.0), "theirs": timed(5.0)}
    reached = times_faster(measured, "ours", "theirs", 2)
    assert (reached.reached, reached.verdict) == (2.5, "met")
    assert times_faster(measured, "ours", "theirs", 3).verdict == "**missed**"


def test_a_side_that_fails_is_reported_with_its_reason():
    def fail(seed):
        raise UnavailableError("not installed: no such package")

    row = Row(
        name="B0",
        work="nothing",
        sides=lambda quick: {"ours": lambda seed: Run(1.0), "theirs": fail},
        judge=lambda measured: [times_faster(measured, "ours", "theirs", 2)],
    )
    measured = measure(row, quick=True, n_repeats=2)
    report = Report.of(row, measured)
    assert len(measured["ours"].runs) == 2
    assert math.isnan(report.targets[0].reached)
    assert "not measured" in targets_table([report])
    assert "no such package" in page([report])


def test_a_report_survives_its_file(tmp_path):
    row = Row("B0", "nothing", lambda quick: {}, lambda measured: [])
    report = Report.of(row, {"ours": Measured([Run(1.0, 0.5, 2**20)])})
    report.save(tmp_path / "B0.json")
    assert Report.load_from(tmp_path / "B0.json") == report


def test_rows_are_registered_under_their_names():
    assert list(ROWS) == [row.name for row in ROWS.values()] == [f"B{n}" for n in range(1, 13)]


def test_every_row_of_a_stream_is_timed():
    times = latencies(LocalOutlierFactor(novelty=True), n_rows=5, n_features=2)
    assert times.shape == (5,)
    assert (times > 0).all()
