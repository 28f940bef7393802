"""Time: two clocks that may differ, years that can't be meant, and rows dated 1970."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness import STREAMS_BY_NAME, config_for, truth
from sandbox import faults

CALLS = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
ALERTS = "/v1/Alerts"
RFC = "%a, %d %b %Y %H:%M:%S +0000"
ISO = "%Y-%m-%dT%H:%M:%SZ"


def at(sandbox, off, **options):
    """A simulated Twilio whose clock is off by this much."""
    now = (datetime.now(UTC) + off).strftime(ISO)
    return sandbox(**{"now": now, "days": 5, "subaccounts": 0, "volumes": {"calls": 20}} | options)


def add_call(twilio, number, moment, **fields):
    date = moment.strftime(RFC)
    twilio.add(
        "api",
        CALLS,
        {"sid": f"CA{number:032x}", "account_sid": twilio.account_sid}
        | {"date_created": date, "start_time": date, **fields},
    )


def bookmark(output, twilio, stream="calls"):
    return datetime.fromisoformat(output.bookmark(stream, twilio.account_sid))


def warnings(output):
    return [line for line in output.log.splitlines() if "This machine's clock is" in line]


# --- Two clocks ----------------------------------------------------------------------------------


def test_no_bookmark_passes_twilios_clock(run, sandbox):
    twilio = at(sandbox, -timedelta(minutes=10))

    first = run(config_for(twilio, lookback_days=0), streams=["calls"])
    new = twilio.now + timedelta(minutes=5)
    add_call(twilio, 1, new)
    twilio.advance(timedelta(minutes=6))
    second = run(config_for(twilio, lookback_days=0), streams=["calls"], state=first.state)

    assert bookmark(first, twilio) < new
    assert f"CA{1:032x}" in {record["sid"] for record in second.records("calls")}


def test_no_bookmark_passes_this_machines_clock(run, sandbox):
    twilio = at(sandbox, timedelta(minutes=10))

    output = run(config_for(twilio), streams=["calls"])

    assert bookmark(output, twilio) <= datetime.now(UTC)


@pytest.mark.parametrize(("minutes", "how"), [(-10, "ahead of"), (10, "behind")])
def test_clocks_that_differ_are_told_of_once(run, sandbox, minutes, how):
    twilio = at(sandbox, timedelta(minutes=minutes), subaccounts=1)

    output = run(config_for(twilio, page_size=5), streams=["calls", "queues"])

    assert output.exit_code == 0
    (warning,) = warnings(output)
    assert f"seconds {how} Twilio's" in warning
    assert any(f" {abs(minutes) * 60 + off} seconds" in warning for off in range(-15, 16))


def test_clocks_that_agree_are_nothing_to_tell(run, sandbox):
    twilio = at(sandbox, timedelta(0))

    assert warnings(run(config_for(twilio), streams=["calls"])) == []


DATES = [
    "soon",
    "",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -1400",
    "Sun, 22 Nov 99999 05:30:56 GMT",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "Sun, 99 Nov 2026 99:99:99 GMT",
    "1 2 3 4 5 6",
    "Sun, 22 Nov 2026 05:30:56 +999999999999",
]


@pytest.mark.parametrize("date", DATES)
def test_a_date_that_is_none_says_nothing(run, sandbox, date):
    twilio = at(sandbox, timedelta(0))
    twilio.plan(lambda reply, _: replace(reply, headers=(*reply.headers, ("Date", date))))
    began = datetime.now(UTC).replace(microsecond=0)

    output = run(config_for(twilio), streams=["calls"])

    assert output.exit_code == 0
    assert warnings(output) == []
    assert began <= bookmark(output, twilio) <= datetime.now(UTC)


def test_a_date_that_is_years_ahead_keeps_nothing_from_being_read(run, sandbox):
    twilio = at(sandbox, timedelta(0))
    date = "Fri, 31 Dec 9999 23:59:59 GMT"
    twilio.plan(lambda reply, _: replace(reply, headers=(*reply.headers, ("Date", date))))

    output = run(config_for(twilio), streams=["calls", "alerts"])

    assert output.exit_code == 0
    assert len(output.records("calls")) == 20
    assert len(output.records("alerts")) == len(truth(twilio, STREAMS_BY_NAME["alerts"])) > 0
    assert bookmark(output, twilio) <= datetime.now(UTC)


def test_a_date_in_any_answer_will_do(run, sandbox):
    twilio = at(sandbox, -timedelta(minutes=10))
    twilio.plan(faults.answer(503), "/Accounts.json", times=1)

    output = run(config_for(twilio), streams=["calls"])

    assert len(warnings(output)) == 1
    assert bookmark(output, twilio) < datetime.now(UTC) - timedelta(minutes=9)


def test_a_bookmark_from_a_clock_that_was_ahead_is_set_right(run, sandbox):
    twilio = at(sandbox, timedelta(0))
    ahead = datetime.now(UTC) + timedelta(hours=3)
    context = {"account_sid": twilio.account_sid}
    partition = {
        "context": context,
        "replication_key": "start_time",
        "replication_key_value": ahead.strftime(ISO),
    }
    state = {"bookmarks": {"calls": {"partitions": [partition]}}}

    first = run(config_for(twilio, lookback_days=0), streams=["calls"], state=state)
    add_call(twilio, 1, twilio.now + timedelta(hours=1))
    twilio.advance(timedelta(hours=2))
    second = run(config_for(twilio, lookback_days=0), streams=["calls"], state=first.state)

    assert bookmark(first, twilio) <= datetime.now(UTC)
    assert f"CA{1:032x}" in {record["sid"] for record in second.records("calls")}


@pytest.mark.parametrize("hours", [-3, 3])
def test_clocks_that_differ_ask_for_all_that_twilio_keeps(run, sandbox, hours):
    twilio = at(sandbox, timedelta(hours=hours), days=2)
    oldest = (twilio.now - timedelta(days=30) + timedelta(hours=1)).strftime(ISO)
    row = twilio.truth("monitor", ALERTS)[0]
    dates = dict.fromkeys(("date_generated", "date_created", "date_updated"), oldest)
    twilio.add("monitor", ALERTS, {**row, "sid": f"NO{1:032x}", **dates})

    output = run(config_for(twilio), streams=["alerts"])

    assert f"NO{1:032x}" in {record["sid"] for record in output.records("alerts")}


def test_a_clock_that_is_behind_asks_for_no_more_than_twilio_keeps(run, sandbox):
    twilio = at(sandbox, timedelta(hours=20), volumes={"calls": 0, "messages": 9}, days=2)
    oldest = (twilio.now - timedelta(days=400) + timedelta(hours=1)).strftime(RFC)
    row = truth(twilio, STREAMS_BY_NAME["messages"])[0]
    dates = dict.fromkeys(("date_created", "date_sent", "date_updated"), oldest)
    twilio.add("api", CALLS.replace("Calls", "Messages"), {**row, "sid": f"SM{1:032x}", **dates})

    output = run(config_for(twilio), streams=["messages"])

    assert f"SM{1:032x}" in {record["sid"] for record in output.records("messages")}


# --- Unchanged rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("ago", [timedelta(minutes=50), timedelta(minutes=2)])
def test_what_changed_while_or_before_a_list_was_read_is_no_unchanged_row(run, sandbox, ago):
    twilio = at(sandbox, timedelta(0), volumes={"calls": 0})
    queues = truth(twilio, STREAMS_BY_NAME["queues"])
    long_ago = (twilio.now - timedelta(days=3)).strftime(RFC)
    for queue in queues:
        twilio.patch(queue["sid"], date_updated=long_ago)
    config = config_for(twilio, skip_unchanged=True)
    first = run(config, streams=["queues"])
    twilio.patch(queues[0]["sid"], date_updated=(twilio.now - ago).strftime(RFC))

    second = run(config, streams=["queues"], state=first.state)

    assert len(first.records("queues")) == len(queues)
    assert [record["sid"] for record in second.records("queues")] == [queues[0]["sid"]]


def test_a_clock_that_is_hours_ahead_loses_no_change(run, sandbox):
    twilio = at(sandbox, -timedelta(hours=5), volumes={"calls": 0})
    queue = truth(twilio, STREAMS_BY_NAME["queues"])[0]["sid"]
    config = config_for(twilio, skip_unchanged=True)
    first = run(config, streams=["queues"])
    twilio.patch(queue, date_updated=(twilio.now + timedelta(minutes=10)).strftime(RFC))
    twilio.advance(timedelta(minutes=20))

    second = run(config, streams=["queues"], state=first.state)

    assert queue in {record["sid"] for record in second.records("queues")}


# --- 1970 ----------------------------------------------------------------------------------------

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("page_size", [5, 1000])
def test_a_row_dated_1970_is_a_row_once(run, sandbox, page_size):
    twilio = at(sandbox, timedelta(0), volumes={"calls": 120})
    add_call(twilio, 1, EPOCH)

    first = run(config_for(twilio, page_size=page_size), streams=["calls", "call_recordings"])
    second = run(config_for(twilio), streams=["calls"], state=first.state)

    sids = [record["sid"] for record in first.records("calls")]
    assert sids.count(f"CA{1:032x}") == 1
    assert sorted(sids) == sorted(row["sid"] for row in truth(twilio, STREAMS_BY_NAME["calls"]))
    assert f"CA{1:032x}" not in {record["sid"] for record in second.records("calls")}


def test_a_row_dated_1970_on_the_first_page_does_not_keep_windows_from_being_split(run, sandbox):
    twilio = at(sandbox, timedelta(0), volumes={"calls": 400}, days=30)
    add_call(twilio, 0, datetime.now(UTC), start_time=EPOCH.strftime(RFC))

    output = run(config_for(twilio, page_size=10), streams=["calls"])

    assert len(output.records("calls")) == 401
    queries = [dict(one.query) for one in twilio.requests if one.path.endswith("/Calls.json")]
    windows = ["StartTime>" in query and "Page" not in query for query in queries]
    assert sum(windows) > 10, "one window has no such bound, and is read page by page"


def test_a_row_made_in_1970_and_never_dated_is_a_row(run, sandbox):
    twilio = at(sandbox, timedelta(0), volumes={"calls": 120})
    add_call(twilio, 1, EPOCH, start_time=None, status="canceled")

    output = run(config_for(twilio, page_size=5), streams=["calls"])

    assert [r["sid"] for r in output.records("calls")].count(f"CA{1:032x}") == 1


def test_a_row_dated_1970_is_none_of_a_range_that_begins_later(run, sandbox):
    twilio = at(sandbox, timedelta(0))
    add_call(twilio, 1, EPOCH)

    output = run(config_for(twilio, start_date="2009-01-01"), streams=["calls"])

    assert f"CA{1:032x}" not in {record["sid"] for record in output.records("calls")}
    assert len(output.records("calls")) == 20
