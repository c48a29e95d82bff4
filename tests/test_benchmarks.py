"""The benchmark's sides do the same work, and its verdicts follow from the times."""

import math
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.checkout import ROOT, checked_out
from benchmarks.speed import bfloat16, detector, gpu, kernels, measure, peers
from benchmarks.speed.data import ragged_waves, waves
from benchmarks.speed.dense import DenseAutoencoder, dense_batches, dense_errors
from benchmarks.speed.page import _age, page, record, sides_table
from benchmarks.speed.ratios import times_faster
from benchmarks.speed.recipe import PackedAutoencoder, copy_weights, packed_errors
from benchmarks.speed.row import Row, Run
from benchmarks.speed.rows import ROWS, equal_fit, growth, long_series
from benchmarks.speed.rows.decoding import CellDecoder
from benchmarks.speed.rows.epochs import NETWORK, OTHER_NETWORKS
from skl_lstmae.modules import LSTMAutoencoder, LSTMDecoder
from skl_lstmae.training.precision import has_bfloat16

CPU = torch.device("cpu")


def runs_of(sides):
    """Return a table of runs, given those of each side, or their times."""
    return pd.DataFrame(
        {"side": name, "turn": turn, "failure": ""}
        | asdict(run if isinstance(run, Run) else Run(run))
        for name, runs in sides.items()
        for turn, run in enumerate(runs, start=1)
    )


def row_of(sides, **options):
    def judge(runs):
        return [times_faster(runs, "ours", "theirs", 2)]

    return Row("B0", lambda quick: sides, judge, **options)


# ----------------------------------------------------------------------------------- the same work


def test_dense_batches_are_of_the_same_network():
    torch.manual_seed(0)
    packed, dense = PackedAutoencoder(3, 8, 4), DenseAutoencoder(3, 8, 4)
    copy_weights(packed, dense)
    X = ragged_waves(6, (2, 9), 3)
    torch.testing.assert_close(
        dense_errors(dense, X, 4), packed_errors(packed, X).numpy(), check_dtype=False
    )
    errors = packed_errors(packed, sorted(X, key=len)).split(4)
    for (x, last, is_real), expected in zip(dense_batches(X, 4, CPU), errors, strict=True):
        with torch.no_grad():
            squares = (dense(x, last) - x).square() * is_real
        torch.testing.assert_close(squares.sum(dim=(0, 2)) / (3 * (last + 1)), expected)


def test_the_table_of_a_gpu_is_made_on_a_cpu_as_well(monkeypatch):
    monkeypatch.setattr(gpu, "N_EPOCHS", 1)
    seconds = r" \| \d+\.\d{2,3}"
    epochs = gpu.epochs_table(CPU, 8, [(8, 4)]).splitlines()
    assert re.match(rf"\| 8, 4{3 * seconds} \| \d+\.\d\d \| \d+\.\d \|$", epochs[2])
    scores = gpu.scores_table(CPU, 8).splitlines()
    assert re.match(rf"\| 8 sequences, scorer='joint'{seconds} \|$", scores[3])
    windows = gpu.windows_table(CPU, 150, 2).splitlines()
    assert re.match(rf"\| score_samples of 50 rows{seconds} \|$", windows[3])


def test_bfloat16_is_timed_beside_float32():
    if not has_bfloat16("cpu"):
        pytest.skip("torch refuses it on this CPU")
    cells = bfloat16.line(ragged_waves(8, (20, 30), 8), 8, n_repeats=1)
    assert cells[0] == "8"
    assert all(float(cell) >= 0 for cell in cells)


def test_without_a_gpu_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu"])
    monkeypatch.setattr(gpu, "resolve_device", lambda name: CPU)
    gpu.main()
    assert capsys.readouterr().out.startswith("There is no GPU here; --device cpu --small")


@pytest.mark.parametrize("network", [{}, *OTHER_NETWORKS.values()], ids=["plain", *OTHER_NETWORKS])
def test_packed_recipe_runs_the_same_network(network):
    torch.manual_seed(0)
    module = LSTMAutoencoder(3, **(NETWORK | network)).eval()
    packed = PackedAutoencoder(3, **(NETWORK | network))
    copy_weights(module, packed)
    x, lengths = torch.randn(4, 9, 3), torch.tensor([9, 7, 2, 1])
    with torch.no_grad():
        theirs, ours = packed(x, lengths), module(x, lengths)[0]
    for i, length in enumerate(lengths):
        torch.testing.assert_close(theirs[i, :length], ours[i, :length])


