"""Orders of exports: days that lack a file are ordered once, and read by later runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from harness import config_for
from sandbox import faults
from tap_twilio.engine.orders import MOST

MESSAGES = "bulkexports_messages"
CALLS = "bulkexports_calls"
DONE = timedelta(hours=8)
"""Time in which a job for a day's worth of days is done."""


@pytest.fixture
def twilio(sandbox):
    """An account whose clock lies back, so that it can go on for two weeks."""
    now = (datetime.now(UTC) - timedelta(days=15)).replace(hour=12, minute=0, second=0)
    volumes = {"calls": 40, "messages": 400, "bulkexports_jobs": 0}
    twilio = sandbox(now=now.isoformat(), subaccounts=1, days=8, volumes=volumes)
    for account in twilio.accounts:
        # Without a day made by hand, there are others.
        for kind in ("Messages", "Calls"):
            twilio.export(kind, day(twilio, 500), [], account_sid=account.sid)
    return twilio


def day(twilio, ago):
    return (twilio.now - timedelta(days=ago)).date().isoformat()


def ordering(twilio, first, last, **settings):
    """Settings that order days of the main account, as many before today."""
    bulkexport = {"order": True, "from": first, "to": last, "types": ["messages"]}
    bulkexport |= settings.pop("bulkexport", {})
    return config_for(twilio, bulkexport=bulkexport, **{"include_subaccounts": False, **settings})


def orders(twilio):
    return [(job.days[0], job.days[-1]) for job in twilio.exports.jobs]


def posts(twilio):
    return [one.path for one in twilio.requests if one.method != "GET"]


def partition(output, stream=MESSAGES):
    (found,) = output.state["bookmarks"][stream]["partitions"]
    return found


def days_of(output):
    return sorted({row["day"] for row in output.records(MESSAGES)})


@pytest.mark.parametrize("names_days", [True, False])
def test_a_run_orders_what_is_missing_and_the_next_one_reads_it(run, twilio, names_days):
    twilio.exports.names_days = names_days
    first, last, had = day(twilio, 6), day(twilio, 2), day(twilio, 4)
    twilio.export("Messages", had)
    config = ordering(twilio, first, day(twilio, 0))

    ordered = run(config, streams=[MESSAGES, CALLS])
    again = run(config, streams=[MESSAGES, CALLS], state=ordered.state)
    read = posts(twilio)
    twilio.advance(DONE)
    collected = run(config, streams=[MESSAGES, CALLS], state=again.state)
    # All files and jobs are gone by then, and days read are not ordered again.
    twilio.advance(timedelta(days=9))
    config = ordering(twilio, first, last)
    late = run(config, streams=[MESSAGES, CALLS], state=collected.state)

    assert [one.exit_code for one in (ordered, again, collected, late)] == [0, 0, 0, 0]
    # A day that has a file is not ordered, nor is yesterday, nor another type.
    assert orders(twilio) == [(first, day_after(first)), (day_after(had), last)]
    assert {job.kind for job in twilio.exports.jobs} == {"Messages"}
    assert {job.account_sid for job in twilio.exports.jobs} == {twilio.account_sid}
    assert read == posts(twilio) == ["/v1/Exports/Messages/Jobs"] * 2
    sid = twilio.account_sid
    assert f"{MESSAGES}: 4 days ordered for {sid}, 0 waiting" in ordered.log
    assert f"{MESSAGES}: 0 days ordered for {sid}, 4 waiting" in again.log
    assert days_of(ordered) == [had]
    assert days_of(collected) == [first, day_after(first), day_after(had), last]
    assert partition(collected)["days_read"][-1] == f"{first}/{last}"
    # The bookmark waits for what was ordered.
    assert partition(again)["replication_key_value"] < first
    assert partition(collected)["replication_key_value"] == last


def day_after(text):
    return (datetime.fromisoformat(text) + timedelta(days=1)).date().isoformat()


