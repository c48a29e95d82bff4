"""The examples run as a user runs them, without a warning, and print what they promise."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, folder: Path) -> str:
    """Return what the example prints when it is run in an empty folder."""
    completed = subprocess.run(
        [sys.executable, EXAMPLES / name], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (completed.returncode, completed.stderr) == (0, "")
    return completed.stdout


def table(printed: str, title: str) -> list[list[str]]:
    """Return the rows of the table under a title and a line of headings."""
    _, rows = re.search(rf"^{title}.*\n(.+)\n((?:.+\n)+)", printed, re.MULTILINE).groups()
    return [row.split() for row in rows.splitlines()]


def test_every_example_but_the_demo_is_run():
    # The demo trains 27 networks to the end, which takes a minute on two idle cores: `make demo`
    # runs it, and the package it shows has tests of its own.
    names = {path.name for path in EXAMPLES.glob("*.py")}
    assert names == {"demo_unknown_speaker.py", "grid_search.py", "taxi_events.py"}


def test_grid_search_ranks_every_candidate_by_both_measures(tmp_path):
    printed = run("grid_search.py", tmp_path)

    candidates = sorted(
        itertools.product(("mean", "last", "sequence"), ("neighbors", "mahalanobis", "error"))
    )
    explained = table(printed, "Ranking by explained_variance")
    aucs = table(printed, "Ranking by roc_auc")
    for ranking in explained, aucs:
        ranks, bottlenecks, scorers, means, _ = zip(*ranking, strict=True)
        assert sorted(zip(bottlenecks, scorers, strict=True)) == candidates
        assert list(map(float, means)) == sorted(map(float, means), reverse=True)
        assert list(map(int, ranks)) == sorted(map(int, ranks))

    # Candidates that differ only in the scorer have the same reconstruction, bit for bit.
    assert [rank for rank, *_ in explained] == ["1"] * 3 + ["4"] * 3 + ["7"] * 3
    assert [row[1:3] for row in aucs] != [row[1:3] for row in explained]

    by_explained, by_auc = table(printed, "Winners on")
    assert by_explained[:3] == ["explained_variance", *explained[0][1:3]]
    assert by_auc[:3] == ["roc_auc", *aucs[0][1:3]]


def test_taxi_events_lists_intervals_and_counts_the_labelled_events_they_touch(tmp_path):
    printed = run("taxi_events.py", tmp_path)

    interval = re.compile(
        r"^  (\d{4}-\d\d-\d\d \d\d:\d\d) to (\d{4}-\d\d-\d\d \d\d:\d\d)  (.*)$", re.M
    )
    found = interval.findall(printed)
    assert 1 <= len(found) <= 10
    assert all(start <= end for start, end, _ in found)
    named = {name for *_, names in found for name in names.split(", ") if name}
    counts = re.findall(r"^  (\S.*\S) +(\d) of 5, by (\d+) intervals$", printed, re.MULTILINE)
    names, n_touched, n_intervals = zip(*counts, strict=True)
    assert names == ("LSTM autoencoder", "isolation forest", "nearest neighbour")
    assert int(n_touched[0]) == len(named)
    assert int(n_intervals[0]) == len(found)
    # New Year and Thanksgiving are close to the threshold; the last bits differ among processors.
    assert named >= {"New York City marathon", "Christmas", "snow storm"}
    assert len(named) >= 4
    assert (tmp_path / "demo-output" / "taxi_events.png").stat().st_size > 0
