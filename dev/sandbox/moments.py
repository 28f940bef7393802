"""Moments: whole seconds since 1970 inside, Twilio's three spellings outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BARE_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_RFC_LENGTH: Final = len("Fri, 20 Nov 2026 12:00:00 +0000")
_RELATIVE: Final = re.compile(r"([+-]?\d+)\s*(minute|hour|day|week|month|year|m|h|d|w)s?")
_RELATIVE_SECONDS: Final = {
    "m": MINUTE,
    "minute": MINUTE,
    "h": HOUR,
    "hour": HOUR,
    "d": DAY,
    "day": DAY,
    "w": 7 * DAY,
    "week": 7 * DAY,
    "month": 30 * DAY,
    "year": 365 * DAY,
}


@lru_cache(maxsize=4096)
def _rfc_day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%a, %d %b %Y ")


@lru_cache(maxsize=4096)
def _iso_day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


@lru_cache(maxsize=4096)
def _rfc_day_start(text: str) -> int:
    moment = datetime.strptime(text, "%a, %d %b %Y ").replace(tzinfo=UTC)
    return int(moment.timestamp())


_MINUTES: Final = tuple(f"{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS: Final = tuple(f"{second:02}" for second in range(60))


def _clock(seconds: int) -> str:
    return _MINUTES[seconds // 60] + _SECONDS[seconds % 60]


def rfc2822(moment: int) -> str:
    """Spell a moment as the 2010-04-01 API does."""
    day, seconds = divmod(moment, DAY)
    return f"{_rfc_day(day)}{_clock(seconds)} +0000"


def http_date(moment: int) -> str:
    """Spell a moment as the header `Date` does."""
    day, seconds = divmod(moment, DAY)
    return f"{_rfc_day(day)}{_clock(seconds)} GMT"


def iso8601(moment: int) -> str:
    """Spell a moment as the product APIs do."""
    day, seconds = divmod(moment, DAY)
    return f"{_iso_day(day)}T{_clock(seconds)}Z"


def iso_day(moment: int) -> str:
    """Spell the UTC day of a moment."""
    return _iso_day(moment // DAY)


def read_iso(text: str) -> int:
    """Read an ISO 8601 date or date-time; without a zone it is UTC.

    Raises:
        ValueError: If the text is something else.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def read_wire(value: object) -> int | None:
    """Read a timestamp as it stands in a row.

    Args:
        value: A field of a row, of any type.

    Returns:
        The moment, or None for null and for whatever is no timestamp.
    """
    if not isinstance(value, str) or not value:
        return None
    try:
        if value[3] == "," and len(value) == _RFC_LENGTH and value.endswith("+0000"):
            start = _rfc_day_start(value[:17])
            return start + int(value[17:19]) * HOUR + int(value[20:22]) * MINUTE + int(value[23:25])
        return read_iso(value)
    except (ValueError, IndexError):
        return None


def read_parameter(text: str) -> tuple[int, bool]:
    """Read a date given in a query.

    Args:
        text: A day, an ISO 8601 date-time (with `T` or a space) or an RFC 2822 one.

    Returns:
        The moment, and whether it was given as a bare day.

    Raises:
        ValueError: If it is none of them.
    """
    if _BARE_DAY.fullmatch(text):
        return read_iso(text), True
    if "," in text:
        return int(parsedate_to_datetime(text).timestamp()), False
    if not _BARE_DAY.match(text):
        msg = f"not a date: {text}"
        raise ValueError(msg)
    # A plus sign that the client did not escape arrives as a space.
    return read_iso(re.sub(r" (\d\d:?\d\d)$", r"+\1", text)), False


def read_relative(text: str) -> int:
    """Read an offset such as `-30days` or `4h`.

    Returns:
        Seconds, signed as written.

    Raises:
        ValueError: If the text is no offset.
    """
    match = _RELATIVE.fullmatch(text.strip())
    if match is None:
        msg = f"not an offset: {text}"
        raise ValueError(msg)
    return int(match[1]) * _RELATIVE_SECONDS[match[2]]


def first_moment(row: Mapping[str, object], names: Iterable[str]) -> int | None:
    """Give the first of some timestamps that a row has."""
    moments = (read_wire(row.get(name)) for name in names)
    return next((one for one in moments if one is not None), None)
