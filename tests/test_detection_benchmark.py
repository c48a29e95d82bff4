"""The benchmark of detection, on data made here in the form of the real data's files."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from benchmarks.detection import __main__ as command
from benchmarks.detection import run
from benchmarks.detection.baselines import (
    HeldOutThreshold,
    NeighborDistance,
    OnWindows,
    PCAError,
    PyODDetector,
)
from benchmarks.detection.comparison import critical_difference, mean_ranks, p_value
from benchmarks.detection.data import DATASETS
from benchmarks.detection.methods import METHODS, PEERS, VARIANTS
from benchmarks.detection.report import report
from benchmarks.detection.run import COLUMNS, Run, count_false_alarms, judge, run_one
from benchmarks.detection.summary import by_case, f1_of_all, false_alarms, pooled_f1, study
from benchmarks.detection.tables import Resample, Standardize, count, summarize
from benchmarks.detection.vus import vus_pr, vus_window
from skl_lstmae import SlidingWindowDetector


def save(data, name, **arrays):
    file = data / f"{name}.npz"
    file.parent.mkdir(exist_ok=True)
    np.savez(file, **arrays)


def make_sequences(n_train, n_anomalies, generator, make):
    lengths = generator.integers(5, 9, n_train + 10)
    is_anomaly = np.arange(10) < n_anomalies
    is_odd = np.r_[np.zeros(n_train), is_anomaly]
    sequences = [make(*both).astype(np.float32) for both in zip(lengths, is_odd, strict=True)]
    return {
        "train_values": np.concatenate(sequences[:n_train]),
        "train_lengths": lengths[:n_train],
        "test_values": np.concatenate(sequences[n_train:]),
        "test_lengths": lengths[n_train:],
        "y_test": is_anomaly.astype(np.int8),
    }


@pytest.fixture
def data(tmp_path):
    """Return a folder with a file or two of each form."""
    generator = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()

    def values(length, is_odd):
        return generator.normal(3 * is_odd, 1, (length, 2))

    def events(length, is_odd):
        return generator.integers(*((4, 6) if is_odd else (1, 4)), (length, 1))

    for name in ("anom_speaker1", "anom_speaker2"):
        save(folder, f"japanese_vowels/{name}", **make_sequences(20, 4, generator, values))
    save(folder, "hdfs_events/hdfs", n_events=5, **make_sequences(20, 4, generator, events))
    X = np.sin(np.arange(800) / 4)[:, np.newaxis].astype(np.float32)
    y = np.zeros(800, dtype=np.int8)
    X[600:610], y[600:610] = 2, 1
    save(folder, "smap_msl/P-1", X_train=X, X_test=X, y_test=y, tsb_train_idx=400)
    save(folder, "smap_msl/P-2", X_train=X, X_test=X, y_test=y)
    save(folder, "skab/one", X=X, y=y, n_train=400)
    save(folder, "ucr_anomaly/one", X=X, y=y, n_train=400)
    save(folder, "keogh/power_demand", X=X, y=y, train_slice=[0, 405], test_slice=[501, 800])
    return folder


@pytest.fixture
def without_tsb_ad(monkeypatch):
    """Only the competitors' environment has the package that computes the measure."""
    monkeypatch.setattr(run, "vus_window", lambda channel: 40)
    monkeypatch.setattr(run, "vus_pr", lambda labels, scores, window: len(labels))


def run_command(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["detection", *map(str, arguments)])
    command.main()


def test_ragged_sequences_are_split(data):
    case = DATASETS["vowels"].load(data / "japanese_vowels" / "anom_speaker1.npz")
    with np.load(data / "japanese_vowels" / "anom_speaker1.npz") as arrays:
        assert [len(sequence) for sequence in case.X_train] == arrays["train_lengths"].tolist()
        np.testing.assert_array_equal(np.concatenate(case.X_test), arrays["test_values"])
    assert case.is_anomaly.tolist() == [True] * 4 + [False] * 6


