"""The search for rows that have no date yet, which no date filter is sure to match.

A list that can't be filtered otherwise must be walked from its top. Where that is far, it is
walked from several places at once: pages of the windows, which are read before, carry links that
lead on from their last row, and the same link without its date filter leads on from there in the
whole list. Each walk goes on until it meets the place where the next began, so nothing lies
between them, whatever Twilio makes of such a link.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from tap_twilio.config.inputs import UNDATED_SINCE, UNSETTLED_SINCE
from tap_twilio.engine.requests import FIRST_PAGES, Batch, Frontier, Search, Waypoint
from tap_twilio.http.errors import ChainError, ResponseError
from tap_twilio.http.pagination import FieldReader, pick
from tap_twilio.records.keys import identity, lacking
from tap_twilio.records.values import moments
from tap_twilio.resource.windows import EPOCH, floor_of, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from tap_twilio.engine.bookmarks import Bookmarks
    from tap_twilio.engine.decoder import Decoder
    from tap_twilio.engine.prefetch import Prefetch
    from tap_twilio.engine.requests import Fetched, Request
    from tap_twilio.resource.resource import Node

CREATED = "date_created"

DEPTH: Final = timedelta(days=2)
"""How far back rows that have no date yet are looked for: sending is given up after ten hours."""

LONGEST_UNSETTLED: Final = timedelta(days=36)
"""How long a row may wait for its date and still change: messages are scheduled at most 35 days
ahead."""

IDLE_ROWS: Final = 2000
"""After so many rows in succession that have a date, a first run looks no further back."""

MOST_WALKS: Final = 32
"""Places from which a list is walked at once."""

LEAST_PAGES: Final = 3
"""Pages that lie between two such places, or more: each walk asks for one page beyond its own."""

REFUSED_LINK: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})


def search_of(
    node: Node, account: str, bookmarks: Bookmarks, *, is_one_chain: bool
) -> Search | None:
    """Tell how far back to look for rows that have no date yet; none if the stream has none.

    That is a while back from the bookmark, or to the oldest row that waited for its date then.
    Where older rows were never searched for, as in a run with an end date, it is the start, or the
    look-back of the settings if that is longer.

    Args:
        is_one_chain: Whether a single request chain lists all rows of a window.
    """
    resource = node.resource
    if resource.window is None or resource.window.undated is None:
        return None
    settings, reached = bookmarks.settings, bookmarks.clock.reached
    days = settings.lookback_days
    depth = DEPTH if days is None else max(DEPTH, timedelta(days=days))
    oldest, bookmark = settings.start or EPOCH, bookmarks.bookmark(node, account)
    if days is not None:
        # Of many runs, the one that is open at its end looks for the rows of all.
        oldest = min(oldest, reached - timedelta(days=days))
    if bookmark is None and resource.unsettled_statuses:
        depth = max(depth, LONGEST_UNSETTLED)
    recent = max(oldest, (bookmark or reached) - depth)
    recent = min([recent, *bookmarks.noted(node, account, UNSETTLED_SINCE)])
    floor = oldest if bookmark is None else recent
    floor = min([floor, recent, *bookmarks.noted(node, account, UNDATED_SINCE)])
    is_shared = not resource.window.undated and is_one_chain and bool(resource.keys)
    return Search(floor, recent, is_shared)


# --- Rows ----------------------------------------------------------------------------------------


def sift(fetched: Fetched, search: Search, decoder: Decoder) -> Batch:
    """Decode only rows without a date, and end the chain where the search ends."""
    resource = fetched.request.node.resource
    reader = _reader(resource.key, CREATED, *resource.keys)
    batch = Batch.of(fetched)
    (dates, made, *keys), rows = decoder.read(fetched.rows, reader, batch)
    floor = floor_of(search.floor)
    chosen = [index for index, date in enumerate(dates) if not date]
    records = decoder.type(pick(rows, chosen), batch)
    batch.records = [row for row in records if (row.get(CREATED) or floor) >= floor]
    batch.received = len(dates)
    # A row with a date stands where its date is, though it was made long before, as scheduled
    # messages are; one without, where it was made.
    batch.latest = max(moments(dates), default=None)
    batch.newest = max(moments(itertools.chain(made, dates)), default=iso(search.recent))
    past = search.until is not None and _is_past(search.until, dates, keys)
    if past or batch.newest < floor:
        batch.following = None
    return batch


@cache
def _reader(*fields: str) -> FieldReader:
    return FieldReader(*fields)


def _is_past(waypoint: Waypoint, dates: list[Any], keys: list[list[Any]]) -> bool:
    """Tell by the columns of a page's dates and keys whether a walk has come to a waypoint."""
    newest = max(moments(dates), default=waypoint.date)
    return newest < waypoint.date or waypoint.row in zip(*keys, strict=True)


class Undated:
    """The rows without a date of one list, each once: any number of windows may give it."""

    def __init__(self, node: Node) -> None:
        """Know none yet."""
        self._resource = node.resource
        self._seen: set[Any] = set()
        self._unsettled: list[str] = []

    def sift(self, batch: Batch) -> None:
        """Leave out of a batch those that came before; take note of those that still change."""
        if self._resource.window is None:
            return
        again, statuses = set(), self._resource.unsettled_statuses
        for index in lacking(batch.records, [self._resource.key]):
            row = batch.records[index]
            known = identity(row, self._resource.keys)
            if known and known in self._seen:
                again.add(index)
            elif statuses and row.get("status") in statuses and row.get(CREATED) is not None:
                self._unsettled.append(row[CREATED])
            self._seen.add(known)
        if again:
            batch.keep([index for index in range(len(batch.records)) if index not in again])

    def oldest_unsettled(self, reached: datetime) -> str | None:
        """Tell when the oldest row was made that Twilio has yet to date; none if none is."""
        oldest = iso(reached - LONGEST_UNSETTLED)
        return min((made for made in self._unsettled if made >= oldest), default=None)


