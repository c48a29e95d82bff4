"""The benchmark's sides do the same work, and its verdicts follow from the times."""

import argparse
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.neighbors import LocalOutlierFactor

from benchmarks.checkout import ROOT, checked_out
from benchmarks.speed import __main__ as command
from benchmarks.speed import peers, worker
from benchmarks.speed.apart import OwnProcess
from benchmarks.speed.data import ragged_waves
from benchmarks.speed.detector import plain_detector, time_epoch
from benchmarks.speed.kernels import Kernels
from benchmarks.speed.page import page, results, sides_table, targets_table
from benchmarks.speed.profile import in_words, shares
from benchmarks.speed.recipe import PackedAutoencoder, packed_errors
from benchmarks.speed.report import Report
from benchmarks.speed.row import (
    Measured,
    Row,
    Run,
    UnavailableError,
    times_faster,
    times_the_kernels,
)
from benchmarks.speed.rows import ROWS, equal_fit, growth, long_series
from benchmarks.speed.rows.decoding import CellDecoder
from benchmarks.speed.rows.ragged_fit import NETWORK, OTHER_NETWORKS
from benchmarks.speed.stream import latencies
from benchmarks.speed.worker import measure
from skl_lstmae.modules import LSTMAutoencoder, LSTMDecoder


def timed(*seconds):
    return Measured([Run(second) for second in seconds])


def judge(measured):
    return [times_faster(measured, "ours", "theirs", 2)]


def row_of(sides=lambda quick: {}, judge=lambda measured: [], name="B0"):
    return Row(name, "nothing", sides, judge, where_the_time_goes="into waiting.")


def report_of(row, sides, commit="abc1234"):
    return Report.of(row, sides, commit, repeats=3)


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


def test_sides_that_ran_in_turns_are_compared_turn_by_turn():
    # The machine was half as fast in the second turn; the ratio of the medians would be 3.
    measured = {"ours": timed(2.0, 4.0, 2.0), "theirs": timed(5.0, 10.0, 6.0)}
    target = times_faster(measured, "ours", "theirs", 2)
    assert (target.reached, target.aside) == (2.5, "2.50 to 3.00")
    measured["theirs"] = timed(6.0, 6.0)
    assert times_faster(measured, "ours", "theirs", 2).reached == 3.0


def test_losses_are_compared_beside_the_times():
    measured = {"ours": Measured([Run(1.0, 0.3)]), "theirs": Measured([Run(3.0, 0.2)])}
    assert times_faster(measured, "ours", "theirs", 2).aside == "at 1.50× its loss"
    shown = sides_table(report_of(row_of(), measured))
    assert "| side | median | fastest | slowest | × first | runs | loss |" in shown
    assert "| theirs | 3 s | 3 s | 3 s | 3.00 | 1 | 0.2000 |" in shown


@pytest.mark.parametrize("name", ["B4", "B5"])
def test_the_kernels_to_judge_by_are_those_of_the_least_median_at_the_same_work(name):
    ours = {"B4": ("B1: ", "B1: skl_lstmae"), "B5": ("", "skl_lstmae, scorer='error'")}
    work, side = ours[name]
    measured = {
        side: timed(3.0, 3.0, 3.0),
        f"{work}kernels, 16 rows": timed(1.0, 5.0, 5.0),  # once fastest of all
        f"{work}kernels, 32 rows": timed(2.0, 2.0, 4.0),
        "B2: kernels, 32 rows": timed(0.1, 0.1, 0.1),
    }
    target = ROWS[name].targets(measured)[0]
    assert target.quantity == f"{side}: time over the best kernels'"
    assert (target.reached, target.aside) == (1.5, "0.75 to 1.50")


def test_without_kernels_there_is_no_verdict():
    target = times_the_kernels({"ours": timed(1.0), "kernels, 2 rows": Measured()}, "ours", 1.25)
    assert math.isnan(target.reached)
    assert target.verdict == "not measured"


def test_the_most_that_can_be_had_stands_beside_what_is():
    measured = {
        "skl_lstmae": timed(2.0),
        "packed recipe": timed(9.0),
        "kernels, 2 rows": timed(1.5),
    }
    (target,) = ROWS["B1"].targets(measured)
    assert (target.reached, target.aside) == (4.5, "the bare kernels: 6.00×")


