"""Reading: records and states become the protocol's messages."""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from singer_sdk.contrib.msgspec import encoder

from tap_twilio.airbyte import messages
from tap_twilio.airbyte.catalog import FULL_REFRESH, goes_on
from tap_twilio.airbyte.state import COMPLETE, NO_CURSOR, bookmarks
from tap_twilio.http.errors import (
    IncompleteError,
    LinkError,
    RefusedError,
    ResponseError,
    SignInError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from tap_twilio.records.unknown import ADDITIONAL, gathered

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_twilio.airbyte.catalog import Wanted
    from tap_twilio.airbyte.messages import Output
    from tap_twilio.airbyte.state import Blob
    from tap_twilio.airbyte.tap import SourceTap
    from tap_twilio.output.progress import Progress
    from tap_twilio.output.sink import Record
    from tap_twilio.resource.resource import Node

logger = logging.getLogger("tap-twilio")

STATE_SECONDS = 5.0
"""Seconds between the states of a stream: each makes the destination write what it holds."""


def failure_type(error: Exception, otherwise: str) -> str:
    """Give the protocol's type of failure; ``otherwise`` for an error that doesn't tell."""
    if isinstance(error, (ThrottledError, TransientError, UnreachableError)):
        return messages.TRANSIENT_ERROR
    if isinstance(error, (RefusedError, SignInError)):
        return messages.CONFIG_ERROR
    if isinstance(error, (LinkError, ResponseError)):
        return messages.SYSTEM_ERROR
    return otherwise


class AirbyteSink:
    """Writes records and states as the protocol's messages, and counts the records for these."""

    def __init__(
        self,
        output: Output,
        blobs: Mapping[str, Blob],
        schemas: Mapping[str, Collection[str]],
        progress: Progress,
    ) -> None:
        """Write nothing yet; schemas are the fields that each stream declares."""
        self._output = output
        self._progress = progress
        self._schemas = schemas
        self._bookmarks: Mapping[str, Any] = {name: bookmarks(blob) for name, blob in blobs.items()}
        self._told = {name: encoder.encode(known) for name, known in self._bookmarks.items()}
        self._counts: Counter[str] = Counter()
        self._running: set[str] = set()
        self._wrote_states = time.monotonic()

    def begin(self, stream: str, *, is_whole: bool) -> None:
        """Write nothing: destinations know what was discovered."""

    def write(self, stream: str, records: list[Record], unknown: Sequence[str]) -> None:
        """Write RECORD messages; fields that destinations would drop are in an object of theirs."""
        if not records:
            return
        if stream not in self._running:
            self._running.add(stream)
            self._output.send(messages.status(stream, "RUNNING"))
        names = [name for name in unknown if name not in self._schemas[stream]]
        self._output.send_records(stream, gathered(records, names, ADDITIONAL))
        self._counts[stream] += len(records)

    def end(self, stream: str, *, is_complete: bool) -> None:
        """Write nothing: whether a stream is complete, its failures tell."""

    def offer_state(self, state: dict[str, Any]) -> None:
        """Write the states of streams that have news, if it is time to."""
        self.write_state(state)
        if time.monotonic() - self._wrote_states >= STATE_SECONDS:
            self._wrote_states = time.monotonic()
            for name in self._bookmarks:
                self.tell_state(name)
            self._tell_estimate()

    def write_state(self, state: dict[str, Any]) -> None:
        """Keep the state: :meth:`tell_state` writes a stream's, once its end is known."""
        self._bookmarks = state.get("bookmarks", {})

    def _tell_estimate(self) -> None:
        """Tell how many rows the stream in hand will have, by its rows so far."""
        journey = self._progress.journey
        stream, share = journey.stream, journey.share_of_accounts
        if stream in self._running and share:
            rows = round(self._progress.records[stream] / share)
            self._output.send(messages.estimate(stream, rows))

    def tell_state(self, stream: str, mark: Blob | None = None) -> None:
        """Write a stream's state, if it is new or has a mark, as at the stream's end."""
        blob = bookmarks(self._bookmarks.get(stream, {}))
        encoded = encoder.encode(blob)
        if mark is None and encoded == self._told.get(stream, b"{}"):
            return
        self._told[stream] = encoded
        message = messages.state(stream, blob | (mark or {}), self._counts.pop(stream, 0))
        self._output.send(message)


def read(
    tap: SourceTap, streams: Sequence[Wanted], blobs: Mapping[str, Blob], output: Output
) -> bool:
    """Read streams, each from its own state on; tell whether all could be read to the end."""
    left = [stream for stream in streams if not _is_done(stream, blobs, output)]
    tap.select({stream.name for stream in left})
    tap.load_state(
        {"bookmarks": {stream.name: bookmarks(blobs.get(stream.name, {})) for stream in left}}
    )
    for stream in left:
        output.send(messages.status(stream.name, "STARTED"))
    if not left:
        return True
    fields = {stream.name: tap.streams[stream.name].schema["properties"] for stream in left}
    sink = AirbyteSink(output, blobs, fields, tap.run.progress)
    nodes = {node.name: node for node in tap.nodes()}
    complete: set[str] = set()
    try:
        with suppress(IncompleteError):
            tap.read_into(sink)
        failed = {failure.stream for failure in tap.run.progress.failures}
        complete = {
            stream.name
            for stream in left
            if failed.isdisjoint(above.name for above in nodes[stream.name].lineage)
        }
    finally:
        for stream in left:
            if stream.name in complete:
                sink.tell_state(stream.name, _last_mark(nodes[stream.name], stream))
                output.send(messages.status(stream.name, "COMPLETE"))
            else:
                sink.tell_state(stream.name)
                output.send(messages.status(stream.name, "INCOMPLETE"))
    _tell_failures(tap, {stream.name for stream in left}, output)
    return not tap.run.progress.failures


def _is_done(stream: Wanted, blobs: Mapping[str, Blob], output: Output) -> bool:
    """Pass over a full refresh that an earlier try of the job has read to its end.

    Only within a job does a platform hand on the state of a full refresh.
    """
    blob = blobs.get(stream.name, {})
    done = stream.sync_mode == FULL_REFRESH and COMPLETE in blob
    if done:
        logger.info("%s: an earlier attempt read the whole stream", stream.name)
        output.send(messages.status(stream.name, "STARTED"))
        output.send(messages.state(stream.name, blob, 0))
        output.send(messages.status(stream.name, "COMPLETE"))
    return done


def _last_mark(node: Node, stream: Wanted) -> Blob:
    if not goes_on(node):
        return {NO_CURSOR: True}
    return {COMPLETE: True} if stream.sync_mode == FULL_REFRESH else {}


def _tell_failures(tap: SourceTap, names: set[str], output: Output) -> None:
    for failure in tap.run.progress.failures:
        output.send(
            messages.error(
                str(failure),
                failure_type(failure.error, messages.SYSTEM_ERROR),
                stream=failure.stream if failure.stream in names else None,
            )
        )
