"""The Python blocks of the README and of the pages run, and print what the text says they print.

A block fenced as ``text`` right after one fenced as ``python`` is its printed output.
"""

import re
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```python" in page.read_text(encoding="utf-8")
]

# What a page needs that not everyone who runs the suite has.
NEEDS = {
    "clusters.md": ["dask.distributed", "ray"],
    "deployment.md": ["spox", "onnxruntime"],
    "thresholds.md": ["scipy 1.11"],
    "trained_elsewhere.md": ["accelerate", "lightning"],
}

INTEGRATIONS = {"clusters.md", "trained_elsewhere.md"}
"""What `make test-integrations` runs."""

FIRST_READ = {"README.md", "index.md", "quickstart.md", "machine.md"}
"""What everybody reads; the code of other pages is tried by `make test-long`."""

PARAMETERS = [
    pytest.param(
        page,
        id=str(page.relative_to(ROOT)),
        marks=[] if page.name in FIRST_READ else pytest.mark.long,
    )
    for page in PAGES
]

PYTHON_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n*^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.filterwarnings("ignore:Set aside as unlike the others. rows 2014-07-04")  # so told
@pytest.mark.filterwarnings("ignore:Set aside as unlike the others. rows 2025-03-")  # so told
@pytest.mark.parametrize("page", PARAMETERS)
def test_blocks_run_and_print_what_the_page_shows(page, capsys, monkeypatch, tmp_path):
    for need in NEEDS.get(page.name, []):
        package, _, version = need.partition(" ")
        pytest.importorskip(package, version or None, reason=f"the page needs {need}")
    if page.name in INTEGRATIONS:
        warnings.simplefilter("ignore")  # what engines warn of among themselves
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))  # there is no screen
    text = page.read_text(encoding="utf-8")
    blocks = list(PYTHON_BLOCK.finditer(text))
    assert len(blocks) == len(re.findall(r"^```python", text, re.MULTILINE)) > 0

    namespace = {"__name__": "__main__"}
    for block in blocks:
        # Empty lines in front give tracebacks the page's own line numbers.
        first_line = text.count("\n", 0, block.start("code"))
        exec(compile("\n" * first_line + block["code"], page, "exec"), namespace)
        printed = capsys.readouterr().out
        if block["output"] is not None:
            assert printed == block["output"]