def test_time_to_a_loss_is_told_as_epochs_and_time_of_each():
    theirs = Measured([Run(30.0, 0.05, epochs=30)])
    measured = {"skl_lstmae": Measured([Run(5.0, 0.05, epochs=10)]), "skorch": theirs}
    (target,) = ROWS["B3"].targets(measured)
    told = "at 1.00× its loss; 3.00 times fewer epochs, 2.00 times faster each"
    assert (target.reached, target.aside) == (6.0, told)


def test_a_side_that_fails_is_reported_with_its_reason():
    def fail(seed):
        raise UnavailableError("not installed: no such package")

    row = row_of(lambda quick: {"ours": lambda seed: Run(1.0), "theirs": fail}, judge)
    measured = measure(row, quick=True, n_repeats=2)
    assert len(measured["ours"].runs) == 2
    assert math.isnan(row.targets(measured)[0].reached)
    written = page({"B0": row}, {"B0": report_of(row, measured)})
    assert "| theirs | failed |" in written
    assert "- B0: theirs, after 0 runs: UnavailableError: not installed: no such" in written


def test_a_run_that_fails_after_others_leaves_no_verdict():
    runs = iter([Run(1.0), Run(1.0)])

    def fail_third(seed):
        if seed == 2:
            raise MemoryError("no room")
        return next(runs)

    row = row_of(lambda quick: {"ours": fail_third, "theirs": lambda seed: Run(9.0)}, judge)
    measured = measure(row, quick=True, n_repeats=2)
    assert [target.verdict for target in row.targets(measured)] == ["not measured"]
    shown = results(row, report_of(row, measured))
    assert "| ours | 1 s | 1 s | 1 s | 1, then failed |" in shown
    assert "- B0: ours, after 1 runs: MemoryError: no room" in shown


def test_a_row_whose_sides_cannot_be_made_is_reported(monkeypatch, tmp_path):
    def fail(quick):
        raise ValueError("a fit failed")

    row, file = row_of(fail, judge), tmp_path / "B0.json"
    monkeypatch.setitem(ROWS, "B0", row)
    monkeypatch.setattr(sys, "argv", ["worker", "B0", str(file)])
    worker.main()
    written = page({"B0": row}, {"B0": Report.load_from(file)})
    assert "- B0: the whole row: ValueError: a fit failed" in written


