"""What a run tells: a line for each row, counts, and what it may cost."""

from __future__ import annotations

import contextlib
import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final

from singer_sdk import metrics

from tap_twilio.http.errors import TapError
from target_twilio.codes import meaning
from target_twilio.keys import plain
from target_twilio.ledger import UNKNOWN
from target_twilio.prices import NOTHING
from target_twilio.rows import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from target_twilio.ledger import Entry
    from target_twilio.prices import Estimate
    from target_twilio.rows import Task

SENT: Final = frozenset({"sent", "scheduled", "would_send"})
"""Outcomes of messages that cost something."""


class ResultsError(TapError):
    """The results can't be written."""


class Results:
    """Writes down what becomes of each row.

    Attributes:
        outcomes: How many rows had each outcome.
    """

    def __init__(self, path: Path | None, now: Callable[[], datetime]) -> None:
        """Open the file, behind what is in it.

        Args:
            now: Tells the moment by Twilio's clock.

        Raises:
            ResultsError: It can't be opened.
        """
        self.outcomes: Counter[str] = Counter()
        self._codes: Counter[tuple[str, int]] = Counter()
        self._segments = 0
        self._costs: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._unpriced = 0
        self._told_unknown: Counter[bytes] = Counter()
        self._now = now
        self._path = path
        self._file: IO[str] | None = None
        if path is not None:
            try:
                cut = _is_cut(path)
                self._file = path.open("a", encoding="utf-8")
                self._file.write("\n" * cut)
            except OSError as error:
                raise self._lost(error) from error

    def _lost(self, error: OSError) -> ResultsError:
        return ResultsError(f"results_path: {self._path}: it can't be written ({error.strerror})")

    def tell(self, task: Task, result: Result, *, is_settled: bool = False) -> None:
        """Write down what became of a row.

        Args:
            is_settled: Whether this was found out later.

        Raises:
            ResultsError: It can't be written.
        """
        estimate = task.estimate
        line = {
            **self._line(task.row.stream, task.shown, task.row.action.name),
            **result._asdict(),
            "segments": estimate.segments,
            "estimated_price": None
            if estimate.price is None
            else f"{estimate.price.normalize():f}",
            "price_unit": estimate.unit or None,
            **({"settled": True} if is_settled else {}),
            **task.carried,
        }
        self._write(line, estimate)

    def tell_unknown(self, task: Task, code: int | None) -> None:
        """Write down that nobody knows what became of a row.

        Raises:
            ResultsError: It can't be written.
        """
        self._told_unknown[task.id] += 1
        message = "nobody knows whether it was done, and so it is not done again"
        self.tell(task, Result(UNKNOWN, code=code, message=message))

    def tell_entry(self, entry: Entry, *, status: str | None = None) -> None:
        """Write down what is known of a key whose row is not at hand.

        Raises:
            ResultsError: It can't be written.
        """
        line = {
            **self._line(entry.stream, entry.key, entry.action),
            **Result(entry.outcome, entry.sid, status, entry.code)._asdict(),
            **({} if entry.is_unsettled else {"settled": True}),
        }
        self._write(line, NOTHING)

    def is_told_unknown(self, id_: bytes) -> bool:
        """Whether a line of this run says that a key is unknown."""
        return id_ in self._told_unknown

    def forget(self, id_: bytes) -> None:
        """Count a key's unknown lines no more: another outcome takes their place."""
        self.outcomes[UNKNOWN] -= self._told_unknown.pop(id_, 0)

    def _line(self, stream: str, key: Mapping[str, Any], action: str) -> dict[str, Any]:
        at = self._now().isoformat().replace("+00:00", "Z")
        return {"stream": stream, "key": key, "action": action, "at": at}

    def _write(self, line: dict[str, Any], estimate: Estimate) -> None:
        outcome = line["outcome"]
        self.outcomes[outcome] += 1
        if line.get("code") is not None:
            self._codes[outcome, line["code"]] += 1
        if outcome in SENT:
            self._segments += estimate.segments or 0
            if estimate.price is None:
                self._unpriced += 1
            else:
                self._costs[estimate.unit] += estimate.price
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(line, ensure_ascii=False, default=plain) + "\n")
            self._file.flush()
        except OSError as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close the file; what it didn't take was told before."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def summary(self) -> Iterator[str]:
        """Give lines for people."""
        counts = [f"{count} {outcome}" for outcome, count in sorted((+self.outcomes).items())]
        yield f"Rows: {', '.join(counts) or 'none'}"
        if self._segments or self._costs or self._unpriced:
            costs = [f"{cost.normalize():f} {unit}" for unit, cost in sorted(self._costs.items())]
            known = f"about {' and '.join(costs)}" if costs else "cost not known"
            others = f", and {self._unpriced} messages of no known price" * bool(
                self._costs and self._unpriced
            )
            yield f"Messages: {self._segments} segments, {known}{others}"
        for (outcome, code), count in sorted(self._codes.items()):
            yield f"{count} {outcome} with code {code}: {meaning(code)}"

    def points(self) -> Iterator[metrics.Point[Any]]:
        """Give the counts as metrics."""
        for outcome, count in sorted((+self.outcomes).items()):
            yield metrics.Point("counter", metrics.Metric.RECORD_COUNT, count, {"outcome": outcome})


def _is_cut(path: Path) -> bool:
    """Tell whether a file ends in the middle of a line, as a run that was killed leaves it."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"
