"""What a build says of the place where the project lives, if the variable SOURCE_ADDRESS names it.

Then the package index is given that place, and a README whose relative links lead there. The
release sets it to the address of the repository that it is made from.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE_LINK = re.compile(
    r"(?P<is_image>!?)(?P<text>\[[^\]]*\])\((?![a-z]+:|#)(?P<path>[^)\s]+)\)"
)
PAGES = {"Changelog": "CHANGELOG.md", "Documentation": "docs/index.md", "Security": "SECURITY.md"}


class AddressesHook(MetadataHookInterface):
    """Fills in `readme` and `urls`, which pyproject.toml leaves to it."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in both."""
        root = Path(self.root)
        text = (root / "README.md").read_text(encoding="utf-8")
        address = os.environ.get("SOURCE_ADDRESS", "").rstrip("/")
        metadata["urls"] = {}
        if address:
            version = re.search(
                '__version__ = "(.+)"', (root / "skl_lstmae/_version.py").read_text("utf-8")
            )[1]
            text = make_links_absolute(text, address, f"v{version}")
            metadata["urls"] = {"Source": address, "Issues": f"{address}/issues"} | {
                name: f"{address}/blob/v{version}/{path}" for name, path in PAGES.items()
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def make_links_absolute(text: str, address: str, tag: str) -> str:
    """Let the relative links of a Markdown page lead to the files of a repository at a tag."""

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link["is_image"] else "blob"
        return f"{link['is_image']}{link['text']}({address}/{kind}/{tag}/{link['path']})"

    return RELATIVE_LINK.sub(absolute, text)
