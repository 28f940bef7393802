"""BulkExport: days that were exported, and what their files hold."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.moments import DAY, iso8601, read_iso, read_wire
from sandbox.paths import CALLS, CONFERENCES, DAYS, MESSAGES, PARTICIPANTS
from sandbox.tables import Shelf, Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.accounts import Account
    from sandbox.frames import Wire
    from sandbox.paths import Content
    from sandbox.storage import Storage
    from sandbox.world import World

HOST: Final = "bulkexports"

KEPT_FOR: Final = 7 * DAY
"""Seconds from a file's making until it is gone."""

MISSING: Final[Mapping[str, frozenset[str]]] = {
    "Messages": frozenset({"price_unit", "api_version", "error_message", "uri"}),
    "Calls": frozenset({"uri"}),
    "Conferences": frozenset({"api_version", "uri"}),
    "Participants": frozenset({"uri", "label"}),
}
"""Fields that lists have, and files have not; none has `subresource_uris`."""

_FLAGS: Final = 65618
_BASES: Final = {"Messages": MESSAGES, "Calls": CALLS, "Conferences": CONFERENCES}


@dataclass
class Export:
    """A file that was made of a day.

    Attributes:
        content: What it holds; None if there is no file.
        created: When it was made.
        name: What it is called.
    """

    day: str
    content: Content | None
    created: int
    name: str | None


class Exports:
    """The exported days of all accounts: those made by hand, or else some that made themselves."""

    def __init__(self, world: World, storage: Storage) -> None:
        """Export nothing by hand yet."""
        self._world = world
        self._storage = storage
        self._made: dict[tuple[str, str], list[Export]] = {}
        world.exports = self.listed

    def make(
        self, kind: str, day: str, content: Content | None, account: Account, name: str | None
    ) -> None:
        """Make a file of a day now, beside those of the same day."""
        export = Export(day, content, self._world.now, name)
        self._made.setdefault((account.sid, kind), []).append(export)
        self._world.version += 1

    def listed(self, kind: str, account: Account) -> Shelf | None:
        """Give the days made by hand that are still there, the first made first; None without."""
        made = self._made.get((account.sid, kind))
        if made is None:
            return None
        rows = [
            {
                "day": one.day,
                "size": len(one.content) if isinstance(one.content, bytes) else None,
                "create_date": iso8601(one.created),
                "friendly_name": one.name,
                "resource_type": kind,
            }
            for one in made
            if one.created + KEPT_FOR > self._world.now
        ]
        return Shelf(lambda _: rows, "day")

    def address(self, kind: str, day: str, account: Account) -> str | None:
        """Give the signed address of a day's newest file; None if there is none."""
        if self.content(kind, day, account) is None:
            return None
        path = f"/daily/day%3D{day}/type%3D{kind}/account%3D{account.sid}/part-0.json.gz"
        return self._storage.sign(path, lambda: self.content(kind, day, account))

    def content(self, kind: str, day: str, account: Account) -> Content | None:
        """Give a day's newest file."""
        made = self._made.get((account.sid, kind))
        if made is not None:
            now = self._world.now
            found = [one for one in made if one.day == day and one.created + KEPT_FOR > now]
            return found[-1].content if found else None
        endpoint = self._world.catalogue.get(HOST, DAYS)
        if endpoint is None:
            return None
        days = self._world.source(endpoint, account, {"ResourceType": kind})
        if not any(row["day"] == day for _, row in days.scan(self._world.now)):
            return None
        return packed(self.rows(kind, day, account))

    def rows(self, kind: str, day: str, account: Account) -> list[Wire]:
        """Give the rows of a day as a file has them that is made now."""
        if kind == "Participants":
            rows = [
                {"conference_sid": conference["sid"], **row}
                for conference in self._base("Conferences", day, account)
                for row in self._below(conference, account)
            ]
        else:
            rows = self._base(kind, day, account)
        return [exported(kind, day, row) for row in rows]

    def _base(self, kind: str, day: str, account: Account) -> list[Wire]:
        endpoint = self._world.catalogue.get("api", _BASES[kind])
        if endpoint is None:
            return []
        start = read_iso(day)
        # Lists are sorted by another date, which is near.
        span = Span(start - DAY, start + 3 * DAY)
        source = self._world.source(endpoint, account, {})
        return [
            row
            for _, row in source.scan(self._world.now, span)
            if (created := read_wire(row["date_created"])) is not None
            and start <= created < start + DAY
        ]

    def _below(self, conference: Wire, account: Account) -> list[Wire]:
        endpoint = self._world.catalogue.get("api", PARTICIPANTS)
        if endpoint is None:
            return []
        values = {"ConferenceSid": conference["sid"]}
        table = self._world.table(endpoint, account, values, conference)
        return [row for _, row in table.scan(self._world.now)]


def exported(kind: str, day: str, row: Mapping[str, Any]) -> Wire:
    """Write a list's row as files have it."""
    out: Wire = {
        name: _written(value)
        for name, value in row.items()
        if name not in MISSING[kind] and name != "subresource_uris"
    }
    if kind == "Messages":
        out |= {name: int(out[name]) for name in ("num_segments", "num_media")}
        out["error_code"] = out["error_code"] or 0
    return out | {"flags": _FLAGS, "start": day}


def _written(value: Any) -> Any:  # noqa: ANN401
    moment = read_wire(value) if isinstance(value, str) and value.endswith("+0000") else None
    return value if moment is None else iso8601(moment)


def packed(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Put rows into a file."""
    return gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode(), mtime=0)
