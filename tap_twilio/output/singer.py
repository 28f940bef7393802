"""Singer messages out: each SCHEMA once, records a page at a time."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk.singerlib import Message

CHUNK = 64 * 1024
"""Bytes to collect before they are written: small writes wake the target for each record."""

SECONDS_BETWEEN_STATES = 5.0
"""How often the state is written, at least, while few records are."""

RECORDS_TO_STATES = 8
"""How many times the bytes of a state are written as records before the next one."""


def encoded(records: Iterable[dict[str, Any]], head: bytes, tail: bytes) -> Iterator[bytearray]:
    """Write records as lines of JSON.

    Args:
        records: The records.
        head: What stands before each.
        tail: What stands after it, with the end of the line.

    Yields:
        Whole lines, :data:`CHUNK` bytes or a little more at a time.
    """
    buffer = bytearray()
    for record in records:
        buffer += head
        encoder.encode_into(record, buffer, -1)
        buffer += tail
        if len(buffer) >= CHUNK:
            yield buffer
            buffer = bytearray()
    yield buffer


class Writer(MsgSpecWriter):
    """Writes messages to stdout, and nothing that the target has been told already."""

    def __init__(self) -> None:
        """Start with nothing said."""
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
        self,
        stream: str,
        records: list[dict[str, Any]],
        extracted: datetime,
        version: int | None,
    ) -> None:
        """Write RECORD messages that need no work of their own.

        Args:
            stream: Name of the stream.
            records: Its records.
            extracted: When they were read.
            version: Version of the stream, if it has one.
        """
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
