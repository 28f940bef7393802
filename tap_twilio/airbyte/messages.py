"""The protocol's messages, and the way out for them."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from singer_sdk.contrib.msgspec import encoder
from typing_extensions import override

from tap_twilio.http.redaction import redactor
from tap_twilio.output.lines import encoded

if TYPE_CHECKING:
    from tap_twilio.records.values import Record

Message = dict[str, Any]
"""A message, as its JSON object: ``{"type": "LOG", "log": {…}}``."""

CONFIG_ERROR: Final = "config_error"
"""The user has to mend something: credentials, settings, catalog or state."""

TRANSIENT_ERROR: Final = "transient_error"
"""Another try may go better."""

SYSTEM_ERROR: Final = "system_error"
"""Neither: for whoever looks after the source."""

LEVELS: Final = {"CRITICAL": "FATAL", "WARNING": "WARN"}
"""Log levels that the protocol names otherwise than Python."""


def trace(kind: str, name: str, content: Message) -> Message:
    """Make a TRACE message.

    Args:
        kind: Its type: ``ERROR``, ``ESTIMATE`` or ``STREAM_STATUS``.
        name: The key that holds its content.
    """
    emitted_at = time.time() * 1000
    return {"type": "TRACE", "trace": {"type": kind, "emitted_at": emitted_at, name: content}}


def status(stream: str, value: str) -> Message:
    """Tell how far a stream is: ``STARTED``, ``RUNNING``, ``COMPLETE`` or ``INCOMPLETE``."""
    content = {"stream_descriptor": {"name": stream}, "status": value}
    return trace("STREAM_STATUS", "stream_status", content)


def estimate(stream: str, rows: int) -> Message:
    """Tell how many rows a stream will have had at the end of the run."""
    return trace("ESTIMATE", "estimate", {"name": stream, "type": "STREAM", "row_estimate": rows})


def error(
    sentence: str, failure_type: str, *, stream: str | None = None, stack_trace: str | None = None
) -> Message:
    """Tell of an error, without secrets.

    Args:
        sentence: Says what went wrong, and what to do about it.
        stream: The stream that it kept from being read, if it is one's alone.
        stack_trace: Where it happened, for an error that nobody expected.
    """
    sentence = redactor.clean(sentence)
    content: Message = {"message": sentence, "failure_type": failure_type}
    if stream is not None:
        content["stream_descriptor"] = {"name": stream}
    if stack_trace is not None:
        content["stack_trace"] = redactor.clean_trace(stack_trace)
    return trace("ERROR", "error", content)


def state(stream: str, blob: Message, count: int) -> Message:
    """Make a STATE message; the count is of the stream's records since its last one."""
    return {
        "type": "STATE",
        "state": {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream}, "stream_state": blob},
            # The protocol wants a number with a point.
            "sourceStats": {"recordCount": float(count)},
        },
    }


class Output:
    """Writes messages, a line each."""

    def __init__(self, out: BinaryIO) -> None:
        """Write nothing yet; each ``out.write`` gets whole lines, as workers log meanwhile."""
        self._out = out
        self._late: deque[bytes] = deque()

    def send(self, message: Message) -> None:
        """Write a message at once."""
        self._write(encoder.encode(message) + b"\n")
        self._out.flush()

    def send_records(self, stream: str, records: list[Record]) -> None:
        """Write RECORD messages."""
        head = b'{"type":"RECORD","record":{"stream":' + encoder.encode(stream) + b',"data":'
        tail = b',"emitted_at":%d}}\n' % (time.time() * 1000)
        for lines in encoded(records, head, tail):
            self._write(lines)
        self._out.flush()

    def send_log(self, message: Message) -> None:
        """Write a LOG message, whatever this thread is doing."""
        try:
            self.send(message)
        except RuntimeError:
            # A signal's handler logs, and the signal came while this very thread was writing.
            self._late.append(encoder.encode(message) + b"\n")
        except OSError:
            # Nothing can be written any more: the next record's writer finds that out.
            return

    def _write(self, lines: bytes | bytearray) -> None:
        while self._late:
            self._out.write(self._late.popleft())
        self._out.write(lines)


class LogHandler(logging.Handler):
    """Turns what is logged into LOG messages."""

    def __init__(self, output: Output) -> None:
        """Mask secrets from the start."""
        super().__init__()
        self._output = output
        self.addFilter(redactor)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        level = LEVELS.get(record.levelname, record.levelname)
        content = {"level": level, "message": record.getMessage()}
        if record.exc_text:
            content["stack_trace"] = record.exc_text
        self._output.send_log({"type": "LOG", "log": content})
