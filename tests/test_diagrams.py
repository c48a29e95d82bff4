"""The diagrams of the architectures are those that their script draws, one for each row."""

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "diagrams"
SCRIPT = runpy.run_path(str(FOLDER / "draw.py"))
ARCHITECTURES = SCRIPT["ARCHITECTURES"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_diagram_is_as_drawn_by_its_script(name):
    expected = SCRIPT["draw"](name, ARCHITECTURES[name])
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == expected


def test_every_architecture_of_the_page_has_a_diagram():
    page = (FOLDER.parent / "architectures.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[0][2:] for line in page.splitlines() if line.startswith("| S")]
    assert rows == list(ARCHITECTURES)
    assert [name for name in rows if f"(diagrams/{name}.svg)" not in page] == []
