"""What keeps a run from doing harm: to whom, when, how fast, and how often it may fail."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_twilio.addresses import digits

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

ANY_REST: Final = "*"
"""Ends an entry that stands for all numbers that begin so."""


class Recipients:
    """A list of people, whatever the channel and the formatting."""

    def __init__(self, entries: Iterable[str]) -> None:
        """Take numbers, and beginnings of numbers that end with ``*``."""
        given = list(entries)
        self._whole = {digits(one) for one in given if not one.endswith(ANY_REST)}
        self._begin = tuple(digits(one) for one in given if one.endswith(ANY_REST))

    def hold(self, address: str) -> bool:
        """Tell whether somebody is on the list."""
        number = digits(address)
        return number in self._whole or number.startswith(self._begin)


@dataclass(frozen=True)
class Window:
    """The time of day in which people may be written to, by the clocks of a place.

    Attributes:
        start: When it begins.
        end: When it is over, itself not included; before ``start`` if it goes over midnight.
    """

    start: dt.time
    end: dt.time
    zone: ZoneInfo

    def holds(self, moment: dt.datetime) -> bool:
        """Tell whether a moment lies in it."""
        clock = moment.astimezone(self.zone).time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def __str__(self) -> str:
        """Name it."""
        return f"{self.start:%H:%M} to {self.end:%H:%M} ({self.zone.key})"


class Pace:
    """Keeps requests apart."""

    def __init__(self, rate: float, wait: Callable[[float], None]) -> None:
        """Take the most requests a second; 0 for any number."""
        self._gap = 1 / rate if rate else 0.0
        self._wait = wait
        self._next = 0.0

    def __call__(self) -> None:
        """Wait until another request may go out."""
        if not self._gap:
            return
        now = time.monotonic()
        if now < self._next:
            self._wait(self._next - now)
            now = self._next
        self._next = now + self._gap

    def slow_down(self) -> None:
        """Make pauses twice as long."""
        self._gap *= 2


class Failures:
    """Counts rows that fail one after the other."""

    def __init__(self, most: int) -> None:
        """Take how many are borne."""
        self._most = most
        self._in_a_row = 0

    def failed(self) -> bool:
        """Count one more; tell whether it is one too many."""
        self._in_a_row += 1
        return self._in_a_row >= self._most

    def succeeded(self) -> None:
        """Begin anew."""
        self._in_a_row = 0
