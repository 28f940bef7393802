"""Rows without a date: from where they are searched for, how far, and none left out."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio.engine.decoder import Decoder
from tap_twilio.engine.null_dates import (
    FIRST_PAGES,
    LEAST_PAGES,
    MOST_WALKS,
    Frontier,
    Search,
    Searcher,
    Undated,
    Waypoint,
    Waypoints,
    ended,
    search_of,
    sift,
)
from tap_twilio.engine.requests import Batch, Place, Request
from tap_twilio.http.errors import ChainError, ResponseError
from tap_twilio.records.pii import Rule
from tap_twilio.resource.resource import Node
from tap_twilio.resource.windows import EPOCH, iso
from tap_twilio.streams.api import Messages
from tests.unit.taps import (
    ACCOUNT,
    MARK,
    NOW,
    WHOSE,
    fetched,
    make_engine,
    resource_of,
    state_of,
    utc,
)

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NODE = SimpleNamespace(name="messages", logger=logging.getLogger("tap-twilio.messages"))
FILTERS = ("DateSent>", "DateSent<")


def request(link=None, **options):
    return Request(
        NODE, {"account_sid": "AC1"}, Place((7, 1, 2, 0, 0)), {"PageSize": "20"}, link, **options
    )


def search(*, is_shared=True, **frontier):
    return Search(SINCE, SINCE, is_shared, frontier=Frontier(**frontier))


def walks_of(waypoints, one):
    """Divide the walk of a search; its first request, and the walks."""
    first = request(search=one)
    return first, waypoints.walks(first, one)


def page(number, received=20, page_size=20, *, link="https://h/list?Page={}", date="2026-02-{:02}"):
    """A page of a window, the oldest first."""
    return Batch(
        request(),
        page_size=page_size,
        received=received,
        following=request(link and link.format(number)),
        last=((f"SM{number}",), date and date.format(number)),
    )


def waypoints_after(pages):
    """What is known when a list had so many full pages."""
    waypoints = Waypoints(FILTERS)
    for number in range(1, pages + 1):
        waypoints.note(page(number, date="{:05}"))
    return waypoints


def begins(walks):
    """Pages that lie below the places where walks begin and end; none for the list's ends."""
    below = [None, *(int(one.link.split("=")[1]) for one, _ in walks[1:])]
    return below, [until and until.pages for _, until in walks]


# --- How far back --------------------------------------------------------------------------------


def search_in(engine):
    """Tell how far back a stream's one chain is searched."""
    return search_of(engine.node, ACCOUNT, engine.bookmarks, is_one_chain=True)


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
    state = state_of(**{name: held}) if held else {}

    found = search_in(make_engine(name, state=state, **config))

    assert (iso(found.floor)[:-1], iso(found.recent)[:-1]) == (floor, recent)


def test_a_search_counts_back_from_the_clock_that_is_behind():
    engine = make_engine("calls", clock=utc("2026-11-15T00:00:00"))

    assert search_in(engine).recent == utc("2026-11-13T00:00:00")


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
    engine = make_engine(stream, **config)

    assert engine.planner.search(engine.node, ACCOUNT).is_shared is shared
    searches = engine.planner.searches(engine.node, WHOSE, Place((0,)))
    assert {one.is_light for one in searches} == {shared}


# --- Places that are noted -----------------------------------------------------------------------


def test_a_place_is_noted_with_the_row_before_it_and_what_lies_below():
    waypoints = Waypoints(FILTERS)
    waypoints.note(page(1))
    waypoints.note(page(2, received=10))

    assert waypoints.found == [
        Waypoint("https://h/list?Page=1", ("SM1",), "2026-02-01", 1.0),
        Waypoint("https://h/list?Page=2", ("SM2",), "2026-02-02", 1.5),
    ]


def test_the_link_of_a_place_leads_through_the_whole_list():
    waypoints = Waypoints(FILTERS)
    link = "https://h/list?DateSent%3E=2026-01-01&Page=1&To=&DateSent%3C=2026-02-01&A=b%26c#f"
    waypoints.note(page(1, link=link))

    assert waypoints.found[0].link == "https://h/list?Page=1&To=&A=b%26c#f"


