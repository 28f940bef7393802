"""What must be true after a run, told by what the server holds and nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from harness import SCHEMAS, STREAMS_BY_NAME, typed, wire_path
from sandbox import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness import Output, Record
    from sandbox import Sandbox

import json

Key = tuple[Any, ...]

VOLATILE: Final = frozenset({"as_of"})
"""Fields that differ from one request to the next."""

UNDATED_DEPTH: Final = timedelta(days=2)
"""How far back rows without a date are promised."""

ANSWERED: Final = timedelta(minutes=10)
"""How long after a run's beginning its first answer may be dated, by the server's clock."""

EDGE: Final = timedelta(minutes=10)
"""How near to the end of Twilio's retention rows may be missing."""


class Violation(AssertionError):  # noqa: N818 - it is no error of the oracle
    """Something that was promised is not so."""


def check(holds: object, broken: str) -> None:
    """Insist on a promise.

    Args:
        holds: Whether it was kept.
        broken: What it means that it wasn't.

    Raises:
        Violation: It wasn't.
    """
    if not holds:
        raise Violation(broken)


@dataclass(frozen=True)
class Truth:
    """What the server holds for one stream of one account.

    Attributes:
        rows: All rows by their keys, typed as the schema says.
        dates: The moment that decides, for each key, whether a run's range takes it in: a
            child's is its parent's; none for rows that every run reads.
        undated: Keys of rows that have no date yet, with the time that they were made.
    """

    rows: dict[Key, Record]
    dates: dict[Key, datetime]
    undated: dict[Key, datetime]


def look(twilio: Sandbox, name: str, account_sid: str) -> Truth:
    """Ask the server what there is.

    Args:
        twilio: The server.
        name: Name of a stream.
        account_sid: The account.

    Returns:
        All rows of the stream.
    """
    stream = STREAMS_BY_NAME[name]
    properties = json.loads((SCHEMAS / stream.product / f"{name}.json").read_text())["properties"]
    parent: Any = stream.parent_stream_type
    dates: Mapping[str, tuple[datetime | None, datetime | None]] = {}
    if parent is not None and parent.name != "accounts":
        above = look(twilio, parent.name, account_sid)
        dates = {str(key[0]): (above.dates.get(key), above.undated.get(key)) for key in above.rows}
    truth = Truth({}, {}, {})
    for row in _held(twilio, name, account_sid):
        extra = {_snake(one): value for one, value in row.path_values.items()}
        merged = row | {one: value for one, value in extra.items() if row.get(one) is None}
        record = typed(merged, properties)
        for secret in stream.secret_fields:
            record.pop(secret, None)
        key = tuple(record.get(one) for one in stream.primary_keys)
        truth.rows[key] = record
        date: datetime | None = None
        made: datetime | None = None
        if dates:
            date, made = dates[list(row.path_values.values())[-1]]
        elif stream.window is not None:
            date = _moment(record.get(str(stream.replication_key)))
            made = _moment(record.get("date_created"))
        if date is not None:
            truth.dates[key] = date
        elif made is not None:
            truth.undated[key] = made
    return truth


def _held(twilio: Sandbox, name: str, account_sid: str) -> list[Row]:
    stream = STREAMS_BY_NAME[name]
    if not name.startswith("usage_records"):
        return twilio.truth(stream.product, wire_path(stream), account_sid=account_sid)
    # Unless told otherwise, Twilio adds the subaccounts' usage to their parent's.
    usage = twilio.usage(wire_path(stream), account_sid, IncludeSubaccounts="false")
    return [Row(row, {"AccountSid": account_sid}) for row in usage]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Range:
    """What a run was told to read.

    Attributes:
        now: When it began.
        start: Where its range begins.
        end: Where it ends; none for up to now.
    """

    now: datetime
    start: datetime | None
    end: datetime | None

    def required(self, name: str, truth: Truth) -> set[Key]:
        """Tell which rows a run must have brought by its end, or runs before it.

        Args:
            name: Name of the stream.
            truth: What the server held when the run began.

        Returns:
            Their keys.
        """
        low, high, retention = self._bounds(name)
        wanted = set(truth.rows) - set(truth.undated)
        if retention is not None:
            low = max(low, self.now - retention + EDGE)
        wanted -= {key for key, date in truth.dates.items() if not low <= date < high}
        if self.end is None:
            recent = max(low, self.now - UNDATED_DEPTH)
            wanted |= {key for key, made in truth.undated.items() if made >= recent}
        return wanted

    def allowed(self, name: str, truth: Truth) -> set[Key]:
        """Tell which rows a run may bring.

        Args:
            name: Name of the stream.
            truth: What the server held.

        Returns:
            Their keys.
        """
        low, high, _ = self._bounds(name)
        outside = {key for key, date in truth.dates.items() if not low <= date < high}
        return set(truth.rows) - outside

    def _bounds(self, name: str) -> tuple[datetime, datetime, timedelta | None]:
        window = _window_above(name)
        low = datetime.min.replace(tzinfo=UTC) if self.start is None else self.start
        high = datetime.max.replace(tzinfo=UTC) if self.end is None else self.end
        if window is None:
            return low, high, None
        if self.start is not None:
            low = window.precision.floor(low)
        if self.end is not None:
            high = window.precision.floor(high)
        return low, high, window.retention


