"""Singer messages out: each SCHEMA once, records a page at a time."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

from tap_twilio.output.files import Files
from tap_twilio.output.lines import encoded
from tap_twilio.records.unknown import UnknownFields, leave_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Message

    from tap_twilio.config.settings import Settings
    from tap_twilio.output.sink import Record
    from tap_twilio.resource.resource import Warner

SECONDS_BETWEEN_STATES = 5.0
"""How often the state is written, at least, while few records are."""

RECORDS_TO_STATES = 8
"""How many times the bytes of a state are written as records before the next one."""


class Writer(MsgSpecWriter):
    """Writes messages to stdout, and a SCHEMA only where it differs from the last."""

    def __init__(self) -> None:
        """Write nothing yet."""
        super().__init__()
        self._schemas: dict[str, SchemaMessage] = {}
        self._state_size = 0
        self._state_at = 0.0
        self._since_state = 0

    @property
    def owes_state(self) -> bool:
        """Whether it is time for a STATE: many more bytes of records went out, or the last is old.

        So states add little to the output, whatever the number of accounts.
        """
        waited = time.monotonic() - self._state_at
        enough = self._since_state >= RECORDS_TO_STATES * self._state_size
        return enough or waited >= SECONDS_BETWEEN_STATES

    @override
    def write_message(self, message: Message) -> None:
        if isinstance(message, SchemaMessage):
            if self._schemas.get(message.stream) == message:
                return
            self._schemas[message.stream] = message
        line = self.format_message(message)
        sys.stdout.buffer.write(line)
        if isinstance(message, RecordMessage):
            self._since_state += len(line)
            return
        sys.stdout.buffer.flush()
        if isinstance(message, StateMessage):
            self._state_size, self._state_at, self._since_state = len(line), time.monotonic(), 0

    def write_records(
        self, stream: str, records: list[Record], extracted: datetime, version: int | None
    ) -> None:
        """Write RECORD messages that need no work; the version is the stream's, if it has one."""
        head = b'{"type":"RECORD","stream":' + encoder.encode(stream) + b',"record":'
        tail = b',"time_extracted":"' + extracted.isoformat().encode() + b'"'
        if version is not None:
            tail += b',"version":' + str(version).encode()
        tail += b"}\n"
        out = sys.stdout.buffer
        for lines in encoded(records, head, tail):
            out.write(lines)
            self._since_state += len(lines)
        out.flush()


class SingerStream(Protocol):
    """A stream as the sink uses it: its selection, stream maps and messages."""

    warn_once: Warner

    @property
    def version(self) -> int | None:
        """What marks the records of a run that brings all rows."""

    @version.setter
    def version(self, version: int) -> None: ...

    @property
    def stream_maps(self) -> list[StreamMap]:
        """The SDK's maps, one at least."""

    @property
    def deselected(self) -> list[str]:
        """Fields that the catalog leaves out."""

    @property
    def is_plain(self) -> bool:
        """Whether no stream map changes records."""

    @property
    def flattens(self) -> bool:
        """Whether objects become columns."""

    def write_schema(self) -> None:
        """Write SCHEMA for each stream map."""

    def write_version(self, version: int) -> None:
        """Write ACTIVATE_VERSION for each stream map."""

    def mapped(self, records: list[Record]) -> list[RecordMessage]:
        """Make messages of records by the stream maps."""


class SingerSink:
    """Writes records as Singer messages, or into files that such messages name.

    They go through the SDK where stream maps want it.
    """

    def __init__(
        self,
        streams: Mapping[str, SingerStream],
        writer: Any,  # noqa: ANN401
        *,
        settings: Settings,
        mapping: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        """Write nothing yet.

        Args:
            writer: A :class:`Writer`, or another of the SDK's.
            mapping: Names the setting where stream maps can't be applied.
        """
        self._streams = streams
        self._writer = writer
        self._now = settings.now
        self._gives_versions = settings.emit_activate_version_messages
        self._mapping = mapping
        batches = settings.batch_config
        self._files = None if batches is None else Files(batches, writer.write_message)
        self._fields: dict[str, UnknownFields] = {}

    def begin(self, stream: str, *, is_whole: bool) -> None:
        """Write SCHEMA. Records have a version if the setting asks for it and it is safe."""
        found = self._streams[stream]
        found.write_schema()
        if self._gives_versions and is_whole:
            found.version = int(self._now.timestamp())

    def write(self, stream: str, records: list[Record], unknown: Sequence[str]) -> None:
        """Write records; before them SCHEMA anew, where fields are met that it lacks."""
        found = self._streams[stream]
        leave_out(records, found.deselected)
        writer = self._writer if self._files is None else self._files
        if found.is_plain and isinstance(writer, (Writer, Files)):
            if unknown:
                (stream_map,) = found.stream_maps
                self._announce(found, stream_map, records, unknown)
            writer.write_records(stream, records, self._now, found.version)
            return
        with self._mapping(f"they can't be applied to {stream}"):
            made = found.mapped(records)
        if unknown or found.flattens:
            for stream_map in found.stream_maps:
                self._announce_made(found, stream_map, made)
        for message in made:
            if self._files is None:
                self._writer.write_message(message)
            else:
                extracted, version = message.time_extracted, message.version
                self._files.write_records(message.stream, [message.record], extracted, version)

    def end(self, stream: str, *, is_complete: bool) -> None:
        """Have the target drop what this run didn't bring, if it brought all there is."""
        found = self._streams[stream]
        if found.version is not None and is_complete:
            self._close_files()
            found.write_version(found.version)

    def offer_state(self, state: dict[str, Any]) -> None:
        """Write STATE, if it is time to."""
        writer = self._writer if self._files is None else self._files
        if not isinstance(writer, (Writer, Files)) or writer.owes_state:
            self.write_state(state)

    def write_state(self, state: dict[str, Any]) -> None:
        """Write STATE; the last message always is one, as some targets ask."""
        self._close_files()
        self._writer.write_message(StateMessage(value=state))

    def _close_files(self) -> None:
        if self._files is not None:
            self._files.close_all()

    def _announce_made(
        self, stream: SingerStream, stream_map: StreamMap, made: list[RecordMessage]
    ) -> None:
        """Have the target know what a stream map made of fields that the schema lacks."""
        records = [message.record for message in made if message.stream == stream_map.stream_alias]
        known = stream_map.transformed_schema["properties"].keys()
        odd = [record.keys() - known for record in records if not record.keys() <= known]
        self._announce(stream, stream_map, records, sorted(set().union(*odd)))

    def _announce(
        self,
        stream: SingerStream,
        stream_map: StreamMap,
        records: list[Record],
        names: Iterable[str],
    ) -> None:
        """Write SCHEMA once more, if records are the first to tell the types of fields.

        Fields that have no value yet are left out.
        """
        schema = stream_map.transformed_schema
        fields = self._fields.get(stream_map.stream_alias)
        if fields is None:
            fields = UnknownFields(
                schema["properties"],
                lambda name, oddity: stream.warn_once(f"field {name!r} {oddity}"),
            )
            self._fields[stream_map.stream_alias] = fields
        new = fields.look(records, names)
        if new:
            # Not changed in place: the writer compares it with what it wrote before.
            properties = schema["properties"] | new
            stream_map.transformed_schema = schema | {"properties": properties}
            if self._files is not None:
                self._files.close(stream_map.stream_alias)
            stream.write_schema()
        leave_out(records, fields.waiting)
