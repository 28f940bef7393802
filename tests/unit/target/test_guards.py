from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from target_twilio.addresses import digits, normal
from target_twilio.guards import Failures, Pace, Recipients, Window

BERLIN = ZoneInfo("Europe/Berlin")


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-15T07:59:59", False),
        ("2026-01-15T08:00:00", True),
        ("2026-01-15T18:59:59", True),
        ("2026-01-15T19:00:00", False),
        # In summer the same clocks are an hour earlier.
        ("2026-07-15T06:59:59", False),
        ("2026-07-15T07:00:00", True),
        ("2026-07-15T17:59:59", True),
        ("2026-07-15T18:00:00", False),
    ],
)
def test_a_window_goes_by_the_clocks_of_its_place(at, expected):
    assert Window(time(9), time(20), BERLIN).holds(moment(at)) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-15T20:59:59", False),
        ("2026-01-15T21:00:00", True),
        ("2026-01-15T23:30:00", True),
        ("2026-01-16T04:59:59", True),
        ("2026-01-16T05:00:00", False),
    ],
)
def test_a_window_may_go_over_midnight(at, expected):
    assert Window(time(22), time(6), BERLIN).holds(moment(at)) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # The clocks go from 2:00 to 3:00 at 1:00 UTC: there is no such half hour that night.
        ("2026-03-29T00:59:59", False),
        ("2026-03-29T01:00:00", False),
        ("2026-03-28T01:15:00", True),
        # They go back from 3:00 to 2:00 at 1:00 UTC: it comes twice.
        ("2026-10-25T00:15:00", True),
        ("2026-10-25T01:15:00", True),
        ("2026-10-25T01:45:00", False),
    ],
)
def test_the_night_of_the_change_has_its_own_hours(at, expected):
    assert Window(time(2), time(2, 30), BERLIN).holds(moment(at)) is expected


@pytest.mark.parametrize(
    "address",
    ["+15550001234", "+1 (555) 000-1234", "whatsapp:+15550001234", "RCS:+1.555.000.1234"],
)
@pytest.mark.parametrize(
    "entry", ["+15550001234", "1-555-000-1234", "whatsapp:+15550001234", "001 555 0001234", "1555*"]
)
def test_people_are_the_same_by_any_channel_and_spelling(address, entry):
    assert Recipients([entry]).hold(address)


@pytest.mark.parametrize("entry", ["+1555000123", "+155500012345", "+5550001234", "+1556*"])
def test_others_are_not(entry):
    assert not Recipients([entry]).hold("+15550001234")


def test_nobody_is_on_an_empty_list():
    assert not Recipients([]).hold("+15550001234")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("+15550001234", "+15550001234"),
        (" +1 (555) 000-1234 ", "+15550001234"),
        ("WhatsApp:+15550001234", "whatsapp:+15550001234"),
        ("messenger:abc.123", "messenger:abc.123"),
        ("15550001234", None),
        ("0015550001234", None),
        ("+05550001234", None),
        ("+1555abc", None),
        ("+1234567890123456", None),
        ("whatsapp:1555", None),
        ("messenger:a b", None),
        ("", None),
        ("+", None),
        ("+\u0661\u0665\u0665\u0665\u0660\u0660\u0660\u0661", None),
    ],
)
def test_addresses_are_written_in_one_way(given, expected):
    assert normal(given) == expected


def test_only_digits_that_twilio_reads_count():
    assert digits("+\u0661\u0665\u0665\u0665") == ""


def test_a_pace_keeps_requests_apart(monkeypatch):
    clock, waits = [100.0], []

    def wait(seconds):
        waits.append(round(seconds, 3))
        clock[0] += seconds

    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    pace = Pace(10, wait)

    pace()
    pace()
    clock[0] += 0.03
    pace()
    clock[0] += 5
    pace()
    pace.slow_down()
    pace()
    pace()

    assert waits == [0.1, 0.07, 0.1, 0.2]


def test_no_pace_never_waits():
    pace = Pace(0, lambda _: pytest.fail("it waited"))
    pace.slow_down()

    for _ in range(3):
        pace()


def test_failures_count_only_in_a_row():
    failures = Failures(3)

    assert [failures.failed(), failures.failed()] == [False, False]
    failures.succeeded()
    assert [failures.failed() for _ in range(3)] == [False, False, True]
