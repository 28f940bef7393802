"""What the fields of a row may hold, and how requests carry it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from target_twilio import addresses

if TYPE_CHECKING:
    from collections.abc import Mapping

Check = Callable[[Any], list[str]]

MOST_MEDIA: Final = 10
LONGEST_TEXT: Final = 1600
MOST_VARIABLES: Final = 100
LONGEST_NAME: Final = 16
LONGEST_VALUE: Final = 255
LONGEST_VALIDITY: Final = 36_000

_TRUE: Final = {"true": "true", "false": "false"}


class MisfitError(ValueError):
    """A row that can't be sent: the reason, without what the row says.

    Attributes:
        code: Twilio's code for it, where there is one.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Field:
    """A parameter of Twilio's.

    Attributes:
        parameter: Twilio's name; none for what goes into the path.
        check: Gives what a request carries, several values for a parameter that comes several
            times.
        code: Twilio's code for a value that makes no sense.
    """

    parameter: str | None
    check: Check
    code: int | None = None

    def read(self, name: str, value: Any) -> list[str]:  # noqa: ANN401
        """Check a value.

        Raises:
            MisfitError: It makes no sense.
        """
        try:
            return self.check(value)
        except MisfitError as error:
            msg = f"{name}: {error}"
            raise MisfitError(msg, error.code or self.code) from None


def text(value: Any) -> list[str]:  # noqa: ANN401
    """Take any text."""
    if not isinstance(value, str):
        msg = "it is not a text"
        raise MisfitError(msg)
    try:
        value.encode()
    except UnicodeEncodeError:
        msg = "it has half of a character (a lone surrogate)"
        raise MisfitError(msg) from None
    return [value]


def body(value: Any) -> list[str]:  # noqa: ANN401
    """Take a text that Twilio takes too."""
    if len(text(value)[0]) > LONGEST_TEXT:
        msg = f"it is longer than {LONGEST_TEXT:,} characters"
        raise MisfitError(msg)
    return [value]


def recipient(value: Any) -> list[str]:  # noqa: ANN401
    """Take an address, written as Twilio does."""
    found = addresses.normal(text(value)[0])
    if found is None:
        msg = "it is not an address such as +, country code and number, or whatsapp: before that"
        raise MisfitError(msg)
    return [found]


def sender(value: Any) -> list[str]:  # noqa: ANN401
    """Take a number, a short code, a name or a channel's address."""
    given = text(value)[0].strip()
    return [addresses.normal(given) or given]


def matching(pattern: str, what: str) -> Check:
    """Take texts of a form."""
    form = re.compile(pattern)

    def check(value: Any) -> list[str]:  # noqa: ANN401
        if not form.fullmatch(text(value)[0]):
            msg = f"it is not {what}"
            raise MisfitError(msg)
        return [value]

    return check


def one_of(*values: str) -> Check:
    """Take one of a few words."""

    def check(value: Any) -> list[str]:  # noqa: ANN401
        if text(value)[0].lower() not in values:
            msg = f"it is none of {', '.join(values)}"
            raise MisfitError(msg)
        return [value.lower()]

    return check


def flag(value: Any) -> list[str]:  # noqa: ANN401
    """Take true or false."""
    if isinstance(value, bool):
        return [str(value).lower()]
    found = _TRUE.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        msg = "it is neither true nor false"
        raise MisfitError(msg)
    return [found]


def whole(low: int, high: int | None = None) -> Check:
    """Take whole numbers within bounds."""

    def check(value: Any) -> list[str]:  # noqa: ANN401
        number = _whole(value)
        if number is None or number < low or (high is not None and number > high):
            bounds = f"of {low} or more" if high is None else f"between {low} and {high:,}"
            msg = f"it is not a whole number {bounds}"
            raise MisfitError(msg)
        return [str(number)]

    return check


def _whole(value: Any) -> int | None:  # noqa: ANN401
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None


def url(value: Any) -> list[str]:  # noqa: ANN401
    """Take an address on the web."""
    given = text(value)[0]
    try:
        parts = urlsplit(given)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", given):
        msg = "it is not a URL that begins with http:// or https://"
        raise MisfitError(msg)
    return [given]


def several(check: Check, most: int, code: int | None = None) -> Check:
    """Take one value, or a list of them."""

    def check_all(value: Any) -> list[str]:  # noqa: ANN401
        values = value if isinstance(value, (list, tuple)) else [value]
        if len(values) > most:
            msg = f"it has more than {most} values"
            raise MisfitError(msg, code)
        return [one for inner in values for one in check(inner)]

    return check_all


def variables(value: Any) -> list[str]:  # noqa: ANN401
    """Take the variables of a template: an object, or one as JSON."""
    given = value
    if isinstance(given, str):
        try:
            given = json.loads(given, parse_float=Decimal)
        except (ValueError, RecursionError):
            given = None
    if not isinstance(given, dict):
        msg = "it is not an object, nor one as JSON"
        raise MisfitError(msg)
    if len(given) > MOST_VARIABLES:
        msg = f"it has more than {MOST_VARIABLES} variables"
        raise MisfitError(msg)
    written = {name: _variable(name, one) for name, one in given.items()}
    return [json.dumps(written, ensure_ascii=False, separators=(",", ":"))]


def _variable(name: str, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        msg = "a variable is null, empty or no text, and Twilio refuses that"
        raise MisfitError(msg)
    if len(name) > LONGEST_NAME or len(text(value)[0]) > LONGEST_VALUE:
        msg = f"a variable's name is longer than {LONGEST_NAME}, or its text than {LONGEST_VALUE}"
        raise MisfitError(msg)
    return value


def read_moment(value: Any) -> datetime:  # noqa: ANN401
    """Read a moment that has a zone.

    Raises:
        MisfitError: It is none, or has no zone, so that nobody could tell when it is.
    """
    found = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            found = None
    if found is None:
        msg = "it is not a moment such as 2026-01-31T08:00:00Z"
        raise MisfitError(msg)
    if found.utcoffset() is None:
        msg = "it has no zone: add Z for UTC, or +01:00"
        raise MisfitError(msg)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        msg = "it is out of all bounds"
        raise MisfitError(msg) from None


def moment(value: Any) -> list[str]:  # noqa: ANN401
    """Take a moment, and write it in UTC."""
    return [read_moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")]


def day_or_moment(value: Any) -> list[str]:  # noqa: ANN401
    """Take a moment or a day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return [value.isoformat()]
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        return [value.strip()]
    return moment(value)


def is_given(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a field says anything: tables have null or nothing where nothing is meant."""
    return value is not None and value != ""


def unknown(given: Mapping[str, Any], known: Mapping[str, Field]) -> list[str]:
    """Name the fields that are no parameters."""
    return sorted(name for name in given if name not in known)
