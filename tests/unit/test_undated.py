"""Walks through a list in search of rows without a date: from where, how far, and none left out."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio.pages import Page, Request
from tap_twilio.undated import FIRST_PAGES, LEAST_PAGES, MOST_WALKS, Mark, Marks, Reach, Undated

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
STREAM = SimpleNamespace(name="messages")
FILTERS = ("DateSent>", "DateSent<")


def request(link=None, **options):
    return Request(
        STREAM, {"account_sid": "AC1"}, (7, 1, 2, 0, 0), {"PageSize": "20"}, link, **options
    )


def search(*, shared=True, **reach):
    return request(undated=Undated(SINCE, SINCE, shared, reach=Reach(**reach)))


def page(number, received=20, page_size=20, *, link="https://h/list?Page={}", date="2026-02-{:02}"):
    """A page of a window, the oldest first."""
    return Page(
        None,
        0,
        0,
        page_size,
        None,
        request(),
        received=received,
        following=request(link and link.format(number)),
        end=((f"SM{number}",), date and date.format(number)),
    )


def marks_after(pages):
    """What is known when a list had so many full pages."""
    marks = Marks(FILTERS)
    for number in range(1, pages + 1):
        marks.note(page(number, date="{:05}"))
    return marks


def begins(walks):
    """Pages that lie below the places where walks begin and end; none for the list's ends."""
    below = [None, *(int(one.link.split("=")[1]) for one, _ in walks[1:])]
    return below, [until and until.pages for _, until in walks]


# --- Places that are noted -----------------------------------------------------------------------


def test_a_place_is_noted_with_the_row_before_it_and_what_lies_below():
    marks = Marks(FILTERS)
    marks.note(page(1))
    marks.note(page(2, received=10))

    assert marks.found == [
        Mark("https://h/list?Page=1", ("SM1",), "2026-02-01", 1.0),
        Mark("https://h/list?Page=2", ("SM2",), "2026-02-02", 1.5),
    ]


def test_the_link_of_a_place_leads_through_the_whole_list():
    marks = Marks(FILTERS)
    link = "https://h/list?DateSent%3E=2026-01-01&Page=1&To=&DateSent%3C=2026-02-01&A=b%26c#f"
    marks.note(page(1, link=link))

    assert marks.found[0].link == "https://h/list?Page=1&To=&A=b%26c#f"


def test_places_lie_ever_later_in_the_list():
    marks = Marks(FILTERS)
    for number in (3, 3, 2, 4):
        marks.note(page(number))

    assert [mark.row for mark in marks.found] == [("SM3",), ("SM4",)]
    assert [mark.pages for mark in marks.found] == [1.0, 4.0]


def test_a_page_that_nothing_follows_is_no_place_though_it_counts():
    marks = Marks(FILTERS)
    last, linkless, empty, undated = page(1), page(2, link=None), page(3), page(4, date=None)
    last.following = None
    empty.end = None
    for one in (last, linkless, empty, undated):
        marks.note(one)

    assert marks.found == []
    assert marks.pages == 4


def test_a_page_whose_size_is_unknown_counts_as_one_unless_it_is_empty():
    marks = Marks(FILTERS)
    marks.note(page(1, received=7, page_size=None))
    assert marks.pages == 1
    marks.note(page(2, received=0, page_size=None))
    assert marks.pages == 1


# --- Walks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [request(), search(shared=False)], ids=["any", "list of its own"])
def test_what_is_no_search_in_the_same_list_is_one_walk(first):
    assert marks_after(40).walks(first) == [(first, None)]


def test_walks_begin_three_pages_apart_beyond_what_was_walked_already():
    first = search()

    walks = marks_after(20).walks(first)

    assert begins(walks) == ([None, 12, 9, 6, 3], [12, 9, 6, 3, None])
    assert walks[0][0] is first
    assert first.undated.reach == Reach(FIRST_PAGES, FIRST_PAGES, is_final=True)


def test_walks_begin_beyond_as_many_pages_as_were_asked_for():
    first = search(wanted=16, walked=14)

    assert begins(marks_after(20).walks(first)) == ([None, 6, 3], [6, 3, None])
    # What is asked for ahead ends where the next walk begins.
    assert first.undated.reach == Reach(14, 14, is_final=True)


def test_walks_through_a_long_list_are_as_many_as_may_be():
    walks = marks_after(10 * MOST_WALKS).walks(search())

    below, _ = begins(walks)
    assert len(walks) == MOST_WALKS
    assert below == [None, *range(310, 0, -10)]


def test_a_short_list_is_one_walk_that_may_yet_go_on():
    first = search()

    assert marks_after(FIRST_PAGES).walks(first) == [(first, None)]
    assert first.undated.reach == Reach()
    assert marks_after(0).walks(search())[0][1] is None
    assert begins(marks_after(FIRST_PAGES + 1).walks(search())) == ([None, 1], [1, None])


def test_each_walk_is_a_request_of_its_own_that_knows_where_the_next_begins():
    first = search()

    _, (walk, until), *_ = marks_after(20).walks(first)

    assert (walk.link, walk.params) == ("https://h/list?Page=12", {})
    assert (walk.stream, walk.context) == (first.stream, first.context)
    assert until == Mark("https://h/list?Page=9", ("SM9",), "00009", 9.0)
    assert walk.undated.until == until
    assert (walk.undated.floor, walk.undated.recent, walk.undated.shared) == (SINCE, SINCE, True)
    assert walk.undated.reach == Reach()
    assert walk.undated.reach is not first.undated.reach


def test_walks_keep_their_order_after_the_first():
    walks = marks_after(20).walks(search())

    assert [walk.order for walk, _ in walks] == [(7, 1, 2, number, 0) for number in range(5)]


@given(
    received=st.lists(st.sampled_from((0, 7, 20)), min_size=30, max_size=150),
    walked=st.integers(FIRST_PAGES, 25),
)
def test_walks_make_up_the_list(received, walked):
    marks = Marks(FILTERS)
    for number, rows in enumerate(received):
        marks.note(page(number, rows, date="{:05}"))

    walks = marks.walks(search(wanted=walked, walked=walked))

    assert len(walks) <= MOST_WALKS
    ends = [until for _, until in walks]
    assert ends[-1] is None
    assert [walk.link for walk, _ in walks[1:]] == [until.link for until in ends[:-1]]
    depths = [until.pages for until in ends[:-1]]
    assert all(marks.pages - depth >= walked for depth in depths)
    assert all(a - b >= LEAST_PAGES for a, b in pairwise(depths))
