"""Orders of exports: which days to order, by what Twilio lists and what was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.engine.days import days_between, is_date

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

MOST: Final = 366
"""Days that Twilio lets all accounts together order on one day, in UTC."""

SETTLED: Final = timedelta(days=2)
"""How long before today the last day must be that is ordered."""

FAILED: Final = "Failed"
EMPTY: Final = "CompletedEmptyRecords"

ENDED: Final = frozenset({FAILED, EMPTY, "Completed", "RunningToBeDeleted", "DeletedByUserRequest"})
"""What Twilio calls days of which it makes no file any more. It tries others again by itself."""

Days = frozenset[str]
"""Days in ISO 8601."""


@dataclass(frozen=True)
class Job:
    """An order that Twilio lists.

    Attributes:
        name: What it is called.
        days: All that it is for.
        ended: Those that Twilio is done with, by how.
    """

    name: str
    days: Days
    ended: Mapping[str, Days]


@dataclass(frozen=True)
class Outlook:
    """How it stands with the days that are wanted.

    Attributes:
        missing: Those that nobody has ordered yet, in order.
        waiting: Those that are ordered, and have no file yet.
        failed: Those of which Twilio could make none.
        empty: Days without rows, wanted or not.
    """

    missing: tuple[str, ...] = ()
    waiting: Days = frozenset()
    failed: Days = frozenset()
    empty: Days = frozenset()

    @property
    def first_open(self) -> str:
        """The first that is still to come; after all days, if none is."""
        return min((*self.missing[:1], *self.waiting, *self.failed), default="~")


NOTHING: Final = Outlook()


def jobs_of(rows: Iterable[Mapping[str, Any]]) -> list[Job]:
    """Read a list of jobs; one without its days tells nothing."""
    return [
        _job(row, days_between(row["start_day"], row["end_day"]))
        for row in rows
        if is_date(row.get("start_day")) and is_date(row.get("end_day"))
    ]


def _job(row: Mapping[str, Any], days: Days) -> Job:
    details = [one for one in row.get("details") or () if isinstance(one, dict)]
    named = [
        (one.get("status"), days.intersection(map(str, one["days"])))
        for one in details
        if isinstance(one.get("days"), list)
    ]
    nameless = [one for one in details if not isinstance(one.get("days"), list)]
    rest = days.difference(*(found for _, found in named))
    # Days may go without names; which they are is sure if all others have some.
    if len(nameless) == 1 and nameless[0].get("count") == len(rest):
        named.append((nameless[0].get("status"), rest))
    ended: dict[str, Days] = {}
    for status, found in named:
        if status in ENDED:
            ended[str(status)] = ended.get(str(status), frozenset()) | found
    return Job(str(row.get("friendly_name")), days, ended)


def outlook(wanted: Days, known: Collection[str], jobs: Iterable[Job]) -> Outlook:
    """Tell how it stands with the days that are wanted.

    A day of a listed job is not ordered again: that tells, for a week, what became of the day.

    Args:
        known: Days that are listed, or were read.
    """
    ordered, pending, failed, empty = set[str](), set[str](), set[str](), set[str]()
    for job in jobs:
        ordered |= job.days
        pending |= job.days.difference(*job.ended.values())
        failed |= job.ended.get(FAILED, frozenset())
        empty |= job.ended.get(EMPTY, frozenset())
    still = wanted.difference(known, empty)
    return Outlook(
        tuple(sorted(still - ordered)),
        frozenset(still & pending),
        frozenset(still & failed - pending),
        frozenset(empty),
    )


def spans(days: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give the first and last days of stretches without a gap; the days are in order."""
    first = last = ""
    for day in days:
        if last and date.fromisoformat(last) + timedelta(days=1) == date.fromisoformat(day):
            last = day
            continue
        if first:
            yield first, last
        first = last = day
    if first:
        yield first, last
