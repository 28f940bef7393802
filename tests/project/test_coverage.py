"""What Twilio documents is read, or left out for a reason that is written down."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from harness import SCHEMAS
from tap_twilio.streams import STREAMS

SCRIPTS = Path(__file__).parents[2] / "dev" / "scripts"
DATE_FILTER = re.compile(
    r"\w*(Date|Time)[<>]?|Start|End|Minutes|(Date)?(Created|Updated)(After|Before|From|To)"
    r"|(After|Before)\w*(Date|Time)\w*"
)


def facts(stream):
    schema = json.loads((SCHEMAS / stream.product / f"{stream.name}.json").read_text())
    return schema["x-twilio"]


def place(stream):
    return f"{facts(stream)['host']} {stream.address()[1]}"


def table(name):
    return yaml.safe_load((SCRIPTS / f"{name}.yaml").read_text(encoding="utf-8"))


def is_date_filter(name, parameter):
    return parameter.get("format") in {"date", "date-time"} or bool(DATE_FILTER.fullmatch(name))


def test_each_list_that_twilio_documents_is_a_stream_or_left_out_for_a_reason():
    lists = (SCRIPTS / "endpoints.txt").read_text(encoding="utf-8").splitlines()
    reasons = table("omissions")
    read = {place(stream) for stream in STREAMS}
    assert len(lists) > 300
    for one in lists:
        left_out = any(fnmatchcase(one, pattern) for pattern in reasons)
        assert left_out != (one in read), f"{one}: {'both' if left_out else 'neither'}"
    assert all(reasons.values())


def test_each_omission_leaves_something_out():
    lists = (SCRIPTS / "endpoints.txt").read_text(encoding="utf-8").splitlines()
    stale = [
        pattern
        for pattern in table("omissions")
        if not any(fnmatchcase(one, pattern) for one in lists)
    ]
    assert stale == []


def test_each_stream_that_can_be_filtered_by_date_is_or_says_why_not():
    reasons = table("date_filters")
    used = set()
    for stream in STREAMS:
        filters = [
            name
            for name, parameter in facts(stream)["parameters"].items()
            if is_date_filter(name, parameter)
        ]
        named = [pattern for pattern in reasons if fnmatchcase(stream.name, pattern)]
        used.update(named if filters else ())
        reads_by_date = stream.window is not None or stream.span is not None
        assert not (reads_by_date and named), f"{stream.name} is read by date after all"
        assert bool(filters) == (reads_by_date or bool(named)), f"{stream.name}: {filters}"
    assert used == set(reasons)
    assert all(reasons.values())


def test_windows_are_the_endpoints_own():
    for stream in STREAMS:
        for dates in (stream.window, stream.span):
            if dates is not None:
                assert set(dates.names) <= facts(stream)["parameters"].keys(), stream.name


def test_no_window_lies_below_another():
    # The outer one would give it some of its parents only, and its bookmark would lie.
    for stream in STREAMS:
        parent = stream.parent_stream_type
        while stream.window is not None and parent is not None:
            assert parent.window is None, f"{stream.name} below {parent.name}"
            parent = parent.parent_stream_type


def test_placeholders_are_given_by_parents_or_declared():
    for stream in STREAMS:
        assert set(stream.path_values) <= set(re.findall(r"\{(\w+)\}", stream.path))
        assert not (stream.path_values and stream.window), stream.name
