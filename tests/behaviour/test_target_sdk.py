"""The SDK's standard tests of targets, and the target's settings."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from singer_sdk.sinks import RecordSink
from singer_sdk.testing import get_target_test_class
from typing_extensions import override

from harness import PATIENCE, utc_now
from harness.target import TargetRunner, number, records
from sandbox import Sandbox
from target_twilio.sink import RowSink
from target_twilio.target import TargetTwilio

SAMPLES = (
    "test_array_data",
    "TestCamelcase",
    "ForecastingTypeToCategory",
    "test_duplicate_records",
    "test_strings",
    "test_strings_in_objects",
    "test_strings_in_arrays",
    "test_optional_attributes",
    "record_missing_fields",
    "test_record_missing_key_property",
    "test_schema_updates",
    "test:SpecialChars!in?attributes",
    "test_users",
    "test_locations",
    "test_user_in_location",
)
"""Streams of the SDK's samples that have keys: each row of theirs is one that can't be sent."""


class Ignoring(RecordSink):
    """Takes the rows of streams that have no key, and does nothing with them."""

    @override
    def process_record(self, record, context):
        pass


class Tolerant(TargetTwilio):
    """The target, but for streams that it refuses: the SDK's tests have several."""

    @override
    def get_sink_class(self, stream_name):
        return RowSink if stream_name in SAMPLES else Ignoring


TWILIO = Sandbox(seed=4, now=utc_now(), volumes={"calls": 0, "messages": 9}, subaccounts=0, days=5)


@pytest.fixture(scope="module", autouse=True)
def twilio():
    with TWILIO as twilio:
        CONFIG["base_url"] = twilio.base_url
        yield twilio


CONFIG = {
    "account_sid": TWILIO.account_sid,
    "auth_token": TWILIO.auth_token,
    "streams": dict.fromkeys(SAMPLES, "messages"),
    "max_failures": 10_000,
}

TestStandard = get_target_test_class(Tolerant, config=CONFIG)


# --- Settings ------------------------------------------------------------------------------------

WRONG = {
    "no account": ({"account_sid": None}, "account_sid: it is required"),
    "no credentials": ({"auth_token": None}, "auth_token: it is required"),
    "two kinds of them": (
        {"api_key_sid": "SK" + "0" * 32, "api_key_secret": "s"},
        "auth_token: give",
    ),
    "an unknown one": ({"sned": True}, "sned: there is no such setting; did you mean 'send'?"),
    "one of other targets": ({"load_method": "upsert"}, "load_method: there is no such setting"),
    "no ledger": ({"ledger_path": None}, "ledger_path: it is required beside send"),
    "a ledger in memory": ({"ledger_path": ":memory:"}, "ledger_path: it is no plain path"),
    "a ledger by URI": ({"ledger_path": "file:x?mode=memory"}, "ledger_path: it is no plain path"),
    "a ledger of no name": ({"ledger_path": ""}, "ledger_path: it is empty"),
    "a ledger that is thrown away": ({"ledger_path": "/dev/null"}, "ledger_path: it does not last"),
    "a ledger in shared memory": ({"ledger_path": "/dev/./shm/x"}, "ledger_path: it does not"),
    "a ledger that is a folder": ({"ledger_path": "."}, "ledger_path: it is not a file"),
    "a ledger in no folder": ({"ledger_path": "nowhere/x"}, "ledger_path: its folder is not there"),
    "results in the ledger": ({"results_path": "LEDGER"}, "results_path: it is the ledger"),
    "two senders": (
        {"from": "+15550100", "messaging_service_sid": "MG" + "0" * 32},
        "from: give either from or messaging_service_sid",
    ),
    "a service that is none": (
        {"from": None, "messaging_service_sid": "MG1"},
        "messaging_service_sid: 'MG1' does not match",
    ),
    "an unknown action": ({"streams": {"a": "calls"}}, "streams.a: 'calls' is not one of"),
    "no rows at all": ({"max_rows": 0}, "max_rows: 0 is less than the minimum"),
    "a rate below none": ({"rate": -1}, "rate: -1"),
    "a list that is none": (
        {"deny_recipients": "+1555"},
        "deny_recipients: it has the wrong form",
    ),
    "nobody's number": ({"deny_recipients": ["+1555", "x"]}, "deny_recipients.1: it has no digits"),
    "half a window": (
        {"send_window": {"start": "09:00", "time_zone": "UTC"}},
        "send_window: 'end' is a required",
    ),
    "a window of no time": (
        {"send_window": {"start": "09:00", "end": "09:00", "time_zone": "UTC"}},
        "send_window.end: it is the same as start",
    ),
    "a window of another time": (
        {"send_window": {"start": "9 am", "end": "10:00", "time_zone": "UTC"}},
        "send_window.start: '9 am' is not a time of day",
    ),
    "a window with a zone": (
        {"send_window": {"start": "09:00Z", "end": "10:00", "time_zone": "UTC"}},
        "send_window.start: '09:00Z' has a zone",
    ),
    "a window of no place": (
        {"send_window": {"start": "09:00", "end": "10:00", "time_zone": "Europe/Nowhere"}},
        "send_window.time_zone: there is no zone 'Europe/Nowhere'",
    ),
    "an odd choice": ({"unsure": "maybe"}, "unsure: 'maybe' is not one of"),
    "another odd choice": ({"on_error": "go"}, "on_error: 'go' is not one of"),
    "an address that is none": ({"base_url": "x"}, "base_url: it is not an address"),
    "maps that make no sense": ({"stream_maps": {"a": {"b": 1}}}, "stream_maps"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_one_sentence(twilio, tmp_path, monkeypatch, case):
    change, sentence = WRONG[case]
    monkeypatch.chdir(tmp_path)
    target = TargetRunner(tmp_path, twilio)
    change = {
        name: str(target.ledger) if value == "LEDGER" else value for name, value in change.items()
    }
    twilio.requests.reset()

    given = {"messaging_service_sid": None} | change
    told = target(records("messages", [{"id": 1, "to": number(1), "body": "x"}]), **given)

    assert told.exit_code == 1
    (line,) = [line for line in told.log.splitlines() if line.startswith("ERROR")]
    assert sentence in line
    assert len(twilio.requests) == 0
    assert told.results == []


def test_the_target_tells_its_settings():
    done = subprocess.run(
        [sys.executable, "-m", "target_twilio", "--about", "--format=json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )

    about = json.loads(done.stdout)
    settings = about["settings"]["properties"]
    assert about["name"] == "target-twilio"
    assert {name for name, one in settings.items() if one.get("secret")} == {
        "auth_token",
        "api_key_secret",
        "client_secret",
        "allow_recipients",
        "deny_recipients",
    }
    assert all(one.get("title") and one.get("description") for one in settings.values())
    assert "load_method" not in settings
