"""What is told before a run: narrow lines, and no more digits than are known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tap_twilio.output.forecast import Figure, Forecast, Surety, duration, rounded

SID = "AC" + "0" * 32


def forecast(**more):
    return Forecast(f"auth token of {SID}", 3, **more)


def said(**more):
    return "\n".join(forecast(**more).lines())


@pytest.mark.parametrize(
    ("value", "figure"),
    [(0, 0), (0.2, 1), (7, 7), (99.4, 99), (101, 100), (1449, 1400), (1_251_000, 1_300_000)],
)
def test_an_estimate_has_two_digits(value, figure):
    assert rounded(value) == figure


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (58.2, "59 s"),
        (59.2, "1 min"),
        (61, "2 min"),
        (3599, "1 h 0 min"),
        (3600 * 1.5, "1 h 30 min"),
        (3_600_000, "1,000 h 0 min"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_a_sum_is_no_surer_than_its_parts():
    exact, sampled = Figure(3, 1), Figure(1000, 20, Surety.SAMPLED)

    assert exact + exact == Figure(6, 2)
    assert exact + sampled == Figure(1003, 21, Surety.SAMPLED)
    assert exact.times(4, seen=True) == Figure(12, 4)
    assert exact.times(4, seen=False) == Figure(12, 4, Surety.SAMPLED)
    assert Figure(1, 1, Surety.AT_LEAST).times(4, seen=False).surety is Surety.AT_LEAST


def test_larger_streams_have_a_line_each():
    figures = {f"stream_{number:02}": Figure(3, 1) for number in range(30)}
    figures |= {"calls": Figure(123_456, 200, Surety.COUNTED), "messages": Figure(99_999, 150)}

    lines = said(figures=figures).splitlines()

    assert [line.split() for line in lines if "calls" in line] == [
        ["calls", "120,000", "200", "counted"]
    ]
    assert [line.split() for line in lines if "messages" in line] == [
        ["messages", "99,999", "150", "exact"]
    ]
    assert [line.split()[:4] for line in lines if "smaller" in line] == [
        ["30", "smaller", "ones", "90"]
    ]
    assert [line.split() for line in lines if line.startswith("sum")] == [
        ["sum", "220,000", "380", "counted"]
    ]


def test_lines_are_narrow_and_say_what_they_mean():
    names = [f"a_stream_with_quite_a_long_name_as_some_have_{number}" for number in range(40)]
    text = said(
        figures={name: Figure(10**9, 10**6, Surety.AT_LEAST) for name in names},
        readable={f"product{number}" for number in range(30)},
        refused={"monitor": set(names)},
        failed=set(names),
        left_out=[SID] * 7,
        unsigned=[SID] * 2,
        answers=[0.1, 3.0, 0.2],
        ahead=timedelta(days=-100),
        start="2026-01-01T00:00:00Z",
    )

    assert max(map(len, text.splitlines())) <= 79
    assert "and 4 more" in text
    assert "200 ms, the median of 3; 3,000 ms the slowest" in text
    assert "8,640,000 seconds behind Twilio's" in text
    assert "A first run, from 2026-01-01T00:00:00Z on" in text
    assert "at least" in text
    assert "counted" not in text


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (None, "Twilio did not tell"),
        (timedelta(seconds=1), "agrees with Twilio's"),
        (timedelta(seconds=90), "90 seconds ahead of Twilio's"),
    ],
)
def test_clocks(ahead, words):
    assert words in said(ahead=ahead)


def test_nothing_to_read_is_told_too():
    text = said()

    assert "Readable     nothing" in text
    assert "sum" in text