def test_days_without_rows_count_as_read_and_those_that_failed_are_told(run, twilio):
    # The account has messages of eight days.
    first, failed, last = day(twilio, 20), day(twilio, 5), day(twilio, 4)
    twilio.exports.failing.add(failed)
    config = ordering(twilio, first, last)

    ordered = run(config, streams=[MESSAGES])
    twilio.advance(DONE)
    # It may be listed all the same.
    twilio.export("Messages", first, has_file=False)
    told = run(config, streams=[MESSAGES], state=ordered.state)
    twilio.exports.failing.clear()
    twilio.advance(timedelta(days=8))
    anew = run(config, streams=[MESSAGES], state=told.state)
    twilio.advance(DONE)
    mended = run(config, streams=[MESSAGES], state=anew.state)

    assert [one.exit_code for one in (ordered, told, anew, mended)] == [0, 1, 0, 0]
    assert "it stays unread" not in told.log
    assert f"Twilio could not make the files of {failed}. The tap orders them" in told.log
    before = (datetime.fromisoformat(failed) - timedelta(days=1)).date().isoformat()
    assert partition(told)["days_read"][-2:] == [f"{first}/{before}", last]
    assert partition(told)["replication_key_value"] == before
    assert orders(twilio) == [(first, last), (failed, failed)]
    assert days_of(mended) == [failed]
    assert partition(mended)["days_read"][-1] == f"{first}/{last}"
    assert "Traceback" not in told.log


def test_all_accounts_share_what_may_be_ordered_a_day(run, twilio):
    first, last = day(twilio, 400), day(twilio, 2)
    credentials = {one.sid: {"auth_token": one.auth_token} for one in twilio.accounts[1:]}
    config = ordering(
        twilio,
        first,
        last,
        include_subaccounts=True,
        subaccount_credentials=credentials,
        bulkexport={"types": ["messages", "calls"]},
    )
    streams = [MESSAGES, CALLS]

    today = run(config, streams=streams)
    again = run(config, streams=streams, state=today.state)
    by_then = posts(twilio)
    twilio.advance(timedelta(days=1))
    tomorrow = run(config, streams=streams, state=again.state)

    assert [one.exit_code for one in (today, again, tomorrow)] == [0, 0, 0]
    assert len(by_then) == 1
    assert sum(len(job.days) for job in twilio.exports.jobs) == 2 * MOST
    sid = twilio.account_sid
    assert f"{MOST} days ordered for {sid}, 0 waiting, 33 left to order: run again" in today.log
    assert f"{CALLS}: 0 days ordered for {sid}, 0 waiting, 399 left to order" in today.log
    assert f"{MESSAGES}: 33 days ordered for {sid}" in tomorrow.log
    assert "No more days are ordered" not in today.log + again.log + tomorrow.log


def test_what_twilio_takes_no_order_for_waits_until_tomorrow(run, twilio):
    # Somebody else has ordered nearly all of the day.
    other = twilio.exports.route("POST", "bulkexports", "/v1/Exports/Calls/Jobs")
    form = {
        "StartDay": ["2020-01-01"],
        "EndDay": ["2020-12-30"],
        "FriendlyName": ["by hand"],
    }
    other.perform(twilio.accounts[1], "Calls", form)
    config = ordering(twilio, day(twilio, 6), day(twilio, 4))

    refused = run(config, streams=[MESSAGES])
    twilio.advance(timedelta(days=1))
    taken = run(config, streams=[MESSAGES], state=refused.state)

    assert [one.exit_code for one in (refused, taken)] == [0, 0]
    assert "No more days are ordered in this run: /v1/Exports/Messages/Jobs" in refused.log
    assert "run again tomorrow" in refused.log
    assert "3 left to order" in refused.log
    assert "3 days ordered" in taken.log


