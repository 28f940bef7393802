"""Values as Twilio sends them, and what each type holds of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import msgspec

from tap_twilio.http.mending import WRONG
from tap_twilio.records.secrets import take_out

Record = dict[str, Any]
Conversion = Callable[[Any], Any]
"""Makes of a value what its type holds, or raises a misfit; all but text make null of ``""``."""

MOST_KEPT = 10_000
"""Results of a conversion to keep before all are forgotten."""

DIGITS = 400
"""Digits that a number may have before or behind its point: more than any target can hold."""

T = TypeVar("T")

_INTEGRAL = re.compile(r"[+-]?\d+")


class Misfit(Exception):  # noqa: N818
    """A value that its field's type can't hold."""


def oddity_of(value: object) -> str:
    """Say of a misfit what became of it."""
    return f"had a value ({type(value).__name__}) that its type can't hold; it became null"


class Memo(dict[Any, Any]):
    """Results of a conversion by the strings that they were made of: most recur."""

    def __init__(self, convert: Conversion) -> None:
        """Start empty."""
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:  # noqa: ANN401
        """Convert what was not met before."""
        result = self._convert(value)
        # Not of 1, which would also answer for true.
        if type(value) is str:
            if len(self) >= MOST_KEPT:
                self.clear()
            self[value] = result
        return result


def _day(text: str) -> str:
    """Convert ``Fri, 24 May 2019`` or ``2019-05-24T`` to the latter."""
    if text[3:5] == ", ":
        return datetime.strptime(text[5:], "%d %b %Y").strftime("%Y-%m-%dT")  # noqa: DTZ007
    return datetime.strptime(text, "%Y-%m-%dT").strftime("%Y-%m-%dT")  # noqa: DTZ007


def _minute(text: str) -> str:
    """Convert `` 17:44`` or ``17:44`` to the latter."""
    return datetime.strptime(text.removeprefix(" "), "%H:%M").strftime("%H:%M")  # noqa: DTZ007


def _second(text: str) -> str:
    """Convert ``:46 +0000`` or ``:46Z`` to the latter."""
    bare = text.removesuffix(" +0000").removesuffix("Z")
    if bare == text:
        raise Misfit
    return datetime.strptime(bare, ":%S").strftime(":%SZ")  # noqa: DTZ007


RFC_LENGTH, ISO_LENGTH = len("Fri, 24 May 2019 17:44:46 +0000"), len("2019-05-24T17:44:46Z")
RFC_HEAD, ISO_HEAD = len("Fri, 24 May 2019 17:44"), len("2019-05-24T17:44")
_DAY_LENGTH = {RFC_HEAD: len("Fri, 24 May 2019"), ISO_HEAD: len("2019-05-24T")}
_days, _minutes = Memo(_day), Memo(_minute)


def _head(text: str) -> str:
    """Convert ``Fri, 24 May 2019 17:44`` or ``2019-05-24T17:44`` to the latter."""
    day = _DAY_LENGTH[len(text)]
    return cast("str", _days[text[:day]] + _minutes[text[day:]])


heads, seconds = Memo(_head), Memo(_second)


def to_datetime(value: Any) -> str | None:  # noqa: ANN401
    """Convert a timestamp of RFC 2822 (the 2010 API) or ISO 8601 (the product APIs).

    Gives ISO 8601 in UTC, ``…Z``; fractions of a second are kept.
    """
    if value == "":
        return None
    try:
        # Parts recur: looking them up costs a tenth of parsing the whole.
        if len(value) == RFC_LENGTH and value[25:] == " +0000":
            return cast("str", heads[value[:RFC_HEAD]] + seconds[value[RFC_HEAD:]])
        if len(value) == ISO_LENGTH and value[19] == "Z":
            return cast("str", heads[value[:ISO_HEAD]] + seconds[value[ISO_HEAD:]])
        return _slow_datetime(value)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
        raise Misfit from error


def _slow_datetime(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = parsedate_to_datetime(value)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat().replace("+00:00", "Z")


def moments(values: Iterable[Any]) -> Iterator[str]:
    """Convert a column's timestamps, and skip values that are none."""
    for value in values:
        try:
            moment = to_datetime(value)
        except Misfit:
            continue
        if moment is not None:
            yield moment


def to_date(value: Any) -> str | None:  # noqa: ANN401
    """Convert ``YYYY-MM-DD``, or a timestamp of either form to its date in UTC."""
    if value == "":
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        moment = to_datetime(value)
        return moment and moment[:10]


def to_integer(value: Any) -> int | None:  # noqa: ANN401
    """Convert a count: an integral JSON number, or a string of one."""
    if type(value) is int:
        return value
    if isinstance(value, str) and len(value) <= DIGITS and _INTEGRAL.fullmatch(value):
        return int(value)
    number = to_number(value)
    if number is None:
        return None
    whole = int(number)
    if number != whole:
        raise Misfit
    return whole


def to_number(value: Any) -> Decimal | int | None:  # noqa: ANN401
    """Convert an amount with all decimals: a finite number, or a string of one (``"-0.00750"``)."""
    if type(value) is int:
        return value
    if value == "":
        return None
    if not isinstance(value, (str, Decimal)):
        raise Misfit
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise Misfit from error
    if not number.is_finite() or abs(number.adjusted()) > DIGITS:
        raise Misfit
    return number


def to_boolean(value: Any) -> bool | None:  # noqa: ANN401
    """Convert a truth value: a JSON boolean, 1 or 0, or a string of one of these."""
    if isinstance(value, bool):
        return value
    try:
        return _TRUTH[value.lower() if isinstance(value, str) else value]
    except (KeyError, TypeError) as error:
        raise Misfit from error


_TRUTH: dict[Any, bool | None] = {
    "true": True,
    "false": False,
    "1": True,
    "0": False,
    1: True,
    0: False,
    "": None,
}


def to_object(value: Any) -> dict[str, Any] | None:  # noqa: ANN401
    """Pass an object; read a string that is JSON of one."""
    return value if isinstance(value, dict) else _parsed(value, _objects)


def to_array(value: Any) -> list[Any] | None:  # noqa: ANN401
    """Pass an array; read a string that is JSON of one."""
    return value if isinstance(value, list) else _parsed(value, _arrays)


_objects = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_arrays = msgspec.json.Decoder(list[Any], float_hook=Decimal)
_texts = msgspec.json.Encoder(decimal_format="number")


def _parsed(value: Any, decoder: msgspec.json.Decoder[T]) -> T | None:  # noqa: ANN401
    if value == "":
        return None
    if not isinstance(value, str):
        raise Misfit
    try:
        found = decoder.decode(value)
    except WRONG as error:
        raise Misfit from error
    # What was text has not been searched yet.
    take_out([found])
    return found


def to_text(value: Any) -> str:  # noqa: ANN401
    """Pass a string, an empty one too; of anything else give its JSON text, with all decimals."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return str(value)
    return _texts.encode(value).decode()
