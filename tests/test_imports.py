"""Imports run one way: a file imports from floors below its own, and from its own folder."""

import ast
import inspect
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import skl_lstmae.modules
import skl_lstmae.scoring
from skl_lstmae.scoring.scorers import SCORERS

PACKAGE = Path(__file__).parents[1] / "skl_lstmae"
FILES = sorted(PACKAGE.rglob("*.py"))

# Bottom to top. Nothing stands on the data sets.
FLOORS = [
    {"_files", "_freed_memory", "_sklearn", "_version", "_warn"},
    {"data", "datasets", "modules", "scoring"},
    {"training"},
    {"export"},
    {"detectors"},
    {"displays"},
    {"__init__"},
]

# room -> the packages from outside that it may import.
OUTSIDE = {
    "_sklearn": {"sklearn"},
    "data": {"numpy", "pandas", "pyarrow", "scipy", "sklearn"},
    "datasets": {"numpy", "pandas", "sklearn"},
    "modules": {"torch"},
    "scoring": {"numpy", "scipy", "sklearn"},
    "training": {"joblib", "numpy", "sklearn", "threadpoolctl", "torch"},
    "export": {"numpy", "onnx", "sklearn", "spox", "torch"},
    "detectors": {"numpy", "pandas", "scipy", "sklearn", "torch"},
    "displays": {"matplotlib", "numpy", "sklearn"},
}

# file -> what it may import beside that.
OUTSIDE_OF_FILE = {"scoring/nearest.py": {"torch"}}

# Optional dependencies: imported inside functions, when they are needed.
LAZY = {"matplotlib", "onnx", "pandas", "pyarrow", "spox"}


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def names_read(nodes: Iterator[ast.AST], file: Path) -> set[str]:
    """Return the dotted names that `nodes` import, but for the standard library."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(["skl_lstmae", *file.relative_to(PACKAGE).parent.parts])
            module = resolve_name("." * node.level + (node.module or ""), package)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}


def imports(nodes: Iterator[ast.AST], file: Path) -> set[str]:
    """Return the other rooms, and the outside packages, that `nodes` import."""
    found = set()
    for name in names_read(nodes, file):
        top, *rest = name.split(".")
        found.add(top if top != "skl_lstmae" else rest[0] if rest else "__init__")
    return found - {room_of(file)}


def eager_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs at import: not the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from eager_nodes(child)


def allowed(room: str) -> set[str]:
    (floor,) = (i for i, rooms in enumerate(FLOORS) if room in rooms)
    return set().union(*FLOORS[:floor], OUTSIDE.get(room, ())) - {"datasets"}


def private_names_of_sklearn(nodes: Iterator[ast.AST], file: Path) -> set[str]:
    """Return the names of scikit-learn with a leading underscore that are imported or reached."""
    nodes = list(nodes)
    reached = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    found = names_read(nodes, file) | reached
    return {name for name in found if name.startswith("sklearn.") and "._" in name}


def foreign_private_calls(tree: ast.Module) -> set[str]:
    """Return calls of methods that are neither one's own nor defined in the same module."""
    nodes = list(ast.walk(tree))
    at_home = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    methods = [
        node.func
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return {
        ast.unparse(method)
        for method in methods
        if method.attr.startswith("_")
        and not method.attr.startswith("__")
        and method.attr not in at_home
        and ast.unparse(method.value) not in ("self", "cls", "super()")
    }


each_file = pytest.mark.parametrize(
    "file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES]
)


@each_file
def test_file_imports_only_from_below_and_from_its_folder(file):
    may = allowed(room_of(file)) | OUTSIDE_OF_FILE.get(file.relative_to(PACKAGE).as_posix(), set())
    assert imports(ast.walk(tree_of(file)), file) - may == set()


@each_file
def test_optional_packages_are_imported_only_inside_functions(file):
    assert imports(eager_nodes(tree_of(file)), file) & LAZY == set()


def test_private_names_of_scikit_learn_are_in_one_file():
    users = [file for file in FILES if private_names_of_sklearn(ast.walk(tree_of(file)), file)]
    assert users == [PACKAGE / "_sklearn.py"]


def test_no_import_comes_back_to_where_it_began():
    def dotted(file):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    modules = {dotted(file): file for file in FILES}
    graph = {}
    for module, file in modules.items():
        read = {name for name in names_read(ast.walk(tree_of(file)), file) if "skl_lstmae" in name}
        # A name is a module's, or stands in the module before the last dot.
        graph[module] = {name if name in modules else name.rpartition(".")[0] for name in read}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("file", sorted((PACKAGE / "detectors").glob("*.py")), ids=lambda f: f.name)
def test_detectors_call_private_methods_only_where_they_are_defined(file):
    assert foreign_private_calls(tree_of(file)) == set()


def test_what_is_forbidden_is_seen():
    tree = ast.parse("""
import skl_lstmae.detectors.autoencoder
from . import _training
from ..data.windows import split
from skl_lstmae import Stream
from sklearn.base import _fit_context
def draw(judge):
    import matplotlib.pyplot
    judge._slide()
    return sklearn.utils._testing.ignore
""")
    file = PACKAGE / "datasets" / "_example.py"
    found = imports(ast.walk(tree), file)
    assert found == {"detectors", "data", "Stream", "sklearn", "matplotlib"}
    assert found - allowed("datasets") == {"detectors", "data", "Stream", "matplotlib"}
    assert "matplotlib" not in imports(eager_nodes(tree), file)
    assert private_names_of_sklearn(ast.walk(tree), file) == {
        "sklearn.base._fit_context",
        "sklearn.utils._testing",
        "sklearn.utils._testing.ignore",
    }
    assert foreign_private_calls(tree) == {"judge._slide"}


@pytest.mark.parametrize("package", [skl_lstmae, skl_lstmae.modules, skl_lstmae.scoring])
def test_files_name_public_classes_by_their_package(package):
    members = [getattr(package, name) for name in package.__all__]
    if package is skl_lstmae.scoring:
        members += SCORERS.values()
    classes = [member for member in members if inspect.isclass(member)]
    assert {cls.__name__: cls.__module__ for cls in classes} == {
        cls.__name__: package.__name__ for cls in classes
    }
