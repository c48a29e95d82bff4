"""The Markdown pages: links lead somewhere, figures are true, and what is listed is up to date."""

import ast
import inspect
import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import roc_auc_score

import skl_lstmae
from skl_lstmae.datasets import load_japanese_vowels

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*/*_record.md")),
]

COMPARISON = "docs/which_detector.md"

CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|\b(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z]+:")


def read(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def links(page: Path) -> list[str]:
    return [markdown or html for markdown, html in LINK.findall(CODE.sub("", read(page)))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = HEADING.findall(read(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page):
    broken = []
    for link in links(page):
        if ELSEWHERE.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_command_on_a_page_is_there():
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    for page in PAGES:
        text = read(page)
        for module in re.findall(r"python -m (benchmarks[\w.]*\w)", text):
            place = ROOT / module.replace(".", "/")
            assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module
        for script in re.findall(r"python ((?:docs|examples)/\S+\.py)", text):
            assert (ROOT / script).exists(), script
        assert set(re.findall(r"(?:`|^)make ([a-z][a-z-]+)", text, re.MULTILINE)) <= targets


def test_pages_of_the_guide_lead_to_every_example():
    linked = {
        Path(link).name for page in PAGES if page.parent.name == "docs" for link in links(page)
    }
    examples = {file.name for file in (ROOT / "examples").glob("*.py")}
    assert examples - linked == {"demo_unknown_speaker.py"}  # a program, not in the gallery


def defaults_of(detector: type) -> dict[str, object]:
    parameters = inspect.signature(detector).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def defaults_in(text: str) -> dict[str, object]:
    return {name: ast.literal_eval(value) for name, value in re.findall(r"`(\w+)=([^`]+)`", text)}


def test_defaults_in_the_readme_are_those_of_the_signature():
    section = read("README.md").partition("\n## Parameters\n")[2].partition("\n## ")[0]
    table, _, forecaster, sliding = section.strip().split("\n\n")
    documented = defaults_in(table)
    assert documented == defaults_of(skl_lstmae.LSTMAutoencoderDetector)
    assert defaults_in(forecaster) == {
        name: default
        for name, default in defaults_of(skl_lstmae.LSTMForecastDetector).items()
        if default != documented[name]
    }
    assert defaults_in(sliding) == defaults_of(skl_lstmae.SlidingWindowDetector)


@pytest.mark.parametrize(
    ("heading", "estimators"),
    [
        ("Detectors", ("LSTMAutoencoderDetector", "LSTMForecastDetector", "SlidingWindowDetector")),
        ("Classifier and regressor", ("LSTMClassifier", "LSTMRegressor")),
    ],
)
def test_every_default_has_a_reason(heading, estimators):
    def reasons(heading):
        section = read("docs/defaults.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        told = re.findall(r"`(\w+)=([^`]+)`", section)
        return {(name, ast.literal_eval(value)) for name, value in told}

    defaults = {
        default for name in estimators for default in defaults_of(getattr(skl_lstmae, name)).items()
    }
    assert defaults - reasons("Detectors") == (
        set() if heading == "Detectors" else reasons(heading) - reasons("Detectors")
    )
    assert reasons(heading) <= defaults


@pytest.fixture(scope="module")
def speakers():
    """Return the data of the demo, each speaker in turn the stranger."""
    return [load_japanese_vowels(anomalous_speaker=speaker) for speaker in range(1, 10)]


def figures_of_the_demo() -> dict[str, float]:
    """Return the means of nine speakers that the page shows, by the heading of their column."""
    table = r"^\| \|(.+)\|\n\|[-|]+\|\n\| mean of nine speakers \|(.+)\|$"
    headings, figures = re.search(table, read(COMPARISON), re.MULTILINE).groups()
    names = [heading.strip() for heading in headings.split("|")]
    return dict(zip(names, map(float, figures.split("|")), strict=True))


def test_figures_of_the_demo_in_the_readme_are_those_of_the_page():
    sentence = r"Its mean ROC-AUC is ([\d.]+), that of nearest neighbours .*? ([\d.]+);"
    figures = re.search(sentence, read("README.md")).groups()
    shown = figures_of_the_demo()
    assert list(map(float, figures)) == [shown["LSTM autoencoder"], shown["neighbours"]]


def test_figures_of_what_the_demo_compares_with_are_true(speakers):
    # The first column takes 18 networks, a minute of `make demo`.
    scores_of = runpy.run_path(str(ROOT / "examples" / "demo_unknown_speaker.py"))
    aucs = [
        [roc_auc_score(vowels.y_test, scores) for scores in scores_of["baseline_scores"](vowels)]
        for vowels in speakers
    ]
    means = [sum(column) / len(speakers) for column in zip(*aucs, strict=True)]
    shown = figures_of_the_demo()
    assert list(shown) == ["LSTM autoencoder", "isolation forest", "PCA", "neighbours"]
    assert list(shown.values())[1:] == [pytest.approx(mean, abs=0.0005) for mean in means]


def row_of_decisions(rule: str, name: str) -> list[str]:
    """Return what the page shows of a rule on a set of series: shares, ratio, events, chance."""
    rows = read("docs/decisions.md").split(f"| {rule} | NAB |")[1].splitlines()
    rows[0] = f"| | NAB |{rows[0]}"
    found = next(row for row in rows if row.startswith(f"| | {name} |"))
    cells = [cell.strip() for cell in found.split("|")[3:-1]]
    return [cells[0], cells[1], cells[2], cells[3]]


def test_decisions_in_the_readme_are_those_of_the_page():
    text, sets = in_one_line(read("README.md")), ("NAB", "SKAB", "Keogh")
    for rule, pattern in (
        ("fixed", r"it flagged ([\d.]+) % in NAB, ([\d.]+) % in SKAB and ([\d.]+) % in Keogh's"),
        ("**adaptive**", r"follows the drift, and flagged ([\d.]+), ([\d.]+) and ([\d.]+) %"),
    ):
        shown = [f"{share} %" for share in re.search(pattern, text).groups()]
        assert shown == [row_of_decisions(rule, name)[0] for name in sets]
    events = re.search(
        r"found (\d+) of NAB's (\d+) events, where the fixed threshold found (\d+), "
        r"(\d+) of Keogh's (\d+), where that found (\d+), "
        r"and (\d+) of SKAB's (\d+), where that found (\d+)",
        text,
    ).groups()
    for (found, total, fixed), name in zip(
        (events[:3], events[3:6], events[6:]), ("NAB", "Keogh", "SKAB"), strict=True
    ):
        assert row_of_decisions("**adaptive**", name)[3] == f"{found} of {total}"
        assert row_of_decisions("fixed", name)[3] == f"{fixed} of {total}"


def test_false_alarms_of_the_demo_are_out_of_all_normal_recordings(speakers):
    n_normal = 2 * sum((vowels.y_test == 1).sum() for vowels in speakers)
    expected = f" of {n_normal:,} recordings of speakers it knows"
    assert expected in in_one_line(read(COMPARISON))


def picture(name: str):
    """Return the variables of a script of the documentation that draws a picture."""
    variables = runpy.run_path(str(ROOT / "docs" / "pictures" / f"{name}.py"))
    plt.close("all")
    return variables


def test_picture_of_the_quickstart_shows_the_worst_feature_and_step_that_its_text_names():
    display = picture("reconstruction")["display"]
    worst = f"worst feature {display.feature_names[display.features_[0]]}"
    worst += f" worst step {display.step_errors.argmax()} of"
    assert worst in in_one_line(read("docs/quickstart.md"))


def test_picture_of_the_front_page_flags_as_many_as_its_text():
    display = picture("score_distribution")["display"]
    scores = np.r_[display.reference_scores, display.new_scores]
    assert f"\n{sum(scores < display.offset)} flagged\n" in read("docs/index.md")


def test_pictures_of_benchmarks_show_what_pages_and_records_tell(monkeypatch):
    monkeypatch.chdir(ROOT / "docs" / "pictures")  # as the build does
    ratios = picture("benchmarks")["ratios"]
    lines = re.findall(r"^\|.*times faster than", read("docs/benchmarks.md"), re.MULTILINE)
    assert len(ratios) == len(lines)
    ranked = picture("detection")["ranked"]  # on series
    assert len(ranked) == 8
    assert ranked[0] == "default 3.10"


def test_picture_of_reliability_is_about_on_the_diagonal():
    display = picture("reliability")["display"]
    assert np.abs(display.prob_true - display.prob_pred).mean() < 0.15


def test_picture_of_input_forms_shows_the_same_sequences_three_times():
    shown = picture("input_forms")
    assert len(shown["sequences"]) == len(shown["padded"]) == 3
    for i, (sequence, rows) in enumerate(zip(shown["sequences"], shown["padded"], strict=True)):
        assert_array_equal(rows[: len(sequence)], sequence)
        assert np.isnan(rows[len(sequence) :]).all()
        assert_array_equal(shown["panel"].loc[i], sequence)


def test_picture_of_scores_ranks_as_well_as_its_text_says():
    by_error, by_score = picture("scores")["aucs"]
    told = f"ROC-AUC is {by_error:.2f}, and by the default score {by_score:.2f}."
    assert told in in_one_line(read("docs/scores.md"))


def test_picture_of_a_search_shows_what_its_text_says_of_bottlenecks_and_scorers():
    results = picture("grid_search")["results"]
    candidates = [(params["bottleneck"], params["scorer"]) for params in results["params"]]
    explained = dict(zip(candidates, results["mean_test_explained_variance"], strict=True))
    aucs = dict(zip(candidates, results["mean_test_roc_auc"], strict=True))
    spreads = dict(zip(candidates, results["std_test_roc_auc"], strict=True))

    for bottleneck in ("mean", "last", "sequence"):
        assert explained[bottleneck, "joint"] == explained[bottleneck, "error"]
    assert max(explained, key=explained.get)[0] == "sequence"
    assert aucs["sequence", "joint"] - aucs["mean", "joint"] < spreads["mean", "joint"]
    assert aucs["mean", "joint"] > aucs["mean", "error"]  # as the page's own search found


def test_newest_entry_of_the_changelog_is_this_version():
    newest = re.search(r"^## +(\S+)", read("CHANGELOG.md"), re.MULTILINE)
    version = skl_lstmae.__version__
    assert newest[1] == ("Unreleased" if "dev" in version else version)


def test_what_to_cite_is_this_version():
    field = r"^(version|title|license): \"?(.+?)\"?$"
    cited = dict(re.findall(field, read("CITATION.cff"), re.MULTILINE))
    assert cited["version"] == skl_lstmae.__version__
    # LaTeX writes an underscore with a backslash, and keeps capitals in braces.
    bibtex = read("README.md").partition("```bibtex\n")[2].partition("```")[0].replace("\\", "")
    entries = re.findall(r"^  (\w+) += \{(.+)\},?$", bibtex, re.MULTILINE)
    in_bibtex = {name: re.sub(r"[{}]", "", value) for name, value in entries}
    year = re.search(r"Copyright \(c\) (\d{4})", read("LICENSE"))[1]
    assert in_bibtex == cited | {"author": "The skl_lstmae developers", "year": year}


def test_cells_about_peers_link_to_what_they_rest_on():
    text = read("docs/coming_from.md")
    table = text.partition("## Compared with its peers\n\n")[2].partition("\n\nCells link")[0]
    targets = dict(re.findall(r"^\[(\w+)\]: (\S+)$", text, re.MULTILINE))
    _, _, *rows = table.splitlines()
    assert len(rows) > 5
    for row in rows:
        for cell in row.strip("| ").split(" | ")[1:]:
            names = re.findall(r"\]\[(\w+)\]", cell)
            assert names or "](" in cell, cell
            assert all(name in targets for name in names), cell


def test_the_readme_s_picture_names_what_its_description_promises():
    picture = read("docs/images/taxi_events.svg")
    for name in ("marathon", "snow storm", "Christmas"):  # a holiday
        assert f"<!-- {name} -->" in picture
    assert picture.count("stroke: #e5533d") == 2 * 9  # stretches, above and below, as captioned
