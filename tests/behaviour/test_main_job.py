"""The main job: what Twilio lists reaches the target, once, typed, and stays up to date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from harness import (
    STREAMS_BY_NAME,
    assert_complete,
    config_for,
    keyed,
    truth,
)
from sandbox import Readings

WINDOWED = ("calls", "messages", "conferences", "recordings", "notifications", "alerts")
WHOLE = (
    "applications",
    "addresses",
    "incoming_phone_numbers",
    "keys",
    "outgoing_caller_ids",
    "queues",
    "transcriptions",
    "usage_triggers",
)
CHILDREN = (
    "call_feedback",
    "call_recordings",
    "call_notifications",
    "message_media",
    "dependent_phone_numbers",
    "queue_members",
    "available_phone_number_countries",
    "available_phone_numbers_local",
    "available_phone_numbers_mobile",
    "available_phone_numbers_toll_free",
)


def moved(moment: str, **delta: float) -> str:
    return (datetime.fromisoformat(moment) + timedelta(**delta)).isoformat()


def test_every_row_of_every_account_arrives_once(run, small):
    output = run(config_for(small), streams=[*WINDOWED, *WHOLE, *CHILDREN])

    assert output.exit_code == 0
    assert_complete(output, small, *WINDOWED, *WHOLE, *CHILDREN)


def test_records_fit_their_schema(run, small):
    output = run(config_for(small), streams=[*WINDOWED, *WHOLE, *CHILDREN, "accounts", "balance"])

    checker = FormatChecker()
    for stream, records in output.by_stream.items():
        validator = Draft202012Validator(output.schemas[stream]["schema"], format_checker=checker)
        for record in records:
            validator.validate(record)


def test_a_row_made_long_before_it_was_sent_does_not_end_the_search_for_undated_ones(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 300}, days=20, subaccounts=0)
    rows = truth(twilio, STREAMS_BY_NAME["messages"])
    newest = max((row for row in rows if row["date_sent"]), key=lambda row: row["date_sent"])
    long_ago = (datetime.now(UTC) - timedelta(days=60)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    twilio.patch(newest["sid"], date_created=long_ago)

    output = run(config_for(twilio, start_date="P30D", page_size=20), streams=["messages"])

    undated = {row["sid"] for row in rows if row["date_sent"] is None}
    assert undated
    assert undated <= {record["sid"] for record in output.records("messages")}


def test_usage_is_each_accounts_own(run, small):
    output = run(config_for(small, start_date="P40D"), streams=["usage_records_this_month"])

    for account in small.accounts:
        own = small.usage(
            "/2010-04-01/Accounts/{AccountSid}/Usage/Records/ThisMonth.json",
            account_sid=account.sid,
            IncludeSubaccounts="false",
        )
        got = {
            record["category"]: record["price"]
            for record in output.records("usage_records_this_month")
            if record["account_sid"] == account.sid
        }
        assert got == {row["category"]: float(row["price"]) for row in own}


def test_each_schema_comes_once_and_before_its_records(run, small):
    output = run(config_for(small), streams=["calls", "call_recordings", "messages"])

    seen: list[str] = []
    for message in output.messages:
        if message["type"] == "SCHEMA":
            assert message["stream"] not in seen
            seen.append(message["stream"])
        elif message["type"] == "RECORD":
            assert message["stream"] in seen


def test_state_has_the_last_word(run, small):
    # target-jsonl, for one, forgets a state that records follow.
    for streams in (["calls", "usage_triggers"], ["queues"]):
        assert run(config_for(small), streams=streams).messages[-1]["type"] == "STATE"


def test_price_keeps_its_decimals(run, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=0)
    sid = truth(twilio, STREAMS_BY_NAME["calls"])[0]["sid"]
    twilio.patch(sid, price="-0.12345678901234567890")

    output = run(config_for(twilio), streams=["calls"])

    assert any('"price":-0.12345678901234567890,' in line for line in output.lines)


def test_auth_token_of_accounts_never_leaves(run, small):
    output = run(config_for(small), streams=["accounts"])

    assert {record["sid"] for record in output.records("accounts")} == {
        account.sid for account in small.accounts
    }
    assert not any("auth_token" in record for record in output.records("accounts"))


def test_second_run_reads_on_from_the_bookmark(run, sandbox):
    twilio = sandbox(volumes={"calls": 4000, "messages": 3000}, days=40)
    first = run(config_for(twilio), streams=["calls", "messages"])
    requests_before = twilio.requests.total
    twilio.advance(timedelta(hours=12))

    second = run(config_for(twilio), streams=["calls", "messages"], state=first.state)

    assert second.exit_code == 0
    for name in ("calls", "messages"):
        merged = keyed(first.records(name), ["sid"]) | keyed(second.records(name), ["sid"])
        want = keyed(truth(twilio, STREAMS_BY_NAME[name]), ["sid"])
        assert merged.keys() == want.keys()
        assert all(merged[sid]["status"] == row["status"] for sid, row in want.items())
    assert len(second.records("calls")) < len(first.records("calls")) / 4
    assert twilio.requests.total - requests_before < requests_before


def test_accounts_whose_data_ages_differ_lose_nothing(run, sandbox):
    twilio = sandbox(volumes={"calls": 10, "messages": 0})
    main, sub = twilio.accounts
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.delete(row["sid"])
    run_at = datetime.now(UTC)
    for account, age in ((main, 1), (sub, 20)):
        start = (run_at - timedelta(days=age)).strftime("%a, %d %b %Y %H:%M:%S +0000")
        twilio.add(
            "api",
            "/2010-04-01/Accounts/{AccountSid}/Calls.json",
            {
                "sid": f"CA{age:032x}",
                "account_sid": account.sid,
                "date_created": start,
                "start_time": start,
            },
            account_sid=account.sid,
        )

    output = run(config_for(twilio, start_date="P30D"), streams=["calls"])

    assert {record["sid"] for record in output.records("calls")} == {
        f"CA{1:032x}",
        f"CA{20:032x}",
    }


@pytest.mark.parametrize("before", ["exclusive", "inclusive", "day"])
@pytest.mark.parametrize("after", ["inclusive", "exclusive"])
@pytest.mark.parametrize("precision", ["second", "day"])
@pytest.mark.parametrize("nulls", [False, True])
def test_no_reading_of_the_date_operators_loses_or_doubles_a_row(  # noqa: PLR0913, PLR0917
    run, sandbox, before, after, precision, nulls
):
    twilio = sandbox(
        volumes={"calls": 250, "messages": 250},
        readings=Readings(before=before, after=after, precision=precision, nulls=nulls),
    )

    output = run(config_for(twilio, page_size=20), streams=WINDOWED)

    assert output.exit_code == 0
    assert_complete(output, twilio, *WINDOWED)


@pytest.mark.parametrize("before", ["exclusive", "inclusive", "day"])
@pytest.mark.parametrize("precision", ["second", "day"])
def test_busy_days_are_read_whole_whether_or_not_the_time_is_heeded(
    run, sandbox, before, precision
):
    twilio = sandbox(
        volumes={"calls": 700, "messages": 300},
        days=3,
        subaccounts=0,
        readings=Readings(before=before, precision=precision),
    )

    output = run(config_for(twilio, page_size=50), streams=["calls", "messages"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls", "messages")


def test_ranges_that_meet_hold_each_row_once(run, small):
    days = [60, 31, 30, 12.5, 5, 0]
    sids: list[str] = []
    for oldest, newest in pairwise(days):
        now = datetime.now(UTC)
        dates = {"start_date": (now - timedelta(days=oldest)).isoformat()}
        if newest:
            dates["end_date"] = (now - timedelta(days=newest)).isoformat()
        output = run(config_for(small, **dates), streams=["calls"])
        sids += [r["sid"] for r in output.records("calls") if r["start_time"]]

    dated = [row["sid"] for row in truth(small, STREAMS_BY_NAME["calls"]) if row["start_time"]]
    # The cuts are moments of different runs: a row may fall between two of them by seconds.
    assert len(sids) == len(set(sids))
    assert len(set(dated) - set(sids)) <= 1


def test_one_day_is_that_day(run, small):
    day = (datetime.now(UTC) - timedelta(days=10)).date()
    config = config_for(
        small, start_date=day.isoformat(), end_date=(day + timedelta(days=1)).isoformat()
    )

    output = run(config, streams=["calls", "messages", "usage_records_daily"])

    dates = {record["start_time"][:10] for record in output.records("calls")}
    assert dates == {day.isoformat()}
    assert {record["start_date"] for record in output.records("usage_records_daily")} == {
        day.isoformat()
    }


def test_bookmarks_are_each_accounts_own_and_never_pass_the_run(run, small):
    # Both clocks are cut to the second, and that of the server began at a full one.
    began = datetime.now(UTC) - timedelta(seconds=2)
    output = run(config_for(small), streams=["calls", "call_recordings"])

    for account in small.accounts:
        for name in ("calls", "call_recordings"):
            bookmark = datetime.fromisoformat(output.bookmark(name, account.sid))
            assert began <= bookmark <= datetime.now(UTC)


def test_bookmarks_never_move_back(run, sandbox):
    twilio = sandbox(volumes={"calls": 500, "messages": 500})
    state = run(config_for(twilio), streams=["calls", "messages"]).state
    for _ in range(2):
        output = run(config_for(twilio), streams=["calls", "messages"], state=state)
        for name in ("calls", "messages"):
            for account in twilio.accounts:
                before = next(
                    p["replication_key_value"]
                    for p in state["bookmarks"][name]["partitions"]
                    if p["context"]["account_sid"] == account.sid
                )
                for message in output.of_type("STATE"):
                    partitions = message["value"]["bookmarks"][name]["partitions"]
                    for partition in partitions:
                        if partition["context"]["account_sid"] == account.sid:
                            assert partition["replication_key_value"] >= before
        state = output.state


def test_state_does_not_grow_with_rows(run, sandbox):
    sizes = []
    for calls in (100, 1000):
        twilio = sandbox(volumes={"calls": calls, "messages": 100})
        output = run(config_for(twilio), streams=["calls", "call_recordings", "messages"])
        sizes.append(len(str(output.state)))
    assert sizes[0] == sizes[1]


def test_a_grandchild_alone_is_read(run, small):
    output = run(config_for(small), streams=["message_media"])

    assert_complete(output, small, "message_media")
    assert set(output.by_stream) == {"message_media"}


def test_selecting_the_parent_later_still_reads_it_whole(run, small):
    state = run(config_for(small), streams=["call_recordings"]).state

    output = run(config_for(small), streams=["calls", "call_recordings"], state=state)

    assert_complete(output, small, "calls")


def test_messages_without_media_are_not_asked_for_any(run, small):
    small.requests.reset()
    run(config_for(small), streams=["message_media"])

    with_media = [row for row in truth(small, STREAMS_BY_NAME["messages"]) if row["num_media"]]
    asked = [request for request in small.requests if "/Media.json" in request.path]
    assert len(asked) == len(with_media)


def test_full_table_reads_all_and_moves_no_bookmark(run, small):
    first = run(config_for(small), streams=["calls"])
    catalog = run.discover()
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = stream["tap_stream_id"] == "calls"
        if stream["tap_stream_id"] == "calls":
            stream["replication_method"] = "FULL_TABLE"

    output = run(config_for(small), catalog=catalog, state=first.state)

    assert_complete(output, small, "calls")
    assert output.state == first.state


def test_deselected_properties_stay_out(run, small):
    catalog = run.discover()
    for stream in catalog["streams"]:
        wanted = stream["tap_stream_id"] == "messages"
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = wanted
            if entry["breadcrumb"] == ["properties", "body"]:
                entry["metadata"]["selected"] = False

    output = run(config_for(small), catalog=catalog)

    assert output.records("messages")
    assert not any("body" in record for record in output.records("messages"))


def test_stream_maps_and_flattening_work(run, small):
    config = config_for(
        small,
        stream_maps={"calls": {"sid": "sid", "seconds": "duration", "__else__": None}},
        flattening_enabled=True,
        flattening_max_depth=1,
    )

    output = run(config, streams=["calls", "recordings"])

    assert all(set(record) == {"sid", "seconds"} for record in output.records("calls"))
    assert any(
        "subresource_uris__transcriptions" in r for r in output.records("recordings")
    ) or all(not isinstance(r.get("subresource_uris"), dict) for r in output.records("recordings"))


def test_unknown_fields_pass_with_one_warning(run, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=0)
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], brand_new={"a": [1]})

    output = run(config_for(twilio), streams=["calls"])

    assert all(record["brand_new"] == {"a": [1]} for record in output.records("calls"))
    assert output.log.count("field 'brand_new'") == 1


def test_values_of_the_wrong_type_become_text_or_null_with_one_warning(run, sandbox):
    twilio = sandbox(volumes={"calls": 3, "messages": 0}, subaccounts=0)
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], duration="a while", to={"deep": 1}, start_time=None)

    output = run(config_for(twilio), streams=["calls"])

    records = output.records("calls")
    assert len(records) == 3
    assert all(record["duration"] is None for record in records)
    assert all(record["to"] == '{"deep":1}' for record in records)
    assert output.log.count("field 'duration'") == 1


def test_filters_are_the_endpoints_own(run, small):
    filters = {"calls": {"status": ["completed", "busy"]}, "alerts": {"log_level": "error"}}

    output = run(config_for(small, filters=filters), streams=["calls", "alerts"])

    want = [
        row["sid"]
        for row in truth(small, STREAMS_BY_NAME["calls"])
        if row["status"] in {"completed", "busy"}
    ]
    assert sorted(record["sid"] for record in output.records("calls")) == sorted(want)
    assert {record["log_level"] for record in output.records("alerts")} == {"error"}


def test_a_preview_takes_few_rows_and_moves_no_bookmark(run, small):
    output = run(config_for(small, max_records=7), streams=["calls", "queues"])

    for account in small.accounts:
        rows = [r for r in output.records("calls") if r["account_sid"] == account.sid]
        assert len(rows) == 7
        assert output.bookmark("calls", account.sid) is None


def test_no_page_is_built_and_none_is_too_large(run, small):
    small.requests.reset()
    output = run(config_for(small, page_size=20), streams=["calls", "alerts", "queues"])

    assert output.exit_code == 0
    for request in small.requests:
        query = dict(request.query)
        assert request.status == 200
        assert "PageToken" in query or query.get("Page", "0") == "0"


def test_conferences_of_every_status_arrive(run, small):
    output = run(config_for(small), streams=["conferences"])

    assert {record["status"] for record in output.records("conferences")} == {
        row["status"] for row in truth(small, STREAMS_BY_NAME["conferences"])
    }


def test_alerts_of_subaccounts_are_read_with_their_own_token(run, sandbox):
    # Twilio forgets alerts after 30 days: none is about to go while this runs.
    twilio = sandbox(volumes={"calls": 100, "messages": 100}, days=29)

    output = run(config_for(twilio), streams=["alerts"])

    assert_complete(output, twilio, "alerts")
    assert {record["account_sid"] for record in output.records("alerts")} == {
        account.sid for account in twilio.accounts
    }


def test_unchanged_rows_can_be_left_out(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=1)
    config = config_for(twilio, skip_unchanged=True)
    first = run(config, streams=["queues", "queue_members", "applications"])
    assert_complete(first, twilio, "queues", "applications")
    changed = truth(twilio, STREAMS_BY_NAME["queues"])[0]["sid"]
    in_a_moment = (datetime.now(UTC) + timedelta(seconds=5)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    twilio.patch(changed, date_updated=in_a_moment)

    second = run(config, streams=["queues", "queue_members", "applications"], state=first.state)

    assert [record["sid"] for record in second.records("queues")] == [changed]
    assert second.records("applications") == []
    assert_complete(second, twilio, "queue_members")


def test_a_state_that_an_earlier_version_wrote_is_read_on(run, sandbox):
    twilio = sandbox(volumes={"calls": 90, "messages": 90}, subaccounts=0, days=40)
    sid = twilio.account_sid
    since = {days: f"{twilio.now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (5, 9, 20)}

    def held(**one):
        return {"partitions": [{"context": {"account_sid": sid}, **one}]}

    state = {
        "bookmarks": {
            "calls": held(replication_key="start_time", replication_key_value=since[5]),
            "messages": held(
                replication_key="date_sent",
                replication_key_value=since[5],
                undated_since=since[20],
                unsettled_since=since[9],
            ),
            "alerts": {"replication_key": "date_generated", "replication_key_value": since[5]},
            "call_events": held(refused={"call_sid": "CA" + "0" * 32}),
        }
    }
    output = run(config_for(twilio), streams=[*state["bookmarks"]], state=state)

    assert output.exit_code == 0
    lookback = STREAMS_BY_NAME["calls"].lookback
    oldest = f"{twilio.now - timedelta(days=5) - lookback:%Y-%m-%dT%H:%M}"
    dated = [row["start_time"] for row in output.records("calls") if row["start_time"]]
    assert oldest <= min(dated) < since[5]
    undated = {
        row["sid"]
        for row in truth(twilio, STREAMS_BY_NAME["messages"])
        if row["date_sent"] is None and row["date_created"] >= since[20]
    }
    assert undated <= {row["sid"] for row in output.records("messages")}
    assert all(output.bookmark(name, sid) > since[5] for name in ("calls", "messages", "alerts"))
    asked = [one.path for one in twilio.requests]
    assert any(path.endswith(f"/Calls/CA{'0' * 32}/Events.json") for path in asked)
    assert not {"undated_since", "refused"} & set(str(output.state).split("'"))
