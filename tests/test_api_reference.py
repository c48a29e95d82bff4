"""Every public name is documented: it has a page and an example, and its signature is as told."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import skl_lstmae
from skl_lstmae import datasets, modules
from skl_lstmae._stream import Stream

docscrape = pytest.importorskip(
    "numpydoc.docscrape", reason="comes with the extra `docs`, which the oldest versions do without"
)


class Docstring(docscrape.NumpyDocString):
    """A docstring of ours, which may have a section on the shapes of tensors."""

    sections = docscrape.NumpyDocString.sections | {"Shape": []}


PAGE = Path(__file__).parents[1] / "docs" / "api.rst"


def public_names():
    """Return all that users may import, and what public methods return, by its full name."""
    names = {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in (skl_lstmae, datasets)
        for name in module.__all__
    }
    classes = {
        f"{modules.__name__}.{name}": member
        for name, member in inspect.getmembers(modules, inspect.isclass)
        if member.__module__ == modules.__name__ and not name.startswith("_")
    }
    return names | classes | {"skl_lstmae._stream.Stream": Stream}


PUBLIC = public_names()
CALLABLE = {name: member for name, member in PUBLIC.items() if callable(member)}


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


def test_every_public_name_has_an_entry_in_the_api_reference():
    module = ""
    entries = set()
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.match(r"   ([\w.]+)$|\.\. py:data:: (\w+)$", line):
            entries.add(f"{module}.{match[1] or match[2]}")
    state_and_past = {"skl_lstmae.modules.State", "skl_lstmae.modules.Past"}
    assert entries - state_and_past == set(PUBLIC)


@pytest.mark.parametrize("name", CALLABLE)
def test_every_public_name_has_an_example(name):
    assert ">>> " in (CALLABLE[name].__doc__ or "").partition("Examples\n    --------\n")[2]


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
