"""The catalogs: of all there is to read, and of what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tap_twilio.config.checks import did_you_mean
from tap_twilio.http.errors import TapError
from tap_twilio.records.unknown import ADDITIONAL, schema_of
from tap_twilio.resource.resource import UPDATED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Stream

    from tap_twilio.airbyte.tap import SourceTap
    from tap_twilio.resource.resource import Node

TIMESTAMP = "timestamp_with_timezone"
INCREMENTAL = "incremental"
FULL_REFRESH = "full_refresh"


@dataclass(frozen=True)
class Wanted:
    """A stream to be read: on from its state (``incremental``), or anew (``full_refresh``)."""

    name: str
    sync_mode: str


def goes_on(node: Node) -> bool:
    """Tell whether a stream has a bookmark: for a date of its own, or for its parent's."""
    own = node.skips_unchanged or node.reads_files
    return own or any(each.is_incremental for each in node.lineage)


def discovered(tap: SourceTap) -> dict[str, Any]:
    """Give the protocol's AirbyteCatalog of what there is to read."""
    tap.select(tap.streams)
    nodes = {node.name: node for node in tap.nodes()}
    return {"streams": [_described(stream, nodes[name]) for name, stream in tap.streams.items()]}


def _described(stream: Stream, node: Node) -> dict[str, Any]:
    goes_on_ = goes_on(node)
    # Destinations drop what isn't declared before a sync begins.
    unknown = {ADDITIONAL: schema_of("object")}
    schema = stream.schema | {"properties": stream.schema["properties"] | unknown}
    described = {
        "name": stream.name,
        "json_schema": _typed(schema),
        "supported_sync_modes": [FULL_REFRESH, INCREMENTAL] if goes_on_ else [FULL_REFRESH],
        "source_defined_cursor": goes_on_,
        "source_defined_primary_key": [[key] for key in stream.primary_keys],
        "is_resumable": goes_on_,
    }
    if goes_on_:
        described["default_cursor_field"] = [_cursor(stream, node)]
    return described


def _cursor(stream: Stream, node: Node) -> str:
    """Name the field by which a destination can tell the newest version of a row.

    A child goes on by its parent's date, which its own rows may lack. Of two of its rows that are
    alike in the field, destinations take the later one: so any will do that never decreases.
    """
    if node.is_incremental or node.skips_unchanged or node.reads_files:
        return node.bookmark_key
    fields = stream.schema["properties"]
    dates = [name for name, field in fields.items() if field.get("format") == "date-time"]
    return UPDATED if UPDATED in dates else [*dates, *stream.primary_keys][0]


def _typed(schema: Any) -> Any:  # noqa: ANN401
    if isinstance(schema, list):
        return [_typed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    typed = {key: _typed(value) for key, value in schema.items()}
    if typed.get("format") == "date-time":
        typed["airbyte_type"] = TIMESTAMP
    return typed


def wanted(tap: SourceTap, catalog: Mapping[str, Any]) -> list[Wanted]:
    """Read the protocol's ConfiguredAirbyteCatalog.

    Raises:
        TapError: The catalog makes no sense.
    """
    streams = catalog.get("streams")
    if not isinstance(streams, list) or not streams:
        msg = "--catalog: it has no list 'streams' of what to read"
        raise TapError(msg)
    found = []
    for configured in streams:
        stream = configured.get("stream") if isinstance(configured, dict) else None
        if not isinstance(stream, dict):
            msg = "--catalog: each of its streams must have a 'stream' and a 'sync_mode'"
            raise TapError(msg)
        name, mode = str(stream.get("name")), configured.get("sync_mode")
        if name not in tap.streams:
            hint = did_you_mean(name, list(tap.streams))
            msg = f"--catalog: there is no stream {name!r}; {hint}"
            raise TapError(msg)
        if mode not in {FULL_REFRESH, INCREMENTAL}:
            msg = f"--catalog: {name}: sync_mode must be full_refresh or incremental, not {mode!r}"
            raise TapError(msg)
        found.append(Wanted(name, cast("str", mode)))
    return found
