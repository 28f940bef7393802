"""What to ask for: windows and request chains, from the bookmark on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from tap_twilio.bookmarks import BookmarkedStream
from tap_twilio.client import GIVEN_UP
from tap_twilio.pages import Request, Undated
from tap_twilio.records import Converter
from tap_twilio.windows import EPOCH, SECOND, Unit, Window, iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_twilio.ahead import Order
    from tap_twilio.pages import Page
    from tap_twilio.records import Record

UNDATED_DEPTH = timedelta(days=2)
"""How far back rows that have no date yet are looked for: sending is given up after ten hours."""

IDLE_ROWS = 2000
"""Rows in a row that have a date after which a first run looks no further back for others."""

AGES = tuple(timedelta(days=days) for days in (365, 120, 30, 7))
"""Where a range is cut whose windows need several request chains each: finely where it is new,
as bookmarks move only when all chains of a window are read."""


class PlannedStream(BookmarkedStream):
    """A stream that knows what to ask for.

    Attributes:
        converter_type: What types records.
    """

    converter_type: ClassVar[type[Converter]] = Converter

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
        values: dict[str, Iterable[Any]] = dict(self.chains)
        for name, value in self.run.settings.filters.get(self.name, {}).items():
            values[self.endpoint.parameters[name]] = value if isinstance(value, list) else [value]
        settings = self.run.settings
        own = dict(self.params)
        own |= {name: "true" for key, name in self.switches.items() if getattr(settings, key)}
        return [
            own | dict(zip(values, map(_wire, combination), strict=True))
            for combination in itertools.product(*values.values())
        ]

    def plan(
        self, context: dict[str, Any], order: Order
    ) -> Iterator[tuple[Window | None, list[Request]]]:
        """Tell what to ask for one account or parent, in the order of emission.

        Args:
            context: SIDs of the parents.
            order: Place of the whole in the order of emission.

        Yields:
            Windows, oldest first, each with the first request of each of its chains; for a
            stream without windows, one such group.
        """
        dates, settings = self.window, self.run.settings
        if dates is None:
            params = self._span_params()
            yield None, self._chains(context, (*order, 0), params)
            return
        whole = self.range(context)
        if whole is None:
            return
        if dates.undated is not None and whole.end is None:
            yield None, self._undated(context, (*order, 0))
        ages = [settings.now - start for start in self.starts(context).values()]
        if len(self.chain_params) > 1:
            ages += AGES
        for number, window in enumerate(dates.stretches(whole, settings.now, ages), start=1):
            params = dates.params(window, settings.now)
            yield window, self._chains(context, (*order, number), params, window)

    def _span_params(self) -> dict[str, str]:
        settings = self.run.settings
        if self.span is None or (settings.start is None and settings.end is None):
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

    def _undated(self, context: dict[str, Any], order: Order) -> list[Request]:
        """Look besides for rows whose date is null, which no date filter is sure to match."""
        settings = self.run.settings
        days = settings.lookback_days
        depth = UNDATED_DEPTH if days is None else max(UNDATED_DEPTH, timedelta(days=days))
        oldest = settings.start or EPOCH
        bookmark = self.bookmark(context)
        recent = max(oldest, (bookmark or settings.now) - depth)
        undated = Undated(oldest if bookmark is None else recent, recent)
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
            Request(self, context, (*order, number, 0), params, undated=undated)
            for number, params in enumerate(asked)
        ]

    # --- What comes back -----------------------------------------------------------------------

    @cached_property
    def converter(self) -> Converter:
        """The schema, compiled."""
        fate = {"keep": "passed on as it is", "hash": "hashed", "drop": "dropped"}
        return self.converter_type(
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

    def arrived(self, page: Page) -> list[Iterator[Request]]:
        """Type a page's records, cut them to their window, and tell what will be wanted next.

        Args:
            page: A page as fetched; completed in place.

        Returns:
            Requests, as iterators that are drawn from as there is room.
        """
        self._type(page.records, page.request.context)
        self.cut(page)
        if page.parts:
            return [iter(page.parts)]
        wanted: list[Iterator[Request]] = []
        page.following = page.request.after(page)
        if page.following is not None:
            wanted.append(iter([page.following]))
        if self.children:
            wanted.append(self._requests_below(page))
        return wanted

    def _requests_below(self, page: Page) -> Iterator[Request]:
        for child, context, order in self.below(page):
            for _, requests_ in child.plan(context, order):
                yield from requests_

    def below(self, page: Page) -> Iterator[tuple[PlannedStream, dict[str, Any], Order]]:
        """Tell which children a page's records have.

        Args:
            page: A page of this stream.

        Yields:
            Child stream, its context and its place, in the order of emission.
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
                    if context is not None and child.may_read(context):
                        yield child, context | variant, (*page.request.order, number, branch)

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
        """Keep the rows that are wanted, and split a window that holds too many.

        Args:
            page: A page with typed records.
        """
        request, key = page.request, self.key
        if request.undated is not None:
            self._cut_undated(page, request.undated)
        elif request.window is not None and self.window is not None:
            dates = [row[key] for row in page.records if row.get(key) is not None]
            if page.link is not None and request.link is None and dates:
                page.parts = self._parts(page, min(dates), max(dates))
            start, end = self._bounds(request.window)
            page.records = [
                row for row in page.records if row.get(key) is None or start <= row[key] < end
            ]

    def _cut_undated(self, page: Page, undated: Undated) -> None:
        """Keep rows without a date, and stop looking where there are none any more."""
        created = [row["date_created"] for row in page.records if row.get("date_created")]
        floor, recent = iso(undated.floor)[:-1], iso(undated.recent)[:-1]
        rows = len(page.records)
        page.records = [
            row
            for row in page.records
            if row.get(self.key) is None and (row.get("date_created") or floor) >= floor
        ]
        idle = 0 if page.records else undated.idle + rows
        # Lists aren't sorted by this date: a scheduled message stands where it was sent. Only a
        # page without any newer row tells that the search has come so far.
        newest = max(created, default=recent)
        if newest < floor or (newest < recent and idle >= IDLE_ROWS):
            page.link = None
        page.undated = replace(undated, idle=idle)

    def _bounds(self, window: Window) -> tuple[str, str]:
        """Write a window's bounds so that they compare with the key's values as strings."""
        start = iso(window.start)[:-1]
        end = "~" if window.end is None else iso(window.end)[:-1]
        key = self.schema["properties"][self.key]
        return (start[:10], end[:10]) if key.get("format") == "date" else (start, end)

    def _parts(self, page: Page, oldest: str, newest: str) -> list[Request]:
        request, dates, settings = page.request, self.window, self.run.settings
        if dates is None or request.window is None or settings.max_records is not None:
            return []
        first, last = parse_moment(oldest, settings.now), parse_moment(newest, settings.now)
        windows = dates.split(request.window, first, last, page.full, settings.now)
        cuts_days = any(Unit.DAY.floor(window.start) != window.start for window in windows[1:])
        exact = cuts_days and dates.precision is Unit.SECOND and self._heeds_time(request, last)
        if cuts_days and dates.precision is Unit.SECOND and not exact:
            by_day = replace(dates, precision=Unit.DAY)
            windows = by_day.split(request.window, first, last, page.full, settings.now)
        return [
            replace(
                request,
                order=(*request.order, number, 0),
                params=_without(request.params, dates.names)
                | dates.params(window, settings.now, exact=exact),
                window=window,
            )
            for number, window in enumerate(windows)
        ]

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
            page = self.fetch(
                replace(
                    request,
                    params=_without(request.params, self.window.names) | params,
                    window=None,
                )
            )
        except GIVEN_UP:
            return False
        self._type(page.records, request.context)
        dates = {row[self.key][:19] for row in page.records if row.get(self.key)}
        near = {iso(moment + SECOND * offset)[:-1] for offset in (-1, 0, 1, 2)}
        heeded = iso(moment)[:-1] in dates and dates <= near
        self.run.heeds_time[self.name] = heeded
        return heeded


def _wire(value: Any) -> str:  # noqa: ANN401
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without(params: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in set(names)}
