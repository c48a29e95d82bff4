"""Every public name is documented: it has a page and an example, and its signature is as told."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import skl_lstmae
from skl_lstmae import modules

docscrape = pytest.importorskip(
    "numpydoc.docscrape", reason="comes with the extra `docs`, which the oldest versions do without"
)


class Docstring(docscrape.NumpyDocString):
    """A docstring of ours, which may have a section on the shapes of tensors."""

    sections = docscrape.NumpyDocString.sections | {"Shape": []}


PAGE = Path(__file__).parents[1] / "docs" / "api.rst"


def public_modules():
    """Return the package and its modules whose names have no underscore in front, at any depth."""
    found = pkgutil.walk_packages(skl_lstmae.__path__, "skl_lstmae.")
    names = [module.name for module in found if "._" not in module.name]
    return [skl_lstmae, *map(importlib.import_module, names)]


def names_for_users(module):
    """Return what a module defines, and a package imports from its own, without underscores."""
    is_package = hasattr(module, "__path__")
    names = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            parts = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
            names |= {part.id for part in parts if isinstance(part.ctx, ast.Store)}
        elif isinstance(node, ast.ImportFrom) and is_package:
            names |= {alias.asname or alias.name for alias in node.names}
    return {name for name in names if not name.startswith("_")}


MODULES = public_modules()
PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES
    for name in module.__all__
}
CALLABLE = {
    name: member
    for name, member in PUBLIC.items()
    if inspect.isclass(member) or inspect.isroutine(member)
}


def is_ours(member):
    return (getattr(member, "__module__", None) or "").startswith("skl_lstmae")


def documented_callables():
    """Return the public functions, classes and their methods that this package defines."""
    found = dict(CALLABLE)
    for name, member in CALLABLE.items():
        if inspect.isclass(member):
            found |= {
                f"{name}.{method}": getattr(member, method)
                for method in dir(member)
                if not method.startswith("_")
                and inspect.isroutine(getattr(member, method))
                and is_ours(getattr(member, method))
            }
    return found


DOCUMENTED = documented_callables()

# Methods of networks, whose tensors are described under "Shape", and a constructor of torch's.
WITHOUT_PARAMETERS = {
    name
    for name, member in DOCUMENTED.items()
    if member.__module__ == modules.__name__
    and (inspect.isfunction(member) or not is_ours(member.__init__))
}


def parameters_of(member):
    """Return the parameters of a signature, starred as numpydoc has them."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return {
        stars.get(parameter.kind, "") + name: parameter
        for name, parameter in inspect.signature(member).parameters.items()
        if name != "self"
    }


def described_parameters(member):
    """Return what a docstring tells of each parameter's type and default."""
    sections = Docstring(inspect.getdoc(member))
    return {
        name: (described.type, position)
        for described in sections["Parameters"]
        for position, name in enumerate(described.name.split(", "))
    }


def documented_default(text, position):
    """Read ``default=...`` of a type; several names have one default, or one each and "and"."""
    match = re.search(r"default=(.+)$", text)
    if match is None:
        return inspect.Parameter.empty
    defaults = match[1].split(" and ")
    return ast.literal_eval(defaults[position if len(defaults) > 1 else 0])


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_all_that_a_module_has_for_users_is_listed_in_its_all(module):
    assert {name for name in module.__all__ if not name.startswith("_")} == names_for_users(module)


def test_every_public_name_has_an_entry_in_the_api_reference():
    module = ""
    entries = set()
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.match(r"   ([\w.]+)$|\.\. py:data:: (\w+)$", line):
            entries.add(f"{module}.{match[1] or match[2]}")
    assert entries == set(PUBLIC)


@pytest.mark.parametrize("name", CALLABLE)
def test_every_public_name_has_an_example(name):
    assert ">>> " in (CALLABLE[name].__doc__ or "").partition("Examples\n    --------\n")[2]


# What scikit-learn's estimators and displays, and torch's modules, have too.
USUAL_METHODS = {
    *("fit", "fit_transform", "transform", "predict", "score", "score_samples"),
    *("decision_function", "plot", "forward", "forward_with_states"),
}
METHODS = [
    name
    for name in DOCUMENTED
    if name not in CALLABLE and name.rpartition(".")[2] not in USUAL_METHODS
]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_that_is_not_usual_has_an_example(name):
    assert Docstring(inspect.getdoc(DOCUMENTED[name]))["Examples"]


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in CALLABLE])
def test_every_public_datum_has_an_example_on_the_page(name):
    entry = PAGE.read_text(encoding="utf-8").partition(f"py:data:: {name.rpartition('.')[2]}\n")[2]
    assert ">>> " in entry.partition("\n.. ")[0]


def test_examples_on_the_page_run():
    n_failed, n_tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (n_failed, n_tried > 0) == (0, True)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_docstring_and_signature_have_the_same_parameters(name):
    described = list(described_parameters(DOCUMENTED[name]))
    actual = list(parameters_of(DOCUMENTED[name]))
    assert described == actual or (not described and name in WITHOUT_PARAMETERS)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_defaults_are_those_of_the_signature(name):
    parameters = parameters_of(DOCUMENTED[name])
    documented, actual = {}, {}
    for parameter, (text, position) in described_parameters(DOCUMENTED[name]).items():
        if text != "Ignored":
            documented[parameter] = documented_default(text, position)
            actual[parameter] = parameters[parameter].default
    assert documented == actual