@pytest.mark.parametrize("effect", [faults.reset(), faults.answer(502)], ids=["lost", "502"])
def test_an_order_whose_answer_is_lost_is_not_made_twice(run, twilio, effect):
    first, had, last = day(twilio, 6), day(twilio, 5), day(twilio, 4)
    twilio.export("Messages", had)
    config = ordering(twilio, first, last)
    lost = twilio.plan(effect, "/Jobs", method="POST", times=1, accepted=True)

    unsure = run(config, streams=[MESSAGES])
    asked = len(posts(twilio))
    after = run(config, streams=[MESSAGES], state=unsure.state)

    assert (lost.hits, asked) == (1, 1)
    assert [one.exit_code for one in (unsure, after)] == [0, 0]
    assert "No more days are ordered in this run" in unsure.log
    assert "0 days ordered" in unsure.log
    assert "2 left to order" in unsure.log
    assert days_of(unsure) == [had]
    assert f"1 days ordered for {twilio.account_sid}, 1 waiting" in after.log
    assert orders(twilio) == [(first, first), (last, last)]
    assert len(posts(twilio)) == 2


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_may_not_order_reads_what_there_is(run, twilio, method, status):
    twilio.export("Messages", day(twilio, 5))
    twilio.plan(faults.answer(status), "/Jobs", method=method)

    output = run(ordering(twilio, day(twilio, 6), day(twilio, 4)), streams=[MESSAGES])

    assert output.exit_code == 0
    assert days_of(output) == [day(twilio, 5)]
    assert f"skipped bulkexports_jobs of {twilio.account_sid}" in output.log
    assert "tomorrow" not in output.log
    assert orders(twilio) == []
    assert len(posts(twilio)) == (method == "POST")


def test_without_the_list_of_orders_none_is_made(run, twilio):
    twilio.plan(faults.answer(500), "/Jobs", method="GET")

    output = run(
        ordering(twilio, day(twilio, 6), day(twilio, 4), max_retries=0), streams=[MESSAGES]
    )

    assert output.exit_code == 1
    assert posts(twilio) == []


@pytest.mark.parametrize(
    ("bulkexport", "more", "streams"),
    [
        (None, {}, [MESSAGES]),
        ({"order": False, "from": "2020-01-01"}, {}, [MESSAGES]),
        ({"order": True, "from": "2020-01-01"}, {"max_records": 2}, [MESSAGES]),
        ({"order": True, "from": "2020-01-01"}, {}, ["bulkexports_days", "bulkexports_jobs"]),
        ({"order": True, "from": "2020-01-01", "types": ["calls"]}, {}, [MESSAGES]),
        ({"order": True, "from": "2020-01-01"}, {"end_date": "2020-01-01"}, [MESSAGES]),
    ],
    ids=["default", "off", "preview", "not selected", "another type", "ended"],
)
def test_nothing_is_ordered_unless_it_is_told_to(run, twilio, bulkexport, more, streams):
    given = {} if bulkexport is None else {"bulkexport": bulkexport}

    output = run(config_for(twilio, **given, **more), streams=streams)

    assert output.exit_code == 0
    # Days that no state takes down would be ordered again and again.
    assert ("keeps no days in its state" in output.log) == ("max_records" in more)
    assert posts(twilio) == []


@pytest.mark.parametrize(
    ("option", "is_refused"),
    [
        ("--test", True),
        ("--test=records", True),
        ("--test=connection", False),
        ("--test=estimate", False),
        ("--discover", False),
    ],
)
def test_a_look_orders_nothing(run, twilio, option, is_refused):
    path = run.folder / "config.json"
    path.write_text(json.dumps(ordering(twilio, day(twilio, 6), day(twilio, 4))))

    output = run.raw("--config", str(path), f"--select={MESSAGES}", option)

    assert ("--test: it orders nothing" in output.log) == is_refused
    assert not is_refused or output.exit_code == 1
    assert posts(twilio) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "bulkexport.from: it is required to order; give the first day"),
        ({"from": "soon"}, "bulkexport.from: 'soon' is not a date"),
        ({"from": "2020-01-02", "to": "2020-01-01"}, "2020-01-02 is after bulkexport.to"),
        ({"from": "2018-01-01"}, "bulkexport.from: 2018-01-01 is before start_date"),
        ({"from": "2020-01-01", "types": []}, "bulkexport.types: it names none"),
        ({"from": "2020-01-01", "types": ["faxes"]}, "bulkexport.types.0: 'faxes'"),
        ({"from": "2020-01-01", "wait": True}, "bulkexport: Additional properties"),
    ],
)
def test_orders_that_make_no_sense_are_refused(run, twilio, given, told):
    config = config_for(twilio, start_date="2019-01-01", bulkexport={"order": True, **given})

    output = run(config, streams=[MESSAGES])

    assert output.exit_code == 1
    assert told in output.log
    assert "Traceback" not in output.log
    assert list(twilio.requests) == []