def test_a_process_that_the_system_ends_is_reported(monkeypatch, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -9 $$\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    options = argparse.Namespace(quick=True, repeats=1)
    found = command.measure_apart(ROWS["B1"], tmp_path / "B1.json", options, dict(os.environ))
    assert found.failure == "its process ended with code -9"
    assert "- B1: the whole row: its process ended with code -9" in results(ROWS["B1"], found)


def test_a_row_that_nobody_measured_is_on_the_page():
    written = page(ROWS, {})
    for name, row in ROWS.items():
        targets = row.targets({})
        assert targets
        assert {target.verdict for target in targets} == {"not measured"}
        assert written.count(f"| {name} |") == len(targets)
        assert f"## {name}\n" in written
    n_targets = sum(len(row.targets({})) for row in ROWS.values())
    assert f"## Targets\n\nOf {n_targets} targets: {n_targets} not measured.\n" in written


def test_the_loss_of_a_side_too_slow_to_be_run_again_is_still_there_to_be_reached(monkeypatch):
    class Regressor:
        history = {(-1, "valid_loss"): math.inf}

        def fit(self, X, y):
            return self

    monkeypatch.setattr(equal_fit, "skorch_regressor", lambda *_, **__: Regressor())
    monkeypatch.setattr(equal_fit, "SHAPE", (20, 5, 1))
    monkeypatch.setattr(OwnProcess, "run", lambda self, function, *arguments: function(*arguments))
    monkeypatch.setattr(worker, "SLOW", 0.0)
    measured = measure(ROWS["B3"], quick=True, n_repeats=2)
    assert len(measured["skorch"].runs) == 1
    assert measured["skl_lstmae"].failure is None
    assert measured["skl_lstmae"].runs[-1].seconds < math.inf


def test_a_process_of_ones_own_goes_on_from_run_to_run_on_one_thread():
    process = OwnProcess()
    numbers = {process.run(os.getpid) for _ in range(2)}
    assert len(numbers) == 1
    assert os.getpid() not in numbers
    assert process.run(torch.get_num_threads) == 1
    with pytest.raises(ValueError, match="invalid literal"):
        process.run(int, "no number")


def test_sides_apart_have_a_process_each(monkeypatch):
    seen = []

    def run(process, function, *arguments):
        seen.append((process, arguments[2:]))
        return function(*arguments)

    row = row_of(lambda quick: {name: lambda seed: Run(1.0) for name in ("ours", "theirs")}, judge)
    row = replace(row, apart=True)
    monkeypatch.setattr(OwnProcess, "run", run)
    monkeypatch.setitem(ROWS, "B0", row)
    assert len(measure(row, quick=True, n_repeats=1)["theirs"].runs) == 1
    processes, sides = zip(*seen, strict=True)
    assert sides == (("ours", 0), ("theirs", 0), ("ours", 1), ("theirs", 1))
    assert [processes.index(process) for process in processes] == [0, 1, 0, 1]


def test_few_runs_show_the_slowest_and_many_the_99th_percentile():
    few, many = timed(*range(1, 4)), timed(*range(1, 201))
    row = row_of()
    assert "| side | median | fastest | slowest |" in sides_table(report_of(row, {"ours": few}))
    assert "| ours | 2 s | 1 s | 3 s | 1.00 | 3 |" in sides_table(report_of(row, {"ours": few}))
    assert "| side | p50 | fastest | p99 |" in sides_table(report_of(row, {"ours": many}))
    # The rank of the 99th percentile among 200 is 0.99 x 199 = 197.01, counted from 0.
    assert "| ours | 100 s | 1 s | 199 s | 1.00 | 200 |" in sides_table(
        report_of(row, {"ours": many})
    )


def test_competitors_are_named_by_what_they_train():
    targets = ROWS["B2"].targets({"skl_lstmae": timed(1.0), "PyOD": timed(20.0)})
    reached = {target.quantity: target.reached for target in targets}
    name = "PyOD (LSTM that forecasts, 49,951 windows)"
    assert reached[f"skl_lstmae: times faster than {name}"] == 20.0
    assert f"| {name} | 20 s |" in sides_table(report_of(ROWS["B2"], {"PyOD": timed(20.0)}))


def test_every_competitor_is_described():
    assert set(peers.DOES) == {"skorch", *peers.SCRIPTS}


def test_a_report_survives_its_file(tmp_path):
    row = row_of()
    report = report_of(row, {"ours": Measured([Run(1.0, 0.5, 2**20, epochs=7)])}, "abc1234, dirty")
    report.shares = {"`fit` of ours": {"the rest": 1.0}}
    report.save(tmp_path / "B0.json")
    assert Report.load_from(tmp_path / "B0.json") == report


def test_a_report_of_another_version_is_named_and_not_on_the_page(capsys, tmp_path):
    report = report_of(ROWS["B1"], {"skl_lstmae": timed(1.0)})
    for name in "B1", "B2":
        report.save(tmp_path / f"{name}.json")
    old = json.loads((tmp_path / "B2.json").read_text())
    del old["repeats"]
    (tmp_path / "B2.json").write_text(json.dumps(old))
    assert command.kept_reports(tmp_path) == {"B1": report}
    refusal = "B2.json was written by another version of the benchmark; measure B2 anew.\n"
    assert capsys.readouterr().err.endswith(refusal)


def test_the_page_names_the_commit_measured():
    row = row_of()
    written = page({"B0": row}, {"B0": report_of(row, {}, "abc1234, dirty")})
    assert ", commit abc1234, dirty, with `--repeats 3` and setup 1" in written


def test_code_that_no_commit_holds_is_called_dirty(monkeypatch, tmp_path):
    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.setattr("benchmarks.checkout.ROOT", tmp_path)
    assert checked_out() == "unknown"
    git("init")
    git("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--allow-empty", "-m", "First")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "benchmarks.md").write_text("written by the benchmark itself")
    commit = checked_out()
    assert len(commit) >= 4
    assert set(commit) <= set("0123456789abcdef")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "new.py").write_text("")
    assert checked_out() == f"{commit}, dirty"


