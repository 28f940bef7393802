"""Live lines are as wide as the terminal, and the summary is no wider than one."""

from __future__ import annotations

import re

import pytest

from tap_twilio.config.terminal import PREFIX
from tap_twilio.output import summary, view
from tap_twilio.output.journey import Left
from tap_twilio.output.view import Glance, Movement, Style
from tap_twilio.streams import STREAMS

PLAIN = Style()
LONGEST = sorted((stream.name for stream in STREAMS), key=len)[-3:]


def glance(**others):
    moving = [
        Movement("calls", 57_000, share=0.5, date="2026-11-06T18:09:43Z"),
        Movement("call_events", 1_234_567),
        Movement("messages", 0, is_unwritten=True),
    ]
    facts = {"records": 69_345, "requests": 812, "rate": 1204.4, "elapsed": 62, "number": (3, 50)}
    return Glance(**{"moving": moving, **facts, **others})


def test_lines_tell_what_moves_and_then_of_the_run():
    left = Left(100, is_whole=True)

    assert view.lines(glance(left=left, account=(1, 2)), 90, 24, PLAIN) == [
        f"  calls        {'#' * 18}{'.' * 19}   50 %  2026-11-06     57,000 records",
        f"  call_events  {' ' * 58}1,234,567 records",
        f"  messages     {' ' * 68}reading",
        "  1:02 elapsed, about 2 min left | 69,345 records, 1,204/s | list 3 of 50, account 1 of 2",
    ]


@pytest.mark.parametrize("columns", [40, 60, 79, 80, 132, 250])
@pytest.mark.parametrize("names", [["calls"], LONGEST])
def test_lines_are_never_wider_than_the_terminal_and_bars_reach_its_edge(columns, names):
    moving = [Movement(name, 10**9, share=0.999, date="2026-11-06") for name in names]

    *drawn, last = view.lines(glance(moving=moving), columns, 24, PLAIN)

    assert len(drawn) == len(names)
    assert all(len(line) <= columns for line in [*drawn, last])
    if columns > 100:
        assert {len(line) for line in drawn} == {columns}
    assert last.startswith("  1:02 elapsed")


def test_a_low_terminal_has_the_run_and_many_streams_are_counted():
    moving = [Movement(f"stream_{number}", number) for number in range(9)]

    assert len(view.lines(glance(moving=moving), 200, 24, PLAIN)) == view.MOST_STREAMS + 1
    (only,) = view.lines(glance(moving=moving), 200, 2, PLAIN)
    assert only.endswith(" | 9 more streams")


def test_bars_are_full_at_the_end_and_colored_where_that_is_wanted():
    assert [PLAIN.bar(share, 4) for share in (0.0, 0.5, 1.0)] == ["....", "##..", "####"]
    assert Style(has_blocks=True).bar(0.5, 4) == "██░░"
    assert Style(has_color=True).bar(0.5, 4) == "\x1b[32m##\x1b[0m.."


def test_what_may_be_left_out_makes_it_at_least():
    *_, last = view.lines(glance(left=Left(30, is_whole=False)), 80, 24, PLAIN)

    assert last.startswith("  1:02 elapsed, at least 30 s left | ")


def test_a_sentence_tells_the_same():
    moving = [Movement("calls", 57_000, share=0.5, date="2026-11-06T18:09:43Z")]

    assert view.sentence(glance(moving=moving)) == (
        "calls: 57,000 records up to 2026-11-06T18:09:43Z, 50 % of its range; 1:02 elapsed; "
        "69,345 records, 1,204/s; list 3 of 50; 812 requests"
    )
    assert view.sentence(glance(moving=[Movement("queues", 5)])).startswith("queues: 5 records; ")


@pytest.mark.parametrize(
    ("seconds", "clock", "rough"),
    [
        (0.2, "0:00", "1 s"),
        (59.4, "0:59", "59 s"),
        (62, "1:02", "1 min"),
        (3599, "59:59", "60 min"),
        (3723, "1:02:03", "1 h 2 min"),
        (360_000, "100:00:00", "100 h 0 min"),
    ],
)
def test_times_are_written_for_people(seconds, clock, rough):
    assert view.clock(seconds) == clock
    assert view.roughly(seconds) == rough


# --- The summary -------------------------------------------------------------------------------


def test_the_summary_fits_a_terminal_whatever_the_names_and_numbers():
    rows = [
        summary.Row(name, 999_999_999, 9_999_999, "2026-11-22T21:55:51Z", [f"{name}: 1 not there"])
        for name in ["calls", *LONGEST]
    ]

    lines = [*summary.table(rows)]

    assert max(map(len, lines)) + PREFIX <= 80
    for name in ["calls", *LONGEST]:
        assert re.search(rf"^  {name}\b", "\n".join(lines), re.MULTILINE)
    columns = {line.rindex("2026-11-22") for line in lines if "2026-11-22" in line}
    assert columns == {lines[0].index("oldest bookmark")}


def test_the_summary_has_no_column_for_bookmarks_where_there_are_none():
    rows = [summary.Row("queues", 5, 1), summary.Row("balance", 1, 12)]

    assert [*summary.table(rows)] == [
        "  stream   records  requests",
        "  queues         5         1",
        "  balance        1        12",
    ]
    assert [*summary.table([])] == []


def test_long_lines_are_cut_between_words():
    reason = "HTTP 403, Twilio error 20003, request RQ" + "0" * 32

    lines = summary.wrapped(f"skipped calls of AC{'1' * 32}: {reason}", 60)

    assert lines[0] == f"  skipped calls of AC{'1' * 32}: HTTP"
    assert " ".join(line.strip() for line in lines).endswith(reason)
    assert all(line.startswith("    ") for line in lines[1:])
