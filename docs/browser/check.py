"""Look at every page of the built documentation: `python docs/browser/check.py build/docs`.

Playwright drives a headless Chromium: the one that the variable CHROMIUM names, else the system's,
else the one that `playwright install chromium` brought. Pages are served from this machine; a
request to any other is refused and reported.
"""

import argparse
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urlsplit

from playwright.sync_api import sync_playwright

WIDE, NARROW = 1400, 390
LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")


class Fault(NamedTuple):
    """What is wrong with a page, and at which width of the window."""

    page: str
    width: int
    what: str


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *args: Any) -> None:
        """Do nothing."""


class QuietServer(ThreadingHTTPServer):
    """Does not mind a browser that leaves before it has all of a file."""

    def handle_error(self, *args: Any) -> None:
        """Do nothing."""


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a folder on this machine, and give its address."""
    with QuietServer(("127.0.0.1", 0), partial(QuietHandler, directory=root)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if is_root else []
        )
        yield browser
        browser.close()


class Visit:
    """A window of one width, which goes from page to page and notes what is wrong."""

    def __init__(self, browser: Any, address: str, width: int) -> None:
        self.address, self.width = address, width
        self.faults: list[Fault] = []
        self.page = "?"
        self.window = browser.new_page(viewport={"width": width, "height": 900})
        self.window.route(lambda url: not url.startswith(address), self._refuse)
        self.window.on("console", lambda said: said.type == "error" and self._note(said.text))
        self.window.on("pageerror", lambda error: self._note(f"a script failed: {error}"))

    def _note(self, what: str) -> None:
        self.faults.append(Fault(self.page, self.width, what))

    def _refuse(self, route: Any) -> None:
        self._note(f"fetches {route.request.url}")
        route.abort()

    def look(self, page: str, picture: Path | None) -> dict[str, Any]:
        """Go to a page, note what is wrong, and return its links and anchors."""
        self.page = page
        self.window.goto(self.address + page)
        seen = self.window.evaluate(LOOK, self.width >= 1000)
        for what in seen["faults"]:
            self._note(what)
        if picture:
            self.window.screenshot(path=picture, full_page=True)
        return seen

    def search(self, words: str) -> None:
        """Note if a search finds nothing."""
        self.page = f"search.html?q={words}"
        self.window.goto(self.address + self.page)
        try:
            self.window.wait_for_selector("#search-results li a", timeout=20_000)
        except Exception:
            self._note("finds nothing")


def broken_links(root: Path, address: str, seen: dict[str, dict[str, Any]]) -> list[Fault]:
    """Return the links to files or anchors of this site that are not there."""
    faults = []
    for page, content in seen.items():
        for link in content["links"]:
            url, anchor = urldefrag(link)
            if not url.startswith(address):
                if urlsplit(url).scheme not in ("https", "mailto"):
                    faults.append(Fault(page, WIDE, f"links to {link}"))
                continue
            target = unquote(urlsplit(url).path).lstrip("/") or "index.html"
            is_there = (root / target).is_file()
            if not is_there or (anchor and unquote(anchor) not in seen[target]["anchors"]):
                faults.append(Fault(page, WIDE, f"links to {link.removeprefix(address)}"))
    return faults


def check(root: Path, pictures: Path | None = None) -> tuple[list[Fault], int]:
    """Look at all pages in both widths; return what is wrong, and how many there are."""
    pages = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*.html")
        if "_static" not in path.parts
    )
    faults: list[Fault] = []
    with served(root) as address, chromium() as browser:
        for width in (WIDE, NARROW):
            visit = Visit(browser, address, width)
            seen = {}
            for page in pages:
                name = f"{page.replace('/', '_')}_{width}.png"
                seen[page] = visit.look(page, pictures / name if pictures else None)
            if (root / "searchindex.js").exists():
                visit.search("threshold")
            faults += visit.faults
        faults += broken_links(root, address, seen)
    return faults, len(pages)


def main() -> int:
    """Check the folder of the command line, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="the folder of the pages")
    parser.add_argument("--pictures", type=Path, help="a folder to keep a picture of each page in")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    faults, n_pages = check(options.root.resolve(), options.pictures)
    for fault in faults:
        print(f"{fault.page} at {fault.width} px: {fault.what}")
    print(f"{n_pages} pages at {WIDE} and {NARROW} px: {len(faults) or 'no'} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
