"""Rows of a look-back that an earlier run wrote as they are now: told by a digest a minute.

A row's ``date_updated`` doesn't tell: redactions don't move it, and nothing says that late prices
do. So the state keeps, for each minute of the look-back, a digest of the rows that were written of
it. Rows are left out only where all rows of their minute together have that digest. Whatever else
comes to pass, in whatever order rows come, they are written: too much, but never too little.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import defaultdict
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_twilio.engine.requests import Record

SIZE: Final = 6
"""Bytes of a digest: of those of other rows, one in 280 million million is the same."""

ENTRY: Final = 2 + SIZE
"""Bytes of a minute in the state: its number in the day and its digest; a third more as Base64."""

MOST_MINUTES: Final = 30_000
"""Minutes of a stream and account in the state: 20 days of which each minute has rows, 320 kB."""

MOST_HELD: Final = 10_000
"""Rows that wait for the others of their minute."""

_MINUTE: Final = re.compile(r"\d{4}-\d\d-\d\d(T([01]\d|2[0-3]):[0-5]\d)?", re.ASCII)
_encoder = msgspec.json.Encoder(order="sorted")


class Unchanged:
    """What was written of the look-back of a stream and account."""

    def __init__(
        self,
        held: Mapping[str, str],
        *,
        field: str,
        floor: str,
        salt: str,
        room: int = MOST_MINUTES,
    ) -> None:
        """Take what the state holds.

        Args:
            held: The minutes of each day, as :meth:`packed` gives them.
            field: Holds the date of a row.
            floor: The minute from which on the next run will read again.
            salt: Settings that change what is written of a row: others give other digests.
            room: Most minutes to keep.
        """
        self._field = field
        self._floor = floor
        self._salt = sha256(salt.encode()).digest()
        self._days = {day: unpack(text) for day, text in held.items()}
        self._packed = {day: text for day, text in held.items() if day >= floor[:10]}
        self._room = room - sum(len(self._days[day]) for day in self._packed)
        self._stale: set[str] = set()
        self._waiting: defaultdict[str, list[Record]] = defaultdict(list)
        self._decided: set[str] = set()

    def sift(self, records: Iterable[Record], *, is_last: bool) -> list[Record]:
        """Give the rows to write, by the rows of a page: some of them wait for the next page.

        Args:
            is_last: Whether no page follows, so that none has to wait.
        """
        found: list[Record] = []
        minute = ""
        for row in records:
            date = row.get(self._field)
            minute = date[:16] if isinstance(date, str) else ""
            if self._is_kept(minute):
                self._waiting[minute].append(row)
            else:
                found.append(row)
        held = self._waiting.get(minute, ())
        for each in list(self._waiting):
            # Lists are sorted: more rows can only come of the minute of the last.
            if is_last or each != minute or len(held) > MOST_HELD:
                found += self._decide(each, self._waiting.pop(each))
        return found

    def packed(self) -> dict[str, str]:
        """Give what the state is to hold: for each day, its minutes with rows."""
        for day in self._stale:
            minutes = self._days[day]
            self._packed.pop(day, None)
            if minutes and day >= self._floor[:10]:
                self._packed[day] = _pack(minutes)
        self._stale.clear()
        return dict(sorted(self._packed.items()))

    def _is_kept(self, minute: str) -> bool:
        """Tell whether a minute has a digest, or is to have one."""
        if minute in self._waiting:
            return True
        if not _MINUTE.fullmatch(minute):
            return False
        return self._is_recent(minute) or _number(minute) in self._days.get(minute[:10], ())

    def _is_recent(self, minute: str) -> bool:
        """Tell whether the next run reads a minute again, or a day."""
        return minute >= self._floor[: len(minute)]

    def _decide(self, minute: str, rows: list[Record]) -> list[Record]:
        day, number = minute[:10], _number(minute)
        known = self._days.setdefault(day, {})
        before = known.get(number)
        # One that was decided on has rows that came late: nothing holds of them together.
        digest = None if minute in self._decided else self._digest(rows)
        self._decided.add(minute)
        if digest is not None and digest == before:
            return []
        self._stale.add(day)
        if before is not None:
            del known[number]
            self._room += self._is_recent(minute)
        if digest is not None and self._room > 0 and self._is_recent(minute):
            known[number] = digest
            self._room -= 1
        return rows

    def _digest(self, rows: list[Record]) -> bytes:
        """Digest rows, whatever their order."""
        total = len(rows)
        for row in rows:
            hashed = blake2b(_encoder.encode(row), digest_size=SIZE, key=self._salt).digest()
            total += int.from_bytes(hashed)
        return (total % (1 << 8 * SIZE)).to_bytes(SIZE)


def _number(minute: str) -> int:
    """Give a minute's number in its day; a date without a time is its first."""
    return int(minute[11:13] or 0) * 60 + int(minute[14:16] or 0)


def _pack(minutes: Mapping[int, bytes]) -> str:
    entries = (number.to_bytes(2) + digest for number, digest in sorted(minutes.items()))
    return b64encode(b"".join(entries)).decode()


def unpack(text: str) -> dict[int, bytes]:
    """Give a day's digests by the numbers of their minutes; empty for what is none of them."""
    try:
        content = b64decode(text, validate=True)
    except ValueError:
        return {}
    return {
        int.from_bytes(content[at : at + 2]): content[at + 2 : at + ENTRY]
        for at in range(0, len(content) - ENTRY + 1, ENTRY)
    }