def test_places_lie_ever_later_in_the_list():
    waypoints = Waypoints(FILTERS)
    for number in (3, 3, 2, 4):
        waypoints.note(page(number))

    assert [waypoint.row for waypoint in waypoints.found] == [("SM3",), ("SM4",)]
    assert [waypoint.pages for waypoint in waypoints.found] == [1.0, 4.0]


def test_a_page_that_nothing_follows_is_no_place_though_it_counts():
    waypoints = Waypoints(FILTERS)
    last, linkless, empty, undated = page(1), page(2, link=None), page(3), page(4, date=None)
    last.following = None
    empty.last = None
    for one in (last, linkless, empty, undated):
        waypoints.note(one)

    assert waypoints.found == []
    assert waypoints.pages == 4


def test_a_page_whose_size_is_unknown_counts_as_one_unless_it_is_empty():
    waypoints = Waypoints(FILTERS)
    waypoints.note(page(1, received=7, page_size=None))
    assert waypoints.pages == 1
    waypoints.note(page(2, received=0, page_size=None))
    assert waypoints.pages == 1


# --- Walks ---------------------------------------------------------------------------------------


def test_what_is_no_search_in_the_same_list_is_one_walk():
    first, walks = walks_of(waypoints_after(40), search(is_shared=False))

    assert walks == [(first, None)]


def test_walks_begin_three_pages_apart_beyond_what_was_walked_already():
    one = search()

    first, walks = walks_of(waypoints_after(20), one)

    assert begins(walks) == ([None, 12, 9, 6, 3], [12, 9, 6, 3, None])
    assert walks[0][0] is first
    assert one.frontier == Frontier(FIRST_PAGES, FIRST_PAGES, is_final=True)


def test_walks_begin_beyond_as_many_pages_as_were_asked_for():
    one = search(wanted=16, walked=14)

    _, walks = walks_of(waypoints_after(20), one)

    assert begins(walks) == ([None, 6, 3], [6, 3, None])
    # What is prefetched ends where the next walk begins.
    assert one.frontier == Frontier(14, 14, is_final=True)


def test_walks_through_a_long_list_are_as_many_as_may_be():
    _, walks = walks_of(waypoints_after(10 * MOST_WALKS), search())

    below, _ = begins(walks)
    assert len(walks) == MOST_WALKS
    assert below == [None, *range(310, 0, -10)]


def test_a_short_list_is_one_walk_that_may_yet_go_on():
    one = search()

    first, walks = walks_of(waypoints_after(FIRST_PAGES), one)

    assert walks == [(first, None)]
    assert one.frontier == Frontier()
    assert walks_of(waypoints_after(0), search())[1][0][1] is None
    _, walks = walks_of(waypoints_after(FIRST_PAGES + 1), search())
    assert begins(walks) == ([None, 1], [1, None])


def test_each_walk_is_a_request_of_its_own_that_knows_where_the_next_begins():
    one = search()

    first, (_, (walk, until), *_) = walks_of(waypoints_after(20), one)

    assert (walk.link, walk.params) == ("https://h/list?Page=12", {})
    assert (walk.node, walk.context) == (first.node, first.context)
    assert until == Waypoint("https://h/list?Page=9", ("SM9",), "00009", 9.0)
    assert walk.search.until == until
    assert (walk.search.floor, walk.search.recent, walk.search.is_shared) == (SINCE, SINCE, True)
    assert walk.search.frontier == Frontier()
    assert walk.search.frontier is not one.frontier


def test_walks_keep_their_order_after_the_first():
    _, walks = walks_of(waypoints_after(20), search())

    assert [walk.place for walk, _ in walks] == [(7, 1, 2, number, 0) for number in range(5)]


@given(
    received=st.lists(st.sampled_from((0, 7, 20)), min_size=30, max_size=150),
    walked=st.integers(FIRST_PAGES, 25),
)
def test_walks_make_up_the_list(received, walked):
    waypoints = Waypoints(FILTERS)
    for number, rows in enumerate(received):
        waypoints.note(page(number, rows, date="{:05}"))

    _, walks = walks_of(waypoints, search(wanted=walked, walked=walked))

    assert len(walks) <= MOST_WALKS
    ends = [until for _, until in walks]
    assert ends[-1] is None
    assert [walk.link for walk, _ in walks[1:]] == [until.link for until in ends[:-1]]
    depths = [until.pages for until in ends[:-1]]
    assert all(waypoints.pages - depth >= walked for depth in depths)
    assert all(a - b >= LEAST_PAGES for a, b in pairwise(depths))