# --- Walks ---------------------------------------------------------------------------------------


Walks = list[tuple["Request", Waypoint | None]]
"""The first page of each walk, and where the next one begins."""


@dataclass
class Waypoints:
    """Collects the places from which a list can be walked, newest last.

    Attributes:
        filters: Names of the query parameters that its windows are filtered by.
        pages: Full pages of rows that there were so far, about.
    """

    filters: tuple[str, ...] = ()
    found: list[Waypoint] = field(default_factory=list)
    pages: float = 0.0

    def note(self, batch: Batch) -> None:
        """Take note of the end of a window's page."""
        self.pages += batch.received / (batch.page_size or batch.received or 1)
        following = batch.following
        if batch.last is not None and following is not None and following.link is not None:
            row, date = batch.last
            if date is not None and (not self.found or date > self.found[-1].date):
                link = self._unfiltered(following.link)
                self.found.append(Waypoint(link, row, date, self.pages))

    def walks(self, request: Request, search: Search) -> Walks:
        """Divide the walk through a list, newest rows first, by the list's first page."""
        if not search.is_shared:
            return [(request, None)]
        frontier = search.frontier
        places = list(self._apart(frontier.walked))
        if places:
            frontier.wanted, frontier.is_final = frontier.walked, True
        requests = [
            replace(
                request,
                link=place.link,
                params={},
                place=request.place.walk(number),
                search=replace(search, until=until, frontier=Frontier()),
            )
            for number, (place, until) in enumerate(pairwise([*places, None]), start=1)
            if place is not None
        ]
        # The first page, and those within the frontier, came before any place was known.
        return list(zip([request, *requests], [*places, None], strict=True))

    def _apart(self, frontier: int) -> Iterator[Waypoint]:
        step = max(LEAST_PAGES, self.pages / MOST_WALKS)
        next_one = self.pages - max(frontier, step)
        for place in reversed(self.found):
            if place.pages <= next_one:
                next_one = place.pages - step
                yield place

    def _unfiltered(self, link: str) -> str:
        address = urlsplit(link)
        query = parse_qsl(address.query, keep_blank_values=True)
        kept = [(name, value) for name, value in query if name not in self.filters]
        return address._replace(query=urlencode(kept)).geturl()


@dataclass
class Searcher:
    """Looks for rows without a date, from several places of a list where it is long.

    Attributes:
        chain: Reads a chain of pages from its first request on.
        prefetch: Told which walks are sure to be wanted, and when a search is over.
    """

    chain: Callable[[Request], Iterable[Batch]]
    prefetch: Prefetch

    def read(self, request: Request, search: Search, waypoints: Waypoints) -> Iterator[Batch]:
        """Give the pages of a search; its walks begin where pages of the windows ended."""
        walks = waypoints.walks(request, search)
        try:
            yield from self._until_idle(walks, search)
        except (ResponseError, ChainError) as error:
            is_refused = isinstance(error, ChainError) or error.status in REFUSED_LINK
            if len(walks) == 1 or not is_refused:
                raise
            request.node.logger.info(
                "Reading the list from its newest row on, because this was refused: %s", error
            )
            top = replace(request, place=request.place.walk(len(walks)))
            yield from self._until_idle([(top, None)], search)
        self.prefetch.skip(request.place.search)

    def _until_idle(self, walks: Walks, search: Search) -> Iterator[Batch]:
        idle = pages = 0
        recent = iso(search.recent)
        certain = [walk for walk, begin in _beginnings(walks) if begin is None or begin >= recent]
        for walk, until in walks:
            for batch in self.chain(walk):
                pages += 1
                idle = 0 if batch.records else idle + batch.received
                is_past = batch.newest is not None and batch.newest < recent
                latest = batch.latest
                if batch.records and is_past:
                    # Where old rows have no date either, there are more of them.
                    certain = [walk for walk, _ in walks]
                if pages >= FIRST_PAGES or is_past:
                    self.prefetch.hint(iter(certain))
                    certain = []
                yield batch
                if is_past and idle >= IDLE_ROWS:
                    return
                if until is not None and latest is not None and latest < until.date:
                    break


def _beginnings(walks: Walks) -> Iterator[tuple[Request, str | None]]:
    """Give each walk with the date of the place where it begins; none for a list's top."""
    dates = [None, *(until.date for _, until in walks if until is not None)]
    return zip((walk for walk, _ in walks), dates, strict=True)


def extend(batch: Batch, search: Search) -> None:
    """Have pages prefetched to where the walk goes in any case, beyond where rows recur."""
    number, frontier = batch.request.place.number, search.frontier
    if search.until is not None or frontier.is_final:
        return
    frontier.walked = max(frontier.walked, number + 1)
    if batch.records or (batch.newest or "") >= iso(search.recent):
        frontier.wanted = max(frontier.wanted, number + FIRST_PAGES)


def is_beyond(request: Request) -> bool:
    """Tell whether a page may lie where another walk, that isn't known yet, would find its rows."""
    search = request.search
    if search is None or not search.is_shared or search.until is not None:
        return False
    return request.place.number >= search.frontier.wanted


def ended(fetched: Fetched, batch: Batch) -> Fetched:
    """Give a page as it came, but with the next one that a batch of it knows."""
    return replace(fetched, following=batch.following)
