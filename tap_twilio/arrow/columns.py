"""A stream's schema as Arrow has it, and its records as Arrow batches."""

from __future__ import annotations

import logging
import operator
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from singer_sdk.contrib.msgspec import encoder

from tap_twilio.records.unknown import ADDITIONAL
from tap_twilio.resource.schemas import types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_twilio.records.values import Record

logger = logging.getLogger("tap-twilio")

SCALE = 18
"""Decimals of a number, of 38 digits in all: more than any of Twilio's amounts has."""

_MISFIT = (ArithmeticError, TypeError, ValueError)
"""Errors of conversions; Arrow's own are among these."""


def _texts(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    """Have Arrow read the strings, which takes a tenth of Python's time."""
    return pa.array(values, pa.string()).cast(kind)


def _documents(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    encode = encoder.encode
    return pa.array([None if value is None else encode(value) for value in values], kind)


def _integers(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    # Arrow itself would cut decimals off.
    index = operator.index
    return pa.array([None if value is None else index(value) for value in values], kind)


def _to_text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else encoder.encode(value).decode()


_Kind = tuple[pa.DataType, "Callable[[Sequence[Any], pa.DataType], pa.Array]", Any]
"""A column's type, how to convert a page's values at once, and how a single one is converted where
that failed."""

_TEXT: _Kind = (pa.string(), pa.array, _to_text)
_DOCUMENT: _Kind = (pa.string(), _documents, _to_text)
_BY_TYPE: dict[str, _Kind] = {
    "string": (pa.string(), pa.array, None),
    "integer": (pa.int64(), _integers, operator.index),
    "number": (pa.decimal128(38, SCALE), pa.array, Decimal),
    "boolean": (pa.bool_(), pa.array, None),
    "object": _DOCUMENT,
    "array": _DOCUMENT,
}
_BY_FORMAT: dict[str, _Kind] = {
    "date-time": (pa.timestamp("us", tz="UTC"), _texts, datetime.fromisoformat),
    "date": (pa.date32(), _texts, date.fromisoformat),
}


def _kind(schema: Mapping[str, Any]) -> _Kind:
    kinds = types(schema)
    if len(kinds) != 1:
        return _TEXT
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE[kinds[0]])


class Columns:
    """The columns of a stream."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Translate a stream's JSON schema."""
        self._kinds: dict[str, _Kind] = {}
        self.add(schema["properties"])

    def add(self, properties: Mapping[str, Any]) -> None:
        """Have columns for more fields, by their JSON schemas."""
        self._kinds |= {name: _kind(field) for name, field in properties.items()}
        self._known = frozenset(self._kinds)

    @property
    def schema(self) -> pa.Schema:
        """Their names and types, and a column for what fits none of them.

        A date-time is a timestamp (an instant), a number a ``decimal128(38, 18)``, an object or
        array a string of JSON.
        """
        fields = [pa.field(name, kind[0]) for name, kind in self._kinds.items()]
        return pa.schema([*fields, pa.field(ADDITIONAL, pa.string())])

    @property
    def documents(self) -> list[str]:
        """The columns whose values are all JSON."""
        return [name for name, kind in self._kinds.items() if kind is _DOCUMENT]

    def batch(
        self, records: Sequence[Record], names: Sequence[str] | None = None
    ) -> pa.RecordBatch:
        """Make an Arrow batch of typed records, with these columns in this order; by default all.

        A value that doesn't fit its column is among the additional fields instead, as it came.
        """
        rest: dict[int, Record] = defaultdict(dict)
        for number, record in enumerate(records):
            if not self._known.issuperset(record):
                unknown = record.keys() - self._known
                rest[number] = {name: record[name] for name in record if name in unknown}
        wanted = [*self._kinds, ADDITIONAL] if names is None else names
        arrays = {name: self._array(records, name, rest) for name in wanted if name in self._kinds}
        if ADDITIONAL in wanted:
            texts = [_to_text(rest[at]) if at in rest else None for at in range(len(records))]
            arrays[ADDITIONAL] = pa.array(texts, pa.string())
        return pa.RecordBatch.from_pydict({name: arrays[name] for name in wanted})

    def _array(self, records: Sequence[Record], name: str, rest: dict[int, Record]) -> pa.Array:
        values = [record.get(name) for record in records]
        kind, convert, _ = self._kinds[name]
        try:
            return convert(values, kind)
        except _MISFIT:
            return self._one_by_one(values, name, rest)

    def _one_by_one(self, values: list[Any], name: str, rest: dict[int, Record]) -> pa.Array:
        kind, _, convert = self._kinds[name]
        fitting = []
        for number, value in enumerate(values):
            try:
                own = value if value is None or convert is None else convert(value)
                fitting.append(pa.scalar(own, kind))
            except _MISFIT:
                rest[number][name] = value
                fitting.append(pa.scalar(None, kind))
        if any(name in lost for lost in rest.values()):
            logger.warning("%s: values that are not %s go into %s", name, kind, ADDITIONAL)
        return pa.array(fitting, kind)
