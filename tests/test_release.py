"""A release leads from its README, and from the package index, to files that are there."""

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def hook(monkeypatch):
    """Return the module that fills in the metadata of a build, whether or not hatchling is here."""
    interface = SimpleNamespace(MetadataHookInterface=object)
    monkeypatch.setitem(sys.modules, "hatchling.metadata.plugin.interface", interface)
    module = ModuleType("hatch_build")
    exec((ROOT / "hatch_build.py").read_text(encoding="utf-8"), module.__dict__)
    return module


def metadata_of(hook):
    builder, metadata = hook.AddressesHook(), {}
    builder.root = str(ROOT)
    builder.update(metadata)
    return metadata


def test_a_release_leads_from_the_readme_to_the_files_of_its_tag(hook, monkeypatch):
    monkeypatch.setenv("SOURCE_ADDRESS", "https://example.org/owner/name/")
    metadata = metadata_of(hook)
    links = re.findall(r"\]\(([^)\s]+)", metadata["readme"]["text"])
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    start = re.compile(r"https://example\.org/owner/name/(?:blob|raw)/v[\w.]+/([^#]+)")
    led_to = [
        match[1] for link in [*links, *metadata["urls"].values()] if (match := start.match(link))
    ]
    assert len(led_to) > 5
    assert [path for path in led_to if not (ROOT / path).exists()] == []
    assert metadata["urls"]["Source"] == "https://example.org/owner/name"


def test_without_an_address_the_readme_is_as_it_is(hook, monkeypatch):
    monkeypatch.delenv("SOURCE_ADDRESS", raising=False)
    metadata = metadata_of(hook)
    assert metadata["urls"] == {}
    assert metadata["readme"]["text"] == (ROOT / "README.md").read_text(encoding="utf-8")
