"""A schema compiled into converters, which type what Twilio sends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import Any, TypeVar, cast

import msgspec

from tap_twilio.http.mending import WRONG
from tap_twilio.records.secrets import CONTAINERS, NAMES, take_out

Record = dict[str, Any]
Report = Callable[[str, str], None]
"""Told of a field and of what is odd about it."""
Conversion = Callable[[Any], Any]
"""Makes of a value what its type holds, or raises a misfit; all but text make null of ``""``."""
Loss = Callable[[str, Any], None]
"""Told of the place of a value that its type can't hold, and of the value."""
Column = Callable[[list[Record], str], None]
"""Converts a field of all records of a page."""

MOST_KEPT = 10_000
"""Results of a conversion to keep before all are forgotten."""

MOST_UNKNOWN = 100
"""Unknown fields of a stream to note at most: beyond so many, their names are data."""

DIGITS = 400
"""Digits that a number may have before or behind its point: more than any target can hold."""

T = TypeVar("T")

_INTEGRAL = re.compile(r"[+-]?\d+")


class Misfit(Exception):  # noqa: N818
    """A value that its field's type can't hold."""


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


_heads, _seconds = Memo(_head), Memo(_second)


def to_datetime(value: Any) -> str | None:  # noqa: ANN401
    """Convert a timestamp of RFC 2822 (the 2010 API) or ISO 8601 (the product APIs).

    Gives ISO 8601 in UTC, ``…Z``; fractions of a second are kept.
    """
    if value == "":
        return None
    try:
        # Parts recur: looking them up costs a tenth of parsing the whole.
        if len(value) == RFC_LENGTH and value[25:] == " +0000":
            return cast("str", _heads[value[:RFC_HEAD]] + _seconds[value[RFC_HEAD:]])
        if len(value) == ISO_LENGTH and value[19] == "Z":
            return cast("str", _heads[value[:ISO_HEAD]] + _seconds[value[ISO_HEAD:]])
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
            moment = None if value is None else to_datetime(value)
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
    if value is True or value is False:
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
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return str(value)
    return _texts.encode(value).decode()


_BY_TYPE: dict[str, Conversion] = {
    "integer": to_integer,
    "number": to_number,
    "boolean": to_boolean,
    "object": to_object,
    "array": to_array,
    "string": to_text,
}
"""Conversions by type. Of several types, the first that holds a value of another one is taken."""
_BY_FORMAT = {"date-time": to_datetime, "date": to_date}
_PLAIN: dict[Conversion, type] = {
    to_text: str,
    to_boolean: bool,
    to_object: dict,
    to_array: list,
}
"""Conversions that leave values of one Python type as they are."""
_RECURRING = frozenset({to_integer, to_number, to_datetime, to_date})
"""Conversions whose results are worth keeping."""
_ANYTHING = frozenset({"object", "array", "string", "number", "boolean"})
_KINDS: dict[type, tuple[str, ...]] = {
    dict: ("object",),
    list: ("array",),
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    Decimal: ("number", "integer"),
}


