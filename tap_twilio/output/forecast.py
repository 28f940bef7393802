"""What is known before a run: plain data, and the lines that tell it to people."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

WIDTH: Final = 79
"""Columns that a line has at most."""

_LABEL: Final = 13
_NAME: Final = 40

LARGE: Final = 0.01
"""Share of all rows, or of all requests, from which on a stream has a line of its own."""

MOST_LINES: Final = 20

MOST_NAMED: Final = 3

DIGITS: Final = 2
"""Digits of a figure that isn't exact."""

MINUTE: Final = 60


class Surety(IntEnum):
    """How sure a figure is, the surest first."""

    EXACT = 0
    COUNTED = 1
    SAMPLED = 2
    ROUGH = 3
    AT_LEAST = 4

    def __str__(self) -> str:
        """Give the word for people."""
        return self.name.lower().replace("_", " ")


MEANINGS: Final = {
    Surety.EXACT: "all rows were seen",
    Surety.COUNTED: "Twilio's usage records; what it did not bill comes on top",
    Surety.SAMPLED: "from a few pages or parents, by the dates of their rows",
    Surety.ROUGH: "from one page of a list that has no date filter",
    Surety.AT_LEAST: "the list goes on, and nothing tells how far",
}


@dataclass(frozen=True)
class Figure:
    """What reading a list, or several, takes.

    Attributes:
        rows: Rows that will be read.
        requests: Requests that this takes.
        surety: How sure the rows are.
    """

    rows: float = 0.0
    requests: float = 0.0
    surety: Surety = Surety.EXACT

    def __add__(self, other: Figure) -> Figure:
        """Add up what two lists take: no surer than either."""
        surety = max(self.surety, other.surety)
        return Figure(self.rows + other.rows, self.requests + other.requests, surety)

    def times(self, count: float, *, seen: bool) -> Figure:
        """Give what so many such lists take, of which not all were seen unless it is said."""
        surety = self.surety if seen else max(self.surety, Surety.SAMPLED)
        return Figure(self.rows * count, self.requests * count, surety)


@dataclass
class Forecast:
    """What is known before a run.

    Attributes:
        credentials: What kind they are, and of which account.
        accounts: How many will be read.
        left_out: Those that will not, though they are listed, by their SID.
        unsigned: Those without credentials of their own, which products beside the 2010 API ask.
        ahead: How far this machine's clock is ahead of Twilio's; none if Twilio did not say.
        answers: Seconds that Twilio took for each answer.
        asked: Requests that were made to find out, beside those that sign in.
        readable: Products that the credentials read.
        refused: Streams that they may not read, by product.
        failed: Streams that could not be asked.
        start: The setting ``start_date``, as bookmarks have it; empty without one.
        figures: What streams take, by their name.
        seconds: How long a first run takes, about.
        concurrency: Requests in flight at most.
    """

    credentials: str
    accounts: int
    left_out: list[str] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    ahead: timedelta | None = None
    answers: list[float] = field(default_factory=list)
    asked: int = 0
    readable: set[str] = field(default_factory=set)
    refused: dict[str, set[str]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    start: str = ""
    figures: dict[str, Figure] = field(default_factory=dict)
    seconds: float = 0.0
    concurrency: int = 0

    @property
    def total(self) -> Figure:
        """What all streams take together."""
        return sum(self.figures.values(), Figure())

    @property
    def latency(self) -> float:
        """The median of the seconds that answers took."""
        ordered = sorted(self.answers)
        return ordered[len(ordered) // 2] if ordered else 0.0

    def lines(self) -> Iterator[str]:
        """Give lines for people, each narrower than a terminal; no row's content is in them."""
        yield from _told("Credentials", self.credentials)
        yield from _told("Accounts", self._accounts())
        yield from _told("Clock", _clock(self.ahead))
        if self.answers:
            yield from _told(
                "Answers",
                f"{self.latency * 1000:,.0f} ms, the median of {len(self.answers)}; "
                f"{max(self.answers) * 1000:,.0f} ms the slowest",
            )
        yield from _told("Readable", ", ".join(sorted(self.readable)) or "nothing")
        for product, streams in sorted(self.refused.items()):
            yield from _told("Refused", f"{product}: {', '.join(sorted(streams))}")
        if self.failed:
            yield from _told("Failed", ", ".join(sorted(self.failed)))
        yield ""
        yield from self._table()

    def _accounts(self) -> str:
        words = [f"{self.accounts:,} to read"]
        words += [f"left out: {_some(self.left_out)}"] if self.left_out else []
        if self.unsigned:
            who = _some(self.unsigned)
            words.append(f"in the 2010 API alone, for want of own credentials: {who}")
        return "; ".join(words)

    def _table(self) -> Iterator[str]:
        total, others = self.total, Figure()
        ordered = sorted(
            self.figures.items(),
            key=lambda item: (-item[1].requests, -item[1].rows, item[0]),
        )
        since = f"from {self.start} on" if self.start else "from the beginning on"
        yield f"A first run, {since}:"
        yield ""
        yield _row("stream", "rows", "requests", "how sure")
        left_out = 0
        for number, (name, figure) in enumerate(ordered):
            is_large = figure.rows > LARGE * total.rows or figure.requests > LARGE * total.requests
            if is_large and number < MOST_LINES:
                yield _line(name, figure)
            else:
                others, left_out = others + figure, left_out + 1
        if left_out:
            yield _line(f"{left_out} smaller ones", others)
        yield _line("sum", total)
        yield ""
        yield (
            f"It takes about {duration(self.seconds)}, "
            f"with up to {self.concurrency} requests in flight."
        )
        met = {figure.surety for figure in self.figures.values()}
        for surety in sorted(met):
            yield from _told(str(surety), MEANINGS[surety])
        yield from textwrap.wrap(f"{self.asked} requests told this, beside signing in.", WIDTH)


def duration(seconds: float) -> str:
    """Tell a time as people do."""
    if seconds <= MINUTE - 1:
        return f"{max(1, math.ceil(seconds))} s"
    hours, minutes = divmod(math.ceil(seconds / MINUTE), MINUTE)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def rounded(value: float) -> int:
    """Leave as many digits as an estimate has."""
    if value < 1:
        return math.ceil(value)
    return int(round(value, min(0, DIGITS - 1 - math.floor(math.log10(value)))))


def _some(sids: list[str]) -> str:
    named = sids[:MOST_NAMED]
    more = len(sids) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")


def _told(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{label:<{_LABEL}}",
        subsequent_indent=" " * _LABEL,
    )


def _clock(ahead: timedelta | None) -> str:
    if ahead is None:
        return "Twilio did not tell the time"
    seconds = round(ahead.total_seconds())
    if abs(seconds) <= 1:
        return "agrees with Twilio's"
    return f"{abs(seconds):,} seconds {'ahead of' if seconds > 0 else 'behind'} Twilio's"


def _line(name: str, figure: Figure) -> str:
    exact = figure.surety is Surety.EXACT
    rows = f"{figure.rows:,.0f}" if exact else f"{rounded(figure.rows):,}"
    short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return _row(short, rows, f"{rounded(figure.requests):,}", str(figure.surety))


def _row(name: str, rows: str, requests: str, surety: str) -> str:
    return f"{name:<{_NAME}}{rows:>15}{requests:>12}  {surety}"