def test_events_become_one_hot(data):
    case = DATASETS["hdfs"].load(data / "hdfs_events" / "hdfs.npz")
    with np.load(data / "hdfs_events" / "hdfs.npz") as arrays:
        first = arrays["train_values"][: arrays["train_lengths"][0], 0]
    assert case.X_train[0].shape == (len(first), 5)
    assert (case.X_train[0].argmax(axis=1) + 1).tolist() == first.tolist()
    assert count(case.X_train[:1])[0].tolist() == [(first == event).sum() for event in range(1, 6)]


def test_files_that_lack_the_protocols_key_are_no_cases(data):
    assert list(DATASETS["tsb"].files(data)) == ["P-1"]


def test_a_series_is_fitted_on_its_start_and_judged_by_the_rest(data):
    case = DATASETS["skab"].load(data / "skab" / "one.npz")
    assert (len(case.X_train), len(case.X_test), case.n_seen) == (400, 400, 0)
    assert np.flatnonzero(case.is_anomaly).tolist() == list(range(200, 210))


def test_power_demand_is_thinned_and_a_block_with_an_anomaly_is_one(data):
    case = DATASETS["keogh"].load(data / "keogh" / "power_demand.npz")
    with np.load(data / "keogh" / "power_demand.npz") as arrays:
        X = arrays["X"]
    assert (len(case.X_train), len(case.X_test)) == (50, 37)
    np.testing.assert_allclose(case.X_train[1, 0], X[8:16].mean(), rtol=1e-6)
    # Rows 600 to 609 are rows 99 to 108 of the test part, in its blocks of 8 from 12 to 13.
    assert np.flatnonzero(case.is_anomaly).tolist() == [12, 13]


