"""What to ask for: windows and request chains, from the bookmark on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.contrib.msgspec import encoder
from typing_extensions import override

from tap_twilio.bookmarks import BookmarkedStream
from tap_twilio.client import GIVEN_UP
from tap_twilio.config.declarations import on_wire
from tap_twilio.http.pagination import Glance, ShapeError, pick
from tap_twilio.pages import Child, Request
from tap_twilio.records.convert import Converter, Misfit, lacking, to_datetime
from tap_twilio.resource.windows import EPOCH, SECOND, Unit, Window, floor_of, iso, parse_moment
from tap_twilio.undated import FIRST_PAGES, LONGEST_UNSETTLED, Undated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from msgspec import Raw

    from tap_twilio.ahead import Order
    from tap_twilio.pages import Page
    from tap_twilio.records.convert import Record
    from tap_twilio.undated import Mark

UNDATED_DEPTH = timedelta(days=2)
"""How far back rows that have no date yet are looked for: sending is given up after ten hours."""

AGES = tuple(timedelta(days=days) for days in (365, 120, 30, 7))
"""Where a range is cut whose windows need several request chains each: finely where it is new,
as bookmarks move only when all chains of a window are read."""

LAST = 1 << 30
"""Place of what comes after all windows."""

DECODED = 4
"""How many times the memory of its JSON a row takes once it is decoded."""

CREATED = "date_created"


class PlannedStream(BookmarkedStream):
    """A stream that knows what to ask for."""

    @cached_property
    def variants(self) -> list[dict[str, str]]:
        """What contexts have besides the parents' SIDs, one read for each: see ``path_values``."""
        return [
            dict(zip(self.path_values, combination, strict=True))
            for combination in itertools.product(*self.path_values.values())
        ]

    @cached_property
    def chain_params(self) -> list[dict[str, str]]:
        """Query parameters of each request chain: the stream's own, and the setting's."""
        values: dict[str, Iterable[str]] = dict(self.chains)
        for name, value in self.run.settings.filters.get(self.name, {}).items():
            values[self.endpoint.parameters[name]] = on_wire(value)
        settings = self.run.settings
        own = dict(self.params)
        own |= {name: "true" for key, name in self.switches.items() if getattr(settings, key)}
        return [
            own | dict(zip(values, combination, strict=True))
            for combination in itertools.product(*values.values())
        ]

    @property
    def wants_undated(self) -> bool:
        """Whether this run is the one for rows without a date: that which is open at its end.

        Such rows may be in the lists of any number of ranges, and belong to none of them.
        """
        return self.run.settings.end in {None, self.run.settings.now}

    def plan(
        self, context: dict[str, Any], order: Order
    ) -> Iterator[tuple[Window | None, list[Request]]]:
        """Tell what to ask for one account or parent, in the order of emission.

        Args:
            context: SIDs of the parents.
            order: Place of the whole in the order of emission.

        Yields:
            Windows, oldest first, each with the first request of each of its chains. At the end,
            or for a stream without windows, such a group that no window bounds.
        """
        dates, settings = self.window, self.run.settings
        if dates is None:
            params = self._span_params()
            yield None, self._chains(context, (*order, 0), params)
            return
        whole, searches = self.range(context), self.searches(context, order)
        if whole is None:
            return
        ages = [settings.now - start for start in self.starts(context).values()]
        if len(self.chain_params) > 1:
            ages += AGES
        for number, window in enumerate(dates.stretches(whole, settings.now, ages), start=1):
            params = dates.params(window, settings.now)
            chains = self._chains(context, (*order, number), params, window)
            if self.is_news(chains[0], self.branch):
                yield window, chains
        if searches:
            yield None, searches

    def searches(self, context: dict[str, Any], order: Order) -> list[Request]:
        """Tell what to ask for the rows without a date of one account or parent.

        Args:
            context: SIDs of the parents.
            order: Place of the whole in the order of emission.

        Returns:
            The first page of each list to search.
        """
        search = self.search(context)
        if search is None or not self.wants_undated or self.range(context) is None:
            return []
        return self._undated(context, (*order, LAST), search)

    def _span_params(self) -> dict[str, str]:
        settings = self.run.settings
        if self.span is None:
            return {}
        after, before = self.span.names
        params = {}
        if settings.start is not None:
            params[after] = settings.start.date().isoformat()
        if settings.end is not None:
            params[before] = (settings.end - timedelta(seconds=1)).date().isoformat()
        return params

    def _chains(
        self,
        context: dict[str, Any],
        order: Order,
        params: dict[str, str],
        window: Window | None = None,
    ) -> list[Request]:
        params = params | {name: str(context[sid]) for name, sid in self.context_params.items()}
        return [
            Request(self, context, (*order, number, 0), chain | params, window=window)
            for number, chain in enumerate(self.chain_params)
        ]

    def _undated(self, context: dict[str, Any], order: Order, undated: Undated) -> list[Request]:
        """Look besides for rows whose date is null, which no date filter is sure to match."""
        values = self.window.undated if self.window and self.window.undated else {}
        lists = [
            dict(zip(values, combination, strict=True))
            for combination in itertools.product(*values.values())
        ]
        asked = [
            chain | more
            for chain in self.chain_params
            for more in lists
            if all(chain.get(name, value) == value for name, value in more.items())
        ]
        return [
            Request(self, context, (*order, number, 0, 0), params, undated=undated)
            for number, params in enumerate(asked)
        ]

    def search(self, context: Mapping[str, Any]) -> Undated | None:
        """Tell how far back to look for rows that have no date yet.

        As it was when the run began, like :meth:`starts`.

        Args:
            context: SIDs of the parents.

        Returns:
            A while back from the bookmark, or to the oldest row that waited for its date then; from
            the start, or for the look-back of the settings if that is longer, if rows older than
            that were never searched for, as in a run with an end date. None if the stream has no
            such rows.
        """
        settings, account = self.run.settings, self.account_of(context)
        if self.window is None or self.window.undated is None:
            return None
        known = self._known_searches.get(account)
        if known is None:
            days = settings.lookback_days
            depth = UNDATED_DEPTH if days is None else max(UNDATED_DEPTH, timedelta(days=days))
            oldest, bookmark = settings.start or EPOCH, self.bookmark(context)
            if days is not None:
                # The open one of many runs looks for the rows of them all.
                oldest = min(oldest, self.run.reached - timedelta(days=days))
            if bookmark is None and self.unsettled_statuses:
                depth = max(depth, LONGEST_UNSETTLED)
            recent = max(oldest, (bookmark or self.run.reached) - depth)
            recent = min([recent, *self.unsettled(context)])
            floor = oldest if bookmark is None else recent
            floor = min([floor, recent, *self.unsearched(context)])
            shared = not self.window.undated and len(self.chain_params) == 1 and bool(self.own_keys)
            known = self._known_searches[account] = Undated(floor, recent, shared)
        return known

    @cached_property
    def _known_searches(self) -> dict[str, Undated]:
        return {}

    # --- What comes back -----------------------------------------------------------------------

    @override
    def fetch(self, request: Request) -> Page:
        page = super().fetch(request)
        page.parts = self._parts(page)
        if page.parts:
            page.rows, page.size = None, 0
        return page

    @cached_property
    def converter(self) -> Converter:
        """The schema, compiled."""
        fate = {"keep": "passed on", "hash": "hashed", "drop": "dropped"}
        return Converter(
            self.wire_schema,
            secrets=self.secret_fields,
            report=self._report,
            unknown=f"is not in the schema; it is {fate[self._tap.pii.how]}",
        )

    def _report(self, name: str, oddity: str) -> None:
        self.warn_once(f"field {name!r} {oddity}")

    def _type(self, records: list[Record], context: Mapping[str, Any]) -> None:
        for name, path in self.lifted.items():
            outer, inner = path.split(".")
            for record in records:
                nested = record.get(outer)
                record[name] = nested.get(inner) if isinstance(nested, dict) else None
        self.converter.convert(records, context)
        for name, value in self.stand_ins.items():
            for index in lacking(records, [name]):
                records[index][name] = value

    def arrived(self, page: Page) -> list[Iterator[Request]]:
        """Tell what will be wanted after a page.

        Its rows are decoded here only if that depends on them: those that wait for their turn
        take less memory as they came.

        Args:
            page: A page as fetched; told what follows it.

        Returns:
            Requests, as iterators that are drawn from as there is room.
        """
        if page.parts:
            return [iter(page.parts)]
        if self.children:
            self.open(page)
        elif page.request.undated is not None:
            rows, size = page.rows, page.size
            self.open(page)
            self._extend(page, page.request.undated)
            if page.size > size:
                # Most of them are kept: until its turn comes, only its link is needed.
                page.rows, page.size, page.records = rows, size, []
        wanted: list[Iterator[Request]] = []
        page.following = page.request.after(page)
        if page.following is not None and not _is_beyond(page.following):
            wanted.append(iter([page.following]))
        if self.children:
            wanted.append(self.requests_below(page))
        return wanted

    def _extend(self, page: Page, undated: Undated) -> None:
        """Have pages asked for ahead to where it goes in any case, beyond where rows recur."""
        number, reach = int(page.request.order[-1]), undated.reach
        if undated.until is not None or reach.is_final:
            return
        reach.walked = max(reach.walked, number + 1)
        if page.records or (page.newest or "") >= iso(undated.recent):
            reach.wanted = max(reach.wanted, number + FIRST_PAGES)

    def open(self, page: Page) -> None:
        """Decode a page's rows, type them and cut them to their window, unless that is done.

        Args:
            page: A page of this stream.
        """
        if page.rows is None:
            return
        if page.request.undated is not None:
            self._open_undated(page, page.request.undated)
        else:
            self.decode(page)
            self._type(page.records, page.request.context)
            page.received = len(page.records)
            self.cut(page)
        page.size = page.size * DECODED * len(page.records) // max(1, page.received)

    def requests_below(self, page: Page) -> Iterator[Request]:
        """Plan what is to be read below a page's records; reading goes by the same plan.

        Args:
            page: A page of this stream; given what is below it.

        Returns:
            What will be asked for, in the order of emission.
        """
        page.below, ahead = itertools.tee(self.below(page))
        return self._planned(ahead)

    def _planned(self, children: Iterator[Child]) -> Iterator[Request]:
        for child in children:
            plan = child.stream.plan(child.context, child.order)
            child.plan, ahead = itertools.tee(plan)
            for _, requests_ in ahead:
                yield from requests_

    def searches_below(self, page: Page) -> Iterator[Request]:
        """Tell what of :meth:`requests_below` leads through whole lists, page by page.

        It takes little room, so it need not wait until there is some for all that comes before.

        Args:
            page: A page of this stream.

        Yields:
            Requests, in the order of emission.
        """
        for child in self.below(page):
            searches = child.stream.searches(child.context, child.order)
            yield from (request for request in searches if request.light)

    def below(self, page: Page) -> Iterator[Child]:
        """Tell which children a page's records have.

        Args:
            page: A page of this stream.

        Yields:
            The children, in the order of emission.
        """
        branches = [
            (branch, child, variant)
            for branch, (child, variant) in enumerate(self._branches)
            if self.is_news(page.request, child.branch)
        ]
        for number, record in page.numbered():
            for branch, child, variant in branches:
                if child.exists_for(record):
                    context = child.context_below(record, page.request.context)
                    if context is not None and child.may_read(child.account_of(context)):
                        place = (*page.request.order, number, branch)
                        yield Child(child, context | variant, place)

    @cached_property
    def _branches(self) -> list[tuple[PlannedStream, dict[str, str]]]:
        children = cast("list[PlannedStream]", self.children)
        return [(child, variant) for child in children for variant in child.variants]

    def context_below(self, parent: Record, context: Mapping[str, Any]) -> dict[str, Any] | None:
        """Make this stream's context from a parent's record.

        Args:
            parent: The parent's record.
            context: The parent's context.

        Returns:
            The parents' SIDs; none if the record lacks its own.
        """
        value = parent.get(self.parent_field)
        return None if value is None else {**context, self.placeholder: value}

    def cut(self, page: Page) -> None:
        """Keep the rows that are wanted.

        Args:
            page: A page with typed records.
        """
        request, key = page.request, self.key
        if request.window is not None and self.window is not None:
            if page.records:
                last = page.records[-1]
                page.end = self.identity(last), last.get(key)
            start, end = self._bounds(request.window)
            undated = self.wants_undated
            page.records = [
                row
                for row in page.records
                if (undated if (date := row.get(key)) is None else start <= date < end)
            ]

    def _open_undated(self, page: Page, undated: Undated) -> None:
        """Decode only rows without a date, and stop looking where the search ends."""
        dates, made, *keys = self.read_rows(page, self._glance)
        assert page.rows is not None  # noqa: S101
        floor = floor_of(undated.floor)
        page.received = len(dates)
        page.rows = pick(page.rows, [index for index, date in enumerate(dates) if not date])
        self.decode(page)
        self._type(page.records, page.request.context)
        page.records = [row for row in page.records if (row.get(CREATED) or floor) >= floor]
        # A row with a date stands where its date is, though it was made long before, as scheduled
        # messages are; one without, where it was made.
        page.latest = max(_moments(dates), default=None)
        page.newest = max(_moments(itertools.chain(made, dates)), default=iso(undated.recent))
        past = undated.until is not None and _is_past(undated.until, dates, keys)
        if past or page.newest < floor:
            page.link = None

    @cached_property
    def _glance(self) -> Glance:
        return Glance(self.key, CREATED, *self.own_keys)

    def identity(self, record: Record) -> tuple[Any, ...]:
        """Tell what makes a record known again.

        Args:
            record: The record.

        Returns:
            Its primary key; if that lacks a value, with all else that the record holds.
        """
        key = tuple(record.get(name) for name in self.own_keys)
        return key if None not in key else (*key, encoder.encode(record))

    def _bounds(self, window: Window) -> tuple[str, str]:
        """Write a window's bounds so that they compare with the key's values as strings."""
        start = floor_of(window.start)
        end = "~" if window.end is None else iso(window.end)[:-1]
        key = self.schema["properties"][self.key]
        return (start[:10], end[:10]) if key.get("format") == "date" else (start, end)

    @cached_property
    def _dates(self) -> Glance:
        """Reads of each row only the date, or what holds it."""
        return Glance(self.lifted.get(self.key, self.key).partition(".")[0])

    def _parts(self, page: Page) -> list[Request]:
        """Split a window that holds too many pages, as the first of them tells."""
        request, dates, settings = page.request, self.window, self.run.settings
        if (
            dates is None
            or page.rows is None
            or page.link is None
            or request.window is None
            or request.link is not None
            or settings.max_records is not None
        ):
            return []
        rows, found = self._moments(page.rows)
        # One row dated 1970 says nothing of how near to each other the others are.
        moments = [moment for moment in found if moment >= iso(EPOCH)]
        if not moments:
            return []
        full = rows / page.page_size if page.page_size else 1.0
        first, last = (parse_moment(find(moments), settings.now) for find in (min, max))
        windows = dates.split(request.window, first, last, full, settings.now)
        cuts_days = any(Unit.DAY.floor(window.start) != window.start for window in windows[1:])
        exact = cuts_days and dates.precision is Unit.SECOND and self._heeds_time(request, last)
        if cuts_days and dates.precision is Unit.SECOND and not exact:
            by_day = replace(dates, precision=Unit.DAY)
            windows = by_day.split(request.window, first, last, full, settings.now)
        return [
            replace(
                request,
                order=(*request.order, number, 0),
                params=request.params | dates.params(window, settings.now, exact=exact),
                window=window,
            )
            for number, window in enumerate(windows)
        ]

    def _moments(self, rows: Raw) -> tuple[int, list[str]]:
        """Tell how many rows there are, and the dates of those that have one."""
        try:
            (found,) = self._dates(rows)
            if inner := self.lifted.get(self.key, "").partition(".")[2]:
                found = [outer.get(inner) for outer in found if isinstance(outer, dict)]
            moments = [to_datetime(value) for value in found if value is not None]
        except (ShapeError, Misfit):
            return 0, []
        return len(found), [moment for moment in moments if moment is not None]

    def _heeds_time(self, request: Request, moment: datetime) -> bool:
        """Find out, once a run, whether this filter heeds the time of day.

        If it only looked at the day, the parts of a day would come back empty, or each with all
        of the day's rows. So a second that is known to hold a row is asked for.

        Args:
            request: A request of this stream that gave rows.
            moment: The time of one of them.

        Returns:
            Whether that second came back, and nothing else.
        """
        known = self.run.heeds_time.get(self.name)
        if known is not None or self.window is None:
            return bool(known)
        second = Window(moment, moment + SECOND)
        params = self.window.params(second, self.run.settings.now, exact=True)
        try:
            page = super().fetch(replace(request, params=request.params | params, window=None))
        except GIVEN_UP:
            return False
        _, found = self._moments(page.rows) if page.rows is not None else (0, [])
        dates = {date[:19] for date in found}
        near = {iso(moment + SECOND * offset)[:-1] for offset in (-1, 0, 1, 2)}
        heeded = iso(moment)[:-1] in dates and dates <= near
        self.run.heeds_time[self.name] = heeded
        return heeded


def _moments(values: Iterable[Any]) -> Iterator[str]:
    """Type those of a column's dates that are any."""
    for value in values:
        try:
            moment = None if value is None else to_datetime(value)
        except Misfit:
            continue
        if moment is not None:
            yield moment


def _is_beyond(request: Request) -> bool:
    """Tell whether a page may lie where another walk, that isn't known yet, would find its rows."""
    undated = request.undated
    if undated is None or not undated.shared or undated.until is not None:
        return False
    return request.order[-1] >= undated.reach.wanted


def _is_past(mark: Mark, dates: list[Any], keys: list[list[Any]]) -> bool:
    """Tell by the columns of a page's dates and keys whether a walk has come to a mark."""
    newest = max(_moments(dates), default=mark.date)
    return newest < mark.date or mark.row in zip(*keys, strict=True)
