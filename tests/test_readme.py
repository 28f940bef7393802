"""The README says what the tap is."""

from __future__ import annotations

import re
from pathlib import Path

from scripts import update_readme
from tap_twilio.streams import STREAMS

README = Path(__file__).parent.parent / "README.md"
MIGRATING = README.parent / "docs" / "migrating.md"


def test_the_tables_are_the_taps_own():
    assert README.read_text() == update_readme.written(README.read_text())
    assert update_readme.CATALOGUE.read_text() == update_readme.catalogue()


def test_the_number_of_streams_is_right():
    for number in re.findall(r"(\d+) streams over|\| (\d+): \[every list\]", README.read_text()):
        assert max(number, key=len) == str(len(STREAMS))


def test_nobody_is_told_to_install_another_project():
    assert not re.search(r"pip install tap-twilio\b", README.read_text())


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", README.read_text()):
        if not target.startswith("http"):
            assert (README.parent / target).exists(), target


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
