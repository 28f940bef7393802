"""The docs site: `make docs` builds it from the pages of this folder."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx  # noqa: TC002 - Sphinx looks at the types of handlers
from sphinx.util import logging

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCE = PROJECT.get("urls", {}).get("Source")
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Files outside this folder that are pages of the site too."""

LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
LOGGER = logging.getLogger(__name__)

project = "tap-twilio"
author = PROJECT["authors"][0]["name"]
extensions = ["myst_parser"]
exclude_patterns: list[str] = []
myst_heading_anchors = 3
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}


def relinked(text: str, folder: Path, page: Path) -> str:
    """Lead links that leave this folder to their page of the site, or to the source on its host.

    Args:
        folder: What the links are relative to.
        page: The page that shows the text.
    """

    def lead(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        place = Path(os.path.normpath(folder / target))
        if not place.is_relative_to(ROOT) or not place.exists():
            LOGGER.warning("%s: there is no %s", page.relative_to(DOCS), target)
            return found[0]
        name = place.relative_to(ROOT).as_posix()
        inside = DOCS / PAGES[name] if name in PAGES else place
        if inside.is_relative_to(DOCS) and inside.is_file():
            return f"[{words}]({os.path.relpath(inside, page.parent)}{anchor})"
        kind = "blob" if place.is_file() else "tree"
        return f"[{words}]({SOURCE}/{kind}/main/{name}{anchor})" if SOURCE else words

    return LINK.sub(lead, text)


def read_page(app: Sphinx, name: str, source: list[str]) -> None:
    """Lead the links of a page."""
    page = Path(app.env.doc2path(name))
    source[0] = relinked(source[0], page.parent, page)


def read_included(_app: Sphinx, path: Path, parent: str, content: list[str]) -> None:
    """Lead the links of a file that a page includes."""
    content[0] = relinked(content[0], (DOCS / path).resolve().parent, DOCS / f"{parent}.md")


def setup(app: Sphinx) -> None:
    """Take part in the reading of pages."""
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
