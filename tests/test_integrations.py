"""Scores and searches on clusters are those of one process; networks trained elsewhere come home.

`make test-integrations` has what it takes; where a package is missing, its tests are skipped.
"""

import os
import re
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, fitted, make_ragged
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV

from skl_lstmae import LSTMAutoencoderDetector

REASON = "comes with the extra `integrations`: make test-integrations"
X = make_ragged(24, 5, 12)
X_NEW = make_ragged(60, 3, 20, seed=1)
LABELS = np.where(np.arange(24) % 5 == 0, -1, 1)

# What the engines warn of among themselves.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def detector():
    return fitted(LSTMAutoencoderDetector(**QUICK), X)


def score(detector, sequences, marker=None):
    """Score a partition; the first process that is given a marker is killed."""
    if marker is not None and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return detector.score_samples(list(sequences))


# --------------------------------------------------------------------------------------------- Dask


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("dask.distributed", reason=REASON)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as both,
        distributed.Client(both) as client,
    ):
        yield client


@pytest.mark.parametrize("is_killed", [False, True])
def test_eight_partitions_of_dask_have_the_scores_of_one_process(
    client, detector, is_killed, tmp_path
):
    import dask.bag

    marker = tmp_path / "killed" if is_killed else None
    parts = dask.bag.from_sequence(X_NEW, npartitions=8).map_partitions(
        lambda part: score(detector, part, marker)
    )
    assert_array_equal(parts.compute(), detector.score_samples(X_NEW))
    assert (tmp_path / "killed").exists() == is_killed


def test_a_search_on_dask_finds_what_one_process_finds(client):
    grid = {"latent_size": [1, 3], "scorer": ["neighbors", "error"]}
    detector = LSTMAutoencoderDetector(**QUICK)
    expected, search = (
        GridSearchCV(detector, grid, scoring="roc_auc", cv=2, error_score="raise") for _ in range(2)
    )
    expected.fit(X, LABELS)
    with parallel_config(backend="dask"):
        search.set_params(n_jobs=-1).fit(X, LABELS)
    assert search.best_params_ == expected.best_params_
    for name in expected.cv_results_:
        if not name.endswith("_time"):
            assert_array_equal(search.cv_results_[name], expected.cv_results_[name])
    assert_array_equal(search.score_samples(X_NEW), expected.score_samples(X_NEW))


# ---------------------------------------------------------------------------------------------- Ray


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray", reason=REASON)
    pytest.importorskip("ray.data", reason=REASON)
    # Its processes are to find this file.
    env = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=env)
    yield ray
    ray.shutdown()


@pytest.mark.parametrize("is_killed", [False, True])
def test_four_blocks_of_ray_have_the_scores_of_one_process(ray, detector, is_killed, tmp_path):
    marker = tmp_path / "killed" if is_killed else None
    rows = [{"id": i, "sequence": sequence} for i, sequence in enumerate(X_NEW)]
    blocks = ray.data.from_items(rows, override_num_blocks=4).map_batches(
        lambda block: {"id": block["id"], "score": score(detector, block["sequence"], marker)},
        batch_size=None,
    )
    scores = blocks.to_pandas().sort_values("id")["score"]
    assert_array_equal(scores, detector.score_samples(X_NEW))
    assert (tmp_path / "killed").exists() == is_killed


# -------------------------------------------------------------------------------------------- Spark


@pytest.fixture(scope="module")
def long():
    """Return the sequences as rows of one table, in any order."""
    frames = [
        pd.DataFrame(x, columns=["a", "b"]).assign(id=f"{i:02}", time=range(len(x)))
        for i, x in enumerate(X_NEW)
    ]
    return pd.concat(frames).sample(frac=1, random_state=0)


def block_on_spark():
    """Return the page's block, in one piece."""
    page = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^import pandas as pd\nfrom pyspark.*?(?=^```)", page, re.M | re.S)
    return block


@pytest.fixture(scope="module")
def spark():
    sql = pytest.importorskip("pyspark.sql", reason="comes with the extra `spark`: make test-spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java: apt-get install default-jre-headless")
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "4").getOrCreate()
    yield session
    session.stop()


def test_groups_on_spark_have_the_scores_of_one_process(spark, detector, long):
    namespace = {"detector": detector, "table": spark.createDataFrame(long)}
    exec(block_on_spark(), namespace)
    scores = namespace["scores"].toPandas().sort_values("id")["score"]
    assert_array_equal(scores, detector.score_samples(X_NEW))


def test_groups_of_a_long_table_have_the_scores_of_the_whole(detector, long):
    """What Spark's applyInPandas calls, on pandas alone."""
    (judge,) = re.findall(r"^def judge\(group.*?\n\n", block_on_spark(), re.M | re.S)
    namespace = {"pd": pd, "detector": detector}
    exec(judge, namespace)
    buckets = long["id"].map(lambda name: int(name) % 7)
    judged = pd.concat(namespace["judge"](group) for _, group in long.groupby(buckets))
    scores = judged.sort_values("id")["score"]
    assert_array_equal(scores, detector.score_samples(X_NEW))
