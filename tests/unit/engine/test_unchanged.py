"""Rows of a look-back that were written before are left out by the minute; in doubt they come."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.engine import unchanged
from tap_twilio.engine.unchanged import Unchanged, unpack

FLOOR = "2026-11-05T12:00"


def memory(held=None, **options):
    return Unchanged(held or {}, **{"field": "date", "floor": FLOOR, "salt": "keep"} | options)


def row(sid, date="2026-11-10T08:30:15Z", **more):
    return {"sid": sid, "date": date, **more}


def after(*rows, **options):
    """What the state holds once rows were written."""
    written = memory(**options)
    assert sids(written.sift(rows, is_last=True)) == sids(rows)
    return written.packed()


def sids(rows):
    return sorted(one["sid"] for one in rows)


DAY = [
    row(number, f"2026-11-10T08:{number // 3:02}:{number % 3}0Z", status="sent")
    for number in range(30)
]


def test_nothing_comes_twice_that_has_not_changed():
    held = after(*DAY)

    written = memory(held)

    assert written.sift(DAY, is_last=True) == []
    assert written.packed() == held


@pytest.mark.parametrize(
    "change",
    [{"status": "read"}, {"body": ""}, {"price": -0.0075}, {"status": None}, {"status": ["sent"]}],
    ids=str,
)
def test_a_change_of_any_field_brings_the_rows_of_its_minute(change):
    held = after(*DAY)
    now = [one | change if one["sid"] == 10 else one for one in DAY]

    written = memory(held)

    assert sids(written.sift(now, is_last=True)) == [9, 10, 11]
    again = memory(written.packed())
    assert again.sift(now, is_last=True) == []


def test_rows_that_come_or_go_bring_the_rest_of_their_minute():
    held = after(*DAY)

    assert sids(memory(held).sift([*DAY, row(99, "2026-11-10T08:02:59Z")], is_last=True)) == [
        6,
        7,
        8,
        99,
    ]
    assert sids(memory(held).sift(DAY[1:], is_last=True)) == [1, 2]


def test_the_order_of_rows_and_fields_tells_nothing():
    held = after(*DAY)
    shuffled = [dict(reversed(one.items())) for one in (*DAY[20:], *reversed(DAY[:20]))]

    assert memory(held).sift(shuffled, is_last=True) == []


@pytest.mark.parametrize("size", [1, 2, 5, 7])
@pytest.mark.parametrize("change", [False, True])
def test_rows_wait_for_those_of_their_minute_on_the_next_page(size, change):
    held = after(*DAY)
    now = [one | {"price": 1} if change and one["sid"] == 10 else one for one in reversed(DAY)]
    pages = [now[start : start + size] for start in range(0, len(now), size)]

    written = memory(held)
    found = [
        one
        for number, page in enumerate(pages, start=1)
        for one in written.sift(page, is_last=number == len(pages))
    ]

    assert sids(found) == ([9, 10, 11] if change else [])


@settings(max_examples=30)
@given(dice=st.randoms(use_true_random=False))
def test_whatever_the_pages_and_changes_no_change_is_lost(dice):
    truth = {
        number: row(number, f"2026-11-10T08:{dice.randrange(6):02}:00Z") for number in range(40)
    }
    target, held = {}, {}
    for _ in range(6):
        for number in dice.sample(sorted(truth), 3):
            truth[number] = truth[number] | {"price": dice.random()}
        rows = dice.sample([*truth.values()], len(truth))
        written, page = memory(held), dice.randrange(1, 20)
        for start in range(0, len(rows), page):
            # A window ends now and then in the middle of a minute.
            is_last = start + page >= len(rows) or dice.random() < 0.3
            target |= {
                one["sid"]: one for one in written.sift(rows[start : start + page], is_last=is_last)
            }
        if dice.random() < 0.7:  # or the run is killed before its last STATE
            held = written.packed()
        assert target == truth


def test_a_minute_that_was_torn_apart_is_not_believed_in():
    first, second = row(1), row(2)
    written = memory(after(first))

    assert written.sift([first], is_last=True) == []
    assert written.sift([second], is_last=True) == [second]
    assert written.packed() == {}


def test_rows_without_a_minute_always_come():
    odd = [row(1, None), row(2, "soon"), row(3, "2026-11-10T99:99:00Z"), row(4, 5), {"sid": 5}]

    for _ in range(2):
        assert sids(memory(after()).sift(odd, is_last=False)) == [1, 2, 3, 4, 5]


def test_days_are_as_good_as_minutes():
    rows = [row(1, "2026-11-10"), row(2, "2026-11-11")]
    held = after(*rows)

    assert memory(held).sift(rows, is_last=True) == []
    assert sids(memory(held).sift([rows[0] | {"count": 2}, rows[1]], is_last=True)) == [1]


def test_only_the_look_back_of_the_next_run_is_kept():
    rows = [row(1, "2026-11-04T23:59:00Z"), row(2, "2026-11-05T11:59:59Z"), row(3, f"{FLOOR}:00Z")]

    held = after(*rows)

    assert list(held) == [FLOOR[:10]]
    assert sids(memory(held).sift(rows, is_last=True)) == [1, 2]
    later = memory(held, floor="2026-11-06T00:00")
    assert later.sift(rows[2:], is_last=True) == []
    assert later.packed() == {}


def test_its_cost_is_bounded_and_what_finds_no_room_comes_again():
    held = after(*DAY, room=4)

    assert sum(len(unpack(text)) for text in held.values()) == 4
    assert len(held["2026-11-10"]) == -(-4 * unchanged.ENTRY // 3) * 4
    assert sids(memory(held, room=4).sift(DAY, is_last=True)) == list(range(12, 30))


def test_few_rows_wait(monkeypatch):
    monkeypatch.setattr(unchanged, "MOST_HELD", 10)
    rows = [row(number) for number in range(20)]

    written = memory()

    assert len(written.sift(rows[:15], is_last=False)) == 15
    assert len(written.sift(rows[15:], is_last=True)) == 5
    assert written.packed() == {}


def test_what_is_masked_otherwise_comes_again():
    held = after(*DAY)

    assert len(memory(held, salt="hash").sift(DAY, is_last=True)) == len(DAY)


@pytest.mark.parametrize("text", ["?", "AAAA", "AAA=" * 3, ""])
def test_what_the_state_does_not_hold_is_not_made_up(text):
    written = memory({"2026-11-10": text})

    assert sids(written.sift(DAY, is_last=True)) == sids(DAY)
    assert written.packed() == after(*DAY)
