"""What people see of a run while it goes on: lines on the terminal, or a sentence in the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_twilio.output.journey import Left

MOST_STREAMS: Final = 5
"""Streams that are shown at once."""

LONGEST_NAME: Final = 36

NARROWEST_BAR: Final = 8

DATE: Final = len("2026-01-31")

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Movement:
    """A stream that moves.

    Attributes:
        share: How much of its range is read, from 0 to 1, where that is known.
        date: How far it has come.
        is_unwritten: Whether it is only read yet: ahead of its turn, or for the streams below it.
    """

    stream: str
    records: int
    share: float | None = None
    date: str = ""
    is_unwritten: bool = False


@dataclass(frozen=True, slots=True)
class Glance:
    """A run at one moment.

    Attributes:
        rate: Records a second, of late.
        left: What the rest may take, where that is known.
        number: Which list is in hand, of how many.
        account: Which account is in hand, of how many.
    """

    moving: list[Movement] = field(default_factory=list)
    records: int = 0
    requests: int = 0
    rate: float = 0.0
    elapsed: float = 0.0
    left: Left | None = None
    number: tuple[int, int] = (0, 0)
    account: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Style:
    """What a terminal can do."""

    has_color: bool = False
    has_blocks: bool = False

    def bar(self, share: float, width: int) -> str:
        """Draw a bar."""
        full = round(share * width)
        done, rest = ("█", "░") if self.has_blocks else ("#", ".")
        filled, empty = done * full, rest * (width - full)
        return f"\x1b[32m{filled}\x1b[0m{empty}" if self.has_color else filled + empty


def lines(glance: Glance, columns: int, rows: int, style: Style) -> list[str]:
    """Draw the streams that move, and below them the run, as wide as the terminal is."""
    shown = glance.moving[: max(0, min(MOST_STREAMS, rows - 2))]
    drawn = _table(shown, columns, style)
    more = len(glance.moving) - len(shown)
    return [*drawn, _fitting(_facts(glance, more), columns)]


def _table(moving: list[Movement], columns: int, style: Style) -> list[str]:
    if not moving:
        return []
    names = [_cut(one.stream, LONGEST_NAME) for one in moving]
    counts = ["reading" if one.is_unwritten else f"{one.records:,} records" for one in moving]
    name_width, count_width = max(map(len, names)), max(map(len, counts))
    # Two columns before each part, and the percents.
    bar_width = columns - name_width - count_width - DATE - 5 - 5 * 2
    drawn = []
    for one, name, count in zip(moving, names, counts, strict=True):
        percent = "" if one.share is None else f"{int(one.share * 100)} %"
        right = f"{percent:>5}  {one.date[:DATE]:{DATE}}  {count:>{count_width}}"
        if bar_width < NARROWEST_BAR:
            drawn.append(f"  {name:{name_width}}  {right}"[:columns])
            continue
        bar = " " * bar_width if one.share is None else style.bar(one.share, bar_width)
        drawn.append(f"  {name:{name_width}}  {bar}  {right}")
    return drawn


def _facts(glance: Glance, more: int) -> Iterable[str]:
    """Tell of the run, what matters most first."""
    left = ""
    if glance.left is not None:
        about = "about" if glance.left.is_whole else "at least"
        left = f", {about} {roughly(glance.left.seconds)} left"
    yield f"{clock(glance.elapsed)} elapsed{left}"
    yield f"{glance.records:,} records, {glance.rate:,.0f}/s"
    if all(glance.number):
        account, accounts = glance.account
        of_accounts = f", account {account} of {accounts}" if accounts > 1 else ""
        yield f"list {glance.number[0]:,} of {glance.number[1]:,}{of_accounts}"
    yield f"{glance.requests:,} requests"
    if more:
        yield f"{more} more streams"


def _fitting(facts: Iterable[str], columns: int) -> str:
    line = ""
    for fact in facts:
        longer = f"{line} | {fact}" if line else f"  {fact}"
        if len(longer) > columns:
            break
        line = longer
    return line


def sentence(glance: Glance) -> str:
    """Tell the same in a line of the log."""
    parts = []
    for one in glance.moving:
        date = f" up to {one.date}" if one.date else ""
        share = "" if one.share is None else f", {int(one.share * 100)} % of its range"
        parts.append(f"{one.stream}: {one.records:,} records{date}{share}")
    return "; ".join([*parts, *_facts(glance, 0)])


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"


def clock(seconds: float) -> str:
    """Write how long something took: ``1:02`` or ``1:02:03``."""
    minutes, rest = divmod(int(seconds), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def roughly(seconds: float) -> str:
    """Write how long something may take, no finer than can be known."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < HOUR:
        return f"{round(seconds / MINUTE)} min"
    hours, rest = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours} h {rest} min"
