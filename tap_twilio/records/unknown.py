"""Fields that no schema has: announced with their first value, so that they become columns."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_twilio.records.convert import MOST_UNKNOWN, converter
from tap_twilio.records.values import Misfit, oddity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_twilio.records.convert import Report
    from tap_twilio.records.values import Conversion, Record

Schema = dict[str, Any]

ADDITIONAL = "additional_fields"
"""Field for all unknown ones, where the receiver of records takes none but declared fields."""

# Never an integer: the next value may have decimals, which targets round where a column has none.
_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    Decimal: "number",
    dict: "object",
    list: "array",
}
_KINDS = {
    kind: frozenset({type(None), *(one for one, name in _TYPES.items() if name == kind)})
    for kind in _TYPES.values()
}

_COLUMN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,62}")
"""Names that every database takes as a column's."""


def schema_of(kind: str) -> Schema:
    """Make the schema of a field of a known type: null is allowed and, in objects, anything."""
    members = {"additionalProperties": True} if kind == "object" else {}
    return {"type": [kind, "null"], **members}


def _kind(values: Iterable[Any]) -> str | None:
    """Tell the type that holds all values; none if all are null."""
    kinds = {_TYPES.get(type(value), "string") for value in values if value is not None}
    if not kinds:
        return None
    return kinds.pop() if len(kinds) == 1 else "string"


class UnknownFields:
    """The fields of records that a stream's schema lacks, as far as they are known by now.

    Attributes:
        waiting: Fields that have had no value yet.
    """

    def __init__(self, known: Iterable[str], report: Report) -> None:
        """Know only the fields that were announced before.

        Args:
            report: Called with each field that can be no column, and each whose value was dropped.
        """
        self.waiting: list[str] = []
        # Of those beyond a number, nothing is kept.
        self._settled = set(known)
        self._most = len(self._settled) + MOST_UNKNOWN
        self._taken = {name.casefold() for name in self._settled}
        self._report = report
        self._lost: set[str] = set()
        self._told: dict[str, tuple[frozenset[type], Conversion]] = {}

    def look(self, page: list[Record], names: Iterable[str]) -> dict[str, Schema]:
        """Type fields of a page in place; give the schemas of those that first have a value here.

        Args:
            names: Fields of the records besides those that are known by now.
        """
        for name in names:
            full = len(self._settled) + len(self.waiting) >= self._most
            if not full and name not in self._settled and name not in self.waiting:
                self.waiting.append(name)
        new = {}
        for name in list(self.waiting):
            if name.casefold() in self._taken or not _COLUMN.fullmatch(name):
                self._report(name, "has a name that no column can have: it is not announced")
            elif (kind := _kind(record.get(name) for record in page)) is None:
                continue
            else:
                new[name] = schema_of(kind)
                self._tell(name, kind)
            self._settled.add(name)
            self.waiting.remove(name)
        for name, (kinds, convert) in self._told.items():
            self._type(page, name, kinds, convert)
        return new

    def announce(self, name: str, kind: str) -> None:
        """Take note that a field was announced before, as one of this type."""
        self._settled.add(name)
        self._tell(name, kind)

    def _tell(self, name: str, kind: str) -> None:
        if (convert := converter(schema_of(kind), name, self._lose)) is not None:
            self._told[name] = _KINDS[kind], convert
        self._taken.add(name.casefold())

    def _type(
        self, page: list[Record], name: str, kinds: frozenset[type], convert: Conversion
    ) -> None:
        if kinds.issuperset(type(record.get(name)) for record in page):
            return
        for record in page:
            value = record.get(name)
            if value is not None:
                try:
                    record[name] = convert(value)
                except Misfit:
                    record[name] = None
                    self._lose(name, value)

    def _lose(self, name: str, value: object) -> None:
        if name not in self._lost:
            self._lost.add(name)
            self._report(name, oddity_of(value))


def leave_out(page: list[Record], names: Sequence[str]) -> None:
    """Leave fields out of records, in place."""
    for name in names:
        for record in page:
            record.pop(name, None)


def gathered(page: list[Record], names: Sequence[str], place: str) -> list[Record]:
    """Repeat fields in an object at ``place``; the records that have any are copied."""
    records = []
    for record in page:
        found = {name: record[name] for name in names if record.get(name) is not None}
        records.append({**record, place: found} if found else record)
    return records