# --- Rows that are found -------------------------------------------------------------------------


FLOOR, RECENT = utc("2026-11-01"), utc("2026-11-10")


def found_by(rows, *, until=None, floor=FLOOR):
    """Search a page of messages that a link follows."""
    one = Search(floor, RECENT, is_shared=True, until=until)
    asked = Request(Node(resource_of("messages")), WHOSE, Place((0, 1, 0, 0)), {}, search=one)
    decoder = Decoder(asked.node, Rule())
    return decoder.weighed(sift(fetched(asked, rows, link="next"), one, decoder))


def sids(batch):
    return [record["sid"] for record in batch.records]


def link_after(batch):
    return batch.following and batch.following.link


def test_a_search_keeps_rows_without_a_date_that_are_not_too_old():
    batch = found_by(
        [
            {"sid": "SM1", "date_sent": None, "date_created": "2026-11-12T00:00:00Z"},
            {"sid": "SM2", "date_sent": "2026-11-12T00:00:00Z"},
            {"sid": "SM3", "date_sent": "", "date_created": "2026-11-01T00:00:00Z"},
            {"sid": "SM4", "date_created": "2026-10-31T23:59:59Z"},
            {"sid": "SM5"},
        ]
    )

    assert sids(batch) == ["SM1", "SM3", "SM5"]
    assert batch.records[0]["account_sid"] == ACCOUNT
    assert batch.received == 5
    assert batch.size == 100 * 4 * 3 // 5


def test_rows_of_a_search_that_are_no_objects_are_counted():
    assert found_by([{"sid": "SM1"}, "a row"]).lost == 1


def test_a_page_that_stays_as_it_came_knows_where_its_search_ends():
    came = fetched(request(), [], link="next")

    assert ended(came, Batch(request())).following is None
    assert ended(came, Batch(request(), following=came.following)) == came


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
    batch = found_by(
        [
            {
                "sid": str(n),
                "date_sent": sent and f"{sent}T00:00:00Z" if sent != "soon" else sent,
                "date_created": made and f"{made}T00:00:00Z" if made != "soon" else made,
            }
            for n, (sent, made) in enumerate(rows)
        ]
    )

    assert batch.newest == f"{newest}T00:00:00Z"
    assert batch.latest == (latest and f"{latest}T00:00:00Z")
    assert link_after(batch) == ("next" if goes_on else None)


NEXT_WALK = Waypoint("link", ("SM5",), "2026-11-10T08:00:00Z", 1.0)


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

    assert link_after(found_by(given, until=NEXT_WALK)) == ("next" if goes_on else None)
    assert link_after(found_by(given)) == "next"


def test_a_search_from_the_first_year_on_keeps_rows_of_any_age():
    batch = found_by([{"sid": "SM1", "date_created": "1970-01-01T00:00:00Z"}], floor=EPOCH)

    assert sids(batch) == ["SM1"]
    assert link_after(batch) == "next"


# --- Rows that come more than once ----------------------------------------------------------------


def undated_of(name="messages", **changes):
    resource = replace(resource_of(name), **changes)
    return Undated(Node(resource))


def sifted(undated, *rows):
    batch = Batch(request(), records=[{"date_sent": None, **row} for row in rows])
    undated.sift(batch)
    return batch


def test_a_row_without_a_date_comes_once_whichever_lists_give_it():
    undated = undated_of()
    first = sifted(undated, {"sid": "a"}, {"sid": "b", "date_sent": MARK}, {"sid": "c"})
    second = sifted(undated, {"sid": "d"}, {"sid": "a"}, {"sid": "b", "date_sent": MARK})

    assert [row["sid"] for row in first.records] == ["a", "b", "c"]
    assert first.numbers is None, "nothing was left out"
    assert [row["sid"] for row in second.records] == ["d", "b"]
    assert second.numbers == [0, 2]


def test_rows_that_lack_their_key_are_told_apart_by_all_else():
    undated = undated_of()
    rows = [{"sid": None, "body": "x"}, {"sid": None, "body": "y"}, {"sid": None, "body": "x"}]

    assert [row["body"] for row in sifted(undated, *rows).records] == ["x", "y"]


