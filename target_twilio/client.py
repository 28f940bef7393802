"""Requests to Twilio: what is asked, and what each answer means for the row."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tap_twilio.http.connections import Network
from tap_twilio.http.errors import (
    LostError,
    RefusedError,
    ResponseError,
    TapError,
    ThrottledError,
    TransientError,
    from_response,
)
from tap_twilio.http.limiter import Limiter
from tap_twilio.http.retry import Patience
from tap_twilio.http.transport import Transport, read_date
from target_twilio.actions import MESSAGES
from target_twilio.codes import QUEUE_FULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_twilio.actions import Action
    from target_twilio.settings import Settings

T = TypeVar("T")

TIMEOUT: Final = 60.0
"""Seconds to wait for an answer, and for each further part of it."""

RETRIES: Final = 8
DELAY: Final = 1.0
"""How often what failed is read again, and seconds before the first time."""

SILENCE: Final = 600.0
"""Seconds for which to read again while Twilio only throttles."""

PAGE: Final = 1000
"""Messages of a page: as many as Twilio gives."""

MARGIN: Final = timedelta(seconds=2)
"""By how much an answer's date may lie behind what it is the date of."""

MAY_NOT_READ: Final = frozenset({20008, 70051})
"""Codes for credentials that are right, but read nothing: test credentials, restricted keys."""


class Listed(msgspec.Struct):
    """A message as Twilio shows it, as far as it matters here."""

    sid: str
    to: str | None = None
    sender: str | None = msgspec.field(default=None, name="from")
    body: str | None = None
    direction: str | None = None
    status: str | None = None
    messaging_service_sid: str | None = None
    date_created: str | None = None
    date_sent: str | None = None
    price: Any = None
    price_unit: str | None = None
    num_segments: Any = None
    num_media: Any = None

    @property
    def is_outbound(self) -> bool:
        """Whether the account sent it."""
        return (self.direction or "").startswith("outbound")

    @property
    def created(self) -> datetime:
        """When it was created; the end of time where it doesn't say, so that it may be anything."""
        return _moment(self.date_created) or datetime.max.replace(tzinfo=UTC)

    @property
    def listed(self) -> datetime:
        """The moment by which lists are sorted, newest first; never before its creation."""
        return _moment(self.date_sent) or self.created


class _Page(msgspec.Struct):
    messages: list[Listed]
    next_page_uri: str | None = None


_pages = msgspec.json.Decoder(_Page)
_messages = msgspec.json.Decoder(Listed)


