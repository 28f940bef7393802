"""Meltano into CSV files: what earlier runs wrote stays, and nested values are columns."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness import STREAMS_BY_NAME, keyed
from tests.doors.pipelines.conftest import credentials
from tests.doors.pipelines.loaded import SELECTED, held
from tests.doors.pipelines.project import PACKAGE

pytestmark = [pytest.mark.door, pytest.mark.environment("meltano", PACKAGE)]


def files(project, name):
    return sorted(Path(project.environment["TARGET_CSV_OUTPUT_PATH"]).glob(f"{name}-*.csv"))


def rows(*paths):
    found = []
    for path in paths:
        with path.open(newline="") as lines:
            found += csv.DictReader(lines)
    return found


def test_each_run_has_files_of_its_own_with_nested_values_as_columns(project, sandbox):
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    twilio = sandbox(now=yesterday, days=20, volumes={"calls": 300, "messages": 300})
    environment = credentials(twilio)

    project.meltano("run", "tap-twilio--flat", "target-csv", **environment)

    for name in SELECTED:
        keys = STREAMS_BY_NAME[name].primary_keys
        (file,) = files(project, name)
        wanted = held(twilio, name)
        assert keyed(rows(file), keys).keys() == {tuple(row[key] for key in keys) for row in wanted}
    numbers = {row["sid"]: row for row in rows(*files(project, "incoming_phone_numbers"))}
    for number in held(twilio, "incoming_phone_numbers"):
        for capability, has in number["capabilities"].items():
            assert numbers[number["sid"]][f"capabilities__{capability}"] == str(has)
    # What may hold anything has no columns to become; it is JSON, not Python.
    calls = {row["sid"]: row for row in rows(*files(project, "calls"))}
    for call in held(twilio, "calls"):
        assert json.loads(calls[call["sid"]]["subresource_uris"]) == call["subresource_uris"]

    twilio.advance(timedelta(hours=12))

    project.meltano("run", "tap-twilio--flat", "target-csv", **environment)

    for name in ("calls", "messages"):
        first, second = files(project, name)
        latest = {row["sid"]: row for row in rows(first, second)}
        wanted = {row["sid"]: row for row in held(twilio, name)}
        assert latest.keys() == wanted.keys()
        assert {sid: row["status"] for sid, row in latest.items()} == {
            sid: row["status"] for sid, row in wanted.items()
        }
        assert 0 < len(rows(second)) < len(rows(first))


def test_a_new_field_at_twilio_is_a_column_or_mapped_away(project, sandbox):
    twilio = sandbox(days=20, volumes={"calls": 20})
    newest = max(held(twilio, "calls"), key=lambda row: row["start_time"] or "")
    twilio.patch(newest["sid"], mood="fine")
    for row in held(twilio, "calls"):
        twilio.patch(row["sid"], tint=None)
    number, other, *_ = [row["sid"] for row in held(twilio, "incoming_phone_numbers")]
    twilio.patch(number, capabilities={"voice": True, "teleport": False})
    twilio.patch(other, capabilities=None)
    environment = credentials(twilio)
    sids = {row["sid"] for row in held(twilio, "calls")}

    project.meltano("run", "tap-twilio--flat", "target-csv", **environment)

    # Where it is known from the first page on, a file that is left empty comes before.
    *_, file = files(project, "calls")
    found = keyed(rows(file), ["sid"])
    assert {sid for (sid,) in found} == sids
    assert {sid for (sid,), row in found.items() if row["mood"]} == {newest["sid"]}
    assert found[newest["sid"],]["mood"] == "fine"
    assert "tint" not in found[newest["sid"],]
    *_, file = files(project, "incoming_phone_numbers")
    numbers = keyed(rows(file), ["sid"])
    assert numbers[number,]["capabilities__teleport"] == "False"
    assert numbers[other,]["capabilities__teleport"] == ""
    for path in files(project, "calls"):
        path.unlink()

    maps = json.dumps({"calls": {"mood": None}})
    project.meltano(
        "run",
        "--full-refresh",
        "tap-twilio--flat",
        "target-csv",
        TAP_TWILIO__FLAT_STREAM_MAPS=maps,
        **environment,
    )

    (file,) = files(project, "calls")
    found = keyed(rows(file), ["sid"])
    assert {sid for (sid,) in found} == sids
    assert "mood" not in found[newest["sid"],]