def _window_above(name: str) -> Any:  # noqa: ANN401 - a DateFilter or none
    stream: Any = STREAMS_BY_NAME[name]
    while stream is not None:
        if stream.window is not None:
            return stream.window
        stream = stream.parent_stream_type
    return None


def family(name: str) -> list[str]:
    """Name a stream and what it hangs below.

    Args:
        name: Name of the stream.

    Returns:
        The names, the stream's own first.
    """
    names = []
    stream: Any = STREAMS_BY_NAME[name]
    while stream is not None:
        names.append(stream.name)
        stream = stream.parent_stream_type
    return names


@dataclass
class Target:
    """What a target holds that keeps the last of what it is told, by key.

    Attributes:
        rows: Records by stream and key.
        state: The last state.
    """

    rows: dict[str, dict[Key, Record]] = field(default_factory=lambda: defaultdict(dict))
    state: dict[str, Any] = field(default_factory=dict)

    def load(self, messages: Iterable[dict[str, Any]]) -> None:
        """Take in messages, in order.

        Args:
            messages: Decoded Singer messages.

        Raises:
            Violation: A RECORD came before its SCHEMA.
        """
        known: set[str] = set()
        for message in messages:
            kind = message["type"]
            if kind == "SCHEMA":
                known.add(message["stream"])
            elif kind == "RECORD":
                name = message["stream"]
                check(name in known, f"{name}: a RECORD came before its SCHEMA")
                self.rows[name][self.key(name, message["record"])] = message["record"]
            elif kind == "STATE":
                self.state = message["value"]

    @staticmethod
    def key(name: str, record: Record) -> Key:
        """Give a record's key."""
        return tuple(record.get(one) for one in STREAMS_BY_NAME[name].primary_keys)

    def bookmarks(self, names: Iterable[str], account_sid: str) -> list[datetime]:
        """Give the bookmarks of streams for an account, where there are any."""
        found = []
        for name in names:
            for partition in self.state.get("bookmarks", {}).get(name, {}).get("partitions", []):
                if partition.get("context") == {"account_sid": account_sid}:
                    moment = _moment(partition.get("replication_key_value"))
                    if moment is not None:
                        found.append(moment)
        return found


