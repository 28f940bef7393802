"""A stream as a table: its columns, and the values that Twilio can look for in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tap_twilio.resource import schemas
from tap_twilio.spark.columns import SparkColumns
from tap_twilio.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from tap_twilio.resource.windows import Unit
    from tap_twilio.streams.base import TwilioStream

FILTERS = ("to", "from", "status")
"""Columns that Twilio's own filters of these names compare."""


@dataclass(frozen=True)
class Dates:
    """The dates that rows are cut by.

    Attributes:
        key: Column that holds them; none where they are those of the parent's rows.
        precision: Finest boundary.
        lookback: How far back rows may change.
    """

    key: str | None
    precision: Unit
    lookback: timedelta


@dataclass(frozen=True)
class Table:
    """A stream's table, as it is known before it is read.

    Attributes:
        dates: The dates that it can be cut by; none if it can't.
        filters: Columns whose values Twilio can look for, each with the values that it knows; none
            where it takes any.
    """

    columns: SparkColumns
    dates: Dates | None
    filters: Mapping[str, frozenset[str] | None]

    @classmethod
    def of(cls, stream: TwilioStream) -> Table:
        """Describe a stream."""
        return cls(SparkColumns(stream.schema), _dates(stream), dict(_filters(stream)))


def _dates(stream: TwilioStream) -> Dates | None:
    """Find the dates of a stream, or else those of the one stream above it that has some.

    Where two levels have dates of their own, a row may be in another stretch than its parent, and
    no cut would do.
    """
    dated = []
    level: Any = type(stream)
    while level is not None:
        if level.window is not None:
            dated.append(level)
        level = level.parent_stream_type
    if len(dated) != 1:
        return None
    (only,) = dated
    key = cast("str", only.replication_key) if only is type(stream) else None
    return Dates(key, only.window.precision, only.lookback)


def _filters(stream: TwilioStream) -> Iterator[tuple[str, frozenset[str] | None]]:
    # Twilio knows nothing of hashes, and nobody knows what a declared stream's parameters do.
    if stream.masker is not None or type(stream) not in STREAMS:
        return
    facts = schemas.DIRECTORY.fetch_schema(f"{stream.product}/{stream.name}")["x-twilio"]
    for name in FILTERS:
        column = stream.schema["properties"].get(name, {})
        if name in stream.endpoint.parameters and "string" in column.get("type", ()):
            known = facts["parameters"][stream.endpoint.parameters[name]].get("enum")
            yield name, None if known is None else frozenset(known)
