"""The documentation's gallery shows every example, and its formulas are drawn well."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (ROOT / "examples").glob("*.py")
    if not path.stem.startswith("demo_")
}


def test_every_example_has_its_place_and_a_small_picture_if_it_draws():
    page = (ROOT / "docs/examples.rst").read_text(encoding="utf-8")
    shown = re.findall(r"^   \.\./examples/(\w+)\.py$", page, re.MULTILINE)
    listed = re.findall(r"^   auto_examples/(\w+)$", page, re.MULTILINE)
    assert sorted(shown) == sorted(EXAMPLES)
    assert listed == shown
    pictures = {path.stem: path for path in (ROOT / "docs/thumbnails").glob("*.png")}
    assert pictures.keys() == {name for name, code in EXAMPLES.items() if "matplotlib" in code}
    for path in pictures.values():
        assert path.stat().st_size < 25_000
        assert plt.imread(path).shape[:2] == (280, 400)


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\hat x_{tf}", r"\hat x{}_{tf}"),
        (r"\hat{x}_t", r"\hat{x}{}_t"),
        (r"\lvert x \rvert", r"\left\lvert x \right\rvert"),
        (r"\lVert x \rVert", r"\left\lVert x \right\rVert"),
        (r"-x \log \hat x - (1 - x) \log(x)", r"-x\,\log\,\hat x - (1 - x)\,\log(x)"),
        (r"x_t", r"x_t"),
    ],
)
def test_formulas_are_put_in_the_words_that_docutils_draws_well(latex, expected, monkeypatch):
    pytest.importorskip("sphinx_gallery")
    monkeypatch.syspath_prepend(ROOT / "docs")
    import conf

    for pattern, replacement in conf.FOR_DOCUTILS:
        latex = pattern.sub(replacement, latex)
    assert latex == expected
