"""Tokens of OAuth apps: fetched once for all workers, and anew before they end."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from requests.auth import AuthBase
from typing_extensions import override

from tap_twilio.http.errors import (
    RefusedError,
    ResponseError,
    SignInError,
    ThrottledError,
    TransientError,
    from_response,
)
from tap_twilio.http.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest

    from tap_twilio.http.signatures import App

PATH: Final = "/v2/token"
"""Path of tokens on the host of OAuth; of the tap's requests, only orders are POSTs besides."""

SHORTEST: Final = 60.0
LONGEST: Final = 30 * 86400.0
"""Seconds for which a token is good, at least and at most, as apps are set up."""

MARGIN: Final = 60.0
"""Seconds before its end from which a token is no longer used; a fifth of what it has, if less."""

DOUBT: Final = 60.0
"""Seconds after a refused token was replaced for which a refusal is no doubt of the next one."""

_TOKEN: Final = re.compile(r"[!-~]+")


class TokenRefusedError(RefusedError):
    """Twilio gives the app no token."""

    def __init__(self, error: ResponseError) -> None:
        """Say what the host of tokens said."""
        super(ResponseError, self).__init__(str(error))
        self.status = HTTPStatus.UNAUTHORIZED
        self.code = self.retry_after = None


@dataclass(frozen=True, eq=False)
class Token(AuthBase):
    """Signs requests.

    Attributes:
        header: What requests carry.
        until: The moment from which on there should be another, on the clock of ``Tokens``.
    """

    header: str = field(repr=False)
    until: float

    @override
    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = self.header
        return r


class _Body(msgspec.Struct):
    access_token: Any = None
    expires_in: Any = None


class Tokens:
    """The tokens of a run, one an app and account; safe in any thread."""

    def __init__(
        self,
        ask: Callable[[App], tuple[int, Mapping[str, str], bytes]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask for none yet.

        Args:
            ask: Sends an app's credentials, and gives the answer, whatever its status.
            clock: Tells seconds, of which only the differences matter.
        """
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[App, Token] = {}
        self._coming: dict[App, Future[Token]] = {}
        self._doubted: dict[App, float] = {}

    def of(self, app: App) -> Token:
        """Give a token that is good for a while; whoever asks meanwhile waits for the same.

        Raises:
            TokenRefusedError: Twilio gives the app none.
            SignInError: It did so before in this run.
            TapError: None can be had now.
        """
        with self._lock:
            token = self._tokens.get(app)
            if token is not None and self._clock() < token.until:
                return token
            coming = self._coming.get(app)
            if coming is not None:
                is_mine = False
            else:
                is_mine = True
                coming = self._coming[app] = Future()
        return self._fetched(app, coming) if is_mine else coming.result()

    def instead_of(self, refused: Token, app: App) -> Token | None:
        """Give another token for one with which a request was refused.

        None where the token is hardly to blame, as it has just replaced another that was refused.
        """
        with self._lock:
            now, current = self._clock(), self._tokens.get(app)
            if current is refused:
                if now - self._doubted.get(app, -DOUBT) < DOUBT:
                    return None
                self._doubted[app] = now
                # It stays in the table: that the app had one tells a refusal from a wrong secret.
                self._tokens[app] = Token(refused.header, now)
        return self.of(app)

    def _fetched(self, app: App, coming: Future[Token]) -> Token:
        try:
            token = self._fetch(app)
        except BaseException as error:
            coming.set_exception(error)
            raise
        else:
            self._tokens[app] = token
            coming.set_result(token)
            return token
        finally:
            with self._lock:
                del self._coming[app]

    def _fetch(self, app: App) -> Token:
        asked = self._clock()
        status, headers, body = self._ask(app)
        if status == HTTPStatus.OK:
            return _read(body, asked)
        error = from_response(PATH, status, body, headers)
        if isinstance(error, (ThrottledError, TransientError)):
            raise error
        if app in self._tokens:
            msg = f"Twilio gives no more tokens to {app.username}, as it did before ({error})"
            raise SignInError(msg)
        raise TokenRefusedError(error)


def _read(body: bytes, asked: float) -> Token:
    """Read a token, and until when to use it.

    Raises:
        TransientError: There is none.
    """
    try:
        found = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Body()
    text = found.access_token
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        # Another try may bring one: whatever answered, it was no failure of Twilio's.
        raise TransientError(PATH, HTTPStatus.OK, message="the answer has no token")
    redactor.add(text)
    try:
        seconds = float(found.expires_in)
    except (TypeError, ValueError, OverflowError):
        seconds = SHORTEST
    # A comparison with NaN is false.
    seconds = min(seconds, LONGEST) if seconds > 0 else SHORTEST
    return Token(f"Bearer {text}", asked + seconds - min(MARGIN, seconds / 5))
