"""Plans: windows, their request chains, and the lists below a page's rows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.config.declarations import on_wire
from tap_twilio.engine.null_dates import search_of
from tap_twilio.engine.requests import Child, Plan, Request
from tap_twilio.http.pagination import FieldReader, ShapeError
from tap_twilio.records.values import Misfit, to_datetime
from tap_twilio.resource.windows import EPOCH, SECOND, Unit, Window, iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from msgspec import Raw

    from tap_twilio.config.settings import Settings
    from tap_twilio.engine.bookmarks import Bookmarks
    from tap_twilio.engine.requests import Batch, Fetched, Place, Search
    from tap_twilio.engine.skips import Skips
    from tap_twilio.resource.resource import Node, Resource
    from tap_twilio.resource.windows import DateFilter

AGES: Final = tuple(timedelta(days=days) for days in (365, 120, 30, 7))
"""Where a range is cut whose windows need several request chains each: finely where it is new,
as bookmarks move only when all chains of a window are read."""

LAST: Final = 1 << 30
"""Place of all that comes after the windows."""


def chain_params(resource: Resource, settings: Settings) -> list[dict[str, str]]:
    """Give the query parameters of each request chain: the resource's own, and the setting's."""
    values: dict[str, Iterable[str]] = dict(resource.fan_out)
    for name, value in settings.filters.get(resource.name, {}).items():
        values[resource.endpoint.parameters[name]] = on_wire(value)
    own = dict(resource.params)
    own |= {name: "true" for key, name in resource.switches.items() if getattr(settings, key)}
    return [
        own | dict(zip(values, combination, strict=True))
        for combination in itertools.product(*values.values())
    ]


def span_params(resource: Resource, settings: Settings) -> dict[str, str]:
    """Give the query parameters that bound what is summed, by ``start_date`` and ``end_date``."""
    if resource.span is None:
        return {}
    after, before = resource.span.names
    params = {}
    if settings.start is not None:
        params[after] = settings.start.date().isoformat()
    if settings.end is not None:
        params[before] = (settings.end - timedelta(seconds=1)).date().isoformat()
    return params


class Planner:
    """Plans what is asked for; it asks nothing itself."""

    def __init__(self, settings: Settings, bookmarks: Bookmarks, skips: Skips) -> None:
        """Plan nothing yet."""
        self._settings = settings
        self._bookmarks = bookmarks
        self._skips = skips
        self._params: dict[Node, list[dict[str, str]]] = {}
        self._searches: dict[tuple[Node, str], Search | None] = {}

    @property
    def wants_undated(self) -> bool:
        """Whether this run is the one for rows without a date: the one that is open at its end.

        Such rows may be in the lists of any number of ranges, and belong to none of them.
        """
        return self._settings.end in {None, self._settings.now}

    def chain_params(self, node: Node) -> list[dict[str, str]]:
        """Give the query parameters of each request chain of a node."""
        if node not in self._params:
            self._params[node] = chain_params(node.resource, self._settings)
        return self._params[node]

    # --- Lists ---------------------------------------------------------------------------------

    def plan(self, node: Node, context: Mapping[str, Any], place: Place) -> Plan:
        """Tell what to ask for one account or parent, in the order of emission.

        Yields:
            Windows, oldest first, each with the first request of each of its chains. At the end,
            or for a list without windows, such a group that no window bounds.
        """
        dates, now = node.resource.window, self._settings.now
        if dates is None:
            params = span_params(node.resource, self._settings)
            yield None, self._chains(node, context, place.below(0), params)
            return
        account = node.account_of(context)
        whole, searches = self._bookmarks.range(node, account), self.searches(node, context, place)
        if whole is None:
            return
        ages = [now - start for start in self._bookmarks.wanted_from(node, account).values()]
        if len(self.chain_params(node)) > 1:
            ages += AGES
        for number, window in enumerate(dates.stretches(whole, now, ages), start=1):
            params = dates.params(window, now)
            chains = self._chains(node, context, place.below(number), params, window)
            if self.is_news(chains[0]):
                yield window, chains
        if searches:
            yield None, searches

    def is_news(self, request: Request) -> bool:
        """Tell whether anybody still wants its rows; all of those may be refused meanwhile."""
        return self._bookmarks.is_news(request, request.node.branch)

    def search(self, node: Node, account: str) -> Search | None:
        """Tell how far back to look for rows without a date, as it was when the run began."""
        if (node, account) not in self._searches:
            is_one_chain = len(self.chain_params(node)) == 1
            self._searches[node, account] = search_of(
                node, account, self._bookmarks, is_one_chain=is_one_chain
            )
        return self._searches[node, account]

    def searches(self, node: Node, context: Mapping[str, Any], place: Place) -> list[Request]:
        """Give the first page of each list to search for rows without a date.

        They are looked for besides, as no date filter is sure to match null.
        """
        dates, account = node.resource.window, node.account_of(context)
        search = self.search(node, account)
        if search is None or dates is None or not self.wants_undated:
            return []
        if self._bookmarks.range(node, account) is None:
            return []
        values = dates.undated or {}
        lists = [
            dict(zip(values, combination, strict=True))
            for combination in itertools.product(*values.values())
        ]
        asked = [
            chain | more
            for chain in self.chain_params(node)
            for more in lists
            if all(chain.get(name, value) == value for name, value in more.items())
        ]
        return [
            Request(node, context, place.below(LAST, number).chain(0), params, search=search)
            for number, params in enumerate(asked)
        ]

    def probe(self, node: Node, context: Mapping[str, Any], place: Place) -> Request:
        """Give the first page of a list, to find out whether it may be read."""
        return self._chains(node, context, place, {})[0]

    def _chains(
        self,
        node: Node,
        context: Mapping[str, Any],
        place: Place,
        params: Mapping[str, str],
        window: Window | None = None,
    ) -> list[Request]:
        sids = {name: str(context[sid]) for name, sid in node.resource.context_params.items()}
        return [
            Request(node, context, place.chain(number), {**chain, **params, **sids}, window=window)
            for number, chain in enumerate(self.chain_params(node))
        ]

    # --- What hangs below a page ---------------------------------------------------------------

    def below(self, batch: Batch) -> Iterator[Child]:
        """Give the lists below a page's records, in the order of emission."""
        request = batch.request
        branches = [
            (branch, child, variant)
            for branch, (child, variant) in enumerate(
                (child, variant)
                for child in request.node.children
                # A file is of a day, which may be in the list several times.
                if not child.reads_files
                for variant in child.variants
            )
            if self._bookmarks.is_news(request, child.branch)
        ]
        for number, record in batch.numbered():
            for branch, child, variant in branches:
                if child.resource.exists_for(record):
                    context = child.context_below(record, request.context)
                    if context is not None and self._skips.may_read(
                        child, child.account_of(context)
                    ):
                        place = request.place.below(number, branch)
                        yield Child(child, context | variant, place)

    def requests_below(self, batch: Batch) -> Iterator[Request]:
        """Give the requests below a batch, in the order of emission.

        The batch is given its children with the same plan, for the reader to go by.
        """
        batch.children, ahead = itertools.tee(self.below(batch))
        return self._requests(ahead)

    def _requests(self, children: Iterator[Child]) -> Iterator[Request]:
        for child in children:
            child.plan, ahead = itertools.tee(self.plan(child.node, child.context, child.place))
            for _, requests in ahead:
                yield from requests

    def searches_below(self, batch: Batch) -> Iterator[Request]:
        """Give those of :meth:`requests_below` that lead through whole lists, page by page.

        They take little room, so they need not wait until there is some for all that comes before.
        """
        for child in self.below(batch):
            searches = self.searches(child.node, child.context, child.place)
            yield from (request for request in searches if request.is_light)

    # --- Windows that are too full -------------------------------------------------------------

    def parts(
        self, fetched: Fetched, heeds_time: Callable[[Request, datetime], bool]
    ) -> tuple[Request, ...]:
        """Give the parts of a window that holds too many pages, as its first tells; else none.

        Args:
            heeds_time: Finds out by :func:`second_of`, and its moment, whether the date filter of a
                stream heeds the time of day.
        """
        request, now = fetched.request, self._settings.now
        dates, window = request.node.resource.window, request.window
        if dates is None or window is None or request.link is not None:
            return ()
        if fetched.following is None or fetched.following.link is None:
            return ()
        if self._settings.max_records is not None:
            return ()
        rows, found = dates_of(request.node.resource, fetched.rows)
        # One row dated 1970 says nothing of how near to each other the others are.
        moments = [moment for moment in found if moment >= iso(EPOCH)]
        if not moments:
            return ()
        full = rows / fetched.page_size if fetched.page_size else 1.0
        first, last = (parse_moment(find(moments), now) for find in (min, max))
        windows = dates.split(window, first, last, full, now)
        cuts_days = any(Unit.DAY.floor(part.start) != part.start for part in windows[1:])
        exact = cuts_days and dates.precision is Unit.SECOND
        if exact and not heeds_time(second_of(request, dates, last, now), last):
            exact, by_day = False, replace(dates, precision=Unit.DAY)
            windows = by_day.split(window, first, last, full, now)
        return tuple(
            replace(
                request,
                place=request.place.chain(number),
                params={**request.params, **dates.params(part, now, exact=exact)},
                window=part,
            )
            for number, part in enumerate(windows)
        )


