"""One request to Twilio: signed, counted, and its answer told apart from a failure."""

from __future__ import annotations

import gzip
import io
import logging
import re
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from tap_twilio.http import oauth
from tap_twilio.http.connections import root
from tap_twilio.http.errors import (
    BarredError,
    LostError,
    ResponseError,
    TapError,
    ThrottledError,
    TransientError,
    from_response,
)
from tap_twilio.http.signatures import App

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from urllib3 import BaseHTTPResponse

    from tap_twilio.http.connections import Network
    from tap_twilio.http.limiter import Limiter
    from tap_twilio.http.signatures import Signature

logger = logging.getLogger("tap-twilio")

ONCE: Final = Retry(total=False)
"""Leaves retries, and what failed, to the caller."""

MIB: Final = 1024 * 1024

LARGEST: Final = 64 * MIB
"""Bytes of a body, decompressed: five thousand rows, the largest page there is, of 13 kB each."""

LEADING: Final = (
    HTTPStatus.OK,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
)
"""Statuses of an answer that tells where a file lies."""

LONG: Final = 5.0
"""Seconds from which a pause is worth telling."""

_GZIP: Final = b"\x1f\x8b"
"""How a compressed body begins, and no JSON does."""

_GZIP_FORM: Final = 16 + zlib.MAX_WBITS

_COUNT: Final = re.compile("[0-9]{1,9}")

FIRST_YEAR = 2008
"""Twilio's: a clock that shows one before it tells nothing."""


