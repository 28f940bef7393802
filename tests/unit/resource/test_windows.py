"""Windows: without gap or overlap, and asked for with a margin on both sides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tap_twilio.resource.windows import (
    DATE_TIME,
    DAY,
    EPOCH,
    MOST_PARTS,
    PAGES_PER_WINDOW,
    SECOND,
    DateFilter,
    Unit,
    Window,
    floor_of,
    iso,
    parse_moment,
)
from tests.unit.taps import NOW

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
    assert SECONDS.clamp(EPOCH, NOW) == EPOCH


@pytest.mark.parametrize(
    ("unit", "floor"),
    [
        (Unit.SECOND, datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)),
        (Unit.HOUR, datetime(2026, 11, 20, 12, tzinfo=UTC)),
        (Unit.DAY, datetime(2026, 11, 20, tzinfo=UTC)),
        (Unit.MONTH, datetime(2026, 11, 1, tzinfo=UTC)),
        (Unit.YEAR, datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_units(unit, floor):
    assert unit.floor(NOW.replace(microsecond=7)) == floor
    assert unit.floor(floor) == floor


@pytest.mark.parametrize(
    ("unit", "moment", "following"),
    [
        (Unit.SECOND, NOW.replace(microsecond=7), NOW + SECOND),
        (Unit.DAY, NOW, datetime(2026, 11, 21, tzinfo=UTC)),
        (Unit.DAY, datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)),
        (Unit.MONTH, datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (Unit.MONTH, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (Unit.MONTH, datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (Unit.YEAR, NOW, datetime(2027, 1, 1, tzinfo=UTC)),
        (Unit.YEAR, datetime(2028, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_boundary_follows_any_moment(unit, moment, following):
    assert unit.after(moment) == following


# --- What is asked for ---------------------------------------------------------------------------


def test_a_day_that_ends_the_window_is_not_asked_for():
    window = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))

    assert SECONDS.params(window, NOW)["DateSent<"] == "2026-11-02T00:00:01Z"
    assert DAYS.params(window, NOW)["DateUpdated<"] == "2026-11-02"


def test_a_lower_bound_that_has_a_default_is_as_wide_as_any_other():
    events = DateFilter(after="StartDate", before="EndDate", rooted=True)
    window = Window(EPOCH + SECOND, None)

    assert events.params(window, NOW) == {"StartDate": "2008-01-01T00:00:00Z"}
    assert events.params(Window(NOW, None), NOW) == {"StartDate": "2026-11-20T12:34:55Z"}


def test_the_end_of_a_window_goes_before_the_default_one():
    usage = DateFilter(after="StartDate", before="EndDate", precision=Unit.DAY, closed=True)
    window = Window(EPOCH, datetime(2020, 5, 5, tzinfo=UTC))

    assert usage.params(window, NOW) == {"EndDate": "2020-05-05"}


# --- How a range is cut --------------------------------------------------------------------------


def days(*numbers, start=datetime(2026, 3, 1, tzinfo=UTC)):
    """Windows between days, by their numbers."""
    edges = [None if number is None else start + number * DAY for number in numbers]
    return [Window(*pair) for pair in pairwise(edges)]


@pytest.mark.parametrize(
    ("length", "longest", "edges"),
    [
        (10, 3, [0, 3, 6, 9, 10]),
        (9, 3, [0, 3, 6, 9]),
        (3, 3, [0, 3]),
        (2, 3, [0, 2]),
        (10, None, [0, 10]),
    ],
)
def test_a_range_is_cut_where_a_window_would_grow_too_long(length, longest, edges):
    dates = DateFilter("D", longest=longest and longest * DAY)
    (whole,) = days(0, length)

    assert list(dates.stretches(whole, NOW)) == days(*edges)


def test_an_open_range_is_cut_up_to_now_and_stays_open():
    dates = DateFilter("D", longest=3 * DAY)
    (whole,) = days(0, None)
    now = whole.start + 7 * DAY

    assert list(dates.stretches(whole, now)) == days(0, 3, 6, None)


def test_a_range_is_cut_at_ages_besides_wherever_they_lie_within():
    (whole,) = days(0, 10)
    now = whole.start + 12 * DAY
    ages = [4 * DAY, 9 * DAY, 2 * DAY, 12 * DAY, 40 * DAY]

    assert list(SECONDS.stretches(whole, now, ages)) == days(0, 3, 8, 10)


def test_a_range_is_cut_at_boundaries_alone():
    (whole,) = days(0, 10)
    dates = DateFilter("D", precision=Unit.DAY, longest=3.7 * DAY)
    now = whole.start + 8.5 * DAY

    assert list(dates.stretches(whole, now, [3 * DAY])) == days(0, 3, 5, 7, 10)


# --- How a window is split -----------------------------------------------------------------------


def split(whole, covered, rows=1.0, *, dates=SECONDS, now=NOW):
    newest = whole.end or now
    return dates.split(whole, newest - covered, newest, rows, now)


def test_six_pages_are_as_well_read_in_a_row():
    (whole,) = days(0, 6)

    assert split(whole, DAY) == []
    assert split(whole, DAY - SECOND) != []
    assert split(whole, DAY / 2, 0.5) == []
    assert split(whole, DAY / 2, 0.51) != []


def test_long_parts_are_cut_at_midnight():
    (whole,) = days(0, 100)

    # Ten pages, four fifths of one in each of 13 parts.
    expected = [0, *(int(100 / 13 * number) for number in range(1, 13)), 100]
    assert split(whole, 10 * DAY) == days(*expected)


def test_parts_of_hours_are_cut_at_the_hour():
    (whole,) = days(0, 10)

    expected = [0, *(int(240 / 13 * number) / 24 for number in range(1, 13)), 10]
    assert split(whole, DAY) == days(*expected)


def test_short_parts_are_cut_at_the_second():
    (whole,) = days(0, 1)

    parts = split(whole, 0.1 * DAY)

    expected = [int(86400 / 13 * number) for number in range(13)]
    assert [(part.start - whole.start).total_seconds() for part in parts] == expected


@pytest.mark.parametrize(
    ("length", "parts", "seconds"),
    [(2 * 13, 13, 86400), (2 * 13 / 24, 13, 3600)],
    ids=["two days", "two hours"],
)
def test_parts_of_two_units_are_cut_at_the_unit(length, parts, seconds):
    start = datetime(2026, 3, 1, 5, 30, 30, tzinfo=UTC)
    whole = Window(start, start + length * DAY)

    found = split(whole, (whole.end - start) / 10)

    assert len(found) == parts
    assert all(part.start.timestamp() % seconds == 0 for part in found[1:])


def test_a_filter_of_days_is_cut_at_midnights_only():
    (whole,) = days(0, 4)

    assert split(whole, 0.1 * DAY, dates=DAYS) == days(0, 1, 2, 3, 4)


def test_what_lies_far_back_is_looked_for_in_ever_longer_steps():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    whole = Window(start, start + timedelta(seconds=10_000))

    parts = split(whole, timedelta(seconds=60))

    back = [(whole.end - part.start).total_seconds() for part in reversed(parts)]
    assert back == [48, 96, 192, 384, 768, 1536, 3072, 6144, 10_000]


def test_a_step_back_that_meets_the_start_cuts_nothing():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    whole = Window(start, start + timedelta(seconds=12_288))

    parts = split(whole, timedelta(seconds=60))

    assert [(whole.end - part.start).total_seconds() for part in parts[:2]] == [12_288, 6144]


def test_as_many_pages_as_are_shared_out_evenly_are_still_so():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    whole = Window(start, start + MOST_PARTS * timedelta(seconds=60))

    parts = split(whole, timedelta(seconds=60))

    assert {part.end - part.start for part in parts} == {timedelta(seconds=48)}


def test_as_many_long_parts_are_cut_at_the_hour():
    start = datetime(2026, 3, 1, 5, 30, 30, tzinfo=UTC)
    whole = Window(start, start + MOST_PARTS * timedelta(hours=10))

    parts = split(whole, timedelta(hours=10))

    assert {part.start.minute for part in parts[1:]} == {0}


def test_what_lies_years_back_is_looked_for_from_the_end_to_the_second():
    end = datetime(2026, 3, 1, 5, 30, 30, tzinfo=UTC)
    whole = Window(end - 6000 * DAY, end)

    parts = split(whole, 25 * DAY)

    assert [end - part.start for part in reversed(parts)][:3] == [20 * DAY, 40 * DAY, 80 * DAY]


def test_far_pages_that_are_half_full_take_longer_steps():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    whole = Window(start, start + timedelta(seconds=20_000))

    parts = split(whole, timedelta(seconds=60), 0.5)

    assert (whole.end - parts[-1].start).total_seconds() == 96


def test_rows_of_one_second_are_taken_to_fill_it():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    whole = Window(start, start + timedelta(seconds=8))

    parts = split(whole, timedelta(0))

    assert [part.start.second for part in parts] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_an_open_window_is_split_up_to_now_and_stays_open():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    now = start + 100 * DAY

    parts = split(Window(start, None), 10 * DAY, now=now)

    expected = [0, *(int(100 / 13 * number) for number in range(1, 13)), None]
    assert parts == days(*expected)
    earlier = now - 20 * DAY
    assert SECONDS.split(Window(start, None), earlier - 10 * DAY, earlier, 1.0, now) == parts


def test_rows_later_than_now_are_within_an_open_window():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    newest = start + timedelta(seconds=7)

    parts = SECONDS.split(Window(start, None), newest, newest, 1.0, start)

    assert [part.start.second for part in parts] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert parts[-1].end is None


def test_where_a_query_is_capped_any_window_of_several_pages_is_split():
    (whole,) = days(0, 6)
    capped = DateFilter("D", cap=1000)

    assert split(whole, 6 * DAY, dates=capped) == days(0, 3, 6)
    assert split(whole, 6 * DAY, 0.5, dates=capped) == days(0, 3, 6)
    assert split(whole, 3 * DAY, dates=capped) == days(0, 2, 4, 6)
    assert len(split(whole, DAY, dates=capped)) == 8


# --- Moments -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T10:00:00", "2026-11-01T10:00:00Z"),
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z"),
        ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00Z"),
        (" 2026-11-01T10:00:00.999999Z ", "2026-11-01T10:00:00Z"),
        ("P30D", "2026-10-21T12:34:56Z"),
        ("p1dt1h", "2026-11-19T11:34:56Z"),
        ("P1M", "2026-10-20T12:34:56Z"),
        ("PT0.5S", "2026-11-20T12:34:55Z"),
    ],
)
def test_a_moment_is_in_utc_wherever_the_machine_stands(text, moment):
    found = parse_moment(text, NOW)

    assert iso(found) == moment
    assert found == datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["P9999999D", "0001-01-01T00:00:00+14:00"])
def test_a_moment_beyond_the_calendar_is_told_as_such(text):
    with pytest.raises(ValueError, match=r"^it is beyond the ends of the calendar$"):
        parse_moment(text, NOW)


@pytest.mark.parametrize("text", ["", "soon", "30D", "P", "2026-13-01"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text, NOW)


def test_a_range_begins_where_rows_compare_with_it_as_texts():
    assert floor_of(NOW) == "2026-11-20T12:34:56"
    assert floor_of(EPOCH + SECOND) == "2008-01-01T00:00:01"
    assert floor_of(EPOCH) == ""
    assert floor_of(EPOCH - SECOND) == ""


# --- Whatever the range --------------------------------------------------------------------------


@given(start=moments, length=st.timedeltas(DAY, 900 * DAY), unit=units, longest=st.integers(1, 90))
def test_stretches_tile_the_range(start, length, unit, longest):
    dates = DateFilter("D", precision=unit, longest=longest * DAY)
    whole = Window(unit.floor(start), unit.floor(start + length))
    assume(whole.start < whole.end)

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

    assume(parts)
    assert 1 < len(parts) <= MOST_PARTS / PAGES_PER_WINDOW
    assert_tiles(parts, whole)
    assert all(unit.floor(part.start) == part.start for part in parts[1:])
