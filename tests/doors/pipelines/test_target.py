"""Meltano's loader that writes to Twilio: a dry run, unless it is told to send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.pipelines.conftest import credentials, sender
from tests.doors.pipelines.loaded import held
from tests.doors.pipelines.project import PACKAGE

pytestmark = [pytest.mark.door, pytest.mark.environment("meltano", PACKAGE)]

RUN = ("run", "--full-refresh", "tap-twilio", "target-twilio")

MAPS = {
    "outgoing_caller_ids": {
        "sid": "sid",
        "to": "phone_number",
        "body": "'Hello ' + friendly_name",
        "__else__": None,
    }
}


@pytest.fixture
def twilio(sandbox):
    return sandbox(days=5, volumes={"calls": 0, "messages": 20}, subaccounts=0)


@pytest.fixture
def environment(twilio, tmp_path):
    """Settings by which people whose numbers the account knows get a message."""
    return {
        **credentials(twilio),
        **sender(twilio),
        "TAP_TWILIO__SELECT": json.dumps(["outgoing_caller_ids.*"]),
        "TARGET_TWILIO_FROM": twilio.senders[0],
        "TARGET_TWILIO_STREAMS": json.dumps({"outgoing_caller_ids": "messages"}),
        "TARGET_TWILIO_STREAM_MAPS": json.dumps(MAPS),
        "TARGET_TWILIO_RESULTS_PATH": str(tmp_path / "results.jsonl"),
    }


def results(environment, outcome):
    """The keys of rows that had an outcome."""
    lines = Path(environment["TARGET_TWILIO_RESULTS_PATH"]).read_text().splitlines()
    told = map(json.loads, lines)
    return sorted(line["key"]["sid"] for line in told if line["outcome"] == outcome)


def writes(twilio):
    return [one.method for one in twilio.requests if one.method != "GET"]


def test_rows_are_sent_once_and_only_when_it_is_said(project, twilio, environment, tmp_path):
    people = held(twilio, "outgoing_caller_ids")
    sids = sorted(row["sid"] for row in people)
    assert sids

    project.meltano(*RUN, **environment)

    assert results(environment, "would_send") == sids
    assert writes(twilio) == []

    sending = {"TARGET_TWILIO_SEND": "true", "TARGET_TWILIO_LEDGER_PATH": str(tmp_path / "ledger")}
    for _ in range(2):
        project.meltano(*RUN, **environment, **sending)

    assert results(environment, "sent") == results(environment, "duplicate") == sids
    assert sorted((one["parameters"]["To"], one["parameters"]["Body"]) for one in twilio.held) == (
        sorted((row["phone_number"], f"Hello {row['friendly_name']}") for row in people)
    )


def test_nothing_is_sent_without_a_ledger(project, twilio, environment):
    process = project.start(*RUN, **environment, TARGET_TWILIO_SEND="true")
    said, _ = process.communicate(timeout=300)

    assert process.returncode == 1
    assert "ledger_path: it is required beside send" in said
    assert writes(twilio) == []
