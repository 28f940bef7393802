"""When the rows of a table come to be.

A timeline is monotone in the row's index and answers both ways by arithmetic: a range of time is a
range of indices, whatever the number of rows.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from typing import Final, Protocol

from sandbox.identifiers import mix
from sandbox.moments import DAY, HOUR


class Timeline(Protocol):
    """Moments by index and indices by moment."""

    def at(self, index: int) -> int:
        """Give the moment of a row."""

    def before(self, moment: int) -> int:
        """Count the rows earlier than a moment."""


class Steady:
    """Rows at a steady rate, each at a random moment of its own step.

    Args:
        start: Where the first step begins.
        step: Seconds from row to row.
        seed: What scatters rows within their steps.
        limit: How many rows there will ever be, or None for no end.
    """

    __slots__ = ("_seed", "limit", "start", "step")

    def __init__(self, start: int, step: float, seed: int, limit: int | None = None) -> None:
        """Lay out the steps."""
        self.start = start
        self.step = step
        self.limit = limit
        self._seed = seed

    def at(self, index: int) -> int:
        """Give the moment of a row."""
        scatter = (mix(self._seed, index) >> 40) / 0x1000000
        return int(self.start + (index + scatter) * self.step)

    def before(self, moment: int) -> int:
        """Count the rows earlier than a moment."""
        if self.limit == 0:
            return 0
        count = max(0, int((moment - self.start) // self.step))
        while count > 0 and self.at(count - 1) >= moment:
            count -= 1
        while self.at(count) < moment:
            count += 1
        return count if self.limit is None else min(count, self.limit)


class Rhythm:
    """Rows as people make them: many in working hours, few at night and at weekends.

    Time is stretched so that every moment of it is equally busy; rows come at a steady rate in
    that time.

    Args:
        start: Where the rows begin.
        end: Where `count` of them have come.
        count: How many rows come from start to end; more come after.
        seed: What scatters them.
    """

    __slots__ = ("_seed", "_start", "_step")

    def __init__(self, start: int, end: int, count: int, seed: int) -> None:
        """Measure the time between in stretched time."""
        self._start = _stretch(start)
        self._step = (_stretch(end) - self._start) / count
        self._seed = seed

    def at(self, index: int) -> int:
        """Give the moment of a row."""
        scatter = (mix(self._seed, index) >> 40) / 0x1000000
        return int(_shrink(self._start + (index + scatter) * self._step))

    def before(self, moment: int) -> int:
        """Count the rows earlier than a moment."""
        count = max(0, int((_stretch(moment) - self._start) // self._step))
        while count > 0 and self.at(count - 1) >= moment:
            count -= 1
        while self.at(count) < moment:
            count += 1
        return count


_WEEK: Final = 7 * DAY
_BUSY: Final = (*[0.2] * 7, 0.8, *[1.8] * 10, *[0.9] * 4, *[0.4] * 2)
_WEEKEND: Final = (5, 6)
# The first of January 1970 was a Thursday, day 3 of its week.
_HOURS: Final = tuple(
    busy * (0.4 if (day + 3) % 7 in _WEEKEND else 1.0) for day in range(7) for busy in _BUSY
)
_STRETCHED: Final = tuple(accumulate(_HOURS, initial=0.0))


def _stretch(moment: float) -> float:
    weeks, rest = divmod(moment, _WEEK)
    hour = int(rest // HOUR)
    return weeks * _STRETCHED[-1] + _STRETCHED[hour] + _HOURS[hour] * (rest / HOUR - hour)


def _shrink(stretched: float) -> float:
    weeks, rest = divmod(stretched, _STRETCHED[-1])
    hour = min(bisect_right(_STRETCHED, rest) - 1, len(_HOURS) - 1)
    return weeks * _WEEK + (hour + (rest - _STRETCHED[hour]) / _HOURS[hour]) * HOUR


class EveryNth:
    """Rows that each belong to one row of another table, as recordings to calls.

    Out of every `stride` rows of the base one, picked at random, has a row here.

    Args:
        base: The timeline of the table that these rows belong to.
        stride: How many rows of the base share one row here.
        delay: Seconds from the base's row to this one.
        seed: What picks the row.
        limit: How many rows there are at most.
    """

    __slots__ = ("_base", "_delay", "_limit", "_seed", "_stride")

    def __init__(
        self, base: Timeline, stride: int, delay: int, seed: int, limit: float = math.inf
    ) -> None:
        """Lay the rows over the base."""
        self._base = base
        self._limit = limit
        self._stride = stride
        self._delay = delay
        self._seed = seed

    def base_index(self, index: int) -> int:
        """Give the base's row that a row belongs to."""
        return index * self._stride + mix(self._seed, index) % self._stride

    def index_of(self, base_index: int) -> int | None:
        """Give the row that belongs to the base's row, if it has one."""
        index = base_index // self._stride
        is_row = index < self._limit and self.base_index(index) == base_index
        return index if is_row else None

    def at(self, index: int) -> int:
        """Give the moment of a row."""
        return self._base.at(self.base_index(index)) + self._delay

    def before(self, moment: int) -> int:
        """Count the rows earlier than a moment."""
        rows = self._base.before(moment - self._delay)
        count = max(0, rows // self._stride)
        return int(min(count + (self.base_index(count) < rows), self._limit))
