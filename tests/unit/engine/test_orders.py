"""What to order: days that are neither there, nor read, nor ordered already."""

from __future__ import annotations

import pytest

from tap_twilio.engine.days import days_between, days_in
from tap_twilio.engine.orders import Outlook, jobs_of, outlook, spans

WEEK = days_between("2020-01-01", "2020-01-07")


def row(first, last, *details, name="a", **fields):
    """A job as Twilio lists it; details are a status, a count and days."""
    return {
        "friendly_name": name,
        "start_day": first,
        "end_day": last,
        "details": [
            {"status": status, "count": count, "days": days} for status, count, days in details
        ],
        **fields,
    }


def days(*numbers):
    return frozenset(f"2020-01-{number:02}" for number in numbers)


def test_days_that_nobody_has_or_makes_are_missing():
    jobs = jobs_of([row("2020-01-03", "2020-01-04", ("Submitted", 2, sorted(days(3, 4))))])

    found = outlook(WEEK, days(1, 6), jobs)

    assert found.missing == tuple(sorted(days(2, 5, 7)))
    assert found.waiting == days(3, 4)
    assert found.first_open == "2020-01-02"
    assert list(spans(found.missing)) == [(day, day) for day in found.missing]
    assert list(spans(found.missing[:2])) == [("2020-01-02",) * 2, ("2020-01-05",) * 2]


def test_without_jobs_all_is_one_stretch_over_the_ends_of_months_and_leap_years():
    wanted = days_between("2019-12-30", "2020-03-02")

    found = outlook(wanted, (), [])

    assert len(found.missing) == 2 + 31 + 29 + 2
    assert list(spans(found.missing)) == [("2019-12-30", "2020-03-02")]
    assert list(spans(())) == []
    assert days_between("2020-01-02", "2020-01-01") == frozenset()


@pytest.mark.parametrize(
    ("details", "waiting", "failed", "empty"),
    [
        ([], (1, 2, 3, 4), (), ()),
        (None, (1, 2, 3, 4), (), ()),
        ([("Running", 4, None)], (1, 2, 3, 4), (), ()),
        ([("ErrorDuringRun", 1, days(1)), ("Running", 3, None)], (1, 2, 3, 4), (), ()),
        ([("Completed", 1, days(1)), ("Running", 3, days(2, 3, 4))], (2, 3, 4), (), ()),
        ([("Failed", 2, days(2, 3)), ("Completed", 2, None)], (), (2, 3), ()),
        ([("CompletedEmptyRecords", 4, None)], (), (), (1, 2, 3, 4)),
        ([("CompletedEmptyRecords", 1, days(4)), ("Failed", 3, None)], (), (1, 2, 3), (4,)),
        # Which is which isn't told: none is taken for read.
        ([("CompletedEmptyRecords", 2, None), ("Running", 2, None)], (1, 2, 3, 4), (), ()),
        ([("CompletedEmptyRecords", 3, None)], (1, 2, 3, 4), (), ()),
        ([("DeletedByUserRequest", 4, None)], (), (), ()),
        ([("SomethingNew", 4, days(1, 2, 3, 4))], (1, 2, 3, 4), (), ()),
        # Days of another job, and things that are none.
        ([("CompletedEmptyRecords", 2, [*days(4, 9), None, {}])], (1, 2, 3), (), (4,)),
    ],
)
def test_a_job_tells_what_became_of_its_days(details, waiting, failed, empty):
    given = row("2020-01-01", "2020-01-04")
    given["details"] = details and [
        {"status": status, "count": count, "days": named if named is None else list(named)}
        for status, count, named in details
    ]

    found = outlook(days(1, 2, 3, 4), (), jobs_of([given]))

    assert found == Outlook((), days(*waiting), days(*failed), days(*empty))


def test_a_day_that_failed_once_and_is_made_again_has_not_failed():
    failed = row("2020-01-01", "2020-01-03", ("Failed", 3, None))
    again = row("2020-01-01", "2020-01-01", ("Running", 1, None))

    found = outlook(days(1, 2, 3), days(3), jobs_of([failed, again]))

    assert found == Outlook((), days(1), days(2))
    assert found.first_open == "2020-01-01"


@pytest.mark.parametrize("fields", [{"start_day": None}, {"end_day": "soon"}, {"end_day": 7}])
def test_a_job_without_its_days_tells_nothing(fields):
    assert jobs_of([row("2020-01-01", "2020-01-04") | fields]) == []


def test_ranges_are_all_of_their_days():
    assert days_in(["2020-01-01/2020-01-03", "2020-01-07"]) == days(1, 2, 3, 7)
