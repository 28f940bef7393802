"""How far a run has come, and how long the rest takes, by a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tap_twilio.output import journey as module
from tap_twilio.output.journey import Journey, Left, Leg
from tap_twilio.resource.windows import EPOCH, Window

CALLS = Leg("calls", is_dated=True)
QUEUES = Leg("queues", is_dated=False)
MESSAGES = Leg("messages", is_dated=True)


def day(number):
    return datetime(2026, 11, number, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """Moves on by what it is called with."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


@pytest.fixture
def journey():
    found = Journey()
    found.plan([CALLS, QUEUES, MESSAGES], 2, day(21))
    return found


def page(journey, window, first, last, *, chain=(0, 1)):
    read_to = journey.read_to(window, [f"2026-11-{first:02}", f"2026-11-{last:02}T00:00:00Z"])
    journey.reach(window, read_to, chain, window.start)


WHOLE = Window(day(1), None)


def test_a_window_is_read_from_its_newest_row_on(journey):
    journey.begin(0, 0)
    assert journey.share is None

    page(journey, WHOLE, 20, 16)
    assert journey.share == pytest.approx(0.25)
    page(journey, WHOLE, 15, 11)
    assert journey.share == pytest.approx(0.5)
    journey.reach(WHOLE, journey.read_to(WHOLE), (0, 1), WHOLE.start)
    assert journey.share == 1.0


def test_a_list_may_come_oldest_first(journey):
    journey.begin(0, 0)

    page(journey, WHOLE, 1, 6)

    assert journey.share == pytest.approx(0.25)


def test_each_chain_reads_the_whole_window(journey):
    journey.begin(0, 0)

    shares = []
    for number in range(2):
        page(journey, WHOLE, 20, 11, chain=(number, 2))
        shares.append(journey.share)

    assert shares == pytest.approx([0.25, 0.75])


def test_what_lies_before_the_first_rows_counts_for_nothing(journey):
    journey.begin(0, 0)
    empty, whole = Window(EPOCH, day(11)), Window(EPOCH, None)

    journey.reach(whole, journey.read_to(empty), (0, 1), None)
    assert journey.share is None
    page(journey, Window(day(11), day(21)), 20, 16)

    assert journey.share == pytest.approx(0.5)


def test_a_page_counts_as_far_as_what_is_below_its_rows_is_read(journey):
    journey.begin(0, 0)
    page(journey, WHOLE, 20, 11)

    journey.below = 0.5

    assert journey.share == pytest.approx(0.25)
    page(journey, WHOLE, 11, 6)
    assert journey.share == pytest.approx(0.75)


@pytest.mark.parametrize("dates", [["None", "None"], ["soon", "later"], ["1970-01-01"] * 2])
def test_dates_that_are_none_do_no_harm(journey, dates):
    journey.begin(0, 0)

    journey.reach(WHOLE, journey.read_to(WHOLE, dates), (0, 1), WHOLE.start)

    assert 0.0 <= journey.share <= 1.0


def test_the_place_is_told(journey):
    assert (journey.stream, journey.account, journey.done) == (None, 0, 0)
    journey.begin(1, 2)
    assert (journey.stream, journey.account, journey.done) == ("messages", 2, 5)


def test_nothing_is_left_that_nothing_tells_of(journey, clock):
    assert journey.left() is None
    journey.begin(0, 0)
    clock(10)
    assert journey.left() is None
    page(journey, WHOLE, 20, 16)
    clock(10)
    assert journey.left() is None, "the first page tells nothing: it had to be waited for"


def test_a_list_tells_by_its_share_what_is_left(journey, clock):
    journey.begin(0, 0)
    clock(30)
    page(journey, WHOLE, 20, 19)  # a tenth
    clock(8)
    page(journey, WHOLE, 19, 11)  # half: forty percent in eight seconds
    left = journey.left()

    assert left.seconds == pytest.approx(10)
    assert not left.is_whole, "messages, and the other account"


def test_what_another_account_took_is_expected_of_the_next(journey, clock):
    for leg, seconds in enumerate([20, 1, 40]):
        journey.begin(0, leg)
        clock(seconds)
    journey.begin(1, 0)
    clock(5)

    assert journey.left() == Left(15 + 1 + 40, is_whole=True)
    journey.begin(1, 1)
    assert journey.left() == Left(1 + 40, is_whole=True)
    clock(3)
    assert journey.left() == Left(40, is_whole=True)


def test_the_last_list_of_the_only_account_tells_all(clock):
    journey = Journey()
    journey.plan([CALLS, QUEUES], 1, day(21))
    journey.begin(0, 0)
    page(journey, WHOLE, 20, 19)
    clock(8)
    page(journey, WHOLE, 19, 11)

    assert journey.left().is_whole
