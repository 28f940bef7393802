"""Tables: the rows of one endpoint for one account below one parent, and the edits made to them.

A table computes the rows that it is asked for, newest first or oldest first, starting anywhere,
and keeps some for whoever asks again. Edits, and rows that are listed elsewhere than their place
says, lie beside it in a short list that is merged into every scan.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from sandbox.endpoints import snake
from sandbox.frames import Draft, Key, Wire
from sandbox.identifiers import SidSpace
from sandbox.moments import first_moment
from sandbox.rows import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.accounts import Account
    from sandbox.endpoints import Endpoint
    from sandbox.timeline import Timeline
    from sandbox.traits import Traits

ADDED: Final = 1 << 48
"""Places from here on belong to rows that were added by hand."""

_ROWS_KEPT: Final = 4096


@dataclass(frozen=True)
class Span:
    """A range of time, `[low, high)`; None is no bound."""

    low: int | None = None
    high: int | None = None

    def meet(self, other: Span) -> Span:
        """Give what lies in both ranges."""
        lows = [one for one in (self.low, other.low) if one is not None]
        highs = [one for one in (self.high, other.high) if one is not None]
        return Span(max(lows, default=None), min(highs, default=None))

    def widened(self, least: int, most: int) -> Span:
        """Give the range of what lies so much before this one."""
        return Span(
            None if self.low is None else self.low - most,
            None if self.high is None else self.high - least,
        )


EVERYTHING: Final = Span()


class Source(Protocol):
    """Rows in order."""

    def scan(
        self, now: int, span: Span = ..., after: Key | None = None, *, ascending: bool = False
    ) -> Iterator[tuple[Key, Wire]]:
        """Give rows with their keys, from behind a key on.

        Rows outside the span may come too: it only spares the work of making most of them.
        """

    def locate(self, sid: str, now: int) -> Key | None:
        """Give the key of a row that was listed once."""

    def find(self, sid: str, now: int) -> Wire | None:
        """Give one row by its SID."""


class Table:
    """A table whose rows are computed.

    Args:
        endpoint: The list that shows it.
        account: Whose rows they are.
        values: The placeholders of the endpoint's path, without the account's.
        seed: What tells it from all other tables.
        prefix: The first two letters of its SIDs.
        timeline: When its rows come to be.
        traits: What is peculiar to the resource.
        child_endpoints: The lists below its rows.
        base: The table whose rows these belong to.
        relate: Finds another table of the account by its path.
        media_share: The share of messages that have media.
    """

    def __init__(  # noqa: PLR0913
        self,
        endpoint: Endpoint,
        account: Account,
        values: dict[str, str],
        *,
        seed: int,
        prefix: str,
        timeline: Timeline,
        traits: Traits,
        child_endpoints: Sequence[Endpoint] = (),
        base: Table | None = None,
        relate: Callable[[str], Table | None] = lambda _: None,
        media_share: float = 0.0,
    ) -> None:
        """Compile the rows' template."""
        self.endpoint = endpoint
        self.account = account
        self.values = values
        self.seed = seed
        self.sids = SidSpace(prefix, seed)
        self.timeline = timeline
        self.traits = traits
        self.media_share = media_share
        self.child_endpoints = child_endpoints
        self.base = base
        self.relate = cache(relate)
        self._describe = traits.describe
        written = (
            frozenset(self._describe(Draft(self, 0, timeline.at(0), timeline.at(0))))
            if self._describe
            else frozenset()
        )
        self._template = Template(self, written)
        self._kept: dict[int, Wire] = {}
        self._kept_at = -1
        self._added: list[Wire] = []
        self._patches: dict[int, Wire] = {}
        self._gone: set[int] = set()
        self._version = 0
        self._beside: tuple[tuple[int, int], list[tuple[Key, Wire]]] = ((-1, -1), [])

    @property
    def identifier(self) -> str:
        """The field that holds a row's SID."""
        return self.traits.identifier

    @property
    def path_values(self) -> dict[str, str]:
        """All placeholders of the endpoint's path."""
        return {"AccountSid": self.account.sid, **self.values}

    @property
    def values_by_field(self) -> dict[str, str]:
        """The fields by which rows repeat their path."""
        fields = {snake(name): value for name, value in self.values.items()}
        fields.pop("id", None)
        if "parent_sid" in self.endpoint.properties and self.values:
            fields["parent_sid"] = list(self.values.values())[-1]
        return fields

    def draft(self, index: int, now: int) -> Draft:
        """Give the frame of a row, for others that refer to it."""
        return Draft(self, index, self.timeline.at(index), now)

    def row(self, index: int, now: int) -> Wire:
        """Compute a row, as it would be without edits; nobody may change it."""
        if self._kept_at != now or len(self._kept) > _ROWS_KEPT:
            self._kept.clear()
            self._kept_at = now
        row = self._kept.get(index)
        if row is None:
            row = self._kept[index] = self._make(index, now)
        return row

    def _make(self, index: int, now: int) -> Wire:
        draft = self.draft(index, now)
        row = self._template.fill(draft)
        if self._describe:
            row.update(self._describe(draft))
        return row

    def scan(
        self,
        now: int,
        span: Span = EVERYTHING,
        after: Key | None = None,
        *,
        ascending: bool = False,
    ) -> Iterator[tuple[Key, Wire]]:
        """Give rows with their keys, from behind a key on."""
        computed = self._computed(now, span, after, ascending=ascending)
        beside = self._aside(now)
        if not beside:
            return computed
        if after is not None:
            beside = [one for one in beside if (one[0] > after if ascending else one[0] < after)]
        if not ascending:
            beside = beside[::-1]
        return heapq.merge(computed, beside, key=lambda one: one[0], reverse=not ascending)

    def locate(self, sid: str, now: int) -> Key | None:
        """Give the key of a row that was listed once, even if it has gone since."""
        for key, row in self._aside(now):
            if row.get("sid") == sid:
                return key
        index = self._place(sid, now)
        return None if index is None else (self.timeline.at(index), index)

    def find(self, sid: str, now: int) -> Wire | None:
        """Give one row by its SID."""
        field = self.traits.identifier
        beside = self._aside(now)
        if field != "sid" and self.traits.place is None:
            beside = list(self.scan(now))
        for _, row in beside:
            if row.get(field) == sid:
                return row
        index = self._place(sid, now)
        if index is None or index in self._gone:
            return None
        row = self.row(index, now)
        return row if row.get(field) == sid else None

    def add(self, row: Wire) -> None:
        """Put in a row by hand; nothing about it is checked."""
        self._added.append(row)
        self._version += 1

    def patch(self, sid: str, now: int, fields: Wire) -> bool:
        """Fix fields of a row, whatever it would say otherwise.

        Returns:
            Whether there is such a row.
        """
        self._version += 1
        for row in self._added:
            if row.get(self.traits.identifier) == sid:
                row.update(fields)
                return True
        index = self._place(sid, now)
        if index is None or (index in self._gone and index not in self._patches):
            return False
        self._gone.add(index)
        self._patches.setdefault(index, {}).update(fields)
        return True

    def delete(self, sid: str, now: int) -> bool:
        """Take a row away.

        Returns:
            Whether there was such a row.
        """
        self._version += 1
        for row in self._added:
            if row.get(self.traits.identifier) == sid:
                self._added.remove(row)
                return True
        index = self._place(sid, now)
        if index is None or (index in self._gone and index not in self._patches):
            return False
        self._gone.add(index)
        self._patches.pop(index, None)
        return True

    def pick(self, now: int, places: Sequence[int]) -> list[tuple[Key, Wire]]:
        """Give the computed rows at some places and all rows beside them, newest first."""
        end = self.timeline.before(now)
        rows = [
            ((self.timeline.at(place), place), self.row(place, now))
            for place in places
            if place < end and place not in self._gone
        ]
        return sorted([*rows, *self._aside(now)], key=lambda one: one[0], reverse=True)

    def owns(self, sid: str) -> bool:
        """Tell whether a SID is of this table, listed or not."""
        if self.sids.index(sid) is not None:
            return True
        return any(row.get(self.traits.identifier) == sid for row in self._added)

    def _place(self, sid: str, now: int) -> int | None:
        index = self.sids.index(sid)
        if index is None:
            return self.traits.place(self, sid, now) if self.traits.place else None
        return index if index < self.timeline.before(now) or self._is_pending(index, now) else None

    def _is_pending(self, index: int, now: int) -> bool:
        return any(place == index for _, place in self._pending(now))

    def _pending(self, now: int) -> list[Key]:
        return self.traits.pending(self, now) if self.traits.pending else []

    def _computed(
        self, now: int, span: Span, after: Key | None, *, ascending: bool
    ) -> Iterator[tuple[Key, Wire]]:
        timeline, gone, row = self.timeline, self._gone, self.row
        low = 0 if span.low is None else timeline.before(span.low)
        high = timeline.before(now if span.high is None else min(now, span.high))
        if after is not None:
            moment, place = after
            edge = place if place < ADDED and timeline.at(place) == moment else -1
            if ascending:
                low = max(low, edge + 1 if edge >= 0 else timeline.before(moment + 1))
            else:
                high = min(high, edge if edge >= 0 else timeline.before(moment + 1))
        for index in range(low, high) if ascending else range(high - 1, low - 1, -1):
            if index not in gone:
                yield (timeline.at(index), index), row(index, now)

    def _aside(self, now: int) -> list[tuple[Key, Wire]]:
        """Give the rows beside the computed ones, oldest first."""
        state = (now, self._version)
        if self._beside[0] != state:
            rows = [
                ((moment, ADDED * 2 + place), self.row(place, now))
                for moment, place in self._pending(now)
                if place not in self._gone
            ]
            for place, fields in self._patches.items():
                if place < self.timeline.before(now) or self._is_pending(place, now):
                    row = self.row(place, now) | fields
                    rows.append(((self._moment(row, now), ADDED * 2 + place), row))
            rows += [
                ((self._moment(row, now), ADDED + place), row)
                for place, row in enumerate(self._added)
            ]
            self._beside = (state, sorted(rows, key=lambda one: one[0]))
        return self._beside[1]

    def _moment(self, row: Wire, now: int) -> int:
        moment = first_moment(row, self.traits.order)
        return now if moment is None else moment