def test_rows_of_no_key_are_never_taken_for_each_other():
    undated = undated_of(keys=())

    assert len(sifted(undated, {"sid": "a"}, {"sid": "a"}).records) == 2


def test_lists_without_windows_are_left_as_they_are():
    undated = undated_of("queues", key="date_sent")

    assert len(sifted(undated, {"sid": "a"}, {"sid": "a"}).records) == 2


@pytest.mark.parametrize(
    ("rows", "oldest"),
    [
        ([], None),
        ([{"status": "scheduled", "date_created": "2026-11-10T00:00:00Z"}], "2026-11-10T00:00:00Z"),
        # Given up, or sent long ago: they change no more.
        ([{"status": "failed", "date_created": "2026-11-10T00:00:00Z"}], None),
        ([{"status": "scheduled", "date_created": None}], None),
        ([{"status": "scheduled"}], None),
        ([{"status": "scheduled", "date_created": "2026-10-15T12:34:55Z"}], None),
        ([{"status": "scheduled", "date_created": "2026-10-15T12:34:56Z"}], "2026-10-15T12:34:56Z"),
        (
            [
                {"status": "scheduled", "date_created": "2026-11-12T00:00:00Z"},
                {"status": "scheduled", "date_created": "2026-11-11T00:00:00Z"},
                {"status": "scheduled", "date_created": "2026-11-13T00:00:00Z"},
                {"status": "scheduled", "date_created": "2026-01-01T00:00:00Z"},
            ],
            "2026-11-11T00:00:00Z",
        ),
        (
            [
                {
                    "status": "scheduled",
                    "date_created": "2026-11-10T00:00:00Z",
                    "date_sent": "2026-11-10T00:00:00Z",
                }
            ],
            None,
        ),
    ],
)
def test_the_oldest_row_that_still_waits_is_known(rows, oldest):
    undated = undated_of()
    sifted(undated, *({"sid": str(number), **row} for number, row in enumerate(rows)))

    assert undated.oldest_unsettled(NOW) == oldest


def test_no_row_waits_where_no_status_says_so():
    undated = undated_of(unsettled_statuses=frozenset())
    sifted(undated, {"sid": "a", "status": "scheduled", "date_created": "2026-11-10T00:00:00Z"})

    assert undated.oldest_unsettled(NOW) is None


# --- Walks that are read --------------------------------------------------------------------------


class Walked:
    """Gives the pages of each walk by its link, and notes what the prefetch is told."""

    def __init__(self, **walks):
        self.walks = walks
        self.begun, self.hinted, self.skipped = [], [], []

    def chain(self, one):
        self.begun.append(one.link)
        for batch in self.walks[one.link or "top"]:
            if isinstance(batch, Exception):
                raise batch
            yield batch

    def hint(self, requests):
        self.hinted += [one.link for one in requests]

    def skip(self, place):
        self.skipped.append(place)

    def read(self, **waypoints):
        one = search()
        places = [Waypoint(link, (), date, 0) for link, date in waypoints.items()]
        first = request(search=one)
        walks = list(zip([None, *waypoints], [*places, None], strict=True))
        asked = [
            (replace(first, link=link, place=first.place.walk(number)), until)
            for number, (link, until) in enumerate(walks)
        ]
        division = SimpleNamespace(walks=lambda *_: asked)
        return list(Searcher(self.chain, self).read(first, one, division))


def batch_at(newest, found=0, received=20, latest=None):
    """A page of a walk, by its newest row; with as many rows without a date."""
    return Batch(
        request(),
        records=[{}] * found,
        received=received,
        newest=newest,
        latest=latest or newest,
    )


NEW, OLD, OLDER = "2026-02-01T00:00:00Z", "2025-12-01T00:00:00Z", "2025-06-01T00:00:00Z"


def test_a_search_reads_each_walk_to_its_end_and_lets_go_of_the_rest():
    walked = Walked(top=[batch_at(NEW), batch_at(NEW)], one=[batch_at(OLD)])

    assert len(walked.read(one=NEW)) == 3
    assert walked.begun == [None, "one"]
    assert walked.skipped == [Place((7, 1, 2))]


def test_a_walk_ends_where_a_page_lies_beyond_the_place_where_the_next_began():
    walked = Walked(top=[batch_at(NEW), batch_at(OLDER), batch_at(OLDER)], one=[batch_at(OLDER)])

    assert len(walked.read(one=OLD)) == 3
    assert walked.begun == [None, "one"]


