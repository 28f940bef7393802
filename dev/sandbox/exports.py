"""BulkExport: days that were exported or ordered, and what their files hold."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sandbox.errors import TwilioError, invalid
from sandbox.moments import DAY, HOUR, MINUTE, iso8601, iso_day, read_iso, read_wire
from sandbox.paths import CALLS, CONFERENCES, DAYS, JOBS, MESSAGES, PARTICIPANTS
from sandbox.rows import foreign_sid
from sandbox.tables import Shelf, Span
from sandbox.writing import Write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.accounts import Account
    from sandbox.frames import Wire
    from sandbox.paths import Content
    from sandbox.refusals import Form
    from sandbox.storage import Storage
    from sandbox.world import World
    from sandbox.writing import Written

HOST: Final = "bulkexports"

KEPT_FOR: Final = 7 * DAY
"""Seconds from a file's making until it is gone."""

QUEUED_FOR: Final = HOUR
"""Seconds that a job waits."""

PACE: Final = MINUTE
"""Seconds that a job takes for a day."""

MOST: Final = 366
"""Days that all accounts together may order on one day."""

MISSING: Final[Mapping[str, frozenset[str]]] = {
    "Messages": frozenset({"price_unit", "api_version", "error_message", "uri"}),
    "Calls": frozenset({"uri"}),
    "Conferences": frozenset({"api_version", "uri"}),
    "Participants": frozenset({"uri", "label"}),
}
"""Fields that lists have, and files have not; none has `subresource_uris`."""

_FLAGS: Final = 65618
_JOBS: Final = re.compile(r"/v1/Exports/(Messages|Calls|Conferences|Participants)/Jobs")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
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


@dataclass
class Job:
    """An order: its days are done one by one, once it was its turn.

    Attributes:
        created: When it was ordered.
        files: What was made of the days that are done; None of those without rows.
        failed: Days that can't be made.
    """

    sid: str
    kind: str
    account_sid: str
    name: str
    days: list[str]
    created: int
    files: dict[str, bytes | None] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def done_at(self, day: str) -> int:
        """Tell when a day is done."""
        return self.created + QUEUED_FOR + PACE * (1 + self.days.index(day))

    def status(self, day: str, now: int) -> str:
        """Tell how far a day has come."""
        if now < self.created + QUEUED_FOR:
            return "Submitted"
        if now < self.done_at(day):
            return "Running"
        if day in self.failed:
            return "Failed"
        return "Completed" if self.files[day] is not None else "CompletedEmptyRecords"


class Exports:
    """The exported days of all accounts: those made by hand, or else some that made themselves.

    Attributes:
        jobs: All orders, the first one first.
        failing: Days that jobs shall fail to make.
        names_days: Whether jobs tell the days of each status.
    """

    def __init__(self, world: World, storage: Storage) -> None:
        """Export nothing by hand yet."""
        self._world = world
        self._storage = storage
        self._made: dict[tuple[str, str], list[Export]] = {}
        self.jobs: list[Job] = []
        self.failing: set[str] = set()
        self.names_days = True
        world.exports = self.listed

    def route(self, method: str, host: str, path: str) -> Write | None:
        """Find what a request would order; None if nothing."""
        match = _JOBS.fullmatch(path) if (method, host) == ("POST", HOST) else None
        return None if match is None else Write(self._order, sid=match[1])

    def _order(self, account: Account, kind: str, form: Form) -> Written:
        given = {name: values[-1] for name, values in form.items()}
        for name in ("StartDay", "EndDay", "FriendlyName"):
            if not given.get(name) or (name != "FriendlyName" and not _DAY.fullmatch(given[name])):
                raise invalid(name, given.get(name, ""))
        now = self._world.now
        today = now - now % DAY
        start, end = read_wire(given["StartDay"]), read_wire(given["EndDay"])
        if start is None or end is None or not start <= end <= today - 2 * DAY:
            name = "EndDay"
            raise invalid(name, given[name])
        days = [iso_day(moment) for moment in range(start, end + 1, DAY)]
        if len(days) + sum(len(job.days) for job in self.jobs if job.created >= today) > MOST:
            raise TwilioError(400, 20001, f"No more than {MOST} days may be exported a day")
        sid = foreign_sid("JS", self._world.seed, len(self.jobs))
        job = Job(sid, kind, account.sid, given["FriendlyName"], days, now)
        self.jobs.append(job)
        self._made.setdefault((account.sid, kind), [])
        self._world.version += 1
        return 201, self._row(job)

    def _row(self, job: Job) -> Wire:
        now = self._world.now
        by_status: dict[str, list[str]] = {}
        for day in job.days:
            by_status.setdefault(job.status(day, now), []).append(day)
        is_done = now >= job.done_at(job.days[-1])
        return {
            "job_sid": job.sid,
            "resource_type": job.kind,
            "friendly_name": job.name,
            "start_day": job.days[0],
            "end_day": job.days[-1],
            "details": [
                {"status": status, "count": len(days), "days": days if self.names_days else None}
                for status, days in by_status.items()
            ],
            "webhook_url": None,
            "webhook_method": None,
            "email": None,
            "job_queue_position": None if is_done else "1",
            "estimated_completion_time": iso8601(job.done_at(job.days[-1]))[:-1] + ".547",
        }

    def _work(self, kind: str, account: Account) -> None:
        """Make the files of the days that are done by now."""
        now, made = self._world.now, self._made[account.sid, kind]
        for job in self.jobs:
            if (job.account_sid, job.kind) != (account.sid, kind):
                continue
            for day in job.days:
                if job.done_at(day) > now or day in job.files or day in job.failed:
                    continue
                if day in self.failing:
                    job.failed.append(day)
                    continue
                rows = self.rows(kind, day, account)
                content = job.files[day] = packed(rows) if rows else None
                if content is not None:
                    made.append(Export(day, content, job.done_at(day), job.name))

    def make(
        self, kind: str, day: str, content: Content | None, account: Account, name: str | None
    ) -> None:
        """Make a file of a day now, beside those of the same day."""
        export = Export(day, content, self._world.now, name)
        self._made.setdefault((account.sid, kind), []).append(export)
        self._world.version += 1

    def listed(self, path: str, kind: str, account: Account) -> Shelf | None:
        """Give the days made by hand that are still there, the first made first; None without.

        The other list is of jobs that were done less than a week ago, the newest first.
        """
        made = self._made.get((account.sid, kind))
        if made is None:
            return None
        self._work(kind, account)
        if path == JOBS:
            jobs = [
                self._row(job)
                for job in reversed(self.jobs)
                if (job.account_sid, job.kind) == (account.sid, kind)
                and job.done_at(job.days[-1]) + KEPT_FOR > self._world.now
            ]
            return Shelf(lambda _: jobs, "job_sid")
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
        # Lists of days are read from their end.
        return Shelf(lambda _: rows[::-1], "day")

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
            self._work(kind, account)
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
