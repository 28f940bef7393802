"""Reading within another program: batches are read as they are taken."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tap_twilio.arrow.columns import Columns
from tap_twilio.arrow.tap import QuietTap, one_sentence
from tap_twilio.config.settings import now_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tap_twilio.output.sink import Record

ROWS = 1_000
"""Rows that are worth a batch: lists of a few rows each, such as those below parents, share one."""

BYTES = 64 * 1024 * 1024
"""Memory of records that is a batch in any case, as it is estimated."""


def read(
    stream: str, *, filters: Mapping[str, Any] | None = None, **settings: Any
) -> pa.RecordBatchReader:
    """Read a stream as Arrow batches, each when it is asked for.

    Closing the reader, or dropping it, ends the run.

    Args:
        stream: Name of the stream, such as ``calls``.
        filters: Query parameters of its list, in snake case, such as ``{"to": "+15551234567"}``.
        settings: Settings of the tap by their names. Those that aren't given are taken from the
            environment, as ``TAP_TWILIO_…``. Dates may be Python's.

    Raises:
        TwilioError: The settings make no sense, or there is no such stream. While batches are
            read: Something could not be read to its end.
    """
    with one_sentence():
        tap = tap_for([stream], **_with_filters(stream, filters, settings))
    columns = Columns(tap.streams[stream].schema)
    batches = (columns.batch(records[stream]) for records in gathered(tap, ROWS))
    return pa.RecordBatchReader.from_batches(columns.schema, batches)


def tap_for(streams: Collection[str], **settings: Any) -> QuietTap:
    """Start a tap for these streams; settings that are null are taken from the environment.

    Raises:
        ConfigValidationError: The settings make no sense.
        TapError: There is no such stream.
    """
    given = {name: _plain(value) for name, value in settings.items() if value is not None}
    tap = QuietTap(present=now_utc(), config=QuietTap.environment() | given)
    tap.select(streams)
    return tap


def _with_filters(
    stream: str, filters: Mapping[str, Any] | None, settings: dict[str, Any]
) -> dict[str, Any]:
    if not filters:
        return settings
    known = QuietTap.environment().get("filters", {})
    return settings | {"filters": {**known, stream: {**known.get(stream, {}), **filters}}}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Write a date as settings have it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def gathered(tap: QuietTap, rows: int) -> Iterator[dict[str, list[Record]]]:
    """Read all that is selected.

    Between two steps, the tap's state covers only records that were given.

    Args:
        rows: How many records to give at a time, at least, before the end.

    Yields:
        Records, by stream.

    Raises:
        TwilioError: Something could not be read to its end.
    """
    progress = tap.run.progress
    found: dict[str, list[Record]] = defaultdict(list)
    count = size = 0
    try:
        with one_sentence():
            for node, batch in tap.sync.batches():
                if not (node.is_selected and batch.records):
                    continue
                found[node.name] += batch.records
                progress.count_records(node.name, len(batch.records), None)
                count, size = count + len(batch.records), size + batch.size
                if count >= rows or size >= BYTES:
                    yield found
                    found, count, size = defaultdict(list), 0, 0
            if found:
                yield found
            tap.check_complete()
    finally:
        progress.finish()
