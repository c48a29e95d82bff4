"""What the page on other packages shows runs, as far as the packages are there."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "adapters.md"
BLOCK = re.compile(r"^## (?P<heading>.+?)$|^```py\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    """Return the blocks of code under each heading; None is that of the beginning."""
    found, heading = {None: []}, None
    for match in BLOCK.finditer(PAGE.read_text("utf-8")):
        if match["heading"]:
            heading = match["heading"]
            found[heading] = []
        else:
            found[heading].append(match["code"])
    return found


BLOCKS = blocks()


def run(heading, namespace):
    for code in BLOCKS[heading]:
        exec(compile(code, PAGE, "exec"), namespace)
    return namespace


@pytest.fixture
def namespace():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages that are not ours
        yield run(None, {"__name__": "__main__"})


@pytest.fixture
def ours_and(namespace):
    """Return a function that runs the blocks of a package, or skips."""

    def run_for(heading, module=None):
        pytest.importorskip(module or heading.lower())
        return run(heading, namespace)

    return run_for


def test_every_section_has_code():
    assert all(BLOCKS.values())


def test_aeon_scores_the_fault_highest(ours_and):
    assert 170 <= np.argmax(ours_and("aeon")["scores"]) < 250


def test_sktime_finds_the_fault(ours_and):
    assert ours_and("sktime")["places"]["ilocs"].between(170, 250).any()


def test_dtaianomaly_measures_that_the_fault_is_found(ours_and):
    auc, f1 = ours_and("dtaianomaly")["quality"]
    assert auc > 0.9
    assert f1 > 0


def test_pyod_measures_and_is_judged(ours_and, capsys):
    ecod = ours_and("PyOD")["ecod"]
    assert capsys.readouterr().out.startswith("skl_lstmae ROC:")
    assert ecod.offset_ == ecod.offset_


def test_tsb_ad_measures_that_the_fault_is_found(ours_and):
    figures = ours_and("TSB-AD", "TSB_AD.evaluation.metrics")["figures"]
    assert figures["AUC-ROC"] > 0.9
    assert figures["VUS-PR"] > 0.1


def test_river_learns_that_the_fault_is_found(ours_and):
    assert ours_and("river")["auc"].get() > 0.7


def test_mlflow_records_a_run(ours_and, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    ours_and("MLflow")


def test_optuna_prunes(ours_and):
    pytest.importorskip("sklearn.callback")
    study = ours_and("Optuna")["study"]
    assert len(study.trials) == 3
    assert study.best_value > 0


def test_fastapi_answers_with_labels(ours_and):
    client = pytest.importorskip("fastapi.testclient")
    namespace = ours_and("FastAPI")
    answer = client.TestClient(namespace["app"]).post("/labels", json=[[0.0]] * 40)
    assert len(answer.json()) == 40
