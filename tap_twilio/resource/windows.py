"""Date windows: from the bookmark to now, with boundaries made exact."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

import isodate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

EPOCH = datetime(2008, 1, 1, tzinfo=UTC)
"""Twilio's first year. A range from then on has no lower bound: it holds older rows too, such as
one dated 1970."""

PAGES_PER_WINDOW = 0.8
"""Aim of a split: most parts then take one request, and none waits for another."""

PAGES_TO_SPLIT = 6.0
"""A window that seems to hold more pages than this is split."""

MOST_PARTS = 128
"""Pages that one split shares out evenly; beyond, its parts grow, as empty ones cost a request."""


class Unit(Enum):
    """The finest boundary that an endpoint's date filter can express."""

    SECOND = "second"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    def floor(self, moment: datetime) -> datetime:
        """Give the last boundary at or before a moment in UTC."""
        if self is Unit.SECOND:
            return moment.replace(microsecond=0)
        if self is Unit.HOUR:
            return moment.replace(minute=0, second=0, microsecond=0)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Unit.MONTH:
            return midnight.replace(day=1)
        if self is Unit.YEAR:
            return midnight.replace(month=1, day=1)
        return midnight

    def after(self, moment: datetime) -> datetime:
        """Give the first boundary after a moment in UTC."""
        longest = {Unit.SECOND: SECOND, Unit.DAY: DAY, Unit.MONTH: 31 * DAY, Unit.YEAR: 366 * DAY}
        return self.floor(self.floor(moment) + longest[self])