def _types(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def converter(
    schema: object, place: str = "", lose: Loss = lambda _place, _value: None
) -> Conversion | None:
    """Choose the conversion of a field's values that aren't null; none where anything goes."""
    if not isinstance(schema, Mapping):
        return None
    kinds = [kind for kind in _BY_TYPE if kind in _types(schema)] or list(_BY_TYPE)
    found = {kind: _of_type(kind, schema, place, lose) for kind in kinds}
    if found.keys() >= _ANYTHING and found.items() <= _BY_TYPE.items():
        return None
    return found[kinds[0]] if len(kinds) == 1 else _any_of(found)


def _of_type(kind: str, schema: Mapping[str, Any], place: str, lose: Loss) -> Conversion:
    if kind == "object":
        return _object(schema, place, lose)
    if kind == "array":
        return _array(schema, place, lose)
    form = schema.get("format", "") if kind == "string" else ""
    return _BY_FORMAT.get(form, _BY_TYPE[kind])


def _any_of(conversions: Mapping[str, Conversion]) -> Conversion:
    def convert(value: Any) -> Any:  # noqa: ANN401
        own = [kind for kind in _KINDS[type(value)] if kind in conversions]
        for kind in (*own, *conversions):
            try:
                return conversions[kind](value)
            except Misfit:
                continue
        raise Misfit

    return convert


def _object(schema: Mapping[str, Any], place: str, lose: Loss) -> Conversion:
    properties = schema.get("properties", {})
    known = {
        name: (change, f"{place}.{name}")
        for name, one in properties.items()
        if (change := converter(one, f"{place}.{name}", lose)) is not None
    }
    elsewhere = f"{place}.*"
    others = converter(schema.get("additionalProperties"), elsewhere, lose)
    if not known and others is None:
        return to_object

    def convert(value: Any) -> Any:  # noqa: ANN401
        found = to_object(value) or {}
        for name, (change, where) in known.items():
            if (one := found.get(name)) is not None:
                found[name] = _within(change, one, where, lose)
        if others is not None:
            for name in found.keys() - properties.keys():
                if (one := found[name]) is not None:
                    found[name] = _within(others, one, elsewhere, lose)
        return None if value == "" else found

    return convert


def _array(schema: Mapping[str, Any], place: str, lose: Loss) -> Conversion:
    where = f"{place}[]"
    change = converter(schema.get("items"), where, lose)
    if change is None:
        return to_array
    plain = {_PLAIN[change], type(None)} if change in _PLAIN else set()

    def convert(value: Any) -> Any:  # noqa: ANN401
        found = to_array(value)
        if found is not None and not plain.issuperset(map(type, found)):
            found[:] = [None if one is None else _within(change, one, where, lose) for one in found]
        return found

    return convert


def _within(change: Conversion, value: Any, place: str, lose: Loss) -> Any:  # noqa: ANN401
    try:
        return change(value)
    except Misfit:
        lose(place, value)
        return None


def _is_flat(schema: Mapping[str, Any]) -> bool:
    """Tell whether a field holds neither objects nor arrays."""
    kinds = _types(schema)
    return bool(kinds) and {"object", "array"}.isdisjoint(kinds)


def column(convert: Conversion) -> Column:
    """Make a column's conversion, which raises one of :data:`ODDITIES` at the first odd value."""
    if convert is to_datetime:
        return _datetimes
    if convert not in _RECURRING:
        return _values(convert)
    results = Memo(convert)

    def recurring(records: list[Record], name: str) -> None:
        for record in records:
            if (value := record[name]) is not None:
                record[name] = results[value]

    return recurring


def _datetimes(records: list[Record], name: str) -> None:
    # As to_datetime, but without a call for each value.
    heads, seconds, length, head = _heads, _seconds, RFC_LENGTH, RFC_HEAD
    for record in records:
        if (value := record[name]) is not None:
            if len(value) == length:
                record[name] = heads[value[:head]] + seconds[value[head:]]
            else:
                record[name] = to_datetime(value)


def _values(convert: Conversion) -> Column:
    def values(records: list[Record], name: str) -> None:
        for record in records:
            if (value := record[name]) is not None:
                record[name] = convert(value)

    return values


def _fits(records: list[Record], name: str, kinds: frozenset[type]) -> bool:
    try:
        return kinds.issuperset(map(type, map(itemgetter(name), records)))
    except KeyError:
        return False


ODDITIES = (KeyError, TypeError, ValueError, Misfit)
"""Errors of a column's conversion at a value that is out of the ordinary."""

CREDENTIAL = "has the name of a credential"

BLOCK = 128
"""Records that are typed at a time: those of a whole page don't fit in a processor's cache."""


class Converter:
    """Types the records of one stream, in place and page by page.

    Fields that need no conversion are looked at by column: as long as every value of a page is
    of the right Python type, none of them costs more than that look.

    Attributes:
        unknown: Fields that records had and the schema lacks, up to :data:`MOST_UNKNOWN`.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        *,
        secrets: Iterable[str] = (),
        report: Report = lambda _field, _oddity: None,
        unknown: str = "is not in the schema; it is passed on",
    ) -> None:
        """Compile a schema.

        Args:
            schema: The stream's JSON schema.
            secrets: Fields that never leave the tap, besides those with names of credentials.
            report: Called with each field of ``unknown``, the first one beyond these, and each
                value that was lost, by its place: ``prices[].base_price``.
            unknown: What to report of an unknown field.
        """
        properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
        self._known = frozenset(properties)
        self._secrets = frozenset(secrets)
        self._flat = frozenset(name for name, field in properties.items() if _is_flat(field))
        self._report = report
        self._unknown = unknown
        self.unknown: list[str] = []
        self._lost: set[str] = set()
        self._has_more = False
        self._shapes: set[tuple[str, ...]] = set()
        found = {name: converter(field, name, self._lose) for name, field in properties.items()}
        conversions = {name: convert for name, convert in found.items() if convert is not None}
        self._kinds = {
            name: frozenset({_PLAIN[convert], type(None)})
            for name, convert in conversions.items()
            if convert in _PLAIN
        }
        self._columns = {
            name: column(convert)
            for name, convert in conversions.items()
            if name not in self._kinds
        }
        self._conversions = conversions

    def convert(self, records: list[Record], added: Mapping[str, Any] | None = None) -> None:
        """Type a page of rows as Twilio sent them, in place.

        Args:
            added: Fields to add to each row that lacks them: its parents' SIDs.
        """
        for start in range(0, len(records), BLOCK):
            self._convert(records[start : start + BLOCK], added or {})

    def _convert(self, records: list[Record], added: Mapping[str, Any]) -> None:
        shapes = set(map(tuple, records))
        self._note_shapes(shapes)
        self._hide(records, set().union(*shapes))
        self._complete(records, added)
        for name, change in self._columns.items():
            try:
                change(records, name)
            except ODDITIES:
                self._apply(records, name)
        for name, kinds in self._kinds.items():
            if not _fits(records, name, kinds):
                self._apply(records, name)

    def _hide(self, records: list[Record], names: set[str]) -> None:
        for name in filter(self.hides, names):
            for record in records:
                record.pop(name, None)
            if name not in self._secrets:
                self._report(name, f"{CREDENTIAL}; it never leaves the tap")
        self._search(records, [name for name in names if name not in self._flat])

    def hides(self, name: str) -> bool:
        """Tell whether a field holds a credential, and so never leaves the tap."""
        return name in self._secrets or name in NAMES

    def _search(self, records: list[Record], names: Iterable[str]) -> None:
        """Take credentials out of the objects and arrays in records."""
        for name in names:
            values = [one for record in records if type(one := record.get(name)) in CONTAINERS]
            for found in take_out(values) if values else ():
                self._report(name, f"held {found!r}, which {CREDENTIAL}; it never leaves the tap")

    def _complete(self, records: list[Record], added: Mapping[str, Any]) -> None:
        for name, value in added.items():
            for record in records:
                if record.get(name) is None:
                    record[name] = value

    def _note_shapes(self, shapes: set[tuple[str, ...]]) -> None:
        new = shapes - self._shapes
        if len(self._shapes) >= MOST_KEPT:
            self._shapes.clear()
        for shape in new:
            self._shapes.add(shape)
            for name in shape:
                if name not in self._known and name not in self.unknown and not self.hides(name):
                    self._note_unknown(name)

    def _note_unknown(self, name: str) -> None:
        if len(self.unknown) < MOST_UNKNOWN:
            self.unknown.append(name)
            self._report(name, self._unknown)
        elif not self._has_more:
            self._has_more = True
            self._report(
                name,
                f"is one of more than {MOST_UNKNOWN} that are not in the schema; from here on, "
                "such fields are neither told of nor announced to the target",
            )

    def _apply(self, records: list[Record], name: str) -> None:
        convert = self._conversions[name]
        for record in records:
            value = record.get(name)
            if value is not None:
                if type(value) in CONTAINERS:
                    self._search([record], [name])
                record[name] = _within(convert, value, name, self._lose)

    def _lose(self, place: str, value: Any) -> None:  # noqa: ANN401
        if place not in self._lost:
            self._lost.add(place)
            kind = type(value).__name__
            self._report(place, f"had a value ({kind}) that its type can't hold; it became null")
