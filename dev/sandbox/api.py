"""The API itself: a request in, an answer out, no network in between."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import msgspec

from sandbox import errors, oauth
from sandbox.accounts import CLASSIC, Caller
from sandbox.exports import HOST, Exports
from sandbox.filters import Query, Readings, Selection, select
from sandbox.paging import Page, Pager, PageRequest, envelope, read_request
from sandbox.tables import Shelf, Source, Span
from sandbox.usage import Ledger, is_usage
from sandbox.world import ACCOUNTS, World
from sandbox.writing import Write, Writer

if TYPE_CHECKING:
    from sandbox.accounts import Account
    from sandbox.endpoints import Endpoint, Route
    from sandbox.frames import Key, Wire

JSON: Final = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        status: The HTTP status.
        body: What it says.
        headers: Headers of its own.
        content_type: What it claims to be.
        delay: Seconds until it begins.
        pieces: In how many pieces, a second of `pause` apart, the body is sent.
        pause: Seconds between pieces.
        cut: How many bytes of the body are sent before the connection breaks; None for all.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON
    delay: float = 0.0
    pieces: int = 1
    pause: float = 0.0
    cut: int | None = None


@dataclass(frozen=True)
class Request:
    """A request, as far as the API cares."""

    method: str
    host: str
    path: str
    query_string: str
    authorization: str | None
    body: str = ""

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters in its body; of those that come several times the last."""
        return dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass(frozen=True)
class Access:
    """A request that may be answered: who asks, for whose rows, of which list."""

    caller: Caller
    account: Account
    route: Route | Write | oauth.Grant


@dataclass(frozen=True)
class Services:
    """What answers requests besides those for lists.

    Attributes:
        writer: Takes in what clients write.
        exports: Knows what was exported to files.
        desk: Gives tokens.
    """

    writer: Writer
    exports: Exports
    desk: oauth.Desk


