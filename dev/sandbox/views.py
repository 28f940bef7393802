"""Lists that show some rows of another list: the recordings of one call, the mobile numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.tables import EVERYTHING, Span, Table
from sandbox.timeline import EveryNth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sandbox.frames import Key, Wire


class Filtered:
    """Some rows of a table.

    Args:
        base: The table.
        where: The fields that decide, each with its value.
        places: The only places that can hold such rows, if that is known.
        without: Fields of the table that this list doesn't show.
    """

    def __init__(
        self,
        base: Table,
        where: Mapping[str, str],
        places: Sequence[int] | None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """Keep the condition."""
        self.base = base
        self._without = without
        self._where = where
        self._places = places

    def scan(
        self,
        now: int,
        span: Span = EVERYTHING,
        after: Key | None = None,
        *,
        ascending: bool = False,
    ) -> Iterator[tuple[Key, Wire]]:
        """Give rows with their keys, from behind a key on."""
        rows: Iterable[tuple[Key, Wire]]
        if self._places is None:
            rows = self.base.scan(now, span, after, ascending=ascending)
        else:
            rows = self.base.pick(now, self._places)
            if ascending:
                rows = reversed(rows)
            if after is not None:
                rows = [one for one in rows if (one[0] > after if ascending else one[0] < after)]
        for key, row in rows:
            if all(row.get(name) == value for name, value in self._where.items()):
                yield key, {name: row[name] for name in row if name not in self._without}

    def locate(self, sid: str, now: int) -> Key | None:
        """Give the key of a row that was listed once."""
        return self.base.locate(sid, now)

    def find(self, sid: str, now: int) -> Wire | None:
        """Give one row by its SID."""
        return self.base.find(sid, now)


def places_below(base: Table, parent: Table, sid: str) -> Sequence[int] | None:
    """Find the places in a table that can belong to one row of another.

    Args:
        base: The table.
        parent: The other one.
        sid: The row of the other.

    Returns:
        The places, or None if the tables' timelines do not tell.
    """
    timeline = base.timeline
    if not isinstance(timeline, EveryNth):
        return None
    place = parent.sids.index(sid)
    if place is not None and base.base is not parent:
        if not isinstance(parent.timeline, EveryNth) or parent.base is not base.base:
            return None
        place = parent.timeline.base_index(place)
    index = None if place is None else timeline.index_of(place)
    return () if index is None else (index,)
