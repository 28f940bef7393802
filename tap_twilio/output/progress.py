"""Counts of a run, told while it goes on and at its end."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from singer_sdk import metrics

from tap_twilio.output.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger("tap-twilio")

SECONDS_BETWEEN_LINES: Final = 30.0
"""How often the log tells how far a stream has come."""


@dataclass(frozen=True)
class Failure:
    """Something asked for that could not be read to its end."""

    stream: str
    account_sid: str
    error: Exception

    def __str__(self) -> str:
        """Tell it in a line."""
        return f"{self.stream} of {self.account_sid}: {self.error}"


@dataclass
class Progress:
    """Counts of a run.

    Attributes:
        records: Rows emitted, by stream.
        requests: Requests made, by stream.
        retries: Requests made again, by stream.
        absent: Resources that didn't exist (404), by stream.
        lost: Rows that were no objects, by stream.
        keyless: Rows left out as they have no key, by stream.
        skipped: Why a stream was not read for an account, by stream and account.
        shut: Why nothing of an account was read, by account.
        unsigned: Why nothing was read that an account signs for itself, by account.
        positions: Account and date of the row emitted last, by stream.
    """

    records: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    keyless: Counter[str] = field(default_factory=Counter)
    skipped: dict[tuple[str, str], str] = field(default_factory=dict)
    shut: dict[str, str] = field(default_factory=dict)
    unsigned: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    positions: dict[str, tuple[str, str]] = field(default_factory=dict)
    _spans: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)
    _lines: dict[str, tuple[float, int]] = field(default_factory=dict, repr=False)
    _status: Status = field(default_factory=Status, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count_request(self, stream: str, *, again: bool) -> None:
        """Count a request, and whether it repeats one that failed; safe in any thread."""
        with self._lock:
            self.requests[stream] += 1
            self.retries[stream] += again
            self._note_time(stream)

    def count_records(self, stream: str, count: int, account: object, date: object) -> None:
        """Count a page of records, once it is written; the account and date are of its last one."""
        with self._lock:
            self.records[stream] += count
            self._note_time(stream)
        if count:
            self.positions[stream] = (str(account or ""), str(date or ""))
        self.tick(stream)

    def _note_time(self, stream: str) -> None:
        now = time.monotonic()
        self._spans[stream] = (self._spans.get(stream, (now, now))[0], now)

    # --- While the run goes on -----------------------------------------------------------------

    def tick(self, stream: str | None = None) -> None:
        """Tell how far the run or a stream has come, if it is time to; for the emitting thread."""
        if stream is not None:
            self._tell(stream)
        self._status.draw(self._glance)

    def _tell(self, stream: str) -> None:
        now = time.monotonic()
        told, _ = self._lines.setdefault(stream, (self._spans.get(stream, (now, now))[0], 0))
        if now - told >= SECONDS_BETWEEN_LINES:
            self._lines[stream] = (now, self.records[stream])
            logger.info("%s", self._line(stream))

    def _line(self, stream: str) -> str:
        account, date = self.positions.get(stream, ("", ""))
        words = [f"{stream}: {self.records[stream]:,} records"]
        words += [f"up to {date}"] if date else []
        words += [account] if account else []
        return ", ".join(words)

    def _glance(self) -> str:
        latest = next(reversed(self.positions), None)
        with self._lock:
            total = f"{self.records.total():,} records, {self.requests.total():,} requests"
        return total if latest is None else f"{total} | {self._line(latest)}"

    def finish(self) -> None:
        """Take the live line away."""
        self._status.close()

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left out: no stream, no account, no row without a key."""
        left_out = self.failures, self.skipped, self.shut, self.unsigned, self.keyless
        return not any(left_out)

    # --- At its end ----------------------------------------------------------------------------

    def _streams(self) -> list[str]:
        """Name the streams that were read; workers may still count on where a run was stopped."""
        with self._lock:
            return sorted(self.records.keys() | self.requests.keys())

    def points(self) -> Iterator[metrics.Point[Any]]:
        """Give a point of each kind for each stream that was read; the tags name the stream."""
        for name in self._streams():
            failed = any(failure.stream == name for failure in self.failures)
            status = metrics.Status.FAILED if failed else metrics.Status.SUCCEEDED
            begun, ended = self._spans.get(name, (0.0, 0.0))
            tags = {metrics.Tag.STREAM.value: name}
            yield metrics.Point("counter", metrics.Metric.RECORD_COUNT, self.records[name], tags)
            yield metrics.Point(
                "counter", metrics.Metric.HTTP_REQUEST_COUNT, self.requests[name], tags
            )
            yield metrics.Point(
                "timer",
                metrics.Metric.SYNC_DURATION,
                round(ended - begun, 3),
                tags | {metrics.Tag.STATUS.value: status.value},
            )

    def summary(self, bookmarks: Mapping[str, list[str]] | None = None) -> list[str]:
        """Give lines for people, without secrets; bookmarks are by stream, one for each account."""
        with self._lock:
            requests, retries = self.requests.total(), self.retries.total()
        lines = [
            (
                f"Read {self.records.total():,} records with {requests:,} requests "
                f"({retries:,} of them retries)"
            )
        ]
        lines += [
            f"  {name}: {self.records[name]:,} records, {self.requests[name]:,} requests"
            + (f", {self.absent[name]:,} not there (404)" if self.absent[name] else "")
            + (f", {self.lost[name]:,} rows that are no objects" if self.lost[name] else "")
            + (f", {self.keyless[name]:,} without a key left out" if self.keyless[name] else "")
            + _reach((bookmarks or {}).get(name, []))
            for name in self._streams()
        ]
        skipped = {
            **self.skipped,
            **{("all streams", account): reason for account, reason in self.shut.items()},
            **{
                ("what it signs for itself", account): reason
                for account, reason in self.unsigned.items()
            },
        }
        lines += [
            f"  skipped {name} of {account}: {reason}"
            for (name, account), reason in sorted(skipped.items())
        ]
        lines += [f"  FAILED {failure}" for failure in self.failures]
        return lines


def _reach(bookmarks: list[str]) -> str:
    if not bookmarks:
        return ""
    first, last = min(bookmarks), max(bookmarks)
    return f", bookmark {first}" + ("" if first == last else f" to {last}")