DATE = "%Y-%m-%d"
DATE_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time.

    Attributes:
        start: First moment in it, in UTC.
        end: First moment after it; none means that it is open: up to whatever is newest.
    """

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class DateFilter:
    """The parameters that bound a list by date, and how they behave.

    Attributes:
        field: Parameter whose name takes the operators ``>`` and ``<``, such as ``DateSent``.
        after: Parameter of the lower bound, where it has a name of its own.
        before: Parameter of the upper bound, likewise.
        precision: Finest boundary that can be asked for.
        wire: How bounds are written: :data:`DATE_TIME` for precision to the second, else
            :data:`DATE`, unless the endpoint wants its days and months written otherwise.
        retention: How long Twilio keeps rows; asking further back is refused.
        cap: Most rows that Twilio gives for one query.
        longest: Longest window that is wise to ask for.
        closed: Whether the upper bound is always sent, as its default isn't the present.
        rooted: Whether the lower bound is always sent, as its default isn't the first row.
        undated: Filters of the lists to search besides for rows without a date, which no date
            filter is sure to match; empty for the plain list, none where all rows have dates.
    """

    field: str = ""
    after: str = ""
    before: str = ""
    precision: Unit = Unit.SECOND
    wire: str = ""
    retention: timedelta | None = None
    cap: int | None = None
    longest: timedelta | None = None
    closed: bool = False
    rooted: bool = False
    undated: Mapping[str, tuple[str, ...]] | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Names of the lower and the upper parameter, operators included."""
        return self.after or f"{self.field}>", self.before or f"{self.field}<"

    def params(self, window: Window, now: datetime, *, exact: bool = False) -> dict[str, str]:
        """Give the query parameters that ask for a little more than a window.

        Endpoints, and what is written about them, differ in whether an operator includes its bound,
        and in whether a bare date means its midnight or its whole day. Rows are cut to the window
        by their own timestamps, so asking for more on both sides loses nothing.

        Args:
            exact: Whether the filter is known to heed the time of day; else the day in which the
                window ends is asked for to its end.
        """
        after, before = self.names
        margin = SECOND if self.precision is Unit.SECOND else DAY
        params = {}
        if window.start > EPOCH:
            params[after] = self._wire(window.start - margin)
        elif self.rooted:
            params[after] = self._wire(EPOCH)
        if window.end is not None or self.closed:
            end = window.end or now + DAY
            end = end if exact else _midnight(end)
            end += margin if self.precision is Unit.SECOND else timedelta(0)
            params[before] = self._wire(end)
        return params

    def _wire(self, moment: datetime) -> str:
        by_second = self.precision is Unit.SECOND
        return moment.strftime(self.wire or (DATE_TIME if by_second else DATE))

    def clamp(self, start: datetime, now: datetime) -> datetime:
        """Give the start, or the oldest moment that Twilio's retention lets be asked for."""
        if self.retention is None:
            return start
        # Five minutes for clocks that differ and for the run itself.
        return max(start, now - self.retention + timedelta(minutes=5))

    def stretches(
        self, window: Window, now: datetime, ages: Iterable[timedelta] = ()
    ) -> Iterator[Window]:
        """Cut a range, oldest first, into windows that are not too long, without gap or overlap.

        Args:
            now: Where an open range is taken to end.
            ages: Where to cut besides, counted back from now.
        """
        end = window.end or now
        cuts = {self.precision.floor(now - age) for age in ages}
        if self.longest is not None:
            count = math.floor((end - window.start) / self.longest)
            steps = (window.start + self.longest * index for index in range(1, count + 1))
            cuts |= {self.precision.floor(step) for step in steps}
        start = window.start
        for cut in sorted(cuts):
            if start < cut < end:
                yield Window(start, cut)
                start = cut
        yield Window(start, window.end)

    def split(
        self, window: Window, oldest: datetime, newest: datetime, rows: float, now: datetime
    ) -> list[Window]:
        """Cut a window that holds too many pages into parts that can be read side by side.

        Args:
            oldest: Oldest timestamp on the first of its pages.
            newest: Newest timestamp there.
            rows: How full that page is: 1 with all rows that were asked for.
            now: Where an open window is taken to end.

        Returns:
            The parts, oldest first; empty if the window is as well read as it is.
        """
        end = window.end or max(now, newest + SECOND)
        total = (end - window.start).total_seconds()
        covered = max(1.0, (newest - oldest).total_seconds())
        pages = rows * total / covered
        # The estimate may be far off, and a query that meets the cap is refused: there, only
        # windows of one page are safe.
        if self.cap is None and pages <= PAGES_TO_SPLIT:
            return []
        if pages > MOST_PARTS:
            # Rows may well begin somewhere in this range: look further back in ever longer steps.
            steps = itertools.takewhile(
                lambda step: step < total,
                (covered * PAGES_PER_WINDOW / rows * 2**doubling for doubling in itertools.count()),
            )
            moments = [end - timedelta(seconds=step) for step in steps]
        else:
            count = max(2, math.ceil(pages / PAGES_PER_WINDOW))
            part = (end - window.start) / count
            moments = [window.start + part * index for index in range(1, count)]
        # Midnights are boundaries under every reading of the filters, and round moments are the
        # same in each run: keep to them while the parts are long.
        unit, part = self.precision, timedelta(seconds=total / (len(moments) + 1))
        if unit is Unit.SECOND and pages <= MOST_PARTS and part >= 2 * HOUR:
            unit = Unit.DAY if part >= 2 * DAY else Unit.HOUR
        cuts = sorted({unit.floor(moment) for moment in moments})
        edges = [window.start, *(cut for cut in cuts if window.start < cut < end)]
        return (
            [Window(*pair) for pair in zip(edges, [*edges[1:], window.end], strict=True)]
            if len(edges) > 1
            else []
        )


def _midnight(moment: datetime) -> datetime:
    floor = Unit.DAY.floor(moment)
    return floor if floor == moment else floor + DAY


def parse_moment(value: str, now: datetime) -> datetime:
    """Read a date, a date-time or a duration before now: in UTC, to the second.

    Args:
        value: ISO 8601: ``2026-01-31``, ``2026-01-31T08:00:00Z`` or ``P30D``; in UTC without an
            offset.

    Raises:
        ValueError: It is none of these, or beyond the ends of the calendar.
    """
    text = value.strip()
    try:
        if text[:1] in {"P", "p"}:
            moment: datetime = now - isodate.parse_duration(text.upper())
        else:
            moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(microsecond=0)
    except ArithmeticError as error:
        msg = "it is beyond the ends of the calendar"
        raise ValueError(msg) from error


def floor_of(start: datetime) -> str:
    """Write a range's start, ``YYYY-MM-DDThh:mm:ss``, to compare with dates of rows as strings.

    It is empty for a range without a beginning, which holds rows of any date, 1970 among them.
    """
    return "" if start <= EPOCH else iso(start)[:-1]


def iso(moment: datetime) -> str:
    """Write a moment in UTC as bookmarks have it: ``YYYY-MM-DDThh:mm:ssZ``."""
    return moment.strftime(DATE_TIME)
