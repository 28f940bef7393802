"""The docs site: built strictly, complete, and without a word from elsewhere."""

from __future__ import annotations

import re
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from packaging.requirements import Requirement

import environments
from tap_twilio.streams import STREAMS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def requirements():
    """The group `docs`, in the versions that everything is tested with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {Requirement(entry).name for entry in project["dependency-groups"]["docs"]}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if Requirement(line).name in names]


WIDTH = "document.documentElement.scrollWidth"

FOUND = """
new Promise(done => {
    const look = () => {
        const links = [...document.querySelectorAll("#search-results li a")];
        links.length ? done(links.map(link => link.textContent)) : setTimeout(look, 50);
    };
    look();
    setTimeout(() => done([]), 20000);
})
"""

SPHINX = ("docs", *requirements())

door = [pytest.mark.door, pytest.mark.environment(*SPHINX)]


def entries(page):
    """The pages that a page's navigation names."""
    for block in re.findall(
        r"^```\{toctree\}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE
    ):
        for line in block.splitlines():
            if line and not line.startswith(":"):
                yield from page.parent.glob(f"{line}.md")


def test_every_page_is_in_the_navigation_once():
    pages = set(DOCS.rglob("*.md"))

    named = [entry for page in pages for entry in entries(page)]

    assert len(named) == len(set(named))
    assert {*named, DOCS / "index.md"} == pages


def build(folder, docs=DOCS):
    """Build the site as `make docs` does."""
    command = [
        line for line in (ROOT / "Makefile").read_text().splitlines() if "sphinx-build" in line
    ]
    (options,) = re.findall(r"sphinx-build (.*) -d ", command[0])
    sphinx = environments.install(*SPHINX) / "sphinx-build"
    return subprocess.run(
        [sphinx, *options.split(), "-d", folder / "doctrees", docs, folder / "site"],
        capture_output=True,
        text=True,
        check=False,
    )


class Reader(HTMLParser):
    """Notes where a page leads, what can be led to in it, and what a browser loads for it."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.loaded = set(), set(), set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        if tag == "a":
            self.links.add(given.get("href"))
        elif tag == "link" and given.get("rel") in {"stylesheet", "icon", "preload", "preconnect"}:
            self.loaded.add(given["href"])
        elif "src" in given:
            self.loaded.add(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of the site."""
    folder = tmp_path_factory.mktemp("docs")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    pages = {}
    for path in (folder / "site").rglob("*.html"):
        pages[path] = Reader()
        pages[path].feed(path.read_text(encoding="utf-8"))
    return folder / "site", pages


@pytest.fixture
def empty(tmp_path):
    """A folder with a site of no pages yet."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (docs / "conf.py").write_text((DOCS / "conf.py").read_text())
    return tmp_path, docs


class TestSite:
    pytestmark = door

    def test_each_link_within_it_leads_somewhere(self, site):
        _, pages = site
        broken = []
        for page, content in pages.items():
            for link in filter(None, content.links):
                target = urlsplit(link)
                if not target.scheme:
                    there = (page.parent / unquote(target.path)).resolve() if target.path else page
                    anchors = pages[there].ids if there in pages else ()
                    if not there.exists() or (target.fragment and target.fragment not in anchors):
                        broken.append(f"{page.name}: {link}")
        assert len(pages) > 50
        assert broken == []

    def test_it_loads_nothing_from_elsewhere(self, site):
        folder, pages = site
        loaded = {one for content in pages.values() for one in content.loaded}
        assert loaded
        assert not [one for one in loaded if urlsplit(one).netloc]
        styles = "".join(path.read_text() for path in folder.rglob("*.css"))
        assert not re.findall(r"(?:@import|url\()[^;)]*//[^;)]*", styles)

    def test_each_stream_can_be_found(self, site):
        folder, pages = site
        for stream in STREAMS:
            page = folder / "streams" / f"{stream.product}.html"
            assert {stream.name, stream.name.replace("_", "-")} & pages[page].ids, stream.name
        index = (folder / "searchindex.js").read_text()
        assert not [stream.name for stream in STREAMS if f'"{stream.name}"' not in index]

    @pytest.mark.parametrize("width", [390, 1280])
    def test_no_page_is_wider_than_its_window(self, site, browser, width):
        _, pages = site
        looks = {page.name: browser.look(page, WIDTH, width=width) for page in pages}

        assert {name: look.value for name, look in looks.items() if look.value > width} == {}
        assert [look.complaints for look in looks.values() if look.complaints] == []

    @pytest.mark.parametrize("word", ["usage_records_daily", "lookback"])
    def test_the_search_finds_what_there_is(self, site, browser, word):
        folder, _ = site
        address = f"{(folder / 'search.html').as_uri()}?q={word}"

        found = browser.look(address, FOUND, width=390).value

        assert found
        assert all(title for title in found)

    def test_it_is_built_strictly(self, empty):
        folder, docs = empty
        (docs / "index.md").write_text(
            "# Index\n\n[a](nowhere.md) [b](page.md#no-heading) [c](../no_code.py)\n"
        )
        (docs / "page.md").write_text("# Page\n")

        done = build(folder, docs)

        assert done.returncode != 0
        for complaint in ("nowhere.md", "no-heading", "no_code.py", "included in any toctree"):
            assert complaint in done.stderr

    def test_code_is_where_the_project_says(self, empty):
        folder, docs = empty
        (docs / "index.md").write_text(
            "# Index\n\n[code](../tap/code.py) [tap](../tap) [why](../SECURITY.md#what-follows)\n"
            "\n```{toctree}\nsecurity\n```\n"
        )
        (docs / "security.md").write_text((DOCS / "security.md").read_text())
        (folder / "tap").mkdir()
        (folder / "tap" / "code.py").touch()
        (folder / "pyproject.toml").write_text(
            '[project]\nauthors = [{ name = "A" }]\n\n'
            '[project.urls]\nSource = "https://code.example/tap"\n'
        )

        done = build(folder, docs)

        assert done.returncode == 0, done.stderr
        page = Reader()
        page.feed((folder / "site" / "index.html").read_text())
        assert {
            "https://code.example/tap/blob/main/tap/code.py",
            "https://code.example/tap/tree/main/tap",
            "security.html#what-follows",
        } <= page.links
