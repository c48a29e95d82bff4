"""How Sphinx builds the documentation: `make docs`, and `make gallery` to run the examples too."""

import importlib.metadata
import inspect
import os
import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from numpydoc.docscrape import NumpyDocString
from sphinx.util import logging
from sphinx_gallery.sorting import ExplicitOrder

import skl_lstmae
import skl_lstmae.datasets
import skl_lstmae.modules

DOCS = Path(__file__).parent
ROOT = DOCS.parent

BLOCK_HEADING_OR_NAME = re.compile(
    r"^```.*?^```$|^#[^\n]*$|(?<!\[)`(?P<name>\w+)`", re.MULTILINE | re.DOTALL
)
API_ENTRIES = {
    name: f"{{py:{'class' if inspect.isclass(getattr(module, name)) else 'func'}}}"
    f"`~{module.__name__}.{name}`"
    for module in (skl_lstmae, skl_lstmae.datasets, skl_lstmae.modules)
    for name in module.__all__
    if callable(getattr(module, name)) and not name.startswith("_")
}

# "Source, https://…", as pyproject.toml or the build of a release has it.
ADDRESSES = dict(
    line.split(", ", 1)
    for line in importlib.metadata.metadata("skl_lstmae").get_all("Project-URL", [])
)
EXAMPLES_IN_ORDER = [
    DOCS / path
    for path in re.findall(r"^   (\S+\.py)$", (DOCS / "examples.rst").read_text("utf-8"), re.M)
]
FOR_DOCUTILS = [
    # It would put the index of an accented letter under it, rather than beside it,
    (re.compile(r"(\\(?:bar|hat|tilde|vec)\s*(?:\w|\{\w\}))_"), r"\1{}_"),
    # draw one of two bars higher than the other,
    (re.compile(r"\\l([vV])ert\b"), r"\\left\\l\1ert"),
    (re.compile(r"\\r([vV])ert\b"), r"\\right\\r\1ert"),
    # and leave no space around the name of a function.
    (re.compile(r"(?<=[\w)}])\s*\\(exp|log)\b"), r"\\,\\\1"),
    (re.compile(r"\\(exp|log)\s+(?=[\\\w])"), r"\\\1\\,"),
]

# Where the list of all versions of these pages will lie, for readers to choose from.
VERSIONS = os.environ.get("DOCS_VERSIONS")

project = "skl_lstmae"
author = "The skl_lstmae developers"
copyright = author
version = release = skl_lstmae.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["auto_examples/index.rst"]  # docs/examples.rst shows them in sections
default_role = "code"

html_theme = "pydata_sphinx_theme"
html_title = "skl_lstmae"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/logo.svg"
html_sidebars = {"**": ["sidebar-site"]}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "skl_lstmae",
    },
    "navbar_start": ["navbar-logo", "version-switcher" if VERSIONS else "version-label"],
    **({"switcher": {"json_url": VERSIONS, "version_match": release}} if VERSIONS else {}),
    "check_switcher": False,  # the network is not asked
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "icon_links": [
        {"name": name, "url": url, "icon": "fa-solid fa-code-branch"}
        for name, url in ADDRESSES.items()
        if name == "Source"
    ],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}

copybutton_selector = "div:not(.highlight-text):not(.sphx-glr-script-out) > div.highlight > pre"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3

autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc shows the types of the docstrings
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the template of classes shows the methods whole
NumpyDocString.sections["Shape"] = []  # which the networks have; shown by what stands below
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}

plot_formats = [("png", 120)]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = False

# The network is not asked for the inventories of other projects.
nitpick_ignore_regex = [
    ("py:.*", r"(matplotlib|numpy|pandas|scipy|sklearn|torch)\..*"),
]

sphinx_gallery_conf = {
    "examples_dirs": [str(ROOT / "examples")],
    "gallery_dirs": ["auto_examples"],
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skl_lstmae",),
    "filename_pattern": "",
    "ignore_pattern": "demo_",  # a command line program, which `make demo` runs
    # Running the examples takes minutes.
    "plot_gallery": os.environ.get("SPHINX_GALLERY") == "1",
    "minigallery_sort_order": ExplicitOrder(EXAMPLES_IN_ORDER),
    "default_thumb_file": str(DOCS / "_static" / "logo.svg"),  # of what draws nothing
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # that page loads scripts from the network
}


def setup(app):
    """Connect what follows to Sphinx."""
    app.add_html_math_renderer("mathml", (write_mathml, None), (write_mathml, None))
    app.connect("builder-inited", show_kept_thumbnails, priority=100)  # before the gallery
    app.connect("autodoc-skip-member", leave_out_what_others_document)
    app.connect("autodoc-process-docstring", show_shapes_as_notes, priority=400)  # before numpydoc
    app.connect("include-read", lead_links_from_docs)
    app.connect("source-read", lead_links_to_built_pages)


def show_kept_thumbnails(app):
    """Let the gallery show pictures of examples that are not run."""
    folder = DOCS / "auto_examples" / "images" / "thumb"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (DOCS / "thumbnails").glob("*.png"):
        shutil.copy(path, folder / f"sphx_glr_{path.stem}_thumb.png")


def write_mathml(translator, node):
    """Write a formula in the browser's own language, with no script from the network."""
    is_block = isinstance(node, nodes.math_block)
    latex = node.astext()
    for pattern, replacement in FOR_DOCUTILS:
        latex = pattern.sub(replacement, latex)
    try:
        formula = tex2mathml(latex, as_block=is_block)
    except MathError as error:
        logging.getLogger(__name__).warning("%s: %s", error, latex, location=node)
    else:
        translator.body.append(f'<div class="formula">{formula}</div>' if is_block else formula)
    raise nodes.SkipNode


def leave_out_what_others_document(app, what, name, member, skip, options):
    """Leave out the methods of scikit-learn and torch; None means that Sphinx decides."""
    module = getattr(member, "__module__", None) or ""
    return True if module.startswith(("sklearn.", "torch.")) else None


def show_shapes_as_notes(app, what, name, member, options, lines):
    """Make a note of the section on shapes, for which numpydoc has no place."""
    if "Shape" in lines:
        i = lines.index("Shape")
        lines[i : i + 2] = ["Notes", "-----", "**Shape**", ""]


def lead_links_from_docs(app, path, page, contents):
    """Make the relative links of an included Markdown page lead to the same files from here."""

    def from_docs(link):
        target = (DOCS / path).parent / link[1]
        page = DOCS / target.name.lower()  # CHANGELOG.md is included by changelog.md
        return f"]({os.path.relpath(page if page.exists() else target, DOCS)})"

    contents[0] = re.sub(r"\]\(([^)#:]+)\)", from_docs, contents[0])


def lead_links_to_built_pages(app, docname, source):
    """Make links to examples lead to the gallery, and first mentions of public names to the API.

    On the pages themselves both are such as a reader of the files can follow.
    """
    if Path(app.env.doc2path(docname)).suffix != ".md":
        return
    unlinked = dict(API_ENTRIES)

    def link(match):
        role = unlinked.pop(match["name"], None)
        return match[0] if role is None else role

    text = re.sub(r"\]\(\.\./examples/(\w+)\.py\)", r"](auto_examples/\1.rst)", source[0])
    source[0] = BLOCK_HEADING_OR_NAME.sub(link, text)
