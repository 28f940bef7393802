"""Counts of a run, told while it goes on and at its end."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from singer_sdk import metrics

from tap_twilio.config import terminal
from tap_twilio.http.redaction import printable
from tap_twilio.output import summary, view
from tap_twilio.output.journey import Journey
from tap_twilio.output.status import SECONDS_BETWEEN_DRAWINGS, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger("tap-twilio")

SECONDS_BETWEEN_LINES: Final = 30.0
"""How often the log tells how far the run has come, where it isn't shown on a terminal."""

SECONDS_OF_RATE: Final = 10.0
"""Records a second are those of the last seconds."""

SECONDS_TO_LEARN: Final = 3.0
"""How long a run has to last before it tells how long the rest may take."""

STILL: Final = 3.0
"""Seconds after which a stream without records and requests moves no more."""


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
        positions: Date of the row emitted last, by stream.
        journey: The list in hand, and those that follow.
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
    positions: dict[str, str] = field(default_factory=dict)
    journey: Journey = field(default_factory=Journey)
    _spans: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)
    _began: float = field(default_factory=time.monotonic, repr=False)
    _told: float = field(default_factory=time.monotonic, repr=False)
    _samples: deque[tuple[float, int]] = field(default_factory=deque, repr=False)
    _status: Status = field(default_factory=Status, repr=False)
    _style: view.Style = field(
        default_factory=lambda: view.Style(terminal.has_color(), terminal.has_blocks()), repr=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count_request(self, stream: str, *, again: bool) -> None:
        """Count a request, and whether it repeats one that failed; safe in any thread."""
        with self._lock:
            self.requests[stream] += 1
            self.retries[stream] += again
            self._note_time(stream)

    def count_records(self, stream: str, count: int, date: object) -> None:
        """Count a page of records, once it is written; the date is of its last one."""
        with self._lock:
            self.records[stream] += count
            self._note_time(stream)
        if count:
            self.positions[stream] = str(date or "")
        self.tick(stream)

    def _note_time(self, stream: str) -> None:
        now = time.monotonic()
        self._spans[stream] = (self._spans.get(stream, (now, now))[0], now)

    # --- While the run goes on -----------------------------------------------------------------

    @property
    def pause(self) -> float | None:
        """Most seconds between two calls of :meth:`tick`; none where nobody looks."""
        return SECONDS_BETWEEN_DRAWINGS if self._status.is_wanted else None

    def tick(self, stream: str | None = None) -> None:
        """Tell how far the run has come, if it is time to; for the emitting thread.

        Args:
            stream: The one that moved now.
        """
        if self._status.is_wanted:
            self._status.draw(self._drawing)
        elif stream is not None:
            self._tell(stream)

    def _tell(self, stream: str) -> None:
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            # Below a list that is read by dates, its share tells how far all of this is.
            names = [*filter(None, dict.fromkeys((self.journey.stream, stream)))]
            logger.info("%s", view.sentence(self._glance(names, now)))

    def _drawing(self, columns: int, rows: int) -> list[str]:
        now = time.monotonic()
        return view.lines(self._glance(self._moving(now), now), columns, rows, self._style)

    def _moving(self, now: float) -> list[str]:
        """Name the streams that move: the one of the list in hand first."""
        with self._lock:
            names = [name for name, (_, last) in self._spans.items() if now - last < STILL]
        if (stream := self.journey.stream) is not None:
            names = [stream, *(name for name in names if name != stream)]
        return names

    def _glance(self, names: list[str], now: float) -> view.Glance:
        with self._lock:
            records, requests = self.records.total(), self.requests.total()
            counts = {name: self.records[name] for name in names}
        while len(self._samples) > 1 and now - self._samples[0][0] > SECONDS_OF_RATE:
            self._samples.popleft()
        # Nothing was read when the run began.
        since, before = self._samples[0] if self._samples else (self._began, 0)
        self._samples.append((now, records))
        journey = self.journey
        return view.Glance(
            [
                view.Movement(
                    name,
                    count,
                    journey.share if name == journey.stream else None,
                    printable(self.positions.get(name, "")),
                    is_unwritten=count == 0 and name != journey.stream,
                )
                for name, count in counts.items()
            ],
            records=records,
            requests=requests,
            rate=(records - before) / max(now - since, 0.001),
            elapsed=now - self._began,
            left=journey.left() if now - self._began >= SECONDS_TO_LEARN else None,
            number=(journey.done + 1, journey.accounts * len(journey.legs)),
            account=(journey.account, journey.accounts),
        )

    def finish(self) -> None:
        """Take the live lines away."""
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
        took = view.clock(time.monotonic() - self._began)
        counts = f"{requests:,} requests, {retries:,} retries"
        lines = [f"Read {self.records.total():,} records in {took}: {counts}"]
        lines += summary.table(
            [
                summary.Row(
                    name,
                    self.records[name],
                    self.requests[name],
                    min((bookmarks or {}).get(name, []), default=""),
                    [*self._notes(name)],
                )
                for name in self._streams()
            ]
        )
        skipped = {
            **self.skipped,
            **{("all streams", account): reason for account, reason in self.shut.items()},
            **{
                ("streams outside the 2010 API", account): reason
                for account, reason in self.unsigned.items()
            },
        }
        left_out = [
            f"skipped {name} of {account}: {reason}"
            for (name, account), reason in sorted(skipped.items())
        ]
        left_out += [f"FAILED {failure}" for failure in self.failures]
        if not terminal.is_watched():
            # Programs that search a log read line by line.
            return [*lines, *(f"  {line}" for line in left_out)]
        width = terminal.size()[0] - terminal.PREFIX
        return [*lines, *(part for line in left_out for part in summary.wrapped(line, width))]

    def _notes(self, stream: str) -> Iterator[str]:
        for count, what in (
            (self.absent[stream], "not there (404)"),
            (self.lost[stream], "rows that are no objects"),
            (self.keyless[stream], "without a key left out"),
        ):
            if count:
                yield f"{stream}: {count:,} {what}"