def test_packed_recipe_scores_by_the_same_error():
    sequences, sizes = ragged_waves(70, (3, 12), 2), {"hidden_size": 4, "latent_size": 2}
    fitted = detector.plain_detector(2, random_state=0, **sizes)
    detector.time_fit(fitted, sequences)
    network = PackedAutoencoder(2, **sizes)
    copy_weights(fitted.module_, network)
    errors = packed_errors(network, sequences)
    np.testing.assert_allclose(errors, -fitted.score_samples(sequences), rtol=1e-5)


def test_cell_loop_decodes_as_the_decoder_does():
    torch.manual_seed(0)
    decoder, loop = LSTMDecoder(3, (8,), 4, autoregressive=True).eval(), CellDecoder(3, 8, 4)
    copy_weights(decoder, loop)
    latent = torch.randn(5, 4)
    with torch.no_grad():
        torch.testing.assert_close(loop(latent, 7), decoder(latent, torch.full((5,), 7)))


@pytest.mark.parametrize("trains", [True, False])
def test_kernels_run_over_the_steps_that_count(monkeypatch, trains):
    # 200 steps are 2.5 calls of 16 rows x 5 steps; 2 calls are made.
    side = kernels.kernel_side((2, 4, 3), n_rows=16, n_timesteps=5, n_steps=200, trains=trains)
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, record_shapes=True) as profile:
        side(0)
    events = [(event.name, event.input_shapes) for event in profile.events()]
    inputs = [shapes[0] for name, shapes in events if name == "aten::lstm"]
    assert inputs == [[5, 16, 2], [5, 16, 3]] * 2
    # The four weights of either layer have a gradient, and so has the latent.
    gradients = [name for name, _ in events if name == "torch::autograd::AccumulateGrad"]
    assert len(gradients) == 2 * (4 + 4 + 1) * trains
    monkeypatch.setattr(kernels, "time_call", lambda call: 4.0)
    assert side(0).seconds == 5.0  # what 2.5 calls take if 2 took 4 s


def test_an_epoch_is_timed_without_what_surrounds_the_epochs(monkeypatch):
    def seven_seconds_and_two_an_epoch(fit, X):
        fit(X)
        return 7.0 + 2.0 * fit.__self__.n_epochs_

    monkeypatch.setattr(detector, "time_call", seven_seconds_and_two_an_epoch)
    plain = detector.plain_detector(4, hidden_size=2, latent_size=2, random_state=0)
    run = detector.time_epoch(plain, waves(8, 5, 1))
    assert (run.seconds, run.loss) == (2.0, plain.loss_curve_[3])


def test_time_to_a_loss_is_that_of_the_shortest_fit_that_ends_there():
    X, network = waves(40, 10, 1), {"hidden_size": 4, "latent_size": 2}
    detectors = [
        detector.plain_detector(n_epochs, random_state=0, **network) for n_epochs in range(1, 7)
    ]
    for each in detectors:
        detector.time_fit(each, X[8:])
    losses = [equal_fit.held_out_loss(each, X[:8]) for each in detectors]
    assert losses[0] > losses[2]
    run = equal_fit.time_to_loss(detectors[-1], X, losses[2])
    first = next(i for i, loss in enumerate(losses) if loss <= losses[2])
    assert (run.epochs, run.loss) == (first + 1, losses[first])
    assert equal_fit.time_to_loss(detectors[-1], X, 0.0).seconds == math.inf


# --------------------------------------------------------------------------------------- verdicts


def test_sides_that_ran_in_turns_are_compared_turn_by_turn():
    # The machine was half as fast in the second turn; the ratio of the medians would be 3.
    runs = runs_of({"ours": [2.0, 4.0, 2.0], "theirs": [5.0, 10.0, 6.0]})
    target = times_faster(runs, "ours", "theirs", 2.5)
    assert (target.reached, target.aside, target.verdict) == (2.5, "2.50 to 3.00", "met")
    assert times_faster(runs, "ours", "theirs", 2.6).verdict == "**missed**"
    assert "| theirs | 6 s | 5 s | 10 s | 2.50 (2.50 to 3.00) | 3 |" in sides_table(runs)


def test_a_side_that_ran_less_often_is_compared_by_medians():
    runs = runs_of({"ours": [2.0, 4.0, 2.0], "theirs": [6.0]})
    assert times_faster(runs, "ours", "theirs", 2).reached == 3.0


OURS = Run(5.0, 0.06, epochs=10)