def test_kernels_run_forward_and_backward_over_the_steps_that_count():
    work = Kernels(input_size=2, hidden_size=4, latent_size=3, n_timesteps=5, n_steps=16 * 5 * 3)
    with profiled() as profile:
        work.training_sides()["kernels, 16 rows"](0)
    layers = events(profile, "aten::lstm")
    assert [shape for shape in layers if shape[2] == 2] == [[5, 16, 2]] * 3  # the encoder's
    assert [shape for shape in layers if shape[2] == 3] == [[5, 16, 3]] * 3
    # The four weights of either layer have a gradient, and so has the latent.
    assert len(events(profile, "torch::autograd::AccumulateGrad")) == 3 * (4 + 4 + 1)


def test_kernels_of_inference_run_forward_alone():
    work = Kernels(input_size=2, hidden_size=4, latent_size=3, n_timesteps=5, n_steps=16 * 5)
    with profiled() as profile:
        work.inference_sides()["kernels, 16 rows"](0)
    assert sorted(events(profile, "aten::lstm")) == [[5, 16, 2], [5, 16, 3]]
    assert events(profile, "torch::autograd::AccumulateGrad") == []


def test_kernels_count_the_last_call_in_part(monkeypatch):
    work = Kernels(input_size=2, hidden_size=4, latent_size=3, n_timesteps=5, n_steps=200)
    ticks = iter([10.0, 14.0])
    monkeypatch.setattr("benchmarks.speed.kernels.clock", lambda: next(ticks))
    run = work.training_sides()["kernels, 16 rows"](0)
    # 200 steps are 2.5 calls of 16 rows x 5 steps; 2 calls took 4 s.
    assert run.seconds == 5.0


def profiled():
    cpu = [torch.profiler.ProfilerActivity.CPU]
    return torch.profiler.profile(activities=cpu, record_shapes=True)


def events(profile, name):
    """Return the shape of the first input of every event of a name."""
    return [event.input_shapes[0] for event in profile.events() if event.name == name]


def test_a_script_is_run_for_its_time_loss_and_memory(monkeypatch, tmp_path):
    found = 'import json, os\nprint("RESULT", json.dumps({"fit_s": 2.5, "loss": 0.25}))\n'
    run = run_script(monkeypatch, tmp_path, found + 'assert os.environ["THREADS"] == "1"')
    assert (run.seconds, run.loss) == (2.5, 0.25)
    assert run.peak_rss > 2**20


def test_a_script_that_fails_tells_its_last_line(monkeypatch, tmp_path):
    with pytest.raises(UnavailableError, match=r"bench_keras\.py failed: ImportError: no keras"):
        run_script(monkeypatch, tmp_path, 'raise ImportError("no keras")')


def test_a_script_without_a_result_has_failed(monkeypatch, tmp_path):
    with pytest.raises(UnavailableError, match=r"bench_keras\.py failed: PEAK_RSS \d+"):
        run_script(monkeypatch, tmp_path, 'print("nothing")')


def test_no_script_is_run_without_an_installation(monkeypatch, tmp_path):
    with pytest.raises(UnavailableError, match="not installed: no such release"):
        run_script(monkeypatch, tmp_path, "", not_installed={"Keras": "no such release"})


def test_a_script_that_is_not_there_is_asked_for(monkeypatch, tmp_path):
    sentence = (
        "bench_dtaianomaly.py is no part of this repository; name its folder in SKL_LSTMAE_PEERS "
        "or by --peers"
    )
    with pytest.raises(UnavailableError, match=re.escape(sentence)):
        run_script(monkeypatch, tmp_path, "", peer="dtaianomaly")


def test_processors_time_of_two_processes_is_not_told(monkeypatch):
    monkeypatch.setenv("SKL_LSTMAE_CPU_TIME", "1")
    with pytest.raises(UnavailableError, match="leaves out the others'"):
        ROWS["B10"].sides(quick=True)["n_jobs=2"](0)


def run_script(monkeypatch, folder, code, not_installed=(), peer="Keras"):
    """Run a script in place of the one that runs Keras."""
    (folder / "bench_keras.py").write_text(code)
    (folder / "not-installed.json").write_text(json.dumps(dict(not_installed)))
    monkeypatch.delenv("SKL_LSTMAE_CPU_TIME", raising=False)
    monkeypatch.setenv(peers.FOLDER, str(folder))
    monkeypatch.setattr(peers, "NOT_INSTALLED", folder / "not-installed.json")
    return peers.script_sides()[peer](0)


def test_peak_memory_still_tells_of_what_was_freed(tmp_path):
    megabytes = 100
    peaks = [peak_of(tmp_path, code) for code in ("", f"x = b'1' * ({megabytes} * 10**6)\ndel x")]
    assert 0.95 * megabytes < (peaks[1] - peaks[0]) / 1e6 < 1.2 * megabytes


