"""Lists below other lists: one bookmark an account, and nothing missed that is selected later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from harness import STREAMS_BY_NAME, assert_complete, config_for, keyed, truth
from sandbox import faults

BELOW = ("taskrouter_events", "studio_executions", "serverless_logs")
"""Lists below another that have a date filter and rows with SIDs."""

RETENTION = timedelta(days=30)


@pytest.fixture
def twilio(sandbox):
    """A simulated Twilio with few calls, and lists below others that grow."""
    return sandbox(volumes={"calls": 60, "messages": 40, "conferences": 20}, days=45)


def kept(twilio, name):
    """The rows that Twilio still keeps for sure, whatever minutes a test takes."""
    key = STREAMS_BY_NAME[name].replication_key
    window = STREAMS_BY_NAME[name].window
    oldest = datetime.now(UTC) - (window.retention or timedelta(days=9999)) + timedelta(minutes=15)
    floor = oldest.strftime("%Y-%m-%dT%H:%M:%S")
    return {row["sid"] for row in truth(twilio, STREAMS_BY_NAME[name]) if row[key] >= floor}


def sids(records):
    """SIDs of records, none of which comes twice."""
    return {sid for (sid,) in keyed(records, ["sid"])}


def asked(twilio, ending):
    return [request for request in twilio.requests if request.path.endswith(ending)]


def without_bookmarks(message):
    return not any(name in message["value"].get("bookmarks", {}) for name in BELOW)


@pytest.mark.parametrize("name", BELOW)
def test_a_first_run_reads_all_that_twilio_keeps_not_what_it_gives_unasked(run, twilio, name):
    output = run(config_for(twilio), streams=[name])

    assert output.exit_code == 0
    assert kept(twilio, name)
    assert kept(twilio, name) <= sids(output.records(name))


@pytest.mark.parametrize("name", BELOW)
def test_the_next_run_asks_every_parent_from_the_one_bookmark_on(run, twilio, name):
    first = run(config_for(twilio), streams=[name])
    before = kept(twilio, name)
    twilio.requests.reset()
    twilio.advance(timedelta(days=3))

    second = run(config_for(twilio), streams=[name], state=first.state)

    stream = STREAMS_BY_NAME[name]
    for account in twilio.accounts:
        since = datetime.fromisoformat(first.bookmark(name, account.sid)) - stream.lookback
        floor = (since - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        starts = {
            dict(request.query)[stream.window.after]
            for request in asked(twilio, stream.path.rpartition("/")[2])
            if request.account == account.sid
        }
        assert starts == {floor}
    new = kept(twilio, name) - before
    assert new
    assert new <= sids(second.records(name))


def test_the_state_does_not_grow_with_parents(run, twilio):
    output = run(config_for(twilio), streams=BELOW)

    for name in BELOW:
        partitions = output.state["bookmarks"][name]["partitions"]
        assert [one["context"] for one in partitions] == [
            {"account_sid": account.sid} for account in twilio.accounts
        ]
        assert {one["replication_key"] for one in partitions} == {
            STREAMS_BY_NAME[name].replication_key
        }


def test_no_bookmark_moves_before_the_last_parent_was_read(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    output = run(config_for(twilio), streams=["studio_executions"])

    places = [
        place
        for place, message in enumerate(output.messages)
        if message["type"] == "RECORD" and message["stream"] == "studio_executions"
    ]
    parents = {message["record"]["flow_sid"] for message in output.of_type("RECORD")}
    assert len(parents) > 1
    assert all(
        without_bookmarks(message)
        for message in output.messages[: places[-1]]
        if message["type"] == "STATE"
    )
    assert not without_bookmarks(output.of_type("STATE")[-1])


def test_a_parent_that_failed_holds_its_accounts_bookmark(run, twilio):
    main, sub = twilio.accounts
    plan = twilio.plan(faults.answer(500), "/Executions", account_sid=main.sid, skip=1, times=1)
    config = config_for(twilio, max_retries=0)

    broken = run(config, streams=["studio_executions"])
    twilio.clear_plans()
    whole = run(config, streams=["studio_executions"], state=broken.state)

    assert plan.hits == 1
    assert broken.exit_code == 1
    assert broken.bookmark("studio_executions", main.sid) is None
    assert broken.bookmark("studio_executions", sub.sid) is not None
    assert whole.bookmark("studio_executions", main.sid) is not None
    of_main = {
        row["sid"]
        for row in truth(twilio, STREAMS_BY_NAME["studio_executions"])
        if row["account_sid"] == main.sid
    }
    assert of_main <= sids(whole.records("studio_executions"))


@pytest.mark.parametrize("path", ["/Flows", "/Steps"])
def test_trouble_above_or_below_holds_the_bookmark_too(run, twilio, path):
    plan = twilio.plan(faults.answer(500), path, account_sid=twilio.account_sid, skip=0, times=1)

    output = run(
        config_for(twilio, max_retries=0), streams=["studio_executions", "studio_execution_steps"]
    )

    assert plan.hits == 1
    assert output.bookmark("studio_executions", twilio.account_sid) is None


def test_trouble_beside_it_does_not(run, twilio):
    twilio.plan(faults.answer(500), "/Revisions", account_sid=twilio.account_sid, times=1)

    output = run(
        config_for(twilio, max_retries=0), streams=["studio_executions", "studio_flow_revisions"]
    )

    assert output.exit_code == 1
    assert output.bookmark("studio_executions", twilio.account_sid) is not None


def test_a_refusal_or_a_preview_moves_no_bookmark(run, twilio):
    twilio.plan(faults.answer(403, 20003, "Denied"), "/Executions", account_sid=twilio.account_sid)
    refused = run(config_for(twilio), streams=["studio_executions"])
    twilio.clear_plans()
    preview = run(config_for(twilio, max_records=2), streams=["studio_executions"])

    assert refused.exit_code == preview.exit_code == 0
    assert refused.bookmark("studio_executions", twilio.account_sid) is None
    for account in twilio.accounts:
        assert preview.bookmark("studio_executions", account.sid) is None


def test_a_parent_that_has_gone_is_no_trouble(run, twilio):
    twilio.plan(faults.answer(404, 20404, "Gone"), "/Executions", skip=1, times=1)

    output = run(config_for(twilio), streams=["studio_executions"])

    assert output.exit_code == 0
    for account in twilio.accounts:
        assert output.bookmark("studio_executions", account.sid) is not None


# --- Children that are selected later ----------------------------------------------------------


def test_a_child_selected_later_is_read_for_all_parents(run, twilio):
    first = run(config_for(twilio), streams=["calls", "call_recordings"])
    bookmarks = first.state["bookmarks"]
    twilio.requests.reset()

    second = run(
        config_for(twilio),
        streams=["calls", "call_recordings", "call_notifications"],
        state=first.state,
    )

    assert_complete(second, twilio, "call_notifications")
    # The others had the old calls, and are not asked for them again.
    assert 0 < len(second.records("calls")) < len(first.records("calls")) / 2
    recordings = len(asked(twilio, "/Recordings.json"))
    assert 0 < recordings == len(second.records("calls"))
    for account in twilio.accounts:
        for name in ("calls", "call_recordings", "call_notifications"):
            assert second.bookmark(name, account.sid) >= first.bookmark("calls", account.sid)
    assert second.state["bookmarks"].keys() == bookmarks.keys() | {"call_notifications"}


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("recordings", "recording_transcriptions"),
        ("conferences", "conference_recordings"),
        ("messages", "message_media"),
        ("studio_executions", "studio_execution_steps"),
    ],
)
def test_whatever_the_parent_a_child_selected_later_misses_nothing(run, twilio, parent, child):
    first = run(config_for(twilio), streams=[parent])

    second = run(config_for(twilio), streams=[parent, child], state=first.state)

    assert second.exit_code == 0
    assert second.records(child)
    assert_complete(second, twilio, child)


def test_a_run_that_is_killed_while_it_reads_for_a_new_child_goes_on(run, twilio):
    first = run(config_for(twilio), streams=["calls"])
    streams = ["calls", "call_notifications"]
    second = run(config_for(twilio), streams=streams, state=first.state)
    seen = {}
    for place, message in enumerate(second.messages):
        if message["type"] == "STATE" and place < len(second.messages) - 1:
            rest = run(config_for(twilio), streams=streams, state=message["value"])
            before = [
                one["record"]
                for one in second.messages[:place]
                if one["type"] == "RECORD" and one["stream"] == "call_notifications"
            ]
            seen = {row["sid"] for row in [*before, *rest.records("call_notifications")]}
            want = {row["sid"] for row in truth(twilio, STREAMS_BY_NAME["call_notifications"])}
            assert seen == want
    assert seen


# --- Usage of SIMs -----------------------------------------------------------------------------

USAGE = ("supersim_usage_records", "wireless_usage_records", "wireless_sim_usage_records")


@pytest.mark.parametrize("name", USAGE)
def test_usage_of_sims_has_a_key_and_goes_back_beyond_a_month(run, twilio, name):
    stream = STREAMS_BY_NAME[name]

    output = run(config_for(twilio), streams=[name])

    records = output.records(name)
    keys = [key for key in stream.primary_keys if key != "period_start"]
    got = keyed(records, stream.primary_keys)
    inner = stream.promoted["period_start"].partition(".")[2]
    want = {
        (*(row.get(key) for key in keys), row["period"][inner]) for row in truth(twilio, stream)
    }
    assert want
    assert got.keys() == want
    for record in records:
        assert record["period_start"] == record["period"][inner]
        assert record["period_start"] < record["period_end"]


@pytest.mark.parametrize("name", USAGE)
def test_usage_of_sims_is_asked_for_in_whole_days_from_the_bookmark_on(run, twilio, name):
    window = STREAMS_BY_NAME[name].window
    first = run(config_for(twilio), streams=[name])
    twilio.requests.reset()

    second = run(config_for(twilio), streams=[name], state=first.state)

    bookmark = datetime.fromisoformat(first.bookmark(name, twilio.account_sid))
    days = {bookmark.date() - timedelta(days=back) for back in range(5)}
    assert {record["period_start"][:10] for record in second.records(name)} <= {
        day.isoformat() for day in days
    }
    assert second.records(name)
    for request in asked(twilio, "/UsageRecords"):
        assert request.status == 200
        start = dict(request.query)[window.after]
        assert start == f"{min(days).isoformat()}T00:00:00Z"


# --- One read for each of fixed values ---------------------------------------------------------


def test_each_kind_of_export_is_read_whatever_becomes_of_the_others(run, sandbox):
    twilio = sandbox(subaccounts=0)
    absent = twilio.plan(faults.answer(404, 20404, "None"), "/Exports/Calls/")
    broken = twilio.plan(faults.answer(500), "/Exports/Conferences/")

    output = run(config_for(twilio, max_retries=0), streams=["bulkexports_jobs"])

    assert absent.hits == broken.hits == 1
    assert {request.path for request in twilio.requests if "Exports" in request.path} == {
        f"/v1/Exports/{kind}/Jobs" for kind in ("Messages", "Calls", "Conferences", "Participants")
    }
    assert output.exit_code == 1
    assert {record["resource_type"] for record in output.records("bulkexports_jobs")} == {
        "Messages",
        "Participants",
    }


def test_the_account_is_named_where_a_list_wants_to_be_told(run, small):
    small.requests.reset()

    output = run(config_for(small), streams=["iam_keys"])

    assert output.exit_code == 0
    named = [dict(request.query)["AccountSid"] for request in asked(small, "/v1/Keys")]
    assert sorted(named) == sorted(account.sid for account in small.accounts)