def _moment(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- What an answer means ------------------------------------------------------------------------


@dataclass(frozen=True)
class Done:
    """It was done; ``content`` is what Twilio says of it."""

    content: Mapping[str, Any]


@dataclass(frozen=True)
class Refused:
    """It was surely not done, because of the row."""

    status: int
    code: int | None


@dataclass(frozen=True)
class Denied:
    """It was surely not done, because of who asked."""

    status: int
    code: int | None


@dataclass(frozen=True)
class NotSent:
    """It was surely not done, and may be asked again.

    Attributes:
        pause: Seconds that Twilio asks for.
        code: Twilio's code, where Twilio was reached.
        error: Why Twilio could not be reached, where it wasn't.
    """

    pause: float | None = None
    code: int | None = None
    error: TapError | None = None


@dataclass(frozen=True)
class Unsure:
    """Nobody knows whether it was done."""

    reason: str
    status: int | None = None
    code: int | None = None


Answer = Done | Refused | Denied | NotSent | Unsure


class Clock:
    """Twilio's clock, as its answers tell."""

    def __init__(self) -> None:
        """Begin with the machine's own."""
        self._date = datetime.now(UTC)
        self._read = time.monotonic()

    def note(self, date: datetime) -> None:
        """Take the date of an answer that has just come."""
        self._date, self._read = date, time.monotonic()

    def now(self) -> datetime:
        """Give the moment; rather too early than too late."""
        passed = timedelta(seconds=time.monotonic() - self._read)
        return (self._date + passed).replace(microsecond=0)


class Client:
    """Asks Twilio on behalf of rows.

    Attributes:
        clock: Twilio's.
        may_read: Whether the credentials read messages.
    """

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self.clock = Clock()
        self.may_read = True
        self._settings = settings
        self._limiter = Limiter(1)
        network = Network(connections=1, timeout=TIMEOUT, settings=settings.hosts.settings)
        self._transport = Transport(
            network, user_agent=settings.user_agent, note_date=self.clock.note
        )
        self._get_patiently = Patience(
            RETRIES,
            DELAY,
            is_silent=lambda: time.monotonic() - self._limiter.answered > SILENCE,
            tell=lambda _: None,
        )(self._get)

    def sign_in(self) -> list[Listed]:
        """Look whether the credentials are good; give the account's last messages.

        Raises:
            TapError: They aren't, or Twilio can't be reached.
        """
        try:
            return self._page(*self._first()).messages
        except RefusedError as error:
            if error.status == HTTPStatus.UNAUTHORIZED or error.code not in MAY_NOT_READ:
                raise denial(error.status, error.code) from None
            self.may_read = False
        except ResponseError as error:
            # Odd rows tell no prices, and that is all that is wanted of them here.
            if error.status != HTTPStatus.OK:
                raise
        return []

    def messages(self, since: datetime) -> Iterator[Listed]:
        """Give the account's messages that were created since some moment, and maybe others.

        Raises:
            TapError: They can't be read to their end.
        """
        url, params = self._first()
        while True:
            page = self._page(url, params)
            yield from page.messages
            # By this order, none of the rest was created since.
            if not page.next_page_uri or (page.messages and page.messages[-1].listed < since):
                return
            url, params = self._settings.hosts.follow("api", page.next_page_uri), {}

    def message(self, sid: str) -> Listed:
        """Give a message.

        Raises:
            AbsentError: There is none.
            TapError: It can't be read.
        """
        path = f"{MESSAGES}/{{sid}}.json".format(account_sid=self._settings.account_sid, sid=sid)
        body = self._get_patiently((self._settings.hosts.url("api") + path, {}, path))
        return _decoded(_messages, body, path)

    def _first(self) -> tuple[str, dict[str, str]]:
        path = f"{MESSAGES}.json".format(account_sid=self._settings.account_sid)
        return self._settings.hosts.url("api") + path, {"PageSize": str(PAGE)}

    def _page(self, url: str, params: Mapping[str, str]) -> _Page:
        body = self._get_patiently((url, params, "Messages.json"))
        return _decoded(_pages, body, "Messages.json")

    def _get(self, asked: tuple[str, Mapping[str, str], str]) -> bytes:
        url, params, endpoint = asked
        return self._transport.get(
            url,
            params,
            endpoint=endpoint,
            auth=self._settings.signature,
            limiter=self._limiter,
        )

    def write(self, action: Action, sid: str | None, params: Sequence[tuple[str, str]]) -> Answer:
        """Have something done, once, and say what is known of it then."""
        path = action.path.format(account_sid=self._settings.account_sid, sid=sid)
        try:
            reply = self._transport.send(
                action.method,
                self._settings.hosts.url(action.product) + path,
                params,
                endpoint=path,
                auth=self._settings.signature,
            )
        except LostError as error:
            return Unsure(str(error))
        except RefusedError as error:
            return Denied(error.status, error.code)
        except (ThrottledError, TransientError) as error:
            # Nothing but a token was asked for.
            return NotSent(error.retry_after, error.code)
        except TapError as error:
            return NotSent(error=error)
        date = read_date(reply.headers.get("Date"))
        if date is not None:
            self.clock.note(date)
        if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return _read_success(action, reply.status, reply.body)
        return _read_failure(path, from_response(path, reply.status, reply.body, reply.headers))


def _read_success(action: Action, status: int, body: bytes) -> Answer:
    if action.method == "DELETE":
        return Done({})
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        content = None
    expected, kind = ("items", list) if action.batch > 1 else ("sid", str)
    if action.makes_messages or action.batch > 1:
        is_whole = isinstance(content, dict) and isinstance(content.get(expected), kind)
    else:
        is_whole = isinstance(content, dict)
    if not is_whole:
        return Unsure("the answer can't be read", status)
    return Done(content)


def _read_failure(path: str, error: ResponseError) -> Answer:
    """Tell a failure by its status; codes only name it.

    Twilio's words are left out: they quote numbers.
    """
    is_ours = HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, TransientError) or not is_ours:
        return Unsure(f"{path}: HTTP {error.status}", error.status, error.code)
    if isinstance(error, RefusedError):
        return Denied(error.status, error.code)
    if isinstance(error, ThrottledError) or error.code == QUEUE_FULL:
        return NotSent(error.retry_after, error.code)
    return Refused(error.status, error.code)


def denial(status: int, code: int | None) -> TapError:
    """Say that the credentials don't suffice."""
    reason = f"HTTP {status}" if code is None else f"HTTP {status}, Twilio error {code}"
    return TapError(f"Twilio refused to sign in, or to let these credentials do this ({reason})")


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, endpoint: str) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's words may quote what it reads.
        raise ResponseError(
            endpoint, HTTPStatus.OK, message="the answer isn't what it should be"
        ) from None