@dataclass
class Judge:
    """Judges a run by what the server holds.

    Attributes:
        twilio: The server.
        streams: The streams that are read.
    """

    twilio: Sandbox
    streams: tuple[str, ...]

    def truths(self) -> dict[tuple[str, str], Truth]:
        """Look at everything."""
        return {
            (name, account.sid): look(self.twilio, name, account.sid)
            for name in self.streams
            for account in self.twilio.accounts
            if name != "accounts" or account is self.twilio.accounts[0]
        }

    def complete(
        self, output: Output, target: Target, span: Range, truths: dict[tuple[str, str], Truth]
    ) -> None:
        """Insist that a run without trouble brought all there is.

        Args:
            output: What it said.
            target: What was loaded by it and the runs before.
            span: What it was told to read.
            truths: What the server held.

        Raises:
            Violation: Something is missing, or not as it is on the server.
        """
        check(output.exit_code == 0, f"the run ended with {output.exit_code}: {_tail(output)}")
        for (name, account), truth in truths.items():
            loaded = target.rows[name]
            required = span.required(name, truth)
            missing = required - loaded.keys()
            check(
                not missing,
                f"{name} of {account}: {len(missing)} of {len(required)} rows are missing, "
                f"such as {sorted(map(str, missing))[:2]}",
            )
            for key in required:
                got, want = _stable(loaded[key]), _stable(truth.rows[key])
                check(got == want, f"{name} {key}: {_difference(got, want)}")

    def told(
        self, output: Output, target: Target, span: Range, truths: dict[tuple[str, str], Truth]
    ) -> None:
        """Insist that a run said what it couldn't read, and that its state stays before that.

        Args:
            output: What it said.
            target: What was loaded by it and the runs before.
            span: What it was told to read.
            truths: What the server held when it began.

        Raises:
            Violation: Something is missing that was not told, or that no later run will read.
        """
        check(output.exit_code in {0, 1}, f"the run ended with {output.exit_code}")
        if output.exit_code:
            told = "FAILED" in output.log or any(
                line.startswith("ERROR") for line in output.log.splitlines()
            )
            check(told, "the run failed without a word")
        if not output.state and output.exit_code:
            return
        for (name, account), truth in truths.items():
            missing = span.required(name, truth) - target.rows[name].keys()
            if not missing:
                continue
            names = family(name)
            excuses = [f"FAILED {one} of {account}" for one in names]
            excuses += [f"skipped {one} of {account}" for one in [*names, "all streams"]]
            check(
                any(excuse in output.log for excuse in excuses),
                f"{name} of {account}: {len(missing)} rows are missing, and nothing was said; "
                f"the run ended with {output.exit_code}",
            )
            self._check_held(name, account, target, [truth.dates.get(key) for key in missing])

    def _check_held(
        self, name: str, account: str, target: Target, dates: list[datetime | None]
    ) -> None:
        keeper = next((one for one in family(name)[::-1] if STREAMS_BY_NAME[one].window), None)
        bookmarks = target.bookmarks([name], account)
        oldest = min((date for date in dates if date is not None), default=None)
        if keeper is None or oldest is None or not bookmarks:
            return
        stream: Any = STREAMS_BY_NAME[keeper]
        resumed = max(bookmarks) - stream.lookback
        check(
            stream.window.precision.floor(resumed) <= oldest,
            f"{name} of {account}: a row of {oldest} is missing, and the bookmark is at "
            f"{max(bookmarks)}",
        )

    def sound(self, output: Output, before: Target, span: Range, *, still: bool) -> None:
        """Insist on what holds for every run, whatever happened to it.

        Args:
            output: What it said.
            before: What was loaded by the runs before it.
            span: What it was told to read.
            still: Whether the server's clock stood.

        Raises:
            Violation: One of these promises is broken.
        """
        check("Traceback" not in output.log, f"a traceback: {_tail(output)}")
        check("Unexpected" not in output.log, f"an unexpected error: {_tail(output)}")
        everything = output.log + "\n".join(output.lines)
        for secret in self.twilio.secrets:
            check(secret not in everything, "a secret was told")
        self._check_once(output, still=still)
        after = Target()
        after.load(output.messages)
        if output.state:
            self._check_bookmarks(before, after, span)

    def _check_once(self, output: Output, *, still: bool) -> None:
        for name, records in output.by_stream.items():
            seen: dict[Key, Record] = {}
            for record in records:
                key = Target.key(name, record)
                other = seen.setdefault(key, record)
                # While the clock moves on, a row may move to a list that is read later.
                twice = other is not record and (still or _stable(other) == _stable(record))
                check(not twice, f"{name} {key} came twice")

    def _check_bookmarks(self, before: Target, after: Target, span: Range) -> None:
        for name in self.streams:
            for account in self.twilio.accounts:
                old = before.bookmarks([name], account.sid)
                new = after.bookmarks([name], account.sid)
                check(len(new) <= 1, f"{name} of {account.sid} has two bookmarks")
                check(new or not old, f"the bookmark of {name} of {account.sid} is gone")
                for moment in new:
                    check(
                        moment <= span.now + ANSWERED,
                        f"the bookmark of {name} is past the beginning of the run",
                    )
                    check(
                        not old or moment >= old[0],
                        f"the bookmark of {name} of {account.sid} went back",
                    )

    def within(self, output: Output, span: Range, truths: dict[tuple[str, str], Truth]) -> None:
        """Insist that a run brought nothing that is outside its range, and nothing invented.

        Args:
            output: What it said.
            span: What it was told to read.
            truths: What the server held when it ended.

        Raises:
            Violation: It did.
        """
        for name, records in output.by_stream.items():
            allowed: set[Key] = set()
            for (one, _), truth in truths.items():
                if one == name:
                    allowed |= span.allowed(name, truth)
            for record in records:
                key = Target.key(name, record)
                check(key in allowed, f"{name} {key} is outside the range, or nowhere")


def _stable(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in VOLATILE}


def _difference(got: Record, want: Record) -> str:
    names: Iterator[str] = (
        name for name in {**want, **got} if got.get(name) != want.get(name) or name not in got
    )
    return "; ".join(f"{name} is {got.get(name)!r}, not {want.get(name)!r}" for name in names)


def _tail(output: Output) -> str:
    return output.log[-1500:]
