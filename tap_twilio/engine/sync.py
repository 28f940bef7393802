"""The conductor of a run: accounts first, then all that is below them, into a sink."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_twilio.engine.bookmarks import Bookmarks
from tap_twilio.engine.chain import Chain
from tap_twilio.engine.ordering import Ordering
from tap_twilio.engine.planner import Planner
from tap_twilio.engine.reader import Reader
from tap_twilio.engine.requests import Batch, Fetched, Request
from tap_twilio.engine.sign_in import SignIn, learn
from tap_twilio.http.errors import Stopped
from tap_twilio.output.journey import Leg
from tap_twilio.resource.resource import ACCOUNT
from tap_twilio.resource.windows import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_twilio.config.settings import Settings
    from tap_twilio.engine.bookmarks import State
    from tap_twilio.engine.requests import Record
    from tap_twilio.engine.run import Run
    from tap_twilio.engine.sign_in import SignedIn
    from tap_twilio.output.sink import Sink
    from tap_twilio.resource.resource import Node

logger = logging.getLogger("tap-twilio")


class Sync:
    """Reads everything that is selected.

    Attributes:
        root: The list of accounts, which all others are below.
    """

    def __init__(self, root: Node, run: Run, state: State, jobs: Node | None = None) -> None:
        """Ask nothing yet.

        Args:
            jobs: The list of orders of exports, where days may be ordered.
        """
        self.root = root
        self._jobs = jobs
        self._run = run
        self.bookmarks = Bookmarks(state, run.settings, run.clock, run.skips)
        self._planner = Planner(run.settings, self.bookmarks, run.skips)
        self.reader = Reader(run, self.bookmarks, self._planner)

    # --- Accounts ------------------------------------------------------------------------------

    def sign_in(self) -> SignedIn:
        """Find out whose rows the credentials can read, and read nothing.

        Raises:
            SignInError: Twilio refused the credentials.
            TapError: Twilio can't be reached, or the setting ``accounts`` names none.
        """
        try:
            return self._sign_in()
        finally:
            self.reader.prefetch.close()

    def accounts(self) -> list[str]:
        """Give the SIDs of accounts that have rows to be read.

        Raises:
            SignInError: Twilio refused the credentials.
            TapError: Twilio can't be reached, or the setting ``accounts`` names none.
        """
        below = self._planner.below(self._page_of(self.sign_in()))
        return list(dict.fromkeys(child.context[ACCOUNT] for child in below))

    def _sign_in(self) -> SignedIn:
        found = SignIn(self._run)(self._listing())
        self.reader.probe_refused(self.root, {account["sid"] for account in found.parents})
        return found

    def _listing(self) -> Iterator[list[Record]]:
        first = self._planner.probe(self.root, {}, self.reader.prefetch.begin())
        wanted = self._run.settings.max_records
        for batch in Chain(first, self._take):
            self.reader.leave_out_keyless(self.root, batch)
            if wanted is not None:
                batch.records = batch.records[:wanted]
                wanted -= len(batch.records)
            yield batch.records
            if wanted == 0:
                return

    def _take(self, request: Request) -> Batch:
        page = self.reader.prefetch.take(request)
        if isinstance(page, Fetched):
            learn(page, self.reader.decoder(self.root), self._run.skips.credentials)
        return self.reader.opened(page)

    def _page_of(self, found: SignedIn) -> Batch:
        """Give the accounts as one page of their list."""
        limit = self.root.limit
        place = self.reader.prefetch.begin().below(0)
        batch = Batch(Request(self.root, {}, place, {}), found.records[:limit])
        if found.parents != found.records:
            batch.parents = found.parents[:limit]
        return batch

    # --- Everything ----------------------------------------------------------------------------

    def batches(self) -> Iterator[tuple[Node, Batch]]:
        """Read accounts, and what is below them.

        Yields:
            Each page with its node, a parent's before those of its children. A page is done with
            when the next is asked for: then bookmarks may move past it.
        """
        root, prefetch = self.root, self.reader.prefetch
        try:
            # A failure here leaves nothing to read: it ends the run.
            found = self._sign_in()
            files = [node for node in root.descendants if node.reads_files]
            self.reader.look_at_jobs(files, [account["sid"] for account in found.parents])
            batch = self._page_of(found)
            self._announce(batch)
            if root.children:
                prefetch.hint(self._planner.requests_below(batch))
                prefetch.hint(self._planner.searches_below(batch))
            yield from self.reader.emit(root, batch)
        finally:
            prefetch.close()

    def _announce(self, accounts: Batch) -> None:
        """Tell what is going to be read."""
        settings, selected = self._run.settings, len(self.root.branch)
        count = len(accounts.records if accounts.parents is None else accounts.parents)
        since = "" if settings.start is None else f" since {iso(settings.start)}"
        until = "" if settings.end is None else f" until {iso(settings.end)}"
        logger.info("Reading %d streams of %d accounts%s%s", selected, count, since, until)
        legs = [
            Leg(child.name, is_dated=child.resource.window is not None)
            for child in self.root.children
            for _ in child.variants
        ]
        self._run.progress.journey.plan(legs, count, settings.end or settings.now)

    def records(self, name: str, context: Mapping[str, Any]) -> Iterator[Record]:
        """Read one list, of a stream that is to be read; the context holds SIDs of parents."""
        (node,) = (each for each in (self.root, *self.root.descendants) if each.name == name)
        for each, batch in self.reader.walk(node, context, self.reader.prefetch.begin()):
            if each is node:
                yield from batch.records

    def write(self, sink: Sink) -> None:
        """Read everything into a sink.

        Raises:
            IncompleteError: Something could not be read to its end.
            Stopped: A signal asked the run to end.
        """
        run, state = self._run, self.bookmarks.state
        run.emits = True
        self.reader.save = lambda: sink.offer_state(state)
        if self._jobs is not None and run.settings.bulkexport is not None:
            self.reader.ordering = Ordering(
                run, self.bookmarks, self._jobs, run.settings.bulkexport
            )
        nodes = [node for node in _by_level(self.root) if node.is_selected]
        for node in nodes:
            sink.begin(node.name, is_whole=is_whole(node, run.settings))
        try:
            for node, batch in self.batches():
                if node.is_selected:
                    self._write(sink, node, batch.records)
        except Stopped:
            sink.write_state(state)
            raise
        for node in nodes:
            sink.end(node.name, is_complete=run.progress.is_complete)
        sink.write_state(state)
        run.check_complete()

    def _write(self, sink: Sink, node: Node, records: list[Record]) -> None:
        count, last = len(records), records[-1] if records else {}
        date = None if node.resource.window is None else last.get(node.resource.key)
        sink.write(node.name, records, self.reader.decoder(node).unknown)
        self._run.progress.count_records(node.name, count, date)


def is_whole(node: Node, settings: Settings) -> bool:
    """Tell whether a run without trouble brings a stream's rows of all accounts: others are gone.

    Rows of incremental streams, and of what hangs below them, are brought by many runs: if a target
    dropped what one of them didn't bring, it would drop nearly everything.
    """
    if settings.accounts or not settings.include_subaccounts or settings.max_records is not None:
        return False
    if settings.start is not None or settings.end is not None:
        return False
    return not any(
        above.is_incremental
        or above.skips_unchanged
        or above.reads_files
        or above.name in settings.filters
        for above in node.lineage
    )


def _by_level(root: Node) -> list[Node]:
    """Give a node and all below it, all children of each before those of the next level."""
    return [root, *_below(root)]


def _below(node: Node) -> list[Node]:
    return [*node.children, *(each for child in node.children for each in _below(child))]