@pytest.mark.parametrize(
    ("row", "sides", "reached", "told"),
    [
        (
            "B1",
            {"skl_lstmae": [OURS], "packed recipe": [Run(9.0, 0.04)], "kernels, 2 rows": [3.0]},
            1.8,
            "at 1.50× its loss; the bare kernels: 3.00×",
        ),
        (
            "B3",
            {"skl_lstmae": [OURS], "skorch": [Run(30.0, 0.06, epochs=30)]},
            6.0,
            "at 1.00× its loss; 3.00 times fewer epochs, 2.00 times faster each",
        ),
        (
            "B4",  # by the kernels of the least median at the same work
            {
                "B1: skl_lstmae": [3.0, 3.0, 3.0],
                "B1: kernels, 16 rows": [1.0, 5.0, 5.0],  # once fastest of all
                "B1: kernels, 32 rows": [2.0, 2.0, 4.0],
                "B2: kernels, 32 rows": [0.1, 0.1, 0.1],
            },
            1.5,
            "0.75 to 1.50",
        ),
    ],
)
def test_what_explains_a_ratio_stands_beside_it(row, sides, reached, told):
    target = ROWS[row].judge(runs_of(sides))[0]
    assert (target.reached, target.aside) == (reached, told)


def test_a_table_has_the_columns_that_a_side_has_figures_for():
    shown = sides_table(runs_of({"ours": [Run(2.0, 0.3)], "theirs": [Run(9.0, peak_rss=5e8)]}))
    assert "| side | p50 | fastest | p99 | × first | runs | loss | peak memory |" in shown
    assert "| theirs | 9 s | 9 s | 9 s | 4.50 | 1 |  | 500 MB |" in shown


def test_memory_of_windows_is_judged_by_the_highest_peak_beyond_the_imports():
    megabytes = {
        long_series.LOADING: [330, 332],  # 32 of which are the series
        long_series.FITTING: [500, 664],
        long_series.SCORING: [665, math.nan],  # the second run has failed
    }
    runs = runs_of(
        {name: [Run(1.0, peak_rss=peak * 1e6) for peak in megabytes[name]] for name in megabytes}
    )
    fitting, whole_of_fitting, scoring, _ = ROWS["B8"].judge(runs)
    assert (fitting.reached, fitting.bound, fitting.verdict) == (364.0, 2 * 32 + 300, "met")
    assert (whole_of_fitting.reached, whole_of_fitting.verdict) == (664.0, "**missed**")
    assert scoring.verdict == "not measured"


def test_growth_is_judged_by_the_line_and_tells_the_last_step():
    # Linear three times over, then quadratic.
    seconds = dict(zip(growth.SHAPES["steps"], [1.0, 4.0, 16.0, 256.0], strict=True))
    names = {growth.side_name("score", "steps", shape): seconds[shape] for shape in seconds}
    target = ROWS["B9"].judge(runs_of({name: [names[name]] for name in names}))[4]
    assert target.quantity == "score: slope over steps"
    # By the normal equations, in fours to the power of: x = -3/2 ... 3/2, y = 0, 1, 2, 4.
    assert target.reached == pytest.approx((-0.5 * 1 + 0.5 * 2 + 1.5 * 4) / 5)
    assert target.aside == "2.00 from the last size but one to the last"


# ---------------------------------------------------------------------------- measuring and keeping


def test_the_first_run_warms_up_and_a_slow_side_runs_once(monkeypatch):
    monkeypatch.setattr(measure, "SLOW", 30.0)
    turns = {"ours": lambda turn: Run(1.0 + turn), "theirs": lambda turn: Run(31.0 + turn)}
    runs = measure.measure(row_of(turns), quick=True, n_repeats=2)
    assert runs[["side", "turn", "seconds"]].to_numpy().tolist() == [
        ["ours", 1, 2.0],
        ["ours", 2, 3.0],
        ["theirs", 0, 31.0],
    ]


def test_a_side_that_fails_is_reported_with_its_reason_and_leaves_no_verdict():
    def fail_third(turn):
        if turn == 2:
            raise MemoryError("no room")
        return Run(1.0)

    row = row_of({"ours": fail_third, "theirs": lambda turn: Run(9.0)})
    runs = measure.measure(row, quick=True, n_repeats=3)
    assert [target.verdict for target in row.judge(runs)] == ["not measured"]
    assert "| ours | 1 s | 1 s | 1 s | 1, then failed |" in sides_table(runs)
    assert "- ours failed: MemoryError: no room" in sides_table(runs)