def test_a_page_without_any_date_and_one_at_that_place_dont_end_a_walk():
    at_the_place = batch_at(OLD)
    dateless = Batch(request(), received=20, newest=OLDER)
    walked = Walked(top=[at_the_place, dateless, batch_at(OLDER)], one=[])

    assert len(walked.read(one=OLD)) == 3


@pytest.mark.parametrize(
    ("pages", "read"),
    [
        # Two thousand rows in a row that are old and have a date are enough.
        ([(OLD, 0, 1000), (OLD, 0, 1000), (OLD, 0, 1000)], 2),
        ([(OLD, 0, 1000), (OLD, 0, 999), (OLD, 0, 1), (OLD, 0, 1)], 3),
        # New ones don't count, nor do those before a row without a date.
        ([(NEW, 0, 1000), (NEW, 0, 1000), (NEW, 0, 1000)], 3),
        ([(OLD, 0, 1000), (OLD, 1, 1000), (OLD, 0, 1000), (OLD, 0, 1000), (OLD, 0, 1)], 4),
        ([("2026-01-01T00:00:00Z", 0, 1000)] * 4, 4),
        ([(None, 0, 1000)] * 4, 4),
    ],
)
def test_a_search_ends_where_old_rows_have_a_date_one_after_the_other(pages, read):
    walked = Walked(top=[batch_at(*page) for page in pages])

    assert len(walked.read()) == read


def test_rows_count_over_walks():
    walked = Walked(top=[batch_at(OLD, 0, 1000)], one=[batch_at(OLD, 0, 1000)] * 3)

    assert len(walked.read(one=OLD)) == 2


@pytest.mark.parametrize(
    ("pages", "hinted"),
    [
        # As far back as is looked at anyhow, once it is known that the walk gets there.
        ([(NEW, 0)], []),
        ([(NEW, 0)] * (FIRST_PAGES - 1), []),
        ([(NEW, 0)] * FIRST_PAGES, [None, "recent"]),
        ([(NEW, 0)] * (FIRST_PAGES + 2), [None, "recent"]),
        ([(OLD, 0)], [None, "recent"]),
        # Where old rows have no date either, to the end.
        ([(OLD, 1)], [None, "recent", "old"]),
        ([(NEW, 0)] * FIRST_PAGES + [(OLD, 1)], [None, "recent", None, "recent", "old"]),
        ([(NEW, 1)] * FIRST_PAGES, [None, "recent"]),
    ],
)
def test_walks_that_are_sure_to_be_wanted_are_prefetched(pages, hinted):
    walked = Walked(top=[batch_at(*page) for page in pages], recent=[], old=[])
    walked.read(recent="2026-01-01T00:00:00Z", old="2025-01-01T00:00:00Z")

    assert walked.hinted == hinted


REFUSALS = [ResponseError("/Messages", 400), ResponseError("/Messages", 404), ChainError("again")]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: str(getattr(one, "status", "chain")))
def test_a_list_that_can_be_walked_from_no_other_place_is_walked_from_its_top(refusal, caplog):
    caplog.set_level("INFO")
    tops = iter([[batch_at(NEW)], [batch_at(NEW), batch_at(OLD)]])
    walked = Walked(one=[refusal])
    chain, places = walked.chain, []

    def noted(one):
        places.append(one.place)
        return iter(next(tops)) if one.link is None else chain(one)

    walked.chain = noted

    assert len(walked.read(one=OLD)) == 3
    assert places == [Place((7, 1, 2, 0, 0)), Place((7, 1, 2, 1, 0)), Place((7, 1, 2, 2, 0))]
    assert walked.skipped == [Place((7, 1, 2))]
    assert "because this was refused: " + str(refusal) in caplog.text


@pytest.mark.parametrize(
    ("error", "places"),
    [(ResponseError("/Messages", 410), {"one": OLD}), (ResponseError("/Messages", 404), {})],
)
def test_what_a_walk_from_the_top_would_not_mend_ends_the_search(error, places):
    walked = Walked(top=[batch_at(NEW), *([] if places else [error])], one=[error])

    with pytest.raises(ResponseError):
        walked.read(**places)
    assert walked.begun == [None, *places], "and each was tried once"
    assert walked.skipped == []
