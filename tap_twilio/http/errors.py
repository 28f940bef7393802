"""All that can go wrong, in the words that a user reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec


class TapError(Exception):
    """A failure that is told in one sentence, with what to do about it."""


class UnreachableError(TapError):
    """No answer came; another try may go better."""


class BarredError(TapError):
    """A proxy doesn't pass requests on."""


class LostError(TapError):
    """A request left, and nobody knows what became of it."""


class SignInError(TapError):
    """Twilio refused the credentials."""


class LinkError(TapError):
    """Twilio's answer led to a host that must not see the credentials."""


class ChainError(TapError):
    """The links between the pages of a list don't lead to its end."""


class IncompleteError(TapError):
    """The run ended, and some of what was asked for could not be read."""


class Stopped(SystemExit):
    """A signal asked the run to end; ``code`` is the exit code that says which."""


class UnwritableError(Exception):
    """What was read can't be written, so the run ends, whatever is being read: no TapError."""


class ResponseError(TapError):
    """An answer that isn't the page that was asked for.

    Attributes:
        code: Twilio's own error code, where the body had one.
        retry_after: Seconds to wait, where Twilio asked for a pause.
    """

    def __init__(  # noqa: PLR0913
        self,
        endpoint: str,
        status: int,
        *,
        code: int | None = None,
        message: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Compose the sentence.

        Args:
            endpoint: Path that was asked, without its query.
            message: Twilio's words, or ours where it had none.
            request_id: Value of ``Twilio-Request-Id``, for Twilio's support.
        """
        self.status = status
        self.code = code
        self.retry_after = retry_after
        reason = f"HTTP {status}" if code is None else f"HTTP {status}, Twilio error {code}"
        sentence = f"{endpoint}: {message or 'no reason was given'} ({reason}"
        super().__init__(f"{sentence}, request {request_id})" if request_id else f"{sentence})")


class RefusedError(ResponseError):
    """The credentials are not allowed to read this (401, 403)."""


class AbsentError(ResponseError):
    """There is no such resource (404)."""


class ExpiredError(ResponseError):
    """The address of a file, or the file, has expired (403, 404 from another host)."""


class RetentionError(ResponseError):
    """The dates reach further back than Twilio keeps rows (400, code 20004)."""


class ThrottledError(ResponseError):
    """Too many requests at once (429); the request was not processed."""


class TransientError(ResponseError):
    """Worth another try: a server error, or a body that is cut off or not JSON."""


OUTSIDE_RETENTION = 20004

LONGEST_PAUSE: Final = 300.0
"""Seconds to wait at most where Twilio, or a gateway before it, asks for a pause."""

NO_PAUSE: Final = 86_400.0
"""Seconds beyond which a pause that is asked for makes no sense."""

_SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


class _ErrorBody(msgspec.Struct):
    code: Any = None
    message: Any = None
    detail: Any = None
    error: Any = None


def from_response(endpoint: str, status: int, body: bytes, headers: Any) -> ResponseError:  # noqa: ANN401
    """Make the error of an answer that is no success, of the class that says how to go on.

    Args:
        body: Twilio's JSON, an RFC 9457 problem, an OAuth error or a proxy's HTML.
    """
    try:
        problem = msgspec.json.decode(body, type=_ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        problem = _ErrorBody()
    code = problem.code if isinstance(problem.code, int) else None
    kind: type[ResponseError] = ResponseError
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        kind = RefusedError
    elif status == HTTPStatus.NOT_FOUND:
        kind = AbsentError
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = ThrottledError
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        kind = TransientError
    elif status == HTTPStatus.BAD_REQUEST and code == OUTSIDE_RETENTION:
        kind = RetentionError
    elif status // 100 == 3:  # noqa: PLR2004
        return kind(endpoint, status, message="Twilio redirects elsewhere; not followed")
    return kind(
        endpoint,
        status,
        code=code,
        message=str(problem.message or problem.detail or problem.error or "")[:500],
        request_id=headers.get("Twilio-Request-Id"),
        retry_after=_pause(headers.get("Retry-After"), headers.get("Date")),
    )


def _pause(value: str | None, sent: str | None) -> float | None:
    """Read ``Retry-After`` in seconds; none where it asks for nothing that makes sense."""
    if value is None:
        return None
    if _SECONDS.fullmatch(value.strip()):
        seconds = float(value)
    else:
        # The clock that wrote the one date wrote the other.
        until, now = _moment(value), _moment(sent) or datetime.now(UTC)
        seconds = (until - now).total_seconds() if until is not None else 0.0
    return min(seconds, LONGEST_PAUSE) if 0.0 < seconds <= NO_PAUSE else None


def _moment(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
