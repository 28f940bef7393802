"""The search for rows that have no date yet, which no date filter is sure to match.

A list that can't be filtered otherwise must be walked from its top. Where that is far, it is
walked from several places at once: pages of the windows, which are read before, carry links that
lead on from their last row, and the same link without its date filter leads on from there in the
whole list. Each walk goes on until it meets the place where the next began, so nothing lies
between them, whatever Twilio makes of such a link.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from tap_twilio.pages import Page, Request

LONGEST_UNSETTLED = timedelta(days=36)
"""How long a row may wait for its date and still change: messages are scheduled at most 35 days
ahead."""

IDLE_ROWS = 2000
"""Rows in a row that have a date after which a first run looks no further back for others."""

MOST_WALKS = 32
"""Places from which a list is walked at once."""

LEAST_PAGES = 3
"""Pages that lie between two such places, or more: each walk asks for one page beyond its own."""

FIRST_PAGES = 8
"""Pages that are asked for ahead before any such place is known: from the top, and from each page
on that has rows without a date though it is old."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a list.

    Attributes:
        link: Leads to the rows after it.
        row: Key of the row before it.
        date: Date of that row, in ISO 8601.
        pages: Pages of the list that are older, about.
    """

    link: str
    row: tuple[Any, ...]
    date: str
    pages: float


@dataclass(slots=True)
class Reach:
    """How far a list is walked from its top before its turn, as long as such rows recur there.

    Attributes:
        wanted: Pages to ask for ahead.
        walked: Pages that came, or that are asked for in any case. The first place to search from
            lies beyond them.
        is_final: Whether that place is known, so that there is no need to go further.
    """

    wanted: int = FIRST_PAGES
    walked: int = FIRST_PAGES
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Undated:
    """How far to look.

    Attributes:
        floor: Never further back than this.
        recent: At least as far back as this.
        shared: Whether the list is the one that the windows are of.
        until: Where the next walk begins, if that was known in time.
        reach: How far the walk from the top has come.
    """

    floor: datetime
    recent: datetime
    shared: bool
    until: Mark | None = None
    reach: Reach = field(default_factory=Reach, compare=False)


@dataclass
class Marks:
    """Collects the places from which a list can be walked, newest last.

    Attributes:
        filters: Names of the query parameters that its windows are filtered by.
        found: The places.
        pages: Full pages of rows that there were so far, about.
    """

    filters: Collection[str]
    found: list[Mark] = field(default_factory=list)
    pages: float = 0.0

    def note(self, page: Page) -> None:
        """Take note of a page's end.

        Args:
            page: A page of a window.
        """
        self.pages += page.received / (page.page_size or page.received or 1)
        if page.end is not None and page.following is not None and page.following.link is not None:
            row, date = page.end
            if date is not None and (not self.found or date > self.found[-1].date):
                link = self._unfiltered(page.following.link)
                self.found.append(Mark(link, row, date, self.pages))

    def walks(self, request: Request) -> list[tuple[Request, Mark | None]]:
        """Divide the walk through a list.

        Args:
            request: The list's first page.

        Returns:
            The first page of each walk, newest rows first, and where the next begins.
        """
        undated = request.undated
        if undated is None or not undated.shared:
            return [(request, None)]
        reach = undated.reach
        marks = list(self._apart(reach.walked))
        if marks:
            reach.wanted, reach.is_final = reach.walked, True
        requests = [
            replace(
                request,
                link=mark.link,
                params={},
                order=(*request.order[:-2], number, 0),
                undated=replace(undated, until=until, reach=Reach()),
            )
            for number, (mark, until) in enumerate(pairwise([*marks, None]), start=1)
            if mark is not None
        ]
        # The first page, and those in reach, came before any mark was known.
        return list(zip([request, *requests], [*marks, None], strict=True))

    def _apart(self, reach: int) -> Iterator[Mark]:
        step = max(LEAST_PAGES, self.pages / MOST_WALKS)
        next_one = self.pages - max(reach, step)
        for mark in reversed(self.found):
            if mark.pages <= next_one:
                next_one = mark.pages - step
                yield mark

    def _unfiltered(self, link: str) -> str:
        address = urlsplit(link)
        query = parse_qsl(address.query, keep_blank_values=True)
        kept = [(name, value) for name, value in query if name not in self.filters]
        return address._replace(query=urlencode(kept)).geturl()
