"""The examples of methods run, too.

pytest's --doctest-modules does not find those of classes that say they are of the package, as files
name them, rather than of the module that they are written in.
"""

import ast
import doctest
import inspect
import pkgutil
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

import skl_lstmae

MODULES = [
    skl_lstmae,
    *(
        import_module(found.name)
        for found in pkgutil.walk_packages(skl_lstmae.__path__, "skl_lstmae.")
    ),
]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def examples_in(module):
    """Return the docstrings with examples that are written in a module, by dotted names."""
    examples = {}

    def visit(node, name):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                docstring = ast.get_docstring(child) or ""
                if ">>> " in docstring:
                    examples[f"{name}.{child.name}"] = docstring
                visit(child, f"{name}.{child.name}")

    visit(ast.parse(Path(module.__file__).read_text(encoding="utf-8")), module.__name__)
    return examples


WRITTEN = {name: text for module in MODULES for name, text in examples_in(module).items()}
FOUND_BY_PYTEST = [
    inspect.cleandoc(found.docstring)
    for module in MODULES
    for found in doctest.DocTestFinder().find(module)
    if found.examples
]
REST = {name: text for name, text in WRITTEN.items() if text not in FOUND_BY_PYTEST}


def test_no_example_is_run_twice_nor_stands_for_another():
    for texts in FOUND_BY_PYTEST, list(WRITTEN.values()):
        assert [text for text, n in Counter(texts).items() if n > 1] == []


@pytest.mark.parametrize("name", REST)
def test_examples_of_methods_run(name):
    test = doctest.DocTestParser().get_doctest(REST[name], {}, name, name, 0)
    printed = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=printed.append)
    assert printed == []