# From TSB-AD 1.5, whose every version is to agree.
@pytest.mark.parametrize(
    ("seed", "expected"), [(0, 0.7639067465025418), (1, 0.697123017103059), (2, 0.7143909777802231)]
)
def test_windows_and_vus_pr_are_those_recorded_from_tsb_ad(seed, expected):
    pytest.importorskip("TSB_AD", reason="only the competitors' environment has TSB-AD")
    generator, rows = np.random.RandomState(seed), np.arange(1000)
    series = np.sin(rows * 2 * np.pi / 40) + generator.normal(0, 0.3, 1000)
    is_anomaly = np.isin(rows // 25, generator.choice(40, 5, replace=False))
    scores = generator.random_sample(1000) + 0.5 * is_anomaly
    assert vus_window(series) == 40
    assert vus_pr(is_anomaly, scores, 40) == pytest.approx(expected, rel=1e-12)


@pytest.mark.usefixtures("without_tsb_ad")
def test_measures_count_rows_after_the_training_part_apart(data):
    case = DATASETS["tsb"].load(data / "smap_msl" / "P-1.npz")
    decisions = np.where(case.is_anomaly, -1.0, 1.0)
    decisions[:10] = -2
    measures = judge(case, decisions, decisions)
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    assert [measures[name] for name in names] == [10, 10, 0, 780]
    # Of 790 normal rows, 10 are ranked above all anomalies.
    assert measures["roc_auc"] == pytest.approx(780 / 790)
    assert measures["roc_auc_after"] == 1
    assert measures["average_precision"] == pytest.approx(0.5)
    assert measures["average_precision_after"] == 1
    assert (measures["vus_pr"], measures["vus_pr_after"]) == (800, 400)


def test_resampling_interpolates_to_the_median_length_of_training():
    table = Resample().fit([np.zeros((3, 1)), np.zeros((3, 1)), np.zeros((9, 1))])
    ramp = np.column_stack([np.arange(5.0), 10 * np.arange(5.0)])
    assert table.transform([ramp]).tolist() == [[0, 0, 2, 20, 4, 40]]


def test_summaries_hold_five_numbers_a_feature():
    (row,) = summarize([np.array([[1.0], [3.0], [2.0]])])
    assert row.tolist() == pytest.approx([2, np.sqrt(2 / 3), 1, 3, 1.5])


def test_standardizing_leaves_constants_and_cuts_off_outliers():
    scaler = Standardize().fit([np.array([[0.0, 5.0], [2.0, 5.0]])])
    (scaled,) = scaler.transform([np.array([[2.0, 6.0], [99.0, 5.0]])])
    assert scaled.tolist() == [[1, 1], [20, 0]]


def test_rows_get_the_mean_score_of_the_windows_that_cover_them():
    series = np.array([[0.0], [0], [0], [0], [9], [0], [0]])
    detector = OnWindows(NeighborDistance(), window=2).fit(series[:4])
    # A constant is not scaled: of the six windows the fourth and fifth lie 9 away.
    scores = detector.score_samples(series)
    assert scores.tolist() == [0, 0, 0, -4.5, -9, -4.5, 0]


def test_pca_spreads_a_windows_error_over_its_cells():
    generator = np.random.default_rng(0)
    table = np.outer(generator.normal(size=50), [1.0, 1.0, 1.0])
    table[:, 2] += 1e-6 * generator.normal(size=50)
    cells = PCAError().fit(table).score_cells(np.array([[1.0, 1.0, 4.0]]))
    np.testing.assert_allclose(cells, [[-1, -1, -4]], rtol=1e-4)


def test_a_threshold_is_chosen_on_the_last_third():
    table = np.r_[np.zeros(6), 1, 2, 3].reshape(-1, 1)
    detector = HeldOutThreshold(NeighborDistance()).fit(table)
    assert detector.offset_ == pytest.approx(np.quantile([-1, -2, -3], 0.01))
    assert (detector.decision_function([[2.0], [9.0]]) < 0).tolist() == [False, True]


def test_peers_are_seeded_and_their_scores_turned_round(monkeypatch):
    """PyOD is only in the competitors' environment."""

    class Distance(SimpleNamespace):
        def fit(self, X):
            self.decision_function = np.ravel

    monkeypatch.setitem(sys.modules, "pyod.models.knn", SimpleNamespace(KNN=Distance))
    X = np.array([[2.0], [7.0]])
    peers = [PyODDetector("knn.KNN", {"center": 2}, seed).fit(X) for seed in (0, 0, 1)]
    assert peers[0].score_samples(X).tolist() == [-2, -7]
    seeds = [peer.detector_.random_state for peer in peers]
    assert seeds[0] == seeds[1] != seeds[2]


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others")  # by networks of one epoch
@pytest.mark.usefixtures("without_tsb_ad")
@pytest.mark.parametrize(
    ("method", "name"),
    [
        (method, name)
        for method in METHODS | VARIANTS
        for name in (["vowels", "hdfs", "ucr"] if method in METHODS else ["ucr"])
        if method not in [*PEERS, "PaAno"]  # whose code only the competitors' environment has
    ],
)
def test_every_method_detects(data, monkeypatch, method, name):
    """A parameter that a detector does not know is refused only when it is fitted."""
    ((case_name, file), *_) = DATASETS[name].files(data).items()
    case = DATASETS[name].load(file)
    detector = (METHODS | VARIANTS)[method](case)
    quick = [name for name in detector.get_params() if name.endswith("max_epochs")]
    detector.set_params(**dict.fromkeys(quick, 1))
    monkeypatch.setitem(VARIANTS, method, lambda case: detector)
    row = run_one(Run(name, case_name, method, 0), case)
    assert 0 <= row["roc_auc"] <= 1
    assert row["n_epochs"] == (1 if quick else None)


def test_runs_resume_where_they_stopped_and_those_that_fail_are_told(data, tmp_path, monkeypatch):
    out = tmp_path / "deep" / "results.csv"
    arguments = ["--data", data, "--out", out, "--methods", "knn,pca", "--jobs", 1, "--datasets"]
    run_command(monkeypatch, *arguments, "vowels,hdfs", "--seeds", 1)
    written = out.read_text("utf-8")
    assert pd.read_csv(out).columns.to_list() == list(COLUMNS)
    assert written.count("\n") == 1 + 3 * 2
    monkeypatch.setitem(METHODS, "knn", lambda case: OnWindows(NeighborDistance(), window=10**6))
    with pytest.raises(SystemExit, match="2 of 8 runs failed"):
        run_command(monkeypatch, *arguments, "vowels", "--seeds", 2)
    assert out.read_text("utf-8").startswith(written)
    assert pd.read_csv(out)["method"][3 * 2 :].tolist() == ["pca", "pca"]


def test_packages_that_are_wanted_are_named(data, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda package: None)
    for options, package in ([["vowels"], "pyod"], [["skab", "--methods", "knn"], "TSB_AD"]):
        with pytest.raises(SystemExit, match=f"{package} is not installed here"):
            run_command(monkeypatch, "--data", data, "--datasets", *options)


def made_up_results():
    """Return ROC-AUCs of three methods, two seeds each, on four cases of two data sets."""
    of_cases = {
        ("vowels", "a"): {"default": 0.9, "knn": 0.8, "pca": 0.5},
        ("vowels", "b"): {"default": 0.8, "knn": 0.6, "pca": 0.7},
        ("ecg5000", "c"): {"default": 0.7, "knn": 0.9, "pca": 0.4},
        ("ecg5000", "d"): {"default": 0.6},
    }
    rows = [
        {"dataset": dataset, "case": case, "method": method, "seed": seed}
        | {"roc_auc": value + 0.1 * (seed - 0.5), "fit_seconds": 1.0, "score_seconds": 0.5}
        for (dataset, case), values in of_cases.items()
        for method, value in values.items()
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_f1_pools_the_rows_of_all_cases():
    counts = {"true_positives": [8, 0], "false_positives": [0, 4], "false_negatives": [2, 0]}
    sizes = {"case": ["a", "b"], "n_anomalies": [10, 0], "n_test": [20, 5]}
    results = pd.DataFrame(counts | sizes).assign(dataset="skab", method="knn", seed=0)
    assert pooled_f1(results).to_dict() == {"knn": pytest.approx(16 / (16 + 4 + 2))}
    assert f1_of_all(results) == pytest.approx(20 / (20 + 15))


def test_false_alarms_are_averaged_over_seeds_and_added_up_over_cases():
    counts = {"n_fresh": [100, 100, 300], "case": ["a", "a", "b"], "seed": [0, 1, 0]}
    alarms = {0.05: [8, 4, 14], 0.01: [1, 1, 3], 0.001: [0, 0, 0]}
    columns = {f"false_alarms_{rate}": numbers for rate, numbers in alarms.items()}
    columns |= {"n_apart": [50, 50, 250], "false_alarms_apart": [1, 1, 2]}
    hits = {"true_positives": [3, 2, 10], "false_negatives": [7, 8, 0]}
    results = pd.DataFrame(counts | columns | hits).assign(dataset="vowels", method="default")
    (row,) = false_alarms(results).itertuples(index=False)
    assert row[0] == 400
    assert [cell.split()[0] for cell in row[1:4]] == ["0.0500", "0.0100", "0.0000"]
    # 3 of 300 rows apart; of cases 1 / 100 and 3 / 300; of 30 anomalies.
    assert row[4:] == pytest.approx((0.01, 0.01, 0.5))
    # Of none in n, Clopper and Pearson's interval ends at 1 - 0.025 ** (1 / n).
    assert row[3] == f"0.0000 [0.0000, {1 - 0.025 ** (1 / 400):.4f}]"


def test_false_alarms_are_counted_among_fresh_normal_samples_at_each_rate(data):
    case = DATASETS["tsb"].load(data / "smap_msl" / "P-1.npz")
    inner = IsolationForest(n_estimators=10, random_state=0)
    detector = SlidingWindowDetector(inner, window_size=20).fit(case.X_train)
    counted = count_false_alarms(detector, case, detector.decision_function(case.X_test))
    is_fresh = ~case.is_anomaly
    is_fresh[: case.n_seen] = False
    assert counted["n_fresh"] == is_fresh.sum()
    for rate in (0.05, 0.01, 0.001):
        flagged = detector.recalibrate(false_alarm_rate=rate).predict(case.X_test) == -1
        assert counted[f"false_alarms_{rate}"] == flagged[is_fresh].sum()
    anomalous = np.flatnonzero(case.is_anomaly)
    is_apart = [fresh and np.abs(anomalous - row).min() >= 20 for row, fresh in enumerate(is_fresh)]
    assert 0 < counted["n_apart"] == sum(is_apart) < counted["n_fresh"]
    flagged = detector.recalibrate(false_alarm_rate=0.01).predict(case.X_test) == -1
    assert counted["false_alarms_apart"] == flagged[is_apart].sum()


def test_mean_ranks_share_ties():
    values = pd.DataFrame([[0.9, 0.8, 0.7], [0.5, 0.5, 0.1]], columns=["a", "b", "c"])
    assert mean_ranks(values).to_dict() == {"a": 1.25, "b": 1.75, "c": 3.0}


def test_critical_differences_are_those_of_demsar():
    # Table 5(a) there: q = 2.569 for 4 classifiers; its example has 14 data sets.
    assert critical_difference(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), rel=1e-3)
    assert p_value(pd.DataFrame(np.tile([[3.0, 2, 1], [2, 3, 1]], (20, 1)))) < 1e-9


def test_the_report_shows_means_ranks_and_targets(data, tmp_path, monkeypatch, capsys):
    out = tmp_path / "results.csv"
    made_up_results().to_csv(out, index=False)
    run_command(monkeypatch, "--out", out, "--report")
    text = capsys.readouterr().out
    assert "| vowels | 2 | 0.850 | 0.600 | 0.700 |" in text  # in the order of METHODS
    # Default is first twice and second once, and so on.
    assert "3 cases: default 1.33, knn 2.00, pca 2.67." in text
    assert "| Mean ROC-AUC of 2 data sets of 6 | 0.7750 | 0.9400 | **missed** |" in text
    assert "| ROC-AUC short of a data set's best baseline | 0.2000 | 0.0200 | **missed** |" in text
    assert "mean rank, below every baseline's | 1.3333 | 2.0000 | met |" in text


def test_published_figures_stand_beside_ours():
    results = made_up_results().assign(dataset="tsb", vus_pr=lambda table: table["roc_auc"])
    published = pd.DataFrame({"CNN": [0.3, 0.5, 0.1]}, index=["a", "b", "c"])
    text = report(results, published)
    assert "| CNN (published) | 0.300 |  |" in text
    assert "| TSB-AD-M: VUS-PR, above the best published | 0.8000 | 0.3000 | met |" in text
    assert list(by_case(results, "vus_pr").index) == [("tsb", "a"), ("tsb", "b"), ("tsb", "c")]


def test_variations_are_compared_on_what_both_ran_on():
    values = {
        ("vowels", "a", "default", 0): 0.8,
        ("vowels", "a", "default", 1): 0.2,  # the variation has not run with this seed
        ("vowels", "a", "noise=0", 0): 0.9,
        ("plaid", "b", "default", 0): 0.5,
        ("plaid", "b", "noise=0", 0): 0.5,
        ("plaid", "c", "default", 0): 0.5,
        ("plaid", "c", "noise=0", 0): 0.9,
        ("nab", "d", "default", 0): 0.7,
        ("nab", "d", "noise=0", 0): 0.1,
        ("nab", "d", "aggregation=min", 0): 0.8,
    }
    rows = [(*key, value, value) for key, value in values.items()]
    results = pd.DataFrame(rows, columns=["dataset", "case", "method", "seed", "roc_auc", "vus_pr"])
    results.loc[results["dataset"] == "nab", "roc_auc"] = 0.0  # series are judged by VUS-PR
    gains = study(results)
    assert gains.columns.tolist() == ["vowels", "plaid", "nab", "mean", "lowest", "highest"]
    assert gains.loc["noise=0"].tolist() == pytest.approx([0.1, 0.2, -0.6, -0.1, -0.25, 0.15])
    assert gains.loc["aggregation=min", ["nab", "mean"]].tolist() == pytest.approx([0.1, 0.1])
    assert gains.loc["aggregation=min", ["vowels", "lowest"]].isna().all()
    assert gains.index[0] == "random_state=1"  # the default again, which tells what chance does
    assert gains.loc["random_state=1", ["vowels", "mean"]].tolist() == pytest.approx([-0.6, -0.6])


def test_the_report_tells_random_states_and_variations_apart():
    results = made_up_results().replace({"method": {"knn": "noise=0"}})
    only_once = (results["method"] == "pca") & (results["seed"] == 1)
    text = report(results[~only_once], pd.DataFrame())
    assert "|  | cases | default | pca |" in text
    assert "| default, 0 | 0.7000 |  |  |\n| default, 1 | 0.8000 |  |  |" in text
    assert "| pca, 0 |" not in text
    assert "| noise=0 | -0.150 | +0.200 | +0.025 | -0.150 | +0.200 |" in text
