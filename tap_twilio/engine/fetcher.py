"""From a request to what Twilio answers; workers run this and nothing else of the engine.

So all of it is safe in any thread: settings are frozen; the transport, limiters and counts are
locked; sets that only grow are only asked whether something is in them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from msgspec import Raw

from tap_twilio.engine import planner
from tap_twilio.engine.requests import Fetched
from tap_twilio.http import pagination
from tap_twilio.http.errors import (
    AbsentError,
    ExpiredError,
    RefusedError,
    ResponseError,
    RetentionError,
    TapError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from tap_twilio.http.pagination import CutError, ShapeError
from tap_twilio.http.retry import Patience, jittered
from tap_twilio.resource.resource import ACCOUNT
from tap_twilio.resource.windows import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backoff.types import Details

    from tap_twilio.engine.planner import Planner
    from tap_twilio.engine.requests import Request
    from tap_twilio.engine.run import Run
    from tap_twilio.http.files import Download, RowFile
    from tap_twilio.http.signatures import Signature
    from tap_twilio.resource.resource import Node

SILENCE: Final = 600.0
"""Seconds without an answer after which an account that only throttles is given up."""

SMALLEST_PAGE: Final = 20
"""Rows below which a page that Twilio fails to give is not made smaller."""

MISSHAPEN: Final = 2
"""Whole answers of another shape after which another try would bring one more."""

EXPIRED: Final = 2
"""Addresses of a file that may have expired; it isn't there any more then."""

NO_ROWS: Final = Raw(b"[]")


@dataclass(slots=True)
class _Try:
    """A request over its retries.

    Attributes:
        page_size: Rows to ask for; fewer after repeated server errors.
        misshapen: Times that it was answered whole, and by something else than a page.
        expired: Times that the address of a file had expired.
        again: Whether it was refused before.
    """

    request: Request
    page_size: int | None
    failures: int = 0
    misshapen: int = 0
    expired: int = 0
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


