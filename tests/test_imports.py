"""Imports run one way: each room imports only what its row of the table allows."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skl_lstmae"

ESTIMATOR_ROOMS = {
    "_version",
    "_sequences",
    "_scaling",
    "_windows",
    "_batches",
    "_padding",
    "modules",
    "_losses",
    "_training",
    "_scoring",
    "_inference",
    "_thresholds",
    "_threads",
    "_callbacks",
    "_persistence",
    "_devices",
    "_labels",
    "_parts",
}

# room -> what it may import: rooms of the package, and packages from outside.
ALLOWED = {
    "_version": set(),
    "_sequences": {"numpy", "sklearn"},
    "_scaling": {"numpy", "sklearn", "_sequences"},
    "_windows": {"numpy", "_sequences"},
    "_batches": {"numpy", "torch", "_sequences", "_scaling", "_windows"},
    "_padding": {"torch"},
    "modules": {"torch", "_padding"},
    "_losses": {"torch"},
    "_training": {"sklearn", "torch", "_batches", "_losses"},
    "_scoring": {"numpy", "scipy", "sklearn"},
    "_thresholds": {"numpy", "scipy", "sklearn"},
    "_inference": {
        "numpy",
        "torch",
        "_sequences",
        "_batches",
        "_losses",
        "_padding",
        "_scoring",
        "_threads",
    },
    "_threads": {"joblib", "threadpoolctl", "torch"},
    "_callbacks": {"sklearn", "_training"},
    "_persistence": {"numpy", "torch", "_version"},
    "_devices": {"torch"},
    "_labels": {"numpy"},
    "_parts": {"numpy", "_scoring", "_sequences"},
    "_base": {"numpy", "sklearn", "torch"} | ESTIMATOR_ROOMS,
    "_detector": {"numpy", "sklearn", "torch", "_base", "_sequences", "modules"},
    "_forecast": {
        "numpy",
        "sklearn",
        "torch",
        "_base",
        "_parts",
        "_sequences",
        "_windows",
        "modules",
    },
    "_period": {"numpy", "scipy", "_sequences"},
    "_tables": {"numpy", "_parts", "_sequences", "_windows"},
    "_events": {"numpy", "pandas", "_sequences", "_windows"},
    "_stream": {"numpy", "_sequences", "_windows"},
    "_sliding": {
        "numpy",
        "sklearn",
        "_base",
        "_callbacks",
        "_detector",
        "_events",
        "_labels",
        "_parts",
        "_period",
        "_sequences",
        "_stream",
        "_tables",
        "_thresholds",
        "_windows",
    },
    "_displays": {"numpy", "sklearn", "matplotlib", "_events", "_sequences", "_sliding"},
    "datasets": {"numpy", "pandas", "sklearn"},
    "__init__": {
        "_detector",
        "_displays",
        "_forecast",
        "_sliding",
        "_stream",
        "_version",
        "datasets",
    },
}

# Optional dependencies: imported inside functions, when they are needed.
LAZY = {"matplotlib", "pandas"}

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def package_of(file: Path) -> list[str]:
    """Return the package that a relative import in `file` starts from, without `skl_lstmae`."""
    return list(file.relative_to(PACKAGE).parent.parts)


def imported_modules(node: ast.AST, package: list[str]) -> Iterator[list[str]]:
    """Yield the dotted names that one import statement reads, as lists of their parts."""
    if isinstance(node, ast.Import):
        yield from (alias.name.split(".") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module.split(".") if node.module else []
        if node.level:
            module = ["skl_lstmae", *package[: len(package) - node.level + 1], *module]
        if module == ["skl_lstmae"]:
            yield from ([*module, alias.name] for alias in node.names)
        else:
            yield module


def imports(nodes: Iterator[ast.AST], file: Path) -> set[str]:
    """Return the rooms and outside packages that `nodes` import, but for the standard library."""
    found = set()
    for node in nodes:
        for top, *rest in imported_modules(node, package_of(file)):
            if top == "skl_lstmae":
                found.add(rest[0] if rest else "__init__")
            elif top not in sys.stdlib_module_names:
                found.add(top)
    return found - {room_of(file)}


def eager_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs at import: not the bodies of functions, nor blocks for the type checker."""
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        is_typing = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        if not is_function and not is_typing:
            yield child
            yield from eager_nodes(child)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_module_imports_only_what_its_row_allows(file):
    assert room_of(file) in ALLOWED, f"{file.name} has no row in the table of allowed imports"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert imports(ast.walk(tree), file) - ALLOWED[room_of(file)] == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_optional_packages_are_imported_only_inside_functions(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert imports(eager_nodes(tree), file) & LAZY == set()


def test_table_of_allowed_imports_has_no_cycle():
    reached: dict[str, set[str]] = {}

    def below(room: str) -> set[str]:
        if room not in reached:
            reached[room] = set()
            rooms = ALLOWED[room] & ALLOWED.keys()
            reached[room] = rooms.union(*(below(other) for other in rooms))
        return reached[room]

    assert [room for room in ALLOWED if room in below(room)] == []


def test_forbidden_imports_are_seen():
    source = """
import skl_lstmae._detector
from . import _training
from skl_lstmae import _losses
from .._windows import split
from ._japanese_vowels import load
def draw():
    import matplotlib.pyplot
"""
    file = PACKAGE / "datasets" / "_example.py"
    tree = ast.parse(source)
    assert imports(ast.walk(tree), file) == {"_detector", "_losses", "_windows", "matplotlib"}
    assert "matplotlib" not in imports(eager_nodes(tree), file)
