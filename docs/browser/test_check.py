"""The check sees what it is to see: `make browser` runs this before it looks at the pages."""

import pytest
from check import NARROW, WIDE, check

GOOD = """<!doctype html><html lang="en">
<head><title>t</title><link rel="icon" href="data:,"></head>
<body><header class="bd-header"><a class="nav-link" href="index.html">a</a></header>
<button class="primary-toggle">menu</button>
<nav class="bd-sidebar-primary"><a href="index.html#here">a</a></nav>
<main class="bd-article" id="here"><pre style="overflow: auto; width: 200px">{wide}</pre></main>
{more}</body></html>"""


@pytest.fixture
def faults_of(tmp_path):
    """Return what finds the faults of a page with more in it."""

    def look(more, page=GOOD):
        text = page.format(more=more, wide="x" * 900)
        (tmp_path / "index.html").write_text(text, encoding="utf-8")
        faults, n_pages = check(tmp_path)
        assert n_pages == 1
        return {(fault.width, fault.what.split(":")[0]) for fault in faults}

    return look


def test_a_good_page_has_no_fault(faults_of):
    assert faults_of("") == set()


@pytest.mark.parametrize(
    ("more", "widths", "what"),
    [
        ('<p style="width: 600px">wide</p>', [NARROW], "wider than the page"),
        ('<p style="width: 300px; overflow: hidden"><b style="margin-left: 370px">cut</b></p>',
         [NARROW], "wider than the page"),
        ("<script>console.error('slip')</script>", [WIDE, NARROW], "slip"),
        ("<script>slip()</script>", [WIDE, NARROW], "a script failed"),
        ('<script src="https://example.org/a.js"></script>', [WIDE, NARROW], "fetches https"),
        ('<a href="nowhere.html">a</a>', [WIDE], "links to nowhere.html"),
        ('<a href="#nowhere">a</a>', [WIDE], "links to index.html#nowhere"),
        ('<a href="http://example.org">a</a>', [WIDE], "links to http"),
        ('<img src="data:image/png;base64,AA" alt="">', [WIDE, NARROW], "a picture is missing"),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">', [WIDE, NARROW],
         "a picture has no alternative text"),
        ('<div class="bd-article"><div class="highlight-python"><div class="highlight">x</div>'
         "</div></div>", [WIDE, NARROW], "no copy button"),
    ],
)  # fmt: skip
def test_each_fault_is_seen(faults_of, more, widths, what):
    found = faults_of(more)
    assert {(width, what) for width in widths} <= found
    if "example.org/a.js" not in more:  # which is a fault of the console, too
        kinds = {kind for _, kind in found} - {"the page scrolls sideways"}
        assert kinds == {what}


def test_an_empty_sidebar_and_a_header_of_two_lines_are_seen(faults_of):
    page = GOOD.replace('<a href="index.html#here">a</a>', "")
    assert faults_of("", page) == {(WIDE, "the left sidebar is empty")}
    page = GOOD.replace("</header>", '<p></p><br><a class="nav-link" href="">b</a></header>')
    assert faults_of("", page) == {(WIDE, "the header has several lines")}
