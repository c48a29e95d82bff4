"""The Markdown pages: their relative links lead somewhere, and the changelog is up to date."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import skl_lstmae

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|\b(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z]+:")


def links(page: Path) -> list[str]:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    return [markdown or html for markdown, html in LINK.findall(text)]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
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


def test_defaults_in_the_readme_are_those_of_the_signature():
    text = (ROOT / "README.md").read_text("utf-8")
    table = text.partition("\n## Parameters\n")[2].partition("\n\nThe networks")[0]
    documented = {
        name: ast.literal_eval(value) for name, value in re.findall(r"`(\w+)=([^`]+)`", table)
    }
    parameters = inspect.signature(skl_lstmae.LSTMAutoencoderDetector).parameters
    assert documented == {name: parameter.default for name, parameter in parameters.items()}


def test_newest_entry_of_the_changelog_is_this_version():
    newest = re.search(r"^## +(\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    version = skl_lstmae.__version__
    assert newest is not None
    assert newest[1] == ("Unreleased" if "dev" in version else version)
