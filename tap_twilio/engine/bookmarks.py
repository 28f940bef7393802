"""How far a run has come: what was known when it began, and the moves of bookmarks since.

A bookmark is an account's. It stands in the state of each selected stream of a branch: one that
is selected later has none, and is read from the start, so no bookmark that moved for the others'
sake hides rows from it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.config.inputs import (
    DAYS_READ,
    DIGESTS,
    FILES_READ,
    REFUSED,
    UNDATED_SINCE,
    UNSETTLED_SINCE,
)
from tap_twilio.engine.days import days_in, with_day
from tap_twilio.engine.unchanged import Unchanged
from tap_twilio.resource.resource import ACCOUNT
from tap_twilio.resource.windows import EPOCH, Window, iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_twilio.config.settings import Settings
    from tap_twilio.engine.clock import Clock
    from tap_twilio.engine.days import Day
    from tap_twilio.engine.requests import Request
    from tap_twilio.engine.skips import Skips
    from tap_twilio.resource.resource import Node
    from tap_twilio.resource.windows import DateFilter

State = dict[str, Any]
"""A Singer state: ``{"bookmarks": {stream: {"partitions": [{"context": {…}, …}]}}}``."""

UNCHANGED_LOOKBACK: Final = timedelta(hours=1)
"""Rows that changed this long before the bookmark count as changed too: Twilio may show them late,
and clocks that nothing is known of may differ."""


class Starts:
    """The state as it was when the run began."""

    def __init__(self, state: Mapping[str, Any], now: datetime) -> None:
        """Take a copy; durations are counted back from now."""
        self._now = now
        self._of_all = {name: dict(held) for name, held in state.get("bookmarks", {}).items()}
        self._held = {place: dict(held) for place, held in partitions(state)}

    def bookmark(self, stream: str, account: str, key: str) -> datetime | None:
        """Give the moment up to which all was read, by a field; none if it never was."""
        # Another tap's bookmark is for all accounts: it holds for those without their own.
        for held in (self._held.get((stream, account)), self._of_all.get(stream)):
            if held is not None and "replication_key_value" in held:
                if held.get("replication_key") != key:
                    return None
                return parse_moment(held["replication_key_value"], self._now)
        return None

    def noted(self, stream: str, account: str, name: str) -> list[datetime]:
        """Give the moment that is kept under a name; empty if none is."""
        held = self._held.get((stream, account), {})
        return [parse_moment(held[name], self._now)] if name in held else []

    def refusals(self, stream: str) -> list[dict[str, Any]]:
        """Give the contexts, one for each account, below which a stream was refused."""
        return [
            {ACCOUNT: account, **held[REFUSED]}
            for (name, account), held in self._held.items()
            if name == stream and REFUSED in held
        ]


def partitions(state: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Give a state's partitions of one account each, with the stream's name and the SID."""
    for name, held in state.get("bookmarks", {}).items():
        for partition in held.get("partitions", ()):
            # The SDK writes one without a context where a stream had none.
            if partition["context"] is not None:
                yield (name, partition["context"][ACCOUNT]), partition


