"""Records as lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import encoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_twilio.output.sink import Record

CHUNK = 64 * 1024
"""Bytes to collect before they are written: small writes wake the target for each record."""


def encoded(records: Iterable[Record], head: bytes, tail: bytes) -> Iterator[bytearray]:
    """Write records as whole lines of JSON, :data:`CHUNK` bytes or a little more at a time.

    Args:
        head: Stands before each record.
        tail: Stands after it, with the end of the line.
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
