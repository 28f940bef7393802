"""The README says what the tap is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sandbox.__main__ import _parser
from scripts import update_readme
from tap_twilio.config import settings
from tap_twilio.config.schema import SCHEMA
from tap_twilio.streams import STREAMS
from target_twilio import settings as of_the_target
from target_twilio.schema import SCHEMA as OF_THE_TARGET

README = Path(__file__).parents[2] / "README.md"
PAGES = [
    README,
    *sorted(README.parent.glob("[!R]*.md")),
    *sorted((README.parent / "docs").rglob("*.md")),
    *sorted((README.parent / "dev").rglob("README.md")),
    *sorted((README.parent / "examples").rglob("README.md")),
]
STARTED = README.parent / "docs" / "getting-started.md"
TARGET = README.parent / "docs" / "target.md"
SPEED = README.parent / "docs" / "speed.md"
MIGRATING = README.parent / "docs" / "migrating.md"


def test_the_tables_are_the_programs_own():
    pages = update_readme.pages()
    assert {path: path.read_text() for path in pages} == pages
    assert set(update_readme.ENTRIES.glob("*.md")) <= pages.keys()


def test_the_number_of_streams_is_right():
    for number in re.findall(r"(\d+) streams over|\| (\d+): \[every list\]", README.read_text()):
        assert max(number, key=len) == str(len(STREAMS))


def test_nobody_is_told_to_install_another_project():
    assert not re.search(r"pip install tap-twilio\b", README.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(README.parent)))
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", page.read_text()):
        if not target.startswith("http"):
            there = page.parent / target if target else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there.read_text()), f"{target}#{anchor}"


def anchors(text):
    """What headings of a page are called in links."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_the_readme_is_read_in_a_few_minutes():
    assert len(README.read_text().splitlines()) < 180


def test_the_readmes_figures_are_measured():
    _, _, table = README.read_text().partition("## Speed\n\n")
    rows = [
        line for line in table.partition("\n\n")[0].splitlines() if re.search(r"\d \|$|MB", line)
    ]
    figures = {
        figure
        for row in rows
        for cell in row.split("|")[2:]
        for figure in re.findall(r"[\d,]+", cell)
    }
    assert len(figures) > 5
    assert figures <= set(re.findall(r"[\d,]+", SPEED.read_text()))


def test_the_variable_that_leads_to_the_sandbox_has_its_address():
    port = _parser().get_default("port")
    assert f"export TAP_TWILIO_BASE_URL=http://127.0.0.1:{port}\n" in STARTED.read_text()
    assert f"export TARGET_TWILIO_BASE_URL=http://127.0.0.1:{port}\n" in TARGET.read_text()


EXAMPLES = {
    "x" * 32: "0" * 32,
    "y" * 32: "1" * 32,
    "its auth token": "token",
    "the key's secret": "secret",
}


def configurations(known):
    """Each block of JSON in the pages that has such settings."""
    for page in PAGES:
        for block in re.findall(r"^```json\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            text = block if block.startswith("{") else f"{{{block}}}"
            for example, real in EXAMPLES.items():
                text = text.replace(example, real)
            content = json.loads(text)
            if content.keys() <= known.keys():
                yield content


CREDENTIALS = {"account_sid": "AC" + "2" * 32, "auth_token": "token"}


def test_configurations_make_sense():
    properties = SCHEMA["properties"]
    found = list(configurations(properties))
    assert len(found) > 2
    for content in found:
        settings.parse(
            CREDENTIALS | content, properties=properties, user_agent="test", now=settings.now_utc()
        )


def test_configurations_of_the_target_make_sense():
    properties = OF_THE_TARGET["properties"]
    (content,) = configurations(properties)
    of_the_target.parse(CREDENTIALS | content, properties=properties, user_agent="test")


def test_migrating_leads_to_streams_that_there_are():
    rows = [
        line.strip("|").split("|")
        for line in MIGRATING.read_text().splitlines()
        if line.startswith("|") and not line.startswith(("| theirs", "|---"))
    ]
    named = [name for _, here, _ in rows for name in re.findall(r"`(\w+)`", here)]
    assert len(named) > len(rows) > 40
    assert set(named) <= {stream.name for stream in STREAMS}


def test_migrating_names_streams_elsewhere_than_in_its_tables():
    prose = [line for line in MIGRATING.read_text().splitlines() if not line.startswith("|")]
    prefixes = "taskrouter|studio|verify|insights|pricing|trunking|conversations"
    for name in re.findall(rf"`((?:{prefixes})_\w+)`", "\n".join(prose)):
        assert name in {stream.name for stream in STREAMS}
