"""What a run costs, as docs/scaling.md has it; and rows by a few pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tap_twilio.engine.cost import Page, Read, Terms, cost_of, next_moment, predict, rows_between
from tests.unit.taps import NOW

DAY = timedelta(days=1)


def page_of(age, rows=1000, *, days=1.0, start=None):
    """A full page that ends some days ago, and whose rows are of so many days; or the last one."""
    end = NOW - age * DAY
    if start is not None:
        return Page(NOW - start * DAY, end, rows)
    return Page(NOW - 400 * DAY, end, rows, is_last=False, oldest=end - days * DAY, newest=end)


@pytest.mark.parametrize(
    ("read", "requests"),
    [
        (Read(0), 1),
        (Read(1000), 1),
        (Read(1001), 2),
        (Read(4000), 4),
        (Read(10_000), 1 + 15),
        (Read(10_000, splits=False), 10),
        (Read(10_000, page=100), 1 + 150),
        # Four windows of a page each, and one of them with more.
        (Read(3000, chains=4), 4),
        (Read(40_000, chains=4), 4 + 60),
        # Cut by its first page, though nearly all parts are empty.
        (Read(2000, parts=45), 1 + 45),
        (Read(2000, parts=45, splits=False), 2),
        (Read(10_000, undated=(1.0,)), 16 + 10),
        (Read(10_000, undated=(0.02, 0.02)), 16 + 2),
        (Read(0, parents=70), 70),
    ],
)
def test_requests(read, requests):
    assert read.requests == requests


@pytest.mark.parametrize(
    ("read", "requests"),
    [
        (Read(0), 1),
        (Read(3000), 3),
        # A longer window is cut into parts, which are read side by side.
        (Read(40_000), 4),
        # No date cuts this list, or halves of it.
        (Read(40_000, splits=False), 40),
        (Read(40_000, splits=False, chains=2), 20),
        # The search for rows without a date walks a list page by page, from several places.
        (Read(40_000, undated=(1.0,)), 28),
        (Read(1_000_000, undated=(1.0,)), 150),
        (Read(1_000_000, undated=(0.02, 0.01)), 14),
        (Read(0, parents=70), 1),
    ],
)
def test_requests_that_wait_for_each_other(read, requests):
    assert read.in_a_row == requests


def test_a_run_waits_in_rounds_that_grow():
    # Three in a row, then 4, 5, 6 and 7 at a time; and the list of accounts.
    assert cost_of(21, 0, Terms(1, 24)).seconds == pytest.approx(0.8 + 3 + 4)
    assert cost_of(21, 0, Terms(1, 4)).seconds == pytest.approx(0.8 + 3 + 6)
    assert cost_of(0, 0, Terms(1, 1)).seconds == pytest.approx(0.8 + 3 + 1)


def test_a_run_waits_for_pages_that_come_one_after_the_other():
    assert cost_of(21, 0, Terms(1, 24), waiting=9).seconds == pytest.approx(0.8 + 3 + 9)
    assert cost_of(21, 0, Terms(1, 24), waiting=3).seconds == pytest.approx(0.8 + 3 + 4)


def test_a_run_of_many_rows_works():
    cost = cost_of(10, 1_000_000, Terms(0.1, 24), waiting=20)

    assert cost.seconds == cost.core == pytest.approx(30.8)


def test_reads_are_summed():
    reads = [*[Read(1000)] * 2, Read(7000, splits=False)]

    assert predict(reads, Terms(1, 24)) == cost_of(9, 9000, Terms(1, 24), waiting=7)
    assert predict(reads, Terms(1, 24, shards=7)) == cost_of(
        9, 9000, Terms(1, 24, shards=7), waiting=1
    )


def test_a_last_page_is_exact():
    assert rows_between([page_of(0, 7, start=30)], NOW - 30 * DAY) == 7


def test_a_full_page_tells_a_rate():
    assert rows_between([page_of(0, days=2)], NOW - 30 * DAY) == pytest.approx(15_000)


def test_rates_between_pages_are_means():
    pages = [page_of(0, days=1), page_of(10, days=0.5)]

    # 10 days at 1,500 a day, and 20 at 2,000.
    assert rows_between(pages, NOW - 30 * DAY) == pytest.approx(15_000 + 40_000)


def test_an_old_page_that_is_the_last_tells_where_rows_begin():
    pages = [page_of(0, days=1), page_of(10, 300, start=30)]

    # 10 days, at a rate between 1,000 a day and 15; then what was seen.
    assert rows_between(pages, NOW - 30 * DAY) == pytest.approx(10 * (1000 + 15) / 2 + 300)


def test_what_was_seen_is_there():
    """Rows of one second, on a page that ends long after."""
    second = Page(NOW - DAY, NOW, 1000, is_last=False, oldest=NOW, newest=NOW)
    assert rows_between([second], NOW - timedelta(seconds=0.1)) == 1000


def test_nobody_asks_on_where_all_was_seen():
    start = NOW - 30 * DAY
    assert next_moment([page_of(0, 7, start=30)], start, NOW) is None
    assert next_moment([page_of(0, days=20)], start, NOW) is None


def test_a_beginning_is_looked_for_by_the_logarithm_of_ages():
    start, pages = NOW - 256 * DAY, [page_of(0, days=1)]

    asked = []
    for _ in range(3):
        moment = next_moment(pages, start, NOW)
        age = (NOW - moment) / DAY
        asked.append(round(age))
        # Rows began 40 days ago.
        pages.append(page_of(age, 0, start=256) if age > 40 else page_of(age, days=1))

    assert asked == [16, 66, 33]
    assert rows_between(pages, start) == pytest.approx(40_000, rel=0.3)
