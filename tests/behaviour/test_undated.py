"""Rows without a date: found wherever they stand in a list, whatever ends the run before."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from harness import STREAMS_BY_NAME, assert_complete, config_for, truth, wire_path
from sandbox import Readings, faults
from tap_twilio.engine.null_dates import FIRST_PAGES, IDLE_ROWS

MESSAGES = STREAMS_BY_NAME["messages"]


def undated(twilio):
    return {row["sid"] for row in truth(twilio, MESSAGES) if row["date_sent"] is None}


def is_unfiltered(query):
    return "DateSent>" not in query and "DateSent<" not in query


def walks(twilio):
    """Numbers that pages of the whole list have in their walks, in the order of asking."""
    queries = [dict(one.query) for one in twilio.requests if one.path.endswith("/Messages.json")]
    return [query.get("Page", "0") for query in queries if is_unfiltered(query)]


def walked(twilio):
    """How many pages of the whole list were asked for, by these numbers."""
    return Counter(walks(twilio))


@pytest.fixture
def long_windows(monkeypatch):
    """Windows of several pages, whose links tell places to search from at any time of day."""
    monkeypatch.setattr("tap_twilio.resource.windows.PAGES_PER_WINDOW", 2.5)


@pytest.mark.usefixtures("long_windows")
@pytest.mark.parametrize("nulls", [False, True])
def test_a_long_list_is_searched_from_several_places_and_each_row_comes_once(run, sandbox, nulls):
    twilio = sandbox(
        volumes={"calls": 0, "messages": 900}, subaccounts=1, readings=Readings(nulls=nulls)
    )

    output = run(config_for(twilio, page_size=20), streams=["messages"])

    assert output.exit_code == 0
    assert len(undated(twilio)) > 10
    assert_complete(output, twilio, "messages")
    pages = walked(twilio)
    assert pages["1"] > 5
    # Walks overlap where they meet, but no page is read over and over.
    assert pages.total() < 2 * (900 + 300) / 20
    assert "undated_since" not in str(output.state)


@pytest.mark.usefixtures("long_windows")
def test_a_long_list_is_searched_from_several_places_at_once(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 900}, subaccounts=0, page_latency=0.02)

    output = run(config_for(twilio, page_size=20), streams=["messages"])

    assert output.exit_code == 0
    others = walks(twilio)[FIRST_PAGES:]
    assert others.index("2") > others.index("1") + 5


def test_searches_of_all_accounts_begin_before_their_turn(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 300}, subaccounts=4)

    output = run(config_for(twilio, page_size=20), streams=["messages"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "messages")
    asked = [one for one in twilio.requests if one.path.endswith("/Messages.json")]
    accounts = [one.path.split("/")[-2] for one in asked if is_unfiltered(dict(one.query))]
    begun = [accounts.index(account) for account in set(accounts)]
    assert len(begun) == 5
    first_ends = len(accounts) - 1 - accounts[::-1].index(twilio.account_sid)
    assert max(begun) < first_ends


def test_searches_begin_before_their_turn_though_windows_have_no_room(run, sandbox, monkeypatch):
    volumes = {"calls": 0, "messages": 1200}
    twilio = sandbox(volumes=volumes, subaccounts=4, days=400, page_latency=0.01)
    monkeypatch.setattr("tap_twilio.engine.prefetch.PAGES_PER_REQUEST", 1)

    output = run(config_for(twilio, page_size=20, max_concurrent_requests=4), streams=["messages"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "messages")
    asked = [one for one in twilio.requests if one.path.endswith("/Messages.json")]
    accounts = [one.path.split("/")[-2] for one in asked if is_unfiltered(dict(one.query))]
    begun = [accounts.index(account) for account in set(accounts)]
    assert len(begun) == 5
    first_ends = len(accounts) - 1 - accounts[::-1].index(twilio.account_sid)
    # Where windows hold them up, the third begins when the first ends.
    assert sorted(begun)[2] < first_ends / 2, (sorted(begun), first_ends)


def test_a_search_goes_on_before_its_turn_where_such_rows_recur(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 2400}, subaccounts=1, page_latency=0.01)

    output = run(config_for(twilio, page_size=20), streams=["messages"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "messages")
    asked = [one for one in twilio.requests if one.path.endswith("/Messages.json")]
    accounts = [one.path.split("/")[-2] for one in asked if is_unfiltered(dict(one.query))]
    first_ends = len(accounts) - accounts[::-1].index(twilio.account_sid)
    assert len(accounts) - accounts.count(twilio.account_sid) > 2 * FIRST_PAGES
    before = [account for account in accounts[:first_ends] if account != twilio.account_sid]
    assert len(before) > FIRST_PAGES


@pytest.mark.usefixtures("long_windows")
def test_where_a_link_without_its_filter_is_refused_the_list_is_walked_from_its_top(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 600}, subaccounts=0)
    links = []

    def refuse(reply, request):
        if "DateSent" in request.query_string or "Page=1&" not in request.query_string:
            return reply
        links.append(request.query_string)
        # The first is the list's own: it is asked for before windows give any other.
        if request.query_string == links[0]:
            return reply
        return faults.expired_token()(reply, request)

    twilio.plan(refuse, "/Messages.json")

    output = run(config_for(twilio, page_size=20), streams=["messages"])

    assert len(set(links)) > 1
    assert output.exit_code == 0
    assert_complete(output, twilio, "messages")
    assert "Reading the list from its newest row on" in output.log


def test_a_search_that_failed_is_made_up_for_though_bookmarks_moved(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 600}, days=45, subaccounts=0)
    config = config_for(twilio, page_size=20, max_retries=0)

    def fail(reply, request):
        if "DateSent" in request.query_string:
            return reply
        return faults.answer(500)(reply, request)

    twilio.plan(fail, "/Messages.json")
    first = run(config, streams=["messages"])
    assert first.exit_code != 0
    assert first.bookmark("messages", twilio.account_sid)
    assert "undated_since" in str(first.state)

    twilio.clear_plans()
    second = run(config, streams=["messages"], state=first.state)

    assert second.exit_code == 0
    assert undated(twilio) <= {record["sid"] for record in second.records("messages")}
    assert len(second.records("messages")) < 600 / 2
    assert "undated_since" not in str(second.state)


def test_a_run_with_an_end_leaves_the_search_to_the_next_without(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 600}, days=45, subaccounts=0)
    config = config_for(twilio, page_size=20)
    first = run(config | {"end_date": "P20D"}, streams=["messages"])

    second = run(config, streams=["messages"], state=first.state)

    found = {row["sid"] for output in (first, second) for row in output.records("messages")}
    assert found == {row["sid"] for row in truth(twilio, MESSAGES)}
    assert "undated_since" not in str(second.state)


def test_a_search_that_was_done_is_not_made_again(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 900}, days=45, subaccounts=0)
    config = config_for(twilio, page_size=20)
    first = run(config, streams=["messages"])
    twilio.requests.reset()

    second = run(config, streams=["messages"], state=first.state)

    assert second.exit_code == 0
    assert walked(twilio).total() <= 2 + 900 / 20 / 45 * 3


@pytest.mark.usefixtures("long_windows")
def test_busy_days_are_searched_from_several_places_in_later_runs_too(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 1800}, days=1, subaccounts=0)
    config = config_for(twilio, page_size=20)
    first = run(config, streams=["messages"])
    twilio.requests.reset()

    second = run(config, streams=["messages"], state=first.state)

    assert second.exit_code == 0
    assert walked(twilio)["1"] > 2
    found = {record["sid"] for record in second.records("messages")}
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    new = {row["sid"] for row in truth(twilio, MESSAGES) if row["date_created"] > since}
    assert len(undated(twilio) & new) > 10
    assert undated(twilio) & new <= found


def test_a_first_run_stops_looking_where_all_rows_have_a_date(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 12_000}, days=400, subaccounts=0)
    for row in truth(twilio, MESSAGES):
        if row["date_sent"] is None:
            twilio.delete(row["sid"])

    settings = {"page_size": 100, "start_date": "P399D", "max_concurrent_requests": 16}
    output = run(config_for(twilio, **settings), streams=["messages"])

    assert output.exit_code == 0
    assert walked(twilio).total() <= IDLE_ROWS / 100 + FIRST_PAGES


# --- What waits for its date --------------------------------------------------------------------


@pytest.mark.parametrize("status", [[1], {"a": 1}, 5])
def test_a_status_that_is_none_of_a_row_without_a_date_is_passed_on(run, sandbox, status):
    twilio = sandbox(volumes={"calls": 9, "messages": 0, "notifications": 9}, subaccounts=0)
    row, *_ = truth(twilio, STREAMS_BY_NAME["notifications"])
    twilio.patch(row["sid"], message_date=None, status=status)

    output = run(config_for(twilio), streams=["notifications"])

    assert output.exit_code == 0
    (found,) = [one for one in output.records("notifications") if one["sid"] == row["sid"]]
    assert found["status"] == status


def moved(twilio, monkeypatch, *, ahead=timedelta(0), **time):
    """Let time go by, for the server and for the tap, whose clock may be ahead."""
    twilio.advance(timedelta(**time))
    monkeypatch.setattr("tap_twilio.config.settings.now_utc", lambda: twilio.now + ahead)


def scheduled(twilio, days):
    """A message that was scheduled so many days ago, and waits."""
    sid = "SM" + "5c" * 16
    made = (twilio.now - timedelta(days=days)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    row = truth(twilio, MESSAGES)[0]
    fields = {"sid": sid, "status": "scheduled", "date_sent": None, "price": None}
    dates = {"date_created": made, "date_updated": made}
    twilio.add("api", wire_path(MESSAGES), row | fields | dates)
    return sid


@pytest.mark.parametrize("status", ["canceled", "failed"])
@pytest.mark.parametrize("waited", [1, 20, 34])
def test_a_scheduled_message_that_comes_to_nothing_arrives_as_such(
    run, sandbox, monkeypatch, status, waited
):
    twilio = sandbox(volumes={"calls": 0, "messages": 400}, subaccounts=0, days=60)
    moved(twilio, monkeypatch, seconds=1)
    sid = scheduled(twilio, 0)
    output = run(config_for(twilio), streams=["messages"])
    assert sid in {row["sid"] for row in output.records("messages")}
    for _ in range(3):
        moved(twilio, monkeypatch, days=waited / 4)
        output = run(config_for(twilio), streams=["messages"], state=output.state)

    moved(twilio, monkeypatch, days=waited / 4)
    twilio.patch(sid, status=status)
    output = run(config_for(twilio), streams=["messages"], state=output.state)

    (row,) = [row for row in output.records("messages") if row["sid"] == sid]
    assert row["status"] == status
    for message in truth(twilio, MESSAGES):
        if message["date_sent"] is None:
            twilio.delete(message["sid"])
    output = run(config_for(twilio), streams=["messages"], state=output.state)
    assert "unsettled_since" not in json.dumps(output.state)


def test_nor_does_a_clock_that_is_days_ahead_lose_one(run, sandbox, monkeypatch):
    twilio = sandbox(volumes={"calls": 0, "messages": 40}, subaccounts=0, days=60)
    config, ahead = config_for(twilio, lookback_days=0), timedelta(days=2)
    sid = scheduled(twilio, 0)
    moved(twilio, monkeypatch, ahead=ahead, days=34.5)
    output = run(config, streams=["messages"])
    moved(twilio, monkeypatch, ahead=ahead, hours=1)
    output = run(config, streams=["messages"], state=output.state)

    moved(twilio, monkeypatch, ahead=ahead, hours=1)
    twilio.patch(sid, status="canceled")
    output = run(config, streams=["messages"], state=output.state)

    assert [row["status"] for row in output.records("messages") if row["sid"] == sid] == [
        "canceled"
    ]


def test_a_first_run_finds_what_was_scheduled_long_ago(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 4000}, subaccounts=0, days=40)
    for row in truth(twilio, MESSAGES):
        if row["date_sent"] is None:
            twilio.delete(row["sid"])
    sid = scheduled(twilio, 33)

    output = run(config_for(twilio), streams=["messages"])

    assert sid in {row["sid"] for row in output.records("messages")}


def test_a_page_of_messages_made_long_before_does_not_end_the_search(run, sandbox, monkeypatch):
    twilio = sandbox(volumes={"calls": 0, "messages": 300}, subaccounts=0, days=2)
    moved(twilio, monkeypatch, seconds=1)
    first = run(config_for(twilio), streams=["messages"])
    moved(twilio, monkeypatch, hours=20)
    late = [row for row in truth(twilio, MESSAGES) if row["date_sent"] is not None][:60]
    for row in late:
        twilio.patch(row["sid"], date_created="Thu, 01 Oct 2026 09:00:00 +0000")
    sid = scheduled(twilio, 1.5)

    output = run(config_for(twilio, page_size=20), streams=["messages"], state=first.state)

    assert sid in {row["sid"] for row in output.records("messages")}