def second_of(request: Request, dates: DateFilter, moment: datetime, now: datetime) -> Request:
    """Ask for a second that is known to hold a row, to see whether a filter heeds the time of day.

    If it only looked at the day, the parts of a day would come back empty, or each with all of
    the day's rows.
    """
    params = dates.params(Window(moment, moment + SECOND), now, exact=True)
    return replace(request, params={**request.params, **params}, window=None)


def heeds_time(fetched: Fetched, moment: datetime) -> bool:
    """Tell whether a page of :func:`second_of` holds that second, and nothing else."""
    _, found = dates_of(fetched.request.node.resource, fetched.rows)
    dates = {date[:19] for date in found}
    near = {iso(moment + SECOND * offset)[:-1] for offset in (-1, 0, 1, 2)}
    return iso(moment)[:-1] in dates and dates <= near


def dates_of(resource: Resource, rows: Raw) -> tuple[int, list[str]]:
    """Tell how many rows there are, and the dates of those that have one; none if one is odd."""
    outer, _, inner = resource.promoted.get(resource.key, resource.key).partition(".")
    try:
        (found,) = FieldReader(outer)(rows)
        if inner:
            found = [one.get(inner) for one in found if isinstance(one, dict)]
        moments = [to_datetime(value) for value in found if value is not None]
    except (ShapeError, Misfit):
        return 0, []
    return len(found), [moment for moment in moments if moment is not None]
