"""Reading: what is kept of a page that came, what is wanted after it, and what is below it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tap_twilio.engine.chain import Chain
from tap_twilio.engine.decoder import Decoder
from tap_twilio.engine.null_dates import FIRST_PAGES, Frontier, Search, Waypoint
from tap_twilio.engine.planner import LAST
from tap_twilio.engine.requests import Batch, Fetched, Place, Request
from tap_twilio.resource.windows import EPOCH, Window, iso
from tests.unit.taps import MARK, WHOSE, fetched, make_engine, utc


def request_of(node, place=(0, 1, 0, 0), **options):
    return Request(node, WHOSE, Place(place), {}, **options)


def arrive(engine, page):
    """Tell what is kept of a page, and what is wanted after it."""
    kept, wanted = engine.reader.arrive(page)
    return kept, [list(each) for each in wanted]


def sids(batch):
    return [record.get("sid") for record in batch.records]


# --- Pages as they are opened --------------------------------------------------------------------


def test_a_page_is_opened_once():
    engine = make_engine("queues")
    batch = engine.reader.opened(fetched(request_of(engine.node), [{"sid": "QU1"}]))
    batch.size = 17

    assert engine.reader.opened(batch) is batch
    assert sids(batch) == ["QU1"]
    assert batch.size == 17


def test_a_decoder_is_made_once():
    engine = make_engine("queues")

    assert isinstance(engine.decoder(), Decoder)
    assert engine.decoder() is engine.decoder()


# --- What follows a page -------------------------------------------------------------------------


def test_after_a_page_its_link_is_wanted():
    engine = make_engine("queues")
    page = fetched(request_of(engine.node, (3, 0, 0)), [{"sid": "QU1"}], link="next")

    kept, ((following,),) = arrive(engine, page)

    assert kept is page, "decoded when its turn comes"
    assert page.following is following
    assert (following.link, following.place, following.params) == ("next", (3, 0, 1), {})
    last = fetched(request_of(engine.node), [])
    assert arrive(engine, last) == (last, [])
    assert last.following is None


def test_after_a_page_that_was_split_its_parts_are_wanted():
    engine = make_engine("calls")
    request = request_of(engine.node)
    parts = tuple(request_of(engine.node, (0, 1, 0, n, 0)) for n in range(3))
    page = fetched(request, [], link="next", parts=parts)

    kept, wanted = arrive(engine, page)

    assert wanted == [list(parts)]
    answers = {request.place: engine.reader.opened(kept)} | {one.place: Batch(one) for one in parts}
    batches = Chain(request, lambda one: answers.pop(one.place))
    assert [batch.request for batch in batches] == [*parts]


def test_after_a_page_of_parents_what_is_below_them_is_wanted():
    engine = make_engine("queues", "queue_members")
    rows = [{"sid": "QU1"}, {"friendly_name": "x"}, {"sid": "QU2"}]

    kept, ((following,), below) = arrive(
        engine, fetched(request_of(engine.node, (9, 0)), rows, link="next")
    )

    assert following.link == "next"
    assert [one.node for one in below] == [engine.nodes["queue_members"]] * 2
    assert [one.context for one in below] == [WHOSE | {"queue_sid": sid} for sid in ("QU1", "QU2")]
    assert [one.place for one in below] == [(9, 0, 0, 0, 0, 0, 0), (9, 0, 2, 0, 0, 0, 0)]
    assert isinstance(kept, Batch)


def test_what_is_below_is_told_when_it_is_drawn():
    engine = make_engine("messages", "message_media")
    rows = [{"sid": f"MM{n}", "num_media": str(n), "date_sent": MARK} for n in range(3)]
    request = request_of(engine.node, (1, 0), window=Window(EPOCH, None))

    _, (below,) = arrive(engine, fetched(request, rows))

    assert [one.context["message_sid"] for one in below] == ["MM1", "MM2"]
    assert [one.place[:4] for one in below] == [(1, 0, 1, 0), (1, 0, 2, 0)]


# --- Pages that are searched for rows without a date ---------------------------------------------


FLOOR, RECENT = utc("2026-11-01"), utc("2026-11-10")
NEXT_WALK = Waypoint("link", ("SM5",), "2026-11-10T08:00:00Z", 1.0)


def searched(rows, *, number=0, shared=True, until=None, frontier=None):
    """Have a page of messages arrive that a link follows."""
    engine = make_engine("messages")
    search = Search(FLOOR, RECENT, shared, until, frontier or Frontier())
    request = request_of(engine.node, (0, LAST, 0, 0, number), search=search)
    page = fetched(request, rows, link="next", size=1000)
    kept, wanted = arrive(engine, page)
    return engine, page, kept, wanted


DATED = {"sid": "SM1", "date_sent": "2026-11-12T00:00:00Z"}
OLD = {"sid": "SM1", "date_sent": "2026-11-05T00:00:00Z"}
UNSENT = {"sid": "SM2", "date_created": "2026-11-05T00:00:00Z"}


def test_of_a_page_that_is_searched_only_what_is_kept_waits():
    _, _, kept, _ = searched([DATED] * 9 + [UNSENT])
    assert isinstance(kept, Batch)
    assert sids(kept) == ["SM2"]
    assert kept.size == 1000 * 4 // 10

    engine, page, kept, _ = searched([DATED] + [UNSENT] * 9)
    assert isinstance(kept, Fetched)
    assert kept.rows is page.rows
    assert kept.size == 1000
    assert sids(engine.reader.opened(kept)) == ["SM2"] * 9

    _, _, kept, _ = searched([DATED] * 3 + [UNSENT])
    assert isinstance(kept, Batch), "as much as before is no more"


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
def test_pages_are_prefetched_beyond_where_rows_without_a_date_recur(rows, number, wanted, walked):
    frontier = Frontier()
    searched(rows, number=number, frontier=frontier)

    assert (frontier.wanted, frontier.walked) == (wanted, walked)


@pytest.mark.parametrize("reason", ["final", "a walk that has an end"])
def test_no_page_is_asked_for_beyond_where_the_next_walk_begins(reason):
    frontier = Frontier(is_final=reason == "final")
    until = None if reason == "final" else NEXT_WALK
    searched([DATED], number=20, frontier=frontier, until=until)

    assert (frontier.wanted, frontier.walked) == (FIRST_PAGES, FIRST_PAGES)


def test_a_frontier_never_shrinks():
    frontier = Frontier(wanted=50, walked=60)
    searched([UNSENT], number=2, frontier=frontier)

    assert (frontier.wanted, frontier.walked) == (50, 60)


@pytest.mark.parametrize(
    ("number", "options", "is_prefetched"),
    [
        (6, {}, True),
        (7, {}, False),
        (8, {}, False),
        (7, {"shared": False}, True),
        (7, {"until": replace(NEXT_WALK, date=iso(FLOOR))}, True),
        (7, {"frontier": Frontier(wanted=9)}, True),
    ],
)
def test_a_page_that_another_walk_may_give_is_not_prefetched(number, options, is_prefetched):
    _, _, kept, wanted = searched([OLD], number=number, **options)

    assert kept.following is not None
    assert len(wanted) == is_prefetched


# --- Lists ---------------------------------------------------------------------------------------


def test_what_is_no_search_is_one_walk():
    engine = make_engine("messages")
    search = Search(FLOOR, RECENT, is_shared=True)
    window = Window(EPOCH, None)
    listed, sought = request_of(engine.node, window=window), request_of(engine.node, search=search)
    taken = []

    def take(request):
        """Give twenty full pages from each request's first one on."""
        taken.append(request)
        number = request.place.number + 1
        link = f"https://h/list?Page={number}" if request.window and number < 20 else None
        return Batch(
            request,
            received=20,
            page_size=20,
            following=request.after(link, None),
            last=((f"SM{number}",), f"2026-11-{number:02}"),
        )

    engine.reader.prefetch = SimpleNamespace(take=take, skip=lambda _: None, hint=lambda _: None)
    for group in ([listed, listed], [sought]):
        taken.clear()
        plan = iter([(window, [listed]), (group[0].window, group)])
        assert list(engine.reader.walk(engine.node, WHOSE, Place((0,)), plan))

        pages = [request.link and int(request.link.split("=")[1]) for request in taken]
        walk = [None, *range(1, 20)]
        assert pages == (walk * 3 if group[0] is listed else [*walk, None, 12, 9, 6, 3])
