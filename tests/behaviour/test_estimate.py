"""What is told before a run comes true, within a factor of two, and costs few requests."""

from __future__ import annotations

import json
import re

import pytest

from harness import STREAMS_BY_NAME, catalog_of, config_for
from sandbox import faults

ROW = re.compile(r"^(\S.*?) {2,}([\d,]+) +([\d,]+)  ([a-z ]+)$", re.MULTILINE)

FACTOR = 2.0


def figures(output):
    """The figures of the table: rows, requests and how sure, by stream."""
    return {
        name: (int(rows.replace(",", "")), int(requests.replace(",", "")), surety)
        for name, rows, requests, surety in ROW.findall(output.text)
    }


def near(estimate, truth):
    return estimate / FACTOR <= truth <= estimate * FACTOR


def key_config(twilio, key, **settings):
    config = config_for(twilio, api_key_sid=key.sid, api_key_secret=key.secret, **settings)
    del config["auth_token"]
    return config


VOLUMES = {"calls": 2400, "messages": 1600, "recordings": 120, "alerts": 1500}

SEVERAL = [
    "accounts",
    "alerts",
    "balance",
    "calls",
    "conferences",
    "incoming_phone_numbers",
    "messages",
    "message_media",
    "monitor_events",
    "recordings",
    "usage_records_daily",
]


@pytest.mark.parametrize(
    ("settings", "selected", "counted"),
    [
        ({}, SEVERAL, {"calls", "messages"}),
        (
            {"start_date": "P20D", "end_date": "P3D", "page_size": 50},
            SEVERAL,
            {"calls", "messages"},
        ),
        # Usage records tell nothing of rows that are filtered. Of a child, parents are read too.
        (
            {"page_size": 20, "filters": {"calls": {"status": "completed"}}},
            ["calls", "recording_transcriptions", "taskrouter_workers", "taskrouter_tasks"],
            set(),
        ),
        (
            {"max_records": 7, "include_subaccounts": False},
            ["calls", "recordings", "alerts"],
            set(),
        ),
    ],
)
def test_an_estimate_comes_true(run, sandbox, settings, selected, counted):
    twilio = sandbox(volumes=VOLUMES, subaccounts=2)
    config = config_for(twilio, **settings)

    told = run(config, "--test=estimate", streams=selected)
    asked = twilio.requests.total
    twilio.requests.reset()
    output = run(config, streams=selected)

    assert told.exit_code == output.exit_code == 0
    # One of the requests signs in.
    parents = {STREAMS_BY_NAME[name].parent_stream_type for name in selected}
    assert asked <= 1 + 4 * len({*selected, *(one.name for one in parents if one)})
    rows, requests, _ = figures(told)["sum"]
    assert near(rows, len(output.of_type("RECORD")))
    assert near(requests, twilio.requests.total)
    for name, found in output.by_stream.items():
        rows, _, surety = figures(told).get(name, (0, 0, ""))
        if surety == "exact":
            assert rows == len(found)
        elif rows > 500:
            assert near(rows, len(found)), name
    sure = {name: surety for name, (*_, surety) in figures(told).items()}
    assert {name for name in selected if sure.get(name) == "counted"} == counted
    assert "It takes about" in told.text
    assert max(map(len, told.text.splitlines())) <= 80


def test_what_a_restricted_key_may_not_read_is_told(run, small):
    config = key_config(small, small.restricted_key)

    output = run(config, "--test=estimate", streams=["calls", "recordings", "alerts", "queues"])

    assert output.exit_code == 0
    assert f"restricted API key {small.restricted_key.sid}" in output.text
    assert re.search("^Readable .*api", output.text, re.MULTILINE)
    assert re.search("^Refused .*recordings", output.text, re.MULTILINE)
    assert "recordings: skipped" in output.log
    assert "recordings" not in figures(output)
    assert figures(output)["calls"][0] == 300


@pytest.mark.parametrize("kind", ["main", "standard"])
def test_kinds_of_keys_are_told(run, small, kind):
    config = key_config(small, getattr(small, f"{kind}_key"))

    output = run(config, "--test=estimate", streams=["queues", "alerts"])

    assert f"{kind} API key" in output.text
    # A main key lists accounts, and signs for one of them.
    assert ("in the 2010 API alone" in output.text) == (kind == "main")


def test_exported_days_are_counted_and_their_files_left_alone(run, sandbox):
    twilio = sandbox(volumes={"calls": 40}, subaccounts=0)

    output = run(config_for(twilio), "--test=estimate", streams=["bulkexports_calls"])

    assert output.exit_code == 0
    rows, requests, *_ = figures(output)["bulkexports_calls"]
    assert (rows, requests) == (0, 14)
    assert not any("Days/" in one.path for one in twilio.requests)


def test_accounts_that_cannot_be_read_are_named(run, sandbox):
    twilio = sandbox(volumes={"calls": 40}, subaccounts=2)
    _, closed, forbidden = [account.sid for account in twilio.accounts]
    twilio.set_status(closed, "closed")
    twilio.plan(faults.answer(403, 20403, "Forbidden"), "/Queues.json", account_sid=forbidden)

    output = run(config_for(twilio), "--test=estimate", streams=["calls", "queues"])

    text = " ".join(output.text.split())
    assert f"Accounts 2 to read; left out: {closed}" in text
    assert f"Refused api: queues of {forbidden}" in text


def test_what_could_not_be_asked_fails_the_test(run, sandbox):
    twilio = sandbox(volumes={"calls": 40}, subaccounts=0)
    twilio.plan(faults.answer(500, 20500, "Internal error"), "/Queues.json")

    output = run(config_for(twilio, max_retries=2), "--test=estimate", streams=["calls", "queues"])

    assert output.exit_code == 1
    assert "queues: given up" in output.log
    assert "1 of the things to read could not be read to the end" in output.log
    assert re.search("^Failed +queues$", output.text, re.MULTILINE)
    assert figures(output)["calls"] == (40, 5, "exact")


def test_no_content_of_rows_and_no_secret_is_told(run, small):
    path = run.folder / "catalog.json"
    path.write_text(json.dumps(catalog_of(["messages", "incoming_phone_numbers"])))
    config = run.folder / "config.json"
    config.write_text(json.dumps(config_for(small)))

    # The catalog counts wherever it stands.
    output = run.raw("--test=estimate", "--catalog", str(path), "--config", str(config))

    assert set(figures(output)) == {"messages", "incoming_phone_numbers", "sum"}
    said = output.text + output.log
    assert "+" not in output.text
    assert not any(account.auth_token in said for account in small.accounts)


def test_without_permission_for_usage_records_rows_are_sampled(run, sandbox):
    twilio = sandbox(volumes={"calls": 3000}, subaccounts=0)

    output = run(key_config(twilio, twilio.restricted_key), "--test=estimate", streams=["calls"])

    rows, _, surety = figures(output)["calls"]
    assert surety == "sampled"
    assert near(rows, 3000)