class Shelf:
    """Rows made as a whole whenever they are asked for: few, or different each time.

    Args:
        make: Gives all rows in the order of the list.
    """

    def __init__(self, make: Callable[[int], list[Wire]], identifier: str = "sid") -> None:
        """Keep the maker."""
        self._make = make
        self._identifier = identifier

    def scan(
        self,
        now: int,
        span: Span = EVERYTHING,
        after: Key | None = None,
        *,
        ascending: bool = False,
    ) -> Iterator[tuple[Key, Wire]]:
        """Give rows with their keys, from behind a key on."""
        del span
        rows = self._make(now)
        keyed = [((-place, 0), row) for place, row in enumerate(rows)]
        if ascending:
            keyed.reverse()
        start = 0
        if after is not None:
            keys = [-key[0] if not ascending else key[0] for key, _ in keyed]
            start = bisect_left(keys, (-after[0] if not ascending else after[0]) + 1)
        yield from keyed[start:]

    def locate(self, sid: str, now: int) -> Key | None:
        """Give the key of a row."""
        for place, row in enumerate(self._make(now)):
            if row.get(self._identifier) == sid:
                return (-place, 0)
        return None

    def find(self, sid: str, now: int) -> Wire | None:
        """Give one row by its SID."""
        rows = self._make(now)
        return next((row for row in rows if row.get(self._identifier) == sid), None)
