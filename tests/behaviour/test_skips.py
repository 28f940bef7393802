"""A skip is no success: what was left out for a reason that may pass is read once it has passed."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from harness import STREAMS_BY_NAME, assert_complete, config_for, truth, utc_now
from sandbox import faults
from sandbox.identifiers import mix
from tap_twilio.output.singer import RECORDS_TO_STATES

FORBIDDEN = faults.answer(403, 20003, "Permission denied")


def sids(records):
    return {record["sid"] for record in records}


def keys(rows, name):
    """Rows by their key, less the number that the tap gives them."""
    stream = STREAMS_BY_NAME[name]
    own = [key for key in stream.primary_keys if key != stream.position_field]
    return {tuple(row[key] for key in own) for row in rows}


def keys_of(twilio, name):
    return keys(truth(twilio, STREAMS_BY_NAME[name]), name)


def keys_in(output, name):
    return keys(output.records(name), name)


def asked(twilio, path):
    return [request for request in twilio.requests if path in request.path]


@pytest.mark.parametrize(
    ("streams", "refused", "path"),
    [
        (["calls", "call_recordings"], "call_recordings", "/Recordings.json"),
        (["call_recordings"], "call_recordings", "/Recordings.json"),
        (["messages", "message_media"], "message_media", "/Media.json"),
        (["recordings", "recording_transcriptions"], "recordings", "/Recordings.json"),
        (["video_rooms", "video_participants"], "video_participants", "/Participants"),
        (["studio_executions", "studio_execution_steps"], "studio_execution_steps", "/Steps"),
    ],
)
def test_what_was_refused_is_read_whole_once_it_may_be(run, sandbox, streams, refused, path):
    twilio = sandbox(volumes={"calls": 60, "messages": 60, "recordings": 20})
    twilio.plan(FORBIDDEN, path)

    first = run(config_for(twilio), streams=streams)
    twilio.clear_plans()
    second = run(config_for(twilio), streams=streams, state=first.state)

    assert first.exit_code == second.exit_code == 0
    assert not first.records(refused)
    assert keys_of(twilio, refused)
    for name in streams:
        have = keys_in(first, name) | keys_in(second, name)
        assert have == keys_of(twilio, name)
    for account in twilio.accounts:
        assert (first.bookmark(refused, account.sid) or "") < utc_now()[:10]
        assert f"skipped {refused} of {account.sid}" in first.log
        assert f"skipped {refused} of {account.sid}" not in second.log


def test_the_parents_go_on_from_their_own_bookmark(run, sandbox):
    twilio = sandbox(volumes={"calls": 300, "messages": 0}, subaccounts=0, days=90)
    streams = ["calls", "call_recordings", "call_notifications"]
    twilio.plan(FORBIDDEN, "/Notifications.json")
    first = run(config_for(twilio), streams=streams)
    twilio.clear_plans()

    second = run(config_for(twilio), streams=streams, state=first.state)

    assert keys_in(second, "call_notifications") == keys_of(twilio, "call_notifications")
    calls = len(second.records("calls"))
    assert calls < len(first.records("calls")) / 2
    # As the tap counts them: the server may still be asked what the first run wanted ahead.
    assert second.counts("call_recordings")[1] == calls


@pytest.mark.parametrize("name", ["call_notifications", "call_feedback"])
def test_what_is_refused_for_ever_costs_next_to_nothing(run, sandbox, name):
    twilio = sandbox(volumes={"calls": 400, "messages": 0}, subaccounts=0, days=700)
    path = {"call_notifications": "/Notifications.json", "call_feedback": "/Feedback.json"}[name]
    config = config_for(twilio, page_size=20)
    alone = run(config, streams=["calls"])
    twilio.requests.reset()
    run(config, streams=["calls"], state=alone.state)
    usual = len(asked(twilio, "/"))
    twilio.plan(FORBIDDEN, path)

    output = run(config, streams=["calls", name])
    for _ in range(3):
        twilio.requests.reset()
        output = run(config, streams=["calls", name], state=output.state)

        assert output.exit_code == 0
        assert len(asked(twilio, path)) == 2
        assert len(asked(twilio, "/")) <= usual + 2
        assert f"skipped {name}" in output.log
    twilio.clear_plans()
    output = run(config, streams=["calls", name], state=output.state)
    assert keys_in(output, name) == keys_of(twilio, name)


def test_what_is_refused_for_ever_below_a_list_that_is_read_whole_costs_a_request(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0, "studio_flows": 40}, subaccounts=0)
    twilio.plan(FORBIDDEN, "/Executions")
    config, streams = config_for(twilio), ["studio_executions"]

    first = run(config, streams=streams)
    second = run(config, streams=streams, state=first.state)
    twilio.clear_plans()
    third = run(config, streams=streams, state=second.state)

    # A single refusal may be a mistake.
    assert second.counts("studio_executions") == (0, 2)
    assert keys_in(third, "studio_executions") == keys_of(twilio, "studio_executions") != set()
    assert "refused" not in str(third.state)


def test_a_product_that_refuses_a_subaccount_does_not_starve_the_others(run, sandbox):
    twilio = sandbox(volumes={"calls": 9, "messages": 0}, subaccounts=1)
    twilio.plan(faults.answer(401, 20003, "Authenticate"), "insights")
    refused = ["insights_call_events", "insights_conferences"]
    config, streams = config_for(twilio), ["calls", *refused, "verify_services"]

    first = run(config, streams=streams)
    second = run(config, streams=streams, state=first.state)

    for output in (first, second):
        assert output.exit_code == 0
        assert keys_in(output, "verify_services") == keys_of(twilio, "verify_services") != set()
        assert "refused its own token" not in output.log
    assert len(asked(twilio, "/v1/Alerts")) == 2, "a run asks once whether the token is right"


def test_what_is_refused_in_the_middle_of_a_catch_up_stops_it(run, sandbox):
    volumes = {"calls": 600, "messages": 0}
    twilio = sandbox(volumes=volumes, subaccounts=0, days=700, page_latency=0.02)
    config = config_for(twilio, page_size=20, max_concurrent_requests=2)
    first = run(config, streams=["calls"])
    pages = len(asked(twilio, "/Calls.json"))
    twilio.requests.reset()
    twilio.plan(FORBIDDEN, "/Notifications.json")

    second = run(config, streams=["calls", "call_notifications"], state=first.state)

    assert second.exit_code == 0
    assert len(asked(twilio, "/Calls.json")) < pages / 2
    twilio.clear_plans()
    third = run(config, streams=["calls", "call_notifications"], state=second.state)
    assert keys_in(third, "call_notifications") == keys_of(twilio, "call_notifications")


def test_a_parent_of_the_probe_that_has_gone_hides_nothing(run, sandbox):
    twilio = sandbox(volumes={"calls": 30, "messages": 0}, subaccounts=0)
    twilio.plan(FORBIDDEN, "/Notifications.json")
    first = run(config_for(twilio), streams=["calls", "call_notifications"])
    (partition,) = first.state["bookmarks"]["call_notifications"]["partitions"]
    twilio.clear_plans()
    twilio.delete(partition["refused"]["call_sid"])

    second = run(config_for(twilio), streams=["calls", "call_notifications"], state=first.state)

    assert keys_in(second, "call_notifications") == keys_of(twilio, "call_notifications")
    assert "refused" not in second.state["bookmarks"]["call_notifications"]["partitions"][0]


def test_a_probe_that_fails_is_a_failure_and_holds(run, sandbox):
    twilio = sandbox(volumes={"calls": 30, "messages": 0}, subaccounts=0)
    streams = ["calls", "call_notifications"]
    twilio.plan(FORBIDDEN, "/Notifications.json")
    first = run(config_for(twilio), streams=streams)
    twilio.clear_plans()
    twilio.plan(faults.answer(500), "/Notifications.json")

    second = run(config_for(twilio, max_retries=0), streams=streams, state=first.state)
    twilio.clear_plans()
    third = run(config_for(twilio), streams=streams, state=second.state)

    assert second.exit_code == 1
    assert "FAILED call_notifications" in second.log
    assert keys_in(third, "call_notifications") == keys_of(twilio, "call_notifications")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("retries", [0, 8])
@pytest.mark.parametrize(
    "path", ["/Calls.json", "/Recordings.json", "/Notifications.json", "/v1/Alerts"]
)
def test_a_stray_refusal_skips_nothing(run, sandbox, path, status, retries):
    twilio = sandbox(volumes={"calls": 20, "messages": 0}, subaccounts=1)
    for account in twilio.accounts:
        refusal = faults.answer(status, 20003, "Authenticate")
        twilio.plan(refusal, path, account_sid=account.sid, times=1)
    streams = ["calls", "call_recordings", "call_notifications", "alerts"]

    output = run(config_for(twilio, max_retries=retries), streams=streams)

    assert output.exit_code == 0
    assert "skipped" not in output.log
    assert_complete(output, twilio, *streams)


def test_credentials_that_come_later_bring_what_was_left_out(run, sandbox):
    twilio = sandbox(volumes={"calls": 20, "messages": 0}, subaccounts=1)
    sub, key = twilio.accounts[1], twilio.main_key
    config = config_for(twilio, api_key_sid=key.sid, api_key_secret=key.secret)
    del config["auth_token"]
    streams = ["calls", "insights_call_events", "alerts"]

    first = run(config, streams=streams)
    again = run(config, streams=streams, state=first.state)
    config["subaccount_credentials"] = {sub.sid: {"auth_token": sub.auth_token}}
    last = run(config, streams=streams, state=again.state)

    assert first.exit_code == again.exit_code == last.exit_code == 0
    assert f"skipped insights_call_events of {sub.sid}: no credentials of its own" in first.log
    assert first.bookmark("insights_call_events", sub.sid) is None
    assert first.bookmark("calls", sub.sid) is not None
    for name in streams:
        have = keys_in(first, name) | keys_in(again, name) | keys_in(last, name)
        assert have == keys_of(twilio, name)


def test_a_token_that_is_mended_brings_what_was_left_out(run, sandbox):
    twilio = sandbox(volumes={"calls": 20, "messages": 0}, subaccounts=1)
    sub = twilio.accounts[1]
    twilio.patch(sub.sid, auth_token="stale-token-stale-token")
    streams = ["calls", "insights_call_events"]
    first = run(config_for(twilio), streams=streams)
    twilio.requests.reset()
    again = run(config_for(twilio), streams=streams, state=first.state)
    of_sub = [one for one in asked(twilio, "/v1/Voice/") if one.account == sub.sid]
    twilio.patch(sub.sid, auth_token=sub.auth_token)

    last = run(config_for(twilio), streams=streams, state=again.state)

    assert len(of_sub) <= 2
    have = keys_in(first, "insights_call_events") | keys_in(last, "insights_call_events")
    assert have == keys_of(twilio, "insights_call_events")


def test_an_account_that_was_left_out_is_read_whole_later(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=1)
    streams = ["calls", "call_recordings", "alerts"]
    first = run(config_for(twilio, include_subaccounts=False), streams=streams)

    second = run(config_for(twilio), streams=streams, state=first.state)

    for name in streams:
        assert keys_in(first, name) | keys_in(second, name) == keys_of(twilio, name)


PATHS = {
    "calls": "/Calls.json",
    "call_recordings": "/Recordings.json",
    "call_notifications": "/Notifications.json",
    "message_media": "/Media.json",
    "messages": "/Messages.json",
    "alerts": "/v1/Alerts",
    "insights_call_events": "/Events",
}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_refused_and_granted_in_whatever_order_nothing_is_lost(run, sandbox, seed):
    """The rule as a property: after a run that may read all, the target has all."""
    dice = (mix(seed, number) for number in itertools.count())
    twilio = sandbox(seed=seed, volumes={"calls": 40, "messages": 60}, subaccounts=1, days=20)
    loaded = {name: set() for name in PATHS}
    state = None
    for number in range(5):
        twilio.clear_plans()
        is_last = number == 4
        for path in PATHS.values() if not is_last else ():
            if next(dice) % 2:
                twilio.plan(
                    faults.answer((401, 403)[next(dice) % 2]),
                    path,
                    account_sid=(None, *(one.sid for one in twilio.accounts))[next(dice) % 3],
                    times=(1, None, None)[next(dice) % 3],
                )
        chosen = [name for name in PATHS if is_last or next(dice) % 4]
        config = config_for(twilio, page_size=20, start_date="P60D")
        output = run(config, streams=chosen, state=state)
        assert output.exit_code == 0
        for name, records in output.by_stream.items():
            loaded[name] |= keys(records, name)
        state = output.state
        if number < 3:
            twilio.advance(timedelta(hours=(1, 30)[next(dice) % 2]))

    for name, rows in loaded.items():
        assert not keys_of(twilio, name) - rows, name


# --- Closed and suspended accounts -------------------------------------------------------------


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_an_account_that_is_not_in_use_is_asked(run, sandbox, status):
    twilio = sandbox(volumes={"calls": 30, "messages": 20})
    twilio.set_status(twilio.accounts[1].sid, status, readable=True)
    streams = ["accounts", "calls", "call_recordings", "messages", "alerts"]

    output = run(config_for(twilio), streams=streams)

    assert output.exit_code == 0
    assert "skipped" not in output.log
    assert_complete(output, twilio, *streams[1:])


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_one_refusal_skips_such_an_account_and_holds_its_bookmarks(run, sandbox, status):
    twilio = sandbox(volumes={"calls": 30, "messages": 20})
    gone = twilio.accounts[1].sid
    streams = ["accounts", "calls", "call_recordings", "messages", "alerts"]
    before = run(config_for(twilio), streams=streams)
    twilio.set_status(gone, status)
    twilio.advance(timedelta(days=2))
    twilio.requests.reset()

    output = run(config_for(twilio), streams=streams, state=before.state)
    requests = asked(twilio, gone)
    twilio.set_status(gone, "active")
    last = run(config_for(twilio), streams=streams, state=output.state)

    assert output.exit_code == 0
    assert len(requests) == 2
    assert output.log.count(f"{gone} is skipped: the account is {status}") == 1
    assert f"skipped all streams of {gone}: the account is {status}" in output.log
    for name in ("calls", "call_recordings", "messages", "alerts"):
        assert output.bookmark(name, gone) == before.bookmark(name, gone)
        have = sids(before.records(name)) | sids(output.records(name)) | sids(last.records(name))
        assert have >= sids(truth(twilio, STREAMS_BY_NAME[name]))


def test_credentials_of_an_account_that_gives_nothing_are_tried_once(run, sandbox):
    twilio = sandbox(volumes={"calls": 9, "messages": 0})
    gone = twilio.accounts[1]
    twilio.set_status(gone.sid, "suspended")
    own = {gone.sid: {"auth_token": gone.auth_token}}

    output = run(config_for(twilio, subaccount_credentials=own), streams=["calls"])

    assert output.exit_code == 0
    assert len([one for one in twilio.requests if gone.sid in one.path]) == 2
    assert f"{gone.sid} is skipped: the account is suspended" in output.log
    assert "Check them" not in output.log


# --- States ------------------------------------------------------------------------------------


def test_states_of_many_accounts_that_gave_nothing_are_few(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=60)

    output = run(config_for(twilio), streams=["calls", "messages"])

    assert output.exit_code == 0
    assert all(output.bookmark("calls", account.sid) for account in twilio.accounts)
    assert len(output.of_type("STATE")) <= 4


def test_states_add_little_to_the_records(run, sandbox):
    twilio = sandbox(volumes={"calls": 90, "messages": 90}, subaccounts=60)

    output = run(config_for(twilio), streams=["calls", "messages"])

    sizes = {"STATE": 0, "RECORD": 0}
    for message, line in zip(output.messages, output.lines, strict=True):
        if message["type"] in sizes:
            sizes[message["type"]] += len(line)
    last = len(output.lines[-1])
    assert sizes["STATE"] <= sizes["RECORD"] / RECORDS_TO_STATES + 5 * last
    assert len(output.of_type("STATE")) > 5
