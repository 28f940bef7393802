"""Planning: what is asked covers all that is wanted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.engine.planner import LAST, heeds_time
from tap_twilio.engine.requests import Batch, Place, Request
from tap_twilio.http.errors import AbsentError
from tap_twilio.resource.windows import DAY, EPOCH, SECOND, DateFilter, Window, iso
from tap_twilio.streams.api import Calls
from tests.unit.taps import (
    ACCOUNT,
    MARK,
    MOMENT,
    NOW,
    SUBACCOUNT,
    WHOSE,
    fetched,
    make_engine,
    refuse,
    state_of,
    utc,
)

TOP = Place((0,))


def written(window):
    return window and (iso(window.start)[:-1], window.end and iso(window.end)[:-1])


def plan_of(engine):
    """Give windows, oldest first, each with the parameters of its chains."""
    return [
        (written(window), [request.params for request in chains])
        for window, chains in engine.planner.plan(engine.node, WHOSE, TOP)
    ]


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
    engine = make_engine(name, **config)

    assert engine.planner.chain_params(engine.node) == chains


def test_a_chain_has_the_streams_own_params_too():
    engine = make_engine("usage_records", filters={"usage_records": {"category": ["a", "b"]}})

    assert engine.planner.chain_params(engine.node) == [
        {"IncludeSubaccounts": "false", "Category": "a"},
        {"IncludeSubaccounts": "false", "Category": "b"},
    ]


# --- Plans ---------------------------------------------------------------------------------------


def test_a_list_without_dates_is_read_whole():
    engine = make_engine("queues")
    ((window, (request,)),) = engine.planner.plan(engine.node, WHOSE, Place((5, 6)))

    assert window is None
    assert request == Request(engine.node, WHOSE, Place((5, 6, 0, 0, 0)), {})


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
    plan = plan_of(make_engine("usage_records", **config))

    assert plan == [(None, [{"IncludeSubaccounts": "false"} | params])]


def test_other_lists_are_not_bounded_by_the_settings():
    assert plan_of(make_engine("queues", start_date="2026-11-01")) == [(None, [{}])]


def test_a_parents_sid_may_be_a_parameter():
    assert plan_of(make_engine("iam_keys")) == [(None, [{"AccountSid": ACCOUNT}])]


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

    assert plan_of(make_engine(name, state=state, **config)) == plan


def test_a_list_of_several_chains_is_read_by_windows_that_are_short_where_they_are_new():
    plan = plan_of(make_engine("conferences"))

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

    plan = plan_of(
        make_engine(
            *marks,
            state=state_of(**marks),
            filters={"conferences": {"status": ["init", "completed"]}},
            lookback_days=10,
        )
    )

    assert [window for window, _ in plan] == [
        ("2026-11-05T00:00:00", "2026-11-08T00:00:00"),
        ("2026-11-08T00:00:00", "2026-11-13T00:00:00"),
        ("2026-11-13T00:00:00", None),
    ]
    assert {len(chains) for _, chains in plan} == {2}


def test_places_are_in_the_order_of_emission():
    engine = make_engine("conferences")
    plan = list(engine.planner.plan(engine.node, WHOSE, Place((7, 3))))
    requests = [one for _, chains in plan for one in chains]

    assert [one.place for one in requests] == [
        (7, 3, window, chain, 0) for window in range(1, 6) for chain in range(3)
    ]
    assert [one.window for one in requests[::3]] == [window for window, _ in plan]
    assert all(one.context is WHOSE and one.node is engine.node for one in requests)


CUT = state_of(calls=MARK, call_recordings="2026-11-01T00:00:00Z")


def test_a_range_is_cut_where_streams_below_were_read_up_to():
    engine = make_engine("calls", "call_recordings", state=CUT)

    plan = engine.planner.plan(engine.node, WHOSE, TOP)
    requests = [chains[0] for window, chains in plan if window]

    assert [written(one.window) for one in requests] == [
        ("2026-10-29T00:00:00", "2026-11-07T08:00:00"),
        ("2026-11-07T08:00:00", None),
    ]
    readers = [engine.node, engine.nodes["call_recordings"]]
    news = [[engine.bookmarks.is_news(one, [reader]) for reader in readers] for one in requests]
    assert news == [[False, True], [True, True]]


def test_a_window_that_nobody_wants_any_more_is_not_asked_for():
    engine = make_engine("calls", "call_recordings", state=CUT)
    engine.bookmarks.wanted_from(engine.node, ACCOUNT)
    refuse(engine, "call_recordings")

    windows = [window for window, _ in plan_of(engine) if window]

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
    engine = make_engine(name, state=state, **config)
    node, dates = engine.node, engine.node.resource.window

    plan = engine.planner.plan(node, WHOSE, TOP)
    groups = [(window, chains) for window, chains in plan if window]

    if not groups:
        assert engine.bookmarks.range(node, ACCOUNT) is None
        return
    first, last = groups[0][0], groups[-1][0]
    bookmark = engine.bookmarks.bookmark(node, ACCOUNT)
    lookback = node.resource.lookback if days is None else days * DAY
    assert first.start <= (EPOCH if bookmark is None else max(EPOCH, bookmark - lookback))
    assert (last.end is None) == (end is None)
    for (one, _), (following, _) in pairwise(groups):
        assert one.end == following.start
        assert one.start < one.end
    if last.end is not None:
        assert last.end > utc(str(end.replace(microsecond=0))) - DAY
    after, before = dates.names
    for window, chains in groups:
        assert len(chains) == len(engine.planner.chain_params(node))
        for request in chains:
            assert request.window == window
            if window.start > EPOCH:
                assert request.params[after][:19] <= iso(window.start)[:-1]
            else:
                assert after not in request.params
            if window.end is not None:
                last_moment = iso(window.end - SECOND)
                assert request.params[before] >= last_moment[: len(request.params[before])]


# --- Searches for rows without a date ------------------------------------------------------------


def searches(engine, place=TOP):
    return engine.planner.searches(engine.node, WHOSE, place)


@pytest.mark.parametrize(
    ("end", "wants"),
    [(None, True), (iso(NOW), True), ("2026-11-20T12:34:55Z", False), ("2027-01-01", True)],
)
def test_rows_without_a_date_are_for_the_run_that_is_open_at_its_end(end, wants):
    engine = make_engine("messages", **({} if end is None else {"end_date": end}))

    assert engine.planner.wants_undated is wants
    assert len(searches(engine)) == wants


def test_a_search_stays_as_it_was_when_the_run_began():
    engine = make_engine("messages", state=state_of(messages=MARK))
    before = engine.planner.search(engine.node, ACCOUNT)
    engine.bookmarks.move(engine.node, ACCOUNT, NOW)

    assert engine.planner.search(engine.node, ACCOUNT) is before
    assert engine.planner.search(engine.node, SUBACCOUNT).floor == EPOCH


@pytest.mark.parametrize("name", ["queues", "recordings", "usage_records_daily"])
def test_where_every_row_has_a_date_nothing_is_searched_for(name):
    engine = make_engine(name)

    assert engine.planner.search(engine.node, ACCOUNT) is None
    assert searches(engine) == []


def test_where_nothing_is_read_nothing_is_searched_for():
    engine = make_engine("messages")
    refuse(engine, "messages")

    assert searches(engine) == []
    assert plan_of(engine) == []


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
    engine = make_engine("calls", **config)
    search = engine.planner.search(engine.node, ACCOUNT)

    found = searches(engine, Place((4,)))

    assert [one.params for one in found] == params
    assert [one.place for one in found] == [(4, LAST, n, 0, 0) for n in range(len(params))]
    assert all(one.search is search and one.window is None for one in found)
    assert all(one.context is WHOSE for one in found)
    groups = [chains for window, chains in plan_of(engine) if not window]
    assert groups == ([params] if params else [])


# --- What hangs below a page ---------------------------------------------------------------------


def batch_of(node, records, context=WHOSE, place=(0, 1, 0, 0), **options):
    return Batch(Request(node, context, Place(place), {}, **options), records)


def test_a_child_has_nothing_below_what_it_may_not_read_or_has_had():
    engine = make_engine(
        "calls",
        "call_feedback",
        "call_recordings",
        unselected=["call_events"],
        state=state_of(calls=MARK, call_feedback=MARK, call_recordings="2026-10-01T00:00:00Z"),
    )

    def below(start, end):
        batch = batch_of(engine.node, [{"sid": "CA1"}], window=Window(start, end))
        return [(child.node.name, child.place[-1]) for child in engine.planner.below(batch)]

    old, new = (utc("2026-10-20"), utc("2026-11-07T08:00:00")), (utc("2026-10-20"), None)
    assert below(*old) == [("call_recordings", 1)]
    assert below(*new) == [("call_feedback", 0), ("call_recordings", 1)]
    refuse(engine, "call_feedback")
    assert below(*new) == [("call_recordings", 1)]


def test_a_child_that_was_refused_is_not_asked_for_again():
    engine = make_engine("queues", "queue_members")
    batch = batch_of(engine.node, [{"sid": "QU1"}])

    assert len(list(engine.planner.below(batch))) == 1
    refuse(engine, "queue_members", account=SUBACCOUNT)
    assert len(list(engine.planner.below(batch))) == 1
    refuse(engine, "queue_members")
    assert list(engine.planner.below(batch)) == []


def test_children_read_each_of_their_path_values():
    engine = make_engine("bulkexports_days")
    batch = batch_of(engine.nodes["accounts"], [{"sid": ACCOUNT}], {}, (0,))

    below = list(engine.planner.below(batch))

    variants = engine.node.variants
    assert [one.context for one in below] == [WHOSE | variant for variant in variants]
    assert [one.place for one in below] == [(0, 0, n) for n in range(len(variants))]
    assert len(below) > 1


def test_what_is_below_a_row_is_planned_once():
    engine = make_engine("messages", "message_media")
    asked = []

    def exists_for(row):
        asked.append(row["sid"])
        return True

    media = engine.nodes["message_media"]
    media.resource = replace(media.resource, exists_for=exists_for)
    batch = batch_of(engine.node, [{"sid": "SM1"}, {"sid": "SM2"}])

    requests = list(engine.planner.requests_below(batch))
    children = list(batch.children)

    assert asked == ["SM1", "SM2"]
    planned = [one for child in children for _, chains in child.plan for one in chains]
    assert len(planned) == 2
    assert all(one is other for one, other in zip(planned, requests, strict=True))


def test_of_accounts_searches_are_told_that_take_little_room():
    engine = make_engine("messages", "calls", "queues")
    batch = batch_of(engine.nodes["accounts"], [{"sid": ACCOUNT}], {}, (0,))

    found = list(engine.planner.searches_below(batch))
    requests = list(engine.planner.requests_below(batch))

    assert [one.node.name for one in found] == ["messages"]
    names = Counter(one.node.name for one in requests)
    assert names == {"calls": 5, "messages": 2, "queues": 1}
    assert [one.place for one in requests] == sorted(one.place for one in requests)


# --- Windows that are too full -------------------------------------------------------------------


WINDOW = Window(utc("2026-11-01"), utc("2026-11-11"))
ASKED = {"StartTime>": "2026-10-31T23:59:59Z", "StartTime<": "2026-11-11T00:00:01Z", "To": "x"}
SPREAD = ("2026-11-10T23:00:00Z", "2026-11-10T05:00:00Z")
"""With two rows on a page, ten days hold some 13 pages."""


def calls_of(dates, **more):
    return {"calls": [{"sid": f"CA{n}", "start_time": date} for n, date in enumerate(dates)]} | more


FULL = calls_of(SPREAD, next_page_uri="/next")
HEEDED = calls_of([SPREAD[0]])


def ask(engine, *answers, params=None, window=WINDOW, link=None):
    """Have a window fetched; its page, or its parts."""
    engine.transport.answers = [*answers]
    place = Place((0, 1, 0, 0))
    return engine.fetcher.fetch(Request(engine.node, WHOSE, place, params or {}, link, window))


def split(dates, *answers, link="/next", config=None, params=ASKED, **options):
    """Have a window of calls fetched, two on a page."""
    engine = make_engine("calls", **({"page_size": 2} | (config or {})))
    first = calls_of(dates, next_page_uri=link)
    return engine, ask(engine, first, *answers, params=params, **options)


def assert_tiles(parts, window):
    assert len(parts) > 1
    assert (parts[0].window.start, parts[-1].window.end) == (window.start, window.end)
    for one, following in pairwise(parts):
        assert one.window.end == following.window.start


def cuts_days(page):
    return any(part.window.start.hour for part in page.parts)


def test_a_window_of_many_pages_is_split_by_the_second_where_that_is_heeded():
    engine, page = split(SPREAD, HEEDED)

    assert_tiles(page.parts, WINDOW)
    assert (bytes(page.rows), page.size) == (b"[]", 0)
    assert page.length > 0
    assert [part.place for part in page.parts] == [
        (0, 1, 0, 0, number, 0) for number in range(len(page.parts))
    ]
    dates = engine.node.resource.window
    for part in page.parts:
        assert part.params == {"To": "x"} | dates.params(part.window, NOW, exact=True)
        assert part.link is None
    assert cuts_days(page)
    (probe,) = engine.transport.asked[1:]
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
    engine, page = split(SPREAD, calls_of(dates))

    probe = fetched(page.parts[0], calls_of(dates)["calls"])
    assert heeds_time(probe, utc("2026-11-10T23:00:00")) is heeded
    assert_tiles(page.parts, WINDOW)
    assert cuts_days(page) is heeded
    if not heeded:
        for part in page.parts:
            params = DateFilter("StartTime").params(part.window, NOW)
            assert part.params == {"To": "x"} | params
    # It is known from then on.
    assert cuts_days(ask(engine, FULL, params=ASKED)) is heeded
    assert len(engine.transport.asked) == 3


def test_days_of_a_filter_that_heeds_no_time_are_asked_for_to_their_end():
    whole = Window(utc("2026-11-01"), utc("2026-11-11T18:30:00"))

    _, page = split(SPREAD, calls_of([]), window=whole)

    assert_tiles(page.parts, whole)
    assert not cuts_days(page)
    assert page.parts[-1].params["StartTime<"] == "2026-11-12T00:00:01Z"


def test_whether_a_filter_heeds_the_time_is_found_out_once():
    engine, _ = split(SPREAD, HEEDED)

    page = ask(engine, FULL, params=ASKED)

    assert_tiles(page.parts, WINDOW)
    assert cuts_days(page)
    engine, _ = split(SPREAD, calls_of([]))
    assert not cuts_days(ask(engine, FULL, params=ASKED))


def test_a_list_without_links_is_not_split():
    engine, page = split(SPREAD, HEEDED)
    whole = replace(page, parts=(), rows=fetched(page.request, FULL["calls"]).rows)
    numbered = replace(whole, following=page.request.after(None, {"Page": "1"}))

    assert engine.planner.parts(whole, lambda *_: True)
    assert engine.planner.parts(numbered, lambda *_: True) == ()


def test_what_is_known_of_one_filter_is_not_taken_for_anothers():
    engine = make_engine("calls", "messages", page_size=2)
    assert cuts_days(ask(engine, FULL, HEEDED, params=ASKED))
    engine.node = engine.nodes["messages"]
    dates = ["2026-11-10T01:00:00Z", "2026-11-10T23:00:00Z"]
    messages = {
        "messages": [{"sid": f"SM{day}", "date_sent": day} for day in dates],
        "next_page_uri": "/2010-04-01/next",
    }
    asked = len(engine.transport.asked)
    ask(engine, messages, messages, params=ASKED)

    assert len(engine.transport.asked) == asked + 2


def test_a_probe_that_fails_is_asked_again_for_the_next_window():
    engine, page = split(SPREAD, *[b"[]"] * 2)

    assert_tiles(page.parts, WINDOW)
    assert not cuts_days(page)
    assert cuts_days(ask(engine, FULL, HEEDED, params=ASKED))
    assert engine.transport.answers == [], "nothing was known"
    assert cuts_days(ask(engine, FULL, params=ASKED))


def test_a_404_to_the_probe_tells_nothing_of_the_filter():
    class Absent(Calls):
        absent_is_empty = True

    engine = make_engine(Absent, page_size=2)

    assert not cuts_days(ask(engine, FULL, AbsentError("x", 404), params=ASKED))
    assert cuts_days(ask(engine, FULL, HEEDED, params=ASKED))
    assert engine.transport.answers == [], "nothing was known"


@pytest.mark.parametrize("probe", [HEEDED, calls_of([])])
def test_an_open_window_is_split_up_to_the_present(probe):
    window = Window(utc("2026-11-01"), None)

    engine, page = split(SPREAD, probe, window=window, params={"StartTime>": "x"})

    assert_tiles(page.parts, window)
    assert utc("2026-11-18") < page.parts[-1].window.start < NOW
    assert "StartTime<" not in page.parts[-1].params
    assert page.parts[0].params["StartTime>"] == "2026-10-31T23:59:59Z"
    assert len(engine.transport.asked) == 2


def test_a_bound_that_is_always_sent_is_sent_for_the_last_part_too():
    engine = make_engine("usage_records_daily", page_size=2)
    rows = [{"start_date": date} for date in ("2026-11-19", "2026-11-18")]
    window = Window(utc("2026-10-01"), None)

    page = ask(engine, {"usage_records": rows, "next_page_uri": "/next"}, window=window)

    assert_tiles(page.parts, window)
    assert page.parts[-1].params["EndDate"] == "2026-11-22"


def test_a_query_that_is_capped_is_split_as_soon_as_it_holds_more_than_a_page():
    engine = make_engine("alerts", page_size=2)
    dates = ["2026-11-10T23:59:00Z", "2026-11-10T00:01:00Z"]
    meta = {"key": "alerts", "next_page_url": "https://monitor.twilio.com/v1/Alerts?Page=1"}
    answers = [
        {"alerts": [{"date_generated": date} for date in each], "meta": meta}
        for each in (dates, dates[:1])
    ]

    page = ask(engine, *answers, window=Window(utc("2026-11-10"), utc("2026-11-11")))

    assert [written(part.window) for part in page.parts] == [
        ("2026-11-10T00:00:00", "2026-11-10T12:00:00"),
        ("2026-11-10T12:00:00", "2026-11-11T00:00:00"),
    ]
    assert engine.transport.answers == [], "the filter heeds the time"
    assert page.parts[0].params["EndDate"] == "2026-11-10T12:00:01Z"


def test_parts_of_whole_days_need_no_probe():
    window = Window(utc("2026-08-01"), utc("2026-11-11"))
    engine, page = split(("2026-11-10T23:00:00Z", "2026-11-01T23:00:00Z"), window=window)

    assert_tiles(page.parts, window)
    assert len(engine.transport.asked) == 1
    for part in page.parts:
        assert part.params == {"To": "x"} | engine.node.resource.window.params(part.window, NOW)


def test_a_filter_of_whole_days_is_never_split_finer():
    engine = make_engine("notifications", page_size=2)
    rows = [{"message_date": f"2026-11-10T{hour}:00:00Z"} for hour in ("23", "05")]

    page = ask(engine, {"notifications": rows, "next_page_uri": "/next"})

    assert_tiles(page.parts, WINDOW)
    assert {part.window.start.hour for part in page.parts} == {0}
    part = page.parts[1]
    assert part.params == engine.node.resource.window.params(part.window, NOW)


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

    assert page.parts == ()
    assert len(json.loads(bytes(page.rows))) == len(dates)
    assert page.size == page.length > 0


def test_a_page_that_a_link_led_to_is_not_split():
    engine = make_engine("calls", page_size=2)

    assert ask(engine, FULL, link="https://api.twilio.com/x").parts == ()


def test_a_list_without_dates_is_not_split():
    engine = make_engine("queues", page_size=2)
    rows = [{"sid": f"QU{n}", "date_created": date} for n, date in enumerate(SPREAD)]

    assert ask(engine, {"queues": rows, "next_page_uri": "/next"}).parts == ()


def test_an_empty_window_of_usage_is_not_split():
    engine = make_engine("usage_records_daily", page_size=2)

    assert ask(engine, AbsentError("x", 404)).parts == ()


def test_a_row_of_no_real_date_says_nothing_of_how_near_the_others_are():
    _, page = split((*SPREAD, "1970-01-01T00:00:00Z", None, ""), HEEDED)
    _, plain = split((*SPREAD, SPREAD[1], SPREAD[1], SPREAD[1]), HEEDED)
    assert [part.window for part in page.parts] == [part.window for part in plain.parts]

    _, page = split(("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"))
    assert page.parts == ()


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
    engine = make_engine("wireless_usage_records", page_size=2)
    rows = [
        {"period": {"start": "2026-11-10T00:00:00Z"}},
        {"period": {"start": "2026-11-09T00:00:00Z"}},
        {"period": None},
    ]
    window = Window(utc("2026-09-01"), utc("2026-11-11"))
    meta = {"key": "usage_records", "next_page_url": "https://wireless.twilio.com/n"}

    page = ask(engine, {"usage_records": rows, "meta": meta}, window=window)

    assert_tiles(page.parts, window)
    part = page.parts[1]
    assert part.params == engine.node.resource.window.params(part.window, NOW)


def test_where_the_page_size_is_not_chosen_a_page_counts_as_full():
    class Sizeless(Calls):
        @classmethod
        def load(cls):
            schema, endpoint = super().load()
            return schema, replace(endpoint, page_size=None)

    page = ask(make_engine(Sizeless), FULL, HEEDED, params=ASKED)
    _, full = split(SPREAD, HEEDED)

    assert [part.window for part in page.parts] == [part.window for part in full.parts]


# --- Probes --------------------------------------------------------------------------------------


def test_a_probe_is_the_first_page_of_a_list_that_nothing_bounds():
    engine = make_engine("call_events", filters={"conferences": {"status": "init"}})
    context = WHOSE | {"call_sid": "CA1"}

    assert engine.planner.probe(engine.node, context, Place((3,))) == Request(
        engine.node, context, Place((3, 0, 0)), {}
    )
    engine = make_engine("conferences", "iam_keys")
    first = engine.planner.probe(engine.node, WHOSE, Place((3,)))
    keys = engine.planner.probe(engine.nodes["iam_keys"], WHOSE, Place((4,)))
    assert (first.params, first.window) == ({"Status": "init"}, None)
    assert keys.params == {"AccountSid": ACCOUNT}


def test_each_account_is_searched_from_its_own_bookmark_on():
    engine = make_engine("messages", state=state_of(messages={ACCOUNT: MARK}))

    own, other = (engine.planner.search(engine.node, one) for one in (ACCOUNT, SUBACCOUNT))

    assert own.floor == MOMENT - 2 * DAY
    assert other.floor == EPOCH