def peak_of(folder, code):
    """Return the peak memory in bytes of a process that runs `code`."""
    script = folder / "script.py"
    script.write_text(code)
    command = [sys.executable, "-m", "benchmarks.speed.memory", str(script)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.removeprefix("PEAK_RSS "))


def test_memory_of_windows_is_judged_by_the_highest_peak_beyond_the_imports():
    def peaks(*megabytes):
        return Measured([Run(1.0, peak_rss=megabyte * 10**6) for megabyte in megabytes])

    measured = {
        long_series.LOADING: peaks(330, 332),  # 32 of which are the series
        long_series.FITTING: peaks(500, 664),
        long_series.SCORING: peaks(665, 500),
    }
    fitting, whole_of_fitting, scoring, _ = ROWS["B8"].targets(measured)
    assert (fitting.bound, fitting.unit) == (2 * 32 + 300, " MB")
    assert (fitting.reached, fitting.verdict) == (364.0, "met")
    assert (whole_of_fitting.reached, whole_of_fitting.verdict) == (664.0, "**missed**")
    assert (scoring.reached, scoring.verdict) == (365.0, "**missed**")
    measured[long_series.SCORING].failure = "its process ended with code -9"
    assert ROWS["B8"].targets(measured)[2].verdict == "not measured"


def test_growth_is_judged_by_the_line_and_tells_the_last_step():
    # Linear three times over, then quadratic.
    seconds = dict(zip(growth.SHAPES["steps"], [1.0, 4.0, 16.0, 256.0], strict=True))
    measured = {
        f"score, steps grow: {' × '.join(map(str, shape))}": timed(second)
        for shape, second in seconds.items()
    }
    target = ROWS["B9"].targets(measured)[growth.TASKS.index("score") * 3 + 1]
    assert target.quantity == "score: slope over steps"
    # By the normal equations, in fours to the power of: x = -3/2 ... 3/2, y = 0, 1, 2, 4.
    assert target.reached == pytest.approx((-0.5 * 1 + 0.5 * 2 + 1.5 * 4) / 5)
    assert target.aside == "2.00 from the last size but one to the last"
    assert target.verdict == "**missed**"
    assert "| 1.30 (2.00 from the last" in targets_table(
        {"B0": row_of(judge=lambda _: [target])}, {}
    )


def test_growth_along_a_power_law_is_its_exponent():
    sizes = np.array([150, 600, 2400, 9600])
    assert growth.slope(sizes, 0.01 * sizes**1.25) == pytest.approx(1.25)


def test_every_row_says_where_its_time_goes_and_what_its_parts_take():
    report = report_of(row_of(), {})
    report.shares = {"`fit` of ours": {"kernels": 0.25, "the rest": 0.75}}
    written = page({"B0": row_of()}, {"B0": report})
    assert "\nWhere the time goes: into waiting.\n\n- `fit` of ours: the rest 75.0%" in written
    assert all(row.where_the_time_goes.endswith(".") for row in ROWS.values())


@pytest.mark.parametrize("name", ["B4", "B6", "B12"])
def test_no_part_counts_within_another_and_the_parts_that_work_have_shares(name):
    # In B1 as in B4, and in B5 as in B6.
    needed = {
        "B4": {"LSTM kernels", "gathering of batches", "bottleneck and head", "optimizer"},
        "B6": {"LSTM kernels", "gathering of batches", "reading the input", "scorer"},
        "B12": {"LSTM kernels", "bottleneck and head"},
    }
    found = shares(ROWS[name], quick=True)
    assert len(found) == 2
    for parts in found.values():
        assert needed[name] | {"the rest"} <= set(parts)
        assert min(parts.values()) > 0


def test_shares_are_written_largest_first():
    assert in_words({"kernels": 0.25, "the rest": 0.75}) == "the rest 75.0%, kernels 25.0%"


def test_rows_are_registered_under_their_names():
    assert list(ROWS) == [row.name for row in ROWS.values()] == [f"B{n}" for n in range(1, 13)]


def test_every_row_of_a_stream_is_timed():
    times = latencies(LocalOutlierFactor(novelty=True), n_rows=5, n_features=2)
    assert times.shape == (5,)
    assert (times > 0).all()