def test_sides_apart_run_in_a_process_each_which_tells_its_peak(monkeypatch):
    def side(turn):  # a thread stands for a process
        return Run(1.0, loss=threading.get_ident())

    row = row_of({"ours": side, "theirs": side, "kernels, 2 rows": side}, apart=True)
    monkeypatch.setattr(measure, "own_process", lambda: ThreadPoolExecutor(1))
    monkeypatch.setitem(ROWS, "B0", row)
    runs = measure.measure(row, quick=True, n_repeats=2)
    ours, theirs, own = (
        threads.unique() for _, threads in runs.groupby("side", sort=False)["loss"]
    )
    assert len(ours) == len(theirs) == 1 != len({*ours, *theirs})
    assert own == [threading.get_ident()]
    assert (runs["peak_rss"] > 1e7).tolist() == [True] * 4 + [False] * 2


def test_a_row_that_nobody_measured_is_on_the_page():
    written = record(ROWS, {})
    assert list(ROWS) == [row.name for row in ROWS.values()] == [f"B{n}" for n in range(1, 14)]
    assert all(f"## {name}\n" in written and f"| {name} |" in written for name in ROWS)
    assert "Of 37 targets: 37 not measured." in written


def test_the_page_for_users_is_what_a_run_would_write_but_for_its_figures():
    told = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    figures = r" \| [\d.]+(×| MB| ms| s)? \|\n"
    without = re.sub(r"\*\*Older than the fits.*", "", re.sub(figures, " | not measured |\n", told))
    assert without == page(ROWS, {})
    assert not re.search(r"\b(met|missed|must reach)\b", told)


def test_rows_older_than_the_fits_are_named_until_they_are_measured_anew():
    kept = {name: pd.DataFrame({"date": ["2026-11-22"]}) for name in ("B1", "B6", "B10")}
    assert _age(kept).startswith("**Older than the fits: B1, B10.** ")
    assert _age({name: runs.assign(date="2026-11-28") for name, runs in kept.items()}) == ""


def test_a_row_is_measured_by_its_name():
    command = [sys.executable, "-m", "benchmarks.speed", "--rows", "B12", "--quick"]
    printed = subprocess.check_output([*command, "--repeats", "1"], cwd=ROOT, text=True)
    assert re.search(r"\| forward: nn.LSTMCell loop \| [\d.]+ ms .* \| 5 \|\n", printed)
    assert re.search(
        r"\| B12 \| forward: .* loop \| ≥ 2× \| [\d.]+× .* \| \**(met|missed)", printed
    )


def test_code_that_no_commit_holds_is_called_dirty(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.checkout.ROOT", tmp_path)
    assert checked_out() == "unknown"
    for arguments in ("init", "-c user.name=A -c user.email=a@b.c commit --allow-empty -m First"):
        subprocess.run(["git", *arguments.split()], cwd=tmp_path, check=True, capture_output=True)
    commit = checked_out()
    assert set(commit) <= set("0123456789abcdef")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "new.py").write_text("")
    assert checked_out() == f"{commit}, dirty"


# ------------------------------------------------------------------------------------- competitors


def run_script(monkeypatch, folder, code):
    """Run a script in place of the one that runs TSB-AD."""
    (folder / "bench_tsbad.py").write_text(code)
    monkeypatch.setenv(peers.FOLDER, str(folder))
    return peers.script_sides()["TSB-AD"](0)


def test_a_script_is_run_for_its_time_loss_and_memory(monkeypatch, tmp_path):
    code = """import json, os
assert os.environ["THREADS"] == "1"
print("RESULT", json.dumps({"fit_s": 2.5, "loss": 0.25}))
"""
    run = run_script(monkeypatch, tmp_path, code)
    assert (run.seconds, run.loss) == (2.5, 0.25)
    with_more = run_script(monkeypatch, tmp_path, code + "x = b'1' * 10**8\ndel x")
    assert 95e6 < with_more.peak_rss - run.peak_rss < 120e6  # also of what was freed


def test_a_script_that_fails_or_is_not_there_tells_why(monkeypatch, tmp_path):
    with pytest.raises(RuntimeError, match=r"bench_tsbad\.py failed: ImportError: no numba"):
        run_script(monkeypatch, tmp_path, 'raise ImportError("no numba")')
    with pytest.raises(RuntimeError, match=r"bench_tsbad\.py failed: PEAK_RSS \d+"):
        run_script(monkeypatch, tmp_path, 'print("nothing")')
    with pytest.raises(FileNotFoundError, match="name its folder in SKL_LSTMAE_PEERS"):
        peers.script_sides()["Keras"](0)
