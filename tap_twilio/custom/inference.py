"""The fields of records that no schema describes, told from some of them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from genson import SchemaBuilder
from genson.schema.strategies import Number, String
from typing_extensions import override

from tap_twilio.records.values import Misfit, to_datetime
from tap_twilio.resource.schemas import types

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_twilio.records.values import Record

MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)"
    r"|[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"
)
"""A timestamp as the product APIs or as the 2010 API write it."""


class _Moment(String):  # type: ignore[misc]
    """A string that is a timestamp."""

    @classmethod
    @override
    def match_object(cls, obj: Any) -> bool:
        if not isinstance(obj, str) or not MOMENT.fullmatch(obj):
            return False
        try:
            to_datetime(obj)
        except Misfit:
            return False
        return True

    @override
    def to_schema(self) -> dict[str, Any]:
        return {**super().to_schema(), "format": "date-time"}


class _Amount(Number):  # type: ignore[misc]
    """Any number: the next page may have decimals where this one has none."""

    PYTHON_TYPES = (int, Decimal)

    @override
    def to_schema(self) -> dict[str, Any]:
        return {**super().to_schema(), "type": "number"}


class _Rows(SchemaBuilder):  # type: ignore[misc]
    EXTRA_STRATEGIES = (_Moment, _Amount)


def infer(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Make a JSON schema for each field of records as Twilio sent them.

    Types are as lenient as targets accept them: everything may be null, a field that differs from
    record to record is a string, and the content of objects and arrays isn't told.
    """
    builder = _Rows()
    for record in records:
        builder.add_object({name: _outside(value) for name, value in record.items()})
    found = builder.to_schema().get("properties", {})
    return {name: _lenient(schema) for name, schema in found.items()}


def _outside(value: Any) -> Any:  # noqa: ANN401
    return type(value)() if isinstance(value, (dict, list)) else value


def _lenient(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = {
        (kind, variant.get("format"))
        for variant in schema.get("anyOf", [schema])
        for kind in types(variant)
    }
    kind, form = kinds.pop() if len(kinds) == 1 else ("string", None)
    lenient: dict[str, Any] = {"type": [kind, "null"]}
    return lenient if form is None else {**lenient, "format": form}
