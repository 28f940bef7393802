"""Windows: without gap or overlap, and asked for with a margin on both sides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio.windows import (
    DATE_TIME,
    DAY,
    EPOCH,
    MOST_PARTS,
    PAGES_PER_WINDOW,
    DateFilter,
    Unit,
    Window,
    parse_moment,
)

NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
SECONDS = DateFilter("DateSent")
DAYS = DateFilter("DateUpdated", precision=Unit.DAY)

moments = st.datetimes(
    min_value=datetime(2010, 1, 1),  # noqa: DTZ001
    max_value=datetime(2026, 11, 1),  # noqa: DTZ001
).map(lambda moment: moment.replace(tzinfo=UTC, microsecond=0))
units = st.sampled_from(list(Unit))


def assert_tiles(parts, whole):
    assert parts[0].start == whole.start
    assert parts[-1].end == whole.end
    for part, following in pairwise(parts):
        assert part.end == following.start
        assert part.start < part.end


@given(start=moments, length=st.timedeltas(DAY, 900 * DAY), unit=units, longest=st.integers(1, 90))
def test_stretches_tile_the_range(start, length, unit, longest):
    dates = DateFilter("D", precision=unit, longest=longest * DAY)
    whole = Window(unit.floor(start), unit.floor(start + length))
    if whole.start == whole.end:
        return

    parts = list(dates.stretches(whole, NOW, ages=[7 * DAY, 365 * DAY]))

    assert_tiles(parts, whole)


@given(
    start=moments,
    length=st.timedeltas(DAY, 900 * DAY),
    unit=units,
    span=st.timedeltas(timedelta(0), 30 * DAY),
    full=st.floats(0.01, 1),
    is_open=st.booleans(),
)
def test_parts_tile_the_window(start, length, unit, span, full, is_open):  # noqa: PLR0913, PLR0917
    dates = DateFilter("D", precision=unit)
    whole = Window(start, None if is_open else start + length)
    newest = start + length

    parts = dates.split(whole, max(start, newest - span), newest, full, NOW)

    if parts:
        assert 1 < len(parts) <= MOST_PARTS / PAGES_PER_WINDOW
        assert_tiles(parts, whole)
        assert all(unit.floor(part.start) == part.start for part in parts[1:])


def test_a_window_that_holds_few_pages_is_not_split():
    window = Window(NOW - 10 * DAY, None)

    assert SECONDS.split(window, NOW - 4 * DAY, NOW, 1.0, NOW) == []
    assert SECONDS.split(window, NOW - 1 * DAY, NOW, 1.0, NOW) != []


def test_a_window_of_one_second_cannot_be_split():
    window = Window(NOW, NOW + timedelta(seconds=1))

    assert SECONDS.split(window, NOW, NOW, 1.0, NOW) == []


def test_the_day_of_the_end_is_asked_for_whole_unless_the_time_is_heeded():
    window = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, 6, tzinfo=UTC))

    assert SECONDS.params(window, NOW)["DateSent<"] == "2026-11-03T00:00:01Z"


def test_a_second_is_asked_for_on_both_sides():
    window = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, 6, tzinfo=UTC))

    assert SECONDS.params(window, NOW, exact=True) == {
        "DateSent>": "2026-10-31T23:59:59Z",
        "DateSent<": "2026-11-02T06:00:01Z",
    }


def test_a_day_is_asked_for_on_both_sides():
    window = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, 6, tzinfo=UTC))

    assert DAYS.params(window, NOW) == {"DateUpdated>": "2026-10-31", "DateUpdated<": "2026-11-03"}


def test_open_ends_are_left_open():
    assert SECONDS.params(Window(EPOCH, None), NOW) == {}


def test_an_upper_bound_that_has_a_default_is_always_sent():
    usage = DateFilter(after="StartDate", before="EndDate", precision=Unit.DAY, closed=True)

    assert usage.params(Window(EPOCH, None), NOW) == {"EndDate": "2026-11-22"}


def test_a_lower_bound_that_has_a_default_is_always_sent():
    events = DateFilter(after="StartDate", before="EndDate", rooted=True)

    assert events.params(Window(EPOCH, None), NOW) == {"StartDate": "2008-01-01T00:00:00Z"}


def test_whole_days_can_be_written_as_moments():
    usage = DateFilter(after="Start", before="End", precision=Unit.DAY, wire=DATE_TIME)
    window = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))

    assert usage.params(window, NOW) == {
        "Start": "2026-10-31T00:00:00Z",
        "End": "2026-11-03T00:00:00Z",
    }


def test_retention_clamps_the_start():
    messages = DateFilter("DateSent", retention=400 * DAY)

    assert messages.clamp(EPOCH, NOW) == NOW - 400 * DAY + timedelta(minutes=5)
    assert messages.clamp(NOW - DAY, NOW) == NOW - DAY


@pytest.mark.parametrize(
    ("unit", "floor"),
    [
        (Unit.SECOND, datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)),
        (Unit.DAY, datetime(2026, 11, 20, tzinfo=UTC)),
        (Unit.MONTH, datetime(2026, 11, 1, tzinfo=UTC)),
        (Unit.YEAR, datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_units(unit, floor):
    assert unit.floor(NOW.replace(microsecond=7)) == floor


def test_moments_without_a_zone_are_utc():
    assert parse_moment("2026-11-01T10:00:00", NOW) == datetime(2026, 11, 1, 10, tzinfo=UTC)
