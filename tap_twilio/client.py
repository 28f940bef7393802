"""A stream: one HTTP conversation with one endpoint, from its dates to its records."""

from __future__ import annotations

import itertools
import random
import string
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import quote, urlsplit

import backoff
import requests
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.helpers._state import get_state_partitions_list
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import RESTStream
from typing_extensions import override

from tap_twilio import schemas
from tap_twilio.errors import (
    AbsentError,
    RefusedError,
    RetentionError,
    TapError,
    ThrottledError,
    TransientError,
)
from tap_twilio.pagination import FORMS, ShapeError
from tap_twilio.records import Converter, Record
from tap_twilio.windows import EPOCH, Unit, Window, iso, parse_moment
from tap_twilio.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_twilio.ahead import Order
    from tap_twilio.run import Run
    from tap_twilio.tap import TapTwilio
    from tap_twilio.windows import DateFilter

SILENCE = 600.0
"""Seconds without an answer after which an account that only throttles is given up."""

SMALLEST_PAGE = 20
"""Rows below which a page that Twilio fails to give is not made smaller."""

UNDATED_DEPTH = timedelta(days=2)
"""How far back rows that have no date yet are looked for: sending is given up after ten hours."""

STRETCHES = 24
"""Windows, at the most, of a stream whose windows need several request chains each."""

GIVEN_UP = (
    TapError,
    requests.exceptions.RequestException,
)
"""What a request ends with when its retries are used up."""


@dataclass(slots=True)
class Page:
    """One page of a stream.

    Attributes:
        records: Its records, typed and cut to their window.
        size: Bytes of its body.
        full: How full it was: rows to rows asked for.
        link: Address of the next page of its chain.
        parts: The requests to make instead, where its window turned out to be too full.
        following: The request of the next page.
        request: What it answers.
        parents: Records to read the children of, where these aren't the records themselves.
    """

    records: list[Record]
    size: int
    full: float
    link: str | None
    request: Request
    parts: list[Request] = field(default_factory=list)
    following: Request | None = None
    parents: list[Record] | None = None


@dataclass(slots=True)
class Request:
    """A page to be wanted: where it is, and what is kept of it.

    Attributes:
        stream: The stream.
        context: SIDs of the parents.
        order: Its place in the order of emission.
        params: Query parameters; none of them for a page that a link leads to.
        link: The link that Twilio gave, on the configured host.
        window: The rows to keep, by their date.
        undated_since: Keep rows without a date only, and go no further back than this.
    """

    stream: TwilioStream
    context: dict[str, Any]
    order: Order
    params: dict[str, str]
    link: str | None = None
    window: Window | None = None
    undated_since: datetime | None = None

    @property
    def height(self) -> int:
        """Levels of selected streams below this one."""
        return self.stream.height

    @property
    def kind(self) -> str:
        """The stream's name: its pages are of like size."""
        return self.stream.name

    def fetch(self) -> Page:
        """Ask Twilio; called by a worker."""
        return self.stream.fetch(self)

    def follow(self, page: Page) -> Iterable[Iterator[Request]]:
        """Tell what will be wanted after the page."""
        return self.stream.arrived(page)

    def may_go(self) -> bool:
        """Tell whether the account bears another request now."""
        return self.stream.run.limiter(self.stream.account_of(self.context)).has_room

    def after(self, link: str) -> Request:
        """Make the request of the next page of the same chain."""
        *place, number = self.order
        return replace(self, order=(*place, number + 1), params={}, link=link)


