"""Planning: what is asked covers all that is wanted, and of what comes exactly that is kept."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from tap_twilio.http.errors import AbsentError
from tap_twilio.pages import Page, Request
from tap_twilio.planning import LAST
from tap_twilio.records.convert import Converter
from tap_twilio.resource.windows import DAY, EPOCH, SECOND, DateFilter, Window, iso
from tap_twilio.streams.api import Calls, Messages, Queues
from tap_twilio.undated import FIRST_PAGES, Mark, Reach, Undated
from tests.unit.taps import (
    ACCOUNT,
    MARK,
    MOMENT,
    NOW,
    PII_KEY,
    SUBACCOUNT,
    WHOSE,
    make_stream,
    make_tap,
    state_of,
    utc,
    warnings_of,
)


def written(window):
    return window and (iso(window.start)[:-1], window.end and iso(window.end)[:-1])


def plan_of(stream, context=WHOSE):
    """Give windows, oldest first, each with the parameters of its chains."""
    return [
        (written(window), [request.params for request in chains])
        for window, chains in stream.plan(context, (0,))
    ]


def request_of(stream, **options):
    order = options.pop("order", (0, 1, 0, 0))
    return Request(
        stream, options.pop("context", WHOSE), order, options.pop("params", {}), **options
    )


def page_of(stream, rows, *, link=None, page_size=None, size=100, **request):
    """Give a page as it was fetched."""
    raw = None if rows is None else Raw(json.dumps(rows).encode())
    return Page(raw, size, size, page_size, link, request_of(stream, **request))


def opened(stream, rows, **options):
    page = page_of(stream, rows, **options)
    stream.open(page)
    return page


def sids(page):
    return [record.get("sid") for record in page.records]


# --- Request chains ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config", "chains"),
    [
        ("queues", {}, [{}]),
        ("usage_records", {}, [{"IncludeSubaccounts": "false"}]),
        ("recordings", {}, [{}]),
        ("recordings", {"include_deleted_recordings": True}, [{"IncludeSoftDeleted": "true"}]),
        (
            "conferences",
            {},
            [{"Status": "init"}, {"Status": "in-progress"}, {"Status": "completed"}],
        ),
        ("conferences", {"filters": {"conferences": {"status": "init"}}}, [{"Status": "init"}]),
        (
            "conferences",
            {"filters": {"conferences": {"friendly_name": "a"}, "calls": {"to": "b"}}},
            [
                {"Status": "init", "FriendlyName": "a"},
                {"Status": "in-progress", "FriendlyName": "a"},
                {"Status": "completed", "FriendlyName": "a"},
            ],
        ),
        (
            "calls",
            {"filters": {"calls": {"to": ["1", "2"], "from": "3"}}},
            [{"To": "1", "From": "3"}, {"To": "2", "From": "3"}],
        ),
    ],
)
def test_there_is_a_chain_for_each_combination_of_values(name, config, chains):
    assert make_stream(name, **config).chain_params == chains


def test_a_chain_has_the_streams_own_params_too():
    stream = make_stream("usage_records", filters={"usage_records": {"category": ["a", "b"]}})

    assert stream.chain_params == [
        {"IncludeSubaccounts": "false", "Category": "a"},
        {"IncludeSubaccounts": "false", "Category": "b"},
    ]


def test_there_is_a_read_for_each_combination_of_path_values():
    class Odd(Queues):
        path_values: ClassVar = {"kind": ("a", "b"), "size": ("s", "l")}

    assert make_stream("queues").variants == [{}]
    assert make_stream(Odd).variants == [
        {"kind": kind, "size": size} for kind, size in itertools.product("ab", "sl")
    ]


# --- Plans ---------------------------------------------------------------------------------------


def test_a_list_without_dates_is_read_whole():
    stream = make_stream("queues")
    ((window, (request,)),) = stream.plan(WHOSE, (5, 6))

    assert window is None
    assert request == Request(stream, WHOSE, (5, 6, 0, 0, 0), {})


@pytest.mark.parametrize(
    ("config", "params"),
    [
        ({}, {}),
        ({"start_date": "2026-11-01T10:00:00Z"}, {"StartDate": "2026-11-01"}),
        # The last moment before the end counts.
        ({"end_date": "2026-11-05"}, {"EndDate": "2026-11-04"}),
        ({"end_date": "2026-11-05T00:00:01Z"}, {"EndDate": "2026-11-05"}),
        (
            {"start_date": "2026-11-01", "end_date": "2026-11-05"},
            {"StartDate": "2026-11-01", "EndDate": "2026-11-04"},
        ),
    ],
)
def test_sums_are_bounded_by_the_days_of_the_settings(config, params):
    plan = plan_of(make_stream("usage_records", **config))

    assert plan == [(None, [{"IncludeSubaccounts": "false"} | params])]


def test_other_lists_are_not_bounded_by_the_settings():
    assert plan_of(make_stream("queues", start_date="2026-11-01")) == [(None, [{}])]


def test_a_parents_sid_may_be_a_parameter():
    stream = make_stream("iam_keys")

    assert plan_of(stream) == [(None, [{"AccountSid": ACCOUNT}])]


UNDATED_CALLS = [{"Status": one} for one in ("queued", "ringing", "canceled", "failed")]


@pytest.mark.parametrize(
    ("name", "mark", "config", "plan"),
    [
        ("calls", None, {}, [(("2008-01-01T00:00:00", None), [{}]), (None, UNDATED_CALLS)]),
        (
            "calls",
            MARK,
            {},
            [
                (("2026-11-07T08:00:00", None), [{"StartTime>": "2026-11-07T07:59:59Z"}]),
                (None, UNDATED_CALLS),
            ],
        ),
        (
            "calls",
            MARK,
            {"end_date": "2026-11-12"},
            [
                (
                    ("2026-11-07T08:00:00", "2026-11-12T00:00:00"),
                    [{"StartTime>": "2026-11-07T07:59:59Z", "StartTime<": "2026-11-12T00:00:01Z"}],
                ),
            ],
        ),
        ("calls", MARK, {"end_date": "2026-11-01"}, []),
        (
            "messages",
            MARK,
            {},
            [
                (("2026-10-26T08:00:00", None), [{"DateSent>": "2026-10-26T07:59:59Z"}]),
                (None, [{}]),
            ],
        ),
        (
            "recordings",
            MARK,
            {"include_deleted_recordings": True},
            [
                (
                    ("2026-11-07T08:00:00", None),
                    [{"DateCreated>": "2026-11-07T07:59:59Z", "IncludeSoftDeleted": "true"}],
                )
            ],
        ),
        (
            "usage_records_daily",
            "2024-01-01",
            {},
            [
                (
                    ("2023-12-29T00:00:00", "2024-12-29T00:00:00"),
                    [
                        {
                            "IncludeSubaccounts": "false",
                            "StartDate": "2023-12-28",
                            "EndDate": "2024-12-29",
                        }
                    ],
                ),
                (
                    ("2024-12-29T00:00:00", "2025-12-30T00:00:00"),
                    [
                        {
                            "IncludeSubaccounts": "false",
                            "StartDate": "2024-12-28",
                            "EndDate": "2025-12-30",
                        }
                    ],
                ),
                (
                    ("2025-12-30T00:00:00", None),
                    [
                        {
                            "IncludeSubaccounts": "false",
                            "StartDate": "2025-12-29",
                            "EndDate": "2026-11-22",
                        }
                    ],
                ),
            ],
        ),
    ],
)
def test_windows_lead_from_the_bookmark_to_the_end(name, mark, config, plan):
    state = {} if mark is None else state_of(**{name: mark})

    assert plan_of(make_stream(name, state=state, **config)) == plan


def test_a_list_of_several_chains_is_read_by_windows_that_are_short_where_they_are_new():
    plan = plan_of(make_stream("conferences"))

    statuses = [params["Status"] for params in plan[0][1]]
    assert statuses == ["init", "in-progress", "completed"]
    assert [window for window, _ in plan] == [
        ("2008-01-01T00:00:00", "2025-11-20T00:00:00"),
        ("2025-11-20T00:00:00", "2026-07-23T00:00:00"),
        ("2026-07-23T00:00:00", "2026-10-21T00:00:00"),
        ("2026-10-21T00:00:00", "2026-11-13T00:00:00"),
        ("2026-11-13T00:00:00", None),
    ]


def test_a_list_of_two_chains_is_read_so_too_and_cut_where_streams_below_were_read_up_to():
    marks = {"conferences": "2026-11-18T00:00:00Z", "conference_recordings": "2026-11-15T10:00:00Z"}
    tap = make_tap(
        *marks,
        state=state_of(**marks),
        filters={"conferences": {"status": ["init", "completed"]}},
        lookback_days=10,
    )

    plan = plan_of(tap.streams["conferences"])

    assert [window for window, _ in plan] == [
        ("2026-11-05T00:00:00", "2026-11-08T00:00:00"),
        ("2026-11-08T00:00:00", "2026-11-13T00:00:00"),
        ("2026-11-13T00:00:00", None),
    ]
    assert {len(chains) for _, chains in plan} == {2}


def test_places_are_in_the_order_of_emission():
    stream = make_stream("conferences")
    requests = [one for _, chains in stream.plan(WHOSE, (7, 3)) for one in chains]

    assert [one.order for one in requests] == [
        (7, 3, window, chain, 0) for window in range(1, 6) for chain in range(3)
    ]
    assert [one.window for one in requests[::3]] == [
        window for window, _ in stream.plan(WHOSE, (7, 3))
    ]
    assert all(one.context is WHOSE and one.stream is stream for one in requests)


def test_a_range_is_cut_where_streams_below_were_read_up_to():
    tap = make_tap(
        "calls",
        "call_recordings",
        state=state_of(calls=MARK, call_recordings="2026-11-01T00:00:00Z"),
    )
    calls, recordings = tap.streams["calls"], tap.streams["call_recordings"]

    requests = [chains[0] for window, chains in calls.plan(WHOSE, (0,)) if window]

    assert [written(one.window) for one in requests] == [
        ("2026-10-29T00:00:00", "2026-11-07T08:00:00"),
        ("2026-11-07T08:00:00", None),
    ]
    news = [[calls.is_news(one, [stream]) for stream in (calls, recordings)] for one in requests]
    assert news == [[False, True], [True, True]]


def test_a_window_that_nobody_wants_any_more_is_not_asked_for():
    tap = make_tap(
        "calls",
        "call_recordings",
        state=state_of(calls=MARK, call_recordings="2026-11-01T00:00:00Z"),
    )
    calls = tap.streams["calls"]
    calls.starts(WHOSE)
    tap.run.refused.add(("call_recordings", ACCOUNT))

    windows = [written(window) for window, _ in calls.plan(WHOSE, (0,)) if window]

    assert windows == [("2026-11-07T08:00:00", None)]


@settings(max_examples=25)
@given(
    name=st.sampled_from(["calls", "conferences", "usage_records_daily", "recordings"]),
    mark=st.none() | st.datetimes(utc("2009-01-01").replace(tzinfo=None), NOW.replace(tzinfo=None)),
    end=st.none() | st.datetimes(utc("2009-06-01").replace(tzinfo=None), NOW.replace(tzinfo=None)),
    days=st.none() | st.integers(0, 60),
)
def test_what_is_asked_covers_all_from_the_bookmark_less_the_look_back_to_the_end(
    name, mark, end, days
):
    config = {} if days is None else {"lookback_days": days}
    state = {}
    if end is not None:
        config["end_date"] = iso(utc(str(end.replace(microsecond=0))))
    if mark is not None:
        state = state_of(**{name: iso(utc(str(mark.replace(microsecond=0))))})
    stream = make_stream(name, state=state, **config)

    groups = [(window, chains) for window, chains in stream.plan(WHOSE, (0,)) if window]

    if not groups:
        assert stream.range(WHOSE) is None
        return
    first, last = groups[0][0], groups[-1][0]
    bookmark = stream.bookmark(WHOSE)
    lookback = stream.lookback if days is None else days * DAY
    assert first.start <= (EPOCH if bookmark is None else max(EPOCH, bookmark - lookback))
    assert (last.end is None) == (end is None)
    for (one, _), (following, _) in pairwise(groups):
        assert one.end == following.start
        assert one.start < one.end
    if last.end is not None:
        assert last.end > utc(str(end.replace(microsecond=0))) - DAY
    after, before = stream.window.names
    for window, chains in groups:
        assert len(chains) == len(stream.chain_params)
        for request in chains:
            assert request.window == window
            if window.start > EPOCH:
                assert request.params[after][:19] <= iso(window.start)[:-1]
            else:
                assert after not in request.params
            if window.end is not None:
                last_moment = iso(window.end - SECOND)
                assert request.params[before] >= last_moment[: len(request.params[before])]


# --- Rows without a date -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "wants"),
    [(None, True), (iso(NOW), True), ("2026-11-20T12:34:55Z", False), ("2027-01-01", True)],
)
def test_rows_without_a_date_are_for_the_run_that_is_open_at_its_end(end, wants):
    config = {} if end is None else {"end_date": end}
    stream = make_stream("messages", **config)

    assert stream.wants_undated is wants
    assert len(stream.searches(WHOSE, (0,))) == wants


@pytest.mark.parametrize(
    ("name", "noted", "config", "floor", "recent"),
    [
        # Without bookmark, from the start; surely as far back as rows may still change.
        ("calls", {}, {}, "2008-01-01T00:00:00", "2026-11-18T12:34:56"),
        ("messages", {}, {}, "2008-01-01T00:00:00", "2026-10-15T12:34:56"),
        ("calls", {}, {"start_date": "2026-11-01"}, "2026-11-01T00:00:00", "2026-11-18T12:34:56"),
        ("calls", {}, {"start_date": "2026-11-20"}, "2026-11-20T00:00:00", "2026-11-20T00:00:00"),
        (
            "messages",
            {},
            {"start_date": "2026-11-01"},
            "2026-11-01T00:00:00",
            "2026-11-01T00:00:00",
        ),
        # From the bookmark, two days back.
        ("messages", MARK, {}, "2026-11-08T08:00:00", "2026-11-08T08:00:00"),
        ("calls", MARK, {}, "2026-11-08T08:00:00", "2026-11-08T08:00:00"),
        # The look-back of the settings makes it more, never less.
        ("messages", MARK, {"lookback_days": 5}, "2026-11-05T08:00:00", "2026-11-05T08:00:00"),
        ("messages", MARK, {"lookback_days": 1}, "2026-11-08T08:00:00", "2026-11-08T08:00:00"),
        ("messages", MARK, {"lookback_days": 0}, "2026-11-08T08:00:00", "2026-11-08T08:00:00"),
        ("calls", {}, {"lookback_days": 5}, "2008-01-01T00:00:00", "2026-11-15T12:34:56"),
        ("messages", {}, {"lookback_days": 50}, "2008-01-01T00:00:00", "2026-10-01T12:34:56"),
        # Never before the start, unless the look-back is longer.
        (
            "messages",
            MARK,
            {"start_date": "2026-11-09"},
            "2026-11-09T00:00:00",
            "2026-11-09T00:00:00",
        ),
        (
            "messages",
            {},
            {"start_date": "2026-11-15", "lookback_days": 10},
            "2026-11-10T12:34:56",
            "2026-11-10T12:34:56",
        ),
        (
            "messages",
            MARK,
            {"start_date": "2026-11-01", "lookback_days": 1},
            "2026-11-08T08:00:00",
            "2026-11-08T08:00:00",
        ),
        # As far back as a row waits for its date.
        (
            "messages",
            {"unsettled_since": "2026-10-20T00:00:00Z"},
            {},
            "2026-10-20T00:00:00",
            "2026-10-20T00:00:00",
        ),
        (
            "messages",
            {"unsettled_since": "2026-11-09T00:00:00Z"},
            {},
            "2026-11-08T08:00:00",
            "2026-11-08T08:00:00",
        ),
        # As far back as was never searched.
        (
            "messages",
            {"undated_since": "2026-09-01T00:00:00Z"},
            {},
            "2026-09-01T00:00:00",
            "2026-11-08T08:00:00",
        ),
        (
            "messages",
            {"undated_since": "2026-11-09T00:00:00Z"},
            {},
            "2026-11-08T08:00:00",
            "2026-11-08T08:00:00",
        ),
    ],
)
def test_rows_without_a_date_are_searched_for_as_far_back_as_they_may_be(
    name, noted, config, floor, recent
):
    held = noted
    if isinstance(noted, dict) and noted:
        held = {ACCOUNT: {"replication_key": "date_sent", "replication_key_value": MARK} | noted}
    stream = make_stream(name, state=state_of(**{name: held}) if held else {}, **config)

    search = stream.search(WHOSE)

    assert (iso(search.floor)[:-1], iso(search.recent)[:-1]) == (floor, recent)


def test_a_search_counts_back_from_the_clock_that_is_behind():
    stream = make_stream("calls", clock=utc("2026-11-15T00:00:00"))

    assert stream.search(WHOSE).recent == utc("2026-11-13T00:00:00")


def test_a_search_stays_as_it_was_when_the_run_began():
    stream = make_stream("messages", state=state_of(messages=MARK))
    before = stream.search(WHOSE)
    stream.move_bookmark(WHOSE, NOW)

    assert stream.search(WHOSE) is before
    other = stream.search({"account_sid": SUBACCOUNT})
    assert other.floor == EPOCH


class Keyless(Messages):
    primary_keys = ()


@pytest.mark.parametrize(
    ("stream", "config", "shared"),
    [
        ("messages", {}, True),
        ("messages", {"filters": {"messages": {"to": "1"}}}, True),
        ("messages", {"filters": {"messages": {"to": ["1", "2"]}}}, False),
        ("calls", {}, False),
        (Keyless, {}, False),
    ],
)
def test_a_search_shares_the_list_of_the_windows_where_there_is_one(stream, config, shared):
    stream = make_stream(stream, **config)

    assert stream.search(WHOSE).shared is shared
    assert {one.light for one in stream.searches(WHOSE, (0,))} == {shared}


@pytest.mark.parametrize("name", ["queues", "recordings", "usage_records_daily"])
def test_where_every_row_has_a_date_nothing_is_searched_for(name):
    stream = make_stream(name)

    assert stream.search(WHOSE) is None
    assert stream.searches(WHOSE, (0,)) == []


def test_where_nothing_is_read_nothing_is_searched_for():
    stream = make_stream("messages")
    stream.run.refused.add(("messages", ACCOUNT))

    assert stream.searches(WHOSE, (0,)) == []
    assert plan_of(stream) == []


@pytest.mark.parametrize(
    ("config", "params"),
    [
        ({}, UNDATED_CALLS),
        ({"filters": {"calls": {"status": "failed"}}}, [{"Status": "failed"}]),
        ({"filters": {"calls": {"status": ["failed", "completed"]}}}, [{"Status": "failed"}]),
        ({"filters": {"calls": {"status": "completed"}}}, []),
        (
            {"filters": {"calls": {"to": ["1", "2"]}}},
            [{"To": to} | status for to in "12" for status in UNDATED_CALLS],
        ),
    ],
)
def test_lists_to_search_are_those_of_the_filters(config, params):
    stream = make_stream("calls", **config)

    found = stream.searches(WHOSE, (4,))

    assert [one.params for one in found] == params
    assert [one.order for one in found] == [(4, LAST, n, 0, 0) for n in range(len(params))]
    assert all(one.undated is stream.search(WHOSE) and one.window is None for one in found)
    assert all(one.context is WHOSE for one in found)
    groups = [
        [one.params for one in chains] for window, chains in stream.plan(WHOSE, (4,)) if not window
    ]
    assert groups == ([params] if params else [])


# --- Rows as they are typed ----------------------------------------------------------------------


def test_rows_are_typed_and_lack_no_parent():
    page = opened(make_stream("queues"), [{"sid": "QU1", "current_size": "3", "auth_token": "s"}])

    assert page.records == [{"sid": "QU1", "current_size": 3, "account_sid": ACCOUNT}]
    assert page.received == 1
    assert page.rows is None


def test_a_record_lifts_what_lies_within_it():
    stream = make_stream("wireless_usage_records")
    page = opened(
        stream,
        [
            {"period": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}},
            {"period": None},
            {},
        ],
        context=WHOSE,
    )

    assert [record["period_start"] for record in page.records] == [
        "2026-11-01T00:00:00Z",
        None,
        None,
    ]
    assert page.records[0]["period_end"] == "2026-11-02T00:00:00Z"


def test_a_stand_in_takes_the_place_of_what_is_null_by_right():
    page = opened(
        make_stream("supersim_usage_records"), [{}, {"sim_sid": None}, {"sim_sid": "HS1"}]
    )

    assert [record["sim_sid"] for record in page.records] == ["", "", "HS1"]


@pytest.mark.parametrize(
    ("config", "fate"),
    [
        ({}, "passed on"),
        ({"pii": "drop"}, "dropped"),
        ({"pii": "hash", "pii_key": PII_KEY}, "hashed"),
    ],
)
def test_a_field_that_no_schema_knows_is_told_once(config, fate, caplog):
    stream = make_stream("queues", **config)
    opened(stream, [{"sid": "QU1", "odd": 1}])
    opened(stream, [{"sid": "QU1", "odd": 2}])

    assert warnings_of(caplog) == [f"queues: field 'odd' is not in the schema; it is {fate}"]


def test_secrets_of_a_stream_are_taken_out():
    class Odd(Queues):
        secret_fields = ("friendly_name",)

    page = opened(make_stream(Odd), [{"sid": "QU1", "friendly_name": "a"}])

    assert page.records == [{"sid": "QU1", "account_sid": ACCOUNT}]


def test_a_page_is_opened_once():
    stream = make_stream("queues")
    page = opened(stream, [{"sid": "QU1"}])
    page.size = 17
    stream.open(page)

    assert sids(page) == ["QU1"]
    assert page.size == 17


def test_a_decoded_page_takes_more_memory_in_so_far_as_its_rows_are_kept():
    window = Window(utc("2026-11-10"), utc("2026-11-11"))
    stream = make_stream("calls")
    inside, outside = "2026-11-10T08:00:00Z", "2026-11-11T08:00:00Z"

    found = [
        opened(stream, [{"sid": "CA", "start_time": date} for date in dates], window=window).size
        for dates in ([inside], [inside, outside], [inside, inside, outside], [outside], [])
    ]

    assert found == [400, 200, 266, 0, 0]


# --- Rows that are kept --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "window", "dates", "kept"),
    [
        (
            "calls",
            ("2026-11-10T08:00:00", "2026-11-11T08:00:00"),
            [
                "2026-11-10T07:59:59Z",
                "2026-11-10T08:00:00Z",
                "2026-11-10T08:00:00.500000Z",
                "2026-11-11T07:59:59Z",
                "2026-11-11T07:59:59.999000Z",
                "2026-11-11T08:00:00Z",
            ],
            [1, 2, 3, 4],
        ),
        (
            "calls",
            ("2026-11-10T08:00:00", None),
            ["2026-11-10T07:59:59Z", "2026-11-10T08:00:00Z", "2036-01-01T00:00:00Z"],
            [1, 2],
        ),
        ("calls", ("2008-01-01", "2026-11-11"), ["1970-01-01T00:00:00Z"], [0]),
        (
            "calls",
            ("2026-11-10T08:00:04", "2026-11-11T08:00:05"),
            [
                "2026-11-10T08:00:03Z",
                "2026-11-10T08:00:04Z",
                "2026-11-11T08:00:04Z",
                "2026-11-11T08:00:05Z",
            ],
            [1, 2],
        ),
        (
            "usage_records_daily",
            ("2026-11-10", "2026-11-11"),
            ["2026-11-09", "2026-11-10", "2026-11-11"],
            [1],
        ),
        (
            "usage_records_daily",
            ("2026-11-10", None),
            ["2026-11-09", "2026-11-10", "2036-01-01"],
            [1, 2],
        ),
        ("usage_records_daily", ("2008-01-01", None), ["1970-01-01"], [0]),
    ],
)
def test_rows_are_cut_to_their_window(name, window, dates, kept):
    stream = make_stream(name)
    rows = [{stream.key: date} for date in dates]

    page = opened(stream, rows, window=Window(utc(window[0]), window[1] and utc(window[1])))

    assert [record[stream.key] for record in page.records] == [dates[index] for index in kept]
    assert page.received == len(dates)


@given(
    dates=st.lists(st.integers(0, 100), max_size=10),
    cuts=st.lists(st.integers(1, 99), max_size=4, unique=True),
)
@settings(max_examples=30)
def test_a_row_is_in_one_window_of_a_plan(dates, cuts):
    stream = CALLS
    edges = [utc("2026-11-10") + cut * timedelta(minutes=1) for cut in (0, *sorted(cuts), 101)]
    rows = [
        {"sid": str(n), "start_time": iso(utc("2026-11-10") + date * timedelta(minutes=1))}
        for n, date in enumerate(dates)
    ]

    pages = [opened(stream, rows, window=Window(*pair)) for pair in pairwise(edges)]

    assert sorted(sid for page in pages for sid in sids(page)) == sorted(
        str(n) for n in range(len(dates))
    )


CALLS = make_stream("calls")


@pytest.mark.parametrize(("config", "kept"), [({}, ["CA1"]), ({"end_date": "2026-11-15"}, [])])
def test_rows_without_a_date_are_kept_by_the_run_that_wants_them(config, kept):
    page = opened(
        make_stream("calls", **config),
        [{"sid": "CA1", "start_time": None}],
        window=Window(EPOCH, MOMENT),
    )

    assert sids(page) == kept


def test_a_list_without_windows_is_not_cut():
    page = opened(make_stream("calls"), [{"sid": "CA1", "start_time": "1999-01-01T00:00:00Z"}])

    assert sids(page) == ["CA1"]
    assert page.end is None
    stream = make_stream("queues")
    assert sids(opened(stream, [{"sid": "QU1"}], window=Window(MOMENT, None))) == ["QU1"]


def test_a_page_of_a_window_tells_the_last_row_that_came():
    stream = make_stream("calls")
    rows = [
        {"sid": "CA1", "start_time": "2026-11-10T08:00:00Z"},
        {"sid": "CA2", "start_time": "2026-11-09T08:00:00Z"},
    ]

    page = opened(stream, rows, window=Window(MOMENT, None))

    assert page.end == (("CA2",), "2026-11-09T08:00:00Z")
    assert sids(page) == ["CA1"]
    assert opened(stream, [], window=Window(MOMENT, None)).end is None


def test_a_row_is_known_by_its_key_and_by_all_of_it_where_that_lacks_a_value():
    stream = make_stream("call_events")

    assert stream.identity({"call_sid": "CA1", "index": 0, "x": 1}) == ("CA1", 0)
    odd = {"call_sid": "CA1", "index": None, "x": Decimal("1.50")}
    key = stream.identity(odd)
    assert key[:2] == ("CA1", None)
    assert key == stream.identity(dict(odd))
    assert key != stream.identity(odd | {"x": 2})
    assert len(key) == 3


# --- Rows without a date that are searched for ----------------------------------------------------


FLOOR, RECENT = utc("2026-11-01"), utc("2026-11-10")
SEARCH = Undated(FLOOR, RECENT, shared=True)


def found_by(rows, *, until=None):
    search = replace(SEARCH, until=until)
    return opened(make_stream("messages"), rows, undated=search, link="next")


def test_a_search_keeps_rows_without_a_date_that_are_not_too_old():
    page = found_by(
        [
            {"sid": "SM1", "date_sent": None, "date_created": "2026-11-12T00:00:00Z"},
            {"sid": "SM2", "date_sent": "2026-11-12T00:00:00Z"},
            {"sid": "SM3", "date_sent": "", "date_created": "2026-11-01T00:00:00Z"},
            {"sid": "SM4", "date_created": "2026-10-31T23:59:59Z"},
            {"sid": "SM5"},
        ]
    )

    assert sids(page) == ["SM1", "SM3", "SM5"]
    assert page.records[0]["account_sid"] == ACCOUNT
    assert page.received == 5
    assert page.size == 100 * 4 * 3 // 5
    assert page.rows is None


@pytest.mark.parametrize(
    ("rows", "newest", "latest", "goes_on"),
    [
        ([("2026-11-12", "2026-11-11")], "2026-11-12", "2026-11-12", True),
        ([(None, "2026-11-11")], "2026-11-11", None, True),
        ([("2026-11-02", "2026-11-05")], "2026-11-05", "2026-11-02", True),
        ([("2026-10-30", "2026-11-05")], "2026-11-05", "2026-10-30", True),
        ([("2026-10-30", "2026-10-29"), (None, "2026-11-01")], "2026-11-01", "2026-10-30", True),
        ([("2026-10-30", "2026-10-29"), ("2026-10-28", None)], "2026-10-30", "2026-10-30", False),
        ([(None, None)], "2026-11-10", None, True),
        ([("soon", "2026-11-05")], "2026-11-05", None, True),
        ([("soon", "soon"), ("2026-11-06", "2026-11-05")], "2026-11-06", "2026-11-06", True),
        ([], "2026-11-10", None, True),
    ],
)
def test_a_search_ends_where_all_rows_are_older_than_it_looks(rows, newest, latest, goes_on):
    page = found_by(
        [
            {
                "sid": str(n),
                "date_sent": sent and f"{sent}T00:00:00Z" if sent != "soon" else sent,
                "date_created": made and f"{made}T00:00:00Z" if made != "soon" else made,
            }
            for n, (sent, made) in enumerate(rows)
        ]
    )

    assert page.newest == f"{newest}T00:00:00Z"
    assert page.latest == (latest and f"{latest}T00:00:00Z")
    assert page.link == ("next" if goes_on else None)


NEXT_WALK = Mark("link", ("SM5",), "2026-11-10T08:00:00Z", 1.0)


@pytest.mark.parametrize(
    ("rows", "goes_on"),
    [
        ([("SM1", "2026-11-10T09:00:00Z")], True),
        # The row before the next walk tells, and so do rows that are older than it.
        ([("SM1", "2026-11-10T09:00:00Z"), ("SM5", "2026-11-10T08:00:00Z")], False),
        ([("SM5", None)], False),
        ([("SM1", "2026-11-10T07:59:59Z")], False),
        ([("SM1", "2026-11-10T08:00:00Z")], True),
        ([("SM1", "2026-11-10T07:00:00Z"), ("SM2", "2026-11-10T09:00:00Z")], True),
        ([("SM1", None)], True),
    ],
)
def test_a_walk_ends_where_the_next_began(rows, goes_on):
    given = [{"sid": sid, "date_sent": sent, "date_created": MARK} for sid, sent in rows]

    assert found_by(given, until=NEXT_WALK).link == ("next" if goes_on else None)
    assert found_by(given).link == "next"


def test_a_search_from_the_first_year_on_keeps_rows_of_any_age():
    search = Undated(EPOCH, RECENT, shared=True)

    page = opened(
        make_stream("messages"),
        [{"sid": "SM1", "date_created": "1970-01-01T00:00:00Z"}],
        undated=search,
        link="next",
    )

    assert sids(page) == ["SM1"]
    assert page.link == "next"


# --- What follows a page -------------------------------------------------------------------------


def wanted_after(stream, page):
    return [list(each) for each in stream.arrived(page)]


def test_after_a_page_its_link_is_wanted():
    stream = make_stream("queues")
    page = page_of(stream, [{"sid": "QU1"}], link="next", order=(3, 0, 0))

    ((following,),) = wanted_after(stream, page)

    assert page.following is following
    assert (following.link, following.order, following.params) == ("next", (3, 0, 1), {})
    assert page.rows is not None, "decoded when its turn comes"
    last = page_of(stream, [])
    assert wanted_after(stream, last) == []
    assert last.following is None


def test_after_a_page_that_was_split_its_parts_are_wanted():
    stream = make_stream("calls")
    page = page_of(stream, None, link="next")
    page.parts = [request_of(stream, order=(0, 1, 0, n, 0)) for n in range(3)]

    assert wanted_after(stream, page) == [page.parts]
    assert page.following is None


def test_after_a_page_of_parents_what_is_below_them_is_wanted():
    tap = make_tap("queues", "queue_members")
    queues, members = tap.streams["queues"], tap.streams["queue_members"]
    page = page_of(
        queues, [{"sid": "QU1"}, {"friendly_name": "x"}, {"sid": "QU2"}], link="next", order=(9, 0)
    )

    (following,), below = wanted_after(queues, page)

    assert following.link == "next"
    assert [one.stream for one in below] == [members, members]
    assert [one.context for one in below] == [WHOSE | {"queue_sid": sid} for sid in ("QU1", "QU2")]
    assert [one.order for one in below] == [(9, 0, 0, 0, 0, 0, 0), (9, 0, 2, 0, 0, 0, 0)]
    assert page.rows is None


def test_what_is_below_is_told_when_it_is_drawn():
    tap = make_tap("messages", "message_media")
    messages = tap.streams["messages"]
    rows = [{"sid": f"MM{n}", "num_media": str(n), "date_sent": MARK} for n in range(3)]
    page = page_of(messages, rows, window=Window(EPOCH, None), order=(1, 0))

    (below,) = wanted_after(messages, page)

    assert [one.context["message_sid"] for one in below] == ["MM1", "MM2"]
    assert [one.order[:4] for one in below] == [(1, 0, 1, 0), (1, 0, 2, 0)]


def test_a_child_has_nothing_below_what_it_may_not_read_or_has_had():
    tap = make_tap(
        "calls",
        "call_feedback",
        "call_recordings",
        unselected=["call_events"],
        state=state_of(calls=MARK, call_feedback=MARK, call_recordings="2026-10-01T00:00:00Z"),
    )
    calls = tap.streams["calls"]
    rows = [{"sid": "CA1", "start_time": "2026-11-01T00:00:00Z"}]

    def below(window):
        page = opened(calls, rows, window=window)
        return [(child.stream.name, child.order[-1]) for child in calls.below(page)]

    old, new = (
        Window(utc("2026-10-20"), utc("2026-11-07T08:00:00")),
        Window(utc("2026-10-20"), None),
    )
    assert below(old) == [("call_recordings", 1)]
    assert below(new) == [("call_feedback", 0), ("call_recordings", 1)]
    tap.run.refused.add(("call_feedback", ACCOUNT))
    assert below(new) == [("call_recordings", 1)]


def test_a_child_that_was_refused_is_not_asked_for_again():
    tap = make_tap("queues", "queue_members")
    queues = tap.streams["queues"]
    page = opened(queues, [{"sid": "QU1"}])

    assert len(list(queues.below(page))) == 1
    tap.run.refused.add(("queue_members", SUBACCOUNT))
    assert len(list(queues.below(page))) == 1
    tap.run.refused.add(("queue_members", ACCOUNT))
    assert list(queues.below(page)) == []


def test_children_read_each_of_their_path_values():
    tap = make_tap("bulkexports_days")
    accounts, days = tap.streams["accounts"], tap.streams["bulkexports_days"]
    page = Page(None, 0, 0, None, None, Request(accounts, {}, (0,), {}), records=[{"sid": ACCOUNT}])

    below = list(accounts.below(page))

    assert [one.context for one in below] == [WHOSE | variant for variant in days.variants]
    assert [one.order for one in below] == [(0, 0, n) for n in range(len(days.variants))]
    assert len(below) > 1


def test_what_is_below_a_row_is_planned_once(monkeypatch):
    tap = make_tap("messages", "message_media")
    messages, media = tap.streams["messages"], tap.streams["message_media"]
    asked = []

    def exists_for(row):
        asked.append(row["sid"])
        return True

    monkeypatch.setattr(media, "exists_for", exists_for)
    page = opened(messages, [{"sid": "SM1"}, {"sid": "SM2"}])

    requests = list(messages.requests_below(page))
    children = list(page.below)

    assert asked == ["SM1", "SM2"]
    planned = [one for child in children for _, chains in child.plan for one in chains]
    assert len(planned) == 2
    assert all(one is other for one, other in zip(planned, requests, strict=True))


def test_of_accounts_searches_are_told_that_take_little_room():
    tap = make_tap("messages", "calls", "queues")
    accounts = tap.streams["accounts"]
    page = Page(None, 0, 0, None, None, Request(accounts, {}, (0,), {}), records=[{"sid": ACCOUNT}])

    searches = list(accounts.searches_below(page))
    requests = list(accounts.requests_below(page))

    assert [one.stream.name for one in searches] == ["messages"]
    names = Counter(one.stream.name for one in requests)
    assert names == {"calls": 5, "messages": 2, "queues": 1}
    assert [one.order for one in requests] == sorted(one.order for one in requests)


def undated_page(rows, *, number=0, shared=True, until=None, reach=None):
    stream = make_stream("messages")
    search = Undated(FLOOR, RECENT, shared=shared, until=until, reach=reach or Reach())
    page = page_of(
        stream, rows, link="next", undated=search, order=(0, LAST, 0, 0, number), size=1000
    )
    return stream, page


DATED = {"sid": "SM1", "date_sent": "2026-11-12T00:00:00Z"}
OLD = {"sid": "SM1", "date_sent": "2026-11-05T00:00:00Z"}
UNSENT = {"sid": "SM2", "date_created": "2026-11-05T00:00:00Z"}


def test_of_a_page_that_is_searched_only_what_is_kept_waits():
    stream, page = undated_page([DATED] * 9 + [UNSENT])
    stream.arrived(page)
    assert page.rows is None
    assert sids(page) == ["SM2"]
    assert page.size == 1000 * 4 // 10

    stream, page = undated_page([DATED] + [UNSENT] * 9)
    rows = page.rows
    stream.arrived(page)
    assert page.rows is rows
    assert page.size == 1000
    assert page.records == []

    stream, page = undated_page([DATED] * 3 + [UNSENT])
    stream.arrived(page)
    assert page.rows is None, "as much as before is no more"


@pytest.mark.parametrize(
    ("rows", "number", "wanted", "walked"),
    [
        ([DATED], 0, FIRST_PAGES, FIRST_PAGES),
        ([DATED], 5, 5 + FIRST_PAGES, FIRST_PAGES),
        ([OLD], 5, FIRST_PAGES, FIRST_PAGES),
        ([OLD, UNSENT], 5, 5 + FIRST_PAGES, FIRST_PAGES),
        ([OLD], 20, FIRST_PAGES, 21),
        ([{"sid": "SM1", "date_sent": "2026-11-10T00:00:00Z"}], 5, 5 + FIRST_PAGES, FIRST_PAGES),
    ],
)
def test_pages_are_asked_for_ahead_beyond_where_rows_without_a_date_recur(
    rows, number, wanted, walked
):
    reach = Reach()
    stream, page = undated_page(rows, number=number, reach=reach)
    stream.arrived(page)

    assert (reach.wanted, reach.walked) == (wanted, walked)


@pytest.mark.parametrize("reason", ["final", "a walk that has an end"])
def test_no_page_is_asked_for_beyond_where_the_next_walk_begins(reason):
    reach = Reach(is_final=reason == "final")
    until = None if reason == "final" else NEXT_WALK
    stream, page = undated_page([DATED], number=20, reach=reach, until=until)
    stream.arrived(page)

    assert (reach.wanted, reach.walked) == (FIRST_PAGES, FIRST_PAGES)


def test_reach_never_shrinks():
    reach = Reach(wanted=50, walked=60)
    stream, page = undated_page([UNSENT], number=2, reach=reach)
    stream.arrived(page)

    assert (reach.wanted, reach.walked) == (50, 60)


@pytest.mark.parametrize(
    ("number", "options", "ahead"),
    [
        (6, {}, True),
        (7, {}, False),
        (8, {}, False),
        (7, {"shared": False}, True),
        (7, {"until": replace(NEXT_WALK, date=iso(FLOOR))}, True),
        (7, {"reach": Reach(wanted=9)}, True),
    ],
)
def test_a_page_that_another_walk_may_give_is_not_asked_for_ahead(number, options, ahead):
    stream, page = undated_page([OLD], number=number, **options)

    wanted = stream.arrived(page)

    assert page.following is not None
    assert len(wanted) == ahead


# --- Windows that are too full -------------------------------------------------------------------


WINDOW = Window(utc("2026-11-01"), utc("2026-11-11"))
ASKED = {"StartTime>": "2026-10-31T23:59:59Z", "StartTime<": "2026-11-11T00:00:01Z", "To": "x"}
SPREAD = ("2026-11-10T23:00:00Z", "2026-11-10T05:00:00Z")
"""With two rows on a page, ten days hold some 13 pages."""


def calls_of(dates, **more):
    return {"calls": [{"sid": f"CA{n}", "start_time": date} for n, date in enumerate(dates)]} | more


def split(dates, *answers, link="/next", config=None, **options):
    stream = make_stream("calls", **({"page_size": 2} | (config or {})))
    stream.run.transport.answers = [calls_of(dates, next_page_uri=link), *answers]
    request = request_of(stream, **({"window": WINDOW, "params": ASKED} | options))
    return stream, stream.fetch(request)


def assert_tiles(parts, window):
    assert len(parts) > 1
    assert (parts[0].window.start, parts[-1].window.end) == (window.start, window.end)
    for one, following in pairwise(parts):
        assert one.window.end == following.window.start


HEEDED = calls_of([SPREAD[0]])


def test_a_window_of_many_pages_is_split_by_the_second_where_that_is_heeded():
    stream, page = split(SPREAD, HEEDED)

    assert_tiles(page.parts, WINDOW)
    assert (page.rows, page.size) == (None, 0)
    assert page.length > 0
    assert [part.order for part in page.parts] == [
        (0, 1, 0, 0, number, 0) for number in range(len(page.parts))
    ]
    for part in page.parts:
        assert part.params == {"To": "x"} | stream.window.params(part.window, NOW, exact=True)
        assert part.link is None
    assert any(part.window.start.hour for part in page.parts)
    (probe,) = stream.run.transport.asked[1:]
    assert probe.params == {
        "StartTime>": "2026-11-10T22:59:59Z",
        "StartTime<": "2026-11-10T23:00:02Z",
        "To": "x",
        "PageSize": "2",
    }


@pytest.mark.parametrize(
    ("dates", "heeded"),
    [
        ([SPREAD[0]], True),
        (["2026-11-10T22:59:59Z", "2026-11-10T23:00:00Z"], True),
        (["2026-11-10T23:00:00.400000Z", "2026-11-10T23:00:01Z"], True),
        (["2026-11-10T23:00:00Z", "2026-11-10T23:00:02Z"], True),
        (
            [f"2026-11-10T{time}Z" for time in ("22:59:59", "23:00:00", "23:00:01", "23:00:02")],
            True,
        ),
        (["2026-11-10T23:00:00Z", "2026-11-10T23:00:03Z"], False),
        (["2026-11-10T22:59:58Z", "2026-11-10T23:00:00Z"], False),
        (["2026-11-10T23:00:01Z"], False),
        ([], False),
        (SPREAD, False),
    ],
)
def test_a_filter_heeds_the_time_if_a_second_gives_that_second_alone(dates, heeded):
    stream, page = split(SPREAD, calls_of(dates))

    assert stream.run.heeds_time == {"calls": heeded}
    assert_tiles(page.parts, WINDOW)
    assert any(part.window.start.hour for part in page.parts) is heeded
    if not heeded:
        for part in page.parts:
            params = DateFilter("StartTime").params(part.window, NOW)
            assert part.params == {"To": "x"} | params


def test_whether_a_filter_heeds_the_time_is_found_out_once():
    stream, _ = split(SPREAD, HEEDED)
    stream.run.transport.answers = [calls_of(SPREAD, next_page_uri="/next")]

    page = stream.fetch(request_of(stream, window=WINDOW, params=ASKED))

    assert_tiles(page.parts, WINDOW)
    assert any(part.window.start.hour for part in page.parts)
    stream.run.heeds_time["calls"] = False
    stream.run.transport.answers = [calls_of(SPREAD, next_page_uri="/next")]
    page = stream.fetch(request_of(stream, window=WINDOW, params=ASKED))
    assert not any(part.window.start.hour for part in page.parts)


def test_a_probe_that_fails_is_asked_again_for_the_next_window():
    stream, page = split(SPREAD, *[b"[]"] * 2)

    assert stream.run.heeds_time == {}
    assert_tiles(page.parts, WINDOW)
    assert not any(part.window.start.hour for part in page.parts)
    stream.run.transport.answers = [calls_of(SPREAD, next_page_uri="/next"), HEEDED]
    stream.fetch(request_of(stream, window=WINDOW, params=ASKED))
    assert stream.run.heeds_time == {"calls": True}


def test_a_404_to_the_probe_tells_nothing_of_the_filter():
    class Absent(Calls):
        absent_is_empty = True

    stream = make_stream(Absent, page_size=2)
    stream.run.transport.answers = [calls_of(SPREAD, next_page_uri="/next"), AbsentError("x", 404)]

    page = stream.fetch(request_of(stream, window=WINDOW, params=ASKED))

    assert stream.run.heeds_time == {}
    assert not any(part.window.start.hour for part in page.parts)


@pytest.mark.parametrize("probe", [HEEDED, calls_of([])])
def test_an_open_window_is_split_up_to_the_present(probe):
    window = Window(utc("2026-11-01"), None)

    stream, page = split(SPREAD, probe, window=window, params={"StartTime>": "x"})

    assert_tiles(page.parts, window)
    assert utc("2026-11-18") < page.parts[-1].window.start < NOW
    assert "StartTime<" not in page.parts[-1].params
    assert page.parts[0].params["StartTime>"] == "2026-10-31T23:59:59Z"
    assert len(stream.run.transport.asked) == 2


def test_a_bound_that_is_always_sent_is_sent_for_the_last_part_too():
    stream = make_stream("usage_records_daily", page_size=2)
    rows = [{"start_date": date} for date in ("2026-11-19", "2026-11-18")]
    stream.run.transport.answers = [{"usage_records": rows, "next_page_uri": "/next"}]
    window = Window(utc("2026-10-01"), None)

    page = stream.fetch(request_of(stream, window=window))

    assert_tiles(page.parts, window)
    assert page.parts[-1].params["EndDate"] == "2026-11-22"


def test_a_query_that_is_capped_is_split_as_soon_as_it_holds_more_than_a_page():
    stream = make_stream("alerts", page_size=2)
    window = Window(utc("2026-11-10"), utc("2026-11-11"))
    dates = ["2026-11-10T23:59:00Z", "2026-11-10T00:01:00Z"]
    answers = [[{"date_generated": date} for date in each] for each in (dates, dates[:1])]
    stream.run.transport.answers = [
        {"alerts": rows, "meta": {"key": "alerts", "next_page_url": f"{MONITOR}/v1/Alerts?Page=1"}}
        for rows in answers
    ]

    page = stream.fetch(request_of(stream, window=window))

    assert [written(part.window) for part in page.parts] == [
        ("2026-11-10T00:00:00", "2026-11-10T12:00:00"),
        ("2026-11-10T12:00:00", "2026-11-11T00:00:00"),
    ]
    assert stream.run.heeds_time == {"alerts": True}
    assert page.parts[0].params["EndDate"] == "2026-11-10T12:00:01Z"


MONITOR = "https://monitor.twilio.com"


def test_parts_of_whole_days_need_no_probe():
    window = Window(utc("2026-08-01"), utc("2026-11-11"))
    dates = ("2026-11-10T23:00:00Z", "2026-11-01T23:00:00Z")
    stream, page = split(dates, window=window)

    assert_tiles(page.parts, window)
    assert len(stream.run.transport.asked) == 1
    assert stream.run.heeds_time == {}
    for part in page.parts:
        assert part.params == {"To": "x"} | stream.window.params(part.window, NOW)


def test_a_filter_of_whole_days_is_never_split_finer():
    stream = make_stream("notifications", page_size=2)
    rows = [{"message_date": f"2026-11-10T{hour}:00:00Z"} for hour in ("23", "05")]
    stream.run.transport.answers = [{"notifications": rows, "next_page_uri": "/next"}]

    page = stream.fetch(request_of(stream, window=WINDOW))

    assert_tiles(page.parts, WINDOW)
    assert {part.window.start.hour for part in page.parts} == {0}
    assert page.parts[1].params == stream.window.params(page.parts[1].window, NOW)


@pytest.mark.parametrize(
    ("dates", "options"),
    [
        (SPREAD, {"link": None}),
        (SPREAD, {"window": None}),
        (SPREAD, {"config": {"max_records": 2}}),
        (("2026-11-10T23:00:00Z", "2026-11-01T05:00:00Z"), {}),
        ((None, None), {}),
        ((), {}),
        (("soon", SPREAD[0]), {}),
    ],
)
def test_a_window_stays_as_it_is_where_splitting_is_of_no_use(dates, options):
    _, page = split(dates, **options)

    assert page.parts == []
    assert page.rows is not None
    assert page.size == page.length


def test_a_page_that_a_link_led_to_is_not_split():
    stream = make_stream("calls", page_size=2)
    stream.run.transport.answers = [calls_of(SPREAD, next_page_uri="/next")]
    request = request_of(stream, window=WINDOW, link="https://api.twilio.com/x")

    assert stream.fetch(request).parts == []


def test_a_list_without_dates_is_not_split():
    stream = make_stream("queues", page_size=2)
    rows = [{"sid": f"QU{n}", "date_created": date} for n, date in enumerate(SPREAD)]
    stream.run.transport.answers = [{"queues": rows, "next_page_uri": "/next"}]

    assert stream.fetch(request_of(stream, window=WINDOW)).parts == []


def test_an_empty_window_of_usage_is_not_split():
    stream = make_stream("usage_records_daily", page_size=2)
    stream.run.transport.answers = [AbsentError("x", 404)]

    assert stream.fetch(request_of(stream, window=WINDOW)).parts == []


def test_a_row_of_no_real_date_says_nothing_of_how_near_the_others_are():
    _, page = split((*SPREAD, "1970-01-01T00:00:00Z", None, ""), HEEDED)
    _, plain = split((*SPREAD, SPREAD[1], SPREAD[1], SPREAD[1]), HEEDED)
    assert [part.window for part in page.parts] == [part.window for part in plain.parts]

    _, page = split(("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"))
    assert page.parts == []


def test_the_first_moment_of_the_first_year_is_a_real_date():
    first = "2008-01-01T00:00:00Z"
    window = Window(EPOCH, utc("2008-06-01"))

    _, page = split((first, first), calls_of([first]), window=window)

    assert_tiles(page.parts, window)


def test_a_page_that_is_half_full_counts_as_half():
    _, full = split((*SPREAD, *SPREAD), HEEDED)
    _, half = split(SPREAD, HEEDED, config={"page_size": 4})
    _, whole = split(SPREAD, HEEDED)

    assert len(full.parts) > len(whole.parts) > len(half.parts)


def test_dates_that_lie_within_are_found():
    stream = make_stream("wireless_usage_records", page_size=2)
    rows = [
        {"period": {"start": "2026-11-10T00:00:00Z"}},
        {"period": {"start": "2026-11-09T00:00:00Z"}},
        {"period": None},
    ]
    window = Window(utc("2026-09-01"), utc("2026-11-11"))
    answer = {
        "usage_records": rows,
        "meta": {"key": "usage_records", "next_page_url": "https://wireless.twilio.com/n"},
    }
    stream.run.transport.answers = [answer]

    page = stream.fetch(request_of(stream, window=window))

    assert_tiles(page.parts, window)
    assert page.parts[1].params == stream.window.params(page.parts[1].window, NOW)


def test_where_the_page_size_is_not_chosen_a_page_counts_as_full():
    class Sizeless(Calls):
        @classmethod
        def load(cls):
            schema, endpoint = super().load()
            return schema, replace(endpoint, page_size=None)

    stream = make_stream(Sizeless)
    stream.run.transport.answers = [calls_of(SPREAD, next_page_uri="/next"), HEEDED]
    page = stream.fetch(request_of(stream, window=WINDOW, params=ASKED))
    _, full = split(SPREAD, HEEDED)

    assert [part.window for part in page.parts] == [part.window for part in full.parts]


def test_a_converter_is_made_once():
    stream = make_stream("queues")

    assert isinstance(stream.converter, Converter)
    assert stream.converter is stream.converter
