"""Days that an export has files of: as Twilio lists them, and as a state keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2s
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAY: Final = "day"
"""Name of a file's day, in lists, paths, contexts and records."""

SMALL: Final = 128 * 1024
"""Bytes, compressed, of a file that most likely comes in one part."""

_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """A day, of which there may be several files: each export makes one. The newest is given.

    Attributes:
        date: In ISO 8601.
        files: What tells the day's files from others.
        size: Bytes of the largest, compressed; none if that isn't known.
    """

    date: str
    files: frozenset[str]
    size: int | None

    @property
    def is_small(self) -> bool:
        """Whether its file may be asked for before its turn."""
        return self.size is not None and self.size <= SMALL


def days_of(listed: Iterable[Mapping[str, Any]]) -> tuple[list[Day], int]:
    """Give the days of a list in order, each once, and how many rows name none."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    nameless = 0
    for row in listed:
        day = row.get(DAY)
        if is_date(day):
            found.setdefault(str(day), []).append(row)
        else:
            nameless += 1
    return [_day(day, found[day]) for day in sorted(found)], nameless


def is_date(value: object) -> bool:
    """Tell whether a value is a day in ISO 8601, as states and paths have it."""
    try:
        return date.fromisoformat(str(value)).isoformat() == value
    except ValueError:
        return False


def _day(day: str, rows: list[Mapping[str, Any]]) -> Day:
    sizes = [row.get("size") for row in rows]
    known = [size for size in sizes if isinstance(size, int)]
    is_known = len(known) == len(sizes)
    return Day(day, frozenset(map(_identity, rows)), max(known) if is_known else None)


def _identity(row: Mapping[str, Any]) -> str:
    """Tell a file from others of its day, without the words that a user named it by."""
    parts = [row.get(name) for name in ("create_date", "friendly_name", "size")]
    return blake2s(repr(parts).encode(), digest_size=6).hexdigest()


def with_day(ranges: list[str], day: str) -> list[str]:
    """Add a day to ranges such as ``2020-07-01/2020-07-26``, which are in order and apart."""
    bounds = [one.partition("/") for one in ranges]
    pairs = sorted([*((first, last or first) for first, _, last in bounds), (day, day)])
    merged = [pairs[0]]
    for first, last in pairs[1:]:
        before, end = merged[-1]
        if date.fromisoformat(first) <= date.fromisoformat(end) + _A_DAY:
            merged[-1] = before, max(end, last)
        else:
            merged.append((first, last))
    return [first if first == last else f"{first}/{last}" for first, last in merged]


def days_between(first: str, last: str) -> frozenset[str]:
    """Give all days from one to another, both among them."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return frozenset(
        (start + number * _A_DAY).isoformat() for number in range((end - start).days + 1)
    )


def days_in(ranges: Iterable[str]) -> set[str]:
    """Give the days of ranges such as ``2020-07-01/2020-07-26``, as a state has them."""
    found: set[str] = set()
    for one in ranges:
        first, _, last = one.partition("/")
        found |= days_between(first, last or first)
    return found
