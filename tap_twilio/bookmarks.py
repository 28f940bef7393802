"""How far a stream has come: its bookmarks, and from when on it is read."""

from __future__ import annotations

import string
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.helpers._state import get_state_if_exists, get_state_partitions_list

from tap_twilio.client import EndpointClient
from tap_twilio.config.inputs import REFUSED, UNDATED_SINCE, UNSETTLED_SINCE
from tap_twilio.resource.windows import EPOCH, Window, iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_twilio.pages import Page, Request
    from tap_twilio.resource.windows import DateFilter

UPDATED = "date_updated"

UNCHANGED_LOOKBACK = timedelta(hours=1)
"""How far before its bookmark a list that leaves out unchanged rows takes them for changed: what
Twilio shows late, and clocks that nothing is known of."""


class BookmarkedStream(EndpointClient):
    """A stream that knows those above and below it, and the moment up to which it was read."""

    # --- Parents and children ------------------------------------------------------------------

    @cached_property
    def children(self) -> list[BookmarkedStream]:
        """Child streams that are selected, or have selected descendants."""
        return [
            cast("BookmarkedStream", child)
            for child in self.child_streams
            if child.selected or child.has_selected_descendents
        ]

    @cached_property
    def descendants(self) -> list[BookmarkedStream]:
        """All streams below this one that are selected, or have selected descendants."""
        return [one for child in self.children for one in (child, *child.descendants)]

    @cached_property
    def ancestors(self) -> list[BookmarkedStream]:
        """The streams above this one, its parent first."""
        above = cast("type[BookmarkedStream] | None", self.parent_stream_type)
        if above is None:
            return []
        parent = cast("BookmarkedStream", self._tap.streams[above.name])
        return [parent, *parent.ancestors]

    @cached_property
    def branch(self) -> list[BookmarkedStream]:
        """The selected ones of this stream and all below it."""
        return [stream for stream in (self, *self.descendants) if stream.selected]

    @cached_property
    def height(self) -> int:
        """Levels of selected streams below this one."""
        return max((child.height + 1 for child in self.children), default=0)

    @cached_property
    def placeholder(self) -> str:
        """Name, in paths and contexts, of the SID that the parent's record gives."""
        names = [name for _, name, *_ in string.Formatter().parse(self.path) if name]
        return names[-1]

    @cached_property
    def is_accounts_own(self) -> bool:
        """Whether an account has one such list, not one for each of other records."""
        return bool(self.ancestors) and self.placeholder == "account_sid" and not self.path_values

    def may_read(self, account: str) -> bool:
        """Tell whether this stream can be read for an account.

        Args:
            account: The account's SID.

        Returns:
            False once Twilio refused it, or where nothing at hand signs for the account.
        """
        if (self.name, account) in self.run.refused or account in self.run.shut:
            return False
        if self.signature(account) is None:
            self.run.skip_unsigned(self.name, account)
            return False
        return True

    def is_open(self, account: str) -> bool:
        """Tell whether this stream, and all above it, can be read for an account.

        Args:
            account: The account's SID.

        Returns:
            False as soon as any of them is left out: its rows are not read then, for a reason that
            may pass.
        """
        return all(stream.may_read(account) for stream in self._lineage)

    @cached_property
    def _lineage(self) -> list[BookmarkedStream]:
        return [self, *self.ancestors]

    # --- What is to be read --------------------------------------------------------------------

    @property
    def key(self) -> str:
        """The class's own replication key: the field that its date filter bounds."""
        return cast("str", type(self).replication_key)

    @property
    def _bookmark_key(self) -> str:
        return UPDATED if self.window is None else self.key

    @cached_property
    def is_incremental(self) -> bool:
        """Whether the stream is read by windows and keeps a bookmark.

        Below a parent that is, it isn't: a run gives it some of the parents only.
        """
        return (
            self.window is not None
            and self.replication_method == "INCREMENTAL"
            and not any(parent.is_incremental for parent in self.ancestors)
        )

    @cached_property
    def skips_unchanged(self) -> bool:
        """Whether rows that didn't change since the last run are left out.

        A bookmark is an account's, so this is for lists that an account has one of.
        """
        return (
            self.run.settings.skip_unchanged
            and self.window is None
            and self.is_accounts_own
            and self.selected
            and self.schema["properties"].get(UPDATED, {}).get("format") == "date-time"
        )

    def range(self, context: Mapping[str, Any]) -> Window | None:
        """Tell what stretch of time is to be read.

        Args:
            context: SIDs of the parents.

        Returns:
            From the bookmark less the look-back, or from the start date, to the end date or on;
            none if that is empty, or if nobody may read it.
        """
        settings, dates = self.run.settings, self.window
        starts = self.starts(context) if dates is not None else {}
        if dates is None or not starts:
            return None
        start = min(starts.values())
        end = settings.end and dates.precision.floor(settings.end)
        return Window(start, end) if end is None or start < end else None

    def starts(self, context: Mapping[str, Any]) -> dict[str, datetime]:
        """Tell from when on each selected stream of the branch wants this one to be read.

        They differ where one was selected later than others, or could not be read for a while. As
        it was when the run began: a bookmark that moves while the stream is read doesn't change
        what is still planned. Streams that can't be read now want nothing.

        Args:
            context: SIDs of the parents.

        Returns:
            Moments by name of the stream.
        """
        account = self.account_of(context)
        known = self._known_starts.get(account)
        if known is None:
            known = self._known_starts[account] = {
                stream.name: self._start(self._mark(stream, account))
                for stream in self.branch
                if stream.is_open(account)
            }
        return known

    @cached_property
    def _known_starts(self) -> dict[str, dict[str, datetime]]:
        return {}

    def _start(self, bookmark: datetime | None) -> datetime:
        settings, dates = self.run.settings, cast("DateFilter", self.window)
        start = settings.start or EPOCH
        if bookmark is not None:
            days = settings.lookback_days
            lookback = self.lookback if days is None else timedelta(days=days)
            # One that lies in the future was made by a wrong clock.
            start = max(start, min(bookmark, self.run.present) - lookback)
        kept = dates.clamp(start, self.run.present)
        if kept - start > timedelta(hours=1) and start > EPOCH:
            self.warn_once(
                f"Twilio keeps these rows for {dates.retention and dates.retention.days} days: "
                f"reading from {iso(kept)} on"
            )
        return dates.precision.floor(kept)

    def is_news(self, request: Request, streams: Iterable[BookmarkedStream]) -> bool:
        """Tell whether a window must be read for the sake of some streams of the branch.

        Args:
            request: A request of this stream.
            streams: This stream, or some below it.

        Returns:
            False where each of them had the window in an earlier run, or was refused in this one:
            it is read for others.
        """
        if request.window is None or not self.is_incremental:
            return True
        account, end = self.account_of(request.context), request.window.end
        starts = self.starts(request.context)
        return any(
            stream.name in starts
            and (end is None or starts[stream.name] < end)
            and stream.is_open(account)
            for stream in streams
        )

    # --- What was read -------------------------------------------------------------------------

    @cached_property
    def _keepers(self) -> list[BookmarkedStream]:
        """The streams whose state holds the bookmark: all selected ones of the branch.

        So one that is selected later has none, and is read from the start: no bookmark that moved
        for the others' sake hides rows from it.
        """
        return [self] if self.window is None else self.branch

    def bookmark(self, context: Mapping[str, Any]) -> datetime | None:
        """Read the bookmark of an account.

        Args:
            context: SIDs of the parents.

        Returns:
            The moment up to which all was read; none if it never was.
        """
        account = self.account_of(context)
        marks = [self._mark(keeper, account) for keeper in self._open_keepers(account)]
        known = [mark for mark in marks if mark is not None]
        return min(*known, self.run.present) if len(known) == len(marks) > 0 else None

    def _open_keepers(self, account: str) -> list[BookmarkedStream]:
        """Leave out keepers that can't be read: what they keep holds until they can."""
        return [keeper for keeper in self._keepers if keeper.is_open(account)]

    def _mark(self, keeper: BookmarkedStream, account: str) -> datetime | None:
        if not self.is_incremental and not self.skips_unchanged:
            return None
        # Another tap's bookmark is for all accounts: it holds for those without their own.
        of_all = get_state_if_exists(self._tap.state, keeper.name) or {}
        states = (self._state(keeper, account), of_all)
        holder = next((one for one in states if "replication_key_value" in one), {})
        if holder.get("replication_key") != self._bookmark_key:
            return None
        return parse_moment(holder["replication_key_value"], self.run.settings.now)

    def _state(self, keeper: BookmarkedStream, account: str) -> dict[str, Any]:
        for partition in get_state_partitions_list(self._tap.state, keeper.name) or []:
            if partition.get("context") == {"account_sid": account}:
                return partition
        return {}

    def finish(self, context: Mapping[str, Any], window: Window | None, failures: int) -> None:
        """Move the bookmark to the end of a window, if all below it could be read.

        Args:
            context: SIDs of the parents.
            window: The window; none where there is no bookmark to move.
            failures: How many there were in the run before the window was read.
        """
        if window is None or len(self.run.progress.failures) > failures:
            return
        if self.is_incremental and self.is_accounts_own:
            self.move_bookmark(context, window.end or self.run.reached)
            self._tap.write_state()

    def finish_below(self, context: Mapping[str, Any]) -> None:
        """Move the bookmarks of lists below this one, now that all of their parents were read.

        Their bookmark is the account's, whatever the number of parents. It stays where it was if
        the list could not be read, or its rows' children, for any one of them.

        Args:
            context: The account.
        """
        account = self.account_of(context)
        whose = {"account_sid": account}
        for stream in self.descendants:
            if stream.is_incremental and stream.was_read_for_all(account):
                whole = stream.range(whose)
                if whole is not None:
                    stream.move_bookmark(whose, whole.end or self.run.reached)
                    self._tap.write_state()

    def was_read_for_all(self, account: str) -> bool:
        """Tell whether no parent was left out, and nothing below failed.

        Args:
            account: The account's SID.

        Returns:
            Whether the bookmark may move.
        """
        return self.is_open(account) and not any(
            (stream.name, account) in self.run.failed
            for stream in (*self._lineage, *self.descendants)
        )

    def move_bookmark(self, context: Mapping[str, Any], moment: datetime) -> None:
        """Move the bookmark on: never past the run's beginning, by whichever clock is behind.

        Nor back, unless it lies in the future, nor in a preview.

        That of a stream that can't be read stays: the first run that may goes on from there.

        Args:
            context: SIDs of the parents.
            moment: The moment up to which all was read.
        """
        if self._is_preview:
            return
        account = self.account_of(context)
        moment = min(moment, self.run.reached)
        for keeper in self._open_keepers(account):
            before = self._mark(keeper, account)
            if before is None or before < moment or before > self.run.present:
                state = keeper.get_context_state({"account_sid": account})
                state["replication_key"] = self._bookmark_key
                state["replication_key_value"] = iso(moment)
                keeper.state_manager.is_flushed = False

    @property
    def _is_preview(self) -> bool:
        return self.run.settings.max_records is not None or self.ABORT_AT_RECORD_COUNT is not None

    def unsearched(self, context: Mapping[str, Any]) -> list[datetime]:
        """Read how far back rows without a date are still to be searched for.

        Args:
            context: SIDs of the parents.

        Returns:
            A moment for each search that was not done.
        """
        return self._noted(context, UNDATED_SINCE)

    def unsettled(self, context: Mapping[str, Any]) -> list[datetime]:
        """Read since when rows wait for their date that Twilio still changes.

        Args:
            context: SIDs of the parents.

        Returns:
            When the oldest of them was made, as each keeper knows.
        """
        return self._noted(context, UNSETTLED_SINCE)

    def _noted(self, context: Mapping[str, Any], name: str) -> list[datetime]:
        account = self.account_of(context)
        states = [self._state(keeper, account) for keeper in self._open_keepers(account)]
        return [
            parse_moment(state[name], self.run.settings.now) for state in states if name in state
        ]

    def note_search(self, context: Mapping[str, Any], since: datetime) -> None:
        """Keep in the state that rows without a date are still to be searched for.

        Bookmarks move before that is done, and where the next run looks depends on them.

        Args:
            context: SIDs of the parents.
            since: How far back.
        """
        for state in self._notebooks(context):
            state[UNDATED_SINCE] = iso(since)

    def note_searched(self, context: Mapping[str, Any], unsettled: str | None) -> None:
        """Keep in the state that rows without a date were searched for.

        Args:
            context: SIDs of the parents.
            unsettled: When the oldest of them was made that may still change; none if none may.
        """
        for state in self._notebooks(context):
            state.pop(UNDATED_SINCE, None)
            state.pop(UNSETTLED_SINCE, None)
            if unsettled is not None:
                state[UNSETTLED_SINCE] = unsettled
        self._tap.write_state()

    def _notebooks(self, context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the state of each keeper, to write into."""
        if self._is_preview or not self.is_incremental or not self.is_accounts_own:
            return
        account = self.account_of(context)
        for keeper in self._open_keepers(account):
            yield keeper.get_context_state({"account_sid": account})
            keeper.state_manager.is_flushed = False

    # --- What was refused ----------------------------------------------------------------------

    def note_refusal(self, context: Mapping[str, Any]) -> None:
        """Keep in the state where this stream was refused.

        Only below another list: there, the next run would read its parents from the bookmark on, or
        ask for as many at once as it may, before it found out that the stream is still refused.

        Args:
            context: SIDs of the parents.
        """
        hangs_below = len(self.ancestors) > 1
        if hangs_below and not self._is_preview and self._personal.isdisjoint(context):
            sids = {name: value for name, value in context.items() if name != "account_sid"}
            state = self.get_context_state({"account_sid": self.account_of(context)})
            state[REFUSED] = sids
            self.state_manager.is_flushed = False

    def refusals(self) -> list[dict[str, Any]]:
        """Tell where this stream was refused when it was last read.

        Returns:
            SIDs of the parents, once for each account.
        """
        return [
            partition["context"] | partition[REFUSED]
            for partition in get_state_partitions_list(self._tap.state, self.name) or []
            if REFUSED in partition
        ]

    def forget_refusal(self, account: str) -> None:
        """Take out of the state that this stream was refused.

        Args:
            account: The account's SID.
        """
        self._state(self, account).pop(REFUSED, None)

    def drop_unchanged(self, page: Page, bookmark: datetime | None) -> None:
        """Leave out rows that are as they were well before the last run; their children are read.

        Args:
            page: A page of a list that is read whole.
            bookmark: When the last run began.
        """
        if bookmark is None:
            return
        floor = iso(bookmark - UNCHANGED_LOOKBACK)[:-1]
        page.parents = page.records
        page.records = [row for row in page.records if (row.get(UPDATED) or floor) >= floor]
