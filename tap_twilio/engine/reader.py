"""Reading: pages in order, their records handed on, their children after them."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.config.credentials import ROOT_PRODUCT
from tap_twilio.engine import null_dates
from tap_twilio.engine.chain import Chain
from tap_twilio.engine.days import DAY, Day, days_of
from tap_twilio.engine.decoder import Decoder
from tap_twilio.engine.fetcher import Fetcher
from tap_twilio.engine.null_dates import Searcher, Undated, Waypoints
from tap_twilio.engine.orders import NOTHING
from tap_twilio.engine.planner import LAST
from tap_twilio.engine.prefetch import Prefetch
from tap_twilio.engine.requests import Batch, Fetched, Record, Request
from tap_twilio.engine.sign_in import ask
from tap_twilio.http.errors import AbsentError, RefusedError, TapError, UnreachableError
from tap_twilio.http.files import RowFile
from tap_twilio.records.keys import lacking
from tap_twilio.records.pii import Rule
from tap_twilio.resource.resource import ACCOUNT, UPDATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_twilio.engine.bookmarks import Bookmarks
    from tap_twilio.engine.ordering import Ordering
    from tap_twilio.engine.orders import Outlook
    from tap_twilio.engine.planner import Planner
    from tap_twilio.engine.requests import Child, Place, Plan
    from tap_twilio.engine.run import Run
    from tap_twilio.engine.unchanged import Unchanged
    from tap_twilio.resource.resource import Node
    from tap_twilio.resource.windows import Window

ANYBODYS: Final = ("monitor", "/v1/Alerts")
"""A list outside the 2010 API that every token may read, whatever its account has bought."""

Batches = Generator[tuple["Node", Batch], None, bool]
"""Batches with their node, a parent's before those of its children. A batch is done with when the
next is asked for: then bookmarks may move past it. At the end, whether nothing failed."""


class Reader:
    """Reads lists and what hangs below their rows.

    Attributes:
        prefetch: The pages that are asked for before their turn.
        save: Called when bookmarks have moved.
        ordering: Orders days that lack a file, if any are to be ordered.
    """

    def __init__(self, run: Run, bookmarks: Bookmarks, planner: Planner) -> None:
        """Ask nothing yet."""
        self._run = run
        self._bookmarks = bookmarks
        self._planner = planner
        self._skips = run.skips
        self._decoders: dict[Node, Decoder] = {}
        self.save: Callable[[], None] = lambda: None
        self.ordering: Ordering | None = None
        self.prefetch = Prefetch(
            run.settings.max_concurrent_requests,
            Fetcher(run, planner).fetch,
            self.arrive,
            lambda request: run.limiter(request.account).has_room,
            run.checkpoint,
            run.progress.pause,
        )
        run.wake = self.prefetch.wake

    def decoder(self, node: Node) -> Decoder:
        """Give the decoder of a node's pages."""
        if node not in self._decoders:
            settings = self._run.settings
            rule = Rule(settings.pii, settings.pii_key)
            undated = self._planner.wants_undated
            self._decoders[node] = Decoder(node, rule, wants_undated=undated)
        return self._decoders[node]

    # --- Pages ---------------------------------------------------------------------------------

    def arrive(self, fetched: Fetched) -> tuple[Fetched | Batch, list[Iterator[Request]]]:
        """Give the page to keep of one that came, and the requests that will be wanted after it.

        Its rows are decoded here only if those depend on them: until their turn, rows take less
        memory as they came.
        """
        request, node = fetched.request, fetched.request.node
        if fetched.parts:
            return fetched, [iter(fetched.parts)]
        page: Fetched | Batch = fetched
        below: list[Iterator[Request]] = []
        # Below accounts nothing is planned before all are known: the settings may leave some out.
        if node.children and node.parent is not None:
            page = self._decode(fetched)
            below = [self._planner.requests_below(page)]
        elif request.search is not None:
            batch = self._decode(fetched)
            null_dates.extend(batch, request.search)
            # Where most of its rows are kept, they take less as they came.
            page = batch if batch.size <= fetched.size else null_dates.ended(fetched, batch)
        following = page.following
        if following is None or null_dates.is_beyond(following):
            return page, below
        return page, [iter([following]), *below]

    def _decode(self, fetched: Fetched) -> Batch:
        decoder, search = self.decoder(fetched.request.node), fetched.request.search
        if search is None:
            return decoder.decode(fetched)
        return decoder.weighed(null_dates.sift(fetched, search, decoder))

    def take(self, request: Request) -> Batch:
        """Get a page whose turn has come, decoded."""
        return self.opened(self.prefetch.take(request))

    def opened(self, page: Fetched | Batch) -> Batch:
        """Decode a page, unless that is done, and tell what is odd about it."""
        node = page.request.node
        if isinstance(page, Fetched):
            if page.parts:
                return Batch.of(page)
            page = self._decode(page)
        if page.lost:
            self._run.progress.lost[node.name] += page.lost
            node.warn_once("rows that are no objects are left out. The summary counts them")
        for oddity in page.oddities:
            node.warn_once(oddity)
        return page

    def chain(self, request: Request) -> Chain:
        """Read a chain of pages from its first request on."""
        return Chain(request, self.take, self._planner.is_news)

    @cached_property
    def _searcher(self) -> Searcher:
        return Searcher(self.chain, self.prefetch)

    # --- Lists ---------------------------------------------------------------------------------

    def walk(
        self, node: Node, context: Mapping[str, Any], place: Place, plan: Plan | None = None
    ) -> Batches:
        """Read a list for one account or parent, and the lists below its records."""
        account = node.account_of(context)
        if not self._skips.may_read(node, account):
            return True
        whole = True
        files, listed = node.files_below(context), list[Record]()
        try:
            for read in self._list(node, context, place, plan):
                if isinstance(read, Batch):
                    if files:
                        listed += read.records
                    whole = (yield from self.emit(node, read)) and whole
                    # Freed before the next page is decoded.
                    read.records, read.parents = [], None
                elif whole:
                    read()
            for child in files:
                whole = (yield from self._read_files(child, context, place, listed)) and whole
        except AbsentError as error:
            self._run.progress.absent[node.name] += 1
            node.logger.debug("%s", error)
        except TapError as error:
            whole = self._leave_out(node, context, error) and whole
        self.prefetch.skip(place)
        if node.is_accounts_own and self._bookmarks.finish_below(node, account):
            self.save()
        return whole

    def _list(
        self, node: Node, context: Mapping[str, Any], place: Place, plan: Plan | None
    ) -> Iterator[Batch | Callable[[], None]]:
        """Give the pages of a list; between them what to do once all so far was read."""
        account = node.account_of(context)
        wanted = min(filter(None, (self._run.settings.max_records, node.limit)), default=None)
        changed = self._bookmarks.floor_of_changes(node, account)
        written = self._bookmarks.written(node, account)
        undated, dates = Undated(node), node.resource.window
        waypoints = Waypoints(() if dates is None else dates.names)
        search = self._planner.search(node, account)
        if search is not None:
            self._bookmarks.note_search(node, account, search.floor)
        position = itertools.count()
        for window, requests in plan or self._planner.plan(node, context, place):
            for number, request in enumerate(requests):
                pages = (
                    self.chain(request)
                    if request.search is None
                    else self._searcher.read(request, request.search, waypoints)
                )
                for batch in pages:
                    self._number(batch, position)
                    undated.sift(batch)
                    self._note_reached(batch, window, (number, len(requests)))
                    self._leave_out_unchanged(batch, changed, written)
                    if wanted is not None:
                        batch.keep(list(range(min(wanted, len(batch.records)))))
                        wanted -= len(batch.records)
                    yield batch
                    if wanted == 0:
                        return
                    waypoints.note(batch)
                    if len(requests) == 1 and batch.following is None:
                        yield self._finishing(node, account, batch.request.window)
            if len(requests) > 1:
                yield self._finishing(node, account, window)
        yield lambda: self._end(node, account, undated)

    def _leave_out_unchanged(
        self, batch: Batch, changed: str | None, written: Unchanged | None
    ) -> None:
        """Leave out rows that an earlier run wrote; what is below them is read all the same.

        Args:
            changed: Since when rows count as changed, where their own dates tell that.
            written: What was written of the look-back, where there is one.
        """
        request = batch.request
        if changed is not None:
            batch.parents = batch.records
            batch.records = [
                row for row in batch.records if (row.get(UPDATED) or changed) >= changed
            ]
        # What is read for the sake of other streams is not written, changed or not.
        elif (
            written is not None
            and request.search is None
            and self._bookmarks.is_news(request, [request.node])
        ):
            if request.node.children:
                batch.children = iter(self._children(batch))
                batch.parents, batch.numbers = batch.records, None
            batch.records = written.sift(batch.records, is_last=batch.following is None)

    def _note_reached(self, batch: Batch, window: Window | None, chain: tuple[int, int]) -> None:
        """Take note of how much of an account's list is read."""
        node, own, journey = batch.request.node, batch.request.window, self._run.progress.journey
        if window is None or own is None or node.parent is None or node.parent.parent is not None:
            return
        rows = batch.records or batch.parents or []
        ends = rows[:1] + rows[-1:] if batch.following is not None else []
        read_to = journey.read_to(own, [str(row.get(node.resource.key)) for row in ends])
        journey.reach(window, read_to, chain, own.start if rows else None)

    def _number(self, batch: Batch, position: Iterator[int]) -> None:
        name = batch.request.node.resource.position_field
        if name is not None:
            for record in batch.records:
                record[name] = next(position)

    def _finishing(self, node: Node, account: str, window: Window | None) -> Callable[[], None]:
        def finish() -> None:
            if window is not None and self._bookmarks.finish(node, account, window):
                self.save()

        return finish

    def _end(self, node: Node, account: str, undated: Undated) -> None:
        """Keep in the state what holds once the whole list was read."""
        reached = self._run.clock.reached
        if self._planner.search(node, account) is not None and self._planner.wants_undated:
            self._bookmarks.note_searched(node, account, undated.oldest_unsettled(reached))
            self.save()
        if node.skips_unchanged:
            self._bookmarks.move(node, account, reached)

    def emit(self, node: Node, batch: Batch) -> Batches:
        """Give a page, then read the lists below its records."""
        # Children are told by fields that a stream map or the catalog may take away.
        below = self._children(batch) if node.children else []
        if not node.is_selected:
            yield node, batch
        elif self._bookmarks.is_news(batch.request, [node]):
            self.leave_out_keyless(node, batch)
            batch.records = self.decoder(node).mask(batch.records)
            yield node, batch
        whole, journey = True, self._run.progress.journey
        for child in below:
            if node.parent is None:
                journey.begin(child.place.row, child.place.branch)
            elif node.parent.parent is None:
                journey.below = child.place.row / max(1, batch.received)
            read = self.walk(child.node, child.context, child.place, child.plan)
            whole = (yield from read) and whole
        return whole

    def _children(self, batch: Batch) -> list[Child]:
        """Give the lists below the records of a page, less those left out since it was planned."""
        if batch.children is None:
            return list(self._planner.below(batch))
        if batch.numbers is None or batch.parents is not None:
            return list(batch.children)
        numbers = set(batch.numbers)
        return [child for child in batch.children if child.place.row in numbers]

    def leave_out_keyless(self, node: Node, batch: Batch) -> None:
        """Leave out rows without a key, which targets refuse; say so, and count them."""
        keys = node.resource.keys
        keyless = set(lacking(batch.records, keys))
        if keyless:
            batch.keep([index for index in range(len(batch.records)) if index not in keyless])
            self._run.progress.keyless[node.name] += len(keyless)
            node.warn_once(
                f"rows without a whole key ({', '.join(keys)}) are left out, because targets "
                "refuse them. The summary counts them"
            )

    # --- Files ---------------------------------------------------------------------------------

    def _read_files(
        self, node: Node, context: Mapping[str, Any], place: Place, listed: list[Record]
    ) -> Batches:
        """Read the files of the days that a list has, less those that were read before."""
        account = node.account_of(context)
        if not self._skips.may_read(node, account):
            return True
        bookmarks = self._bookmarks
        days, whole = self._days(node, account, listed)
        outlook, days = self._order(node, account, days)
        days = bookmarks.days_within(days)
        wanted = bookmarks.days_to_read(node, account, days)
        requests = {
            day.date: Request(
                node,
                {ACCOUNT: account, DAY: day.date},
                place.below(LAST, number).chain(0),
                {},
                file=RowFile(),
            )
            for number, day in enumerate(days)
            if day in wanted
        }
        # Of a large file, the connection would have to wait open until its turn.
        self.prefetch.hint(requests[day.date] for day in wanted if day.is_small)
        for day in days:
            if day.date in requests:
                try:
                    if not (yield from self._read_file(node, requests[day.date])):
                        whole = False
                        continue
                except AbsentError as error:
                    if day.date not in outlook.empty:
                        whole = False
                        node.logger.warning(
                            "%s: %s is listed, but has no file: it stays unread. It may have "
                            "expired, or nothing happened that day: %s",
                            node.name,
                            day.date,
                            error,
                        )
                        continue
                except RefusedError as error:
                    return self._leave_out(node, context, error)
                except TapError as error:
                    whole = False
                    self._skips.fail(node, account, error)
                    if isinstance(error, UnreachableError):
                        return False
                    continue
            is_next = whole and day.date < outlook.first_open
            bookmarks.note_day(node, account, day, is_next=is_next)
            self.save()
        return whole

    def _days(self, node: Node, account: str, listed: list[Record]) -> tuple[list[Day], bool]:
        """Give the days of a list, and whether each of its rows has one."""
        days, nameless = days_of(listed)
        if nameless:
            self._skips.fail(node, account, TapError(f"{nameless} days are listed without a date"))
        self._bookmarks.forget_files(node, account, days)
        return days, not nameless

    def _order(self, node: Node, account: str, days: list[Day]) -> tuple[Outlook, list[Day]]:
        """Order days that are missing; give all that have an end, those without rows included."""
        if self.ordering is None:
            return NOTHING, days
        outlook = self.ordering.order(node, account, days)
        empty = outlook.empty.difference(day.date for day in days)
        days += [Day(day, frozenset(), None) for day in empty]
        return outlook, sorted(days, key=lambda day: day.date)

    def look_at_jobs(self, files: Iterable[Node], accounts: Iterable[str]) -> None:
        """Look what is ordered already, before anything is: accounts share what they may order."""
        ordering = self.ordering
        if ordering is None:
            return
        place = self.prefetch.begin()
        requests = [
            self._planner.probe(ordering.jobs, context, place.below(number))
            for number, context in enumerate(ordering.contexts(files, accounts))
        ]
        self.prefetch.hint(iter(requests))
        for request in requests:
            try:
                rows = [row for batch in self.chain(request) for row in batch.records]
            except (RefusedError, AbsentError) as error:
                self._skips.skip(ordering.jobs, request.account, str(error))
            except TapError as error:
                self._skips.fail(ordering.jobs, request.account, error)
            else:
                ordering.note(request.context, rows)

    def _read_file(self, node: Node, first: Request) -> Batches:
        wanted = min(filter(None, (self._run.settings.max_records, node.limit)), default=None)
        request: Request | None = first
        whole = True
        while request is not None and wanted != 0:
            batch = self.take(request)
            request = batch.following
            if wanted is not None:
                batch.keep(list(range(min(wanted, len(batch.records)))))
                wanted -= len(batch.records)
            whole = (yield from self.emit(node, batch)) and whole
            # Freed before the next part is decoded.
            batch.records, batch.parents = [], None
        self.prefetch.skip(first.place.search)
        return whole

    # --- What can't be read --------------------------------------------------------------------

    def probe_refused(self, root: Node, accounts: set[str]) -> None:
        """Find out which nodes that were refused in an earlier run may be read by now.

        Those that still are, are left out before anything is read for their sake.
        """
        refused = [
            (node, context)
            for node in root.descendants
            for context in self._bookmarks.starts.refusals(node.name)
            if context["account_sid"] in accounts
            and self._skips.may_read(node, context["account_sid"])
        ]
        place = self.prefetch.begin()
        probes = [
            self._planner.probe(node, context, place.below(number))
            for number, (node, context) in enumerate(refused)
        ]
        self.prefetch.hint(iter(probes))
        for probe in probes:
            self._take_probe(probe)

    def _take_probe(self, probe: Request) -> None:
        node, account = probe.node, probe.account
        try:
            self.prefetch.take(probe)
        except AbsentError:
            # The parent has gone; had the stream been refused, it would have been so once more.
            pass
        except RefusedError as error:
            # This is of the stream alone: other streams tell whether the account's token is good.
            self._skips.skip(node, account, str(error))
            return
        except TapError as error:
            self._leave_out(node, probe.context, error)
            return
        self._bookmarks.forget_refusal(node, account)

    def _leave_out(self, node: Node, context: Mapping[str, Any], error: Exception) -> bool:
        """Take note that a node could not be read for an account; its bookmark stays.

        True means a lack of permission, false a failure of the run.
        """
        account = node.account_of(context)
        if not isinstance(error, RefusedError):
            self._skips.fail(node, account, error)
            return False
        self._bookmarks.note_refusal(node, context)
        if self._is_token_refused(node, account, error):
            self._skips.refuse(
                account,
                f"Twilio refused its own token ({error}). Its streams outside the 2010 API are "
                "skipped. Add working credentials to subaccount_credentials",
            )
        else:
            self._skips.skip(node, account, str(error))
        return True

    def _is_token_refused(self, node: Node, account: str, error: RefusedError) -> bool:
        """Tell a subaccount's token that is wrong from a stream that it may not read."""
        signature = self._skips.signature(node, account)
        if (
            error.status != HTTPStatus.UNAUTHORIZED
            or node.resource.product == ROOT_PRODUCT
            or signature is None
            or not self._skips.credentials.signs_by_itself(account)
            or account in self._skips.trusted
        ):
            return False
        refusal = ask(self._run, *ANYBODYS, account, signature)
        if isinstance(refusal, RefusedError) and refusal.status == HTTPStatus.UNAUTHORIZED:
            return True
        self._skips.trusted.add(account)
        return False