class TwilioStream(RESTStream[str]):
    """Base of all streams: how Twilio is asked, and what becomes of its answers.

    Attributes:
        path: Path on the product's host, with the SIDs of parents as placeholders.
        product: First label of the host.
        window: The endpoint's date filter, by which an incremental stream is read.
        span: A date filter that only bounds what is summed, by ``start_date`` and ``end_date``.
        lookback: How long Twilio still changes a row.
        params: Query parameters that are always sent.
        chains: Query parameters that need one request chain for each value, as no single
            request lists all rows.
        page_size: Most rows to ask for, where the endpoint's own maximum is too many.
        parent_field: Field of the parent's record that fills the path's last placeholder.
        position_field: Field to add to each record: its position in the list.
        secret_fields: Fields that never leave the tap.
    """

    path: str = ""
    product: ClassVar[str] = "api"
    window: ClassVar[DateFilter | None] = None
    span: ClassVar[DateFilter | None] = None
    lookback: ClassVar[timedelta] = timedelta(0)
    params: ClassVar[Mapping[str, str]] = {}
    chains: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    page_size: ClassVar[int | None] = None
    parent_field: ClassVar[str] = "sid"
    position_field: ClassVar[str | None] = None
    secret_fields: ClassVar[tuple[str, ...]] = ()

    primary_keys: Sequence[str] = ("sid",)
    state_partitioning_keys: Sequence[str] | None = ("account_sid",)
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    _tap: TapTwilio

    def __init__(self, tap: TapTwilio) -> None:
        """Read the schema.

        Args:
            tap: The tap.
        """
        schema, self.endpoint = schemas.load(self.product, self.name)
        super().__init__(tap, schema=schema)
        self._announced = False
        self._seen_oddities: set[str] = set()

    @classmethod
    def address(cls) -> tuple[str, str]:
        """Name the endpoint, whatever its placeholders are called.

        Returns:
            Product and path: ``("api", "/2010-04-01/Accounts/{}/Calls.json")``.
        """
        parts = string.Formatter().parse(cls.path)
        return cls.product, "".join(
            text + ("" if name is None else "{}") for text, name, *_ in parts
        )

    @classmethod
    def exists_for(cls, parent: Record) -> bool:  # noqa: ARG003
        """Tell whether a parent can have rows here, to spare the request if not.

        Args:
            parent: The parent's record, typed.

        Returns:
            Whether to ask.
        """
        return True

    # --- What is shared ------------------------------------------------------------------------

    @property
    def run(self) -> Run:
        """What all streams of a run share."""
        return self._tap.run

    @property
    @override
    def url_base(self) -> str:
        return self.run.settings.hosts.url(self.product)

    @cached_property
    def children(self) -> list[TwilioStream]:
        """Child streams that are selected, or have selected descendants."""
        return [
            cast("TwilioStream", child)
            for child in self.child_streams
            if child.selected or child.has_selected_descendents
        ]

    @cached_property
    def height(self) -> int:
        """Levels of selected streams below this one."""
        return max((child.height + 1 for child in self.children), default=0)

    def account_of(self, context: Mapping[str, Any]) -> str:
        """Tell whose rows are read.

        Args:
            context: SIDs of the parents.

        Returns:
            The account's SID.
        """
        return str(context.get("account_sid", self.run.settings.account_sid))

    # --- One request ---------------------------------------------------------------------------

    @override
    def get_url(self, context: Context | None) -> str:
        values = {name: quote(str(value), safe="") for name, value in (context or {}).items()}
        return self.url_base + self.path.format(**values)

    @cached_property
    def page_limit(self) -> int | None:
        """Rows to ask for on a page; none where the endpoint doesn't let one choose."""
        if self.endpoint.page_size is None:
            return None
        settings = self.run.settings
        limits = (self.endpoint.page_size, self.page_size, settings.page_size, settings.max_records)
        return min(limit for limit in limits if limit is not None)

    def fetch(self, request: Request) -> Page:
        """Get one page, with all the patience it needs; safe in a worker.

        Args:
            request: The page.

        Returns:
            The page, its records as Twilio sent them.

        Raises:
            TapError: It can't be had.
        """
        try:
            return self._patient_get(_Try(request, self.page_limit))
        except RetentionError:
            if request.window is None or self.window is None:
                raise
            # The clamped start is minutes within Twilio's retention; where Twilio counts in
            # days, the next midnight is.
            midnight = Unit.DAY.floor(request.window.start) + timedelta(days=1)
            window = replace(request.window, start=midnight)
            params = request.params | self.window.params(
                replace(window, start=midnight + timedelta(seconds=1))
            )
            return self._patient_get(_Try(replace(request, params=params), self.page_limit))

    @cached_property
    def _patient_get(self) -> Callable[[_Try], Page]:
        """:meth:`_get` with retries: few after failures, any number while merely throttled."""
        unthrottled = backoff.on_exception(
            self.backoff_wait_generator,
            ThrottledError,
            giveup=self._is_silent,
            jitter=self.backoff_jitter,
            on_backoff=self.backoff_handler,
            logger=None,
        )
        # The SDK retries a function of a request; ours takes the request with its history.
        retried: Any = self.request_decorator(cast("Any", self._get))
        return cast("Callable[[_Try], Page]", unthrottled(retried))

    def _get(self, attempt: _Try) -> Page:
        request = attempt.request
        account = self.account_of(request.context)
        signature = self.run.credentials.sign(self.product, request.context.get("account_sid"))
        if signature is None:
            msg = f"{self.name}: nothing at hand signs for {account}"
            raise TapError(msg)
        url = request.link or self.get_url(request.context)
        endpoint = urlsplit(url).path
        params = request.params
        if attempt.page_size is not None and request.link is None:
            params = params | {"PageSize": str(attempt.page_size)}
        self.run.progress.count_request(self.name, again=attempt.failures > 0)
        try:
            payload, size = self.run.http.get(
                url, params, endpoint=endpoint, auth=signature, limiter=self.run.limiter(account)
            )
            listing = FORMS[self.endpoint.paging](payload, self.endpoint.data_key)
        except RefusedError as error:
            if (self.name, account) not in self.run.readable:
                raise
            # It could be read a moment ago: that is no lack of permission.
            raise TransientError(endpoint, error.status, message=str(error)) from error
        except TransientError as error:
            attempt.failed(error)
            raise
        except ShapeError as error:
            attempt.failures += 1
            message = f"the answer isn't what it should be: {error}"
            raise TransientError(endpoint, HTTPStatus.OK, message=message) from error
        except requests.exceptions.RequestException:
            attempt.failures += 1
            raise
        self.run.readable.add((self.name, account))
        link = listing.link and self.run.settings.hosts.follow(self.product, listing.link)
        if link is not None and link == url:
            message = "its link to the next page leads to itself"
            msg_0 = f"{endpoint}: {message}"
            raise TapError(msg_0)
        full = len(listing.records) / attempt.page_size if attempt.page_size else 1.0
        return Page(listing.records, size, full, link, request)

    def _is_silent(self, error: Exception) -> bool:  # noqa: ARG002
        """Tell whether throttling has gone on for too long: no limiter has seen an answer."""
        return self.run.silence() > SILENCE

    @override
    def backoff_wait_generator(self) -> Generator[float, Any, None]:
        waits = backoff.expo(factor=self.run.settings.retry_delay, max_value=60)
        next(waits)
        error = yield 0.0
        while True:
            asked = getattr(error, "retry_after", None)
            wait = next(waits) if asked is None else asked
            error = yield wait

    @override
    def backoff_max_tries(self) -> int:
        return self.run.settings.max_retries + 1

    @override
    def backoff_jitter(self, value: float) -> float:
        return value * random.uniform(1.0, 1.25)  # noqa: S311

    @override
    def backoff_handler(self, details: Any) -> None:
        error = details.get("exception")
        self.logger.log(
            10 if isinstance(error, ThrottledError) else 30,
            "%s: waiting %.1f s after %d tries: %s",
            self.name,
            details["wait"],
            details["tries"],
            error,
        )

    # --- What to ask ---------------------------------------------------------------------------

    @cached_property
    def chain_params(self) -> list[dict[str, str]]:
        """Query parameters of each request chain: the stream's own, and the setting's."""
        values: dict[str, Iterable[Any]] = dict(self.chains)
        for name, value in self.run.settings.filters.get(self.name, {}).items():
            values[self.endpoint.parameters[name]] = value if isinstance(value, list) else [value]
        return [
            dict(self.params) | dict(zip(values, map(_wire, combination), strict=True))
            for combination in itertools.product(*values.values())
        ]

    @property
    def _key(self) -> str:
        """The class's own replication key: the field that its date filter bounds."""
        return cast("str", type(self).replication_key)

    @property
    def is_incremental(self) -> bool:
        """Whether the stream is read by windows and keeps a bookmark."""
        return self.window is not None and self.replication_method == "INCREMENTAL"

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
        if kept > start > EPOCH:
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
        if len(self.chain_params) > 1:
            longest = ((whole.end or settings.now) - whole.start) / STRETCHES
            dates = replace(dates, longest=max(longest, timedelta(days=31)))
        for number, window in enumerate(dates.stretches(whole, settings.now), start=1):
            yield window, self._chains(context, (*order, number), dates.params(window), window)

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
        bookmark = self.bookmark(context) or settings.now
        since = max(settings.start or EPOCH, bookmark - depth)
        filters = self.window.undated if self.window and self.window.undated else {}
        combinations = [
            dict(zip(filters, values, strict=True))
            for values in itertools.product(*filters.values())
        ]
        asked = [
            chain | {name: value for name, value in extra.items() if name not in chain}
            for chain in self.chain_params
            for extra in combinations
        ]
        return [
            Request(self, context, (*order, number, 0), params, undated_since=since)
            for number, params in enumerate(asked)
        ]

    # --- What comes back -----------------------------------------------------------------------

    @cached_property
    def converter(self) -> Converter:
        """The schema, compiled."""
        return Converter(self.schema, secrets=self.secret_fields, report=self._report)

    def _report(self, name: str, oddity: str) -> None:
        self.warn_once(f"field {name!r} {oddity}")

    def warn_once(self, message: str) -> None:
        """Log a warning about this stream, the first time that it is due.

        Args:
            message: The warning.
        """
        if message not in self._seen_oddities:
            self._seen_oddities.add(message)
            self.logger.warning("%s: %s", self.name, message)

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
        if page.link is not None:
            page.following = page.request.after(page.link)
            wanted.append(iter([page.following]))
        if self.children:
            wanted.append(self._requests_below(page))
        return wanted

    def cut(self, page: Page) -> None:
        """Keep the rows that are wanted, and split a window that holds too many.

        Args:
            page: A page with typed records.
        """
        request, key = page.request, self._key
        if request.undated_since is not None:
            floor = iso(request.undated_since)[:-1]
            created = [row["date_created"] for row in page.records if row.get("date_created")]
            if created and min(created) < floor:
                page.link = None
            page.records = [
                row
                for row in page.records
                if row.get(key) is None and (row.get("date_created") or floor) >= floor
            ]
        elif request.window is not None and self.window is not None:
            dates = [row[key] for row in page.records if row.get(key) is not None]
            if page.link is not None and request.link is None and dates:
                page.parts = self._parts(page, min(dates), max(dates))
            start, end = self._bounds(request.window)
            page.records = [
                row for row in page.records if row.get(key) is None or start <= row[key] < end
            ]

    def _bounds(self, window: Window) -> tuple[str, str]:
        """Write a window's bounds so that they compare with the key's values as strings."""
        start = iso(window.start)[:-1]
        end = "~" if window.end is None else iso(window.end)[:-1]
        key = self.schema["properties"][self._key]
        return (start[:10], end[:10]) if key.get("format") == "date" else (start, end)

    def _parts(self, page: Page, oldest: str, newest: str) -> list[Request]:
        request, settings = page.request, self.run.settings
        if self.window is None or request.window is None or settings.max_records is not None:
            return []
        windows = self.window.split(
            request.window,
            parse_moment(oldest, settings.now),
            parse_moment(newest, settings.now),
            page.full,
            settings.now,
        )
        return [
            replace(
                request,
                order=(*request.order, number, 0),
                params=_without(request.params, self.window.names) | self.window.params(window),
                window=window,
            )
            for number, window in enumerate(windows)
        ]

    def _requests_below(self, page: Page) -> Iterator[Request]:
        for child, context, order in self.below(page):
            for _, requests_ in child.plan(context, order):
                yield from requests_

    def below(self, page: Page) -> Iterator[tuple[TwilioStream, dict[str, Any], Order]]:
        """Tell which children a page's records have.

        Args:
            page: A page of this stream.

        Yields:
            Child stream, its context and its place, in the order of emission.
        """
        parents = page.records if page.parents is None else page.parents
        for number, record in enumerate(parents):
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
        return None if value is None else {**context, self._placeholder: value}

    @cached_property
    def _placeholder(self) -> str:
        names = [name for _, name, *_ in string.Formatter().parse(self.path) if name]
        return names[-1]

    def may_read(self, context: Mapping[str, Any]) -> bool:
        """Tell whether this stream can be read for an account.

        Args:
            context: SIDs of the parents.

        Returns:
            False once the account's credentials were refused, or where there are none.
        """
        return (self.name, self.account_of(context)) not in self.run.refused

    # --- Emission ------------------------------------------------------------------------------

    def pages(self, context: dict[str, Any], order: Order) -> Iterator[Page]:
        """Read the stream for one account or parent.

        Args:
            context: SIDs of the parents.
            order: Place of the whole in the order of emission.

        Yields:
            Pages in order. Between them, bookmarks move as windows are finished.

        Raises:
            TapError: Something could not be read to its end.
        """
        seen: set[Any] = set()
        wanted = self.run.settings.max_records
        for window, chains in self.plan(context, order):
            failures = len(self.run.progress.failures)
            for request in chains:
                position = itertools.count()
                for page in self._chain(request):
                    self._complete(page, position, seen)
                    if wanted is not None:
                        page.records = page.records[:wanted]
                        wanted -= len(page.records)
                    yield page
                    if wanted == 0:
                        return
                    if len(chains) == 1 and page.following is None:
                        self._finish(context, page.request.window, failures)
            if len(chains) > 1:
                self._finish(context, window, failures)

    def _complete(self, page: Page, position: Iterator[int], seen: set[Any]) -> None:
        """Do to a page what depends on the pages before it."""
        if self.position_field is not None:
            for record in page.records:
                record[self.position_field] = next(position)
        if self.window is not None:
            self._drop_seen_undated(page, seen)

    def _chain(self, request: Request) -> Iterator[Page]:
        following: Request | None = request
        while following is not None:
            page: Page = self.run.ahead.take(following)
            if page.parts:
                for part in page.parts:
                    yield from self._chain(part)
                return
            following = page.following
            yield page

    def _drop_seen_undated(self, page: Page, seen: set[Any]) -> None:
        """Keep a row without a date only once: any number of windows may list it."""
        key = self._key
        kept = []
        for record in page.records:
            if record.get(key) is None:
                identity = tuple(record.get(name) for name in self.primary_keys)
                if identity in seen:
                    continue
                seen.add(identity)
            kept.append(record)
        page.records = kept

    def read(
        self, context: dict[str, Any], order: Order, *, write: bool = True
    ) -> Iterator[Record]:
        """Read and emit the stream for one account or parent, with its children.

        Args:
            context: SIDs of the parents.
            order: Place of the whole in the order of emission.
            write: Whether to write messages.

        Yields:
            The records, if the stream is selected.
        """
        if write and self.selected and not self._announced:
            self._announced = True
            self._write_schema_message()
        try:
            for page in self.pages(context, order):
                yield from self.emit(page, write=write)
        except RefusedError as error:
            self._skip(context, str(error))
        except AbsentError as error:
            self.run.progress.absent[self.name] += 1
            self.logger.debug("%s", error)
        except GIVEN_UP as error:
            self._fail(context, error)
        self.run.ahead.skip(order)

    def emit(self, page: Page, *, write: bool = True) -> Iterator[Record]:
        """Write a page's records, then read their children.

        Args:
            page: The page.
            write: Whether to write messages.

        Yields:
            The records, if the stream is selected.
        """
        aborting = self._limit(page)
        records = page.records
        # What is below is told by fields that a stream map or the catalog may take away.
        below = list(self.below(page)) if self.children else []
        if self.selected:
            if write:
                self._write(records)
            self.run.progress.records[self.name] += len(records)
            yield from records
        for child, context, order in below:
            try:
                for _ in child.read(context, order, write=write):
                    pass
            except (AbortedSyncFailedException, AbortedSyncPausedException):
                continue
        if aborting:
            self._check_max_record_limit(current_record_index=self.ABORT_AT_RECORD_COUNT or 0)

    def _limit(self, page: Page) -> bool:
        """Cut a page to what a dry run wants; tell whether that is all of it."""
        if self.ABORT_AT_RECORD_COUNT is None:
            return False
        page.records = page.records[: self.ABORT_AT_RECORD_COUNT]
        return len(page.records) == self.ABORT_AT_RECORD_COUNT

    def _write(self, records: list[Record]) -> None:
        for name in self._deselected:
            for record in records:
                record.pop(name, None)
        writer = self._tap.message_writer
        if self._is_plain and isinstance(writer, Writer):
            writer.write_records(self.name, records, self.run.settings.now, self._stream_version)
        else:
            for record in records:
                self._write_record_message(record)
        self.state_manager.is_flushed = False

    @cached_property
    def _deselected(self) -> list[str]:
        return [name for name in self.schema["properties"] if not self.mask["properties", name]]

    @cached_property
    def _is_plain(self) -> bool:
        """Whether records go out as they are: no stream map, no nested field deselected."""
        if not all(chosen for crumbs, chosen in self.mask.items() if len(crumbs) > 2):  # noqa: PLR2004
            return False
        (*others, only) = self.stream_maps
        return not others and type(only) is SameRecordTransform and only.flattening_options is None

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        yield from self.read(dict(context or {}), self.run.ahead.begin(), write=write_messages)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        for page in self.pages(dict(context or {}), self.run.ahead.begin()):
            yield from page.records

    # --- Bookmarks -----------------------------------------------------------------------------

    @cached_property
    def _keepers(self) -> list[TwilioStream]:
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
        if not self.is_incremental:
            return None
        key, account = self._key, self.account_of(context)
        moments = []
        for keeper in self._keepers:
            partitions = get_state_partitions_list(self._tap.state, keeper.name) or []
            for partition in partitions:
                if partition.get("context") == {"account_sid": account}:
                    if partition.get("replication_key") == key:
                        moments.append(
                            parse_moment(partition["replication_key_value"], self.run.settings.now)
                        )
                    break
        return min(moments) if len(moments) == len(self._keepers) > 0 else None

    def _finish(self, context: Mapping[str, Any], window: Window | None, failures: int) -> None:
        """Move the bookmark to a window's end, never back and never past the run's beginning."""
        if window is None or not self.is_incremental or len(self.run.progress.failures) > failures:
            return
        now = self.run.settings.now
        moment = now if window.end is None else min(window.end, now)
        before = self.bookmark(context)
        if before is None or moment > before:
            for keeper in self._keepers:
                state = keeper.get_context_state({"account_sid": self.account_of(context)})
                state["replication_key"] = self._key
                state["replication_key_value"] = iso(moment)
                keeper.state_manager.is_flushed = False
        self._tap.write_state()

    # --- What can't be read --------------------------------------------------------------------

    def _skip(self, context: Mapping[str, Any], reason: str) -> None:
        account = self.account_of(context)
        self.run.refused.add((self.name, account))
        self.run.progress.skipped[self.name, account] = reason
        self.logger.warning("%s: skipped for %s: %s", self.name, account, reason)

    def _fail(self, context: Mapping[str, Any], error: Exception) -> None:
        account = self.account_of(context)
        self.run.progress.failures.append(f"{self.name} of {account}: {error}")
        self.logger.error("%s: given up for %s: %s", self.name, account, error)


@dataclass(slots=True)
class _Try:
    """A request over its retries.

    Attributes:
        request: The request.
        page_size: Rows to ask for; fewer after repeated server errors.
        failures: Times that it failed.
    """

    request: Request
    page_size: int | None
    failures: int = 0

    def failed(self, error: TransientError) -> None:
        """Take note of a failure; the second server error in a row makes pages smaller."""
        self.failures += 1
        if (
            self.failures > 1
            and self.page_size is not None
            and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            self.page_size = max(min(self.page_size, SMALLEST_PAGE), self.page_size // 2)


def _wire(value: Any) -> str:  # noqa: ANN401
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without(params: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in set(names)}
