"""What to ask for: windows and request chains, from the bookmark on."""

from __future__ import annotations

import itertools
import string
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.helpers._state import get_state_if_exists, get_state_partitions_list

from tap_twilio.client import GIVEN_UP, EndpointClient
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


UPDATED = "date_updated"


class PlannedStream(EndpointClient):
    """A stream that knows what to ask for, and how far it has come."""

    @cached_property
    def children(self) -> list[PlannedStream]:
        """Child streams that are selected, or have selected descendants."""
        return [
            cast("PlannedStream", child)
            for child in self.child_streams
            if child.selected or child.has_selected_descendents
        ]

    @cached_property
    def height(self) -> int:
        """Levels of selected streams below this one."""
        return max((child.height + 1 for child in self.children), default=0)

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

    @property
    def _key(self) -> str:
        """The class's own replication key: the field that its date filter bounds."""
        return cast("str", type(self).replication_key)

    @property
    def _bookmark_key(self) -> str:
        return UPDATED if self.window is None else self._key

    @property
    def is_incremental(self) -> bool:
        """Whether the stream is read by windows and keeps a bookmark."""
        return self.window is not None and self.replication_method == "INCREMENTAL"

    @cached_property
    def skips_unchanged(self) -> bool:
        """Whether rows that didn't change since the last run are left out.

        A bookmark is an account's, so this is for lists that an account has one of.
        """
        return (
            self.run.settings.skip_unchanged
            and self.window is None
            and self.parent_stream_type is not None
            and self.placeholder == "account_sid"
            and self.schema["properties"].get(UPDATED, {}).get("format") == "date-time"
        )

    def range(self, context: Mapping[str, Any]) -> Window | None:
        """Tell what stretch of time is to be read.

        Args:
            context: SIDs of the parents.

        Returns:
            From the bookmark less the look-back, or from the start date, to the end date or on;
            none if that is empty.
        """
        settings, dates = self.run.settings, self.window
        if dates is None:
            return None
        start = settings.start or EPOCH
        bookmark = self.bookmark(context)
        if bookmark is not None:
            days = settings.lookback_days
            lookback = self.lookback if days is None else timedelta(days=days)
            start = max(start, bookmark - lookback)
        kept = dates.clamp(start, settings.now)
        if kept - start > timedelta(hours=1) and start > EPOCH:
            self.warn_once(
                f"Twilio keeps these rows for {dates.retention and dates.retention.days} days: "
                f"reading from {iso(kept)} on"
            )
        end = settings.end and dates.precision.floor(settings.end)
        start = dates.precision.floor(kept)
        return Window(start, end) if end is None or start < end else None

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
        ages = AGES if len(self.chain_params) > 1 else ()
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
        return Converter(self.schema, secrets=self.secret_fields, report=self._report)

    def _report(self, name: str, oddity: str) -> None:
        self.warn_once(f"field {name!r} {oddity}")

    def arrived(self, page: Page) -> list[Iterator[Request]]:
        """Type a page's records, cut them to their window, and tell what will be wanted next.

        Args:
            page: A page as fetched; completed in place.

        Returns:
            Requests, as iterators that are drawn from as there is room.
        """
        self.converter.convert(page.records, page.request.context)
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
        for number, record in page.numbered():
            for branch, child in enumerate(self.children):
                if child.exists_for(record):
                    context = child.context_below(record, page.request.context)
                    if context is not None and child.may_read(context):
                        yield child, context, (*page.request.order, number, branch)

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

    @cached_property
    def placeholder(self) -> str:
        """Name, in paths and contexts, of the SID that the parent's record gives."""
        names = [name for _, name, *_ in string.Formatter().parse(self.path) if name]
        return names[-1]

    def may_read(self, context: Mapping[str, Any]) -> bool:
        """Tell whether this stream can be read for an account.

        Args:
            context: SIDs of the parents.

        Returns:
            False once the account's credentials were refused, or where there are none.
        """
        account = self.account_of(context)
        if (self.name, account) in self.run.refused:
            return False
        if self.run.credentials.sign(self.product, account) is None:
            self.run.skip_unsigned(self.name, account)
            return False
        return True

    def cut(self, page: Page) -> None:
        """Keep the rows that are wanted, and split a window that holds too many.

        Args:
            page: A page with typed records.
        """
        request, key = page.request, self._key
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
            if row.get(self._key) is None and (row.get("date_created") or floor) >= floor
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
        key = self.schema["properties"][self._key]
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
        self.converter.convert(page.records, request.context)
        dates = {row[self._key][:19] for row in page.records if row.get(self._key)}
        near = {iso(moment + SECOND * offset)[:-1] for offset in (-1, 0, 1, 2)}
        heeded = iso(moment)[:-1] in dates and dates <= near
        self.run.heeds_time[self.name] = heeded
        return heeded

    # --- Bookmarks ---

    @cached_property
    def _keepers(self) -> list[PlannedStream]:
        """The streams whose state holds the bookmark: this one, or else its selected children.

        A bookmark that a deselected stream moved for its children's sake would hide its rows
        from a later run that selects it.
        """
        if self.selected:
            return [self]
        return [keeper for child in self.children for keeper in child._keepers]  # noqa: SLF001

    def bookmark(self, context: Mapping[str, Any]) -> datetime | None:
        """Read the bookmark of an account.

        Args:
            context: SIDs of the parents.

        Returns:
            The moment up to which all was read; none if it never was.
        """
        if not self.is_incremental and not self.skips_unchanged:
            return None
        key, account = self._bookmark_key, self.account_of(context)
        moments = []
        for keeper in self._keepers:
            partitions = get_state_partitions_list(self._tap.state, keeper.name) or []
            own = [one for one in partitions if one.get("context") == {"account_sid": account}]
            # Another tap's bookmark is for all accounts: it holds for those without their own.
            of_all = get_state_if_exists(self._tap.state, keeper.name) or {}
            holder = next((one for one in (*own, of_all) if "replication_key_value" in one), {})
            if holder.get("replication_key") == key:
                moments.append(parse_moment(holder["replication_key_value"], self.run.settings.now))
        return min(moments) if len(moments) == len(self._keepers) > 0 else None

    def _finish(self, context: Mapping[str, Any], window: Window | None, failures: int) -> None:
        """Move the bookmark to the end of a window, if all below it could be read."""
        if window is None or not self.is_incremental or len(self.run.progress.failures) > failures:
            return
        self._move_bookmark(context, window.end or self.run.settings.now)
        self._tap.write_state()

    def _move_bookmark(self, context: Mapping[str, Any], moment: datetime) -> None:
        """Move the bookmark on: never back, and never past the run's beginning."""
        before = self.bookmark(context)
        moment = min(moment, self.run.settings.now)
        if before is not None and moment <= before:
            return
        for keeper in self._keepers:
            state = keeper.get_context_state({"account_sid": self.account_of(context)})
            state["replication_key"] = self._bookmark_key
            state["replication_key_value"] = iso(moment)
            keeper.state_manager.is_flushed = False

    def drop_unchanged(self, page: Page, bookmark: datetime | None) -> None:
        """Leave out rows that are as they were at the last run; their children are read.

        Args:
            page: A page of a list that is read whole.
            bookmark: When the last run began.
        """
        if bookmark is None:
            return
        floor = iso(bookmark)[:-1]
        page.parents = page.records
        page.records = [row for row in page.records if (row.get(UPDATED) or floor) >= floor]


def _wire(value: Any) -> str:  # noqa: ANN401
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without(params: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in set(names)}
