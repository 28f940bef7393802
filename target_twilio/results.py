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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_twilio.prices import Estimate

SENT: Final = frozenset({"sent", "scheduled", "would_send"})
"""Outcomes of messages that cost something."""


class ResultsError(TapError):
    """The results can't be written."""


class Results:
    """Writes down what becomes of each row.

    Attributes:
        outcomes: How many rows had each outcome.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the file, behind what is in it.

        Raises:
            ResultsError: It can't be opened.
        """
        self.outcomes: Counter[str] = Counter()
        self._codes: Counter[tuple[str, int]] = Counter()
        self._segments = 0
        self._costs: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._unpriced = 0
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

    def forget(self, outcome: str, times: int) -> None:
        """Count an outcome less: another took its place."""
        self.outcomes[outcome] -= times

    def tell(self, line: dict[str, Any], estimate: Estimate) -> None:
        """Write the line of a row, and count it.

        Args:
            line: What to write: ``outcome`` and ``code`` are looked at.

        Raises:
            ResultsError: It can't be written.
        """
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