class Api:
    """Answers requests.

    Args:
        world: What there is to tell.
        services: What answers where no list is asked for.
        readings: How to read what Twilio leaves open.
        cache_bytes: How much memory finished pages may take.
    """

    def __init__(
        self, world: World, services: Services, readings: Readings, cache_bytes: int
    ) -> None:
        """Start with nothing cached."""
        self._world = world
        self._services = services
        self._readings = readings
        self._cache = _Cache(cache_bytes)
        self._asked = 0

    def admit(self, request: Request) -> Access:
        """Check a request before anything is read for it.

        Returns:
            What it may read.

        Raises:
            TwilioError: If it may not be answered.
        """
        directory = self._world.directory
        if (request.method, request.host, request.path) == oauth.PLACE:
            grant = self._services.desk.grant(request.form, request.query_string, directory)
            return Access(Caller(grant.app.account, "oauth"), grant.account, grant)
        write = self._services.writer.route(
            request.method, request.host, request.path
        ) or self._services.exports.route(request.method, request.host, request.path)
        caller = directory.authenticate(
            request.authorization, is_testable=write is not None and write.is_testable
        )
        route = write or self._world.catalogue.route(request.host, request.path)
        account = directory.authorize(caller, request.host, request.path, _named(request, route))
        if request.method != "GET" and write is None:
            raise errors.method_not_allowed()
        if route is None:
            raise errors.not_found(request.path)
        return Access(caller, account, route)

    def answer(self, request: Request, access: Access) -> Reply:
        """Answer an admitted request.

        Raises:
            TwilioError: If its parameters make no sense or its path leads to nothing.
        """
        route = access.route
        if isinstance(route, oauth.Grant):
            return Reply(200, msgspec.json.encode(self._services.desk.issue(route)))
        if isinstance(route, Write):
            is_test = access.caller.kind == "test"
            writer = self._services.writer
            status, row = writer.write(route, access.account, request.body, is_test=is_test)
            return Reply(status, b"" if row is None else msgspec.json.encode(row))
        if route.endpoint.host == HOST and "Day" in route.values:
            return self._redirect(request, access, route)
        key = (
            self._world.version,
            access.account.sid,
            access.caller.kind,
            request.host,
            request.path,
            request.query_string,
        )
        is_still = self._world.is_still(route.endpoint, access.account)
        body = self._cache.get(key) if is_still else None
        if body is None:
            body = msgspec.json.encode(self._body(request, access, route))
            if is_still and not is_usage(route.endpoint):
                self._cache.put(key, body)
        return Reply(200, body)

    def _redirect(self, request: Request, access: Access, route: Route) -> Reply:
        kind, day = request.path.split("/")[3], route.values["Day"]
        address = self._services.exports.address(kind, day, access.account)
        if address is None:
            raise errors.not_found(request.path)
        body = msgspec.json.encode({"redirect_to": address})
        return Reply(HTTPStatus.TEMPORARY_REDIRECT, body, (("Location", address),))

    def _body(self, request: Request, access: Access, route: Route) -> Wire:
        endpoint, values, instance = route
        values = {name: value for name, value in values.items() if name != "AccountSid"}
        query = parse_qsl(request.query_string, keep_blank_values=True)
        now = self._world.now
        source = self._source(access, endpoint, values, query)
        if instance is not None:
            row = source.find(instance, now)
            if row is None:
                raise errors.not_found(request.path)
            return row
        traits = self._world.traits(endpoint)
        # Usage records have been selected already, by the ledger.
        selection = (
            Selection()
            if is_usage(endpoint)
            else select(endpoint, traits, query, self._readings, now)
        )
        selection.span = selection.span.meet(Span(low=self._world.oldest(traits)))
        if endpoint.data_key is None:
            row = next((row for _, row in source.scan(now)), None)
            if row is None:
                raise errors.not_found(request.path)
            return row
        page_request = read_request(endpoint, query)
        if traits.cap is not None and (page_request.number + 1) * page_request.size > traits.cap:
            raise errors.beyond_cap(traits.cap)
        pager = Pager(endpoint, traits, source, now)
        after, passed = pager.after(page_request)
        if endpoint.paging == "page_number":
            passed = page_request.number * page_request.size
        rows = (
            (key, row)
            for key, row in source.scan(
                now, selection.span, after, ascending=_ascending(traits.ascending, query)
            )
            if selection.takes(row)
        )
        if endpoint.paging in ("none", "scim"):
            page = Page(page_request, [row for _, row in rows], None)
        elif endpoint.paging == "page_number":
            page = _numbered(page_request, [row for _, row in rows], passed)
        else:
            end = passed + page_request.size + 1
            page = _page(page_request, pager, list(islice(rows, passed, end)))
        return envelope(endpoint, request.path, query, page)

    def _source(
        self, access: Access, endpoint: Endpoint, values: dict[str, str], query: Query
    ) -> Source:
        if endpoint.path == ACCOUNTS:
            return self._world.accounts(access.caller.account, tokens=access.caller.kind == "token")
        if is_usage(endpoint):
            self._asked += 1
            ledger = Ledger(self._world, endpoint, access.account, dict(query), self._asked)
            return Shelf(lambda _: ledger.rows())
        recipients = [value for name, value in query if name == "To"]
        recipient = recipients[0] if len(recipients) == 1 else None
        return self._world.source(endpoint, access.account, values, recipient or None)


def _named(request: Request, route: Route | Write | None) -> str | None:
    """Find the account SID in the path, where there is one."""
    if isinstance(route, Write):
        return route.account_sid
    if request.host != CLASSIC or route is None:
        return None
    own = route.instance if route.endpoint.path == ACCOUNTS else None
    return route.values.get("AccountSid") or own


def _page(request: PageRequest, pager: Pager, found: list[tuple[Key, Wire]]) -> Page:
    token = None
    if len(found) > request.size:
        found.pop()
        token = pager.token(*found[-1], request.number + 1)
    return Page(request, [row for _, row in found], token)


def _numbered(request: PageRequest, rows: list[Wire], passed: int) -> Page:
    return Page(request, rows[passed : passed + request.size], None, total=len(rows))


def _ascending(default: bool, query: list[tuple[str, str]]) -> bool:  # noqa: FBT001
    order = dict(query).get("Order", "").lower()
    return {"asc": True, "desc": False}.get(order, default)


class _Cache:
    """Bodies by request, the least recently used going first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._taken = 0
        self._bodies: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, key: tuple[Any, ...], body: bytes) -> None:
        if len(body) > self._room:
            return
        self._bodies[key] = body
        self._taken += len(body)
        while self._taken > self._room:
            _, dropped = self._bodies.popitem(last=False)
            self._taken -= len(dropped)
