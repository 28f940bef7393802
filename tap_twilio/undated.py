"""The search for rows that have no date yet, which no date filter is sure to match.

A list that can't be filtered otherwise must be walked from its top. Where that is far, it is
walked from several places at once: pages of the windows, which are read before, carry links that
lead on from their last row, and the same link without its date filter leads on from there in the
whole list. Each walk goes on until it meets the place where the next began, so nothing lies
between them, whatever Twilio makes of such a link.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from tap_twilio.pages import Page, Request

IDLE_ROWS = 2000
"""Rows in a row that have a date after which a first run looks no further back for others."""

MOST_WALKS = 32
"""Places from which a list is walked at once."""

LEAST_PAGES = 3
"""Pages that lie between two such places, or more: each walk asks for one page beyond its own."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a list.

    Attributes:
        link: Leads to the rows after it.
        row: Key of the row before it.
        date: Date of that row, in ISO 8601.
    """

    link: str
    row: tuple[Any, ...]
    date: str


@dataclass(frozen=True, slots=True)
class Undated:
    """How far to look.

    Attributes:
        floor: Never further back than this.
        recent: At least as far back as this.
        shared: Whether the list is the one that the windows are of.
        until: Where the next walk begins.
    """

    floor: datetime
    recent: datetime
    shared: bool
    until: Mark | None = None

    @property
    def is_divided(self) -> bool:
        """Whether the walk is worth dividing."""
        return self.shared and self.floor < self.recent


@dataclass
class Marks:
    """Collects the places from which a list can be walked, newest last.

    Attributes:
        filters: Names of the query parameters that its windows are filtered by.
        found: The places.
    """

    filters: Collection[str]
    found: list[Mark] = field(default_factory=list)

    def note(self, page: Page) -> None:
        """Take note of a page's end.

        Args:
            page: A page of a window.
        """
        if page.end is not None and page.following is not None and page.following.link is not None:
            row, date = page.end
            if date is not None and (not self.found or date > self.found[-1].date):
                self.found.append(Mark(self._unfiltered(page.following.link), row, date))

    def walks(self, request: Request) -> list[Request]:
        """Divide the walk through a list.

        Args:
            request: The list's first page.

        Returns:
            The first page of each walk, newest rows first.
        """
        if request.undated is None or not request.undated.is_divided:
            return [request]
        marks = self.found[:: -max(LEAST_PAGES, len(self.found) // MOST_WALKS)]
        links = [request.link, *(mark.link for mark in marks)]
        return [
            replace(
                request,
                link=link,
                params=request.params if link is None else {},
                order=(*request.order[:-2], number, 0),
                undated=replace(request.undated, until=until),
            )
            for number, (link, until) in enumerate(zip(links, [*marks, None], strict=True))
        ]

    def _unfiltered(self, link: str) -> str:
        address = urlsplit(link)
        query = parse_qsl(address.query, keep_blank_values=True)
        kept = [(name, value) for name, value in query if name not in self.filters]
        return address._replace(query=urlencode(kept)).geturl()
