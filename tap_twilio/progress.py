"""What a run did: counted as it goes, told at its end."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Failure:
    """Something asked for that could not be read to its end.

    Attributes:
        stream: Name of the stream.
        account_sid: The account.
        error: Why.
    """

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
        skipped: Why a stream was not read for an account, by stream and account.
        failures: What was asked for and could not be read to its end.
    """

    records: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    skipped: dict[tuple[str, str], str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count_request(self, stream: str, *, again: bool) -> None:
        """Count a request; safe in any thread.

        Args:
            stream: Name of the stream that made it.
            again: Whether it had been made before, and failed.
        """
        with self._lock:
            self.requests[stream] += 1
            self.retries[stream] += again

    def summary(self) -> list[str]:
        """Tell the run in lines for people.

        Returns:
            Lines without secrets: totals, a line for each stream, then what was left out.
        """
        lines = [
            (
                f"Read {self.records.total():,} records with {self.requests.total():,} requests "
                f"({self.retries.total():,} of them retries)"
            )
        ]
        names = sorted(self.records | self.requests)
        lines += [
            f"  {name}: {self.records[name]:,} records, {self.requests[name]:,} requests"
            + (f", {self.absent[name]:,} not there (404)" if self.absent[name] else "")
            for name in names
        ]
        lines += [
            f"  skipped {name} of {account}: {reason}"
            for (name, account), reason in sorted(self.skipped.items())
        ]
        lines += [f"  FAILED {failure}" for failure in self.failures]
        return lines