class Reply(NamedTuple):
    """What Twilio answered, whatever it means."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Redirect(msgspec.Struct):
    redirect_to: str | None = None


class _Content:
    """The body of a request; it knows whether the request may have left.

    A connection asks for it once the head of the request is out, and no server acts on less.
    """

    def __init__(self, content: bytes) -> None:
        self.has_left = False
        self.headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(content)),
        }
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        self.has_left = True
        yield self._content


class Transport:
    """Asks Twilio; shared by all streams of a run.

    Attributes:
        date: Twilio's moment at its first answer, in UTC; none before that.
    """

    def __init__(
        self, network: Network, *, user_agent: str, note_date: Callable[[datetime], None]
    ) -> None:
        """Open nothing yet.

        Args:
            note_date: Told ``date``, once it is known.
        """
        self._note_date = note_date
        self.date: datetime | None = None
        self._network = network
        self._tokens = oauth.Tokens(self._ask_for_token)
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
        }

    def get(
        self,
        url: str,
        params: Mapping[str, str],
        *,
        endpoint: str,
        auth: Signature,
        limiter: Limiter,
    ) -> bytes:
        """Ask once, and give the body.

        Args:
            url: Address; a link carries its query itself.
            params: Query parameters besides.
            endpoint: Name of what is asked, for messages.

        Raises:
            ResponseError: Twilio refused or failed, or its answer broke off.
        """
        return self._ask(_with(url, params), endpoint, auth, limiter, (HTTPStatus.OK,)).body

    def locate(self, url: str, *, endpoint: str, auth: Signature, limiter: Limiter) -> str:
        """Ask once where a file lies, and give its address, which nobody may see.

        Raises:
            ResponseError: Twilio refused or failed, or its answer names no address.
        """
        reply = self._ask(url, endpoint, auth, limiter, LEADING)
        try:
            found = msgspec.json.decode(reply.body, type=_Redirect).redirect_to
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = None
        link = found or reply.headers.get("Location")
        if not link:
            raise TransientError(endpoint, reply.status, message="the answer leads to no file")
        return link

    def _ask(
        self,
        url: str,
        endpoint: str,
        auth: Signature,
        limiter: Limiter,
        wanted: tuple[HTTPStatus, ...],
    ) -> Reply:
        sent = limiter.enter()
        try:
            status, headers, body = self._exchange("GET", url, endpoint, auth)
        finally:
            limiter.leave()
        if status in wanted:
            limiter.succeeded(sent)
            return Reply(status, headers, body)
        error = from_response(endpoint, status, body, headers)
        if isinstance(error, ThrottledError):
            counted = headers.get("Twilio-Concurrent-Requests", "")
            pause = limiter.throttled(
                sent,
                concurrent=int(counted) if _COUNT.fullmatch(counted) else None,
                retry_after=error.retry_after,
            )
            if pause > LONG:
                logger.warning("Twilio asks for a pause: waiting %.0f s (%s)", pause, error)
        elif not isinstance(error, TransientError):
            limiter.succeeded(sent)
        raise error

    def send(
        self,
        method: str,
        url: str,
        form: Sequence[tuple[str, str]],
        *,
        endpoint: str,
        auth: Signature,
    ) -> Reply:
        """Have something done, once, and give the answer, whatever its status.

        Args:
            form: Names and values of the body; a name may come several times.
            endpoint: Name of what is asked, for messages.

        Raises:
            LostError: The request may have reached Twilio, and its answer didn't come whole.
            TapError: It never left: an :class:`UnreachableError` where another try may go better.
        """
        content = _Content(urlencode(form).encode())
        try:
            return Reply(*self._exchange(method, url, endpoint, auth, content))
        except BarredError:
            raise
        except TapError as error:
            if content.has_left:
                raise LostError(str(error)) from error
            raise

    def _exchange(
        self,
        method: str,
        url: str,
        endpoint: str,
        auth: Signature | oauth.Token | None,
        content: _Content | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and read its answer whole.

        What a session does besides for each request costs more than the request: it looks through
        the environment, keeps cookies, follows redirections, and reads the body in pieces.
        """
        if isinstance(auth, App):
            return self._exchange_by_token(method, url, endpoint, auth, content)
        address = urlsplit(url)
        route = self._network.route(f"{address.scheme}://{address.netloc}")
        path = f"{route.prefix}{address.path}"
        request = requests.Request(headers=dict(self._headers))
        if auth is not None:
            auth(cast("Any", request))
        if content is not None:
            request.headers.update(content.headers)
        try:
            response = route.pool.urlopen(
                method,
                f"{path}?{address.query}" if address.query else path,
                cast("Any", content),
                headers=request.headers,
                retries=ONCE,
                # A proxy's connections serve other hosts than its own.
                assert_same_host=False,
                timeout=route.timeout,
                preload_content=False,
            )
        except HTTPError as error:
            raise route.explain(error, endpoint) from error
        if self.date is None:
            self._look_at_date(response.headers.get("Date"))
        try:
            body = _whole(response, endpoint)
        finally:
            # One that was not read to its end is of no further use.
            response.close()
        if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and route.proxy is not None:
            raise route.unauthenticated()
        return response.status, response.headers, body

    def _exchange_by_token(
        self, method: str, url: str, endpoint: str, app: App, content: _Content | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Sign with an app's token, and with another where Twilio refuses one that it gave."""
        token = self._tokens.of(app)
        answer = self._exchange(method, url, endpoint, token, content)
        if answer[0] != HTTPStatus.UNAUTHORIZED:
            return answer
        if content is not None:
            # What was refused was not done.
            content.has_left = False
        another = self._tokens.instead_of(token, app)
        if another is None:
            return answer
        return self._exchange(method, url, endpoint, another, content)

    def _ask_for_token(self, app: App) -> tuple[int, Mapping[str, str], bytes]:
        own = {"client_id": app.username, "client_secret": app.password}
        content = _Content(urlencode({"grant_type": "client_credentials", **own}).encode())
        params = {} if app.account_sid is None else {"account_sid": app.account_sid}
        return self._exchange("POST", _with(app.url, params), oauth.PATH, None, content)

    def _look_at_date(self, value: str | None) -> None:
        date = read_date(value)
        if date is not None:
            self.date = date
            self._note_date(date)


def _with(url: str, params: Mapping[str, str]) -> str:
    """Add query parameters to an address, which may have some."""
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"


def read_date(value: str | None) -> datetime | None:
    """Read the moment of a header, in UTC; none where it holds none that can be."""
    try:
        date = parsedate_to_datetime(value or "")
        date = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return date if date.year >= FIRST_YEAR else None


def _whole(response: BaseHTTPResponse, endpoint: str) -> bytes:
    """Read a body, decompressed, and bounded in either form."""
    try:
        body = response.read(LARGEST + 1, decode_content=False)
    # Python's own client raises ValueError for a chunk of a size that none can have.
    except (HTTPError, ValueError) as error:
        cause = root(error)
        reason = str(cause) if isinstance(cause, TimeoutError) else type(cause).__name__
        raise _broken_off(response, endpoint, reason) from error
    if response.length_remaining and len(body) <= LARGEST:
        raise _broken_off(response, endpoint, f"{response.length_remaining} bytes are missing")
    if body.startswith(_GZIP):
        try:
            body = _inflated(body)
        except (zlib.error, EOFError, gzip.BadGzipFile) as error:
            raise _broken_off(response, endpoint, "it can't be decompressed") from error
    if len(body) > LARGEST:
        message = (
            f"the answer is larger than {LARGEST // MIB} MiB; with a smaller page_size it is less"
        )
        raise ResponseError(endpoint, response.status, message=message)
    return body


def _broken_off(response: BaseHTTPResponse, endpoint: str, reason: str) -> TransientError:
    message = f"the answer broke off ({reason})"
    return TransientError(endpoint, response.status, message=message)


def _inflated(body: bytes) -> bytes:
    """Decompress, up to what exceeds the bound."""
    whole = zlib.decompressobj(_GZIP_FORM)
    found = whole.decompress(body, LARGEST + 1)
    if len(found) <= LARGEST and not whole.eof:
        raise EOFError
    if not whole.unused_data:
        return found
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as parts:
        return parts.read(LARGEST + 1)
