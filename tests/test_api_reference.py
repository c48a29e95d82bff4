"""Every public name is documented: it has a page and an example, and its signature is as told."""

import ast
import doctest
import inspect
import re
from pathlib import Path

import pytest

import skl_lstmae
import skl_lstmae.datasets
import skl_lstmae.modules
import skl_lstmae.scoring

docscrape = pytest.importorskip(
    "numpydoc.docscrape", reason="comes with the extra `docs`, which the oldest versions do without"
)

PAGE = Path(__file__).parents[1] / "docs" / "api.rst"

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (skl_lstmae, skl_lstmae.modules, skl_lstmae.scoring, skl_lstmae.datasets)
    for name in module.__all__
}
CALLABLE = {
    name: member
    for name, member in PUBLIC.items()
    if inspect.isclass(member) or inspect.isroutine(member)
}

# Their classes show how the methods are used, which are called by detectors.
IN_PARTS = ("skl_lstmae.modules.", "skl_lstmae.scoring.")

METHODS = {
    f"{name}.{method}": getattr(cls, method)
    for name, cls in CALLABLE.items()
    if inspect.isclass(cls) and not name.startswith(IN_PARTS)
    for method in dir(cls)
    if not method.startswith("_")
    and inspect.isroutine(getattr(cls, method))
    and getattr(cls, method).__module__.startswith("skl_lstmae")
}

# What scikit-learn's estimators and displays have too.
USUAL = {
    *("fit", "fit_transform", "transform", "predict", "score", "score_samples"),
    *("decision_function", "plot"),
}

# Classes that add no parameters to those of torch's.
WITH_PARAMETERS = {
    name: member
    for name, member in {**CALLABLE, **METHODS}.items()
    if not inspect.isclass(member) or "__init__" in vars(member)
}


class Docstring(docscrape.NumpyDocString):
    """A docstring of ours, which may have a section on the shapes of tensors."""

    sections = docscrape.NumpyDocString.sections | {"Shape": []}


def documented_parameters(member):
    """Return names and defaults as the docstring tells; ... stands for what it leaves open."""
    told = {}
    for entry in Docstring(inspect.getdoc(member))["Parameters"]:
        names = entry.name.split(", ")
        # Several names have one default, or one each and "and".
        match = re.search(r"default=(.+)$", entry.type)
        defaults = [] if match is None else match[1].split(" and ")
        values = [ast.literal_eval(default) for default in defaults] or [inspect.Parameter.empty]
        if entry.type == "Ignored":
            values = [...]
        told |= dict(zip(names, values if len(values) > 1 else values * len(names), strict=True))
    return told


def test_every_public_name_has_an_entry_in_the_api_reference():
    module = ""
    entries = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.match(r"   ([\w.]+)$|\.\. py:data:: (\w+)$", line):
            entries.append(f"{module}.{match[1] or match[2]}")
    assert sorted(entries) == sorted(PUBLIC)


@pytest.mark.parametrize(
    "name", [*CALLABLE, *(name for name in METHODS if name.rpartition(".")[2] not in USUAL)]
)
def test_every_public_name_and_unusual_method_has_an_example(name):
    assert ">>> " in "".join(Docstring(inspect.getdoc({**CALLABLE, **METHODS}[name]))["Examples"])


@pytest.mark.parametrize("name", sorted(PUBLIC.keys() - CALLABLE.keys()))
def test_every_public_datum_has_an_example_on_the_page(name):
    entry = PAGE.read_text(encoding="utf-8").partition(f"py:data:: {name.rpartition('.')[2]}\n")[2]
    assert ">>> " in entry.partition("\n.. ")[0]


def test_examples_on_the_page_run():
    n_failed, n_tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (n_failed, n_tried > 0) == (0, True)


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_docstring_and_signature_have_the_same_parameters_and_defaults(name):
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    told = documented_parameters(WITH_PARAMETERS[name])
    actual = {
        stars.get(parameter.kind, "") + key: ... if told.get(key) is ... else parameter.default
        for key, parameter in inspect.signature(WITH_PARAMETERS[name]).parameters.items()
        if key != "self"
    }
    assert list(told.items()) == list(actual.items())


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_parameters_are_told_in_five_lines_at_most(name):
    docstring = Docstring(inspect.getdoc(WITH_PARAMETERS[name]))
    longer = [told.name for told in docstring["Parameters"] if len(told.desc) > 5]
    assert longer == []


@pytest.mark.parametrize("name", {**CALLABLE, **METHODS})
def test_docstrings_have_no_gaps_left_to_fill(name):
    docstring = inspect.getdoc({**CALLABLE, **METHODS}[name]) or ""
    assert re.findall(r"%[sdr]\b|\{\}", docstring.partition("\nExamples\n")[0]) == []


@pytest.mark.parametrize("name", CALLABLE)
def test_summaries_have_no_footnote_which_a_table_would_show_raw(name):
    assert "]_" not in inspect.getdoc(CALLABLE[name]).partition("\n")[0]
