"""Days of files: each once, told from those made anew, and kept as ranges."""

from __future__ import annotations

import pytest

from tap_twilio.engine.days import SMALL, days_of, with_day


def listed(day, **fields):
    made = {"create_date": "2026-11-10T00:00:00Z", "friendly_name": "a", "size": 10}
    return {"day": day, **made, **fields}


def test_days_are_in_order_each_once():
    rows = [listed("2020-02-01"), listed("2019-12-31"), listed("2020-02-01", friendly_name="b")]

    days, nameless = days_of([*rows, listed("2020-2-1"), listed(None), listed("day 1")])

    assert [(day.date, len(day.files)) for day in days] == [("2019-12-31", 1), ("2020-02-01", 2)]
    assert nameless == 3


@pytest.mark.parametrize("field", ["create_date", "friendly_name", "size"])
def test_a_file_made_anew_is_another(field):
    (before,), _ = days_of([listed("2020-02-01")])
    (after,), _ = days_of([listed("2020-02-01", **{field: None})])

    assert before.files.isdisjoint(after.files)
    assert "a" not in before.files


@pytest.mark.parametrize(
    ("sizes", "is_small"), [([10], True), ([10, SMALL + 1], False), ([10, None], False)]
)
def test_a_day_is_small_if_all_of_its_files_are(sizes, is_small):
    (day,), _ = days_of([listed("2020-02-01", size=size) for size in sizes])

    assert day.is_small is is_small


@pytest.mark.parametrize(
    ("ranges", "day", "merged"),
    [
        ([], "2020-02-01", ["2020-02-01"]),
        (["2020-02-01"], "2020-02-01", ["2020-02-01"]),
        (["2020-01-31"], "2020-02-01", ["2020-01-31/2020-02-01"]),
        (["2020-02-02/2020-02-09"], "2020-02-01", ["2020-02-01/2020-02-09"]),
        (["2020-01-01/2020-02-09"], "2020-02-01", ["2020-01-01/2020-02-09"]),
        (["2020-02-01", "2020-02-03"], "2020-02-02", ["2020-02-01/2020-02-03"]),
        (["2020-02-01", "2020-03-03"], "2020-02-12", ["2020-02-01", "2020-02-12", "2020-03-03"]),
    ],
)
def test_ranges_grow_and_merge(ranges, day, merged):
    assert with_day(ranges, day) == merged
