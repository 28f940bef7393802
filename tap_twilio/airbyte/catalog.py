"""What there is to read, and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tap_twilio.bookmarks import UPDATED
from tap_twilio.config.settings import did_you_mean
from tap_twilio.http.errors import TapError
from tap_twilio.records.unknown import ADDITIONAL, schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_twilio.airbyte.tap import SourceTap
    from tap_twilio.stream import TwilioStream

TIMESTAMP = "timestamp_with_timezone"
INCREMENTAL = "incremental"
FULL_REFRESH = "full_refresh"


@dataclass(frozen=True)
class Wanted:
    """A stream that is to be read.

    Attributes:
        name: Its name.
        sync_mode: Whether to go on from its state, or to read it anew.
    """

    name: str
    sync_mode: str


def goes_on(stream: TwilioStream) -> bool:
    """Tell whether a stream can go on where it was, rather than be read whole.

    Args:
        stream: The stream, selected.

    Returns:
        Whether it has a bookmark: for a date of its own, or for that of a parent whose rows it
        is read for.
    """
    return stream.skips_unchanged or any(one.is_incremental for one in (stream, *stream.ancestors))


def discovered(tap: SourceTap) -> dict[str, Any]:
    """Tell what there is to read.

    Args:
        tap: The tap.

    Returns:
        The protocol's AirbyteCatalog.
    """
    tap.select(tap.streams)
    return {"streams": [_described(tap.stream(name)) for name in tap.streams]}


def _described(stream: TwilioStream) -> dict[str, Any]:
    goes_on_ = goes_on(stream)
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
    # The cursor of a child may be its parent's, which its own rows don't have.
    if stream.is_incremental:
        described["default_cursor_field"] = [stream.replication_key]
    elif stream.skips_unchanged:
        described["default_cursor_field"] = [UPDATED]
    return described


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
    """Understand what is asked for.

    Args:
        tap: The tap.
        catalog: The protocol's ConfiguredAirbyteCatalog.

    Returns:
        The streams.

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
