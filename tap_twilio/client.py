"""One HTTP conversation with one endpoint: its address, its signature, its patience."""

from __future__ import annotations

import logging
import string
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast
from urllib.parse import quote, urlsplit

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Catalog, Schema
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_twilio.config import inputs
from tap_twilio.http import pagination
from tap_twilio.http.errors import (
    AbsentError,
    RefusedError,
    ResponseError,
    RetentionError,
    TapError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from tap_twilio.http.pagination import CutError, ShapeError
from tap_twilio.http.redaction import is_news
from tap_twilio.http.retry import Patience, jittered
from tap_twilio.pages import Page, Request
from tap_twilio.records.pii import MARK, Masker
from tap_twilio.records.secrets import NAMES
from tap_twilio.resource import schemas
from tap_twilio.resource.windows import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backoff.types import Details
    from msgspec import Raw
    from requests.auth import HTTPBasicAuth
    from singer_sdk.singerlib import Catalog

    from tap_twilio.records.convert import Record
    from tap_twilio.resource.schemas import Endpoint
    from tap_twilio.resource.windows import DateFilter
    from tap_twilio.run import Run
    from tap_twilio.tap import TapTwilio

SILENCE = 600.0
"""Seconds without an answer after which an account that only throttles is given up."""

GIVEN_UP = TapError
"""What a request ends with when its retries are used up."""

SMALLEST_PAGE = 20
"""Rows below which a page that Twilio fails to give is not made smaller."""

MISSHAPEN = 2
"""Whole answers of another shape that are enough: another try would bring one more."""

T = TypeVar("T")


class EndpointClient(Stream):
    """Base of all streams: how Twilio is asked, and what becomes of its answers.

    Attributes:
        path: Path on the product's host, with the SIDs of parents as placeholders.
        product: First label of the host.
        window: The endpoint's date filter, by which an incremental stream is read.
        span: A date filter that only bounds what is summed, by ``start_date`` and ``end_date``.
        lookback: How long Twilio still changes a row.
        unsettled_statuses: Statuses of rows without a date that Twilio still changes, however long
            ago they were made, within :data:`LONGEST_UNSETTLED`.
        params: Query parameters that are always sent.
        switches: Query parameters that settings turn on, by the setting's name.
        chains: Query parameters that need one request chain for each value, as no single
            request lists all rows.
        path_values: Values of placeholders in the path that no list gives: one read for each.
        context_params: Query parameters that take the SID of a parent, by the name of its field.
        page_size: Most rows to ask for, where the endpoint's own maximum is too many.
        size_param: Query parameter that takes the page size.
        absent_is_empty: Whether a window that has no rows is answered with 404.
        parent_field: Field of the parent's record that fills the path's last placeholder.
        lifted: Fields to add to each record, with the place in a nested object that they repeat:
            ``{"period_start": "period.start"}``.
        position_field: Field to add to each record: its position in the list.
        stand_ins: What fields of the key are where Twilio sends null or nothing. Only for those
            that are null by right, or whose row the rest of the key tells apart anyhow: a row
            that lacks what it is known by has no stand-in, as two of them would become one.
        secret_fields: Fields that never leave the tap, besides those with names of credentials.
        typed_by_catalog: Whether a catalog says what a record looks like.
        wire_schema: What a record is before personal data is masked; ``schema`` tells it after.
        masker: Masks personal data; none where it is kept.
    """

    name: str = ""
    path: str = ""
    product: ClassVar[str] = "api"
    window: ClassVar[DateFilter | None] = None
    span: ClassVar[DateFilter | None] = None
    lookback: ClassVar[timedelta] = timedelta(0)
    unsettled_statuses: ClassVar[frozenset[str]] = frozenset()
    params: ClassVar[Mapping[str, str]] = {}
    switches: ClassVar[Mapping[str, str]] = {}
    chains: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    path_values: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    context_params: ClassVar[Mapping[str, str]] = {}
    page_size: ClassVar[int | None] = None
    size_param: ClassVar[str] = "PageSize"
    absent_is_empty: ClassVar[bool] = False
    parent_field: ClassVar[str] = "sid"
    lifted: ClassVar[Mapping[str, str]] = {}
    position_field: ClassVar[str | None] = None
    stand_ins: ClassVar[Mapping[str, str | int]] = {}
    secret_fields: ClassVar[tuple[str, ...]] = ()
    typed_by_catalog: ClassVar[bool] = False

    primary_keys: Sequence[str] = ("sid",)
    state_partitioning_keys: Sequence[str] | None = ("account_sid",)
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    _tap: TapTwilio

    def __init__(self, tap: TapTwilio) -> None:
        """Read the schema.

        Args:
            tap: The tap.
        """
        schema, self.endpoint = self.load()
        for secret in NAMES.union(self.secret_fields):
            schema["properties"].pop(secret, None)
        self.wire_schema = schema
        self.masker: Masker | None = None
        if tap.pii.how != "keep":
            keys = {*type(self).primary_keys, cast("Any", type(self)).replication_key}
            self.masker = Masker(schema, tap.pii, keys)
        announced = self.masker.announce(schema) if self.masker else schema
        super().__init__(tap, schema=announced)
        self.logger.addFilter(is_news)
        self._seen_oddities: set[str] = set()

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection, keys and method from a catalog; records stay what they are."""
        entry = catalog.get_stream(self.name)
        if entry is not None and self.masker is not None and self.typed_by_catalog:
            # The catalog may have been made when personal data was still kept.
            entry.schema = Schema.from_dict(self.masker.announce(entry.schema.to_dict()))
        super().apply_catalog(catalog)
        if entry is not None and not self.typed_by_catalog and self.selected:
            for sentence in inputs.differences(entry.schema.to_dict(), self.schema):
                self.warn_once(sentence)
            entry.schema = Schema.from_dict(self.schema)
            self._input_schema = None

    @classmethod
    def load(cls) -> tuple[dict[str, Any], Endpoint]:
        """Tell what a record looks like, and the facts of the endpoint.

        Returns:
            The JSON schema of a record, and the facts.
        """
        return schemas.load(cls.product, cls.name)

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

    @property
    def own_keys(self) -> Sequence[str]:
        """What identifies a record, whatever a catalog says that the target shall take."""
        return self.primary_keys if self.typed_by_catalog else type(self).primary_keys

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

    def account_of(self, context: Mapping[str, Any]) -> str:
        """Tell whose rows are read.

        Args:
            context: SIDs of the parents.

        Returns:
            The account's SID.
        """
        return str(context.get("account_sid", self.run.settings.account_sid))

    def signature(self, account_sid: str | None) -> HTTPBasicAuth | None:
        """Choose who signs.

        Args:
            account_sid: The account whose rows are wanted; none for the list of accounts.

        Returns:
            The signature, or none where nothing at hand can read that account's rows.
        """
        return self.run.credentials.sign(self.product, account_sid)

    # --- One request ---------------------------------------------------------------------------

    def address_of(self, context: Mapping[str, Any]) -> str:
        """Fill the SIDs of parents into the path.

        Args:
            context: SIDs of the parents.

        Returns:
            The list's address, without a query.
        """
        values = {name: quote(str(value), safe="") for name, value in context.items()}
        return self.run.settings.hosts.url(self.product) + self.path.format(**values)

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
            The page, its rows not decoded yet.

        Raises:
            TapError: It can't be had.
        """
        try:
            return self._twice_if_refused(request)
        except AbsentError:
            if request.window is None or request.link is not None or not self.absent_is_empty:
                raise
            return Page(None, 0, 0, None, None, request)
        except RetentionError:
            if request.window is None or self.window is None or request.link is not None:
                raise
            # The clamped start is minutes within Twilio's retention; where Twilio counts in
            # days, the next midnight is.
            midnight = Unit.DAY.floor(request.window.start) + timedelta(days=1)
            window = replace(request.window, start=midnight + timedelta(seconds=1))
            params = request.params | self.window.params(window, self.run.settings.now)
            return self._patient_get(_Try(replace(request, params=params), self.page_limit))

    def _twice_if_refused(self, request: Request) -> Page:
        """Get a page; ask again where Twilio refuses it, as a single refusal may be a mistake."""
        try:
            return self._patient_get(_Try(request, self.page_limit))
        except RefusedError:
            if (self.name, self.account_of(request.context)) in self.run.refused:
                raise
            time.sleep(jittered(self.run.settings.retry_delay))
            return self._patient_get(_Try(request, self.page_limit, again=True))

    def decode(self, page: Page) -> None:
        """Decode a page's rows, unless that is done.

        Args:
            page: A page of this stream; given its records as Twilio sent them.

        Raises:
            TapError: Its rows are something else than objects.
        """
        if page.rows is not None:
            page.records, page.rows = self.read_rows(page, pagination.decode), None

    def read_rows(self, page: Page, reader: Callable[[Raw], T]) -> T:
        """Have a page's rows decoded; what can't be is mended or left out first.

        Args:
            page: A page of this stream, whose rows aren't decoded yet.
            reader: What decodes them.

        Returns:
            What it made of them.

        Raises:
            TapError: The rows are something else than objects.
        """
        assert page.rows is not None  # noqa: S101
        try:
            return reader(page.rows)
        except ShapeError:
            page.rows, page.lost, oddities = pagination.salvage(page.rows)
        page.oddities = (*page.oddities, *oddities)
        try:
            return reader(page.rows)
        except ShapeError as error:
            msg = f"{self.name}: the answer isn't what it should be: {error}"
            raise TapError(msg) from error

    @cached_property
    def _patient_get(self) -> Callable[[_Try], Page]:
        settings = self.run.settings
        patience = Patience(
            settings.max_retries,
            settings.retry_delay,
            is_silent=lambda: self.run.silence() > SILENCE,
            tell=self._tell_of_pause,
        )
        return patience(self._get)

    def _tell_of_pause(self, details: Details) -> None:
        error = details.get("exception")
        self.logger.log(
            logging.DEBUG if isinstance(error, ThrottledError) else logging.WARNING,
            "%s: waiting %.1f s after %d tries: %s",
            self.name,
            details["wait"],
            details["tries"],
            error,
        )

    def _get(self, attempt: _Try) -> Page:
        request = attempt.request
        account = self.account_of(request.context)
        signature = self.signature(request.context.get("account_sid"))
        if signature is None:
            msg = f"{self.name}: nothing at hand signs for {account}"
            raise TapError(msg)
        url = request.link or self.address_of(request.context)
        endpoint = self._without_personal(urlsplit(url).path, request.context)
        params = request.params
        if attempt.page_size is not None and request.link is None:
            params = params | {self.size_param: str(attempt.page_size)}
        self.run.progress.count_request(self.name, again=attempt.failures > 0)
        try:
            body = self.run.transport.get(
                url, params, endpoint=endpoint, auth=signature, limiter=self.run.limiter(account)
            )
            listing = pagination.read(
                self.endpoint.paging,
                body,
                self.endpoint.data_key,
                fields=self.wire_schema["properties"].keys(),
            )
        except (RefusedError, AbsentError) as error:
            is_doubtful = isinstance(error, RefusedError) and not attempt.again
            if is_doubtful or not self._was_readable(request, error):
                raise
            # It could be read a moment ago: that is no lack of permission, nor of the product.
            attempt.failures += 1
            raise TransientError(endpoint, error.status, message=str(error)) from error
        except TransientError as error:
            attempt.failed(error)
            raise
        except ShapeError as error:
            attempt.failures += 1
            attempt.misshapen += not isinstance(error, CutError)
            kind = TransientError if attempt.misshapen < MISSHAPEN else ResponseError
            message = f"the answer isn't what it should be: {error}"
            raise kind(endpoint, HTTPStatus.OK, message=message) from error
        except UnreachableError:
            attempt.failures += 1
            raise
        self.run.note_read(self.name, account)
        link = listing.link and self.run.settings.hosts.follow(self.product, listing.link)
        return Page(
            listing.rows,
            len(body),
            len(body),
            attempt.page_size,
            link,
            request,
            more=listing.more,
            oddities=listing.oddities,
        )

    def _was_readable(self, request: Request, error: ResponseError) -> bool:
        """Tell whether a refusal contradicts what this account's stream gave before."""
        if self.name not in self.run.streams_read(self.account_of(request.context)):
            return False
        # Below another list, each path is a resource of its own; a link that leads nowhere is
        # its chain's affair.
        listed = set(request.context) <= {"account_sid"} and request.link is None
        return isinstance(error, RefusedError) or (listed and not self.absent_is_empty)

    def _without_personal(self, path: str, context: Mapping[str, Any]) -> str:
        """Leave values that are personal data out of a path that messages will name."""
        for name in context.keys() & self._personal:
            for value in (quote(str(context[name]), safe=""), str(context[name])):
                path = path.replace(value, f"{{{name}}}")
        return path

    @cached_property
    def _personal(self) -> frozenset[str]:
        properties = self.wire_schema["properties"]
        return frozenset(name for name, field in properties.items() if MARK in field)

    def warn_once(self, message: str) -> None:
        """Log a warning about this stream, the first time that it is due.

        Args:
            message: The warning.
        """
        if message not in self._seen_oddities:
            self._seen_oddities.add(message)
            self.logger.warning("%s: %s", self.name, message)


@dataclass(slots=True)
class _Try:
    """A request over its retries.

    Attributes:
        request: The request.
        page_size: Rows to ask for; fewer after repeated server errors.
        failures: Times that it failed.
        misshapen: Times that it was answered whole, and by something else than a page.
        again: Whether it was refused before.
    """

    request: Request
    page_size: int | None
    failures: int = 0
    misshapen: int = 0
    again: bool = False

    def failed(self, error: TransientError) -> None:
        """Take note of a failure; the second server error in a row makes pages smaller."""
        self.failures += 1
        if (
            self.failures > 1
            and self.page_size is not None
            and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            self.page_size = max(min(self.page_size, SMALLEST_PAGE), self.page_size // 2)
