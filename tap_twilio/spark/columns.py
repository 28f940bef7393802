"""A stream's schema as Spark has it, and its records as Arrow has them."""

from __future__ import annotations

import logging
import operator
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)
from singer_sdk.contrib.msgspec import encoder

from tap_twilio.records.unknown import ADDITIONAL
from tap_twilio.resource.schemas import types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_twilio.records.values import Record

logger = logging.getLogger("tap-twilio")

SCALE = 18
"""Decimals of a number, of 38 digits in all: more than any of Twilio's amounts has."""

_MISFIT = (ArithmeticError, TypeError, ValueError)
"""Errors of conversions; Arrow's own are among these."""


def _to_json(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else encoder.encode(value).decode()


_Kind = tuple[DataType, pa.DataType, "Callable[[Any], Any] | None"]

_JSON: _Kind = (StringType(), pa.string(), _to_json)
_BY_TYPE: dict[str, _Kind] = {
    "string": (StringType(), pa.string(), None),
    "integer": (LongType(), pa.int64(), operator.index),
    "number": (DecimalType(38, SCALE), pa.decimal128(38, SCALE), Decimal),
    "boolean": (BooleanType(), pa.bool_(), None),
    "object": _JSON,
    "array": _JSON,
}
_BY_FORMAT: dict[str, _Kind] = {
    "date-time": (TimestampType(), pa.timestamp("us", tz="UTC"), datetime.fromisoformat),
    "date": (DateType(), pa.date32(), date.fromisoformat),
}


def _kind(schema: Mapping[str, Any]) -> _Kind:
    kinds = types(schema)
    if len(kinds) != 1:
        return _JSON
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE[kinds[0]])


class Columns:
    """The columns of a stream.

    Attributes:
        struct: Their Spark types. A date-time is a timestamp (an instant), a number a
            ``decimal(38,18)``, an object or array a string of JSON.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Translate a stream's JSON schema."""
        self._kinds = {name: _kind(field) for name, field in schema["properties"].items()}
        self._known = frozenset(self._kinds)
        fields = {**self._kinds, ADDITIONAL: _JSON}
        self.struct = StructType([StructField(name, kind[0]) for name, kind in fields.items()])

    def chosen(self, struct: StructType) -> list[str]:
        """Check the columns that a reader was asked for, and give their names.

        Raises:
            ValueError: The stream has no such column, or it is of another type.
        """
        own = {field.name: field.dataType for field in self.struct}
        for field in struct:
            if field.name not in own:
                msg = f"there is no column {field.name!r}; there are: {', '.join(own)}"
                raise ValueError(msg)
            if field.dataType != own[field.name]:
                msg = (
                    f"the column {field.name} is a {own[field.name].simpleString()}, "
                    f"no {field.dataType.simpleString()}: cast it after it is read"
                )
                raise ValueError(msg)
        return [field.name for field in struct]

    def batch(self, records: list[Record], names: Iterable[str]) -> pa.RecordBatch:
        """Make an Arrow batch of typed records, with these columns in this order.

        A value that doesn't fit its column is among the additional fields instead, as it came.
        """
        rest: dict[int, Record] = defaultdict(dict)
        for number, record in enumerate(records):
            if not self._known.issuperset(record):
                unknown = record.keys() - self._known
                rest[number] = {name: record[name] for name in record if name in unknown}
        arrays = {name: self._array(records, name, rest) for name in names if name in self._kinds}
        fields = []
        for name in names:
            if name == ADDITIONAL:
                texts = [
                    _to_json(rest[number]) if number in rest else None
                    for number in range(len(records))
                ]
                arrays[name] = pa.array(texts, pa.string())
            fields.append(pa.field(name, arrays[name].type))
        return pa.RecordBatch.from_arrays(
            [arrays[name] for name in names], schema=pa.schema(fields)
        )

    def _array(self, records: list[Record], name: str, rest: dict[int, Record]) -> pa.Array:
        values = [record.get(name) for record in records]
        try:
            return self._converted(name, values)
        except _MISFIT:
            pass
        for number, value in enumerate(values):
            try:
                self._converted(name, [value])
            except _MISFIT:
                rest[number][name] = value
                values[number] = None
        logger.warning(
            "%s: values that are not %s go into %s", name, self._kinds[name][1], ADDITIONAL
        )
        return self._converted(name, values)

    def _converted(self, name: str, values: list[Any]) -> pa.Array:
        _, kind, convert = self._kinds[name]
        if convert is not None:
            values = [None if value is None else convert(value) for value in values]
        return pa.array(values, kind)