class Fetcher:
    """Asks Twilio for pages, with all the patience that they need."""

    def __init__(self, run: Run, planner: Planner | None = None) -> None:
        """Ask nothing yet; without a planner, no window is split."""
        self._run = run
        self._planner = planner
        self._readable: set[tuple[str, str]] = set()
        self._heeds_time: dict[str, bool] = {}
        settings = run.settings
        self._patient_get = Patience(
            settings.max_retries,
            settings.retry_delay,
            is_silent=lambda: run.silence() > SILENCE,
            tell=_tell_of_pause,
        )(self._get)

    def fetch(self, request: Request) -> Fetched:
        """Get one page, its rows not decoded yet; where a window is too full, its parts instead.

        Raises:
            TapError: It can't be had.
        """
        fetched = self._fetch(request)
        parts = () if self._planner is None else self._planner.parts(fetched, self._find_precision)
        return replace(fetched, parts=parts, rows=NO_ROWS) if parts else fetched

    def _fetch(self, request: Request) -> Fetched:
        resource = request.node.resource
        try:
            return self._twice_if_refused(request)
        except AbsentError:
            is_window = request.window is not None and request.link is None
            if not is_window or not resource.absent_is_empty:
                raise
            return Fetched(request, NO_ROWS)
        except RetentionError:
            if request.window is None or resource.window is None or request.link is not None:
                raise
            # The clamped start is minutes within Twilio's retention; where Twilio counts in
            # days, the next midnight is.
            midnight = Unit.DAY.floor(request.window.start) + timedelta(days=1)
            window = replace(request.window, start=midnight + timedelta(seconds=1))
            params = {
                **request.params,
                **resource.window.params(window, self._run.settings.now),
            }
            return self._patient_get(self._try(replace(request, params=params)))

    def _twice_if_refused(self, request: Request) -> Fetched:
        """Get a page; ask again where Twilio refuses it, as a single refusal may be a mistake."""
        try:
            return self._patient_get(self._try(request))
        except RefusedError:
            if self._run.skips.is_refused(request.node, request.account):
                raise
            time.sleep(jittered(self._run.settings.retry_delay))
            return self._patient_get(self._try(request, again=True))

    def _try(self, request: Request, *, again: bool = False) -> _Try:
        return _Try(request, self._page_limit(request.node), again=again)

    def _page_limit(self, node: Node) -> int | None:
        """Tell how many rows to ask for on a page; none where the endpoint leaves no choice."""
        resource, settings = node.resource, self._run.settings
        if resource.endpoint.page_size is None:
            return None
        limits = (
            resource.endpoint.page_size,
            resource.page_size,
            settings.page_size,
            settings.max_records,
        )
        return min(limit for limit in limits if limit is not None)

    def _get(self, attempt: _Try) -> Fetched:
        request, run = attempt.request, self._run
        if request.file is not None:
            return self._get_part(attempt, request.file)
        node, account, resource = request.node, request.account, request.node.resource
        signature, url = self._signature(request), request.link or self._address(request)
        endpoint = _without_personal(urlsplit(url).path, request)
        params = request.params
        if attempt.page_size is not None and request.link is None:
            params = {**params, resource.size_param: str(attempt.page_size)}
        run.progress.count_request(node.name, again=attempt.failures > 0)
        try:
            body = run.transport.get(
                url, params, endpoint=endpoint, auth=signature, limiter=run.limiter(account)
            )
            listing = pagination.read(
                resource.endpoint.paging,
                body,
                resource.endpoint.data_key,
                fields=resource.schema["properties"].keys(),
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
        self._readable.add((node.name, account))
        link = listing.link and run.settings.hosts.follow(resource.product, listing.link)
        return Fetched(
            request,
            listing.rows,
            length=len(body),
            page_size=attempt.page_size,
            following=request.after(link, listing.more),
            oddities=listing.oddities,
        )

    def _get_part(self, attempt: _Try, file: RowFile) -> Fetched:
        """Get the next part of a file of rows."""
        request = attempt.request
        try:
            rows = file.read(request.place.number, lambda: self._open(attempt))
        except (TransientError, UnreachableError):
            attempt.failures += 1
            raise
        except ExpiredError as error:
            attempt.failures += 1
            attempt.expired += 1
            if attempt.expired >= EXPIRED:
                raise
            # It may have been good for a moment only: the next try asks for another.
            expired = "the address of the file has expired"
            raise TransientError(self._path(request), error.status, message=expired) from error
        following = None if file.is_done else replace(request, place=request.place.next)
        return Fetched(request, rows, length=len(rows), following=following)

    def _open(self, attempt: _Try) -> Download:
        """Ask Twilio where a file lies, and open it there, without credentials."""
        request, run = attempt.request, self._run
        endpoint, again = self._path(request), attempt.failures > 0
        run.progress.count_request(request.node.name, again=again)
        link = run.transport.locate(
            self._address(request),
            endpoint=endpoint,
            auth=self._signature(request),
            limiter=run.limiter(request.account),
        )
        run.progress.count_request(request.node.name, again=again)
        return run.files.open(run.settings.hosts.elsewhere(link), endpoint)

    def _signature(self, request: Request) -> Signature:
        signature = self._run.skips.signature(request.node, request.account)
        if signature is None:
            msg = f"{request.node.name}: nothing at hand signs for {request.account}"
            raise TapError(msg)
        return signature

    def _address(self, request: Request) -> str:
        return self._run.settings.hosts.url(request.node.resource.product) + self._path(request)

    def _path(self, request: Request) -> str:
        return request.node.resource.path.format(
            **{name: quote(str(value), safe="") for name, value in request.context.items()}
        )

    def _was_readable(self, request: Request, error: ResponseError) -> bool:
        """Tell whether a refusal contradicts what this account's stream gave before."""
        node = request.node
        if (node.name, request.account) not in self._readable:
            return False
        # Below another list, each path is a resource of its own; a link that leads nowhere is
        # its chain's affair.
        listed = set(request.context) <= {ACCOUNT} and request.link is None
        return isinstance(error, RefusedError) or (listed and not node.resource.absent_is_empty)

    def _find_precision(self, probe: Request, moment: datetime) -> bool:
        """Find out, once a run, whether the date filter of a stream heeds the time of day."""
        name = probe.node.name
        known = self._heeds_time.get(name)
        if known is not None:
            return known
        try:
            fetched = self._fetch(probe)
        except TapError:
            return False
        self._heeds_time[name] = planner.heeds_time(fetched, moment)
        return self._heeds_time[name]


def _tell_of_pause(details: Details) -> None:
    error = details.get("exception")
    node = details["args"][0].request.node
    node.logger.log(
        logging.DEBUG if isinstance(error, ThrottledError) else logging.WARNING,
        "%s: waiting %.1f s after %d tries: %s",
        node.name,
        details["wait"],
        details["tries"],
        error,
    )


def _without_personal(path: str, request: Request) -> str:
    """Leave values that are personal data out of a path that messages will name."""
    context: Mapping[str, object] = request.context
    for name in context.keys() & request.node.resource.personal:
        for value in (quote(str(context[name]), safe=""), str(context[name])):
            path = path.replace(value, f"{{{name}}}")
    return path
