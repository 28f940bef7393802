"""Rows and states: the tap's own, in the protocol's words."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter

import pytest

from harness import PATIENCE, STREAMS_BY_NAME, config_for, keyed, truth
from sandbox import faults
from tests.doors.airbyte.harness import Said, catalog

pytestmark = pytest.mark.door

BOTH_KINDS = ["calls", "call_recordings", "messages", "message_media", "incoming_phone_numbers"]
COMPLETE = {"__ab_full_refresh_sync_complete": True}
NO_CURSOR = {"__ab_no_cursor_state_message": True}


def sids(said, stream):
    return {row["sid"] for row in said.records(stream)}


def all_sids(twilio, stream):
    return {row["sid"] for row in truth(twilio, STREAMS_BY_NAME[stream])}


FAMILIES = {
    "calls": ("calls", "start_time", "sid"),
    "call_recordings": ("calls", "start_time", "call_sid"),
    "messages": ("messages", "date_sent", "sid"),
    "message_media": ("messages", "date_sent", "parent_sid"),
}


def dated_sids(twilio, stream):
    """Those of all rows whose time tells which run is to read them."""
    lead, key, owner = FAMILIES[stream]
    dated = {row["sid"] for row in truth(twilio, STREAMS_BY_NAME[lead]) if row[key]}
    rows = truth(twilio, STREAMS_BY_NAME[stream])
    return {row["sid"] for row in rows if row[owner] in dated}


def partitions(twilio, blob):
    """The bookmark of each account."""
    found = {part["context"]["account_sid"]: part for part in blob["partitions"]}
    assert found.keys() == {account.sid for account in twilio.accounts}
    return found


# --- Rows --------------------------------------------------------------------------------------


def test_rows_are_those_of_the_tap(source, run, small):
    said = source.read(config_for(small), [*BOTH_KINDS, "usage_records_daily"])
    singer = run(config_for(small), streams=[*BOTH_KINDS, "usage_records_daily"])

    assert said.exit_code == 0
    assert said.streams == singer.by_stream.keys()
    for name, rows in singer.by_stream.items():
        keys = STREAMS_BY_NAME[name].primary_keys
        ours, theirs = keyed(said.records(name), keys), keyed(rows, keys)
        for row in [*ours.values(), *theirs.values()]:
            row.pop("as_of", None)
        assert ours == theirs


def test_records_say_when_they_were_sent(source, small):
    said = source.read(config_for(small), ["calls"])
    moments = {message["record"]["emitted_at"] for message in said.of_type("RECORD")}
    first = said.messages[-1]["trace"]["emitted_at"] - 120_000
    assert all(isinstance(moment, int) and moment > first for moment in moments)


def test_fields_that_no_schema_has_are_in_a_declared_one_too(source, sandbox):
    twilio = sandbox(volumes={"calls": 30, "messages": 0}, subaccounts=0)
    odd = sorted(all_sids(twilio, "calls"))[:10]
    for sid in odd:
        twilio.patch(sid, mood={"a": [1.5]}, tint=None)
    config = config_for(twilio, page_size=5)

    declared = source.streams(config)["calls"]["json_schema"]["properties"]
    said = source.read(config, ["calls"])

    assert declared["additional_fields"]["type"] == ["object", "null"]
    for record in said.records("calls"):
        if record["sid"] in odd:
            assert record["mood"] == {"a": [1.5]}
            assert record["additional_fields"] == {"mood": {"a": [1.5]}}
        else:
            assert record.keys() <= declared.keys() - {"additional_fields"}


def test_what_is_personal_is_no_less_so_there(source, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=0)
    for sid in all_sids(twilio, "calls"):
        twilio.patch(sid, mood="Ada", mood_sid="MO1")

    hashed = source.read(config_for(twilio, pii="hash", pii_key="k" * 32), ["calls"])
    dropped = source.read(config_for(twilio, pii="drop"), ["calls"])

    for record in hashed.records("calls"):
        assert record["additional_fields"] == {"mood": record["mood"], "mood_sid": "MO1"}
        assert len(record["mood"]) == 64
    for record in dropped.records("calls"):
        assert record["additional_fields"] == {"mood_sid": "MO1"}


def test_every_stream_is_started_running_and_complete(source, small):
    said = source.read(config_for(small), BOTH_KINDS)

    for name in BOTH_KINDS:
        assert said.statuses(name) == ["STARTED", "RUNNING", "COMPLETE"]
    kinds = [message["type"] for message in said.messages]
    assert kinds.index("RECORD") > kinds.index("TRACE")


def test_a_stream_without_rows_is_complete_and_has_a_state(source, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0})

    said = source.read(config_for(twilio), ["calls", "call_recordings"])

    for name in ("calls", "call_recordings"):
        assert said.statuses(name) == ["STARTED", "COMPLETE"]
        assert partitions(twilio, said.blob(name))


# --- States ------------------------------------------------------------------------------------


@pytest.fixture
def often(monkeypatch):
    """Let states be as near to each other as they come."""
    monkeypatch.setattr("tap_twilio.airbyte.reading.STATE_SECONDS", 0.0)


@pytest.mark.usefixtures("often")
def test_states_count_their_records_exactly(source, small):
    said = source.read(config_for(small), BOTH_KINDS)

    seen, counted = Counter(), Counter()
    for message in said.messages:
        if message["type"] == "RECORD":
            seen[message["record"]["stream"]] += 1
        elif message["type"] == "STATE":
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            assert message["state"]["type"] == "STREAM"
            counted[name] += message["state"]["sourceStats"]["recordCount"]
            assert counted[name] == seen[name]
    assert counted == {name: len(said.records(name)) for name in BOTH_KINDS}
    assert len(said.of_type("STATE")) > 2 * len(BOTH_KINDS)


@pytest.mark.usefixtures("often")
def test_estimates_come_near_what_is_read(source, sandbox):
    twilio = sandbox(days=20, volumes={"calls": 400}, subaccounts=0)

    said = source.read(config_for(twilio, page_size=20, start_date="P20D"), ["calls"])

    estimates = [
        message["trace"]["estimate"]
        for message in said.of_type("TRACE")
        if message["trace"]["type"] == "ESTIMATE"
    ]
    assert {(one["name"], one["type"]) for one in estimates} == {("calls", "STREAM")}
    rows = [one["row_estimate"] for one in estimates]
    assert len(rows) > 5
    assert all(200 < row < 800 for row in rows[2:]), rows
    assert rows[-1] == len(said.records("calls"))


def test_states_are_few(source, small):
    said = source.read(config_for(small), BOTH_KINDS)
    assert len(said.of_type("STATE")) <= 2 * len(BOTH_KINDS)


def test_states_hold_a_bookmark_for_each_account(source, small):
    said = source.read(config_for(small), BOTH_KINDS)

    calls = partitions(small, said.blob("calls"))
    assert {part["replication_key"] for part in calls.values()} == {"start_time"}
    assert said.blob("call_recordings") == said.blob("calls")
    assert said.blob("incoming_phone_numbers") == NO_CURSOR


def test_a_second_run_reads_what_is_new(source, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 200})
    config = config_for(twilio, lookback_days=0)
    first = source.read(config | {"end_date": "P10D"}, BOTH_KINDS)
    second = source.read(config, BOTH_KINDS, state=first.states)

    for name in BOTH_KINDS[:-1]:
        assert dated_sids(twilio, name) <= sids(first, name) | sids(second, name)
        assert not sids(first, name) & sids(second, name)
    assert sids(second, "incoming_phone_numbers") == all_sids(twilio, "incoming_phone_numbers")


def test_a_child_goes_on_alone(source, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 0})
    config = config_for(twilio, lookback_days=0)
    first = source.read(config | {"end_date": "P10D"}, ["call_recordings"])
    second = source.read(config, ["call_recordings"], state=first.states)

    assert first.streams == {"call_recordings"}
    both = sids(first, "call_recordings") | sids(second, "call_recordings")
    assert dated_sids(twilio, "call_recordings") <= both
    assert not sids(first, "call_recordings") & sids(second, "call_recordings")


def test_a_child_added_later_is_read_from_the_start_and_its_parent_is_not(source, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 0})
    config = config_for(twilio, lookback_days=0)
    first = source.read(config | {"end_date": "P10D"}, ["calls"])
    second = source.read(config, ["calls", "call_recordings"], state=first.states)

    assert sids(second, "call_recordings") == all_sids(twilio, "call_recordings")
    assert dated_sids(twilio, "calls") <= sids(first, "calls") | sids(second, "calls")
    assert len(sids(first, "calls") & sids(second, "calls")) < len(sids(first, "calls")) / 2
    assert second.blob("call_recordings") == second.blob("calls")


def test_each_stream_has_a_mode_of_its_own(source, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 0})
    config = config_for(twilio, lookback_days=0)
    both = ["calls", "call_recordings"]
    first = source.read(config | {"end_date": "P10D"}, both)
    states = [
        state
        for state in first.states
        if state["stream"]["stream_descriptor"]["name"] == "call_recordings"
    ]
    modes = {"calls": "full_refresh", "call_recordings": "incremental"}
    second = source.read(config, modes, state=states)

    assert sids(second, "calls") == all_sids(twilio, "calls")
    old, new = sids(first, "call_recordings"), sids(second, "call_recordings")
    assert len(old & new) < len(old) / 2
    assert dated_sids(twilio, "call_recordings") <= old | new


def test_a_full_refresh_ends_with_a_mark_and_is_done_once_a_job(source, small):
    wanted = {"calls": "full_refresh", "incoming_phone_numbers": "full_refresh"}
    said = source.read(config_for(small), wanted)

    assert sids(said, "calls") == all_sids(small, "calls")
    blob = said.blob("calls")
    assert blob == {"partitions": blob["partitions"]} | COMPLETE

    again = source.read(config_for(small), wanted, state=said.states)

    assert not again.records("calls")
    assert "calls: an earlier attempt read the whole stream" in again.log
    assert again.statuses("calls") == ["STARTED", "COMPLETE"]
    assert again.blob("calls") == blob
    assert sids(again, "incoming_phone_numbers") == sids(said, "incoming_phone_numbers")


def test_a_full_refresh_that_was_broken_off_goes_on(source, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 0})
    config = config_for(twilio, lookback_days=0)
    first = source.read(config | {"end_date": "P10D"}, ["calls"])
    second = source.read(config, {"calls": "full_refresh"}, state=first.states)

    assert dated_sids(twilio, "calls") <= sids(first, "calls") | sids(second, "calls")
    assert not sids(first, "calls") & sids(second, "calls")
    assert COMPLETE.items() <= second.blob("calls").items()


def test_incremental_goes_on_after_a_full_refresh(source, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 0})
    config = config_for(twilio, lookback_days=0)
    first = source.read(config | {"end_date": "P10D"}, {"calls": "full_refresh"})
    second = source.read(config, ["calls"], state=first.states)

    assert dated_sids(twilio, "calls") <= sids(first, "calls") | sids(second, "calls")
    assert not sids(first, "calls") & sids(second, "calls")
    assert not COMPLETE.keys() & second.blob("calls").keys()


def test_unchanged_rows_are_left_out_in_incremental_mode_only(source, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0})
    config = config_for(twilio, skip_unchanged=True)
    first = source.read(config, ["incoming_phone_numbers"])
    again = source.read(config, ["incoming_phone_numbers"], state=first.states)
    anew = source.read(config, {"incoming_phone_numbers": "full_refresh"})

    numbers = all_sids(twilio, "incoming_phone_numbers")
    assert sids(first, "incoming_phone_numbers") == numbers
    assert not again.records("incoming_phone_numbers")
    assert sids(anew, "incoming_phone_numbers") == numbers


# --- Trouble -----------------------------------------------------------------------------------


def test_a_stream_that_fails_is_told_and_others_are_read(source, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 60})
    main = twilio.account_sid
    plan = faults.answer(500, 20500, "Internal error")
    twilio.plan(plan, "/Calls.json", account_sid=main)
    wanted = ["calls", "call_recordings", "messages"]

    said = source.read(config_for(twilio, max_retries=1), wanted)

    assert said.exit_code == 1
    assert said.statuses("calls")[-1] == "INCOMPLETE"
    assert said.statuses("call_recordings")[-1] == "INCOMPLETE"
    assert said.statuses("messages")[-1] == "COMPLETE"
    assert sids(said, "messages") == all_sids(twilio, "messages")
    (error,) = said.errors
    assert error["failure_type"] == "transient_error"
    assert error["stream_descriptor"] == {"name": "calls"}
    assert f"calls of {main}" in error["message"]

    twilio.clear_plans()
    again = source.read(config_for(twilio), wanted, state=said.states)
    assert again.exit_code == 0
    for name in wanted:
        assert sids(said, name) | sids(again, name) == all_sids(twilio, name)


def test_a_run_that_cannot_sign_in_leaves_states_alone(source, small):
    first = source.read(config_for(small), ["calls", "incoming_phone_numbers"])
    config = config_for(small, auth_token="mistyped-token-value")
    second = source.read(config, ["calls", "incoming_phone_numbers"], state=first.states)

    assert second.exit_code == 1
    assert not second.of_type("STATE")
    assert second.statuses("calls") == ["STARTED", "INCOMPLETE"]
    (error,) = second.errors
    assert error["failure_type"] == "config_error"


def test_a_parent_that_fails_unselected_makes_its_child_incomplete(source, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)
    twilio.plan(faults.answer(400, 20001, "Bad"), "/Calls.json")

    said = source.read(config_for(twilio), ["call_recordings"])

    assert said.exit_code == 1
    assert said.statuses("call_recordings") == ["STARTED", "INCOMPLETE"]
    (error,) = said.errors
    assert error["failure_type"] == "system_error"
    assert "stream_descriptor" not in error


def test_a_child_that_fails_leaves_its_parent_complete(source, sandbox):
    twilio = sandbox(volumes={"calls": 20, "messages": 0}, subaccounts=0)
    call = truth(twilio, STREAMS_BY_NAME["calls"])[3]["sid"]
    twilio.plan(faults.answer(500, 20500, "Internal error"), f"/Calls/{call}/Recordings.json")

    said = source.read(config_for(twilio, max_retries=1), ["calls", "call_recordings"])

    assert said.exit_code == 1
    assert said.statuses("calls")[-1] == "COMPLETE"
    assert said.statuses("call_recordings")[-1] == "INCOMPLETE"


def test_what_may_not_be_read_is_skipped_and_named(source, sandbox):
    twilio = sandbox(volumes={"calls": 10, "messages": 10})
    sub = twilio.accounts[1].sid
    twilio.plan(faults.answer(403, 20403, "Forbidden"), "/Recordings.json", account_sid=sub)

    said = source.read(config_for(twilio), ["recordings"])

    assert said.exit_code == 0
    assert said.statuses("recordings")[-1] == "COMPLETE"
    assert f"skipped recordings of {sub}" in said.log


def test_a_run_that_is_ended_goes_on_where_it_was(source, sandbox):
    twilio = sandbox(volumes={"calls": 400, "messages": 0}, page_latency=0.02, subaccounts=0)
    wanted = {"calls": "incremental", "call_recordings": "incremental"}
    config = config_for(twilio, max_concurrent_requests=2, page_size=20, lookback_days=0)
    files = source.write({"config": config, "catalog": catalog(wanted)})
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_twilio.airbyte", "read", *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    lines, recordings = [], 0
    while recordings < 40:
        lines.append(process.stdout.readline().decode())
        recordings += '"RECORD"' in lines[-1] and '"call_recordings"' in lines[-1]
    process.send_signal(signal.SIGTERM)
    lines += [line.decode() for line in process.stdout]
    process.stdout.close()
    first = Said(process.wait(PATIENCE), lines)

    assert first.exit_code == 143
    assert first.statuses("calls") == ["STARTED", "RUNNING", "INCOMPLETE"]
    assert "Ending on signal 15" in first.log
    assert not first.errors
    assert first.blob("call_recordings") == first.blob("calls")

    second = source.read(config, wanted, state=first.states)

    assert second.exit_code == 0
    for name in wanted:
        everything = all_sids(twilio, name)
        assert sids(first, name) | sids(second, name) == everything
        assert len(sids(second, name)) < len(everything)


def test_days_of_files_that_were_read_are_in_the_state(source, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    name = "bulkexports_messages"
    twilio.export("Messages", "2020-07-26", [{"sid": "SM1", "error_code": 0}])
    first = source.read(config_for(twilio), [name])
    twilio.export("Messages", "2020-07-28", [{"sid": "SM2"}])
    second = source.read(config_for(twilio), [name], state=first.states)

    assert [first.exit_code, second.exit_code] == [0, 0]
    (row,) = first.records(name)
    assert {name: row[name] for name in ("sid", "day", "error_code")} == {
        "sid": "SM1",
        "day": "2020-07-26",
        "error_code": None,
    }
    assert [row["sid"] for row in second.records(name)] == ["SM2"]
    (partition,) = second.blob(name)["partitions"]
    assert partition["days_read"] == ["2020-07-26", "2020-07-28"]