class Bookmarks:
    """The bookmarks of a run, by node and account.

    Attributes:
        state: The Singer state, which moves.
        starts: Where the state began.
        settings: The settings of the run.
        clock: Twilio's time.
    """

    def __init__(self, state: State, settings: Settings, clock: Clock, skips: Skips) -> None:
        """Take note of what is known."""
        self.state = state
        self.starts = Starts(state, settings.now)
        self.settings = settings
        self.clock = clock
        self._skips = skips
        self._partitions = dict(partitions(state))
        self._wanted: dict[tuple[str, str], dict[str, datetime]] = {}
        self._written: dict[tuple[str, str], Unchanged] = {}

    # --- From when on --------------------------------------------------------------------------

    def wanted_from(self, node: Node, account: str) -> dict[str, datetime]:
        """Give, by stream of the branch, the moment from which it wants a node's rows.

        They differ where one was selected later than others, or could not be read for a while.
        Streams that can't be read now want nothing.
        """
        dates, known = node.resource.window, self._wanted.get((node.name, account))
        if dates is None:
            return {}
        if known is None:
            known = self._wanted[node.name, account] = {
                each.name: self._start(node, dates, self._began_at(node, each, account))
                for each in node.branch
                if self._skips.is_open(each, account)
            }
        return known

    def range(self, node: Node, account: str) -> Window | None:
        """Give the stretch of time to be read; none if it is empty, or if nobody may read it.

        It goes from the bookmark less the look-back, or from the start date, to the end date or on.
        """
        dates, end = node.resource.window, self.settings.end
        starts = self.wanted_from(node, account)
        if dates is None or not starts:
            return None
        start = min(starts.values())
        end = end and dates.precision.floor(end)
        return Window(start, end) if end is None or start < end else None

    def is_news(self, request: Request, nodes: Iterable[Node]) -> bool:
        """Tell whether a window must be read for the sake of some nodes of the branch.

        If each of them had it in an earlier run, or was refused in this one, it is read for others.
        """
        window, node = request.window, request.node
        if window is None or not node.is_incremental:
            return True
        account, end = request.account, window.end
        starts = self.wanted_from(node, account)
        return any(
            each.name in starts
            and (end is None or starts[each.name] < end)
            and self._skips.is_open(each, account)
            for each in nodes
        )

    def bookmark(self, node: Node, account: str) -> datetime | None:
        """Give the moment up to which all was read when the run began; none if it never was."""
        keepers = self.keepers(node, account)
        marks = [self._began_at(node, each, account) for each in keepers]
        known = [mark for mark in marks if mark is not None]
        return min(*known, self.clock.present) if len(known) == len(marks) > 0 else None

    def keepers(self, node: Node, account: str) -> list[Node]:
        """Give the nodes whose state holds a node's bookmark, but for those that can't be read.

        The bookmarks of these stay until they can.
        """
        keepers = [node] if node.resource.window is None else node.branch
        return [each for each in keepers if self._skips.is_open(each, account)]

    def noted(self, node: Node, account: str, name: str) -> list[datetime]:
        """Give the moments that keepers had under a name when the run began."""
        return [
            moment
            for keeper in self.keepers(node, account)
            for moment in self.starts.noted(keeper.name, account, name)
        ]

    def floor_of_changes(self, node: Node, account: str) -> str | None:
        """Tell since when rows count as changed; none if all do."""
        bookmark = self.bookmark(node, account) if node.skips_unchanged else None
        return None if bookmark is None else iso(bookmark - UNCHANGED_LOOKBACK)[:-1]

    def written(self, node: Node, account: str) -> Unchanged | None:
        """Give what earlier runs wrote of a look-back; none if all of it is to be written again."""
        dates = node.resource.window
        if dates is None or not node.skips_written or self._is_preview(node):
            return None
        place = node.name, account
        if place not in self._written:
            floor = iso(dates.precision.floor(self.clock.reached - self._lookback(node)))[:16]
            held = self._partitions.get(place, {}).get(DIGESTS, {})
            salt = f"{self.settings.pii}\0{self.settings.pii_key}"
            self._written[place] = Unchanged(held, field=node.resource.key, floor=floor, salt=salt)
        return self._written[place]

    def _lookback(self, node: Node) -> timedelta:
        days = self.settings.lookback_days
        return node.resource.lookback if days is None else timedelta(days=days)

    def _began_at(self, node: Node, keeper: Node, account: str) -> datetime | None:
        if not node.is_incremental and not node.skips_unchanged:
            return None
        return self.starts.bookmark(keeper.name, account, node.bookmark_key)

    def _start(self, node: Node, dates: DateFilter, bookmark: datetime | None) -> datetime:
        settings = self.settings
        start = settings.start or EPOCH
        if bookmark is not None:
            # One that lies in the future was made by a wrong clock.
            start = max(start, min(bookmark, self.clock.present) - self._lookback(node))
        kept = dates.clamp(start, self.clock.present)
        if kept - start > timedelta(hours=1) and start > EPOCH:
            node.warn_once(
                f"Twilio keeps these rows for {dates.retention and dates.retention.days} days. "
                f"The tap reads from {iso(kept)} on"
            )
        return dates.precision.floor(kept)

    # --- Up to when ----------------------------------------------------------------------------

    def finish(self, node: Node, account: str, window: Window) -> bool:
        """Move the bookmark to a window's end, now that all below is read; tell if it can move."""
        if not node.is_incremental or not node.is_accounts_own:
            return False
        self.move(node, account, window.end or self.clock.reached)
        self._note_written(node, account)
        return True

    def finish_below(self, node: Node, account: str) -> bool:
        """Move bookmarks of lists below a node, now that all parents are read; tell if any moved.

        Their bookmark is the account's, whatever the number of parents. It stays where it was if
        the list could not be read, or its rows' children, for any one of them.
        """
        moved = False
        for each in node.descendants:
            if each.is_incremental and self._skips.was_read(each, account):
                whole = self.range(each, account)
                if whole is not None:
                    self.move(each, account, whole.end or self.clock.reached)
                    moved = True
        return moved

    def move(self, node: Node, account: str, moment: datetime) -> None:
        """Move the bookmark on: never past the run's beginning, by whichever clock is behind.

        Nor does it move back, unless it lies in the future, nor in a preview. That of a stream that
        can't be read stays: the first run that may goes on from there.
        """
        if self._is_preview(node):
            return
        moment = min(moment, self.clock.reached)
        for keeper in self.keepers(node, account):
            before = self._reached_by(keeper, account, node.bookmark_key)
            if before is None or before < moment or before > self.clock.present:
                held = self._partition(keeper, account)
                held["replication_key"] = node.bookmark_key
                held["replication_key_value"] = iso(moment)

    def _note_written(self, node: Node, account: str) -> None:
        """Keep in the state what was written of the look-back, or that nobody kept count of it."""
        written, held = self._written.get((node.name, account)), self._partitions
        if written is not None:
            self._partition(node, account)[DIGESTS] = written.packed()
        elif (node.name, account) in held and not self._is_preview(node):
            held[node.name, account].pop(DIGESTS, None)

    def note_search(self, node: Node, account: str, since: datetime) -> None:
        """Keep in the state that rows without a date are to be searched for, and how far back.

        Bookmarks move before that is done, and where the next run looks depends on them.
        """
        for held in self._notebooks(node, account):
            held[UNDATED_SINCE] = iso(since)

    def note_searched(self, node: Node, account: str, unsettled: str | None) -> None:
        """Keep in the state that rows without a date were searched for.

        Args:
            unsettled: When the oldest of them was made that may still change; none if none may.
        """
        for held in self._notebooks(node, account):
            held.pop(UNDATED_SINCE, None)
            held.pop(UNSETTLED_SINCE, None)
            if unsettled is not None:
                held[UNSETTLED_SINCE] = unsettled

    def note_refusal(self, node: Node, context: Mapping[str, Any]) -> None:
        """Keep in the state where a node was refused.

        Only below another list: there, the next run would read its parents from the bookmark on, or
        ask for as many at once as it may, before it found out that the stream is still refused.
        """
        if node.reads_files:
            return
        hangs_below = node.parent is not None and node.parent.parent is not None
        personal = node.resource.personal
        if hangs_below and not self._is_preview(node) and personal.isdisjoint(context):
            sids = {name: value for name, value in context.items() if name != ACCOUNT}
            self._partition(node, node.account_of(context))[REFUSED] = sids

    def forget_refusal(self, node: Node, account: str) -> None:
        """Take out of the state that a node was refused."""
        self._partitions.get((node.name, account), {}).pop(REFUSED, None)

    # --- Days of files -------------------------------------------------------------------------

    def days_within(self, days: Iterable[Day]) -> list[Day]:
        """Give those of some days that are between ``start_date`` and ``end_date``."""
        start, end = self.settings.start, self.settings.end
        first = "" if start is None else iso(start)[:10]
        last = "~" if end is None else iso(end)[:10]
        return [day for day in days if first <= day.date < last]

    def days_to_read(self, node: Node, account: str, days: Iterable[Day]) -> list[Day]:
        """Give those of some days that have a file which was not there when they were read."""
        known = self._partitions.get((node.name, account), {}) if node.goes_by_dates else {}
        files = known.get(FILES_READ, {})
        return [day for day in days if not day.files.issubset(files.get(day.date, ()))]

    def days_read(self, node: Node, account: str) -> set[str]:
        """Give the days that were read, whether their files are still there or not."""
        return days_in(self._partitions.get((node.name, account), {}).get(DAYS_READ, ()))

    def note_day(self, node: Node, account: str, day: Day, *, is_next: bool) -> None:
        """Keep in the state that a day was read to its end.

        Args:
            is_next: Whether all days that are listed before it were, so that the bookmark moves.
        """
        if not self.keeps_days(node):
            return
        held = self._partition(node, account)
        held[DAYS_READ] = with_day(held.get(DAYS_READ, []), day.date)
        held.setdefault(FILES_READ, {})[day.date] = sorted(day.files)
        if is_next and held.get("replication_key_value", "") < day.date:
            held["replication_key"] = node.bookmark_key
            held["replication_key_value"] = day.date

    def forget_files(self, node: Node, account: str, days: Iterable[Day]) -> None:
        """Take out of the state what tells files apart that are no longer listed."""
        held = self._partitions.get((node.name, account), {})
        if FILES_READ in held and self.keeps_days(node):
            listed = {day.date for day in days}
            held[FILES_READ] = {
                day: files for day, files in held[FILES_READ].items() if day in listed
            }

    def keeps_days(self, node: Node) -> bool:
        """Tell whether the state takes down which days were read."""
        return node.goes_by_dates and not self._is_preview(node)

    def _notebooks(self, node: Node, account: str) -> Iterator[dict[str, Any]]:
        if self._is_preview(node) or not node.is_incremental or not node.is_accounts_own:
            return
        for keeper in self.keepers(node, account):
            yield self._partition(keeper, account)

    def _reached_by(self, keeper: Node, account: str, key: str) -> datetime | None:
        held = self._partitions.get((keeper.name, account), {})
        if "replication_key_value" not in held:
            return self.starts.bookmark(keeper.name, account, key)
        if held.get("replication_key") != key:
            return None
        return parse_moment(held["replication_key_value"], self.settings.now)

    def _partition(self, node: Node, account: str) -> dict[str, Any]:
        held = self._partitions.get((node.name, account))
        if held is None:
            held = self._partitions[node.name, account] = {"context": {ACCOUNT: account}}
            of_stream = self.state.setdefault("bookmarks", {}).setdefault(node.name, {})
            of_stream.setdefault("partitions", []).append(held)
        return held

    def _is_preview(self, node: Node) -> bool:
        return self.settings.max_records is not None or node.limit is not None
