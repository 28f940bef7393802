"""A schema compiled into converters, which type what Twilio sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from operator import itemgetter
from typing import Any

from tap_twilio.records.secrets import CONTAINERS, NAMES, take_out
from tap_twilio.records.values import (
    MOST_KEPT,
    RFC_HEAD,
    RFC_LENGTH,
    Conversion,
    Memo,
    Misfit,
    Record,
    heads,
    oddity_of,
    seconds,
    to_array,
    to_boolean,
    to_date,
    to_datetime,
    to_integer,
    to_number,
    to_object,
    to_text,
)

Report = Callable[[str, str], None]
"""Told of a field and of what is odd about it."""
Loss = Callable[[str, Any], None]
"""Told of the place of a value that its type can't hold, and of the value."""
Column = Callable[[list[Record], str], None]
"""Converts a field of all records of a page."""

MOST_UNKNOWN = 100
"""Unknown fields of a stream to note at most: beyond so many, their names are data."""

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
    head, length = RFC_HEAD, RFC_LENGTH
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
            self._report(place, oddity_of(value))
